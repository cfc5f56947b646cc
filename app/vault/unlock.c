/* From what a command line says to an open vault, or to an exit code. */
#include "config.h"

#include "app/vault/unlock.h"

#include "app/vault/audit.h"
#include "app/exit_code.h"
#include "app/notice.h"
#include "app/places.h"
#include "app/policy.h"
#include "app/settings.h"
#include "app/time_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TRIES = 3,
    TRY_LINE = 11,             // "1732545123\n", seconds since 1970
    TRIES_FILE_BYTES = 110000, // ten thousand; more are not counted
};

// -- where ------------------------------------------------------------------

struct where {
    struct vault_folders folders;
    struct vault_places places;
    char keys[PLACE_BYTES], tries[PLACE_BYTES];
};

static enum status
join(char out[PLACE_BYTES], const char *folder, const char *name,
     struct error *err)
{
    int n = snprintf(out, PLACE_BYTES, "%s/%s", folder, name);

    if (n < 0 || n >= PLACE_BYTES)
        return error_set(err, STATUS_LIMIT, "a path is too long: %.200s",
                         folder);
    return STATUS_OK;
}

static enum status
find(struct where *where, struct error *err)
{
    TRY(places_vault(&where->folders, err));
    where->places = (struct vault_places){.data = where->folders.data,
                                          .state = where->folders.state};
    TRY(join(where->keys, where->folders.data, "vault.keys", err));
    return join(where->tries, where->folders.state, "tries", err);
}

enum status
unlock_exists(bool *out, struct error *err)
{
    struct where where;

    TRY(find(&where, err));
    return vault_exists(out, &where.places, err);
}

static int
code_of(enum status status)
{
    return status == STATUS_CANCELLED ? EXIT_SIGNAL + 2 : exit_code_of(status);
}

/* The status again, with its exit code. */
static enum status
leave(enum status status, int *code)
{
    *code = code_of(status);
    return status;
}

static enum status
refuse(enum status status, int exit_code, int *code)
{
    *code = exit_code;
    return status;
}

// -- failed tries -----------------------------------------------------------

/* A line with the time. That it cannot be kept is logged, no more. */
static void
note_failure(const struct where *where)
{
    char line[32];
    struct error err;
    int fd, n = snprintf(line, sizeof line, "%010jd\n", (intmax_t) time(NULL));
    enum status status = safe_folder_make(where->folders.state, &err);

    if (status == STATUS_OK)
        status = safe_file_open(&fd, where->tries, SAFE_APPEND, &err);
    if (status != STATUS_OK) {
        log_warn("a failed try is not counted: %s", err.text);
        return;
    }
    if (lseek(fd, 0, SEEK_END) < TRIES_FILE_BYTES &&
        write(fd, line, (size_t) n) != n)
        log_warn("a failed try is not counted: %s", strerror(errno));
    close(fd);
    log_warn("a try to unlock the vault failed");
}

/* How many tries there are in the file and when the last one was. */
static size_t
count_failures(const struct where *where, uint64_t *last_s)
{
    struct buffer lines = {0};
    struct error err;
    size_t count = 0;
    bool there;

    *last_s = 0;
    if (safe_file_exists(&there, where->tries, &err) != STATUS_OK || !there)
        return 0;
    if (safe_file_read(&lines, where->tries, TRIES_FILE_BYTES + TRY_LINE,
                       &err) != STATUS_OK) {
        log_warn("failed tries cannot be counted: %s", err.text);
    } else {
        count = lines.length / TRY_LINE;
        for (size_t i = 0; count > 0 && i < TRY_LINE - 1; i++) {
            char digit = lines.data[(count - 1) * TRY_LINE + i];

            if (digit >= '0' && digit <= '9')
                *last_s = *last_s * 10 + (uint64_t) (digit - '0');
        }
    }
    buffer_release(&lines);
    return count;
}

static void
remark_failures(char out[UNLOCK_REMARK], size_t before, uint64_t last_s)
{
    char when[TIME_TEXT];

    *out = '\0';
    if (before > 0)
        snprintf(out, UNLOCK_REMARK,
                 "%zu failed tr%s to open the vault since the last unlock, "
                 "the last on %s",
                 before, before == 1 ? "y" : "ies",
                 time_text_local(when, last_s * 1000));
}

/* Tells of tries before those of this run, and, once recorded, begins anew. */
static void
tell_failures(const struct where *where, size_t before, uint64_t last_s,
              bool recorded)
{
    char remark[UNLOCK_REMARK];
    struct error err;

    remark_failures(remark, before, last_s);
    if (before > 0)
        notice_note("%s", remark);
    if (recorded && safe_file_remove(where->tries, &err) != STATUS_OK)
        log_warn("%s", err.text);
}

// -- asking -----------------------------------------------------------------

static enum status
read_key_bytes(struct buffer *bytes, int fd, const char *shown,
               struct error *err)
{
    for (;;) {
        TRY(buffer_reserve(bytes, 65536, err));
        ssize_t got = read(fd, bytes->data + bytes->length, 65536);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, "cannot read the key file %s", shown);
        if (got == 0)
            return STATUS_OK;
        bytes->length += (size_t) got;
        if (bytes->length > KEY_FILE_MOST)
            return error_set(err, STATUS_LIMIT,
                             "the key file %s is longer than %d bytes", shown,
                             KEY_FILE_MOST);
    }
}

enum status
unlock_read_key_file(struct secret **out, const char *path, struct error *err)
{
    struct buffer bytes = {0};
    char shown[300];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *out = NULL;
    text_quote(shown, sizeof shown, path, strlen(path));
    if (fd < 0)
        return error_errno(err, "cannot open the key file %s", shown);
    enum status status = read_key_bytes(&bytes, fd, shown, err);

    close(fd);
    if (status == STATUS_OK)
        status = secret_copy(out, bytes.data, bytes.length, err);
    buffer_release(&bytes);
    return status;
}

static bool
has_kind(const struct slot_info *slots, size_t count, enum slot_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (slots[i].kind == kind)
            return true;
    return false;
}

/* Does what was given, with a passphrase or without, fit any slot? */
static enum status
choose(bool *passphrase, const struct vault_keys *keys,
       const struct unlock_settings *settings, struct error *err)
{
    struct slot_info slots[VAULT_SLOTS];
    size_t count = vault_keys_slots(keys, slots);

    *passphrase = false;
    if (settings->recovery)
        return has_kind(slots, count, SLOT_RECOVERY)
                   ? STATUS_OK
                   : error_set(err, STATUS_DENIED,
                               "this vault has no recovery code");
    *passphrase = has_kind(slots, count,
                           settings->key_file ? SLOT_BOTH : SLOT_PASSPHRASE);
    if (*passphrase ||
        (settings->key_file && has_kind(slots, count, SLOT_KEY_FILE)))
        return STATUS_OK;
    return error_set(err, STATUS_DENIED,
                     settings->key_file
                         ? "no slot of this vault is for a key file"
                         : "this vault opens with a key file: --key-file=FILE");
}

static enum status
ask_recovery(struct unlock_credential *out,
             const struct unlock_settings *settings, struct error *err)
{
    struct secret *typed;
    char text[RECOVERY_TEXT * 2];

    TRY(passphrase_ask(&typed, &settings->source, "Recovery code: ", err));
    enum status status = STATUS_OK;

    if (secret_length(typed) >= sizeof text) {
        status = STATUS_FORMAT;
    } else {
        memcpy(text, secret_bytes(typed), secret_length(typed));
        text[secret_length(typed)] = '\0';
        status = recovery_take(&out->recovery, text, err);
    }
    // what was typed is no damaged file
    if (status == STATUS_FORMAT)
        status = error_set(err, STATUS_DENIED,
                           "a recovery code has 32 letters and digits, "
                           "without U");
    secret_wipe(text, sizeof text);
    secret_close(typed);
    return status;
}

static enum status
ask_for(struct unlock_credential *out, const struct unlock_settings *settings,
        const struct vault_keys *keys, struct error *err)
{
    bool passphrase;

    TRY(choose(&passphrase, keys, settings, err));
    if (settings->recovery)
        TRY(ask_recovery(out, settings, err));
    if (settings->key_file && !settings->recovery)
        TRY(unlock_read_key_file(&out->key_file, settings->key_file, err));
    if (passphrase)
        TRY(passphrase_ask(&out->passphrase, &settings->source,
                           "Passphrase: ", err));
    out->credential = (struct credential){.passphrase = out->passphrase,
                                          .key_file = out->key_file,
                                          .recovery = out->recovery,
                                          .runner = settings->runner};
    return STATUS_OK;
}

enum status
unlock_ask(struct unlock_credential *out,
           const struct unlock_settings *settings, const char *path, int *code,
           struct error *err)
{
    struct where where;
    struct vault_keys *keys;

    memset(out, 0, sizeof *out);
    enum status status = secret_start(err);

    if (status == STATUS_OK)
        status = find(&where, err);
    if (status == STATUS_OK)
        status = vault_keys_open(&keys, path ? path : where.keys, err);
    if (status != STATUS_OK)
        return leave(status, code);
    status = ask_for(out, settings, keys, err);
    vault_keys_close(keys);
    return leave(status, code);
}

enum status
unlock_ask_for(struct unlock_credential *out,
               const struct unlock_settings *settings,
               const struct vault_keys *keys, int *code, struct error *err)
{
    memset(out, 0, sizeof *out);
    return leave(ask_for(out, settings, keys, err), code);
}

enum status
unlock_ask_new(struct unlock_credential *out,
               const struct unlock_settings *settings, bool with_passphrase,
               int *code, struct error *err)
{
    memset(out, 0, sizeof *out);
    enum status status = secret_start(err);

    if (status == STATUS_OK && !settings->key_file &&
        policy_requires_key_file())
        status = policy_refusal(err, "a slot without a key file",
                                "vault.require_keyfile = yes");
    if (status == STATUS_OK && settings->key_file)
        status = unlock_read_key_file(&out->key_file, settings->key_file, err);
    if (status == STATUS_OK && with_passphrase)
        status = passphrase_ask_new(&out->passphrase, &settings->source,
                                    "New passphrase: ", err);
    out->credential = (struct credential){.passphrase = out->passphrase,
                                          .key_file = out->key_file};
    return leave(status, code);
}

void
unlock_credential_release(struct unlock_credential *credential)
{
    secret_close(credential->passphrase);
    secret_close(credential->key_file);
    secret_close(credential->recovery);
    memset(credential, 0, sizeof *credential);
}

// -- opening ----------------------------------------------------------------

/* Once a slot opened, the file from before a change is not needed any more. */
static void
settle(const struct where *where, const struct vault *vault)
{
    struct error err;

    if (vault_remark(vault) != NULL)
        notice_note("%s", vault_remark(vault));
    if (vault_keys_settle(where->keys, &err) != STATUS_OK)
        log_warn("%s", err.text);
}

/* What is to be opened: the vault, or its keys alone. */
struct target {
    struct vault **vault; // NULL: the keys
    enum vault_access access;
    struct unlocked_keys *keys;
};

/* An alarm's key is not kept: nothing may be changed then. */
static enum status
open_keys(struct unlocked_keys *out, const struct where *where,
          const struct credential *credential, struct error *err)
{
    TRY(vault_keys_open(&out->keys, where->keys, err));
    enum status status =
        vault_keys_unlock(&out->master, &out->slot, out->keys, credential, err);

    if (status != STATUS_OK)
        unlocked_keys_release(out);
    else
        memcpy(out->path, where->keys, sizeof out->path);
    return status;
}

/* Tries that failed while nothing could be recorded. */
static enum status
record_failures(struct vault *vault, size_t count, struct error *err)
{
    char detail[40];

    snprintf(detail, sizeof detail, "%zu since the last unlock", count);
    return count > 0 ? audit_record(vault, "unlock failed", detail, err)
                     : STATUS_OK;
}

/*
 * Slots are about to be changed: that is recorded first, in the vault, which
 * may be in use by a chat.
 */
static enum status
record_keys(const struct where *where, const struct credential *credential,
            struct error *err)
{
    struct vault *vault = NULL;
    struct error why;
    uint64_t last_s;
    enum status status =
        vault_open(&vault, &where->places, credential, VAULT_WRITE, &why);

    if (status != STATUS_OK && policy_requires_audit()) {
        *err = why; // it says more than that it cannot be recorded
        return status;
    }
    if (status != STATUS_OK) {
        log_note("the change of keys is not recorded: %s", why.text);
        vault = NULL;
    }
    status = record_failures(vault, count_failures(where, &last_s), err);
    if (status == STATUS_OK)
        status = audit_record(vault, "keys", notice_speaker_name(), err);
    vault_close(vault);
    return status;
}

static enum status
open_keys_recorded(const struct target *target, const struct where *where,
                   const struct credential *credential, struct error *err)
{
    TRY(open_keys(target->keys, where, credential, err));
    enum status status = record_keys(where, credential, err);

    if (status != STATUS_OK)
        unlocked_keys_release(target->keys);
    return status;
}

static enum status
open_once(const struct target *target, const struct where *where,
          const struct unlock_settings *settings, int *code, struct error *err)
{
    struct unlock_credential credential;
    enum status status = unlock_ask(&credential, settings, NULL, code, err);

    if (status == STATUS_OK) {
        status = target->vault
                     ? vault_open(target->vault, &where->places,
                                  &credential.credential, target->access, err)
                     : open_keys_recorded(target, where, &credential.credential,
                                          err);
        *code = code_of(status);
        if (status == STATUS_DENIED &&
            strcmp(err->text, vault_keys_denied) == 0)
            note_failure(where);
    }
    unlock_credential_release(&credential);
    return status;
}

/* Is there something to be gained by asking again? */
static bool
may_retry(enum status status, const struct error *err,
          const struct unlock_settings *settings)
{
    return status == STATUS_DENIED &&
           strcmp(err->text, vault_keys_denied) == 0 &&
           passphrase_at_terminal(&settings->source);
}

/* A damaged vault.keys may have a whole one beside it. */
static void
tell_of_former(enum status status, const struct where *where)
{
    char old[PLACE_BYTES + 8];
    struct error err;
    bool there;

    snprintf(old, sizeof old, "%s.old", where->keys);
    if (status == STATUS_FORMAT &&
        safe_file_exists(&there, old, &err) == STATUS_OK && there)
        notice_note("the former keys are in %s", old);
}

static enum status
check_there(const struct where *where, int *code, struct error *err)
{
    bool exists;
    enum status status = vault_exists(&exists, &where->places, err);

    if (status != STATUS_OK || exists)
        return leave(status, code);
    return refuse(error_set(err, STATUS_IO,
                            "there is no vault yet; fathom vault init makes "
                            "one"),
                  EXIT_NO_INPUT, code);
}

/* A vault whose opening cannot be recorded though it must is closed again. */
static enum status
record_opened(struct vault **vault, size_t before, int *code, struct error *err)
{
    enum status status = record_failures(*vault, before, err);

    if (status == STATUS_OK)
        return status;
    vault_close(*vault);
    *vault = NULL;
    return leave(status, code);
}

/*
 * Whoever would be told that the vault is in use need not type a passphrase
 * first. Not for a process that has it open: looking would let go of its lock.
 */
static enum status
check_free(const struct where *where, int *code, struct error *err)
{
    char lock[PLACE_BYTES], shown[300];
    pid_t holder = 0;
    enum status status = join(lock, where->folders.data, "vault.lock", err);

    if (status == STATUS_OK)
        status = safe_file_holder(&holder, lock, err);
    if (status == STATUS_OK && holder > 0)
        status = error_set(err, STATUS_BUSY, "%s is used by process %ld",
                           text_quote(shown, sizeof shown, where->folders.data,
                                      strlen(where->folders.data)),
                           (long) holder);
    return leave(status, code);
}

static enum status
open_target(const struct target *target, const struct where *where,
            const struct unlock_settings *settings, int *code,
            struct error *err)
{
    uint64_t last_s;

    TRY(check_there(where, code, err));
    if (target->vault != NULL)
        TRY(check_free(where, code, err));
    size_t before = count_failures(where, &last_s);
    enum status status = open_once(target, where, settings, code, err);

    for (unsigned i = 1; i < TRIES && may_retry(status, err, settings); i++) {
        notice_error("%s", err->text);
        status = open_once(target, where, settings, code, err);
    }
    if (status == STATUS_OK && target->vault && target->access == VAULT_WRITE)
        status = record_opened(target->vault, before, code, err);
    if (status == STATUS_OK)
        tell_failures(where, before, last_s,
                      target->vault == NULL || target->access == VAULT_WRITE);
    tell_of_former(status, where);
    return status;
}

enum status
unlock_vault(struct vault **out, const struct unlock_settings *settings,
             enum vault_access access, int *code, struct error *err)
{
    const struct target target = {.vault = out, .access = access};
    struct where where;

    *out = NULL;
    enum status status = find(&where, err);

    if (status != STATUS_OK)
        return leave(status, code);
    TRY(open_target(&target, &where, settings, code, err));
    settle(&where, *out);
    return STATUS_OK;
}

enum status
unlock_keys(struct unlocked_keys *out, const struct unlock_settings *settings,
            int *code, struct error *err)
{
    const struct target target = {.keys = out};
    struct where where;

    memset(out, 0, sizeof *out);
    enum status status = find(&where, err);

    if (status != STATUS_OK)
        return leave(status, code);
    return open_target(&target, &where, settings, code, err);
}

void
unlocked_keys_release(struct unlocked_keys *keys)
{
    vault_keys_close(keys->keys);
    secret_close(keys->master);
    keys->keys = NULL;
    keys->master = NULL;
}

/* What follows a vault that was opened for writing. */
static enum status
after_once(struct vault **vault, const struct where *where, size_t before,
           struct error *err)
{
    struct error why;
    int code;

    TRY(record_opened(vault, before, &code, err));
    if (safe_file_remove(where->tries, &why) != STATUS_OK)
        log_warn("%s", why.text);
    if (vault_keys_settle(where->keys, &why) != STATUS_OK)
        log_warn("%s", why.text);
    return STATUS_OK;
}

enum status
unlock_once(struct vault **out, const struct credential *credential,
            enum vault_access access, char remark[UNLOCK_REMARK],
            struct error *err)
{
    struct where where;
    uint64_t last_s;

    *out = NULL;
    TRY(find(&where, err));
    size_t before = count_failures(&where, &last_s);
    enum status status =
        vault_open(out, &where.places, credential, access, err);

    remark_failures(remark, before, last_s);
    if (status == STATUS_DENIED && strcmp(err->text, vault_keys_denied) == 0)
        note_failure(&where);
    if (status == STATUS_OK && access == VAULT_WRITE)
        status = after_once(out, &where, before, err);
    return status;
}

size_t
unlock_failures(uint64_t *last_s)
{
    struct where where;
    struct error err;

    *last_s = 0;
    return find(&where, &err) == STATUS_OK ? count_failures(&where, last_s) : 0;
}

// -- making -----------------------------------------------------------------

static const struct kdf_cost *
cost_of(enum kdf_level level)
{
    return level == KDF_SENSITIVE ? &kdf_sensitive : &kdf_moderate;
}

static enum status
least_allowed(struct error *err)
{
    if (policy_now()->vault_min_kdf.given)
        return policy_refusal(err, "so cheap a passphrase",
                              policy_now()->vault_min_kdf.value == KDF_SENSITIVE
                                  ? "vault.min_kdf = sensitive"
                                  : "vault.min_kdf = moderate");
    return STATUS_OK;
}

enum status
unlock_cost(struct kdf_cost *out, const char *asked, int *code,
            struct error *err)
{
    enum kdf_level level = settings_kdf();
    uint64_t wanted;

    *code = EXIT_SUCCESS;
    if (asked != NULL && strcmp(asked, "least") == 0) {
        *out = kdf_least;
        return leave(least_allowed(err), code);
    }
    if (asked != NULL)
        level = (enum kdf_level) settings_stricter(
            (struct option_count){true, strcmp(asked, "sensitive") == 0
                                            ? KDF_SENSITIVE
                                            : KDF_MODERATE},
            policy_now()->vault_min_kdf);
    *out = *cost_of(level);
    wanted = out->memory_bytes;
    if (!kdf_cost_fit(out, memory_available_bytes()))
        return STATUS_OK;
    // less than the policy demands is refused, not used
    if (policy_now()->vault_min_kdf.given)
        return refuse(error_set(err, STATUS_NOMEM,
                                "this machine has not the %" PRIu64
                                " MiB of memory that the policy demands for "
                                "a passphrase",
                                wanted >> 20),
                      EXIT_UNAVAILABLE, code);
    notice_note("this machine has little memory: trying the passphrase will "
                "take %" PRIu64 " MiB, not %" PRIu64 ", so choose a longer one",
                out->memory_bytes >> 20, wanted >> 20);
    return STATUS_OK;
}

enum status
unlock_create(struct vault **out, const struct credential *credential,
              const char *kdf, int *code, struct error *err)
{
    struct kdf_cost cost;
    struct where where;

    *out = NULL;
    TRY(unlock_cost(&cost, kdf, code, err));
    enum status status = find(&where, err);

    if (status == STATUS_OK)
        status = vault_create(out, &where.places, credential, &cost, err);
    return leave(status, code);
}
