/* F32, F16, BF16: conversions, decoding, encoding. */
#include "quant/floats.h"

#include "quant/bits.h"

float
half_to_float(uint16_t half)
{
    return half_of_bits(half);
}

uint16_t
float_to_half(float value)
{
    uint32_t bits = bits_of_float(value);
    uint32_t sign = bits >> 16 & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) // NaN, made quiet
        return (uint16_t) (sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    if (magnitude >= 0x477ff000) // 65520 rounds to the next power of two
        return (uint16_t) (sign | 0x7c00);
    if (magnitude < 0x38800000) {
        // Below 2^-14 a half counts 2^-24, the unit of floats in [0.5, 1):
        // adding 0.5 rounds to that unit and leaves the count in the low bits.
        float sum = float_of_bits(magnitude) + 0.5f;
        return (uint16_t) (sign | (bits_of_float(sum) - bits_of_float(0.5f)));
    }
    magnitude += 0xfff + (magnitude >> 13 & 1); // half a unit, ties to even
    return (uint16_t) (sign | (magnitude - (112u << 23)) >> 13);
}

float
bfloat16_to_float(uint16_t bits)
{
    return float_of_bits((uint32_t) bits << 16);
}

uint16_t
float_to_bfloat16(float value)
{
    uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffff) > 0x7f800000) // NaN, made quiet
        return (uint16_t) (bits >> 16 | 64);
    return (uint16_t) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void
f32_decode(const uint8_t *row, float *out, size_t elems)
{
    memcpy(out, row, elems * sizeof *out);
}

void
f16_decode(const uint8_t *row, float *out, size_t elems)
{
    for (size_t e = 0; e < elems; e++)
        out[e] = half_at(row + 2 * e);
}

void
bf16_decode(const uint8_t *row, float *out, size_t elems)
{
    for (size_t e = 0; e < elems; e++)
        out[e] = float_of_bits(u16_at(row + 2 * e) << 16);
}

void
f32_encode(const float *in, void *block)
{
    memcpy(block, in, sizeof *in);
}

void
f16_encode(const float *in, void *block)
{
    u16_put(block, float_to_half(*in));
}

void
bf16_encode(const float *in, void *block)
{
    u16_put(block, float_to_bfloat16(*in));
}

/* A value is not finite when every bit of its exponent is set. */
bool
f32_finite(const uint8_t *blocks, size_t count)
{
    unsigned bad = 0;
    for (size_t e = 0; e < count; e++)
        bad |= (u32_at(blocks + 4 * e) & 0x7f800000) == 0x7f800000;
    return bad == 0;
}

bool
f16_finite(const uint8_t *blocks, size_t count)
{
    unsigned bad = 0;
    for (size_t e = 0; e < count; e++)
        bad |= (u16_at(blocks + 2 * e) & 0x7c00) == 0x7c00;
    return bad == 0;
}

bool
bf16_finite(const uint8_t *blocks, size_t count)
{
    unsigned bad = 0;
    for (size_t e = 0; e < count; e++)
        bad |= (u16_at(blocks + 2 * e) & 0x7f80) == 0x7f80;
    return bad == 0;
}
