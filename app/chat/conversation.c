/* A growable array of turns, each with the index of its parent. */
#include "config.h"

#include "app/chat/conversation.h"

#include "app/chat/summary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
conversation_init(struct conversation *c)
{
    *c = (struct conversation){
        .leaf = TURN_NONE, .redo = TURN_NONE, .cut = TURN_NONE};
}

static enum status
grow(struct conversation *c, struct error *err)
{
    size_t capacity = c->capacity ? 2 * c->capacity : 16;
    void *memory;

    if (c->count < c->capacity)
        return STATUS_OK;
    TRY(memory_alloc(&memory, capacity * sizeof *c->turns, err));
    // buffers move as they are; what stays behind are only pointers
    if (c->count > 0)
        memcpy(memory, c->turns, c->count * sizeof *c->turns);
    free(c->turns);
    c->turns = memory;
    c->capacity = capacity;
    return STATUS_OK;
}

/* Adds a turn below `parent` and makes it the leaf. */
static enum status
add(size_t *out, struct conversation *c, size_t parent, enum turn_role role,
    struct error *err)
{
    TRY(grow(c, err));
    c->turns[c->count] = (struct turn){
        .parent = parent, .role = role, .time_ms = clock_wall_ms()};
    *out = c->leaf = c->count++;
    c->redo = c->cut = TURN_NONE;
    return STATUS_OK;
}

enum status
conversation_ask(size_t *out, struct conversation *c, const char *question,
                 size_t length, struct error *err)
{
    size_t before = c->leaf, parent = before;

    if (parent != TURN_NONE && c->turns[parent].role == TURN_QUESTION)
        parent = c->turns[parent].parent;
    TRY(add(out, c, parent, TURN_QUESTION, err));
    enum status status =
        buffer_append(&c->turns[*out].content, question, length, err);

    if (status != STATUS_OK)
        conversation_drop(c, before);
    return status;
}

enum status
conversation_answer(size_t *out, struct conversation *c, struct error *err)
{
    size_t question = conversation_question(c);

    assert(question != TURN_NONE);
    return add(out, c, question, TURN_ANSWER, err);
}

static void
turn_release(struct turn *turn)
{
    buffer_release(&turn->content);
    buffer_release(&turn->thinking);
    buffer_release(&turn->model);
    buffer_release(&turn->fingerprint);
    buffer_release(&turn->device);
}

void
conversation_drop(struct conversation *c, size_t leaf)
{
    assert(c->count > 0);
    turn_release(&c->turns[--c->count]);
    c->leaf = leaf;
}

void
conversation_clear(struct conversation *c)
{
    while (c->count > 0)
        conversation_drop(c, TURN_NONE);
    buffer_release(&c->title);
    buffer_release(&c->tags);
    c->clearings++;
    c->leaf = c->redo = c->cut = TURN_NONE;
}

void
conversation_release(struct conversation *c)
{
    conversation_clear(c);
    buffer_release(&c->system);
    free(c->turns);
    conversation_init(c);
}

enum status
conversation_set_system(struct conversation *c, const char *text, size_t length,
                        struct error *err)
{
    buffer_clear(&c->system);
    return buffer_append(&c->system, text, length, err);
}

enum status
conversation_set_title(struct conversation *c, const char *title,
                       struct error *err)
{
    buffer_clear(&c->title);
    return buffer_append(&c->title, title, strlen(title), err);
}

/* -- where we are ----------------------------------------------------------
 */

size_t
conversation_question(const struct conversation *c)
{
    if (c->leaf == TURN_NONE || c->turns[c->leaf].role == TURN_QUESTION)
        return c->leaf;
    return c->turns[c->leaf].parent;
}

size_t
conversation_answered(const struct conversation *c)
{
    if (c->leaf == TURN_NONE || c->turns[c->leaf].role == TURN_QUESTION)
        return TURN_NONE;
    return c->leaf;
}

size_t
conversation_depth(const struct conversation *c)
{
    size_t depth = 0;

    for (size_t i = c->leaf; i != TURN_NONE; i = c->turns[i].parent)
        depth += c->turns[i].role == TURN_QUESTION;
    return depth;
}

bool
conversation_on_branch(const struct conversation *c, size_t turn)
{
    size_t i = c->leaf;

    while (i != TURN_NONE && i != turn)
        i = c->turns[i].parent;
    return i == turn;
}

enum status
conversation_path(size_t **out, size_t *count, const struct conversation *c,
                  struct error *err)
{
    void *memory;
    size_t length = 0;

    for (size_t i = c->leaf; i != TURN_NONE; i = c->turns[i].parent)
        length++;
    TRY(memory_alloc(&memory, (length + 1) * sizeof **out, err));
    *out = memory;
    *count = length;
    for (size_t i = c->leaf; i != TURN_NONE; i = c->turns[i].parent)
        (*out)[--length] = i;
    return STATUS_OK;
}

void
conversation_cut(struct conversation *c, size_t turn)
{
    size_t end = c->leaf;

    if (c->turns[turn].role == TURN_ANSWER)
        turn = c->turns[turn].parent;
    conversation_move(c, c->turns[turn].parent);
    c->cut = end;
}

bool
conversation_undo(struct conversation *c)
{
    size_t question = conversation_question(c);

    if (c->cut != TURN_NONE) {
        conversation_move(c, c->cut);
        return true;
    }
    if (question == TURN_NONE)
        return false;
    if (c->redo == TURN_NONE)
        c->redo = c->leaf;
    c->leaf = c->turns[question].parent;
    return true;
}

bool
conversation_redo(struct conversation *c)
{
    size_t end = c->redo;

    if (end == TURN_NONE)
        return false;
    // up from where the undos began, to the one that comes after the leaf
    for (;;) {
        size_t question = end;

        if (c->turns[end].role == TURN_ANSWER)
            question = c->turns[end].parent;
        if (c->turns[question].parent == c->leaf)
            break;
        end = c->turns[question].parent;
    }
    c->leaf = end;
    if (end == c->redo)
        c->redo = TURN_NONE;
    return true;
}

void
conversation_move(struct conversation *c, size_t leaf)
{
    c->leaf = leaf;
    c->redo = TURN_NONE;
    c->cut = TURN_NONE;
}

/* -- numbers ---------------------------------------------------------------
 */

/* The first answer of a question has the question's number. */
static bool
counts(const struct conversation *c, size_t turn)
{
    size_t question = c->turns[turn].parent;

    if (c->turns[turn].role == TURN_QUESTION)
        return true;
    for (size_t i = question + 1; i < turn; i++)
        if (c->turns[i].parent == question)
            return true;
    return false;
}

size_t
conversation_number(const struct conversation *c, size_t turn)
{
    size_t number = 0;

    if (!counts(c, turn))
        turn = c->turns[turn].parent;
    for (size_t i = 0; i <= turn; i++)
        number += counts(c, i);
    return number;
}

size_t
conversation_numbered(const struct conversation *c, size_t number)
{
    size_t turn = 0;

    for (; turn < c->count; turn++)
        if (counts(c, turn) && --number == 0)
            break;
    if (turn >= c->count)
        return TURN_NONE;
    // a question with an answer is both
    for (size_t i = turn + 1;
         c->turns[turn].role == TURN_QUESTION && i < c->count; i++)
        if (c->turns[i].parent == turn)
            return i;
    return turn;
}

/* -- requests --------------------------------------------------------------
 */

struct text
conversation_text(const struct buffer *buffer)
{
    return (struct text){buffer->data ? buffer->data : "", buffer->length};
}

bool
conversation_summary(const struct conversation *c, size_t turn, size_t *keep)
{
    if (c->turns[turn].role == TURN_ANSWER)
        turn = c->turns[turn].parent;
    return summary_is_asked(conversation_text(&c->turns[turn].content), keep);
}

/* An answer without a word is left out together with its question. */
static size_t
spoken(const struct conversation *c, size_t answer)
{
    while (answer != TURN_NONE && c->turns[answer].content.length == 0)
        answer = c->turns[c->turns[answer].parent].parent;
    return answer;
}

static size_t
spoken_before(const struct conversation *c, size_t answer)
{
    return spoken(c, c->turns[c->turns[answer].parent].parent);
}

/* A summary goes before what it keeps, in the place of everything else. */
static size_t
add_answer(size_t *answers, size_t count, const struct conversation *c,
           size_t answer)
{
    size_t keep;

    if (!conversation_summary(c, answer, &keep)) {
        answers[count] = answer;
        return count + 1;
    }
    if (keep > count)
        keep = count;
    memmove(answers + 1, answers + count - keep, keep * sizeof *answers);
    answers[0] = answer;
    return keep + 1;
}

/* The answers that a prompt has up to this one, which it may have, too. */
static enum status
prompt_answers(size_t **out, size_t *count, const struct conversation *c,
               size_t answer, struct error *err)
{
    size_t length = 0;
    void *memory;

    for (size_t i = spoken(c, answer); i != TURN_NONE; i = spoken_before(c, i))
        length++;
    TRY(memory_alloc(&memory, (length + 1) * sizeof **out, err));
    size_t *answers = memory, at = length;

    for (size_t i = spoken(c, answer); i != TURN_NONE; i = spoken_before(c, i))
        answers[--at] = i;
    // in place: they are never more than were looked at
    *count = 0;
    for (size_t i = 0; i < length; i++)
        *count = add_answer(answers, *count, c, answers[i]);
    *out = answers;
    return STATUS_OK;
}

enum status
conversation_prompted(size_t **out, size_t *count, const struct conversation *c,
                      struct error *err)
{
    size_t answer = c->leaf;

    if (answer != TURN_NONE && c->turns[answer].role == TURN_QUESTION)
        answer = c->turns[answer].parent;
    return prompt_answers(out, count, c, answer, err);
}

uint64_t
conversation_used(const struct conversation *c)
{
    size_t keep;

    for (size_t i = c->leaf; i != TURN_NONE; i = c->turns[i].parent) {
        const struct turn_origin *origin = &c->turns[i].origin;

        if (c->turns[i].role == TURN_QUESTION || origin->prompt_tokens == 0)
            continue;
        // for a summary more was read than is there with it
        if (conversation_summary(c, i, &keep))
            return c->turns[i].prompted_tokens;
        return origin->prompt_tokens + origin->thinking_tokens +
               origin->answer_tokens;
    }
    return 0;
}

static struct chat_message
message_of(const struct conversation *c, size_t turn)
{
    return (struct chat_message){
        .role =
            c->turns[turn].role == TURN_QUESTION ? CHAT_USER : CHAT_ASSISTANT,
        .content = conversation_text(&c->turns[turn].content)};
}

/* System text, questions with their answers, and a question or TURN_NONE. */
static enum status
make_messages(struct chat_message **out, size_t *count,
              const struct conversation *c, const size_t *answers,
              size_t answer_count, size_t question, struct error *err)
{
    size_t n = 0;
    void *memory;

    TRY(memory_alloc(&memory, (2 * answer_count + 2) * sizeof **out, err));
    *out = memory;
    if (c->system.length > 0)
        (*out)[n++] = (struct chat_message){
            .role = CHAT_SYSTEM, .content = conversation_text(&c->system)};
    for (size_t i = 0; i < answer_count; i++) {
        (*out)[n++] = message_of(c, c->turns[answers[i]].parent);
        (*out)[n++] = message_of(c, answers[i]);
    }
    if (question != TURN_NONE)
        (*out)[n++] = message_of(c, question);
    *count = n;
    return STATUS_OK;
}

enum status
conversation_messages(struct chat_message **out, size_t *count,
                      const struct conversation *c, struct error *err)
{
    size_t question = conversation_question(c), keep = 0, *answers,
           answer_count;

    TRY(prompt_answers(&answers, &answer_count, c, c->turns[question].parent,
                       err));
    // a summary is asked for where the turns that it leaves out begin
    if (conversation_summary(c, question, &keep))
        answer_count -= keep < answer_count ? keep : answer_count;
    enum status status =
        make_messages(out, count, c, answers, answer_count, question, err);

    free(answers);
    return status;
}

enum status
conversation_context(struct chat_message **out, size_t *count,
                     const struct conversation *c, struct error *err)
{
    size_t *answers, answer_count;

    TRY(conversation_prompted(&answers, &answer_count, c, err));
    enum status status =
        make_messages(out, count, c, answers, answer_count, TURN_NONE, err);

    free(answers);
    return status;
}

static enum status
set_text(struct buffer *out, const char *text, struct error *err)
{
    buffer_clear(out);
    return buffer_append(out, text ? text : "", text ? strlen(text) : 0, err);
}

enum status
conversation_describe(struct turn *turn, const struct generate_done *done,
                      struct error *err)
{
    turn->finish = done->finish;
    turn->complete =
        done->finish == FINISH_STOP || done->finish == FINISH_THINK_BUDGET;
    turn->origin = (struct turn_origin){
        .sampling = done->sampling,
        .prompt_tokens = done->usage.prompt,
        .thinking_tokens = done->usage.thinking,
        .answer_tokens = done->usage.answer,
        .ttft_ms = done->timing.ttft_ms,
        .total_ms = done->timing.total_ms,
        .decode_tps = done->timing.decode_tps,
    };
    TRY(set_text(&turn->model, done->model.name, err));
    TRY(set_text(&turn->fingerprint, done->model.fingerprint, err));
    buffer_clear(&turn->device);
    if (done->placement.device == NULL)
        return STATUS_OK;
    return buffer_print(&turn->device, err, "%s %s, %u threads, %s cache",
                        done->placement.device,
                        done->placement.level ? done->placement.level : "",
                        done->placement.threads,
                        done->placement.cache ? done->placement.cache
                                              : "unknown");
}

/* -- the vault -------------------------------------------------------------
 */

struct turn_record
conversation_record(const struct conversation *c, size_t index)
{
    const struct turn *turn = &c->turns[index];
    struct turn_record record = {
        .id = turn->id,
        .parent = turn->parent == TURN_NONE ? 0 : c->turns[turn->parent].id,
        .role = turn->role,
        .time_ms = turn->time_ms,
        .content = conversation_text(&turn->content),
        .thinking = conversation_text(&turn->thinking),
        .complete = turn->complete,
        .arrived_locked = turn->arrived_locked,
        .finish = turn->finish,
        .origin = turn->origin,
    };

    record.origin.model = conversation_text(&turn->model);
    record.origin.fingerprint = conversation_text(&turn->fingerprint);
    record.origin.device = conversation_text(&turn->device);
    return record;
}

size_t
conversation_find(const struct conversation *c, uint64_t id)
{
    for (size_t i = c->count; id != 0 && i-- > 0;)
        if (c->turns[i].id == id)
            return i;
    return TURN_NONE;
}

static enum status
copy_text(struct buffer *out, struct text text, struct error *err)
{
    if (text.length == 0)
        return STATUS_OK;
    return buffer_append(out, text.bytes, text.length, err);
}

static enum status
copy_texts(struct turn *turn, const struct turn_record *record,
           struct error *err)
{
    TRY(copy_text(&turn->content, record->content, err));
    TRY(copy_text(&turn->thinking, record->thinking, err));
    TRY(copy_text(&turn->model, record->origin.model, err));
    TRY(copy_text(&turn->fingerprint, record->origin.fingerprint, err));
    return copy_text(&turn->device, record->origin.device, err);
}

enum status
conversation_take(struct conversation *c, const struct turn_record *record,
                  struct error *err)
{
    size_t turn, leaf = c->leaf;

    TRY(add(&turn, c, conversation_find(c, record->parent), record->role, err));
    struct turn *made = &c->turns[turn];

    c->leaf = leaf;
    made->id = record->id;
    made->time_ms = record->time_ms;
    made->complete = record->complete;
    made->arrived_locked = record->arrived_locked;
    made->finish = record->finish;
    made->origin = record->origin;
    made->origin.model = made->origin.fingerprint = made->origin.device =
        (struct text){0};
    enum status status = copy_texts(made, record, err);

    if (status != STATUS_OK)
        conversation_drop(c, leaf);
    return status;
}
