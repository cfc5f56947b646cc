/*
 * What counting experts costs: decode with and without, in turns.
 *
 *   residency_bench MODEL.gguf [--threads N] [--generate N] [--rounds N]
 *                   [--every MS]
 *
 * A round is N tokens without counts, then N with them and a RESIDENCY event
 * made each MS milliseconds (250). Figures are medians of the rounds. Below,
 * the time of one event for the largest model there is, 61 layers of 256
 * experts: made by the engine, and read by the interface.
 */
#include "config.h"

#include "base/protocol.h"
#include "engine/engine.h"
#include "engine/experts/expert_uses.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 99, CELLS = 61 * 256, EVENTS = 200 };

struct options {
    const char *path;
    unsigned threads;
    size_t generate, rounds, every_ms;
};

static struct error failure;

static void
must(enum status status)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "residency_bench: %s\n", failure.text);
        exit(1);
    }
}

static double
seconds_since(uint64_t began_ns)
{
    return (double) (clock_ns() - began_ns) * 1e-9;
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

/* -- decoding ---------------------------------------------------------------
 */

struct run {
    const struct options *options;
    struct model *model;
    struct forward *forward;
    struct expert_uses *uses;
    float *logits;
    uint64_t told_ns;
    size_t events;
};

/* As the server does it. */
static void
tell(struct run *run)
{
    struct expert_uses *uses = run->uses;
    struct buffer frame = {0};
    struct residency event = {
        .ram = 1,
        .tokens = uses->tokens,
        .first_layer = uses->first_layer,
        .layers = uses->layers,
        .experts = uses->experts,
        .uses = uses->counts,
        .tier = uses->tier,
    };

    if (clock_ns() - run->told_ns < run->options->every_ms * 1000000)
        return;
    run->told_ns = clock_ns();
    if (run->model->experts != NULL)
        expert_uses_locate(uses, run->model->experts);
    must(event_put_residency(&frame, 1, &event, &failure));
    buffer_release(&frame);
    expert_uses_clear(uses);
    run->events++;
}

static double
decode(struct run *run, bool counts)
{
    uint64_t began;

    forward_count(run->forward, counts ? run->uses : NULL);
    forward_truncate(run->forward, 0);
    must(forward_token(run->forward, 1, run->logits, &failure));
    began = run->told_ns = clock_ns();
    for (size_t i = 0; i < run->options->generate; i++) {
        must(forward_token(run->forward, (int32_t) (i % 97), run->logits,
                           &failure));
        if (counts)
            tell(run);
    }
    return (double) run->options->generate / seconds_since(began);
}

static void
compare(struct run *run)
{
    size_t rounds = run->options->rounds;
    double without[ROUNDS_MAX], with[ROUNDS_MAX], ratio[ROUNDS_MAX];

    decode(run, true); // warms up
    run->events = 0;
    for (size_t i = 0; i < rounds; i++) {
        without[i] = decode(run, false);
        with[i] = decode(run, true);
        ratio[i] = with[i] / without[i];
    }
    printf("%s, %u threads: %u layers of %u experts\n", run->options->path,
           run->options->threads, run->uses->layers, run->uses->experts);
    printf("  without   %8.2f tokens/s\n", median(without, rounds));
    printf("  with      %8.2f tokens/s, %zu events\n", median(with, rounds),
           run->events);
    printf("  cost      %8.2f %%\n", 100 * (1 - median(ratio, rounds)));
}

static void
bench_model(const struct options *options)
{
    struct device_cpu_options cpu = {.threads = options->threads,
                                     .level = cpu_level()};
    struct forward_options form = {.context_tokens = options->generate + 8,
                                   .cache = CACHE_F16};
    struct run run = {.options = options};
    struct device *device;

    must(device_cpu_open(&device, &cpu, &failure));
    must(model_open(&run.model, options->path, &(struct model_options){0},
                    &failure));
    must(model_load(run.model, device, options->threads, NULL, NULL, NULL,
                    &failure));
    must(forward_open(&run.forward, run.model, &form, &failure));
    must(expert_uses_open(&run.uses, &run.model->shape, &failure));
    run.logits = malloc(run.model->shape.vocabulary * sizeof *run.logits);
    if (run.logits == NULL)
        exit(1);
    compare(&run);
    free(run.logits);
    expert_uses_close(run.uses);
    forward_close(run.forward);
    model_close(run.model);
    device_close(device);
}

/* -- one event --------------------------------------------------------------
 */

static void
take(struct buffer *frame)
{
    struct frame_header header;
    struct buffer payload = {0};
    struct event event;
    bool found;

    must(frame_take(frame, &header, &payload, &found, &failure));
    must(event_take(&event, &header, &payload, &failure));
    event_release(&event);
    buffer_release(&payload);
}

static void
bench_event(void)
{
    static uint32_t uses[CELLS];
    static uint8_t tier[CELLS];
    struct residency event = {
        .layers = 61, .experts = CELLS / 61, .uses = uses, .tier = tier};
    struct buffer frame = {0};
    double made[EVENTS], taken[EVENTS];
    size_t bytes = 0;

    for (size_t i = 0; i < CELLS; i++)
        uses[i] = (uint32_t) (i * 2654435761u % 13);
    for (size_t i = 0; i < EVENTS; i++) {
        uint64_t began = clock_ns();

        must(event_put_residency(&frame, 1, &event, &failure));
        made[i] = seconds_since(began) * 1e3;
        bytes = frame.length;
        began = clock_ns();
        take(&frame);
        taken[i] = seconds_since(began) * 1e3;
    }
    buffer_release(&frame);
    printf("one event of 61 layers of 256 experts, %zu bytes\n"
           "  made      %8.3f ms\n"
           "  read      %8.3f ms\n",
           bytes, median(made, EVENTS), median(taken, EVENTS));
}

static bool
parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];

        if (name[0] != '-') {
            options->path = name;
            continue;
        }
        if (++i == argc)
            return false;
        size_t value = strtoul(argv[i], NULL, 10);
        if (strcmp(name, "--threads") == 0)
            options->threads = (unsigned) value;
        else if (strcmp(name, "--generate") == 0)
            options->generate = value;
        else if (strcmp(name, "--rounds") == 0)
            options->rounds = value;
        else if (strcmp(name, "--every") == 0)
            options->every_ms = value;
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
        .threads = cpu_count(), .generate = 128, .rounds = 7, .every_ms = 250};

    protocol_start();
    if (!parse(&options, argc, argv)) {
        fputs("usage: residency_bench MODEL.gguf [--threads N] [--generate N] "
              "[--rounds N] [--every MS]\n",
              stderr);
        return 64;
    }
    bench_model(&options);
    bench_event();
    return 0;
}
