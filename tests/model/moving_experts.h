/*
 * A store that keeps nobody's pointer alive: it mostly answers "not yet",
 * copies an expert to memory of its own for each lease, and poisons and frees
 * that memory when the lease is given back. Whoever computes with it as with
 * the resident one follows the rules of experts.h.
 */
#ifndef FATHOM_TESTS_MODEL_MOVING_EXPERTS_H
#define FATHOM_TESTS_MODEL_MOVING_EXPERTS_H

#include "engine/engine.h"

/*
 * Experts come from `source`, a resident store that must outlive this one.
 * More leases than the limit, or one not given back, end the program.
 */
struct expert_store *moving_experts_open(struct expert_store *source,
                                         uint32_t lease_limit);
size_t moving_experts_moves(const struct expert_store *store);
/* Makes the nth wait from now fail, once. */
void moving_experts_fail(struct expert_store *store, size_t nth);

#endif
