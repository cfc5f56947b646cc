/*
 * Ids to text, one at a time, in whole characters.
 *
 * A token may end in the middle of a character: its bytes wait until the rest
 * comes. What can never be completed becomes U+FFFD, as in utf8_repair. The
 * pieces of a stream, put together, are the repaired text of all its ids,
 * wherever it was cut. Threads: belongs to one.
 */
#ifndef FATHOM_ENGINE_DETOKENIZER_H
#define FATHOM_ENGINE_DETOKENIZER_H

#include "base/base.h"
#include "engine/tokenizer.h"

struct detokenizer {
    const struct tokenizer *tokenizer;
    char waiting[4]; // bytes of a character that is not whole yet
    size_t waiting_length;
    bool at_start; // a blank may still be dropped
};

/* `whole_text`: the stream starts a text, so SPM's leading blank is dropped. */
void detokenizer_init(struct detokenizer *detokenizer,
                      const struct tokenizer *tokenizer, bool whole_text);

/* Appends the characters that are whole with this token: valid UTF-8. */
MUST_CHECK enum status detokenizer_push(struct detokenizer *detokenizer,
                                        int32_t id, struct buffer *out,
                                        struct error *err);

/* Appends U+FFFD for what still waits; the stream can go on afterwards. */
MUST_CHECK enum status detokenizer_flush(struct detokenizer *detokenizer,
                                         struct buffer *out, struct error *err);

#endif
