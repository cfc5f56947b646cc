/*
 * Signals that ask the program to stop, turned into something to wait for: a
 * file descriptor that becomes readable. Before signals_start they have their
 * usual effect. The main thread only.
 */
#ifndef FATHOM_APP_SIGNALS_H
#define FATHOM_APP_SIGNALS_H

#include "base/base.h"

#include <sys/types.h>

enum signals_mode {
    SIGNALS_ASK, // a second SIGINT, SIGTERM or SIGHUP ends the process at once
    // any number of SIGINT is collected; SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1,
    // which asks for a lock, and SIGQUIT, which asks for an answer at once, too
    SIGNALS_CHAT,
};

MUST_CHECK enum status signals_start(enum signals_mode mode, struct error *err);

/* The process that is to end with this one, however suddenly; 0: none. */
void signals_companion(pid_t process);

/* Readable when a signal came. */
int signals_descriptor(void);
/* A signal that came since the last call, the gravest of several first; or 0.
 */
int signals_taken(void);

/*
 * True since a signal came that ends what takes long: SIGINT, SIGTERM, SIGHUP
 * or SIGUSR1. Whoever looks at it begins with signals_begin.
 */
const _Atomic bool *signals_asked(void);
void signals_begin(void);

/*
 * Before this program is begun anew in place: signals wait, until
 * signals_start of the new one.
 */
void signals_hold(void);
#endif
