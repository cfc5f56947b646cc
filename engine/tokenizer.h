/*
 * Text to token ids and back, for byte-level BPE with the published
 * pre-tokenizers (PCRE2) and for SPM vocabularies.
 *
 * Typed text never becomes a marker: tokenizer_encode looks for no control or
 * user-defined token, except user-defined tokens whose text is one code point
 * long. Markers enter a prompt by id (tokenizer_find). Input that is not
 * UTF-8 is repaired first. Linear in the length of its input.
 * Threads: constant after open.
 */
#ifndef FATHOM_ENGINE_TOKENIZER_H
#define FATHOM_ENGINE_TOKENIZER_H

#include "base/base.h"
#include "engine/gguf.h"

struct tokenizer;

enum { TOKEN_NONE = -1 };

/* Types of tokens in files (tokenizer.ggml.token_type). */
enum token_kind {
    TOKEN_NORMAL = 1,
    TOKEN_UNKNOWN,
    TOKEN_CONTROL,
    TOKEN_USER_DEFINED,
    TOKEN_UNUSED,
    TOKEN_BYTE,
};

/* Token ids that grow; start from {0}; wiped when released. */
struct tokens {
    int32_t *ids;
    size_t count, capacity;
};

MUST_CHECK enum status tokens_append(struct tokens *tokens, const int32_t *ids,
                                     size_t count, struct error *err);
void tokens_release(struct tokens *tokens);

/*
 * Reads tokenizer.ggml.* (also from a vocabulary-only file). Keeps pointers
 * into `gguf`, which must outlive it. Every array's type, length and ids are
 * checked. Warnings (a missing pre-tokenizer key, ids out of range) are logged
 * and listed by tokenizer_warnings.
 */
MUST_CHECK enum status tokenizer_open(struct tokenizer **out,
                                      const struct gguf *gguf,
                                      struct error *err);
void tokenizer_close(struct tokenizer *tokenizer); // takes NULL

size_t tokenizer_count(const struct tokenizer *tokenizer);
const char *tokenizer_model(const struct tokenizer *tokenizer); // gpt2, llama
const char *tokenizer_pre(const struct tokenizer *tokenizer);
const char *const *tokenizer_warnings(const struct tokenizer *tokenizer,
                                      size_t *count);

/* Appends the ids of `text`, without begin or end token. */
MUST_CHECK enum status tokenizer_encode(const struct tokenizer *tokenizer,
                                        const char *text, size_t length,
                                        struct tokens *out, struct error *err);

/* Bytes of a token as they appear in decoded text; may be half a character. */
struct gguf_string tokenizer_piece(const struct tokenizer *tokenizer,
                                   int32_t id);
/* Appends the text of `count` ids (SPM: without the one leading blank). */
MUST_CHECK enum status tokenizer_decode(const struct tokenizer *tokenizer,
                                        const int32_t *ids, size_t count,
                                        struct buffer *out, struct error *err);

/* The token whose own text is exactly this, any kind, or TOKEN_NONE. */
int32_t tokenizer_find(const struct tokenizer *tokenizer, const char *text);
enum token_kind tokenizer_kind(const struct tokenizer *tokenizer, int32_t id);
int32_t tokenizer_bos(const struct tokenizer *tokenizer); // or TOKEN_NONE
int32_t tokenizer_eos(const struct tokenizer *tokenizer); // or TOKEN_NONE
bool tokenizer_adds_bos(const struct tokenizer *tokenizer);
/* True for every token that ends a generation. */
bool tokenizer_is_end(const struct tokenizer *tokenizer, int32_t id);

#endif
