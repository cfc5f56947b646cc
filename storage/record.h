/*
 * What a chat consists of, as the vault keeps it and as it is exported: a tree
 * of turns. A question's parent is the answer it follows, an answer's parent
 * is its question; two turns with one parent are branches.
 *
 * Texts are UTF-8 and borrowed: from whoever fills a record, or from the
 * object that lends it.
 */
#ifndef FATHOM_STORAGE_RECORD_H
#define FATHOM_STORAGE_RECORD_H

#include "base/protocol.h"

#include <stdint.h>

/* A chat's name for programs: random, never reused. */
struct chat_id {
    uint8_t bytes[16];
};
enum { CHAT_ID_TEXT = 27 }; // 26 characters of Crockford's base 32, and NUL

enum turn_role { TURN_QUESTION, TURN_ANSWER };

/* How an answer came about; all 0 or absent where that is not known. */
struct turn_origin {
    struct text model;        // "fathom-mini"
    struct text fingerprint;  // of the model's file, as text
    struct text device;       // "cpu avx2, 2 threads, f16 cache"
    struct sampling sampling; // as used
    uint64_t prompt_tokens, thinking_tokens, answer_tokens;
    double ttft_ms, total_ms, decode_tps;
};

struct turn_record {
    uint64_t id;     // within the vault, never reused; 0: not kept yet
    uint64_t parent; // 0: the chat begins here
    enum turn_role role;
    uint64_t time_ms; // since 1970, as the clock said
    struct text content;
    // of answers only
    struct text thinking; // kept beside the answer, never sent back
    bool complete;        // false: interrupted, cut off, or lost in a crash
    bool arrived_locked;  // came in through the inbox: its sender is unknown
    enum finish finish;   // of a complete answer
    struct turn_origin origin;
};

/* What is known of a chat as a whole. */
struct chat_info {
    struct chat_id id;
    struct text title;  // one line; empty: none yet
    struct text system; // system text; empty: none
    struct text model;  // that answered last
    struct text tags;   // as in storage/tags.h; empty: none
    uint64_t created_ms, used_ms;
    uint64_t leaf;  // the turn at the end of the branch in use; 0: none
    uint32_t turns; // in all branches
    bool pinned;    // not pruned
};

#endif
