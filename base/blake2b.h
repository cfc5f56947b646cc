/*
 * BLAKE2b without a key (RFC 7693): a hash of 1 to 64 bytes, for fingerprints
 * and checksums in programs that hold no keys.
 */
#ifndef FATHOM_BASE_BLAKE2B_H
#define FATHOM_BASE_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

enum { BLAKE2B_MOST_BYTES = 64, BLAKE2B_BLOCK_BYTES = 128 };

struct blake2b {
    uint64_t state[8];
    uint64_t taken; // bytes so far
    size_t held;    // of the block that is not full yet
    size_t out_bytes;
    uint8_t block[BLAKE2B_BLOCK_BYTES];
};

/* Begins a hash of out_bytes, 1 to 64. */
void blake2b_init(struct blake2b *hash, size_t out_bytes);
void blake2b_update(struct blake2b *hash, const void *bytes, size_t length);
/* The same as eight bytes, little-endian. */
void blake2b_update_u64(struct blake2b *hash, uint64_t value);
/* Writes out_bytes and wipes *hash. */
void blake2b_final(struct blake2b *hash, uint8_t *out);

#endif
