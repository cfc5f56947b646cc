/* Eight registers of eight words, rows for columns: for the AVX2 variants. */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_AVX2_TURN_H
#define FATHOM_KERNELS_LINEAR_LINEAR_AVX2_TURN_H

#include "kernels/linear/linear_avx2_unpack.h"

/* Turns 8 x 8 words of 32 bits: word c of register r to word r of c. */
INLINE void
turn(__m256i r[8])
{
    __m256i t[8], u[8];

    UNROLL
    for (int i = 0; i < 4; i++) {
        t[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        int from = 4 * (i / 2) + i % 2;
        u[2 * i] = _mm256_unpacklo_epi64(t[from], t[from + 2]);
        u[2 * i + 1] = _mm256_unpackhi_epi64(t[from], t[from + 2]);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
    }
}

INLINE void
turn_floats(__m256 r[8])
{
    __m256i words[8];

    UNROLL
    for (int i = 0; i < 8; i++)
        words[i] = _mm256_castps_si256(r[i]);
    turn(words);
    UNROLL
    for (int i = 0; i < 8; i++)
        r[i] = _mm256_castsi256_ps(words[i]);
}

#endif
