/* Projections that belong to attention, and half precision, in plain C. */
#include "config.h"

#include "kernels/attention/attention.h"

#include "kernels/exponential.h"
#include "quant/quant.h"

#include <math.h>

void
project_rows_ref(const float *w, size_t rows, size_t columns, size_t stride,
                 const float *x, size_t x_stride, float *y, size_t y_stride,
                 size_t vectors)
{
    for (size_t v = 0; v < vectors; v++)
        for (size_t r = 0; r < rows; r++) {
            float lane[SUM_LANES] = {0};

            for (size_t i = 0; i < columns; i++)
                lane[i % SUM_LANES] =
                    fmaf(w[r * stride + i], x[v * x_stride + i],
                         lane[i % SUM_LANES]);
            y[v * y_stride + r] = sum_tree(lane);
        }
}

void
project_columns_ref(const float *w, size_t rows, size_t columns, size_t stride,
                    const float *x, size_t x_stride, float *y, size_t y_stride,
                    size_t vectors)
{
    for (size_t v = 0; v < vectors; v++) {
        float *out = y + v * y_stride;

        for (size_t c = 0; c < columns; c++)
            out[c] = 0;
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                out[c] = fmaf(x[v * x_stride + r], w[r * stride + c], out[c]);
    }
}

void
to_half_ref(uint16_t *out, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = float_to_half(x[i]);
}

void
from_half_ref(float *out, const uint16_t *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = half_to_float(x[i]);
}
