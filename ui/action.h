/*
 * What can be done at the screen, by name. The one table of actions and keys
 * from which the key maps, the help view, fathom-keys(7) and the tests come:
 * action.c has it.
 *
 * Every action is a function of readline of the name given here, so inputrc
 * can bind it ("$if fathom"). Which keys are live follows from the map in use:
 * the user's own (emacs or vi) in the input box, else one of ours.
 */
#ifndef FATHOM_UI_ACTION_H
#define FATHOM_UI_ACTION_H

#include "base/base.h"

enum action_map {
    MAP_INPUT,      // the input box: readline's emacs or vi maps
    MAP_TRANSCRIPT, // "fathom-transcript"
    MAP_LIST,       // "fathom-list": history, models, help, statistics
    MAP_EXPERTS,    // "fathom-experts"
    ACTION_MAPS
};

enum action {
    ACTION_NONE,
    // the input box
    ACTION_SEND,
    ACTION_NEWLINE,
    ACTION_EDIT,      // in the editor
    ACTION_INTERRUPT, // ^C comes as a signal
    ACTION_QUIT,
    // everywhere
    ACTION_FOCUS, // input box and transcript, in turn
    ACTION_HELP,
    ACTION_HISTORY,
    ACTION_MODEL,
    ACTION_EXPERTS,
    ACTION_STATS,
    ACTION_PRESET,
    ACTION_LOCK,
    ACTION_LEAVE, // F10
    ACTION_REDRAW,
    ACTION_BARE,
    ACTION_ONE_PANE,
    ACTION_THINKING_LAYOUT, // fold, split, side, hide
    ACTION_THINKING_TOGGLE, // the last one
    ACTION_ANSWER_NOW,
    ACTION_EFFORT_NEXT,
    // moving: transcript, lists, experts; pages in the input box too
    ACTION_LINE_DOWN,
    ACTION_LINE_UP,
    ACTION_PAGE_DOWN,
    ACTION_PAGE_UP,
    ACTION_TOP,
    ACTION_BOTTOM, // and follow
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_SEARCH,
    ACTION_SEARCH_NEXT,
    ACTION_SEARCH_BACK,
    ACTION_BACK, // to the input box; closes a view
    // transcript
    ACTION_TURN_BACK,
    ACTION_TURN_NEXT,
    ACTION_CODE_BACK,
    ACTION_CODE_NEXT,
    ACTION_FOLD,
    ACTION_COPY, // the turn; with a count code block n
    ACTION_COPY_SOURCE,
    ACTION_COPY_THINKING,
    ACTION_EDIT_TURN,
    ACTION_RETRY,
    ACTION_BRANCH,
    ACTION_BRANCH_BACK,
    ACTION_BRANCH_NEXT,
    ACTION_DELETE,
    ACTION_UNDO,
    ACTION_PAGER,
    ACTION_SAVE,
    // lists
    ACTION_CHOOSE, // Enter
    ACTION_PREVIEW,
    ACTION_EXPORT,
    ACTION_RENAME,
    ACTION_TAG,
    ACTION_PIN,
    ACTION_INFO,
    ACTION_VERIFY,
    ACTION_DEFAULT,
    ACTION_PANE,    // Tab: list and preview, in turn
    ACTION_SECTION, // 1 to 9, as the count
    // experts
    ACTION_WINDOW_MORE,
    ACTION_WINDOW_LESS,
    ACTION_SORT,
    ACTION_ZOOM,
    ACTION_MONO,
    ACTION_DUMP,
    ACTION_PLAN,
    ACTIONS
};

struct action_row {
    const char *name; // "fathom-send"
    const char *help; // a few words, for help and the manual page
};
/* The row of an action. */
const struct action_row *action_row(enum action action);

/* A key that does something by default. */
struct action_key {
    enum action_map map;
    enum action action;
    const char *sequence;   // as in inputrc, "\\C-xt"; or NULL:
    const char *capability; // of terminfo, "kf1"
    const char *shown;      // "^Xt", "F1", for help and the manual page
};
/* All of them; the last has no action. */
extern const struct action_key action_keys[];

#endif
