/* base/text.h: UTF-8 by Unicode's table 3-7, and safe one-line text. */
#include "config.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
assert_repaired(const char *in, size_t length, const char *want)
{
    struct buffer out = {0};
    struct error err;

    assert_int_equal(utf8_repair(&out, in, length, &err), STATUS_OK);
    assert_string_equal(out.data, want);
    buffer_release(&out);
}

#define REPAIRED(in, want) assert_repaired(in, sizeof in - 1, want)
#define BAD "\xEF\xBF\xBD"

static void
every_maximal_invalid_part_becomes_one_replacement(void **state)
{
    (void) state;
    REPAIRED("plain", "plain");
    REPAIRED("\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x99\x82",
             "\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x99\x82");
    // Unicode 3.9, table 3-8
    REPAIRED("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
             BAD BAD BAD BAD BAD BAD BAD BAD "\x41");
    // table 3-9: surrogates
    REPAIRED("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41",
             BAD BAD BAD BAD BAD BAD BAD BAD "\x41");
    // table 3-10: beyond U+10FFFF, and bytes that never occur
    REPAIRED("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42",
             BAD BAD BAD BAD BAD "\x41" BAD BAD "\x42");
    // table 3-11: truncated sequences
    REPAIRED("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", BAD BAD BAD BAD "\x41");
    REPAIRED("\xF0\x9F\x99", BAD);
}

static void
every_scalar_value_survives_writing_and_reading(void **state)
{
    (void) state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char bytes[4];
        uint32_t back;
        bool valid;

        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        size_t n = utf8_write(bytes, c);
        assert_int_equal(utf8_next(bytes, n, &back, &valid), n);
        assert_true(valid);
        assert_int_equal(back, c);
        for (size_t cut = 1; cut < n; cut++) {
            assert_int_equal(utf8_complete_prefix(bytes, cut), 0);
            assert_false(utf8_valid(bytes, cut));
        }
        assert_int_equal(utf8_complete_prefix(bytes, n), n);
    }
}

static void
a_prefix_keeps_bytes_that_can_never_be_completed(void **state)
{
    (void) state;
    assert_int_equal(utf8_complete_prefix("a\xE4\xBD", 3), 1);
    assert_int_equal(utf8_complete_prefix("a\xF0\x9F\x99", 4), 1);
    // these are invalid whatever follows, so nothing is gained by waiting
    assert_int_equal(utf8_complete_prefix("a\xE0\x80", 3), 3);
    assert_int_equal(utf8_complete_prefix("a\xFF", 2), 2);
    assert_int_equal(utf8_complete_prefix("\x80\x80\x80", 3), 3);
    assert_int_equal(utf8_complete_prefix("", 0), 0);
}

static void
quoted_text_holds_nothing_a_terminal_obeys(void **state)
{
    char out[64];

    (void) state;
    assert_string_equal(text_quote(out, sizeof out, "na\xC3\xAFve", 6),
                        "na\xC3\xAFve");
    assert_string_equal(text_quote(out, sizeof out, "\x1B[2J\n\x7F", 6),
                        "\\x1B[2J\\x0A\\x7F");
    assert_string_equal(text_quote(out, sizeof out,
                                   "a\xE2\x80\xAE"
                                   "b\xC2\x9B",
                                   7),
                        "a\\u{202E}b\\u{9B}");
    assert_string_equal(text_quote(out, sizeof out, "\xFF\xC3", 2),
                        "\\xFF\\xC3");
    assert_string_equal(text_quote(out, 8, "abcdefgh", 8), "abcd...");
    for (size_t size = 1; size < 20; size++)
        assert_true(strlen(text_quote(out, size, "\x1B\x1B\x1B", 3)) < size);
}

static void
counts_are_read_at_a_glance(void **state)
{
    static const struct {
        double count;
        const char *text;
    } cases[] = {{0, "0"},
                 {999, "999"},
                 {2624512, "2.6M"},
                 {9949999, "9.9M"},
                 {12951808, "13M"},
                 {999499999, "999M"},
                 {999500000, "1.0B"},
                 {671026419200, "671B"},
                 {1e18, "1000000T"}};
    char out[COUNT_TEXT];

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(text_short_count(out, cases[i].count),
                            cases[i].text);
    assert_string_equal(text_count(out, 999), "999");
    assert_string_equal(text_count(out, UINT64_MAX),
                        "18,446,744,073,709,551,615");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_maximal_invalid_part_becomes_one_replacement),
        cmocka_unit_test(every_scalar_value_survives_writing_and_reading),
        cmocka_unit_test(a_prefix_keeps_bytes_that_can_never_be_completed),
        cmocka_unit_test(quoted_text_holds_nothing_a_terminal_obeys),
        cmocka_unit_test(counts_are_read_at_a_glance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
