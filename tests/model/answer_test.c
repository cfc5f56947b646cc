/*
 * One answer: greedy tokens of a trained model, end tokens ignored, have one
 * hash of ids and logits for 1, 2 and 3 workers, reference and AVX2.
 *
 *   answer_test [MODEL.gguf [TOKENS]]
 *
 * Without arguments: the bundled model, 500 tokens, whose hash is written
 * down here, and the example model where it is: a few tokens, or 500 with
 * FATHOM_LONG=1. Sanitizers are too slow for that many; they see fewer.
 */
#include "config.h"

#include "engine/engine.h"
#include "tests/model/tap_report.h"
#include "tests/model/smollm2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of 500 tokens of the bundled model: compilers and machines give the same. */
#define BUNDLED_HASH 0x260d47d0df3e40b6

#ifdef WITH_SANITIZERS
enum { TOKENS = 20 };
#else
enum { TOKENS = 500 };
#endif

static struct error err;

static void
must(enum status status)
{
    if (status != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(99);
    }
}

static void
hash_bytes(uint64_t *hash, const void *data, size_t count)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < count; i++)
        *hash = (*hash ^ bytes[i]) * 0x100000001b3;
}

/* "What is 27 * 14?" as the model's family writes it. */
static void
render_prompt(const struct model *model, struct tokens *out)
{
    static const char question[] = "What is 27 * 14?";
    struct message message = {
        .role = ROLE_USER, .content = question, .length = sizeof question - 1};
    struct prompt_options options = {.generate = true};
    struct prompt_pieces pieces = {0};
    struct tokenizer *tokenizer;
    char why[200];
    bool sure, thinking;

    must(tokenizer_open(&tokenizer, model->gguf, &err));
    enum prompt_family family =
        prompt_family_of(model->gguf, tokenizer, &sure, why, sizeof why);
    must(
        prompt_render(&pieces, family, tokenizer, &message, 1, &options, &err));
    must(prompt_tokens(&pieces, tokenizer, out, &thinking, &err));
    prompt_pieces_release(&pieces);
    tokenizer_close(tokenizer);
}

static int32_t
most_probable(const struct kernels *kernels, const float *logits, size_t count)
{
    int32_t id = kernels->argmax(logits, count);

    if (id < 0) {
        printf("Bail out! no token is possible\n");
        exit(99);
    }
    return id;
}

/* Greedy tokens after the prompt; the hash of all of them. */
static uint64_t
answer(struct model *model, enum cpu_level level, size_t tokens)
{
    struct tokens prompt = {0};
    size_t vocabulary = model->shape.vocabulary;
    float *logits = malloc(vocabulary * sizeof *logits);
    uint64_t hash = 0xcbf29ce484222325;
    struct forward *forward;

    if (logits == NULL)
        abort();
    render_prompt(model, &prompt);
    struct forward_options options = {.context_tokens = prompt.count + tokens};
    must(forward_open(&forward, model, &options, &err));
    must(forward_prompt(forward, prompt.ids, prompt.count, logits, NULL, NULL,
                        NULL, &err));
    for (size_t t = 0; t < tokens; t++) {
        int32_t id = most_probable(kernels_select(level), logits, vocabulary);

        hash_bytes(&hash, &id, sizeof id);
        must(forward_token(forward, id, logits, &err));
        hash_bytes(&hash, logits, vocabulary * sizeof *logits);
    }
    forward_close(forward);
    tokens_release(&prompt);
    free(logits);
    return hash;
}

static uint64_t
run(const char *path, unsigned threads, enum cpu_level level, size_t tokens)
{
    struct device_cpu_options device_options = {.threads = threads,
                                                .level = level};
    struct model_options options = {0};
    struct device *device;
    struct model *model;

    must(device_cpu_open(&device, &device_options, &err));
    must(model_open(&model, path, &options, &err));
    must(model_load(model, device, 1, NULL, NULL, NULL, &err));
    uint64_t hash = answer(model, level, tokens);
    model_close(model);
    device_close(device);
    return hash;
}

/* Every team and instruction set gives the hash of one reference thread. */
static uint64_t
check_model(const char *name, const char *path, size_t tokens)
{
    uint64_t first = run(path, 1, CPU_REF, tokens);

    for (unsigned threads = 1; threads <= 3; threads++)
        for (int level = CPU_REF; level <= (int) cpu_level(); level++) {
            if (threads == 1 && level == CPU_REF)
                continue;
            uint64_t hash = run(path, threads, (enum cpu_level) level, tokens);
            report(hash == first, "%s, %zu tokens, %u workers, %s: %016llx",
                   name, tokens, threads,
                   cpu_level_name((enum cpu_level) level),
                   (unsigned long long) hash);
        }
    return first;
}

int
main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir"), *asked = getenv("FATHOM_LONG");
    bool all = asked != NULL && strcmp(asked, "0") != 0;
    char path[4096];

    if (argc > 1) {
        check_model(argv[1], argv[1],
                    argc > 2 ? (size_t) atol(argv[2]) : TOKENS);
        return report_end();
    }
    snprintf(path, sizeof path, "%s/models/fathom-mini.gguf",
             top == NULL ? "." : top);
    uint64_t bundled = check_model("fathom-mini", path, TOKENS);
    if (TOKENS == 500)
        report(bundled == BUNDLED_HASH,
               "the_answer_is_the_one_written_down: %016llx",
               (unsigned long long) bundled);
    // the reference takes minutes for 500 tokens of this model
    if (smollm2_path(path, sizeof path))
        check_model("SmolLM2", path, all ? 500 : 3);
    else
        report_skip(SMOLLM2_ABSENT, "SmolLM2 gives one answer");
    return report_end();
}
