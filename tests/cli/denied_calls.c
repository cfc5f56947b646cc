/*
 * denied_calls NAME,... COMMAND [ARGUMENT]...: runs a command on a kernel that
 * seems to lack these system calls (ENOSYS). NAME "no-filter" is the call that
 * loads a filter, by either of its ways.
 */
#include "config.h"

#include <errno.h>
#include <linux/prctl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BROKEN = 99 };

static void
deny(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);

    if (number == __NR_SCMP_ERROR ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0) != 0) {
        fprintf(stderr, "denied_calls: %s cannot be denied\n", name);
        exit(BROKEN);
    }
}

static void
deny_filters(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp loading = SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0);

    deny(filter, "seccomp");
    if (seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl),
                               1, &loading) != 0)
        exit(BROKEN);
}

int
main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (argc < 3 || filter == NULL)
        return BROKEN;
    for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ","))
        if (strcmp(name, "no-filter") == 0)
            deny_filters(filter);
        else
            deny(filter, name);
    if (seccomp_load(filter) != 0) {
        fputs("denied_calls: this kernel has no filters\n", stderr);
        return 77;
    }
    seccomp_release(filter);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return BROKEN;
}
