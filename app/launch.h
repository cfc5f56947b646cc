/*
 * Engine processes: started in a session of their own, with pipes or as a
 * warm one, and waited for. A warm one outlives this program.
 */
#ifndef FATHOM_APP_LAUNCH_H
#define FATHOM_APP_LAUNCH_H

#include "base/base.h"

#include <sys/types.h>

/*
 * Starts an engine for the model at `path`. *to and *from are its standard
 * input and output, non-blocking and the caller's.
 */
MUST_CHECK enum status launch_piped(pid_t *process, int *to, int *from,
                                    const char *path, struct error *err);

/*
 * Starts an engine that tries its ways to a network and prints them to *from,
 * which is the caller's.
 */
MUST_CHECK enum status launch_prove(pid_t *process, int *from,
                                    struct error *err);

/*
 * With what this program was begun, and in which locale: main says so once,
 * before it chooses another. Borrowed.
 */
void launch_remember(char **arguments);
/*
 * Begins this program anew in its own place, with both; returns only if that
 * fails.
 */
MUST_CHECK enum status launch_again(struct error *err);

/* A warm engine that was started just now, as long as it is waited for. */
struct launched {
    pid_t process; // 0: none
    int said;      // its standard error, to be read
    int *code;     // where its exit status goes
};

/*
 * Starts a warm engine that will be met in `directory` and ends after idle_s
 * without a request; 0: never. launched->said is the caller's.
 */
MUST_CHECK enum status launch_warm(struct launched *launched,
                                   const char *directory, const char *path,
                                   uint64_t idle_s, struct error *err);

/* Waits for a process to end; false when it lives on after two seconds. */
bool launch_reap(pid_t process, int *how);
/* The same, but then it is killed. */
void launch_end(pid_t process, int *how);

/* An error with what an engine said on `said`, or with `otherwise`. */
MUST_CHECK enum status launch_said(int said, const char *otherwise,
                                   struct error *err);
/* The engine that was launched has ended in the way `how`. */
MUST_CHECK enum status launch_failed(struct launched *launched, int how,
                                     struct error *err);

#endif
