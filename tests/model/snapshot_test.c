/*
 * engine/snapshot.h: a conversation that was saved and restored goes on bit
 * for bit as one that never stopped; what is damaged or does not fit is
 * refused, and the session can go on from nothing.
 */
#include "config.h"

#include "engine/engine.h"
#include "engine/session_parts.h"
#include "tests/model/tap_report.h"
#include "tests/model/tiny_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef WITH_SANITIZERS
enum { BIT_STEP = 3 }; // of the bits of a byte, those that are flipped
#else
enum { BIT_STEP = 1 };
#endif

static struct error err;

static void
must(enum status status)
{
    if (status != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(99);
    }
}

// -- moving snapshots --------------------------------------------------------

static struct buffer
save(struct session *session)
{
    struct snapshot_state state = {0};
    struct buffer out = {0};

    do
        must(session_save(session, state.next, &out, &state, &err));
    while (state.next < state.bytes);
    return out;
}

static enum status
restore(struct session *session, const char *bytes, size_t length, size_t chunk,
        struct snapshot_state *state)
{
    enum status status = STATUS_OK;

    for (size_t at = 0; at < length && status == STATUS_OK; at += chunk)
        status = session_restore(session, at, bytes + at,
                                 length - at < chunk ? length - at : chunk,
                                 state, &err);
    return status;
}

static bool
is_same(const struct buffer *a, const struct buffer *b)
{
    return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

// -- rows of every architecture ----------------------------------------------

enum { FIRST = 5, MORE = 3 }; // tokens before, and after, as a prompt

static void
put_bytes(struct buffer *out, const void *bytes, size_t length)
{
    must(buffer_append(out, bytes, length, &err));
}

/* Two sampled tokens and a prompt; their logits. */
static void
go_on(struct forward *forward, size_t vocabulary, struct buffer *out)
{
    float *logits = malloc(vocabulary * sizeof *logits);

    if (logits == NULL)
        abort();
    for (size_t t = 0; t < 2; t++) {
        must(forward_token(forward, tiny_ids[FIRST + t], logits, &err));
        put_bytes(out, logits, vocabulary * sizeof *logits);
    }
    must(forward_prompt(forward, tiny_ids + FIRST + 2, MORE, logits, NULL, NULL,
                        NULL, &err));
    put_bytes(out, logits, vocabulary * sizeof *logits);
    free(logits);
}

static void
move_rows(struct forward *to, struct forward *from)
{
    size_t tokens = forward_length(from), piece = 7;
    uint64_t bytes = kv_cache_stored_bytes(forward_cache(from), tokens);
    char rows[7];

    for (uint64_t at = 0; at < bytes; at += piece) {
        piece = bytes - at < 7 ? (size_t) (bytes - at) : 7;
        must(forward_fetch(from, tokens, at, rows, piece, &err));
        must(forward_store(to, tokens, at, rows, piece, &err));
    }
    forward_extend(to, tokens);
}

static void
check_rows(size_t i, unsigned threads, enum cpu_level level,
           enum cache_type cache)
{
    struct device_cpu_options device_options = {
        .threads = threads, .level = level, .share_all = threads > 1};
    struct forward_options options = {.context_tokens = 16, .cache = cache};
    struct buffer whole = {0}, resumed = {0};
    struct forward *one, *two;
    struct device *device;

    must(device_cpu_open(&device, &device_options, &err));
    struct tiny_model *tiny = tiny_model_open(i, device);
    must(forward_open(&one, &tiny->model, &options, &err));
    options.context_tokens = 11; // less room, other places in memory
    must(forward_open(&two, &tiny->model, &options, &err));
    must(
        forward_prompt(one, tiny_ids, FIRST - 1, NULL, NULL, NULL, NULL, &err));
    size_t vocabulary = tiny->model.shape.vocabulary;
    float *logits = malloc(vocabulary * sizeof *logits);
    must(forward_token(one, tiny_ids[FIRST - 1], logits, &err));
    free(logits);
    move_rows(two, one);
    go_on(one, vocabulary, &whole);
    go_on(two, vocabulary, &resumed);
    report(is_same(&whole, &resumed),
           "model %c goes on the same, %u threads, %s, %s", tiny->name, threads,
           cpu_level_name(level), cache == CACHE_F16 ? "f16" : "f32");
    buffer_release(&whole);
    buffer_release(&resumed);
    forward_close(one);
    forward_close(two);
    tiny_model_close(tiny);
    device_close(device);
}

// -- what is damaged, on a tiny model ----------------------------------------

struct tiny_session {
    struct device *device;
    struct tiny_model *tiny;
    struct session_model model;
    struct session *session;
};

static struct session *
open_tiny(const struct session_model *model)
{
    struct session *session;

    must(session_open(&session, model, &err));
    return session;
}

/* A session with two tokens and two answers, as a generation leaves it. */
static void
tiny_open(struct tiny_session *out)
{
    struct device_cpu_options options = {.threads = 1, .level = CPU_REF};
    static const char *const texts[] = {"yes", "no"};

    *out = (struct tiny_session){0};
    must(device_cpu_open(&out->device, &options, &err));
    out->tiny = tiny_model_open(0, out->device);
    out->tiny->model.device = out->device;
    out->model.model = &out->tiny->model;
    out->model.forward.context_tokens = 4;
    out->session = open_tiny(&out->model);
    struct session *session = out->session;
    must(forward_prompt(session->forward, tiny_ids, 2, session->logits, NULL,
                        NULL, NULL, &err));
    must(tokens_append(&session->ids, tiny_ids, 2, &err));
    session->last_prompt = 2;
    session->last_cached = 1;
    for (size_t i = 0; i < 2; i++) {
        put_bytes(&session->answers[i].text, texts[i], strlen(texts[i]));
        must(tokens_append(&session->answers[i].ids, tiny_ids, i + 1, &err));
    }
    session->answer_count = 2;
}

static void
tiny_close(struct tiny_session *tiny)
{
    session_close(tiny->session);
    tiny_model_close(tiny->tiny);
    device_close(tiny->device);
}

static bool
holds_nothing(const struct session *session)
{
    return session->ids.count == 0 && session->answer_count == 0 &&
           session->last_prompt == 0 &&
           session->transfer.kind == TRANSFER_NONE &&
           forward_length(session->forward) == 0;
}

/* Refused, and nothing is left. */
static bool
is_refused(const struct session_model *model, const struct buffer *bytes)
{
    struct snapshot_state state = {0};
    struct session *session = open_tiny(model);
    enum status status =
        restore(session, bytes->data, bytes->length, SIZE_MAX / 2, &state);
    bool refused = (status == STATUS_FORMAT || status == STATUS_LIMIT) &&
                   holds_nothing(session);

    session_close(session);
    return refused;
}

static void
every_bit_that_is_flipped_is_found(const struct tiny_session *tiny,
                                   struct buffer *good)
{
    size_t missed = 0;

    for (size_t i = 0; i < good->length; i++)
        for (int bit = 0; bit < 8; bit += BIT_STEP) {
            good->data[i] ^= (char) (1 << bit);
            missed += !is_refused(&tiny->model, good);
            good->data[i] ^= (char) (1 << bit);
        }
    report(missed == 0,
           "every bit of %zu bytes that is flipped is found: %zu "
           "were not",
           good->length, missed);
}

static void
a_snapshot_that_ends_early_counts_for_nothing(const struct tiny_session *tiny,
                                              const struct buffer *good)
{
    bool ok = true;

    for (size_t length = 1; length < good->length; length++) {
        struct snapshot_state state = {0};
        struct session *session = open_tiny(&tiny->model);
        enum status status =
            restore(session, good->data, length, length, &state);

        // the rest may still come after a multiple of 64
        ok &= (status == STATUS_OK) == (length % 64 == 0);
        ok &= state.tokens == 0 && session->ids.count == 0 &&
              forward_length(session->forward) == 0;
        if (status == STATUS_OK)
            status = session_restore(session, length, good->data + length,
                                     good->length - length, &state, &err);
        else
            status = restore(session, good->data, good->length, 64, &state);
        ok &= status == STATUS_OK && state.tokens == 2;
        session_close(session);
    }
    report(ok, "a snapshot that ends early counts for nothing");
}

static void
one_that_goes_on_is_refused(const struct tiny_session *tiny,
                            const struct buffer *good)
{
    struct buffer longer = {0};

    put_bytes(&longer, good->data, good->length);
    put_bytes(&longer, "", 1);
    report(is_refused(&tiny->model, &longer),
           "a snapshot that goes on behind its end is refused");
    buffer_release(&longer);
}

/* The hash at the end is made to fit what is in front of it. */
static void
seal(struct buffer *bytes)
{
    struct blake2b hash;

    blake2b_init(&hash, SNAPSHOT_HASH_BYTES);
    blake2b_update(&hash, bytes->data, bytes->length - SNAPSHOT_HASH_BYTES);
    blake2b_final(&hash, (uint8_t *) bytes->data + bytes->length -
                             SNAPSHOT_HASH_BYTES);
}

/* With `value` at `at` and a hash that fits. */
static void
check_forged(const struct tiny_session *tiny, const struct buffer *good,
             size_t at, uint32_t value, const char *word)
{
    struct buffer forged = {0};

    put_bytes(&forged, good->data, good->length);
    memcpy(forged.data + at, &value, sizeof value);
    seal(&forged);
    err.text[0] = '\0';
    bool refused = is_refused(&tiny->model, &forged);
    report(refused && strstr(err.text, word) != NULL,
           "%#x at %zu with a hash that fits is refused: %s", value, at,
           err.text);
    buffer_release(&forged);
}

static void
forged_snapshots_are_refused(const struct tiny_session *tiny,
                             const struct buffer *good)
{
    size_t rows = (size_t) (uint8_t) good->data[12] +
                  ((size_t) (uint8_t) good->data[13] << 8);

    check_forged(tiny, good, 0, 0x41414141, "no snapshot");
    check_forged(tiny, good, 8, 2, "format 2");
    check_forged(tiny, good, 12, 64, "contradict");
    check_forged(tiny, good, 12, UINT32_MAX, "contradict");
    check_forged(tiny, good, 16, 0, "contradict");
    check_forged(tiny, good, 24, 0, "contradict");
    check_forged(tiny, good, 24, 1, "contradict");
    check_forged(tiny, good, 32, 3, "contradict");
    check_forged(tiny, good, 40, 2, "contradict");
    check_forged(tiny, good, 48, UINT32_MAX, "empty");
    check_forged(tiny, good, 48, 1, "more than it says");
    check_forged(tiny, good, 56, 4, "shape");
    check_forged(tiny, good, 60, 1 << 30, "shape");
    check_forged(tiny, good, 64, 0, "shape");
    check_forged(tiny, good, 72, 0x12345678, "another model");
    check_forged(tiny, good, 104, 0x12345678, "version or setting");
    check_forged(tiny, good, 120, UINT32_MAX, "token that the model has not");
    check_forged(tiny, good, 124, tiny->tiny->model.shape.vocabulary,
                 "token that the model has not");
    check_forged(tiny, good, 128, 0, "empty");
    check_forged(tiny, good, 128, UINT32_MAX, "ends inside an answer");
    check_forged(tiny, good, 132, UINT32_MAX, "ends inside an answer");
    check_forged(tiny, good, 136, 0x00FF00FF, "UTF-8");
    check_forged(tiny, good, rows - 4, 1, "more than it says");
    check_forged(tiny, good, rows, 0x7C007C00, "not finite");
    check_forged(tiny, good, good->length - SNAPSHOT_HASH_BYTES - 4, 0xFE00,
                 "not finite");
}

/* What fits another model, file, form or context does not fit this one. */
static void
only_what_it_was_made_with_takes_it(const struct tiny_session *tiny,
                                    const struct buffer *good)
{
    struct session_model other = tiny->model;
    struct snapshot_state state;

    other.fingerprint.content[31] ^= 1;
    report(is_refused(&other, good) && strstr(err.text, "another model"),
           "another model refuses it");
    other = tiny->model;
    other.fingerprint.files[0] ^= 1;
    report(is_refused(&other, good) && strstr(err.text, "written to since"),
           "a file that was written to refuses it");
    other = tiny->model;
    other.forward.cache = CACHE_F32;
    report(is_refused(&other, good), "a cache of f32 refuses one of f16");
    other = tiny->model;
    other.forward.context_tokens = 1;
    struct session *session = open_tiny(&other);
    report(restore(session, good->data, good->length, 64, &state) ==
                   STATUS_LIMIT &&
               holds_nothing(session),
           "a context that is too small refuses it: %s", err.text);
    session_close(session);
}

static void
a_transfer_is_in_order_or_refused(const struct tiny_session *tiny,
                                  const struct buffer *good)
{
    struct snapshot_state state;
    struct buffer chunk = {0};
    struct session *session = open_tiny(&tiny->model);

    report(session_save(session, 0, &chunk, &state, &err) == STATUS_OK &&
               state.bytes == 0 && chunk.length == 0,
           "a session that holds nothing has nothing to save");
    report(session_restore(session, 64, good->data, 64, &state, &err) ==
               STATUS_FORMAT,
           "a restore begins at the beginning: %s", err.text);
    must(session_restore(session, 0, good->data, 64, &state, &err));
    report(session_restore(session, 128, good->data + 128, 64, &state, &err) ==
               STATUS_FORMAT,
           "no chunk is left out: %s", err.text);
    must(restore(session, good->data, good->length, 64, &state));
    report(session_save(session, 512, &chunk, &state, &err) == STATUS_FORMAT,
           "a save begins at the beginning: %s", err.text);
    struct buffer again = save(session);
    report(is_same(good, &again),
           "what was restored in chunks of 64 bytes is saved the same");
    buffer_release(&again);
    // a head that does not fit leaves what was there
    struct buffer bad = {0};
    put_bytes(&bad, good->data, good->length);
    bad.data[72] ^= 1;
    (void) !restore(session, bad.data, bad.length, 64, &state);
    again = save(session);
    report(is_same(good, &again), "a head that is refused changes nothing");
    buffer_release(&again);
    buffer_release(&bad);
    buffer_release(&chunk);
    session_close(session);
}

static void
every_allocation_may_fail(const struct tiny_session *tiny,
                          const struct buffer *good)
{
    struct snapshot_state state;
    enum status status = STATUS_NOMEM;
    unsigned long n = 0;
    bool ok = true;

    for (n = 1; status == STATUS_NOMEM; n++) {
        struct session *session = open_tiny(&tiny->model);

        fault_arm(n);
        status = restore(session, good->data, good->length, 64, &state);
        fault_arm(0);
        ok &= status == STATUS_OK || holds_nothing(session);
        session_close(session);
    }
    report(ok && status == STATUS_OK && n > 5,
           "a restore that fails for want of memory leaves nothing, %lu times",
           n - 2);
}

static void
check_damage(void)
{
    struct tiny_session tiny;

    tiny_open(&tiny);
    struct buffer good = save(tiny.session);
    every_bit_that_is_flipped_is_found(&tiny, &good);
    a_snapshot_that_ends_early_counts_for_nothing(&tiny, &good);
    one_that_goes_on_is_refused(&tiny, &good);
    forged_snapshots_are_refused(&tiny, &good);
    only_what_it_was_made_with_takes_it(&tiny, &good);
    a_transfer_is_in_order_or_refused(&tiny, &good);
    every_allocation_may_fail(&tiny, &good);
    buffer_release(&good);
    tiny_close(&tiny);
}

// -- conversations with the bundled model ------------------------------------

struct bundled {
    struct device *device;
    struct model *model;
    struct tokenizer *tokenizer;
    struct session_model sessions;
};

static void
bundled_open(struct bundled *out, unsigned threads, enum cpu_level level,
             enum cache_type cache)
{
    struct device_cpu_options device_options = {
        .threads = threads, .level = level, .share_all = threads > 1};
    struct model_options options = {0};
    const char *top = getenv("top_srcdir");
    char path[4096], why[200];
    bool sure;

    snprintf(path, sizeof path, "%s/models/fathom-mini.gguf",
             top == NULL ? "." : top);
    must(device_cpu_open(&out->device, &device_options, &err));
    must(model_open(&out->model, path, &options, &err));
    must(model_load(out->model, out->device, 1, NULL, NULL, NULL, &err));
    must(tokenizer_open(&out->tokenizer, out->model->gguf, &err));
    out->sessions = (struct session_model){
        .model = out->model,
        .tokenizer = out->tokenizer,
        .family = prompt_family_of(out->model->gguf, out->tokenizer, &sure, why,
                                   sizeof why),
        .forward = {.context_tokens = 1024, .cache = cache},
    };
    must(fingerprint_take(&out->sessions.fingerprint, out->model->gguf, &err));
}

static void
bundled_close(struct bundled *bundled)
{
    tokenizer_close(bundled->tokenizer);
    model_close(bundled->model);
    device_close(bundled->device);
}

static enum status
on_part(void *context, const struct channels_part *part, struct error *error)
{
    if (part->channel == CHANNEL_THINK || part->length == 0)
        return STATUS_OK;
    return buffer_append(context, part->bytes, part->length, error);
}

static void
on_prefill(void *context, size_t done, size_t of)
{
    (void) context;
    (void) done;
    (void) of;
}

/* Asks with what was said so far; appends the answer to *answer. */
static struct session_result
ask(struct session *session, const struct chat_message *messages, size_t count,
    struct buffer *answer)
{
    struct generate_request request = request_generate_default();
    struct session_listener listener = {
        .context = answer, .prefill = on_prefill, .part = on_part};
    struct session_result result;

    request.messages = messages;
    request.message_count = count;
    request.max_tokens = 200;
    request.sampling.seed = (int64_t) count;
    request.sampling.temperature = 0.8;
    must(session_generate(session, &request, &listener, NULL, &result, &err));
    return result;
}

static struct text
literal(const char *text)
{
    return (struct text){text, strlen(text)};
}

/*
 * A question, then another one in the same session and in one that was
 * restored: same answer, same share of the cache, same cache afterwards.
 */
static void
check_resumed(unsigned threads, enum cpu_level level, enum cache_type cache)
{
    struct bundled bundled;
    struct buffer first = {0}, whole = {0}, resumed = {0};
    struct snapshot_state state;
    struct session *one, *two;

    bundled_open(&bundled, threads, level, cache);
    must(session_open(&one, &bundled.sessions, &err));
    must(session_open(&two, &bundled.sessions, &err));
    struct chat_message messages[3] = {
        {CHAT_USER, literal("What is 27 * 14?"), {NULL, 0}}};
    ask(one, messages, 1, &first);
    struct buffer snapshot = save(one);
    messages[1] = (struct chat_message){
        CHAT_ASSISTANT, {first.data, first.length}, {NULL, 0}};
    messages[2] =
        (struct chat_message){CHAT_USER, literal("What is 8 + 9?"), {NULL, 0}};
    struct session_result a = ask(one, messages, 3, &whole);
    must(restore(two, snapshot.data, snapshot.length, PROTOCOL_CHUNK_BYTES,
                 &state));
    struct session_result b = ask(two, messages, 3, &resumed);
    struct buffer after = save(one), after_resumed = save(two);

    report(first.length > 0 && whole.length > 0 && is_same(&whole, &resumed) &&
               a.cached_tokens == b.cached_tokens && a.cached_tokens > 8 &&
               a.prompt_tokens == b.prompt_tokens &&
               is_same(&after, &after_resumed),
           "a resumed chat is the uninterrupted one, %u threads, %s, %s: %zu "
           "of %zu tokens cached, %zu bytes",
           threads, cpu_level_name(level), cache == CACHE_F16 ? "f16" : "f32",
           b.cached_tokens, b.prompt_tokens, snapshot.length);

    // the first question again, as a repeated one, on both sides
    struct session *three;
    must(session_open(&three, &bundled.sessions, &err));
    must(restore(three, snapshot.data, snapshot.length, PROTOCOL_CHUNK_BYTES,
                 &state));
    buffer_clear(&whole);
    b = ask(three, messages, 1, &whole);
    report(is_same(&first, &whole) && b.cached_tokens == 0,
           "a question that is asked again after resuming gets its answer");
    session_close(three);
    session_close(one);
    session_close(two);
    buffer_release(&first);
    buffer_release(&whole);
    buffer_release(&resumed);
    buffer_release(&snapshot);
    buffer_release(&after);
    buffer_release(&after_resumed);
    bundled_close(&bundled);
}

int
main(void)
{
    for (size_t i = 0; i < TINY_MODELS; i++)
        for (int cache = CACHE_F16; cache <= (int) CACHE_F32; cache++) {
            check_rows(i, 1, CPU_REF, (enum cache_type) cache);
            check_rows(i, 3, cpu_level(), (enum cache_type) cache);
        }
    check_damage();
    check_resumed(1, CPU_REF, CACHE_F16);
    check_resumed(3, cpu_level(), CACHE_F16);
    check_resumed(1, cpu_level(), CACHE_F32);
    return report_end();
}
