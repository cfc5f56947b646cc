/* The actions and their default keys. */
#include "config.h"

#include "ui/keys/action.h"

#define KEY(map, action, sequence, shown)                                      \
    {                                                                          \
        MAP_##map, ACTION_##action, sequence, NULL, shown                      \
    }
#define CAP(map, action, capability, shown)                                    \
    {                                                                          \
        MAP_##map, ACTION_##action, NULL, capability, shown                    \
    }

/* Each function key has a twin, since terminals and tmux eat function keys. */
#define EVERYWHERE(map)                                                        \
    CAP(map, HELP, "kf1", "F1"), KEY(map, HELP, "\\C-xh", "^Xh"),              \
        CAP(map, HISTORY, "kf2", "F2"), KEY(map, HISTORY, "\\C-xg", "^Xg"),    \
        CAP(map, MODEL, "kf3", "F3"), KEY(map, MODEL, "\\C-xm", "^Xm"),        \
        CAP(map, EXPERTS, "kf4", "F4"), KEY(map, EXPERTS, "\\C-xe", "^Xe"),    \
        CAP(map, THINKING_LAYOUT, "kf5", "F5"),                                \
        KEY(map, THINKING_LAYOUT, "\\C-xv", "^Xv"),                            \
        CAP(map, FOCUS, "kf6", "F6"), KEY(map, FOCUS, "\\C-xo", "^Xo"),        \
        CAP(map, STATS, "kf7", "F7"), KEY(map, STATS, "\\C-xs", "^Xs"),        \
        CAP(map, PRESET, "kf8", "F8"), KEY(map, PRESET, "\\C-xp", "^Xp"),      \
        CAP(map, LOCK, "kf9", "F9"), KEY(map, LOCK, "\\C-xk", "^Xk"),          \
        CAP(map, LEAVE, "kf10", "F10"), KEY(map, LEAVE, "\\C-xq", "^Xq"),      \
        KEY(map, REDRAW, "\\C-l", "^L"), KEY(map, REDRAW, "\\C-xl", "^Xl"),    \
        KEY(map, BARE, "\\C-xb", "^Xb"), KEY(map, ONE_PANE, "\\C-x1", "^X1"),  \
        KEY(map, THINKING_TOGGLE, "\\C-xt", "^Xt"),                            \
        KEY(map, ANSWER_NOW, "\\C-xa", "^Xa"),                                 \
        KEY(map, EFFORT_NEXT, "\\C-xT", "^XT"),                                \
        CAP(map, PAGE_DOWN, "knp", "PgDn"), CAP(map, PAGE_UP, "kpp", "PgUp")

#define MOVING(map)                                                            \
    KEY(map, LINE_DOWN, "j", "j"), KEY(map, LINE_DOWN, "\\C-n", "^N"),         \
        CAP(map, LINE_DOWN, "kcud1", "Down"), KEY(map, LINE_UP, "k", "k"),     \
        KEY(map, LINE_UP, "\\C-p", "^P"), CAP(map, LINE_UP, "kcuu1", "Up"),    \
        KEY(map, PAGE_DOWN, "\\C-f", "^F"),                                    \
        KEY(map, PAGE_DOWN, "\\C-d", "^D"), KEY(map, PAGE_UP, "\\C-b", "^B"),  \
        KEY(map, PAGE_UP, "\\C-u", "^U"), KEY(map, TOP, "g", "g"),             \
        CAP(map, TOP, "khome", "Home"), KEY(map, BOTTOM, "G", "G"),            \
        CAP(map, BOTTOM, "kend", "End"), KEY(map, LEFT, "h", "h"),             \
        CAP(map, LEFT, "kcub1", "Left"), KEY(map, RIGHT, "l", "l"),            \
        CAP(map, RIGHT, "kcuf1", "Right"), KEY(map, BACK, "q", "q"),           \
        KEY(map, BACK, "\\C-g", "^G"), KEY(map, BACK, "\\e", "Esc")

#define SEARCHING(map)                                                         \
    KEY(map, SEARCH, "/", "/"), KEY(map, SEARCH_NEXT, "n", "n"),               \
        KEY(map, SEARCH_BACK, "N", "N")

#define NUMBERED(map, action, before)                                          \
    KEY(map, action, before "1", before "1"),                                  \
        KEY(map, action, before "2", before "2"),                              \
        KEY(map, action, before "3", before "3"),                              \
        KEY(map, action, before "4", before "4"),                              \
        KEY(map, action, before "5", before "5"),                              \
        KEY(map, action, before "6", before "6"),                              \
        KEY(map, action, before "7", before "7"),                              \
        KEY(map, action, before "8", before "8"),                              \
        KEY(map, action, before "9", before "9")

const struct action_key action_keys[] = {
    KEY(INPUT, SEND, "\\C-m", "Enter"),
    KEY(INPUT, NEWLINE, "\\C-j", "^J"),
    KEY(INPUT, NEWLINE, "\\e\\C-m", "M-Enter"),
    KEY(INPUT, EDIT, "\\C-x\\C-e", "^X^E"),
    KEY(INPUT, INTERRUPT, NULL, "^C"),
    KEY(INPUT, QUIT, NULL, "^D"),
    KEY(INPUT, FOCUS, "\\e", "Esc"),
    EVERYWHERE(INPUT),

    EVERYWHERE(TRANSCRIPT),
    MOVING(TRANSCRIPT),
    KEY(TRANSCRIPT, PAGE_DOWN, " ", "Space"),
    SEARCHING(TRANSCRIPT),
    KEY(TRANSCRIPT, BACK, "i", "i"),
    KEY(TRANSCRIPT, TURN_BACK, "{", "{"),
    KEY(TRANSCRIPT, TURN_NEXT, "}", "}"),
    KEY(TRANSCRIPT, CODE_BACK, "[", "["),
    KEY(TRANSCRIPT, CODE_NEXT, "]", "]"),
    KEY(TRANSCRIPT, FOLD, "t", "t"),
    KEY(TRANSCRIPT, COPY, "y", "y"),
    KEY(TRANSCRIPT, COPY, "yy", "yy"),
    NUMBERED(TRANSCRIPT, COPY, "y"),
    KEY(TRANSCRIPT, COPY_SOURCE, "Y", "Y"),
    KEY(TRANSCRIPT, COPY_THINKING, "yt", "yt"),
    KEY(TRANSCRIPT, EDIT_TURN, "e", "e"),
    KEY(TRANSCRIPT, RETRY, "r", "r"),
    KEY(TRANSCRIPT, BRANCH, "b", "b"),
    KEY(TRANSCRIPT, BRANCH_BACK, "<", "<"),
    KEY(TRANSCRIPT, BRANCH_NEXT, ">", ">"),
    KEY(TRANSCRIPT, DELETE, "D", "D"),
    KEY(TRANSCRIPT, UNDO, "u", "u"),
    KEY(TRANSCRIPT, PAGER, "o", "o"),
    KEY(TRANSCRIPT, SAVE, "s", "s"),

    EVERYWHERE(LIST),
    MOVING(LIST),
    SEARCHING(LIST),
    KEY(LIST, CHOOSE, "\\C-m", "Enter"),
    KEY(LIST, PREVIEW, " ", "Space"),
    KEY(LIST, PANE, "\\t", "Tab"),
    NUMBERED(LIST, SECTION, ""),
    KEY(LIST, BRANCH, "b", "b"),
    KEY(LIST, EXPORT, "x", "x"),
    KEY(LIST, RENAME, "R", "R"),
    KEY(LIST, TAG, "t", "t"),
    KEY(LIST, REGEX, "\\C-t", "^T"),
    KEY(LIST, PIN, "p", "p"),
    KEY(LIST, DELETE, "D", "D"),
    KEY(LIST, UNDO, "u", "u"),
    KEY(LIST, INFO, "i", "i"),
    KEY(LIST, VERIFY, "v", "v"),
    KEY(LIST, DEFAULT, "s", "s"),
    KEY(LIST, PRESET, "P", "P"),
    KEY(LIST, PAGER, "o", "o"),

    EVERYWHERE(EXPERTS),
    MOVING(EXPERTS),
    KEY(EXPERTS, WINDOW_MORE, "+", "+"),
    KEY(EXPERTS, WINDOW_LESS, "-", "-"),
    KEY(EXPERTS, SORT, "s", "s"),
    KEY(EXPERTS, ZOOM, "z", "z"),
    KEY(EXPERTS, MONO, "c", "c"),
    KEY(EXPERTS, PIN, "p", "p"),
    KEY(EXPERTS, PLAN, "P", "P"),
    KEY(EXPERTS, DUMP, "d", "d"),
    {MAP_INPUT, ACTION_NONE, NULL, NULL, NULL},
};

const struct action_row *
action_row(enum action action)
{
#define ROW(NAME, name, help) [ACTION_##NAME] = {name, help},
    static const struct action_row rows[ACTIONS] = {[ACTION_NONE] = {"", ""},
                                                    ACTION_LIST(ROW)};
#undef ROW

    return &rows[action];
}

const char *
action_map_name(enum action_map map)
{
    static const char *const names[ACTION_MAPS] = {
        NULL, "fathom-transcript", "fathom-list", "fathom-experts"};

    return names[map];
}
