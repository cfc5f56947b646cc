/*
 * Vector order on AVX2: row after row, as memory delivers them, all tokens on
 * one unpacking of eight blocks. A block is a lane of a float register, so
 * four registers are the 32 lanes of the contract. Sums of products stay in 16
 * bits as long as they fit; integers may be added in any order.
 */
#include "config.h"

#include "kernels/exponential_avx2.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_avx2.h"
#include "kernels/linear/linear_avx2_unpack.h"

/* ---- the eight P of an octet ---- */

/* 16-bit words of x and y, neighbours added: x's and y's by 64 bits in turn. */
INLINE __m256i
pairs(__m256i x, __m256i y)
{
    const __m256i one = _mm256_set1_epi16(1);

    return _mm256_packs_epi32(_mm256_madd_epi16(x, one),
                              _mm256_madd_epi16(y, one));
}

/* The same of 32-bit words. */
INLINE __m256i
pairs32(__m256i x, __m256i y)
{
    __m256 a = _mm256_castsi256_ps(x), b = _mm256_castsi256_ps(y);

    return _mm256_add_epi32(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88)),
                            _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd)));
}

/*
 * What a pair of blocks contributes: both halves added up where that is
 * possible, else apart. A word of vpmaddubsw is at most 2 * 127 * most.
 */
INLINE void
pair_products(enum format_id id, const __m256i w[2], const int8_t *q,
              __m256i c[2])
{
    const struct traits traits = traits_of(id);
    const __m256i one = _mm256_set1_epi16(1);

    UNROLL
    for (int z = 0; z < 2; z++) {
        __m256i x = load(q + 32 * z);
        if (traits.is_signed) // q is never -128: it may take over the sign
            c[z] = _mm256_madd_epi16(
                _mm256_maddubs_epi16(_mm256_abs_epi8(w[z]),
                                     _mm256_sign_epi8(x, w[z])),
                one);
        else
            c[z] = _mm256_maddubs_epi16(w[z], x);
    }
    if (traits.is_signed)
        c[0] = _mm256_add_epi32(c[0], c[1]);
    else if (traits.scale != SCALE_HALF)
        c[0] = _mm256_add_epi16(c[0], c[1]);
}

/* The functions below give P with blocks in the order 0 2 4 6 | 1 3 5 7. */

INLINE __m256i
sum_unsigned(__m256i c[8], int most)
{
    const __m256i one = _mm256_set1_epi16(1);
    __m256i low = pairs(c[0], c[2]); // at most 8 * 127 * 32 < 2^15
    __m256i high = pairs(c[4], c[6]);

    if (most <= 16)
        return _mm256_madd_epi16(pairs(low, high), one);
    return pairs32(_mm256_madd_epi16(low, one), _mm256_madd_epi16(high, one));
}

INLINE __m256i
sum_signed(const __m256i c[8])
{
    return pairs32(pairs32(c[0], c[2]), pairs32(c[4], c[6]));
}

/* Bytes of the 16-bit scale of half z of pair p. */
#define SCALE_BYTES(p, z) 4 * (p) + 2 * (z), 4 * (p) + 2 * (z) + 1

/* Scales of half z of pairs p, p, p, p, r, r, r, r; scale has pairs in turn. */
#define PICK_TWO(scale, p, r, z)                                               \
    _mm256_shuffle_epi8(                                                       \
        scale, _mm256_broadcastsi128_si256(_mm_setr_epi8(                      \
                   SCALE_BYTES(p, z), SCALE_BYTES(p, z), SCALE_BYTES(p, z),    \
                   SCALE_BYTES(p, z), SCALE_BYTES(r, z), SCALE_BYTES(r, z),    \
                   SCALE_BYTES(r, z), SCALE_BYTES(r, z))))
#define PICK_FOUR(scale, z)                                                    \
    _mm256_shuffle_epi8(                                                       \
        scale, _mm256_broadcastsi128_si256(_mm_setr_epi8(                      \
                   SCALE_BYTES(0, z), SCALE_BYTES(0, z), SCALE_BYTES(1, z),    \
                   SCALE_BYTES(1, z), SCALE_BYTES(2, z), SCALE_BYTES(2, z),    \
                   SCALE_BYTES(3, z), SCALE_BYTES(3, z))))

INLINE __m256i
sum_scaled(__m256i c[8], __m256i scale, int most)
{
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);

    scale = _mm256_permutevar8x32_epi32(scale, order);
    c[0] = pairs(c[0], c[2]); // at most 4 * 127 * 63 < 2^15
    c[1] = pairs(c[1], c[3]);
    c[4] = pairs(c[4], c[6]);
    c[5] = pairs(c[5], c[7]);
    if (most <= 16) {
        c[0] = _mm256_madd_epi16(pairs(c[0], c[4]), PICK_FOUR(scale, 0));
        c[1] = _mm256_madd_epi16(pairs(c[1], c[5]), PICK_FOUR(scale, 1));
        return _mm256_add_epi32(c[0], c[1]);
    }
    c[0] = _mm256_add_epi32(_mm256_madd_epi16(c[0], PICK_TWO(scale, 0, 1, 0)),
                            _mm256_madd_epi16(c[1], PICK_TWO(scale, 0, 1, 1)));
    c[4] = _mm256_add_epi32(_mm256_madd_epi16(c[4], PICK_TWO(scale, 2, 3, 0)),
                            _mm256_madd_epi16(c[5], PICK_TWO(scale, 2, 3, 1)));
    return pairs32(c[0], c[4]);
}

/* The eight P in the order of blocks, from the products of four pairs. */
INLINE __m256i
sum_products(enum format_id id, const struct octet *o, __m256i c[8],
             __m256i sums)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const struct traits traits = traits_of(id);
    __m256i p, too_large;

    if (traits.is_signed)
        p = sum_signed(c);
    else if (traits.scale == SCALE_HALF)
        p = sum_scaled(c, o->scale, traits.most);
    else
        p = sum_unsigned(c, traits.most);
    p = _mm256_permutevar8x32_epi32(p, order);
    if (traits.scale == SCALE_BLOCK)
        p = _mm256_mullo_epi32(p, o->scale);
    if (traits.offset == 0)
        return p;
    if (traits.scale == SCALE_HALF)
        too_large = _mm256_slli_epi32(_mm256_madd_epi16(o->scale, sums),
                                      traits.offset == 32 ? 5 : 2);
    else
        too_large =
            _mm256_madd_epi16(_mm256_set1_epi16((short) traits.offset), sums);
    return _mm256_sub_epi32(p, too_large);
}

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
