/*
 * Asking for a passphrase: from a file descriptor, from a program, or at the
 * terminal without echo. Never from arguments or the environment, where others
 * could read it. The main thread only.
 *
 * The terminal is put right again whatever ends the asking: Ctrl-C, Ctrl-Z, a
 * signal. FATHOM_ASKPASS names a program; it is given the question as its
 * argument and prints the passphrase and a line feed. Like all that fathom
 * starts it has no sockets.
 */
#ifndef FATHOM_APP_PASSPHRASE_H
#define FATHOM_APP_PASSPHRASE_H

#include "app/command.h"
#include "storage/storage.h"

/* A new passphrase has at least so many bytes; there is no other rule. */
enum { PASSPHRASE_LEAST = 8 };

struct passphrase_source {
    struct option_count fd; // --passphrase-fd; each passphrase is a line of it
    bool no_input;          // never ask at the terminal
};

/*
 * Asks once: "Passphrase: ". STATUS_CANCELLED: the user did not want to.
 * STATUS_DENIED: there is nobody and nothing to ask; err->text says how to
 * give a passphrase.
 */
MUST_CHECK enum status passphrase_ask(struct secret **out,
                                      const struct passphrase_source *source,
                                      const char *question, struct error *err);
/*
 * Asks for a new one, twice at a terminal until both are the same.
 * STATUS_LIMIT: it is shorter than PASSPHRASE_LEAST.
 */
MUST_CHECK enum status
passphrase_ask_new(struct secret **out, const struct passphrase_source *source,
                   const char *question, struct error *err);

/* Would passphrase_ask ask a person at the terminal, who may try again? */
bool passphrase_at_terminal(const struct passphrase_source *source);

#endif
