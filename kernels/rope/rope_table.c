/*
 * Sine and cosine of our own, so that a table has the same bits on every
 * machine: an angle is reduced to [-pi/4, pi/4] by exact steps, and a Taylor
 * polynomial of degree 18 (error below 1e-19) does the rest in binary64.
 */
#include "config.h"

#include "kernels/rope/rope.h"

#include <math.h>
#include <stdint.h>

/* pi/2 in two parts: an angle minus turns times HIGH is exact under fma. */
#define QUARTER_HIGH 0x1.921fb54442d18p+0
#define QUARTER_LOW 0x1.1a62633145c07p-54
#define PER_QUARTER 0x1.45f306dc9c883p-1 // 2 / pi

static double
sine_kernel(double x)
{
    static const double c[] = {
        -1.0 / 6,
        1.0 / 120,
        -1.0 / 5040,
        1.0 / 362880,
        -1.0 / 39916800,
        1.0 / 6227020800,
        -1.0 / 1307674368000,
        1.0 / 355687428096000,
    };
    double square = x * x, sum = 0;

    for (size_t i = sizeof c / sizeof *c; i-- > 0;)
        sum = sum * square + c[i];
    return x + x * (square * sum);
}

static double
cosine_kernel(double x)
{
    static const double c[] = {
        -1.0 / 2,
        1.0 / 24,
        -1.0 / 720,
        1.0 / 40320,
        -1.0 / 3628800,
        1.0 / 479001600,
        -1.0 / 87178291200,
        1.0 / 20922789888000,
        -1.0 / 6402373705728000,
    };
    double square = x * x, sum = 0;

    for (size_t i = sizeof c / sizeof *c; i-- > 0;)
        sum = sum * square + c[i];
    return 1 + square * sum;
}

static void
sine_cosine(double angle, double *sine, double *cosine)
{
    if (!(fabs(angle) < ROPE_ANGLE_MAX)) {
        *sine = *cosine = (double) NAN;
        return;
    }
    double turns = rint(angle * PER_QUARTER);
    double x = fma(-turns, QUARTER_LOW, fma(-turns, QUARTER_HIGH, angle));
    double s = sine_kernel(x), c = cosine_kernel(x);
    unsigned quarter = (unsigned) (int64_t) turns & 3;

    *sine = quarter & 1 ? c : s;
    *cosine = quarter & 1 ? s : c;
    if (quarter & 2)
        *sine = -*sine;
    if (quarter == 1 || quarter == 2)
        *cosine = -*cosine;
}

void
rope_table(float *cosines, float *sines, const double *frequency, size_t pairs,
           double magnitude, size_t position)
{
    for (size_t i = 0; i < pairs; i++) {
        double sine, cosine;

        sine_cosine((double) position * frequency[i], &sine, &cosine);
        cosines[i] = (float) (magnitude * cosine);
        sines[i] = (float) (magnitude * sine);
    }
}
