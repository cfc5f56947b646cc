/*
 * Text to token ids and back, for byte-level BPE with the published
 * pre-tokenizers (PCRE2) and for SPM vocabularies.
 *
 *   vocabulary.h       the tokens of a file, checked; text to id
 *   pretokenizer.h     cutting text into segments
 *   byte_pairs.h       BPE of a segment: the merges
 *   sentence_pieces.h  SPM of a run of text: the scores
 *   merge_list.h       the loop that both share
 *   detokenizer.h      ids to whole characters, one at a time
 *
 * Typed text never becomes a marker: tokenizer_encode looks for no control or
 * user-defined token, except user-defined tokens whose text is one code point
 * long. Markers enter a prompt by id (tokenizer_find). Input that is not
 * UTF-8 is repaired first. n log n in the length of its input.
 * Threads: constant after open.
 */
#ifndef FATHOM_ENGINE_TOKENIZER_H
#define FATHOM_ENGINE_TOKENIZER_H

#include "base/base.h"
#include "engine/gguf.h"

struct tokenizer;

enum {
    TOKEN_NONE = -1,
    TOKENIZER_TEXT_MAX = 1 << 30, // bytes that one call encodes
};

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

/* On failure the tokens are unchanged. */
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
/* The rules in use: an alias gives its family's name; "spm" for llama. */
const char *tokenizer_pre(const struct tokenizer *tokenizer);
const char *const *tokenizer_warnings(const struct tokenizer *tokenizer,
                                      size_t *count);

/*
 * Appends the ids of `text`, without begin or end token. STATUS_LIMIT when it
 * is longer than TOKENIZER_TEXT_MAX. On failure *out may have grown.
 */
MUST_CHECK enum status tokenizer_encode(const struct tokenizer *tokenizer,
                                        const char *text, size_t length,
                                        struct tokens *out, struct error *err);

/*
 * Bytes of a token as they appear in decoded text; may be half a character.
 * A marker is its own text: whether it is shown is the caller's choice.
 */
struct gguf_string tokenizer_piece(const struct tokenizer *tokenizer,
                                   int32_t id);
/* True where decoded text drops one blank at its start (SPM). */
bool tokenizer_drops_blank(const struct tokenizer *tokenizer);
/*
 * Appends the text of `count` ids (SPM: without the one leading blank), byte
 * by byte: not UTF-8 where the ids are not whole characters (detokenizer.h).
 */
MUST_CHECK enum status tokenizer_decode(const struct tokenizer *tokenizer,
                                        const int32_t *ids, size_t count,
                                        struct buffer *out, struct error *err);

/* The token whose own text is exactly this, any kind, or TOKEN_NONE. */
int32_t tokenizer_find(const struct tokenizer *tokenizer, const char *text);
/* The text a file gives for a token, as it stands there. */
struct gguf_string tokenizer_text(const struct tokenizer *tokenizer,
                                  int32_t id);
enum token_kind tokenizer_kind(const struct tokenizer *tokenizer, int32_t id);
int32_t tokenizer_bos(const struct tokenizer *tokenizer); // or TOKEN_NONE
int32_t tokenizer_eos(const struct tokenizer *tokenizer); // or TOKEN_NONE
bool tokenizer_adds_bos(const struct tokenizer *tokenizer);
/* True for every token that ends a generation. */
bool tokenizer_is_end(const struct tokenizer *tokenizer, int32_t id);

#endif
