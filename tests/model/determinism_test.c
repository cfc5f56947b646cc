/*
 * One answer: the logits of a prompt and of sampled tokens after it have one
 * hash, whatever the team, the instruction set and the chunks of the prompt.
 */
#include "config.h"

#include "tests/model/hash.h"
#include "tests/model/moving_experts.h"
#include "tests/model/tap_report.h"
#include "tests/model/tiny_models.h"

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

int
main(void)
{
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
