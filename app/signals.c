/* Handlers set a flag and write one byte into a pipe of our own. */
#include "config.h"

#include "app/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static int wake[2] = {-1, -1};
static volatile sig_atomic_t interrupted, ended, locked, stopped, resized,
    continued, hurried;
static _Atomic bool asked;
static volatile sig_atomic_t at_once; // a second one ends the process
static volatile pid_t companion;

static void
wake_up(void)
{
    int saved = errno;

    if (write(wake[1], "", 1) < 0) {
        // full: it is readable already
    }
    errno = saved;
}

static void
end_at_once(int number)
{
    if (companion > 0)
        kill(companion, SIGKILL);
    _exit(128 + number);
}

static void
on_interrupt(int number)
{
    if (at_once && interrupted)
        end_at_once(number);
    interrupted = 1;
    atomic_store(&asked, true);
    wake_up();
}

static void
on_end(int number)
{
    if (at_once && ended)
        end_at_once(number);
    ended = number;
    atomic_store(&asked, true);
    wake_up();
}

static void
on_lock(int number)
{
    (void) number;
    locked = 1;
    atomic_store(&asked, true);
    wake_up();
}

static void
on_resize(int number)
{
    (void) number;
    resized = 1;
    wake_up();
}

static void
on_hurry(int number)
{
    (void) number;
    hurried = 1;
    wake_up();
}

static void
on_stop(int number)
{
    (void) number;
    stopped = 1;
    wake_up();
}

static void
on_continue(int number)
{
    (void) number;
    continued = 1;
    wake_up();
}

static enum status
handle(int number, void (*handler)(int), struct error *err)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction before;

    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) < 0)
        return error_errno(err, "cannot handle signal %d", number);
    // nohup and background jobs of plain shells ignore some: leave them so
    if (before.sa_handler == SIG_IGN)
        return STATUS_OK;
    if (sigaction(number, &action, NULL) < 0)
        return error_errno(err, "cannot handle signal %d", number);
    return STATUS_OK;
}

static void
fill_ours(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGHUP);
    sigaddset(out, SIGQUIT);
    sigaddset(out, SIGTSTP);
    sigaddset(out, SIGUSR1);
}

/* What signals_hold of the program before this one held. */
static void
release(void)
{
    sigset_t ours;

    fill_ours(&ours);
    sigprocmask(SIG_UNBLOCK, &ours, NULL);
}

enum status
signals_start(enum signals_mode mode, struct error *err)
{
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_errno(err, "cannot make a pipe");
    at_once = mode == SIGNALS_ASK;
    TRY(handle(SIGINT, on_interrupt, err));
    TRY(handle(SIGTERM, on_end, err));
    TRY(handle(SIGHUP, on_end, err));
    if (mode == SIGNALS_ASK)
        return STATUS_OK;
    TRY(handle(SIGTSTP, on_stop, err));
    TRY(handle(SIGQUIT, on_hurry, err));
    TRY(handle(SIGUSR1, on_lock, err));
    TRY(handle(SIGWINCH, on_resize, err));
    TRY(handle(SIGCONT, on_continue, err));
    release();
    return STATUS_OK;
}

void
signals_hold(void)
{
    sigset_t ours;

    fill_ours(&ours);
    sigprocmask(SIG_BLOCK, &ours, NULL);
}

const _Atomic bool *
signals_asked(void)
{
    return &asked;
}

void
signals_begin(void)
{
    atomic_store(&asked, interrupted || ended || locked);
}

void
signals_companion(pid_t process)
{
    companion = process;
}

int
signals_descriptor(void)
{
    return wake[0];
}

/* The flags are looked at in this order. */
static int
take(void)
{
    if (ended)
        return ended;
    if (locked) {
        locked = 0;
        return SIGUSR1;
    }
    if (interrupted) {
        // in `ask` the flag stays, so that the next one ends the process
        if (!at_once)
            interrupted = 0;
        return SIGINT;
    }
    if (hurried) {
        hurried = 0;
        return SIGQUIT;
    }
    if (stopped) {
        stopped = 0;
        return SIGTSTP;
    }
    if (resized) {
        resized = 0;
        return SIGWINCH;
    }
    if (continued) {
        continued = 0;
        return SIGCONT;
    }
    return 0;
}

int
signals_taken(void)
{
    char bytes[64];

    while (wake[0] >= 0 && read(wake[0], bytes, sizeof bytes) > 0)
        continue;
    int number = take();

    // of several the next is found by the next wait
    if (number != 0 && wake[1] >= 0 &&
        (locked || hurried || stopped || resized || continued ||
         (!at_once && interrupted)))
        wake_up();
    return number;
}
