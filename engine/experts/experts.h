/*
 * Where routed experts lie. Whoever computes one asks for it, may have to
 * wait, holds it under a lease, and gives it back; between two leases it may
 * move. Never a bare pointer into one big mapping.
 *
 * resident.c keeps all experts in memory; expert_uses.h counts. Later stores
 * page them from NVMe. Several experts of one layer may be leased at a time,
 * each once; a store may bound how many (`lease_limit`), and whoever wants more
 * releases first. Threads: calls come from the thread that runs operations; a
 * store may have threads of its own.
 */
#ifndef FATHOM_ENGINE_EXPERTS_EXPERTS_H
#define FATHOM_ENGINE_EXPERTS_EXPERTS_H

#include "base/base.h"
#include "base/protocol.h"
#include "engine/model.h"

/* One expert under lease: three matrices whose data is valid until release. */
struct expert {
    struct weight gate, up; // (expert_width, hidden)
    struct weight down;     // (hidden, expert_width)
};

enum expert_answer { EXPERT_READY, EXPERT_LATER };

struct expert_store_ops {
    /*
     * Asks for expert e of a layer without waiting. EXPERT_READY: *out is
     * filled and leased. EXPERT_LATER: it is on its way; ask again or wait.
     */
    enum expert_answer (*ask)(struct expert_store *store, uint32_t layer,
                              uint32_t e, struct expert *out);
    /*
     * Waits until the expert is here; then as EXPERT_READY. On failure
     * nothing is leased.
     */
    enum status (*wait)(struct expert_store *store, uint32_t layer, uint32_t e,
                        struct expert *out, struct error *err);
    /* Gives a lease back. */
    void (*release)(struct expert_store *store, uint32_t layer, uint32_t e);
    /* Where the expert is now. */
    enum expert_tier (*tier)(const struct expert_store *store, uint32_t layer,
                             uint32_t e);
    void (*close)(struct expert_store *store);
};

struct expert_uses;

struct expert_store {
    const struct expert_store_ops *ops;
    uint32_t lease_limit;     // experts leased at a time; at least experts_used
    struct expert_uses *uses; // devices count there what they have computed,
                              // unless it is NULL
};

void expert_store_close(struct expert_store *store); // takes NULL

/* One matrix of all experts of a layer, as it lies in device memory. */
struct expert_stack {
    struct weight first;  // expert 0's matrix
    size_t expert_stride; // bytes from an expert's matrix to the next one's
};

struct expert_layer {
    uint32_t experts; // 0: a layer without
    struct expert_stack gate, up, down;
};

/*
 * A store whose experts all stay where they are. It copies `layer`, (layers);
 * the weights must outlive it.
 */
MUST_CHECK enum status resident_open(struct expert_store **out,
                                     const struct expert_layer *layer,
                                     uint32_t layers, struct error *err);

#endif
