/* Rotation of four or eight pairs at a time. */
#include "config.h"

#include "kernels/rope/rope.h"

#include <immintrin.h>
#include <math.h>

/* One pair, for what is left over; compiled with -mfma, so one instruction. */
static void
rotate(float *x0, float *x1, float c, float s)
{
    float first = fmaf(*x0, c, -(*x1 * s)), second = fmaf(*x0, s, *x1 * c);

    *x0 = first;
    *x1 = second;
}

/* x = a0 b0 a1 b1 ...: even lanes a c - b s, odd lanes a s + b c. */
static void
rotate_interleaved(float *x, const float *cosines, const float *sines,
                   size_t pairs)
{
    size_t i = 0;

    for (; i + 4 <= pairs; i += 4) {
        __m128 c = _mm_loadu_ps(cosines + i), s = _mm_loadu_ps(sines + i);
        __m256 cs =
            _mm256_set_m128(_mm_unpackhi_ps(c, s), _mm_unpacklo_ps(c, s));
        __m256 sc = _mm256_permute_ps(cs, 0xb1);
        __m256 v = _mm256_loadu_ps(x + 2 * i);
        __m256 b = _mm256_mul_ps(_mm256_movehdup_ps(v), sc);

        v = _mm256_fmaddsub_ps(_mm256_moveldup_ps(v), cs, b);
        _mm256_storeu_ps(x + 2 * i, v);
    }
    for (; i < pairs; i++)
        rotate(x + 2 * i, x + 2 * i + 1, cosines[i], sines[i]);
}

static void
rotate_halves(float *x, const float *cosines, const float *sines, size_t pairs)
{
    size_t i = 0;

    for (; i + 8 <= pairs; i += 8) {
        __m256 c = _mm256_loadu_ps(cosines + i), s = _mm256_loadu_ps(sines + i);
        __m256 x0 = _mm256_loadu_ps(x + i), x1 = _mm256_loadu_ps(x + pairs + i);

        _mm256_storeu_ps(x + i, _mm256_fmsub_ps(x0, c, _mm256_mul_ps(x1, s)));
        _mm256_storeu_ps(x + pairs + i,
                         _mm256_fmadd_ps(x0, s, _mm256_mul_ps(x1, c)));
    }
    for (; i < pairs; i++)
        rotate(x + i, x + pairs + i, cosines[i], sines[i]);
}

void
rope_avx2(float *x, const float *cosines, const float *sines, size_t pairs,
          enum rope_pairing pairing)
{
    if (pairing == ROPE_INTERLEAVED)
        rotate_interleaved(x, cosines, sines, pairs);
    else
        rotate_halves(x, cosines, sines, pairs);
}
