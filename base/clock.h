/* Monotonic time, for durations only. */
#ifndef FATHOM_BASE_CLOCK_H
#define FATHOM_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ns(void);

#endif
