/*
 * Any bytes, cut anywhere: the same text as in one piece, valid UTF-8, and
 * nothing a terminal acts upon. The first two bytes say where to cut.
 */
#include "config.h"

#include "ui/ui.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
show(struct buffer *out, const char *text, size_t length, size_t step)
{
    struct sanitiser s = {0};
    struct error err;

    for (size_t i = 0; i < length; i += step) {
        size_t n = length - i < step ? length - i : step;

        if (sanitiser_write(&s, out, text + i, n, &err) != STATUS_OK)
            abort();
    }
    if (sanitiser_finish(&s, out, &err) != STATUS_OK)
        abort();
}

static bool
is_safe(const struct buffer *out)
{
    for (size_t i = 0; i < out->length;) {
        uint32_t c;
        bool valid;

        i += utf8_next(out->data + i, out->length - i, &c, &valid);
        if (!valid || (c < 0x20 && c != '\n' && c != '\t') ||
            (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
            (c >= 0x2066 && c <= 0x2069) || (c >= 0xE0000 && c <= 0xE007F))
            return false;
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 2)
        return 0;
    const char *text = (const char *) bytes + 2;
    size_t count = length - 2;
    struct buffer whole = {0}, cut = {0};

    show(&whole, text, count, count + 1);
    show(&cut, text, count, 1 + (bytes[0] + 256u * bytes[1]) % (count + 1));
    if (!is_safe(&whole) || whole.length != cut.length ||
        (whole.length > 0 && memcmp(whole.data, cut.data, whole.length) != 0))
        abort();
    buffer_release(&whole);
    buffer_release(&cut);
    return 0;
}
