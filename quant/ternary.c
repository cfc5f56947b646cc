/* TQ1_0, TQ2_0, Q1_0, Q2_0: |w| <= 2, |P| <= 8128. */
#include "quant/ternary.h"

#include "quant/bits.h"

/* Digit n of the fraction x / 256 in base 3, less one. */
static int
trit_of(unsigned x, unsigned n)
{
    static const uint8_t powers[5] = {1, 3, 9, 27, 81};
    return (int) ((x * powers[n] & 255) * 3 >> 8) - 1;
}

/* `count` elements from e on, which has digit e / width of byte e % width. */
static void
trits_read(const uint8_t *bytes, unsigned width, unsigned e, unsigned count,
           int32_t *w)
{
    for (unsigned j = 0; j < count; j++, e++)
        w[j] = trit_of(bytes[e % width], e / width);
}

void
tq1_0_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct tq1_0 *b = (const struct tq1_0 *) blocks + i / 8;
    unsigned k = i % 8;
    if (k < 5) {
        trits_read(b->q, 32, 32 * k, 32, out->w);
    } else if (k < 7) {
        trits_read(b->q + 32, 16, 32 * (k - 5), 32, out->w);
    } else {
        trits_read(b->q + 32, 16, 64, 16, out->w);
        trits_read(b->qh, 4, 0, 16, out->w + 16);
    }
    out->a = half_at(b->d);
}

void
tq2_0_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct tq2_0 *b = (const struct tq2_0 *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = (b->q[32 * (k / 4) + l] >> 2 * (k % 4) & 3) - 1;
    out->a = half_at(b->d);
}

void
q1_0_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q1_0 *b = (const struct q1_0 *) blocks + i / 4;
    uint32_t bits = u32_at(b->bits + 4 * (i % 4));
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = bit_of(bits, l) ? 1 : -1;
    out->a = half_at(b->d);
}

void
q2_0_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q2_0 *b = (const struct q2_0 *) blocks + i / 2;
    const uint8_t *q = b->q + 8 * (i % 2);
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = (q[l / 4] >> 2 * (l % 4) & 3) - 1;
    out->a = half_at(b->d);
}
