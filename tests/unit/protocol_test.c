/* base/protocol.h, request.h, event.h, frame.h. */
#include "config.h"

#include "base/protocol.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct error err;

#define OK(call) assert_int_equal((call), STATUS_OK)
#define TEXT(literal)                                                          \
    (struct text)                                                              \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }

static void
assert_text(struct text text, const char *bytes, size_t length)
{
    assert_int_equal(text.length, length);
    assert_memory_equal(text.bytes, bytes, length);
}

/* Takes the only frame of `frames` as an event. */
static void
take_event(struct event *event, struct buffer *frames)
{
    struct frame_header header;
    struct buffer payload = {0};
    bool found;

    OK(frame_take(frames, &header, &payload, &found, &err));
    assert_true(found);
    assert_int_equal(frames->length, 0);
    OK(event_take(event, &header, &payload, &err));
    assert_int_equal(event->number, 7);
    buffer_release(&payload);
}

/* Reads frames as the engine does: TEXT into slots until a request comes. */
static enum status
take_request(struct request *request, struct request_slots *slots,
             struct buffer *frames)
{
    struct frame_header header;
    struct buffer payload = {0};
    enum status status = STATUS_OK;
    bool found = true;

    while (status == STATUS_OK) {
        status = frame_take(frames, &header, &payload, &found, &err);
        if (status == STATUS_OK) {
            assert_true(found);
            assert_true(header.length <= FRAME_MAX_BYTES);
            status = request_take(request, &header, &payload, slots, &err);
        }
        if (status != STATUS_OK || request->type != MESSAGE_TEXT)
            break;
        status = request_slots_add(slots, request->slot, request->text, &err);
        request_release(request);
    }
    buffer_release(&payload);
    return status;
}

/* Reads one request written as JSON. */
static enum status
take_json(struct request *request, enum message_type type, const char *json)
{
    struct frame_header header = {(uint32_t) strlen(json), PROTOCOL_VERSION,
                                  (uint16_t) type, 7};
    struct buffer payload = {0};

    OK(buffer_append(&payload, json, strlen(json), &err));
    enum status status = request_take(request, &header, &payload, NULL, &err);
    buffer_release(&payload);
    return status;
}

static void
a_header_is_16_bytes_little_endian(void **state)
{
    static const uint8_t expected[FRAME_HEADER_BYTES] = {
        0x04, 0x03, 0x02, 0x00, 1, 0, 0x81, 0, 8, 7, 6, 5, 4, 3, 2, 1};
    struct frame_header header = {0x020304, 1, 0x81, 0x0102030405060708};
    struct frame_header back;
    uint8_t bytes[FRAME_HEADER_BYTES];

    (void) state;
    frame_header_encode(bytes, &header);
    assert_memory_equal(bytes, expected, sizeof expected);
    header.length = 99;
    frame_header_encode(bytes, &header);
    OK(frame_header_decode(&back, bytes, &err));
    assert_int_equal(back.length, 99);
    assert_int_equal(back.type, 0x81);
    assert_int_equal(back.request, 0x0102030405060708);
}

static void
a_frame_arrives_whole_however_it_is_cut(void **state)
{
    struct buffer bytes = {0}, input = {0}, payload = {0};
    struct frame_header header;
    bool found;

    (void) state;
    OK(frame_append(&bytes, MESSAGE_STATS, 5, "{\"a\":1}", 7, &err));
    for (size_t i = 0; i < bytes.length; i++) {
        OK(buffer_append(&input, bytes.data + i, 1, &err));
        OK(frame_take(&input, &header, &payload, &found, &err));
        assert_int_equal(found, i + 1 == bytes.length);
    }
    assert_string_equal(payload.data, "{\"a\":1}");
    assert_int_equal(header.request, 5);
    assert_int_equal(input.length, 0);
    buffer_release(&bytes);
    buffer_release(&input);
    buffer_release(&payload);
}

static void
a_frame_of_another_version_or_too_long_is_refused(void **state)
{
    struct frame_header header = {FRAME_MAX_BYTES + 1, PROTOCOL_VERSION, 1, 1};
    uint8_t bytes[FRAME_HEADER_BYTES];

    (void) state;
    frame_header_encode(bytes, &header);
    assert_int_equal(frame_header_decode(&header, bytes, &err), STATUS_LIMIT);
    header = (struct frame_header){0, PROTOCOL_VERSION + 1, 1, 1};
    frame_header_encode(bytes, &header);
    assert_int_equal(frame_header_decode(&header, bytes, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.text, "version 2"));
}

static const struct chat_message conversation[] = {
    {CHAT_SYSTEM, {"Be brief.", 9}, {NULL, 0}},
    {CHAT_USER, {"a\0b \xC3\xA9", 6}, {NULL, 0}},
    {CHAT_ASSISTANT, {"", 0}, {"Hm\n", 3}},
    {CHAT_USER, {"go on", 5}, {NULL, 0}},
};

static void
a_generate_request_comes_through_whole(void **state)
{
    const struct text stops[] = {TEXT("\n\n"), TEXT("User:")};
    struct generate_request sent = request_generate_default();
    struct request_slots slots = {0};
    struct request back;
    struct buffer frames = {0};

    (void) state;
    sent.messages = conversation;
    sent.message_count = 4;
    sent.prefill = TEXT("So");
    sent.thinking = SWITCH_OFF;
    sent.think_budget = 0;
    sent.max_tokens = 31;
    sent.sampling.temperature = 0.6;
    sent.sampling.top_k = 0;
    sent.sampling.seed = INT64_MAX;
    sent.stops = stops;
    sent.stop_count = 2;
    sent.logprobs = 3;
    sent.with_logprobs = true;
    sent.ignore_end = true;
    sent.prefill_reasoning = TEXT("Hm,\n");
    sent.residency_ms = 250;
    OK(request_put_generate(&frames, 7, &sent, &err));
    OK(take_request(&back, &slots, &frames));

    const struct generate_request *got = &back.generate;
    assert_int_equal(back.number, 7);
    assert_int_equal(got->message_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(got->messages[i].role, conversation[i].role);
        assert_text(got->messages[i].content, conversation[i].content.bytes,
                    conversation[i].content.length);
    }
    assert_text(got->messages[2].reasoning, "Hm\n", 3);
    assert_null(got->messages[1].reasoning.bytes);
    assert_text(got->prefill, "So", 2);
    assert_text(got->prefill_reasoning, "Hm,\n", 4);
    assert_int_equal(got->residency_ms, 250);
    assert_int_equal(got->thinking, SWITCH_OFF);
    assert_int_equal(got->think_budget, 0);
    assert_int_equal(got->max_tokens, 31);
    assert_true(got->sampling.temperature == 0.6);
    assert_int_equal(got->sampling.top_k, 0);
    assert_true(isnan(got->sampling.top_p));
    assert_int_equal(got->sampling.seed, INT64_MAX);
    assert_int_equal(got->stop_count, 2);
    assert_text(got->stops[1], "User:", 5);
    assert_int_equal(got->logprobs, 3);
    assert_true(got->with_logprobs && got->ignore_end);
    request_release(&back);
    request_slots_release(&slots);
    buffer_release(&frames);
}

static void
absent_fields_take_their_defaults(void **state)
{
    struct request request;

    (void) state;
    OK(take_json(&request, MESSAGE_GENERATE, "{\"later\":[{}],\"seed\":null}"));
    assert_int_equal(request.generate.message_count, 0);
    assert_int_equal(request.generate.thinking, SWITCH_DEFAULT);
    assert_int_equal(request.generate.think_budget, -1);
    assert_int_equal(request.generate.max_tokens, -1);
    assert_int_equal(request.generate.sampling.seed, -1);
    assert_false(request.generate.with_logprobs);
    assert_int_equal(request.generate.residency_ms, 0);
    assert_null(request.generate.prefill_reasoning.bytes);
    request_release(&request);
    OK(take_json(&request, MESSAGE_OPEN, "{}"));
    assert_int_equal(request.depth, OPEN_WEIGHTS);
    request_release(&request);
    OK(take_json(&request, MESSAGE_CANCEL, "{\"reason\":\"timeout\"}"));
    assert_int_equal(request.reason, FINISH_TIMEOUT);
    request_release(&request);
    OK(take_json(&request, MESSAGE_ANSWER_NOW, "{}"));
    assert_int_equal(request.type, MESSAGE_ANSWER_NOW);
    request_release(&request);
}

/* 5 MB of quotes and controls, the worst case of escaping. */
static void
long_text_goes_in_pieces_and_comes_back(void **state)
{
    static const char *const patterns[] = {"\x01", "\"\\", "\xE4\xB8\xAD"};
    size_t length = 5u << 20;
    char *bytes = malloc(length);

    (void) state;
    for (int p = 0; p < 3; p++) {
        size_t step = strlen(patterns[p]), whole = length / step * step;

        for (size_t i = 0; i < whole; i++)
            bytes[i] = patterns[p][i % step];
        struct chat_message message = {CHAT_USER, {bytes, whole}, {NULL, 0}};
        struct generate_request sent = request_generate_default();
        struct request_slots slots = {0};
        struct buffer frames = {0};
        struct request back;

        sent.messages = &message;
        sent.message_count = 1;
        OK(request_put_generate(&frames, 7, &sent, &err));
        OK(take_request(&back, &slots, &frames));
        assert_int_equal(slots.bytes, whole);
        assert_text(back.generate.messages[0].content, bytes, whole);
        request_release(&back);
        request_slots_release(&slots);
        buffer_release(&frames);
    }
    free(bytes);
}

static void
ten_thousand_messages_fit_and_one_more_does_not(void **state)
{
    static struct chat_message messages[PROTOCOL_MESSAGES];
    struct generate_request sent = request_generate_default();
    struct request_slots slots = {0};
    struct buffer frames = {0};
    struct request back;

    (void) state;
    for (size_t i = 0; i < PROTOCOL_MESSAGES; i++)
        messages[i] = (struct chat_message){
            CHAT_ASSISTANT, TEXT("\x01\x02\x03"), TEXT("\x04\x05\x06")};
    sent.messages = messages;
    sent.message_count = PROTOCOL_MESSAGES;
    OK(request_put_generate(&frames, 7, &sent, &err));
    OK(take_request(&back, &slots, &frames));
    assert_text(back.generate.messages[9999].content, "\x01\x02\x03", 3);
    assert_text(back.generate.messages[9999].reasoning, "\x04\x05\x06", 3);
    request_release(&back);
    request_slots_release(&slots);
    sent.message_count++;
    assert_int_equal(request_put_generate(&frames, 7, &sent, &err),
                     STATUS_LIMIT);
    buffer_release(&frames);
}

static void
texts_to_tokenize_come_back_in_order(void **state)
{
    struct text texts[] = {TEXT("one"), TEXT(""), TEXT("\xF0\x9F\x90\x8B")};
    struct request_slots slots = {0};
    struct buffer frames = {0};
    struct request back;

    (void) state;
    OK(request_put_tokenize(&frames, 7, texts, 3, &err));
    OK(take_request(&back, &slots, &frames));
    assert_int_equal(back.type, MESSAGE_TOKENIZE);
    assert_int_equal(back.text_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_text(back.texts[i], texts[i].bytes, texts[i].length);
    request_release(&back);
    buffer_release(&frames);
}

static void
broken_requests_are_refused_by_name(void **state)
{
    static const struct {
        enum message_type type;
        enum status status;
        const char *json, *named;
    } cases[] = {
        {MESSAGE_STATS, STATUS_FORMAT, "", "not JSON"},
        {MESSAGE_STATS, STATUS_FORMAT, "[]", "object"},
        {MESSAGE_STATS, STATUS_FORMAT, "{\"a\":1,\"a\":2}", "duplicate"},
        {MESSAGE_STATS, STATUS_FORMAT, "{\"a\":\"\xFF\"}", "not JSON"},
        {MESSAGE_OPEN, STATUS_FORMAT, "{\"depth\":\"deep\"}", "depth"},
        {MESSAGE_TEXT, STATUS_FORMAT, "{\"slot\":1}", "TEXT"},
        {MESSAGE_TEXT, STATUS_LIMIT, "{\"slot\":20002,\"text\":\"\"}", "slot"},
        {MESSAGE_TEXT, STATUS_LIMIT, "{\"slot\":-1,\"text\":\"\"}", "slot"},
        {MESSAGE_TOKENIZE, STATUS_FORMAT, "{\"texts\":\"a\"}", "texts"},
        {MESSAGE_TOKENIZE, STATUS_FORMAT, "{\"texts\":[{\"slot\":0}]}", "slot"},
        {MESSAGE_GENERATE, STATUS_FORMAT, "{\"messages\":[1]}", "message"},
        {MESSAGE_GENERATE, STATUS_FORMAT, "{\"messages\":[{}]}", "role"},
        {MESSAGE_GENERATE, STATUS_FORMAT,
         "{\"messages\":[{\"role\":\"tool\"}]}", "role"},
        {MESSAGE_GENERATE, STATUS_FORMAT, "{\"thinking\":\"on\"}", "thinking"},
        {MESSAGE_GENERATE, STATUS_LIMIT, "{\"max_tokens\":-1}", "max_tokens"},
        {MESSAGE_GENERATE, STATUS_FORMAT, "{\"max_tokens\":1.5}", "max_tokens"},
        {MESSAGE_GENERATE, STATUS_LIMIT, "{\"logprobs\":21}", "logprobs"},
        {MESSAGE_GENERATE, STATUS_FORMAT, "{\"stop\":[\"\"]}", "stop"},
        {MESSAGE_GENERATE, STATUS_LIMIT, "{\"sampling\":{\"top_p\":1.1}}",
         "top_p"},
        {MESSAGE_GENERATE, STATUS_LIMIT, "{\"sampling\":{\"temperature\":-1}}",
         "temperature"},
        {MESSAGE_GENERATE, STATUS_FORMAT, "{\"sampling\":[]}", "sampling"},
        {MESSAGE_GENERATE, STATUS_LIMIT, "{\"residency_ms\":-1}",
         "residency_ms"},
        {MESSAGE_GENERATE, STATUS_FORMAT, "{\"prefill_reasoning\":7}",
         "prefill_reasoning"},
        {MESSAGE_CANCEL, STATUS_FORMAT, "{\"reason\":\"bored\"}", "reason"},
        {(enum message_type) 99, STATUS_UNSUPPORTED, "{}", "99"},
        {MESSAGE_DONE, STATUS_UNSUPPORTED, "{}", "133"},
    };
    struct request request;

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(take_json(&request, cases[i].type, cases[i].json),
                         cases[i].status);
        if (strstr(err.text, cases[i].named) == NULL)
            fail_msg("%s: %s", cases[i].json, err.text);
    }
}

static void
text_that_is_not_utf8_is_not_sent(void **state)
{
    struct text text = TEXT("caf\xE9");
    struct buffer frames = {0};

    (void) state;
    assert_int_equal(request_put_tokenize(&frames, 7, &text, 1, &err),
                     STATUS_FORMAT);
    assert_int_equal(frames.length, 0);
}

static void
tokens_come_through_with_half_characters(void **state)
{
    const struct logprob best[] = {{5, "a", 1, -0.25, NULL, 0},
                                   {6, "\xE4\xB8", 2, -HUGE_VAL, NULL, 0}};
    const struct logprob logprobs[] = {{6, "\xE4\xB8", 2, -3.5, best, 2},
                                       {5, "a", 1, -0.25, NULL, 0}};
    const struct token_event sent = {CHANNEL_THINK, TEXT("x\0\"\xC3\xA9"), 2,
                                     logprobs, 2};
    struct buffer frames = {0};
    struct event event;

    (void) state;
    OK(event_put_token(&frames, 7, &sent, &err));
    take_event(&event, &frames);
    assert_int_equal(event.type, MESSAGE_TOKEN);
    assert_int_equal(event.token.channel, CHANNEL_THINK);
    assert_text(event.token.text, "x\0\"\xC3\xA9", 5);
    assert_int_equal(event.token.tokens, 2);
    assert_int_equal(event.token.logprob_count, 2);
    const struct logprob *first = &event.token.logprobs[0];
    assert_int_equal(first->id, 6);
    assert_int_equal(first->length, 2);
    assert_memory_equal(first->bytes, "\xE4\xB8", 2);
    assert_true(first->logprob == -3.5);
    assert_int_equal(first->best_count, 2);
    assert_memory_equal(first->best[0].bytes, "a", 1);
    assert_true(isinf(first->best[1].logprob));
    assert_int_equal(first->best[1].length, 2);
    assert_int_equal(event.token.logprobs[1].id, 5);
    event_release(&event);
    buffer_release(&frames);
}

static void
ids_come_through_as_many_as_fit(void **state)
{
    static int32_t ids[PROTOCOL_IDS];
    struct buffer frames = {0};
    struct event event;

    (void) state;
    for (int i = 0; i < PROTOCOL_IDS; i++)
        ids[i] = INT32_MAX - i;
    struct ids_event sent = {3, ids, PROTOCOL_IDS, true};
    OK(event_put_ids(&frames, 7, &sent, &err));
    take_event(&event, &frames);
    assert_int_equal(event.ids.index, 3);
    assert_true(event.ids.more);
    assert_int_equal(event.ids.count, PROTOCOL_IDS);
    assert_memory_equal(event.ids.ids, ids, sizeof ids);
    event_release(&event);
    buffer_release(&frames);
}

static const struct model_summary summary = {
    .name = "Mini \xE2\x9C\x93",
    .file = "a/b\xFF.gguf",
    .fingerprint = "00ff",
    .architecture = "deepseek2",
    .family = "deepseek-r1",
    .thinks = true,
    .recommended = {1.0, 0.6, 0, 0.95, 0.0, -1},
};

static void
put_done(struct buffer *frames)
{
    static const char *const warnings[] = {"first", "second"};
    struct generate_done done = {
        .finish = FINISH_THINK_BUDGET,
        .usage = {10, 4, 3, 2, 1024},
        .timing = {1.5, 2.5, 3.5, 0, 4.5, 5.5, 6.5, 7.5, 80, 20.25},
        .sampling = {1.1, 0.7, 40, 0.9, 0.05, 12},
        .thinking = {"on", true, true, true},
        .residency = {.ram = 1, .nvme_bytes = 5},
        .placement = {"cpu", "avx2", 2, "f16", 3000000000, 34000000000},
        .model = summary,
        .warnings = warnings,
        .warning_count = 2,
    };

    OK(event_put_generate_done(frames, 7, &done, &err));
}

static void
the_end_of_an_answer_comes_through_whole(void **state)
{
    struct buffer frames = {0};
    struct event event;

    (void) state;
    put_done(&frames);
    take_event(&event, &frames);
    const struct generate_done *done = &event.generate;
    assert_int_equal(done->finish, FINISH_THINK_BUDGET);
    assert_int_equal(done->usage.prompt, 10);
    assert_int_equal(done->usage.cached, 4);
    assert_int_equal(done->usage.thinking, 3);
    assert_int_equal(done->usage.answer, 2);
    assert_int_equal(done->usage.context, 1024);
    assert_true(done->timing.load_first_token_ms == 3.5);
    assert_true(done->timing.total_ms == 7.5);
    assert_true(done->timing.decode_tps == 20.25);
    assert_true(done->sampling.min_p == 0.05);
    assert_int_equal(done->sampling.seed, 12);
    assert_string_equal(done->thinking.mode, "on");
    assert_true(done->thinking.closed && done->thinking.cut);
    assert_true(done->thinking.asked);
    assert_int_equal(done->placement.token_bytes, 3000000000);
    assert_int_equal(done->placement.bandwidth_bytes, 34000000000);
    assert_true(done->residency.ram == 1.0);
    assert_int_equal(done->placement.threads, 2);
    assert_string_equal(done->model.name, summary.name);
    assert_string_equal(done->model.file, "a/b\xEF\xBF\xBD.gguf");
    assert_null(done->model.family_why);
    assert_true(done->model.thinks);
    assert_true(done->model.recommended.top_p == 0.95);
    assert_int_equal(done->model.recommended.seed, -1);
    assert_int_equal(done->warning_count, 2);
    assert_string_equal(done->warnings[1], "second");
    event_release(&event);
    buffer_release(&frames);
}

/* The largest map there is room for, with the largest counts. */
static void
counts_of_experts_come_through_as_many_as_fit(void **state)
{
    static uint32_t uses[PROTOCOL_EXPERTS];
    static uint8_t tier[PROTOCOL_EXPERTS];
    struct residency sent = {
        .ram = 0.75,
        .nvme = 0.25,
        .nvme_bytes = 5,
        .tokens = 7000000000,
        .first_layer = 3,
        .layers = 512,
        .experts = PROTOCOL_EXPERTS / 512,
        .active = 8,
        .shared = 1,
        .uses = uses,
        .tier = tier,
    };
    struct buffer frames = {0};
    struct event event;

    (void) state;
    for (size_t i = 0; i < PROTOCOL_EXPERTS; i++) {
        uses[i] = UINT32_MAX - (uint32_t) i * 7919;
        tier[i] = (uint8_t) (i % 3);
    }
    OK(event_put_residency(&frames, 7, &sent, &err));
    assert_true(frames.length < FRAME_MAX_BYTES);
    take_event(&event, &frames);
    const struct residency *got = &event.residency;
    assert_int_equal(event.type, MESSAGE_RESIDENCY);
    assert_true(got->ram == 0.75 && got->nvme == 0.25 && got->vram == 0);
    assert_int_equal(got->tokens, 7000000000);
    assert_int_equal(got->first_layer, 3);
    assert_int_equal(got->layers, 512);
    assert_int_equal(got->experts, sent.experts);
    assert_int_equal(got->active, 8);
    assert_int_equal(got->shared, 1);
    assert_memory_equal(got->uses, uses, sizeof uses);
    assert_memory_equal(got->tier, tier, sizeof tier);
    event_release(&event);
    buffer_release(&frames);
}

/* The bytes are 01 02 00 80: little-endian, as the page says. */
static void
counts_are_written_as_the_page_says(void **state)
{
    const uint32_t uses = 0x80000201;
    const uint8_t tier = TIER_NVME;
    struct residency sent = {
        .layers = 1, .experts = 1, .uses = &uses, .tier = &tier};
    struct buffer frames = {0};

    (void) state;
    OK(event_put_residency(&frames, 7, &sent, &err));
    assert_non_null(strstr(frames.data + FRAME_HEADER_BYTES,
                           "\"uses\":\"AQIAgA==\",\"tier\":\"Ag==\""));
    buffer_release(&frames);
}

static void
a_model_without_experts_has_an_empty_map(void **state)
{
    struct residency sent = {.ram = 1, .tokens = 5};
    struct buffer frames = {0};
    struct event event;

    (void) state;
    OK(event_put_residency(&frames, 7, &sent, &err));
    take_event(&event, &frames);
    assert_int_equal(event.residency.layers, 0);
    assert_int_equal(event.residency.tokens, 5);
    assert_null(event.residency.uses);
    event_release(&event);
    buffer_release(&frames);
}

static void
broken_events_are_refused_by_name(void **state)
{
    static const struct {
        enum message_type type;
        enum status status;
        const char *json, *named;
    } cases[] = {
        {MESSAGE_RESIDENCY, STATUS_LIMIT, "{\"layers\":131073}", "layers"},
        {MESSAGE_RESIDENCY, STATUS_LIMIT,
         "{\"layers\":131072,\"experts\":131072}", "131072"},
        {MESSAGE_RESIDENCY, STATUS_LIMIT, "{\"layers\":362,\"experts\":363}",
         "363"},
        {MESSAGE_RESIDENCY, STATUS_FORMAT, "{\"layers\":1,\"experts\":1}",
         "uses"},
        {MESSAGE_RESIDENCY, STATUS_FORMAT,
         "{\"layers\":1,\"experts\":2,\"uses\":\"AAAAAA==\"}", "uses"},
        {MESSAGE_RESIDENCY, STATUS_LIMIT,
         "{\"layers\":1,\"experts\":1,\"uses\":\"AAAAAAAAAAAAAAAA\"}", "uses"},
        {MESSAGE_RESIDENCY, STATUS_FORMAT,
         "{\"layers\":1,\"experts\":1,\"uses\":\"AAAA*A==\"}", "base64"},
        {MESSAGE_RESIDENCY, STATUS_FORMAT,
         "{\"layers\":1,\"experts\":1,\"uses\":\"AAAAAA==\"}", "tier"},
        {MESSAGE_RESIDENCY, STATUS_FORMAT,
         "{\"layers\":1,\"experts\":1,\"uses\":\"AAAAAA==\","
         "\"tier\":\"Aw==\"}",
         "tier"},
        {MESSAGE_RESIDENCY, STATUS_FORMAT, "{\"uses\":1,\"ram\":\"\"}", "ram"},
        {MESSAGE_LOOP, STATUS_FORMAT, "{\"channel\":\"side\"}", "channel"},
        {MESSAGE_LOOP, STATUS_LIMIT, "{\"period\":-1}", "period"},
        {MESSAGE_DONE, STATUS_FORMAT, "{\"plan\":[]}", "plan"},
        {MESSAGE_DONE, STATUS_LIMIT, "{\"plan\":{\"layers\":4294967296}}",
         "layers"},
        {MESSAGE_DONE, STATUS_FORMAT,
         "{\"state\":\"idle\",\"process\":{\"faults\":\"few\"}}", "faults"},
    };
    struct frame_header header = {.version = PROTOCOL_VERSION, .request = 7};
    struct event event;

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer payload = {0};

        header.type = (uint16_t) cases[i].type;
        OK(buffer_append(&payload, cases[i].json, strlen(cases[i].json), &err));
        assert_int_equal(event_take(&event, &header, &payload, &err),
                         cases[i].status);
        if (strstr(err.text, cases[i].named) == NULL)
            fail_msg("%s: %s", cases[i].json, err.text);
        buffer_release(&payload);
    }
}

static void
loops_and_plans_come_through(void **state)
{
    const struct loop_event loop = {CHANNEL_THINK, 12, 10};
    const struct engine_plan plan = {
        .fits = true,
        .weights_bytes = 400000000000,
        .cache_bytes = 2,
        .scratch_bytes = 3,
        .available_bytes = 4,
        .token_bytes = 5,
        .context = 6,
        .context_most = 7,
        .layers = 61,
        .first_layer = 3,
        .experts = 256,
        .active = 8,
        .shared = 1,
        .threads = 16,
        .device = "cpu",
        .level = "avx2",
        .cache = "f16",
    };
    struct buffer frames = {0};
    struct event event;

    (void) state;
    OK(event_put_loop(&frames, 7, &loop, &err));
    take_event(&event, &frames);
    assert_int_equal(event.type, MESSAGE_LOOP);
    assert_int_equal(event.loop.channel, CHANNEL_THINK);
    assert_int_equal(event.loop.period, 12);
    assert_int_equal(event.loop.repeats, 10);
    event_release(&event);
    OK(event_put_plan_done(&frames, 7, &plan, &err));
    take_event(&event, &frames);
    assert_true(event.plan.fits && !event.plan.loaded);
    assert_int_equal(event.plan.weights_bytes, 400000000000);
    assert_int_equal(event.plan.cache_bytes, 2);
    assert_int_equal(event.plan.scratch_bytes, 3);
    assert_int_equal(event.plan.available_bytes, 4);
    assert_int_equal(event.plan.token_bytes, 5);
    assert_int_equal(event.plan.context, 6);
    assert_int_equal(event.plan.context_most, 7);
    assert_int_equal(event.plan.layers, 61);
    assert_int_equal(event.plan.first_layer, 3);
    assert_int_equal(event.plan.experts, 256);
    assert_int_equal(event.plan.active, 8);
    assert_int_equal(event.plan.shared, 1);
    assert_int_equal(event.plan.threads, 16);
    assert_string_equal(event.plan.level, "avx2");
    event_release(&event);
    buffer_release(&frames);
}

static void
the_other_ends_come_through(void **state)
{
    struct open_done open = {"fathom-engine 1",
                             summary,
                             512,
                             "0a0b",
                             3,
                             4,
                             {.loaded = true, .experts = 64}};
    struct stats_done stats = {"fathom-engine 1",
                               "m.gguf",
                               "busy",
                               2,
                               3,
                               4,
                               5,
                               6,
                               7,
                               8,
                               9,
                               10,
                               11,
                               12,
                               13};
    struct error_event error = {STATUS_LIMIT, "too long", EXIT_TOO_LONG};
    struct buffer frames = {0};
    struct event event;

    (void) state;
    OK(event_put_open_done(&frames, 7, &open, &err));
    take_event(&event, &frames);
    assert_string_equal(event.open.engine, "fathom-engine 1");
    assert_int_equal(event.open.context, 512);
    assert_string_equal(event.open.model.architecture, "deepseek2");
    assert_string_equal(event.open.model.fingerprint, "00ff");
    assert_string_equal(event.open.snapshots, "0a0b");
    assert_true(event.open.tokenizer_ms == 4);
    assert_true(event.open.plan.loaded && !event.open.plan.fits);
    assert_int_equal(event.open.plan.experts, 64);
    assert_null(event.open.plan.device);
    event_release(&event);
    OK(event_put_stats_done(&frames, 7, &stats, &err));
    take_event(&event, &frames);
    assert_string_equal(event.stats.state, "busy");
    assert_string_equal(event.stats.engine, "fathom-engine 1");
    assert_int_equal(event.stats.up_ms, 7);
    assert_int_equal(event.stats.memory_bytes, 8);
    assert_int_equal(event.stats.memory_most_bytes, 9);
    assert_int_equal(event.stats.cpu_ms, 10);
    assert_int_equal(event.stats.faults, 11);
    assert_int_equal(event.stats.displaced, 12);
    assert_int_equal(event.stats.threads, 13);
    event_release(&event);
    OK(event_put_error(&frames, 7, &error, &err));
    take_event(&event, &frames);
    assert_int_equal(event.error.status, STATUS_LIMIT);
    assert_string_equal(event.error.text, "too long");
    assert_int_equal(event.error.exit, 12);
    event_release(&event);
    OK(event_put_describe_done(&frames, 7, "{\"a\":{\"b\":2}}", 13, &err));
    take_event(&event, &frames);
    assert_int_equal(
        json_integer_value(json_object_get(
            json_object_get(json_object_get(event.json, "model"), "a"), "b")),
        2);
    event_release(&event);
    OK(event_put_tokenize_done(&frames, 7, 77, &err));
    take_event(&event, &frames);
    assert_int_equal(event.tokens, 77);
    event_release(&event);
    buffer_release(&frames);
}

static void
names_go_there_and_back(void **state)
{
    enum finish finish;
    enum status status;

    (void) state;
    for (int i = FINISH_STOP; i <= FINISH_CONTEXT_FULL; i++) {
        assert_true(protocol_finish_find(
            &finish, protocol_finish_name((enum finish) i)));
        assert_int_equal(finish, i);
    }
    assert_false(protocol_finish_find(&finish, "schema_failed"));
    for (int i = STATUS_OK; i <= STATUS_CANCELLED; i++) {
        assert_true(protocol_status_find(
            &status, protocol_status_name((enum status) i)));
        assert_int_equal(status, i);
    }
}

static void
assert_snapshot_goes_through(const char *bytes, size_t length)
{
    struct snapshot_request sent = {SNAPSHOT_RESTORE, 1536, {bytes, length}};
    struct snapshot_done done = {.next = 1536 + length,
                                 .bytes = 5000000000,
                                 .tokens = 77,
                                 .key = "00ff",
                                 .data = {bytes, length}};
    struct request_slots slots = {0};
    struct buffer frames = {0};
    struct request request;
    struct event event;

    OK(request_put_snapshot(&frames, 7, &sent, &err));
    OK(take_request(&request, &slots, &frames));
    assert_int_equal(request.snapshot.action, SNAPSHOT_RESTORE);
    assert_int_equal(request.snapshot.offset, 1536);
    assert_text(request.snapshot.data, bytes, length);
    request_release(&request);
    OK(event_put_snapshot_done(&frames, 7, &done, &err));
    take_event(&event, &frames);
    assert_int_equal(event.snapshot.next, 1536 + length);
    assert_int_equal(event.snapshot.bytes, 5000000000);
    assert_int_equal(event.snapshot.tokens, 77);
    assert_string_equal(event.snapshot.key, "00ff");
    assert_text(event.snapshot.data, bytes, length);
    event_release(&event);
    buffer_release(&frames);
    request_slots_release(&slots);
}

static void
chunks_of_a_snapshot_come_through(void **state)
{
    struct snapshot_request save = {.action = SNAPSHOT_SAVE, .offset = 64};
    struct request_slots slots = {0};
    struct buffer frames = {0}, large = {0};
    struct request request;

    (void) state;
    for (size_t i = 0; i < PROTOCOL_CHUNK_BYTES; i++)
        OK(buffer_append(&large, &(char){(char) (i * 31)}, 1, &err));
    assert_snapshot_goes_through("\0\xFF", 2);
    assert_snapshot_goes_through(large.data, large.length);
    struct snapshot_request longer = {
        SNAPSHOT_RESTORE, 0, {large.data, large.length + 1}};
    assert_int_equal(request_put_snapshot(&frames, 7, &longer, &err),
                     STATUS_LIMIT);
    OK(request_put_snapshot(&frames, 7, &save, &err));
    OK(take_request(&request, &slots, &frames));
    assert_int_equal(request.snapshot.action, SNAPSHOT_SAVE);
    assert_int_equal(request.snapshot.offset, 64);
    request_release(&request);
    buffer_release(&frames);
    buffer_release(&large);
}

/* Every message written and read, with the Nth allocation failing. */
static enum status
all_of_it(void)
{
    struct request_slots slots = {0};
    struct buffer frames = {0}, payload = {0};
    struct generate_request sent = request_generate_default();
    struct logprob logprob = {1, "\xFF", 1, -1, NULL, 0};
    struct token_event token = {CHANNEL_ANSWER, TEXT("x"), 1, &logprob, 1};
    const uint32_t uses[] = {1, 2};
    const uint8_t tier[] = {TIER_RAM, TIER_RAM};
    struct residency residency = {
        .layers = 1, .experts = 2, .uses = uses, .tier = tier};
    struct frame_header header;
    struct request request = {0};
    struct event event = {0};
    bool found;

    sent.messages = conversation;
    sent.message_count = 4;
    enum status status = request_put_generate(&frames, 7, &sent, &err);
    if (status == STATUS_OK)
        status = frame_take(&frames, &header, &payload, &found, &err);
    if (status == STATUS_OK)
        status = request_take(&request, &header, &payload, &slots, &err);
    if (status == STATUS_OK)
        status = request_slots_add(&slots, 3, TEXT("abc"), &err);
    if (status == STATUS_OK)
        status = event_put_token(&frames, 7, &token, &err);
    if (status == STATUS_OK)
        status = frame_take(&frames, &header, &payload, &found, &err);
    if (status == STATUS_OK)
        status = event_take(&event, &header, &payload, &err);
    request_release(&request);
    event_release(&event);
    if (status == STATUS_OK)
        status = event_put_residency(&frames, 7, &residency, &err);
    if (status == STATUS_OK)
        status = frame_take(&frames, &header, &payload, &found, &err);
    if (status == STATUS_OK)
        status = event_take(&event, &header, &payload, &err);
    event_release(&event);
    request_slots_release(&slots);
    buffer_release(&frames);
    buffer_release(&payload);
    return status;
}

static void
every_allocation_may_fail(void **state)
{
    unsigned long n = 0;
    enum status status;

    (void) state;
    do {
        fault_arm(++n);
        status = all_of_it();
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        assert_true(n < 10000);
    } while (status != STATUS_OK);
    fault_arm(0);
    assert_true(n > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_16_bytes_little_endian),
        cmocka_unit_test(a_frame_arrives_whole_however_it_is_cut),
        cmocka_unit_test(a_frame_of_another_version_or_too_long_is_refused),
        cmocka_unit_test(a_generate_request_comes_through_whole),
        cmocka_unit_test(absent_fields_take_their_defaults),
        cmocka_unit_test(long_text_goes_in_pieces_and_comes_back),
        cmocka_unit_test(ten_thousand_messages_fit_and_one_more_does_not),
        cmocka_unit_test(texts_to_tokenize_come_back_in_order),
        cmocka_unit_test(broken_requests_are_refused_by_name),
        cmocka_unit_test(text_that_is_not_utf8_is_not_sent),
        cmocka_unit_test(tokens_come_through_with_half_characters),
        cmocka_unit_test(ids_come_through_as_many_as_fit),
        cmocka_unit_test(counts_of_experts_come_through_as_many_as_fit),
        cmocka_unit_test(counts_are_written_as_the_page_says),
        cmocka_unit_test(a_model_without_experts_has_an_empty_map),
        cmocka_unit_test(loops_and_plans_come_through),
        cmocka_unit_test(broken_events_are_refused_by_name),
        cmocka_unit_test(the_end_of_an_answer_comes_through_whole),
        cmocka_unit_test(the_other_ends_come_through),
        cmocka_unit_test(chunks_of_a_snapshot_come_through),
        cmocka_unit_test(names_go_there_and_back),
        cmocka_unit_test(every_allocation_may_fail),
    };

    protocol_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
