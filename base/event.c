/* JSON of events. */
#include "config.h"

#include "base/event.h"

#include "base/field.h"

#include <assert.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const phases[] = {"queue", "read", "tokenizer", "prefill"};
static const char *const channels[] = {"think", "answer"};

enum {
    PHASES = sizeof phases / sizeof *phases,
    CHANNELS = 2,
    USE_BYTES = 4, // of one count, little-endian
};

const char *
event_phase_name(enum progress_phase phase)
{
    return phases[phase];
}

/* -- writing --------------------------------------------------------------- */

enum status
event_put_progress(struct buffer *out, uint64_t number,
                   const struct progress_event *event, struct error *err)
{
    return field_frame(
        out, MESSAGE_PROGRESS, number,
        json_pack("{s:s, s:I, s:I}", "phase", phases[event->phase], "done",
                  (json_int_t) event->done, "of", (json_int_t) event->of),
        err);
}

/* The bytes as integers, where they are not UTF-8; else NULL. */
static json_t *
odd_bytes(const struct logprob *logprob)
{
    json_t *array = json_array();

    for (size_t i = 0; i < logprob->length && array != NULL; i++) {
        json_t *byte = json_integer((unsigned char) logprob->bytes[i]);

        if (json_array_append_new(array, byte) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *
logprob_entry(const struct logprob *logprob)
{
    json_t *object =
        json_pack("{s:i, s:o, s:o}", "id", (int) logprob->id, "text",
                  field_of_text(logprob->bytes, logprob->length), "logprob",
                  field_of_real(logprob->logprob));

    if (object == NULL || utf8_valid(logprob->bytes, logprob->length))
        return object;
    if (json_object_set_new(object, "bytes", odd_bytes(logprob)) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* An array of entries; those of the first level have their best ones. */
static json_t *
logprob_array(const struct logprob *logprobs, size_t count, bool with_best)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count && array != NULL; i++) {
        json_t *object = logprob_entry(&logprobs[i]);
        bool whole = json_array_append_new(array, object) == 0;

        if (whole && with_best)
            whole = json_object_set_new(object, "best",
                                        logprob_array(logprobs[i].best,
                                                      logprobs[i].best_count,
                                                      false)) == 0;
        if (!whole) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

enum status
event_put_token(struct buffer *out, uint64_t number,
                const struct token_event *event, struct error *err)
{
    json_t *object =
        json_pack("{s:s, s:o, s:I}", "channel", channels[event->channel],
                  "text", field_of_text(event->text.bytes, event->text.length),
                  "tokens", (json_int_t) event->tokens);

    if (object != NULL && event->logprobs != NULL &&
        json_object_set_new(
            object, "logprobs",
            logprob_array(event->logprobs, event->logprob_count, true)) != 0) {
        json_decref(object);
        object = NULL;
    }
    return field_frame(out, MESSAGE_TOKEN, number, object, err);
}

static json_t *
residency_object(const struct residency *residency)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "vram", residency->vram, "ram",
                     residency->ram, "nvme", residency->nvme, "nvme_bytes",
                     (json_int_t) residency->nvme_bytes);
}

static size_t
expert_count(const struct residency *residency)
{
    return (size_t) residency->layers * residency->experts;
}

/* The counts as bytes, and those as text. */
static enum status
uses_text(json_t **out, const struct residency *residency, struct error *err)
{
    size_t count = expert_count(residency);
    void *memory;

    TRY(memory_alloc(&memory, count * USE_BYTES, err));
    uint8_t *bytes = memory;
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < USE_BYTES; b++)
            bytes[i * USE_BYTES + b] = (uint8_t) (residency->uses[i] >> 8 * b);
    enum status status = field_of_bytes(out, bytes, count * USE_BYTES, err);
    explicit_bzero(memory, count * USE_BYTES); // routing tells of the text
    free(memory);
    return status;
}

/* Takes `object`, which may be NULL, and gives it back with the counts. */
static enum status
add_counts(json_t **object, const struct residency *residency,
           struct error *err)
{
    json_t *uses, *tier;

    TRY(uses_text(&uses, residency, err));
    enum status status =
        field_of_bytes(&tier, residency->tier, expert_count(residency), err);
    if (status != STATUS_OK) {
        json_decref(uses);
        return status;
    }
    json_t *counts = json_pack(
        "{s:I, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "tokens",
        (json_int_t) residency->tokens, "first_layer",
        (int) residency->first_layer, "layers", (int) residency->layers,
        "experts", (int) residency->experts, "active", (int) residency->active,
        "shared", (int) residency->shared, "uses", uses, "tier", tier);
    bool whole = *object != NULL && counts != NULL &&
                 json_object_update(*object, counts) == 0;
    json_decref(counts);
    if (!whole) {
        json_decref(*object);
        *object = NULL;
    }
    return STATUS_OK;
}

enum status
event_put_residency(struct buffer *out, uint64_t number,
                    const struct residency *event, struct error *err)
{
    json_t *object = residency_object(event);

    assert(expert_count(event) <= PROTOCOL_EXPERTS);
    enum status status = add_counts(&object, event, err);
    if (status != STATUS_OK) {
        json_decref(object);
        return status;
    }
    return field_frame(out, MESSAGE_RESIDENCY, number, object, err);
}

enum status
event_put_loop(struct buffer *out, uint64_t number,
               const struct loop_event *event, struct error *err)
{
    return field_frame(out, MESSAGE_LOOP, number,
                       json_pack("{s:s, s:I, s:I}", "channel",
                                 channels[event->channel], "period",
                                 (json_int_t) event->period, "repeats",
                                 (json_int_t) event->repeats),
                       err);
}

enum status
event_put_ids(struct buffer *out, uint64_t number,
              const struct ids_event *event, struct error *err)
{
    assert(event->count <= PROTOCOL_IDS);
    json_t *ids = json_array();
    json_t *object =
        json_pack("{s:I, s:o, s:b}", "index", (json_int_t) event->index, "ids",
                  ids, "more", (int) event->more);

    for (size_t i = 0; i < event->count && object != NULL; i++)
        if (json_array_append_new(ids, json_integer(event->ids[i])) != 0) {
            json_decref(object);
            object = NULL;
        }
    return field_frame(out, MESSAGE_IDS, number, object, err);
}

static json_t *
string_or_null(const char *string)
{
    return field_of_text(string, string != NULL ? strlen(string) : 0);
}

static json_t *
summary_object(const struct model_summary *model)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "name",
                     string_or_null(model->name), "file",
                     string_or_null(model->file), "fingerprint",
                     string_or_null(model->fingerprint), "architecture",
                     string_or_null(model->architecture), "family",
                     string_or_null(model->family), "family_why",
                     string_or_null(model->family_why), "thinks",
                     (int) model->thinks, "switch", (int) model->has_switch,
                     "recommended", field_of_sampling(&model->recommended));
}

static json_t *
plan_object(const struct engine_plan *plan)
{
    return json_pack(
        "{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i, "
        "s:i, s:i, s:o, s:o, s:o}",
        "loaded", (int) plan->loaded, "fits", (int) plan->fits, "weights_bytes",
        (json_int_t) plan->weights_bytes, "cache_bytes",
        (json_int_t) plan->cache_bytes, "scratch_bytes",
        (json_int_t) plan->scratch_bytes, "available_bytes",
        (json_int_t) plan->available_bytes, "token_bytes",
        (json_int_t) plan->token_bytes, "context", (json_int_t) plan->context,
        "context_most", (json_int_t) plan->context_most, "layers",
        (int) plan->layers, "first_layer", (int) plan->first_layer, "experts",
        (int) plan->experts, "active", (int) plan->active, "shared",
        (int) plan->shared, "threads", (int) plan->threads, "device",
        string_or_null(plan->device), "level", string_or_null(plan->level),
        "cache", string_or_null(plan->cache));
}

enum status
event_put_open_done(struct buffer *out, uint64_t number,
                    const struct open_done *event, struct error *err)
{
    return field_frame(
        out, MESSAGE_DONE, number,
        json_pack("{s:o, s:i, s:I, s:o, s:o, s:{s:f, s:f}, s:o}", "engine",
                  string_or_null(event->engine), "protocol", PROTOCOL_VERSION,
                  "context", (json_int_t) event->context, "snapshots",
                  string_or_null(event->snapshots), "model",
                  summary_object(&event->model), "load", "read_ms",
                  event->read_ms, "tokenizer_ms", event->tokenizer_ms, "plan",
                  plan_object(&event->plan)),
        err);
}

enum status
event_put_plan_done(struct buffer *out, uint64_t number,
                    const struct engine_plan *plan, struct error *err)
{
    return field_frame(out, MESSAGE_DONE, number,
                       json_pack("{s:o}", "plan", plan_object(plan)), err);
}

enum status
event_put_describe_done(struct buffer *out, uint64_t number,
                        const char *description, size_t length,
                        struct error *err)
{
    json_t *model;

    TRY(field_object(&model, description, length, err));
    return field_frame(out, MESSAGE_DONE, number,
                       json_pack("{s:o}", "model", model), err);
}

enum status
event_put_tokenize_done(struct buffer *out, uint64_t number, uint64_t tokens,
                        struct error *err)
{
    return field_frame(out, MESSAGE_DONE, number,
                       json_pack("{s:I}", "tokens", (json_int_t) tokens), err);
}

static json_t *
timing_object(const struct generate_timing *timing)
{
    return json_pack("{s:{s:f, s:f, s:f}, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
                     "load", "read_ms", timing->load_read_ms, "tokenizer_ms",
                     timing->load_tokenizer_ms, "first_token_ms",
                     timing->load_first_token_ms, "queue_ms", timing->queue_ms,
                     "prefill_ms", timing->prefill_ms, "ttft_ms",
                     timing->ttft_ms, "thinking_ms", timing->thinking_ms,
                     "total_ms", timing->total_ms, "prompt_tps",
                     timing->prompt_tps, "decode_tps", timing->decode_tps);
}

static json_t *
strings_array(const char *const *strings, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count && array != NULL; i++)
        if (json_array_append_new(array, string_or_null(strings[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

enum status
event_put_generate_done(struct buffer *out, uint64_t number,
                        const struct generate_done *done, struct error *err)
{
    json_t *usage = json_pack("{s:I, s:I, s:I, s:I, s:I}", "prompt",
                              (json_int_t) done->usage.prompt, "cached",
                              (json_int_t) done->usage.cached, "thinking",
                              (json_int_t) done->usage.thinking, "answer",
                              (json_int_t) done->usage.answer, "context",
                              (json_int_t) done->usage.context);
    json_t *thinking = json_pack(
        "{s:s, s:b, s:b, s:b, s:I, s:f}", "mode", done->thinking.mode, "closed",
        (int) done->thinking.closed, "cut", (int) done->thinking.cut, "asked",
        (int) done->thinking.asked, "tokens", (json_int_t) done->usage.thinking,
        "ms", done->timing.thinking_ms);
    json_t *placement = json_pack(
        "{s:s, s:s, s:i, s:s, s:I, s:I}", "device", done->placement.device,
        "level", done->placement.level, "threads",
        (int) done->placement.threads, "cache", done->placement.cache,
        "token_bytes", (json_int_t) done->placement.token_bytes,
        "bandwidth_bytes", (json_int_t) done->placement.bandwidth_bytes);
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "finish",
                  protocol_finish_name(done->finish), "usage", usage, "timing",
                  timing_object(&done->timing), "sampling",
                  field_of_sampling(&done->sampling), "thinking", thinking,
                  "residency", residency_object(&done->residency), "placement",
                  placement, "model", summary_object(&done->model), "warnings",
                  strings_array(done->warnings, done->warning_count));

    return field_frame(out, MESSAGE_DONE, number, object, err);
}

enum status
event_put_stats_done(struct buffer *out, uint64_t number,
                     const struct stats_done *done, struct error *err)
{
    return field_frame(
        out, MESSAGE_DONE, number,
        json_pack(
            "{s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I, "
            "s:I, s:I, s:I, s:I}}",
            "engine", string_or_null(done->engine), "file",
            string_or_null(done->file), "state", done->state, "clients",
            (json_int_t) done->clients, "waiting", (json_int_t) done->waiting,
            "requests", (json_int_t) done->requests, "prompt_tokens",
            (json_int_t) done->prompt_tokens, "generated_tokens",
            (json_int_t) done->generated_tokens, "up_ms",
            (json_int_t) done->up_ms, "process", "memory_bytes",
            (json_int_t) done->memory_bytes, "memory_most_bytes",
            (json_int_t) done->memory_most_bytes, "cpu_ms",
            (json_int_t) done->cpu_ms, "faults", (json_int_t) done->faults,
            "displaced", (json_int_t) done->displaced, "threads",
            (json_int_t) done->threads),
        err);
}

enum status
event_put_snapshot_done(struct buffer *out, uint64_t number,
                        const struct snapshot_done *done, struct error *err)
{
    json_t *data;

    TRY(field_of_bytes(&data, done->data.bytes, done->data.length, err));
    return field_frame(out, MESSAGE_DONE, number,
                       json_pack("{s:{s:I, s:I, s:I, s:o, s:o}}", "snapshot",
                                 "next", (json_int_t) done->next, "bytes",
                                 (json_int_t) done->bytes, "tokens",
                                 (json_int_t) done->tokens, "key",
                                 string_or_null(done->key), "data", data),
                       err);
}

enum status
event_put_error(struct buffer *out, uint64_t number,
                const struct error_event *event, struct error *err)
{
    return field_frame(out, MESSAGE_ERROR, number,
                       json_pack("{s:s, s:o, s:i}", "status",
                                 protocol_status_name(event->status), "text",
                                 string_or_null(event->text), "exit",
                                 event->exit),
                       err);
}

/* -- reading --------------------------------------------------------------- */

static enum status
read_progress(struct event *out, struct error *err)
{
    int phase = PHASE_QUEUE;

    TRY(field_word(out->json, "phase", phases, PHASES, &phase, err));
    out->progress.phase = (enum progress_phase) phase;
    TRY(field_count(out->json, "done", &out->progress.done, err));
    return field_count(out->json, "of", &out->progress.of, err);
}

/* Logprobs are read in two levels; `memory` holds both, front to back. */
struct logprob_reader {
    struct logprob *next;
    char *bytes;
    struct error *err;
};

static size_t
logprob_count(const json_t *array, size_t *bytes)
{
    size_t count = json_array_size(array);

    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *object = json_array_get(array, i);

        *bytes += json_array_size(json_object_get(object, "bytes"));
        count += logprob_count(json_object_get(object, "best"), bytes);
    }
    return count;
}

/* Bytes given as integers go before the text. */
static enum status
read_odd_bytes(struct logprob_reader *reader, const json_t *array,
               struct logprob *out)
{
    size_t count = json_array_size(array);

    if (count == 0)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        json_int_t byte = json_integer_value(json_array_get(array, i));

        if (byte < 0 || byte > 255)
            return error_set(reader->err, STATUS_FORMAT,
                             "the field bytes holds %lld", (long long) byte);
        reader->bytes[i] = (char) byte;
    }
    out->bytes = reader->bytes;
    out->length = count;
    reader->bytes += count;
    return STATUS_OK;
}

static enum status
read_logprobs(struct logprob_reader *reader, const json_t *array,
              const struct logprob **out, size_t *count)
{
    struct logprob *entry = reader->next;

    *out = entry;
    *count = json_array_size(array);
    reader->next += *count;
    for (size_t i = 0; i < *count; i++) {
        const json_t *object = json_array_get(array, i);
        struct text text = {"", 0};
        int64_t id = -1;

        entry[i].logprob = -HUGE_VAL; // JSON says null
        TRY(field_integer(object, "id", 0, INT32_MAX, &id, reader->err));
        TRY(field_text(object, "text", &text, reader->err));
        TRY(field_real(object, "logprob", -1e300, 1e300, &entry[i].logprob,
                       reader->err));
        entry[i].id = (int32_t) id;
        entry[i].bytes = text.bytes;
        entry[i].length = text.length;
        TRY(read_odd_bytes(reader, json_object_get(object, "bytes"),
                           &entry[i]));
        TRY(read_logprobs(reader, json_object_get(object, "best"),
                          &entry[i].best, &entry[i].best_count));
    }
    return STATUS_OK;
}

static enum status
read_token(struct event *out, struct error *err)
{
    int channel = CHANNEL_ANSWER;
    struct token_event *token = &out->token;
    uint64_t tokens = 0;
    const json_t *array;

    token->text = (struct text){"", 0};
    TRY(field_word(out->json, "channel", channels, CHANNELS, &channel, err));
    token->channel = (enum channel) channel;
    TRY(field_text(out->json, "text", &token->text, err));
    TRY(field_count(out->json, "tokens", &tokens, err));
    token->tokens = tokens;
    TRY(field_array(out->json, "logprobs", FRAME_MAX_BYTES, &array, err));
    if (array == NULL)
        return STATUS_OK;

    size_t bytes = 0, count = logprob_count(array, &bytes);
    TRY(memory_alloc(&out->memory, count * sizeof(struct logprob) + bytes,
                     err));
    struct logprob *entry = out->memory;
    struct logprob_reader reader = {entry, (char *) (entry + count), err};
    return read_logprobs(&reader, array, &token->logprobs,
                         &token->logprob_count);
}

static enum status
read_residency(const json_t *object, struct residency *out, struct error *err)
{
    TRY(field_real(object, "vram", 0, 1, &out->vram, err));
    TRY(field_real(object, "ram", 0, 1, &out->ram, err));
    TRY(field_real(object, "nvme", 0, 1, &out->nvme, err));
    return field_count(object, "nvme_bytes", &out->nvme_bytes, err);
}

static enum status
read_u32(const json_t *object, const char *name, uint32_t most, uint32_t *out,
         struct error *err)
{
    int64_t value = *out;

    TRY(field_integer(object, name, 0, most, &value, err));
    *out = (uint32_t) value;
    return STATUS_OK;
}

/* Exactly `bytes` bytes, into the event's buffer. */
static enum status
read_exactly(struct event *out, const char *name, size_t bytes,
             struct error *err)
{
    buffer_clear(&out->data);
    TRY(field_bytes(out->json, name, bytes, &out->data, err));
    if (out->data.length != bytes)
        return error_set(err, STATUS_FORMAT,
                         "the field %s has %zu bytes in place of %zu", name,
                         out->data.length, bytes);
    return STATUS_OK;
}

static uint32_t
use_at(const struct buffer *bytes, size_t i)
{
    uint32_t value = 0;

    for (size_t b = 0; b < USE_BYTES; b++)
        value |= (uint32_t) (uint8_t) bytes->data[i * USE_BYTES + b] << 8 * b;
    return value;
}

static enum status
check_tiers(const uint8_t *tier, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (tier[i] > TIER_NVME)
            return error_set(err, STATUS_FORMAT,
                             "the field tier holds %d, which is none", tier[i]);
    return STATUS_OK;
}

/* Counts and tiers, one after the other in memory of the event's own. */
static enum status
read_experts(struct event *out, struct error *err)
{
    struct residency *residency = &out->residency;
    size_t count = expert_count(residency);

    if (count == 0)
        return STATUS_OK;
    TRY(memory_alloc(&out->memory, count * (sizeof(uint32_t) + 1), err));
    uint32_t *uses = out->memory;
    uint8_t *tier = (uint8_t *) (uses + count);
    TRY(read_exactly(out, "uses", count * USE_BYTES, err));
    for (size_t i = 0; i < count; i++)
        uses[i] = use_at(&out->data, i);
    TRY(read_exactly(out, "tier", count, err));
    memcpy(tier, out->data.data, count);
    residency->uses = uses;
    residency->tier = tier;
    return check_tiers(tier, count, err);
}

static enum status
read_residency_counts(struct event *out, struct error *err)
{
    struct residency *residency = &out->residency;
    const json_t *object = out->json;
    uint32_t most = PROTOCOL_EXPERTS;

    TRY(read_residency(object, residency, err));
    TRY(field_count(object, "tokens", &residency->tokens, err));
    TRY(read_u32(object, "first_layer", most, &residency->first_layer, err));
    TRY(read_u32(object, "layers", most, &residency->layers, err));
    TRY(read_u32(object, "experts", most, &residency->experts, err));
    TRY(read_u32(object, "active", most, &residency->active, err));
    TRY(read_u32(object, "shared", most, &residency->shared, err));
    if (residency->layers > 0 && residency->experts > most / residency->layers)
        return error_set(err, STATUS_LIMIT,
                         "a RESIDENCY has %u layers of %u experts, the limit "
                         "is %u together",
                         residency->layers, residency->experts, most);
    return read_experts(out, err);
}

static enum status
read_loop(struct event *out, struct error *err)
{
    int channel = CHANNEL_ANSWER;

    TRY(field_word(out->json, "channel", channels, CHANNELS, &channel, err));
    out->loop.channel = (enum channel) channel;
    TRY(field_count(out->json, "period", &out->loop.period, err));
    return field_count(out->json, "repeats", &out->loop.repeats, err);
}

static enum status
read_ids(struct event *out, struct error *err)
{
    struct ids_event *event = &out->ids;
    uint64_t index = 0;
    const json_t *array;

    TRY(field_count(out->json, "index", &index, err));
    event->index = index;
    TRY(field_bool(out->json, "more", &event->more, err));
    TRY(field_array(out->json, "ids", PROTOCOL_IDS, &array, err));
    event->count = json_array_size(array);
    TRY(memory_alloc(&out->memory, event->count * sizeof *event->ids, err));
    int32_t *ids = out->memory;
    event->ids = ids;
    for (size_t i = 0; i < event->count; i++) {
        const json_t *value = json_array_get(array, i);
        json_int_t id = json_integer_value(value);

        if (!json_is_integer(value) || id < 0 || id > INT32_MAX)
            return error_set(err, STATUS_FORMAT,
                             "the field ids holds what is no token id");
        ids[i] = (int32_t) id;
    }
    return STATUS_OK;
}

static enum status
read_summary(const json_t *object, struct model_summary *out, struct error *err)
{
    const json_t *model;

    out->recommended = protocol_sampling_absent();
    TRY(field_inner(object, "model", &model, err));
    TRY(field_string(model, "name", &out->name, err));
    TRY(field_string(model, "file", &out->file, err));
    TRY(field_string(model, "fingerprint", &out->fingerprint, err));
    TRY(field_string(model, "architecture", &out->architecture, err));
    TRY(field_string(model, "family", &out->family, err));
    TRY(field_string(model, "family_why", &out->family_why, err));
    TRY(field_bool(model, "thinks", &out->thinks, err));
    TRY(field_bool(model, "switch", &out->has_switch, err));
    return field_sampling(model, "recommended", &out->recommended, err);
}

static enum status
read_real(const json_t *object, const char *name, double *out,
          struct error *err)
{
    return field_real(object, name, 0, 1e300, out, err);
}

static enum status
read_plan(const json_t *object, struct engine_plan *out, struct error *err)
{
    uint32_t threads = 0;
    const json_t *plan;

    TRY(field_inner(object, "plan", &plan, err));
    TRY(field_bool(plan, "loaded", &out->loaded, err));
    TRY(field_bool(plan, "fits", &out->fits, err));
    TRY(field_count(plan, "weights_bytes", &out->weights_bytes, err));
    TRY(field_count(plan, "cache_bytes", &out->cache_bytes, err));
    TRY(field_count(plan, "scratch_bytes", &out->scratch_bytes, err));
    TRY(field_count(plan, "available_bytes", &out->available_bytes, err));
    TRY(field_count(plan, "token_bytes", &out->token_bytes, err));
    TRY(field_count(plan, "context", &out->context, err));
    TRY(field_count(plan, "context_most", &out->context_most, err));
    TRY(read_u32(plan, "layers", INT32_MAX, &out->layers, err));
    TRY(read_u32(plan, "first_layer", INT32_MAX, &out->first_layer, err));
    TRY(read_u32(plan, "experts", INT32_MAX, &out->experts, err));
    TRY(read_u32(plan, "active", INT32_MAX, &out->active, err));
    TRY(read_u32(plan, "shared", INT32_MAX, &out->shared, err));
    TRY(read_u32(plan, "threads", INT32_MAX, &threads, err));
    out->threads = threads;
    TRY(field_string(plan, "device", &out->device, err));
    TRY(field_string(plan, "level", &out->level, err));
    return field_string(plan, "cache", &out->cache, err);
}

static enum status
read_open_done(const json_t *object, struct open_done *out, struct error *err)
{
    const json_t *load;

    TRY(field_string(object, "engine", &out->engine, err));
    TRY(read_summary(object, &out->model, err));
    TRY(field_count(object, "context", &out->context, err));
    TRY(field_string(object, "snapshots", &out->snapshots, err));
    TRY(field_inner(object, "load", &load, err));
    TRY(read_real(load, "read_ms", &out->read_ms, err));
    TRY(read_real(load, "tokenizer_ms", &out->tokenizer_ms, err));
    return read_plan(object, &out->plan, err);
}

static enum status
read_timing(const json_t *object, struct generate_timing *out,
            struct error *err)
{
    const json_t *timing, *load;

    TRY(field_inner(object, "timing", &timing, err));
    TRY(field_inner(timing, "load", &load, err));
    TRY(read_real(load, "read_ms", &out->load_read_ms, err));
    TRY(read_real(load, "tokenizer_ms", &out->load_tokenizer_ms, err));
    TRY(read_real(load, "first_token_ms", &out->load_first_token_ms, err));
    TRY(read_real(timing, "queue_ms", &out->queue_ms, err));
    TRY(read_real(timing, "prefill_ms", &out->prefill_ms, err));
    TRY(read_real(timing, "ttft_ms", &out->ttft_ms, err));
    TRY(read_real(timing, "thinking_ms", &out->thinking_ms, err));
    TRY(read_real(timing, "total_ms", &out->total_ms, err));
    TRY(read_real(timing, "prompt_tps", &out->prompt_tps, err));
    return read_real(timing, "decode_tps", &out->decode_tps, err);
}

static enum status
read_usage(const json_t *object, struct generate_done *out, struct error *err)
{
    const json_t *usage, *thinking;

    TRY(field_inner(object, "usage", &usage, err));
    TRY(field_count(usage, "prompt", &out->usage.prompt, err));
    TRY(field_count(usage, "cached", &out->usage.cached, err));
    TRY(field_count(usage, "thinking", &out->usage.thinking, err));
    TRY(field_count(usage, "answer", &out->usage.answer, err));
    TRY(field_count(usage, "context", &out->usage.context, err));
    TRY(field_inner(object, "thinking", &thinking, err));
    TRY(field_string(thinking, "mode", &out->thinking.mode, err));
    TRY(field_bool(thinking, "closed", &out->thinking.closed, err));
    TRY(field_bool(thinking, "cut", &out->thinking.cut, err));
    return field_bool(thinking, "asked", &out->thinking.asked, err);
}

static enum status
read_placement(const json_t *object, struct generate_done *out,
               struct error *err)
{
    const json_t *placement, *residency;
    int64_t threads = 0;

    TRY(field_inner(object, "residency", &residency, err));
    TRY(read_residency(residency, &out->residency, err));
    TRY(field_inner(object, "placement", &placement, err));
    TRY(field_string(placement, "device", &out->placement.device, err));
    TRY(field_string(placement, "level", &out->placement.level, err));
    TRY(field_integer(placement, "threads", 0, INT32_MAX, &threads, err));
    out->placement.threads = (unsigned) threads;
    TRY(field_count(placement, "token_bytes", &out->placement.token_bytes,
                    err));
    TRY(field_count(placement, "bandwidth_bytes",
                    &out->placement.bandwidth_bytes, err));
    return field_string(placement, "cache", &out->placement.cache, err);
}

static enum status
read_warnings(struct event *out, struct error *err)
{
    const json_t *array;

    TRY(field_array(out->json, "warnings", PROTOCOL_TEXTS, &array, err));
    out->generate.warning_count = json_array_size(array);
    TRY(memory_alloc(&out->memory,
                     out->generate.warning_count * sizeof(const char *), err));
    const char **warnings = out->memory;
    out->generate.warnings = warnings;
    for (size_t i = 0; i < out->generate.warning_count; i++) {
        warnings[i] = json_string_value(json_array_get(array, i));
        if (warnings[i] == NULL)
            return error_set(err, STATUS_FORMAT, "a warning is not a string");
    }
    return STATUS_OK;
}

static enum status
read_finish(const json_t *object, struct generate_done *out, struct error *err)
{
    const char *name = NULL;

    TRY(field_string(object, "finish", &name, err));
    if (name != NULL && !protocol_finish_find(&out->finish, name))
        return error_set(err, STATUS_FORMAT,
                         "an answer ended in an unknown way");
    return STATUS_OK;
}

static enum status
read_process(const json_t *object, struct stats_done *out, struct error *err)
{
    const json_t *process;

    TRY(field_inner(object, "process", &process, err));
    TRY(field_count(process, "memory_bytes", &out->memory_bytes, err));
    TRY(field_count(process, "memory_most_bytes", &out->memory_most_bytes,
                    err));
    TRY(field_count(process, "cpu_ms", &out->cpu_ms, err));
    TRY(field_count(process, "faults", &out->faults, err));
    TRY(field_count(process, "displaced", &out->displaced, err));
    return field_count(process, "threads", &out->threads, err);
}

static enum status
read_stats(const json_t *object, struct stats_done *out, struct error *err)
{
    TRY(field_string(object, "engine", &out->engine, err));
    TRY(field_string(object, "state", &out->state, err));
    TRY(field_string(object, "file", &out->file, err));
    TRY(field_count(object, "clients", &out->clients, err));
    TRY(field_count(object, "waiting", &out->waiting, err));
    TRY(field_count(object, "requests", &out->requests, err));
    TRY(field_count(object, "prompt_tokens", &out->prompt_tokens, err));
    TRY(field_count(object, "generated_tokens", &out->generated_tokens, err));
    TRY(field_count(object, "up_ms", &out->up_ms, err));
    return read_process(object, out, err);
}

static enum status
read_snapshot(struct event *out, struct error *err)
{
    struct snapshot_done *done = &out->snapshot;
    const json_t *object;

    TRY(field_inner(out->json, "snapshot", &object, err));
    TRY(field_count(object, "next", &done->next, err));
    TRY(field_count(object, "bytes", &done->bytes, err));
    TRY(field_count(object, "tokens", &done->tokens, err));
    TRY(field_string(object, "key", &done->key, err));
    TRY(field_bytes(object, "data", PROTOCOL_CHUNK_BYTES, &out->data, err));
    done->data = (struct text){out->data.data, out->data.length};
    return STATUS_OK;
}

/* DONE says in its fields what it is; each part takes those that it knows. */
static enum status
read_done(struct event *out, struct error *err)
{
    const json_t *object = out->json;

    TRY(field_count(object, "tokens", &out->tokens, err));
    if (json_object_get(object, "state") != NULL)
        TRY(read_stats(object, &out->stats, err));
    if (json_object_get(object, "protocol") != NULL)
        TRY(read_open_done(object, &out->open, err));
    else
        TRY(read_plan(object, &out->plan, err));
    if (json_object_get(object, "snapshot") != NULL)
        TRY(read_snapshot(out, err));
    if (json_object_get(object, "finish") == NULL)
        return STATUS_OK;
    struct generate_done *generate = &out->generate;
    TRY(read_finish(object, generate, err));
    TRY(read_usage(object, generate, err));
    TRY(read_timing(object, &generate->timing, err));
    TRY(field_sampling(object, "sampling", &generate->sampling, err));
    TRY(read_placement(object, generate, err));
    TRY(read_summary(object, &generate->model, err));
    return read_warnings(out, err);
}

static enum status
read_error(struct event *out, struct error *err)
{
    const char *name = "";
    int64_t exit_code = 1;

    out->error.status = STATUS_FORMAT;
    out->error.text = "the engine failed without a reason";
    TRY(field_string(out->json, "status", &name, err));
    protocol_status_find(&out->error.status, name);
    TRY(field_string(out->json, "text", &out->error.text, err));
    TRY(field_integer(out->json, "exit", 1, 255, &exit_code, err));
    out->error.exit = (int) exit_code;
    return STATUS_OK;
}

static enum status
read_fields(struct event *out, struct error *err)
{
    switch ((int) out->type) {
    case MESSAGE_PROGRESS:
        return read_progress(out, err);
    case MESSAGE_TOKEN:
        return read_token(out, err);
    case MESSAGE_RESIDENCY:
        return read_residency_counts(out, err);
    case MESSAGE_LOOP:
        return read_loop(out, err);
    case MESSAGE_IDS:
        return read_ids(out, err);
    case MESSAGE_DONE:
        return read_done(out, err);
    case MESSAGE_ERROR:
        return read_error(out, err);
    default:
        return error_set(err, STATUS_UNSUPPORTED,
                         "events of type %d are not known to this program",
                         (int) out->type);
    }
}

enum status
event_take(struct event *out, const struct frame_header *header,
           const struct buffer *payload, struct error *err)
{
    *out = (struct event){.type = (enum message_type) header->type,
                          .number = header->request};
    TRY(field_object(&out->json, payload->data, payload->length, err));
    enum status status = read_fields(out, err);
    if (status != STATUS_OK)
        event_release(out);
    return status;
}

/* Token ids, and what experts did, tell of the text. */
static void
wipe(void *memory)
{
    if (memory != NULL)
        explicit_bzero(memory, malloc_usable_size(memory));
}

void
event_release(struct event *event)
{
    json_decref(event->json);
    wipe(event->memory);
    free(event->memory);
    buffer_release(&event->data);
    *event = (struct event){0};
}
