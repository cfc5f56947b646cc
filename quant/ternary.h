/*
 * Formats of one and two bits: d is a half, w is -1, 0, 1 (Q2_0, TQ2_0: or 2).
 *
 *   TQ1_0 | q 48 | qh 4 | d 2 |                      256 elements
 *         five elements a byte of q and four a byte of qh, as digits of a
 *         fraction in base 3: digit n of x is (((x * 3^n) & 255) * 3) >> 8.
 *         Elements in order: for n = 0 .. 4 bytes q[0 .. 31], for n = 0 .. 4
 *         bytes q[32 .. 47], for n = 0 .. 3 bytes qh[0 .. 3]
 *         y = d * (digit - 1)
 *   TQ2_0 | q 64 | d 2 |                             256 elements
 *         32-block k: bits 2 * (k % 4) of bytes 32 * (k / 4) ..
 *         y = d * (bits - 1)
 *   Q1_0  | d 2 | bits 16 |                          128 elements
 *         y = bit e % 8 of byte e / 8 set ? d : -d
 *   Q2_0  | d 2 | q 16 |                             64 elements
 *         y = d * (bits 2 * (e % 4) of byte e / 4 - 1)
 *
 * Source: ggml-quants.c of ggml (block_tq1_0, block_tq2_0, block_q1_0,
 * block_q2_0).
 */
#ifndef FATHOM_QUANT_TERNARY_H
#define FATHOM_QUANT_TERNARY_H

#include "quant/block32.h"

#include <assert.h>

struct tq1_0 {
    uint8_t q[48];
    uint8_t qh[4];
    uint8_t d[2];
};
static_assert(sizeof(struct tq1_0) == 54, "a TQ1_0 block has 54 bytes");

struct tq2_0 {
    uint8_t q[64];
    uint8_t d[2];
};
static_assert(sizeof(struct tq2_0) == 66, "a TQ2_0 block has 66 bytes");

struct q1_0 {
    uint8_t d[2];
    uint8_t bits[16];
};
static_assert(sizeof(struct q1_0) == 18, "a Q1_0 block has 18 bytes");

struct q2_0 {
    uint8_t d[2];
    uint8_t q[16];
};
static_assert(sizeof(struct q2_0) == 18, "a Q2_0 block has 18 bytes");

block32_fn tq1_0_block32, tq2_0_block32, q1_0_block32, q2_0_block32;

#endif
