/*
 * Header, metadata and tensor table of one GGUF file.
 *
 *   0  4 bytes "GGUF"    4  u32 version    8  i64 tensors   16  i64 pairs
 *  24  pairs: key (string), value type (i32), value
 *      tensor infos: name (string), rank (u32), extents (i64 each), type
 *      (i32), offset from the start of the data (u64)
 *      padding to the alignment, then the data
 *
 * A string is a u64 length and its bytes; an array is an element type (i32),
 * a count (u64) and its elements. All numbers are little-endian. Every length
 * is compared with the bytes that remain before anything is allocated.
 */
#include "config.h"

#include "engine/gguf_parse.h"

#include "storage/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_BYTES = 24,
    PAIR_BYTES = 13,  // the smallest pair: empty key, type, one byte
    INFO_BYTES = 24,  // the smallest tensor info: empty name, rank 0
    STRING_BYTES = 8, // the smallest string
    EXTENT_BITS = 40, // an extent is at most 2 to this
    DEFAULT_ALIGNMENT = 32,
    COUNT_TRUSTED = 4096, // a table of so many items costs little memory
    WINDOW_BYTES = 128 << 10,
    BLOCK_BYTES = 256 << 10, // of the pool
    LABEL_BYTES = 192,
};

// -- memory of the tables ---------------------------------------------------

struct gguf_block {
    struct gguf_block *next;
    size_t used, size; // of the bytes after this header
};

enum { POOL_ALIGNMENT = 16, BLOCK_HEADER = 32 };

static_assert(sizeof(struct gguf_block) <= BLOCK_HEADER, "block header");

/* A new block where the current one has no room for `bytes`. */
static enum status
pool_reserve(struct gguf_pool *pool, size_t bytes, struct error *err)
{
    struct gguf_block *block = pool->block;
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES, total;
    void *memory;

    if (block != NULL && block->size - block->used >= bytes)
        return STATUS_OK;
    if (!size_add(&total, size, BLOCK_HEADER))
        return error_set(err, STATUS_NOMEM, "cannot allocate %zu bytes", size);
    TRY(memory_alloc(&memory, total, err));
    block = memory;
    block->next = pool->block;
    block->size = size;
    pool->block = block;
    return STATUS_OK;
}

/* Memory without alignment, for text. */
static enum status
pool_text(void **out, struct gguf_pool *pool, size_t bytes, struct error *err)
{
    TRY(pool_reserve(pool, bytes, err));
    *out = (char *) pool->block + BLOCK_HEADER + pool->block->used;
    pool->block->used += bytes;
    return STATUS_OK;
}

enum status
gguf_pool_alloc(void **out, struct gguf_pool *pool, size_t bytes,
                struct error *err)
{
    size_t room;

    if (!size_add(&room, bytes, POOL_ALIGNMENT))
        return error_set(err, STATUS_NOMEM, "cannot allocate %zu bytes", bytes);
    TRY(pool_reserve(pool, room, err));
    size_t used = pool->block->used;
    pool->block->used +=
        (POOL_ALIGNMENT - used % POOL_ALIGNMENT) % POOL_ALIGNMENT;
    return pool_text(out, pool, bytes, err);
}

void
gguf_pool_release(struct gguf_pool *pool)
{
    while (pool->block != NULL) {
        struct gguf_block *block = pool->block;
        pool->block = block->next;
        free(block);
    }
}

// -- a cursor over the file -------------------------------------------------

struct cursor {
    const struct reader *reader;
    const char *shown; // the file, for messages
    struct gguf_pool *pool;
    const char *part;      // "header", "metadata" or "tensor table"
    const char *kind;      // "key" or "tensor info"
    size_t item;           // its number, from 1
    uint64_t item_offset;  // where it starts
    const char *item_name; // once it is known
    uint64_t position, size;
    char *window;
    uint64_t window_start;
    size_t window_bytes;
};

/* refuse(cursor, err, format, ...): the file breaks a rule. */
#define refuse(c, err, ...)                                                    \
    (refusal_fill((c), (err), __VA_ARGS__), STATUS_FORMAT)

static void refusal_fill(const struct cursor *c, struct error *err,
                         const char *format, ...) PRINTF_LIKE(3, 4);

static void
refusal_fill(const struct cursor *c, struct error *err, const char *format, ...)
{
    char what[600], name[LABEL_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (c->kind == NULL)
        error_fill(err, STATUS_FORMAT, "%s: %s", c->shown, what);
    else if (c->item_name == NULL)
        error_fill(err, STATUS_FORMAT, "%s: %s %zu (offset %" PRIu64 "): %s",
                   c->shown, c->kind, c->item, c->item_offset, what);
    else
        error_fill(
            err, STATUS_FORMAT, "%s: %s %zu (%s, offset %" PRIu64 "): %s",
            c->shown, c->kind, c->item,
            text_quote(name, sizeof name, c->item_name, strlen(c->item_name)),
            c->item_offset, what);
}

static uint64_t
bytes_left(const struct cursor *c)
{
    return c->size - c->position;
}

/* Checks that `bytes` more bytes are there and may be used. */
static enum status
cursor_need(const struct cursor *c, uint64_t bytes, struct error *err)
{
    if (bytes > bytes_left(c))
        return refuse(c, err,
                      "the file (%" PRIu64
                      " bytes) ends inside the %s: %" PRIu64
                      " bytes are needed at offset %" PRIu64
                      "; it is incomplete or damaged",
                      c->size, c->part, bytes, c->position);
    if (bytes > GGUF_TABLES_MAX || c->position > GGUF_TABLES_MAX - bytes)
        return error_set(err, STATUS_LIMIT,
                         "%s: metadata and tensor table take more than %d MiB",
                         c->shown, GGUF_TABLES_MAX >> 20);
    return STATUS_OK;
}

static enum status
window_fill(struct cursor *c, struct error *err)
{
    uint64_t left = bytes_left(c);
    size_t bytes = left < WINDOW_BYTES ? (size_t) left : WINDOW_BYTES;

    c->window_start = c->position;
    c->window_bytes = 0;
    TRY(reader_read(c->reader, c->window, bytes, c->position, err));
    c->window_bytes = bytes;
    return STATUS_OK;
}

/* Copies the next bytes. Large pieces pass the window by. */
static enum status
cursor_take(struct cursor *c, void *to, uint64_t bytes, struct error *err)
{
    TRY(cursor_need(c, bytes, err));
    if (bytes > WINDOW_BYTES / 2) {
        TRY(reader_read(c->reader, to, bytes, c->position, err));
    } else if (bytes > 0) {
        uint64_t at = c->position - c->window_start;

        if (at > c->window_bytes || c->window_bytes - at < bytes) {
            TRY(window_fill(c, err));
            at = 0;
        }
        memcpy(to, c->window + at, bytes);
    }
    c->position += bytes;
    return STATUS_OK;
}

static enum status
cursor_u32(struct cursor *c, uint32_t *out, struct error *err)
{
    return cursor_take(c, out, sizeof *out, err);
}

static enum status
cursor_i32(struct cursor *c, int32_t *out, struct error *err)
{
    return cursor_take(c, out, sizeof *out, err);
}

static enum status
cursor_u64(struct cursor *c, uint64_t *out, struct error *err)
{
    return cursor_take(c, out, sizeof *out, err);
}

/* What a string is, for messages: "name", or "element" and its number. */
struct string_role {
    const char *what;
    size_t number; // 0: none
};

static enum status
refuse_length(const struct cursor *c, struct string_role role, uint64_t length,
              uint64_t most, struct error *err)
{
    char number[24] = "";

    if (role.number > 0)
        snprintf(number, sizeof number, " %zu", role.number);
    if (length <= bytes_left(c))
        return refuse(c, err, "%s%s of %" PRIu64 " bytes, %" PRIu64 " allowed",
                      role.what, number, length, most);
    return refuse(c, err,
                  "%s%s has length %" PRIu64 ", but only %" PRIu64
                  " bytes are left: the file (%" PRIu64
                  " bytes) ends inside the %s at offset %" PRIu64,
                  role.what, number, length, bytes_left(c), c->size, c->part,
                  c->position);
}

/* A string of at most `most` bytes. */
static enum status
cursor_string(struct cursor *c, struct gguf_string *out,
              struct string_role role, uint64_t most, struct error *err)
{
    uint64_t length;
    void *memory;

    TRY(cursor_u64(c, &length, err));
    if (length > bytes_left(c) || length > most)
        return refuse_length(c, role, length, most, err);
    TRY(pool_text(&memory, c->pool, (size_t) length + 1, err));
    TRY(cursor_take(c, memory, length, err));
    out->bytes = memory; // the pool's memory is zeroed: NUL-terminated
    out->length = (size_t) length;
    return STATUS_OK;
}

/* Keys and tensor names: at least one byte, printable ASCII. */
static enum status
cursor_name(struct cursor *c, const char **out, uint64_t most,
            struct error *err)
{
    struct gguf_string name = {"", 0};

    TRY(cursor_string(c, &name, (struct string_role){"name", 0}, most, err));
    if (name.length == 0)
        return refuse(c, err, "empty name");
    for (size_t i = 0; i < name.length; i++)
        if (name.bytes[i] < 0x20 || name.bytes[i] > 0x7E)
            return refuse(c, err,
                          "the name is not printable: byte %zu is 0x%02X",
                          i + 1, (unsigned) (unsigned char) name.bytes[i]);
    *out = name.bytes;
    return STATUS_OK;
}

// -- header -----------------------------------------------------------------

/* What a file that does not start with GGUF looks like. */
static const char *
magic_guess(const char *head, size_t bytes)
{
    static const struct {
        const char *start, *what;
    } known[] = {
        {"PK", "it looks like a zip archive or PyTorch checkpoint"},
        {"lmgg", "it is an old ggml format"},
        {"fmgg", "it is an old ggml format"},
        {"tjgg", "it is an old ggml format"},
        {"algg", "it is an old ggml adapter"},
        {"version https://git-lfs",
         "it is a Git LFS pointer: fetch the real file (git lfs pull)"},
        {"<", "it is text or HTML: the download failed"},
        {"{", "it is text or JSON: the download failed"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].start);
        if (bytes >= length && memcmp(head, known[i].start, length) == 0)
            return known[i].what;
    }
    if (bytes > 8 && head[8] == '{')
        return "it looks like safetensors";
    return "it is not a GGUF file";
}

static enum status
check_magic(struct cursor *c, struct error *err)
{
    size_t bytes = c->size < 64 ? (size_t) c->size : 64;
    char head[64] = {0}, magic[32];

    if (c->size == 0)
        return refuse(c, err, "the file is empty; a GGUF header needs %d bytes",
                      HEADER_BYTES);
    TRY(cursor_take(c, head, bytes, err));
    c->position = 4;
    size_t shared = bytes < 4 ? bytes : 4;
    if (memcmp(head, "GGUF", shared) != 0)
        return refuse(c, err, "not GGUF (magic '%s'): %s",
                      text_quote(magic, sizeof magic, head, shared),
                      magic_guess(head, bytes));
    if (bytes < HEADER_BYTES)
        return refuse(c, err,
                      "file size %zu; ends inside the header at offset %zu: a "
                      "GGUF header needs %d bytes",
                      bytes, bytes, HEADER_BYTES);
    return STATUS_OK;
}

static enum status
check_version(struct cursor *c, struct error *err)
{
    uint32_t version;

    TRY(cursor_u32(c, &version, err));
    if (version != 0 && (version & 0xFFFF) == 0)
        return refuse(c, err,
                      "big-endian file (version bytes swapped): not "
                      "supported");
    if (version != 2 && version != 3)
        return refuse(c, err, "GGUF version %" PRIu32 "; 2 and 3 are supported",
                      version);
    return STATUS_OK;
}

/* A count that the rest of the file can hold, at `least` bytes each. */
static enum status
read_count(struct cursor *c, size_t *out, const char *what, unsigned least,
           unsigned most, struct error *err)
{
    uint64_t count;

    TRY(cursor_u64(c, &count, err));
    // a small count that does not fit is a cut file: said where it ends
    if (count > COUNT_TRUSTED && count > bytes_left(c) / least) {
        // -1 reads better than 2^64 - 1; 2^63 is shown as written
        bool negative = count > INT64_MAX && count != (uint64_t) INT64_MIN;
        char shown[24];
        if (negative)
            snprintf(shown, sizeof shown, "%" PRId64, (int64_t) count);
        else
            snprintf(shown, sizeof shown, "%" PRIu64, count);
        return refuse(c, err,
                      "%s count %s is too many for the file size: the file has "
                      "only %" PRIu64 " bytes left",
                      what, shown, bytes_left(c));
    }
    if (count > most)
        return error_set(err, STATUS_LIMIT,
                         "%s: %s count %" PRIu64 ", %u allowed", c->shown, what,
                         count, most);
    *out = (size_t) count;
    return STATUS_OK;
}

static enum status
parse_header(struct cursor *c, struct gguf_file *file, struct error *err)
{
    c->part = "header";
    TRY(check_magic(c, err));
    TRY(check_version(c, err));
    TRY(read_count(c, &file->tensors, "tensor", INFO_BYTES, GGUF_TENSORS_MAX,
                   err));
    return read_count(c, &file->values, "metadata", PAIR_BYTES, GGUF_PAIRS_MAX,
                      err);
}

// -- metadata ---------------------------------------------------------------

static size_t
type_bytes(enum gguf_type type)
{
    static const unsigned char bytes[] = {
        [GGUF_U8] = 1,  [GGUF_I8] = 1,  [GGUF_U16] = 2, [GGUF_I16] = 2,
        [GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_F32] = 4, [GGUF_BOOL] = 1,
        [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8, [GGUF_STRING] = 0,
    };

    return bytes[type];
}

static enum status
parse_type(struct cursor *c, enum gguf_type *out, const char *what,
           struct error *err)
{
    int32_t type;

    TRY(cursor_i32(c, &type, err));
    if (type < GGUF_U8 || type > GGUF_F64)
        return refuse(c, err,
                      "%s %" PRId32 " at offset %" PRIu64
                      " is not a GGUF value type",
                      what, type, c->position - 4);
    *out = (enum gguf_type) type;
    return STATUS_OK;
}

/* Packed numbers; bools are 0 or 1. */
static enum status
parse_numbers(struct cursor *c, struct gguf_value *value, enum gguf_type type,
              struct error *err)
{
    size_t bytes = type_bytes(type);
    void *memory;

    if (value->count > bytes_left(c) / bytes)
        return refuse(c, err,
                      "%zu elements of %zu bytes, but the file (%" PRIu64
                      " bytes) ends inside the metadata: %" PRIu64
                      " bytes are left at offset %" PRIu64,
                      value->count, bytes, c->size, bytes_left(c), c->position);
    TRY(cursor_need(c, value->count * bytes, err));
    TRY(gguf_pool_alloc(&memory, c->pool, value->count * bytes, err));
    TRY(cursor_take(c, memory, value->count * bytes, err));
    value->data = memory;
    if (type != GGUF_BOOL)
        return STATUS_OK;
    const unsigned char *flag = value->data;
    for (size_t i = 0; i < value->count; i++)
        if (flag[i] > 1)
            return refuse(c, err, "bool %u (element %zu), 0 or 1 wanted",
                          (unsigned) flag[i], i + 1);
    return STATUS_OK;
}

static enum status
parse_strings(struct cursor *c, struct gguf_value *value, struct error *err)
{
    void *memory;

    if (value->count > bytes_left(c) / STRING_BYTES)
        return refuse(c, err,
                      "%zu elements, but the file (%" PRIu64
                      " bytes) ends inside the metadata: %" PRIu64
                      " bytes are left at offset %" PRIu64,
                      value->count, c->size, bytes_left(c), c->position);
    TRY(cursor_need(c, value->count * STRING_BYTES, err));
    TRY(gguf_pool_alloc(&memory, c->pool,
                        value->count * sizeof(struct gguf_string), err));
    struct gguf_string *string = memory;
    for (size_t i = 0; i < value->count; i++)
        TRY(cursor_string(c, &string[i], (struct string_role){"element", i + 1},
                          GGUF_ELEMENT_MAX, err));
    value->data = string;
    return STATUS_OK;
}

static enum status
parse_array(struct cursor *c, struct gguf_value *value, struct error *err)
{
    uint64_t count;

    TRY(parse_type(c, &value->element, "element type", err));
    if (value->element == GGUF_ARRAY)
        return refuse(c, err, "an array of arrays is not allowed");
    TRY(cursor_u64(c, &count, err));
    value->count = count;
    if (value->element == GGUF_STRING)
        return parse_strings(c, value, err);
    return parse_numbers(c, value, value->element, err);
}

static enum status
parse_string(struct cursor *c, struct gguf_value *value, struct error *err)
{
    void *memory;

    TRY(gguf_pool_alloc(&memory, c->pool, sizeof(struct gguf_string), err));
    value->data = memory;
    return cursor_string(c, memory, (struct string_role){"string", 0},
                         GGUF_STRING_MAX, err);
}

static enum status
parse_value(struct cursor *c, struct gguf_value *value, struct error *err)
{
    TRY(parse_type(c, &value->type, "type", err));
    value->count = 1;
    if (value->type == GGUF_ARRAY)
        return parse_array(c, value, err);
    if (value->type == GGUF_STRING)
        return parse_string(c, value, err);
    return parse_numbers(c, value, value->type, err);
}

static int
compare_keys(const void *a, const void *b)
{
    const struct gguf_value *const *x = a, *const *y = b;

    return strcmp((*x)->key, (*y)->key);
}

/* Sorts the keys and refuses one that occurs twice. */
static enum status
index_values(struct cursor *c, struct gguf_file *file, struct error *err)
{
    char key[LABEL_BYTES];
    void *memory;

    TRY(gguf_pool_alloc(&memory, c->pool,
                        file->values * sizeof(struct gguf_value *), err));
    file->by_key = memory;
    for (size_t i = 0; i < file->values; i++)
        file->by_key[i] = &file->value[i];
    if (file->values > 0)
        qsort(file->by_key, file->values, sizeof(struct gguf_value *),
              compare_keys);
    for (size_t i = 1; i < file->values; i++) {
        const char *name = file->by_key[i]->key;
        if (strcmp(file->by_key[i - 1]->key, name) == 0)
            return refuse(c, err, "the key %s occurs twice",
                          text_quote(key, sizeof key, name, strlen(name)));
    }
    return STATUS_OK;
}

static void
begin_item(struct cursor *c, const char *kind, size_t i)
{
    c->kind = kind;
    c->item = i + 1;
    c->item_offset = c->position;
    c->item_name = NULL;
}

static enum status
parse_metadata(struct cursor *c, struct gguf_file *file, struct error *err)
{
    void *memory;

    c->part = "metadata";
    TRY(gguf_pool_alloc(&memory, c->pool, file->values * sizeof *file->value,
                        err));
    file->value = memory;
    for (size_t i = 0; i < file->values; i++) {
        begin_item(c, "key", i);
        TRY(cursor_name(c, &file->value[i].key, GGUF_KEY_MAX, err));
        c->item_name = file->value[i].key;
        TRY(parse_value(c, &file->value[i], err));
    }
    c->kind = NULL;
    return index_values(c, file, err);
}

// -- tensor table -----------------------------------------------------------

static enum status
parse_extents(struct cursor *c, struct gguf_tensor *tensor, struct error *err)
{
    uint32_t rank;

    TRY(cursor_u32(c, &rank, err));
    if (rank < 1 || rank > 4)
        return refuse(c, err, "n_dims %" PRIu32 ", 1 to 4 allowed", rank);
    tensor->rank = rank;
    for (unsigned i = 0; i < 4; i++)
        tensor->extent[i] = 1;
    for (unsigned i = 0; i < rank; i++) {
        TRY(cursor_u64(c, &tensor->extent[i], err));
        if (tensor->extent[i] < 1 || tensor->extent[i] > UINT64_C(1)
                                                             << EXTENT_BITS)
            return refuse(c, err,
                          "extent %" PRId64 " of dimension %u, 1 to 2^%d "
                          "allowed",
                          (int64_t) tensor->extent[i], i + 1, EXTENT_BITS);
    }
    return STATUS_OK;
}

static enum status
parse_format(struct cursor *c, struct gguf_tensor *tensor, struct error *err)
{
    int32_t type;

    TRY(cursor_i32(c, &type, err));
    // ids below 0 are the table's own and in no file
    const struct format *format = type < 0 ? NULL : format_find(type);
    if (format == NULL)
        return refuse(c, err, "type %" PRId32 " %s", type,
                      format_refusal(type));
    if (tensor->extent[0] % format->block_elems != 0)
        return refuse(
            c, err, "row of %" PRIu64 " elements, %s has blocks of %u",
            tensor->extent[0], format->name, (unsigned) format->block_elems);
    if (tensor->extent[1] % format->interleaved != 0)
        return refuse(c, err, "%" PRIu64 " rows, %s stores %u together",
                      tensor->extent[1], format->name,
                      (unsigned) format->interleaved);
    tensor->format = format;
    return STATUS_OK;
}

/* Bytes and elements of the tensor, refused when they overflow. */
static enum status
size_tensor(struct cursor *c, struct gguf_tensor *tensor, struct error *err)
{
    size_t elements = tensor->extent[0];
    size_t bytes = format_row_bytes(tensor->format, tensor->extent[0]);

    for (unsigned i = 1; i < 4; i++)
        if (!size_mul(&elements, elements, tensor->extent[i]) ||
            !size_mul(&bytes, bytes, tensor->extent[i]) || bytes > INT64_MAX)
            return refuse(c, err,
                          "its size overflows: %" PRIu64 " x %" PRIu64
                          " x %" PRIu64 " x %" PRIu64 " elements of %s",
                          tensor->extent[0], tensor->extent[1],
                          tensor->extent[2], tensor->extent[3],
                          tensor->format->name);
    tensor->bytes = bytes;
    return STATUS_OK;
}

/*
 * Tensors lie back to back in the order of the table, each padded to the
 * alignment; *end is where the next one must start.
 */
static enum status
check_offset(struct cursor *c, const struct gguf_tensor *tensor,
             const struct gguf_tensor *before, uint64_t alignment,
             uint64_t *end, struct error *err)
{
    uint64_t offset = tensor->offset_bytes;
    size_t next;

    if (offset % alignment != 0)
        return refuse(c, err,
                      "offset %" PRIu64 " does not fit alignment "
                      "%" PRIu64,
                      offset, alignment);
    if (offset < *end)
        return refuse(c, err,
                      "overlaps %s: offset %" PRIu64 ", %" PRIu64
                      " wanted (alignment %" PRIu64 ")",
                      before->name, offset, *end, alignment);
    if (offset > *end)
        return refuse(c, err,
                      "offset %" PRIu64 ", %" PRIu64 " wanted (alignment "
                      "%" PRIu64 "; the file has %" PRIu64 " bytes)",
                      offset, *end, alignment, c->size);
    if (!size_add(&next, offset, tensor->bytes) ||
        !size_add(&next, next, alignment - 1) || next > INT64_MAX)
        return refuse(
            c, err, "its size overflows: %" PRIu64 " bytes at offset %" PRIu64,
            tensor->bytes, offset);
    *end = next / alignment * alignment;
    return STATUS_OK;
}

static enum status
parse_tensor(struct cursor *c, struct gguf_tensor *tensor, struct error *err)
{
    TRY(cursor_name(c, &tensor->name, GGUF_NAME_MAX, err));
    c->item_name = tensor->name;
    TRY(parse_extents(c, tensor, err));
    TRY(parse_format(c, tensor, err));
    TRY(size_tensor(c, tensor, err));
    return cursor_u64(c, &tensor->offset_bytes, err);
}

static enum status
parse_alignment(struct cursor *c, const struct gguf_file *file, uint64_t *out,
                struct error *err)
{
    const struct gguf_value *value =
        gguf_index_find(file->by_key, file->values, "general.alignment");

    *out = DEFAULT_ALIGNMENT;
    if (value == NULL)
        return STATUS_OK;
    TRY(gguf_value_uint(value, c->shown, 0, UINT64_MAX, out, err));
    if (*out < 1 || *out > GGUF_ALIGNMENT_MAX || (*out & (*out - 1)) != 0)
        return refuse(c, err,
                      "general.alignment %" PRIu64
                      "; a power of two up to %d is wanted",
                      *out, GGUF_ALIGNMENT_MAX);
    return STATUS_OK;
}

/* Every tensor's last byte is in the file. Offsets become the file's. */
static enum status
place_tensors(struct cursor *c, struct gguf_file *file, uint64_t data_start,
              struct error *err)
{
    const struct gguf_tensor *first_out = NULL;

    file->data_end = data_start;
    for (size_t i = 0; i < file->tensors; i++) {
        struct gguf_tensor *tensor = &file->tensor[i];
        size_t end;

        if (!size_add(&tensor->offset_bytes, tensor->offset_bytes,
                      data_start) ||
            !size_add(&end, tensor->offset_bytes, tensor->bytes))
            return refuse(c, err, "%s: its size overflows", tensor->name);
        if (end > c->size && first_out == NULL)
            first_out = tensor;
        file->data_end = end;
    }
    if (first_out == NULL)
        return STATUS_OK;
    return refuse(c, err,
                  "tensor data needs %" PRIu64 " bytes, the file size is only "
                  "%" PRIu64 " (%s ends at offset %" PRIu64
                  "): incomplete download or damaged file",
                  file->data_end, c->size, first_out->name,
                  first_out->offset_bytes + first_out->bytes);
}

static enum status
parse_tensors(struct cursor *c, struct gguf_file *file, unsigned shard,
              struct error *err)
{
    uint64_t alignment, end = 0;
    void *memory;

    TRY(parse_alignment(c, file, &alignment, err));
    c->part = "tensor table";
    if (file->tensors > COUNT_TRUSTED &&
        file->tensors > bytes_left(c) / INFO_BYTES)
        return refuse(c, err,
                      "the file (%" PRIu64 " bytes) ends inside the tensor "
                      "table: %zu tensors do not fit behind offset %" PRIu64,
                      c->size, file->tensors, c->position);
    TRY(gguf_pool_alloc(&memory, c->pool, file->tensors * sizeof *file->tensor,
                        err));
    file->tensor = memory;
    for (size_t i = 0; i < file->tensors; i++) {
        begin_item(c, "tensor info", i);
        file->tensor[i].shard = shard;
        TRY(parse_tensor(c, &file->tensor[i], err));
        TRY(check_offset(c, &file->tensor[i],
                         i > 0 ? &file->tensor[i - 1] : NULL, alignment, &end,
                         err));
    }
    c->kind = NULL;
    return place_tensors(
        c, file, (c->position + alignment - 1) / alignment * alignment, err);
}

// -- one file ---------------------------------------------------------------

static enum status
parse_all(struct cursor *c, struct gguf_file *file, unsigned shard,
          struct error *err)
{
    TRY(parse_header(c, file, err));
    TRY(parse_metadata(c, file, err));
    return parse_tensors(c, file, shard, err);
}

enum status
gguf_parse(struct gguf_file *out, struct gguf_pool *pool, const char *path,
           const char *shown, unsigned shard, struct error *err)
{
    struct cursor c = {.shown = shown, .pool = pool, .part = "header"};
    struct reader *reader;
    void *memory;

    *out = (struct gguf_file){0};
    TRY(reader_open(&reader, path, shown, err));
    enum status status = memory_alloc(&memory, WINDOW_BYTES, err);
    if (status == STATUS_OK) {
        c.window = memory;
        c.reader = reader;
        c.size = out->bytes = reader_bytes(reader);
        status = parse_all(&c, out, shard, err);
        free(memory);
    }
    reader_close(reader);
    return status;
}

const struct gguf_value *
gguf_index_find(const struct gguf_value *const *by_key, size_t values,
                const char *key)
{
    const struct gguf_value wanted = {.key = key}, *pointer = &wanted;

    if (values == 0)
        return NULL;
    const struct gguf_value *const *found = bsearch(
        &pointer, by_key, values, sizeof(struct gguf_value *), compare_keys);
    return found != NULL ? *found : NULL;
}
