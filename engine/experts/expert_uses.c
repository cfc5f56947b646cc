/* One block of memory: the head, then counts, then tiers. */
#include "config.h"

#include "engine/experts/expert_uses.h"

#include <stdlib.h>
#include <string.h>

static size_t
cells(const struct expert_uses *uses)
{
    return (size_t) uses->layers * uses->experts;
}

enum status
expert_uses_open(struct expert_uses **out, const struct shape *shape,
                 struct error *err)
{
    uint32_t layers =
        shape->experts > 0 ? shape->layers - shape->dense_layers : 0;
    size_t count = (size_t) layers * shape->experts;
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out + count * (sizeof(uint32_t) + 1),
                     err));
    struct expert_uses *uses = memory;
    uses->first_layer = shape->dense_layers;
    uses->layers = layers;
    uses->experts = shape->experts;
    uses->counts = (uint32_t *) (uses + 1);
    uses->tier = (uint8_t *) (uses->counts + count);
    *out = uses;
    return STATUS_OK;
}

void
expert_uses_clear(struct expert_uses *uses)
{
    uses->tokens = 0;
    explicit_bzero(uses->counts, cells(uses) * sizeof *uses->counts);
}

void
expert_uses_close(struct expert_uses *uses)
{
    if (uses == NULL)
        return;
    expert_uses_clear(uses);
    free(uses);
}

void
expert_uses_locate(struct expert_uses *uses, const struct expert_store *store)
{
    uint8_t *tier = uses->tier;

    for (uint32_t l = 0; l < uses->layers; l++)
        for (uint32_t e = 0; e < uses->experts; e++)
            *tier++ =
                (uint8_t) store->ops->tier(store, uses->first_layer + l, e);
}

uint64_t
expert_uses_in(const struct expert_uses *uses, enum expert_tier tier)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < cells(uses); i++)
        sum += uses->tier[i] == tier ? uses->counts[i] : 0;
    return sum;
}

uint64_t
expert_uses_total(const struct expert_uses *uses)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < cells(uses); i++)
        sum += uses->counts[i];
    return sum;
}
