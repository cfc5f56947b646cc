/*
 * The engine as seen from here: a process of our own, or a warm one found in
 * the runtime directory; requests go out, events come in, and a write never
 * blocks. When the engine dies the client says how, once, and stays usable for
 * client_close only. The main thread only.
 */
#ifndef FATHOM_APP_CLIENT_H
#define FATHOM_APP_CLIENT_H

#include "base/protocol.h"

#include <sys/types.h>

struct client;

/*
 * Starts fathom-engine for the model at `path`. STATUS_IO: it could not be
 * started. What is wrong with the model comes as an ERROR event.
 */
MUST_CHECK enum status client_start(struct client **out, const char *path,
                                    struct error *err);
/*
 * A warm engine that has this very file, where one lives; else client_start.
 * A runtime directory that cannot be used is no failure: then nobody is warm.
 */
MUST_CHECK enum status client_reach(struct client **out, const char *path,
                                    struct error *err);
/*
 * Only a warm engine that has this very file; *out is NULL without one. If it
 * lives and does not answer, a note says so.
 */
MUST_CHECK enum status client_find_warm(struct client **out, const char *path,
                                        struct error *err);
/*
 * As client_find_warm, after starting one where there is none, which outlives
 * this program and ends after idle_s without a request (0: never). *was_there
 * tells which. Fails when nobody is met within wait_ms. If the new engine
 * ends while it is waited for, what it said is the error, and *code, which
 * must outlive the client, becomes its exit status.
 */
MUST_CHECK enum status client_start_warm(struct client **out, bool *was_there,
                                         const char *path, uint64_t idle_s,
                                         unsigned wait_ms, int *code,
                                         struct error *err);
/*
 * What a client is to a program that is begun anew in this one's place: no
 * text is in it.
 */
struct client_pipes {
    pid_t process;
    int to, from;
    uint64_t last_number;
};

/* Whether nothing is half written or half read: only then it can move. */
bool client_at_rest(const struct client *client);
/* The pipes stay open across exec; of the client nothing else is needed. */
struct client_pipes client_hand_over(struct client *client);
MUST_CHECK enum status client_take_over(struct client **out,
                                        const struct client_pipes *pipes,
                                        struct error *err);

/* Ends our own engine, leaves a warm one running. Takes NULL. */
void client_close(struct client *client);

/* Our own engine does not answer any more: ends it without waiting. */
void client_abandon(struct client *client);

bool client_is_warm(const struct client *client);

/* Where requests are appended; they leave during client_wait. */
struct buffer *client_outgoing(struct client *client);
/* A number for the next request. */
uint64_t client_number(struct client *client);

enum client_wake {
    CLIENT_EVENT,  // wait->event is filled; event_release it
    CLIENT_SIGNAL, // signals_taken has something
    CLIENT_INPUT,  // wait->input is readable
    CLIENT_TIME,   // wait->deadline_ns has passed
};

struct client_wait {
    int input;            // also watched; -1: nothing
    uint64_t deadline_ns; // on clock_ns; UINT64_MAX: none
    enum client_wake wake;
    struct event event;
};

/*
 * Waits for the first of the four. Fails when the engine has ended or spoke
 * nonsense: err->text is "the engine ended (signal 9, Killed)".
 */
MUST_CHECK enum status client_wait(struct client *client,
                                   struct client_wait *wait, struct error *err);

/* As client_wait without an engine: signals, input and time. */
MUST_CHECK enum status client_wait_without(struct client_wait *wait,
                                           struct error *err);

#endif
