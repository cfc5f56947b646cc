/*
 * engine/sampler.h against distributions calculated by hand.
 *
 * Logits are logarithms of small integers: with logits log(a_i) the weights
 * are a_i / max a, and the boundaries of the inverse CDF are ratios of sums.
 * Draws are tested just below and just above each boundary.
 */
#include "config.h"

#include "engine/sampler.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 2000 };

static struct error err;

static struct sampling
plain(void)
{
    return (struct sampling){1.0, 1.0, 0, 1.0, 0.0, 0};
}

static int32_t
pick_after(const struct sampling *rule, const float *logits, size_t count,
           const int32_t *recent, size_t recent_count, double u)
{
    struct sampler *sampler;
    int32_t id = -1;

    assert_int_equal(sampler_open(&sampler, count, &err), STATUS_OK);
    assert_int_equal(
        sampler_pick(sampler, rule, logits, recent, recent_count, u, &id, &err),
        STATUS_OK);
    sampler_close(sampler);
    return id;
}

static int32_t
pick(const struct sampling *rule, const float *logits, size_t count, double u)
{
    return pick_after(rule, logits, count, NULL, 0, u);
}

/* Weights as integers to logits. */
static void
logs(float *logits, const int *weights, size_t count)
{
    for (size_t i = 0; i < count; i++)
        logits[i] =
            weights[i] > 0 ? (float) log((double) weights[i]) : -HUGE_VALF;
}

/*
 * `order` are the ids kept, in order, with their weights. Each must be drawn
 * within its interval, to 1e-6 of its ends, and by 0 and nearly 1.
 */
static void
assert_intervals(const struct sampling *rule, const float *logits, size_t count,
                 const int32_t *order, const double *weights, size_t kept)
{
    double total = 0, sum = 0;

    for (size_t i = 0; i < kept; i++)
        total += weights[i];
    assert_int_equal(pick(rule, logits, count, 0.0), order[0]);
    assert_int_equal(pick(rule, logits, count, 1 - 0x1p-53), order[kept - 1]);
    for (size_t i = 0; i < kept; i++) {
        double low = sum / total, high = (sum + weights[i]) / total;

        assert_int_equal(pick(rule, logits, count, low + 1e-6), order[i]);
        assert_int_equal(pick(rule, logits, count, high - 1e-6), order[i]);
        sum += weights[i];
    }
}

static const int weights[6] = {2, 5, 0, 8, 1, 4}; // 20 in all
static const int32_t by_weight[5] = {3, 1, 5, 0, 4};
static const double sorted_weights[5] = {8, 5, 4, 2, 1};

static void
without_rules_all_are_drawn_by_their_weight(void **state)
{
    struct sampling rule = plain();
    float logits[6];

    (void) state;
    logs(logits, weights, 6);
    assert_intervals(&rule, logits, 6, by_weight, sorted_weights, 5);
}

static void
greedy_takes_the_largest_and_of_equals_the_first(void **state)
{
    const float logits[5] = {1, 3, -2, 3, 0};
    struct sampling rule = plain();

    (void) state;
    rule.temperature = 0;
    assert_int_equal(pick(&rule, logits, 5, 0.99), 1);
    rule.temperature = 0.9e-5;
    assert_int_equal(pick(&rule, logits, 5, 0.99), 1);
}

static void
temperature_changes_the_weights(void **state)
{
    // T = 0.5 squares the ratios, T = 2 takes roots
    static const int squares[3] = {9, 1, 4};
    static const int32_t order[3] = {0, 2, 1};
    static const double at_half[3] = {81, 16, 1}, at_two[3] = {3, 2, 1};
    struct sampling rule = plain();
    float logits[3];

    (void) state;
    logs(logits, squares, 3);
    rule.temperature = 0.5;
    assert_intervals(&rule, logits, 3, order, at_half, 3);
    rule.temperature = 2;
    assert_intervals(&rule, logits, 3, order, at_two, 3);
}

static void
top_k_keeps_the_k_largest(void **state)
{
    struct sampling rule = plain();
    float logits[6];

    (void) state;
    logs(logits, weights, 6);
    for (int k = 1; k <= 7; k++) {
        rule.top_k = k;
        assert_intervals(&rule, logits, 6, by_weight, sorted_weights,
                         k < 5 ? (size_t) k : 5);
    }
}

static void
top_p_keeps_the_one_that_crosses(void **state)
{
    // of 20: 8 (.4), 13 (.65), 17 (.85), 19 (.95), 20
    static const struct {
        double top_p;
        size_t kept;
    } cases[] = {{0, 1},    {0.39, 1}, {0.41, 2}, {0.64, 2}, {0.66, 3},
                 {0.84, 3}, {0.86, 4}, {0.94, 4}, {0.96, 5}, {0.9999, 5}};
    struct sampling rule = plain();
    float logits[6];

    (void) state;
    logs(logits, weights, 6);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rule.top_p = cases[i].top_p;
        assert_intervals(&rule, logits, 6, by_weight, sorted_weights,
                         cases[i].kept);
    }
}

static void
top_p_is_of_what_top_k_left(void **state)
{
    // of the 8, 5, 4 that are left 0.7 is crossed by the second: 13 / 17
    struct sampling rule = plain();
    float logits[6];

    (void) state;
    logs(logits, weights, 6);
    rule.top_k = 3;
    rule.top_p = 0.7;
    assert_intervals(&rule, logits, 6, by_weight, sorted_weights, 2);
}

static void
min_p_is_a_share_of_the_largest(void **state)
{
    // relative to 8: 1, .625, .5, .25, .125
    static const struct {
        double min_p;
        size_t kept;
    } cases[] = {{1, 1},    {0.63, 1}, {0.62, 2}, {0.51, 2}, {0.49, 3},
                 {0.26, 3}, {0.24, 4}, {0.13, 4}, {0.12, 5}};
    struct sampling rule = plain();
    float logits[6];

    (void) state;
    logs(logits, weights, 6);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rule.min_p = cases[i].min_p;
        assert_intervals(&rule, logits, 6, by_weight, sorted_weights,
                         cases[i].kept);
    }
}

static void
equal_weights_are_in_the_order_of_ids(void **state)
{
    static const int equal[4] = {3, 3, 3, 3};
    static const int32_t order[4] = {0, 1, 2, 3};
    static const double quarter[4] = {1, 1, 1, 1};
    struct sampling rule = plain();
    float logits[4];

    (void) state;
    logs(logits, equal, 4);
    assert_intervals(&rule, logits, 4, order, quarter, 4);
    rule.top_k = 2;
    assert_intervals(&rule, logits, 4, order, quarter, 2);
}

static void
seen_tokens_are_penalised_once(void **state)
{
    const float logits[4] = {2.0f, 1.9f, -1.0f, -1.1f};
    const int32_t recent[3] = {0, 2, 0};
    struct sampling rule = plain();

    (void) state;
    rule.temperature = 0;
    assert_int_equal(pick_after(&rule, logits, 4, recent, 3, 0), 0);
    rule.repeat_penalty = 1.04; // 2 / 1.04 = 1.923; twice would be 1.849
    assert_int_equal(pick_after(&rule, logits, 4, recent, 3, 0), 0);
    rule.repeat_penalty = 1.1;
    assert_int_equal(pick_after(&rule, logits, 4, recent, 3, 0), 1);

    // negative logits are multiplied: -1 * 1.2 is below -1.1
    const float negative[2] = {-1.0f, -1.1f};
    const int32_t first[1] = {0};
    rule.repeat_penalty = 1.2;
    assert_int_equal(pick_after(&rule, negative, 2, first, 1, 0), 1);
}

static void
the_penalty_looks_back_64_tokens(void **state)
{
    const float logits[3] = {2.0f, 1.9f, 0.0f};
    int32_t recent[SAMPLER_WINDOW + 1];
    struct sampling rule = plain();

    (void) state;
    rule.temperature = 0;
    rule.repeat_penalty = 2;
    for (size_t i = 0; i <= SAMPLER_WINDOW; i++)
        recent[i] = 2;
    recent[1] = 0;
    assert_int_equal(
        pick_after(&rule, logits, 3, recent, SAMPLER_WINDOW + 1, 0), 1);
    recent[1] = 2;
    recent[0] = 0;
    assert_int_equal(
        pick_after(&rule, logits, 3, recent, SAMPLER_WINDOW + 1, 0), 0);
}

static void
broken_logits_are_an_error(void **state)
{
    static const float bad[][3] = {
        {0, NAN, 1}, {0, HUGE_VALF, 1}, {-HUGE_VALF, -HUGE_VALF, -HUGE_VALF}};
    struct sampling rule = plain();
    struct sampler *sampler;
    int32_t id;

    (void) state;
    assert_int_equal(sampler_open(&sampler, 3, &err), STATUS_OK);
    for (size_t i = 0; i < 3; i++)
        for (int greedy = 0; greedy < 2; greedy++) {
            rule.temperature = greedy ? 0 : 1;
            assert_int_equal(
                sampler_pick(sampler, &rule, bad[i], NULL, 0, 0.5, &id, &err),
                STATUS_DEVICE);
        }
    sampler_close(sampler);
    sampler_close(NULL);
}

static void
numbers_at_the_edge_are_drawn(void **state)
{
    const float huge[3] = {FLT_MAX, -FLT_MAX, FLT_MAX};
    const int32_t recent[3] = {0, 1, 2};
    struct sampling rule = plain();

    (void) state;
    rule.temperature = 2e-5;
    rule.repeat_penalty = 0.01;
    assert_int_equal(pick_after(&rule, huge, 3, recent, 3, 0.4), 0);
    assert_int_equal(pick_after(&rule, huge, 3, recent, 3, 0.6), 2);
    rule.repeat_penalty = 100;
    assert_int_equal(pick_after(&rule, huge, 3, recent, 3, 0.6), 2);
}

/* The definition once more, with a full sort, for long vocabularies. */
static const float *sorting;

static int
by_logit(const void *a, const void *b)
{
    int32_t i = *(const int32_t *) a, j = *(const int32_t *) b;

    if (sorting[i] > sorting[j] || sorting[i] < sorting[j])
        return sorting[i] > sorting[j] ? -1 : 1;
    return i < j ? -1 : i > j;
}

static int32_t
pick_by_definition(const struct sampling *rule, const float *logits,
                   size_t count, double u)
{
    int32_t order[MOST];
    double weight[MOST], total = 0, sum = 0;

    for (size_t i = 0; i < count; i++)
        order[i] = (int32_t) i;
    sorting = logits;
    qsort(order, count, sizeof *order, by_logit);
    if (rule->top_k > 0 && (size_t) rule->top_k < count)
        count = (size_t) rule->top_k;
    for (size_t i = 0; i < count; i++) {
        weight[i] =
            exp(((double) logits[order[i]] - (double) logits[order[0]]) /
                rule->temperature);
        total += weight[i];
    }
    size_t kept = 0;
    while (kept < count) {
        sum += weight[kept++];
        if (sum >= rule->top_p * total)
            break;
    }
    while (kept > 1 && weight[kept - 1] < rule->min_p)
        kept--;
    total = 0;
    for (size_t i = 0; i < kept; i++)
        total += weight[i];
    sum = 0;
    for (size_t i = 0; i < kept; i++) {
        sum += weight[i];
        if (sum > u * total)
            return order[i];
    }
    return order[kept - 1];
}

/*
 * Random logits and rules: the same token as the definition in doubles. The
 * weights differ by 1e-7, so one draw in ten thousand may fall differently.
 */
static void
long_vocabularies_follow_the_definition(void **state)
{
    static float logits[MOST];
    int differ = 0;

    (void) state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        size_t count = 1 + (size_t) (sampler_uniform(seed, 1) * (MOST - 1));
        struct sampling rule = {
            1.0,
            0.3 + sampler_uniform(seed, 2) * 1.5,
            sampler_uniform(seed, 3) < 0.5
                ? 0
                : (int64_t) (sampler_uniform(seed, 4) * 100),
            sampler_uniform(seed, 5) < 0.3 ? 1 : sampler_uniform(seed, 6),
            sampler_uniform(seed, 7) < 0.5 ? 0 : sampler_uniform(seed, 8) * 0.2,
            0};
        double u = sampler_uniform(seed, 9);

        for (size_t i = 0; i < count; i++)
            logits[i] =
                (float) (sampler_uniform(seed ^ 0x5eed0000, 100 + i) * 8 - 4);
        differ += pick(&rule, logits, count, u) !=
                  pick_by_definition(&rule, logits, count, u);
    }
    assert_true(differ <= 1);
}

static void
draws_depend_on_seed_and_position_alone(void **state)
{
    double sum = 0;

    (void) state;
    // splitmix64 from state 0: its first output is e220a8397b1dcdaf, which
    // is mix(0 + step); at position 0 of seed 0 the state is that number
    uint64_t first = 0xe220a8397b1dcdafu, z = first + 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    assert_true(sampler_uniform(0, 0) == (double) (z >> 11) / 0x1p53);
    for (uint64_t i = 0; i < 10000; i++) {
        double u = sampler_uniform(7, i);

        assert_true(u >= 0 && u < 1);
        assert_true(u != sampler_uniform(8, i));
        sum += u;
    }
    // the mean of 10,000 has a deviation of 0.0029
    assert_true(fabs(sum / 10000 - 0.5) < 0.015);
}

static void
scores_are_of_the_logits_as_they_are(void **state)
{
    struct scored best[8];
    struct sampler *sampler;
    double logprob;
    float logits[6];

    (void) state;
    logs(logits, weights, 6);
    assert_int_equal(sampler_open(&sampler, 6, &err), STATUS_OK);
    assert_int_equal(sampler_score(sampler, logits, 0, &logprob, best, 3), 3);
    assert_true(fabs(logprob - log(2.0 / 20)) < 1e-6);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(best[i].id, by_weight[i]);
        assert_true(fabs(best[i].logprob - log(sorted_weights[i] / 20)) < 1e-6);
    }
    assert_int_equal(sampler_score(sampler, logits, 2, &logprob, best, 8), 6);
    assert_true(isinf(logprob) && isinf(best[5].logprob));
    assert_int_equal(best[5].id, 2);
    assert_int_equal(sampler_score(sampler, logits, 3, &logprob, NULL, 0), 0);
    assert_true(fabs(logprob - log(8.0 / 20)) < 1e-6);
    sampler_close(sampler);

    const float equal[4] = {1, 1, 1, 1};
    assert_int_equal(sampler_open(&sampler, 4, &err), STATUS_OK);
    assert_int_equal(sampler_score(sampler, equal, 0, &logprob, best, 2), 2);
    assert_true(best[0].id == 0 && best[1].id == 1);
    sampler_close(sampler);
}

static void
a_sampler_needs_memory(void **state)
{
    struct sampler *sampler;

    (void) state;
    fault_arm(1);
    assert_int_equal(sampler_open(&sampler, 10, &err), STATUS_NOMEM);
    fault_arm(0);
    assert_int_equal(sampler_open(&sampler, SIZE_MAX / 4, &err), STATUS_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_all_are_drawn_by_their_weight),
        cmocka_unit_test(greedy_takes_the_largest_and_of_equals_the_first),
        cmocka_unit_test(temperature_changes_the_weights),
        cmocka_unit_test(top_k_keeps_the_k_largest),
        cmocka_unit_test(top_p_keeps_the_one_that_crosses),
        cmocka_unit_test(top_p_is_of_what_top_k_left),
        cmocka_unit_test(min_p_is_a_share_of_the_largest),
        cmocka_unit_test(equal_weights_are_in_the_order_of_ids),
        cmocka_unit_test(seen_tokens_are_penalised_once),
        cmocka_unit_test(the_penalty_looks_back_64_tokens),
        cmocka_unit_test(broken_logits_are_an_error),
        cmocka_unit_test(numbers_at_the_edge_are_drawn),
        cmocka_unit_test(long_vocabularies_follow_the_definition),
        cmocka_unit_test(draws_depend_on_seed_and_position_alone),
        cmocka_unit_test(scores_are_of_the_logits_as_they_are),
        cmocka_unit_test(a_sampler_needs_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
