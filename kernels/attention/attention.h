/*
 * Query heads against cached keys and values, and the projections that belong
 * to attention (decoded weights times floats, never q8).
 *
 * A row is one head of one query. Query t (0 .. queries-1) sees the keys
 * 0 .. first_length + t - 1, every head the same ones. Keys fall into blocks
 * of ATTENTION_BLOCK by their absolute index. Of each block a row makes a part,
 * over those keys of the block that it sees:
 *   s[j] = fl(scale * dot(q, k_j))          dot: 32 lanes by fma, tree
 *   m = max s;   p[j] = exp_c(fl(s[j] - m))
 *   S = sum of p[j]                         lane j mod 32, tree
 *   z[i] = fma(p[j], v_j[i], z[i])          j ascending, z from +0
 * and the parts are merged, blocks ascending, the first as it is:
 *   m' = max(m, m_b);  a = exp_c(fl(m - m'));  c = exp_c(fl(m_b - m'))
 *   S = fma(S_b, c, fl(S * a));  z[i] = fma(z_b[i], c, fl(z[i] * a));  m = m'
 *   out[i] = fl(z[i] / S)
 * A part with a score that is not finite is z = 0, m = 0, S = NaN, and the
 * row's out is NaN.
 * So a row's result depends neither on the queries and heads that share a call
 * nor on who computes which block. Keys and values are f16 or f32 rows (f16
 * converts exactly).
 *
 * This serves plain and grouped attention (a call for each key head, `heads`
 * query heads of its group), the absorbed latent form (one call: key row =
 * [latent, rotary key], value = its first elements, so values = keys) and the
 * expanded form (a call a head). Heads and queries of one call share the
 * reading of keys and values: give it as many as there are.
 * Source: online softmax, Milakov and Gimelshein 2018 (1805.02867), in fixed
 * blocks.
 */
#ifndef FATHOM_KERNELS_ATTENTION_ATTENTION_H
#define FATHOM_KERNELS_ATTENTION_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

enum cache_type { CACHE_F16, CACHE_F32 };

enum { ATTENTION_BLOCK = 256 };

/* Strides count elements. out and scratch overlap nothing else. */
struct attention_call {
    size_t queries, heads;
    const float *q; // (queries, heads, key_width)
    size_t query_stride, head_stride;
    size_t first_length; // keys that query 0 sees, at least 1
    enum cache_type type;
    const void *keys;   // (first_length + queries - 1, key_width)
    const void *values; // (first_length + queries - 1, value_width)
    size_t key_stride, value_stride;
    size_t key_width, value_width;
    float scale;
    float *out; // (queries, heads, value_width)
    size_t out_query_stride, out_head_stride;
    float *scratch; // attention_scratch_floats(value_width)
};

typedef void attention_fn(const struct attention_call *call);

/* What one call needs as scratch; does not depend on any length. */
size_t attention_scratch_floats(size_t value_width);

/*
 * The same work in pieces, so that several workers can share one call (each
 * with a scratch of its own): attention_part for every block, in any order,
 * then attention_merge for all rows. Gives the bits of attention.
 *
 * parts: (attention_blocks(call), queries * heads, value_width + 2): z, m, S
 * of row t * heads + h. A row that sees nothing of a block has no part there.
 */
typedef void attention_part_fn(const struct attention_call *call, size_t block,
                               float *parts);
/* Rows row .. row+rows-1; needs no scratch. */
typedef void attention_merge_fn(const struct attention_call *call,
                                const float *parts, size_t row, size_t rows);

size_t attention_blocks(const struct attention_call *call);
size_t attention_parts_floats(const struct attention_call *call);

/*
 * A block of f32 weights w, (rows, columns) row-major, `stride` floats apart:
 *   project_rows     y[r] = dot(w_r, x)       32 lanes by fma, tree
 *   project_columns  y[c] = fma(x[r], w_r[c], y[c]), r ascending, y from +0
 * for `vectors` vectors: x_stride and y_stride floats apart. y overlaps
 * nothing else.
 */
typedef void project_fn(const float *w, size_t rows, size_t columns,
                        size_t stride, const float *x, size_t x_stride,
                        float *y, size_t y_stride, size_t vectors);

/* To half precision, nearest even (for the f16 cache), and back, exactly. */
typedef void to_half_fn(uint16_t *out, const float *x, size_t count);
typedef void from_half_fn(float *out, const uint16_t *x, size_t count);

attention_fn attention_ref, attention_avx2;
attention_part_fn attention_part_ref, attention_part_avx2;
attention_merge_fn attention_merge_ref, attention_merge_avx2;
project_fn project_rows_ref, project_rows_avx2;
project_fn project_columns_ref, project_columns_avx2;
to_half_fn to_half_ref, to_half_avx2;
from_half_fn from_half_ref, from_half_avx2;

#endif
