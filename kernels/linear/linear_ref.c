/* The arithmetic contract in plain C: doc/arithmetic.md, a loop a line. */
#include "config.h"

#include "kernels/exponential.h"
#include "kernels/linear/linear.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- section 1: activations ---- */

static void
quantize_block(struct activations *a, size_t k, const float x[32])
{
    float amax = 0.0f;

    for (int j = 0; j < 32; j++)
        amax = fabsf(x[j]) > amax ? fabsf(x[j]) : amax;
    bool zero = amax < 0x1p-120f; // 127 / amax would overflow
    float d = zero ? 0.0f : amax / 127.0f, inv = zero ? 0.0f : 127.0f / amax;
    int s[2] = {0, 0};
    for (int j = 0; j < 32; j++) {
        int q = (int) nearbyintf(x[j] * inv);
        assert(q >= -127 && q <= 127);
        a->q[activation_half(a, k, (size_t) j / 16) + j % 16] = (int8_t) q;
        s[j / 16] += q;
    }
    a->d[k] = d;
    a->e[k] = d * (float) (s[0] + s[1]);
    a->s[2 * k] = (int16_t) s[0];
    a->s[2 * k + 1] = (int16_t) s[1];
}

static bool
all_finite(const float x[32])
{
    for (int j = 0; j < 32; j++)
        if (!isfinite(x[j]))
            return false;
    return true;
}

bool
quantize_q8_ref(struct activations *a, size_t t, const float *x)
{
    static const float zeros[32];
    bool finite = true;

    for (size_t i = 0; i < a->blocks; i++, x += 32) {
        size_t k = t * a->token_stride + i * a->block_stride;
        bool good = all_finite(x);

        quantize_block(a, k, good ? x : zeros);
        finite = finite && good;
    }
    return finite;
}

/* ---- section 2: one 32-block of weights against block k of a ---- */

static float
step(const struct block32 *b, const struct activations *a, size_t k, float acc)
{
    const int8_t *q[2] = {a->q + activation_half(a, k, 0),
                          a->q + activation_half(a, k, 1)};
    const int16_t *s = a->s + 2 * k;
    int32_t p = 0;

    for (int j = 0; j < 32; j++)
        p += b->w[j] * q[j / 16][j % 16];
    acc = fmaf(b->a * a->d[k], (float) p, acc);
    switch (b->minimum) {
    case MINIMUM_NONE:
        break;
    case MINIMUM_FLOAT:
        acc = fmaf(-b->m, a->e[k], acc);
        break;
    case MINIMUM_INTEGER:
        acc = fmaf(-(b->m * a->d[k]),
                   (float) (b->min[0] * s[0] + b->min[1] * s[1]), acc);
        break;
    }
    return acc;
}

/* ---- section 3: summing a row ---- */

/*
 * Row r of a matrix: where it, or the group that it is interleaved in, starts.
 */
static const uint8_t *
row_find(const struct format *format, const uint8_t *w, size_t elems, size_t r)
{
    return w + r / format->interleaved * format->interleaved *
                   format_row_bytes(format, elems);
}

void
linear_vector_ref(const struct format *format, const uint8_t *w, size_t rows,
                  const struct activations *a, float *y, size_t y_stride)
{
    size_t elems = 32 * a->blocks;

    for (size_t r = 0; r < rows; r++) {
        const uint8_t *row = row_find(format, w, elems, r);
        float lane[LINEAR_VECTOR_MAX][SUM_LANES] = {{0}};

        for (size_t i = 0; i < a->blocks; i++) {
            struct block32 b;
            format_block32(format, row, (unsigned) (r % format->interleaved), i,
                           &b);
            for (size_t t = 0; t < a->tokens; t++) {
                size_t k = t * a->token_stride + i * a->block_stride;
                lane[t][i % SUM_LANES] = step(&b, a, k, lane[t][i % SUM_LANES]);
            }
        }
        for (size_t t = 0; t < a->tokens; t++)
            y[t * y_stride + r] = sum_tree(lane[t]);
    }
}

void
linear_matrix_ref(const struct format *format, const uint8_t *w, size_t rows,
                  const struct activations *a, float *y, size_t y_stride)
{
    size_t elems = 32 * a->blocks;

    for (size_t r = 0; r < rows; r++) {
        const uint8_t *row = row_find(format, w, elems, r);

        for (size_t t = 0; t < a->tokens; t++)
            y[t * y_stride + r] = 0.0f;
        for (size_t i = 0; i < a->blocks; i++) {
            struct block32 b;
            format_block32(format, row, (unsigned) (r % format->interleaved), i,
                           &b);
            for (size_t t = 0; t < a->tokens; t++) {
                size_t k = t * a->token_stride + i * a->block_stride;
                y[t * y_stride + r] = step(&b, a, k, y[t * y_stride + r]);
            }
        }
    }
}

/* ---- float weights: a step an element ---- */

static float
float_weight(const struct format *format, const uint8_t *row, size_t j)
{
    uint16_t bits;
    float value;

    if (format->id == FORMAT_F32) {
        memcpy(&value, row + 4 * j, sizeof value);
        return value;
    }
    memcpy(&bits, row + 2 * j, sizeof bits);
    return format->id == FORMAT_F16 ? half_to_float(bits)
                                    : bfloat16_to_float(bits);
}

static float
float_dot(const struct format *format, const uint8_t *row, const float *x,
          size_t width)
{
    float lane[SUM_LANES] = {0};

    for (size_t j = 0; j < width; j++)
        lane[j % SUM_LANES] =
            fmaf(float_weight(format, row, j), x[j], lane[j % SUM_LANES]);
    return sum_tree(lane);
}

void
linear_float_ref(const struct format *format, const uint8_t *w, size_t rows,
                 size_t width, const float *x, size_t x_stride, size_t tokens,
                 float *y, size_t y_stride)
{
    size_t row_bytes = format_row_bytes(format, width);

    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++)
            y[t * y_stride + r] =
                float_dot(format, w + r * row_bytes, x + t * x_stride, width);
}
