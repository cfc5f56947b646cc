/*
 * What memory can still be had: what the kernel says is available, and no more
 * than what the control groups of this process leave.
 */
#include "config.h"

#include "base/memory.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 1024 };

/* The number in a file of the system, or `otherwise` ("max" is no number). */
static uint64_t
number_in(const char *path, uint64_t otherwise)
{
    FILE *file = fopen(path, "re");
    unsigned long long number;

    if (file == NULL)
        return otherwise;
    uint64_t result = fscanf(file, "%llu", &number) == 1 ? number : otherwise;
    fclose(file);
    return result;
}

/* The number behind `key` in a file with a pair a line. */
static uint64_t
number_of(const char *path, const char *key, uint64_t otherwise)
{
    FILE *file = fopen(path, "re");
    char line[256];
    unsigned long long number;
    size_t length = strlen(key);

    if (file == NULL)
        return otherwise;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, length) == 0 &&
            sscanf(line + length, "%llu", &number) == 1)
            otherwise = number;
    fclose(file);
    return otherwise;
}

/* Names of the files of the two versions of control groups. */
struct version {
    const char *folder, *limit, *usage, *cache;
};

static const struct version versions[2] = {
    {"cgroup", "memory.max", "memory.current", "inactive_file "},
    {"cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file "},
};

/* What one group leaves; its page cache can be given back. */
static uint64_t
group_leaves(const char *folder, const struct version *version)
{
    char path[PATH_BYTES + 64];

    snprintf(path, sizeof path, "%s/%s", folder, version->limit);
    uint64_t limit = number_in(path, UINT64_MAX);
    if (limit >= UINT64_MAX / 4)
        return UINT64_MAX; // version 1 writes "no limit" as a huge number
    snprintf(path, sizeof path, "%s/%s", folder, version->usage);
    uint64_t used = number_in(path, 0);
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    uint64_t cache = number_of(path, version->cache, 0);
    used -= cache < used ? cache : used;
    return limit > used ? limit - used : 0;
}

/* The least of a group and of those around it. */
static uint64_t
groups_leave(const char *root, const char *group, const struct version *version)
{
    char folder[PATH_BYTES];
    uint64_t least = UINT64_MAX;
    int top =
        snprintf(folder, sizeof folder, "%s/fs/%s", root, version->folder);

    if (top < 0 || strlen(group) >= sizeof folder - (size_t) top)
        return least;
    memcpy(folder + top, group, strlen(group) + 1);
    for (;;) {
        uint64_t leaves = group_leaves(folder, version);
        char *slash = strrchr(folder + top, '/');

        least = leaves < least ? leaves : least;
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* "0::/path" is version 2, "4:memory:/path" version 1. */
static uint64_t
line_leaves(const char *root, char *line)
{
    char *list = strchr(line, ':');
    char *group = list != NULL ? strchr(list + 1, ':') : NULL;

    if (group == NULL)
        return UINT64_MAX;
    *group++ = '\0';
    list++;
    group[strcspn(group, "\n")] = '\0';
    if (*list == '\0')
        return groups_leave(root, group, &versions[0]);
    return strcmp(list, "memory") == 0 ? groups_leave(root, group, &versions[1])
                                       : UINT64_MAX;
}

size_t
memory_available_under(const char *proc, const char *sys)
{
    char path[PATH_BYTES], line[PATH_BYTES];

    snprintf(path, sizeof path, "%s/meminfo", proc);
    uint64_t kilobytes = number_of(path, "MemAvailable: ", SIZE_MAX / 1024);
    uint64_t least = kilobytes * 1024;
    snprintf(path, sizeof path, "%s/self/cgroup", proc);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        uint64_t leaves = line_leaves(sys, line);
        least = leaves < least ? leaves : least;
    }
    if (file != NULL)
        fclose(file);
    return least;
}

size_t
memory_available_bytes(void)
{
    return memory_available_under("/proc", "/sys");
}
