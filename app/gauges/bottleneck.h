/*
 * What an answer waited for most, from what was measured while it came. One
 * sentence, with the figures that it follows from; what was not measured is
 * not guessed at.
 */
#ifndef FATHOM_APP_BOTTLENECK_H
#define FATHOM_APP_BOTTLENECK_H

#include "base/protocol.h"

/* What is unknown is 0, shares negative. */
struct bottleneck_figures {
    // of the answer; these parts make up its time
    double total_ms, queue_ms, load_ms, prefill_ms, decode_ms;
    uint64_t prompt_tokens; // that were read, not found in the cache
    double prompt_tps, decode_tps;
    uint64_t token_bytes; // of weights that a token of an answer reads
    unsigned threads;     // that computed
    // of the engine's process, meanwhile
    bool process_known;
    double cpu_ms;      // of all its threads
    uint64_t faults;    // pages read back from a disk
    uint64_t displaced; // times it had to give a processor up
    // of the machine, meanwhile
    unsigned processors;    // that the engine may use
    double cpu_stalled;     // share of the time when somebody waited for one
    double memory_stalled;  // ... for memory
    double disk_stalled;    // ... for a disk
    double clock_share;     // of the highest clock that it can have
    double bandwidth_bytes; // a second, of memory
};

enum bottleneck {
    BOTTLENECK_NONE,  // nothing stands out
    BOTTLENECK_SHORT, // too little happened to tell
    BOTTLENECK_QUEUE,
    BOTTLENECK_LOAD,
    BOTTLENECK_PAGING,
    BOTTLENECK_CLOCK,
    BOTTLENECK_BUSY,
    BOTTLENECK_PROMPT,
    BOTTLENECK_THREADS,
    BOTTLENECK_BANDWIDTH,
};

/* A word or two: "busy machine". */
const char *bottleneck_name(enum bottleneck bottleneck);

enum { BOTTLENECK_TEXT = 300 };

/* The sentence, and what it is about. */
enum bottleneck bottleneck_find(const struct bottleneck_figures *figures,
                                char text[BOTTLENECK_TEXT]);

#endif
