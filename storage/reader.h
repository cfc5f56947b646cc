/*
 * Direct reading of files: whole ranges by pread, straight to where they are
 * used, and never a mapping. A reader is one open regular file; any number of
 * threads may read from it at once. reader_run reads a list of pieces of many
 * files with a team of threads.
 */
#ifndef FATHOM_STORAGE_READER_H
#define FATHOM_STORAGE_READER_H

#include "base/base.h"

#include <stdint.h>

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

enum { READER_PIECE_BYTES = 2 << 20 }; // a good size of one request

/* One request. */
struct reader_piece {
    uint64_t offset;
    void *to;     // where the bytes belong; NULL: in the thread's own memory
    size_t bytes; // with `to` NULL: at most read_plan.staging_bytes
    uint32_t file;
    uint32_t item; // the caller's
};

struct reader_file {
    const char *path, *shown; // shown: fit for a message
};

/*
 * What is to be read. `pieces` are taken in their order, so they should be in
 * the order of files and offsets. `arrived` is called by the reading thread
 * when a piece is there, at `data`; it may fail. `progress`, from any thread,
 * with the bytes done so far, may be NULL, as may `cancel`.
 */
struct reader_plan {
    const struct reader_file *file;
    size_t files;
    const struct reader_piece *piece;
    size_t pieces;
    size_t staging_bytes; // 0: every piece has a place of its own
    enum status (*arrived)(void *context, const struct reader_piece *piece,
                           void *data, struct error *err);
    void (*progress)(void *context, uint64_t done_bytes);
    void *context;
    const _Atomic bool *cancel;
    bool forget; // give the page cache of what was read back
};

/*
 * Reads all pieces with `threads` threads, the caller's included (where the
 * system grants fewer, with those). Returns when all are there, or, with the
 * first failure, when every thread has stopped: nothing is then being written.
 * STATUS_CANCELLED when *cancel became true.
 */
MUST_CHECK enum status reader_run(const struct reader_plan *plan,
                                  unsigned threads, struct error *err);

#endif
