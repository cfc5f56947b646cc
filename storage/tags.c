/* Words in a text: short lists, so they are looked through. */
#include "config.h"

#include "storage/tags.h"

#include <string.h>

enum { SHOWN = 100 }; // bytes of a tag in a sentence

static bool
is_blank(uint32_t c)
{
    return c == ' ' || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

static bool
may_stand(uint32_t c)
{
    return c >= 0x20 && c != ',' && !(c >= 0x7F && c < 0xA0) && !is_blank(c);
}

static bool
is_tag(struct text tag)
{
    uint32_t c;
    bool valid;

    if (tag.length == 0 || tag.length > TAG_BYTES || tag.bytes[0] == '-')
        return false;
    for (size_t i = 0; i < tag.length;) {
        i += utf8_next(tag.bytes + i, tag.length - i, &c, &valid);
        if (!valid || !may_stand(c))
            return false;
    }
    return true;
}

bool
tags_next(struct text *tag, struct text *rest)
{
    const char *blank;

    if (rest->length == 0)
        return false;
    blank = memchr(rest->bytes, ' ', rest->length);
    tag->bytes = rest->bytes;
    tag->length = blank ? (size_t) (blank - rest->bytes) : rest->length;
    size_t taken = tag->length + (blank != NULL);

    rest->bytes += taken;
    rest->length -= taken;
    return true;
}

bool
tags_have(struct text tags, struct text tag)
{
    struct text one;

    while (tags_next(&one, &tags))
        if (one.length == tag.length &&
            memcmp(one.bytes, tag.bytes, tag.length) == 0)
            return true;
    return false;
}

static size_t
count(struct text tags)
{
    struct text one;
    size_t n = 0;

    while (tags_next(&one, &tags))
        n++;
    return n;
}

bool
tags_valid(struct text tags)
{
    struct text rest = tags, one;

    if (count(tags) > TAGS_MOST ||
        (tags.length > 0 && tags.bytes[tags.length - 1] == ' '))
        return false;
    while (tags_next(&one, &rest)) {
        struct text before = {tags.bytes, (size_t) (one.bytes - tags.bytes)};

        if (!is_tag(one) || tags_have(before, one))
            return false;
    }
    return true;
}

// -- changes ----------------------------------------------------------------

static struct text
text_in(const struct buffer *tags)
{
    return (struct text){tags->data, tags->length};
}

enum status
tags_add(struct buffer *tags, struct text tag, struct error *err)
{
    char shown[SHOWN];

    text_quote(shown, sizeof shown, tag.bytes ? tag.bytes : "", tag.length);
    if (!is_tag(tag))
        return error_set(err, STATUS_FORMAT,
                         "%s is no tag: up to %d bytes, without blanks, commas "
                         "and a - before it",
                         shown, TAG_BYTES);
    if (tags_have(text_in(tags), tag))
        return STATUS_OK;
    if (count(text_in(tags)) >= TAGS_MOST)
        return error_set(err, STATUS_LIMIT,
                         "%s is one too many: a chat has up to %d tags", shown,
                         TAGS_MOST);
    TRY(buffer_reserve(tags, tag.length + 1, err));
    TRY(buffer_append(tags, " ", tags->length > 0, err));
    return buffer_append(tags, tag.bytes, tag.length, err);
}

/* Cuts a tag out, with the blank behind it or before it. */
static void
cut(struct buffer *tags, struct text tag)
{
    size_t at = (size_t) (tag.bytes - tags->data), end = at + tag.length;

    if (end < tags->length)
        end++;
    else if (at > 0)
        at--;
    memmove(tags->data + at, tags->data + end, tags->length - end);
    tags->length -= end - at;
    tags->data[tags->length] = '\0';
}

enum status
tags_remove(struct buffer *tags, struct text tag, struct error *err)
{
    struct text rest = text_in(tags), one;
    char shown[SHOWN];

    while (tags_next(&one, &rest))
        if (one.length == tag.length &&
            memcmp(one.bytes, tag.bytes, tag.length) == 0) {
            cut(tags, one);
            return STATUS_OK;
        }
    text_quote(shown, sizeof shown, tag.bytes ? tag.bytes : "", tag.length);
    return error_set(err, STATUS_FORMAT, "%s is no tag of this chat", shown);
}

enum status
tags_change(struct buffer *tags, struct text typed, struct error *err)
{
    struct text word;

    while (tags_next(&word, &typed)) {
        if (word.length == 0)
            continue;
        if (word.bytes[0] == '-')
            TRY(tags_remove(
                tags, (struct text){word.bytes + 1, word.length - 1}, err));
        else
            TRY(tags_add(tags, word, err));
    }
    return STATUS_OK;
}
