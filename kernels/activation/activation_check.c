/* activation.h's promises, at every level that runs here. */
#include "config.h"

#include "kernels/check.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- silu ------------------------------------------------------------------ */

static bool
known_silu(const struct kernels *k)
{
    const float g[] = {0, 1, -1, 20, -INFINITY, INFINITY};
    const float u[] = {5, 1, 2, -3, 1, 1};
    const float want[] = {0,           0.7310585786f, -0.5378828427f,
                          -59.999999f, -INFINITY,     INFINITY};
    float h[6], nan = NAN, one = 1, got;

    k->silu_mul(h, g, u, 6);
    for (size_t i = 0; i < 6; i++)
        if (h[i] != want[i] && !(fabsf(h[i] - want[i]) <= 4e-6f))
            return false;
    k->silu_mul(&got, &nan, &one, 1);
    return isnan(got);
}

/*
 * exp_c within 1 ulp (2 u), a sum, a division and a product of one u each;
 * where the exponential is clamped (beyond 88.3), the result is below
 * |g u| 2^-127; and a rounding below the normal numbers.
 */
static void
silu_error(float h, float g, float u, struct check_error *error)
{
    double want = (double) g / (1 + exp(-(double) g)) * (double) u;
    double bound = 5 * 0x1.001p-24 * fabs(want) + 0x1p-148;

    if (g < -88.3f)
        bound += fabs((double) g * (double) u) * 0x1p-127;
    check_error_add(error, (double) h, want, bound);
}

static bool
check_silu(const struct kernels *k, struct check_random *random, size_t count,
           struct check_error *error)
{
    float *g = check_floats(count), *u = check_floats(count);
    float *h = check_floats(count), *want = check_floats(count);
    float range = check_below(random, 2) ? 4 : 100;

    for (size_t i = 0; i < count; i++)
        g[i] = range * check_unit(random);
    check_fill(random, u, count);
    silu_mul_ref(want, g, u, count);
    k->silu_mul(h, g, u, count);
    for (size_t i = 0; i < count; i++)
        silu_error(h[i], g[i], u[i], error);
    bool same = check_same(h, want, count, "silu_mul");

    memcpy(h, g, count * sizeof *h);
    k->silu_mul(h, h, u, count);
    same = check_same(h, want, count, "silu_mul with h = g") && same;
    k->silu_mul(u, g, u, count);
    same = check_same(u, want, count, "silu_mul with h = u") && same;
    check_free(g);
    check_free(u);
    check_free(h);
    check_free(want);
    return same;
}

/* -- sums ------------------------------------------------------------------ */

static bool
known_sums(const struct kernels *k)
{
    const float x[] = {1, -2, 0x1p-30f}, sum[] = {2, 0, 1};
    const float scaled[] = {2.5f, -3, 1}, first[] = {1.5f, -3, 0x1.8p-30f};
    float y[] = {1, 2, 1}, z[] = {1, 0, 1}, nan[] = {NAN, NAN, NAN};

    k->add(y, x, 3);
    k->add_scaled(z, x, 1.5f, false, 3);
    k->add_scaled(nan, x, 1.5f, true, 3); // what was there does not matter
    return check_same(y, sum, 3, "add") &&
           check_same(z, scaled, 3, "add_scaled") &&
           check_same(nan, first, 3, "add_scaled, first");
}

/* One rounding for a sum, two with a product: u = 2^-24. */
static void
sums_error(const float *got, const float *was, const float *x, double w,
           double roundings, size_t count, struct check_error *error)
{
    for (size_t i = 0; i < count; i++) {
        double product = w * (double) x[i], want = (double) was[i] + product;

        check_error_add(error, (double) got[i], want,
                        0x1.001p-24 *
                            (fabs(want) + (roundings - 1) * fabs(product)));
    }
}

static bool
check_sums(const struct kernels *k, struct check_random *random, size_t count,
           struct check_error *error)
{
    float *x = check_floats(count), *was = check_floats(count);
    float *y = check_floats(count), *want = check_floats(count);
    size_t bytes = count * sizeof *y;
    float w = check_normal(random);

    check_fill(random, x, count);
    check_fill(random, was, count);
    memcpy(want, was, bytes);
    memcpy(y, was, bytes);
    add_ref(want, x, count);
    k->add(y, x, count);
    sums_error(y, was, x, 1, 1, count, error);
    bool same = check_same(y, want, count, "add");

    memcpy(want, was, bytes);
    memcpy(y, was, bytes);
    add_scaled_ref(want, x, w, false, count);
    k->add_scaled(y, x, w, false, count);
    sums_error(y, was, x, (double) w, 2, count, error);
    same = check_same(y, want, count, "add_scaled") && same;
    add_scaled_ref(want, x, w, true, count);
    k->add_scaled(y, x, w, true, count);
    same = check_same(y, want, count, "add_scaled, first") && same;
    check_free(x);
    check_free(was);
    check_free(y);
    check_free(want);
    return same;
}

/* -- exponentials ---------------------------------------------------------- */

static bool
known_exponentials(const struct kernels *k)
{
    // a shift that leaves 0, 1, -1, what is clamped, and no number
    const float x[] = {2, 3, 1, -INFINITY, -100, NAN};
    const float want[] = {1, 2.7182818f, 0.36787944f, 1.21925e-38f,
                          1.21925e-38f};
    float y[6];

    k->exponentials(y, x, 2, 6);
    for (size_t i = 0; i < 5; i++)
        if (!(fabsf(y[i] - want[i]) <= 1e-4f * want[i]))
            return false;
    return y[0] == 1 && isnan(y[5]);
}

/* A subtraction of one u, which the exponential turns into |x| u, and 1 ulp. */
static bool
check_exponentials(const struct kernels *k, struct check_random *random,
                   size_t count, struct check_error *error)
{
    float *x = check_floats(count), *y = check_floats(count);
    float *want = check_floats(count);
    float shift = 20 * check_unit(random);

    for (size_t i = 0; i < count; i++)
        x[i] = 60 * check_unit(random);
    exponentials_ref(want, x, shift, count);
    k->exponentials(y, x, shift, count);
    for (size_t i = 0; i < count; i++) {
        double of = (double) x[i] - (double) shift;

        check_error_add(error, (double) y[i], exp(of),
                        0x1.001p-24 * (2 + fabs(of)) * exp(of));
    }
    bool same = check_same(y, want, count, "exponentials");
    k->exponentials(x, x, shift, count);
    same = check_same(x, want, count, "exponentials in place") && same;
    check_free(x);
    check_free(y);
    check_free(want);
    return same;
}

/* -- argmax ---------------------------------------------------------------- */

/* The largest at every place, twice, among others and among -infinity. */
static bool
argmax_at(const struct kernels *k, size_t count)
{
    float *x = check_floats(count);
    bool right = true;

    for (int least = 0; least < 2; least++)
        for (size_t at = 0; at < count; at++) {
            size_t again = at + (at * 7 + 3) % (count - at);

            for (size_t i = 0; i < count; i++)
                x[i] = least ? -INFINITY : -1 - (float) (i % 5);
            x[at] = x[again] = -0.5f;
            right = right && k->argmax(x, count) == (int32_t) at;
            x[again] = NAN;
            right = right && k->argmax(x, count) == -1;
        }
    check_free(x);
    return right;
}

static bool
check_argmax(const struct kernels *k)
{
    const float least[] = {-INFINITY, -INFINITY}, zeros[] = {-0.0f, 0};
    const size_t vocabulary = 129280;
    struct check_random random = {1};
    float *x = check_floats(vocabulary);
    bool right = k->argmax(least, 2) == -1 && k->argmax(least, 0) == -1 &&
                 k->argmax(zeros, 2) == 0;

    for (size_t count = 1; count <= 70; count++)
        right = right && argmax_at(k, count);
    for (int i = 0; i < 20; i++) {
        check_fill(&random, x, vocabulary);
        right = right && k->argmax(x, vocabulary) == argmax_ref(x, vocabulary);
    }
    check_free(x);
    return right;
}

static void
check_level(enum cpu_level level)
{
    const struct kernels *k = kernels_select(level);
    struct check_error silu = {0}, sums = {0}, exponentials = {0};
    bool same = true;

    printf("# level %s, seeds 0 to %d\n", cpu_level_name(level),
           CHECK_SEEDS - 1);
    check_ok(known_silu(k), "silu_mul_gives_known_answers_and_keeps_nan");
    check_ok(known_sums(k), "add_and_add_scaled_give_known_answers");
    check_ok(known_exponentials(k),
             "exponentials_give_known_answers_and_keep_nan");
    check_ok(check_argmax(k), "argmax_takes_the_first_largest_and_refuses_nan");
    for (uint64_t seed = 0; seed < CHECK_SEEDS; seed++) {
        struct check_random random = {seed};

        for (size_t i = 0; check_width(i) > 0; i++) {
            same = check_silu(k, &random, check_width(i), &silu) && same;
            same = check_sums(k, &random, check_width(i), &sums) && same;
            same =
                check_exponentials(k, &random, check_width(i), &exponentials) &&
                same;
        }
    }
    check_ok(same, "activation_equals_the_reference_to_the_bit_also_in_place");
    check_ok(check_error_within(&silu, "silu_mul against binary64"),
             "silu_mul_is_within_its_derived_bound");
    check_ok(check_error_within(&sums, "sums against binary64"),
             "add_and_add_scaled_are_within_their_derived_bounds");
    check_ok(check_error_within(&exponentials, "exponentials against binary64"),
             "exponentials_are_within_their_derived_bound");
}

int
main(void)
{
    for (enum cpu_level level = CPU_REF; level <= cpu_level(); level++)
        check_level(level);
    return check_done();
}
