/* What /history does to chats that are kept: titles, tags, pins, files. */
#include "config.h"

#include "app/chat/chat_title.h"
#include "app/chat/chat_verb.h"
#include "ui/ui.h"

#include <stdio.h>
#include <string.h>

/* Whether this is the chat that is open here. */
static bool
is_open(const struct chat *chat, const struct chat_id *id)
{
    const struct vault_chat *open = chat->keeping.chat;

    return open != NULL &&
           memcmp(&vault_chat_info(open)->id, id, sizeof *id) == 0;
}

/* Another title, tag or pin: what *info says then is written. */
typedef enum status change_fn(struct chat_info *info, void *value,
                              struct error *err);

static enum status
change(struct chat *chat, const struct chat_id *id, change_fn *fn, void *value,
       struct error *err)
{
    struct vault_chat *kept = chat->keeping.chat;
    bool open = is_open(chat, id);

    if (!open)
        TRY(vault_chat_open(&kept, chat->keeping.vault, id, err));
    struct chat_info info = *vault_chat_info(kept);

    enum status status = fn(&info, value, err);

    if (status == STATUS_OK)
        status = vault_chat_update(kept, &info, err);
    if (!open)
        vault_chat_close(kept);
    return status;
}

static enum status
set_title(struct chat_info *info, void *value, struct error *err)
{
    (void) err;
    info->title = text_of(value, strlen(value));
    return STATUS_OK;
}

static enum status
set_pinned(struct chat_info *info, void *value, struct error *err)
{
    (void) err;
    info->pinned = *(const bool *) value;
    return STATUS_OK;
}

struct tagging {
    struct text typed;
    struct buffer tags; // what comes of it
};

static enum status
set_tags(struct chat_info *info, void *value, struct error *err)
{
    struct tagging *t = value;

    TRY(buffer_append(&t->tags, info->tags.bytes, info->tags.length, err));
    TRY(tags_change(&t->tags, t->typed, err));
    info->tags = (struct text){t->tags.data, t->tags.length};
    return STATUS_OK;
}

static enum status
tag(struct chat *chat, const struct chat_id *id, const char *words,
    struct error *err)
{
    struct tagging t = {.typed = text_of(words, strlen(words))};

    if (is_open(chat, id)) {
        TRY(chat_set_tags(chat, words, err));
        chat_say_tags(chat, conversation_text(&chat->conversation.tags));
        return STATUS_OK;
    }
    enum status status = change(chat, id, set_tags, &t, err);

    if (status == STATUS_OK)
        chat_say_tags(chat, conversation_text(&t.tags));
    if (status == STATUS_OK)
        chat->face->moved(chat);
    buffer_release(&t.tags);
    return status;
}

static enum status
retitle(struct chat *chat, const struct chat_id *id, const char *text,
        struct error *err)
{
    char title[CHAT_TITLE_BYTES];

    if (chat_title(title, text_of(text, strlen(text))) == 0)
        return error_set(err, STATUS_FORMAT,
                         "a title is missing: /history title ID TEXT");
    if (is_open(chat, id)) {
        TRY(conversation_set_title(&chat->conversation, title, err));
        chat_moved(chat);
    } else {
        TRY(change(chat, id, set_title, title, err));
        chat->face->moved(chat);
    }
    chat_say(chat, "the title is \"%s\"", title);
    return STATUS_OK;
}

enum status
chat_set_pinned(struct chat *chat, const struct chat_id *id, bool pinned,
                struct error *err)
{
    return change(chat, id, set_pinned, &pinned, err);
}

static enum status
pin(struct chat *chat, const struct chat_id *id, bool pinned, struct error *err)
{
    TRY(chat_set_pinned(chat, id, pinned, err));
    chat_say(chat, pinned ? "pinned: fathom history prune leaves it alone"
                          : "not pinned any more");
    return STATUS_OK;
}

/* The user is asked, with the chat's title. */
static enum status
delete_kept(struct chat *chat, const struct chat_id *id, struct error *err)
{
    char question[300], title[200];
    struct vault_chat *kept;

    if (is_open(chat, id))
        return error_set(err, STATUS_LIMIT,
                         "that is the chat you are in; /forget deletes it");
    TRY(vault_chat_open(&kept, chat->keeping.vault, id, err));
    struct text text = vault_chat_info(kept)->title;

    text_quote(title, sizeof title, text.bytes, text.length);
    vault_chat_close(kept);
    snprintf(question, sizeof question, "Delete \"%s\"?", title);
    if (!chat_confirm(chat, question, false)) {
        chat_say(chat, "nothing was deleted");
        return STATUS_OK;
    }
    TRY(vault_delete_chat(chat->keeping.vault, id, err));
    chat_say(chat, "deleted");
    return STATUS_OK;
}

void
chat_change_kept(struct chat *chat, const char *arguments)
{
    const char *id, *rest;
    struct chat_id found;
    struct error err;
    char word[80];

    chat_first_word(arguments, &id);
    snprintf(word, sizeof word, "%.*s", (int) chat_first_word(id, &rest), id);
    bool title = chat_is_word(arguments, "title");
    bool tags = chat_is_word(arguments, "tag");
    bool export = chat_is_word(arguments, "export");

    if (*word == '\0' || (!title && !tags && !export && *rest != '\0')) {
        chat_say_usage(chat, "history");
        return;
    }
    enum status status =
        vault_find_chat(&found, chat->keeping.vault, word, &err);

    if (status == STATUS_OK && title)
        status = retitle(chat, &found, rest, &err);
    else if (status == STATUS_OK && tags)
        status = tag(chat, &found, rest, &err);
    else if (status == STATUS_OK && export)
        chat_export_kept(chat, is_open(chat, &found) ? NULL : &found, rest);
    else if (status == STATUS_OK && chat_is_word(arguments, "delete"))
        status = delete_kept(chat, &found, &err);
    else if (status == STATUS_OK)
        status = pin(chat, &found, chat_is_word(arguments, "pin"), &err);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
}
