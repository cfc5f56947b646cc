/* Conversions of half precision and bfloat16, against arithmetic in double. */
#include "quant/quant.h"
#include "tests/unit/random_rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float
float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754: a half from its three parts. */
static double
half_value(unsigned half)
{
    int exponent = half >> 10 & 31;
    double mantissa = half & 1023;
    double magnitude = ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 0)
        magnitude = ldexp(mantissa, -24);
    if (exponent == 31)
        magnitude = mantissa == 0 ? HUGE_VAL : nan("");
    return half >> 15 ? -magnitude : magnitude;
}

static void
every_half_converts_exactly_and_back(void **state)
{
    (void) state;
    for (unsigned half = 0; half <= 0xffff; half++) {
        double value = half_value(half);
        float got = half_to_float((uint16_t) half);
        if (isnan(value)) {
            assert_true(isnan(got));
            assert_true(isnan(half_to_float(float_to_half(got))));
            continue;
        }
        if ((double) got != value || !signbit(got) != !signbit(value))
            fail_msg("half %04x became %a", half, (double) got);
        assert_int_equal(float_to_half(got), half);
    }
}

/* The half nearest to value by search: the even one of two equally near. */
static unsigned
nearest_half(double value)
{
    unsigned sign = signbit(value) ? 0x8000 : 0;
    unsigned low = 0;
    unsigned high = 0x7c00; // taken as 65536, where the next half would be
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (half_value(middle) <= fabs(value))
            low = middle;
        else
            high = middle;
    }
    double above = high == 0x7c00 ? 65536 : half_value(high);
    double below_error = fabs(value) - half_value(low);
    double above_error = above - fabs(value);
    bool down = below_error < above_error ||
                (below_error == above_error && low % 2 == 0);
    return sign | (down ? low : high);
}

static void
check_nearest(float value)
{
    unsigned got = float_to_half(value);
    if (got != nearest_half((double) value))
        fail_msg("%a became %04x, nearest is %04x", (double) value, got,
                 nearest_half((double) value));
}

static void
floats_round_to_the_nearest_half(void **state)
{
    (void) state;
    struct random random = random_start(1);
    for (unsigned half = 0; half < 0x7c00; half++) {
        float here = half_to_float((uint16_t) half);
        float next =
            half == 0x7bff ? 65536 : half_to_float((uint16_t) (half + 1));
        float middle = here + (next - here) / 2; // exact
        check_nearest(middle);
        check_nearest(-middle);
        check_nearest(nextafterf(middle, INFINITY));
        check_nearest(nextafterf(middle, 0));
    }
    for (unsigned i = 0; i < 100000; i++) {
        float value = float_of(random_bits(&random));
        if (isfinite(value))
            check_nearest(value);
    }
}

static void
bfloat16_is_the_upper_half_of_a_float(void **state)
{
    (void) state;
    assert_true(bfloat16_to_float(0x3f80) == 1);
    assert_true(bfloat16_to_float(0xc049) == -3.140625f);
    assert_int_equal(float_to_bfloat16(float_of(0x3f808000)), 0x3f80); // tie
    assert_int_equal(float_to_bfloat16(float_of(0x3f818000)), 0x3f82); // tie
    assert_int_equal(float_to_bfloat16(float_of(0x3f808001)), 0x3f81);
    assert_int_equal(float_to_bfloat16(float_of(0x7f7fffff)), 0x7f80);
    assert_true(
        isnan(bfloat16_to_float(float_to_bfloat16(float_of(0x7f800001)))));
    for (unsigned bits = 0; bits <= 0xffff; bits++) {
        float value = bfloat16_to_float((uint16_t) bits);
        if (!isnan(value))
            assert_int_equal(float_to_bfloat16(value), bits);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_converts_exactly_and_back),
        cmocka_unit_test(floats_round_to_the_nearest_half),
        cmocka_unit_test(bfloat16_is_the_upper_half_of_a_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
