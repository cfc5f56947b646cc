/* Which key seals which row. */
#include "config.h"

#include "storage/row_keys.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum purpose {
    FOR_MANIFEST,
    FOR_ROWS,
    FOR_INPUTS,
    FOR_CACHES,
    FOR_AUDIT,
    FOR_TAKEN,
    FOR_ANCHOR,
    FOR_BOX,
    PURPOSES
};

static const char *const LABELS[PURPOSES] = {
    [FOR_MANIFEST] = "manifest", [FOR_ROWS] = "rows",   [FOR_INPUTS] = "inputs",
    [FOR_CACHES] = "caches",     [FOR_AUDIT] = "audit", [FOR_TAKEN] = "taken",
    [FOR_ANCHOR] = "anchor",     [FOR_BOX] = "box",
};

static const char CHAT_LABEL[] = "fathom/v1/chat";

struct row_keys {
    uint8_t vault[VAULT_ID_BYTES];
    struct secret *keys[PURPOSES];
    struct secret *chat_key; // of `chat`, since many rows follow each other
    struct chat_id chat;
    bool chat_known;
};

static enum status
derive_all(struct row_keys *keys, const struct secret *master,
           struct error *err)
{
    for (size_t i = 0; i < PURPOSES; i++)
        TRY(vault_keys_derive(&keys->keys[i], master, keys->vault, LABELS[i],
                              NULL, 0, err));
    return secret_open(&keys->chat_key, SEALED_KEY_BYTES, err);
}

enum status
row_keys_open(struct row_keys **out, const struct secret *master,
              const uint8_t vault[VAULT_ID_BYTES], struct error *err)
{
    void *memory;
    struct row_keys *keys;
    enum status status;

    TRY(memory_alloc(&memory, sizeof *keys, err));
    keys = memory;
    memset(keys, 0, sizeof *keys);
    memcpy(keys->vault, vault, sizeof keys->vault);
    status = derive_all(keys, master, err);
    if (status == STATUS_OK)
        *out = keys;
    else
        row_keys_close(keys);
    return status;
}

void
row_keys_close(struct row_keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < PURPOSES; i++)
        secret_close(keys->keys[i]);
    secret_close(keys->chat_key);
    free(keys);
}

const uint8_t *
row_keys_vault(const struct row_keys *keys)
{
    return keys->vault;
}

static const uint8_t *
key_for(const struct row_keys *keys, enum purpose purpose)
{
    return secret_bytes(keys->keys[purpose]);
}

static const uint8_t *
chat_key(struct row_keys *keys, const struct chat_id *chat)
{
    crypto_generichash_state state;

    if (keys->chat_known && memcmp(&keys->chat, chat, sizeof *chat) == 0)
        return secret_bytes(keys->chat_key);
    crypto_generichash_init(&state, key_for(keys, FOR_ROWS), SEALED_KEY_BYTES,
                            SEALED_KEY_BYTES);
    crypto_generichash_update(&state, (const uint8_t *) CHAT_LABEL,
                              sizeof CHAT_LABEL - 1);
    crypto_generichash_update(&state, keys->vault, sizeof keys->vault);
    crypto_generichash_update(&state, chat->bytes, sizeof chat->bytes);
    crypto_generichash_final(&state, secret_data(keys->chat_key),
                             SEALED_KEY_BYTES);
    sodium_memzero(&state, sizeof state);
    keys->chat = *chat;
    keys->chat_known = true;
    return secret_bytes(keys->chat_key);
}

static const uint8_t *
row_key(struct row_keys *keys, enum row_kind kind, const struct chat_id *chat)
{
    switch (kind) {
    case ROW_ROOT:
    case ROW_SHARD:
    case ROW_CHAT:
        break;
    case ROW_TURN:
    case ROW_DRAFT:
        return chat_key(keys, chat);
    case ROW_INPUTS:
        return key_for(keys, FOR_INPUTS);
    case ROW_CACHES:
    case ROW_CACHE_CHUNK:
        return key_for(keys, FOR_CACHES);
    case ROW_AUDIT:
        return key_for(keys, FOR_AUDIT);
    case ROW_TAKEN:
        return key_for(keys, FOR_TAKEN);
    }
    return key_for(keys, FOR_MANIFEST);
}

static struct sealed_place
place_of(const struct row_keys *keys, enum row_kind kind,
         const struct chat_id *chat, const struct row_ref *ref)
{
    struct sealed_place place = {.format = SEALED_FORMAT,
                                 .row = ref->row,
                                 .kind = kind,
                                 .generation = ref->generation};

    memcpy(place.vault, keys->vault, sizeof place.vault);
    if (chat != NULL)
        place.chat = *chat;
    return place;
}

static const uint8_t *
row_tag(const struct buffer *row)
{
    return (const uint8_t *) row->data + row->length - SEALED_TAG_BYTES;
}

enum status
row_seal(struct buffer *out, struct row_keys *keys, enum row_kind kind,
         const struct chat_id *chat, struct row_ref *ref, const void *body,
         size_t bytes, struct error *err)
{
    struct sealed_place place = place_of(keys, kind, chat, ref);

    TRY(sealed_close(out, row_key(keys, kind, chat), &place, body, bytes, err));
    memcpy(ref->tag, row_tag(out), sizeof ref->tag);
    return STATUS_OK;
}

enum status
row_open(struct buffer *out, struct row_keys *keys, enum row_kind kind,
         const struct chat_id *chat, const struct row_ref *ref, bool tag,
         const struct buffer *row, struct error *err)
{
    struct sealed_place place = place_of(keys, kind, chat, ref);

    buffer_clear(out);
    if (row->length < SEALED_TAG_BYTES ||
        (tag && !secret_equal(row_tag(row), ref->tag, sizeof ref->tag)))
        return error_set(err, STATUS_INTEGRITY,
                         "a row is not the one that was written last");
    return sealed_open(out, row_key(keys, kind, chat), &place, row->data,
                       row->length, err);
}

void
row_keys_anchor_mac(uint8_t out[ROOT_MAC_BYTES], const struct row_keys *keys,
                    const void *bytes, size_t length)
{
    crypto_generichash(out, ROOT_MAC_BYTES, bytes, length,
                       key_for(keys, FOR_ANCHOR), SEALED_KEY_BYTES);
}

void
row_keys_audit_mac(uint8_t out[ROOT_MAC_BYTES], const struct row_keys *keys,
                   const void *bytes, size_t length)
{
    crypto_generichash(out, ROOT_MAC_BYTES, bytes, length,
                       key_for(keys, FOR_AUDIT), SEALED_KEY_BYTES);
}

enum status
row_keys_box(uint8_t public_key[32], struct secret **private_key,
             const struct row_keys *keys, struct error *err)
{
    TRY(secret_open(private_key, crypto_box_SECRETKEYBYTES, err));
    crypto_box_seed_keypair(public_key, secret_data(*private_key),
                            key_for(keys, FOR_BOX));
    return STATUS_OK;
}
