/*
 * A summary that takes the place of older turns. It is a turn as any other,
 * kept where it was asked for: a question that asks for it, and the answer. By
 * its first and its last line the question is known from all others; the last
 * line says how many of the turns before it prompts have behind it.
 */
#ifndef FATHOM_APP_SUMMARY_H
#define FATHOM_APP_SUMMARY_H

#include "base/protocol.h"

/*
 * Appends the question for a summary of all but the newest `keep` turns.
 * `wanted` is what it should mind above all, one line, or empty.
 */
MUST_CHECK enum status summary_question(struct buffer *out, size_t keep,
                                        struct text wanted, struct error *err);
/* Whether this question asks for one; *keep is set only then. */
bool summary_is_asked(struct text question, size_t *keep);

#endif
