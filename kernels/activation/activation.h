/* Elementwise operations: feed-forward, residual stream, sampling. */
#ifndef FATHOM_KERNELS_ACTIVATION_ACTIVATION_H
#define FATHOM_KERNELS_ACTIVATION_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* h[i] = fl(silu(g[i]) * u[i]); h may be g or u. */
typedef void silu_mul_fn(float *h, const float *g, const float *u,
                         size_t count);
/* y[i] = fl(y[i] + x[i]) */
typedef void add_fn(float *y, const float *x, size_t count);
/* y[i] = fl(y[i] + fl(w * x[i])); with `first`, y[i] = fl(w * x[i]) */
typedef void add_scaled_fn(float *y, const float *x, float w, bool first,
                           size_t count);
/* y[i] = exp_c(fl(x[i] - shift)); y may be x. NaN stays NaN. */
typedef void exponentials_fn(float *y, const float *x, float shift,
                             size_t count);
/*
 * Index of the largest value, lowest index first; -1 when a value is NaN or
 * none is above -infinity.
 */
typedef int32_t argmax_fn(const float *x, size_t count);

silu_mul_fn silu_mul_ref, silu_mul_avx2;
add_fn add_ref, add_avx2;
add_scaled_fn add_scaled_ref, add_scaled_avx2;
exponentials_fn exponentials_ref, exponentials_avx2;
argmax_fn argmax_ref, argmax_avx2;

#ifdef __cplusplus
}
#endif

#endif
