#include "config.h"

#include "app/screen/offer_line.h"

#include "ui/ui.h"

#include <stdio.h>
#include <string.h>

enum { WORD_BYTES = 300, MARK_BYTES = 60 };

static const char gap[] = "  ";

/* What follows the words, where not all of them are there; its columns. */
static size_t
put_mark(char out[MARK_BYTES], size_t more)
{
    out[0] = '\0';
    if (more > 0)
        snprintf(out, MARK_BYTES, "%sand %zu more (Tab)", gap, more);
    return strlen(out);
}

/* How many words from the first on there is room for. */
static size_t
count_fitting(size_t size, const char *const *words, size_t count,
              size_t columns)
{
    char word[WORD_BYTES], mark[MARK_BYTES];
    size_t bytes = 0, used = 0, fitting = 0;

    for (size_t i = 0; i < count; i++) {
        text_quote(word, sizeof word, words[i], strlen(words[i]));
        bytes += strlen(word) + (i > 0 ? strlen(gap) : 0);
        used += text_columns(word, strlen(word)) + (i > 0 ? strlen(gap) : 0);
        if (used > columns || bytes + MARK_BYTES > size)
            break;
        if (used + put_mark(mark, count - i - 1) <= columns)
            fitting = i + 1;
    }
    return fitting;
}

/* A word that is alone too long for the line. */
static void
cut(char word[WORD_BYTES], size_t columns)
{
    size_t used, length = strlen(word);
    size_t fits = text_fit(word, length, columns, &used);

    if (fits == length)
        return;
    fits = text_fit(word, length, columns > 0 ? columns - 1 : 0, &used);
    snprintf(word + fits, WORD_BYTES - fits, "%s", canvas_glyph(GLYPH_MORE));
}

size_t
offer_line(char *out, size_t size, const char *const *words, size_t count,
           size_t first, size_t columns)
{
    size_t fitting = count_fitting(size, words + first, count - first, columns);
    size_t end = first + (fitting == 0 && first < count ? 1 : fitting);
    char word[WORD_BYTES], mark[MARK_BYTES];
    size_t marked = put_mark(mark, count - end), length = 0;

    out[0] = '\0';
    for (size_t i = first; i < end; i++) {
        text_quote(word, sizeof word, words[i], strlen(words[i]));
        if (fitting == 0)
            cut(word, columns > marked ? columns - marked : 0);
        snprintf(out + length, size - length, "%s%s", i > first ? gap : "",
                 word);
        length = strlen(out);
    }
    snprintf(out + length, size - length, "%s", mark);
    return end;
}
