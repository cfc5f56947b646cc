/*
 * Linear layers, y = W x, by the arithmetic contract (fathom's paper of it is
 * doc/arithmetic.md). Every variant gives the bits of linear_ref.c.
 *
 * Activations are rounded once to int8 blocks of 32 (section 1 there) and
 * used for every weight matrix that reads them:
 *   amax = max |x|; d = amax < 2^-120 ? 0 : fl(amax / 127);
 *   inv = amax < 2^-120 ? 0 : fl(127 / amax);
 *   q = round_half_even(fl(x * inv)) in -127 .. 127; s = sums of the halves
 *   of q; e = fl(d * (float) (s[0] + s[1]))
 */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_H
#define FATHOM_KERNELS_LINEAR_LINEAR_H

#include "quant/quant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LINEAR_VECTOR_MAX = 8, // most tokens of one call in vector order
    ACTIVATION_PAD = 8,    // blocks a token are rounded up to this, zeroed
};

/*
 * q8 activations: `tokens` rows of `blocks` blocks. Block i of token t has
 * index k = t * token_stride + i * block_stride in each plane.
 *
 * Vector order: block_stride 1, token_stride = blocks rounded up to
 * ACTIVATION_PAD. Halves of neighbouring blocks interleave, so that a 128-bit
 * half of a register is one block's:
 *   q | block 0, 0-15 | block 1, 0-15 | block 0, 16-31 | block 1, 16-31 | ...
 * Matrix order: token_stride 1, block_stride = tokens (a block's tokens lie
 * side by side), 32 bytes of q a block. All planes are 64-byte aligned.
 */
struct activations {
    size_t tokens, blocks;
    size_t token_stride, block_stride;
    bool matrix_order;
    int8_t *q;  // 32 a block; activation_half says where
    float *d;   // scale
    float *e;   // fl(d * sum of q)
    int16_t *s; // 2 a block: sums of the halves of q
};

/* Where the 16 values of half 0 or 1 of block k begin in q. */
static inline size_t
activation_half(const struct activations *a, size_t k, size_t half)
{
    if (a->matrix_order)
        return 32 * k + 16 * half;
    return 64 * (k / 2) + 32 * half + 16 * (k % 2);
}

/* Bytes that activations_place needs for tokens x (32 * blocks) values. */
size_t activations_bytes(size_t tokens, size_t blocks);

/*
 * Says where the planes of *a lie in `memory`, which is not touched and may be
 * a device's.
 */
void activations_lay(struct activations *a, void *memory, size_t tokens,
                     size_t blocks, bool matrix_order);

/*
 * Lays the planes of *a out in `memory` (64-byte aligned, at least
 * activations_bytes) for vector or matrix order and zeroes the padding.
 */
void activations_place(struct activations *a, void *memory, size_t tokens,
                       size_t blocks, bool matrix_order);

/*
 * Rounds token t: x has 32 * blocks values. False when any of them is not
 * finite (the planes then hold zeros for that block).
 */
typedef bool quantize_q8_fn(struct activations *a, size_t t, const float *x);

/*
 * y[t * y_stride + r] = row r of w times token t, r < rows, t < tokens.
 * w: `rows` rows of 32 * blocks elements of a CONTRACT_INT8 format,
 * LAYOUT_ROWS, each format_row_bytes apart, unaligned; of interleaved formats
 * whole groups. Reads nothing beyond the last row. linear_vector takes
 * activations in vector order, at most LINEAR_VECTOR_MAX tokens of them,
 * linear_matrix those in matrix order.
 */
typedef void linear_fn(const struct format *format, const uint8_t *w,
                       size_t rows, const struct activations *a, float *y,
                       size_t y_stride);

/*
 * The same for F32, F16 and BF16 weights and unquantized x (tokens x width,
 * x_stride floats apart): lane = element mod 32, acc = fma(w, x, acc), tree.
 * Width need not be a multiple of 32.
 */
typedef void linear_float_fn(const struct format *format, const uint8_t *w,
                             size_t rows, size_t width, const float *x,
                             size_t x_stride, size_t tokens, float *y,
                             size_t y_stride);

quantize_q8_fn quantize_q8_ref, quantize_q8_avx2;
linear_fn linear_vector_ref, linear_vector_avx2;
linear_fn linear_matrix_ref, linear_matrix_avx2;
linear_float_fn linear_float_ref, linear_float_avx2;

#ifdef __cplusplus
}
#endif

#endif
