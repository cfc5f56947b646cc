/* Line by line: header, ruler, rows. */
#include "config.h"

#include "ui/text/spoken_table.h"

#include <string.h>

enum { HEADER_BYTES = 240 }; // of it in each row but the first

/* A part of a row between two bars, without the blanks around it. */
struct cell {
    const char *text;
    size_t length;
};

/* Takes the next cell off `*row`; false when there is none. */
static bool
next_cell(const char **row, const char *end, struct cell *cell)
{
    const char *at = *row;

    while (at < end && *at == ' ')
        at++;
    if (at < end && *at == '|')
        at++;
    while (at < end && *at == ' ')
        at++;
    if (at >= end)
        return false;
    const char *bar = at;

    // a bar after a backslash is part of the text
    while (bar < end && (*bar != '|' || bar[-1] == '\\'))
        bar++;
    *row = bar;
    while (bar > at && bar[-1] == ' ')
        bar--;
    *cell = (struct cell){at, (size_t) (bar - at)};
    return true;
}

/* "|---|:--:|" */
static bool
is_ruler(const struct buffer *line)
{
    return line->length > 0 && strchr(line->data, '-') != NULL &&
           strspn(line->data, "|-: ") == line->length;
}

static enum status
tell_row(struct spoken_table *t, struct buffer *out, struct error *err)
{
    const char *header = t->header.data, *row = t->line.data;
    const char *header_end = header + t->header.length,
               *row_end = row + t->line.length;
    struct cell name, value;

    bool first = !t->after_rows;

    if (!first)
        TRY(buffer_append(out, "\n", 1, err));
    t->after_rows = true;
    while (next_cell(&row, row_end, &value)) {
        if (next_cell(&header, header_end, &name) && name.length > 0) {
            // nobody wants to hear a long one again
            if (!first && name.length > HEADER_BYTES)
                name.length = utf8_complete_prefix(name.text, HEADER_BYTES);
            TRY(buffer_append(out, name.text, name.length, err));
            TRY(buffer_append(out, ": ", 2, err));
        }
        TRY(buffer_append(out, value.text, value.length, err));
        TRY(buffer_append(out, "\n", 1, err));
    }
    return STATUS_OK;
}

/* A header that no ruler followed is text. */
static enum status
give_header_back(struct spoken_table *t, struct buffer *out, struct error *err)
{
    if (!t->in_table && t->header.length > 0) {
        TRY(buffer_append(out, t->header.data, t->header.length, err));
        TRY(buffer_append(out, "\n", 1, err));
    }
    buffer_clear(&t->header);
    t->in_table = t->after_rows = false;
    return STATUS_OK;
}

static enum status
end_row(struct spoken_table *t, struct buffer *out, struct error *err)
{
    enum status status = STATUS_OK;

    if (t->in_table) {
        status = tell_row(t, out, err);
    } else if (t->header.length > 0 && is_ruler(&t->line)) {
        t->in_table = true;
    } else {
        TRY(give_header_back(t, out, err));
        status = buffer_append(&t->header, t->line.data, t->line.length, err);
    }
    buffer_clear(&t->line);
    return status;
}

static enum status
take_character(struct spoken_table *t, struct buffer *out, char c,
               struct error *err)
{
    if (t->state == SPOKEN_TEXT || (t->state == SPOKEN_ROW && c != '\n')) {
        if (c == '\n')
            t->state = SPOKEN_LINE_START;
        return buffer_append(t->state == SPOKEN_ROW ? &t->line : out, &c, 1,
                             err);
    }
    if (t->state == SPOKEN_ROW) {
        t->state = SPOKEN_LINE_START;
        return end_row(t, out, err);
    }
    TRY(buffer_append(&t->line, &c, 1, err));
    if (c == ' ')
        return STATUS_OK;
    if (c == '|') {
        t->state = SPOKEN_ROW;
        return STATUS_OK;
    }
    TRY(give_header_back(t, out, err));
    TRY(buffer_append(out, t->line.data, t->line.length, err));
    buffer_clear(&t->line);
    t->state = c == '\n' ? SPOKEN_LINE_START : SPOKEN_TEXT;
    return STATUS_OK;
}

enum status
spoken_table_write(struct spoken_table *t, struct buffer *out,
                   const char *bytes, size_t length, struct error *err)
{
    for (size_t i = 0; i < length; i++)
        TRY(take_character(t, out, bytes[i], err));
    return STATUS_OK;
}

enum status
spoken_table_end(struct spoken_table *t, struct buffer *out, struct error *err)
{
    if (t->state == SPOKEN_ROW)
        TRY(end_row(t, out, err));
    TRY(give_header_back(t, out, err));
    TRY(buffer_append(out, t->line.data, t->line.length, err));
    buffer_clear(&t->line);
    t->state = SPOKEN_LINE_START;
    return STATUS_OK;
}

void
spoken_table_release(struct spoken_table *t)
{
    buffer_release(&t->line);
    buffer_release(&t->header);
}
