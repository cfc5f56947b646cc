/*
 * The preview beside the list of chats: the tree of one, and turns of it. It
 * belongs to view_history.c.
 */
#ifndef FATHOM_UI_HISTORY_PANE_H
#define FATHOM_UI_HISTORY_PANE_H

#include "ui/text/document.h"
#include "ui/views/view_history.h"

enum { PANE_TURNS = 40, PANE_WHEN = 40, PANE_NOTE = 80 };

struct pane_turn {
    bool question;
    char when[PANE_WHEN], thought[PANE_NOTE];
    struct document *text; // NULL: there was no memory for it
};

/* A line of the preview, the same whatever is laid out anew. */
struct pane_place {
    size_t turn;
    enum { PLACE_ABOVE, PLACE_HEADING, PLACE_TEXT, PLACE_BELOW } part;
    size_t source; // byte of its text
    size_t skip;   // lines after the first with that byte
};

/* Start from {0}. */
struct history_pane {
    bool stale;   // shows another chat than the one in use
    bool to_turn; // the next drawing goes to turn `at`
    struct buffer head, tags, tree;
    size_t earlier, later;
    struct pane_turn turns[PANE_TURNS];
    size_t count, at;
    struct buffer hit;       // what was found in turn `at`, or empty
    size_t hit_begin;        // byte of its text
    size_t top, lines;       // first line shown, and all, as drawn last
    unsigned rows, columns;  // the same
    struct pane_place place; // of the first line ...
    size_t placed;           // ... while that is this one
};

void history_pane_stale(struct history_pane *pane);
bool history_pane_is_stale(const struct history_pane *pane);
/* Copies what it shows; without memory it shows less. */
void history_pane_fill(struct history_pane *pane,
                       const struct history_preview *preview);
void history_pane_clear(struct history_pane *pane); // wipes

/* `place`: which hit this is, or "". */
void history_pane_draw(struct history_pane *pane, struct canvas *canvas,
                       struct area area, const char *title, const char *place,
                       bool focus);
bool history_pane_act(struct history_pane *pane, enum action action, int count);

/* Text of ours, wrapped at blanks; returns the rows that it took. */
unsigned history_pane_wrap(struct canvas *canvas, struct area area,
                           enum look look, const char *text);

#endif
