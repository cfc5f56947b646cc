/*
 * Formats of weights: vectors of decoded rows, and what must hold for every
 * row of the table.
 */
#include "quant/quant.h"
#include "tests/unit/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* -- vectors ----------------------------------------------------------------
 */

/*
 * Blocks are filled with a pattern, their scales overwritten by sane ones, and
 * the decoded floats hashed with -0 as +0: the first 16 hex digits. Made with
 * ggml's own dequantizers.
 */
struct vector {
    int32_t id;
    const char *hash;
    float first[4];
    int half_at[2]; // bytes of the block's first and second half; -1: none
};

static const struct vector vectors[] = {
    {FORMAT_Q4_0, "440f6bfcce6532d3", {1, .5f, 0, -.25f}, {0, -1}},
    {FORMAT_Q4_1, "59bbd78195595c5d", {2.125f, 1.875f, 1.375f, .875f}, {0, 2}},
    {FORMAT_Q5_0, "79489c8fb90f3506", {-2.75f, -3.25f, .25f, 3.75f}, {0, -1}},
    {FORMAT_Q5_1, "31f02d10d4c686b3", {.375f, 3.875f, 3.625f, 7.125f}, {0, 2}},
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
    {FORMAT_IQ4_NL, "38db99f69034e3ef", {13.25f, 6.25f, .25f, -2.5f}, {0, -1}},
    {FORMAT_IQ4_XS, "6c18e185f7fa6429", {624, 762, -534, -318}, {0, -1}},
};

static size_t
vector_blocks(const struct format *format)
{
    return format->block_elems <= 64 ? 8 : format->block_elems == 128 ? 4 : 2;
}

static void
vector_fill(const struct vector *vector, uint8_t *blocks)
{
    const struct format *format = format_find(vector->id);
    size_t count = vector_blocks(format);
    for (size_t i = 0; i < count * format->block_bytes; i++)
        blocks[i] = (uint8_t) (((uint32_t) i * 2654435761u +
                                (uint32_t) vector->id * 40503u) >>
                               24);
    for (unsigned k = 0; k < count; k++) {
        uint8_t *block = blocks + k * format->block_bytes;
        for (unsigned s = 0; s < 2; s++) {
            unsigned bits = (s == 0 ? 0x3400 : 0x3000) + k;
            if (vector->half_at[s] < 0)
                continue;
            block[vector->half_at[s]] = (uint8_t) bits;
            block[vector->half_at[s] + 1] = (uint8_t) (bits >> 8);
        }
    }
}

static void
vector_check(const struct vector *vector)
{
    uint8_t blocks[8 * 256];
    float out[8 * 64];
    char hex[65];
    const struct format *format = format_find(vector->id);
    size_t elems = vector_blocks(format) * format->block_elems;
    vector_fill(vector, blocks);
    format_decode_row(format, blocks, 0, out, elems);
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

static void
the_hash_is_sha256(void **state)
{
    (void) state;
    char hex[65];
    sha256_hex("abc", 3, hex); // FIPS 180-4 example
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
                             "b00361a396177a9cb410ff61f20015ad");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_sha256),
        cmocka_unit_test(rows_decode_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
