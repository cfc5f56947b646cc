/*
 * Q6_0, IQ2_K ... IQ6_K, IQ4_KS, IQ4_KSS, IQ5_KS, IQ2_KS, IQ3_KS, IQ2_KL.
 *
 * Scales of 16 elements, and those of 32 that are small, are folded into w:
 *            |w| <=        |P| <=
 *   Q6_0     32               130 048
 *   IQ2_K    8 * 31         1 007 872
 *   IQ3_K    31 * 63        7 936 992
 *   IQ4_K    32 * 127      16 516 096 < 2^24
 *   IQ5_K    32 * 126      16 386 048 < 2^24
 *   IQ2_KS   16 * 31        2 015 744
 *   IQ3_KS   16 * 63        4 096 512
 *   IQ2_KL   32 * 63        8 193 024
 * IQ4_KS, IQ4_KSS and IQ5_KS have scales to 127, with which P would not fit:
 * a = fl(D * scale), |w| <= 127. IQ6_K has levels that are not integers.
 */
#include "quant/ik_quants.h"

#include "quant/bits.h"
#include "quant/iq.h"

/*
 * The tables are those published with ik_llama.cpp: Copyright (c) 2024 Iwan
 * Kawrakow, MIT licence (its text is in codebooks.c).
 */
static const int8_t levels2[8] = {-31, -13, 1, 17, -26, -8, 6, 22};

static const int8_t levels3[16] = {-63, -40, -23, -10, 1, 13, 28, 47,
                                   -59, -36, -19, -6,  5, 17, 32, 51};

static const int8_t levels5[32] = {-126, -114, -103, -92, -83, -74, -65, -57,
                                   -50,  -43,  -36,  -30, -24, -18, -12, -6,
                                   -1,   5,    11,   17,  23,  29,  36,  43,
                                   51,   59,   68,   77,  87,  97,  109, 121};

static const int8_t pairs2_kl[32][2] = {
    {-63, -23}, {-63, 13},  {-40, -63}, {-40, -10}, {-40, 13}, {-40, 47},
    {-23, -40}, {-23, -23}, {-23, 1},   {-23, 13},  {-23, 28}, {-10, -63},
    {-10, 1},   {-10, 13},  {-10, 47},  {1, -23},   {1, -10},  {1, 1},
    {1, 13},    {1, 28},    {13, -40},  {13, -23},  {13, -10}, {13, 1},
    {13, 13},   {28, -63},  {28, -23},  {28, 1},    {28, 28},  {28, 47},
    {47, -23},  {47, 13}};

static int
level4(unsigned q, unsigned extra)
{
    return iq4_levels[q] + 4 * (int) extra;
}

static int
level5(unsigned q, unsigned extra)
{
    return levels5[q] + 2 * (int) extra;
}

/* ---- where the bits of element l of 32-block k lie ---- */

static unsigned
two_bits(const uint8_t q[64], unsigned k, unsigned l)
{
    return q[32 * (k / 4) + l] >> 2 * (k % 4) & 3;
}

static unsigned
three_bits(const uint8_t q[64], const uint8_t qh[32], unsigned k, unsigned l)
{
    return two_bits(q, k, l) | bit_of(qh[l], k) << 2;
}

/* Low nibbles of 16 bytes, then the high ones. */
static unsigned
four_bits(const uint8_t q[16], unsigned l)
{
    return q[l % 16] >> 4 * (l / 16) & 15;
}

static unsigned
five_bits(const uint8_t q[128], const uint8_t qh[32], unsigned k, unsigned l)
{
    return (q[32 * (k / 2) + l] >> 4 * (k % 2) & 15) | bit_of(qh[l], k) << 4;
}

/* The six-bit scale g of IQ4_K and IQ5_K. */
static int
split_scale(const uint8_t sl[8], const uint8_t sh[4], unsigned g)
{
    return (int) (nibble_of(sl, g) | (u32_at(sh) >> 2 * g & 3) << 4) - 32;
}

/* ---- 32 elements a block ---- */

void
q6_0_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q6_0 *b = (const struct q6_0 *) blocks + i;
    for (unsigned j = 0; j < 16; j++) {
        unsigned high = b->qh[j % 8] >> 4 * (j / 8);
        out->w[j] = (int) (low4(b->q[j]) | (high & 3) << 4) - 32;
        out->w[j + 16] = (int) (high4(b->q[j]) | (high & 12) << 2) - 32;
    }
    out->a = half_at(b->d);
}

/* ---- sixteen scales ---- */

void
iq2_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq2_k *b = (const struct iq2_k *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 32; l++) {
        unsigned g = 2 * k + l / 16;
        unsigned extra = bit_of(u16_at(b->ex), g);
        int scale = (int) nibble_of(b->scales, g) - 8;
        out->w[l] = scale * levels2[two_bits(b->q, k, l) | extra << 2];
    }
    out->a = half_at(b->d);
}

void
iq3_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq3_k *b = (const struct iq3_k *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 32; l++) {
        unsigned g = 2 * k + l / 16;
        unsigned extra = bit_of(u16_at(b->ex), g);
        int scale = 2 * (int) nibble_of(b->sl, g) + 1;
        int level = levels3[three_bits(b->q, b->qh, k, l) | extra << 3];
        out->w[l] = bit_of(u16_at(b->sh), g) ? -scale * level : scale * level;
    }
    out->a = half_at(b->d);
}

void
iq4_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq4_k *b = (const struct iq4_k *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 32; l++) {
        unsigned g = 2 * k + l / 16;
        unsigned extra = bit_of(u16_at(b->ex), g);
        out->w[l] = split_scale(b->sl, b->sh, g) *
                    level4(four_bits(b->q + 16 * k, l), extra);
    }
    out->a = half_at(b->d);
}

void
iq5_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq5_k *b = (const struct iq5_k *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 32; l++) {
        unsigned g = 2 * k + l / 16;
        unsigned extra = bit_of(u16_at(b->ex), g);
        out->w[l] = split_scale(b->sl, b->sh, g) *
                    level5(five_bits(b->q, b->qh, k, l), extra);
    }
    out->a = half_at(b->d);
}

static float
level6(unsigned q, unsigned extra)
{
    float x = (float) q;
    float curve = -127 + x * (6.2568f + x * (-0.11218f + x * 0.0011972f));
    return curve + (float) extra;
}

static void
iq6_k_block(const struct iq6_k *b, float out[256])
{
    for (unsigned e = 0; e < 256; e++) {
        unsigned k = e / 32;
        unsigned l = e % 32;
        unsigned low = b->q[32 * (k / 2) + l] >> 4 * (k % 2) & 15;
        unsigned high = two_bits(b->qh, k, l);
        unsigned extra = bit_of(u16_at(b->ex), e / 16);
        float scale = half_at(b->d) * b->scales[e / 16];
        out[e] = scale * level6(low | high << 4, extra);
    }
}

void
iq6_k_decode(const uint8_t *row, float *out, size_t elems)
{
    const struct iq6_k *b = (const struct iq6_k *) row;
    for (size_t e = 0; e < elems; e += 256)
        iq6_k_block(b++, out + e);
}

/* ---- eight scales; on entry a is the row's scale D ---- */

static float
odd_scale(unsigned scale)
{
    return (float) ((int) (scale & 254) - 127);
}

void
iq4_ks_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq4_ks *b = (const struct iq4_ks *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = level4(four_bits(b->q + 16 * k, l), b->scales[k] & 1);
    out->a *= odd_scale(b->scales[k]);
}

void
iq4_kss_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq4_kss *b = (const struct iq4_kss *) blocks + i / 8;
    const uint8_t(*words)[2] = b->words + 8 * (i % 8);
    uint8_t q[16];
    unsigned scale = 0;
    for (unsigned j = 0; j < 8; j++) {
        unsigned word = u16_at(words[j]);
        scale |= (word & 1) << j;
        word &= 0xfffe;
        u16_put(q + 2 * j, word ^ word >> 1);
    }
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = level4(four_bits(q, l), scale & 1);
    out->a *= odd_scale(scale);
}

void
iq5_ks_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq5_ks *b = (const struct iq5_ks *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = level5(five_bits(b->q, b->qh, k, l), b->scales[k] & 1);
    out->a *= odd_scale(b->scales[k]);
}

void
iq2_ks_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq2_ks *b = (const struct iq2_ks *) blocks + i / 8;
    unsigned k = i % 8;
    unsigned ex = u16_at(b->ex);
    unsigned extra = bit_of(ex, k);
    int scale = (int) (nibble_of(b->scales, k) | bit_of(ex, 8 + k) << 4) - 16;
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = scale * levels2[two_bits(b->q, k, l) | extra << 2];
}

void
iq3_ks_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq3_ks *b = (const struct iq3_ks *) blocks + i / 8;
    unsigned k = i % 8;
    unsigned ex = u16_at(b->ex);
    unsigned extra = bit_of(ex, 8 + k);
    unsigned low = b->scales[k % 4] >> 4 * (k / 4) & 15;
    int scale = (int) (low | bit_of(ex, k) << 4) - 16;
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = scale * levels3[three_bits(b->q, b->qh, k, l) | extra << 3];
}

void
iq2_kl_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq2_kl *b = (const struct iq2_kl *) blocks + i / 8;
    unsigned k = i % 8;
    unsigned low = b->scales[k % 4] >> 4 * (k / 4) & 15;
    int scale = (int) (low | (u16_at(b->sh) >> 2 * k & 3) << 4) - 32;
    for (unsigned j = 0; j < 16; j++) {
        unsigned nibble = b->q[16 * (k / 2) + j] >> 4 * (k % 2) & 15;
        const int8_t *pair = pairs2_kl[nibble | bit_of(b->qh[j], k) << 4];
        out->w[2 * j] = scale * pair[0];
        out->w[2 * j + 1] = scale * pair[1];
    }
}
