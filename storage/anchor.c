/* Reading and writing the anchor whole. */
#include "config.h"

#include "storage/anchor.h"
#include "storage/little_endian.h"
#include "storage/safe_file.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    ANCHOR_BYTES = 128,
    AT_VAULT = 8,
    AT_COUNTER = 24,
    AT_ROOT_MAC = 32,
    AT_SEALING = 64,
    AT_MAC = 96,
    PATH_SHOWN = 300,
};

static const char MAGIC[8] = {'f', 'a', 't', 'h', 'o', 'm', '-', 'a'};

static enum status
anchor_path(char out[PATH_MAX], const char *state,
            const uint8_t vault[VAULT_ID_BYTES], struct error *err)
{
    char id[2 * VAULT_ID_BYTES + 1];
    int length;

    sodium_bin2hex(id, sizeof id, vault, VAULT_ID_BYTES);
    length = snprintf(out, PATH_MAX, "%s/anchor-%s", state, id);
    if (length < 0 || length >= PATH_MAX)
        return error_set(err, STATUS_LIMIT,
                         "the state folder's path is too "
                         "long");
    return STATUS_OK;
}

static enum status
damaged(const char *path, struct error *err)
{
    char shown[PATH_SHOWN];

    return error_set(err, STATUS_INTEGRITY,
                     "%s was changed: it no longer tells whether the vault is "
                     "an old copy; remove it if you trust the vault",
                     text_quote(shown, sizeof shown, path, strlen(path)));
}

static enum status
parse(struct anchor *out, const struct buffer *bytes,
      const uint8_t vault[VAULT_ID_BYTES], const struct row_keys *keys,
      const char *path, struct error *err)
{
    const uint8_t *at = (const uint8_t *) bytes->data;
    uint8_t mac[ROOT_MAC_BYTES];

    if (bytes->length != ANCHOR_BYTES || memcmp(at, MAGIC, sizeof MAGIC) != 0 ||
        memcmp(at + AT_VAULT, vault, VAULT_ID_BYTES) != 0)
        return damaged(path, err);
    if (keys != NULL) {
        row_keys_anchor_mac(mac, keys, at, AT_MAC);
        if (!secret_equal(mac, at + AT_MAC, sizeof mac))
            return damaged(path, err);
    }
    out->counter = get_u64(at + AT_COUNTER);
    memcpy(out->root_mac, at + AT_ROOT_MAC, sizeof out->root_mac);
    memcpy(out->sealing, at + AT_SEALING, sizeof out->sealing);
    return STATUS_OK;
}

enum status
anchor_read(struct anchor *out, bool *found, const char *state,
            const uint8_t vault[VAULT_ID_BYTES], const struct row_keys *keys,
            struct error *err)
{
    char path[PATH_MAX];
    struct buffer bytes = {0};
    enum status status;

    TRY(anchor_path(path, state, vault, err));
    TRY(safe_file_exists(found, path, err));
    if (!*found)
        return STATUS_OK;
    status = safe_file_read(&bytes, path, ANCHOR_BYTES, err);
    if (status == STATUS_LIMIT)
        status = damaged(path, err);
    if (status == STATUS_OK)
        status = parse(out, &bytes, vault, keys, path, err);
    buffer_release(&bytes);
    return status;
}

enum status
anchor_write(const struct anchor *anchor, const char *state,
             const struct row_keys *keys, struct error *err)
{
    char path[PATH_MAX];
    uint8_t bytes[ANCHOR_BYTES];

    TRY(anchor_path(path, state, row_keys_vault(keys), err));
    memcpy(bytes, MAGIC, sizeof MAGIC);
    memcpy(bytes + AT_VAULT, row_keys_vault(keys), VAULT_ID_BYTES);
    put_u64(bytes + AT_COUNTER, anchor->counter);
    memcpy(bytes + AT_ROOT_MAC, anchor->root_mac, ROOT_MAC_BYTES);
    memcpy(bytes + AT_SEALING, anchor->sealing, sizeof anchor->sealing);
    row_keys_anchor_mac(bytes + AT_MAC, keys, bytes, AT_MAC);
    return safe_file_write(path, bytes, sizeof bytes, false, err);
}

enum status
anchor_remove(const char *state, const uint8_t vault[VAULT_ID_BYTES],
              struct error *err)
{
    char path[PATH_MAX];

    TRY(anchor_path(path, state, vault, err));
    return safe_file_remove(path, err);
}
