/*
 * Matrix order on AVX2 for a few tokens, as an expert gets them from a short
 * prompt: memory delivers rows as in vector order and P comes out a block a
 * lane; then eight rows are turned, so that a lane is a row and blocks follow
 * each other. With more tokens the tile of linear_avx2_matrix.c is faster.
 */
#include "config.h"

#include "kernels/linear/linear.h"
#include "kernels/linear/linear_avx2.h"
#include "kernels/linear/linear_avx2_products.h"
#include "kernels/linear/linear_avx2_turn.h"

enum {
    ROWS = 8,
    CHAINS = 4,   // of additions at a time: tokens times groups of eight rows
    BLOCKS = 256, // of a row at a time: long enough for the prefetcher
    OCTETS = BLOCKS / 8,
};

/* Blocks of eight rows: the products, and what scales them. */
struct strip {
    __m256i p[OCTETS][LINEAR_FEW][ROWS]; // later [block] with a row a lane
    __m256 a[OCTETS][ROWS], m[OCTETS][ROWS];
    __m256i min[OCTETS][ROWS];
};

/* A strip of activations as vector order has them. */
struct values {
    size_t first, blocks; // of the row; `blocks` 0: nothing yet
    int8_t q[LINEAR_FEW][32 * BLOCKS];
    int16_t s[LINEAR_FEW][2 * BLOCKS];
};

static void
values_lay(struct values *v, const struct activations *a, size_t first,
           size_t blocks)
{
    if (v->blocks > 0 && v->first == first)
        return;
    v->first = first;
    v->blocks = blocks;
    for (size_t t = 0; t < a->tokens; t++) {
        // blocks up to a whole octet are read, though not used
        size_t whole = (blocks + 7) / 8 * 8;
        memset(v->q[t] + 32 * (whole - 8), 0, 32 * 8);
        memset(v->s[t] + 2 * (whole - 8), 0, 2 * 8 * sizeof *a->s);
        for (size_t i = 0; i < blocks; i++) {
            size_t k = t + (first + i) * a->block_stride;
            int8_t *to = v->q[t] + 64 * (i / 2) + 16 * (i % 2);
            memcpy(to, a->q + 32 * k, 16);
            memcpy(to + 32, a->q + 32 * k + 16, 16);
            memcpy(v->s[t] + 2 * i, a->s + 2 * k, 2 * sizeof *a->s);
        }
    }
}

/* Row r of the strip. The number of tokens is a constant here and below. */
INLINE void
strip_row(enum format_id id, struct strip *strip, size_t r, const uint8_t *w,
          const struct values *v, size_t tokens)
{
    const struct traits traits = traits_of(id);

    for (size_t i = 0; i < v->blocks; i += 8, w += octet_bytes(id)) {
        size_t left = v->blocks - i, n = i / 8;
        int last = left < 8 ? (int) left - 1 : 7;
        __m256i c[LINEAR_FEW][8];
        struct octet o;
        fetch_ahead(id, w);
        unpack_scales(id, w, last, &o);
        UNROLL
        for (int p = 0; p < 4; p++) {
            unpack_pair(id, w, p, last, o.w);
            UNROLL
            for (size_t t = 0; t < tokens; t++)
                pair_products(id, o.w, v->q[t] + 32 * i + 64 * p, c[t] + 2 * p);
        }
        UNROLL
        for (size_t t = 0; t < tokens; t++)
            strip->p[n][t][r] =
                sum_products(id, &o, c[t], load(v->s[t] + 2 * i));
        strip->a[n][r] = o.a;
        if (traits.minimum != MINIMUM_NONE)
            strip->m[n][r] = o.m;
        if (traits.minimum == MINIMUM_INTEGER)
            strip->min[n][r] = o.min;
    }
}

INLINE void
strip_turn(enum format_id id, struct strip *strip, size_t n, size_t tokens)
{
    const struct traits traits = traits_of(id);

    turn_floats(strip->a[n]);
    if (traits.minimum != MINIMUM_NONE)
        turn_floats(strip->m[n]);
    if (traits.minimum == MINIMUM_INTEGER)
        turn(strip->min[n]);
    UNROLL
    for (size_t t = 0; t < tokens; t++)
        turn(strip->p[n][t]);
}

/* Block j of octet n and token t, to the sum of eight rows; k: its block. */
INLINE __m256
strip_step(enum format_id id, const struct strip *strip, size_t n, size_t j,
           size_t t, const struct activations *a, size_t k, __m256 sum)
{
    const struct traits traits = traits_of(id);
    __m256 d = _mm256_broadcast_ss(a->d + k);

    sum = _mm256_fmadd_ps(_mm256_mul_ps(strip->a[n][j], d),
                          _mm256_cvtepi32_ps(strip->p[n][t][j]), sum);
    if (traits.minimum == MINIMUM_FLOAT)
        sum = _mm256_fnmadd_ps(strip->m[n][j], _mm256_broadcast_ss(a->e + k),
                               sum);
    if (traits.minimum == MINIMUM_INTEGER) {
        __m256i halves = _mm256_set1_epi32(
            (int) u32_load((const uint8_t *) (const void *) (a->s + 2 * k)));
        sum = _mm256_fnmadd_ps(
            _mm256_mul_ps(strip->m[n][j], d),
            _mm256_cvtepi32_ps(_mm256_madd_epi16(strip->min[n][j], halves)),
            sum);
    }
    return sum;
}

/*
 * Adds strips to the sums. Chains of additions wait for each other, so several
 * go side by side: of tokens and of groups of rows.
 */
INLINE void
strips_add(enum format_id id, struct strip *strips, size_t groups,
           size_t tokens, const struct activations *a, const struct values *v,
           __m256 sums[CHAINS])
{
    __m256 sum[CHAINS];

    UNROLL
    for (size_t c = 0; c < groups * tokens; c++)
        sum[c] = sums[c];
    for (size_t i = 0; i < v->blocks; i++) {
        size_t k = (v->first + i) * a->block_stride, n = i / 8, j = i % 8;
        UNROLL
        for (size_t c = 0; c < groups * tokens; c++) {
            struct strip *strip = &strips[c / tokens];
            if (j == 0 && c % tokens == 0)
                strip_turn(id, strip, n, tokens);
            sum[c] = strip_step(id, strip, n, j, c % tokens, a, k + c % tokens,
                                sum[c]);
        }
    }
    UNROLL
    for (size_t c = 0; c < groups * tokens; c++)
        sums[c] = sum[c];
}

/* Up to `groups` times eight rows; those that do not exist repeat the last. */
INLINE void
rows_run(enum format_id id, size_t groups, size_t tokens, const uint8_t *w,
         size_t rows, size_t row_bytes, const struct activations *a,
         struct values *v, float *y, size_t y_stride)
{
    struct strip strips[2];
    __m256 sums[CHAINS];

    for (size_t c = 0; c < groups * tokens; c++)
        sums[c] = _mm256_setzero_ps();
    for (size_t i = 0; i < a->blocks; i += BLOCKS) {
        size_t left = a->blocks - i;
        values_lay(v, a, i, left < BLOCKS ? left : BLOCKS);
        for (size_t r = 0; r < groups * ROWS; r++)
            strip_row(id, &strips[r / ROWS], r % ROWS,
                      w + (r < rows ? r : rows - 1) * row_bytes +
                          i / 8 * octet_bytes(id),
                      v, tokens);
        strips_add(id, strips, groups, tokens, a, v, sums);
    }
    for (size_t t = 0; t < tokens; t++) {
        float found[2 * ROWS];
        for (size_t g = 0; g < groups; g++)
            _mm256_storeu_ps(found + ROWS * g, sums[g * tokens + t]);
        memcpy(y + t * y_stride, found, rows * sizeof *found);
    }
}

INLINE void
all_rows(enum format_id id, size_t groups, size_t tokens, const uint8_t *w,
         size_t rows, size_t row_bytes, const struct activations *a, float *y,
         size_t y_stride)
{
    struct values v;
    size_t step = groups * ROWS;

    v.blocks = 0;
    for (size_t r = 0; r < rows; r += step)
        rows_run(id, groups, tokens, w + r * row_bytes,
                 rows - r < step ? rows - r : step, row_bytes, a, &v, y + r,
                 y_stride);
}

/* One copy of the code for each format and number of tokens. */
#define DEFINE(name, id)                                                       \
    static void few_##name(const uint8_t *w, size_t rows, size_t row_bytes,    \
                           const struct activations *a, float *y,              \
                           size_t y_stride)                                    \
    {                                                                          \
        if (a->tokens == 1)                                                    \
            all_rows(id, 2, 1, w, rows, row_bytes, a, y, y_stride);            \
        else if (a->tokens == 2)                                               \
            all_rows(id, 2, 2, w, rows, row_bytes, a, y, y_stride);            \
        else                                                                   \
            all_rows(id, 1, 3, w, rows, row_bytes, a, y, y_stride);            \
    }
UNPACKED_FORMATS(DEFINE)

void
linear_matrix_few_avx2(const struct format *format, const uint8_t *w,
                       size_t rows, const struct activations *a, float *y,
                       size_t y_stride)
{
    size_t row_bytes = format_row_bytes(format, 32 * a->blocks);

    switch (format->id) {
#define CALL(name, id)                                                         \
    case id:                                                                   \
        few_##name(w, rows, row_bytes, a, y, y_stride);                        \
        break;
        UNPACKED_FORMATS(CALL)
    }
}
