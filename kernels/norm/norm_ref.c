/* RMS norm in plain C. */
#include "config.h"

#include "kernels/norm/norm.h"

#include "kernels/exponential.h"

#include <math.h>

void
norm_ref(float *y, const float *x, const float *w, size_t width, float eps)
{
    float lane[SUM_LANES] = {0};

    for (size_t i = 0; i < width; i++)
        lane[i % SUM_LANES] = fmaf(x[i], x[i], lane[i % SUM_LANES]);
    float r = 1 / sqrtf(sum_tree(lane) / (float) width + eps);

    for (size_t i = 0; i < width; i++)
        y[i] = x[i] * r * w[i];
}
