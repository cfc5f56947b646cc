/*
 * The loop from a conversation to its next message.
 */
#include "config.h"

#include "engine/session_parts.h"

#include "engine/detokenizer.h"
#include "engine/experts/expert_uses.h"
#include "engine/loop_finder.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum status
session_open(struct session **out, const struct session_model *model,
             struct error *err)
{
    size_t vocabulary = model->model->shape.vocabulary;
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct session *session = memory;
    session->model = *model;
    enum status status =
        memory_alloc(&memory, vocabulary * sizeof *session->logits, err);
    session->logits = memory;
    if (status == STATUS_OK)
        status = sampler_open(&session->sampler, vocabulary, err);
    if (status == STATUS_OK)
        status = loop_finder_open(&session->loops, err);
    if (status == STATUS_OK)
        status =
            forward_open(&session->forward, model->model, &model->forward, err);
    if (status != STATUS_OK) {
        session_close(session);
        return status;
    }
    *out = session;
    return STATUS_OK;
}

void
session_forget_answers(struct session *session)
{
    for (size_t i = 0; i < ANSWERS_KEPT; i++) {
        buffer_release(&session->answers[i].text);
        tokens_release(&session->answers[i].ids);
    }
    session->answer_count = 0;
}

void
session_close(struct session *session)
{
    if (session == NULL)
        return;
    session_end_transfer(session);
    session_forget_answers(session);
    tokens_release(&session->ids);
    expert_uses_close(session->uses);
    loop_finder_close(session->loops);
    forward_close(session->forward);
    sampler_close(session->sampler);
    if (session->logits != NULL)
        explicit_bzero(session->logits, session->model.model->shape.vocabulary *
                                            sizeof *session->logits);
    free(session->logits);
    free(session);
}

/* -- sampling -------------------------------------------------------------- */

/* 0.95 as people wrote it, not as a float holds it. */
static double
as_written(double value)
{
    return rint(value * 1e6) / 1e6;
}

static void
take_real(const struct gguf *gguf, const char *key, double least, double most,
          double *out)
{
    struct error ignored; // a value out of range recommends nothing
    double value;
    bool found;

    if (gguf_float_in(gguf, key, least, most, &value, &found, &ignored) ==
            STATUS_OK &&
        found)
        *out = as_written(value);
}

struct sampling
session_recommended(const struct gguf *gguf, enum prompt_family family)
{
    const struct prompt_traits *traits = prompt_traits(family);
    struct sampling rule = {
        .repeat_penalty = 1,
        .temperature = as_written((double) traits->temperature),
        .top_p = as_written((double) traits->top_p),
        .seed = -1,
    };
    struct error ignored;
    uint64_t top_k;
    bool found;

    take_real(gguf, "general.sampling.temp", 0, 100, &rule.temperature);
    take_real(gguf, "general.sampling.top_p", 0, 1, &rule.top_p);
    take_real(gguf, "general.sampling.min_p", 0, 1, &rule.min_p);
    take_real(gguf, "general.sampling.penalty_repeat", 0.01, 100,
              &rule.repeat_penalty);
    if (gguf_uint_in(gguf, "general.sampling.top_k", 0, INT32_MAX, &top_k,
                     &found, &ignored) == STATUS_OK &&
        found)
        rule.top_k = (int64_t) top_k;
    return rule;
}

static double
real_or(double value, double otherwise)
{
    return isnan(value) ? otherwise : value;
}

/* The rule as it is used: what was asked for, else what is recommended. */
static enum status
resolve_sampling(const struct session *session, const struct sampling *asked,
                 struct sampling *out, struct error *err)
{
    uint32_t random;

    *out =
        session_recommended(session->model.model->gguf, session->model.family);
    out->repeat_penalty = real_or(asked->repeat_penalty, out->repeat_penalty);
    out->temperature = real_or(asked->temperature, out->temperature);
    out->top_p = real_or(asked->top_p, out->top_p);
    out->min_p = real_or(asked->min_p, out->min_p);
    if (asked->top_k >= 0)
        out->top_k = asked->top_k;
    out->seed = asked->seed;
    if (out->seed >= 0)
        return STATUS_OK;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return error_errno(err, "cannot draw a seed");
    out->seed = random; // short enough to be typed again
    return STATUS_OK;
}

/* -- the prompt ------------------------------------------------------------ */

static const struct own_answer *
find_answer(const struct session *session, struct text text)
{
    size_t held = session->answer_count < ANSWERS_KEPT ? session->answer_count
                                                       : ANSWERS_KEPT;

    for (size_t i = 0; i < held; i++) {
        const struct own_answer *answer = &session->answers[i];

        if (answer->text.length == text.length && text.length > 0 &&
            memcmp(answer->text.data, text.bytes, text.length) == 0)
            return answer;
    }
    return NULL;
}

static struct message
message_of(const struct session *session, const struct chat_message *chat)
{
    static const enum role roles[] = {
        [CHAT_SYSTEM] = ROLE_SYSTEM,
        [CHAT_USER] = ROLE_USER,
        [CHAT_ASSISTANT] = ROLE_ASSISTANT,
    };
    struct message message = {
        .role = roles[chat->role],
        .content = chat->content.bytes,
        .length = chat->content.length,
        .reasoning = chat->reasoning.bytes,
        .reasoning_length = chat->reasoning.length,
    };
    const struct own_answer *own = chat->role == CHAT_ASSISTANT
                                       ? find_answer(session, chat->content)
                                       : NULL;

    if (own != NULL) {
        message.ids = own->ids.ids;
        message.id_count = own->ids.count;
    }
    return message;
}

static enum status
render(const struct session *session, const struct generate_request *request,
       struct prompt_pieces *pieces, struct error *err)
{
    static const enum thinking switches[] = {
        [SWITCH_DEFAULT] = THINKING_DEFAULT,
        [SWITCH_ON] = THINKING_ON,
        [SWITCH_OFF] = THINKING_OFF,
    };
    // an answer that is begun for the model has no thought before it
    bool begun =
        request->prefill.length > 0 && request->thinking == SWITCH_DEFAULT;
    bool thinks = prompt_traits(session->model.family)->thinks;
    struct prompt_options options = {
        .opens_thought = thinks && request->prefill.length > 0 &&
                         request->thinking == SWITCH_ON,
        .thinking = begun ? THINKING_OFF : switches[request->thinking],
        .prefill = request->prefill.bytes,
        .prefill_length = request->prefill.length,
        .reasoning = request->prefill_reasoning.bytes,
        .reasoning_length = request->prefill_reasoning.length,
        .generate = true,
    };
    void *memory;

    if (options.reasoning != NULL && !thinks)
        return error_set(err, STATUS_FORMAT,
                         "this model has no thoughts, so none can be put "
                         "before its answer");
    TRY(memory_alloc(&memory, request->message_count * sizeof(struct message),
                     err));
    struct message *messages = memory;
    for (size_t i = 0; i < request->message_count; i++)
        messages[i] = message_of(session, &request->messages[i]);
    enum status status =
        prompt_render(pieces, session->model.family, session->model.tokenizer,
                      messages, request->message_count, &options, err);
    free(memory);
    return status;
}

/* Token ids of the prompt, and whether it ends inside a thought. */
static enum status
tokenize(const struct session *session, const struct generate_request *request,
         struct tokens *out, bool *in_thought, struct error *err)
{
    struct prompt_pieces pieces = {0};
    size_t context = session->model.forward.context_tokens;
    enum status status = render(session, request, &pieces, err);

    if (status == STATUS_OK)
        status = prompt_tokens(&pieces, session->model.tokenizer, out,
                               in_thought, err);
    prompt_pieces_release(&pieces);
    if (status == STATUS_OK && out->count >= context)
        return error_set(err, STATUS_LIMIT,
                         "the prompt has %zu tokens and does not fit the "
                         "context of %zu; nothing was run",
                         out->count, context);
    return status;
}

/* -- the cache ------------------------------------------------------------- */

static size_t
common_length(const struct tokens *a, const struct tokens *b)
{
    size_t count = a->count < b->count ? a->count : b->count, i = 0;

    while (i < count && a->ids[i] == b->ids[i])
        i++;
    return i;
}

/* How much of the prompt need not be run. */
static size_t
reusable(const struct session *session, const struct tokens *prompt)
{
    size_t common = common_length(&session->ids, prompt);

    if (common < prompt->count)
        return common;
    if (prompt->count == session->last_prompt)
        return session->last_cached;
    return prompt->count - 1; // the last token's logits are wanted
}

void
session_keep_tokens(struct session *session, size_t count)
{
    size_t dropped = session->ids.count - count;

    if (dropped > 0)
        explicit_bzero(session->ids.ids + count,
                       dropped * sizeof *session->ids.ids);
    session->ids.count = count;
    forward_truncate(session->forward, count);
}

/* -- a generation ---------------------------------------------------------- */

struct generation {
    struct session *session;
    const struct generate_request *request;
    const struct prompt_traits *traits;
    const struct session_listener *listener;
    const _Atomic bool *cancel;
    struct session_result *result;
    struct error *err;

    struct tokens prompt;
    bool in_thought; // the prompt ends inside one
    struct channels *channels;
    struct detokenizer detokenizer;
    struct buffer piece; // text of the token at hand

    struct tokens forced; // what closes a thought that is cut
    size_t forced_next;
    size_t generated;
    uint64_t start_ns, thought_start_ns;
    bool counts; // what experts do
};

static bool
cancelled(const struct generation *g)
{
    return g->cancel != NULL && atomic_load(g->cancel);
}

/* -- what experts do ------------------------------------------------------- */

static enum status
begin_counting(struct generation *g)
{
    struct session *session = g->session;

    if (g->request->residency_ms == 0 || g->listener->uses == NULL)
        return STATUS_OK;
    if (session->uses == NULL)
        TRY(expert_uses_open(&session->uses, &session->model.model->shape,
                             g->err));
    forward_count(session->forward, session->uses);
    g->counts = true;
    return STATUS_OK;
}

static void
tell_uses(struct generation *g, bool last)
{
    if (g->counts)
        g->listener->uses(g->listener->context, g->session->uses, last);
}

static void
end_counting(struct generation *g)
{
    if (!g->counts)
        return;
    tell_uses(g, true);
    expert_uses_clear(g->session->uses);
    forward_count(g->session->forward, NULL);
}

/* -- the prompt's run ------------------------------------------------------ */

static void
on_prefill(void *context, size_t done, size_t of)
{
    struct generation *g = context;

    if (g->listener->prefill != NULL)
        g->listener->prefill(g->listener->context, done, of);
    tell_uses(g, false);
}

static enum status
run_prompt(struct generation *g)
{
    struct session *session = g->session;
    size_t cached = reusable(session, &g->prompt);

    g->result->prompt_tokens = g->prompt.count;
    g->result->cached_tokens = cached;
    session_keep_tokens(session, cached);
    session->last_prompt = 0; // until the new one is in the cache
    TRY(forward_prompt(session->forward, g->prompt.ids + cached,
                       g->prompt.count - cached, session->logits, on_prefill, g,
                       g->cancel, g->err));
    TRY(tokens_append(&session->ids, g->prompt.ids + cached,
                      g->prompt.count - cached, g->err));
    session->last_prompt = g->prompt.count;
    session->last_cached = cached;
    g->result->prefill_ns = clock_ns() - g->start_ns;
    return STATUS_OK;
}

static enum status
open_channels(struct generation *g)
{
    const struct prompt_traits *traits = g->traits;
    const struct tokenizer *tokenizer = g->session->model.tokenizer;
    struct channels_rule rule = {
        .thinks = traits->thinks,
        .think_open = TOKEN_NONE,
        .think_close = TOKEN_NONE,
        .open_text = traits->think_open,
        .close_text = traits->think_close,
        .in_thought = g->in_thought,
        .continued = g->request->prefill.length > 0,
        .blank_first = traits->blank_first,
        .stops = g->request->stops,
        .stop_count = g->request->stop_count,
    };

    if (traits->thinks) {
        rule.think_open = tokenizer_find(tokenizer, traits->think_open);
        rule.think_close = tokenizer_find(tokenizer, traits->think_close);
    }
    detokenizer_init(&g->detokenizer, tokenizer, !rule.continued);
    return channels_open(&g->channels, &rule, g->listener->part,
                         g->listener->context, g->err);
}

/* Cuts the thought: its marker and what the family writes around it. */
static enum status
force_close(struct generation *g)
{
    const struct tokenizer *tokenizer = g->session->model.tokenizer;
    const struct prompt_traits *traits = g->traits;
    int32_t close = tokenizer_find(tokenizer, traits->think_close);

    g->forced.count = g->forced_next = 0;
    TRY(tokenizer_encode(tokenizer, traits->cut_before,
                         strlen(traits->cut_before), &g->forced, g->err));
    if (close != TOKEN_NONE)
        TRY(tokens_append(&g->forced, &close, 1, g->err));
    else
        TRY(tokenizer_encode(tokenizer, traits->think_close,
                             strlen(traits->think_close), &g->forced, g->err));
    TRY(tokenizer_encode(tokenizer, traits->cut_after,
                         strlen(traits->cut_after), &g->forced, g->err));
    g->result->thought_cut = true;
    return STATUS_OK;
}

static bool
over_budget(const struct generation *g)
{
    return g->request->think_budget >= 0 &&
           channels_thought_tokens(g->channels) >=
               (size_t) g->request->think_budget;
}

/* Takes notice of answer_now, once a thought or an answer has begun. */
static bool
asked_for_answer(const struct generation *g)
{
    _Atomic bool *asked = g->listener->answer_now;

    if (asked == NULL || (g->generated == 0 && !g->in_thought))
        return false;
    return atomic_exchange(asked, false) && channels_in_thought(g->channels);
}

/* Whether the thought, if it is one, ends here. */
static bool
must_close(struct generation *g)
{
    bool asked = asked_for_answer(g);

    g->result->thought_asked |= asked;
    return asked || (channels_in_thought(g->channels) && over_budget(g));
}

/* The next token: one that is forced, else one that is drawn. */
static enum status
next_token(struct generation *g, int32_t *out, bool *forced)
{
    const struct session *session = g->session;
    const struct sampling *rule = &g->result->sampling;
    const struct tokens *ids = &session->ids;

    if (g->forced_next == g->forced.count && must_close(g))
        TRY(force_close(g));
    *forced = g->forced_next < g->forced.count;
    if (*forced) {
        *out = g->forced.ids[g->forced_next++];
        return STATUS_OK;
    }
    return sampler_pick(
        session->sampler, rule, session->logits, ids->ids, ids->count,
        sampler_uniform((uint64_t) rule->seed, ids->count), out, g->err);
}

/* A marker or an end token has no text of its own to show. */
static enum status
decode(struct generation *g, int32_t id)
{
    const struct tokenizer *tokenizer = g->session->model.tokenizer;

    buffer_clear(&g->piece);
    if (channels_is_marker(g->channels, id) ||
        tokenizer_kind(tokenizer, id) == TOKEN_CONTROL)
        return detokenizer_flush(&g->detokenizer, &g->piece, g->err);
    return detokenizer_push(&g->detokenizer, id, &g->piece, g->err);
}

static bool
has_letters(struct gguf_string piece)
{
    for (size_t i = 0; i < piece.length; i++) {
        unsigned char c = (unsigned char) piece.bytes[i];

        if (c >= 0x80 || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
            return true;
    }
    return false;
}

/* Tells of a loop that begins with this token of `channel`. */
static void
watch_loops(struct generation *g, int32_t id, enum channel channel)
{
    const struct tokenizer *tokenizer = g->session->model.tokenizer;
    struct loop loop;

    if (!loop_finder_push(g->session->loops, id,
                          has_letters(tokenizer_piece(tokenizer, id)), &loop) ||
        g->listener->loop == NULL)
        return;
    struct loop_event event = {channel, loop.period, loop.repeats};
    g->listener->loop(g->listener->context, &event);
}

static enum status
show_token(struct generation *g, int32_t id)
{
    struct channels_token token = {.id = id};

    if (g->request->with_logprobs) {
        token.scored = true;
        token.best_count =
            sampler_score(g->session->sampler, g->session->logits, id,
                          &token.logprob, token.best, g->request->logprobs);
    }
    TRY(decode(g, id));
    bool thinking = channels_in_thought(g->channels);
    TRY(channels_push(g->channels, &token, g->piece.data, g->piece.length,
                      g->detokenizer.waiting_length == 0, g->err));
    if (thinking != channels_in_thought(g->channels)) {
        uint64_t now = clock_ns();

        if (thinking)
            g->result->thinking_ns += now - g->thought_start_ns;
        g->thought_start_ns = now;
        loop_finder_reset(g->session->loops);
        return STATUS_OK;
    }
    watch_loops(g, id, thinking ? CHANNEL_THINK : CHANNEL_ANSWER);
    return STATUS_OK;
}

/* Runs the token, so that the next can be drawn. */
static enum status
run_token(struct generation *g, int32_t id)
{
    struct session *session = g->session;

    TRY(tokens_append(&session->ids, &id, 1, g->err));
    enum status status =
        forward_token(session->forward, id, session->logits, g->err);
    if (status != STATUS_OK)
        session->ids.count--;
    tell_uses(g, false);
    return status;
}

/* True when the token at hand is the last: nobody will want its logits. */
static bool
is_last(const struct generation *g)
{
    return g->request->max_tokens >= 0 &&
           g->generated >= (size_t) g->request->max_tokens;
}

static bool
must_finish(struct generation *g)
{
    const struct session *session = g->session;

    if (cancelled(g))
        g->result->finish = FINISH_INTERRUPTED;
    else if (is_last(g))
        g->result->finish = FINISH_LENGTH;
    else if (session->ids.count >= session->model.forward.context_tokens)
        g->result->finish = FINISH_CONTEXT_FULL;
    else
        return false;
    return true;
}

static enum status
generate_tokens(struct generation *g)
{
    const struct session_model *model = &g->session->model;
    int32_t id;
    bool forced;

    g->result->finish = FINISH_STOP;
    while (!must_finish(g)) {
        TRY(next_token(g, &id, &forced));
        if (g->generated == 0)
            g->result->first_token_ns = clock_ns() - g->start_ns;
        if (!forced && !g->request->ignore_end &&
            prompt_is_end(model->family, model->tokenizer, id))
            break;
        g->generated++;
        TRY(show_token(g, id));
        if (channels_stopped(g->channels))
            break;
        if (!is_last(g))
            TRY(run_token(g, id));
    }
    buffer_clear(&g->piece);
    TRY(detokenizer_flush(&g->detokenizer, &g->piece, g->err));
    return channels_end(g->channels, g->piece.data, g->piece.length, g->err);
}

/* What the end means, seen from the thought. */
static void
settle_finish(struct generation *g)
{
    struct session_result *result = g->result;
    bool open = channels_in_thought(g->channels);
    uint64_t now = clock_ns();

    result->thinking_tokens = channels_thought_tokens(g->channels);
    result->thought = g->in_thought || result->thinking_tokens > 0 ||
                      g->request->prefill_reasoning.bytes != NULL;
    result->answer_tokens = g->generated - result->thinking_tokens;
    result->thought_closed = !open;
    result->decode_ns = now - g->start_ns - result->first_token_ns;
    if (open)
        result->thinking_ns += now - g->thought_start_ns;
    if (result->finish == FINISH_INTERRUPTED)
        return;
    if (open && channels_answer(g->channels).length == 0)
        result->finish = FINISH_ENDED_THINKING;
    else if (result->finish == FINISH_STOP && result->thought_cut &&
             !result->thought_asked)
        result->finish = FINISH_THINK_BUDGET;
}

/* Keeps text and ids of the answer, for prompts that will hold it. */
static enum status
keep_answer(struct generation *g)
{
    struct session *session = g->session;
    struct text text = channels_answer(g->channels);
    const struct tokens *ids = channels_answer_ids(g->channels);

    if (ids == NULL || text.length == 0 || g->request->prefill.length > 0)
        return STATUS_OK;
    struct own_answer *answer =
        &session->answers[session->answer_count % ANSWERS_KEPT];
    buffer_release(&answer->text);
    tokens_release(&answer->ids);
    TRY(tokens_append(&answer->ids, ids->ids, ids->count, g->err));
    TRY(buffer_append(&answer->text, text.bytes, text.length, g->err));
    session->answer_count++;
    return STATUS_OK;
}

static enum status
generate(struct generation *g)
{
    TRY(resolve_sampling(g->session, &g->request->sampling,
                         &g->result->sampling, g->err));
    TRY(tokenize(g->session, g->request, &g->prompt, &g->in_thought, g->err));
    TRY(open_channels(g));
    TRY(begin_counting(g));
    TRY(run_prompt(g));
    g->thought_start_ns = clock_ns();
    enum status status = generate_tokens(g);
    if (status == STATUS_CANCELLED && cancelled(g))
        g->result->finish = FINISH_INTERRUPTED; // while it was being told
    else if (status != STATUS_OK)
        return status;
    settle_finish(g);
    return keep_answer(g);
}

enum status
session_generate(struct session *session,
                 const struct generate_request *request,
                 const struct session_listener *listener,
                 const _Atomic bool *cancel, struct session_result *out,
                 struct error *err)
{
    struct generation g = {
        .session = session,
        .request = request,
        .traits = prompt_traits(session->model.family),
        .listener = listener,
        .cancel = cancel,
        .result = out,
        .err = err,
        .start_ns = clock_ns(),
    };

    *out = (struct session_result){.thought_closed = true};
    session_end_transfer(session);
    enum status status = generate(&g);
    if (status == STATUS_CANCELLED && cancelled(&g)) {
        out->finish = FINISH_INTERRUPTED;
        out->thought = g.in_thought;
        out->thought_closed = !g.in_thought;
        status = STATUS_OK;
    }
    end_counting(&g);
    loop_finder_reset(session->loops);
    channels_close(g.channels);
    tokens_release(&g.prompt);
    tokens_release(&g.forced);
    buffer_release(&g.piece);
    return status;
}
