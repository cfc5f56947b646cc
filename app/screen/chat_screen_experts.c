/* The expert map shows what the gauges have counted. */
#include "config.h"

#include "app/screen/chat_screen.h"
#include "app/gauges/gauges.h"

#include <assert.h>

static_assert((int) TIER_VRAM == (int) EXPERT_VRAM &&
                  (int) TIER_RAM == (int) EXPERT_RAM &&
                  (int) TIER_NVME == (int) EXPERT_NVME,
              "tiers of the protocol are places of the map");

static struct {
    const struct chat *chat;
    struct view_experts view;
    struct expert_map map;
    size_t window; // which length
} screen_experts = {.window = 2};

/* Why there is no map. */
static const char *
sentence(void)
{
    const struct gauges *gauges = gauges_now();

    if (gauges->load.planned && gauges->load.plan.experts == 0)
        return "this model is dense: all of it is used for every token, it has "
               "no experts";
    return "no token was computed yet; the map fills while an answer comes";
}

static const struct expert_map *
lend_map(void *context)
{
    const struct expert_window *window = &gauges_now()->experts;
    struct expert_map *map = &screen_experts.map;
    uint64_t length = expert_window_length(screen_experts.window);
    uint64_t tokens = 0;
    const uint32_t *uses = gauges_uses(length, &tokens);

    (void) context;
    *map = (struct expert_map){.model = screen_experts.chat->model,
                               .right = "net:off",
                               .sentence = uses ? NULL : sentence()};
    if (uses == NULL)
        return map;
    map->layers = window->layers;
    map->experts = window->experts;
    map->first_layer = window->first_layer;
    map->active = window->active;
    map->shared = window->shared;
    map->uses = uses;
    map->place = window->tier;
    map->tokens = tokens;
    map->window = length;
    return map;
}

static void
change_window(void *context, int change)
{
    size_t *window = &screen_experts.window;

    (void) context;
    if (change > 0 && *window + 1 < EXPERT_WINDOWS)
        ++*window;
    if (change < 0 && *window > 0)
        --*window;
}

enum status
chat_screen_experts_open(struct chat *chat, view_post_fn *post, void *context,
                         struct view *out, struct error *err)
{
    static const struct experts_source source = {NULL, lend_map, change_window};

    (void) err;
    screen_experts.chat = chat;
    view_experts_start(&screen_experts.view, &source, post, context, out);
    return STATUS_OK;
}

void
chat_screen_experts_close(struct view *view)
{
    // the counts are the gauges'; here is only where the cursor was
    screen_experts.map = (struct expert_map){0};
    *view = (struct view){0};
}
