/*
 * Bytes that ask a terminal to take text into its clipboard (OSC 52), or to
 * show that something is ready (OSC 9), through tmux or GNU screen where the
 * terminal is behind them.
 */
#ifndef FATHOM_UI_CLIPBOARD_H
#define FATHOM_UI_CLIPBOARD_H

#include "base/base.h"

/* What stands between us and the terminal. */
enum passage {
    PASSAGE_NONE,
    PASSAGE_TMUX,
    PASSAGE_SCREEN,
    PASSAGE_BLOCKED, // a terminal that would print such bytes
};

/* As TERM, TMUX and STY (or NULL) tell. */
enum passage passage_of(const char *term, const char *tmux, const char *sty);

enum { CLIPBOARD_BYTES = 74994 }; // of text; more is dropped by terminals

/* Appends OSC 52 with the text. STATUS_LIMIT: too long for terminals. */
MUST_CHECK enum status clipboard_bytes(struct buffer *out, enum passage passage,
                                       const char *text, size_t length,
                                       struct error *err);
/* Appends OSC 9 with a short text of ours. */
MUST_CHECK enum status notice_bytes(struct buffer *out, enum passage passage,
                                    const char *text, struct error *err);

#endif
