/* What the engine is asked for gauges, beside what it is asked anyway. */
#include "config.h"

#include "app/chat/chat.h"
#include "app/chat/gauges.h"

#include <time.h>

static struct gauge_time
time_now(void)
{
    struct timespec wall;

    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct gauge_time){clock_ns(),
                               (uint64_t) wall.tv_sec * 1000 +
                                   (uint64_t) wall.tv_nsec / 1000000};
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

void
chat_gauges_start(struct chat *chat)
{
    struct gauge_time time = time_now();

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

    if (gauges_take(event, &time) && chat->client != NULL)
        gauges_stats_asked(put_plain(chat, MESSAGE_STATS));
}

void
chat_gauges_look(struct chat *chat)
{
    // while an answer comes the figures after it are waited for
    if (chat->client != NULL && chat->answering == TURN_NONE)
        gauges_stats_asked(put_plain(chat, MESSAGE_STATS));
}
