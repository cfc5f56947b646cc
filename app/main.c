/* fathom: finds the command, parses its options against its table, runs it. */
#include "config.h"

#include "app/app.h"
#include "app/doctor/doctor.h"
#include "app/launch.h"
#include "base/confine.h"
#include "ui/ui.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SPEAKER_BYTES = 64 };

/* A program started without its standard descriptors gets dead ones. */
static void
open_standard_descriptors(void)
{
    for (int descriptor = 0; descriptor <= 2; descriptor++)
        // the wrong way round, so that using it is an error and not a loss
        if (fcntl(descriptor, F_GETFD) < 0 &&
            open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) < 0)
            _exit(EXIT_FAILURE);
}

/*
 * Before anything is read: what the user writes stays out of core files, of
 * debuggers and of networks. Files stay: exports and editors need them.
 */
static enum status
confine(struct error *err)
{
    bool isolated;

    TRY(confine_memory(err));
    confine_descriptors();
    TRY(confine_network(CONFINE_NETWORK, &isolated, err));
    return confine_calls(CONFINE_INTERFACE, err);
}

/*
 * Text is UTF-8 whatever the locale says; numbers are always those of C. A
 * screen keeps to what the terminal was said to show.
 */
static void
choose_locale(void)
{
    bool utf8 = setlocale(LC_CTYPE, "") != NULL && text_locale_is_utf8();

    text_width_start(utf8, 1);
    if (utf8)
        return;
    // readline asks the environment again
    if (setlocale(LC_CTYPE, "C.UTF-8") != NULL)
        setenv("LC_ALL", "C.UTF-8", 1);
}

static int
print_help(const char *name, const struct command *command)
{
    struct buffer text = {0};
    struct error err;
    enum status status = help_command(&text, name, command, &err);

    if (status == STATUS_OK)
        status = printer_put(STDOUT_FILENO, text.data, text.length, &err);
    buffer_release(&text);
    if (status == STATUS_OK)
        return EXIT_SUCCESS;
    notice_error("%s", err.text);
    return EXIT_CANT_WRITE;
}

/* The settings, and what they ask of the machine. */
static enum status
start(int *code, struct error *err)
{
    bool safe = true;

    TRY(settings_start(code, err));
    *code = EXIT_DENIED;
    if (settings_swap() == SWAP_SAFE)
        TRY(doctor_swap_safe(&safe, &this_machine, err));
    if (safe)
        return STATUS_OK;
    return error_set(err, STATUS_DENIED,
                     "memory may be written to a disk that is not encrypted, "
                     "and swap = safe forbids to run then; fathom doctor tells "
                     "where, and what to do");
}

static int
run_command(const char *name, const struct command *command, int argc,
            char **argv)
{
    struct parsed parsed;
    struct error err;
    int code;

    if (options_parse(&parsed, command, argc, argv, &err) != STATUS_OK) {
        notice_error("%s (%s --help tells more)", err.text, name);
        code = err.status == STATUS_NOMEM ? EXIT_UNAVAILABLE : EXIT_USAGE;
    } else if (parsed.help) {
        code = print_help(name, command);
    } else if (!command->bare && start(&code, &err) != STATUS_OK) {
        notice_error("%s", err.text);
    } else {
        code = command->run(parsed.settings, &parsed.operands);
    }
    parsed_release(&parsed, command);
    return code;
}

static void
shown_word(char *out, size_t size, const char *word)
{
    text_quote(out, size, word, strlen(word));
}

static int
run_verb(char *name, const struct command *command, int argc, char **argv)
{
    char shown[100];

    if (argc > 0 && strcmp(argv[0], "--help") == 0)
        return print_help(name, command);
    const struct command *verb =
        argc > 0 ? command_find(command->verbs, argv[0]) : NULL;

    if (verb == NULL && argc > 0) {
        shown_word(shown, sizeof shown, argv[0]);
        notice_error("there is no %s '%s' (%s --help lists what there is)",
                     name, shown, name);
        return EXIT_USAGE;
    }
    if (verb == NULL) {
        notice_error("what is missing is the verb (%s --help lists them)",
                     name);
        return EXIT_USAGE;
    }
    size_t used = strlen(name);

    snprintf(name + used, SPEAKER_BYTES - used, " %s", verb->name);
    return run_command(name, verb, argc - 1, argv + 1);
}

static int
no_such_command(const char *word)
{
    char shown[100];

    shown_word(shown, sizeof shown, word);
    if (strchr(word, ' ') != NULL)
        notice_error("there is no command '%s'; a question goes with ask: "
                     "fathom ask '...'",
                     shown);
    else
        notice_error("there is no command '%s' (fathom --help lists them)",
                     shown);
    return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
    static char name[SPEAKER_BYTES] = "fathom";
    struct error err;

    open_standard_descriptors();
    notice_speaker(name);
    launch_remember(argv);
    // a file that may not grow fails to be written, as on a full disk
    signal(SIGXFSZ, SIG_IGN);
    enum status confined = confine(&err);

    choose_locale();
    protocol_start();
    bool first = argc < 2 || argv[1][0] == '-';
    const struct command *command =
        first ? &command_fathom : command_find(commands, argv[1]);

    if (confined != STATUS_OK && (command == NULL || !command->unconfined)) {
        notice_error("%s", err.text);
        return EXIT_UNAVAILABLE;
    }
    if (first)
        return run_command(name, command, argc > 0 ? argc - 1 : 0, argv + 1);
    if (command == NULL)
        return no_such_command(argv[1]);
    snprintf(name, sizeof name, "fathom %s", command->name);
    if (command->verbs)
        return run_verb(name, command, argc - 2, argv + 2);
    return run_command(name, command, argc - 2, argv + 2);
}
