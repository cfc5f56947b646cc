/* Why an answer was slow: each rule from figures that are known by hand. */
#include "config.h"

#include "app/gauges/bottleneck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* Ten seconds on a free machine: 2 s of prompt, 8 s of answer. */
static const struct bottleneck_figures free_machine = {
    .total_ms = 10000,
    .prefill_ms = 2000,
    .decode_ms = 8000,
    .prompt_tokens = 1000,
    .prompt_tps = 500,
    .decode_tps = 10,
    .token_bytes = 1000000000,
    .threads = 2,
    .process_known = true,
    .cpu_ms = 19800,
    .processors = 2,
    .cpu_stalled = 0.02,
    .clock_share = 0.98,
};

static void
expect(const struct bottleneck_figures *figures, enum bottleneck wanted,
       const char *words)
{
    char text[BOTTLENECK_TEXT] = "";

    assert_int_equal(bottleneck_find(figures, text), wanted);
    if (strstr(text, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, text);
    assert_true(strlen(bottleneck_name(wanted)) > 3);
}

static void
nothing_stands_out_on_a_free_machine(void **state)
{
    (void) state;
    expect(&free_machine, BOTTLENECK_NONE,
           "of 10.0 s, 20 % went into the prompt and 80 % into the answer; "
           "each token reads 1.0 GB of weights, 10.0 GB a second");
}

static void
unknown_figures_prove_nothing(void **state)
{
    struct bottleneck_figures f = {.total_ms = 1000,
                                   .decode_ms = 900,
                                   .cpu_stalled = -1,
                                   .memory_stalled = -1,
                                   .disk_stalled = -1};

    (void) state;
    expect(&f, BOTTLENECK_NONE, "90 % into the answer");
    f.total_ms = 0;
    expect(&f, BOTTLENECK_SHORT, "took 0 ms");
}

static void
parts_of_the_time_are_named(void **state)
{
    struct bottleneck_figures f = free_machine;

    (void) state;
    f.queue_ms = 5000;
    expect(&f, BOTTLENECK_QUEUE, "for 5.0 of 10.0 s");
    f.queue_ms = 4900;
    f.load_ms = 5100;
    expect(&f, BOTTLENECK_LOAD, "for 5.1 of 10.0 s the model was being loaded");
    f = free_machine;
    f.prefill_ms = 5000;
    f.decode_ms = 5000;
    expect(&f, BOTTLENECK_PROMPT, "reading 1,000 tokens of the prompt");
    f.prefill_ms = 4900;
    expect(&f, BOTTLENECK_NONE, "49 %");
    f.total_ms = 200;
    expect(&f, BOTTLENECK_SHORT, "200 ms");
}

static void
a_machine_short_of_memory_is_told(void **state)
{
    struct bottleneck_figures f = free_machine;

    (void) state;
    f.faults = 5000;
    expect(&f, BOTTLENECK_NONE, ""); // they came, and nobody waited
    f.memory_stalled = 0.31;
    expect(&f, BOTTLENECK_PAGING, "5,000 pages");
    expect(&f, BOTTLENECK_PAGING, "31 % of the time");
    f.memory_stalled = f.disk_stalled = -1;
    expect(&f, BOTTLENECK_PAGING, "memory is short");
}

static void
a_busy_machine_is_told_from_an_idle_engine(void **state)
{
    struct bottleneck_figures f = free_machine;

    (void) state;
    f.cpu_ms = 10000;                // of 20000
    expect(&f, BOTTLENECK_NONE, ""); // it was idle on its own account
    f.cpu_stalled = 0.6;
    expect(&f, BOTTLENECK_BUSY, "2 threads got 50 % of their time");
    expect(&f, BOTTLENECK_BUSY, "60 % of the time");
    f.cpu_stalled = -1; // a kernel without PSI
    expect(&f, BOTTLENECK_NONE, "");
    f.displaced = 600;
    expect(&f, BOTTLENECK_BUSY, "other programs the rest");
    f.process_known = false;
    expect(&f, BOTTLENECK_NONE, "");
}

static void
the_machine_itself_can_be_slow(void **state)
{
    struct bottleneck_figures f = free_machine;

    (void) state;
    f.clock_share = 0.5;
    expect(&f, BOTTLENECK_CLOCK, "50 % of their highest clock");
    f = free_machine;
    f.processors = 16;
    expect(&f, BOTTLENECK_THREADS, "2 threads, it could use 16 processors");
    f.processors = 4; // may be two cores
    expect(&f, BOTTLENECK_NONE, "");
    f.bandwidth_bytes = 12e9;
    expect(&f, BOTTLENECK_BANDWIDTH, "10.0 GB a second, of the 12.0 GB");
    f.bandwidth_bytes = 40e9;
    expect(&f, BOTTLENECK_NONE, "10.0 GB a second, of the 40.0 GB");
    f.total_ms = f.decode_ms = 1e300; // as an engine gone mad would tell
    f.memory_stalled = 0.5;
    expect(&f, BOTTLENECK_NONE, "of 1000000");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_stands_out_on_a_free_machine),
        cmocka_unit_test(unknown_figures_prove_nothing),
        cmocka_unit_test(parts_of_the_time_are_named),
        cmocka_unit_test(a_machine_short_of_memory_is_told),
        cmocka_unit_test(a_busy_machine_is_told_from_an_idle_engine),
        cmocka_unit_test(the_machine_itself_can_be_slow),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
