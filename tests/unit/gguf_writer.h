/* Small model files made by tests: metadata only, one key after the other. */
#ifndef FATHOM_TESTS_UNIT_GGUF_WRITER_H
#define FATHOM_TESTS_UNIT_GGUF_WRITER_H

#include "engine/gguf.h"

#include <stdint.h>

struct gguf_writer {
    struct buffer pairs;
    uint64_t count;
};

void gguf_writer_string(struct gguf_writer *writer, const char *key,
                        const char *value);
void gguf_writer_u32(struct gguf_writer *writer, const char *key,
                     uint32_t value);
void gguf_writer_bool(struct gguf_writer *writer, const char *key, bool value);
void gguf_writer_strings(struct gguf_writer *writer, const char *key,
                         const char *const *values, size_t count);
void gguf_writer_i32s(struct gguf_writer *writer, const char *key,
                      const int32_t *values, size_t count);
void gguf_writer_f32s(struct gguf_writer *writer, const char *key,
                      const float *values, size_t count);

/* Opens what was written, by way of a file that is gone afterwards, and
 * empties the writer. The status is gguf_open's. */
enum status gguf_writer_open(struct gguf_writer *writer, struct gguf **out,
                             struct error *err);

#endif
