/* A pipe and a process. */
#include "config.h"

#include "app/screen/side_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { ARGUMENTS_MOST = 8 };

/* Away from the terminal, so that Ctrl-C there is not for it. */
static int
spawn(pid_t *out, char *const *argv, int to)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;

    sigemptyset(&none);
    sigfillset(&usual);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                              POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                     O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, to, STDERR_FILENO);
    int failed = posix_spawn(out, "/proc/self/exe", &actions, &attributes, argv,
                             environ);

    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

enum status
side_run_start(struct side_run *run, const char *const *arguments,
               struct error *err)
{
    const char *list[ARGUMENTS_MOST + 2] = {"fathom"};
    char *argv[ARGUMENTS_MOST + 2];
    int ends[2];

    side_run_stop(run);
    for (size_t i = 0; i < ARGUMENTS_MOST && arguments[i] != NULL; i++)
        list[i + 1] = arguments[i];
    // arguments are not written to; their type in C has no const
    memcpy(argv, list, sizeof argv);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "no pipe can be made");
    errno = spawn(&run->process, argv, ends[1]);
    int failed = errno;

    close(ends[1]);
    if (failed) {
        close(ends[0]);
        run->process = 0;
        errno = failed;
        return error_errno(err, "fathom cannot be run beside the screen");
    }
    run->from = ends[0];
    return STATUS_OK;
}

/* The end of its output is its end. */
static void
reap(struct side_run *run)
{
    int how = 0;

    while (waitpid(run->process, &how, 0) < 0 && errno == EINTR)
        ;
    close(run->from);
    run->process = 0;
    run->ended = true;
    run->code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

bool
side_run_take(struct side_run *run, int wait_ms)
{
    struct pollfd poll_for = {.fd = run->from, .events = POLLIN};
    char some[4096];
    struct error err;

    if (run->process == 0)
        return false;
    if (poll(&poll_for, 1, wait_ms) <= 0)
        return true;
    ssize_t got = read(run->from, some, sizeof some);

    if (got < 0 && errno == EINTR)
        return true;
    if (got > 0 && run->output.length < SIDE_RUN_BYTES &&
        buffer_append(&run->output, some, (size_t) got, &err) != STATUS_OK)
        log_warn("output is lost: status %d", (int) err.status);
    if (got <= 0)
        reap(run);
    return run->process != 0;
}

void
side_run_stop(struct side_run *run)
{
    if (run->process != 0) {
        kill(run->process, SIGKILL);
        reap(run);
    }
    buffer_release(&run->output);
    *run = (struct side_run){0};
}
