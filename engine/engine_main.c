/*
 * fathom-engine: runs one model file and answers frames.
 *
 * The order at start: options, a network namespace, descriptors, the
 * rendezvous, Landlock and the filter of system calls. Then the server runs,
 * and reads the first frame; no byte of the model file was read before.
 */
#include "config.h"

#include "engine/confinement.h"
#include "engine/server.h"
#include "engine/server_work.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 64,
    SESSIONS = 4, // conversations with a cache, of a warm engine
    IDLE_SECONDS = 1800,
    NUMBER_MOST = 1 << 30,
};

static const char usage[] =
    "usage: fathom-engine [--context=N] [--threads=N] [--cache=f16|f32]\n"
    "           [--expert-groups=file] [--log=FILE]\n"
    "           [--warm=DIR [--idle=SECONDS] [--sessions=N]] [--] FILE\n"
    "       fathom-engine --help | --version | --prove-offline\n";

static struct server *server;

static int
complain(int code, const char *text)
{
    fprintf(stderr, "fathom-engine: %s\n", text);
    return code;
}

/* -- options --------------------------------------------------------------- */

struct options {
    struct server_options server;
    const char *log_path;
    bool help, version, prove;
};

enum option_letter {
    OPTION_CONTEXT = 256,
    OPTION_THREADS,
    OPTION_CACHE,
    OPTION_GROUPS,
    OPTION_LOG,
    OPTION_WARM,
    OPTION_IDLE,
    OPTION_SESSIONS,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_PROVE,
};

static const struct option long_options[] = {
    {"context", required_argument, NULL, OPTION_CONTEXT},
    {"threads", required_argument, NULL, OPTION_THREADS},
    {"cache", required_argument, NULL, OPTION_CACHE},
    {"expert-groups", required_argument, NULL, OPTION_GROUPS},
    {"log", required_argument, NULL, OPTION_LOG},
    {"warm", required_argument, NULL, OPTION_WARM},
    {"idle", required_argument, NULL, OPTION_IDLE},
    {"sessions", required_argument, NULL, OPTION_SESSIONS},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"prove-offline", no_argument, NULL, OPTION_PROVE},
    {NULL, 0, NULL, 0},
};

/* A whole number of at least `least`; false when `text` is none. */
static bool
read_number(const char *text, long least, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *out >= least &&
           *out <= NUMBER_MOST;
}

static bool
take_number(const char *text, long least, unsigned *out)
{
    long number;

    if (!read_number(text, least, &number))
        return false;
    *out = (unsigned) number;
    return true;
}

static bool
take_context(const char *text, size_t *out)
{
    long number;

    if (!read_number(text, 1, &number))
        return false;
    *out = (size_t) number;
    return true;
}

static bool
take_cache(const char *text, enum cache_type *out)
{
    *out = strcmp(text, "f32") == 0 ? CACHE_F32 : CACHE_F16;
    return strcmp(text, "f32") == 0 || strcmp(text, "f16") == 0;
}

/* False when the option's argument is not one. */
static bool
take_option(struct options *options, int letter, const char *text)
{
    struct server_options *to = &options->server;

    switch (letter) {
    case OPTION_CONTEXT:
        return take_context(text, &to->ready.context_tokens);
    case OPTION_THREADS:
        return take_number(text, 1, &to->ready.threads);
    case OPTION_CACHE:
        return take_cache(text, &to->ready.cache);
    case OPTION_GROUPS:
        to->ready.groups_from_file = true;
        return strcmp(text, "file") == 0;
    case OPTION_LOG:
        options->log_path = text;
        return true;
    case OPTION_WARM:
        to->warm_directory = text;
        return true;
    case OPTION_IDLE:
        return take_number(text, 0, &to->idle_seconds);
    case OPTION_SESSIONS:
        return take_number(text, 1, &to->sessions);
    case OPTION_HELP:
        options->help = true;
        return true;
    case OPTION_VERSION:
        options->version = true;
        return true;
    case OPTION_PROVE:
        options->prove = true;
        return true;
    default: // getopt has said what is wrong
        return false;
    }
}

static bool
read_options(struct options *options, int argc, char **argv)
{
    int letter;

    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!take_option(options, letter, optarg)) {
            if (letter != '?')
                fprintf(stderr, "fathom-engine: --%s cannot be %s\n",
                        long_options[letter - OPTION_CONTEXT].name, optarg);
            return false;
        }
    if (options->help || options->version || options->prove)
        return true;
    if (optind + 1 != argc) {
        complain(EXIT_USAGE, "exactly one model file is needed");
        return false;
    }
    options->server.ready.path = argv[optind];
    return true;
}

/* -- the process ----------------------------------------------------------- */

static void
on_stop_signal(int number)
{
    (void) number;
    server_stop(server);
}

/* Keys of the terminal are the interface's: it sends requests instead. */
static void
set_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction stop = {.sa_handler = on_stop_signal};
    sigset_t keys;

    sigemptyset(&keys);
    sigaddset(&keys, SIGINT);
    sigaddset(&keys, SIGQUIT);
    sigaddset(&keys, SIGTSTP);
    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGQUIT, &ignore, NULL);
    sigaction(SIGTSTP, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    // what keys sent before this was held back for us
    sigprocmask(SIG_UNBLOCK, &keys, NULL);
}

/* A session of its own; it leads one already where it was started so. */
static void
leave_terminal(void)
{
    setsid();
}

/*
 * Frames go to the descriptor that standard output was; whatever else might
 * print there by mistake goes to standard error.
 */
static enum status
take_streams(struct server_options *options, struct error *err)
{
    options->in = options->out = -1;
    if (options->warm_directory != NULL)
        return STATUS_OK;
    if (isatty(STDIN_FILENO))
        return error_set(err, STATUS_UNSUPPORTED,
                         "frames come from a program, not from a terminal: "
                         "use fathom chat or fathom ask");
    options->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    options->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (options->in < 0 || options->out < 0 ||
        dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return error_errno(err, "standard input and output must be open");
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
        return error_errno(err, "cannot open /dev/null");
    close(nothing);
    return STATUS_OK;
}

/* Why a server could not be opened, as an exit code. */
static int
open_exit(const struct server_options *options, enum status status)
{
    if (status == STATUS_LIMIT)
        return EXIT_BUSY; // another engine is there
    return access(options->ready.path, R_OK) == 0 ? EXIT_UNAVAILABLE
                                                  : EXIT_NO_INPUT;
}

static int
serve(const struct server_options *options)
{
    struct error err = {0};
    int code = EXIT_INTERNAL;

    if (server_open(&server, options, &err) != STATUS_OK)
        return complain(open_exit(options, err.status), err.text);
    if (confinement_end(options->ready.path, options->warm_directory, &err) !=
        STATUS_OK) {
        server_close(server);
        return complain(EXIT_UNAVAILABLE, err.text);
    }
    set_signals();
    if (server_run(server, &code, &err) != STATUS_OK)
        complain(code, err.text);
    server_close(server);
    return code;
}

/* Confined as for serving, but that there is no model. */
static int
prove(void)
{
    struct error err;

    if (confinement_begin(&err) != STATUS_OK ||
        confinement_end(NULL, NULL, &err) != STATUS_OK)
        return complain(EXIT_UNAVAILABLE, err.text);
    return confinement_prove();
}

int
main(int argc, char **argv)
{
    struct options options = {
        .server = {.idle_seconds = IDLE_SECONDS, .sessions = SESSIONS},
    };
    struct error err;

    if (!read_options(&options, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (options.help || options.version) {
        if (options.help)
            fputs(usage, stdout);
        else
            puts(work_engine_name());
        return fflush(stdout) == 0 ? 0 : 74;
    }
    if (options.prove)
        return prove();
    if (confinement_begin(&err) != STATUS_OK)
        return complain(EXIT_UNAVAILABLE, err.text);
    if (options.log_path != NULL &&
        log_open(options.log_path, &err) != STATUS_OK)
        return complain(73, err.text);
    leave_terminal();
    if (take_streams(&options.server, &err) != STATUS_OK)
        return complain(err.status == STATUS_UNSUPPORTED ? EXIT_USAGE
                                                         : EXIT_UNAVAILABLE,
                        err.text);
    protocol_start();
    return serve(&options.server);
}
