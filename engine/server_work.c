/* A function for each request; what they tell goes through client_send. */
#include "config.h"

#include "engine/server_work.h"

#include "engine/experts/expert_uses.h"
#include "engine/snapshot.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PROGRESS_NS = 100 * 1000000,
    MS_NS = 1000000,
    TOKENS_A_FRAME = 256, // with their scores they fit a frame
    WARNINGS = 8,
};

const char *
work_engine_name(void)
{
    return "fathom-engine " PACKAGE_VERSION;
}

enum status
work_init(struct work *work, const struct work_options *options, int wake,
          struct error *err)
{
    *work = (struct work){.options = *options, .wake = wake};
    work->start_ns = clock_ns();
    TRY(ready_open(&work->ready, &options->ready, err));
    // what is open so far is given back by work_release
    return queue_open(&work->jobs, SIZE_MAX, err);
}

void
work_release(struct work *work)
{
    ready_close(work->ready);
    queue_close(work->jobs);
}

/* -- telling --------------------------------------------------------------- */

/* True when `interval` has passed since the last time. Any thread. */
static bool
is_due(_Atomic uint64_t *last, uint64_t interval)
{
    uint64_t now = clock_ns(), before = atomic_load(last);

    return now - before >= interval &&
           atomic_compare_exchange_strong(last, &before, now);
}

/* Ends the job with the frame that `status` says was made. */
static void
finish(struct job *job, enum status status, struct buffer *frame,
       const struct error *made)
{
    struct error err = *made;

    if (status == STATUS_OK)
        status = client_send(job->client, frame, PUSH_ALWAYS, job, NULL, &err);
    buffer_release(frame);
    if (status != STATUS_OK && status != STATUS_CANCELLED)
        client_send_error(job->client, job->number, job, &err,
                          status == STATUS_NOMEM ? EXIT_UNAVAILABLE
                                                 : EXIT_INTERNAL);
}

static void
fail(struct work *work, struct job *job, const struct error *err, int exit_code)
{
    if (job->client != NULL) {
        client_send_error(job->client, job->number, job, err, exit_code);
        return;
    }
    work->failure = *err;
    work->failure_exit = exit_code;
    atomic_store(&work->failed, true);
    uint64_t one = 1;
    (void) !write(work->wake, &one, sizeof one);
}

static void
tell_progress(struct job *job, enum progress_phase phase, uint64_t done,
              uint64_t of)
{
    struct progress_event event = {phase, done, of};
    struct buffer frame = {0};
    struct error err;

    if (job->client == NULL)
        return;
    if (done != 0 && done != of && !is_due(&job->progress_ns, PROGRESS_NS))
        return;
    // only progress: what fails here is left out
    if (event_put_progress(&frame, job->number, &event, &err) == STATUS_OK &&
        client_send(job->client, &frame, PUSH_DROP, NULL, NULL, &err) ==
            STATUS_OK)
        return;
    buffer_release(&frame);
}

static void
on_progress(void *context, enum progress_phase phase, uint64_t done,
            uint64_t of)
{
    tell_progress(context, phase, done, of);
}

/* Shares of what was used by where it was; all in memory without experts. */
static void
fill_shares(struct residency *out, const struct expert_uses *uses)
{
    double total = (double) expert_uses_total(uses);

    out->ram = 1;
    if (total == 0)
        return;
    out->vram = (double) expert_uses_in(uses, TIER_VRAM) / total;
    out->ram = (double) expert_uses_in(uses, TIER_RAM) / total;
    out->nvme = (double) expert_uses_in(uses, TIER_NVME) / total;
}

static void
send_residency(struct work *work, struct job *job, struct expert_uses *uses,
               enum client_push how)
{
    const struct model *model = ready_model(work->ready);
    struct residency event = {
        .tokens = uses->tokens,
        .first_layer = uses->first_layer,
        .layers = uses->layers,
        .experts = uses->experts,
        .active = model->shape.experts_used,
        .shared = model->shape.shared_experts,
        .uses = uses->counts,
        .tier = uses->tier,
    };
    struct buffer frame = {0};
    struct error err;

    if (model->experts != NULL)
        expert_uses_locate(uses, model->experts);
    fill_shares(&event, uses);
    // what cannot be told is told with what follows
    if (event_put_residency(&frame, job->number, &event, &err) == STATUS_OK &&
        client_send(job->client, &frame, how, NULL, NULL, &err) == STATUS_OK)
        expert_uses_clear(uses);
    buffer_release(&frame);
}

/* -- opening --------------------------------------------------------------- */

static enum status
make_ready(struct work *work, struct job *job, enum open_depth depth,
           struct error *err)
{
    struct ready_listener listener = {job, on_progress};

    atomic_store(&work->loading, ready_sessions(work->ready) == NULL);
    enum status status =
        ready_to(work->ready, depth, &listener, &job->cancel, err);
    atomic_store(&work->loading, false);
    if (ready_device(work->ready) != NULL)
        atomic_store(&work->threads,
                     device_cpu_threads(ready_device(work->ready)));
    return status;
}

static uint64_t
context_tokens(const struct work *work)
{
    const struct session_model *sessions = ready_sessions(work->ready);

    return sessions != NULL ? sessions->forward.context_tokens : 0;
}

static const char *
digits_of(char out[SNAPSHOT_KEY_TEXT], const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return out;
}

static void
run_open(struct work *work, struct job *job)
{
    struct open_done done = {.engine = work_engine_name()};
    uint8_t kind[SNAPSHOT_KIND_BYTES];
    char digits[SNAPSHOT_KEY_TEXT];
    bool was_ready = ready_sessions(work->ready) != NULL;
    struct buffer frame = {0};
    struct error err = {0};
    enum status status = make_ready(work, job, job->request.depth, &err);

    if (status != STATUS_OK) {
        fail(work, job, &err, ready_exit(work->ready, status));
        return;
    }
    if (job->client == NULL)
        return;
    done.model = ready_summary(work->ready);
    done.context = context_tokens(work);
    if (ready_sessions(work->ready) != NULL) {
        snapshot_kind(kind, ready_sessions(work->ready));
        done.snapshots = digits_of(digits, kind, sizeof kind);
        status = ready_plan(work->ready, &done.plan, &err);
    }
    if (status != STATUS_OK) {
        fail(work, job, &err, EXIT_UNAVAILABLE);
        return;
    }
    if (!was_ready) {
        done.read_ms = ready_read_ms(work->ready);
        done.tokenizer_ms = ready_tokenizer_ms(work->ready);
    }
    finish(job, event_put_open_done(&frame, job->number, &done, &err), &frame,
           &err);
}

static void
run_describe(struct work *work, struct job *job)
{
    struct buffer description = {0}, frame = {0};
    struct error err = {0};
    enum status status = make_ready(work, job, OPEN_SHAPE, &err);

    if (status == STATUS_OK)
        status = model_describe(ready_model(work->ready), &description, &err);
    if (status == STATUS_OK)
        finish(job,
               event_put_describe_done(&frame, job->number, description.data,
                                       description.length, &err),
               &frame, &err);
    else
        fail(work, job, &err, ready_exit(work->ready, status));
    buffer_release(&description);
}

static void
run_plan(struct work *work, struct job *job)
{
    struct engine_plan plan;
    struct buffer frame = {0};
    struct error err = {0};
    enum status status = make_ready(work, job, OPEN_SHAPE, &err);

    if (status == STATUS_OK)
        status = ready_plan(work->ready, &plan, &err);
    if (status == STATUS_OK)
        finish(job, event_put_plan_done(&frame, job->number, &plan, &err),
               &frame, &err);
    else
        fail(work, job, &err, ready_exit(work->ready, status));
}

/* -- tokens of texts ------------------------------------------------------- */

static enum status
send_ids(struct job *job, size_t index, const int32_t *ids, size_t count,
         bool more, struct error *err)
{
    struct ids_event event = {index, ids, count, more};
    struct buffer frame = {0};
    enum status status = event_put_ids(&frame, job->number, &event, err);

    if (status == STATUS_OK)
        status = client_send(job->client, &frame, PUSH_WAIT, NULL, &job->cancel,
                             err);
    buffer_release(&frame);
    return status;
}

static enum status
tokenize_text(struct work *work, struct job *job, size_t index,
              struct tokens *ids, struct error *err)
{
    struct text text = job->request.texts[index];

    if (atomic_load(&job->cancel))
        return error_set(err, STATUS_CANCELLED, "tokenizing was cancelled");
    ids->count = 0;
    TRY(tokenizer_encode(ready_tokenizer(work->ready), text.bytes, text.length,
                         ids, err));
    size_t sent = 0;
    do {
        size_t count = ids->count - sent;

        if (count > PROTOCOL_IDS)
            count = PROTOCOL_IDS;
        TRY(send_ids(job, index, ids->count > 0 ? ids->ids + sent : NULL, count,
                     sent + count < ids->count, err));
        sent += count;
    } while (sent < ids->count);
    return STATUS_OK;
}

static int
tokenize_exit(const struct work *work, enum status status)
{
    if (ready_tokenizer(work->ready) == NULL)
        return ready_exit(work->ready, status);
    if (status == STATUS_NOMEM)
        return EXIT_UNAVAILABLE;
    return status == STATUS_LIMIT ? EXIT_BAD_DATA : EXIT_INTERNAL;
}

static void
run_tokenize(struct work *work, struct job *job)
{
    struct tokens ids = {0};
    struct buffer frame = {0};
    struct error err = {0};
    uint64_t total = 0;
    enum status status = make_ready(work, job, OPEN_VOCABULARY, &err);

    for (size_t i = 0; status == STATUS_OK && i < job->request.text_count;
         i++) {
        status = tokenize_text(work, job, i, &ids, &err);
        total += ids.count;
    }
    tokens_release(&ids);
    if (status == STATUS_OK)
        finish(job, event_put_tokenize_done(&frame, job->number, total, &err),
               &frame, &err);
    else
        fail(work, job, &err, tokenize_exit(work, status));
}

/* -- generating ------------------------------------------------------------ */

/* What a generation's events need. */
struct telling {
    struct work *work;
    struct job *job;
};

/* Scores as events tell them: with the tokens' texts. */
static void
fill_logprobs(const struct work *work, const struct channels_part *part,
              struct logprob *out, struct logprob *best)
{
    const struct tokenizer *tokenizer = ready_tokenizer(work->ready);

    for (size_t i = 0; i < part->token_count; i++) {
        const struct channels_token *token = &part->tokens[i];
        struct gguf_string piece = tokenizer_piece(tokenizer, token->id);

        out[i] =
            (struct logprob){token->id,      piece.bytes, piece.length,
                             token->logprob, best,        token->best_count};
        for (size_t j = 0; j < token->best_count; j++) {
            piece = tokenizer_piece(tokenizer, token->best[j].id);
            *best++ = (struct logprob){
                token->best[j].id,      piece.bytes, piece.length,
                token->best[j].logprob, NULL,        0};
        }
    }
}

static enum status
put_part(const struct telling *telling, const struct channels_part *part,
         struct buffer *frame, struct error *err)
{
    struct token_event event = {
        .channel = part->channel,
        .text = {part->length > 0 ? part->bytes : "", part->length},
        .tokens = part->token_count,
    };
    uint64_t number = telling->job->number;
    void *memory;

    if (!telling->job->request.generate.with_logprobs || part->token_count == 0)
        return event_put_token(frame, number, &event, err);
    TRY(memory_alloc(&memory,
                     part->token_count * (1 + PROTOCOL_LOGPROBS) *
                         sizeof *event.logprobs,
                     err));
    struct logprob *logprobs = memory;
    fill_logprobs(telling->work, part, logprobs, logprobs + part->token_count);
    event.logprobs = logprobs;
    event.logprob_count = part->token_count;
    enum status status = event_put_token(frame, number, &event, err);
    free(memory);
    return status;
}

static enum status
send_part(const struct telling *telling, const struct channels_part *part,
          struct error *err)
{
    struct job *job = telling->job;
    struct buffer frame = {0};
    enum status status = put_part(telling, part, &frame, err);

    if (status == STATUS_OK)
        status = client_send(job->client, &frame, PUSH_WAIT, NULL, &job->cancel,
                             err);
    buffer_release(&frame);
    return status;
}

/* A part in as many frames as it takes; nearly always one. */
static enum status
on_part(void *context, const struct channels_part *part, struct error *err)
{
    const struct telling *telling = context;
    struct channels_part rest = *part;

    do {
        struct channels_part piece = rest;

        if (piece.length > PROTOCOL_PIECE_BYTES)
            piece.length =
                utf8_complete_prefix(piece.bytes, PROTOCOL_PIECE_BYTES);
        if (piece.token_count > TOKENS_A_FRAME)
            piece.token_count = TOKENS_A_FRAME;
        TRY(send_part(telling, &piece, err));
        rest.bytes += piece.length;
        rest.length -= piece.length;
        rest.tokens += piece.token_count;
        rest.token_count -= piece.token_count;
    } while (rest.length > 0 || rest.token_count > 0);
    return STATUS_OK;
}

static void
on_prefill(void *context, size_t done, size_t of)
{
    const struct telling *telling = context;

    tell_progress(telling->job, PHASE_PREFILL, done, of);
}

static void
on_uses(void *context, struct expert_uses *uses, bool last)
{
    const struct telling *telling = context;
    struct job *job = telling->job;
    uint64_t least_ns = (uint64_t) job->request.generate.residency_ms * MS_NS;

    if ((size_t) uses->layers * uses->experts > PROTOCOL_EXPERTS)
        return;
    if (last)
        send_residency(telling->work, job, uses, PUSH_ALWAYS);
    else if (is_due(&job->residency_ns, least_ns) &&
             !client_is_slow(job->client))
        send_residency(telling->work, job, uses, PUSH_DROP);
}

/* It is told once: a slow reader gets it too. */
static void
on_loop(void *context, const struct loop_event *loop)
{
    const struct telling *telling = context;
    struct buffer frame = {0};
    struct error err;

    if (event_put_loop(&frame, telling->job->number, loop, &err) != STATUS_OK ||
        client_send(telling->job->client, &frame, PUSH_ALWAYS, NULL, NULL,
                    &err) != STATUS_OK)
        buffer_release(&frame);
}

/* The client's session; STATUS_LIMIT when too many have one. */
static enum status
find_session(struct work *work, struct client *client, struct error *err)
{
    if (client->session != NULL)
        return STATUS_OK;
    if (work->open_sessions >= work->options.sessions)
        return error_set(err, STATUS_LIMIT,
                         "the engine holds %u conversations, which is its "
                         "limit; try again when one has ended",
                         work->open_sessions);
    TRY(session_open(&client->session, ready_sessions(work->ready), err));
    work->open_sessions++;
    return STATUS_OK;
}

static double
ms(uint64_t ns)
{
    return (double) ns * 1e-6;
}

static double
per_second(size_t count, uint64_t ns)
{
    return ns > 0 ? (double) count * 1e9 / (double) ns : 0;
}

/* When a request's phases began. */
struct stamps {
    uint64_t start_ns, generate_ns, end_ns; // taken up, model ready, ended
    bool was_ready;
};

static void
fill_timing(const struct work *work, const struct job *job,
            const struct session_result *result, const struct stamps *stamps,
            struct generate_timing *out)
{
    uint64_t before = stamps->generate_ns - job->arrived_ns;
    size_t run = result->prompt_tokens - result->cached_tokens;
    size_t generated = result->thinking_tokens + result->answer_tokens;

    out->queue_ms = ms(stamps->start_ns - job->arrived_ns);
    out->prefill_ms = ms(result->prefill_ns);
    if (result->first_token_ns > 0)
        out->ttft_ms = ms(before + result->first_token_ns);
    out->thinking_ms = ms(result->thinking_ns);
    out->total_ms = ms(stamps->end_ns - job->arrived_ns);
    out->prompt_tps = per_second(run, result->prefill_ns);
    // the first token was there when decoding began
    out->decode_tps =
        generated > 1 ? per_second(generated - 1, result->decode_ns) : 0;
    if (stamps->was_ready)
        return;
    out->load_read_ms = ready_read_ms(work->ready);
    out->load_tokenizer_ms = ready_tokenizer_ms(work->ready);
    if (result->first_token_ns > 0)
        out->load_first_token_ms =
            ms(stamps->generate_ns + result->first_token_ns - work->start_ns);
}

static const char *
thinking_mode(const struct generate_done *done,
              const struct session_result *result)
{
    if (!done->model.thinks)
        return "none";
    return result->thought ? "on" : "off";
}

static void
fill_placement(const struct work *work, struct generate_done *done)
{
    const struct device *device = ready_device(work->ready);
    bool f16 = work->options.ready.cache == CACHE_F16;

    done->placement.device = device != NULL ? device->name : "none";
    done->placement.level = cpu_level_name(cpu_level());
    done->placement.threads = device != NULL ? device_cpu_threads(device) : 0;
    done->placement.cache = f16 ? "f16" : "f32";
    if (ready_model(work->ready) != NULL)
        done->placement.token_bytes =
            model_token_bytes(ready_model(work->ready));
    done->placement.bandwidth_bytes = ready_bandwidth_bytes(work->ready);
}

/* What a user should know about this answer. */
static size_t
list_warnings(const struct generate_request *request,
              const struct generate_done *done, const char **out)
{
    const struct model_summary *model = &done->model;
    size_t count = 0;

    if (model->family_why != NULL)
        out[count++] = model->family_why;
    if (request->thinking == SWITCH_ON && !model->thinks)
        out[count++] = "this model has no thoughts that could be turned on";
    if (request->think_budget >= 0 && !model->thinks)
        out[count++] = "this model has no thoughts that a budget could cut";
    if (model->thinks && done->sampling.temperature < 1e-5 &&
        model->recommended.temperature >= 1e-5)
        out[count++] = "temperature 0 makes models that think repeat "
                       "themselves; leave it out to use what is recommended";
    return count;
}

static void
send_generate_done(struct work *work, struct job *job,
                   const struct session_result *result,
                   const struct stamps *stamps)
{
    const char *warnings[WARNINGS];
    struct buffer frame = {0};
    struct error err = {0};
    struct generate_done done = {
        .finish = result->finish,
        .usage = {.prompt = result->prompt_tokens,
                  .cached = result->cached_tokens,
                  .thinking = result->thinking_tokens,
                  .answer = result->answer_tokens,
                  .context = context_tokens(work)},
        .sampling = result->sampling,
        .residency = {.ram = 1}, // where a store keeps all experts
        .model = ready_summary(work->ready),
    };

    if (result->finish == FINISH_INTERRUPTED)
        done.finish = (enum finish) atomic_load(&job->reason);
    fill_timing(work, job, result, stamps, &done.timing);
    done.thinking.mode = thinking_mode(&done, result);
    done.thinking.closed = result->thought_closed;
    done.thinking.cut = result->thought_cut;
    done.thinking.asked = result->thought_asked;
    fill_placement(work, &done);
    done.warnings = warnings;
    done.warning_count = list_warnings(&job->request.generate, &done, warnings);
    finish(job, event_put_generate_done(&frame, job->number, &done, &err),
           &frame, &err);
}

static int
generate_exit(enum status status)
{
    switch (status) {
    case STATUS_LIMIT:
        return EXIT_TOO_LONG;
    case STATUS_NOMEM:
        return EXIT_UNAVAILABLE;
    case STATUS_FORMAT:
        return EXIT_BAD_DATA;
    case STATUS_OK:
    case STATUS_IO:
    case STATUS_UNSUPPORTED:
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

static void
count_tokens(struct work *work, const struct session_result *result)
{
    atomic_fetch_add(&work->prompt_tokens,
                     result->prompt_tokens - result->cached_tokens);
    atomic_fetch_add(&work->generated_tokens,
                     result->thinking_tokens + result->answer_tokens);
}

/* An answer that was cancelled before it began. */
static void
send_nothing(struct work *work, struct job *job, const struct stamps *stamps)
{
    const struct session_result nothing = {
        .finish = FINISH_INTERRUPTED,
        .sampling = job->request.generate.sampling,
        .thought_closed = true,
    };

    send_generate_done(work, job, &nothing, stamps);
}

static void
run_generate(struct work *work, struct job *job)
{
    struct telling telling = {work, job};
    const struct session_listener listener = {
        .context = &telling,
        .prefill = on_prefill,
        .part = on_part,
        .uses = on_uses,
        .loop = on_loop,
        .answer_now = &job->answer_now,
    };
    struct stamps stamps = {clock_ns(), clock_ns(), clock_ns(),
                            ready_sessions(work->ready) != NULL};
    struct session_result result;
    struct error err = {0};
    enum status status = make_ready(work, job, OPEN_WEIGHTS, &err);

    stamps.generate_ns = stamps.end_ns = clock_ns();
    if (status == STATUS_CANCELLED ||
        (status == STATUS_OK && atomic_load(&job->cancel))) {
        send_nothing(work, job, &stamps);
        return;
    }
    if (status != STATUS_OK) {
        fail(work, job, &err, ready_exit(work->ready, status));
        return;
    }
    status = find_session(work, job->client, &err);
    if (status != STATUS_OK) {
        fail(work, job, &err,
             status == STATUS_LIMIT ? EXIT_BUSY : EXIT_UNAVAILABLE);
        return;
    }
    atomic_store(&job->residency_ns, clock_ns());
    status = session_generate(job->client->session, &job->request.generate,
                              &listener, &job->cancel, &result, &err);
    stamps.end_ns = clock_ns();
    count_tokens(work, &result);
    if (status == STATUS_OK)
        send_generate_done(work, job, &result, &stamps);
    else
        fail(work, job, &err, generate_exit(status));
}

/* -- snapshots --------------------------------------------------------------
 */

static enum status
move_chunk(struct job *job, struct snapshot_done *done, char *key,
           struct buffer *data, struct error *err)
{
    const struct snapshot_request *request = &job->request.snapshot;
    struct session *session = job->client->session;
    struct snapshot_state state = {0};
    bool saves = request->action == SNAPSHOT_SAVE;

    if (saves && session != NULL)
        TRY(session_save(session, request->offset, data, &state, err));
    if (!saves)
        TRY(session_restore(session, request->offset, request->data.bytes,
                            request->data.length, &state, err));
    done->next = state.next;
    done->bytes = state.bytes;
    done->tokens = state.tokens;
    if (data->length > 0)
        done->key = digits_of(key, state.key, sizeof state.key);
    done->data = (struct text){data->data, data->length};
    return STATUS_OK;
}

static int
snapshot_exit(enum status status)
{
    if (status == STATUS_NOMEM)
        return EXIT_UNAVAILABLE;
    return status == STATUS_DEVICE ? EXIT_INTERNAL : EXIT_BAD_DATA;
}

/* A chunk in or out; who has no conversation yet gets one to restore into. */
static void
run_snapshot(struct work *work, struct job *job)
{
    struct snapshot_done done = {0};
    struct buffer data = {0}, frame = {0};
    char key[SNAPSHOT_KEY_TEXT];
    struct error err = {0};
    enum status status = make_ready(work, job, OPEN_WEIGHTS, &err);

    if (status != STATUS_OK) {
        fail(work, job, &err, ready_exit(work->ready, status));
        return;
    }
    if (job->request.snapshot.action == SNAPSHOT_RESTORE)
        status = find_session(work, job->client, &err);
    if (status != STATUS_OK) {
        fail(work, job, &err,
             status == STATUS_LIMIT ? EXIT_BUSY : EXIT_UNAVAILABLE);
        return;
    }
    status = move_chunk(job, &done, key, &data, &err);
    if (status == STATUS_OK)
        finish(job, event_put_snapshot_done(&frame, job->number, &done, &err),
               &frame, &err);
    else
        fail(work, job, &err, snapshot_exit(status));
    buffer_release(&data);
}

/* -- the thread ------------------------------------------------------------ */

static void
run_request(struct work *work, struct job *job)
{
    struct error err;
    enum message_type type = job->request.type;

    atomic_fetch_add(&work->requests, 1);
    if (atomic_load(&job->cancel) && type != MESSAGE_GENERATE) {
        error_fill(&err, STATUS_CANCELLED, "the request was cancelled");
        fail(work, job, &err, EXIT_INTERNAL);
    } else if (type == MESSAGE_OPEN) {
        run_open(work, job);
    } else if (type == MESSAGE_DESCRIBE) {
        run_describe(work, job);
    } else if (type == MESSAGE_TOKENIZE) {
        run_tokenize(work, job);
    } else if (type == MESSAGE_GENERATE) {
        run_generate(work, job);
    } else if (type == MESSAGE_SNAPSHOT) {
        run_snapshot(work, job);
    } else {
        run_plan(work, job);
    }
}

static void
forget_client(struct work *work, struct client *client)
{
    if (client->session != NULL)
        work->open_sessions--;
    client_close(client);
}

static void
preload(struct work *work)
{
    struct job *job = &work->preload;

    job->request.type = MESSAGE_OPEN;
    job->request.depth = OPEN_WEIGHTS;
    run_open(work, job);
}

void *
work_run(void *context)
{
    struct work *work = context;
    struct queue_item *item;

    if (work->options.preload)
        preload(work);
    while ((item = queue_pop_wait(work->jobs)) != NULL) {
        struct job *job = (struct job *) (void *) item;

        if (job->kind == JOB_FORGET) {
            forget_client(work, job->client);
            continue;
        }
        atomic_store(&work->busy, true);
        atomic_fetch_sub(&work->waiting, 1);
        run_request(work, job);
        atomic_store(&work->busy, false);
    }
    // the team of workers belongs to this thread
    ready_close(work->ready);
    work->ready = NULL;
    return NULL;
}
