/* What forward passes share: their two ends, norms, the dense feed-forward. */
#ifndef FATHOM_ENGINE_ARCH_SUBLAYERS_H
#define FATHOM_ENGINE_ARCH_SUBLAYERS_H

#include "engine/arch/arch.h"
#include "engine/workspace.h"

/* One forward pass: what the steps of it work on. */
struct pass {
    const struct model *model;
    struct device *device;
    const struct kv_cache *cache;
    const struct workspace *work;
    struct step *step;
};

/* x = embedding of the step's tokens; rotation tables of its positions. */
void pass_begin(const struct pass *pass);
/* Asks step->proceed, and says which layer operations belong to. */
MUST_CHECK enum status pass_next_layer(const struct pass *pass, uint32_t layer,
                                       struct error *err);
/* logits of the last rows: output head of norm(x). */
void pass_end(const struct pass *pass);

/* u = norm(x) */
void norm_input(const struct pass *pass, const float *weight);
/* x += y; `name` is y's for observers. */
void add_output(const struct pass *pass, const char *name);
/* y = W_down (silu(W_gate u) * W_up u) */
void dense_feed_forward(const struct pass *pass, const struct layer *layer);

/* Shows (tokens, width) words of device memory to an observer, if any. */
void observe(const struct pass *pass, const char *name, const void *data,
             size_t width);

static inline struct vectors
rows_of(float *data, size_t width)
{
    return (struct vectors){
        .data = data, .width = width, .count = 1, .token_stride = width};
}

#endif
