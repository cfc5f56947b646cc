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
struct workspace;

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
