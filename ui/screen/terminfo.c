/* The header of terminfo takes many short names, so it is met here alone. */
#include "config.h"

#include "ui/screen/terminfo.h"

#include <curses.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

static struct {
    char *out;
    size_t size;
} gathered;

/* NULL: the terminal has no such capability. */
static const char *
find_capability(const char *name)
{
    const char *value = tigetstr(name);

    return value == (const char *) -1 ? NULL : value;
}

bool
terminfo_has(const char *capability)
{
    const char *value = find_capability(capability);

    return value != NULL && *value != '\0';
}

bool
terminfo_is_ansi(void)
{
    const char *move_to = find_capability("cup");

    return move_to != NULL && strncmp(move_to, "\033[", 2) == 0;
}

static enum status
check_found(const char *quoted, struct error *err)
{
    if (tigetflag("hc") > 0 || tigetflag("gn") > 0 || !terminfo_has("cup") ||
        !terminfo_has("clear"))
        return error_set(err, STATUS_UNSUPPORTED,
                         "a terminal of type %s moves no cursor", quoted);
    return STATUS_OK;
}

enum status
terminfo_check(const char *term, struct error *err)
{
    TERMINAL *before = cur_term;
    char quoted[80];
    enum status status;
    int answer;

    text_quote(quoted, sizeof quoted, term, strlen(term));
    if (setupterm(term, STDOUT_FILENO, &answer) != OK)
        return error_set(err, STATUS_UNSUPPORTED,
                         answer < 0 ? "there are no descriptions of terminals "
                                      "to look for %s in"
                                    : "a terminal of type %s is not known, or "
                                      "can do too little",
                         quoted);
    status = check_found(quoted, err);
    if (cur_term != before) {
        TERMINAL *found = cur_term;

        set_curterm(before);
        del_curterm(found);
    }
    return status;
}

static int
gather_byte(int byte)
{
    size_t length = strlen(gathered.out);

    if (length + 1 < gathered.size) {
        gathered.out[length] = (char) byte;
        gathered.out[length + 1] = '\0';
    }
    return byte;
}

void
terminfo_append(char *out, size_t size, const char *capability)
{
    const char *value = find_capability(capability);

    if (value == NULL)
        return;
    gathered.out = out;
    gathered.size = size;
    tputs(value, 1, gather_byte);
}
