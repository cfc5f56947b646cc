/* q8 activations on AVX2: the arithmetic contract, section 1. */
#include "config.h"

#include "kernels/linear/linear.h"

#include <immintrin.h>

#define SMALLEST_AMAX 0x1p-120f // below it 127 / amax would overflow

static inline float
largest(__m256 v)
{
    __m128 m =
        _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

/* 32 rounded integers as bytes in order; q is within -127 .. 127. */
static inline __m256i
pack_bytes(const __m256i q[4])
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]),
                                       _mm256_packs_epi32(q[2], q[3]));

    return _mm256_permutevar8x32_epi32(bytes, order);
}

static inline void
store_half(struct activations *a, size_t k, size_t half, __m128i bytes)
{
    void *at = a->q + activation_half(a, k, half);

    _mm_storeu_si128(at, bytes);
}

static inline void
store_block(struct activations *a, size_t k, float d, __m256i bytes)
{
    __m256i s = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);

    s = _mm256_madd_epi16(s, _mm256_set1_epi16(1));
    s = _mm256_hadd_epi32(s, s);
    s = _mm256_hadd_epi32(s, s);
    int s0 = _mm256_extract_epi32(s, 0), s1 = _mm256_extract_epi32(s, 4);
    store_half(a, k, 0, _mm256_castsi256_si128(bytes));
    store_half(a, k, 1, _mm256_extracti128_si256(bytes, 1));
    a->d[k] = d;
    a->e[k] = d * (float) (s0 + s1);
    a->s[2 * k] = (int16_t) s0;
    a->s[2 * k + 1] = (int16_t) s1;
}

/* False, and a block of zeros, when a value is not finite. */
static inline bool
quantize_block(struct activations *a, size_t k, const float *x)
{
    const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    const __m256 infinity = _mm256_castsi256_ps(_mm256_set1_epi32(0x7f800000));
    __m256 v[4], m[4], good;
    __m256i q[4];

    for (int j = 0; j < 4; j++) {
        v[j] = _mm256_loadu_ps(x + 8 * j);
        m[j] = _mm256_and_ps(v[j], magnitude);
    }
    // each on its own: a maximum of two may drop a NaN
    good =
        _mm256_and_ps(_mm256_and_ps(_mm256_cmp_ps(m[0], infinity, _CMP_LT_OQ),
                                    _mm256_cmp_ps(m[1], infinity, _CMP_LT_OQ)),
                      _mm256_and_ps(_mm256_cmp_ps(m[2], infinity, _CMP_LT_OQ),
                                    _mm256_cmp_ps(m[3], infinity, _CMP_LT_OQ)));
    if (_mm256_movemask_ps(good) != 0xff) {
        store_block(a, k, 0.0f, _mm256_setzero_si256());
        return false;
    }
    float amax = largest(
        _mm256_max_ps(_mm256_max_ps(m[0], m[1]), _mm256_max_ps(m[2], m[3])));
    bool zero = amax < SMALLEST_AMAX;
    float d = zero ? 0.0f : amax / 127.0f, inv = zero ? 0.0f : 127.0f / amax;
    for (int j = 0; j < 4; j++)
        q[j] = _mm256_cvtps_epi32(_mm256_mul_ps(v[j], _mm256_set1_ps(inv)));
    store_block(a, k, d, pack_bytes(q));
    return true;
}

bool
quantize_q8_avx2(struct activations *a, size_t t, const float *x)
{
    bool finite = true;

    for (size_t i = 0; i < a->blocks; i++, x += 32) {
        size_t k = t * a->token_stride + i * a->block_stride;
        finite = quantize_block(a, k, x) && finite;
    }
    return finite;
}
