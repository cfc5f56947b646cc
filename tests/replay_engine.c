/*
 * A stand-in for fathom-engine that plays a script, so that the interface can
 * be tested with any answer, at any pace, and with every kind of failure.
 *
 *     replay_engine [--script FILE] [options of fathom-engine, ignored]
 *
 * Without --script the environment's FATHOM_REPLAY names the script. Frames
 * come on standard input and go to standard output, as with the real one; it
 * too runs in a session of its own and ignores SIGINT and SIGTSTP. The end of
 * the requests ends it with status 0, the end of the script too. A request
 * that the script does not want is a failure: a sentence on standard error
 * and status 3; a broken script is status 2.
 *
 * A script has one step a line; blank lines and lines that start with # are
 * skipped. In TEXT below \n, \t, \\ and \xHH stand for bytes.
 *
 *   want TYPE [JSON]    wait for a request of this type (OPEN, DESCRIBE,
 *                       TOKENIZE, GENERATE, CANCEL, STATS, ...); with JSON,
 *                       every field of it must be in the request and be equal
 *   think TEXT          a TOKEN event for each word, channel think
 *   say TEXT            the same, channel answer
 *   pace MS             from now on each word takes that long. Meanwhile
 *                       requests are listened to as by the real engine:
 *                       ANSWER_NOW skips what is left to think, CANCEL all
 *                       up to `done`, and both are told there. 0: as before
 *   experts FIRST LAYERS EXPERTS ACTIVE ram|tiers
 *                       from now on RESIDENCY goes out to whom asks for it:
 *                       with a pace as often, else after each think and say.
 *                       Counts are drawn, and always the same; `tiers` puts
 *                       experts everywhere, not only in RAM
 *   loop CHANNEL PERIOD REPEATS
 *   opened [JSON]       DONE of an OPEN, as `done`
 *   progress PHASE DONE OF
 *   done [JSON]         DONE of a GENERATE, every field filled; the fields of
 *                       JSON replace or add to them
 *   error STATUS EXIT TEXT
 *   send TYPE JSON      an event as it stands (PROGRESS, TOKEN, RESIDENCY,
 *                       IDS, LOOP, DONE, ERROR, or a number)
 *   raw TEXT            bytes that need not be a frame
 *   sleep MS            wait
 *   repeat N ... end    the steps between N times; repeats may be nested
 *   record FILE         append each request from now on, a line each:
 *                       TYPE NUMBER JSON
 *   die [SIGNAL]        kill itself with the signal of that number (9)
 *   exit STATUS         end at once
 *   eof                 close standard output, go on
 *   hang                read no more, send no more, until killed
 *   drain               read until the requests end, refusing SNAPSHOTs
 *
 * Events carry the number of the request that was wanted last. While it waits,
 * TEXT is collected (a `want` sees the text in place of its slot), an OPEN
 * that is not wanted is answered as by an engine that is ready at once, STATS
 * and PLAN as by one that is idle, DESCRIBE with a few words, a SNAPSHOT as by
 * one that has none to save and takes none, and a CANCEL or ANSWER_NOW that is
 * not wanted is skipped.
 */
#include "config.h"

#include "base/protocol.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FAIL_SCRIPT = 2, FAIL_REQUEST = 3, MOST_STEPS = 10000 };

static const struct {
    const char *name;
    int type;
} type_names[] = {
    {"OPEN", MESSAGE_OPEN},         {"TEXT", MESSAGE_TEXT},
    {"DESCRIBE", MESSAGE_DESCRIBE}, {"TOKENIZE", MESSAGE_TOKENIZE},
    {"PLAN", MESSAGE_PLAN},         {"GENERATE", MESSAGE_GENERATE},
    {"CANCEL", MESSAGE_CANCEL},     {"SNAPSHOT", MESSAGE_SNAPSHOT},
    {"STATS", MESSAGE_STATS},       {"ANSWER_NOW", MESSAGE_ANSWER_NOW},
    {"LOOP", MESSAGE_LOOP},         {"PROGRESS", MESSAGE_PROGRESS},
    {"TOKEN", MESSAGE_TOKEN},       {"RESIDENCY", MESSAGE_RESIDENCY},
    {"IDS", MESSAGE_IDS},           {"DONE", MESSAGE_DONE},
    {"ERROR", MESSAGE_ERROR},
};

enum { TYPES = sizeof type_names / sizeof *type_names };

static struct {
    const char *script; // its path, for messages
    char *step[MOST_STEPS];
    size_t step_count;

    struct buffer input; // requests read so far
    struct request_slots slots;
    uint64_t number; // of the request wanted last
    FILE *record;
    size_t thought, said;  // words, for DONE
    bool asked, cancelled; // ANSWER_NOW and CANCEL of this request have come

    int pace_ms;
    uint64_t residency_ns;    // as the request wants it; 0: none
    uint64_t told_ns;         // when experts were told last
    size_t told;              // words until then
    struct residency experts; // shape; 0 layers: not told
    bool tiers;
} play;

static void fail(int status, size_t step, const char *format, ...)
    PRINTF_LIKE(3, 4) __attribute__((noreturn));

static void
fail(int status, size_t step, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "replay_engine: %s, step %zu: ", play.script, step + 1);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(status);
}

static void
must(enum status status, const struct error *err, size_t step)
{
    if (status != STATUS_OK)
        fail(FAIL_SCRIPT, step, "%s", err->text);
}

static const char *
type_name(int type)
{
    for (int i = 0; i < TYPES; i++)
        if (type_names[i].type == type)
            return type_names[i].name;
    return "unknown";
}

static int
type_find(size_t step, const char *name)
{
    for (int i = 0; i < TYPES; i++)
        if (strcmp(type_names[i].name, name) == 0)
            return type_names[i].type;
    if (isdigit((unsigned char) *name))
        return atoi(name);
    fail(FAIL_SCRIPT, step, "no message is called %s", name);
}

/* Cuts the first word off *rest. */
static char *
word(char **rest)
{
    char *start = *rest + strspn(*rest, " ");
    char *end = start + strcspn(start, " ");

    *rest = end + strspn(end, " ");
    if (*end != '\0')
        *end = '\0';
    return start;
}

/* -- output ---------------------------------------------------------------- */

static void
write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(STDOUT_FILENO, bytes, length);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            exit(0); // the interface is gone
        bytes += wrote;
        length -= (size_t) wrote;
    }
}

static void
flush(struct buffer *frames)
{
    write_all(frames->data, frames->length);
    buffer_release(frames);
}

static void
send_json(size_t step, int type, uint64_t number, json_t *object)
{
    struct buffer frames = {0};
    struct error err;
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));

    must(frame_append(&frames, (uint16_t) type, number, text, strlen(text),
                      &err),
         &err, step);
    free(text);
    json_decref(object);
    flush(&frames);
}

static json_t *
parse(size_t step, const char *text)
{
    json_error_t error;
    json_t *object = json_loads(text, JSON_ALLOW_NUL, &error);

    if (object == NULL)
        fail(FAIL_SCRIPT, step, "%s in %s", error.text, text);
    return object;
}

/* -- requests -------------------------------------------------------------- */

/* Waits for a frame; the end of the requests ends the program. */
static void
read_frame(struct frame_header *header, struct buffer *payload)
{
    struct error err;
    bool found;

    for (;;) {
        char bytes[65536];

        if (frame_take(&play.input, header, payload, &found, &err) != STATUS_OK)
            fail(FAIL_REQUEST, 0, "%s", err.text);
        if (found)
            return;
        ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            exit(0);
        must(buffer_append(&play.input, bytes, (size_t) got, &err), &err, 0);
    }
}

/* Replaces each {"slot": N} by the text that was sent for it. */
static void
fill_slots(json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;

    json_object_foreach(value, key, inner)
    {
        json_t *slot = json_object_get(inner, "slot");

        if (json_is_integer(slot) &&
            (size_t) json_integer_value(slot) < play.slots.count) {
            struct buffer *held = &play.slots.slot[json_integer_value(slot)];

            json_object_set_new(
                value, key,
                json_stringn(held->data ? held->data : "", held->length));
        } else {
            fill_slots(inner);
        }
    }
    json_array_foreach(value, i, inner) fill_slots(inner);
}

static void
record(const struct frame_header *header, json_t *object)
{
    if (play.record == NULL || header->type == MESSAGE_TEXT)
        return;
    char *text = json_dumps(object, JSON_COMPACT);
    fprintf(play.record, "%s %llu %s\n", type_name(header->type),
            (unsigned long long) header->request, text);
    fflush(play.record);
    free(text);
}

static void
collect_text(size_t step, const json_t *object)
{
    const json_t *text = json_object_get(object, "text");
    struct error err;

    must(request_slots_add(
             &play.slots,
             (int) json_integer_value(json_object_get(object, "slot")),
             (struct text){json_string_value(text), json_string_length(text)},
             &err),
         &err, step);
}

static const struct model_summary replayed = {
    .name = "replay",
    .file = "replay.gguf",
    .architecture = "replay",
    .family = "replay",
    .thinks = true,
    .has_switch = true,
    .recommended = {1.0, 0.0, 0, 1.0, 0.0, -1},
};

/* No cache is kept here. */
static void
refuse_snapshot(size_t step, uint64_t number)
{
    struct error_event refusal = {STATUS_UNSUPPORTED,
                                  "the replay engine has no cache", 70};
    struct buffer frames = {0};
    struct error err;

    must(event_put_error(&frames, number, &refusal, &err), &err, step);
    flush(&frames);
}

static const struct engine_plan planned = {
    .loaded = true,
    .fits = true,
    .weights_bytes = 64 << 20,
    .cache_bytes = 8 << 20,
    .scratch_bytes = 4 << 20,
    .available_bytes = (uint64_t) 8 << 30,
    .token_bytes = 16 << 20,
    .context = 4096,
    .context_most = 4096,
    .layers = 4,
    .threads = 1,
    .device = "cpu",
    .level = "ref",
    .cache = "f16",
};

/* With the experts that the script has told of. */
static struct engine_plan
plan_now(void)
{
    struct engine_plan plan = planned;

    if (play.experts.layers == 0)
        return plan;
    plan.first_layer = play.experts.first_layer;
    plan.layers = plan.first_layer + play.experts.layers;
    plan.experts = play.experts.experts;
    plan.active = play.experts.active;
    plan.shared = play.experts.shared;
    return plan;
}

static void
put_opened(size_t step, struct buffer *frames, uint64_t number)
{
    struct open_done done = {.engine = "replay_engine",
                             .model = replayed,
                             .context = 4096,
                             .plan = plan_now()};
    struct error err;

    must(event_put_open_done(frames, number, &done, &err), &err, step);
}

static void
answer_open(size_t step, uint64_t number)
{
    struct buffer frames = {0};

    put_opened(step, &frames, number);
    flush(&frames);
}

static void
answer_plan(size_t step, uint64_t number)
{
    struct engine_plan plan = plan_now();
    struct buffer frames = {0};
    struct error err;

    must(event_put_plan_done(&frames, number, &plan, &err), &err, step);
    flush(&frames);
}

static void
answer_stats(size_t step, uint64_t number)
{
    const struct stats_done stats = {
        .engine = "replay_engine",
        .file = replayed.file,
        .state = "idle",
        .clients = 1,
        .generated_tokens = play.thought + play.said,
        .memory_bytes = 80 << 20,
        .memory_most_bytes = 80 << 20,
        .threads = 1,
    };
    struct buffer frames = {0};
    struct error err;

    must(event_put_stats_done(&frames, number, &stats, &err), &err, step);
    flush(&frames);
}

static void
answer_snapshot(size_t step, uint64_t number)
{
    const struct snapshot_done none = {.bytes = 0};
    struct buffer frames = {0};
    struct error err;

    must(event_put_snapshot_done(&frames, number, &none, &err), &err, step);
    flush(&frames);
}

/* As model_describe of the engine, as far as a chat shows it. */
static void
answer_description(size_t step, uint64_t number)
{
    const struct engine_plan plan = plan_now();
    struct buffer frames = {0};
    struct error err;
    char text[400];
    int length = snprintf(
        text, sizeof text,
        "{\"file\":\"%s\",\"architecture\":\"deepseek2\","
        "\"license\":\"mit\",\"context\":4096,"
        "\"parameters\":{\"total\":13400000,\"active\":2600000},"
        "\"shape\":{\"layers\":%u,\"experts\":%u,\"experts_used\":%u,"
        "\"experts_shared\":%u}}",
        replayed.file, plan.layers, plan.experts, plan.active, plan.shared);

    must(event_put_describe_done(&frames, number, text, (size_t) length, &err),
         &err, step);
    flush(&frames);
}

/* Answers what is not wanted and still harmless; false for the rest. */
static bool
answer_by_itself(size_t step, const struct frame_header *header)
{
    switch ((int) header->type) {
    case MESSAGE_OPEN:
        answer_open(step, header->request);
        return true;
    case MESSAGE_SNAPSHOT:
        answer_snapshot(step, header->request);
        return true;
    case MESSAGE_PLAN:
        answer_plan(step, header->request);
        return true;
    case MESSAGE_DESCRIBE:
        answer_description(step, header->request);
        return true;
    case MESSAGE_STATS:
        answer_stats(step, header->request);
        return true;
    case MESSAGE_TEXT:
    case MESSAGE_CANCEL:
    case MESSAGE_ANSWER_NOW:
        return true;
    default:
        return false;
    }
}

/* True when every field of `wanted` is in `got` and equal. */
static bool
contains(const json_t *got, const json_t *wanted)
{
    if (json_is_object(wanted)) {
        for (void *i = json_object_iter((json_t *) (uintptr_t) wanted);
             i != NULL;
             i = json_object_iter_next((json_t *) (uintptr_t) wanted, i))
            if (!contains(json_object_get(got, json_object_iter_key(i)),
                          json_object_iter_value(i)))
                return false;
        return true;
    }
    if (json_is_array(wanted)) {
        if (json_array_size(got) != json_array_size(wanted))
            return false;
        for (size_t i = 0; i < json_array_size(wanted); i++)
            if (!contains(json_array_get(got, i), json_array_get(wanted, i)))
                return false;
        return true;
    }
    if (json_is_number(wanted) && json_is_number(got))
        return json_number_value(wanted) - json_number_value(got) == 0;
    return json_equal(got, wanted);
}

static void
check_fields(size_t step, const json_t *got, const char *wanted_text)
{
    json_t *wanted = parse(step, wanted_text);

    if (!contains(got, wanted)) {
        char *text = json_dumps(got, JSON_COMPACT);

        fail(FAIL_REQUEST, step, "the request %.2000s lacks %s", text,
             wanted_text);
    }
    json_decref(wanted);
}

static void
begin_answer(const json_t *request)
{
    json_int_t ms =
        json_integer_value(json_object_get(request, "residency_ms"));

    play.thought = play.said = play.told = 0;
    play.asked = play.cancelled = false;
    play.residency_ns = (uint64_t) ms * 1000000;
    play.told_ns = clock_ns();
}

/* Waits for a request of this type, dealing with what may come before it. */
static void
step_want(size_t step, char *rest)
{
    int type = type_find(step, word(&rest));
    struct buffer payload = {0};
    struct frame_header header;
    bool found = false;

    while (!found) {
        read_frame(&header, &payload);
        json_t *object = parse(step, payload.data);

        if (header.type == MESSAGE_TEXT)
            collect_text(step, object);
        else
            fill_slots(object);
        record(&header, object);
        found = header.type == type;
        if (found && *rest != '\0')
            check_fields(step, object, rest);
        if (found && type == MESSAGE_GENERATE)
            begin_answer(object);
        if (!found && !answer_by_itself(step, &header))
            fail(FAIL_REQUEST, step, "wanted %s, got %s", type_name(type),
                 type_name(header.type));
        json_decref(object);
    }
    play.number = header.request;
    if (type != MESSAGE_TEXT)
        request_slots_release(&play.slots);
    buffer_release(&payload);
}

/* -- time ------------------------------------------------------------------ */

/* Takes what has come and concerns the answer; what waits stays there. */
static void
listen_now(size_t step)
{
    struct frame_header header;
    struct buffer payload = {0};
    struct error err;
    bool found = true;

    while (found && play.input.length >= FRAME_HEADER_BYTES) {
        must(frame_header_decode(&header, (uint8_t *) play.input.data, &err),
             &err, step);
        if (header.type == MESSAGE_GENERATE || header.type == MESSAGE_TEXT)
            break;
        must(frame_take(&play.input, &header, &payload, &found, &err), &err,
             step);
        if (!found)
            break;
        json_t *object = parse(step, payload.data);
        record(&header, object);
        json_decref(object);
        play.asked |= header.type == MESSAGE_ANSWER_NOW &&
                      header.request == play.number && play.said == 0;
        play.cancelled |=
            header.type == MESSAGE_CANCEL && header.request == play.number;
        if (!answer_by_itself(step, &header))
            fail(FAIL_REQUEST, step, "got %s within an answer",
                 type_name(header.type));
    }
    buffer_release(&payload);
}

/* Waits, and hears what comes meanwhile. */
static void
pass_time(size_t step, int ms)
{
    uint64_t end_ns = clock_ns() + (uint64_t) ms * 1000000, now;
    struct error err;

    listen_now(step);
    while ((now = clock_ns()) < end_ns && !play.cancelled) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        char bytes[65536];

        if (poll(&input, 1, (int) ((end_ns - now + 999999) / 1000000)) <= 0)
            continue;
        ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got == 0)
            exit(0);
        if (got > 0)
            must(buffer_append(&play.input, bytes, (size_t) got, &err), &err,
                 step);
        listen_now(step);
    }
}

/* -- experts --------------------------------------------------------------- */

static uint32_t
mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352dU;
    x = (x ^ x >> 15) * 0x846ca68bU;
    return x ^ x >> 16;
}

/* One of `experts`, the first ones of each layer's own order more often. */
static uint32_t
draw_expert(uint32_t layer, uint32_t draw)
{
    uint32_t experts = play.experts.experts;
    uint64_t u = mix(layer * 7919 + draw) % 65536;
    uint32_t rank = (uint32_t) (u * u * experts >> 32);

    return (rank * 37 + mix(layer) % experts) % experts; // 37: spread out
}

static uint8_t
tier_of(uint32_t cell)
{
    uint32_t share = mix(cell + 1) % 100;

    if (!play.tiers)
        return TIER_RAM;
    return share < 64 ? TIER_VRAM : share < 95 ? TIER_RAM : TIER_NVME;
}

/* Counts for the words since the last time. */
static void
tell_experts(size_t step)
{
    struct residency *event = &play.experts;
    size_t words = play.thought + play.said;
    size_t count = (size_t) event->layers * event->experts;
    uint32_t *uses = calloc(count, sizeof *uses);
    uint8_t *tier = calloc(count, 1);
    double in[3] = {0, 0, 0};
    struct buffer frames = {0};
    struct error err;

    event->tokens = words - play.told;
    event->uses = uses;
    event->tier = tier;
    for (uint32_t i = 0; i < count; i++)
        tier[i] = tier_of(i);
    for (uint32_t l = 0; l < event->layers; l++)
        for (uint32_t draw = 0; draw < event->tokens * event->active; draw++) {
            uint32_t from = (uint32_t) play.told * event->active;
            size_t cell =
                (size_t) l * event->experts + draw_expert(l, from + draw);

            uses[cell]++;
            in[tier[cell]] +=
                1.0 / (double) (event->layers * event->active * event->tokens);
        }
    event->vram = in[TIER_VRAM] < 1 ? in[TIER_VRAM] : 1;
    event->ram = in[TIER_RAM] < 1 ? in[TIER_RAM] : 1;
    event->nvme = in[TIER_NVME] < 1 ? in[TIER_NVME] : 1;
    must(event_put_residency(&frames, play.number, event, &err), &err, step);
    flush(&frames);
    free(uses);
    free(tier);
    play.told = words;
    play.told_ns = clock_ns();
}

static void
maybe_tell_experts(size_t step)
{
    if (play.experts.layers > 0 && play.residency_ns > 0 &&
        play.thought + play.said > play.told &&
        (play.pace_ms == 0 || clock_ns() - play.told_ns >= play.residency_ns))
        tell_experts(step);
}

static void
step_experts(size_t step, char *rest)
{
    struct residency *event = &play.experts;

    event->first_layer = (uint32_t) atoi(word(&rest));
    event->layers = (uint32_t) atoi(word(&rest));
    event->experts = (uint32_t) atoi(word(&rest));
    event->active = (uint32_t) atoi(word(&rest));
    event->shared = 1;
    if (event->experts == 0 || event->active == 0 ||
        (size_t) event->layers * event->experts > PROTOCOL_EXPERTS)
        fail(FAIL_SCRIPT, step, "no model has such experts");
    play.tiers = strcmp(rest, "tiers") == 0;
    if (!play.tiers && strcmp(rest, "ram") != 0)
        fail(FAIL_SCRIPT, step, "experts are in ram or in tiers");
}

/* -- events ---------------------------------------------------------------- */

/* Resolves \n, \t, \\ and \xHH in place; returns the length. */
static size_t
unescape(char *text)
{
    char *out = text;

    for (const char *in = text; *in != '\0';) {
        unsigned byte;

        if (*in != '\\') {
            *out++ = *in++;
        } else if (in[1] == 'x' && sscanf(in + 2, "%2x", &byte) == 1) {
            *out++ = (char) byte;
            in += 4;
        } else {
            *out++ = in[1] == 'n' ? '\n' : in[1] == 't' ? '\t' : in[1];
            in += in[1] == '\0' ? 1 : 2;
        }
    }
    *out = '\0';
    return (size_t) (out - text);
}

static void
send_word(size_t step, enum channel channel, const char *text, size_t length)
{
    struct token_event event = {channel, {text, length}, 1, NULL, 0};
    struct buffer frames = {0};
    struct error err;

    must(event_put_token(&frames, play.number, &event, &err), &err, step);
    flush(&frames);
    *(channel == CHANNEL_THINK ? &play.thought : &play.said) += 1;
}

static bool
is_skipped(enum channel channel)
{
    return play.cancelled || (play.asked && channel == CHANNEL_THINK);
}

/* A TOKEN for each word with the blank before it. */
static void
step_words(size_t step, enum channel channel, char *text)
{
    size_t length = unescape(text);

    for (size_t start = 0, end; start < length; start = end) {
        end = start + 1;
        while (end < length && text[end] != ' ')
            end++;
        if (play.pace_ms > 0)
            pass_time(step, play.pace_ms);
        if (is_skipped(channel))
            return;
        send_word(step, channel, text + start, end - start);
        if (play.pace_ms > 0)
            maybe_tell_experts(step);
    }
    if (play.pace_ms == 0)
        maybe_tell_experts(step);
}

/* The frame's object with the fields of a script's JSON. */
static void
send_changed(size_t step, struct buffer *frames, const char *changes_text)
{
    json_t *object = json_loadb(frames->data + FRAME_HEADER_BYTES,
                                frames->length - FRAME_HEADER_BYTES, 0, NULL);

    if (*changes_text != '\0') {
        json_t *changes = parse(step, changes_text);

        json_object_update_recursive(object, changes);
        json_decref(changes);
    }
    send_json(step, MESSAGE_DONE, play.number, object);
    buffer_release(frames);
}

static void
step_opened(size_t step, const char *rest)
{
    struct buffer frames = {0};

    put_opened(step, &frames, play.number);
    send_changed(step, &frames, rest);
}

static void
step_done(size_t step, const char *rest)
{
    double pace = play.pace_ms > 0 ? play.pace_ms : 10;
    size_t words = play.thought + play.said;
    struct generate_done done = {
        .finish = play.cancelled ? FINISH_INTERRUPTED : FINISH_STOP,
        .usage = {12, 0, play.thought, play.said, 4096},
        .timing = {0, 0, 0, 0, 5, 6, 7, 20, 2400, 100},
        .sampling = {1.0, 0.0, 0, 1.0, 0.0, 1},
        .thinking = {play.thought > 0 || play.asked ? "on" : "off",
                     !play.cancelled || play.said > 0, play.asked, play.asked},
        .residency = {.ram = 1},
        .placement = {"cpu", "ref", 1, "f16", 16 << 20, 34000000000},
        .model = replayed,
    };
    struct buffer frames = {0};
    struct error err;

    if (play.pace_ms > 0) {
        done.timing.thinking_ms = pace * (double) play.thought;
        done.timing.total_ms = 5 + pace * (double) words;
        done.timing.decode_tps = 1000 / pace;
    }
    if (play.thought + play.said > play.told && play.residency_ns > 0 &&
        play.experts.layers > 0)
        tell_experts(step);
    must(event_put_generate_done(&frames, play.number, &done, &err), &err,
         step);
    send_changed(step, &frames, rest);
}

static void
step_error(size_t step, char *rest)
{
    char *status = word(&rest);
    int code = atoi(word(&rest));

    unescape(rest);
    send_json(step, MESSAGE_ERROR, play.number,
              json_pack("{s:s, s:s, s:i}", "status", status, "text", rest,
                        "exit", code));
}

static void
step_progress(size_t step, char *rest)
{
    char *phase = word(&rest);
    long long done = atoll(word(&rest)), of = atoll(word(&rest));

    send_json(step, MESSAGE_PROGRESS, play.number,
              json_pack("{s:s, s:I, s:I}", "phase", phase, "done",
                        (json_int_t) done, "of", (json_int_t) of));
}

static void
step_send(size_t step, char *rest)
{
    int type = type_find(step, word(&rest));

    send_json(step, type, play.number, parse(step, rest));
}

static void
step_loop(size_t step, char *rest)
{
    char *channel = word(&rest);
    long long period = atoll(word(&rest)), repeats = atoll(word(&rest));

    send_json(step, MESSAGE_LOOP, play.number,
              json_pack("{s:s, s:I, s:I}", "channel", channel, "period",
                        (json_int_t) period, "repeats", (json_int_t) repeats));
}

static void
step_sleep(size_t step, const char *rest)
{
    long ms = atol(rest);
    struct timespec span = {ms / 1000, ms % 1000 * 1000000};

    if (play.pace_ms > 0)
        pass_time(step, (int) ms);
    else
        nanosleep(&span, NULL);
}

static void
step_record(size_t step, const char *path)
{
    play.record = fopen(path, "a");
    if (play.record == NULL)
        fail(FAIL_SCRIPT, step, "cannot open %s", path);
}

static void
step_drain(size_t step)
{
    struct frame_header header;
    struct buffer payload = {0};

    for (;;) {
        read_frame(&header, &payload);
        if (header.type == MESSAGE_SNAPSHOT)
            refuse_snapshot(step, header.request);
    }
}

/* -- the script ------------------------------------------------------------ */

static size_t
find_end(size_t step)
{
    size_t depth = 1;

    for (size_t i = step + 1; i < play.step_count; i++) {
        if (strncmp(play.step[i], "repeat", 6) == 0)
            depth++;
        if (strcmp(play.step[i], "end") == 0 && --depth == 0)
            return i;
    }
    fail(FAIL_SCRIPT, step, "repeat has no end");
}

static void
run_step(size_t step)
{
    char *line = strdup(play.step[step]); // the words are cut out of it
    char *rest = line;
    const char *verb = word(&rest);

    if (strcmp(verb, "want") == 0)
        step_want(step, rest);
    else if (strcmp(verb, "think") == 0)
        step_words(step, CHANNEL_THINK, rest);
    else if (strcmp(verb, "say") == 0)
        step_words(step, CHANNEL_ANSWER, rest);
    else if (strcmp(verb, "progress") == 0)
        step_progress(step, rest);
    else if (strcmp(verb, "done") == 0)
        step_done(step, rest);
    else if (strcmp(verb, "error") == 0)
        step_error(step, rest);
    else if (strcmp(verb, "send") == 0)
        step_send(step, rest);
    else if (strcmp(verb, "raw") == 0)
        write_all(rest, unescape(rest));
    else if (strcmp(verb, "sleep") == 0)
        step_sleep(step, rest);
    else if (strcmp(verb, "pace") == 0)
        play.pace_ms = atoi(rest);
    else if (strcmp(verb, "experts") == 0)
        step_experts(step, rest);
    else if (strcmp(verb, "loop") == 0)
        step_loop(step, rest);
    else if (strcmp(verb, "opened") == 0)
        step_opened(step, rest);
    else if (strcmp(verb, "record") == 0)
        step_record(step, rest);
    else if (strcmp(verb, "die") == 0)
        raise(*rest != '\0' ? atoi(rest) : SIGKILL);
    else if (strcmp(verb, "exit") == 0)
        exit(atoi(rest));
    else if (strcmp(verb, "eof") == 0)
        close(STDOUT_FILENO);
    else if (strcmp(verb, "hang") == 0)
        for (;;)
            pause();
    else if (strcmp(verb, "drain") == 0)
        step_drain(step);
    else
        fail(FAIL_SCRIPT, step, "no step is called %s", verb);
    free(line);
}

static void
run(size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        if (strncmp(play.step[i], "repeat ", 7) != 0) {
            run_step(i);
            continue;
        }
        size_t end = find_end(i);

        for (long times = atol(play.step[i] + 7); times > 0; times--)
            run(i + 1, end);
        i = end;
    }
}

static void
load(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    play.script = path;
    if (file == NULL)
        fail(FAIL_SCRIPT, 0, "cannot open it: %s", strerror(errno));
    while ((length = getline(&line, &size, file)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        char *start = line + strspn(line, " \t");
        if (*start == '\0' || *start == '#')
            continue;
        if (play.step_count == MOST_STEPS)
            fail(FAIL_SCRIPT, play.step_count, "too many steps");
        play.step[play.step_count++] = strdup(start);
    }
    free(line);
    fclose(file);
}

#ifdef WITH_SANITIZERS
/* It ends wherever its script says so: what is held then is no leak. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

int
main(int argc, char **argv)
{
    const char *path = getenv("FATHOM_REPLAY");

    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--script") == 0)
            path = argv[i + 1];
    if (path == NULL) {
        fputs("replay_engine: neither --script nor FATHOM_REPLAY\n", stderr);
        return FAIL_SCRIPT;
    }
    setsid(); // fails where it leads a group already: then it is apart enough
    signal(SIGINT, SIG_IGN);
    signal(SIGTSTP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    protocol_start();
    load(path);
    run(0, play.step_count);
    return 0;
}
