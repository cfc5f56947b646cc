/*
 * Four-bit floats (E2M1) with small scales. F holds twice their values, so
 * scales are halved:  0 1 2 3 4 6 8 12  0 -1 -2 -3 -4 -6 -8 -12
 *
 *   MXFP4 | e 1 | q 16 |                             32 elements
 *         q: byte j has element j in its low nibble, j + 16 in the high one
 *         scale = 2^(e - 127) / 2; e = 255 means NaN
 *         y = scale * F[q]
 *   NVFP4 | s 4 | q 32 |                             64 elements
 *         four sub-blocks k of 16: bytes 8k .. 8k + 7 of q, byte j has element
 *         j in its low nibble, j + 8 in the high one
 *         scale = s[k] as an unsigned float of 4 exponent bits (bias 7) and 3
 *         mantissa bits, halved; the top bit is ignored; 0x7f stands for 0
 *         y = scale * F[q]
 *         Files multiply a product with an NVFP4 matrix by a binary32 of its
 *         tensor, which is not part of the blocks.
 *
 * Source: OCP Microscaling Formats 1.0; ggml-quants.c of ggml (block_mxfp4,
 * block_nvfp4).
 */
#ifndef FATHOM_QUANT_MICRO_H
#define FATHOM_QUANT_MICRO_H

#include "quant/block32.h"

#include <assert.h>
#include <stdbool.h>

struct mxfp4 {
    uint8_t e;
    uint8_t q[16];
};
static_assert(sizeof(struct mxfp4) == 17, "an MXFP4 block has 17 bytes");

struct nvfp4 {
    uint8_t s[4];
    uint8_t q[4][8];
};
static_assert(sizeof(struct nvfp4) == 36, "an NVFP4 block has 36 bytes");

block32_fn mxfp4_block32;
bool mxfp4_finite(const uint8_t *blocks, size_t count);

void nvfp4_decode(const uint8_t *row, float *out, size_t elems);

#endif
