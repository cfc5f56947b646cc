/* Tokenizers of published vocabularies, for tests. */
#ifndef FATHOM_TESTS_UNIT_VOCABULARY_FILES_H
#define FATHOM_TESTS_UNIT_VOCABULARY_FILES_H

#include "engine/engine.h"

struct vocabulary_file {
    struct gguf *gguf;
    struct tokenizer *tokenizer;
};

/*
 * Opens tests/data/tokenizer/NAME.gguf. With `variant` tokens are renamed as
 * variants/VARIANT.special.tsv says, and with `pre` the pre-tokenizer is that
 * one. Ends the program when it cannot.
 */
void vocabulary_file_open(struct vocabulary_file *file, const char *name,
                          const char *variant, const char *pre);
void vocabulary_file_close(struct vocabulary_file *file);

#endif
