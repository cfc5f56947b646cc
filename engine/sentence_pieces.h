/*
 * SPM: the characters of a text, joined to the tokens of best score.
 *
 * Blanks are U+2581 in tokens. What no token covers becomes byte tokens
 * "<0xHH>". Threads: constant after open.
 */
#ifndef FATHOM_ENGINE_SENTENCE_PIECES_H
#define FATHOM_ENGINE_SENTENCE_PIECES_H

#include "engine/merge_list.h"
#include "engine/vocabulary.h"

struct sentence_pieces;

/* Borrows the vocabulary. `unknown` stands for bytes without a token. */
MUST_CHECK enum status sentence_pieces_open(struct sentence_pieces **out,
                                            const struct gguf *gguf,
                                            const struct vocabulary *vocabulary,
                                            int32_t unknown, struct error *err);
void sentence_pieces_close(struct sentence_pieces *pieces); // takes NULL

/*
 * Appends the ids of one run of text (length > 0), valid UTF-8, in which
 * blanks are U+2581 already. `list` is scratch.
 */
MUST_CHECK enum status
sentence_pieces_encode(const struct sentence_pieces *pieces, const char *bytes,
                       size_t length, struct merge_list *list,
                       struct tokens *out, struct error *err);

/* The byte of a token "<0xHH>", or -1. */
int sentence_pieces_byte(const struct gguf_string *text);

#endif
