/*
 * Columns by wcwidth, which knows nothing of UTF-8 in a locale without it:
 * there it is asked in C.UTF-8. Clusters by utf8proc, with bounds, since
 * hostile text may be one cluster from its start to its end.
 */
#include "config.h"

#include "ui/text/text_width.h"

#include "ui/text/ambiguous_width.h"
#include "ui/text/ascii_fallback.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <utf8proc.h>
#include <wchar.h>

enum {
    CLUSTER_COLUMNS = 8, // four people in an emoji
    CLUSTER_MOST = 32,   // characters
};

static struct {
    bool ascii;
    unsigned ambiguous;
    bool asked;         // for a locale to find widths in
    locale_t of_widths; // 0: the one of the process will do
} terminal = {.ambiguous = 1};

void
text_width_start(bool utf8, unsigned ambiguous)
{
    terminal.ascii = !utf8;
    terminal.ambiguous = ambiguous == 2 ? 2 : 1;
    if (terminal.of_widths != (locale_t) 0)
        freelocale(terminal.of_widths);
    terminal.of_widths = (locale_t) 0;
    terminal.asked = false;
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

/* Lives until the next start. */
static locale_t
locale_of_widths(void)
{
    if (!terminal.asked && !text_locale_is_utf8())
        terminal.of_widths = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
    terminal.asked = true;
    return terminal.of_widths;
}

static int
ask_width(uint32_t code_point)
{
    locale_t locale = locale_of_widths();

    if (locale == (locale_t) 0)
        return text_locale_is_utf8()
                   ? wcwidth((wchar_t) code_point)
                   : utf8proc_charwidth((utf8proc_int32_t) code_point);
    locale_t before = uselocale(locale);
    int columns = wcwidth((wchar_t) code_point);

    uselocale(before);
    return columns;
}

unsigned
text_width_of(uint32_t code_point)
{
    if (code_point < 0x80)
        return code_point >= 0x20 && code_point != 0x7F;
    int columns = ask_width(code_point);

    if (columns == 1 && terminal.ambiguous == 2 &&
        is_ambiguous_width(code_point))
        return 2;
    // what the locale does not know takes a column, as U+FFFD does
    return columns < 0 ? 1 : (unsigned) columns;
}

/* Bytes of the cluster, `columns` those of all its characters. */
static size_t
find_cluster(const char *bytes, size_t length, uint32_t first, size_t at,
             unsigned *columns)
{
    utf8proc_int32_t state = 0;
    uint32_t before = first, next;
    bool valid;

    for (unsigned i = 1; at < length && i < CLUSTER_MOST; i++) {
        size_t n = utf8_next(bytes + at, length - at, &next, &valid);

        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t) before,
                                             (utf8proc_int32_t) next, &state))
            break;
        unsigned more = text_width_of(next);

        if (*columns + more > CLUSTER_COLUMNS)
            break;
        *columns += more;
        before = next;
        at += n;
    }
    return at;
}

size_t
text_cluster(const char *bytes, size_t length, unsigned *columns)
{
    uint32_t first;
    bool valid;
    size_t shown, at = utf8_next(bytes, length, &first, &valid);

    *columns = text_width_of(first);
    // the usual case without asking anybody
    if (first < 0x300 && (first < 0x80 || !terminal.ascii) &&
        (at == length || (unsigned char) bytes[at] < 0x80))
        return at;
    at = find_cluster(bytes, length, first, at, columns);
    if (terminal.ascii) {
        text_shown(bytes, at, &shown);
        *columns = first < 0x80 ? text_width_of(first) : (unsigned) shown;
    }
    return at;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Eight bytes at once: all of them are ASCII that is seen. */
static bool
are_plain(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    if ((word & 0x80 * EACH_BYTE) != 0)
        return false;
    // bytes below 0x80 carry nothing into the next one
    uint64_t not_controls = word + 0x60 * EACH_BYTE;
    uint64_t deletes = word + EACH_BYTE;

    return (not_controls & ~deletes & 0x80 * EACH_BYTE) == 0x80 * EACH_BYTE;
}

size_t
text_plain(const char *bytes, size_t length)
{
    size_t n = 0;

    while (length - n >= sizeof(uint64_t) && are_plain(bytes + n))
        n += sizeof(uint64_t);
    while (n < length && bytes[n] >= 0x20 && bytes[n] < 0x7F)
        n++;
    // what follows may join the last of them
    return n > 0 && n < length && (unsigned char) bytes[n] >= 0x80 ? n - 1 : n;
}

const char *
text_shown(const char *cluster, size_t length, size_t *shown_length)
{
    uint32_t first;
    bool valid;

    *shown_length = length;
    if (!terminal.ascii)
        return cluster;
    if ((unsigned char) cluster[0] < 0x80) {
        // without what is put over it
        *shown_length = 1;
        return cluster;
    }
    (void) utf8_next(cluster, length, &first, &valid);
    const char *shown = text_width_of(first) > 0 ? ascii_fallback(first) : "";

    *shown_length = strlen(shown);
    return shown;
}

size_t
text_columns(const char *bytes, size_t length)
{
    size_t columns = 0;

    for (size_t at = 0; at < length;) {
        size_t plain = text_plain(bytes + at, length - at);
        unsigned more = 0;

        at += plain;
        columns += plain;
        if (at < length)
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
        size_t n =
            length - at < columns - taken ? length - at : columns - taken;

        // a byte more, which may join the last one
        n = text_plain(bytes + at, n < length - at ? n + 1 : n);
        if (n > columns - taken)
            n = columns - taken;
        at += n;
        taken += n;
        if (at == length)
            break;
        n = text_cluster(bytes + at, length - at, &more);

        if (taken + more > columns)
            break;
        taken += more;
        at += n;
    }
    if (used)
        *used = taken;
    return at;
}
