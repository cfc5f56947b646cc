/* Rotation of one vector in plain C. */
#include "config.h"

#include "kernels/rope/rope.h"

#include <math.h>

void
rope_ref(float *x, const float *cosines, const float *sines, size_t pairs,
         enum rope_pairing pairing)
{
    size_t step = pairing == ROPE_INTERLEAVED ? 2 : 1;
    size_t apart = pairing == ROPE_INTERLEAVED ? 1 : pairs;

    for (size_t i = 0; i < pairs; i++) {
        float *p = x + i * step, x0 = p[0], x1 = p[apart];

        p[0] = fmaf(x0, cosines[i], -(x1 * sines[i]));
        p[apart] = fmaf(x0, sines[i], x1 * cosines[i]);
    }
}
