/*
 * linear.h's promises: every variant gives the bits of the reference, for
 * every format of the contract, on random and extreme blocks; the reference
 * keeps its bound against doubles.
 */
#include "config.h"

#include "kernels/check.h"
#include "kernels/kernels.h"
#include "kernels/linear/linear_sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct check_random rng = {1};

/* ---- activations ---- */

static void *
activations_make(struct activations *a, size_t tokens, size_t blocks,
                 bool matrix_order)
{
    size_t bytes = activations_bytes(tokens, blocks);
    void *memory = check_alloc((bytes + 63) / 64 * 64);

    activations_place(a, memory, tokens, blocks, matrix_order);
    return memory;
}

/* ---- rounding activations ---- */

static bool
known_rounding(void)
{
    struct activations a;
    void *planes = activations_make(&a, 1, 3, false);
    float x[96] = {0};

    // block 0: scale 1, halves to even; block 1: too small; block 2: scale 2
    x[0] = 127, x[1] = 0.5f, x[2] = 1.5f, x[3] = -2.5f, x[31] = -127;
    x[32] = 0x1p-121f;
    x[64] = 254, x[65] = -3;
    bool good = quantize_q8_ref(&a, 0, x);
    // bytes 0-15 and 32-47 are block 0, 16-31 and 48-63 block 1
    static const struct {
        size_t at;
        int q;
    } want[] = {{0, 127},   {1, 0},  {2, 2},    {3, -2}, {15, 0},
                {47, -127}, {16, 0}, {64, 127}, {65, -2}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        good = good && a.q[want[i].at] == want[i].q;
    good = good && a.d[0] == 1 && a.d[1] == 0 && a.d[2] == 2;
    good = good && a.s[0] == 127 && a.s[1] == -127 && a.s[4] == 125;
    good = good && a.e[0] == 0 && a.e[1] == 0 && a.e[2] == 250;
    check_free(planes);
    return good;
}

/* The same planes, padding included; `broken`: with a value not finite. */
static bool
same_rounding(const struct kernels *k, size_t tokens, size_t blocks,
              bool matrix_order, enum values kind, bool broken)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    struct activations want, got;
    void *want_planes = activations_make(&want, tokens, blocks, matrix_order);
    void *got_planes = activations_make(&got, tokens, blocks, matrix_order);
    float *x = check_floats(32 * blocks);
    bool same = true;

    for (size_t t = 0; t < tokens; t++) {
        linear_sample_values(&rng, x, 32 * blocks, kind);
        if (broken)
            x[check_below(&rng, 32 * blocks)] = bad[t % 3];
        same = same && quantize_q8_ref(&want, t, x) == !broken;
        same = same && k->quantize_q8(&got, t, x) == !broken;
    }
    same = same && memcmp(want_planes, got_planes,
                          activations_bytes(tokens, blocks)) == 0;
    check_free(x);
    check_free(want_planes);
    check_free(got_planes);
    return same;
}

static void
check_rounding(const struct kernels *k)
{
    bool same = true;

    for (size_t blocks = 1; blocks <= 19; blocks++)
        for (enum values kind = 0; kind < VALUES_KINDS; kind++)
            for (size_t tokens = 1; tokens <= 5; tokens++)
                for (int order = 0; order < 2; order++) {
                    bool broken = tokens == 3;
                    same = same && same_rounding(k, tokens, blocks, order != 0,
                                                 kind, broken);
                }
    check_ok(same, "activations_round_to_the_bits_of_the_reference");
}

/* ---- linear layers ---- */

struct layer {
    const struct format *format;
    uint8_t *w;
    float *x;
    size_t rows, width, tokens;
};

static void
layer_make(struct layer *l, const struct format *format, size_t width,
           size_t rows, size_t tokens, enum weights weights, enum values values)
{
    size_t group = format->interleaved;

    l->format = format;
    l->rows = (rows + group - 1) / group * group;
    l->width = width;
    l->tokens = tokens;
    // a read past the last row, or a write before the first, is seen
    l->w = check_alloc(l->rows * format_row_bytes(format, width));
    l->x = check_floats(tokens * width);
    linear_sample_weights(&rng, format, l->w, l->rows, width, weights);
    for (size_t t = 0; t < tokens; t++)
        linear_sample_values(&rng, l->x + t * width, width, values);
}

static void
layer_release(struct layer *l)
{
    check_free(l->w);
    check_free(l->x);
}

/* y (tokens, rows), to be freed; rows of tokens are one float apart. */
static float *
layer_run(const struct layer *l, const struct kernels *k, bool matrix_order)
{
    linear_fn *linear = matrix_order ? k->linear_matrix : k->linear_vector;
    float *y = check_floats(l->tokens * (l->rows + 1));
    struct activations a;
    void *planes = activations_make(&a, l->tokens, l->width / 32, matrix_order);

    for (size_t t = 0; t < l->tokens; t++)
        k->quantize_q8(&a, t, l->x + t * l->width);
    linear(l->format, l->w, l->rows, &a, y, l->rows + 1);
    check_free(planes);
    return y;
}

static bool
same_layer(const struct kernels *k, const struct format *format, size_t width,
           size_t rows, size_t tokens, bool matrix_order, enum weights weights,
           enum values values)
{
    struct layer l;
    char what[128];

    layer_make(&l, format, width, rows, tokens, weights, values);
    snprintf(what, sizeof what, "%s %s, %zu x %zu, %zu tokens", format->name,
             matrix_order ? "matrix" : "vector", l.rows, width, tokens);
    float *want = layer_run(&l, kernels_select(CPU_REF), matrix_order);
    float *got = layer_run(&l, k, matrix_order);
    // the float between two tokens' rows was not written: still 0xff
    bool same = check_same(got, want, tokens * (l.rows + 1), what);
    for (size_t t = 0; t < tokens; t++)
        same = same && isnan(got[t * (l.rows + 1) + l.rows]);
    check_free(want);
    check_free(got);
    layer_release(&l);
    return same;
}

static bool
same_at_width(const struct kernels *k, const struct format *format,
              size_t width)
{
    bool same = true, wide = width > 2048;

    for (enum weights w = 0; w < WEIGHTS_KINDS; w++)
        for (enum values v = 0; v < VALUES_KINDS; v++) {
            if (width > 300 && v > 0 && ((int) w + (int) v) % 3 != 0)
                continue;
            if (wide && (w > 1 || v > 0))
                continue;
            size_t rows = wide ? 2 : 1 + check_below(&rng, 20);
            size_t few = 1 + check_below(&rng, LINEAR_VECTOR_MAX);
            same = same && same_layer(k, format, width, rows, few, false, w, v);
            same = same && same_layer(k, format, width, rows, 1, false, w, v);
            same = same && same_layer(k, format, width, rows, few, true, w, v);
        }
    return same;
}

/* Around the tile of eight rows, and of tokens. */
static bool
same_around_tiles(const struct kernels *k, const struct format *format)
{
    bool same = true;

    for (size_t tokens = 1; tokens <= 9; tokens++)
        for (size_t rows = 7; rows <= 9; rows++) {
            if (tokens <= LINEAR_VECTOR_MAX)
                same = same && same_layer(k, format, 256, rows, tokens, false,
                                          WEIGHTS_USUAL, VALUES_NORMAL);
            same = same && same_layer(k, format, 256, rows, tokens, true,
                                      WEIGHTS_USUAL, VALUES_NORMAL);
        }
    for (size_t tokens = 1; tokens <= 4; tokens++) // several strips of a row
        same = same && same_layer(k, format, 18432 + 256, 16 + tokens, tokens,
                                  true, WEIGHTS_USUAL, VALUES_OUTLIERS);
    for (size_t tokens = 31; tokens < 200; tokens += 1 + tokens % 32)
        same = same && same_layer(k, format, 512, 9, tokens, true, WEIGHTS_ANY,
                                  VALUES_OUTLIERS);
    return same;
}

static void
check_format(const struct kernels *k, const struct format *format)
{
    static const size_t widths[] = {32,   64,   96,   224,  256,  288,
                                    1024, 1056, 1408, 2048, 7168, 18432};
    bool same = same_around_tiles(k, format);
    char sentence[128];

    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (widths[i] % format->block_elems == 0)
            same = same && same_at_width(k, format, widths[i]);
    snprintf(sentence, sizeof sentence,
             "%s_gives_the_bits_of_the_reference_in_both_orders", format->name);
    check_ok(same, sentence);
}

/* ---- float weights ---- */

static bool
same_float_layer(const struct kernels *k, const struct format *format,
                 size_t width, size_t rows, size_t tokens, enum values values)
{
    size_t row_bytes = format_row_bytes(format, width), stride = width + 3;
    uint8_t *w = check_alloc(rows * row_bytes);
    float *x = check_floats((tokens - 1) * stride + width);
    float *got = check_floats(tokens * rows),
          *want = check_floats(tokens * rows);

    for (size_t r = 0; r < rows; r++) {
        linear_sample_values(&rng, x, width, values);
        format_encode_row(format, x, w + r * row_bytes, width);
    }
    linear_sample_values(&rng, x, (tokens - 1) * stride + width, values);
    linear_float_ref(format, w, rows, width, x, stride, tokens, want, rows);
    k->linear_float(format, w, rows, width, x, stride, tokens, got, rows);
    bool same = check_same(got, want, tokens * rows, format->name);
    check_free(w);
    check_free(x);
    check_free(got);
    check_free(want);
    return same;
}

static void
check_float(const struct kernels *k, const struct format *format)
{
    bool same = same_float_layer(k, format, 2048, 11, 9, VALUES_NORMAL);
    char sentence[128];

    for (size_t width = 1; width < 140; width += 1 + width % 3)
        for (enum values v = 0; v < VALUES_KINDS; v++)
            if (v != VALUES_LONELY) // beyond what halves hold
                same = same && same_float_layer(k, format, width,
                                                1 + check_below(&rng, 9),
                                                1 + check_below(&rng, 6), v);
    snprintf(sentence, sizeof sentence, "%s_gives_the_bits_of_the_reference",
             format->name);
    check_ok(same, sentence);
}

/* ---- minus zero ---- */

/*
 * Products below the least denormal, all negative: every lane becomes -0, and
 * so must the sum. A lane that took part in a block or element which does not
 * exist would have become +0.
 */
static bool
minus_zero_float(const struct kernels *k, const struct format *format)
{
    enum { SIZE = 40 }; // one element more for some lanes
    float w[SIZE], x[SIZE], y;
    uint8_t *row = check_alloc(format_row_bytes(format, SIZE));

    for (size_t i = 0; i < SIZE; i++) {
        w[i] = 0x1p-24f;
        x[i] = -0x1p-140f;
    }
    format_encode_row(format, w, row, SIZE);
    k->linear_float(format, row, 1, SIZE, x, SIZE, 1, &y, 1);
    check_free(row);
    return y == 0 && signbit(y);
}

/* Q4_1 with d = 0 and m = -2^-24; the sum of q is 1 in every block. */
static bool
minus_zero_blocks(const struct kernels *k, size_t tokens, bool matrix_order)
{
    enum { BLOCKS = 33 }; // one block more for one lane
    const struct format *format = format_find(FORMAT_Q4_1);
    struct layer l = {format, NULL, NULL, 1, 32 * BLOCKS, tokens};
    size_t bytes = format_row_bytes(format, l.width);
    const uint16_t minimum = 0x8001;
    bool good = true;

    l.w = check_alloc(bytes);
    l.x = check_floats(tokens * l.width);
    memset(l.w, 0, bytes);
    memset(l.x, 0, tokens * l.width * sizeof *l.x);
    for (size_t i = 0; i < BLOCKS; i++)
        memcpy(l.w + i * format->block_bytes + 2, &minimum, sizeof minimum);
    for (size_t i = 0; i < tokens * BLOCKS; i++) {
        l.x[32 * i] = 0x1p-120f;
        l.x[32 * i + 31] = -0x1p-120f * 126 / 127;
    }
    float *y = layer_run(&l, k, matrix_order);
    for (size_t t = 0; t < tokens; t++)
        good = good && y[2 * t] == 0 && signbit(y[2 * t]);
    check_free(y);
    layer_release(&l);
    return good;
}

static void
check_minus_zero(const struct kernels *k)
{
    bool good = minus_zero_blocks(k, 1, false);

    good = minus_zero_blocks(k, 3, false) && good;
    good = minus_zero_blocks(k, 3, true) && good;
    for (size_t i = 0; format_at(i) != NULL; i++)
        if (format_at(i)->contract == CONTRACT_FLOAT)
            good = minus_zero_float(k, format_at(i)) && good;
    check_ok(good, "lanes_that_a_block_does_not_reach_keep_minus_zero");
}

/* ---- the reference against doubles ---- */

/*
 * With u = 2^-24: a factor and each fma round once, so a result is off by at
 * most (steps + 1) u times the sum of magnitudes; steps are the fmas of a lane
 * (two a block with a minimum) and, in vector order, five additions of the
 * tree. |d q| is at most twice |x|'s share. Rounding x to d q is off by half a
 * step and three roundings of values up to 127 d: |w| (1/2 + 127 * 4 u) d.
 */
struct oracle {
    double want, bound;
};

static double
weight_of(const struct block32 *b, size_t j)
{
    double w = (double) b->a * b->w[j];

    if (b->minimum == MINIMUM_FLOAT)
        return w - (double) b->m;
    if (b->minimum == MINIMUM_INTEGER)
        return w - (double) b->m * b->min[j / 16];
    return w;
}

static void
oracle_add(struct oracle *o, const struct block32 *b, const float x[32],
           double steps)
{
    const double u = 0x1p-24;
    double amax = 0;

    for (size_t j = 0; j < 32; j++)
        amax = fmax(amax, fabs((double) x[j]));
    for (size_t j = 0; j < 32; j++) {
        double w = weight_of(b, j), product = (double) b->a * b->w[j];
        // the product and the minimum are added one after the other
        double magnitude = fabs(product) + fabs(product - w);
        o->want += w * (double) x[j];
        o->bound += 2 * magnitude * fabs((double) x[j]) * (steps + 1) * u;
        o->bound += fabs(w) * (0.5 + 127 * 4 * u) * amax / 127;
    }
}

static struct oracle
oracle_of(const struct layer *l, size_t r, size_t t, bool matrix_order)
{
    size_t group = l->format->interleaved, blocks = l->width / 32;
    const uint8_t *row =
        l->w + r / group * group * format_row_bytes(l->format, l->width);
    double steps = matrix_order ? 2 * (double) blocks
                                : 2 * (double) ((blocks + 31) / 32) + 5;
    struct oracle o = {0, 0};

    for (size_t i = 0; i < blocks; i++) {
        struct block32 b;
        format_block32(l->format, row, (unsigned) (r % group), i, &b);
        oracle_add(&o, &b, l->x + t * l->width + 32 * i, steps);
    }
    return o;
}

static void
check_oracle(const struct format *format)
{
    struct check_error error = {0};
    char sentence[128];

    for (int round = 0; round < 4; round++) {
        struct layer l;
        layer_make(&l, format, 1024, 8, 3, WEIGHTS_USUAL,
                   round % 2 ? VALUES_OUTLIERS : VALUES_NORMAL);
        float *y = layer_run(&l, kernels_select(CPU_REF), round / 2);
        for (size_t t = 0; t < l.tokens; t++)
            for (size_t r = 0; r < l.rows; r++) {
                struct oracle o = oracle_of(&l, r, t, round / 2);
                check_error_add(&error, (double) y[t * (l.rows + 1) + r],
                                o.want, o.bound);
            }
        check_free(y);
        layer_release(&l);
    }
    snprintf(sentence, sizeof sentence, "%s_is_within_its_derived_bound",
             format->name);
    check_ok(check_error_within(&error, format->name), sentence);
}

/* ---- all of it ---- */

static void
check_level(enum cpu_level level)
{
    const struct kernels *k = kernels_select(level);

    printf("# level %s\n", cpu_level_name(level));
    check_rounding(k);
    check_minus_zero(k);
    for (size_t i = 0; format_at(i) != NULL; i++) {
        if (format_at(i)->contract == CONTRACT_INT8)
            check_format(k, format_at(i));
        if (format_at(i)->contract == CONTRACT_FLOAT)
            check_float(k, format_at(i));
    }
}

int
main(void)
{
    printf("# seed %llu\n", (unsigned long long) rng.state);
    check_ok(known_rounding(), "activations_round_as_by_hand");
    check_minus_zero(kernels_select(CPU_REF));
    for (size_t i = 0; format_at(i) != NULL; i++)
        if (format_at(i)->contract == CONTRACT_INT8)
            check_oracle(format_at(i));
    for (enum cpu_level level = CPU_AVX2; level <= cpu_level(); level++)
        check_level(level);
    return check_done();
}
