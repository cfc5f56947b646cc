/*
 * A GGUF container: metadata and tensor table, of one file or of a split set.
 *
 * Files are hostile. gguf_open checks every rule of the format before it
 * allocates or believes anything; afterwards every name, value, extent and
 * offset lies inside its file. It knows nothing of models. Weights are not
 * read here. Threads: constant after open, may be read from any.
 */
#ifndef FATHOM_ENGINE_GGUF_H
#define FATHOM_ENGINE_GGUF_H

#include "base/base.h"
#include "quant/quant.h"

struct gguf;

enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
};

struct gguf_string {
    const char *bytes; // NUL-terminated too, but may hold NUL
    size_t length;
};

struct gguf_value {
    const char *key;
    enum gguf_type type;
    enum gguf_type element; // of an array
    size_t count;           // elements of an array, else 1
    const void *data;       // numbers of that type, aligned; or gguf_string[]
};

struct gguf_tensor {
    const char *name;
    const struct format *format;
    unsigned rank;         // 1 .. 4
    uint64_t extent[4];    // extent[0] is the row; missing ones are 1
    unsigned shard;        // file it lies in
    uint64_t offset_bytes; // from the start of that file
    uint64_t bytes;
};

/*
 * Opens `path`; of a split set, the path of the first file. Fails with
 * STATUS_IO when a file cannot be read and STATUS_FORMAT when its bytes break
 * a rule: the sentence names file, what and where.
 */
MUST_CHECK enum status gguf_open(struct gguf **out, const char *path,
                                 struct error *err);
void gguf_close(struct gguf *gguf); // takes NULL

const char *gguf_shown(const struct gguf *gguf); // fit for a message
size_t gguf_shards(const struct gguf *gguf);
const char *gguf_shard_path(const struct gguf *gguf, size_t shard);
const char *gguf_shard_shown(const struct gguf *gguf, size_t shard);
uint64_t gguf_shard_bytes(const struct gguf *gguf, size_t shard);
uint64_t gguf_file_bytes(const struct gguf *gguf); // of all shards

/* What is odd about the files but no reason to refuse them, a sentence each. */
const char *const *gguf_warnings(const struct gguf *gguf, size_t *count);

const struct gguf_value *gguf_find(const struct gguf *gguf, const char *key);
size_t gguf_values(const struct gguf *gguf);
const struct gguf_value *gguf_value_at(const struct gguf *gguf, size_t i);

const struct gguf_tensor *gguf_tensor_find(const struct gguf *gguf,
                                           const char *name);
size_t gguf_tensors(const struct gguf *gguf);
const struct gguf_tensor *gguf_tensor_at(const struct gguf *gguf, size_t i);

/* "u32", "string" ... for messages. */
const char *gguf_type_name(enum gguf_type type);

/*
 * Typed reading. Any integer type is accepted where its value fits, f64 for
 * f32. The *_in forms fail with a sentence naming file, key, value and limits;
 * an absent key leaves *out as it is and sets *found (which may be NULL:
 * then an absent key is an error).
 */
MUST_CHECK enum status gguf_uint_in(const struct gguf *gguf, const char *key,
                                    uint64_t least, uint64_t most,
                                    uint64_t *out, bool *found,
                                    struct error *err);
MUST_CHECK enum status gguf_float_in(const struct gguf *gguf, const char *key,
                                     double least, double most, double *out,
                                     bool *found, struct error *err);
MUST_CHECK enum status gguf_bool(const struct gguf *gguf, const char *key,
                                 bool *out, bool *found, struct error *err);
/* A string value, or NULL when the key is absent or not a string. */
const struct gguf_string *gguf_text(const struct gguf *gguf, const char *key);

#endif
