/*
 * One GGUF file's bytes to tables: the part that meets hostile bytes. Only
 * gguf.c uses it; what joins several files is there.
 */
#ifndef FATHOM_ENGINE_GGUF_PARSE_H
#define FATHOM_ENGINE_GGUF_PARSE_H

#include "engine/gguf.h"

enum {
    GGUF_NAME_MAX = 63,           // bytes of a tensor's name
    GGUF_KEY_MAX = 64 << 10,      // bytes of a key
    GGUF_ELEMENT_MAX = 64 << 10,  // bytes of a string inside an array
    GGUF_STRING_MAX = 16 << 20,   // bytes of any other string
    GGUF_TABLES_MAX = 1 << 30,    // bytes before the data, larger is refused
    GGUF_PAIRS_MAX = 1 << 16,     // metadata pairs
    GGUF_TENSORS_MAX = 1 << 20,   // tensor infos
    GGUF_ALIGNMENT_MAX = 1 << 16, // general.alignment
};

/* Memory of one model file's tables, given back at once. */
struct gguf_pool {
    struct gguf_block *block;
};

MUST_CHECK enum status gguf_pool_alloc(void **out, struct gguf_pool *pool,
                                       size_t bytes, struct error *err);
void gguf_pool_release(struct gguf_pool *pool);

/* What one file holds. Everything is in the pool. */
struct gguf_file {
    struct gguf_value *value;
    const struct gguf_value **by_key; // sorted
    size_t values;
    struct gguf_tensor *tensor;
    size_t tensors;
    uint64_t bytes;    // of the file
    uint64_t data_end; // offset after the last tensor
};

/*
 * Reads header, metadata and tensor table of the file at `path` and checks
 * every rule that one file can break. Messages name it by `shown`, which must
 * outlive the call.
 */
MUST_CHECK enum status gguf_parse(struct gguf_file *out, struct gguf_pool *pool,
                                  const char *path, const char *shown,
                                  unsigned shard, struct error *err);

/* The value of a key in a sorted index, or NULL. */
const struct gguf_value *gguf_index_find(const struct gguf_value *const *by_key,
                                         size_t values, const char *key);

/* gguf_uint_in for a value in hand; messages begin with `shown`. */
MUST_CHECK enum status gguf_value_uint(const struct gguf_value *value,
                                       const char *shown, uint64_t least,
                                       uint64_t most, uint64_t *out,
                                       struct error *err);

#endif
