/* Elementwise operations, eight at a time. */
#include "config.h"

#include "kernels/activation/activation.h"

#include "kernels/exponential_avx2.h"
#include "kernels/lanes_avx2.h"

#include <math.h>

void
silu_mul_avx2(float *h, const float *g, const float *u, size_t count)
{
    size_t i = 0;

    for (; i + 8 <= count; i += 8) {
        __m256 s = silu_avx2(_mm256_loadu_ps(g + i));

        _mm256_storeu_ps(h + i, _mm256_mul_ps(s, _mm256_loadu_ps(u + i)));
    }
    if (i < count) {
        __m256 s = silu_avx2(lanes_load(g + i, count - i));

        s = _mm256_mul_ps(s, lanes_load(u + i, count - i));
        lanes_store(h + i, s, count - i);
    }
}

void
add_avx2(float *y, const float *x, size_t count)
{
    size_t i = 0;

    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(y + i, _mm256_add_ps(_mm256_loadu_ps(y + i),
                                              _mm256_loadu_ps(x + i)));
    for (; i < count; i++)
        y[i] += x[i];
}

void
add_scaled_avx2(float *y, const float *x, float w, bool first, size_t count)
{
    const __m256 scale = _mm256_set1_ps(w);
    size_t i = 0;

    for (; i + 8 <= count; i += 8) {
        __m256 v = _mm256_mul_ps(scale, _mm256_loadu_ps(x + i));

        if (!first)
            v = _mm256_add_ps(_mm256_loadu_ps(y + i), v);
        _mm256_storeu_ps(y + i, v);
    }
    for (; i < count; i++) {
        float product = w * x[i];

        y[i] = first ? product : y[i] + product;
    }
}

void
exponentials_avx2(float *y, const float *x, float shift, size_t count)
{
    const __m256 by = _mm256_set1_ps(shift);
    size_t i = 0;

    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(y + i,
                         exp_avx2(_mm256_sub_ps(_mm256_loadu_ps(x + i), by)));
    if (i < count)
        lanes_store(y + i,
                    exp_avx2(_mm256_sub_ps(lanes_load(x + i, count - i), by)),
                    count - i);
}

/* The best of each lane, and where it was first seen. */
struct best {
    __m256 value;
    __m256i at;
    __m256 unordered; // lanes that met a NaN
};

static inline void
best_add(struct best *best, __m256 x, __m256i at)
{
    __m256 above = _mm256_cmp_ps(x, best->value, _CMP_GT_OQ);

    best->value = _mm256_blendv_ps(best->value, x, above);
    best->at = _mm256_blendv_epi8(best->at, at, _mm256_castps_si256(above));
    best->unordered =
        _mm256_or_ps(best->unordered, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

/* The lane with the largest value; of equal ones, the lowest index. */
static int32_t
best_index(const struct best *best)
{
    float value[8];
    int32_t at[8];
    int which = 0;

    if (_mm256_movemask_ps(best->unordered) != 0)
        return -1;
    _mm256_storeu_ps(value, best->value);
    _mm256_storeu_si256((__m256i *) (void *) at, best->at);
    for (int l = 1; l < 8; l++)
        if (value[l] > value[which] ||
            (value[l] == value[which] &&
             (uint32_t) at[l] < (uint32_t) at[which]))
            which = l;
    return at[which];
}

int32_t
argmax_avx2(const float *x, size_t count)
{
    const __m256 least = _mm256_set1_ps(-INFINITY);
    struct best best = {least, _mm256_set1_epi32(-1), _mm256_setzero_ps()};
    __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    size_t i = 0;

    for (; i + 8 <= count; i += 8) {
        best_add(&best, _mm256_loadu_ps(x + i), at);
        at = _mm256_add_epi32(at, _mm256_set1_epi32(8));
    }
    if (i < count) {
        __m256 here = _mm256_castsi256_ps(lanes_mask(count - i));

        best_add(&best,
                 _mm256_blendv_ps(least, lanes_load(x + i, count - i), here),
                 at);
    }
    return best_index(&best);
}
