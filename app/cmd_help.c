/* fathom help [COMMAND]: the same text as COMMAND --help. */
#include "config.h"

#include "app/app.h"
#include "ui/ui.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum status
append_help(struct buffer *out, const struct option_list *words,
            struct error *err)
{
    const struct command *command = &command_fathom;
    const struct command *const *among = commands;
    char name[64] = "fathom";

    for (size_t i = 0; i < words->count; i++) {
        char shown[100];

        command = among ? command_find(among, words->items[i]) : NULL;
        if (command == NULL)
            return error_set(err, STATUS_FORMAT,
                             "there is no command '%s' (fathom --help lists "
                             "them)",
                             text_quote(shown, sizeof shown, words->items[i],
                                        strlen(words->items[i])));
        size_t used = strlen(name);

        snprintf(name + used, sizeof name - used, " %s", command->name);
        among = command->verbs;
    }
    return help_command(out, name, command, err);
}

static int
run(void *settings, const struct option_list *operands)
{
    struct buffer text = {0};
    struct error err;
    int code = EXIT_SUCCESS;

    (void) settings;
    if (append_help(&text, operands, &err) != STATUS_OK)
        code = EXIT_USAGE;
    else if (printer_put(STDOUT_FILENO, text.data, text.length, &err) !=
             STATUS_OK)
        code = EXIT_CANT_WRITE;
    if (code != EXIT_SUCCESS)
        notice_error("%s", err.text);
    buffer_release(&text);
    return code;
}

static const char *const usage[] = {"[COMMAND [VERB]]", NULL};

const struct command command_help = {
    .name = "help",
    .manual = "fathom",
    .summary = "Print what a command can do",
    .usage = usage,
    .operand = OPERAND_TEXT,
    .operands_most = 2,
    .bare = true,
    .run = run,
};
