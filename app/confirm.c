/* One line at the terminal. */
#include "config.h"

#include "app/confirm.h"

#include "app/exit_code.h"
#include "ui/ui.h"

#include <string.h>
#include <unistd.h>

/* Reads a line of the terminal; true when it begins with y. */
static bool
read_yes(void)
{
    char line[256] = "";
    size_t length = 0;
    ssize_t n = 1;

    while (n > 0 && length + 1 < sizeof line &&
           memchr(line, '\n', length) == NULL) {
        n = read(STDIN_FILENO, line + length, sizeof line - 1 - length);
        length += n > 0 ? (size_t) n : 0;
    }
    return line[0] == 'y' || line[0] == 'Y';
}

enum status
confirm(const char *question, bool yes, int *code, struct error *err)
{
    static const char choice[] = " [y/N] ";

    if (yes)
        return STATUS_OK;
    *code = EXIT_USAGE;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return error_set(err, STATUS_UNSUPPORTED,
                         "there is no terminal to ask at; --yes says that it "
                         "is meant");
    *code = EXIT_FAILURE;
    TRY(printer_put(STDERR_FILENO, question, strlen(question), err));
    TRY(printer_put(STDERR_FILENO, choice, sizeof choice - 1, err));
    if (!read_yes())
        return error_set(err, STATUS_CANCELLED, "nothing was removed");
    return STATUS_OK;
}
