/*
 * How many columns text takes on the terminal, and where it may be cut.
 *
 * wcwidth decides the columns of a character, since curses uses it too (that
 * of C.UTF-8 where the locale has no UTF-8); utf8proc finds grapheme clusters,
 * so that no cut leaves an accent alone or half an emoji. A cluster takes the
 * columns of all its characters together, at most 8: what joins without end
 * is cut there.
 *
 * Where the terminal cannot show more than ASCII (LANG=C), other characters
 * are shown as ASCII that reads alike, or "?" (text_shown), and these
 * functions count the columns of that. Text is UTF-8 and sanitised, of one
 * line. The main thread only.
 */
#ifndef FATHOM_UI_TEXT_WIDTH_H
#define FATHOM_UI_TEXT_WIDTH_H

#include "base/base.h"

/*
 * What the terminal can show; before anything else here. `ambiguous`: the
 * columns of characters that are narrow or wide by taste, 1 or 2.
 */
void text_width_start(bool utf8, unsigned ambiguous);
bool text_width_utf8(void);

/* UTF-8 as the locale of this process says, which setlocale has set. */
bool text_locale_is_utf8(void);

/* Columns of one character, 0 for those that join the one before. */
unsigned text_width_of(uint32_t code_point);

/* Bytes of the cluster at the start of text (length > 0), and its columns. */
size_t text_cluster(const char *bytes, size_t length, unsigned *columns);

/*
 * Bytes at the start that are ASCII which is seen, blanks too, and each a
 * cluster of one column.
 */
size_t text_plain(const char *bytes, size_t length);

/* A cluster as the terminal is to be sent it: itself, or ASCII for it. */
const char *text_shown(const char *cluster, size_t length,
                       size_t *shown_length);

/* Columns of all of the text. */
size_t text_columns(const char *bytes, size_t length);

/* Bytes of the longest beginning that fits; *used (or NULL) its columns. */
size_t text_fit(const char *bytes, size_t length, size_t columns, size_t *used);

#endif
