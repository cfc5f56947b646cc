/*
 * A model file, or a split set joined: shards found by name, tensors indexed,
 * typed reading.
 */
#include "config.h"

#include "engine/gguf.h"

#include "engine/gguf_parse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_MAX = 240, SHARDS_MAX = 65535, WARNINGS_MAX = 4 };

struct shard {
    const char *path, *shown;
    uint64_t bytes;
};

struct gguf {
    struct gguf_pool pool;
    struct shard *shard;
    size_t shards;
    struct gguf_file first;            // all metadata is in the first file
    const struct gguf_tensor **tensor; // of all files, in their order
    const struct gguf_tensor **by_name;
    size_t tensors, capacity;
    const char *warning[WARNINGS_MAX];
    size_t warnings;
    bool trailing; // bytes behind the last tensor of a file
};

// -- names of files ---------------------------------------------------------

/* A path fit for a message; of a long one, the end. */
static enum status
show_path(struct gguf *gguf, const char **out, const char *path,
          struct error *err)
{
    size_t length = strlen(path);
    const char *tail =
        length > SHOWN_MAX / 2 ? path + length - SHOWN_MAX / 2 : path;
    void *memory;

    // a cut inside a character would show as an invalid byte
    while (tail != path && (*tail & 0xC0) == 0x80)
        tail++;
    TRY(gguf_pool_alloc(&memory, &gguf->pool, SHOWN_MAX, err));
    char *shown = memory;
    size_t used = tail != path ? (size_t) snprintf(shown, 4, "...") : 0;
    text_quote(shown + used, SHOWN_MAX - used, tail, strlen(tail));
    *out = shown;
    return STATUS_OK;
}

static enum status
name_shard(struct gguf *gguf, size_t i, const char *path, struct error *err)
{
    size_t bytes = strlen(path) + 1;
    void *memory;

    TRY(gguf_pool_alloc(&memory, &gguf->pool, bytes, err));
    memcpy(memory, path, bytes);
    gguf->shard[i].path = memory;
    return show_path(gguf, &gguf->shard[i].shown, path, err);
}

/* "-00002-of-00005.gguf", for shard i (from 0) of `count`. */
static void
shard_suffix(char out[40], uint64_t i, uint64_t count)
{
    snprintf(out, 40, "-%05" PRIu64 "-of-%05" PRIu64 ".gguf", i + 1, count);
}

/* Length of `path` without the suffix of its shard, or 0. */
static size_t
shard_prefix(const char *path, uint64_t i, uint64_t count)
{
    size_t length = strlen(path), tail;
    char suffix[40];

    shard_suffix(suffix, i, count);
    tail = strlen(suffix);
    return length > tail && strcmp(path + length - tail, suffix) == 0
               ? length - tail
               : 0;
}

// -- joining shards ---------------------------------------------------------

static enum status
grow_tensors(struct gguf *gguf, size_t more, struct error *err)
{
    size_t need = gguf->tensors + more;
    size_t capacity = gguf->capacity * 2 > need ? gguf->capacity * 2 : need;
    void *memory;

    if (need > GGUF_TENSORS_MAX)
        return error_set(err, STATUS_LIMIT, "%s: more than %d tensors",
                         gguf->shard[0].shown, GGUF_TENSORS_MAX);
    if (need <= gguf->capacity)
        return STATUS_OK;
    TRY(gguf_pool_alloc(&memory, &gguf->pool,
                        capacity * sizeof(struct gguf_tensor *), err));
    if (gguf->tensors > 0)
        memcpy(memory, gguf->tensor,
               gguf->tensors * sizeof(struct gguf_tensor *));
    gguf->tensor = memory;
    gguf->capacity = capacity;
    return STATUS_OK;
}

static enum status add_warning(struct gguf *gguf, struct error *err,
                               const char *format, ...) PRINTF_LIKE(3, 4);

static enum status
add_warning(struct gguf *gguf, struct error *err, const char *format, ...)
{
    char text[512];
    void *memory;
    va_list args;

    if (gguf->warnings == WARNINGS_MAX)
        return STATUS_OK;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    TRY(gguf_pool_alloc(&memory, &gguf->pool, strlen(text) + 1, err));
    memcpy(memory, text, strlen(text));
    gguf->warning[gguf->warnings++] = memory;
    return STATUS_OK;
}

/* Parses shard i and takes its tensors in. */
static enum status
join_shard(struct gguf *gguf, size_t i, struct gguf_file *file,
           struct error *err)
{
    struct shard *shard = &gguf->shard[i];

    TRY(gguf_parse(file, &gguf->pool, shard->path, shard->shown, (unsigned) i,
                   err));
    shard->bytes = file->bytes;
    gguf->trailing = gguf->trailing || file->bytes > file->data_end;
    if (file->bytes > file->data_end)
        TRY(add_warning(gguf, err,
                        "%" PRIu64 " trailing bytes behind the last tensor "
                        "of file %zu are ignored",
                        file->bytes - file->data_end, i + 1));
    TRY(grow_tensors(gguf, file->tensors, err));
    for (size_t t = 0; t < file->tensors; t++)
        gguf->tensor[gguf->tensors++] = &file->tensor[t];
    return STATUS_OK;
}

/* Reads a split key of one file; absent means 0. */
static enum status
split_key(const struct gguf_file *file, const char *shown, const char *key,
          uint64_t *out, struct error *err)
{
    const struct gguf_value *value =
        gguf_index_find(file->by_key, file->values, key);

    *out = 0;
    if (value == NULL)
        return STATUS_OK;
    return gguf_value_uint(value, shown, 0,
                           strcmp(key, "split.tensors.count") == 0 ? INT32_MAX
                                                                   : SHARDS_MAX,
                           out, err);
}

/* The first shard under its own name, or a sentence about what it is. */
static enum status
check_first_name(const struct gguf *gguf, const char *path, uint64_t number,
                 uint64_t count, struct error *err)
{
    const char *shown = gguf->shard[0].shown;
    bool named_first = shard_prefix(path, 0, count) > 0;
    char first[40];

    shard_suffix(first, 0, count);
    size_t prefix = number < count ? shard_prefix(path, number, count) : 0;
    if (number > 0 && prefix > 0) {
        const char *slash = strrchr(path, '/');
        const char *base = slash != NULL ? slash + 1 : path;
        char name[160];
        text_quote(name, sizeof name, base, prefix - (size_t) (base - path));
        return error_set(err, STATUS_FORMAT,
                         "%s is shard %" PRIu64 " of %" PRIu64
                         ": open the first one, %s%s",
                         shown, number + 1, count, name, first);
    }
    if (named_first && number > 0)
        return error_set(err, STATUS_FORMAT,
                         "%s: split.no %" PRIu64
                         ", 0 wanted in the first shard",
                         shown, number);
    if (!named_first && gguf->trailing)
        return error_set(err, STATUS_FORMAT,
                         "%s: split.count %" PRIu64
                         ", but there is more behind its tensors: it looks "
                         "like joined shards (cat); use the original first "
                         "shard, whose name ends in %s",
                         shown, count, first);
    if (!named_first)
        return error_set(err, STATUS_FORMAT,
                         "%s: split.count %" PRIu64
                         ", so the file name must end in %s: give it back the "
                         "name it had",
                         shown, count, first);
    return STATUS_OK;
}

/* Shard i is opened under the first one's name with another number. */
static enum status
open_next_shard(struct gguf *gguf, size_t i, size_t prefix, uint64_t total,
                struct error *err)
{
    char suffix[40];
    void *memory;
    uint64_t number, count;
    struct gguf_file *file;
    struct shard *shard = &gguf->shard[i];

    shard_suffix(suffix, i, gguf->shards);
    TRY(gguf_pool_alloc(&memory, &gguf->pool, prefix + sizeof suffix, err));
    char *path = memory;
    memcpy(path, gguf->shard[0].path, prefix);
    memcpy(path + prefix, suffix, strlen(suffix));
    TRY(name_shard(gguf, i, path, err));
    if (access(path, F_OK) != 0)
        return error_set(err, STATUS_FORMAT,
                         "%s is missing: the model is split into %zu files, "
                         "and all must lie beside %s",
                         shard->shown, gguf->shards, gguf->shard[0].shown);
    TRY(gguf_pool_alloc(&memory, &gguf->pool, sizeof *file, err));
    file = memory;
    TRY(join_shard(gguf, i, file, err));
    TRY(split_key(file, shard->shown, "split.no", &number, err));
    TRY(split_key(file, shard->shown, "split.count", &count, err));
    if (number != i || count != gguf->shards)
        return error_set(err, STATUS_FORMAT,
                         "%s: split.no %" PRIu64 " and split.count %" PRIu64
                         ", %zu and %zu wanted",
                         shard->shown, number, count, i, gguf->shards);
    if (gguf->tensors > total)
        return error_set(err, STATUS_FORMAT,
                         "%s: more tensors than split.tensors.count %" PRIu64,
                         shard->shown, total);
    return STATUS_OK;
}

static enum status
open_split(struct gguf *gguf, uint64_t number, uint64_t count, uint64_t total,
           struct error *err)
{
    const struct shard first = gguf->shard[0];
    void *memory;

    TRY(check_first_name(gguf, first.path, number, count, err));
    TRY(gguf_pool_alloc(&memory, &gguf->pool, count * sizeof *gguf->shard,
                        err));
    gguf->shard = memory;
    gguf->shard[0] = first;
    gguf->shards = count;
    size_t prefix = shard_prefix(first.path, 0, count);
    for (size_t i = 1; i < count; i++)
        TRY(open_next_shard(gguf, i, prefix, total, err));
    return STATUS_OK;
}

static int
compare_names(const void *a, const void *b)
{
    const struct gguf_tensor *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static bool
lies_before(const struct gguf_tensor *a, const struct gguf_tensor *b)
{
    return a->shard != b->shard ? a->shard < b->shard
                                : a->offset_bytes < b->offset_bytes;
}

/* Sorts the tensors by name and refuses a name that occurs twice. */
static enum status
index_tensors(struct gguf *gguf, struct error *err)
{
    void *memory;

    TRY(gguf_pool_alloc(&memory, &gguf->pool,
                        gguf->tensors * sizeof(struct gguf_tensor *), err));
    gguf->by_name = memory;
    if (gguf->tensors == 0)
        return STATUS_OK;
    memcpy(gguf->by_name, gguf->tensor,
           gguf->tensors * sizeof(struct gguf_tensor *));
    qsort(gguf->by_name, gguf->tensors, sizeof(struct gguf_tensor *),
          compare_names);
    const struct gguf_tensor *repeated = NULL;
    for (size_t i = 1; i < gguf->tensors; i++) {
        const struct gguf_tensor *a = gguf->by_name[i - 1];
        const struct gguf_tensor *b = gguf->by_name[i];
        if (strcmp(a->name, b->name) != 0)
            continue;
        const struct gguf_tensor *later = lies_before(a, b) ? b : a;
        if (repeated == NULL || lies_before(later, repeated))
            repeated = later;
    }
    if (repeated == NULL)
        return STATUS_OK;
    return error_set(err, STATUS_FORMAT, "%s: the tensor %s occurs %s",
                     gguf->shard[repeated->shard].shown, repeated->name,
                     repeated->shard == 0 ? "twice" : "in two shards");
}

/* Tensor names may come in any order of shards; the total must agree. */
static enum status
open_all(struct gguf *gguf, const char *path, struct error *err)
{
    uint64_t number, count, total;
    void *memory;

    TRY(gguf_pool_alloc(&memory, &gguf->pool, sizeof *gguf->shard, err));
    gguf->shard = memory;
    gguf->shards = 1;
    TRY(name_shard(gguf, 0, path, err));
    TRY(join_shard(gguf, 0, &gguf->first, err));
    const char *shown = gguf->shard[0].shown;
    TRY(split_key(&gguf->first, shown, "split.no", &number, err));
    TRY(split_key(&gguf->first, shown, "split.count", &count, err));
    TRY(split_key(&gguf->first, shown, "split.tensors.count", &total, err));
    if (count > 1) {
        TRY(open_split(gguf, number, count, total, err));
        TRY(index_tensors(gguf, err));
        if (gguf->tensors != total)
            return error_set(err, STATUS_FORMAT,
                             "%s: split.tensors.count %" PRIu64
                             ", but the %zu shards hold %zu tensors",
                             shown, total, gguf->shards, gguf->tensors);
        return STATUS_OK;
    }
    return index_tensors(gguf, err);
}

enum status
gguf_open(struct gguf **out, const char *path, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct gguf *gguf = memory;
    enum status status = open_all(gguf, path, err);
    if (status != STATUS_OK) {
        gguf_close(gguf);
        return status;
    }
    *out = gguf;
    return STATUS_OK;
}

void
gguf_close(struct gguf *gguf)
{
    if (gguf == NULL)
        return;
    gguf_pool_release(&gguf->pool);
    free(gguf);
}

// -- what is in it ----------------------------------------------------------

const char *
gguf_shown(const struct gguf *gguf)
{
    return gguf->shard[0].shown;
}

size_t
gguf_shards(const struct gguf *gguf)
{
    return gguf->shards;
}

const char *
gguf_shard_path(const struct gguf *gguf, size_t shard)
{
    return gguf->shard[shard].path;
}

const char *
gguf_shard_shown(const struct gguf *gguf, size_t shard)
{
    return gguf->shard[shard].shown;
}

uint64_t
gguf_shard_bytes(const struct gguf *gguf, size_t shard)
{
    return gguf->shard[shard].bytes;
}

uint64_t
gguf_file_bytes(const struct gguf *gguf)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < gguf->shards; i++)
        sum += gguf->shard[i].bytes;
    return sum;
}

const char *const *
gguf_warnings(const struct gguf *gguf, size_t *count)
{
    *count = gguf->warnings;
    return gguf->warning;
}

const struct gguf_value *
gguf_find(const struct gguf *gguf, const char *key)
{
    return gguf_index_find(gguf->first.by_key, gguf->first.values, key);
}

size_t
gguf_values(const struct gguf *gguf)
{
    return gguf->first.values;
}

const struct gguf_value *
gguf_value_at(const struct gguf *gguf, size_t i)
{
    return &gguf->first.value[i];
}

const struct gguf_tensor *
gguf_tensor_find(const struct gguf *gguf, const char *name)
{
    const struct gguf_tensor wanted = {.name = name}, *pointer = &wanted;

    if (gguf->tensors == 0)
        return NULL;
    const struct gguf_tensor *const *found =
        bsearch(&pointer, gguf->by_name, gguf->tensors,
                sizeof(struct gguf_tensor *), compare_names);
    return found != NULL ? *found : NULL;
}

size_t
gguf_tensors(const struct gguf *gguf)
{
    return gguf->tensors;
}

const struct gguf_tensor *
gguf_tensor_at(const struct gguf *gguf, size_t i)
{
    return gguf->tensor[i];
}

// -- typed reading ----------------------------------------------------------

const char *
gguf_type_name(enum gguf_type type)
{
    static const char *const names[] = {"u8",  "i8",  "u16",  "i16",    "u32",
                                        "i32", "f32", "bool", "string", "array",
                                        "u64", "i64", "f64"};

    return names[type];
}

/* An integer of any type as sign and magnitude; false when it is none. */
static bool
read_integer(const struct gguf_value *value, bool *negative, uint64_t *out)
{
    int64_t number;

    *negative = false;
    switch (value->type) {
    case GGUF_U8:
        *out = *(const uint8_t *) value->data;
        return true;
    case GGUF_U16:
        *out = *(const uint16_t *) value->data;
        return true;
    case GGUF_U32:
        *out = *(const uint32_t *) value->data;
        return true;
    case GGUF_U64:
        *out = *(const uint64_t *) value->data;
        return true;
    case GGUF_I8:
        number = (int64_t) * (const int8_t *) value->data;
        break;
    case GGUF_I16:
        number = *(const int16_t *) value->data;
        break;
    case GGUF_I32:
        number = *(const int32_t *) value->data;
        break;
    case GGUF_I64:
        number = *(const int64_t *) value->data;
        break;
    case GGUF_F32:
    case GGUF_BOOL:
    case GGUF_STRING:
    case GGUF_ARRAY:
    case GGUF_F64:
    default:
        return false;
    }
    *negative = number < 0;
    *out = *negative ? 0 - (uint64_t) number : (uint64_t) number;
    return true;
}

static enum status
refuse_type(const struct gguf_value *value, const char *shown,
            const char *wanted, struct error *err)
{
    char key[128];

    return error_set(
        err, STATUS_FORMAT, "%s: %s is of type %s, %s wanted", shown,
        text_quote(key, sizeof key, value->key, strlen(value->key)),
        gguf_type_name(value->type), wanted);
}

static enum status
refuse_absent(const struct gguf *gguf, const char *key, struct error *err)
{
    return error_set(err, STATUS_FORMAT, "%s: %s is missing", gguf_shown(gguf),
                     key);
}

enum status
gguf_value_uint(const struct gguf_value *value, const char *shown,
                uint64_t least, uint64_t most, uint64_t *out, struct error *err)
{
    uint64_t number;
    bool negative;

    if (!read_integer(value, &negative, &number))
        return refuse_type(value, shown, "an integer", err);
    if (negative || number < least || number > most)
        return error_set(
            err, STATUS_FORMAT,
            "%s: %s is %s%" PRIu64 "; %" PRIu64 " to %" PRIu64 " is allowed",
            shown, value->key, negative ? "-" : "", number, least, most);
    *out = number;
    return STATUS_OK;
}

/*
 * The value of a key. Absent: NULL, *found false, or an error where the
 * caller gave no `found`.
 */
static enum status
look_up(const struct gguf *gguf, const char *key,
        const struct gguf_value **value, bool *found, struct error *err)
{
    *value = gguf_find(gguf, key);
    if (found != NULL)
        *found = *value != NULL;
    else if (*value == NULL)
        return refuse_absent(gguf, key, err);
    return STATUS_OK;
}

enum status
gguf_uint_in(const struct gguf *gguf, const char *key, uint64_t least,
             uint64_t most, uint64_t *out, bool *found, struct error *err)
{
    const struct gguf_value *value;

    TRY(look_up(gguf, key, &value, found, err));
    if (value == NULL)
        return STATUS_OK;
    return gguf_value_uint(value, gguf_shown(gguf), least, most, out, err);
}

enum status
gguf_float_in(const struct gguf *gguf, const char *key, double least,
              double most, double *out, bool *found, struct error *err)
{
    const struct gguf_value *value;
    double number;

    TRY(look_up(gguf, key, &value, found, err));
    if (value == NULL)
        return STATUS_OK;
    if (value->type == GGUF_F32)
        number = (double) *(const float *) value->data;
    else if (value->type == GGUF_F64)
        number = *(const double *) value->data;
    else
        return refuse_type(value, gguf_shown(gguf), "f32", err);
    if (!(number >= least && number <= most)) // NaN too
        return error_set(err, STATUS_FORMAT,
                         "%s: %s is %g; %g to %g is allowed", gguf_shown(gguf),
                         key, number, least, most);
    *out = number;
    return STATUS_OK;
}

enum status
gguf_bool(const struct gguf *gguf, const char *key, bool *out, bool *found,
          struct error *err)
{
    const struct gguf_value *value;

    TRY(look_up(gguf, key, &value, found, err));
    if (value == NULL)
        return STATUS_OK;
    if (value->type != GGUF_BOOL)
        return refuse_type(value, gguf_shown(gguf), "bool", err);
    *out = *(const uint8_t *) value->data != 0;
    return STATUS_OK;
}

const struct gguf_string *
gguf_text(const struct gguf *gguf, const char *key)
{
    const struct gguf_value *value = gguf_find(gguf, key);

    return value != NULL && value->type == GGUF_STRING ? value->data : NULL;
}
