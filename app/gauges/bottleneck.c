/*
 * The rules, most certain first: each needs figures of its own, and says them.
 * A part of the time counts when it is half of it or more.
 */
#include "config.h"

#include "app/gauges/bottleneck.h"

#include "app/progress_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LEAST_MS 300.0       // of an answer that can be explained
#define LARGE_PART 0.5       // of its time
#define PAGING_FAULTS 200    // pages of 4 KiB or more: a visible wait
#define PAGING_STALLED 0.05  // of the time
#define LOW_CLOCK 0.7        // of the highest
#define IDLE_SHARE 0.75      // of the threads' time, that they computed
#define CPU_STALLED 0.2      // of the time
#define BANDWIDTH_SHARE 0.65 // of what memory gives

const char *
bottleneck_name(enum bottleneck bottleneck)
{
    static const char *const names[] = {
        [BOTTLENECK_NONE] = "nothing stands out",
        [BOTTLENECK_SHORT] = "too short to tell",
        [BOTTLENECK_QUEUE] = "other requests",
        [BOTTLENECK_LOAD] = "loading",
        [BOTTLENECK_PAGING] = "short of memory",
        [BOTTLENECK_CLOCK] = "low clock",
        [BOTTLENECK_BUSY] = "busy machine",
        [BOTTLENECK_PROMPT] = "reading the prompt",
        [BOTTLENECK_THREADS] = "few threads",
        [BOTTLENECK_BANDWIDTH] = "memory bandwidth",
    };

    return names[bottleneck];
}

static void add(char text[BOTTLENECK_TEXT], const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Goes on with a text, as far as there is room. */
static void
add(char text[BOTTLENECK_TEXT], const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + used, BOTTLENECK_TEXT - used, format, arguments);
    va_end(arguments);
}

static bool
is_large(const struct bottleneck_figures *f, double part_ms)
{
    return part_ms >= LARGE_PART * f->total_ms;
}

static bool
find_queue(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    if (!is_large(f, f->queue_ms))
        return false;
    snprintf(text, BOTTLENECK_TEXT,
             "for %.1f of %.1f s the engine answered somebody else",
             f->queue_ms / 1e3, f->total_ms / 1e3);
    return true;
}

static bool
find_load(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    if (!is_large(f, f->load_ms))
        return false;
    snprintf(text, BOTTLENECK_TEXT,
             "for %.1f of %.1f s the model was being loaded; the next answer "
             "has no such wait",
             f->load_ms / 1e3, f->total_ms / 1e3);
    return true;
}

static bool
find_paging(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    char pages[COUNT_TEXT];

    if (!f->process_known || f->faults < PAGING_FAULTS)
        return false;
    if (f->memory_stalled >= 0 && f->memory_stalled < PAGING_STALLED &&
        f->disk_stalled < PAGING_STALLED)
        return false;
    snprintf(text, BOTTLENECK_TEXT,
             "%s pages of the engine had to be read back from a disk "
             "meanwhile: memory is short",
             text_count(pages, f->faults));
    if (f->memory_stalled >= PAGING_STALLED)
        add(text, ", and programs waited for it %.0f %% of the time",
            100 * f->memory_stalled);
    return true;
}

static bool
find_clock(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    if (f->clock_share <= 0 || f->clock_share >= LOW_CLOCK)
        return false;
    snprintf(text, BOTTLENECK_TEXT,
             "the processors run at %.0f %% of their highest clock, for heat "
             "or to save power",
             100 * f->clock_share);
    return true;
}

/* The threads were ready and did not run. */
static bool
find_busy(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    double computing_ms = f->prefill_ms + f->decode_ms;
    double wanted_ms = computing_ms * f->threads;

    if (!f->process_known || f->threads == 0 || f->cpu_ms <= 0 ||
        f->cpu_ms >= IDLE_SHARE * wanted_ms)
        return false;
    if (f->cpu_stalled >= 0 && f->cpu_stalled < CPU_STALLED)
        return false;
    if (f->cpu_stalled < 0 && (double) f->displaced < computing_ms / 20)
        return false;
    snprintf(text, BOTTLENECK_TEXT,
             "the engine's %u thread%s got %.0f %% of their time, other "
             "programs the rest",
             f->threads, f->threads == 1 ? "" : "s",
             100 * f->cpu_ms / wanted_ms);
    if (f->cpu_stalled >= 0)
        add(text, "; something waited for a processor %.0f %% of the time",
            100 * f->cpu_stalled);
    return true;
}

static bool
find_prompt(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    char tokens[COUNT_TEXT];

    if (!is_large(f, f->prefill_ms))
        return false;
    snprintf(text, BOTTLENECK_TEXT,
             "%.1f of %.1f s went into reading %s tokens of the prompt, at "
             "%.0f tok/s",
             f->prefill_ms / 1e3, f->total_ms / 1e3,
             text_count(tokens, f->prompt_tokens), f->prompt_tps);
    return true;
}

static bool
find_threads(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    // two threads of one core share it: half the processors may be all cores
    if (f->threads == 0 || 2 * f->threads >= f->processors)
        return false;
    snprintf(text, BOTTLENECK_TEXT,
             "the engine computes with %u thread%s, it could use %u processors",
             f->threads, f->threads == 1 ? "" : "s", f->processors);
    return true;
}

static double
bytes_read(const struct bottleneck_figures *f)
{
    return f->decode_tps * (double) f->token_bytes;
}

static bool
find_bandwidth(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    char token[BYTES_TEXT], read[BYTES_TEXT], most[BYTES_TEXT];

    if (f->bandwidth_bytes <= 0 ||
        bytes_read(f) < BANDWIDTH_SHARE * f->bandwidth_bytes)
        return false;
    snprintf(text, BOTTLENECK_TEXT,
             "each token reads %s of weights; at %.1f tok/s that is %s a "
             "second, of the %s that memory gives here",
             progress_bytes(token, (double) f->token_bytes), f->decode_tps,
             progress_bytes(read, bytes_read(f)),
             progress_bytes(most, f->bandwidth_bytes));
    return true;
}

static void
say_nothing_found(const struct bottleneck_figures *f,
                  char text[BOTTLENECK_TEXT])
{
    char token[BYTES_TEXT], read[BYTES_TEXT], most[BYTES_TEXT];

    snprintf(text, BOTTLENECK_TEXT,
             "of %.1f s, %.0f %% went into the prompt and %.0f %% into the "
             "answer",
             f->total_ms / 1e3, 100 * f->prefill_ms / f->total_ms,
             100 * f->decode_ms / f->total_ms);
    if (f->token_bytes == 0 || f->decode_tps <= 0)
        return;
    add(text, "; each token reads %s of weights, %s a second",
        progress_bytes(token, (double) f->token_bytes),
        progress_bytes(read, bytes_read(f)));
    if (f->bandwidth_bytes > 0)
        add(text, ", of the %s that memory gives here",
            progress_bytes(most, f->bandwidth_bytes));
}

enum bottleneck
bottleneck_find(const struct bottleneck_figures *f, char text[BOTTLENECK_TEXT])
{
    typedef bool find_fn(const struct bottleneck_figures *, char *);
    static const struct {
        enum bottleneck name;
        find_fn *find;
    } rules[] = {
        {BOTTLENECK_QUEUE, find_queue},
        {BOTTLENECK_LOAD, find_load},
        {BOTTLENECK_PAGING, find_paging},
        {BOTTLENECK_CLOCK, find_clock},
        {BOTTLENECK_BUSY, find_busy},
        {BOTTLENECK_PROMPT, find_prompt},
        {BOTTLENECK_THREADS, find_threads},
        {BOTTLENECK_BANDWIDTH, find_bandwidth},
    };

    if (f->total_ms < LEAST_MS) {
        snprintf(text, BOTTLENECK_TEXT,
                 "the answer took %.0f ms, which is too short to tell",
                 f->total_ms > 0 ? f->total_ms : 0);
        return BOTTLENECK_SHORT;
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].find(f, text))
            return rules[i].name;
    say_nothing_found(f, text);
    return BOTTLENECK_NONE;
}
