/*
 * Files and folders that only their owner can reach, as ssh asks of its own:
 * a file is regular, the user's and mode 0600 or less; the folder that holds
 * it is the user's (or root's, higher up) and nobody else may write to it, a
 * sticky bit notwithstanding; folders above may be sticky, since what they
 * hold on the way is checked. Symbolic links on the way must lie where only
 * root or the user could have put them; as the last name they are refused.
 *
 * What is made has mode 0700 or 0600 whatever the umask. Paths are named in
 * errors as they were given. STATUS_DENIED: what is there is not safe, and
 * err->text says what to do about it.
 */
#ifndef FATHOM_STORAGE_SAFE_FILE_H
#define FATHOM_STORAGE_SAFE_FILE_H

#include "base/base.h"

#include <stdint.h>

/* Makes a folder and those above it that are missing, and checks it. */
MUST_CHECK enum status safe_folder_make(const char *path, struct error *err);
/* Checks a folder that must be there, and the way to it. */
MUST_CHECK enum status safe_folder_check(const char *path, struct error *err);

/* Is anything there, of whatever kind? Nothing is checked. */
MUST_CHECK enum status safe_file_exists(bool *out, const char *path,
                                        struct error *err);
/* Checks a file that must be there, and the folder that holds it. */
MUST_CHECK enum status safe_file_check(const char *path, struct error *err);

enum safe_access {
    SAFE_READ,
    SAFE_CHANGE, // for reading and writing
    SAFE_APPEND, // for reading, and writing at its end; made where missing
    SAFE_NEW,    // for writing; STATUS_LIMIT: there is one
};
/* Opens it after the same checks; *out is the caller's to close. */
MUST_CHECK enum status safe_file_open(int *out, const char *path,
                                      enum safe_access access,
                                      struct error *err);

/* Appends the whole file; STATUS_LIMIT: it is longer than `most`. */
MUST_CHECK enum status safe_file_read(struct buffer *out, const char *path,
                                      size_t most, struct error *err);

/*
 * Puts `bytes` in place of the file, whole or not at all, and on the disk when
 * this returns: a temporary file beside it, fsync, rename, fsync of the folder.
 * With keep_old the former content is PATH.old afterwards.
 */
MUST_CHECK enum status safe_file_write(const char *path, const void *bytes,
                                       size_t length, bool keep_old,
                                       struct error *err);
/*
 * The same for a file that holds no secrets, which others may be able to
 * read: it gets `mode`.
 */
MUST_CHECK enum status safe_file_replace(const char *path, const void *bytes,
                                         size_t length, mode_t mode,
                                         struct error *err);
/* Removes it where it is; the folder is on the disk afterwards. */
MUST_CHECK enum status safe_file_remove(const char *path, struct error *err);
/*
 * Removes what writers of `path` left behind when they were killed. Whoever
 * writes it meanwhile must be kept out by safe_folder_hold.
 */
MUST_CHECK enum status safe_file_sweep(const char *path, struct error *err);
/* The folder that holds `path`, to the disk. */
MUST_CHECK enum status safe_file_sync_folder(const char *path,
                                             struct error *err);

/*
 * Locks a file, made where it is missing, until *out is closed or the process
 * ends. STATUS_BUSY: *holder has it (0 where the system does not say). Such a
 * lock belongs to the process and goes when ANY descriptor of the file is
 * closed, so a lock file is opened by nothing else.
 */
MUST_CHECK enum status safe_file_lock(int *out, pid_t *holder, const char *path,
                                      struct error *err);

/*
 * Who has the lock, 0: nobody, or there is no such file. For processes that do
 * not have it themselves: looking would let go of it.
 */
MUST_CHECK enum status safe_file_holder(pid_t *holder, const char *path,
                                        struct error *err);

/*
 * Holds the folder of `path` for a moment, waiting for other processes that do
 * so: between reading a file and writing it anew. Give back with close.
 */
MUST_CHECK enum status safe_folder_hold(int *out, const char *path,
                                        struct error *err);

#endif
