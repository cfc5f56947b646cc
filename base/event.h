/* Events of the engine protocol, both directions. See protocol.h. */
#ifndef FATHOM_BASE_EVENT_H
#define FATHOM_BASE_EVENT_H

#include "base/protocol.h"

struct json_t;

enum progress_phase {
    PHASE_QUEUE,     // done: requests still ahead, of: 0
    PHASE_READ,      // bytes of weights
    PHASE_TOKENIZER, // done 0 of 1, then 1 of 1
    PHASE_PREFILL,   // prompt tokens
};

const char *event_phase_name(enum progress_phase phase);

struct progress_event {
    enum progress_phase phase;
    uint64_t done, of;
};

enum channel { CHANNEL_THINK, CHANNEL_ANSWER };

/* A token and how likely the model held it, before any sampling rule. */
struct logprob {
    int32_t id;
    const char *bytes; // the token's own text; may be half a character
    size_t length;
    double logprob;             // natural logarithm
    const struct logprob *best; // the most likely tokens, best first
    size_t best_count;
};

struct token_event {
    enum channel channel;
    struct text text; // whole characters; may be empty with logprobs
    size_t tokens;    // whose text ends in this event
    const struct logprob *logprobs;
    size_t logprob_count;
};

enum expert_tier { TIER_VRAM, TIER_RAM, TIER_NVME };

/*
 * Where experts were when they were used, as three ratios, and bytes read: of
 * the answer in DONE, of the window in RESIDENCY.
 *
 * RESIDENCY also has the counts of what was computed in a window, which begins
 * where that of the event before ended. An expert's count goes up by one for
 * each token that it was computed for; `tokens` counts those that have gone
 * through all layers meanwhile. So over all events of a request the sum of
 * `uses` is tokens * active * layers. Shared experts run for every token and
 * are not counted.
 */
struct residency {
    double vram, ram, nvme;
    uint64_t nvme_bytes;

    // of RESIDENCY; a model without experts has 0 layers
    uint64_t tokens;
    uint32_t first_layer;     // the model's first layer with experts
    uint32_t layers, experts; // of these layers, in each
    uint32_t active, shared;  // experts a token uses, and those beside them
    const uint32_t *uses;     // (layers, experts)
    const uint8_t *tier;      // (layers, experts): enum expert_tier, now
};

/*
 * The last `repeats` times `period` tokens of a channel are the same tokens
 * again and again.
 */
struct loop_event {
    enum channel channel;
    uint64_t period, repeats;
};

struct ids_event {
    size_t index; // of the text
    const int32_t *ids;
    size_t count;
    bool more; // the same text goes on in the next IDS
};

/* How a model likes to be asked, and what the interface shows of it. */
struct model_summary {
    const char *name;            // general.name, or the file's
    const char *file;            // as given to the engine
    const char *fingerprint;     // 64 digits; NULL before OPEN_WEIGHTS
    const char *architecture;    // "deepseek2"
    const char *family;          // prompt family, "deepseek-r1"
    const char *family_why;      // a sentence, when it had to guess; else NULL
    bool thinks;                 // has thoughts
    bool has_switch;             // they can be turned on and off
    struct sampling recommended; // seed is absent
};

/*
 * What the engine holds for the model, or will hold once its weights are read:
 * the numbers by which it decides whether the model fits. All 0 where the
 * model's shape is not known yet.
 */
struct engine_plan {
    bool loaded; // the weights are there
    bool fits;   // it is loaded, or memory suffices now
    uint64_t weights_bytes, cache_bytes, scratch_bytes;
    uint64_t available_bytes;     // of memory, now
    uint64_t token_bytes;         // of weights that are read for one token more
    uint64_t context;             // tokens that the cache has room for
    uint64_t context_most;        // that the model was made for
    uint32_t layers, first_layer; // first_layer: the first one with experts
    uint32_t experts, active, shared; // 0: a model without experts
    unsigned threads;
    const char *device, *level, *cache; // as in placement
};

struct open_done {
    const char *engine; // "fathom-engine 0.1.0"
    struct model_summary model;
    uint64_t context;      // tokens that fit, 0 before OPEN_WEIGHTS
    const char *snapshots; // kind of those that fit here: the first digits of
                           // their keys; NULL before OPEN_WEIGHTS
    double read_ms, tokenizer_ms; // overlapping; 0: not done by this request
    struct engine_plan plan;      // all 0 before OPEN_WEIGHTS
};

/* Milliseconds; load times overlap and are 0 when the model was ready. */
struct generate_timing {
    double load_read_ms, load_tokenizer_ms, load_first_token_ms;
    double queue_ms;    // waiting for other requests
    double prefill_ms;  // the prompt's new tokens
    double ttft_ms;     // request to first token
    double thinking_ms; // in the thought
    double total_ms;    // request to end
    double prompt_tps, decode_tps;
};

struct generate_done {
    enum finish finish;
    struct {
        uint64_t prompt, cached; // cached: of the prompt, not run again
        uint64_t thinking, answer;
        uint64_t context; // that fit
    } usage;
    struct generate_timing timing;
    struct sampling sampling; // as used: nothing absent
    struct {
        const char *mode; // "on", "off", "none": this model has no thoughts
        bool closed;      // the thought ended, or there was none
        bool cut;         // by the budget, or because that was asked for
        bool asked;       // by ANSWER_NOW
    } thinking;
    struct residency residency;
    struct {
        const char *device; // "cpu"
        const char *level;  // "avx2"
        unsigned threads;
        const char *cache;        // "f16"
        uint64_t token_bytes;     // of weights, read for each decoded token
        uint64_t bandwidth_bytes; // a second that memory gives when weights
                                  // are read; 0: not measured
    } placement;
    struct model_summary model;
    const char *const *warnings; // sentences
    size_t warning_count;
};

/* Where a SNAPSHOT stands after a chunk. */
struct snapshot_done {
    uint64_t next, bytes; // the next chunk's offset; all; 0: nothing to save
    uint64_t tokens;      // that it holds; of a restore, 0 before its end
    const char *key;      // of a save: 64 digits; else NULL
    struct text data;     // of a save: the chunk
};

struct stats_done {
    const char *engine, *file;
    const char *state; // "idle", "loading", "busy"
    uint64_t clients;  // connected, the asker included
    uint64_t waiting;  // requests in the queue
    uint64_t requests, prompt_tokens, generated_tokens; // since the start
    uint64_t up_ms;

    // of the engine's process, as the system counts
    uint64_t memory_bytes;      // resident now; 0: not known
    uint64_t memory_most_bytes; // at any time
    uint64_t cpu_ms;            // all threads, user and system
    uint64_t faults;            // pages that had to be read from a disk
    uint64_t displaced;         // times another process took the processor
    uint64_t threads;           // that compute; 0 before the weights are there
};

struct error_event {
    enum status status;
    const char *text; // one sentence
    int exit;         // what `fathom ask` ends with
};

/* Writing: each appends one frame to `out`. */
MUST_CHECK enum status event_put_progress(struct buffer *out, uint64_t number,
                                          const struct progress_event *event,
                                          struct error *err);
MUST_CHECK enum status event_put_token(struct buffer *out, uint64_t number,
                                       const struct token_event *event,
                                       struct error *err);
MUST_CHECK enum status event_put_residency(struct buffer *out, uint64_t number,
                                           const struct residency *event,
                                           struct error *err);
MUST_CHECK enum status event_put_loop(struct buffer *out, uint64_t number,
                                      const struct loop_event *event,
                                      struct error *err);
MUST_CHECK enum status event_put_ids(struct buffer *out, uint64_t number,
                                     const struct ids_event *event,
                                     struct error *err);
MUST_CHECK enum status event_put_open_done(struct buffer *out, uint64_t number,
                                           const struct open_done *event,
                                           struct error *err);
MUST_CHECK enum status event_put_plan_done(struct buffer *out, uint64_t number,
                                           const struct engine_plan *plan,
                                           struct error *err);
/* `description` is a JSON object, as model_describe writes it. */
MUST_CHECK enum status event_put_describe_done(struct buffer *out,
                                               uint64_t number,
                                               const char *description,
                                               size_t length,
                                               struct error *err);
MUST_CHECK enum status event_put_tokenize_done(struct buffer *out,
                                               uint64_t number, uint64_t tokens,
                                               struct error *err);
MUST_CHECK enum status event_put_generate_done(struct buffer *out,
                                               uint64_t number,
                                               const struct generate_done *done,
                                               struct error *err);
MUST_CHECK enum status event_put_stats_done(struct buffer *out, uint64_t number,
                                            const struct stats_done *done,
                                            struct error *err);
MUST_CHECK enum status event_put_snapshot_done(struct buffer *out,
                                               uint64_t number,
                                               const struct snapshot_done *done,
                                               struct error *err);
MUST_CHECK enum status event_put_error(struct buffer *out, uint64_t number,
                                       const struct error_event *event,
                                       struct error *err);

/*
 * An event as received. Which member is filled follows from `type`; of DONE
 * all fields that its request has, the rest stay 0 or NULL. Pointers reach
 * into the event's own memory.
 */
struct event {
    enum message_type type;
    uint64_t number;
    struct progress_event progress;
    struct token_event token;
    struct residency residency;
    struct loop_event loop;
    struct ids_event ids;
    struct open_done open;         // DONE of OPEN
    struct engine_plan plan;       // DONE of PLAN
    struct generate_done generate; // DONE of GENERATE
    struct stats_done stats;       // DONE of STATS
    struct snapshot_done snapshot; // DONE of SNAPSHOT
    uint64_t tokens;               // DONE of TOKENIZE
    struct error_event error;

    /*
     * The object as received, for what goes on into JSON output: "model" of
     * DONE of DESCRIBE is the description.
     */
    struct json_t *json;
    struct buffer data; // of a SNAPSHOT
    void *memory;       // what event_release gives back
};

/* As request_take. An unknown type is STATUS_UNSUPPORTED: skip that frame. */
MUST_CHECK enum status event_take(struct event *out,
                                  const struct frame_header *header,
                                  const struct buffer *payload,
                                  struct error *err);
void event_release(struct event *event);

#endif
