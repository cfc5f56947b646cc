/*
 * fathom history export: chats to a file, in clear text or under a passphrase
 * of its own. Chat by chat, so that no more than one is in memory.
 */
#include "config.h"

#include "app/vault/audit.h"
#include "app/exit_code.h"
#include "app/history/history_common.h"
#include "app/history/history_export.h"
#include "app/notice.h"
#include "app/output.h"
#include "app/policy.h"
#include "ui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct export_settings {
    struct unlock_settings unlock;
    bool read_only, yes, all, with_thinking, branches, encrypted;
    const char *format, *output, *kdf;
};

/* An export in the making. */
struct export
{
    const struct export_settings *settings;
    struct export_how how;
    struct vault *vault;
    struct chat_id *ids;
    size_t count;
    struct output output;
    struct sealed_export *sealing; // NULL: clear text
    struct buffer plain, sealed;
};

/* -- what is asked for -------------------------------------------------------
 */

/* --format, else the ending of the file's name. */
static bool
choose_format(struct export_how *how, const struct export_settings *settings)
{
    how->format = EXPORT_JSON;
    if (settings->format)
        return history_export_find(&how->format, settings->format);
    if (settings->encrypted ||
        text_ends_with(settings->output, strlen(settings->output), ".json"))
        return true;
    how->format = EXPORT_MARKDOWN;
    if (text_ends_with(settings->output, strlen(settings->output), ".md"))
        return true;
    how->format = EXPORT_HTML;
    return text_ends_with(settings->output, strlen(settings->output),
                          ".html") ||
           text_ends_with(settings->output, strlen(settings->output), ".htm");
}

/* A sentence about what does not go together, or NULL. */
static const char *
check(struct export_how *how, const struct export_settings *settings,
      const struct option_list *operands)
{
    if (settings->output == NULL)
        return "say where to: -o FILE, or -o - for standard output";
    if (settings->all && operands->count > 0)
        return "--all means all chats; leave the IDs out, or --all";
    if (!settings->all && operands->count == 0)
        return "say which chats: their IDs, or --all";
    if (!choose_format(how, settings))
        return "say in which format: --format=md, json or html";
    if (settings->encrypted && how->format != EXPORT_JSON)
        return "an encrypted export holds JSON; leave --format out";
    if (settings->kdf && !settings->encrypted)
        return "--kdf is for an encrypted export";
    if (settings->encrypted && strcmp(settings->output, "-") == 0 &&
        isatty(STDOUT_FILENO))
        return "an encrypted export is nothing for a terminal; -o FILE";
    how->with_thinking = settings->with_thinking || settings->encrypted;
    how->all_branches = settings->branches;
    return NULL;
}

/* The one place that lets clear text out into a file. */
static bool
allow_plain(const struct export *export, int *code)
{
    struct error err;
    char question[160];

    if (export->settings->encrypted)
        return true;
    if (policy_forbids_plain_export()) {
        enum status refused = policy_refusal(&err, "an export in clear text",
                                             "export.plaintext = deny");

        notice_error("%s", err.text);
        *code = exit_code_of(refused);
        return false;
    }
    snprintf(question, sizeof question,
             "Write %zu %s in clear text, for whoever gets the file to read?",
             export->count, history_chats_word(export->count));
    return history_confirm(question, export->settings->yes,
                           export->settings->unlock.source.no_input, code);
}

static enum status
choose_chats(struct export *export, const struct option_list *operands,
             struct error *err)
{
    struct history_list list = {0};
    void *memory;
    enum status status = STATUS_OK;

    if (export->settings->all)
        status = history_collect(&list, export->vault, err);
    size_t count = export->settings->all ? list.count : operands->count;

    if (status == STATUS_OK)
        status = memory_alloc(&memory, (count + 1) * sizeof *export->ids, err);
    if (status == STATUS_OK)
        export->ids = memory;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (export->settings->all)
            export->ids[i] = list.chats[i].info.id;
        else
            status = vault_find_chat(&export->ids[i], export->vault,
                                     operands->items[i], err);
        export->count += status == STATUS_OK;
    }
    history_list_release(&list);
    return status;
}

/* -- writing -----------------------------------------------------------------
 */

/* What is ready goes to the file, sealed where it is to be. */
static enum status
flush(struct export *export, struct error *err)
{
    struct buffer *ready = &export->plain;

    if (export->sealing) {
        TRY(sealed_export_write(export->sealing, &export->sealed,
                                export->plain.data, export->plain.length, err));
        buffer_clear(&export->plain);
        ready = &export->sealed;
    }
    enum status status =
        printer_put(export->output.descriptor, ready->data, ready->length, err);

    buffer_clear(ready);
    return status;
}

static enum status
write_chat(struct export *export, size_t number, struct error *err)
{
    struct export_chat chat = {0};
    struct vault_chat *opened;
    char id[CHAT_ID_TEXT];

    TRY(vault_chat_open(&opened, export->vault, &export->ids[number], err));
    chat.info = vault_chat_info(opened);
    chat.turns = vault_chat_turns(opened, &chat.count);
    chat_id_text(id, &chat.info->id);
    chat.id = id;
    enum status status =
        history_export_chat(&export->plain, &export->how, &chat, number, err);

    vault_chat_close(opened);
    return status == STATUS_OK ? flush(export, err) : status;
}

static enum status
write_all(struct export *export, struct error *err)
{
    uint64_t now_ms = (uint64_t) time(NULL) * 1000;

    TRY(history_export_begin(&export->plain, &export->how, now_ms, err));
    for (size_t i = 0; i < export->count; i++)
        TRY(write_chat(export, i, err));
    TRY(history_export_end(&export->plain, &export->how, err));
    TRY(flush(export, err));
    if (export->sealing) {
        TRY(sealed_export_finish(export->sealing, &export->sealed, err));
        TRY(flush(export, err));
    }
    return output_commit(&export->output, err);
}

/* An event for the audit, before anything is out. */
static enum status
record(const struct export *export, struct error *err)
{
    static const char *const formats[] = {[EXPORT_MARKDOWN] = "md",
                                          [EXPORT_JSON] = "json",
                                          [EXPORT_HTML] = "html"};
    char detail[80];

    snprintf(detail, sizeof detail, "%s, %zu %s",
             export->settings->encrypted ? "encrypted"
                                         : formats[export->how.format],
             export->count, history_chats_word(export->count));
    return audit_record(export->settings->read_only ? NULL : export->vault,
                        "export", detail, err);
}

static bool
begin_sealing(struct export *export, int *code)
{
    struct secret *passphrase = NULL;
    struct kdf_cost cost;
    struct error err;

    if (!export->settings->encrypted)
        return true;
    enum status status = unlock_cost(&cost, export->settings->kdf, code, &err);

    if (status != STATUS_OK) {
        notice_error("%s", err.text);
        return false;
    }
    status = passphrase_ask_new(&passphrase, &export->settings->unlock.source,
                                "Passphrase for the export: ", &err);
    if (status == STATUS_OK)
        status = sealed_export_begin(&export->sealing, &export->sealed,
                                     passphrase, &cost, &err);
    secret_close(passphrase);
    if (status != STATUS_OK)
        *code = history_failed(&err);
    return status == STATUS_OK;
}

static int
write_out(struct export *export)
{
    struct error err;
    enum status status = record(export, &err);

    if (status == STATUS_OK)
        status = write_all(export, &err);
    if (status == STATUS_LIMIT && export->output.is_new) {
        notice_error("%s", err.text);
        return EXIT_CANT_CREATE;
    }
    return status == STATUS_OK ? EXIT_SUCCESS : history_failed(&err);
}

/* With the vault open: asks, then writes. */
static int
run_open(struct export *export, const struct option_list *operands)
{
    struct error err;
    int code;

    if (choose_chats(export, operands, &err) != STATUS_OK)
        return history_failed(&err);
    if (export->count == 0) {
        notice_error("there are no chats to export");
        return EXIT_FAILURE;
    }
    if (!allow_plain(export, &code) || !begin_sealing(export, &code))
        return code;
    return write_out(export);
}

static void
release(struct export *export)
{
    sealed_export_close(export->sealing);
    output_close(&export->output);
    buffer_release(&export->plain);
    buffer_release(&export->sealed);
    free(export->ids);
    vault_close(export->vault);
}

static int
run_export(void *context, const struct option_list *operands)
{
    struct export export = {.settings = context};
    const char *problem = check(&export.how, export.settings, operands);
    struct error err;
    int code;

    if (problem) {
        notice_error("%s (%s --help tells more)", problem,
                     notice_speaker_name());
        return EXIT_USAGE;
    }
    // a name that is taken is told before anything is asked
    if (output_open_new(&export.output, export.settings->output, &err) !=
        STATUS_OK) {
        notice_error("%s", err.text);
        return EXIT_CANT_CREATE;
    }
    if (history_open(&export.vault, &export.settings->unlock,
                     export.settings->read_only, false, &code))
        code = run_open(&export, operands);
    if (code == EXIT_SUCCESS && export.output.path)
        notice_note("%zu %s written, %s", export.count,
                    history_chats_word(export.count),
                    export.settings->encrypted ? "encrypted"
                                               : "in clear text, mode 0600");
    release(&export);
    return code;
}

static const struct option options[] = {
    {NULL, 'o', OPTION_FILE, "FILE", offsetof(struct export_settings, output),
     0, 0, "a new file; - is standard output"},
    {"format", 0, OPTION_CHOICE, "md|json|html",
     offsetof(struct export_settings, format), 0, 0,
     "else the ending of FILE says it"},
    {"all", 0, OPTION_FLAG, NULL, offsetof(struct export_settings, all), 0, 0,
     "all chats"},
    {"with-thinking", 0, OPTION_FLAG, NULL,
     offsetof(struct export_settings, with_thinking), 0, 0,
     "what was thought, too"},
    {"branches", 0, OPTION_FLAG, NULL,
     offsetof(struct export_settings, branches), 0, 0,
     "all branches (JSON has them anyhow)"},
    {"encrypted", 0, OPTION_FLAG, NULL,
     offsetof(struct export_settings, encrypted), 0, 0,
     "JSON with all, under a passphrase of its own"},
    {"kdf", 0, OPTION_CHOICE, "least|moderate|sensitive",
     offsetof(struct export_settings, kdf), 0, 0,
     "what trying that passphrase costs"},
    HISTORY_YES(struct export_settings),
    HISTORY_READ_ONLY(struct export_settings),
    UNLOCK_OPTIONS(struct export_settings, unlock),
};

static const char *const usage[] = {
    "-o FILE [OPTION]... ID...",
    "-o FILE [OPTION]... --all",
    "-o FILE --encrypted [OPTION]... ID... | --all",
    NULL,
};

const struct command command_history_export = {
    .name = "export",
    .manual = "fathom-history",
    .summary = "Write chats to a new file",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_NAME,
    .operands_most = 1000,
    .settings_bytes = sizeof(struct export_settings),
    .run = run_export,
};
