/* The router of one token: scores, groups, choice, weights. */
#include "config.h"

#include "kernels/router/router.h"

#include "kernels/exponential.h"

#include <assert.h>
#include <math.h>

static bool
all_finite(const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* a = softmax of z, in place where a is z. */
static void
softmax(float *a, const float *z, size_t count)
{
    float lane[SUM_LANES] = {0}, m = z[0];

    for (size_t i = 1; i < count; i++)
        if (z[i] > m)
            m = z[i];
    for (size_t i = 0; i < count; i++) {
        a[i] = exp_c(z[i] - m);
        lane[i % SUM_LANES] += a[i];
    }
    float sum = sum_tree(lane);

    for (size_t i = 0; i < count; i++)
        a[i] /= sum;
}

static void
scores(const struct router_rule *rule, const float *z, float *a)
{
    switch (rule->gating) {
    case ROUTER_SOFTMAX:
        softmax(a, z, rule->experts);
        break;
    case ROUTER_SIGMOID:
        for (size_t e = 0; e < rule->experts; e++)
            a[e] = 1 / (1 + exp_c(-z[e]));
        break;
    case ROUTER_SOFTMAX_LATE:
        for (size_t e = 0; e < rule->experts; e++)
            a[e] = z[e];
        break;
    }
}

/* Lowest index of the largest value that is not taken yet. */
static size_t
largest_left(const float *x, const bool *taken, size_t count)
{
    size_t at = count;

    for (size_t i = 0; i < count; i++)
        if (!taken[i] && (at == count || x[i] > x[at]))
            at = i;
    assert(at < count); // no more are chosen than there are
    return at;
}

static float
group_score(const float *b, size_t count, bool biased)
{
    float first = -INFINITY, second = -INFINITY;

    for (size_t i = 0; i < count; i++) {
        if (b[i] > first) {
            second = first;
            first = b[i];
        } else if (b[i] > second) {
            second = b[i];
        }
    }
    return biased ? first + second : first;
}

/* All experts outside the best groups are taken. */
static void
keep_groups(const struct router_rule *rule, const float *b, bool biased,
            bool *taken)
{
    size_t each = rule->experts / rule->groups;
    float score[ROUTER_MAX_EXPERTS];
    bool kept[ROUTER_MAX_EXPERTS] = {false};

    for (size_t g = 0; g < rule->groups; g++)
        score[g] = group_score(b + g * each, each, biased);
    for (size_t k = 0; k < rule->groups_used; k++)
        kept[largest_left(score, kept, rule->groups)] = true;
    for (size_t e = 0; e < rule->experts; e++)
        taken[e] = !kept[e / each];
}

static void
weigh(const struct router_rule *rule, float *w)
{
    if (rule->gating == ROUTER_SOFTMAX_LATE)
        softmax(w, w, rule->used);
    if (rule->normalise && rule->used > 1) {
        float sum = w[0];

        for (size_t k = 1; k < rule->used; k++)
            sum += w[k];
        sum += 1e-20f;
        for (size_t k = 0; k < rule->used; k++)
            w[k] /= sum;
    }
    for (size_t k = 0; k < rule->used; k++)
        w[k] *= rule->scale;
}

bool
router_ref(const struct router_rule *rule, const float *logits,
           const float *bias, int32_t *ids, float *weights)
{
    float a[ROUTER_MAX_EXPERTS], b[ROUTER_MAX_EXPERTS];
    bool taken[ROUTER_MAX_EXPERTS] = {false};

    if (!all_finite(logits, rule->experts) ||
        (bias != NULL && !all_finite(bias, rule->experts)))
        return false;
    scores(rule, logits, a);
    for (size_t e = 0; e < rule->experts; e++)
        b[e] = bias != NULL ? a[e] + bias[e] : a[e];
    if (rule->groups > 1)
        keep_groups(rule, b, bias != NULL, taken);
    for (size_t k = 0; k < rule->used; k++) {
        size_t e = largest_left(b, taken, rule->experts);

        ids[k] = (int32_t) e;
        weights[k] = a[e];
        taken[e] = true;
    }
    weigh(rule, weights);
    return true;
}
