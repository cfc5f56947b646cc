/* fathom history tag: the words by which a chat is found again. */
#include "config.h"

#include "app/exit_code.h"
#include "app/history/history_common.h"

#include <string.h>

struct tag_settings {
    struct unlock_settings unlock;
    bool remove;
};

/* All words that were given, or none. */
static enum status
change(struct buffer *tags, const struct tag_settings *settings,
       const struct option_list *operands, struct error *err)
{
    for (size_t i = 1; i < operands->count; i++) {
        struct text word = {operands->items[i], strlen(operands->items[i])};

        TRY(settings->remove ? tags_remove(tags, word, err)
                             : tags_add(tags, word, err));
    }
    return STATUS_OK;
}

static enum status
write_tags(struct vault_chat *chat, const struct buffer *tags,
           struct error *err)
{
    struct chat_info info = *vault_chat_info(chat);

    if (info.tags.length == tags->length &&
        (tags->length == 0 ||
         memcmp(info.tags.bytes, tags->data, tags->length) == 0))
        return STATUS_OK;
    info.tags = (struct text){tags->data, tags->length};
    return vault_chat_update(chat, &info, err);
}

/* One a line; a word that a terminal acts upon is no tag, but may look odd. */
static enum status
print_tags(struct buffer *out, struct text tags, struct error *err)
{
    struct text tag;

    while (tags_next(&tag, &tags)) {
        TRY(history_line(out, tag, err));
        TRY(buffer_append(out, "\n", 1, err));
    }
    return STATUS_OK;
}

static enum status
tag_chat(struct buffer *out, struct vault *vault,
         const struct tag_settings *settings,
         const struct option_list *operands, struct error *err)
{
    struct buffer tags = {0};
    struct vault_chat *chat;
    struct chat_id id;

    TRY(vault_find_chat(&id, vault, operands->items[0], err));
    TRY(vault_chat_open(&chat, vault, &id, err));
    struct text had = vault_chat_info(chat)->tags;
    enum status status = buffer_append(&tags, had.bytes, had.length, err);

    if (status == STATUS_OK)
        status = change(&tags, settings, operands, err);
    if (status == STATUS_OK)
        status = write_tags(chat, &tags, err);
    if (status == STATUS_OK && operands->count == 1)
        status = print_tags(out, (struct text){tags.data, tags.length}, err);
    buffer_release(&tags);
    vault_chat_close(chat);
    return status;
}

static int
run_tag(void *context, const struct option_list *operands)
{
    const struct tag_settings *settings = context;
    struct buffer out = {0};
    struct vault *vault;
    struct error err;
    int code;

    if (!history_open(&vault, &settings->unlock, false, operands->count == 1,
                      &code))
        return code;
    enum status status = tag_chat(&out, vault, settings, operands, &err);

    code = status == STATUS_OK ? history_print(&out) : history_failed(&err);
    buffer_release(&out);
    vault_close(vault);
    return code;
}

static const struct option options[] = {
    {"remove", 0, OPTION_FLAG, NULL, offsetof(struct tag_settings, remove), 0,
     0, "take the tags away"},
    UNLOCK_OPTIONS(struct tag_settings, unlock),
};

static const char *const usage[] = {"[--remove] ID [TAG]...", NULL};

const struct command command_history_tag = {
    .name = "tag",
    .manual = "fathom-history",
    .summary = "Give a chat tags; without one show those it has",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_NAME,
    .operands_least = 1,
    .operands_most = 1 + TAGS_MOST,
    .settings_bytes = sizeof(struct tag_settings),
    .run = run_tag,
};
