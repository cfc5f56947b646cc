/* fathom history pin and unpin: chats that prune leaves alone. */
#include "config.h"

#include "app/exit_code.h"
#include "app/history/history_common.h"

#include <stdlib.h>

struct pin_settings {
    struct unlock_settings unlock;
};

static enum status
find_all(struct chat_id **out, struct vault *vault,
         const struct option_list *operands, struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, operands->count * sizeof **out, err));
    *out = memory;
    for (size_t i = 0; i < operands->count; i++)
        TRY(vault_find_chat(&(*out)[i], vault, operands->items[i], err));
    return STATUS_OK;
}

static enum status
set_pinned(struct vault *vault, const struct chat_id *id, bool pinned,
           struct error *err)
{
    struct vault_chat *chat;

    TRY(vault_chat_open(&chat, vault, id, err));
    struct chat_info info = *vault_chat_info(chat);
    enum status status = STATUS_OK;

    if (info.pinned != pinned) {
        info.pinned = pinned;
        status = vault_chat_update(chat, &info, err);
    }
    vault_chat_close(chat);
    return status;
}

static int
pin(const struct pin_settings *settings, const struct option_list *operands,
    bool pinned)
{
    struct chat_id *ids = NULL;
    struct vault *vault;
    struct error err;
    int code;

    if (!history_open(&vault, &settings->unlock, false, false, &code))
        return code;
    enum status status = find_all(&ids, vault, operands, &err);

    for (size_t i = 0; i < operands->count && status == STATUS_OK; i++)
        status = set_pinned(vault, &ids[i], pinned, &err);
    code = status == STATUS_OK ? EXIT_SUCCESS : history_failed(&err);
    free(ids);
    vault_close(vault);
    return code;
}

static int
run_pin(void *settings, const struct option_list *operands)
{
    return pin(settings, operands, true);
}

static int
run_unpin(void *settings, const struct option_list *operands)
{
    return pin(settings, operands, false);
}

static const struct option options[] = {
    UNLOCK_OPTIONS(struct pin_settings, unlock),
};

static const char *const usage[] = {"ID...", NULL};

const struct command command_history_pin = {
    .name = "pin",
    .manual = "fathom-history",
    .summary = "Keep chats, however old, when others are pruned",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_NAME,
    .operands_least = 1,
    .operands_most = 1000,
    .settings_bytes = sizeof(struct pin_settings),
    .run = run_pin,
};

const struct command command_history_unpin = {
    .name = "unpin",
    .manual = "fathom-history",
    .summary = "Do not keep them any more",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_NAME,
    .operands_least = 1,
    .operands_most = 1000,
    .settings_bytes = sizeof(struct pin_settings),
    .run = run_unpin,
};
