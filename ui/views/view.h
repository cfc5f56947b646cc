/*
 * A view fills the screen above the input box: the chat, the history, help.
 * It draws on a canvas and takes actions; it knows neither keys nor models.
 * What a view shows is told to it by its owner, and what the user wants done
 * goes back as a line, like one typed at the prompt ("/resume 01jd3k8q").
 *
 * view_NAME.h has one function for each view that fills a struct view.
 */
#ifndef FATHOM_UI_VIEW_H
#define FATHOM_UI_VIEW_H

#include "ui/keys/action.h"
#include "ui/screen/canvas.h"

struct view_ops {
    const char *name; // as in /help: "history"
    enum action_map map;
    // draws all of the area; time only for what moves by itself
    void (*draw)(void *state, struct canvas *canvas, struct area area,
                 uint64_t now_ns);
    // false: nothing that it knows; `count` as typed before, or 1
    bool (*act)(void *state, enum action action, int count);
    // what is typed in the box while it looks for something; NULL: it cannot
    void (*filter)(void *state, const char *text);
    // the keys of use here, on the last line from its third column on;
    // `columns` of the screen
    const char *(*hint)(void *state, unsigned columns);
    // no input box: it draws down to the last line
    bool whole;
    // does a little (a few ms) of what it has to do; called while no key
    // waits, true: there is more, and it is to be drawn. NULL: it never has
    bool (*work)(void *state, uint64_t now_ns);
};

struct view {
    const struct view_ops *ops; // NULL: there is none
    void *state;
};

/*
 * What a view wants done: a command line, or NULL to close the view. A line
 * that ends with a blank is not whole: it goes into the box, to be ended there.
 */
typedef void view_post_fn(void *context, const char *line);

/*
 * Asks in the box, below the view, for the end of a command line: `text` is
 * there to begin with. The line is `command` and what came of it, and done as
 * one that is posted; an empty end is none. All three are copied.
 */
typedef void view_ask_fn(void *context, const char *prompt, const char *text,
                         const char *command);

#endif
