/*
 * Blocks of plain rows as CUDA kernels read them. Of 32-block j (0 in formats
 * that have one a block) of block b, for kernel files only:
 *
 *   word(b, j, c)      weights 4c .. 4c + 3 as four signed bytes
 *   half_scale(b, j, h) what half h of them, 16 each, counts; 1 where
 *                      HAS_HALF_SCALES is false
 *   factors_of(b, j)   a, and with HAS_MINIMUM m, of the contract
 *
 * Drawings of the bits: quant/legacy.h and quant/k_quants.h. Most blocks are
 * no multiple of 4 bytes long, so words are read as two halves there.
 */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_CUDA_BLOCKS_H
#define FATHOM_KERNELS_LINEAR_LINEAR_CUDA_BLOCKS_H

#include "kernels/cuda_port.h"
#include "quant/quant.h"

struct factors {
    float a, m;
};

/* ---- loads; p is a multiple of 2, 4 or 16 ---- */

DEV uint32_t
load16(const void *p)
{
    return *static_cast<const uint16_t *>(p);
}

DEV uint32_t
load32(const void *p)
{
    return *static_cast<const uint32_t *>(p);
}

DEV uint32_t
load32_halves(const void *p)
{
    const uint16_t *half = static_cast<const uint16_t *>(p);
    return (uint32_t) half[0] | (uint32_t) half[1] << 16;
}

/* Each byte of x (0 .. 127) less `by` (0 .. 127), as signed bytes. */
DEV uint32_t
bytes_less(uint32_t x, uint32_t by)
{
    return ((x | 0x80808080) - by * 0x01010101) ^ 0x80808080;
}

/* ---- one table of traits: what a format has ---- */

template <class Block> struct block_traits {
    static const unsigned PARTS = 1; // 32-blocks a block
    static const bool HAS_MINIMUM = false;
    static const bool HAS_HALF_SCALES = false;
};

template <> struct block_traits<q4_1> {
    static const unsigned PARTS = 1;
    static const bool HAS_MINIMUM = true;
    static const bool HAS_HALF_SCALES = false;
};

template <> struct block_traits<q4_k> {
    static const unsigned PARTS = 8;
    static const bool HAS_MINIMUM = true;
    static const bool HAS_HALF_SCALES = false;
};

template <> struct block_traits<q6_k> {
    static const unsigned PARTS = 8;
    static const bool HAS_MINIMUM = false;
    static const bool HAS_HALF_SCALES = true;
};

template <class Block>
DEV int
half_scale(const Block *, unsigned, unsigned)
{
    return 1;
}

/* ---- 32 weights a block ---- */

DEV uint32_t
word(const q8_0 *b, unsigned, unsigned c)
{
    return load32_halves(b->q + 4 * c);
}

DEV factors
factors_of(const q8_0 *b, unsigned)
{
    return {half_of(load16(b->d)), 0};
}

/* Weights 16 and on are the high nibbles. */
DEV uint32_t
word(const q4_0 *b, unsigned, unsigned c)
{
    uint32_t bytes = load32_halves(b->q + 4 * (c % 4));
    return bytes_less(bytes >> c / 4 * 4 & 0x0f0f0f0f, 8);
}

DEV factors
factors_of(const q4_0 *b, unsigned)
{
    return {half_of(load16(b->d)), 0};
}

DEV uint32_t
word(const q4_1 *b, unsigned, unsigned c)
{
    return load32(b->q + 4 * (c % 4)) >> c / 4 * 4 & 0x0f0f0f0f;
}

DEV factors
factors_of(const q4_1 *b, unsigned)
{
    uint32_t both = load32(b->d);
    return {half_of(both & 0xffff), -half_of(both >> 16)};
}

/* Bits 0 .. 3 to bit 4 of bytes 0 .. 3. */
DEV uint32_t
fifth_bits(uint32_t bits)
{
    return (bits * 0x00204081 & 0x01010101) << 4;
}

DEV uint32_t
word(const q5_0 *b, unsigned, unsigned c)
{
    uint32_t bytes = load32_halves(b->q + 4 * (c % 4));
    uint32_t fifth = fifth_bits(load32_halves(b->h) >> 4 * c & 15);
    return bytes_less((bytes >> c / 4 * 4 & 0x0f0f0f0f) | fifth, 16);
}

DEV factors
factors_of(const q5_0 *b, unsigned)
{
    return {half_of(load16(b->d)), 0};
}

/* ---- 256 weights a block ---- */

DEV uint32_t
word(const q4_k *b, unsigned j, unsigned c)
{
    return load32(b->q + 32 * (j / 2) + 4 * c) >> 4 * (j % 2) & 0x0f0f0f0f;
}

/* The header of 16 bytes, d to scales, in one load. */
DEV factors
factors_of(const q4_k *b, unsigned j)
{
    uint4 head = *static_cast<const uint4 *>(static_cast<const void *>(b));
    unsigned shift = 8 * (j % 4);
    uint32_t scale = head.y >> shift & 63, minimum = head.z >> shift & 63;

    if (j >= 4) {
        uint32_t high = head.y >> (shift + 6) & 3;
        uint32_t high_minimum = head.z >> (shift + 6) & 3;
        scale = (head.w >> shift & 15) | high << 4;
        minimum = (head.w >> (shift + 4) & 15) | high_minimum << 4;
    }
    return {__fmul_rn(half_of(head.x & 0xffff), (float) scale),
            __fmul_rn(half_of(head.x >> 16), (float) minimum)};
}

DEV uint32_t
word(const q6_k *b, unsigned j, unsigned c)
{
    unsigned group = j / 4, k = j % 4;
    uint32_t low = load32_halves(b->ql + 64 * group + 32 * (k % 2) + 4 * c);
    uint32_t high = load32_halves(b->qh + 32 * group + 4 * c);

    low = low >> 4 * (k / 2) & 0x0f0f0f0f;
    high = high >> 2 * k & 0x03030303;
    return bytes_less(low | high << 4, 32);
}

DEV int
half_scale(const q6_k *b, unsigned j, unsigned h)
{
    return b->scales[2 * j + h];
}

DEV factors
factors_of(const q6_k *b, unsigned)
{
    return {half_of(load16(b->d)), 0};
}

#endif
