/* Prompt and text, laid out in rows. */
#include "config.h"

#include "ui/keys/input_box.h"

#include "ui/text/sanitiser.h"
#include "ui/text/text_width.h"

#include <stdio.h>
#include <string.h>

enum { TAB_COLUMNS = 8 };

// around marks of the sanitiser, which lets no such bytes through itself
static const char mark_open[] = "\x0E", mark_close[] = "\x0F";

/* Where the next cluster goes; canvas NULL: it is only measured. */
struct pen {
    struct canvas *canvas;
    struct area area;
    unsigned first; // row that is drawn at the area's top
    unsigned indent, row, column;
    enum look look;
};

/* Both sanitised. */
struct content {
    struct buffer prompt, text;
    size_t cursor; // in the text
};

static void
new_row(struct pen *pen)
{
    pen->row++;
    pen->column = pen->indent;
}

static void
put(struct pen *pen, const char *bytes, size_t length, unsigned columns)
{
    if (pen->column + columns > pen->area.columns && pen->column > pen->indent)
        new_row(pen);
    if (pen->canvas && pen->row >= pen->first &&
        pen->row - pen->first < pen->area.rows)
        canvas_put(pen->canvas, pen->area.row + pen->row - pen->first,
                   pen->area.column + pen->column,
                   pen->area.columns - pen->column, pen->look, bytes, length);
    pen->column += columns;
}

static void
put_tab(struct pen *pen)
{
    do
        put(pen, " ", 1, 1);
    while ((pen->column - pen->indent) % TAB_COLUMNS != 0 &&
           pen->column < pen->area.columns);
}

/* Writes text[from, to); clusters that begin there are written whole. */
static void
write_text(struct pen *pen, const char *text, size_t from, size_t to)
{
    while (from < to) {
        unsigned columns;
        size_t n = text_cluster(text + from, to - from, &columns);

        if (text[from] == '\n')
            new_row(pen);
        else if (text[from] == '\t')
            put_tab(pen);
        else if (text[from] == mark_open[0] || text[from] == mark_close[0])
            pen->look = text[from] == mark_open[0] ? LOOK_MARK : LOOK_PLAIN;
        else
            put(pen, text + from, n, columns);
        from += n;
    }
}

/* Rows of the text begin below its first one, if the prompt is short. */
static void
write_prompt(struct pen *pen, const struct content *content)
{
    write_text(pen, content->prompt.data, 0, content->prompt.length);
    if (pen->row == 0 && pen->column * 4 <= pen->area.columns)
        pen->indent = pen->column;
}

/* The cursor takes a column too. */
static struct pen
find_cursor(struct pen pen, const struct content *content)
{
    write_prompt(&pen, content);
    write_text(&pen, content->text.data, 0, content->cursor);
    if (pen.column >= pen.area.columns)
        new_row(&pen);
    return pen;
}

static struct pen
write_all(struct pen pen, const struct content *content)
{
    write_prompt(&pen, content);
    write_text(&pen, content->text.data, 0, content->text.length);
    return pen;
}

static enum status
fill_text(struct content *content, const struct line_box *box,
          struct error *err)
{
    struct sanitiser sanitiser = {.mark_open = mark_open,
                                  .mark_close = mark_close};
    struct buffer *out = &content->text;

    TRY(sanitiser_write(&sanitiser, out, box->text, box->cursor, err));
    content->cursor = out->length;
    TRY(sanitiser_write(&sanitiser, out, box->text + box->cursor,
                        box->length - box->cursor, err));
    return sanitiser_finish(&sanitiser, out, err);
}

/* A search has in its prompt what was typed, which may be anything. */
static enum status
fill_prompt(struct content *content, const struct line_box *box,
            struct error *err)
{
    struct sanitiser sanitiser = {0};
    struct buffer *out = &content->prompt;
    char pasting[80] = "";

    if (box->pasting)
        snprintf(pasting, sizeof pasting, "(pasting, %zu bytes; ^C gives up) ",
                 box->pasting);
    TRY(sanitiser_write(&sanitiser, out, box->mode, strlen(box->mode), err));
    TRY(sanitiser_write(&sanitiser, out, box->prompt, strlen(box->prompt),
                        err));
    TRY(sanitiser_write(&sanitiser, out, pasting, strlen(pasting), err));
    TRY(sanitiser_finish(&sanitiser, out, err));
    for (size_t i = 0; i < out->length; i++)
        if (out->data[i] == '\n' || out->data[i] == '\t')
            out->data[i] = ' ';
    return STATUS_OK;
}

/* False: there is no memory for it. */
static bool
fill(struct content *content, const struct line_box *box)
{
    struct error err;

    *content = (struct content){0};
    return fill_prompt(content, box, &err) == STATUS_OK &&
           fill_text(content, box, &err) == STATUS_OK;
}

static void
release(struct content *content)
{
    buffer_release(&content->prompt);
    buffer_release(&content->text);
}

static unsigned
count_rows(struct pen pen, const struct content *content)
{
    unsigned cursor = find_cursor(pen, content).row,
             end = write_all(pen, content).row;

    return 1 + (end > cursor ? end : cursor);
}

unsigned
input_box_rows(const struct line_box *box, unsigned columns, unsigned most)
{
    struct pen pen = {.area = {0, 0, 1, columns ? columns : 1}};
    struct content content;
    unsigned rows = fill(&content, box) ? count_rows(pen, &content) : 1;

    release(&content);
    if (rows > most)
        rows = most;
    return rows ? rows : 1;
}

/* What is around the cursor is seen, and no empty rows below the text. */
static unsigned
first_row(unsigned rows, unsigned cursor, unsigned height)
{
    unsigned first = cursor > height / 2 ? cursor - height / 2 : 0;

    if (rows <= height)
        return 0;
    return first > rows - height ? rows - height : first;
}

void
input_box_draw(const struct line_box *box, struct canvas *canvas,
               struct area area)
{
    struct pen pen = {.area = area};
    struct content content;

    if (area.columns == 0 || area.rows == 0)
        return;
    canvas_clear(canvas, area);
    if (fill(&content, box)) {
        struct pen cursor = find_cursor(pen, &content);

        pen.first = first_row(count_rows(pen, &content), cursor.row, area.rows);
        pen.canvas = canvas;
        (void) write_all(pen, &content);
        canvas_cursor(canvas, area.row + cursor.row - pen.first,
                      area.column + (cursor.column < area.columns
                                         ? cursor.column
                                         : area.columns - 1));
    }
    release(&content);
}
