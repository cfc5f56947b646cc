/* --help: usage, options in two columns, commands. */
#include "config.h"

#include "app/help.h"

#include <stdio.h>
#include <string.h>

enum { TERM_COLUMNS = 28, LINE_COLUMNS = 80 };

enum status
help_spelling(struct buffer *out, const struct option *option,
              struct error *err)
{
    bool flag = option->kind == OPTION_FLAG;

    if (option->letter)
        TRY(buffer_print(out, err, "-%c%s", option->letter,
                         option->name ? ", " : ""));
    if (option->name)
        TRY(buffer_print(out, err, "--%s", option->name));
    if (flag)
        return STATUS_OK;
    if (option->kind == OPTION_OPTIONAL)
        return buffer_print(out, err, "[=%s]", option->argument);
    return buffer_print(out, err, "%s%s", option->name ? "=" : " ",
                        option->argument);
}

/* Prints `text` from the column on, wrapped at words. */
static enum status
print_wrapped(struct buffer *out, const char *text, struct error *err)
{
    size_t room = LINE_COLUMNS - TERM_COLUMNS, used = 0;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (used > 0 && used + 1 + word > room) {
            TRY(buffer_print(out, err, "\n%*s", TERM_COLUMNS, ""));
            used = 0;
        }
        TRY(buffer_print(out, err, "%s%.*s", used ? " " : "", (int) word,
                         text));
        used += word + (used > 0);
        text += word;
        text += strspn(text, " ");
    }
    return buffer_print(out, err, "\n");
}

static enum status
print_row(struct buffer *out, const char *term, const char *text,
          struct error *err)
{
    int indent = 2, length = (int) strlen(term) + indent;

    TRY(buffer_print(out, err, "%*s%s", indent, "", term));
    if (length > TERM_COLUMNS - 2)
        TRY(buffer_print(out, err, "\n%*s", TERM_COLUMNS, ""));
    else
        TRY(buffer_print(out, err, "%*s", TERM_COLUMNS - length, ""));
    return print_wrapped(out, text, err);
}

static enum status
print_options(struct buffer *out, const struct command *command,
              struct error *err)
{
    struct buffer term = {0};
    enum status status = buffer_print(out, err, "\nOptions:\n");

    for (size_t i = 0; i < command->option_count && status == STATUS_OK; i++) {
        const struct option *option = &command->options[i];

        if (option->kind == OPTION_REFUSED)
            continue;
        buffer_clear(&term);
        status = help_spelling(&term, option, err);
        if (status == STATUS_OK)
            status = print_row(out, term.data, option->help, err);
    }
    buffer_release(&term);
    TRY(status);
    return print_row(out, "--help", "print this and end", err);
}

static enum status
print_commands(struct buffer *out, const struct command *const *among,
               struct error *err)
{
    TRY(buffer_print(out, err, "\nCommands:\n"));
    for (size_t i = 0; among[i] != NULL; i++)
        TRY(print_row(out, among[i]->name, among[i]->summary, err));
    return STATUS_OK;
}

enum status
help_command(struct buffer *out, const char *name,
             const struct command *command, struct error *err)
{
    for (size_t i = 0; command->usage[i] != NULL; i++)
        TRY(buffer_print(out, err, "%s %s %s\n", i ? "      " : "Usage:", name,
                         command->usage[i]));
    TRY(buffer_print(out, err, "\n%s.\n", command->summary));
    if (command->more)
        TRY(buffer_print(out, err, "\n%s", command->more));
    if (command->verbs)
        TRY(print_commands(out, command->verbs, err));
    if (command == &command_fathom)
        TRY(print_commands(out, commands, err));
    if (!command->verbs || command->option_count > 0)
        TRY(print_options(out, command, err));
    return buffer_print(out, err, "\nThe manual: man %s\n", command->manual);
}
