/*
 * Eight lanes at a time, for the variant files: loading and storing whole and
 * partial groups of floats without touching what lies beyond.
 */
#ifndef FATHOM_KERNELS_LANES_AVX2_H
#define FATHOM_KERNELS_LANES_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define UNROLL _Pragma("GCC unroll 16")
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* All bits set in the first `count` lanes; 8 and more: in all. */
static inline __m256i
lanes_mask(size_t count)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    int some = count < 8 ? (int) count : 8;

    return _mm256_cmpgt_epi32(_mm256_set1_epi32(some), lane);
}

/* The first `count` floats, zeros in the lanes behind. */
static inline __m256
lanes_load(const float *x, size_t count)
{
    return _mm256_maskload_ps(x, lanes_mask(count));
}

static inline void
lanes_store(float *x, __m256 value, size_t count)
{
    _mm256_maskstore_ps(x, lanes_mask(count), value);
}

/* The largest of eight lanes. */
static inline float
lanes_max(__m256 x)
{
    __m128 m =
        _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

#endif
