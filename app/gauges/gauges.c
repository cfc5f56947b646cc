/* Events, as figures. */
#include "config.h"

#include "app/gauges/gauges.h"

#include "app/progress_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLOCKS_NS UINT64_C(1000000000) // between two looks at the clocks

/* What belongs to the answer that is coming. */
struct measuring {
    uint64_t number;        // of its GENERATE; 0: none comes
    uint64_t before, after; // the STATS around it
    bool before_known;
    struct stats_done process; // as before told
    struct machine_state machine;
    double share_sum; // of the clocks, sampled while it came
    unsigned share_count;
    uint64_t sampled_ns;
    struct bottleneck_figures figures; // complete but for the process
    bool waiting;                      // for `after`
};

static struct gauges gauges;
static struct measuring measuring;

const struct gauges *
gauges_now(void)
{
    return &gauges;
}

const uint32_t *
gauges_uses(uint64_t tokens, uint64_t *summed)
{
    return expert_window_sums(&gauges.experts, tokens, summed);
}

static void
copy_word(char out[GAUGE_WORD], const char *word)
{
    text_quote(out, GAUGE_WORD, word ? word : "", word ? strlen(word) : 0);
}

/* -- loading ----------------------------------------------------------------
 */

static void note(const struct gauge_time *time, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* A line of the log; the oldest one makes room. */
static void
note(const struct gauge_time *time, const char *format, ...)
{
    struct gauge_load *load = &gauges.load;
    va_list args;

    if (load->logged == GAUGE_LOG) {
        memmove(&load->log[0], &load->log[1],
                (GAUGE_LOG - 1) * sizeof load->log[0]);
        load->logged--;
    }
    struct gauge_event *event = &load->log[load->logged++];

    event->wall_ms = time->wall_ms;
    va_start(args, format);
    vsnprintf(event->text, sizeof event->text, format, args);
    va_end(args);
}

void
gauges_start(const struct gauge_time *time)
{
    expert_window_release(&gauges.experts);
    gauges.experts_asked = false;
    gauges.load = (struct gauge_load){.begun_ns = time->now_ns};
    gauges.process_known = false;
    measuring = (struct measuring){0};
    note(time, "the engine was started");
}

static void
take_read(const struct progress_event *progress, const struct gauge_time *time)
{
    struct gauge_load *load = &gauges.load;
    char bytes[BYTES_TEXT];

    if (load->read == GAUGE_WAITS) {
        load->read = GAUGE_RUNS;
        load->read_begun_ns = time->now_ns;
        load->read_first = progress->done;
        note(time, "reading %s of weights",
             progress_bytes(bytes, (double) progress->of));
    }
    load->read_done = progress->done;
    load->read_of = progress->of;
    if (load->read == GAUGE_RUNS && progress->of > 0 &&
        progress->done >= progress->of) {
        load->read = GAUGE_ENDED;
        load->read_ended_ns = time->now_ns;
        note(time, "all weights are read");
    }
}

static void
take_tokenizer(const struct progress_event *progress,
               const struct gauge_time *time)
{
    struct gauge_load *load = &gauges.load;

    if (load->tokenizer == GAUGE_WAITS) {
        load->tokenizer = GAUGE_RUNS;
        load->tokenizer_begun_ns = time->now_ns;
    }
    if (load->tokenizer == GAUGE_RUNS && progress->of > 0 &&
        progress->done >= progress->of) {
        load->tokenizer = GAUGE_ENDED;
        load->tokenizer_ended_ns = time->now_ns;
        note(time, "the tokenizer is ready");
    }
}

static void
take_progress(const struct progress_event *progress,
              const struct gauge_time *time)
{
    struct gauge_load *load = &gauges.load;

    if (progress->phase == PHASE_PREFILL)
        return;
    bool queued = progress->phase == PHASE_QUEUE;

    if (queued && (!load->queued || load->ahead != progress->done))
        note(time, "%llu request%s first", (unsigned long long) progress->done,
             progress->done == 1 ? " of others goes" : "s of others go");
    load->queued = queued;
    load->ahead = queued ? progress->done : 0;
    if (progress->phase == PHASE_READ)
        take_read(progress, time);
    if (progress->phase == PHASE_TOKENIZER)
        take_tokenizer(progress, time);
}

static void
take_plan(const struct engine_plan *plan)
{
    struct gauge_load *load = &gauges.load;

    if (plan->weights_bytes == 0)
        return;
    load->planned = true;
    load->plan = *plan;
    copy_word(load->device, plan->device);
    copy_word(load->level, plan->level);
    copy_word(load->cache, plan->cache);
    load->plan.device = load->plan.level = load->plan.cache = NULL;
}

static void
take_opened(const struct open_done *opened, const struct gauge_time *time)
{
    struct gauge_load *load = &gauges.load;

    if (load->ended_ns != 0 || opened->context == 0)
        return;
    take_plan(&opened->plan);
    load->ended_ns = time->now_ns;
    load->read_ms = opened->read_ms;
    load->tokenizer_ms = opened->tokenizer_ms;
    load->queued = false;
    note(time, opened->read_ms > 0 ? "the model is ready"
                                   : "the model was in memory already");
}

/* -- an answer --------------------------------------------------------------
 */

void
gauges_asked(uint64_t number, uint64_t stats, const struct gauge_time *time)
{
    measuring = (struct measuring){.number = number, .before = stats};
    machine_state_read(&measuring.machine, time->now_ns);
}

/* Processors without work clock down: only while they compute it counts. */
static void
sample_clocks(const struct gauge_time *time)
{
    struct machine_state machine;

    if (time->now_ns < measuring.sampled_ns + CLOCKS_NS)
        return;
    measuring.sampled_ns = time->now_ns;
    machine_state_read(&machine, time->now_ns);
    if (machine.clock_share <= 0)
        return;
    measuring.share_sum += machine.clock_share;
    measuring.share_count++;
}

static void
find_why(void)
{
    gauges.why = bottleneck_find(&measuring.figures, gauges.why_text);
}

/* Times of a load overlap; the longest is what was waited for. */
static double
load_ms(const struct generate_timing *t)
{
    double most = t->load_read_ms > t->load_tokenizer_ms ? t->load_read_ms
                                                         : t->load_tokenizer_ms;

    return t->load_first_token_ms > most ? t->load_first_token_ms : most;
}

static void
fill_figures(const struct generate_done *done, const struct gauge_time *time)
{
    struct bottleneck_figures *f = &measuring.figures;
    const struct machine_state *before = &measuring.machine;
    const struct generate_timing *t = &done->timing;
    struct machine_state now;
    uint64_t elapsed_ns = time->now_ns - before->at_ns;
    double decode_ms = t->total_ms - t->ttft_ms;

    machine_state_read(&now, time->now_ns);
    *f = (struct bottleneck_figures){
        .total_ms = t->total_ms,
        .queue_ms = t->queue_ms,
        .load_ms = load_ms(t),
        .prefill_ms = t->prefill_ms,
        .decode_ms = decode_ms > 0 ? decode_ms : 0,
        .prompt_tokens = done->usage.prompt > done->usage.cached
                             ? done->usage.prompt - done->usage.cached
                             : 0,
        .prompt_tps = t->prompt_tps,
        .decode_tps = t->decode_tps,
        .token_bytes = done->placement.token_bytes,
        .bandwidth_bytes = (double) done->placement.bandwidth_bytes,
        .threads = done->placement.threads,
        .processors = now.processors,
        .cpu_stalled =
            machine_state_share(before->cpu_us, now.cpu_us, elapsed_ns),
        .memory_stalled =
            machine_state_share(before->memory_us, now.memory_us, elapsed_ns),
        .disk_stalled =
            machine_state_share(before->disk_us, now.disk_us, elapsed_ns),
        .clock_share = measuring.share_count > 0
                           ? measuring.share_sum / measuring.share_count
                           : 0,
    };
}

static void
keep_answer(const struct generate_done *done, const struct gauge_time *time)
{
    struct gauge_session *s = &gauges.session;

    memmove(&gauges.answers[1], &gauges.answers[0],
            (GAUGE_ANSWERS - 1) * sizeof gauges.answers[0]);
    gauges.answers[0] = (struct gauge_answer){
        .wall_ms = time->wall_ms,
        .decode_tps = done->timing.decode_tps,
        .tokens = done->usage.thinking + done->usage.answer};
    if (gauges.answer_count < GAUGE_ANSWERS)
        gauges.answer_count++;
    s->answers++;
    s->prompt += done->usage.prompt;
    s->cached += done->usage.cached;
    s->thinking += done->usage.thinking;
    s->answer += done->usage.answer;
    s->total_ms += done->timing.total_ms;
}

static void
take_answered(const struct generate_done *done, const struct gauge_time *time)
{
    gauges.answered = true;
    gauges.last = *done;
    copy_word(gauges.mode, done->thinking.mode);
    copy_word(gauges.device, done->placement.device);
    copy_word(gauges.level, done->placement.level);
    copy_word(gauges.cache, done->placement.cache);
    gauges.last.thinking.mode = gauges.last.placement.device =
        gauges.last.placement.level = gauges.last.placement.cache = NULL;
    gauges.last.model = (struct model_summary){0};
    gauges.last.warnings = NULL;
    gauges.last.warning_count = 0;
    keep_answer(done, time);
    fill_figures(done, time);
    find_why();
    measuring.waiting = true;
    measuring.number = 0;
}

void
gauges_stats_asked(uint64_t number)
{
    measuring.after = number;
}

/* The engine's own figures after an answer: now it can be told. */
static void
take_after(const struct stats_done *stats)
{
    struct bottleneck_figures *f = &measuring.figures;
    const struct stats_done *before = &measuring.process;

    if (!measuring.waiting || !measuring.before_known ||
        stats->memory_bytes == 0 || stats->cpu_ms < before->cpu_ms)
        return;
    f->process_known = true;
    f->cpu_ms = (double) (stats->cpu_ms - before->cpu_ms);
    f->faults = stats->faults - before->faults;
    f->displaced = stats->displaced - before->displaced;
    measuring.waiting = false;
    find_why();
}

static void
take_stats(const struct event *event)
{
    if (event->number != measuring.before && event->number != measuring.after)
        return;
    gauges.process_known = event->stats.memory_bytes > 0;
    gauges.process = event->stats;
    // what lies behind these belongs to the event
    gauges.process.engine = gauges.process.file = gauges.process.state = NULL;
    if (event->number == measuring.after)
        take_after(&gauges.process);
    else if (measuring.number != 0) {
        measuring.process = gauges.process;
        measuring.before_known = gauges.process_known;
    }
}

/* -- all of it --------------------------------------------------------------
 */

static bool
take_done(const struct event *event, const struct gauge_time *time)
{
    if (event->number == measuring.number) {
        take_answered(&event->generate, time);
        return true;
    }
    take_opened(&event->open, time);
    take_plan(&event->plan);
    take_stats(event);
    return false;
}

static void
take_experts(const struct residency *residency)
{
    struct error err;

    gauges.experts_asked = true;
    if (expert_window_add(&gauges.experts, residency, &err) != STATUS_OK)
        log_warn("no counts of experts are kept: status %d", (int) err.status);
}

bool
gauges_take(const struct event *event, const struct gauge_time *time)
{
    if (event->number == 0)
        return false;
    if (event->number == measuring.number)
        sample_clocks(time);
    switch (event->type) {
    case MESSAGE_PROGRESS:
        if (gauges.load.ended_ns == 0)
            take_progress(&event->progress, time);
        return false;
    case MESSAGE_RESIDENCY:
        take_experts(&event->residency);
        return false;
    case MESSAGE_DONE:
        return take_done(event, time);
    case MESSAGE_ERROR:
        if (event->number == measuring.number)
            measuring.number = 0;
        return false;
    case MESSAGE_OPEN:
    case MESSAGE_TEXT:
    case MESSAGE_DESCRIBE:
    case MESSAGE_TOKENIZE:
    case MESSAGE_PLAN:
    case MESSAGE_GENERATE:
    case MESSAGE_CANCEL:
    case MESSAGE_SNAPSHOT:
    case MESSAGE_STATS:
    case MESSAGE_ANSWER_NOW:
    case MESSAGE_TOKEN:
    case MESSAGE_LOOP:
    case MESSAGE_IDS:
        return false;
    }
    return false;
}

void
gauges_forget(void)
{
    struct gauge_load load = gauges.load;

    expert_window_release(&gauges.experts);
    explicit_bzero(&gauges, sizeof gauges);
    explicit_bzero(&measuring, sizeof measuring);
    gauges.load = load;
}
