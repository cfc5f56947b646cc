/*
 * Codebooks of the IQ formats. A row is 8 values (4 for IQ3) packed into 16
 * bits, first value lowest: two bits a value, for IQ3 four. The functions give
 * the value that stands for those bits.
 */
#ifndef FATHOM_QUANT_CODEBOOKS_H
#define FATHOM_QUANT_CODEBOOKS_H

#include <stdint.h>

extern const uint16_t codebook_iq2_xxs[256];
extern const uint16_t codebook_iq2_xs[512];
extern const uint16_t codebook_iq2_s[1024];
extern const uint16_t codebook_iq3_xxs[256];
extern const uint16_t codebook_iq3_s[512];
extern const uint16_t codebook_iq1_s[2048];

/* IQ2 books: 8, 25, 43. */
static inline int
codebook_iq2_value(unsigned row, unsigned j)
{
    static const int8_t values[4] = {8, 25, 43, 0};
    return values[row >> 2 * j & 3];
}

/* iq3_xxs: 4, 12, 20, 28, 36, 44, 52, 62. */
static inline int
codebook_iq3_xxs_value(unsigned row, unsigned j)
{
    static const int8_t values[8] = {4, 12, 20, 28, 36, 44, 52, 62};
    return values[row >> 4 * j & 7];
}

/* iq3_s: 1, 3, 5 ... 15. */
static inline int
codebook_iq3_s_value(unsigned row, unsigned j)
{
    return 2 * (int) (row >> 4 * j & 7) + 1;
}

/* iq1_s: -1, 0, 1. */
static inline int
codebook_iq1_value(unsigned row, unsigned j)
{
    return (int) (row >> 2 * j & 3) - 1;
}

#endif
