/* The statistics: every figure is there, at every size, with many rows. */
#include "config.h"

#include "tests/screen/golden_screen.h"
#include "ui/views/view_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const struct stats_row answer[] = {
    {"tokens", "412 prompt (380 kept from before), 1,284 thinking, 611 answer"},
    {"time", "first token after 1.01 s, thinking 92.0 s, all 135 s"},
    {"speed", "prompt 412 tok/s, answer 13.8 tok/s"},
    {"context", "4,633 of 131,072 tokens, 4 %"},
};
static const struct stats_row session[] = {
    {"answers", "12, with 9,881 thinking and 4,310 answer tokens"},
    {"computed", "31.4 min"},
};
static const struct stats_row engine[] = {
    {"placement", "cpu, avx2, 8 threads, cache f16"},
    {"memory", "35.6 GB, 35.9 GB at most"},
    {"reads", "1.2 GB of weights for a token"},
};
static const struct stats_row sampling[] = {
    {"temperature", "0.6, top-p 0.95, top-k 0, min-p 0"},
    {"seed", "4711"},
};
static const struct stats_part parts[] = {{"last answer", answer, 4},
                                          {"session", session, 2},
                                          {"engine", engine, 3},
                                          {"sampling", sampling, 2}};
static const struct stats_bar bars[] = {
    {"14:04", 13.8, "611 tokens"},
    {"14:02", 14.2, "98 tokens"},
    {"13:58", 6.9, "1,203 tokens"},
};
static const struct stats_sheet usual = {
    .subject = "V4-Flash-q2",
    .right = "net:off  vault:open",
    .why = "busy machine",
    .reason = "the engine's 8 threads got 50 % of their time, other programs "
              "the rest; something waited for a processor 60 % of the time",
    .parts = parts,
    .part_count = 4,
    .bars_title = "answers, tok/s",
    .bars = bars,
    .bar_count = 3,
};

struct fixture {
    struct stats_sheet sheet;
    struct view_stats state;
    struct view view;
    struct canvas canvas;
    unsigned closed;
};

static const struct stats_sheet *
lend_sheet(void *context, uint64_t now_ns)
{
    (void) now_ns;
    return &((struct fixture *) context)->sheet;
}

static void
note_post(void *context, const char *line)
{
    assert_null(line);
    ((struct fixture *) context)->closed++;
}

static void
begin(struct fixture *f)
{
    struct stats_source source = {f, lend_sheet};

    *f = (struct fixture){.sheet = usual};
    view_stats_start(&f->state, &source, note_post, f, &f->view);
    text_width_start(false, 1);
}

static void
act(struct fixture *f, enum action action, int count)
{
    assert_true(f->view.ops->act(f->view.state, action, count));
}

static void
statistics_look_so(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    golden_screen(&f.canvas, "view_stats-80x24");
    golden_draw(&f.canvas, &f.view, 48, 160, 4, 0);
    golden_screen(&f.canvas, "view_stats-160x48");
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    golden_screen(&f.canvas, "view_stats-60x16");
    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    golden_screen(&f.canvas, "view_stats-80x24-utf8");
    canvas_release(&f.canvas);
}

static void
all_of_it_can_be_reached(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    assert_true(golden_says(&f.canvas, "why slow: busy machine"));
    assert_true(golden_says(&f.canvas, "~ more"));
    assert_false(golden_says(&f.canvas, "seed"));
    act(&f, ACTION_BOTTOM, 1);
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    assert_true(golden_says(&f.canvas, "seed         4711"));
    assert_false(golden_says(&f.canvas, "~ more"));
    act(&f, ACTION_LINE_DOWN, 100);
    act(&f, ACTION_LINE_UP, 1);
    act(&f, ACTION_LINE_UP, 1000);
    assert_int_equal(f.state.top, 0);
    act(&f, ACTION_PAGE_DOWN, 1);
    assert_true(f.state.top > 0);
    act(&f, ACTION_TOP, 1);
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    assert_true(golden_says(&f.canvas, "why slow"));
    act(&f, ACTION_STATS, 1);
    assert_int_equal(f.closed, 1);
    canvas_release(&f.canvas);
}

static void
a_larger_window_shows_all_of_it(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    act(&f, ACTION_BOTTOM, 1);
    golden_draw(&f.canvas, &f.view, 48, 160, 4, 0);
    assert_true(golden_says(&f.canvas, "why slow: busy machine"));
    assert_true(golden_says(&f.canvas, "seed         4711"));
    assert_int_equal(f.state.top, 0);
    golden_screen(&f.canvas, "view_stats-160x48");
    // less to show has the same effect
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    act(&f, ACTION_BOTTOM, 1);
    f.sheet.part_count = 1;
    f.sheet.bar_count = 0;
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    assert_true(golden_says(&f.canvas, "4,633 of 131,072 tokens, 4 %"));
    canvas_release(&f.canvas);
}

static void
before_the_first_answer_there_is_little(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    f.sheet = (struct stats_sheet){0};
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    assert_false(golden_says(&f.canvas, "why"));
    act(&f, ACTION_BOTTOM, 1);
    act(&f, ACTION_LINE_DOWN, 1);
    assert_int_equal(f.state.top, 0);
    canvas_release(&f.canvas);
}

static void
every_size_is_drawn(void **state)
{
    static struct stats_row rows[10000];
    static struct stats_bar many[1000];
    struct stats_part part = {"\x1b[31mpart", rows, 10000};
    struct fixture f;

    (void) state;
    begin(&f);
    for (size_t i = 0; i < 10000; i++)
        rows[i] = (struct stats_row){"label",
                                     "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
                                     "\x9b\xE2\x80\xAEword\x1b]8;;"};
    for (size_t i = 0; i < 1000; i++)
        many[i] = (struct stats_bar){"", i == 7 ? 1e300 : -1.0, ""};
    f.sheet.bars = many;
    f.sheet.bar_count = 1000;
    for (unsigned rows_shown = 1; rows_shown < 50; rows_shown += 7)
        for (unsigned columns = 1; columns < 200; columns += 17) {
            f.sheet.parts = columns % 2 ? &part : parts;
            f.sheet.part_count = columns % 2 ? 1 : 4;
            golden_draw(&f.canvas, &f.view, rows_shown, columns, 0, 0);
            for (size_t i = 0; i < (size_t) rows_shown * columns; i++)
                assert_null(strchr(f.canvas.cells[i].text, '\x1b'));
            (void) f.view.ops->act(f.view.state, ACTION_BOTTOM, 1);
        }
    f.view.ops->draw(f.view.state, &f.canvas, (struct area){0}, 0);
    canvas_release(&f.canvas);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_can_be_reached),
        cmocka_unit_test(a_larger_window_shows_all_of_it),
        cmocka_unit_test(before_the_first_answer_there_is_little),
        cmocka_unit_test(every_size_is_drawn),
        cmocka_unit_test(statistics_look_so),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
