/*
 * What a client may send to the server: any bytes, through a pipe, to frames,
 * slots and jobs. Answers are written to /dev/null.
 */
#include "config.h"

#include "engine/server_client.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { PIECE = 32 << 10 };

static void
no_stats(void *context, struct client *client, uint64_t number)
{
    (void) context;
    (void) client;
    (void) number;
}

/* Reads what is in the pipe and writes what is to be said. */
static bool
serve(struct client *client, const struct client_sink *sink)
{
    if (!client->closing && !client_read(client, sink))
        return false;
    while (client_wants_write(client))
        if (!client_write(client))
            abort();
    return !client->closing && !client->broken;
}

static void
feed(struct client *client, int pipe_in, const struct client_sink *sink,
     const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += PIECE) {
        size_t piece = length - i < PIECE ? length - i : PIECE;

        if (write(pipe_in, bytes + i, piece) != (ssize_t) piece)
            abort();
        if (!serve(client, sink))
            return;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    int ends[2], wake = eventfd(0, EFD_NONBLOCK);
    int nowhere = open("/dev/null", O_WRONLY);
    _Atomic bool busy = false;
    _Atomic size_t waiting = 0;
    struct client *client;
    struct client_sink sink = {
        .busy = &busy, .waiting = &waiting, .stats = no_stats};
    struct error err;

    if (pipe(ends) != 0 || wake < 0 || nowhere < 0 ||
        queue_open(&sink.jobs, SIZE_MAX, &err) != STATUS_OK ||
        client_open(&client, ends[0], nowhere, wake, &err) != STATUS_OK)
        abort();
    feed(client, ends[1], &sink, bytes, length);
    while (queue_pop(sink.jobs) != NULL)
        ; // the client's list frees them
    client_close(client);
    queue_close(sink.jobs);
    close(ends[0]);
    close(ends[1]);
    close(wake);
    close(nowhere);
    return 0;
}
