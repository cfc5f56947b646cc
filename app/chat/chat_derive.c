/*
 * A key is derived beside everything else: the screen is drawn, the engine is
 * listened to, and ^C gives up. Keys wait with the terminal meanwhile.
 */
#include "config.h"

#include "app/chat/chat_vault.h"
#include "app/vault/kdf_time.h"

#include <signal.h>

#define STEP_NS UINT64_C(20000000)

static enum status
given_up(struct error *err)
{
    return error_set(err, STATUS_CANCELLED, "given up");
}

/* What happens within a moment; STATUS_CANCELLED: the user has enough of it. */
static enum status
step(struct chat *chat, struct error *err)
{
    struct chat_wait wait = {.without_keys = true,
                             .deadline_ns = clock_ns() + STEP_NS};
    struct error lost;

    if (chat_wait(chat, &wait, &lost) != STATUS_OK)
        chat_keep_loss(chat, &lost);
    else if (wait.wake == CHAT_EVENT)
        chat_take_beside(chat, &wait.event);
    else if (wait.wake == CHAT_INTERRUPT)
        return given_up(err);
    return chat->quit ? given_up(err) : STATUS_OK;
}

/* Two at a time could be more memory than there is. */
static enum status
wait_for_former(struct chat *chat, struct error *err)
{
    while (derivations_left() > 0)
        TRY(step(chat, err));
    return STATUS_OK;
}

static enum status
derive(struct chat *chat, struct derivation *derivation, struct error *err)
{
    struct error why;

    TRY(wait_for_former(chat, err));
    chat->deriving.begun_ns = clock_ns();
    if (derivation_start(derivation, &why) != STATUS_OK) {
        log_warn("nothing moves while a key is derived: %s", why.text);
        derivation_run(derivation);
    }
    while (!derivation_ended(derivation))
        TRY(step(chat, err));
    kdf_time_keep(derivation_cost(derivation),
                  clock_ns() - chat->deriving.begun_ns);
    return STATUS_OK;
}

static enum status
run(void *context, struct derivation *derivation, struct error *err)
{
    struct chat *chat = context;

    chat->deriving = (struct chat_deriving){
        .active = true,
        .cost = *derivation_cost(derivation),
        .before_ns = kdf_time_recall(derivation_cost(derivation)),
    };
    enum status status = derive(chat, derivation, err);

    chat->deriving.active = false;
    if (chat->deriving.lock) // there is nothing to lock yet
        raise(SIGUSR1);
    return status;
}

struct kdf_runner
chat_kdf_runner(struct chat *chat)
{
    return (struct kdf_runner){chat, run};
}
