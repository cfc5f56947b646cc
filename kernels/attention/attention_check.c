/* attention.h's promises, at every level that runs here. */
#include "config.h"

#include "kernels/check.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GAP = 3 }; // elements that a loose stride skips

/* A call with everything in guarded memory, exactly as long as promised. */
struct job {
    struct attention_call call;
    size_t rows, keys;
    size_t q_floats, out_floats, key_bytes, value_bytes;
    float *q, *out, *want;
    void *key_memory, *value_memory; // the same in the latent form
};

struct shape {
    size_t queries, heads, first_length, key_width, value_width;
    enum cache_type type;
    bool latent; // values are the first elements of the keys
    bool loose;  // strides larger than needed
};

static size_t
extent(size_t count, size_t stride, size_t width)
{
    return (count - 1) * stride + width;
}

static void *
cache_open(struct check_random *random, enum cache_type type, size_t floats,
           size_t *bytes)
{
    size_t each = type == CACHE_F16 ? sizeof(uint16_t) : sizeof(float);
    float *x = check_floats(floats);

    *bytes = floats * each;
    check_fill(random, x, floats);
    if (type == CACHE_F32)
        return x;
    uint16_t *half = check_alloc(*bytes);

    to_half_ref(half, x, floats);
    check_free(x);
    return half;
}

static void
job_open(struct job *job, const struct shape *s, struct check_random *random)
{
    struct attention_call *c = &job->call;
    size_t gap = s->loose ? GAP : 0, heads = s->heads;

    *job = (struct job){0};
    job->rows = s->queries * heads;
    job->keys = s->first_length + s->queries - 1;
    *c = (struct attention_call){.queries = s->queries,
                                 .heads = heads,
                                 .first_length = s->first_length,
                                 .type = s->type,
                                 .key_width = s->key_width,
                                 .value_width = s->value_width};
    c->head_stride = s->key_width + gap;
    c->query_stride = heads * c->head_stride + gap;
    c->out_head_stride = s->value_width + gap;
    c->out_query_stride = heads * c->out_head_stride + gap;
    c->key_stride = s->key_width + gap;
    c->value_stride = s->latent ? c->key_stride : s->value_width + gap;
    c->scale = 1 / sqrtf((float) s->key_width);
    job->q_floats = extent(s->queries, c->query_stride,
                           extent(heads, c->head_stride, s->key_width));
    job->out_floats = extent(s->queries, c->out_query_stride,
                             extent(heads, c->out_head_stride, s->value_width));
    c->q = job->q = check_floats(job->q_floats);
    check_fill(random, job->q, job->q_floats);
    job->out = check_floats(job->out_floats);
    job->want = check_floats(job->out_floats);
    c->scratch = check_floats(attention_scratch_floats(s->value_width));
    c->keys = job->key_memory = cache_open(
        random, s->type, extent(job->keys, c->key_stride, s->key_width),
        &job->key_bytes);
    c->values = job->value_memory = job->key_memory;
    if (!s->latent)
        c->values = job->value_memory = cache_open(
            random, s->type, extent(job->keys, c->value_stride, s->value_width),
            &job->value_bytes);
}

static void
job_close(struct job *job)
{
    check_free(job->q);
    check_free(job->out);
    check_free(job->want);
    check_free(job->call.scratch);
    if (job->value_memory != job->key_memory)
        check_free(job->value_memory);
    check_free(job->key_memory);
}

static void
job_run(struct job *job, attention_fn *attention, float *out)
{
    job->call.out = out;
    attention(&job->call);
}

/* Of what a call may not write. */
static uint64_t
job_inputs(const struct job *job)
{
    return check_sum(job->q, job->q_floats * sizeof(float)) ^
           check_sum(job->key_memory, job->key_bytes) * 3 ^
           check_sum(job->value_memory, job->value_bytes) * 5;
}

static double
cached(const struct attention_call *call, const void *rows, size_t i)
{
    float x;

    if (call->type == CACHE_F32)
        return (double) ((const float *) rows)[i];
    from_half_ref(&x, (const uint16_t *) rows + i, 1);
    return (double) x;
}

/* -- against binary64 ------------------------------------------------------ */

enum { KEYS_MAX = 1200 };

/* What the oracle knows of a row. */
struct oracle {
    size_t keys;
    double score[KEYS_MAX];
    double doubt[KEYS_MAX]; // relative error of a weight
    double weight[KEYS_MAX];
};

static const double u = 0x1.001p-24;

/* A score: key_width / 32 products, the tree of 5, the scale. */
static void
oracle_scores(const struct attention_call *call, const float *q,
              struct oracle *o)
{
    double steps = (double) ((call->key_width + 31) / 32) + 5 + 1;

    for (size_t j = 0; j < o->keys; j++) {
        double sum = 0, size = 0;

        for (size_t i = 0; i < call->key_width; i++) {
            double p = (double) q[i] *
                       cached(call, call->keys, j * call->key_stride + i);

            sum += p;
            size += fabs(p);
        }
        o->score[j] = (double) call->scale * sum;
        o->doubt[j] = steps * u * fabs((double) call->scale) * size;
    }
}

/*
 * A weight: the error of its score, the subtraction of the maximum (which
 * cancels but for its rounding), exp_c with 2 u; for every merge of two parts
 * two exponentials of differences of maxima, and a product.
 */
static void
oracle_weights(struct oracle *o)
{
    size_t blocks = (o->keys + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    double most = -HUGE_VAL, least = HUGE_VAL, sum = 0;

    for (size_t j = 0; j < o->keys; j++) {
        most = fmax(most, o->score[j]);
        least = fmin(least, o->score[j]);
    }
    for (size_t j = 0; j < o->keys; j++) {
        o->weight[j] = exp(o->score[j] - most);
        sum += o->weight[j];
        o->doubt[j] += u * (most - least) + 2 * u +
                       (double) (blocks - 1) * (u * (most - least) + 3 * u);
    }
    for (size_t j = 0; j < o->keys; j++)
        o->weight[j] /= sum;
}

/*
 * out: the errors of the weights above and below the fraction bar; a chain of
 * a block's products, the merges, the sum of weights (8 + 5), the division.
 */
static void
oracle_row(const struct attention_call *call, const float *out,
           const struct oracle *o, struct check_error *error)
{
    size_t blocks = (o->keys + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    size_t chain = o->keys < ATTENTION_BLOCK ? o->keys : ATTENTION_BLOCK;
    double sum_doubt = 0;

    for (size_t j = 0; j < o->keys; j++)
        sum_doubt += o->weight[j] * o->doubt[j];
    sum_doubt += (13 + (double) blocks) * u;
    for (size_t i = 0; i < call->value_width; i++) {
        double z = 0, size = 0, doubt = 0;

        for (size_t j = 0; j < o->keys; j++) {
            double p = o->weight[j] *
                       cached(call, call->values, j * call->value_stride + i);

            z += p;
            size += fabs(p);
            doubt += fabs(p) * o->doubt[j];
        }
        doubt += size * (double) (chain + blocks) * u;
        check_error_add(error, (double) out[i], z,
                        doubt + fabs(z) * (sum_doubt + u));
    }
}

static void
job_oracle(const struct job *job, struct check_error *error)
{
    const struct attention_call *c = &job->call;
    static struct oracle o;

    for (size_t row = 0; row < job->rows; row++) {
        size_t t = row / c->heads, h = row % c->heads;

        o.keys = c->first_length + t;
        oracle_scores(c, c->q + t * c->query_stride + h * c->head_stride, &o);
        oracle_weights(&o);
        oracle_row(c, c->out + t * c->out_query_stride + h * c->out_head_stride,
                   &o, error);
    }
}

/* -- the same work in other pieces ----------------------------------------- */

/* Every row alone: one query, one head. */
static bool
job_apart(const struct job *job, attention_fn *attention)
{
    const struct attention_call *c = &job->call;
    float *out = check_floats(c->value_width);
    bool same = true;

    for (size_t row = 0; row < job->rows; row++) {
        size_t t = row / c->heads, h = row % c->heads;
        struct attention_call one = *c;

        one.queries = one.heads = 1;
        one.first_length = c->first_length + t;
        one.q = c->q + t * c->query_stride + h * c->head_stride;
        one.out = out;
        attention(&one);
        same = check_same(out,
                          c->out + t * c->out_query_stride +
                              h * c->out_head_stride,
                          c->value_width, "one row alone") &&
               same;
    }
    check_free(out);
    return same;
}

/* Parts from the last block to the first, then merged row by row. */
static bool
job_parts(struct job *job, const struct kernels *k)
{
    float *parts = check_floats(attention_parts_floats(&job->call));
    float *out = check_floats(job->out_floats), *whole = job->call.out;

    for (size_t b = attention_blocks(&job->call); b-- > 0;)
        k->attention_part(&job->call, b, parts);
    job->call.out = out;
    for (size_t row = 0; row < job->rows; row += 3)
        k->attention_merge(&job->call, parts, row,
                           job->rows - row < 3 ? job->rows - row : 3);
    job->call.out = whole;
    bool same = check_same(out, whole, job->out_floats, "merged parts");

    check_free(parts);
    check_free(out);
    return same;
}

struct checked {
    struct check_error error;
    bool same, apart, parts, inputs;
};

static void
check_shape(const struct kernels *k, const struct shape *shape,
            struct check_random *random, struct checked *checked)
{
    struct job job;

    job_open(&job, shape, random);
    uint64_t inputs = job_inputs(&job);

    job_run(&job, attention_ref, job.want);
    job_run(&job, k->attention, job.out);
    checked->same =
        check_same(job.out, job.want, job.out_floats, "attention") &&
        checked->same;
    job_oracle(&job, &checked->error);
    checked->apart = job_apart(&job, k->attention) && checked->apart;
    checked->parts = job_parts(&job, k) && checked->parts;
    checked->inputs = checked->inputs && inputs == job_inputs(&job);
    job_close(&job);
}

/* Small shapes of every kind, now and then across a block's border. */
static struct shape
random_shape(struct check_random *random)
{
    struct shape s = {0};

    s.queries = 1 + check_below(random, 7);
    s.heads = 1 + check_below(random, 7);
    s.first_length = 1 + check_below(random, 70);
    if (check_below(random, 3) == 0)
        s.first_length += 250 * (1 + check_below(random, 3));
    s.key_width = 1 + check_below(random, 100);
    s.value_width = 1 + check_below(random, 100);
    s.type = check_below(random, 2) ? CACHE_F16 : CACHE_F32;
    s.latent = check_below(random, 2);
    if (s.latent && s.value_width > s.key_width)
        s.value_width = s.key_width;
    s.loose = check_below(random, 2);
    return s;
}

static void
check_shapes(const struct kernels *k, struct check_random *random,
             struct checked *checked)
{
    static const struct shape shapes[] = {
        {1, 16, 300, 576, 512, CACHE_F16, true, false}, // V2-Lite, decode
        {2, 16, 255, 576, 512, CACHE_F32, true, false},
        {21, 1, 1, 192, 128, CACHE_F32, false, false}, // expanded prompt
        {40, 1, 240, 192, 128, CACHE_F16, false, false},
        {1, 4, 600, 128, 128, CACHE_F16, false, false}, // grouped
        {1, 1, 1100, 64, 64, CACHE_F16, false, false},
        {18, 3, 500, 64, 64, CACHE_F16, false, false},
        {300, 1, 1, 8, 8, CACHE_F32, false, false}, // over a border
        {3, 3, 1, 20, 12, CACHE_F16, true, true},
    };
    static const size_t lengths[] = {255, 256, 257, 511, 512, 513, 769};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(k, shapes + i, random, checked);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t queries = 1; queries < 4; queries++)
            check_shape(k,
                        &(struct shape){queries, 2, lengths[i], 16, 24,
                                        CACHE_F16, false, false},
                        random, checked);
    for (size_t width = 1; width <= 70; width++)
        for (int type = 0; type < 2; type++) {
            enum cache_type t = type ? CACHE_F16 : CACHE_F32;

            check_shape(k, &(struct shape){2, 3, 5, width, 9, t, false, false},
                        random, checked);
            check_shape(k, &(struct shape){2, 3, 5, 9, width, t, false, false},
                        random, checked);
            check_shape(k, &(struct shape){1, 5, width, 12, 12, t, true, false},
                        random, checked);
        }
    for (size_t heads = 1; heads <= 35; heads++)
        check_shape(
            k, &(struct shape){1, heads, 7, 40, 24, CACHE_F16, false, false},
            random, checked);
}

/* -- known answers --------------------------------------------------------- */

/* One head, key width 1, value width 2. */
static void
small(const struct kernels *k, const float *q, size_t queries,
      size_t first_length, const float *keys, const float *values, float *out)
{
    float scratch[16 * (ATTENTION_BLOCK + 2 + 8)];
    struct attention_call call = {.queries = queries,
                                  .heads = 1,
                                  .q = q,
                                  .query_stride = 1,
                                  .first_length = first_length,
                                  .type = CACHE_F32,
                                  .keys = keys,
                                  .values = values,
                                  .key_stride = 1,
                                  .value_stride = 2,
                                  .key_width = 1,
                                  .value_width = 2,
                                  .scale = 0.5f,
                                  .out = out,
                                  .out_query_stride = 2,
                                  .scratch = scratch};

    k->attention(&call);
}

/*
 * One key: its value. A query of zeros: the mean. Scores 0 and ln 3: weights
 * 1/4 and 3/4. Scores far apart: the value of the largest.
 */
static bool
known_answers(const struct kernels *k)
{
    const float q[] = {2, 0, 2}, keys[] = {0, 1.0986123f, 500};
    const float values[] = {1, -3, 5, 9, -7, 0.5f};
    float out[6];

    small(k, q, 3, 1, keys, values, out); // sees 1, 2 and 3 keys
    if (out[0] != 1 || out[1] != -3 || out[2] != 3 || out[3] != 3 ||
        out[4] != -7 || out[5] != 0.5f)
        return false;
    small(k, q, 1, 2, keys, values, out);
    return fabsf(out[0] - 4) <= 1e-6f && fabsf(out[1] - 6) <= 1e-6f;
}

/* 600 equal scores over three blocks: the mean of 0 .. 599 and of ones. */
static bool
known_mean(const struct kernels *k)
{
    static float keys[600], values[1200];
    const float q = 3;
    float out[2];

    for (size_t j = 0; j < 600; j++) {
        keys[j] = 0.25f;
        values[2 * j] = (float) j;
        values[2 * j + 1] = 1;
    }
    small(k, &q, 1, 600, keys, values, out);
    return out[0] == 299.5f && out[1] == 1;
}

/* What a query does not see cannot reach it; what is not finite shows. */
static bool
bad_values(const struct kernels *k)
{
    const float q[] = {1, 1}, bad[] = {NAN, INFINITY, -INFINITY};
    const float good[2] = {0, 0}, values[] = {1, 2, 3, 4};
    float out[4];

    for (size_t b = 0; b < 3; b++) {
        const float keys[] = {0, bad[b]};
        const float odd[] = {1, 2, bad[b], 4};

        small(k, q, 2, 1, keys, values, out);
        if (out[0] != 1 || out[1] != 2 || !isnan(out[2]) || !isnan(out[3]))
            return false;
        small(k, q, 2, 1, good, odd, out);
        if (out[0] != 1 || out[1] != 2 || isfinite(out[2]) || out[3] != 3)
            return false;
    }
    return true;
}

/* A bad score in any block, on every place of a group. */
static bool
bad_everywhere(const struct kernels *k)
{
    static float keys[600], values[1200];
    const float q = 1;
    float out[2];
    bool seen = true;

    for (size_t j = 0; j < 600; j++) {
        keys[j] = NAN;
        small(k, &q, 1, 600, keys, values, out);
        seen = seen && isnan(out[0]) && isnan(out[1]);
        keys[j] = 0;
    }
    small(k, &q, 1, 600, keys, values, out);
    return seen && out[0] == 0;
}

static void
check_level(enum cpu_level level)
{
    const struct kernels *k = kernels_select(level);
    struct checked checked = {
        .same = true, .apart = true, .parts = true, .inputs = true};

    printf("# level %s, seeds 0 to %d\n", cpu_level_name(level),
           CHECK_SEEDS - 1);
    check_ok(known_answers(k) && known_mean(k),
             "attention_gives_known_answers");
    check_ok(bad_values(k) && bad_everywhere(k),
             "a_score_that_is_not_finite_shows_in_its_rows_alone");
    for (uint64_t seed = 0; seed < CHECK_SEEDS; seed++) {
        struct check_random random = {seed};
        struct shape shape = random_shape(&random);

        check_shape(k, &shape, &random, &checked);
    }
    struct check_random random = {CHECK_SEEDS};

    check_shapes(k, &random, &checked);
    check_ok(checked.same, "attention_equals_the_reference_to_the_bit");
    check_ok(checked.apart, "a_row_alone_gives_what_it_gives_among_others");
    check_ok(checked.parts, "merged_parts_give_the_bits_of_the_whole");
    check_ok(checked.inputs, "attention_writes_nothing_but_its_output");
    check_ok(check_error_within(&checked.error, "attention against binary64"),
             "attention_is_within_its_derived_bound");
}

int
main(void)
{
    for (enum cpu_level level = CPU_REF; level <= cpu_level(); level++)
        check_level(level);
    return check_done();
}
