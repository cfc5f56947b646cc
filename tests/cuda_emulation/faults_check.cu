/*
 * The emulator finds mistakes: each is made on purpose in a process of its
 * own, which has to end with the right words. Some are seen only by the
 * checker, when it is linked.
 */
#include "config.h"

#include "kernels/check_cuda.h"
#include "kernels/cuda_port.h"
#include "tests/cuda_emulation/emulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

/* ---- kernels with one mistake each ---- */

__global__ void
divergent_barrier(int *)
{
    if (threadIdx.x != 3)
        __syncthreads();
    else
        __shfl_sync(~0u, 1, 0);
}

__global__ void
foreign_mask(int *)
{
    __syncwarp(threadIdx.x == 0 ? 2u : ~1u);
}

__global__ void
mask_of_the_gone(int *)
{
    if (threadIdx.x % 32 < 4)
        return;
    __syncwarp(0xfffffff8);
}

__global__ void
never_waited(int *x)
{
    SMEM(uint4, tile, [1]);
    if (threadIdx.x == 0)
        cp_async16(tile, x);
    cp_async_commit();
}

__global__ void
overrun(int *x)
{
    x[4096 + threadIdx.x] = 1;
}

__global__ void
endless(int *)
{
    for (;;)
        SPIN_PAUSE();
}

/* These need the checker. */

__global__ void
missing_barrier(int *x)
{
    SMEM(int, values, [64]);
    values[threadIdx.x] = 0;
    __syncthreads();
    values[threadIdx.x] = (int) threadIdx.x;
    x[blockIdx.x * 64 + threadIdx.x] = values[63 - threadIdx.x];
}

__global__ void
two_blocks_one_word(int *x)
{
    if (threadIdx.x == 0)
        x[0] = (int) blockIdx.x;
}

__global__ void
never_written(int *x)
{
    x[blockIdx.x * 64 + threadIdx.x] = x[512 + threadIdx.x];
}

__global__ void
shared_overrun(int *x)
{
    SMEM(int, values, [64]);
    values[threadIdx.x + 1] = 1;
    x[blockIdx.x * 64 + threadIdx.x] = 1;
}

__global__ void
misaligned(int *x)
{
    char *bytes = reinterpret_cast<char *>(x);
    if (threadIdx.x == 0)
        *reinterpret_cast<volatile int *>(bytes + 2) = 1;
}

/* ---- host code with one mistake each ---- */

void
kernel_run(void (*kernel)(int *), int *x)
{
    LAUNCH(kernel, 2, 64, 0, nullptr, x);
    cudaDeviceSynchronize();
}

template <void (*KERNEL)(int *)>
void
on_device_memory()
{
    void *memory; // check_cuda_alloc would fill it
    check_cuda(cudaMalloc(&memory, 4096), "cudaMalloc");
    kernel_run(KERNEL, static_cast<int *>(memory));
}

void
host_pointer()
{
    int *x = static_cast<int *>(malloc(4096));
    kernel_run(two_blocks_one_word, x);
    free(x);
}

void
wrong_direction()
{
    int x = 0;
    void *memory = check_cuda_alloc(sizeof x);
    cudaMemcpy(&x, memory, sizeof x, cudaMemcpyHostToDevice);
}

void
block_too_large()
{
    LAUNCH(two_blocks_one_word, 1, 1025, 0, nullptr,
           static_cast<int *>(nullptr));
}

void
shared_not_asked_for()
{
    LAUNCH(two_blocks_one_word, 1, 32, 64 << 10, nullptr,
           static_cast<int *>(nullptr));
}

void
freed_twice()
{
    void *memory = check_cuda_alloc(64);
    cudaFree(memory);
    cudaFree(memory);
}

/* ---- what must be said of them ---- */

const struct fault {
    const char *name;
    void (*make)();
    const char *words; // NULL: the process has to die, that is all
    bool needs_checker;
} faults[] = {
    {"a_divergent_barrier", on_device_memory<divergent_barrier>,
     "waits in __syncthreads", false},
    {"a_lane_outside_its_mask", on_device_memory<foreign_mask>,
     "is not in its own mask", false},
    {"a_mask_with_lanes_that_left", on_device_memory<mask_of_the_gone>,
     "names lanes that have left", false},
    {"a_copy_never_waited_for", on_device_memory<never_waited>,
     "was never waited for", false},
    {"a_store_past_an_allocation", on_device_memory<overrun>, nullptr, false},
    {"an_endless_wait", on_device_memory<endless>, "a wait loop never ends",
     false},
    {"a_copy_the_wrong_way", wrong_direction, "the direction does not fit",
     false},
    {"a_block_too_large", block_too_large, "cannot be launched", false},
    {"shared_memory_not_asked_for", shared_not_asked_for,
     "without cudaFuncSetAttribute", false},
    {"memory_freed_twice", freed_twice, "never allocated", false},
    {"a_missing_barrier", on_device_memory<missing_barrier>, "race", true},
    {"two_blocks_storing_to_one_word", on_device_memory<two_blocks_one_word>,
     "race", true},
    {"a_read_of_what_nothing_wrote", on_device_memory<never_written>,
     "nothing wrote this", true},
    {"a_store_past_shared_memory", on_device_memory<shared_overrun>,
     "out of bounds in shared memory", true},
    {"a_misaligned_store", on_device_memory<misaligned>, "misaligned", true},
    {"a_pointer_of_the_host", host_pointer, "not device memory", true},
};

/* Runs it in a child; what the child said goes to `said`. Did it die? */
bool
fault_run(const fault &fault, char *said, size_t size)
{
    int ends[2], status = 0;
    size_t length = 0;
    ssize_t got;

    fflush(stdout);
    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        fault.make();
        exit(0);
    }
    close(ends[1]);
    while ((got = read(ends[0], said + length, size - 1 - length)) > 0)
        length += (size_t) got;
    close(ends[0]);
    said[length] = 0;
    waitpid(child, &status, 0);
    return status != 0;
}

bool
fault_is_found(const fault &fault)
{
    static char said[1 << 16];

    bool died = fault_run(fault, said, sizeof said);
    if (died && (fault.words == nullptr || strstr(said, fault.words)))
        return true;
    printf("# %s: %s\n", fault.name, died ? said : "ended as if all were well");
    return false;
}

} // namespace

int
main()
{
    bool checker = emu::hooks.touched != nullptr;
    char sentence[128];

    for (const fault &fault : faults) {
        if (fault.needs_checker && !checker)
            continue;
        snprintf(sentence, sizeof sentence, "%s_is_found", fault.name);
        check_ok(fault_is_found(fault), sentence);
    }
    return check_done();
}
