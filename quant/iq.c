/*
 * IQ4, IQ3, IQ2, IQ1: w is the level or codebook value times the integer
 * sub-scale; where the sub-scale is n + 1/2, its double is taken, and where
 * the value has eighths, eight times it. a is d times the constant left over,
 * a power of two, so that nothing is rounded.
 *
 *            a      |w| <=          |P| <=
 *   IQ4_NL   d      127                516 128
 *   IQ4_XS   d      32 * 127        16 516 096 < 2^24
 *   IQ3_XXS  d / 4  31 * 62          7 811 008
 *   IQ3_S    d      31 * 15          1 889 760
 *   IQ2_*    d / 8  31 * 43          5 417 312
 *   IQ1_*    d / 8  15 * 9             548 640
 */
#include "quant/iq.h"

#include "quant/bits.h"
#include "quant/codebooks.h"
#include "quant/floats.h"

const int8_t iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                               1,    13,   25,  38,  53,  69,  89,  113};

/* ---- IQ4 ---- */

/* Two elements a byte, j and j + 16. */
static void
iq4_weights(const uint8_t q[16], int scale, int32_t w[32])
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
    iq4_weights(b->q, 1, out->w);
    out->a = half_at(b->d);
}

void
iq4_xs_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq4_xs *b = (const struct iq4_xs *) blocks + i / 8;
    unsigned k = i % 8;
    unsigned low = nibble_of(b->sl, k);
    unsigned high = u16_at(b->sh) >> 2 * k & 3;
    iq4_weights(b->q + 16 * k, (int) (low | high << 4) - 32, out->w);
    out->a = half_at(b->d);
}

/* ---- IQ2, IQ3 ---- */

/* The signs that seven bits stand for: the eighth makes their number even. */
static unsigned
even_signs(unsigned bits)
{
    unsigned parity = bits ^ bits >> 4; // of the seven, folded to bit 0
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return bits | (parity & 1) << 7;
}

static int
signed_by(unsigned signs, unsigned j, int value)
{
    return bit_of(signs, j) ? -value : value;
}

static void
iq2_weights(unsigned row, unsigned signs, int scale, int32_t w[8])
{
    for (unsigned j = 0; j < 8; j++)
        w[j] = scale * signed_by(signs, j, codebook_iq2_value(row, j));
}

void
iq2_xxs_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq2_xxs *b = (const struct iq2_xxs *) blocks + i / 8;
    const uint8_t *index = b->group[i % 8].index;
    uint32_t word = u32_at(b->group[i % 8].word);
    int scale = 2 * (int) (word >> 28) + 1;
    for (unsigned l = 0; l < 4; l++)
        iq2_weights(codebook_iq2_xxs[index[l]], even_signs(word >> 7 * l & 127),
                    scale, out->w + 8 * l);
    out->a = half_at(b->d) * 0.125f;
}

void
iq2_xs_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq2_xs *b = (const struct iq2_xs *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 4; l++) {
        unsigned v = u16_at(b->q[4 * k + l]);
        int scale = 2 * (int) nibble_of(b->scales, 2 * k + l / 2) + 1;
        iq2_weights(codebook_iq2_xs[v & 511], even_signs(v >> 9), scale,
                    out->w + 8 * l);
    }
    out->a = half_at(b->d) * 0.125f;
}

void
iq2_s_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq2_s *b = (const struct iq2_s *) blocks + i / 8;
    unsigned k = i % 8;
    for (unsigned l = 0; l < 4; l++) {
        unsigned index = b->index[4 * k + l] | (b->qh[k] >> 2 * l & 3u) << 8;
        int scale = 2 * (int) nibble_of(b->scales, 2 * k + l / 2) + 1;
        iq2_weights(codebook_iq2_s[index], b->signs[4 * k + l], scale,
                    out->w + 8 * l);
    }
    out->a = half_at(b->d) * 0.125f;
}

void
iq3_xxs_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq3_xxs *b = (const struct iq3_xxs *) blocks + i / 8;
    const uint8_t *index = b->index + 8 * (i % 8);
    uint32_t word = u32_at(b->word[i % 8]);
    int scale = 2 * (int) (word >> 28) + 1;
    for (unsigned j = 0; j < 32; j++) {
        unsigned signs = even_signs(word >> 7 * (j / 8) & 127);
        unsigned row = codebook_iq3_xxs[index[j / 4]];
        int value = codebook_iq3_xxs_value(row, j % 4);
        out->w[j] = scale * signed_by(signs, j % 8, value);
    }
    out->a = half_at(b->d) * 0.25f;
}

void
iq3_s_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq3_s *b = (const struct iq3_s *) blocks + i / 8;
    unsigned k = i % 8;
    int scale = 2 * (int) nibble_of(b->scales, k) + 1;
    for (unsigned j = 0; j < 32; j++) {
        unsigned high = bit_of(b->qh[k], j / 4);
        unsigned row = codebook_iq3_s[b->index[8 * k + j / 4] | high << 8];
        int value = codebook_iq3_s_value(row, j % 4);
        out->w[j] = scale * signed_by(b->signs[4 * k + j / 8], j % 8, value);
    }
    out->a = half_at(b->d);
}

/* ---- IQ1 ---- */

void
iq1_weights(unsigned index, bool delta_negative, int scale, int32_t w[8])
{
    unsigned row = codebook_iq1_s[index];
    int delta = delta_negative ? -1 : 1;
    for (unsigned j = 0; j < 8; j++)
        w[j] = scale * (8 * codebook_iq1_value(row, j) + delta);
}

void
iq1_s_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq1_s *b = (const struct iq1_s *) blocks + i / 8;
    unsigned k = i % 8;
    unsigned qh = u16_at(b->qh[k]);
    int scale = 2 * (int) (qh >> 12 & 7) + 1;
    for (unsigned l = 0; l < 4; l++) {
        unsigned index = b->index[4 * k + l] | (qh >> 3 * l & 7) << 8;
        iq1_weights(index, qh >> 15, scale, out->w + 8 * l);
    }
    out->a = half_at(b->d) * 0.125f;
}

/* The bits of d: the top nibbles of the four words of scales. */
static uint16_t
iq1_m_half(const struct iq1_m *b)
{
    unsigned bits = 0;
    for (unsigned s = 0; s < 4; s++)
        bits |= (unsigned) high4(b->scales[s][1]) << 4 * s;
    return (uint16_t) bits;
}

void
iq1_m_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct iq1_m *b = (const struct iq1_m *) blocks + i / 8;
    unsigned k = i % 8;
    unsigned scales = u16_at(b->scales[k / 2]) >> 6 * (k % 2);
    for (unsigned l = 0; l < 4; l++) {
        unsigned high = nibble_of(b->qh, 4 * k + l);
        unsigned index = b->index[4 * k + l] | (high & 7) << 8;
        int scale = 2 * (int) (scales >> 3 * (l / 2) & 7) + 1;
        iq1_weights(index, high & 8, scale, out->w + 8 * l);
    }
    out->a = half_to_float(iq1_m_half(b)) * 0.125f;
}

bool
iq1_m_finite(const uint8_t *blocks, size_t count)
{
    const struct iq1_m *b = (const struct iq1_m *) blocks;
    for (size_t i = 0; i < count; i++)
        if ((iq1_m_half(b + i) & 0x7c00) == 0x7c00)
            return false;
    return true;
}
