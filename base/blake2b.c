/* RFC 7693, section 3. */
#include "config.h"

#include "base/blake2b.h"

#include <assert.h>
#include <string.h>

enum { ROUNDS = 12 };

static const uint64_t initial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t schedule[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static uint64_t
load_le(const uint8_t *in)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value |= (uint64_t) in[i] << (8 * i);
    return value;
}

static uint64_t
rotate(uint64_t value, unsigned right)
{
    return value >> right | value << (64 - right);
}

static void
mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x, uint64_t y)
{
    *a += *b + x;
    *d = rotate(*d ^ *a, 32);
    *c += *d;
    *b = rotate(*b ^ *c, 24);
    *a += *b + y;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 63);
}

/* F of the RFC: takes one block in; `last` marks the final one. */
static void
compress(struct blake2b *hash, const uint8_t *block, uint64_t last)
{
    uint64_t v[16], m[16];

    for (size_t i = 0; i < 16; i++)
        m[i] = load_le(block + 8 * i);
    memcpy(v, hash->state, sizeof hash->state);
    memcpy(v + 8, initial, sizeof initial);
    v[12] ^= hash->taken; // the upper word of the count stays 0
    v[14] ^= last;
    for (size_t r = 0; r < ROUNDS; r++) {
        const uint8_t *s = schedule[r % 10];

        for (size_t i = 0; i < 4; i++)
            mix(&v[i], &v[4 + i], &v[8 + i], &v[12 + i], m[s[2 * i]],
                m[s[2 * i + 1]]);
        for (size_t i = 0; i < 4; i++)
            mix(&v[i], &v[4 + (i + 1) % 4], &v[8 + (i + 2) % 4],
                &v[12 + (i + 3) % 4], m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
    }
    for (size_t i = 0; i < 8; i++)
        hash->state[i] ^= v[i] ^ v[8 + i];
}

void
blake2b_init(struct blake2b *hash, size_t out_bytes)
{
    assert(out_bytes >= 1 && out_bytes <= BLAKE2B_MOST_BYTES);
    *hash = (struct blake2b){.out_bytes = out_bytes};
    memcpy(hash->state, initial, sizeof initial);
    hash->state[0] ^= 0x01010000 ^ out_bytes;
}

void
blake2b_update(struct blake2b *hash, const void *bytes, size_t length)
{
    const uint8_t *next = bytes;

    while (length > 0) {
        // a full block waits: it may be the last one
        if (hash->held == BLAKE2B_BLOCK_BYTES) {
            hash->taken += BLAKE2B_BLOCK_BYTES;
            compress(hash, hash->block, 0);
            hash->held = 0;
        }
        size_t room = BLAKE2B_BLOCK_BYTES - hash->held;
        size_t piece = length < room ? length : room;

        memcpy(hash->block + hash->held, next, piece);
        hash->held += piece;
        next += piece;
        length -= piece;
    }
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
    hash->taken += hash->held;
    memset(hash->block + hash->held, 0, BLAKE2B_BLOCK_BYTES - hash->held);
    compress(hash, hash->block, UINT64_MAX);
    for (size_t i = 0; i < hash->out_bytes; i++)
        out[i] = (uint8_t) (hash->state[i / 8] >> (8 * (i % 8)));
    explicit_bzero(hash, sizeof *hash);
}
