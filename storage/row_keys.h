/*
 * The keys of an unlocked vault, each for one purpose, derived from the master
 * key (vault_keys_derive) with these labels:
 *
 *   "manifest"  root, shards and manifests of chats
 *   "rows"      parent of each chat's own key for turns and drafts: keyed
 *               BLAKE2b-256 over "fathom/v1/chat", the vault's id, the chat's
 *   "inputs"    pages of input history
 *   "caches"    the list of caches and their chunks
 *   "audit"     audit pages, and the chain within them
 *   "taken"     what came through the inbox
 *   "anchor"    BLAKE2b of the root's row and of the anchor
 *   "box"       seed of the X25519 key of the inbox
 *
 * Threads: one at a time.
 */
#ifndef FATHOM_STORAGE_ROW_KEYS_H
#define FATHOM_STORAGE_ROW_KEYS_H

#include "storage/sealed.h"
#include "storage/vault_body.h"

struct row_keys;

/* Copies nothing of `master`, which stays the caller's. */
MUST_CHECK enum status row_keys_open(struct row_keys **out,
                                     const struct secret *master,
                                     const uint8_t vault[VAULT_ID_BYTES],
                                     struct error *err);
void row_keys_close(struct row_keys *keys); // takes NULL

const uint8_t *row_keys_vault(const struct row_keys *keys); // VAULT_ID_BYTES

/*
 * Seals `body` for ref->row at ref->generation and fills ref->tag. `chat` is
 * NULL for rows of no chat.
 */
MUST_CHECK enum status row_seal(struct buffer *out, struct row_keys *keys,
                                enum row_kind kind, const struct chat_id *chat,
                                struct row_ref *ref, const void *body,
                                size_t bytes, struct error *err);
/*
 * Opens what should be that row. With `tag` the row must be the very one that
 * `ref` names; a root and a draft have none that vouches for them.
 */
MUST_CHECK enum status row_open(struct buffer *out, struct row_keys *keys,
                                enum row_kind kind, const struct chat_id *chat,
                                const struct row_ref *ref, bool tag,
                                const struct buffer *row, struct error *err);

/* Keyed BLAKE2b-256 with the anchor's key, and with that of the audit chain. */
void row_keys_anchor_mac(uint8_t out[ROOT_MAC_BYTES],
                         const struct row_keys *keys, const void *bytes,
                         size_t length);
void row_keys_audit_mac(uint8_t out[ROOT_MAC_BYTES],
                        const struct row_keys *keys, const void *bytes,
                        size_t length);

/* The pair of the inbox. */
MUST_CHECK enum status row_keys_box(uint8_t public_key[32],
                                    struct secret **private_key,
                                    const struct row_keys *keys,
                                    struct error *err);

#endif
