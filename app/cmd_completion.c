/* fathom completion SHELL: a completion script on standard output. */
#include "config.h"

#include "app/app.h"
#include "ui/ui.h"

#include <unistd.h>

static int
run(void *settings, const struct option_list *operands)
{
    struct buffer text = {0};
    struct error err;
    int code = EXIT_SUCCESS;

    (void) settings;
    if (help_completion(&text, operands->items[0], &err) != STATUS_OK)
        code = EXIT_UNAVAILABLE;
    else if (printer_put(STDOUT_FILENO, text.data, text.length, &err) !=
             STATUS_OK)
        code = EXIT_CANT_WRITE;
    if (code != EXIT_SUCCESS)
        notice_error("%s", err.text);
    buffer_release(&text);
    return code;
}

static const char *const usage[] = {"bash|zsh|fish", NULL};

const struct command command_completion = {
    .name = "completion",
    .manual = "fathom",
    .summary = "Print a completion script for a shell",
    .usage = usage,
    .operand = OPERAND_CHOICE,
    .operands_least = 1,
    .operands_most = 1,
    .choices = "bash|zsh|fish",
    .bare = true,
    .run = run,
};
