/* One poll loop over the engine's pipes, the signal pipe and an input. */
#include "config.h"

#include "app/client.h"

#include "app/launch.h"
#include "app/notice.h"
#include "app/signals.h"
#include "base/base.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    CONNECT_MS = 2000, // a warm engine may take to answer
    MEET_MS = 200,
    END_MS = 2000, // an engine may take to end after its pipe was closed
};

struct client {
    pid_t process; // 0: a warm engine's, not ours
    struct launched launched;
    int to, from; // -1: closed
    uint64_t last_number;
    struct buffer outgoing, incoming, payload;
    bool event_waits;
    struct event event; // taken from `incoming`, not yet handed out
};

static enum status
client_alloc(struct client **out, struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    **out = (struct client){.to = -1, .from = -1, .launched.said = -1};
    return STATUS_OK;
}

enum status
client_start(struct client **out, const char *path, struct error *err)
{
    *out = NULL;
    TRY(client_alloc(out, err));
    enum status status =
        launch_piped(&(*out)->process, &(*out)->to, &(*out)->from, path, err);

    signals_companion((*out)->process);

    if (status != STATUS_OK) {
        client_close(*out);
        *out = NULL;
    }
    return status;
}

static void
close_if_open(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static enum status
connect_warm(struct client **out, const char *directory, const char *name,
             unsigned wait_ms, struct error *err)
{
    int to, from;
    bool found = false;

    *out = NULL;
    TRY(rendezvous_connect(&to, &from, &found, directory, name, wait_ms, err));
    if (!found)
        return STATUS_OK;
    enum status status = client_alloc(out, err);

    if (status != STATUS_OK) {
        close(to);
        close(from);
        return status;
    }
    (*out)->to = to;
    (*out)->from = from;
    return STATUS_OK;
}

/* One that lives but is not heard of is told: another will take memory too. */
static enum status
note_silent(const char *directory, const char *name, struct error *err)
{
    struct rendezvous_engine engine;
    bool lives = false;

    TRY(rendezvous_find(&engine, &lives, directory, name, err));
    if (lives)
        notice_note("the warm engine of this model (process %ld) does not "
                    "answer",
                    (long) engine.pid);
    return STATUS_OK;
}

enum status
client_find_warm(struct client **out, const char *path, struct error *err)
{
    struct buffer directory = {0};
    char name[RENDEZVOUS_NAME];

    *out = NULL;
    enum status status = rendezvous_directory(&directory, err);

    if (status == STATUS_OK)
        status = rendezvous_name(name, path, err);
    if (status == STATUS_OK)
        status = connect_warm(out, directory.data, name, CONNECT_MS, err);
    if (status == STATUS_OK && *out == NULL)
        status = note_silent(directory.data, name, err);
    buffer_release(&directory);
    return status;
}

enum status
client_reach(struct client **out, const char *path, struct error *err)
{
    struct error why;

    if (client_find_warm(out, path, &why) != STATUS_OK)
        log_note("no warm engine: %s", why.text);
    return *out ? STATUS_OK : client_start(out, path, err);
}

/* Waits until the engine that was just started can be met. */
static enum status
meet(struct client **out, struct launched *launched, const char *directory,
     const char *name, unsigned wait_ms, struct error *err)
{
    uint64_t deadline_ns = clock_ns() + wait_ms * UINT64_C(1000000);
    int how;

    while (clock_ns() < deadline_ns) {
        TRY(connect_warm(out, directory, name, MEET_MS, err));
        if (*out != NULL)
            return STATUS_OK;
        if (waitpid(launched->process, &how, WNOHANG) == launched->process)
            return launch_failed(launched, how, err);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    kill(launched->process, SIGKILL);
    return launch_said(launched->said,
                       "the engine was started, but cannot be reached", err);
}

static enum status
meet_launched(struct client **out, struct launched *launched,
              const char *directory, const char *name, unsigned wait_ms,
              struct error *err)
{
    enum status status = meet(out, launched, directory, name, wait_ms, err);

    assert(status != STATUS_OK || *out != NULL);
    if (status == STATUS_OK)
        (*out)->launched = *launched;
    else
        close_if_open(&launched->said);
    return status;
}

enum status
client_start_warm(struct client **out, bool *was_there, const char *path,
                  uint64_t idle_s, unsigned wait_ms, int *code,
                  struct error *err)
{
    struct launched launched = {.said = -1, .code = code};
    struct buffer directory = {0};
    char name[RENDEZVOUS_NAME];

    *out = NULL;
    *was_there = false;
    enum status status = rendezvous_directory(&directory, err);

    if (status == STATUS_OK)
        status = rendezvous_name(name, path, err);
    if (status == STATUS_OK)
        status = connect_warm(out, directory.data, name, CONNECT_MS, err);
    *was_there = status == STATUS_OK && *out != NULL;
    if (status == STATUS_OK && *out == NULL) {
        status = launch_warm(&launched, directory.data, path, idle_s, err);
        if (status == STATUS_OK)
            status = meet_launched(out, &launched, directory.data, name,
                                   wait_ms, err);
    }
    buffer_release(&directory);
    return status;
}

/* How it ended, as waitpid tells it. */
static int
end_process(struct client *client)
{
    int how = 0;

    launch_end(client->process, &how);
    signals_companion(0);
    client->process = 0;
    return how;
}

void
client_close(struct client *client)
{
    if (client == NULL)
        return;
    close_if_open(&client->to);
    close_if_open(&client->from);
    close_if_open(&client->launched.said);
    if (client->process > 0)
        end_process(client);
    if (client->event_waits)
        event_release(&client->event);
    buffer_release(&client->outgoing);
    buffer_release(&client->incoming);
    buffer_release(&client->payload);
    free(client);
}

bool
client_at_rest(const struct client *client)
{
    return client->outgoing.length == 0 && client->incoming.length == 0 &&
           !client->event_waits;
}

struct client_pipes
client_hand_over(struct client *client)
{
    struct client_pipes pipes = {client->process, client->to, client->from,
                                 client->last_number};

    fcntl(client->to, F_SETFD, 0);
    fcntl(client->from, F_SETFD, 0);
    return pipes;
}

enum status
client_take_over(struct client **out, const struct client_pipes *pipes,
                 struct error *err)
{
    if (fcntl(pipes->to, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(pipes->from, F_SETFD, FD_CLOEXEC) < 0)
        return error_errno(err, "the pipes to the engine are gone");
    TRY(client_alloc(out, err));
    (*out)->process = pipes->process;
    (*out)->to = pipes->to;
    (*out)->from = pipes->from;
    (*out)->last_number = pipes->last_number;
    signals_companion(pipes->process);
    return STATUS_OK;
}

void
client_abandon(struct client *client)
{
    if (client->process > 0)
        kill(client->process, SIGKILL);
}

bool
client_is_warm(const struct client *client)
{
    return client->process == 0;
}

struct buffer *
client_outgoing(struct client *client)
{
    return &client->outgoing;
}

uint64_t
client_number(struct client *client)
{
    return ++client->last_number;
}

/* The engine has closed its end, or is to be given up. */
static enum status
engine_ended(struct client *client, struct error *err)
{
    int how = 0;

    close_if_open(&client->to);
    close_if_open(&client->from);
    if (client->launched.process > 0 &&
        launch_reap(client->launched.process, &how))
        return launch_failed(&client->launched, how, err);
    if (client->process == 0)
        return error_set(err, STATUS_IO, "the warm engine ended");
    how = end_process(client);
    if (WIFSIGNALED(how))
        return error_set(err, STATUS_IO, "the engine ended (signal %d, %s)",
                         WTERMSIG(how), strsignal(WTERMSIG(how)));
    return error_set(err, STATUS_IO, "the engine ended (exit status %d)",
                     WEXITSTATUS(how));
}

/* write without SIGPIPE, whose default is kept for standard output. */
static ssize_t
write_quietly(int descriptor, const char *bytes, size_t length)
{
    static const struct timespec now = {0};
    sigset_t pipe_signal, before;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t n = write(descriptor, bytes, length);
    int failed = errno;

    if (n < 0 && failed == EPIPE && !sigismember(&before, SIGPIPE))
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
            continue;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return n;
}

/* False when the engine does not take it any more: reading will say why. */
static void
send_some(struct client *client)
{
    while (client->outgoing.length > 0 && client->to >= 0) {
        ssize_t n = write_quietly(client->to, client->outgoing.data,
                                  client->outgoing.length);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            close_if_open(&client->to);
            return;
        }
        buffer_drop(&client->outgoing, (size_t) n);
    }
}

static enum status
receive_some(struct client *client, struct error *err)
{
    struct buffer *in = &client->incoming;

    TRY(buffer_reserve(in, READ_BYTES, err));
    ssize_t n = read(client->from, in->data + in->length, READ_BYTES);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return STATUS_OK;
    if (n <= 0)
        return engine_ended(client, err);
    in->length += (size_t) n;
    in->data[in->length] = '\0';
    return STATUS_OK;
}

/* Takes an event out of what has arrived; unknown kinds are skipped. */
static enum status
next_event(struct client *client, struct event *event, bool *found,
           struct error *err)
{
    for (;;) {
        struct frame_header header;
        struct error inner;
        enum status status = frame_take(&client->incoming, &header,
                                        &client->payload, found, &inner);

        if (status == STATUS_OK && !*found)
            return STATUS_OK;
        if (status == STATUS_OK)
            status = event_take(event, &header, &client->payload, &inner);
        if (status == STATUS_OK)
            return STATUS_OK;
        if (status == STATUS_UNSUPPORTED)
            continue;
        if (status == STATUS_NOMEM)
            return error_set(err, status, "%s", inner.text);
        if (client->process > 0)
            kill(client->process, SIGKILL);
        (void) engine_ended(client, err);
        return error_set(err, status,
                         "the engine does not speak our protocol: "
                         "%.700s",
                         inner.text);
    }
}

static int
time_left_ms(uint64_t deadline_ns)
{
    uint64_t now = clock_ns();

    if (deadline_ns == UINT64_MAX)
        return -1;
    if (deadline_ns <= now)
        return 0;
    uint64_t ms = (deadline_ns - now + 999999) / 1000000;

    return ms > 3600000 ? 3600000 : (int) ms;
}

enum { WATCH_SIGNAL, WATCH_INPUT, WATCH_FROM, WATCH_TO, WATCH_COUNT };

/* One poll; true when `wait->wake` was decided without the engine. */
static enum status
watch(struct pollfd fds[WATCH_COUNT], struct client_wait *wait, int timeout_ms,
      bool *decided, struct error *err)
{
    int ready = poll(fds, WATCH_COUNT, timeout_ms);

    *decided = true;
    if (ready < 0 && errno != EINTR)
        return error_errno(err, "cannot wait for the engine");
    if (ready > 0 && fds[WATCH_SIGNAL].revents) {
        wait->wake = CLIENT_SIGNAL;
        return STATUS_OK;
    }
    if (clock_ns() >= wait->deadline_ns) {
        wait->wake = CLIENT_TIME;
        return STATUS_OK;
    }
    if (ready > 0 && fds[WATCH_INPUT].revents) {
        wait->wake = CLIENT_INPUT;
        return STATUS_OK;
    }
    *decided = false;
    if (ready <= 0)
        for (size_t i = 0; i < WATCH_COUNT; i++)
            fds[i].revents = 0;
    return STATUS_OK;
}

enum status
client_wait(struct client *client, struct client_wait *wait, struct error *err)
{
    bool decided = false;

    while (!decided) {
        if (!client->event_waits && client->from >= 0)
            TRY(next_event(client, &client->event, &client->event_waits, err));
        if (!client->event_waits && client->from < 0)
            return error_set(err, STATUS_IO, "the engine has ended");
        struct pollfd fds[WATCH_COUNT] = {
            {.fd = signals_descriptor(), .events = POLLIN},
            {.fd = wait->input, .events = POLLIN},
            {.fd = client->event_waits ? -1 : client->from, .events = POLLIN},
            {.fd = client->outgoing.length > 0 ? client->to : -1,
             .events = POLLOUT},
        };

        // signals and the clock come before what the engine has to say
        TRY(watch(fds, wait,
                  client->event_waits ? 0 : time_left_ms(wait->deadline_ns),
                  &decided, err));
        if (fds[WATCH_TO].revents)
            send_some(client);
        if (!decided && client->event_waits) {
            wait->wake = CLIENT_EVENT;
            wait->event = client->event;
            client->event_waits = false;
            return STATUS_OK;
        }
        if (!decided && fds[WATCH_FROM].revents)
            TRY(receive_some(client, err));
    }
    return STATUS_OK;
}

enum status
client_wait_without(struct client_wait *wait, struct error *err)
{
    bool decided = false;

    while (!decided) {
        struct pollfd fds[WATCH_COUNT] = {
            {.fd = signals_descriptor(), .events = POLLIN},
            {.fd = wait->input, .events = POLLIN},
            {.fd = -1},
            {.fd = -1},
        };

        TRY(watch(fds, wait, time_left_ms(wait->deadline_ns), &decided, err));
    }
    return STATUS_OK;
}
