/*
 * Streams are queues. Work runs at once, or (CUEMU_LAZY) when somebody waits
 * for it; among all that may run next, the seed picks.
 */
#include "config.h"

#include "tests/cuda_emulation/emulator.h"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <stdio.h>

namespace emu {
struct Work {
    std::function<void()> run;
    CUevent_st *event; // recorded after, or waited for before
    uint64_t version;
    bool wait;
};
} // namespace emu

struct CUstream_st {
    std::deque<emu::Work> queue;
};

struct CUevent_st {
    uint64_t recorded, done; // versions
    std::chrono::steady_clock::time_point at;
};

namespace emu {

static CUstream_st default_stream;
static std::vector<CUstream_st *> streams = {&default_stream};
static std::map<const void *, size_t> shared_limits; // by kernel

static CUstream_st *
stream_of(cudaStream_t stream)
{
    return stream != nullptr ? stream : &default_stream;
}

static bool
all_idle()
{
    for (const CUstream_st *stream : streams)
        if (!stream->queue.empty())
            return false;
    return true;
}

static bool
may_run(const Work &work)
{
    return !work.wait || work.event->done >= work.version;
}

static CUstream_st *
stream_choose()
{
    static uint64_t random = 88172645463325252 ^ seed;
    std::vector<CUstream_st *> able;

    for (CUstream_st *stream : streams)
        if (!stream->queue.empty() && may_run(stream->queue.front()))
            able.push_back(stream);
    if (able.empty())
        return nullptr;
    return able[seed != 0 ? random_next(&random) % able.size() : 0];
}

/* Runs one operation that may run now. */
static bool
advance()
{
    CUstream_st *stream = stream_choose();

    if (stream == nullptr)
        return false;
    Work work = std::move(stream->queue.front());
    stream->queue.pop_front();
    if (work.run)
        work.run();
    if (work.event != nullptr && !work.wait) {
        work.event->done = work.version;
        work.event->at = std::chrono::steady_clock::now();
    }
    return true;
}

static cudaError_t
advance_until(const std::function<bool()> &done)
{
    while (!done())
        if (!advance())
            die("an operation waits for an event that never comes");
    return cudaSuccess;
}

/* The default stream is ordered with all others. */
static cudaError_t
enqueue(cudaStream_t handle, Work work)
{
    CUstream_st *stream = stream_of(handle);
    bool ordered = stream == &default_stream;

    if (ordered)
        advance_until(all_idle);
    stream->queue.push_back(std::move(work));
    if (!lazy || ordered)
        return advance_until(all_idle);
    return cudaSuccess;
}

static bool
shape_is_legal(const Shape &shape)
{
    const dim3 &g = shape.grid, &b = shape.block;

    return b.x > 0 && b.y > 0 && b.z > 0 && b.z <= 64 &&
           (size_t) b.x * b.y * b.z <= 1024 && g.x > 0 && g.y > 0 && g.z > 0 &&
           g.y <= 65535 && g.z <= 65535;
}

void
launch(const Shape &shape, const Arguments &arguments, cudaStream_t stream)
{
    static uint64_t serial;
    static const size_t usual = 48 << 10;
    std::shared_ptr<void> owner(arguments.memory, arguments.drop);

    if (!shape_is_legal(shape))
        die("%s: a grid or block of this shape cannot be launched", shape.name);
    if (shape.shared_bytes > usual &&
        shape.shared_bytes > shared_limits[shape.kernel])
        die("%s: %zu bytes of shared memory without cudaFuncSetAttribute",
            shape.name, shape.shared_bytes);
    Launch launch = {shape, arguments, owner, ++serial};
    enqueue(stream, Work{[launch] { grid_run(launch); }, nullptr, 0, false});
}

static void
copy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    int direction = 2 * on_device(from) + on_device(to);

    if (kind != cudaMemcpyDefault && (int) kind != direction)
        die("cudaMemcpy: the direction does not fit the addresses");
    memmove(to, from, bytes);
    if (hooks.copied != nullptr)
        hooks.copied(to, from, bytes);
}

static void
fill(void *memory, int value, size_t bytes)
{
    memset(memory, value, bytes);
    if (hooks.copied != nullptr)
        hooks.copied(memory, nullptr, bytes);
}

} // namespace emu

using namespace emu;

/* ---- devices ---- */

const char *
cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess:
        return "no error";
    case cudaErrorInvalidValue:
        return "invalid argument";
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorInvalidConfiguration:
        return "invalid configuration argument";
    case cudaErrorNotReady:
        return "device not ready";
    }
    return "unknown error";
}

/* Mistakes end the program where they are made, so none is left here. */
cudaError_t
cudaGetLastError(void)
{
    return cudaSuccess;
}

cudaError_t
cudaGetDeviceCount(int *count)
{
    *count = 1;
    return cudaSuccess;
}

cudaError_t
cudaGetDeviceProperties(struct cudaDeviceProp *prop, int device)
{
    if (device != 0)
        return cudaErrorInvalidValue;
    *prop = {};
    snprintf(prop->name, sizeof prop->name, "emulated device");
    prop->totalGlobalMem = (size_t) 1 << 30;
    prop->multiProcessorCount = 1;
    prop->l2CacheSize = 1 << 20;
    prop->major = 8;
    return cudaSuccess;
}

cudaError_t
cudaDeviceSynchronize(void)
{
    return advance_until(all_idle);
}

cudaError_t
cudaFuncSetAttribute(const void *kernel, enum cudaFuncAttribute, int value)
{
    if (value < 0 || value > SHARED_MAX)
        return cudaErrorInvalidValue;
    shared_limits[kernel] = (size_t) value;
    return cudaSuccess;
}

/* ---- copies ---- */

cudaError_t
cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                enum cudaMemcpyKind kind, cudaStream_t stream)
{
    auto run = [=] { copy(to, from, bytes, kind); };
    return enqueue(stream, Work{run, nullptr, 0, false});
}

cudaError_t
cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    cudaMemcpyAsync(to, from, bytes, kind, nullptr);
    return cudaDeviceSynchronize();
}

cudaError_t
cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    auto run = [=] { fill(memory, value, bytes); };
    return enqueue(stream, Work{run, nullptr, 0, false});
}

cudaError_t
cudaMemset(void *memory, int value, size_t bytes)
{
    return cudaMemsetAsync(memory, value, bytes, nullptr);
}

/* ---- streams and events ---- */

cudaError_t
cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    *stream = new CUstream_st{};
    streams.push_back(*stream);
    return cudaSuccess;
}

cudaError_t
cudaStreamDestroy(cudaStream_t stream)
{
    cudaStreamSynchronize(stream);
    for (size_t i = 0; i < streams.size(); i++)
        if (streams[i] == stream)
            streams.erase(streams.begin() + (long) i);
    delete stream;
    return cudaSuccess;
}

cudaError_t
cudaStreamSynchronize(cudaStream_t stream)
{
    return advance_until([=] { return stream_of(stream)->queue.empty(); });
}

/* A poll moves on, or a loop of polls would never end. */
cudaError_t
cudaStreamQuery(cudaStream_t stream)
{
    advance();
    return stream_of(stream)->queue.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t
cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    return enqueue(stream, Work{nullptr, event, event->recorded, true});
}

cudaError_t
cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    *event = new CUevent_st{};
    return cudaSuccess;
}

cudaError_t
cudaEventDestroy(cudaEvent_t event)
{
    cudaEventSynchronize(event);
    delete event;
    return cudaSuccess;
}

cudaError_t
cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    event->recorded++;
    return enqueue(stream, Work{nullptr, event, event->recorded, false});
}

cudaError_t
cudaEventSynchronize(cudaEvent_t event)
{
    return advance_until([=] { return event->done >= event->recorded; });
}

cudaError_t
cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end)
{
    std::chrono::duration<float, std::milli> elapsed = end->at - start->at;

    if (end->done < end->recorded)
        return cudaErrorNotReady;
    *ms = elapsed.count();
    return cudaSuccess;
}
