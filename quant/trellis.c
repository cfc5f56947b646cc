/*
 * IQ1_KT, IQ2_KT, IQ3_KT, IQ4_KT.
 *
 * Signed scales to 127 stay outside, a = fl(D * scale), |w| <= 126, |P| <=
 * 512 064. IQ3_KT's, 0 to 15, is folded in: |w| <= 15 * 126, |P| <= 7 680 960.
 * On entry of a block32 function a is the row's scale D.
 */
#include "quant/trellis.h"

#include "quant/bits.h"
#include "quant/iq.h"

#include <stdlib.h>

/* The next `count` values of the sequence that starts at x. */
static void
trellis_values(uint32_t x, unsigned count, int32_t *values)
{
    for (unsigned j = 0; j < count; j++) {
        x *= 0xcbac1fed;
        uint32_t bytes = x & 0x3f3f3f3f;
        values[j] = (int) ((bytes & 255) + (bytes >> 8 & 255) +
                           (bytes >> 16 & 255) + (bytes >> 24)) -
                    126;
    }
}

static unsigned
split_nibble(const uint8_t scales[4], unsigned k)
{
    return scales[k % 4] >> 4 * (k / 4) & 15;
}

void
iq1_kt_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq1_kt *b = (const struct iq1_kt *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned g = 0; g < 4; g++) {
        unsigned high = b->qh[4 * (k % 4) + g] >> 4 * (k / 4) & 15;
        unsigned index =
            b->ql[4 * k + g] | high << 8 | bit_of(b->scales[k], 4 + g) << 12;
        trellis_values(index + 4096, 8, out->w + 8 * g);
    }
    out->a *= iq4_levels[low4(b->scales[k])];
}

void
iq2_kt_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq2_kt *b = (const struct iq2_kt *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned g = 0; g < 4; g++)
        trellis_values(u16_at(b->q[4 * k + g]) + 4096, 8, out->w + 8 * g);
    out->a *= iq4_levels[split_nibble(b->scales, k)];
}

/* Values with their signs, without the scale. */
static void
iq3_kt_values(const struct iq3_kt *b, unsigned k, int32_t values[32])
{
    for (unsigned g = 0; g < 4; g++)
        trellis_values(u16_at(b->q[4 * k + g]) + 4096, 8, values + 8 * g);
    for (unsigned l = 0; l < 32; l++) {
        int32_t magnitude = abs(values[l]);
        values[l] = bit_of(b->signs[l], k) ? -magnitude : magnitude;
    }
}

void
iq3_kt_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq3_kt *b = (const struct iq3_kt *) blocks + i / 8;
    unsigned k = i % 8;
    int scale = (int) split_nibble(b->scales, k);
    iq3_kt_values(b, k, out->w);
    for (unsigned l = 0; l < 32; l++)
        out->w[l] *= scale;
}

void
iq3_kt_decode(const uint8_t *row, float *out, size_t elems)
{
    const struct iq3_kt *b = (const struct iq3_kt *) (row + 4);
    for (size_t i = 0; i < elems / 32; i++) {
        int32_t values[32];
        unsigned k = i % 8;
        float scale = float_at(row) * (float) split_nibble(b[i / 8].scales, k);
        iq3_kt_values(b + i / 8, k, values);
        for (unsigned l = 0; l < 32; l++)
            out[32 * i + l] = scale * (float) values[l];
    }
}

void
iq4_kt_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq4_kt *b = (const struct iq4_kt *) blocks + i / 8;
    unsigned k = i % 8;
    uint32_t word = u32_at(b->words[k]);
    uint32_t offset = 4096 + ((word & 1) << 15);
    for (unsigned g = 0; g < 8; g++) {
        unsigned jj = 8 * k + g;
        unsigned high = b->qh[jj % 32] >> 4 * (jj / 32) & 15;
        unsigned index =
            b->ql[jj] | high << 8 | (word >> (8 + 3 * g) & 7) << 12;
        trellis_values(index + offset, 4, out->w + 4 * g);
    }
    out->a *= (float) ((int) (word >> 1 & 127) - 64);
}
