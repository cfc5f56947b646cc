/* Prompt and text, laid out in rows. */
#include "config.h"

#include "ui/input_box.h"

#include "ui/sanitiser.h"
#include "ui/text_width.h"

#include <stdio.h>
#include <string.h>

enum { TAB_COLUMNS = 8, PROMPT_BYTES = 256 };

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

struct content {
    struct buffer text; // sanitised
    size_t cursor;      // in it
    char prompt[PROMPT_BYTES];
    size_t prompt_length;
    unsigned prompt_columns;
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

/* The cursor takes a column too. */
static void
find_cursor(struct pen *pen, const struct content *content)
{
    write_text(pen, content->text.data, 0, content->cursor);
    if (pen->column >= pen->area.columns && pen->column > pen->indent)
        new_row(pen);
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
    TRY(sanitiser_finish(&sanitiser, out, err));
    return buffer_append(out, "", 0, err);
}

/* A prompt leaves room for what is typed; of a long one the end is cut. */
static void
fill_prompt(struct content *content, const struct line_box *box,
            unsigned columns)
{
    char text[PROMPT_BYTES];
    size_t used, room = columns > 20 ? columns - 10 : columns / 2;

    if (box->pasting)
        snprintf(text, sizeof text, "%s(pasting, %zu bytes; ^C gives up) ",
                 box->prompt, box->pasting);
    else
        snprintf(text, sizeof text, "%s%s", box->mode, box->prompt);
    // a new line in a prompt is readline's own business, not the box's
    for (char *at = text; (at = strchr(at, '\n')) != NULL;)
        *at = ' ';
    size_t length = utf8_complete_prefix(text, strlen(text));

    if (text_columns(text, length) < columns && columns < 20)
        room = columns - 1;
    length = text_fit(text, length, room, &used);
    memcpy(content->prompt, text, length);
    content->prompt_length = length;
    content->prompt_columns = (unsigned) used;
}

/* False: there is no memory for it. Rows after the first begin below text. */
static bool
begin(struct content *content, const struct line_box *box, struct pen *pen)
{
    struct error err;

    *content = (struct content){0};
    fill_prompt(content, box, pen->area.columns);
    pen->column = content->prompt_columns;
    pen->indent =
        pen->column * 4 <= pen->area.columns ? content->prompt_columns : 0;
    return fill_text(content, box, &err) == STATUS_OK;
}

unsigned
input_box_rows(const struct line_box *box, unsigned columns, unsigned most)
{
    struct pen pen = {.area = {0, 0, 1, columns ? columns : 1}};
    struct content content;
    unsigned rows = 1;

    if (begin(&content, box, &pen)) {
        struct pen cursor = pen;

        find_cursor(&cursor, &content);
        write_text(&pen, content.text.data, 0, content.text.length);
        rows = 1 + (pen.row > cursor.row ? pen.row : cursor.row);
    }
    buffer_release(&content.text);
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
    if (begin(&content, box, &pen)) {
        struct pen cursor = pen;

        find_cursor(&cursor, &content);
        pen.first = first_row(input_box_rows(box, area.columns, UINT32_MAX),
                              cursor.row, area.rows);
        pen.canvas = canvas;
        if (pen.first == 0)
            canvas_put(canvas, area.row, area.column, area.columns, LOOK_PLAIN,
                       content.prompt, content.prompt_length);
        write_text(&pen, content.text.data, 0, content.text.length);
        canvas_cursor(canvas, area.row + cursor.row - pen.first,
                      area.column + (cursor.column < area.columns
                                         ? cursor.column
                                         : area.columns - 1));
    }
    buffer_release(&content.text);
}
