/* Words that Tab offers, a line at a time. */
#include "config.h"

#include "app/screen/offer_line.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {"/attach", "/audit", "/branch", "/budget",
                                    "/compact"};

static void
expect(size_t count, size_t first, size_t columns, size_t next,
       const char *line)
{
    char out[800];

    assert_int_equal(offer_line(out, sizeof out, words, count, first, columns),
                     next);
    assert_string_equal(out, line);
    assert_true(text_columns(out, strlen(out)) <= columns);
}

static void
what_fits_is_shown_whole(void **state)
{
    (void) state;
    expect(2, 0, 80, 2, "/attach  /audit");
    expect(2, 0, 15, 2, "/attach  /audit");
    expect(0, 0, 80, 0, "");
}

static void
the_rest_is_counted_and_comes_next(void **state)
{
    (void) state;
    // 7 + 2 + 6 + 2 + 16 columns
    expect(5, 0, 33, 2, "/attach  /audit  and 3 more (Tab)");
    expect(5, 0, 32, 1, "/attach  and 4 more (Tab)");
    expect(5, 2, 25, 3, "/branch  and 2 more (Tab)");
    expect(5, 2, 26, 5, "/branch  /budget  /compact");
}

static void
a_line_is_never_wider_than_its_columns(void **state)
{
    const char *const wide[] = {"a word that is far longer than any line",
                                "\xE6\xBC\xA2\xE5\xAD\x97\033[2J", "x"};
    char out[800];

    (void) state;
    for (size_t first = 0; first < 3; first++)
        for (size_t columns = 20; columns < 60; columns++) {
            size_t next = offer_line(out, sizeof out, wide, 3, first, columns);

            assert_true(next > first && next <= 3);
            assert_true(text_columns(out, strlen(out)) <= columns);
            assert_null(strchr(out, '\033'));
        }
    assert_int_equal(offer_line(out, sizeof out, wide, 3, 0, 30), 1);
    assert_string_equal(out, "a word that~  and 2 more (Tab)");
}

static void
room_is_kept_for_the_count(void **state)
{
    static const char *many[2000];
    char out[800];
    size_t first = 0, pages = 0;

    (void) state;
    for (size_t i = 0; i < 2000; i++)
        many[i] = words[i % 5];
    for (; first < 2000; pages++) {
        first = offer_line(out, sizeof out, many, 2000, first, 5000);
        assert_true(strlen(out) < sizeof out);
        if (first < 2000)
            assert_non_null(strstr(out, " more (Tab)"));
    }
    assert_in_range(pages, 15, 40);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_shown_whole),
        cmocka_unit_test(the_rest_is_counted_and_comes_next),
        cmocka_unit_test(a_line_is_never_wider_than_its_columns),
        cmocka_unit_test(room_is_kept_for_the_count),
    };

    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
