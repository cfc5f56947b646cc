/* One allocation for all activations of a forward pass. */
#include "config.h"

#include "engine/workspace.h"

enum { ALIGNMENT = 64 };

struct placing {
    char *base; // NULL: only count
    size_t used;
};

static void *
place(struct placing *p, size_t bytes)
{
    size_t at = p->used;

    p->used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return p->base == NULL || bytes == 0 ? NULL : p->base + at;
}

static float *
place_rows(struct placing *p, size_t rows, size_t width)
{
    return place(p, rows * width * sizeof(float));
}

static void
place_attention(struct workspace *w, struct placing *p, const struct shape *s)
{
    bool latent = s->attention == ATTENTION_LATENT;
    size_t cached = latent ? 0 : s->kv_heads;

    w->q_a = place_rows(p, w->tokens, latent ? s->query_rank : 0);
    w->q = place_rows(p, w->tokens, (size_t) s->heads * s->key_width);
    w->kv_a = place_rows(p, w->tokens,
                         latent ? (size_t) s->latent_width + s->rope_width : 0);
    w->k = place_rows(p, w->tokens, cached * s->key_width);
    w->v = place_rows(p, w->tokens, cached * s->value_width);
    w->o = place_rows(p, w->tokens, (size_t) s->heads * s->value_width);
}

static void
place_all(struct workspace *w, struct placing *p, const struct shape *s)
{
    size_t tokens = w->tokens;

    w->x = place_rows(p, tokens, s->hidden);
    w->u = place_rows(p, tokens, s->hidden);
    w->y = place_rows(p, tokens, s->hidden);
    place_attention(w, p, s);
    w->gate = place_rows(p, tokens, s->dense_width);
    w->up = place_rows(p, tokens, s->dense_width);
    w->scores = place_rows(p, tokens, s->experts);
    w->routing.ids = place(p, tokens * s->experts_used * sizeof(int32_t));
    w->routing.weights = place_rows(p, tokens, s->experts_used);
    w->rotation.pairs = s->rope_width / 2;
    w->rotation.pairing = s->pairing;
    w->rotation.cosines = place_rows(p, tokens, w->rotation.pairs);
    w->rotation.sines = place_rows(p, tokens, w->rotation.pairs);
    w->logits = place_rows(p, w->logit_rows, s->vocabulary);
    w->state = place(p, sizeof(struct step_state) + tokens * sizeof(int32_t));
}

size_t
workspace_bytes(const struct shape *shape, size_t tokens, size_t logit_rows)
{
    struct workspace w = {.tokens = tokens, .logit_rows = logit_rows};
    struct placing p = {0};

    place_all(&w, &p, shape);
    return p.used;
}

enum status
workspace_open(struct workspace *out, struct device *device,
               const struct shape *shape, size_t tokens, size_t logit_rows,
               struct error *err)
{
    *out =
        (struct workspace){.tokens = tokens,
                           .logit_rows = logit_rows,
                           .bytes = workspace_bytes(shape, tokens, logit_rows)};
    TRY(device->ops->alloc(device, &out->memory, out->bytes,
                           "the activations of a forward pass", err));
    struct placing p = {.base = out->memory};
    place_all(out, &p, shape);
    return STATUS_OK;
}

void
workspace_close(struct workspace *workspace, struct device *device)
{
    device->ops->release(device, workspace->memory, workspace->bytes);
    *workspace = (struct workspace){0};
}
