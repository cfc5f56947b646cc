/*
 * Text of a chat that goes elsewhere: to the clipboard of the terminal, and
 * blocks of code to files. Blocks are counted in the last answer, as they are
 * on the screen.
 */
#include "config.h"

#include "app/chat/chat_file.h"
#include "app/chat/chat_verb.h"
#include "app/options.h"
#include "app/policy.h"
#include "app/vault/audit.h"
#include "ui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LAYOUT_COLUMNS = 80, LABEL_BYTES = 24 };

/* -- blocks of code ---------------------------------------------------------
 */

/* The last answer as a document; NULL: there is none, *err is not filled. */
static enum status
open_answer(struct document **out, const struct chat *chat, size_t answer,
            struct error *err)
{
    const struct buffer *content = &chat->conversation.turns[answer].content;
    enum status status = document_open(out, DOCUMENT_MARKDOWN, err);

    TRY(status);
    if (content->length > 0)
        status = document_append(*out, content->data, content->length, err);
    if (status == STATUS_OK)
        status = document_finish(*out, err);
    if (status == STATUS_OK)
        status = document_layout(*out, LAYOUT_COLUMNS, err);
    if (status == STATUS_OK)
        return STATUS_OK;
    document_close(*out);
    *out = NULL;
    return status;
}

static size_t
count_lines(const struct document_code *code)
{
    size_t lines = 0;

    for (size_t i = 0; i < code->length; i++)
        lines += code->text[i] == '\n';
    return lines + (code->length > 0 && code->text[code->length - 1] != '\n');
}

/* "code 1, c, 3 lines; /copy 1 or /save 1 FILE" */
static void
say_code(struct chat *chat, const struct document_code *code, size_t number)
{
    char label[LABEL_BYTES], copy[40] = "";
    size_t lines = count_lines(code);

    text_quote(label, sizeof label, code->label, strcspn(code->label, " \t"));
    if (chat_may_copy(chat))
        snprintf(copy, sizeof copy, "/copy %zu or ", number);
    chat_say(chat, "code %zu, %s%s%zu line%s; %s/save %zu FILE", number, label,
             *label ? ", " : "", lines, lines == 1 ? "" : "s", copy, number);
}

void
chat_say_codes(struct chat *chat, size_t answer)
{
    struct document *document;
    struct error err;

    if (open_answer(&document, chat, answer, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    for (size_t n = 1; n <= document_code_count(document); n++) {
        struct document_code code = document_code(document, n);

        say_code(chat, &code, n);
    }
    document_close(document);
}

/* A block of code: "2", of the last answer, or "7.2", of that of turn 7. */
struct code_name {
    size_t answer; // TURN_NONE: there is none
    uint64_t number;
};

static bool
read_code_name(struct code_name *out, const struct conversation *c,
               const char *word)
{
    const char *dot = strchr(word, '.');
    uint64_t turn;
    char before[24];

    out->answer = conversation_answered(c);
    if (dot == NULL)
        return option_read_count(word, &out->number);
    snprintf(before, sizeof before, "%.*s", (int) (dot - word), word);
    if (!option_read_count(before, &turn) ||
        !option_read_count(dot + 1, &out->number))
        return false;
    out->answer = turn == 0 ? TURN_NONE : conversation_numbered(c, turn);
    if (out->answer != TURN_NONE && c->turns[out->answer].role != TURN_ANSWER)
        out->answer = TURN_NONE;
    return true;
}

/* A block's source; false: there is none, and the user was told. */
static bool
take_code(struct chat *chat, struct buffer *out, const struct code_name *name)
{
    struct document *document = NULL;
    struct error err;
    enum status status = STATUS_OK;
    size_t count = 0;

    if (name->answer != TURN_NONE)
        status = open_answer(&document, chat, name->answer, &err);
    if (document != NULL)
        count = document_code_count(document);
    bool found = name->number > 0 && name->number <= count;

    if (found) {
        struct document_code code =
            document_code(document, (size_t) name->number);

        status = buffer_append(out, code.text, code.length, &err);
    }
    document_close(document);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (name->answer == TURN_NONE)
        chat_say(chat, "there is no such answer");
    else if (!found)
        chat_say(chat, "that answer has %zu block%s of code", count,
                 count == 1 ? "" : "s");
    return status == STATUS_OK && found;
}

/* -- the clipboard ----------------------------------------------------------
 */

static enum passage
passage(void)
{
    return passage_of(getenv("TERM"), getenv("TMUX"), getenv("STY"));
}

bool
chat_may_copy(const struct chat *chat)
{
    return settings_screen().clipboard && !chat->terminal.dumb &&
           passage() != PASSAGE_BLOCKED;
}

/* The terminal is asked; whether it does it cannot be known. */
static enum status
send_to_clipboard(const char *text, size_t length, struct error *err)
{
    struct buffer bytes = {0};

    if (screen_is_open())
        return screen_copy(text, length, err);
    enum status status = clipboard_bytes(&bytes, passage(), text, length, err);

    if (status == STATUS_OK)
        status = printer_put(STDOUT_FILENO, bytes.data, bytes.length, err);
    buffer_release(&bytes);
    return status;
}

static void
copy_text(struct chat *chat, const char *what, const struct buffer *text)
{
    struct error err;

    if (policy_forbids_clipboard()) {
        audit_refusal(chat->keeping.vault, "clipboard = off");
        (void) !policy_refusal(&err, "nothing was copied", "clipboard = off");
        chat_say(chat, "%s", err.text);
    } else if (!settings_screen().clipboard) {
        chat_say(chat, "nothing was copied: ui.clipboard is off");
    } else if (!chat_may_copy(chat)) {
        chat_say(chat, "nothing was copied: this terminal has no clipboard "
                       "for programs; /save and /export write files");
    } else if (text->length == 0) {
        chat_say(chat, "nothing was copied: it is empty");
    } else if (send_to_clipboard(text->data, text->length, &err) != STATUS_OK) {
        chat_say(chat, "nothing was copied: %s", err.text);
    } else {
        chat_say(chat, "%s is in the clipboard, if the terminal takes it",
                 what);
    }
}

/* A question or an answer, as in an export. */
static enum status
add_turn(struct buffer *out, const struct turn *turn, struct error *err)
{
    TRY(buffer_print(out, err, "%s**%s**\n\n", out->length > 0 ? "\n" : "",
                     turn->role == TURN_QUESTION ? "you" : "fathom"));
    TRY(buffer_append(out, turn->content.data ? turn->content.data : "",
                      turn->content.length, err));
    return buffer_append(out, "\n", 1, err);
}

/* The branch in use, or the last turn of it. */
static enum status
add_turns(struct buffer *out, const struct conversation *c, bool all,
          struct error *err)
{
    size_t *path, count;

    TRY(conversation_path(&path, &count, c, err));
    size_t first = all || count < 2 ? 0 : count - 2;
    enum status status = STATUS_OK;

    for (size_t i = first; i < count && status == STATUS_OK; i++)
        status = add_turn(out, &c->turns[path[i]], err);
    free(path);
    return status;
}

static void
copy_turns(struct chat *chat, bool all)
{
    struct buffer text = {0};
    struct error err;

    if (add_turns(&text, &chat->conversation, all, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        copy_text(chat, all ? "the branch in use" : "the last turn", &text);
    buffer_release(&text);
}

static void
copy_code(struct chat *chat, const struct code_name *name)
{
    struct buffer code = {0};
    char what[40];

    snprintf(what, sizeof what, "code %llu", (unsigned long long) name->number);
    if (take_code(chat, &code, name))
        copy_text(chat, what, &code);
    buffer_release(&code);
}

void
chat_run_copy(struct chat *chat, const char *arguments)
{
    const struct conversation *c = &chat->conversation;
    size_t answer = conversation_answered(c);
    struct code_name name;

    if (answer == TURN_NONE)
        chat_say(chat, "there is no answer yet");
    else if (*arguments == '\0')
        copy_text(chat, "the last answer", &c->turns[answer].content);
    else if (strcmp(arguments, "think") == 0)
        copy_text(chat, "the last thought", &c->turns[answer].thinking);
    else if (strcmp(arguments, "turn") == 0)
        copy_turns(chat, false);
    else if (strcmp(arguments, "all") == 0)
        copy_turns(chat, true);
    else if (read_code_name(&name, c, arguments))
        copy_code(chat, &name);
    else
        chat_say_usage(chat, "copy");
}

/* -- files ------------------------------------------------------------------
 */

/* What leaves the vault in the clear is recorded first. */
static bool
may_save(struct chat *chat)
{
    struct error err;

    if (policy_forbids_plain_export()) {
        audit_refusal(chat->keeping.vault, "export.plaintext = deny");
        (void) !policy_refusal(&err, "a file in clear text",
                               "export.plaintext = deny");
        chat_say(chat, "%s", err.text);
        return false;
    }
    if (chat->keeping.kind != KEEPING_VAULT ||
        audit_record(chat->keeping.vault, "export", "code", &err) == STATUS_OK)
        return true;
    chat_say(chat, "%s", err.text);
    return false;
}

void
chat_run_save(struct chat *chat, const char *arguments)
{
    char word[48], path[PLACE_BYTES];
    struct buffer code = {0};
    struct code_name name;
    const char *file;

    snprintf(word, sizeof word, "%.*s", (int) chat_first_word(arguments, &file),
             arguments);
    if (*file == '\0' || !read_code_name(&name, &chat->conversation, word))
        chat_say_usage(chat, "save");
    else if (!chat_expand_path(path, file))
        chat_say(chat, "the file's name is too long");
    else if (take_code(chat, &code, &name) && may_save(chat))
        chat_save_file(chat, path, &code);
    buffer_release(&code);
}
