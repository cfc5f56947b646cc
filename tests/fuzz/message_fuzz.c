/*
 * base/protocol.h on any payload: the first byte is the type of the message.
 * A slot with text is there to be named.
 */
#include "config.h"

#include "base/protocol.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Touches every text, so that a sanitizer sees where it lies. */
static size_t
touch(struct text text)
{
    size_t sum = 0;

    for (size_t i = 0; i < text.length; i++)
        sum += (unsigned char) text.bytes[i];
    return sum;
}

static size_t
touch_request(const struct request *request)
{
    const struct generate_request *generate = &request->generate;
    size_t sum = touch(request->text) + touch(generate->prefill) +
                 touch(generate->prefill_reasoning);

    for (size_t i = 0; i < request->text_count; i++)
        sum += touch(request->texts[i]);
    for (size_t i = 0; i < generate->message_count; i++)
        sum += touch(generate->messages[i].content) +
               touch(generate->messages[i].reasoning);
    for (size_t i = 0; i < generate->stop_count; i++)
        sum += touch(generate->stops[i]);
    return sum;
}

static size_t
touch_residency(const struct residency *residency)
{
    size_t count = (size_t) residency->layers * residency->experts, sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += residency->uses[i] + residency->tier[i];
    return sum;
}

static size_t
touch_event(const struct event *event)
{
    const struct token_event *token = &event->token;
    size_t sum = touch(token->text);

    for (size_t i = 0; i < token->logprob_count; i++) {
        const struct logprob *logprob = &token->logprobs[i];

        sum += touch((struct text){logprob->bytes, logprob->length});
        for (size_t j = 0; j < logprob->best_count; j++)
            sum += touch(
                (struct text){logprob->best[j].bytes, logprob->best[j].length});
    }
    for (size_t i = 0; i < event->ids.count; i++)
        sum += (size_t) event->ids.ids[i];
    return sum + touch_residency(&event->residency);
}

static volatile size_t sink;

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buffer payload = {0};
    struct request_slots slots = {0};
    struct request request;
    struct event event;
    struct error err;

    if (length == 0)
        return 0;
    struct frame_header header = {(uint32_t) (length - 1), PROTOCOL_VERSION,
                                  bytes[0], 1};
    if (buffer_append(&payload, bytes + 1, length - 1, &err) != STATUS_OK ||
        request_slots_add(&slots, 2, (struct text){"text", 4}, &err) !=
            STATUS_OK)
        abort();
    if (request_take(&request, &header, &payload, &slots, &err) == STATUS_OK) {
        sink = touch_request(&request);
        request_release(&request);
    }
    if (event_take(&event, &header, &payload, &err) == STATUS_OK) {
        sink = touch_event(&event);
        event_release(&event);
    }
    request_slots_release(&slots);
    buffer_release(&payload);
    return 0;
}
