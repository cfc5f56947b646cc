/* See golden.h. Folders come from anywhere, so every line is checked. */
#include "config.h"

#include "tests/model/golden.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status
read_file(struct buffer *out, const char *folder, const char *name,
          struct error *err)
{
    char path[4096], bytes[65536];
    size_t got;
    enum status status = STATUS_OK;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_errno(err, "cannot open %s", path);
    while (status == STATUS_OK &&
           (got = fread(bytes, 1, sizeof bytes, file)) > 0)
        status = buffer_append(out, bytes, got, err);
    if (status == STATUS_OK && ferror(file))
        status = error_errno(err, "cannot read %s", path);
    fclose(file);
    return status;
}

/* "name dtype dims... offset" */
static bool
parse_line(struct golden *golden, char *line, uint64_t words)
{
    struct golden_tensor *tensor = &golden->tensor[golden->count];
    uint64_t number[6], count = 1;
    char *save, *field = strtok_r(line, " ", &save);
    size_t n = 0;

    if (field == NULL || strlen(field) >= sizeof tensor->name)
        return false;
    strcpy(tensor->name, field);
    field = strtok_r(NULL, " ", &save);
    if (field == NULL ||
        (strcmp(field, "f32") != 0 && strcmp(field, "i32") != 0))
        return false;
    tensor->is_int = field[0] == 'i';
    while (n < 6 && (field = strtok_r(NULL, " ", &save)) != NULL)
        if (sscanf(field, "%9" SCNu64, &number[n++]) != 1)
            return false;
    if (n < 2)
        return false;
    for (size_t i = 0; i + 1 < n; i++)
        if (__builtin_mul_overflow(count, number[i], &count))
            return false;
    if (number[0] == 0 || number[n - 1] > words ||
        count > words - number[n - 1])
        return false;
    tensor->rows = (size_t) number[0];
    tensor->width = (size_t) (count / number[0]);
    tensor->words = golden->words + number[n - 1];
    golden->count++;
    return true;
}

static enum status
parse(struct golden *golden, const char *folder, struct buffer *text,
      uint64_t words, struct error *err)
{
    size_t lines = 1;
    char *save;
    void *memory;

    for (size_t i = 0; i < text->length; i++)
        lines += text->data[i] == '\n';
    TRY(memory_alloc(&memory, lines * sizeof *golden->tensor, err));
    golden->tensor = memory;
    if (text->length == 0)
        return error_set(err, STATUS_FORMAT, "%s/golden.txt is empty", folder);
    for (char *line = strtok_r(text->data, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save))
        if (!parse_line(golden, line, words))
            return error_set(err, STATUS_FORMAT,
                             "%s/golden.txt: tensor %zu is not well described",
                             folder, golden->count + 1);
    return STATUS_OK;
}

static enum status
read_golden(struct golden *golden, const char *folder, struct error *err)
{
    struct buffer text = {0}, words = {0};
    enum status status = read_file(&text, folder, "golden.txt", err);

    if (status == STATUS_OK)
        status = read_file(&words, folder, "golden.f32", err);
    if (status == STATUS_OK) {
        golden->words = malloc(words.length + 4);
        if (golden->words == NULL)
            status = error_set(err, STATUS_NOMEM, "no memory for %s", folder);
    }
    if (status == STATUS_OK) {
        memcpy(golden->words, words.data, words.length);
        status = parse(golden, folder, &text, words.length / 4, err);
    }
    buffer_release(&text);
    buffer_release(&words);
    return status;
}

enum status
golden_open(struct golden **out, const char *folder, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof(struct golden), err));
    struct golden *golden = memory;
    enum status status = read_golden(golden, folder, err);
    if (status != STATUS_OK) {
        golden_close(golden);
        return status;
    }
    *out = golden;
    return STATUS_OK;
}

void
golden_close(struct golden *golden)
{
    if (golden == NULL)
        return;
    free(golden->tensor);
    free(golden->words);
    free(golden);
}

const struct golden_tensor *
golden_find(const struct golden *golden, const char *name)
{
    for (size_t i = 0; i < golden->count; i++)
        if (strcmp(golden->tensor[i].name, name) == 0)
            return &golden->tensor[i];
    return NULL;
}
