/* The expert map: what its glyphs say, and that every size is drawn. */
#include "config.h"

#include "tests/screen/golden_screen.h"
#include "ui/views/view_experts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 61, EXPERTS = 256 };

static uint32_t uses[LAYERS * EXPERTS];
static uint8_t places[LAYERS * EXPERTS];

struct fixture {
    struct expert_map map;
    struct view_experts state;
    struct view view;
    struct canvas canvas;
    unsigned closed;
    int window;
    char line[100];
};

static const struct expert_map *
lend_map(void *context)
{
    return &((struct fixture *) context)->map;
}

static void
note_window(void *context, int change)
{
    ((struct fixture *) context)->window += change;
}

static void
note_post(void *context, const char *line)
{
    struct fixture *f = context;

    if (line == NULL)
        f->closed++;
}

static void
begin(struct fixture *f, size_t layers, size_t experts)
{
    static const struct experts_source source = {NULL, lend_map, note_window};
    struct experts_source mine = source;

    memset(uses, 0, sizeof uses);
    memset(places, EXPERT_RAM, sizeof places);
    *f = (struct fixture){.map = {.model = "V4-Flash-q2",
                                  .right = "net:off",
                                  .layers = layers,
                                  .experts = experts,
                                  .active = 6,
                                  .shared = 1,
                                  .uses = uses,
                                  .place = places,
                                  .tokens = 512,
                                  .window = 512}};
    mine.context = f;
    view_experts_start(&f->state, &mine, note_post, f, &f->view);
    text_width_start(false, 1);
}

/* Counts and tiers as of a busy model: a fixed draw. */
static void
fill(struct fixture *f, bool tiers)
{
    uint32_t seed = 7;

    for (size_t i = 0; i < f->map.layers * f->map.experts; i++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t draw = seed >> 16;

        uses[i] = draw % 11 == 0 ? 40 + draw % 60 : draw % 13;
        if (tiers)
            places[i] = draw % 997 == 5  ? EXPERT_READING
                        : draw % 16 < 10 ? EXPERT_VRAM
                        : draw % 16 < 15 ? EXPERT_RAM
                                         : EXPERT_NVME;
    }
}

static void
draw(struct fixture *f, unsigned rows, unsigned columns)
{
    golden_draw(&f->canvas, &f->view, rows, columns, 0, 0);
}

static const char *
cell_text(const struct fixture *f, unsigned row, unsigned column)
{
    return f->canvas.cells[row * f->canvas.columns + column].text;
}

/* The row of the canvas as text; lent until the next call. */
static const char *
row_text(struct fixture *f, unsigned row)
{
    static char line[4 * CANVAS_MOST + 1];

    line[0] = '\0';
    for (unsigned c = 0; c < f->canvas.columns; c++)
        strcat(line, cell_text(f, row, c));
    return line;
}

static void
act(struct fixture *f, enum action action, int count)
{
    assert_true(f->view.ops->act(f->view.state, action, count));
}

static void
the_map_is_as_sketched(void **state)
{
    static const struct {
        const char *name;
        unsigned rows, columns;
        bool tiers;
    } screens[] = {
        {"view_experts-80x24", 24, 80, true},
        {"view_experts-160x48", 48, 160, true},
        {"view_experts-60x16", 16, 60, true},
        {"view_experts_ram-80x24", 24, 80, false},
        {"view_experts_ram-160x48", 48, 160, false},
    };
    struct fixture f;

    (void) state;
    for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++) {
        begin(&f, 43, 256);
        fill(&f, screens[i].tiers);
        act(&f, ACTION_LINE_DOWN, 19);
        draw(&f, screens[i].rows, screens[i].columns);
        act(&f, ACTION_RIGHT, 21);
        draw(&f, screens[i].rows, screens[i].columns);
        golden_screen(&f.canvas, screens[i].name);
        canvas_release(&f.canvas);
    }
    begin(&f, 43, 256);
    fill(&f, true);
    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    draw(&f, 24, 80);
    golden_screen(&f.canvas, "view_experts-80x24-utf8");
    canvas_release(&f.canvas);
}

static void
the_name_has_what_room_there_is(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, 4, 8);
    fill(&f, false);
    f.map.model = "fathom-mini";
    draw(&f, 16, 60);
    assert_non_null(strstr(row_text(&f, 0), "experts  fathom-mini  4 layers"));
    f.map.model = "SmolLM2-135M-Instruct-Q6_K";
    draw(&f, 16, 60);
    assert_non_null(
        strstr(row_text(&f, 0), "SmolLM2-135M-Instruct~  4 layers"));
    assert_non_null(strstr(row_text(&f, 0), " last 512 tok "));
    // the last line is whole
    draw(&f, 40, 120);
    assert_non_null(strstr(row_text(&f, 39), "reveals the text  F1 help"));
    canvas_release(&f.canvas);
}

static void
a_glyph_tells_place_and_heat(void **state)
{
    static const char wanted[] = "#=+-o.!";
    struct fixture f;

    (void) state;
    begin(&f, 1, 7);
    // the average is 3, so 6 is hot and 5 is not
    const uint32_t counts[] = {6, 1, 6, 1, 6, 1, 0};
    const uint8_t where[] = {EXPERT_VRAM,   EXPERT_VRAM, EXPERT_RAM,
                             EXPERT_RAM,    EXPERT_NVME, EXPERT_NVME,
                             EXPERT_READING};

    memcpy(uses, counts, sizeof counts);
    memcpy(places, where, sizeof where);
    draw(&f, 24, 80);
    assert_memory_equal(row_text(&f, 2) + 5, wanted, 7);
    uses[0] = 5; // of 20: below twice the average of 20 / 7
    uses[1] = 1;
    draw(&f, 24, 80);
    assert_string_equal(cell_text(&f, 2, 5), "=");
    uses[0] = 6;
    draw(&f, 24, 80);
    assert_string_equal(cell_text(&f, 2, 5), "#");
    canvas_release(&f.canvas);
}

static void
shares_are_of_uses(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, 2, 4);
    uses[0] = 70;
    uses[1] = 27;
    uses[2] = 3;
    places[0] = EXPERT_VRAM;
    places[2] = EXPERT_NVME;
    draw(&f, 24, 80);
    assert_non_null(strstr(row_text(&f, 2), "70 27  3"));
    assert_non_null(strstr(row_text(&f, 21), "all layers V70 R27 N3"));
    assert_non_null(
        strstr(row_text(&f, 20), "L00 e0: hot in VRAM, 70 uses, 70.0 %"));
    canvas_release(&f.canvas);
}

static void
a_layer_of_three_figures_is_whole(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, 4, 4);
    f.map.first_layer = 98;
    draw(&f, 24, 80);
    assert_non_null(strstr(row_text(&f, 2), ">L98 "));
    assert_memory_equal(row_text(&f, 4), " L100", 5);
    assert_memory_equal(row_text(&f, 5), " L101", 5);
    canvas_release(&f.canvas);
}

static void
one_tier_is_said(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, 4, 4);
    f.map.first_layer = 1;
    uses[0] = 9;
    uses[1] = 3;
    draw(&f, 24, 80);
    assert_string_equal(cell_text(&f, 2, 5), "+");
    assert_non_null(strstr(row_text(&f, 2), ">L01 +---"));
    assert_non_null(strstr(row_text(&f, 2), " 75"));
    assert_null(strstr(row_text(&f, 19), "VRAM"));
    assert_non_null(
        strstr(row_text(&f, 21), "all experts are in RAM; there is one tier"));
    canvas_release(&f.canvas);
}

static void
a_sentence_stands_for_a_map_that_is_not(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, 0, 0);
    f.map.sentence = "this model is dense: it has no experts";
    draw(&f, 24, 80);
    assert_non_null(strstr(row_text(&f, 2), "this model is dense"));
    for (enum action a = ACTION_NONE; a < ACTIONS; a++)
        (void) f.view.ops->act(f.view.state, a, 3);
    draw(&f, 24, 80);
    canvas_release(&f.canvas);
}

static void
keys_move_and_stay_inside(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, 61, 256);
    fill(&f, true);
    draw(&f, 24, 80);
    act(&f, ACTION_LINE_UP, 1);
    act(&f, ACTION_LEFT, 1);
    assert_int_equal(f.state.layer, 0);
    assert_int_equal(f.state.expert, 0);
    act(&f, ACTION_BOTTOM, 1);
    act(&f, ACTION_RIGHT, 100000);
    draw(&f, 24, 80);
    assert_int_equal(f.state.layer, 60);
    assert_int_equal(f.state.expert, 252);
    assert_non_null(strstr(row_text(&f, 18), ">L60"));
    act(&f, ACTION_TOP, 1);
    draw(&f, 24, 80);
    assert_non_null(strstr(row_text(&f, 2), ">L00"));
    act(&f, ACTION_WINDOW_MORE, 1);
    act(&f, ACTION_WINDOW_MORE, 1);
    act(&f, ACTION_WINDOW_LESS, 1);
    assert_int_equal(f.window, 1);
    act(&f, ACTION_EXPERTS, 1);
    assert_int_equal(f.closed, 1);
    assert_false(f.view.ops->act(f.view.state, ACTION_PLAN, 1));
    canvas_release(&f.canvas);
}

static void
cells_become_single_experts_and_follow_the_cursor(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, 8, 256);
    fill(&f, true);
    draw(&f, 24, 80);
    assert_int_equal(f.state.per, 4);
    act(&f, ACTION_ZOOM, 1);
    draw(&f, 24, 80);
    assert_int_equal(f.state.per, 2);
    act(&f, ACTION_ZOOM, 1);
    draw(&f, 24, 80);
    assert_int_equal(f.state.per, 1);
    act(&f, ACTION_RIGHT, 255);
    draw(&f, 24, 80);
    assert_int_equal(f.state.expert, 255);
    assert_true(f.canvas.cursor && f.canvas.cursor_row == 2);
    act(&f, ACTION_ZOOM, 1);
    draw(&f, 24, 80);
    assert_int_equal(f.state.per, 4);
    canvas_release(&f.canvas);
}

static void
layers_are_sorted_by_heat_and_back(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f, 3, 4);
    memcpy(uses, (uint32_t[]){4, 4, 4, 4, 9, 1, 1, 1, 6, 4, 1, 1},
           12 * sizeof *uses);
    draw(&f, 24, 80);
    act(&f, ACTION_SORT, 1);
    draw(&f, 24, 80);
    assert_non_null(strstr(row_text(&f, 2), " L01"));
    assert_non_null(strstr(row_text(&f, 3), " L02"));
    assert_non_null(strstr(row_text(&f, 4), ">L00"));
    act(&f, ACTION_LINE_UP, 1);
    draw(&f, 24, 80);
    assert_non_null(strstr(row_text(&f, 3), ">L02"));
    act(&f, ACTION_SORT, 1);
    draw(&f, 24, 80);
    assert_non_null(strstr(row_text(&f, 4), ">L02"));
    canvas_release(&f.canvas);
}

static void
every_size_and_shape_is_drawn(void **state)
{
    static const size_t shapes[][2] = {{61, 256}, {1, 4}, {1, 1}, {0, 0}};
    struct fixture f;

    (void) state;
    for (size_t s = 0; s < 4; s++) {
        begin(&f, shapes[s][0], shapes[s][1]);
        fill(&f, true);
        f.map.model = "\x1b]52;c;YQ==\a\xF0\x9F\x92\xA9 a very long name that "
                      "goes on and on and on and on and on and on";
        for (unsigned rows = 1; rows < 60; rows += 3)
            for (unsigned columns = 1; columns < 200; columns += 13) {
                draw(&f, rows, columns);
                for (size_t i = 0; i < (size_t) rows * columns; i++)
                    assert_null(strchr(f.canvas.cells[i].text, '\x1b'));
                (void) f.view.ops->act(f.view.state, ACTION_LINE_DOWN, 2);
                (void) f.view.ops->act(f.view.state, ACTION_RIGHT, 2);
                (void) f.view.ops->act(f.view.state, ACTION_ZOOM, 1);
                (void) f.view.ops->act(f.view.state, ACTION_SORT, 1);
            }
        f.view.ops->draw(f.view.state, &f.canvas, (struct area){0}, 0);
        canvas_release(&f.canvas);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_has_what_room_there_is),
        cmocka_unit_test(a_glyph_tells_place_and_heat),
        cmocka_unit_test(shares_are_of_uses),
        cmocka_unit_test(a_layer_of_three_figures_is_whole),
        cmocka_unit_test(one_tier_is_said),
        cmocka_unit_test(a_sentence_stands_for_a_map_that_is_not),
        cmocka_unit_test(keys_move_and_stay_inside),
        cmocka_unit_test(cells_become_single_experts_and_follow_the_cursor),
        cmocka_unit_test(layers_are_sorted_by_heat_and_back),
        cmocka_unit_test(every_size_and_shape_is_drawn),
        cmocka_unit_test(the_map_is_as_sketched),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
