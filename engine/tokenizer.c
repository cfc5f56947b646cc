/* Text to ids and back, for an open tokenizer. */
#include "config.h"

#include "engine/tokenizer_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// -- tokens ------------------------------------------------------------------

enum status
tokens_append(struct tokens *tokens, const int32_t *ids, size_t count,
              struct error *err)
{
    size_t need = tokens->count + count, capacity = tokens->capacity;

    if (need > capacity) {
        void *memory;
        capacity = capacity < 64 ? 64 : capacity;
        while (capacity < need)
            capacity *= 2;
        TRY(memory_alloc(&memory, capacity * sizeof *ids, err));
        // not realloc: the old copy must be wiped
        if (tokens->count > 0)
            memcpy(memory, tokens->ids, tokens->count * sizeof *ids);
        struct tokens old = *tokens;
        tokens_release(tokens);
        *tokens = (struct tokens){memory, old.count, capacity};
    }
    if (count > 0)
        memcpy(tokens->ids + tokens->count, ids, count * sizeof *ids);
    tokens->count = need;
    return STATUS_OK;
}

void
tokens_release(struct tokens *tokens)
{
    if (tokens->ids != NULL)
        explicit_bzero(tokens->ids, tokens->capacity * sizeof *tokens->ids);
    free(tokens->ids);
    *tokens = (struct tokens){0};
}

// -- attributes --------------------------------------------------------------

size_t
tokenizer_count(const struct tokenizer *t)
{
    return t->vocabulary.count;
}

const char *
tokenizer_pre(const struct tokenizer *t)
{
    return t->pre;
}

const char *const *
tokenizer_warnings(const struct tokenizer *t, size_t *count)
{
    *count = t->warnings;
    return (const char *const *) t->warning;
}

int32_t
tokenizer_find(const struct tokenizer *t, const char *text)
{
    return vocabulary_find(&t->vocabulary, text, strlen(text));
}

struct gguf_string
tokenizer_text(const struct tokenizer *t, int32_t id)
{
    assert(id >= 0 && (size_t) id < t->vocabulary.count);
    return t->vocabulary.text[id];
}

enum token_kind
tokenizer_kind(const struct tokenizer *t, int32_t id)
{
    assert(id >= 0 && (size_t) id < t->vocabulary.count);
    return t->vocabulary.kind[id];
}

int32_t
tokenizer_bos(const struct tokenizer *t)
{
    return t->bos;
}

int32_t
tokenizer_eos(const struct tokenizer *t)
{
    return t->eos;
}

bool
tokenizer_adds_bos(const struct tokenizer *t)
{
    return t->adds_bos;
}

bool
tokenizer_is_end(const struct tokenizer *t, int32_t id)
{
    for (size_t i = 0; i < t->ends; i++)
        if (t->end[i] == id)
            return true;
    return false;
}

// -- encoding ----------------------------------------------------------------

/* One call of tokenizer_encode. */
struct encoding {
    const struct tokenizer *tokenizer;
    struct merge_list list;
    struct tokens *out;
};

static enum status
encode_segment(void *context, const char *bytes, size_t length,
               struct error *err)
{
    struct encoding *encoding = context;

    return byte_pairs_encode(encoding->tokenizer->byte_pairs, bytes, length,
                             &encoding->list, encoding->out, err);
}

/* SPM works on text whose blanks are U+2581, with one put before it. */
static enum status
encode_spm(struct encoding *encoding, const char *text, size_t length,
           struct error *err)
{
    struct buffer blanks = {0};
    enum status status = STATUS_OK;

    if (encoding->tokenizer->adds_blank)
        status = buffer_append(&blanks, SPM_BLANK, 3, err);
    for (size_t i = 0, word; i < length && status == STATUS_OK; i = word) {
        word = i;
        while (word < length && text[word] != ' ')
            word++;
        status = buffer_append(&blanks, text + i, word - i, err);
        if (status == STATUS_OK && word < length) {
            status = buffer_append(&blanks, SPM_BLANK, 3, err);
            word++;
        }
    }
    if (status == STATUS_OK)
        status = sentence_pieces_encode(encoding->tokenizer->sentence_pieces,
                                        blanks.data, blanks.length,
                                        &encoding->list, encoding->out, err);
    buffer_release(&blanks);
    return status;
}

static enum status
encode_run(struct encoding *encoding, const char *text, size_t length,
           struct error *err)
{
    if (length == 0)
        return STATUS_OK;
    if (encoding->tokenizer->sentence_pieces != NULL)
        return encode_spm(encoding, text, length, err);
    return pretokenizer_cut(encoding->tokenizer->pretokenizer, text, length,
                            encode_segment, encoding, err);
}

/* The user-defined token that is this one character, or TOKEN_NONE. */
static int32_t
letter_token(const struct vocabulary *v, const char *bytes, size_t length)
{
    int32_t id = vocabulary_find(v, bytes, length);

    return id != TOKEN_NONE && v->kind[id] == TOKEN_USER_DEFINED ? id
                                                                 : TOKEN_NONE;
}

/* Encodes valid UTF-8, cut at user-defined letters where there are any. */
static enum status
encode_text(struct encoding *encoding, const char *text, size_t length,
            struct error *err)
{
    const struct vocabulary *v = &encoding->tokenizer->vocabulary;
    size_t start = 0;

    for (size_t i = 0; v->letters && i < length;) {
        uint32_t code_point;
        bool valid;
        size_t n = utf8_next(text + i, length - i, &code_point, &valid);
        int32_t letter = letter_token(v, text + i, n);

        if (letter != TOKEN_NONE) {
            TRY(encode_run(encoding, text + start, i - start, err));
            TRY(tokens_append(encoding->out, &letter, 1, err));
            start = i + n;
        }
        i += n;
    }
    return encode_run(encoding, text + start, length - start, err);
}

enum status
tokenizer_encode(const struct tokenizer *t, const char *text, size_t length,
                 struct tokens *out, struct error *err)
{
    struct encoding encoding = {.tokenizer = t, .out = out};
    struct buffer repaired = {0};
    enum status status = STATUS_OK;

    if (length > TOKENIZER_TEXT_MAX)
        return error_set(err, STATUS_LIMIT,
                         "a text of %zu bytes is longer than the %d that can "
                         "be encoded at once",
                         length, TOKENIZER_TEXT_MAX);
    if (!utf8_valid(text, length)) {
        status = utf8_repair(&repaired, text, length, err);
        text = repaired.data;
        length = repaired.length;
    }
    if (status == STATUS_OK)
        status = encode_text(&encoding, text, length, err);
    merge_list_release(&encoding.list);
    buffer_release(&repaired);
    return status;
}

// -- decoding ----------------------------------------------------------------

struct gguf_string
tokenizer_piece(const struct tokenizer *t, int32_t id)
{
    assert(id >= 0 && (size_t) id < t->vocabulary.count);
    uint32_t start = t->piece_start[id];

    return (struct gguf_string){t->pieces + start,
                                t->piece_start[id + 1] - start - 1};
}

bool
tokenizer_drops_blank(const struct tokenizer *t)
{
    return t->adds_blank;
}

enum status
tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t count,
                 struct buffer *out, struct error *err)
{
    bool at_start = t->adds_blank;

    for (size_t i = 0; i < count; i++) {
        struct gguf_string piece = tokenizer_piece(t, ids[i]);
        size_t drop = at_start && piece.length > 0 && piece.bytes[0] == ' ';

        at_start = at_start && piece.length == 0;
        TRY(buffer_append(out, piece.bytes + drop, piece.length - drop, err));
    }
    return STATUS_OK;
}
