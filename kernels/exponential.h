/*
 * The only exponential, and the one order of float sums.
 *
 * exp_c (arithmetic contract, section 4): clamp x to [-87.3, 88.3];
 * n = round_half_even(fl(x * log2e)); r = fma(n, -ln2lo, fma(n, -ln2hi, x));
 * p = a polynomial of degree 6 in Horner form by fma; the result is
 * fl(p * 2^n). Worst error 0.965 ulp. NaN gives NaN.
 *
 * Sums: element i goes to lane i mod 32 in ascending i, then
 *   for w = 16, 8, 4, 2, 1: for l < w: lane[l] = fl(lane[l] + lane[l + w])
 * This header compiles as C and as CUDA C++.
 */
#ifndef FATHOM_KERNELS_EXPONENTIAL_H
#define FATHOM_KERNELS_EXPONENTIAL_H

#define EXP_LO (-87.3f)
#define EXP_HI 88.3f
#define EXP_LOG2E 0x1.715476p+0f
#define EXP_LN2_HI 0x1.62e4p-1f // 15 bits: n * hi is exact
#define EXP_LN2_LO 0x1.7f7d1cp-20f
#define EXP_C2 0x1.0p-1f
#define EXP_C3 0x1.5554dcp-3f
#define EXP_C4 0x1.55551ap-5f
#define EXP_C5 0x1.120ba2p-7f
#define EXP_C6 0x1.6d113cp-10f

enum { SUM_LANES = 32 };

#ifdef __cplusplus
extern "C" {
#endif

float exp_c(float x);
float silu_c(float g); // fl(g / fl(1 + exp_c(-g)))

/* The tree over 32 lanes, in place; returns lane[0]. */
float sum_tree(float lane[SUM_LANES]);

#ifdef __cplusplus
}
#endif

#endif
