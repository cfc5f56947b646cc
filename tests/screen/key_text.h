/*
 * Keys as a test script writes them: text as it stands, \e \n \r \t \\ and
 * \xHH for bytes, and names in angle brackets: <F1> <Up> <Down> <Left> <Right>
 * <Home> <End> <PgUp> <PgDn> <Ins> <Del> <BackTab> by terminfo of TERM, and
 * <Tab> <Enter> <Esc> <BS> <lt> <C-x> <M-x>.
 */
#ifndef FATHOM_TESTS_SCREEN_KEY_TEXT_H
#define FATHOM_TESTS_SCREEN_KEY_TEXT_H

#include "base/base.h"

/* From now on keys are those of a terminal of this type; false: unknown. */
bool key_text_terminal(const char *term);

/*
 * Appends the bytes that the keys send; STATUS_FORMAT tells what is unknown.
 * Without `names` angle brackets are text.
 */
MUST_CHECK enum status key_text_bytes(struct buffer *out, const char *text,
                                      bool names, struct error *err);

#endif
