/* What the kernel says in /proc and /sys, and what it lets us do. */
#include "config.h"

#include "app/doctor/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SMALL_FILE = 4096,
    DEPTH_MOST = 8, // of devices upon devices
    LOCKED_LEAST = 256 << 10,
};

/* The file's beginning, without line feeds at its end; false: not there. */
static bool read_small(char out[SMALL_FILE], const char *format, ...)
    PRINTF_LIKE(2, 3);

static bool
read_small(char out[SMALL_FILE], const char *format, ...)
{
    char path[PATH_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(path, sizeof path, format, args);
    va_end(args);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, out, SMALL_FILE - 1) : -1;

    if (fd >= 0)
        close(fd);
    while (got > 0 && out[got - 1] == '\n')
        got--;
    out[got > 0 ? got : 0] = '\0';
    return got >= 0;
}

/* -- the kernel ------------------------------------------------------------ */

void
doctor_filter(struct findings *findings, bool loaded)
{
    if (loaded)
        findings_add(findings, "system call filter", NULL,
                     "on; no program started from here can open a socket");
    else
        findings_add(findings, "system call filter",
                     "fathom does nothing else without it. Use a kernel with "
                     "CONFIG_SECCOMP_FILTER, or let the container that "
                     "surrounds fathom allow seccomp.",
                     "the kernel refuses it");
}

void
doctor_landlock(struct findings *findings, unsigned version)
{
    if (version > 0)
        findings_add(findings, "Landlock", NULL,
                     "interface %u; the engine can open its model's files "
                     "and nothing else of yours",
                     version);
    else
        findings_add(findings, "Landlock",
                     "An engine that a model file took over could read your "
                     "files, though not send them. Use Linux 5.13 or later, "
                     "with landlock in lsm= of the kernel's command line.",
                     "this kernel has it not, or has it switched off");
}

/* In a child, since a process cannot go back. */
static bool
namespace_allowed(void)
{
    int how = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(unshare(CLONE_NEWNET) == 0 ||
                      unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0
                  ? 0
                  : 1);
    return child > 0 && waitpid(child, &how, 0) == child && WIFEXITED(how) &&
           WEXITSTATUS(how) == 0;
}

void
doctor_namespaces(struct findings *findings)
{
    if (namespace_allowed())
        findings_add(findings, "network namespace", NULL,
                     "the engine has one with nothing in it");
    else
        findings_add(findings, "network namespace",
                     "The filter alone keeps the network closed. For a second "
                     "lock allow user namespaces (sysctl "
                     "user.max_user_namespaces, "
                     "kernel.unprivileged_userns_clone, or AppArmor's "
                     "restriction of them).",
                     "not allowed for this user");
}

/* -- devices --------------------------------------------------------------- */

/* Is everything that this block device writes encrypted on its way? */
static bool
is_encrypted(const struct machine *machine, const char *name, int depth)
{
    char text[SMALL_FILE], path[PATH_MAX];
    size_t slaves = 0;
    bool all = true;

    if (read_small(text, "%s/class/block/%s/dm/uuid", machine->sys, name) &&
        strncmp(text, "CRYPT-", 6) == 0)
        return true;
    snprintf(path, sizeof path, "%s/class/block/%s/slaves", machine->sys, name);
    DIR *list = depth < DEPTH_MOST ? opendir(path) : NULL;

    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        if (entry->d_name[0] != '.') {
            slaves++;
            all = all && is_encrypted(machine, entry->d_name, depth + 1);
        }
    if (list != NULL)
        closedir(list);
    return slaves > 0 && all;
}

/* The name in /sys of the device that holds a file: "dm-1"; false: none. */
static bool
device_of(char out[NAME_MAX + 1], const struct machine *machine,
          const char *path)
{
    char link[PATH_MAX], target[PATH_MAX];
    struct stat status;

    if (stat(path, &status) != 0)
        return false;
    dev_t device = S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev;

    snprintf(link, sizeof link, "%s/dev/block/%u:%u", machine->sys,
             major(device), minor(device));
    ssize_t n = readlink(link, target, sizeof target - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(out, NAME_MAX + 1, "%.*s", NAME_MAX,
             slash != NULL ? slash + 1 : target);
    return true;
}

const struct machine this_machine = {"/proc", "/sys"};

enum swap_kind { SWAP_MEMORY, SWAP_ENCRYPTED, SWAP_PLAIN };

/* /proc/swaps writes blanks in names as \040; such a name is found nowhere. */
static enum swap_kind
kind_of_swap(const struct machine *machine, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char text[SMALL_FILE], device[NAME_MAX + 1];

    if (strncmp(name, "zram", 4) == 0) {
        // what compressed memory does not hold may go to a disk
        bool backed = read_small(text, "%s/class/block/%s/backing_dev",
                                 machine->sys, name) &&
                      strcmp(text, "none") != 0;

        return backed ? SWAP_PLAIN : SWAP_MEMORY;
    }
    if (is_encrypted(machine, name, 0) ||
        (device_of(device, machine, path) && is_encrypted(machine, device, 0)))
        return SWAP_ENCRYPTED;
    return SWAP_PLAIN;
}

static void
add_swap(struct findings *findings, const struct machine *machine,
         const char *path)
{
    switch (kind_of_swap(machine, path)) {
    case SWAP_MEMORY:
        findings_add(findings, "swap", NULL, "%s is compressed memory", path);
        break;
    case SWAP_ENCRYPTED:
        findings_add(findings, "swap", NULL, "%s is encrypted", path);
        break;
    case SWAP_PLAIN:
        findings_add(findings, "swap",
                     "Keys are locked in memory, but what you read and write "
                     "may end up there in the clear. Encrypt it (\"swap\" in "
                     "crypttab), use zram, or switch it off: swapoff -a.",
                     "%s is not encrypted, as far as can be seen", path);
        break;
    }
}

/* The areas in /proc/swaps: a heading, then a path at the start of a line. */
static size_t
each_swap(struct findings *findings, const struct machine *machine)
{
    char text[SMALL_FILE], *line, *rest = text;
    size_t count = 0;

    if (!read_small(text, "%s/swaps", machine->proc))
        return 0;
    for (size_t i = 0; (line = strsep(&rest, "\n")) != NULL; i++) {
        line[strcspn(line, " \t")] = '\0';
        if (i == 0 || *line == '\0')
            continue;
        add_swap(findings, machine, line);
        count++;
    }
    return count;
}

void
doctor_swap(struct findings *findings, const struct machine *machine)
{
    if (each_swap(findings, machine) == 0)
        findings_add(findings, "swap", NULL, "none is in use");
}

enum status
doctor_swap_safe(bool *out, const struct machine *machine, struct error *err)
{
    struct findings findings;

    TRY(findings_init(&findings, err));
    each_swap(&findings, machine);
    *out = findings.warnings == 0;
    findings_release(&findings);
    return STATUS_OK;
}

void
doctor_hibernation(struct findings *findings, const struct machine *machine)
{
    char states[SMALL_FILE], disk[SMALL_FILE], resume[SMALL_FILE];
    char device[NAME_MAX + 1], path[PATH_MAX], target[PATH_MAX];

    if (!read_small(states, "%s/power/state", machine->sys) ||
        strstr(states, "disk") == NULL ||
        (read_small(disk, "%s/power/disk", machine->sys) &&
         strstr(disk, "[disabled]") != NULL) ||
        !read_small(resume, "%s/power/resume", machine->sys) ||
        strcmp(resume, "0:0") == 0) {
        findings_add(findings, "hibernation", NULL, "not set up");
        return;
    }
    snprintf(path, sizeof path, "%s/dev/block/%.20s", machine->sys, resume);
    ssize_t n = readlink(path, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(device, sizeof device, "%.*s", NAME_MAX,
             slash != NULL ? slash + 1 : target);
    if (is_encrypted(machine, device, 0))
        findings_add(findings, "hibernation", NULL,
                     "its image is on %s, which is encrypted", device);
    else
        findings_add(findings, "hibernation",
                     "The image holds all memory, keys too. Lock the vault "
                     "before you hibernate, put the image on an encrypted "
                     "device, or forbid it: systemctl mask hibernate.target.",
                     "its image goes to device %s, which is not encrypted",
                     resume);
}

/* -- what others could read ------------------------------------------------ */

void
doctor_core_files(struct findings *findings, const struct machine *machine)
{
    char pattern[SMALL_FILE];

    if (!read_small(pattern, "%s/sys/kernel/core_pattern", machine->proc))
        findings_add(findings, "core files", NULL, "fathom writes none");
    else if (pattern[0] != '|')
        findings_add(findings, "core files", NULL,
                     "fathom and the programs it starts write none");
    else
        findings_add(findings, "core files",
                     "fathom gives it nothing, but an editor or pager that "
                     "crashes might, with your text in it. With "
                     "systemd-coredump: Storage=none in coredump.conf.",
                     "the kernel hands them to a program: %s", pattern + 1);
}

void
doctor_debuggers(struct findings *findings, const struct machine *machine)
{
    char scope[SMALL_FILE];

    if (!read_small(scope, "%s/sys/kernel/yama/ptrace_scope", machine->proc))
        findings_add(findings, "debuggers",
                     "fathom is closed to them by itself, but the programs of "
                     "a user can read an editor's or pager's memory. Use a "
                     "kernel with Yama (yama in lsm=).",
                     "this kernel has no Yama");
    else if (strcmp(scope, "0") == 0)
        findings_add(findings, "debuggers",
                     "fathom is closed to them by itself, but the programs of "
                     "a user can read an editor's or pager's memory: sysctl "
                     "kernel.yama.ptrace_scope=1.",
                     "any program of a user may look into another");
    else
        findings_add(findings, "debuggers", NULL,
                     "a program can look only into those it started "
                     "(ptrace_scope %s)",
                     scope);
}

void
doctor_locked_memory(struct findings *findings, uint64_t limit_bytes)
{
    if (limit_bytes >= LOCKED_LEAST)
        findings_add(findings, "locked memory", NULL,
                     "enough is allowed for keys");
    else
        findings_add(findings, "locked memory",
                     "Keys would not be kept out of swap. Raise it: a line "
                     "\"* - memlock 8192\" in /etc/security/limits.conf.",
                     "only %" PRIu64 " KiB may be locked", limit_bytes >> 10);
}
