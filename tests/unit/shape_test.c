/*
 * engine/arch/shape.h, tensor_table.h and model_open: published models at
 * full size, from metadata alone, and what must be refused.
 */
#include "config.h"

#include "engine/arch/shape.h"
#include "engine/engine.h"
#include "tests/unit/published.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_NAME "shape_test.gguf"

/* A model small in everything, with three blocks. */
static const struct published tiny = {
    .name = "tiny",
    .blocks = 3,
    .hidden = 256,
    .heads = 2,
    .query_rank = 256,
    .latent = 64,
    .nope = 32,
    .rope = 16,
    .value = 128,
    .dense_width = 256,
    .dense_layers = 1,
    .experts = 8,
    .used = 2,
    .shared = 1,
    .expert_width = 256,
    .vocabulary = 64,
    .gating = 2,
    .bias = true,
    .scale = 1,
    .rope_base = 1e4F,
};

static const struct published_llama tiny_llama = {
    "tiny", 2, 256, 4, 2, 64, 256, 64, false, false};

static struct error err;

/* Opens what was written; the file is removed at once. */
static enum status
open_written(struct model_writer *w, struct model **model,
             const struct model_options *options)
{
    if (!writer_save(w, FILE_NAME)) {
        remove(FILE_NAME);
        print_message("# the file system takes no file of this size\n");
        skip();
    }
    writer_release(w);
    enum status status = model_open(model, FILE_NAME, options, &err);
    remove(FILE_NAME);
    return status;
}

static struct model *
open_published(const struct published *model, enum published_layout layout,
               const struct model_options *options)
{
    struct model_writer w;
    struct model *opened;

    writer_init(&w, 32);
    published_write(&w, model, layout);
    enum status status = open_written(&w, &opened, options);
    if (status != STATUS_OK)
        fail_msg("%s", err.text);
    return opened;
}

/* A tiny model without one key or tensor, to be followed by another value. */
static void
begin_tiny(struct model_writer *w, const char *without)
{
    writer_init(w, 32);
    w->without = without;
    published_write(w, &tiny, PUBLISHED_NEW);
    w->without = NULL;
}

static void
begin_tiny_llama(struct model_writer *w, const char *without)
{
    writer_init(w, 32);
    w->without = without;
    published_write_llama(w, &tiny_llama);
    w->without = NULL;
}

static struct model *
open_or_fail(struct model_writer *w)
{
    struct model *model;

    if (open_written(w, &model, NULL) != STATUS_OK)
        fail_msg("%s", err.text);
    return model;
}

/* It is refused, and the sentence holds the two words. */
static void
expect_refusal(struct model_writer *w, enum status status, const char *first,
               const char *second)
{
    struct model *model;

    assert_int_equal(open_written(w, &model, NULL), status);
    assert_null(model);
    if (strstr(err.text, first) == NULL || strstr(err.text, second) == NULL)
        fail_msg("no %s or no %s in: %s", first, second, err.text);
}

static bool
has_warning(const struct model *model, const char *text)
{
    size_t count;
    const char *const *warning = model_warnings(model, &count);

    for (size_t i = 0; i < count; i++)
        if (strstr(warning[i], text) != NULL)
            return true;
    return false;
}

static void
expect_near(double value, double wanted, double relative)
{
    if (!(fabs(value - wanted) <= relative * fabs(wanted)))
        fail_msg("%.12g, %.12g wanted", value, wanted);
}

// -- published models -------------------------------------------------------

static json_int_t
described(const struct model *model, const char *object, const char *key)
{
    struct buffer text = {0};

    assert_int_equal(model_describe(model, &text, &err), STATUS_OK);
    json_t *json = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    json_int_t value =
        json_integer_value(json_object_get(json_object_get(json, object), key));
    json_decref(json);
    buffer_release(&text);
    return value;
}

static void
expect_parameters(struct model *model, json_int_t total, json_int_t active)
{
    assert_int_equal(described(model, "parameters", "total"), total);
    assert_int_equal(described(model, "parameters", "active"), active);
    model_close(model);
}

static void
published_parameter_counts_come_out(void **state)
{
    (void) state;
    for (int l = PUBLISHED_OLD; l <= PUBLISHED_NEW; l++) {
        enum published_layout layout = (enum published_layout) l;

        expect_parameters(open_published(&published_v2_lite, layout, NULL),
                          15706484224, 2661150208);
        expect_parameters(open_published(&published_v2, layout, NULL),
                          235741434880, 21375800320);
        expect_parameters(open_published(&published_v3, layout, NULL),
                          671026419200, 37552297472);
        expect_parameters(open_published(&published_kimi, layout, NULL),
                          1026408232448, 32861500928);
    }
}

static void
llama_parameter_counts_come_out(void **state)
{
    const struct published_llama *models[] = {&published_llama_8b,
                                              &published_llama_70b};
    const json_int_t counts[] = {8030261248, 70553706496};

    (void) state;
    for (int i = 0; i < 2; i++) {
        struct model_writer w;

        writer_init(&w, 32);
        published_write_llama(&w, models[i]);
        expect_parameters(open_or_fail(&w), counts[i], counts[i]);
    }
}

static void
both_layouts_have_one_shape(void **state)
{
    struct model *old = open_published(&published_v3, PUBLISHED_OLD, NULL);
    struct model *new = open_published(&published_v3, PUBLISHED_NEW, NULL);
    struct shape *a = &old->shape, *b = &new->shape;

    (void) state;
    assert_false(a->split_key_value);
    assert_true(b->split_key_value);
    assert_int_equal(a->key_width, 192);
    assert_int_equal(a->nope_width, 128);
    assert_int_equal(a->value_width, 128);
    assert_int_equal(a->latent_width, 512);
    assert_int_equal(b->key_width, a->key_width);
    assert_int_equal(b->nope_width, a->nope_width);
    assert_int_equal(b->value_width, a->value_width);
    assert_true(a->attention_scale == b->attention_scale);
    assert_int_equal(old->bytes.fixed_device, new->bytes.fixed_device);
    assert_true(a->eps_latent == 1e-6F);
    model_close(old);
    model_close(new);
}

static void
expect_groups(const struct published *published, bool from_file, size_t groups,
              size_t used, bool filled_in)
{
    const struct model_options options = {.groups_from_file = from_file};
    struct model *model = open_published(published, PUBLISHED_OLD, &options);

    assert_int_equal(model->shape.router.groups, groups);
    assert_int_equal(model->shape.router.groups_used, used);
    assert_int_equal(model->shape.groups_filled_in, filled_in);
    assert_int_equal(has_warning(model, "were filled in"), filled_in);
    model_close(model);
}

static void
groups_are_filled_in_where_the_shape_is_published(void **state)
{
    struct published other = published_v3, named = published_v3;

    (void) state;
    expect_groups(&published_v3, false, 8, 4, true);
    expect_groups(&published_v2, false, 8, 3, true);
    expect_groups(&published_v3, true, 1, 1, false);
    expect_groups(&published_v2_lite, false, 1, 1, false);
    expect_groups(&published_kimi, false, 1, 1, false);
    other.hidden = 6144;
    expect_groups(&other, false, 1, 1, false);
    // what the file says goes before the table
    named.groups = 1;
    named.groups_used = 1;
    expect_groups(&named, false, 1, 1, false);
    named.groups = 16;
    named.groups_used = 2;
    expect_groups(&named, false, 16, 2, false);
}

static void
a_model_too_large_is_refused_with_both_numbers(void **state)
{
    struct model *model = open_published(&published_kimi, PUBLISHED_NEW, NULL);
    const struct device_cpu_options options = {.threads = 1,
                                               .level = cpu_level()};
    struct device *device;

    (void) state;
    assert_int_equal(device_cpu_open(&device, &options, &err), STATUS_OK);
    if (memory_available_bytes() > model_load_bytes(model)) {
        model_close(model);
        device_close(device);
        print_message("# this machine would hold a model of 10^12 weights\n");
        skip();
    }
    assert_int_equal(model_load(model, device, 2, NULL, NULL, NULL, &err),
                     STATUS_LIMIT);
    assert_non_null(strstr(err.text, FILE_NAME " needs "));
    assert_non_null(strstr(err.text, "GiB of memory"));
    assert_non_null(strstr(err.text, "is available"));
    model_close(model);
    device_close(device);
}

// -- positions --------------------------------------------------------------

/* doc/forward.md 2.5, worked values. */
static void
yarn_frequencies_are_the_published_ones(void **state)
{
    static const struct {
        int i;
        double frequency;
    } wanted[] = {
        {0, 1.0},
        {1, 0.7498942093},
        {9, 0.07498942093},
        {10, 0.05623413252},
        {11, 0.03900692657},
        {12, 0.02687936011},
        {15, 8.334508951e-3},
        {16, 5.5e-3},
        {19, 1.370513636e-3},
        {20, 7.905694150e-4},
        {22, 1.778279410e-4},
        {23, 3.333803580e-5},
        {24, 2.5e-5},
        {31, 3.333803580e-6},
    };
    struct model *model = open_published(&published_v3, PUBLISHED_NEW, NULL);
    double frequency[32];

    (void) state;
    shape_rope_frequency(&model->shape, NULL, frequency);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        expect_near(frequency[wanted[i].i], wanted[i].frequency, 1e-9);
    model_close(model);
}

/* Kimi's ramp is a step: up to pair 19 unscaled, from 20 on divided. */
static void
beta_keys_are_read(void **state)
{
    struct model *model = open_published(&published_kimi, PUBLISHED_NEW, NULL);
    double frequency[32];

    (void) state;
    shape_rope_frequency(&model->shape, NULL, frequency);
    for (int i = 0; i < 32; i++)
        expect_near(frequency[i], pow(50000, -2.0 * i / 64) / (i < 20 ? 1 : 32),
                    1e-12);
    expect_near(model->shape.attention_scale, 0.1308608000, 1e-8);
    model_close(model);
}

static void
attention_scales_are_the_published_ones(void **state)
{
    struct published plain = published_v2_lite;
    struct model *model;

    (void) state;
    model = open_published(&published_v3, PUBLISHED_OLD, NULL);
    expect_near(model->shape.attention_scale, 0.1352337789, 1e-8);
    assert_true(model->shape.rope_magnitude == 1);
    model_close(model);
    model = open_published(&published_v2_lite, PUBLISHED_NEW, NULL);
    expect_near(model->shape.attention_scale, 0.1147213868, 1e-7);
    assert_true(model->shape.rope_magnitude == 1);
    model_close(model);
    plain.factor = 0;
    model = open_published(&plain, PUBLISHED_NEW, NULL);
    expect_near(model->shape.attention_scale, 0.0721687836, 1e-9);
    assert_int_equal(model->shape.scaling, SCALING_NONE);
    model_close(model);
}

static void
without_a_log_multiplier_the_rotation_is_scaled_too(void **state)
{
    struct published bare = published_v3;

    (void) state;
    bare.log_multiplier = 0;
    struct model *model = open_published(&bare, PUBLISHED_OLD, NULL);
    expect_near(model->shape.rope_magnitude, 1.368887945, 1e-9);
    expect_near(model->shape.attention_scale, 0.1352337789, 1e-9);
    assert_true(has_warning(model, "yarn_log_multiplier"));
    model_close(model);
}

static void
an_attention_factor_multiplies_both(void **state)
{
    struct published scaled = tiny;
    struct model_writer w;

    (void) state;
    scaled.factor = 40;
    scaled.log_multiplier = 0.1F;
    writer_init(&w, 32);
    published_write(&w, &scaled, PUBLISHED_NEW);
    writer_f32(&w, "deepseek2.rope.scaling.attn_factor", 0.5F);
    struct model *model = open_or_fail(&w);
    expect_near(model->shape.rope_magnitude, 0.5, 1e-12);
    expect_near(model->shape.attention_scale, 0.25 * 1.873854207 / sqrt(48),
                1e-8);
    model_close(model);
}

static void
scaling_is_linear_where_no_type_is_given(void **state)
{
    struct model_writer w;
    double frequency[32];

    (void) state;
    begin_tiny_llama(&w, NULL);
    writer_f32(&w, "llama.rope.scaling.factor", 4);
    struct model *model = open_or_fail(&w);
    assert_int_equal(model->shape.scaling, SCALING_LINEAR);
    shape_rope_frequency(&model->shape, NULL, frequency);
    expect_near(frequency[0], 0.25, 1e-12);
    expect_near(frequency[16], pow(500000, -0.5) / 4, 1e-12);
    model_close(model);

    begin_tiny_llama(&w, NULL);
    writer_f32(&w, "llama.rope.scaling.factor", 4);
    writer_text(&w, "llama.rope.scaling.type", "none");
    model = open_or_fail(&w);
    shape_rope_frequency(&model->shape, NULL, frequency);
    expect_near(frequency[0], 1, 1e-12);
    model_close(model);
}

static void
divisors_divide(void **state)
{
    struct model_writer w;
    double frequency[32];
    float divisors[32];

    (void) state;
    begin_tiny_llama(&w, NULL);
    struct model *model = open_or_fail(&w);
    for (int i = 0; i < 32; i++)
        divisors[i] = (float) (1 + i % 8);
    shape_rope_frequency(&model->shape, divisors, frequency);
    for (int i = 0; i < 32; i++)
        expect_near(frequency[i], pow(500000, -i / 32.0) / (1 + i % 8), 1e-12);
    expect_near(model->shape.attention_scale, 0.125, 1e-15);
    model_close(model);
}

static void
yarn_scales_the_rotation_of_llama(void **state)
{
    struct model_writer w;

    (void) state;
    begin_tiny_llama(&w, NULL);
    writer_text(&w, "llama.rope.scaling.type", "yarn");
    writer_f32(&w, "llama.rope.scaling.factor", 4);
    writer_u32(&w, "llama.rope.scaling.original_context_length", 32768);
    struct model *model = open_or_fail(&w);
    expect_near(model->shape.rope_magnitude, 1 + 0.1 * log(4), 1e-12);
    expect_near(model->shape.attention_scale, 0.125, 1e-15);
    model_close(model);
}

/* Each is one key with a value out of range. */
static void
positions_out_of_range_are_refused(void **state)
{
    static const struct {
        const char *key;
        float number;
    } wrong[] = {
        {"rope.freq_base", -1},
        {"rope.freq_base", 1},
        {"rope.scaling.factor", 0.5F},
        {"rope.scaling.factor", INFINITY},
        {"rope.scaling.yarn_beta_fast", 0},
        {"rope.scaling.yarn_beta_slow", NAN},
        {"rope.scaling.attn_factor", 0},
        {"rope.scaling.yarn_log_multiplier", -1},
        {"attention.layer_norm_rms_epsilon", 0.5F},
        {"expert_weights_scale", -1},
    };

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct published scaled = tiny;
        struct model_writer w;
        char key[96];

        snprintf(key, sizeof key, "deepseek2.%s", wrong[i].key);
        scaled.factor = 40;
        scaled.log_multiplier = 0.1F;
        writer_init(&w, 32);
        w.without = key;
        published_write(&w, &scaled, PUBLISHED_NEW);
        w.without = NULL;
        writer_f32(&w, key, wrong[i].number);
        expect_refusal(&w, STATUS_FORMAT, key, "is allowed");
    }
}

static void
a_yarn_ramp_without_room_is_refused(void **state)
{
    struct published scaled = tiny;
    struct model_writer w;

    (void) state;
    scaled.factor = 40;
    scaled.log_multiplier = 0.1F;
    scaled.beta_fast = 1;
    scaled.beta_slow = 1e5F;
    writer_init(&w, 32);
    published_write(&w, &scaled, PUBLISHED_NEW);
    expect_refusal(&w, STATUS_FORMAT, "original_context_length", "YaRN ramp");
}

// -- heads ------------------------------------------------------------------

static void
widths_come_from_tensors_where_keys_lack(void **state)
{
    struct model_writer w;

    (void) state;
    begin_tiny(&w, "deepseek2.attention.key_length_mla");
    struct model *model = open_or_fail(&w);
    assert_int_equal(model->shape.nope_width, 32);
    assert_int_equal(model->shape.key_width, 48);
    assert_int_equal(model->shape.value_width, 128);
    model_close(model);
}

static void
an_array_of_equal_head_counts_is_one(void **state)
{
    const uint32_t equal[] = {2, 2, 2}, unequal[] = {2, 2, 4};
    const float floats[] = {2, 2, 2};
    const char *key = "deepseek2.attention.head_count";
    struct model_writer w;

    (void) state;
    begin_tiny(&w, key);
    writer_array(&w, key, GGUF_U32, 3, equal);
    struct model *model = open_or_fail(&w);
    assert_int_equal(model->shape.heads, 2);
    model_close(model);
    begin_tiny(&w, key);
    writer_array(&w, key, GGUF_U32, 2, equal);
    expect_refusal(&w, STATUS_FORMAT, key, "2 entries");
    begin_tiny(&w, key);
    writer_array(&w, key, GGUF_U32, 3, unequal);
    expect_refusal(&w, STATUS_UNSUPPORTED, key, "block to block");
    begin_tiny(&w, key);
    writer_array(&w, key, GGUF_F32, 3, floats);
    expect_refusal(&w, STATUS_FORMAT, key, "array of f32");
}

static void
heads_of_llama_must_fit(void **state)
{
    struct model_writer w;

    (void) state;
    begin_tiny_llama(&w, "llama.attention.head_count_kv");
    writer_u32(&w, "llama.attention.head_count_kv", 3);
    expect_refusal(&w, STATUS_FORMAT, "llama.attention.head_count_kv",
                   "divisor of the 4 heads");
    begin_tiny_llama(&w, "llama.rope.dimension_count");
    writer_u32(&w, "llama.rope.dimension_count", 32);
    expect_refusal(&w, STATUS_FORMAT, "llama.rope.dimension_count", "64");
    begin_tiny_llama(&w, "llama.attention.head_count");
    writer_u32(&w, "llama.attention.head_count", 6);
    expect_refusal(&w, STATUS_FORMAT, "llama.attention.head_count", "6");
    begin_tiny_llama(&w, "llama.rope.dimension_count");
    struct model *model = open_or_fail(&w);
    assert_int_equal(model->shape.rope_width, 64);
    assert_int_equal(model->shape.pairing, ROPE_INTERLEAVED);
    model_close(model);
}

// -- experts ----------------------------------------------------------------

static void
gating_is_read(void **state)
{
    static const enum router_gating gating[] = {
        ROUTER_SOFTMAX, ROUTER_SOFTMAX, ROUTER_SIGMOID, ROUTER_SOFTMAX_LATE};
    const char *key = "deepseek2.expert_gating_func";
    struct model_writer w;

    (void) state;
    for (uint32_t i = 0; i < 4; i++) {
        begin_tiny(&w, key);
        writer_u32(&w, key, i);
        struct model *model = open_or_fail(&w);
        assert_int_equal(model->shape.router.gating, gating[i]);
        model_close(model);
    }
    begin_tiny(&w, key);
    writer_u32(&w, key, 4);
    expect_refusal(&w, STATUS_FORMAT, key, "is 4");
}

static void
a_v3_without_its_router_is_refused(void **state)
{
    struct published early = published_v3;
    struct model_writer w;

    (void) state;
    early.gating = 0;
    writer_init(&w, 32);
    published_write(&w, &early, PUBLISHED_OLD);
    expect_refusal(&w, STATUS_FORMAT, "expert_gating_func", "download");
    early = published_v3;
    early.bias = false;
    struct model *model = open_published(&early, PUBLISHED_OLD, NULL);
    assert_true(has_warning(model, "exp_probs_b"));
    model_close(model);
}

static void
a_weight_scale_of_zero_means_none(void **state)
{
    const char *key = "deepseek2.expert_weights_scale";
    struct model_writer w;

    (void) state;
    begin_tiny(&w, key);
    writer_f32(&w, key, 0);
    struct model *model = open_or_fail(&w);
    assert_true(model->shape.router.scale == 1);
    model_close(model);
}

/* Groups that divide, and leave enough experts. */
static void
groups_must_fit_the_experts(void **state)
{
    static const struct {
        uint32_t groups, used;
        bool sound;
        const char *key;
    } cases[] = {
        {0, 0, true, NULL},
        {1, 1, true, NULL},
        {1, 9, true, NULL}, // without groups the number is not read
        {2, 1, true, NULL},
        {4, 3, true, NULL},
        {3, 1, false, "expert_group_count"},
        {8, 4, false, "expert_group_count"},
        {16, 4, false, "expert_group_count"},
        {4, 0, false, "expert_group_used_count"},
        {4, 4, false, "expert_group_used_count"},
        {4, 5, false, "expert_group_used_count"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_writer w;

        begin_tiny(&w, NULL);
        writer_u32(&w, "deepseek2.expert_group_count", cases[i].groups);
        writer_u32(&w, "deepseek2.expert_group_used_count", cases[i].used);
        if (cases[i].sound)
            model_close(open_or_fail(&w));
        else
            expect_refusal(&w, STATUS_FORMAT, cases[i].key, "is");
    }
}

static void
groups_must_hold_the_experts_used(void **state)
{
    struct published many = tiny;
    struct model_writer w;

    (void) state;
    many.used = 5;
    many.groups = 4;
    many.groups_used = 2;
    writer_init(&w, 32);
    published_write(&w, &many, PUBLISHED_NEW);
    expect_refusal(&w, STATUS_FORMAT, "expert_group_used_count",
                   "cannot give the 5");
}

static void
a_model_may_be_dense_all_through(void **state)
{
    struct published dense = tiny;
    struct model_writer w;

    (void) state;
    dense.dense_layers = 3;
    dense.experts = 0;
    dense.used = 0;
    writer_init(&w, 32);
    published_write(&w, &dense, PUBLISHED_NEW);
    struct model *model = open_or_fail(&w);
    assert_int_equal(model->shape.experts, 0);
    assert_int_equal(model->shape.dense_layers, 3);
    assert_int_equal(model->bytes.experts_file, 0);
    model_close(model);
}

// -- prediction blocks ------------------------------------------------------

/* The last block becomes one of prediction by its tensors. */
static void
prediction_blocks_are_counted_apart(void **state)
{
    const uint64_t extent[4] = {512, 256};
    const uint64_t norm[4] = {256};
    struct model_writer w;

    (void) state;
    begin_tiny(&w, NULL);
    writer_u32(&w, "deepseek2.nextn_predict_layers", 1);
    writer_tensor(&w, "blk.2.nextn.eh_proj.weight", FORMAT_Q8_0, extent, NULL);
    writer_tensor(&w, "blk.2.nextn.enorm.weight", FORMAT_F32, norm, NULL);
    writer_tensor(&w, "blk.2.nextn.hnorm.weight", FORMAT_F32, norm, NULL);
    struct model *model = open_or_fail(&w);
    assert_int_equal(model->shape.layers, 2);
    assert_int_equal(model->shape.mtp_layers, 1);
    assert_true(has_warning(model, "MTP"));
    assert_false(has_warning(model, "unknown"));
    model_close(model);
}

static void
a_prediction_key_without_blocks_is_a_warning(void **state)
{
    struct model_writer w;

    (void) state;
    // the last block is an ordinary one
    begin_tiny(&w, NULL);
    writer_u32(&w, "deepseek2.nextn_predict_layers", 1);
    struct model *model = open_or_fail(&w);
    assert_int_equal(model->shape.layers, 3);
    assert_int_equal(model->shape.mtp_layers, 0);
    assert_true(has_warning(model, "no prediction blocks"));
    model_close(model);

    // counted, but not in the file
    begin_tiny(&w, "deepseek2.block_count");
    writer_u32(&w, "deepseek2.block_count", 4);
    writer_u32(&w, "deepseek2.nextn_predict_layers", 1);
    model = open_or_fail(&w);
    assert_int_equal(model->shape.layers, 3);
    assert_int_equal(model->shape.mtp_layers, 0);
    model_close(model);

    begin_tiny(&w, NULL);
    writer_u32(&w, "deepseek2.nextn_predict_layers", 3);
    expect_refusal(&w, STATUS_FORMAT, "nextn_predict_layers", "0 to 2");
}

// -- tensors ----------------------------------------------------------------

static void
add(struct model_writer *w, const char *name, int32_t format, uint64_t a,
    uint64_t b, uint64_t c)
{
    const uint64_t extent[4] = {a, b, c, 0};

    writer_tensor(w, name, format, extent, NULL);
}

static void
gate_and_up_may_be_one_tensor(void **state)
{
    struct model_writer w;

    (void) state;
    begin_tiny(&w, "blk.1.ffn_gate_exps.weight");
    add(&w, "blk.1.ffn_gate_up_exps.weight", FORMAT_Q4_0, 256, 512, 8);
    // up is there as well: one of the two is not needed
    struct model *model = open_or_fail(&w);
    assert_true(has_warning(model, "blk.1.ffn_up_exps.weight"));
    model_close(model);
    begin_tiny(&w, "blk.1.ffn_gate_exps.weight");
    add(&w, "blk.1.ffn_gate_up_exps.weight", FORMAT_Q4_0, 256, 256, 8);
    expect_refusal(&w, STATUS_FORMAT, "blk.1.ffn_gate_up_exps.weight",
                   "2 x expert_feed_forward_length");
}

static void
a_router_bias_has_two_spellings(void **state)
{
    struct model_writer w;

    (void) state;
    begin_tiny(&w, "blk.1.exp_probs_b.bias");
    add(&w, "blk.1.exp_probs_b", FORMAT_F32, 8, 0, 0);
    struct model *model = open_or_fail(&w);
    assert_false(has_warning(model, "unknown"));
    model_close(model);
}

static void
types_are_checked_by_class(void **state)
{
    struct model_writer w;

    (void) state;
    begin_tiny(&w, "blk.1.ffn_gate_inp.weight");
    add(&w, "blk.1.ffn_gate_inp.weight", FORMAT_Q8_0, 256, 8, 0);
    expect_refusal(&w, STATUS_FORMAT, "blk.1.ffn_gate_inp.weight",
                   "type Q8_0, F32, F16 or BF16 wanted");
    begin_tiny(&w, "blk.1.ffn_gate_inp.weight");
    add(&w, "blk.1.ffn_gate_inp.weight", FORMAT_BF16, 256, 8, 0);
    model_close(open_or_fail(&w));
    begin_tiny(&w, "blk.0.ffn_norm.weight");
    add(&w, "blk.0.ffn_norm.weight", FORMAT_F16, 256, 0, 0);
    expect_refusal(&w, STATUS_FORMAT, "blk.0.ffn_norm.weight",
                   "type F16, F32 wanted");
    begin_tiny(&w, "blk.0.attn_output.weight");
    add(&w, "blk.0.attn_output.weight", FORMAT_I32, 256, 256, 0);
    expect_refusal(&w, STATUS_FORMAT, "blk.0.attn_output.weight", "type I32");
}

static void
formats_that_are_only_read_are_named(void **state)
{
    struct model_writer w;

    (void) state;
    for (size_t i = 0; format_at(i) != NULL; i++) {
        const struct format *format = format_at(i);

        if (format->id < 0 || !format->holds_weights ||
            format->contract != CONTRACT_NONE || 256 % format->block_elems != 0)
            continue;
        begin_tiny(&w, "blk.0.attn_output.weight");
        add(&w, "blk.0.attn_output.weight", format->id, 256, 256, 0);
        expect_refusal(&w, STATUS_UNSUPPORTED, "blk.0.attn_output.weight",
                       format->name);
    }
}

static void
biases_of_llama_are_known(void **state)
{
    static const struct {
        const char *name;
        uint64_t extent;
    } biases[] = {
        {"attn_q.bias", 256},      {"attn_k.bias", 128},   {"attn_v.bias", 128},
        {"attn_output.bias", 256}, {"ffn_gate.bias", 256}, {"ffn_up.bias", 256},
        {"ffn_down.bias", 256},
    };
    struct model_writer w;
    char name[64];

    (void) state;
    begin_tiny_llama(&w, NULL);
    for (size_t i = 0; i < sizeof biases / sizeof *biases; i++) {
        snprintf(name, sizeof name, "blk.1.%s", biases[i].name);
        add(&w, name, FORMAT_F32, biases[i].extent, 0, 0);
    }
    struct model *model = open_or_fail(&w);
    assert_false(has_warning(model, "unknown"));
    model_close(model);
    begin_tiny_llama(&w, NULL);
    add(&w, "blk.1.attn_k.bias", FORMAT_F32, 256, 0, 0);
    expect_refusal(&w, STATUS_FORMAT, "blk.1.attn_k.bias", "[128] wanted");
}

// -- neighbours -------------------------------------------------------------

static void
neighbours_are_refused_by_name(void **state)
{
    static const char *const names[] = {"qwen2",      "qwen3",     "deepseek",
                                        "deepseek32", "deepseek4", "glm-dsa",
                                        "kimi-linear"};
    struct model_writer w;

    (void) state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        writer_init(&w, 32);
        writer_text(&w, "general.architecture", names[i]);
        expect_refusal(&w, STATUS_UNSUPPORTED, names[i],
                       "supported: deepseek2, llama");
    }
    begin_tiny(&w, NULL);
    writer_u32(&w, "deepseek2.attention.indexer.head_count", 64);
    expect_refusal(&w, STATUS_UNSUPPORTED, "indexer", "variant");
    begin_tiny_llama(&w, NULL);
    writer_u32(&w, "llama.expert_count", 8);
    expect_refusal(&w, STATUS_UNSUPPORTED, "llama.expert_count", "mixtures");
}

static void
every_architecture_is_listed(void **state)
{
    char names[256], *rest = NULL;
    size_t length = 0;

    (void) state;
    snprintf(names, sizeof names, "%s", arch_names());
    for (char *name = strtok_r(names, ", ", &rest); name != NULL;
         name = strtok_r(NULL, ", ", &rest)) {
        assert_non_null(arch_find(name));
        assert_string_equal(arch_find(name)->name, name);
        length += strlen(name) + 2;
    }
    assert_int_equal(length, strlen(arch_names()) + 2);
    // those that forward.h can run
    assert_non_null(strstr(arch_names(), arch_deepseek.name));
    assert_non_null(strstr(arch_names(), arch_llama.name));
    assert_null(arch_find("deepseek"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_parameter_counts_come_out),
        cmocka_unit_test(llama_parameter_counts_come_out),
        cmocka_unit_test(both_layouts_have_one_shape),
        cmocka_unit_test(groups_are_filled_in_where_the_shape_is_published),
        cmocka_unit_test(a_model_too_large_is_refused_with_both_numbers),
        cmocka_unit_test(yarn_frequencies_are_the_published_ones),
        cmocka_unit_test(beta_keys_are_read),
        cmocka_unit_test(attention_scales_are_the_published_ones),
        cmocka_unit_test(without_a_log_multiplier_the_rotation_is_scaled_too),
        cmocka_unit_test(an_attention_factor_multiplies_both),
        cmocka_unit_test(scaling_is_linear_where_no_type_is_given),
        cmocka_unit_test(divisors_divide),
        cmocka_unit_test(yarn_scales_the_rotation_of_llama),
        cmocka_unit_test(positions_out_of_range_are_refused),
        cmocka_unit_test(a_yarn_ramp_without_room_is_refused),
        cmocka_unit_test(widths_come_from_tensors_where_keys_lack),
        cmocka_unit_test(an_array_of_equal_head_counts_is_one),
        cmocka_unit_test(heads_of_llama_must_fit),
        cmocka_unit_test(gating_is_read),
        cmocka_unit_test(a_v3_without_its_router_is_refused),
        cmocka_unit_test(a_weight_scale_of_zero_means_none),
        cmocka_unit_test(groups_must_fit_the_experts),
        cmocka_unit_test(groups_must_hold_the_experts_used),
        cmocka_unit_test(a_model_may_be_dense_all_through),
        cmocka_unit_test(prediction_blocks_are_counted_apart),
        cmocka_unit_test(a_prediction_key_without_blocks_is_a_warning),
        cmocka_unit_test(gate_and_up_may_be_one_tensor),
        cmocka_unit_test(a_router_bias_has_two_spellings),
        cmocka_unit_test(types_are_checked_by_class),
        cmocka_unit_test(formats_that_are_only_read_are_named),
        cmocka_unit_test(biases_of_llama_are_known),
        cmocka_unit_test(every_architecture_is_listed),
        cmocka_unit_test(neighbours_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
