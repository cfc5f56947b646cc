/* The arithmetic contract (doc/arithmetic.md) on CUDA devices. */
#include "config.h"

#include "kernels/linear/linear_cuda.h"

#include "kernels/linear/linear_cuda_blocks.h"

#include <assert.h>

namespace {

enum {
    WARP = 32,
    WARPS = 4 // of a block, each on its own
};

constexpr unsigned ALL = ~0u; // lanes of a warp

/* A matrix in LAYOUT_ROWS, as a kernel sees it. */
struct matrix {
    const uint8_t *w;
    size_t rows, row_bytes;
};

/* The block that 32-block i of row r lies in. */
template <class Block>
DEV const Block *
block_at(const matrix &m, size_t r, size_t i)
{
    const void *row = m.w + r * m.row_bytes;
    return static_cast<const Block *>(row) + i / block_traits<Block>::PARTS;
}

template <class Block>
DEV unsigned
part_of(size_t i)
{
    return (unsigned) (i % block_traits<Block>::PARTS);
}

/* Where q of values 4c .. 4c + 3 of block k lies: activation_half. */
DEV const void *
q_vector(const activations &a, size_t k, unsigned c)
{
    return a.q + 64 * (k / 2) + 32 * (c / 4) + 16 * (k % 2) + 4 * (c % 4);
}

DEV const void *
q_matrix(const activations &a, size_t k, unsigned c)
{
    return a.q + 32 * k + 4 * c;
}

/* Section 2: adds a 32-block, whose product with block k is p, to a sum. */
template <class Block>
DEV float
step(const activations &a, size_t k, factors f, int p, float acc)
{
    acc = __fmaf_rn(__fmul_rn(f.a, a.d[k]), (float) p, acc);
    if (block_traits<Block>::HAS_MINIMUM)
        acc = __fmaf_rn(-f.m, a.e[k], acc);
    return acc;
}

/* ---- vector order: a warp a row, lane l owns acc[l] ---- */

/*
 * p[s] is this lane's share of sum s of its group of eight lanes; lane c of
 * the group gets sum c. Each round halves how many sums a lane still carries.
 */
DEV int
sums_transpose(int p[8], unsigned c)
{
#pragma unroll
    for (unsigned half = 4; half > 0; half /= 2) {
        bool upper = (c & half) != 0;
#pragma unroll
        for (unsigned s = 0; s < half; s++) {
            int given = upper ? p[s] : p[s + half];
            int kept = upper ? p[s + half] : p[s];
            p[s] = kept + __shfl_xor_sync(ALL, given, (int) half);
        }
    }
    return p[0];
}

/* Eight blocks from `first` on: word c of each, 0 past the end of the row. */
template <class Block> struct strip {
    uint32_t word[8];
    int scale[8];
};

template <class Block>
DEV void
strip_load(strip<Block> *strip, const matrix &m, size_t r, size_t first,
           size_t blocks, unsigned c)
{
#pragma unroll
    for (unsigned s = 0; s < 8; s++) {
        size_t i = first + s;
        const Block *b = block_at<Block>(m, r, i);
        bool there = i < blocks;
        strip->word[s] = there ? word(b, part_of<Block>(i), c) : 0;
        strip->scale[s] = there ? half_scale(b, part_of<Block>(i), c / 4) : 1;
    }
}

/* The product of block first + c of the strip with token t. */
template <class Block>
DEV int
strip_product(const strip<Block> &strip, const activations &a, size_t t,
              size_t first, unsigned c)
{
    int p[8];

#pragma unroll
    for (unsigned s = 0; s < 8; s++) {
        size_t k = t * a.token_stride + first + s;
        bool there = first + s < a.blocks;
        int q = there ? (int) load32(q_vector(a, k, c)) : 0;
        p[s] = __dp4a((int) strip.word[s], q, 0);
        if (block_traits<Block>::HAS_HALF_SCALES)
            p[s] *= strip.scale[s];
    }
    return sums_transpose(p, c);
}

/* The tree of section 3; addition commutes, so every lane has the result. */
DEV float
tree(float acc)
{
#pragma unroll
    for (int w = 16; w > 0; w /= 2)
        acc = __fadd_rn(acc, __shfl_xor_sync(ALL, acc, w));
    return acc;
}

/*
 * A step takes 32 blocks of the row, eight to each group of eight lanes: lane
 * c of group g reads four weights of each of the blocks 8g .. 8g + 7, and the
 * transposition hands each lane the product of the block whose sum it owns.
 * So loads of a group are side by side although no block has a size that the
 * memory likes, and there is nothing to share but by shuffles. Weights are
 * unpacked once for all tokens, at most TOKENS of them.
 */
template <class Block, unsigned TOKENS>
__global__ void
__launch_bounds__(WARPS *WARP)
    vector_kernel(matrix m, activations a, float *y, size_t y_stride)
{
    unsigned lane = threadIdx.x % WARP, c = lane % 8;
    size_t r = (size_t) blockIdx.x * WARPS + threadIdx.x / WARP;
    float acc[TOKENS] = {0};

    if (r >= m.rows)
        return; // whole warps
    for (size_t i0 = 0; i0 < a.blocks; i0 += WARP) {
        size_t first = i0 + lane / 8 * 8, i = i0 + lane;
        bool there = i < a.blocks;
        size_t own = there ? i : 0; // read something that exists
        factors f = factors_of(block_at<Block>(m, r, own), part_of<Block>(own));
        strip<Block> strip;

        strip_load(&strip, m, r, first, a.blocks, c);
#pragma unroll
        for (unsigned t = 0; t < TOKENS; t++) {
            if (t >= a.tokens)
                break;
            int p = strip_product(strip, a, t, first, c);
            if (there) // an untouched sum stays +0
                acc[t] = step<Block>(a, t * a.token_stride + i, f, p, acc[t]);
        }
    }
#pragma unroll
    for (unsigned t = 0; t < TOKENS; t++) {
        if (t >= a.tokens)
            break;
        float sum = tree(acc[t]);
        if (lane == 0)
            y[t * y_stride + r] = sum;
    }
}

template <class Block>
void
vector_launch(const matrix &m, const activations &a, float *y, size_t y_stride,
              cudaStream_t stream)
{
    unsigned grid = (unsigned) ((m.rows + WARPS - 1) / WARPS);

    if (a.tokens == 1)
        LAUNCH((vector_kernel<Block, 1>), grid, WARPS * WARP, 0, stream, m, a,
               y, y_stride);
    else if (a.tokens == 2)
        LAUNCH((vector_kernel<Block, 2>), grid, WARPS * WARP, 0, stream, m, a,
               y, y_stride);
    else if (a.tokens <= 4)
        LAUNCH((vector_kernel<Block, 4>), grid, WARPS * WARP, 0, stream, m, a,
               y, y_stride);
    else
        LAUNCH((vector_kernel<Block, LINEAR_VECTOR_MAX>), grid, WARPS * WARP, 0,
               stream, m, a, y, y_stride);
}

/* ---- matrix order: an mma a 32-block ---- */

enum {
    TILE_ROWS = 16,
    TILE_TOKENS = 8,
    TILES = 4 // of tokens, for one unpacking of the weights
};

/* Rows g and g + 8 of a tile, 32-block i. */
struct weights_tile {
    uint32_t a[4];
    factors f[2];
    int scale[2][2]; // [row][half]
};

template <class Block>
DEV void
weights_load(weights_tile *tile, const matrix &m, size_t first, size_t i,
             unsigned g, unsigned c)
{
#pragma unroll
    for (unsigned k = 0; k < 2; k++) {
        size_t r = first + g + 8 * k;
        // rows past the end repeat the last one; their sums are dropped
        const Block *b = block_at<Block>(m, r < m.rows ? r : m.rows - 1, i);
        unsigned j = part_of<Block>(i);
        tile->f[k] = factors_of(b, j);
#pragma unroll
        for (unsigned h = 0; h < 2; h++) {
            tile->a[k + 2 * h] = word(b, j, c + 4 * h);
            tile->scale[k][h] = half_scale(b, j, h);
        }
    }
}

/* p[r] as kernels/cuda_port.h draws d[r]. */
template <class Block>
DEV void
tile_product(int p[4], const weights_tile &tile, const uint32_t b[2])
{
    int low[4] = {0, 0, 0, 0}, high[4] = {0, 0, 0, 0};

    if (!block_traits<Block>::HAS_HALF_SCALES) {
        mma_m16n8k32_s8(low, tile.a, b);
    } else { // columns 0-15 and 16-31 apart: each has its integer scale
        const uint32_t first[4] = {tile.a[0], tile.a[1], 0, 0};
        const uint32_t second[4] = {0, 0, tile.a[2], tile.a[3]};
        mma_m16n8k32_s8(low, first, b);
        mma_m16n8k32_s8(high, second, b);
    }
#pragma unroll
    for (unsigned r = 0; r < 4; r++)
        p[r] = low[r] * tile.scale[r / 2][0] + high[r] * tile.scale[r / 2][1];
}

/* Tokens past the end repeat the last one; their sums are dropped. */
DEV size_t
token_clamp(const activations &a, size_t t)
{
    return t < a.tokens ? t : a.tokens - 1;
}

/* Block i of tokens t0 .. t0 + 7 against a tile of weights. */
template <class Block>
DEV void
tile_step(float acc[4], const weights_tile &tile, const activations &a,
          size_t t0, size_t i, unsigned g, unsigned c)
{
    size_t cells = i * a.block_stride;
    size_t column = cells + token_clamp(a, t0 + g);
    uint32_t b[2] = {load32(q_matrix(a, column, c)),
                     load32(q_matrix(a, column, c + 4))};
    int p[4];

    tile_product<Block>(p, tile, b);
#pragma unroll
    for (unsigned r = 0; r < 4; r++) {
        size_t k = cells + token_clamp(a, t0 + 2 * c + r % 2);
        acc[r] = step<Block>(a, k, tile.f[r / 2], p[r], acc[r]);
    }
}

DEV void
tile_store(float *y, size_t y_stride, const float acc[4], size_t rows,
           size_t tokens, size_t r0, size_t t0)
{
#pragma unroll
    for (unsigned r = 0; r < 4; r++) {
        size_t row = r0 + 8 * (r / 2), t = t0 + r % 2;
        if (row < rows && t < tokens)
            y[t * y_stride + row] = acc[r];
    }
}

/*
 * A warp has 16 rows and TILES times 8 tokens, and goes along the row: one
 * mma sums a 32-block exactly, the factors are applied outside, in order. The
 * grid is (rows / 64, tokens / 32). Operands come straight from memory: a tile
 * of eight rows by four lanes is read in whole words, and what warps of a
 * block share is found in the cache.
 */
template <class Block>
__global__ void
__launch_bounds__(WARPS *WARP)
    matrix_kernel(matrix m, activations a, float *y, size_t y_stride)
{
    unsigned lane = threadIdx.x % WARP, g = lane / 4, c = lane % 4;
    size_t r0 = ((size_t) blockIdx.x * WARPS + threadIdx.x / WARP) * TILE_ROWS;
    size_t t0 = (size_t) blockIdx.y * TILES * TILE_TOKENS;
    float acc[TILES][4] = {{0}};

    if (r0 >= m.rows)
        return; // whole warps
    for (size_t i = 0; i < a.blocks; i++) {
        weights_tile tile;

        weights_load<Block>(&tile, m, r0, i, g, c);
#pragma unroll
        for (unsigned n = 0; n < TILES; n++)
            if (t0 + n * TILE_TOKENS < a.tokens)
                tile_step<Block>(acc[n], tile, a, t0 + n * TILE_TOKENS, i, g,
                                 c);
    }
#pragma unroll
    for (unsigned n = 0; n < TILES; n++)
        tile_store(y, y_stride, acc[n], m.rows, a.tokens, r0 + g,
                   t0 + n * TILE_TOKENS + 2 * c);
}

template <class Block>
void
matrix_launch(const matrix &m, const activations &a, float *y, size_t y_stride,
              cudaStream_t stream)
{
    const size_t rows = WARPS * TILE_ROWS, tokens = TILES * TILE_TOKENS;
    dim3 grid((unsigned) ((m.rows + rows - 1) / rows),
              (unsigned) ((a.tokens + tokens - 1) / tokens));

    LAUNCH(matrix_kernel<Block>, grid, WARPS * WARP, 0, stream, m, a, y,
           y_stride);
}

/* ---- the table of formats ---- */

typedef void launch_fn(const matrix &m, const activations &a, float *y,
                       size_t y_stride, cudaStream_t stream);

struct variant {
    int32_t id;
    launch_fn *vector, *matrix;
};

const variant variants[] = {
    {FORMAT_Q8_0, vector_launch<q8_0>, matrix_launch<q8_0>},
    {FORMAT_Q4_0, vector_launch<q4_0>, matrix_launch<q4_0>},
    {FORMAT_Q4_1, vector_launch<q4_1>, matrix_launch<q4_1>},
    {FORMAT_Q5_0, vector_launch<q5_0>, matrix_launch<q5_0>},
    {FORMAT_Q4_K, vector_launch<q4_k>, matrix_launch<q4_k>},
    {FORMAT_Q6_K, vector_launch<q6_k>, matrix_launch<q6_k>},
};

const variant *
variant_find(const format *format)
{
    for (const variant &v : variants)
        if (v.id == format->id)
            return &v;
    return nullptr;
}

matrix
matrix_of(const format *format, const uint8_t *w, size_t rows, size_t blocks)
{
    size_t elems = 32 * blocks;
    return {w, rows, elems / format->block_elems * format->block_bytes};
}

/* ---- section 1: activations ---- */

DEV float
warp_most(float x)
{
    for (int w = 16; w > 0; w /= 2) {
        float other = __shfl_xor_sync(ALL, x, w);
        x = other > x ? other : x;
    }
    return x;
}

DEV int
half_sum(int q)
{
    for (int w = 8; w > 0; w /= 2)
        q += __shfl_xor_sync(ALL, q, w);
    return q;
}

DEV void
factors_store(const activations &a, size_t k, float d, int low, int high)
{
    a.d[k] = d;
    a.e[k] = __fmul_rn(d, (float) (low + high));
    a.s[2 * k] = (int16_t) low;
    a.s[2 * k + 1] = (int16_t) high;
}

/*
 * A warp a block of 32 values, a lane a value; grid (tokens, blocks / 4). The
 * exponent field is all ones in what is not finite.
 */
__global__ void
__launch_bounds__(WARPS *WARP)
    quantize_kernel(activations a, const float *x, size_t x_stride,
                    uint32_t *broken)
{
    unsigned lane = threadIdx.x % WARP;
    size_t i = (size_t) blockIdx.y * WARPS + threadIdx.x / WARP;
    size_t t = blockIdx.x, k = t * a.token_stride + i * a.block_stride;

    if (i >= a.blocks)
        return; // whole warps
    float value = x[t * x_stride + 32 * i + lane];
    bool finite = fabsf(value) <= 3.402823466e38f;
    if (__any_sync(ALL, !finite)) {
        value = 0;
        if (lane == 0)
            atomicExch(broken, 1u);
    }
    float most = warp_most(fabsf(value));
    bool zero = most < 0x1p-120f; // 127 / most would overflow
    float d = zero ? 0 : __fdiv_rn(most, 127);
    float inverse = zero ? 0 : __fdiv_rn(127, most);
    int q = __float2int_rn(__fmul_rn(value, inverse));
    int sum = half_sum(q), other = __shfl_xor_sync(ALL, sum, 16);
    size_t at = a.matrix_order ? 32 * k + lane
                               : 64 * (k / 2) + 32 * (lane / 16) +
                                     16 * (k % 2) + lane % 16;
    a.q[at] = (int8_t) q;
    if (lane == 0)
        factors_store(a, k, d, sum, other);
}

} // namespace

/* ---- launchers ---- */

bool
linear_cuda_has(const struct format *format)
{
    return variant_find(format) != nullptr;
}

void
activations_place_cuda(struct activations *a, void *memory, size_t tokens,
                       size_t blocks, bool matrix_order, cudaStream_t stream)
{
    activations_lay(a, memory, tokens, blocks, matrix_order);
    cudaMemsetAsync(memory, 0, activations_bytes(tokens, blocks), stream);
}

void
quantize_q8_cuda(const struct activations *a, const float *x, size_t x_stride,
                 uint32_t *broken, cudaStream_t stream)
{
    dim3 grid((unsigned) a->tokens,
              (unsigned) ((a->blocks + WARPS - 1) / WARPS));

    if (a->tokens > 0 && a->blocks > 0)
        LAUNCH(quantize_kernel, grid, WARPS * WARP, 0, stream, *a, x, x_stride,
               broken);
}

void
linear_vector_cuda(const struct format *format, const uint8_t *w, size_t rows,
                   const struct activations *a, float *y, size_t y_stride,
                   cudaStream_t stream)
{
    const variant *v = variant_find(format);

    assert(v != nullptr && !a->matrix_order && a->tokens <= LINEAR_VECTOR_MAX);
    if (rows > 0 && a->tokens > 0)
        v->vector(matrix_of(format, w, rows, a->blocks), *a, y, y_stride,
                  stream);
}

void
linear_matrix_cuda(const struct format *format, const uint8_t *w, size_t rows,
                   const struct activations *a, float *y, size_t y_stride,
                   cudaStream_t stream)
{
    const variant *v = variant_find(format);

    assert(v != nullptr && a->matrix_order);
    if (rows > 0 && a->tokens > 0)
        v->matrix(matrix_of(format, w, rows, a->blocks), *a, y, y_stride,
                  stream);
}
