/* A table of names; numbers are checked. */
#include "config.h"

#include "ui/text/entity.h"

#include "ui/text/sanitiser.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t code_point;
} entities[] = {
    {"amp", '&'},       {"apos", '\''},    {"asymp", 0x2248}, {"bull", 0x2022},
    {"cent", 0xA2},     {"copy", 0xA9},    {"darr", 0x2193},  {"deg", 0xB0},
    {"divide", 0xF7},   {"emsp", ' '},     {"ensp", ' '},     {"euro", 0x20AC},
    {"frac12", 0xBD},   {"ge", 0x2265},    {"gt", '>'},       {"harr", 0x2194},
    {"hellip", 0x2026}, {"infin", 0x221E}, {"laquo", 0xAB},   {"larr", 0x2190},
    {"ldquo", 0x201C},  {"le", 0x2264},    {"lsquo", 0x2018}, {"lt", '<'},
    {"mdash", 0x2014},  {"micro", 0xB5},   {"middot", 0xB7},  {"minus", 0x2212},
    {"nbsp", ' '},      {"ndash", 0x2013}, {"ne", 0x2260},    {"para", 0xB6},
    {"pi", 0x3C0},      {"plusmn", 0xB1},  {"pound", 0xA3},   {"quot", '"'},
    {"raquo", 0xBB},    {"rarr", 0x2192},  {"rdquo", 0x201D}, {"reg", 0xAE},
    {"rsquo", 0x2019},  {"sect", 0xA7},    {"sum", 0x2211},   {"sup2", 0xB2},
    {"sup3", 0xB3},     {"thinsp", ' '},   {"times", 0xD7},   {"trade", 0x2122},
    {"uarr", 0x2191},   {"yen", 0xA5},
};

static uint32_t
digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t) (c - '0');
    c = (char) (c | 0x20);
    return c >= 'a' && c <= 'f' ? (uint32_t) (c - 'a' + 10) : 16;
}

/* "&#956;" and "&#x3BC;"; 0 for what is no character. */
static uint32_t
number_of(const char *bytes, size_t length)
{
    bool hexadecimal = (bytes[2] | 0x20) == 'x';
    uint32_t base = hexadecimal ? 16 : 10, value = 0;

    for (size_t i = hexadecimal ? 3 : 2; i + 1 < length; i++) {
        uint32_t digit = digit_of(bytes[i]);

        if (digit >= base)
            return 0;
        value = value * base + digit;
        if (value > 0x10FFFF)
            return 0;
    }
    return value >= 0xD800 && value < 0xE000 ? 0 : value;
}

static bool
may_be_shown(uint32_t c)
{
    // selectors and joiners are nothing on their own
    return c >= ' ' && !sanitiser_is_command(c) &&
           !(c >= 0xFDD0 && c <= 0xFDEF) && !(c >= 0xFE00 && c <= 0xFE0F) &&
           c < 0xE0000;
}

size_t
entity_decode(char *out, const char *bytes, size_t length)
{
    uint32_t c = 0;

    if (length < 4 || bytes[0] != '&' || bytes[length - 1] != ';')
        return 0;
    if (bytes[1] == '#')
        c = number_of(bytes, length);
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
        if (strlen(entities[i].name) == length - 2 &&
            memcmp(entities[i].name, bytes + 1, length - 2) == 0)
            c = entities[i].code_point;
    return may_be_shown(c) ? utf8_write(out, c) : 0;
}
