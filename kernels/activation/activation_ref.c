/* Elementwise operations in plain C. */
#include "config.h"

#include "kernels/activation/activation.h"

#include "kernels/exponential.h"

#include <math.h>

void
silu_mul_ref(float *h, const float *g, const float *u, size_t count)
{
    for (size_t i = 0; i < count; i++)
        h[i] = silu_c(g[i]) * u[i];
}

void
add_ref(float *y, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] += x[i];
}

void
add_scaled_ref(float *y, const float *x, float w, bool first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float product = w * x[i];

        y[i] = first ? product : y[i] + product;
    }
}

void
exponentials_ref(float *y, const float *x, float shift, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = exp_c(x[i] - shift);
}

int32_t
argmax_ref(const float *x, size_t count)
{
    float best = -INFINITY;
    int32_t at = -1;

    for (size_t i = 0; i < count; i++) {
        if (isnan(x[i]))
            return -1;
        if (x[i] > best) {
            best = x[i];
            at = (int32_t) i;
        }
    }
    return at;
}
