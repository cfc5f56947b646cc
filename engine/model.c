/* Opening a model file: container, shape, tensors, and what to warn of. */
#include "config.h"

#include "engine/model.h"

#include "engine/arch/arch.h"
#include "engine/device/device.h"
#include "engine/experts/experts.h"
#include "engine/model_parts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// -- what it is -------------------------------------------------------------

/* Adapters, projectors and importance matrices are GGUF files too. */
static enum status
check_type(const struct gguf *gguf, struct error *err)
{
    const struct gguf_string *type = gguf_text(gguf, "general.type");
    char shown[64];

    if (type == NULL || strcmp(type->bytes, "model") == 0)
        return STATUS_OK;
    return error_set(
        err, STATUS_UNSUPPORTED, "%s: general.type \"%s\": not a chat model",
        gguf_shown(gguf),
        text_quote(shown, sizeof shown, type->bytes, type->length));
}

static enum status
find_arch(struct model *model, struct error *err)
{
    const struct gguf *gguf = model->gguf;
    const struct gguf_value *value = gguf_find(gguf, "general.architecture");
    const struct gguf_string *name = gguf_text(gguf, "general.architecture");
    char shown[64];

    if (value == NULL)
        return error_set(err, STATUS_FORMAT,
                         "%s: general.architecture is missing",
                         gguf_shown(gguf));
    if (name == NULL)
        return error_set(err, STATUS_FORMAT,
                         "%s: general.architecture is of type %s, string "
                         "wanted",
                         gguf_shown(gguf), gguf_type_name(value->type));
    model->arch =
        strlen(name->bytes) == name->length ? arch_find(name->bytes) : NULL;
    if (model->arch == NULL)
        return error_set(
            err, STATUS_UNSUPPORTED,
            "%s: general.architecture \"%s\" is not supported by "
            "this version; supported: %s",
            gguf_shown(gguf),
            text_quote(shown, sizeof shown, name->bytes, name->length),
            arch_names());
    return STATUS_OK;
}

/* A vocabulary, where the file has one, fits the embedding. */
static enum status
check_vocabulary(const struct model *model, struct error *err)
{
    const struct gguf_value *tokens =
        gguf_find(model->gguf, "tokenizer.ggml.tokens");

    if (tokens == NULL || tokens->type != GGUF_ARRAY ||
        tokens->count == model->shape.vocabulary)
        return STATUS_OK;
    return error_set(err, STATUS_FORMAT,
                     "%s: tokenizer.ggml.tokens has %zu tokens, but "
                     "token_embd.weight has %" PRIu32 " rows",
                     gguf_shown(model->gguf), tokens->count,
                     model->shape.vocabulary);
}

// -- warnings ---------------------------------------------------------------

static void warn(struct model *model, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
warn(struct model *model, const char *format, ...)
{
    struct model_memory *memory = model->memory;
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (memory->warnings < MODEL_WARNINGS_MAX)
        memory->warning[memory->warnings++] =
            arena_copy(memory->arena, text, strlen(text));
    log_warn("%s: %s", gguf_shown(model->gguf), text);
}

static void
warn_of_shape(struct model *model)
{
    const struct shape *shape = &model->shape;

    if (shape->groups_filled_in)
        warn(model,
             "the file has no expert groups; the published model's, %zu of "
             "which %zu are used, were filled in",
             shape->router.groups, shape->router.groups_used);
    if (shape->tied_output)
        warn(model, "there is no output.weight: the embedding is the output");
    if (shape->yarn_log_missing)
        warn(model, "rope.scaling.yarn_log_multiplier is missing: YaRN's "
                    "correction goes into the rotation too");
    if (shape->mtp_missing)
        warn(model, "nextn_predict_layers is set, but there are no prediction "
                    "blocks");
    if (shape->mtp_layers > 0)
        warn(model,
             "%" PRIu32 " prediction block%s (MTP, %zu tensors) %s not used "
             "yet and not loaded",
             shape->mtp_layers, shape->mtp_layers == 1 ? "" : "s",
             model->memory->census.mtp, shape->mtp_layers == 1 ? "is" : "are");
}

static bool
has_use(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->memory->census.uses; i++)
        if (strcmp(model->memory->use[i].rule->name, name) == 0)
            return true;
    return false;
}

static void
warn_of_tensors(struct model *model)
{
    const struct tensor_census *census = &model->memory->census;
    const struct shape *shape = &model->shape;

    if (census->unknown > 0)
        warn(model, "%zu unknown tensor%s ignored: %s%s", census->unknown,
             census->unknown == 1 ? " is" : "s are",
             census->first_unknown->name, census->unknown > 1 ? " ..." : "");
    if (census->ignored != NULL)
        warn(model, "tensors that are not needed are not loaded: %s%s",
             census->ignored->name, shape->layers > 1 ? " ..." : "");
    if (shape->experts > 0 && shape->router.gating == ROUTER_SIGMOID &&
        !has_use(model, "exp_probs_b.bias"))
        warn(model, "the router is a sigmoid without exp_probs_b.bias; files "
                    "of V3 and R1 that lack it answer nonsense");
}

/* vocab_size is only believed where it agrees. */
static void
warn_of_vocabulary(struct model *model)
{
    char key[96];
    uint64_t size;
    bool found;
    struct error ignored;

    snprintf(key, sizeof key, "%s.vocab_size", model->arch->name);
    if (gguf_uint_in(model->gguf, key, 0, UINT64_MAX, &size, &found,
                     &ignored) != STATUS_OK)
        warn(model, "%s is not a number of tokens", key);
    else if (found && size != model->shape.vocabulary)
        warn(model,
             "%s %" PRIu64 " is not believed: there are %" PRIu32 " tokens",
             key, size, model->shape.vocabulary);
}

static void
collect_warnings(struct model *model)
{
    size_t count;
    const char *const *text = gguf_warnings(model->gguf, &count);

    for (size_t i = 0; i < count; i++)
        warn(model, "%s", text[i]);
    warn_of_shape(model);
    warn_of_tensors(model);
    warn_of_vocabulary(model);
}

const char *const *
model_warnings(const struct model *model, size_t *count)
{
    *count = model->memory->warnings;
    return model->memory->warning;
}

// -- sizes ------------------------------------------------------------------

static size_t
pad(size_t bytes)
{
    return (bytes + WEIGHT_ALIGNMENT - 1) / WEIGHT_ALIGNMENT * WEIGHT_ALIGNMENT;
}

size_t
model_matrix_bytes(const struct format *format, size_t rows, size_t columns)
{
    return pad(rows * format_row_bytes(format, columns));
}

size_t
model_key_up_bytes(const struct shape *shape)
{
    return pad((size_t) shape->heads * shape->nope_width * shape->latent_width *
               sizeof(float));
}

static size_t
value_up_bytes(const struct shape *shape)
{
    return pad((size_t) shape->heads * shape->value_width *
               shape->latent_width * sizeof(float));
}

size_t
model_frequency_bytes(const struct shape *shape)
{
    return pad(shape->rope_width / 2 * sizeof(double));
}

size_t
model_use_bytes(const struct shape *shape, const struct tensor_use *use)
{
    const struct gguf_tensor *tensor = use->tensor;

    switch (use->rule->kind) {
    case KIND_KEY_VALUE:
        return model_key_up_bytes(shape) + value_up_bytes(shape);
    case KIND_KEY_UP:
        return model_key_up_bytes(shape);
    case KIND_VALUE_UP:
        return value_up_bytes(shape);
    case KIND_VECTOR:
    case KIND_MATRIX:
    case KIND_ROUTER:
        return model_matrix_bytes(tensor->format, tensor->extent[1],
                                  tensor->extent[0]);
    case KIND_EXPERTS:
    case KIND_GATE_UP:
    case KIND_DIVISORS:
    case KIND_IGNORED:
    default:
        return 0;
    }
}

bool
model_use_is_experts(const struct tensor_use *use)
{
    return use->rule->kind == KIND_EXPERTS || use->rule->kind == KIND_GATE_UP;
}

size_t
model_use_slot_bytes(const struct tensor_use *use)
{
    const struct gguf_tensor *tensor = use->tensor;
    size_t parts = use->rule->kind == KIND_GATE_UP ? 2 : 1;

    return parts * model_matrix_bytes(tensor->format, tensor->extent[1] / parts,
                                      tensor->extent[0]);
}

size_t
model_slot_bytes(const struct model *model, uint32_t layer)
{
    const struct model_memory *memory = model->memory;
    size_t bytes = 0;

    for (size_t i = 0; i < memory->census.uses; i++)
        if (model_use_is_experts(&memory->use[i]) &&
            memory->use[i].layer == layer)
            bytes += model_use_slot_bytes(&memory->use[i]);
    return bytes;
}

/* Bytes by role, and of every region. */
static void
measure(struct model *model)
{
    struct model_memory *memory = model->memory;
    const struct shape *shape = &model->shape;
    size_t fixed = model_frequency_bytes(shape);

    for (size_t i = 0; i < memory->census.uses; i++) {
        const struct tensor_use *use = &memory->use[i];

        fixed += model_use_bytes(shape, use);
        if (model_use_is_experts(use))
            model->bytes.experts_file += use->tensor->bytes;
        else
            model->bytes.fixed_file += use->tensor->bytes;
    }
    memory->region[0].bytes = fixed;
    model->bytes.fixed_device = fixed;
    for (uint32_t l = shape->dense_layers; l < shape->layers; l++) {
        size_t bytes = shape->experts * model_slot_bytes(model, l);
        memory->region[1 + l].bytes = bytes;
        model->bytes.experts_device += bytes;
    }
}

uint64_t
model_load_bytes(const struct model *model)
{
    return model->bytes.fixed_device + model->bytes.experts_device;
}

/* Bytes of a tensor that one token reads. */
static uint64_t
read_bytes(const struct model *model, const struct tensor_use *use)
{
    const struct shape *shape = &model->shape;
    uint64_t bytes = use->tensor->bytes;

    if (model_use_is_experts(use))
        return bytes / shape->experts * shape->experts_used;
    if (use->rule->class == CLASS_EMBEDDING && !shape->tied_output)
        return bytes / shape->vocabulary;
    return bytes;
}

uint64_t
model_token_bytes(const struct model *model)
{
    const struct model_memory *memory = model->memory;
    uint64_t bytes = 0;

    for (size_t i = 0; i < memory->census.uses; i++)
        bytes += read_bytes(model, &memory->use[i]);
    return bytes;
}

double
model_read_speed(const struct model *model)
{
    enum { STRETCH = 64 << 20, STRETCHES = 4 };
    const struct model_memory *memory = model->memory;
    struct device *device = model->device;
    double best = 0;
    size_t read = 0;

    for (size_t r = 0; r < memory->regions && read < STRETCHES; r++) {
        const struct region *region = &memory->region[r];

        for (size_t at = 0; region->bytes - at >= STRETCH && read < STRETCHES;
             at += STRETCH, read++) {
            double speed = device->ops->read_speed(
                device, (const char *) region->data + at, STRETCH);

            if (speed > best)
                best = speed;
        }
    }
    return best;
}

const char *
model_size_text(char out[24], uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double number = (double) bytes;
    size_t unit = 0;

    while (number >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        number /= 1024;
        unit++;
    }
    snprintf(out, 24, "%.*f %s", unit == 0 ? 0 : 1, number, units[unit]);
    return out;
}

// -- a model's life ---------------------------------------------------------

/* The model's arena: its limit follows from the tables' sizes. */
static enum status
open_memory(struct model *model, struct error *err)
{
    const struct shape *shape = &model->shape;
    struct model_memory *memory = model->memory;
    size_t tensors = gguf_tensors(model->gguf);
    size_t regions = 1 + (size_t) shape->layers;
    size_t limit =
        tensors * sizeof *memory->use + shape->layers * sizeof *model->layer +
        regions * sizeof *memory->region + shape->rope_width * sizeof(float) +
        MODEL_WARNINGS_MAX * 1024;

    TRY(arena_open(&memory->arena, limit + 4096, err));
    memory->use = arena_alloc(memory->arena, tensors * sizeof *memory->use);
    memory->region =
        arena_alloc(memory->arena, regions * sizeof *memory->region);
    memory->regions = regions;
    model->layer =
        arena_alloc(memory->arena, shape->layers * sizeof *model->layer);
    return STATUS_OK;
}

static enum status
open_parts(struct model *model, const char *path,
           const struct model_options *options, struct error *err)
{
    static const struct model_options defaults;
    void *memory;

    TRY(memory_alloc(&memory, sizeof *model->memory, err));
    model->memory = memory;
    TRY(gguf_open(&model->gguf, path, err));
    TRY(check_type(model->gguf, err));
    TRY(find_arch(model, err));
    TRY(model->arch->read_shape(&model->shape, model->gguf,
                                options != NULL ? options : &defaults, err));
    TRY(open_memory(model, err));
    TRY(tensor_table_check(model->memory->use, &model->memory->census,
                           model->gguf, &model->shape, err));
    TRY(check_vocabulary(model, err));
    measure(model);
    collect_warnings(model);
    return STATUS_OK;
}

enum status
model_open(struct model **out, const char *path,
           const struct model_options *options, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct model *model = memory;
    enum status status = open_parts(model, path, options, err);
    if (status != STATUS_OK) {
        model_close(model);
        return status;
    }
    *out = model;
    return STATUS_OK;
}

void
model_unload(struct model *model)
{
    struct model_memory *memory = model->memory;

    expert_store_close(model->experts);
    model->experts = NULL;
    for (size_t i = 0; i < memory->regions; i++) {
        struct region *region = &memory->region[i];
        if (region->data != NULL)
            model->device->ops->release(model->device, region->data,
                                        region->bytes);
        region->data = NULL;
    }
    model->device = NULL;
}

void
model_close(struct model *model)
{
    if (model == NULL)
        return;
    if (model->memory != NULL) {
        model_unload(model);
        arena_close(model->memory->arena);
        free(model->memory);
    }
    gguf_close(model->gguf);
    free(model);
}
