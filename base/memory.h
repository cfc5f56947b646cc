/*
 * Memory: arenas, growable buffers, pages, checked sizes.
 *
 * An arena holds what lives alike and is given back in one call. It reserves
 * its limit as address space at open, so arena_alloc cannot fail; to exceed
 * the limit is our bug and aborts. A buffer grows, holds what a user wrote,
 * and is wiped when released. None of these may be shared between threads
 * without a lock of the owner's.
 */
#ifndef FATHOM_BASE_MEMORY_H
#define FATHOM_BASE_MEMORY_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* *out = a * b; false when that does not fit a size_t. */
bool size_mul(size_t *out, size_t a, size_t b);
/* *out = a + b; false when that does not fit a size_t. */
bool size_add(size_t *out, size_t a, size_t b);

struct arena;

/* Opens an arena that may hold limit_bytes. The caller closes it. */
MUST_CHECK enum status arena_open(struct arena **out, size_t limit_bytes,
                                  struct error *err);
void arena_close(struct arena *arena); // takes NULL

/* Zeroed memory aligned to 64 bytes, valid until arena_close. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* A NUL-terminated copy of length bytes (which may hold NUL themselves). */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);
size_t arena_used_bytes(const struct arena *arena);

/*
 * Bytes that grow. `data` is NULL while nothing was appended; afterwards
 * data[length] is 0. Start from {0}.
 */
struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

/* On failure the buffer is unchanged. */
MUST_CHECK enum status buffer_append(struct buffer *buffer, const void *bytes,
                                     size_t length, struct error *err);
MUST_CHECK enum status buffer_print(struct buffer *buffer, struct error *err,
                                    const char *format, ...) PRINTF_LIKE(3, 4);
/* Makes room for `more` bytes after length; length stays. */
MUST_CHECK enum status buffer_reserve(struct buffer *buffer, size_t more,
                                      struct error *err);
/* Forgets the first `count` bytes, wiping what moves out. */
void buffer_drop(struct buffer *buffer, size_t count);
void buffer_clear(struct buffer *buffer);   // length 0, wiped, memory kept
void buffer_release(struct buffer *buffer); // wiped and freed; {0} again

/* malloc and calloc that count for FATHOM_FAULT; free with free(). */
MUST_CHECK enum status memory_alloc(void **out, size_t bytes,
                                    struct error *err);

/*
 * Zeroed page memory for weights, caches and scratch, 2 MiB aligned and
 * advised huge when that large. STATUS_NOMEM names `what` and the size.
 */
MUST_CHECK enum status pages_alloc(void **out, size_t bytes, const char *what,
                                   struct error *err);
void pages_free(void *pages, size_t bytes); // takes NULL; same bytes as given

/*
 * Bytes that can still be used without swapping: what the system says, and no
 * more than the control groups of this process leave.
 */
size_t memory_available_bytes(void);
/* The same as two other folders say it, in place of /proc and /sys. */
size_t memory_available_under(const char *proc, const char *sys);

#endif
