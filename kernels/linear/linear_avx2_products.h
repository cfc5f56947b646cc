/*
 * Eight 32-blocks of one row times eight blocks of activations in vector
 * order, for the AVX2 variants: the eight P of the arithmetic contract, a
 * block a lane. Sums of products stay in 16 bits as long as they fit; integers
 * may be added in any order.
 */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_AVX2_PRODUCTS_H
#define FATHOM_KERNELS_LINEAR_LINEAR_AVX2_PRODUCTS_H

#include "kernels/linear/linear_avx2_unpack.h"

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

#endif
