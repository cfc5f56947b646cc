/*
 * Writes GGUF files for tests: sound ones, and split sets. Data is given, or a
 * hole (zeros that take no room on disk). Ends the program when it cannot.
 */
#ifndef FATHOM_TESTS_UNIT_MODEL_WRITER_H
#define FATHOM_TESTS_UNIT_MODEL_WRITER_H

#include "engine/engine.h"

struct model_writer {
    struct buffer values, infos; // the two tables, as in the file
    struct buffer data;          // what writer_data gave
    uint64_t value_count, tensor_count;
    uint64_t offset; // of the next tensor
    uint64_t alignment;
    const char *without; // a key or tensor that is left out, or NULL
};

/* Starts a file with this alignment, written as a key where it is not 32. */
void writer_init(struct model_writer *w, uint64_t alignment);
void writer_release(struct model_writer *w);

void writer_number(struct model_writer *w, const char *key, enum gguf_type type,
                   const void *number);
void writer_u16(struct model_writer *w, const char *key, uint16_t number);
void writer_u32(struct model_writer *w, const char *key, uint32_t number);
void writer_f32(struct model_writer *w, const char *key, float number);
void writer_bool(struct model_writer *w, const char *key, bool flag);
void writer_text(struct model_writer *w, const char *key, const char *text);
void writer_array(struct model_writer *w, const char *key,
                  enum gguf_type element, uint64_t count,
                  const void *elements); // of strings: gguf_string[]
/* Copies a value of another file. */
void writer_copy(struct model_writer *w, const struct gguf_value *value);

/*
 * Adds a tensor; extents end at the first 0. With `data` its bytes are kept
 * (all tensors then need data), without it the file gets a hole.
 */
void writer_tensor(struct model_writer *w, const char *name, int32_t format,
                   const uint64_t extent[4], const void *data);

/* Bytes of one number of this type in a file. */
size_t writer_number_bytes(enum gguf_type type);

/*
 * Writes the file; false where the file system has no room for so large a
 * hole.
 */
bool writer_save(struct model_writer *w, const char *path);

/* Fills all tensors of the file with random weights, all of them finite. */
void writer_fill(const char *path, uint64_t seed);

/*
 * Writes `source` again as PREFIX-00001-of-0000N.gguf ..., tensors dealt out
 * in order; with `empty_first` the first file holds metadata only. The other
 * files get an alignment of 64.
 */
void writer_split(const struct gguf *source, const char *prefix,
                  unsigned shards, bool empty_first);

/* The path of shard i, from 0, of such a set. */
void writer_shard_path(char *path, size_t size, const char *prefix, unsigned i,
                       unsigned shards);

#endif
