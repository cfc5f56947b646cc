/*
 * Rows of any format, by the functions and sizes in its table row.
 *
 * A row decodes from its 32-blocks: a * w rounds the same real number as the
 * published order of products does, because half scale times integer sub-scale
 * is exact in binary32, and where it is not (scales of 32 bits) the sub-scale
 * is outside w, or the format has a decoder of its own.
 */
#include "quant/quant.h"

#include "quant/bits.h"

#include <assert.h>

static float
header_scale(const struct format *format, const uint8_t *row)
{
    switch (format->header_bytes) {
    case 2:
        return half_at(row);
    case 4:
        return float_at(row);
    default:
        return 1;
    }
}

void
format_block32(const struct format *format, const uint8_t *row, unsigned lane,
               size_t i, struct block32 *out)
{
    (void) lane;
    out->a = header_scale(format, row);
    out->m = 0;
    out->minimum = MINIMUM_NONE;
    out->min[0] = out->min[1] = 0;
    format->block32(row + format->header_bytes, i, out);
}

static void
block32_decode(const struct block32 *block, float out[32])
{
    for (unsigned j = 0; j < 32; j++)
        out[j] = block->a * (float) block->w[j];
    if (block->minimum == MINIMUM_NONE)
        return;
    bool whole = block->minimum == MINIMUM_FLOAT;
    for (unsigned j = 0; j < 32; j++)
        out[j] -= whole ? block->m : block->m * (float) block->min[j / 16];
}

void
format_decode_row(const struct format *format, const uint8_t *row,
                  unsigned lane, float *out, size_t elems)
{
    assert(format->holds_weights);
    if (format->decode != NULL) {
        format->decode(row, out, elems);
        return;
    }
    for (size_t i = 0; i < elems / 32; i++) {
        struct block32 block;
        format_block32(format, row, lane, i, &block);
        block32_decode(&block, out + 32 * i);
    }
}

static bool
blocks_finite(const struct format *format, const uint8_t *blocks, size_t count)
{
    if (format->finite != NULL)
        return format->finite(blocks, count);
    for (size_t b = 0; b < count; b++) {
        const uint8_t *scales =
            blocks + b * format->block_bytes + format->halves_at;
        if (!f16_finite(scales, format->halves))
            return false;
    }
    return true;
}

bool
format_scales_finite(const struct format *format, const uint8_t *rows,
                     size_t bytes, size_t elems)
{
    if (format->header_bytes == 0)
        return blocks_finite(format, rows, bytes / format->block_bytes);
    size_t row_bytes = format_row_bytes(format, elems);
    size_t count = elems / format->block_elems;
    for (const uint8_t *row = rows; row < rows + bytes; row += row_bytes) {
        bool scale_finite =
            format->header_bytes == 2 ? f16_finite(row, 1) : f32_finite(row, 1);
        if (!scale_finite ||
            !blocks_finite(format, row + format->header_bytes, count))
            return false;
    }
    return true;
}

void
format_encode_row(const struct format *format, const float *in, uint8_t *row,
                  size_t elems)
{
    assert(format->encode != NULL);
    for (size_t e = 0; e < elems; e += format->block_elems) {
        format->encode(in + e, row);
        row += format->block_bytes;
    }
}
