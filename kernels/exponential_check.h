/* The inline functions of exponential_avx2.h, callable from a check. */
#ifndef FATHOM_KERNELS_EXPONENTIAL_CHECK_H
#define FATHOM_KERNELS_EXPONENTIAL_CHECK_H

#include <stddef.h>

/* `count` is a multiple of eight. */
void exponential_check_exp(float *y, const float *x, size_t count);
void exponential_check_silu(float *y, const float *x, size_t count);
float exponential_check_tree(const float lane[32]);

#endif
