/*
 * vault.db: a SQLite database that holds sealed rows and nothing else. Its
 * schema is these two statements, to the letter:
 *
 *   CREATE TABLE meta(k INTEGER PRIMARY KEY,v BLOB NOT NULL)
 *   CREATE TABLE r(id INTEGER PRIMARY KEY,b BLOB NOT NULL)
 *
 * Rows of `r` are as sealed.h says. Row 1 of `meta` is in clear, 60 bytes:
 *
 *     0  "fathom-v"
 *     8  u32 format: 1
 *    12  vault's id, 16 bytes
 *    28  X25519 public key to which the inbox is sealed, 32 bytes
 *
 * Row 2 is in backups only, and the last thing that is written there: the
 * bytes of vault.keys. A vault is in WAL mode, a backup is not.
 *
 * One process has the file at a time; vault.lock beside it says which. Errors
 * name the path. Threads: a vault_file belongs to the thread that opened it.
 */
#ifndef FATHOM_STORAGE_VAULT_FILE_H
#define FATHOM_STORAGE_VAULT_FILE_H

#include "storage/vault_keys.h"

struct vault_header {
    uint32_t format;
    uint8_t vault[VAULT_ID_BYTES];
    uint8_t sealing[32];
};

enum vault_file_use {
    VAULT_FILE_WRITE,
    VAULT_FILE_READ,   // no row is changed, what is in the WAL stays there
    VAULT_FILE_BACKUP, // read a backup
};

struct vault_file;

/* Makes the file, which must not be there, mode 0600, without rows. */
MUST_CHECK enum status vault_file_create(struct vault_file **out,
                                         const char *path,
                                         const struct vault_header *header,
                                         struct error *err);
/*
 * STATUS_FORMAT: no database of ours, or damaged; STATUS_INTEGRITY: something
 * was planted in it or beside it; STATUS_UNSUPPORTED: of a newer fathom.
 */
MUST_CHECK enum status vault_file_open(struct vault_file **out,
                                       const char *path,
                                       enum vault_file_use use,
                                       struct error *err);
/* With `merge` the WAL is merged into the file; else it stays as it is. */
void vault_file_close(struct vault_file *file, bool merge); // takes NULL

const struct vault_header *vault_file_header(const struct vault_file *file);

/* Replaces what *out holds; *found is false where there is no such row. */
MUST_CHECK enum status vault_file_read(struct buffer *out, bool *found,
                                       struct vault_file *file, uint64_t row,
                                       struct error *err);
MUST_CHECK enum status vault_file_write(struct vault_file *file, uint64_t row,
                                        const void *bytes, size_t length,
                                        struct error *err);
MUST_CHECK enum status vault_file_remove(struct vault_file *file, uint64_t row,
                                         struct error *err);

/* What is written between begin and commit is there whole or not at all. */
MUST_CHECK enum status vault_file_begin(struct vault_file *file,
                                        struct error *err);
MUST_CHECK enum status vault_file_commit(struct vault_file *file,
                                         struct error *err);
void vault_file_rollback(struct vault_file *file);

/* Numbers of rows from `first` on, ascending; false ends the walk. */
typedef bool vault_row_fn(void *context, uint64_t row);
MUST_CHECK enum status vault_file_each(struct vault_file *file, uint64_t first,
                                       vault_row_fn *visit, void *context,
                                       struct error *err);
MUST_CHECK enum status vault_file_measure(uint64_t *rows, uint64_t *bytes,
                                          struct vault_file *file,
                                          struct error *err);
/* Gives freed pages back and empties the WAL. */
MUST_CHECK enum status vault_file_compact(struct vault_file *file,
                                          struct error *err);
/* SQLite's own look at the structure: a sentence for each fault. */
typedef void vault_fault_fn(void *context, const char *sentence);
MUST_CHECK enum status vault_file_examine(struct vault_file *file,
                                          vault_fault_fn *fault, void *context,
                                          struct error *err);

/* A backup at `to`, which must not exist: all rows, and `keys`. */
MUST_CHECK enum status vault_file_backup(struct vault_file *file,
                                         const char *to,
                                         const struct buffer *keys,
                                         struct error *err);
/* Of a backup: puts its bytes of vault.keys in place of what *keys holds. */
MUST_CHECK enum status vault_file_backup_keys(struct buffer *keys,
                                              struct vault_file *backup,
                                              struct error *err);
/* Of a backup: makes a vault of it at `to`, which must not exist. */
MUST_CHECK enum status vault_file_unpack(struct vault_file *backup,
                                         const char *to, struct error *err);

#endif
