/* One atomic countdown, read from the environment at first use. */
#include "config.h"

#include "base/fault.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_long countdown = -1; // -1: environment not read yet; 0: off

bool
fault_due(void)
{
    long left = atomic_load_explicit(&countdown, memory_order_relaxed);

    if (left == -1) {
        const char *text = getenv("FATHOM_FAULT");
        long n = text != NULL ? strtol(text, NULL, 10) : 0;

        atomic_compare_exchange_strong(&countdown, &left, n > 0 ? n : 0);
        left = atomic_load(&countdown);
    }
    if (left <= 0)
        return false;
    return atomic_fetch_sub(&countdown, 1) == 1;
}

void
fault_arm(unsigned long n)
{
    atomic_store(&countdown, (long) n);
}
