/*
 * Bytes under a passphrase of their own, for carrying away: an Argon2id header
 * and a crypto_secretstream that ends with TAG_FINAL, so that a part of it is
 * known to be one. Nothing of the vault's keys is in it. fathom-export(5) gives
 * the bytes.
 */
#ifndef FATHOM_STORAGE_SEALED_EXPORT_H
#define FATHOM_STORAGE_SEALED_EXPORT_H

#include "storage/vault_keys.h"

enum {
    SEALED_EXPORT_HEAD = 104,
    SEALED_EXPORT_CHUNK = 64 << 10,                // of plain bytes
    SEALED_EXPORT_MORE = 17,                       // a chunk is longer, sealed
    SEALED_EXPORT_LEAST = SEALED_EXPORT_HEAD + 17, // of a whole one
};

/* Sealing: what is written is appended to *sealed, which may be emptied. */
struct sealed_export;

/* Appends the header; takes as long as `cost` says. */
MUST_CHECK enum status sealed_export_begin(struct sealed_export **out,
                                           struct buffer *sealed,
                                           const struct secret *passphrase,
                                           const struct kdf_cost *cost,
                                           struct error *err);
MUST_CHECK enum status sealed_export_write(struct sealed_export *export,
                                           struct buffer *sealed,
                                           const void *bytes, size_t length,
                                           struct error *err);
/* What makes it whole; nothing may be written afterwards. */
MUST_CHECK enum status sealed_export_finish(struct sealed_export *export,
                                            struct buffer *sealed,
                                            struct error *err);
void sealed_export_close(struct sealed_export *export); // takes NULL

/* Whether it begins as one does. */
bool sealed_export_is(const void *bytes, size_t length);

/*
 * Opens a whole one: appends its plain bytes, or nothing at all. STATUS_DENIED:
 * the passphrase is wrong (or the header was changed); STATUS_FORMAT: it was
 * changed or cut off; STATUS_LIMIT: it asks for more than kdf_most;
 * STATUS_UNSUPPORTED: a newer format.
 */
MUST_CHECK enum status sealed_export_open(struct buffer *plain,
                                          const void *bytes, size_t length,
                                          const struct secret *passphrase,
                                          struct error *err);

#endif
