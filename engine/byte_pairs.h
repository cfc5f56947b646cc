/*
 * Byte-level BPE: the bytes of a segment, joined by the file's ranked merges.
 *
 * Symbols are numbers. A token is its own number; texts that merges mention
 * and no token has get numbers behind them. A symbol that is no ordinary
 * token at the end gives the tokens of its bytes; bytes without one vanish.
 * Threads: constant after open.
 */
#ifndef FATHOM_ENGINE_BYTE_PAIRS_H
#define FATHOM_ENGINE_BYTE_PAIRS_H

#include "engine/merge_list.h"
#include "engine/vocabulary.h"

struct byte_pairs;

/*
 * Reads tokenizer.ggml.merges. With whole_words a segment that is a token is
 * not taken apart. Borrows the vocabulary.
 */
MUST_CHECK enum status byte_pairs_open(struct byte_pairs **out,
                                       const struct gguf *gguf,
                                       const struct vocabulary *vocabulary,
                                       bool whole_words, struct error *err);
void byte_pairs_close(struct byte_pairs *pairs); // takes NULL

/* Appends the ids of one segment (length > 0). `list` is scratch. */
MUST_CHECK enum status byte_pairs_encode(const struct byte_pairs *pairs,
                                         const char *bytes, size_t length,
                                         struct merge_list *list,
                                         struct tokens *out, struct error *err);

#endif
