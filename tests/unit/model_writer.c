#include "config.h"

#include "tests/unit/model_writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error failure;

static void
must(enum status status)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "model_writer: %s\n", failure.text);
        exit(99);
    }
}

static void
put(struct buffer *out, const void *bytes, size_t length)
{
    must(buffer_append(out, bytes, length, &failure));
}

static void
put_u32(struct buffer *out, uint32_t number)
{
    put(out, &number, sizeof number);
}

static void
put_u64(struct buffer *out, uint64_t number)
{
    put(out, &number, sizeof number);
}

static void
put_string(struct buffer *out, const char *bytes, size_t length)
{
    put_u64(out, length);
    put(out, bytes, length);
}

void
writer_init(struct model_writer *w, uint64_t alignment)
{
    *w = (struct model_writer){.alignment = alignment};
    if (alignment != 32)
        writer_u32(w, "general.alignment", (uint32_t) alignment);
}

void
writer_release(struct model_writer *w)
{
    buffer_release(&w->values);
    buffer_release(&w->infos);
    buffer_release(&w->data);
}

// -- metadata ---------------------------------------------------------------

static bool
is_left_out(const struct model_writer *w, const char *name)
{
    return w->without != NULL && strcmp(w->without, name) == 0;
}

static void
key(struct model_writer *w, const char *name, enum gguf_type type)
{
    put_string(&w->values, name, strlen(name));
    put_u32(&w->values, (uint32_t) type);
    w->value_count++;
}

size_t
writer_number_bytes(enum gguf_type type)
{
    static const uint8_t bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

    return bytes[type];
}

void
writer_number(struct model_writer *w, const char *name, enum gguf_type type,
              const void *number)
{
    if (is_left_out(w, name))
        return;
    key(w, name, type);
    put(&w->values, number, writer_number_bytes(type));
}

void
writer_u16(struct model_writer *w, const char *name, uint16_t number)
{
    writer_number(w, name, GGUF_U16, &number);
}

void
writer_u32(struct model_writer *w, const char *name, uint32_t number)
{
    writer_number(w, name, GGUF_U32, &number);
}

void
writer_f32(struct model_writer *w, const char *name, float number)
{
    writer_number(w, name, GGUF_F32, &number);
}

void
writer_bool(struct model_writer *w, const char *name, bool flag)
{
    uint8_t byte = flag;

    writer_number(w, name, GGUF_BOOL, &byte);
}

void
writer_text(struct model_writer *w, const char *name, const char *text)
{
    if (is_left_out(w, name))
        return;
    key(w, name, GGUF_STRING);
    put_string(&w->values, text, strlen(text));
}

void
writer_array(struct model_writer *w, const char *name, enum gguf_type element,
             uint64_t count, const void *elements)
{
    const struct gguf_string *string = elements;

    key(w, name, GGUF_ARRAY);
    put_u32(&w->values, (uint32_t) element);
    put_u64(&w->values, count);
    if (element != GGUF_STRING)
        put(&w->values, elements, count * writer_number_bytes(element));
    for (uint64_t i = 0; element == GGUF_STRING && i < count; i++)
        put_string(&w->values, string[i].bytes, string[i].length);
}

void
writer_copy(struct model_writer *w, const struct gguf_value *value)
{
    const struct gguf_string *string = value->data;

    if (value->type == GGUF_ARRAY) {
        writer_array(w, value->key, value->element, value->count, value->data);
    } else if (value->type == GGUF_STRING) {
        key(w, value->key, GGUF_STRING);
        put_string(&w->values, string->bytes, string->length);
    } else {
        writer_number(w, value->key, value->type, value->data);
    }
}

// -- tensors ----------------------------------------------------------------

static uint64_t
pad_to(uint64_t bytes, uint64_t alignment)
{
    return (bytes + alignment - 1) / alignment * alignment;
}

void
writer_tensor(struct model_writer *w, const char *name, int32_t id,
              const uint64_t extent[4], const void *data)
{
    static const uint8_t zeros[1 << 16];
    const struct format *format = format_find(id);
    uint64_t bytes = format_row_bytes(format, extent[0]);
    uint32_t rank = 1;

    if (is_left_out(w, name))
        return;
    for (; rank < 4 && extent[rank] != 0; rank++)
        bytes *= extent[rank];
    put_string(&w->infos, name, strlen(name));
    put_u32(&w->infos, rank);
    for (uint32_t i = 0; i < rank; i++)
        put_u64(&w->infos, extent[i]);
    put_u32(&w->infos, (uint32_t) id);
    put_u64(&w->infos, w->offset);
    w->tensor_count++;
    w->offset = pad_to(w->offset + bytes, w->alignment);
    if (data != NULL) {
        put(&w->data, data, bytes);
        put(&w->data, zeros, w->offset - w->data.length);
    }
}

static void
write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);

        if (done <= 0) {
            perror("model_writer");
            exit(99);
        }
        bytes += done;
        length -= (size_t) done;
    }
}

bool
writer_save(struct model_writer *w, const char *path)
{
    struct buffer head = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) {
        perror(path);
        exit(99);
    }
    put(&head, "GGUF", 4);
    put_u32(&head, 3);
    put_u64(&head, w->tensor_count);
    put_u64(&head, w->value_count);
    put(&head, w->values.data, w->values.length);
    put(&head, w->infos.data, w->infos.length);
    uint64_t start = pad_to(head.length, w->alignment);
    write_all(fd, head.data, head.length);
    buffer_release(&head);
    bool fits = ftruncate(fd, (off_t) (start + w->offset)) == 0;
    if (fits && w->data.length > 0) {
        lseek(fd, (off_t) start, SEEK_SET);
        write_all(fd, w->data.data, w->data.length);
    }
    close(fd);
    return fits;
}

// -- random weights ---------------------------------------------------------

static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* Values of floats; blocks of random bits with the scales of the format. */
static void
random_group(const struct format *format, uint64_t *seed, uint8_t *group,
             size_t elems)
{
    size_t bytes = format_row_bytes(format, elems) * format->interleaved;
    size_t block = (size_t) format->block_bytes * format->interleaved;
    float values[4096];

    if (format->encode != NULL && elems <= 4096) {
        for (size_t i = 0; i < elems; i++)
            values[i] =
                (float) (int64_t) (next_random(seed) >> 40) * 0x1p-23F - 1;
        format_encode_row(format, values, group, elems);
        return;
    }
    for (size_t i = 0; i < bytes; i++)
        group[i] = (uint8_t) next_random(seed);
    for (size_t at = format->halves_at; at < bytes; at += block)
        for (size_t h = 0; h < format->halves; h++) {
            uint16_t half = (uint16_t) (0x2400 + next_random(seed) % 1024);
            memcpy(group + at + 2 * h, &half, sizeof half);
        }
}

static void
fill_tensor(int fd, const struct gguf_tensor *tensor, uint64_t *seed)
{
    const struct format *format = tensor->format;
    size_t step =
        format->interleaved * format_row_bytes(format, tensor->extent[0]);
    uint8_t *group = malloc(step);

    if (group == NULL)
        exit(99);
    lseek(fd, (off_t) tensor->offset_bytes, SEEK_SET);
    for (uint64_t at = 0; at < tensor->bytes; at += step) {
        random_group(format, seed, group, tensor->extent[0]);
        write_all(fd, (const char *) group, step);
    }
    free(group);
}

void
writer_fill(const char *path, uint64_t seed)
{
    struct gguf *gguf;
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    must(gguf_open(&gguf, path, &failure));
    for (size_t i = 0; i < gguf_tensors(gguf); i++)
        fill_tensor(fd, gguf_tensor_at(gguf, i), &seed);
    gguf_close(gguf);
    close(fd);
}

// -- split sets -------------------------------------------------------------

void
writer_shard_path(char *path, size_t size, const char *prefix, unsigned i,
                  unsigned shards)
{
    snprintf(path, size, "%s-%05u-of-%05u.gguf", prefix, i + 1, shards);
}

static void
split_keys(struct model_writer *w, unsigned i, unsigned shards, size_t tensors)
{
    int32_t total = (int32_t) tensors;

    writer_u16(w, "split.no", (uint16_t) i);
    writer_u16(w, "split.count", (uint16_t) shards);
    writer_number(w, "split.tensors.count", GGUF_I32, &total);
}

static void
copy_tensor(struct model_writer *w, const struct gguf *source,
            const struct gguf_tensor *tensor)
{
    FILE *file = fopen(gguf_shard_path(source, tensor->shard), "rb");
    uint64_t extent[4];
    char *bytes = malloc(tensor->bytes);

    if (file == NULL || bytes == NULL ||
        fseek(file, (long) tensor->offset_bytes, SEEK_SET) != 0 ||
        fread(bytes, 1, tensor->bytes, file) != tensor->bytes)
        exit(99);
    for (unsigned i = 0; i < 4; i++)
        extent[i] = i < tensor->rank ? tensor->extent[i] : 0;
    writer_tensor(w, tensor->name, tensor->format->id, extent, bytes);
    free(bytes);
    fclose(file);
}

/* Tensors of one shard: an even part of all, in order. */
static void
split_tensors(struct model_writer *w, const struct gguf *source, unsigned i,
              unsigned parts)
{
    size_t count = gguf_tensors(source);

    for (size_t t = i * count / parts; t < (i + 1) * count / parts; t++)
        copy_tensor(w, source, gguf_tensor_at(source, t));
}

void
writer_split(const struct gguf *source, const char *prefix, unsigned shards,
             bool empty_first)
{
    for (unsigned i = 0; i < shards; i++) {
        struct model_writer w;
        char path[4096];

        writer_init(&w, i == 0 ? 32 : 64);
        for (size_t v = 0; i == 0 && v < gguf_values(source); v++)
            writer_copy(&w, gguf_value_at(source, v));
        split_keys(&w, i, shards, gguf_tensors(source));
        if (!empty_first)
            split_tensors(&w, source, i, shards);
        else if (i > 0)
            split_tensors(&w, source, i - 1, shards - 1);
        writer_shard_path(path, sizeof path, prefix, i, shards);
        writer_save(&w, path);
        writer_release(&w);
    }
}
