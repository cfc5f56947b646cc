/* The 68 bytes without a character of their own, and their places. */
#include "config.h"

#include "engine/byte_text.h"

#include "base/base.h"

#include <stdbool.h>

enum { FIRST_SPARE = 0x100, SPARES = 68 };

/* How many of the 68 come before `byte`, when it is one of them. */
static bool
spare_index(uint8_t byte, uint32_t *index)
{
    if (byte <= 32) {
        *index = byte;
        return true;
    }
    if (byte >= 127 && byte <= 160) {
        *index = 33u + byte - 127u;
        return true;
    }
    *index = SPARES - 1;
    return byte == 173;
}

size_t
byte_text_write(char out[2], uint8_t byte)
{
    char bytes[4];
    uint32_t index;
    size_t n = utf8_write(bytes, spare_index(byte, &index) ? FIRST_SPARE + index
                                                           : byte);

    out[0] = bytes[0];
    if (n > 1)
        out[1] = bytes[1];
    return n;
}

int
byte_text_byte(uint32_t code_point)
{
    uint32_t index;

    if (code_point < FIRST_SPARE)
        return spare_index((uint8_t) code_point, &index) ? -1
                                                         : (int) code_point;
    index = code_point - FIRST_SPARE;
    if (index >= SPARES)
        return -1;
    if (index < 33)
        return (int) index;
    return index == SPARES - 1 ? 173 : (int) (127 + index - 33);
}
