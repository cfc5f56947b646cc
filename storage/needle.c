/* Case-insensitive search: bytes first, folding where it matters. */
#include "config.h"

#include "storage/needle.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { FOLDED_MOST = 4, LONGEST = 1 << 16 };

struct needle {
    struct buffer typed;  // as it was given
    struct buffer folded; // int32_t each
    size_t count;
    bool ascii;
    uint8_t *lower;   // (count), the folded needle where it is ASCII
    size_t skip[256]; // Horspool's table over either case
};

// -- folding ----------------------------------------------------------------

static uint8_t
lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t) (byte + 32) : byte;
}

/* Folds the character at the start of `text`; its length in bytes. */
static size_t
fold_next(int32_t out[FOLDED_MOST], size_t *count, struct text text)
{
    uint8_t first = (uint8_t) text.bytes[0];
    uint32_t point;
    bool valid;
    int bound = 0;

    *count = 1;
    if (first < 0x80) {
        out[0] = lower(first);
        return 1;
    }
    size_t bytes = utf8_next(text.bytes, text.length, &point, &valid);
    utf8proc_ssize_t folded = utf8proc_decompose_char(
        (utf8proc_int32_t) point, out, FOLDED_MOST, UTF8PROC_CASEFOLD, &bound);
    if (folded < 1 || folded > FOLDED_MOST)
        out[0] = (int32_t) point;
    else
        *count = (size_t) folded;
    return bytes;
}

static enum status
fold_all(struct needle *needle, struct error *err)
{
    struct text rest = {needle->typed.data, needle->typed.length};

    needle->ascii = true;
    while (rest.length > 0) {
        int32_t points[FOLDED_MOST];
        size_t count, bytes = fold_next(points, &count, rest);

        TRY(buffer_append(&needle->folded, points, count * sizeof points[0],
                          err));
        for (size_t i = 0; i < count; i++)
            needle->ascii = needle->ascii && points[i] < 0x80;
        needle->count += count;
        rest.bytes += bytes;
        rest.length -= bytes;
    }
    return STATUS_OK;
}

static int32_t
folded_at(const struct needle *needle, size_t i)
{
    int32_t point;

    memcpy(&point, needle->folded.data + i * sizeof point, sizeof point);
    return point;
}

static enum status
prepare_bytes(struct needle *needle, struct error *err)
{
    void *memory;
    size_t n = needle->count;

    TRY(memory_alloc(&memory, n, err));
    needle->lower = memory;
    for (size_t i = 0; i < n; i++)
        needle->lower[i] = (uint8_t) folded_at(needle, i);
    for (size_t b = 0; b < 256; b++)
        needle->skip[b] = n;
    for (size_t i = 0; i + 1 < n; i++)
        for (size_t b = 0; b < 128; b++)
            if (lower((uint8_t) b) == needle->lower[i])
                needle->skip[b] = n - 1 - i;
    return STATUS_OK;
}

enum status
needle_open(struct needle **out, struct text wanted, struct error *err)
{
    void *memory;
    struct needle *needle;
    enum status status;

    if (wanted.length == 0 || wanted.length > LONGEST ||
        !utf8_valid(wanted.bytes, wanted.length))
        return error_set(err, STATUS_FORMAT,
                         "what is looked for must be some text in UTF-8");
    TRY(memory_alloc(&memory, sizeof *needle, err));
    needle = memory;
    memset(needle, 0, sizeof *needle);
    status = buffer_append(&needle->typed, wanted.bytes, wanted.length, err);
    if (status == STATUS_OK)
        status = fold_all(needle, err);
    if (status == STATUS_OK && needle->ascii)
        status = prepare_bytes(needle, err);
    if (status == STATUS_OK)
        *out = needle;
    else
        needle_close(needle);
    return status;
}

void
needle_close(struct needle *needle)
{
    if (needle == NULL)
        return;
    if (needle->lower != NULL)
        explicit_bzero(needle->lower, needle->count);
    free(needle->lower);
    buffer_release(&needle->typed);
    buffer_release(&needle->folded);
    explicit_bzero(needle, sizeof *needle);
    free(needle);
}

// -- finding ----------------------------------------------------------------

static bool
find_bytes(size_t *at, const struct needle *needle, struct text text)
{
    const uint8_t *bytes = (const uint8_t *) text.bytes;
    size_t n = needle->count;
    uint8_t last = needle->lower[n - 1];

    for (size_t end = n - 1; end < text.length;
         end += needle->skip[bytes[end]]) {
        size_t i = 0;

        if (lower(bytes[end]) != last)
            continue;
        while (i < n && lower(bytes[end + 1 - n + i]) == needle->lower[i])
            i++;
        if (i < n)
            continue;
        *at = end + 1 - n;
        return true;
    }
    return false;
}

/*
 * Could a character here fold to ASCII letters? The lead bytes of sharp s and
 * dotted I and long s and its ligatures, n with apostrophe, j with caron,
 * Kelvin, letters with combining marks.
 */
static bool
folds_to_ascii(const uint8_t *at)
{
    switch (at[0]) {
    case 0xC3:
        return at[1] == 0x9F;
    case 0xC4:
        return at[1] == 0xB0;
    case 0xC5:
        return at[1] == 0xBF || at[1] == 0x89;
    case 0xC7:
        return at[1] == 0xB0;
    case 0xE1:
        return at[1] == 0xBA;
    case 0xE2:
        return at[1] == 0x84;
    case 0xEF:
        return at[1] == 0xAC;
    default:
        return false;
    }
}

static bool
needs_folding(struct text text)
{
    const uint8_t *bytes = (const uint8_t *) text.bytes;
    uint64_t eight;

    for (size_t i = 0; i + 1 < text.length; i++) {
        while (i + 9 < text.length) {
            memcpy(&eight, bytes + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) != 0)
                break;
            i += 8;
        }
        if (folds_to_ascii(bytes + i))
            return true;
    }
    return false;
}

/* Does it match from the start of `text` on? *length in bytes then. */
static bool
match_folded(size_t *length, const struct needle *needle, struct text text)
{
    size_t matched = 0, bytes = 0;

    while (matched < needle->count) {
        int32_t points[FOLDED_MOST];
        struct text rest = {text.bytes + bytes, text.length - bytes};
        size_t count;

        if (rest.length == 0)
            return false;
        bytes += fold_next(points, &count, rest);
        for (size_t i = 0; i < count && matched < needle->count; i++)
            if (points[i] != folded_at(needle, matched++))
                return false;
    }
    *length = bytes;
    return true;
}

static bool
find_folded(size_t *at, size_t *length, const struct needle *needle,
            struct text text)
{
    size_t i = 0;

    while (i < text.length) {
        struct text rest = {text.bytes + i, text.length - i};

        if (match_folded(length, needle, rest)) {
            *at = i;
            return true;
        }
        do
            i++;
        while (i < text.length && ((uint8_t) text.bytes[i] & 0xC0) == 0x80);
    }
    return false;
}

static bool
all_ascii(struct text text)
{
    const uint8_t *bytes = (const uint8_t *) text.bytes;
    size_t i = 0;
    uint64_t eight, seen = 0;

    for (; i + 8 <= text.length; i += 8) {
        memcpy(&eight, bytes + i, sizeof eight);
        seen |= eight;
    }
    for (; i < text.length; i++)
        seen |= bytes[i];
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

bool
needle_find(size_t *at, size_t *length, const struct needle *needle,
            struct text text)
{
    const char *exact;

    if (text.length == 0)
        return false;
    if (needle->ascii) {
        *length = needle->count;
        if (find_bytes(at, needle, text))
            return true;
        return needs_folding(text) && find_folded(at, length, needle, text);
    }
    exact = memmem(text.bytes, text.length, needle->typed.data,
                   needle->typed.length);
    if (exact != NULL) {
        *at = (size_t) (exact - text.bytes);
        *length = needle->typed.length;
        return true;
    }
    return !all_ascii(text) && find_folded(at, length, needle, text);
}
