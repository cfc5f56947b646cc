/*
 * Counts of executed work: for each layer and expert, the tokens that it was
 * computed for. Devices count into the one that the store names, if any.
 *
 * Which experts a token chose tells of the text: counts are wiped when they
 * are cleared, and nobody logs them.
 * Threads: belongs to the thread that runs operations.
 */
#ifndef FATHOM_ENGINE_EXPERTS_EXPERT_USES_H
#define FATHOM_ENGINE_EXPERTS_EXPERT_USES_H

#include "engine/experts/experts.h"

struct expert_uses {
    uint32_t first_layer, layers, experts; // 0 layers: a model without
    uint64_t tokens;                       // that have gone through all layers
    uint32_t *counts;                      // (layers, experts)
    uint8_t *tier; // (layers, experts): enum expert_tier
};

MUST_CHECK enum status expert_uses_open(struct expert_uses **out,
                                        const struct shape *shape,
                                        struct error *err);
void expert_uses_close(struct expert_uses *uses); // takes NULL

/* All counts back to 0. */
void expert_uses_clear(struct expert_uses *uses);
/* Fills `tier` with where the store has its experts now. */
void expert_uses_locate(struct expert_uses *uses,
                        const struct expert_store *store);
/* Uses of experts that are in `tier`, and of all. */
uint64_t expert_uses_in(const struct expert_uses *uses, enum expert_tier tier);
uint64_t expert_uses_total(const struct expert_uses *uses);

/* One expert was computed for this many tokens. */
static inline void
expert_uses_add(struct expert_uses *uses, uint32_t layer, uint32_t e,
                size_t tokens)
{
    if (uses != NULL)
        uses->counts[(size_t) (layer - uses->first_layer) * uses->experts +
                     e] += (uint32_t) tokens;
}

#endif
