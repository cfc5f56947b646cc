/*
 * Matrix order on AVX2: a tile of eight rows, a row a lane, and up to
 * TILE_TOKENS tokens, whose sums stay in the first-level cache. Eight blocks of
 * eight rows are unpacked and turned once for all tokens of the tile; then a
 * block's 32 weights of eight rows are eight registers of four weights a row,
 * and four values of a token are one broadcast.
 */
#include "config.h"

#include "kernels/linear/linear.h"
#include "kernels/linear/linear_avx2.h"
#include "kernels/linear/linear_avx2_turn.h"
#include "kernels/linear/linear_avx2_unpack.h"

enum { TILE_ROWS = 8, TILE_TOKENS = 128 };

struct tile {
    __m256i w[8][8]; // [block][four weights a row]; lanes are rows
    __m256 a[8], m[8];
    __m256i scale[8], min[8];
};

/* ---- filling a tile ---- */

/* Half z of blocks 2p and 2p+1 of eight rows. */
INLINE void
place_pair(struct tile *tile, int p, int z, const __m256i rows[8])
{
    __m256i r[8];

    UNROLL
    for (int i = 0; i < 8; i++)
        r[i] = rows[i];
    turn(r);
    UNROLL
    for (int i = 0; i < 4; i++) {
        tile->w[2 * p][4 * z + i] = r[i];
        tile->w[2 * p + 1][4 * z + i] = r[i + 4];
    }
}

/*
 * `rows` rows at w, of the octet whose last block is `last`. Rows that do not
 * exist repeat the last one.
 */
INLINE void
tile_fill(enum format_id id, struct tile *tile, const uint8_t *w, size_t rows,
          size_t row_bytes, int last)
{
    const struct traits traits = traits_of(id);
    __m256i half[8][TILE_ROWS];

    for (size_t r = 0; r < TILE_ROWS; r++) {
        struct octet o;
        unpack(id, w + (r < rows ? r : rows - 1) * row_bytes, last, &o);
        UNROLL
        for (int i = 0; i < 8; i++)
            half[i][r] = o.w[i];
        tile->a[r] = o.a;
        if (traits.minimum != MINIMUM_NONE)
            tile->m[r] = o.m;
        if (traits.minimum == MINIMUM_INTEGER)
            tile->min[r] = o.min;
        if (traits.scale != SCALE_NONE)
            tile->scale[r] = o.scale;
    }
    for (int i = 0; i < 8; i++)
        place_pair(tile, i / 2, i % 2, half[i]);
    turn_floats(tile->a);
    if (traits.minimum != MINIMUM_NONE)
        turn_floats(tile->m);
    if (traits.minimum == MINIMUM_INTEGER)
        turn(tile->min);
    if (traits.scale != SCALE_NONE)
        turn(tile->scale);
}

/* ---- one block of eight rows against tokens ---- */

/*
 * Compilers turn chains of additions into trees; here that costs registers,
 * and reloading weights costs more than the chain.
 */
#define KEEP_ORDER(x) __asm__("" : "+x"(x))

INLINE __m256i
four_values(const int8_t *q, int c)
{
    int32_t four;

    memcpy(&four, q + 4 * c, sizeof four);
    return _mm256_set1_epi32(four);
}

/* The 16-bit integers of a block that scale sums of products. */
struct multipliers {
    __m256i first, second; // scales of the halves, in both words
    __m256i too_large;     // against the sums of q
};

INLINE struct multipliers
multipliers_of(enum format_id id, const struct tile *tile, int j)
{
    const struct traits traits = traits_of(id);
    struct multipliers by;

    by.first = by.second = _mm256_set1_epi16(1);
    by.too_large = _mm256_set1_epi16((short) traits.offset);
    if (traits.scale == SCALE_HALF) {
        __m256i both = tile->scale[j];
        by.first = _mm256_blend_epi16(both, _mm256_slli_epi32(both, 16), 0xaa);
        by.second = _mm256_blend_epi16(both, _mm256_srli_epi32(both, 16), 0x55);
        by.too_large = _mm256_mullo_epi16(both, by.too_large);
    }
    return by;
}

/*
 * Adds up `count` products of eight rows from word `first` on, in 16 bits: at
 * most count * 2 * 127 * most. Two chains, so that few registers are alive and
 * the weights of a block stay in the others.
 */
INLINE __m256i
words_dot(const __m256i w[8], const int8_t *q, int first, int count)
{
    __m256i even = _mm256_maddubs_epi16(w[first], four_values(q, first));
    __m256i odd = _mm256_maddubs_epi16(w[first + 1], four_values(q, first + 1));

    UNROLL
    for (int i = first + 2; i < first + count; i += 2) {
        even = _mm256_add_epi16(even,
                                _mm256_maddubs_epi16(w[i], four_values(q, i)));
        odd = _mm256_add_epi16(
            odd, _mm256_maddubs_epi16(w[i + 1], four_values(q, i + 1)));
        KEEP_ORDER(even);
        KEEP_ORDER(odd);
    }
    return _mm256_add_epi16(even, odd);
}

INLINE __m256i
dots_unsigned(const __m256i w[8], const int8_t *q, int most,
              const struct multipliers *by, bool scaled)
{
    __m256i p;

    if (most <= 16 && !scaled)
        return _mm256_madd_epi16(words_dot(w, q, 0, 8), by->first);
    if (most <= 32)
        return _mm256_add_epi32(
            _mm256_madd_epi16(words_dot(w, q, 0, 4), by->first),
            _mm256_madd_epi16(words_dot(w, q, 4, 4), by->second));
    p = _mm256_madd_epi16(words_dot(w, q, 0, 2), by->first);
    p = _mm256_add_epi32(p,
                         _mm256_madd_epi16(words_dot(w, q, 2, 2), by->first));
    p = _mm256_add_epi32(p,
                         _mm256_madd_epi16(words_dot(w, q, 4, 2), by->second));
    return _mm256_add_epi32(
        p, _mm256_madd_epi16(words_dot(w, q, 6, 2), by->second));
}

INLINE __m256i
dots_signed(const __m256i w[8], const __m256i magnitude[8], const int8_t *q)
{
    const __m256i one = _mm256_set1_epi16(1);
    __m256i sum = _mm256_setzero_si256();

    UNROLL
    for (int i = 0; i < 8; i++) {
        __m256i x = _mm256_sign_epi8(four_values(q, i), w[i]);
        x = _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude[i], x), one);
        sum = _mm256_add_epi32(sum, x);
        KEEP_ORDER(sum);
    }
    return sum;
}

/* Adds block j of the tile, times block k .. k+tokens-1 of a, to the sums. */
INLINE void
block_add(enum format_id id, const struct tile *tile, int j,
          const struct activations *a, size_t k, size_t tokens, __m256 *sums)
{
    const struct traits traits = traits_of(id);
    const struct multipliers by = multipliers_of(id, tile, j);
    const __m256 scale = tile->a[j];
    __m256i w[8];

    UNROLL
    for (int i = 0; i < 8; i++)
        w[i] =
            traits.is_signed ? _mm256_abs_epi8(tile->w[j][i]) : tile->w[j][i];
    for (size_t t = 0; t < tokens; t++, k++) {
        const int8_t *q = a->q + 32 * k;
        __m256 d = _mm256_broadcast_ss(a->d + k), acc = sums[t];
        __m256i halves = _mm256_set1_epi32(
            (int) u32_load((const uint8_t *) (const void *) (a->s + 2 * k)));
        __m256i p = traits.is_signed
                        ? dots_signed(tile->w[j], w, q)
                        : dots_unsigned(w, q, traits.most, &by,
                                        traits.scale == SCALE_HALF);
        if (traits.scale == SCALE_BLOCK)
            p = _mm256_mullo_epi32(p, tile->scale[j]);
        if (traits.offset != 0)
            p = _mm256_sub_epi32(p, _mm256_madd_epi16(by.too_large, halves));
        acc = _mm256_fmadd_ps(_mm256_mul_ps(scale, d), _mm256_cvtepi32_ps(p),
                              acc);
        if (traits.minimum == MINIMUM_FLOAT)
            acc = _mm256_fnmadd_ps(tile->m[j], _mm256_broadcast_ss(a->e + k),
                                   acc);
        if (traits.minimum == MINIMUM_INTEGER)
            acc = _mm256_fnmadd_ps(
                _mm256_mul_ps(tile->m[j], d),
                _mm256_cvtepi32_ps(_mm256_madd_epi16(tile->min[j], halves)),
                acc);
        sums[t] = acc;
    }
}

/* ---- tiles ---- */

/* Up to eight rows and TILE_TOKENS tokens from token t0. */
INLINE void
tile_run(enum format_id id, const uint8_t *w, size_t rows, size_t row_bytes,
         const struct activations *a, size_t t0, size_t tokens, float *y,
         size_t y_stride)
{
    __m256 sums[TILE_TOKENS];
    struct tile tile;

    for (size_t t = 0; t < tokens; t++)
        sums[t] = _mm256_setzero_ps();
    for (size_t i = 0; i < a->blocks; i += 8, w += octet_bytes(id)) {
        int count = a->blocks - i < 8 ? (int) (a->blocks - i) : 8;
        tile_fill(id, &tile, w, rows, row_bytes, count - 1);
        for (int j = 0; j < count; j++)
            block_add(id, &tile, j, a, t0 + (i + (size_t) j) * a->block_stride,
                      tokens, sums);
    }
    for (size_t t = 0; t < tokens; t++) {
        float eight[TILE_ROWS];
        _mm256_storeu_ps(eight, sums[t]);
        memcpy(y + t * y_stride, eight, rows * sizeof *eight);
    }
}

/* One copy of the code for each format. */
#define DEFINE(name, id)                                                       \
    static void tile_##name(const uint8_t *w, size_t rows, size_t row_bytes,   \
                            const struct activations *a, size_t t0,            \
                            size_t tokens, float *y, size_t y_stride)          \
    {                                                                          \
        tile_run(id, w, rows, row_bytes, a, t0, tokens, y, y_stride);          \
    }
UNPACKED_FORMATS(DEFINE)

typedef void tile_fn(const uint8_t *w, size_t rows, size_t row_bytes,
                     const struct activations *a, size_t t0, size_t tokens,
                     float *y, size_t y_stride);

static tile_fn *
tile_find(int32_t id)
{
    switch (id) {
#define RETURN(name, id)                                                       \
    case id:                                                                   \
        return tile_##name;
        UNPACKED_FORMATS(RETURN)
    default:
        return NULL;
    }
}

void
linear_matrix_avx2(const struct format *format, const uint8_t *w, size_t rows,
                   const struct activations *a, float *y, size_t y_stride)
{
    size_t row_bytes = format_row_bytes(format, 32 * a->blocks);
    tile_fn *tile = tile_find(format->id);

    if (tile == NULL) {
        linear_matrix_any_avx2(format, w, rows, a, y, y_stride);
        return;
    }
    if (a->tokens <= LINEAR_FEW) {
        linear_matrix_few_avx2(format, w, rows, a, y, y_stride);
        return;
    }
    for (size_t t = 0; t < a->tokens; t += TILE_TOKENS) {
        size_t left = a->tokens - t;
        size_t tokens = left < TILE_TOKENS ? left : TILE_TOKENS;
        for (size_t r = 0; r < rows; r += TILE_ROWS)
            tile(w + r * row_bytes, rows - r < TILE_ROWS ? rows - r : TILE_ROWS,
                 row_bytes, a, t, tokens, y + t * y_stride + r, y_stride);
    }
}
