/*
 * The map of experts in words: of each layer those that were used most among
 * the last tokens. Counts of what was computed; in memory only.
 */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/gauges/gauges.h"

#include <stdio.h>
#include <string.h>

enum { MOST_USED = 5, WINDOW_TOKENS = 512 };

/* The uses of a layer, and its experts by them. */
struct layer_uses {
    uint64_t sum;
    size_t hot, used;        // twice the average or more; at all
    size_t first[MOST_USED]; // the most used ones
    size_t count;
};

static void
insert(struct layer_uses *out, const uint32_t *uses, size_t expert)
{
    size_t at = out->count < MOST_USED ? out->count++ : MOST_USED;

    for (; at > 0 && uses[out->first[at - 1]] < uses[expert]; at--)
        if (at < MOST_USED)
            out->first[at] = out->first[at - 1];
    if (at < MOST_USED)
        out->first[at] = expert;
}

static struct layer_uses
look_at_layer(const uint32_t *uses, size_t experts)
{
    struct layer_uses out = {0};

    for (size_t e = 0; e < experts; e++) {
        out.sum += uses[e];
        out.used += uses[e] > 0;
    }
    for (size_t e = 0; e < experts; e++) {
        out.hot += uses[e] > 0 && uses[e] * experts >= 2 * out.sum;
        if (uses[e] > 0)
            insert(&out, uses, e);
    }
    return out;
}

/* "L12  17 4.1%, 3 3.9%; 12 hot of 60 used" */
static enum status
print_layer(struct buffer *out, size_t layer, const uint32_t *uses,
            size_t experts, struct error *err)
{
    struct layer_uses seen = look_at_layer(uses, experts);

    TRY(buffer_print(out, err, "L%02zu ", layer));
    for (size_t i = 0; i < seen.count; i++)
        TRY(buffer_print(out, err, "%s %zu %.1f%%", i > 0 ? "," : "",
                         seen.first[i],
                         100.0 * uses[seen.first[i]] / (double) seen.sum));
    return buffer_print(out, err, "; %zu hot of %zu used\n", seen.hot,
                        seen.used);
}

static enum status
print_layers(struct buffer *out, const struct expert_window *window,
             const uint32_t *uses, struct error *err)
{
    for (size_t l = 0; l < window->layers; l++)
        TRY(print_layer(out, window->first_layer + l,
                        uses + l * window->experts, window->experts, err));
    return STATUS_OK;
}

static void
print_experts(struct chat *chat, const struct expert_window *window,
              const uint32_t *uses, uint64_t tokens)
{
    const struct residency *r = &chat->last.done.residency;
    struct buffer text = {0};
    char count[COUNT_TEXT];
    struct error err;
    enum status status = buffer_print(
        &text, &err,
        "the last %s tokens: %zu layers of %zu experts, %u of them and %u "
        "shared for each token\n",
        text_count(count, tokens), window->layers, window->experts,
        window->active, window->shared);

    if (status == STATUS_OK)
        status = print_layers(&text, window, uses, &err);
    if (status == STATUS_OK && chat->last.known)
        status =
            buffer_print(&text, &err, "in the last answer: V%.0f R%.0f N%.0f\n",
                         100 * r->vram, 100 * r->ram, 100 * r->nvme);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
    chat_say(chat, "live only, never on disk: which experts were used reveals "
                   "the text");
}

void
chat_run_experts(struct chat *chat, const char *arguments)
{
    const struct gauges *gauges = gauges_now();
    uint64_t tokens = 0;
    const uint32_t *uses = gauges_uses(WINDOW_TOKENS, &tokens);

    if (*arguments != '\0')
        chat_say_usage(chat, "experts");
    else if (uses != NULL && tokens > 0 && gauges->experts.layers > 0)
        print_experts(chat, &gauges->experts, uses, tokens);
    else if (gauges->experts_asked && gauges->experts.layers == 0)
        chat_say(chat, "%s has no experts: all of it works for each token",
                 chat->model);
    else
        chat_say(chat, "no expert was used yet; the next answer uses some");
}
