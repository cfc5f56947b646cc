/*
 * Turns as items: the branch in use, from its beginning to the leaf. Where
 * another leaf is in use, what both branches share stays as it is.
 */
#include "config.h"

#include "app/attachment.h"
#include "app/screen/chat_screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum status
screen_turns_open(struct screen_turns *turns, struct error *err)
{
    *turns = (struct screen_turns){.coming = TRANSCRIPT_NONE};
    return transcript_open(&turns->transcript, err);
}

void
screen_turns_close(struct screen_turns *turns)
{
    transcript_close(turns->transcript);
    free(turns->shown);
    free(turns->siblings);
    *turns = (struct screen_turns){.coming = TRANSCRIPT_NONE};
}

/* -- branches ---------------------------------------------------------------
 */

/*
 * Turns with one parent, in the order in which they came. A question's
 * children are answers and an answer's are questions, so they are of one kind.
 */
static enum status
count_siblings(struct screen_turns *turns, const struct conversation *c,
               struct error *err)
{
    void *siblings, *newest;

    TRY(memory_alloc(&siblings, (c->count + 1) * sizeof *turns->siblings, err));
    free(turns->siblings);
    turns->siblings = siblings;
    turns->sibling_count = 0;
    TRY(memory_alloc(&newest, (c->count + 1) * sizeof(size_t), err));

    struct sibling *s = siblings;
    size_t *last = newest; // child of each parent; of none: at the end

    for (size_t i = 0; i <= c->count; i++)
        last[i] = TURN_NONE;
    turns->branches = c->count > 0;
    for (size_t i = 0; i < c->count; i++) {
        size_t parent = c->turns[i].parent;
        size_t *child = &last[parent == TURN_NONE ? c->count : parent];

        s[i].at = *child == TURN_NONE ? 1 : s[*child].at + 1;
        s[i].before = *child;
        s[i].after = TURN_NONE;
        if (*child != TURN_NONE)
            s[*child].after = i;
        turns->branches += *child != TURN_NONE;
        *child = i;
    }
    for (size_t i = 0; i < c->count; i++) {
        size_t parent = c->turns[i].parent;

        s[i].last = last[parent == TURN_NONE ? c->count : parent];
        s[i].child = last[i];
    }
    free(newest);
    turns->sibling_count = c->count;
    return STATUS_OK;
}

/* The number by which people name the end of the branch that goes on here. */
static size_t
branch_number(const struct screen_turns *turns, const struct conversation *c,
              size_t turn)
{
    if (turn == TURN_NONE)
        return 0;
    while (turns->siblings[turn].child != TURN_NONE)
        turn = turns->siblings[turn].child;
    return conversation_number(c, turn);
}

/* -- heads ------------------------------------------------------------------
 */

static void
head_time(char out[TRANSCRIPT_TIME_BYTES], uint64_t time_ms)
{
    time_t seconds = (time_t) (time_ms / 1000);
    struct tm local;

    if (time_ms == 0 || localtime_r(&seconds, &local) == NULL ||
        strftime(out, TRANSCRIPT_TIME_BYTES, "%H:%M", &local) == 0)
        out[0] = '\0';
}

static const char *
remark_of(const struct turn *turn)
{
    if (turn->arrived_locked)
        return "came while the vault was locked";
    switch (turn->finish) {
    case FINISH_INTERRUPTED:
        return "stopped";
    case FINISH_TIMEOUT:
        return "out of time";
    case FINISH_LENGTH:
    case FINISH_CONTEXT_FULL:
        return "cut off";
    case FINISH_ENDED_THINKING:
        return "no answer";
    case FINISH_STOP:
    case FINISH_THINK_BUDGET:
        break;
    }
    return turn->complete ? "" : "incomplete";
}

static struct transcript_head
head_of(const struct screen_turns *turns, const struct chat *chat,
        size_t number, bool coming)
{
    const struct conversation *c = &chat->conversation;
    const struct turn *turn = &c->turns[number];
    const struct option_count *budget = &chat->generation.think_budget;
    struct transcript_head head = {.turn = conversation_number(c, number)};

    head_time(head.time, turn->time_ms);
    if (number < turns->sibling_count) {
        const struct sibling *sibling = &turns->siblings[number];

        head.branch = sibling->at;
        head.branches = turns->siblings[sibling->last].at;
        head.branch_before = branch_number(turns, c, sibling->before);
        head.branch_after = branch_number(turns, c, sibling->after);
    }
    if (turn->role == TURN_QUESTION)
        return head;
    head.thought_tokens = turn->origin.thinking_tokens;
    head.answer_tokens = turn->origin.answer_tokens;
    head.total_ms = (uint64_t) turn->origin.total_ms;
    if (coming && budget->given)
        head.budget_tokens = budget->value;
    if (!coming)
        snprintf(head.remark, sizeof head.remark, "%s", remark_of(turn));
    return head;
}

/* -- items ------------------------------------------------------------------
 */

static enum status
remember(struct screen_turns *turns, size_t turn, size_t item,
         struct error *err)
{
    if (turns->count == turns->capacity) {
        size_t capacity = turns->capacity * 2 + 16;
        void *shown;

        TRY(memory_alloc(&shown, capacity * sizeof *turns->shown, err));
        if (turns->count > 0)
            memcpy(shown, turns->shown, turns->count * sizeof *turns->shown);
        free(turns->shown);
        turns->shown = shown;
        turns->capacity = capacity;
    }
    turns->shown[turns->count++] = (struct shown_turn){turn, item};
    return STATUS_OK;
}

static enum status
append_buffer(struct screen_turns *turns, size_t item,
              enum transcript_part part, const struct buffer *text,
              struct error *err)
{
    if (text->length == 0)
        return STATUS_OK;
    return transcript_append(turns->transcript, item, part, text->data,
                             text->length, err);
}

static enum status
append_question(struct screen_turns *turns, size_t item,
                const struct buffer *content, struct error *err)
{
    struct buffer shown = {0};
    enum status status =
        attachment_lay_out(&shown, conversation_text(content), err);

    if (status == STATUS_OK)
        status = append_buffer(turns, item, TRANSCRIPT_TEXT, &shown, err);
    buffer_release(&shown);
    return status;
}

static enum status
add_turn(struct screen_turns *turns, const struct chat *chat, size_t number,
         bool coming, struct error *err)
{
    const struct turn *turn = &chat->conversation.turns[number];
    bool question = turn->role == TURN_QUESTION;
    struct transcript_head head = head_of(turns, chat, number, coming);
    size_t item;

    TRY(transcript_add(&item, turns->transcript,
                       question ? TRANSCRIPT_QUESTION : TRANSCRIPT_ANSWER,
                       &head, err));
    TRY(remember(turns, number, item, err));
    if (question)
        TRY(append_question(turns, item, &turn->content, err));
    else
        TRY(append_buffer(turns, item, TRANSCRIPT_THOUGHT, &turn->thinking,
                          err));
    if (!question)
        TRY(append_buffer(turns, item, TRANSCRIPT_TEXT, &turn->content, err));
    if (coming) {
        turns->coming = item;
        return STATUS_OK;
    }
    return transcript_finish(turns->transcript, item, err);
}

/* Takes off what follows the first `keep` of the turns. */
static void
cut(struct screen_turns *turns, size_t keep)
{
    if (keep < turns->count)
        transcript_cut(turns->transcript, turns->shown[keep].item);
    if (turns->coming != TRANSCRIPT_NONE && keep < turns->count &&
        turns->coming >= turns->shown[keep].item)
        turns->coming = TRANSCRIPT_NONE;
    turns->count = keep < turns->count ? keep : turns->count;
}

/* How many of the turns that are shown are the beginning of this path. */
static size_t
shared(const struct screen_turns *turns, const size_t *path, size_t count)
{
    size_t i = 0;

    while (i < count && i < turns->count && turns->shown[i].turn == path[i])
        i++;
    return i;
}

/* Branches may have come beside turns that are shown. */
static void
refresh_heads(struct screen_turns *turns, const struct chat *chat, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        size_t item = turns->shown[i].item;
        struct transcript_head head =
            head_of(turns, chat, turns->shown[i].turn, false);
        const struct transcript_head *old =
            transcript_head(turns->transcript, item);

        if (item == turns->coming ||
            (old->branches == head.branches && old->branch == head.branch &&
             old->branch_before == head.branch_before &&
             old->branch_after == head.branch_after))
            continue;
        head.thought_ms = old->thought_ms;
        transcript_set_head(turns->transcript, item, &head);
    }
}

/* Questions may bring large documents: they are looked through once. */
static void
take_title(struct screen_turns *turns, const struct conversation *c)
{
    if (c->count == 0)
        turns->title[0] = '\0';
    else if (turns->title[0] == '\0')
        chat_title(turns->title, conversation_text(&c->turns[0].content));
}

enum status
screen_turns_update(struct screen_turns *turns, const struct chat *chat,
                    struct error *err)
{
    const struct conversation *c = &chat->conversation;
    size_t *path = NULL, count = 0;
    enum status status = STATUS_OK;

    // another chat: what was said of the one before goes with it
    if (turns->clearings != c->clearings && turns->count > 0) {
        cut(turns, 0);
        transcript_clear(turns->transcript);
        turns->title[0] = '\0';
    }
    turns->clearings = c->clearings;
    take_title(turns, c);
    TRY(count_siblings(turns, c, err));
    if (c->leaf != TURN_NONE)
        TRY(conversation_path(&path, &count, c, err));
    // an answer that is to come is added when it begins
    if (count > 0 && path[count - 1] == chat->answering &&
        turns->coming == TRANSCRIPT_NONE)
        count--;
    size_t keep = shared(turns, path, count);

    cut(turns, keep);
    refresh_heads(turns, chat, keep);
    for (size_t i = keep; status == STATUS_OK && i < count; i++)
        status = add_turn(turns, chat, path[i], false, err);
    free(path);
    return status;
}

enum status
screen_turns_begin(struct screen_turns *turns, const struct chat *chat,
                   size_t answer, struct error *err)
{
    TRY(screen_turns_update(turns, chat, err));
    for (size_t i = 0; i < turns->count; i++)
        if (turns->shown[i].turn == answer)
            cut(turns, i);
    TRY(add_turn(turns, chat, answer, true, err));
    transcript_follow(turns->transcript);
    return STATUS_OK;
}

enum status
screen_turns_text(struct screen_turns *turns, const struct token_event *token,
                  struct error *err)
{
    if (turns->coming == TRANSCRIPT_NONE || token->text.length == 0)
        return STATUS_OK;
    return transcript_append(
        turns->transcript, turns->coming,
        token->channel == CHANNEL_THINK ? TRANSCRIPT_THOUGHT : TRANSCRIPT_TEXT,
        token->text.bytes, token->text.length, err);
}

void
screen_turns_figures(struct screen_turns *turns, const struct chat *chat,
                     uint64_t thought_tokens, uint64_t thought_ms)
{
    if (turns->coming == TRANSCRIPT_NONE || chat->answering == TURN_NONE)
        return;
    struct transcript_head head = head_of(turns, chat, chat->answering, true);

    head.thought_tokens = thought_tokens;
    head.thought_ms = thought_ms;
    transcript_set_head(turns->transcript, turns->coming, &head);
}

void
screen_turns_end(struct screen_turns *turns, const struct chat *chat)
{
    struct error err;

    if (turns->coming == TRANSCRIPT_NONE)
        return;
    uint64_t thought_ms =
        transcript_head(turns->transcript, turns->coming)->thought_ms;
    struct transcript_head head = head_of(turns, chat, chat->answering, false);

    head.thought_ms = thought_ms;
    transcript_set_head(turns->transcript, turns->coming, &head);
    // without memory its last block stays as it was laid out
    (void) !transcript_finish(turns->transcript, turns->coming, &err);
    turns->coming = TRANSCRIPT_NONE;
}
