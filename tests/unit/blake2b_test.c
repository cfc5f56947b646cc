/* base/blake2b.h: the example of RFC 7693, and values of another library. */
#include "config.h"

#include "base/blake2b.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const void *bytes, size_t length, size_t out_bytes, const char *digits)
{
    uint8_t out[BLAKE2B_MOST_BYTES];
    char text[2 * BLAKE2B_MOST_BYTES + 1];
    struct blake2b hash;

    // in pieces of every size near a block, and at once
    for (size_t piece = 126; piece <= 131; piece++) {
        blake2b_init(&hash, out_bytes);
        for (size_t at = 0; at < length; at += piece)
            blake2b_update(&hash, (const uint8_t *) bytes + at,
                           length - at < piece ? length - at : piece);
        blake2b_final(&hash, out);
        for (size_t i = 0; i < out_bytes; i++)
            snprintf(text + 2 * i, 3, "%02x", out[i]);
        assert_string_equal(text, digits);
    }
}

static void
the_example_of_the_rfc_comes_out(void **state)
{
    (void) state;
    expect("abc", 3, 64,
           "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
           "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

/* By Python's hashlib. */
static void
lengths_around_a_block_come_out(void **state)
{
    uint8_t bytes[1000];

    (void) state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t) (i % 251);
    expect("", 0, 64,
           "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
           "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce");
    expect("", 0, 32,
           "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    expect(bytes, 128, 32,
           "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1");
    expect(bytes, 129, 32,
           "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9");
    expect(bytes, 1000, 32,
           "b372d0608f720c8c3dd41e9c8eecb10143b41abe520b616607e754bf79c08331");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc_comes_out),
        cmocka_unit_test(lengths_around_a_block_come_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
