/*
 * One query head against cached keys and values, and the projections that
 * belong to attention (decoded weights times floats, never q8).
 *
 * For query t (0 .. queries-1), which sees keys 0 .. first_length + t - 1:
 *   score[j] = fl(scale * dot(q_t, k_j))     dot: 32 lanes by fma, tree
 *   m = max score;  p[j] = exp_c(fl(score[j] - m))
 *   S = sum of p[j]: lane j mod 32, tree
 *   out_t[i] = fl(z[i] / S), z[i] = fma(p[j], v_j[i], z[i]), j ascending
 * A query's result does not depend on how many queries share a call.
 * Keys and values are f16 or f32 rows (f16 converts exactly).
 *
 * This serves plain and grouped attention, the absorbed latent form (key row =
 * [latent, rotary key], value = its first L elements) and the expanded form.
 */
#ifndef FATHOM_KERNELS_ATTENTION_ATTENTION_H
#define FATHOM_KERNELS_ATTENTION_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

enum cache_type { CACHE_F16, CACHE_F32 };

struct attention_call {
    const float *q; // (queries, key_width), q_stride floats apart
    size_t queries, q_stride;
    size_t first_length; // keys that query 0 sees, at least 1
    const void *keys;    // rows key_stride elements apart
    const void *values;  // rows value_stride elements apart
    enum cache_type type;
    size_t key_stride, value_stride;
    size_t key_width, value_width;
    float scale;
    float *out; // (queries, value_width), out_stride floats apart
    size_t out_stride;
    float *scratch; // attention_scratch_floats(...)
};

typedef void attention_fn(const struct attention_call *call);

/* Scratch of one call with this many queries over at most `length` keys. */
size_t attention_scratch_floats(size_t queries, size_t length,
                                size_t value_width);

/*
 * A block of f32 weights w, (rows, columns) row-major, `stride` floats apart:
 *   project_rows     y[r] = dot(w_r, x)       32 lanes by fma, tree
 *   project_columns  y[c] = fma(x[r], w_r[c], y[c]), r ascending, y from 0
 * for `vectors` vectors: x_stride and y_stride floats apart.
 */
typedef void project_fn(const float *w, size_t rows, size_t columns,
                        size_t stride, const float *x, size_t x_stride,
                        float *y, size_t y_stride, size_t vectors);

/* Rounds to half precision, nearest even (for the f16 cache). */
typedef void to_half_fn(uint16_t *out, const float *x, size_t count);

attention_fn attention_ref, attention_avx2;
project_fn project_rows_ref, project_rows_avx2;
project_fn project_columns_ref, project_columns_avx2;
to_half_fn to_half_ref, to_half_avx2;

#endif
