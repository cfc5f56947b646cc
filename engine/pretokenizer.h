/*
 * Cutting text into the segments that byte-level BPE works in, by the
 * published expressions of each model family.
 *
 * A pre-tokenizer is a list of expressions applied one after the other: each
 * cuts every segment so far into its matches and the gaps between them, and
 * sees nothing outside the segment. Linear in the length of the text. Threads:
 * constant after open; a cutter belongs to one call.
 */
#ifndef FATHOM_ENGINE_PRETOKENIZER_H
#define FATHOM_ENGINE_PRETOKENIZER_H

#include "base/base.h"

enum { PRETOKENIZER_PASSES_MAX = 6 };

/* A family's expressions, as PCRE2 reads them with PCRE2_UTF. */
struct pretokenizer_rules {
    const char *name;
    bool whole_words; // a segment that is a token is not taken apart
    bool adds_bos;    // what files mean when they do not say
    const char *passes[PRETOKENIZER_PASSES_MAX + 1]; // ends with NULL
};

/* The rules that tokenizer.ggml.pre names (aliases too), or NULL. */
const struct pretokenizer_rules *pretokenizer_rules_find(const char *name);

struct pretokenizer;

MUST_CHECK enum status pretokenizer_open(struct pretokenizer **out,
                                         const struct pretokenizer_rules *rules,
                                         struct error *err);
void pretokenizer_close(struct pretokenizer *pretokenizer); // takes NULL

/* Receives one segment (length > 0); a failure ends the cutting. */
typedef enum status (*pretokenizer_segment_fn)(void *context, const char *bytes,
                                               size_t length,
                                               struct error *err);

/* Gives the segments of `text`, which is valid UTF-8, in order. */
MUST_CHECK enum status pretokenizer_cut(const struct pretokenizer *pretokenizer,
                                        const char *text, size_t length,
                                        pretokenizer_segment_fn segment,
                                        void *context, struct error *err);

#endif
