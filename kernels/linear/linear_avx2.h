/*
 * Linear layers on AVX2 for formats without an unpacking of their own: each
 * 32-block comes from format_block32, the products are vectors.
 */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_AVX2_H
#define FATHOM_KERNELS_LINEAR_LINEAR_AVX2_H

#include "kernels/linear/linear.h"

linear_fn linear_vector_any_avx2, linear_matrix_any_avx2;

#endif
