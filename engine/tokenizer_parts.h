/* What a tokenizer is made of: for tokenizer.c and tokenizer_open.c. */
#ifndef FATHOM_ENGINE_TOKENIZER_PARTS_H
#define FATHOM_ENGINE_TOKENIZER_PARTS_H

#include "engine/byte_pairs.h"
#include "engine/pretokenizer.h"
#include "engine/sentence_pieces.h"
#include "engine/tokenizer.h"
#include "engine/vocabulary.h"

enum { TOKENIZER_WARNINGS = 32, TOKENIZER_ENDS = 48 };

#define SPM_BLANK "\xE2\x96\x81" // U+2581

struct tokenizer {
    const struct gguf *gguf;
    struct vocabulary vocabulary;
    const char *pre;
    struct pretokenizer *pretokenizer;       // byte-level BPE, with
    struct byte_pairs *byte_pairs;           // these two, or
    struct sentence_pieces *sentence_pieces; // SPM
    bool adds_bos, adds_blank;
    int32_t bos, eos, unknown;
    int32_t end[TOKENIZER_ENDS];
    size_t ends;
    uint32_t *piece_start; // (tokens + 1) offsets into pieces
    char *pieces;          // each with a NUL behind it
    char *warning[TOKENIZER_WARNINGS];
    size_t warnings;
};

#endif
