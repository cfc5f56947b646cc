/*
 * Generated text, divided into thought and answer, and ended by stop strings.
 *
 * Tokens go in with their text, in whole characters; parts of one channel
 * come out. What might still become a stop string or a marker is held back, so
 * no byte of one is ever shown, wherever tokens begin and end: the same text
 * gives the same parts put together, and the stop string that ends first
 * counts, of those the longest. Stop strings are looked for in the answer.
 *
 * Markers of thoughts are known by token id; for a model whose vocabulary has
 * none by their text. White space around a thought and, of a model that
 * thinks, before an answer is dropped. Threads: belongs to the session.
 */
#ifndef FATHOM_ENGINE_CHANNELS_H
#define FATHOM_ENGINE_CHANNELS_H

#include "base/protocol.h"
#include "engine/sampler.h"
#include "engine/tokenizer.h"

struct channels;

struct channels_rule {
    bool thinks;                     // thoughts are told apart
    int32_t think_open, think_close; // TOKEN_NONE: known by text
    const char *open_text, *close_text;
    bool in_thought;          // the prompt has opened one
    bool continued;           // the answer was begun: keep its white space
    bool blank_first;         // an answer starts with a blank, not to be shown
    const struct text *stops; // lent for the whole life
    size_t stop_count;
};

/* A token with its score, if one was asked for. */
struct channels_token {
    int32_t id;
    bool scored;
    double logprob;
    size_t best_count;
    struct scored best[PROTOCOL_LOGPROBS];
};

/* Text of one channel and the tokens that end in it. */
struct channels_part {
    enum channel channel;
    const char *bytes;
    size_t length;
    const struct channels_token *tokens;
    size_t token_count;
};

typedef enum status channels_fn(void *context, const struct channels_part *part,
                                struct error *err);

MUST_CHECK enum status channels_open(struct channels **out,
                                     const struct channels_rule *rule,
                                     channels_fn *fn, void *context,
                                     struct error *err);
void channels_close(struct channels *channels); // takes NULL

/* True for ids that open or close a thought: they have no text. */
bool channels_is_marker(const struct channels *channels, int32_t id);

/*
 * Takes the next token. `text` are the characters that are whole with it;
 * before a marker those that the detokenizer still held. `whole` is false
 * while a character of the token waits for the next.
 */
MUST_CHECK enum status channels_push(struct channels *channels,
                                     const struct channels_token *token,
                                     const char *text, size_t length,
                                     bool whole, struct error *err);

/* The generation has ended: `text` is what the detokenizer held. */
MUST_CHECK enum status channels_end(struct channels *channels, const char *text,
                                    size_t length, struct error *err);

bool channels_stopped(const struct channels *channels); // by a stop string
bool channels_in_thought(const struct channels *channels);
/* Tokens taken while in a thought, its closing marker included. */
size_t channels_thought_tokens(const struct channels *channels);

/* What was shown, for as long as the channels live. */
struct text channels_answer(const struct channels *channels);
/* The ids whose text is exactly the answer; NULL when borders differ. */
const struct tokens *channels_answer_ids(const struct channels *channels);

#endif
