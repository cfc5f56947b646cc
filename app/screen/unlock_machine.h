/*
 * How the machine keeps a passphrase and the vault, in a line: what is checked
 * when it is asked for, as `fathom doctor` does it. The main thread only.
 */
#ifndef FATHOM_APP_UNLOCK_MACHINE_H
#define FATHOM_APP_UNLOCK_MACHINE_H

#include <stdbool.h>

enum { UNLOCK_MACHINE_LINE = 200 };

/* "swap: ok    core dumps: off    memory lock: 8 MiB ok"; wide: and more. */
void unlock_machine_text(char out[UNLOCK_MACHINE_LINE], bool wide);
/* "vault file: 0600, owner ok    directory: ..."; of the vault's folder. */
void unlock_files_text(char out[UNLOCK_MACHINE_LINE], const char *folder);

#endif
