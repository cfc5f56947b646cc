/*
 * Any format of the contract on AVX2. A 32-block is decoded to 16-bit
 * integers (|w| <= 4128, since |P| < 2^24) once for all tokens.
 */
#include "config.h"

#include "kernels/exponential.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_avx2.h"

#include <immintrin.h>
#include <math.h>

struct words {
    __m256i half[2];
};

static struct words
words_of(const struct block32 *b)
{
    struct words words;

    for (int z = 0; z < 2; z++) {
        const void *low = b->w + 16 * z, *high = b->w + 16 * z + 8;
        __m256i both = _mm256_packs_epi32(_mm256_loadu_si256(low),
                                          _mm256_loadu_si256(high));
        words.half[z] = _mm256_permute4x64_epi64(both, 0xd8);
    }
    return words;
}

static int32_t
dot(const struct words *w, const struct activations *a, size_t k)
{
    __m256i sum = _mm256_setzero_si256();

    for (size_t z = 0; z < 2; z++) {
        const void *q = a->q + activation_half(a, k, z);
        __m256i x = _mm256_cvtepi8_epi16(_mm_loadu_si128(q));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(w->half[z], x));
    }
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum),
                                 _mm256_extracti128_si256(sum, 1));
    four = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 1));
    return _mm_cvtsi128_si32(four);
}

static float
step(const struct block32 *b, const struct words *w,
     const struct activations *a, size_t k, float acc)
{
    const int16_t *s = a->s + 2 * k;

    acc = fmaf(b->a * a->d[k], (float) dot(w, a, k), acc);
    if (b->minimum == MINIMUM_FLOAT)
        acc = fmaf(-b->m, a->e[k], acc);
    if (b->minimum == MINIMUM_INTEGER)
        acc = fmaf(-(b->m * a->d[k]),
                   (float) (b->min[0] * s[0] + b->min[1] * s[1]), acc);
    return acc;
}

/* Row r, or the group of rows that it is interleaved in. */
static const uint8_t *
row_find(const struct format *format, const uint8_t *w, size_t blocks, size_t r)
{
    return w + r / format->interleaved * format->interleaved *
                   format_row_bytes(format, 32 * blocks);
}

void
linear_vector_any_avx2(const struct format *format, const uint8_t *w,
                       size_t rows, const struct activations *a, float *y,
                       size_t y_stride)
{
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *row = row_find(format, w, a->blocks, r);
        float lane[LINEAR_VECTOR_MAX][SUM_LANES] = {{0}};

        for (size_t i = 0; i < a->blocks; i++) {
            struct block32 b;
            format_block32(format, row, (unsigned) (r % format->interleaved), i,
                           &b);
            struct words words = words_of(&b);
            for (size_t t = 0; t < a->tokens; t++) {
                float *acc = &lane[t][i % SUM_LANES];
                *acc = step(&b, &words, a, t * a->token_stride + i, *acc);
            }
        }
        for (size_t t = 0; t < a->tokens; t++)
            y[t * y_stride + r] = sum_tree(lane[t]);
    }
}

void
linear_matrix_any_avx2(const struct format *format, const uint8_t *w,
                       size_t rows, const struct activations *a, float *y,
                       size_t y_stride)
{
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *row = row_find(format, w, a->blocks, r);

        for (size_t t = 0; t < a->tokens; t++)
            y[t * y_stride + r] = 0.0f;
        for (size_t i = 0; i < a->blocks; i++) {
            struct block32 b;
            format_block32(format, row, (unsigned) (r % format->interleaved), i,
                           &b);
            struct words words = words_of(&b);
            for (size_t t = 0; t < a->tokens; t++) {
                float *acc = &y[t * y_stride + r];
                *acc = step(&b, &words, a, t + i * a->block_stride, *acc);
            }
        }
    }
}
