/*
 * Landlock, by its three system calls: libc has no functions for them, and
 * headers know fewer rights than kernels. Rights that a kernel does not know
 * are left out; those that nobody is given are denied everywhere.
 */
#include "config.h"

#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset // the same on every architecture
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum {
    RULESET_VERSION = 1, // flag: only say which interface there is
    RULE_BENEATH = 1,
    ABI_NET = 4,
    ABI_SCOPE = 6,
};

/* Rights of files: bits, and since which interface. */
enum {
    RIGHT_WRITE_FILE = 1 << 1,
    RIGHT_READ_FILE = 1 << 2,
    RIGHT_READ_DIR = 1 << 3,
    RIGHT_REMOVE_FILE = 1 << 5,
    RIGHTS_FIRST = (1 << 13) - 1, // interface 1
    RIGHT_REFER = 1 << 13,        // 2
    RIGHT_TRUNCATE = 1 << 14,     // 3
    RIGHT_IOCTL_DEVICE = 1 << 15, // 5
};

struct ruleset {
    uint64_t files;
    uint64_t network; // TCP: bind, connect; interface 4
    uint64_t scope;   // abstract sockets, signals; interface 6
};

struct beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

unsigned
confine_landlock(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t) 0, RULESET_VERSION);

    return version > 0 ? (unsigned) version : 0;
}

static uint64_t
known_rights(unsigned version)
{
    uint64_t rights = RIGHTS_FIRST;

    if (version >= 2)
        rights |= RIGHT_REFER;
    if (version >= 3)
        rights |= RIGHT_TRUNCATE;
    if (version >= 5)
        rights |= RIGHT_IOCTL_DEVICE;
    return rights;
}

/* The size tells the kernel how much of the struct we know. */
static size_t
ruleset_bytes(unsigned version)
{
    if (version >= ABI_SCOPE)
        return sizeof(struct ruleset);
    return version >= ABI_NET ? offsetof(struct ruleset, scope)
                              : offsetof(struct ruleset, network);
}

static uint64_t
rights_of(enum confine_access access)
{
    switch (access) {
    case CONFINE_READ:
        return RIGHT_READ_FILE;
    case CONFINE_LIST:
        return RIGHT_READ_DIR;
    case CONFINE_FIFOS:
        return RIGHT_READ_FILE | RIGHT_WRITE_FILE | RIGHT_REMOVE_FILE;
    }
    return 0;
}

static enum status
refused(struct error *err, const char *what)
{
    error_fill_errno(err, "Landlock is there, but %s", what);
    return err->status = STATUS_DEVICE;
}

static enum status
add_place(int ruleset, const struct confine_place *place, struct error *err)
{
    struct beneath rule = {.allowed = rights_of(place->access)};

    rule.parent = open(place->path, O_PATH | O_CLOEXEC);
    if (rule.parent < 0)
        return STATUS_OK; // what is not there needs no right
    long added =
        syscall(SYS_landlock_add_rule, ruleset, RULE_BENEATH, &rule, 0U);
    int failed = errno;

    close(rule.parent);
    errno = failed;
    // EBADFD: a pipe, which has no place among files and needs no rule
    return added == 0 || failed == EBADFD ? STATUS_OK
                                          : refused(err, "it takes no rule");
}

enum status
confine_files(const struct confine_place *places, size_t count, bool *confined,
              struct error *err)
{
    unsigned version = confine_landlock();
    struct ruleset rules = {known_rights(version), 3, 3};

    *confined = false;
    if (version == 0)
        return STATUS_OK;
    int ruleset = (int) syscall(SYS_landlock_create_ruleset, &rules,
                                ruleset_bytes(version), 0U);
    if (ruleset < 0)
        return refused(err, "it takes no rules");
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_place(ruleset, &places[i], err);
    if (status == STATUS_OK &&
        syscall(SYS_landlock_restrict_self, ruleset, 0U) != 0)
        status = refused(err, "it cannot be switched on");
    close(ruleset);
    *confined = status == STATUS_OK;
    return status;
}
