/*
 * The inbox: what is written while the vault is locked. Each item is a file of
 * the folder inbox/ in the data folder, 32 hexadecimal digits and ".seal":
 *
 *     0  "fathom-i"
 *     8  crypto_box_seal to the vault's X25519 key (48 bytes more) of
 *            0  vault's id, 16 bytes
 *           16  id of the item, 16 random bytes: the same as in the name
 *           32  u32 length, body of a turn: the question (vault_body.h)
 *               u32 length, body of a turn: its answer
 *
 * Whoever can write to the folder can seal something: an item's sender is not
 * known, and its chat says so. An item is taken once; what cannot be opened,
 * or came before, is left as NAME.refused.
 */
#ifndef FATHOM_STORAGE_INBOX_H
#define FATHOM_STORAGE_INBOX_H

#include "storage/vault_root.h"

enum {
    INBOX_ITEMS = 256,
    INBOX_ITEM_BYTES = 16 << 20,
    INBOX_BYTES = 64 << 20,
    INBOX_TAKEN = 4096, // ids that are remembered
};

#endif
