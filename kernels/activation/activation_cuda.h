/*
 * Elementwise operations on a CUDA device: the bits of activation.h. All
 * pointers but the stream are device memory. A launcher returns at once; what
 * goes wrong on the device is told by the next call of the runtime that waits.
 */
#ifndef FATHOM_KERNELS_ACTIVATION_ACTIVATION_CUDA_H
#define FATHOM_KERNELS_ACTIVATION_ACTIVATION_CUDA_H

#include <cuda_runtime_api.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* h[i] = fl(silu(g[i]) * u[i]); h may be g or u. */
void silu_mul_cuda(float *h, const float *g, const float *u, size_t count,
                   cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
