/*
 * This program run once more beside the screen, for what takes long: its
 * output, both streams in one, is collected without waiting for it. The main
 * thread only.
 */
#ifndef FATHOM_APP_SIDE_RUN_H
#define FATHOM_APP_SIDE_RUN_H

#include "base/base.h"

#include <sys/types.h>

/* Start from {0}. */
struct side_run {
    pid_t process; // 0: none runs
    int from;
    struct buffer output; // raw; at most SIDE_RUN_BYTES
    bool ended;
    int code; // its exit status; -1: a signal ended it
};

enum { SIDE_RUN_BYTES = 256 << 10 };

/* `arguments` ends with NULL and begins behind the program's name. */
MUST_CHECK enum status side_run_start(struct side_run *run,
                                      const char *const *arguments,
                                      struct error *err);
/* Takes what came, after at most wait_ms; true: it goes on. */
bool side_run_take(struct side_run *run, int wait_ms);
/* Ends it, and forgets what it said. */
void side_run_stop(struct side_run *run);

#endif
