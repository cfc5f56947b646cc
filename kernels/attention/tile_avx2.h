/*
 * The two products inside attention, for 1 to 4 vectors that share rows of
 * f32 or f16 (struct tile_rows). Sums are those of attention.h: dots in 32
 * lanes and the tree, the others one chain an element.
 */
#ifndef FATHOM_KERNELS_ATTENTION_TILE_AVX2_H
#define FATHOM_KERNELS_ATTENTION_TILE_AVX2_H

#include "kernels/attention/attention.h"

enum { TILE_VECTORS = 4 };

/* How many vectors the next tile takes when so many are left. */
static inline size_t
tile_vectors_of(size_t left)
{
    return left < TILE_VECTORS ? left : TILE_VECTORS;
}

struct tile_rows {
    const void *rows;
    enum cache_type type;
    size_t stride; // elements
};

/* The rows from row j on. */
struct tile_rows tile_rows_from(struct tile_rows rows, size_t j);

/*
 * Rows that will be wanted soon: with row j of its own, tile_dots asks memory
 * for row j of these, for the lines first, first + step .. of it, so that
 * several calls can share the asking.
 */
struct tile_ahead {
    struct tile_rows rows;
    size_t count, width;
    size_t first, step;
};

/*
 * out[v][j] = dot(x[v], row j), v < vectors, j < count; `aheads` (which may
 * be 0) of what to ask for.
 */
void tile_dots(const float *const *x, size_t vectors, struct tile_rows rows,
               size_t count, size_t width, float *const *out,
               const struct tile_ahead *ahead, size_t aheads);

/* z[v][i] = fma(p[v][j], row j [i], z[v][i]), j ascending, i < width */
void tile_sums(const float *const *p, size_t vectors, struct tile_rows rows,
               size_t count, size_t width, float *const *z);

#endif
