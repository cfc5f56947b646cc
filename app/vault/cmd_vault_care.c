/* fathom vault check, repair, backup, restore, rotate. */
#include "config.h"

#include "app/vault/cmd_vault.h"

#include "app/confirm.h"
#include "storage/storage.h"
#include "ui/ui.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SHOWN = 400 };

struct care_settings {
    struct unlock_settings unlock;
    const char *kdf;
    bool yes;
};

/* Where the vault lies, as storage takes it. */
struct care_places {
    struct vault_folders folders;
    struct vault_places at;
};

static enum status
find_places(struct care_places *out, int *code, struct error *err)
{
    enum status status = places_vault(&out->folders, err);

    out->at = (struct vault_places){out->folders.data, out->folders.state};
    *code = exit_code_of(status);
    return status;
}

/* Sentences of a check or repair, a line each on standard output. */
struct lines {
    enum status status;
    int code;
    struct error *err;
};

static void
print_line(void *context, const char *sentence)
{
    struct lines *lines = context;

    if (lines->status == STATUS_OK)
        lines->status = cmd_vault_print(sentence, &lines->code, lines->err);
    if (lines->status == STATUS_OK)
        lines->status = cmd_vault_print("\n", &lines->code, lines->err);
}

/* Is there something that would be overwritten? */
static enum status
refuse_existing(const char *path, int *code, struct error *err)
{
    char shown[PATH_SHOWN];
    struct stat info;

    if (lstat(path, &info) != 0)
        return STATUS_OK;
    *code = EXIT_CANT_CREATE;
    return error_set(err, STATUS_LIMIT,
                     "%s is there already, and nothing is overwritten",
                     text_quote(shown, sizeof shown, path, strlen(path)));
}

// -- check ------------------------------------------------------------------

static enum status
check(const struct care_settings *settings, int *code, struct error *err)
{
    struct lines lines = {.err = err};
    struct vault *vault;
    size_t faults = 0;

    TRY(unlock_vault(&vault, &settings->unlock, VAULT_READ, code, err));
    enum status status = vault_check(&faults, vault, print_line, &lines, err);

    vault_close(vault);
    *code = exit_code_of(status);
    TRY(status);
    *code = lines.code;
    TRY(lines.status);
    if (faults == 0)
        return STATUS_OK;
    *code = EXIT_ALARM;
    return error_set(err, STATUS_INTEGRITY,
                     "%zu thing%s not as fathom wrote %s; fathom vault repair "
                     "saves what can be read into a new folder, fathom vault "
                     "restore brings a backup back",
                     faults, faults == 1 ? " is" : "s are",
                     faults == 1 ? "it" : "them");
}

static int
run_check(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;

    (void) operands;
    enum status status = check(settings, &code, &err);

    return cmd_vault_finish(status, code, &err);
}

// -- repair -----------------------------------------------------------------

static enum status
repair(const struct care_settings *settings, const char *to, int *code,
       struct error *err)
{
    struct unlock_credential credential;
    struct lines lines = {.err = err};
    struct care_places places;

    TRY(refuse_existing(to, code, err));
    TRY(find_places(&places, code, err));
    enum status status =
        unlock_ask(&credential, &settings->unlock, NULL, code, err);

    if (status == STATUS_OK) {
        status = vault_repair(&places.at, &credential.credential, to,
                              print_line, &lines, err);
        *code = exit_code_of(status);
    }
    unlock_credential_release(&credential);
    TRY(status);
    *code = lines.code;
    TRY(lines.status);
    notice_note("what could be read is in the new folder; FATHOM_VAULT=FOLDER "
                "opens it, and the damaged vault is as it was");
    return STATUS_OK;
}

static int
run_repair(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;
    enum status status = repair(settings, operands->items[0], &code, &err);

    return cmd_vault_finish(status, code, &err);
}

// -- backup -----------------------------------------------------------------

static enum status
backup(const struct care_settings *settings, const char *to, int *code,
       struct error *err)
{
    struct vault *vault;

    TRY(refuse_existing(to, code, err));
    TRY(unlock_vault(&vault, &settings->unlock, VAULT_WRITE, code, err));
    enum status status = vault_backup(vault, to, err);

    vault_close(vault);
    *code = status == STATUS_LIMIT ? EXIT_CANT_CREATE : exit_code_of(status);
    TRY(status);
    notice_note("the backup holds rows and slots; it opens with what opens the "
                "vault today, whatever is changed later");
    return STATUS_OK;
}

static int
run_backup(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;
    enum status status = backup(settings, operands->items[0], &code, &err);

    return cmd_vault_finish(status, code, &err);
}

// -- restore ----------------------------------------------------------------

static enum status
confirm_restore(const struct care_settings *settings, int *code,
                struct error *err)
{
    bool exists;
    enum status status = unlock_exists(&exists, err);

    *code = exit_code_of(status);
    TRY(status);
    return confirm("Put the backup in place of the vault, which is kept beside "
                   "it under another name?",
                   settings->yes || !exists, code, err);
}

/* Asks for what opens the backup, by its own slots. */
static enum status
ask_for_backup(struct unlock_credential *out,
               const struct care_settings *settings, const char *from,
               int *code, struct error *err)
{
    struct vault_keys *keys;
    enum status status = secret_start(err);

    memset(out, 0, sizeof *out);
    if (status == STATUS_OK)
        status = vault_backup_slots(&keys, from, err);
    *code = exit_code_of(status);
    TRY(status);
    status = unlock_ask_for(out, &settings->unlock, keys, code, err);
    vault_keys_close(keys);
    return status;
}

static enum status
restore(const struct care_settings *settings, const char *from, int *code,
        struct error *err)
{
    struct unlock_credential credential = {0};
    struct care_places places;
    char shown[PATH_SHOWN];

    *code = EXIT_NO_INPUT;
    if (access(from, R_OK) != 0)
        return error_errno(err, "cannot read the backup %s",
                           text_quote(shown, sizeof shown, from, strlen(from)));
    TRY(find_places(&places, code, err));
    TRY(confirm_restore(settings, code, err));
    enum status status = ask_for_backup(&credential, settings, from, code, err);

    if (status == STATUS_OK) {
        status = vault_restore(&places.at, &credential.credential, from, err);
        *code = exit_code_of(status);
    }
    unlock_credential_release(&credential);
    TRY(status);
    notice_note("the backup is the vault now, and this machine takes it for "
                "the newest one; what was there is kept as vault.db.before-N");
    return STATUS_OK;
}

static int
run_restore(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;
    enum status status = restore(settings, operands->items[0], &code, &err);

    return cmd_vault_finish(status, code, &err);
}

// -- rotate -----------------------------------------------------------------

static enum status
rotate(const struct care_settings *settings, int *code, struct error *err)
{
    struct unlock_credential credential = {0};
    struct care_places places;
    struct kdf_cost cost;

    TRY(find_places(&places, code, err));
    TRY(unlock_cost(&cost, settings->kdf, code, err));
    TRY(confirm("Seal everything anew? Only the slot that opens now is kept",
                settings->yes, code, err));
    enum status status =
        unlock_ask(&credential, &settings->unlock, NULL, code, err);

    if (status == STATUS_OK) {
        status = vault_rotate(&places.at, &credential.credential, &cost, err);
        *code = exit_code_of(status);
    }
    unlock_credential_release(&credential);
    TRY(status);
    notice_note("the vault has a new master key and one slot; copies and "
                "backups from before still open with the former keys");
    return STATUS_OK;
}

static int
run_rotate(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;

    (void) operands;
    enum status status = rotate(settings, &code, &err);

    return cmd_vault_finish(status, code, &err);
}

// -- the tables -------------------------------------------------------------

static const struct option plain_options[] = {
    UNLOCK_OPTIONS(struct care_settings, unlock),
};

static const struct option restore_options[] = {
    UNLOCK_OPTIONS(struct care_settings, unlock),
    {"yes", 0, OPTION_FLAG, NULL, offsetof(struct care_settings, yes), 0, 0,
     "do not ask"},
};

static const struct option rotate_options[] = {
    UNLOCK_OPTIONS(struct care_settings, unlock),
    {"kdf", 0, OPTION_CHOICE, VAULT_KDF_CHOICES,
     offsetof(struct care_settings, kdf), 0, 0,
     "what the passphrase costs to try"},
    {"yes", 0, OPTION_FLAG, NULL, offsetof(struct care_settings, yes), 0, 0,
     "do not ask"},
};

static const char *const check_usage[] = {"", NULL};
static const char *const repair_usage[] = {"FOLDER", NULL};
static const char *const backup_usage[] = {"FILE", NULL};
static const char *const restore_usage[] = {"[--yes] FILE", NULL};
static const char *const rotate_usage[] = {"[--yes] [--kdf=COST]", NULL};

const struct command command_vault_check = {
    .name = "check",
    .manual = "fathom-vault",
    .summary = "Look at every row",
    .usage = check_usage,
    OPTIONS(plain_options),
    .settings_bytes = sizeof(struct care_settings),
    .run = run_check,
};

const struct command command_vault_repair = {
    .name = "repair",
    .manual = "fathom-vault",
    .summary = "Save what can be read of a damaged vault",
    .usage = repair_usage,
    OPTIONS(plain_options),
    .operand = OPERAND_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct care_settings),
    .run = run_repair,
};

const struct command command_vault_backup = {
    .name = "backup",
    .manual = "fathom-vault",
    .summary = "Copy the vault into one file",
    .usage = backup_usage,
    OPTIONS(plain_options),
    .operand = OPERAND_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct care_settings),
    .run = run_backup,
};

const struct command command_vault_restore = {
    .name = "restore",
    .manual = "fathom-vault",
    .summary = "Put a backup in the vault's place",
    .usage = restore_usage,
    OPTIONS(restore_options),
    .operand = OPERAND_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct care_settings),
    .run = run_restore,
};

const struct command command_vault_rotate = {
    .name = "rotate",
    .manual = "fathom-vault",
    .summary = "Seal everything anew under a new key",
    .usage = rotate_usage,
    OPTIONS(rotate_options),
    .settings_bytes = sizeof(struct care_settings),
    .run = run_rotate,
};
