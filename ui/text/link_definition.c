/*
 * Only definitions on a line of their own, without a title or with one on the
 * same line. What a block grows by is bounded, so that a long address used
 * everywhere stays harmless.
 */
#include "config.h"

#include "ui/text/link_definition.h"

#include <ctype.h>
#include <string.h>

enum {
    LINE_MOST = 1024,
    DEFINITIONS_MOST = 8192, // bytes of them all
    GROWTH_FREE = 65536,     // bytes, besides the length of the text
    SEARCHED_BYTES = 32,     // that count as one byte of growth
};

/* "[label]: address", the label being text[1 .. label]. */
static bool
is_definition(const char *text, size_t length, size_t *label)
{
    size_t at = 1;

    if (length < 5 || length > LINE_MOST || text[0] != '[')
        return false;
    while (at < length && text[at] != ']' && text[at] != '[' &&
           text[at] != '\\')
        at++;
    *label = at - 1;
    if (at + 1 >= length || text[at] != ']' || text[at + 1] != ':' ||
        *label == 0 || text[1] == '^' || isspace((unsigned char) text[1]))
        return false;
    at += 2;
    while (at < length && (text[at] == ' ' || text[at] == '\t'))
        at++;
    size_t address = at;

    while (at < length && (unsigned char) text[at] > ' ' && text[at] != '<' &&
           text[at] != '>')
        at++;
    if (at == address)
        return false;
    while (at < length && (text[at] == ' ' || text[at] == '\t'))
        at++;
    // a title, quoted, to the end of the line
    return at == length ||
           (length - at > 2 && text[at] == '"' &&
            memchr(text + at + 1, '"', length - at - 1) == text + length - 1);
}

static bool
next_line(const char *text, size_t length, size_t *at, const char **line,
          size_t *line_length)
{
    if (*at >= length)
        return false;
    const char *newline = memchr(text + *at, '\n', length - *at);

    *line = text + *at;
    *line_length = newline ? (size_t) (newline - *line) : length - *at;
    *at += *line_length + 1;
    return true;
}

enum status
link_definitions_keep(struct document *d, const char *block, size_t length,
                      struct error *err)
{
    size_t at = 0, label, line_length;
    const char *line;

    while (next_line(block, length, &at, &line, &line_length) &&
           d->definitions.length + line_length < DEFINITIONS_MOST &&
           is_definition(line, line_length, &label)) {
        TRY(buffer_append(&d->definitions, line, line_length, err));
        TRY(buffer_append(&d->definitions, "\n", 1, err));
    }
    return STATUS_OK;
}

/* The definition of this label, or NULL; the first of several counts. */
static const char *
find_definition(const struct document *d, const char *label, size_t length,
                size_t *found_length)
{
    size_t at = 0, found;
    const char *line;

    while (next_line(d->definitions.data, d->definitions.length, &at, &line,
                     found_length))
        if (is_definition(line, *found_length, &found) && found == length &&
            strncasecmp(line + 1, label, length) == 0)
            return line;
    return NULL;
}

static enum status
add_definition(struct document *d, const char *label, size_t length,
               struct buffer *out, size_t block, struct error *err)
{
    size_t found_length;

    d->expanded += d->definitions.length / SEARCHED_BYTES;
    if (d->expanded > d->text.length + GROWTH_FREE)
        return STATUS_OK;
    const char *found = find_definition(d, label, length, &found_length);

    if (found == NULL ||
        memmem(out->data + block, out->length - block, found, found_length))
        return STATUS_OK;
    d->expanded += found_length;
    if (out->length == block)
        TRY(buffer_append(out, "\n\n", 2, err));
    TRY(buffer_append(out, found, found_length, err));
    return buffer_append(out, "\n", 1, err);
}

enum status
link_definitions_add(struct document *d, const char *block, size_t length,
                     struct buffer *out, struct error *err)
{
    size_t end = out->length;
    const char *open = NULL;

    for (size_t i = 0; i < length; i++) {
        if (block[i] == '[')
            open = block + i + 1;
        if (block[i] != ']' || open == NULL)
            continue;
        TRY(add_definition(d, open, (size_t) (block + i - open), out, end,
                           err));
        open = NULL;
    }
    return STATUS_OK;
}
