/*
 * Where an answer goes: a descriptor that is open already, or a file that
 * appears whole or not at all (written beside its place, then renamed).
 */
#ifndef FATHOM_APP_OUTPUT_H
#define FATHOM_APP_OUTPUT_H

#include "base/base.h"

struct output {
    int descriptor;
    bool owned;             // opened here
    char *path, *temporary; // NULL: written in place
    bool is_new;            // takes nobody's place
};

/*
 * Opens for `path`; NULL or "-" is standard output. A path that is a device
 * or a FIFO is written in place. STATUS_IO: it cannot be created.
 */
MUST_CHECK enum status output_open(struct output *out, const char *path,
                                   struct error *err);
/*
 * The same for what is private: a new file of mode 0600. STATUS_LIMIT, here or
 * when it is committed: there is one of that name, which stays as it is.
 */
MUST_CHECK enum status output_open_new(struct output *out, const char *path,
                                       struct error *err);
/* The text is complete: a file takes its place. STATUS_IO: not written. */
MUST_CHECK enum status output_commit(struct output *output, struct error *err);
/* Gives everything back; what was not committed is removed. */
void output_close(struct output *output);

#endif
