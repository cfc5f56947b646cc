/*
 * Architectures: how a file's metadata becomes a shape, which tensors it must
 * hold, and the forward pass. One file an architecture, one line each in
 * arch_table.c.
 */
#ifndef FATHOM_ENGINE_ARCH_ARCH_H
#define FATHOM_ENGINE_ARCH_ARCH_H

#include "engine/device/device.h"
#include "engine/model.h"

struct kv_cache;

/*
 * Device memory of one forward pass: activations of at most `tokens` tokens.
 * Members that an architecture does not need are NULL.
 */
struct workspace {
    size_t tokens, logit_rows;
    float *x;         // (tokens, hidden): the residual stream
    float *u;         // (tokens, hidden): normed input of a sub-layer
    float *y;         // (tokens, hidden): what a sub-layer adds
    float *q_a;       // (tokens, query_rank)
    float *q;         // (tokens, heads, key_width)
    float *kv_a;      // (tokens, latent_width + rope_width)
    float *k, *v;     // (tokens, kv_heads, key or value_width)
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

struct arch {
    const char *name; // general.architecture

    /* Reads and checks every hyper-parameter. */
    enum status (*read_shape)(struct shape *out, const struct gguf *gguf,
                              const struct model_options *options,
                              struct error *err);

    /*
     * The forward pass over the tokens of one step: embedding, all layers,
     * and, where step->logit_rows is not 0, final norm and logits of the last
     * tokens into work->logits. The paper in order, through device operations
     * only. Cached rows are written from the step's position on; the cache's
     * length is the caller's. Fails only with STATUS_CANCELLED; what fails on
     * the device is reported by its `wait`.
     */
    enum status (*forward)(const struct model *model, struct device *device,
                           const struct kv_cache *cache,
                           const struct workspace *work, struct step *step,
                           struct error *err);
};

extern const struct arch arch_deepseek; // deepseek2
extern const struct arch arch_llama;

/* The architecture of this name, or NULL. */
const struct arch *arch_find(const char *name);
/* Names of all architectures, separated by ", ", for messages. */
const char *arch_names(void);

#endif
