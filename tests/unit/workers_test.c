/* kernels/workers.h and kernels/cpu.h. */
#include "config.h"

#include "base/base.h"
#include "kernels/kernels.h"

#include <dirent.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MAX = 5000, TEAM_MAX = 5 };

/* ---- chunks ---- */

struct tally {
    _Atomic unsigned runs[ROWS_MAX];
    _Atomic bool busy[TEAM_MAX]; // a worker's number is one thread's
    _Atomic unsigned faults;
    size_t rows, chunk;
    unsigned team;
};

static void
tally_rows(void *context, unsigned worker, size_t first, size_t count)
{
    struct tally *tally = context;

    if (worker >= tally->team || count == 0 || count > tally->chunk ||
        first % tally->chunk != 0 || first + count > tally->rows ||
        atomic_exchange(&tally->busy[worker], true)) {
        atomic_fetch_add(&tally->faults, 1);
        return;
    }
    for (size_t r = first; r < first + count; r++)
        atomic_fetch_add(&tally->runs[r], 1);
    atomic_store(&tally->busy[worker], false);
}

static void
tally_job(struct workers *workers, size_t rows, size_t chunk)
{
    static struct tally tally;

    memset(&tally, 0, sizeof tally);
    tally.rows = rows;
    tally.chunk = chunk;
    tally.team = workers_count(workers);
    workers_run(workers, rows, chunk, tally_rows, &tally);
    assert_int_equal(tally.faults, 0);
    for (size_t r = 0; r < ROWS_MAX; r++)
        assert_int_equal(tally.runs[r], r < rows);
}

static void
every_row_is_run_exactly_once(void **state)
{
    uint32_t random = 1;

    (void) state;
    for (unsigned team = 1; team <= TEAM_MAX; team++) {
        struct workers *workers = workers_start(team);
        assert_non_null(workers);
        assert_int_equal(workers_count(workers), team);
        for (int job = 0; job < 300; job++) {
            random = random * 1664525 + 1013904223;
            tally_job(workers, (random >> 8) % ROWS_MAX,
                      1 + (random >> 20) % 100);
        }
        tally_job(workers, 0, 1);
        tally_job(workers, ROWS_MAX, ROWS_MAX);
        tally_job(workers, ROWS_MAX, 1);
        workers_stop(workers);
    }
}

struct sum {
    _Atomic size_t rows;
};

static void
count_rows(void *context, unsigned worker, size_t first, size_t count)
{
    struct sum *sum = context;

    (void) worker;
    (void) first;
    atomic_fetch_add(&sum->rows, count);
}

static void
a_job_is_done_when_run_returns_also_after_many_small_ones(void **state)
{
    struct workers *workers = workers_start(3);

    (void) state;
    assert_non_null(workers);
    for (size_t job = 0; job < 20000; job++) {
        struct sum sum = {0}; // dies with this turn of the loop
        workers_run(workers, 1 + job % 7, 1, count_rows, &sum);
        assert_int_equal(sum.rows, 1 + job % 7);
    }
    workers_stop(workers);
}

/* The owner's chunk ends as soon as another worker has begun a long one. */
struct slow {
    _Atomic bool begun, done;
};

static void
slow_rows(void *context, unsigned worker, size_t first, size_t count)
{
    struct slow *slow = context;
    uint64_t end = clock_ns() + 1000000; // far beyond spinning

    (void) first;
    (void) count;
    if (worker == 0) {
        for (end += 5u * 1000000000u; !slow->begun && clock_ns() < end;)
            sched_yield();
        return;
    }
    slow->begun = true;
    while (clock_ns() < end)
        ;
    slow->done = true;
}

static void
run_waits_for_a_slow_worker(void **state)
{
    struct workers *workers = workers_start(2);

    (void) state;
    assert_non_null(workers);
    for (int job = 0; job < 20; job++) {
        struct slow slow = {false, false};
        workers_run(workers, 2, 1, slow_rows, &slow);
        assert_true(slow.begun && slow.done);
    }
    workers_stop(workers);
}

static void
a_team_can_stop_and_start_at_any_time(void **state)
{
    (void) state;
    workers_stop(NULL);
    for (unsigned i = 0; i < 200; i++) {
        struct workers *workers = workers_start(1 + i % 4);
        assert_non_null(workers);
        if (i % 3 != 0)
            tally_job(workers, i, 1 + i % 5);
        workers_stop(workers);
    }
}

/* ---- idle ---- */

/* The state of a thread of ours: R, S ... */
static char
thread_state(const char *id)
{
    char path[300], line[512];

    snprintf(path, sizeof path, "/proc/self/task/%s/stat", id);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return '?';
    bool got = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    const char *end = got ? strrchr(line, ')') : NULL; // after the name
    return end != NULL && end[1] == ' ' ? end[2] : '?';
}

static unsigned
threads_asleep(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned asleep = 0;

    assert_non_null(tasks);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        if (entry->d_name[0] != '.' && thread_state(entry->d_name) == 'S')
            asleep++;
    closedir(tasks);
    return asleep;
}

static void
idle_workers_sleep(void **state)
{
    struct workers *workers = workers_start(3);
    uint64_t end = clock_ns() + 20u * 1000000000u;

    (void) state;
    assert_non_null(workers);
    tally_job(workers, 100, 1);
    while (threads_asleep() < 2 && clock_ns() < end)
        sched_yield();
    assert_true(threads_asleep() >= 2);
    tally_job(workers, 100, 1); // and wake up
    workers_stop(workers);
}

/* ---- results ---- */

struct layer {
    const struct kernels *kernels;
    const struct format *format;
    const uint8_t *w;
    const struct activations *a;
    float *y;
    size_t rows;
};

enum { WIDTH = 512, ROWS = 333, TOKENS = 3 };

static void
layer_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct layer *l = context;

    (void) worker;
    l->kernels->linear_vector(l->format,
                              l->w + first * format_row_bytes(l->format, WIDTH),
                              count, l->a, l->y + first, l->rows);
}

static void
a_result_does_not_depend_on_team_or_chunk(void **state)
{
    static float x[WIDTH], want[TOKENS * ROWS], got[TOKENS * ROWS];
    const struct format *format = format_find(FORMAT_Q4_1);
    size_t row_bytes = format_row_bytes(format, WIDTH);
    uint8_t *w = malloc(ROWS * row_bytes);
    struct activations a;
    size_t bytes = (activations_bytes(TOKENS, WIDTH / 32) + 63) / 64 * 64;
    void *planes = aligned_alloc(64, bytes);
    struct layer layer = {
        kernels_select(cpu_level()), format, w, &a, NULL, ROWS};
    uint32_t random = 7;

    (void) state;
    assert_true(w != NULL && planes != NULL);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t i = 0; i < WIDTH; i++)
            x[i] = (float) (int32_t) (random = random * 1664525 + 1013904223);
        format_encode_row(format, x, w + r * row_bytes, WIDTH);
    }
    activations_place(&a, planes, TOKENS, WIDTH / 32, false);
    for (size_t t = 0; t < TOKENS; t++) {
        for (size_t i = 0; i < WIDTH; i++)
            x[i] = (float) (int32_t) (random = random * 1664525 + 1013904223);
        assert_true(layer.kernels->quantize_q8(&a, t, x));
    }
    layer.y = want;
    layer_rows(&layer, 0, 0, ROWS);
    layer.y = got;
    for (unsigned team = 1; team <= 3; team++)
        for (size_t chunk = 1; chunk < 100; chunk += 1 + chunk / 2) {
            struct workers *workers = workers_start(team);
            memset(got, 0xff, sizeof got);
            workers_run(workers, ROWS, chunk, layer_rows, &layer);
            assert_memory_equal(got, want, sizeof got);
            workers_stop(workers);
        }
    free(planes);
    free(w);
}

/* ---- refusals ---- */

static void
a_team_is_smaller_when_the_system_refuses_and_null_without_memory(void **state)
{
    (void) state;
    for (unsigned long n = 1; n <= 2; n++) { // the team, its members
        fault_arm(n);
        assert_null(workers_start(3));
    }
    for (unsigned long n = 3; n <= 4; n++) { // the threads
        fault_arm(n);
        struct workers *workers = workers_start(3);
        assert_non_null(workers);
        assert_int_equal(workers_count(workers), n - 2);
        tally_job(workers, 100, 3);
        workers_stop(workers);
    }
    fault_arm(0);
}

/* ---- the processor ---- */

static void
a_quota_is_rounded_up_to_processors(void **state)
{
    (void) state;
    assert_int_equal(cpu_quota("max 100000\n"), 0);
    assert_int_equal(cpu_quota("200000 100000\n"), 2);
    assert_int_equal(cpu_quota("150000 100000\n"), 2);
    assert_int_equal(cpu_quota("1000 100000\n"), 1);
    assert_int_equal(cpu_quota("100000 0\n"), 0);
    assert_int_equal(cpu_quota(""), 0);
    assert_int_equal(cpu_quota("99999999999999999999 1"), 0);
    assert_true(cpu_count() >= 1);
}

static void
the_environment_limits_the_level_but_cannot_raise_it(void **state)
{
    enum cpu_level most;

    (void) state;
    unsetenv("FATHOM_CPU");
    most = cpu_level();
    setenv("FATHOM_CPU", "ref", 1);
    assert_int_equal(cpu_level(), CPU_REF);
    setenv("FATHOM_CPU", "avx2", 1);
    assert_true(cpu_level() <= most);
    setenv("FATHOM_CPU", "fast", 1);
    assert_int_equal(cpu_level(), most);
    unsetenv("FATHOM_CPU");
    assert_string_equal(cpu_level_name(CPU_REF), "ref");
    assert_int_equal(kernels_select(CPU_REF)->level, CPU_REF);
    assert_int_equal(kernels_select(most)->level, most);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_run_exactly_once),
        cmocka_unit_test(
            a_job_is_done_when_run_returns_also_after_many_small_ones),
        cmocka_unit_test(run_waits_for_a_slow_worker),
        cmocka_unit_test(a_team_can_stop_and_start_at_any_time),
        cmocka_unit_test(idle_workers_sleep),
        cmocka_unit_test(a_result_does_not_depend_on_team_or_chunk),
        cmocka_unit_test(
            a_team_is_smaller_when_the_system_refuses_and_null_without_memory),
        cmocka_unit_test(a_quota_is_rounded_up_to_processors),
        cmocka_unit_test(the_environment_limits_the_level_but_cannot_raise_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
