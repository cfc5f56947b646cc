/*
 * One client of the server: its descriptors, its requests, its events.
 *
 * Two threads share a client. The reader takes its frames, owns its list of
 * jobs and writes its events; the worker runs its jobs, owns its session and
 * puts events into the outbox. When the client has gone, the reader hands all
 * of it to the worker with a last job (JOB_FORGET) and never looks again.
 */
#ifndef FATHOM_ENGINE_SERVER_CLIENT_H
#define FATHOM_ENGINE_SERVER_CLIENT_H

#include "base/protocol.h"
#include "engine/session.h"

enum {
    CLIENT_OUTBOX_BYTES = 16 << 20, // unread; then generation waits
    CLIENT_DROP_BYTES = 64 << 10,   // unread; then progress is left out
    CLIENT_TEXT_BYTES = 128 << 20,  // of requests that wait
    CLIENT_JSON_BYTES = 64 << 20,   // as parsed, of requests that wait
    CLIENT_PENDING = 64,            // requests of which only TEXT has come
};

struct client;

enum job_kind { JOB_REQUEST, JOB_FORGET };

struct job {
    struct queue_item link; // in the worker's queue; first
    struct job *next;       // in the client's list
    struct client *client;  // NULL: the engine's own
    enum job_kind kind;
    struct request request;
    struct request_slots slots; // lend their text to the request
    uint64_t number, arrived_ns;
    _Atomic bool cancel;
    _Atomic int reason;            // enum finish, of a cancel
    _Atomic bool answer_now;       // the thought is to be closed
    _Atomic uint64_t progress_ns;  // when progress was last told
    _Atomic uint64_t residency_ns; // the same for residency
};

/* A request of which only TEXT has come. */
struct pending {
    struct pending *next;
    uint64_t number;
    bool refused; // an ERROR was sent: skip the rest
    struct request_slots slots;
};

/* A frame on its way out. */
struct outgoing {
    struct queue_item link; // first
    struct buffer frame;
    struct job *finished; // its request ends with this frame, or NULL
};

struct client {
    // the reader's
    struct client *next;
    int in, out;
    bool foreign; // descriptors that the server did not open: left open
    bool closing; // what is queued is still written, then it ends
    struct buffer input, payload;
    struct pending *pending;
    size_t pending_count;
    struct job *jobs;
    size_t job_count;
    struct outgoing *writing;
    size_t written;

    // shared
    struct queue *outbox;
    int wake;            // eventfd: the outbox has something
    _Atomic bool broken; // an event could not be told: the stream is useless

    // the worker's
    struct session *session;
    struct job forget; // its last job; part of it, so that it cannot fail
};

MUST_CHECK enum status client_open(struct client **out, int in, int out_fd,
                                   int wake, struct error *err);
/* Frees all that is left; both threads are done with it. Takes NULL. */
void client_close(struct client *client);

/* -- both threads ---------------------------------------------------------- */

enum client_push {
    PUSH_ALWAYS, // ends a request
    PUSH_WAIT,   // waits for room until *stop
    PUSH_DROP,   // left out when the client is slow
};

/*
 * Puts the frame into the outbox; it is taken from *frame in any case.
 * `finished` is the job that ends with it. STATUS_CANCELLED: the client is
 * gone, or *stop was seen.
 */
MUST_CHECK enum status client_send(struct client *client, struct buffer *frame,
                                   enum client_push how, struct job *finished,
                                   const _Atomic bool *stop, struct error *err);
/* Whether so much is unread that PUSH_DROP leaves out. */
bool client_is_slow(const struct client *client);
/* An ERROR event; when even that fails, the client is broken. */
void client_send_error(struct client *client, uint64_t number,
                       struct job *finished, const struct error *error,
                       int exit_code);
void client_break(struct client *client);

/* -- the reader ------------------------------------------------------------ */

typedef void client_stats_fn(void *context, struct client *client,
                             uint64_t number);

/* Where requests go. */
struct client_sink {
    struct queue *jobs;
    const _Atomic bool *busy; // the worker has a job in hand
    _Atomic size_t *waiting;  // jobs in the queue, but for JOB_FORGET
    client_stats_fn *stats;   // STATS is answered by the reader
    void *context;
};

/*
 * Takes what the client has sent; false when the stream has ended or cannot
 * be read.
 */
bool client_read(struct client *client, const struct client_sink *sink);

/* Writes a piece of what waits; false when the descriptor is broken. */
bool client_write(struct client *client);
bool client_wants_write(struct client *client);

/* The client is gone: cancels all and hands it to the worker. */
void client_leave(struct client *client, struct queue *jobs);

#endif
