/* The input box: rows, cursor, marks. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <string.h>

enum { MOST = 1000 };

static struct line_box
box_of(const char *text, size_t cursor)
{
    return (struct line_box){.mode = "",
                             .prompt = "> ",
                             .text = text,
                             .length = strlen(text),
                             .cursor = cursor};
}

/* What is drawn on so many rows, with the cursor as "^" over the text. */
static void
expect_box(const struct line_box *box, unsigned columns, unsigned rows,
           const char *wanted, unsigned row, unsigned column)
{
    struct canvas canvas = {0};
    struct buffer text = {0};
    struct error err;

    assert_int_equal(canvas_resize(&canvas, rows, columns, &err), STATUS_OK);
    input_box_draw(box, &canvas, (struct area){0, 0, rows, columns});
    assert_int_equal(canvas_text(&canvas, &text, &err), STATUS_OK);
    assert_string_equal(text.data, wanted);
    assert_true(canvas.cursor);
    assert_int_equal(canvas.cursor_row, row);
    assert_int_equal(canvas.cursor_column, column);
    buffer_release(&text);
    canvas_release(&canvas);
}

static void
expect(const char *text, size_t cursor, unsigned columns, const char *wanted,
       unsigned row, unsigned column)
{
    struct line_box box = box_of(text, cursor);
    unsigned rows = input_box_rows(&box, columns, MOST);
    unsigned lines = 0;

    for (const char *at = wanted; *at; at++)
        lines += *at == '\n';
    assert_int_equal(rows, lines);
    expect_box(&box, columns, rows, wanted, row, column);
}

static void
a_line_stands_behind_its_prompt(void **state)
{
    (void) state;
    expect("", 0, 20, ">\n", 0, 2);
    expect("hello", 5, 20, "> hello\n", 0, 7);
    expect("hello", 0, 20, "> hello\n", 0, 2);
}

static void
a_long_line_is_wrapped_below_its_text(void **state)
{
    (void) state;
    expect("abcdefghijk", 0, 10, "> abcdefgh\n  ijk\n", 0, 2);
    expect("abcdefghijk", 11, 10, "> abcdefgh\n  ijk\n", 1, 5);
    // a full row has its cursor on the next one, which is there for it
    expect("abcdefgh", 8, 10, "> abcdefgh\n\n", 1, 2);
    expect("abcdefgh", 7, 10, "> abcdefgh\n", 0, 9);
}

static void
line_feeds_begin_rows(void **state)
{
    (void) state;
    expect("a\n\nb", 4, 10, "> a\n\n  b\n", 2, 3);
    expect("a\n", 2, 10, "> a\n\n", 1, 2);
    expect("a\nb", 1, 10, "> a\n  b\n", 0, 3);
    expect("abcdefgh\nx", 10, 10, "> abcdefgh\n  x\n", 1, 3);
}

static void
wide_and_joined_characters_are_never_cut(void **state)
{
    (void) state;
    expect("日本語字", 12, 9, "> 日本語\n  字\n", 1, 4);
    expect("日本語字", 3, 9, "> 日本語\n  字\n", 0, 4);
    // e with an acute accent that is a character of its own
    expect("abcdefe\xCC\x81", 9, 8, "> abcdef\n  e\xCC\x81\n", 1, 3);
}

static void
a_tab_goes_to_the_next_stop(void **state)
{
    (void) state;
    expect("a\tb", 3, 20, "> a       b\n", 0, 11);
}

static void
what_a_terminal_acts_upon_is_a_mark(void **state)
{
    (void) state;
    expect("a\033[31mb", 7, 20, "> a<ESC>[31mb\n", 0, 13);
    expect("a\033[31mb", 1, 20, "> a<ESC>[31mb\n", 0, 3);
    expect("a\033[31mb", 2, 20, "> a<ESC>[31mb\n", 0, 8);
    expect("\xFFx", 2, 20, "> \xEF\xBF\xBDx\n", 0, 4);
    expect("\xE2\x80\xAEx", 4, 20, "> <U+202E>x\n", 0, 11);
}

static void
the_rows_around_the_cursor_are_seen(void **state)
{
    const char *text = "1\n2\n3\n4\n5\n6\n7";
    struct line_box box = box_of(text, 0);

    (void) state;
    assert_int_equal(input_box_rows(&box, 60, 3), 3);
    expect_box(&box, 60, 3, "> 1\n  2\n  3\n", 0, 2);
    box.cursor = 6;
    expect_box(&box, 60, 3, "  3\n  4\n  5\n", 1, 2);
    box.cursor = strlen(text);
    expect_box(&box, 60, 3, "  5\n  6\n  7\n", 2, 3);
    expect_box(&box, 60, 1, "  7\n", 0, 3);
}

static void
three_columns_are_enough(void **state)
{
    struct line_box wide = box_of("日a", 4);

    (void) state;
    expect("abc", 3, 3, "> a\nbc\n", 1, 2);
    assert_true(input_box_rows(&wide, 1, MOST) >= 2);
    for (unsigned columns = 1; columns < 4; columns++) {
        struct canvas canvas = {0};
        struct error err;

        assert_int_equal(canvas_resize(&canvas, 2, columns, &err), STATUS_OK);
        input_box_draw(&wide, &canvas, (struct area){0, 0, 2, columns});
        assert_true(canvas.cursor);
        canvas_release(&canvas);
    }
}

static void
a_long_prompt_is_wrapped(void **state)
{
    struct line_box box = box_of("found", 2);

    (void) state;
    box.prompt = "(reverse-i-search)`a rather long needle': ";
    box.searching = true;
    expect_box(&box, 30, 2,
               "(reverse-i-search)`a rather lo\n"
               "ng needle': found\n",
               1, 14);
    box.prompt = "one\ntwo \033";
    expect_box(&box, 30, 1, "one two <ESC>found\n", 0, 15);
}

static void
the_mode_and_a_paste_are_told(void **state)
{
    struct line_box box = box_of("x", 1);

    (void) state;
    box.mode = "(ins)";
    expect_box(&box, 30, 1, "(ins)> x\n", 0, 8);
    box.mode = "";
    box.pasting = 4096;
    expect_box(&box, 60, 1, "> (pasting, 4096 bytes; ^C gives up) x\n", 0, 38);
}

static void
nothing_is_drawn_outside_of_the_area(void **state)
{
    struct line_box box = box_of("abcdefghij", 10);
    struct canvas canvas = {0};
    struct buffer text = {0};
    struct error err;

    (void) state;
    assert_int_equal(canvas_resize(&canvas, 4, 12, &err), STATUS_OK);
    for (unsigned row = 0; row < 4; row++)
        canvas_print(&canvas, row, 0, 12, LOOK_PLAIN, "............");
    input_box_draw(&box, &canvas, (struct area){1, 2, 2, 8});
    assert_int_equal(canvas_text(&canvas, &text, &err), STATUS_OK);
    assert_string_equal(text.data, "............\n"
                                   "..> abcdef..\n"
                                   "..  ghij  ..\n"
                                   "............\n");
    assert_int_equal(canvas.cursor_row, 2);
    assert_int_equal(canvas.cursor_column, 8);
    buffer_release(&text);
    canvas_release(&canvas);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_stands_behind_its_prompt),
        cmocka_unit_test(a_long_line_is_wrapped_below_its_text),
        cmocka_unit_test(line_feeds_begin_rows),
        cmocka_unit_test(wide_and_joined_characters_are_never_cut),
        cmocka_unit_test(a_tab_goes_to_the_next_stop),
        cmocka_unit_test(what_a_terminal_acts_upon_is_a_mark),
        cmocka_unit_test(the_rows_around_the_cursor_are_seen),
        cmocka_unit_test(three_columns_are_enough),
        cmocka_unit_test(a_long_prompt_is_wrapped),
        cmocka_unit_test(the_mode_and_a_paste_are_told),
        cmocka_unit_test(nothing_is_drawn_outside_of_the_area),
    };

    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
