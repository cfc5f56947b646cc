/*
 * Only brackets, strings and commas are looked at here; that all else is JSON
 * is found out when an item is parsed.
 */
#include "config.h"

#include "app/history/json_items.h"

#include <string.h>

/* The bytes that are left; positions in messages count from the document. */
struct scan {
    const char *bytes;
    size_t length, at;
};

static enum status
broken(const struct scan *s, const char *what, struct error *err)
{
    return error_set(err, STATUS_FORMAT, "it is not JSON at byte %zu: %s",
                     s->at, what);
}

/* The next character that is no blank, without taking it; 0 at the end. */
static char
peek(struct scan *s)
{
    while (s->at < s->length && strchr(" \t\r\n", s->bytes[s->at]) != NULL &&
           s->bytes[s->at] != '\0')
        s->at++;
    return s->at < s->length ? s->bytes[s->at] : '\0';
}

static bool
take(struct scan *s, char c)
{
    if (peek(s) != c)
        return false;
    s->at++;
    return true;
}

/* Stands at the opening quotation mark. */
static enum status
skip_string(struct scan *s, struct error *err)
{
    for (size_t i = s->at + 1; i < s->length; i++) {
        if (s->bytes[i] == '\\') {
            i++;
        } else if (s->bytes[i] == '"') {
            s->at = i + 1;
            return STATUS_OK;
        }
    }
    return broken(s, "a string does not end", err);
}

static enum status
skip_scalar(struct scan *s, struct error *err)
{
    size_t start = s->at;

    while (s->at < s->length && s->bytes[s->at] != '\0' &&
           strchr(",:]}[{\" \t\r\n", s->bytes[s->at]) == NULL)
        s->at++;
    return s->at > start ? STATUS_OK : broken(s, "a value is missing", err);
}

/* What one value may hold. */
static enum status
check_limits(const struct scan *s, size_t start, size_t depth, size_t values,
             struct error *err)
{
    if (depth > JSON_ITEM_DEPTH)
        return error_set(err, STATUS_LIMIT,
                         "at byte %zu it is nested deeper than %d levels",
                         s->at, JSON_ITEM_DEPTH);
    if (values > JSON_ITEM_VALUES || s->at - start > JSON_ITEM_BYTES)
        return error_set(err, STATUS_LIMIT,
                         "what begins at byte %zu is larger than a chat may "
                         "be (%d MiB, %d values)",
                         start, JSON_ITEM_BYTES >> 20, JSON_ITEM_VALUES);
    return STATUS_OK;
}

/* One character of structure, a string or a scalar within brackets. */
static enum status
skip_piece(struct scan *s, size_t *depth, size_t *values, struct error *err)
{
    char c = peek(s);

    switch (c) {
    case '[':
    case '{':
        ++*depth;
        ++*values;
        break;
    case ']':
    case '}':
        --*depth;
        break;
    case ',':
    case ':':
        break;
    case '"':
        ++*values;
        return skip_string(s, err);
    case '\0':
        return broken(s, "it ends too early", err);
    default:
        ++*values;
        return skip_scalar(s, err);
    }
    s->at++;
    return STATUS_OK;
}

/* `limited`: the value is an item; what holds the items may be larger. */
static enum status
skip_value(struct scan *s, bool limited, struct error *err)
{
    size_t start, depth = 0, values = 0;
    char first = peek(s);

    start = s->at;
    if (first == ']' || first == '}' || first == ',' || first == ':')
        return broken(s, "a value is missing", err);
    do {
        TRY(skip_piece(s, &depth, &values, err));
        if (limited)
            TRY(check_limits(s, start, depth, values, err));
    } while (depth > 0);
    return STATUS_OK;
}

char
json_items_kind(struct text document)
{
    struct scan s = {document.bytes, document.length, 0};

    return peek(&s);
}

/* Whether the string between these positions says `name`. */
static bool
is_name(const struct scan *s, size_t start, const char *name)
{
    size_t length = strlen(name);

    return s->at - start == length + 2 &&
           memcmp(s->bytes + start + 1, name, length) == 0;
}

enum status
json_items_member(struct text *out, struct text document, const char *name,
                  struct error *err)
{
    struct scan s = {document.bytes, document.length, 0};
    bool found = false;

    *out = (struct text){0};
    if (!take(&s, '{'))
        return broken(&s, "an object was expected", err);
    while (peek(&s) == '"') {
        size_t start = s.at;

        TRY(skip_string(&s, err));
        bool wanted = is_name(&s, start, name);

        if (!take(&s, ':'))
            return broken(&s, "a colon is missing", err);
        peek(&s);
        start = s.at;
        TRY(skip_value(&s, false, err));
        if (wanted && found)
            return broken(&s, "a field is there twice", err);
        if (wanted)
            *out = (struct text){s.bytes + start, s.at - start};
        found = found || wanted;
        if (!take(&s, ','))
            break;
    }
    if (!take(&s, '}') || peek(&s) != '\0' || s.at < s.length)
        return broken(&s, "the object does not end where it should", err);
    return STATUS_OK;
}

enum status
json_items_next(struct text *out, struct json_items *items, struct error *err)
{
    struct scan s = {items->document.bytes, items->document.length, items->at};

    *out = (struct text){0};
    if (items->ended)
        return STATUS_OK;
    if (!items->begun && !take(&s, '['))
        return broken(&s, "a list was expected", err);
    bool first = !items->begun;

    items->begun = true;
    if (take(&s, ']')) {
        items->ended = true;
        if (peek(&s) != '\0' || s.at < s.length)
            return broken(&s, "something follows the list", err);
        return STATUS_OK;
    }
    if (!first && !take(&s, ','))
        return broken(&s, "a comma is missing", err);
    peek(&s);
    size_t start = s.at;

    TRY(skip_value(&s, true, err));
    *out = (struct text){s.bytes + start, s.at - start};
    items->at = s.at;
    return STATUS_OK;
}

enum status
json_items_parse(json_t **out, struct text item, struct error *err)
{
    struct scan all = {item.bytes, item.length, item.length};

    TRY(check_limits(&all, 0, 0, 0, err));
    return protocol_json(out, item.bytes, item.length, "it", err);
}
