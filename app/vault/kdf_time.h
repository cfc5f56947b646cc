/*
 * How long Argon2id took on this machine, by what it costs, so that the next
 * run can be measured against it. A file "kdf-time" in the state folder. The
 * main thread only.
 */
#ifndef FATHOM_APP_KDF_TIME_H
#define FATHOM_APP_KDF_TIME_H

#include "storage/storage.h"

/* Of the last run that cost the same; 0: not known. */
uint64_t kdf_time_recall(const struct kdf_cost *cost);
/* Remembers what a run took; that it cannot be kept is logged, no more. */
void kdf_time_keep(const struct kdf_cost *cost, uint64_t took_ns);

#endif
