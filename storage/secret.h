/*
 * Keys and passphrases: memory between guard pages that is locked (never
 * swapped), left out of core files, and wiped when given back. A secret
 * belongs to one thread.
 */
#ifndef FATHOM_STORAGE_SECRET_H
#define FATHOM_STORAGE_SECRET_H

#include "base/base.h"

#include <stdint.h>

/*
 * Starts the cryptographic library; once, before anything else of the vault.
 * STATUS_IO: the system gives no random numbers, and nothing may go on.
 */
MUST_CHECK enum status secret_start(struct error *err);

struct secret;

/*
 * Zeroed. STATUS_NOMEM: the memory cannot be had or cannot be locked;
 * err->text tells the limit (RLIMIT_MEMLOCK).
 */
MUST_CHECK enum status secret_open(struct secret **out, size_t bytes,
                                   struct error *err);
/* The same, filled; the caller wipes what it was filled from. */
MUST_CHECK enum status secret_copy(struct secret **out, const void *bytes,
                                   size_t length, struct error *err);
void secret_close(struct secret *secret); // takes NULL

uint8_t *secret_data(struct secret *secret);
const uint8_t *secret_bytes(const struct secret *secret);
size_t secret_length(const struct secret *secret);
/* Forgets all but the first `length` bytes, which becomes the length. */
void secret_cut(struct secret *secret, size_t length);

/* In the same time wherever they differ. */
bool secret_equal(const void *a, const void *b, size_t bytes);
/* Zeroes what the compiler would leave: copies on the stack. */
void secret_wipe(void *bytes, size_t length);

#endif
