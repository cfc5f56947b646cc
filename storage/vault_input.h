/* What the vault itself needs of input history. */
#ifndef FATHOM_STORAGE_VAULT_INPUT_H
#define FATHOM_STORAGE_VAULT_INPUT_H

#include "storage/vault_root.h"

/* Opens the i-th page; its items are lines that borrow from *bytes. */
MUST_CHECK enum status vault_input_page(struct items_body *out,
                                        struct buffer *bytes,
                                        struct vault *vault, size_t i,
                                        struct error *err);
/* Within a transaction: one more line. */
MUST_CHECK enum status vault_input_put(struct vault *vault, struct text line,
                                       size_t keep, struct error *err);

#endif
