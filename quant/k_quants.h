/*
 * K formats of ggml: 256 elements a block, as 8 groups of 32 or 16 of 16 with
 * integer sub-scales. d and dmin are halves. Of element e, k = e / 32 is its
 * 32-block, l = e % 32 its place there.
 *
 *   Q2_K | scales 16 | q 64 | d 2 | dmin 2 |
 *        scales: byte e / 16, scale in the low nibble, minimum in the high
 *        q: two bits 2 * (k % 4) of byte 32 * (k / 4) + l
 *        y = (d * scale) * q - dmin * minimum
 *   Q3_K | hmask 32 | q 64 | scales 12 | d 2 |
 *        q as Q2_K; hmask: bit k of byte l; scales: 16 of 6 bits, drawn below
 *        y = (d * (scale - 32)) * (q - (hmask bit ? 0 : 4))
 *   Q4_K | d 2 | dmin 2 | scales 12 | q 128 |
 *        q: byte 32 * (k / 2) + l, low nibble for even k
 *        scales: 8 of 6 bits and 8 minima of 6 bits, drawn below
 *        y = (d * scale) * q - dmin * minimum
 *   Q5_K | d 2 | dmin 2 | scales 12 | qh 32 | q 128 |
 *        as Q4_K, fifth bit of q: bit k of byte qh[l]
 *   Q6_K | ql 128 | qh 64 | scales 16 (signed) | d 2 |
 *        j = k % 4: low bits in nibble j / 2 of byte 64 * (k / 4) +
 *        32 * (j & 1) + l of ql; high bits 2j of byte 32 * (k / 4) + l of qh
 *        y = (d * scale) * ((low | high << 4) - 32)
 *
 * Scales of Q3_K, bytes s0 .. s11, bit 7 left; scale g = e / 16 is of 6 bits:
 *   s0-s7   | scale g+8, bits 3-0        | scale g, bits 3-0     |  g = 0 .. 7
 *   s8-s11  | g+12, 5-4   | g+8, 5-4     | g+4, 5-4   | g, 5-4   |  g = 0 .. 3
 *
 * Scales and minima of Q4_K and Q5_K, 6 bits each:
 *   s0-s3   | scale k+4, 5-4 | scale k, bits 5-0                 |  k = 0 .. 3
 *   s4-s7   | min k+4, 5-4   | min k, bits 5-0                   |
 *   s8-s11  | min k+4, bits 3-0          | scale k+4, bits 3-0   |
 *
 * Source: ggml-quants.c of ggml (block_q2_K ... block_q6_K).
 */
#ifndef FATHOM_QUANT_K_QUANTS_H
#define FATHOM_QUANT_K_QUANTS_H

#include "quant/block32.h"

#include <assert.h>

struct q2_k {
    uint8_t scales[16];
    uint8_t q[64];
    uint8_t d[2];
    uint8_t dmin[2];
};
static_assert(sizeof(struct q2_k) == 84, "a Q2_K block has 84 bytes");

struct q3_k {
    uint8_t hmask[32];
    uint8_t q[64];
    uint8_t scales[12];
    uint8_t d[2];
};
static_assert(sizeof(struct q3_k) == 110, "a Q3_K block has 110 bytes");

struct q4_k {
    uint8_t d[2];
    uint8_t dmin[2];
    uint8_t scales[12];
    uint8_t q[128];
};
static_assert(sizeof(struct q4_k) == 144, "a Q4_K block has 144 bytes");

struct q5_k {
    uint8_t d[2];
    uint8_t dmin[2];
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t q[128];
};
static_assert(sizeof(struct q5_k) == 176, "a Q5_K block has 176 bytes");

struct q6_k {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    uint8_t d[2];
};
static_assert(sizeof(struct q6_k) == 210, "a Q6_K block has 210 bytes");

block32_fn q2_k_block32, q3_k_block32, q4_k_block32, q5_k_block32, q6_k_block32;

#endif
