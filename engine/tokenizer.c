/* A file's tokenizer: its settings, special ids, pieces, and both ways. */
#include "config.h"

#include "engine/tokenizer.h"

#include "engine/byte_pairs.h"
#include "engine/byte_text.h"
#include "engine/pretokenizer.h"
#include "engine/sentence_pieces.h"
#include "engine/vocabulary.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARNINGS_MAX = 32, ENDS_MAX = 48 };

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
    int32_t end[ENDS_MAX];
    size_t ends;
    uint32_t *piece_start; // (tokens + 1) offsets into pieces
    char *pieces;          // each with a NUL behind it
    char *warning[WARNINGS_MAX];
    size_t warnings;
};

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

// -- opening: warnings -------------------------------------------------------

static enum status warn(struct tokenizer *t, struct error *err,
                        const char *format, ...) PRINTF_LIKE(3, 4);

/* Lists and logs a sentence about the file. */
static enum status
warn(struct tokenizer *t, struct error *err, const char *format, ...)
{
    enum { SIZE = 512 };
    void *memory;
    va_list args;

    if (t->warnings == WARNINGS_MAX)
        return STATUS_OK;
    TRY(memory_alloc(&memory, SIZE, err));
    va_start(args, format);
    vsnprintf(memory, SIZE, format, args);
    va_end(args);
    t->warning[t->warnings++] = memory;
    log_warn("%s: %s", gguf_shown(t->gguf), (const char *) memory);
    return STATUS_OK;
}

static enum status
warn_of_oddities(struct tokenizer *t, struct error *err)
{
    const struct vocabulary *v = &t->vocabulary;

    if (v->repeated.count > 0)
        TRY(warn(t, err,
                 "token %d repeats the text of token %d (%zu such tokens): the "
                 "first of each counts",
                 v->repeated.first, v->repeated_from, v->repeated.count));
    if (v->empty.count > 0)
        TRY(warn(t, err, "token %d has an empty text (%zu such tokens)",
                 v->empty.first, v->empty.count));
    if (v->not_utf8.count > 0)
        TRY(warn(t, err, "the text of token %d is not UTF-8 (%zu such tokens)",
                 v->not_utf8.first, v->not_utf8.count));
    return STATUS_OK;
}

/* The vocabulary size that a file states besides its tokens. */
static enum status
check_stated_size(struct tokenizer *t, struct error *err)
{
    const struct gguf_string *arch = gguf_text(t->gguf, "general.architecture");
    char key[128];
    uint64_t stated;
    bool found;

    if (arch == NULL || arch->length > 64)
        return STATUS_OK;
    snprintf(key, sizeof key, "%s.vocab_size", arch->bytes);
    TRY(gguf_uint_in(t->gguf, key, 0, UINT64_MAX, &stated, &found, err));
    if (found && stated != t->vocabulary.count)
        TRY(warn(t, err, "%s is %llu, but there are %zu tokens: these count",
                 key, (unsigned long long) stated, t->vocabulary.count));
    return STATUS_OK;
}

// -- opening: special tokens -------------------------------------------------

/*
 * Reads the id that tokenizer.ggml.NAME gives: TOKEN_NONE when absent, when
 * the file says "none" (2^32 - 1), and, with a warning, when out of range.
 */
static enum status
read_id(struct tokenizer *t, const char *name, int32_t *out, struct error *err)
{
    char key[64];
    uint64_t id;
    bool found;

    *out = TOKEN_NONE;
    snprintf(key, sizeof key, "tokenizer.ggml.%s", name);
    TRY(gguf_uint_in(t->gguf, key, 0, UINT64_MAX, &id, &found, err));
    if (!found || id == UINT32_MAX)
        return STATUS_OK;
    if (id >= t->vocabulary.count)
        return warn(t, err,
                    "%s is %llu, but there are only %zu tokens: it is ignored",
                    key, (unsigned long long) id, t->vocabulary.count);
    *out = (int32_t) id;
    return STATUS_OK;
}

/* What SPM files mean by an absent id, if that token is of such a kind. */
static int32_t
spm_id(const struct tokenizer *t, int32_t id, enum token_kind kind)
{
    return (size_t) id < t->vocabulary.count && t->vocabulary.kind[id] == kind
               ? id
               : TOKEN_NONE;
}

static enum status
read_main_ids(struct tokenizer *t, bool spm, struct error *err)
{
    TRY(read_id(t, "bos_token_id", &t->bos, err));
    TRY(read_id(t, "eos_token_id", &t->eos, err));
    TRY(read_id(t, "unknown_token_id", &t->unknown, err));
    if (!spm)
        return STATUS_OK;
    if (gguf_find(t->gguf, "tokenizer.ggml.bos_token_id") == NULL)
        t->bos = spm_id(t, 1, TOKEN_CONTROL);
    if (gguf_find(t->gguf, "tokenizer.ggml.eos_token_id") == NULL)
        t->eos = spm_id(t, 2, TOKEN_CONTROL);
    if (gguf_find(t->gguf, "tokenizer.ggml.unknown_token_id") == NULL)
        t->unknown = spm_id(t, 0, TOKEN_UNKNOWN);
    return STATUS_OK;
}

static void
add_end(struct tokenizer *t, int32_t id)
{
    if (id == TOKEN_NONE || tokenizer_is_end(t, id))
        return;
    assert(t->ends < ENDS_MAX);
    t->end[t->ends++] = id;
}

/* Tokens that end an answer, by the file's keys and by well-known texts. */
static enum status
read_ends(struct tokenizer *t, struct error *err)
{
    static const char *const keys[] = {
        "eot_token_id",     "eom_token_id",     "fim_pad_token_id",
        "fim_rep_token_id", "fim_sep_token_id",
    };
    static const char *const texts[] = {
        "<｜end▁of▁sentence｜>",
        "<|EOT|>",
        "<|eot_id|>",
        "<|im_end|>",
        "<|end|>",
        "<|end_of_text|>",
        "<|endoftext|>",
        "<|eom_id|>",
        "</s>",
        "<EOT>",
        "_<EOT>",
        "<end_of_turn>",
        "<|fim_pad|>",
        "<|repo_name|>",
        "<|file_sep|>",
    };

    add_end(t, t->eos);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int32_t id;
        TRY(read_id(t, keys[i], &id, err));
        add_end(t, id);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int32_t id = tokenizer_find(t, texts[i]);
        if (id != TOKEN_NONE && (t->vocabulary.kind[id] == TOKEN_CONTROL ||
                                 t->vocabulary.kind[id] == TOKEN_USER_DEFINED))
            add_end(t, id);
    }
    return STATUS_OK;
}

/* Ids that nothing here uses are checked all the same. */
static enum status
check_other_ids(struct tokenizer *t, struct error *err)
{
    static const char *const names[] = {
        "seperator_token_id", "padding_token_id", "cls_token_id",
        "mask_token_id",      "fim_pre_token_id", "fim_suf_token_id",
        "fim_mid_token_id",   "prefix_token_id",  "suffix_token_id",
        "middle_token_id",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int32_t id;
        TRY(read_id(t, names[i], &id, err));
    }
    return STATUS_OK;
}

// -- opening: pieces ---------------------------------------------------------

/* Writes an ordinary BPE token's bytes; at most as long as its text. */
static size_t
write_byte_text(char *out, const struct gguf_string *text)
{
    size_t n = 0;

    for (size_t i = 0; i < text->length;) {
        uint32_t code_point;
        bool valid;
        size_t length =
            utf8_next(text->bytes + i, text->length - i, &code_point, &valid);
        int byte = valid ? byte_text_byte(code_point) : -1;

        if (byte >= 0) {
            out[n++] = (char) byte;
        } else {
            memcpy(out + n, text->bytes + i, length);
            n += length;
        }
        i += length;
    }
    return n;
}

/* Writes an SPM token's bytes: blanks come back, byte tokens are a byte. */
static size_t
write_spm_text(char *out, const struct gguf_string *text, enum token_kind kind)
{
    size_t n = 0;
    int byte = kind == TOKEN_BYTE ? sentence_pieces_byte(text) : -1;

    if (byte >= 0) {
        out[0] = (char) byte;
        return 1;
    }
    for (size_t i = 0; i < text->length;) {
        if (text->length - i >= 3 &&
            memcmp(text->bytes + i, SPM_BLANK, 3) == 0) {
            out[n++] = ' ';
            i += 3;
        } else {
            out[n++] = text->bytes[i++];
        }
    }
    return n;
}

static size_t
write_piece(const struct tokenizer *t, char *out, size_t id)
{
    const struct gguf_string *text = &t->vocabulary.text[id];
    enum token_kind kind = t->vocabulary.kind[id];

    if (t->byte_pairs != NULL && kind == TOKEN_NORMAL)
        return write_byte_text(out, text);
    if (t->sentence_pieces != NULL &&
        (kind == TOKEN_NORMAL || kind == TOKEN_BYTE))
        return write_spm_text(out, text, kind);
    memcpy(out, text->bytes, text->length);
    return text->length;
}

static enum status
make_pieces(struct tokenizer *t, struct error *err)
{
    size_t count = t->vocabulary.count, bytes = 0;
    void *memory;

    for (size_t i = 0; i < count; i++)
        bytes += t->vocabulary.text[i].length + 1;
    if (bytes > UINT32_MAX)
        return error_set(err, STATUS_LIMIT,
                         "%s: the texts of the tokens have %zu bytes",
                         gguf_shown(t->gguf), bytes);
    TRY(memory_alloc(&memory, (count + 1) * sizeof *t->piece_start, err));
    t->piece_start = memory;
    TRY(memory_alloc(&memory, bytes, err));
    t->pieces = memory;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        t->piece_start[i] = (uint32_t) at;
        at += write_piece(t, t->pieces + at, i);
        t->pieces[at++] = '\0';
    }
    t->piece_start[count] = (uint32_t) at;
    return STATUS_OK;
}

// -- opening: models ---------------------------------------------------------

static bool
text_is(const struct gguf_string *text, const char *wanted)
{
    return text->length == strlen(wanted) &&
           memcmp(text->bytes, wanted, text->length) == 0;
}

/* The pre-tokenizer of a file that does not name one. */
static enum status
guess_rules(struct tokenizer *t, const struct pretokenizer_rules **out,
            struct error *err)
{
    // DeepSeek-V2 files converted before April 2024
    const char *name =
        t->vocabulary.count == 102400 ? "deepseek-llm" : "default";

    *out = pretokenizer_rules_find(name);
    return warn(t, err, "tokenizer.ggml.pre is missing: %s is used", name);
}

static enum status
choose_rules(struct tokenizer *t, const struct pretokenizer_rules **out,
             struct error *err)
{
    const char *key = "tokenizer.ggml.pre";
    const struct gguf_value *value = gguf_find(t->gguf, key);
    const struct gguf_string *name = gguf_text(t->gguf, key);
    char shown[80];

    if (value == NULL)
        return guess_rules(t, out, err);
    if (name == NULL)
        return error_set(err, STATUS_FORMAT,
                         "%s: %s is of type %s, string is wanted",
                         gguf_shown(t->gguf), key, gguf_type_name(value->type));
    *out = strlen(name->bytes) == name->length
               ? pretokenizer_rules_find(name->bytes)
               : NULL;
    if (*out == NULL)
        return error_set(
            err, STATUS_UNSUPPORTED,
            "%s: %s \"%s\" is not a pre-tokenizer that fathom knows",
            gguf_shown(t->gguf), key,
            text_quote(shown, sizeof shown, name->bytes, name->length));
    return STATUS_OK;
}

static enum status
open_byte_pairs(struct tokenizer *t, struct error *err)
{
    const struct pretokenizer_rules *rules;

    TRY(choose_rules(t, &rules, err));
    t->pre = rules->name;
    t->adds_bos = rules->adds_bos;
    TRY(read_main_ids(t, false, err));
    TRY(pretokenizer_open(&t->pretokenizer, rules, err));
    return byte_pairs_open(&t->byte_pairs, t->gguf, &t->vocabulary,
                           rules->whole_words, err);
}

static enum status
open_sentence_pieces(struct tokenizer *t, struct error *err)
{
    bool found;

    t->pre = "spm";
    t->adds_bos = t->adds_blank = true;
    TRY(gguf_bool(t->gguf, "tokenizer.ggml.add_space_prefix", &t->adds_blank,
                  &found, err));
    TRY(read_main_ids(t, true, err));
    return sentence_pieces_open(&t->sentence_pieces, t->gguf, &t->vocabulary,
                                t->unknown, err);
}

static enum status
open_model(struct tokenizer *t, struct error *err)
{
    const char *key = "tokenizer.ggml.model";
    const struct gguf_string *model = gguf_text(t->gguf, key);
    char shown[80];

    if (model == NULL)
        return error_set(err, STATUS_FORMAT, "%s: %s is missing or no string",
                         gguf_shown(t->gguf), key);
    if (text_is(model, "gpt2"))
        return open_byte_pairs(t, err);
    if (text_is(model, "llama"))
        return open_sentence_pieces(t, err);
    return error_set(
        err, STATUS_UNSUPPORTED,
        "%s: %s \"%s\" is not a tokenizer that fathom knows (gpt2 and llama "
        "are)",
        gguf_shown(t->gguf), key,
        text_quote(shown, sizeof shown, model->bytes, model->length));
}

static enum status
open_parts(struct tokenizer *t, struct error *err)
{
    bool found;

    TRY(vocabulary_init(&t->vocabulary, t->gguf, err));
    TRY(warn_of_oddities(t, err));
    TRY(check_stated_size(t, err));
    TRY(open_model(t, err));
    TRY(gguf_bool(t->gguf, "tokenizer.ggml.add_bos_token", &t->adds_bos, &found,
                  err));
    TRY(read_ends(t, err));
    TRY(check_other_ids(t, err));
    return make_pieces(t, err);
}

enum status
tokenizer_open(struct tokenizer **out, const struct gguf *gguf,
               struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct tokenizer *t = memory;
    t->gguf = gguf;
    t->bos = t->eos = t->unknown = TOKEN_NONE;
    enum status status = open_parts(t, err);
    if (status == STATUS_OK)
        *out = t;
    else
        tokenizer_close(t);
    return status;
}

void
tokenizer_close(struct tokenizer *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->warnings; i++)
        free(t->warning[i]);
    free(t->pieces);
    free(t->piece_start);
    sentence_pieces_close(t->sentence_pieces);
    byte_pairs_close(t->byte_pairs);
    pretokenizer_close(t->pretokenizer);
    vocabulary_release(&t->vocabulary);
    free(t);
}

// -- attributes --------------------------------------------------------------

size_t
tokenizer_count(const struct tokenizer *t)
{
    return t->vocabulary.count;
}

const char *
tokenizer_model(const struct tokenizer *t)
{
    return t->byte_pairs != NULL ? "gpt2" : "llama";
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
