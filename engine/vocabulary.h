/*
 * The tokens of a model file: text, kind and number, both ways.
 *
 * Reads tokenizer.ggml.tokens, token_type and scores, and checks them. Lends
 * texts from the gguf, which must outlive it. Threads: constant after open.
 */
#ifndef FATHOM_ENGINE_VOCABULARY_H
#define FATHOM_ENGINE_VOCABULARY_H

#include "base/base.h"
#include "engine/gguf.h"
#include "engine/text_table.h"
#include "engine/tokenizer.h"

/* Something odd that happens to tokens: how often, and where first. */
struct oddity {
    size_t count;
    int32_t first;
};

struct vocabulary {
    const struct gguf_string *text; // (count)
    uint8_t *kind;                  // (count) enum token_kind
    const float *score;             // (count), or NULL
    size_t count;
    size_t longest_bytes; // of all texts
    bool letters;         // some user-defined token is one character long
    struct text_table table;
    struct oddity repeated, empty, not_utf8;
    int32_t repeated_from; // the token that the first repetition repeats
};

enum { VOCABULARY_MAX = 1 << 24 }; // tokens; files have at most 256 thousand

MUST_CHECK enum status vocabulary_init(struct vocabulary *vocabulary,
                                       const struct gguf *gguf,
                                       struct error *err);
void vocabulary_release(struct vocabulary *vocabulary);

/* The token with exactly this text, or TOKEN_NONE. */
int32_t vocabulary_find(const struct vocabulary *vocabulary, const char *bytes,
                        size_t length);

/*
 * True for a token that typed text may become: an ordinary one, or a
 * user-defined one of a single character.
 */
bool vocabulary_typed(const struct vocabulary *vocabulary, int32_t id);

/*
 * The array `key`, or NULL in *out when it is absent. Fails when it is not an
 * array of `element`, or (wanted > 0) has another length.
 */
MUST_CHECK enum status vocabulary_array(const struct gguf *gguf,
                                        const char *key, enum gguf_type element,
                                        size_t wanted,
                                        const struct gguf_value **out,
                                        struct error *err);

#endif
