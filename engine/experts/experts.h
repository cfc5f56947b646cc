/*
 * Where routed experts lie. Whoever computes one asks for it, may have to
 * wait, holds it under a lease, and gives it back; between two leases it may
 * move. Never a bare pointer into one big mapping.
 *
 * resident.c keeps all experts in memory. Later stores page them from NVMe.
 * Threads: calls come from the thread that runs operations; a store may have
 * threads of its own.
 */
#ifndef FATHOM_ENGINE_EXPERTS_EXPERTS_H
#define FATHOM_ENGINE_EXPERTS_EXPERTS_H

#include "base/base.h"
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
    /* Waits until the expert is here; then as EXPERT_READY. */
    enum status (*wait)(struct expert_store *store, uint32_t layer, uint32_t e,
                        struct expert *out, struct error *err);
    /* Gives a lease back. */
    void (*release)(struct expert_store *store, uint32_t layer, uint32_t e);
    void (*close)(struct expert_store *store);
};

struct expert_store {
    const struct expert_store_ops *ops;
};

#endif
