/*
 * Tables for people who listen: Markdown tables in a text that streams by
 * become lines "Header: value", a paragraph a row. All other text passes
 * unchanged and without delay, but for lines that begin with a bar, which
 * wait for their end.
 */
#ifndef FATHOM_UI_SPOKEN_TABLE_H
#define FATHOM_UI_SPOKEN_TABLE_H

#include "base/base.h"

enum spoken_state {
    SPOKEN_LINE_START, // nothing of the line was seen but blanks
    SPOKEN_TEXT,       // in a line that passes
    SPOKEN_ROW,        // in a line that begins with a bar
};

struct spoken_table {
    enum spoken_state state;
    struct buffer line;   // the beginning of this one
    struct buffer header; // the last line with a bar, or the table's header
    bool in_table;        // header and ruler were seen
    bool after_rows;      // a row was told: the next is set off from it
};

/* Appends what can be told by now. Start from {0}. */
MUST_CHECK enum status spoken_table_write(struct spoken_table *table,
                                          struct buffer *out, const char *bytes,
                                          size_t length, struct error *err);
/* The text has ended; begin anew afterwards. */
MUST_CHECK enum status spoken_table_end(struct spoken_table *table,
                                        struct buffer *out, struct error *err);
void spoken_table_release(struct spoken_table *table);

#endif
