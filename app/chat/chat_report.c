/* Commands that tell figures. */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/gauges/gauges.h"
#include "app/doctor/doctor.h"
#include "app/time_text.h"

#include <stdio.h>
#include <string.h>

static void
print_sampling(struct buffer *out, const struct sampling *s)
{
    struct error err;

    (void) !buffer_print(out, &err,
                         "sampling     temperature %g, top-p %g, top-k %lld, "
                         "min-p %g\n             repeat penalty %g, seed "
                         "%lld\n",
                         s->temperature, s->top_p, (long long) s->top_k,
                         s->min_p, s->repeat_penalty, (long long) s->seed);
}

static void
print_figures(struct buffer *out, const struct generate_done *done)
{
    char prompt[COUNT_TEXT], cached[COUNT_TEXT], thinking[COUNT_TEXT],
        answer[COUNT_TEXT], used[COUNT_TEXT], context[COUNT_TEXT];
    const struct generate_timing *t = &done->timing;
    struct error err;

    (void) !buffer_print(
        out, &err,
        "last answer  %s prompt tokens (%s kept from before), %s thinking, %s "
        "answer\n"
        "time         first token after %.2f s, all %.2f s\n"
        "speed        prompt %.0f tok/s, answer %.1f tok/s\n"
        "context      %s of %s tokens\n",
        text_count(prompt, done->usage.prompt),
        text_count(cached, done->usage.cached),
        text_count(thinking, done->usage.thinking),
        text_count(answer, done->usage.answer), t->ttft_ms / 1e3,
        t->total_ms / 1e3, t->prompt_tps, t->decode_tps,
        text_count(used, done->usage.prompt + done->usage.thinking +
                             done->usage.answer),
        text_count(context, done->usage.context));
    print_sampling(out, &done->sampling);
}

/* Why the last answer took its time, as on the screen. */
static void
print_why(struct buffer *out)
{
    const struct gauges *gauges = gauges_now();
    struct error err;

    if (gauges->why_text[0] != '\0')
        (void) !buffer_print(out, &err, "why slow     %s: %s\n",
                             bottleneck_name(gauges->why), gauges->why_text);
}

void
chat_run_stats(struct chat *chat, const char *arguments)
{
    struct buffer text = {0};
    struct error err;

    if (*arguments != '\0') {
        chat_say_usage(chat, "stats");
        return;
    }
    (void) !buffer_print(&text, &err, "model        %s%s\nturns        %zu\n",
                         chat->opened ? chat->model : "still loading",
                         chat->client && client_is_warm(chat->client)
                             ? ", in a warm engine"
                             : "",
                         conversation_depth(&chat->conversation));
    if (chat->last.known) {
        print_figures(&text, &chat->last.done);
        print_why(&text);
    }
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

void
chat_run_ctx(struct chat *chat, const char *arguments)
{
    uint64_t used = conversation_used(&chat->conversation);
    char taken[COUNT_TEXT], whole[COUNT_TEXT], left[COUNT_TEXT];

    if (*arguments != '\0') {
        chat_say_usage(chat, "ctx");
    } else if (!chat->opened) {
        chat_say(chat, "the model is still loading");
    } else if (used == 0) {
        chat_say(chat, "the context has room for %s tokens",
                 text_count(whole, chat->context));
    } else {
        chat_say(
            chat,
            "%s of %s tokens of the context are taken since the last "
            "answer, %s are left",
            text_count(taken, used), text_count(whole, chat->context),
            text_count(left, used < chat->context ? chat->context - used : 0));
    }
}

static void
list_queue(struct chat *chat)
{
    struct buffer text = {0};
    char shown[70];
    struct error err;

    // without memory the list is shorter
    for (size_t i = 0; i < chat->queued; i++)
        (void) !buffer_print(&text, &err, "%2zu  %s\n", i + 1,
                             text_quote(shown, sizeof shown,
                                        chat->queue[i].text.data,
                                        chat->queue[i].text.length));
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

void
chat_run_queue(struct chat *chat, const char *arguments)
{
    if (strcmp(arguments, "drop") == 0) {
        chat_drop_queue(chat);
        chat_say(chat, "nothing waits any more");
    } else if (*arguments != '\0') {
        chat_say_usage(chat, "queue");
    } else if (chat->queued == 0) {
        chat_say(chat, "no message waits; what you send while an answer comes "
                       "does");
    } else {
        list_queue(chat);
    }
}

/* -- tokens -----------------------------------------------------------------
 */

/* What comes of a request for ids. */
struct tokens {
    struct chat *chat;
    uint64_t number;
    struct buffer ids;
    uint64_t count;
    bool done;
};

static enum status
take_ids(void *context, const struct event *event, struct error *err)
{
    struct tokens *tokens = context;

    if (event->number != tokens->number)
        return chat_take_event(tokens->chat, event, err);
    if (event->type == MESSAGE_ERROR)
        return error_set(err, event->error.status, "%s", event->error.text);
    tokens->done = event->type == MESSAGE_DONE;
    if (tokens->done)
        tokens->count = event->tokens;
    for (size_t i = 0; event->type == MESSAGE_IDS && i < event->ids.count; i++)
        TRY(buffer_print(&tokens->ids, err, " %d", (int) event->ids.ids[i]));
    return STATUS_OK;
}

/* STATUS_IO: the engine is gone. */
static enum status
wait_for_ids(struct chat *chat, struct tokens *tokens, struct error *err)
{
    while (!tokens->done && !chat->quit && !chat->locking) {
        struct chat_wait wait = {.deadline_ns = UINT64_MAX};

        TRY(chat_wait_taking(chat, &wait, take_ids, tokens, err));
        if (wait.wake == CHAT_INTERRUPT)
            return error_set(err, STATUS_CANCELLED, "stopped");
    }
    return STATUS_OK;
}

void
chat_run_tokens(struct chat *chat, const char *arguments)
{
    struct text text = {arguments, strlen(arguments)};
    struct tokens tokens = {.chat = chat};
    struct error err;

    if (*arguments == '\0') {
        chat_say_usage(chat, "tokens");
        return;
    }
    if (chat->client == NULL) {
        chat_say(chat, "there is no engine now; the next message starts one");
        return;
    }
    tokens.number = client_number(chat->client);
    enum status status = request_put_tokenize(client_outgoing(chat->client),
                                              tokens.number, &text, 1, &err);

    if (status == STATUS_OK)
        status = wait_for_ids(chat, &tokens, &err);
    if (status == STATUS_IO)
        chat_lost_engine(chat, &err);
    else if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (tokens.done)
        chat_say(chat, "%llu token%s:%s", (unsigned long long) tokens.count,
                 tokens.count == 1 ? "" : "s",
                 tokens.ids.data ? tokens.ids.data : "");
    buffer_release(&tokens.ids);
}

/* -- this machine -----------------------------------------------------------
 */

void
chat_run_doctor(struct chat *chat, const char *arguments)
{
    struct findings findings = {0};
    struct buffer text = {0};
    struct error err;

    if (*arguments != '\0') {
        chat_say_usage(chat, "doctor");
        return;
    }
    enum status status = findings_init(&findings, &err);

    if (status == STATUS_OK) {
        doctor_look(&findings);
        status = findings_lines(&text, &findings, &err);
    }
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
    findings_release(&findings);
}

/* -- the log ----------------------------------------------------------------
 */

void
chat_run_log(struct chat *chat, const char *arguments)
{
    struct buffer text = {0};
    struct error err;

    if (*arguments != '\0') {
        chat_say_usage(chat, "log");
        return;
    }
    if (log_ring(&text, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (text.length == 0)
        chat_say(chat, "nothing is noted");
    else
        chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

/* -- what was recorded ------------------------------------------------------
 */

enum { AUDIT_SHOWN = 12 };

/* The last lines of a chain that is longer. */
struct audit_tail {
    char line[AUDIT_SHOWN][120];
    size_t count;
};

static bool
take_audit(void *context, uint64_t number, uint64_t time_ms, const char *event,
           const char *detail)
{
    struct audit_tail *tail = context;
    char when[TIME_TEXT];

    snprintf(tail->line[tail->count++ % AUDIT_SHOWN], sizeof tail->line[0],
             "%6llu  %s  %s%s%s\n", (unsigned long long) number,
             time_text_local(when, time_ms), event, *detail ? ": " : "",
             detail);
    return true;
}

void
chat_run_audit(struct chat *chat, const char *arguments)
{
    struct audit_tail tail = {.count = 0};
    struct buffer text = {0};
    struct error err;

    if (*arguments != '\0') {
        chat_say_usage(chat, "audit");
        return;
    }
    if (chat->keeping.kind != KEEPING_VAULT) {
        chat_say(chat, "the vault is not open here, so there is nothing to "
                       "show; fathom audit show opens it");
        return;
    }
    if (vault_each_audit(chat->keeping.vault, take_audit, &tail, &err) !=
        STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    size_t first = tail.count > AUDIT_SHOWN ? tail.count - AUDIT_SHOWN : 0;

    // without memory the list is shorter
    for (size_t i = first; i < tail.count; i++)
        (void) !buffer_print(&text, &err, "%s", tail.line[i % AUDIT_SHOWN]);
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    if (first > 0)
        chat_say(chat, "%zu before these; fathom audit show has all", first);
    buffer_release(&text);
}
