/*
 * What can be done at the screen, by name. The one table of actions and keys
 * from which the key maps, the help view, fathom-keys(7) and the tests come:
 * action.c has it.
 *
 * Every action is a function of readline of the name given here, so inputrc
 * can bind it ("$if fathom"). Which keys are live follows from the map in use:
 * the user's own (emacs or vi) in the input box, else one of ours, which
 * inputrc knows by its name too ("set keymap fathom-list").
 *
 * An action comes with the count that was typed before its key, or 1; COPY,
 * SAVE and SECTION with 0 when there was none, and with the digit that is a
 * part of their key ("y3").
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

/*
 * A(NAME, name, help): an action, its function in readline and in inputrc,
 * and a few words for help and the manual page.
 */
#define ACTION_LIST(A)                                                         \
    /* the input box */                                                        \
    A(SEND, "fathom-send", "send")                                             \
    A(NEWLINE, "fathom-newline", "new line")                                   \
    A(EDIT, "fathom-edit", "edit in $VISUAL")                                  \
    A(INTERRUPT, "fathom-interrupt", "stop, keep what came")                   \
    A(RECALL, "fathom-recall", "take back a message that waits")               \
    A(UNQUEUE, "fathom-unqueue", "drop the messages that wait")                \
    A(QUIT, "fathom-quit", "quit, on an empty line")                           \
    /* everywhere; FOCUS: input box and transcript, in turn */                 \
    A(FOCUS, "fathom-focus", "input box, transcript")                          \
    A(HELP, "fathom-help", "help")                                             \
    A(HISTORY, "fathom-history", "history")                                    \
    A(MODEL, "fathom-model", "models")                                         \
    A(EXPERTS, "fathom-experts", "map of experts")                             \
    A(STATS, "fathom-stats", "statistics")                                     \
    A(PRESET, "fathom-preset", "presets")                                      \
    A(LOCK, "fathom-lock", "lock the vault")                                   \
    A(LEAVE, "fathom-leave", "quit")                                           \
    A(REDRAW, "fathom-redraw", "draw the screen again")                        \
    A(BARE, "fathom-bare", "text only, to select with the mouse")              \
    A(ONE_PANE, "fathom-one-pane", "one pane")                                 \
    A(THINKING_LAYOUT, "fathom-thinking-layout", "fold, split, side, hide")    \
    A(THINKING_TOGGLE, "fathom-thinking-toggle", "open or fold the last one")  \
    A(ANSWER_NOW, "fathom-answer-now", "answer now, close thinking")           \
    A(EFFORT_NEXT, "fathom-effort-next", "next effort of thinking")            \
    /* moving: transcript, lists, experts; pages in the input box too */       \
    A(LINE_DOWN, "fathom-line-down", "line down")                              \
    A(LINE_UP, "fathom-line-up", "line up")                                    \
    A(PAGE_DOWN, "fathom-page-down", "page down")                              \
    A(PAGE_UP, "fathom-page-up", "page up")                                    \
    A(TOP, "fathom-top", "to the top")                                         \
    A(BOTTOM, "fathom-bottom", "to the end, and follow")                       \
    A(LEFT, "fathom-left", "left")                                             \
    A(RIGHT, "fathom-right", "right")                                          \
    A(SEARCH, "fathom-search", "search")                                       \
    A(SEARCH_NEXT, "fathom-search-next", "next hit")                           \
    A(SEARCH_BACK, "fathom-search-back", "previous hit")                       \
    A(BACK, "fathom-back", "back to the input line")                           \
    /* the transcript; COPY: the turn, with a count code block n */            \
    A(TURN_BACK, "fathom-turn-back", "previous turn")                          \
    A(TURN_NEXT, "fathom-turn-next", "next turn")                              \
    A(CODE_BACK, "fathom-code-back", "previous code block")                    \
    A(CODE_NEXT, "fathom-code-next", "next code block")                        \
    A(FOLD, "fathom-fold", "open or fold thinking here")                       \
    A(COPY, "fathom-copy", "copy the turn, with 1 to 9 code block n")          \
    A(COPY_SOURCE, "fathom-copy-source", "copy the turn as Markdown")          \
    A(COPY_THINKING, "fathom-copy-thinking", "copy thinking")                  \
    A(EDIT_TURN, "fathom-edit-turn", "edit this message, makes a branch")      \
    A(RETRY, "fathom-retry", "answer again, makes a branch")                   \
    A(BRANCH, "fathom-branch", "branch here")                                  \
    A(BRANCH_BACK, "fathom-branch-back", "previous branch")                    \
    A(BRANCH_NEXT, "fathom-branch-next", "next branch")                        \
    A(DELETE, "fathom-delete", "delete, undo brings it back")                  \
    A(UNDO, "fathom-undo", "undo the last deletion")                           \
    A(PAGER, "fathom-pager", "open in the pager")                              \
    A(SAVE, "fathom-save", "save a code block to a file")                      \
    /* lists */                                                                \
    A(CHOOSE, "fathom-choose", "take this one")                                \
    A(PREVIEW, "fathom-preview", "preview")                                    \
    A(EXPORT, "fathom-export", "export")                                       \
    A(RENAME, "fathom-rename", "rename")                                       \
    A(TAG, "fathom-tag", "tag")                                                \
    A(REGEX, "fathom-regex", "regular expressions, on or off")                 \
    A(PIN, "fathom-pin", "pin")                                                \
    A(INFO, "fathom-info", "all about this one")                               \
    A(VERIFY, "fathom-verify", "verify now")                                   \
    A(DEFAULT, "fathom-default", "make it the default")                        \
    A(PANE, "fathom-pane", "list and preview, in turn")                        \
    A(SECTION, "fathom-section", "section n")                                  \
    /* experts */                                                              \
    A(WINDOW_MORE, "fathom-window-more", "longer window")                      \
    A(WINDOW_LESS, "fathom-window-less", "shorter window")                     \
    A(SORT, "fathom-sort", "sort by layer or heat")                            \
    A(ZOOM, "fathom-zoom", "cell size")                                        \
    A(MONO, "fathom-mono", "colour or none")                                   \
    A(DUMP, "fathom-dump", "write the counts to a file")                       \
    A(PLAN, "fathom-plan", "apply the plan")

#define ACTION_ENUM(NAME, name, help) ACTION_##NAME,
enum action { ACTION_NONE, ACTION_LIST(ACTION_ENUM) ACTIONS };
#undef ACTION_ENUM

struct action_row {
    const char *name; // "fathom-send"
    const char *help; // a few words, for help and the manual page
};
/* The row of an action. */
const struct action_row *action_row(enum action action);
/* "fathom-transcript"; NULL for the input box, whose map is the user's. */
const char *action_map_name(enum action_map map);

/*
 * A key that does something by default. Without sequence and capability it is
 * not readline's: ^C comes as a signal, ^D as the end of the input.
 */
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
