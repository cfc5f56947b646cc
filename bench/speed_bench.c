/*
 * Prefill and decode speed of a model, and the share of this machine's memory
 * bandwidth that decoding reaches.
 *
 *   speed_bench MODEL.gguf [--threads N] [--prompt N] [--generate N]
 *               [--rounds N] [--json]
 *
 * Prefill: one prompt into an empty cache, logits of the last token only.
 * Decode: single tokens after one more empty start. Tokens are arbitrary. A
 * warm-up of both comes first; the figures are medians of the rounds. Bytes a
 * token: every weight a decode step reads (all fixed matrices, the experts
 * used, not the embedding but for one row). Bandwidth: a plain read of 512 MiB
 * by the same team.
 */
#include "config.h"

#include "engine/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { READ_BYTES = 512 << 20, ROUNDS_MAX = 99 };

struct options {
    const char *path;
    unsigned threads;
    size_t prompt, generate, rounds;
    bool json;
};

struct figures {
    double load_s, prefill_per_s, decode_per_s, prefill_per_cpu_s,
        decode_per_cpu_s, read_gb_per_s;
};

static struct error failure;

static void
must(enum status status)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "speed_bench: %s\n", failure.text);
        exit(1);
    }
}

static double
seconds_since(uint64_t began_ns)
{
    return (double) (clock_ns() - began_ns) * 1e-9;
}

static double
cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

/* -- bandwidth ------------------------------------------------------------ */

static double
read_bandwidth(struct device *device)
{
    double rate[7];
    void *memory;

    must(pages_alloc(&memory, READ_BYTES, "the bandwidth probe", &failure));
    memset(memory, 1, READ_BYTES);
    for (size_t i = 0; i < 7; i++)
        rate[i] = device->ops->read_speed(device, memory, READ_BYTES) * 1e-9;
    pages_free(memory, READ_BYTES);
    return median(rate, 7);
}

/* -- one model ------------------------------------------------------------ */

static void
run_prompt(struct forward *forward, const int32_t *ids, size_t count,
           float *logits)
{
    must(forward_prompt(forward, ids, count, logits, NULL, NULL, NULL,
                        &failure));
}

static void
run_decode(struct forward *forward, const int32_t *ids, size_t count,
           float *logits)
{
    for (size_t i = 0; i < count; i++)
        must(forward_token(forward, ids[i], logits, &failure));
}

static void
measure(struct model *model, const struct options *options,
        struct figures *figures)
{
    struct forward_options form = {
        .context_tokens = options->prompt + options->generate + 8,
        .cache = CACHE_F16,
    };
    size_t tokens = options->prompt + options->generate;
    int32_t *ids = malloc((tokens + 1) * sizeof *ids);
    float *logits = malloc(model->shape.vocabulary * sizeof *logits);
    double prefill[ROUNDS_MAX], decode[ROUNDS_MAX], prefill_cpu[ROUNDS_MAX],
        decode_cpu[ROUNDS_MAX];
    struct forward *forward;
    uint32_t random = 1;

    must(forward_open(&forward, model, &form, &failure));
    for (size_t i = 0; i < tokens; i++) {
        random = random * 1103515245u + 12345u;
        ids[i] = (int32_t) ((random >> 1) % model->shape.vocabulary);
    }
    for (size_t round = 0; round <= options->rounds; round++) {
        size_t at = round == 0 ? 0 : round - 1; // round 0 warms up
        double cpu = cpu_seconds();
        uint64_t began = clock_ns();

        forward_truncate(forward, 0);
        if (options->prompt > 0)
            run_prompt(forward, ids, options->prompt, logits);
        prefill[at] = (double) options->prompt / seconds_since(began);
        prefill_cpu[at] =
            (double) options->prompt * options->threads / (cpu_seconds() - cpu);
        forward_truncate(forward, 0);
        run_prompt(forward, ids, 1, logits);
        cpu = cpu_seconds();
        began = clock_ns();
        run_decode(forward, ids + options->prompt, options->generate, logits);
        decode[at] = (double) options->generate / seconds_since(began);
        decode_cpu[at] = (double) options->generate * options->threads /
                         (cpu_seconds() - cpu);
    }
    figures->prefill_per_s = median(prefill, options->rounds);
    figures->decode_per_s = median(decode, options->rounds);
    figures->prefill_per_cpu_s = median(prefill_cpu, options->rounds);
    figures->decode_per_cpu_s = median(decode_cpu, options->rounds);
    forward_close(forward);
    free(logits);
    free(ids);
}

static void
print_figures(const struct options *options, const struct model *model,
              const struct figures *f)
{
    double bytes = (double) model_token_bytes(model);
    double used = bytes * f->decode_per_s * 1e-9;

    if (options->json)
        printf("{\"model\": \"%s\", \"threads\": %u, \"level\": \"%s\", "
               "\"load_s\": %.3f, \"prompt\": %zu, \"generate\": %zu, "
               "\"prefill_per_s\": %.2f, \"prefill_per_cpu_s\": %.2f, "
               "\"decode_per_s\": %.2f, \"decode_per_cpu_s\": %.2f, "
               "\"bytes_a_token\": %.0f, \"read_gb_per_s\": %.2f, "
               "\"bandwidth_share\": %.3f}\n",
               options->path, options->threads, cpu_level_name(cpu_level()),
               f->load_s, options->prompt, options->generate, f->prefill_per_s,
               f->prefill_per_cpu_s, f->decode_per_s, f->decode_per_cpu_s,
               bytes, f->read_gb_per_s, used / f->read_gb_per_s);
    else
        printf("%s, %u threads, %s\n"
               "  load      %8.3f s\n"
               "  prefill   %8.1f tokens/s (%zu tokens)\n"
               "  decode    %8.1f tokens/s (%zu tokens)\n"
               "  weights   %8.1f MB a token, %.1f GB/s of %.1f measured: "
               "%.0f %%\n",
               options->path, options->threads, cpu_level_name(cpu_level()),
               f->load_s, f->prefill_per_s, options->prompt, f->decode_per_s,
               options->generate, bytes * 1e-6, used, f->read_gb_per_s,
               100 * used / f->read_gb_per_s);
}

static bool
parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        unsigned long value;

        if (name[0] != '-') {
            options->path = name;
            continue;
        }
        if (strcmp(name, "--json") == 0) {
            options->json = true;
            continue;
        }
        if (++i == argc)
            return false;
        value = strtoul(argv[i], NULL, 10);
        if (strcmp(name, "--threads") == 0)
            options->threads = (unsigned) value;
        else if (strcmp(name, "--prompt") == 0)
            options->prompt = value;
        else if (strcmp(name, "--generate") == 0)
            options->generate = value;
        else if (strcmp(name, "--rounds") == 0)
            options->rounds = value;
        else
            return false;
    }
    return options->path != NULL && options->rounds >= 1 &&
           options->rounds <= ROUNDS_MAX && options->threads >= 1;
}

int
main(int argc, char **argv)
{
    struct options options = {
        .threads = cpu_count(), .prompt = 512, .generate = 128, .rounds = 3};
    struct figures figures = {0};
    struct device_cpu_options cpu = {.level = cpu_level()};
    struct device *device;
    struct model *model;

    if (!parse(&options, argc, argv)) {
        fputs("usage: speed_bench MODEL.gguf [--threads N] [--prompt N] "
              "[--generate N] [--rounds N] [--json]\n",
              stderr);
        return 64;
    }
    cpu.threads = options.threads;
    must(device_cpu_open(&device, &cpu, &failure));
    figures.read_gb_per_s = read_bandwidth(device);
    uint64_t began = clock_ns();
    must(
        model_open(&model, options.path, &(struct model_options){0}, &failure));
    must(
        model_load(model, device, options.threads, NULL, NULL, NULL, &failure));
    figures.load_s = seconds_since(began);
    measure(model, &options, &figures);
    print_figures(&options, model, &figures);
    model_close(model);
    device_close(device);
    return 0;
}
