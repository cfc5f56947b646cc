/*
 * Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.
 *
 * |P| <= 4064 * max |w|: Q4_0 8, Q4_1 15, Q5_0 16, Q5_1 31, and Q8_0 128,
 * which gives 520 192 < 2^24.
 */
#include "quant/legacy.h"

#include "quant/bits.h"
#include "quant/floats.h"

#include <math.h>

/* Two elements a byte, j and j + 16, less an offset. */
static void
nibbles_read(const uint8_t q[16], int offset, int32_t w[32])
{
    for (unsigned j = 0; j < 16; j++) {
        w[j] = (int) low4(q[j]) - offset;
        w[j + 16] = (int) high4(q[j]) - offset;
    }
}

static void
fifth_bits_add(const uint8_t h[4], int32_t w[32])
{
    uint32_t bits = u32_at(h);
    for (unsigned j = 0; j < 32; j++)
        w[j] += (int) bit_of(bits, j) << 4;
}

void
q4_0_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q4_0 *b = (const struct q4_0 *) blocks + i;
    nibbles_read(b->q, 8, out->w);
    out->a = half_at(b->d);
}

void
q4_1_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q4_1 *b = (const struct q4_1 *) blocks + i;
    nibbles_read(b->q, 0, out->w);
    out->a = half_at(b->d);
    out->m = -half_at(b->m);
    out->minimum = MINIMUM_FLOAT;
}

void
q5_0_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q5_0 *b = (const struct q5_0 *) blocks + i;
    nibbles_read(b->q, 16, out->w);
    fifth_bits_add(b->h, out->w);
    out->a = half_at(b->d);
}

void
q5_1_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q5_1 *b = (const struct q5_1 *) blocks + i;
    nibbles_read(b->q, 0, out->w);
    fifth_bits_add(b->h, out->w);
    out->a = half_at(b->d);
    out->m = -half_at(b->m);
    out->minimum = MINIMUM_FLOAT;
}

void
q8_0_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q8_0 *b = (const struct q8_0 *) blocks + i;
    for (unsigned j = 0; j < 32; j++)
        out->w[j] = b->q[j];
    out->a = half_at(b->d);
}

/* ---- encoding, by the rules of ggml's reference quantizers ---- */

/* The value of largest magnitude, with its sign. */
static float
extreme_of(const float in[32])
{
    float extreme = 0;
    for (unsigned j = 0; j < 32; j++)
        if (fabsf(in[j]) > fabsf(extreme))
            extreme = in[j];
    return extreme;
}

/* x / d + offset, rounded, cut to 0 .. most (1 / d may overflow: 0 * inf). */
static unsigned
level_of(float x, float inverse, unsigned offset, unsigned most)
{
    float level = x * inverse + ((float) offset + 0.5f);
    if (!(level > 0))
        return 0;
    return level > (float) most ? most : (unsigned) level;
}

static void
levels_write(const unsigned level[32], uint8_t q[16])
{
    for (unsigned j = 0; j < 16; j++)
        q[j] = (uint8_t) (low4(level[j]) | low4(level[j + 16]) << 4);
}

static void
fifth_bits_write(const unsigned level[32], uint8_t h[4])
{
    uint32_t bits = 0;
    for (unsigned j = 0; j < 32; j++)
        bits |= (uint32_t) (level[j] >> 4) << j;
    u16_put(h, bits);
    u16_put(h + 2, bits >> 16);
}

/*
 * The scale and levels of a format without minimum: the extreme value becomes
 * the most negative integer, -half, and d has the sign that this needs.
 */
static float
symmetric_levels(const float in[32], unsigned half, unsigned level[32])
{
    float d = extreme_of(in) / -(float) half;
    float inverse = d == 0 ? 0 : 1 / d;
    for (unsigned j = 0; j < 32; j++)
        level[j] = level_of(in[j], inverse, half, 2 * half - 1);
    return d;
}

/*
 * The scale and levels of a format with a minimum: the range is divided evenly
 * into 0 .. most, and *least is the minimum.
 */
static float
ranged_levels(const float in[32], unsigned most, unsigned level[32],
              float *least)
{
    float low = in[0];
    float high = in[0];
    for (unsigned j = 1; j < 32; j++) {
        low = in[j] < low ? in[j] : low;
        high = in[j] > high ? in[j] : high;
    }
    float d = (high - low) / (float) most;
    float inverse = d == 0 ? 0 : 1 / d;
    for (unsigned j = 0; j < 32; j++)
        level[j] = level_of(in[j] - low, inverse, 0, most);
    *least = low;
    return d;
}

void
q4_0_encode(const float *in, void *block)
{
    struct q4_0 *b = block;
    unsigned level[32];
    u16_put(b->d, float_to_half(symmetric_levels(in, 8, level)));
    levels_write(level, b->q);
}

void
q4_1_encode(const float *in, void *block)
{
    struct q4_1 *b = block;
    unsigned level[32];
    float least;
    u16_put(b->d, float_to_half(ranged_levels(in, 15, level, &least)));
    u16_put(b->m, float_to_half(least));
    levels_write(level, b->q);
}

void
q5_0_encode(const float *in, void *block)
{
    struct q5_0 *b = block;
    unsigned level[32];
    u16_put(b->d, float_to_half(symmetric_levels(in, 16, level)));
    levels_write(level, b->q);
    fifth_bits_write(level, b->h);
}

void
q5_1_encode(const float *in, void *block)
{
    struct q5_1 *b = block;
    unsigned level[32];
    float least;
    u16_put(b->d, float_to_half(ranged_levels(in, 31, level, &least)));
    u16_put(b->m, float_to_half(least));
    levels_write(level, b->q);
    fifth_bits_write(level, b->h);
}

void
q8_0_encode(const float *in, void *block)
{
    struct q8_0 *b = block;
    float d = fabsf(extreme_of(in)) / 127;
    float inverse = d == 0 ? 0 : 1 / d;
    u16_put(b->d, float_to_half(d));
    for (unsigned j = 0; j < 32; j++) {
        float level = roundf(in[j] * inverse);
        b->q[j] = (int8_t) (level > 127 ? 127 : level > -127 ? level : -127);
    }
}
