/*
 * Notices generated tokens that repeat themselves exactly: the same period
 * again and again. Small models end in such loops, and a thought that does
 * never ends.
 *
 * A loop is at least four periods of at most LOOP_PERIOD tokens, and so long
 * that tables and code do not look like one. How long depends on how many
 * different words a period has, since rows of numbers and rules of a table
 * repeat rightfully: 160 tokens where there are five words or more, 400 with
 * three or four, 1200 below that.
 *
 * Each token costs the same: one pass over as many counters as there are
 * periods. Threads: belongs to the session; what it holds is wiped.
 */
#ifndef FATHOM_ENGINE_LOOP_FINDER_H
#define FATHOM_ENGINE_LOOP_FINDER_H

#include "base/base.h"

enum { LOOP_PERIOD = 512 };

struct loop_finder;

struct loop {
    size_t period, repeats;
};

MUST_CHECK enum status loop_finder_open(struct loop_finder **out,
                                        struct error *err);
void loop_finder_close(struct loop_finder *finder); // takes NULL

/* Forgets all tokens: another text begins. */
void loop_finder_reset(struct loop_finder *finder);

/*
 * Takes the next token; `word` says that it has letters. True when a loop is
 * noticed: once, until it is left.
 */
bool loop_finder_push(struct loop_finder *finder, int32_t id, bool word,
                      struct loop *out);

#endif
