/* Memory, descriptors, and an empty network namespace. */
#include "config.h"

#include "base/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

/* -- memory ---------------------------------------------------------------- */

enum status
confine_memory(struct error *err)
{
    static const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return error_errno(err, "cannot switch core files off");
#ifndef WITH_SANITIZERS
    // a core_pattern that is a pipe does not heed the limit, but this
    if (prctl(PR_SET_DUMPABLE, 0) != 0)
        return error_errno(err, "cannot keep debuggers away");
#endif
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_errno(err, "cannot give up new privileges");
    return STATUS_OK;
}

/* -- descriptors ----------------------------------------------------------- */

void
confine_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;
    struct stat stat;

    while (list != NULL && (entry = readdir(list)) != NULL) {
        int fd = (int) strtol(entry->d_name, NULL, 10);

        if (fd > STDERR_FILENO && fd != dirfd(list) && fstat(fd, &stat) == 0 &&
            S_ISSOCK(stat.st_mode))
            close(fd);
    }
    if (list != NULL)
        closedir(list);
}

/* -- the network namespace ------------------------------------------------- */

static enum status
write_map(const char *path, const char *text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t) strlen(text)) {
        error_fill_errno(err, "in a namespace of its own: cannot write %s",
                         path);
        err->status = STATUS_DEVICE;
        if (fd >= 0)
            close(fd);
        return STATUS_DEVICE;
    }
    close(fd);
    return STATUS_OK;
}

/* The user stays who they are; nobody else has a number in the namespace. */
static enum status
map_self(uid_t user, gid_t group, struct error *err)
{
    char text[64];

    snprintf(text, sizeof text, "%u %u 1\n", (unsigned) user, (unsigned) user);
    TRY(write_map("/proc/self/uid_map", text, err));
    TRY(write_map("/proc/self/setgroups", "deny", err));
    snprintf(text, sizeof text, "%u %u 1\n", (unsigned) group,
             (unsigned) group);
    return write_map("/proc/self/gid_map", text, err);
}

/* Whoever makes a user namespace has every capability in it: not kept. */
static enum status
drop_capabilities(struct error *err)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (syscall(SYS_capset, &header, none) == 0)
        return STATUS_OK;
    error_fill_errno(err, "cannot give up the capabilities of a namespace");
    return err->status = STATUS_DEVICE;
}

enum status
confine_network(enum confine_namespace how, bool *isolated, struct error *err)
{
    uid_t user = geteuid();
    gid_t group = getegid();

    *isolated = unshare(CLONE_NEWNET) == 0;
    // as root a user namespace would take away more than it gives
    if (*isolated || how == CONFINE_NETWORK || user == 0 ||
        access("/proc/self/setgroups", F_OK) != 0)
        return STATUS_OK;
#ifndef WITH_SANITIZERS
    // the files of /proc/self belong to root while the process is closed
    prctl(PR_SET_DUMPABLE, 1);
#endif
    *isolated = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    enum status status = *isolated ? map_self(user, group, err) : STATUS_OK;

    if (*isolated && status == STATUS_OK)
        status = drop_capabilities(err);
#ifndef WITH_SANITIZERS
    if (prctl(PR_SET_DUMPABLE, 0) != 0 && status == STATUS_OK)
        status = error_errno(err, "cannot keep debuggers away");
#endif
    return status;
}
