/*
 * All of one vault, sealed anew in another. Numbers of rows stay, since turns
 * name each other by them. Internal to the vault's files.
 */
#ifndef FATHOM_STORAGE_VAULT_COPY_H
#define FATHOM_STORAGE_VAULT_COPY_H

#include "storage/vault_root.h"

/*
 * Fills `to`, which was just built. With `report`, what cannot be read is left
 * out and said; without, it fails.
 */
MUST_CHECK enum status vault_copy(struct vault *to, struct vault *from,
                                  vault_report_fn *report, void *context,
                                  struct error *err);

#endif
