/*
 * Q2_K, Q3_K, Q4_K, Q5_K, Q6_K.
 *
 * Where sub-blocks have 16 elements, integer scales are folded into w:
 *   Q2_K  |w| <= 15 * 3     |P| <=    182 880,  |M| <= 2 * 15 * 2032 = 60 960
 *   Q3_K  |w| <= 32 * 4     |P| <=    520 192
 *   Q6_K  |w| <= 128 * 32   |P| <= 16 646 144 < 2^24 = 16 777 216
 * Where they have 32, a = fl(d * scale): Q4_K |P| <= 60 960, Q5_K 125 984.
 */
#include "quant/k_quants.h"

#include "quant/bits.h"

void
q2_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q2_k *b = (const struct q2_k *) blocks + i / 8;
    unsigned k = i % 8;
    const uint8_t *q = b->q + 32 * (k / 4);
    const uint8_t *scales = b->scales + 2 * k;
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = (int) (low4(scales[l / 16]) * (q[l] >> 2 * (k % 4) & 3));
    out->a = half_at(b->d);
    out->m = half_at(b->dmin);
    out->minimum = MINIMUM_INTEGER;
    out->min[0] = (int) high4(scales[0]);
    out->min[1] = (int) high4(scales[1]);
}

static int
q3_k_scale(const uint8_t s[12], unsigned g)
{
    unsigned low = s[g % 8] >> 4 * (g / 8) & 15;
    unsigned high = s[8 + g % 4] >> 2 * (g / 4) & 3;
    return (int) (low | high << 4) - 32;
}

void
q3_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q3_k *b = (const struct q3_k *) blocks + i / 8;
    unsigned k = i % 8;
    const uint8_t *q = b->q + 32 * (k / 4);
    int scale[2] = {q3_k_scale(b->scales, 2 * k),
                    q3_k_scale(b->scales, 2 * k + 1)};
    for (unsigned l = 0; l < 32; l++) {
        unsigned high = bit_of(b->hmask[l], k);
        int level = (int) ((q[l] >> 2 * (k % 4) & 3) | high << 2) - 4;
        out->w[l] = scale[l / 16] * level;
    }
    out->a = half_at(b->d);
}

/* Scale and minimum of 32-block k, as drawn in the header. */
static void
k4_scale(const uint8_t s[12], unsigned k, unsigned *scale, unsigned *minimum)
{
    if (k < 4) {
        *scale = s[k] & 63;
        *minimum = s[k + 4] & 63;
    } else {
        *scale = low4(s[k + 4]) | (unsigned) s[k - 4] >> 6 << 4;
        *minimum = high4(s[k + 4]) | (unsigned) s[k] >> 6 << 4;
    }
}

static void
k4_scales_set(const uint8_t d[2], const uint8_t dmin[2], const uint8_t s[12],
              unsigned k, struct block32 *out)
{
    unsigned scale;
    unsigned minimum;
    k4_scale(s, k, &scale, &minimum);
    out->a = half_at(d) * (float) scale;
    out->m = half_at(dmin) * (float) minimum;
    out->minimum = MINIMUM_FLOAT;
}

void
q4_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q4_k *b = (const struct q4_k *) blocks + i / 8;
    unsigned k = i % 8;
    const uint8_t *q = b->q + 32 * (k / 2);
    for (unsigned l = 0; l < 32; l++)
        out->w[l] = q[l] >> 4 * (k % 2) & 15;
    k4_scales_set(b->d, b->dmin, b->scales, k, out);
}

void
q5_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q5_k *b = (const struct q5_k *) blocks + i / 8;
    unsigned k = i % 8;
    const uint8_t *q = b->q + 32 * (k / 2);
    for (unsigned l = 0; l < 32; l++) {
        unsigned high = bit_of(b->qh[l], k);
        out->w[l] = (int) ((q[l] >> 4 * (k % 2) & 15) | high << 4);
    }
    k4_scales_set(b->d, b->dmin, b->scales, k, out);
}

void
q6_k_block32(const void *blocks, size_t i, struct block32 *out)
{
    const struct q6_k *b = (const struct q6_k *) blocks + i / 8;
    unsigned k = i % 8;
    unsigned j = k % 4;
    const uint8_t *low = b->ql + 64 * (k / 4) + 32 * (j & 1);
    const uint8_t *high = b->qh + 32 * (k / 4);
    for (unsigned l = 0; l < 32; l++) {
        unsigned bits = low[l] >> 4 * (j / 2) & 15;
        bits |= (high[l] >> 2 * j & 3u) << 4;
        out->w[l] = b->scales[2 * k + l / 16] * ((int) bits - 32);
    }
    out->a = half_at(b->d);
}
