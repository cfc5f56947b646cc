/* The printer keeps its header's promises, for text cut anywhere. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct printed_look {
    size_t columns;
    bool colour;
    struct print_style style;
    const char *label;
};

/* What a text becomes, printed in pieces of `step` bytes. */
static char *
printed(const struct printed_look *look, const char *text, size_t step)
{
    static char result[4096];
    struct printer printer = {.columns = look->columns, .colour = look->colour};
    struct error err;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    printer.descriptor = ends[1];
    printer_begin(&printer, look->style);
    if (look->label)
        assert_int_equal(printer_label(&printer, look->label, &err), 0);
    for (size_t i = 0; i < strlen(text); i += step) {
        size_t left = strlen(text) - i;

        assert_int_equal(
            printer_write(&printer, text + i, left < step ? left : step, &err),
            0);
    }
    assert_int_equal(printer_end(&printer, &err), 0);
    printer_release(&printer);
    close(ends[1]);
    ssize_t n = read(ends[0], result, sizeof result - 1);

    close(ends[0]);
    assert_true(n >= 0);
    result[n] = '\0';
    return result;
}

static void
expect(const struct printed_look *look, const char *text, const char *wanted)
{
    for (size_t step = 1; step <= strlen(text) + 1; step++)
        assert_string_equal(printed(look, text, step), wanted);
}

static void
text_passes_with_one_line_feed_at_its_end(void **state)
{
    struct printed_look look = {0};

    (void) state;
    expect(&look, "a b", "a b\n");
    expect(&look, "a  b \n", "a  b \n");
    expect(&look, "a\n\n\nb\n\n", "a\n\n\nb\n");
    expect(&look, "\n\na", "a\n");
    expect(&look, "", "");
    expect(&look, "\n", "");
    expect(&look, "\ttab", "\ttab\n");
}

static void
words_are_wrapped_at_the_width(void **state)
{
    struct printed_look look = {.columns = 20};

    (void) state;
    // short lines, so that no beginning of a word is shown too early
    expect(&look, "aaaa bbbb cccc dddd eeee ffff",
           "aaaa bbbb cccc dddd\neeee ffff\n");
    expect(&look, "exactly twenty chars", "exactly twenty chars\n");
    expect(&look, "exactly twenty chars!", "exactly twenty\nchars!\n");
    expect(&look, "  indented", "  indented\n");
    expect(&look, "trailing   \nnext", "trailing\nnext\n");
}

static void
what_is_longer_than_a_line_is_left_to_the_terminal(void **state)
{
    struct printed_look look = {.columns = 20};

    (void) state;
    expect(&look, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
    assert_string_equal(printed(&look, "a bbbbbbbbbbbbbbbbbbbbbbbbbb c", 100),
                        "a\nbbbbbbbbbbbbbbbbbbbbbbbbbb c\n");
    // once its beginning is shown, a word is not torn by a line feed of ours
    look.columns = 30;
    static const char link[] = "see http://host/path/that/is/long";
    assert_string_equal(printed(&look, link, 1),
                        "see http://host/path/that/is/long\n");
    assert_string_equal(printed(&look, link, sizeof link),
                        "see\nhttp://host/path/that/is/long\n");
}

static void
code_between_fences_is_not_wrapped(void **state)
{
    struct printed_look look = {.columns = 20};

    (void) state;
    expect(&look,
           "```c\nint one; int two; int three; int four;\n```\n"
           "words that are wrapped again",
           "```c\nint one; int two; int three; int four;\n```\n"
           "words that are\nwrapped again\n");
}

static void
wide_characters_take_two_columns(void **state)
{
    struct printed_look look = {.columns = 20};

    (void) state;
    expect(&look,
           "\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0"
           "\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD"
           "\xE4\xBD\xA0",
           "\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0"
           "\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD\n"
           "\xE4\xBD\xA0\n");
}

/* The widths of characters are not the locale's business. */
static void
wide_characters_are_wide_without_a_locale(void **state)
{
    assert_non_null(setlocale(LC_CTYPE, "C"));
    text_width_start(true, 1);
    wide_characters_take_two_columns(state);
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    text_width_start(true, 1);
}

static void
what_is_shown_as_one_is_not_torn(void **state)
{
    struct printed_look look = {.columns = 20};

    (void) state;
    // a family begins where there is room, and stays whole
    expect(&look, "漢漢漢漢漢漢 👩‍👩‍👧‍👦 漢",
           "漢漢漢漢漢漢 👩‍👩‍👧‍👦 漢\n");
    expect(&look,
           "漢漢漢漢漢 👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
           "漢漢漢漢漢 "
           "👩‍👩‍👧‍👦\n👩‍👩‍👧‍👦\n");
    expect(&look, "漢漢漢漢漢漢漢漢漢漢\u0301\u0323漢",
           "漢漢漢漢漢漢漢漢漢漢\u0301\u0323\n漢\n");
}

static void
each_line_has_its_prefix(void **state)
{
    struct printed_look look = {.columns = 20, .style.prefix = ": "};

    (void) state;
    expect(&look, "one\n\ntwo", ": one\n: \n: two\n");
    expect(&look, "aaaa bbbb cccc dddd eeee",
           ": aaaa bbbb cccc\n: dddd eeee\n");
}

static void
a_label_takes_room_on_the_first_line(void **state)
{
    struct printed_look look = {.columns = 20, .label = "label> "};

    (void) state;
    expect(&look, "aaaa bbbb cccc dddd eeee",
           "label> aaaa bbbb\ncccc dddd eeee\n");
}

static void
dim_text_is_dim_and_nothing_after_it(void **state)
{
    struct printed_look look = {.colour = true, .style.dim = true};

    (void) state;
    assert_string_equal(printed(&look, "ab", 2),
                        "\033[2mab\033[22m\033[2m\033[22m\n");
    look.colour = false;
    assert_string_equal(printed(&look, "ab", 2), "ab\n");
}

static void
marks_take_the_room_that_is_seen(void **state)
{
    struct printed_look look = {.columns = 20, .colour = true};

    (void) state;
    assert_string_equal(printed(&look, "aaaa bbbb cccc \033dd eeee", 100),
                        "aaaa bbbb cccc\n\033[2m<ESC>\033[22mdd eeee\n");
}

/* Shown early or late, a word is never printed twice or lost. */
static void
wide_lines_show_words_as_they_come(void **state)
{
    struct printed_look look = {.columns = 60};
    static const char text[] =
        "The quick brown fox jumps over the lazy dog, and then it jumps back "
        "over the same dog, which has not moved at all in the meantime.";
    char joined[sizeof text + 2];

    (void) state;
    for (size_t step = 1; step < sizeof text; step++) {
        char *out = printed(&look, text, step);

        snprintf(joined, sizeof joined, "%s\n", text);
        for (size_t i = 0; out[i] != '\0'; i++)
            if (out[i] == '\n' && out[i + 1] != '\0')
                out[i] = ' ';
        assert_string_equal(out, joined);
    }
}

/* What became of a text that was followed by another, the n-th need unmet. */
static enum status
print_without_memory(unsigned long n, char *out, size_t size)
{
    static const char first[] = "one two three four five six\nseven\n\033[m a";
    struct printer printer = {.columns = 12, .colour = true};
    struct error err;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    printer.descriptor = ends[1];
    printer_begin(&printer, (struct print_style){.prefix = "| "});
    fault_arm(n);
    enum status status = printer_write(&printer, first, sizeof first - 1, &err);

    fault_arm(0);
    assert_int_equal(printer_write(&printer, "next", 4, &err), STATUS_OK);
    assert_int_equal(printer_end(&printer, &err), STATUS_OK);
    printer_release(&printer);
    close(ends[1]);
    ssize_t got = read(ends[0], out, size - 1);

    close(ends[0]);
    assert_true(got >= 0);
    out[got] = '\0';
    return status;
}

static void
what_memory_did_not_do_for_is_dropped(void **state)
{
    enum status status = STATUS_NOMEM;
    char out[256];
    int failed = 0;

    (void) state;
    for (unsigned long n = 1; status != STATUS_OK; n++) {
        status = print_without_memory(n, out, sizeof out);
        if (status == STATUS_NOMEM)
            assert_string_equal(out, "| next\n");
        failed += status == STATUS_NOMEM;
    }
    assert_true(failed >= 3);
}

static void
a_write_that_fails_is_told(void **state)
{
    struct printer printer = {.descriptor = open("/dev/full", O_WRONLY)};
    struct error err;

    (void) state;
    printer_begin(&printer, (struct print_style){0});
    assert_int_equal(printer_write(&printer, "text", 4, &err), STATUS_IO);
    assert_non_null(strstr(err.text, "No space left"));
    close(printer.descriptor);
    printer_release(&printer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_passes_with_one_line_feed_at_its_end),
        cmocka_unit_test(words_are_wrapped_at_the_width),
        cmocka_unit_test(what_is_longer_than_a_line_is_left_to_the_terminal),
        cmocka_unit_test(code_between_fences_is_not_wrapped),
        cmocka_unit_test(wide_characters_take_two_columns),
        cmocka_unit_test(wide_characters_are_wide_without_a_locale),
        cmocka_unit_test(what_is_shown_as_one_is_not_torn),
        cmocka_unit_test(each_line_has_its_prefix),
        cmocka_unit_test(a_label_takes_room_on_the_first_line),
        cmocka_unit_test(dim_text_is_dim_and_nothing_after_it),
        cmocka_unit_test(marks_take_the_room_that_is_seen),
        cmocka_unit_test(wide_lines_show_words_as_they_come),
        cmocka_unit_test(what_memory_did_not_do_for_is_dropped),
        cmocka_unit_test(a_write_that_fails_is_told),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
