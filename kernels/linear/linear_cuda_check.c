/*
 * linear_cuda.h's promises, on the device that the program is linked for:
 * rounded activations and products have the bits of the reference, at shapes
 * around every tile, on usual and extreme blocks, and nothing else is written.
 *
 *   linear_cuda_check [few]   few: a smaller set, for slow checkers
 */
#include "config.h"

#include "kernels/check_cuda.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/linear/linear_sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct check_random rng = {1};
static bool few;

/* ---- activations ---- */

/* The same planes in the host's memory and in the device's. */
struct planes {
    struct activations host, device;
    void *host_memory, *device_memory;
    size_t bytes;
};

static void
planes_make(struct planes *p, size_t tokens, size_t blocks, bool matrix_order)
{
    p->bytes = activations_bytes(tokens, blocks);
    p->host_memory = check_alloc(p->bytes);
    p->device_memory = check_cuda_alloc(p->bytes);
    activations_place(&p->host, p->host_memory, tokens, blocks, matrix_order);
    activations_place_cuda(&p->device, p->device_memory, tokens, blocks,
                           matrix_order, NULL);
}

static void
planes_release(struct planes *p)
{
    check_free(p->host_memory);
    check_cuda(cudaFree(p->device_memory), "cudaFree");
}

/* The reference's rounding of x (tokens, stride): is every value finite? */
static bool
planes_round(struct planes *p, const float *x, size_t stride)
{
    bool finite = true;

    for (size_t t = 0; t < p->host.tokens; t++)
        finite = quantize_q8_ref(&p->host, t, x + t * stride) && finite;
    return finite;
}

static bool
planes_are_equal(const struct planes *p)
{
    void *got = check_alloc(p->bytes);

    check_cuda_read(got, p->device_memory, p->bytes);
    bool same = memcmp(got, p->host_memory, p->bytes) == 0;
    check_free(got);
    return same;
}

/* Is *flag set to 1, or left as it was (0)? */
static bool
flag_take(uint32_t *flag)
{
    uint32_t value;

    check_cuda_read(&value, flag, sizeof value);
    check_cuda(cudaFree(flag), "cudaFree");
    return value == 1;
}

/*
 * Blocks whose values lie near the middle between two integers once divided,
 * with largest values down to and below where a block becomes zero.
 */
static void
ties_make(float *x, size_t count)
{
    static const float edges[] = {0x1p-120f, 0x1.fffffep-121f, 0x1p-121f,
                                  0x1.8p-121f};
    float most = 1;

    for (size_t i = 0; i < count; i++) {
        if (i % 32 == 0) {
            size_t edge = check_below(&rng, 16);
            float usual = ldexpf(1 + fabsf(check_unit(&rng)),
                                 (int) check_below(&rng, 140) - 118);
            most = edge < 4 ? edges[edge] : usual;
        }
        float level = (float) check_below(&rng, 127) + 0.5f;
        x[i] = i % 32 == 0 ? most : most * level / 127;
    }
}

/* VALUES_KINDS: ties. */
static void
values_make(float *x, size_t count, enum values kind)
{
    if (kind == VALUES_KINDS)
        ties_make(x, count);
    else
        linear_sample_values(&rng, x, count, kind);
}

static bool
same_rounding(size_t tokens, size_t blocks, bool matrix_order, enum values kind,
              float broken)
{
    const uint32_t zero = 0;
    size_t stride = 32 * (blocks + 1), count = tokens * stride;
    float *x = check_floats(count);
    uint32_t *flag = check_cuda_copy(&zero, sizeof zero);
    struct planes p;

    planes_make(&p, tokens, blocks, matrix_order);
    values_make(x, count, kind);
    if (broken != 0) // in a value of a token, not between two
        x[check_below(&rng, tokens) * stride + check_below(&rng, 32 * blocks)] =
            broken;
    float *device_x = check_cuda_copy(x, count * sizeof *x);
    bool finite = planes_round(&p, x, stride);
    quantize_q8_cuda(&p.device, device_x, stride, flag, NULL);
    bool same = planes_are_equal(&p) && flag_take(flag) == !finite;
    check_cuda(cudaFree(device_x), "cudaFree");
    planes_release(&p);
    check_free(x);
    return same;
}

static void
check_rounding(void)
{
    static const float broken[] = {0, HUGE_VALF, -HUGE_VALF, NAN};
    bool same = true;

    for (size_t blocks = 1; blocks <= 9; blocks++)
        for (enum values kind = 0; kind <= VALUES_KINDS; kind++)
            for (int order = 0; order < 2; order++)
                for (size_t b = 0; b < 4; b += 1 + kind % 3)
                    same =
                        same && same_rounding(1 + check_below(&rng, 5), blocks,
                                              order != 0, kind, broken[b]);
    same = same && same_rounding(37, 64, true, VALUES_OUTLIERS, 0);
    same = same && same_rounding(37, 64, false, VALUES_KINDS, 0);
    check_ok(same, "activations_round_to_the_bits_of_the_reference");
}

/* ---- linear layers ---- */

struct layer {
    const struct format *format;
    size_t rows, width, tokens;
    bool matrix_order;
    enum weights weights;
    enum values values;
};

/* y (tokens, rows + 1), what lies between the rows of two tokens being 0xff. */
static size_t
result_count(const struct layer *l)
{
    return l->tokens * (l->rows + 1);
}

static float *
reference_run(const struct layer *l, const uint8_t *w, const struct planes *p)
{
    float *y = check_floats(result_count(l));

    (l->matrix_order ? linear_matrix_ref : linear_vector_ref)(
        l->format, w, l->rows, &p->host, y, l->rows + 1);
    return y;
}

/* The device gets the planes of the host: rounding is another test. */
static float *
device_run(const struct layer *l, const uint8_t *w, const struct planes *p)
{
    size_t bytes = result_count(l) * sizeof(float);
    float *y = check_floats(result_count(l));
    float *device_y = check_cuda_alloc(bytes);
    uint8_t *device_w =
        check_cuda_copy(w, l->rows * format_row_bytes(l->format, l->width));

    check_cuda(cudaMemcpy(p->device_memory, p->host_memory, p->bytes,
                          cudaMemcpyHostToDevice),
               "copy of activations");
    (l->matrix_order ? linear_matrix_cuda : linear_vector_cuda)(
        l->format, device_w, l->rows, &p->device, device_y, l->rows + 1, NULL);
    check_cuda_read(y, device_y, bytes);
    check_cuda(cudaFree(device_y), "cudaFree");
    check_cuda(cudaFree(device_w), "cudaFree");
    return y;
}

static bool
same_bytes(const struct layer *l, const float *got, const float *want)
{
    size_t count = result_count(l);

    if (memcmp(got, want, count * sizeof *got) == 0)
        return true;
    printf("# %s: %zu rows of %zu, %zu tokens, %s order, weights %d, values "
           "%d\n",
           l->format->name, l->rows, l->width, l->tokens,
           l->matrix_order ? "matrix" : "vector", (int) l->weights,
           (int) l->values);
    check_same(got, want, count, l->format->name);
    return false;
}

static bool
same_layer(struct layer l)
{
    size_t row_bytes = format_row_bytes(l.format, l.width);
    uint8_t *w = check_alloc(l.rows * row_bytes);
    float *x = check_floats(l.tokens * l.width);
    struct planes p;

    linear_sample_weights(&rng, l.format, w, l.rows, l.width, l.weights);
    linear_sample_values(&rng, x, l.tokens * l.width, l.values);
    planes_make(&p, l.tokens, l.width / 32, l.matrix_order);
    planes_round(&p, x, l.width);
    float *want = reference_run(&l, w, &p), *got = device_run(&l, w, &p);
    bool same = same_bytes(&l, got, want);
    check_free(want);
    check_free(got);
    planes_release(&p);
    check_free(w);
    check_free(x);
    return same;
}

/* Every kind of weights and of values, both orders. */
static bool
same_at_width(const struct format *format, size_t width)
{
    bool same = true;

    for (unsigned w = 0; w < WEIGHTS_KINDS; w++)
        for (unsigned v = 0; v < VALUES_KINDS; v++) {
            if ((width > 300 || few) && v != w)
                continue;
            struct layer l = {
                format,         1 + check_below(&rng, 7),
                width,          1 + check_below(&rng, LINEAR_VECTOR_MAX),
                false,          (enum weights) w,
                (enum values) v};
            same = same && same_layer(l);
            l.rows = 1 + check_below(&rng, 20);
            l.matrix_order = true;
            same = same && same_layer(l);
        }
    return same;
}

/* Around the tiles of 16 rows and of 8 and 32 tokens, and past a block. */
static bool
same_around_tiles(const struct format *format)
{
    static const size_t tokens[] = {1, 7, 8, 9, 31, 32, 33, 0};
    static const size_t rows[] = {1, 15, 16, 17, 63, 64, 65, 0};
    bool same = true;

    for (size_t i = 0; tokens[i] > 0; i++)
        for (size_t j = few ? 6 : 0; rows[j] > 0; j++) {
            struct layer l = {format, rows[j],       256,          tokens[i],
                              true,   WEIGHTS_USUAL, VALUES_NORMAL};
            if (l.rows > 17 && l.tokens > 9)
                continue;
            same = same && same_layer(l);
        }
    for (size_t t = 1; t <= LINEAR_VECTOR_MAX; t++) {
        struct layer l = {format, 3 + t,         512,          t,
                          false,  WEIGHTS_USUAL, VALUES_NORMAL};
        same = same && same_layer(l);
    }
    return same;
}

static void
check_format(const struct format *format)
{
    static const size_t widths[] = {32,   64,   96,   224,  256,  288,
                                    1024, 1056, 1408, 7168, 18432};
    size_t count = few ? 6 : sizeof widths / sizeof *widths;
    bool same = same_around_tiles(format);
    char sentence[128];

    for (size_t i = 0; i < count; i++)
        if (widths[i] % format->block_elems == 0)
            same = same && same_at_width(format, widths[i]);
    snprintf(sentence, sizeof sentence,
             "%s_gives_the_bits_of_the_reference_in_both_orders", format->name);
    check_ok(same, sentence);
}

int
main(int argc, char **argv)
{
    unsigned formats = 0;

    few = argc > 1 && strcmp(argv[1], "few") == 0;
    if (!check_cuda_device())
        return CHECK_SKIPPED;
    printf("# seed %llu\n", (unsigned long long) rng.state);
    check_rounding();
    for (size_t i = 0; format_at(i) != NULL; i++)
        if (linear_cuda_has(format_at(i))) {
            check_format(format_at(i));
            formats++;
        }
    check_ok(formats == 6, "six_formats_have_kernels");
    return check_done();
}
