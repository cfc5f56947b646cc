/*
 * Making a vault's file and putting it in place of another, so that a crash at
 * any moment leaves either the old vault or the new one. Internal to the
 * vault's files. In the data folder:
 *
 *     vault.db vault.keys   the vault, when both have the same id
 *     vault.db.new          one that is being made, vault.keys.new its slots
 *     vault.lock            who has it
 *
 * The order is: vault.db.new whole and on the disk, then vault.keys, then
 * vault.db.new becomes vault.db. Between the last two, vault.keys belongs to
 * vault.db.new alone, and whoever opens the vault next ends it.
 */
#ifndef FATHOM_STORAGE_VAULT_BUILD_H
#define FATHOM_STORAGE_VAULT_BUILD_H

#include "storage/vault_root.h"

/*
 * An unopened vault for these places; vault_close gives it back. With `lock`
 * it is ours until then: STATUS_BUSY names the process that has it.
 */
MUST_CHECK enum status vault_alloc(struct vault **out,
                                   const struct vault_places *at, bool lock,
                                   struct error *err);
/* Ends or takes back what a crash interrupted, once it is locked. */
MUST_CHECK enum status vault_settle(struct vault *vault,
                                    const struct vault_keys *keys,
                                    struct error *err);
/* Makes vault.db.new and writes its first root; replaces one left behind. */
MUST_CHECK enum status vault_build(struct vault *vault,
                                   const struct vault_keys *keys,
                                   const struct secret *master,
                                   struct error *err);
/*
 * Closes what vault_build made, puts it and `keys` in place of what is there,
 * and opens it again as the vault.
 */
MUST_CHECK enum status vault_take_place(struct vault *vault,
                                        struct vault_keys *keys,
                                        const struct secret *master,
                                        struct error *err);
/* Removes what was being made. */
MUST_CHECK enum status vault_drop_new(const char *data, struct error *err);

/*
 * vault_open, and what it was opened with: the caller closes all three. After
 * an alarm, VAULT_READ takes the mirrors and says in `remark` what is wrong.
 */
MUST_CHECK enum status vault_enter(struct vault **out, struct vault_keys **keys,
                                   struct secret **master,
                                   const struct vault_places *at,
                                   const struct credential *credential,
                                   enum vault_access access, struct error *err);
/* Opens the rows of the database `name` in the data folder. */
MUST_CHECK enum status vault_open_rows(struct vault *vault, const char *name,
                                       const struct vault_keys *keys,
                                       const struct secret *master,
                                       struct error *err);

#endif
