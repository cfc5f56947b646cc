/*
 * Rows of any format, by the functions and sizes in its table row.
 *
 * A row decodes from its 32-blocks: a * w rounds the same real number as the
 * published order of products does, because half scale times integer sub-scale
 * is exact in binary32, and where it is not (scales of 32 bits) the sub-scale
 * is outside w, or the format has a decoder of its own.
 *
 * A group of interleaved rows: the rows' headers, then the groups' blocks.
 */
#include "quant/quant.h"

#include "quant/bits.h"

#include <assert.h>

/* Where the blocks of a row, or of its group, start. */
static const uint8_t *
blocks_of(const struct format *format, const uint8_t *row)
{
    return row + format->header_bytes * format->interleaved;
}

static size_t
group_block_bytes(const struct format *format)
{
    return (size_t) format->block_bytes * format->interleaved;
}

/* ---- 32-blocks ---- */

static float
header_scale(const struct format *format, const uint8_t *row, unsigned lane)
{
    const uint8_t *header = row + lane * format->header_bytes;
    switch (format->header_bytes) {
    case 2:
        return half_at(header);
    case 4:
        return float_at(header);
    default:
        return 1;
    }
}

/* The i-th 32-block of `blocks`, in a row with this scale in its header. */
static void
block32_read(const struct format *format, const uint8_t *blocks, size_t i,
             float scale, struct block32 *out)
{
    out->a = scale;
    out->m = 0;
    out->minimum = MINIMUM_NONE;
    out->min[0] = out->min[1] = 0;
    format->block32(blocks, i, out);
}

void
format_block32(const struct format *format, const uint8_t *row, unsigned lane,
               size_t i, struct block32 *out)
{
    const uint8_t *blocks = blocks_of(format, row);
    float scale = header_scale(format, row, lane);
    if (format->interleaved == 1) {
        block32_read(format, blocks, i, scale, out);
        return;
    }
    uint8_t plain[PLAIN_BLOCK_MAX];
    size_t per_block = format->block_elems / 32;
    blocks += i / per_block * group_block_bytes(format);
    format->unpack(blocks, lane, plain);
    block32_read(format_plain(format), plain, i % per_block, scale, out);
}

/* ---- decoding, encoding ---- */

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

static void
blocks_decode(const struct format *format, const uint8_t *blocks, float scale,
              float *out, size_t elems)
{
    for (size_t i = 0; i < elems / 32; i++) {
        struct block32 block;
        block32_read(format, blocks, i, scale, &block);
        block32_decode(&block, out + 32 * i);
    }
}

static void
interleaved_decode(const struct format *format, const uint8_t *row,
                   unsigned lane, float *out, size_t elems)
{
    const uint8_t *blocks = blocks_of(format, row);
    const struct format *plain_format = format_plain(format);
    float scale = header_scale(format, row, lane);
    for (size_t e = 0; e < elems; e += format->block_elems) {
        uint8_t plain[PLAIN_BLOCK_MAX];
        format->unpack(blocks, lane, plain);
        blocks_decode(plain_format, plain, scale, out + e, format->block_elems);
        blocks += group_block_bytes(format);
    }
}

void
format_decode_row(const struct format *format, const uint8_t *row,
                  unsigned lane, float *out, size_t elems)
{
    assert(format->holds_weights);
    if (format->decode != NULL)
        format->decode(row, out, elems);
    else if (format->interleaved > 1)
        interleaved_decode(format, row, lane, out, elems);
    else
        blocks_decode(format, blocks_of(format, row),
                      header_scale(format, row, 0), out, elems);
}

void
format_unpack_rows(const struct format *format, const uint8_t *group,
                   uint8_t *rows, size_t elems)
{
    assert(format->interleaved > 1);
    const uint8_t *blocks = blocks_of(format, group);
    size_t count = elems / format->block_elems;
    for (unsigned lane = 0; lane < format->interleaved; lane++) {
        memcpy(rows, group + lane * format->header_bytes, format->header_bytes);
        rows += format->header_bytes;
        for (size_t b = 0; b < count; b++) {
            format->unpack(blocks + b * group_block_bytes(format), lane, rows);
            rows += format->block_bytes;
        }
    }
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

/* ---- checking ---- */

static bool
blocks_finite(const struct format *format, const uint8_t *blocks, size_t count)
{
    if (format->finite != NULL)
        return format->finite(blocks, count);
    for (size_t b = 0; b < count; b++)
        if (!f16_finite(blocks + b * group_block_bytes(format) +
                            format->halves_at,
                        format->halves))
            return false;
    return true;
}

static bool
headers_finite(const struct format *format, const uint8_t *row)
{
    return format->header_bytes == 2 ? f16_finite(row, format->interleaved)
                                     : f32_finite(row, format->interleaved);
}

bool
format_scales_finite(const struct format *format, const uint8_t *rows,
                     size_t bytes, size_t elems)
{
    if (format->header_bytes == 0)
        return blocks_finite(format, rows, bytes / group_block_bytes(format));
    size_t group_bytes = format_row_bytes(format, elems) * format->interleaved;
    size_t count = elems / format->block_elems;
    for (size_t at = 0; at + group_bytes <= bytes; at += group_bytes)
        if (!headers_finite(format, rows + at) ||
            !blocks_finite(format, blocks_of(format, rows + at), count))
            return false;
    return true;
}
