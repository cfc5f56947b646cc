/* RMS norm, four accumulators of eight lanes. */
#include "config.h"

#include "kernels/norm/norm.h"

#include "kernels/exponential_avx2.h"
#include "kernels/lanes_avx2.h"

#include <math.h>

static float
sum_of_squares(const float *x, size_t width)
{
    __m256 lane[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(),
                      _mm256_setzero_ps(), _mm256_setzero_ps()};
    size_t i = 0;

    for (; i + 32 <= width; i += 32)
        UNROLL
    for (size_t g = 0; g < 4; g++) {
        __m256 v = _mm256_loadu_ps(x + i + 8 * g);

        lane[g] = _mm256_fmadd_ps(v, v, lane[g]);
    }
    // a lane is never -0 here, so adding +0 for what is missing is harmless
    for (size_t g = 0; i < width; i += 8, g++) {
        __m256 v = lanes_load(x + i, width - i);

        lane[g] = _mm256_fmadd_ps(v, v, lane[g]);
    }
    return sum_tree_avx2(lane);
}

void
norm_avx2(float *y, const float *x, const float *w, size_t width, float eps)
{
    float one = 1 / sqrtf(sum_of_squares(x, width) / (float) width + eps);
    __m256 r = _mm256_set1_ps(one);
    size_t i = 0;

    for (; i + 8 <= width; i += 8) {
        __m256 v = _mm256_mul_ps(_mm256_loadu_ps(x + i), r);

        _mm256_storeu_ps(y + i, _mm256_mul_ps(v, _mm256_loadu_ps(w + i)));
    }
    for (; i < width; i++)
        y[i] = x[i] * one * w[i];
}
