/*
 * The key maps of readline: a function for each action, maps of our own, and
 * the default keys of action.h, by sequence and by what terminfo says of this
 * terminal. All of it is there before inputrc is read, so the user's own
 * bindings win. Inside of ui only; the main thread.
 */
#ifndef FATHOM_UI_KEY_MAPS_H
#define FATHOM_UI_KEY_MAPS_H

#include "ui/keys/action.h"

typedef void key_act_fn(enum action action, int count);

struct key_functions {
    key_act_fn *act;
    // what edits the line is the editor's
    int (*send)(int count, int key);
    int (*open_line)(int count, int key);
    bool enter_opens_line; // the keys of these two change places
};

/* Once in a process; later calls do nothing. */
void key_maps_add(const struct key_functions *functions);

/*
 * After readline has begun, and has bound the terminal's own characters: the
 * one that kills a line is fathom-discard-line, whichever it is. What aborts
 * is ACTION_BACK, too.
 */
void key_maps_after_init(void);

/* Full screen or plain: what Esc, ^L are there. */
void key_maps_set_box(bool box);

/* Keys go there from the next one on; the user's own for MAP_INPUT. */
void key_maps_use(enum action_map map);

/*
 * Whether messages wait for an answer to end: then Up and ^U in an empty line
 * are fathom-recall and fathom-unqueue.
 */
void key_maps_set_waiting(bool waiting);

/* So many bytes are in the line; they bound counts of what may put it again. */
void key_maps_note_length(int bytes);

/* Whether a function of readline is one of the actions. */
bool key_maps_is_action(int (*function)(int, int));

#endif
