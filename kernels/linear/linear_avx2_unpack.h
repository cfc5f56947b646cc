/*
 * Eight 32-blocks of one row of weights as bytes, for the AVX2 variants.
 *
 * Blocks lie in pairs, 2p in the low and 2p+1 in the high 128 bits:
 *   w[2p + z] | half z of block 2p | half z of block 2p+1 |     z = 0, 1
 * as activations in vector order do. Weights are unsigned where that is
 * possible (then `offset` too large; the sums of q take it back), because
 * vpmaddubsw wants one unsigned side and 16-bit sums then hold more of them.
 * A format needs a case in unpack_pair and unpack_scales, nothing else.
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

/* a = the half at the start of each block. */
INLINE void
unpack_d(const uint8_t *w, size_t size, int last, struct octet *o)
{
    __m128i h[8], pair[4];

    UNROLL
    for (int j = 0; j < 8; j++)
        h[j] = _mm_cvtsi32_si128((int) u32_load(block_at(w, size, j, last)));
    UNROLL
    for (int j = 0; j < 4; j++)
        pair[j] = _mm_unpacklo_epi16(h[2 * j], h[2 * j + 1]);
    pair[0] = _mm_unpacklo_epi32(pair[0], pair[1]);
    pair[2] = _mm_unpacklo_epi32(pair[2], pair[3]);
    o->a = _mm256_cvtph_ps(_mm_unpacklo_epi64(pair[0], pair[2]));
}

/*
 * a, m = the two halves at the start of each block; blocks 0-3 and 4-7 come as
 * d m d m d m d m.
 */
INLINE void
unpack_d_and_m(__m128i first, __m128i second, struct octet *o)
{
    __m256 low = _mm256_cvtph_ps(first), high = _mm256_cvtph_ps(second);
    // shuffles stay within 128 bits: blocks 0 1 4 5 | 2 3 6 7
    __m256d d = _mm256_castps_pd(_mm256_shuffle_ps(low, high, 0x88));
    __m256d m = _mm256_castps_pd(_mm256_shuffle_ps(low, high, 0xdd));

    o->a = _mm256_castpd_ps(_mm256_permute4x64_pd(d, 0xd8));
    m = _mm256_permute4x64_pd(m, 0xd8);
    // the contract subtracts a minimum; this one is added
    o->m = _mm256_xor_ps(_mm256_castpd_ps(m), _mm256_set1_ps(-0.0f));
}

/* The first four bytes of blocks first .. first+3. */
INLINE __m128i
four_heads(const uint8_t *w, size_t size, int first, int last)
{
    __m128i h[4];

    UNROLL
    for (int j = 0; j < 4; j++)
        h[j] = _mm_cvtsi32_si128(
            (int) u32_load(block_at(w, size, first + j, last)));
    return _mm_unpacklo_epi64(_mm_unpacklo_epi32(h[0], h[1]),
                              _mm_unpacklo_epi32(h[2], h[3]));
}

/* Sixteen bytes of nibbles at `at` of both blocks: j and j + 16. */
INLINE void
pair_nibbles(const uint8_t *w, size_t size, size_t at, int p, int last,
             __m256i pair[2])
{
    __m256i q = two(block_at(w, size, 2 * p, last) + at,
                    block_at(w, size, 2 * p + 1, last) + at);

    pair[0] = low_nibbles(q);
    pair[1] = high_nibbles(q);
}

/* The first eight bytes of blocks 2p and 2p+1. */
INLINE __m128i
pair_heads(const uint8_t *w, size_t size, int p, int last)
{
    return _mm_unpacklo_epi64(
        _mm_loadl_epi64((const void *) block_at(w, size, 2 * p, last)),
        _mm_loadl_epi64((const void *) block_at(w, size, 2 * p + 1, last)));
}

/*
 * Adds 16 to w where one of the 32 bits at `at`, within the first eight bytes
 * of its block, is set.
 */
INLINE void
pair_fifth_bits(const uint8_t *w, size_t size, int at, int p, int last,
                __m256i pair[2])
{
    const __m256i bit = _mm256_set1_epi64x((long long) 0x8040201008040201u);
    __m256i heads = _mm256_broadcastsi128_si256(pair_heads(w, size, p, last));

    UNROLL
    for (int z = 0; z < 2; z++) {
        const long long first = 0x0101010101010101 * (at + 2 * z);
        const long long one = 0x0101010101010101;
        const __m256i byte = _mm256_setr_epi64x(
            first, first + one, first + 8 * one, first + 9 * one);
        __m256i set = _mm256_and_si256(_mm256_shuffle_epi8(heads, byte), bit);
        set =
            _mm256_and_si256(_mm256_cmpeq_epi8(set, bit), _mm256_set1_epi8(16));
        pair[z] = _mm256_or_si256(pair[z], set);
    }
}

/* The first four bytes of blocks 4h .. 4h+3, out of the same loads. */
INLINE __m128i
pair_four_heads(const uint8_t *w, size_t size, int h, int last)
{
    __m128 low = _mm_castsi128_ps(pair_heads(w, size, 2 * h, last));
    __m128 high = _mm_castsi128_ps(pair_heads(w, size, 2 * h + 1, last));

    return _mm_castps_si128(_mm_shuffle_ps(low, high, 0x88));
}

INLINE void
unpack_q5_0_scales(const uint8_t *w, int last, struct octet *o)
{
    const __m128i half = _mm_set1_epi32(0xffff);

    o->a = _mm256_cvtph_ps(
        _mm_packus_epi32(_mm_and_si128(pair_four_heads(w, 22, 0, last), half),
                         _mm_and_si128(pair_four_heads(w, 22, 1, last), half)));
}

/* The levels of IQ4_NL and IQ4_XS (quant/iq.h) in place of their indices. */
INLINE void
pair_levels(__m256i pair[2])
{
    const __m256i levels = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38,
                      53, 69, 89, 113));

    pair[0] = _mm256_shuffle_epi8(levels, pair[0]);
    pair[1] = _mm256_shuffle_epi8(levels, pair[1]);
}

INLINE void
pair_bytes(const uint8_t *w, size_t size, size_t at, int p, int last,
           __m256i pair[2])
{
    const uint8_t *low = block_at(w, size, 2 * p, last) + at;
    const uint8_t *high = block_at(w, size, 2 * p + 1, last) + at;

    pair[0] = two(low, high);
    pair[1] = two(low + 16, high + 16);
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
pair_k4(const uint8_t *q, int p, __m256i pair[2])
{
    pair[0] = low_nibbles(shift_halves(twice(q + 32 * p), 0, 4));
    pair[1] = low_nibbles(shift_halves(twice(q + 32 * p + 16), 0, 4));
}

/*
 * Adds 2^power to w where bit k of byte l is set, k block and l place of w.
 */
INLINE void
pair_bit_planes(const uint8_t *bytes, int power, int p, __m256i pair[2])
{
    UNROLL
    for (int z = 0; z < 2; z++) {
        __m256i bits = shift_halves(twice(bytes + 16 * z), 0, 1);
        bits = _mm256_and_si256(shift_left(bits, power - 2 * p),
                                _mm256_set1_epi8((char) (1 << power)));
        pair[z] = _mm256_or_si256(pair[z], bits);
    }
}

/* Q2_K, Q3_K: two bits 2 * (k % 4) of byte 32 * (k / 4) + l. */
INLINE void
pair_two_bits(const uint8_t *q, int p, __m256i pair[2])
{
    UNROLL
    for (int z = 0; z < 2; z++) {
        __m256i bits = shift_halves(twice(q + 32 * (p / 2) + 16 * z), 0, 2);
        pair[z] = _mm256_and_si256(shift_left(bits, p % 2 ? -4 : 0),
                                   _mm256_set1_epi8(3));
    }
}

/* Q6_K: low nibbles blocks 4h and 4h+1, high ones 4h+2 and 4h+3; h = p / 2. */
INLINE void
pair_q6_k(const uint8_t *w, int p, __m256i pair[2])
{
    UNROLL
    for (int z = 0; z < 2; z++) {
        const uint8_t *low = w + 64 * (p / 2) + 16 * z;
        const uint8_t *high = w + 128 + 32 * (p / 2) + 16 * z;
        __m256i q = two(low, low + 32);
        __m256i bits = shift_halves(twice(high), 0, 2);
        q = p % 2 ? high_nibbles(q) : low_nibbles(q);
        bits = _mm256_and_si256(shift_left(bits, p % 2 ? 0 : 4),
                                _mm256_set1_epi8(48));
        pair[z] = _mm256_or_si256(q, bits);
    }
}

INLINE void
unpack_q2_k_scales(const uint8_t *w, struct octet *o)
{
    const __m128i four = _mm_set1_epi8(15);
    __m128i s = load_half(w);

    o->scale = _mm256_cvtepu8_epi16(_mm_and_si128(s, four));
    o->min = _mm256_cvtepu8_epi16(_mm_and_si128(_mm_srli_epi16(s, 4), four));
    o->a = half_everywhere(w + 80);
    o->m = half_everywhere(w + 82);
}

INLINE void
unpack_q3_k_scales(const uint8_t *w, struct octet *o)
{
    uint64_t low;

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
unpack_iq4_xs_scales(const uint8_t *w, struct octet *o)
{
    const __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    const __m256i shifts2 = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    __m256i low = _mm256_set1_epi32((int) u32_load(w + 4));
    __m256i high = _mm256_set1_epi32((int) (u32_load(w) >> 16));

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

/*
 * Asks for the weights that come AHEAD_BYTES after an octet: the processor's
 * own prefetching follows a row stream, but not far enough
 * (doc/experiments.md). What lies behind the last row is never read, only asked
 * for.
 */
enum { AHEAD_BYTES = 4096, LINE_BYTES = 64 };

INLINE void
fetch_ahead(enum format_id id, const uint8_t *w)
{
    UNROLL
    for (size_t line = 0; line < octet_bytes(id); line += LINE_BYTES)
        _mm_prefetch((const char *) w + AHEAD_BYTES + line, _MM_HINT_T0);
}

/* Both halves of blocks 2p and 2p+1. */
INLINE void
unpack_pair(enum format_id id, const uint8_t *w, int p, int last,
            __m256i pair[2])
{
    size_t size = octet_bytes(id) / 8;

    switch ((int) id) {
    case FORMAT_Q4_0:
        pair_nibbles(w, size, 2, p, last, pair);
        break;
    case FORMAT_Q4_1:
        pair_nibbles(w, size, 4, p, last, pair);
        break;
    case FORMAT_Q5_0:
        pair_nibbles(w, size, 6, p, last, pair);
        pair_fifth_bits(w, size, 2, p, last, pair);
        break;
    case FORMAT_Q5_1:
        pair_nibbles(w, size, 8, p, last, pair);
        pair_fifth_bits(w, size, 4, p, last, pair);
        break;
    case FORMAT_Q8_0:
        pair_bytes(w, size, 2, p, last, pair);
        break;
    case FORMAT_IQ4_NL:
        pair_nibbles(w, size, 2, p, last, pair);
        pair_levels(pair);
        break;
    case FORMAT_Q2_K:
        pair_two_bits(w + 16, p, pair);
        break;
    case FORMAT_Q3_K:
        pair_two_bits(w + 32, p, pair);
        pair_bit_planes(w, 2, p, pair);
        break;
    case FORMAT_Q4_K:
        pair_k4(w + 16, p, pair);
        break;
    case FORMAT_Q5_K:
        pair_k4(w + 48, p, pair);
        pair_bit_planes(w + 16, 4, p, pair);
        break;
    case FORMAT_Q6_K:
        pair_q6_k(w, p, pair);
        break;
    default: // IQ4_XS
        pair_nibbles(w + 8, 16, 0, p, 7, pair);
        pair_levels(pair);
        break;
    }
}

/* Everything but the weights. */
INLINE void
unpack_scales(enum format_id id, const uint8_t *w, int last, struct octet *o)
{
    size_t size = octet_bytes(id) / 8;

    switch ((int) id) {
    case FORMAT_Q4_1:
        unpack_d_and_m(four_heads(w, size, 0, last),
                       four_heads(w, size, 4, last), o);
        break;
    case FORMAT_Q5_1:
        unpack_d_and_m(pair_four_heads(w, size, 0, last),
                       pair_four_heads(w, size, 1, last), o);
        break;
    case FORMAT_Q2_K:
        unpack_q2_k_scales(w, o);
        break;
    case FORMAT_Q3_K:
        unpack_q3_k_scales(w, o);
        break;
    case FORMAT_Q4_K:
    case FORMAT_Q5_K:
        unpack_k4_scales(w, o);
        break;
    case FORMAT_Q6_K:
        o->scale = _mm256_cvtepi8_epi16(load_half(w + 192));
        o->a = half_everywhere(w + 208);
        break;
    case FORMAT_IQ4_XS:
        unpack_iq4_xs_scales(w, o);
        break;
    case FORMAT_Q5_0:
        unpack_q5_0_scales(w, last, o);
        break;
    default: // Q4_0, Q8_0, IQ4_NL
        unpack_d(w, size, last, o);
        break;
    }
}

INLINE void
unpack(enum format_id id, const uint8_t *w, int last, struct octet *o)
{
    UNROLL
    for (int p = 0; p < 4; p++)
        unpack_pair(id, w, p, last, o->w + 2 * p);
    unpack_scales(id, w, last, o);
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
