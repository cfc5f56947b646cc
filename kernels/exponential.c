/* exp_c and the tree of sums in plain C: the arithmetic contract, section 4. */
#include "config.h"

#include "kernels/exponential.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* 2^n for n in -126 .. 127, where it is a normal number. */
static float
power_of_two(int n)
{
    uint32_t bits = (uint32_t) (n + 127) << 23;
    float power;

    memcpy(&power, &bits, sizeof power);
    return power;
}

float
exp_c(float x)
{
    if (x != x)
        return x; // what is not a number must stay visible
    x = x < EXP_LO ? EXP_LO : x > EXP_HI ? EXP_HI : x;
    float n = nearbyintf(x * EXP_LOG2E); // exact, not an approximation of libm
    float r = fmaf(n, -EXP_LN2_LO, fmaf(n, -EXP_LN2_HI, x));
    float p = EXP_C6;
    p = fmaf(p, r, EXP_C5);
    p = fmaf(p, r, EXP_C4);
    p = fmaf(p, r, EXP_C3);
    p = fmaf(p, r, EXP_C2);
    p = fmaf(p, r, 1.0f);
    p = fmaf(p, r, 1.0f);
    return p * power_of_two((int) n);
}

float
silu_c(float g)
{
    return g / (1.0f + exp_c(-g));
}

float
sum_tree(float lane[SUM_LANES])
{
    for (int w = SUM_LANES / 2; w > 0; w /= 2)
        for (int l = 0; l < w; l++)
            lane[l] = lane[l] + lane[l + w];
    return lane[0];
}
