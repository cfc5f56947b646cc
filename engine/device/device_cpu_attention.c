/*
 * Attention on the CPU. All forms come down to calls of one kernel that differ
 * only in where they start: a group of heads that shares keys, some queries.
 *
 * One token: the keys are split into blocks, so that a long cache keeps every
 * worker busy. Several: groups times tiles of queries are spread over the
 * team.
 */
#include "config.h"

#include "engine/device/device_cpu.h"

#include <string.h>

static size_t
at_least_one(size_t n)
{
    return n > 0 ? n : 1;
}

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * `groups` calls over the same lengths: group g starts `..._group` elements
 * further in q, keys, values and out.
 */
struct attend {
    struct device_cpu *cpu;
    struct attention_call call; // of group 0, all queries, no scratch
    size_t groups;
    size_t q_group, key_group, value_group, out_group;
    size_t tile; // queries of one task
    float *parts;
    size_t parts_group; // floats
};

static const void *
cache_at(enum cache_type type, const void *rows, size_t element)
{
    return (const char *) rows + element * (type == CACHE_F16 ? 2 : 4);
}

static struct attention_call
group_call(const struct attend *job, size_t g)
{
    struct attention_call call = job->call;

    call.q += g * job->q_group;
    call.keys = cache_at(call.type, call.keys, g * job->key_group);
    call.values = cache_at(call.type, call.values, g * job->value_group);
    call.out += g * job->out_group;
    return call;
}

/* `count` queries of a group, from `query` on. */
static struct attention_call
tile_call(const struct attend *job, size_t g, size_t query, size_t count)
{
    struct attention_call call = group_call(job, g);

    call.q += query * call.query_stride;
    call.out += query * call.out_query_stride;
    call.first_length += query;
    call.queries = count;
    return call;
}

static size_t
tiles_of(const struct attend *job)
{
    return (job->call.queries + job->tile - 1) / job->tile;
}

static void
attend_tiles(void *context, unsigned worker, size_t first, size_t count)
{
    const struct attend *job = context;
    size_t tiles = tiles_of(job);

    for (size_t i = first; i < first + count; i++) {
        size_t query = i % tiles * job->tile;
        struct attention_call call =
            tile_call(job, i / tiles, query,
                      smaller(job->tile, job->call.queries - query));

        call.scratch = worker_scratch(job->cpu, worker);
        job->cpu->k->attention(&call);
    }
}

static void
attend_blocks(void *context, unsigned worker, size_t first, size_t count)
{
    const struct attend *job = context;
    size_t blocks = attention_blocks(&job->call);

    for (size_t i = first; i < first + count; i++) {
        struct attention_call call = group_call(job, i / blocks);

        call.scratch = worker_scratch(job->cpu, worker);
        job->cpu->k->attention_part(&call, i % blocks,
                                    job->parts + i / blocks * job->parts_group);
    }
}

static void
attend_merge(void *context, unsigned worker, size_t first, size_t count)
{
    const struct attend *job = context;
    size_t rows = job->call.queries * job->call.heads;

    (void) worker;
    for (size_t i = first; i < first + count; i++) {
        struct attention_call call = group_call(job, i / rows);

        job->cpu->k->attention_merge(
            &call, job->parts + i / rows * job->parts_group, i % rows, 1);
    }
}

/* Multiplications of one row against one block of keys. */
static size_t
block_cost(const struct attention_call *call)
{
    return ATTENTION_BLOCK * (call->key_width + call->value_width);
}

static void
attend(struct attend *job)
{
    struct device_cpu *cpu = job->cpu;
    const struct attention_call *call = &job->call;
    size_t blocks = attention_blocks(call);

    if (call->queries > 1 || blocks == 1) {
        size_t rows = smaller(job->tile, call->queries) * call->heads;

        device_cpu_run(cpu, job->groups * tiles_of(job), 1,
                       rows * blocks * block_cost(call), attend_tiles, job);
        return;
    }
    job->parts_group = attention_parts_floats(call);
    device_cpu_run(cpu, job->groups * blocks, 1, call->heads * block_cost(call),
                   attend_blocks, job);
    device_cpu_run(cpu, job->groups * call->heads, 1,
                   blocks * call->value_width, attend_merge, job);
}

static size_t
first_length(const struct step *step)
{
    return (size_t) step->state->position + step->first + 1;
}

// -- grouped -----------------------------------------------------------------

void
device_cpu_grouped_attention(struct device *device, const struct step *step,
                             const struct grouped_attention *a)
{
    struct device_cpu *cpu = device_cpu(device);
    size_t shared = a->heads / a->kv_heads;
    struct attend job = {
        .cpu = cpu,
        .call = {.queries = step->tokens,
                 .heads = shared,
                 .q = a->q,
                 .query_stride = a->heads * a->key_width,
                 .head_stride = a->key_width,
                 .type = a->keys.type,
                 .keys = a->keys.data,
                 .values = a->values.data,
                 .key_stride = a->keys.width,
                 .value_stride = a->values.width,
                 .key_width = a->key_width,
                 .value_width = a->value_width,
                 .scale = a->scale,
                 .out = a->out,
                 .out_query_stride = a->heads * a->value_width,
                 .out_head_stride = a->value_width},
        .groups = a->kv_heads,
        .q_group = shared * a->key_width,
        .key_group = a->key_width,
        .value_group = a->value_width,
        .out_group = shared * a->value_width,
        .tile = at_least_one(ATTENTION_ROWS / shared),
        .parts = cpu->scratch.parts,
    };

    if (cpu->failed != STATUS_OK)
        return;
    job.call.first_length = first_length(step);
    attend(&job);
}

// -- latent, absorbed --------------------------------------------------------

struct absorb {
    struct device_cpu *cpu;
    const struct latent_attention *a;
    size_t first_length, tokens;
    size_t group, groups; // heads of one task, and how many of those
    size_t tile, tiles;   // queries of one task, and how many of those
};

/* Heads and queries of one task, and where their latents lie. */
struct absorb_task {
    size_t head, heads, query, queries;
    float *q; // (queries, heads, latent + rope)
    float *z; // (queries, heads, latent)
};

static struct attention_call
absorbed_call(const struct latent_attention *a)
{
    return (struct attention_call){
        .type = a->cache.type,
        .keys = a->cache.data,
        .values = a->cache.data,
        .key_stride = a->cache.width,
        .value_stride = a->cache.width,
        .key_width = a->latent + a->rope,
        .value_width = a->latent,
        .scale = a->scale,
    };
}

/* q~ = W_UK^T q_nope (2.7), and the rotated part as it is. */
static void
absorb_queries(const struct absorb *job, const struct absorb_task *task)
{
    const struct latent_attention *a = job->a;
    size_t width = a->nope + a->rope, row = a->latent + a->rope;

    for (size_t h = 0; h < task->heads; h++) {
        const float *q =
            a->q + (task->query * a->heads + task->head + h) * width;
        float *out = task->q + h * row;

        job->cpu->k->project_columns(
            a->key_up + (task->head + h) * a->nope * a->latent, a->nope,
            a->latent, a->latent, q, a->heads * width, out, task->heads * row,
            task->queries);
        for (size_t t = 0; t < task->queries; t++)
            memcpy(out + t * task->heads * row + a->latent,
                   q + t * a->heads * width + a->nope, a->rope * sizeof *out);
    }
}

/* o = W_UV z (2.7). */
static void
raise_values(const struct absorb *job, const struct absorb_task *task)
{
    const struct latent_attention *a = job->a;

    for (size_t h = 0; h < task->heads; h++)
        job->cpu->k->project_rows(
            a->value_up + (task->head + h) * a->value * a->latent, a->value,
            a->latent, a->latent, task->z + h * a->latent,
            task->heads * a->latent,
            a->out + (task->query * a->heads + task->head + h) * a->value,
            a->heads * a->value, task->queries);
}

static struct absorb_task
absorb_task(const struct absorb *job, size_t i)
{
    size_t head = i / job->tiles * job->group;
    size_t query = i % job->tiles * job->tile;

    return (struct absorb_task){
        .head = head,
        .heads = smaller(job->group, job->a->heads - head),
        .query = query,
        .queries = smaller(job->tile, job->tokens - query),
    };
}

/* A task from its queries to its part of the output. */
static void
absorbed_tasks(void *context, unsigned worker, size_t first, size_t count)
{
    const struct absorb *job = context;
    const struct latent_attention *a = job->a;
    size_t row = a->latent + a->rope;

    for (size_t i = first; i < first + count; i++) {
        struct absorb_task task = absorb_task(job, i);
        struct attention_call call = absorbed_call(a);

        task.q = worker_scratch(job->cpu, worker);
        task.z = task.q + task.queries * task.heads * row;
        call.scratch = task.z + task.queries * task.heads * a->latent;
        absorb_queries(job, &task);
        call.queries = task.queries;
        call.heads = task.heads;
        call.q = task.q;
        call.query_stride = task.heads * row;
        call.head_stride = row;
        call.first_length = job->first_length + task.query;
        call.out = task.z;
        call.out_query_stride = task.heads * a->latent;
        call.out_head_stride = a->latent;
        job->cpu->k->attention(&call);
        raise_values(job, &task);
    }
}

/* One head of the only token, to or from the shared latents. */
static struct absorb_task
head_task(const struct absorb *job, size_t head)
{
    const struct latent_attention *a = job->a;
    const struct scratch *scratch = &job->cpu->scratch;

    return (struct absorb_task){
        .head = head,
        .heads = 1,
        .queries = 1,
        .q = scratch->q_latent + head * (a->latent + a->rope),
        .z = scratch->z + head * a->latent,
    };
}

static void
absorb_heads(void *context, unsigned worker, size_t first, size_t count)
{
    (void) worker;
    for (size_t h = first; h < first + count; h++) {
        struct absorb_task task = head_task(context, h);

        absorb_queries(context, &task);
    }
}

static void
raise_heads(void *context, unsigned worker, size_t first, size_t count)
{
    (void) worker;
    for (size_t h = first; h < first + count; h++) {
        struct absorb_task task = head_task(context, h);

        raise_values(context, &task);
    }
}

/* One token over more than one block of keys. */
static void
absorbed_token(struct absorb *job)
{
    struct device_cpu *cpu = job->cpu;
    const struct latent_attention *a = job->a;
    struct attend attention = {
        .cpu = cpu,
        .call = absorbed_call(a),
        .groups = a->heads / job->group,
        .q_group = job->group * (a->latent + a->rope),
        .out_group = job->group * a->latent,
        .tile = 1,
        .parts = cpu->scratch.parts,
    };

    attention.call.queries = 1;
    attention.call.heads = job->group;
    attention.call.q = cpu->scratch.q_latent;
    attention.call.head_stride = a->latent + a->rope;
    attention.call.first_length = job->first_length;
    attention.call.out = cpu->scratch.z;
    attention.call.out_head_stride = a->latent;
    device_cpu_run(cpu, a->heads, 1, a->nope * a->latent, absorb_heads, job);
    attend(&attention);
    device_cpu_run(cpu, a->heads, 1, a->value * a->latent, raise_heads, job);
}

/* Heads that share a reading of the cache and still keep all workers busy. */
static size_t
head_group(const struct device_cpu *cpu, size_t heads, size_t tiles)
{
    size_t group = smaller(heads, ATTENTION_ROWS);

    // group divides heads, so that all groups are alike
    while (group > 1 && (heads % group != 0 ||
                         heads / group * tiles < (size_t) 2 * cpu->threads))
        group--;
    return at_least_one(group);
}

static void
absorbed(struct device_cpu *cpu, const struct step *step,
         const struct latent_attention *a)
{
    struct absorb job = {.cpu = cpu,
                         .a = a,
                         .first_length = first_length(step),
                         .tokens = step->tokens};

    job.group = head_group(cpu, a->heads, step->tokens);
    if (step->tokens == 1 && job.first_length > ATTENTION_BLOCK) {
        absorbed_token(&job);
        return;
    }
    job.groups = a->heads / job.group;
    job.tile = at_least_one(ATTENTION_ROWS / job.group);
    job.tiles = (step->tokens + job.tile - 1) / job.tile;
    size_t pairs = job.tile * job.group;
    size_t length = job.first_length + step->tokens;
    device_cpu_run(cpu, job.groups * job.tiles, 1,
                   pairs * (length * (2 * a->latent + a->rope) +
                            a->latent * (a->nope + a->value)),
                   absorbed_tasks, &job);
}

// -- latent, expanded --------------------------------------------------------

struct expand {
    struct device_cpu *cpu;
    const struct latent_attention *a;
    size_t length;      // positions to expand
    size_t head, heads; // those of this round
    float *keys;        // (heads, length, nope + rope)
    float *values;      // (heads, length, value)
};

/* Cached rows first .. first+count-1 as floats. */
static const float *
latents_of(const struct expand *job, size_t first, size_t count, float *scratch)
{
    const struct cache_rows *cache = &job->a->cache;
    size_t at = first * cache->width;

    if (cache->type == CACHE_F32)
        return (const float *) cache->data + at;
    job->cpu->k->from_half(scratch, (const uint16_t *) cache->data + at,
                           count * cache->width);
    return scratch;
}

/* Keys [W_UK c, k_r] and values W_UV c (2.6) of some positions, all heads. */
static void
expand_positions(const struct expand *job, const float *rows, size_t first,
                 size_t count)
{
    const struct latent_attention *a = job->a;
    size_t width = a->nope + a->rope, row = a->cache.width;

    for (size_t h = 0; h < job->heads; h++) {
        size_t head = job->head + h, at = h * job->length + first;
        float *key = job->keys + at * width;

        job->cpu->k->project_rows(a->key_up + head * a->nope * a->latent,
                                  a->nope, a->latent, a->latent, rows, row, key,
                                  width, count);
        for (size_t j = 0; j < count; j++)
            memcpy(key + j * width + a->nope, rows + j * row + a->latent,
                   a->rope * sizeof *key);
        job->cpu->k->project_rows(a->value_up + head * a->value * a->latent,
                                  a->value, a->latent, a->latent, rows, row,
                                  job->values + at * a->value, a->value, count);
    }
}

static void
expand_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct expand *job = context;
    float *scratch = worker_scratch(job->cpu, worker);

    for (size_t end = first + count; first < end; first += EXPAND_KEYS) {
        size_t here = smaller(EXPAND_KEYS, end - first);

        expand_positions(job, latents_of(job, first, here, scratch), first,
                         here);
    }
}

static void
expanded_heads(struct expand *job, const struct step *step)
{
    struct device_cpu *cpu = job->cpu;
    const struct latent_attention *a = job->a;
    size_t width = a->nope + a->rope;
    struct attend attention = {
        .cpu = cpu,
        .call = {.queries = step->tokens,
                 .heads = 1,
                 .q = a->q + job->head * width,
                 .query_stride = a->heads * width,
                 .first_length = first_length(step),
                 .type = CACHE_F32,
                 .keys = job->keys,
                 .values = job->values,
                 .key_stride = width,
                 .value_stride = a->value,
                 .key_width = width,
                 .value_width = a->value,
                 .scale = a->scale,
                 .out = a->out + job->head * a->value,
                 .out_query_stride = a->heads * a->value},
        .groups = job->heads,
        .q_group = width,
        .key_group = job->length * width,
        .value_group = job->length * a->value,
        .out_group = a->value,
        .tile = ATTENTION_ROWS,
        .parts = cpu->scratch.parts,
    };

    device_cpu_run(cpu, job->length, EXPAND_KEYS,
                   job->heads * a->latent * (a->nope + a->value), expand_rows,
                   job);
    attend(&attention);
}

static void
expanded(struct device_cpu *cpu, const struct step *step,
         const struct latent_attention *a)
{
    struct expand job = {
        .cpu = cpu, .a = a, .length = first_length(step) + step->tokens - 1};
    size_t most = cpu->limits.expand_heads;

    job.keys = cpu->scratch.expanded;
    for (; job.head < a->heads; job.head += job.heads) {
        job.heads = smaller(most, a->heads - job.head);
        job.values = job.keys + job.heads * job.length * (a->nope + a->rope);
        expanded_heads(&job, step);
    }
}

void
device_cpu_latent_attention(struct device *device, const struct step *step,
                            const struct latent_attention *call)
{
    struct device_cpu *cpu = device_cpu(device);

    if (cpu->failed != STATUS_OK)
        return;
    if (step->expanded)
        expanded(cpu, step, call);
    else
        absorbed(cpu, step, call);
}
