/* exponential.h's promises, over a sweep of all floats. */
#include "config.h"

#include "kernels/check.h"
#include "kernels/exponential_check.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    BATCH = 1024,
    STRIDE = 1009,             // a prime: every exponent, any mantissa
    GOLDEN_FIRST = 0x3d000000, // 1/32: below it most results are near 1
    GOLDEN_COUNT = 94635,      // every STRIDE-th float up to EXP_HI
};

/*
 * Of exp_c over those floats, then over the same with the sign set, by an
 * implementation in numpy: the contract's formula in binary64, each fma
 * rounded to odd and then to binary32, which is exact.
 */
static const uint64_t GOLDEN_SUM = 0x5fab03e930d79428;

static float
float_of_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The distance of `got` from exp(x), in units of the last place of exp(x). */
static double
error_ulp(float got, float x)
{
    double want = exp((double) x);
    int exponent;

    frexp(want, &exponent);
    return fabs((double) got - want) * ldexp(1, 24 - exponent);
}

static void
check_accuracy(void)
{
    struct check_error error = {0};

    for (uint32_t bits = 0; bits < 0x42b10000; bits += STRIDE)
        for (uint32_t sign = 0; sign < 2; sign++) {
            float x = float_of_bits(bits | sign << 31);
            if (x >= EXP_LO && x <= EXP_HI)
                check_error_add(&error, error_ulp(exp_c(x), x), 0, 0.966);
        }
    check_ok(check_error_within(&error, "exp_c, 0.966 ulp"),
             "exp_c_is_within_0.966_ulp_of_the_exponential");
}

static void
check_golden(void)
{
    static float y[2 * GOLDEN_COUNT];

    for (uint32_t i = 0; i < GOLDEN_COUNT; i++) {
        uint32_t bits = GOLDEN_FIRST + i * STRIDE;
        y[i] = exp_c(float_of_bits(bits));
        y[GOLDEN_COUNT + i] = exp_c(float_of_bits(bits | 0x80000000));
    }
    check_ok(check_sum(y, sizeof y) == GOLDEN_SUM,
             "exp_c_has_the_bits_of_another_implementation");
}

static void
check_edges(void)
{
    bool good = exp_c(0) == 1 && exp_c(-0.0f) == 1;

    good = good && exp_c(-INFINITY) == exp_c(EXP_LO) && exp_c(EXP_LO) > 0;
    good = good && exp_c(INFINITY) == exp_c(EXP_HI) && isfinite(exp_c(EXP_HI));
    good = good && isnan(exp_c(NAN)) && isnan(silu_c(NAN));
    good = good && silu_c(0) == 0 && silu_c(100) == 100;
    good = good && fabsf(silu_c(1) - 0.7310586f) < 1e-7f;
    check_ok(good, "exp_c_clamps_and_keeps_what_is_no_number");
}

static void
check_tree(void)
{
    float lane[SUM_LANES];

    // 2^24 + 1 is no float: the order of additions shows in the result
    for (int l = 0; l < SUM_LANES; l++)
        lane[l] = l == 0 ? 0x1p24f : l == 16 ? 1.0f : l == 1 ? 1.0f : 0.0f;
    lane[17] = 1.0f;
    // by hand: lane 0 loses its 1, lane 1 becomes 2, the last addition keeps it
    check_ok(sum_tree(lane) == 0x1p24f + 2, "sums_add_lanes_by_the_tree");
}

#ifdef HAVE_AVX2
static bool
same_batch(uint32_t first, uint32_t sign)
{
    float x[BATCH], got[BATCH], want[BATCH];
    bool same;

    for (uint32_t i = 0; i < BATCH; i++) {
        x[i] = float_of_bits((first + i * STRIDE) | sign);
        want[i] = exp_c(x[i]);
    }
    exponential_check_exp(got, x, BATCH);
    same = check_same(got, want, BATCH, "exp");
    for (size_t i = 0; i < BATCH; i++)
        want[i] = silu_c(x[i]);
    exponential_check_silu(got, x, BATCH);
    return check_same(got, want, BATCH, "silu") && same;
}

/* All floats there are, infinities and NaN too. */
static void
check_avx2(void)
{
    bool same = true;

    for (uint64_t first = 0; first < 0x7fc00000; first += BATCH * STRIDE)
        for (uint32_t sign = 0; sign < 2; sign++)
            same = same && same_batch((uint32_t) first, sign << 31);
    check_ok(same, "avx2_gives_the_bits_of_exp_c_and_silu_c");
}

static void
check_avx2_tree(void)
{
    struct check_random random = {1};
    bool same = true;

    for (int round = 0; round < 1000; round++) {
        float lane[SUM_LANES];
        check_fill(&random, lane, SUM_LANES);
        float got = exponential_check_tree(lane);
        float want = sum_tree(lane);
        same = same && check_same(&got, &want, 1, "tree");
    }
    check_ok(same, "avx2_adds_lanes_in_the_order_of_the_tree");
}
#endif

int
main(void)
{
    check_accuracy();
    check_golden();
    check_edges();
    check_tree();
#ifdef HAVE_AVX2
    if (cpu_level() >= CPU_AVX2) {
        check_avx2();
        check_avx2_tree();
    }
#endif
    return check_done();
}
