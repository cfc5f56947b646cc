/* What time it is: for durations, and by the calendar. */
#ifndef FATHOM_BASE_CLOCK_H
#define FATHOM_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic: for durations only. */
uint64_t clock_ns(void);
/* Since 1970, as the system says. */
uint64_t clock_wall_ms(void);

#endif
