/*
 * Weights and activations to try variants of linear layers with, usual and
 * extreme. Part of the check programs only.
 */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_SAMPLE_H
#define FATHOM_KERNELS_LINEAR_LINEAR_SAMPLE_H

#include "kernels/check.h"
#include "quant/quant.h"

enum weights {
    WEIGHTS_USUAL,    // random integers, scales near 0.01
    WEIGHTS_ANY,      // every bit pattern with finite scales
    WEIGHTS_ZERO,     // all bytes 0
    WEIGHTS_ONES,     // all bits set, scales at their limits
    WEIGHTS_LOWEST,   // bytes 0x80, scales at their limits
    WEIGHTS_DENORMAL, // denormal scales
    WEIGHTS_KINDS
};

enum values {
    VALUES_NORMAL,
    VALUES_OUTLIERS,
    VALUES_MAGNITUDES, // from denormal to large
    VALUES_ZERO,       // of both signs
    VALUES_LONELY,     // one large value, a few small ones
    VALUES_LIMITS,     // all +-30000
    VALUES_DENORMAL,
    VALUES_KINDS
};

/*
 * Fills `rows` rows of `width` elements, whole groups of interleaved ones.
 * Every scale is finite.
 */
void linear_sample_weights(struct check_random *rng,
                           const struct format *format, uint8_t *w, size_t rows,
                           size_t width, enum weights kind);

void linear_sample_values(struct check_random *rng, float *x, size_t width,
                          enum values kind);

#endif
