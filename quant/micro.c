/*
 * MXFP4: |w| <= 12, |P| <= 48 768.
 * NVFP4: a float scale every 16 elements, which the contract has no step for.
 */
#include "quant/micro.h"

#include "quant/bits.h"

static const int8_t e2m1_doubled[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                        0, -1, -2, -3, -4, -6, -8, -12};

/* 2^(e - 128); the two smallest are denormal. */
static float
e8m0_half(unsigned e)
{
    return float_of_bits(e < 2 ? 0x00200000u << e : (e - 1) << 23);
}

void
mxfp4_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct mxfp4 *b = (const struct mxfp4 *) blocks + i;
    for (unsigned j = 0; j < 16; j++) {
        out->w[j] = e2m1_doubled[low4(b->q[j])];
        out->w[j + 16] = e2m1_doubled[high4(b->q[j])];
    }
    out->a = e8m0_half(b->e);
}

bool
mxfp4_finite(const uint8_t *blocks, size_t count)
{
    const struct mxfp4 *b = (const struct mxfp4 *) blocks;
    for (size_t i = 0; i < count; i++)
        if (b[i].e == 255)
            return false;
    return true;
}

/* Half of an unsigned E4M3 number. */
static float
ue4m3_half(unsigned s)
{
    unsigned exponent = s >> 3 & 15;
    unsigned mantissa = s & 7;
    if (s == 0x7f)
        return 0;
    if (exponent == 0)
        return (float) mantissa * 0x1p-10f;
    return float_of_bits((exponent + 127 - 8) << 23 | mantissa << 20);
}

void
nvfp4_decode(const uint8_t *row, float *out, size_t elems)
{
    const struct nvfp4 *b = (const struct nvfp4 *) row;
    for (size_t e = 0; e < elems; e += 16) {
        unsigned k = e / 16 % 4;
        const uint8_t *q = b[e / 64].q[k];
        float scale = ue4m3_half(b[e / 64].s[k]);
        for (unsigned j = 0; j < 8; j++) {
            out[e + j] = scale * e2m1_doubled[low4(q[j])];
            out[e + j + 8] = scale * e2m1_doubled[high4(q[j])];
        }
    }
}
