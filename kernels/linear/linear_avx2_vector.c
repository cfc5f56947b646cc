/*
 * Vector order on AVX2: row after row, as memory delivers them, all tokens on
 * one unpacking of eight blocks. A block is a lane of a float register, so
 * four registers are the 32 lanes of the contract.
 */
#include "config.h"

#include "kernels/exponential_avx2.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_avx2.h"
#include "kernels/linear/linear_avx2_products.h"

/*
 * Adds an octet, whose products are c, to the eight lanes of `acc`; k: the
 * first block in a.
 */
INLINE __m256
step(enum format_id id, const struct octet *o, __m256i c[8],
     const struct activations *a, size_t k, __m256 acc)
{
    const struct traits traits = traits_of(id);
    __m256i sums = load(a->s + 2 * k);
    __m256 d = _mm256_loadu_ps(a->d + k);
    __m256 p = _mm256_cvtepi32_ps(sum_products(id, o, c, sums));

    acc = _mm256_fmadd_ps(_mm256_mul_ps(o->a, d), p, acc);
    if (traits.minimum == MINIMUM_FLOAT)
        acc = _mm256_fnmadd_ps(o->m, _mm256_loadu_ps(a->e + k), acc);
    if (traits.minimum == MINIMUM_INTEGER)
        acc = _mm256_fnmadd_ps(
            _mm256_mul_ps(o->m, d),
            _mm256_cvtepi32_ps(_mm256_madd_epi16(o->min, sums)), acc);
    return acc;
}

/* ---- rows ---- */

/* `after` in the lanes of the `count` blocks that exist, `before` elsewhere. */
INLINE __m256
keep_missing(__m256 before, __m256 after, int count)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i exists = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);

    return _mm256_blendv_ps(before, after, _mm256_castsi256_ps(exists));
}

/* One octet and one token; a pair is used up before the next is unpacked. */
INLINE __m256
octet_one(enum format_id id, const uint8_t *w, int count,
          const struct activations *a, size_t i, __m256 acc)
{
    struct octet o;
    __m256i c[8];

    fetch_ahead(id, w);
    unpack_scales(id, w, count - 1, &o);
    UNROLL
    for (int p = 0; p < 4; p++) {
        unpack_pair(id, w, p, count - 1, o.w);
        pair_products(id, o.w, a->q + 32 * i + 64 * p, c + 2 * p);
    }
    return step(id, &o, c, a, i, acc);
}

/*
 * One row and one token. The four registers of lanes take turns; which of them
 * is first in the end does not matter, since the tree adds the first and the
 * third, the second and the fourth, and then both sums.
 */
INLINE float
row_one(enum format_id id, const uint8_t *w, const struct activations *a)
{
    __m256 lanes[4], sum;
    size_t i = 0;

    UNROLL
    for (int v = 0; v < 4; v++)
        lanes[v] = _mm256_setzero_ps();
    for (; i + 8 <= a->blocks; i += 8, w += octet_bytes(id)) {
        sum = octet_one(id, w, 8, a, i, lanes[0]);
        lanes[0] = lanes[1];
        lanes[1] = lanes[2];
        lanes[2] = lanes[3];
        lanes[3] = sum;
    }
    if (i < a->blocks) {
        int count = (int) (a->blocks - i);
        sum = octet_one(id, w, count, a, i, lanes[0]);
        lanes[0] = keep_missing(lanes[0], sum, count);
    }
    return sum_tree_avx2(lanes);
}

/* One octet of a row and all tokens. */
INLINE void
octet_many(enum format_id id, const uint8_t *w, int count, size_t i,
           const struct activations *a, __m256 (*lanes)[4])
{
    struct octet o;

    fetch_ahead(id, w);
    unpack(id, w, count - 1, &o);
    for (size_t t = 0; t < a->tokens; t++) {
        size_t k = t * a->token_stride + i;
        __m256 *acc = &lanes[t][i / 8 % 4];
        __m256i c[8];
        UNROLL
        for (int p = 0; p < 4; p++)
            pair_products(id, o.w + 2 * p, a->q + 32 * k + 64 * p, c + 2 * p);
        __m256 sum = step(id, &o, c, a, k, *acc);
        *acc = count == 8 ? sum : keep_missing(*acc, sum, count);
    }
}

INLINE void
row_many(enum format_id id, const uint8_t *w, const struct activations *a,
         float *y, size_t y_stride)
{
    __m256 lanes[LINEAR_VECTOR_MAX][4];
    size_t i = 0;

    for (size_t t = 0; t < a->tokens; t++)
        UNROLL
    for (int v = 0; v < 4; v++)
        lanes[t][v] = _mm256_setzero_ps();
    for (; i + 8 <= a->blocks; i += 8, w += octet_bytes(id))
        octet_many(id, w, 8, i, a, lanes);
    if (i < a->blocks)
        octet_many(id, w, (int) (a->blocks - i), i, a, lanes);
    for (size_t t = 0; t < a->tokens; t++)
        y[t * y_stride] = sum_tree_avx2(lanes[t]);
}

/* One copy of the code for each format. */
#define DEFINE(name, id)                                                       \
    static void one_##name(const struct format *format, const uint8_t *w,      \
                           size_t rows, const struct activations *a, float *y, \
                           size_t y_stride)                                    \
    {                                                                          \
        size_t row_bytes = format_row_bytes(format, 32 * a->blocks);           \
        (void) y_stride;                                                       \
        for (size_t r = 0; r < rows; r++)                                      \
            y[r] = row_one(id, w + r * row_bytes, a);                          \
    }                                                                          \
    static void many_##name(const struct format *format, const uint8_t *w,     \
                            size_t rows, const struct activations *a,          \
                            float *y, size_t y_stride)                         \
    {                                                                          \
        size_t row_bytes = format_row_bytes(format, 32 * a->blocks);           \
        for (size_t r = 0; r < rows; r++)                                      \
            row_many(id, w + r * row_bytes, a, y + r, y_stride);               \
    }
UNPACKED_FORMATS(DEFINE)

void
linear_vector_avx2(const struct format *format, const uint8_t *w, size_t rows,
                   const struct activations *a, float *y, size_t y_stride)
{
    bool one = a->tokens == 1;

    switch (format->id) {
#define CALL(name, id)                                                         \
    case id:                                                                   \
        (one ? one_##name : many_##name)(format, w, rows, a, y, y_stride);     \
        break;
        UNPACKED_FORMATS(CALL)
    default:
        linear_vector_any_avx2(format, w, rows, a, y, y_stride);
    }
}
