/*
 * Tiles that live in registers.
 *
 * tile_dots: three rows against V vectors. The 32 lanes of a sum are four
 * groups of eight; 4 / V groups are summed at once, so that twelve
 * accumulators hide the latency of fma and a loaded row serves V vectors.
 * tile_sums: 8 / V groups of eight elements by V vectors are eight
 * accumulators, over all rows.
 */
#include "config.h"

#include "kernels/attention/tile_avx2.h"

#include "kernels/lanes_avx2.h"

#include <stdbool.h>
#include <string.h>

enum { DOT_ROWS = 3, SUM_TILES = 8 };

struct tile_rows
tile_rows_from(struct tile_rows rows, size_t j)
{
    size_t bytes = rows.type == CACHE_F16 ? sizeof(uint16_t) : sizeof(float);

    rows.rows = (const char *) rows.rows + j * rows.stride * bytes;
    return rows;
}

/* Elements i .. i+7 of a row that starts at element `row`. */
static ALWAYS_INLINE __m256
load(enum cache_type type, const void *rows, size_t i)
{
    if (type == CACHE_F16)
        return _mm256_cvtph_ps(_mm_loadu_si128(
            (const __m128i *) (const void *) ((const uint16_t *) rows + i)));
    return _mm256_loadu_ps((const float *) rows + i);
}

/* Elements i .. i+count-1, count < 8, zeros behind. */
static __m256
load_some(enum cache_type type, const void *rows, size_t i, size_t count)
{
    uint16_t half[8] = {0};

    if (type == CACHE_F32)
        return lanes_load((const float *) rows + i, count);
    memcpy(half, (const uint16_t *) rows + i, count * sizeof *half);
    return load(CACHE_F16, half, 0);
}

/* -- dots ------------------------------------------------------------------ */

/* Accumulators of one tile: group of lanes, vector, row. */
typedef __m256 lanes_of_tile[4][TILE_VECTORS][DOT_ROWS];

/* Whole blocks of 32 elements, groups g .. g+G-1. */
static ALWAYS_INLINE void
dot_groups(enum cache_type type, size_t V, size_t g, const float *const *x,
           const void *const *row, size_t whole, lanes_of_tile lane)
{
    const size_t G = 4 / V;
    __m256 acc[12];

    UNROLL
    for (size_t a = 0; a < 12; a++)
        acc[a] = _mm256_setzero_ps();
    for (size_t i = 8 * g; i < whole; i += 32) {
        UNROLL
        for (size_t n = 0; n < G; n++) {
            __m256 q[TILE_VECTORS];

            UNROLL
            for (size_t v = 0; v < V; v++)
                q[v] = _mm256_loadu_ps(x[v] + i + 8 * n);
            UNROLL
            for (size_t r = 0; r < DOT_ROWS; r++) {
                __m256 k = load(type, row[r], i + 8 * n);

                UNROLL
                for (size_t v = 0; v < V; v++) {
                    __m256 *to = acc + (n * V + v) * DOT_ROWS + r;

                    *to = _mm256_fmadd_ps(q[v], k, *to);
                }
            }
        }
    }
    UNROLL
    for (size_t n = 0; n < G; n++)
        UNROLL
    for (size_t v = 0; v < V; v++)
        UNROLL
    for (size_t r = 0; r < DOT_ROWS; r++)
        lane[g + n][v][r] = acc[(n * V + v) * DOT_ROWS + r];
}

/* The last width % 32 elements. */
static void
dot_rest(enum cache_type type, size_t V, const float *const *x,
         const void *const *row, size_t i, size_t width, lanes_of_tile lane)
{
    for (size_t g = 0; i < width; i += 8, g++) {
        size_t count = width - i < 8 ? width - i : 8;
        __m256 here = _mm256_castsi256_ps(lanes_mask(count));

        for (size_t v = 0; v < V; v++)
            for (size_t r = 0; r < DOT_ROWS; r++) {
                __m256 *to = &lane[g][v][r];
                __m256 k = count < 8 ? load_some(type, row[r], i, count)
                                     : load(type, row[r], i);
                __m256 sum =
                    _mm256_fmadd_ps(lanes_load(x[v] + i, count), k, *to);

                // lanes that a row never reaches stay as they are
                *to = _mm256_blendv_ps(*to, sum, here);
            }
    }
}

static ALWAYS_INLINE __m256
lanes_join(lanes_of_tile lane, size_t v, size_t r)
{
    return _mm256_add_ps(_mm256_add_ps(lane[0][v][r], lane[2][v][r]),
                         _mm256_add_ps(lane[1][v][r], lane[3][v][r]));
}

/* The rest of the tree: out[v] = rows 0, 1, 2 of vector v, and junk. */
static ALWAYS_INLINE void
dot_trees(size_t V, lanes_of_tile lane, __m128 out[TILE_VECTORS])
{
    __m256 two[TILE_VECTORS]; // four lanes of row 0, four of row 1
    __m128 one[TILE_VECTORS]; // four lanes of row 2

    UNROLL
    for (size_t v = 0; v < TILE_VECTORS; v++) {
        if (v >= V) {
            two[v] = _mm256_setzero_ps();
            one[v] = _mm_setzero_ps();
            continue;
        }
        __m256 a = lanes_join(lane, v, 0), b = lanes_join(lane, v, 1);
        __m256 c = lanes_join(lane, v, 2);

        two[v] = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20),
                               _mm256_permute2f128_ps(a, b, 0x31));
        one[v] =
            _mm_add_ps(_mm256_castps256_ps128(c), _mm256_extractf128_ps(c, 1));
    }
#define PAIRS(x, y)                                                            \
    _mm256_add_ps(_mm256_shuffle_ps(x, y, 0x44), _mm256_shuffle_ps(x, y, 0xee))
#define SINGLES(x, y)                                                          \
    _mm256_add_ps(_mm256_shuffle_ps(x, y, 0x88), _mm256_shuffle_ps(x, y, 0xdd))
    __m256 ab = SINGLES(PAIRS(two[0], two[1]), PAIRS(two[2], two[3]));
    __m256 low = _mm256_castps128_ps256(one[0]);
    __m256 high = _mm256_castps128_ps256(one[2]);

    low = PAIRS(low, _mm256_castps128_ps256(one[1]));
    high = PAIRS(high, _mm256_castps128_ps256(one[3]));
    out[0] = _mm256_castps256_ps128(ab);
    out[1] = _mm256_extractf128_ps(ab, 1);
    out[2] = _mm256_castps256_ps128(SINGLES(low, high));
    out[3] = out[2];
    _MM_TRANSPOSE4_PS(out[0], out[1], out[2], out[3]);
#undef PAIRS
#undef SINGLES
}

static ALWAYS_INLINE void
dots_of(enum cache_type type, size_t V, const float *const *x,
        struct tile_rows rows, size_t count, size_t width, float *const *out)
{
    const size_t whole = width / 32 * 32;

    for (size_t j = 0; j < count; j += DOT_ROWS) {
        const void *row[DOT_ROWS]; // beyond the last: the last once more
        lanes_of_tile lane;
        __m128 sum[TILE_VECTORS];

        for (size_t r = 0; r < DOT_ROWS; r++)
            row[r] =
                tile_rows_from(rows, j + r < count ? j + r : count - 1).rows;
        for (size_t g = 0; g < 4; g += 4 / V)
            dot_groups(type, V, g, x, row, whole, lane);
        if (whole < width)
            dot_rest(type, V, x, row, whole, width, lane);
        dot_trees(V, lane, sum);
        for (size_t v = 0; v < V; v++) {
            if (j + 4 <= count)
                _mm_storeu_ps(out[v] + j, sum[v]); // the fourth is overwritten
            else
                memcpy(out[v] + j, &sum[v],
                       (count - j < 3 ? count - j : 3) * sizeof(float));
        }
    }
}

void
tile_dots(const float *const *x, size_t vectors, struct tile_rows rows,
          size_t count, size_t width, float *const *out)
{
    const bool f16 = rows.type == CACHE_F16;

    if (vectors == 4 && f16)
        dots_of(CACHE_F16, 4, x, rows, count, width, out);
    else if (vectors == 4)
        dots_of(CACHE_F32, 4, x, rows, count, width, out);
    else if (vectors == 2 && f16)
        dots_of(CACHE_F16, 2, x, rows, count, width, out);
    else if (vectors == 2)
        dots_of(CACHE_F32, 2, x, rows, count, width, out);
    else if (f16)
        dots_of(CACHE_F16, 1, x, rows, count, width, out);
    else
        dots_of(CACHE_F32, 1, x, rows, count, width, out);
}

/* -- sums ------------------------------------------------------------------ */

/* Elements i .. i + 8 * groups - 1 of V vectors. */
static ALWAYS_INLINE void
sum_groups(enum cache_type type, size_t V, size_t groups, const float *const *p,
           struct tile_rows rows, size_t count, size_t i, float *const *z)
{
    const size_t bytes = type == CACHE_F16 ? 2 : 4;
    const char *row = rows.rows;
    __m256 acc[SUM_TILES];

    UNROLL
    for (size_t v = 0; v < V; v++)
        UNROLL
    for (size_t n = 0; n < groups; n++)
        acc[v * groups + n] = _mm256_loadu_ps(z[v] + i + 8 * n);
    for (size_t j = 0; j < count; j++, row += rows.stride * bytes) {
        __m256 weight[TILE_VECTORS];

        UNROLL
        for (size_t v = 0; v < V; v++)
            weight[v] = _mm256_broadcast_ss(p[v] + j);
        UNROLL
        for (size_t n = 0; n < groups; n++) {
            __m256 value = load(type, row, i + 8 * n);

            UNROLL
            for (size_t v = 0; v < V; v++)
                acc[v * groups + n] =
                    _mm256_fmadd_ps(weight[v], value, acc[v * groups + n]);
        }
    }
    UNROLL
    for (size_t v = 0; v < V; v++)
        UNROLL
    for (size_t n = 0; n < groups; n++)
        _mm256_storeu_ps(z[v] + i + 8 * n, acc[v * groups + n]);
}

/* The last width % 8 elements. */
static void
sum_rest(size_t V, const float *const *p, struct tile_rows rows, size_t count,
         size_t i, size_t width, float *const *z)
{
    for (size_t v = 0; v < V; v++) {
        __m256 acc = lanes_load(z[v] + i, width - i);

        for (size_t j = 0; j < count; j++)
            acc = _mm256_fmadd_ps(_mm256_broadcast_ss(p[v] + j),
                                  load_some(rows.type,
                                            tile_rows_from(rows, j).rows, i,
                                            width - i),
                                  acc);
        lanes_store(z[v] + i, acc, width - i);
    }
}

static ALWAYS_INLINE void
sums_of(enum cache_type type, size_t V, const float *const *p,
        struct tile_rows rows, size_t count, size_t width, float *const *z)
{
    size_t i = 0;

    for (; i + 8 * (SUM_TILES / V) <= width; i += 8 * (SUM_TILES / V))
        sum_groups(type, V, SUM_TILES / V, p, rows, count, i, z);
    for (; i + 8 <= width; i += 8)
        sum_groups(type, V, 1, p, rows, count, i, z);
    if (i < width)
        sum_rest(V, p, rows, count, i, width, z);
}

void
tile_sums(const float *const *p, size_t vectors, struct tile_rows rows,
          size_t count, size_t width, float *const *z)
{
    const bool f16 = rows.type == CACHE_F16;

    if (vectors == 4 && f16)
        sums_of(CACHE_F16, 4, p, rows, count, width, z);
    else if (vectors == 4)
        sums_of(CACHE_F32, 4, p, rows, count, width, z);
    else if (vectors == 2 && f16)
        sums_of(CACHE_F16, 2, p, rows, count, width, z);
    else if (vectors == 2)
        sums_of(CACHE_F32, 2, p, rows, count, width, z);
    else if (f16)
        sums_of(CACHE_F16, 1, p, rows, count, width, z);
    else
        sums_of(CACHE_F32, 1, p, rows, count, width, z);
}
