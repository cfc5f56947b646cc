/* Small files of /proc and /sys, one read each. */
#include "config.h"

#include "app/gauges/machine_state.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES = 1024, MOST_PROCESSORS = 64, PATH_BYTES = 512 };

static bool
read_file(char text[FILE_BYTES], const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (file < 0)
        return false;
    ssize_t n = read(file, text, FILE_BYTES - 1);

    close(file);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345" */
static uint64_t
read_pressure(const char *proc, const char *what)
{
    char path[PATH_BYTES], text[FILE_BYTES];
    uint64_t total;

    snprintf(path, sizeof path, "%s/pressure/%s", proc, what);
    if (!read_file(text, path) || strncmp(text, "some ", 5) != 0)
        return MACHINE_UNKNOWN;
    const char *at = strstr(text, "total=");
    char *end;

    if (at == NULL)
        return MACHINE_UNKNOWN;
    total = strtoull(at + 6, &end, 10);
    return end == at + 6 ? MACHINE_UNKNOWN : total;
}

static double
read_clock(const char *sys, unsigned processor, const char *name)
{
    char path[PATH_BYTES], text[FILE_BYTES];

    snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%u/cpufreq/%s", sys,
             processor, name);
    return read_file(text, path) ? strtod(text, NULL) : 0;
}

static double
read_clocks(const char *sys)
{
    double sum = 0;
    unsigned count = 0;

    for (unsigned i = 0; i < MOST_PROCESSORS; i++) {
        double now = read_clock(sys, i, "scaling_cur_freq");
        double most = read_clock(sys, i, "cpuinfo_max_freq");

        if (now <= 0 || most <= 0)
            break;
        sum += now / most;
        count++;
    }
    return count > 0 ? sum / count : 0;
}

static unsigned
count_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 0;
    return (unsigned) CPU_COUNT(&set);
}

void
machine_state_read_under(struct machine_state *out, uint64_t now_ns,
                         const char *proc, const char *sys)
{
    *out = (struct machine_state){
        .at_ns = now_ns,
        .cpu_us = read_pressure(proc, "cpu"),
        .memory_us = read_pressure(proc, "memory"),
        .disk_us = read_pressure(proc, "io"),
        .clock_share = read_clocks(sys),
        .processors = count_processors(),
    };
}

void
machine_state_read(struct machine_state *out, uint64_t now_ns)
{
    machine_state_read_under(out, now_ns, "/proc", "/sys");
}

double
machine_state_share(uint64_t before_us, uint64_t after_us, uint64_t elapsed_ns)
{
    if (before_us == MACHINE_UNKNOWN || after_us == MACHINE_UNKNOWN ||
        after_us < before_us || elapsed_ns == 0)
        return -1;
    double share = (double) (after_us - before_us) * 1e3 / (double) elapsed_ns;

    return share > 1 ? 1 : share;
}
