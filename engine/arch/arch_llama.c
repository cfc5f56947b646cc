/*
 * Llama and its distills: grouped-query attention, dense feed-forward.
 * Source: Touvron 2023 (2302.13971), Ainslie 2023 (2305.13245). Numbers in
 * brackets are sections of doc/forward.md.
 */
#include "config.h"

#include "engine/arch/arch.h"
#include "engine/arch/shape.h"
#include "engine/arch/sublayers.h"
#include "engine/kv_cache.h"

static struct vectors
heads_of(float *data, size_t heads, size_t width)
{
    return (struct vectors){.data = data,
                            .width = width,
                            .count = heads,
                            .stride = width,
                            .token_stride = heads * width};
}

/* The rotated part of every head: all of it, or its first elements. */
static struct vectors
rotated(struct vectors heads, size_t width)
{
    heads.width = width;
    return heads;
}

/* u (T, hidden) to y (T, hidden)                                      [6.1] */
static void
grouped_attention(const struct pass *pass, const struct layer *layer)
{
    const struct shape *s = &pass->model->shape;
    const struct workspace *w = pass->work;
    const struct step *step = pass->step;
    const struct device_ops *op = pass->device->ops;
    struct cache_rows keys = kv_cache_keys(pass->cache, step->layer);
    struct cache_rows values = kv_cache_values(pass->cache, step->layer);
    struct vectors q = heads_of(w->q, s->heads, s->key_width);
    struct vectors k = heads_of(w->k, s->kv_heads, s->key_width);

    op->linear(pass->device, step, w->u,
               (struct product[]){
                   {.weight = &layer->q, .bias = layer->q_bias, .y = w->q},
                   {.weight = &layer->k, .bias = layer->k_bias, .y = w->k},
                   {.weight = &layer->v, .bias = layer->v_bias, .y = w->v}},
               3);
    if (layer->q_norm != NULL)
        op->norm(pass->device, step, &q, &q, layer->q_norm, s->eps);
    if (layer->k_norm != NULL)
        op->norm(pass->device, step, &k, &k, layer->k_norm, s->eps);

    struct vectors q_rotated = rotated(q, s->rope_width);
    struct vectors k_rotated = rotated(k, s->rope_width);
    op->rope(pass->device, step, &q_rotated, &w->rotation); //      [6.2, 6.3]
    op->rope(pass->device, step, &k_rotated, &w->rotation);
    observe(pass, "key", w->k, keys.width);
    observe(pass, "value", w->v, values.width);
    op->append(pass->device, step, &keys, w->k, keys.width);
    op->append(pass->device, step, &values, w->v, values.width);

    op->grouped_attention(
        pass->device, step,
        &(struct grouped_attention){.q = w->q,
                                    .keys = keys,
                                    .values = values,
                                    .heads = s->heads,
                                    .kv_heads = s->kv_heads,
                                    .key_width = s->key_width,
                                    .value_width = s->value_width,
                                    .scale = (float) s->attention_scale,
                                    .out = w->o});
    op->linear(pass->device, step, w->o,
               &(struct product){
                   .weight = &layer->o, .bias = layer->o_bias, .y = w->y},
               1);
}

static enum status
llama_forward(const struct model *model, struct device *device,
              const struct kv_cache *cache, const struct workspace *work,
              struct step *step, struct error *err)
{
    const struct shape *s = &model->shape;
    struct pass pass = {model, device, cache, work, step};

    pass_begin(&pass);
    for (uint32_t i = 0; i < s->layers; i++) {
        const struct layer *layer = &model->layer[i];

        TRY(pass_next_layer(&pass, i, err));
        // x += attention(norm(x))
        norm_input(&pass, layer->attention_norm);
        grouped_attention(&pass, layer);
        add_output(&pass, "attn");
        // x += ffn(norm(x))
        norm_input(&pass, layer->ffn_norm);
        dense_feed_forward(&pass, layer);
        add_output(&pass, "ffn");
        observe(&pass, "hidden", work->x, s->hidden);
    }
    pass_end(&pass);
    return STATUS_OK;
}

const struct arch arch_llama = {
    .name = "llama",
    .read_shape = shape_read_llama,
    .forward = llama_forward,
};
