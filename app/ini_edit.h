/*
 * One setting of a file of settings is given another value, or is added, and
 * every other byte of the file stays: comments, order, blank lines, the ends
 * of lines as they are.
 *
 * The text must be one that ini_take takes. What comes out is not read again
 * here: a value that a file cannot hold, such as one with " ;" in it, is the
 * caller's to notice, by reading it.
 */
#ifndef FATHOM_APP_INI_EDIT_H
#define FATHOM_APP_INI_EDIT_H

#include "base/base.h"

/* A setting in a section that is written as a whole: "ui", "theme". */
struct ini_change {
    const char *section, *name, *value;
};

/*
 * Appends the changed text to `out`. A setting that is there keeps its line,
 * its blanks and the comment behind it. A new one comes after the last
 * setting of its section, or with a section of its own at the end.
 */
MUST_CHECK enum status ini_edit(struct buffer *out, const char *text,
                                size_t length, const struct ini_change *change,
                                struct error *err);

#endif
