/*
 * Text of one look or many, broken into lines that fit: at blanks, or beside
 * wide characters, or, where nothing else helps, between any two clusters.
 * Lines already broken never change when text is added at the end, but for
 * the last.
 */
#ifndef FATHOM_UI_FLOW_H
#define FATHOM_UI_FLOW_H

#include "ui/text/line_store.h"

/* Around what the sanitiser shows of a control; take no room. */
#define FLOW_MARK_OPEN "\001"
#define FLOW_MARK_CLOSE "\002"

/* A line of text: tabs, but no newlines. */
struct flow {
    const char *text;
    size_t length;
    const struct look_run *runs; // or NULL: all of it has this look:
    size_t run_count;
    enum look look;
};

struct flow_form {
    struct line_store *store;
    unsigned columns;
    bool words;     // break at blanks; else at the width
    bool continues; // the first line goes on with an earlier one,
    bool blank;     // which ended at a blank
    bool in_mark;   // between the two characters above
    unsigned code;  // what the lines are of
    // begins each line, puts what stands before the text at `offset` into the
    // store and sets source; at least one cluster of text must still fit
    enum status (*begin)(void *owner, size_t offset, struct error *err);
    void *owner;
    // set by flow_lines: where the last line began, and how it was then
    size_t last_offset;
    struct line_mark last_mark;
    bool last_in_mark, last_continues, last_blank;
};

/* Adds the lines of a flow; an empty one is one empty line. */
MUST_CHECK enum status flow_lines(const struct flow *flow,
                                  struct flow_form *form, struct error *err);

#endif
