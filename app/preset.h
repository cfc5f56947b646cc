/*
 * Presets: ways to ask a model that fathom.conf(5) has under a name. The main
 * thread only.
 */
#ifndef FATHOM_APP_PRESET_H
#define FATHOM_APP_PRESET_H

#include "app/generation.h"

/*
 * What the preset says goes into *g: where nothing is given there, or, with
 * `over`, in any case. Its system text lives until the next call. *code is the
 * exit code of a failure: there is no such preset, its file cannot be read.
 */
MUST_CHECK enum status preset_fill(struct generation *g, const char *name,
                                   bool over, int *code, struct error *err);
/* The preset of the command line, else FATHOM_PRESET, else none. */
MUST_CHECK enum status preset_start(struct generation *g, int *code,
                                    struct error *err);

#endif
