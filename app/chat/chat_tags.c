/* /tag: the words by which this chat is found again. */
#include "config.h"

#include "app/chat/chat_verb.h"

#include <string.h>

void
chat_say_tags(struct chat *chat, struct text tags)
{
    if (tags.length == 0)
        chat_say(chat, "it has no tags");
    else
        chat_say(chat, "its tags: %.*s", (int) tags.length, tags.bytes);
}

enum status
chat_set_tags(struct chat *chat, const char *typed, struct error *err)
{
    struct conversation *c = &chat->conversation;
    struct buffer tags = {0};
    enum status status =
        buffer_append(&tags, c->tags.data, c->tags.length, err);

    if (status == STATUS_OK)
        status = tags_change(&tags, text_of(typed, strlen(typed)), err);
    if (status != STATUS_OK) {
        buffer_release(&tags);
        return status;
    }
    buffer_release(&c->tags);
    c->tags = tags;
    chat_moved(chat);
    return STATUS_OK;
}

void
chat_run_tag(struct chat *chat, const char *arguments)
{
    struct error err;

    if (*arguments != '\0' && chat_set_tags(chat, arguments, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_say_tags(chat, conversation_text(&chat->conversation.tags));
}
