/* How fast memory is read: a plain sum over it, on the worker team. */
#include "config.h"

#include "engine/device/device_cpu.h"

#include <stdatomic.h>

enum {
    LANES = 16, // chains of additions, so that loads stay in flight
    SLICE_WORDS = 64 << 10,
    SLICE_BYTES = SLICE_WORDS * 8,
};

struct reading {
    const uint64_t *words;
    _Atomic uint64_t sum; // so that nothing is left out as useless
};

static void
read_slices(void *context, unsigned worker, size_t first, size_t count)
{
    struct reading *reading = context;
    const uint64_t *words = reading->words + first * SLICE_WORDS;
    uint64_t lane[LANES] = {0}, sum = 0;

    (void) worker;
    for (size_t i = 0; i < count * SLICE_WORDS; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += words[i + k];
    for (size_t k = 0; k < LANES; k++)
        sum += lane[k];
    atomic_fetch_add_explicit(&reading->sum, sum, memory_order_relaxed);
}

double
device_cpu_read_speed(struct device *device, const void *memory, size_t bytes)
{
    struct reading reading = {.words = memory};
    size_t slices = bytes / SLICE_BYTES;
    uint64_t began = clock_ns();

    if (slices == 0)
        return 0;
    workers_run(device_cpu(device)->workers, slices, 1, read_slices, &reading);
    uint64_t took = clock_ns() - began;
    return took > 0 ? (double) (slices * SLICE_BYTES) * 1e9 / (double) took : 0;
}
