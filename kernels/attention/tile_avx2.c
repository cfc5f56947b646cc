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

enum { DOT_ROWS = 3, SUM_TILES = 12, LINE = 64 };

/* Or else compilers load a value again for each use, which loads bound. */
#define IN_REGISTER(x) __asm__("" : "+x"(x))
#define IN_MEMORY(x) __asm__ volatile("" : "+m"(x))

static size_t
element_bytes(enum cache_type type)
{
    return type == CACHE_F16 ? sizeof(uint16_t) : sizeof(float);
}

struct tile_rows
tile_rows_from(struct tile_rows rows, size_t j)
{
    rows.rows =
        (const char *) rows.rows + j * rows.stride * element_bytes(rows.type);
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

/*
 * acc[v][r] += elements i .. i+7 of x[v] times those of row r. The fewer of
 * vectors and rows stay in registers, the others come one by one.
 */
static ALWAYS_INLINE void
dot_step(enum cache_type type, size_t V, const float *const *x,
         const void *const *row, size_t i, __m256 *acc)
{
    __m256 few[DOT_ROWS];

    if (V < DOT_ROWS) {
        UNROLL
        for (size_t v = 0; v < V; v++) {
            few[v] = _mm256_loadu_ps(x[v] + i);
            IN_REGISTER(few[v]);
        }
        UNROLL
        for (size_t r = 0; r < DOT_ROWS; r++) {
            __m256 one = load(type, row[r], i);

            IN_REGISTER(one);
            UNROLL
            for (size_t v = 0; v < V; v++)
                acc[v * DOT_ROWS + r] =
                    _mm256_fmadd_ps(few[v], one, acc[v * DOT_ROWS + r]);
        }
        return;
    }
    UNROLL
    for (size_t r = 0; r < DOT_ROWS; r++) {
        few[r] = load(type, row[r], i);
        IN_REGISTER(few[r]);
    }
    UNROLL
    for (size_t v = 0; v < V; v++) {
        __m256 one = _mm256_loadu_ps(x[v] + i);

        IN_REGISTER(one);
        UNROLL
        for (size_t r = 0; r < DOT_ROWS; r++)
            acc[v * DOT_ROWS + r] =
                _mm256_fmadd_ps(one, few[r], acc[v * DOT_ROWS + r]);
    }
}

/* The same of the first `count` elements, fewer than 8. */
static ALWAYS_INLINE void
dot_step_some(enum cache_type type, size_t V, const float *const *x,
              const void *const *row, size_t i, size_t count, __m256 *acc)
{
    const __m256 here = _mm256_castsi256_ps(lanes_mask(count));

    for (size_t r = 0; r < DOT_ROWS; r++) {
        __m256 k = load_some(type, row[r], i, count);

        UNROLL
        for (size_t v = 0; v < V; v++) {
            __m256 *to = acc + v * DOT_ROWS + r;
            __m256 q = lanes_load(x[v] + i, count);

            // lanes that a row never reaches stay as they are
            *to = _mm256_blendv_ps(*to, _mm256_fmadd_ps(q, k, *to), here);
        }
    }
}

/* G of the four groups of lanes, g and every second behind it. */
static ALWAYS_INLINE void
dot_groups(enum cache_type type, size_t V, bool rest, size_t G, size_t g,
           const float *const *x, const void *const *row, size_t width,
           __m256 *acc)
{
    const size_t whole = width / 32 * 32, sums = V * DOT_ROWS;

    UNROLL
    for (size_t a = 0; a < G * sums; a++)
        acc[a] = _mm256_setzero_ps();
    for (size_t i = 8 * g; i < whole; i += 32)
        UNROLL
    for (size_t n = 0; n < G; n++)
        dot_step(type, V, x, row, i + 16 * n, acc + n * sums);
    UNROLL
    for (size_t n = 0; rest && n < G; n++) {
        size_t i = whole + 8 * g + 16 * n;

        if (i + 8 <= width)
            dot_step(type, V, x, row, i, acc + n * sums);
        else if (i < width)
            dot_step_some(type, V, x, row, i, width - i, acc + n * sums);
    }
}

/* Groups g and g + 2 added, the first step of the tree. */
static ALWAYS_INLINE void
dot_half(enum cache_type type, size_t V, bool rest, size_t g,
         const float *const *x, const void *const *row, size_t width,
         __m256 *sum)
{
    const size_t sums = V * DOT_ROWS;
    __m256 acc[2 * 2 * DOT_ROWS], kept[TILE_VECTORS * DOT_ROWS];

    if (V <= 2) {
        dot_groups(type, V, rest, 2, g, x, row, width, acc);
        UNROLL
        for (size_t a = 0; a < sums; a++)
            sum[a] = _mm256_add_ps(acc[a], acc[sums + a]);
        return;
    }
    dot_groups(type, V, rest, 1, g, x, row, width, acc);
    UNROLL
    for (size_t a = 0; a < sums; a++)
        kept[a] = acc[a];
    IN_MEMORY(kept); // all registers are needed again
    dot_groups(type, V, rest, 1, g + 2, x, row, width, acc);
    UNROLL
    for (size_t a = 0; a < sums; a++)
        sum[a] = _mm256_add_ps(kept[a], acc[a]);
}

/* 32 lanes to 8: sum[v][r]. */
static ALWAYS_INLINE void
dot_lanes(enum cache_type type, size_t V, bool rest, const float *const *x,
          const void *const *row, size_t width, __m256 *sum)
{
    const size_t sums = V * DOT_ROWS;
    __m256 half[TILE_VECTORS * DOT_ROWS], kept[TILE_VECTORS * DOT_ROWS];

    dot_half(type, V, rest, 0, x, row, width, half);
    UNROLL
    for (size_t a = 0; a < sums; a++)
        kept[a] = half[a];
    IN_MEMORY(kept);
    dot_half(type, V, rest, 1, x, row, width, half);
    UNROLL
    for (size_t a = 0; a < sums; a++)
        sum[a] = _mm256_add_ps(kept[a], half[a]);
}

/* The rest of the tree: out[v] = rows 0, 1, 2 of vector v, and junk. */
static ALWAYS_INLINE void
dot_trees(size_t V, const __m256 *sum, __m128 out[TILE_VECTORS])
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
        const __m256 *of = sum + v * DOT_ROWS;

        two[v] = _mm256_add_ps(_mm256_permute2f128_ps(of[0], of[1], 0x20),
                               _mm256_permute2f128_ps(of[0], of[1], 0x31));
        one[v] = _mm_add_ps(_mm256_castps256_ps128(of[2]),
                            _mm256_extractf128_ps(of[2], 1));
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

/* Asks for rows j .. j+2. */
static void
fetch(const struct tile_ahead *ahead, size_t j)
{
    const size_t bytes = element_bytes(ahead->rows.type);
    const size_t stride = ahead->rows.stride * bytes;
    const size_t end =
        j + DOT_ROWS < ahead->count ? j + DOT_ROWS : ahead->count;
    const char *row = (const char *) ahead->rows.rows + j * stride;

    for (; j < end; j++, row += stride)
        for (size_t i = ahead->first * LINE; i < ahead->width * bytes;
             i += ahead->step * LINE)
            _mm_prefetch(row + i, _MM_HINT_T1);
}

static ALWAYS_INLINE void
dots_of(enum cache_type type, size_t V, bool rest, const float *const *x,
        struct tile_rows rows, size_t count, size_t width, float *const *out,
        const struct tile_ahead *ahead, size_t aheads)
{
    for (size_t j = 0; j < count; j += DOT_ROWS) {
        const void *row[DOT_ROWS]; // beyond the last: the last once more
        __m256 lanes[TILE_VECTORS * DOT_ROWS];
        __m128 sum[TILE_VECTORS];

        for (size_t r = 0; r < DOT_ROWS; r++)
            row[r] =
                tile_rows_from(rows, j + r < count ? j + r : count - 1).rows;
        for (size_t n = 0; n < aheads; n++)
            fetch(ahead + n, j);
        dot_lanes(type, V, rest, x, row, width, lanes);
        dot_trees(V, lanes, sum);
        for (size_t v = 0; v < V; v++) {
            if (j + 4 <= count)
                _mm_storeu_ps(out[v] + j, sum[v]); // the fourth is overwritten
            else
                memcpy(out[v] + j, &sum[v],
                       (count - j < 3 ? count - j : 3) * sizeof(float));
        }
    }
}

/* Widths that no model has for long: a vector at a time. */
static void
dots_apart(const float *const *x, size_t vectors, struct tile_rows rows,
           size_t count, size_t width, float *const *out,
           const struct tile_ahead *ahead, size_t aheads)
{
    for (size_t v = 0; v < vectors; v++)
        if (rows.type == CACHE_F16)
            dots_of(CACHE_F16, 1, true, x + v, rows, count, width, out + v,
                    ahead, aheads);
        else
            dots_of(CACHE_F32, 1, true, x + v, rows, count, width, out + v,
                    ahead, aheads);
}

void
tile_dots(const float *const *x, size_t vectors, struct tile_rows rows,
          size_t count, size_t width, float *const *out,
          const struct tile_ahead *ahead, size_t aheads)
{
    const bool f16 = rows.type == CACHE_F16;

    if (width % 32 != 0)
        dots_apart(x, vectors, rows, count, width, out, ahead, aheads);
    else if (vectors == 4 && f16)
        dots_of(CACHE_F16, 4, false, x, rows, count, width, out, ahead, aheads);
    else if (vectors == 4)
        dots_of(CACHE_F32, 4, false, x, rows, count, width, out, ahead, aheads);
    else if (vectors == 3 && f16)
        dots_of(CACHE_F16, 3, false, x, rows, count, width, out, ahead, aheads);
    else if (vectors == 3)
        dots_of(CACHE_F32, 3, false, x, rows, count, width, out, ahead, aheads);
    else if (vectors == 2 && f16)
        dots_of(CACHE_F16, 2, false, x, rows, count, width, out, ahead, aheads);
    else if (vectors == 2)
        dots_of(CACHE_F32, 2, false, x, rows, count, width, out, ahead, aheads);
    else if (f16)
        dots_of(CACHE_F16, 1, false, x, rows, count, width, out, ahead, aheads);
    else
        dots_of(CACHE_F32, 1, false, x, rows, count, width, out, ahead, aheads);
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

            IN_REGISTER(value);
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
    const size_t groups = V == 1 ? 8 : V == 4 ? 2 : 4;
    size_t i = 0;

    for (; i + 8 * groups <= width; i += 8 * groups)
        sum_groups(type, V, groups, p, rows, count, i, z);
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
    else if (vectors == 3 && f16)
        sums_of(CACHE_F16, 3, p, rows, count, width, z);
    else if (vectors == 3)
        sums_of(CACHE_F32, 3, p, rows, count, width, z);
    else if (vectors == 2 && f16)
        sums_of(CACHE_F16, 2, p, rows, count, width, z);
    else if (vectors == 2)
        sums_of(CACHE_F32, 2, p, rows, count, width, z);
    else if (f16)
        sums_of(CACHE_F16, 1, p, rows, count, width, z);
    else
        sums_of(CACHE_F32, 1, p, rows, count, width, z);
}
