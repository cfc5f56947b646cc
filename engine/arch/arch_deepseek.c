/*
 * DeepSeek-V2, V3, R1 and what shares their architecture (Moonlight, Kimi-K2):
 * multi-head latent attention and a mixture of experts.
 * Source: DeepSeek-V2 (2405.04434) section 2, DeepSeek-V3 (2412.19437)
 * section 2.1. Numbers in brackets are sections of doc/forward.md.
 */
#include "config.h"

#include "engine/arch/arch.h"
#include "engine/arch/shape.h"
#include "engine/arch/sublayers.h"
#include "engine/experts/experts.h"
#include "engine/kv_cache.h"

/*
 * u (T, hidden) to y (T, hidden). With n = nope, r = rope, v = value widths of
 * a head and L the latent's: queries (T, heads, n + r), cache (L + r) a token.
 */
static void
latent_attention(const struct pass *pass, const struct layer *layer)
{
    const struct shape *s = &pass->model->shape;
    const struct workspace *w = pass->work;
    const struct step *step = pass->step;
    const struct device_ops *op = pass->device->ops;
    size_t latent = s->latent_width, row = latent + s->rope_width;
    struct cache_rows cache = kv_cache_keys(pass->cache, step->layer);

    // [q or q_a, a] = W u, one reading of u                             [2.4]
    bool low_rank = s->query_rank != 0;
    op->linear(pass->device, step, w->u,
               (struct product[]){{.weight = low_rank ? &layer->q_a : &layer->q,
                                   .y = low_rank ? w->q_a : w->q},
                                  {.weight = &layer->kv_a, .y = w->kv_a}},
               2);
    if (low_rank) {
        struct vectors q_a = rows_of(w->q_a, s->query_rank);

        op->norm(pass->device, step, &q_a, &q_a, layer->q_a_norm,
                 s->eps_latent);
        op->linear(pass->device, step, w->q_a,
                   &(struct product){.weight = &layer->q_b, .y = w->q}, 1);
    }

    // c = norm(first L of a); the rotated key is the rest, not normed   [2.4]
    struct vectors c = {
        .data = w->kv_a, .width = latent, .count = 1, .token_stride = row};
    struct vectors key = c;
    key.data += latent;
    key.width = s->rope_width;
    struct vectors query = {.data = w->q + s->nope_width,
                            .width = s->rope_width,
                            .count = s->heads,
                            .stride = s->key_width,
                            .token_stride = (size_t) s->heads * s->key_width};
    op->norm(pass->device, step, &c, &c, layer->kv_a_norm, s->eps_latent);
    op->rope(pass->device, step, &key, &w->rotation); //                 [2.5]
    op->rope(pass->device, step, &query, &w->rotation);
    observe(pass, "latent", w->kv_a, row);
    op->append(pass->device, step, &cache, w->kv_a, row);

    // o = attention over the cache, y = W o                        [2.6, 2.7]
    op->latent_attention(
        pass->device, step,
        &(struct latent_attention){.q = w->q,
                                   .cache = cache,
                                   .key_up = layer->key_up,
                                   .value_up = layer->value_up,
                                   .heads = s->heads,
                                   .nope = s->nope_width,
                                   .rope = s->rope_width,
                                   .latent = latent,
                                   .value = s->value_width,
                                   .scale = (float) s->attention_scale,
                                   .out = w->o});
    op->linear(pass->device, step, w->o,
               &(struct product){.weight = &layer->o, .y = w->y}, 1);
}

/* u (T, hidden) to y (T, hidden): chosen experts and the shared ones [3]. */
static void
mixture_of_experts(const struct pass *pass, const struct layer *layer)
{
    const struct shape *s = &pass->model->shape;
    const struct workspace *w = pass->work;
    const struct device_ops *op = pass->device->ops;

    op->linear(pass->device, pass->step, w->u,
               &(struct product){.weight = &layer->router, .y = w->scores}, 1);
    op->router(pass->device, pass->step, &s->router, w->scores,
               layer->router_bias, &w->routing);
    observe(pass, "router.logits", w->scores, s->experts);
    observe(pass, "router.ids", w->routing.ids, s->experts_used);
    observe(pass, "router.weights", w->routing.weights, s->experts_used);
    op->experts(pass->device, pass->step,
                &(struct expert_group){.store = pass->model->experts,
                                       .routing = w->routing,
                                       .experts = s->experts,
                                       .used = s->experts_used,
                                       .hidden = s->hidden,
                                       .width = s->expert_width,
                                       .gate = &layer->gate,
                                       .up = &layer->up,
                                       .down = &layer->down,
                                       .x = w->u,
                                       .out = w->y});
}

static enum status
deepseek_forward(const struct model *model, struct device *device,
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
        latent_attention(&pass, layer);
        add_output(&pass, "attn");
        // x += ffn(norm(x))
        norm_input(&pass, layer->ffn_norm);
        if (layer->has_experts)
            mixture_of_experts(&pass, layer);
        else
            dense_feed_forward(&pass, layer);
        add_output(&pass, "ffn");
        observe(&pass, "hidden", work->x, s->hidden);
    }
    pass_end(&pass);
    return STATUS_OK;
}

const struct arch arch_deepseek = {
    .name = "deepseek2",
    .read_shape = shape_read_deepseek2,
    .forward = deepseek_forward,
};
