/* The table of tensors, and a file's tensors against it. */
#include "config.h"

#include "engine/tensor_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Extents of tensors in terms of the shape. */
enum extent {
    ONE,
    HIDDEN,
    VOCABULARY,
    QUERY_RANK,
    QUERIES,
    LATENT,
    LATENT_AND_ROPE,
    KEYS_AND_VALUES,
    NOPE,
    HEADS,
    VALUE,
    ATTENDED,
    KEYS,
    VALUES,
    DENSE,
    EXPERTS,
    EXPERT,
    EXPERT_PAIR,
    SHARED,
    PAIRS,
};

/* In which layers of which shapes a tensor occurs. */
enum scope {
    SCOPE_MODEL,         // once
    SCOPE_UNTIED,        // once, where the output is not the embedding
    SCOPE_ONCE_GROUPED,  // once, grouped attention
    SCOPE_ONCE_LATENT,   // once, latent attention
    SCOPE_LAYERS,        // all
    SCOPE_LATENT,        // latent attention
    SCOPE_RANKED,        // ... with a query latent
    SCOPE_DIRECT,        // ... without
    SCOPE_JOINED,        // ... keys' and values' expansion in one tensor
    SCOPE_SPLIT,         // ... or in two
    SCOPE_GROUPED,       // grouped attention
    SCOPE_DENSE,         // dense feed-forward
    SCOPE_DENSE_GROUPED, // ... beside grouped attention
    SCOPE_EXPERTS,       // routed experts
    SCOPE_SHARED,        // shared experts
};

#define IN_MODEL(member) offsetof(struct model, member)
#define IN_LAYER(member) offsetof(struct layer, member)

#define VECTOR(name_, scope, member, extent_)                                  \
    {                                                                          \
        .name = (name_), .kind = KIND_VECTOR, .class = CLASS_VECTOR,           \
        .extent = {(extent_)}, .for_layers = (scope), .field = (member)        \
    }
#define OPTIONAL(name_, scope, member, extent_)                                \
    {                                                                          \
        .name = (name_), .kind = KIND_VECTOR, .class = CLASS_VECTOR,           \
        .extent = {(extent_)}, .for_layers = (scope), .field = (member),       \
        .optional = true                                                       \
    }
#define MATRIX(name_, class_, scope, member, columns, rows)                    \
    {                                                                          \
        .name = (name_), .kind = KIND_MATRIX, .class = (class_),               \
        .extent = {(columns), (rows)}, .for_layers = (scope),                  \
        .field = (member)                                                      \
    }
#define EXPAND(name_, kind_, scope, ...)                                       \
    {                                                                          \
        .name = (name_), .kind = (kind_), .class = CLASS_ATTENTION,            \
        .extent = {__VA_ARGS__}, .for_layers = (scope)                         \
    }
#define STACK(name_, kind_, class_, columns, rows)                             \
    {                                                                          \
        .name = (name_), .kind = (kind_), .class = (class_),                   \
        .extent = {(columns), (rows), EXPERTS}, .for_layers = SCOPE_EXPERTS    \
    }

static const struct tensor_rule rules[] = {
    MATRIX("token_embd.weight", CLASS_EMBEDDING, SCOPE_MODEL,
           IN_MODEL(embedding), HIDDEN, VOCABULARY),
    VECTOR("output_norm.weight", SCOPE_MODEL, IN_MODEL(output_norm), HIDDEN),
    MATRIX("output.weight", CLASS_OUTPUT, SCOPE_UNTIED, IN_MODEL(output),
           HIDDEN, VOCABULARY),
    {.name = "rope_freqs.weight",
     .kind = KIND_DIVISORS,
     .class = CLASS_VECTOR,
     .extent = {PAIRS},
     .for_layers = SCOPE_ONCE_GROUPED,
     .optional = true},

    VECTOR("attn_norm.weight", SCOPE_LAYERS, IN_LAYER(attention_norm), HIDDEN),

    // latent attention
    MATRIX("attn_q.weight", CLASS_ATTENTION, SCOPE_DIRECT, IN_LAYER(q), HIDDEN,
           QUERIES),
    MATRIX("attn_q_a.weight", CLASS_ATTENTION, SCOPE_RANKED, IN_LAYER(q_a),
           HIDDEN, QUERY_RANK),
    VECTOR("attn_q_a_norm.weight", SCOPE_RANKED, IN_LAYER(q_a_norm),
           QUERY_RANK),
    MATRIX("attn_q_b.weight", CLASS_ATTENTION, SCOPE_RANKED, IN_LAYER(q_b),
           QUERY_RANK, QUERIES),
    MATRIX("attn_kv_a_mqa.weight", CLASS_ATTENTION, SCOPE_LATENT,
           IN_LAYER(kv_a), HIDDEN, LATENT_AND_ROPE),
    VECTOR("attn_kv_a_norm.weight", SCOPE_LATENT, IN_LAYER(kv_a_norm), LATENT),
    EXPAND("attn_kv_b.weight", KIND_KEY_VALUE, SCOPE_JOINED, LATENT,
           KEYS_AND_VALUES),
    EXPAND("attn_k_b.weight", KIND_KEY_UP, SCOPE_SPLIT, NOPE, LATENT, HEADS),
    EXPAND("attn_v_b.weight", KIND_VALUE_UP, SCOPE_SPLIT, LATENT, VALUE, HEADS),
    // the same numbers a second time, in files that hold both layouts
    {.name = "attn_k_b.weight",
     .kind = KIND_IGNORED,
     .for_layers = SCOPE_JOINED,
     .optional = true},
    {.name = "attn_v_b.weight",
     .kind = KIND_IGNORED,
     .for_layers = SCOPE_JOINED,
     .optional = true},

    // grouped attention
    MATRIX("attn_q.weight", CLASS_ATTENTION, SCOPE_GROUPED, IN_LAYER(q), HIDDEN,
           QUERIES),
    MATRIX("attn_k.weight", CLASS_ATTENTION, SCOPE_GROUPED, IN_LAYER(k), HIDDEN,
           KEYS),
    MATRIX("attn_v.weight", CLASS_ATTENTION, SCOPE_GROUPED, IN_LAYER(v), HIDDEN,
           VALUES),
    OPTIONAL("attn_q.bias", SCOPE_GROUPED, IN_LAYER(q_bias), QUERIES),
    OPTIONAL("attn_k.bias", SCOPE_GROUPED, IN_LAYER(k_bias), KEYS),
    OPTIONAL("attn_v.bias", SCOPE_GROUPED, IN_LAYER(v_bias), VALUES),
    OPTIONAL("attn_output.bias", SCOPE_GROUPED, IN_LAYER(o_bias), HIDDEN),

    MATRIX("attn_output.weight", CLASS_ATTENTION, SCOPE_LAYERS, IN_LAYER(o),
           ATTENDED, HIDDEN),
    VECTOR("ffn_norm.weight", SCOPE_LAYERS, IN_LAYER(ffn_norm), HIDDEN),

    MATRIX("ffn_gate.weight", CLASS_DENSE, SCOPE_DENSE, IN_LAYER(gate), HIDDEN,
           DENSE),
    MATRIX("ffn_up.weight", CLASS_DENSE, SCOPE_DENSE, IN_LAYER(up), HIDDEN,
           DENSE),
    MATRIX("ffn_down.weight", CLASS_DENSE, SCOPE_DENSE, IN_LAYER(down), DENSE,
           HIDDEN),
    OPTIONAL("ffn_gate.bias", SCOPE_DENSE_GROUPED, IN_LAYER(gate_bias), DENSE),
    OPTIONAL("ffn_up.bias", SCOPE_DENSE_GROUPED, IN_LAYER(up_bias), DENSE),
    OPTIONAL("ffn_down.bias", SCOPE_DENSE_GROUPED, IN_LAYER(down_bias), HIDDEN),

    {.name = "ffn_gate_inp.weight",
     .kind = KIND_ROUTER,
     .class = CLASS_ROUTER,
     .extent = {HIDDEN, EXPERTS},
     .for_layers = SCOPE_EXPERTS,
     .field = IN_LAYER(router)},
    {.name = "exp_probs_b.bias",
     .alias = "exp_probs_b",
     .kind = KIND_VECTOR,
     .class = CLASS_VECTOR,
     .extent = {EXPERTS},
     .for_layers = SCOPE_EXPERTS,
     .optional = true,
     .field = IN_LAYER(router_bias)},
    STACK("ffn_gate_up_exps.weight", KIND_GATE_UP, CLASS_GATE, HIDDEN,
          EXPERT_PAIR),
    STACK("ffn_gate_exps.weight", KIND_EXPERTS, CLASS_GATE, HIDDEN, EXPERT),
    STACK("ffn_up_exps.weight", KIND_EXPERTS, CLASS_UP, HIDDEN, EXPERT),
    STACK("ffn_down_exps.weight", KIND_EXPERTS, CLASS_DOWN, EXPERT, HIDDEN),
    MATRIX("ffn_gate_shexp.weight", CLASS_SHARED, SCOPE_SHARED, IN_LAYER(gate),
           HIDDEN, SHARED),
    MATRIX("ffn_up_shexp.weight", CLASS_SHARED, SCOPE_SHARED, IN_LAYER(up),
           HIDDEN, SHARED),
    MATRIX("ffn_down_shexp.weight", CLASS_SHARED, SCOPE_SHARED, IN_LAYER(down),
           SHARED, HIDDEN),

    // never in such files, but harmless
    {.name = "rope_freqs.weight",
     .kind = KIND_IGNORED,
     .for_layers = SCOPE_ONCE_LATENT,
     .optional = true},
};

enum { RULES = sizeof rules / sizeof *rules };

static uint64_t
extent_value(enum extent extent, const struct shape *s)
{
    switch (extent) {
    case ONE:
        return 1;
    case HIDDEN:
        return s->hidden;
    case VOCABULARY:
        return s->vocabulary;
    case QUERY_RANK:
        return s->query_rank;
    case QUERIES:
        return (uint64_t) s->heads * s->key_width;
    case LATENT:
        return s->latent_width;
    case LATENT_AND_ROPE:
        return s->latent_width + s->rope_width;
    case KEYS_AND_VALUES:
        return (uint64_t) s->heads * (s->nope_width + s->value_width);
    case NOPE:
        return s->nope_width;
    case HEADS:
        return s->heads;
    case VALUE:
        return s->value_width;
    case ATTENDED:
        return (uint64_t) s->heads * s->value_width;
    case KEYS:
        return (uint64_t) s->kv_heads * s->key_width;
    case VALUES:
        return (uint64_t) s->kv_heads * s->value_width;
    case DENSE:
        return s->dense_width;
    case EXPERTS:
        return s->experts;
    case EXPERT:
        return s->expert_width;
    case EXPERT_PAIR:
        return 2 * (uint64_t) s->expert_width;
    case SHARED:
        return (uint64_t) s->shared_experts * s->expert_width;
    case PAIRS:
    default:
        return s->rope_width / 2;
    }
}

/* The keys that an extent comes from, for messages. */
static const char *
extent_keys(enum extent extent)
{
    static const char *const keys[] = {
        [ONE] = "1",
        [HIDDEN] = "embedding_length",
        [VOCABULARY] = "tokens",
        [QUERY_RANK] = "attention.q_lora_rank",
        [QUERIES] = "attention.head_count x key length",
        [LATENT] = "attention.kv_lora_rank",
        [LATENT_AND_ROPE] = "attention.kv_lora_rank + rope.dimension_count",
        [KEYS_AND_VALUES] = "attention.head_count x (unrotated key + value)",
        [NOPE] = "key length - rope.dimension_count",
        [HEADS] = "attention.head_count",
        [VALUE] = "value length",
        [ATTENDED] = "attention.head_count x value length",
        [KEYS] = "attention.head_count_kv x key length",
        [VALUES] = "attention.head_count_kv x value length",
        [DENSE] = "feed_forward_length",
        [EXPERTS] = "expert_count",
        [EXPERT] = "expert_feed_forward_length",
        [EXPERT_PAIR] = "2 x expert_feed_forward_length",
        [SHARED] = "expert_shared_count x expert_feed_forward_length",
        [PAIRS] = "rope.dimension_count / 2",
    };

    return keys[extent];
}

const char *tensor_class_name(enum tensor_class class)
{
    static const char *const names[CLASS_COUNT] = {
        [CLASS_EMBEDDING] = "embedding",   [CLASS_OUTPUT] = "output",
        [CLASS_ATTENTION] = "attention",   [CLASS_DENSE] = "dense",
        [CLASS_SHARED] = "shared_experts", [CLASS_GATE] = "experts_gate",
        [CLASS_UP] = "experts_up",         [CLASS_DOWN] = "experts_down",
        [CLASS_ROUTER] = "router",         [CLASS_VECTOR] = "norms_and_biases",
    };

    return names[class];
}

static bool
in_layers(enum scope scope)
{
    return scope >= SCOPE_LAYERS;
}

bool
tensor_rule_in_layer(const struct tensor_rule *rule)
{
    return in_layers(rule->for_layers);
}

/* Whether tensors of this scope belong to the model (layer 0) or layer. */
static bool
scope_holds(enum scope scope, const struct shape *s, uint32_t layer)
{
    bool latent = s->attention == ATTENTION_LATENT;
    bool dense = layer < s->dense_layers;

    switch (scope) {
    case SCOPE_UNTIED:
        return !s->tied_output;
    case SCOPE_ONCE_GROUPED:
    case SCOPE_GROUPED:
        return !latent;
    case SCOPE_ONCE_LATENT:
    case SCOPE_LATENT:
        return latent;
    case SCOPE_RANKED:
        return latent && s->query_rank > 0;
    case SCOPE_DIRECT:
        return latent && s->query_rank == 0;
    case SCOPE_JOINED:
        return latent && !s->split_key_value;
    case SCOPE_SPLIT:
        return latent && s->split_key_value;
    case SCOPE_DENSE:
        return dense;
    case SCOPE_DENSE_GROUPED:
        return dense && !latent;
    case SCOPE_EXPERTS:
        return !dense;
    case SCOPE_SHARED:
        return !dense && s->shared_experts > 0;
    case SCOPE_MODEL:
    case SCOPE_LAYERS:
    default:
        return true;
    }
}

// -- checks of one tensor ---------------------------------------------------

static enum status
check_vector_type(const struct gguf_tensor *tensor, const char *shown,
                  struct error *err)
{
    if (tensor->format->id == FORMAT_F32)
        return STATUS_OK;
    return error_set(err, STATUS_FORMAT, "%s: %s: type %s, F32 wanted", shown,
                     tensor->name, tensor->format->name);
}

static enum status
check_matrix_type(const struct gguf_tensor *tensor, const char *shown,
                  struct error *err)
{
    const struct format *format = tensor->format;

    if (!format->holds_weights)
        return error_set(err, STATUS_FORMAT,
                         "%s: %s: type %s is no type of weights", shown,
                         tensor->name, format->name);
    if (format_plain(format)->contract == CONTRACT_NONE)
        return error_set(err, STATUS_UNSUPPORTED,
                         "%s: %s: type %s can be read, but this version does "
                         "not compute with it",
                         shown, tensor->name, format->name);
    return STATUS_OK;
}

static enum status
check_type(const struct gguf_tensor *tensor, const struct tensor_rule *rule,
           const char *shown, struct error *err)
{
    if (rule->kind == KIND_VECTOR || rule->kind == KIND_DIVISORS)
        return check_vector_type(tensor, shown, err);
    TRY(check_matrix_type(tensor, shown, err));
    if (rule->kind == KIND_ROUTER && tensor->format->contract != CONTRACT_FLOAT)
        return error_set(err, STATUS_FORMAT,
                         "%s: %s: type %s, F32, F16 or BF16 wanted", shown,
                         tensor->name, tensor->format->name);
    return STATUS_OK;
}

/* "[32, 64]" */
static void
print_extents(char out[96], const uint64_t extent[4], unsigned rank)
{
    size_t used = 0;

    for (unsigned i = 0; i < rank; i++)
        used += (size_t) snprintf(out + used, 96 - used, "%s%" PRIu64,
                                  i == 0 ? "[" : ", ", extent[i]);
    snprintf(out + used, 96 - used, "]");
}

static enum status
refuse_extents(const struct gguf_tensor *tensor, const struct tensor_rule *rule,
               const uint64_t wanted[4], unsigned rank, const char *shown,
               struct error *err)
{
    char has[96], wants[96], keys[256] = "";
    size_t used = 0;

    print_extents(has, tensor->extent, tensor->rank);
    print_extents(wants, wanted, rank);
    for (unsigned i = 0; i < rank; i++)
        used +=
            (size_t) snprintf(keys + used, sizeof keys - used, "%s%s",
                              i == 0 ? "" : ", ", extent_keys(rule->extent[i]));
    return error_set(err, STATUS_FORMAT, "%s: %s: shape %s, %s wanted (%s)",
                     shown, tensor->name, has, wants, keys);
}

/* attn_k_b and attn_v_b may have their heads in the second extent. */
static bool
same_with_heads_joined(const struct gguf_tensor *tensor,
                       const struct tensor_rule *rule, const uint64_t wanted[4])
{
    return (rule->kind == KIND_KEY_UP || rule->kind == KIND_VALUE_UP) &&
           tensor->extent[0] == wanted[0] &&
           tensor->extent[1] == wanted[1] * wanted[2] &&
           tensor->extent[2] == 1 && tensor->extent[3] == 1;
}

static enum status
check_extents(const struct gguf_tensor *tensor, const struct tensor_rule *rule,
              const struct shape *shape, const char *shown, struct error *err)
{
    uint64_t wanted[4] = {1, 1, 1, 1};
    unsigned rank = 0;

    for (unsigned i = 0; i < 3; i++) {
        wanted[i] = extent_value(rule->extent[i], shape);
        if (rule->extent[i] != ONE)
            rank = i + 1;
    }
    if (memcmp(tensor->extent, wanted, sizeof wanted) == 0 ||
        same_with_heads_joined(tensor, rule, wanted))
        return STATUS_OK;
    return refuse_extents(tensor, rule, wanted, rank, shown, err);
}

// -- all tensors ------------------------------------------------------------

static const struct gguf_tensor *
find_tensor(const struct gguf *gguf, const struct tensor_rule *rule,
            uint32_t layer, char name[96])
{
    const char *spelling[] = {rule->alias, rule->name};
    const struct gguf_tensor *tensor = NULL;

    for (size_t i = 0; i < 2 && tensor == NULL; i++) {
        if (spelling[i] == NULL)
            continue;
        if (in_layers(rule->for_layers))
            snprintf(name, 96, "blk.%" PRIu32 ".%s", layer, spelling[i]);
        else
            snprintf(name, 96, "%s", spelling[i]);
        tensor = gguf_tensor_find(gguf, name);
    }
    return tensor;
}

/* Gate and up come in one tensor or in two. */
static bool
replaced(const struct tensor_rule *rule, const struct gguf *gguf,
         uint32_t layer)
{
    char fused[48];

    if (rule->kind != KIND_EXPERTS || rule->class == CLASS_DOWN)
        return false;
    snprintf(fused, sizeof fused, "blk.%" PRIu32 ".ffn_gate_up_exps.weight",
             layer);
    return gguf_tensor_find(gguf, fused) != NULL;
}

static enum status
check_rule(struct tensor_use *uses, struct tensor_census *census,
           const struct gguf *gguf, const struct shape *shape,
           const struct tensor_rule *rule, uint32_t layer, struct error *err)
{
    char name[96];

    if (!scope_holds(rule->for_layers, shape, layer) ||
        replaced(rule, gguf, layer))
        return STATUS_OK;
    const struct gguf_tensor *tensor = find_tensor(gguf, rule, layer, name);
    if (tensor == NULL) {
        if (rule->optional || rule->kind == KIND_GATE_UP)
            return STATUS_OK;
        return error_set(err, STATUS_FORMAT, "%s: the tensor %s is missing",
                         gguf_shown(gguf), name);
    }
    if (rule->kind == KIND_IGNORED) {
        if (census->ignored == NULL)
            census->ignored = tensor;
        return STATUS_OK;
    }
    const char *shown = gguf_shard_shown(gguf, tensor->shard);
    TRY(check_extents(tensor, rule, shape, shown, err));
    if (rule->kind == KIND_GATE_UP &&
        shape->expert_width % tensor->format->interleaved != 0)
        return error_set(err, STATUS_FORMAT,
                         "%s: %s: gate and up of %" PRIu32
                         " rows each, %s stores %u together",
                         shown, tensor->name, shape->expert_width,
                         tensor->format->name,
                         (unsigned) tensor->format->interleaved);
    TRY(check_type(tensor, rule, shown, err));
    uses[census->uses++] = (struct tensor_use){tensor, rule, layer};
    return STATUS_OK;
}

/* "blk.12.attn_norm.weight": 12 and what follows; NULL if it is not so. */
static const char *
split_name(const char *name, uint32_t *layer)
{
    char *end;

    if (strncmp(name, "blk.", 4) != 0 || name[4] < '0' || name[4] > '9')
        return NULL;
    unsigned long number = strtoul(name + 4, &end, 10);
    if (*end != '.' || number >= UINT32_MAX)
        return NULL;
    *layer = (uint32_t) number;
    return end + 1;
}

static bool
is_known(const char *name, const struct shape *shape, const struct gguf *gguf)
{
    uint32_t layer = 0;
    const char *inner = split_name(name, &layer);

    if (inner != NULL && layer >= shape->layers)
        return false;
    for (size_t i = 0; i < RULES; i++) {
        const struct tensor_rule *rule = &rules[i];
        const char *own = in_layers(rule->for_layers) ? inner : name;

        if (own == NULL || (in_layers(rule->for_layers)) != (inner != NULL))
            continue;
        if ((strcmp(own, rule->name) == 0 ||
             (rule->alias != NULL && strcmp(own, rule->alias) == 0)) &&
            scope_holds(rule->for_layers, shape, layer) &&
            !replaced(rule, gguf, layer))
            return true;
    }
    return false;
}

static bool
is_mtp(const char *name, const struct shape *shape)
{
    uint32_t layer;

    return split_name(name, &layer) != NULL && layer >= shape->layers &&
           layer - shape->layers < shape->mtp_layers;
}

static void
count_others(struct tensor_census *census, const struct gguf *gguf,
             const struct shape *shape)
{
    for (size_t i = 0; i < gguf_tensors(gguf); i++) {
        const struct gguf_tensor *tensor = gguf_tensor_at(gguf, i);

        if (is_known(tensor->name, shape, gguf))
            continue;
        if (is_mtp(tensor->name, shape)) {
            census->mtp++;
            continue;
        }
        census->unknown++;
        if (census->first_unknown == NULL)
            census->first_unknown = tensor;
    }
}

enum status
tensor_table_check(struct tensor_use *uses, struct tensor_census *census,
                   const struct gguf *gguf, const struct shape *shape,
                   struct error *err)
{
    *census = (struct tensor_census){0};
    for (size_t i = 0; i < RULES; i++)
        if (!in_layers(rules[i].for_layers))
            TRY(check_rule(uses, census, gguf, shape, &rules[i], 0, err));
    for (uint32_t l = 0; l < shape->layers; l++)
        for (size_t i = 0; i < RULES; i++)
            if (in_layers(rules[i].for_layers))
                TRY(check_rule(uses, census, gguf, shape, &rules[i], l, err));
    count_others(census, gguf, shape);
    return STATUS_OK;
}
