/*
 * The anchor: what this machine remembers of a vault, so that an older copy of
 * the file is noticed. One file in the state directory for each vault,
 * anchor-ID with the vault's id in hexadecimal, 128 bytes:
 *
 *     0  "fathom-a"
 *     8  vault's id, 16 bytes
 *    24  u64 counter of the root
 *    32  keyed BLAKE2b of the root's row, 32 bytes
 *    64  X25519 public key of the inbox, 32 bytes
 *    96  keyed BLAKE2b of all before, 32 bytes (key: "anchor")
 *
 * It is written after each transaction. Threads: plain functions.
 */
#ifndef FATHOM_STORAGE_ANCHOR_H
#define FATHOM_STORAGE_ANCHOR_H

#include "storage/row_keys.h"

struct anchor {
    uint64_t counter;
    uint8_t root_mac[ROOT_MAC_BYTES];
    uint8_t sealing[32];
};

/*
 * *found is false where there is none. With `keys` NULL, which is for sealing
 * without unlocking, its own MAC is not checked. STATUS_INTEGRITY: damaged, or
 * not written by this vault.
 */
MUST_CHECK enum status anchor_read(struct anchor *out, bool *found,
                                   const char *state,
                                   const uint8_t vault[VAULT_ID_BYTES],
                                   const struct row_keys *keys,
                                   struct error *err);
MUST_CHECK enum status anchor_write(const struct anchor *anchor,
                                    const char *state,
                                    const struct row_keys *keys,
                                    struct error *err);
MUST_CHECK enum status anchor_remove(const char *state,
                                     const uint8_t vault[VAULT_ID_BYTES],
                                     struct error *err);

#endif
