/*
 * How often each expert was used among the last tokens. Counts come a few
 * times a second and are kept in pieces of some tokens, so a window ends
 * between two pieces and holds no fewer tokens than asked for, if there were
 * as many. It is in memory only and wiped: which experts were used tells what
 * was said.
 */
#ifndef FATHOM_APP_EXPERT_WINDOW_H
#define FATHOM_APP_EXPERT_WINDOW_H

#include "base/protocol.h"

enum {
    EXPERT_PIECE_TOKENS = 32,
    EXPERT_PIECES = 64,
    EXPERT_WINDOWS = 4 // lengths: 32, 128, 512, 2048 tokens
};

/* Start from {0}. */
struct expert_window {
    size_t layers, experts, first_layer;
    unsigned active, shared;
    uint16_t *counts; // (EXPERT_PIECES, layers, experts); at most 65535 each
    uint64_t tokens[EXPERT_PIECES];
    size_t newest, pieces; // pieces that hold something
    uint32_t *sums;        // (layers, experts)
    uint8_t *tier;         // (layers, experts), as the last event said
    uint64_t summed;       // tokens that `sums` is of
    uint64_t length;       // that `sums` was asked for
    bool stale;            // counts came since
};

/* Takes the counts of an event in; another shape starts anew. */
MUST_CHECK enum status expert_window_add(struct expert_window *window,
                                         const struct residency *event,
                                         struct error *err);
/*
 * The uses among at least the last `tokens` tokens, lent until the next call;
 * NULL: no counts have come. *summed (or NULL) is how many tokens these were.
 */
const uint32_t *expert_window_sums(struct expert_window *window,
                                   uint64_t tokens, uint64_t *summed);
/* Forgets the counts; the shape stays. */
void expert_window_wipe(struct expert_window *window);
void expert_window_release(struct expert_window *window);

/* The i-th length, in tokens. */
uint64_t expert_window_length(size_t i);

#endif
