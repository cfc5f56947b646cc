/* The policy's file, checked for who can write it before it is believed. */
#include "config.h"

#include "app/policy.h"

#include "app/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY_FOLDER SYSCONFDIR "/fathom"
#define POLICY_PATH POLICY_FOLDER "/policy.conf"

#define ROW(name, kind, argument, field, most, help)                           \
    {                                                                          \
        "", name, kind, argument, offsetof(struct policy, field), most, help,  \
            0, false                                                           \
    }

static const struct ini_row rows[] = {
    ROW("vault.save", INI_CHOICE, SAVE_CHOICES, vault_save, 0,
        "whether chats are kept, whatever the user sets"),
    ROW("vault.require", INI_CHOICE, "no|yes", vault_require, 0,
        "no chat without the vault"),
    ROW("vault.min_kdf", INI_CHOICE, KDF_CHOICES, vault_min_kdf, 0,
        "the least that a passphrase costs to try"),
    ROW("vault.require_keyfile", INI_CHOICE, "no|yes", vault_require_keyfile, 0,
        "new slots need a key file"),
    ROW("export.plaintext", INI_CHOICE, "deny|allow", export_plaintext, 0,
        "whether text may leave the vault unsealed"),
    ROW("model.verify", INI_CHOICE, VERIFY_CHOICES, model_verify, 0,
        "the least that is checked before a model is opened"),
    ROW("model.trust_dir", INI_PATH, "DIR", model_trust_dir, 0,
        "the only folder of trusted keys"),
    ROW("net", INI_CHOICE, "deny", net, 0,
        "only the installed engine is started"),
    ROW("audit", INI_CHOICE, "optional|required", audit, 0,
        "whether what cannot be recorded may happen"),
    ROW("lock_after", INI_DURATION, "TIME", lock_after, UINT64_MAX,
        "the longest time without a key before the vault is locked"),
    ROW("swap", INI_CHOICE, SWAP_CHOICES, swap, 0,
        "whether fathom runs where memory may go to a disk in the clear"),
    ROW("clipboard", INI_CHOICE, CLIPBOARD_CHOICES, clipboard, 0,
        "whether text may go to the clipboard of the terminal"),
    ROW("editor", INI_CHOICE, "deny|allow", editor, 0,
        "whether text may be given to an editor or a pager"),
};

const struct ini_table policy_table = {"rule", rows,
                                       sizeof rows / sizeof rows[0], NULL};

static struct policy now;

static enum status
check_owner(const struct stat *file, const char *what, uid_t owner,
            struct error *err)
{
    if (file->st_uid != owner)
        return error_set(err, STATUS_DENIED,
                         "%s must belong to root, not to user %lu, before it "
                         "is believed",
                         what, (unsigned long) file->st_uid);
    if ((file->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error_set(err, STATUS_DENIED,
                         "%s can be written by others than root (mode %04o); "
                         "chmod go-w mends that",
                         what, (unsigned) file->st_mode & 07777);
    return STATUS_OK;
}

/* Whoever can write to the folder can put another file in its place. */
static enum status
check_folder(const char *path, uid_t owner, struct error *err)
{
    char folder[PATH_MAX];
    struct stat status;
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", (int) (slash - path), path);
    if (stat(folder, &status) < 0)
        return error_errno(err, "cannot look at %s", folder);
    return check_owner(&status, folder, owner, err);
}

static enum status
check_file(int file, const char *path, uid_t owner, struct error *err)
{
    struct stat status;

    if (fstat(file, &status) < 0)
        return error_errno(err, "cannot look at %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, STATUS_DENIED, "%s is not a regular file", path);
    TRY(check_owner(&status, path, owner, err));
    return check_folder(path, owner, err);
}

enum status
policy_read(struct policy *out, const char *path, uid_t owner,
            struct error *err)
{
    struct buffer text = {0};
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    *out = (struct policy){0};
    if (file < 0 && (errno == ENOENT || errno == ENOTDIR))
        return STATUS_OK;
    if (file < 0) {
        (void) error_errno(err,
                           "the policy cannot be read, and nothing goes "
                           "on without it: %s",
                           path);
        return err->status = STATUS_DENIED;
    }
    enum status status = check_file(file, path, owner, err);

    if (status == STATUS_OK)
        status = settings_read_text(&text, file, path, err);
    if (status == STATUS_OK)
        status = ini_parse_text(out, &policy_table, path, text.data,
                                text.length, err);
    close(file);
    buffer_release(&text);
    return status;
}

enum status
policy_start(struct error *err)
{
    return policy_read(&now, POLICY_PATH, 0, err);
}

const struct policy *
policy_now(void)
{
    return &now;
}

const char *
policy_path(void)
{
    return POLICY_PATH;
}

static bool
says(struct option_count rule, uint64_t value)
{
    return rule.given && rule.value == value;
}

bool
policy_forbids_plain_export(void)
{
    return says(now.export_plaintext, 0);
}

bool
policy_requires_vault(void)
{
    return says(now.vault_require, 1);
}

bool
policy_requires_key_file(void)
{
    return says(now.vault_require_keyfile, 1);
}

bool
policy_denies_net(void)
{
    return says(now.net, 0);
}

bool
policy_requires_audit(void)
{
    return says(now.audit, 1);
}

bool
policy_forbids_clipboard(void)
{
    return says(now.clipboard, 0);
}

bool
policy_forbids_editor(void)
{
    return says(now.editor, 0);
}

const char *
policy_trust_dir(void)
{
    return now.model_trust_dir[0] ? now.model_trust_dir : NULL;
}

enum status
policy_refusal(struct error *err, const char *what, const char *rule)
{
    return error_set(err, STATUS_DENIED, "%s: the policy in %s forbids it (%s)",
                     what, POLICY_PATH, rule);
}
