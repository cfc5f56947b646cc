/* Names, and the memory of JSON. */
#include "config.h"

#include "base/protocol.h"

#include "base/field.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char *const finish_names[] = {
    [FINISH_STOP] = "stop",
    [FINISH_LENGTH] = "length",
    [FINISH_THINK_BUDGET] = "think_budget",
    [FINISH_ENDED_THINKING] = "ended_thinking",
    [FINISH_INTERRUPTED] = "interrupted",
    [FINISH_TIMEOUT] = "timeout",
    [FINISH_CONTEXT_FULL] = "context_full",
};

static const char *const status_names[] = {
    [STATUS_OK] = "ok",         [STATUS_NOMEM] = "nomem",
    [STATUS_IO] = "io",         [STATUS_FORMAT] = "format",
    [STATUS_LIMIT] = "limit",   [STATUS_UNSUPPORTED] = "unsupported",
    [STATUS_DEVICE] = "device", [STATUS_CANCELLED] = "cancelled",
    [STATUS_DENIED] = "denied", [STATUS_INTEGRITY] = "integrity",
    [STATUS_BUSY] = "busy",     [STATUS_SIGNATURE] = "signature",
};

enum {
    FINISHES = sizeof finish_names / sizeof *finish_names,
    STATUSES = sizeof status_names / sizeof *status_names,
};

static int
find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

const char *
protocol_finish_name(enum finish finish)
{
    return finish_names[finish];
}

bool
protocol_finish_find(enum finish *out, const char *name)
{
    int i = find_name(finish_names, FINISHES, name);

    if (i >= 0)
        *out = (enum finish) i;
    return i >= 0;
}

const char *
protocol_status_name(enum status status)
{
    return status_names[status];
}

bool
protocol_status_find(enum status *out, const char *name)
{
    int i = find_name(status_names, STATUSES, name);

    if (i >= 0)
        *out = (enum status) i;
    return i >= 0;
}

struct sampling
protocol_sampling_absent(void)
{
    return (struct sampling){
        .repeat_penalty = nan(""),
        .temperature = nan(""),
        .top_k = -1,
        .top_p = nan(""),
        .min_p = nan(""),
        .seed = -1,
    };
}

void
protocol_start(void)
{
    field_start();
    json_object_seed(0); // from the system, once, before there are threads
}
