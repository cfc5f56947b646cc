/*
 * Tags of a chat: words by which it is found again. All of a chat's are one
 * text with a blank between two, as they are kept and shown. A tag is UTF-8
 * without blanks, commas and control characters, does not begin with "-", and
 * is there once.
 *
 * Threads: plain functions.
 */
#ifndef FATHOM_STORAGE_TAGS_H
#define FATHOM_STORAGE_TAGS_H

#include "base/protocol.h"

enum { TAG_BYTES = 64, TAGS_MOST = 32 };

/* Whether a text is tags as above; no tags at all are. */
bool tags_valid(struct text tags);
/* Takes the first one off *rest, which is valid; false when there is none. */
bool tags_next(struct text *tag, struct text *rest);
bool tags_have(struct text tags, struct text tag);

/*
 * Adds one behind the others, unless it is there. STATUS_FORMAT: it is no tag,
 * STATUS_LIMIT: there are as many as a chat has. *tags is as before then.
 */
MUST_CHECK enum status tags_add(struct buffer *tags, struct text tag,
                                struct error *err);
/* Takes one away; STATUS_FORMAT: it is not there. */
MUST_CHECK enum status tags_remove(struct buffer *tags, struct text tag,
                                   struct error *err);
/* Adds what was typed, words with blanks between them; "-word" goes away. */
MUST_CHECK enum status tags_change(struct buffer *tags, struct text typed,
                                   struct error *err);

#endif
