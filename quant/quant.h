/*
 * quant: number formats of weights. This is the folder's door.
 *
 *   formats.c     the table of formats, by ggml type id
 *   format_rows.c rows of any format: decode, 32-blocks, checks
 *   block32.h     a block of 32 weights as the arithmetic contract sees it
 *   floats, legacy, k_quants, iq, ternary, micro, ik_quants, trellis,
 *   interleaved   one pair of files a family: block structs with the drawing
 *                 of their bits, and what the bits mean
 *   codebooks.c   published tables of the IQ formats (MIT, notice inside)
 *
 * What the bits mean, and nothing about speed: kernels/linear does the
 * products. Nothing here can fail: a row's shape is checked where its file is
 * read. Threads: everything is constant and may be used from any.
 */
#ifndef FATHOM_QUANT_QUANT_H
#define FATHOM_QUANT_QUANT_H

#include "quant/block32.h"
#include "quant/floats.h"
#include "quant/ik_quants.h"
#include "quant/interleaved.h"
#include "quant/iq.h"
#include "quant/k_quants.h"
#include "quant/legacy.h"
#include "quant/micro.h"
#include "quant/ternary.h"
#include "quant/trellis.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ggml type ids, as in files; from 97 on those of ik_llama.cpp. */
enum format_id {
    // of this program: one row of a group of four; never in a file
    FORMAT_IQ1_M_R1 = -3,
    FORMAT_IQ1_S_R1 = -2,

    FORMAT_F32 = 0,
    FORMAT_F16 = 1,
    FORMAT_Q4_0 = 2,
    FORMAT_Q4_1 = 3,
    FORMAT_Q5_0 = 6,
    FORMAT_Q5_1 = 7,
    FORMAT_Q8_0 = 8,
    FORMAT_Q2_K = 10,
    FORMAT_Q3_K = 11,
    FORMAT_Q4_K = 12,
    FORMAT_Q5_K = 13,
    FORMAT_Q6_K = 14,
    FORMAT_IQ2_XXS = 16,
    FORMAT_IQ2_XS = 17,
    FORMAT_IQ3_XXS = 18,
    FORMAT_IQ1_S = 19,
    FORMAT_IQ4_NL = 20,
    FORMAT_IQ3_S = 21,
    FORMAT_IQ2_S = 22,
    FORMAT_IQ4_XS = 23,
    FORMAT_I8 = 24,
    FORMAT_I16 = 25,
    FORMAT_I32 = 26,
    FORMAT_I64 = 27,
    FORMAT_F64 = 28,
    FORMAT_IQ1_M = 29,
    FORMAT_BF16 = 30,
    FORMAT_TQ1_0 = 34,
    FORMAT_TQ2_0 = 35,
    FORMAT_MXFP4 = 39,
    FORMAT_NVFP4 = 40,
    FORMAT_Q1_0 = 41,
    FORMAT_Q2_0 = 42,

    FORMAT_Q6_0 = 133,
    FORMAT_IQ2_K = 137,
    FORMAT_IQ3_K = 138,
    FORMAT_IQ4_K = 139,
    FORMAT_IQ5_K = 140,
    FORMAT_IQ6_K = 141,
    FORMAT_IQ4_KS = 144,
    FORMAT_IQ2_KS = 145,
    FORMAT_IQ4_KSS = 146,
    FORMAT_IQ5_KS = 152,
    FORMAT_IQ2_KT = 153,
    FORMAT_IQ3_KT = 154,
    FORMAT_IQ4_KT = 155,
    FORMAT_IQ3_KS = 156,
    FORMAT_IQ2_KL = 157,
    FORMAT_IQ1_KT = 158,

    FORMAT_Q2_K_R4 = 210,
    FORMAT_Q3_K_R4 = 211,
    FORMAT_Q4_K_R4 = 212,
    FORMAT_Q5_K_R4 = 213,
    FORMAT_Q6_K_R4 = 214,
    FORMAT_IQ1_S_R4 = 219,
    FORMAT_IQ1_M_R4 = 229,
    FORMAT_IQ2_K_R4 = 337,
    FORMAT_IQ3_K_R4 = 338,
    FORMAT_IQ4_K_R4 = 339,
    FORMAT_IQ5_K_R4 = 340,
    FORMAT_IQ4_KS_R4 = 344,
    FORMAT_IQ5_KS_R4 = 352,
};

/* How a matrix lies in memory: rows as in the file, or packed (later). */
enum layout { LAYOUT_ROWS, LAYOUT_PACKED };

/* Where the arithmetic contract puts a format. */
enum contract {
    CONTRACT_NONE,  // decoded only: not covered by the contract yet
    CONTRACT_FLOAT, // F32, F16, BF16: one step an element, activations as is
    CONTRACT_INT8,  // blocks of 32 against int8 activations
};

/* Functions of a family, which format_rows.c calls. */
typedef void format_decode_fn(const uint8_t *row, float *out, size_t elems);
typedef bool format_finite_fn(const uint8_t *blocks, size_t count);
typedef void format_encode_fn(const float *in, void *block);

struct format {
    int32_t id;
    const char *name;
    uint16_t block_elems;  // elements a block; a row is a whole number of them
    uint16_t block_bytes;  // bytes a block
    uint16_t header_bytes; // of a row, before its blocks: 0, 2 or 4
    uint16_t interleaved;  // rows stored together: 1, or 4 for _R4
    bool holds_weights;    // false for integers and doubles: refuse these
    enum contract contract;

    block32_fn *block32;      // CONTRACT_INT8
    format_decode_fn *decode; // where a row is not decoded by its 32-blocks
    format_encode_fn *encode; // NULL where only decoding is known
    format_finite_fn *finite; // where scales are not `halves` halves
    uint16_t halves_at;       // half-precision scales of a block (of a group's
    uint16_t halves;          // block): first byte, and how many side by side
    int32_t plain_id;         // interleaved: the format of its rows,
    unpack_block_fn *unpack;  // and how one of them is taken out
};

/* The format with this ggml type id, or NULL. */
const struct format *format_find(int32_t id);

/*
 * Walks the table: the i-th format or NULL after the last. Two of them have
 * negative ids and are in no file.
 */
const struct format *format_at(size_t i);

/*
 * The format of single rows with the same values: the format itself, or, of
 * an interleaved one, what format_unpack_rows makes.
 */
const struct format *format_plain(const struct format *format);

/*
 * Why a type id that format_find does not know cannot be used, as the end of
 * a sentence: "was removed from ggml; download a current quantization of the
 * model", or "is not a type that fathom knows". Never NULL.
 */
const char *format_refusal(int32_t id);

/*
 * Bytes of one row of `elems` elements, a multiple of block_elems. For
 * interleaved formats: an interleaved'th part of the group.
 */
size_t format_row_bytes(const struct format *format, size_t elems);

/*
 * Exact binary32 values of one row of `elems` elements of a format that holds
 * weights; products are rounded in the order of the format's published
 * formula (a zero may have another sign). With interleaved rows, `row` points
 * at the group and `lane` (0 .. interleaved-1) picks the row in it; otherwise
 * lane is 0.
 */
void format_decode_row(const struct format *format, const uint8_t *row,
                       unsigned lane, float *out, size_t elems);

/*
 * Takes a group of interleaved rows apart: `rows` becomes format->interleaved
 * rows of format_plain(format), one after the other. Both sides have the same
 * size; they may not overlap. For whoever reads weights: taken apart once, they
 * need no interleaved kernel, while the functions here do it at each call.
 */
void format_unpack_rows(const struct format *format, const uint8_t *group,
                        uint8_t *rows, size_t elems);

/* The i-th 32-block of a row; CONTRACT_INT8 only. */
void format_block32(const struct format *format, const uint8_t *row,
                    unsigned lane, size_t i, struct block32 *out);

/*
 * True when every scale of `bytes` bytes of whole rows (groups of interleaved
 * ones) is finite; for float formats, every value.
 */
bool format_scales_finite(const struct format *format, const uint8_t *rows,
                          size_t bytes, size_t elems);

/*
 * Rounds a row to the format by its simplest published rule; formats with
 * `encode` only, values finite. For tests and generators, not a quantizer.
 */
void format_encode_row(const struct format *format, const float *in,
                       uint8_t *row, size_t elems);

#endif
