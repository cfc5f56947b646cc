/*
 * Direct reading of files: whole ranges by pread, straight to where they are
 * used, and never a mapping. A reader is one open regular file; any number of
 * threads may read from it at once.
 */
#ifndef FATHOM_STORAGE_READER_H
#define FATHOM_STORAGE_READER_H

#include "base/base.h"

struct reader;

/*
 * Opens a regular file (directories, pipes and devices are refused) and takes
 * its size. Messages name the file by `shown`, which must outlive the reader.
 */
MUST_CHECK enum status reader_open(struct reader **out, const char *path,
                                   const char *shown, struct error *err);
void reader_close(struct reader *reader); // takes NULL

uint64_t reader_bytes(const struct reader *reader); // size at open

/*
 * Reads exactly `bytes` bytes at `offset`. STATUS_FORMAT when the file ends
 * before that (it shrank after it was opened), STATUS_IO when a read fails.
 */
MUST_CHECK enum status reader_read(const struct reader *reader, void *to,
                                   size_t bytes, uint64_t offset,
                                   struct error *err);

/* Gives the page cache of a range back: it will not be read again soon. */
void reader_forget(const struct reader *reader, uint64_t offset,
                   uint64_t bytes);

#endif
