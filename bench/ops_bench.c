/*
 * How fast the operations beside linear are: attention in the shapes of
 * V2-Lite and of grouped models, projections, norm, rope, router, silu. One
 * thread, the highest level (FATHOM_CPU limits it); median and best of a few
 * runs. Beside them what a streaming read of memory reaches in the same run.
 */
#include "config.h"

#include "base/base.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 9, CACHE_LINE = 64 };

static const uint64_t RUN_NS = 2000000; // repeat shorter work up to this

/* -- timing ---------------------------------------------------------------- */

typedef void work_fn(void *context);

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static double
repeated(work_fn *work, void *context, size_t times)
{
    uint64_t start = clock_ns();

    for (size_t i = 0; i < times; i++)
        work(context);
    return (double) (clock_ns() - start) * 1e-9 / (double) times;
}

/* Seconds that one call takes. */
struct timing {
    double median, best;
};

static struct timing
timed(work_fn *work, void *context)
{
    double run[RUNS], once;
    size_t times;

    work(context); // warms caches
    once = repeated(work, context, 1) * 1e9;
    times = once < (double) RUN_NS ? (size_t) ((double) RUN_NS / once) + 1 : 1;
    for (size_t i = 0; i < RUNS; i++)
        run[i] = repeated(work, context, times);
    qsort(run, RUNS, sizeof *run, compare_doubles);
    return (struct timing){run[RUNS / 2], run[0]};
}

/* -- memory ---------------------------------------------------------------- */

static float *
floats(size_t count)
{
    float *x = aligned_alloc(CACHE_LINE,
                             (count * sizeof *x / CACHE_LINE + 1) * CACHE_LINE);
    uint32_t state = 1;

    if (x == NULL) {
        fputs("ops_bench: out of memory\n", stderr);
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        x[i] = (float) (state >> 8) * 0x1p-23f - 1;
    }
    return x;
}

static uint16_t *
halves(size_t count)
{
    float *x = floats(count);
    uint16_t *half = (uint16_t *) (void *) floats(count / 2 + 1);

    kernels_select(cpu_level())->to_half(half, x, count);
    free(x);
    return half;
}

/* -- the ceiling of memory ------------------------------------------------- */

struct read_work {
    const uint64_t *words;
    size_t count;
    uint64_t sum; // kept, so that the reads are too
};

static void
read_all(void *context)
{
    struct read_work *work = context;
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (size_t i = 0; i + 4 <= work->count; i += 4) {
        a += work->words[i];
        b += work->words[i + 1];
        c += work->words[i + 2];
        d += work->words[i + 3];
    }
    work->sum += a + b + c + d;
}

static void
bench_read(void)
{
    const size_t count = 64 << 20;
    float *memory = floats(count);
    struct read_work work = {(const uint64_t *) (const void *) memory,
                             count / 2, 0};
    struct timing t = timed(read_all, &work);
    double bytes = (double) (count * sizeof *memory);

    printf("streaming read of %zu MiB: %.2f GB/s, best %.2f (sum %016llx)\n",
           count * sizeof *memory >> 20, bytes / t.median * 1e-9,
           bytes / t.best * 1e-9, (unsigned long long) work.sum);
    free(memory);
}

/* -- attention ------------------------------------------------------------- */

enum { KEEPS = 64 << 20 };

static void
report(const char *name, size_t vectors, size_t length, struct timing t,
       double operations, double bytes)
{
    printf("%-32s x%-3zu of %5zu %9.1f us %6.1f GFLOP/s %6.2f GB/s  best "
           "%9.1f us %6.1f GFLOP/s %6.2f GB/s\n",
           name, vectors, length, t.median * 1e6, operations / t.median * 1e-9,
           bytes / t.median * 1e-9, t.best * 1e6, operations / t.best * 1e-9,
           bytes / t.best * 1e-9);
}

struct attention_case {
    const char *name;
    size_t queries, heads, length, key_width, value_width;
    enum cache_type type;
    bool latent;
};

static const struct attention_case attention_cases[] = {
    {"latent decode, 16 heads 576/512", 1, 16, 512, 576, 512, CACHE_F16, true},
    {"latent decode, 16 heads 576/512", 1, 16, 4096, 576, 512, CACHE_F16, true},
    {"latent decode, 16 heads 576/512", 1, 16, 32768, 576, 512, CACHE_F16,
     true},
    {"latent decode, 4 heads 576/512", 1, 4, 4096, 576, 512, CACHE_F16, true},
    {"grouped decode, 3 heads 64/64", 1, 3, 4096, 64, 64, CACHE_F16, false},
    {"grouped decode, 4 heads 128/128", 1, 4, 4096, 128, 128, CACHE_F16, false},
    {"grouped decode, 4 heads 128/128", 1, 4, 32768, 128, 128, CACHE_F16,
     false},
    {"plain decode, 1 head 128/128", 1, 1, 32768, 128, 128, CACHE_F16, false},
    {"expanded prompt, 1 head 192/128", 512, 1, 512, 192, 128, CACHE_F32,
     false},
    {"expanded prompt, 1 head 192/128", 512, 1, 4096, 192, 128, CACHE_F32,
     false},
    {"grouped prompt, 3 heads 64/64", 512, 3, 512, 64, 64, CACHE_F16, false},
    {"latent prompt, 16 heads 576/512", 32, 16, 512, 576, 512, CACHE_F16, true},
};

/*
 * While decoding, every layer has a cache of its own, and its weights have
 * passed since the last visit: so calls go round many caches, more than the
 * processor keeps.
 */
struct attention_work {
    const struct kernels *kernels;
    struct attention_call call;
    const char *keys, *values;
    size_t layers, layer, key_bytes, value_bytes; // of one layer
};

static void
attend(void *context)
{
    struct attention_work *work = context;

    work->call.keys = work->keys + work->layer * work->key_bytes;
    work->call.values = work->values + work->layer * work->value_bytes;
    work->layer = (work->layer + 1) % work->layers;
    work->kernels->attention(&work->call);
}

static void *
cache(enum cache_type type, size_t count)
{
    return type == CACHE_F16 ? (void *) halves(count) : (void *) floats(count);
}

static void
bench_attention(const struct kernels *kernels, const struct attention_case *c)
{
    size_t kw = c->key_width, vw = c->value_width;
    size_t bytes = c->type == CACHE_F16 ? 2 : 4;
    float *q = floats(c->queries * c->heads * kw);
    float *out = floats(c->queries * c->heads * vw);
    float *scratch = floats(attention_scratch_floats(vw));
    size_t layers = c->queries > 1 ? 1 : KEEPS / (c->length * kw * bytes) + 1;
    void *keys = cache(c->type, c->length * kw * layers);
    void *values = c->latent ? keys : cache(c->type, c->length * vw * layers);
    struct attention_work work = {kernels,
                                  {c->queries, c->heads, q, c->heads * kw, kw,
                                   c->length - c->queries + 1, c->type, NULL,
                                   NULL, kw, c->latent ? kw : vw, kw, vw, 0.1f,
                                   out, c->heads * vw, vw, scratch},
                                  keys,
                                  values,
                                  layers,
                                  0,
                                  c->length * kw * bytes,
                                  c->length * (c->latent ? kw : vw) * bytes};
    struct timing t = timed(attend, &work);
    double n = (double) c->queries, all = (double) c->length;
    double pairs = (double) c->heads * (n * (all - n) + n * (n + 1) / 2);
    double read = all * (double) ((c->latent ? kw : kw + vw) * bytes);

    report(c->name, c->queries, c->length, t, pairs * 2 * (double) (kw + vw),
           read);
    free(q);
    free(out);
    free(scratch);
    if (values != keys)
        free(values);
    free(keys);
}

/* -- projections ----------------------------------------------------------- */

struct project_work {
    project_fn *project;
    size_t rows, columns, vectors;
    float *w, *x, *y;
    bool by_rows;
};

static void
project(void *context)
{
    struct project_work *work = context;
    size_t x = work->by_rows ? work->columns : work->rows;
    size_t y = work->by_rows ? work->rows : work->columns;

    work->project(work->w, work->rows, work->columns, work->columns, work->x, x,
                  work->y, y, work->vectors);
}

/* One head of V2-Lite: 128 x 512; a vector while decoding, 512 of a prompt. */
static void
bench_project(const struct kernels *kernels, bool by_rows, size_t vectors)
{
    struct project_work work = {by_rows ? kernels->project_rows
                                        : kernels->project_columns,
                                128,
                                512,
                                vectors,
                                floats(128 * 512),
                                floats(512 * vectors),
                                floats(512 * vectors),
                                by_rows};
    double steps = 128.0 * 512 * (double) vectors;

    report(by_rows ? "project_rows 128 x 512" : "project_columns 128 x 512",
           vectors, vectors, timed(project, &work), 2 * steps,
           128.0 * 512 * sizeof(float));
    free(work.w);
    free(work.x);
    free(work.y);
}

/* -- the rest: vectors of one token ---------------------------------------- */

struct vector_work {
    const struct kernels *kernels;
    size_t count;
    float *x, *y, *z;
    uint16_t *half;
    struct router_rule rule;
};

static void
run_norm(void *context)
{
    struct vector_work *w = context;

    w->kernels->norm(w->y, w->x, w->z, w->count, 1e-6f);
}

static void
run_rope(void *context)
{
    struct vector_work *w = context;

    w->kernels->rope(w->x, w->y, w->z, w->count / 2, ROPE_INTERLEAVED);
}

static void
run_silu(void *context)
{
    struct vector_work *w = context;

    w->kernels->silu_mul(w->y, w->x, w->z, w->count);
}

static void
run_add(void *context)
{
    struct vector_work *w = context;

    w->kernels->add(w->y, w->x, w->count);
}

static void
run_argmax(void *context)
{
    struct vector_work *w = context;

    w->kernels->argmax(w->x, w->count);
}

static void
run_to_half(void *context)
{
    struct vector_work *w = context;

    w->kernels->to_half(w->half, w->x, w->count);
}

static void
run_router(void *context)
{
    struct vector_work *w = context;
    int32_t ids[8];
    float weights[8];

    w->kernels->router(&w->rule, w->x, w->z, ids, weights);
}

static const struct vector_case {
    const char *name;
    work_fn *run;
    size_t count;
    struct router_rule rule;
} vector_cases[] = {
    {"norm", run_norm, 2048, {0}},
    {"norm", run_norm, 7168, {0}},
    {"rope, interleaved", run_rope, 64, {0}},
    {"silu_mul", run_silu, 1408, {0}},
    {"silu_mul", run_silu, 18432, {0}},
    {"add", run_add, 7168, {0}},
    {"argmax", run_argmax, 102400, {0}},
    {"to_half", run_to_half, 576, {0}},
    {"router of V2-Lite",
     run_router,
     64,
     {ROUTER_SOFTMAX, 64, 6, 1, 1, false, 1}},
    {"router of V3",
     run_router,
     256,
     {ROUTER_SIGMOID, 256, 8, 8, 4, true, 2.5f}},
};

static void
bench_vector(const struct kernels *kernels, const struct vector_case *c)
{
    struct vector_work work = {
        kernels,          c->count,         floats(c->count), floats(c->count),
        floats(c->count), halves(c->count), c->rule};
    struct timing t = timed(c->run, &work);

    printf("%-32s %13zu %9.3f us %6.2f elements/ns  best %9.3f us %6.2f\n",
           c->name, c->count, t.median * 1e6,
           (double) c->count / t.median * 1e-9, t.best * 1e6,
           (double) c->count / t.best * 1e-9);
    free(work.x);
    free(work.y);
    free(work.z);
    free(work.half);
}

static void
bench_level(enum cpu_level level)
{
    const struct kernels *kernels = kernels_select(level);

    printf("level %s, 1 thread, median and best of %d\n", cpu_level_name(level),
           RUNS);
    for (size_t i = 0; i < sizeof attention_cases / sizeof *attention_cases;
         i++)
        bench_attention(kernels, attention_cases + i);
    for (int by_rows = 0; by_rows < 2; by_rows++) {
        bench_project(kernels, by_rows, 1);
        bench_project(kernels, by_rows, 512);
    }
    for (size_t i = 0; i < sizeof vector_cases / sizeof *vector_cases; i++)
        bench_vector(kernels, vector_cases + i);
}

int
main(void)
{
    bench_read();
    bench_level(cpu_level());
    return 0;
}
