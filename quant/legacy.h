/*
 * The first formats of ggml: 32 elements a block, one scale, maybe a minimum.
 *
 * d and m are halves. q holds two elements a byte: byte j has element j in its
 * low nibble and element j + 16 in its high one. h holds the fifth bit of
 * element j in bit j of a little-endian 32-bit word.
 *
 *   Q4_0  | d 2 | q 16 |                y = d * (q - 8)
 *   Q4_1  | d 2 | m 2 | q 16 |          y = d * q + m
 *   Q5_0  | d 2 | h 4 | q 16 |          y = d * ((q | h << 4) - 16)
 *   Q5_1  | d 2 | m 2 | h 4 | q 16 |    y = d * (q | h << 4) + m
 *   Q8_0  | d 2 | q 32 |                y = d * q, q signed bytes
 *
 * Source: ggml-quants.c of ggml (block_q4_0 ... block_q8_0).
 */
#ifndef FATHOM_QUANT_LEGACY_H
#define FATHOM_QUANT_LEGACY_H

#include "quant/block32.h"

#include <assert.h>

struct q4_0 {
    uint8_t d[2];
    uint8_t q[16];
};
static_assert(sizeof(struct q4_0) == 18, "a Q4_0 block has 18 bytes");

struct q4_1 {
    uint8_t d[2];
    uint8_t m[2];
    uint8_t q[16];
};
static_assert(sizeof(struct q4_1) == 20, "a Q4_1 block has 20 bytes");

struct q5_0 {
    uint8_t d[2];
    uint8_t h[4];
    uint8_t q[16];
};
static_assert(sizeof(struct q5_0) == 22, "a Q5_0 block has 22 bytes");

struct q5_1 {
    uint8_t d[2];
    uint8_t m[2];
    uint8_t h[4];
    uint8_t q[16];
};
static_assert(sizeof(struct q5_1) == 24, "a Q5_1 block has 24 bytes");

struct q8_0 {
    uint8_t d[2];
    int8_t q[32];
};
static_assert(sizeof(struct q8_0) == 34, "a Q8_0 block has 34 bytes");

block32_fn q4_0_block32, q4_1_block32, q5_0_block32, q5_1_block32, q8_0_block32;

/* 32 values to one block. */
void q4_0_encode(const float *in, void *block);
void q4_1_encode(const float *in, void *block);
void q5_0_encode(const float *in, void *block);
void q5_1_encode(const float *in, void *block);
void q8_0_encode(const float *in, void *block);

#endif
