/* router.h's promises, at every level that runs here. */
#include "config.h"

#include "kernels/check.h"
#include "kernels/kernels.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* -- worked examples, doc/forward.md 3.3 ----------------------------------- */

static const float worked_logits[8] = {0.3f,  -1.2f, 0.9f, 0.1f,
                                       -0.4f, 1.5f,  0.2f, -0.7f};
static const float worked_bias[8] = {0.05f, -0.02f, 0, 0.10f,
                                     0.20f, -0.30f, 0, 0.15f};
static const float low_bias[8] = {-0.6f, -0.6f, -0.6f, -0.6f,
                                  -0.6f, -0.6f, -0.6f, -0.6f};

static const struct worked {
    const char *name;
    struct router_rule rule;
    const float *bias;
    int32_t ids[3];
    float weights[3];
} worked[] = {
    {"V3's rule",
     {ROUTER_SIGMOID, 8, 3, 4, 2, true, 2.5f},
     worked_bias,
     {2, 3, 4},
     {1.085590774f, 0.801621719f, 0.612787507f}},
    {"V2's rule",
     {ROUTER_SOFTMAX, 8, 3, 4, 2, false, 16},
     NULL,
     {5, 2, 3},
     {5.933151416f, 3.256182536f, 1.463097126f}},
    {"V2-Lite's rule",
     {ROUTER_SOFTMAX, 8, 3, 1, 1, false, 1},
     NULL,
     {5, 2, 0},
     {0.370821963f, 0.203511408f, 0.111689429f}},
    {"negative choices stay within their groups",
     {ROUTER_SIGMOID, 8, 2, 4, 1, true, 2.5f},
     low_bias,
     {2, 3},
     {1.438087627f, 1.061912373f}},
    // exp(1.5), exp(0.9) over their sum
    {"softmax of the chosen",
     {ROUTER_SOFTMAX_LATE, 8, 2, 1, 1, false, 1},
     NULL,
     {5, 2},
     {0.645656306f, 0.354343694f}},
    // one expert is not normalised: 2.5 / (1 + exp(-1.5))
    {"one expert",
     {ROUTER_SIGMOID, 8, 1, 1, 1, true, 2.5f},
     NULL,
     {5},
     {2.043936190f}},
};

static bool
worked_example(const struct kernels *k, const struct worked *w)
{
    int32_t ids[3];
    float weights[3];

    if (!k->router(&w->rule, worked_logits, w->bias, ids, weights))
        return false;
    for (size_t i = 0; i < w->rule.used; i++)
        if (ids[i] != w->ids[i] ||
            fabsf(weights[i] - w->weights[i]) > 1e-6f * w->weights[i]) {
            printf("# %s: rank %zu is expert %d with %.9g\n", w->name, i,
                   ids[i], (double) weights[i]);
            return false;
        }
    return true;
}

static bool
worked_examples(const struct kernels *k)
{
    bool right = true;

    for (size_t i = 0; i < sizeof worked / sizeof *worked; i++)
        right = worked_example(k, worked + i) && right;
    return right;
}

/* -- ties, bad values ------------------------------------------------------ */

/* All equal: the lowest groups, the lowest experts in them. */
static bool
ties(const struct kernels *k)
{
    struct router_rule rule = {ROUTER_SIGMOID, 12, 4, 4, 2, true, 1};
    const float equal[12] = {0}, late[12] = {0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0};
    int32_t ids[4];
    float weights[4];

    if (!k->router(&rule, equal, NULL, ids, weights))
        return false;
    for (int32_t i = 0; i < 4; i++)
        if (ids[i] != i || weights[i] != 0.25f)
            return false;
    // groups 1 (expert 3) and 2 (expert 8) win; then ties within them
    return k->router(&rule, late, NULL, ids, weights) && ids[0] == 3 &&
           ids[1] == 8 && ids[2] == 4 && ids[3] == 5;
}

static bool
bad_values(const struct kernels *k)
{
    struct router_rule rule = {ROUTER_SIGMOID, 8, 3, 4, 2, true, 2.5f};
    const float bad[] = {NAN, INFINITY, -INFINITY};
    int32_t ids[3];
    float weights[3], logits[8], bias[8];

    for (size_t b = 0; b < 3; b++)
        for (size_t e = 0; e < 8; e++) {
            memcpy(logits, worked_logits, sizeof logits);
            memcpy(bias, worked_bias, sizeof bias);
            logits[e] = bad[b];
            if (k->router(&rule, logits, bias, ids, weights))
                return false;
            logits[e] = worked_logits[e];
            bias[e] = bad[b];
            if (k->router(&rule, logits, bias, ids, weights))
                return false;
        }
    return true;
}

/* Sums of two biases overflow; still every expert is chosen at most once. */
static bool
huge_biases(const struct kernels *k)
{
    struct router_rule rule = {ROUTER_SIGMOID, 8, 6, 4, 3, true, 1};
    const float bias[8] = {-FLT_MAX, -FLT_MAX, -FLT_MAX, -FLT_MAX,
                           FLT_MAX,  FLT_MAX,  -FLT_MAX, -FLT_MAX};
    const int32_t want[6] = {4, 5, 0, 1, 2, 3};
    int32_t ids[6];
    float weights[6];

    return k->router(&rule, worked_logits, bias, ids, weights) &&
           memcmp(ids, want, sizeof want) == 0;
}

/* Scores that underflow give weights of 0, not NaN. */
static bool
vanishing_scores(const struct kernels *k)
{
    struct router_rule rule = {ROUTER_SIGMOID, 2, 2, 1, 1, true, 1};
    const float logits[2] = {-1e30f, -1e30f};
    int32_t ids[2];
    float weights[2];

    return k->router(&rule, logits, NULL, ids, weights) && weights[0] >= 0 &&
           weights[0] < 1e-17f && weights[1] >= 0;
}

/* -- against binary64 ------------------------------------------------------ */

static double
gap_noted(double gap, double before, double after)
{
    return fmin(gap, before - after);
}

/* Chooses by full sorting; returns the smallest gap that a choice had. */
static double
choose(const double *x, const bool *allowed, size_t count, size_t used,
       size_t *chosen)
{
    bool taken[ROUTER_MAX_EXPERTS] = {false};
    double gap = HUGE_VAL, last = HUGE_VAL;

    for (size_t k = 0; k <= used; k++) {
        size_t best = count;

        for (size_t i = 0; i < count; i++)
            if (allowed[i] && !taken[i] && (best == count || x[i] > x[best]))
                best = i;
        if (best == count)
            break;
        gap = gap_noted(gap, last, x[best]);
        last = x[best];
        taken[best] = true;
        if (k < used)
            chosen[k] = best;
    }
    return gap;
}

static void
oracle_scores(const struct router_rule *rule, const float *z, double *a)
{
    double most = -HUGE_VAL, sum = 0;

    for (size_t e = 0; e < rule->experts; e++)
        most = fmax(most, (double) z[e]);
    for (size_t e = 0; e < rule->experts; e++) {
        double x = (double) z[e];

        a[e] = rule->gating == ROUTER_SOFTMAX   ? exp(x - most)
               : rule->gating == ROUTER_SIGMOID ? 1 / (1 + exp(-x))
                                                : x;
        sum += a[e];
    }
    if (rule->gating == ROUTER_SOFTMAX)
        for (size_t e = 0; e < rule->experts; e++)
            a[e] /= sum;
}

/* Which experts the groups leave; returns the smallest gap. */
static double
oracle_groups(const struct router_rule *rule, const double *b, bool biased,
              bool *allowed)
{
    size_t each = rule->experts / rule->groups, kept[ROUTER_MAX_EXPERTS];
    double score[ROUTER_MAX_EXPERTS];
    bool all[ROUTER_MAX_EXPERTS];

    assert(each > 0);
    for (size_t g = 0; g < rule->groups; g++) {
        double one = -HUGE_VAL, two = -HUGE_VAL;

        for (size_t e = g * each; e < (g + 1) * each; e++) {
            two = fmax(two, fmin(one, b[e]));
            one = fmax(one, b[e]);
        }
        score[g] = biased ? one + two : one;
        all[g] = true;
    }
    double gap = choose(score, all, rule->groups, rule->groups_used, kept);

    for (size_t e = 0; e < rule->experts; e++) {
        allowed[e] = false;
        for (size_t g = 0; g < rule->groups_used; g++)
            allowed[e] = allowed[e] || kept[g] == e / each;
    }
    return gap;
}

static void
oracle_weights(const struct router_rule *rule, double *w)
{
    double sum = 0, most = -HUGE_VAL;
    bool late = rule->gating == ROUTER_SOFTMAX_LATE;

    for (size_t k = 0; k < rule->used; k++)
        most = fmax(most, w[k]);
    for (size_t k = 0; k < rule->used; k++) {
        if (late)
            w[k] = exp(w[k] - most);
        sum += w[k];
    }
    if (late || (rule->normalise && rule->used > 1))
        for (size_t k = 0; k < rule->used; k++)
            w[k] /= sum + (late ? 0 : 1e-20);
    for (size_t k = 0; k < rule->used; k++)
        w[k] *= (double) rule->scale;
}

static struct router_rule
random_rule(struct check_random *random)
{
    static const size_t experts[] = {8, 64, 96, 160, 256, 384};
    struct router_rule rule = {0};

    rule.gating = (enum router_gating) check_below(random, 3);
    rule.experts = experts[check_below(random, 6)];
    rule.groups = check_below(random, 2) ? 4 : 1;
    rule.groups_used = 1 + check_below(random, rule.groups);
    size_t most = rule.groups_used * rule.experts / rule.groups;

    rule.used = 1 + check_below(random, most < 9 ? most : 9);
    rule.normalise = check_below(random, 2);
    rule.scale = 1 + 15 * fabsf(check_unit(random));
    return rule;
}

/*
 * Relative error of a score: the argument of exp_c rounded once (|x| u), 2 u
 * for exp_c, experts / 32 + 5 for the sum, one for the division; of a weight:
 * twice that for its own and its sum's scores, used + 3 for the rest.
 */
static double
weight_bound(const struct router_rule *rule, double spread, double w)
{
    double score = spread + 2 + (double) rule->experts / 32 + 1 + 5 + 2;

    return (2 * score + (double) rule->used + 4) * 0x1.001p-24 * fabs(w);
}

/* What the oracle makes of a token. */
struct oracle {
    double a[ROUTER_MAX_EXPERTS], b[ROUTER_MAX_EXPERTS];
    size_t chosen[ROUTER_MAX_EXPERTS];
    double gap; // the smallest between two choices
};

static void
oracle_token(const struct router_rule *rule, const float *z, const float *bias,
             struct oracle *o)
{
    bool allowed[ROUTER_MAX_EXPERTS];

    o->gap = HUGE_VAL;
    oracle_scores(rule, z, o->a);
    for (size_t e = 0; e < rule->experts; e++) {
        o->b[e] = o->a[e] + (bias != NULL ? (double) bias[e] : 0);
        allowed[e] = true;
    }
    if (rule->groups > 1)
        o->gap = oracle_groups(rule, o->b, bias != NULL, allowed);
    o->gap = fmin(o->gap,
                  choose(o->b, allowed, rule->experts, rule->used, o->chosen));
}

/* The same experts in the same order, and weights within their bound. */
static bool
agree(const struct router_rule *rule, const struct oracle *o, double spread,
      const int32_t *ids, const float *weights, struct check_error *error)
{
    double w[ROUTER_MAX_EXPERTS];
    bool right = true;

    for (size_t i = 0; i < rule->used; i++)
        w[i] = o->a[o->chosen[i]];
    oracle_weights(rule, w);
    for (size_t i = 0; i < rule->used; i++) {
        right = right && ids[i] == (int32_t) o->chosen[i];
        check_error_add(error, (double) weights[i], w[i],
                        weight_bound(rule, spread, w[i]));
    }
    return right;
}

/* Random tokens; choices closer than 1e-5 are left to the worked examples. */
static bool
check_token(const struct kernels *k, struct check_random *random,
            struct check_error *error, size_t *compared)
{
    static struct oracle oracle;
    struct router_rule rule = random_rule(random);
    bool biased = check_below(random, 2);
    float *z = check_floats(rule.experts), *bias = check_floats(rule.experts);
    float *weights = check_floats(rule.used);
    int32_t *ids = check_alloc(rule.used * sizeof *ids);
    double spread = 0;

    for (size_t e = 0; e < rule.experts; e++) {
        z[e] = 2 * check_normal(random);
        bias[e] = 0.3f * check_normal(random) - 0.3f;
        spread = fmax(spread, 2 * fabs((double) z[e]));
    }
    bool right = k->router(&rule, z, biased ? bias : NULL, ids, weights);

    oracle_token(&rule, z, biased ? bias : NULL, &oracle);
    if (oracle.gap > 1e-5) {
        ++*compared;
        right = agree(&rule, &oracle, spread, ids, weights, error) && right;
    }
    check_free(z);
    check_free(bias);
    check_free(weights);
    check_free(ids);
    return right;
}

/* The same bits as the reference, on random tokens and on ties. */
static bool
same_bits(const struct kernels *k, struct check_random *random)
{
    struct router_rule rule = random_rule(random);
    float z[ROUTER_MAX_EXPERTS], want[16], got[16];
    int32_t want_ids[16], got_ids[16];

    for (size_t e = 0; e < rule.experts; e++)
        z[e] = (float) check_below(random, 9) / 4; // many ties
    bool right = router_ref(&rule, z, NULL, want_ids, want) &&
                 k->router(&rule, z, NULL, got_ids, got);

    return right &&
           memcmp(want_ids, got_ids, rule.used * sizeof *got_ids) == 0 &&
           check_same(got, want, rule.used, "router weights");
}

static void
check_level(enum cpu_level level)
{
    const struct kernels *k = kernels_select(level);
    struct check_error error = {0};
    size_t compared = 0, tokens = 20 * CHECK_SEEDS;
    bool right = true, same = true;

    printf("# level %s, seeds 0 to %d\n", cpu_level_name(level),
           CHECK_SEEDS - 1);
    check_ok(worked_examples(k), "router_gives_the_worked_examples");
    check_ok(ties(k), "equal_scores_go_to_the_lower_index");
    check_ok(bad_values(k), "a_logit_or_bias_that_is_not_finite_is_refused");
    check_ok(huge_biases(k), "overflowing_groups_never_choose_an_expert_twice");
    check_ok(vanishing_scores(k), "vanishing_scores_give_weights_near_zero");
    for (uint64_t seed = 0; seed < CHECK_SEEDS; seed++) {
        struct check_random random = {seed};

        for (int i = 0; i < 20; i++) {
            right = check_token(k, &random, &error, &compared) && right;
            same = same_bits(k, &random) && same;
        }
    }
    printf("# %zu of %zu tokens had choices clear enough to compare\n",
           compared, tokens);
    check_ok(right && compared > tokens / 2,
             "random_tokens_choose_as_binary64_does");
    check_ok(check_error_within(&error, "router weights against binary64"),
             "router_weights_are_within_their_derived_bound");
    check_ok(same, "router_equals_the_reference_to_the_bit");
}

int
main(void)
{
    for (enum cpu_level level = CPU_REF; level <= cpu_level(); level++)
        check_level(level);
    return check_done();
}
