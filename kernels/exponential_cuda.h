/*
 * exp_c and silu on a CUDA device: the bits of exponential.h. For kernel files
 * only, which include cuda_port.h.
 */
#ifndef FATHOM_KERNELS_EXPONENTIAL_CUDA_H
#define FATHOM_KERNELS_EXPONENTIAL_CUDA_H

#include "kernels/cuda_port.h"
#include "kernels/exponential.h"

/* 2^n for n in -126 .. 127, where it is a normal number. */
DEV float
device_power_of_two(int n)
{
    return __int_as_float((n + 127) << 23);
}

DEV float
device_exp_c(float x)
{
    if (x != x)
        return x;
    x = x < EXP_LO ? EXP_LO : x > EXP_HI ? EXP_HI : x;
    float n = rintf(__fmul_rn(x, EXP_LOG2E));
    float r = __fmaf_rn(n, -EXP_LN2_LO, __fmaf_rn(n, -EXP_LN2_HI, x));
    float p = EXP_C6;
    p = __fmaf_rn(p, r, EXP_C5);
    p = __fmaf_rn(p, r, EXP_C4);
    p = __fmaf_rn(p, r, EXP_C3);
    p = __fmaf_rn(p, r, EXP_C2);
    p = __fmaf_rn(p, r, 1.0f);
    p = __fmaf_rn(p, r, 1.0f);
    return __fmul_rn(p, device_power_of_two((int) n));
}

/* fl(g / fl(1 + exp_c(-g))) */
DEV float
device_silu(float g)
{
    return __fdiv_rn(g, __fadd_rn(1.0f, device_exp_c(-g)));
}

#endif
