/*
 * Exit codes of fathom, as fathom(1) documents them. Those that the engine
 * decides are in base/protocol.h; EXIT_SUCCESS and EXIT_FAILURE in stdlib.h.
 */
#ifndef FATHOM_APP_EXIT_CODE_H
#define FATHOM_APP_EXIT_CODE_H

#include "base/protocol.h"

#include <stdlib.h>

enum {
    EXIT_TRUNCATED = 10,   // cut off by -n or by the end of the context
    EXIT_NO_ANSWER = 11,   // ended inside the thought
    EXIT_ALARM = 13,       // the vault was tampered with, or is an old copy
    EXIT_UNSIGNED = 14,    // a model's signature is missing or wrong
    EXIT_TIMED_OUT = 16,   // --timeout
    EXIT_USAGE = 64,       // the command line is wrong
    EXIT_CANT_CREATE = 73, // the output file cannot be created
    EXIT_CANT_WRITE = 74,  // the output cannot be written
    EXIT_DENIED = 77,      // wrong passphrase, unsafe permissions, policy
    EXIT_CONFIG = 78,      // settings or policy are wrong
    EXIT_SIGNAL = 128,     // plus the signal's number
};

/* Of a failure whose status is all that is known of it. */
int exit_code_of(enum status status);
/* Of an engine that was not started: what the model's check says, else 69. */
int exit_code_of_start(enum status status);

#endif
