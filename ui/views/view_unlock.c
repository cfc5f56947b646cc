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
    bool roomy, wide;
};

static void
put(const struct pen *pen, unsigned column, enum look look, const char *text)
{
    // a blank is left before the frame
    canvas_put_cut(pen->canvas, pen->row, pen->column + column,
                   pen->columns > column + 2 ? pen->columns - column - 2 : 0,
                   look, text);
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

    put(pen, EDGE, LOOK_STRONG, sheet->label);
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

/* One line has no room for all of them. */
static unsigned
key_rows(const struct unlock_sheet *sheet)
{
    return sheet->ephemeral || sheet->key_file ? 2 : 1;
}

static void
put_keys(struct pen *pen, const struct unlock_sheet *sheet)
{
    unsigned second = EDGE + (pen->columns > BOX ? 21 : 18);
    unsigned third = second + (pen->columns > BOX ? 21 : 17);
    const char *see = !sheet->hidden ? ""
                      : sheet->seen  ? "F3 hide typing"
                                     : "F3 show typing";

    put(pen, EDGE, LOOK_CODE, sheet->enter);
    put(pen, second, LOOK_CODE, sheet->key_file ? "F2 key file" : see);
    if (sheet->key_file)
        put(pen, third, LOOK_CODE, see);
    if (key_rows(sheet) > 1)
        next(pen);
    if (sheet->ephemeral)
        put(pen, EDGE, LOOK_CODE, "F4 ephemeral session, nothing is kept");
    if (sheet->leave != NULL)
        put_right(pen, LOOK_CODE, sheet->leave);
    next(pen);
}

static unsigned
text_room(unsigned columns)
{
    return columns > 2 * EDGE ? columns - 2 * EDGE : 0;
}

/* Bytes of the text's first line, which ends at a line feed, or at a blank. */
static size_t
line_length(const char *text, size_t length, unsigned room)
{
    const char *end = memchr(text, '\n', length);

    if (end != NULL)
        length = (size_t) (end - text);
    size_t used, fits = text_fit(text, length, room, &used), cut = fits;

    while (fits < length && cut > 0 && text[cut] != ' ')
        cut--;
    return cut > 0 ? cut : fits;
}

static unsigned
count_lines(const char *text, size_t length, unsigned room)
{
    unsigned lines = 0;

    while (length > 0) {
        size_t cut = line_length(text, length, room);

        if (cut == 0)
            return lines;
        lines++;
        cut += cut < length && (text[cut] == ' ' || text[cut] == '\n');
        text += cut;
        length -= cut;
    }
    return lines;
}

/* In the box. A passphrase has no blanks, and is broken only if it has to be.
 */
static void
put_text(struct pen *pen, enum look look, const char *text, size_t length)
{
    unsigned room = text_room(pen->columns);

    while (length > 0) {
        size_t cut = line_length(text, length, room);

        if (cut == 0)
            return;
        canvas_put(pen->canvas, pen->row, pen->column + EDGE, room, look, text,
                   cut);
        next(pen);
        cut += cut < length && (text[cut] == ' ' || text[cut] == '\n');
        text += cut;
        length -= cut;
    }
}

static void
put_question(struct pen *pen, const struct unlock_sheet *sheet)
{
    if (sheet->text != NULL) {
        put_text(pen, LOOK_PLAIN, sheet->text, strlen(sheet->text));
        blank(pen);
    }
    if (sheet->made != NULL) {
        put_text(pen, LOOK_TITLE, sheet->made, sheet->made_length);
        blank(pen);
    }
    if (sheet->prompt != NULL) {
        put_text(pen, LOOK_STRONG, sheet->prompt, strlen(sheet->prompt));
        blank(pen);
    }
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
    put_question(pen, sheet);
    for (size_t i = 0; i < sheet->fact_count; i++) {
        if (sheet->facts[i].wide && !pen->wide)
            continue;
        put(pen, EDGE, LOOK_DIM, sheet->facts[i].label);
        put(pen, EDGE + pen->label, LOOK_PLAIN, sheet->facts[i].text);
        next(pen);
    }
    if (sheet->fact_count > 0)
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
        size_t cut = line_length(text, strlen(text), room);

        if (cut == 0)
            return;
        canvas_put(pen->canvas, pen->row++, pen->column + 1, room, look, text,
                   cut);
        text += cut + (text[cut] == ' ');
    }
}

/* Of a text in the box, with the blank line after it. */
static unsigned
text_rows(const char *text, size_t length, unsigned columns, bool roomy)
{
    return text == NULL ? 0
                        : count_lines(text, length, text_room(columns)) + roomy;
}

static unsigned
fact_rows(const struct unlock_sheet *sheet, bool wide)
{
    unsigned rows = 0;

    for (size_t i = 0; i < sheet->fact_count; i++)
        rows += wide || !sheet->facts[i].wide;
    return rows;
}

static unsigned
box_rows(const struct unlock_sheet *sheet, const struct pen *pen)
{
    const char *text = sheet->text, *prompt = sheet->prompt;
    unsigned facts = fact_rows(sheet, pen->wide), columns = pen->columns;
    bool roomy = pen->roomy;

    return 5 + key_rows(sheet) + (roomy ? 3 : 0) + facts +
           (roomy && facts > 0) +
           text_rows(text, text ? strlen(text) : 0, columns, roomy) +
           text_rows(sheet->made, sheet->made_length, columns, roomy) +
           text_rows(prompt, prompt ? strlen(prompt) : 0, columns, roomy);
}

static const char *
remark(const struct unlock_sheet *sheet, size_t i, bool wide)
{
    return wide && sheet->remarks[i].wide != NULL ? sheet->remarks[i].wide
                                                  : sheet->remarks[i].text;
}

static unsigned
remark_rows(const struct unlock_sheet *sheet, bool wide)
{
    unsigned rows = 0;

    for (size_t i = 0; i < sheet->remark_count; i++)
        rows += remark(sheet, i, wide) != NULL;
    return rows;
}

static struct pen
pen_of(struct canvas *canvas, struct area area,
       const struct unlock_sheet *sheet)
{
    bool wide = area.columns >= WIDE;
    unsigned columns = wide ? BOX_WIDE : BOX;
    unsigned most = area.columns > 4 ? area.columns - 4 : area.columns;
    struct pen pen = {
        .canvas = canvas,
        .area = area,
        .row = area.row + 2,
        .columns = columns < most ? columns : most,
        .label = wide ? LABEL_WIDE : LABEL,
        .roomy = area.rows >= ROOMY,
        .wide = wide,
    };
    unsigned rows = box_rows(sheet, &pen) + 1 + remark_rows(sheet, wide);

    pen.column = area.column + (area.columns - pen.columns) / 2;
    if (area.rows > 2 + rows)
        pen.row += (area.rows - 2 - rows) / 2;
    return pen;
}

/* What goes on meanwhile, at the bottom; what is below the box ends above. */
static void
put_behind(struct pen *pen, const struct unlock_sheet *sheet)
{
    unsigned up = pen->roomy ? 2 : 1;

    if (sheet->behind == NULL || pen->area.rows <= 2)
        return;
    pen->area.rows -= up;
    canvas_print(pen->canvas, pen->area.row + pen->area.rows,
                 pen->area.column + 2, pen->area.columns, LOOK_DIM, "%s",
                 sheet->behind);
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
    put_behind(&pen, sheet);
    put_box(&pen, sheet);
    if (sheet->fault != NULL)
        put_below(&pen, LOOK_WARNING, sheet->fault);
    else
        pen.row += pen.roomy;
    for (size_t i = 0; i < sheet->remark_count; i++) {
        const char *text = remark(sheet, i, pen.wide);

        if (text != NULL)
            put_below(&pen, LOOK_DIM, text);
    }
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
