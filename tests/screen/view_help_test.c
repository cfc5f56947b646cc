/* F1 is enough: what is bound is told, and can be searched for. */
#include "config.h"

#include "tests/screen/golden_screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { BELOW = 4 }; // rows of the box and what is around it

static const struct help_command commands[] = {
    {"help", "[WORD]", "this list, or what has WORD in it"},
    {"new", "[TITLE]", "begin another chat; this one stays as it is kept"},
    {"think", "on|off|default|show|hide|budget N", "thinking, and its view"},
    {"budget", "[N]", "cap the tokens of a thought"},
    {"export", "md|json|html FILE [--with-thinking]",
     "write the chat to a file, in clear text"},
    {"quit", "", "leave"},
};
static struct help_content content = {
    commands, sizeof commands / sizeof *commands, false};

static bool closed;

static void
post(void *context, const char *line)
{
    (void) context;
    closed = closed || line == NULL;
}

static struct view
open_help(void)
{
    struct view view;
    struct error err;

    closed = false;
    assert_int_equal(view_help_open(&view, &content, post, NULL, &err),
                     STATUS_OK);
    return view;
}

static void
expect_golden(struct view *view, unsigned rows, unsigned columns,
              const char *name)
{
    struct canvas canvas = {0};

    golden_draw(&canvas, view, rows, columns, BELOW, 0);
    golden_screen(&canvas, name);
    canvas_release(&canvas);
}

/* What is seen at 80x24; lent until the next call. */
static const char *
seen(struct view *view)
{
    static struct buffer text;
    struct canvas canvas = {0};
    struct error err;

    buffer_clear(&text);
    golden_draw(&canvas, view, 24, 80, BELOW, 0);
    assert_int_equal(canvas_text(&canvas, &text, &err), STATUS_OK);
    canvas_release(&canvas);
    return text.data;
}

static void
the_first_screen_looks_as_it_should_at_every_size(void **state)
{
    struct view view = open_help();

    (void) state;
    expect_golden(&view, 24, 80, "view_help-80x24");
    expect_golden(&view, 48, 160, "view_help-160x48");
    expect_golden(&view, 16, 60, "view_help-60x16");
    view.ops->filter(view.state, "branch");
    expect_golden(&view, 24, 80, "view_help-search-80x24");
    view_help_close(&view);
}

static void
every_key_is_told_somewhere(void **state)
{
    static struct buffer all;
    struct view view = open_help();
    struct canvas canvas = {0};
    struct error err;

    (void) state;
    for (int section = 1; section <= 7; section++) {
        assert_true(view.ops->act(view.state, ACTION_SECTION, section));
        golden_draw(&canvas, &view, 400, 100, BELOW, 0);
        assert_int_equal(canvas_text(&canvas, &all, &err), STATUS_OK);
    }
    for (int a = ACTION_NONE + 1; a < ACTIONS; a++)
        if (strstr(all.data, action_row((enum action) a)->name) == NULL)
            fail_msg("%s is not told", action_row((enum action) a)->name);
    for (size_t i = 0; i < content.count; i++)
        assert_non_null(strstr(all.data, commands[i].help));
    canvas_release(&canvas);
    buffer_release(&all);
    view_help_close(&view);
}

static void
keys_that_change_places_are_told_so(void **state)
{
    (void) state;
    content.enter_opens_line = true;
    struct view view = open_help();

    content.enter_opens_line = false;
    assert_non_null(strstr(seen(&view), " ^J M-Enter  send "));
    assert_non_null(strstr(seen(&view), " Enter       new line "));
    view.ops->filter(view.state, "enter");
    assert_non_null(strstr(seen(&view), " ^J M-Enter  send"));
    view_help_close(&view);
}

static void
it_scrolls_to_its_end_and_back(void **state)
{
    struct view view = open_help();

    (void) state;
    assert_non_null(strstr(seen(&view), "SENDING"));
    assert_non_null(strstr(seen(&view), "more: j/k"));
    view.ops->act(view.state, ACTION_BOTTOM, 1);
    assert_null(strstr(seen(&view), "SENDING"));
    assert_null(strstr(seen(&view), "more: j/k"));
    view.ops->act(view.state, ACTION_LINE_DOWN, 9999);
    assert_null(strstr(seen(&view), "more: j/k"));
    view.ops->act(view.state, ACTION_LINE_UP, 1);
    assert_non_null(strstr(seen(&view), "more: j/k"));
    view.ops->act(view.state, ACTION_PAGE_UP, 99);
    assert_non_null(strstr(seen(&view), "SENDING"));
    view.ops->act(view.state, ACTION_LINE_DOWN, 1);
    assert_null(strstr(seen(&view), "SENDING"));
    view.ops->act(view.state, ACTION_TOP, 1);
    assert_non_null(strstr(seen(&view), "SENDING"));
    view_help_close(&view);
}

static void
a_search_finds_keys_names_and_words_in_any_case(void **state)
{
    struct view view = open_help();

    (void) state;
    view.ops->filter(view.state, "FATHOM-PAGER");
    assert_non_null(strstr(seen(&view), "open in the pager"));
    assert_null(strstr(seen(&view), "SENDING"));
    view.ops->filter(view.state, "json");
    assert_non_null(strstr(seen(&view), "/export md|json|html FILE"));
    view.ops->filter(view.state, "no such word");
    assert_non_null(strstr(seen(&view), "Nothing here has that word."));
    view.ops->filter(view.state, "\xE2\x80\xAE\033[2J%s%n");
    assert_null(strchr(seen(&view), '\033'));
    view.ops->filter(view.state, "");
    assert_non_null(strstr(seen(&view), "SENDING"));
    view_help_close(&view);
}

static void
sections_are_reached_by_number_and_in_turn(void **state)
{
    struct view view = open_help();

    (void) state;
    view.ops->act(view.state, ACTION_SECTION, 5);
    assert_non_null(strstr(seen(&view), "SLASH COMMANDS"));
    view.ops->act(view.state, ACTION_RIGHT, 1);
    assert_non_null(strstr(seen(&view), "PLAIN MODE"));
    view.ops->act(view.state, ACTION_LEFT, 1);
    assert_non_null(strstr(seen(&view), "SLASH COMMANDS"));
    assert_false(view.ops->act(view.state, ACTION_SECTION, 9));
    assert_false(view.ops->act(view.state, ACTION_COPY, 1));
    view.ops->act(view.state, ACTION_BACK, 1);
    assert_true(closed);
    view_help_close(&view);
}

static void
no_size_is_too_small(void **state)
{
    struct view view = open_help();
    struct canvas canvas = {0};

    (void) state;
    for (unsigned rows = BELOW; rows < 30; rows++)
        for (unsigned columns = 1; columns < 170; columns += 7)
            golden_draw(&canvas, &view, rows, columns, BELOW, 0);
    canvas_release(&canvas);
    view_help_close(&view);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_screen_looks_as_it_should_at_every_size),
        cmocka_unit_test(every_key_is_told_somewhere),
        cmocka_unit_test(keys_that_change_places_are_told_so),
        cmocka_unit_test(it_scrolls_to_its_end_and_back),
        cmocka_unit_test(a_search_finds_keys_names_and_words_in_any_case),
        cmocka_unit_test(sections_are_reached_by_number_and_in_turn),
        cmocka_unit_test(no_size_is_too_small),
    };

    text_width_start(false, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
