/*
 * Looks of a line of code: comments, strings, numbers, words of the language.
 * A table tells each language by its comments, quotes and words; what it does
 * not know of a language stays as it is. Nothing is parsed: a mistake costs a
 * colour, to the end of the line or to that of the block.
 */
#ifndef FATHOM_UI_CODE_LOOKS_H
#define FATHOM_UI_CODE_LOOKS_H

#include "ui/screen/look.h"

#include "base/base.h"

/* A longer line has no colours, and what was open before it has ended. */
enum { CODE_LINE_MOST = 1000 };

struct code_language;

/* By the label of a fence, "c", "{.python}", "Rust title=x"; NULL: unknown. */
const struct code_language *code_language_find(const char *label,
                                               size_t length);

/*
 * Appends runs (struct look_run) for all of a line, which has no newline.
 * *inside: the string or comment that it begins in, and then the one that it
 * ends in; 0: none, as at the beginning of a block.
 */
MUST_CHECK enum status code_looks(const struct code_language *language,
                                  unsigned *inside, const char *line,
                                  size_t length, struct buffer *runs,
                                  struct error *err);

#endif
