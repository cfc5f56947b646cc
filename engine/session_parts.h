/*
 * What session.c and snapshot.c share: all that one conversation is made of.
 */
#ifndef FATHOM_ENGINE_SESSION_PARTS_H
#define FATHOM_ENGINE_SESSION_PARTS_H

#include "engine/session.h"
#include "engine/snapshot.h"

enum { ANSWERS_KEPT = 64 };

/* An answer of this session: its text, and ids that are exactly that text. */
struct own_answer {
    struct buffer text;
    struct tokens ids;
};

struct session {
    struct session_model model;
    struct forward *forward;
    struct sampler *sampler;
    float *logits; // (vocabulary)
    struct loop_finder *loops;
    struct expert_uses *uses; // NULL until a request wants them

    struct tokens ids;  // what the cache holds
    size_t last_prompt; // tokens of the last prompt, all within ids
    size_t last_cached; // of them those that were not run

    struct own_answer answers[ANSWERS_KEPT]; // a ring
    size_t answer_count;

    struct transfer transfer; // a snapshot on its way
};

/* Keeps the first `count` tokens of the cache. */
void session_keep_tokens(struct session *session, size_t count);
/* Wipes texts and ids of all answers. */
void session_forget_answers(struct session *session);

#endif
