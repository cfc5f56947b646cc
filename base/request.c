/* JSON of requests. */
#include "config.h"

#include "base/request.h"

#include "base/field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    INLINE_BYTES = 32 << 10, // more text than this goes ahead in slots
    PREFILL_SLOT = 2 * PROTOCOL_MESSAGES,
    REASONING_SLOT,
};

static const char *const depths[] = {"vocabulary", "shape", "weights"};
static const char *const roles[] = {"system", "user", "assistant"};
static const char *const actions[] = {"save", "restore"};
static const char *const reasons[] = {"interrupted", "timeout"};

struct generate_request
request_generate_default(void)
{
    return (struct generate_request){
        .think_budget = -1,
        .max_tokens = -1,
        .sampling = protocol_sampling_absent(),
    };
}

/* -- writing --------------------------------------------------------------- */

enum status
request_put_plain(struct buffer *out, enum message_type type, uint64_t number,
                  struct error *err)
{
    return field_frame(out, type, number, json_object(), err);
}

enum status
request_put_open(struct buffer *out, uint64_t number, enum open_depth depth,
                 struct error *err)
{
    return field_frame(out, MESSAGE_OPEN, number,
                       json_pack("{s:s}", "depth", depths[depth]), err);
}

enum status
request_put_cancel(struct buffer *out, uint64_t number, enum finish reason,
                   struct error *err)
{
    bool timeout = reason == FINISH_TIMEOUT;

    return field_frame(out, MESSAGE_CANCEL, number,
                       json_pack("{s:s}", "reason", reasons[timeout]), err);
}

enum status
request_put_answer_now(struct buffer *out, uint64_t number, struct error *err)
{
    return field_frame(out, MESSAGE_ANSWER_NOW, number, json_object(), err);
}

static enum status
put_pieces(struct buffer *out, uint64_t number, size_t slot, struct text text,
           struct error *err)
{
    while (text.length > 0) {
        size_t piece = text.length;

        if (piece > PROTOCOL_PIECE_BYTES)
            piece = utf8_complete_prefix(text.bytes, PROTOCOL_PIECE_BYTES);
        TRY(field_frame(out, MESSAGE_TEXT, number,
                        json_pack("{s:i, s:s%}", "slot", (int) slot, "text",
                                  text.bytes, piece),
                        err));
        text.bytes += piece;
        text.length -= piece;
    }
    return STATUS_OK;
}

/* Writes texts one way: all in place, or all that are not empty in slots. */
struct writer {
    struct buffer *out;
    uint64_t number;
    bool in_slots;
    struct error *err;
};

static enum status
writer_text(const struct writer *writer, struct text text, size_t slot,
            json_t **value)
{
    if (!utf8_valid(text.bytes, text.length))
        return error_set(writer->err, STATUS_FORMAT, "a text is not UTF-8");
    if (writer->in_slots && text.length > 0) {
        TRY(put_pieces(writer->out, writer->number, slot, text, writer->err));
        *value = json_pack("{s:i}", "slot", (int) slot);
    } else {
        *value = json_stringn_nocheck(text.bytes, text.length);
    }
    if (*value == NULL)
        return error_set(writer->err, STATUS_NOMEM,
                         "memory does not suffice for a request");
    return STATUS_OK;
}

/* Adds a text to an object under `name`, unless it is absent. */
static enum status
writer_field(const struct writer *writer, json_t *object, const char *name,
             struct text text, size_t slot)
{
    json_t *value;

    if (text.bytes == NULL)
        return STATUS_OK;
    TRY(writer_text(writer, text, slot, &value));
    if (json_object_set_new(object, name, value) != 0)
        return error_set(writer->err, STATUS_NOMEM,
                         "memory does not suffice for a request");
    return STATUS_OK;
}

static enum status
check_count(const char *what, size_t count, size_t most, struct error *err)
{
    if (count > most)
        return error_set(err, STATUS_LIMIT,
                         "a request has %zu %s, the limit is %zu", count, what,
                         most);
    return STATUS_OK;
}

enum status
request_put_snapshot(struct buffer *out, uint64_t number,
                     const struct snapshot_request *request, struct error *err)
{
    json_t *object;

    if (request->action == SNAPSHOT_SAVE)
        return field_frame(out, MESSAGE_SNAPSHOT, number,
                           json_pack("{s:s, s:I}", "action", actions[0],
                                     "offset", (json_int_t) request->offset),
                           err);
    TRY(check_count("bytes in a chunk", request->data.length,
                    PROTOCOL_CHUNK_BYTES, err));
    TRY(field_of_bytes(&object, request->data.bytes, request->data.length,
                       err));
    return field_frame(out, MESSAGE_SNAPSHOT, number,
                       json_pack("{s:s, s:I, s:o}", "action", actions[1],
                                 "offset", (json_int_t) request->offset, "data",
                                 object),
                       err);
}

static enum status
check_bytes(size_t bytes, struct error *err)
{
    if (bytes > PROTOCOL_TEXT_BYTES)
        return error_set(err, STATUS_LIMIT,
                         "the text of a request has %zu bytes, the limit is %d",
                         bytes, PROTOCOL_TEXT_BYTES);
    return STATUS_OK;
}

enum status
request_put_tokenize(struct buffer *out, uint64_t number,
                     const struct text *texts, size_t count, struct error *err)
{
    size_t bytes = 0;

    TRY(check_count("texts", count, PROTOCOL_TEXTS, err));
    for (size_t i = 0; i < count; i++)
        bytes += texts[i].length;
    TRY(check_bytes(bytes, err));

    struct writer writer = {out, number, bytes > INLINE_BYTES, err};
    json_t *array = json_array();
    for (size_t i = 0; i < count && array != NULL; i++) {
        json_t *value;
        enum status status = writer_text(&writer, texts[i], i, &value);

        if (status != STATUS_OK) {
            json_decref(array);
            return status;
        }
        if (json_array_append_new(array, value) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return field_frame(out, MESSAGE_TOKENIZE, number,
                       json_pack("{s:o}", "texts", array), err);
}

static size_t
generate_bytes(const struct generate_request *request)
{
    size_t bytes = request->prefill.length + request->prefill_reasoning.length;

    for (size_t i = 0; i < request->message_count; i++)
        bytes += request->messages[i].content.length +
                 request->messages[i].reasoning.length;
    return bytes;
}

static enum status
put_messages(const struct writer *writer,
             const struct generate_request *request, json_t *array)
{
    for (size_t i = 0; i < request->message_count; i++) {
        const struct chat_message *message = &request->messages[i];
        struct text content = message->content;
        json_t *object = json_pack("{s:s}", "role", roles[message->role]);

        if (json_array_append_new(array, object) != 0)
            return error_set(writer->err, STATUS_NOMEM,
                             "memory does not suffice for a request");
        if (content.bytes == NULL)
            content = (struct text){"", 0};
        TRY(writer_field(writer, object, "content", content, 2 * i));
        TRY(writer_field(writer, object, "reasoning", message->reasoning,
                         2 * i + 1));
    }
    return STATUS_OK;
}

static enum status
put_stops(const struct generate_request *request, json_t *array,
          struct error *err)
{
    for (size_t i = 0; i < request->stop_count; i++) {
        struct text stop = request->stops[i];

        TRY(check_count("bytes in a stop string", stop.length,
                        PROTOCOL_STOP_BYTES, err));
        if (stop.length == 0 || !utf8_valid(stop.bytes, stop.length))
            return error_set(err, STATUS_FORMAT,
                             "a stop string is empty or not UTF-8");
        if (json_array_append_new(
                array, json_stringn_nocheck(stop.bytes, stop.length)) != 0)
            return error_set(err, STATUS_NOMEM,
                             "memory does not suffice for a request");
    }
    return STATUS_OK;
}

static json_t *
count_or_null(int64_t count)
{
    return count >= 0 ? json_integer(count) : json_null();
}

static json_t *
switch_value(enum switch_state state)
{
    return state == SWITCH_DEFAULT ? json_null()
                                   : json_boolean(state == SWITCH_ON);
}

enum status
request_put_generate(struct buffer *out, uint64_t number,
                     const struct generate_request *request, struct error *err)
{
    TRY(check_count("messages", request->message_count, PROTOCOL_MESSAGES,
                    err));
    size_t bytes = generate_bytes(request);
    TRY(check_count("stop strings", request->stop_count, PROTOCOL_STOPS, err));
    TRY(check_bytes(bytes, err));

    int64_t logprobs =
        request->with_logprobs ? (int64_t) request->logprobs : -1;
    json_t *messages = json_array(), *stops = json_array();
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:I}", "messages", messages,
        "stop", stops, "thinking", switch_value(request->thinking),
        "think_budget", count_or_null(request->think_budget), "max_tokens",
        count_or_null(request->max_tokens), "sampling",
        field_of_sampling(&request->sampling), "logprobs",
        count_or_null(logprobs), "ignore_end", (int) request->ignore_end,
        "residency_ms", (json_int_t) request->residency_ms);
    if (object == NULL) // json_pack has given back its values
        return error_set(err, STATUS_NOMEM,
                         "memory does not suffice for a request");

    struct writer writer = {out, number, bytes > INLINE_BYTES, err};
    enum status status = put_messages(&writer, request, messages);
    if (status == STATUS_OK)
        status = put_stops(request, stops, err);
    if (status == STATUS_OK)
        status = writer_field(&writer, object, "prefill", request->prefill,
                              PREFILL_SLOT);
    if (status == STATUS_OK)
        status = writer_field(&writer, object, "prefill_reasoning",
                              request->prefill_reasoning, REASONING_SLOT);
    if (status == STATUS_OK)
        return field_frame(out, MESSAGE_GENERATE, number, object, err);
    json_decref(object);
    return status;
}

/* -- slots ----------------------------------------------------------------- */

static enum status
slots_grow(struct request_slots *slots, size_t count, struct error *err)
{
    void *memory;

    if (count <= slots->count)
        return STATUS_OK;
    TRY(memory_alloc(&memory, count * sizeof *slots->slot, err));
    if (slots->count > 0)
        memcpy(memory, slots->slot, slots->count * sizeof *slots->slot);
    free(slots->slot);
    slots->slot = memory;
    slots->count = count;
    return STATUS_OK;
}

enum status
request_slots_add(struct request_slots *slots, int slot, struct text text,
                  struct error *err)
{
    size_t count = (size_t) slot + 1;

    TRY(check_bytes(slots->bytes + text.length, err));
    if (count > slots->count) {
        // in steps that double, so that slot after slot stays linear
        size_t grown = 2 * slots->count > count ? 2 * slots->count : count;

        TRY(slots_grow(slots, grown < PROTOCOL_SLOTS ? grown : PROTOCOL_SLOTS,
                       err));
    }
    TRY(buffer_append(&slots->slot[slot], text.bytes, text.length, err));
    slots->bytes += text.length;
    return STATUS_OK;
}

void
request_slots_release(struct request_slots *slots)
{
    for (size_t i = 0; i < slots->count; i++)
        buffer_release(&slots->slot[i]);
    free(slots->slot);
    *slots = (struct request_slots){0};
}

/* -- reading --------------------------------------------------------------- */

/* What is being read, and how much text it has so far. */
struct reader {
    const struct request_slots *slots;
    size_t bytes;
    struct error *err;
};

/* A text: a string, or {"slot": N}. */
static enum status
reader_text(struct reader *reader, const json_t *value, const char *name,
            struct text *out)
{
    if (json_is_string(value)) {
        *out =
            (struct text){json_string_value(value), json_string_length(value)};
    } else if (json_is_object(value)) {
        int64_t slot = -1;

        TRY(field_integer(value, "slot", 0, PROTOCOL_SLOTS - 1, &slot,
                          reader->err));
        if (slot < 0 || reader->slots == NULL ||
            (size_t) slot >= reader->slots->count ||
            reader->slots->slot[slot].data == NULL)
            return error_set(reader->err, STATUS_FORMAT,
                             "the field %s names a slot that was not sent",
                             name);
        const struct buffer *held = &reader->slots->slot[slot];
        *out = (struct text){held->data, held->length};
    } else {
        return error_set(reader->err, STATUS_FORMAT,
                         "the field %s is not a text", name);
    }
    reader->bytes += out->length;
    return check_bytes(reader->bytes, reader->err);
}

static enum status
reader_field(struct reader *reader, const json_t *object, const char *name,
             struct text *out)
{
    const json_t *value = json_object_get(object, name);

    if (value == NULL || json_is_null(value))
        return STATUS_OK;
    return reader_text(reader, value, name, out);
}

static enum status
read_message(struct reader *reader, const json_t *object,
             struct chat_message *out)
{
    int role = -1;

    if (!json_is_object(object))
        return error_set(reader->err, STATUS_FORMAT,
                         "a message is not an object");
    TRY(field_word(object, "role", roles, 3, &role, reader->err));
    if (role < 0)
        return error_set(reader->err, STATUS_FORMAT, "a message has no role");
    out->role = (enum chat_role) role;
    out->content = (struct text){"", 0};
    TRY(reader_field(reader, object, "content", &out->content));
    return reader_field(reader, object, "reasoning", &out->reasoning);
}

static enum status
read_stops(const json_t *array, struct text *out, struct error *err)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);

        if (!json_is_string(value) || json_string_length(value) == 0)
            return error_set(err, STATUS_FORMAT,
                             "a stop string is empty or not a string");
        out[i] =
            (struct text){json_string_value(value), json_string_length(value)};
        TRY(check_count("bytes in a stop string", out[i].length,
                        PROTOCOL_STOP_BYTES, err));
    }
    return STATUS_OK;
}

/* The messages and stop strings, in memory of the request's own. */
static enum status
read_lists(struct reader *reader, struct request *out)
{
    const json_t *messages, *stops;
    struct generate_request *generate = &out->generate;

    TRY(field_array(out->json, "messages", PROTOCOL_MESSAGES, &messages,
                    reader->err));
    TRY(field_array(out->json, "stop", PROTOCOL_STOPS, &stops, reader->err));
    generate->message_count = json_array_size(messages);
    generate->stop_count = json_array_size(stops);

    struct chat_message *message;
    TRY(memory_alloc(&out->memory,
                     generate->message_count * sizeof *message +
                         generate->stop_count * sizeof(struct text),
                     reader->err));
    message = out->memory;
    struct text *stop = (void *) (message + generate->message_count);
    generate->messages = message;
    generate->stops = stop;
    for (size_t i = 0; i < generate->message_count; i++)
        TRY(read_message(reader, json_array_get(messages, i), &message[i]));
    return read_stops(stops, stop, reader->err);
}

static enum status
read_switch(const json_t *object, enum switch_state *out, struct error *err)
{
    bool on = false;

    if (json_is_boolean(json_object_get(object, "thinking")))
        *out = json_is_true(json_object_get(object, "thinking")) ? SWITCH_ON
                                                                 : SWITCH_OFF;
    return field_bool(object, "thinking", &on, err); // refuses other kinds
}

static enum status
read_generate(struct reader *reader, struct request *out)
{
    struct generate_request *generate = &out->generate;
    const json_t *object = out->json;
    struct error *err = reader->err;
    int64_t logprobs = -1, residency_ms = 0;

    *generate = request_generate_default();
    TRY(read_lists(reader, out));
    TRY(reader_field(reader, object, "prefill", &generate->prefill));
    TRY(reader_field(reader, object, "prefill_reasoning",
                     &generate->prefill_reasoning));
    TRY(read_switch(object, &generate->thinking, err));
    TRY(field_integer(object, "think_budget", 0, INT32_MAX,
                      &generate->think_budget, err));
    TRY(field_integer(object, "max_tokens", 0, INT32_MAX, &generate->max_tokens,
                      err));
    TRY(field_sampling(object, "sampling", &generate->sampling, err));
    TRY(field_integer(object, "logprobs", 0, PROTOCOL_LOGPROBS, &logprobs,
                      err));
    TRY(field_integer(object, "residency_ms", 0, INT32_MAX, &residency_ms,
                      err));
    generate->residency_ms = (unsigned) residency_ms;
    generate->with_logprobs = logprobs >= 0;
    generate->logprobs = logprobs >= 0 ? (unsigned) logprobs : 0;
    return field_bool(object, "ignore_end", &generate->ignore_end, err);
}

static enum status
read_tokenize(struct reader *reader, struct request *out)
{
    const json_t *array;

    TRY(field_array(out->json, "texts", PROTOCOL_TEXTS, &array, reader->err));
    out->text_count = json_array_size(array);
    TRY(memory_alloc(&out->memory, out->text_count * sizeof *out->texts,
                     reader->err));
    struct text *texts = out->memory;
    out->texts = texts;
    for (size_t i = 0; i < out->text_count; i++)
        TRY(reader_text(reader, json_array_get(array, i), "texts", &texts[i]));
    return STATUS_OK;
}

static enum status
read_open(struct request *out, struct error *err)
{
    int depth = OPEN_WEIGHTS;

    TRY(field_word(out->json, "depth", depths, 3, &depth, err));
    out->depth = (enum open_depth) depth;
    return STATUS_OK;
}

static enum status
read_text(struct request *out, struct error *err)
{
    int64_t slot = -1;

    TRY(field_integer(out->json, "slot", 0, PROTOCOL_SLOTS - 1, &slot, err));
    TRY(field_text(out->json, "text", &out->text, err));
    if (slot < 0 || out->text.bytes == NULL)
        return error_set(err, STATUS_FORMAT,
                         "a TEXT lacks its slot or its text");
    out->slot = (int) slot;
    return STATUS_OK;
}

static enum status
read_snapshot(struct request *out, struct error *err)
{
    struct snapshot_request *snapshot = &out->snapshot;
    int action = -1;

    TRY(field_word(out->json, "action", actions, 2, &action, err));
    if (action < 0)
        return error_set(err, STATUS_FORMAT, "a SNAPSHOT has no action");
    snapshot->action = (enum snapshot_action) action;
    TRY(field_count(out->json, "offset", &snapshot->offset, err));
    if (snapshot->action == SNAPSHOT_SAVE)
        return STATUS_OK;
    TRY(field_bytes(out->json, "data", PROTOCOL_CHUNK_BYTES, &out->data, err));
    if (out->data.length == 0)
        return error_set(err, STATUS_FORMAT,
                         "a SNAPSHOT to be restored has no data");
    snapshot->data = (struct text){out->data.data, out->data.length};
    return STATUS_OK;
}

static enum status
read_cancel(struct request *out, struct error *err)
{
    int reason = 0;

    TRY(field_word(out->json, "reason", reasons, 2, &reason, err));
    out->reason = reason == 0 ? FINISH_INTERRUPTED : FINISH_TIMEOUT;
    return STATUS_OK;
}

static enum status
read_fields(struct reader *reader, struct request *out)
{
    switch ((int) out->type) {
    case MESSAGE_OPEN:
        return read_open(out, reader->err);
    case MESSAGE_TEXT:
        return read_text(out, reader->err);
    case MESSAGE_TOKENIZE:
        return read_tokenize(reader, out);
    case MESSAGE_GENERATE:
        return read_generate(reader, out);
    case MESSAGE_CANCEL:
        return read_cancel(out, reader->err);
    case MESSAGE_SNAPSHOT:
        return read_snapshot(out, reader->err);
    case MESSAGE_DESCRIBE:
    case MESSAGE_STATS:
    case MESSAGE_PLAN:
    case MESSAGE_ANSWER_NOW:
        return STATUS_OK;
    default:
        return error_set(reader->err, STATUS_UNSUPPORTED,
                         "requests of type %d are not known to this engine",
                         (int) out->type);
    }
}

enum status
request_take(struct request *out, const struct frame_header *header,
             const struct buffer *payload, const struct request_slots *slots,
             struct error *err)
{
    struct reader reader = {slots, 0, err};

    *out = (struct request){.type = (enum message_type) header->type,
                            .number = header->request};
    TRY(field_object(&out->json, payload->data, payload->length, err));
    enum status status = read_fields(&reader, out);
    if (status != STATUS_OK)
        request_release(out);
    return status;
}

void
request_release(struct request *request)
{
    json_decref(request->json);
    free(request->memory);
    buffer_release(&request->data);
    *request = (struct request){0};
}
