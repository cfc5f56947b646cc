/*
 * Half precision: all 65536 halves, and every place where rounding changes its
 * mind.
 */
#include "config.h"

#include "kernels/check.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HALVES = 65536, HALF_INFINITY = 0x7c00, HALF_SIGN = 0x8000 };

/* The value of a half that is no NaN, from its fields. */
static double
half_value(unsigned half)
{
    double sign = half & HALF_SIGN ? -1 : 1;
    unsigned exponent = half >> 10 & 31, fraction = half & 1023;

    if (exponent == 31)
        return sign * (double) INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -24);
    return sign * ldexp(1024 + fraction, (int) exponent - 25);
}

static bool
half_is_nan(unsigned half)
{
    return (half & 0x7fff) > HALF_INFINITY;
}

static bool
all_halves(const struct kernels *k)
{
    uint16_t *in = check_alloc(HALVES * sizeof *in), *back;
    float *x = check_floats(HALVES);
    bool right = true;

    back = check_alloc(HALVES * sizeof *back);
    for (unsigned h = 0; h < HALVES; h++)
        in[h] = (uint16_t) h;
    k->from_half(x, in, HALVES);
    k->to_half(back, x, HALVES);
    for (unsigned h = 0; h < HALVES; h++) {
        if (half_is_nan(h))
            right = right && isnan(x[h]) && half_is_nan(back[h]);
        else
            right = right && (double) x[h] == half_value(h) &&
                    (signbit(x[h]) != 0) == (h >= HALF_SIGN) && back[h] == h;
    }
    check_free(in);
    check_free(x);
    check_free(back);
    return right;
}

/*
 * Between two neighbours, h and h + 1, rounding turns at the middle, which is
 * a float: it goes to the even one, what lies before to h, what lies behind to
 * h + 1. As rounding is monotone, this settles all floats. Beyond the largest
 * the neighbour is infinity, as if it were 65536.
 */
static bool
all_turns(const struct kernels *k, bool negative)
{
    uint16_t *got = check_alloc(3 * HALF_INFINITY * sizeof *got);
    float *x = check_floats(3 * HALF_INFINITY);
    float sign = negative ? -1 : 1;
    bool right = true;

    for (unsigned h = 0; h < HALF_INFINITY; h++) {
        double next = h + 1 == HALF_INFINITY ? 65536 : half_value(h + 1);
        float middle = (float) (0.5 * (half_value(h) + next));

        x[3 * h] = sign * nextafterf(middle, 0);
        x[3 * h + 1] = sign * middle;
        x[3 * h + 2] = sign * nextafterf(middle, INFINITY);
    }
    k->to_half(got, x, 3 * HALF_INFINITY);
    for (unsigned h = 0; h < HALF_INFINITY; h++) {
        unsigned bits = negative ? HALF_SIGN : 0;

        right = right && got[3 * h] == (bits | h) &&
                got[3 * h + 1] == (bits | (h + (h & 1))) &&
                got[3 * h + 2] == (bits | (h + 1));
    }
    check_free(got);
    check_free(x);
    return right;
}

static bool
far_values(const struct kernels *k)
{
    const float x[] = {0,      -0.0f,  1,       -2,       65504,    1e30f,
                       -1e30f, 1e-45f, -1e-30f, INFINITY, -INFINITY};
    const uint16_t want[] = {0,      0x8000, 0x3c00, 0xc000, 0x7bff, 0x7c00,
                             0xfc00, 0,      0x8000, 0x7c00, 0xfc00};
    uint16_t got[sizeof want / sizeof *want];

    k->to_half(got, x, sizeof got / sizeof *got);
    return memcmp(got, want, sizeof want) == 0;
}

/* Random bit patterns as floats, in guarded memory of every length. */
static bool
same_bits(const struct kernels *k, struct check_random *random, size_t count)
{
    float *x = check_floats(count), *y = check_floats(count);
    uint16_t *want = check_alloc(count * sizeof *want);
    uint16_t *got = check_alloc(count * sizeof *got);
    float *back = check_floats(count);
    bool same = true;

    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t) check_bits(random);

        if (check_below(random, 2)) // where halves have values
            bits = (bits & 0x8fffffff) | 0x30000000;
        memcpy(x + i, &bits, sizeof bits);
    }
    to_half_ref(want, x, count);
    k->to_half(got, x, count);
    for (size_t i = 0; i < count; i++)
        same = same && (isnan(x[i]) ? half_is_nan(got[i]) : got[i] == want[i]);
    from_half_ref(back, want, count);
    k->from_half(y, want, count);
    same = same && check_same(y, back, count, "from_half");
    check_free(x);
    check_free(y);
    check_free(want);
    check_free(got);
    check_free(back);
    return same;
}

static void
check_level(enum cpu_level level)
{
    const struct kernels *k = kernels_select(level);
    bool same = true;

    printf("# level %s, seeds 0 to %d\n", cpu_level_name(level),
           CHECK_SEEDS - 1);
    check_ok(all_halves(k), "all_65536_halves_convert_exactly_and_back");
    check_ok(all_turns(k, false) && all_turns(k, true),
             "rounding_to_half_turns_at_every_middle_to_the_even_one");
    check_ok(far_values(k), "values_beyond_the_range_become_infinity_or_zero");
    for (uint64_t seed = 0; seed < CHECK_SEEDS; seed++) {
        struct check_random random = {seed};

        for (size_t i = 0; check_width(i) > 0; i++)
            same = same_bits(k, &random, check_width(i)) && same;
    }
    check_ok(same, "half_conversions_equal_the_reference_to_the_bit");
}

int
main(void)
{
    for (enum cpu_level level = CPU_REF; level <= cpu_level(); level++)
        check_level(level);
    return check_done();
}
