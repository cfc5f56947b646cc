/*
 * One sealed row: nobody who lacks the key can read it, change it, or put it
 * in another row's place. All numbers are little-endian. A row's bytes:
 *
 *     0  nonce: 24 random bytes, new ones at every write
 *    24  XChaCha20-Poly1305 (IETF) of the padded body
 *   end  its tag, the last 16 bytes
 *
 * The padded body:
 *
 *     0  u32, length of the body
 *     4  body (vault_body.h)
 *        zeros, up to a length of padme(4 + length) and at least 256
 *
 * padme(L): with E = floor(log2 L) and S = floor(log2 E) + 1, the least
 * multiple of 2^(E-S) that is not less than L (at most 12 % more).
 *
 * What is authenticated with it but stored nowhere (66 bytes):
 *
 *     0  "fathom-row"
 *    10  u32 format of the vault: 1
 *    14  vault's id, 16 bytes
 *    30  u64 number of the row
 *    38  u32 kind
 *    42  chat's id, 16 bytes; zeros for a row of no chat
 *    58  u64 generation: how many times the row was written
 *
 * The generation of the root is always 0, since nothing could tell it; that of
 * a draft is its manifest's (vault_body.h).
 * Threads: plain functions over the caller's memory.
 */
#ifndef FATHOM_STORAGE_SEALED_H
#define FATHOM_STORAGE_SEALED_H

#include "storage/record.h"
#include "storage/vault_keys.h"

enum row_kind {
    ROW_ROOT = 1,
    ROW_SHARD,
    ROW_CHAT, // a chat's manifest
    ROW_TURN,
    ROW_DRAFT,
    ROW_INPUTS,      // a page of input history
    ROW_CACHES,      // the list of caches
    ROW_CACHE_CHUNK, // of a cache
    ROW_AUDIT,       // a page of audit events
    ROW_TAKEN,       // ids of what came through the inbox
};

enum {
    SEALED_FORMAT = 1,
    SEALED_KEY_BYTES = 32,
    SEALED_NONCE_BYTES = 24,
    SEALED_TAG_BYTES = 16,
    SEALED_PLACE_BYTES = 66,
    SEALED_LEAST_BYTES = 256,      // padded
    SEALED_BODY_BYTES = 160 << 20, // longest body
};

/* Where a row belongs. */
struct sealed_place {
    uint32_t format;
    uint8_t vault[VAULT_ID_BYTES];
    uint64_t row;
    enum row_kind kind;
    struct chat_id chat;
    uint64_t generation;
};

/* The authenticated bytes of the drawing above. */
void sealed_place_bytes(uint8_t out[SEALED_PLACE_BYTES],
                        const struct sealed_place *place);

/* Length of a body of `bytes` once it is padded. */
size_t sealed_padded(size_t bytes);

/* Replaces what *out holds by the row. */
MUST_CHECK enum status sealed_close(struct buffer *out,
                                    const uint8_t key[SEALED_KEY_BYTES],
                                    const struct sealed_place *place,
                                    const void *body, size_t bytes,
                                    struct error *err);
/*
 * Replaces what *out holds by the body. STATUS_INTEGRITY: not sealed with this
 * key for this place, or changed since; *out is empty then.
 */
MUST_CHECK enum status sealed_open(struct buffer *out,
                                   const uint8_t key[SEALED_KEY_BYTES],
                                   const struct sealed_place *place,
                                   const void *row, size_t bytes,
                                   struct error *err);

#endif
