/*
 * Any vocabulary: tokens, types, scores, merges, ids and a chat template made
 * of the input's bytes. It is refused or it works: then it encodes and decodes
 * the input, and a conversation is rendered in the family it is taken for.
 *
 * The input is lines: the first byte of each says what the rest is.
 */
#include "config.h"

#include "engine/engine.h"
#include "tests/unit/gguf_writer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MOST = 64 };

/* What the lines say; texts are cut out of one copy of the input. */
struct recipe {
    const char *tokens[MOST], *merges[MOST];
    int32_t kinds[MOST];
    float scores[MOST];
    size_t token_count, merge_count;
    const char *pre, *chat, *name;
    bool spm;
    uint32_t bos, eos;
};

static void
add_token(struct recipe *r, char kind, const char *text)
{
    if (r->token_count == MOST)
        return;
    r->tokens[r->token_count] = text;
    r->kinds[r->token_count] = kind - '0';
    r->scores[r->token_count] = (float) (text[0] % 7) - 3;
    r->token_count++;
}

static void
add_line(struct recipe *r, const char *line)
{
    const char *rest = line + 1;

    if (line[0] >= '1' && line[0] <= '7')
        add_token(r, line[0], rest);
    else if (line[0] == 'm' && r->merge_count < MOST)
        r->merges[r->merge_count++] = rest;
    else if (line[0] == 'p')
        r->pre = rest;
    else if (line[0] == 'c')
        r->chat = rest;
    else if (line[0] == 'n')
        r->name = rest;
    else if (line[0] == 's')
        r->spm = true;
    else if (line[0] == 'b')
        r->bos = (uint32_t) strtoul(rest, NULL, 10);
    else if (line[0] == 'e')
        r->eos = (uint32_t) strtoul(rest, NULL, 10);
}

static enum status
open_recipe(const struct recipe *r, struct gguf **gguf,
            struct tokenizer **tokenizer, struct error *err)
{
    struct gguf_writer w = {0};

    gguf_writer_string(&w, "general.architecture", "deepseek2");
    if (r->name != NULL)
        gguf_writer_string(&w, "general.name", r->name);
    if (r->chat != NULL)
        gguf_writer_string(&w, "tokenizer.chat_template", r->chat);
    gguf_writer_string(&w, "tokenizer.ggml.model", r->spm ? "llama" : "gpt2");
    if (r->pre != NULL)
        gguf_writer_string(&w, "tokenizer.ggml.pre", r->pre);
    gguf_writer_strings(&w, "tokenizer.ggml.tokens", r->tokens, r->token_count);
    gguf_writer_i32s(&w, "tokenizer.ggml.token_type", r->kinds, r->token_count);
    if (r->spm)
        gguf_writer_f32s(&w, "tokenizer.ggml.scores", r->scores,
                         r->token_count);
    gguf_writer_strings(&w, "tokenizer.ggml.merges", r->merges, r->merge_count);
    gguf_writer_u32(&w, "tokenizer.ggml.bos_token_id", r->bos);
    gguf_writer_u32(&w, "tokenizer.ggml.eos_token_id", r->eos);
    *tokenizer = NULL;
    TRY(gguf_writer_open(&w, gguf, err));
    return tokenizer_open(tokenizer, *gguf, err);
}

static void
use(const struct gguf *gguf, const struct tokenizer *tokenizer,
    const char *text, size_t length)
{
    struct message message = {ROLE_USER, text, length, NULL, 0, NULL, 0};
    struct prompt_options options = {.generate = true};
    struct prompt_pieces pieces = {0};
    struct tokens tokens = {0};
    struct buffer back = {0};
    struct error err;
    char why[64];
    bool sure, thinking;
    enum prompt_family family =
        prompt_family_of(gguf, tokenizer, &sure, why, sizeof why);

    if (prompt_render(&pieces, family, tokenizer, &message, 1, &options,
                      &err) != STATUS_OK ||
        prompt_tokens(&pieces, tokenizer, &tokens, &thinking, &err) !=
            STATUS_OK ||
        tokenizer_decode(tokenizer, tokens.ids, tokens.count, &back, &err) !=
            STATUS_OK)
        abort();
    buffer_release(&back);
    tokens_release(&tokens);
    prompt_pieces_release(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct recipe recipe = {0};
    struct gguf *gguf = NULL;
    struct tokenizer *tokenizer;
    struct error err;
    char *copy = malloc(length + 1), *rest = copy, *line;

    if (copy == NULL)
        abort();
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[0] != '\0')
            add_line(&recipe, line);
    if (open_recipe(&recipe, &gguf, &tokenizer, &err) == STATUS_OK)
        use(gguf, tokenizer, (const char *) bytes, length);
    tokenizer_close(tokenizer);
    gguf_close(gguf);
    free(copy);
    return 0;
}
