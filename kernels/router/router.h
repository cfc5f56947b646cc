/*
 * From router logits to expert ids and weights, for one token.
 *
 *  1 scores a: softmax (max-subtracted, exp_c, sum in 32 lanes and the tree)
 *    or sigmoid fl(1 / fl(1 + exp_c(-z)))
 *  2 choice b = a + bias, or a where there is no bias
 *  3 groups > 1: a group's score is the sum of its two largest b where there
 *    is a bias, else its largest b; only the experts of the best
 *    `groups_used` groups stay
 *  4 the `used` largest b; ties, here and in 3, to the lower index
 *  5 weights are a (never b); `normalise` and used > 1: divided by their sum
 *    (in rank order) + 1e-20; then multiplied by `scale`
 * ROUTER_SOFTMAX_LATE: steps 2 to 4 with a = the logits; before 5, a = the
 * softmax of the chosen, in rank order.
 * Source: DeepSeek-V2 (2405.04434) 2.1.2, DeepSeek-V3 (2412.19437) 2.1.2.
 */
#ifndef FATHOM_KERNELS_ROUTER_ROUTER_H
#define FATHOM_KERNELS_ROUTER_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum router_gating { ROUTER_SOFTMAX, ROUTER_SIGMOID, ROUTER_SOFTMAX_LATE };

enum { ROUTER_MAX_EXPERTS = 1024 };

struct router_rule {
    enum router_gating gating;
    size_t experts, used; // used <= experts <= ROUTER_MAX_EXPERTS
    // groups divides experts, in groups of 2 at least where there is a bias;
    // used <= groups_used * experts / groups. 1 and 1: no groups.
    size_t groups, groups_used;
    bool normalise;
    float scale;
};

/*
 * ids[k], weights[k] in rank order, k < used; bias may be NULL. False when a
 * logit or bias is not finite; ids and weights are then unspecified.
 */
typedef bool router_fn(const struct router_rule *rule, const float *logits,
                       const float *bias, int32_t *ids, float *weights);

router_fn router_ref;

#endif
