/*
 * BLAKE2b without a key (RFC 7693) by libsodium: a hash of 16 to 64 bytes, for
 * fingerprints and checksums. Nothing has to be started first.
 */
#ifndef FATHOM_BASE_BLAKE2B_H
#define FATHOM_BASE_BLAKE2B_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

enum { BLAKE2B_MOST_BYTES = crypto_generichash_BYTES_MAX };

struct blake2b {
    crypto_generichash_state state;
    size_t out_bytes;
};

/* Begins a hash of out_bytes, 16 to 64. */
void blake2b_init(struct blake2b *hash, size_t out_bytes);
void blake2b_update(struct blake2b *hash, const void *bytes, size_t length);
/* The same as eight bytes, little-endian. */
void blake2b_update_u64(struct blake2b *hash, uint64_t value);
/* Writes out_bytes and wipes *hash. */
void blake2b_final(struct blake2b *hash, uint8_t *out);

#endif
