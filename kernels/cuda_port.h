/*
 * The one header of CUDA that kernel files (.cu) include. nvcc gets thin names
 * over CUDA C, which cost nothing; any other C++ compiler gets the same names
 * from the emulator (tests/cuda_emulation/), which runs them on the processor.
 *
 * Rules for kernel files:
 *   LAUNCH(kernel, grid, block, shared bytes, stream, arguments...) starts a
 *     kernel; one with template arguments goes in parentheses
 *   SMEM(float, tile, [16][33]) declares shared memory, SMEM_DYN(T, p) points
 *     at the launch's; what a block finds there is undefined
 *   PTX stands in a function of this file that has a twin in the emulator
 *   a wait loop on the device has SPIN_PAUSE() in it
 *   warp collectives name the lanes that really come
 *   float operations of the contract: __fmul_rn, __fadd_rn, __fmaf_rn,
 *     __fdiv_rn, which no compiler contracts
 */
#ifndef FATHOM_KERNELS_CUDA_PORT_H
#define FATHOM_KERNELS_CUDA_PORT_H

#ifdef __CUDACC__
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <stdint.h>
#define DEV static __device__ __forceinline__
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                 \
    (kernel)<<<(grid), (block), (shared_bytes), (stream)>>>(__VA_ARGS__)
#define SMEM(T, name, dims) __shared__ T name dims
#define SMEM_DYN(T, name)                                                      \
    extern __shared__ __align__(128) unsigned char cuda_port_shared[];         \
    T *name = reinterpret_cast<T *>(cuda_port_shared)
#define SPIN_PAUSE() __nanosleep(32)
#else
#include <cuda_emulation.h>
#define DEV static inline
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                 \
    emu::launch_kernel(#kernel, kernel, grid, block, shared_bytes, stream,     \
                       __VA_ARGS__)
#define SMEM(T, name, dims)                                                    \
    static const char name##_key = 0;                                          \
    T(&name)                                                                   \
    dims =                                                                     \
        *reinterpret_cast<T(*) dims>(emu::shared(&name##_key, sizeof(T dims)))
#define SMEM_DYN(T, name) T *name = static_cast<T *>(emu::shared(nullptr, 0))
#define SPIN_PAUSE() emu::pause()
#endif

/* The value of a half-precision number's bits; exact. */
DEV float
half_of(uint32_t half)
{
#ifdef __CUDACC__
    return __half2float(__ushort_as_half((unsigned short) half));
#else
    uint32_t sign = half >> 15 << 31, exponent = half >> 10 & 31;
    float denormal = (float) (half & 1023) * 0x1p-24f;

    if (exponent == 0)
        return emu::bits<float>(emu::bits<uint32_t>(denormal) | sign);
    exponent = exponent == 31 ? 255 : exponent + 127 - 15;
    return emu::bits<float>(sign | exponent << 23 | (half & 1023) << 13);
#endif
}

/* Copies 16 bytes to shared memory; both addresses are multiples of 16. */
DEV void
cp_async16(void *shared, const void *global)
{
#ifdef __CUDACC__
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(
                     (unsigned) __cvta_generic_to_shared(shared)),
                 "l"(global)
                 : "memory");
#else
    emu::copy_start(shared, global, 16);
#endif
}

/* Closes the group of copies started since the last one. */
DEV void
cp_async_commit()
{
#ifdef __CUDACC__
    asm volatile("cp.async.commit_group;" ::: "memory");
#else
    emu::copy_commit();
#endif
}

/* Waits for all of this thread's groups but the newest PENDING. */
template <int PENDING>
DEV void
cp_async_wait()
{
#ifdef __CUDACC__
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#else
    emu::copy_wait(PENDING);
#endif
}

/*
 * A warp's D (16 x 8) += A (16 x 32) B (32 x 8) of signed bytes, exactly. With
 * g = lane / 4 and c = lane % 4, four bytes a register, first byte lowest:
 *   a[r]  row g + 8 (r % 2), columns 16 (r / 2) + 4c ..
 *   b[r]  column g, rows 16 r + 4c ..
 *   d[r]  row g + 8 (r / 2), column 2c + r % 2
 */
DEV void
mma_m16n8k32_s8(int32_t d[4], const uint32_t a[4], const uint32_t b[2])
{
#ifdef __CUDACC__
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]),
                   "r"(b[1]));
#else
    emu::mma_s8(d, a, b);
#endif
}

#endif
