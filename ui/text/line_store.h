/*
 * Lines that are laid out: their text, the looks of it, and a record for
 * each. Lines are added at the end, and cut off from there. The parts of a
 * document share one store; others see it as document_line.
 */
#ifndef FATHOM_UI_LINE_STORE_H
#define FATHOM_UI_LINE_STORE_H

#include "ui/screen/look.h"

#include "base/base.h"

struct stored_line {
    size_t text, length; // in store->text
    size_t run, runs;    // in store->runs, counted in runs
    size_t source;
    unsigned columns, code;
    bool label, continues, blank;
};

struct line_store {
    struct buffer text;
    struct buffer runs;  // struct look_run
    struct buffer lines; // struct stored_line
    struct stored_line open;
};

/* A place to cut back to. */
struct line_mark {
    size_t text, runs, lines;
};

struct line_mark line_store_mark(const struct line_store *store);
void line_store_cut(struct line_store *store, struct line_mark mark);
void line_store_release(struct line_store *store);

size_t line_store_count(const struct line_store *store);
const struct stored_line *line_store_at(const struct line_store *store,
                                        size_t number);

/* One line: begin, put and put, end. */
void line_store_begin(struct line_store *store);
MUST_CHECK enum status line_store_put(struct line_store *store, enum look look,
                                      const char *bytes, size_t length,
                                      unsigned columns, struct error *err);
MUST_CHECK enum status line_store_blanks(struct line_store *store,
                                         enum look look, unsigned count,
                                         struct error *err);
/* A line that is open, and has blanks alone, has nothing. */
void line_store_trim(struct line_store *store);
MUST_CHECK enum status line_store_end(struct line_store *store,
                                      struct error *err);

#endif
