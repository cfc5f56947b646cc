/*
 * Elementwise operations: a thread an element, blocks of 256, no shared
 * memory. They are bound by memory, and a warp's accesses lie side by side.
 */
#include "config.h"

#include "kernels/activation/activation_cuda.h"

#include "kernels/exponential_cuda.h"

namespace {

enum { THREADS = 256 };

// no __restrict__: h may be g or u
__global__ void
silu_mul_kernel(float *h, const float *g, const float *u, size_t count)
{
    size_t i = (size_t) blockIdx.x * THREADS + threadIdx.x;

    if (i < count)
        h[i] = __fmul_rn(device_silu(g[i]), u[i]);
}

} // namespace

void
silu_mul_cuda(float *h, const float *g, const float *u, size_t count,
              cudaStream_t stream)
{
    unsigned grid = (unsigned) ((count + THREADS - 1) / THREADS);

    if (count > 0)
        LAUNCH(silu_mul_kernel, grid, THREADS, 0, stream, h, g, u, count);
}
