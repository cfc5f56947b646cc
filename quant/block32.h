/*
 * One 32-block of weights as the arithmetic contract (doc/arithmetic.md,
 * section 2) sees it:
 *   acc = fma(fl(a * d), (float) P, acc),   P = sum of w[j] * q[j]
 * and, with a minimum,
 *   MINIMUM_FLOAT    acc = fma(-m, e, acc)
 *   MINIMUM_INTEGER  acc = fma(-fl(m * d), (float) M, acc),
 *                    M = min[0] * s[0] + min[1] * s[1]
 * where d, e and s[2] (sums of q over each half) belong to the activations.
 * Integer sub-scales are folded into w, so that |P|, |M| < 2^24 and both
 * conversions are exact; each family shows its bound. |q| <= 127, so the
 * bound of 32 products is 4064 * |w|.
 *
 * The weights themselves are a * w[j], minus m or m * min[j / 16].
 */
#ifndef FATHOM_QUANT_BLOCK32_H
#define FATHOM_QUANT_BLOCK32_H

#include <stddef.h>
#include <stdint.h>

/* Which minimum a 32-block has. */
enum block_minimum { MINIMUM_NONE, MINIMUM_FLOAT, MINIMUM_INTEGER };

struct block32 {
    int32_t w[32];
    float a, m;
    enum block_minimum minimum;
    int32_t min[2];
};

/*
 * Fills the i-th 32-block of a row's blocks (after the row's header). The
 * caller has set out->a to the scale in that header, or 1, and minimum, m and
 * min to none; the function changes what its format has.
 */
typedef void block32_fn(const void *blocks, size_t i, struct block32 *out);

#endif
