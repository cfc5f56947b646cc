/*
 * What the system counts of this process, for those who ask why it is slow.
 * Threads: any.
 */
#ifndef FATHOM_BASE_PROCESS_USAGE_H
#define FATHOM_BASE_PROCESS_USAGE_H

#include <stdint.h>

struct process_usage {
    uint64_t memory_bytes;      // resident now; 0: not known
    uint64_t memory_most_bytes; // at any time
    uint64_t cpu_ms;            // of all threads, user and system
    uint64_t faults;            // pages that had to be read from a disk
    uint64_t displaced; // times another process took a thread's processor
};

struct process_usage process_usage(void);

#endif
