/*
 * CUDA's device language for kernels that are compiled as C++ for the host.
 * kernels/cuda_port.h includes it where nvcc is not the compiler; nothing else
 * does. One CUDA thread is one fiber, started only when reached; barriers and
 * warp collectives are the only places where fibers switch.
 */
#ifndef FATHOM_TESTS_CUDA_EMULATION_H
#define FATHOM_TESTS_CUDA_EMULATION_H

#include <cuda_runtime_api.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <tuple>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
// plain __shared__ does not compile here: SMEM and SMEM_DYN stand in for it

struct uint4 {
    uint32_t x, y, z, w;
} __attribute__((aligned(16)));

namespace emu {

struct Shape {
    const char *name;
    const void *kernel;
    dim3 grid, block;
    size_t shared_bytes;
};

/* Arguments are copied at launch, as a device does; `drop` frees the copy. */
struct Arguments {
    void (*call)(void *memory);
    void (*drop)(void *memory);
    void *memory;
    size_t bytes;
};

enum Rmw { ADD, EXCHANGE, MIN, MAX, OR, AND, COMPARE };

void launch(const Shape &shape, const Arguments &arguments, cudaStream_t);
uint3 thread_index(), block_index();
dim3 block_shape(), grid_shape();
void barrier();
void pause();
void sync_warp(uint32_t mask);
uint32_t ballot(uint32_t mask, bool predicate);
unsigned lane();
uint64_t shuffle(uint32_t mask, uint64_t bits, unsigned from);
void mma_s8(int32_t d[4], const uint32_t a[4], const uint32_t b[2]);
void *shared(const void *key, size_t bytes);
void copy_start(void *shared, const void *global, unsigned bytes);
void copy_commit();
void copy_wait(unsigned pending);
/* `wide`: 8 bytes; `is_signed` matters to MIN and MAX. The value before. */
uint64_t read_modify_write(Rmw op, void *memory, uint64_t value,
                           uint64_t expected, bool wide, bool is_signed);

template <class... P> struct Call {
    void (*kernel)(P...);
    std::tuple<std::decay_t<P>...> arguments;

    static void
    run(void *memory)
    {
        Call *call = static_cast<Call *>(memory);
        std::apply(call->kernel, call->arguments);
    }

    static void
    drop(void *memory)
    {
        delete static_cast<Call *>(memory);
    }
};

template <class... P, class... A>
void
launch_kernel(const char *name, void (*kernel)(P...), dim3 grid, dim3 block,
              size_t shared_bytes, cudaStream_t stream, A &&...arguments)
{
    typedef Call<P...> C;
    C *call = new C{kernel, {static_cast<P>(arguments)...}};
    launch(Shape{name, reinterpret_cast<const void *>(kernel), grid, block,
                 shared_bytes},
           Arguments{C::run, C::drop, call, sizeof(C)}, stream);
}

template <class To, class From>
To
bits(From from)
{
    To to{};
    memcpy(&to, &from, sizeof from < sizeof to ? sizeof from : sizeof to);
    return to;
}

template <class T>
T
shuffle_value(uint32_t mask, T value, unsigned from)
{
    return bits<T>(shuffle(mask, bits<uint64_t>(value), from));
}

} // namespace emu

#define threadIdx (emu::thread_index())
#define blockIdx (emu::block_index())
#define blockDim (emu::block_shape())
#define gridDim (emu::grid_shape())

static inline void
__syncthreads()
{
    emu::barrier();
}

static inline void
__syncwarp(uint32_t mask = ~0u)
{
    emu::sync_warp(mask);
}

static inline uint32_t
__ballot_sync(uint32_t mask, int predicate)
{
    return emu::ballot(mask, predicate != 0);
}

static inline int
__any_sync(uint32_t mask, int predicate)
{
    return emu::ballot(mask, predicate != 0) != 0;
}

/* Full width only: fathom's warps are not cut into smaller ones. */
template <class T>
T
__shfl_sync(uint32_t mask, T value, int from)
{
    return emu::shuffle_value(mask, value, from & 31);
}

template <class T>
T
__shfl_xor_sync(uint32_t mask, T value, int lanes)
{
    return emu::shuffle_value(mask, value, emu::lane() ^ lanes);
}

template <class T>
T
__shfl_down_sync(uint32_t mask, T value, unsigned lanes)
{
    unsigned own = emu::lane();
    return emu::shuffle_value(mask, value,
                              own + lanes < 32 ? own + lanes : own);
}

#define EMU_ATOMIC(NAME, OP)                                                   \
    static inline int NAME(int *p, int v)                                      \
    {                                                                          \
        return (int) emu::read_modify_write(emu::OP, p, (uint32_t) v, 0,       \
                                            false, true);                      \
    }                                                                          \
    static inline unsigned NAME(unsigned *p, unsigned v)                       \
    {                                                                          \
        return (unsigned) emu::read_modify_write(emu::OP, p, v, 0, false,      \
                                                 false);                       \
    }                                                                          \
    static inline unsigned long long NAME(unsigned long long *p,               \
                                          unsigned long long v)                \
    {                                                                          \
        return emu::read_modify_write(emu::OP, p, v, 0, true, false);          \
    }
EMU_ATOMIC(atomicAdd, ADD)
EMU_ATOMIC(atomicExch, EXCHANGE)
EMU_ATOMIC(atomicMin, MIN)
EMU_ATOMIC(atomicMax, MAX)
EMU_ATOMIC(atomicOr, OR)
EMU_ATOMIC(atomicAnd, AND)
#undef EMU_ATOMIC

static inline unsigned
atomicCAS(unsigned *p, unsigned expected, unsigned value)
{
    return (unsigned) emu::read_modify_write(emu::COMPARE, p, value, expected,
                                             false, false);
}

/* All threads of a launch run on one thread of the system. */
static inline void
__threadfence()
{
}

static inline int
__dp4a(int a, int b, int c)
{
    for (int i = 0; i < 32; i += 8)
        c += (int8_t) (a >> i) * (int8_t) (b >> i);
    return c;
}

static inline float
__int_as_float(int i)
{
    return emu::bits<float>(i);
}

static inline int
__float2int_rn(float x)
{
    return (int) nearbyintf(x);
}

// One rounding each: everything here is compiled with -ffp-contract=off.
static inline float
__fmul_rn(float a, float b)
{
    return a * b;
}

static inline float
__fadd_rn(float a, float b)
{
    return a + b;
}

static inline float
__fdiv_rn(float a, float b)
{
    return a / b;
}

static inline float
__fmaf_rn(float a, float b, float c)
{
    return fmaf(a, b, c);
}

template <class T>
T
min(T a, T b)
{
    return b < a ? b : a;
}

template <class T>
T
max(T a, T b)
{
    return a < b ? b : a;
}

#endif
