/*
 * What checks of CUDA kernels share: memory of the device that the program was
 * linked for, the emulator's or a real one. Whatever the runtime refuses ends
 * the check. Threads: one.
 */
#ifndef FATHOM_KERNELS_CHECK_CUDA_H
#define FATHOM_KERNELS_CHECK_CUDA_H

#include "kernels/check.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ends the program (99) unless the call was a success. */
void check_cuda(cudaError_t error, const char *what);

/*
 * Names the device in a comment. Without one: prints a line that skips all,
 * and false; main then returns CHECK_SKIPPED.
 */
bool check_cuda_device(void);
enum { CHECK_SKIPPED = 77 };

/* Device memory of 0xff bytes, or with a copy; give back with cudaFree. */
void *check_cuda_alloc(size_t bytes);
void *check_cuda_copy(const void *memory, size_t bytes);

/* Waits for the device and copies from it; launches that failed are told. */
void check_cuda_read(void *to, const void *from, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
