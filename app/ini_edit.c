/* Lines are cut as libinih and ini_file.c cut them. */
#include "config.h"

#include "app/ini_edit.h"

#include "app/ini_file.h"

#include <string.h>

/* Pointers into the text. */
struct span {
    const char *at, *end;
};

struct line {
    struct span body; // without blanks around it and without its end
    const char *next; // the line after it
};

/* What was found of a setting. */
struct place {
    struct span value; // at NULL: it is not given
    const char *after; // where a new line of its section goes; NULL: nowhere
    const char *end_of_line; // that lines of this file have
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span
trimmed(struct span span)
{
    while (span.at < span.end && is_blank(*span.at))
        span.at++;
    while (span.end > span.at && is_blank(span.end[-1]))
        span.end--;
    return span;
}

static struct line
line_at(struct span text, bool is_first)
{
    const char *stop = memchr(text.at, '\n', (size_t) (text.end - text.at));
    struct line line = {.body = {text.at, stop ? stop : text.end},
                        .next = stop ? stop + 1 : text.end};

    if (line.body.end > line.body.at && line.body.end[-1] == '\r')
        line.body.end--;
    line.body.at = ini_line_start(line.body.at, line.body.end, is_first);
    line.body = trimmed(line.body);
    return line;
}

/* Up to a separator, where there is to be one, or a comment. */
static const char *
cut(struct span span, bool is_name)
{
    bool blank = false;

    for (; span.at < span.end; span.at++) {
        if (is_name && (*span.at == '=' || *span.at == ':'))
            break;
        if (blank && *span.at == ';')
            break;
        blank = is_blank(*span.at);
    }
    return span.at;
}

static bool
says(struct span span, const char *word)
{
    size_t length = strlen(word);

    return (size_t) (span.end - span.at) == length &&
           memcmp(span.at, word, length) == 0;
}

static bool
is_comment(struct span body)
{
    return body.at < body.end && (*body.at == ';' || *body.at == '#');
}

static bool
begins_section(struct span body, const char *section)
{
    const char *close = memchr(body.at, ']', (size_t) (body.end - body.at));

    return close != NULL && says((struct span){body.at + 1, close}, section);
}

/* False: the line gives no value. */
static bool
split(struct span *name, struct span *value, struct span body)
{
    const char *separator = cut(body, true);

    if (separator == body.end || *separator == ';')
        return false;
    *name = trimmed((struct span){body.at, separator});
    *value = (struct span){separator + 1, body.end};
    value->end = cut(*value, false);
    *value = trimmed(*value);
    return true;
}

static struct place
find(struct span text, const struct ini_change *change)
{
    struct place place = {.end_of_line = "\n"};
    struct span rest = text, name, value;
    bool within = false;

    while (rest.at < rest.end) {
        struct line line = line_at(rest, rest.at == text.at);

        // the first line tells what all end with
        if (rest.at == text.at && line.next - rest.at > 1 &&
            memcmp(line.next - 2, "\r\n", 2) == 0)
            place.end_of_line = "\r\n";
        rest.at = line.next;
        if (line.body.at == line.body.end || is_comment(line.body))
            continue;
        if (*line.body.at == '[')
            within = begins_section(line.body, change->section);
        if (within)
            place.after = line.next;
        if (within && *line.body.at != '[' && split(&name, &value, line.body) &&
            says(name, change->name))
            place.value = value;
    }
    return place;
}

static enum status
append(struct buffer *out, struct span span, struct error *err)
{
    return buffer_append(out, span.at, (size_t) (span.end - span.at), err);
}

/* The line before ends, where it did not. */
static enum status
end_line(struct buffer *out, size_t begun, const char *end, struct error *err)
{
    if (out->length == begun || out->data[out->length - 1] == '\n')
        return STATUS_OK;
    // half an end is one already to those who read it
    if (out->data[out->length - 1] == '\r')
        end = "\n";
    return buffer_append(out, end, strlen(end), err);
}

static enum status
append_setting(struct buffer *out, const struct ini_change *change,
               const char *end, struct error *err)
{
    return buffer_print(out, err, "%s = %s%s", change->name, change->value,
                        end);
}

static enum status
add_section(struct buffer *out, size_t begun, const struct ini_change *change,
            const char *end, struct error *err)
{
    // a blank line keeps sections apart
    if (out->length > begun &&
        !text_ends_with(out->data + begun, out->length - begun, "\n\n") &&
        !text_ends_with(out->data + begun, out->length - begun, "\n\r\n"))
        TRY(buffer_append(out, end, strlen(end), err));
    TRY(buffer_print(out, err, "[%s]%s", change->section, end));
    return append_setting(out, change, end, err);
}

enum status
ini_edit(struct buffer *out, const char *text, size_t length,
         const struct ini_change *change, struct error *err)
{
    struct span all = {text, text + length};
    struct place place = find(all, change);
    size_t begun = out->length;
    const char *from = place.value.at ? place.value.at
                       : place.after  ? place.after
                                      : all.end;

    TRY(append(out, (struct span){all.at, from}, err));
    if (place.value.at) {
        TRY(buffer_append(out, change->value, strlen(change->value), err));
        from = place.value.end;
    } else {
        TRY(end_line(out, begun, place.end_of_line, err));
        TRY(place.after
                ? append_setting(out, change, place.end_of_line, err)
                : add_section(out, begun, change, place.end_of_line, err));
    }
    return append(out, (struct span){from, all.end}, err);
}
