/*
 * quant: number formats of weights. This is the folder's door.
 *
 *   formats.c     the table of formats, by ggml type id
 *   float.c       F32, F16, BF16
 *   legacy.c ...  one file a family: block structs with the drawing of their
 *                 bits, exact decoding, and the arithmetic contract's integers
 *   codebooks.c   published tables of the IQ formats (MIT, notice inside)
 *
 * What the bits mean, and nothing about speed: kernels/linear does the
 * products. Nothing here can fail: a row's shape is checked where its file is
 * read. Threads: everything is constant and may be used from any.
 */
#ifndef FATHOM_QUANT_QUANT_H
#define FATHOM_QUANT_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ggml type ids that code names; the table has many more. */
enum format_id {
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
    FORMAT_IQ4_NL = 20,
    FORMAT_IQ4_XS = 23,
    FORMAT_BF16 = 30,
};

/* How a matrix lies in memory: rows as in the file, or packed (later). */
enum layout { LAYOUT_ROWS, LAYOUT_PACKED };

/* Which minimum a 32-block has (arithmetic contract, section 2). */
enum block_minimum { MINIMUM_NONE, MINIMUM_FLOAT, MINIMUM_INTEGER };

/*
 * One 32-block of weights as the arithmetic contract sees it:
 *   acc = fma(fl(a * d), (float) P, acc),   P = sum of w[j] * q[j]
 * and, with a minimum,
 *   MINIMUM_FLOAT    acc = fma(-m, e, acc)
 *   MINIMUM_INTEGER  acc = fma(-fl(m * d), (float) M, acc),
 *                    M = min[0] * s[0] + min[1] * s[1]
 * where d, e and s[2] (sums of q over each half) belong to the activations.
 * Integer sub-scales are folded into w.
 */
struct block32 {
    int32_t w[32];
    float a, m;
    enum block_minimum minimum;
    int32_t min[2];
};

/* Where the arithmetic contract puts a format. */
enum contract {
    CONTRACT_NONE,  // decoded only: not covered by the contract yet
    CONTRACT_FLOAT, // F32, F16, BF16: one step an element, activations as is
    CONTRACT_INT8,  // blocks of 32 against int8 activations
};

struct format {
    int32_t id; // ggml type id, as in files
    const char *name;
    uint16_t block_elems;  // elements a block; a row is a whole number of them
    uint16_t block_bytes;  // bytes a block
    uint16_t header_bytes; // at the start of every row (of `interleaved` rows)
    uint16_t interleaved;  // rows stored together: 1, or 4 for _R4
    enum contract contract;

    /*
     * Exact binary32 values of one row of `elems` elements. With interleaved
     * rows, `row` points at the group and `lane` (0 .. interleaved-1) picks
     * the row in it; otherwise lane is 0. Products are done in the order of
     * the format's published formula.
     */
    void (*decode_row)(const uint8_t *row, unsigned lane, float *out,
                       size_t elems);

    /* The i-th 32-block of a row; CONTRACT_INT8 only, else NULL. */
    void (*block32)(const uint8_t *row, unsigned lane, size_t elems, size_t i,
                    struct block32 *out);

    /*
     * True when every scale of `bytes` bytes of whole rows is finite (for
     * float formats: every value).
     */
    bool (*scales_finite)(const uint8_t *rows, size_t bytes, size_t elems);
};

/* The format with this ggml type id, or NULL. */
const struct format *format_find(int32_t id);

/* Walks the table: the i-th format or NULL after the last. */
const struct format *format_at(size_t i);

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

/* Exact conversions of IEEE half precision and bfloat16. */
float half_to_float(uint16_t half);
uint16_t float_to_half(float value); // nearest, ties to even; overflow: inf
float bfloat16_to_float(uint16_t bits);

#endif
