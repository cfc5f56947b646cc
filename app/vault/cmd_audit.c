/* fathom audit: what was done with the vault, and whether that is all. */
#include "config.h"

#include "app/app.h"
#include "app/vault/audit.h"
#include "app/output.h"
#include "app/question.h"
#include "app/report.h"
#include "app/time_text.h"
#include "app/vault/unlock.h"
#include "ui/ui.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { QUOTED_BYTES = 300 };

struct audit_settings {
    struct unlock_settings unlock;
    const char *output;
    bool json;
};

/* What a walk over the events collects. */
struct walk {
    struct buffer text;
    json_t *array; // NULL: lines
    struct audit_chain chain;
    uint64_t first_ms, last_ms;
    bool exports;
    enum status status;
    struct error err;
};

static void
add_line(struct walk *walk, uint64_t number, uint64_t time_ms,
         const char *event, const char *detail)
{
    char when[TIME_TEXT];

    walk->status = buffer_print(&walk->text, &walk->err, "%6llu  %s  %s%s%s\n",
                                (unsigned long long) number,
                                time_text_local(when, time_ms), event,
                                *detail ? ": " : "", detail);
}

static void
add_object(struct walk *walk, uint64_t number, uint64_t time_ms,
           const char *event, const char *detail)
{
    char when[TIME_TEXT];

    json_array_append_new(
        walk->array, json_pack("{s:I, s:s, s:s, s:s}", "n", (json_int_t) number,
                               "time", time_text_utc(when, time_ms), "event",
                               event, "detail", detail));
}

static bool
take_event(void *context, uint64_t number, uint64_t time_ms, const char *event,
           const char *detail)
{
    struct walk *walk = context;

    if (walk->chain.number == 0)
        walk->first_ms = time_ms;
    walk->last_ms = time_ms;
    if (walk->exports) {
        walk->status = audit_chain_write(&walk->text, &walk->chain, number,
                                         time_ms, event, detail, &walk->err);
        return walk->status == STATUS_OK;
    }
    walk->chain.number = number;
    if (walk->array)
        add_object(walk, number, time_ms, event, detail);
    else
        add_line(walk, number, time_ms, event, detail);
    return walk->status == STATUS_OK;
}

/* Unlocks the vault and walks over its chain, which is checked on the way. */
static enum status
walk_vault(struct walk *walk, const struct audit_settings *s, int *code,
           struct error *err)
{
    struct vault *vault;

    TRY(unlock_vault(&vault, &s->unlock, audit_reading(), code, err));
    enum status status = vault_each_audit(vault, take_event, walk, err);

    vault_close(vault);
    if (status == STATUS_OK && walk->status != STATUS_OK) {
        *err = walk->err;
        status = walk->status;
    }
    *code = exit_code_of(status);
    return status;
}

static enum status
print_text(const struct buffer *text, int *code, struct error *err)
{
    *code = EXIT_CANT_WRITE;
    return printer_print(STDOUT_FILENO, text->data ? text->data : "",
                         text->length, err);
}

static enum status
show(struct walk *walk, const struct audit_settings *s,
     const struct option_list *operands, int *code, struct error *err)
{
    (void) operands;
    if (s->json)
        walk->array = json_array();
    TRY(walk_vault(walk, s, code, err));
    if (!s->json)
        return print_text(&walk->text, code, err);
    TRY(report_print(&walk->text, json_incref(walk->array),
                     isatty(STDOUT_FILENO), err));
    *code = EXIT_CANT_WRITE;
    return printer_put(STDOUT_FILENO, walk->text.data, walk->text.length, err);
}

/* -- verify ------------------------------------------------------------------
 */

static enum status
follow_file(struct walk *walk, const char *path, int *code, struct error *err)
{
    struct buffer text = {0};
    char shown[QUOTED_BYTES], why[600];
    enum status status = question_read_file(&text, path, code, err);

    TRY(status);
    text_quote(shown, sizeof shown, path, strlen(path));
    for (const char *at = text.data, *end = text.data + text.length;
         status == STATUS_OK && text.length > 0 && at < end;) {
        const char *stop = memchr(at, '\n', (size_t) (end - at));

        status = audit_chain_follow(&walk->chain, at,
                                    (size_t) ((stop ? stop : end) - at), err);
        at = stop ? stop + 1 : end;
    }
    buffer_release(&text);
    *code = exit_code_of(status);
    if (status == STATUS_OK)
        return status;
    snprintf(why, sizeof why, "%.599s", err->text);
    return error_set(err, status, "%s: %s", shown, why);
}

static enum status
verify(struct walk *walk, const struct audit_settings *s,
       const struct option_list *operands, int *code, struct error *err)
{
    struct buffer text = {0};
    unsigned long long count;

    walk->exports = true; // its links are what is printed
    if (operands->count > 0)
        TRY(follow_file(walk, operands->items[0], code, err));
    else
        TRY(walk_vault(walk, s, code, err));
    count = walk->chain.number;
    enum status status =
        buffer_print(&text, err, "%llu event%s, each bound to the one before\n",
                     count, count == 1 ? "" : "s");

    for (size_t i = 0; i < AUDIT_CHAIN_BYTES && status == STATUS_OK; i++)
        status = buffer_print(&text, err, "%s%02x",
                              i ? "" : "the last link: ", walk->chain.link[i]);
    if (status == STATUS_OK)
        status = buffer_print(&text, err, "\n");
    if (status == STATUS_OK)
        status = print_text(&text, code, err);
    buffer_release(&text);
    return status;
}

/* -- export ------------------------------------------------------------------
 */

static enum status
write_file(const struct walk *walk, const char *path, int *code,
           struct error *err)
{
    struct output output;

    *code = EXIT_CANT_CREATE;
    TRY(output_open(&output, path, err));
    *code = EXIT_CANT_WRITE;
    enum status status =
        printer_put(output.descriptor, walk->text.data ? walk->text.data : "",
                    walk->text.length, err);

    if (status == STATUS_OK)
        status = output_commit(&output, err);
    output_close(&output);
    return status;
}

static enum status
write_events(struct walk *walk, const struct audit_settings *s,
             const struct option_list *operands, int *code, struct error *err)
{
    (void) operands;
    walk->exports = true;
    TRY(walk_vault(walk, s, code, err));
    return write_file(walk, s->output, code, err);
}

/* -- the commands ------------------------------------------------------------
 */

typedef enum status audit_fn(struct walk *walk,
                             const struct audit_settings *settings,
                             const struct option_list *operands, int *code,
                             struct error *err);

static int
run(audit_fn *fn, void *settings, const struct option_list *operands)
{
    struct walk walk = {0};
    struct error err;
    int code = EXIT_INTERNAL;
    enum status status = fn(&walk, settings, operands, &code, &err);

    json_decref(walk.array);
    buffer_release(&walk.text);
    if (status == STATUS_OK)
        return EXIT_SUCCESS;
    notice_error("%s", err.text);
    return code;
}

static int
run_show(void *settings, const struct option_list *operands)
{
    return run(show, settings, operands);
}

static int
run_verify(void *settings, const struct option_list *operands)
{
    return run(verify, settings, operands);
}

static int
run_export(void *settings, const struct option_list *operands)
{
    return run(write_events, settings, operands);
}

static const struct option show_options[] = {
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct audit_settings, json), 0, 0,
     "print a JSON array"},
    UNLOCK_OPTIONS(struct audit_settings, unlock),
};

static const struct option verify_options[] = {
    UNLOCK_OPTIONS(struct audit_settings, unlock),
};

static const struct option export_options[] = {
    {NULL, 'o', OPTION_FILE, "FILE", offsetof(struct audit_settings, output), 0,
     0, "write to FILE, which appears when it is complete"},
    UNLOCK_OPTIONS(struct audit_settings, unlock),
};

static const char *const show_usage[] = {"[OPTIONS]", NULL};
static const char *const verify_usage[] = {"[OPTIONS] [FILE]", NULL};
static const char *const export_usage[] = {"[-o FILE] [OPTIONS]", NULL};

static const struct command command_audit_show = {
    .name = "show",
    .manual = "fathom-audit",
    .summary = "Show what was done with the vault",
    .usage = show_usage,
    OPTIONS(show_options),
    .settings_bytes = sizeof(struct audit_settings),
    .run = run_show,
};

static const struct command command_audit_verify = {
    .name = "verify",
    .manual = "fathom-audit",
    .summary = "Check that no event was changed or dropped",
    .usage = verify_usage,
    OPTIONS(verify_options),
    .operand = OPERAND_TEXT,
    .operands_most = 1,
    .settings_bytes = sizeof(struct audit_settings),
    .run = run_verify,
};

static const struct command command_audit_export = {
    .name = "export",
    .manual = "fathom-audit",
    .summary = "Write the events as JSON lines, each bound to the one before",
    .usage = export_usage,
    OPTIONS(export_options),
    .settings_bytes = sizeof(struct audit_settings),
    .run = run_export,
};

static const struct command *const verbs[] = {
    &command_audit_show, &command_audit_verify, &command_audit_export, NULL};
static const char *const usage[] = {"show|verify|export [OPTIONS]", NULL};

const struct command command_audit = {
    .name = "audit",
    .manual = "fathom-audit",
    .summary = "Show, check and export what was done with the vault",
    .usage = usage,
    .verbs = verbs,
};
