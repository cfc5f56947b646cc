/* What forward passes share: their two ends, norms, the dense feed-forward. */
#include "config.h"

#include "engine/arch/sublayers.h"

void
observe(const struct pass *pass, const char *name, const void *data,
        size_t width)
{
    const struct step *step = pass->step;

    if (step->observe != NULL)
        step->observe(step->observe_context, name, step->layer, data,
                      step->tokens, width);
}

void
pass_begin(const struct pass *pass)
{
    const struct model *model = pass->model;
    const struct workspace *w = pass->work;
    const struct device_ops *op = pass->device->ops;

    pass->step->layer = 0;
    op->embed(pass->device, pass->step, &model->embedding, w->x);
    op->rotation(pass->device, pass->step, model->rope_frequency,
                 model->shape.rope_magnitude, &w->rotation);
}

enum status
pass_next_layer(const struct pass *pass, uint32_t layer, struct error *err)
{
    struct step *step = pass->step;

    if (step->proceed != NULL && !step->proceed(step->proceed_context, layer))
        return error_set(err, STATUS_CANCELLED, "cancelled");
    step->layer = layer;
    return STATUS_OK;
}

void
pass_end(const struct pass *pass)
{
    const struct model *model = pass->model;
    const struct shape *s = &model->shape;
    const struct workspace *w = pass->work;
    const struct device_ops *op = pass->device->ops;
    struct step last = *pass->step;
    struct pass end = *pass;
    size_t skipped = last.tokens - last.logit_rows;

    if (last.logit_rows == 0)
        return;
    last.first += skipped;
    last.tokens = last.logit_rows;
    end.step = &last;
    struct vectors x = rows_of(w->x + skipped * s->hidden, s->hidden);
    struct vectors u = rows_of(w->u, s->hidden);
    op->norm(end.device, &last, &u, &x, model->output_norm, s->eps);
    op->linear(end.device, &last, w->u,
               &(struct product){.weight = &model->output, .y = w->logits}, 1);
    observe(&end, "final", w->u, s->hidden);
    observe(&end, "logits", w->logits, s->vocabulary);
}

void
norm_input(const struct pass *pass, const float *weight)
{
    const struct shape *s = &pass->model->shape;
    struct vectors x = rows_of(pass->work->x, s->hidden);
    struct vectors u = rows_of(pass->work->u, s->hidden);

    pass->device->ops->norm(pass->device, pass->step, &u, &x, weight, s->eps);
}

void
add_output(const struct pass *pass, const char *name)
{
    const struct workspace *w = pass->work;
    size_t hidden = pass->model->shape.hidden;

    observe(pass, name, w->y, hidden);
    pass->device->ops->add(pass->device, pass->step, w->x, w->y, hidden);
}

void
dense_feed_forward(const struct pass *pass, const struct layer *layer)
{
    const struct workspace *w = pass->work;
    const struct device_ops *op = pass->device->ops;

    op->linear(
        pass->device, pass->step, w->u,
        (struct product[]){
            {.weight = &layer->gate, .bias = layer->gate_bias, .y = w->gate},
            {.weight = &layer->up, .bias = layer->up_bias, .y = w->up}},
        2);
    op->silu_mul(pass->device, pass->step, w->gate, w->gate, w->up,
                 layer->gate.rows);
    op->linear(pass->device, pass->step, w->gate,
               &(struct product){
                   .weight = &layer->down, .bias = layer->down_bias, .y = w->y},
               1);
}
