/*
 * What the files of the line editor share, for these only:
 *   line_editor.c   a line comes, is edited, is hidden, goes
 *   line_keys.c     bytes of the terminal become keys of readline
 *   line_matches.c  what Tab offers
 *   line_care.c     readline is kept from what it does not survive
 *   line_remarks.c  what readline would say on the terminal
 */
#ifndef FATHOM_UI_LINE_EDITOR_PARTS_H
#define FATHOM_UI_LINE_EDITOR_PARTS_H

#include "ui/keys/line_editor.h"

#include <stdio.h>

struct line_editor {
    bool visible; // a line is being typed
    bool box;     // on the full screen
    bool changed; // and its owner was not told yet
    enum line_result result;
    enum action_map map;
    struct line_box_calls calls;
};
extern struct line_editor line_editor;

/* Tells the owner that the line is another; the terminal is as it should be. */
void line_editor_tell_changed(void);
/*
 * Tells the owner what keys asked for. Outside of readline only: whoever is
 * called may hide the line and show others.
 */
void line_editor_tell_actions(void);

/* For readline: a byte of the key in hand, and whether there is one. */
int line_keys_byte(FILE *stream);
int line_keys_wait(void);
void line_keys_forget(void);       // what was typed ahead, and a paste
void line_keys_end_argument(void); // the next key is a key
bool line_keys_pasting(size_t *bytes);

void line_matches_start(line_complete_fn complete, void *context);
char **line_matches_find(const char *text, int start, int end);
/* matches[0] is what all have in common. */
void line_matches_offer(char **matches, int count, int longest);
void line_matches_forget(void);

void line_care_begin(void);     // of a line
void line_care_accept(void);    // the line is as long as it should be
void line_care_after_key(void); // readline has taken a byte
/*
 * Takes back what made the line too long; a key of a macro, too: text that is
 * killed and yanked twice, again and again, would take all memory. True when
 * it did.
 */
bool line_care_bound(void);
void line_care_end(void); // a line was taken from readline
/*
 * The line in readline is given up. What was typed before the history was
 * looked through comes back to its place first.
 */
void line_care_give_up(void);
/*
 * A full history frees its oldest line for a new one, and a search in it holds
 * all of them since it began: it ends where it is.
 */
void line_care_before_remembering(void);

/* Between these two what it says is kept for line_editor_remarks. */
void line_remarks_hold(void);
void line_remarks_return(void);
void line_remarks_close(void);

#endif
