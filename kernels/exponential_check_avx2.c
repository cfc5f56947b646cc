/* What exponential_check.c needs compiled for AVX2. */
#include "config.h"

#include "kernels/exponential_avx2.h"
#include "kernels/exponential_check.h"

void
exponential_check_exp(float *y, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i += 8)
        _mm256_storeu_ps(y + i, exp_avx2(_mm256_loadu_ps(x + i)));
}

void
exponential_check_silu(float *y, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i += 8)
        _mm256_storeu_ps(y + i, silu_avx2(_mm256_loadu_ps(x + i)));
}

float
exponential_check_tree(const float lane[32])
{
    __m256 lanes[4];

    for (int v = 0; v < 4; v++)
        lanes[v] = _mm256_loadu_ps(lane + 8 * v);
    return sum_tree_avx2(lanes);
}
