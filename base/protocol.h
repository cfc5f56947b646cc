/*
 * The messages of the engine protocol: what travels inside frames between
 * fathom and fathom-engine. This is a door; fathom-protocol(5) is the full
 * description, with every field.
 *
 *   request.h  requests: written by the interface, read by the engine
 *   event.h    events: written by the engine, read by the interface
 *
 * A request has a number chosen by the interface, never 0 and never one still
 * in use; it travels in the frame's header and comes back in every event of
 * that request. Each request but TEXT, CANCEL and ANSWER_NOW ends with exactly
 * one DONE or ERROR. Long text goes ahead of its request in TEXT frames, into
 * numbered slots of that request, and is then named by the slot.
 *
 * Unknown fields are ignored, unknown types answered with an error, absent
 * fields take their default. Nothing in a frame assumes one machine.
 * Threads: plain functions over the caller's memory.
 */
#ifndef FATHOM_BASE_PROTOCOL_H
#define FATHOM_BASE_PROTOCOL_H

#include "base/base.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum message_type {
    // requests
    MESSAGE_OPEN = 1,   // make the model ready, to some depth
    MESSAGE_TEXT,       // append to a slot of a request that follows
    MESSAGE_DESCRIBE,   // what the model file is
    MESSAGE_TOKENIZE,   // texts to token ids
    MESSAGE_PLAN,       // what the engine holds, or will hold
    MESSAGE_GENERATE,   // a conversation to the next message
    MESSAGE_CANCEL,     // end the request of this number
    MESSAGE_SNAPSHOT,   // a chunk of a conversation's cache, out or in
    MESSAGE_STATS,      // how busy the engine is; answered at once
    MESSAGE_ANSWER_NOW, // close the thought of the GENERATE of this number

    // events
    MESSAGE_PROGRESS = 0x81,
    MESSAGE_TOKEN,
    MESSAGE_RESIDENCY, // may be dropped when the reader is slow
    MESSAGE_IDS,       // token ids of a TOKENIZE
    MESSAGE_DONE,
    MESSAGE_ERROR,
    MESSAGE_LOOP, // a thought or an answer repeats itself
};

/* Limits on what a request may hold; beyond them it is an error. */
enum {
    PROTOCOL_TEXT_BYTES = 64 << 20,   // all texts of one request
    PROTOCOL_PIECE_BYTES = 160 << 10, // of text in one TEXT frame, as written
    PROTOCOL_MESSAGES = 10000,
    PROTOCOL_SLOTS = 2 * PROTOCOL_MESSAGES + 2,
    PROTOCOL_TEXTS = 10000, // of one TOKENIZE
    PROTOCOL_STOPS = 64,
    PROTOCOL_STOP_BYTES = 1024,
    PROTOCOL_LOGPROBS = 20,
    PROTOCOL_WAITING = 64,            // requests of one client that may wait
    PROTOCOL_IDS = 65536,             // in one IDS event
    PROTOCOL_CHUNK_BYTES = 256 << 10, // of a SNAPSHOT; base64 fits a frame
    PROTOCOL_EXPERTS = 128 << 10,     // layers times experts in a RESIDENCY
};

/* Exit codes of fathom that the engine decides (sysexits where it has one). */
enum {
    EXIT_TOO_LONG = 12,    // the prompt is beyond the context, nothing was run
    EXIT_BAD_DATA = 65,    // content refused, a missing shard
    EXIT_NO_INPUT = 66,    // the model file is missing or unreadable
    EXIT_UNAVAILABLE = 69, // too large for this machine
    EXIT_INTERNAL = 70,    // a broken request, numbers that are not finite
    EXIT_BUSY = 75,        // try again later
};

/* UTF-8 of a message; may hold NUL. bytes is NULL where it is absent. */
struct text {
    const char *bytes; // not NUL-terminated
    size_t length;
};

/* How an answer ended. The interface adds schema_failed on its own. */
enum finish {
    FINISH_STOP,           // an end token or a stop string
    FINISH_LENGTH,         // max_tokens
    FINISH_THINK_BUDGET,   // the thought was cut, the answer then ended itself
    FINISH_ENDED_THINKING, // no answer: ended inside the thought
    FINISH_INTERRUPTED,    // CANCEL
    FINISH_TIMEOUT,        // CANCEL whose reason is timeout
    FINISH_CONTEXT_FULL,
};

const char *protocol_finish_name(enum finish finish); // "stop", "length", ...
bool protocol_finish_find(enum finish *out, const char *name);

/* "nomem", "io", "format", "limit", "unsupported", "device", "cancelled" */
const char *protocol_status_name(enum status status);
bool protocol_status_find(enum status *out, const char *name);

/*
 * Sampling, in the order in which it is applied. As a request, fields that
 * are absent (NAN, or -1) take what the model recommends.
 */
struct sampling {
    double repeat_penalty; // over the last 64 tokens; 1: none
    double temperature;    // 0: greedy
    int64_t top_k;         // 0: all
    double top_p;          // 1: all
    double min_p;          // 0: all
    int64_t seed;          // 0 to 2^63 - 1; absent: chosen, and told in DONE
};

/* Everything absent. */
struct sampling protocol_sampling_absent(void);

/*
 * Makes JSON memory count for FATHOM_FAULT and wipes it when it is freed.
 * Call once, before the first message, while there is one thread.
 */
void protocol_start(void);

/*
 * A tree of any JSON value from outside, `what` for the sentence of a failure
 * ("a message"), which tells nothing of its content. NUL in texts is allowed,
 * fields that are there twice are not. The caller gives *out back.
 */
MUST_CHECK enum status protocol_json(json_t **out, const char *bytes,
                                     size_t length, const char *what,
                                     struct error *err);

#include "base/event.h"
#include "base/request.h"

#endif
