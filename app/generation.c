/* Options to a request; absent ones stay absent. */
#include "config.h"

#include "app/generation.h"

#include "app/exit_code.h"
#include "app/settings.h"

#include <string.h>

struct text
text_of(const char *bytes, size_t length)
{
    return (struct text){bytes, length};
}

enum status
generation_check(const struct generation *g, int *code, struct error *err)
{
    *code = EXIT_USAGE;
    if (g->stops.count > PROTOCOL_STOPS)
        return error_set(err, STATUS_LIMIT, "--stop can be given %d times",
                         PROTOCOL_STOPS);
    for (size_t i = 0; i < g->stops.count; i++) {
        size_t length = strlen(g->stops.items[i]);

        if (length == 0 || length > PROTOCOL_STOP_BYTES)
            return error_set(err, STATUS_LIMIT,
                             "--stop takes a text of 1 to %d bytes",
                             PROTOCOL_STOP_BYTES);
    }
    *code = EXIT_BAD_DATA;
    for (size_t i = 0; i < g->stops.count; i++)
        if (!utf8_valid(g->stops.items[i], strlen(g->stops.items[i])))
            return error_set(err, STATUS_FORMAT, "--stop is not UTF-8");
    if (g->system && !utf8_valid(g->system, strlen(g->system)))
        return error_set(err, STATUS_FORMAT, "the system text is not UTF-8");
    *code = EXIT_SUCCESS;
    return STATUS_OK;
}

static int64_t
count_or_absent(struct option_count count)
{
    return count.given ? (int64_t) count.value : -1;
}

/* What was asked for, else what the settings say. */
static void
fill_thinking(struct generate_request *request, const struct generation *g)
{
    const struct settings *settings = settings_now();
    struct option_count effort = settings->thinking_effort;

    if (g->think)
        request->thinking =
            strcmp(g->think, "on") == 0 ? SWITCH_ON : SWITCH_OFF;
    else if (effort.given)
        request->thinking = effort.value == 1 ? SWITCH_ON : SWITCH_OFF;
    request->think_budget = count_or_absent(
        g->think_budget.given ? g->think_budget : settings->thinking_budget);
}

void
generation_fill(struct generation_request *out, const struct generation *g)
{
    struct generate_request *request = &out->request;

    *request = request_generate_default();
    fill_thinking(request, g);
    request->max_tokens = count_or_absent(g->max_tokens);
    request->sampling.top_k = count_or_absent(g->top_k);
    request->sampling.seed = count_or_absent(g->seed);
    if (g->temperature.given)
        request->sampling.temperature = g->temperature.value;
    if (g->top_p.given)
        request->sampling.top_p = g->top_p.value;
    if (g->min_p.given)
        request->sampling.min_p = g->min_p.value;
    if (g->repeat_penalty.given)
        request->sampling.repeat_penalty = g->repeat_penalty.value;
    for (size_t i = 0; i < g->stops.count; i++)
        out->stops[i] = text_of(g->stops.items[i], strlen(g->stops.items[i]));
    request->stops = out->stops;
    request->stop_count = g->stops.count;
}
