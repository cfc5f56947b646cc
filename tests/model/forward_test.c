/*
 * What forward.h promises beside the numbers: failures name layer and
 * position and leave the cache as it was, a request can be cancelled, lengths
 * and ids are checked, the automatic attention form does not depend on chunks.
 */
#include "config.h"

#include "engine/experts/expert_uses.h"
#include "tests/model/hash.h"
#include "tests/model/moving_experts.h"
#include "tests/model/tap_report.h"
#include "tests/model/tiny_models.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_C = 2, MODEL_F = 5, VOCABULARY = 97, CONTEXT = 16 };

/* A model on a device of its own, and a conversation with it. */
struct fixture {
    struct device *device;
    struct tiny_model *tiny;
    struct forward *forward;
    float logits[VOCABULARY];
    struct error err;
};

static const struct forward_options usual = {
    .context_tokens = CONTEXT, .chunk_tokens = 5, .cache = CACHE_F16};

static void
setup(struct fixture *f, size_t model, const struct forward_options *options)
{
    struct device_cpu_options device = {.threads = 2, .level = cpu_level()};

    memset(f, 0, sizeof *f);
    if (device_cpu_open(&f->device, &device, &f->err) != STATUS_OK)
        abort();
    f->tiny = tiny_model_open(model, f->device);
    if (forward_open(&f->forward, &f->tiny->model, options, &f->err) !=
        STATUS_OK)
        abort();
}

static void
teardown(struct fixture *f)
{
    forward_close(f->forward);
    tiny_model_close(f->tiny);
    device_close(f->device);
}

static enum status
prompt(struct fixture *f, size_t count)
{
    return forward_prompt(f->forward, tiny_ids, count, f->logits, NULL, NULL,
                          NULL, &f->err);
}

static float *
writable(const float *weights)
{
    return (float *) (uintptr_t) weights;
}

/* The prompt fails as it should; afterwards, mended, everything works. */
static void
expect_failure(struct fixture *f, float *broken, float value, const char *text,
               const char *name)
{
    float sound = *broken;

    *broken = value;
    bool ok = prompt(f, 9) == STATUS_DEVICE &&
              strstr(f->err.text, text) != NULL &&
              forward_length(f->forward) == 0;
    *broken = sound;
    ok = ok && prompt(f, 9) == STATUS_OK && forward_length(f->forward) == 9;
    report(ok, "%s%s%s", name, ok ? "" : ": ", ok ? "" : f->err.text);
}

static void
numbers_that_are_not_finite_stop_with_layer_and_position(void)
{
    struct fixture f;
    struct model *model;
    const char *name = "a_number_that_is_not_finite_stops_with_its_place";

    setup(&f, MODEL_C, &usual);
    model = &f.tiny->model;
    float *embedding = writable(model->embedding.data);
    // token 73 stands at position 6, in the second chunk
    expect_failure(&f, &embedding[73 * model->shape.hidden + 7], INFINITY,
                   "layer 0 at position 6", name);
    forward_truncate(f.forward, 0);
    expect_failure(&f, &embedding[73 * model->shape.hidden], 1e30F,
                   "layer 0 at position 6",
                   "a_number_whose_square_is_not_finite_stops_too");
    forward_truncate(f.forward, 0);
    expect_failure(&f, writable(model->layer[2].router.data), NAN,
                   "layer 2 at position 0", "a_router_never_chooses_by_a_nan");
    forward_truncate(f.forward, 0);
    expect_failure(&f, writable(model->layer[1].kv_a_norm), 1e7F,
                   "too large for the 16-bit cache in layer 1",
                   "a_latent_beyond_half_precision_stops");
    forward_truncate(f.forward, 0);
    expect_failure(&f, writable(model->output.data), NAN,
                   "the output for token 0 is not a finite number at position "
                   "8",
                   "a_logit_that_is_not_finite_is_reported");
    teardown(&f);
}

static void
lost_experts_are_reported_and_leases_given_back(void)
{
    struct fixture f;
    bool ok = true;

    setup(&f, MODEL_C, &usual);
    struct model *model = &f.tiny->model;
    struct expert_store *resident = model->experts;
    struct expert_store *moving =
        moving_experts_open(resident, model->shape.experts_used);
    model->experts = moving;
    for (size_t nth = 1; nth < 12 && ok; nth++) {
        moving_experts_fail(moving, nth);
        ok = prompt(&f, 9) == STATUS_IO &&
             strstr(f.err.text, "could not be read") != NULL &&
             forward_length(f.forward) == 0;
    }
    ok = ok && prompt(&f, 9) == STATUS_OK;
    for (size_t nth = 1; nth < 4 && ok; nth++) {
        moving_experts_fail(moving, nth);
        ok = forward_token(f.forward, 3, f.logits, &f.err) == STATUS_IO &&
             forward_length(f.forward) == 9;
    }
    ok = ok && forward_token(f.forward, 3, f.logits, &f.err) == STATUS_OK;
    report(ok, "a_lost_expert_is_reported_and_every_lease_given_back%s%s",
           ok ? "" : ": ", ok ? "" : f.err.text);
    expert_store_close(moving);
    model->experts = resident;
    teardown(&f);
}

/* A user who cancels when `at` tokens are done. */
struct watcher {
    _Atomic bool cancel;
    size_t at, last, calls;
    bool monotonic;
};

static void
watch(void *context, size_t done, size_t of)
{
    struct watcher *watcher = context;

    watcher->monotonic &= done >= watcher->last && done <= of && of == 9;
    watcher->last = done;
    watcher->calls++;
    if (done >= watcher->at)
        atomic_store(&watcher->cancel, true);
}

static void
a_prompt_can_be_cancelled_and_tells_how_far_it_is(void)
{
    struct fixture f;
    struct watcher stopped = {.at = 6, .monotonic = true};
    struct watcher patient = {.at = 100, .monotonic = true};

    setup(&f, MODEL_C, &usual);
    bool ok = forward_prompt(f.forward, tiny_ids, 9, f.logits, watch, &stopped,
                             &stopped.cancel, &f.err) == STATUS_CANCELLED &&
              forward_length(f.forward) == 0;
    ok = ok && forward_prompt(f.forward, tiny_ids, 9, f.logits, watch, &patient,
                              &patient.cancel, &f.err) == STATUS_OK;
    report(ok && stopped.monotonic && patient.monotonic && patient.last == 9 &&
               patient.calls > 2 * 3 + 1, // each layer, and within
           "a_prompt_can_be_cancelled_and_tells_how_far_it_is");
    teardown(&f);
}

static void
lengths_and_ids_are_checked(void)
{
    struct fixture f;
    int32_t ids[CONTEXT + 1] = {0}, wrong[] = {-1, VOCABULARY, INT32_MAX};
    struct forward_options long_context = usual;
    struct forward *forward;
    bool ok;

    setup(&f, MODEL_C, &usual);
    ok = forward_prompt(f.forward, ids, CONTEXT + 1, NULL, NULL, NULL, NULL,
                        &f.err) == STATUS_LIMIT &&
         forward_prompt(f.forward, ids, CONTEXT, NULL, NULL, NULL, NULL,
                        &f.err) == STATUS_OK &&
         forward_token(f.forward, 1, f.logits, &f.err) == STATUS_LIMIT &&
         strstr(f.err.text, "16 of 16") != NULL;
    report(ok, "what_does_not_fit_the_context_is_refused_with_numbers");
    forward_truncate(f.forward, 3);
    ok = true;
    for (size_t i = 0; i < 3; i++)
        ok &= forward_token(f.forward, wrong[i], f.logits, &f.err) ==
                  STATUS_FORMAT &&
              forward_length(f.forward) == 3;
    report(ok, "an_id_beyond_the_vocabulary_is_refused");
    long_context.context_tokens = f.tiny->model.shape.context + 1;
    report(forward_open(&forward, &f.tiny->model, &long_context, &f.err) ==
                   STATUS_LIMIT &&
               forward == NULL,
           "a_context_beyond_the_models_is_refused");
    teardown(&f);
}

static void
what_was_cut_off_leaves_no_trace(size_t model)
{
    struct fixture f;
    float before[VOCABULARY];

    setup(&f, model, &usual);
    bool ok = prompt(&f, 7) == STATUS_OK &&
              forward_token(f.forward, 61, before, &f.err) == STATUS_OK;
    forward_truncate(f.forward, 7);
    ok = ok && forward_token(f.forward, 12, f.logits, &f.err) == STATUS_OK &&
         forward_token(f.forward, 13, f.logits, &f.err) == STATUS_OK;
    forward_truncate(f.forward, 7);
    ok = ok && forward_token(f.forward, 61, f.logits, &f.err) == STATUS_OK &&
         memcmp(before, f.logits, sizeof before) == 0;
    report(ok, "model %c: what_was_cut_off_leaves_no_trace", f.tiny->name);
    teardown(&f);
}

static void
decoding_allocates_nothing(void)
{
    struct fixture f;

    setup(&f, MODEL_C, &usual);
    bool ok = prompt(&f, 7) == STATUS_OK;
    fault_arm(1); // the next allocation fails
    for (int32_t i = 0; i < 5 && ok; i++)
        ok = forward_token(f.forward, i, f.logits, &f.err) == STATUS_OK;
    ok = ok && fault_due(); // and there was none
    fault_arm(0);
    report(ok, "decoding_allocates_nothing");
    teardown(&f);
}

static void
every_failed_allocation_is_reported(void)
{
    struct fixture f;
    struct forward *forward;
    enum status status = STATUS_NOMEM;
    unsigned long n = 0;

    setup(&f, MODEL_C, &usual);
    while (status == STATUS_NOMEM && n < 100) {
        struct forward_options larger = usual;

        larger.chunk_tokens = 6; // so that scratch grows, too
        fault_arm(++n);
        status = forward_open(&forward, &f.tiny->model, &larger, &f.err);
        fault_arm(0);
    }
    report(status == STATUS_OK && n > 3,
           "every_failed_allocation_is_reported_and_leaks_nothing");
    forward_close(forward);
    teardown(&f);
}

/* What the router chose, counted beside the device. */
struct tally {
    const struct expert_uses *uses;
    uint32_t counts[64];
};

static void
tally_ids(void *context, const char *name, uint32_t layer, const void *data,
          size_t rows, size_t width)
{
    struct tally *tally = context;
    const int32_t *ids = data;

    if (strcmp(name, "router.ids") != 0)
        return;
    for (size_t i = 0; i < rows * width; i++)
        tally
            ->counts[(layer - tally->uses->first_layer) * tally->uses->experts +
                     ids[i]]++;
}

/* Both ways to compute experts, with a store where they come and go. */
static void
experts_are_counted_where_the_router_sent_tokens(void)
{
    struct fixture f;
    struct expert_uses *uses;
    struct tally tally = {0};

    setup(&f, MODEL_C, &usual);
    struct model *model = &f.tiny->model;
    struct expert_store *resident = model->experts;
    struct expert_store *moving =
        moving_experts_open(resident, model->shape.experts_used);
    model->experts = moving;
    if (expert_uses_open(&uses, &model->shape, &f.err) != STATUS_OK)
        abort();
    tally.uses = uses;
    size_t cells = (size_t) uses->layers * uses->experts;
    if (cells > sizeof tally.counts / sizeof *tally.counts)
        abort();
    forward_observe(f.forward, tally_ids, &tally);
    forward_count(f.forward, uses);
    bool ok = prompt(&f, 9) == STATUS_OK &&
              forward_token(f.forward, 3, f.logits, &f.err) == STATUS_OK &&
              forward_token(f.forward, 5, f.logits, &f.err) == STATUS_OK;
    ok = ok && uses->tokens == 11 &&
         expert_uses_total(uses) ==
             11 * uses->layers * model->shape.experts_used &&
         memcmp(uses->counts, tally.counts, cells * sizeof *uses->counts) == 0;
    report(ok, "experts_are_counted_where_the_router_sent_tokens");

    expert_uses_locate(uses, moving); // no lease is left: all are away
    ok = expert_uses_in(uses, TIER_NVME) == expert_uses_total(uses) &&
         expert_uses_in(uses, TIER_RAM) == 0;
    forward_count(f.forward, NULL);
    ok = ok && forward_token(f.forward, 7, f.logits, &f.err) == STATUS_OK &&
         uses->tokens == 11;
    expert_uses_clear(uses);
    ok = ok && expert_uses_total(uses) == 0 && uses->tokens == 0;
    report(ok, "counting_ends_and_what_was_counted_can_be_cleared");
    expert_uses_close(uses);
    expert_store_close(moving);
    model->experts = resident;
    teardown(&f);
}

static void
memory_is_known_beforehand(void)
{
    struct fixture f;
    struct forward_options expanded = usual;

    setup(&f, MODEL_C, &usual);
    uint64_t small = forward_bytes(&f.tiny->model, f.device, &usual);
    expanded.context_tokens = 64;
    report(small > 0 &&
               forward_bytes(&f.tiny->model, f.device, &expanded) > small,
           "memory_is_known_beforehand_and_grows_with_the_context");
    teardown(&f);
}

static void
the_automatic_form_does_not_depend_on_chunks(void)
{
    struct fixture f;
    struct forward_options options = usual;
    uint64_t hash[3];
    bool ok = true;

    setup(&f, MODEL_C, &usual);
    for (size_t i = 0; i < 3; i++) {
        options.chunk_tokens = (size_t[]){1, 4, 12}[i];
        options.form = FORM_AUTO;
        ok &= hash_run(&f.tiny->model, &options, tiny_ids, 9, tiny_ids + 9, 3,
                       &hash[i], &f.err) == STATUS_OK;
    }
    report(ok && hash[0] == hash[1] && hash[1] == hash[2],
           "the_automatic_form_does_not_depend_on_chunks");
    teardown(&f);
}

int
main(void)
{
    numbers_that_are_not_finite_stop_with_layer_and_position();
    lost_experts_are_reported_and_leases_given_back();
    a_prompt_can_be_cancelled_and_tells_how_far_it_is();
    lengths_and_ids_are_checked();
    what_was_cut_off_leaves_no_trace(MODEL_C);
    what_was_cut_off_leaves_no_trace(MODEL_F);
    decoding_allocates_nothing();
    every_failed_allocation_is_reported();
    experts_are_counted_where_the_router_sent_tokens();
    memory_is_known_beforehand();
    the_automatic_form_does_not_depend_on_chunks();
    return report_end();
}
