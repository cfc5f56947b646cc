/* Scores to priorities, byte tokens, and the joining of characters. */
#include "config.h"

#include "engine/sentence_pieces.h"

#include <stdlib.h>
#include <string.h>

struct sentence_pieces {
    const struct vocabulary *vocabulary;
    uint32_t *priority; // (tokens) the best score first
    int32_t byte_token[256];
    int32_t unknown;
};

/* A segment in work: the rule needs its text. */
struct piece_rule {
    const struct sentence_pieces *pieces;
    const char *bytes;
};

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

int
sentence_pieces_byte(const struct gguf_string *text)
{
    if (text->length != 6 || memcmp(text->bytes, "<0x", 3) != 0 ||
        text->bytes[5] != '>')
        return -1;
    int high = hex_digit(text->bytes[3]), low = hex_digit(text->bytes[4]);

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Orders finite scores from high to low as unsigned numbers. */
static uint32_t
priority_of(float score)
{
    uint32_t bits;
    float plain = score + 0.0f; // -0 to 0: they are equal

    memcpy(&bits, &plain, sizeof bits);
    return bits >> 31 ? bits : ~bits & 0x7FFFFFFF;
}

static enum status
read_bytes(struct sentence_pieces *pieces, const struct gguf *gguf,
           struct error *err)
{
    const struct vocabulary *v = pieces->vocabulary;
    char shown[80];

    for (int byte = 0; byte < 256; byte++)
        pieces->byte_token[byte] = pieces->unknown;
    for (size_t i = 0; i < v->count; i++) {
        if (v->kind[i] != TOKEN_BYTE)
            continue;
        int byte = sentence_pieces_byte(&v->text[i]);
        if (byte < 0)
            return error_set(err, STATUS_FORMAT,
                             "%s: tokenizer.ggml.tokens: token %zu \"%s\" is a "
                             "byte by its type but not \"<0xHH>\"",
                             gguf_shown(gguf), i,
                             text_quote(shown, sizeof shown, v->text[i].bytes,
                                        v->text[i].length));
        pieces->byte_token[byte] = (int32_t) i;
    }
    return STATUS_OK;
}

enum status
sentence_pieces_open(struct sentence_pieces **out, const struct gguf *gguf,
                     const struct vocabulary *vocabulary, int32_t unknown,
                     struct error *err)
{
    void *memory;

    *out = NULL;
    if (vocabulary->score == NULL)
        return error_set(err, STATUS_FORMAT,
                         "%s: tokenizer.ggml.scores is missing",
                         gguf_shown(gguf));
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct sentence_pieces *pieces = memory;
    *pieces = (struct sentence_pieces){vocabulary, .unknown = unknown};
    enum status status = read_bytes(pieces, gguf, err);
    if (status == STATUS_OK)
        status = memory_alloc(
            &memory, vocabulary->count * sizeof *pieces->priority, err);
    if (status != STATUS_OK) {
        sentence_pieces_close(pieces);
        return status;
    }
    pieces->priority = memory;
    for (size_t i = 0; i < vocabulary->count; i++)
        pieces->priority[i] = priority_of(vocabulary->score[i]);
    *out = pieces;
    return STATUS_OK;
}

void
sentence_pieces_close(struct sentence_pieces *pieces)
{
    if (pieces == NULL)
        return;
    free(pieces->priority);
    free(pieces);
}

// -- encoding ----------------------------------------------------------------

/* The ordinary token of a text, or TOKEN_NONE. */
static int32_t
token_of(const struct vocabulary *v, const char *bytes, size_t length)
{
    if (length > v->longest_bytes)
        return TOKEN_NONE;
    int32_t id = vocabulary_find(v, bytes, length);

    return id != TOKEN_NONE && vocabulary_typed(v, id) ? id : TOKEN_NONE;
}

static uint32_t
rate_piece(const void *rule, int32_t left, int32_t right, uint32_t start,
           uint32_t end, int32_t *joined)
{
    const struct piece_rule *r = rule;
    const struct sentence_pieces *pieces = r->pieces;

    (void) left;
    (void) right;
    *joined = token_of(pieces->vocabulary, r->bytes + start, end - start);
    return *joined == TOKEN_NONE ? MERGE_NEVER : pieces->priority[*joined];
}

static size_t
count_characters(const char *bytes, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((uint8_t) bytes[i] & 0xC0) != 0x80;
    return count;
}

static void
fill_list(struct merge_list *list, const struct vocabulary *v,
          const char *bytes, size_t length)
{
    size_t at = 0;

    for (size_t i = 0; i < list->count; i++) {
        size_t start = at++;
        while (at < length && ((uint8_t) bytes[at] & 0xC0) == 0x80)
            at++;
        list->symbols[i].start = (uint32_t) start;
        list->symbols[i].id = token_of(v, bytes + start, at - start);
    }
}

enum status
sentence_pieces_encode(const struct sentence_pieces *pieces, const char *bytes,
                       size_t length, struct merge_list *list,
                       struct tokens *out, struct error *err)
{
    struct piece_rule rule = {pieces, bytes};

    TRY(merge_list_begin(list, count_characters(bytes, length), err));
    fill_list(list, pieces->vocabulary, bytes, length);
    merge_list_join(list, (uint32_t) length, rate_piece, &rule);
    for (uint32_t i = 0; i < list->count; i = list->symbols[i].next) {
        const struct merge_symbol *symbol = &list->symbols[i];
        if (symbol->id != TOKEN_NONE) {
            TRY(tokens_append(out, &symbol->id, 1, err));
            continue;
        }
        for (uint32_t at = symbol->start; at < merge_list_end(list, i); at++) {
            const int32_t *token = &pieces->byte_token[(uint8_t) bytes[at]];
            if (*token != TOKEN_NONE)
                TRY(tokens_append(out, token, 1, err));
        }
    }
    return STATUS_OK;
}
