/* norm.h's promises, at every level that runs here. */
#include "config.h"

#include "kernels/check.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * x = (3, 4): mean square 12.5, and (1, 1, 1, 1) with eps 3: r = 1/2.
 */
static bool
known_answers(const struct kernels *k)
{
    const float x[] = {3, 4}, w[] = {1, 2};
    const float one[] = {1, 1, 1, 1}, scale[] = {1, -2, 0.5f, 0};
    const float want[] = {0.5f, -1, 0.25f, 0};
    float y[4];

    k->norm(y, x, w, 2, 0);
    if (fabsf(y[0] - 0.84852814f) > 1e-7f || fabsf(y[1] - 2.2627417f) > 3e-7f)
        return false;
    k->norm(y, one, scale, 4, 3);
    return check_same(y, want, 4, "norm of ones");
}

/* All terms are positive, so relative errors add; u = 2^-24. */
static double
bound(size_t width, double y)
{
    double sum = (double) ((width + 31) / 32) + 5;

    return (0.5 * (sum + 2) + 4) * 0x1p-24 * 1.001 * fabs(y);
}

static void
compare_with_oracle(const float *y, const float *x, const float *w,
                    size_t width, float eps, struct check_error *error)
{
    double sum = 0;

    for (size_t i = 0; i < width; i++)
        sum += (double) x[i] * (double) x[i];
    double r = 1 / sqrt(sum / (double) width + (double) eps);

    for (size_t i = 0; i < width; i++) {
        double want = (double) x[i] * r * (double) w[i];

        check_error_add(error, (double) y[i], want, bound(width, want));
    }
}

/* One width in guarded memory; also with y = x. */
static bool
check_at(const struct kernels *k, struct check_random *random, size_t width,
         struct check_error *error)
{
    float *x = check_floats(width), *w = check_floats(width);
    float *y = check_floats(width), *want = check_floats(width);
    float eps = check_below(random, 2) ? 1e-6f : 1e-5f;

    check_fill(random, x, width);
    check_fill(random, w, width);
    norm_ref(want, x, w, width, eps);
    k->norm(y, x, w, width, eps);
    compare_with_oracle(y, x, w, width, eps, error);
    bool same = check_same(y, want, width, "norm");

    k->norm(x, x, w, width, eps);
    same = check_same(x, want, width, "norm in place") && same;
    check_free(x);
    check_free(w);
    check_free(y);
    check_free(want);
    return same;
}

static void
check_level(enum cpu_level level)
{
    const struct kernels *k = kernels_select(level);
    struct check_error error = {0};
    bool same = true;

    printf("# level %s, seeds 0 to %d\n", cpu_level_name(level),
           CHECK_SEEDS - 1);
    check_ok(known_answers(k), "norm_gives_known_answers");
    for (uint64_t seed = 0; seed < CHECK_SEEDS; seed++) {
        struct check_random random = {seed};

        for (size_t i = 0; check_width(i) > 0; i++)
            same = check_at(k, &random, check_width(i), &error) && same;
    }
    check_ok(same, "norm_equals_the_reference_to_the_bit_also_in_place");
    check_ok(check_error_within(&error, "norm against binary64"),
             "norm_is_within_its_derived_bound");
}

int
main(void)
{
    for (enum cpu_level level = CPU_REF; level <= cpu_level(); level++)
        check_level(level);
    return check_done();
}
