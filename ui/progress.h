/*
 * The progress line of standard error. There is one, and only where standard
 * error is a terminal; elsewhere nothing is ever written. It appears one
 * second after progress_begin, is rewritten at most ten times a second, and
 * is gone without a trace after progress_clear. A terminal that is dumb or
 * read aloud gets a whole sentence every ten seconds instead.
 *
 * Time is an argument, in nanoseconds of base/clock.h. The main thread only.
 */
#ifndef FATHOM_UI_PROGRESS_H
#define FATHOM_UI_PROGRESS_H

#include "base/base.h"

enum progress_form {
    PROGRESS_NONE,
    PROGRESS_LINE,      // one line, rewritten, where the terminal can
    PROGRESS_SENTENCES, // appended
};

/* Something that may take long begins. */
void progress_begin(uint64_t now_ns, enum progress_form form);
/* What is going on. The text is ours or sanitised, one line. */
void progress_show(uint64_t now_ns, const char *text);
/* Takes the line away; other text may be printed. */
void progress_clear(void);

#endif
