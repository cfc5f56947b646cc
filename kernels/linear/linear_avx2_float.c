/*
 * F32, F16 and BF16 weights on AVX2: a step an element, lane = element mod 32,
 * so four registers are the 32 lanes. Two tokens share a row's conversion.
 */
#include "config.h"

#include "kernels/exponential_avx2.h"
#include "kernels/linear/linear.h"

#include <string.h>

// the format is a constant wherever these are called: one copy a format
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 4")

enum { TOKENS = 2 }; // four accumulators each, and registers are sixteen

/* Eight weights from byte `at` on. */
INLINE __m256
weights(enum format_id id, const uint8_t *at)
{
    const void *p = at;

    if (id == FORMAT_F32)
        return _mm256_loadu_ps(p);
    if (id == FORMAT_F16)
        return _mm256_cvtph_ps(_mm_loadu_si128(p));
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(p)), 16));
}

/* Adds the last `count` < 32 elements; lanes without one stay as they are. */
INLINE void
add_rest(enum format_id id, const uint8_t *row, const float *x, size_t count,
         __m256 lane[4])
{
    const __m256i eight = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    size_t size = id == FORMAT_F32 ? 4 : 2;
    uint8_t w[32 * 4] = {0};
    float padded[32] = {0};

    memcpy(w, row, count * size);
    memcpy(padded, x, count * sizeof *x);
    for (int v = 0; v < 4; v++) {
        __m256i place = _mm256_add_epi32(eight, _mm256_set1_epi32(8 * v));
        __m256i exists =
            _mm256_cmpgt_epi32(_mm256_set1_epi32((int) count), place);
        __m256 sum = _mm256_fmadd_ps(weights(id, w + 8 * (size_t) v * size),
                                     _mm256_loadu_ps(padded + 8 * v), lane[v]);
        lane[v] = _mm256_blendv_ps(lane[v], sum, _mm256_castsi256_ps(exists));
    }
}

/* One row times `tokens` (a constant, at most TOKENS) tokens. */
INLINE void
row_dot(enum format_id id, const uint8_t *row, size_t width, const float *x,
        size_t x_stride, size_t tokens, float *y, size_t y_stride)
{
    size_t size = id == FORMAT_F32 ? 4 : 2, whole = width / 32 * 32;
    __m256 lane[TOKENS][4];

    UNROLL
    for (size_t t = 0; t < tokens; t++)
        UNROLL
    for (int v = 0; v < 4; v++)
        lane[t][v] = _mm256_setzero_ps();
    for (size_t j = 0; j < whole; j += 32)
        UNROLL
    for (size_t v = 0; v < 4; v++) {
        __m256 w = weights(id, row + (j + 8 * v) * size);
        UNROLL
        for (size_t t = 0; t < tokens; t++)
            lane[t][v] = _mm256_fmadd_ps(
                w, _mm256_loadu_ps(x + t * x_stride + j + 8 * v), lane[t][v]);
    }
    UNROLL
    for (size_t t = 0; t < tokens; t++) {
        if (whole < width)
            add_rest(id, row + whole * size, x + t * x_stride + whole,
                     width - whole, lane[t]);
        y[t * y_stride] = sum_tree_avx2(lane[t]);
    }
}

INLINE void
rows_dot(enum format_id id, const uint8_t *w, size_t rows, size_t row_bytes,
         size_t width, const float *x, size_t x_stride, size_t tokens, float *y,
         size_t y_stride)
{
    for (size_t r = 0; r < rows; r++, w += row_bytes) {
        size_t t = 0;
        for (; t + TOKENS <= tokens; t += TOKENS)
            row_dot(id, w, width, x + t * x_stride, x_stride, TOKENS,
                    y + t * y_stride + r, y_stride);
        if (t < tokens)
            row_dot(id, w, width, x + t * x_stride, x_stride, 1,
                    y + t * y_stride + r, y_stride);
    }
}

void
linear_float_avx2(const struct format *format, const uint8_t *w, size_t rows,
                  size_t width, const float *x, size_t x_stride, size_t tokens,
                  float *y, size_t y_stride)
{
    size_t row_bytes = format_row_bytes(format, width);

    if (format->id == FORMAT_F32)
        rows_dot(FORMAT_F32, w, rows, row_bytes, width, x, x_stride, tokens, y,
                 y_stride);
    else if (format->id == FORMAT_F16)
        rows_dot(FORMAT_F16, w, rows, row_bytes, width, x, x_stride, tokens, y,
                 y_stride);
    else
        rows_dot(FORMAT_BF16, w, rows, row_bytes, width, x, x_stride, tokens, y,
                 y_stride);
}
