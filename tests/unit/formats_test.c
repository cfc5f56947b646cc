/*
 * Formats of weights: vectors of decoded rows, and what must hold for every
 * row of the table.
 */
#include "quant/quant.h"
#include "tests/unit/random_rows.h"
#include "tests/unit/sha256.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
bits_put(uint8_t *at, unsigned bits)
{
    at[0] = (uint8_t) bits;
    at[1] = (uint8_t) (bits >> 8);
}

/* ---- vectors ---- */

/*
 * Blocks are filled with a pattern, their scales overwritten by sane ones, and
 * the decoded floats hashed with -0 as +0: the first 16 hex digits. Made with
 * ggml's and ik_llama.cpp's own dequantizers.
 */
struct vector {
    int32_t id;
    const char *hash;
    float first[4];
    int half_at[2]; // bytes of the block's first and second half; -1: none
};

static const struct vector vectors[] = {
    {FORMAT_Q4_0, "440f6bfcce6532d3", {1, 0.5f, 0, -0.25f}, {0, -1}},
    {FORMAT_Q4_1, "59bbd78195595c5d", {2.125f, 1.875f, 1.375f, 0.875f}, {0, 2}},
    {FORMAT_Q5_0, "79489c8fb90f3506", {-2.75f, -3.25f, 0.25f, 3.75f}, {0, -1}},
    {FORMAT_Q5_1, "31f02d10d4c686b3", {0.375f, 3.875f, 3.625f, 7.125f}, {0, 2}},
    {FORMAT_Q8_0, "85bf480ba4a84d33", {15, -9.5f, 30, 5.75f}, {0, -1}},
    {FORMAT_Q2_K, "31c743ca52fc0386", {0, 0, 0, 0}, {80, 82}},
    {FORMAT_Q3_K, "eac324687c36041d", {-2, -3, -1, -3}, {108, -1}},
    {FORMAT_Q4_K,
     "5baad8f583d9f8f0",
     {35.875f, 7.875f, 203.875f, 189.875f},
     {0, 2}},
    {FORMAT_Q5_K,
     "d0d1e454e64e1e1d",
     {357.875f, 329.875f, 301.875f, 63.875f},
     {0, 2}},
    {FORMAT_Q6_K, "53b2533bd4c1e128", {-348, 43.5f, 435, -217.5f}, {208, -1}},
    {FORMAT_IQ2_XXS,
     "cad3f7e71f2919a1",
     {-4.25f, 22.84375f, -4.25f, 4.25f},
     {0, -1}},
    {FORMAT_IQ2_XS,
     "1b9a12fabdee416d",
     {-16.40625f, 5.25f, -5.25f, -16.40625f},
     {0, -1}},
    {FORMAT_IQ3_XXS,
     "d1d5b71e31970da8",
     {5.25f, -15.75f, 5.25f, -15.75f},
     {0, -1}},
    {FORMAT_IQ1_S,
     "163ced77b3737eb9",
     {-0.15625f, -0.15625f, -0.15625f, -0.15625f},
     {0, -1}},
    {FORMAT_IQ4_NL, "38db99f69034e3ef", {13.25f, 6.25f, 0.25f, -2.5f}, {0, -1}},
    {FORMAT_IQ3_S,
     "11390d214da8f7c9",
     {5.25f, 5.25f, -12.25f, -1.75f},
     {0, -1}},
    {FORMAT_IQ2_S,
     "bfcd3182ad2bbaa2",
     {-19.53125f, -6.25f, 19.53125f, 33.59375f},
     {0, -1}},
    {FORMAT_IQ4_XS, "6c18e185f7fa6429", {624, 762, -534, -318}, {0, -1}},
    {FORMAT_IQ1_M,
     "30d656d2e555e52f",
     {1.40625f, -1.09375f, 0.15625f, 1.40625f},
     {-1, -1}},
    {FORMAT_TQ1_0, "e60e1b4e37f1c596", {-0.25f, 0, -0.25f, 0.25f}, {52, -1}},
    {FORMAT_TQ2_0,
     "eda4e7e9e629d563",
     {-0.25f, 0.25f, -0.25f, 0.25f},
     {64, -1}},
    {FORMAT_MXFP4,
     "dfce4484a5bb077e",
     {-0.03125f, -0.015625f, -0.0078125f, 0},
     {-1, -1}},
    {FORMAT_NVFP4, "92c49bae9d142dbd", {0, 3, 1.5f, 0.75f}, {-1, -1}},
    {FORMAT_Q1_0, "8ba11d40fd3e54a0", {-0.25f, -0.25f, 0.25f, 0.25f}, {0, -1}},
    {FORMAT_Q2_0, "fad2769dec445b68", {-0.25f, 0.5f, 0.5f, -0.25f}, {0, -1}},
    {FORMAT_Q6_0, "16b39d5f8d1801bc", {-4.5f, 3, -1.5f, 6.25f}, {0, -1}},
    {FORMAT_IQ2_K, "f132ee499ec45fc9", {0.25f, -3.25f, 4.25f, -3.25f}, {0, -1}},
    {FORMAT_IQ3_K,
     "de4c2dab1b5b1cf5",
     {-129.25f, -35.75f, -129.25f, -77},
     {0, -1}},
    {FORMAT_IQ4_K,
     "c39629c611e495be",
     {227.5f, 290.5f, 444.5f, -311.5f},
     {0, -1}},
    {FORMAT_IQ5_K, "ee09de6bc7e599cd", {-59.5f, -38.5f, 3.5f, 42}, {0, -1}},
    {FORMAT_IQ4_KS,
     "c8b38ae2fc59a263",
     {82.3515625f, 126.007812f, -88.3046875f, -52.5859375f},
     {-1, -1}},
    {FORMAT_IQ2_KS,
     "dbbcbd07bdc8a5a9",
     {0.40625f, -0.53125f, -0.03125f, 0.96875f},
     {-1, -1}},
    {FORMAT_IQ4_KSS,
     "9a1de54683e86443",
     {-12.8984375f, -10.5625f, -8.4296875f, -2.234375f},
     {-1, -1}},
    {FORMAT_IQ5_KS,
     "40c3675ff259045d",
     {-10.9140625f, 125.015625f, 11.90625f, 23.8125f},
     {-1, -1}},
    {FORMAT_IQ2_KT,
     "f1360c67267e5937",
     {-45.640625f, -8.9296875f, 41.671875f, -27.78125f},
     {-1, -1}},
    {FORMAT_IQ3_KT, "2129446c848bc7a2", {0, 0, 0, 0}, {-1, -1}},
    {FORMAT_IQ4_KT, "3ffa04182e812a88", {-32, -24, 23.5f, -10}, {-1, -1}},
    {FORMAT_IQ3_KS,
     "5345b24ac91bf171",
     {-0.40625f, -1.46875f, -0.875f, 1.96875f},
     {-1, -1}},
    {FORMAT_IQ2_KL,
     "13af721e117b85d8",
     {-2.03125f, 3.59375f, -0.15625f, -4.375f},
     {-1, -1}},
    {FORMAT_IQ1_KT,
     "11bbbec7d533ad62",
     {53.578125f, 16.8671875f, 21.828125f, 6.9453125f},
     {-1, -1}},
};

static size_t
vector_blocks(const struct format *format)
{
    return format->block_elems <= 64 ? 8 : format->block_elems == 128 ? 4 : 2;
}

/* Sane scales for block k of a vector. */
static void
scales_put(const struct vector *vector, unsigned k, uint8_t *block)
{
    static const uint8_t iq1_m[4] = {0x00, 0x00, 0x40, 0x30}; // d = 0.25
    for (unsigned s = 0; s < 2; s++)
        if (vector->half_at[s] >= 0)
            bits_put(block + vector->half_at[s], (s ? 0x3000 : 0x3400) + k);
    if (vector->id == FORMAT_IQ1_M)
        for (unsigned s = 0; s < 4; s++)
            block[49 + 2 * s] = (uint8_t) ((block[49 + 2 * s] & 15) | iq1_m[s]);
    if (vector->id == FORMAT_MXFP4)
        block[0] = (uint8_t) (120 + k);
    if (vector->id == FORMAT_NVFP4)
        for (unsigned j = 0; j < 4; j++)
            block[j] = (uint8_t) (0x30 + j + k);
}

/* One row: the header, 2^-7, then the pattern. */
static void
vector_fill(const struct vector *vector, uint8_t *row)
{
    const struct format *format = format_find(vector->id);
    const float header = 0x1p-7f;
    size_t count = vector_blocks(format);
    uint8_t *blocks = row + format->header_bytes;
    if (format->header_bytes == 2)
        bits_put(row, float_to_half(header));
    if (format->header_bytes == 4)
        memcpy(row, &header, 4);
    for (uint32_t i = 0; i < count * format->block_bytes; i++)
        blocks[i] =
            (uint8_t) ((i * 2654435761u + (uint32_t) vector->id * 40503u) >>
                       24);
    for (unsigned k = 0; k < count; k++)
        scales_put(vector, k, blocks + k * format->block_bytes);
}

static void
vector_check(const struct vector *vector)
{
    uint8_t row[ROW_BYTES];
    float out[ROW_ELEMS];
    char hex[65];
    const struct format *format = format_find(vector->id);
    size_t elems = vector_blocks(format) * format->block_elems;
    vector_fill(vector, row);
    format_decode_row(format, row, 0, out, elems);
    for (size_t e = 0; e < elems; e++)
        out[e] += 0.0f; // -0 to +0
    for (unsigned e = 0; e < 4; e++)
        if (out[e] != vector->first[e])
            fail_msg("%s: element %u is %g", format->name, e, (double) out[e]);
    sha256_hex(out, elems * sizeof out[0], hex);
    if (strncmp(hex, vector->hash, 16) != 0)
        fail_msg("%s: hash %.16s", format->name, hex);
}

static void
rows_decode_as_published(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        vector_check(&vectors[i]);
}

/* IQ6_K has no hash: its polynomial may be rounded in more than one way. */
static double
iq6_k_value(const uint8_t *block, unsigned e)
{
    unsigned c = e / 64; // quarter, part of 16, element there
    unsigned p = e % 64 / 16;
    unsigned j = e % 16;
    unsigned byte = block[20 + 32 * c + 16 * (p & 1) + j];
    unsigned high = block[148 + 32 * (c / 2) + 16 * (p & 1) + j] >>
                        (4 * (c % 2) + 2 * (p / 2)) &
                    3;
    unsigned extra = (block[2] | block[3] << 8) >> (4 * c + p) & 1;
    double q = (p < 2 ? byte & 15 : byte >> 4) | high << 4;
    double level =
        -127 + 6.2568 * q - 0.11218 * q * q + 0.0011972 * q * q * q + extra;
    double d = (double) half_to_float((uint16_t) (block[0] | block[1] << 8));
    return d * (int8_t) block[4 + 4 * c + p] * level;
}

static void
iq6_k_levels_follow_their_polynomial(void **state)
{
    (void) state;
    struct random random = random_start(1);
    const struct format *format = format_find(FORMAT_IQ6_K);
    uint8_t row[ROW_BYTES];
    float out[ROW_ELEMS];
    random_finite_rows(&random, format, row);
    format_decode_row(format, row, 0, out, ROW_ELEMS);
    for (unsigned e = 0; e < ROW_ELEMS; e++) {
        const uint8_t *block = row + e / 256 * 212;
        double scale =
            fabs((double) half_to_float((uint16_t) (block[0] | block[1] << 8)) *
                 (int8_t) block[4 + e % 256 / 16]);
        double want = iq6_k_value(block, e % 256);
        // the terms are up to 320: a few roundings of those
        assert_true(fabs((double) out[e] - want) <= scale * 320 * 0x1p-22);
    }
}

/* A block of 64 whose four scales are `scale` and whose elements are all 1. */
static float
nvfp4_one(unsigned scale)
{
    uint8_t block[36];
    float out[64];
    memset(block, (int) scale, 4);
    memset(block + 4, 0x22, 32);
    format_decode_row(format_find(FORMAT_NVFP4), block, 0, out, 64);
    for (unsigned e = 1; e < 64; e++)
        assert_true(out[e] == out[0]);
    return out[0];
}

static void
nvfp4_scales_are_floats_of_seven_bits(void **state)
{
    (void) state;
    assert_true(nvfp4_one(0x38) == 1);
    assert_true(nvfp4_one(0x7e) == 448);
    assert_true(nvfp4_one(0x7f) == 0);
    assert_true(nvfp4_one(0xb8) == 1); // the top bit is ignored
    for (unsigned scale = 0; scale < 0x7f; scale++) {
        int exponent = (int) scale / 8;
        double want = exponent == 0 ? ldexp(scale % 8, -9)
                                    : ldexp(1 + scale % 8 / 8.0, exponent - 7);
        assert_true((double) nvfp4_one(scale) == want);
    }
}

static void
mxfp4_scales_are_powers_of_two(void **state)
{
    (void) state;
    uint8_t block[17];
    float out[32];
    memset(block, 0x22, sizeof block); // elements are all 1
    for (unsigned e = 0; e < 255; e++) {
        block[0] = (uint8_t) e;
        format_decode_row(format_find(FORMAT_MXFP4), block, 0, out, 32);
        assert_true((double) out[31] == ldexp(1, (int) e - 127));
    }
}

/* ---- 32-blocks ---- */

static double
minimum_of(const struct block32 *block, unsigned j)
{
    switch (block->minimum) {
    case MINIMUM_FLOAT:
        return (double) block->m;
    case MINIMUM_INTEGER:
        return (double) block->m * block->min[j / 16];
    case MINIMUM_NONE:
        break;
    }
    return 0;
}

/* Whether y is element j, its terms rounded at most three times. */
static bool
is_element(float y, const struct block32 *block, unsigned j)
{
    double product = (double) block->a * block->w[j];
    double minimum = minimum_of(block, j);
    double bound = (fabs(product) + fabs(minimum)) * 3 * 0x1p-24;
    if (fabs(product) > (double) FLT_MAX) // the largest scale of MXFP4
        return isinf(y);
    return fabs((double) y - (product - minimum)) <= bound;
}

static void
check_blocks(const struct format *format, const uint8_t *rows, unsigned lane)
{
    float out[ROW_ELEMS];
    format_decode_row(format, rows, lane, out, ROW_ELEMS);
    for (unsigned i = 0; i < ROW_ELEMS / 32; i++) {
        struct block32 block;
        format_block32(format, rows, lane, i, &block);
        for (unsigned j = 0; j < 32; j++)
            if (!is_element(out[32 * i + j], &block, j))
                fail_msg("%s: block %u, element %u: %g", format->name, i, j,
                         (double) out[32 * i + j]);
    }
}

static void
a_32_block_has_the_numbers_of_its_row(void **state)
{
    (void) state;
    struct random random = random_start(2);
    uint8_t rows[GROUP_BYTES];
    const struct format *format;
    for (size_t f = 0; (format = format_at(f)) != NULL; f++) {
        if (format->contract != CONTRACT_INT8)
            continue;
        for (unsigned trial = 0; trial < 20; trial++) {
            random_finite_rows(&random, format, rows);
            for (unsigned lane = 0; lane < format->interleaved; lane++)
                check_blocks(format, rows, lane);
        }
    }
}

/* Bytes that make extreme fields likely, in runs. */
static void
extreme_fill(struct random *random, uint8_t *bytes, size_t count)
{
    static const uint8_t extremes[] = {0x00, 0xff, 0x80, 0x7f, 0x01,
                                       0xf0, 0x0f, 0x8f, 0x88};
    for (size_t at = 0; at < count;) {
        size_t run = 1 + random_bits(random) % 64;
        uint8_t byte = extremes[random_bits(random) % sizeof extremes];
        for (; run > 0 && at < count; run--)
            bytes[at++] = byte;
    }
}

/* The largest |P| or |M| that activations of -127 .. 127 could give. */
static int64_t
largest_sum(const struct block32 *block)
{
    int64_t sum = 0;
    for (unsigned j = 0; j < 32; j++)
        sum += 127 * llabs((long long) block->w[j]);
    int64_t minimum =
        16 * 127 * (llabs(block->min[0]) + llabs((long long) block->min[1]));
    return sum > minimum ? sum : minimum;
}

static int64_t
largest_sum_seen(struct random *random, const struct format *format)
{
    uint8_t rows[GROUP_BYTES];
    int64_t most = 0;
    for (unsigned trial = 0; trial < 1000; trial++) {
        extreme_fill(random, rows, rows_bytes(format));
        for (unsigned i = 0; i < ROW_ELEMS / 32; i++) {
            struct block32 block;
            unsigned lane = trial % format->interleaved;
            format_block32(format, rows, lane, i, &block);
            int64_t sum = largest_sum(&block);
            most = sum > most ? sum : most;
        }
    }
    return most;
}

/* Sums that doc/arithmetic.md and the comments of the families name. */
static int64_t
largest_sum_known(int32_t id)
{
    switch (id) {
    case FORMAT_Q8_0:
        return 520192;
    case FORMAT_Q2_K:
        return 182880;
    case FORMAT_Q6_K:
        return 16646144;
    case FORMAT_IQ4_XS:
    case FORMAT_IQ4_K:
        return 16516096;
    case FORMAT_IQ5_K:
        return 16386048;
    default:
        return 0;
    }
}

static void
integer_sums_convert_to_float_exactly(void **state)
{
    (void) state;
    struct random random = random_start(3);
    const struct format *format;
    for (size_t f = 0; (format = format_at(f)) != NULL; f++) {
        if (format->contract != CONTRACT_INT8)
            continue;
        int64_t most = largest_sum_seen(&random, format);
        int64_t known = largest_sum_known(format->id);
        if (most >= 1 << 24 || (known != 0 && most != known))
            fail_msg("%s: %lld", format->name, (long long) most);
    }
}

/* ---- scales ---- */

static bool
row_is_finite(const struct format *format, const uint8_t *rows)
{
    float out[ROW_ELEMS];
    for (unsigned lane = 0; lane < format->interleaved; lane++) {
        format_decode_row(format, rows, lane, out, ROW_ELEMS);
        for (unsigned e = 0; e < ROW_ELEMS; e++)
            if (!isfinite(out[e]))
                return false;
    }
    return true;
}

/* A scale that is not finite spoils its row, and nothing else does. */
static void
scales_are_finite_when_their_row_is(void **state)
{
    (void) state;
    struct random random = random_start(4);
    uint8_t rows[GROUP_BYTES];
    const struct format *format;
    for (size_t f = 0; (format = format_at(f)) != NULL; f++) {
        if (!format->holds_weights || format->id == FORMAT_MXFP4)
            continue;
        for (unsigned trial = 0; trial < 100; trial++) {
            random_rows(&random, format, rows);
            bool said = format_scales_finite(format, rows, rows_bytes(format),
                                             ROW_ELEMS);
            if (said != row_is_finite(format, rows))
                fail_msg("%s: said %d", format->name, said);
        }
    }
}

/* Two rows or groups, the second with a header that is not finite. */
static void
every_row_header_is_looked_at(void **state)
{
    (void) state;
    struct random random = random_start(5);
    uint8_t rows[2 * GROUP_BYTES];
    const struct format *format;
    for (size_t f = 0; (format = format_at(f)) != NULL; f++) {
        size_t bytes = rows_bytes(format);
        if (format->header_bytes == 0)
            continue;
        random_finite_rows(&random, format, rows);
        memcpy(rows + bytes, rows, bytes);
        assert_true(format_scales_finite(format, rows, 2 * bytes, ROW_ELEMS));
        // the last two bytes of the last row's header: +inf in either type
        bits_put(rows + bytes + format->header_bytes * format->interleaved - 2,
                 format->header_bytes == 2 ? 0x7c00 : 0x7f80);
        if (format->header_bytes == 4)
            bits_put(rows + bytes + 4 * format->interleaved - 4, 0);
        if (format_scales_finite(format, rows, 2 * bytes, ROW_ELEMS))
            fail_msg("%s", format->name);
    }
}

static void
mxfp4_has_one_scale_that_is_not_a_number(void **state)
{
    (void) state;
    const struct format *format = format_find(FORMAT_MXFP4);
    uint8_t row[2 * 17] = {0};
    for (unsigned e = 0; e < 256; e++) {
        row[17] = (uint8_t) e;
        assert_int_equal(format_scales_finite(format, row, sizeof row, 64),
                         e != 255);
    }
}

/* ---- the table ---- */

struct size {
    int32_t id;
    const char *name;
    unsigned elems, bytes, header_bytes, interleaved;
};

/* As ggml and ik_llama.cpp have them; of interleaved ones a row's part. */
static const struct size sizes[] = {
    {0, "F32", 1, 4, 0, 1},
    {1, "F16", 1, 2, 0, 1},
    {2, "Q4_0", 32, 18, 0, 1},
    {3, "Q4_1", 32, 20, 0, 1},
    {6, "Q5_0", 32, 22, 0, 1},
    {7, "Q5_1", 32, 24, 0, 1},
    {8, "Q8_0", 32, 34, 0, 1},
    {10, "Q2_K", 256, 84, 0, 1},
    {11, "Q3_K", 256, 110, 0, 1},
    {12, "Q4_K", 256, 144, 0, 1},
    {13, "Q5_K", 256, 176, 0, 1},
    {14, "Q6_K", 256, 210, 0, 1},
    {16, "IQ2_XXS", 256, 66, 0, 1},
    {17, "IQ2_XS", 256, 74, 0, 1},
    {18, "IQ3_XXS", 256, 98, 0, 1},
    {19, "IQ1_S", 256, 50, 0, 1},
    {20, "IQ4_NL", 32, 18, 0, 1},
    {21, "IQ3_S", 256, 110, 0, 1},
    {22, "IQ2_S", 256, 82, 0, 1},
    {23, "IQ4_XS", 256, 136, 0, 1},
    {24, "I8", 1, 1, 0, 1},
    {25, "I16", 1, 2, 0, 1},
    {26, "I32", 1, 4, 0, 1},
    {27, "I64", 1, 8, 0, 1},
    {28, "F64", 1, 8, 0, 1},
    {29, "IQ1_M", 256, 56, 0, 1},
    {30, "BF16", 1, 2, 0, 1},
    {34, "TQ1_0", 256, 54, 0, 1},
    {35, "TQ2_0", 256, 66, 0, 1},
    {39, "MXFP4", 32, 17, 0, 1},
    {40, "NVFP4", 64, 36, 0, 1},
    {41, "Q1_0", 128, 18, 0, 1},
    {42, "Q2_0", 64, 18, 0, 1},
    {133, "Q6_0", 32, 26, 0, 1},
    {137, "IQ2_K", 256, 76, 0, 1},
    {138, "IQ3_K", 256, 110, 0, 1},
    {139, "IQ4_K", 256, 144, 0, 1},
    {140, "IQ5_K", 256, 176, 0, 1},
    {141, "IQ6_K", 256, 212, 0, 1},
    {144, "IQ4_KS", 256, 136, 4, 1},
    {145, "IQ2_KS", 256, 70, 2, 1},
    {146, "IQ4_KSS", 256, 128, 4, 1},
    {152, "IQ5_KS", 256, 168, 4, 1},
    {153, "IQ2_KT", 256, 68, 4, 1},
    {154, "IQ3_KT", 256, 100, 4, 1},
    {155, "IQ4_KT", 256, 128, 4, 1},
    {156, "IQ3_KS", 256, 102, 2, 1},
    {157, "IQ2_KL", 256, 86, 2, 1},
    {158, "IQ1_KT", 256, 56, 4, 1},
    {210, "Q2_K_R4", 256, 84, 0, 4},
    {211, "Q3_K_R4", 256, 110, 0, 4},
    {212, "Q4_K_R4", 256, 144, 0, 4},
    {213, "Q5_K_R4", 256, 176, 0, 4},
    {214, "Q6_K_R4", 256, 210, 0, 4},
    {219, "IQ1_S_R4", 32, 6, 2, 4},
    {229, "IQ1_M_R4", 32, 7, 2, 4},
    {337, "IQ2_K_R4", 256, 76, 0, 4},
    {338, "IQ3_K_R4", 256, 110, 0, 4},
    {339, "IQ4_K_R4", 256, 144, 0, 4},
    {340, "IQ5_K_R4", 256, 176, 0, 4},
    {344, "IQ4_KS_R4", 256, 136, 4, 4},
    {352, "IQ5_KS_R4", 256, 168, 4, 4},
};

enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void
formats_have_the_published_ids_and_sizes(void **state)
{
    (void) state;
    size_t in_files = 0;
    for (size_t i = 0; format_at(i) != NULL; i++)
        in_files += format_at(i)->id >= 0;
    assert_int_equal(in_files, SIZES);
    for (size_t i = 0; i < SIZES; i++) {
        const struct format *format = format_find(sizes[i].id);
        assert_non_null(format);
        assert_string_equal(format->name, sizes[i].name);
        assert_int_equal(format->block_elems, sizes[i].elems);
        assert_int_equal(format->block_bytes, sizes[i].bytes);
        assert_int_equal(format->header_bytes, sizes[i].header_bytes);
        assert_int_equal(format->interleaved, sizes[i].interleaved);
    }
}

static void
row_bytes_count_header_and_blocks(void **state)
{
    (void) state;
    const struct format *q4_k = format_find(FORMAT_Q4_K);
    const struct format *iq2_kl = format_find(FORMAT_IQ2_KL);
    const struct format *iq1_m_r4 = format_find(FORMAT_IQ1_M_R4);
    assert_int_equal(format_row_bytes(q4_k, 18432), 72 * 144);
    assert_int_equal(format_row_bytes(iq2_kl, 2048), 2 + 8 * 86);
    assert_int_equal(format_row_bytes(iq1_m_r4, 1408) * 4, 8 + 44 * 28);
    assert_int_equal(format_row_bytes(format_find(FORMAT_F16), 3), 6);
}

/* What format_rows.c relies on. */
static void
formats_have_the_functions_they_need(void **state)
{
    (void) state;
    const struct format *format;
    for (size_t i = 0; (format = format_at(i)) != NULL; i++) {
        bool single = format->interleaved == 1;
        const struct format *plain = format_plain(format);
        assert_true(format->holds_weights || format->contract == CONTRACT_NONE);
        assert_int_equal(format->unpack != NULL, !single);
        assert_int_equal(plain == format, single);
        assert_int_equal(plain->block_elems, format->block_elems);
        assert_true(plain->block_bytes <= PLAIN_BLOCK_MAX || single);
        if (format->contract == CONTRACT_INT8) {
            assert_non_null(plain->block32);
            assert_int_equal(format->block_elems % 32, 0);
        } else {
            assert_int_equal(format->decode != NULL, format->holds_weights);
        }
    }
}

static void
ids_that_are_in_no_file_are_not_found(void **state)
{
    (void) state;
    assert_null(format_find(FORMAT_IQ1_S_R1));
    assert_null(format_find(FORMAT_IQ1_M_R1));
    assert_null(format_find(-1));
    assert_null(format_find(43));
    assert_null(format_find(INT32_MAX));
    assert_null(format_find(INT32_MIN));
}

static void
refusals_say_what_to_do(void **state)
{
    (void) state;
    assert_non_null(strstr(format_refusal(31), "removed from ggml"));
    assert_non_null(strstr(format_refusal(38), "download"));
    assert_non_null(strstr(format_refusal(15), "activations"));
    assert_non_null(strstr(format_refusal(202), "is Q4_0_R8"));
    assert_non_null(strstr(format_refusal(43), "not a type"));
    assert_non_null(strstr(format_refusal(-1), "not a type"));
    for (size_t i = 0; i < SIZES; i++)
        assert_non_null(strstr(format_refusal(sizes[i].id), "not a type"));
}

/* ---- encoding ---- */

/* Half the distance between levels; half precision moves the ends too. */
static float
encode_bound(const struct format *format, const float *in)
{
    float low = in[0];
    float high = in[0];
    for (unsigned e = 0; e < format->block_elems; e++) {
        low = fminf(low, in[e]);
        high = fmaxf(high, in[e]);
    }
    float most = fmaxf(-low, high);
    float rounding = 3 * most * 0x1p-11f;
    switch (format->id) {
    case FORMAT_F32:
        return 0;
    case FORMAT_F16:
        return most * 0x1p-11f;
    case FORMAT_BF16:
        return most * 0x1p-8f;
    case FORMAT_Q8_0:
        return most / 127 / 2 + rounding;
    case FORMAT_Q4_1:
        return (high - low) / 15 / 2 + rounding;
    case FORMAT_Q5_1:
        return (high - low) / 31 / 2 + rounding;
    case FORMAT_Q4_0: // the end across from the extreme is cut by a level
        return most / 8 + rounding;
    case FORMAT_Q5_0:
        return most / 16 + rounding;
    default:
        fail_msg("%s has no bound here", format->name);
        return 0;
    }
}

static void
check_encoding(const struct format *format, const float in[ROW_ELEMS])
{
    uint8_t row[ROW_BYTES];
    float out[ROW_ELEMS];
    format_encode_row(format, in, row, ROW_ELEMS);
    format_decode_row(format, row, 0, out, ROW_ELEMS);
    for (unsigned e = 0; e < ROW_ELEMS; e++) {
        unsigned block = e / format->block_elems * format->block_elems;
        if (!(fabsf(out[e] - in[e]) <= encode_bound(format, in + block)))
            fail_msg("%s: %g became %g", format->name, (double) in[e],
                     (double) out[e]);
    }
}

static void
encoded_rows_decode_to_the_nearest_level(void **state)
{
    (void) state;
    struct random random = random_start(6);
    float in[3][ROW_ELEMS] = {{0}}; // zeros, a constant, random values
    for (unsigned e = 0; e < ROW_ELEMS; e++) {
        in[1][e] = -0.75f;
        in[2][e] = random_unit(&random);
    }
    size_t encoders = 0;
    const struct format *format;
    for (size_t f = 0; (format = format_at(f)) != NULL; f++)
        for (unsigned i = 0; i < 3 && format->encode != NULL; i++, encoders++)
            check_encoding(format, in[i]);
    assert_int_equal(encoders, 3 * 8);
}

static void
tiny_values_encode_to_zero(void **state)
{
    (void) state;
    static const int32_t ids[] = {FORMAT_Q4_0, FORMAT_Q4_1, FORMAT_Q5_0,
                                  FORMAT_Q5_1, FORMAT_Q8_0};
    float in[32] = {1e-45f, -1e-45f}; // 1 / scale overflows
    float out[32];
    uint8_t row[64];
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        format_encode_row(format_find(ids[i]), in, row, 32);
        format_decode_row(format_find(ids[i]), row, 0, out, 32);
        for (unsigned e = 0; e < 32; e++)
            assert_true(out[e] == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_decode_as_published),
        cmocka_unit_test(iq6_k_levels_follow_their_polynomial),
        cmocka_unit_test(nvfp4_scales_are_floats_of_seven_bits),
        cmocka_unit_test(mxfp4_scales_are_powers_of_two),
        cmocka_unit_test(a_32_block_has_the_numbers_of_its_row),
        cmocka_unit_test(integer_sums_convert_to_float_exactly),
        cmocka_unit_test(scales_are_finite_when_their_row_is),
        cmocka_unit_test(every_row_header_is_looked_at),
        cmocka_unit_test(mxfp4_has_one_scale_that_is_not_a_number),
        cmocka_unit_test(formats_have_the_published_ids_and_sizes),
        cmocka_unit_test(row_bytes_count_header_and_blocks),
        cmocka_unit_test(formats_have_the_functions_they_need),
        cmocka_unit_test(ids_that_are_in_no_file_are_not_found),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(encoded_rows_decode_to_the_nearest_level),
        cmocka_unit_test(tiny_values_encode_to_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
