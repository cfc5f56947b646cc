/*
 * The team of threads that runs slices of one operation at a time.
 *
 * Rows are claimed in chunks from an atomic counter, so a worker that loses
 * its processor delays at most one chunk. The calling thread works too. Idle
 * workers spin for at most 50 microseconds and then sleep (futex). One row is
 * one worker's: results do not depend on the size of the team.
 *
 * Threads: one thread (the owner) calls workers_run; nothing else is shared.
 */
#ifndef FATHOM_KERNELS_WORKERS_H
#define FATHOM_KERNELS_WORKERS_H

#include <stddef.h>

struct workers;

/*
 * Work on rows first .. first+count-1. `worker` is 0 .. workers_count-1 and
 * picks this worker's scratch memory.
 */
typedef void workers_fn(void *context, unsigned worker, size_t first,
                        size_t count);

/*
 * Starts a team of `count` threads in all, the caller included; 0 means one a
 * processor. Fewer start when the system refuses; at least the caller works.
 * NULL only when memory is out.
 */
struct workers *workers_start(unsigned count);
void workers_stop(struct workers *workers); // takes NULL

unsigned workers_count(const struct workers *workers);

/*
 * Runs `fn` over rows 0 .. rows-1 in chunks of at most `chunk` rows and
 * returns when all are done.
 */
void workers_run(struct workers *workers, size_t rows, size_t chunk,
                 workers_fn *fn, void *context);

#endif
