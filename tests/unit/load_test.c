/*
 * engine/model.h, model_load: every weight is where the forward pass looks
 * for it, in every form that files have, however it was read.
 */
#include "config.h"

#include "engine/arch/shape.h"
#include "engine/engine.h"
#include "engine/model_parts.h"
#include "tests/unit/published.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_NAME "load_test.gguf"

/* Wide enough that a tensor takes several requests. */
static const struct published tiny = {
    .name = "tiny",
    .blocks = 2,
    .hidden = 512,
    .heads = 3,
    .query_rank = 256,
    .latent = 64,
    .nope = 32,
    .rope = 16,
    .value = 256,
    .dense_width = 2144,
    .dense_layers = 1,
    .experts = 6,
    .used = 2,
    .shared = 2,
    .expert_width = 96,
    .vocabulary = 8191,
    .gating = 2,
    .bias = true,
    .scale = 1,
    .rope_base = 1e4F,
};

static const struct published_llama tiny_llama = {"tiny", 2,   256, 4,    2,
                                                  64,     256, 64,  true, true};

static struct error err;
static struct device *device;

static int
open_device(void **state)
{
    const struct device_cpu_options options = {.threads = 1,
                                               .level = cpu_level()};

    (void) state;
    return device_cpu_open(&device, &options, &err) == STATUS_OK ? 0 : -1;
}

static int
close_device(void **state)
{
    (void) state;
    device_close(device);
    remove(FILE_NAME);
    return 0;
}

static void
write_tiny(enum published_layout layout)
{
    struct model_writer w;

    writer_init(&w, 32);
    published_write(&w, &tiny, layout);
    assert_true(writer_save(&w, FILE_NAME));
    writer_release(&w);
    writer_fill(FILE_NAME, 7);
}

static struct model *
open_model(const char *path)
{
    struct model *model;

    if (model_open(&model, path, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return model;
}

static struct model *
load_model(const char *path, unsigned readers)
{
    struct model *model = open_model(path);

    if (model_load(model, device, readers, NULL, NULL, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return model;
}

// -- what is in the file ----------------------------------------------------

/* A tensor's values, decoded; the caller frees them. */
static float *
decoded(const struct gguf *gguf, const char *name)
{
    const struct gguf_tensor *tensor = gguf_tensor_find(gguf, name);

    assert_non_null(tensor);
    const struct format *format = tensor->format;
    size_t columns = tensor->extent[0];
    size_t rows = tensor->extent[1] * tensor->extent[2];
    size_t row_bytes = format_row_bytes(format, columns);
    FILE *file = fopen(gguf_shard_path(gguf, tensor->shard), "rb");
    uint8_t *bytes = malloc(tensor->bytes);
    float *values = malloc(rows * columns * sizeof *values);

    assert_non_null(file);
    assert_int_equal(fseek(file, (long) tensor->offset_bytes, SEEK_SET), 0);
    assert_int_equal(fread(bytes, 1, tensor->bytes, file), tensor->bytes);
    fclose(file);
    for (size_t r = 0; r < rows; r++)
        format_decode_row(format,
                          bytes + r / format->interleaved *
                                      format->interleaved * row_bytes,
                          (unsigned) (r % format->interleaved),
                          values + r * columns, columns);
    free(bytes);
    return values;
}

static void
expect_same(const float *have, const float *wanted, size_t count,
            const char *what)
{
    for (size_t i = 0; i < count; i++)
        if (have[i] != wanted[i])
            fail_msg("%s: element %zu is %g, %g wanted", what, i,
                     (double) have[i], (double) wanted[i]);
}

/* The matrix has the values of rows first .. of the tensor. */
static void
expect_rows(const struct weight *weight, const float *values, size_t first,
            const char *what)
{
    float *row = malloc(weight->columns * sizeof *row);
    const uint8_t *data = weight->data;

    assert_int_equal(weight->format->interleaved, 1);
    assert_int_equal((uintptr_t) data % 64, 0);
    for (size_t r = 0; r < weight->rows; r++) {
        format_decode_row(
            weight->format,
            data + r * format_row_bytes(weight->format, weight->columns), 0,
            row, weight->columns);
        expect_same(row, values + (first + r) * weight->columns,
                    weight->columns, what);
    }
    free(row);
}

static void
expect_matrix(const struct model *model, const struct weight *weight,
              const char *name)
{
    const struct gguf_tensor *tensor = gguf_tensor_find(model->gguf, name);
    float *values = decoded(model->gguf, name);

    assert_non_null(weight->format);
    assert_int_equal(weight->rows, tensor->extent[1]);
    assert_int_equal(weight->columns, tensor->extent[0]);
    expect_rows(weight, values, 0, name);
    free(values);
}

static void
expect_vector(const struct model *model, const float *vector, const char *name)
{
    float *values = decoded(model->gguf, name);

    assert_non_null(vector);
    expect_same(vector, values, gguf_tensor_find(model->gguf, name)->extent[0],
                name);
    free(values);
}

// -- where it must be -------------------------------------------------------

static void
expect_attention(const struct model *model, const struct layer *layer,
                 const char *block)
{
    char name[64];

#define NAME(suffix) (snprintf(name, sizeof name, "%s" suffix, block), name)
    expect_vector(model, layer->attention_norm, NAME("attn_norm.weight"));
    expect_matrix(model, &layer->q_a, NAME("attn_q_a.weight"));
    expect_vector(model, layer->q_a_norm, NAME("attn_q_a_norm.weight"));
    expect_matrix(model, &layer->q_b, NAME("attn_q_b.weight"));
    expect_matrix(model, &layer->kv_a, NAME("attn_kv_a_mqa.weight"));
    expect_vector(model, layer->kv_a_norm, NAME("attn_kv_a_norm.weight"));
    expect_matrix(model, &layer->o, NAME("attn_output.weight"));
    expect_vector(model, layer->ffn_norm, NAME("ffn_norm.weight"));
    assert_null(layer->q.format);
    assert_null(layer->k.format);
}

static void
expect_experts(const struct model *model, uint32_t l, const char *block)
{
    char name[64];
    float *gate = decoded(model->gguf, NAME("ffn_gate_exps.weight"));
    float *up = decoded(model->gguf, NAME("ffn_up_exps.weight"));
    float *down = decoded(model->gguf, NAME("ffn_down_exps.weight"));

    for (uint32_t e = 0; e < model->shape.experts; e++) {
        struct expert expert;
        struct expert_store *store = model->experts;

        assert_int_equal(store->ops->wait(store, l, e, &expert, &err),
                         STATUS_OK);
        assert_int_equal(expert.gate.rows, tiny.expert_width);
        assert_int_equal(expert.down.rows, tiny.hidden);
        expect_rows(&expert.gate, gate, e * expert.gate.rows, "gate");
        expect_rows(&expert.up, up, e * expert.up.rows, "up");
        expect_rows(&expert.down, down, e * expert.down.rows, "down");
        // one expert lies together
        assert_true((const char *) expert.up.data >
                    (const char *) expert.gate.data);
        assert_true((const char *) expert.down.data -
                        (const char *) expert.gate.data <
                    (ptrdiff_t) model_slot_bytes(model, l));
        store->ops->release(store, l, e);
    }
    free(gate);
    free(up);
    free(down);
}

static void
expect_feed_forward(const struct model *model, uint32_t l, const char *block)
{
    const struct layer *layer = &model->layer[l];
    char name[64];

    if (l == 0) {
        assert_false(layer->has_experts);
        expect_matrix(model, &layer->gate, NAME("ffn_gate.weight"));
        expect_matrix(model, &layer->up, NAME("ffn_up.weight"));
        expect_matrix(model, &layer->down, NAME("ffn_down.weight"));
        return;
    }
    assert_true(layer->has_experts);
    expect_matrix(model, &layer->router, NAME("ffn_gate_inp.weight"));
    expect_vector(model, layer->router_bias, NAME("exp_probs_b.bias"));
    expect_matrix(model, &layer->gate, NAME("ffn_gate_shexp.weight"));
    expect_matrix(model, &layer->up, NAME("ffn_up_shexp.weight"));
    expect_matrix(model, &layer->down, NAME("ffn_down_shexp.weight"));
    expect_experts(model, l, block);
}

/* Row (head, i) of an expansion against row `r` of a decoded tensor. */
static void
expect_joined(const struct model *model, const struct layer *layer,
              const char *block)
{
    const struct shape *s = &model->shape;
    char name[64];
    float *values = decoded(model->gguf, NAME("attn_kv_b.weight"));
    size_t latent = s->latent_width, both = s->nope_width + s->value_width;

    for (size_t h = 0; h < s->heads; h++) {
        expect_same(layer->key_up + h * s->nope_width * latent,
                    values + h * both * latent, s->nope_width * latent,
                    "key_up");
        expect_same(layer->value_up + h * s->value_width * latent,
                    values + (h * both + s->nope_width) * latent,
                    s->value_width * latent, "value_up");
    }
    free(values);
}

/* attn_k_b holds, for each head, (latent, nope): the other way round. */
static void
expect_split(const struct model *model, const struct layer *layer,
             const char *block)
{
    const struct shape *s = &model->shape;
    char name[64];
    float *keys = decoded(model->gguf, NAME("attn_k_b.weight"));
    float *values = decoded(model->gguf, NAME("attn_v_b.weight"));
    size_t latent = s->latent_width, nope = s->nope_width;

    for (size_t h = 0; h < s->heads; h++)
        for (size_t i = 0; i < nope; i++)
            for (size_t c = 0; c < latent; c++)
                expect_same(&layer->key_up[(h * nope + i) * latent + c],
                            &keys[(h * latent + c) * nope + i], 1, "key_up");
    expect_same(layer->value_up, values, s->heads * s->value_width * latent,
                "value_up");
    free(keys);
    free(values);
}

static void
expect_model(const struct model *model)
{
    double frequency[SHAPE_ROPE_MAX / 2];
    char block[16];

    expect_matrix(model, &model->embedding, "token_embd.weight");
    expect_matrix(model, &model->output, "output.weight");
    expect_vector(model, model->output_norm, "output_norm.weight");
    for (uint32_t l = 0; l < model->shape.layers; l++) {
        const struct layer *layer = &model->layer[l];

        snprintf(block, sizeof block, "blk.%u.", l);
        expect_attention(model, layer, block);
        if (model->shape.split_key_value)
            expect_split(model, layer, block);
        else
            expect_joined(model, layer, block);
        expect_feed_forward(model, l, block);
    }
    shape_rope_frequency(&model->shape, NULL, frequency);
    assert_memory_equal(model->rope_frequency, frequency,
                        model->shape.rope_width / 2 * sizeof *frequency);
}

static void
every_weight_is_in_its_place(void **state)
{
    (void) state;
    for (int layout = PUBLISHED_OLD; layout <= PUBLISHED_NEW; layout++) {
        write_tiny((enum published_layout) layout);
        struct model *model = load_model(FILE_NAME, 2);
        expect_model(model);
        model_close(model);
    }
}

// -- however it is read -----------------------------------------------------

static void
expect_same_regions(const struct model *a, const struct model *b)
{
    assert_int_equal(a->memory->regions, b->memory->regions);
    for (size_t i = 0; i < a->memory->regions; i++) {
        const struct region *x = &a->memory->region[i];
        const struct region *y = &b->memory->region[i];

        assert_int_equal(x->bytes, y->bytes);
        if (x->bytes > 0)
            assert_memory_equal(x->data, y->data, x->bytes);
    }
}

static void
any_number_of_readers_gives_the_same(void **state)
{
    (void) state;
    write_tiny(PUBLISHED_NEW);
    struct model *one = load_model(FILE_NAME, 1);
    for (unsigned readers = 0; readers <= 9; readers += 3) {
        struct model *other = load_model(FILE_NAME, readers);
        expect_same_regions(one, other);
        model_close(other);
    }
    model_close(one);
}

/* As where the host cannot write into the device's memory. */
static void
a_device_apart_gets_the_same(void **state)
{
    (void) state;
    write_tiny(PUBLISHED_OLD);
    struct model *one = load_model(FILE_NAME, 2);
    device->host_memory = false;
    struct model *other = load_model(FILE_NAME, 2);
    device->host_memory = true;
    expect_same_regions(one, other);
    expect_model(other);
    model_close(one);
    model_close(other);
}

static void
a_split_set_gives_the_same(void **state)
{
    char path[64];

    (void) state;
    write_tiny(PUBLISHED_NEW);
    struct model *one = load_model(FILE_NAME, 2);
    writer_split(one->gguf, "load_test", 5, true);
    writer_shard_path(path, sizeof path, "load_test", 0, 5);
    struct model *other = load_model(path, 3);
    expect_same_regions(one, other);
    model_close(one);
    model_close(other);
    for (unsigned i = 0; i < 5; i++) {
        writer_shard_path(path, sizeof path, "load_test", i, 5);
        remove(path);
    }
}

/* The tiny model with one tensor in another form. */
static struct model *
load_with(const char *name, const char *as, int32_t format, uint64_t a,
          uint64_t b, uint64_t c)
{
    const uint64_t extent[4] = {a, b, c, 0};
    struct model_writer w;

    writer_init(&w, 32);
    w.without = name;
    published_write(&w, &tiny, PUBLISHED_NEW);
    w.without = NULL;
    writer_tensor(&w, as, format, extent, NULL);
    assert_true(writer_save(&w, FILE_NAME));
    writer_release(&w);
    writer_fill(FILE_NAME, 11);
    return load_model(FILE_NAME, 2);
}

static void
interleaved_rows_are_taken_apart(void **state)
{
    const struct format *format;

    (void) state;
    for (size_t i = 0; (format = format_at(i)) != NULL; i++) {
        if (format->id < 0 || format->interleaved == 1 ||
            format->header_bytes > 0 || // random bits would be no number
            format_plain(format)->contract == CONTRACT_NONE)
            continue;
        struct model *model =
            load_with("blk.0.attn_q_a.weight", "blk.0.attn_q_a.weight",
                      format->id, 512, 256, 0);
        expect_matrix(model, &model->layer[0].q_a, "blk.0.attn_q_a.weight");
        model_close(model);
        model = load_with("blk.1.ffn_up_exps.weight",
                          "blk.1.ffn_up_exps.weight", format->id, 512, 96, 6);
        expect_experts(model, 1, "blk.1.");
        model_close(model);
    }
}

static void
gate_and_up_in_one_tensor_are_parted(void **state)
{
    const uint64_t both[4] = {512, 192, 6};
    struct model_writer w;

    (void) state;
    writer_init(&w, 32);
    w.without = "blk.1.ffn_gate_exps.weight";
    published_write(&w, &tiny, PUBLISHED_NEW);
    w.without = NULL;
    writer_tensor(&w, "blk.1.ffn_gate_up_exps.weight", FORMAT_Q8_0, both, NULL);
    assert_true(writer_save(&w, FILE_NAME));
    writer_release(&w);
    writer_fill(FILE_NAME, 13);
    struct model *model = load_model(FILE_NAME, 2);
    float *values = decoded(model->gguf, "blk.1.ffn_gate_up_exps.weight");
    for (uint32_t e = 0; e < tiny.experts; e++) {
        struct expert expert;

        assert_int_equal(
            model->experts->ops->wait(model->experts, 1, e, &expert, &err),
            STATUS_OK);
        expect_rows(&expert.gate, values, e * 192, "gate");
        expect_rows(&expert.up, values, e * 192 + 96, "up");
    }
    free(values);
    model_close(model);
}

/* Grouped attention: divisors of frequencies, and the embedding as output. */
static void
llama_weights_are_in_their_place(void **state)
{
    struct model_writer w;
    double frequency[32];
    float divisors[32];

    (void) state;
    writer_init(&w, 32);
    published_write_llama(&w, &tiny_llama);
    assert_true(writer_save(&w, FILE_NAME));
    writer_release(&w);
    writer_fill(FILE_NAME, 17);
    struct gguf *gguf;
    assert_int_equal(gguf_open(&gguf, FILE_NAME, &err), STATUS_OK);
    FILE *file = fopen(FILE_NAME, "r+b");
    assert_non_null(file);
    for (int i = 0; i < 32; i++)
        divisors[i] = (float) (1 + i % 5);
    fseek(file,
          (long) gguf_tensor_find(gguf, "rope_freqs.weight")->offset_bytes,
          SEEK_SET);
    fwrite(divisors, sizeof divisors, 1, file);
    fclose(file);
    gguf_close(gguf);
    struct model *model = load_model(FILE_NAME, 2);
    const struct layer *layer = &model->layer[1];
    expect_matrix(model, &layer->q, "blk.1.attn_q.weight");
    expect_matrix(model, &layer->k, "blk.1.attn_k.weight");
    expect_matrix(model, &layer->v, "blk.1.attn_v.weight");
    expect_matrix(model, &layer->down, "blk.1.ffn_down.weight");
    assert_null(layer->q_bias);
    assert_null(model->experts);
    assert_ptr_equal(model->output.data, model->embedding.data);
    shape_rope_frequency(&model->shape, divisors, frequency);
    assert_memory_equal(model->rope_frequency, frequency, sizeof frequency);
    model_close(model);
}

// -- progress and failure ---------------------------------------------------

struct seen {
    atomic_ullong most, total;
    atomic_bool cancel;
    uint64_t cancel_at;
};

static void
progress(void *context, uint64_t done, uint64_t total)
{
    struct seen *seen = context;
    unsigned long long most = atomic_load(&seen->most);

    while (done > most &&
           !atomic_compare_exchange_weak(&seen->most, &most, done))
        ;
    atomic_store(&seen->total, total);
    if (seen->cancel_at > 0 && done >= seen->cancel_at)
        atomic_store(&seen->cancel, true);
}

static void
progress_ends_at_the_total(void **state)
{
    struct seen seen = {0};

    (void) state;
    write_tiny(PUBLISHED_NEW);
    struct model *model = open_model(FILE_NAME);
    assert_int_equal(
        model_load(model, device, 3, progress, &seen, &seen.cancel, &err),
        STATUS_OK);
    assert_int_equal(seen.most, seen.total);
    assert_int_equal(seen.total,
                     model->bytes.fixed_file + model->bytes.experts_file);
    model_close(model);
}

static void
a_stopped_load_can_be_done_again(void **state)
{
    struct seen seen = {.cancel_at = 1 << 20};

    (void) state;
    write_tiny(PUBLISHED_NEW);
    struct model *model = open_model(FILE_NAME);
    assert_int_equal(
        model_load(model, device, 2, progress, &seen, &seen.cancel, &err),
        STATUS_CANCELLED);
    assert_null(model->device);
    assert_int_equal(model_load(model, device, 2, NULL, NULL, NULL, &err),
                     STATUS_OK);
    expect_model(model);
    model_close(model);
}

static void
a_file_cut_after_opening_is_said(void **state)
{
    (void) state;
    write_tiny(PUBLISHED_NEW);
    struct model *model = open_model(FILE_NAME);
    assert_int_equal(
        truncate(FILE_NAME, (off_t) gguf_file_bytes(model->gguf) / 2), 0);
    assert_int_equal(model_load(model, device, 2, NULL, NULL, NULL, &err),
                     STATUS_FORMAT);
    assert_non_null(strstr(err.text, FILE_NAME " became shorter"));
    model_close(model);
}

/* A NaN in the last row of a tensor, whatever its format. */
static void
expect_bad_scale(const char *name, const char *where)
{
    struct gguf *gguf;
    const uint16_t nan = 0x7E00;
    const uint32_t nan32 = 0x7FC00000;

    write_tiny(PUBLISHED_OLD);
    assert_int_equal(gguf_open(&gguf, FILE_NAME, &err), STATUS_OK);
    const struct gguf_tensor *tensor = gguf_tensor_find(gguf, name);
    assert_non_null(tensor);
    bool f32 = tensor->format->id == FORMAT_F32;
    uint64_t at = tensor->offset_bytes + tensor->bytes -
                  tensor->format->block_bytes + tensor->format->halves_at;
    gguf_close(gguf);
    FILE *file = fopen(FILE_NAME, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long) at, SEEK_SET), 0);
    assert_int_equal(
        f32 ? fwrite(&nan32, 4, 1, file) : fwrite(&nan, 2, 1, file), 1);
    fclose(file);
    struct model *model = open_model(FILE_NAME);
    assert_int_equal(model_load(model, device, 2, NULL, NULL, NULL, &err),
                     STATUS_FORMAT);
    if (strstr(err.text, name) == NULL || strstr(err.text, where) == NULL ||
        strstr(err.text, "is not finite") == NULL)
        fail_msg("no %s, %s in: %s", name, where, err.text);
    model_close(model);
}

static void
scales_that_are_no_numbers_are_refused(void **state)
{
    (void) state;
    expect_bad_scale("token_embd.weight", "row 8190: a scale");
    expect_bad_scale("blk.0.attn_kv_b.weight", "row 863: a scale");
    expect_bad_scale("blk.1.ffn_down_exps.weight", "expert 5, row 511");
    expect_bad_scale("output_norm.weight", "row 0: a value");
    expect_bad_scale("blk.1.ffn_gate_inp.weight", "row 5: a value");
    expect_bad_scale("output.weight", "row 8190: a scale");
}

static void
every_failure_is_clean(void **state)
{
    unsigned long n = 1;

    (void) state;
    write_tiny(PUBLISHED_NEW);
    for (;; n++) {
        struct model *model;

        fault_arm(n);
        enum status status = model_open(&model, FILE_NAME, NULL, &err);
        if (status == STATUS_OK)
            status = model_load(model, device, 2, NULL, NULL, NULL, &err);
        fault_arm(0);
        if (status == STATUS_OK) {
            expect_model(model);
            model_close(model);
            break;
        }
        assert_true(status == STATUS_NOMEM || status == STATUS_IO);
        model_close(model);
    }
    assert_true(n > 50);
}

static void
a_description_fails_cleanly(void **state)
{
    struct buffer json = {0};
    unsigned long n = 1;

    (void) state;
    write_tiny(PUBLISHED_NEW);
    struct model *model = open_model(FILE_NAME);
    for (;; n++) {
        fault_arm(n);
        enum status status = model_describe(model, &json, &err);
        fault_arm(0);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_int_equal(json.length, 0);
    }
    assert_true(n > 1);
    buffer_release(&json);
    model_close(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_weight_is_in_its_place),
        cmocka_unit_test(any_number_of_readers_gives_the_same),
        cmocka_unit_test(a_device_apart_gets_the_same),
        cmocka_unit_test(a_split_set_gives_the_same),
        cmocka_unit_test(interleaved_rows_are_taken_apart),
        cmocka_unit_test(gate_and_up_in_one_tensor_are_parted),
        cmocka_unit_test(llama_weights_are_in_their_place),
        cmocka_unit_test(progress_ends_at_the_total),
        cmocka_unit_test(a_stopped_load_can_be_done_again),
        cmocka_unit_test(a_file_cut_after_opening_is_said),
        cmocka_unit_test(scales_that_are_no_numbers_are_refused),
        cmocka_unit_test(every_failure_is_clean),
        cmocka_unit_test(a_description_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, open_device, close_device);
}
