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

struct arch {
    const char *name; // general.architecture

    /* Reads and checks every hyper-parameter. */
    enum status (*read_shape)(struct shape *out, const struct gguf *gguf,
                              const struct model_options *options,
                              struct error *err);

    /*
     * The forward pass over the tokens of one step: embedding, all layers,
     * final norm; and logits of the last `logit_rows` tokens. The paper in
     * order, through device operations only.
     */
    enum status (*forward)(const struct model *model, struct device *device,
                           struct kv_cache *cache, struct step *step,
                           struct error *err);
};

/* The architecture of this name, or NULL. */
const struct arch *arch_find(const char *name);
/* Names of all architectures, separated by ", ", for messages. */
const char *arch_names(void);

#endif
