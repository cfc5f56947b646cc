/* Steps, plan, log. */
#include "config.h"

#include "ui/views/view_loading.h"

#include <stdio.h>
#include <string.h>

enum {
    WIDE_COLUMNS = 120,
    // narrow
    STEP_BAR = 32,
    NAME_COLUMN = 5,
    WHAT_COLUMN = 17,
    SIZE_END = 66, // of "20.8 / 33.5 GB"
    TIME_COLUMN = 67,
    // wide
    WIDE_BAR = 48,
    WIDE_WHAT = 19,
    WIDE_SIZE_END = 84,
    WIDE_RATE = 87,
    WIDE_ELAPSED = 98,
    WIDE_LEFT = 108,
    PLAN_LABEL = 10,
};

struct sheet_frame {
    const struct loading_sheet *sheet;
    struct canvas *canvas;
    struct area area;
    unsigned row, end; // the next row; one behind the last that may be used
    bool is_wide;
};

static unsigned
columns_from(const struct sheet_frame *f, unsigned column)
{
    return f->area.columns > column ? f->area.columns - column : 0;
}

/* Text at a column of the area, cut at its edge or before `limit`. */
static void
put_at(const struct sheet_frame *f, unsigned column, unsigned limit,
       enum look look, const char *text)
{
    unsigned room = columns_from(f, column);

    canvas_put(f->canvas, f->row, f->area.column + column,
               limit < room ? limit : room, look, text, strlen(text));
}

static void
put_end(const struct sheet_frame *f, unsigned end, enum look look,
        const char *text)
{
    if (end <= f->area.columns)
        canvas_print_right(f->canvas, f->row, f->area.column + end, look, "%s",
                           text);
}

/* "1.4 s", "2:05"; or "-" */
static const char *
seconds(char out[24], double s)
{
    if (s < 0)
        snprintf(out, 24, "-");
    else if (s < 9.95)
        snprintf(out, 24, "%.1f s", s);
    else if (s < 99.5)
        snprintf(out, 24, "%.0f s", s);
    else if (s < 360000)
        snprintf(out, 24, "%u:%02u min", (unsigned) s / 60, (unsigned) s % 60);
    else
        snprintf(out, 24, "days");
    return out;
}

static const char *
state_word(enum loading_state state)
{
    static const char *const words[] = {
        [LOADING_WAITS] = "waiting", [LOADING_RUNS] = "",
        [LOADING_DONE] = "",         [LOADING_SKIPPED] = "skipped",
        [LOADING_FAILED] = "failed",
    };

    return words[state];
}

static enum look
state_look(enum loading_state state)
{
    return state == LOADING_WAITS || state == LOADING_SKIPPED ? LOOK_DIM
           : state == LOADING_FAILED                          ? LOOK_WARNING
                                                              : LOOK_PLAIN;
}

static void
draw_what(const struct sheet_frame *f, const struct loading_step *step,
          unsigned column, unsigned bar, unsigned limit)
{
    if (step->measured && columns_from(f, column) > bar)
        canvas_progress(f->canvas, f->row, f->area.column + column, bar,
                        step->share);
    else
        put_at(f, column, limit, state_look(step->state), step->what);
}

/* What does not stand beside a bar stands below it. */
static void
draw_below(struct sheet_frame *f, const struct loading_step *step,
           unsigned column)
{
    if (!step->measured || step->what[0] == '\0' || f->row >= f->end)
        return;
    put_at(f, column, columns_from(f, column), LOOK_DIM, step->what);
    f->row++;
}

/* " 4 read   [####....]  20.8 / 33.5 GB  6.9 GB/s", what is left below. */
static void
draw_step_narrow(struct sheet_frame *f, size_t i)
{
    const struct loading_step *step = &f->sheet->steps[i];
    char text[24], number[8];
    bool roomy = f->area.columns >= 76;
    bool ready = step->state == LOADING_DONE || step->rate[0] == '\0';

    snprintf(number, sizeof number, "%u", (unsigned) (i + 1) % 100);
    put_at(f, 3, 2, LOOK_DIM, number);
    put_at(f, NAME_COLUMN, WHAT_COLUMN - NAME_COLUMN, state_look(step->state),
           step->name);
    draw_what(f, step, WHAT_COLUMN, roomy ? STEP_BAR : STEP_BAR / 2,
              roomy ? TIME_COLUMN - WHAT_COLUMN - 1
                    : columns_from(f, WHAT_COLUMN + 10));
    if (roomy)
        put_end(f, SIZE_END, LOOK_PLAIN, step->measured ? step->size : "");
    const char *last = state_word(step->state)[0] != '\0'
                           ? state_word(step->state)
                       : ready ? seconds(text, step->elapsed_s)
                               : step->rate;

    if (strcmp(step->what, last) != 0)
        put_end(f, roomy ? 77 : f->area.columns, state_look(step->state), last);
    f->row++;
    draw_below(f, step, WHAT_COLUMN);
}

static void
draw_step_wide(struct sheet_frame *f, size_t i)
{
    const struct loading_step *step = &f->sheet->steps[i];
    char text[24], number[8];

    snprintf(number, sizeof number, "%u", (unsigned) (i + 1) % 100);
    put_at(f, 3, 2, LOOK_DIM, number);
    put_at(f, NAME_COLUMN, WIDE_WHAT - NAME_COLUMN, state_look(step->state),
           step->name);
    draw_what(f, step, WIDE_WHAT, WIDE_BAR, WIDE_SIZE_END - WIDE_WHAT - 15);
    put_end(f, WIDE_SIZE_END, LOOK_PLAIN, step->size);
    put_at(f, WIDE_RATE, 10, LOOK_PLAIN,
           step->rate[0] != '\0' ? step->rate : state_word(step->state));
    if (step->state != LOADING_WAITS) {
        put_at(f, WIDE_ELAPSED, 9, LOOK_PLAIN, seconds(text, step->elapsed_s));
        put_at(f, WIDE_LEFT, 9, LOOK_PLAIN, seconds(text, step->left_s));
    }
    f->row++;
    draw_below(f, step, WIDE_WHAT);
}

static void
draw_steps(struct sheet_frame *f)
{
    if (f->is_wide && f->row + 2 < f->end) {
        put_at(f, 3, 20, LOOK_DIM, "step");
        put_at(f, WIDE_WHAT, 20, LOOK_DIM, "what");
        put_end(f, WIDE_SIZE_END, LOOK_DIM, "done / size");
        put_at(f, WIDE_RATE, 10, LOOK_DIM, "rate");
        put_at(f, WIDE_ELAPSED, 10, LOOK_DIM, "elapsed");
        put_at(f, WIDE_LEFT, 10, LOOK_DIM, "eta");
        f->row++;
        canvas_rule(f->canvas, f->row, f->area.column + 3,
                    columns_from(f, 3) < 131 ? columns_from(f, 3) : 131,
                    LOOK_DIM);
        f->row++;
    }
    for (size_t i = 0; i < f->sheet->step_count && f->row < f->end; i++)
        if (f->is_wide)
            draw_step_wide(f, i);
        else
            draw_step_narrow(f, i);
}

static void
draw_total(struct sheet_frame *f)
{
    const struct loading_sheet *sheet = f->sheet;
    unsigned column = f->is_wide ? WIDE_WHAT : WHAT_COLUMN;
    unsigned bar = f->is_wide              ? WIDE_BAR
                   : f->area.columns >= 76 ? STEP_BAR
                                           : STEP_BAR / 2;
    char text[60], eta[24];

    if (sheet->share < 0 || f->row + 1 >= f->end)
        return;
    f->row++;
    put_at(f, 3, 10, LOOK_STRONG, "total");
    if (columns_from(f, column) > bar)
        canvas_progress(f->canvas, f->row, f->area.column + column, bar,
                        sheet->share);
    snprintf(text, sizeof text, "%.0f %%", 100 * sheet->share);
    put_at(f, column + bar + 2, 8, LOOK_STRONG, text);
    if (f->is_wide) {
        put_at(f, WIDE_ELAPSED, 9, LOOK_PLAIN, seconds(text, sheet->elapsed_s));
        put_at(f, WIDE_LEFT, 9, LOOK_PLAIN, seconds(text, sheet->left_s));
    } else if (sheet->left_s >= 0) {
        snprintf(text, sizeof text, "eta %s", seconds(eta, sheet->left_s));
        put_at(f, column + bar + 9, 20, LOOK_PLAIN, text);
    }
    f->row++;
}

static void
draw_lines(struct sheet_frame *f, const char *title,
           const struct loading_line *lines, size_t count)
{
    if (count == 0 || f->row + 1 >= f->end)
        return;
    f->row++;
    unsigned left = 3;

    if (f->is_wide) {
        put_at(f, left, 40, LOOK_HEADING, title);
        f->row++;
    } else {
        put_at(f, left, 6, LOOK_HEADING, title);
        left = 10;
    }
    for (size_t i = 0; i < count && f->row < f->end; i++) {
        put_at(f, left, PLAN_LABEL, LOOK_DIM, lines[i].label);
        put_at(f, left + PLAN_LABEL, columns_from(f, left + PLAN_LABEL),
               LOOK_PLAIN, lines[i].text);
        f->row++;
    }
}

/* The newest lines that there is room for. */
static void
draw_log(struct sheet_frame *f)
{
    const struct loading_sheet *sheet = f->sheet;
    size_t room = f->end > f->row + 3 ? f->end - f->row - 3 : 0;
    size_t count = sheet->log_count < room ? sheet->log_count : room;

    if (f->is_wide)
        draw_lines(f, "Log", sheet->log + (sheet->log_count - count), count);
}

static void
draw_title(struct sheet_frame *f)
{
    const struct loading_sheet *sheet = f->sheet;
    char text[300];

    snprintf(text, sizeof text, "loading %s", sheet->model ? sheet->model : "");
    put_at(f, 1, 7, LOOK_TITLE, "fathom");
    size_t right =
        sheet->right ? text_columns(sheet->right, strlen(sheet->right)) : 0;
    unsigned room = columns_from(f, 9);

    put_at(f, 9, room > right + 2 ? room - (unsigned) right - 2 : room,
           LOOK_PLAIN, text);
    if (room > right + 12)
        put_end(f, f->area.columns, LOOK_DIM, sheet->right ? sheet->right : "");
    f->row++;
    if (f->row < f->area.row + f->area.rows)
        canvas_rule(f->canvas, f->row, f->area.column, f->area.columns,
                    LOOK_DIM);
    f->row += 2;
}

/* What waits, and that one can type: the last lines of the area. */
static void
draw_foot(struct sheet_frame *f)
{
    static const char *const hints[] = {
        "you can type already; it is sent when the model is ready",
        "you can type already; the message goes out when the model is ready",
    };
    unsigned last = f->area.row + f->area.rows - 1;
    char text[300];
    unsigned columns = f->area.columns;

    f->row = last;
    put_at(f, 1, columns, LOOK_DIM, hints[columns >= 76]);
    if (columns >= 80 && f->sheet->keys)
        put_end(f, columns, LOOK_DIM, f->sheet->keys);
    if (f->sheet->queued == NULL || f->area.rows < 4)
        return;
    f->row = last - 1;
    snprintf(text, sizeof text, "queued: \"%.250s\"", f->sheet->queued);
    put_at(f, 1, columns_from(f, 1), LOOK_PLAIN, text);
}

static void
loading_draw(void *state, struct canvas *canvas, struct area area,
             uint64_t now_ns)
{
    struct view_loading *view = state;
    struct sheet_frame f = {.canvas = canvas,
                            .area = area,
                            .row = area.row,
                            .is_wide = area.columns >= WIDE_COLUMNS};

    canvas_clear(canvas, area);
    if (area.rows == 0 || area.columns == 0)
        return;
    f.sheet = view->source.sheet(view->source.context, now_ns);
    f.end = area.row + area.rows;
    draw_title(&f);
    if (area.rows < 4)
        return;
    f.end -= f.sheet->queued ? 2 : 1;
    draw_steps(&f);
    draw_total(&f);
    draw_lines(&f, f.is_wide ? "Placement plan" : "Plan", f.sheet->plan,
               f.sheet->plan_count);
    draw_log(&f);
    if (f.sheet->remark != NULL && f.row + 1 < f.end) {
        f.row++;
        put_at(&f, 3, columns_from(&f, 3), LOOK_DIM, f.sheet->remark);
    }
    draw_foot(&f);
}

static bool
loading_act(void *state, enum action action, int count)
{
    struct view_loading *view = state;

    (void) count;
    if (action != ACTION_BACK && action != ACTION_FOCUS)
        return false;
    view->post(view->post_context, NULL);
    return true;
}

static const char *
loading_hint(void *state, unsigned columns)
{
    (void) state;
    return columns >= 76 ? "F1 help  F2 history  F3 model  F4 experts  "
                           "F6 leaves this screen"
                         : "F1 help  F2 history  F3 model  "
                           "F6 leaves this screen";
}

static const struct view_ops loading_ops = {
    .name = "loading",
    .map = MAP_INPUT, // one can type already
    .draw = loading_draw,
    .act = loading_act,
    .hint = loading_hint,
};

void
view_loading_start(struct view_loading *view,
                   const struct loading_source *source, view_post_fn *post,
                   void *post_context, struct view *out)
{
    *view = (struct view_loading){
        .source = *source, .post = post, .post_context = post_context};
    *out = (struct view){.ops = &loading_ops, .state = view};
}
