/* From vault.db.new to vault.db, and what an interrupted run left. */
#include "config.h"

#include "storage/vault_build.h"
#include "storage/safe_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SHOWN = 300 };

static enum status
take_lock(struct vault *vault, struct error *err)
{
    char path[PATH_MAX], shown[PATH_SHOWN];
    pid_t holder = 0;
    enum status status;

    TRY(vault_path(path, vault->data, "vault.lock", err));
    status = safe_file_lock(&vault->lock, &holder, path, err);
    if (status == STATUS_BUSY) {
        text_quote(shown, sizeof shown, vault->data, strlen(vault->data));
        vault->lock = -1;
        return error_set(err, STATUS_BUSY, "%s is used by process %jd", shown,
                         (intmax_t) holder);
    }
    return status;
}

static enum status
set_places(struct vault *vault, const struct vault_places *at,
           struct error *err)
{
    // vault_path leaves room behind, "." is what a folder is to itself
    int data = snprintf(vault->data, sizeof vault->data, "%s", at->data);
    int state = snprintf(vault->state, sizeof vault->state, "%s", at->state);

    if (data < 0 || state < 0 || data >= PATH_MAX - 64 ||
        state >= PATH_MAX - 64)
        return error_set(err, STATUS_LIMIT,
                         "the path of the vault's folder is too long");
    return STATUS_OK;
}

enum status
vault_alloc(struct vault **out, const struct vault_places *at, bool lock,
            struct error *err)
{
    void *memory;
    struct vault *vault;
    enum status status;

    TRY(memory_alloc(&memory, sizeof *vault, err));
    vault = memory;
    memset(vault, 0, sizeof *vault);
    vault->lock = -1;
    status = set_places(vault, at, err);
    if (status == STATUS_OK && lock)
        status = take_lock(vault, err);
    if (status == STATUS_OK)
        *out = vault;
    else
        vault_close(vault);
    return status;
}

// -- making -----------------------------------------------------------------

static enum status
remove_beside(const char *data, const char *name, struct error *err)
{
    char path[PATH_MAX];
    bool there;

    TRY(vault_path(path, data, name, err));
    TRY(safe_file_exists(&there, path, err));
    return there ? safe_file_remove(path, err) : STATUS_OK;
}

enum status
vault_drop_new(const char *data, struct error *err)
{
    TRY(remove_beside(data, "vault.db.new-wal", err));
    TRY(remove_beside(data, "vault.db.new-journal", err));
    TRY(remove_beside(data, "vault.keys.new", err));
    return remove_beside(data, "vault.db.new", err);
}

enum status
vault_build(struct vault *vault, const struct vault_keys *keys,
            const struct secret *master, struct error *err)
{
    char path[PATH_MAX];
    struct vault_header header = {.format = SEALED_FORMAT};

    memcpy(header.vault, vault_keys_id(keys), sizeof header.vault);
    memcpy(header.sealing, vault_keys_sealing(keys), sizeof header.sealing);
    memcpy(vault->sealing, header.sealing, sizeof vault->sealing);
    TRY(vault_drop_new(vault->data, err));
    TRY(vault_path(path, vault->data, "vault.db.new", err));
    TRY(row_keys_open(&vault->keys, master, header.vault, err));
    TRY(vault_file_create(&vault->file, path, &header, err));
    vault->access = VAULT_WRITE;
    vault->next_row = FIRST_ROW;
    TRY(vault_begin(vault, err));
    return vault_commit(vault, err);
}

static enum status
move_into_place(const char *data, const char *name, const char *place,
                struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX], shown[PATH_SHOWN];

    TRY(vault_path(from, data, name, err));
    TRY(vault_path(to, data, place, err));
    if (rename(from, to) != 0)
        return error_errno(err, "cannot put %s in place",
                           text_quote(shown, sizeof shown, from, strlen(from)));
    return safe_file_sync_folder(to, err);
}

static enum status
put_rows_in_place(const char *data, struct error *err)
{
    // the WAL of the former vault would be taken for the new one's
    TRY(remove_beside(data, "vault.db-wal", err));
    return move_into_place(data, "vault.db.new", "vault.db", err);
}

enum status
vault_take_place(struct vault *vault, struct vault_keys *keys,
                 const struct secret *master, struct error *err)
{
    char path[PATH_MAX];

    vault_file_close(vault->file, true);
    vault->file = NULL;
    TRY(vault_path(path, vault->data, "vault.keys.new", err));
    TRY(vault_keys_write(keys, master, path, err));
    TRY(move_into_place(vault->data, "vault.keys.new", "vault.keys", err));
    TRY(put_rows_in_place(vault->data, err));
    TRY(vault_path(path, vault->data, "vault.db", err));
    return vault_file_open(&vault->file, path, VAULT_FILE_WRITE, err);
}

// -- what a crash left ------------------------------------------------------

/* Is there such a database, whole enough to be read, with this id? */
static bool
belongs(const char *data, const char *name, const struct vault_keys *keys)
{
    char path[PATH_MAX];
    struct vault_file *file;
    struct error ignored;
    bool same;

    if (vault_path(path, data, name, &ignored) != STATUS_OK ||
        vault_file_open(&file, path, VAULT_FILE_READ, &ignored) != STATUS_OK)
        return false;
    same = memcmp(vault_file_header(file)->vault, vault_keys_id(keys),
                  VAULT_ID_BYTES) == 0;
    vault_file_close(file, false);
    return same;
}

enum status
vault_settle(struct vault *vault, const struct vault_keys *keys,
             struct error *err)
{
    char path[PATH_MAX];
    bool there;

    TRY(vault_path(path, vault->data, "vault.db.new", err));
    TRY(safe_file_exists(&there, path, err));
    if (!there)
        return STATUS_OK;
    if (belongs(vault->data, "vault.db", keys))
        return vault_drop_new(vault->data, err);
    if (belongs(vault->data, "vault.db.new", keys))
        return put_rows_in_place(vault->data, err);
    return STATUS_OK; // opening tells what is wrong with vault.db
}
