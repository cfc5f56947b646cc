/* fathom vault: making it, changing the passphrase, locking what is open. */
#include "config.h"

#include "app/vault/cmd_vault.h"

#include "app/vault/lock_request.h"
#include "ui/ui.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 3000 };

// -- shared -----------------------------------------------------------------

const char *
cmd_vault_kind(enum slot_kind kind)
{
    static const char *const names[] = {
        [SLOT_PASSPHRASE] = "passphrase",
        [SLOT_KEY_FILE] = "key file",
        [SLOT_BOTH] = "passphrase and key file",
        [SLOT_RECOVERY] = "recovery code",
    };

    return names[kind];
}

const char *
cmd_vault_kind_word(enum slot_kind kind)
{
    static const char *const names[] = {
        [SLOT_PASSPHRASE] = "passphrase",
        [SLOT_KEY_FILE] = "key-file",
        [SLOT_BOTH] = "both",
        [SLOT_RECOVERY] = "recovery-code",
    };

    return names[kind];
}

enum status
cmd_vault_print(const char *text, int *code, struct error *err)
{
    enum status status = printer_put(STDOUT_FILENO, text, strlen(text), err);

    if (status != STATUS_OK)
        *code = EXIT_CANT_WRITE;
    return status;
}

enum status
cmd_vault_show(const char *what, const struct secret *text, int *code,
               struct error *err)
{
    // a terminal is told what it is; a program gets the bare line
    if (isatty(STDOUT_FILENO)) {
        TRY(cmd_vault_print(what, code, err));
        TRY(cmd_vault_print(", shown this once:\n\n    ", code, err));
    }
    enum status status =
        printer_put(STDOUT_FILENO, (const char *) secret_bytes(text),
                    secret_length(text), err);

    if (status != STATUS_OK) {
        *code = EXIT_CANT_WRITE;
        return status;
    }
    return cmd_vault_print(isatty(STDOUT_FILENO) ? "\n\n" : "\n", code, err);
}

enum status
cmd_vault_allow_code(int *code, struct error *err)
{
    if (!policy_requires_key_file())
        return STATUS_OK;
    *code = EXIT_DENIED;
    return policy_refusal(err, "a slot without a key file",
                          "vault.require_keyfile = yes");
}

enum status
cmd_vault_code_text(struct secret **out, const struct secret *code,
                    struct error *err)
{
    TRY(secret_open(out, RECOVERY_TEXT, err));
    recovery_text((char *) secret_data(*out), code);
    secret_cut(*out, RECOVERY_TEXT - 1);
    return STATUS_OK;
}

static enum status
usage_error(int *code, struct error *err, const char *sentence)
{
    *code = EXIT_USAGE;
    return error_set(err, STATUS_LIMIT, "%s", sentence);
}

enum status
cmd_vault_ask_new(struct unlock_credential *out, const struct new_slot *wanted,
                  const struct passphrase_source *source, int *code,
                  struct error *err)
{
    const struct unlock_settings settings = {.source = *source,
                                             .key_file = wanted->key_file};
    bool typed = !wanted->generate && !wanted->no_passphrase;

    memset(out, 0, sizeof *out);
    if (wanted->no_passphrase && wanted->key_file == NULL)
        return usage_error(code, err,
                           "--no-passphrase needs a key file: "
                           "--new-key-file=FILE");
    if (wanted->no_passphrase && wanted->generate)
        return usage_error(code, err,
                           "--generate and --no-passphrase exclude each other");
    TRY(unlock_ask_new(out, &settings, typed, code, err));
    if (wanted->generate) {
        enum status status = passphrase_generate(&out->passphrase, err);

        *code = exit_code_of(status);
        TRY(status);
        out->credential.passphrase = out->passphrase;
    }
    return STATUS_OK;
}

enum status
cmd_vault_put(const struct unlocked_keys *at, unsigned number,
              const struct credential *credential, const char *kdf, int *code,
              struct error *err)
{
    struct kdf_cost cost = kdf_moderate;

    if (credential->recovery == NULL)
        TRY(unlock_cost(&cost, kdf, code, err));
    enum status status =
        vault_keys_put(at->keys, number, at->master, credential, &cost, err);

    if (status == STATUS_OK)
        status = vault_keys_write(at->keys, at->master, at->path, err);
    *code = exit_code_of(status);
    return status;
}

int
cmd_vault_finish(enum status status, int code, const struct error *err)
{
    if (status == STATUS_OK)
        return EXIT_SUCCESS;
    notice_error("%s", err->text);
    return code;
}

// -- init -------------------------------------------------------------------

struct init_settings {
    struct passphrase_source source;
    struct new_slot slot;
    bool recovery;
};

static enum status
refuse_second(int *code, struct error *err)
{
    struct vault_folders at;
    bool exists;
    enum status status = unlock_exists(&exists, err);

    *code = exit_code_of(status);
    TRY(status);
    TRY(places_vault(&at, err));
    *code = EXIT_CANT_CREATE;
    return exists ? error_set(err, STATUS_LIMIT,
                              "there is a vault already, in "
                              "%.900s",
                              at.data)
                  : STATUS_OK;
}

/* A second slot, for whoever forgets the passphrase. */
static enum status
add_recovery(const struct credential *credential, int *code, struct error *err)
{
    struct unlocked_keys at = {0};
    struct vault_folders folders;
    struct secret *recovery = NULL, *text = NULL;

    TRY(places_vault(&folders, err));
    snprintf(at.path, sizeof at.path, "%.4000s/vault.keys", folders.data);
    enum status status = vault_keys_open(&at.keys, at.path, err);

    if (status == STATUS_OK)
        status =
            vault_keys_unlock(&at.master, &at.slot, at.keys, credential, err);
    if (status == STATUS_OK)
        status = recovery_create(&recovery, err);
    if (status == STATUS_OK)
        status = cmd_vault_code_text(&text, recovery, err);
    *code = exit_code_of(status);
    if (status == STATUS_OK)
        status =
            cmd_vault_put(&at, 0, &(struct credential){.recovery = recovery},
                          NULL, code, err);
    if (status == STATUS_OK)
        status = cmd_vault_show("The recovery code", text, code, err);
    secret_close(text);
    secret_close(recovery);
    unlocked_keys_release(&at);
    return status;
}

static enum status
init(const struct init_settings *settings, int *code, struct error *err)
{
    struct unlock_credential credential = {0};
    struct vault *vault = NULL;

    TRY(refuse_second(code, err));
    if (settings->recovery)
        TRY(cmd_vault_allow_code(code, err));
    enum status status = cmd_vault_ask_new(&credential, &settings->slot,
                                           &settings->source, code, err);

    if (status == STATUS_OK)
        status = unlock_create(&vault, &credential.credential,
                               settings->slot.kdf, code, err);
    vault_close(vault);
    if (status == STATUS_OK && settings->slot.generate)
        status =
            cmd_vault_show("The passphrase", credential.passphrase, code, err);
    if (status == STATUS_OK && settings->recovery)
        status = add_recovery(&credential.credential, code, err);
    unlock_credential_release(&credential);
    if (status == STATUS_OK)
        notice_note("the vault is made; what opens it is kept nowhere, so "
                    "without it nobody can read what is inside");
    return status;
}

static int
run_init(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;

    (void) operands;
    enum status status = init(settings, &code, &err);

    return cmd_vault_finish(status, code, &err);
}

static const struct option init_options[] = {
    {"passphrase-fd", 0, OPTION_COUNT, "N",
     offsetof(struct init_settings, source.fd), 0, 1 << 20,
     "read the passphrase, a line, from file descriptor N"},
    {"no-input", 0, OPTION_FLAG, NULL,
     offsetof(struct init_settings, source.no_input), 0, 0,
     "never ask at the terminal"},
    NEW_SLOT_OPTIONS(struct init_settings, slot, "key-file"),
    {"recovery", 0, OPTION_FLAG, NULL, offsetof(struct init_settings, recovery),
     0, 0, "make a recovery code too and print it"},
};

static const char *const init_usage[] = {
    "[--generate] [--recovery] [--kdf=COST]",
    "[--key-file=FILE [--no-passphrase]]", NULL};

static const struct command command_init = {
    .name = "init",
    .manual = "fathom-vault",
    .summary = "Make the vault",
    .usage = init_usage,
    OPTIONS(init_options),
    .settings_bytes = sizeof(struct init_settings),
    .run = run_init,
};

// -- passwd -----------------------------------------------------------------

struct passwd_settings {
    struct unlock_settings unlock;
    struct new_slot slot;
};

/* The slot whose passphrase is changed; with a recovery code the first one. */
static enum status
slot_to_change(unsigned *number, bool *with_file,
               const struct unlocked_keys *at, int *code, struct error *err)
{
    struct slot_info slots[VAULT_SLOTS];
    size_t count = vault_keys_slots(at->keys, slots);
    bool by_code = false;

    for (size_t i = 0; i < count; i++)
        by_code = by_code || (slots[i].number == at->slot &&
                              slots[i].kind == SLOT_RECOVERY);
    for (size_t i = 0; i < count; i++) {
        *number = slots[i].number;
        *with_file = slots[i].kind == SLOT_BOTH;
        if (by_code
                ? slots[i].kind == SLOT_PASSPHRASE
                : slots[i].number == at->slot && slots[i].kind != SLOT_KEY_FILE)
            return STATUS_OK;
    }
    *code = EXIT_BAD_DATA;
    return error_set(err, STATUS_LIMIT,
                     "slot %u has no passphrase; fathom vault slot add makes "
                     "one that has",
                     at->slot);
}

static enum status
passwd(const struct passwd_settings *settings, int *code, struct error *err)
{
    struct unlocked_keys at;
    struct unlock_credential credential = {0};
    struct new_slot wanted = settings->slot;
    unsigned number = 0;
    bool with_file = false;

    TRY(unlock_keys(&at, &settings->unlock, code, err));
    enum status status = slot_to_change(&number, &with_file, &at, code, err);

    wanted.key_file = with_file ? settings->unlock.key_file : NULL;
    if (status == STATUS_OK)
        status = cmd_vault_ask_new(&credential, &wanted,
                                   &settings->unlock.source, code, err);
    if (status == STATUS_OK)
        status = cmd_vault_put(&at, number, &credential.credential,
                               settings->slot.kdf, code, err);
    if (status == STATUS_OK && settings->slot.generate)
        status = cmd_vault_show("The new passphrase", credential.passphrase,
                                code, err);
    unlock_credential_release(&credential);
    unlocked_keys_release(&at);
    if (status == STATUS_OK)
        notice_note("the passphrase of slot %u is changed; copies of the "
                    "vault from before still open with the former one, and "
                    "only fathom vault rotate makes new keys",
                    number);
    return status;
}

static int
run_passwd(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;

    (void) operands;
    enum status status = passwd(settings, &code, &err);

    return cmd_vault_finish(status, code, &err);
}

static const struct option passwd_options[] = {
    UNLOCK_OPTIONS(struct passwd_settings, unlock),
    {"kdf", 0, OPTION_CHOICE, VAULT_KDF_CHOICES,
     offsetof(struct passwd_settings, slot.kdf), 0, 0,
     "what the passphrase costs to try"},
    {"generate", 0, OPTION_FLAG, NULL,
     offsetof(struct passwd_settings, slot.generate), 0, 0,
     "make a passphrase of six words and print it"},
};

static const char *const passwd_usage[] = {
    "[--generate] [--kdf=COST]", "[--key-file=FILE | --recovery-code]", NULL};

static const struct command command_passwd = {
    .name = "passwd",
    .manual = "fathom-vault",
    .summary = "Change a passphrase",
    .usage = passwd_usage,
    OPTIONS(passwd_options),
    .settings_bytes = sizeof(struct passwd_settings),
    .run = run_passwd,
};

// -- lock -------------------------------------------------------------------

static enum status
lock(int *code, struct error *err)
{
    char text[100];
    size_t locked, silent;

    *code = EXIT_UNAVAILABLE;
    TRY(lock_request_all(&locked, &silent, LOCK_WAIT_MS, err));
    snprintf(text, sizeof text,
             locked == 0   ? "No open chat was found.\n"
             : locked == 1 ? "One chat is locked.\n"
                           : "%zu chats are locked.\n",
             locked);
    if (locked > 0 || silent == 0)
        TRY(cmd_vault_print(text, code, err));
    *code = EXIT_BUSY;
    return silent == 0
               ? STATUS_OK
               : error_set(err, STATUS_BUSY,
                           "%zu chat%s did not lock within %d seconds", silent,
                           silent == 1 ? "" : "s", LOCK_WAIT_MS / 1000);
}

static int
run_lock(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;

    (void) settings;
    (void) operands;
    enum status status = lock(&code, &err);

    return cmd_vault_finish(status, code, &err);
}

static const char *const lock_usage[] = {"", NULL};

static const struct command command_lock = {
    .name = "lock",
    .manual = "fathom-vault",
    .summary = "Lock the chats that are open",
    .usage = lock_usage,
    .run = run_lock,
};

// -- the command ------------------------------------------------------------

static const struct command *const verbs[] = {
    &command_init,
    &command_vault_status,
    &command_passwd,
    &command_vault_slot,
    &command_lock,
    &command_vault_check,
    &command_vault_repair,
    &command_vault_backup,
    &command_vault_restore,
    &command_vault_rotate,
    NULL,
};

static const char *const usage[] = {
    "init [--generate] [--recovery]",
    "status [--json]",
    "passwd",
    "slot list | add | remove N",
    "lock",
    "check",
    "repair FOLDER",
    "backup FILE",
    "restore FILE",
    "rotate",
    NULL,
};

const struct command command_vault = {
    .name = "vault",
    .manual = "fathom-vault",
    .summary = "Make the vault, and look after it",
    .usage = usage,
    .verbs = verbs,
};
