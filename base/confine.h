/*
 * What a program gives up before it reads its first key or frame: sockets and
 * every other way to a network, looking into other processes, core files; the
 * engine also all files but its model. A door of its own: the two programs
 * and the proofs need it, nobody else.
 *
 * What is given up is given up for ever, and for every program started later.
 * Call from main, while the process has one thread. The order: confine_memory,
 * confine_descriptors, confine_network, confine_files, confine_calls.
 *
 *   confine.c          memory, descriptors, the network namespace
 *   confine_files.c    Landlock
 *   confine_calls.c    the seccomp filter
 *   confine_probe.c    trying every way out, to show that it is closed
 *   confine_imports.c  what the program's own file asks of libraries
 */
#ifndef FATHOM_BASE_CONFINE_H
#define FATHOM_BASE_CONFINE_H

#include "base/memory.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * No core file, no debugger, no new privileges by what is executed. Sanitizer
 * builds stay open to ptrace, which their leak checker needs.
 */
MUST_CHECK enum status confine_memory(struct error *err);

/* Closes sockets that were open at start, but for descriptors 0 to 2. */
void confine_descriptors(void);

enum confine_namespace {
    CONFINE_NETWORK,         // only what root may: its view of owners stays
    CONFINE_NETWORK_OR_USER, // else in a user namespace of its own
};

/*
 * A network namespace with nothing in it, where the system allows one; in a
 * user namespace files of others, root's too, look as if they were nobody's.
 * *isolated is false where it is not allowed. STATUS_DEVICE: it was half done.
 */
MUST_CHECK enum status confine_network(enum confine_namespace how,
                                       bool *isolated, struct error *err);

enum confine_access {
    CONFINE_READ,  // a file, or every file beneath a folder
    CONFINE_LIST,  // a folder: it may be listed
    CONFINE_FIFOS, // a folder: files are opened there and names removed
};

struct confine_place {
    const char *path; // where there is nothing, nothing is allowed
    enum confine_access access;
};

/* The newest Landlock interface of this kernel; 0: it has none. */
unsigned confine_landlock(void);

/*
 * From now on only these places can be opened, nothing executed, and no
 * process outside signalled. *confined is false where the kernel has no
 * Landlock. STATUS_DEVICE: it has, but refuses.
 */
MUST_CHECK enum status confine_files(const struct confine_place *places,
                                     size_t count, bool *confined,
                                     struct error *err);

enum confine_program { CONFINE_INTERFACE, CONFINE_ENGINE };

/*
 * Loads the filter on all threads: the calls of its table fail with EPERM, and
 * calls of a foreign architecture kill the process. STATUS_DEVICE: the kernel
 * has no filters; nothing secret may be read then.
 */
MUST_CHECK enum status confine_calls(enum confine_program program,
                                     struct error *err);
bool confine_filtered(void); // it is loaded

/* -- proofs ---------------------------------------------------------------- */

/* One way out, tried; without an error it is closed where there was none. */
typedef void confine_probe_fn(void *context, const char *way, int error,
                              bool closed);

/* Tries every way; `error` is an errno, or 0. */
void confine_probe(confine_probe_fn *visit, void *context);

/* IORING_OP_SOCKET on a ring of its own: an errno, 0 when it made a socket. */
int confine_probe_ring(void);

/*
 * Appends the names of network functions, and of dlopen, that this program's
 * own file imports, a blank before each; nothing where it imports none.
 */
MUST_CHECK enum status confine_imports(struct buffer *out, struct error *err);

#endif
