/*
 * The one way for text from outside (answers, thoughts, names and texts from
 * model files, error sentences) to a terminal, and to pipes too.
 *
 * What comes out is valid UTF-8 and holds of the controls only LF and TAB.
 * Everything a terminal might act upon becomes a visible mark, and nothing is
 * hidden: an escape sequence shows as "<ESC>" and the rest of it as the plain
 * text it then is, so that an unterminated one swallows nothing.
 *
 *   C0 except LF and TAB, DEL   <NUL> <BEL> <ESC> <DEL> ...
 *   CR                          dropped before LF, else <CR>
 *   C1, bidi embeddings, overrides and isolates (U+202A..E, U+2066..9),
 *   tags (U+E0000..7F), line and paragraph separators, variation selectors
 *   that follow nothing they could select   <U+202E> ...
 *   bytes that are not UTF-8    U+FFFD
 *
 * Text may come in pieces cut anywhere, inside a character too: the output
 * is the same as for the whole.
 */
#ifndef FATHOM_UI_SANITISER_H
#define FATHOM_UI_SANITISER_H

#include "base/base.h"

struct sanitiser {
    // printed around marks, for example to dim them; NULL prints nothing
    const char *mark_open, *mark_close;
    // a character that is not whole yet
    char held[4];
    size_t held_length;
    bool after_return; // a CR waits for its LF
    uint32_t base;     // the last character, for variation selectors
};

/* Appends what is fit to be shown. Start from {0}. */
MUST_CHECK enum status sanitiser_write(struct sanitiser *sanitiser,
                                       struct buffer *out, const char *bytes,
                                       size_t length, struct error *err);
/* The text ends here: what was held back is shown as what it is. */
MUST_CHECK enum status sanitiser_finish(struct sanitiser *sanitiser,
                                        struct buffer *out, struct error *err);

/*
 * Whether a terminal may act upon this character or hide it: what the table
 * above shows as a mark, but for selectors. LF and TAB are not.
 */
bool sanitiser_is_command(uint32_t code_point);

#endif
