/* See moving_experts.h. */
#include "config.h"

#include "tests/model/moving_experts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEASES_MAX = 64, POISON = 0xFF }; // 0xFFFFFFFF is a NaN

struct lease {
    uint32_t layer, e;
    char *memory; // NULL: free
    size_t bytes;
};

struct moving {
    struct expert_store store; // first
    struct expert_store *source;
    struct lease lease[LEASES_MAX];
    uint32_t leased;
    size_t moves;
    size_t fail_in; // waits; 0: none
};

static size_t
weight_bytes(const struct weight *weight)
{
    return weight->rows * format_row_bytes(weight->format, weight->columns);
}

static size_t
move_weight(struct weight *weight, char *to)
{
    size_t bytes = weight_bytes(weight);

    memcpy(to, weight->data, bytes);
    weight->data = to;
    return bytes;
}

static struct lease *
free_lease(struct moving *moving)
{
    size_t i = 0;

    while (moving->lease[i].memory != NULL)
        assert(++i < LEASES_MAX);
    return &moving->lease[i];
}

/* Copies an expert to new memory. */
static void
move_in(struct moving *moving, uint32_t layer, uint32_t e, struct expert *out)
{
    struct expert_store *source = moving->source;
    struct lease *lease = free_lease(moving);

    assert(moving->leased < moving->store.lease_limit);
    if (source->ops->ask(source, layer, e, out) != EXPERT_READY)
        abort(); // the source is resident
    lease->layer = layer;
    lease->e = e;
    lease->bytes = weight_bytes(&out->gate) + weight_bytes(&out->up) +
                   weight_bytes(&out->down);
    lease->memory = malloc(lease->bytes);
    assert(lease->memory != NULL);
    char *at = lease->memory;
    at += move_weight(&out->gate, at);
    at += move_weight(&out->up, at);
    move_weight(&out->down, at);
    source->ops->release(source, layer, e);
    moving->leased++;
    moving->moves++;
}

static enum expert_answer
moving_ask(struct expert_store *store, uint32_t layer, uint32_t e,
           struct expert *out)
{
    struct moving *moving = (struct moving *) store;

    // now and then the answer is at once, so that both ways mix
    if (moving->moves % 3 != 2) {
        memset(out, POISON, sizeof *out);
        return EXPERT_LATER;
    }
    move_in(moving, layer, e, out);
    return EXPERT_READY;
}

static enum status
moving_wait(struct expert_store *store, uint32_t layer, uint32_t e,
            struct expert *out, struct error *err)
{
    struct moving *moving = (struct moving *) store;

    if (moving->fail_in > 0 && --moving->fail_in == 0)
        return error_set(err, STATUS_IO,
                         "expert %u of layer %u could not be read",
                         (unsigned) e, (unsigned) layer);
    move_in((struct moving *) store, layer, e, out);
    return STATUS_OK;
}

static void
moving_release(struct expert_store *store, uint32_t layer, uint32_t e)
{
    struct moving *moving = (struct moving *) store;

    for (size_t i = 0; i < LEASES_MAX; i++) {
        struct lease *lease = &moving->lease[i];

        if (lease->memory == NULL || lease->layer != layer || lease->e != e)
            continue;
        memset(lease->memory, POISON, lease->bytes);
        free(lease->memory);
        lease->memory = NULL;
        moving->leased--;
        return;
    }
    abort(); // released what was not leased
}

/* What is leased is in memory, the rest is away. */
static enum expert_tier
moving_tier(const struct expert_store *store, uint32_t layer, uint32_t e)
{
    const struct moving *moving = (const struct moving *) store;

    for (size_t i = 0; i < LEASES_MAX; i++)
        if (moving->lease[i].memory != NULL &&
            moving->lease[i].layer == layer && moving->lease[i].e == e)
            return TIER_RAM;
    return TIER_NVME;
}

static void
moving_close(struct expert_store *store)
{
    struct moving *moving = (struct moving *) store;

    assert(moving->leased == 0); // every lease was given back
    free(moving);
}

static const struct expert_store_ops moving_ops = {
    .ask = moving_ask,
    .wait = moving_wait,
    .release = moving_release,
    .tier = moving_tier,
    .close = moving_close,
};

struct expert_store *
moving_experts_open(struct expert_store *source, uint32_t lease_limit)
{
    struct moving *moving = calloc(1, sizeof *moving);

    assert(moving != NULL && lease_limit <= LEASES_MAX);
    moving->store.ops = &moving_ops;
    moving->store.lease_limit = lease_limit;
    moving->source = source;
    return &moving->store;
}

size_t
moving_experts_moves(const struct expert_store *store)
{
    return ((const struct moving *) store)->moves;
}

void
moving_experts_fail(struct expert_store *store, size_t nth)
{
    ((struct moving *) store)->fail_in = nth;
}
