/*
 * exp_c, silu_c and the tree of sums on AVX2, for the variant files. The same
 * bits as exponential.c for every value.
 */
#ifndef FATHOM_KERNELS_EXPONENTIAL_AVX2_H
#define FATHOM_KERNELS_EXPONENTIAL_AVX2_H

#include "kernels/exponential.h"

#include <immintrin.h>

static inline __m256
exp_avx2(__m256 x)
{
    const __m256 one = _mm256_set1_ps(1.0f);

    // x stands second: then NaN stays NaN
    x = _mm256_max_ps(_mm256_set1_ps(EXP_LO), x);
    x = _mm256_min_ps(_mm256_set1_ps(EXP_HI), x);
    __m256 n = _mm256_mul_ps(x, _mm256_set1_ps(EXP_LOG2E));
    n = _mm256_round_ps(n, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-EXP_LN2_HI), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(-EXP_LN2_LO), r);
    __m256 p = _mm256_set1_ps(EXP_C6);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_C5));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_C4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_C3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_C2));
    p = _mm256_fmadd_ps(p, r, one);
    p = _mm256_fmadd_ps(p, r, one);
    __m256i exponent =
        _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(p,
                         _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}

static inline __m256
silu_avx2(__m256 g)
{
    __m256 e = exp_avx2(_mm256_xor_ps(g, _mm256_set1_ps(-0.0f)));

    return _mm256_div_ps(g, _mm256_add_ps(_mm256_set1_ps(1.0f), e));
}

/* sum_tree over 32 lanes: lane[v] holds lanes 8v .. 8v+7. */
static inline float
sum_tree_avx2(const __m256 lane[4])
{
    __m256 eight = _mm256_add_ps(_mm256_add_ps(lane[0], lane[2]),
                                 _mm256_add_ps(lane[1], lane[3]));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                             _mm256_extractf128_ps(eight, 1));

    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

#endif
