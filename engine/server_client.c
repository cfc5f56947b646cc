/* Frames in, jobs out; events in, bytes out. */
#include "config.h"

#include "engine/server_client.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10 };

/* -- a client's life ------------------------------------------------------- */

enum status
client_open(struct client **out, int in, int out_fd, int wake,
            struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct client *client = memory;
    client->in = in;
    client->out = out_fd;
    client->wake = wake;
    enum status status = queue_open(&client->outbox, CLIENT_OUTBOX_BYTES, err);
    if (status != STATUS_OK) {
        free(client);
        return status;
    }
    *out = client;
    return STATUS_OK;
}

static void
job_free(struct job *job)
{
    request_release(&job->request);
    request_slots_release(&job->slots);
    free(job);
}

static void
outgoing_free(struct outgoing *outgoing)
{
    if (outgoing != NULL)
        buffer_release(&outgoing->frame);
    free(outgoing);
}

static void
pending_free(struct pending *pending)
{
    request_slots_release(&pending->slots);
    free(pending);
}

static struct outgoing *
outgoing_of(struct queue_item *item)
{
    return (struct outgoing *) (void *) item;
}

void
client_close(struct client *client)
{
    struct queue_item *item;

    if (client == NULL)
        return;
    session_close(client->session);
    while ((item = queue_pop(client->outbox)) != NULL)
        outgoing_free(outgoing_of(item));
    queue_close(client->outbox);
    outgoing_free(client->writing);
    for (struct job *job = client->jobs, *next; job != NULL; job = next) {
        next = job->next;
        job_free(job);
    }
    for (struct pending *p = client->pending, *next; p != NULL; p = next) {
        next = p->next;
        pending_free(p);
    }
    buffer_release(&client->input);
    buffer_release(&client->payload);
    free(client);
}

/* -- events ---------------------------------------------------------------- */

static void
wake_reader(const struct client *client)
{
    uint64_t one = 1;

    // full means that it is awake already
    (void) !write(client->wake, &one, sizeof one);
}

void
client_break(struct client *client)
{
    atomic_store(&client->broken, true);
    wake_reader(client);
}

bool
client_is_slow(const struct client *client)
{
    return queue_bytes(client->outbox) > CLIENT_DROP_BYTES;
}

static enum queue_answer
push(struct client *client, struct outgoing *outgoing, enum client_push how,
     const _Atomic bool *stop)
{
    if (how == PUSH_ALWAYS)
        return queue_push_over(client->outbox, &outgoing->link);
    if (how == PUSH_WAIT)
        return queue_push_wait(client->outbox, &outgoing->link, stop);
    if (client_is_slow(client))
        return QUEUE_FULL;
    return queue_push(client->outbox, &outgoing->link);
}

enum status
client_send(struct client *client, struct buffer *frame, enum client_push how,
            struct job *finished, const _Atomic bool *stop, struct error *err)
{
    void *memory;
    enum status status = memory_alloc(&memory, sizeof(struct outgoing), err);

    if (status != STATUS_OK) {
        buffer_release(frame);
        return status;
    }
    struct outgoing *outgoing = memory;
    outgoing->frame = *frame;
    outgoing->finished = finished;
    outgoing->link.bytes = frame->length;
    *frame = (struct buffer){0};
    switch (push(client, outgoing, how, stop)) {
    case QUEUE_TAKEN:
        wake_reader(client);
        return STATUS_OK;
    case QUEUE_FULL: // left out
        outgoing_free(outgoing);
        return STATUS_OK;
    case QUEUE_ENDED:
    case QUEUE_BROKEN:
        break;
    }
    outgoing_free(outgoing);
    return error_set(err, STATUS_CANCELLED, "the client does not listen");
}

void
client_send_error(struct client *client, uint64_t number, struct job *finished,
                  const struct error *error, int exit_code)
{
    struct error_event event = {error->status, error->text, exit_code};
    struct buffer frame = {0};
    struct error err;

    log_note("request %llu: %s", (unsigned long long) number,
             protocol_status_name(error->status));
    enum status status = event_put_error(&frame, number, &event, &err);
    if (status == STATUS_OK)
        status = client_send(client, &frame, PUSH_ALWAYS, finished, NULL, &err);
    else
        buffer_release(&frame);
    if (status != STATUS_OK)
        client_break(client);
}

/* -- jobs ------------------------------------------------------------------ */

static struct job *
job_find(const struct client *client, uint64_t number)
{
    struct job *job = client->jobs;

    while (job != NULL && job->number != number)
        job = job->next;
    return job;
}

static void
job_remove(struct client *client, struct job *job)
{
    struct job **link = &client->jobs;

    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    client->job_count--;
    job_free(job);
}

static void
job_cancel(struct client *client, struct job *job, enum finish reason)
{
    atomic_store(&job->reason, (int) reason);
    atomic_store(&job->cancel, true);
    queue_wake(client->outbox);
}

static struct pending **
pending_find(struct client *client, uint64_t number)
{
    struct pending **link = &client->pending;

    while (*link != NULL && (*link)->number != number)
        link = &(*link)->next;
    return link;
}

/* Takes the request's TEXT out of the list; NULL when there was none. */
static struct pending *
pending_take(struct client *client, uint64_t number)
{
    struct pending **link = pending_find(client, number);
    struct pending *pending = *link;

    if (pending == NULL)
        return NULL;
    *link = pending->next;
    client->pending_count--;
    return pending;
}

static size_t
held_bytes(const struct client *client)
{
    size_t bytes = 0;

    for (const struct job *job = client->jobs; job != NULL; job = job->next)
        bytes += job->slots.bytes;
    for (const struct pending *p = client->pending; p != NULL; p = p->next)
        bytes += p->slots.bytes;
    return bytes;
}

static size_t
held_json(const struct client *client)
{
    size_t bytes = 0;

    for (const struct job *job = client->jobs; job != NULL; job = job->next)
        bytes += job->link.bytes;
    return bytes;
}

static int
refusal_exit(enum status status)
{
    switch (status) {
    case STATUS_LIMIT:
        return EXIT_BAD_DATA;
    case STATUS_NOMEM:
        return EXIT_UNAVAILABLE;
    case STATUS_OK:
    case STATUS_IO:
    case STATUS_FORMAT:
    case STATUS_UNSUPPORTED:
    case STATUS_DEVICE:
    case STATUS_CANCELLED:
    case STATUS_DENIED:
    case STATUS_INTEGRITY:
    case STATUS_BUSY:
    case STATUS_SIGNATURE:
        break;
    }
    return EXIT_INTERNAL;
}

/* -- TEXT ------------------------------------------------------------------ */

static enum status
pending_add(struct client *client, uint64_t number, struct pending **out,
            struct error *err)
{
    void *memory;

    *out = *pending_find(client, number);
    if (*out != NULL)
        return STATUS_OK;
    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    (*out)->number = number;
    (*out)->next = client->pending;
    client->pending = *out;
    client->pending_count++;
    return STATUS_OK;
}

static enum status
collect_text(struct client *client, struct pending *pending,
             const struct request *request, struct error *err)
{
    if (client->pending_count > CLIENT_PENDING)
        return error_set(err, STATUS_LIMIT,
                         "text of more than %d requests was sent ahead",
                         CLIENT_PENDING);
    if (request->text.length > CLIENT_TEXT_BYTES - held_bytes(client))
        return error_set(err, STATUS_LIMIT,
                         "the requests that wait hold %d bytes of text, which "
                         "is the limit",
                         CLIENT_TEXT_BYTES);
    return request_slots_add(&pending->slots, request->slot, request->text,
                             err);
}

/* The request ends here; what still comes of it is skipped. */
static void
refuse_pending(struct client *client, struct pending *pending,
               const struct error *err)
{
    pending->refused = true;
    request_slots_release(&pending->slots);
    client_send_error(client, pending->number, NULL, err,
                      refusal_exit(err->status));
}

static void
take_text(struct client *client, const struct frame_header *header)
{
    struct pending *pending;
    struct request request;
    struct error err;

    if (pending_add(client, header->request, &pending, &err) != STATUS_OK) {
        client_break(client);
        return;
    }
    if (pending->refused)
        return;
    enum status status =
        request_take(&request, header, &client->payload, NULL, &err);
    if (status == STATUS_OK) {
        status = collect_text(client, pending, &request, &err);
        request_release(&request);
    }
    if (status != STATUS_OK)
        refuse_pending(client, pending, &err);
}

/* -- requests -------------------------------------------------------------- */

static enum status
check_room(const struct client *client, struct error *err)
{
    if (client->job_count >= PROTOCOL_WAITING)
        return error_set(err, STATUS_LIMIT,
                         "%d requests wait already, which is the limit",
                         PROTOCOL_WAITING);
    if (held_json(client) > CLIENT_JSON_BYTES)
        return error_set(err, STATUS_LIMIT,
                         "the requests that wait are too long together");
    return STATUS_OK;
}

/* Makes a job of the frame at hand and what was sent ahead of it. */
static enum status
job_make(struct job **out, struct client *client,
         const struct frame_header *header, struct pending *pending,
         struct error *err)
{
    void *memory;

    TRY(check_room(client, err));
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct job *job = memory;
    job->client = client;
    job->number = header->request;
    job->arrived_ns = clock_ns();
    job->link.bytes = header->length + sizeof *job;
    if (pending != NULL) {
        job->slots = pending->slots;
        pending->slots = (struct request_slots){0};
    }
    enum status status =
        request_take(&job->request, header, &client->payload, &job->slots, err);
    if (status != STATUS_OK) {
        job_free(job);
        return status;
    }
    *out = job;
    return STATUS_OK;
}

/* Says that others are first. */
static void
tell_waiting(struct client *client, const struct job *job, size_t ahead)
{
    struct progress_event event = {PHASE_QUEUE, ahead, 0};
    struct buffer frame = {0};
    struct error err;

    if (ahead == 0)
        return;
    if (event_put_progress(&frame, job->number, &event, &err) != STATUS_OK ||
        client_send(client, &frame, PUSH_DROP, NULL, NULL, &err) != STATUS_OK)
        buffer_release(&frame); // it is only progress
}

static void
take_job(struct client *client, const struct frame_header *header,
         struct pending *pending, const struct client_sink *sink)
{
    struct job *job;
    struct error err;

    if (job_make(&job, client, header, pending, &err) != STATUS_OK) {
        client_send_error(client, header->request, NULL, &err,
                          client->job_count >= PROTOCOL_WAITING
                              ? EXIT_BUSY
                              : refusal_exit(err.status));
        return;
    }
    job->next = client->jobs;
    client->jobs = job;
    client->job_count++;
    tell_waiting(client, job,
                 atomic_load(sink->waiting) + atomic_load(sink->busy));
    atomic_fetch_add(sink->waiting, 1);
    queue_push_over(sink->jobs, &job->link);
}

static void
take_cancel(struct client *client, const struct frame_header *header)
{
    struct job *job = job_find(client, header->request);
    struct request request;
    struct error err;

    if (job == NULL)
        return; // it has ended meanwhile
    if (request_take(&request, header, &client->payload, NULL, &err) !=
        STATUS_OK) {
        job_cancel(client, job, FINISH_INTERRUPTED);
        return;
    }
    job_cancel(client, job, request.reason);
    request_release(&request);
}

/* Any payload will do: it has no fields. */
static void
take_answer_now(struct client *client, const struct frame_header *header)
{
    struct job *job = job_find(client, header->request);

    if (job != NULL)
        atomic_store(&job->answer_now, true);
}

static void
take_request(struct client *client, const struct frame_header *header,
             const struct client_sink *sink)
{
    struct pending *pending = pending_take(client, header->request);
    bool refused = pending != NULL && pending->refused;

    if (!refused && header->type == MESSAGE_STATS)
        sink->stats(sink->context, client, header->request);
    else if (!refused)
        take_job(client, header, pending, sink);
    if (pending != NULL)
        pending_free(pending);
}

/* A frame that the stream cannot go on after. */
static void
hang_up(struct client *client, const struct error *err)
{
    client_send_error(client, 0, NULL, err, EXIT_INTERNAL);
    client->closing = true;
}

static void
take_frame(struct client *client, const struct frame_header *header,
           const struct client_sink *sink)
{
    struct error err;

    if (header->type == MESSAGE_CANCEL) {
        take_cancel(client, header);
        return;
    }
    if (header->type == MESSAGE_ANSWER_NOW) {
        take_answer_now(client, header);
        return;
    }
    if (header->request == 0 || job_find(client, header->request) != NULL) {
        error_fill(&err, STATUS_FORMAT,
                   "the request number %llu is 0 or still in use",
                   (unsigned long long) header->request);
        hang_up(client, &err);
        return;
    }
    if (header->type == MESSAGE_TEXT)
        take_text(client, header);
    else
        take_request(client, header, sink);
}

/* All whole frames of the input. */
static void
take_frames(struct client *client, const struct client_sink *sink)
{
    struct frame_header header;
    struct error err;
    bool found = true;

    while (!client->closing && !atomic_load(&client->broken)) {
        enum status status =
            frame_take(&client->input, &header, &client->payload, &found, &err);
        if (status == STATUS_NOMEM)
            client_break(client);
        else if (status != STATUS_OK)
            hang_up(client, &err);
        if (status != STATUS_OK || !found)
            return;
        take_frame(client, &header, sink);
    }
}

bool
client_read(struct client *client, const struct client_sink *sink)
{
    struct error err;

    if (buffer_reserve(&client->input, READ_BYTES, &err) != STATUS_OK ||
        fault_due()) {
        client_break(client);
        return false;
    }
    ssize_t got =
        read(client->in, client->input.data + client->input.length, READ_BYTES);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (got == 0)
        return false;
    client->input.length += (size_t) got;
    client->input.data[client->input.length] = '\0';
    take_frames(client, sink);
    return true;
}

/* -- writing --------------------------------------------------------------- */

/* The next frame to be written; a job that ends with it ends here. */
static bool
next_frame(struct client *client)
{
    if (client->writing != NULL)
        return true;
    client->writing = outgoing_of(queue_pop(client->outbox));
    client->written = 0;
    if (client->writing == NULL)
        return false;
    if (client->writing->finished != NULL)
        job_remove(client, client->writing->finished);
    return true;
}

bool
client_wants_write(struct client *client)
{
    return client->writing != NULL || queue_count(client->outbox) > 0;
}

bool
client_write(struct client *client)
{
    if (!next_frame(client))
        return true;
    const struct buffer *frame = &client->writing->frame;
    size_t length = frame->length - client->written;

    // a pipe that polls writable takes this much without blocking
    if (length > PIPE_BUF)
        length = PIPE_BUF;
    if (fault_due()) {
        client_break(client);
        return false;
    }
    ssize_t wrote = write(client->out, frame->data + client->written, length);
    if (wrote < 0)
        return errno == EINTR || errno == EAGAIN;
    client->written += (size_t) wrote;
    if (client->written == frame->length) {
        outgoing_free(client->writing);
        client->writing = NULL;
    }
    return true;
}

/* -- leaving --------------------------------------------------------------- */

void
client_leave(struct client *client, struct queue *jobs)
{
    for (struct job *job = client->jobs; job != NULL; job = job->next)
        job_cancel(client, job, FINISH_INTERRUPTED);
    queue_end(client->outbox);
    if (!client->foreign) {
        close(client->in);
        close(client->out);
    }
    client->forget.client = client;
    client->forget.kind = JOB_FORGET;
    queue_push_over(jobs, &client->forget.link);
}
