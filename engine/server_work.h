/*
 * The thread that owns the model and the sessions and runs the jobs, one
 * after the other. See server_client.h for what it shares with the reader.
 */
#ifndef FATHOM_ENGINE_SERVER_WORK_H
#define FATHOM_ENGINE_SERVER_WORK_H

#include "engine/ready.h"
#include "engine/server_client.h"

struct work_options {
    struct ready_options ready;
    unsigned sessions; // most conversations with a cache at a time
    bool preload;      // read the weights before the first request
};

struct work {
    struct work_options options;
    struct queue *jobs;
    int wake; // eventfd of the reader

    // what the reader may look at
    _Atomic bool busy, loading;
    _Atomic size_t waiting;   // jobs in the queue, but for JOB_FORGET
    _Atomic unsigned threads; // that compute; 0 before there are any
    _Atomic uint64_t requests, prompt_tokens, generated_tokens;
    uint64_t start_ns;

    // of the worker; the reader looks at the last two after `failed`
    struct ready *ready;
    unsigned open_sessions;
    struct job preload;
    _Atomic bool failed; // a preload failed: the engine is of no use
    struct error failure;
    int failure_exit;
};

/*
 * Fills *work and opens its queue; nothing runs yet. After a failure too
 * work_release is due.
 */
MUST_CHECK enum status work_init(struct work *work,
                                 const struct work_options *options, int wake,
                                 struct error *err);
void work_release(struct work *work);

/* The thread: runs jobs until the queue has ended. `context` is the work. */
void *work_run(void *context);

/* "fathom-engine 0.1.0" */
const char *work_engine_name(void);

#endif
