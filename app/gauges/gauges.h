/*
 * What a chat has measured and keeps for its gauges: the experts used of
 * late, the steps of a load, the figures of recent answers, and why the last
 * one took its time. It is taken from the engine's events as these come,
 * whatever is on the screen, lives in memory only and is wiped when the chat
 * is another or the vault locks: which experts were used tells what was said.
 * The main thread only; there is one.
 */
#ifndef FATHOM_APP_GAUGES_H
#define FATHOM_APP_GAUGES_H

#include "app/gauges/bottleneck.h"
#include "app/gauges/expert_window.h"
#include "app/gauges/machine_state.h"

enum {
    GAUGE_ANSWERS = 12, // that the bars show
    GAUGE_LOG = 12,
    GAUGE_TEXT = 160,
    GAUGE_WORD = 16,
};

/* Monotonic time, and that of clocks on the wall. */
struct gauge_time {
    uint64_t now_ns, wall_ms;
};

enum gauge_step { GAUGE_WAITS, GAUGE_RUNS, GAUGE_ENDED };

struct gauge_event {
    char text[GAUGE_TEXT];
    uint64_t wall_ms;
};

/* The model that the engine loads, or has loaded. */
struct gauge_load {
    uint64_t begun_ns, ended_ns; // ended 0: it goes on
    bool failed;
    enum gauge_step read, tokenizer;
    uint64_t read_begun_ns, read_ended_ns;
    uint64_t read_first, read_done, read_of; // bytes; first: at the beginning
    uint64_t tokenizer_begun_ns, tokenizer_ended_ns;
    bool queued; // others are served first
    uint64_t ahead;
    double read_ms, tokenizer_ms; // as the engine counts
    bool planned;                 // plan is known; its words:
    struct engine_plan plan;      // without its pointers
    char device[GAUGE_WORD], level[GAUGE_WORD], cache[GAUGE_WORD];
    struct gauge_event log[GAUGE_LOG]; // the newest last
    size_t logged;
};

struct gauge_answer {
    uint64_t wall_ms;
    double decode_tps;
    uint64_t tokens; // thought and answer
};

/* All answers since the start, or since the chat is another. */
struct gauge_session {
    uint64_t answers, prompt, cached, thinking, answer;
    double total_ms;
};

struct gauges {
    struct expert_window experts;
    bool experts_asked; // RESIDENCY came, with or without experts
    struct gauge_load load;

    bool answered; // `last` is known; of its pointers none
    struct generate_done last;
    char device[GAUGE_WORD], level[GAUGE_WORD], cache[GAUGE_WORD];
    char mode[GAUGE_WORD];                      // thinking "on"
    struct gauge_answer answers[GAUGE_ANSWERS]; // the newest first
    size_t answer_count;
    struct gauge_session session;

    enum bottleneck why;
    char why_text[BOTTLENECK_TEXT]; // "": no answer yet

    bool process_known; // the engine told its own figures
    struct stats_done process;
};

const struct gauges *gauges_now(void);
/* The uses among the last tokens; see expert_window_sums. */
const uint32_t *gauges_uses(uint64_t tokens, uint64_t *summed);

/* An engine was started, and what was done before is of another one. */
void gauges_start(const struct gauge_time *time);
/*
 * A question goes out as request `number`; `stats` is a STATS that went out
 * before it, 0: none.
 */
void gauges_asked(uint64_t number, uint64_t stats,
                  const struct gauge_time *time);
/*
 * Takes an event of any request. True: an answer has ended, and a STATS is
 * wanted now, whose number is to be told.
 */
bool gauges_take(const struct event *event, const struct gauge_time *time);
void gauges_stats_asked(uint64_t number);

/* Another chat, or the vault locks: what was read and said is forgotten. */
void gauges_forget(void);

#endif
