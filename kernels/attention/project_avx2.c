/* Projections of attention in tiles of four vectors, and half precision. */
#include "config.h"

#include "kernels/attention/tile_avx2.h"

#include <immintrin.h>
#include <string.h>

enum {
    ROWS_AT_ONCE = 24, // of dots: stay in the first cache for all vectors
    COLUMN_ROWS = 32,  // of sums, likewise
};

void
project_rows_avx2(const float *w, size_t rows, size_t columns, size_t stride,
                  const float *x, size_t x_stride, float *y, size_t y_stride,
                  size_t vectors)
{
    struct tile_rows all = {w, CACHE_F32, stride};

    for (size_t r = 0; r < rows; r += ROWS_AT_ONCE) {
        size_t count = rows - r < ROWS_AT_ONCE ? rows - r : ROWS_AT_ONCE;

        for (size_t v = 0, tile; v < vectors; v += tile) {
            const float *in[TILE_VECTORS];
            float *out[TILE_VECTORS];

            tile = tile_vectors_of(vectors - v);
            for (size_t n = 0; n < tile; n++) {
                in[n] = x + (v + n) * x_stride;
                out[n] = y + (v + n) * y_stride + r;
            }
            tile_dots(in, tile, tile_rows_from(all, r), count, columns, out,
                      NULL, 0);
        }
    }
}

void
project_columns_avx2(const float *w, size_t rows, size_t columns, size_t stride,
                     const float *x, size_t x_stride, float *y, size_t y_stride,
                     size_t vectors)
{
    struct tile_rows all = {w, CACHE_F32, stride};

    for (size_t v = 0; v < vectors; v++)
        memset(y + v * y_stride, 0, columns * sizeof *y);
    for (size_t r = 0; r < rows; r += COLUMN_ROWS) {
        size_t count = rows - r < COLUMN_ROWS ? rows - r : COLUMN_ROWS;

        for (size_t v = 0, tile; v < vectors; v += tile) {
            const float *in[TILE_VECTORS];
            float *out[TILE_VECTORS];

            tile = tile_vectors_of(vectors - v);
            for (size_t n = 0; n < tile; n++) {
                in[n] = x + (v + n) * x_stride + r;
                out[n] = y + (v + n) * y_stride;
            }
            tile_sums(in, tile, tile_rows_from(all, r), count, columns, out);
        }
    }
}

void
to_half_avx2(uint16_t *out, const float *x, size_t count)
{
    size_t i = 0;

    for (; i + 8 <= count; i += 8)
        _mm_storeu_si128(
            (__m128i *) (void *) (out + i),
            _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
    for (; i < count; i++)
        out[i] = _cvtss_sh(x[i], _MM_FROUND_TO_NEAREST_INT);
}

void
from_half_avx2(float *out, const uint16_t *x, size_t count)
{
    size_t i = 0;

    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(out + i,
                         _mm256_cvtph_ps(_mm_loadu_si128(
                             (const __m128i *) (const void *) (x + i))));
    for (; i < count; i++)
        out[i] = _cvtsh_ss(x[i]);
}
