/* Launches: blocks one after another, their threads on fibers. */
#include "config.h"

#include "tests/cuda_emulation/emulator.h"

#include <numeric>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <utility>

namespace emu {

static unsigned
environment_number(const char *name)
{
    const char *text = getenv(name);
    return text != nullptr ? (unsigned) atoi(text) : 0;
}

const unsigned seed = environment_number("CUEMU_SEED");
const bool lazy = environment_number("CUEMU_LAZY") != 0;

Block block;
Thread *current;
Hooks hooks;

void
die(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    fprintf(stderr, "emulated CUDA: ");
    if (current != nullptr)
        fprintf(stderr, "%s block %u thread %u: ", block.launch->shape.name,
                block.id, current->flat);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    abort();
}

unsigned
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned) (*state >> 32);
}

/* ---- the scheduler ---- */

static uint64_t order; // random state of this launch

/* Threads that can go on: a ring. */
static struct Ready {
    Thread *ring[1024];
    unsigned head, tail;

    bool
    empty() const
    {
        return head == tail;
    }

    Thread *
    take(unsigned random)
    {
        Thread **first = &ring[head % 1024];

        std::swap(*first, ring[(head + random % (tail - head)) % 1024]);
        head++;
        return *first;
    }
} ready;

/* Never freed: fibers last as long as the program. */
static std::vector<Fiber *> &idle_fibers = *new std::vector<Fiber *>;
static unsigned next_thread, thread_step; // in which order threads start
static uint64_t pauses;                   // in wait loops of this launch

static bool
some_unstarted()
{
    return block.started < block.count;
}

static void
barrier_open()
{
    for (Thread *thread : block.at_barrier)
        if (thread != current)
            thread_ready(thread);
    block.at_barrier.clear();
    block.epoch++;
}

/* The next thread in starting order; the step is coprime to their number. */
static Thread *
thread_start()
{
    Thread *thread = &block.threads[next_thread];

    block.started++;
    next_thread = (next_thread + thread_step) % block.count;
    thread->fiber = fiber_current();
    return thread;
}

static void
thread_run(Thread *thread)
{
    current = thread;
    block.launch->arguments.call(block.launch->arguments.memory);
    if (!thread->copies.empty())
        die("a cp.async was never waited for");
    block.warps[thread->warp].exited |= 1u << thread->lane;
    current = nullptr;
    if (--block.live > 0 && block.at_barrier.size() == block.live)
        barrier_open();
}

static void leave(bool start_first);

static void
fiber_main()
{
    for (;;) { // entered only while some thread has not started
        do
            thread_run(thread_start());
        while (some_unstarted() && ready.empty()); // mostly: no switch at all
        idle_fibers.push_back(fiber_current());
        leave(false);
    }
}

static Fiber *
fiber_idle()
{
    if (idle_fibers.empty())
        return fiber_make(fiber_main);
    Fiber *fiber = idle_fibers.back();
    idle_fibers.pop_back();
    return fiber;
}

/*
 * To a ready thread, else to one not yet started, else to the host. Both ways
 * are legal where both are open: the seed picks.
 */
static void
leave(bool start_first)
{
    bool start = some_unstarted();
    Fiber *to = nullptr;

    if (start && !start_first && !ready.empty())
        start = seed != 0 && random_next(&order) % 2 != 0;
    if (start)
        to = fiber_idle();
    else if (!ready.empty())
        to = ready.take(seed != 0 ? random_next(&order) : 0)->fiber;
    if (to != fiber_current())
        fiber_switch(to);
}

static void
wait_for(const char *reason, bool start_first)
{
    Thread *thread = current;

    thread->waits = reason;
    leave(start_first);
    current = thread;
    thread->waits = nullptr;
}

void
thread_wait(const char *reason)
{
    wait_for(reason, false);
}

void
thread_ready(Thread *thread)
{
    ready.ring[ready.tail++ % 1024] = thread;
}

/* ---- what kernels call ---- */

uint3
thread_index()
{
    return current->index;
}

uint3
block_index()
{
    return block.index;
}

dim3
block_shape()
{
    return block.launch->shape.block;
}

dim3
grid_shape()
{
    return block.launch->shape.grid;
}

void
barrier()
{
    block.at_barrier.push_back(current);
    if (block.at_barrier.size() == block.live)
        barrier_open();
    else
        thread_wait("__syncthreads");
}

/* Some other thread goes first, or what is waited for could never come. */
void
pause()
{
    static const uint64_t most = 20000000;

    if (++pauses > most)
        die("a wait loop never ends");
    thread_ready(current);
    wait_for("a wait loop", true);
}

/* ---- blocks and grids ---- */

static unsigned
coprime_step(unsigned count)
{
    unsigned step = 1;

    if (seed != 0 && count > 1)
        step = random_next(&order) % count | 1;
    while (std::gcd(step, count) != 1)
        step++;
    return step % count;
}

static void
threads_make(dim3 shape)
{
    block.threads.assign(block.count, Thread{});
    block.warps.assign((block.count + 31) / 32, Warp{});
    for (unsigned i = 0; i < block.count; i++) {
        Thread *thread = &block.threads[i];
        thread->index =
            uint3{i % shape.x, i / shape.x % shape.y, i / shape.x / shape.y};
        thread->flat = i;
        thread->lane = i % 32;
        thread->warp = i / 32;
        block.warps[i / 32].exist |= 1u << i % 32;
    }
}

static void
block_begin(const Launch &launch, unsigned id)
{
    dim3 grid = launch.shape.grid;

    block.launch = &launch;
    block.id = id;
    block.index =
        uint3{id % grid.x, id / grid.x % grid.y, id / grid.x / grid.y};
    block.live = block.count;
    block.started = block.epoch = 0;
    for (Warp &warp : block.warps)
        warp.exited = warp.epoch = 0;
    next_thread = 0;
    thread_step = coprime_step(block.count);
    shared_reset(launch.shape.shared_bytes);
}

static void
block_deadlocked()
{
    for (const Thread &thread : block.threads)
        if (thread.waits != nullptr)
            fprintf(stderr, "emulated CUDA:   thread %u waits in %s\n",
                    thread.flat, thread.waits);
    die("%s block %u: deadlock, %u of %u threads never finish",
        block.launch->shape.name, block.id, block.live, block.count);
}

void
grid_run(const Launch &launch)
{
    dim3 grid = launch.shape.grid, shape = launch.shape.block;
    unsigned blocks = grid.x * grid.y * grid.z;

    order = 0x9e3779b97f4a7c15 * (seed + 1) + launch.serial;
    pauses = 0;
    block.count = shape.x * shape.y * shape.z;
    threads_make(shape);
    unsigned step = coprime_step(blocks);
    for (uint64_t i = 0; i < blocks; i++) {
        block_begin(launch, (unsigned) (i * step % blocks));
        fiber_switch(fiber_idle());
        current = nullptr;
        if (block.live > 0)
            block_deadlocked();
        if (hooks.block_ended != nullptr)
            hooks.block_ended();
    }
    if (hooks.launch_ended != nullptr)
        hooks.launch_ended();
}

} // namespace emu
