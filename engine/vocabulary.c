/* Reading and checking of the token arrays. */
#include "config.h"

#include "engine/vocabulary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum status
vocabulary_array(const struct gguf *gguf, const char *key,
                 enum gguf_type element, size_t wanted,
                 const struct gguf_value **out, struct error *err)
{
    const struct gguf_value *value = gguf_find(gguf, key);
    const char *shown = gguf_shown(gguf);

    *out = value;
    if (value == NULL)
        return STATUS_OK;
    if (value->type != GGUF_ARRAY)
        return error_set(err, STATUS_FORMAT,
                         "%s: %s is of type %s, an array of %s is wanted",
                         shown, key, gguf_type_name(value->type),
                         gguf_type_name(element));
    if (value->element != element)
        return error_set(
            err, STATUS_FORMAT, "%s: %s is an array of %s, %s is wanted", shown,
            key, gguf_type_name(value->element), gguf_type_name(element));
    if (wanted > 0 && value->count != wanted)
        return error_set(err, STATUS_FORMAT,
                         "%s: %s has %zu entries, but there are %zu tokens",
                         shown, key, value->count, wanted);
    return STATUS_OK;
}

static void
note(struct oddity *oddity, size_t id)
{
    if (oddity->count++ == 0)
        oddity->first = (int32_t) id;
}

static bool
is_one_character(const struct gguf_string *text)
{
    uint32_t code_point;
    bool valid;

    return text->length > 0 &&
           utf8_next(text->bytes, text->length, &code_point, &valid) ==
               text->length &&
           valid;
}

static enum status
read_tokens(struct vocabulary *v, const struct gguf *gguf, struct error *err)
{
    const char *key = "tokenizer.ggml.tokens";
    const struct gguf_value *value;

    TRY(vocabulary_array(gguf, key, GGUF_STRING, 0, &value, err));
    if (value == NULL)
        return error_set(err, STATUS_FORMAT,
                         "%s: %s is missing: the file has no vocabulary",
                         gguf_shown(gguf), key);
    if (value->count == 0 || value->count > VOCABULARY_MAX)
        return error_set(err, STATUS_FORMAT,
                         "%s: %s has %zu entries, 1 to %d are possible",
                         gguf_shown(gguf), key, value->count, VOCABULARY_MAX);
    v->text = value->data;
    v->count = value->count;
    return STATUS_OK;
}

static enum status
read_kinds(struct vocabulary *v, const struct gguf *gguf, struct error *err)
{
    const char *key = "tokenizer.ggml.token_type";
    const struct gguf_value *value;
    void *memory;

    TRY(vocabulary_array(gguf, key, GGUF_I32, v->count, &value, err));
    TRY(memory_alloc(&memory, v->count, err));
    v->kind = memory;
    memset(v->kind, TOKEN_NORMAL, v->count);
    if (value == NULL)
        return STATUS_OK;
    const int32_t *kinds = value->data;
    for (size_t i = 0; i < v->count; i++) {
        if (kinds[i] < TOKEN_NORMAL || kinds[i] > TOKEN_BYTE)
            return error_set(err, STATUS_FORMAT,
                             "%s: %s: token %zu has type %d, 1 to %d exist",
                             gguf_shown(gguf), key, i, kinds[i], TOKEN_BYTE);
        v->kind[i] = (uint8_t) kinds[i];
    }
    return STATUS_OK;
}

static enum status
read_scores(struct vocabulary *v, const struct gguf *gguf, struct error *err)
{
    const char *key = "tokenizer.ggml.scores";
    const struct gguf_value *value;

    TRY(vocabulary_array(gguf, key, GGUF_F32, v->count, &value, err));
    if (value == NULL)
        return STATUS_OK;
    v->score = value->data;
    for (size_t i = 0; i < v->count; i++)
        if (!isfinite(v->score[i]))
            return error_set(err, STATUS_FORMAT,
                             "%s: %s: the score of token %zu is not finite",
                             gguf_shown(gguf), key, i);
    return STATUS_OK;
}

static enum status
index_texts(struct vocabulary *v, const struct gguf *gguf, struct error *err)
{
    TRY(text_table_init(&v->table, v->text, v->count, err));
    for (size_t i = 0; i < v->count; i++) {
        const struct gguf_string *text = &v->text[i];
        int32_t found;

        if (v->count - i > TEXT_AHEAD)
            text_table_prefetch(&v->table, text[TEXT_AHEAD].bytes,
                                text[TEXT_AHEAD].length);
        if (text->length == 0) {
            note(&v->empty, i);
            continue;
        }
        if (text_table_add(&v->table, (int32_t) i, &found, err) != STATUS_OK)
            return error_set(err, STATUS_FORMAT,
                             "%s: tokenizer.ggml.tokens: too many tokens like "
                             "token %zu share a hash",
                             gguf_shown(gguf), i);
        if (found != (int32_t) i) {
            note(&v->repeated, i);
            if (v->repeated.count == 1)
                v->repeated_from = found;
        }
        if (!utf8_valid(text->bytes, text->length))
            note(&v->not_utf8, i);
        if (text->length > v->longest_bytes)
            v->longest_bytes = text->length;
        if (v->kind[i] == TOKEN_USER_DEFINED && is_one_character(text))
            v->letters = true;
    }
    return STATUS_OK;
}

enum status
vocabulary_init(struct vocabulary *v, const struct gguf *gguf,
                struct error *err)
{
    *v = (struct vocabulary){0};
    TRY(read_tokens(v, gguf, err));
    enum status status = read_kinds(v, gguf, err);
    if (status == STATUS_OK)
        status = read_scores(v, gguf, err);
    if (status == STATUS_OK)
        status = index_texts(v, gguf, err);
    if (status != STATUS_OK)
        vocabulary_release(v);
    return status;
}

void
vocabulary_release(struct vocabulary *v)
{
    text_table_release(&v->table);
    free(v->kind);
    *v = (struct vocabulary){0};
}

int32_t
vocabulary_find(const struct vocabulary *v, const char *bytes, size_t length)
{
    return text_table_find(&v->table, bytes, length);
}

bool
vocabulary_typed(const struct vocabulary *v, int32_t id)
{
    if (v->kind[id] == TOKEN_USER_DEFINED)
        return v->letters && is_one_character(&v->text[id]);
    return v->kind[id] == TOKEN_NORMAL;
}
