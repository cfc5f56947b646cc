/* Columns by wcwidth, clusters by utf8proc. */
#include "config.h"

#include "ui/text_width.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <utf8proc.h>
#include <wchar.h>

static struct {
    bool ascii;
    unsigned ambiguous;
} terminal = {.ambiguous = 1};

void
text_width_start(bool utf8, unsigned ambiguous)
{
    terminal.ascii = !utf8;
    terminal.ambiguous = ambiguous == 2 ? 2 : 1;
}

bool
text_width_utf8(void)
{
    return !terminal.ascii;
}

bool
text_locale_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

unsigned
text_width_of(uint32_t code_point)
{
    if (code_point < 0x80)
        return code_point >= 0x20 && code_point != 0x7F;
    int columns = wcwidth((wchar_t) code_point);

    // what the locale does not know takes a column, as U+FFFD does
    return columns < 0 ? 1 : (unsigned) columns;
}

size_t
text_cluster(const char *bytes, size_t length, unsigned *columns)
{
    uint32_t before, next;
    utf8proc_int32_t state = 0;
    bool valid;
    size_t at = utf8_next(bytes, length, &before, &valid);

    *columns = text_width_of(before);
    // the usual case without asking anybody
    if (at < length && (unsigned char) bytes[at] < 0x80 && before < 0x300)
        return at;
    while (at < length) {
        size_t n = utf8_next(bytes + at, length - at, &next, &valid);

        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t) before,
                                             (utf8proc_int32_t) next, &state))
            break;
        *columns += text_width_of(next);
        before = next;
        at += n;
    }
    if (terminal.ascii && (unsigned char) bytes[0] >= 0x80) {
        size_t shown;

        text_shown(bytes, at, &shown);
        *columns = (unsigned) shown;
    }
    return at;
}

const char *
text_shown(const char *cluster, size_t length, size_t *shown_length)
{
    if (terminal.ascii && (unsigned char) cluster[0] >= 0x80) {
        *shown_length = 1;
        return "?";
    }
    *shown_length = length;
    return cluster;
}

size_t
text_columns(const char *bytes, size_t length)
{
    size_t columns = 0;

    for (size_t at = 0; at < length;) {
        unsigned more;

        at += text_cluster(bytes + at, length - at, &more);
        columns += more;
    }
    return columns;
}

size_t
text_fit(const char *bytes, size_t length, size_t columns, size_t *used)
{
    size_t at = 0, taken = 0;

    while (at < length) {
        unsigned more;
        size_t n = text_cluster(bytes + at, length - at, &more);

        if (taken + more > columns)
            break;
        taken += more;
        at += n;
    }
    if (used)
        *used = taken;
    return at;
}
