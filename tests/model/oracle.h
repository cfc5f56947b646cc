/*
 * The forward pass in double precision, loops only: what the engine's must
 * agree with. It reads models whose weights are F32 in host memory, and shares
 * no arithmetic with engine/ or kernels/. Formulas are those of
 * doc/forward.md; it is itself checked by the constants of its appendix B.
 */
#ifndef FATHOM_TESTS_MODEL_ORACLE_H
#define FATHOM_TESTS_MODEL_ORACLE_H

#include "engine/engine.h"

/* A multi-token prediction block, DeepSeek-V3 2.2 (forward.md 5.1). */
struct oracle_mtp {
    const float *enorm, *hnorm; // (hidden)
    struct weight eh_proj;      // (hidden, 2 * hidden)
    struct layer layer;
    const float *head_norm; // (hidden)
    uint32_t expert_layer;  // its number in the expert store
};

struct oracle {
    const struct model *model;
    size_t tokens;
    double *hidden; // (layers, tokens, hidden): after each layer
    double *final;  // (tokens, hidden)
    double *logits; // (tokens, vocabulary)
    int *experts;   // (layers, tokens, used), in rank order; -1: none
    double *margin; // (layers, tokens): how far the choice was from changing
};

/* Runs ids at positions 0 .. tokens-1. The caller closes it. */
struct oracle *oracle_run(const struct model *model, const int32_t *ids,
                          size_t tokens, bool absorbed);
void oracle_close(struct oracle *oracle);

/*
 * Logits (tokens - 1, vocabulary) of the block over a run's final states, and
 * the experts (tokens - 1, used) it chose.
 */
void oracle_mtp(const struct oracle *oracle, const struct oracle_mtp *mtp,
                const int32_t *ids, double *logits, int *experts);

#endif
