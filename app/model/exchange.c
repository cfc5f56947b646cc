/* Events of one request, until its DONE or ERROR. */
#include "config.h"

#include "app/model/exchange.h"

#include "app/exit_code.h"
#include "app/places.h"
#include "app/progress_text.h"
#include "ui/ui.h"

enum status
exchange_open(struct client **out, const char *model, int *code,
              struct error *err)
{
    char path[PLACE_BYTES];

    *out = NULL;
    *code = EXIT_NO_INPUT;
    TRY(places_model(path, model, err));
    enum status status = client_reach(out, path, err);

    *code = exit_code_of_start(status);
    TRY(status);
    progress_begin(clock_ns(), PROGRESS_LINE);
    return STATUS_OK;
}

static void
show_progress(const struct progress_event *progress, uint64_t begun_ns)
{
    char text[200];
    uint64_t now = clock_ns();

    progress_sentence(text, sizeof text, progress, now - begun_ns);
    progress_show(now, text);
}

enum status
exchange_wait(struct client *client, uint64_t number, exchange_fn *take,
              void *context, int *code, struct error *err)
{
    uint64_t begun_ns = clock_ns();
    enum status status = STATUS_OK;
    bool finished = false;

    while (status == STATUS_OK && !finished) {
        struct client_wait wait = {.input = -1, .deadline_ns = UINT64_MAX};

        *code = EXIT_INTERNAL;
        TRY(client_wait(client, &wait, err));
        if (wait.wake != CLIENT_EVENT)
            continue;
        if (wait.event.number == number)
            finished = wait.event.type == MESSAGE_DONE;
        if (wait.event.type == MESSAGE_PROGRESS) {
            show_progress(&wait.event.progress, begun_ns);
        } else if (wait.event.type == MESSAGE_ERROR) {
            *code = wait.event.error.exit;
            status = error_set(err, wait.event.error.status, "%s",
                               wait.event.error.text);
        } else {
            *code = EXIT_CANT_WRITE;
            status = take(context, &wait.event, err);
        }
        event_release(&wait.event);
    }
    progress_clear();
    if (status == STATUS_OK)
        *code = EXIT_SUCCESS;
    return status;
}
