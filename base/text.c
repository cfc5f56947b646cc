/* UTF-8 by the table of well-formed byte sequences (Unicode, table 3-7). */
#include "config.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/*
 * Range of the second byte for a leading byte, and the length of the
 * character; length 0: not a leading byte.
 */
struct lead {
    uint8_t length, low, high;
};

static struct lead
lead_of(uint8_t byte)
{
    if (byte < 0x80)
        return (struct lead){1, 0, 0};
    if (byte < 0xC2 || byte > 0xF4)
        return (struct lead){0, 0, 0};
    if (byte < 0xE0)
        return (struct lead){2, 0x80, 0xBF};
    if (byte < 0xF0)
        return (struct lead){3, byte == 0xE0 ? 0xA0 : 0x80,
                             byte == 0xED ? 0x9F : 0xBF};
    return (struct lead){4, byte == 0xF0 ? 0x90 : 0x80,
                         byte == 0xF4 ? 0x8F : 0xBF};
}

/* Bytes of the character at `bytes` that are well-formed so far. */
static size_t
well_formed(const uint8_t *bytes, size_t length, struct lead lead)
{
    size_t n = 1;

    while (n < lead.length && n < length) {
        uint8_t low = n == 1 ? lead.low : 0x80;
        uint8_t high = n == 1 ? lead.high : 0xBF;

        if (bytes[n] < low || bytes[n] > high)
            break;
        n++;
    }
    return n;
}

size_t
utf8_next(const char *text, size_t length, uint32_t *code_point, bool *valid)
{
    const uint8_t *bytes = (const uint8_t *) text;

    if (bytes[0] < 0x80) { // most text
        *code_point = bytes[0];
        *valid = true;
        return 1;
    }
    struct lead lead = lead_of(bytes[0]);
    size_t n = well_formed(bytes, length, lead);

    *valid = lead.length > 0 && n == lead.length;
    if (!*valid) {
        *code_point = TEXT_REPLACEMENT;
        return n;
    }
    static const uint8_t first_bits[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    *code_point = bytes[0] & first_bits[n];
    for (size_t i = 1; i < n; i++)
        *code_point = *code_point << 6 | (bytes[i] & 0x3Fu);
    return n;
}

size_t
utf8_write(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char) c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first_mark[5] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char) (0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char) (first_mark[n] | c);
    return n;
}

bool
utf8_valid(const char *bytes, size_t length)
{
    uint32_t code_point;
    bool valid = true;

    for (size_t i = 0; i < length && valid;)
        i += utf8_next(bytes + i, length - i, &code_point, &valid);
    return valid;
}

size_t
utf8_complete_prefix(const char *bytes, size_t length)
{
    // a character that may still be completed starts in the last three bytes
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        const uint8_t *start = (const uint8_t *) bytes + length - back;
        struct lead lead = lead_of(*start);

        if (lead.length > back && well_formed(start, back, lead) == back)
            return length - back;
        if (lead.length > 0)
            break;
    }
    return length;
}

enum status
utf8_repair(struct buffer *out, const char *bytes, size_t length,
            struct error *err)
{
    size_t start = 0, i = 0;
    uint32_t code_point;
    bool valid;

    TRY(buffer_reserve(out, length, err));
    while (i < length) {
        size_t n = utf8_next(bytes + i, length - i, &code_point, &valid);

        if (!valid) {
            TRY(buffer_append(out, bytes + start, i - start, err));
            TRY(buffer_append(out, "\xEF\xBF\xBD", 3, err));
            start = i + n;
        }
        i += n;
    }
    return buffer_append(out, bytes + start, length - start, err);
}

static bool
is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
           (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0000 && c <= 0xE0FFF) ||
           (c & 0xFFFE) == 0xFFFE;
}

bool
text_ends_with(const char *text, size_t length, const char *ending)
{
    size_t n = strlen(ending);

    return length > n && memcmp(text + length - n, ending, n) == 0;
}

void
text_copy(char *out, size_t size, const char *from)
{
    size_t length = strlen(from);

    assert(length < size);
    memcpy(out, from, length + 1);
}

const char *
text_quote(char *out, size_t size, const char *bytes, size_t length)
{
    size_t used = 0, i = 0;
    uint32_t code_point;
    bool valid;

    while (i < length) {
        char piece[16];
        size_t n = utf8_next(bytes + i, length - i, &code_point, &valid);
        int m;

        if (!valid || code_point < 0x80) {
            uint8_t byte = (uint8_t) bytes[i];

            n = 1;
            m = is_hidden(byte) || byte >= 0x80
                    ? snprintf(piece, sizeof piece, "\\x%02X", byte)
                    : snprintf(piece, sizeof piece, "%c", byte);
        } else if (is_hidden(code_point)) {
            m = snprintf(piece, sizeof piece, "\\u{%X}", code_point);
        } else {
            m = snprintf(piece, sizeof piece, "%.*s", (int) n, bytes + i);
        }
        if (used + (size_t) m + sizeof "..." > size)
            break;
        memcpy(out + used, piece, (size_t) m);
        used += (size_t) m;
        i += n;
    }
    if (i < length && used + sizeof "..." <= size) {
        memcpy(out + used, "...", 3);
        used += 3;
    }
    if (size > 0)
        out[used < size ? used : size - 1] = '\0';
    return out;
}

const char *
text_count(char out[COUNT_TEXT], uint64_t count)
{
    char digits[24];
    int length =
            snprintf(digits, sizeof digits, "%llu", (unsigned long long) count),
        used = 0;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

size_t
text_thousands(double *value, size_t most)
{
    size_t times = 0;

    for (; *value >= 999.5 && times < most; times++)
        *value /= 1000;
    return times;
}

const char *
text_short_count(char out[COUNT_TEXT], double count)
{
    static const char *const units[] = {"", "k", "M", "B", "T"};
    size_t unit = text_thousands(&count, sizeof units / sizeof units[0] - 1);

    snprintf(out, COUNT_TEXT, "%.*f%s", unit > 0 && count < 9.95 ? 1 : 0, count,
             units[unit]);
    return out;
}
