/* Requests of the engine protocol, both directions. See protocol.h. */
#ifndef FATHOM_BASE_REQUEST_H
#define FATHOM_BASE_REQUEST_H

#include "base/protocol.h"

struct json_t;

/* How far OPEN goes; other requests open as far as they need themselves. */
enum open_depth {
    OPEN_VOCABULARY, // container and tokenizer; a vocabulary-only file will do
    OPEN_SHAPE,      // and architecture and tensor table
    OPEN_WEIGHTS,    // and all weights: the next GENERATE starts at once
};

enum chat_role { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT };

struct chat_message {
    enum chat_role role;
    struct text content;
    struct text reasoning; // of the assistant, kept apart; may be absent
};

enum switch_state { SWITCH_DEFAULT, SWITCH_ON, SWITCH_OFF };

struct generate_request {
    const struct chat_message *messages;
    size_t message_count;
    struct text prefill; // start of the answer, to be continued; may be absent
    struct text prefill_reasoning; // the whole thought before it; may be absent
    enum switch_state thinking;
    int64_t think_budget; // tokens; -1: none
    int64_t max_tokens;   // thought and answer; -1: up to the context
    struct sampling sampling;
    const struct text *stops; // strings that end the answer, not shown
    size_t stop_count;
    unsigned logprobs; // best alternatives a token; with_logprobs says if any
    bool with_logprobs;
    bool ignore_end;       // do not stop at end tokens (tests, benchmarks)
    unsigned residency_ms; // between RESIDENCY events, at least; 0: none
};

enum snapshot_action {
    SNAPSHOT_SAVE,    // asks for the chunk at `offset`
    SNAPSHOT_RESTORE, // brings the chunk at `offset`
};

struct snapshot_request {
    enum snapshot_action action;
    uint64_t offset;
    struct text data; // of RESTORE: 1 to PROTOCOL_CHUNK_BYTES bytes
};

/* Everything default: no messages, -1, absent sampling. */
struct generate_request request_generate_default(void);

/*
 * Writing: each appends whole frames to `out`. Texts are UTF-8; those too long
 * for the frame go ahead in TEXT frames.
 */
MUST_CHECK enum status request_put_open(struct buffer *out, uint64_t number,
                                        enum open_depth depth,
                                        struct error *err);
MUST_CHECK enum status request_put_tokenize(struct buffer *out, uint64_t number,
                                            const struct text *texts,
                                            size_t count, struct error *err);
MUST_CHECK enum status
request_put_generate(struct buffer *out, uint64_t number,
                     const struct generate_request *request, struct error *err);
/* `reason` is FINISH_INTERRUPTED or FINISH_TIMEOUT: how the answer ends. */
MUST_CHECK enum status request_put_cancel(struct buffer *out, uint64_t number,
                                          enum finish reason,
                                          struct error *err);
/* Closes the thought of the GENERATE of this number at its next token. */
MUST_CHECK enum status
request_put_answer_now(struct buffer *out, uint64_t number, struct error *err);
MUST_CHECK enum status
request_put_snapshot(struct buffer *out, uint64_t number,
                     const struct snapshot_request *request, struct error *err);
/* DESCRIBE, STATS, PLAN: no fields. */
MUST_CHECK enum status request_put_plain(struct buffer *out,
                                         enum message_type type,
                                         uint64_t number, struct error *err);

/* What TEXT frames have brought for one request. Start from {0}. */
struct request_slots {
    struct buffer *slot;
    size_t count; // highest slot used, plus one
    size_t bytes; // held in all, to be limited
};

/* Appends a TEXT to its slot; STATUS_LIMIT beyond PROTOCOL_TEXT_BYTES. */
MUST_CHECK enum status request_slots_add(struct request_slots *slots, int slot,
                                         struct text text, struct error *err);
void request_slots_release(struct request_slots *slots);

/*
 * A request as received. Pointers reach into the message's own memory and
 * into the slots it was read with.
 */
struct request {
    enum message_type type;
    uint64_t number;
    enum open_depth depth; // OPEN
    enum finish reason;    // CANCEL
    int slot;              // TEXT
    struct text text;
    const struct text *texts; // TOKENIZE
    size_t text_count;
    struct generate_request generate;
    struct snapshot_request snapshot;

    struct buffer data;  // of a SNAPSHOT
    struct json_t *json; // what request_release gives back
    void *memory;
};

/*
 * Reads a request; `slots` hold the TEXT sent ahead of it (NULL: none) and
 * must outlive it. STATUS_FORMAT: not JSON, or a field of the wrong kind;
 * STATUS_LIMIT: a count or length beyond protocol.h; STATUS_UNSUPPORTED: an
 * unknown type. On failure nothing is left to release.
 */
MUST_CHECK enum status request_take(struct request *out,
                                    const struct frame_header *header,
                                    const struct buffer *payload,
                                    const struct request_slots *slots,
                                    struct error *err);
void request_release(struct request *request);

#endif
