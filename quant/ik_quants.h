/*
 * Formats of ik_llama.cpp with tables of levels. 256 elements a block unless
 * said otherwise; k = e / 32 is the 32-block of element e, l = e % 32 its
 * place there, g = e / 16. d is a half in the block; D is a scale in the row's
 * header, a half (2 bytes) or a binary32 (4 bytes). "Nibble i" counts low
 * nibbles first.
 *
 * Tables of levels; "extra" bits pick the second half of a table:
 *   N2  -31 -13 1 17 | -26 -8 6 22
 *   N3  -63 -40 -23 -10 1 13 28 47 | -59 -36 -19 -6 5 17 32 51
 *   N4  NL4 of iq.h | each + 4
 *   N5  32 levels from -126 to 121 | each + 2
 *   N6  -127 + 6.2568 q - 0.11218 q^2 + 0.0011972 q^3 | each + 1
 *
 *   Q6_0   | d 2 | qh 8 | q 16 |                     32 elements
 *          j < 16: x = nibble j / 8 of qh[j % 8];
 *          y[j] = d * ((low nibble of q[j] | (x & 3) << 4) - 32)
 *          y[j + 16] = d * ((high nibble of q[j] | (x & 12) << 2) - 32)
 *
 * Sixteen scales, extra bit g of ex:
 *   IQ2_K  | d 2 | ex 2 | scales 8 | q 64 |
 *          y = (d * (nibble g of scales - 8)) * N2[two bits]
 *          two bits: 2 * (k % 4) of byte 32 * (k / 4) + l of q
 *   IQ3_K  | d 2 | ex 2 | sh 2 | sl 8 | q 64 | qh 32 |
 *          y = (d * +-(2 * nibble g of sl + 1)) * N3[two bits | bit k of qh[l]]
 *          negative when bit g of sh is set
 *   IQ4_K  | d 2 | ex 2 | sh 4 | sl 8 | q 128 |
 *          n = nibble g of sl | bits 2g of sh << 4; y = (d * (n - 32)) * N4[q]
 *          q: bytes 16k .. 16k + 15, low nibbles first
 *   IQ5_K  | d 2 | ex 2 | sh 4 | sl 8 | q 128 | qh 32 |
 *          n as IQ4_K; y = (d * (n - 32)) * N5[q | bit k of qh[l] << 4]
 *          q: byte 32 * (k / 2) + l, low nibble for even k
 *   IQ6_K  | d 2 | ex 2 | scales 16 (signed) | q 128 | qh 64 |
 *          q as IQ5_K; bits 2 * (k % 4) of qh[32 * (k / 4) + l] are bits 4, 5
 *          y = (d * scale g) * N6[q]
 *
 * Eight scales, D in the row's header:
 *   IQ4_KS  D 4 | scales 8 | q 128 |
 *           y = (D * ((scale & 254) - 127)) * N4[q], extra bit 0 of scale
 *           q as IQ4_K
 *   IQ4_KSS D 4 | 64 words of 2 |
 *           k has words w 0 .. 7; their bits 0 are the scale of IQ4_KS, bit i
 *           from word i; (w & 0xfffe) ^ (w & 0xfffe) >> 1 are its q
 *   IQ5_KS  D 4 | scales 8 | q 128 | qh 32 |
 *           scale as IQ4_KS, q as IQ5_K, N5
 *   IQ2_KS  D 2 | ex 2 | scales 4 | q 64 |
 *           n = nibble k of scales | bit 8 + k of ex << 4
 *           y = (D * (n - 16)) * N2[q as IQ2_K], extra bit k of ex
 *   IQ3_KS  D 2 | ex 2 | scales 4 | q 64 | qh 32 |
 *           n = nibble k / 4 of scales[k % 4] | bit k of ex << 4
 *           y = (D * (n - 16)) * N3[q as IQ3_K], extra bit 8 + k of ex
 *   IQ2_KL  D 2 | sh 2 | scales 4 | q 64 | qh 16 |
 *           n = nibble k / 4 of scales[k % 4] | bits 2k of sh << 4
 *           of pair j: q = nibble k % 2 of byte 16 * (k / 2) + j | bit k of
 *           qh[j] << 4; y[2j], y[2j + 1] = (D * (n - 32)) * pair q of a table
 *           of 32 pairs of N3's first half
 *
 * Source: iqk_quantize.cpp of ik_llama.cpp.
 */
#ifndef FATHOM_QUANT_IK_QUANTS_H
#define FATHOM_QUANT_IK_QUANTS_H

#include "quant/block32.h"

#include <assert.h>

struct q6_0 {
    uint8_t d[2];
    uint8_t qh[8];
    uint8_t q[16];
};
static_assert(sizeof(struct q6_0) == 26, "a Q6_0 block has 26 bytes");

struct iq2_k {
    uint8_t d[2];
    uint8_t ex[2];
    uint8_t scales[8];
    uint8_t q[64];
};
static_assert(sizeof(struct iq2_k) == 76, "an IQ2_K block has 76 bytes");

struct iq3_k {
    uint8_t d[2];
    uint8_t ex[2];
    uint8_t sh[2];
    uint8_t sl[8];
    uint8_t q[64];
    uint8_t qh[32];
};
static_assert(sizeof(struct iq3_k) == 110, "an IQ3_K block has 110 bytes");

struct iq4_k {
    uint8_t d[2];
    uint8_t ex[2];
    uint8_t sh[4];
    uint8_t sl[8];
    uint8_t q[128];
};
static_assert(sizeof(struct iq4_k) == 144, "an IQ4_K block has 144 bytes");

struct iq5_k {
    uint8_t d[2];
    uint8_t ex[2];
    uint8_t sh[4];
    uint8_t sl[8];
    uint8_t q[128];
    uint8_t qh[32];
};
static_assert(sizeof(struct iq5_k) == 176, "an IQ5_K block has 176 bytes");

struct iq6_k {
    uint8_t d[2];
    uint8_t ex[2];
    int8_t scales[16];
    uint8_t q[128];
    uint8_t qh[64];
};
static_assert(sizeof(struct iq6_k) == 212, "an IQ6_K block has 212 bytes");

struct iq4_ks {
    uint8_t scales[8];
    uint8_t q[128];
};
static_assert(sizeof(struct iq4_ks) == 136, "an IQ4_KS block has 136 bytes");

struct iq4_kss {
    uint8_t words[64][2];
};
static_assert(sizeof(struct iq4_kss) == 128, "an IQ4_KSS block has 128 bytes");

struct iq5_ks {
    uint8_t scales[8];
    uint8_t q[128];
    uint8_t qh[32];
};
static_assert(sizeof(struct iq5_ks) == 168, "an IQ5_KS block has 168 bytes");

struct iq2_ks {
    uint8_t ex[2];
    uint8_t scales[4];
    uint8_t q[64];
};
static_assert(sizeof(struct iq2_ks) == 70, "an IQ2_KS block has 70 bytes");

struct iq3_ks {
    uint8_t ex[2];
    uint8_t scales[4];
    uint8_t q[64];
    uint8_t qh[32];
};
static_assert(sizeof(struct iq3_ks) == 102, "an IQ3_KS block has 102 bytes");

struct iq2_kl {
    uint8_t sh[2];
    uint8_t scales[4];
    uint8_t q[64];
    uint8_t qh[16];
};
static_assert(sizeof(struct iq2_kl) == 86, "an IQ2_KL block has 86 bytes");

block32_fn q6_0_block32;
block32_fn iq2_k_block32, iq3_k_block32, iq4_k_block32, iq5_k_block32;
block32_fn iq4_ks_block32, iq4_kss_block32, iq5_ks_block32;
block32_fn iq2_ks_block32, iq3_ks_block32, iq2_kl_block32;

void iq6_k_decode(const uint8_t *row, float *out, size_t elems);

#endif
