/* Opening: a file's settings, special ids and pieces, all checked. */
#include "config.h"

#include "engine/tokenizer_parts.h"

#include "engine/byte_text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// -- warnings -------------------------------------------------------

static enum status warn(struct tokenizer *t, struct error *err,
                        const char *format, ...) PRINTF_LIKE(3, 4);

/* Lists and logs a sentence about the file. */
static enum status
warn(struct tokenizer *t, struct error *err, const char *format, ...)
{
    enum { SIZE = 512 };
    void *memory;
    va_list args;

    if (t->warnings == TOKENIZER_WARNINGS)
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

// -- special tokens -------------------------------------------------

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
    assert(t->ends < TOKENIZER_ENDS);
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

// -- pieces ---------------------------------------------------------

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

// -- models ---------------------------------------------------------

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
