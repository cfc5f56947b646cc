/* fathom model verify and list: whose word there is for models. */
#include "config.h"

#include "app/app.h"
#include "app/model/cmd_model.h"
#include "app/model/model_store.h"
#include "app/progress_text.h"
#include "app/report.h"
#include "ui/ui.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUOTED_BYTES = 300, SIGNER_BYTES = 200 };

struct verify_settings {
    const char *key;
    bool json;
};

struct list_settings {
    bool json;
};

static json_t *
signers_json(const struct model_check *check)
{
    json_t *array = json_array();

    for (size_t i = 0; i < check->signers; i++) {
        const struct model_signer *signer = &check->signer[i];
        char date[11];
        bool is_past;
        json_t *object =
            json_pack("{s:s, s:s, s:s}", "name", signer->name, "key",
                      signer->id, "comment", signer->comment);

        if (model_signer_expiry(signer, date, &is_past))
            json_object_set_new(object, "expires", json_string(date));
        json_array_append_new(array, object);
    }
    return array;
}

static void
hash_text(char out[2 * MANIFEST_HASH_BYTES + 1],
          const struct model_check *check)
{
    for (size_t i = 0; i < MANIFEST_HASH_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", check->hash[i]);
}

/* -- verify ------------------------------------------------------------------
 */

static json_t *
verified_json(const struct model_check *check)
{
    const struct manifest *manifest = &check->manifest;
    char hash[2 * MANIFEST_HASH_BYTES + 1];

    hash_text(hash, check);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:o}", "schema",
                     "fathom.model/1", "name", manifest->head[MANIFEST_MODEL],
                     "family", manifest->head[MANIFEST_FAMILY], "licence",
                     manifest->head[MANIFEST_LICENCE], "folder", check->folder,
                     "files", (json_int_t) manifest->files, "bytes",
                     (json_int_t) manifest_bytes(manifest), "manifest", hash,
                     "signed_by", signers_json(check));
}

static enum status
verified_lines(struct buffer *out, const struct model_check *check,
               struct error *err)
{
    const struct manifest *manifest = &check->manifest;
    char bytes[BYTES_TEXT], hash[2 * MANIFEST_HASH_BYTES + 1],
        signer[SIGNER_BYTES];

    hash_text(hash, check);
    TRY(buffer_print(out, err, "%s: %zu file%s, %s, as in manifest %.16s\n",
                     manifest->head[MANIFEST_MODEL], manifest->files,
                     manifest->files == 1 ? "" : "s",
                     progress_bytes(bytes, (double) manifest_bytes(manifest)),
                     hash));
    for (size_t i = 0; i < check->signers; i++) {
        model_signer_text(signer, sizeof signer, &check->signer[i]);
        TRY(buffer_print(out, err, "signed by %s: %s\n", signer,
                         check->signer[i].comment));
    }
    return STATUS_OK;
}

static enum status
verify(struct model_check *check, const struct verify_settings *s,
       const char *asked, struct error *err)
{
    char folder[PLACE_BYTES];
    struct model_trust *trust = NULL;
    void *memory = NULL;
    enum status status = model_store_folder(folder, asked, err);

    if (status == STATUS_OK && s->key) {
        status = memory_alloc(&memory, sizeof *trust, err);
        trust = memory;
        if (status == STATUS_OK)
            status = model_trust_only(trust, s->key, err);
    }
    if (status == STATUS_OK)
        status = model_check_open(check, folder, VERIFY_SIGNED, trust, err);
    free(memory);
    return status == STATUS_OK ? model_check_contents(check, true, err)
                               : status;
}

static enum status
print_verified(const struct model_check *check, bool json, struct error *err)
{
    struct buffer text = {0};
    enum status status = json ? report_print(&text, verified_json(check),
                                             isatty(STDOUT_FILENO), err)
                              : verified_lines(&text, check, err);

    if (status == STATUS_OK)
        status =
            json ? printer_put(STDOUT_FILENO, text.data, text.length, err)
                 : printer_print(STDOUT_FILENO, text.data, text.length, err);
    buffer_release(&text);
    return status;
}

static int
run_verify(void *settings, const struct option_list *operands)
{
    const struct verify_settings *s = settings;
    struct model_check check = {0};
    struct error err;
    int code = EXIT_SUCCESS;
    enum status status = signals_start(SIGNALS_ASK, &err);

    if (status == STATUS_OK)
        status = verify(&check, s, operands->items[0], &err);
    if (status == STATUS_CANCELLED)
        code = EXIT_SIGNAL + 2;
    else if (status != STATUS_OK)
        code = status == STATUS_IO ? EXIT_NO_INPUT : exit_code_of(status);
    if (status == STATUS_OK) {
        status = print_verified(&check, s->json, &err);
        code = status == STATUS_OK ? EXIT_SUCCESS : EXIT_CANT_WRITE;
    }
    if (status != STATUS_OK)
        notice_error("%s", err.text);
    model_check_release(&check);
    return code;
}

/* -- list --------------------------------------------------------------------
 */

enum { NAME_COLUMNS = 60 }; // a longer name is out of line

struct listing {
    struct buffer text;
    size_t width; // of the longest name
    json_t *array;
    const struct model_trust *trust;
    struct error err;
    enum status status;
};

/* What is known of one model without reading it. */
struct entry {
    const char *name;
    char path[PLACE_BYTES];
    uint64_t bytes;
    struct model_check check;
    bool has_manifest, is_current;
    char why[200]; // it is not vouched for
};

static void
look_at(struct entry *out, const char *name, const struct model_trust *trust)
{
    char folder[PLACE_BYTES];
    struct stat file;
    struct error err;

    *out = (struct entry){.name = name};
    if (places_model(out->path, name, &err) != STATUS_OK)
        return;
    if (stat(out->path, &file) == 0)
        out->bytes = (uint64_t) file.st_size;
    if (model_store_folder(folder, name, &err) != STATUS_OK)
        return;
    if (model_check_open(&out->check, folder, VERIFY_RECEIPTS, trust, &err) ==
        STATUS_OK) {
        out->has_manifest = true;
        out->bytes = manifest_bytes(&out->check.manifest);
        out->is_current = model_check_has_receipt(&out->check);
        return;
    }
    snprintf(out->why, sizeof out->why, "%.199s", err.text);
}

static const char *
state_of(const struct entry *entry)
{
    if (!entry->has_manifest)
        return entry->check.text.length > 0 ? "refused" : "no manifest";
    return entry->is_current ? "as checked" : "not checked yet";
}

static enum status
add_line(struct buffer *out, size_t width, const struct entry *entry,
         struct error *err)
{
    char bytes[BYTES_TEXT], signer[SIGNER_BYTES] = "nobody who is trusted";

    if (entry->check.signers > 0)
        model_signer_text(signer, sizeof signer, &entry->check.signer[0]);
    TRY(buffer_print(out, err, "%-*s %8s  %s", (int) width, entry->name,
                     progress_bytes(bytes, (double) entry->bytes),
                     state_of(entry)));
    if (entry->has_manifest)
        TRY(buffer_print(out, err, ", signed by %s", signer));
    return buffer_print(out, err, "\n");
}

static json_t *
entry_json(const struct entry *entry)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:I, s:s}", "name", entry->name, "file", entry->path,
        "bytes", (json_int_t) entry->bytes, "state", state_of(entry));
    char hash[2 * MANIFEST_HASH_BYTES + 1];

    if (entry->has_manifest) {
        hash_text(hash, &entry->check);
        json_object_set_new(object, "manifest", json_string(hash));
        json_object_set_new(object, "signed_by", signers_json(&entry->check));
    } else if (entry->check.text.length > 0) {
        json_object_set_new(object, "why", json_string(entry->why));
    }
    return object;
}

static void
add_model(void *context, const char *name)
{
    struct listing *listing = context;
    struct entry *entry;
    void *memory;

    if (listing->status == STATUS_OK)
        listing->status = memory_alloc(&memory, sizeof *entry, &listing->err);
    if (listing->status != STATUS_OK)
        return;
    entry = memory;
    look_at(entry, name, listing->trust);
    if (listing->array)
        json_array_append_new(listing->array, entry_json(entry));
    else
        listing->status =
            add_line(&listing->text, listing->width, entry, &listing->err);
    model_check_release(&entry->check);
    free(entry);
}

static void
measure_name(void *context, const char *name)
{
    struct listing *listing = context;
    size_t width = strlen(name);

    if (width > listing->width && width <= NAME_COLUMNS)
        listing->width = width;
}

static enum status
list(struct listing *listing, struct error *err)
{
    enum status status;

    places_each_model(measure_name, listing);
    places_each_model(add_model, listing);
    if (listing->status != STATUS_OK) {
        *err = listing->err;
        return listing->status;
    }
    if (listing->array == NULL)
        return listing->text.length > 0
                   ? printer_print(STDOUT_FILENO, listing->text.data,
                                   listing->text.length, err)
                   : STATUS_OK;
    status = report_print(&listing->text, json_incref(listing->array),
                          isatty(STDOUT_FILENO), err);
    return status == STATUS_OK ? printer_put(STDOUT_FILENO, listing->text.data,
                                             listing->text.length, err)
                               : status;
}

static int
run_list(void *settings, const struct option_list *operands)
{
    const struct list_settings *s = settings;
    struct listing listing = {0};
    struct error err;
    void *memory = NULL;
    int code = EXIT_DENIED;
    enum status status = memory_alloc(&memory, sizeof *listing.trust, &err);

    (void) operands;
    if (status == STATUS_OK)
        status = model_trust_read(memory, &err);
    if (status != STATUS_OK && status != STATUS_DENIED)
        code = exit_code_of(status);
    listing.trust = memory;
    if (s->json)
        listing.array = json_array();
    if (status == STATUS_OK) {
        status = list(&listing, &err);
        code = status == STATUS_OK ? EXIT_SUCCESS : EXIT_CANT_WRITE;
    }
    if (status != STATUS_OK)
        notice_error("%s", err.text);
    json_decref(listing.array);
    buffer_release(&listing.text);
    free(memory);
    return code;
}

static const struct option verify_options[] = {
    {"key", 0, OPTION_FILE, "FILE", offsetof(struct verify_settings, key), 0, 0,
     "trust this public key alone, not those that are installed"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct verify_settings, json), 0, 0,
     "print a JSON object"},
};

static const char *const verify_usage[] = {"[--key=FILE] [--json] MODEL|DIR",
                                           NULL};

const struct command command_model_verify = {
    .name = "verify",
    .manual = "fathom-model",
    .summary = "Check a model's signature and every byte of it",
    .usage = verify_usage,
    OPTIONS(verify_options),
    .operand = OPERAND_MODEL,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct verify_settings),
    .run = run_verify,
};

static const struct option list_options[] = {
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct list_settings, json), 0, 0,
     "print a JSON array"},
};

static const char *const list_usage[] = {"[--json]", NULL};

const struct command command_model_list = {
    .name = "list",
    .manual = "fathom-model",
    .summary = "List the models that have a name, and who signed them",
    .usage = list_usage,
    OPTIONS(list_options),
    .settings_bytes = sizeof(struct list_settings),
    .run = run_list,
};
