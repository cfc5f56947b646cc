/* What a chat keeps of the engine's events for its gauges. */
#include "config.h"

#include "app/gauges/gauges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static struct gauge_time
at(uint64_t s)
{
    return (struct gauge_time){s * SECOND, 1000 * (1795000000 + s)};
}

static bool
take(struct event event, uint64_t s)
{
    struct gauge_time time = at(s);

    return gauges_take(&event, &time);
}

static void
start(uint64_t s)
{
    struct gauge_time time = at(s);

    gauges_forget();
    gauges_start(&time);
}

static void
progress(enum progress_phase phase, uint64_t done, uint64_t of, uint64_t s)
{
    take((struct event){.type = MESSAGE_PROGRESS,
                        .number = 1,
                        .progress = {phase, done, of}},
         s);
}

static void
a_load_is_told_step_by_step(void **state)
{
    const struct gauge_load *load = &gauges_now()->load;

    (void) state;
    start(10);
    assert_int_equal(load->read, GAUGE_WAITS);
    progress(PHASE_QUEUE, 2, 0, 10);
    assert_true(load->queued && load->ahead == 2);
    progress(PHASE_READ, 0, 4000, 11);
    progress(PHASE_TOKENIZER, 0, 1, 11);
    assert_false(load->queued);
    progress(PHASE_READ, 1000, 4000, 12);
    assert_int_equal(load->read, GAUGE_RUNS);
    assert_int_equal(load->read_done, 1000);
    progress(PHASE_TOKENIZER, 1, 1, 13);
    assert_int_equal(load->tokenizer, GAUGE_ENDED);
    assert_int_equal(load->tokenizer_ended_ns, 13 * SECOND);
    progress(PHASE_READ, 4000, 4000, 14);
    assert_int_equal(load->read, GAUGE_ENDED);
    assert_int_equal(load->ended_ns, 0);
    take((struct event){.type = MESSAGE_DONE,
                        .number = 1,
                        .open = {.context = 4096,
                                 .read_ms = 3000,
                                 .plan = {.weights_bytes = 4000,
                                          .device = "cpu",
                                          .level = "avx2"}}},
         15);
    assert_int_equal(load->ended_ns, 15 * SECOND);
    assert_true(load->planned);
    assert_string_equal(load->level, "avx2");
    assert_null(load->plan.level);
    assert_string_equal(load->log[load->logged - 1].text, "the model is ready");
    // a prompt is no load
    progress(PHASE_PREFILL, 1, 2, 16);
    progress(PHASE_READ, 1, 2, 16);
    assert_int_equal(load->read_done, 4000);
}

static void
a_long_log_keeps_its_end(void **state)
{
    const struct gauge_load *load = &gauges_now()->load;

    (void) state;
    start(1);
    progress(PHASE_READ, 0, 10, 2);
    progress(PHASE_READ, 10, 10, 3);
    assert_int_equal(load->logged, 3);
    for (uint64_t i = 0; i < 50; i++)
        progress(PHASE_QUEUE, 50 - i, 0, 4 + i);
    assert_int_equal(load->logged, GAUGE_LOG);
    assert_int_equal(load->log[0].wall_ms, at(42).wall_ms);
    assert_string_equal(load->log[GAUGE_LOG - 1].text,
                        "1 request of others goes first");
}

static struct generate_done
answer(double total_ms)
{
    return (struct generate_done){
        .usage = {.prompt = 100,
                  .cached = 60,
                  .thinking = 20,
                  .answer = 30,
                  .context = 4096},
        .timing = {.total_ms = total_ms,
                   .ttft_ms = total_ms / 10,
                   .prefill_ms = total_ms / 10,
                   .decode_tps = 10},
        .thinking = {.mode = "on"},
        .placement = {.device = "cpu", .level = "avx2", .threads = 2},
    };
}

static void
ask(uint64_t number, uint64_t stats, uint64_t s)
{
    struct gauge_time time = at(s);

    gauges_asked(number, stats, &time);
}

static void
an_answer_is_kept_and_asks_for_the_engines_figures(void **state)
{
    const struct gauges *g = gauges_now();
    struct event done = {
        .type = MESSAGE_DONE, .number = 7, .generate = answer(10000)};

    (void) state;
    start(0);
    ask(7, 6, 1);
    assert_false(take((struct event){.type = MESSAGE_DONE,
                                     .number = 6,
                                     .stats = {.memory_bytes = 1,
                                               .cpu_ms = 5000,
                                               .faults = 10,
                                               .state = "idle"}},
                      1));
    assert_false(g->answered);
    assert_true(take(done, 11));
    assert_true(g->answered);
    assert_int_equal(g->answer_count, 1);
    assert_int_equal(g->answers[0].tokens, 50);
    assert_int_equal(g->session.prompt, 100);
    assert_string_equal(g->mode, "on");
    assert_null(g->last.placement.device);
    assert_true(g->why_text[0] != '\0');
    gauges_stats_asked(8);
    // 9,000 pages came back from the disk meanwhile
    assert_false(take(
        (struct event){
            .type = MESSAGE_DONE,
            .number = 8,
            .stats = {.memory_bytes = 3, .cpu_ms = 24000, .faults = 9010}},
        11));
    assert_int_equal(g->process.memory_bytes, 3);
    assert_null(g->process.state);
    // a second DONE of that number is of no answer
    assert_false(take(done, 12));
    assert_int_equal(g->answer_count, 1);
}

static void
the_bars_keep_the_newest(void **state)
{
    const struct gauges *g = gauges_now();

    (void) state;
    start(0);
    for (uint64_t i = 1; i <= 30; i++) {
        ask(i, 0, i);
        assert_true(take((struct event){.type = MESSAGE_DONE,
                                        .number = i,
                                        .generate = answer((double) i)},
                         i));
    }
    assert_int_equal(g->answer_count, GAUGE_ANSWERS);
    assert_int_equal(g->answers[0].wall_ms, at(30).wall_ms);
    assert_int_equal(g->answers[11].wall_ms, at(19).wall_ms);
    assert_int_equal(g->session.answers, 30);
}

static void
what_was_said_is_forgotten(void **state)
{
    const struct gauges *g = gauges_now();
    uint32_t uses[8] = {4};
    uint64_t summed;

    (void) state;
    start(3);
    take((struct event){.type = MESSAGE_RESIDENCY,
                        .number = 7,
                        .residency = {.tokens = 4,
                                      .layers = 2,
                                      .experts = 4,
                                      .uses = uses}},
         4);
    assert_int_equal(gauges_uses(32, &summed)[0], 4);
    assert_int_equal(summed, 4);
    ask(7, 0, 4);
    assert_true(take((struct event){.type = MESSAGE_DONE,
                                    .number = 7,
                                    .generate = answer(500)},
                     5));
    gauges_forget();
    assert_null(gauges_uses(32, &summed));
    assert_false(g->answered);
    assert_int_equal(g->answer_count, 0);
    assert_int_equal(g->session.answers, 0);
    assert_string_equal(g->why_text, "");
    assert_int_equal(g->load.begun_ns, 3 * SECOND); // the model is still there
}

static void
an_answer_that_failed_is_none(void **state)
{
    (void) state;
    start(0);
    ask(7, 0, 1);
    assert_false(take((struct event){.type = MESSAGE_ERROR, .number = 7}, 2));
    assert_false(take((struct event){.type = MESSAGE_DONE,
                                     .number = 7,
                                     .generate = answer(500)},
                      3));
    assert_false(gauges_now()->answered);
    gauges_forget();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_is_told_step_by_step),
        cmocka_unit_test(a_long_log_keeps_its_end),
        cmocka_unit_test(an_answer_is_kept_and_asks_for_the_engines_figures),
        cmocka_unit_test(the_bars_keep_the_newest),
        cmocka_unit_test(what_was_said_is_forgotten),
        cmocka_unit_test(an_answer_that_failed_is_none),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
