/* Making, opening and closing a vault. */
#include "config.h"

#include "storage/vault.h"
#include "storage/anchor.h"
#include "storage/safe_file.h"
#include "storage/vault_build.h"
#include "storage/vault_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status
vault_exists(bool *out, const struct vault_places *at, struct error *err)
{
    char path[PATH_MAX];

    TRY(vault_path(path, at->data, "vault.keys", err));
    TRY(safe_file_exists(out, path, err));
    if (*out)
        return STATUS_OK;
    TRY(vault_path(path, at->data, "vault.db", err));
    return safe_file_exists(out, path, err);
}

enum status
vault_anchor_counter(uint64_t *out, bool *found, const struct vault_places *at,
                     const uint8_t *id, struct error *err)
{
    struct anchor anchor = {0};

    TRY(anchor_read(&anchor, found, at->state, id, NULL, err));
    *out = anchor.counter;
    return STATUS_OK;
}

const char *
vault_remark(const struct vault *vault)
{
    return vault->remark[0] == '\0' ? NULL : vault->remark;
}

void
vault_close(struct vault *vault)
{
    if (vault == NULL)
        return;
    vault_root_release(vault);
    buffer_release(&vault->row);
    buffer_release(&vault->body);
    vault_file_close(vault->file, vault->access == VAULT_WRITE);
    row_keys_close(vault->keys);
    if (vault->lock >= 0)
        close(vault->lock);
    explicit_bzero(vault, sizeof *vault);
    free(vault);
}

// -- making -----------------------------------------------------------------

static enum status
refuse_second(const struct vault_places *at, struct error *err)
{
    bool there;

    TRY(vault_exists(&there, at, err));
    if (there)
        return error_set(err, STATUS_LIMIT,
                         "there is a vault already; to begin anew, move its "
                         "folder away");
    return STATUS_OK;
}

static enum status
create_with(struct vault *vault, const struct credential *credential,
            const struct kdf_cost *cost, struct error *err)
{
    struct vault_keys *keys = NULL;
    struct secret *master = NULL;
    enum status status =
        vault_keys_create(&keys, &master, credential, cost, err);

    if (status != STATUS_OK)
        return status;
    status = vault_build(vault, keys, master, err);
    if (status == STATUS_OK)
        status = vault_take_place(vault, keys, master, err);
    secret_close(master);
    vault_keys_close(keys);
    return status;
}

enum status
vault_create(struct vault **out, const struct vault_places *at,
             const struct credential *credential, const struct kdf_cost *cost,
             struct error *err)
{
    struct vault *vault;
    enum status status;

    TRY(secret_start(err));
    TRY(safe_folder_make(at->data, err));
    TRY(safe_folder_make(at->state, err));
    TRY(vault_alloc(&vault, at, true, err));
    status = refuse_second(at, err);
    if (status == STATUS_OK)
        status = create_with(vault, credential, cost, err);
    if (status == STATUS_OK)
        status = vault_audit(vault, "create", "", err);
    if (status == STATUS_OK)
        *out = vault;
    else
        vault_close(vault);
    return status;
}

// -- opening ----------------------------------------------------------------

static enum status
open_keys(struct vault_keys **out, const struct vault *vault, struct error *err)
{
    char path[PATH_MAX];
    bool there;

    TRY(vault_path(path, vault->data, "vault.keys", err));
    TRY(safe_file_exists(&there, path, err));
    if (there)
        return vault_keys_open(out, path, err);
    TRY(vault_path(path, vault->data, "vault.db", err));
    TRY(safe_file_exists(&there, path, err));
    if (there)
        return error_set(err, STATUS_INTEGRITY,
                         "the vault's slots are missing: vault.keys is not "
                         "beside vault.db; bring it back from a backup");
    return error_set(err, STATUS_IO,
                     "there is no vault yet; fathom vault init makes one");
}

/* The clear copies of id and public key are as the keys say. */
static enum status
check_header(const struct vault *vault, const struct vault_keys *keys,
             struct error *err)
{
    const struct vault_header *header = vault_file_header(vault->file);
    struct secret *private_key;
    uint8_t public_key[32];

    if (memcmp(header->vault, vault_keys_id(keys), VAULT_ID_BYTES) != 0)
        return vault_alarm(
            vault, "vault.db and vault.keys are not of the same vault", err);
    TRY(row_keys_box(public_key, &private_key, vault->keys, err));
    secret_close(private_key);
    if (!secret_equal(public_key, header->sealing, sizeof public_key) ||
        !secret_equal(public_key, vault_keys_sealing(keys), sizeof public_key))
        return vault_alarm(
            vault, "somebody changed the key that the inbox is sealed with",
            err);
    return STATUS_OK;
}

static enum status
check_anchor(struct vault *vault, struct error *err)
{
    enum status status = vault_anchor_check(vault, err);

    // for reading, what is wrong is said and no more
    if (status == STATUS_INTEGRITY && vault->access == VAULT_READ) {
        snprintf(vault->remark, sizeof vault->remark, "%s", err->text);
        vault->alarm = true;
        return STATUS_OK;
    }
    return status;
}

static enum status
open_file(struct vault *vault, const char *name, struct error *err)
{
    char path[PATH_MAX];
    bool there;

    TRY(vault_path(path, vault->data, name, err));
    TRY(safe_file_exists(&there, path, err));
    if (!there)
        return vault_alarm(vault, "vault.db is missing", err);
    return vault_file_open(
        &vault->file, path,
        vault->access == VAULT_WRITE ? VAULT_FILE_WRITE : VAULT_FILE_READ, err);
}

enum status
vault_open_rows(struct vault *vault, const char *name,
                const struct vault_keys *keys, const struct secret *master,
                struct error *err)
{
    TRY(row_keys_open(&vault->keys, master, vault_keys_id(keys), err));
    TRY(open_file(vault, name, err));
    TRY(check_header(vault, keys, err));
    memcpy(vault->sealing, vault_keys_sealing(keys), sizeof vault->sealing);
    TRY(vault_root_load(vault, vault->access == VAULT_READ, err));
    if (vault->shards_lost > 0)
        snprintf(vault->remark, sizeof vault->remark,
                 "%zu lists of up to %d chats each cannot be read",
                 vault->shards_lost, SHARD_CHATS);
    return STATUS_OK;
}

/* What only whoever may write does: sweep, and remember. */
static enum status
begin_writing(struct vault *vault, struct error *err)
{
    char path[PATH_MAX];

    TRY(vault_path(path, vault->data, "vault.keys", err));
    TRY(vault_keys_settle(path, err));
    TRY(vault_cache_sweep(vault, err));
    return vault_audit(vault, "unlock", "", err);
}

static enum status
unlock(struct secret **master, const struct vault *vault,
       const struct vault_keys *keys, const struct credential *credential,
       struct error *err)
{
    unsigned slot;
    enum status status =
        vault_keys_unlock(master, &slot, keys, credential, err);

    if (status == STATUS_INTEGRITY && vault->access == VAULT_READ &&
        *master != NULL)
        return STATUS_OK;
    return status;
}

static enum status
enter_locked(struct vault *vault, const struct vault_keys *keys,
             const struct secret *master, struct error *err)
{
    TRY(vault_settle(vault, keys, err));
    TRY(vault_open_rows(vault, "vault.db", keys, master, err));
    TRY(check_anchor(vault, err));
    return vault->access == VAULT_WRITE ? begin_writing(vault, err) : STATUS_OK;
}

/* Reads the slots before anything is made or locked, and takes the lock. */
static enum status
approach(struct vault **out, struct vault_keys **keys,
         const struct vault_places *at, struct error *err)
{
    struct vault *vault;
    enum status status;

    TRY(vault_alloc(&vault, at, false, err));
    status = open_keys(keys, vault, err);
    vault_close(vault);
    if (status == STATUS_OK)
        status = safe_folder_make(at->state, err);
    if (status == STATUS_OK)
        status = vault_alloc(out, at, true, err);
    return status;
}

enum status
vault_enter(struct vault **out, struct vault_keys **keys,
            struct secret **master, const struct vault_places *at,
            const struct credential *credential, enum vault_access access,
            struct error *err)
{
    struct vault *vault = NULL;
    enum status status;

    *keys = NULL;
    *master = NULL;
    TRY(secret_start(err));
    status = approach(&vault, keys, at, err);
    if (status == STATUS_OK) {
        vault->access = access;
        status = unlock(master, vault, *keys, credential, err);
    }
    if (status == STATUS_OK)
        status = enter_locked(vault, *keys, *master, err);
    if (status == STATUS_OK) {
        *out = vault;
        return STATUS_OK;
    }
    if (vault != NULL)
        vault->access = VAULT_READ; // nothing unbelieved is merged
    vault_close(vault);
    secret_close(*master);
    vault_keys_close(*keys);
    return status;
}

enum status
vault_open(struct vault **out, const struct vault_places *at,
           const struct credential *credential, enum vault_access access,
           struct error *err)
{
    struct vault_keys *keys;
    struct secret *master;

    TRY(vault_enter(out, &keys, &master, at, credential, access, err));
    secret_close(master);
    vault_keys_close(keys);
    return STATUS_OK;
}
