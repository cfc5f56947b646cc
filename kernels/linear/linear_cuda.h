/*
 * Linear layers on a CUDA device, by the arithmetic contract: the bits of
 * linear_ref.c, on a device and in the emulator. Formats: Q8_0, Q4_0, Q4_1,
 * Q5_0, Q4_K, Q6_K, from plain rows (LAYOUT_ROWS).
 *
 * `format` and the struct activations are the host's; w, x, y, broken and the
 * planes of the activations are device memory, from cudaMalloc or a multiple
 * of 256 bytes behind such an address. A launcher returns at once. Kernels
 * cannot fail: what goes wrong on the device is told by the next call of the
 * runtime that waits for the stream. Threads: as the runtime's streams.
 */
#ifndef FATHOM_KERNELS_LINEAR_LINEAR_CUDA_H
#define FATHOM_KERNELS_LINEAR_LINEAR_CUDA_H

#include "kernels/linear/linear.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is there a kernel for this format? The launchers assert it. */
bool linear_cuda_has(const struct format *format);

/* activations_place in device memory of activations_bytes. */
void activations_place_cuda(struct activations *a, void *memory, size_t tokens,
                            size_t blocks, bool matrix_order,
                            cudaStream_t stream);

/*
 * quantize_q8_fn for all tokens of *a at once: x (tokens, x_stride). A value
 * that is not finite makes its block zero and sets *broken to 1; *broken is
 * left alone otherwise, so one word can watch a whole step.
 */
void quantize_q8_cuda(const struct activations *a, const float *x,
                      size_t x_stride, uint32_t *broken, cudaStream_t stream);

/* linear_fn and a stream. */
typedef void linear_cuda_fn(const struct format *format, const uint8_t *w,
                            size_t rows, const struct activations *a, float *y,
                            size_t y_stride, cudaStream_t stream);

linear_cuda_fn linear_vector_cuda, linear_matrix_cuda;

#ifdef __cplusplus
}
#endif

#endif
