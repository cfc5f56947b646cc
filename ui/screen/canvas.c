/* A grid of cells, and text put into it cluster by cluster. */
#include "config.h"

#include "ui/screen/canvas.h"

#include "ui/text/sanitiser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRINTED_BYTES = 500 };

static const char *const glyphs[GLYPHS][2] = {
    [GLYPH_RULE] = {"-", "─"},        [GLYPH_BAR] = {"|", "│"},
    [GLYPH_TOP_LEFT] = {"+", "┌"},    [GLYPH_TOP_RIGHT] = {"+", "┐"},
    [GLYPH_BOTTOM_LEFT] = {"+", "└"}, [GLYPH_BOTTOM_RIGHT] = {"+", "┘"},
    [GLYPH_FULL] = {"#", "█"},        [GLYPH_EMPTY] = {".", "·"},
    [GLYPH_OPEN] = {"v", "▾"},        [GLYPH_CLOSED] = {">", "▸"},
    [GLYPH_CHOSEN] = {">", "▸"},      [GLYPH_MORE] = {"~", "~"},
};

enum status
canvas_resize(struct canvas *canvas, unsigned rows, unsigned columns,
              struct error *err)
{
    void *cells;

    if (rows > CANVAS_MOST)
        rows = CANVAS_MOST;
    if (columns > CANVAS_MOST)
        columns = CANVAS_MOST;
    TRY(memory_alloc(
        &cells, ((size_t) rows * columns + 1) * sizeof *canvas->cells, err));
    canvas_release(canvas);
    *canvas = (struct canvas){.rows = rows, .columns = columns, .cells = cells};
    canvas_clear(canvas, (struct area){0, 0, rows, columns});
    return STATUS_OK;
}

void
canvas_release(struct canvas *canvas)
{
    if (canvas->cells)
        explicit_bzero(canvas->cells, (size_t) canvas->rows * canvas->columns *
                                          sizeof *canvas->cells);
    free(canvas->cells);
    *canvas = (struct canvas){0};
}

static struct cell *
cell_at(struct canvas *canvas, unsigned row, unsigned column)
{
    return &canvas->cells[(size_t) row * canvas->columns + column];
}

static void
set_cell(struct cell *cell, const char *text, size_t length, unsigned columns,
         enum look look)
{
    // a cluster of many marks loses the last of them
    while (length >= CELL_BYTES)
        do
            length--;
        while (length > 0 && ((unsigned char) text[length] & 0xC0) == 0x80);
    memset(cell, 0, sizeof *cell);
    memcpy(cell->text, text, length);
    cell->columns = (uint8_t) columns;
    cell->look = (uint8_t) look;
}

/* What is overwritten in part is no character any more. */
static void
break_cluster(struct canvas *canvas, unsigned row, unsigned column)
{
    unsigned start = column;

    if (column >= canvas->columns || cell_at(canvas, row, column)->columns > 0)
        return;
    while (start > 0 && cell_at(canvas, row, start)->columns == 0)
        start--;
    for (unsigned i = start; i < canvas->columns; i++) {
        struct cell *cell = cell_at(canvas, row, i);

        if (i > start && cell->columns > 0)
            break;
        set_cell(cell, " ", 1, 1, (enum look) cell->look);
    }
}

void
canvas_clear(struct canvas *canvas, struct area area)
{
    static const struct cell blank = {" ", 1, LOOK_PLAIN};

    for (unsigned r = area.row; r < area.row + area.rows && r < canvas->rows;
         r++) {
        break_cluster(canvas, r, area.column);
        break_cluster(canvas, r, area.column + area.columns);
        struct cell *cells = cell_at(canvas, r, 0);

        for (unsigned c = area.column;
             c < area.column + area.columns && c < canvas->columns; c++)
            cells[c] = blank;
    }
}

static void
put_cluster(struct canvas *canvas, unsigned row, unsigned column,
            const char *text, size_t length, unsigned columns, enum look look)
{
    break_cluster(canvas, row, column);
    break_cluster(canvas, row, column + columns);
    set_cell(cell_at(canvas, row, column), text, length, columns, look);
    for (unsigned i = 1; i < columns; i++)
        set_cell(cell_at(canvas, row, column + i), "", 0, 0, look);
}

/* ASCII takes a cell each; what it lies over in part is broken at its ends. */
static void
put_ascii(struct canvas *canvas, unsigned row, unsigned column,
          const char *text, size_t length, enum look look)
{
    struct cell *cells = cell_at(canvas, row, column);

    break_cluster(canvas, row, column);
    break_cluster(canvas, row, column + (unsigned) length);
    for (size_t i = 0; i < length; i++) {
        cells[i] = (struct cell){.columns = 1, .look = (uint8_t) look};
        cells[i].text[0] = text[i];
    }
}

unsigned
canvas_put(struct canvas *canvas, unsigned row, unsigned column, unsigned limit,
           enum look look, const char *bytes, size_t length)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    unsigned taken = 0, columns;

    if (row >= canvas->rows || column >= canvas->columns)
        return 0;
    if (limit > canvas->columns - column)
        limit = canvas->columns - column;
    for (size_t at = 0; at < length;) {
        uint32_t first;
        bool valid;
        size_t left = limit - taken;
        // one more, which may join the last of them
        size_t shown,
            n = text_plain(bytes + at,
                           length - at > left ? left + 1 : length - at);

        if (n > left)
            n = left;
        if (n > 0) {
            put_ascii(canvas, row, column + taken, bytes + at, n, look);
            taken += (unsigned) n;
            at += n;
            continue;
        }
        n = text_cluster(bytes + at, length - at, &columns);
        const char *text = bytes + at;

        (void) utf8_next(text, n, &first, &valid);
        if (first < 0x20 || sanitiser_is_command(first)) {
            text = replacement;
            text_cluster(text, 3, &columns);
        }
        text = text_shown(text, text == replacement ? 3 : n, &shown);
        if (taken + columns > limit)
            break;
        if (columns == shown)
            put_ascii(canvas, row, column + taken, text, shown, look);
        else if (columns > 0)
            put_cluster(canvas, row, column + taken, text, shown, columns,
                        look);
        taken += columns;
        at += n;
    }
    return taken;
}

unsigned
canvas_put_cut(struct canvas *canvas, unsigned row, unsigned column,
               unsigned limit, enum look look, const char *line)
{
    const char *mark = canvas_glyph(GLYPH_MORE);
    size_t length = strlen(line), used;
    unsigned taken;

    if (column >= canvas->columns || limit == 0)
        return 0;
    if (limit > canvas->columns - column)
        limit = canvas->columns - column;
    size_t fits = text_fit(line, length, limit, &used);

    if (fits == length)
        return canvas_put(canvas, row, column, limit, look, line, length);
    fits = text_fit(line, length, limit - 1, &used);
    taken = canvas_put(canvas, row, column, limit - 1, look, line, fits);
    return taken + canvas_put(canvas, row, column + taken, 1, LOOK_DIM, mark,
                              strlen(mark));
}

unsigned
canvas_print(struct canvas *canvas, unsigned row, unsigned column,
             unsigned limit, enum look look, const char *format, ...)
{
    char text[PRINTED_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return canvas_put(canvas, row, column, limit, look, text,
                      utf8_complete_prefix(text, strlen(text)));
}

unsigned
canvas_print_right(struct canvas *canvas, unsigned row, unsigned end,
                   enum look look, const char *format, ...)
{
    char text[PRINTED_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t used, length = utf8_complete_prefix(text, strlen(text));

    length = text_fit(text, length, end, &used);
    return canvas_put(canvas, row, end - (unsigned) used, (unsigned) used, look,
                      text, length);
}

const char *
canvas_glyph(enum glyph glyph)
{
    return glyphs[glyph][text_width_utf8()];
}

static void
repeat(struct canvas *canvas, unsigned row, unsigned column, enum glyph glyph,
       unsigned count, enum look look)
{
    const char *text = canvas_glyph(glyph);

    // what was counted below zero ends at the edge, too
    if (column >= canvas->columns)
        return;
    if (count > canvas->columns - column)
        count = canvas->columns - column;
    for (unsigned i = 0; i < count; i++)
        canvas_put(canvas, row, column + i, 1, look, text, strlen(text));
}

void
canvas_rule(struct canvas *canvas, unsigned row, unsigned column,
            unsigned count, enum look look)
{
    repeat(canvas, row, column, GLYPH_RULE, count, look);
}

void
canvas_bar(struct canvas *canvas, unsigned row, unsigned column, unsigned count,
           enum look look)
{
    for (unsigned i = 0; i < count && row + i < canvas->rows; i++)
        repeat(canvas, row + i, column, GLYPH_BAR, 1, look);
}

void
canvas_progress(struct canvas *canvas, unsigned row, unsigned column,
                unsigned columns, double share)
{
    unsigned inside = columns > 2 ? columns - 2 : 0;
    unsigned full = share >= 1  ? inside
                    : share > 0 ? (unsigned) (share * inside)
                                : 0;

    canvas_print(canvas, row, column, 1, LOOK_DIM, "[");
    repeat(canvas, row, column + 1, GLYPH_FULL, full, LOOK_PLAIN);
    repeat(canvas, row, column + 1 + full, GLYPH_EMPTY, inside - full,
           LOOK_DIM);
    canvas_print(canvas, row, column + 1 + inside, 1, LOOK_DIM, "]");
}

void
canvas_cursor(struct canvas *canvas, unsigned row, unsigned column)
{
    canvas->cursor = row < canvas->rows && column < canvas->columns;
    canvas->cursor_row = row;
    canvas->cursor_column = column;
}

enum status
canvas_text(const struct canvas *canvas, struct buffer *out, struct error *err)
{
    for (unsigned r = 0; r < canvas->rows; r++) {
        const struct cell *row = &canvas->cells[(size_t) r * canvas->columns];
        unsigned end = canvas->columns;

        while (end > 0 && strcmp(row[end - 1].text, " ") == 0)
            end--;
        for (unsigned c = 0; c < end; c++)
            TRY(buffer_append(out, row[c].text, strlen(row[c].text), err));
        TRY(buffer_append(out, "\n", 1, err));
    }
    return STATUS_OK;
}
