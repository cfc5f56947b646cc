/*
 * Eight 32-blocks of one row of weights as bytes, for the AVX2 variants.
 *
 * Blocks lie in pairs, 2p in the low and 2p+1 in the high 128 bits:
 *   w[2p + z] | half z of block 2p | half z of block 2p+1 |     z = 0, 1
 * as activations in vector order do. Weights are unsigned where that is
 * possible (then `offset` too large; the sums of q take it back), because
 * vpmaddubsw wants one unsigned side and 16-bit sums then hold more of them.
 * unpack is the one function that a format needs here.
 */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_AVX2_UNPACK_H
#define FATHOM_KERNELS_LINEAR_LINEAR_AVX2_UNPACK_H

#include "quant/quant.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// the format is a constant wherever these are called: one copy a format
#define INLINE static inline __attribute__((always_inline))
// gcc -O2 does not unroll by itself, and registers have no index
#define UNROLL _Pragma("GCC unroll 8")

struct octet {
    __m256i w[8];
    __m256 a, m;   // factor and minimum a block
    __m256i scale; // SCALE_HALF: two 16-bit integers a block; SCALE_BLOCK: one
    __m256i min;   // MINIMUM_INTEGER: two 16-bit integers a block
};

enum scale { SCALE_NONE, SCALE_HALF, SCALE_BLOCK };

struct traits {
    bool is_signed; // w is -128 .. 127, else 0 .. most
    int most;
    int offset; // too large by this
    enum scale scale;
    enum block_minimum minimum;
};

INLINE struct traits
traits_of(enum format_id id)
{
    switch ((int) id) {
    case FORMAT_Q4_0:
        return (struct traits){.most = 15, .offset = 8};
    case FORMAT_Q4_1:
    case FORMAT_Q4_K:
        return (struct traits){.most = 15, .minimum = MINIMUM_FLOAT};
    case FORMAT_Q5_0:
        return (struct traits){.most = 31, .offset = 16};
    case FORMAT_Q5_1:
    case FORMAT_Q5_K:
        return (struct traits){.most = 31, .minimum = MINIMUM_FLOAT};
    case FORMAT_Q2_K:
        return (struct traits){
            .most = 3, .scale = SCALE_HALF, .minimum = MINIMUM_INTEGER};
    case FORMAT_Q3_K:
        return (struct traits){.most = 7, .offset = 4, .scale = SCALE_HALF};
    case FORMAT_Q6_K:
        return (struct traits){.most = 63, .offset = 32, .scale = SCALE_HALF};
    case FORMAT_IQ4_XS:
        return (struct traits){.is_signed = true, .scale = SCALE_BLOCK};
    default: // Q8_0, IQ4_NL
        return (struct traits){.is_signed = true};
    }
}

/* ---- small parts ---- */

INLINE uint32_t
u32_load(const uint8_t *p)
{
    uint32_t u;

    memcpy(&u, p, sizeof u);
    return u;
}

INLINE __m256i
load(const void *p)
{
    return _mm256_loadu_si256(p);
}

INLINE __m128i
load_half(const void *p)
{
    return _mm_loadu_si128(p);
}

/* 16 bytes of p twice; 16 bytes of p, then 16 of q. */
INLINE __m256i
twice(const void *p)
{
    return _mm256_broadcastsi128_si256(load_half(p));
}

INLINE __m256i
two(const void *p, const void *q)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load_half(p)),
                                   load_half(q), 1);
}

INLINE __m256i
low_nibbles(__m256i x)
{
    return _mm256_and_si256(x, _mm256_set1_epi8(15));
}

INLINE __m256i
high_nibbles(__m256i x)
{
    return low_nibbles(_mm256_srli_epi16(x, 4));
}

/* Shifts to the left by a constant of either sign; bits cross bytes. */
INLINE __m256i
shift_left(__m256i x, int by)
{
    return by >= 0 ? _mm256_slli_epi16(x, by) : _mm256_srli_epi16(x, -by);
}

/* Shifts the 128-bit halves right by amounts of their own. */
INLINE __m256i
shift_halves(__m256i x, int low, int high)
{
    return _mm256_srlv_epi32(
        x, _mm256_setr_epi32(low, low, low, low, high, high, high, high));
}

/* Eight bytes as floats. */
INLINE __m256
bytes_to_floats(uint64_t bytes)
{
    return _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long) bytes)));
}

/* One half-precision number, eight times. */
INLINE __m256
half_everywhere(const uint8_t *p)
{
    uint16_t half;

    memcpy(&half, p, sizeof half);
    return _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

/* ---- blocks of 32: block j is at w + j * size ---- */

/*
 * `last` is the index of the last block that exists; those after it repeat it,
 * and whoever adds up drops their results.
 */
INLINE const uint8_t *
block_at(const uint8_t *w, size_t size, int j, int last)
{
    return w + size * (size_t) (j < last ? j : last);
}

/* The first four bytes of each block: 0..3 in the low 128 bits. */
INLINE __m256i
heads(const uint8_t *w, size_t size, int last)
{
    __m128i h[8], pair[4];

    UNROLL for (int j = 0; j < 8; j++) h[j] =
        _mm_cvtsi32_si128((int) u32_load(block_at(w, size, j, last)));
    UNROLL for (int j = 0; j < 4; j++) pair[j] =
        _mm_unpacklo_epi32(h[2 * j], h[2 * j + 1]);
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_unpacklo_epi64(pair[0], pair[1])),
        _mm_unpacklo_epi64(pair[2], pair[3]), 1);
}

/* a = the half at the start of each block. */
INLINE void
unpack_d(const uint8_t *w, size_t size, int last, struct octet *o)
{
    __m128i h[8], pair[4];

    UNROLL for (int j = 0; j < 8; j++) h[j] =
        _mm_cvtsi32_si128((int) u32_load(block_at(w, size, j, last)));
    UNROLL for (int j = 0; j < 4; j++) pair[j] =
        _mm_unpacklo_epi16(h[2 * j], h[2 * j + 1]);
    pair[0] = _mm_unpacklo_epi32(pair[0], pair[1]);
    pair[2] = _mm_unpacklo_epi32(pair[2], pair[3]);
    o->a = _mm256_cvtph_ps(_mm_unpacklo_epi64(pair[0], pair[2]));
}

/* a, m = the two halves at the start of each block. */
INLINE void
unpack_d_and_m(const uint8_t *w, size_t size, int last, struct octet *o)
{
    __m256i h = heads(w, size, last);
    __m256 low = _mm256_cvtph_ps(_mm256_castsi256_si128(h));
    __m256 high = _mm256_cvtph_ps(_mm256_extracti128_si256(h, 1));
    // low is d0 m0 d1 m1 | d2 m2 d3 m3; shuffles stay within 128 bits
    __m256d d = _mm256_castps_pd(_mm256_shuffle_ps(low, high, 0x88));
    __m256d m = _mm256_castps_pd(_mm256_shuffle_ps(low, high, 0xdd));

    o->a = _mm256_castpd_ps(_mm256_permute4x64_pd(d, 0xd8));
    m = _mm256_permute4x64_pd(m, 0xd8);
    // the contract subtracts a minimum; this one is added
    o->m = _mm256_xor_ps(_mm256_castpd_ps(m), _mm256_set1_ps(-0.0f));
}

/* Sixteen bytes of nibbles at `at` of each block: j and j + 16. */
INLINE void
unpack_nibbles(const uint8_t *w, size_t size, size_t at, int last,
               struct octet *o)
{
    UNROLL for (int p = 0; p < 4; p++)
    {
        __m256i q = two(block_at(w, size, 2 * p, last) + at,
                        block_at(w, size, 2 * p + 1, last) + at);
        o->w[2 * p] = low_nibbles(q);
        o->w[2 * p + 1] = high_nibbles(q);
    }
}

/* Adds 16 to w where one of the 32 bits at `at` of its block is set. */
INLINE void
unpack_fifth_bits(const uint8_t *w, size_t size, size_t at, int last,
                  struct octet *o)
{
    const __m256i bit = _mm256_set1_epi64x((long long) 0x8040201008040201u);

    UNROLL for (int p = 0; p < 4; p++)
    {
        __m256i bits = two(block_at(w, size, 2 * p, last) + at,
                           block_at(w, size, 2 * p + 1, last) + at);
        UNROLL for (int z = 0; z < 2; z++)
        {
            const __m256i byte = _mm256_broadcastsi128_si256(
                _mm_set_epi64x(0x0101010101010101 * (2 * z + 1),
                               0x0101010101010101 * (2 * z)));
            __m256i set =
                _mm256_and_si256(_mm256_shuffle_epi8(bits, byte), bit);
            set = _mm256_and_si256(_mm256_cmpeq_epi8(set, bit),
                                   _mm256_set1_epi8(16));
            o->w[2 * p + z] = _mm256_or_si256(o->w[2 * p + z], set);
        }
    }
}

/* The levels of IQ4_NL and IQ4_XS (quant/iq.h) in place of their indices. */
INLINE void
unpack_levels(struct octet *o)
{
    const __m256i levels = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38,
                      53, 69, 89, 113));

    UNROLL for (int i = 0; i < 8; i++) o->w[i] =
        _mm256_shuffle_epi8(levels, o->w[i]);
}

INLINE void
unpack_bytes(const uint8_t *w, size_t size, size_t at, int last,
             struct octet *o)
{
    UNROLL for (int i = 0; i < 8; i++)
    {
        size_t byte = at + 16 * (size_t) (i % 2);
        o->w[i] = two(block_at(w, size, i / 2 * 2, last) + byte,
                      block_at(w, size, i / 2 * 2 + 1, last) + byte);
    }
}

/* ---- blocks of 256 ---- */

/* Q4_K, Q5_K: a, m = d and dmin times the 6-bit scales and minima. */
INLINE void
unpack_k4_scales(const uint8_t *w, struct octet *o)
{
    const uint32_t six = 0x3f3f3f3f, four = 0x0f0f0f0f, two_bits = 0x30303030;
    uint32_t s0 = u32_load(w + 4), s4 = u32_load(w + 8);
    uint32_t s8 = u32_load(w + 12);
    uint64_t scale = (s8 & four) | (s0 >> 2 & two_bits);
    uint64_t min = (s8 >> 4 & four) | (s4 >> 2 & two_bits);
    __m128 d = _mm_cvtph_ps(_mm_cvtsi32_si128((int) u32_load(w)));

    o->a = _mm256_mul_ps(_mm256_broadcastss_ps(d),
                         bytes_to_floats((s0 & six) | scale << 32));
    o->m = _mm256_mul_ps(_mm256_broadcastss_ps(_mm_movehdup_ps(d)),
                         bytes_to_floats((s4 & six) | min << 32));
}

/* Q4_K, Q5_K: 32 bytes of q a pair, low nibbles block 2p, high 2p+1. */
INLINE void
unpack_k4_nibbles(const uint8_t *q, struct octet *o)
{
    UNROLL for (int i = 0; i < 8; i++) o->w[i] =
        low_nibbles(shift_halves(twice(q + 16 * i), 0, 4));
}

/*
 * Adds `value`, a power of two, to w where bit k of byte l is set, k block and
 * l place of w.
 */
INLINE void
unpack_bit_planes(const uint8_t *bytes, int value, struct octet *o)
{
    UNROLL for (int z = 0; z < 2; z++)
    {
        __m256i bits = shift_halves(twice(bytes + 16 * z), 0, 1);
        UNROLL for (int p = 0; p < 4; p++)
        {
            __m256i set = shift_left(bits, (value == 16 ? 4 : 2) - 2 * p);
            set = _mm256_and_si256(set, _mm256_set1_epi8((char) value));
            o->w[2 * p + z] = _mm256_or_si256(o->w[2 * p + z], set);
        }
    }
}

/* Q2_K, Q3_K: two bits 2 * (k % 4) of byte 32 * (k / 4) + l. */
INLINE void
unpack_bit_pairs(const uint8_t *q, struct octet *o)
{
    const __m256i three = _mm256_set1_epi8(3);

    UNROLL for (int i = 0; i < 4; i++)
    {
        int h = i / 2, z = i % 2;
        __m256i bits = shift_halves(twice(q + 32 * h + 16 * z), 0, 2);
        o->w[4 * h + z] = _mm256_and_si256(bits, three);
        o->w[4 * h + 2 + z] =
            _mm256_and_si256(_mm256_srli_epi16(bits, 4), three);
    }
}

INLINE void
unpack_q2_k(const uint8_t *w, struct octet *o)
{
    const __m128i four = _mm_set1_epi8(15);
    __m128i s = load_half(w);

    unpack_bit_pairs(w + 16, o);
    o->scale = _mm256_cvtepu8_epi16(_mm_and_si128(s, four));
    o->min = _mm256_cvtepu8_epi16(_mm_and_si128(_mm_srli_epi16(s, 4), four));
    o->a = half_everywhere(w + 80);
    o->m = half_everywhere(w + 82);
}

INLINE void
unpack_q3_k(const uint8_t *w, struct octet *o)
{
    uint64_t low;

    unpack_bit_pairs(w + 32, o);
    unpack_bit_planes(w, 4, o);
    memcpy(&low, w + 96, sizeof low);
    __m128i s = _mm_set_epi64x((long long) (low >> 4), (long long) low);
    __m128i high = _mm_srlv_epi32(_mm_set1_epi32((int) u32_load(w + 104)),
                                  _mm_setr_epi32(0, 2, 4, 6));
    s = _mm_and_si128(s, _mm_set1_epi8(15));
    high = _mm_and_si128(high, _mm_set1_epi8(3));
    s = _mm_or_si128(s, _mm_slli_epi16(high, 4));
    s = _mm_sub_epi8(s, _mm_set1_epi8(32));
    o->scale = _mm256_cvtepi8_epi16(s);
    o->a = half_everywhere(w + 108);
}

INLINE void
unpack_q6_k(const uint8_t *w, struct octet *o)
{
    const __m256i high = _mm256_set1_epi8(48);

    UNROLL for (int i = 0; i < 4; i++)
    {
        int h = i / 2, z = i % 2;
        const uint8_t *low = w + 64 * h + 16 * z;
        __m256i q = two(low, low + 32);
        __m256i bits = shift_halves(twice(w + 128 + 32 * h + 16 * z), 0, 2);
        o->w[4 * h + z] = _mm256_or_si256(
            low_nibbles(q), _mm256_and_si256(_mm256_slli_epi16(bits, 4), high));
        o->w[4 * h + 2 + z] =
            _mm256_or_si256(high_nibbles(q), _mm256_and_si256(bits, high));
    }
    o->scale = _mm256_cvtepi8_epi16(load_half(w + 192));
    o->a = half_everywhere(w + 208);
}

INLINE void
unpack_iq4_xs(const uint8_t *w, struct octet *o)
{
    const __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    const __m256i shifts2 = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    uint32_t head = u32_load(w);
    __m256i low = _mm256_set1_epi32((int) u32_load(w + 4));
    __m256i high = _mm256_set1_epi32((int) (head >> 16));

    unpack_nibbles(w + 8, 16, 0, 7, o);
    unpack_levels(o);
    low =
        _mm256_and_si256(_mm256_srlv_epi32(low, shifts), _mm256_set1_epi32(15));
    high = _mm256_and_si256(_mm256_srlv_epi32(high, shifts2),
                            _mm256_set1_epi32(3));
    o->scale =
        _mm256_sub_epi32(_mm256_or_si256(low, _mm256_slli_epi32(high, 4)),
                         _mm256_set1_epi32(32));
    o->a = half_everywhere(w);
}

/* ---- any format ---- */

/* Bytes from one octet to the next. */
INLINE size_t
octet_bytes(enum format_id id)
{
    switch ((int) id) {
    case FORMAT_Q4_0:
    case FORMAT_IQ4_NL:
        return 8 * 18;
    case FORMAT_Q4_1:
        return 8 * 20;
    case FORMAT_Q5_0:
        return 8 * 22;
    case FORMAT_Q5_1:
        return 8 * 24;
    case FORMAT_Q8_0:
        return 8 * 34;
    case FORMAT_Q2_K:
        return 84;
    case FORMAT_Q3_K:
        return 110;
    case FORMAT_Q4_K:
        return 144;
    case FORMAT_Q5_K:
        return 176;
    case FORMAT_Q6_K:
        return 210;
    default: // IQ4_XS
        return 136;
    }
}

INLINE void
unpack(enum format_id id, const uint8_t *w, int last, struct octet *o)
{
    size_t size = octet_bytes(id) / 8;

    switch ((int) id) {
    case FORMAT_Q4_0:
        unpack_d(w, size, last, o);
        unpack_nibbles(w, size, 2, last, o);
        break;
    case FORMAT_Q4_1:
        unpack_d_and_m(w, size, last, o);
        unpack_nibbles(w, size, 4, last, o);
        break;
    case FORMAT_Q5_0:
        unpack_d(w, size, last, o);
        unpack_nibbles(w, size, 6, last, o);
        unpack_fifth_bits(w, size, 2, last, o);
        break;
    case FORMAT_Q5_1:
        unpack_d_and_m(w, size, last, o);
        unpack_nibbles(w, size, 8, last, o);
        unpack_fifth_bits(w, size, 4, last, o);
        break;
    case FORMAT_Q8_0:
        unpack_d(w, size, last, o);
        unpack_bytes(w, size, 2, last, o);
        break;
    case FORMAT_IQ4_NL:
        unpack_d(w, size, last, o);
        unpack_nibbles(w, size, 2, last, o);
        unpack_levels(o);
        break;
    case FORMAT_Q2_K:
        unpack_q2_k(w, o);
        break;
    case FORMAT_Q3_K:
        unpack_q3_k(w, o);
        break;
    case FORMAT_Q4_K:
        unpack_k4_scales(w, o);
        unpack_k4_nibbles(w + 16, o);
        break;
    case FORMAT_Q5_K:
        unpack_k4_scales(w, o);
        unpack_k4_nibbles(w + 48, o);
        unpack_bit_planes(w + 16, 16, o);
        break;
    case FORMAT_Q6_K:
        unpack_q6_k(w, o);
        break;
    default: // IQ4_XS
        unpack_iq4_xs(w, o);
        break;
    }
}

/* The formats that unpack knows: X(name, id). */
#define UNPACKED_FORMATS(X)                                                    \
    X(q4_0, FORMAT_Q4_0)                                                       \
    X(q4_1, FORMAT_Q4_1)                                                       \
    X(q5_0, FORMAT_Q5_0)                                                       \
    X(q5_1, FORMAT_Q5_1)                                                       \
    X(q8_0, FORMAT_Q8_0)                                                       \
    X(q2_k, FORMAT_Q2_K)                                                       \
    X(q3_k, FORMAT_Q3_K)                                                       \
    X(q4_k, FORMAT_Q4_K)                                                       \
    X(q5_k, FORMAT_Q5_K)                                                       \
    X(q6_k, FORMAT_Q6_K)                                                       \
    X(iq4_nl, FORMAT_IQ4_NL)                                                   \
    X(iq4_xs, FORMAT_IQ4_XS)

#endif
