/* A line into locked memory, from wherever it comes. */
#include "config.h"

#include "app/vault/passphrase.h"

#include "app/notice.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
    TYPED_BYTES = 4096, // what a terminal gives as a line at most
    TRIES = 3,          // at typing the same twice
};

// -- a line -----------------------------------------------------------------

/* Reads up to a line feed, which is not kept, or to the end. */
static enum status
read_line(struct secret *into, int fd, bool *ended, struct error *err)
{
    size_t used = 0, room = secret_length(into);
    char byte;

    *ended = false;
    for (;;) {
        ssize_t got = read(fd, &byte, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err,
                               "cannot read the passphrase from file "
                               "descriptor %d",
                               fd);
        *ended = got == 0;
        if (got == 0 || byte == '\n')
            break;
        if (used == room)
            return error_set(err, STATUS_LIMIT,
                             "a passphrase has at most %d bytes",
                             PASSPHRASE_BYTES);
        secret_data(into)[used++] = (uint8_t) byte;
    }
    secret_wipe(&byte, 1);
    secret_cut(into, used);
    return STATUS_OK;
}

/* A line of a descriptor, in no more locked memory than it needs. */
static enum status
line_of(struct secret **out, int fd, const char *from, struct error *err)
{
    struct secret *line;
    bool ended;

    TRY(secret_open(&line, PASSPHRASE_BYTES, err));
    enum status status = read_line(line, fd, &ended, err);

    if (status == STATUS_OK && ended && secret_length(line) == 0)
        status =
            error_set(err, STATUS_DENIED, "there is no passphrase in %s", from);
    if (status == STATUS_OK)
        status = secret_copy(out, secret_bytes(line), secret_length(line), err);
    secret_close(line);
    return status;
}

static enum status
ask_descriptor(struct secret **out, uint64_t number, struct error *err)
{
    char from[40];
    int fd = (int) number;

    snprintf(from, sizeof from, "file descriptor %d", fd);
    if (fcntl(fd, F_GETFD) < 0)
        return error_set(err, STATUS_DENIED,
                         "%s, from which the passphrase should come, is not "
                         "open",
                         from);
    return line_of(out, fd, from, err);
}

// -- a program --------------------------------------------------------------

static enum status
spawn_program(pid_t *process, int *from, const char *program,
              const char *question, struct error *err)
{
    posix_spawn_file_actions_t actions;
    const char *words[] = {program, question, NULL};
    char *argv[sizeof words / sizeof *words];
    int pair[2];

    // arguments are not written to; their type in C has no const
    memcpy(argv, words, sizeof words);
    if (pipe2(pair, O_CLOEXEC) < 0)
        return error_errno(err, "cannot make a pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], STDOUT_FILENO);
    errno = posix_spawnp(process, program, &actions, NULL, argv, environ);
    int failed = errno;

    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    *from = pair[0];
    if (failed == 0)
        return STATUS_OK;
    close(pair[0]);
    errno = failed;
    return error_errno(err, "cannot start the program in FATHOM_ASKPASS");
}

static enum status
ask_program(struct secret **out, const char *program, const char *question,
            struct error *err)
{
    pid_t process;
    int from, ended = 0;

    TRY(spawn_program(&process, &from, program, question, err));
    enum status status =
        line_of(out, from, "what the program in FATHOM_ASKPASS printed", err);

    close(from);
    while (waitpid(process, &ended, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
        return status;
    if (status == STATUS_OK)
        secret_close(*out);
    *out = NULL;
    return error_set(err, STATUS_CANCELLED,
                     "the program in FATHOM_ASKPASS gave no passphrase");
}

// -- the terminal -----------------------------------------------------------

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { CAUGHT = sizeof caught / sizeof caught[0] };
static volatile sig_atomic_t arrived[CAUGHT];

static void
on_signal(int number)
{
    for (size_t i = 0; i < CAUGHT; i++)
        if (caught[i] == number)
            arrived[i] = 1;
}

struct asking {
    int terminal;
    struct termios usual;
    struct sigaction before[CAUGHT];
    sigset_t mask; // as it was; ours lets signals in only while waiting
};

static void
catch_signals(struct asking *asking)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t held;

    sigemptyset(&action.sa_mask);
    sigemptyset(&held);
    for (size_t i = 0; i < CAUGHT; i++)
        sigaddset(&held, caught[i]);
    sigprocmask(SIG_BLOCK, &held, &asking->mask);
    for (size_t i = 0; i < CAUGHT; i++) {
        arrived[i] = 0;
        sigaction(caught[i], NULL, &asking->before[i]);
        if (asking->before[i].sa_handler != SIG_IGN)
            sigaction(caught[i], &action, NULL);
    }
}

static void
put_text(int terminal, const char *text)
{
    if (write(terminal, text, strlen(text)) < 0) {
        // a terminal that is gone is noticed by reading
    }
}

/* Lines are edited as ever, and not shown. */
static bool
hide(struct asking *asking)
{
    struct termios hidden;

    if (tcgetattr(asking->terminal, &asking->usual) != 0)
        return false;
    hidden = asking->usual;
    hidden.c_lflag &= ~(tcflag_t) (ECHO | ECHOE | ECHOK | ECHONL);
    hidden.c_lflag |= ICANON | ISIG;
    return tcsetattr(asking->terminal, TCSAFLUSH, &hidden) == 0;
}

static void
put_right(struct asking *asking)
{
    while (tcsetattr(asking->terminal, TCSAFLUSH, &asking->usual) != 0 &&
           errno == EINTR)
        continue;
    for (size_t i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &asking->before[i], NULL);
    sigprocmask(SIG_SETMASK, &asking->mask, NULL);
}

/*
 * In the background the terminal is somebody else's: stop, as whoever reads
 * from it there is stopped, and go on in the foreground.
 */
static void
come_to_the_front(int terminal)
{
    for (int i = 0; i < 3; i++) {
        pid_t front = tcgetpgrp(terminal);

        if (front < 0 || front == getpgrp())
            return;
        kill(0, SIGTTIN);
    }
}

/*
 * Gives every signal that came its usual effect, now that the terminal is as
 * it was. True: it was one that stops, and we go on.
 */
static bool
deliver(bool *ends)
{
    bool stopped = false;

    *ends = false;
    for (size_t i = 0; i < CAUGHT; i++) {
        if (!arrived[i])
            continue;
        kill(getpid(), caught[i]);
        if (caught[i] == SIGTSTP)
            stopped = true;
        else
            *ends = true;
    }
    return stopped && !*ends;
}

/* One line of the terminal; false when a signal or the end came. */
static bool
type_line(struct secret *into, const struct asking *asking)
{
    struct pollfd wait = {.fd = asking->terminal, .events = POLLIN};

    // signals get in here and nowhere else, so none is missed
    if (ppoll(&wait, 1, NULL, &asking->mask) <= 0)
        return false;
    ssize_t got =
        read(asking->terminal, secret_data(into), secret_length(into));

    if (got <= 0)
        return false;
    size_t length = (size_t) got;
    if (secret_bytes(into)[length - 1] == '\n')
        length--;
    secret_cut(into, length);
    return true;
}

static enum status
ask_once(struct secret *into, int terminal, const char *question, bool *again,
         struct error *err)
{
    struct asking asking = {.terminal = terminal};
    bool ends, typed = false;

    *again = false;
    come_to_the_front(terminal);
    catch_signals(&asking);
    if (!hide(&asking)) {
        put_right(&asking);
        return error_errno(err, "the terminal cannot hide what is typed");
    }
    put_text(terminal, question);
    typed = type_line(into, &asking);
    put_text(terminal, "\n");
    put_right(&asking);
    *again = deliver(&ends);
    if (*again || (typed && !ends))
        return STATUS_OK;
    return error_set(err, STATUS_CANCELLED, "no passphrase was typed");
}

static enum status
ask_terminal(struct secret **out, const char *question, struct error *err)
{
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    enum status status = STATUS_OK;
    bool again = true;

    if (terminal < 0)
        return error_set(err, STATUS_DENIED,
                         "there is no terminal to ask for a passphrase; give "
                         "it by --passphrase-fd=N or FATHOM_ASKPASS");
    while (status == STATUS_OK && again) {
        status = secret_open(out, TYPED_BYTES, err);
        if (status != STATUS_OK)
            break;
        status = ask_once(*out, terminal, question, &again, err);
        if (status != STATUS_OK || again) {
            secret_close(*out);
            *out = NULL;
        }
    }
    close(terminal);
    return status;
}

// -- asking -----------------------------------------------------------------

static const char *
asking_program(void)
{
    const char *program = getenv("FATHOM_ASKPASS");

    return program != NULL && program[0] != '\0' ? program : NULL;
}

bool
passphrase_at_terminal(const struct passphrase_source *source)
{
    return !source->fd.given && !source->no_input && asking_program() == NULL;
}

enum status
passphrase_ask(struct secret **out, const struct passphrase_source *source,
               const char *question, struct error *err)
{
    *out = NULL;
    if (source->fd.given)
        return ask_descriptor(out, source->fd.value, err);
    if (asking_program() != NULL)
        return ask_program(out, asking_program(), question, err);
    if (source->no_input)
        return error_set(err, STATUS_DENIED,
                         "a passphrase is needed, and --no-input forbids to "
                         "ask; give it by --passphrase-fd=N or FATHOM_ASKPASS");
    return ask_terminal(out, question, err);
}

static enum status
check_length(const struct secret *passphrase, struct error *err)
{
    if (secret_length(passphrase) >= PASSPHRASE_LEAST)
        return STATUS_OK;
    return error_set(err, STATUS_LIMIT,
                     "a passphrase has at least %d characters; several words "
                     "are easier to remember",
                     PASSPHRASE_LEAST);
}

/* *same stays false where the two differ. */
static enum status
type_twice(struct secret **out, const char *question, bool *same,
           struct error *err)
{
    struct secret *second;

    *same = false;
    TRY(ask_terminal(out, question, err));
    enum status status = check_length(*out, err);

    if (status == STATUS_LIMIT) {
        notice_error("%s", err->text);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = ask_terminal(&second, "The same again: ", err);
    if (status != STATUS_OK)
        return status;
    *same = secret_length(second) == secret_length(*out) &&
            secret_equal(secret_bytes(second), secret_bytes(*out),
                         secret_length(second));
    secret_close(second);
    if (!*same)
        notice_error("the two are not the same");
    return STATUS_OK;
}

enum status
passphrase_ask_new(struct secret **out, const struct passphrase_source *source,
                   const char *question, struct error *err)
{
    enum status status;
    bool same = false;

    if (!passphrase_at_terminal(source)) {
        TRY(passphrase_ask(out, source, question, err));
        status = check_length(*out, err);
    } else {
        status = STATUS_OK;
        *out = NULL;
        for (unsigned i = 0; i < TRIES && status == STATUS_OK && !same; i++) {
            secret_close(*out);
            status = type_twice(out, question, &same, err);
        }
        if (status == STATUS_OK && !same)
            status = error_set(err, STATUS_LIMIT,
                               "no passphrase was set, after %d tries", TRIES);
    }
    if (status != STATUS_OK) {
        secret_close(*out);
        *out = NULL;
    }
    return status;
}
