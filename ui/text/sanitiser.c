/* A state machine over code points; runs of plain ASCII are copied whole. */
#include "config.h"

#include "ui/text/sanitiser.h"

#include <stdio.h>
#include <string.h>

static const char *const c0_names[32] = {
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS",  "TAB", "LF",
    "VT",  "FF",  "CR",  "SO",  "SI",  "DLE", "DC1", "DC2", "DC3", "DC4", "NAK",
    "SYN", "ETB", "CAN", "EM",  "SUB", "ESC", "FS",  "GS",  "RS",  "US",
};

static bool
is_plain_ascii(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\t';
}

static bool
is_selector(uint32_t c)
{
    return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

static bool
is_ideograph(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x20000 && c <= 0x3FFFF);
}

/*
 * Whether `base` can carry the selector: the ideographic ones an ideograph,
 * the others a symbol or letter beyond ASCII, or the base of a keycap. Long
 * runs of selectors are a way to hide text.
 */
static bool
takes_selector(uint32_t base, uint32_t selector)
{
    if (selector >= 0xE0100)
        return is_ideograph(base);
    if (base < 0x80)
        return (base >= '0' && base <= '9') || base == '#' || base == '*';
    // the general punctuation block has blanks, joiners and marks
    return base > 0xA0 && (base < 0x2000 || base > 0x200F) &&
           !is_selector(base) && base != 0x3000 && base != 0xFEFF;
}

bool
sanitiser_is_command(uint32_t c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           (c >= 0xE0000 && c <= 0xE007F);
}

static enum status
append_mark(const struct sanitiser *s, struct buffer *out, uint32_t c,
            struct error *err)
{
    const char *open = s->mark_open ? s->mark_open : "";
    const char *close = s->mark_close ? s->mark_close : "";

    if (c < 0x20)
        return buffer_print(out, err, "%s<%s>%s", open, c0_names[c], close);
    if (c == 0x7F)
        return buffer_print(out, err, "%s<DEL>%s", open, close);
    return buffer_print(out, err, "%s<U+%04X>%s", open, (unsigned) c, close);
}

/* A CR that waits: LF after it takes its place, all else shows it. */
static enum status
settle_return(struct sanitiser *s, struct buffer *out, bool line_feed,
              struct error *err)
{
    if (!s->after_return)
        return STATUS_OK;
    s->after_return = false;
    return line_feed ? STATUS_OK : append_mark(s, out, '\r', err);
}

static enum status
append_character(struct sanitiser *s, struct buffer *out, uint32_t c,
                 struct error *err)
{
    TRY(settle_return(s, out, c == '\n', err));
    if (c == '\r') {
        s->after_return = true;
        s->base = 0;
        return STATUS_OK;
    }
    if (sanitiser_is_command(c) ||
        (is_selector(c) && !takes_selector(s->base, c))) {
        s->base = 0;
        return append_mark(s, out, c, err);
    }
    char bytes[4];
    size_t n = utf8_write(bytes, c);

    s->base = c;
    return buffer_append(out, bytes, n, err);
}

static size_t
plain_run(const char *bytes, size_t length)
{
    size_t n = 0;

    while (n < length && is_plain_ascii((uint8_t) bytes[n]))
        n++;
    return n;
}

/* Whole characters: `bytes` ends on one, or the text ends with it. */
static enum status
append_text(struct sanitiser *s, struct buffer *out, const char *bytes,
            size_t length, struct error *err)
{
    uint32_t c;
    bool valid;

    for (size_t i = 0; i < length;) {
        size_t run = plain_run(bytes + i, length - i);

        if (run > 0) {
            TRY(settle_return(s, out, bytes[i] == '\n', err));
            TRY(buffer_append(out, bytes + i, run, err));
            s->base = (uint8_t) bytes[i + run - 1];
            i += run;
            continue;
        }
        i += utf8_next(bytes + i, length - i, &c, &valid);
        TRY(append_character(s, out, c, err));
    }
    return STATUS_OK;
}

/* Completes the held character with bytes of the new piece; *used of them. */
static enum status
complete_held(struct sanitiser *s, struct buffer *out, const char *bytes,
              size_t length, size_t *used, struct error *err)
{
    *used = 0;
    while (s->held_length > 0 && *used < length) {
        s->held[s->held_length++] = bytes[(*used)++];
        size_t whole = utf8_complete_prefix(s->held, s->held_length);

        if (whole == 0)
            continue;
        TRY(append_text(s, out, s->held, whole, err));
        // a byte that broke one character may have begun another
        memmove(s->held, s->held + whole, s->held_length - whole);
        s->held_length -= whole;
    }
    return STATUS_OK;
}

enum status
sanitiser_write(struct sanitiser *s, struct buffer *out, const char *bytes,
                size_t length, struct error *err)
{
    size_t used;

    TRY(complete_held(s, out, bytes, length, &used, err));
    bytes += used;
    length -= used;
    if (length == 0)
        return STATUS_OK;
    size_t whole = utf8_complete_prefix(bytes, length);

    TRY(append_text(s, out, bytes, whole, err));
    s->held_length = length - whole;
    memcpy(s->held, bytes + whole, s->held_length);
    return STATUS_OK;
}

enum status
sanitiser_finish(struct sanitiser *s, struct buffer *out, struct error *err)
{
    size_t held = s->held_length;

    s->held_length = 0;
    TRY(append_text(s, out, s->held, held, err));
    TRY(settle_return(s, out, false, err));
    s->base = 0;
    return STATUS_OK;
}
