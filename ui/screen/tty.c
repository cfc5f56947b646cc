/*
 * Output goes through a descriptor of its own, which does not block; that of
 * standard output is shared with other programs and stays as it is. The way
 * back is made of async-signal-safe calls only, so a handler may take it.
 */
#include "config.h"

#include "ui/screen/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
    RESTORE_BYTES = 256,
    WAIT_MS = 20,       // for a terminal that is slow
    LAST_WAIT_MS = 500, // at the end, for one that has been stopped
    STACK_BYTES = 64 << 10,
};

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

enum { CRASHES = sizeof crashes / sizeof *crashes };

static struct {
    bool open;
    volatile sig_atomic_t ours; // the terminal is in our state
    int output;
    bool gone;
    struct termios before, raw;
    char restore[RESTORE_BYTES];
    size_t restore_length;
    struct buffer kept;
    struct sigaction crash_before[CRASHES];
} tty = {.output = -1};

static char crash_stack[STACK_BYTES];

/* -- the way back, as signal handlers may take it -------------------------- */

/* Only the foreground may; a background job would be stopped for it. */
static bool
may_touch(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void
send_at_last(const char *bytes, size_t length)
{
    for (int tries = 0; length > 0 && tries < LAST_WAIT_MS / WAIT_MS;) {
        struct pollfd ready = {.fd = tty.output, .events = POLLOUT};
        ssize_t sent = write(tty.output, bytes, length);

        if (sent > 0) {
            bytes += sent;
            length -= (size_t) sent;
        } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return;
        } else {
            tries++;
            poll(&ready, 1, WAIT_MS);
        }
    }
}

static void
go_back(void)
{
    if (!tty.ours)
        return;
    tty.ours = 0;
    if (!may_touch())
        return;
    send_at_last(tty.restore, tty.restore_length);
    // TCSADRAIN would wait for a terminal that has been stopped
    tcsetattr(STDIN_FILENO, TCSANOW, &tty.before);
}

static void
on_crash(int number)
{
    int saved = errno;

    go_back();
    for (int i = 0; i < CRASHES; i++)
        if (crashes[i] == number)
            sigaction(number, &tty.crash_before[i], NULL);
    errno = saved;
    // it waits until this handler is left
    raise(number);
}

static void
handle_crashes(void)
{
    static stack_t stack = {.ss_sp = crash_stack, .ss_size = STACK_BYTES};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
    stack_t now;

    // an overflow of the stack needs another one
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE) != 0)
        sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, &tty.crash_before[i]);
}

static void
leave_crashes(void)
{
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &tty.crash_before[i], NULL);
}

/* -- modes ------------------------------------------------------------------
 */

static struct termios
raw_of(struct termios modes)
{
    modes.c_iflag &= ~(tcflag_t) (ICRNL | INLCR | IGNCR | IXON | IXOFF |
                                  ISTRIP | INPCK | PARMRK);
    modes.c_oflag &= ~(tcflag_t) OPOST;
    modes.c_lflag &= ~(tcflag_t) (ICANON | ECHO | ECHONL | IEXTEN);
    modes.c_lflag |= ISIG;
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    modes.c_cc[VQUIT] = _POSIX_VDISABLE;
#ifdef VDSUSP
    modes.c_cc[VDSUSP] = _POSIX_VDISABLE;
#endif
    return modes;
}

void
tty_set_modes(void)
{
    if (tty.ours && may_touch())
        tcsetattr(STDIN_FILENO, TCSANOW, &tty.raw);
}

/* The same terminal once more, with flags of its own. */
static int
open_output(void)
{
    int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int descriptor = open("/proc/self/fd/1", flags);
    char name[256];

    if (descriptor < 0 && ttyname_r(STDOUT_FILENO, name, sizeof name) == 0)
        descriptor = open(name, flags);
    // then a stopped terminal stops us, as it does other programs
    if (descriptor < 0)
        descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    return descriptor;
}

static void
close_at_exit(void)
{
    tty_close();
}

enum status
tty_open(const char *restore, size_t length, struct error *err)
{
    static bool registered;

    if (length > sizeof tty.restore)
        return error_set(err, STATUS_LIMIT,
                         "the terminal takes %zu bytes to restore, over %d",
                         length, RESTORE_BYTES);
    if (tcgetattr(STDIN_FILENO, &tty.before) < 0)
        return error_errno(err, "cannot ask for the terminal's modes");
    tty.output = open_output();
    if (tty.output < 0)
        return error_errno(err, "cannot open the terminal");
    memcpy(tty.restore, restore, length);
    tty.restore_length = length;
    tty.gone = false;
    tty.raw = raw_of(tty.before);
    if (!registered)
        registered = atexit(close_at_exit) == 0;
    tty.open = true;
    handle_crashes();
    return tty_return(err);
}

void
tty_leave(void)
{
    if (!tty.ours)
        return;
    // what is half sent would swallow the beginning of the rest
    if (!tty.gone)
        send_at_last(tty.kept.data, tty.kept.length);
    buffer_clear(&tty.kept);
    go_back();
}

enum status
tty_return(struct error *err)
{
    tty.ours = 1;
    if (may_touch() && tcsetattr(STDIN_FILENO, TCSANOW, &tty.raw) < 0) {
        tty.ours = 0;
        return error_errno(err, "cannot set the terminal's modes");
    }
    return STATUS_OK;
}

void
tty_close(void)
{
    if (!tty.open)
        return;
    tty_leave();
    leave_crashes();
    close(tty.output);
    tty.output = -1;
    buffer_release(&tty.kept);
    explicit_bzero(tty.restore, sizeof tty.restore);
    tty.open = false;
}

static unsigned
number_of(const char *variable)
{
    const char *value = getenv(variable);
    long number = value ? strtol(value, NULL, 10) : 0;

    return number > 0 && number <= 1000 ? (unsigned) number : 0;
}

void
tty_size(unsigned *rows, unsigned *columns)
{
    struct winsize size = {0};

    // the variables are of the time when somebody set them
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        size = (struct winsize){0};
    *rows = size.ws_row ? size.ws_row : number_of("LINES");
    *columns = size.ws_col ? size.ws_col : number_of("COLUMNS");
    if (*rows == 0)
        *rows = 24;
    if (*columns == 0)
        *columns = 80;
}

/* -- output -----------------------------------------------------------------
 */

size_t
tty_pending(void)
{
    return tty.kept.length;
}

/* One try; *sent is 0 where the terminal takes nothing now. */
static enum status
send_some(const char *bytes, size_t length, size_t *sent, struct error *err)
{
    ssize_t written = write(tty.output, bytes, length);

    *sent = written > 0 ? (size_t) written : 0;
    if (written >= 0 || errno == EAGAIN || errno == EINTR)
        return STATUS_OK;
    tty.gone = true;
    buffer_clear(&tty.kept);
    return error_errno(err, "the terminal is gone");
}

enum status
tty_flush(struct error *err)
{
    uint64_t end = clock_ns() + WAIT_MS * (uint64_t) 1000000;
    size_t at = 0, sent;

    if (tty.gone)
        return error_set(err, STATUS_IO, "the terminal is gone");
    while (at < tty.kept.length) {
        struct pollfd ready = {.fd = tty.output, .events = POLLOUT};

        TRY(send_some(tty.kept.data + at, tty.kept.length - at, &sent, err));
        at += sent;
        if (at < tty.kept.length &&
            (clock_ns() >= end || poll(&ready, 1, WAIT_MS) <= 0))
            break;
    }
    buffer_drop(&tty.kept, at);
    return STATUS_OK;
}

enum status
tty_write(const char *bytes, size_t length, struct error *err)
{
    if (tty.gone)
        return error_set(err, STATUS_IO, "the terminal is gone");
    TRY(buffer_append(&tty.kept, bytes, length, err));
    return tty_flush(err);
}
