/* ui/canvas: nothing outside, no half of anything, ASCII where it must be. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define HAN "\xE6\xBC\xA2" // two columns
#define ACUTE "\xCC\x81"

static struct canvas canvas;

static int
set_up(void **state)
{
    struct error err;

    (void) state;
    text_width_start(true, 1);
    return canvas_resize(&canvas, 3, 8, &err) != STATUS_OK;
}

static int
tear_down(void **state)
{
    (void) state;
    canvas_release(&canvas);
    return 0;
}

static unsigned
put(unsigned row, unsigned column, unsigned limit, const char *text)
{
    return canvas_put(&canvas, row, column, limit, LOOK_PLAIN, text,
                      strlen(text));
}

static void
assert_shows(const char *wanted)
{
    struct buffer text = {0};
    struct error err;

    assert_int_equal(canvas_text(&canvas, &text, &err), STATUS_OK);
    assert_string_equal(text.data, wanted);
    buffer_release(&text);
    // every row is whole clusters
    for (unsigned r = 0; r < canvas.rows; r++) {
        const struct cell *row = &canvas.cells[(size_t) r * canvas.columns];

        for (unsigned c = 0; c < canvas.columns;) {
            unsigned columns = row[c].columns;

            assert_in_range(columns, 1, canvas.columns - c);
            for (unsigned i = 1; i < columns; i++)
                assert_string_equal(row[c + i].text, "");
            c += columns;
        }
    }
}

static void
nothing_is_drawn_outside(void **state)
{
    (void) state;
    assert_int_equal(put(0, 6, 100, "abcdef"), 2);
    assert_int_equal(put(3, 0, 100, "below"), 0);
    assert_int_equal(put(0, 8, 100, "right"), 0);
    assert_int_equal(put(UINT32_MAX, UINT32_MAX, 100, "far"), 0);
    canvas_rule(&canvas, 7, 0, 8, LOOK_DIM);
    canvas_bar(&canvas, 2, 7, 1000, LOOK_DIM);
    canvas_progress(&canvas, 1, 6, 8, 0.5);
    canvas_clear(&canvas, (struct area){2, 4, 1000, 1000});
    assert_shows("      ab\n      [\u2588\n\n");
}

static void
a_limit_is_kept(void **state)
{
    (void) state;
    assert_int_equal(put(0, 1, 3, "abcdef"), 3);
    assert_int_equal(put(1, 0, 0, "abc"), 0);
    assert_int_equal(put(2, 0, 2, "a" HAN), 1);
    assert_shows(" abc\n\na\n");
}

static void
a_line_that_is_cut_says_so(void **state)
{
    (void) state;
    assert_int_equal(canvas_put_cut(&canvas, 0, 0, 5, LOOK_PLAIN, "fits!"), 5);
    assert_int_equal(canvas_put_cut(&canvas, 1, 0, 5, LOOK_PLAIN, "too long"),
                     5);
    // half of a wide one is none
    assert_int_equal(
        canvas_put_cut(&canvas, 2, 5, 100, LOOK_PLAIN, HAN HAN HAN), 3);
    assert_int_equal(canvas_put_cut(&canvas, 2, 8, 9, LOOK_PLAIN, "out"), 0);
    assert_int_equal(canvas_put_cut(&canvas, 2, 0, 0, LOOK_PLAIN, "none"), 0);
    assert_int_equal(canvas_put_cut(&canvas, 2, 0, 1, LOOK_PLAIN, "one"), 1);
    assert_shows("fits!\ntoo ~\n~    " HAN "~\n");
}

static void
wide_characters_do_not_hang_over_the_edge(void **state)
{
    (void) state;
    assert_int_equal(put(0, 6, 100, HAN HAN), 2);
    assert_int_equal(put(1, 7, 100, HAN), 0);
    assert_shows("      " HAN "\n\n\n");
}

static void
half_of_a_wide_character_is_none(void **state)
{
    (void) state;
    put(0, 0, 8, HAN HAN HAN);
    put(0, 1, 1, "x"); // right half of the first
    put(0, 4, 1, "y"); // left half of the third
    put(1, 0, 8, "a" HAN "b");
    put(1, 0, 8, HAN);
    put(2, 0, 8, HAN HAN);
    canvas_clear(&canvas, (struct area){2, 1, 1, 2});
    assert_shows(" x" HAN "y\n" HAN " b\n\n");
}

static void
marks_stay_with_their_character(void **state)
{
    (void) state;
    assert_int_equal(put(0, 0, 8, "e" ACUTE "f"), 2);
    put(0, 0, 1, "a");
    put(1, 0, 8, "e" ACUTE "f");
    assert_shows("af\ne" ACUTE "f\n\n");
}

static void
a_cell_holds_so_many_marks_and_whole_ones(void **state)
{
    struct buffer text = {0};
    struct error err;

    (void) state;
    assert_int_equal(buffer_append(&text, "z", 1, &err), STATUS_OK);
    for (int i = 0; i < 200; i++)
        assert_int_equal(buffer_append(&text, ACUTE, 2, &err), STATUS_OK);
    assert_int_equal(put(0, 0, 8, text.data), 1);
    assert_true(utf8_valid(canvas.cells[0].text, strlen(canvas.cells[0].text)));
    assert_int_equal(canvas.cells[0].text[0], 'z');
    assert_in_range(strlen(canvas.cells[0].text), 3, CELL_BYTES - 1);
    buffer_release(&text);
}

static void
what_a_terminal_acts_upon_is_replaced(void **state)
{
    (void) state;
    assert_int_equal(put(0, 0, 8,
                         "a\033[\a\xC2\x9B"
                         "b"),
                     6);
    assert_shows("a\uFFFD[\uFFFD\uFFFDb\n\n\n");
}

static void
ascii_is_all_that_is_sent_where_that_is_all(void **state)
{
    (void) state;
    text_width_start(false, 1);
    put(0, 0, 8, "a" HAN "e" ACUTE);
    canvas_rule(&canvas, 1, 0, 8, LOOK_DIM);
    canvas_progress(&canvas, 2, 0, 8, 0.5);
    for (size_t i = 0; i < 24; i++)
        assert_true((unsigned char) canvas.cells[i].text[0] < 0x80);
    for (unsigned c = 0; c < 8; c++)
        assert_string_equal(canvas.cells[8 + c].text, "-");
    assert_string_equal(canvas.cells[16].text, "[");
    assert_string_equal(canvas.cells[17].text, "#");
    assert_string_equal(canvas.cells[22].text, ".");
}

static void
text_to_the_right_ends_where_it_should(void **state)
{
    (void) state;
    assert_int_equal(canvas_print_right(&canvas, 0, 8, LOOK_PLAIN, "%s", "end"),
                     3);
    // what does not fit loses its end
    assert_int_equal(
        canvas_print_right(&canvas, 1, 4, LOOK_PLAIN, "%s", "abc" HAN), 3);
    assert_shows("     end\n abc\n\n");
}

static void
a_cursor_outside_is_none(void **state)
{
    (void) state;
    canvas_cursor(&canvas, 2, 7);
    assert_true(canvas.cursor);
    canvas_cursor(&canvas, 3, 0);
    assert_false(canvas.cursor);
    canvas_cursor(&canvas, 0, 8);
    assert_false(canvas.cursor);
}

static void
a_canvas_has_a_most_and_a_least(void **state)
{
    struct canvas other = {0};
    struct error err;

    (void) state;
    assert_int_equal(canvas_resize(&other, 100000, 100000, &err), STATUS_OK);
    assert_int_equal(other.rows, CANVAS_MOST);
    assert_int_equal(other.columns, CANVAS_MOST);
    assert_int_equal(canvas_resize(&other, 0, 0, &err), STATUS_OK);
    assert_int_equal(canvas_put(&other, 0, 0, 10, LOOK_PLAIN, "abc", 3), 0);
    canvas_clear(&other, (struct area){0, 0, 10, 10});
    canvas_release(&other);
    assert_null(other.cells);
}

/* Any text anywhere leaves rows of whole clusters. */
static void
random_text_leaves_whole_clusters(void **state)
{
    static const char coder[] = "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB";
    static const char flag[] = "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA";
    static const char accented[] = "e" ACUTE;
    static const char *const texts[] = {HAN,  "a",    accented, coder,
                                        flag, "\xFF", ACUTE,    "\t"};
    unsigned seed = 7;

    (void) state;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245 + 12345;
        put(seed >> 28 & 3, seed >> 24 & 15, seed >> 20 & 15,
            texts[seed >> 16 & 7]);
        if (i % 7 == 0)
            canvas_clear(&canvas, (struct area){seed >> 8 & 3, seed >> 4 & 7, 1,
                                                seed & 3});
    }
    for (unsigned r = 0; r < 3; r++)
        for (unsigned c = 0; c < 8;) {
            unsigned columns = canvas.cells[r * 8 + c].columns;

            assert_in_range(columns, 1, 8 - c);
            for (unsigned k = 1; k < columns; k++)
                assert_int_equal(canvas.cells[r * 8 + c + k].columns, 0);
            c += columns;
        }
}

int
main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(nothing_is_drawn_outside),
        ONE(a_limit_is_kept),
        ONE(a_line_that_is_cut_says_so),
        ONE(wide_characters_do_not_hang_over_the_edge),
        ONE(half_of_a_wide_character_is_none),
        ONE(marks_stay_with_their_character),
        ONE(a_cell_holds_so_many_marks_and_whole_ones),
        ONE(what_a_terminal_acts_upon_is_replaced),
        ONE(ascii_is_all_that_is_sent_where_that_is_all),
        ONE(text_to_the_right_ends_where_it_should),
        ONE(a_cursor_outside_is_none),
        ONE(a_canvas_has_a_most_and_a_least),
        ONE(random_text_leaves_whole_clusters),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
