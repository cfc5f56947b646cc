/*
 * All is asked at once, so that a far terminal takes no longer than a near
 * one; the last question says that all others have been answered. The line is
 * never the first one of the terminal (terminal_answer.h has the reason).
 */
#include "config.h"

#include "ui/screen/width_probe.h"

#include "ui/screen/terminal_answer.h"
#include "ui/screen/tty.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum {
    WAIT_MS = 1000,
    ANSWERS_MOST_BYTES = 64 << 10,
    PASTE_MODE = 2004,
    MOUSE_MODE = 1006,
};

#define NS_PER_MS UINT64_C(1000000)

static const int held_back[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

struct answers {
    struct width_probe *probe;
    struct answer_reader reader;
    unsigned row;  // of the cursor; 0: not known yet
    size_t count;  // of cursors
    bool row_kept; // all of them were in that row
    bool ready;
    bool stopped; // by a signal
    size_t bytes;
};

/* -- signals ----------------------------------------------------------------
 */

/* They wait for release_signals; the descriptor is readable once one does. */
static enum status
hold_signals(sigset_t *before, int *descriptor, struct error *err)
{
    sigset_t held;

    sigemptyset(&held);
    for (size_t i = 0; i < sizeof held_back / sizeof *held_back; i++)
        sigaddset(&held, held_back[i]);
    *descriptor = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*descriptor < 0)
        return error_errno(err, "cannot hold signals back");
    sigprocmask(SIG_BLOCK, &held, before);
    return STATUS_OK;
}

static void
release_signals(const sigset_t *before, int descriptor)
{
    close(descriptor);
    sigprocmask(SIG_SETMASK, before, NULL);
}

/* -- questions --------------------------------------------------------------
 */

static enum status
ask(const struct width_probe *probe, struct error *err)
{
    struct buffer out = {0};
    enum status status = buffer_print(&out, err, "\r\n");

    for (size_t i = 0; status == STATUS_OK && i < probe->count; i++)
        status = buffer_print(&out, err, "\r%s\033[6n\r\033[K",
                              probe->samples[i].text);
    // a terminal that prints what it does not know has it wiped
    if (status == STATUS_OK)
        status = buffer_print(&out, err, "\033[?%d$p\033[?%d$p\r\033[K\033[5n",
                              PASTE_MODE, MOUSE_MODE);
    if (status == STATUS_OK)
        status = tty_write(out.data, out.length, err);
    buffer_release(&out);
    return status;
}

/* -- answers ----------------------------------------------------------------
 */

static void
take_cursor(struct answers *answers, unsigned row, unsigned column)
{
    // a key; see terminal_answer.h
    if (row == 1)
        return;
    if (answers->row == 0)
        answers->row = row;
    answers->row_kept = answers->row_kept && answers->row == row;
    if (answers->count < answers->probe->count)
        answers->probe->samples[answers->count].columns = column - 1;
    answers->count++;
}

static void
take_mode(struct answers *answers, unsigned mode, unsigned state)
{
    // 0: not known; 4: known, and always off
    enum mode_known known =
        state == 0 || state >= 4 ? MODE_UNKNOWN : MODE_KNOWN;

    if (mode == PASTE_MODE)
        answers->probe->paste = known;
    if (mode == MOUSE_MODE)
        answers->probe->mouse = known;
}

static void
take_byte(struct answers *answers, unsigned char byte)
{
    enum answer_kind kind = answer_reader_take(&answers->reader, byte);
    const unsigned *numbers = answers->reader.numbers;

    // what comes after the last answer was typed
    if (answers->ready)
        return;
    if (kind == ANSWER_CURSOR)
        take_cursor(answers, numbers[0], numbers[1]);
    if (kind == ANSWER_MODE)
        take_mode(answers, numbers[0], numbers[1]);
    answers->ready = kind == ANSWER_READY;
}

/* Waits for bytes until `end_ns`; STATUS_CANCELLED: for no longer. */
static enum status
wait_for_bytes(struct answers *answers, int signals, uint64_t end_ns,
               struct error *err)
{
    struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = signals, .events = POLLIN}};
    uint64_t now = clock_ns();
    int wait_ms = now < end_ns ? (int) ((end_ns - now) / NS_PER_MS) + 1 : 0;
    int count = poll(ready, 2, wait_ms);

    if (count < 0 && errno != EINTR)
        return error_errno(err, "cannot wait for the terminal");
    answers->stopped = count > 0 && ready[1].revents != 0;
    if (answers->stopped)
        return error_set(err, STATUS_CANCELLED, "stopped by a signal");
    if (count <= 0 && clock_ns() >= end_ns)
        return error_set(err, STATUS_CANCELLED, "the time is over");
    return STATUS_OK;
}

static enum status
read_some(struct answers *answers, struct error *err)
{
    unsigned char bytes[512];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return STATUS_OK;
    if (got <= 0)
        return error_set(err, STATUS_IO, "the terminal is gone");
    for (ssize_t i = 0; i < got; i++)
        take_byte(answers, bytes[i]);
    explicit_bzero(bytes, sizeof bytes);
    answers->bytes += (size_t) got;
    if (answers->bytes > ANSWERS_MOST_BYTES)
        return error_set(err, STATUS_CANCELLED, "it sends without end");
    return STATUS_OK;
}

/* Until all is answered; else as long as there is time. */
static enum status
gather(struct answers *answers, int signals, struct error *err)
{
    uint64_t end_ns = clock_ns() + WAIT_MS * NS_PER_MS;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && !answers->ready) {
        status = wait_for_bytes(answers, signals, end_ns, err);
        if (status == STATUS_OK)
            status = read_some(answers, err);
    }
    // some answer all but the last question
    return status == STATUS_CANCELLED ? STATUS_OK : status;
}

static enum status
judge(const struct answers *answers, struct error *err)
{
    size_t asked = answers->probe->count;
    size_t got = answers->count;

    if (got == 0)
        return error_set(err, STATUS_UNSUPPORTED,
                         answers->ready
                             ? "the terminal does not say where its cursor is"
                             : "the terminal did not answer within a second");
    if (got != asked)
        return error_set(err, STATUS_UNSUPPORTED,
                         "the terminal answered %zu times to %zu questions",
                         got, asked);
    if (!answers->row_kept)
        return error_set(err, STATUS_UNSUPPORTED,
                         "the terminal says that its cursor was in several "
                         "lines, where it was in one");
    return STATUS_OK;
}

/* -- all of it --------------------------------------------------------------
 */

static enum status
ask_and_gather(struct answers *answers, int signals, struct error *err)
{
    enum status status = ask(answers->probe, err);

    if (status == STATUS_OK)
        status = gather(answers, signals, err);
    // late answers would be keys of the shell
    if (!answers->ready)
        tcflush(STDIN_FILENO, TCIFLUSH);
    return status;
}

/* One try, with the signals that are waiting delivered behind it. */
static enum status
try_once(struct answers *answers, struct error *err)
{
    static const char restore[] = "\r\033[K\033[A";
    sigset_t before;
    int signals;

    TRY(hold_signals(&before, &signals, err));
    enum status status = tty_open(restore, strlen(restore), err);

    if (status == STATUS_OK)
        status = ask_and_gather(answers, signals, err);
    tty_close();
    release_signals(&before, signals);
    return status;
}

enum status
width_probe_run(struct width_probe *probe, struct error *err)
{
    struct answers answers;

    assert(probe->count <= WIDTH_SAMPLES_MOST);
    do {
        if (tcgetpgrp(STDIN_FILENO) != getpgrp())
            return error_set(err, STATUS_UNSUPPORTED,
                             "the terminal belongs to another program now");
        probe->paste = probe->mouse = MODE_NOT_TOLD;
        answers = (struct answers){.probe = probe, .row_kept = true};
        TRY(try_once(&answers, err));
        // a signal that was to end the program has done so
    } while (answers.stopped);
    return judge(&answers, err);
}
