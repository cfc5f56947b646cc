/*
 * The seccomp filter. Calls fail with EPERM and do not kill: libc and terminal
 * libraries try a socket now and then and go on without one.
 */
#include "config.h"

#include "base/confine.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What both programs give up. */
static const char *const denied[] = {
    // sockets: no new one, and nothing done with one that was inherited
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4",
    "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg",
    "shutdown", "getsockopt", "setsockopt", "getsockname", "getpeername",
    // a ring makes sockets without the call (IORING_OP_SOCKET)
    "io_uring_setup", "io_uring_enter", "io_uring_register",
    // other processes, their memory, their descriptors
    "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp",
    // parts of the kernel that we have no use for
    "bpf", "userfaultfd", "perf_event_open", "keyctl", "add_key", "request_key",
    "setns", "mount", "umount2", "pivot_root", "open_tree", "move_mount",
    "fsopen", "fsconfig", "fsmount", "fspick", "open_by_handle_at",
    "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "swapon", "swapoff", "acct", "reboot",
#ifndef WITH_SANITIZERS
    "ptrace", // which the leak checker needs
#endif
};

/* The engine starts no program; the interface starts engine and editor. */
static const char *const denied_engine[] = {
    "unshare",
    // files of others, which Landlock does not keep from all of these
    "truncate", "chmod", "fchmodat", "chown", "lchown", "fchownat", "setxattr",
    "lsetxattr", "removexattr", "lremovexattr", "utime", "utimes", "futimesat",
    "utimensat",
    // other processes, which Landlock keeps from signals since interface 6
    "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal",
#ifndef WITH_SANITIZERS
    "execve", "execveat", // which prints of a crash need
#endif
};

static enum status
deny(scmp_filter_ctx filter, const char *const *names, size_t count,
     struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        int failed =
            number == __NR_SCMP_ERROR
                ? -ENOSYS
                : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);

        if (failed != 0)
            return error_set(err, STATUS_DEVICE,
                             "the system call filter takes no rule for %s: %s",
                             names[i], strerror(-failed));
    }
    return STATUS_OK;
}

/* Nothing is typed into the terminal as if the user had typed it. */
static enum status
deny_typing(scmp_filter_ctx filter, struct error *err)
{
    const struct scmp_arg_cmp typing =
        SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, TIOCSTI);

    if (seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl),
                               1, &typing) != 0)
        return error_set(err, STATUS_DEVICE,
                         "the system call filter takes no rule for TIOCSTI");
    return STATUS_OK;
}

/* Signals to itself alone: abort() is one. */
static enum status
deny_signals(scmp_filter_ctx filter, struct error *err)
{
    const struct scmp_arg_cmp others =
        SCMP_A0(SCMP_CMP_NE, (scmp_datum_t) getpid(), 0);

    if (seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(kill), 1,
                               &others) != 0 ||
        seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill),
                               1, &others) != 0)
        return error_set(err, STATUS_DEVICE,
                         "the system call filter takes no rule for signals");
    return STATUS_OK;
}

static enum status
refused(const char *why, struct error *err)
{
    return error_set(err, STATUS_DEVICE,
                     "the kernel refuses the system call filter that keeps "
                     "the network closed (%s), so nothing is done; "
                     "fathom-security(7) says what it needs",
                     why);
}

static enum status
set_attributes(scmp_filter_ctx filter, struct error *err)
{
    if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                         SCMP_ACT_KILL_PROCESS) != 0 ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) != 0 ||
        // older kernels slow a filtered process down, for interpreters' sake
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1) != 0)
        return refused("it has none for all threads at once", err);
    return STATUS_OK;
}

static enum status
fill(scmp_filter_ctx filter, enum confine_program program, struct error *err)
{
    TRY(set_attributes(filter, err));
    TRY(deny(filter, denied, sizeof denied / sizeof *denied, err));
    if (program == CONFINE_ENGINE) {
        TRY(deny(filter, denied_engine,
                 sizeof denied_engine / sizeof *denied_engine, err));
        TRY(deny_signals(filter, err));
    }
    return deny_typing(filter, err);
}

static bool filtered;

bool
confine_filtered(void)
{
    return filtered;
}

enum status
confine_calls(enum confine_program program, struct error *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (filter == NULL)
        return error_set(err, STATUS_NOMEM,
                         "out of memory for the system call filter");
    enum status status = fill(filter, program, err);
    int failed = status == STATUS_OK ? seccomp_load(filter) : 0;

    seccomp_release(filter);
    if (failed != 0)
        return refused(strerror(-failed), err);
    filtered = status == STATUS_OK;
    return status;
}
