/*
 * LaTeX as it occurs in answers, as text that can be read: letters and signs
 * of Unicode, or words and signs of ASCII where the terminal has no more. What
 * is not known stays as it was typed.
 */
#ifndef FATHOM_UI_LATEX_H
#define FATHOM_UI_LATEX_H

#include "base/base.h"

/*
 * Appends the formula (without its dollar signs). On display it may take
 * several lines, separated by newlines: matrices, cases, aligned equations.
 * Otherwise it is one line. False through *understood where its braces do not
 * match: nothing is appended then.
 */
MUST_CHECK enum status latex_write(struct buffer *out, const char *bytes,
                                   size_t length, bool display,
                                   bool *understood, struct error *err);

#endif
