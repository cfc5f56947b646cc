/* Parts of linear layers on AVX2 that have files of their own. */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_AVX2_H
#define FATHOM_KERNELS_LINEAR_LINEAR_AVX2_H

#include "kernels/linear/linear.h"

/*
 * Formats without an unpacking of their own: each 32-block comes from
 * format_block32, the products are vectors.
 */
linear_fn linear_vector_any_avx2, linear_matrix_any_avx2;

/* Matrix order for at most LINEAR_FEW tokens; the others' formats only. */
enum { LINEAR_FEW = 3 };
linear_fn linear_matrix_few_avx2;

#endif
