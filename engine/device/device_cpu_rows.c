/* Operations that treat each token's rows alone. */
#include "config.h"

#include "engine/device/device_cpu.h"

#include <string.h>

/*
 * From here on the sum of 2^15 squares may overflow binary32, and a norm would
 * silently give zeros.
 */
#define LARGEST_USABLE 0x1p56f
/* From here on a value rounds to infinity in half precision. */
#define LARGEST_HALF 65520.0f

static bool
all_below(const float *x, size_t count, float bound)
{
    int bad = 0;

    // a NaN compares false, so this finds it too
    for (size_t i = 0; i < count; i++)
        bad |= !(x[i] < bound && x[i] > -bound);
    return bad == 0;
}

bool
values_usable(const float *x, size_t count)
{
    return all_below(x, count, LARGEST_USABLE);
}

// -- embedding ---------------------------------------------------------------

void
decode_row(const struct weight *weight, size_t row, float *out)
{
    const struct format *format = weight->format;
    size_t bytes = format_row_bytes(format, weight->columns);
    size_t group = row / format->interleaved * format->interleaved;

    format_decode_row(format, (const uint8_t *) weight->data + group * bytes,
                      (unsigned) (row - group), out, weight->columns);
}

struct embed {
    const struct step *step;
    const struct weight *table;
    float *x;
};

static void
embed_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct embed *job = context;

    (void) worker;
    for (size_t t = first; t < first + count; t++)
        decode_row(job->table,
                   (size_t) job->step->state->ids[job->step->first + t],
                   job->x + t * job->table->columns);
}

void
device_cpu_embed(struct device *device, const struct step *step,
                 const struct weight *table, float *x)
{
    struct device_cpu *cpu = device_cpu(device);
    struct embed job = {step, table, x};

    if (cpu->failed == STATUS_OK)
        device_cpu_run(cpu, step->tokens, 1, table->columns, embed_rows, &job);
}

// -- rope --------------------------------------------------------------------

struct rotate {
    struct device_cpu *cpu;
    const struct step *step;
    const double *frequency;
    double magnitude;
    const struct rotation *rotation;
    const struct vectors *x;
};

static void
rotation_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct rotate *job = context;
    const struct rotation *out = job->rotation;
    size_t position = (size_t) job->step->state->position + job->step->first;

    (void) worker;
    for (size_t t = first; t < first + count; t++)
        rope_table(out->cosines + t * out->pairs, out->sines + t * out->pairs,
                   job->frequency, out->pairs, job->magnitude, position + t);
}

void
device_cpu_rotation(struct device *device, const struct step *step,
                    const double *frequency, double magnitude,
                    const struct rotation *out)
{
    struct device_cpu *cpu = device_cpu(device);
    struct rotate job = {.step = step,
                         .frequency = frequency,
                         .magnitude = magnitude,
                         .rotation = out};

    // a sine costs about as much as 50 multiplications
    if (cpu->failed == STATUS_OK)
        device_cpu_run(cpu, step->tokens, 1, 100 * out->pairs, rotation_rows,
                       &job);
}

static void
rope_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct rotate *job = context;
    const struct rotation *r = job->rotation;
    const struct vectors *x = job->x;

    (void) worker;
    for (size_t t = first; t < first + count; t++)
        for (size_t i = 0; i < x->count; i++)
            job->cpu->k->rope(x->data + t * x->token_stride + i * x->stride,
                              r->cosines + t * r->pairs,
                              r->sines + t * r->pairs, r->pairs, r->pairing);
}

void
device_cpu_rope(struct device *device, const struct step *step,
                const struct vectors *x, const struct rotation *rotation)
{
    struct device_cpu *cpu = device_cpu(device);
    struct rotate job = {
        .cpu = cpu, .step = step, .rotation = rotation, .x = x};

    if (cpu->failed == STATUS_OK)
        device_cpu_run(cpu, step->tokens, 1, 2 * x->count * x->width, rope_rows,
                       &job);
}

// -- norm --------------------------------------------------------------------

struct normalise {
    struct device_cpu *cpu;
    const struct vectors *y, *x;
    const float *w;
    float eps;
};

static void
norm_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct normalise *job = context;
    const struct vectors *x = job->x, *y = job->y;

    for (size_t t = first; t < first + count; t++)
        for (size_t i = 0; i < x->count; i++) {
            const float *in = x->data + t * x->token_stride + i * x->stride;

            if (!values_usable(in, x->width))
                note_bad(job->cpu, worker, t);
            job->cpu->k->norm(y->data + t * y->token_stride + i * y->stride, in,
                              job->w, x->width, job->eps);
        }
}

void
device_cpu_norm(struct device *device, const struct step *step,
                const struct vectors *y, const struct vectors *x,
                const float *w, float eps)
{
    struct device_cpu *cpu = device_cpu(device);
    struct normalise job = {cpu, y, x, w, eps};

    if (cpu->failed != STATUS_OK)
        return;
    device_cpu_run(cpu, step->tokens, 1, 2 * x->count * x->width, norm_rows,
                   &job);
    device_cpu_check(cpu, step, not_finite);
}

// -- cache -------------------------------------------------------------------

struct cache_rows_job {
    struct device_cpu *cpu;
    const struct step *step;
    const struct cache_rows *cache;
    const float *x;
    size_t x_stride;
};

static void
append_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct cache_rows_job *job = context;
    size_t width = job->cache->width;
    size_t position = (size_t) job->step->state->position + job->step->first;

    for (size_t t = first; t < first + count; t++) {
        const float *x = job->x + t * job->x_stride;
        size_t at = (position + t) * width;

        if (job->cache->type == CACHE_F32) {
            memcpy((float *) job->cache->data + at, x, width * sizeof *x);
            continue;
        }
        if (!all_below(x, width, LARGEST_HALF))
            note_bad(job->cpu, worker, t);
        job->cpu->k->to_half((uint16_t *) job->cache->data + at, x, width);
    }
}

void
device_cpu_append(struct device *device, const struct step *step,
                  const struct cache_rows *cache, const float *x,
                  size_t x_stride)
{
    struct device_cpu *cpu = device_cpu(device);
    struct cache_rows_job job = {cpu, step, cache, x, x_stride};

    if (cpu->failed != STATUS_OK)
        return;
    device_cpu_run(cpu, step->tokens, 1, cache->width, append_rows, &job);
    device_cpu_check(cpu, step,
                     "a key or value is too large for the 16-bit cache");
}

// -- router ------------------------------------------------------------------

struct route {
    struct device_cpu *cpu;
    const struct router_rule *rule;
    const float *logits, *bias;
    const struct routing *out;
};

static void
router_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct route *job = context;
    const struct router_rule *rule = job->rule;

    for (size_t t = first; t < first + count; t++)
        if (!job->cpu->k->router(rule, job->logits + t * rule->experts,
                                 job->bias, job->out->ids + t * rule->used,
                                 job->out->weights + t * rule->used))
            note_bad(job->cpu, worker, t);
}

void
device_cpu_router(struct device *device, const struct step *step,
                  const struct router_rule *rule, const float *logits,
                  const float *bias, const struct routing *out)
{
    struct device_cpu *cpu = device_cpu(device);
    struct route job = {cpu, rule, logits, bias, out};

    if (cpu->failed != STATUS_OK)
        return;
    device_cpu_run(cpu, step->tokens, 1, rule->experts * (8 + rule->used),
                   router_rows, &job);
    device_cpu_check(cpu, step, not_finite);
}

// -- elementwise -------------------------------------------------------------

struct elementwise {
    struct device_cpu *cpu;
    float *y;
    const float *a, *b;
    size_t width;
};

static void
silu_mul_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct elementwise *job = context;
    size_t at = first * job->width;

    (void) worker;
    job->cpu->k->silu_mul(job->y + at, job->a + at, job->b + at,
                          count * job->width);
}

void
device_cpu_silu_mul(struct device *device, const struct step *step, float *h,
                    const float *g, const float *u, size_t width)
{
    struct device_cpu *cpu = device_cpu(device);
    struct elementwise job = {cpu, h, g, u, width};

    if (cpu->failed == STATUS_OK)
        device_cpu_run(cpu, step->tokens, 1, 8 * width, silu_mul_rows, &job);
}

static void
add_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct elementwise *job = context;
    size_t at = first * job->width;

    (void) worker;
    job->cpu->k->add(job->y + at, job->a + at, count * job->width);
}

void
device_cpu_add(struct device *device, const struct step *step, float *y,
               const float *x, size_t width)
{
    struct device_cpu *cpu = device_cpu(device);
    struct elementwise job = {.cpu = cpu, .y = y, .a = x, .width = width};

    if (cpu->failed == STATUS_OK)
        device_cpu_run(cpu, step->tokens, 1, width, add_rows, &job);
}
