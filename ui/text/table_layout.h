/*
 * A table whose cells are known: aligned by display width, or, where that is
 * too wide, a line "Header: value" for each cell.
 */
#ifndef FATHOM_UI_TABLE_LAYOUT_H
#define FATHOM_UI_TABLE_LAYOUT_H

#include "ui/text/flow.h"

enum table_align { TABLE_LEFT, TABLE_CENTRE, TABLE_RIGHT };

/* Places in the text and the runs of the table. */
struct table_cell {
    size_t text, length;
    size_t run, runs;
    enum table_align align;
};

struct table {
    const char *text;
    const struct look_run *runs;
    const struct table_cell *cells; // (rows, columns), the header first
    size_t rows, columns;
    unsigned room; // columns that a line has for it
};

/* `form` begins the lines. */
MUST_CHECK enum status table_lay_out(const struct table *table,
                                     struct flow_form *form, struct error *err);

#endif
