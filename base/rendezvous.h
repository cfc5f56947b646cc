/*
 * Where warm engines are met: paths, records, and the client's half.
 *
 * A warm engine serves one model file to one user. In the runtime directory
 * it has two files named after the model's real path:
 *
 *   NAME.engine  locked (fcntl) while the engine lives; holds its model's path
 *   NAME.fifo    the rendezvous: clients write records, the engine reads them
 *
 * To connect, a client makes a pair of FIFOs of mode 0600 there, CLIENT.in for
 * requests and CLIENT.out for events, opens CLIENT.out for reading and writes
 * one record naming the pair. The engine opens both, then the client opens
 * CLIENT.in and removes both names. Frames follow, as over pipes. Closing
 * either end ends the conversation.
 *
 * A record is one line of at most PIPE_BUF bytes, so it is written whole:
 *
 *   fathom 1 open CLIENT
 *   fathom 1 stop
 *
 * The directory is $XDG_RUNTIME_DIR/fathom, else /run/user/UID/fathom, else
 * /dev/shm/fathom-UID/fathom: the user's own, closed to everybody else.
 */
#ifndef FATHOM_BASE_RENDEZVOUS_H
#define FATHOM_BASE_RENDEZVOUS_H

#include "base/memory.h"
#include "base/status.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
    RENDEZVOUS_NAME = 17,   // of a model: 16 digits and NUL
    RENDEZVOUS_CLIENT = 64, // of a client, with NUL
};

/*
 * Appends the path of the runtime directory, which is made where it is
 * missing. STATUS_IO when there is none that is safe: exit 69.
 */
MUST_CHECK enum status rendezvous_directory(struct buffer *out,
                                            struct error *err);

/* The name of a model file's engine; STATUS_IO when there is no such file. */
MUST_CHECK enum status rendezvous_name(char out[RENDEZVOUS_NAME],
                                       const char *model, struct error *err);

/* Opens a directory that must be the user's own and closed to others. */
MUST_CHECK enum status rendezvous_open_directory(int *out, const char *path,
                                                 struct error *err);

/* -- the client's half ----------------------------------------------------- */

/* A warm engine that lives. */
struct rendezvous_engine {
    char name[RENDEZVOUS_NAME];
    char model[PATH_MAX]; // real path
    pid_t pid;
};

/* The engine of this name; *found is false when none lives. */
MUST_CHECK enum status rendezvous_find(struct rendezvous_engine *out,
                                       bool *found, const char *directory,
                                       const char *name, struct error *err);

/* Calls back for each engine that lives, in no order. */
typedef void rendezvous_fn(void *context,
                           const struct rendezvous_engine *engine);
MUST_CHECK enum status rendezvous_each(const char *directory, rendezvous_fn *fn,
                                       void *context, struct error *err);

/*
 * Connects: *to_engine and *from_engine are open, non-blocking and the
 * caller's. *found is false, without an error, when no engine of this name
 * lives or it did not answer within wait_ms.
 */
MUST_CHECK enum status rendezvous_connect(int *to_engine, int *from_engine,
                                          bool *found, const char *directory,
                                          const char *name, unsigned wait_ms,
                                          struct error *err);

/*
 * Asks the engine to end and waits until it has. *found is false when there
 * was none; STATUS_IO when it is still there after wait_ms.
 */
MUST_CHECK enum status rendezvous_stop(const char *directory, const char *name,
                                       unsigned wait_ms, bool *found,
                                       struct error *err);

/* -- what the engine's half shares ----------------------------------------- */

enum rendezvous_verb { RENDEZVOUS_OPEN, RENDEZVOUS_STOP };

struct rendezvous_record {
    enum rendezvous_verb verb;
    char client[RENDEZVOUS_CLIENT]; // of OPEN: letters, digits and '-' only
};

/* Reads one line (without its end); false: not a record. */
bool rendezvous_parse(struct rendezvous_record *out, const char *line,
                      size_t length);

#endif
