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
    NAMED_MOST = 64, // sections with a name, in one file
};

/* One reading. */
struct ini {
    const struct ini_table *table;
    const struct ini_text *text;
    char *out;
    const char *at, *end;
    unsigned line;
    bool seen[INI_ROWS_MOST];
    char named[NAMED_MOST][INI_NAME_BYTES]; // sections so far
    size_t named_count;
    char *place; // of the section with a name that is being read
    bool failed; // *err is filled; the rest is passed over
    unsigned failed_line;
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
    ini->failed_line = ini->line;
    error_fill(ini->err, STATUS_FORMAT, "%s line %u: %s", ini->text->shown,
               ini->line, text);
}

/* Whether rows of this section have a name: "preset.". */
static bool
is_named(const struct ini_row *row)
{
    size_t length = strlen(row->section);

    return length > 0 && row->section[length - 1] == '.';
}

/* Whether the row belongs to a section of this name, whole as it is written. */
static bool
is_of_section(const struct ini_row *row, const char *name, size_t length)
{
    size_t own = strlen(row->section);

    if (is_named(row))
        return length > own && memcmp(row->section, name, own) == 0;
    return length == own && memcmp(row->section, name, own) == 0;
}

static const struct ini_row *
find_section(const struct ini_table *table, const char *name, size_t length)
{
    for (size_t i = 0; i < table->rows && length > 0; i++)
        if (is_of_section(&table->row[i], name, length))
            return &table->row[i];
    return NULL;
}

static bool
is_name(const char *text, size_t length)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    return length > 0 && length < INI_NAME_BYTES &&
           strspn(text, allowed) >= length;
}

/* Begins a section whose name the user chose; it may be there once. */
static void
begin_named(struct ini *ini, const char *name, size_t length)
{
    char *own = ini->named[ini->named_count];

    if (!is_name(name, length)) {
        COMPLAIN(ini, "a name has letters, digits, '-' and '_', at most %d",
                 INI_NAME_BYTES - 1);
        return;
    }
    snprintf(own, INI_NAME_BYTES, "%.*s", (int) length, name);
    for (size_t i = 0; i < ini->named_count; i++)
        if (strcmp(ini->named[i], own) == 0)
            COMPLAIN(ini, "there is a section for '%s' already", own);
    ini->place = ini->table->named(ini->out, own);
    if (ini->place == NULL || ini->named_count + 1 == NAMED_MOST)
        COMPLAIN(ini, "there are too many sections of this kind");
    else
        ini->named_count++;
    // a setting may be given once in each of them
    for (size_t i = 0; i < ini->table->rows; i++)
        if (is_named(&ini->table->row[i]))
            ini->seen[i] = false;
}

/* A section without a row would hide what is below it. */
static void
check_section(struct ini *ini, const char *line, size_t length)
{
    char quoted[SHOWN_BYTES];
    const char *close = memchr(line, ']', length);

    if (close == NULL) {
        COMPLAIN(ini, "the name of the section has no ] behind it");
        return;
    }
    const char *name = line + 1;
    size_t name_length = (size_t) (close - name);
    const struct ini_row *row = find_section(ini->table, name, name_length);

    if (row == NULL)
        COMPLAIN(ini, "there is no section %s",
                 text_quote(quoted, sizeof quoted, line, name_length + 2));
    else if (is_named(row))
        begin_named(ini, name + strlen(row->section),
                    name_length - strlen(row->section));
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
 * To libinih blanks before a name would make it a continuation of the line
 * above, and behind a byte order mark nothing would have been checked here.
 */
const char *
ini_line_start(const char *line, const char *end, bool first)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t skip = 1;

    for (; line < end && skip > 0; line += skip) {
        skip = *line == ' ' || *line == '\t';
        if (first && end - line >= 3 && memcmp(line, mark, 3) == 0)
            skip = 3;
    }
    return line;
}

/* What libinih reads by, as fgets. */
static char *
next_line(char *out, int size, void *stream)
{
    struct ini *ini = stream;

    if (ini->at == ini->end || size <= 0)
        return NULL;
    const char *stop = memchr(ini->at, '\n', (size_t) (ini->end - ini->at));
    const char *line = ini->at, *end = stop ? stop : ini->end;

    ini->at = stop ? stop + 1 : ini->end;
    line = ini_line_start(line, end, ini->line++ == 0);
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

/* What a row takes, for a message; `bounds` is room for it. */
static const char *
expectation(char bounds[SHOWN_BYTES], const struct ini_row *row)
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
    case INI_REAL:
        snprintf(bounds, SHOWN_BYTES, "a number from %g to %llu", row->least,
                 (unsigned long long) row->most);
        return bounds;
    }
    return "";
}

/* Numbers and choices, which all are a struct option_count. */
static bool
read_count(const struct ini_row *row, struct option_count *out,
           const char *value)
{
    uint64_t number = 0;
    bool good = false;

    if (row->kind == INI_CHOICE)
        good = choice_number(row->argument, value, &number);
    else if (row->kind == INI_COUNT)
        good = option_read_count(value, &number) && number <= row->most;
    else
        good = option_read_duration(value, &number) && number <= row->most;
    if (good)
        *out = (struct option_count){true, number};
    return good;
}

static bool
read_real(const struct ini_row *row, struct option_real *out, const char *value)
{
    double number;

    if (!option_read_real(value, &number) || number < row->least ||
        number > (double) row->most)
        return false;
    *out = (struct option_real){true, number};
    return true;
}

static bool
store(const struct ini_row *row, char *place, const char *value)
{
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
    case INI_COUNT:
    case INI_DURATION:
        return read_count(row, (void *) place, value);
    case INI_REAL:
        return read_real(row, (void *) place, value);
    }
    if (good && length < INI_TEXT_BYTES)
        memcpy(place, value, length + 1);
    return good && length < INI_TEXT_BYTES;
}

static const struct ini_row *
find_row(const struct ini_table *table, const char *section, size_t length,
         const char *name)
{
    for (size_t i = 0; i < table->rows; i++)
        if (is_of_section(&table->row[i], section, length) &&
            strcmp(table->row[i].name, name) == 0)
            return &table->row[i];
    return NULL;
}

static void
complain_of_name(struct ini *ini, const char *section, const char *name)
{
    char quoted[SHOWN_BYTES], in[SHOWN_BYTES];

    text_quote(quoted, sizeof quoted, name, strlen(name));
    text_quote(in, sizeof in, section, strlen(section));
    if (*section)
        complain(ini, "there is no %s '%s' in [%s]", ini->table->noun, quoted,
                 in);
    else if (ini->table->row[0].section[0] != '\0')
        complain(ini, "the %s '%s' is in no [section]", ini->table->noun,
                 quoted);
    else
        complain(ini, "there is no %s '%s'", ini->table->noun, quoted);
}

static int
take(void *user, const char *section, const char *name, const char *value)
{
    struct ini *ini = user;
    const struct ini_row *row =
        find_row(ini->table, section, strlen(section), name);
    char quoted[SHOWN_BYTES], bounds[SHOWN_BYTES];

    if (ini->failed)
        return 1;
    if (row == NULL || (is_named(row) && ini->place == NULL)) {
        complain_of_name(ini, section, name);
        return 1;
    }
    bool *seen = &ini->seen[row - ini->table->row];
    char *place = is_named(row) ? ini->place : ini->out;

    if (*seen)
        complain(ini, "%s is given twice", name);
    else if (!store(row, place + row->offset, value))
        complain(ini, "%s takes %s, not '%s'", name, expectation(bounds, row),
                 text_quote(quoted, sizeof quoted, value, strlen(value)));
    else if (ini->text->took)
        ini->text->took(ini->text->context, row, section, value, ini->line);
    *seen = true;
    return 1;
}

enum status
ini_take(void *out, const struct ini_table *table, const struct ini_text *text,
         struct error *err)
{
    struct ini ini = {.table = table,
                      .text = text,
                      .out = out,
                      .at = text->bytes,
                      .end = text->bytes + text->length,
                      .err = err};
    int bad =
        text->length > 0 ? ini_parse_stream(next_line, &ini, take, &ini) : 0;

    // libinih goes on behind its first one
    if (ini.failed && (bad <= 0 || (unsigned) bad >= ini.failed_line))
        return STATUS_FORMAT;
    if (bad > 0)
        return error_set(err, STATUS_FORMAT,
                         "%s line %d: it is neither [section] nor name = value",
                         text->shown, bad);
    if (bad < 0)
        return error_set(err, STATUS_NOMEM, "out of memory for %s",
                         text->shown);
    return STATUS_OK;
}

enum status
ini_parse_text(void *out, const struct ini_table *table, const char *shown,
               const char *text, size_t length, struct error *err)
{
    return ini_take(
        out, table,
        &(struct ini_text){.shown = shown, .bytes = text, .length = length},
        err);
}

const struct ini_row *
ini_find(const struct ini_table *table, const char *key)
{
    const char *dot = strchr(key, '.');

    // names of a table without sections have dots of their own
    if (dot == NULL || table->row[0].section[0] == '\0')
        return find_row(table, "", 0, key);
    return find_row(table, key, (size_t) (dot - key), dot + 1);
}

enum status
ini_store(void *place, const struct ini_row *row, const char *value,
          struct error *err)
{
    char quoted[SHOWN_BYTES], bounds[SHOWN_BYTES];

    if (!is_printable(value, strlen(value)) || strlen(value) > LINE_BYTES ||
        !store(row, (char *) place + row->offset, value))
        return error_set(
            err, STATUS_FORMAT, "%s takes %s, not '%s'", row->name,
            expectation(bounds, row),
            text_quote(quoted, sizeof quoted, value, strlen(value)));
    return STATUS_OK;
}

static void
print_choice(char out[INI_TEXT_BYTES], const char *choices, uint64_t number)
{
    for (; number > 0; number--)
        choices = strchr(choices, '|') + 1;
    snprintf(out, INI_TEXT_BYTES, "%.*s", (int) strcspn(choices, "|"), choices);
}

/* In the largest unit of which it is a whole number. */
static void
print_duration(char out[INI_TEXT_BYTES], uint64_t ms)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};

    for (size_t i = 0; ms > 0 && i < sizeof units / sizeof units[0]; i++)
        if (ms % units[i].ms == 0) {
            snprintf(out, INI_TEXT_BYTES, "%llu%s",
                     (unsigned long long) (ms / units[i].ms), units[i].name);
            return;
        }
    snprintf(out, INI_TEXT_BYTES, "%llu%s", (unsigned long long) ms,
             ms > 0 ? "ms" : "");
}

static bool
print_count(char out[INI_TEXT_BYTES], const struct ini_row *row,
            const struct option_count *count)
{
    if (row->kind == INI_CHOICE)
        print_choice(out, row->argument, count->value);
    else if (row->kind == INI_DURATION)
        print_duration(out, count->value);
    else
        snprintf(out, INI_TEXT_BYTES, "%llu",
                 (unsigned long long) count->value);
    return count->given;
}

bool
ini_value(char out[INI_TEXT_BYTES], const void *place,
          const struct ini_row *row)
{
    const void *at = (const char *) place + row->offset;
    const struct option_real *real = at;

    switch (row->kind) {
    case INI_TEXT:
    case INI_PATH:
    case INI_PATHS:
        memcpy(out, at, INI_TEXT_BYTES);
        return *out != '\0';
    case INI_CHOICE:
    case INI_COUNT:
    case INI_DURATION:
        return print_count(out, row, at);
    case INI_REAL:
        snprintf(out, INI_TEXT_BYTES, "%g", real->value);
        return real->given;
    }
    return false;
}
