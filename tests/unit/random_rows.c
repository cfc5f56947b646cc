/* Random rows: bits from splitmix64. */
#include "tests/unit/random_rows.h"

#include <stdio.h>
#include <string.h>

struct random
random_start(uint64_t seed)
{
    printf("# seed %llu\n", (unsigned long long) seed);
    return (struct random){seed};
}

uint32_t
random_bits(struct random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    uint64_t z = random->state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t) (z >> 32);
}

float
random_unit(struct random *random)
{
    return (float) (int32_t) random_bits(random) * 0x1p-31f;
}

void
random_fill(struct random *random, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t) random_bits(random);
}

size_t
rows_bytes(const struct format *format)
{
    return format_row_bytes(format, ROW_ELEMS) * format->interleaved;
}

void
random_rows(struct random *random, const struct format *format, uint8_t *rows)
{
    const float scale = 0x1p-7f;
    random_fill(random, rows, rows_bytes(format));
    for (size_t lane = 0; lane < format->interleaved; lane++) {
        uint16_t half = float_to_half(scale);
        if (format->header_bytes == 2)
            memcpy(rows + 2 * lane, &half, 2);
        if (format->header_bytes == 4)
            memcpy(rows + 4 * lane, &scale, 4);
    }
}

void
random_finite_rows(struct random *random, const struct format *format,
                   uint8_t *rows)
{
    do {
        random_rows(random, format, rows);
    } while (
        !format_scales_finite(format, rows, rows_bytes(format), ROW_ELEMS));
}
