/* getrusage(2), and what is resident from /proc. */
#include "config.h"

#include "base/process_usage.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* The second number of statm counts pages. */
static uint64_t
resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long long pages = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %llu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t) sysconf(_SC_PAGESIZE);
}

static uint64_t
ms_of(struct timeval time)
{
    return (uint64_t) time.tv_sec * 1000 + (uint64_t) time.tv_usec / 1000;
}

struct process_usage
process_usage(void)
{
    uint64_t resident = resident_bytes();
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage); // cannot fail with these arguments
    uint64_t most = (uint64_t) usage.ru_maxrss * 1024;

    return (struct process_usage){
        .memory_bytes = resident,
        // both are counted with some delay
        .memory_most_bytes = most > resident ? most : resident,
        .cpu_ms = ms_of(usage.ru_utime) + ms_of(usage.ru_stime),
        .faults = (uint64_t) usage.ru_majflt,
        .displaced = (uint64_t) usage.ru_nivcsw,
    };
}
