/* Tables become lines, all else stays, however the text is cut. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void
expect(const char *text, const char *wanted)
{
    for (size_t step = 1; step <= strlen(text) + 1; step++) {
        struct spoken_table table = {0};
        struct buffer out = {0};
        struct error err;

        for (size_t i = 0; i < strlen(text); i += step) {
            size_t left = strlen(text) - i;

            assert_int_equal(spoken_table_write(&table, &out, text + i,
                                                left < step ? left : step,
                                                &err),
                             0);
        }
        assert_int_equal(spoken_table_end(&table, &out, &err), 0);
        assert_string_equal(out.length ? out.data : "", wanted);
        buffer_release(&out);
        spoken_table_release(&table);
    }
}

static void
a_table_becomes_lines(void **state)
{
    (void) state;
    expect("Before\n\n| Name | Size |\n|------|-----:|\n| one | 1 |\n"
           "| two | 2 |\n\nAfter\n",
           "Before\n\nName: one\nSize: 1\n\nName: two\nSize: 2\n\nAfter\n");
}

static void
rows_need_not_be_as_long_as_the_header(void **state)
{
    (void) state;
    expect("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |\n",
           "a: 1\n\na: 1\nb: 2\n3\n");
}

/* Of 81 characters 80 in the second row. */
static void
a_long_header_is_told_once(void **state)
{
    char header[512] = "", text[1024], wanted[2048];

    (void) state;
    for (int i = 0; i < 81; i++)
        strcat(header, "漢");
    snprintf(text, sizeof text, "|%s|\n|-|\n|1|\n|2|\n", header);
    snprintf(wanted, sizeof wanted, "%s: 1\n\n%.240s: 2\n", header, header);
    expect(text, wanted);
}

static void
a_table_at_the_end_is_told_too(void **state)
{
    (void) state;
    expect("| a | b |\n|---|---|\n| 1 | x \\| y |", "a: 1\nb: x \\| y\n");
}

static void
lines_with_bars_that_are_no_table_stay(void **state)
{
    (void) state;
    expect("| just a bar\ntext\n", "| just a bar\ntext\n");
    expect("| one\n| two\n", "| one\n| two\n");
    expect("a | b\n  c\n", "a | b\n  c\n");
    expect("|", "|\n");
}

static void
other_text_passes_at_once(void **state)
{
    struct spoken_table table = {0};
    struct buffer out = {0};
    struct error err;

    (void) state;
    assert_int_equal(spoken_table_write(&table, &out, "half a wo", 9, &err), 0);
    assert_string_equal(out.data, "half a wo");
    buffer_release(&out);
    spoken_table_release(&table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_becomes_lines),
        cmocka_unit_test(rows_need_not_be_as_long_as_the_header),
        cmocka_unit_test(a_long_header_is_told_once),
        cmocka_unit_test(a_table_at_the_end_is_told_too),
        cmocka_unit_test(lines_with_bars_that_are_no_table_stay),
        cmocka_unit_test(other_text_passes_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
