/* Commands that tell figures. */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/progress_text.h"

#include <stdio.h>

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
