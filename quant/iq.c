/*
 * IQ4_NL, IQ4_XS.
 *
 *   IQ4_NL  |w| <= 127        |P| <=    516 128
 *   IQ4_XS  |w| <= 32 * 127   |P| <= 16 516 096 < 2^24
 */
#include "quant/iq.h"

#include "quant/bits.h"

const int8_t iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                               1,    13,   25,  38,  53,  69,  89,  113};

/* Two elements a byte, j and j + 16. */
static void
iq4_read(const uint8_t q[16], int scale, int32_t w[32])
{
    for (unsigned j = 0; j < 16; j++) {
        w[j] = scale * iq4_levels[low4(q[j])];
        w[j + 16] = scale * iq4_levels[high4(q[j])];
    }
}

void
iq4_nl_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq4_nl *b = (const struct iq4_nl *) blocks + i;
    iq4_read(b->q, 1, out->w);
    out->a = half_at(b->d);
}

void
iq4_xs_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq4_xs *b = (const struct iq4_xs *) blocks + i / 8;
    unsigned k = i % 8;
    unsigned low = b->sl[k / 2] >> 4 * (k % 2) & 15;
    unsigned high = u16_at(b->sh) >> 2 * k & 3;
    iq4_read(b->q + 16 * k, (int) (low | high << 4) - 32, out->w);
    out->a = half_at(b->d);
}
