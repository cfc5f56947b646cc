/*
 * fathom history import: chats from a document. It is read to its end before
 * the first chat goes into the vault, and each chat goes in as a whole.
 */
#include "config.h"

#include "app/vault/audit.h"
#include "app/exit_code.h"
#include "app/history/history_common.h"
#include "app/history/history_import.h"
#include "app/notice.h"
#include "app/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    IMPORT_BYTES = 1 << 30, // of a document
    READ_BYTES = 1 << 20,
    SHOWN_BYTES = 300,
};

struct import_settings {
    struct unlock_settings unlock;
    bool json;
};

/* A document, and what came of it. */
struct import {
    const struct import_settings *settings;
    char shown[SHOWN_BYTES]; // its name
    struct buffer bytes, plain;
    struct history_import *reader;
    size_t chats, turns, known, empty;
};

/* -- the document ------------------------------------------------------------
 */

static enum status
too_large(const char *shown, struct error *err)
{
    return error_set(err, STATUS_LIMIT, "%s is larger than %d MiB", shown,
                     IMPORT_BYTES >> 20);
}

static enum status
read_all(struct buffer *out, int descriptor, const char *shown,
         struct error *err)
{
    struct stat file;

    // not read to be refused
    if (fstat(descriptor, &file) == 0 && S_ISREG(file.st_mode) &&
        file.st_size > IMPORT_BYTES)
        return too_large(shown, err);
    for (;;) {
        TRY(buffer_reserve(out, READ_BYTES, err));
        ssize_t got =
            fault_due() ? (errno = EIO, -1)
                        : read(descriptor, out->data + out->length, READ_BYTES);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, "cannot read %s", shown);
        if (got == 0)
            return STATUS_OK;
        out->length += (size_t) got;
        out->data[out->length] = '\0';
        if (out->length > IMPORT_BYTES)
            return too_large(shown, err);
    }
}

static enum status
read_file(struct import *import, const char *path, struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    int descriptor =
        standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    text_quote(import->shown, sizeof import->shown,
               standard ? "standard input" : path,
               strlen(standard ? "standard input" : path));
    if (descriptor < 0)
        return error_errno(err, "cannot open %s", import->shown);
    enum status status =
        read_all(&import->bytes, descriptor, import->shown, err);

    if (!standard)
        close(descriptor);
    return status;
}

static enum status
named(const struct import *import, enum status status, const struct error *why,
      struct error *err)
{
    return error_set(err, status, "%s: %s", import->shown, why->text);
}

/* Reads all chats once; nothing is kept but what they are. */
static enum status
check(struct import *import, struct text document, struct error *err)
{
    const struct import_chat *chat;
    struct error why;
    enum status status = history_import_open(&import->reader, document, &why);

    if (status != STATUS_OK)
        return named(import, status, &why, err);
    do {
        status = history_import_next(&chat, import->reader, &why);
        if (status != STATUS_OK)
            return named(import, status, &why, err);
    } while (chat != NULL);
    history_import_rewind(import->reader);
    return STATUS_OK;
}

static enum status
unseal(struct import *import, struct error *err)
{
    struct secret *passphrase = NULL;
    struct error why;

    TRY(passphrase_ask(&passphrase, &import->settings->unlock.source,
                       "Passphrase of the export: ", err));
    enum status status =
        sealed_export_open(&import->plain, import->bytes.data,
                           import->bytes.length, passphrase, &why);

    secret_close(passphrase);
    buffer_release(&import->bytes);
    if (status != STATUS_OK)
        return named(import, status, &why, err);
    return check(import,
                 (struct text){import->plain.data, import->plain.length}, err);
}

/* -- into the vault ----------------------------------------------------------
 */

static bool
is_known(struct vault *vault, const struct chat_id *id)
{
    static const struct chat_id none;
    char text[CHAT_ID_TEXT];
    struct chat_id found;
    struct error err;

    chat_id_text(text, id);
    return memcmp(id, &none, sizeof none) != 0 &&
           vault_find_chat(&found, vault, text, &err) == STATUS_OK;
}

static enum status
put_chat(struct import *import, struct vault *vault,
         const struct import_chat *chat, struct error *err)
{
    struct chat_info info = chat->info;

    if (chat->count == 0 || is_known(vault, &info.id)) {
        ++*(chat->count == 0 ? &import->empty : &import->known);
        return STATUS_OK;
    }
    // of what has no time at all, it is known when it came
    if (info.created_ms == 0)
        info.created_ms = (uint64_t) time(NULL) * 1000;
    if (info.used_ms == 0)
        info.used_ms = info.created_ms;
    TRY(vault_import_chat(vault, &info, chat->turns, chat->count, err));
    import->chats++;
    import->turns += chat->count;
    return STATUS_OK;
}

static enum status
put_all(struct import *import, struct vault *vault, struct error *err)
{
    const struct import_chat *chat;

    TRY(history_import_next(&chat, import->reader, err));
    while (chat != NULL) {
        TRY(put_chat(import, vault, chat, err));
        TRY(history_import_next(&chat, import->reader, err));
    }
    return STATUS_OK;
}

static int
report_json(const struct import *import)
{
    struct buffer out = {0};
    struct error err;
    json_t *json = json_pack(
        "{s:s, s:s, s:i, s:i, s:i, s:i}", "schema", "fathom.import/1", "from",
        history_import_format(import->reader), "chats", (int) import->chats,
        "turns", (int) import->turns, "already_there", (int) import->known,
        "empty", (int) import->empty);
    enum status status =
        json ? report_print(&out, json, isatty(STDOUT_FILENO), &err)
             : error_set(&err, STATUS_NOMEM, "out of memory for the report");
    int code = status == STATUS_OK ? history_print(&out) : history_failed(&err);

    buffer_release(&out);
    return code;
}

static int
report(const struct import *import)
{
    struct buffer out = {0};
    struct error err;

    if (import->settings->json)
        return report_json(import);
    enum status status =
        buffer_print(&out, &err, "imported %zu %s with %zu messages from %s",
                     import->chats, history_chats_word(import->chats),
                     import->turns, history_import_format(import->reader));

    if (status == STATUS_OK && import->known > 0)
        status =
            buffer_print(&out, &err, "; %zu were there already", import->known);
    if (status == STATUS_OK && import->empty > 0)
        status = buffer_print(&out, &err, "; %zu were empty", import->empty);
    if (status == STATUS_OK)
        status = buffer_print(&out, &err, "\n");
    int code = status == STATUS_OK ? history_print(&out) : history_failed(&err);

    buffer_release(&out);
    return code;
}

static int
put_and_report(struct import *import, struct vault *vault)
{
    struct error err;
    enum status status = audit_record(
        vault, "import", history_import_format(import->reader), &err);

    if (status == STATUS_OK)
        status = put_all(import, vault, &err);

    if (status == STATUS_OK)
        return report(import);
    int code = history_failed(&err);

    notice_error("%zu %s imported before that, and nothing of the next one",
                 import->chats, import->chats == 1 ? "chat was" : "chats were");
    return code;
}

static int
run_with_document(struct import *import)
{
    bool sealed = sealed_export_is(import->bytes.data, import->bytes.length);
    enum status status = STATUS_OK;
    struct vault *vault = NULL;
    struct error err;
    int code;

    if (!sealed)
        status = check(import,
                       (struct text){import->bytes.data, import->bytes.length},
                       &err);
    if (status != STATUS_OK)
        return history_failed(&err);
    if (!history_open(&vault, &import->settings->unlock, false, false, &code))
        return code;
    if (sealed)
        status = unseal(import, &err);
    code = status == STATUS_OK ? put_and_report(import, vault)
                               : history_failed(&err);
    vault_close(vault);
    return code;
}

static int
run_import(void *context, const struct option_list *operands)
{
    struct import import = {.settings = context};
    struct error err;
    enum status status = read_file(&import, operands->items[0], &err);
    int code;

    if (status == STATUS_IO) {
        notice_error("%s", err.text);
        code = EXIT_NO_INPUT;
    } else if (status != STATUS_OK) {
        code = history_failed(&err);
    } else {
        code = run_with_document(&import);
    }
    history_import_close(import.reader);
    buffer_release(&import.bytes);
    buffer_release(&import.plain);
    return code;
}

static const struct option options[] = {
    HISTORY_JSON(struct import_settings),
    UNLOCK_OPTIONS(struct import_settings, unlock),
};

static const char *const usage[] = {"[--json] FILE | -", NULL};

const struct command command_history_import = {
    .name = "import",
    .manual = "fathom-history",
    .summary = "Take chats in: fathom's exports, OpenAI's, and logs of llm",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct import_settings),
    .run = run_import,
};
