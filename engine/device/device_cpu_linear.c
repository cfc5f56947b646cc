/* Linear layers: rounding activations once, rows of all matrices in chunks. */
#include "config.h"

#include "engine/device/device_cpu.h"

#include <assert.h>

enum { ROW_GRAIN = 8 }; // rows that kernels take together

static size_t
blocks_of(size_t columns)
{
    return columns / 32;
}

// -- rounding ----------------------------------------------------------------

struct rounding {
    struct device_cpu *cpu;
    struct operand *operand;
};

static void
round_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct rounding *job = context;
    struct operand *operand = job->operand;

    for (size_t t = first; t < first + count; t++)
        if (!job->cpu->k->quantize_q8(&operand->q8, t,
                                      operand->x + t * operand->x_stride))
            note_bad(job->cpu, worker, t);
}

void
operand_round(struct device_cpu *cpu, const struct step *step,
              struct operand *operand, void *memory)
{
    struct rounding job = {cpu, operand};

    activations_place(&operand->q8, memory, operand->tokens,
                      blocks_of(operand->columns), operand->matrix_order);
    device_cpu_run(cpu, operand->tokens, 1, 2 * operand->columns, round_rows,
                   &job);
    device_cpu_check(cpu, step, not_finite);
}

// -- products ----------------------------------------------------------------

static void
multiply_decoded(const struct device_cpu *cpu, const struct weight *weight,
                 size_t first, size_t rows, const struct operand *operand,
                 float *y, size_t y_stride, float *decoded)
{
    const struct format *f32 = format_find(FORMAT_F32);

    for (size_t r = 0; r < rows; r++) {
        decode_row(weight, first + r, decoded);
        cpu->k->linear_float(f32, (const uint8_t *) decoded, 1, weight->columns,
                             operand->x, operand->x_stride, operand->tokens,
                             y + r, y_stride);
    }
}

void
multiply(const struct device_cpu *cpu, const struct weight *weight,
         size_t first, size_t rows, const struct operand *operand, float *y,
         size_t y_stride, float *decoded)
{
    const struct format *format = weight->format;
    const uint8_t *w = (const uint8_t *) weight->data +
                       first * format_row_bytes(format, weight->columns);

    switch (format->contract) {
    case CONTRACT_INT8:
        (operand->matrix_order ? cpu->k->linear_matrix : cpu->k->linear_vector)(
            format, w, rows, &operand->q8, y, y_stride);
        break;
    case CONTRACT_FLOAT:
        cpu->k->linear_float(format, w, rows, weight->columns, operand->x,
                             operand->x_stride, operand->tokens, y, y_stride);
        break;
    case CONTRACT_NONE:
        multiply_decoded(cpu, weight, first, rows, operand, y, y_stride,
                         decoded);
        break;
    }
}

struct linear {
    struct device_cpu *cpu;
    const struct operand *operand;
    const struct product *products;
    size_t count;
};

static void
add_bias(float *y, size_t y_stride, size_t tokens, const float *bias,
         size_t rows)
{
    for (size_t t = 0; t < tokens; t++)
        for (size_t r = 0; r < rows; r++)
            y[t * y_stride + r] += bias[r];
}

static void
product_rows(const struct linear *job, const struct product *product,
             size_t first, size_t rows, float *decoded)
{
    size_t stride = product->weight->rows;
    float *y = product->y + first;

    multiply(job->cpu, product->weight, first, rows, job->operand, y, stride,
             decoded);
    if (product->bias != NULL)
        add_bias(y, stride, job->operand->tokens, product->bias + first, rows);
}

static size_t
rows_padded(const struct product *product)
{
    return (product->weight->rows + ROW_GRAIN - 1) / ROW_GRAIN * ROW_GRAIN;
}

/*
 * Rows of all products, one after the other, are numbered through; each
 * product starts at a multiple of ROW_GRAIN, as interleaved formats need.
 */
static void
linear_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct linear *job = context;
    float *decoded = worker_scratch(job->cpu, worker);

    for (size_t p = 0; p < job->count && count > 0; p++) {
        const struct product *product = &job->products[p];
        size_t padded = rows_padded(product), rows = product->weight->rows;

        if (first >= padded) {
            first -= padded;
            continue;
        }
        size_t here = padded - first < count ? padded - first : count;
        if (first < rows)
            product_rows(job, product, first,
                         rows - first < here ? rows - first : here, decoded);
        first = 0;
        count -= here;
    }
}

void
device_cpu_linear(struct device *device, const struct step *step,
                  const float *x, const struct product *products, size_t count)
{
    struct device_cpu *cpu = device_cpu(device);
    size_t columns = products[0].weight->columns, rows = 0;
    bool rounded = false;

    if (cpu->failed != STATUS_OK)
        return;
    assert(count <= PRODUCTS_MAX);
    for (size_t p = 0; p < count; p++) {
        assert(products[p].weight->columns == columns);
        rows += rows_padded(&products[p]);
        rounded |= wants_q8(products[p].weight);
    }
    struct operand operand = {.x = x,
                              .tokens = step->tokens,
                              .columns = columns,
                              .x_stride = columns,
                              .matrix_order = !step->sampled};
    if (rounded)
        operand_round(cpu, step, &operand, cpu->scratch.q8);
    if (cpu->failed != STATUS_OK)
        return;
    struct linear job = {cpu, &operand, products, count};
    device_cpu_run(cpu, rows, ROW_GRAIN, columns * step->tokens, linear_rows,
                   &job);
}
