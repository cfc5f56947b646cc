/*
 * base/confine.h. What is given up cannot be had back, so each test runs in a
 * process of its own and tells by its exit status.
 */
#include "config.h"

#include "base/base.h"
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIP = 77 };

static struct error err;

/* Calls test in a child; its result, or -signal. */
static int
in_child(int (*test)(void))
{
    int how;
    pid_t child = fork();

    if (child == 0)
        _exit(test());
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}

/* In a child an expectation that fails is its line. */
#define EXPECT(what)                                                           \
    do {                                                                       \
        if (!(what)) {                                                         \
            fprintf(stderr, "# line %d: %s\n", __LINE__, #what);               \
            return 1;                                                          \
        }                                                                      \
    } while (0)

#define EXPECT_OK(call) EXPECT((call) == STATUS_OK)

/* -- the filter ------------------------------------------------------------ */

struct tally {
    size_t ways, open;
};

static void
count(void *context, const char *way, int error, bool closed)
{
    struct tally *tally = context;

    tally->ways++;
    // imports are this test program's, which has ways of its own
    if (!closed && strncmp(way, "imports", 7) != 0 &&
        strncmp(way, "descriptor", 10) != 0) {
        tally->open++;
        fprintf(stderr, "# open: %s (%d)\n", way, error);
    }
}

static int
all_is_closed(void)
{
    struct tally tally = {0};

    EXPECT_OK(confine_memory(&err));
    EXPECT_OK(confine_calls(CONFINE_INTERFACE, &err));
    confine_probe(count, &tally);
    EXPECT(tally.open == 0);
    EXPECT(tally.ways >= 29);
    return 0;
}

static void
every_way_is_closed_by_the_filter(void **state)
{
    (void) state;
    assert_int_equal(in_child(all_is_closed), 0);
}

static int
something_is_open(void)
{
    struct tally tally = {0};

    confine_probe(count, &tally);
    EXPECT(tally.open >= 17); // the calls, at least, exist
    return 0;
}

static void
the_probe_sees_what_is_open(void **state)
{
    int error = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

    (void) state;
    dup2(null, STDERR_FILENO);
    int result = in_child(something_is_open);

    dup2(error, STDERR_FILENO);
    close(error);
    close(null);
    assert_int_equal(result, 0);
}

/* A filter that only denies the call leaves the ring's way open. */
static int
a_ring_is_a_bypass(void)
{
    if (confine_probe_ring() != 0)
        return SKIP; // kernel or container without rings
    EXPECT_OK(confine_calls(CONFINE_ENGINE, &err));
    EXPECT(confine_probe_ring() == EPERM);
    return 0;
}

static void
a_ring_makes_sockets_until_it_is_closed_too(void **state)
{
    (void) state;
    int result = in_child(a_ring_is_a_bypass);

    if (result == SKIP)
        skip();
    assert_int_equal(result, 0);
}

static void *
make_socket(void *context)
{
    int *failed = context;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    *failed = fd < 0 ? errno : 0;
    return NULL;
}

struct waiting {
    pthread_barrier_t barrier;
    int failed;
};

static void *
make_socket_later(void *context)
{
    struct waiting *waiting = context;

    pthread_barrier_wait(&waiting->barrier);
    return make_socket(&waiting->failed);
}

static int
threads_are_filtered(void)
{
    struct waiting waiting = {.failed = -1};
    pthread_t before, after;
    int failed = -1;

    pthread_barrier_init(&waiting.barrier, NULL, 2);
    EXPECT(pthread_create(&before, NULL, make_socket_later, &waiting) == 0);
    EXPECT_OK(confine_calls(CONFINE_ENGINE, &err));
    pthread_barrier_wait(&waiting.barrier);
    pthread_join(before, NULL);
    EXPECT(waiting.failed == EPERM);
    EXPECT(pthread_create(&after, NULL, make_socket, &failed) == 0);
    pthread_join(after, NULL);
    EXPECT(failed == EPERM);
    return 0;
}

static void
threads_of_before_and_after_are_filtered(void **state)
{
    (void) state;
    assert_int_equal(in_child(threads_are_filtered), 0);
}

static int
inherited_socket_is_mute(void)
{
    int pair[2];
    char byte = 1;
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    EXPECT_OK(confine_calls(CONFINE_INTERFACE, &err));
    EXPECT(send(pair[0], &byte, 1, 0) < 0 && errno == EPERM);
    EXPECT(sendmsg(pair[0], &message, 0) < 0 && errno == EPERM);
    EXPECT(recv(pair[1], &byte, 1, MSG_DONTWAIT) < 0 && errno == EPERM);
    EXPECT(shutdown(pair[0], SHUT_RDWR) < 0 && errno == EPERM);
    return 0;
}

static void
a_socket_from_before_takes_no_message(void **state)
{
    (void) state;
    assert_int_equal(in_child(inherited_socket_is_mute), 0);
}

static int
children_are_filtered(void)
{
    EXPECT_OK(confine_memory(&err));
    EXPECT_OK(confine_calls(CONFINE_INTERFACE, &err));
    execlp("python3", "python3", "-c",
           "import socket\n"
           "try: socket.socket()\n"
           "except PermissionError: raise SystemExit(0)\n"
           "raise SystemExit(1)\n",
           (char *) NULL);
    return SKIP;
}

static void
what_is_executed_inherits_the_filter(void **state)
{
    (void) state;
    int result = in_child(children_are_filtered);

    if (result == SKIP)
        skip();
    assert_int_equal(result, 0);
}

static int
typing_is_refused(void)
{
    char key = 'x';

    EXPECT_OK(confine_calls(CONFINE_INTERFACE, &err));
    EXPECT(ioctl(STDIN_FILENO, TIOCSTI, &key) < 0 && errno == EPERM);
    // with bits above those that the kernel looks at
    EXPECT(syscall(SYS_ioctl, STDIN_FILENO, 0x100000000ul | TIOCSTI, &key) <
               0 &&
           errno == EPERM);
    return 0;
}

static void
nothing_is_typed_for_the_user(void **state)
{
    (void) state;
    assert_int_equal(in_child(typing_is_refused), 0);
}

/* What no file right of an older kernel's Landlock covers. */
static int
engine_changes_nothing(void)
{
    char path[] = "/tmp/fathom-confine-XXXXXX";
    int fd = mkstemp(path);
    struct stat stat;

    EXPECT(fd >= 0 && write(fd, "kept", 4) == 4);
    EXPECT_OK(confine_calls(CONFINE_ENGINE, &err));
    EXPECT(truncate(path, 0) < 0 && errno == EPERM);
    EXPECT(chmod(path, 0777) < 0 && errno == EPERM);
    EXPECT(utimensat(AT_FDCWD, path, NULL, 0) < 0 && errno == EPERM);
    EXPECT(kill(getppid(), 0) < 0 && errno == EPERM);
    EXPECT(kill(getpid(), 0) == 0);
    EXPECT(fstat(fd, &stat) == 0 && stat.st_size == 4 &&
           (stat.st_mode & 0777) == 0600);
    unlink(path);
    return 0;
}

static int
engine_can_abort(void)
{
    EXPECT_OK(confine_memory(&err));
    EXPECT_OK(confine_calls(CONFINE_ENGINE, &err));
    abort();
}

static void
the_engine_changes_no_file_and_signals_nobody(void **state)
{
    (void) state;
    assert_int_equal(in_child(engine_changes_nothing), 0);
    assert_int_equal(in_child(engine_can_abort), -SIGABRT);
}

#ifdef __x86_64__
static int
foreign_call(void)
{
    EXPECT_OK(confine_calls(CONFINE_ENGINE, &err));
    syscall(0x40000000 | SYS_getpid); // x32
    return 0;
}

static int
old_call(void)
{
    long result = 20; // getpid of i386

    EXPECT_OK(confine_calls(CONFINE_ENGINE, &err));
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    return 0;
}
#endif

static void
calls_of_a_foreign_architecture_kill(void **state)
{
    (void) state;
#ifdef __x86_64__
    assert_int_equal(in_child(foreign_call), -SIGSYS);
    int result = in_child(old_call);

    // a kernel without 32-bit calls has its own word for it
    assert_true(result == -SIGSYS || result == -SIGSEGV);
#else
    skip();
#endif
}

/* -- memory ---------------------------------------------------------------- */

static int
memory_is_private(void)
{
    struct rlimit limit;

    EXPECT_OK(confine_memory(&err));
    EXPECT(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
    EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
#ifndef WITH_SANITIZERS
    EXPECT(prctl(PR_GET_DUMPABLE) == 0);
#endif
    return 0;
}

static void
memory_is_in_no_core_file(void **state)
{
    (void) state;
    assert_int_equal(in_child(memory_is_private), 0);
}

/* -- descriptors ----------------------------------------------------------- */

static int
sockets_are_closed(void)
{
    int pair[2], ends[2];
    struct stat stat;

    EXPECT(pipe(ends) == 0);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    EXPECT(dup2(pair[0], 200) == 200);
    confine_descriptors();
    EXPECT(fstat(pair[0], &stat) != 0 && fstat(pair[1], &stat) != 0);
    EXPECT(fstat(200, &stat) != 0);
    EXPECT(fstat(ends[0], &stat) == 0); // a pipe stays
    return 0;
}

static void
inherited_sockets_are_closed(void **state)
{
    (void) state;
    assert_int_equal(in_child(sockets_are_closed), 0);
}

/* -- the network namespace ------------------------------------------------- */

/* What /proc/self/net/dev lists besides lo; -1 without the file. */
static int
interfaces(void)
{
    FILE *file = fopen("/proc/self/net/dev", "re");
    char line[512];
    int found = 0;

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL)
        found += strchr(line, ':') != NULL && strstr(line, " lo:") == NULL;
    fclose(file);
    return found;
}

static int
namespace_is_empty(void)
{
    uid_t user = geteuid();
    gid_t group = getegid();
    bool isolated;

    EXPECT_OK(confine_memory(&err));
    EXPECT_OK(confine_network(CONFINE_NETWORK_OR_USER, &isolated, &err));
    if (!isolated)
        return SKIP;
    EXPECT(interfaces() == 0);
    EXPECT(geteuid() == user && getegid() == group);
#ifndef WITH_SANITIZERS
    EXPECT(prctl(PR_GET_DUMPABLE) == 0);
#endif
    // no power is left of making it
    EXPECT(user == 0 || unshare(CLONE_NEWNET) < 0);
    return 0;
}

static int
namespace_of_nobody(void)
{
    // not 65534, which is what a number without a map looks like
    if (geteuid() == 0 && (setgid(65533) != 0 || setuid(65533) != 0))
        return SKIP;
    prctl(PR_SET_DUMPABLE, 1); // as after execve
    return namespace_is_empty();
}

static void
the_namespace_is_empty_and_users_stay_who_they_are(void **state)
{
    (void) state;
    int result = in_child(namespace_is_empty), other;

    if (result != SKIP)
        assert_int_equal(result, 0);
    other = in_child(namespace_of_nobody);
    if (other == SKIP)
        skip();
    assert_int_equal(other, 0);
}

/* -- files ----------------------------------------------------------------- */

static char folder[64], allowed[96], other[96], sub[96];

static int
make_files(void **state)
{
    (void) state;
    strcpy(folder, "/tmp/fathom-confine-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(allowed, sizeof allowed, "%s/allowed", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    snprintf(sub, sizeof sub, "%s/run", folder);
    close(open(allowed, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    return mkdir(sub, 0700);
}

static int
remove_files(void **state)
{
    char command[128];

    (void) state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command); // NOLINT(cert-env33-c): a path of our own
}

static bool
denied(int result)
{
    int failed = errno;

    if (result >= 0)
        close(result);
    return result < 0 && failed == EACCES;
}

static int
files_are_closed(void)
{
    char fifo[128], name[128], end[64];
    int ends[2];
    bool confined;

    snprintf(fifo, sizeof fifo, "%s/client.in", sub);
    snprintf(name, sizeof name, "%s/new", sub);
    EXPECT(mkfifo(fifo, 0600) == 0);
    EXPECT(pipe(ends) == 0);
    snprintf(end, sizeof end, "/proc/self/fd/%d", ends[0]);
    EXPECT_OK(confine_memory(&err));
    EXPECT_OK(confine_files(
        (struct confine_place[]){{allowed, CONFINE_READ},
                                 {"/nowhere/at/all", CONFINE_READ},
                                 {end, CONFINE_READ}, // has no place
                                 {sub, CONFINE_FIFOS}},
        4, &confined, &err));
    if (!confined)
        return SKIP;
    EXPECT(open(allowed, O_RDONLY) >= 0);
    EXPECT(denied(open(allowed, O_WRONLY)));
    EXPECT(denied(open(other, O_RDONLY)));
    EXPECT(denied(open(folder, O_RDONLY | O_DIRECTORY)));
    EXPECT(denied(open("/etc/passwd", O_RDONLY)));
    EXPECT(open(fifo, O_RDWR | O_NONBLOCK) >= 0);
    EXPECT(denied(open(name, O_CREAT | O_WRONLY, 0600)));
    EXPECT(mkfifo(name, 0600) < 0 && errno == EACCES);
    EXPECT(unlink(other) < 0 && errno == EACCES);
    EXPECT(unlink(fifo) == 0);
    execl("/bin/true", "true", (char *) NULL);
    EXPECT(errno == EACCES);
    if (confine_landlock() >= 6)
        EXPECT(kill(getppid(), 0) < 0 && errno == EPERM);
    return 0;
}

static void
only_the_named_files_can_be_opened(void **state)
{
    (void) state;
    int result = in_child(files_are_closed);

    if (result == SKIP)
        skip();
    assert_int_equal(result, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_is_closed_by_the_filter),
        cmocka_unit_test(the_probe_sees_what_is_open),
        cmocka_unit_test(a_ring_makes_sockets_until_it_is_closed_too),
        cmocka_unit_test(threads_of_before_and_after_are_filtered),
        cmocka_unit_test(a_socket_from_before_takes_no_message),
        cmocka_unit_test(what_is_executed_inherits_the_filter),
        cmocka_unit_test(nothing_is_typed_for_the_user),
        cmocka_unit_test(the_engine_changes_no_file_and_signals_nobody),
        cmocka_unit_test(calls_of_a_foreign_architecture_kill),
        cmocka_unit_test(memory_is_in_no_core_file),
        cmocka_unit_test(inherited_sockets_are_closed),
        cmocka_unit_test(the_namespace_is_empty_and_users_stay_who_they_are),
        cmocka_unit_test_setup_teardown(only_the_named_files_can_be_opened,
                                        make_files, remove_files),
    };

    return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
