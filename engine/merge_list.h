/*
 * Joining neighbours, best first: the loop that BPE and SPM share.
 *
 * A segment is a list of symbols. While some pair of neighbours may be joined,
 * the pair with the smallest priority is, the leftmost of equals; the rule
 * that rates pairs is the caller's. A heap holds the candidates, so n symbols
 * cost n log n however they are ordered. What was joined is what a user wrote:
 * the memory is wiped when released.
 */
#ifndef FATHOM_ENGINE_MERGE_LIST_H
#define FATHOM_ENGINE_MERGE_LIST_H

#include "base/base.h"

#include <stdint.h>

#define MERGE_NEVER UINT32_MAX

struct merge_symbol {
    uint32_t start; // offset of its first byte in the segment
    int32_t id;     // whatever the rule makes of it
    uint32_t previous, next;
    uint32_t priority; // of joining it to its next, or MERGE_NEVER
    int32_t joined;    // id of the two together
};

struct merge_list {
    struct merge_symbol *symbols;
    uint64_t *heap; // priority << 32 | index, smallest first
    size_t capacity, count, candidates;
    uint32_t bytes; // length of the segment
    uint64_t steps; // candidates looked at since init: the work done
};

/*
 * Rates joining two neighbours whose bytes are [start, end) of the segment:
 * returns the priority and sets *joined, or returns MERGE_NEVER.
 */
typedef uint32_t (*merge_rate_fn)(const void *rule, int32_t left, int32_t right,
                                  uint32_t start, uint32_t end,
                                  int32_t *joined);

/* An empty list for a segment of `count` symbols; start and id are to be set.
 * Start from {0}; the memory of earlier segments is used again. */
MUST_CHECK enum status merge_list_begin(struct merge_list *list, size_t count,
                                        struct error *err);
void merge_list_release(struct merge_list *list);

/* Joins all that can be. The first symbol left is symbols[0]. */
void merge_list_join(struct merge_list *list, uint32_t bytes,
                     merge_rate_fn rate, const void *rule);

/* The offset behind symbol i. */
uint32_t merge_list_end(const struct merge_list *list, uint32_t i);

#endif
