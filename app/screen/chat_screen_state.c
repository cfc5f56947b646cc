/* The state of a chat in the words and figures of its top and status lines. */
#include "config.h"

#include "app/screen/chat_screen.h"
#include "app/history/history_common.h"

#include <stdio.h>
#include <string.h>

// a rate of less is chance
#define MEASURED_NS UINT64_C(300000000)

static const char *
vault_word(const struct chat *chat)
{
    switch (chat->keeping.kind) {
    case KEEPING_VAULT:
        return "open";
    case KEEPING_SEALED:
        return "sealed";
    case KEEPING_NOTHING:
        break;
    }
    return chat->locked ? "locked" : "eph";
}

static const char *
think_word(const struct chat *chat)
{
    if (!chat->opened || !chat->thinks)
        return "";
    if (!chat->has_switch)
        return "on";
    return chat->generation.think ? chat->generation.think : "default";
}

static const char *
phase_word(enum progress_phase phase)
{
    switch (phase) {
    case PHASE_QUEUE:
        return "waiting for other requests";
    case PHASE_READ:
        return "reading the model";
    case PHASE_TOKENIZER:
        return "preparing the tokenizer";
    case PHASE_PREFILL:
        return "reading the prompt";
    }
    return "waiting";
}

/* A chat that is not kept has no title yet, but a first question. */
static void
fill_title(struct screen_texts *texts, const struct conversation *c,
           const struct screen_turns *turns)
{
    const char *title = c->title.length > 0 ? c->title.data : turns->title;
    const struct text text = {title, strlen(title)};
    struct buffer line = {0};
    struct error err;
    size_t length = 0, most = sizeof texts->title - 1;

    if (history_line(&line, text, &err) == STATUS_OK && line.length > 0)
        length = utf8_complete_prefix(line.data,
                                      line.length < most ? line.length : most);
    snprintf(texts->title, sizeof texts->title, "%.*s", (int) length,
             length > 0 ? line.data : "");
    buffer_release(&line);
}

static double
seconds(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double) (to_ns - from_ns) / 1e9 : 0;
}

static void
fill_progress(struct chat_view_state *state, const struct screen_counts *counts,
              uint64_t now_ns)
{
    const struct progress_event *p = &counts->progress;
    double elapsed = seconds(counts->progress_begun_ns, now_ns);
    uint64_t done =
        p->done > counts->progress_first ? p->done - counts->progress_first : 0;

    state->phase_text = phase_word(p->phase);
    state->phase_eta_s = -1;
    if (p->phase == PHASE_QUEUE || p->phase == PHASE_TOKENIZER)
        return;
    state->phase_done = p->done;
    state->phase_all = p->of;
    if (done == 0 || elapsed < 0.2)
        return;
    state->phase_rate = (double) done / elapsed;
    if (p->done <= p->of)
        state->phase_eta_s = (double) (p->of - p->done) / state->phase_rate;
}

static void
fill_phase(struct chat_view_state *state, const struct chat *chat,
           const struct screen_counts *counts, uint64_t now_ns)
{
    if (counts->reading) {
        state->phase = CHAT_READING;
    } else if (chat->answering == TURN_NONE) {
        state->phase =
            chat->opened || chat->client == NULL ? CHAT_IDLE : CHAT_LOADING;
    } else if (counts->answer_ns > 0) {
        state->phase = CHAT_ANSWERING;
    } else if (counts->thought_tokens > 0) {
        state->phase = CHAT_THINKING;
        state->can_answer_now = true;
    } else {
        state->phase = chat->opened ? CHAT_READING : CHAT_LOADING;
    }
    state->phase_text = "waiting for the engine";
    state->phase_eta_s = -1;
    if (counts->progressing &&
        (state->phase == CHAT_LOADING || state->phase == CHAT_READING))
        fill_progress(state, counts, now_ns);
}

static void
fill_figures(struct chat_view_state *state, const struct chat *chat,
             const struct screen_counts *counts, uint64_t now_ns)
{
    const struct generate_done *last = &chat->last.done;
    uint64_t made = counts->thought_tokens + counts->answer_tokens;

    state->context_tokens = chat->context;
    state->context_used = conversation_used(&chat->conversation);
    if (chat->last.known) {
        state->prompt_rate = last->timing.prompt_tps;
        state->answer_rate = last->timing.decode_tps;
    }
    if (chat->answering == TURN_NONE)
        return;
    if (counts->progressing && counts->progress.phase == PHASE_PREFILL)
        state->context_used += counts->progress.done;
    state->context_used += made;
    // of the answer that comes, once there is something to measure
    if (made > 1 && now_ns > counts->first_ns + MEASURED_NS)
        state->answer_rate =
            (double) (made - 1) / seconds(counts->first_ns, now_ns);
}

static void
fill_queue(struct chat_view_state *state, struct screen_texts *texts,
           const struct chat *chat)
{
    const struct buffer *first = &chat->queue[0].text;

    texts->queued[0] = '\0';
    if (chat->queued > 0)
        text_quote(texts->queued, sizeof texts->queued, first->data,
                   first->length);
    state->queued = texts->queued;
    state->queued_more = chat->queued > 1 ? chat->queued - 1 : 0;
}

static void
fill_branches(struct chat_view_state *state, const struct chat *chat,
              const struct screen_turns *turns)
{
    const struct conversation *c = &chat->conversation;

    state->turns = conversation_depth(c);
    state->branches = turns->branches;
    if (c->leaf == TURN_NONE || c->leaf >= turns->sibling_count)
        return;
    const struct sibling *leaf = &turns->siblings[c->leaf];

    state->branch = leaf->at;
    state->branches_here = turns->siblings[leaf->last].at;
}

void
screen_state_fill(struct chat_view_state *state, struct screen_texts *texts,
                  const struct chat *chat, const struct screen_turns *turns,
                  const struct screen_counts *counts, uint64_t now_ns)
{
    uint64_t lock = chat_lock_deadline(chat);

    *state = (struct chat_view_state){.product = "fathom",
                                      .notice = "",
                                      .enter_opens_line =
                                          settings_enter() == UI_ENTER_NEWLINE};
    fill_title(texts, &chat->conversation, turns);
    state->title = texts->title;
    snprintf(texts->model, sizeof texts->model, "%s",
             chat->opened ? chat->model : "");
    state->model = texts->model;
    state->model_size = "";
    state->think = think_word(chat);
    state->vault = vault_word(chat);
    state->lock_in_ms =
        lock != UINT64_MAX && lock > now_ns ? (lock - now_ns) / 1000000 : 0;
    state->saved = chat->keeping.kind == KEEPING_VAULT && !chat->keep_told &&
                   chat->keeping.chat != NULL;
    fill_queue(state, texts, chat);
    fill_branches(state, chat, turns);
    fill_phase(state, chat, counts, now_ns);
    fill_figures(state, chat, counts, now_ns);
    if (counts->has_residency) {
        state->has_hits = true;
        state->hit_vram = counts->residency.vram;
        state->hit_ram = counts->residency.ram;
        state->hit_disk = counts->residency.nvme;
    }
}
