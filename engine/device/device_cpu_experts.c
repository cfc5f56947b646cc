/*
 * The expert feed-forward (arithmetic contract, section 4): ascending expert
 * id, shared experts last.
 *
 * One token: all its experts are asked for at once; those that are here run
 * while the others come; then one pass over the rows of all down projections.
 * Several tokens: expert by expert, each over the tokens that chose it, so
 * that every expert is leased once; the next one comes while one is computed.
 */
#include "config.h"

#include "engine/device/device_cpu.h"
#include "engine/experts/expert_uses.h"

#include <string.h>

enum { ROW_GRAIN = 8 };

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool
shared_runs(const struct expert_group *group)
{
    return group->gate->format != NULL;
}

static struct expert
shared_expert(const struct expert_group *group)
{
    return (struct expert){*group->gate, *group->up, *group->down};
}

static bool
wants_rounded_input(const struct expert *expert)
{
    return wants_q8(&expert->gate) || wants_q8(&expert->up);
}

// -- one expert's matrices over any tokens -----------------------------------

/* Rows of gate and up become rows of h = silu(g) * u, in place of g. */
struct inner {
    struct device_cpu *cpu;
    const struct expert *expert;
    const struct operand *x;
    float *gate, *up; // (tokens, width)
};

static void
inner_rows(const struct inner *job, unsigned worker, size_t first, size_t rows)
{
    const struct expert *expert = job->expert;
    size_t width = expert->gate.rows;
    float *decoded = worker_scratch(job->cpu, worker);

    multiply(job->cpu, &expert->gate, first, rows, job->x, job->gate + first,
             width, decoded);
    multiply(job->cpu, &expert->up, first, rows, job->x, job->up + first, width,
             decoded);
    for (size_t t = 0; t < job->x->tokens; t++) {
        float *g = job->gate + t * width + first;

        job->cpu->k->silu_mul(g, g, job->up + t * width + first, rows);
    }
}

static struct operand
inner_operand(const struct expert *expert, const float *h, size_t tokens,
              bool matrix_order)
{
    return (struct operand){.x = h,
                            .tokens = tokens,
                            .columns = expert->down.columns,
                            .x_stride = expert->down.columns,
                            .matrix_order = matrix_order};
}

// -- one token ---------------------------------------------------------------

struct token_job {
    struct device_cpu *cpu;
    const struct expert_group *group;
    struct operand x;
    bool x_rounded;
    struct chosen *chosen; // ascending id, the shared experts last
    size_t count;
    size_t begin, end; // those whose inner rows are computed
};

static size_t
rows_padded(const struct chosen *chosen)
{
    return (chosen->expert.gate.rows + ROW_GRAIN - 1) / ROW_GRAIN * ROW_GRAIN;
}

/* Inner rows of those that are here and not computed are numbered through. */
static void
token_inner_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct token_job *job = context;

    for (size_t i = job->begin; i < job->end && count > 0; i++) {
        struct chosen *chosen = &job->chosen[i];

        if (!chosen->here)
            continue;
        size_t padded = rows_padded(chosen), rows = chosen->expert.gate.rows;
        if (first >= padded) {
            first -= padded;
            continue;
        }
        size_t here = smaller(padded - first, count);
        struct inner inner = {job->cpu, &chosen->expert, &job->x, chosen->h,
                              chosen->up};
        if (first < rows)
            inner_rows(&inner, worker, first, smaller(here, rows - first));
        first = 0;
        count -= here;
    }
}

/* Rounds h of one expert where its down projection wants that. */
static void
token_round_inner(const struct token_job *job, const struct step *step,
                  struct chosen *chosen)
{
    chosen->inner =
        inner_operand(&chosen->expert, chosen->h, 1, job->x.matrix_order);
    if (wants_q8(&chosen->expert.down))
        operand_round(job->cpu, step, &chosen->inner, chosen->q8);
}

static void
token_inner(struct token_job *job, const struct step *step, size_t begin,
            size_t end)
{
    struct device_cpu *cpu = job->cpu;
    size_t rows = 0;
    bool rounded = false;

    job->begin = begin;
    job->end = end;
    for (size_t i = begin; i < end; i++)
        if (job->chosen[i].here) {
            rows += rows_padded(&job->chosen[i]);
            rounded |= wants_rounded_input(&job->chosen[i].expert);
        }
    if (rounded && !job->x_rounded)
        operand_round(cpu, step, &job->x, cpu->scratch.q8);
    job->x_rounded |= rounded;
    device_cpu_run(cpu, rows, ROW_GRAIN, 2 * job->group->hidden,
                   token_inner_rows, job);
    for (size_t i = begin; i < end; i++)
        if (job->chosen[i].here)
            token_round_inner(job, step, &job->chosen[i]);
}

/* out rows: the weighted sum over all chosen, in their order. */
static void
token_down_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct token_job *job = context;
    float *y = worker_scratch(job->cpu, worker);
    float *decoded = y + DOWN_ROWS;

    for (size_t end = first + count; first < end; first += DOWN_ROWS) {
        size_t rows = smaller(DOWN_ROWS, end - first);

        for (size_t i = 0; i < job->count; i++) {
            const struct chosen *chosen = &job->chosen[i];

            multiply(job->cpu, &chosen->expert.down, first, rows,
                     &chosen->inner, y, rows, decoded);
            job->cpu->k->add_scaled(job->group->out + first, y, chosen->weight,
                                    i == 0, rows);
        }
    }
}

/* The router's choice in ascending id, then the shared experts. */
static void
choose(struct token_job *job)
{
    const struct expert_group *group = job->group;
    const struct scratch *scratch = &job->cpu->scratch;

    for (size_t k = 0; k < group->used; k++) {
        int32_t id = group->routing.ids[k];
        size_t at = k;

        for (; at > 0 && job->chosen[at - 1].id > (uint32_t) id; at--)
            job->chosen[at] = job->chosen[at - 1];
        job->chosen[at] = (struct chosen){.id = (uint32_t) id,
                                          .weight = group->routing.weights[k]};
    }
    job->count = group->used;
    if (shared_runs(group))
        job->chosen[job->count++] = (struct chosen){
            .weight = 1, .expert = shared_expert(group), .here = true};
    for (size_t i = 0; i < job->count; i++) {
        struct chosen *chosen = &job->chosen[i];

        chosen->h = scratch->gate + i * job->cpu->limits.expert_width;
        chosen->up = scratch->up + i * job->cpu->limits.expert_width;
        chosen->q8 = (char *) scratch->q8_inner + i * scratch->q8_inner_bytes;
    }
}

/*
 * Leases all chosen experts and computes their inner rows: first of those
 * that are here, then of the others as they come.
 */
static void
token_gather(struct token_job *job, const struct step *step)
{
    struct expert_store *store = job->group->store;
    struct error err;

    for (size_t i = 0; i < job->group->used; i++)
        job->chosen[i].here =
            store->ops->ask(store, step->layer, job->chosen[i].id,
                            &job->chosen[i].expert) == EXPERT_READY;
    token_inner(job, step, 0, job->count);
    for (size_t i = 0; i < job->group->used; i++) {
        struct chosen *chosen = &job->chosen[i];

        if (chosen->here)
            continue;
        if (store->ops->wait(store, step->layer, chosen->id, &chosen->expert,
                             &err) != STATUS_OK) {
            device_cpu_fail(job->cpu, &err);
            return;
        }
        chosen->here = true;
        token_inner(job, step, i, i + 1);
    }
}

/* Gives the leases back; what was computed with them is counted. */
static void
token_release(const struct token_job *job, const struct step *step)
{
    struct expert_store *store = job->group->store;

    for (size_t i = 0; i < job->group->used; i++) {
        if (job->chosen[i].here)
            store->ops->release(store, step->layer, job->chosen[i].id);
        if (job->cpu->failed == STATUS_OK)
            expert_uses_add(store->uses, step->layer, job->chosen[i].id, 1);
    }
}

static void
experts_of_token(struct device_cpu *cpu, const struct step *step,
                 const struct expert_group *group)
{
    struct token_job job = {.cpu = cpu,
                            .group = group,
                            .x = {.x = group->x,
                                  .tokens = 1,
                                  .columns = group->hidden,
                                  .x_stride = group->hidden,
                                  .matrix_order = !step->sampled},
                            .chosen = cpu->scratch.chosen};

    choose(&job);
    token_gather(&job, step);
    if (cpu->failed == STATUS_OK)
        device_cpu_run(cpu, group->hidden, ROW_GRAIN, job.count * group->width,
                       token_down_rows, &job);
    token_release(&job, step);
}

// -- several tokens ----------------------------------------------------------

struct tokens_job {
    struct device_cpu *cpu;
    const struct expert_group *group;
    const struct expert *expert;
    const struct expert_entry *entries; // of this expert
    struct operand x;                   // of these tokens
    struct operand inner;
};

static void
gather_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct tokens_job *job = context;
    size_t hidden = job->group->hidden;

    (void) worker;
    for (size_t i = first; i < first + count; i++)
        memcpy(job->cpu->scratch.gathered + i * hidden,
               job->group->x + job->entries[i].token * hidden,
               hidden * sizeof(float));
}

static void
tokens_inner_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct tokens_job *job = context;
    struct inner inner = {job->cpu, job->expert, &job->x,
                          job->cpu->scratch.gate, job->cpu->scratch.up};

    inner_rows(&inner, worker, first, count);
}

static void
tokens_down_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct tokens_job *job = context;
    size_t tokens = job->x.tokens, hidden = job->group->hidden;
    float *y = worker_scratch(job->cpu, worker);
    float *decoded = y + tokens * DOWN_ROWS;

    for (size_t end = first + count; first < end; first += DOWN_ROWS) {
        size_t rows = smaller(DOWN_ROWS, end - first);

        multiply(job->cpu, &job->expert->down, first, rows, &job->inner, y,
                 rows, decoded);
        for (size_t i = 0; i < tokens; i++) {
            const struct expert_entry *entry = &job->entries[i];

            job->cpu->k->add_scaled(
                job->group->out + entry->token * hidden + first, y + i * rows,
                entry->weight, entry->first, rows);
        }
    }
}

/* Adds one expert's part to the tokens of `entries`. */
static void
expert_over_tokens(struct device_cpu *cpu, const struct step *step,
                   const struct expert_group *group,
                   const struct expert *expert,
                   const struct expert_entry *entries, size_t count)
{
    struct tokens_job job = {
        .cpu = cpu, .group = group, .expert = expert, .entries = entries};

    job.x = (struct operand){.x = cpu->scratch.gathered,
                             .tokens = count,
                             .columns = group->hidden,
                             .x_stride = group->hidden,
                             .matrix_order = !step->sampled};
    device_cpu_run(cpu, count, 1, group->hidden, gather_rows, &job);
    if (wants_rounded_input(expert))
        operand_round(cpu, step, &job.x, cpu->scratch.q8);
    device_cpu_run(cpu, expert->gate.rows, ROW_GRAIN, 2 * group->hidden * count,
                   tokens_inner_rows, &job);
    job.inner = inner_operand(expert, cpu->scratch.gate, count, !step->sampled);
    if (wants_q8(&expert->down))
        operand_round(cpu, step, &job.inner, cpu->scratch.q8_inner);
    device_cpu_run(cpu, group->hidden, ROW_GRAIN, expert->gate.rows * count,
                   tokens_down_rows, &job);
}

/* Entries sorted by expert, then token; offsets[e] is expert e's first. */
static void
sort_by_expert(const struct scratch *scratch, const struct expert_group *group,
               size_t tokens)
{
    const int32_t *ids = group->routing.ids;
    uint32_t *offsets = scratch->offsets;
    size_t used = group->used;

    memset(offsets, 0, (group->experts + 1) * sizeof *offsets);
    for (size_t i = 0; i < tokens * used; i++)
        offsets[ids[i] + 1]++;
    for (size_t e = 0; e < group->experts; e++)
        offsets[e + 1] += offsets[e];
    for (size_t t = 0; t < tokens; t++) {
        int32_t lowest = ids[t * used];

        for (size_t k = 1; k < used; k++)
            if (ids[t * used + k] < lowest)
                lowest = ids[t * used + k];
        for (size_t k = 0; k < used; k++) {
            int32_t e = ids[t * used + k];

            scratch->entries[offsets[e]++] = (struct expert_entry){
                .token = (uint32_t) t,
                .weight = group->routing.weights[t * used + k],
                .first = e == lowest};
        }
    }
    // filling moved every offset to the next expert's first entry
    memmove(offsets + 1, offsets, group->experts * sizeof *offsets);
    offsets[0] = 0;
}

/* The first expert from e on that a token chose, or `experts`. */
static size_t
next_chosen(const struct scratch *scratch, size_t e, size_t experts)
{
    while (e < experts && scratch->offsets[e] == scratch->offsets[e + 1])
        e++;
    return e;
}

/* A lease that was asked for and may have to be waited for. */
struct coming {
    struct expert expert;
    bool here;
};

static void
coming_ask(struct coming *coming, struct expert_store *store, uint32_t layer,
           size_t e)
{
    coming->here = store->ops->ask(store, layer, (uint32_t) e,
                                   &coming->expert) == EXPERT_READY;
}

static enum status
coming_wait(struct coming *coming, struct expert_store *store, uint32_t layer,
            size_t e, struct error *err)
{
    if (!coming->here)
        TRY(store->ops->wait(store, layer, (uint32_t) e, &coming->expert, err));
    coming->here = true;
    return STATUS_OK;
}

static void
routed_over_tokens(struct device_cpu *cpu, const struct step *step,
                   const struct expert_group *group)
{
    const struct scratch *scratch = &cpu->scratch;
    struct expert_store *store = group->store;
    bool ahead = store->lease_limit > 1;
    struct coming now, next = {.here = false};
    struct error err;
    size_t after, e = next_chosen(scratch, 0, group->experts);

    coming_ask(&next, store, step->layer, e);
    for (; e < group->experts; e = after) {
        now = next;
        after = next_chosen(scratch, e + 1, group->experts);
        next.here = false;
        if (coming_wait(&now, store, step->layer, e, &err) != STATUS_OK) {
            device_cpu_fail(cpu, &err);
            return;
        }
        if (ahead && after < group->experts)
            coming_ask(&next, store, step->layer, after);
        size_t tokens = scratch->offsets[e + 1] - scratch->offsets[e];
        expert_over_tokens(cpu, step, group, &now.expert,
                           scratch->entries + scratch->offsets[e], tokens);
        store->ops->release(store, step->layer, (uint32_t) e);
        if (cpu->failed != STATUS_OK && next.here)
            store->ops->release(store, step->layer, (uint32_t) after);
        if (cpu->failed != STATUS_OK)
            return;
        expert_uses_add(store->uses, step->layer, (uint32_t) e, tokens);
        if (step->within != NULL)
            step->within(step->proceed_context, step->layer, after,
                         group->experts);
    }
}

static void
shared_over_tokens(struct device_cpu *cpu, const struct step *step,
                   const struct expert_group *group)
{
    struct expert expert = shared_expert(group);
    struct expert_entry *entries = cpu->scratch.entries;

    for (size_t t = 0; t < step->tokens; t++)
        entries[t] = (struct expert_entry){.token = (uint32_t) t, .weight = 1};
    expert_over_tokens(cpu, step, group, &expert, entries, step->tokens);
}

void
device_cpu_experts(struct device *device, const struct step *step,
                   const struct expert_group *group)
{
    struct device_cpu *cpu = device_cpu(device);

    if (cpu->failed != STATUS_OK)
        return;
    if (step->tokens == 1) {
        experts_of_token(cpu, step, group);
        return;
    }
    sort_by_expert(&cpu->scratch, group, step->tokens);
    routed_over_tokens(cpu, step, group);
    if (cpu->failed == STATUS_OK && shared_runs(group))
        shared_over_tokens(cpu, step, group);
}
