/*
 * The team. A job is published by storing its number of chunks in `unclaimed`;
 * whoever takes one off owns the chunk of that number. The job's fields may be
 * read after a chunk was taken and until it is given in, because the owner
 * publishes nothing new before `unfinished` is 0. So a worker that wakes late,
 * or in the middle of a later job, needs no other guard.
 */
#include "config.h"

#include "kernels/workers.h"

#include "base/base.h"
#include "kernels/cpu.h"

#include <assert.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SPIN_NS = 50 * 1000,
    SPIN_STEPS = 64, // pauses between two looks at the clock
    YIELD_NS = 1000 * 1000,
    CACHE_LINE = 128, // two lines: the second is fetched with the first
    WORKERS_MAX = 1024,
};

struct member {
    struct workers *team;
    pthread_t thread;
    unsigned index;
};

struct workers {
    unsigned count;
    struct member *members; // count - 1, without the owner

    // the job: written by the owner while no chunk of it is out
    size_t rows, chunk;
    uint32_t chunks;
    workers_fn *fn;
    void *context;

    char pad0[CACHE_LINE];
    _Atomic uint32_t unclaimed; // chunks that nobody has taken
    char pad1[CACHE_LINE];
    _Atomic uint32_t unfinished; // chunks not given in; the owner sleeps on it
    _Atomic uint32_t owner_sleeps;
    char pad2[CACHE_LINE];
    _Atomic uint32_t jobs; // counts up with each job; idle workers sleep on it
    _Atomic uint32_t sleepers;
    _Atomic bool stop;
};

static void
futex_wait(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void
futex_wake(_Atomic uint32_t *word, unsigned most)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
}

static void
pause_briefly(void)
{
#if defined __x86_64__
    __builtin_ia32_pause();
#endif
}

/* Takes a chunk; false when none is left. *left counts it too. */
static bool
claim(struct workers *team, uint32_t *left)
{
    *left = atomic_load_explicit(&team->unclaimed, memory_order_relaxed);
    while (*left > 0)
        if (atomic_compare_exchange_weak_explicit(
                &team->unclaimed, left, *left - 1, memory_order_acquire,
                memory_order_relaxed))
            return true;
    return false;
}

static void
give_in(struct workers *team)
{
    // both sequentially consistent: either we see that the owner sleeps, or
    // the owner sees the new count before it does
    if (atomic_fetch_sub(&team->unfinished, 1) == 1 &&
        atomic_load(&team->owner_sleeps) != 0)
        futex_wake(&team->unfinished, 1);
}

/*
 * Gives the processor away once in a while, at a moment when nobody waits for
 * us. Where another process has a claim to it, the system would otherwise take
 * it in the middle of a chunk, and the whole team would wait for milliseconds.
 * Nothing happens where nobody else wants it.
 */
static void
yield_in_time(uint64_t *yielded)
{
    if (clock_ns() - *yielded < YIELD_NS)
        return;
    sched_yield();
    *yielded = clock_ns();
}

/* Works until no chunk is left. The owner does not yield: NULL. */
static void
work(struct workers *team, unsigned worker, uint64_t *yielded)
{
    uint32_t left;

    while (claim(team, &left)) {
        size_t first = (size_t) (team->chunks - left) * team->chunk;
        size_t rest = team->rows - first;

        team->fn(team->context, worker, first,
                 rest < team->chunk ? rest : team->chunk);
        give_in(team);
        if (yielded != NULL)
            yield_in_time(yielded);
    }
}

/* True when there is work or the end within SPIN_NS. */
static bool
spin_for_work(struct workers *team)
{
    uint64_t end = clock_ns() + SPIN_NS;

    do
        for (int i = 0; i < SPIN_STEPS; i++) {
            if (atomic_load_explicit(&team->unclaimed, memory_order_relaxed) >
                    0 ||
                atomic_load_explicit(&team->stop, memory_order_relaxed))
                return true;
            pause_briefly();
        }
    while (clock_ns() < end);
    return false;
}

static void
sleep_for_work(struct workers *team)
{
    uint32_t seen = atomic_load(&team->jobs);

    atomic_fetch_add(&team->sleepers, 1);
    // a job published since is seen here, or it has changed `jobs`
    if (atomic_load(&team->unclaimed) == 0 && !atomic_load(&team->stop))
        futex_wait(&team->jobs, seen);
    atomic_fetch_sub(&team->sleepers, 1);
}

static void *
member_run(void *argument)
{
    struct member *member = argument;
    struct workers *team = member->team;
    uint64_t yielded = clock_ns();

    while (!atomic_load(&team->stop)) {
        work(team, member->index, &yielded);
        if (!spin_for_work(team))
            sleep_for_work(team);
    }
    return NULL;
}

/* Starts the threads that the system grants, and sets count. */
static void
members_start(struct workers *team, unsigned count)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); // signals are the owner's
    team->count = 1;
    for (unsigned i = 1; i < count; i++) {
        struct member *member = &team->members[i - 1];
        *member = (struct member){.team = team, .index = i};
        if (fault_due() ||
            pthread_create(&member->thread, NULL, member_run, member) != 0) {
            log_warn("only %u of %u workers could be started", i, count);
            break;
        }
        team->count = i + 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct workers *
workers_start(unsigned count)
{
    struct error err;
    void *team_memory, *members;

    if (count == 0)
        count = cpu_count();
    if (count > WORKERS_MAX)
        count = WORKERS_MAX;
    if (memory_alloc(&team_memory, sizeof(struct workers), &err) != STATUS_OK)
        return NULL;
    struct workers *team = team_memory;
    if (memory_alloc(&members, count * sizeof *team->members, &err) !=
        STATUS_OK) {
        free(team);
        return NULL;
    }
    team->members = members;
    members_start(team, count);
    return team;
}

void
workers_stop(struct workers *workers)
{
    if (workers == NULL)
        return;
    atomic_store(&workers->stop, true);
    atomic_fetch_add(&workers->jobs, 1);
    futex_wake(&workers->jobs, workers->count);
    for (unsigned i = 0; i + 1 < workers->count; i++)
        pthread_join(workers->members[i].thread, NULL);
    free(workers->members);
    free(workers);
}

unsigned
workers_count(const struct workers *workers)
{
    return workers->count;
}

static void
job_publish(struct workers *team)
{
    atomic_store_explicit(&team->unfinished, team->chunks,
                          memory_order_relaxed);
    // releases the fields above to whoever takes a chunk
    atomic_store(&team->unclaimed, team->chunks);
    atomic_fetch_add(&team->jobs, 1);
    if (atomic_load(&team->sleepers) > 0)
        futex_wake(&team->jobs, team->chunks - 1);
}

/* Waits for chunks that others still work on. */
static void
job_wait(struct workers *team)
{
    uint64_t end = clock_ns() + SPIN_NS;

    do
        for (int i = 0; i < SPIN_STEPS; i++) {
            if (atomic_load_explicit(&team->unfinished, memory_order_acquire) ==
                0)
                return;
            pause_briefly();
        }
    while (clock_ns() < end);

    uint32_t left;
    atomic_store(&team->owner_sleeps, 1);
    while ((left = atomic_load(&team->unfinished)) > 0)
        futex_wait(&team->unfinished, left);
    atomic_store(&team->owner_sleeps, 0);
}

void
workers_run(struct workers *workers, size_t rows, size_t chunk, workers_fn *fn,
            void *context)
{
    assert(chunk > 0);
    if (rows == 0)
        return;
    size_t chunks = (rows - 1) / chunk + 1;
    if (workers->count == 1 || chunks == 1) {
        for (size_t first = 0; first < rows; first += chunk)
            fn(context, 0, first, rows - first < chunk ? rows - first : chunk);
        return;
    }

    assert(chunks <= UINT32_MAX);
    workers->rows = rows;
    workers->chunk = chunk;
    workers->chunks = (uint32_t) chunks;
    workers->fn = fn;
    workers->context = context;
    job_publish(workers);
    work(workers, 0, NULL);
    job_wait(workers);
}
