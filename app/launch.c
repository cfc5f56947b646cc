/* posix_spawn, and waiting for what was spawned. */
#include "config.h"

#include "app/launch.h"

#include "app/model/model_gate.h"
#include "app/places.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { END_MS = 2000 }; // an engine may take to end after its pipe was closed

static char **own_arguments;
static char *own_locale; // LC_ALL, or NULL

void
launch_remember(char **arguments)
{
    const char *locale = getenv("LC_ALL");

    own_arguments = arguments;
    own_locale = locale ? strdup(locale) : NULL;
}

enum status
launch_again(struct error *err)
{
    if (own_locale != NULL)
        setenv("LC_ALL", own_locale, 1);
    else
        unsetenv("LC_ALL");
    execv("/proc/self/exe", own_arguments);
    return error_errno(err, "this program cannot be begun anew");
}

/* What an engine is started with. */
struct launch {
    int in, out, err;        // its standard descriptors; -1: ours
    const char *warm, *idle; // options, or NULL
    const char *path;        // NULL: no model, only the proof
};

/*
 * A session of its own, and no signal ignored or handled. What keys send waits
 * until the engine ignores it: the session may begin just after the key.
 */
static void
set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t keys, usual;

    sigemptyset(&keys);
    sigaddset(&keys, SIGINT);
    sigaddset(&keys, SIGQUIT);
    sigaddset(&keys, SIGTSTP);
    sigfillset(&usual);
    posix_spawnattr_setsigmask(attributes, &keys);
    posix_spawnattr_setsigdefault(attributes, &usual);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
                                             POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
}

static void
set_descriptors(posix_spawn_file_actions_t *actions,
                const struct launch *launch)
{
    posix_spawn_file_actions_adddup2(actions, launch->in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(actions, launch->out, STDOUT_FILENO);
    if (launch->err >= 0)
        posix_spawn_file_actions_adddup2(actions, launch->err, STDERR_FILENO);
}

static enum status
spawn(pid_t *out, const struct launch *launch, struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char engine[PLACE_BYTES], model[PLACE_BYTES];
    const char *warm[] = {engine, launch->warm, launch->idle,
                          "--",   model,        NULL};
    const char *ours[] = {engine, "--", model, NULL};
    const char *proof[] = {engine, "--prove-offline", NULL};

    TRY(places_engine(engine, err));
    if (launch->path != NULL)
        TRY(model_gate(model, launch->path, err));
    // arguments are not written to; their type in C has no const
    char *argv[sizeof warm / sizeof *warm];
    if (launch->path == NULL)
        memcpy(argv, proof, sizeof proof);
    else if (launch->warm)
        memcpy(argv, warm, sizeof warm);
    else
        memcpy(argv, ours, sizeof ours);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    set_attributes(&attributes);
    set_descriptors(&actions, launch);
    errno = posix_spawnp(out, engine, &actions, &attributes, argv, environ);
    int failed = errno;

    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    errno = failed;
    return failed ? error_errno(err, "the engine %s cannot be started", engine)
                  : STATUS_OK;
}

static void
close_if_open(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

enum status
launch_piped(pid_t *process, int *to, int *from, const char *path,
             struct error *err)
{
    int down[2] = {-1, -1}, up[2] = {-1, -1}; // [0] is read, [1] written
    enum status status = STATUS_OK;

    if (pipe2(down, O_CLOEXEC) < 0 || pipe2(up, O_CLOEXEC) < 0 ||
        fcntl(down[1], F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(up[0], F_SETFL, O_NONBLOCK) < 0)
        status = error_errno(err, "cannot make pipes to the engine");
    if (status == STATUS_OK)
        status =
            spawn(process,
                  &(struct launch){
                      .in = down[0], .out = up[1], .err = -1, .path = path},
                  err);
    close_if_open(&down[0]);
    close_if_open(&up[1]);
    if (status != STATUS_OK) {
        close_if_open(&down[1]);
        close_if_open(&up[0]);
    }
    *to = down[1];
    *from = up[0];
    return status;
}

enum status
launch_prove(pid_t *process, int *from, struct error *err)
{
    int told[2] = {-1, -1};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    enum status status = STATUS_OK;

    if (nothing < 0 || pipe2(told, O_CLOEXEC) < 0)
        status = error_errno(err, "cannot prepare the engine's descriptors");
    if (status == STATUS_OK)
        status = spawn(
            process, &(struct launch){.in = nothing, .out = told[1], .err = -1},
            err);
    close_if_open(&nothing);
    close_if_open(&told[1]);
    if (status != STATUS_OK)
        close_if_open(&told[0]);
    *from = told[0];
    return status;
}

/* Waits for the child to end; false when it lives on after END_MS. */
bool
launch_reap(pid_t process, int *how)
{
    static const struct timespec tick = {.tv_nsec = 1000000};

    for (int ms = 0; ms < END_MS; ms++) {
        pid_t ended = waitpid(process, how, WNOHANG);

        if (ended == process || (ended < 0 && errno != EINTR))
            return true;
        nanosleep(&tick, NULL);
    }
    return false;
}

void
launch_end(pid_t process, int *how)
{
    if (launch_reap(process, how))
        return;
    kill(process, SIGKILL);
    while (waitpid(process, how, 0) < 0 && errno == EINTR)
        continue;
}

/*
 * What an engine that would not start said on its standard error: a sentence
 * after its name.
 */
enum status
launch_said(int said, const char *otherwise, struct error *err)
{
    static const char name[] = "fathom-engine: ";
    char text[900];
    ssize_t n = read(said, text, sizeof text - 1);
    size_t skip = sizeof name - 1, length = n > 0 ? (size_t) n : 0;

    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (strncmp(text, name, skip) != 0)
        skip = 0;
    return error_set(err, STATUS_IO, "%s",
                     text[skip] != '\0' ? text + skip : otherwise);
}

/* The engine that was just started as a warm one has ended. */
enum status
launch_failed(struct launched *launched, int how, struct error *err)
{
    if (WIFEXITED(how) && WEXITSTATUS(how) != 0)
        *launched->code = WEXITSTATUS(how);
    launched->process = 0;
    return launch_said(launched->said, "the engine ended at once", err);
}

enum status
launch_warm(struct launched *launched, const char *directory, const char *path,
            uint64_t idle_s, struct error *err)
{
    char warm[PLACE_BYTES + 16], idle[40];
    int said[2] = {-1, -1};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct launch launch = {.warm = warm, .idle = idle, .path = path};
    enum status status = STATUS_OK;

    snprintf(warm, sizeof warm, "--warm=%s", directory);
    snprintf(idle, sizeof idle, "--idle=%llu", (unsigned long long) idle_s);
    if (nothing < 0 || pipe2(said, O_CLOEXEC | O_NONBLOCK) < 0)
        status = error_errno(err, "cannot prepare the engine's descriptors");
    launch.in = launch.out = nothing;
    launch.err = said[1];
    if (status == STATUS_OK)
        status = spawn(&launched->process, &launch, err);
    close_if_open(&nothing);
    close_if_open(&said[1]);
    launched->said = said[0];
    return status;
}
