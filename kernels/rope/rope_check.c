/* rope.h's promises, at every level that runs here. */
#include "config.h"

#include "kernels/check.h"
#include "kernels/kernels.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TABLE_SUM 0x01b1621dc83557aaull // of check_table_bits

/* -- tables ---------------------------------------------------------------- */

/* Units in the last place of the nearest float between got and want. */
static double
ulps(float got, long double want)
{
    float near = (float) want;
    float next = nextafterf(fabsf(near), INFINITY);

    return (double) fabsl((long double) got - want) /
           (double) (next - fabsf(near));
}

static bool
known_table(void)
{
    const double frequency[] = {1, 0.01, 0};
    float c[3], s[3];

    rope_table(c, s, frequency, 3, 1, 0);
    for (size_t i = 0; i < 3; i++)
        if (c[i] != 1 || s[i] != 0)
            return false;
    rope_table(c, s, frequency, 3, 1, 3); // cos 3, sin 3; cos .03, sin .03
    if (c[0] != -0.98999249660044542f || s[0] != 0.14112000805986721f ||
        c[1] != 0.99955003374898752f || s[1] != 0.029995500202495661f ||
        c[2] != 1 || s[2] != 0)
        return false;
    rope_table(c, s, frequency, 1, 2, 3);
    return c[0] == -1.9799849932008908f && s[0] == 0.28224001611973442f;
}

/* Random angles, and multiples of pi/2, where one of the two is near zero. */
static double
table_error(struct check_random *random)
{
    long double product;
    double frequency, most = 0;
    size_t position = check_below(random, 1 << 20) + 1;
    float c, s;

    if (check_below(random, 2))
        frequency = fabs((double) check_unit(random));
    else
        frequency = 0x1.921fb54442d18p+0 *
                    (double) (check_below(random, 1000) + 1) /
                    (double) position;
    product = (long double) ((double) position * frequency);
    rope_table(&c, &s, &frequency, 1, 1, position);
    most = fmax(ulps(c, cosl(product)), ulps(s, sinl(product)));
    return most;
}

static void
check_table(void)
{
    double most = 0;
    const double far[] = {ROPE_ANGLE_MAX, -ROPE_ANGLE_MAX, HUGE_VAL,
                          (double) NAN};
    float c[4], s[4];
    bool refused = true;

    check_ok(known_table(), "a_table_holds_known_sines_and_cosines");
    for (uint64_t seed = 0; seed < CHECK_SEEDS; seed++) {
        struct check_random random = {seed};

        for (int i = 0; i < 1000; i++)
            most = fmax(most, table_error(&random));
    }
    printf("# tables are within %.6f ulp of sinl and cosl\n", most);
    check_ok(most < 0.501, "a_table_is_rounded_from_the_true_values");

    rope_table(c, s, far, 4, 1, 1);
    for (size_t i = 0; i < 4; i++)
        refused = refused && isnan(c[i]) && isnan(s[i]);
    check_ok(refused, "angles_beyond_the_limit_give_nan");
}

/* The sum was made on x86-64 with gcc 12; every build must give it. */
static void
check_table_bits(void)
{
    enum { PAIRS = 32 };
    double frequency[PAIRS], f = 1;
    float table[2 * PAIRS];
    uint64_t sum = 0;

    for (size_t i = 0; i < PAIRS; i++, f *= 0.75)
        frequency[i] = f;
    for (size_t position = 0; position < 200000; position += 131) {
        rope_table(table, table + PAIRS, frequency, PAIRS, 1.25, position);
        sum = sum * 31 + check_sum(table, sizeof table);
    }
    printf("# sum of tables %016llx\n", (unsigned long long) sum);
    check_ok(sum == TABLE_SUM, "a_table_has_the_same_bits_on_every_machine");
}

/* -- rotation -------------------------------------------------------------- */

/* Position 3, frequencies 1 and 0.01, x = 1 2 3 4: doc/forward.md. */
static bool
known_rotation(const struct kernels *k)
{
    const double frequency[] = {1, 0.01};
    const float want[2][4] = {
        {-1.272232513f, -1.838864985f, 2.878668100f, 4.088186636f},
        {-1.413352521f, 1.879118067f, -2.828857482f, 4.058191135f},
    };
    float c[2], s[2];

    rope_table(c, s, frequency, 2, 1, 3);
    for (int halves = 0; halves < 2; halves++) {
        float x[] = {1, 2, 3, 4};

        k->rope(x, c, s, 2, halves ? ROPE_HALVES : ROPE_INTERLEAVED);
        for (size_t i = 0; i < 4; i++)
            if (fabsf(x[i] - want[halves][i]) > 5e-7f)
                return false;
    }
    return true;
}

/* A product and a fused sum: two roundings, u = 2^-24. */
static void
compare_with_oracle(const float *got, const float *x, const float *c,
                    const float *s, size_t pairs, enum rope_pairing pairing,
                    struct check_error *error)
{
    for (size_t i = 0; i < pairs; i++) {
        size_t a = pairing == ROPE_INTERLEAVED ? 2 * i : i;
        size_t b = pairing == ROPE_INTERLEAVED ? 2 * i + 1 : i + pairs;
        double x0 = (double) x[a], x1 = (double) x[b];
        double cosine = (double) c[i], sine = (double) s[i];
        double first = x0 * cosine - x1 * sine;
        double second = x0 * sine + x1 * cosine;

        check_error_add(error, (double) got[a], first,
                        0x1.001p-24 * (fabs(x1 * sine) + fabs(first)));
        check_error_add(error, (double) got[b], second,
                        0x1.001p-24 * (fabs(x1 * cosine) + fabs(second)));
    }
}

static bool
check_pairs(const struct kernels *k, struct check_random *random, size_t pairs,
            enum rope_pairing pairing, struct check_error *error)
{
    float *x = check_floats(2 * pairs), *was = check_floats(2 * pairs);
    float *want = check_floats(2 * pairs);
    float *c = check_floats(pairs), *s = check_floats(pairs);

    check_fill(random, x, 2 * pairs);
    check_fill(random, c, pairs);
    check_fill(random, s, pairs);
    memcpy(was, x, 2 * pairs * sizeof *x);
    memcpy(want, x, 2 * pairs * sizeof *x);
    rope_ref(want, c, s, pairs, pairing);
    k->rope(x, c, s, pairs, pairing);
    bool same = check_same(x, want, 2 * pairs,
                           pairing == ROPE_HALVES ? "rope in halves"
                                                  : "rope interleaved");

    compare_with_oracle(x, was, c, s, pairs, pairing, error);
    check_free(x);
    check_free(was);
    check_free(want);
    check_free(c);
    check_free(s);
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
    check_ok(known_rotation(k), "rope_gives_the_worked_example");
    for (uint64_t seed = 0; seed < CHECK_SEEDS; seed++) {
        struct check_random random = {seed};

        for (size_t i = 0; check_width(i) > 0; i++) {
            size_t pairs = check_width(i);

            same = check_pairs(k, &random, pairs, ROPE_INTERLEAVED, &error) &&
                   check_pairs(k, &random, pairs, ROPE_HALVES, &error) && same;
        }
    }
    check_ok(same, "rope_equals_the_reference_to_the_bit");
    check_ok(check_error_within(&error, "rope against binary64"),
             "rope_is_within_its_derived_bound");
}

int
main(void)
{
    check_table();
    check_table_bits();
    for (enum cpu_level level = CPU_REF; level <= cpu_level(); level++)
        check_level(level);
    return check_done();
}
