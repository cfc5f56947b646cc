/* Three bytes are four characters. */
#include "config.h"

#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum status
base64_encode(struct buffer *out, const void *bytes, size_t length,
              struct error *err)
{
    const uint8_t *in = bytes;
    size_t groups = length / 3 + (length % 3 != 0);

    TRY(buffer_reserve(out, 4 * groups, err));
    char *to = out->data + out->length;
    for (size_t at = 0; at < length; at += 3, to += 4) {
        size_t left = length - at;
        uint32_t group = (uint32_t) in[at] << 16 |
                         (left > 1 ? (uint32_t) in[at + 1] << 8 : 0) |
                         (left > 2 ? in[at + 2] : 0);

        to[0] = digits[group >> 18];
        to[1] = digits[group >> 12 & 63];
        to[2] = left > 1 ? digits[group >> 6 & 63] : '=';
        to[3] = left > 2 ? digits[group & 63] : '=';
    }
    out->length += 4 * groups;
    out->data[out->length] = '\0';
    return STATUS_OK;
}

enum { NO_DIGIT = 64 };

/* What a character stands for: six bits, or NO_DIGIT. */
struct values {
    uint8_t of[256];
};

static struct values
values_of_digits(void)
{
    struct values values;

    memset(values.of, NO_DIGIT, sizeof values.of);
    for (unsigned i = 0; i < NO_DIGIT; i++)
        values.of[(uint8_t) digits[i]] = (uint8_t) i;
    return values;
}

static uint32_t
value_of(const struct values *values, char c)
{
    return values->of[(uint8_t) c];
}

/* Bytes of the last group, 1 to 3; what is padded must be 0. */
static size_t
last_bytes(const struct values *values, const char *group)
{
    if (group[3] != '=')
        return 3;
    if (group[2] != '=')
        return (value_of(values, group[2]) & 3) == 0 ? 2 : 0;
    return (value_of(values, group[1]) & 15) == 0 ? 1 : 0;
}

static bool
decode_group(const struct values *values, uint8_t out[3], const char *text,
             size_t bytes)
{
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        uint32_t value = i <= bytes ? value_of(values, text[i]) : 0;

        if (value == NO_DIGIT)
            return false;
        group = group << 6 | value;
    }
    for (size_t i = 0; i < 3; i++)
        out[i] = (uint8_t) (group >> (16 - 8 * i));
    return true;
}

enum status
base64_decode(struct buffer *out, const char *text, size_t length,
              struct error *err)
{
    size_t kept = out->length;
    bool sound = length % 4 == 0;
    struct values values = values_of_digits();

    TRY(buffer_reserve(out, length / 4 * 3 + 3, err));
    for (size_t at = 0; at < length && sound; at += 4) {
        size_t bytes = at + 4 == length ? last_bytes(&values, text + at) : 3;

        sound = bytes > 0 &&
                decode_group(&values, (uint8_t *) out->data + out->length,
                             text + at, bytes);
        out->length += bytes;
    }
    if (!sound)
        out->length = kept;
    out->data[out->length] = '\0';
    if (!sound)
        return error_set(err, STATUS_FORMAT, "bytes are not written in base64");
    return STATUS_OK;
}
