/*
 * IQ formats of ggml: levels that are not evenly spaced. d is a half.
 *
 * NL4, sixteen levels for four bits:
 *   -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113
 *
 *   IQ4_NL | d 2 | q 16 |                            32 elements
 *          q: byte j has element j in its low nibble, j + 16 in the high one
 *          y = d * NL4[q]
 *   IQ4_XS | d 2 | sh 2 | sl 4 | q 128 |             256 elements
 *          of 32-block k: scale = nibble k of sl (low first) | bits 2k of the
 *          16-bit word sh << 4; q: as IQ4_NL, bytes 16k .. 16k + 15
 *          y = (d * (scale - 32)) * NL4[q]
 *
 * Source: ggml-quants.c of ggml (block_iq4_nl, block_iq4_xs).
 */
#ifndef FATHOM_QUANT_IQ_H
#define FATHOM_QUANT_IQ_H

#include "quant/block32.h"

#include <assert.h>

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

extern const int8_t iq4_levels[16]; // NL4

block32_fn iq4_nl_block32, iq4_xs_block32;

#endif
