/*
 * Numbers and parts of bytes at any alignment, for the files of this folder.
 * Files are little-endian, and so is every machine that is supported.
 */
#ifndef FATHOM_QUANT_BITS_H
#define FATHOM_QUANT_BITS_H

#include <stdint.h>
#include <string.h>

static inline unsigned
low4(unsigned byte)
{
    return byte & 15;
}

static inline unsigned
high4(unsigned byte)
{
    return byte >> 4 & 15;
}

/* The i-th nibble of `bytes`, low one first. */
static inline unsigned
nibble_of(const uint8_t *bytes, unsigned i)
{
    return bytes[i / 2] >> 4 * (i % 2) & 15;
}

static inline unsigned
bit_of(unsigned bits, unsigned i)
{
    return bits >> i & 1;
}

static inline uint32_t
u16_at(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint32_t
u32_at(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline void
u16_put(uint8_t *p, uint32_t value)
{
    uint16_t low = (uint16_t) value;
    memcpy(p, &low, sizeof low);
}

static inline float
float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t
bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float
float_at(const uint8_t *p)
{
    return float_of_bits(u32_at(p));
}

/* IEEE half precision: 1 sign, 5 exponent (bias 15), 10 mantissa bits. */
static inline float
half_of_bits(uint32_t half)
{
    uint32_t sign = half >> 15 << 31;
    uint32_t exponent = half >> 10 & 31;
    uint32_t mantissa = half & 1023;
    if (exponent == 0) // denormal: mantissa * 2^-24
        return float_of_bits(bits_of_float((float) mantissa * 0x1p-24f) | sign);
    exponent = exponent == 31 ? 255 : exponent + 127 - 15;
    return float_of_bits(sign | exponent << 23 | mantissa << 13);
}

static inline float
half_at(const uint8_t *p)
{
    return half_of_bits(u16_at(p));
}

#endif
