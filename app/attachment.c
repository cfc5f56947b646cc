/* The marks are lines of their own, from DeepSeek-R1's README. */
#include "config.h"

#include "app/attachment.h"

#include "app/progress_text.h"

#include <string.h>

static const char head[] = "[file name]: ";
static const char begin[] = "\n[file content begin]\n";
static const char end[] = "\n[file content end]\n";

enum status
attachment_append(struct buffer *out, const char *name, struct text content,
                  struct error *err)
{
    TRY(buffer_print(out, err, "%s%s%s", head, name, begin));
    TRY(buffer_append(out, content.bytes, content.length, err));
    return buffer_print(out, err, "%s", end);
}

void
attachment_name(char out[ATTACHMENT_NAME_BYTES], const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash && slash[1] ? slash + 1 : path;

    text_quote(out, ATTACHMENT_NAME_BYTES, base, strlen(base));
}

/* What comes before the mark; the text goes on after it. */
static bool
split(struct text *text, struct text *before, const char *mark)
{
    size_t length = strlen(mark);
    const char *at = text->length >= length
                         ? memmem(text->bytes, text->length, mark, length)
                         : NULL;

    if (at == NULL)
        return false;
    *before = (struct text){text->bytes, (size_t) (at - text->bytes)};
    text->length -= before->length + length;
    text->bytes = at + length;
    return true;
}

bool
attachment_next(struct text *question, struct text *name, struct text *content)
{
    struct text rest = *question, nothing;

    if (!split(&rest, &nothing, head) || nothing.length > 0)
        return false;
    if (!split(&rest, name, begin) || memchr(name->bytes, '\n', name->length))
        return false;
    // the mark's own line feed: an empty document ends where it begins
    rest.bytes--;
    rest.length++;
    if (!split(&rest, content, end))
        return false;
    if (content->length > 0) {
        content->bytes++;
        content->length--;
    }
    *question = rest;
    return true;
}

struct text
attachment_rest(struct text question)
{
    struct text name, content;

    while (attachment_next(&question, &name, &content)) {
    }
    return question;
}

enum status
attachment_lay_out(struct buffer *out, struct text question, struct error *err)
{
    struct text name, content;
    char size[BYTES_TEXT];

    while (attachment_next(&question, &name, &content))
        TRY(buffer_print(out, err, "[%.*s, %s]\n", (int) name.length,
                         name.bytes,
                         progress_bytes(size, (double) content.length)));
    return buffer_append(out, question.bytes, question.length, err);
}
