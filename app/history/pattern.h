/*
 * A regular expression (PCRE2's, pcre2pattern(3)) looked for in texts of chats,
 * line by line. Whatever expression and text are, time and memory are bounded:
 * each step of the matcher is counted, and when a text takes many times more
 * of them than it has bytes, the pattern has given up and finds no more.
 *
 * A pattern belongs to one thread. What it holds of what was typed is wiped.
 */
#ifndef FATHOM_APP_PATTERN_H
#define FATHOM_APP_PATTERN_H

#include "base/protocol.h"

enum {
    PATTERN_BYTES = 1000, // of the longest expression
    PATTERN_LINE = 4096,  // longer lines are looked at in pieces of so many
};

struct pattern;

/* STATUS_FORMAT: it is none; the sentence says what and where. */
MUST_CHECK enum status pattern_open(struct pattern **out, struct text wanted,
                                    bool case_counts, struct error *err);
void pattern_close(struct pattern *pattern); // takes NULL

/* The first match that is not empty: bytes of `text`, whole characters. */
bool pattern_find(size_t *at, size_t *length, struct pattern *pattern,
                  struct text text);
/* Whether it took too long on some text; then nothing is found any more. */
bool pattern_gave_up(const struct pattern *pattern);

#endif
