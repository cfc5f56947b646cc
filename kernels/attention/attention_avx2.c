/*
 * Attention in chunks of rows: a block's scores of up to 16 rows, their
 * softmax, and the weighted sums, each in tiles of four rows that share what
 * is read of keys and values (tile_avx2.c).
 */
#include "config.h"

#include "kernels/attention/tile_avx2.h"

#include "kernels/exponential_avx2.h"
#include "kernels/lanes_avx2.h"

#include <math.h>
#include <string.h>

enum {
    CHUNK_ROWS = 16,
    SCORE_KEYS = 24, // keys that stay in the first cache while rows pass
    VALUE_KEYS = 64, // values, likewise
};

/* Some rows of a call, and their part of one block. */
struct chunk {
    const struct attention_call *call;
    struct tile_rows keys, values; // of the call
    size_t rows;
    const float *q[CHUNK_ROWS];
    float *out[CHUNK_ROWS];
    size_t query[CHUNK_ROWS];
    size_t seen[CHUNK_ROWS]; // keys of the block, ascending
    float *p[CHUNK_ROWS];    // scores, then weights: ATTENTION_BLOCK each
    float *z[CHUNK_ROWS];
    float m[CHUNK_ROWS], sum[CHUNK_ROWS];
};

static void
chunk_rows(struct chunk *chunk, const struct attention_call *call, size_t row,
           size_t rows)
{
    chunk->call = call;
    chunk->keys = (struct tile_rows){call->keys, call->type, call->key_stride};
    chunk->values =
        (struct tile_rows){call->values, call->type, call->value_stride};
    chunk->rows = rows < CHUNK_ROWS ? rows : CHUNK_ROWS;
    for (size_t r = 0; r < chunk->rows; r++) {
        size_t t = (row + r) / call->heads, h = (row + r) % call->heads;

        chunk->query[r] = t;
        chunk->q[r] = call->q + t * call->query_stride + h * call->head_stride;
        chunk->out[r] =
            call->out + t * call->out_query_stride + h * call->out_head_stride;
        chunk->p[r] = call->scratch + r * ATTENTION_BLOCK;
    }
}

/* Turns to a block; returns how many of its keys the last row sees. */
static size_t
chunk_block(struct chunk *chunk, size_t block)
{
    size_t first = block * ATTENTION_BLOCK;

    for (size_t r = 0; r < chunk->rows; r++) {
        size_t length = chunk->call->first_length + chunk->query[r];

        length = length > first ? length - first : 0;
        chunk->seen[r] = length < ATTENTION_BLOCK ? length : ATTENTION_BLOCK;
    }
    return chunk->seen[chunk->rows - 1];
}

/*
 * What to ask memory for while keys j .. j+count-1 are computed: as many that
 * follow, and the values of these (which latent rows have in them).
 */
static size_t
chunk_ahead(const struct chunk *chunk, size_t j, size_t count,
            struct tile_ahead ahead[2])
{
    const struct attention_call *call = chunk->call;
    size_t length = call->first_length + chunk->query[chunk->rows - 1];
    size_t next = length - j - count < count ? length - j - count : count;
    size_t calls = (chunk->rows + TILE_VECTORS - 1) / TILE_VECTORS;

    ahead[0] = (struct tile_ahead){tile_rows_from(chunk->keys, j + count), next,
                                   call->key_width, 0, calls};
    ahead[1] = (struct tile_ahead){tile_rows_from(chunk->values, j), count,
                                   call->value_width, 0, calls};
    return call->keys == call->values ? 1 : 2;
}

/* Dots of all rows with keys j .. j+count-1 as scores first .. of the block. */
static void
chunk_dots(struct chunk *chunk, size_t j, size_t count, size_t first)
{
    struct tile_ahead ahead[2];
    size_t aheads = chunk_ahead(chunk, j, count, ahead);

    for (size_t r = 0, tile; r < chunk->rows; r += tile) {
        float *out[TILE_VECTORS];

        tile = tile_vectors_of(chunk->rows - r);
        for (size_t n = 0; n < tile; n++)
            out[n] = chunk->p[r + n] + first;
        tile_dots(chunk->q + r, tile, tile_rows_from(chunk->keys, j), count,
                  chunk->call->key_width, out, ahead, aheads);
        for (size_t n = 0; n < aheads; n++)
            ahead[n].first++;
    }
}

/* Also those that a row does not see. */
static void
chunk_scores(struct chunk *chunk, size_t block, size_t keys)
{
    for (size_t j = 0; j < keys; j += SCORE_KEYS)
        chunk_dots(chunk, block * ATTENTION_BLOCK + j,
                   keys - j < SCORE_KEYS ? keys - j : SCORE_KEYS, j);
}

/* Scales p in place; the largest score, NaN when one is not finite. */
static float
scale_scores(float *p, size_t keys, float scale)
{
    const __m256 factor = _mm256_set1_ps(scale);
    const __m256 sign = _mm256_set1_ps(-0.0f);
    const __m256 infinity = _mm256_set1_ps(INFINITY);
    __m256 most = _mm256_set1_ps(-INFINITY), bad = _mm256_setzero_ps();

    for (size_t j = 0; j < keys; j += 8) {
        __m256 here = _mm256_castsi256_ps(lanes_mask(keys - j));
        __m256 s = _mm256_mul_ps(factor, _mm256_loadu_ps(p + j));
        __m256 odd =
            _mm256_cmp_ps(_mm256_andnot_ps(sign, s), infinity, _CMP_NLT_UQ);

        bad = _mm256_or_ps(bad, _mm256_and_ps(odd, here));
        s = _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), s, here);
        most = _mm256_max_ps(most, s);
        _mm256_storeu_ps(p + j, s);
    }
    return _mm256_movemask_ps(bad) != 0 ? NAN : lanes_max(most);
}

/* Scores become weights; what lies behind the last becomes 0. */
static float
weights(float *p, size_t keys, float m)
{
    const __m256 most = _mm256_set1_ps(m);
    __m256 lane[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(),
                      _mm256_setzero_ps(), _mm256_setzero_ps()};

    for (size_t j = 0; j < keys; j += 32)
        UNROLL
    for (size_t g = 0; g < 4; g++) {
        __m256 *x = lane + g;
        float *at = p + j + 8 * g;
        __m256 here = _mm256_castsi256_ps(
            lanes_mask(keys > j + 8 * g ? keys - j - 8 * g : 0));
        __m256 w = exp_avx2(_mm256_sub_ps(_mm256_loadu_ps(at), most));

        w = _mm256_and_ps(w, here);
        _mm256_storeu_ps(at, w);
        *x = _mm256_add_ps(*x, w);
    }
    return sum_tree_avx2(lane);
}

static void
chunk_softmax(struct chunk *chunk)
{
    for (size_t r = 0; r < chunk->rows; r++) {
        if (chunk->seen[r] == 0)
            continue;
        chunk->m[r] =
            scale_scores(chunk->p[r], chunk->seen[r], chunk->call->scale);
        chunk->sum[r] = weights(chunk->p[r], chunk->seen[r], chunk->m[r]);
        if (isnan(chunk->m[r])) {
            chunk->m[r] = 0;
            chunk->sum[r] = NAN;
        }
    }
}

/* Values j .. j+count-1 into the rows of a tile, each as far as it sees. */
static void
tile_values(struct chunk *chunk, size_t r, size_t tile, struct tile_rows block,
            size_t j, size_t count)
{
    const size_t width = chunk->call->value_width;
    const float *p[TILE_VECTORS];
    size_t common = chunk->seen[r]; // rows see more and more

    common = common < j ? j : common > j + count ? j + count : common;
    for (size_t n = 0; n < tile; n++)
        p[n] = chunk->p[r + n] + j;
    if (common > j)
        tile_sums(p, tile, tile_rows_from(block, j), common - j, width,
                  chunk->z + r);
    for (size_t n = 0; n < tile; n++) {
        size_t end = chunk->seen[r + n];

        end = end > j + count ? j + count : end;
        if (end <= common)
            continue;
        p[0] = chunk->p[r + n] + common;
        tile_sums(p, 1, tile_rows_from(block, common), end - common, width,
                  chunk->z + r + n);
    }
}

static void
chunk_values(struct chunk *chunk, struct tile_rows block, size_t keys)
{
    const size_t bytes = chunk->call->value_width * sizeof(float);

    for (size_t r = 0; r < chunk->rows; r++)
        if (chunk->seen[r] > 0)
            memset(chunk->z[r], 0, bytes);
    for (size_t j = 0; j < keys; j += VALUE_KEYS) {
        size_t count = keys - j < VALUE_KEYS ? keys - j : VALUE_KEYS;

        for (size_t r = 0, tile; r < chunk->rows; r += tile) {
            tile = tile_vectors_of(chunk->rows - r);
            tile_values(chunk, r, tile, block, j, count);
        }
    }
    for (size_t r = 0; r < chunk->rows; r++)
        if (chunk->seen[r] > 0 && isnan(chunk->sum[r]))
            memset(chunk->z[r], 0, bytes);
}

/* Fills z, m and sum of the rows that see something of the block. */
static void
chunk_part(struct chunk *chunk, size_t block)
{
    size_t keys = chunk_block(chunk, block);

    if (keys == 0)
        return;
    chunk_scores(chunk, block, keys);
    chunk_softmax(chunk);
    chunk_values(chunk, tile_rows_from(chunk->values, block * ATTENTION_BLOCK),
                 keys);
}

/* What the parts of a row have come to. */
struct running {
    float m, sum;
};

static void
merge(struct running *all, float *z, float m, float sum, const float *next,
      size_t width)
{
    float top = m > all->m ? m : all->m;
    float a = exp_c(all->m - top), c = exp_c(m - top);
    __m256 old = _mm256_set1_ps(a), new = _mm256_set1_ps(c);
    size_t i = 0;

    all->sum = fmaf(sum, c, all->sum * a);
    all->m = top;
    for (; i + 8 <= width; i += 8)
        _mm256_storeu_ps(
            z + i, _mm256_fmadd_ps(_mm256_loadu_ps(next + i), new,
                                   _mm256_mul_ps(_mm256_loadu_ps(z + i), old)));
    for (; i < width; i++)
        z[i] = fmaf(next[i], c, z[i] * a);
}

static void
divide(float *z, float sum, size_t width)
{
    __m256 by = _mm256_set1_ps(sum);
    size_t i = 0;

    for (; i + 8 <= width; i += 8)
        _mm256_storeu_ps(z + i, _mm256_div_ps(_mm256_loadu_ps(z + i), by));
    for (; i < width; i++)
        z[i] /= sum;
}

void
attention_part_avx2(const struct attention_call *call, size_t block,
                    float *parts)
{
    size_t width = call->value_width, rows = call->queries * call->heads;
    float *part = parts + block * rows * (width + 2);
    struct chunk chunk = {0};

    for (size_t row = 0; row < rows; row += CHUNK_ROWS) {
        chunk_rows(&chunk, call, row, rows - row);
        for (size_t r = 0; r < chunk.rows; r++)
            chunk.z[r] = part + (row + r) * (width + 2);
        chunk_part(&chunk, block);
        for (size_t r = 0; r < chunk.rows; r++)
            if (chunk.seen[r] > 0) {
                chunk.z[r][width] = chunk.m[r];
                chunk.z[r][width + 1] = chunk.sum[r];
            }
    }
}

void
attention_merge_avx2(const struct attention_call *call, const float *parts,
                     size_t row, size_t rows)
{
    size_t width = call->value_width, all = call->queries * call->heads;

    for (size_t end = row + rows; row < end; row++) {
        size_t t = row / call->heads, h = row % call->heads;
        size_t keys = call->first_length + t;
        float *out =
            call->out + t * call->out_query_stride + h * call->out_head_stride;
        const float *z = parts + row * (width + 2);
        struct running sum = {z[width], z[width + 1]};

        memcpy(out, z, width * sizeof *out);
        for (size_t b = 1; b * ATTENTION_BLOCK < keys; b++) {
            z = parts + (b * all + row) * (width + 2);
            merge(&sum, out, z[width], z[width + 1], z, width);
        }
        divide(out, sum.sum, width);
    }
}

/* All blocks of a chunk: the first part lies in out, the next are merged. */
static void
chunk_attend(struct chunk *chunk)
{
    const struct attention_call *call = chunk->call;
    float *scratch = call->scratch + CHUNK_ROWS * ATTENTION_BLOCK;
    struct running all[CHUNK_ROWS] = {{0, 0}};

    memcpy(chunk->z, chunk->out, sizeof chunk->z);
    chunk_part(chunk, 0);
    for (size_t r = 0; r < chunk->rows; r++) {
        all[r] = (struct running){chunk->m[r], chunk->sum[r]};
        chunk->z[r] = scratch + r * call->value_width;
    }
    for (size_t b = 1; b < attention_blocks(call); b++) {
        chunk_part(chunk, b);
        for (size_t r = 0; r < chunk->rows; r++)
            if (chunk->seen[r] > 0)
                merge(all + r, chunk->out[r], chunk->m[r], chunk->sum[r],
                      chunk->z[r], call->value_width);
    }
    for (size_t r = 0; r < chunk->rows; r++)
        divide(chunk->out[r], all[r].sum, call->value_width);
}

void
attention_avx2(const struct attention_call *call)
{
    size_t rows = call->queries * call->heads;
    struct chunk chunk = {0};

    for (size_t row = 0; row < rows; row += CHUNK_ROWS) {
        chunk_rows(&chunk, call, row, rows - row);
        chunk_attend(&chunk);
    }
}
