/* What can be said about a model, as JSON. Text from the file is cleaned. */
#include "config.h"

#include "engine/arch/arch.h"
#include "engine/model_parts.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 256 }; // bytes of one text from the file

/* A growing object; `failed` once memory ran out. */
struct object {
    json_t *json;
    bool failed;
};

static void
put(struct object *object, const char *key, json_t *value)
{
    // takes value over, also when it is NULL or cannot be added
    if (json_object_set_new(object->json, key, value) != 0)
        object->failed = true;
}

static void
put_number(struct object *object, const char *key, uint64_t number)
{
    put(object, key, json_integer((json_int_t) number));
}

static void
put_text(struct object *object, const char *key, const char *text)
{
    put(object, key, json_string(text));
}

/* A text of the file, where it has one. */
static void
put_file_text(struct object *object, const char *key, const struct gguf *gguf,
              const char *from)
{
    const struct gguf_string *text = gguf_text(gguf, from);
    char clean[TEXT_MAX];

    if (text != NULL)
        put_text(object, key,
                 text_quote(clean, sizeof clean, text->bytes, text->length));
}

/* Begins an object inside another; it is complete when filled. */
static struct object
begin(struct object *parent, const char *key)
{
    struct object inner = {.json = json_object()};

    put(parent, key, inner.json);
    inner.failed = parent->failed;
    if (inner.failed)
        inner.json = NULL; // given back; to fill NULL is safe, and fails
    return inner;
}

static void
finish(struct object *parent, const struct object *inner)
{
    parent->failed = parent->failed || inner->failed;
}

// -- shape ------------------------------------------------------------------

static void
put_attention(struct object *object, const struct shape *shape)
{
    bool latent = shape->attention == ATTENTION_LATENT;

    put_text(object, "attention", latent ? "latent" : "grouped");
    put_number(object, "heads", shape->heads);
    put_number(object, "key_width", shape->key_width);
    put_number(object, "value_width", shape->value_width);
    if (latent) {
        put_number(object, "latent_width", shape->latent_width);
        put_number(object, "query_rank", shape->query_rank);
    } else {
        put_number(object, "kv_heads", shape->kv_heads);
    }
}

static void
put_positions(struct object *object, const struct shape *shape)
{
    static const char *const scaling[] = {
        [SCALING_NONE] = "none",
        [SCALING_LINEAR] = "linear",
        [SCALING_YARN] = "yarn",
    };

    put_number(object, "rope_width", shape->rope_width);
    put(object, "rope_base", json_real(shape->rope_base));
    put_text(object, "rope_scaling", scaling[shape->scaling]);
    if (shape->scaling != SCALING_NONE)
        put(object, "rope_factor", json_real(shape->rope_factor));
}

static void
put_experts(struct object *object, const struct shape *shape)
{
    static const char *const gating[] = {
        [ROUTER_SOFTMAX] = "softmax",
        [ROUTER_SIGMOID] = "sigmoid",
        [ROUTER_SOFTMAX_LATE] = "softmax_late",
    };

    put_number(object, "experts", shape->experts);
    if (shape->experts == 0)
        return;
    put_number(object, "experts_used", shape->experts_used);
    put_number(object, "experts_shared", shape->shared_experts);
    put_number(object, "expert_width", shape->expert_width);
    put_number(object, "expert_groups", shape->router.groups);
    put_number(object, "expert_groups_used", shape->router.groups_used);
    put_text(object, "router", gating[shape->router.gating]);
}

static void
put_shape(struct object *parent, const struct shape *shape)
{
    struct object object = begin(parent, "shape");

    put_number(&object, "layers", shape->layers);
    put_number(&object, "mtp_layers", shape->mtp_layers);
    put_number(&object, "hidden", shape->hidden);
    put_number(&object, "vocabulary", shape->vocabulary);
    put_attention(&object, shape);
    put_positions(&object, shape);
    put_number(&object, "dense_layers", shape->dense_layers);
    put_number(&object, "dense_width", shape->dense_width);
    put_experts(&object, shape);
    finish(parent, &object);
}

// -- sizes ------------------------------------------------------------------

static uint64_t
elements(const struct gguf_tensor *tensor)
{
    return tensor->extent[0] * tensor->extent[1] * tensor->extent[2] *
           tensor->extent[3];
}

/* Parameters of the main stack, and those that one token meets. */
static void
put_parameters(struct object *parent, const struct model *model)
{
    struct object object = begin(parent, "parameters");
    const struct model_memory *memory = model->memory;
    uint64_t total = 0, active = 0;

    for (size_t i = 0; i < memory->census.uses; i++) {
        const struct tensor_use *use = &memory->use[i];
        uint64_t count = elements(use->tensor);

        if (use->rule->kind == KIND_DIVISORS)
            continue;
        total += count;
        active += model_use_is_experts(use)
                      ? count / model->shape.experts * model->shape.experts_used
                      : count;
    }
    put_number(&object, "total", total);
    put_number(&object, "active", active);
    finish(parent, &object);
}

/* Formats of one class: how many tensors, how many bytes. */
struct tally {
    uint64_t tensors, bytes;
};

enum { FORMATS_MAX = 128 };

static size_t
format_index(const struct format *format)
{
    size_t i = 0;

    while (i + 1 < FORMATS_MAX && format_at(i) != format)
        i++;
    return i;
}

static bool
counts_for(const struct tensor_use *use, enum tensor_class class)
{
    return use->rule->class == class ||
           (use->rule->kind == KIND_GATE_UP && class == CLASS_UP);
}

static void
put_class(struct object *parent, const struct model_memory *memory,
          enum tensor_class class)
{
    struct tally tally[FORMATS_MAX] = {0};
    bool any = false;

    for (size_t i = 0; i < memory->census.uses; i++) {
        const struct tensor_use *use = &memory->use[i];

        if (!counts_for(use, class))
            continue;
        struct tally *own = &tally[format_index(use->tensor->format)];
        own->tensors++;
        own->bytes +=
            use->tensor->bytes / (use->rule->kind == KIND_GATE_UP ? 2 : 1);
        any = true;
    }
    if (!any)
        return;
    struct object object = begin(parent, tensor_class_name(class));
    for (size_t i = 0; i < FORMATS_MAX && format_at(i) != NULL; i++) {
        if (tally[i].tensors == 0)
            continue;
        struct object format = begin(&object, format_at(i)->name);
        put_number(&format, "tensors", tally[i].tensors);
        put_number(&format, "bytes", tally[i].bytes);
        finish(&object, &format);
    }
    finish(parent, &object);
}

static void
put_quantization(struct object *parent, const struct model *model)
{
    struct object object = begin(parent, "quantization");

    for (int class = 0; class < CLASS_COUNT; class ++)
        put_class(&object, model->memory, (enum tensor_class) class);
    finish(parent, &object);
}

static void
put_bytes(struct object *parent, const struct model *model)
{
    struct object object = begin(parent, "bytes");

    put_number(&object, "file", gguf_file_bytes(model->gguf));
    put_number(&object, "fixed_file", model->bytes.fixed_file);
    put_number(&object, "experts_file", model->bytes.experts_file);
    put_number(&object, "fixed_memory", model->bytes.fixed_device);
    put_number(&object, "experts_memory", model->bytes.experts_device);
    finish(parent, &object);
}

// -- the rest ---------------------------------------------------------------

static void
put_tokenizer(struct object *parent, const struct gguf *gguf)
{
    struct object object = begin(parent, "tokenizer");
    const struct gguf_value *tokens = gguf_find(gguf, "tokenizer.ggml.tokens");

    put_file_text(&object, "model", gguf, "tokenizer.ggml.model");
    put_file_text(&object, "pre", gguf, "tokenizer.ggml.pre");
    put_number(&object, "tokens",
               tokens != NULL && tokens->type == GGUF_ARRAY ? tokens->count
                                                            : 0);
    finish(parent, &object);
}

static void
put_names(struct object *object, const struct gguf *gguf)
{
    static const char *const keys[] = {"name",       "version",
                                       "size_label", "organization",
                                       "license",    "quantized_by"};
    char from[48];

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(from, sizeof from, "general.%s", keys[i]);
        put_file_text(object, keys[i], gguf, from);
    }
}

static void
put_warnings(struct object *object, const struct model *model)
{
    json_t *list = json_array();
    size_t count;
    const char *const *text = model_warnings(model, &count);

    put(object, "warnings", list);
    for (size_t i = 0; !object->failed && i < count; i++)
        if (json_array_append_new(list, json_string(text[i])) != 0)
            object->failed = true;
}

static void
put_all(struct object *object, const struct model *model)
{
    put_text(object, "file", gguf_shown(model->gguf));
    put_number(object, "shards", gguf_shards(model->gguf));
    put_text(object, "architecture", model->arch->name);
    put_names(object, model->gguf);
    put_number(object, "context", model->shape.context);
    put_parameters(object, model);
    put_quantization(object, model);
    put_shape(object, &model->shape);
    put_tokenizer(object, model->gguf);
    put_bytes(object, model);
    put_warnings(object, model);
}

enum status
model_describe(const struct model *model, struct buffer *json,
               struct error *err)
{
    struct object object = {.json = json_object()};
    char *text = NULL;

    object.failed = object.json == NULL || fault_due();
    put_all(&object, model);
    if (!object.failed)
        text = json_dumps(object.json, JSON_COMPACT);
    json_decref(object.json);
    if (text == NULL)
        return error_set(err, STATUS_NOMEM, "no memory to describe the model");
    enum status status = buffer_append(json, text, strlen(text), err);
    free(text);
    return status;
}
