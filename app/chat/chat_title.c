/* Characters are counted, not columns: a title is text, not yet a layout. */
#include "config.h"

#include "app/chat/chat_title.h"

#include "app/attachment.h"

#include <string.h>

static const char ellipsis[] = "...";

static bool
is_blank(uint32_t c)
{
    return c == ' ' || c == '\t' || c == 0xA0 || c == 0x3000;
}

static bool
ends_line(uint32_t c)
{
    return c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == 0x85 ||
           c == 0x2028 || c == 0x2029;
}

/* Skips what comes before the first word. */
static struct text
first_word_on(struct text text)
{
    uint32_t c;
    bool valid;

    while (text.length > 0) {
        size_t n = utf8_next(text.bytes, text.length, &c, &valid);

        if (!is_blank(c) && !ends_line(c) && c != 0)
            break;
        text.bytes += n;
        text.length -= n;
    }
    return text;
}

/* What was written, else the name of the first document that goes with it. */
static struct text
words_of(struct text question)
{
    struct text rest = attachment_rest(question), name, content;

    if (first_word_on(rest).length > 0 ||
        !attachment_next(&question, &name, &content))
        return rest;
    return name;
}

/* A title in the making. */
struct title {
    char *out;
    size_t length, characters;
    size_t fit;      // length that leaves room for the sign of being cut
    size_t word_end; // the last end of a word within that
    bool after_blank;
};

/* False: there is no room. */
static bool
add_character(struct title *t, uint32_t c)
{
    size_t need = t->after_blank ? 2 : 1;

    if (t->characters + need > CHAT_TITLE_CHARACTERS)
        return false;
    if (t->after_blank)
        t->out[t->length++] = ' ';
    t->after_blank = false;
    t->length += utf8_write(t->out + t->length, c ? c : TEXT_REPLACEMENT);
    t->characters += need;
    if (t->characters <= CHAT_TITLE_CHARACTERS - strlen(ellipsis))
        t->fit = t->length;
    return true;
}

static void
end_word(struct title *t)
{
    if (!t->after_blank && t->fit == t->length)
        t->word_end = t->length;
    t->after_blank = true;
}

/* Between words; a single long word is cut inside. */
static void
cut(struct title *t)
{
    t->length = t->word_end > 0 ? t->word_end : t->fit;
    memcpy(t->out + t->length, ellipsis, strlen(ellipsis));
    t->length += strlen(ellipsis);
}

size_t
chat_title(char out[CHAT_TITLE_BYTES], struct text question)
{
    struct text rest = first_word_on(words_of(question));
    struct title title = {.out = out};
    uint32_t c;
    bool valid;

    for (size_t i = 0; i < rest.length;) {
        i += utf8_next(rest.bytes + i, rest.length - i, &c, &valid);
        if (ends_line(c))
            break;
        if (is_blank(c)) {
            end_word(&title);
        } else if (!add_character(&title, c)) {
            cut(&title);
            break;
        }
    }
    out[title.length] = '\0';
    return title.length;
}
