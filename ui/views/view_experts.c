/* Layers times experts, as glyphs. */
#include "config.h"

#include "ui/views/view_experts.h"

#include <stdio.h>
#include <string.h>

enum {
    MAP_COLUMN = 5,      // of the first cell, behind " L12 " or " L100"
    SHARES_COLUMNS = 10, // "  70 27  3" behind the map
    BAR_COLUMNS = 10,
    ROOMY_COLUMNS = 76, // for whole sentences
    WIDE_COLUMNS = 120,
    FULL_COLUMNS = 156, // for all that the last line says
    LABEL_EXPERTS = 32, // between two numbers above the map
};

static const char glyphs[EXPERT_PLACES][2] = {
    [EXPERT_VRAM] = {'=', '#'},
    [EXPERT_RAM] = {'-', '+'},
    [EXPERT_NVME] = {'.', 'o'},
    [EXPERT_READING] = {'!', '!'},
};

/* What is known of one layer, or of all. */
struct layer_sums {
    uint64_t uses, hot; // of the hot ones
    uint64_t at[EXPERT_PLACES];
};

/* What a frame is drawn with. */
struct map_frame {
    struct view_experts *view;
    const struct expert_map *map;
    struct canvas *canvas;
    struct area area;
    bool is_wide, one_place;
    size_t layers; // shown at most
    uint16_t order[EXPERT_MAP_LAYERS];
    uint16_t heat[EXPERT_MAP_LAYERS]; // hot share in 1/10000
    struct layer_sums all;
    uint64_t busiest; // uses outside of VRAM, of the layer that has most
};

/* -- figures ----------------------------------------------------------------
 */

static uint32_t
uses_of(const struct expert_map *map, size_t l, size_t e)
{
    return map->uses[l * map->experts + e];
}

static enum expert_place
place_of(const struct expert_map *map, size_t l, size_t e)
{
    uint8_t place = map->place[l * map->experts + e];

    return place < EXPERT_PLACES ? (enum expert_place) place : EXPERT_NVME;
}

/* Twice the average of its layer: exact, since sums are small. */
static bool
is_hot(const struct expert_map *map, uint64_t layer_uses, uint32_t uses)
{
    return uses > 0 && (uint64_t) uses * map->experts >= 2 * layer_uses;
}

static struct layer_sums
sum_layer(const struct expert_map *map, size_t l)
{
    struct layer_sums sums = {0};

    for (size_t e = 0; e < map->experts; e++) {
        sums.uses += uses_of(map, l, e);
        sums.at[place_of(map, l, e)] += uses_of(map, l, e);
    }
    for (size_t e = 0; e < map->experts; e++)
        if (is_hot(map, sums.uses, uses_of(map, l, e)))
            sums.hot += uses_of(map, l, e);
    return sums;
}

static unsigned
percent(uint64_t part, uint64_t of)
{
    return of > 0 ? (unsigned) ((100 * part + of / 2) / of) : 0;
}

static uint64_t
outside_vram(const struct layer_sums *sums)
{
    return sums->uses - sums->at[EXPERT_VRAM];
}

static bool
is_one_place(const struct expert_map *map)
{
    for (size_t i = 0; i < map->layers * map->experts; i++)
        if (map->place[i] != EXPERT_RAM)
            return false;
    return true;
}

static void
add_up(struct map_frame *f)
{
    for (size_t l = 0; l < f->layers; l++) {
        struct layer_sums sums = sum_layer(f->map, l);

        f->order[l] = (uint16_t) l;
        f->heat[l] =
            (uint16_t) (sums.uses > 0 ? 10000 * sums.hot / sums.uses : 0);
        f->all.uses += sums.uses;
        f->all.hot += sums.hot;
        for (size_t p = 0; p < EXPERT_PLACES; p++)
            f->all.at[p] += sums.at[p];
        if (outside_vram(&sums) > f->busiest)
            f->busiest = outside_vram(&sums);
    }
}

/* Hottest layers first; layers of one heat stay in their order. */
static void
sort_by_heat(struct map_frame *f)
{
    for (size_t i = 1; i < f->layers; i++) {
        uint16_t l = f->order[i];
        size_t at = i;

        for (; at > 0 && f->heat[f->order[at - 1]] < f->heat[l]; at--)
            f->order[at] = f->order[at - 1];
        f->order[at] = l;
    }
}

/* -- where things are -------------------------------------------------------
 */

static unsigned
footer_rows(const struct map_frame *f)
{
    return f->is_wide ? 3 : 5;
}

static size_t
cells_of(const struct expert_map *map, size_t per)
{
    return (map->experts + per - 1) / per;
}

/* The row, as sorted, of the layer under the cursor. */
static size_t
cursor_row(const struct map_frame *f)
{
    for (size_t i = 0; i < f->layers; i++)
        if (f->order[i] == f->view->layer)
            return i;
    return 0;
}

/* The first of `shown` places so that `at` is among them. */
static size_t
first_shown(size_t first, size_t at, size_t shown, size_t count)
{
    if (at < first)
        first = at;
    if (shown > 0 && at >= first + shown)
        first = at - shown + 1;
    return first + shown > count ? count > shown ? count - shown : 0 : first;
}

static void
place_columns(struct map_frame *f)
{
    struct view_experts *view = f->view;
    unsigned right = SHARES_COLUMNS + (f->is_wide ? 2 + BAR_COLUMNS : 1);
    unsigned columns = f->area.columns;
    size_t room =
        columns > MAP_COLUMN + right ? columns - MAP_COLUMN - right : 1;

    view->per = 1;
    while (cells_of(f->map, view->per) > room)
        view->per *= 2;
    if (view->cell > 0 && view->cell < view->per)
        view->per = view->cell;
    size_t cells = cells_of(f->map, view->per);

    view->wide = cells < room ? cells : room;
    if (view->expert >= f->map->experts)
        view->expert = f->map->experts - 1;
    view->left =
        first_shown(view->left, view->expert / view->per, view->wide, cells);
}

static void
place_rows(struct map_frame *f)
{
    struct view_experts *view = f->view;
    unsigned around = 2 + footer_rows(f);

    view->shown = f->area.rows > around ? f->area.rows - around : 0;
    if (view->shown > f->layers)
        view->shown = f->layers;
    if (view->layer >= f->layers)
        view->layer = f->layers - 1;
    view->top = first_shown(view->top, cursor_row(f), view->shown, f->layers);
}

/* -- drawing ----------------------------------------------------------------
 */

static enum look
look_of(const struct map_frame *f, enum look look)
{
    return f->view->mono ? LOOK_PLAIN : look;
}

static void
draw_cell(const struct map_frame *f, unsigned row, unsigned column, size_t l,
          size_t cell, uint64_t layer_uses)
{
    const struct expert_map *map = f->map;
    size_t first = cell * f->view->per, end = first + f->view->per;
    size_t best = first;
    bool reading = false;

    for (size_t e = first; e < end && e < map->experts; e++) {
        if (uses_of(map, l, e) > uses_of(map, l, best))
            best = e;
        reading = reading || place_of(map, l, e) == EXPERT_READING;
    }
    uint32_t uses = uses_of(map, l, best);
    bool hot = is_hot(map, layer_uses, uses);
    enum expert_place place = reading ? EXPERT_READING : place_of(map, l, best);
    enum look look = hot ? place == EXPERT_NVME ? LOOK_WARNING : LOOK_HOT
                     : uses == 0 ? LOOK_COLD
                                 : LOOK_PLAIN;

    if (l == f->view->layer && cell == f->view->expert / f->view->per) {
        look = LOOK_CHOSEN;
        canvas_cursor(f->canvas, row, column);
    }
    canvas_put(f->canvas, row, column, 1,
               look == LOOK_CHOSEN ? look : look_of(f, look),
               &glyphs[place][hot], 1);
}

/* "70 27  3", or which part of the uses went to the hot ones. */
static void
draw_shares(const struct map_frame *f, unsigned row, unsigned column,
            const struct layer_sums *sums)
{
    static const enum expert_place shown[] = {EXPERT_VRAM, EXPERT_RAM,
                                              EXPERT_NVME};

    if (sums->uses == 0)
        return;
    if (f->one_place) {
        canvas_print_right(f->canvas, row, column + 10, LOOK_PLAIN, "%u",
                           percent(sums->hot, sums->uses));
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        unsigned share = percent(sums->at[shown[i]], sums->uses);

        if (share > 0 || sums->at[shown[i]] > 0)
            canvas_print_right(f->canvas, row, column + 4 + 3 * i, LOOK_PLAIN,
                               "%u", share);
        else
            canvas_print_right(f->canvas, row, column + 4 + 3 * i, LOOK_DIM,
                               "%s", share == 100 ? "" : "0");
    }
}

/* How much came from outside of VRAM, against the layer with most of it. */
static void
draw_traffic(const struct map_frame *f, unsigned row, unsigned column,
             const struct layer_sums *sums)
{
    uint64_t part = f->one_place ? sums->hot : outside_vram(sums);
    uint64_t of = f->one_place ? sums->uses : f->busiest;
    unsigned count =
        of > 0 ? (unsigned) ((BAR_COLUMNS * part + of - 1) / of) : 0;

    for (unsigned i = 0; i < count; i++)
        canvas_print(f->canvas, row, column + i, 1, LOOK_PLAIN, "%s",
                     canvas_glyph(GLYPH_FULL));
}

static void
draw_layer(const struct map_frame *f, unsigned row, size_t l)
{
    const struct view_experts *view = f->view;
    struct layer_sums sums = sum_layer(f->map, l);
    unsigned left = f->area.column;
    bool chosen = l == view->layer;

    if (chosen)
        canvas_print(f->canvas, row, left, 1, LOOK_STRONG, "%s",
                     canvas_glyph(GLYPH_CHOSEN));
    canvas_print(f->canvas, row, left + 1, MAP_COLUMN - 1,
                 chosen ? LOOK_STRONG : LOOK_DIM, "L%02zu",
                 f->map->first_layer + l);
    for (size_t c = 0; c < view->wide; c++)
        draw_cell(f, row, left + MAP_COLUMN + (unsigned) c, l, view->left + c,
                  sums.uses);
    unsigned right = left + MAP_COLUMN + (unsigned) view->wide;

    draw_shares(f, row, right, &sums);
    if (f->is_wide)
        draw_traffic(f, row, right + SHARES_COLUMNS + 2, &sums);
}

/* "0       32      64": the number of the expert below. */
static void
draw_numbers(const struct map_frame *f)
{
    const struct view_experts *view = f->view;
    unsigned row = f->area.row + 1, left = f->area.column + MAP_COLUMN;
    unsigned right = left + (unsigned) view->wide, end = left;
    size_t step = LABEL_EXPERTS;

    while (step / view->per < 5)
        step *= 2;
    for (size_t c = 0; c < view->wide; c++) {
        size_t e = (view->left + c) * view->per;
        char text[24];
        unsigned at = left + (unsigned) c;
        size_t length = (size_t) snprintf(text, sizeof text, "%zu", e);

        if (e % step == 0 && at + length <= right + 2 && at >= end)
            end = at + 1 +
                  canvas_put(f->canvas, row, at, 20, LOOK_DIM, text, length);
    }
    if (f->one_place)
        canvas_print_right(f->canvas, row, right + 10, LOOK_DIM, "%s", "hot%");
    else
        for (unsigned i = 0; i < 3; i++)
            canvas_print(f->canvas, row, right + 3 + 3 * i, 1, LOOK_DIM, "%c",
                         "VRN"[i]);
    if (f->is_wide)
        canvas_print(f->canvas, row, right + SHARES_COLUMNS + 3, BAR_COLUMNS,
                     LOOK_DIM, "%s", f->one_place ? "share" : "traffic");
}

static void
draw_title(const struct map_frame *f)
{
    const struct expert_map *map = f->map;
    unsigned row = f->area.row, left = f->area.column;
    unsigned end = left + f->area.columns;
    char window[60], shape[120] = "";

    snprintf(window, sizeof window,
             f->is_wide ? "window: last %llu tokens" : "last %llu tok",
             (unsigned long long) map->tokens);
    if (map->sentence == NULL)
        snprintf(shape, sizeof shape,
                 f->is_wide ? "%zu layers x %zu routed, %u active + %u shared "
                              "per token   "
                 : f->area.columns < ROOMY_COLUMNS
                     ? "%zu layers x %zu"
                     : "%zu layers x %zu, %u active + %u shared",
                 map->layers, map->experts, map->active, map->shared);
    unsigned at = left + 1;

    at += canvas_print(f->canvas, row, at, f->area.columns, LOOK_TITLE,
                       "experts");
    // what is beside it; on wide ones "net:off   F4 closes", too
    size_t beside = 14 + strlen(shape) +
                    (map->sentence != NULL ? 0 : strlen(window)) +
                    (f->is_wide ? 30 : 0);

    at += 2 + canvas_put_cut(f->canvas, row, at + 2,
                             f->area.columns > beside + 8
                                 ? f->area.columns - (unsigned) beside
                                 : 8,
                             LOOK_PLAIN, map->model ? map->model : "");
    at += 2 + (f->is_wide ? 1 : 0);
    canvas_print(f->canvas, row, at, end > at ? end - at : 0, LOOK_PLAIN,
                 "%s%s", shape, f->is_wide && !map->sentence ? window : "");
    if (f->is_wide)
        canvas_print_right(f->canvas, row, end - 1, LOOK_DIM,
                           "   %s%sF4 closes", map->right ? map->right : "",
                           map->right ? "   " : "");
    else if (map->sentence == NULL && f->area.columns > 1)
        canvas_print_right(f->canvas, row, end - 1, LOOK_PLAIN, "  %s", window);
}

/* "L19 e84-87: hot on NVMe, 41 uses, 3.1 % of the layer's" */
static void
describe_cursor(const struct map_frame *f, char *out, size_t size)
{
    static const char *const places[EXPERT_PLACES] = {"in VRAM", "in RAM",
                                                      "on NVMe", "being read"};
    const struct expert_map *map = f->map;
    size_t l = f->view->layer, per = f->view->per;
    size_t first = f->view->expert / per * per, last = first + per - 1;
    size_t best = first;
    uint64_t uses = 0;
    struct layer_sums sums = sum_layer(map, l);
    char names[60];

    if (last >= map->experts)
        last = map->experts - 1;
    for (size_t e = first; e <= last; e++) {
        uses += uses_of(map, l, e);
        if (uses_of(map, l, e) > uses_of(map, l, best))
            best = e;
    }
    snprintf(names, sizeof names,
             last > first ? "L%02zu e%zu-%zu" : "L%02zu e%zu",
             map->first_layer + l, first, last);
    if (map->tokens == 0) {
        snprintf(out, size, "%s: no token yet", names);
        return;
    }
    int n = snprintf(
        out, size, "%s: %s %s, %llu use%s, %.1f %% of its layer's", names,
        is_hot(map, sums.uses, uses_of(map, l, best)) ? "hot" : "cold",
        places[place_of(map, l, best)], (unsigned long long) uses,
        uses == 1 ? "" : "s",
        sums.uses > 0 ? 100.0 * (double) uses / (double) sums.uses : 0);

    if (last > first && uses > 0 && f->area.columns >= ROOMY_COLUMNS && n > 0 &&
        (size_t) n < size)
        snprintf(out + n, size - (size_t) n, ", most by e%zu (%u)", best,
                 uses_of(map, l, best));
}

static void
describe_all(const struct map_frame *f, char *out, size_t size)
{
    const struct layer_sums *all = &f->all;

    if (f->one_place)
        snprintf(out, size, "all experts are in RAM; there is one tier");
    else
        snprintf(out, size, "all layers V%u R%u N%u",
                 percent(all->at[EXPERT_VRAM], all->uses),
                 percent(all->at[EXPERT_RAM], all->uses),
                 percent(all->at[EXPERT_NVME], all->uses));
}

static void
describe_legend(const struct map_frame *f, char *out, size_t size)
{
    if (f->one_place)
        snprintf(out, size, "RAM hot + cold -   hot: twice the average");
    else
        snprintf(out, size,
                 "VRAM hot # cold =   RAM hot + cold -   NVMe hot o cold .   "
                 "! loading");
}

static const char privacy[] =
    "live only, never on disk: routing reveals the text (fathom-security(7))";
static const char privacy_short[] =
    "live only, never on disk: routing reveals the text";
static const char moves[] =
    "h j k l move   +/- window   s sort by layer or heat   z cell size   live "
    "only: never written to disk, because routing reveals the text";
static const char moves_short[] =
    "h j k l move   +/- window   s sort   z cell size   live only, never on "
    "disk: routing reveals the text";
static const char keys[] =
    "F1 help  F4 close  +/- window  s sort  z cell size  c mono";

static void
draw_line(const struct map_frame *f, unsigned row, enum look look,
          const char *left, const char *right)
{
    unsigned from = f->area.column + 1, end = f->area.column + f->area.columns;
    unsigned limit = end > from ? end - from : 0;
    unsigned taken =
        canvas_put(f->canvas, row, from, limit, look, left, strlen(left));

    if (right[0] != '\0' && taken + 2 + strlen(right) < limit)
        canvas_print_right(f->canvas, row, end - 1, LOOK_DIM, "%s", right);
}

static void
draw_footer_narrow(const struct map_frame *f, unsigned row)
{
    char text[200], cell[40];

    describe_legend(f, text, sizeof text);
    snprintf(cell, sizeof cell, "%zu/cell", f->view->per);
    draw_line(f, row, LOOK_DIM, text, cell);
    describe_cursor(f, text, sizeof text);
    draw_line(f, row + 1, LOOK_PLAIN, text, "");
    describe_all(f, text, sizeof text);
    draw_line(f, row + 2, LOOK_PLAIN, text, "hjkl move  q back");
    draw_line(f, row + 3, LOOK_DIM,
              f->area.columns < ROOMY_COLUMNS ? privacy_short : privacy, "");
    draw_line(f, row + 4, LOOK_DIM, keys, "");
}

static void
draw_footer_wide(const struct map_frame *f, unsigned row)
{
    char text[400], all[80], cell[120];

    describe_legend(f, all, sizeof all);
    snprintf(text, sizeof text, "legend  %s", all);
    if (f->view->per == 1)
        snprintf(cell, sizeof cell, "(1 expert per cell)   c colour/mono");
    else
        snprintf(cell, sizeof cell,
                 "(%zu experts per cell; glyph of the hotter one)   "
                 "c colour/mono",
                 f->view->per);
    draw_line(f, row, LOOK_DIM, text, cell);
    describe_cursor(f, text, sizeof text);
    describe_all(f, all, sizeof all);
    snprintf(text + strlen(text), sizeof text - strlen(text), " | %s", all);
    draw_line(f, row + 1, LOOK_PLAIN, text, "");
    draw_line(f, row + 2, LOOK_DIM,
              f->area.columns >= FULL_COLUMNS ? moves : moves_short,
              "F1 help  q back");
}

static void
draw_sentence(const struct map_frame *f)
{
    unsigned last = f->area.row + f->area.rows - 1;

    draw_line(f, f->area.row + 2, LOOK_PLAIN, f->map->sentence, "");
    if (f->area.rows > 4)
        draw_line(f, last, LOOK_DIM, "F1 help  F4 close  q back", "");
}

static void
experts_draw(void *state, struct canvas *canvas, struct area area,
             uint64_t now_ns)
{
    struct view_experts *view = state;
    struct map_frame f = {.view = view, .canvas = canvas, .area = area};

    (void) now_ns;
    canvas_clear(canvas, area);
    if (area.rows == 0 || area.columns == 0)
        return;
    f.map = view->source.map(view->source.context);
    f.is_wide = area.columns >= WIDE_COLUMNS;
    f.layers =
        f.map->layers < EXPERT_MAP_LAYERS ? f.map->layers : EXPERT_MAP_LAYERS;
    draw_title(&f);
    if (f.map->sentence != NULL || f.layers == 0 || f.map->experts == 0) {
        view->shown = 0;
        if (f.map->sentence != NULL)
            draw_sentence(&f);
        return;
    }
    f.one_place = is_one_place(f.map);
    add_up(&f);
    if (view->by_heat)
        sort_by_heat(&f);
    place_columns(&f);
    place_rows(&f);
    draw_numbers(&f);
    for (size_t i = 0; i < view->shown; i++)
        draw_layer(&f, area.row + 2 + (unsigned) i, f.order[view->top + i]);
    unsigned below =
        area.rows > footer_rows(&f) + 2 ? area.rows - footer_rows(&f) : 2;
    unsigned footer = area.row + below;

    if (f.is_wide)
        draw_footer_wide(&f, footer);
    else
        draw_footer_narrow(&f, footer);
}

/* -- keys -------------------------------------------------------------------
 */

/* Moves within 0 to count - 1. */
static size_t
moved(size_t at, int64_t by, size_t count)
{
    if (by < 0)
        return at > (uint64_t) -by ? at - (size_t) -by : 0;
    if (count == 0)
        return 0;
    return count - 1 - at > (uint64_t) by ? at + (size_t) by : count - 1;
}

/* Up and down go by what is on the screen, in the order that it has there. */
static void
move_layer(struct view_experts *view, const struct expert_map *map, int64_t by)
{
    struct map_frame f = {.view = view, .map = map};

    f.layers =
        map->layers < EXPERT_MAP_LAYERS ? map->layers : EXPERT_MAP_LAYERS;
    if (f.layers == 0 || map->experts == 0)
        return;
    add_up(&f);
    if (view->by_heat)
        sort_by_heat(&f);
    view->layer = f.order[moved(cursor_row(&f), by, f.layers)];
}

static void
move_expert(struct view_experts *view, const struct expert_map *map, int64_t by)
{
    if (map->experts > 0 && view->per > 0)
        view->expert = view->per * moved(view->expert / view->per, by,
                                         cells_of(map, view->per));
}

/* Smaller cells, down to one expert each; then as many as fit again. */
static void
zoom(struct view_experts *view)
{
    view->cell = view->per > 1 ? view->per / 2 : 0;
}

static bool
experts_act(void *state, enum action action, int count)
{
    struct view_experts *view = state;
    const struct expert_map *map = view->source.map(view->source.context);
    int64_t n = count < 1 ? 1 : count;
    int64_t page = view->shown > 1 ? (int64_t) view->shown - 1 : 1;

    switch ((int) action) {
    case ACTION_LINE_DOWN:
        move_layer(view, map, n);
        return true;
    case ACTION_LINE_UP:
        move_layer(view, map, -n);
        return true;
    case ACTION_PAGE_DOWN:
        move_layer(view, map, n * page);
        return true;
    case ACTION_PAGE_UP:
        move_layer(view, map, -n * page);
        return true;
    case ACTION_TOP:
        move_layer(view, map, -EXPERT_MAP_LAYERS);
        return true;
    case ACTION_BOTTOM:
        move_layer(view, map, EXPERT_MAP_LAYERS);
        return true;
    case ACTION_LEFT:
        move_expert(view, map, -n);
        return true;
    case ACTION_RIGHT:
        move_expert(view, map, n);
        return true;
    case ACTION_WINDOW_MORE:
        view->source.window(view->source.context, 1);
        return true;
    case ACTION_WINDOW_LESS:
        view->source.window(view->source.context, -1);
        return true;
    case ACTION_SORT:
        view->by_heat = !view->by_heat;
        return true;
    case ACTION_ZOOM:
        zoom(view);
        return true;
    case ACTION_MONO:
        view->mono = !view->mono;
        return true;
    case ACTION_EXPERTS:
    case ACTION_BACK:
        view->post(view->post_context, NULL);
        return true;
    default:
        return false;
    }
}

static const char *
experts_hint(void *state, unsigned columns)
{
    (void) state;
    (void) columns;
    return keys;
}

static const struct view_ops experts_ops = {
    .name = "experts",
    .map = MAP_EXPERTS,
    .draw = experts_draw,
    .act = experts_act,
    .hint = experts_hint,
    .whole = true,
};

void
view_experts_start(struct view_experts *view,
                   const struct experts_source *source, view_post_fn *post,
                   void *post_context, struct view *out)
{
    *view = (struct view_experts){
        .source = *source, .post = post, .post_context = post_context};
    *out = (struct view){.ops = &experts_ops, .state = view};
}
