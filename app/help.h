/*
 * What the tables of command.h say, printed for people (--help) and for the
 * completion of bash, zsh and fish.
 */
#ifndef FATHOM_APP_HELP_H
#define FATHOM_APP_HELP_H

#include "app/command.h"

/*
 * Appends the help of `command`, whose full name is `name` ("fathom ask").
 * The program's own help lists the commands too.
 */
MUST_CHECK enum status help_command(struct buffer *out, const char *name,
                                    const struct command *command,
                                    struct error *err);

/* "bash", "zsh" or "fish": appends a completion script. */
MUST_CHECK enum status help_completion(struct buffer *out, const char *shell,
                                       struct error *err);

/* How an option takes its value: "--think=on|off", "-n N", "--json". */
MUST_CHECK enum status help_spelling(struct buffer *out,
                                     const struct option *option,
                                     struct error *err);

#endif
