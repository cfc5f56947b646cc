/*
 * Asking before something is destroyed: at the terminal, or by --yes where
 * nobody can be asked.
 */
#ifndef FATHOM_APP_CONFIRM_H
#define FATHOM_APP_CONFIRM_H

#include "base/base.h"

/*
 * "Remove the model big (3 files, 4.3 GB)? [y/N] "; with `yes` nothing is
 * asked. STATUS_CANCELLED: the answer was no (exit 1). STATUS_UNSUPPORTED:
 * there is no terminal to ask at (exit 64).
 */
MUST_CHECK enum status confirm(const char *question, bool yes, int *code,
                               struct error *err);

#endif
