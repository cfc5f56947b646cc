/*
 * fathom model sign and keygen: manifests, signatures and keys as minisign's.
 */
#include "config.h"

#include "app/app.h"
#include "app/model/cmd_model.h"
#include "app/model/manifest_head.h"
#include "app/model/model_store.h"
#include "app/vault/passphrase.h"
#include "ui/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { QUOTED_BYTES = 300 };

struct sign_settings {
    const char *key, *as, *comment, *expires, *name, *family, *licence;
    struct passphrase_source source;
};

struct keygen_settings {
    struct passphrase_source source;
};

/* -- the key -----------------------------------------------------------------
 */

static enum status
read_key_text(struct buffer *out, const char *path, struct error *err)
{
    char shown[QUOTED_BYTES];
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    text_quote(shown, sizeof shown, path, strlen(path));
    if (file < 0)
        return error_errno(err, "cannot read the key %s", shown);
    enum status status = settings_read_text(out, file, shown, err);

    close(file);
    return status;
}

static enum status
unlock_key(struct secret **out, const struct buffer *text, const char *shown,
           const struct passphrase_source *source, struct error *err)
{
    struct secret *passphrase = NULL;
    char question[QUOTED_BYTES + 40];
    bool locked;

    snprintf(question, sizeof question, "Passphrase of %s: ", shown);
    TRY(passphrase_ask(&passphrase, source, question, err));
    enum status status = minisign_read_secret(out, &locked, shown, text->data,
                                              text->length, passphrase, err);

    secret_close(passphrase);
    return status;
}

static enum status
read_secret(struct secret **out, const struct sign_settings *s,
            struct error *err)
{
    char shown[QUOTED_BYTES];
    struct buffer text = {0};
    bool locked = false;
    enum status status = read_key_text(&text, s->key, err);

    *out = NULL;
    text_quote(shown, sizeof shown, s->key, strlen(s->key));
    if (status == STATUS_OK)
        status = minisign_read_secret(out, &locked, shown, text.data,
                                      text.length, NULL, err);
    if (status == STATUS_OK && locked)
        status = unlock_key(out, &text, shown, &s->source, err);
    buffer_release(&text);
    return status;
}

/* -- the manifest ------------------------------------------------------------
 */

/* One that is there must still be right before it is signed once more. */
static enum status
take_manifest(struct model_check *check, const char *folder, struct error *err)
{
    static const struct model_trust nobody;

    TRY(model_check_open(check, folder, VERIFY_RECEIPTS, &nobody, err));
    return model_check_contents(check, true, err);
}

static enum status
make_manifest(struct model_check *check, const char *folder,
              const struct sign_settings *s, struct error *err)
{
    struct manifest_head head = {
        .name = s->name, .family = s->family, .licence = s->licence};
    char path[PLACE_BYTES + 20];

    *check = (struct model_check){0};
    snprintf(check->folder, sizeof check->folder, "%s", folder);
    TRY(manifest_head_fill(&check->manifest, folder, &head, err));
    struct manifest_work work = model_check_work("reading the model", 0);

    TRY(manifest_build(&check->manifest, folder, NULL, &work, err));
    TRY(manifest_write(&check->text, &check->manifest, err));
    snprintf(path, sizeof path, "%s/" MANIFEST_NAME, folder);
    return model_store_write_new(path, 0644, check->text.data,
                                 check->text.length, err);
}

static enum status
get_manifest(struct model_check *check, const char *folder,
             const struct sign_settings *s, struct error *err)
{
    char path[PLACE_BYTES + 20];

    snprintf(path, sizeof path, "%s/" MANIFEST_NAME, folder);
    if (access(path, F_OK) == 0 || errno != ENOENT) {
        if (s->name || s->family || s->licence)
            return error_set(err, STATUS_UNSUPPORTED,
                             "there is a MANIFEST already, whose head stays as "
                             "it is; without it, --name, --family and "
                             "--licence say what a new one holds");
        return take_manifest(check, folder, err);
    }
    return make_manifest(check, folder, s, err);
}

/* -- the signature -----------------------------------------------------------
 */

static enum status
comment_of(char *out, size_t size, const struct sign_settings *s,
           struct error *err)
{
    int n = snprintf(out, size,
                     "timestamp:%lld\tfile:" MANIFEST_NAME "\thashed%s%s%s%s",
                     (long long) time(NULL), s->expires ? "\texpires:" : "",
                     s->expires ? s->expires : "", s->comment ? "\t" : "",
                     s->comment ? s->comment : "");

    if (n < 0 || (size_t) n >= size)
        return error_set(err, STATUS_LIMIT, "the comment is too long");
    return STATUS_OK;
}

static bool
is_date(const char *text)
{
    static const char form[] = "0000-00-00";

    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9'
                           : text[i] != form[i])
            return false;
    return true;
}

/* MANIFEST.minisig, or that of a second signer. */
static enum status
signature_path(char *out, size_t size, const char *folder,
               const struct sign_settings *s, struct error *err)
{
    if (s->as && (!model_store_is_name(s->as) || strlen(s->as) > 40))
        return error_set(err, STATUS_UNSUPPORTED,
                         "--as takes a short name, which becomes part of the "
                         "signature's file name");
    if (snprintf(out, size, "%s/" MANIFEST_NAME "%s%s.minisig", folder,
                 s->as ? "." : "", s->as ? s->as : "") >= (int) size)
        return error_set(err, STATUS_LIMIT, "a path is too long");
    if (access(out, F_OK) == 0)
        return error_set(err, STATUS_BUSY,
                         "there is a signature already: %s; --as=NAME puts "
                         "another beside it",
                         out);
    return STATUS_OK;
}

static enum status
check_options(const struct sign_settings *s, struct error *err)
{
    if (s->key == NULL)
        return error_set(err, STATUS_UNSUPPORTED,
                         "-s FILE names the secret key to sign with");
    if (s->expires && !is_date(s->expires))
        return error_set(err, STATUS_UNSUPPORTED,
                         "--expires takes a date such as 2027-12-31");
    return STATUS_OK;
}

static enum status
sign(const struct sign_settings *s, const char *asked, struct error *err)
{
    char folder[PLACE_BYTES], path[PLACE_BYTES], comment[600];
    struct model_check check = {0};
    struct buffer text = {0};
    struct secret *key = NULL;
    struct stat file;

    TRY(check_options(s, err));
    if (realpath(asked, folder) == NULL || stat(folder, &file) < 0)
        return error_errno(err, "cannot read %.300s", asked);
    if (!S_ISDIR(file.st_mode))
        return error_set(err, STATUS_IO,
                         "what is signed is the folder of a model, with all "
                         "its files");
    TRY(signature_path(path, sizeof path, folder, s, err));
    TRY(comment_of(comment, sizeof comment, s, err));
    enum status status = read_secret(&key, s, err);

    if (status == STATUS_OK)
        status = get_manifest(&check, folder, s, err);
    if (status == STATUS_OK)
        status = minisign_sign(&text, key, check.text.data, check.text.length,
                               comment, err);
    if (status == STATUS_OK)
        status = model_store_write_new(path, 0644, text.data, text.length, err);
    secret_close(key);
    buffer_release(&text);
    model_check_release(&check);
    return status;
}

static int
code_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EXIT_SUCCESS;
    case STATUS_UNSUPPORTED:
        return EXIT_USAGE;
    case STATUS_IO:
        return EXIT_NO_INPUT;
    case STATUS_BUSY: // what would be written is there
        return EXIT_CANT_CREATE;
    case STATUS_CANCELLED:
        return EXIT_SIGNAL + 2;
    case STATUS_NOMEM:
    case STATUS_FORMAT:
    case STATUS_LIMIT:
    case STATUS_DEVICE:
    case STATUS_DENIED:
    case STATUS_INTEGRITY:
    case STATUS_SIGNATURE:
        break;
    }
    return exit_code_of(status);
}

static int
run_sign(void *settings, const struct option_list *operands)
{
    struct error err;
    enum status status = secret_start(&err);

    if (status == STATUS_OK)
        status = signals_start(SIGNALS_ASK, &err);
    if (status == STATUS_OK)
        status = sign(settings, operands->items[0], &err);
    progress_clear();
    if (status != STATUS_OK)
        notice_error("%s", err.text);
    return code_of(status);
}

/* -- keygen ------------------------------------------------------------------
 */

static enum status
write_keys(const struct secret *key, const struct secret *passphrase,
           const char *base, struct error *err)
{
    char path[PLACE_BYTES];
    struct buffer secret = {0}, public = {0};
    struct minisign_key point;

    minisign_public(&point, key);
    enum status status = minisign_write_secret(&secret, key, passphrase,
                                               &minisign_cost_usual, err);

    if (status == STATUS_OK)
        status = minisign_write_key(&public, &point, err);
    snprintf(path, sizeof path, "%.4000s.key", base);
    if (status == STATUS_OK)
        status =
            model_store_write_new(path, 0600, secret.data, secret.length, err);
    snprintf(path, sizeof path, "%.4000s.pub", base);
    if (status == STATUS_OK)
        status =
            model_store_write_new(path, 0644, public.data, public.length, err);
    buffer_release(&secret);
    buffer_release(&public);
    return status;
}

/* Neither file may be there: a key is never written over. */
static enum status
check_free(const char *base, struct error *err)
{
    static const char *const endings[] = {"key", "pub"};
    char path[PLACE_BYTES], shown[QUOTED_BYTES];
    struct stat file;

    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%.4000s.%s", base, endings[i]);
        if (lstat(path, &file) == 0)
            return error_set(
                err, STATUS_BUSY, "%s is there already",
                text_quote(shown, sizeof shown, path, strlen(path)));
    }
    return STATUS_OK;
}

static enum status
keygen(const struct keygen_settings *s, const char *base, struct error *err)
{
    struct secret *key = NULL, *passphrase = NULL;

    TRY(check_free(base, err));
    TRY(passphrase_ask_new(&passphrase, &s->source,
                           "Passphrase for the new key: ", err));
    enum status status = minisign_create(&key, err);

    if (status == STATUS_OK)
        status = write_keys(key, passphrase, base, err);
    secret_close(key);
    secret_close(passphrase);
    return status;
}

static int
run_keygen(void *settings, const struct option_list *operands)
{
    struct error err;
    enum status status = secret_start(&err);

    if (status == STATUS_OK)
        status = keygen(settings, operands->items[0], &err);
    if (status != STATUS_OK)
        notice_error("%s", err.text);
    return status == STATUS_IO ? EXIT_CANT_CREATE : code_of(status);
}

#define SIGN_ROW(name, argument, field, help)                                  \
    {                                                                          \
        name, 0, OPTION_TEXT, argument, offsetof(struct sign_settings, field), \
            0, 0, help                                                         \
    }
#define PASSPHRASE_ROWS(type)                                                  \
    {"passphrase-fd",                                                          \
     0,                                                                        \
     OPTION_COUNT,                                                             \
     "N",                                                                      \
     offsetof(type, source.fd),                                                \
     0,                                                                        \
     1 << 20,                                                                  \
     "read the passphrase, a line, from file descriptor N"},                   \
    {                                                                          \
        "no-input", 0, OPTION_FLAG, NULL, offsetof(type, source.no_input), 0,  \
            0, "never ask at the terminal"                                     \
    }

static const struct option sign_options[] = {
    {NULL, 's', OPTION_FILE, "FILE", offsetof(struct sign_settings, key), 0, 0,
     "the secret key to sign with"},
    SIGN_ROW("as", "NAME", as, "sign beside others, in MANIFEST.NAME.minisig"),
    SIGN_ROW("comment", "TEXT", comment, "a line that is signed too"),
    SIGN_ROW("expires", "DATE", expires,
             "a date that is shown with the signature, and no more"),
    SIGN_ROW("name", "NAME", name, "of a new manifest: the model's name"),
    SIGN_ROW("family", "NAME", family, "of a new manifest: its family"),
    SIGN_ROW("licence", "ID", licence,
             "of a new manifest: its licence as SPDX names it"),
    PASSPHRASE_ROWS(struct sign_settings),
};

static const char *const sign_usage[] = {"-s FILE [OPTIONS] DIR", NULL};

const struct command command_model_sign = {
    .name = "sign",
    .manual = "fathom-model",
    .summary = "Sign a model, making its manifest where there is none",
    .usage = sign_usage,
    OPTIONS(sign_options),
    .operand = OPERAND_TEXT,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct sign_settings),
    .run = run_sign,
};

static const struct option keygen_options[] = {
    PASSPHRASE_ROWS(struct keygen_settings),
};

static const char *const keygen_usage[] = {"[OPTIONS] NAME", NULL};

const struct command command_model_keygen = {
    .name = "keygen",
    .manual = "fathom-model",
    .summary = "Make a pair of keys to sign models with: NAME.key, NAME.pub",
    .usage = keygen_usage,
    OPTIONS(keygen_options),
    .operand = OPERAND_TEXT,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct keygen_settings),
    .run = run_keygen,
};
