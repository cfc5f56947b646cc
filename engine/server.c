/* One poll loop in the thread that called server_run. */
#include "config.h"

#include "engine/server.h"

#include "engine/server_client.h"
#include "engine/server_work.h"
#include "engine/warm.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { POLL_CLIENT = 2 }; // index of the first client's descriptors

struct server {
    struct server_options options;
    int wake; // eventfd: events to be written, or a reason to end
    _Atomic bool stopping;
    struct work work;
    struct warm *warm;
    struct client *clients;
    size_t client_count;
    bool client_failed; // one broke the protocol, or could not be answered
    uint64_t idle_since_ns;

    struct pollfd *polls; // wake, rendezvous, then two a client
    size_t poll_room;
};

/* -- opening --------------------------------------------------------------- */

static enum status
add_client(struct server *server, int in, int out, bool foreign,
           struct error *err)
{
    struct client *client;

    TRY(client_open(&client, in, out, server->wake, err));
    client->foreign = foreign;
    client->next = server->clients;
    server->clients = client;
    server->client_count++;
    return STATUS_OK;
}

static enum status
open_parts(struct server *server, struct error *err)
{
    const struct server_options *options = &server->options;
    struct work_options work = {
        .ready = options->ready,
        .sessions = options->sessions,
        .preload = options->warm_directory != NULL,
    };

    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake < 0)
        return error_errno(err, "cannot make an event descriptor");
    TRY(work_init(&server->work, &work, server->wake, err));
    if (options->in >= 0)
        TRY(add_client(server, options->in, options->out, true, err));
    if (options->warm_directory != NULL)
        TRY(warm_open(&server->warm, options->warm_directory,
                      options->ready.path, err));
    return STATUS_OK;
}

enum status
server_open(struct server **out, const struct server_options *options,
            struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct server *server = memory;
    server->options = *options;
    server->wake = -1;
    enum status status = open_parts(server, err);
    if (status != STATUS_OK) {
        server_close(server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

void
server_close(struct server *server)
{
    if (server == NULL)
        return;
    warm_close(server->warm);
    for (struct client *client = server->clients, *next; client != NULL;
         client = next) {
        next = client->next;
        client_close(client);
    }
    work_release(&server->work);
    if (server->wake >= 0)
        close(server->wake);
    free(server->polls);
    free(server);
}

void
server_stop(struct server *server)
{
    uint64_t one = 1;
    int kept = errno;

    atomic_store(&server->stopping, true);
    (void) !write(server->wake, &one, sizeof one);
    errno = kept;
}

/* -- clients --------------------------------------------------------------- */

static const char *
state_name(const struct work *work)
{
    if (atomic_load(&work->loading))
        return "loading";
    return atomic_load(&work->busy) ? "busy" : "idle";
}

static void
answer_stats(void *context, struct client *client, uint64_t number)
{
    struct server *server = context;
    struct work *work = &server->work;
    struct process_usage usage = process_usage();
    struct stats_done done = {
        .engine = work_engine_name(),
        .file = server->options.ready.path,
        .state = state_name(work),
        .clients = server->client_count,
        .waiting = atomic_load(&work->waiting),
        .requests = atomic_load(&work->requests),
        .prompt_tokens = atomic_load(&work->prompt_tokens),
        .generated_tokens = atomic_load(&work->generated_tokens),
        .up_ms = (clock_ns() - work->start_ns) / 1000000,
        .memory_bytes = usage.memory_bytes,
        .memory_most_bytes = usage.memory_most_bytes,
        .cpu_ms = usage.cpu_ms,
        .faults = usage.faults,
        .displaced = usage.displaced,
        .threads = atomic_load(&work->threads),
    };
    struct buffer frame = {0};
    struct error err;
    enum status status = event_put_stats_done(&frame, number, &done, &err);

    if (status == STATUS_OK)
        status = client_send(client, &frame, PUSH_ALWAYS, NULL, NULL, &err);
    buffer_release(&frame);
    if (status != STATUS_OK)
        client_break(client);
}

/* What of a client's two descriptors polled says that it goes on. */
static bool
serve_client(struct server *server, struct client *client, short in, short out)
{
    const struct client_sink sink = {
        .jobs = server->work.jobs,
        .busy = &server->work.busy,
        .waiting = &server->work.waiting,
        .stats = answer_stats,
        .context = server,
    };

    if (atomic_load(&client->broken))
        return false;
    if ((in & (POLLIN | POLLHUP | POLLERR)) != 0 && !client->closing &&
        !client_read(client, &sink))
        return false;
    if ((out & POLLOUT) != 0 && !client_write(client))
        return false;
    if ((out & (POLLERR | POLLNVAL)) != 0 || (in & POLLNVAL) != 0)
        return false; // nobody reads
    return !client->closing || client_wants_write(client);
}

static void
drop_client(struct server *server, struct client *client)
{
    struct client **link = &server->clients;

    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    server->client_count--;
    server->client_failed |= client->closing || atomic_load(&client->broken);
    server->idle_since_ns = clock_ns();
    client_leave(client, server->work.jobs);
}

/* -- the loop -------------------------------------------------------------- */

static enum status
make_room(struct server *server, struct error *err)
{
    size_t need = POLL_CLIENT + 2 * server->client_count;
    void *memory;

    if (need <= server->poll_room)
        return STATUS_OK;
    TRY(memory_alloc(&memory, 2 * need * sizeof *server->polls, err));
    free(server->polls);
    server->polls = memory;
    server->poll_room = 2 * need;
    return STATUS_OK;
}

/* A negative descriptor is skipped by poll. */
static size_t
fill_polls(struct server *server)
{
    struct pollfd *polls = server->polls;
    size_t count = POLL_CLIENT;

    polls[0] = (struct pollfd){.fd = server->wake, .events = POLLIN};
    polls[1] = (struct pollfd){
        .fd = server->warm != NULL ? warm_descriptor(server->warm) : -1,
        .events = POLLIN,
    };
    for (struct client *client = server->clients; client != NULL;
         client = client->next) {
        short wanted = client_wants_write(client) ? POLLOUT : 0;

        polls[count++] = (struct pollfd){
            .fd = client->closing ? -1 : client->in, .events = POLLIN};
        polls[count++] = (struct pollfd){.fd = client->out, .events = wanted};
    }
    return count;
}

/* Milliseconds until a warm engine has been idle for long enough. */
static int
idle_timeout(const struct server *server)
{
    uint64_t most_ms = (uint64_t) server->options.idle_seconds * 1000;

    if (server->warm == NULL || most_ms == 0 || server->clients != NULL)
        return -1;
    uint64_t idle_ms = (clock_ns() - server->idle_since_ns) / 1000000;
    if (idle_ms >= most_ms)
        return 0;
    uint64_t left = most_ms - idle_ms + 1;
    return left < 1000000 ? (int) left : 1000000;
}

static void
accept_clients(struct server *server)
{
    struct error err;
    int in, out;

    for (;;) {
        enum warm_event event = warm_next(server->warm, &in, &out);

        if (event == WARM_NOTHING)
            return;
        if (event == WARM_STOP) {
            log_note("stopped by request");
            atomic_store(&server->stopping, true);
            return;
        }
        if (add_client(server, in, out, false, &err) != STATUS_OK) {
            log_error("a client was turned away: %s", err.text);
            close(in);
            close(out);
        }
    }
}

static void
serve_clients(struct server *server, const struct pollfd *polls)
{
    for (struct client *client = server->clients, *next; client != NULL;
         client = next, polls += 2) {
        next = client->next;
        if (!serve_client(server, client, polls[0].revents, polls[1].revents))
            drop_client(server, client);
    }
}

static bool
is_over(struct server *server)
{
    if (atomic_load(&server->stopping) || atomic_load(&server->work.failed))
        return true;
    if (server->warm == NULL)
        return server->clients == NULL;
    return idle_timeout(server) == 0;
}

static enum status
serve_once(struct server *server, struct error *err)
{
    uint64_t count;

    TRY(make_room(server, err));
    size_t filled = fill_polls(server);
    int ready = poll(server->polls, filled, idle_timeout(server));
    if (ready < 0 && errno != EINTR)
        return error_errno(err, "cannot wait for clients");
    if (ready <= 0)
        return STATUS_OK;
    if (server->polls[0].revents != 0)
        (void) !read(server->wake, &count, sizeof count);
    // before new clients change the list
    serve_clients(server, server->polls + POLL_CLIENT);
    if (server->polls[1].revents != 0)
        accept_clients(server);
    return STATUS_OK;
}

/* Lets the worker finish: no client is left, then no job. */
static void
end_work(struct server *server, pthread_t worker)
{
    while (server->clients != NULL)
        drop_client(server, server->clients);
    atomic_store(&server->work.preload.cancel, true);
    queue_end(server->work.jobs);
    pthread_join(worker, NULL);
}

enum status
server_run(struct server *server, int *exit_code, struct error *err)
{
    enum status status = STATUS_OK;
    pthread_t worker;

    *exit_code = EXIT_INTERNAL;
    errno = pthread_create(&worker, NULL, work_run, &server->work);
    if (errno != 0)
        return error_errno(err, "cannot start a thread");
    server->idle_since_ns = clock_ns();
    while (status == STATUS_OK && !is_over(server))
        status = serve_once(server, err);
    // nobody new is to find it while it ends
    warm_close(server->warm);
    server->warm = NULL;
    end_work(server, worker);
    if (status != STATUS_OK)
        return status;
    if (atomic_load(&server->work.failed) && !atomic_load(&server->stopping)) {
        *err = server->work.failure;
        *exit_code = server->work.failure_exit;
        return err->status;
    }
    *exit_code = server->client_failed ? EXIT_INTERNAL : 0;
    return STATUS_OK;
}
