/* Hyper-parameters of deepseek2 and llama files. */
#include "config.h"

#include "engine/arch/shape.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BASE_DEFAULT 10000.0
#define LATENT_EPS 1e-6F // the published code's own, whatever the file says

/* Where the keys of one architecture are read from. */
struct keys {
    const struct gguf *gguf;
    const char *arch;
};

struct key_name {
    char text[96];
};

/* "deepseek2.block_count" */
static struct key_name
key_name(const struct keys *keys, const char *suffix)
{
    struct key_name name;

    snprintf(name.text, sizeof name.text, "%s.%s", keys->arch, suffix);
    return name;
}

/* refuse(keys, err, suffix, format, ...): "FILE: ARCH.suffix ...". */
#define refuse(keys, err, suffix, ...)                                         \
    (refusal_fill((keys), (err), (suffix), __VA_ARGS__), STATUS_FORMAT)

static void refusal_fill(const struct keys *keys, struct error *err,
                         const char *suffix, const char *format, ...)
    PRINTF_LIKE(4, 5);

static void
refusal_fill(const struct keys *keys, struct error *err, const char *suffix,
             const char *format, ...)
{
    char what[400];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    error_fill(err, STATUS_FORMAT, "%s: %s %s", gguf_shown(keys->gguf),
               key_name(keys, suffix).text, what);
}

/* An optional integer: *out stays where the key is absent. */
static enum status
maybe_uint(const struct keys *keys, const char *suffix, uint32_t least,
           uint32_t most, uint32_t *out, struct error *err)
{
    uint64_t number = *out;
    bool found;

    TRY(gguf_uint_in(keys->gguf, key_name(keys, suffix).text, least, most,
                     &number, &found, err));
    *out = (uint32_t) number;
    return STATUS_OK;
}

static enum status
need_uint(const struct keys *keys, const char *suffix, uint32_t least,
          uint32_t most, uint32_t *out, struct error *err)
{
    uint64_t number;

    TRY(gguf_uint_in(keys->gguf, key_name(keys, suffix).text, least, most,
                     &number, NULL, err));
    *out = (uint32_t) number;
    return STATUS_OK;
}

static enum status
maybe_float(const struct keys *keys, const char *suffix, double least,
            double most, double *out, struct error *err)
{
    bool found;

    return gguf_float_in(keys->gguf, key_name(keys, suffix).text, least, most,
                         out, &found, err);
}

static bool
has_key(const struct keys *keys, const char *suffix)
{
    return gguf_find(keys->gguf, key_name(keys, suffix).text) != NULL;
}

static bool
has_tensor(const struct gguf *gguf, uint32_t block, const char *name)
{
    char full[96];

    snprintf(full, sizeof full, "blk.%" PRIu32 ".%s", block, name);
    return gguf_tensor_find(gguf, full) != NULL;
}

/* The i-th element of an array of 32-bit integers. */
static bool
array_element(const struct gguf_value *value, size_t i, uint32_t *out)
{
    if (value->element == GGUF_U32)
        *out = ((const uint32_t *) value->data)[i];
    else if (value->element == GGUF_I32 &&
             ((const int32_t *) value->data)[i] >= 0)
        *out = (uint32_t) ((const int32_t *) value->data)[i];
    else
        return false;
    return true;
}

/*
 * A number that some writers give as an array with one entry a block. We run
 * models whose blocks are alike.
 */
static enum status
maybe_uniform(const struct keys *keys, const char *suffix, uint32_t least,
              uint32_t most, uint32_t blocks, uint32_t *out, struct error *err)
{
    const struct gguf_value *value =
        gguf_find(keys->gguf, key_name(keys, suffix).text);
    uint32_t first = 0, next;

    if (value == NULL || value->type != GGUF_ARRAY)
        return maybe_uint(keys, suffix, least, most, out, err);
    if (value->count < blocks)
        return refuse(keys, err, suffix,
                      "has %zu entries, the model has %" PRIu32 " block%s",
                      value->count, blocks, blocks == 1 ? "" : "s");
    for (size_t i = 0; i < blocks; i++) {
        if (!array_element(value, i, &next))
            return refuse(keys, err, suffix,
                          "is an array of %s, counts are wanted",
                          gguf_type_name(value->element));
        if (next < least || next > most)
            return refuse(keys, err, suffix,
                          "has entry %" PRIu32 "; %" PRIu32 " to %" PRIu32
                          " is allowed",
                          next, least, most);
        if (i > 0 && next != first)
            return error_set(err, STATUS_UNSUPPORTED,
                             "%s: %s differs from block to block, which this "
                             "version does not run",
                             gguf_shown(keys->gguf),
                             key_name(keys, suffix).text);
        first = next;
    }
    *out = first;
    return STATUS_OK;
}

static enum status
need_uniform(const struct keys *keys, const char *suffix, uint32_t least,
             uint32_t most, uint32_t blocks, uint32_t *out, struct error *err)
{
    if (!has_key(keys, suffix))
        return refuse(keys, err, suffix, "is missing");
    return maybe_uniform(keys, suffix, least, most, blocks, out, err);
}

// -- what all architectures share -------------------------------------------

static enum status
read_vocabulary(struct shape *shape, const struct keys *keys, struct error *err)
{
    const struct gguf_tensor *table =
        gguf_tensor_find(keys->gguf, "token_embd.weight");

    if (table == NULL)
        return error_set(err, STATUS_FORMAT,
                         "%s: the tensor token_embd.weight is missing",
                         gguf_shown(keys->gguf));
    if (table->extent[1] > INT32_MAX)
        return error_set(err, STATUS_FORMAT,
                         "%s: token_embd.weight has %" PRIu64
                         " rows, at most %d tokens are possible",
                         gguf_shown(keys->gguf), table->extent[1], INT32_MAX);
    shape->vocabulary = (uint32_t) table->extent[1];
    shape->tied_output = gguf_tensor_find(keys->gguf, "output.weight") == NULL;
    return STATUS_OK;
}

static enum status
read_common(struct shape *shape, const struct keys *keys, struct error *err)
{
    double eps;
    struct key_name name = key_name(keys, "attention.layer_norm_rms_epsilon");

    TRY(need_uint(keys, "block_count", 1, SHAPE_LAYERS_MAX, &shape->layers,
                  err));
    TRY(need_uint(keys, "embedding_length", 1, SHAPE_WIDTH_MAX, &shape->hidden,
                  err));
    TRY(need_uint(keys, "context_length", 1, INT32_MAX, &shape->context, err));
    TRY(gguf_float_in(keys->gguf, name.text, 1e-12, 0.1, &eps, NULL, err));
    shape->eps = (float) eps;
    shape->eps_latent = LATENT_EPS;
    TRY(need_uniform(keys, "attention.head_count", 1, SHAPE_HEADS_MAX,
                     shape->layers, &shape->heads, err));
    return read_vocabulary(shape, keys, err);
}

// -- positions --------------------------------------------------------------

static enum status
read_scaling_type(struct shape *shape, const struct keys *keys,
                  struct error *err)
{
    struct key_name name = key_name(keys, "rope.scaling.type");
    const struct gguf_value *value = gguf_find(keys->gguf, name.text);
    const struct gguf_string *text = gguf_text(keys->gguf, name.text);
    char shown[64];

    shape->scaling = SCALING_LINEAR;
    if (value == NULL)
        return STATUS_OK;
    if (text == NULL)
        return refuse(keys, err, "rope.scaling.type",
                      "is of type %s, string wanted",
                      gguf_type_name(value->type));
    if (strcmp(text->bytes, "none") == 0)
        shape->scaling = SCALING_NONE;
    else if (strcmp(text->bytes, "yarn") == 0)
        shape->scaling = SCALING_YARN;
    else if (strcmp(text->bytes, "linear") != 0)
        return error_set(
            err, STATUS_UNSUPPORTED,
            "%s: %s \"%s\" is not supported; none, linear and "
            "yarn are",
            gguf_shown(keys->gguf), name.text,
            text_quote(shown, sizeof shown, text->bytes, text->length));
    return STATUS_OK;
}

/* Pair at which a wave makes `turns` turns over the original context. */
static double
correction_pair(const struct shape *shape, double turns)
{
    double circle = 2 * 3.14159265358979323846 * turns;

    return shape->rope_width * log(shape->rope_original_context / circle) /
           (2 * log(shape->rope_base));
}

/* First and last pair of the YaRN ramp. */
static void
yarn_ramp(const struct shape *shape, double *low, double *high)
{
    double first = floor(correction_pair(shape, shape->yarn_beta_fast));
    double last = ceil(correction_pair(shape, shape->yarn_beta_slow));

    *low = first > 0 ? first : 0;
    *high = last < shape->rope_width - 1 ? last : shape->rope_width - 1;
}

static enum status
read_yarn(struct shape *shape, const struct keys *keys, struct error *err)
{
    double low, high;

    shape->yarn_beta_fast = 32;
    shape->yarn_beta_slow = 1;
    TRY(maybe_float(keys, "rope.scaling.yarn_beta_fast", 1e-3, 1e6,
                    &shape->yarn_beta_fast, err));
    TRY(maybe_float(keys, "rope.scaling.yarn_beta_slow", 1e-3, 1e6,
                    &shape->yarn_beta_slow, err));
    yarn_ramp(shape, &low, &high);
    if (high < low)
        return refuse(keys, err, "rope.scaling.original_context_length",
                      "%g, yarn_beta_fast %g and yarn_beta_slow %g leave no "
                      "room for the YaRN ramp (pairs %g to %g)",
                      shape->rope_original_context, shape->yarn_beta_fast,
                      shape->yarn_beta_slow, low, high);
    return STATUS_OK;
}

/* Base, scaling and factor; the magnitude is each architecture's own. */
static enum status
read_positions(struct shape *shape, const struct keys *keys, struct error *err)
{
    uint32_t original = shape->context;

    shape->rope_base = BASE_DEFAULT;
    shape->rope_factor = 1;
    shape->rope_magnitude = 1;
    TRY(maybe_float(keys, "rope.freq_base", 1.001, 1e12, &shape->rope_base,
                    err));
    TRY(read_scaling_type(shape, keys, err));
    TRY(maybe_float(keys, "rope.scale_linear", 1, 1e6, &shape->rope_factor,
                    err));
    TRY(maybe_float(keys, "rope.scaling.factor", 1, 1e6, &shape->rope_factor,
                    err));
    TRY(maybe_uint(keys, "rope.scaling.original_context_length", 1, INT32_MAX,
                   &original, err));
    shape->rope_original_context = original;
    if (shape->scaling == SCALING_LINEAR && shape->rope_factor == 1)
        shape->scaling = SCALING_NONE;
    return shape->scaling == SCALING_YARN ? read_yarn(shape, keys, err)
                                          : STATUS_OK;
}

void
shape_rope_frequency(const struct shape *shape, const float *divisors,
                     double *out)
{
    bool yarn = shape->scaling == SCALING_YARN;
    double low = 0, high = 0;

    if (yarn)
        yarn_ramp(shape, &low, &high);
    double span = high - low > 0.001 ? high - low : 0.001;
    for (uint32_t i = 0; i < shape->rope_width / 2; i++) {
        // powl: rounding its result to double hides what libraries differ in
        long double power = -2.0L * i / shape->rope_width;
        double full = (double) powl((long double) shape->rope_base, power);
        double slow = full / shape->rope_factor;
        double ramp = (i - low) / span;

        ramp = ramp < 0 ? 0 : ramp > 1 ? 1 : ramp;
        if (yarn)
            full = slow * ramp + full * (1 - ramp);
        else if (shape->scaling == SCALING_LINEAR)
            full = slow;
        out[i] = divisors != NULL ? full / (double) divisors[i] : full;
    }
}

// -- deepseek2 --------------------------------------------------------------

/* What other models under this name have, and this version does not run. */
static enum status
refuse_variants(const struct keys *keys, struct error *err)
{
    static const char *const foreign[] = {
        "attention.indexer.head_count", "attention.indexer.key_length",
        "attention.indexer.top_k",      "attention.temperature_scale",
        "attention.temperature_length",
    };

    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (has_key(keys, foreign[i]))
            return error_set(err, STATUS_UNSUPPORTED,
                             "%s: %s is set: a variant of the architecture "
                             "that this version does not run",
                             gguf_shown(keys->gguf),
                             key_name(keys, foreign[i]).text);
    return STATUS_OK;
}

/*
 * MTP blocks stand behind the main stack and are counted in block_count. A
 * file may keep the key without the blocks, or with an ordinary last block.
 */
static enum status
read_mtp(struct shape *shape, const struct keys *keys, struct error *err)
{
    uint32_t declared = 0;

    TRY(maybe_uint(keys, "nextn_predict_layers", 0, shape->layers - 1,
                   &declared, err));
    if (declared == 0)
        return STATUS_OK;
    uint32_t first = shape->layers - declared;
    bool has_mtp = has_tensor(keys->gguf, first, "nextn.eh_proj.weight");
    bool ordinary =
        !has_mtp && has_tensor(keys->gguf, first, "attn_norm.weight");
    shape->mtp_layers = has_mtp ? declared : 0;
    shape->mtp_missing = !has_mtp;
    if (!ordinary)
        shape->layers = first;
    return STATUS_OK;
}

/* Widths of heads as the keys say, in either spelling. */
static enum status
read_head_widths(struct shape *shape, const struct keys *keys,
                 struct error *err)
{
    const char *key = "attention.key_length_mla";
    const char *value = "attention.value_length_mla";
    uint32_t width = 0;

    TRY(maybe_uint(keys, key, 0, SHAPE_HEAD_WIDTH_MAX, &width, err));
    if (width == 0) {
        key = "attention.key_length";
        value = "attention.value_length";
    }
    TRY(need_uint(keys, key, 1, SHAPE_HEAD_WIDTH_MAX, &shape->key_width, err));
    TRY(need_uint(keys, value, 1, SHAPE_HEAD_WIDTH_MAX, &shape->value_width,
                  err));
    if (shape->key_width <= shape->rope_width)
        return refuse(keys, err, key,
                      "is %" PRIu32 "; more than the %" PRIu32
                      " rotated elements (rope.dimension_count) is wanted",
                      shape->key_width, shape->rope_width);
    return STATUS_OK;
}

/*
 * Files in the new layout without their _mla keys: the other two keys then
 * describe the cached row, and only the tensors know the heads.
 */
static bool
read_widths_from_tensors(struct shape *shape, const struct keys *keys)
{
    const struct gguf_tensor *key =
        gguf_tensor_find(keys->gguf, "blk.0.attn_k_b.weight");
    const struct gguf_tensor *value =
        gguf_tensor_find(keys->gguf, "blk.0.attn_v_b.weight");

    if (has_key(keys, "attention.key_length_mla") || key == NULL ||
        value == NULL || key->rank != 3 || value->rank != 3 ||
        has_tensor(keys->gguf, 0, "attn_kv_b.weight") ||
        key->extent[0] > SHAPE_HEAD_WIDTH_MAX ||
        value->extent[1] > SHAPE_HEAD_WIDTH_MAX)
        return false;
    shape->key_width = (uint32_t) key->extent[0] + shape->rope_width;
    shape->value_width = (uint32_t) value->extent[1];
    return true;
}

static enum status
read_rope_width(struct shape *shape, const struct keys *keys, struct error *err)
{
    TRY(need_uint(keys, "rope.dimension_count", 2, SHAPE_ROPE_MAX,
                  &shape->rope_width, err));
    if (shape->rope_width % 2 != 0)
        return refuse(keys, err, "rope.dimension_count",
                      "is %" PRIu32 "; an even number is wanted",
                      shape->rope_width);
    return STATUS_OK;
}

static enum status
read_latent_attention(struct shape *shape, const struct keys *keys,
                      struct error *err)
{
    shape->attention = ATTENTION_LATENT;
    shape->pairing = ROPE_INTERLEAVED;
    shape->kv_heads = 1;
    TRY(maybe_uint(keys, "attention.q_lora_rank", 0, SHAPE_WIDTH_MAX,
                   &shape->query_rank, err));
    TRY(need_uint(keys, "attention.kv_lora_rank", 1, SHAPE_WIDTH_MAX,
                  &shape->latent_width, err));
    TRY(read_rope_width(shape, keys, err));
    if (!read_widths_from_tensors(shape, keys))
        TRY(read_head_widths(shape, keys, err));
    shape->nope_width = shape->key_width - shape->rope_width;
    shape->split_key_value = !has_tensor(keys->gguf, 0, "attn_kv_b.weight") &&
                             (has_tensor(keys->gguf, 0, "attn_k_b.weight") ||
                              has_tensor(keys->gguf, 0, "attn_v_b.weight"));
    return STATUS_OK;
}

/*
 * The attention scale carries YaRN's correction. Without the multiplier the
 * rotation carries one too, as the peers do it (gguf-deepseek.md 5.3).
 */
static enum status
read_attention_scale(struct shape *shape, const struct keys *keys,
                     struct error *err)
{
    double log_multiplier = 0, attention = 1;

    TRY(maybe_float(keys, "rope.scaling.yarn_log_multiplier", 0, 10,
                    &log_multiplier, err));
    TRY(maybe_float(keys, "rope.scaling.attn_factor", 1e-6, 1e6, &attention,
                    err));
    bool yarn = shape->scaling == SCALING_YARN && shape->rope_factor > 1;
    shape->yarn_log_missing = yarn && log_multiplier == 0;
    if (shape->yarn_log_missing)
        log_multiplier = 0.1;
    double m = yarn ? 1 + log_multiplier * log(shape->rope_factor) : 1;
    shape->rope_magnitude = shape->yarn_log_missing ? m * attention : attention;
    shape->attention_scale =
        m * m * attention * attention / sqrt((double) shape->key_width);
    return STATUS_OK;
}

/* The numbers of GLM-4.7-Flash, whose files lack the gating key. */
static bool
gating_left_out(const struct shape *shape)
{
    return (shape->layers == 47 || shape->layers == 48) &&
           shape->vocabulary == 154880;
}

static enum status
read_gating(struct shape *shape, const struct keys *keys, struct error *err)
{
    uint32_t gating = 0;

    TRY(maybe_uint(keys, "expert_gating_func", 0, UINT32_MAX, &gating, err));
    if (gating == 0 && shape->layers == 61 && shape->hidden == 7168 &&
        shape->router.experts == 256)
        return refuse(keys, err, "expert_gating_func",
                      "is missing, but the shape is V3's, which needs it: the "
                      "file comes from a converter that did not know V3; "
                      "download a current one");
    switch (gating) {
    case 0:
        shape->router.gating =
            gating_left_out(shape) ? ROUTER_SIGMOID : ROUTER_SOFTMAX;
        return STATUS_OK;
    case 1:
        shape->router.gating = ROUTER_SOFTMAX;
        return STATUS_OK;
    case 2:
        shape->router.gating = ROUTER_SIGMOID;
        return STATUS_OK;
    case 3:
        shape->router.gating = ROUTER_SOFTMAX_LATE;
        return STATUS_OK;
    default:
        return refuse(keys, err, "expert_gating_func",
                      "is %" PRIu32 "; 1 (softmax), 2 (sigmoid) and 3 (softmax "
                      "after the choice) are supported",
                      gating);
    }
}

/* Groups of the published V2 and V3, which most of their files leave out. */
static bool
published_groups(const struct shape *shape, uint32_t *groups, uint32_t *used)
{
    const struct router_rule *rule = &shape->router;

    if (shape->layers == 60 && shape->hidden == 5120 && rule->experts == 160 &&
        rule->used == 6 && rule->gating == ROUTER_SOFTMAX) {
        *groups = 8;
        *used = 3;
        return true;
    }
    if (shape->layers == 61 && shape->hidden == 7168 && rule->experts == 256 &&
        rule->used == 8 && rule->gating == ROUTER_SIGMOID) {
        *groups = 8;
        *used = 4;
        return true;
    }
    return false;
}

static enum status
check_groups(const struct shape *shape, const struct keys *keys,
             uint32_t groups, uint32_t used, struct error *err)
{
    uint32_t experts = shape->experts;

    if (experts % groups != 0 || groups >= experts)
        return refuse(keys, err, "expert_group_count",
                      "is %" PRIu32 "; a divisor of the %" PRIu32
                      " experts, and less than that, is wanted",
                      groups, experts);
    if (used < 1 || used >= groups)
        return refuse(keys, err, "expert_group_used_count",
                      "is %" PRIu32 "; 1 to %" PRIu32 " is allowed", used,
                      groups - 1);
    if (experts / groups * used < shape->experts_used)
        return refuse(keys, err, "expert_group_used_count",
                      "is %" PRIu32 ": %" PRIu32 " groups of %" PRIu32
                      " experts cannot give the %" PRIu32 " used experts",
                      used, used, experts / groups, shape->experts_used);
    return STATUS_OK;
}

static enum status
read_groups(struct shape *shape, const struct keys *keys,
            const struct model_options *options, struct error *err)
{
    uint32_t groups = 0, used = 0;

    TRY(maybe_uint(keys, "expert_group_count", 0, UINT32_MAX, &groups, err));
    TRY(maybe_uint(keys, "expert_group_used_count", 0, UINT32_MAX, &used, err));
    if (!has_key(keys, "expert_group_count") && !options->groups_from_file)
        shape->groups_filled_in = published_groups(shape, &groups, &used);
    if (groups <= 1)
        groups = used = 1;
    else
        TRY(check_groups(shape, keys, groups, used, err));
    shape->router.groups = groups;
    shape->router.groups_used = used;
    return STATUS_OK;
}

static enum status
read_router(struct shape *shape, const struct keys *keys,
            const struct model_options *options, struct error *err)
{
    double scale = 1;
    bool found;
    struct key_name norm = key_name(keys, "expert_weights_norm");

    shape->router.experts = shape->experts;
    shape->router.used = shape->experts_used;
    TRY(read_gating(shape, keys, err));
    TRY(gguf_bool(keys->gguf, norm.text, &shape->router.normalise, &found,
                  err));
    TRY(maybe_float(keys, "expert_weights_scale", 0, 1e6, &scale, err));
    shape->router.scale = scale > 0 ? (float) scale : 1;
    return read_groups(shape, keys, options, err);
}

/* Whether a block of the main stack has tensors that only experts need. */
static bool
any_expert_tensors(const struct shape *shape, const struct gguf *gguf)
{
    for (uint32_t l = 0; l < shape->layers; l++)
        if (has_tensor(gguf, l, "ffn_gate_inp.weight") ||
            has_tensor(gguf, l, "ffn_down_exps.weight"))
            return true;
    return false;
}

static enum status
read_experts(struct shape *shape, const struct keys *keys,
             const struct model_options *options, struct error *err)
{
    TRY(maybe_uint(keys, "leading_dense_block_count", 0, shape->layers,
                   &shape->dense_layers, err));
    TRY(maybe_uint(keys, "expert_count", 0, ROUTER_MAX_EXPERTS, &shape->experts,
                   err));
    if (shape->experts == 0) {
        if (any_expert_tensors(shape, keys->gguf))
            return refuse(keys, err, "expert_count",
                          "is 0 or missing, but there are tensors of experts");
        shape->dense_layers = shape->layers;
    }
    if (shape->dense_layers == shape->layers) {
        shape->experts = 0;
        return STATUS_OK;
    }
    TRY(need_uint(keys, "expert_used_count", 1, shape->experts,
                  &shape->experts_used, err));
    TRY(need_uint(keys, "expert_feed_forward_length", 1, SHAPE_WIDTH_MAX,
                  &shape->expert_width, err));
    TRY(need_uint(keys, "expert_shared_count", 0, 64, &shape->shared_experts,
                  err));
    return read_router(shape, keys, options, err);
}

static enum status
read_dense_width(struct shape *shape, const struct keys *keys,
                 struct error *err)
{
    if (shape->dense_layers == 0)
        return STATUS_OK;
    return need_uniform(keys, "feed_forward_length", 1, SHAPE_WIDTH_MAX,
                        shape->layers, &shape->dense_width, err);
}

enum status
shape_read_deepseek2(struct shape *out, const struct gguf *gguf,
                     const struct model_options *options, struct error *err)
{
    const struct keys keys = {gguf, "deepseek2"};

    *out = (struct shape){0};
    TRY(refuse_variants(&keys, err));
    TRY(read_common(out, &keys, err));
    TRY(read_mtp(out, &keys, err));
    TRY(read_latent_attention(out, &keys, err));
    TRY(read_positions(out, &keys, err));
    TRY(read_attention_scale(out, &keys, err));
    TRY(read_experts(out, &keys, options, err));
    return read_dense_width(out, &keys, err);
}

// -- llama ------------------------------------------------------------------

/* Mixtures of experts under this name are other models (Mixtral). */
static enum status
refuse_mixture(const struct keys *keys, struct error *err)
{
    uint32_t experts = 0;

    TRY(maybe_uint(keys, "expert_count", 0, UINT32_MAX, &experts, err));
    if (experts > 0)
        return error_set(err, STATUS_UNSUPPORTED,
                         "%s: llama.expert_count is %" PRIu32
                         ": mixtures of experts of the llama architecture are "
                         "not supported by this version",
                         gguf_shown(keys->gguf), experts);
    return STATUS_OK;
}

static enum status
read_grouped_heads(struct shape *shape, const struct keys *keys,
                   struct error *err)
{
    shape->attention = ATTENTION_GROUPED;
    shape->kv_heads = shape->heads;
    TRY(maybe_uniform(keys, "attention.head_count_kv", 1, SHAPE_HEADS_MAX,
                      shape->layers, &shape->kv_heads, err));
    assert(shape->heads > 0 && shape->kv_heads > 0); // by their limits
    if (shape->heads % shape->kv_heads != 0)
        return refuse(keys, err, "attention.head_count_kv",
                      "is %" PRIu32 "; a divisor of the %" PRIu32
                      " heads is wanted",
                      shape->kv_heads, shape->heads);
    shape->key_width = shape->hidden / shape->heads;
    if (!has_key(keys, "attention.key_length") &&
        (shape->key_width == 0 || shape->hidden % shape->heads != 0))
        return refuse(keys, err, "attention.head_count",
                      "is %" PRIu32 "; a divisor of embedding_length %" PRIu32
                      " is wanted",
                      shape->heads, shape->hidden);
    shape->value_width = shape->key_width;
    TRY(maybe_uint(keys, "attention.key_length", 1, SHAPE_HEAD_WIDTH_MAX,
                   &shape->key_width, err));
    return maybe_uint(keys, "attention.value_length", 1, SHAPE_HEAD_WIDTH_MAX,
                      &shape->value_width, err);
}

/* All of a head is rotated; pairs lie side by side, as converters write it. */
static enum status
read_full_rotation(struct shape *shape, const struct keys *keys,
                   struct error *err)
{
    shape->pairing = ROPE_INTERLEAVED;
    shape->rope_width = shape->key_width;
    if (has_key(keys, "rope.dimension_count"))
        TRY(read_rope_width(shape, keys, err));
    if (shape->rope_width != shape->key_width)
        return refuse(keys, err, "rope.dimension_count",
                      "is %" PRIu32 "; the width of a head, %" PRIu32
                      ", is wanted",
                      shape->rope_width, shape->key_width);
    if (shape->rope_width % 2 != 0)
        return refuse(keys, err, "attention.key_length",
                      "is %" PRIu32 "; an even number is wanted",
                      shape->key_width);
    return STATUS_OK;
}

enum status
shape_read_llama(struct shape *out, const struct gguf *gguf,
                 const struct model_options *options, struct error *err)
{
    const struct keys keys = {gguf, "llama"};
    double attention = 1;

    (void) options;
    *out = (struct shape){0};
    TRY(refuse_mixture(&keys, err));
    TRY(read_common(out, &keys, err));
    TRY(read_grouped_heads(out, &keys, err));
    TRY(read_full_rotation(out, &keys, err));
    TRY(read_positions(out, &keys, err));
    TRY(maybe_float(&keys, "rope.scaling.attn_factor", 1e-6, 1e6, &attention,
                    err));
    out->attention_scale = 1 / sqrt((double) out->key_width);
    if (out->scaling == SCALING_YARN)
        out->rope_magnitude = 1 + 0.1 * log(out->rope_factor);
    out->rope_magnitude *= attention;
    out->dense_layers = out->layers;
    return read_dense_width(out, &keys, err);
}
