/*
 * Finding text without regard to case: Unicode's full case folding (utf8proc),
 * in the language-neutral form. Nothing is normalised: a letter and its accent
 * written apart are two characters. Most texts are settled by a byte search;
 * only where folding could make a difference is a text folded.
 *
 * A needle belongs to one thread.
 */
#ifndef FATHOM_STORAGE_NEEDLE_H
#define FATHOM_STORAGE_NEEDLE_H

#include "base/protocol.h"

struct needle;

/* `wanted` is copied; STATUS_FORMAT: it is empty or not UTF-8. */
MUST_CHECK enum status needle_open(struct needle **out, struct text wanted,
                                   struct error *err);
void needle_close(struct needle *needle); // takes NULL; wipes it

/*
 * Looks for it in UTF-8; *at and *length are bytes of `text`, whole characters.
 */
bool needle_find(size_t *at, size_t *length, const struct needle *needle,
                 struct text text);

#endif
