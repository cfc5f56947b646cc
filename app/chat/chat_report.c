/* Commands that tell figures. */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/progress_text.h"

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
        progress_count(prompt, done->usage.prompt),
        progress_count(cached, done->usage.cached),
        progress_count(thinking, done->usage.thinking),
        progress_count(answer, done->usage.answer), t->ttft_ms / 1e3,
        t->total_ms / 1e3, t->prompt_tps, t->decode_tps,
        progress_count(used, done->usage.prompt + done->usage.thinking +
                                 done->usage.answer),
        progress_count(context, done->usage.context));
    print_sampling(out, &done->sampling);
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
    if (chat->last.known)
        print_figures(&text, &chat->last.done);
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

void
chat_run_ctx(struct chat *chat, const char *arguments)
{
    const struct generate_done *done = &chat->last.done;
    uint64_t used =
        done->usage.prompt + done->usage.thinking + done->usage.answer;
    char taken[COUNT_TEXT], whole[COUNT_TEXT], left[COUNT_TEXT];

    if (*arguments != '\0') {
        chat_say_usage(chat, "ctx");
    } else if (!chat->opened) {
        chat_say(chat, "the model is still loading");
    } else if (!chat->last.known) {
        chat_say(chat, "the context has room for %s tokens",
                 progress_count(whole, chat->context));
    } else {
        chat_say(chat,
                 "%s of %s tokens of the context are taken since the last "
                 "answer, %s are left",
                 progress_count(taken, used),
                 progress_count(whole, chat->context),
                 progress_count(left, chat->context - used));
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
