/* What libsodium calls its generic hash. */
#include "config.h"

#include "base/blake2b.h"

#include <assert.h>
#include <string.h>

void
blake2b_init(struct blake2b *hash, size_t out_bytes)
{
    assert(out_bytes >= crypto_generichash_BYTES_MIN &&
           out_bytes <= BLAKE2B_MOST_BYTES);
    hash->out_bytes = out_bytes;
    crypto_generichash_init(&hash->state, NULL, 0, out_bytes);
}

void
blake2b_update(struct blake2b *hash, const void *bytes, size_t length)
{
    crypto_generichash_update(&hash->state, bytes, length);
}

void
blake2b_update_u64(struct blake2b *hash, uint64_t value)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t) (value >> (8 * i));
    blake2b_update(hash, bytes, sizeof bytes);
}

void
blake2b_final(struct blake2b *hash, uint8_t *out)
{
    crypto_generichash_final(&hash->state, out, hash->out_bytes);
    explicit_bzero(hash, sizeof *hash);
}
