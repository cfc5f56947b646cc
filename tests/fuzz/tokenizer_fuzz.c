/*
 * Any bytes as text, for every pre-tokenizer and for SPM. The first byte
 * chooses. With a token for every byte, what comes back is the repaired text,
 * and so is the stream of its ids.
 */
#include "config.h"

#include "engine/byte_text.h"
#include "engine/engine.h"
#include "tests/unit/gguf_writer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { BYTES = 256, MODELS = 9, SPM_BLANKLESS = 8 };

static const char *const rules[] = {
    "deepseek-v3",    "llama-bpe", "qwen2",   "deepseek-llm",
    "deepseek-coder", "smollm",    "default",
};

/* Merges of text in the byte alphabet; what they make are tokens too. */
static const char *const merges[] = {
    "\u0120 \u0120", "\u0120\u0120 \u0120\u0120",
    "a a",           "aa aa",
    "a b",           "ab c",
    "1 2",           "12 3",
    "\u010A \u010A", "\u00C3 \u00BC",
    ". .",           "\u0120 a",
    "\u0120 .",      "\u00E4 \u00BD",
    "I '",           "\u00E4\u00BD \u0142",
};
static const char *const joined[] = {
    "\u0120\u0120", "\u0120\u0120\u0120\u0120",
    "aa",           "aaaa",
    "ab",           "abc",
    "12",           "123",
    "\u010A\u010A", "\u00C3\u00BC",
    "..",           "\u0120a",
    "\u0120.",      "\u00E4\u00BD",
    "I'",           "\u00E4\u00BD\u0142",
};

enum { MERGES = sizeof merges / sizeof *merges };

static struct tokenizer *tokenizers[MODELS];

static void
must(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s\n", err->text);
    abort();
}

/* The gguf is lent to the tokenizer until the process ends. */
static struct tokenizer *
open_tokenizer(struct gguf_writer *w)
{
    struct gguf *gguf;
    struct tokenizer *tokenizer;
    struct error err;

    must(gguf_writer_open(w, &gguf, &err), &err);
    must(tokenizer_open(&tokenizer, gguf, &err), &err);
    return tokenizer;
}

static struct tokenizer *
open_bpe(const char *pre)
{
    static char texts[BYTES][3];
    const char *tokens[BYTES + MERGES];
    struct gguf_writer w = {0};

    for (int byte = 0; byte < BYTES; byte++) {
        size_t n = byte_text_write(texts[byte], (uint8_t) byte);
        texts[byte][n] = '\0';
        tokens[byte] = texts[byte];
    }
    memcpy(tokens + BYTES, joined, sizeof joined);
    gguf_writer_string(&w, "tokenizer.ggml.model", "gpt2");
    gguf_writer_string(&w, "tokenizer.ggml.pre", pre);
    gguf_writer_strings(&w, "tokenizer.ggml.tokens", tokens, BYTES + MERGES);
    gguf_writer_strings(&w, "tokenizer.ggml.merges", merges, MERGES);
    return open_tokenizer(&w);
}

static struct tokenizer *
open_spm(bool blankless)
{
    static char texts[BYTES][8];
    static const char *const words[] = {"\u2581", "a", "aa", "\u2581a",
                                        "ab",     "b", "ba", "\u2581\u2581"};
    const float word_scores[] = {-1, -5, -2, -2, -3, -5, -3, -2};
    const char *tokens[BYTES + 8];
    int32_t kinds[BYTES + 8];
    float scores[BYTES + 8] = {0};
    struct gguf_writer w = {0};

    for (int i = 0; i < BYTES; i++) {
        snprintf(texts[i], sizeof texts[i], "<0x%02X>", (unsigned) i);
        tokens[i] = texts[i];
        kinds[i] = TOKEN_BYTE;
    }
    for (int i = 0; i < 8; i++) {
        tokens[BYTES + i] = words[i];
        kinds[BYTES + i] = TOKEN_NORMAL;
        scores[BYTES + i] = word_scores[i];
    }
    gguf_writer_string(&w, "tokenizer.ggml.model", "llama");
    gguf_writer_strings(&w, "tokenizer.ggml.tokens", tokens, BYTES + 8);
    gguf_writer_i32s(&w, "tokenizer.ggml.token_type", kinds, BYTES + 8);
    gguf_writer_f32s(&w, "tokenizer.ggml.scores", scores, BYTES + 8);
    if (blankless)
        gguf_writer_bool(&w, "tokenizer.ggml.add_space_prefix", false);
    return open_tokenizer(&w);
}

static void
open_all(void)
{
    if (tokenizers[0] != NULL)
        return;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        tokenizers[i] = open_bpe(rules[i]);
    tokenizers[SPM_BLANKLESS - 1] = open_spm(false);
    tokenizers[SPM_BLANKLESS] = open_spm(true);
}

/* What must come back: repaired, and for SPM with U+2581 a blank. */
static void
expect(struct buffer *out, bool spm, const char *text, size_t length)
{
    struct buffer repaired = {0};
    struct error err;

    must(utf8_repair(&repaired, text, length, &err), &err);
    for (size_t i = 0; i < repaired.length; i++) {
        bool blank = spm && repaired.length - i >= 3 &&
                     memcmp(repaired.data + i, "\u2581", 3) == 0;
        must(buffer_append(out, blank ? " " : repaired.data + i, 1, &err),
             &err);
        i += blank ? 2 : 0;
    }
    buffer_release(&repaired);
}

static void
check_same(const struct buffer *got, const struct buffer *want)
{
    if (got->length != want->length ||
        (want->length > 0 && memcmp(got->data, want->data, want->length) != 0))
        abort();
}

static void
check_stream(const struct tokenizer *tokenizer, const struct tokens *tokens,
             const struct buffer *want)
{
    struct detokenizer stream;
    struct buffer got = {0};
    struct error err;

    detokenizer_init(&stream, tokenizer, true);
    for (size_t i = 0; i < tokens->count; i++)
        must(detokenizer_push(&stream, tokens->ids[i], &got, &err), &err);
    must(detokenizer_flush(&stream, &got, &err), &err);
    check_same(&got, want);
    buffer_release(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct tokens tokens = {0};
    struct buffer want = {0}, got = {0};
    struct error err;

    if (length == 0)
        return 0;
    open_all();
    size_t model = bytes[0] % MODELS;
    const struct tokenizer *tokenizer = tokenizers[model];
    const char *text = (const char *) bytes + 1;

    must(tokenizer_encode(tokenizer, text, length - 1, &tokens, &err), &err);
    must(tokenizer_decode(tokenizer, tokens.ids, tokens.count, &got, &err),
         &err);
    expect(&want, model >= SPM_BLANKLESS - 1, text, length - 1);
    check_same(&got, &want);
    check_stream(tokenizer, &tokens, &want);
    buffer_release(&got);
    buffer_release(&want);
    tokens_release(&tokens);
    return 0;
}
