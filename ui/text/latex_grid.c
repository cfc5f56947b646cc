/* Columns are counted as the terminal shows them. */
#include "config.h"

#include "ui/text/latex_grid.h"

#include "ui/text/text_width.h"

#include <string.h>

enum { CELL_GAP = 2, COLUMNS_MOST = 64 };

static size_t
columns_of(const struct buffer *line)
{
    return line->length > 0 ? text_columns(line->data, line->length) : 0;
}

static enum status
put_blanks(struct buffer *line, size_t count, struct error *err)
{
    for (; count > 0; count--)
        TRY(buffer_append(line, " ", 1, err));
    return STATUS_OK;
}

/* Makes room for lines above and below the base. */
static bool
make_room(struct latex_grid *grid, size_t above, size_t below)
{
    size_t more = above > grid->base ? above - grid->base : 0;

    if (grid->count == 0)
        grid->count = 1;
    if (grid->base + more + below + 1 > GRID_ROWS ||
        grid->count + more > GRID_ROWS)
        return false;
    memmove(grid->lines + more, grid->lines,
            grid->count * sizeof grid->lines[0]);
    memset(grid->lines, 0, more * sizeof grid->lines[0]);
    memmove(grid->columns + more, grid->columns,
            grid->count * sizeof grid->columns[0]);
    memset(grid->columns, 0, more * sizeof grid->columns[0]);
    grid->base += more;
    grid->count += more;
    if (grid->count < grid->base + below + 1)
        grid->count = grid->base + below + 1;
    return true;
}

/* The line at `row` grows to `column`, and by `text`. */
static enum status
put_line(struct latex_grid *grid, size_t row, size_t column,
         const struct buffer *text, struct error *err)
{
    struct buffer *line = &grid->lines[row];

    TRY(put_blanks(line, column - grid->columns[row], err));
    grid->columns[row] = column + columns_of(text);
    return text->length > 0 ? buffer_append(line, text->data, text->length, err)
                            : STATUS_OK;
}

enum status
latex_grid_put(struct latex_grid *grid, const struct buffer *lines,
               size_t count, size_t base, struct error *err)
{
    if (count == 0)
        return STATUS_OK;
    if (!make_room(grid, base, count - base - 1))
        return error_set(err, STATUS_LIMIT, "a formula is too high");
    size_t first = grid->base - base, column = 0;

    for (size_t i = 0; i < count; i++)
        if (grid->columns[first + i] > column)
            column = grid->columns[first + i];
    for (size_t i = 0; i < count; i++)
        TRY(put_line(grid, first + i, column, &lines[i], err));
    return STATUS_OK;
}

enum status
latex_grid_take(struct latex_grid *grid, struct buffer *out, struct error *err)
{
    for (size_t i = 0; i < grid->count; i++) {
        const struct buffer *line = &grid->lines[i];
        size_t length = line->length;

        while (length > 0 && line->data[length - 1] == ' ')
            length--;
        if (i > 0)
            TRY(buffer_append(out, "\n", 1, err));
        if (length > 0)
            TRY(buffer_append(out, line->data, length, err));
    }
    latex_grid_release(grid);
    return STATUS_OK;
}

void
latex_grid_release(struct latex_grid *grid)
{
    for (size_t i = 0; i < GRID_ROWS; i++)
        buffer_release(&grid->lines[i]);
    memset(grid->columns, 0, sizeof grid->columns);
    grid->count = grid->base = 0;
}

enum status
latex_cells_add(struct latex_cells *cells, const struct buffer *text,
                size_t row, size_t column, struct error *err)
{
    size_t begin = 0, end = text->length;

    while (begin < end && text->data[begin] == ' ')
        begin++;
    while (end > begin && text->data[end - 1] == ' ')
        end--;
    struct latex_cell cell = {cells->text.length, end - begin, row, column};

    if (end > begin)
        TRY(buffer_append(&cells->text, text->data + begin, end - begin, err));
    TRY(buffer_append(&cells->list, &cell, sizeof cell, err));
    if (row >= cells->rows)
        cells->rows = row + 1;
    if (column >= cells->columns)
        cells->columns = column + 1;
    return STATUS_OK;
}

void
latex_cells_release(struct latex_cells *cells)
{
    buffer_release(&cells->text);
    buffer_release(&cells->list);
}

static const char *
side_of(const struct latex_sides *side, size_t row, size_t rows)
{
    if (rows == 1)
        return side->one;
    return row == 0 ? side->first : row + 1 == rows ? side->last : side->middle;
}

static const struct latex_cell *
cell_list(const struct latex_cells *cells, size_t *count)
{
    const void *list = cells->list.data;

    *count = cells->list.length / sizeof(struct latex_cell);
    return list;
}

static size_t
cell_columns(const struct latex_cells *cells, const struct latex_cell *cell)
{
    return cell->length > 0
               ? text_columns(cells->text.data + cell->text, cell->length)
               : 0;
}

static size_t
blanks_before(enum latex_style style, size_t column, size_t spare)
{
    if (style == LATEX_MATRIX)
        return spare / 2;
    return style == LATEX_ALIGNED && column % 2 == 0 ? spare : 0;
}

static enum status
put_cell(const struct latex_cells *cells, const struct latex_cell *cell,
         enum latex_style style, const size_t *widths, struct buffer *line,
         struct error *err)
{
    size_t spare = widths[cell->column] - cell_columns(cells, cell);
    size_t before = blanks_before(style, cell->column, spare);
    bool meets = style == LATEX_ALIGNED && cell->column % 2 == 1;

    if (cell->column > 0)
        TRY(put_blanks(line, meets ? 1 : CELL_GAP, err));
    TRY(put_blanks(line, before, err));
    if (cell->length > 0)
        TRY(buffer_append(line, cells->text.data + cell->text, cell->length,
                          err));
    return put_blanks(line, spare - before, err);
}

static enum status
draw_row(const struct latex_cells *cells, size_t row, enum latex_style style,
         const size_t *widths, struct buffer *line, struct error *err)
{
    size_t count, column = 0;
    const struct latex_cell *list = cell_list(cells, &count);
    struct latex_cell empty = {.row = row};

    for (size_t i = 0; i < count; i++) {
        if (list[i].row != row)
            continue;
        TRY(put_cell(cells, &list[i], style, widths, line, err));
        column = list[i].column + 1;
    }
    for (; column < cells->columns; column++) {
        empty.column = column;
        TRY(put_cell(cells, &empty, style, widths, line, err));
    }
    return STATUS_OK;
}

enum status
latex_cells_draw(const struct latex_cells *cells, enum latex_style style,
                 const struct latex_sides *left,
                 const struct latex_sides *right, struct latex_grid *grid,
                 struct error *err)
{
    size_t widths[COLUMNS_MOST] = {0}, count;
    const struct latex_cell *list = cell_list(cells, &count);

    if (cells->rows > GRID_ROWS || cells->columns > COLUMNS_MOST)
        return error_set(err, STATUS_LIMIT, "a matrix is too large");
    for (size_t i = 0; i < count; i++) {
        size_t width = cell_columns(cells, &list[i]);

        if (width > widths[list[i].column])
            widths[list[i].column] = width;
    }
    for (size_t row = 0; row < cells->rows; row++) {
        struct buffer *line = &grid->lines[row];
        const char *before = side_of(left, row, cells->rows);
        const char *after = side_of(right, row, cells->rows);

        TRY(buffer_append(line, before, strlen(before), err));
        TRY(draw_row(cells, row, style, widths, line, err));
        TRY(buffer_append(line, after, strlen(after), err));
    }
    grid->count = cells->rows;
    return STATUS_OK;
}
