/*
 * What Tab offers, on one line: a page of words, and how many more there are.
 */
#ifndef FATHOM_APP_OFFER_LINE_H
#define FATHOM_APP_OFFER_LINE_H

#include <stddef.h>

/*
 * As many words from the one at `first` on as the columns hold, safe to show;
 * one at least, which may be cut. Returns the first of the next page; count:
 * there is none.
 */
size_t offer_line(char *out, size_t size, const char *const *words,
                  size_t count, size_t first, size_t columns);

#endif
