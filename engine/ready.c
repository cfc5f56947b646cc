/* Depth by depth; the tokenizer has a thread while weights are read. */
#include "config.h"

#include "engine/ready.h"

#include "engine/arch/arch.h"
#include "engine/fingerprint.h"
#include "engine/kv_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READERS_MOST = 8,
    CONTEXT_LEAST = 4096, // not shortened below this for want of memory
};

struct ready {
    struct ready_options options;

    struct gguf *gguf; // of a vocabulary without a model; else NULL
    struct tokenizer *tokenizer;
    struct model *model;
    struct device *device;
    bool loaded;
    bool sizing; // what fails now is this machine's memory, not the file
    struct session_model sessions;

    bool family_known, family_sure;
    enum prompt_family family;
    char family_why[256];
    char fingerprint[FINGERPRINT_TEXT]; // empty before the weights are there
    double read_ms, tokenizer_ms;
    uint64_t bandwidth_bytes;
};

enum status
ready_open(struct ready **out, const struct ready_options *options,
           struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    (*out)->options = *options;
    return STATUS_OK;
}

/* Back to the start. */
static void
forget(struct ready *ready)
{
    tokenizer_close(ready->tokenizer);
    model_close(ready->model);
    device_close(ready->device);
    gguf_close(ready->gguf);
    ready->tokenizer = NULL;
    ready->model = NULL;
    ready->device = NULL;
    ready->gguf = NULL;
    ready->loaded = ready->family_known = false;
    ready->fingerprint[0] = '\0';
}

void
ready_close(struct ready *ready)
{
    if (ready == NULL)
        return;
    forget(ready);
    free(ready);
}

static double
ms_since(uint64_t start_ns)
{
    return (double) (clock_ns() - start_ns) * 1e-6;
}

static const struct gguf *
container(const struct ready *ready)
{
    return ready->model != NULL ? ready->model->gguf : ready->gguf;
}

/* -- vocabulary and shape -------------------------------------------------- */

static void
recognise_family(struct ready *ready)
{
    ready->family = prompt_family_of(container(ready), ready->tokenizer,
                                     &ready->family_sure, ready->family_why,
                                     sizeof ready->family_why);
    ready->family_known = true;
    log_note("prompt family %s: %s", prompt_traits(ready->family)->name,
             ready->family_why);
}

static enum status
build_tokenizer(struct ready *ready, struct error *err)
{
    uint64_t start = clock_ns();

    TRY(tokenizer_open(&ready->tokenizer, container(ready), err));
    ready->tokenizer_ms = ms_since(start);
    return STATUS_OK;
}

static enum status
to_vocabulary(struct ready *ready, const struct ready_listener *listener,
              struct error *err)
{
    if (ready->tokenizer != NULL)
        return STATUS_OK;
    if (container(ready) == NULL)
        TRY(gguf_open(&ready->gguf, ready->options.path, err));
    listener->progress(listener->context, PHASE_TOKENIZER, 0, 1);
    TRY(build_tokenizer(ready, err));
    listener->progress(listener->context, PHASE_TOKENIZER, 1, 1);
    recognise_family(ready);
    return STATUS_OK;
}

static enum status
to_shape(struct ready *ready, struct error *err)
{
    struct model_options options = {
        .groups_from_file = ready->options.groups_from_file,
    };

    if (ready->model != NULL)
        return STATUS_OK;
    return model_open(&ready->model, ready->options.path, &options, err);
}

/* -- weights --------------------------------------------------------------- */

static struct forward_options
forward_with(const struct ready *ready, size_t context)
{
    return (struct forward_options){.context_tokens = context,
                                    .cache = ready->options.cache};
}

static uint64_t
bytes_with(const struct ready *ready, size_t context)
{
    struct forward_options options = forward_with(ready, context);

    return forward_bytes(ready->model, ready->device, &options);
}

/* The model's whole context, shortened while its cache is out of proportion. */
static size_t
default_context(const struct ready *ready, uint64_t available)
{
    uint64_t weights = model_load_bytes(ready->model);
    uint64_t share = available > weights ? (available - weights) / 2 : 0;
    size_t context = ready->model->shape.context;

    while (context > CONTEXT_LEAST && bytes_with(ready, context) > share)
        context /= 2;
    log_note("context of %zu tokens: %llu bytes of cache and scratch", context,
             (unsigned long long) bytes_with(ready, context));
    return context;
}

/* Refuses what does not fit before a byte of it is read. */
static enum status
plan_memory(struct ready *ready, struct error *err)
{
    uint64_t available = memory_available_bytes();
    uint64_t weights = model_load_bytes(ready->model);
    size_t context = ready->options.context_tokens;

    if (context > ready->model->shape.context)
        return error_set(err, STATUS_LIMIT,
                         "a context of %zu tokens was asked for; the model in "
                         "%s was made for %u",
                         context, gguf_shown(ready->model->gguf),
                         ready->model->shape.context);
    if (context == 0)
        context = default_context(ready, available);
    uint64_t rest = bytes_with(ready, context);
    if (weights > available || rest > available - weights)
        return error_set(err, STATUS_LIMIT,
                         "%s needs %.1f GB of memory, of it %.1f GB for a "
                         "context of %zu tokens, and %.1f GB are available",
                         gguf_shown(ready->model->gguf),
                         (double) (weights + rest) * 1e-9, (double) rest * 1e-9,
                         context, (double) available * 1e-9);
    ready->sessions.forward = forward_with(ready, context);
    return STATUS_OK;
}

static enum status
open_device(struct ready *ready, struct error *err)
{
    struct device_cpu_options options = {
        .threads = ready->options.threads,
        .level = cpu_level(),
    };

    if (ready->device != NULL)
        return STATUS_OK;
    return device_cpu_open(&ready->device, &options, err);
}

static enum status
take_fingerprint(struct ready *ready, struct error *err)
{
    TRY(fingerprint_take(&ready->sessions.fingerprint, container(ready), err));
    fingerprint_text(ready->fingerprint, &ready->sessions.fingerprint);
    return STATUS_OK;
}

/* Tokenizer and fingerprint beside the reading of weights. */
struct beside {
    struct ready *ready;
    const struct ready_listener *listener;
    enum status status;
    struct error err;
};

static void *
build_beside(void *context)
{
    struct beside *beside = context;

    beside->status =
        to_vocabulary(beside->ready, beside->listener, &beside->err);
    if (beside->status == STATUS_OK)
        beside->status = take_fingerprint(beside->ready, &beside->err);
    return NULL;
}

struct reading {
    const struct ready_listener *listener;
    _Atomic uint64_t total;
};

/* From any reading thread: the end is told when all of them have ended. */
static void
read_progress(void *context, uint64_t done, uint64_t total)
{
    struct reading *reading = context;

    atomic_store(&reading->total, total);
    if (done < total)
        reading->listener->progress(reading->listener->context, PHASE_READ,
                                    done, total);
}

static enum status
read_weights(struct ready *ready, const struct ready_listener *listener,
             const _Atomic bool *cancel, struct error *err)
{
    unsigned readers = device_cpu_threads(ready->device);
    struct reading reading = {.listener = listener};
    uint64_t start = clock_ns();

    if (readers > READERS_MOST)
        readers = READERS_MOST;
    TRY(model_load(ready->model, ready->device, readers, read_progress,
                   &reading, cancel, err));
    ready->read_ms = ms_since(start);
    uint64_t total = atomic_load(&reading.total);
    listener->progress(listener->context, PHASE_READ, total, total);
    return STATUS_OK;
}

/* Both at once; without a second thread one after the other. */
static enum status
read_and_build(struct ready *ready, const struct ready_listener *listener,
               const _Atomic bool *cancel, struct error *err)
{
    struct beside beside = {.ready = ready, .listener = listener};
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, build_beside, &beside) == 0;
    enum status status = read_weights(ready, listener, cancel, err);

    if (started)
        pthread_join(thread, NULL);
    else
        build_beside(&beside);
    if (status == STATUS_OK && beside.status != STATUS_OK) {
        *err = beside.err;
        status = beside.status;
    }
    return status;
}

static enum status
to_weights(struct ready *ready, const struct ready_listener *listener,
           const _Atomic bool *cancel, struct error *err)
{
    TRY(to_shape(ready, err));
    TRY(open_device(ready, err));
    ready->sizing = true;
    TRY(plan_memory(ready, err));
    TRY(read_and_build(ready, listener, cancel, err));
    ready->sessions.model = ready->model;
    ready->sessions.tokenizer = ready->tokenizer;
    ready->sessions.family = ready->family;
    ready->bandwidth_bytes = (uint64_t) model_read_speed(ready->model);
    ready->loaded = true;
    return STATUS_OK;
}

enum status
ready_to(struct ready *ready, enum open_depth depth,
         const struct ready_listener *listener, const _Atomic bool *cancel,
         struct error *err)
{
    enum status status = STATUS_OK;

    if (ready->loaded)
        return STATUS_OK;
    ready->sizing = false;
    if (depth == OPEN_VOCABULARY)
        status = to_vocabulary(ready, listener, err);
    else if (depth == OPEN_SHAPE)
        status = to_shape(ready, err);
    else
        status = to_weights(ready, listener, cancel, err);
    if (status != STATUS_OK)
        forget(ready);
    return status;
}

/* -- what it is ------------------------------------------------------------ */

/* True for the first file of a split set, whose others may be missing. */
static bool
is_split(const char *path)
{
    const char *of = strstr(path, "-of-");

    return of != NULL && strstr(of, ".gguf") != NULL;
}

int
ready_exit(const struct ready *ready, enum status status)
{
    const char *path = ready->options.path;
    struct stat stat_of;

    switch (status) {
    case STATUS_FORMAT:
    case STATUS_UNSUPPORTED:
        return EXIT_BAD_DATA;
    case STATUS_NOMEM:
        return EXIT_UNAVAILABLE;
    case STATUS_LIMIT:
        return ready->sizing ? EXIT_UNAVAILABLE : EXIT_BAD_DATA;
    case STATUS_IO:
        if (access(path, R_OK) == 0 && stat(path, &stat_of) == 0 &&
            S_ISREG(stat_of.st_mode) && is_split(path))
            return EXIT_BAD_DATA; // another file of the set
        return EXIT_NO_INPUT;
    case STATUS_OK:
    case STATUS_DEVICE:
    case STATUS_CANCELLED:
    case STATUS_DENIED:
    case STATUS_INTEGRITY:
    case STATUS_BUSY:
    case STATUS_SIGNATURE:
        break;
    }
    return EXIT_INTERNAL;
}

const struct tokenizer *
ready_tokenizer(const struct ready *ready)
{
    return ready->tokenizer;
}

const struct model *
ready_model(const struct ready *ready)
{
    return ready->model;
}

const struct device *
ready_device(const struct ready *ready)
{
    return ready->device;
}

const struct session_model *
ready_sessions(const struct ready *ready)
{
    return ready->loaded ? &ready->sessions : NULL;
}

static const char *
name_of(const struct ready *ready)
{
    const struct gguf_string *name =
        container(ready) != NULL ? gguf_text(container(ready), "general.name")
                                 : NULL;
    const char *slash = strrchr(ready->options.path, '/');

    if (name != NULL && name->length > 0)
        return name->bytes;
    return slash != NULL ? slash + 1 : ready->options.path;
}

struct model_summary
ready_summary(const struct ready *ready)
{
    struct model_summary summary = {
        .name = name_of(ready),
        .file = ready->options.path,
        .recommended = protocol_sampling_absent(),
    };

    if (ready->model != NULL)
        summary.architecture = ready->model->arch->name;
    if (ready->loaded)
        summary.fingerprint = ready->fingerprint;
    if (!ready->family_known)
        return summary;
    const struct prompt_traits *traits = prompt_traits(ready->family);
    summary.family = traits->name;
    summary.family_why = ready->family_sure ? NULL : ready->family_why;
    summary.thinks = traits->thinks;
    summary.has_switch = traits->has_switch;
    summary.recommended = session_recommended(container(ready), ready->family);
    return summary;
}

/* The context that it has, or that would be taken. */
static size_t
plan_context(const struct ready *ready, uint64_t available)
{
    if (ready->loaded)
        return ready->sessions.forward.context_tokens;
    return ready->options.context_tokens != 0
               ? ready->options.context_tokens
               : default_context(ready, available);
}

static void
plan_shape(const struct ready *ready, struct engine_plan *out)
{
    const struct shape *shape = &ready->model->shape;

    out->context_most = shape->context;
    out->layers = shape->layers;
    out->token_bytes = model_token_bytes(ready->model);
    if (shape->experts == 0)
        return;
    out->first_layer = shape->dense_layers;
    out->experts = shape->experts;
    out->active = shape->experts_used;
    out->shared = shape->shared_experts;
}

static void
plan_memory_of(const struct ready *ready, struct engine_plan *out)
{
    struct forward_options options = forward_with(ready, out->context);
    uint64_t all = forward_bytes(ready->model, ready->device, &options);

    out->weights_bytes = model_load_bytes(ready->model);
    out->cache_bytes =
        kv_cache_bytes(&ready->model->shape, out->context, options.cache);
    out->scratch_bytes = all - out->cache_bytes;
    out->fits =
        out->loaded || (out->context <= out->context_most &&
                        out->weights_bytes <= out->available_bytes &&
                        all <= out->available_bytes - out->weights_bytes);
}

enum status
ready_plan(struct ready *ready, struct engine_plan *out, struct error *err)
{
    assert(ready->model != NULL);
    *out = (struct engine_plan){
        .loaded = ready->loaded,
        .available_bytes = memory_available_bytes(),
        .level = cpu_level_name(cpu_level()),
        .cache = ready->options.cache == CACHE_F16 ? "f16" : "f32",
    };
    TRY(open_device(ready, err));
    out->threads = device_cpu_threads(ready->device);
    out->device = ready->device->name;
    out->context = plan_context(ready, out->available_bytes);
    plan_shape(ready, out);
    plan_memory_of(ready, out);
    return STATUS_OK;
}

double
ready_read_ms(const struct ready *ready)
{
    return ready->read_ms;
}

double
ready_tokenizer_ms(const struct ready *ready)
{
    return ready->tokenizer_ms;
}

uint64_t
ready_bandwidth_bytes(const struct ready *ready)
{
    return ready->bandwidth_bytes;
}
