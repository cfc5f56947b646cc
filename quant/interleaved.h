/*
 * Interleaved formats of ik_llama.cpp: four rows stored together, so that one
 * load meets four rows. A group is the headers of the rows, if any, then
 * blocks that hold 256 elements (IQ1: 32) of each row, in as many bytes as
 * four blocks of the plain format.
 *
 * Each format's function takes the block of row `lane` out of a group's block
 * and writes it in the plain format, which has the same values: Q4_K_R4 in
 * Q4_K and so on. The IQ1 ones have no plain format in files; their rows
 * become IQ1_S_R1 and IQ1_M_R1, which are the same with one row to a group:
 *
 *   IQ1_S_R1  D 2 | index 4 | qh 2 |                 32 elements
 *             as a 32-block of IQ1_S, d being D
 *   IQ1_M_R1  D 2 | index 4 | qh 2 | scales 1 |      32 elements
 *             as a 32-block of IQ1_M, d being D, but y = (D * n) * (value +
 *             delta) with n = nibble l / 2 of scales
 *
 * Of element x of 32-block k of row r, with t = x / 4, i = x % 4, h = x / 16:
 *
 *   four bits  byte 64k + 16 * (2 * (t & 1) + (t >> 2)) + 4r + i of q, high
 *              nibble when t & 2
 *   two bits   bits 2 * (t % 4) of byte 32k + 16h + 4r + i of q
 *   one bit    of byte 16k + 4r + i of qh; which one differs
 *   scales     at s = 8k + 4h + r (s = 4k + r where they are of 32 elements);
 *              low nibbles: nibble s / 32 of byte s % 32 of sl; two bits more:
 *              bits 2 * (s / 16) of byte s % 16 of sh
 *   extra bit  bit k of byte 4h + r of ex
 *
 * Source: iqk_quantize.cpp of ik_llama.cpp.
 */
#ifndef FATHOM_QUANT_INTERLEAVED_H
#define FATHOM_QUANT_INTERLEAVED_H

#include "quant/block32.h"

#include <assert.h>

struct q2_k_r4 {
    uint8_t d[4][2];
    uint8_t dmin[4][2];
    uint8_t scales[64]; // minimum in the high nibble
    uint8_t q[256];
};
static_assert(sizeof(struct q2_k_r4) == 4 * 84, "as four blocks of Q2_K");

struct q3_k_r4 {
    uint8_t d[4][2];
    uint8_t sh[16];
    uint8_t sl[32];
    uint8_t qh[128]; // bit t % 4 + 4h
    uint8_t q[256];
};
static_assert(sizeof(struct q3_k_r4) == 4 * 110, "as four blocks of Q3_K");

struct q4_k_r4 {
    uint8_t d[4][2];
    uint8_t dmin[4][2];
    uint8_t sh[16]; // nibble s / 16: two bits of the scale, two of the minimum
    uint8_t sl[32]; // minimum in the high nibble
    uint8_t q[512];
};
static_assert(sizeof(struct q4_k_r4) == 4 * 144, "as four blocks of Q4_K");

struct q5_k_r4 {
    uint8_t d[4][2];
    uint8_t dmin[4][2];
    uint8_t sh[16];
    uint8_t sl[32];
    uint8_t qh[128]; // bit (t >> 1 & 1) + 2 * (t & 1) + 4 * (t >> 2)
    uint8_t q[512];
};
static_assert(sizeof(struct q5_k_r4) == 4 * 176, "as four blocks of Q5_K");

struct q6_k_r4 {
    uint8_t d[4][2];
    int8_t scales[64];
    uint8_t qh[256]; // 32k + 16h + 4r + i, bits 2 * (t >> 1 & 1) + 4 * (t & 1)
    uint8_t q[512];
};
static_assert(sizeof(struct q6_k_r4) == 4 * 210, "as four blocks of Q6_K");

struct iq2_k_r4 {
    uint8_t d[4][2];
    uint8_t ex[8];
    uint8_t sl[32];
    uint8_t q[256];
};
static_assert(sizeof(struct iq2_k_r4) == 4 * 76, "as four blocks of IQ2_K");

struct iq3_k_r4 {
    uint8_t d[4][2];
    uint8_t ex[8];
    uint8_t sh[8]; // sign of scale s: bit s / 8 of byte s % 8
    uint8_t sl[32];
    uint8_t q[256];
    uint8_t qh[128]; // bit t % 4 + 4h
};
static_assert(sizeof(struct iq3_k_r4) == 4 * 110, "as four blocks of IQ3_K");

struct iq4_k_r4 {
    uint8_t d[4][2];
    uint8_t ex[8];
    uint8_t sh[16];
    uint8_t sl[32];
    uint8_t q[512];
};
static_assert(sizeof(struct iq4_k_r4) == 4 * 144, "as four blocks of IQ4_K");

struct iq5_k_r4 {
    uint8_t d[4][2];
    uint8_t ex[8];
    uint8_t sh[16];
    uint8_t sl[32];
    uint8_t q[512];
    uint8_t qh[128]; // bit (t >> 1) + 4 * (t & 1)
};
static_assert(sizeof(struct iq5_k_r4) == 4 * 176, "as four blocks of IQ5_K");

struct iq4_ks_r4 {
    uint8_t scales[32];
    uint8_t q[512];
};
static_assert(sizeof(struct iq4_ks_r4) == 4 * 136, "as four blocks of IQ4_KS");

struct iq5_ks_r4 {
    uint8_t scales[32];
    uint8_t q[512];
    uint8_t qh[128]; // bit (t >> 1) + 4 * (t & 1)
};
static_assert(sizeof(struct iq5_ks_r4) == 4 * 168, "as four blocks of IQ5_KS");

struct iq1_s_r4 {
    uint8_t index[4][4]; // sub-group, row
    uint8_t qh[4][2];
};

struct iq1_s_r1 {
    uint8_t index[4];
    uint8_t qh[2];
};
static_assert(sizeof(struct iq1_s_r4) == 4 * sizeof(struct iq1_s_r1),
              "as four blocks of IQ1_S_R1");

struct iq1_m_r4 {
    uint8_t index[4][4]; // sub-group, row
    uint8_t qh[2][4];    // pair of sub-groups, row
    uint8_t scales[4];
};

struct iq1_m_r1 {
    uint8_t index[4];
    uint8_t qh[2];
    uint8_t scales;
};
static_assert(sizeof(struct iq1_m_r4) == 4 * sizeof(struct iq1_m_r1),
              "as four blocks of IQ1_M_R1");

enum { PLAIN_BLOCK_MAX = 210 }; // bytes of the largest plain block here

/* Writes row `lane`'s block of the group's block at `from` to `to`. */
typedef void unpack_block_fn(const void *from, unsigned lane, void *to);

unpack_block_fn q2_k_r4_unpack, q3_k_r4_unpack, q4_k_r4_unpack, q5_k_r4_unpack;
unpack_block_fn q6_k_r4_unpack, iq2_k_r4_unpack, iq3_k_r4_unpack;
unpack_block_fn iq4_k_r4_unpack, iq5_k_r4_unpack, iq4_ks_r4_unpack;
unpack_block_fn iq5_ks_r4_unpack, iq1_s_r4_unpack, iq1_m_r4_unpack;

block32_fn iq1_s_r1_block32, iq1_m_r1_block32;

#endif
