/*
 * RMS norm of one row: y_j = fl(fl(x_j * r) * w_j),
 * r = fl(1 / sqrt(fl(fl(S / width) + eps))), S = sum of x_j^2 by
 * fma(x, x, lane) in 32 lanes and the tree. y may be x. Division and square
 * root are correctly rounded. Source: Zhang and Sennrich 2019, equation 4.
 */
#ifndef FATHOM_KERNELS_NORM_NORM_H
#define FATHOM_KERNELS_NORM_NORM_H

#include <stddef.h>

typedef void norm_fn(float *y, const float *x, const float *w, size_t width,
                     float eps);

norm_fn norm_ref, norm_avx2;

#endif
