/*
 * Operations of the device on their own: linear layers over every format of
 * weights, alone and together with others, against sums in double; the
 * embedding of every format; the cache.
 */
#include "config.h"

#include "engine/engine.h"
#include "tests/model/tap_report.h"
#include "tests/unit/random_rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 12, TOKENS = 5 };

static struct device *device;
static struct random random_numbers;

/* A step of `tokens` tokens from position 3 on. */
struct steps {
    struct step step;
    void *memory;
};

static struct steps
steps_open(size_t tokens, bool sampled, const int32_t *ids)
{
    struct steps s = {.step = {.tokens = tokens, .sampled = sampled}};
    struct step_state *state =
        calloc(1, sizeof *state + tokens * sizeof *state->ids);

    assert(state != NULL);
    state->position = 3;
    for (size_t t = 0; t < tokens; t++)
        state->ids[t] = ids == NULL ? 0 : ids[t];
    s.step.state = s.memory = state;
    return s;
}

static void
steps_close(struct steps *s)
{
    free(s->memory);
}

static void
random_floats(float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = random_unit(&random_numbers);
}

/* A random row, or group of interleaved ones. */
static void
random_row(const struct format *format, uint8_t *out)
{
    float values[ROW_ELEMS];

    if (format->contract != CONTRACT_FLOAT) {
        random_finite_rows(&random_numbers, format, out);
        return;
    }
    random_floats(values, ROW_ELEMS); // random bits would be too wild
    format_encode_row(format, values, out, ROW_ELEMS);
}

/* ROWS random rows of a format. */
static struct weight
random_weight(const struct format *format)
{
    size_t groups = ROWS / format->interleaved, bytes = rows_bytes(format);
    uint8_t *data = malloc(groups * bytes);

    assert(data != NULL && ROWS % format->interleaved == 0);
    for (size_t i = 0; i < groups; i++)
        random_row(format, data + i * bytes);
    return (struct weight){
        .format = format, .rows = ROWS, .columns = ROW_ELEMS, .data = data};
}

static void
weight_release(const struct weight *weight)
{
    free((void *) (uintptr_t) weight->data);
}

static void
decoded_row(const struct weight *weight, size_t row, float *out)
{
    unsigned lane = (unsigned) (row % weight->format->interleaved);
    size_t group = row / weight->format->interleaved;

    format_decode_row(weight->format,
                      (const uint8_t *) weight->data +
                          group * rows_bytes(weight->format),
                      lane, out, weight->columns);
}

/* x as a matrix of this format sees it: int8 blocks, section 1. */
static void
as_seen(const struct format *format, const float *x, double *out)
{
    for (size_t b = 0; b < ROW_ELEMS; b += 32) {
        double most = 0;

        for (size_t i = b; i < b + 32; i++)
            most = fmax(most, fabs((double) x[i]));
        float d = (float) most / 127, inverse = 127 / (float) most;
        for (size_t i = b; i < b + 32; i++)
            out[i] = format->contract == CONTRACT_INT8
                         ? (double) d * rint((double) (x[i] * inverse))
                         : (double) x[i];
    }
}

/* Largest difference from sums in double, relative to sums of magnitudes. */
static double
product_error(const struct product *product, const float *x, size_t tokens)
{
    const struct weight *weight = product->weight;
    float row[ROW_ELEMS];
    double seen[ROW_ELEMS], worst = 0;

    for (size_t t = 0; t < tokens; t++) {
        as_seen(weight->format, x + t * ROW_ELEMS, seen);
        for (size_t r = 0; r < weight->rows; r++) {
            double bias = product->bias == NULL ? 0 : (double) product->bias[r];
            double sum = bias, size = fabs(bias);

            decoded_row(weight, r, row);
            for (size_t i = 0; i < ROW_ELEMS; i++) {
                sum += (double) row[i] * seen[i];
                size += fabs((double) row[i] * seen[i]);
            }
            if (size > 0x1p120) // random powers of two go that far
                continue;
            double error =
                fabs(sum - (double) product->y[t * weight->rows + r]);
            if (!(error <= worst * size))
                worst = size > 0 ? error / size : error;
        }
    }
    return worst;
}

/* Weights with an F32 matrix of odd height before them, and a bias. */
static double
linear_error(const struct format *format, size_t tokens, bool sampled)
{
    float x[TOKENS * ROW_ELEMS], y[2][TOKENS * ROWS], bias[ROWS];
    struct weight odd = random_weight(format_find(FORMAT_F32));
    struct weight weight = random_weight(format);
    struct product products[2] = {{.weight = &odd, .y = y[0]},
                                  {.weight = &weight, .bias = bias, .y = y[1]}};
    struct steps s = steps_open(tokens, sampled, NULL);
    struct error err;

    odd.rows = 5;
    random_floats(x, TOKENS * ROW_ELEMS);
    random_floats(bias, ROWS);
    device->ops->linear(device, &s.step, x, products, 2);
    double error = device->ops->wait(device, &err) == STATUS_OK
                       ? fmax(product_error(&products[0], x, tokens),
                              product_error(&products[1], x, tokens))
                       : (double) INFINITY;
    steps_close(&s);
    weight_release(&odd);
    weight_release(&weight);
    return error;
}

static void
linear_layers_of_every_format(void)
{
    const struct format *format;

    for (size_t i = 0; (format = format_at(i)) != NULL; i++) {
        if (!format->holds_weights)
            continue;
        double worst = linear_error(format, 1, true);
        worst = fmax(worst, linear_error(format, 1, false));
        worst = fmax(worst, linear_error(format, TOKENS, true));
        worst = fmax(worst, linear_error(format, TOKENS, false));
        // 512 terms in 32 lanes: a few roundings of each sum
        report(worst <= 2e-6, "linear, %s: %.1e of 2e-06", format->name, worst);
    }
}

static void
embeddings_of_every_format(void)
{
    static const int32_t ids[TOKENS] = {11, 0, 3, 3, 6};
    const struct format *format;
    bool ok = true;

    for (size_t i = 0; (format = format_at(i)) != NULL; i++) {
        float x[TOKENS * ROW_ELEMS], row[ROW_ELEMS];

        if (!format->holds_weights)
            continue;
        struct weight table = random_weight(format);
        struct steps s = steps_open(TOKENS, false, ids);
        device->ops->embed(device, &s.step, &table, x);
        for (size_t t = 0; t < TOKENS; t++) {
            decoded_row(&table, (size_t) ids[t], row);
            ok &= memcmp(row, x + t * ROW_ELEMS, sizeof row) == 0;
        }
        steps_close(&s);
        weight_release(&table);
    }
    report(ok, "the_embedding_of_every_format_is_the_decoded_row");
}

static void
rows_are_cached_at_the_steps_positions(void)
{
    float x[TOKENS * 8], cached[16 * 6] = {0}, untouched[6] = {0};
    struct cache_rows cache = {.data = cached, .type = CACHE_F32, .width = 6};
    struct steps s = steps_open(TOKENS, false, NULL);
    bool ok = true;

    random_floats(x, TOKENS * 8);
    s.step.first = 2; // of a longer step
    device->ops->append(device, &s.step, &cache, x, 8);
    for (size_t t = 0; t < TOKENS; t++)
        ok &= memcmp(cached + (3 + 2 + t) * 6, x + t * 8, 6 * sizeof *x) == 0;
    ok &= memcmp(cached + (size_t) 4 * 6, untouched, sizeof untouched) == 0;
    ok &= memcmp(cached + (size_t) 10 * 6, untouched, sizeof untouched) == 0;
    report(ok, "rows_are_cached_at_the_steps_positions_and_nowhere_else");
    steps_close(&s);
}

static void
a_failed_device_does_nothing_until_it_is_asked(void)
{
    float x[ROW_ELEMS], y[ROWS], before[ROWS];
    struct weight weight = random_weight(format_find(FORMAT_Q8_0));
    struct product product = {.weight = &weight, .y = y};
    struct steps s = steps_open(1, true, NULL);
    struct error err = {.text = ""};

    random_floats(x, ROW_ELEMS);
    random_floats(y, ROWS);
    memcpy(before, y, sizeof y);
    s.step.layer = 7;
    x[100] = NAN;
    device->ops->linear(device, &s.step, x, &product, 1);
    x[100] = 0;
    device->ops->linear(device, &s.step, x, &product, 1);
    bool ok = memcmp(before, y, sizeof y) == 0;
    ok &= device->ops->wait(device, &err) == STATUS_DEVICE &&
          strstr(err.text, "layer 7 at position 3") != NULL;
    device->ops->linear(device, &s.step, x, &product, 1);
    ok &= device->ops->wait(device, &err) == STATUS_OK &&
          memcmp(before, y, sizeof y) != 0;
    report(ok, "a_failed_device_does_nothing_until_wait_has_said_so");
    steps_close(&s);
    weight_release(&weight);
}

int
main(void)
{
    struct device_cpu_options options = {
        .threads = 2, .level = cpu_level(), .share_all = true};
    struct shape shape = {.hidden = ROW_ELEMS,
                          .heads = 1,
                          .kv_heads = 1,
                          .key_width = 8,
                          .value_width = 8,
                          .attention = ATTENTION_GROUPED};
    struct error err;

    random_numbers = random_start(20);
    if (device_cpu_open(&device, &options, &err) != STATUS_OK ||
        device->ops->reserve(device, &shape, TOKENS, 16, &err) != STATUS_OK)
        return 99;
    linear_layers_of_every_format();
    embeddings_of_every_format();
    rows_are_cached_at_the_steps_positions();
    a_failed_device_does_nothing_until_it_is_asked();
    device_close(device);
    return report_end();
}
