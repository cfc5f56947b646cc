/* Texts of chats go to standard output only; sentences hold none. */
#include "config.h"

#include "app/history/history_common.h"

#include "app/exit_code.h"
#include "app/chat/keeping.h"
#include "app/notice.h"
#include "app/policy.h"
#include "ui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
history_failed(const struct error *err)
{
    notice_error("%s", err->text);
    return err->status == STATUS_CANCELLED ? EXIT_SIGNAL + 2
                                           : exit_code_of(err->status);
}

/* What was sealed since the last unlock belongs to the history. */
static void
take_inbox(struct vault *vault)
{
    size_t taken = 0, refused = 0;
    struct error err;

    if (keeping_take_inbox(vault, &taken, &refused, &err) != STATUS_OK)
        notice_note("%s", err.text);
    if (taken > 0)
        notice_note("%zu sealed %s taken in", taken,
                    taken == 1 ? "answer was" : "answers were");
    if (refused > 0)
        notice_note("%zu %s in the inbox not from here, and left there",
                    refused, refused == 1 ? "file was" : "files were");
}

bool
history_open(struct vault **out, const struct unlock_settings *settings,
             bool read_only, bool prints, int *code)
{
    struct error err;

    *out = NULL;
    if (prints && policy_forbids_plain_export() && !isatty(STDOUT_FILENO)) {
        enum status refused =
            policy_refusal(&err, "text out of the vault, but to a terminal,",
                           "export.plaintext = deny");

        *code = exit_code_of(refused);
        notice_error("%s", err.text);
        return false;
    }
    if (unlock_vault(out, settings, read_only ? VAULT_READ : VAULT_WRITE, code,
                     &err) == STATUS_OK) {
        if (!read_only)
            take_inbox(*out);
        return true;
    }
    notice_error("%s", err.text);
    return false;
}

/* -- lists -------------------------------------------------------------------
 */

struct collecting {
    struct history_list *list;
    enum status status;
    struct error *err;
};

static enum status
grow(struct history_list *list, struct error *err)
{
    size_t capacity = list->capacity ? 2 * list->capacity : 64;
    void *memory;

    if (list->count < list->capacity)
        return STATUS_OK;
    TRY(memory_alloc(&memory, capacity * sizeof *list->chats, err));
    if (list->count > 0)
        memcpy(memory, list->chats, list->count * sizeof *list->chats);
    free(list->chats);
    list->chats = memory;
    list->capacity = capacity;
    return STATUS_OK;
}

static enum status
copy(struct text *out, struct buffer *to, struct text text, struct error *err)
{
    *out = (struct text){0};
    if (text.length == 0)
        return STATUS_OK;
    TRY(buffer_append(to, text.bytes, text.length, err));
    *out = (struct text){to->data, to->length};
    return STATUS_OK;
}

static enum status
add(struct history_list *list, const struct chat_info *info, struct error *err)
{
    TRY(grow(list, err));
    struct history_chat *chat = &list->chats[list->count++];

    *chat = (struct history_chat){.info = *info};
    chat_id_text(chat->id, &info->id);
    // the texts are lent: without memory for copies there are none
    chat->info.title = chat->info.system = chat->info.model = chat->info.tags =
        (struct text){0};
    TRY(copy(&chat->info.title, &chat->title, info->title, err));
    TRY(copy(&chat->info.system, &chat->system, info->system, err));
    TRY(copy(&chat->info.model, &chat->model, info->model, err));
    return copy(&chat->info.tags, &chat->tags, info->tags, err);
}

static bool
collect(void *context, const struct chat_info *info)
{
    struct collecting *collecting = context;

    collecting->status = add(collecting->list, info, collecting->err);
    return collecting->status == STATUS_OK;
}

enum status
history_collect(struct history_list *out, struct vault *vault,
                struct error *err)
{
    struct collecting collecting = {out, STATUS_OK, err};

    *out = (struct history_list){0};
    TRY(vault_each_chat(vault, collect, &collecting, err));
    return collecting.status;
}

void
history_chat_release(struct history_chat *chat)
{
    buffer_release(&chat->title);
    buffer_release(&chat->system);
    buffer_release(&chat->model);
    buffer_release(&chat->tags);
}

void
history_list_release(struct history_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        history_chat_release(&list->chats[i]);
    free(list->chats);
    *list = (struct history_list){0};
}

/* -- asking ------------------------------------------------------------------
 */

static bool
read_yes(void)
{
    char line[80];
    ssize_t n = read(STDIN_FILENO, line, sizeof line);

    return n > 0 && (line[0] == 'y' || line[0] == 'Y');
}

bool
history_confirm(const char *question, bool yes, bool no_input, int *code)
{
    char text[400];

    if (yes)
        return true;
    if (no_input || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        notice_error("there is nobody to ask; --yes says that it is meant");
        *code = EXIT_USAGE;
        return false;
    }
    int n = snprintf(text, sizeof text, "%s [y/N] ", question);

    if (write(STDERR_FILENO, text, (size_t) n) == n && read_yes())
        return true;
    notice_note("nothing was done");
    *code = EXIT_FAILURE;
    return false;
}

/* -- showing -----------------------------------------------------------------
 */

enum status
history_line(struct buffer *out, struct text text, struct error *err)
{
    struct sanitiser sanitiser = {0};
    size_t start = out->length;

    if (text.length > 0)
        TRY(sanitiser_write(&sanitiser, out, text.bytes, text.length, err));
    TRY(sanitiser_finish(&sanitiser, out, err));
    for (size_t i = start; i < out->length; i++)
        if (out->data[i] == '\n' || out->data[i] == '\t')
            out->data[i] = ' ';
    return STATUS_OK;
}

enum { CONTEXT_BYTES = 400 };

struct history_context
history_context_of(struct text all, size_t at, size_t length)
{
    size_t start = at, stop = at + length;
    size_t first = start > CONTEXT_BYTES ? start - CONTEXT_BYTES : 0;
    size_t last =
        all.length - stop > CONTEXT_BYTES ? stop + CONTEXT_BYTES : all.length;

    // whole characters
    while (first < start && (all.bytes[first] & 0xC0) == 0x80)
        first++;
    while (last > stop && last < all.length && (all.bytes[last] & 0xC0) == 0x80)
        last--;
    for (size_t i = start; i > first; i--)
        if (all.bytes[i - 1] == '\n') {
            first = i;
            break;
        }
    const char *line_end = memchr(all.bytes + stop, '\n', last - stop);

    if (line_end)
        last = (size_t) (line_end - all.bytes);
    return (struct history_context){{all.bytes + first, start - first},
                                    {all.bytes + start, length},
                                    {all.bytes + stop, last - stop}};
}

size_t
history_columns(struct text line)
{
    size_t columns = 0;
    uint32_t c;
    bool valid;

    for (size_t i = 0; i < line.length;) {
        i += utf8_next(line.bytes + i, line.length - i, &c, &valid);
        columns += text_width_of(c);
    }
    return columns;
}

/* Bytes of a line that fit, and the columns that these take. */
static size_t
fit(struct text line, size_t columns, size_t *used)
{
    size_t at = 0;
    uint32_t c;
    bool valid;

    for (*used = 0; at < line.length;) {
        size_t n = utf8_next(line.bytes + at, line.length - at, &c, &valid);

        if (*used + text_width_of(c) > columns)
            break;
        *used += text_width_of(c);
        at += n;
    }
    return at;
}

static enum status
put_cell(struct buffer *out, struct text line, size_t columns,
         struct error *err)
{
    static const char dots[] = "...";
    size_t used, length = fit(line, columns, &used), mark = 0;

    if (length < line.length && columns > strlen(dots)) {
        mark = strlen(dots);
        length = fit(line, columns - mark, &used);
    }
    TRY(buffer_append(out, line.bytes, length, err));
    TRY(buffer_append(out, dots, mark, err));
    return buffer_print(out, err, "%*s", (int) (columns - used - mark), "");
}

enum status
history_cell(struct buffer *out, struct text text, size_t columns,
             struct error *err)
{
    struct buffer line = {0};
    enum status status = history_line(&line, text, err);

    if (status == STATUS_OK)
        status = put_cell(
            out, (struct text){line.data ? line.data : "", line.length},
            columns, err);
    buffer_release(&line);
    return status;
}

int
history_print(struct buffer *text)
{
    struct error err;
    enum status status =
        text->length == 0
            ? STATUS_OK
            : printer_put(STDOUT_FILENO, text->data, text->length, &err);

    buffer_release(text);
    return status == STATUS_OK ? EXIT_SUCCESS : history_failed(&err);
}

const char *
history_chats_word(size_t count)
{
    return count == 1 ? "chat" : "chats";
}
