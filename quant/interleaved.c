/*
 * Taking one row's block out of four. Bits are moved, nothing is computed, so
 * that values are those of the plain formats.
 *
 * IQ1_S_R1, IQ1_M_R1: |w| <= 15 * 9, |P| <= 548 640.
 */
#include "quant/interleaved.h"

#include "quant/bits.h"
#include "quant/ik_quants.h"
#include "quant/iq.h"
#include "quant/k_quants.h"

/* ---- where the bits of element e of row r lie ---- */

static unsigned
four_bits_r4(const uint8_t *q, unsigned r, unsigned e)
{
    unsigned t = e / 4 % 8;
    const uint8_t *bytes = q + 64 * (e / 32) + 16 * (2 * (t & 1) + (t >> 2));
    return bytes[4 * r + e % 4] >> (t & 2 ? 4 : 0) & 15;
}

static unsigned
two_bits_r4(const uint8_t *q, unsigned r, unsigned e)
{
    return q[16 * (e / 16) + 4 * r + e % 4] >> 2 * (e / 4 % 4) & 3;
}

static unsigned
one_bit_r4(const uint8_t *qh, unsigned r, unsigned e, unsigned bit)
{
    return bit_of(qh[16 * (e / 32) + 4 * r + e % 4], bit);
}

/* Bit of qh: the order of the elements within each half (Q3_K, IQ3_K). */
static unsigned
third_bit_r4(const uint8_t *qh, unsigned r, unsigned e)
{
    return one_bit_r4(qh, r, e, e / 4 % 8);
}

/* Bit of qh: the order in which the nibbles lie (IQ5_K, IQ5_KS). */
static unsigned
fifth_bit_r4(const uint8_t *qh, unsigned r, unsigned e)
{
    unsigned t = e / 4 % 8;
    return one_bit_r4(qh, r, e, (t >> 1) + 4 * (t & 1));
}

/* The low four bits of scale s. */
static unsigned
scale_low_r4(const uint8_t sl[32], unsigned s)
{
    return sl[s % 32] >> 4 * (s / 32) & 15;
}

/* All six bits of scale s. */
static unsigned
scale_r4(const uint8_t sl[32], const uint8_t sh[16], unsigned s)
{
    return scale_low_r4(sl, s) | (sh[s % 16] >> 2 * (s / 16) & 3u) << 4;
}

/* Index of the scale of 16-group g of row r. */
static unsigned
scale_at(unsigned g, unsigned r)
{
    return 4 * g + r;
}

/* The extra bits of row r in the order of the plain formats: bit g. */
static unsigned
extra_bits_r4(const uint8_t ex[8], unsigned r)
{
    unsigned bits = 0;
    for (unsigned g = 0; g < 16; g++)
        bits |= bit_of(ex[4 * (g % 2) + r], g / 2) << g;
    return bits;
}

/* ---- putting them where the plain formats have them ---- */

/* Bits 2 * (k % 4) of byte 32 * (k / 4) + l. */
static void
two_bits_put(uint8_t *q, unsigned e, unsigned bits)
{
    q[32 * (e / 128) + e % 32] |= (uint8_t) (bits << 2 * (e / 32 % 4));
}

/* Bit k of byte l. */
static void
one_bit_put(uint8_t *qh, unsigned e, unsigned bit)
{
    qh[e % 32] |= (uint8_t) (bit << e / 32);
}

/* Byte 32 * (k / 2) + l, low nibble for even k. */
static void
nibble_by_block_put(uint8_t *q, unsigned e, unsigned bits)
{
    q[32 * (e / 64) + e % 32] |= (uint8_t) (bits << 4 * (e / 32 % 2));
}

/* Byte 16k + l % 16, low nibble for l < 16. */
static void
nibble_by_half_put(uint8_t *q, unsigned e, unsigned bits)
{
    q[16 * (e / 32) + e % 16] |= (uint8_t) (bits << 4 * (e / 16 % 2));
}

/* Nibble g, low first; bits 2g. */
static void
nibble_put(uint8_t *sl, unsigned g, unsigned bits)
{
    sl[g / 2] |= (uint8_t) (bits << 4 * (g % 2));
}

static void
pair_put(uint8_t *sh, unsigned g, unsigned bits)
{
    sh[g / 4] |= (uint8_t) (bits << 2 * (g % 4));
}

/* ---- K formats ---- */

void
q2_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct q2_k_r4 *b = from;
    struct q2_k *plain = to;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    memcpy(plain->dmin, b->dmin[lane], 2);
    for (unsigned g = 0; g < 16; g++)
        plain->scales[g] = b->scales[scale_at(g, lane)];
    for (unsigned e = 0; e < 256; e++)
        two_bits_put(plain->q, e, two_bits_r4(b->q, lane, e));
}

static void
q3_k_scale_put(uint8_t s[12], unsigned g, unsigned scale)
{
    s[g % 8] |= (uint8_t) (low4(scale) << 4 * (g / 8));
    s[8 + g % 4] |= (uint8_t) ((scale >> 4) << 2 * (g / 4));
}

void
q3_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct q3_k_r4 *b = from;
    struct q3_k *plain = to;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    for (unsigned g = 0; g < 16; g++)
        q3_k_scale_put(plain->scales, g,
                       scale_r4(b->sl, b->sh, scale_at(g, lane)));
    for (unsigned e = 0; e < 256; e++) {
        two_bits_put(plain->q, e, two_bits_r4(b->q, lane, e));
        one_bit_put(plain->hmask, e, third_bit_r4(b->qh, lane, e));
    }
}

/* Scale and minimum of 32-block k, as drawn in k_quants.h. */
static void
k4_scale_put(uint8_t s[12], unsigned k, unsigned scale, unsigned minimum)
{
    if (k < 4) {
        s[k] |= (uint8_t) scale;
        s[k + 4] |= (uint8_t) minimum;
    } else {
        s[k + 4] = (uint8_t) (low4(scale) | low4(minimum) << 4);
        s[k - 4] |= (uint8_t) (scale >> 4 << 6);
        s[k] |= (uint8_t) (minimum >> 4 << 6);
    }
}

static void
k4_scales_unpack(const uint8_t sl[32], const uint8_t sh[16], unsigned lane,
                 uint8_t scales[12])
{
    for (unsigned k = 0; k < 8; k++) {
        unsigned s = 4 * k + lane;
        unsigned high = sh[s % 16] >> 4 * (s / 16) & 15;
        k4_scale_put(scales, k, low4(sl[s]) | (high & 3) << 4,
                     high4(sl[s]) | (high >> 2) << 4);
    }
}

void
q4_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct q4_k_r4 *b = from;
    struct q4_k *plain = to;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    memcpy(plain->dmin, b->dmin[lane], 2);
    k4_scales_unpack(b->sl, b->sh, lane, plain->scales);
    for (unsigned e = 0; e < 256; e++)
        nibble_by_block_put(plain->q, e, four_bits_r4(b->q, lane, e));
}

void
q5_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct q5_k_r4 *b = from;
    struct q5_k *plain = to;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    memcpy(plain->dmin, b->dmin[lane], 2);
    k4_scales_unpack(b->sl, b->sh, lane, plain->scales);
    for (unsigned e = 0; e < 256; e++) {
        unsigned t = e / 4 % 8;
        unsigned bit = (t >> 1 & 1) + 2 * (t & 1) + 4 * (t >> 2);
        nibble_by_block_put(plain->q, e, four_bits_r4(b->q, lane, e));
        one_bit_put(plain->qh, e, one_bit_r4(b->qh, lane, e, bit));
    }
}

void
q6_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct q6_k_r4 *b = from;
    struct q6_k *plain = to;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    for (unsigned g = 0; g < 16; g++)
        plain->scales[g] = b->scales[scale_at(g, lane)];
    for (unsigned e = 0; e < 256; e++) {
        unsigned k = e / 32;
        unsigned t = e / 4 % 8;
        uint8_t *low = plain->ql + 64 * (k / 4) + 32 * (k & 1);
        unsigned high = b->qh[16 * (e / 16) + 4 * lane + e % 4] >>
                        (2 * (t >> 1 & 1) + 4 * (t & 1));
        low[e % 32] |=
            (uint8_t) (four_bits_r4(b->q, lane, e) << 4 * (k % 4 / 2));
        two_bits_put(plain->qh, e, high & 3);
    }
}

/* ---- formats with tables of levels ---- */

void
iq2_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct iq2_k_r4 *b = from;
    struct iq2_k *plain = to;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    u16_put(plain->ex, extra_bits_r4(b->ex, lane));
    for (unsigned g = 0; g < 16; g++)
        nibble_put(plain->scales, g, scale_low_r4(b->sl, scale_at(g, lane)));
    for (unsigned e = 0; e < 256; e++)
        two_bits_put(plain->q, e, two_bits_r4(b->q, lane, e));
}

void
iq3_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct iq3_k_r4 *b = from;
    struct iq3_k *plain = to;
    unsigned signs = 0;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    u16_put(plain->ex, extra_bits_r4(b->ex, lane));
    for (unsigned g = 0; g < 16; g++) {
        unsigned s = scale_at(g, lane);
        nibble_put(plain->sl, g, scale_low_r4(b->sl, s));
        signs |= bit_of(b->sh[s % 8], s / 8) << g;
    }
    u16_put(plain->sh, signs);
    for (unsigned e = 0; e < 256; e++) {
        two_bits_put(plain->q, e, two_bits_r4(b->q, lane, e));
        one_bit_put(plain->qh, e, third_bit_r4(b->qh, lane, e));
    }
}

static void
split_scales_unpack(const uint8_t from_sl[32], const uint8_t from_sh[16],
                    unsigned lane, uint8_t sl[8], uint8_t sh[4])
{
    for (unsigned g = 0; g < 16; g++) {
        unsigned scale = scale_r4(from_sl, from_sh, scale_at(g, lane));
        nibble_put(sl, g, low4(scale));
        pair_put(sh, g, scale >> 4);
    }
}

void
iq4_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct iq4_k_r4 *b = from;
    struct iq4_k *plain = to;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    u16_put(plain->ex, extra_bits_r4(b->ex, lane));
    split_scales_unpack(b->sl, b->sh, lane, plain->sl, plain->sh);
    for (unsigned e = 0; e < 256; e++)
        nibble_by_half_put(plain->q, e, four_bits_r4(b->q, lane, e));
}

void
iq5_k_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct iq5_k_r4 *b = from;
    struct iq5_k *plain = to;
    memset(plain, 0, sizeof *plain);
    memcpy(plain->d, b->d[lane], 2);
    u16_put(plain->ex, extra_bits_r4(b->ex, lane));
    split_scales_unpack(b->sl, b->sh, lane, plain->sl, plain->sh);
    for (unsigned e = 0; e < 256; e++) {
        nibble_by_block_put(plain->q, e, four_bits_r4(b->q, lane, e));
        one_bit_put(plain->qh, e, fifth_bit_r4(b->qh, lane, e));
    }
}

void
iq4_ks_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct iq4_ks_r4 *b = from;
    struct iq4_ks *plain = to;
    memset(plain, 0, sizeof *plain);
    for (unsigned k = 0; k < 8; k++)
        plain->scales[k] = b->scales[4 * k + lane];
    for (unsigned e = 0; e < 256; e++)
        nibble_by_half_put(plain->q, e, four_bits_r4(b->q, lane, e));
}

void
iq5_ks_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct iq5_ks_r4 *b = from;
    struct iq5_ks *plain = to;
    memset(plain, 0, sizeof *plain);
    for (unsigned k = 0; k < 8; k++)
        plain->scales[k] = b->scales[4 * k + lane];
    for (unsigned e = 0; e < 256; e++) {
        nibble_by_block_put(plain->q, e, four_bits_r4(b->q, lane, e));
        one_bit_put(plain->qh, e, fifth_bit_r4(b->qh, lane, e));
    }
}

/* ---- IQ1 ---- */

void
iq1_s_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct iq1_s_r4 *b = from;
    struct iq1_s_r1 *plain = to;
    for (unsigned l = 0; l < 4; l++)
        plain->index[l] = b->index[l][lane];
    memcpy(plain->qh, b->qh[lane], 2);
}

void
iq1_m_r4_unpack(const void *from, unsigned lane, void *to)
{
    const struct iq1_m_r4 *b = from;
    struct iq1_m_r1 *plain = to;
    for (unsigned l = 0; l < 4; l++)
        plain->index[l] = b->index[l][lane];
    plain->qh[0] = b->qh[0][lane];
    plain->qh[1] = b->qh[1][lane];
    plain->scales = b->scales[lane];
}

/* On entry a is the row's scale D. */
void
iq1_s_r1_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq1_s_r1 *b = (const struct iq1_s_r1 *) blocks + i;
    unsigned qh = u16_at(b->qh);
    int scale = 2 * (int) (qh >> 12 & 7) + 1;
    for (unsigned l = 0; l < 4; l++)
        iq1_weights(b->index[l] | (qh >> 3 * l & 7) << 8, qh >> 15, scale,
                    out->w + 8 * l);
    out->a *= 0.125f;
}

void
iq1_m_r1_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq1_m_r1 *b = (const struct iq1_m_r1 *) blocks + i;
    for (unsigned l = 0; l < 4; l++) {
        unsigned high = nibble_of(b->qh, l);
        int scale = b->scales >> 4 * (l / 2) & 15;
        iq1_weights(b->index[l] | (high & 7) << 8, high & 8, scale,
                    out->w + 8 * l);
    }
    out->a *= 0.125f;
}
