/* Device memory for checks. */
#include "config.h"

#include "kernels/check_cuda.h"

#include <stdio.h>
#include <stdlib.h>

void
check_cuda(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return;
    printf("Bail out! %s: %s\n", what, cudaGetErrorString(error));
    exit(99);
}

bool
check_cuda_device(void)
{
    struct cudaDeviceProp prop = {0};
    int devices = 0;
    cudaError_t error = cudaGetDeviceCount(&devices);

    if (error == cudaSuccess && devices > 0)
        error = cudaGetDeviceProperties(&prop, 0);
    if (error != cudaSuccess || devices <= 0) {
        printf("1..0 # SKIP no CUDA device: %s\n",
               error != cudaSuccess ? cudaGetErrorString(error) : "none found");
        return false;
    }
    printf("# %s, compute capability %d.%d\n", prop.name, prop.major,
           prop.minor);
    return true;
}

void *
check_cuda_alloc(size_t bytes)
{
    void *memory;

    check_cuda(cudaMalloc(&memory, bytes), "cudaMalloc");
    check_cuda(cudaMemset(memory, 0xff, bytes), "cudaMemset");
    return memory;
}

void *
check_cuda_copy(const void *memory, size_t bytes)
{
    void *copy;

    check_cuda(cudaMalloc(&copy, bytes), "cudaMalloc");
    check_cuda(cudaMemcpy(copy, memory, bytes, cudaMemcpyHostToDevice),
               "copy to the device");
    return copy;
}

void
check_cuda_read(void *to, const void *from, size_t bytes)
{
    check_cuda(cudaGetLastError(), "launch");
    check_cuda(cudaDeviceSynchronize(), "kernel");
    check_cuda(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost),
               "copy from the device");
}
