/*
 * How busy the machine is, as its kernel counts: read before and after an
 * answer, the difference tells what went on meanwhile. What a kernel does not
 * tell is unknown.
 */
#ifndef FATHOM_APP_MACHINE_STATE_H
#define FATHOM_APP_MACHINE_STATE_H

#include "base/base.h"

#define MACHINE_UNKNOWN UINT64_MAX

struct machine_state {
    uint64_t at_ns;
    // microseconds since the start in which something waited (PSI)
    uint64_t cpu_us, memory_us, disk_us;
    double clock_share;  // mean of the processors' clocks now; 0: unknown
    unsigned processors; // that this process may use
};

void machine_state_read(struct machine_state *out, uint64_t now_ns);
/* The same from other folders in place of /proc and /sys. */
void machine_state_read_under(struct machine_state *out, uint64_t now_ns,
                              const char *proc, const char *sys);

/* Which share of the time between two states was waited; negative: unknown. */
double machine_state_share(uint64_t before_us, uint64_t after_us,
                           uint64_t elapsed_ns);

#endif
