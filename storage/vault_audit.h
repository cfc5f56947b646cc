/* What the vault itself needs of the audit chain. */
#ifndef FATHOM_STORAGE_VAULT_AUDIT_H
#define FATHOM_STORAGE_VAULT_AUDIT_H

#include "storage/vault_root.h"

/* The end of the chain: from where the next event goes on. */
struct audit_end {
    uint64_t number;
    uint8_t mac[ROOT_MAC_BYTES];
};

/* Within a transaction: one more event of the moment `time_ms`. */
MUST_CHECK enum status vault_audit_put(struct vault *vault, uint64_t time_ms,
                                       const char *event, const char *detail,
                                       struct error *err);

/*
 * Opens the i-th page and follows the chain through it, from and to *end.
 * *out borrows from *bytes.
 */
MUST_CHECK enum status vault_audit_page(struct items_body *out,
                                        struct buffer *bytes,
                                        struct audit_end *end,
                                        struct vault *vault, size_t i,
                                        struct error *err);

#endif
