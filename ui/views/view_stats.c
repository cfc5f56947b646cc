/*
 * Lines in one column, or in two on wide screens. What is drawn is counted in
 * lines from the top of the sheet; only those in sight reach the canvas.
 */
#include "config.h"

#include "ui/views/view_stats.h"

#include <stdio.h>
#include <string.h>

enum {
    WIDE_COLUMNS = 120,
    LABEL_COLUMNS = 13,
    BAR_LABEL = 7,
    BAR_RATE = 7,
    BAR_MOST = 40,
    BAR_LEAST = 8,
};

/* A column of the sheet that is being drawn. */
struct stats_column {
    struct canvas *canvas;
    struct area area; // that it shows through
    size_t top;       // the line that is in the first row
    size_t line;      // the next one
};

static bool
row_of(const struct stats_column *c, unsigned *row)
{
    if (c->line < c->top || c->line - c->top >= c->area.rows)
        return false;
    *row = c->area.row + (unsigned) (c->line - c->top);
    return true;
}

static void
put(const struct stats_column *c, unsigned column, enum look look,
    const char *text, size_t length)
{
    unsigned row;

    if (row_of(c, &row) && column < c->area.columns)
        canvas_put(c->canvas, row, c->area.column + column,
                   c->area.columns - column, look, text, length);
}

/* Bytes of the next line of `text` that fits, cut between words. */
static size_t
line_bytes(const char *text, size_t columns)
{
    size_t length = strlen(text), fit = text_fit(text, length, columns, NULL);

    if (fit == length)
        return fit;
    for (size_t i = fit; i > 0; i--)
        if (text[i] == ' ')
            return i;
    return fit > 0 ? fit : text_cluster(text, length, &(unsigned){0});
}

/* Words in lines, from this column on. */
static void
put_words(struct stats_column *c, unsigned column, enum look look,
          const char *text)
{
    size_t room = c->area.columns > column ? c->area.columns - column : 1;

    do {
        size_t n = line_bytes(text, room);

        put(c, column, look, text, n);
        c->line++;
        text += n;
        text += strspn(text, " ");
    } while (*text != '\0');
}

static void
put_part(struct stats_column *c, const struct stats_part *part)
{
    put(c, 1, LOOK_HEADING, part->title, strlen(part->title));
    c->line++;
    for (size_t i = 0; i < part->count; i++) {
        const struct stats_row *row = &part->rows[i];

        put(c, 3, LOOK_DIM, row->label, strlen(row->label));
        put_words(c, 3 + LABEL_COLUMNS, LOOK_PLAIN, row->value);
    }
    c->line++;
}

static void
put_why(struct stats_column *c, const struct stats_sheet *sheet)
{
    char title[100];

    if (sheet->why == NULL)
        return;
    int n = snprintf(title, sizeof title, "why slow: %s", sheet->why);

    put(c, 1, LOOK_HEADING, title,
        (size_t) n < sizeof title ? (size_t) n : sizeof title - 1);
    c->line++;
    put_words(c, 3, LOOK_PLAIN, sheet->reason);
    c->line++;
}

static double
fastest(const struct stats_sheet *sheet)
{
    double most = 0;

    for (size_t i = 0; i < sheet->bar_count; i++)
        if (sheet->bars[i].rate > most)
            most = sheet->bars[i].rate;
    return most;
}

/* "14:02   13.8 ########      611 tokens" */
static void
put_bar(struct stats_column *c, const struct stats_bar *bar, double most,
        unsigned width)
{
    unsigned full = most > 0 && bar->rate > 0
                        ? (unsigned) (bar->rate / most * width + 0.5)
                        : 0;
    char rate[24];
    unsigned column = 3 + BAR_LABEL + BAR_RATE;
    int n =
        snprintf(rate, sizeof rate, "%*.*f", BAR_RATE - 1,
                 bar->rate < 99.95 ? 1 : 0, bar->rate < 1e6 ? bar->rate : 1e6);

    put(c, 3, LOOK_DIM, bar->label, strlen(bar->label));
    put(c, 3 + BAR_LABEL, LOOK_PLAIN, rate, n > 0 ? (size_t) n : 0);
    for (unsigned i = 0; i < full && i < width; i++)
        put(c, column + i, LOOK_PLAIN, canvas_glyph(GLYPH_FULL),
            strlen(canvas_glyph(GLYPH_FULL)));
    put(c, column + width + 1, LOOK_DIM, bar->more, strlen(bar->more));
    c->line++;
}

static void
put_bars(struct stats_column *c, const struct stats_sheet *sheet)
{
    unsigned around = 3 + BAR_LABEL + BAR_RATE + 18;
    unsigned width = c->area.columns > around + BAR_LEAST
                         ? c->area.columns - around
                         : BAR_LEAST;

    if (sheet->bar_count == 0)
        return;
    put(c, 1, LOOK_HEADING, sheet->bars_title, strlen(sheet->bars_title));
    c->line++;
    for (size_t i = 0; i < sheet->bar_count; i++)
        put_bar(c, &sheet->bars[i], fastest(sheet),
                width < BAR_MOST ? width : BAR_MOST);
    c->line++;
}

static void
draw_title(const struct stats_sheet *sheet, struct canvas *canvas,
           struct area area)
{
    unsigned at = area.column + 1, end = area.column + area.columns;
    unsigned right =
        sheet->right
            ? (unsigned) text_columns(sheet->right, strlen(sheet->right))
            : 0;

    at += 2 + canvas_print(canvas, area.row, at, area.columns, LOOK_TITLE,
                           "statistics");
    if (sheet->subject && at < end)
        canvas_put(canvas, area.row, at,
                   end - at > right + 2 ? end - at - right - 2 : end - at,
                   LOOK_PLAIN, sheet->subject, strlen(sheet->subject));
    if (right > 0 && end > at + right + 12)
        canvas_print_right(canvas, area.row, end, LOOK_DIM, "%s", sheet->right);
    if (area.rows > 1)
        canvas_rule(canvas, area.row + 1, area.column, area.columns, LOOK_DIM);
}

/* All in one column: why, the first part, the bars, the other parts. */
static size_t
draw_narrow(const struct stats_sheet *sheet, struct stats_column *c)
{
    put_why(c, sheet);
    for (size_t i = 0; i < sheet->part_count; i++) {
        put_part(c, &sheet->parts[i]);
        if (i == 0)
            put_bars(c, sheet);
    }
    return c->line;
}

/* Why and bars at the left, the parts at the right. */
static size_t
draw_wide(const struct stats_sheet *sheet, struct stats_column *left)
{
    struct stats_column right = *left;
    unsigned half = left->area.columns / 2;

    left->area.columns = half - 1;
    right.area.column += half + 1;
    right.area.columns -= half + 1;
    canvas_bar(left->canvas, left->area.row, left->area.column + half,
               left->area.rows, LOOK_DIM);
    put_why(left, sheet);
    if (sheet->part_count > 0)
        put_part(left, &sheet->parts[0]);
    put_bars(left, sheet);
    for (size_t i = 1; i < sheet->part_count; i++)
        put_part(&right, &sheet->parts[i]);
    return left->line > right.line ? left->line : right.line;
}

/* The first line where the last one is shown; a blank ends the last part. */
static size_t
last_top(const struct view_stats *view)
{
    return view->lines > view->height + 1 ? view->lines - view->height - 1 : 0;
}

static void
draw_parts(struct view_stats *view, const struct stats_sheet *sheet,
           struct canvas *canvas, struct area area)
{
    struct stats_column c = {canvas, area, view->top, 0};

    canvas_clear(canvas, area);
    view->height = area.rows;
    view->lines = area.columns >= WIDE_COLUMNS ? draw_wide(sheet, &c)
                                               : draw_narrow(sheet, &c);
}

static void
stats_draw(void *state, struct canvas *canvas, struct area area,
           uint64_t now_ns)
{
    struct view_stats *view = state;

    canvas_clear(canvas, area);
    if (area.rows == 0 || area.columns == 0)
        return;
    const struct stats_sheet *sheet =
        view->source.sheet(view->source.context, now_ns);

    draw_title(sheet, canvas, area);
    if (area.rows < 3)
        return;
    unsigned gap = area.rows > 12 ? 3 : 2; // title, rule, a blank
    struct area inside = {area.row + gap, area.column, area.rows - gap,
                          area.columns};

    draw_parts(view, sheet, canvas, inside);
    // another size, or another answer, may leave less to show
    if (view->top > last_top(view)) {
        view->top = last_top(view);
        draw_parts(view, sheet, canvas, inside);
    }
    // a blank ends the last part
    if (view->lines > view->top + view->height + 1)
        canvas_print_right(canvas, area.row + area.rows - 1,
                           area.column + area.columns, LOOK_DIM, " %s more",
                           canvas_glyph(GLYPH_MORE));
}

static void
scroll(struct view_stats *view, int64_t by)
{
    size_t last = last_top(view);

    if (by < 0)
        view->top = view->top > (uint64_t) -by ? view->top - (size_t) -by : 0;
    else
        view->top = last - view->top > (uint64_t) by && last > view->top
                        ? view->top + (size_t) by
                        : last;
}

static bool
stats_act(void *state, enum action action, int count)
{
    struct view_stats *view = state;
    int64_t n = count < 1 ? 1 : count;
    int64_t page = view->height > 1 ? (int64_t) view->height - 1 : 1;

    switch ((int) action) {
    case ACTION_LINE_DOWN:
        scroll(view, n);
        return true;
    case ACTION_LINE_UP:
        scroll(view, -n);
        return true;
    case ACTION_PAGE_DOWN:
        scroll(view, n * page);
        return true;
    case ACTION_PAGE_UP:
        scroll(view, -n * page);
        return true;
    case ACTION_TOP:
        view->top = 0;
        return true;
    case ACTION_BOTTOM:
        scroll(view, (int64_t) view->lines);
        return true;
    case ACTION_STATS:
    case ACTION_BACK:
        view->post(view->post_context, NULL);
        return true;
    default:
        return false;
    }
}

static const char *
stats_hint(void *state, unsigned columns)
{
    (void) state;
    (void) columns;
    return "F1 help  F7 close  j k move  q back";
}

static const struct view_ops stats_ops = {
    .name = "stats",
    .map = MAP_LIST,
    .draw = stats_draw,
    .act = stats_act,
    .hint = stats_hint,
};

void
view_stats_start(struct view_stats *view, const struct stats_source *source,
                 view_post_fn *post, void *post_context, struct view *out)
{
    *view = (struct view_stats){
        .source = *source, .post = post, .post_context = post_context};
    *out = (struct view){.ops = &stats_ops, .state = view};
}
