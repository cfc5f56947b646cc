/* The model picker: as sketched, and right with none and with ten thousand. */
#include "config.h"

#include "tests/screen/golden_screen.h"
#include "ui/views/view_models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct model_row sketched[] = {
    {"V4-Flash-q2", true, true, "81 GB", "R81", "14", "1M", "today",
     MODEL_SIGNED},
    {"V4-Flash-q4", false, false, "153 GB", "R153", "6", "1M", "20 Nov",
     MODEL_SIGNED},
    {"V3.2-q4", false, false, "386 GB", "no", "1.2", "160k", "11 Nov",
     MODEL_SIGNED},
    {"Coder-V2-Lite", false, false, "10 GB", "R10", "96", "128k", "03 Nov",
     MODEL_SIGNED},
    {"V3.2-q2-custom", false, false, "231 GB", "R231", "", "-", "never",
     MODEL_UNSIGNED},
    {"V4-Flash-q2b", false, false, "81 GB", "-", "", "-", "never", MODEL_BAD},
};
static const struct model_line lines[] = {
    {"file", "/var/lib/fathom/models/V4-Flash-q2/V4-Flash-q2-00001-of-46.gguf",
     MODEL_WIDE},
    {"default", "it is used where no model is named", MODEL_WIDE},
    {"model", "284B total, 13B active, 43 layers x 256 experts, 6+1 active",
     MODEL_NARROW},
    {"family", "deepseek4, 284B total, 13B active", MODEL_WIDE},
    {"layers", "43, experts 256 routed + 1 shared, 6 active", MODEL_WIDE},
    {"context", "1,048,576 tokens", MODEL_WIDE},
    {"licence", "MIT   SBOM v4-flash-q2.spdx", MODEL_ANY},
    {NULL, "", MODEL_WIDE},
    {"placement", "RAM 81 GB of 139 GB [##################............]",
     MODEL_WIDE},
    {NULL, "", MODEL_WIDE},
    {"measured", "prompt 412 tok/s, answer 13.8 tok/s, in 6 answers",
     MODEL_ANY},
    {"load", "12.00 s, the last time that it was read", MODEL_WIDE},
    {NULL, "", MODEL_WIDE},
    {"manifest", "7f3a90d2c91e, 46 files, 4,816 chunks", MODEL_ANY},
    {"signed by", "acme-models-2026 (B26B8215EF6B227F)", MODEL_ANY},
    {"here since", "18 Nov 2026, a file of root's", MODEL_ANY},
    {"receipt", "unchanged since it was read in full on 18 Nov 2026",
     MODEL_ANY},
    {"fs-verity", "off", MODEL_WIDE},
};
enum { LINES = sizeof lines / sizeof lines[0] };

static const struct model_preset presets[] = {
    {"default", "temp 1  top_p 1", false},
    {"code", "temp 0.3  system: code.txt", true},
    {"translate", "think off  temp 0.2", false},
    {"terse", "think off  max_tokens 256", false},
};

struct fixture {
    const struct model_row *rows;
    size_t count, presets;
    struct model_detail detail;
    const char *info, *news;
    bool ended;
    size_t asked_info, asked_verify;
    unsigned worked;
    struct view_models state;
    struct view view;
    struct canvas canvas;
    char line[200];
    unsigned closed;
};

static size_t
lend_count(void *context)
{
    return ((struct fixture *) context)->count;
}

static const struct model_row *
lend_row(void *context, size_t i)
{
    struct fixture *f = context;

    assert_true(i < f->count);
    return &f->rows[i];
}

static const struct model_detail *
lend_detail(void *context, size_t i)
{
    assert_true(i < ((struct fixture *) context)->count);
    return &((struct fixture *) context)->detail;
}

static const char *
lend_room(void *context)
{
    (void) context;
    return "free: RAM 58 GB";
}

static const char *
lend_places(void *context)
{
    (void) context;
    return "2 places";
}

static void
take_info(void *context, size_t i)
{
    ((struct fixture *) context)->asked_info = i;
}

static void
take_verify(void *context, size_t i)
{
    ((struct fixture *) context)->asked_verify = i;
}

static const char *
lend_info(void *context, bool *ended)
{
    *ended = ((struct fixture *) context)->ended;
    return ((struct fixture *) context)->info;
}

static const char *
lend_news(void *context)
{
    return ((struct fixture *) context)->news;
}

static bool
note_work(void *context)
{
    return ++((struct fixture *) context)->worked < 3;
}

static size_t
lend_preset_count(void *context)
{
    return ((struct fixture *) context)->presets;
}

static const struct model_preset *
lend_preset(void *context, size_t i)
{
    assert_true(i < ((struct fixture *) context)->presets);
    return &presets[i];
}

static void
note_post(void *context, const char *line)
{
    struct fixture *f = context;

    if (line == NULL)
        f->closed++;
    else
        snprintf(f->line, sizeof f->line, "%s", line);
}

static void
begin(struct fixture *f, const struct model_row *rows, size_t count)
{
    struct models_source source = {
        f,           lend_count,        lend_row,    lend_detail, lend_room,
        lend_places, take_info,         take_verify, lend_info,   lend_news,
        note_work,   lend_preset_count, lend_preset};

    *f = (struct fixture){.rows = rows,
                          .count = count,
                          .presets = 4,
                          .detail = {lines, LINES, NULL},
                          .asked_info = 99,
                          .asked_verify = 99};
    view_models_start(&f->state, &source, note_post, f, &f->view);
    text_width_start(false, 1);
}

static bool
shows(struct fixture *f, const char *words)
{
    golden_draw(&f->canvas, &f->view, 24, 80, 3, 0);
    return golden_says(&f->canvas, words);
}

static void
act(struct fixture *f, enum action action, int count)
{
    assert_true(f->view.ops->act(f->view.state, action, count));
}

static void
the_picker_is_as_sketched(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, sketched, 6);
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    golden_screen(&f.canvas, "view_models-80x24");
    f.news = "V4-Flash-q2: 46 files, 80.8 GB, as in manifest 7f3a90d2c91e";
    golden_draw(&f.canvas, &f.view, 48, 160, 4, 0);
    golden_screen(&f.canvas, "view_models-160x48");
    golden_draw(&f.canvas, &f.view, 16, 60, 3, 0);
    golden_screen(&f.canvas, "view_models-60x16");
    act(&f, ACTION_BOTTOM, 1);
    f.detail = (struct model_detail){
        lines, LINES,
        "refused: V4-Flash-q2b-00007-of-46.gguf is not as its "
        "manifest says"};
    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    golden_screen(&f.canvas, "view_models-80x24-utf8");
    canvas_release(&f.canvas);
}

static void
a_long_name_is_marked_where_it_is_cut(void **state)
{
    static const struct model_row long_row[] = {
        {.name = "SmolLM2-135M-Instruct-Q6_K",
         .size = "138 MB",
         .fits = "RAM",
         .speed = "",
         .context = "8k",
         .used = "never"}};
    struct fixture f;

    (void) state;
    begin(&f, long_row, 1);
    assert_true(shows(&f, "SmolLM2-135M-I~  138 MB  RAM"));
    canvas_release(&f.canvas);
}

static void
presets_are_a_list_of_their_own(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, sketched, 6);
    act(&f, ACTION_PRESET, 1);
    golden_draw(&f.canvas, &f.view, 24, 80, 3, 0);
    golden_screen(&f.canvas, "view_models-presets-80x24");
    act(&f, ACTION_LINE_UP, 1);
    act(&f, ACTION_CHOOSE, 1);
    assert_string_equal(f.line, "/preset default");
    // the list of models is back, with what was chosen there
    assert_true(shows(&f, ">*V4-Flash-q2"));
    act(&f, ACTION_PRESET, 1);
    act(&f, ACTION_BOTTOM, 1);
    act(&f, ACTION_CHOOSE, 1);
    assert_string_equal(f.line, "/preset none");
    act(&f, ACTION_PRESET, 1);
    f.line[0] = '\0';
    act(&f, ACTION_DEFAULT, 1); // that is for models
    act(&f, ACTION_VERIFY, 1);
    assert_string_equal(f.line, "");
    assert_int_equal(f.asked_verify, 99);
    act(&f, ACTION_BACK, 1);
    assert_int_equal(f.closed, 0);
    f.presets = 0;
    assert_false(shows(&f, "presets"));
    act(&f, ACTION_PRESET, 1);
    assert_true(shows(&f, "[preset.NAME] in fathom.conf makes one"));
    // more than there are rows
    for (unsigned rows = 1; rows < 9; rows++) {
        f.presets = 4;
        act(&f, ACTION_BOTTOM, 1);
        golden_draw(&f.canvas, &f.view, rows, 30, 0, 0);
        act(&f, ACTION_TOP, 1);
        golden_draw(&f.canvas, &f.view, rows, 30, 0, 0);
    }
    canvas_release(&f.canvas);
}

static void
the_default_is_set_and_marked(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, sketched, 6);
    assert_true(shows(&f, ">*V4-Flash-q2    d  81 GB"));
    assert_false(shows(&f, "V4-Flash-q4    d"));
    act(&f, ACTION_LINE_DOWN, 3);
    act(&f, ACTION_DEFAULT, 1);
    assert_string_equal(f.line, "/set --keep model.default Coder-V2-Lite");
    canvas_release(&f.canvas);
}

/* However much there is to be said of it. */
static void
why_a_model_is_refused_is_always_seen(void **state)
{
    static const char remark[] =
        "refused: the size of V4-Flash-q2b-00007-of-00046.gguf is 1759218604 "
        "and not 1759218605 as its MANIFEST says";
    struct fixture f;

    (void) state;
    begin(&f, sketched, 6);
    f.detail.remark = remark;
    assert_true(shows(&f, "as its MANIFEST says"));
    assert_true(shows(&f, " 284B total"));
    canvas_release(&f.canvas);
}

static void
the_chosen_model_is_loaded_looked_into_and_verified(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, sketched, 6);
    assert_true(shows(&f, "> *") || shows(&f, ">*V4-Flash-q2"));
    act(&f, ACTION_LINE_DOWN, 3);
    act(&f, ACTION_CHOOSE, 1);
    assert_string_equal(f.line, "/model Coder-V2-Lite");
    act(&f, ACTION_VERIFY, 1);
    assert_int_equal(f.asked_verify, 3);
    act(&f, ACTION_LINE_UP, 100);
    act(&f, ACTION_INFO, 1);
    assert_int_equal(f.asked_info, 0);
    assert_true(shows(&f, "looking into the file"));
    f.info = "Name           V4 Flash\nFile           x.gguf\n";
    f.ended = true;
    assert_true(shows(&f, "Name           V4 Flash"));
    f.line[0] = '\0';
    act(&f, ACTION_CHOOSE, 1); // nothing is loaded from there
    assert_string_equal(f.line, "");
    act(&f, ACTION_LINE_DOWN, 1);
    assert_false(shows(&f, "Name           V4 Flash"));
    act(&f, ACTION_BOTTOM, 1);
    assert_true(shows(&f, "File           x.gguf"));
    act(&f, ACTION_BACK, 1);
    assert_int_equal(f.closed, 0);
    assert_true(shows(&f, "Coder-V2-Lite"));
    act(&f, ACTION_BACK, 1);
    assert_int_equal(f.closed, 1);
    assert_true(f.view.ops->work(f.view.state, 0));
    assert_true(f.view.ops->work(f.view.state, 0));
    assert_false(f.view.ops->work(f.view.state, 0));
    canvas_release(&f.canvas);
}

static void
the_filter_leaves_what_holds_it(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, sketched, 6);
    f.view.ops->filter(f.view.state, "v3.2");
    assert_true(shows(&f, "V3.2-q4"));
    assert_false(shows(&f, "Coder"));
    act(&f, ACTION_LINE_DOWN, 5);
    act(&f, ACTION_CHOOSE, 1);
    assert_string_equal(f.line, "/model V3.2-q2-custom");
    f.view.ops->filter(f.view.state, "no such");
    assert_true(shows(&f, "no model is called so"));
    f.line[0] = '\0';
    act(&f, ACTION_CHOOSE, 1);
    act(&f, ACTION_LINE_DOWN, 1);
    assert_string_equal(f.line, "");
    f.view.ops->filter(f.view.state, "");
    assert_true(shows(&f, "Coder"));
    canvas_release(&f.canvas);
}

static void
without_models_it_says_so(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, NULL, 0);
    assert_true(shows(&f, "no models were found"));
    for (enum action a = ACTION_NONE; a < ACTIONS; a++)
        (void) f.view.ops->act(f.view.state, a, 2);
    assert_string_equal(f.line, "");
    canvas_release(&f.canvas);
}

static void
ten_thousand_models_at_every_size(void **state)
{
    enum { MANY = 10000 };
    static struct model_row many[MANY];
    static char names[MANY][40];
    struct fixture f;

    (void) state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i],
                 i % 7 == 0 ? "\x1b[31m\xE2\x80\xAE%zu" : "wwwww 模型 %zu", i);
        many[i] = sketched[i % 6];
        many[i].name = names[i];
    }
    begin(&f, many, MANY);
    for (unsigned rows = 1; rows < 50; rows += 8)
        for (unsigned columns = 1; columns < 200; columns += 23) {
            golden_draw(&f.canvas, &f.view, rows, columns, 0, 0);
            for (size_t i = 0; i < (size_t) rows * columns; i++)
                assert_null(strchr(f.canvas.cells[i].text, '\x1b'));
            act(&f, ACTION_LINE_DOWN, 500);
        }
    act(&f, ACTION_BOTTOM, 1);
    assert_int_equal(f.state.chosen, MANY - 1);
    f.view.ops->draw(f.view.state, &f.canvas, (struct area){0}, 0);
    canvas_release(&f.canvas);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chosen_model_is_loaded_looked_into_and_verified),
        cmocka_unit_test(the_filter_leaves_what_holds_it),
        cmocka_unit_test(without_models_it_says_so),
        cmocka_unit_test(ten_thousand_models_at_every_size),
        cmocka_unit_test(a_long_name_is_marked_where_it_is_cut),
        cmocka_unit_test(presets_are_a_list_of_their_own),
        cmocka_unit_test(the_default_is_set_and_marked),
        cmocka_unit_test(why_a_model_is_refused_is_always_seen),
        cmocka_unit_test(the_picker_is_as_sketched),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
