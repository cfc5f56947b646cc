/* Backups: one file with rows and slots, made while in use, and put back. */
#include "config.h"

#include "storage/safe_file.h"
#include "storage/vault_build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SHOWN = 300, KEPT_MOST = 1000 };

enum status
vault_backup(struct vault *vault, const char *to, struct error *err)
{
    struct buffer keys = {0};
    char path[PATH_MAX];
    enum status status;

    TRY(vault_path(path, vault->data, "vault.keys", err));
    status = safe_file_read(&keys, path, VAULT_KEYS_BYTES, err);
    if (status == STATUS_OK)
        status = vault_file_backup(vault->file, to, &keys, err);
    buffer_release(&keys);
    if (status == STATUS_OK)
        status = vault_audit(vault, "backup", "", err);
    return status;
}

enum status
vault_backup_slots(struct vault_keys **out, const char *from, struct error *err)
{
    struct buffer bytes = {0};
    struct vault_file *backup;
    enum status status;

    TRY(vault_file_open(&backup, from, VAULT_FILE_BACKUP, err));
    status = vault_file_backup_keys(&bytes, backup, err);
    if (status == STATUS_OK)
        status = vault_keys_parse(out, bytes.data, bytes.length,
                                  "the backup's slots", err);
    vault_file_close(backup, false);
    buffer_release(&bytes);
    return status;
}

// -- keeping the former vault -----------------------------------------------

static void
kept_path(char out[PATH_MAX + 32], const char *path, unsigned number)
{
    snprintf(out, PATH_MAX + 32, "%s.before-%u", path, number);
}

/* A number that no kept file has. */
static enum status
free_number(unsigned *out, const char *db, const char *keys, struct error *err)
{
    char kept[PATH_MAX + 32];
    bool db_there = true, keys_there = true;

    for (*out = 1; *out < KEPT_MOST; ++*out) {
        kept_path(kept, db, *out);
        TRY(safe_file_exists(&db_there, kept, err));
        kept_path(kept, keys, *out);
        TRY(safe_file_exists(&keys_there, kept, err));
        if (!db_there && !keys_there)
            return STATUS_OK;
    }
    return error_set(err, STATUS_LIMIT,
                     "%d former vaults are kept beside this one; move some "
                     "away",
                     KEPT_MOST);
}

static enum status
keep(const char *path, unsigned number, struct error *err)
{
    char kept[PATH_MAX + 32], shown[PATH_SHOWN];

    kept_path(kept, path, number);
    // a second name: the first one is replaced by the restored file
    if (link(path, kept) == 0 || errno == ENOENT)
        return STATUS_OK;
    return error_errno(err, "cannot keep %s",
                       text_quote(shown, sizeof shown, path, strlen(path)));
}

/* What is in the WAL goes into the file, as far as the file can be read. */
static void
merge(const char *db)
{
    struct vault_file *file;
    struct error ignored;

    if (vault_file_open(&file, db, VAULT_FILE_WRITE, &ignored) == STATUS_OK)
        vault_file_close(file, true);
}

static enum status
keep_former(const char *data, struct error *err)
{
    char db[PATH_MAX], keys[PATH_MAX], wal[PATH_MAX];
    unsigned number;

    TRY(vault_path(db, data, "vault.db", err));
    TRY(vault_path(wal, data, "vault.db-wal", err));
    TRY(vault_path(keys, data, "vault.keys", err));
    merge(db);
    TRY(free_number(&number, db, keys, err));
    TRY(keep(db, number, err));
    TRY(keep(wal, number, err));
    TRY(keep(keys, number, err));
    return safe_file_sync_folder(db, err);
}

// -- restoring --------------------------------------------------------------

struct counted {
    size_t sentences;
    char first[300];
};

static void
count_sentence(void *context, const char *sentence)
{
    struct counted *counted = context;

    if (counted->sentences++ == 0)
        snprintf(counted->first, sizeof counted->first, "%s", sentence);
}

/* Every row of the unpacked backup is looked at before anything is replaced. */
static enum status
check_unpacked(struct vault *vault, const char *from, struct error *err)
{
    struct counted counted = {0};
    char shown[PATH_SHOWN];
    size_t faults;

    TRY(vault_check(&faults, vault, count_sentence, &counted, err));
    if (faults == 0)
        return STATUS_OK;
    return error_set(err, STATUS_INTEGRITY,
                     "the backup %s is damaged (%s), so nothing was restored",
                     text_quote(shown, sizeof shown, from, strlen(from)),
                     counted.first);
}

static enum status
unpack(struct vault *vault, struct buffer *keys, const char *from,
       struct error *err)
{
    char path[PATH_MAX];
    struct vault_file *backup;
    enum status status;

    TRY(vault_drop_new(vault->data, err));
    TRY(vault_path(path, vault->data, "vault.db.new", err));
    TRY(vault_file_open(&backup, from, VAULT_FILE_BACKUP, err));
    status = vault_file_backup_keys(keys, backup, err);
    if (status == STATUS_OK)
        status = vault_file_unpack(backup, path, err);
    vault_file_close(backup, false);
    return status;
}

/* All that may fail before anything is replaced. */
static enum status
prepare(struct vault *vault, struct vault_keys **keys, struct secret **master,
        const struct credential *credential, const char *from,
        struct error *err)
{
    struct buffer bytes = {0};
    unsigned slot;
    enum status status = unpack(vault, &bytes, from, err);

    if (status == STATUS_OK)
        status = vault_keys_parse(keys, bytes.data, bytes.length,
                                  "the backup's slots", err);
    buffer_release(&bytes);
    if (status != STATUS_OK)
        return status;
    TRY(vault_keys_unlock(master, &slot, *keys, credential, err));
    vault->access = VAULT_WRITE;
    TRY(vault_open_rows(vault, "vault.db.new", *keys, *master, err));
    TRY(check_unpacked(vault, from, err));
    TRY(keep_former(vault->data, err));
    // from here on this machine remembers the restored root; the vault that is
    // still in place is ahead of it, which is no alarm
    return vault_audit(vault, "restore", "", err);
}

static void
drop_unpacked(struct vault *vault)
{
    struct error ignored;

    vault_file_close(vault->file, false);
    vault->file = NULL;
    if (vault_drop_new(vault->data, &ignored) != STATUS_OK)
        log_warn("a restore that failed left files behind");
}

enum status
vault_restore(const struct vault_places *at,
              const struct credential *credential, const char *from,
              struct error *err)
{
    struct vault *vault;
    struct vault_keys *keys = NULL;
    struct secret *master = NULL;
    enum status status;

    TRY(secret_start(err));
    TRY(safe_folder_make(at->data, err));
    TRY(safe_folder_make(at->state, err));
    TRY(vault_alloc(&vault, at, true, err));
    status = prepare(vault, &keys, &master, credential, from, err);
    // once vault.keys is replaced, vault.db.new must stay
    if (status == STATUS_OK)
        status = vault_take_place(vault, keys, master, err);
    else
        drop_unpacked(vault);
    secret_close(master);
    vault_keys_close(keys);
    vault_close(vault);
    return status;
}
