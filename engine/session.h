/*
 * One conversation with a model: prompt, forward pass, sampler and channels.
 *
 * The whole conversation is given each time. What the cache still holds of it
 * is not run again; an answer that the session generated goes into later
 * prompts by its own token ids. A prompt equal to the last one runs again from
 * where that one began, so that a repeated question repeats its answer.
 * Threads: a session belongs to the thread that opened it.
 */
#ifndef FATHOM_ENGINE_SESSION_H
#define FATHOM_ENGINE_SESSION_H

#include "base/protocol.h"
#include "engine/channels.h"
#include "engine/fingerprint.h"
#include "engine/forward.h"
#include "engine/prompt.h"

struct session;
struct expert_uses;

/* What sessions of one engine share; all of it outlives them. */
struct session_model {
    struct model *model; // loaded
    const struct tokenizer *tokenizer;
    enum prompt_family family;
    struct forward_options forward;
    struct fingerprint fingerprint;
};

/* What to tell while it works, and what to listen to. */
struct session_listener {
    void *context;
    void (*prefill)(void *context, size_t done, size_t of); // may be NULL
    channels_fn *part; // ends the generation by failing
    /*
     * What experts have done, where the request asks for it: often, and once
     * more at the end. Whoever has told it clears it; the session wipes it.
     */
    void (*uses)(void *context, struct expert_uses *uses, bool last);
    /* The tokens of a channel repeat themselves; may be NULL. */
    void (*loop)(void *context, const struct loop_event *loop);
    /*
     * NULL, or true when the thought is to be closed at its next token; it is
     * then made false. A thought that has not begun is closed as it begins;
     * an answer takes no notice.
     */
    _Atomic bool *answer_now;
};

/* How a generation went. Times are nanoseconds. */
struct session_result {
    enum finish finish;
    size_t prompt_tokens, cached_tokens;
    size_t thinking_tokens, answer_tokens;
    struct sampling sampling;            // as used
    bool thought;                        // there was one, if only begun
    bool thought_closed;                 // it ended, or there was none
    bool thought_cut;                    // by the budget, or since asked for
    bool thought_asked;                  // by answer_now
    uint64_t prefill_ns, first_token_ns; // since session_generate
    uint64_t thinking_ns, decode_ns;
};

MUST_CHECK enum status session_open(struct session **out,
                                    const struct session_model *model,
                                    struct error *err);
/* Takes NULL. All text and ids of the conversation are wiped. */
void session_close(struct session *session);

/* What a model recommends: the family's, before it the file's own. */
struct sampling session_recommended(const struct gguf *gguf,
                                    enum prompt_family family);

/*
 * Answers a conversation. STATUS_LIMIT: the prompt and one token more do not
 * fit the context; nothing was run. STATUS_DEVICE: a number was not finite.
 * `cancel` ends it with FINISH_INTERRUPTED and what there is.
 */
MUST_CHECK enum status session_generate(struct session *session,
                                        const struct generate_request *request,
                                        const struct session_listener *listener,
                                        const _Atomic bool *cancel,
                                        struct session_result *out,
                                        struct error *err);

#endif
