/*
 * The device language means the same in the emulator and on a device: this
 * program gives one result in both, in every legal order. It is linked for
 * the emulator, for its checker and, with nvcc, for a device.
 */
#include "config.h"

#include "kernels/check_cuda.h"
#include "kernels/cuda_port.h"

#include <stdio.h>

namespace {

struct check_random rng = {1};

enum { BLOCKS = 5, THREADS = 160, ROUNDS = 6, COUNT = BLOCKS * THREADS };

uint32_t
host_mix(uint32_t x)
{
    return (x ^ x >> 15) * 2654435761u + 12345;
}

DEV uint32_t
mix(uint32_t x)
{
    return (x ^ x >> 15) * 2654435761u + 12345;
}

/* ---- barriers, shared memory, early exits, collectives ---- */

/*
 * Each round mixes a thread's value with those of another lane, of a lane of
 * its half warp, and of another thread of the block. The last warp leaves
 * after half of the rounds.
 */
__global__ void
stress_kernel(uint32_t *out, const uint32_t *in)
{
    SMEM(uint32_t, values, [THREADS]);
    SMEM_DYN(uint32_t, more);
    unsigned i = threadIdx.x, lane = i % 32;
    uint32_t x = in[blockIdx.x * THREADS + i];

    for (int round = 0; round < ROUNDS; round++) {
        bool last_warp = i >= THREADS - 32;
        if (last_warp && round == ROUNDS / 2)
            break;
        unsigned live = round < ROUNDS / 2 ? THREADS : THREADS - 32;
        x = mix(x + __shfl_xor_sync(~0u, x, 1 << round % 5));
        if (lane < 16) // halves meet apart, in branches apart
            x += __shfl_sync(0xffff, x, (int) (lane + 3) % 16);
        else
            x ^= __shfl_sync(0xffff0000, x, 16 + (int) (lane + 5) % 16);
        x += __ballot_sync(~0u, (x & 1) != 0);
        values[i] = x;
        more[live - 1 - i] = x;
        __syncthreads();
        x = mix(x ^ values[(i + 37) % live]) + more[(i + 1) % live];
        __syncthreads();
    }
    out[blockIdx.x * THREADS + i] = x;
}

void
host_lanes(uint32_t x[32], int round)
{
    uint32_t y[32], ballot = 0;

    for (int l = 0; l < 32; l++)
        y[l] = host_mix(x[l] + x[l ^ 1 << round % 5]);
    for (int l = 0; l < 16; l++)
        x[l] = y[l] + y[(l + 3) % 16];
    for (int l = 16; l < 32; l++)
        x[l] = y[l] ^ y[16 + (l + 5) % 16];
    for (int l = 0; l < 32; l++)
        ballot |= (x[l] & 1) << l;
    for (int l = 0; l < 32; l++)
        x[l] += ballot;
}

void
host_stress(uint32_t *x)
{
    uint32_t values[THREADS];

    for (int round = 0; round < ROUNDS; round++) {
        unsigned live = round < ROUNDS / 2 ? THREADS : THREADS - 32;
        for (unsigned w = 0; w < live / 32; w++)
            host_lanes(x + 32 * w, round);
        memcpy(values, x, sizeof values);
        for (unsigned i = 0; i < live; i++)
            x[i] = host_mix(x[i] ^ values[(i + 37) % live]) +
                   values[live - 1 - (i + 1) % live];
    }
}

bool
stress_is_as_computed()
{
    static uint32_t in[COUNT], want[COUNT], got[COUNT];

    for (uint32_t &value : in)
        value = (uint32_t) check_bits(&rng);
    memcpy(want, in, sizeof want);
    for (int b = 0; b < BLOCKS; b++)
        host_stress(want + b * THREADS);
    auto device_in = static_cast<uint32_t *>(check_cuda_copy(in, sizeof in));
    auto out = static_cast<uint32_t *>(check_cuda_alloc(sizeof got));
    LAUNCH(stress_kernel, BLOCKS, THREADS, THREADS * sizeof(uint32_t), nullptr,
           out, device_in);
    check_cuda_read(got, out, sizeof got);
    check_cuda(cudaFree(device_in), "cudaFree");
    check_cuda(cudaFree(out), "cudaFree");
    return memcmp(got, want, sizeof got) == 0;
}

/* ---- asynchronous copies: two tiles, the next one on its way ---- */

enum { TILE = 64, TILES = 5 };

__global__ void
pipeline_kernel(uint32_t *sums, const uint32_t *in)
{
    SMEM(uint4, tiles, [2][TILE / 4]);
    const uint4 *source = reinterpret_cast<const uint4 *>(in);
    uint32_t sum = 0;

    cp_async16(&tiles[0][threadIdx.x], source + threadIdx.x);
    cp_async_commit();
    for (int t = 0; t < TILES; t++) {
        if (t + 1 < TILES)
            cp_async16(&tiles[(t + 1) % 2][threadIdx.x],
                       source + (t + 1) * (TILE / 4) + threadIdx.x);
        cp_async_commit();
        cp_async_wait<1>();
        __syncthreads();
        uint4 other = tiles[t % 2][(threadIdx.x + 5) % (TILE / 4)];
        sum = mix(sum + other.x) + other.y + other.z + other.w;
        __syncthreads();
    }
    sums[threadIdx.x] = sum;
}

bool
pipeline_is_as_computed()
{
    uint32_t in[TILE * TILES], want[TILE / 4] = {0}, got[TILE / 4];

    for (uint32_t &value : in)
        value = (uint32_t) check_bits(&rng);
    for (int t = 0; t < TILES; t++)
        for (int i = 0; i < TILE / 4; i++) {
            const uint32_t *o = in + t * TILE + (i + 5) % (TILE / 4) * 4;
            want[i] = host_mix(want[i] + o[0]) + o[1] + o[2] + o[3];
        }
    auto device_in = static_cast<uint32_t *>(check_cuda_copy(in, sizeof in));
    auto sums = static_cast<uint32_t *>(check_cuda_alloc(sizeof got));
    LAUNCH(pipeline_kernel, 1, TILE / 4, 0, nullptr, sums, device_in);
    check_cuda_read(got, sums, sizeof got);
    check_cuda(cudaFree(device_in), "cudaFree");
    check_cuda(cudaFree(sums), "cudaFree");
    return memcmp(got, want, sizeof got) == 0;
}

/* ---- mma: fragments and exact sums ---- */

/* a (16, 32) by rows, b (8, 32) by columns, d (16, 8). */
__global__ void
mma_kernel(int32_t *d, const uint32_t *a, const uint32_t *b)
{
    unsigned g = threadIdx.x / 4, c = threadIdx.x % 4;
    int32_t sum[4] = {1, 1, 1, 1};
    uint32_t left[4], right[2];

    for (unsigned r = 0; r < 4; r++)
        left[r] = a[(g + 8 * (r % 2)) * 8 + 4 * (r / 2) + c];
    for (unsigned r = 0; r < 2; r++)
        right[r] = b[g * 8 + 4 * r + c];
    mma_m16n8k32_s8(sum, left, right);
    for (unsigned r = 0; r < 4; r++)
        d[(g + 8 * (r / 2)) * 8 + 2 * c + r % 2] = sum[r];
}

bool
mma_is_the_product()
{
    int8_t a[16][32], b[8][32];
    int32_t got[16][8];
    bool same = true;

    for (auto &row : a)
        for (int8_t &value : row)
            value = (int8_t) check_bits(&rng);
    for (auto &column : b)
        for (int8_t &value : column)
            value = (int8_t) check_bits(&rng);
    auto device_a = static_cast<uint32_t *>(check_cuda_copy(a, sizeof a));
    auto device_b = static_cast<uint32_t *>(check_cuda_copy(b, sizeof b));
    auto d = static_cast<int32_t *>(check_cuda_alloc(sizeof got));
    LAUNCH(mma_kernel, 1, 32, 0, nullptr, d, device_a, device_b);
    check_cuda_read(got, d, sizeof got);
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 8; j++) {
            int want = 1;
            for (int k = 0; k < 32; k++)
                want += a[i][k] * b[j][k];
            same = same && got[i][j] == want;
        }
    check_cuda(cudaFree(device_a), "cudaFree");
    check_cuda(cudaFree(device_b), "cudaFree");
    check_cuda(cudaFree(d), "cudaFree");
    return same;
}

/* ---- atomics, and a wait between blocks ---- */

struct tally {
    uint32_t sum, most, bits, order;
    int32_t least;
    unsigned long long wide;
};

__global__ void
tally_kernel(tally *t)
{
    uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;

    atomicAdd(&t->sum, i);
    atomicMax(&t->most, mix(i));
    atomicMin(&t->least, (int32_t) mix(i));
    atomicOr(&t->bits, 1u << i % 32);
    atomicAdd(&t->wide, 1ull << 33);
}

/* Threads of a block take turns: each waits for the one before it. */
__global__ void
turns_kernel(tally *t, uint32_t *log)
{
    while (atomicCAS(&t->order, threadIdx.x, threadIdx.x) != threadIdx.x)
        SPIN_PAUSE();
    log[threadIdx.x] = 100 + threadIdx.x;
    __threadfence();
    atomicAdd(&t->order, 1u);
}

bool
tally_is_right(const tally &t)
{
    tally want = {};

    want.least = INT32_MAX;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t mixed = host_mix(i);
        want.sum += i;
        want.most = mixed > want.most ? mixed : want.most;
        if ((int32_t) mixed < want.least)
            want.least = (int32_t) mixed;
    }
    return t.sum == want.sum && t.most == want.most && t.least == want.least &&
           t.bits == ~0u && t.wide == (unsigned long long) COUNT << 33;
}

bool
atomics_are_right()
{
    tally t = {};
    uint32_t log[32];

    t.least = INT32_MAX;
    auto device = static_cast<tally *>(check_cuda_copy(&t, sizeof t));
    auto device_log = static_cast<uint32_t *>(check_cuda_alloc(sizeof log));
    LAUNCH(tally_kernel, BLOCKS, THREADS, 0, nullptr, device);
    LAUNCH(turns_kernel, 1, 32, 0, nullptr, device, device_log);
    check_cuda_read(&t, device, sizeof t);
    check_cuda_read(log, device_log, sizeof log);
    check_cuda(cudaFree(device), "cudaFree");
    check_cuda(cudaFree(device_log), "cudaFree");
    for (uint32_t i = 0; i < 32; i++)
        if (log[i] != 100 + i)
            return false;
    return tally_is_right(t) && t.order == 32;
}

/* ---- streams and events ---- */

__global__ void
scale_kernel(uint32_t *x, uint32_t by)
{
    x[threadIdx.x] = x[threadIdx.x] * by + threadIdx.x;
}

/* Two streams hand a buffer to each other by events. */
bool
events_order_streams()
{
    enum { HANDS = 6 };
    cudaStream_t stream[2];
    cudaEvent_t done[HANDS];
    uint32_t want[64] = {0}, got[64];
    auto x = static_cast<uint32_t *>(check_cuda_copy(want, sizeof want));

    for (auto &s : stream)
        check_cuda(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking),
                   "stream");
    for (int i = 0; i < HANDS; i++) {
        check_cuda(cudaEventCreateWithFlags(&done[i], cudaEventDisableTiming),
                   "event");
        if (i > 0)
            check_cuda(cudaStreamWaitEvent(stream[i % 2], done[i - 1], 0),
                       "wait");
        LAUNCH(scale_kernel, 1, 64, 0, stream[i % 2], x, (uint32_t) (i + 3));
        check_cuda(cudaEventRecord(done[i], stream[i % 2]), "record");
        for (uint32_t j = 0; j < 64; j++)
            want[j] = want[j] * (uint32_t) (i + 3) + j;
    }
    check_cuda(cudaMemcpyAsync(got, x, sizeof got, cudaMemcpyDeviceToHost,
                               stream[(HANDS - 1) % 2]),
               "copy");
    for (auto s : stream)
        check_cuda(cudaStreamSynchronize(s), "synchronize");
    for (auto event : done)
        check_cuda(cudaEventDestroy(event), "cudaEventDestroy");
    for (auto s : stream)
        check_cuda(cudaStreamDestroy(s), "cudaStreamDestroy");
    check_cuda(cudaFree(x), "cudaFree");
    return memcmp(got, want, sizeof got) == 0;
}

/* Every half, but for NaN, is what its bits say. */
__global__ void
half_kernel(float *out)
{
    uint32_t i = blockIdx.x * 256 + threadIdx.x;
    out[i] = half_of(i);
}

bool
halves_are_exact()
{
    static float got[65536];
    auto out = static_cast<float *>(check_cuda_alloc(sizeof got));

    LAUNCH(half_kernel, 256, 256, 0, nullptr, out);
    check_cuda_read(got, out, sizeof got);
    check_cuda(cudaFree(out), "cudaFree");
    for (int i = 0; i < 65536; i++) {
        int exponent = i >> 10 & 31, mantissa = i & 1023;
        double want = exponent == 0 ? ldexp(mantissa, -24)
                                    : ldexp(1024 + mantissa, exponent - 25);
        if (exponent == 31)
            want = mantissa == 0 ? HUGE_VAL : (double) NAN;
        want = i >> 15 ? -want : want;
        if (want == want ? (double) got[i] != want : got[i] == got[i])
            return false;
    }
    return got[0x8000] == 0 && signbit(got[0x8000]);
}

} // namespace

int
main()
{
    if (!check_cuda_device())
        return CHECK_SKIPPED;
    check_ok(stress_is_as_computed(),
             "barriers_and_collectives_give_one_result_in_any_order");
    check_ok(pipeline_is_as_computed(),
             "asynchronous_copies_have_landed_when_waited_for");
    check_ok(mma_is_the_product(), "mma_sums_bytes_exactly");
    check_ok(atomics_are_right(), "atomics_lose_nothing");
    check_ok(events_order_streams(), "events_order_streams");
    check_ok(halves_are_exact(), "halves_are_exact");
    return check_done();
}
