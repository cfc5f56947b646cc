/*
 * Device memory of one forward pass: activations of at most `tokens` tokens.
 * Threads: belongs to the thread that owns the device.
 */
#ifndef FATHOM_ENGINE_WORKSPACE_H
#define FATHOM_ENGINE_WORKSPACE_H

#include "engine/device/device.h"

/* Members that a model's shape does not need are NULL. */
struct workspace {
    size_t tokens, logit_rows;
    float *x;         // (tokens, hidden): the residual stream
    float *u;         // (tokens, hidden): normed input of a sub-layer
    float *y;         // (tokens, hidden): what a sub-layer adds
    float *q_a;       // (tokens, query_rank)
    float *q;         // (tokens, heads, key_width)
    float *kv_a;      // (tokens, latent_width + rope_width)
    float *k, *v;     // (tokens, kv_heads, key_width or value_width)
    float *o;         // (tokens, heads, value_width)
    float *gate, *up; // (tokens, dense_width)
    float *scores;    // (tokens, experts): router logits
    struct routing routing;
    struct rotation rotation;
    float *logits; // (logit_rows, vocabulary)
    struct step_state *state;
    void *memory; // all of the above
    size_t bytes;
};

size_t workspace_bytes(const struct shape *shape, size_t tokens,
                       size_t logit_rows);
MUST_CHECK enum status workspace_open(struct workspace *out,
                                      struct device *device,
                                      const struct shape *shape, size_t tokens,
                                      size_t logit_rows, struct error *err);
/* Takes one that workspace_open filled, or zeros. */
void workspace_close(struct workspace *workspace, struct device *device);

#endif
