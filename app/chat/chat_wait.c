/* Keys, the engine, signals and time, waited for side by side. */
#include "config.h"

#include "app/chat/chat.h"
#include "app/exit_code.h"
#include "app/signals.h"

#include <signal.h>
#include <unistd.h>

/* True: the one who waits is to know, as wait->wake says. */
static bool
take_signal(struct chat *chat, struct chat_wait *wait)
{
    int number = signals_taken();

    switch (number) {
    case SIGINT:
        wait->wake = CHAT_INTERRUPT;
        return true;
    case SIGQUIT: // Ctrl-\, which works where keys are not read
        if (chat_answer_now(chat))
            chat_say(chat, "the thought is closed, and the answer begins");
        return false;
    case SIGTSTP:
        chat->face->suspend(chat);
        return false;
    case SIGCONT: // whoever had the terminal meanwhile left it in their state
    case SIGWINCH:
        chat->face->resized(chat);
        return false;
    case SIGUSR1:
        wait->wake = CHAT_OVER;
        chat->deriving.lock = chat->deriving.active;
        chat->locking = chat->keeping.kind == KEEPING_VAULT;
        return chat->locking;
    case SIGTERM:
    case SIGHUP:
        chat->quit = true;
        chat->code = EXIT_SIGNAL + number;
        wait->wake = CHAT_OVER;
        return true;
    default:
        return false;
    }
}

/* Keys for the one who waits, or for a face that takes them at any time. */
static bool
take_keys(struct chat *chat, struct chat_wait *wait)
{
    chat->touched_ns = clock_ns();
    wait->wake = CHAT_KEYS;
    if (wait->keys)
        return true;
    chat->face->busy_keys(chat);
    wait->wake = CHAT_OVER;
    return chat->quit || chat->locking;
}

/* The same for the time that the client's wait was given. */
static bool
take_time(struct chat *chat, struct chat_wait *wait)
{
    uint64_t now = clock_ns();

    if (now >= chat->face->deadline(chat))
        chat->face->tick(chat, now);
    if (chat->face->ready(chat) && take_keys(chat, wait))
        return true;
    if (chat->quit) {
        wait->wake = CHAT_OVER;
        return true;
    }
    if (!chat->locking && now >= chat_lock_deadline(chat)) {
        chat->locking = true;
        wait->wake = CHAT_OVER;
        return true;
    }
    wait->wake = CHAT_TIME;
    return now >= wait->deadline_ns;
}

static uint64_t
earliest(const struct chat *chat, const struct chat_wait *wait, uint64_t face)
{
    uint64_t lock = chat->locking ? UINT64_MAX : chat_lock_deadline(chat);
    uint64_t first = wait->deadline_ns < lock ? wait->deadline_ns : lock;

    return face < first ? face : first;
}

enum status
chat_wait(struct chat *chat, struct chat_wait *wait, struct error *err)
{
    bool listen = wait->keys || (chat->face->live && !wait->without_keys);

    for (;;) {
        struct client_wait next = {
            .input = listen ? STDIN_FILENO : -1,
            .deadline_ns = earliest(chat, wait, chat->face->deadline(chat))};
        bool done = false;

        if (chat->client != NULL && !wait->without_engine)
            TRY(client_wait(chat->client, &next, err));
        else
            TRY(client_wait_without(&next, err));
        switch (next.wake) {
        case CLIENT_EVENT:
            chat_gauges_take(chat, &next.event);
            wait->event = next.event;
            wait->wake = CHAT_EVENT;
            return STATUS_OK;
        case CLIENT_SIGNAL:
            done = take_signal(chat, wait);
            break;
        case CLIENT_INPUT:
            done = take_keys(chat, wait);
            break;
        case CLIENT_TIME:
            done = take_time(chat, wait);
            break;
        }
        if (done)
            return STATUS_OK;
    }
}

enum status
chat_wait_taking(struct chat *chat, struct chat_wait *wait, chat_take_fn *take,
                 void *context, struct error *err)
{
    TRY(chat_wait(chat, wait, err));
    if (wait->wake != CHAT_EVENT)
        return STATUS_OK;
    enum status status = take(context, &wait->event, err);

    event_release(&wait->event);
    return status;
}
