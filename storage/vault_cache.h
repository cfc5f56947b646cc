/* What the vault itself needs of caches. */
#ifndef FATHOM_STORAGE_VAULT_CACHE_H
#define FATHOM_STORAGE_VAULT_CACHE_H

#include "storage/vault_root.h"

/* Removes chunks that a crash left without a cache. */
MUST_CHECK enum status vault_cache_sweep(struct vault *vault,
                                         struct error *err);
/* Within a transaction: the chat's cache goes, if it has one. */
MUST_CHECK enum status vault_cache_drop(struct vault *vault,
                                        const struct chat_id *chat,
                                        struct error *err);
/* Reads the list of caches; items are cache bodies that borrow from *bytes. */
MUST_CHECK enum status vault_cache_list(struct items_body *out,
                                        struct buffer *bytes,
                                        struct vault *vault, struct error *err);

#endif
