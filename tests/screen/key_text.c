#include "config.h"

#include "tests/screen/key_text.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

static const struct {
    const char *name, *capability, *bytes;
} named[] = {
    {"Up", "kcuu1", NULL},     {"Down", "kcud1", NULL},
    {"Left", "kcub1", NULL},   {"Right", "kcuf1", NULL},
    {"Home", "khome", NULL},   {"End", "kend", NULL},
    {"PgUp", "kpp", NULL},     {"PgDn", "knp", NULL},
    {"Ins", "kich1", NULL},    {"Del", "kdch1", NULL},
    {"BackTab", "kcbt", NULL}, {"Tab", NULL, "\t"},
    {"Enter", NULL, "\r"},     {"Esc", NULL, "\033"},
    {"BS", NULL, "\177"},      {"lt", NULL, "<"},
};

bool
key_text_terminal(const char *term)
{
    int answer;

    if (cur_term != NULL)
        del_curterm(cur_term);
    return setupterm(term, STDOUT_FILENO, &answer) == OK;
}

static enum status
append_capability(struct buffer *out, const char *name, const char *capability,
                  struct error *err)
{
    const char *bytes = tigetstr(capability);

    if (bytes == NULL || bytes == (const char *) -1)
        return error_set(err, STATUS_FORMAT, "the terminal has no key <%s>",
                         name);
    return buffer_append(out, bytes, strlen(bytes), err);
}

static enum status
append_named(struct buffer *out, const char *name, struct error *err)
{
    char capability[16] = "kf";

    if (strlen(name) == 3 && name[1] == '-' && name[0] == 'C')
        return buffer_append(out, (char[]){(char) (name[2] & 0x1F)}, 1, err);
    if (strlen(name) == 3 && name[1] == '-' && name[0] == 'M')
        return buffer_append(out, (char[]){'\033', name[2]}, 2, err);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (strcmp(name, named[i].name) != 0)
            continue;
        if (named[i].bytes != NULL)
            return buffer_append(out, named[i].bytes, 1, err);
        return append_capability(out, name, named[i].capability, err);
    }
    if (name[0] == 'F' && strlen(name) <= 3) {
        strcpy(capability + 2, name + 1);
        return append_capability(out, name, capability, err);
    }
    return error_set(err, STATUS_FORMAT, "there is no key <%s>", name);
}

/* The byte of an escape after its backslash; *used bytes of it. */
static char
escaped(const char *text, size_t *used)
{
    char digits[3] = {0};

    *used = 1;
    switch (*text) {
    case 'e':
        return '\033';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'a':
        return '\a';
    case 'x':
        digits[0] = text[1];
        digits[1] = text[1] != '\0' ? text[2] : '\0';
        *used = 1 + strlen(digits);
        return (char) strtoul(digits, NULL, 16);
    default:
        return *text;
    }
}

enum status
key_text_bytes(struct buffer *out, const char *text, bool names,
               struct error *err)
{
    while (*text != '\0') {
        const char *end = names && *text == '<' ? strchr(text, '>') : NULL;
        size_t used;

        if (end != NULL && end - text < 12) {
            char name[16] = "";

            memcpy(name, text + 1, (size_t) (end - text - 1));
            TRY(append_named(out, name, err));
            text = end + 1;
        } else if (*text == '\\' && text[1] != '\0') {
            char byte = escaped(text + 1, &used);

            TRY(buffer_append(out, &byte, 1, err));
            text += 1 + used;
        } else {
            TRY(buffer_append(out, text++, 1, err));
        }
    }
    return STATUS_OK;
}
