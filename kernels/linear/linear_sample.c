/* Weights and activations as tests of linear layers want them. */
#include "config.h"

#include "kernels/linear/linear_sample.h"

#include <math.h>
#include <string.h>

/* ---- weights ---- */

static uint8_t
byte_make(struct check_random *rng, enum weights kind)
{
    if (kind == WEIGHTS_ZERO)
        return 0;
    if (kind == WEIGHTS_ONES)
        return 0xff;
    if (kind == WEIGHTS_LOWEST)
        return 0x80;
    return (uint8_t) check_bits(rng);
}

static uint16_t
half_make(struct check_random *rng, enum weights kind)
{
    uint16_t any = (uint16_t) check_bits(rng);

    if (kind == WEIGHTS_ZERO)
        return 0;
    if (kind == WEIGHTS_ONES || kind == WEIGHTS_LOWEST)
        return 0x7bff; // 65504
    if (kind == WEIGHTS_DENORMAL)
        return any & 0x83ff;
    if (kind == WEIGHTS_USUAL)
        return 0x2000 + any % 0x400;
    return (any >> 10 & 31) == 31 ? any ^ 0x4000 : any;
}

static void
header_make(struct check_random *rng, const struct format *format, uint8_t *row)
{
    float scale = 0.01f * check_normal(rng);
    uint16_t half = float_to_half(scale);

    if (format->header_bytes == sizeof scale)
        memcpy(row, &scale, sizeof scale);
    if (format->header_bytes == sizeof half)
        memcpy(row, &half, sizeof half);
}

static void
blocks_make(struct check_random *rng, const struct format *format,
            uint8_t *blocks, size_t bytes, enum weights kind)
{
    for (size_t i = 0; i < bytes; i++)
        blocks[i] = byte_make(rng, kind);
    for (size_t b = 0; b < bytes; b += format->block_bytes)
        for (size_t i = 0; i < format->halves; i++) {
            uint16_t half = half_make(rng, kind);
            memcpy(blocks + b + format->halves_at + 2 * i, &half, sizeof half);
        }
}

/*
 * Draws blocks whose scale is a byte again until their values are usual too:
 * the oracle wants sums that are finite.
 */
static void
blocks_tame(struct check_random *rng, const struct format *format,
            uint8_t *blocks, size_t bytes)
{
    size_t size = format->block_bytes;
    float values[256];

    for (size_t b = 0; b < bytes; b += size)
        for (int tries = 0; tries < 1000; tries++) {
            bool usual = true;
            format_decode_row(format, blocks + b, 0, values,
                              format->block_elems);
            for (size_t i = 0; i < format->block_elems; i++)
                usual = usual && fabsf(values[i]) < 1e3f; // not so NaN
            if (usual)
                break;
            blocks_make(rng, format, blocks + b, size, WEIGHTS_USUAL);
        }
}

/* Scales that are not halves are random bits, drawn until they are finite. */
void
linear_sample_weights(struct check_random *rng, const struct format *format,
                      uint8_t *w, size_t rows, size_t width, enum weights kind)
{
    size_t group = format->interleaved;
    size_t bytes = group * format_row_bytes(format, width);
    size_t header = group * format->header_bytes;

    for (size_t r = 0; r < rows; r += group, w += bytes) {
        for (size_t i = 0; i < group; i++)
            header_make(rng, format, w + i * format->header_bytes);
        blocks_make(rng, format, w + header, bytes - header, kind);
        for (int tries = 0; !format_scales_finite(format, w, bytes, width);
             tries++)
            blocks_make(rng, format, w + header, bytes - header,
                        tries < 4 ? WEIGHTS_ANY : WEIGHTS_ZERO);
        if (kind == WEIGHTS_USUAL && group == 1 && header == 0)
            blocks_tame(rng, format, w, bytes);
    }
}

/* ---- activations ---- */

static float
value_make(struct check_random *rng, enum values kind, size_t i, size_t width)
{
    float normal = check_normal(rng);
    bool coin = check_below(rng, 2) != 0;

    switch (kind) {
    case VALUES_OUTLIERS:
        return check_below(rng, 256) == 0 ? 50 * normal : normal;
    case VALUES_MAGNITUDES:
        return ldexpf(normal, (int) check_below(rng, 160) - 130);
    case VALUES_ZERO:
        return coin ? 0.0f : -0.0f;
    case VALUES_LONELY:
        return i == width / 2 ? 1e20f : i % 37 ? 0 : -1e-20f;
    case VALUES_LIMITS:
        return coin ? 3e4f : -3e4f;
    case VALUES_DENORMAL:
        return normal * 1e-39f;
    case VALUES_NORMAL:
    case VALUES_KINDS:
        break;
    }
    return normal;
}

void
linear_sample_values(struct check_random *rng, float *x, size_t width,
                     enum values kind)
{
    for (size_t i = 0; i < width; i++)
        x[i] = value_make(rng, kind, i, width);
}
