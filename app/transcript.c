/* Markdown goes through the sanitiser, JSON escapes what it must. */
#include "config.h"

#include "app/transcript.h"

#include "app/output.h"
#include "app/report.h"
#include "ui/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { QUOTED_BYTES = 300 };

static void
today(char out[32])
{
    time_t now = time(NULL);
    struct tm local;

    localtime_r(&now, &local);
    strftime(out, 32, "%Y-%m-%d %H:%M", &local);
}

/* Every line of a thought is quoted, so that it cannot pass for the answer. */
static enum status
print_quoted(struct buffer *out, const struct buffer *text, struct error *err)
{
    const char *at = text->data, *end = text->data + text->length;

    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t) (end - at));
        const char *stop = line_end ? line_end : end;

        TRY(buffer_append(out, "> ", 2, err));
        TRY(buffer_append(out, at, (size_t) (stop - at), err));
        TRY(buffer_append(out, "\n", 1, err));
        at = stop + 1;
    }
    return buffer_append(out, "\n", 1, err);
}

static enum status
print_section(struct buffer *out, const char *heading,
              const struct buffer *text, struct error *err)
{
    TRY(buffer_print(out, err, "## %s\n\n", heading));
    TRY(buffer_append(out, text->data, text->length, err));
    return buffer_print(out, err, "\n\n");
}

static enum status
print_turn(struct buffer *out, const struct turn *turn, bool with_thinking,
           struct error *err)
{
    if (turn->role == TURN_QUESTION)
        return print_section(out, "You", &turn->content, err);
    if (with_thinking && turn->thinking.length > 0) {
        TRY(buffer_print(out, err, "## Thinking\n\n"));
        TRY(print_quoted(out, &turn->thinking, err));
    }
    return print_section(out, turn->complete ? "fathom" : "fathom (incomplete)",
                         &turn->content, err);
}

/* The branch in use. */
static enum status
print_turns(struct buffer *out, const struct conversation *c,
            bool with_thinking, struct error *err)
{
    size_t *path, count;
    enum status status = conversation_path(&path, &count, c, err);

    TRY(status);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = print_turn(out, &c->turns[path[i]], with_thinking, err);
    free(path);
    return status;
}

static enum status
print_markdown(struct buffer *out, const struct conversation *c,
               const char *model, bool with_thinking, struct error *err)
{
    struct buffer raw = {0};
    struct sanitiser sanitiser = {0};
    char date[32];

    today(date);
    enum status status =
        buffer_print(&raw, err, "# Conversation with %s, %s\n\n", model, date);
    if (status == STATUS_OK && c->system.length > 0)
        status = print_section(&raw, "System", &c->system, err);
    if (status == STATUS_OK)
        status = print_turns(&raw, c, with_thinking, err);
    if (status == STATUS_OK)
        status = sanitiser_write(&sanitiser, out, raw.data, raw.length, err);
    if (status == STATUS_OK)
        status = sanitiser_finish(&sanitiser, out, err);
    buffer_release(&raw);
    return status;
}

static json_t *
string_in(const struct buffer *text)
{
    return json_stringn(text->data ? text->data : "", text->length);
}

static json_t *
message_of(const struct turn *turn, bool with_thinking)
{
    if (turn->role == TURN_QUESTION)
        return json_pack("{s:s, s:o}", "role", "user", "content",
                         string_in(&turn->content));
    json_t *answer =
        json_pack("{s:s, s:o, s:b}", "role", "assistant", "content",
                  string_in(&turn->content), "complete", turn->complete);

    if (with_thinking && turn->thinking.length > 0)
        json_object_set_new(answer, "reasoning", string_in(&turn->thinking));
    return answer;
}

static enum status
print_json(struct buffer *out, const struct conversation *c, const char *model,
           bool with_thinking, struct error *err)
{
    size_t *path, count;
    char date[32];

    TRY(conversation_path(&path, &count, c, err));
    json_t *messages = json_array();

    today(date);
    if (c->system.length > 0)
        json_array_append_new(messages,
                              json_pack("{s:s, s:o}", "role", "system",
                                        "content", string_in(&c->system)));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(messages,
                              message_of(&c->turns[path[i]], with_thinking));
    free(path);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:o}", "schema",
                             "fathom.chat/1", "created", date, "model", model,
                             "build", PACKAGE_STRING, "messages", messages);

    if (json == NULL)
        return error_set(err, STATUS_NOMEM, "out of memory for the export");
    return report_print(out, json, true, err);
}

enum status
transcript_print(struct buffer *out, const struct conversation *c,
                 enum transcript_format format, const char *model,
                 bool with_thinking, struct error *err)
{
    if (format == TRANSCRIPT_JSON)
        return print_json(out, c, model, with_thinking, err);
    return print_markdown(out, c, model, with_thinking, err);
}

/* A new file, or one that takes the place of another as a whole. */
static enum status
open_target(struct output *out, const char *path, bool replace, bool *exists,
            struct error *err)
{
    char shown[QUOTED_BYTES];

    if (replace)
        return output_open(out, path, err);
    *out = (struct output){.owned = true};
    out->descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out->descriptor >= 0)
        return STATUS_OK;
    out->owned = false;
    *exists = errno == EEXIST;
    text_quote(shown, sizeof shown, path, strlen(path));
    if (*exists)
        return error_set(err, STATUS_IO, "%s exists", shown);
    return error_errno(err, "cannot create %s", shown);
}

enum status
transcript_save(const char *path, bool replace, const struct buffer *text,
                bool *exists, struct error *err)
{
    struct output output;

    *exists = false;
    TRY(open_target(&output, path, replace, exists, err));
    enum status status =
        printer_put(output.descriptor, text->data, text->length, err);

    // a file that is replaced becomes as private as a new one
    if (status == STATUS_OK && fchmod(output.descriptor, 0600) < 0)
        status = error_errno(err, "cannot make the export private");
    if (status == STATUS_OK)
        status = output_commit(&output, err);
    output_close(&output);
    return status;
}
