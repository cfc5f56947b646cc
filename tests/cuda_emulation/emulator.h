/*
 * The emulator's inside: runs CUDA kernels that were compiled for the host.
 *
 *   include/      what kernels and host code see in place of the toolkit
 *   fibers.cc     stacks, and the switch from one to another
 *   blocks.cc     a launch's blocks and their threads, barriers, wait loops
 *   warps.cc      warp collectives: shuffles, votes, mma; atomics
 *   shared.cc     shared memory, asynchronous copies into it
 *   device_memory.cc, streams.cc   the runtime: memory, streams, events
 *   checker.cc, access_profile.cc  linked into *_checked programs only
 *
 * A fiber runs thread after thread and is left only when its thread has to
 * wait, so an elementwise kernel is a plain loop. A warp collective deposits a
 * pointer to each lane's operand; the last lane to come acts for all. When
 * nothing can run and threads still live, the block is reported, with what
 * each thread waits in. Shared and device memory start as 0xff bytes; every
 * allocation ends at an untouchable page and no address is used twice. What a
 * program does wrong ends it with one line on stderr.
 *
 *   CUEMU_SEED=N     another legal order of threads, blocks and stream work
 *   CUEMU_LAZY=1     asynchronous copies and stream work land as late as they
 *                    may, so that missing waits show
 *   CUEMU_PROFILE=1  with the checker: what each access of a warp costs
 *
 * Not here: cooperative launches, kernels that wait for the host, TMA, wgmma,
 * graphs, mma of halves, weak memory. Threads: one at a time.
 */
#ifndef FATHOM_TESTS_CUDA_EMULATION_EMULATOR_H
#define FATHOM_TESTS_CUDA_EMULATION_EMULATOR_H

#include <cuda_emulation.h>

#include <memory>
#include <vector>

namespace emu {

/* ---- fibers.cc ---- */

struct Fiber {
    struct Context *context;
    char *low, *high; // its stack
};

/* A fiber that begins in `entry`, which never returns. */
Fiber *fiber_make(void (*entry)());
/* Leaves the fiber that runs now; NULL is the caller of the kernel. */
void fiber_switch(Fiber *to);
Fiber *fiber_current();

/* ---- blocks.cc ---- */

struct Copy {
    void *to;
    const void *from;
    unsigned bytes, group;
};

struct Thread {
    uint3 index;
    unsigned flat, lane, warp;
    Fiber *fiber;
    const char *waits; // for what, or NULL
    std::vector<Copy> copies;
    unsigned copy_group;
};

typedef void combine_fn(uint32_t mask, void **operands);

/* A warp collective that some lanes have reached. */
struct Meeting {
    uint32_t mask, arrived;
    combine_fn *combine;
    void *operand[32];
};

struct Warp {
    uint32_t exist, exited;
    unsigned epoch; // full collectives passed
    unsigned open;  // meetings
    Meeting meeting[32];
};

struct SharedArray {
    const void *key;
    size_t at, bytes;
};

struct Launch {
    Shape shape;
    Arguments arguments;
    std::shared_ptr<void> owner; // of the arguments
    uint64_t serial;
};

/* The block that is resident. */
struct Block {
    const Launch *launch;
    uint3 index;
    unsigned id, count, started, live;
    unsigned epoch; // barriers passed
    std::vector<Thread> threads;
    std::vector<Warp> warps;
    std::vector<Thread *> at_barrier;
    std::vector<SharedArray> arrays;
};

extern Block block;
extern Thread *current; // NULL in host code

void grid_run(const Launch &launch);
/* Waits until somebody makes the current thread ready. */
void thread_wait(const char *reason);
void thread_ready(Thread *thread);

[[noreturn]] void die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Environment and random numbers. */
extern const unsigned seed;
extern const bool lazy;
unsigned random_next(uint64_t *state);

/* ---- shared.cc ---- */

enum { SHARED_MAX = 227 << 10, SHARED_ARENA = 256 << 10 };

char *shared_arena();
void shared_reset(size_t dynamic_bytes);

/* ---- device_memory.cc ---- */

struct Allocation {
    char *memory;
    size_t bytes;
    char *pages;
    size_t page_bytes;
    bool host;
    void *shadow; // of the checker
};

const Allocation *allocation_find(const void *address);
bool on_device(const void *address);

/* ---- checker.cc fills these in when it is linked ---- */

struct Hooks {
    void (*block_ended)();
    void (*launch_ended)();
    void (*copied)(void *to, const void *from, size_t bytes);
    void (*touched)(const void *address, unsigned bytes, bool write,
                    bool atomic);
    void *(*shadow_make)(size_t bytes, bool written);
    void (*shadow_drop)(void *shadow);
};
extern Hooks hooks;

/* One access of the current thread, for access_profile.cc. */
struct Access {
    const char *address;
    const void *instruction;
    unsigned bytes;
    bool write, shared;
};
void profile_access(const Access &access);
void profile_block_ended();

} // namespace emu

#endif
