/* See tiny_models.h. */
#include "config.h"

#include "tests/model/tiny_models.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define PI 3.14159265358979323846

const int32_t tiny_ids[TINY_TOKENS] = {5,  17, 96, 0, 42, 42,
                                       73, 8,  61, 3, 29, 90};

/* A row of the tables of appendix B. */
struct recipe {
    uint32_t query_rank, experts, shared, used, groups, groups_used;
    bool sigmoid; // and bias, and normalised weights
    float scale;
    double base;
    float eps;
    double factor, original, mscale, mscale_all; // YaRN; factor 0: none
    bool mtp;
};

static const struct recipe latent_recipes[] = {
    {0, 8, 2, 3, 1, 1, false, 1, 1e4, 1e-6F, 40, 4096, .707, .707, false},
    {24, 12, 2, 3, 4, 2, false, 16, 1e4, 1e-6F, 40, 4096, .707, .707, false},
    {24, 16, 1, 4, 4, 2, true, 2.5F, 1e4, 1e-6F, 40, 4096, 1, 1, true},
    {0, 8, 2, 3, 1, 1, true, 2.446F, 5e4, 1e-5F, 0, 0, 0, 0, false},
    {24, 16, 1, 4, 4, 2, true, 2.5F, 1e4, 1e-6F, 4, 16, 1, .5, false},
};

enum { LATENT_MODELS = sizeof latent_recipes / sizeof *latent_recipes };

// -- tensors -----------------------------------------------------------------

/* In -1 .. 1: splitmix64's finaliser of tensor k, element j. */
static double
uniform(uint64_t k, uint64_t j)
{
    uint64_t z = (k << 32) + j;

    z += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    z ^= z >> 31;
    return (double) (z >> 11) * 0x1p-53 * 2 - 1;
}

/* The next tensor: base + scale * u, rounded to binary32. */
static float *
tensor(struct tiny_model *tiny, size_t count, double base, double scale)
{
    float *data = malloc(count * sizeof *data);

    assert(data != NULL && tiny->tensors < 512);
    for (size_t j = 0; j < count; j++)
        data[j] = (float) (base + scale * uniform(tiny->tensors, j));
    tiny->memory[tiny->tensors++] = data;
    return data;
}

static struct weight
f32_weight(const float *data, size_t rows, size_t columns)
{
    return (struct weight){.format = format_find(FORMAT_F32),
                           .rows = rows,
                           .columns = columns,
                           .data = data};
}

static struct weight
matrix(struct tiny_model *tiny, size_t rows, size_t columns, double gain)
{
    double scale = gain * sqrt(3 / (double) columns);

    return f32_weight(tensor(tiny, rows * columns, 0, scale), rows, columns);
}

static struct weight
plain_matrix(struct tiny_model *tiny, size_t rows, size_t columns)
{
    return matrix(tiny, rows, columns, 1);
}

static float *
norm_weight(struct tiny_model *tiny, size_t width)
{
    return tensor(tiny, width, 1, 0.2);
}

static float *
bias_vector(struct tiny_model *tiny, size_t width)
{
    return tensor(tiny, width, 0, 0.3);
}

static struct weight
embedding(struct tiny_model *tiny, const struct shape *s)
{
    float *data =
        tensor(tiny, (size_t) s->vocabulary * s->hidden, 0, sqrt(3.0));

    return f32_weight(data, s->vocabulary, s->hidden);
}

// -- latent models -----------------------------------------------------------

static double
magnitude(double factor, double k)
{
    return factor <= 1 ? 1 : 0.1 * k * log(factor) + 1;
}

static struct shape
latent_shape(const struct recipe *r)
{
    double m = magnitude(r->factor, r->mscale_all);

    return (struct shape){
        .layers = 3,
        .mtp_layers = r->mtp ? 1 : 0,
        .hidden = 40,
        .vocabulary = 97,
        .context = 64,
        .eps = r->eps,
        .eps_latent = 1e-6F,
        .attention = ATTENTION_LATENT,
        .heads = 3,
        .kv_heads = 1,
        .key_width = 20,
        .value_width = 10,
        .nope_width = 12,
        .latent_width = 20,
        .query_rank = r->query_rank,
        .attention_scale = m * m / sqrt(20),
        .rope_width = 8,
        .pairing = ROPE_INTERLEAVED,
        .scaling = r->factor > 0 ? SCALING_YARN : SCALING_NONE,
        .rope_base = r->base,
        .rope_factor = r->factor > 0 ? r->factor : 1,
        .rope_original_context = r->original,
        .yarn_beta_fast = 32,
        .yarn_beta_slow = 1,
        .rope_magnitude = magnitude(r->factor, r->mscale) / m,
        .dense_layers = 1,
        .dense_width = 56,
        .experts = r->experts,
        .experts_used = r->used,
        .expert_width = 20,
        .shared_experts = r->shared,
        .router = {.gating = r->sigmoid ? ROUTER_SIGMOID : ROUTER_SOFTMAX,
                   .experts = r->experts,
                   .used = r->used,
                   .groups = r->groups,
                   .groups_used = r->groups_used,
                   .normalise = r->sigmoid,
                   .scale = r->scale},
    };
}

/* kv_b, [heads, nope + value, latent], taken apart by head. */
static void
split_kv_b(struct tiny_model *tiny, struct layer *layer, const float *kv_b)
{
    const struct shape *s = &tiny->model.shape;
    size_t n = s->nope_width, v = s->value_width, l = s->latent_width;
    float *key = malloc(s->heads * n * l * sizeof *key);
    float *value = malloc(s->heads * v * l * sizeof *value);

    assert(key != NULL && value != NULL);
    for (size_t h = 0; h < s->heads; h++) {
        const float *head = kv_b + h * (n + v) * l;

        for (size_t i = 0; i < n * l; i++)
            key[h * n * l + i] = head[i];
        for (size_t i = 0; i < v * l; i++)
            value[h * v * l + i] = head[n * l + i];
    }
    layer->key_up = key;
    layer->value_up = value;
}

static struct expert_stack
stack_of(const struct weight *all, size_t experts)
{
    struct weight first = *all;

    first.rows = all->rows / experts;
    return (struct expert_stack){.first = first,
                                 .expert_stride = first.rows * first.columns *
                                                  sizeof(float)};
}

/* Experts come as gate, up, down of each; a stack holds one kind of all. */
static void
make_experts(struct tiny_model *tiny, struct expert_layer *out)
{
    const struct shape *s = &tiny->model.shape;
    size_t size = (size_t) s->expert_width * s->hidden;
    float *all = malloc(3 * s->experts * size * sizeof *all);

    assert(all != NULL);
    for (size_t e = 0; e < s->experts; e++)
        for (size_t kind = 0; kind < 3; kind++) {
            bool down = kind == 2;
            struct weight one =
                plain_matrix(tiny, down ? s->hidden : s->expert_width,
                             down ? s->expert_width : s->hidden);
            const float *from = one.data;

            for (size_t i = 0; i < size; i++)
                all[(kind * s->experts + e) * size + i] = from[i];
        }
    struct weight wide =
        f32_weight(all, s->experts * s->expert_width, s->hidden);
    struct weight tall = f32_weight(all + 2 * s->experts * size,
                                    s->experts * s->hidden, s->expert_width);
    out->experts = s->experts;
    out->gate = stack_of(&wide, s->experts);
    wide.data = all + s->experts * size;
    out->up = stack_of(&wide, s->experts);
    out->down = stack_of(&tall, s->experts);
}

static void
make_feed_forward(struct tiny_model *tiny, struct layer *layer, size_t width)
{
    size_t hidden = tiny->model.shape.hidden;

    layer->gate = plain_matrix(tiny, width, hidden);
    layer->up = plain_matrix(tiny, width, hidden);
    layer->down = plain_matrix(tiny, hidden, width);
}

static void
make_latent_layer(struct tiny_model *tiny, struct layer *layer, bool experts,
                  struct expert_layer *expert_layer)
{
    const struct shape *s = &tiny->model.shape;
    size_t queries = (size_t) s->heads * s->key_width;
    size_t raised = (size_t) s->heads * (s->nope_width + s->value_width);

    layer->attention_norm = norm_weight(tiny, s->hidden);
    if (s->query_rank == 0) {
        layer->q = plain_matrix(tiny, queries, s->hidden);
    } else {
        layer->q_a = plain_matrix(tiny, s->query_rank, s->hidden);
        layer->q_a_norm = norm_weight(tiny, s->query_rank);
        layer->q_b = plain_matrix(tiny, queries, s->query_rank);
    }
    layer->kv_a =
        plain_matrix(tiny, s->latent_width + s->rope_width, s->hidden);
    layer->kv_a_norm = norm_weight(tiny, s->latent_width);
    split_kv_b(tiny, layer, plain_matrix(tiny, raised, s->latent_width).data);
    layer->o =
        plain_matrix(tiny, s->hidden, (size_t) s->heads * s->value_width);
    layer->ffn_norm = norm_weight(tiny, s->hidden);
    layer->has_experts = experts;
    if (!experts) {
        make_feed_forward(tiny, layer, s->dense_width);
        return;
    }
    layer->router = matrix(tiny, s->experts, s->hidden, 2);
    if (s->router.gating == ROUTER_SIGMOID)
        layer->router_bias = bias_vector(tiny, s->experts);
    make_experts(tiny, expert_layer);
    make_feed_forward(tiny, layer,
                      (size_t) s->shared_experts * s->expert_width);
}

static void
make_mtp(struct tiny_model *tiny, struct expert_layer *experts)
{
    struct oracle_mtp *mtp = &tiny->mtp;
    size_t hidden = tiny->model.shape.hidden;

    mtp->enorm = norm_weight(tiny, hidden);
    mtp->hnorm = norm_weight(tiny, hidden);
    mtp->eh_proj = plain_matrix(tiny, hidden, 2 * hidden);
    mtp->expert_layer = tiny->model.shape.layers;
    make_latent_layer(tiny, &mtp->layer, true, experts);
    mtp->head_norm = norm_weight(tiny, hidden);
    tiny->has_mtp = true;
}

static void
make_latent(struct tiny_model *tiny, const struct recipe *recipe)
{
    struct model *model = &tiny->model;
    struct expert_layer experts[4] = {{0}};
    struct error err;

    model->arch = &arch_deepseek;
    model->shape = latent_shape(recipe);
    model->embedding = embedding(tiny, &model->shape);
    for (uint32_t i = 0; i < model->shape.layers; i++)
        make_latent_layer(tiny, &model->layer[i],
                          i >= model->shape.dense_layers, &experts[i]);
    model->output_norm = norm_weight(tiny, model->shape.hidden);
    model->output =
        plain_matrix(tiny, model->shape.vocabulary, model->shape.hidden);
    if (recipe->mtp)
        make_mtp(tiny, &experts[model->shape.layers]);
    if (resident_open(&model->experts, experts, 4, &err) != STATUS_OK)
        abort();
}

/* Forward.md 2.5 */
static void
latent_frequencies(struct model *model)
{
    const struct shape *s = &model->shape;
    double r = s->rope_width, low = 0, high = 0;
    bool yarn = s->scaling == SCALING_YARN;

    if (yarn) {
        double to_dim = r / (2 * log(s->rope_base));

        low = floor(to_dim * log(s->rope_original_context / (2 * PI * 32)));
        high = ceil(to_dim * log(s->rope_original_context / (2 * PI)));
        low = fmax(low, 0);
        high = fmin(high, r - 1);
        if (low == high)
            high += 0.001;
    }
    for (size_t i = 0; i < s->rope_width / 2; i++) {
        double f = pow(s->rope_base, -2 * (double) i / r);
        double ramp =
            yarn ? fmin(fmax(((double) i - low) / (high - low), 0), 1) : 0;

        model->rope_frequency[i] = f / s->rope_factor * ramp + f * (1 - ramp);
    }
}

// -- dense models ------------------------------------------------------------

static struct shape
dense_shape(bool qwen)
{
    return (struct shape){
        .layers = 2,
        .hidden = 48,
        .vocabulary = 97,
        .context = 64,
        .eps = qwen ? 1e-6F : 1e-5F,
        .attention = ATTENTION_GROUPED,
        .heads = 6,
        .kv_heads = qwen ? 2 : 3,
        .key_width = 8,
        .value_width = 8,
        .attention_scale = 1 / sqrt(8),
        .rope_width = 8,
        .pairing = ROPE_HALVES, // not permuted, as in safetensors
        .rope_base = qwen ? 1e6 : 5e5,
        .rope_factor = 1,
        .rope_magnitude = 1,
        .dense_layers = 2,
        .dense_width = 56,
        .tied_output = !qwen,
    };
}

static void
make_dense_layer(struct tiny_model *tiny, struct layer *layer, bool biased)
{
    const struct shape *s = &tiny->model.shape;
    size_t queries = (size_t) s->heads * s->key_width;
    size_t keys = (size_t) s->kv_heads * s->key_width;

    layer->attention_norm = norm_weight(tiny, s->hidden);
    layer->q = plain_matrix(tiny, queries, s->hidden);
    if (biased)
        layer->q_bias = bias_vector(tiny, queries);
    layer->k = plain_matrix(tiny, keys, s->hidden);
    if (biased)
        layer->k_bias = bias_vector(tiny, keys);
    layer->v = plain_matrix(tiny, keys, s->hidden);
    if (biased)
        layer->v_bias = bias_vector(tiny, keys);
    layer->o = plain_matrix(tiny, s->hidden, queries);
    layer->ffn_norm = norm_weight(tiny, s->hidden);
    make_feed_forward(tiny, layer, s->dense_width);
}

static void
make_dense(struct tiny_model *tiny, bool qwen)
{
    struct model *model = &tiny->model;

    model->arch = &arch_llama;
    model->shape = dense_shape(qwen);
    model->embedding = embedding(tiny, &model->shape);
    for (uint32_t i = 0; i < model->shape.layers; i++)
        make_dense_layer(tiny, &model->layer[i], qwen);
    model->output_norm = norm_weight(tiny, model->shape.hidden);
    model->output = model->embedding;
    if (qwen)
        model->output =
            plain_matrix(tiny, model->shape.vocabulary, model->shape.hidden);
}

/* Forward.md 6.2, and for G the bands of 6.3: F 8, low 1, high 4, N0 256. */
static void
dense_frequencies(struct model *model, bool llama3)
{
    const struct shape *s = &model->shape;

    for (size_t i = 0; i < s->rope_width / 2; i++) {
        double w = pow(s->rope_base, -2 * (double) i / (double) s->rope_width);
        double wave = 2 * PI / w, t = (256 / wave - 1) / (4 - 1);

        if (llama3 && wave > 256)
            w /= 8;
        else if (llama3 && wave >= 256.0 / 4)
            w = (1 - t) * w / 8 + t * w;
        model->rope_frequency[i] = w;
    }
}

// -- life --------------------------------------------------------------------

struct tiny_model *
tiny_model_open(size_t i, struct device *device)
{
    struct tiny_model *tiny = calloc(1, sizeof *tiny);

    assert(tiny != NULL && i < TINY_MODELS && device->host_memory);
    tiny->name = "ABCDEFG"[i];
    tiny->model.device = device;
    tiny->model.layer = calloc(4, sizeof *tiny->model.layer);
    tiny->model.rope_frequency = calloc(8, sizeof *tiny->model.rope_frequency);
    assert(tiny->model.layer != NULL && tiny->model.rope_frequency != NULL);
    if (i < LATENT_MODELS) {
        make_latent(tiny, &latent_recipes[i]);
        latent_frequencies(&tiny->model);
    } else {
        bool qwen = i == LATENT_MODELS;

        make_dense(tiny, qwen);
        dense_frequencies(&tiny->model, !qwen);
    }
    return tiny;
}

static void
free_layer(const struct layer *layer)
{
    free((void *) (uintptr_t) layer->key_up);
    free((void *) (uintptr_t) layer->value_up);
}

static void
free_experts(struct expert_store *store, uint32_t layer)
{
    struct expert expert;

    store->ops->ask(store, layer, 0, &expert);
    free((void *) (uintptr_t) expert.gate.data); // one block holds them all
    store->ops->release(store, layer, 0);
}

void
tiny_model_close(struct tiny_model *tiny)
{
    struct model *model = &tiny->model;

    for (uint32_t i = 0; i < model->shape.layers; i++) {
        free_layer(&model->layer[i]);
        if (model->layer[i].has_experts)
            free_experts(model->experts, i);
    }
    if (tiny->has_mtp) {
        free_layer(&tiny->mtp.layer);
        free_experts(model->experts, tiny->mtp.expert_layer);
    }
    expert_store_close(model->experts);
    for (size_t i = 0; i < tiny->tensors; i++)
        free(tiny->memory[i]);
    free(model->layer);
    free(model->rope_frequency);
    free(tiny);
}
