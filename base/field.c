/* Over jansson, with JSON_ALLOW_NUL. */
#include "config.h"

#include "base/field.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// the parser reports running out of memory as broken JSON
static _Thread_local bool out_of_memory;
// jansson 2.14 reads past its buffer when that could not grow inside a string:
// the parser gets its memory, and the failure is reported after it
static _Thread_local bool parsing;

static void *
counted_malloc(size_t bytes)
{
    bool fails = fault_due();
    void *memory = fails && !parsing ? NULL : malloc(bytes);

    if (fails || memory == NULL)
        out_of_memory = true;
    return memory;
}

/* Messages hold what people wrote. */
static void
wiping_free(void *memory)
{
    if (memory != NULL)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

void
field_start(void)
{
    json_set_alloc_funcs(counted_malloc, wiping_free);
}

enum status
protocol_json(json_t **out, const char *bytes, size_t length, const char *what,
              struct error *err)
{
    json_error_t error;
    char quoted[200];

    out_of_memory = false;
    parsing = true;
    *out = json_loadb(bytes != NULL ? bytes : "", length,
                      JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
                      &error);
    parsing = false;
    if (out_of_memory) {
        json_decref(*out);
        *out = NULL;
        return error_set(err, STATUS_NOMEM, "memory does not suffice for %s",
                         what);
    }
    if (*out != NULL)
        return STATUS_OK;
    // what the error is near to is content
    char *near = strstr(error.text, " near ");

    text_quote(quoted, sizeof quoted, error.text,
               near ? (size_t) (near - error.text) : strlen(error.text));
    return error_set(err, STATUS_FORMAT, "%s is not JSON at byte %d: %s", what,
                     error.position, quoted);
}

enum status
field_object(json_t **out, const char *bytes, size_t length, struct error *err)
{
    TRY(protocol_json(out, bytes, length, "a message", err));
    if (json_is_object(*out))
        return STATUS_OK;
    json_decref(*out);
    *out = NULL;
    return error_set(err, STATUS_FORMAT, "a message is not a JSON object");
}

struct dump {
    struct buffer *buffer;
    struct error *err;
    enum status status;
};

static int
dump_append(const char *bytes, size_t length, void *context)
{
    struct dump *dump = context;

    // jansson does not look at every answer: what failed stays failed
    if (dump->status == STATUS_OK)
        dump->status = buffer_append(dump->buffer, bytes, length, dump->err);
    return dump->status == STATUS_OK ? 0 : -1;
}

enum status
field_frame(struct buffer *out, enum message_type type, uint64_t number,
            json_t *object, struct error *err)
{
    struct buffer payload = {0};
    struct dump dump = {&payload, err, STATUS_OK};

    if (object == NULL)
        return error_set(err, STATUS_NOMEM,
                         "memory does not suffice for a message");
    int dumped = json_dump_callback(object, dump_append, &dump,
                                    JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (dumped != 0 && dump.status == STATUS_OK)
        dump.status = error_set(err, STATUS_NOMEM,
                                "memory does not suffice for a message");
    json_decref(object);
    if (dump.status == STATUS_OK)
        dump.status = frame_append(out, (uint16_t) type, number, payload.data,
                                   payload.length, err);
    buffer_release(&payload);
    return dump.status;
}

/* The field, or NULL where it is absent or null. */
static const json_t *
field(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

enum status
field_bool(const json_t *object, const char *name, bool *out, struct error *err)
{
    const json_t *value = field(object, name);

    if (value == NULL)
        return STATUS_OK;
    if (!json_is_boolean(value))
        return error_set(err, STATUS_FORMAT,
                         "the field %s is neither true nor false", name);
    *out = json_is_true(value);
    return STATUS_OK;
}

enum status
field_integer(const json_t *object, const char *name, int64_t least,
              int64_t most, int64_t *out, struct error *err)
{
    const json_t *value = field(object, name);

    if (value == NULL)
        return STATUS_OK;
    if (!json_is_integer(value))
        return error_set(err, STATUS_FORMAT, "the field %s is not an integer",
                         name);
    int64_t number = json_integer_value(value);
    if (number < least || number > most)
        return error_set(
            err, STATUS_LIMIT, "the field %s is %lld, not within %lld to %lld",
            name, (long long) number, (long long) least, (long long) most);
    *out = number;
    return STATUS_OK;
}

enum status
field_count(const json_t *object, const char *name, uint64_t *out,
            struct error *err)
{
    int64_t value = (int64_t) *out;

    TRY(field_integer(object, name, 0, INT64_MAX, &value, err));
    *out = (uint64_t) value;
    return STATUS_OK;
}

enum status
field_real(const json_t *object, const char *name, double least, double most,
           double *out, struct error *err)
{
    const json_t *value = field(object, name);

    if (value == NULL)
        return STATUS_OK;
    if (!json_is_number(value))
        return error_set(err, STATUS_FORMAT, "the field %s is not a number",
                         name);
    double number = json_number_value(value);
    if (!(number >= least && number <= most))
        return error_set(err, STATUS_LIMIT,
                         "the field %s is %g, not within %g to %g", name,
                         number, least, most);
    *out = number;
    return STATUS_OK;
}

enum status
field_word(const json_t *object, const char *name, const char *const *words,
           size_t count, int *out, struct error *err)
{
    const char *word = NULL;

    TRY(field_string(object, name, &word, err));
    if (word == NULL)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0) {
            *out = (int) i;
            return STATUS_OK;
        }
    char quoted[64];
    return error_set(err, STATUS_FORMAT, "the field %s cannot be \"%s\"", name,
                     text_quote(quoted, sizeof quoted, word, strlen(word)));
}

enum status
field_text(const json_t *object, const char *name, struct text *out,
           struct error *err)
{
    const json_t *value = field(object, name);

    if (value == NULL)
        return STATUS_OK;
    if (!json_is_string(value))
        return error_set(err, STATUS_FORMAT, "the field %s is not a string",
                         name);
    *out = (struct text){json_string_value(value), json_string_length(value)};
    return STATUS_OK;
}

enum status
field_string(const json_t *object, const char *name, const char **out,
             struct error *err)
{
    struct text text = {0};

    TRY(field_text(object, name, &text, err));
    if (text.bytes == NULL)
        return STATUS_OK;
    if (memchr(text.bytes, '\0', text.length) != NULL)
        return error_set(err, STATUS_FORMAT, "the field %s holds a NUL", name);
    *out = text.bytes;
    return STATUS_OK;
}

enum status
field_bytes(const json_t *object, const char *name, size_t most,
            struct buffer *out, struct error *err)
{
    struct text text = {NULL, 0};

    TRY(field_text(object, name, &text, err));
    if (text.bytes == NULL)
        return STATUS_OK;
    if (text.length / 4 * 3 > most + 2)
        return error_set(err, STATUS_LIMIT,
                         "the field %s has more than %zu bytes", name, most);
    TRY(base64_decode(out, text.bytes, text.length, err));
    if (out->length > most)
        return error_set(err, STATUS_LIMIT,
                         "the field %s has more than %zu bytes", name, most);
    return STATUS_OK;
}

enum status
field_array(const json_t *object, const char *name, size_t most,
            const json_t **out, struct error *err)
{
    const json_t *value = field(object, name);

    *out = value;
    if (value == NULL)
        return STATUS_OK;
    if (!json_is_array(value))
        return error_set(err, STATUS_FORMAT, "the field %s is not an array",
                         name);
    if (json_array_size(value) > most)
        return error_set(err, STATUS_LIMIT,
                         "the field %s has %zu elements, the limit is %zu",
                         name, json_array_size(value), most);
    return STATUS_OK;
}

enum status
field_inner(const json_t *object, const char *name, const json_t **out,
            struct error *err)
{
    *out = field(object, name);
    if (*out != NULL && !json_is_object(*out))
        return error_set(err, STATUS_FORMAT, "the field %s is not an object",
                         name);
    return STATUS_OK;
}

json_t *
field_of_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *
field_of_text(const char *bytes, size_t length)
{
    if (bytes == NULL)
        return json_null();
    if (utf8_valid(bytes, length))
        return json_stringn_nocheck(bytes, length);

    struct buffer repaired = {0};
    struct error err;
    json_t *string = NULL;
    if (utf8_repair(&repaired, bytes, length, &err) == STATUS_OK)
        string = json_stringn_nocheck(repaired.data, repaired.length);
    buffer_release(&repaired);
    return string;
}

/* Sets what is not absent; false when memory did not suffice. */
static bool
put_real(json_t *object, const char *name, double value)
{
    return isnan(value) ||
           json_object_set_new(object, name, json_real(value)) == 0;
}

static bool
put_integer(json_t *object, const char *name, int64_t value)
{
    return value < 0 ||
           json_object_set_new(object, name, json_integer(value)) == 0;
}

enum status
field_of_bytes(json_t **out, const void *bytes, size_t length,
               struct error *err)
{
    struct buffer text = {0};
    enum status status = base64_encode(&text, bytes, length, err);

    *out = NULL;
    if (status == STATUS_OK)
        *out = json_stringn_nocheck(text.data, text.length);
    buffer_release(&text);
    if (status == STATUS_OK && *out == NULL)
        return error_set(err, STATUS_NOMEM,
                         "memory does not suffice for a message");
    return status;
}

json_t *
field_of_sampling(const struct sampling *sampling)
{
    json_t *object = json_object();

    if (object != NULL &&
        put_real(object, "repeat_penalty", sampling->repeat_penalty) &&
        put_real(object, "temperature", sampling->temperature) &&
        put_integer(object, "top_k", sampling->top_k) &&
        put_real(object, "top_p", sampling->top_p) &&
        put_real(object, "min_p", sampling->min_p) &&
        put_integer(object, "seed", sampling->seed))
        return object;
    json_decref(object);
    return NULL;
}

enum status
field_sampling(const json_t *object, const char *name, struct sampling *out,
               struct error *err)
{
    const json_t *inner;

    *out = protocol_sampling_absent();
    TRY(field_inner(object, name, &inner, err));
    TRY(field_real(inner, "repeat_penalty", 0.01, 100, &out->repeat_penalty,
                   err));
    TRY(field_real(inner, "temperature", 0, 100, &out->temperature, err));
    TRY(field_integer(inner, "top_k", 0, INT32_MAX, &out->top_k, err));
    TRY(field_real(inner, "top_p", 0, 1, &out->top_p, err));
    TRY(field_real(inner, "min_p", 0, 1, &out->min_p, err));
    return field_integer(inner, "seed", 0, INT64_MAX, &out->seed, err);
}
