/*
 * IQ formats of ggml: levels that are not evenly spaced. 256 elements a block
 * unless said otherwise; 32-block k = 0 .. 7 of it has four sub-groups l of
 * eight elements j. d is a half.
 *
 * NL4, sixteen levels for four bits:
 *   -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113
 *
 *   IQ4_NL | d 2 | q 16 |                            32 elements
 *          q: byte j has element j in its low nibble, j + 16 in the high one
 *          y = d * NL4[q]
 *   IQ4_XS | d 2 | sh 2 | sl 4 | q 128 |
 *          scale = nibble k of sl (low first) | bits 2k of sh << 4
 *          q: as IQ4_NL, bytes 16k .. 16k + 15
 *          y = (d * (scale - 32)) * NL4[q]
 *
 * Eight values (of IQ3: twice four) come from a row of a codebook, with signs.
 * "signs of 7 bits": bits 0 to 6 are given, bit 7 makes their number even; bit
 * j set negates element j.
 *
 *   IQ2_XXS | d 2 | 8 x (index 4, word 4) |
 *           sub-group l: row index[l], signs of 7 bits: word >> 7l
 *           n = word >> 28
 *   IQ2_XS  | d 2 | q 32 x 2 | scales 8 |
 *           sub-group l: v = q[4k + l], row v & 511, signs of 7 bits: v >> 9
 *           n = nibble l / 2 of scales[k]
 *   IQ2_S   | d 2 | index 32 | signs 32 | qh 8 | scales 8 |
 *           row index[4k + l] | bits 2l of qh[k] << 8, signs[4k + l]
 *           n as IQ2_XS
 *   of all three: y = ((d * (0.5 + n)) * 0.25) * (+-value)
 *
 *   IQ3_XXS | d 2 | index 64 | words 8 x 4 |
 *           rows index[8k + 2l], index[8k + 2l + 1]; signs and n as IQ2_XXS
 *           y = ((d * (0.5 + n)) * 0.5) * (+-value)
 *   IQ3_S   | d 2 | index 64 | qh 8 | signs 32 | scales 4 |
 *           rows index[8k + 2l + h] | bit 2l + h of qh[k] << 8, signs[4k + l]
 *           n = nibble k % 2 of scales[k / 2]
 *           y = (d * (1 + 2n)) * (+-value)
 *
 * Values -1, 0, 1, all moved by delta = +-0.125:
 *
 *   IQ1_S   | d 2 | index 32 | qh 8 x 2 |
 *           row index[4k + l] | bits 3l of qh[k] << 8; n = bits 12-14 of qh[k];
 *           delta < 0 when bit 15 is set
 *   IQ1_M   | index 32 | qh 16 | scales 4 x 2 |
 *           d: a half made of the top nibbles of scales[0] .. [3], low first
 *           n = 3 bits of scales[k / 2] at 6 * (k % 2) + 3 * (l / 2)
 *           x = nibble l % 2 of qh[2k + l / 2]; row index[4k + l] | (x & 7) <<
 * 8 delta < 0 when x & 8 of both: y = (d * (2n + 1)) * (value + delta)
 *
 * Source: ggml-quants.c of ggml (block_iq4_nl ... block_iq1_m).
 */
#ifndef FATHOM_QUANT_IQ_H
#define FATHOM_QUANT_IQ_H

#include "quant/block32.h"

#include <assert.h>
#include <stdbool.h>

struct iq4_nl {
    uint8_t d[2];
    uint8_t q[16];
};
static_assert(sizeof(struct iq4_nl) == 18, "an IQ4_NL block has 18 bytes");

struct iq4_xs {
    uint8_t d[2];
    uint8_t sh[2];
    uint8_t sl[4];
    uint8_t q[128];
};
static_assert(sizeof(struct iq4_xs) == 136, "an IQ4_XS block has 136 bytes");

struct iq2_xxs {
    uint8_t d[2];
    struct {
        uint8_t index[4];
        uint8_t word[4];
    } group[8];
};
static_assert(sizeof(struct iq2_xxs) == 66, "an IQ2_XXS block has 66 bytes");

struct iq2_xs {
    uint8_t d[2];
    uint8_t q[32][2];
    uint8_t scales[8];
};
static_assert(sizeof(struct iq2_xs) == 74, "an IQ2_XS block has 74 bytes");

struct iq2_s {
    uint8_t d[2];
    uint8_t index[32];
    uint8_t signs[32];
    uint8_t qh[8];
    uint8_t scales[8];
};
static_assert(sizeof(struct iq2_s) == 82, "an IQ2_S block has 82 bytes");

struct iq3_xxs {
    uint8_t d[2];
    uint8_t index[64];
    uint8_t word[8][4];
};
static_assert(sizeof(struct iq3_xxs) == 98, "an IQ3_XXS block has 98 bytes");

struct iq3_s {
    uint8_t d[2];
    uint8_t index[64];
    uint8_t qh[8];
    uint8_t signs[32];
    uint8_t scales[4];
};
static_assert(sizeof(struct iq3_s) == 110, "an IQ3_S block has 110 bytes");

struct iq1_s {
    uint8_t d[2];
    uint8_t index[32];
    uint8_t qh[8][2];
};
static_assert(sizeof(struct iq1_s) == 50, "an IQ1_S block has 50 bytes");

struct iq1_m {
    uint8_t index[32];
    uint8_t qh[16];
    uint8_t scales[4][2];
};
static_assert(sizeof(struct iq1_m) == 56, "an IQ1_M block has 56 bytes");

extern const int8_t iq4_levels[16]; // NL4

block32_fn iq4_nl_block32, iq4_xs_block32;
block32_fn iq2_xxs_block32, iq2_xs_block32, iq2_s_block32;
block32_fn iq3_xxs_block32, iq3_s_block32;
block32_fn iq1_s_block32, iq1_m_block32;

/* True when the scales of `count` blocks are finite. */
bool iq1_m_finite(const uint8_t *blocks, size_t count);

/* Eight weights of an IQ1 format: scale * (8 * value + 8 * delta). */
void iq1_weights(unsigned index, bool delta_negative, int scale, int32_t w[8]);

#endif
