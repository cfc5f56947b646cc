/* Bodies of rows by tables of their fields; vault_body.h has the format. */
#include "config.h"

#include "storage/vault_body.h"
#include "storage/little_endian.h"
#include "storage/tags.h"

#include <assert.h>
#include <stddef.h>

enum field_type {
    FIELD_TEXT,  // struct text; limit: longest
    FIELD_LIST,  // struct text; limit: size of an element
    FIELD_EXACT, // struct text; limit: its length, or empty
    FIELD_ITEMS, // struct text: items with their lengths
    FIELD_TAGS,  // struct text: tags_valid
    FIELD_FLAG,  // bool
    FIELD_WORD,  // an enum; limit: the greatest
    FIELD_U64,
    FIELD_I64,
    FIELD_F64,
};

struct field {
    uint8_t number;
    enum field_type type;
    size_t offset;
    uint32_t limit;
};

enum { FIELD_HEAD = 5, NO_LIMIT = INT32_MAX };

static_assert(sizeof(enum finish) == sizeof(unsigned), "words are read so");
static_assert(sizeof(enum turn_role) == sizeof(unsigned), "words are read so");

#define AT(type, member) offsetof(struct type, member)

static const struct field ROOT[] = {
    {1, FIELD_U64, AT(root_body, counter), 0},
    {2, FIELD_EXACT, AT(root_body, previous), ROOT_MAC_BYTES},
    {3, FIELD_U64, AT(root_body, next_row), 0},
    {4, FIELD_U64, AT(root_body, written_ms), 0},
    {5, FIELD_LIST, AT(root_body, shards), ROW_REF_BYTES},
    {6, FIELD_LIST, AT(root_body, inputs), ROW_REF_BYTES},
    {7, FIELD_LIST, AT(root_body, audits), ROW_REF_BYTES},
    {8, FIELD_EXACT, AT(root_body, caches), ROW_REF_BYTES},
    {9, FIELD_EXACT, AT(root_body, taken), ROW_REF_BYTES},
    {0, FIELD_FLAG, 0, 0},
};

static const struct field SHARD[] = {
    {1, FIELD_LIST, AT(shard_body, chats), SHARD_ENTRY_BYTES},
    {0, FIELD_FLAG, 0, 0},
};

static const struct field CHAT[] = {
    {1, FIELD_TEXT, AT(chat_body, info.title), NO_LIMIT},
    {2, FIELD_TEXT, AT(chat_body, info.system), NO_LIMIT},
    {3, FIELD_TEXT, AT(chat_body, info.model), NO_LIMIT},
    {4, FIELD_U64, AT(chat_body, info.created_ms), 0},
    {5, FIELD_U64, AT(chat_body, info.used_ms), 0},
    {6, FIELD_U64, AT(chat_body, info.leaf), 0},
    {7, FIELD_FLAG, AT(chat_body, info.pinned), 0},
    {8, FIELD_U64, AT(chat_body, draft), 0},
    {9, FIELD_LIST, AT(chat_body, turns), ROW_REF_BYTES},
    {10, FIELD_TAGS, AT(chat_body, info.tags), 0},
    {0, FIELD_FLAG, 0, 0},
};

#define ORIGIN(member) AT(turn_record, origin.member)

static const struct field TURN[] = {
    {1, FIELD_U64, AT(turn_record, parent), 0},
    {2, FIELD_WORD, AT(turn_record, role), TURN_ANSWER},
    {3, FIELD_U64, AT(turn_record, time_ms), 0},
    {4, FIELD_TEXT, AT(turn_record, content), NO_LIMIT},
    {5, FIELD_TEXT, AT(turn_record, thinking), NO_LIMIT},
    {6, FIELD_FLAG, AT(turn_record, complete), 0},
    {7, FIELD_FLAG, AT(turn_record, arrived_locked), 0},
    {8, FIELD_WORD, AT(turn_record, finish), FINISH_CONTEXT_FULL},
    {9, FIELD_TEXT, ORIGIN(model), NO_LIMIT},
    {10, FIELD_TEXT, ORIGIN(fingerprint), NO_LIMIT},
    {11, FIELD_TEXT, ORIGIN(device), NO_LIMIT},
    {12, FIELD_F64, ORIGIN(sampling.repeat_penalty), 0},
    {13, FIELD_F64, ORIGIN(sampling.temperature), 0},
    {14, FIELD_I64, ORIGIN(sampling.top_k), 0},
    {15, FIELD_F64, ORIGIN(sampling.top_p), 0},
    {16, FIELD_F64, ORIGIN(sampling.min_p), 0},
    {17, FIELD_I64, ORIGIN(sampling.seed), 0},
    {18, FIELD_U64, ORIGIN(prompt_tokens), 0},
    {19, FIELD_U64, ORIGIN(thinking_tokens), 0},
    {20, FIELD_U64, ORIGIN(answer_tokens), 0},
    {21, FIELD_F64, ORIGIN(ttft_ms), 0},
    {22, FIELD_F64, ORIGIN(total_ms), 0},
    {23, FIELD_F64, ORIGIN(decode_tps), 0},
    {0, FIELD_FLAG, 0, 0},
};

static const struct field CACHE[] = {
    {1, FIELD_EXACT, AT(cache_body, chat), sizeof(struct chat_id)},
    {2, FIELD_EXACT, AT(cache_body, key), 32},
    {3, FIELD_U64, AT(cache_body, used), 0},
    {4, FIELD_U64, AT(cache_body, bytes), 0},
    {5, FIELD_LIST, AT(cache_body, chunks), ROW_REF_BYTES},
    {0, FIELD_FLAG, 0, 0},
};

static const struct field AUDIT[] = {
    {1, FIELD_U64, AT(audit_body, number), 0},
    {2, FIELD_U64, AT(audit_body, time_ms), 0},
    {3, FIELD_TEXT, AT(audit_body, event), NO_LIMIT},
    {4, FIELD_TEXT, AT(audit_body, detail), NO_LIMIT},
    {5, FIELD_EXACT, AT(audit_body, mac), 32},
    {0, FIELD_FLAG, 0, 0},
};

static const struct field ITEMS[] = {
    {1, FIELD_ITEMS, AT(items_body, items), 0},
    {0, FIELD_FLAG, 0, 0},
};

// -- writing ----------------------------------------------------------------

/* Puts the value's bytes at *bytes; their number, or 0 to leave it out. */
static size_t
field_value(const void **bytes, uint8_t small[8], const struct field *field,
            const void *body)
{
    const char *at = (const char *) body + field->offset;
    struct text text;
    unsigned word;
    size_t size = 8;

    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_LIST:
    case FIELD_EXACT:
    case FIELD_ITEMS:
    case FIELD_TAGS:
        memcpy(&text, at, sizeof text);
        *bytes = text.bytes;
        return text.length;
    case FIELD_FLAG:
        small[0] = *(const bool *) at ? 1 : 0;
        size = 1;
        break;
    case FIELD_WORD:
        memcpy(&word, at, sizeof word);
        small[0] = (uint8_t) word;
        size = 1;
        break;
    case FIELD_U64:
    case FIELD_I64:
    case FIELD_F64:
        memcpy(small, at, 8);
        break;
    }
    *bytes = small;
    for (size_t i = 0; i < size; i++)
        if (small[i] != 0)
            return size;
    return 0;
}

static enum status
body_write(struct buffer *out, const struct field *fields, const void *body,
           struct error *err)
{
    for (const struct field *field = fields; field->number != 0; field++) {
        const void *value = NULL;
        uint8_t small[8], head[FIELD_HEAD];
        size_t bytes = field_value(&value, small, field, body);

        if (bytes == 0)
            continue;
        if (bytes > NO_LIMIT)
            return error_set(err, STATUS_LIMIT, "a text is too long to keep");
        head[0] = field->number;
        put_u32(head + 1, (uint32_t) bytes);
        TRY(buffer_append(out, head, sizeof head, err));
        TRY(buffer_append(out, value, bytes, err));
    }
    return STATUS_OK;
}

// -- reading ----------------------------------------------------------------

bool
items_whole(struct text items)
{
    while (items.length > 0) {
        uint32_t length;

        if (items.length < 4)
            return false;
        length = get_u32(items.bytes);
        if (length > items.length - 4)
            return false;
        items.bytes += 4 + length;
        items.length -= 4 + length;
    }
    return true;
}

/* The size that a value of this type must have; 0: it varies. */
static size_t
fixed_size(enum field_type type)
{
    switch (type) {
    case FIELD_TEXT:
    case FIELD_LIST:
    case FIELD_EXACT:
    case FIELD_ITEMS:
    case FIELD_TAGS:
        return 0;
    case FIELD_FLAG:
    case FIELD_WORD:
        return 1;
    case FIELD_U64:
    case FIELD_I64:
    case FIELD_F64:
        return 8;
    }
    return 0;
}

static bool
text_fits(const struct field *field, struct text value)
{
    switch (field->type) {
    case FIELD_LIST:
        return value.length % field->limit == 0;
    case FIELD_EXACT:
        return value.length == field->limit;
    case FIELD_ITEMS:
        return items_whole(value);
    case FIELD_TAGS:
        return tags_valid(value);
    case FIELD_TEXT:
    case FIELD_FLAG:
    case FIELD_WORD:
    case FIELD_U64:
    case FIELD_I64:
    case FIELD_F64:
        break;
    }
    return true;
}

/* False where the value cannot be of that field. */
static bool
take_value(void *body, const struct field *field, struct text value)
{
    char *at = (char *) body + field->offset;
    size_t size = fixed_size(field->type);
    unsigned word;
    bool flag;

    if (value.length == 0 || (size != 0 && value.length != size))
        return false;
    if (size == 0) {
        memcpy(at, &value, sizeof value);
        return text_fits(field, value);
    }
    if (size == 8) {
        memcpy(at, value.bytes, 8);
        return true;
    }
    word = (uint8_t) value.bytes[0];
    if (field->type == FIELD_FLAG) {
        flag = word == 1;
        memcpy(at, &flag, sizeof flag);
        return word <= 1;
    }
    memcpy(at, &word, sizeof word);
    return word <= field->limit;
}

static enum status
body_read(void *body, const struct field *fields, const void *bytes,
          size_t length, struct error *err)
{
    struct text rest = {bytes, length};
    const struct field *field = fields;

    while (rest.length > 0) {
        struct text value;

        if (rest.length < FIELD_HEAD)
            return error_set(err, STATUS_FORMAT, "a row ends within a field");
        while (field->number != 0 && field->number < (uint8_t) rest.bytes[0])
            field++;
        value.length = get_u32(rest.bytes + 1);
        value.bytes = rest.bytes + FIELD_HEAD;
        // the table ends with a 0, which is no number of a field
        if (field->number == 0 || field->number != (uint8_t) rest.bytes[0])
            return error_set(err, STATUS_FORMAT,
                             "a row has a field %d that is not known here",
                             (uint8_t) rest.bytes[0]);
        if (value.length > rest.length - FIELD_HEAD ||
            !take_value(body, field, value))
            return error_set(err, STATUS_FORMAT,
                             "field %d of a row has a wrong value",
                             field->number);
        field++;
        rest.bytes += FIELD_HEAD + value.length;
        rest.length -= FIELD_HEAD + value.length;
    }
    return STATUS_OK;
}

// -- the bodies -------------------------------------------------------------

#define BODY(name, type, fields)                                               \
    enum status name##_write(struct buffer *out, const type *body,             \
                             struct error *err)                                \
    {                                                                          \
        return body_write(out, fields, body, err);                             \
    }                                                                          \
    enum status name##_read(type *out, const void *bytes, size_t length,       \
                            struct error *err)                                 \
    {                                                                          \
        memset(out, 0, sizeof *out);                                           \
        return body_read(out, fields, bytes, length, err);                     \
    }

BODY(root_body, struct root_body, ROOT)
BODY(shard_body, struct shard_body, SHARD)
BODY(chat_body, struct chat_body, CHAT)
BODY(turn_body, struct turn_record, TURN)
BODY(cache_body, struct cache_body, CACHE)
BODY(audit_body, struct audit_body, AUDIT)
BODY(items_body, struct items_body, ITEMS)

enum status
items_append(struct buffer *items, struct text item, struct error *err)
{
    uint8_t head[4];

    put_u32(head, (uint32_t) item.length);
    TRY(buffer_reserve(items, sizeof head + item.length, err));
    TRY(buffer_append(items, head, sizeof head, err));
    return buffer_append(items, item.bytes, item.length, err);
}

bool
items_next(struct text *item, struct text *rest)
{
    if (rest->length == 0)
        return false;
    item->length = get_u32(rest->bytes);
    item->bytes = rest->bytes + 4;
    rest->bytes += 4 + item->length;
    rest->length -= 4 + item->length;
    return true;
}

// -- references -------------------------------------------------------------

void
row_ref_write(uint8_t out[ROW_REF_BYTES], const struct row_ref *ref)
{
    put_u64(out, ref->row);
    put_u64(out + 8, ref->generation);
    memcpy(out + 16, ref->tag, sizeof ref->tag);
}

struct row_ref
row_ref_read(const void *bytes)
{
    const uint8_t *at = bytes;
    struct row_ref ref = {get_u64(at), get_u64(at + 8), {0}};

    memcpy(ref.tag, at + 16, sizeof ref.tag);
    return ref;
}

struct row_ref
row_ref_at(const struct buffer *list, size_t i)
{
    assert(i < row_ref_count(list));
    return row_ref_read(list->data + i * ROW_REF_BYTES);
}

void
row_ref_set(struct buffer *list, size_t i, const struct row_ref *ref)
{
    assert(i < row_ref_count(list));
    row_ref_write((uint8_t *) list->data + i * ROW_REF_BYTES, ref);
}

size_t
row_ref_count(const struct buffer *list)
{
    return list->length / ROW_REF_BYTES;
}

enum status
row_ref_append(struct buffer *list, const struct row_ref *ref,
               struct error *err)
{
    uint8_t bytes[ROW_REF_BYTES];

    row_ref_write(bytes, ref);
    return buffer_append(list, bytes, sizeof bytes, err);
}

void
row_ref_drop(struct buffer *list, size_t i)
{
    char *at = list->data + i * ROW_REF_BYTES;
    size_t behind = list->length - (i + 1) * ROW_REF_BYTES;

    assert(i < row_ref_count(list));
    memmove(at, at + ROW_REF_BYTES, behind);
    list->length -= ROW_REF_BYTES;
}

bool
turn_texts_valid(const struct turn_record *turn)
{
    return utf8_valid(turn->content.bytes, turn->content.length) &&
           utf8_valid(turn->thinking.bytes, turn->thinking.length);
}
