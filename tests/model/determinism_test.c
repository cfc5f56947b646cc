/*
 * One answer: the logits of a prompt and of sampled tokens after it have one
 * hash, whatever the team, the instruction set and the chunks of the prompt.
 */
#include "config.h"

#include "tests/model/hash.h"
#include "tests/model/moving_experts.h"
#include "tests/model/tap_report.h"
#include "tests/model/tiny_models.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROMPT = 9, SAMPLED = TINY_TOKENS - PROMPT };

struct setting {
    unsigned threads;
    enum cpu_level level;
    size_t chunk;
    enum cache_type cache;
    enum attention_form form;
    bool moving; // experts
};

static enum status
hash_of(struct tiny_model *tiny, const struct setting *setting, uint64_t *hash,
        struct error *err)
{
    struct forward_options options = {.context_tokens = 16,
                                      .chunk_tokens = setting->chunk,
                                      .cache = setting->cache,
                                      .form = setting->form};
    struct expert_store *resident = tiny->model.experts;
    struct expert_store *moving = NULL;
    enum status status;

    if (setting->moving && resident != NULL)
        tiny->model.experts = moving =
            moving_experts_open(resident, tiny->model.shape.experts_used);
    status = hash_run(&tiny->model, &options, tiny_ids, PROMPT,
                      tiny_ids + PROMPT, SAMPLED, hash, err);
    if (moving != NULL && status == STATUS_OK &&
        moving_experts_moves(moving) == 0)
        status = error_set(err, STATUS_DEVICE, "no expert was moved");
    expert_store_close(moving);
    tiny->model.experts = resident;
    return status;
}

static enum status
run_setting(size_t i, const struct setting *setting, uint64_t *hash,
            struct error *err)
{
    struct device_cpu_options options = {.threads = setting->threads,
                                         .level = setting->level,
                                         .share_all = setting->threads > 1};
    struct device *device;

    TRY(device_cpu_open(&device, &options, err));
    struct tiny_model *tiny = tiny_model_open(i, device);
    enum status status = hash_of(tiny, setting, hash, err);
    tiny_model_close(tiny);
    device_close(device);
    return status;
}

/* The hash of `setting` is that of one reference thread and one chunk. */
static void
check(size_t i, const struct setting *setting)
{
    struct setting plain = {
        1, CPU_REF, PROMPT, setting->cache, setting->form, false};
    uint64_t expected = 0, hash = 1;
    struct error err = {.text = "another hash"};
    bool ok = run_setting(i, &plain, &expected, &err) == STATUS_OK &&
              run_setting(i, setting, &hash, &err) == STATUS_OK &&
              hash == expected;

    report(ok, "model %c, %s, %u threads, chunks of %zu, %s, %s%s: %016llx%s%s",
           "ABCDEFG"[i], cpu_level_name(setting->level), setting -> threads,
           setting -> chunk, setting -> cache == CACHE_F16 ? "f16" : "f32",
           setting->form == FORM_EXPANDED ? "expanded" : "absorbed",
           setting->moving ? ", moving experts" : "", (unsigned long long) hash,
           ok ? "" : ": ", ok ? "" : err.text);
}

// -- a trained model with int8 activations -----------------------------------

enum { LONG_PROMPT = 40, LONG_SAMPLED = 4 };

static enum status
bundled_hash(const char *path, const struct setting *setting, uint64_t *hash,
             struct error *err)
{
    struct device_cpu_options device_options = {.threads = setting->threads,
                                                .level = setting->level,
                                                .share_all =
                                                    setting->threads > 1};
    struct forward_options options = {.context_tokens =
                                          LONG_PROMPT + LONG_SAMPLED,
                                      .chunk_tokens = setting->chunk,
                                      .cache = setting->cache,
                                      .form = setting->form};
    struct model_options model_options = {0};
    struct expert_store *moving = NULL;
    int32_t ids[LONG_PROMPT + LONG_SAMPLED];
    struct device *device;
    struct model *model;

    TRY(device_cpu_open(&device, &device_options, err));
    TRY(model_open(&model, path, &model_options, err));
    TRY(model_load(model, device, 1, NULL, NULL, NULL, err));
    for (size_t i = 0; i < LONG_PROMPT + LONG_SAMPLED; i++)
        ids[i] = (int32_t) ((i * 379 + 5) % model->shape.vocabulary);
    struct expert_store *resident = model->experts;
    if (setting->moving)
        model->experts = moving =
            moving_experts_open(resident, model->shape.experts_used);
    enum status status = hash_run(model, &options, ids, LONG_PROMPT,
                                  ids + LONG_PROMPT, LONG_SAMPLED, hash, err);
    expert_store_close(moving);
    model->experts = resident;
    model_close(model);
    device_close(device);
    return status;
}

/* Every way gives the hash of the first one with its attention form. */
static void
check_bundled(void)
{
    static const struct setting settings[] = {
        {1, CPU_REF, 40, CACHE_F16, FORM_ABSORBED, false},
        {2, CPU_AVX2, 7, CACHE_F16, FORM_ABSORBED, false},
        {1, CPU_AVX2, 1, CACHE_F16, FORM_ABSORBED, true},
        {1, CPU_REF, 40, CACHE_F16, FORM_EXPANDED, false},
        {3, CPU_AVX2, 3, CACHE_F16, FORM_EXPANDED, true},
        {1, CPU_AVX2, 40, CACHE_F16, FORM_EXPANDED, false},
        {1, CPU_REF, 1, CACHE_F16, FORM_AUTO, false},
        {2, CPU_AVX2, 40, CACHE_F16, FORM_AUTO, true},
        {1, CPU_AVX2, 9, CACHE_F16, FORM_AUTO, false},
    };
    const char *top = getenv("top_srcdir");
    uint64_t expected = 0, hash = 0;
    char path[4096];

    snprintf(path, sizeof path, "%s/models/fathom-mini.gguf",
             top == NULL ? "." : top);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct setting *s = &settings[i];
        struct error err = {.text = "another hash"};

        if (s->level > cpu_level())
            continue;
        bool ok = bundled_hash(path, s, &hash, &err) == STATUS_OK;
        if (i == 0 || s->form != settings[i - 1].form)
            expected = hash;
        ok &= hash == expected;
        report(ok,
               "the bundled model, %s, %u workers, chunks of %zu%s: "
               "%016llx%s%s",
               cpu_level_name(s->level), s->threads, s->chunk,
               s->moving ? ", moving experts" : "", (unsigned long long) hash,
               ok ? "" : ": ", ok ? "" : err.text);
    }
}

int
main(void)
{
    check_bundled();
    static const struct setting settings[] = {
        {2, CPU_REF, 9, CACHE_F32, FORM_ABSORBED, false},
        {3, CPU_REF, 9, CACHE_F16, FORM_EXPANDED, false},
        {1, CPU_REF, 1, CACHE_F16, FORM_ABSORBED, false},
        {2, CPU_REF, 3, CACHE_F16, FORM_EXPANDED, false},
        {1, CPU_AVX2, 9, CACHE_F32, FORM_ABSORBED, false},
        {1, CPU_AVX2, 9, CACHE_F16, FORM_EXPANDED, false},
        {3, CPU_AVX2, 1, CACHE_F16, FORM_EXPANDED, false},
        {2, CPU_AVX2, 3, CACHE_F16, FORM_ABSORBED, false},
        {3, CPU_AVX2, 7, CACHE_F32, FORM_EXPANDED, false},
        {1, CPU_REF, 9, CACHE_F16, FORM_ABSORBED, true},
        {2, CPU_AVX2, 3, CACHE_F16, FORM_EXPANDED, true},
        {3, CPU_AVX2, 1, CACHE_F32, FORM_ABSORBED, true},
    };

    for (size_t i = 0; i < TINY_MODELS; i++)
        for (size_t k = 0; k < sizeof settings / sizeof *settings; k++)
            if (settings[k].level <= cpu_level())
                check(i, &settings[k]);
    return report_end();
}
