/* Statistics: the gauges' figures as labels and values. */
#include "config.h"

#include "app/screen/chat_screen.h"
#include "app/gauges/gauges.h"
#include "app/progress_text.h"
#include "app/time_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 8, PARTS = 4, VALUE_BYTES = 240, CLOCK_BYTES = 8 };

/* A part that is being filled. */
struct filled_part {
    struct stats_row rows[ROWS];
    char values[ROWS][VALUE_BYTES];
    size_t count;
};

static struct {
    struct chat *chat;
    struct view_stats view;
    struct filled_part filled[PARTS];
    struct stats_part parts[PARTS];
    struct stats_bar bars[GAUGE_ANSWERS];
    char clocks[GAUGE_ANSWERS][CLOCK_BYTES];
    char tokens[GAUGE_ANSWERS][COUNT_TEXT + 16];
    struct stats_sheet sheet;
    char right[60];
} screen_stats;

static void add(struct filled_part *part, const char *label, const char *format,
                ...) PRINTF_LIKE(3, 4);

static void
add(struct filled_part *part, const char *label, const char *format, ...)
{
    va_list args;

    if (part->count == ROWS)
        return;
    va_start(args, format);
    vsnprintf(part->values[part->count], VALUE_BYTES, format, args);
    va_end(args);
    part->rows[part->count] =
        (struct stats_row){label, part->values[part->count]};
    part->count++;
}

/* "13.8 tok/s"; 0 was not measured. */
static const char *
rate(char out[COUNT_TEXT], double tps)
{
    if (tps > 0)
        snprintf(out, COUNT_TEXT, "%.*f tok/s", tps < 100 ? 1 : 0, tps);
    else
        snprintf(out, COUNT_TEXT, "not measured");
    return out;
}

/* "33 ms", "1.01 s" */
static const char *
duration(char out[COUNT_TEXT], double ms)
{
    if (ms < 999.5)
        snprintf(out, COUNT_TEXT, "%.0f ms", ms > 0 ? ms : 0);
    else
        snprintf(out, COUNT_TEXT, "%.*f s", ms < 99950 ? 1 : 0, ms / 1e3);
    return out;
}

static void
fill_answer(struct filled_part *part, const struct generate_done *done)
{
    char a[COUNT_TEXT], b[COUNT_TEXT], c[COUNT_TEXT], d[COUNT_TEXT];
    const struct generate_timing *t = &done->timing;
    uint64_t used =
        done->usage.prompt + done->usage.thinking + done->usage.answer;

    add(part, "tokens",
        "%s prompt (%s kept from before), %s thinking, %s "
        "answer",
        text_count(a, done->usage.prompt), text_count(b, done->usage.cached),
        text_count(c, done->usage.thinking), text_count(d, done->usage.answer));
    add(part, "time", "first token after %s, thinking %s, all %s",
        duration(a, t->ttft_ms), duration(b, t->thinking_ms),
        duration(c, t->total_ms));
    add(part, "speed", "prompt %s, answer %s", rate(a, t->prompt_tps),
        rate(b, t->decode_tps));
    add(part, "context", "%s of %s tokens, %.0f %%", text_count(a, used),
        text_count(b, done->usage.context),
        done->usage.context > 0
            ? 100.0 * (double) used / (double) done->usage.context
            : 0);
    add(part, "ended", "%s", protocol_finish_name(done->finish));
}

static void
fill_session(struct filled_part *part, const struct gauge_session *s)
{
    char a[COUNT_TEXT], b[COUNT_TEXT], c[COUNT_TEXT];

    add(part, "answers", "%s, with %s thinking and %s answer tokens",
        text_count(a, s->answers), text_count(b, s->thinking),
        text_count(c, s->answer));
    add(part, "prompts", "%s tokens, %s of them kept from before",
        text_count(a, s->prompt), text_count(b, s->cached));
    add(part, "computed", "%s in all", duration(a, s->total_ms));
}

static void
fill_engine(struct filled_part *part, const struct gauges *gauges)
{
    const struct stats_done *process = &gauges->process;
    char a[BYTES_TEXT], b[BYTES_TEXT];
    struct client *client = screen_stats.chat->client;

    add(part, "engine", "%s",
        client == NULL           ? "not running"
        : client_is_warm(client) ? "a warm one"
                                 : "its own, as long as this chat");
    if (gauges->answered)
        add(part, "placement", "%s, %s, %u thread%s, cache %s", gauges->device,
            gauges->level, gauges->last.placement.threads,
            gauges->last.placement.threads == 1 ? "" : "s", gauges->cache);
    if (gauges->process_known)
        add(part, "memory", "%s, %s at most",
            progress_bytes(a, (double) process->memory_bytes),
            progress_bytes(b, (double) process->memory_most_bytes));
    if (gauges->load.planned)
        add(part, "planned", "weights %s, cache %s",
            progress_bytes(a, (double) gauges->load.plan.weights_bytes),
            progress_bytes(b, (double) gauges->load.plan.cache_bytes));
    if (gauges->last.placement.token_bytes > 0)
        add(part, "reads", "%s of weights for each token",
            progress_bytes(a, (double) gauges->last.placement.token_bytes));
    if (gauges->last.placement.bandwidth_bytes > 0)
        add(part, "bandwidth", "%s a second of weights, by all threads",
            progress_bytes(a, (double) gauges->last.placement.bandwidth_bytes));
    if (gauges->process_known)
        add(part, "processor", "%.1f s of computing since its start",
            (double) process->cpu_ms / 1e3);
}

static void
fill_sampling(struct filled_part *part, const struct sampling *s)
{
    add(part, "temperature", "%g, top-p %g, top-k %lld, min-p %g",
        s->temperature, s->top_p, (long long) s->top_k, s->min_p);
    add(part, "repeat", "penalty %g", s->repeat_penalty);
    add(part, "seed", "%lld", (long long) s->seed);
}

static void
add_part(const char *title, struct filled_part *part)
{
    if (part->count > 0)
        screen_stats.parts[screen_stats.sheet.part_count++] =
            (struct stats_part){title, part->rows, part->count};
}

/* "14:04", of "2026-11-22 14:04" */
static const char *
wall_clock(char out[CLOCK_BYTES], uint64_t wall_ms)
{
    char text[TIME_TEXT];
    size_t length = strlen(time_text_local(text, wall_ms));

    snprintf(out, CLOCK_BYTES, "%s", length >= 5 ? text + length - 5 : "");
    return out;
}

static void
fill_bars(const struct gauges *gauges)
{
    for (size_t i = 0; i < gauges->answer_count; i++) {
        const struct gauge_answer *answer = &gauges->answers[i];
        char count[COUNT_TEXT];

        snprintf(screen_stats.tokens[i], sizeof screen_stats.tokens[i],
                 "%s token%s", text_count(count, answer->tokens),
                 answer->tokens == 1 ? "" : "s");
        screen_stats.bars[i] = (struct stats_bar){
            wall_clock(screen_stats.clocks[i], answer->wall_ms),
            answer->decode_tps, screen_stats.tokens[i]};
    }
}

static const struct stats_sheet *
lend_sheet(void *context, uint64_t now_ns)
{
    const struct gauges *gauges = gauges_now();
    struct filled_part *filled = screen_stats.filled;

    (void) context;
    (void) now_ns;
    for (size_t i = 0; i < PARTS; i++)
        filled[i].count = 0;
    snprintf(screen_stats.right, sizeof screen_stats.right, "net:off  vault:%s",
             chat_screen.state.vault ? chat_screen.state.vault : "eph");
    screen_stats.sheet = (struct stats_sheet){
        .subject = screen_stats.chat->model,
        .right = screen_stats.right,
        .parts = screen_stats.parts,
        .bars_title = "answers, tok/s",
        .bars = screen_stats.bars,
        .bar_count = gauges->answer_count,
    };
    if (gauges->answered) {
        fill_answer(&filled[0], &gauges->last);
        fill_session(&filled[1], &gauges->session);
        fill_sampling(&filled[3], &gauges->last.sampling);
        screen_stats.sheet.why = bottleneck_name(gauges->why);
        screen_stats.sheet.reason = gauges->why_text;
    } else {
        add(&filled[0], "none", "figures come with the first answer");
    }
    fill_engine(&filled[2], gauges);
    add_part("last answer", &filled[0]);
    add_part("session", &filled[1]);
    add_part("engine", &filled[2]);
    add_part("sampling", &filled[3]);
    fill_bars(gauges);
    return &screen_stats.sheet;
}

enum status
chat_screen_stats_open(struct chat *chat, view_post_fn *post, void *context,
                       struct view *out, struct error *err)
{
    static const struct stats_source source = {NULL, lend_sheet};

    (void) err;
    screen_stats.chat = chat;
    chat_gauges_look(chat);
    view_stats_start(&screen_stats.view, &source, post, context, out);
    return STATUS_OK;
}

void
chat_screen_stats_close(struct view *view)
{
    explicit_bzero(&screen_stats, sizeof screen_stats);
    *view = (struct view){0};
}
