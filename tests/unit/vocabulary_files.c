#include "config.h"

#include "tests/unit/vocabulary_files.h"

#include "tests/unit/golden_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tests may write into the tables that they have just read. */
static void *
writable(const void *table)
{
    return (void *) (uintptr_t) table;
}

static void *
values_of(const struct gguf *gguf, const char *key)
{
    const struct gguf_value *value = gguf_find(gguf, key);

    return value != NULL ? writable(value->data) : NULL;
}

static void
set_string(struct gguf_string *string, const char *text)
{
    // lent until the process ends: the gguf does not own it
    static char texts[16384];
    static size_t used;
    size_t size = strlen(text) + 1;

    if (size > sizeof texts - used)
        exit(99);
    string->bytes = memcpy(texts + used, text, size);
    string->length = size - 1;
    used += size;
}

static void
rename_tokens(const struct gguf *gguf, const char *variant)
{
    struct gguf_string *tokens = values_of(gguf, "tokenizer.ggml.tokens");
    int32_t *kinds = values_of(gguf, "tokenizer.ggml.token_type");
    uint32_t *bos = values_of(gguf, "tokenizer.ggml.bos_token_id");
    uint32_t *eos = values_of(gguf, "tokenizer.ggml.eos_token_id");
    struct golden_file table;
    char name[256], text[256], *line;
    unsigned id;
    int kind;

    snprintf(name, sizeof name, "tokenizer/variants/%s.special.tsv", variant);
    golden_open(&table, name);
    while ((line = golden_line(&table)) != NULL) {
        if (sscanf(line, "%u\t%d\t%255[^\n]", &id, &kind, text) != 3)
            exit(99);
        set_string(&tokens[id], text);
        kinds[id] = kind;
        if (strcmp(text, "<｜begin▁of▁sentence｜>") == 0)
            *bos = id;
        if (strcmp(text, "<｜end▁of▁sentence｜>") == 0)
            *eos = id;
    }
    golden_close(&table);
}

void
vocabulary_file_open(struct vocabulary_file *file, const char *name,
                     const char *variant, const char *pre)
{
    char relative[256], path[4096];
    struct error err;

    *file = (struct vocabulary_file){0};
    snprintf(relative, sizeof relative, "tokenizer/%s.gguf", name);
    golden_path(path, sizeof path, relative);
    enum status status = gguf_open(&file->gguf, path, &err);
    if (status == STATUS_OK && variant != NULL)
        rename_tokens(file->gguf, variant);
    if (status == STATUS_OK && pre != NULL)
        set_string(values_of(file->gguf, "tokenizer.ggml.pre"), pre);
    if (status == STATUS_OK)
        status = tokenizer_open(&file->tokenizer, file->gguf, &err);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(99);
    }
}

void
vocabulary_file_close(struct vocabulary_file *file)
{
    tokenizer_close(file->tokenizer);
    gguf_close(file->gguf);
}
