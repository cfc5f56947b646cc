/*
 * What the engine gives up before its first frame, in this order: a network,
 * every file but its model's, system calls. See base/confine.h.
 */
#ifndef FATHOM_ENGINE_CONFINEMENT_H
#define FATHOM_ENGINE_CONFINEMENT_H

#include "base/base.h"

/* First: while nothing is open yet. STATUS_DEVICE: it must not go on. */
MUST_CHECK enum status confinement_begin(struct error *err);

/*
 * Last: afterwards only the files of `model` can be opened (its shards, where
 * it is a set, as they are now), a few of /proc and /sys, and the FIFOs in
 * `runtime_directory`, which is NULL but for a warm engine. Both may be NULL.
 */
MUST_CHECK enum status confinement_end(const char *model,
                                       const char *runtime_directory,
                                       struct error *err);

/* Tries every way out and prints a line for each: an exit code. */
int confinement_prove(void);

#endif
