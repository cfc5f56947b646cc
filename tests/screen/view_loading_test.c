/* The loading screen: as sketched, and whole at every size. */
#include "config.h"

#include "tests/screen/golden_screen.h"
#include "ui/views/view_loading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const struct loading_step steps[] = {
    {.name = "signature",
     .state = LOADING_DONE,
     .what = "MANIFEST ok, key \"acme-models-2026\" (trusted)",
     .size = "1 file",
     .elapsed_s = 0,
     .left_s = -1},
    {.name = "verify",
     .state = LOADING_SKIPPED,
     .what = "full on import, files unchanged since",
     .size = "80.8 GB",
     .elapsed_s = 0.1,
     .left_s = -1},
    {.name = "tokenizer",
     .state = LOADING_DONE,
     .what = "beside the reading",
     .elapsed_s = 0.2,
     .left_s = -1},
    {.name = "read",
     .state = LOADING_RUNS,
     .what = "weights into RAM, eta 1.8 s",
     .measured = true,
     .share = 20.8 / 33.5,
     .size = "20.8 / 33.5 GB",
     .rate = "6.9 GB/s",
     .elapsed_s = 3,
     .left_s = 1.8},
    {.name = "warm-up", .what = "", .elapsed_s = -1, .left_s = -1},
};
static const struct loading_line plan[] = {
    {"RAM", "35.6 GB of 58.2 GB free: weights 33.5, KV 1.9, scratch 0.2"},
    {"device", "cpu, avx2, 8 threads, KV cache f16"},
};
static const struct loading_line logged[] = {
    {"14:01:52", "manifest 7f3a..c91e, signature ok"},
    {"14:01:53", "tokenizer ready"},
};
static const struct loading_sheet sketched = {
    .model = "V4-Flash-q2",
    .right = "net:off  vault:open",
    .steps = steps,
    .step_count = 5,
    .share = 0.62,
    .elapsed_s = 3.3,
    .left_s = 1.8,
    .plan = plan,
    .plan_count = 2,
    .log = logged,
    .log_count = 2,
    .remark = "Chat is usable after step 4.",
    .queued = "Why must a queue pair pass through INIT and RTR before RTS?",
    .keys = "^C cancel",
};

struct fixture {
    struct loading_sheet sheet;
    struct view_loading state;
    struct view view;
    struct canvas canvas;
    unsigned closed;
};

static const struct loading_sheet *
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
    struct loading_source source = {f, lend_sheet};

    *f = (struct fixture){.sheet = sketched};
    view_loading_start(&f->state, &source, note_post, f, &f->view);
    text_width_start(false, 1);
}

static void
loading_is_as_sketched(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    golden_screen(&f.canvas, "view_loading-80x24");
    golden_draw(&f.canvas, &f.view, 48, 160, 4, 0);
    golden_screen(&f.canvas, "view_loading-160x48");
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    golden_screen(&f.canvas, "view_loading-60x16");
    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    f.sheet.queued = "warum muß 队列对 durch INIT?";
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    golden_screen(&f.canvas, "view_loading-80x24-utf8");
    canvas_release(&f.canvas);
}

static void
back_keeps_the_model_loading_and_leaves(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    assert_true(f.view.ops->act(f.view.state, ACTION_BACK, 1));
    assert_int_equal(f.closed, 1);
    assert_false(f.view.ops->act(f.view.state, ACTION_SORT, 1));
}

static void
unknown_figures_are_not_shown(void **state)
{
    struct fixture f;
    struct buffer text = {0};
    struct error err;

    (void) state;
    begin(&f);
    f.sheet.share = f.sheet.left_s = -1;
    f.sheet.plan_count = f.sheet.log_count = f.sheet.step_count = 0;
    f.sheet.remark = f.sheet.queued = f.sheet.right = f.sheet.model = NULL;
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    assert_int_equal(canvas_text(&f.canvas, &text, &err), STATUS_OK);
    assert_int_equal(buffer_append(&text, "", 1, &err), STATUS_OK);
    assert_null(strstr(text.data, "total"));
    assert_null(strstr(text.data, "eta"));
    assert_null(strstr(text.data, "queued"));
    buffer_release(&text);
    canvas_release(&f.canvas);
}

static void
every_size_is_drawn(void **state)
{
    static struct loading_line many[10000];
    static struct loading_step more[200];
    struct fixture f;

    (void) state;
    begin(&f);
    for (size_t i = 0; i < 10000; i++)
        many[i] = (struct loading_line){"14:01:52", "\x1b[2J\xE2\x80\xAE evil"};
    for (size_t i = 0; i < 200; i++)
        more[i] = steps[i % 5];
    f.sheet.log = many;
    f.sheet.log_count = 10000;
    f.sheet.steps = more;
    f.sheet.step_count = 200;
    f.sheet.model = "\x1b]0;title\a";
    for (unsigned rows = 1; rows < 60; rows += 2)
        for (unsigned columns = 1; columns < 200; columns += 9) {
            golden_draw(&f.canvas, &f.view, rows, columns, 0, 0);
            for (size_t i = 0; i < (size_t) rows * columns; i++)
                assert_null(strchr(f.canvas.cells[i].text, '\x1b'));
        }
    f.sheet.step_count = 2;
    golden_draw(&f.canvas, &f.view, 48, 160, 4, 0);
    f.view.ops->draw(f.view.state, &f.canvas, (struct area){0}, 0);
    canvas_release(&f.canvas);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_figures_are_not_shown),
        cmocka_unit_test(back_keeps_the_model_loading_and_leaves),
        cmocka_unit_test(every_size_is_drawn),
        cmocka_unit_test(loading_is_as_sketched),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
