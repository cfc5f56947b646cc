/* See oracle.h. Naive on purpose: every loop is a formula of the paper. */
#include "config.h"

#include "tests/model/oracle.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory that ends the program when there is none: this is a test. */
static double *
doubles(size_t count)
{
    double *memory = calloc(count + 1, sizeof *memory);

    assert(memory != NULL);
    return memory;
}

// -- small pieces ------------------------------------------------------------

/*
 * The decimal that a hyper-parameter was written as: 2.446, where the shape
 * holds 2.44600010.
 */
static double
decimal(float parameter)
{
    char text[32];

    snprintf(text, sizeof text, "%.6g", (double) parameter);
    return strtod(text, NULL);
}

static double
element(const struct weight *w, size_t row, size_t column)
{
    return (double) ((const float *) w->data)[row * w->columns + column];
}

/* y = W x + bias */
static void
product(double *y, const struct weight *w, const float *bias, const double *x)
{
    for (size_t r = 0; r < w->rows; r++) {
        y[r] = bias == NULL ? 0 : (double) bias[r];
        for (size_t c = 0; c < w->columns; c++)
            y[r] += element(w, r, c) * x[c];
    }
}

static void
rms_norm(double *y, const double *x, const float *w, size_t width, double eps)
{
    double sum = 0;

    for (size_t i = 0; i < width; i++)
        sum += x[i] * x[i];
    for (size_t i = 0; i < width; i++)
        y[i] = x[i] / sqrt(sum / (double) width + eps) * (double) w[i];
}

static void
rotate(double *x, const struct model *model, size_t position)
{
    const struct shape *s = &model->shape;
    size_t pairs = s->rope_width / 2;

    for (size_t i = 0; i < pairs; i++) {
        double angle = (double) position * model->rope_frequency[i];
        double c = s->rope_magnitude * cos(angle);
        double n = s->rope_magnitude * sin(angle);
        bool halves = s->pairing == ROPE_HALVES;
        double *a = x + (halves ? i : 2 * i);
        double *b = a + (halves ? pairs : 1);
        double x0 = *a, x1 = *b;

        *a = x0 * c - x1 * n;
        *b = x0 * n + x1 * c;
    }
}

static double
silu(double z)
{
    return z / (1 + exp(-z));
}

static void
softmax(double *s, size_t count)
{
    double most = s[0], sum = 0;

    for (size_t i = 1; i < count; i++)
        most = fmax(most, s[i]);
    for (size_t i = 0; i < count; i++)
        sum += s[i] = exp(s[i] - most);
    for (size_t i = 0; i < count; i++)
        s[i] /= sum;
}

/* y = W_down (silu(W_gate u) * W_up u) */
static void
feed_forward(double *y, const struct weight *gate, const struct weight *up,
             const struct weight *down, const struct layer *biases,
             const double *u)
{
    double *g = doubles(gate->rows), *h = doubles(gate->rows);

    product(g, gate, biases == NULL ? NULL : biases->gate_bias, u);
    product(h, up, biases == NULL ? NULL : biases->up_bias, u);
    for (size_t i = 0; i < gate->rows; i++)
        h[i] *= silu(g[i]);
    product(y, down, biases == NULL ? NULL : biases->down_bias, h);
    free(g);
    free(h);
}

// -- latent attention --------------------------------------------------------

/* One token's query (heads, nope + rope), rotated. */
static void
latent_query(double *q, const struct model *model, const struct layer *layer,
             const double *u, size_t position)
{
    const struct shape *s = &model->shape;

    if (s->query_rank == 0) {
        product(q, &layer->q, NULL, u);
    } else {
        double *a = doubles(s->query_rank);

        product(a, &layer->q_a, NULL, u);
        rms_norm(a, a, layer->q_a_norm, s->query_rank, decimal(s->eps_latent));
        product(q, &layer->q_b, NULL, a);
        free(a);
    }
    for (size_t h = 0; h < s->heads; h++)
        rotate(q + h * s->key_width + s->nope_width, model, position);
}

/* What is cached of one token: [c, k_r]. */
static void
latent_row(double *row, const struct model *model, const struct layer *layer,
           const double *u, size_t position)
{
    const struct shape *s = &model->shape;

    product(row, &layer->kv_a, NULL, u);
    rms_norm(row, row, layer->kv_a_norm, s->latent_width,
             decimal(s->eps_latent));
    rotate(row + s->latent_width, model, position);
}

/* y[r] = sum of w[r][c] x[c] of head h's (rows, latent) block. */
static void
raise(double *y, const float *w, size_t rows, size_t latent, size_t h,
      const double *x)
{
    for (size_t r = 0; r < rows; r++) {
        y[r] = 0;
        for (size_t c = 0; c < latent; c++)
            y[r] += (double) w[(h * rows + r) * latent + c] * x[c];
    }
}

/* Keys and values from latents (2.6); o is head h's (value). */
static void
expanded_head(double *o, const struct shape *s, const struct layer *layer,
              size_t h, const double *q, const double *rows, size_t length)
{
    size_t latent = s->latent_width, row = latent + s->rope_width;
    double *p = doubles(length), *key = doubles(s->nope_width);
    double *value = doubles(s->value_width);

    for (size_t j = 0; j < length; j++) {
        raise(key, layer->key_up, s->nope_width, latent, h, rows + j * row);
        for (size_t i = 0; i < s->nope_width; i++)
            p[j] += q[i] * key[i];
        for (size_t i = 0; i < s->rope_width; i++)
            p[j] += q[s->nope_width + i] * rows[j * row + latent + i];
        p[j] *= s->attention_scale;
    }
    softmax(p, length);
    memset(o, 0, s->value_width * sizeof *o);
    for (size_t j = 0; j < length; j++) {
        raise(value, layer->value_up, s->value_width, latent, h,
              rows + j * row);
        for (size_t i = 0; i < s->value_width; i++)
            o[i] += p[j] * value[i];
    }
    free(p);
    free(key);
    free(value);
}

/* The query in latent space (2.7). */
static void
absorbed_head(double *o, const struct shape *s, const struct layer *layer,
              size_t h, const double *q, const double *rows, size_t length)
{
    size_t latent = s->latent_width, row = latent + s->rope_width;
    double *p = doubles(length), *taken = doubles(row), *z = doubles(latent);

    for (size_t c = 0; c < latent; c++)
        for (size_t i = 0; i < s->nope_width; i++)
            taken[c] +=
                (double) layer->key_up[(h * s->nope_width + i) * latent + c] *
                q[i];
    memcpy(taken + latent, q + s->nope_width, s->rope_width * sizeof *q);
    for (size_t j = 0; j < length; j++) {
        for (size_t i = 0; i < row; i++)
            p[j] += taken[i] * rows[j * row + i];
        p[j] *= s->attention_scale;
    }
    softmax(p, length);
    for (size_t j = 0; j < length; j++)
        for (size_t c = 0; c < latent; c++)
            z[c] += p[j] * rows[j * row + c];
    raise(o, layer->value_up, s->value_width, latent, h, z);
    free(p);
    free(taken);
    free(z);
}

/* y (tokens, hidden) of u (tokens, hidden). */
static void
latent_attention(double *y, const struct model *model,
                 const struct layer *layer, const double *u, size_t tokens,
                 bool absorbed)
{
    const struct shape *s = &model->shape;
    size_t row = (size_t) s->latent_width + s->rope_width;
    double *rows = doubles(tokens * row);
    double *q = doubles((size_t) s->heads * s->key_width);
    double *o = doubles((size_t) s->heads * s->value_width);

    for (size_t t = 0; t < tokens; t++) {
        latent_row(rows + t * row, model, layer, u + t * s->hidden, t);
        latent_query(q, model, layer, u + t * s->hidden, t);
        for (size_t h = 0; h < s->heads; h++)
            (absorbed ? absorbed_head
                      : expanded_head)(o + h * s->value_width, s, layer, h,
                                       q + h * s->key_width, rows, t + 1);
        product(y + t * s->hidden, &layer->o, NULL, o);
    }
    free(rows);
    free(q);
    free(o);
}

// -- grouped attention -------------------------------------------------------

static void
grouped_head(double *o, const struct shape *s, size_t h, const double *q,
             const double *keys, const double *values, size_t length)
{
    size_t kv = h / (s->heads / s->kv_heads);
    size_t key_row = (size_t) s->kv_heads * s->key_width;
    size_t value_row = (size_t) s->kv_heads * s->value_width;
    double *p = doubles(length);

    for (size_t j = 0; j < length; j++) {
        for (size_t i = 0; i < s->key_width; i++)
            p[j] += q[i] * keys[j * key_row + kv * s->key_width + i];
        p[j] /= sqrt((double) s->key_width);
    }
    softmax(p, length);
    memset(o, 0, s->value_width * sizeof *o);
    for (size_t j = 0; j < length; j++)
        for (size_t i = 0; i < s->value_width; i++)
            o[i] += p[j] * values[j * value_row + kv * s->value_width + i];
    free(p);
}

static void
grouped_attention(double *y, const struct model *model,
                  const struct layer *layer, const double *u, size_t tokens)
{
    const struct shape *s = &model->shape;
    size_t key_row = (size_t) s->kv_heads * s->key_width;
    size_t value_row = (size_t) s->kv_heads * s->value_width;
    double *keys = doubles(tokens * key_row);
    double *values = doubles(tokens * value_row);
    double *q = doubles((size_t) s->heads * s->key_width);
    double *o = doubles((size_t) s->heads * s->value_width);

    for (size_t t = 0; t < tokens; t++) {
        const double *in = u + t * s->hidden;

        product(q, &layer->q, layer->q_bias, in);
        product(keys + t * key_row, &layer->k, layer->k_bias, in);
        product(values + t * value_row, &layer->v, layer->v_bias, in);
        for (size_t h = 0; h < s->heads; h++)
            rotate(q + h * s->key_width, model, t);
        for (size_t h = 0; h < s->kv_heads; h++)
            rotate(keys + t * key_row + h * s->key_width, model, t);
        for (size_t h = 0; h < s->heads; h++)
            grouped_head(o + h * s->value_width, s, h, q + h * s->key_width,
                         keys, values, t + 1);
        product(y + t * s->hidden, &layer->o, layer->o_bias, o);
    }
    free(keys);
    free(values);
    free(q);
    free(o);
}

// -- router and experts ------------------------------------------------------

/* The index of the largest of b, the lowest of equals; it becomes -inf. */
static size_t
take_largest(double *b, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++)
        if (b[i] > b[best])
            best = i;
    b[best] = -(double) INFINITY;
    return best;
}

static double
largest(const double *b, size_t count)
{
    double most = -(double) INFINITY;

    for (size_t i = 0; i < count; i++)
        most = fmax(most, b[i]);
    return most;
}

/* Step 4: all but the best groups become -inf; how near the next group was. */
static double
drop_groups(double *b, const struct router_rule *rule, bool biased)
{
    size_t size = rule->experts / rule->groups;
    double score[ROUTER_MAX_EXPERTS], least = 0;
    bool keep[ROUTER_MAX_EXPERTS] = {false};

    for (size_t g = 0; g < rule->groups; g++) {
        double copy[ROUTER_MAX_EXPERTS];

        memcpy(copy, b + g * size, size * sizeof *b);
        score[g] = largest(copy, size);
        if (biased) {
            take_largest(copy, size);
            score[g] += largest(copy, size);
        }
    }
    for (size_t i = 0; i < rule->groups_used; i++) {
        double copy[ROUTER_MAX_EXPERTS];

        memcpy(copy, score, rule->groups * sizeof *score);
        least = largest(score, rule->groups);
        keep[take_largest(score, rule->groups)] = true;
    }
    for (size_t i = 0; i < rule->experts; i++)
        if (!keep[i / size])
            b[i] = -(double) INFINITY;
    return least - largest(score, rule->groups);
}

/* Forward.md 3.2 in its order; returns the margin of the choice. */
static double
route(const struct router_rule *rule, const double *z, const float *bias,
      int *ids, double *weights)
{
    double a[ROUTER_MAX_EXPERTS], b[ROUTER_MAX_EXPERTS], sum = 1e-20;
    double margin = (double) INFINITY, last = 0;

    memcpy(a, z, rule->experts * sizeof *a);
    if (rule->gating == ROUTER_SOFTMAX)
        softmax(a, rule->experts);
    else
        for (size_t i = 0; i < rule->experts; i++)
            a[i] = 1 / (1 + exp(-z[i]));
    for (size_t i = 0; i < rule->experts; i++)
        b[i] = a[i] + (bias == NULL ? 0 : (double) bias[i]);
    if (rule->groups > 1)
        margin = drop_groups(b, rule, bias != NULL);
    for (size_t k = 0; k < rule->used; k++) {
        last = largest(b, rule->experts);
        ids[k] = (int) take_largest(b, rule->experts);
        weights[k] = a[ids[k]];
        sum += weights[k];
    }
    margin = fmin(margin, last - largest(b, rule->experts));
    for (size_t k = 0; k < rule->used; k++) {
        if (rule->normalise && rule->used > 1)
            weights[k] /= sum;
        weights[k] *= decimal(rule->scale);
    }
    return margin;
}

/* y of one token; ids (used) receives its experts. */
static double
mixture(double *y, const struct model *model, const struct layer *layer,
        uint32_t index, const double *u, int *ids)
{
    const struct shape *s = &model->shape;
    double z[ROUTER_MAX_EXPERTS], weights[ROUTER_MAX_EXPERTS];
    double *part = doubles(s->hidden);
    struct expert expert;

    product(z, &layer->router, NULL, u);
    double margin = route(&s->router, z, layer->router_bias, ids, weights);
    memset(y, 0, s->hidden * sizeof *y);
    for (size_t k = 0; k < s->experts_used; k++) {
        model->experts->ops->ask(model->experts, index, (uint32_t) ids[k],
                                 &expert);
        feed_forward(part, &expert.gate, &expert.up, &expert.down, NULL, u);
        for (size_t i = 0; i < s->hidden; i++)
            y[i] += weights[k] * part[i];
        model->experts->ops->release(model->experts, index, (uint32_t) ids[k]);
    }
    if (layer->gate.format != NULL) {
        feed_forward(part, &layer->gate, &layer->up, &layer->down, NULL, u);
        for (size_t i = 0; i < s->hidden; i++)
            y[i] += part[i];
    }
    free(part);
    return margin;
}

// -- the pass ----------------------------------------------------------------

/* x (tokens, hidden) through one layer. */
static void
run_layer(const struct model *model, const struct layer *layer, uint32_t index,
          double *x, size_t tokens, bool absorbed, int *experts, double *margin)
{
    const struct shape *s = &model->shape;
    size_t h = s->hidden;
    double *u = doubles(tokens * h), *y = doubles(tokens * h);

    for (size_t t = 0; t < tokens; t++)
        rms_norm(u + t * h, x + t * h, layer->attention_norm, h,
                 decimal(s->eps));
    if (s->attention == ATTENTION_LATENT)
        latent_attention(y, model, layer, u, tokens, absorbed);
    else
        grouped_attention(y, model, layer, u, tokens);
    for (size_t i = 0; i < tokens * h; i++)
        x[i] += y[i];
    for (size_t t = 0; t < tokens; t++) {
        rms_norm(u, x + t * h, layer->ffn_norm, h, decimal(s->eps));
        if (layer->has_experts)
            margin[t] = mixture(y, model, layer, index, u,
                                experts + t * s->experts_used);
        else
            feed_forward(y, &layer->gate, &layer->up, &layer->down, layer, u);
        for (size_t i = 0; i < h; i++)
            x[t * h + i] += y[i];
    }
    free(u);
    free(y);
}

static struct oracle *
oracle_open(const struct model *model, size_t tokens)
{
    const struct shape *s = &model->shape;
    struct oracle *oracle = calloc(1, sizeof *oracle);
    size_t choices = s->layers * tokens * s->experts_used;

    assert(oracle != NULL);
    oracle->model = model;
    oracle->tokens = tokens;
    oracle->hidden = doubles(s->layers * tokens * s->hidden);
    oracle->final = doubles(tokens * s->hidden);
    oracle->logits = doubles(tokens * s->vocabulary);
    oracle->margin = doubles(s->layers * tokens);
    oracle->experts = malloc((choices + 1) * sizeof *oracle->experts);
    assert(oracle->experts != NULL);
    for (size_t i = 0; i < choices; i++)
        oracle->experts[i] = -1;
    return oracle;
}

void
oracle_close(struct oracle *oracle)
{
    free(oracle->hidden);
    free(oracle->final);
    free(oracle->logits);
    free(oracle->experts);
    free(oracle->margin);
    free(oracle);
}

struct oracle *
oracle_run(const struct model *model, const int32_t *ids, size_t tokens,
           bool absorbed)
{
    const struct shape *s = &model->shape;
    struct oracle *oracle = oracle_open(model, tokens);
    size_t rows = tokens * s->hidden;
    double *x = doubles(rows);

    for (size_t t = 0; t < tokens; t++)
        for (size_t i = 0; i < s->hidden; i++)
            x[t * s->hidden + i] =
                element(&model->embedding, (size_t) ids[t], i);
    for (uint32_t l = 0; l < s->layers; l++) {
        run_layer(model, &model->layer[l], l, x, tokens, absorbed,
                  oracle->experts + l * tokens * s->experts_used,
                  oracle->margin + l * tokens);
        memcpy(oracle->hidden + l * rows, x, rows * sizeof *x);
    }
    for (size_t t = 0; t < tokens; t++) {
        double *final = oracle->final + t * s->hidden;

        rms_norm(final, x + t * s->hidden, model->output_norm, s->hidden,
                 decimal(s->eps));
        product(oracle->logits + t * s->vocabulary, &model->output, NULL,
                final);
    }
    free(x);
    return oracle;
}

void
oracle_mtp(const struct oracle *oracle, const struct oracle_mtp *mtp,
           const int32_t *ids, double *logits, int *experts)
{
    const struct model *model = oracle->model;
    const struct shape *s = &model->shape;
    size_t h = s->hidden, tokens = oracle->tokens - 1;
    double *x = doubles(tokens * h), *both = doubles(2 * h);
    double *margin = doubles(tokens);

    for (size_t t = 0; t < tokens; t++) {
        for (size_t i = 0; i < h; i++)
            both[i] = element(&model->embedding, (size_t) ids[t + 1], i);
        rms_norm(both, both, mtp->enorm, h, decimal(s->eps));
        rms_norm(both + h, oracle->final + t * h, mtp->hnorm, h,
                 decimal(s->eps));
        product(x + t * h, &mtp->eh_proj, NULL, both);
    }
    run_layer(model, &mtp->layer, mtp->expert_layer, x, tokens, false, experts,
              margin);
    for (size_t t = 0; t < tokens; t++) {
        rms_norm(both, x + t * h, mtp->head_norm, h, decimal(s->eps));
        product(logits + t * s->vocabulary, &model->output, NULL, both);
    }
    free(x);
    free(both);
    free(margin);
}
