/*
 * libinih splits lines; what a line may say is decided here. Lines are given
 * to it one by one, so that their number is known and none is too long for it.
 */
#include "config.h"

#include "app/ini_file.h"

#include "app/options.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_BYTES = 196, // that libinih keeps whole
    SHOWN_BYTES = 80,
};

/* One reading. */
struct ini {
    const struct ini_table *table;
    char *out;
    const char *shown;
    const char *at, *end;
    unsigned line;
    bool seen[INI_ROWS_MOST];
    bool failed; // *err is filled; the rest is passed over
    struct error *err;
};

#define COMPLAIN(ini, ...)                                                     \
    do {                                                                       \
        if (!(ini)->failed)                                                    \
            complain(ini, __VA_ARGS__);                                        \
    } while (0)

static void complain(struct ini *ini, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
complain(struct ini *ini, const char *format, ...)
{
    char text[700];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ini->failed = true;
    error_fill(ini->err, STATUS_FORMAT, "%s line %u: %s", ini->shown, ini->line,
               text);
}

static bool
has_section(const struct ini_table *table, const char *name, size_t length)
{
    for (size_t i = 0; i < table->rows; i++)
        if (strlen(table->row[i].section) == length &&
            memcmp(table->row[i].section, name, length) == 0)
            return length > 0;
    return false;
}

/* A section without a row would hide what is below it. */
static void
check_section(struct ini *ini, const char *line, size_t length)
{
    char quoted[SHOWN_BYTES];
    const char *close = memchr(line, ']', length);

    if (close == NULL)
        return; // libinih complains
    text_quote(quoted, sizeof quoted, line, (size_t) (close - line) + 1);
    if (!has_section(ini->table, line + 1, (size_t) (close - line) - 1))
        COMPLAIN(ini, "there is no section %s", quoted);
}

static bool
is_printable(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char) line[i];

        if ((c < ' ' && c != '\t') || c == 0x7F)
            return false;
    }
    return utf8_valid(line, length);
}

/*
 * What libinih reads by, as fgets. Blanks before a name are taken away: to
 * libinih they would make it a continuation of the line above.
 */
static char *
next_line(char *out, int size, void *stream)
{
    struct ini *ini = stream;

    if (ini->at == ini->end || size <= 0)
        return NULL;
    const char *stop = memchr(ini->at, '\n', (size_t) (ini->end - ini->at));
    const char *line = ini->at, *end = stop ? stop : ini->end;

    ini->at = stop ? stop + 1 : ini->end;
    ini->line++;
    while (line < end && (*line == ' ' || *line == '\t'))
        line++;
    if (end > line && end[-1] == '\r')
        end--;
    size_t length = (size_t) (end - line);

    if (!is_printable(line, length))
        COMPLAIN(ini, "there are characters that are no UTF-8 text");
    if (length > LINE_BYTES || length + 2 > (size_t) size)
        COMPLAIN(ini, "it is longer than %d characters", LINE_BYTES);
    if (length > 0 && line[0] == '[')
        check_section(ini, line, length);
    if (ini->failed)
        length = 0;
    memcpy(out, line, length);
    out[length] = '\0';
    return out;
}

static bool
choice_number(const char *choices, const char *text, uint64_t *out)
{
    size_t length = strlen(text);
    uint64_t number = 0;

    for (const char *at = choices; at != NULL; at = strchr(at, '|'), number++) {
        at += *at == '|';
        if (length > 0 && strncmp(at, text, length) == 0 &&
            (at[length] == '|' || at[length] == '\0')) {
            *out = number;
            return true;
        }
    }
    return false;
}

/* Whether each part between colons is an absolute path. */
static bool
are_paths(const char *text, bool several)
{
    if (*text != '/')
        return false;
    for (const char *at = text; several && (at = strchr(at, ':')) != NULL;)
        if (*++at != '/')
            return false;
    return true;
}

static const char *
expectation(const struct ini_row *row)
{
    switch (row->kind) {
    case INI_TEXT:
        return "a text that is not empty";
    case INI_PATH:
        return "a path from the root";
    case INI_PATHS:
        return "paths from the root, with colons between them";
    case INI_CHOICE:
        return row->argument;
    case INI_COUNT:
        return "a whole number that is not too large";
    case INI_DURATION:
        return "a time such as 30s, 15m or 1h";
    }
    return "";
}

static bool
store(const struct ini_row *row, char *place, const char *value)
{
    struct option_count *count = (void *) place;
    size_t length = strlen(value);
    bool good = false;

    switch (row->kind) {
    case INI_TEXT:
        good = length > 0;
        break;
    case INI_PATH:
    case INI_PATHS:
        good = are_paths(value, row->kind == INI_PATHS);
        break;
    case INI_CHOICE:
        count->given = good =
            choice_number(row->argument, value, &count->value);
        return good;
    case INI_COUNT:
        good = option_read_count(value, &count->value) &&
               count->value <= row->most;
        count->given = good;
        return good;
    case INI_DURATION:
        good = option_read_duration(value, &count->value) &&
               count->value <= row->most;
        count->given = good;
        return good;
    }
    if (good && length < INI_TEXT_BYTES)
        memcpy(place, value, length + 1);
    return good && length < INI_TEXT_BYTES;
}

static const struct ini_row *
find_row(const struct ini_table *table, const char *section, const char *name)
{
    for (size_t i = 0; i < table->rows; i++)
        if (strcmp(table->row[i].section, section) == 0 &&
            strcmp(table->row[i].name, name) == 0)
            return &table->row[i];
    return NULL;
}

static int
take(void *user, const char *section, const char *name, const char *value)
{
    struct ini *ini = user;
    const struct ini_row *row = find_row(ini->table, section, name);
    char quoted[SHOWN_BYTES], in[SHOWN_BYTES];

    if (ini->failed)
        return 1;
    if (row == NULL) {
        text_quote(quoted, sizeof quoted, name, strlen(name));
        text_quote(in, sizeof in, section, strlen(section));
        if (*section)
            complain(ini, "there is no %s '%s' in [%s]", ini->table->noun,
                     quoted, in);
        else
            complain(ini, "there is no %s '%s'", ini->table->noun, quoted);
        return 1;
    }
    bool *seen = &ini->seen[row - ini->table->row];

    if (*seen)
        complain(ini, "%s is given twice", name);
    else if (!store(row, ini->out + row->offset, value))
        complain(ini, "%s takes %s, not '%s'", name, expectation(row),
                 text_quote(quoted, sizeof quoted, value, strlen(value)));
    *seen = true;
    return 1;
}

enum status
ini_parse_text(void *out, const struct ini_table *table, const char *shown,
               const char *text, size_t length, struct error *err)
{
    struct ini ini = {.table = table,
                      .out = out,
                      .shown = shown,
                      .at = text,
                      .end = text + length,
                      .err = err};
    int bad = length > 0 ? ini_parse_stream(next_line, &ini, take, &ini) : 0;

    if (ini.failed)
        return STATUS_FORMAT;
    if (bad > 0)
        return error_set(err, STATUS_FORMAT,
                         "%s line %d: it is neither [section] nor name = value",
                         shown, bad);
    if (bad < 0)
        return error_set(err, STATUS_NOMEM, "out of memory for %s", shown);
    return STATUS_OK;
}
