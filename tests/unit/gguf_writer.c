#include "config.h"

#include "tests/unit/gguf_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
put(struct buffer *out, const void *bytes, size_t length)
{
    struct error err;

    if (buffer_append(out, bytes, length, &err) != STATUS_OK)
        exit(99);
}

static void
put_u32(struct buffer *out, uint32_t value)
{
    put(out, &value, sizeof value);
}

static void
put_string(struct buffer *out, const char *text)
{
    uint64_t length = strlen(text);

    put(out, &length, sizeof length);
    put(out, text, length);
}

static void
begin(struct gguf_writer *writer, const char *key, enum gguf_type type)
{
    writer->count++;
    put_string(&writer->pairs, key);
    put_u32(&writer->pairs, type);
}

static void
begin_array(struct gguf_writer *writer, const char *key, enum gguf_type element,
            uint64_t count)
{
    begin(writer, key, GGUF_ARRAY);
    put_u32(&writer->pairs, element);
    put(&writer->pairs, &count, sizeof count);
}

void
gguf_writer_string(struct gguf_writer *writer, const char *key,
                   const char *value)
{
    begin(writer, key, GGUF_STRING);
    put_string(&writer->pairs, value);
}

void
gguf_writer_u32(struct gguf_writer *writer, const char *key, uint32_t value)
{
    begin(writer, key, GGUF_U32);
    put_u32(&writer->pairs, value);
}

void
gguf_writer_bool(struct gguf_writer *writer, const char *key, bool value)
{
    uint8_t byte = value;

    begin(writer, key, GGUF_BOOL);
    put(&writer->pairs, &byte, 1);
}

void
gguf_writer_strings(struct gguf_writer *writer, const char *key,
                    const char *const *values, size_t count)
{
    begin_array(writer, key, GGUF_STRING, count);
    for (size_t i = 0; i < count; i++)
        put_string(&writer->pairs, values[i]);
}

void
gguf_writer_i32s(struct gguf_writer *writer, const char *key,
                 const int32_t *values, size_t count)
{
    begin_array(writer, key, GGUF_I32, count);
    put(&writer->pairs, values, count * sizeof *values);
}

void
gguf_writer_f32s(struct gguf_writer *writer, const char *key,
                 const float *values, size_t count)
{
    begin_array(writer, key, GGUF_F32, count);
    put(&writer->pairs, values, count * sizeof *values);
}

enum status
gguf_writer_open(struct gguf_writer *writer, struct gguf **out,
                 struct error *err)
{
    char path[] = "/tmp/fathom-test-XXXXXX";
    struct buffer file = {0};
    const uint64_t tensors = 0;
    int fd = mkstemp(path);

    put(&file, "GGUF", 4);
    put_u32(&file, 3);
    put(&file, &tensors, sizeof tensors);
    put(&file, &writer->count, sizeof writer->count);
    put(&file, writer->pairs.data, writer->pairs.length);
    while (file.length % 32 != 0)
        put(&file, "", 1);
    if (fd < 0 || write(fd, file.data, file.length) != (ssize_t) file.length ||
        close(fd) != 0)
        exit(99);
    enum status status = gguf_open(out, path, err);
    unlink(path);
    buffer_release(&file);
    buffer_release(&writer->pairs);
    writer->count = 0;
    return status;
}
