/* The contract of attention.h, one row at a time, a loop a line. */
#include "config.h"

#include "kernels/attention/attention.h"

#include "kernels/exponential.h"
#include "quant/quant.h"

#include <math.h>
#include <string.h>

/* One row of one block: z lies elsewhere. */
struct part {
    float m, sum;
};

static float
cached(const void *rows, enum cache_type type, size_t i)
{
    if (type == CACHE_F16)
        return half_to_float(((const uint16_t *) rows)[i]);
    return ((const float *) rows)[i];
}

static float
score(const struct attention_call *call, const float *q, size_t j)
{
    float lane[SUM_LANES] = {0};

    for (size_t i = 0; i < call->key_width; i++)
        lane[i % SUM_LANES] =
            fmaf(q[i], cached(call->keys, call->type, j * call->key_stride + i),
                 lane[i % SUM_LANES]);
    return call->scale * sum_tree(lane);
}

/* Scores become p; the block's keys are at most ATTENTION_BLOCK. */
static struct part
softmax(float *s, size_t keys)
{
    struct part part = {-INFINITY, 0};
    float lane[SUM_LANES] = {0};

    for (size_t j = 0; j < keys; j++) {
        if (!isfinite(s[j]))
            return (struct part){0, NAN};
        if (s[j] > part.m)
            part.m = s[j];
    }
    for (size_t j = 0; j < keys; j++) {
        s[j] = exp_c(s[j] - part.m);
        lane[j % SUM_LANES] += s[j];
    }
    part.sum = sum_tree(lane);
    return part;
}

/* The part of keys first .. first+keys-1. */
static struct part
row_part(const struct attention_call *call, const float *q, size_t first,
         size_t keys, float *z)
{
    float p[ATTENTION_BLOCK];

    for (size_t j = 0; j < keys; j++)
        p[j] = score(call, q, first + j);
    struct part part = softmax(p, keys);

    for (size_t i = 0; i < call->value_width; i++)
        z[i] = 0;
    if (isnan(part.sum))
        return part;
    for (size_t j = 0; j < keys; j++) {
        size_t at = (first + j) * call->value_stride;

        for (size_t i = 0; i < call->value_width; i++)
            z[i] = fmaf(p[j], cached(call->values, call->type, at + i), z[i]);
    }
    return part;
}

static void
merge(struct part *all, float *z, struct part next, const float *next_z,
      size_t width)
{
    float m = next.m > all->m ? next.m : all->m;
    float a = exp_c(all->m - m), c = exp_c(next.m - m);

    all->sum = fmaf(next.sum, c, all->sum * a);
    for (size_t i = 0; i < width; i++)
        z[i] = fmaf(next_z[i], c, z[i] * a);
    all->m = m;
}

/* How many of the block's keys the query sees. */
static size_t
keys_seen(const struct attention_call *call, size_t t, size_t block)
{
    size_t length = call->first_length + t, first = block * ATTENTION_BLOCK;

    if (length <= first)
        return 0;
    return length - first < ATTENTION_BLOCK ? length - first : ATTENTION_BLOCK;
}

size_t
attention_scratch_floats(size_t value_width)
{
    return 16 * (ATTENTION_BLOCK + value_width + 8);
}

size_t
attention_blocks(const struct attention_call *call)
{
    return (call->first_length + call->queries - 1 + ATTENTION_BLOCK - 1) /
           ATTENTION_BLOCK;
}

size_t
attention_parts_floats(const struct attention_call *call)
{
    return attention_blocks(call) * call->queries * call->heads *
           (call->value_width + 2);
}

void
attention_part_ref(const struct attention_call *call, size_t block,
                   float *parts)
{
    size_t width = call->value_width, rows = call->queries * call->heads;

    for (size_t row = 0; row < rows; row++) {
        size_t t = row / call->heads, h = row % call->heads;
        size_t keys = keys_seen(call, t, block);
        float *z = parts + (block * rows + row) * (width + 2);

        if (keys == 0)
            continue;
        struct part part = row_part(
            call, call->q + t * call->query_stride + h * call->head_stride,
            block * ATTENTION_BLOCK, keys, z);
        z[width] = part.m;
        z[width + 1] = part.sum;
    }
}

void
attention_merge_ref(const struct attention_call *call, const float *parts,
                    size_t row, size_t rows)
{
    size_t width = call->value_width, all = call->queries * call->heads;

    for (size_t end = row + rows; row < end; row++) {
        size_t t = row / call->heads, h = row % call->heads;
        float *out =
            call->out + t * call->out_query_stride + h * call->out_head_stride;
        const float *z = parts + row * (width + 2);
        struct part sum = {z[width], z[width + 1]};

        memcpy(out, z, width * sizeof *out);
        for (size_t b = 1; keys_seen(call, t, b) > 0; b++) {
            z = parts + (b * all + row) * (width + 2);
            merge(&sum, out, (struct part){z[width], z[width + 1]}, z, width);
        }
        for (size_t i = 0; i < width; i++)
            out[i] /= sum.sum;
    }
}

void
attention_ref(const struct attention_call *call)
{
    size_t width = call->value_width;

    for (size_t row = 0; row < call->queries * call->heads; row++) {
        size_t t = row / call->heads, h = row % call->heads;
        const float *q =
            call->q + t * call->query_stride + h * call->head_stride;
        float *out =
            call->out + t * call->out_query_stride + h * call->out_head_stride;
        struct part all = row_part(call, q, 0, keys_seen(call, t, 0), out);

        for (size_t b = 1; keys_seen(call, t, b) > 0; b++) {
            struct part next = row_part(call, q, b * ATTENTION_BLOCK,
                                        keys_seen(call, t, b), call->scratch);
            merge(&all, out, next, call->scratch, width);
        }
        for (size_t i = 0; i < width; i++)
            out[i] /= all.sum;
    }
}
