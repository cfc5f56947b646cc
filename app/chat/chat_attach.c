/* Commands that bring text from files into a message. */
#include "config.h"

#include "app/attachment.h"
#include "app/chat/chat_vault.h"
#include "app/chat/chat_verb.h"
#include "app/progress_text.h"
#include "app/question.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* -- documents that wait ----------------------------------------------------
 */

void
chat_drop_attached(struct chat *chat)
{
    buffer_release(&chat->attached.documents);
    chat->attached.count = 0;
}

static enum status
join(struct buffer *out, const struct chat *chat, const char *message,
     size_t length, struct error *err)
{
    const struct buffer *documents = &chat->attached.documents;

    TRY(buffer_append(out, documents->data, documents->length, err));
    return buffer_append(out, message, length, err);
}

static void
say_attached(struct chat *chat)
{
    const struct chat_attached *attached = &chat->attached;
    char list[1000] = "";

    for (size_t i = 0; i < attached->count; i++) {
        size_t used = strlen(list);

        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                 attached->names[i]);
    }
    if (attached->count == 0)
        chat_say(chat, "nothing goes with your next message");
    else
        chat_say(chat, "with your next message: %s; /attach none drops %s",
                 list, attached->count > 1 ? "them" : "it");
}

void
chat_send(struct chat *chat, const char *message, size_t length)
{
    struct buffer whole = {0};
    struct error err;

    if (chat->attached.count == 0) {
        (void) chat_ask(chat, message, length);
        return;
    }
    if (join(&whole, chat, message, length, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (chat_ask(chat, whole.data, whole.length))
        chat_drop_attached(chat);
    else if (!chat->quit)
        say_attached(chat); // it waits on
    buffer_release(&whole);
}

static enum status
add(struct chat_attached *attached, const char *name, struct text content,
    struct error *err)
{
    if (attached->count == CHAT_ATTACHED)
        return error_set(err, STATUS_LIMIT,
                         "%d documents wait already; /attach none drops them",
                         CHAT_ATTACHED);
    size_t length = strlen(name), most = sizeof attached->names[0] - 1;

    TRY(attachment_append(&attached->documents, name, content, err));
    length = utf8_complete_prefix(name, length < most ? length : most);
    snprintf(attached->names[attached->count++], sizeof attached->names[0],
             "%.*s", (int) length, name);
    return STATUS_OK;
}

void
chat_attach_text(struct chat *chat, const char *name, const char *bytes,
                 size_t length)
{
    struct buffer text = {0};
    char size[BYTES_TEXT];
    struct error err;
    enum status status = utf8_repair(&text, bytes, length, &err);

    if (status == STATUS_OK)
        status =
            add(&chat->attached, name, text_of(text.data, text.length), &err);
    buffer_release(&text);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_say(chat, "%s, %s, goes with your next message", name,
                 progress_bytes(size, (double) length));
}

static void
attach_file(struct chat *chat, const char *path)
{
    char expanded[PLACE_BYTES], name[ATTACHMENT_NAME_BYTES], size[BYTES_TEXT];
    struct buffer text = {0};
    struct error err;
    int code;

    if (!chat_expand_path(expanded, path)) {
        chat_say(chat, "the file's name is too long");
        return;
    }
    enum status status = question_read_file(&text, expanded, &code, &err);

    attachment_name(name, expanded);
    if (status == STATUS_OK)
        status = add(&chat->attached, name,
                     text_of(text.data ? text.data : "", text.length), &err);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_say(chat, "%s, %s, goes with your next message", name,
                 progress_bytes(size, (double) text.length));
    buffer_release(&text);
}

void
chat_run_attach(struct chat *chat, const char *arguments)
{
    char whole[PLACE_BYTES], path[PLACE_BYTES];
    const char *rest;

    if (*arguments == '\0') {
        say_attached(chat);
        return;
    }
    if (strcmp(arguments, "none") == 0) {
        chat_drop_attached(chat);
        say_attached(chat);
        return;
    }
    // a name with blanks, or several names
    if (chat_expand_path(whole, arguments) && access(whole, F_OK) == 0) {
        attach_file(chat, arguments);
        return;
    }
    for (; *arguments != '\0'; arguments = rest) {
        size_t length = chat_first_word(arguments, &rest);

        snprintf(path, sizeof path, "%.*s", (int) length, arguments);
        attach_file(chat, path);
    }
}

/* -- text into the message --------------------------------------------------
 */

/* The text is shown to be edited, and sent as it is then. */
static void
edit_and_send(struct chat *chat, const char *text)
{
    const char *line = chat_edit_line(chat, "you> ", text);
    struct buffer message = {0};
    struct error err;

    if (line == NULL || strspn(line, " \t\n") == strlen(line)) {
        chat_keep_given_up(chat, "");
        if (!chat->quit)
            chat_say(chat, "nothing was sent");
        return;
    }
    if (buffer_append(&message, line, strlen(line), &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_send(chat, message.data, message.length);
    buffer_release(&message);
}

void
chat_run_read(struct chat *chat, const char *arguments)
{
    char path[PLACE_BYTES], size[BYTES_TEXT];
    struct buffer text = {0};
    struct error err;
    int code;

    if (*arguments == '\0')
        chat_say_usage(chat, "read");
    else if (!chat_expand_path(path, arguments))
        chat_say(chat, "the file's name is too long");
    else if (question_read_file(&text, path, &code, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (text.length == 0)
        chat_say(chat, "the file is empty");
    else if (text.length > LINE_PASTE_BYTES || strlen(text.data) < text.length)
        chat_say(chat, "%s is too much to be edited; /attach sends it whole",
                 progress_bytes(size, (double) text.length));
    else
        edit_and_send(chat, text.data);
    buffer_release(&text);
}

/* Whether what was pasted ends with a line of one dot, which is taken off. */
static bool
ends_with_dot(struct buffer *text)
{
    if (text->length == 0 || text->data[text->length - 1] != '.' ||
        (text->length > 1 && text->data[text->length - 2] != '\n'))
        return false;
    text->data[text->length -= text->length > 1 ? 2 : 1] = '\0';
    return true;
}

/* Lines up to one with a dot; false: given up. */
static bool
read_paste(struct chat *chat, struct buffer *text)
{
    struct error err;
    const char *line;
    enum status status = STATUS_OK;

    while ((line = chat_edit_line(chat, "paste> ", "")) != NULL) {
        if (text->length > 0)
            status = buffer_append(text, "\n", 1, &err);
        if (status == STATUS_OK)
            status = buffer_append(text, line, strlen(line), &err);
        if (status == STATUS_OK && text->length > PROTOCOL_TEXT_BYTES)
            status = error_set(&err, STATUS_LIMIT, "that is too long");
        if (status != STATUS_OK) {
            chat_say(chat, "%s", err.text);
            return false;
        }
        if (ends_with_dot(text))
            return true;
    }
    chat_keep_given_up(chat, text->data ? text->data : "");
    return false;
}

void
chat_run_paste(struct chat *chat, const char *arguments)
{
    struct buffer text = {0};

    if (*arguments != '\0') {
        chat_say_usage(chat, "paste");
        return;
    }
    chat_say(chat, "paste or type lines, as many as you like; a line with a "
                   "dot alone sends them, ^C gives up");
    if (!read_paste(chat, &text)) {
        if (!chat->quit)
            chat_say(chat, "nothing was sent");
    } else if (strspn(text.data, " \t\n") == text.length) {
        chat_say(chat, "nothing was sent");
    } else {
        chat_send(chat, text.data, text.length);
    }
    buffer_release(&text);
}
