/*
 * Logits to a token, the same on every machine: no state, float operations in
 * one order, exp_c the only exponential.
 *
 *   1 each distinct token of the last SAMPLER_WINDOW is penalised once: its
 *     logit is divided by repeat_penalty if positive, else multiplied
 *   2 temperature < 1e-5: the largest logit, of equals the lowest id; the end
 *   3 every logit is divided by the temperature
 *   4 top-k: the k largest; from here on largest first, of equals lowest id
 *   5 weights w = exp_c(x - largest); a logit of -inf has none
 *   6 top-p: the shortest prefix that holds at least top_p of the weight
 *   7 min-p: of it those with at least min_p of the largest weight
 *   8 the first token at which the sum of the kept weights exceeds u times
 *     their total
 *
 * Sums are of doubles. The totals of 6 and 8 are summed in the order of 4, but
 * without top-k that of 6, and without any of 4, 6, 7 that of 8, by ascending
 * id: then tokens are sorted only as far as the draw goes.
 * Threads: a sampler belongs to the thread that opened it.
 */
#ifndef FATHOM_ENGINE_SAMPLER_H
#define FATHOM_ENGINE_SAMPLER_H

#include "base/protocol.h"

enum { SAMPLER_WINDOW = 64 };

struct sampler;

/* Opens one for logits of `vocabulary` tokens. The caller closes it. */
MUST_CHECK enum status sampler_open(struct sampler **out, size_t vocabulary,
                                    struct error *err);
void sampler_close(struct sampler *sampler); // takes NULL

/* The draw for a position: 53 bits of splitmix64(seed), at `position`. */
double sampler_uniform(uint64_t seed, uint64_t position);

/*
 * Picks a token. `rule` has nothing absent (its seed is not used), `recent`
 * are the last tokens, u is in [0, 1). STATUS_DEVICE: a logit is NaN or +inf,
 * or all are -inf.
 */
MUST_CHECK enum status sampler_pick(struct sampler *sampler,
                                    const struct sampling *rule,
                                    const float *logits, const int32_t *recent,
                                    size_t recent_count, double u, int32_t *out,
                                    struct error *err);

/* A token and its log-probability by the logits as they are. */
struct scored {
    int32_t id;
    double logprob; // natural logarithm; -inf for a logit of -inf
};

/*
 * Scores token `id` and the `count` most likely (of equals the lowest id
 * first); fewer where the vocabulary is smaller: returns how many. The logits
 * were accepted by sampler_pick.
 */
size_t sampler_score(struct sampler *sampler, const float *logits, int32_t id,
                     double *logprob, struct scored *best, size_t count);

#endif
