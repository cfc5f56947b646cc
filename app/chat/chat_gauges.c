/* What the engine is asked for gauges, beside what it is asked anyway. */
#include "config.h"

#include "app/chat/chat.h"
#include "app/gauges/gauges.h"
#include "app/model/model_speed.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Measured since speeds were kept last. */
static struct model_speed fresh;

/* What the engine tells of the file of its model. */
static struct {
    bool wanted;
    uint64_t number; // of the request; 0: not asked
    json_t *model;   // NULL: not told yet
} described;

static struct gauge_time
time_now(void)
{
    return (struct gauge_time){clock_ns(), clock_wall_ms()};
}

/* The number of a request without fields; 0: there is no memory for it. */
static uint64_t
put_plain(struct chat *chat, enum message_type type)
{
    uint64_t number = client_number(chat->client);
    struct error err;

    if (request_put_plain(client_outgoing(chat->client), type, number, &err) ==
        STATUS_OK)
        return number;
    log_warn("nothing is asked for gauges: status %d", (int) err.status);
    return 0;
}

static bool
name_fresh(const struct chat *chat)
{
    const char *slash = strrchr(chat->path, '/');
    const char *name = slash ? slash + 1 : chat->path;
    struct stat status;

    if (strlen(name) >= sizeof fresh.name || stat(chat->path, &status) != 0)
        return false;
    text_copy(fresh.name, sizeof fresh.name, name);
    fresh.bytes = (uint64_t) status.st_size;
    return true;
}

/* An answer more, in the mean of those that are not kept yet. */
static void
add_fresh(const struct chat *chat, const struct gauge_time *time)
{
    const struct gauges *gauges = gauges_now();
    const struct generate_timing *t = &gauges->last.timing;

    // of a chat that is not kept nothing is written
    if (chat->keeping.kind == KEEPING_NOTHING || !name_fresh(chat) ||
        t->decode_tps <= 0)
        return;
    double runs = (double) ++fresh.runs;

    fresh.decode_tps += (t->decode_tps - fresh.decode_tps) / runs;
    fresh.prompt_tps += (t->prompt_tps - fresh.prompt_tps) / runs;
    fresh.load_ms = gauges->load.read_ms;
    fresh.context = gauges->load.plan.context_most;
    fresh.used_s = time->wall_ms / 1000;
}

void
chat_gauges_keep(struct chat *chat)
{
    static struct model_speeds speeds;
    struct error err;

    // what is measured of a chat of which nothing is written is not, either
    if (fresh.runs == 0 || chat->keeping.kind == KEEPING_NOTHING)
        return;
    enum status status = model_speeds_read(&speeds, &err);

    if (status == STATUS_OK && model_speeds_add(&speeds, &fresh))
        status = model_speeds_write(&speeds, &err);
    if (status != STATUS_OK)
        log_note("speeds are not kept: %s", err.text);
    fresh = (struct model_speed){0};
}

void
chat_gauges_drop(void)
{
    fresh = (struct model_speed){0};
}

void
chat_gauges_describe(struct chat *chat)
{
    described.wanted = true;
    if (described.number == 0 && chat->client != NULL && chat->opened)
        described.number = put_plain(chat, MESSAGE_DESCRIBE);
}

const json_t *
chat_gauges_description(void)
{
    return described.model;
}

/* True: the event was the answer. Of the next model it is asked, too. */
static bool
take_description(struct chat *chat, const struct event *event)
{
    if (described.wanted && described.number == 0 &&
        event->type == MESSAGE_DONE && event->number == chat->open_number)
        described.number = put_plain(chat, MESSAGE_DESCRIBE);
    if (described.number == 0 || event->number != described.number)
        return false;
    if (event->type == MESSAGE_DONE && described.model == NULL)
        described.model = json_incref(json_object_get(event->json, "model"));
    return true;
}

void
chat_gauges_start(struct chat *chat)
{
    struct gauge_time time = time_now();

    chat_gauges_keep(chat);
    json_decref(described.model);
    described.model = NULL;
    described.number = 0;

    gauges_start(&time);
    put_plain(chat, MESSAGE_PLAN);
}

uint64_t
chat_gauges_ask(struct chat *chat)
{
    struct gauge_time time = time_now();
    uint64_t stats = put_plain(chat, MESSAGE_STATS);
    uint64_t number = client_number(chat->client);

    gauges_asked(number, stats, &time);
    return number;
}

void
chat_gauges_take(struct chat *chat, const struct event *event)
{
    struct gauge_time time = time_now();

    // requests of ours wait for the model, too
    if (event->type == MESSAGE_PROGRESS && event->number != chat->open_number)
        return;
    if (take_description(chat, event))
        return;
    if (!gauges_take(event, &time))
        return;
    add_fresh(chat, &time);
    if (chat->client != NULL)
        gauges_stats_asked(put_plain(chat, MESSAGE_STATS));
}

void
chat_gauges_look(struct chat *chat)
{
    // while an answer comes the figures after it are waited for
    if (chat->client != NULL && chat->answering == TURN_NONE)
        gauges_stats_asked(put_plain(chat, MESSAGE_STATS));
}
