/* The box is as high as what is in it, and stands where the eye is. */
#include "config.h"

#include "ui/views/view_unlock.h"

#include <stdlib.h>
#include <string.h>

enum {
    WIDE = 120,
    BOX = 60, // columns
    BOX_WIDE = 78,
    ROOMY = 22, // rows from which on there are blank lines
    EDGE = 3,
    PROGRESS = 14, // columns, with brackets
    PROGRESS_WIDE = 22,
    LABEL = 13,
    LABEL_WIDE = 14,
};

struct view_unlock {
    struct unlock_source source;
};

/* Where the next line goes. */
struct pen {
    struct canvas *canvas;
    struct area area;
    unsigned row, column, columns; // of the box
    unsigned label;
    bool roomy;
};

static void
put(const struct pen *pen, unsigned column, enum look look, const char *text)
{
    canvas_put(pen->canvas, pen->row, pen->column + column,
               pen->columns > column + 1 ? pen->columns - column - 1 : 0, look,
               text, strlen(text));
}

static void
put_right(const struct pen *pen, enum look look, const char *text)
{
    canvas_print_right(pen->canvas, pen->row, pen->column + pen->columns - EDGE,
                       look, "%s", text);
}

static void
edge(struct pen *pen, enum glyph left, enum glyph right)
{
    unsigned last = pen->column + pen->columns - 1;

    canvas_rule(pen->canvas, pen->row, pen->column, pen->columns, LOOK_DIM);
    canvas_print(pen->canvas, pen->row, pen->column, 1, LOOK_DIM, "%s",
                 canvas_glyph(left));
    canvas_print(pen->canvas, pen->row, last, 1, LOOK_DIM, "%s",
                 canvas_glyph(right));
    pen->row++;
}

static void
next(struct pen *pen)
{
    canvas_bar(pen->canvas, pen->row, pen->column, 1, LOOK_DIM);
    canvas_bar(pen->canvas, pen->row, pen->column + pen->columns - 1, 1,
               LOOK_DIM);
    pen->row++;
}

static void
blank(struct pen *pen)
{
    if (pen->roomy)
        next(pen);
}

static void
put_passphrase(struct pen *pen, const struct unlock_sheet *sheet)
{
    unsigned at = EDGE + pen->label, taken = 0;

    put(pen, EDGE, LOOK_STRONG, "passphrase");
    if (sheet->shown != NULL) {
        unsigned room =
            pen->columns > at + EDGE + 1 ? pen->columns - at - EDGE - 1 : 0;
        const char *text = sheet->shown;
        size_t length = sheet->shown_length, columns;
        unsigned first;

        // its end is where the keys go to
        for (columns = text_columns(text, length); columns > room && length;) {
            size_t n = text_cluster(text, length, &first);

            text += n;
            length -= n;
            columns -= first;
        }
        taken = canvas_put(pen->canvas, pen->row, pen->column + at, room,
                           LOOK_STRONG, text, length);
    }
    canvas_cursor(pen->canvas, pen->row, pen->column + at + taken);
    next(pen);
}

static void
put_keys(struct pen *pen, const struct unlock_sheet *sheet)
{
    unsigned second = EDGE + (pen->columns > BOX ? 21 : 18);
    unsigned third = second + (pen->columns > BOX ? 21 : 17);
    const char *see = sheet->seen ? "F3 hide typing" : "F3 show typing";

    put(pen, EDGE, LOOK_CODE, "Enter unlock");
    put(pen, second, LOOK_CODE, sheet->key_file ? "F2 key file" : see);
    if (sheet->key_file)
        put(pen, third, LOOK_CODE, see);
    next(pen);
    if (sheet->ephemeral)
        put(pen, EDGE, LOOK_CODE, "F4 ephemeral session, nothing is kept");
    if (sheet->leave != NULL)
        put_right(pen, LOOK_CODE, sheet->leave);
    next(pen);
}

static void
put_deriving(struct pen *pen, const struct unlock_sheet *sheet)
{
    unsigned bar = pen->columns > BOX ? PROGRESS_WIDE : PROGRESS;
    unsigned end = pen->column + pen->columns - EDGE;

    if (sheet->cost != NULL)
        put(pen, EDGE, LOOK_DIM, sheet->cost);
    if (sheet->measured && pen->columns > bar + 2 * EDGE + LABEL) {
        canvas_print_right(pen->canvas, pen->row, end - bar - 1, LOOK_STRONG,
                           "%s", sheet->deriving);
        canvas_progress(pen->canvas, pen->row, end - bar, bar, sheet->share);
    } else if (sheet->deriving != NULL) {
        put_right(pen, LOOK_STRONG, sheet->deriving);
    }
    next(pen);
}

static void
put_box(struct pen *pen, const struct unlock_sheet *sheet)
{
    edge(pen, GLYPH_TOP_LEFT, GLYPH_TOP_RIGHT);
    put(pen, EDGE, LOOK_TITLE, sheet->title);
    next(pen);
    blank(pen);
    for (size_t i = 0; i < sheet->fact_count; i++) {
        put(pen, EDGE, LOOK_DIM, sheet->facts[i].label);
        put(pen, EDGE + pen->label, LOOK_PLAIN, sheet->facts[i].text);
        next(pen);
    }
    blank(pen);
    put_passphrase(pen, sheet);
    blank(pen);
    put_deriving(pen, sheet);
    blank(pen);
    put_keys(pen, sheet);
    edge(pen, GLYPH_BOTTOM_LEFT, GLYPH_BOTTOM_RIGHT);
}

/* Text below the box, wrapped at blanks. */
static void
put_below(struct pen *pen, enum look look, const char *text)
{
    unsigned last = pen->area.row + pen->area.rows;
    unsigned end = pen->area.column + pen->area.columns;
    unsigned room = end > pen->column + 2 ? end - pen->column - 2 : 0;

    while (*text != '\0' && pen->row < last && room > 0) {
        size_t used, length = strlen(text);
        size_t fits = text_fit(text, length, room, &used), cut = fits;

        while (fits < length && cut > 0 && text[cut] != ' ')
            cut--;
        cut = cut > 0 ? cut : fits;
        if (cut == 0)
            return;
        canvas_put(pen->canvas, pen->row++, pen->column + 1, room, look, text,
                   cut);
        text += cut + (text[cut] == ' ');
    }
}

static unsigned
box_rows(const struct unlock_sheet *sheet, bool roomy)
{
    return 7 + (unsigned) sheet->fact_count + (roomy ? 4 : 0);
}

static struct pen
pen_of(struct canvas *canvas, struct area area,
       const struct unlock_sheet *sheet)
{
    bool wide = area.columns >= WIDE, roomy = area.rows >= ROOMY;
    unsigned columns = wide ? BOX_WIDE : BOX;
    unsigned most = area.columns > 4 ? area.columns - 4 : area.columns;
    unsigned rows = box_rows(sheet, roomy) + 1 + (unsigned) sheet->remark_count;
    unsigned first = 2;

    columns = columns < most ? columns : most;
    if (area.rows > 2 + rows)
        first += (area.rows - 2 - rows) / 2;
    return (struct pen){
        .canvas = canvas,
        .area = area,
        .row = area.row + first,
        .column = area.column + (area.columns - columns) / 2,
        .columns = columns,
        .label = wide ? LABEL_WIDE : LABEL,
        .roomy = roomy,
    };
}

static void
draw(void *state, struct canvas *canvas, struct area area, uint64_t now_ns)
{
    struct view_unlock *v = state;
    const struct unlock_sheet *sheet =
        v->source.sheet(v->source.context, now_ns);
    unsigned end = area.column + area.columns;

    canvas_clear(canvas, area);
    if (area.columns < 2)
        return;
    struct pen pen = pen_of(canvas, area, sheet);

    canvas_print(canvas, area.row, area.column + 1, 40, LOOK_TITLE, "%s",
                 sheet->program);
    canvas_print_right(canvas, area.row, end - 1, LOOK_DIM, "%s",
                       sheet->privacy);
    canvas_rule(canvas, area.row + 1, area.column, area.columns, LOOK_DIM);
    if (sheet->behind != NULL && area.rows > 2)
        canvas_print(canvas, area.row + area.rows - (pen.roomy ? 2 : 1),
                     area.column + 2, area.columns, LOOK_DIM, "%s",
                     sheet->behind);
    put_box(&pen, sheet);
    if (sheet->fault != NULL)
        put_below(&pen, LOOK_WARNING, sheet->fault);
    else
        pen.row += pen.roomy;
    for (size_t i = 0; i < sheet->remark_count; i++)
        put_below(&pen, LOOK_DIM, sheet->remarks[i]);
}

/* Keys go to the passphrase, and never come here. */
static bool
act(void *state, enum action action, int count)
{
    (void) state;
    (void) action;
    (void) count;
    return false;
}

static const struct view_ops unlock_ops = {
    .name = "unlock",
    .map = MAP_LIST,
    .draw = draw,
    .act = act,
    .whole = true,
};

enum status
view_unlock_open(struct view *out, const struct unlock_source *source,
                 struct error *err)
{
    void *memory;

    *out = (struct view){0};
    TRY(memory_alloc(&memory, sizeof(struct view_unlock), err));
    *(struct view_unlock *) memory = (struct view_unlock){*source};
    *out = (struct view){&unlock_ops, memory};
    return STATUS_OK;
}

void
view_unlock_close(struct view *view)
{
    free(view->state);
    *view = (struct view){0};
}
