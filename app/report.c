/* jansson objects; each builder fails as a whole when memory is short. */
#include "config.h"

#include "app/report.h"

#include "ui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static enum status
no_memory(struct error *err)
{
    return error_set(err, STATUS_NOMEM, "out of memory for the JSON output");
}

static enum status
made(json_t **out, json_t *json, struct error *err)
{
    *out = json;
    return json ? STATUS_OK : no_memory(err);
}

/* Text that is or is not UTF-8 as a string; NULL as null. */
static json_t *
string_of(const char *bytes, size_t length)
{
    struct buffer repaired = {0};
    struct error err;
    json_t *json = NULL;

    if (bytes == NULL)
        return json_null();
    if (utf8_valid(bytes, length))
        return json_stringn(bytes, length);
    if (utf8_repair(&repaired, bytes, length, &err) == STATUS_OK)
        json = json_stringn(repaired.data, repaired.length);
    buffer_release(&repaired);
    return json;
}

static json_t *
string_or_null(const char *text)
{
    return string_of(text, text ? strlen(text) : 0);
}

static json_t *
byte_array(const char *bytes, size_t length)
{
    json_t *array = json_array();

    for (size_t i = 0; i < length; i++)
        json_array_append_new(array, json_integer((uint8_t) bytes[i]));
    return array;
}

static json_t *
logprob_object(const struct logprob *token)
{
    json_t *object = json_pack("{s:i, s:o, s:f}", "id", (int) token->id, "text",
                               string_of(token->bytes, token->length),
                               "logprob", token->logprob);

    if (object && !utf8_valid(token->bytes, token->length))
        json_object_set_new(object, "bytes",
                            byte_array(token->bytes, token->length));
    return object;
}

static json_t *
logprob_with_best(const struct logprob *token, enum channel channel)
{
    json_t *object = logprob_object(token), *best = json_array();

    for (size_t i = 0; i < token->best_count; i++)
        json_array_append_new(best, logprob_object(&token->best[i]));
    json_object_set_new(
        object, "channel",
        json_string(channel == CHANNEL_THINK ? "think" : "answer"));
    json_object_set_new(object, "best", best);
    return object;
}

enum status
report_token(struct report *report, const struct token_event *token,
             struct error *err)
{
    bool thinks = token->channel == CHANNEL_THINK;

    *(thinks ? &report->thinking_tokens : &report->answer_tokens) +=
        token->tokens;
    for (size_t i = 0; report->logprobs && i < token->logprob_count; i++)
        if (json_array_append_new(
                report->logprobs,
                logprob_with_best(&token->logprobs[i], token->channel)) < 0)
            return no_memory(err);
    if (thinks && !report->keep_thinking)
        return STATUS_OK;
    return buffer_append(thinks ? &report->thinking : &report->answer,
                         token->text.bytes, token->text.length, err);
}

void
report_release(struct report *report)
{
    buffer_release(&report->answer);
    buffer_release(&report->thinking);
    json_decref(report->logprobs);
    report->logprobs = NULL;
}

/* "2026-11-22T14:04:11Z" */
static json_t *
now_string(void)
{
    char text[32];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

/* Ten characters that tell one run from another. */
static json_t *
new_id(void)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t random[10];
    char id[sizeof random + 1] = {0};

    if (getrandom(random, sizeof random, 0) != (ssize_t) sizeof random)
        return json_null();
    for (size_t i = 0; i < sizeof random; i++)
        id[i] = digits[random[i] % 32];
    return json_string(id);
}

static json_t *
model_object(const struct model_summary *model)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:n, s:n, s:s}", "name",
                     string_or_null(model->name), "file",
                     string_or_null(model->file), "architecture",
                     string_or_null(model->architecture), "family",
                     string_or_null(model->family), "manifest", "signed_by",
                     "build", PACKAGE_STRING);
}

static json_t *
thinking_object(const struct report *report, const struct generate_done *done)
{
    json_t *text =
        report->keep_thinking
            ? string_of(report->thinking.data ? report->thinking.data : "",
                        report->thinking.length)
            : json_null();

    return json_pack("{s:s?, s:I, s:f, s:b, s:b, s:o}", "mode",
                     done->thinking.mode, "tokens",
                     (json_int_t) done->usage.thinking, "ms",
                     done->timing.thinking_ms, "closed", done->thinking.closed,
                     "cut", done->thinking.cut, "text", text);
}

static json_t *
usage_object(const struct generate_done *done)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "prompt",
                     (json_int_t) done->usage.prompt, "cached",
                     (json_int_t) done->usage.cached, "thinking",
                     (json_int_t) done->usage.thinking, "answer",
                     (json_int_t) done->usage.answer, "context",
                     (json_int_t) done->usage.context);
}

static json_t *
timing_object(const struct generate_timing *t)
{
    double load_ms = t->load_read_ms > t->load_tokenizer_ms
                         ? t->load_read_ms
                         : t->load_tokenizer_ms;
    json_t *load = json_pack("{s:f, s:f, s:f}", "read_ms", t->load_read_ms,
                             "tokenizer_ms", t->load_tokenizer_ms,
                             "first_token_ms", t->load_first_token_ms);

    return json_pack("{s:f, s:o, s:f, s:f, s:f, s:f, s:f, s:f}", "load_ms",
                     load_ms, "load", load, "queue_ms", t->queue_ms,
                     "prefill_ms", t->prefill_ms, "ttft_ms", t->ttft_ms,
                     "total_ms", t->total_ms, "prompt_tps", t->prompt_tps,
                     "answer_tps", t->decode_tps);
}

static json_t *
sampling_object(const struct sampling *s)
{
    return json_pack("{s:I, s:f, s:f, s:I, s:f, s:f}", "seed",
                     (json_int_t) s->seed, "temp", s->temperature, "top_p",
                     s->top_p, "top_k", (json_int_t) s->top_k, "min_p",
                     s->min_p, "repeat_penalty", s->repeat_penalty);
}

static json_t *
residency_object(const struct residency *r)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "vram", r->vram, "ram", r->ram,
                     "nvme", r->nvme, "nvme_bytes", (json_int_t) r->nvme_bytes);
}

static json_t *
placement_object(const struct generate_done *done)
{
    return json_pack("{s:s?, s:s?, s:i, s:s?}", "device",
                     done->placement.device, "level", done->placement.level,
                     "threads", (int) done->placement.threads, "cache",
                     done->placement.cache);
}

static json_t *
warnings_array(const struct generate_done *done)
{
    json_t *array = json_array();

    for (size_t i = 0; i < done->warning_count; i++)
        json_array_append_new(array, string_or_null(done->warnings[i]));
    return array;
}

enum status
report_whole(json_t **out, const struct report *report,
             const struct generate_done *done, const char *saved, bool as_line,
             struct error *err)
{
    const char *answer = report->answer.data ? report->answer.data : "";
    json_t *json = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:s?, "
        "s:o}",
        "schema", "fathom.ask/1", "id", new_id(), "created", now_string(),
        "model", model_object(&done->model), "answer",
        string_of(answer, report->answer.length), "thinking",
        thinking_object(report, done), "finish",
        protocol_finish_name(done->finish), "usage", usage_object(done),
        "timing", timing_object(&done->timing), "residency",
        residency_object(&done->residency), "placement", placement_object(done),
        "sampling", sampling_object(&done->sampling), "saved",
        *saved ? saved : NULL, "warnings", warnings_array(done));

    if (json && report->logprobs)
        json_object_set(json, "logprobs", report->logprobs);
    if (json && as_line) {
        json_t *line = json_pack("{s:s}", "t", "end");

        json_object_update(line, json);
        json_decref(json);
        json = line;
    }
    return made(out, json, err);
}

enum status
report_meta(json_t **out, const struct open_done *opened, struct error *err)
{
    return made(out,
                json_pack("{s:s, s:s, s:o, s:s?}", "t", "meta", "schema",
                          "fathom.ask/1", "model", model_object(&opened->model),
                          "engine", opened->engine),
                err);
}

enum status
report_piece(json_t **out, const struct token_event *token, struct error *err)
{
    return made(out,
                json_pack("{s:s, s:o}", "t",
                          token->channel == CHANNEL_THINK ? "think" : "text",
                          "d",
                          string_of(token->text.bytes, token->text.length)),
                err);
}

enum status
report_progress(json_t **out, const struct progress_event *progress,
                struct error *err)
{
    return made(out,
                json_pack("{s:s, s:s, s:I, s:I}", "t", "progress", "phase",
                          event_phase_name(progress->phase), "done",
                          (json_int_t) progress->done, "of",
                          (json_int_t) progress->of),
                err);
}

/* Copies JSON text, with what a terminal acts upon as escapes. */
static enum status
append_escaped(struct buffer *out, const char *text, struct error *err)
{
    size_t length = strlen(text), start = 0;

    for (size_t i = 0; i < length;) {
        uint32_t c;
        bool valid;
        size_t n = utf8_next(text + i, length - i, &c, &valid);

        if (sanitiser_is_command(c)) {
            TRY(buffer_append(out, text + start, i - start, err));
            // beyond U+FFFF a pair of surrogates
            if (c > 0xFFFF)
                TRY(buffer_print(out, err, "\\u%04X\\u%04X",
                                 (unsigned) (0xD7C0 + (c >> 10)),
                                 (unsigned) (0xDC00 + (c & 0x3FF))));
            else
                TRY(buffer_print(out, err, "\\u%04X", (unsigned) c));
            start = i + n;
        }
        i += n;
    }
    return buffer_append(out, text + start, length - start, err);
}

enum status
report_print(struct buffer *out, json_t *json, bool indented, struct error *err)
{
    size_t flags = JSON_REAL_PRECISION(9) | JSON_ENCODE_ANY |
                   (indented ? JSON_INDENT(2) : JSON_COMPACT);
    char *text = json_dumps(json, flags);

    json_decref(json);
    if (text == NULL)
        return no_memory(err);
    enum status status = append_escaped(out, text, err);

    if (status == STATUS_OK)
        status = buffer_append(out, "\n", 1, err);
    explicit_bzero(text, strlen(text));
    free(text);
    return status;
}
