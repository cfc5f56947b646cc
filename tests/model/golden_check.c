/*
 * golden_check DIR...: runs every model*.gguf of golden folders and compares
 * all tensors there, in every attention form and chunking, token by token,
 * with f32 and f16 caches. TAP on stdout; golden.h has the folders' format.
 *
 * A quantized model is compared with the "q8." tensors of its folder, whose
 * activations were rounded as in the arithmetic contract.
 */
#include "config.h"

#include "tests/model/golden.h"
#include "tests/model/tap_report.h"
#include "tests/model/taps.h"

#include <assert.h>
#include <glob.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Bounds of the difference, relative to a tensor's largest magnitude. */
#define BOUND_FLOAT 1e-5   // F32 weights, forward.md 7.4
#define BOUND_ROUNDED 2e-5 // int8 activations, prompts with margin
#define BOUND_HALF 5e-3    // f16 cache

enum { CHUNK = 5 };

struct way {
    const char *name;
    enum attention_form form;
    size_t chunk; // 0: the whole prompt
    bool tokens;  // one at a time, as if they had been sampled
    enum cache_type cache;
};

static const struct way ways[] = {
    {"one pass", FORM_ABSORBED, 0, false, CACHE_F32},
    {"one pass", FORM_EXPANDED, 0, false, CACHE_F32},
    {"chunks of 5", FORM_ABSORBED, CHUNK, false, CACHE_F32},
    {"chunks of 5", FORM_EXPANDED, CHUNK, false, CACHE_F32},
    {"token by token", FORM_ABSORBED, 0, true, CACHE_F32},
    {"token by token", FORM_EXPANDED, 0, true, CACHE_F32},
    {"one pass", FORM_EXPANDED, 0, false, CACHE_F16},
    {"token by token", FORM_ABSORBED, 0, true, CACHE_F16},
};

/* One model file against its folder's golden. */
struct check {
    const struct golden *golden;
    const char *path;
    const char *prefix; // of tensor names: "" or "q8."
    struct model *model;
    struct device *device;
    struct taps taps;
    const struct way *way;
    double bound;
    // what was found
    double worst;
    char worst_name[40];
    char trouble[200]; // empty: none
};

static void trouble(struct check *check, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
trouble(struct check *check, const char *format, ...)
{
    va_list args;

    if (check->trouble[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(check->trouble, sizeof check->trouble, format, args);
    va_end(args);
}

// -- comparing ---------------------------------------------------------------

static const struct golden_tensor *
expected(const struct check *check, const char *name)
{
    char full[64];

    snprintf(full, sizeof full, "%s%s", check->prefix, name);
    return golden_find(check->golden, full);
}

/*
 * Goldens hold keys in the half-split order of safetensors; rows of llama
 * files are permuted, so that pair i is elements 2i and 2i + 1.
 */
static size_t
key_element(const struct shape *shape, size_t i)
{
    size_t width = shape->key_width, pairs = shape->rope_width / 2;
    size_t head = i / width * width, at = i % width;

    if (shape->pairing != ROPE_INTERLEAVED || at >= 2 * pairs)
        return i;
    return head + (at < pairs ? 2 * at : 2 * (at - pairs) + 1);
}

static void
compare_floats(struct check *check, const struct golden_tensor *want,
               const struct tap *got, bool keys)
{
    const float *w = want->words;
    double most = 0, worst = 0;

    for (size_t i = 0; i < want->rows * want->width; i++) {
        size_t row = i / want->width, column = i % want->width;
        float value;

        if (keys)
            column = key_element(&check->model->shape, column);
        memcpy(&value, &got->words[row * want->width + column], sizeof value);
        most = fmax(most, fabs((double) w[i]));
        double difference = fabs((double) value - (double) w[i]);
        if (!(difference <= worst)) // a NaN counts
            worst = difference;
    }
    double error = most > 0 ? worst / most : worst;
    if (!(error <= check->worst)) {
        check->worst = error;
        snprintf(check->worst_name, sizeof check->worst_name, "%s", want->name);
    }
}

static void
compare_ints(struct check *check, const struct golden_tensor *want,
             const struct tap *got)
{
    for (size_t i = 0; i < want->rows; i++)
        if (memcmp((const int32_t *) want->words + i * want->width,
                   got->words + i * want->width,
                   want->width * sizeof(int32_t)) != 0)
            trouble(check, "%s differs at token %zu", want->name, i);
}

/* Compares tensor `tap` of a layer with `name` of the golden, if it has it. */
static size_t
compare(struct check *check, const char *name, const char *tap, uint32_t layer)
{
    const struct golden_tensor *want = expected(check, name);
    const struct tap *got = taps_find(&check->taps, tap, layer);

    if (want == NULL)
        return 0;
    if (got == NULL || got->rows != want->rows || got->width != want->width) {
        trouble(check, "%s was not computed, or in another shape", name);
        return 0;
    }
    if (want->is_int)
        compare_ints(check, want, got);
    else
        compare_floats(check, want, got, strcmp(tap, "key") == 0);
    return 1;
}

static size_t
compare_layers(struct check *check)
{
    static const char *const each[] = {
        "hidden", "attn",          "ffn",        "latent",        "key",
        "value",  "router.logits", "router.ids", "router.weights"};
    size_t compared = 0;
    char name[64];

    for (uint32_t l = 0; l < check->model->shape.layers; l++)
        for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
            // what is cached is rounded, and what follows from it at once
            if (check->way->cache == CACHE_F16 && i > 0)
                continue;
            snprintf(name, sizeof name, "%s.%" PRIu32, each[i], l);
            compared += compare(check, name, each[i], l);
        }
    return compared;
}

static int32_t
argmax(const float *x, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++)
        if (x[i] > x[best])
            best = i;
    return (int32_t) best;
}

static size_t
compare_argmax(struct check *check)
{
    const struct golden_tensor *want = expected(check, "argmax");
    const struct tap *got =
        taps_find(&check->taps, "logits", check->model->shape.layers - 1);

    if (want == NULL || got == NULL || check->way->cache == CACHE_F16)
        return 0;
    for (size_t t = 0; t < want->rows && t < got->rows; t++)
        if (argmax((const float *) got->words + t * got->width, got->width) !=
            ((const int32_t *) want->words)[t])
            trouble(check, "%s differs at token %zu", want->name, t);
    return 1;
}

// -- running -----------------------------------------------------------------

static enum status
run_tokens(struct check *check, struct forward *forward, const int32_t *ids,
           size_t count, float *logits, struct error *err)
{
    if (!check->way->tokens)
        return forward_prompt(forward, ids, count, logits, NULL, NULL, NULL,
                              err);
    for (size_t t = 0; t < count; t++)
        TRY(forward_token(forward, ids[t], logits, err));
    return STATUS_OK;
}

/* The most probable continuation, as far as the golden has it. */
static enum status
run_greedy(struct check *check, struct forward *forward, float *logits,
           struct error *err)
{
    const struct golden_tensor *want = expected(check, "greedy");

    if (want == NULL || check->way->cache == CACHE_F16)
        return STATUS_OK;
    for (size_t t = 0; t < want->rows; t++) {
        int32_t id = argmax(logits, check->model->shape.vocabulary);

        if (id != ((const int32_t *) want->words)[t])
            trouble(check, "%s differs at its token %zu", want->name, t);
        if (t + 1 < want->rows)
            TRY(forward_token(forward, id, logits, err));
    }
    return STATUS_OK;
}

static enum status
run_forward(struct check *check, struct forward *forward, struct error *err)
{
    const struct golden_tensor *ids = expected(check, "tokens");
    float *logits = malloc(check->model->shape.vocabulary * sizeof *logits);

    assert(logits != NULL);
    if (ids == NULL)
        ids = golden_find(check->golden, "tokens");
    forward_observe(forward, taps_observe, &check->taps);
    enum status status =
        run_tokens(check, forward, ids->words, ids->rows, logits, err);
    forward_observe(forward, NULL, NULL);
    if (status == STATUS_OK)
        status = run_greedy(check, forward, logits, err);
    free(logits);
    return status;
}

static enum status
run_way(struct check *check, struct error *err)
{
    size_t prompt = golden_find(check->golden, "tokens")->rows;
    const struct golden_tensor *greedy = expected(check, "greedy");
    struct forward_options options = {
        .context_tokens = prompt + (greedy == NULL ? 0 : greedy->rows),
        .chunk_tokens = check->way->chunk,
        .cache = check->way->cache,
        .form = check->way->form,
        .all_logits = true,
    };
    struct forward *forward;

    TRY(forward_open(&forward, check->model, &options, err));
    enum status status = run_forward(check, forward, err);
    forward_close(forward);
    return status;
}

static void
check_way(struct check *check)
{
    bool half = check->way->cache == CACHE_F16;
    bool latent = check->model->shape.attention == ATTENTION_LATENT;
    uint32_t last = check->model->shape.layers - 1;
    struct error err;

    check->bound = half                       ? BOUND_HALF
                   : check->prefix[0] != '\0' ? BOUND_ROUNDED
                                              : BOUND_FLOAT;
    check->worst = 0;
    check->worst_name[0] = check->trouble[0] = '\0';
    taps_clear(&check->taps);
    size_t compared = 0;
    if (run_way(check, &err) != STATUS_OK)
        trouble(check, "%s", err.text);
    else
        compared =
            compare_layers(check) + compare(check, "final", "final", last) +
            compare(check, "logits", "logits", last) + compare_argmax(check);
    if (compared == 0)
        trouble(check, "there is nothing to compare with");
    bool ok = check->trouble[0] == '\0' && check->worst <= check->bound;
    report(ok, "%s, %s%s, %s: %zu tensors, worst %s %.1e, bound %.0e%s%s",
           check->path, check->way->name,
           !latent                             ? ""
           : check->way->form == FORM_EXPANDED ? ", expanded"
                                               : ", absorbed",
           half ? "f16" : "f32", compared, check->worst_name, check->worst,
           check->bound, check->trouble[0] == '\0' ? "" : ": ", check->trouble);
}

static void
check_ways(struct check *check)
{
    bool latent = check->model->shape.attention == ATTENTION_LATENT;
    bool rounded = check->prefix[0] != '\0';

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        check->way = &ways[i];
        // grouped attention has one form
        if (!latent && i % 2 == 1 && ways[i].cache == CACHE_F32)
            continue;
        // a rounded cache moves some int8 by one, and that moves everything
        if (rounded && ways[i].cache == CACHE_F16)
            continue;
        check_way(check);
    }
}

static void
check_file(const struct golden *golden, const char *path, struct device *device)
{
    struct model_options options = {0};
    struct check *check = calloc(1, sizeof *check);
    struct error err;

    assert(check != NULL);
    check->golden = golden;
    check->path = path;
    check->device = device;
    check->prefix = golden_find(golden, "q8.logits") == NULL ? "" : "q8.";
    enum status status = model_open(&check->model, path, &options, &err);
    if (status == STATUS_UNSUPPORTED) {
        report_skip(err.text, "%s", path);
        free(check);
        return;
    }
    if (status == STATUS_OK)
        status = model_load(check->model, device, 1, NULL, NULL, NULL, &err);
    if (status != STATUS_OK) {
        report(false, "%s: %s", path, err.text);
    } else {
        taps_open(&check->taps, device);
        check_ways(check);
        taps_close(&check->taps);
        if (check->model->shape.mtp_layers > 0)
            report_skip("the multi-token block is loaded and not used yet",
                        "%s, mtp", path);
    }
    model_close(check->model);
    free(check);
}

/* Every model*.gguf of a folder; how many there are. */
static size_t
check_files(const struct golden *golden, const char *folder,
            struct device *device)
{
    char pattern[4096];
    glob_t files;

    snprintf(pattern, sizeof pattern, "%s/model*.gguf", folder);
    if (glob(pattern, 0, NULL, &files) != 0)
        return 0;
    size_t count = files.gl_pathc;
    for (size_t i = 0; i < count; i++)
        check_file(golden, files.gl_pathv[i], device);
    globfree(&files);
    return count;
}

static void
check_folder(const char *folder, struct device *device)
{
    char path[4096];
    struct golden *golden;
    struct error err;
    struct stat info;

    if (golden_open(&golden, folder, &err) != STATUS_OK) {
        report(false, "%s: %s", folder, err.text);
        return;
    }
    snprintf(path, sizeof path, "%s/model-hf", folder);
    bool safetensors = stat(path, &info) == 0;
    if (safetensors)
        report_skip("safetensors are not read by this version", "%s", path);
    const struct golden_tensor *ids = golden_find(golden, "tokens");
    if (ids == NULL || !ids->is_int)
        report(false, "%s/golden.txt has no tokens", folder);
    else if (check_files(golden, folder, device) == 0 && !safetensors)
        report(false, "%s has no model to check", folder);
    golden_close(golden);
}

int
main(int argc, char **argv)
{
    struct device_cpu_options options = {.level = cpu_level()};
    struct device *device;
    struct error err;

    if (argc < 2) {
        fprintf(stderr, "usage: golden_check DIR...\n");
        return 64;
    }
    if (device_cpu_open(&device, &options, &err) != STATUS_OK) {
        fprintf(stderr, "golden_check: %s\n", err.text);
        return 99;
    }
    for (int i = 1; i < argc; i++)
        check_folder(argv[i], device);
    device_close(device);
    return report_end();
}
