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

/* The description of a type in place of the one in use, until put_back. */
static enum status
put_in(TERMINAL **before, const char *term, const char *quoted,
       struct error *err)
{
    int answer;

    *before = cur_term;
    if (setupterm(term, STDOUT_FILENO, &answer) == OK)
        return STATUS_OK;
    return error_set(err, STATUS_UNSUPPORTED,
                     answer < 0 ? "there are no descriptions of terminals "
                                  "to look for %s in"
                                : "a terminal of type %s is not known, or "
                                  "can do too little",
                     quoted);
}

static void
put_back(TERMINAL *before)
{
    TERMINAL *found = cur_term;

    if (found == before)
        return;
    set_curterm(before);
    del_curterm(found);
}

enum status
terminfo_check(const char *term, struct error *err)
{
    TERMINAL *before;
    char quoted[80];
    enum status status;

    text_quote(quoted, sizeof quoted, term, strlen(term));
    status = put_in(&before, term, quoted, err);
    if (status == STATUS_OK)
        status = check_found(quoted, err);
    put_back(before);
    return status;
}

enum status
terminfo_describe(struct terminfo_facts *out, const char *term,
                  struct error *err)
{
    TERMINAL *before;
    char quoted[80];
    enum status status;

    text_quote(quoted, sizeof quoted, term, strlen(term));
    status = put_in(&before, term, quoted, err);
    if (status == STATUS_OK) {
        int colours = tigetnum("colors");

        *out = (struct terminfo_facts){
            .ansi = terminfo_is_ansi(),
            .alternate = terminfo_has("smcup") && terminfo_has("rmcup"),
            .keys = terminfo_has("kf1") && terminfo_has("kf10"),
            .mouse = terminfo_has("kmous"),
            .colours = colours > 0 ? colours : 0,
        };
    }
    put_back(before);
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

static void
gather(char *out, size_t size, const char *value)
{
    gathered.out = out;
    gathered.size = size;
    tputs(value, 1, gather_byte);
}

void
terminfo_append(char *out, size_t size, const char *capability)
{
    const char *value = find_capability(capability);

    if (value != NULL)
        gather(out, size, value);
}

void
terminfo_append_region(char *out, size_t size, unsigned rows)
{
    const char *region = find_capability("csr");

    if (region != NULL)
        gather(out, size, tparm(region, 0, (int) rows - 1));
}
