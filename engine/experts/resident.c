/* All experts in memory, where they were loaded. */
#include "config.h"

#include "engine/experts/experts.h"

#include <stdlib.h>
#include <string.h>

struct resident {
    struct expert_store store; // first
    uint32_t layers;
    struct expert_layer layer[];
};

static struct weight
stack_weight(const struct expert_stack *stack, uint32_t e)
{
    struct weight weight = stack->first;

    weight.data = (const char *) weight.data + e * stack->expert_stride;
    return weight;
}

static enum expert_answer
resident_ask(struct expert_store *store, uint32_t layer, uint32_t e,
             struct expert *out)
{
    const struct expert_layer *l = &((struct resident *) store)->layer[layer];

    out->gate = stack_weight(&l->gate, e);
    out->up = stack_weight(&l->up, e);
    out->down = stack_weight(&l->down, e);
    return EXPERT_READY;
}

static enum status
resident_wait(struct expert_store *store, uint32_t layer, uint32_t e,
              struct expert *out, struct error *err)
{
    (void) err;
    resident_ask(store, layer, e, out);
    return STATUS_OK;
}

static void
resident_release(struct expert_store *store, uint32_t layer, uint32_t e)
{
    // nothing moves: a lease costs nothing
    (void) store;
    (void) layer;
    (void) e;
}

static enum expert_tier
resident_tier(const struct expert_store *store, uint32_t layer, uint32_t e)
{
    (void) store;
    (void) layer;
    (void) e;
    return TIER_RAM;
}

static void
resident_close(struct expert_store *store)
{
    free(store);
}

static const struct expert_store_ops resident_ops = {
    .ask = resident_ask,
    .wait = resident_wait,
    .release = resident_release,
    .tier = resident_tier,
    .close = resident_close,
};

enum status
resident_open(struct expert_store **out, const struct expert_layer *layer,
              uint32_t layers, struct error *err)
{
    void *memory;
    size_t bytes = sizeof(struct resident) + layers * sizeof *layer;

    *out = NULL;
    TRY(memory_alloc(&memory, bytes, err));
    struct resident *resident = memory;
    resident->store.ops = &resident_ops;
    resident->store.lease_limit = UINT32_MAX;
    resident->layers = layers;
    memcpy(resident->layer, layer, layers * sizeof *layer);
    *out = &resident->store;
    return STATUS_OK;
}

void
expert_store_close(struct expert_store *store)
{
    if (store != NULL)
        store->ops->close(store);
}
