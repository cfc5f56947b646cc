/*
 * The engine's half of a rendezvous (base/rendezvous.h): holds the lock, reads
 * records, opens the FIFOs that they name. Threads: belongs to the reader.
 */
#ifndef FATHOM_ENGINE_WARM_H
#define FATHOM_ENGINE_WARM_H

#include "base/base.h"

struct warm;

/*
 * Opens the rendezvous of a model in a runtime directory. STATUS_LIMIT when
 * another engine serves that model already.
 */
MUST_CHECK enum status warm_open(struct warm **out, const char *directory,
                                 const char *model, struct error *err);
/* Removes the rendezvous. Takes NULL. */
void warm_close(struct warm *warm);

int warm_descriptor(const struct warm *warm); // to be polled for reading

enum warm_event {
    WARM_NOTHING, // until it polls readable again
    WARM_CLIENT,  // *in and *out are open, the caller's
    WARM_STOP,
};

/* The next thing that was asked for; what is broken is skipped and logged. */
enum warm_event warm_next(struct warm *warm, int *in, int *out);

#endif
