/* What processor, build, environment and system allow. */
#include "config.h"

#include "kernels/cpu.h"

#include "base/base.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined HAVE_AVX2 && defined __x86_64__
#include <cpuid.h>
#endif

static const char *const level_names[] = {
    [CPU_REF] = "ref",
    [CPU_AVX2] = "avx2",
};

enum { LEVELS = sizeof level_names / sizeof *level_names };

static bool
has_avx2(void)
{
#if defined HAVE_AVX2 && defined __x86_64__
    unsigned a, b, c, d;

    // "f16c" is not a name that every compiler's builtin knows
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0;
#else
    return false;
#endif
}

/* The level named in the environment, or `otherwise`. */
static enum cpu_level
level_wanted(enum cpu_level otherwise)
{
    const char *wanted = getenv("FATHOM_CPU");

    if (wanted == NULL || *wanted == '\0')
        return otherwise;
    for (int level = 0; level < LEVELS; level++)
        if (strcmp(wanted, level_names[level]) == 0)
            return (enum cpu_level) level;
    log_warn("FATHOM_CPU names no level of this build (ref, avx2); ignored");
    return otherwise;
}

enum cpu_level
cpu_level(void)
{
    enum cpu_level most = has_avx2() ? CPU_AVX2 : CPU_REF;
    enum cpu_level wanted = level_wanted(most);

    if (wanted > most)
        log_warn("FATHOM_CPU=%s is more than this processor or build has; "
                 "using %s",
                 level_names[wanted], level_names[most]);
    return wanted < most ? wanted : most;
}

const char *
cpu_level_name(enum cpu_level level)
{
    return level_names[level];
}

unsigned
cpu_quota(const char *text)
{
    unsigned long long quota, period;

    if (sscanf(text, "%llu %llu", &quota, &period) != 2 || period == 0)
        return 0; // "max 100000"
    unsigned long long processors = quota / period + (quota % period != 0);
    if (processors > 1u << 20)
        return 0;
    return processors > 0 ? (unsigned) processors : 1;
}

/* The quota of one control group; 0 without one. */
static unsigned
group_quota(const char *path)
{
    char name[4200], text[64];
    unsigned quota = 0;

    snprintf(name, sizeof name, "/sys/fs/cgroup%s/cpu.max", path);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return 0;
    if (fgets(text, sizeof text, file) != NULL)
        quota = cpu_quota(text);
    fclose(file);
    return quota;
}

/* The smallest quota of our control group and those around it; 0 for none. */
static unsigned
quota_here(void)
{
    char line[4096];
    unsigned least = 0;
    FILE *file = fopen("/proc/self/cgroup", "re");

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        char *path = line + 3;
        path[strcspn(path, "\n")] = '\0';
        for (char *end = path + strlen(path); end != NULL;
             end = strrchr(path, '/')) {
            *end = '\0';
            unsigned quota = group_quota(path);
            if (quota > 0 && (least == 0 || quota < least))
                least = quota;
        }
    }
    fclose(file);
    return least;
}

static unsigned
affinity_count(void)
{
    for (int most = 1024; most <= 1 << 20; most *= 4) {
        cpu_set_t *set = CPU_ALLOC(most);
        size_t bytes = CPU_ALLOC_SIZE(most);
        int count = 0;

        if (set == NULL)
            break;
        if (sched_getaffinity(0, bytes, set) == 0)
            count = CPU_COUNT_S(bytes, set);
        CPU_FREE(set);
        if (count > 0)
            return (unsigned) count;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned) online : 1;
}

unsigned
cpu_count(void)
{
    unsigned count = affinity_count(), quota = quota_here();

    return quota > 0 && quota < count ? quota : count;
}
