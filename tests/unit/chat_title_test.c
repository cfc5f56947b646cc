/* Titles from questions, and moments as text. */
#include "config.h"

#include "app/chat/chat_title.h"
#include "app/time_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void
expect_title(const char *question, const char *wanted)
{
    char title[CHAT_TITLE_BYTES];
    struct text text = {question, strlen(question)};

    assert_int_equal(chat_title(title, text), strlen(wanted));
    assert_string_equal(title, wanted);
}

static void
a_title_is_the_first_line_with_words(void **state)
{
    (void) state;
    expect_title("What is a rainbow?", "What is a rainbow?");
    expect_title("\n \t\n  Two   words\there \nnot this", "Two words here");
    expect_title("one\r\ntwo", "one");
    expect_title("one\xE2\x80\xA8two", "one");
    expect_title("", "");
    expect_title(" \n\t ", "");
}

static void
a_long_line_is_cut_between_words(void **state)
{
    (void) state;
    // 60 characters stay, 61 are cut to at most 57 and three full stops
    expect_title("aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff1",
                 "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee "
                 "fffffffff1");
    expect_title(
        "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff12",
        "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee...");
    // a word that ends at 58 would leave no room
    expect_title("aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee ffffffff "
                 "more",
                 "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee...");
}

static void
a_single_long_word_is_cut_inside(void **state)
{
    char question[200], wanted[61];

    (void) state;
    memset(question, 'x', 199);
    question[199] = '\0';
    memset(wanted, 'x', 57);
    strcpy(wanted + 57, "...");
    expect_title(question, wanted);
}

static void
characters_are_cut_whole(void **state)
{
    char question[600] = "", wanted[300] = "";

    (void) state;
    for (int i = 0; i < 100; i++)
        strcat(question, "\xF0\x9F\x8C\x88");
    for (int i = 0; i < 57; i++)
        strcat(wanted, "\xF0\x9F\x8C\x88");
    strcat(wanted, "...");
    expect_title(question, wanted);
    // what is not UTF-8 becomes U+FFFD
    expect_title("a\xFF z", "a\xEF\xBF\xBD z");
}

static void
expect_time(const char *text, uint64_t wanted_ms)
{
    uint64_t ms = 1;

    assert_true(time_text_read(&ms, (struct text){text, strlen(text)}));
    assert_int_equal(ms, wanted_ms);
}

static void
moments_are_read_in_their_spellings(void **state)
{
    (void) state;
    // seconds as date -u +%s says them
    expect_time("1970-01-01T00:00:00Z", 0);
    expect_time("2026-11-22T14:04:11.123Z", 1795356251123);
    expect_time("2023-08-17 20:53:58.618893", 1692305638618);
    expect_time("2023-08-17T20:53:58.6+02:00", 1692298438600);
    expect_time("2024-02-29T12:00:00-0130", 1709213400000);
    expect_time("2000-03-01T00:00:00", 951868800000);
    expect_time("9999-12-31T23:59:59.999Z", TIME_TEXT_LAST_MS);
}

static void
what_is_no_moment_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T14:04:11Zx",
        "2026-11-22T14:04:11.",
        "2026-11-22T14:04:11+1",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "-026-11-22T14:04:11Z",
    };
    uint64_t ms;

    (void) state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (time_text_read(&ms, (struct text){bad[i], strlen(bad[i])}))
            fail_msg("'%s' was read", bad[i]);
}

static void
moments_are_written_and_read_again(void **state)
{
    static const uint64_t moments[] = {0, 1, 951782399999, 1795356251123,
                                       TIME_TEXT_LAST_MS};
    char text[TIME_TEXT];

    (void) state;
    assert_string_equal(time_text_utc(text, 1795356251123),
                        "2026-11-22T14:04:11.123Z");
    assert_string_equal(time_text_utc(text, UINT64_MAX),
                        "9999-12-31T23:59:59.999Z");
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        expect_time(time_text_utc(text, moments[i]), moments[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_title_is_the_first_line_with_words),
        cmocka_unit_test(a_long_line_is_cut_between_words),
        cmocka_unit_test(a_single_long_word_is_cut_inside),
        cmocka_unit_test(characters_are_cut_whole),
        cmocka_unit_test(moments_are_read_in_their_spellings),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(moments_are_written_and_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
