/*
 * Rows stored four together: decoded as the published formulas say, which are
 * written out here byte by byte, and the same after they are taken apart.
 */
#include "quant/codebooks.h"
#include "quant/quant.h"
#include "tests/unit/random_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int n2[8] = {-31, -13, 1, 17, -26, -8, 6, 22};
static const int n3[16] = {-63, -40, -23, -10, 1, 13, 28, 47,
                           -59, -36, -19, -6,  5, 17, 32, 51};
static const int n4[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                           1,    13,   25,  38,  53,  69,  89,  113};
static const int n5[32] = {-126, -114, -103, -92, -83, -74, -65, -57,
                           -50,  -43,  -36,  -30, -24, -18, -12, -6,
                           -1,   5,    11,   17,  23,  29,  36,  43,
                           51,   59,   68,   77,  87,  97,  109, 121};

/* Where an element is: row k of four, 32-block ib, place x in it. */
struct place {
    const uint8_t *b; // the group's block
    int k, ib, x;
    int t, i, hf, is; // x / 4, x % 4, x / 16, 8 ib + 4 hf + k
    float row_scale;  // from the group's header
};

static int
nibble(int byte, int s)
{
    return byte >> 4 * s & 15;
}

static int
nib(const struct place *p, int o)
{
    int byte = p->b[o + 16 * (2 * (p->t & 1) + (p->t >> 2)) + 4 * p->k + p->i];
    return (p->t & 2) == 0 ? byte & 15 : byte >> 4;
}

static int
two(const struct place *p, int o)
{
    return p->b[o + 4 * p->k + p->i + 16 * p->hf] >> 2 * (p->x % 16 / 4) & 3;
}

static int
one(const struct place *p, int o, int bit)
{
    return p->b[o + 16 * p->ib + 4 * p->k + p->i] >> bit & 1;
}

static float
half_in(const struct place *p, int o)
{
    const uint8_t *at = p->b + o + 2 * p->k;
    return half_to_float((uint16_t) (at[0] | at[1] << 8));
}

static float
q2_k_r4(const struct place *p)
{
    int sc = p->b[16 + 8 * p->ib + p->k + 4 * p->hf];
    return half_in(p, 0) * (float) (sc & 15) * (float) two(p, 80 + 32 * p->ib) -
           half_in(p, 8) * (float) (sc >> 4);
}

static float
q3_k_r4(const struct place *p)
{
    int n = (nibble(p->b[24 + p->is % 32], p->is / 32) |
             (p->b[8 + p->is % 16] >> 2 * (p->is / 16) & 3) << 4) -
            32;
    int q = two(p, 184 + 32 * p->ib) | one(p, 56, p->x % 16 / 4 + 4 * p->hf)
                                           << 2;
    return half_in(p, 0) * (float) n * (float) (q - 4);
}

static float
k4_r4(const struct place *p, int q)
{
    int i4 = 4 * p->ib + p->k;
    int b6 = p->b[16 + i4 % 16] >> 4 * (i4 / 16);
    int sc = (p->b[32 + i4] & 15) | (b6 & 3) << 4;
    int mn = p->b[32 + i4] >> 4 | (b6 >> 2 & 3) << 4;
    return half_in(p, 0) * (float) sc * (float) q - half_in(p, 8) * (float) mn;
}

static float
q4_k_r4(const struct place *p)
{
    return k4_r4(p, nib(p, 64 + 64 * p->ib));
}

static float
q5_k_r4(const struct place *p)
{
    int bit = (p->t >> 1 & 1) + 2 * (p->t & 1) + 4 * (p->t >> 2);
    return k4_r4(p, nib(p, 192 + 64 * p->ib) | one(p, 64, bit) << 4);
}

static float
q6_k_r4(const struct place *p)
{
    int sc = (int8_t) p->b[8 + 8 * p->ib + p->k + 4 * p->hf];
    int high = p->b[72 + 32 * p->ib + 4 * p->k + p->i + 16 * p->hf] >>
                   (2 * (p->t >> 1 & 1) + 4 * (p->t & 1)) &
               3;
    int q = nib(p, 328 + 64 * p->ib) | high << 4;
    return half_in(p, 0) * (float) sc * (float) (q - 32);
}

static int
extra(const struct place *p)
{
    return p->b[8 + p->k + 4 * p->hf] >> p->ib & 1;
}

static float
iq2_k_r4(const struct place *p)
{
    int n = nibble(p->b[16 + p->is % 32], p->is / 32) - 8;
    return half_in(p, 0) * (float) n *
           (float) n2[two(p, 48 + 32 * p->ib) + 4 * extra(p)];
}

static float
iq3_k_r4(const struct place *p)
{
    int n = 2 * nibble(p->b[24 + p->is % 32], p->is / 32) + 1;
    int q = two(p, 56 + 32 * p->ib) | one(p, 312, p->x % 16 / 4 + 4 * p->hf)
                                          << 2;
    if (p->b[16 + p->is % 8] >> p->is / 8 & 1)
        n = -n;
    return half_in(p, 0) * (float) n * (float) n3[q + 8 * extra(p)];
}

static int
scale45(const struct place *p)
{
    return (nibble(p->b[32 + p->is % 32], p->is / 32) |
            (p->b[16 + p->is % 16] >> 2 * (p->is / 16) & 3) << 4) -
           32;
}

static float
iq4_k_r4(const struct place *p)
{
    return half_in(p, 0) * (float) scale45(p) *
           (float) (n4[nib(p, 64 + 64 * p->ib)] + 4 * extra(p));
}

static int
fifth(const struct place *p, int o)
{
    return one(p, o, (p->t >> 1) + 4 * (p->t & 1)) << 4;
}

static float
iq5_k_r4(const struct place *p)
{
    int q = nib(p, 64 + 64 * p->ib) | fifth(p, 576);
    return half_in(p, 0) * (float) scale45(p) * (float) (n5[q] + 2 * extra(p));
}

static float
iq4_ks_r4(const struct place *p)
{
    int sc = p->b[4 * p->ib + p->k];
    float scale = p->row_scale * (float) ((sc & 254) - 127);
    return scale * (float) (n4[nib(p, 32 + 64 * p->ib)] + 4 * (sc & 1));
}

static float
iq5_ks_r4(const struct place *p)
{
    int sc = p->b[4 * p->ib + p->k];
    float scale = p->row_scale * (float) ((sc & 254) - 127);
    int q = nib(p, 32 + 64 * p->ib) | fifth(p, 544);
    return scale * (float) (n5[q] + 2 * (sc & 1));
}

static float
iq1_s_r4(const struct place *p)
{
    int g = p->x / 8;
    int qh = p->b[16 + 2 * p->k] | p->b[17 + 2 * p->k] << 8;
    int index = p->b[4 * g + p->k] | (qh >> 3 * g & 7) << 8;
    float delta = qh >> 15 ? -0.125f : 0.125f;
    int value = codebook_iq1_value(codebook_iq1_s[index], p->x % 8u);
    return p->row_scale * (float) (2 * (qh >> 12 & 7) + 1) *
           ((float) value + delta);
}

static float
iq1_m_r4(const struct place *p)
{
    int g = p->x / 8;
    int n = nibble(p->b[24 + p->k], g / 2);
    int high = nibble(p->b[16 + 4 * (g / 2) + p->k], g % 2);
    int index = p->b[4 * g + p->k] | (high & 7) << 8;
    float delta = high & 8 ? -0.125f : 0.125f;
    int value = codebook_iq1_value(codebook_iq1_s[index], p->x % 8u);
    return p->row_scale * (float) n * ((float) value + delta);
}

struct formula {
    int32_t id;
    int block_elems, group_block_bytes, header_bytes; // of four rows
    float (*value)(const struct place *place);
};

static const struct formula formulas[] = {
    {FORMAT_Q2_K_R4, 256, 336, 0, q2_k_r4},
    {FORMAT_Q3_K_R4, 256, 440, 0, q3_k_r4},
    {FORMAT_Q4_K_R4, 256, 576, 0, q4_k_r4},
    {FORMAT_Q5_K_R4, 256, 704, 0, q5_k_r4},
    {FORMAT_Q6_K_R4, 256, 840, 0, q6_k_r4},
    {FORMAT_IQ2_K_R4, 256, 304, 0, iq2_k_r4},
    {FORMAT_IQ3_K_R4, 256, 440, 0, iq3_k_r4},
    {FORMAT_IQ4_K_R4, 256, 576, 0, iq4_k_r4},
    {FORMAT_IQ5_K_R4, 256, 704, 0, iq5_k_r4},
    {FORMAT_IQ4_KS_R4, 256, 544, 16, iq4_ks_r4},
    {FORMAT_IQ5_KS_R4, 256, 672, 16, iq5_ks_r4},
    {FORMAT_IQ1_S_R4, 32, 24, 8, iq1_s_r4},
    {FORMAT_IQ1_M_R4, 32, 28, 8, iq1_m_r4},
};

enum { FORMULAS = sizeof formulas / sizeof formulas[0] };

static float
formula_value(const struct formula *formula, const uint8_t *group, int lane,
              int e)
{
    struct place p = {.k = lane, .row_scale = 0};
    int in_block = e % formula->block_elems;
    p.b = group + formula->header_bytes +
          e / formula->block_elems * formula->group_block_bytes;
    p.ib = in_block / 32;
    p.x = in_block % 32;
    p.t = p.x / 4;
    p.i = p.x % 4;
    p.hf = p.x / 16;
    p.is = 8 * p.ib + 4 * p.hf + lane;
    if (formula->header_bytes == 16)
        memcpy(&p.row_scale, group + 4 * lane, 4);
    if (formula->header_bytes == 8)
        p.row_scale = half_to_float(
            (uint16_t) (group[2 * lane] | group[2 * lane + 1] << 8));
    return formula->value(&p);
}

/* A group of random rows, each with a header of its own. */
static void
random_group(struct random *random, const struct format *format, uint8_t *group)
{
    random_finite_rows(random, format, group);
    for (unsigned lane = 0; lane < 4; lane++) {
        float scale = random_unit(random);
        uint16_t half = float_to_half(scale);
        if (format->header_bytes == 4)
            memcpy(group + 4 * lane, &scale, 4);
        if (format->header_bytes == 2)
            memcpy(group + 2 * lane, &half, 2);
    }
}

static void
groups_decode_by_the_published_formulas(void **state)
{
    (void) state;
    struct random random = random_start(7);
    uint8_t group[GROUP_BYTES];
    float out[ROW_ELEMS];
    for (size_t f = 0; f < FORMULAS; f++) {
        const struct format *format = format_find(formulas[f].id);
        random_group(&random, format, group);
        for (int lane = 0; lane < 4; lane++) {
            format_decode_row(format, group, (unsigned) lane, out, ROW_ELEMS);
            for (int e = 0; e < ROW_ELEMS; e++)
                if (out[e] != formula_value(&formulas[f], group, lane, e))
                    fail_msg("%s: row %d, element %d", format->name, lane, e);
        }
    }
}

static void
rows_taken_apart_keep_their_values(void **state)
{
    (void) state;
    struct random random = random_start(8);
    uint8_t group[GROUP_BYTES];
    uint8_t rows[GROUP_BYTES];
    float in_group[ROW_ELEMS];
    float alone[ROW_ELEMS];
    for (size_t f = 0; f < FORMULAS; f++) {
        const struct format *format = format_find(formulas[f].id);
        const struct format *plain = format_plain(format);
        size_t row_bytes = format_row_bytes(format, ROW_ELEMS);
        assert_int_equal(plain->interleaved, 1);
        assert_int_equal(format_row_bytes(plain, ROW_ELEMS), row_bytes);
        random_group(&random, format, group);
        memset(rows, 0xa5, sizeof rows);
        format_unpack_rows(format, group, rows, ROW_ELEMS);
        for (unsigned lane = 0; lane < 4; lane++) {
            format_decode_row(format, group, lane, in_group, ROW_ELEMS);
            format_decode_row(plain, rows + lane * row_bytes, 0, alone,
                              ROW_ELEMS);
            if (memcmp(in_group, alone, sizeof alone) != 0)
                fail_msg("%s: row %u", format->name, lane);
        }
        assert_int_equal(rows[4 * row_bytes], 0xa5); // nothing beyond
    }
}

static void
every_interleaved_format_is_tested_here(void **state)
{
    (void) state;
    size_t found = 0;
    for (size_t i = 0; format_at(i) != NULL; i++)
        found += format_at(i)->interleaved > 1;
    assert_int_equal(found, FORMULAS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_interleaved_format_is_tested_here),
        cmocka_unit_test(groups_decode_by_the_published_formulas),
        cmocka_unit_test(rows_taken_apart_keep_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
