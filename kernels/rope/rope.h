/*
 * Rotary position embedding of one vector, in place.
 *
 * ROPE_INTERLEAVED: pair i is elements 2i and 2i+1. ROPE_HALVES: pair i is
 * elements i and i + pairs. With c = cos[i], s = sin[i]:
 *   first  = fma(x0, c, fl(-(x1 * s)))     second = fma(x0, s, fl(x1 * c))
 * Tables are computed with our own sine and cosine (no libm) in binary64; a
 * magnitude is multiplied in. Within 0.501 ulp of the float.
 * Source: Su 2021; YaRN: Peng 2023; conventions in doc/forward.md.
 */
#ifndef FATHOM_KERNELS_ROPE_ROPE_H
#define FATHOM_KERNELS_ROPE_ROPE_H

#include <stddef.h>

enum rope_pairing { ROPE_INTERLEAVED, ROPE_HALVES };

typedef void rope_fn(float *x, const float *cosines, const float *sines,
                     size_t pairs, enum rope_pairing pairing);

rope_fn rope_ref, rope_avx2;

#define ROPE_ANGLE_MAX 0x1p30 // beyond it a table holds NaN

/*
 * cosines[i], sines[i] = (float) (magnitude * cos or sin(position *
 * frequency[i])), i < pairs. The same bits on every machine.
 */
void rope_table(float *cosines, float *sines, const double *frequency,
                size_t pairs, double magnitude, size_t position);

#endif
