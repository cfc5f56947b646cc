/*
 * Trellis formats of ik_llama.cpp: values come from a pseudo-random sequence
 * that an index of 12 to 16 bits starts. 256 elements a block; 32-block k has
 * sub-groups g of eight elements j (IQ4_KT: of four). D is a binary32 in the
 * row's header; NL4 is in iq.h.
 *
 * T(x), the sequence: before each value x = x * 0xcbac1fed mod 2^32; the value
 * is the sum of the four bytes of x & 0x3f3f3f3f, less 126: -126 .. 126.
 *
 *   IQ1_KT  D 4 | scales 8 | ql 32 | qh 16 |
 *           index = ql[4k + g] | nibble k / 4 of qh[4 * (k % 4) + g] << 8
 *                 | bit 4 + g of scales[k] << 12
 *           y = (D * NL4[low nibble of scales[k]]) * T(index + 4096)
 *   IQ2_KT  D 4 | scales 4 | q 32 x 2 |
 *           n = nibble k / 4 of scales[k % 4]
 *           y = (D * NL4[n]) * T(q[4k + g] + 4096)
 *   IQ3_KT  D 4 | scales 4 | q 32 x 2 | signs 32 |
 *           n as IQ2_KT; y = +-(D * n) * |T(q[4k + g] + 4096)|, negative when
 *           bit k of signs[8g + j] is set
 *   IQ4_KT  D 4 | words 8 x 4 | ql 64 | qh 32 |
 *           jj = 8k + g; index = ql[jj] | nibble jj / 32 of qh[jj % 32] << 8
 *                | bits 8 + 3g of words[k] << 12
 *           n = bits 1-7 of words[k]; start = index + 4096, + 32768 if bit 0
 *           y = (D * (n - 64)) * T(start)
 *
 * Source: iqk_quantize.cpp of ik_llama.cpp.
 */
#ifndef FATHOM_QUANT_TRELLIS_H
#define FATHOM_QUANT_TRELLIS_H

#include "quant/block32.h"

#include <assert.h>

struct iq1_kt {
    uint8_t scales[8];
    uint8_t ql[32];
    uint8_t qh[16];
};
static_assert(sizeof(struct iq1_kt) == 56, "an IQ1_KT block has 56 bytes");

struct iq2_kt {
    uint8_t scales[4];
    uint8_t q[32][2];
};
static_assert(sizeof(struct iq2_kt) == 68, "an IQ2_KT block has 68 bytes");

struct iq3_kt {
    uint8_t scales[4];
    uint8_t q[32][2];
    uint8_t signs[32];
};
static_assert(sizeof(struct iq3_kt) == 100, "an IQ3_KT block has 100 bytes");

struct iq4_kt {
    uint8_t words[8][4];
    uint8_t ql[64];
    uint8_t qh[32];
};
static_assert(sizeof(struct iq4_kt) == 128, "an IQ4_KT block has 128 bytes");

block32_fn iq1_kt_block32, iq2_kt_block32, iq3_kt_block32, iq4_kt_block32;

/* D is a binary32, so that folding IQ3_KT's scale would round otherwise. */
void iq3_kt_decode(const uint8_t *row, float *out, size_t elems);

#endif
