/*
 * Bringing weights to a device. All memory is asked for first; then the file
 * is read in its own order, in large pieces, by several threads, straight to
 * where the weights are used. What is kept in another form than the file's
 * (the expansion of latents, decoded to f32) goes through a thread's memory.
 */
#include "config.h"

#include "engine/arch/shape.h"
#include "engine/device/device.h"
#include "engine/experts/experts.h"
#include "engine/model_parts.h"

#include "storage/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Consecutive rows of the file with one place to go. */
struct load_item {
    const struct tensor_use *use;
    uint64_t offset; // in the file
    size_t rows, row_bytes;
    size_t region, at; // where it goes: byte of a region
    uint32_t expert;
};

struct load {
    struct model *model;
    struct load_item *item; // in the order of files and offsets
    size_t items;
    struct reader_piece *piece;
    size_t pieces, staging_bytes;
    struct reader_file *file;
    char **host;          // of each region: where the host writes
    uint64_t done_before; // bytes of earlier runs
    model_progress_fn *progress;
    void *context;
    const _Atomic bool *cancel;
    unsigned readers;
    bool forget;
};

enum { ALL_REGIONS = -1 };

// -- memory -----------------------------------------------------------------

/* Refused before anything is asked for or read. */
static enum status
check_memory(const struct model *model, size_t available, struct error *err)
{
    uint64_t need = model_load_bytes(model);
    char needs[24], has[24];

    if (need <= available)
        return STATUS_OK;
    return error_set(err, STATUS_LIMIT,
                     "%s needs %s of memory for its weights, and only %s is "
                     "available",
                     gguf_shown(model->gguf), model_size_text(needs, need),
                     model_size_text(has, available));
}

static enum status
allocate_regions(struct model *model, struct error *err)
{
    struct model_memory *memory = model->memory;
    struct device *device = model->device;
    char what[48] = "the fixed weights";

    for (size_t i = 0; i < memory->regions; i++) {
        struct region *region = &memory->region[i];

        if (i > 0)
            snprintf(what, sizeof what, "the experts of layer %zu", i - 1);
        if (region->bytes > 0)
            TRY(device->ops->alloc(device, &region->data, region->bytes, what,
                                   err));
    }
    return STATUS_OK;
}

// -- where each tensor goes -------------------------------------------------

static struct weight
matrix_at(const void *data, const struct format *format, size_t rows,
          size_t columns)
{
    return (struct weight){
        .format = format_plain(format), // interleaved rows are taken apart
        .layout = LAYOUT_ROWS,
        .rows = rows,
        .columns = columns,
        .data = data,
    };
}

/* Points model or layer at a tensor of the fixed region. */
static void
point_fixed(struct model *model, const struct tensor_use *use, char *data)
{
    const struct gguf_tensor *tensor = use->tensor;
    struct layer *layer = &model->layer[use->layer];
    char *owner =
        tensor_rule_in_layer(use->rule) ? (char *) layer : (char *) model;
    void *field = owner + use->rule->field, *place = data;

    switch (use->rule->kind) {
    case KIND_VECTOR:
        *(const float **) field = place;
        break;
    case KIND_MATRIX:
    case KIND_ROUTER:
        *(struct weight *) field = matrix_at(
            place, tensor->format, tensor->extent[1], tensor->extent[0]);
        break;
    case KIND_KEY_VALUE:
        layer->key_up = place;
        place = data + model_key_up_bytes(&model->shape);
        layer->value_up = place;
        break;
    case KIND_KEY_UP:
        layer->key_up = place;
        break;
    case KIND_VALUE_UP:
        layer->value_up = place;
        break;
    case KIND_EXPERTS:
    case KIND_GATE_UP:
    case KIND_DIVISORS:
    case KIND_IGNORED:
    default:
        break;
    }
}

/* Points a layer's stacks at the slots: gate, up and down side by side. */
static void
point_experts(struct model *model, struct expert_layer *layers,
              const struct tensor_use *use, size_t slot_bytes, char *data)
{
    struct expert_layer *layer = &layers[use->layer];
    const struct gguf_tensor *tensor = use->tensor;
    size_t rows = tensor->extent[1], columns = tensor->extent[0];
    bool both = use->rule->kind == KIND_GATE_UP;
    struct expert_stack *stack = use->rule->class == CLASS_GATE ? &layer->gate
                                 : use->rule->class == CLASS_UP ? &layer->up
                                                                : &layer->down;

    layer->experts = model->shape.experts;
    if (both)
        rows /= 2;
    stack->first = matrix_at(data, tensor->format, rows, columns);
    stack->expert_stride = slot_bytes;
    if (both) {
        data += model_matrix_bytes(tensor->format, rows, columns);
        layer->up = *stack;
        layer->up.first.data = data;
    }
}

/* Called for every use with its place: a region and a byte of it. */
typedef void place_fn(struct load *load, const struct tensor_use *use,
                      size_t region, size_t at, size_t slot_bytes,
                      void *context);

/* Deals out the regions' bytes; the one place that knows the order. */
static void
for_each_place(struct load *load, place_fn *visit, void *context)
{
    struct model *model = load->model;
    const struct model_memory *memory = model->memory;
    size_t fixed_at = model_frequency_bytes(&model->shape);
    size_t slot_at = 0, slot_bytes = 0, region = 0;

    for (size_t i = 0; i < memory->census.uses; i++) {
        const struct tensor_use *use = &memory->use[i];

        if (!model_use_is_experts(use)) {
            visit(load, use, 0, fixed_at, 0, context);
            fixed_at += model_use_bytes(&model->shape, use);
            continue;
        }
        if (region != 1 + (size_t) use->layer) {
            region = 1 + (size_t) use->layer;
            slot_bytes = model_slot_bytes(model, use->layer);
            slot_at = 0;
        }
        visit(load, use, region, slot_at, slot_bytes, context);
        slot_at += model_use_slot_bytes(use);
    }
}

static void
point_use(struct load *load, const struct tensor_use *use, size_t region,
          size_t at, size_t slot_bytes, void *context)
{
    struct model *model = load->model;
    char *base = model->memory->region[region].data;

    if (region > 0)
        point_experts(model, context, use, slot_bytes, base + at);
    else
        point_fixed(model, use, base + at);
}

static enum status
point_model(struct load *load, struct error *err)
{
    struct model *model = load->model;
    const struct shape *shape = &model->shape;
    struct expert_layer *layers;
    void *memory;

    TRY(memory_alloc(&memory, shape->layers * sizeof *layers, err));
    layers = memory;
    for_each_place(load, point_use, layers);
    model->rope_frequency = model->memory->region[0].data;
    if (shape->tied_output)
        model->output = model->embedding;
    enum status status = STATUS_OK;
    for (uint32_t l = shape->dense_layers; l < shape->layers; l++)
        model->layer[l].has_experts = true;
    if (shape->experts > 0)
        status = resident_open(&model->experts, layers, shape->layers, err);
    free(layers);
    return status;
}

// -- what is to be read -----------------------------------------------------

static void
count_items(struct load *load, const struct tensor_use *use, size_t region,
            size_t at, size_t slot_bytes, void *context)
{
    (void) at;
    (void) slot_bytes;
    (void) context;
    load->items += region == 0 ? 1
                   : use->rule->kind == KIND_GATE_UP
                       ? 2 * use->tensor->extent[2]
                       : use->tensor->extent[2];
}

/* An item of `rows` rows that begin at row `first` of its tensor. */
static void
add_item(struct load *load, const struct tensor_use *use, size_t first,
         size_t rows, size_t region, size_t at, uint32_t expert)
{
    const struct gguf_tensor *tensor = use->tensor;
    size_t row_bytes = format_row_bytes(tensor->format, tensor->extent[0]);

    load->item[load->items++] = (struct load_item){
        .use = use,
        .offset = tensor->offset_bytes + first * row_bytes,
        .rows = rows,
        .row_bytes = row_bytes,
        .region = region,
        .at = at,
        .expert = expert,
    };
}

static void
add_items(struct load *load, const struct tensor_use *use, size_t region,
          size_t at, size_t slot_bytes, void *context)
{
    const struct gguf_tensor *tensor = use->tensor;
    size_t rows = tensor->extent[1];

    (void) context;
    if (region == 0) {
        add_item(load, use, 0, rows * tensor->extent[2], 0, at, 0);
        return;
    }
    size_t parts = use->rule->kind == KIND_GATE_UP ? 2 : 1;
    size_t part = rows / parts;
    size_t bytes = model_matrix_bytes(tensor->format, part, tensor->extent[0]);
    for (uint32_t e = 0; e < tensor->extent[2]; e++)
        for (size_t p = 0; p < parts; p++)
            add_item(load, use, e * rows + p * part, part, region,
                     at + e * slot_bytes + p * bytes, e);
}

static int
compare_items(const void *a, const void *b)
{
    const struct load_item *x = a, *y = b;
    unsigned s = x->use->tensor->shard, t = y->use->tensor->shard;

    if (s != t)
        return s < t ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static enum status
list_items(struct load *load, struct error *err)
{
    void *memory;

    load->items = 0;
    for_each_place(load, count_items, NULL);
    TRY(memory_alloc(&memory, load->items * sizeof *load->item, err));
    load->item = memory;
    load->items = 0;
    for_each_place(load, add_items, NULL);
    qsort(load->item, load->items, sizeof *load->item, compare_items);
    return STATUS_OK;
}

/* Whether weights are kept in another form than the file's. */
static bool
is_staged(const struct load_item *item)
{
    enum tensor_kind kind = item->use->rule->kind;

    return kind == KIND_KEY_VALUE || kind == KIND_KEY_UP ||
           kind == KIND_VALUE_UP || kind == KIND_DIVISORS ||
           item->use->tensor->format->interleaved > 1;
}

/* Rows of one request: whole groups of interleaved ones. */
static size_t
piece_rows(const struct load_item *item)
{
    size_t group = item->use->tensor->format->interleaved;
    size_t rows = READER_PIECE_BYTES / item->row_bytes / group * group;

    return rows == 0 ? group : rows < item->rows ? rows : item->rows;
}

static void
add_pieces(struct load *load, uint32_t i)
{
    const struct load_item *item = &load->item[i];
    size_t step = piece_rows(item);
    char *to = load->host[item->region] + item->at;

    for (size_t row = 0; row < item->rows; row += step) {
        size_t rows = item->rows - row < step ? item->rows - row : step;
        struct reader_piece *piece = &load->piece[load->pieces++];

        piece->file = item->use->tensor->shard;
        piece->item = i;
        piece->offset = item->offset + row * item->row_bytes;
        piece->bytes = rows * item->row_bytes;
        piece->to = is_staged(item) ? NULL : to + row * item->row_bytes;
        if (is_staged(item) && piece->bytes > load->staging_bytes)
            load->staging_bytes = piece->bytes;
    }
}

static bool
in_run(const struct load_item *item, int region)
{
    return region == ALL_REGIONS || item->region == (size_t) region;
}

/* Cuts the items of one region, or of all, into requests. */
static enum status
list_pieces(struct load *load, int region, struct error *err)
{
    size_t count = 0;
    void *memory;

    for (size_t i = 0; i < load->items; i++)
        if (in_run(&load->item[i], region)) {
            size_t step = piece_rows(&load->item[i]);
            count += (load->item[i].rows + step - 1) / step;
        }
    free(load->piece);
    load->piece = NULL;
    TRY(memory_alloc(&memory, count * sizeof *load->piece, err));
    load->piece = memory;
    load->pieces = 0;
    load->staging_bytes = 0;
    for (size_t i = 0; i < load->items; i++)
        if (in_run(&load->item[i], region))
            add_pieces(load, (uint32_t) i);
    return STATUS_OK;
}

static enum status
list_files(struct load *load, struct error *err)
{
    const struct gguf *gguf = load->model->gguf;
    void *memory;

    TRY(memory_alloc(&memory, gguf_shards(gguf) * sizeof *load->file, err));
    load->file = memory;
    for (size_t i = 0; i < gguf_shards(gguf); i++)
        load->file[i] = (struct reader_file){gguf_shard_path(gguf, i),
                                             gguf_shard_shown(gguf, i)};
    return STATUS_OK;
}

// -- what arrived -----------------------------------------------------------

static enum status
refuse_scale(const struct load *load, const struct load_item *item, size_t row,
             struct error *err)
{
    const struct gguf_tensor *tensor = item->use->tensor;
    char expert[32] = "";

    if (model_use_is_experts(item->use))
        snprintf(expert, sizeof expert, "expert %" PRIu32 ", ", item->expert);
    return error_set(err, STATUS_FORMAT,
                     "%s: %s: %srow %zu: a %s is not finite: the file is "
                     "damaged",
                     gguf_shard_shown(load->model->gguf, tensor->shard),
                     tensor->name, expert, row,
                     tensor->format->contract == CONTRACT_FLOAT ? "value"
                                                                : "scale");
}

/* Every scale of the rows is a finite number. */
static enum status
check_rows(const struct load *load, const struct load_item *item, size_t first,
           size_t rows, const uint8_t *data, struct error *err)
{
    const struct format *format = item->use->tensor->format;
    size_t elems = item->use->tensor->extent[0], step = format->interleaved;

    if (format_scales_finite(format, data, rows * item->row_bytes, elems))
        return STATUS_OK;
    for (size_t r = 0; r + step < rows; r += step)
        if (!format_scales_finite(format, data + r * item->row_bytes,
                                  step * item->row_bytes, elems))
            return refuse_scale(load, item, first + r, err);
    return refuse_scale(load, item, first + rows - step, err);
}

/* Rows that are stored in another form, from a request at `rows`. */
struct staged_row {
    const struct format *format;
    const uint8_t *group; // of interleaved rows, or the row
    unsigned lane;
};

static void
decode(struct staged_row row, float *to, size_t elems)
{
    format_decode_row(row.format, row.group, row.lane, to, elems);
}

/* Row r of attn_kv_b: each head's keys, then its values. */
static void
place_key_value(const struct shape *shape, struct staged_row row, size_t r,
                float *key_up, float *value_up)
{
    size_t head = r / (shape->nope_width + shape->value_width);
    size_t i = r % (shape->nope_width + shape->value_width);
    bool is_key = i < shape->nope_width;
    size_t to = is_key ? head * shape->nope_width + i
                       : head * shape->value_width + i - shape->nope_width;

    decode(row, (is_key ? key_up : value_up) + to * shape->latent_width,
           shape->latent_width);
}

/* Row r of attn_k_b: one channel of the latent, over a head's keys. */
static void
place_key_up(const struct shape *shape, struct staged_row row, size_t r,
             float *key_up)
{
    size_t latent = shape->latent_width, nope = shape->nope_width;
    float values[SHAPE_HEAD_WIDTH_MAX];
    float *head = key_up + r / latent * nope * latent;

    decode(row, values, nope);
    for (size_t i = 0; i < nope; i++)
        head[i * latent + r % latent] = values[i];
}

static void
place_row(const struct load *load, const struct load_item *item, size_t r,
          struct staged_row row)
{
    const struct shape *shape = &load->model->shape;
    char *place = load->host[item->region] + item->at;
    void *to = place, *value_up = place + model_key_up_bytes(shape);
    float *floats = to;

    switch (item->use->rule->kind) {
    case KIND_KEY_VALUE:
        place_key_value(shape, row, r, floats, value_up);
        break;
    case KIND_KEY_UP:
        place_key_up(shape, row, r, floats);
        break;
    case KIND_VALUE_UP:
        decode(row, floats + r * shape->latent_width, shape->latent_width);
        break;
    case KIND_DIVISORS:
        decode(row, load->model->memory->divisors, shape->rope_width / 2);
        break;
    case KIND_MATRIX:
    case KIND_EXPERTS:
    case KIND_GATE_UP:
        // the group's first row brings the others along
        if (row.lane == 0)
            format_unpack_rows(row.format, row.group,
                               (uint8_t *) place + r * item->row_bytes,
                               item->use->tensor->extent[0]);
        break;
    case KIND_VECTOR:
    case KIND_ROUTER:
    case KIND_IGNORED:
    default:
        break; // as in the file: read straight to their place
    }
}

static void
place_rows(const struct load *load, const struct load_item *item, size_t first,
           size_t rows, const uint8_t *data)
{
    const struct format *format = item->use->tensor->format;
    size_t group = format->interleaved;

    for (size_t r = 0; r < rows; r++) {
        const struct staged_row row = {
            .format = format,
            .group = data + r / group * group * item->row_bytes,
            .lane = (unsigned) (r % group),
        };
        place_row(load, item, first + r, row);
    }
}

static enum status
piece_arrived(void *context, const struct reader_piece *piece, void *data,
              struct error *err)
{
    const struct load *load = context;
    const struct load_item *item = &load->item[piece->item];
    size_t first = (piece->offset - item->offset) / item->row_bytes;
    size_t rows = piece->bytes / item->row_bytes;

    TRY(check_rows(load, item, first, rows, data, err));
    if (piece->to == NULL)
        place_rows(load, item, first, rows, data);
    return STATUS_OK;
}

// -- reading ----------------------------------------------------------------

static void
run_progress(void *context, uint64_t done_bytes)
{
    const struct load *load = context;
    const struct model_bytes *bytes = &load->model->bytes;

    load->progress(load->context, load->done_before + done_bytes,
                   bytes->fixed_file + bytes->experts_file);
}

static enum status
run(struct load *load, int region, struct error *err)
{
    TRY(list_pieces(load, region, err));
    struct reader_plan plan = {
        .file = load->file,
        .files = gguf_shards(load->model->gguf),
        .piece = load->piece,
        .pieces = load->pieces,
        .staging_bytes = load->staging_bytes,
        .arrived = piece_arrived,
        .progress = load->progress != NULL ? run_progress : NULL,
        .context = load,
        .cancel = load->cancel,
        .forget = load->forget,
    };
    TRY(reader_run(&plan, load->readers, err));
    for (size_t i = 0; i < load->pieces; i++)
        load->done_before += load->piece[i].bytes;
    return STATUS_OK;
}

/* A region of a device whose memory the host cannot write. */
static enum status
run_through_host(struct load *load, size_t i, struct error *err)
{
    struct region *region = &load->model->memory->region[i];
    struct device *device = load->model->device;
    void *host;

    if (region->bytes == 0)
        return STATUS_OK;
    TRY(pages_alloc(&host, region->bytes, "loading weights", err));
    load->host[i] = host;
    enum status status = run(load, (int) i, err);
    if (status == STATUS_OK) {
        device->ops->upload(device, region->data, host, region->bytes);
        status = device->ops->wait(device, err);
    }
    pages_free(host, region->bytes);
    return status;
}

static enum status
run_all(struct load *load, struct error *err)
{
    struct model_memory *memory = load->model->memory;
    void *pointers;

    TRY(memory_alloc(&pointers, memory->regions * sizeof *load->host, err));
    load->host = pointers;
    for (size_t i = 0; i < memory->regions; i++)
        load->host[i] = memory->region[i].data;
    if (load->model->device->host_memory)
        return run(load, ALL_REGIONS, err);
    for (size_t i = 0; i < memory->regions; i++)
        TRY(run_through_host(load, i, err));
    return STATUS_OK;
}

static enum status
check_divisors(const struct model *model, struct error *err)
{
    const float *divisors = model->memory->divisors;

    for (uint32_t i = 0; divisors != NULL && i < model->shape.rope_width / 2;
         i++)
        if (!(divisors[i] > 0))
            return error_set(err, STATUS_FORMAT,
                             "%s: rope_freqs.weight: element %" PRIu32
                             " is %g, more than 0 is wanted",
                             gguf_shown(model->gguf), i, (double) divisors[i]);
    return STATUS_OK;
}

/* Frequencies go last: their divisors come from the file. */
static enum status
put_frequencies(struct model *model, struct error *err)
{
    size_t pairs = model->shape.rope_width / 2;
    struct device *device = model->device;
    void *memory;

    TRY(check_divisors(model, err));
    TRY(memory_alloc(&memory, pairs * sizeof(double), err));
    shape_rope_frequency(&model->shape, model->memory->divisors, memory);
    device->ops->upload(device, model->rope_frequency, memory,
                        pairs * sizeof(double));
    enum status status = device->ops->wait(device, err);
    free(memory);
    return status;
}

static void
make_room_for_divisors(struct model *model)
{
    struct model_memory *memory = model->memory;

    for (size_t i = 0; i < memory->census.uses; i++)
        if (memory->use[i].rule->kind == KIND_DIVISORS &&
            memory->divisors == NULL)
            memory->divisors = arena_alloc(
                memory->arena, model->shape.rope_width / 2 * sizeof(float));
}

static enum status
load_all(struct load *load, struct error *err)
{
    make_room_for_divisors(load->model);
    TRY(allocate_regions(load->model, err));
    TRY(point_model(load, err));
    TRY(list_files(load, err));
    TRY(list_items(load, err));
    TRY(run_all(load, err));
    return put_frequencies(load->model, err);
}

enum status
model_load(struct model *model, struct device *device, unsigned readers,
           model_progress_fn *progress, void *context,
           const _Atomic bool *cancel, struct error *err)
{
    size_t available = memory_available_bytes();
    struct load load = {
        .model = model,
        .progress = progress,
        .context = context,
        .cancel = cancel,
        .readers = readers,
        // a file this large would push everything else out of the page cache
        .forget = gguf_file_bytes(model->gguf) > available / 2,
    };

    assert(model->device == NULL);
    TRY(check_memory(model, available, err));
    model->device = device;
    enum status status = load_all(&load, err);
    free(load.item);
    free(load.piece);
    free(load.file);
    free(load.host);
    if (status != STATUS_OK)
        model_unload(model);
    return status;
}
