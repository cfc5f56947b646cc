/*
 * What the screen is to show: a grid of cells in memory on which views draw.
 * ui/screen/screen.h brings it to the terminal; tests read it as text.
 *
 * Text is UTF-8 that went through the sanitiser; as a last guard, what a
 * terminal could act upon is drawn as U+FFFD. Clusters are never cut, and
 * nothing is drawn outside of the grid. Rows and columns count from 0. The
 * main thread only.
 */
#ifndef FATHOM_UI_CANVAS_H
#define FATHOM_UI_CANVAS_H

#include "ui/screen/look.h"
#include "ui/text/text_width.h"

enum { CELL_BYTES = 22, CANVAS_MOST = 1000 };

struct cell {
    char text[CELL_BYTES]; // a cluster, NUL-terminated; "": right half of one
    uint8_t columns;       // 1 or more at the start of a cluster, else 0
    uint8_t look;
};

struct canvas {
    unsigned rows, columns;
    struct cell *cells; // (rows, columns)
    bool cursor;        // is shown, there:
    unsigned cursor_row, cursor_column;
};

/* A rectangle; what lies outside of the canvas is not drawn. */
struct area {
    unsigned row, column, rows, columns;
};

/* A blank canvas of this size, each at most CANVAS_MOST. Start from {0}. */
MUST_CHECK enum status canvas_resize(struct canvas *canvas, unsigned rows,
                                     unsigned columns, struct error *err);
void canvas_release(struct canvas *canvas);

void canvas_clear(struct canvas *canvas, struct area area);

/*
 * Draws text from (row, column) on, at most `limit` columns of it; returns
 * the columns that it took.
 */
unsigned canvas_put(struct canvas *canvas, unsigned row, unsigned column,
                    unsigned limit, enum look look, const char *bytes,
                    size_t length);
/* A line of which a mark ends what is shown where it is longer. */
unsigned canvas_put_cut(struct canvas *canvas, unsigned row, unsigned column,
                        unsigned limit, enum look look, const char *line);
/* As canvas_put for text of ours, as printf; at most 500 bytes. */
unsigned canvas_print(struct canvas *canvas, unsigned row, unsigned column,
                      unsigned limit, enum look look, const char *format, ...)
    PRINTF_LIKE(6, 7);
/* As canvas_print, but the text ends before column `end`. */
unsigned canvas_print_right(struct canvas *canvas, unsigned row, unsigned end,
                            enum look look, const char *format, ...)
    PRINTF_LIKE(5, 6);

/* A glyph as text, and `count` of it side by side or below each other. */
const char *canvas_glyph(enum glyph glyph);
void canvas_rule(struct canvas *canvas, unsigned row, unsigned column,
                 unsigned count, enum look look);
void canvas_bar(struct canvas *canvas, unsigned row, unsigned column,
                unsigned count, enum look look);
/* "[####......]", `columns` wide with its brackets; share from 0 to 1. */
void canvas_progress(struct canvas *canvas, unsigned row, unsigned column,
                     unsigned columns, double share);

void canvas_cursor(struct canvas *canvas, unsigned row, unsigned column);

/* The canvas as lines of text without blanks at their ends. */
MUST_CHECK enum status canvas_text(const struct canvas *canvas,
                                   struct buffer *out, struct error *err);

#endif
