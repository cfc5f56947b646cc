/* A table, and what is known of the row in use: below it, or beside it. */
#include "config.h"

#include "ui/views/view_models.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    ROOMY_COLUMNS = 77, // for all columns of the table
    WIDE_COLUMNS = 120,
    NAME_COLUMN = 3,
    NAME_COLUMNS = 15,
    PANE_COLUMN = 74,
    LABEL_COLUMNS = 13,
    TABLE_HEAD = 2,
    DETAIL_LEAST = 5, // rows below the table, with their blank
};

/*
 * The columns behind the name. Where there is little room one of them is left
 * out (narrow 0), and the others move to the left.
 */
static const struct {
    const char *title;
    unsigned column, narrow, width;
    bool right; // numbers end at one edge
} columns_shown[] = {
    {"size", 20, 20, 6, true},      {"fits", 28, 0, 13, false},
    {"est tok/s", 43, 28, 9, true}, {"ctx", 54, 39, 4, false},
    {"signed", 60, 45, 6, false},   {"last used", 68, 53, 9, false},
};
enum { COLUMNS_SHOWN = sizeof columns_shown / sizeof columns_shown[0] };

struct models_frame {
    struct view_models *view;
    struct canvas *canvas;
    struct area area;
    bool is_wide;
};

/* -- which rows -------------------------------------------------------------
 */

static const struct model_row *
row_at(const struct view_models *view, size_t i)
{
    return view->source.row(view->source.context, i);
}

static size_t
row_count(const struct view_models *view)
{
    return view->source.count(view->source.context);
}

static bool
is_left(const struct view_models *view, size_t i)
{
    return view->filter[0] == '\0' ||
           strcasestr(row_at(view, i)->name, view->filter) != NULL;
}

/* How many rows before `end` the filter leaves. */
static size_t
count_left(const struct view_models *view, size_t end)
{
    size_t count = 0;

    for (size_t i = 0; i < end; i++)
        count += is_left(view, i);
    return count;
}

/* The row that is the n-th of those left, or the last one. */
static size_t
left_at(const struct view_models *view, size_t n)
{
    size_t count = row_count(view), last = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_left(view, i))
            continue;
        last = i;
        if (n-- == 0)
            break;
    }
    return last;
}

static bool
has_chosen(const struct view_models *view)
{
    return view->chosen < row_count(view) && is_left(view, view->chosen);
}

/* What is chosen is among those left, where there are any. */
static void
settle(struct view_models *view)
{
    if (!has_chosen(view))
        view->chosen = left_at(view, 0);
}

/* -- the table --------------------------------------------------------------
 */

static unsigned
room_from(const struct models_frame *f, unsigned column)
{
    unsigned end = f->is_wide ? PANE_COLUMN : f->area.columns;

    return end > column ? end - column : 0;
}

static void
put(const struct models_frame *f, unsigned row, unsigned column, unsigned limit,
    enum look look, const char *text)
{
    unsigned room = room_from(f, column);

    canvas_put_cut(f->canvas, row, f->area.column + column,
                   limit < room ? limit : room, look, text);
}

/* Where column c begins; 0: it is not shown. */
static unsigned
column_of(const struct models_frame *f, size_t c)
{
    return f->area.columns < ROOMY_COLUMNS ? columns_shown[c].narrow
                                           : columns_shown[c].column;
}

static void
draw_head(const struct models_frame *f, unsigned row)
{
    put(f, row, NAME_COLUMN, NAME_COLUMNS, LOOK_DIM, "name");
    for (unsigned i = 0; i < NAME_COLUMNS; i++)
        put(f, row + 1, NAME_COLUMN + i, 1, LOOK_DIM, canvas_glyph(GLYPH_RULE));
    for (size_t c = 0; c < COLUMNS_SHOWN; c++) {
        unsigned column = column_of(f, c);
        const char *title = columns_shown[c].title;

        if (column == 0)
            continue;
        if (columns_shown[c].width > room_from(f, column))
            title = "used"; // "last used" has no room
        put(f, row, column, columns_shown[c].width, LOOK_DIM, title);
        for (unsigned i = 0; i < columns_shown[c].width; i++)
            put(f, row + 1, column + i, 1, LOOK_DIM, canvas_glyph(GLYPH_RULE));
    }
}

static const char *
sign_word(enum model_sign sign)
{
    static const char *const words[] = {[MODEL_UNKNOWN] = "-",
                                        [MODEL_SIGNED] = "ok",
                                        [MODEL_UNSIGNED] = "none",
                                        [MODEL_BAD] = "BAD"};

    return words[sign];
}

static void
draw_row(const struct models_frame *f, unsigned row, size_t i)
{
    const struct model_row *model = row_at(f->view, i);
    bool chosen = i == f->view->chosen;
    enum look look = chosen ? LOOK_CHOSEN : LOOK_PLAIN;
    enum look sign = model->sign == MODEL_BAD      ? LOOK_WARNING
                     : model->sign == MODEL_SIGNED ? LOOK_GOOD
                                                   : LOOK_DIM;
    const char *cells[COLUMNS_SHOWN] = {
        model->size,    model->fits, model->speed[0] ? model->speed : "-",
        model->context, NULL,        model->used,
    };

    if (chosen)
        put(f, row, 1, 1, LOOK_STRONG, canvas_glyph(GLYPH_CHOSEN));
    put(f, row, NAME_COLUMN, NAME_COLUMNS, look, model->name);
    for (size_t c = 0; c < COLUMNS_SHOWN; c++) {
        const char *text = cells[c] ? cells[c] : sign_word(model->sign);
        unsigned width = columns_shown[c].width;
        size_t used = text_columns(text, strlen(text));
        unsigned skip = columns_shown[c].right && used < width
                            ? width - (unsigned) used
                            : 0;

        if (column_of(f, c) > 0)
            put(f, row, column_of(f, c) + skip, width - skip,
                cells[c] ? LOOK_PLAIN : sign, text);
    }
    if (model->in_use)
        put(f, row, 2, 1, LOOK_STRONG, "*");
    if (model->is_default)
        put(f, row, NAME_COLUMN + NAME_COLUMNS, 1, LOOK_STRONG, "d");
}

/* Draws as many rows as fit, so that the chosen one is seen. */
static void
draw_table(const struct models_frame *f, unsigned row, size_t height)
{
    struct view_models *view = f->view;
    size_t count = row_count(view), left = count_left(view, count);
    size_t at = count_left(view, view->chosen);

    view->height = height;
    if (at < view->top)
        view->top = at;
    if (height > 0 && at >= view->top + height)
        view->top = at - height + 1;
    if (view->top + height > left)
        view->top = left > height ? left - height : 0;
    if (left == 0) {
        put(f, row, NAME_COLUMN, 200, LOOK_DIM,
            count == 0 ? "no models were found" : "no model is called so");
        return;
    }
    size_t n = 0;

    for (size_t i = 0; i < count && n < view->top + height; i++) {
        if (!is_left(view, i))
            continue;
        if (n >= view->top)
            draw_row(f, row + (unsigned) (n - view->top), i);
        n++;
    }
}

/* -- what is known of one ---------------------------------------------------
 */

/* Bytes of a line of words in this room, at least one character. */
static size_t
fit_words(const char *text, size_t room)
{
    size_t length = strlen(text), n = text_fit(text, length, room, NULL);

    for (size_t i = n; n < length && i > 0; i--)
        if (text[i] == ' ') {
            n = i;
            break;
        }
    return n > 0 ? n : text_cluster(text, length, &(unsigned){0});
}

static const char *
after_words(const char *text, size_t n)
{
    return text + n + strspn(text + n, " ");
}

static size_t
words_room(const struct models_frame *f, unsigned column)
{
    return f->area.columns > column + 1 ? f->area.columns - column - 1 : 1;
}

static unsigned
count_rows(const struct models_frame *f, unsigned column, const char *text)
{
    unsigned rows = 0;

    for (; *text != '\0'; rows++)
        text = after_words(text, fit_words(text, words_room(f, column)));
    return rows;
}

/* Words in lines from a column on; returns the rows used. */
static unsigned
draw_words(const struct models_frame *f, unsigned row, unsigned end,
           unsigned column, enum look look, const char *text)
{
    unsigned first = row;
    size_t room = words_room(f, column);

    while (*text != '\0' && row < end) {
        size_t n = fit_words(text, room);

        canvas_put(f->canvas, row++, f->area.column + column, (unsigned) room,
                   look, text, n);
        text = after_words(text, n);
    }
    return row - first;
}

/* A label, and words beside it; returns the row after them. */
static unsigned
draw_line(const struct models_frame *f, unsigned row, unsigned end,
          unsigned column, const char *label, const char *text)
{
    if (row >= end)
        return row;
    unsigned used =
        draw_words(f, row, end, column + LABEL_COLUMNS, LOOK_PLAIN, text);

    canvas_put(f->canvas, row, f->area.column + column, LABEL_COLUMNS - 1,
               LOOK_DIM, label, strlen(label));
    return row + (used > 0 ? used : 1);
}

/* In the pane what each of them says, else their names. */
static unsigned
draw_presets(const struct models_frame *f, unsigned row, unsigned end,
             unsigned column)
{
    const struct models_source *source = &f->view->source;
    size_t count = source->preset_count(source->context);
    char text[200] = "";

    for (size_t i = 0; i < count; i++) {
        const struct model_preset *preset = source->preset(source->context, i);
        size_t used = strlen(text);

        if (f->is_wide) {
            snprintf(text, sizeof text, "%-9s %s", preset->name, preset->text);
            row = draw_line(f, row, end, column, i == 0 ? "presets" : "", text);
        } else {
            snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? ", " : "",
                     preset->name);
        }
    }
    if (!f->is_wide && count > 0)
        row = draw_line(f, row, end, column, "presets", text);
    return row;
}

static bool
is_shown(const struct models_frame *f, const struct model_line *line)
{
    return line->width == MODEL_ANY ||
           (line->width == MODEL_WIDE) == f->is_wide;
}

/* A paragraph of its own in the pane, where there is room. */
static unsigned
skip_row(const struct models_frame *f, unsigned row)
{
    return f->is_wide ? row + 1 : row;
}

static void
draw_detail(const struct models_frame *f, unsigned row, unsigned end,
            unsigned column)
{
    const struct view_models *view = f->view;

    if (!has_chosen(view) || row >= end)
        return;
    const struct model_detail *detail =
        view->source.detail(view->source.context, view->chosen);
    const char *remark = detail->remark;
    unsigned wanted = remark ? count_rows(f, column, remark) + 1 : 0;
    // why it is refused has its place before all else
    unsigned last = wanted < end - row ? end - wanted : row;

    for (size_t i = 0; i < detail->count; i++) {
        const struct model_line *line = &detail->lines[i];

        if (is_shown(f, line))
            row = line->label == NULL ? skip_row(f, row)
                                      : draw_line(f, row, last, column,
                                                  line->label, line->text);
    }
    row = draw_presets(f, skip_row(f, row), last, column);
    if (remark != NULL)
        draw_words(f, row + (row + 1 < end), end, column, LOOK_WARNING, remark);
}

/* The pane at the right, from 120 columns on. */
static void
draw_pane(const struct models_frame *f, unsigned row, unsigned end)
{
    const struct view_models *view = f->view;
    unsigned column = f->area.column + PANE_COLUMN;

    canvas_bar(f->canvas, row, column, end - row, LOOK_DIM);
    if (!has_chosen(view))
        return;
    const char *name = row_at(view, view->chosen)->name;

    canvas_put_cut(f->canvas, row, column + 3,
                   f->area.columns - PANE_COLUMN - 4, LOOK_STRONG, name);
    canvas_rule(f->canvas, row + 1, column + 2,
                f->area.columns - PANE_COLUMN - 3, LOOK_DIM);
    draw_detail(f, row + 2, end, PANE_COLUMN + 3);
}

/* -- the screen -------------------------------------------------------------
 */

static void
draw_title(const struct models_frame *f)
{
    const struct view_models *view = f->view;
    const char *room = view->source.room(view->source.context);
    const char *places = view->source.places(view->source.context);
    unsigned row = f->area.row, left = f->area.column;
    unsigned end = left + f->area.columns;

    static const char *const titles[] = {[MODELS_LIST] = "models",
                                         [MODELS_INFO] = "model",
                                         [MODELS_PRESETS] = "presets"};

    canvas_print(f->canvas, row, left + 1, f->area.columns, LOOK_TITLE, "%s",
                 titles[view->page]);
    if (f->is_wide && view->page != MODELS_PRESETS)
        canvas_print(f->canvas, row, left + 10, f->area.columns / 2, LOOK_PLAIN,
                     "%zu found in %s", row_count(view), places);
    if (f->area.columns > strlen(room) + 12 && view->page != MODELS_PRESETS)
        canvas_print_right(f->canvas, row, end, LOOK_PLAIN, "%s", room);
    if (f->area.rows > 1)
        canvas_rule(f->canvas, row + 1, left, f->area.columns, LOOK_DIM);
}

/* What can be done with the chosen one, as far as there is room. */
static const char *
list_keys(unsigned columns)
{
    if (columns >= WIDE_COLUMNS)
        return "Enter load   i full info   v verify now   s set default   "
               "P preset   / filter";
    return columns >= ROOMY_COLUMNS
               ? "Enter load  i info  v verify now  s set default  / filter"
               : "Enter load  i info  v verify  s default  / filter";
}

/* What was heard of verify, or nothing; then the keys, or the filter. */
static void
draw_foot(const struct models_frame *f)
{
    const struct view_models *view = f->view;
    unsigned last = f->area.row + f->area.rows - 1;
    unsigned left = f->area.column + 1, columns = f->area.columns;
    const char *news = view->source.news(view->source.context);
    const char *keys = list_keys(columns);

    if (news != NULL)
        canvas_put(f->canvas, last - 1, left, columns - 1, LOOK_PLAIN, news,
                   strlen(news));
    canvas_put(f->canvas, last, left, columns - 1, LOOK_DIM, keys,
               strlen(keys));
    if (view->filter[0] != '\0')
        canvas_print_right(f->canvas, last, f->area.column + columns,
                           LOOK_MATCH, "  filter: %.40s", view->filter);
    else if (columns > strlen(keys) + 9)
        canvas_print_right(f->canvas, last, f->area.column + columns, LOOK_DIM,
                           "q back");
}

static void
draw_list(const struct models_frame *f)
{
    unsigned row = f->area.row + (f->area.rows > 14 && f->is_wide ? 3 : 2);
    unsigned end = f->area.row + f->area.rows - 2; // of the foot
    unsigned rows = end > row + TABLE_HEAD ? end - row - TABLE_HEAD : 0;
    size_t left = count_left(f->view, row_count(f->view));

    if (f->is_wide && rows > 0)
        draw_pane(f, row, end);
    draw_head(f, row);
    if (!f->is_wide && rows > 2 * DETAIL_LEAST) {
        // the table takes what it needs, at most half; the rest tells of one
        unsigned table = left < rows / 2 ? (unsigned) left : rows / 2;

        if (table == 0)
            table = 1;
        draw_table(f, row + TABLE_HEAD, table);
        draw_detail(f, row + TABLE_HEAD + table + 1, end, 1);
    } else {
        draw_table(f, row + TABLE_HEAD, rows);
    }
    draw_foot(f);
}

/* The text of info, scrolled. */
static void
draw_info(const struct models_frame *f)
{
    struct view_models *view = f->view;
    bool ended = true;
    const char *text = view->source.info_text(view->source.context, &ended);
    unsigned row = f->area.row + 2, end = f->area.row + f->area.rows - 1;
    size_t line = 0;

    for (const char *at = text ? text : ""; *at != '\0'; line++) {
        size_t length = strcspn(at, "\n");

        if (line >= view->info_top && row < end)
            canvas_put(f->canvas, row++, f->area.column + 1,
                       f->area.columns - 1, LOOK_PLAIN, at, length);
        at += length + (at[length] == '\n');
    }
    view->info_size = line;
    if (!ended)
        canvas_print(f->canvas, row < end ? row : end, f->area.column + 1,
                     f->area.columns - 1, LOOK_DIM, "looking into the file");
    canvas_print_right(f->canvas, end, f->area.column + f->area.columns,
                       LOOK_DIM, "q back");
}

static const char no_presets[] =
    "there are no presets; [preset.NAME] in fathom.conf makes one";

/* Each with what it says, and at the end the way to ask without one. */
static void
draw_preset_list(const struct models_frame *f)
{
    struct view_models *view = f->view;
    const struct models_source *source = &view->source;
    unsigned row = f->area.row + 2, last = f->area.row + f->area.rows - 1;
    size_t count = source->preset_count(source->context), top = 0;

    view->height = last > row + 1 ? last - row - 1 : 0;
    if (view->preset >= view->height)
        top = view->preset - view->height + 1;
    for (size_t i = top; i <= count && row + 1 < last; i++, row++) {
        const struct model_preset none = {"none", "as this chat began", false},
                                  *preset = &none;
        enum look look = i == view->preset ? LOOK_CHOSEN : LOOK_PLAIN;

        if (i < count)
            preset = source->preset(source->context, i);
        if (i == view->preset)
            put(f, row, 1, 1, LOOK_STRONG, canvas_glyph(GLYPH_CHOSEN));
        if (preset->in_use)
            put(f, row, 2, 1, LOOK_STRONG, "*");
        canvas_put(f->canvas, row, f->area.column + NAME_COLUMN, NAME_COLUMNS,
                   look, preset->name, strlen(preset->name));
        canvas_put(
            f->canvas, row, f->area.column + NAME_COLUMN + NAME_COLUMNS + 2,
            f->area.columns, LOOK_PLAIN, preset->text, strlen(preset->text));
    }
    if (count == 0)
        put(f, row, NAME_COLUMN, 200, LOOK_DIM, no_presets);
    put(f, last, 1, 200, LOOK_DIM, "Enter ask with it   * in use");
    canvas_print_right(f->canvas, last, f->area.column + f->area.columns,
                       LOOK_DIM, "q back");
}

static void
models_draw(void *state, struct canvas *canvas, struct area area,
            uint64_t now_ns)
{
    struct models_frame f = {state, canvas, area, area.columns >= WIDE_COLUMNS};

    (void) now_ns;
    canvas_clear(canvas, area);
    if (area.rows == 0 || area.columns == 0)
        return;
    settle(f.view);
    draw_title(&f);
    if (area.rows < 5)
        return;
    if (f.view->page == MODELS_INFO)
        draw_info(&f);
    else if (f.view->page == MODELS_PRESETS)
        draw_preset_list(&f);
    else
        draw_list(&f);
}

/* -- keys -------------------------------------------------------------------
 */

static void
move(struct view_models *view, int64_t by)
{
    size_t left = count_left(view, row_count(view));
    size_t at = count_left(view, view->chosen);

    if (left == 0)
        return;
    if (by < 0)
        at = at > (uint64_t) -by ? at - (size_t) -by : 0;
    else
        at = left - 1 - at > (uint64_t) by ? at + (size_t) by : left - 1;
    view->chosen = left_at(view, at);
}

static void
scroll_info(struct view_models *view, int64_t by)
{
    size_t last = view->info_size > 0 ? view->info_size - 1 : 0;

    if (by < 0)
        view->info_top =
            view->info_top > (uint64_t) -by ? view->info_top - (size_t) -by : 0;
    else
        view->info_top =
            last > view->info_top && last - view->info_top > (uint64_t) by
                ? view->info_top + (size_t) by
                : last;
}

static void
move_preset(struct view_models *view, int64_t by)
{
    // the last row is to ask without one
    size_t last = view->source.preset_count(view->source.context);

    if (by < 0)
        view->preset =
            view->preset > (uint64_t) -by ? view->preset - (size_t) -by : 0;
    else
        view->preset = last - view->preset > (uint64_t) by
                           ? view->preset + (size_t) by
                           : last;
}

static bool
go(struct view_models *view, int64_t by)
{
    if (view->page == MODELS_INFO)
        scroll_info(view, by);
    else if (view->page == MODELS_PRESETS)
        move_preset(view, by);
    else
        move(view, by);
    return true;
}

/* A command with its argument. */
static void
order(struct view_models *view, const char *command, const char *argument)
{
    char line[400];
    int n = snprintf(line, sizeof line, "%s %s", command, argument);

    if (n > 0 && (size_t) n < sizeof line)
        view->post(view->post_context, line);
}

static void
show_presets(struct view_models *view)
{
    size_t count = view->source.preset_count(view->source.context);

    view->page = MODELS_PRESETS;
    view->preset = 0;
    for (size_t i = 0; i < count; i++)
        if (view->source.preset(view->source.context, i)->in_use)
            view->preset = i;
}

static void
choose_preset(struct view_models *view)
{
    size_t count = view->source.preset_count(view->source.context);

    view->page = MODELS_LIST;
    order(view, "/preset",
          view->preset < count
              ? view->source.preset(view->source.context, view->preset)->name
              : "none");
}

/* What is done with the chosen one, where there is one. */
static bool
act_on_chosen(struct view_models *view, enum action action)
{
    settle(view);
    if (view->page == MODELS_PRESETS && action == ACTION_CHOOSE) {
        choose_preset(view);
        return true;
    }
    if (!has_chosen(view) || view->page != MODELS_LIST)
        return true;
    const char *name = row_at(view, view->chosen)->name;

    if (action == ACTION_CHOOSE)
        order(view, "/model", name);
    else if (action == ACTION_DEFAULT)
        order(view, "/set --keep model.default", name);
    else if (action == ACTION_VERIFY)
        view->source.verify(view->source.context, view->chosen);
    else {
        view->page = MODELS_INFO;
        view->info_top = view->info_size = 0;
        view->source.info(view->source.context, view->chosen);
    }
    return true;
}

static bool
models_act(void *state, enum action action, int count)
{
    struct view_models *view = state;
    int64_t n = count < 1 ? 1 : count;
    int64_t page = view->height > 1 ? (int64_t) view->height - 1 : 1;

    switch ((int) action) {
    case ACTION_LINE_DOWN:
        return go(view, n);
    case ACTION_LINE_UP:
        return go(view, -n);
    case ACTION_PAGE_DOWN:
        return go(view, n * page);
    case ACTION_PAGE_UP:
        return go(view, -n * page);
    case ACTION_TOP:
        return go(view, -INT32_MAX);
    case ACTION_BOTTOM:
        return go(view, INT32_MAX);
    case ACTION_CHOOSE:
    case ACTION_VERIFY:
    case ACTION_INFO:
    case ACTION_DEFAULT:
        return act_on_chosen(view, action);
    case ACTION_PRESET:
        show_presets(view);
        return true;
    case ACTION_BACK:
    case ACTION_MODEL:
        if (view->page != MODELS_LIST && action == ACTION_BACK)
            view->page = MODELS_LIST;
        else
            view->post(view->post_context, NULL);
        return true;
    default:
        return false;
    }
}

static void
models_filter(void *state, const char *text)
{
    struct view_models *view = state;

    snprintf(view->filter, sizeof view->filter, "%s", text ? text : "");
    settle(view);
}

static bool
models_work(void *state, uint64_t now_ns)
{
    struct view_models *view = state;

    (void) now_ns;
    return view->source.work(view->source.context);
}

static const char *
models_hint(void *state, unsigned columns)
{
    (void) state;
    return columns >= 76 ? "* in use, d default; speeds are of this machine's "
                           "own runs, - before any"
                         : "* in use, d default; speeds: of own runs";
}

static const struct view_ops models_ops = {
    .name = "model",
    .map = MAP_LIST,
    .draw = models_draw,
    .act = models_act,
    .filter = models_filter,
    .hint = models_hint,
    .work = models_work,
};

void
view_models_start(struct view_models *view, const struct models_source *source,
                  view_post_fn *post, void *post_context, struct view *out)
{
    *view = (struct view_models){
        .source = *source, .post = post, .post_context = post_context};
    *out = (struct view){.ops = &models_ops, .state = view};
}
