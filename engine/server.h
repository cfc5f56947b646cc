/*
 * The frame loop: clients in, answers out.
 *
 *   server.c         the reader: polls descriptors, accepts and drops clients
 *   server_client.c  one client: frames to jobs, events to bytes
 *   server_work.c    the worker: owns model and sessions, runs the jobs
 *   warm.c           the rendezvous of a warm engine
 *
 * The reader always reads, whatever the worker does, and never blocks on a
 * write. With a pair of descriptors the server ends when their requests end;
 * as a warm engine when it is stopped or has been idle for long enough.
 */
#ifndef FATHOM_ENGINE_SERVER_H
#define FATHOM_ENGINE_SERVER_H

#include "engine/ready.h"

struct server;

struct server_options {
    struct ready_options ready;
    int in, out;                // the only client's, or -1
    const char *warm_directory; // of a warm engine, or NULL
    unsigned idle_seconds;      // a warm engine without clients ends; 0: never
    unsigned sessions;          // most conversations with a cache at a time
};

MUST_CHECK enum status server_open(struct server **out,
                                   const struct server_options *options,
                                   struct error *err);

/*
 * Serves until the end. *exit_code is the process's: 0, or 70 after a client
 * that broke the protocol or could not be answered. Fails when a warm engine
 * cannot make its model ready; *exit_code says why (ready_exit).
 */
MUST_CHECK enum status server_run(struct server *server, int *exit_code,
                                  struct error *err);

/* Ends server_run soon. May be called from a signal handler. */
void server_stop(struct server *server);

void server_close(struct server *server); // takes NULL

#endif
