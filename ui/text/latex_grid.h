/*
 * Lines of text beside each other: a formula in which some parts are higher
 * than a line. And cells of such a part.
 */
#ifndef FATHOM_UI_LATEX_GRID_H
#define FATHOM_UI_LATEX_GRID_H

#include "base/base.h"

enum { GRID_ROWS = 64 };

struct latex_grid {
    struct buffer lines[GRID_ROWS];
    size_t columns[GRID_ROWS]; // of each line
    size_t count, base;        // text of one line goes into lines[base]
};

MUST_CHECK enum status latex_grid_put(struct latex_grid *grid,
                                      const struct buffer *lines, size_t count,
                                      size_t base, struct error *err);
/* Appends the lines to `out`, separated by newlines; the grid is empty then. */
MUST_CHECK enum status latex_grid_take(struct latex_grid *grid,
                                       struct buffer *out, struct error *err);
void latex_grid_release(struct latex_grid *grid);

struct latex_cells {
    struct buffer text;
    struct buffer list; // struct latex_cell, row by row
    size_t rows, columns;
};

struct latex_cell {
    size_t text, length, row, column;
};

MUST_CHECK enum status latex_cells_add(struct latex_cells *cells,
                                       const struct buffer *text, size_t row,
                                       size_t column, struct error *err);
void latex_cells_release(struct latex_cells *cells);

enum latex_style {
    LATEX_MATRIX,  // columns in the middle, apart
    LATEX_CASES,   // to the left, apart
    LATEX_ALIGNED, // right, left, right ... of where they meet
};

/* What stands at the sides of a matrix, or of its first, last, other rows. */
struct latex_sides {
    const char *one, *first, *middle, *last;
};

/* The cells in lines, one a row, at most GRID_ROWS. */
MUST_CHECK enum status latex_cells_draw(const struct latex_cells *cells,
                                        enum latex_style style,
                                        const struct latex_sides *left,
                                        const struct latex_sides *right,
                                        struct latex_grid *grid,
                                        struct error *err);

#endif
