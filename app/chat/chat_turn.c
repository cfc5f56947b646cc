/* One turn: the request, the answer as it comes, and how it ended. */
#include "config.h"

#include "app/chat/chat.h"
#include "app/chat/summary.h"
#include "app/exit_code.h"
#include "app/model/model_gate.h"
#include "app/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
// how long a stopped engine may go on before another Ctrl-C ends it
#define GRACE_NS (3 * SECOND_NS)
// how long a user who leaves waits for the chat's cache to be kept
#define LEAVE_NS (2 * SECOND_NS)
// how long an engine may be in the middle of a message when the vault is locked
#define REST_NS (3 * SECOND_NS)
// between counts of experts, for F4 and /experts
enum { RESIDENCY_MS = 250 };

/* An answer that is coming. */
struct run {
    struct chat *chat;
    struct turn *turn;
    size_t answer; // which it is
    uint64_t number;
    uint64_t cancelled_ns;
    bool cancelled, finished, ended;
    bool summary; // it counts only if it is whole; see chat_compact.c
    bool refused; // an ERROR came, or we made it
    int refused_exit;
    bool lost;        // the engine died
    struct error why; // of either
    size_t begun;     // bytes that the turn had before
    // nothing came, so that the turn is taken back: why is told afterwards,
    // for what is told of a turn goes with it
    bool empty;
    enum finish finish;
};

enum status
chat_start_engine(struct chat *chat, struct error *err)
{
    kept_cache_abandon(&chat->keeping.cache);
    client_close(chat->client);
    chat->client = NULL;
    TRY(client_reach(&chat->client, chat->path, err));
    if (chat->keeping.kind == KEEPING_VAULT)
        TRY(model_gate_record(chat->keeping.vault, err));
    chat->opened_ns = clock_ns();
    chat_gauges_start(chat);
    chat->open_number = client_number(chat->client);
    return request_put_open(client_outgoing(chat->client), chat->open_number,
                            OPEN_WEIGHTS, err);
}

static void
copy_name(char out[MODEL_NAME_BYTES], const char *name)
{
    text_quote(out, MODEL_NAME_BYTES, name ? name : "",
               name ? strlen(name) : 0);
}

static void
take_opened(struct chat *chat, const struct open_done *opened)
{
    const struct model_summary *model = &opened->model;
    bool first = !chat->opened;

    copy_name(chat->model, model->name);
    copy_name(chat->family, model->family);
    chat->thinks = model->thinks;
    chat->has_switch = model->has_switch;
    chat->recommended = model->recommended;
    chat->context = opened->context;
    chat->opened = true;
    chat->face->loading(chat, NULL);
    if (first && model->family_why)
        chat_say(chat, "%s", model->family_why);
}

/* An event of the cache that is kept or given back. */
static bool
take_cache(struct chat *chat, const struct event *event)
{
    struct kept_cache *cache = &chat->keeping.cache;

    if (!kept_cache_take(cache, event))
        return false;
    if (cache->note[0] != '\0')
        chat_say(chat, "%s", cache->note);
    cache->note[0] = '\0';
    return true;
}

void
chat_keep_cache(struct chat *chat)
{
    struct keeping *k = &chat->keeping;
    uint64_t limit_bytes = settings_cache_bytes();

    if (k->kind == KEEPING_VAULT && k->chat != NULL && chat->client != NULL &&
        limit_bytes > 0 && !chat->quit && !chat->locking)
        kept_cache_fetch(&k->cache, chat->client, k->chat, limit_bytes);
}

void
chat_give_cache(struct chat *chat)
{
    struct keeping *k = &chat->keeping;

    if (k->chat == NULL || chat->client == NULL)
        return;
    kept_cache_give(&k->cache, chat->client, k->chat);
    if (k->cache.note[0] != '\0')
        chat_say(chat, "%s", k->cache.note);
    k->cache.note[0] = '\0';
}

void
chat_finish_cache(struct chat *chat)
{
    struct kept_cache *cache = &chat->keeping.cache;
    uint64_t until = clock_ns() + LEAVE_NS;
    struct error err;

    while (chat->client != NULL && kept_cache_is_fetching(cache)) {
        struct client_wait wait = {.input = -1, .deadline_ns = until};

        if (client_wait(chat->client, &wait, &err) != STATUS_OK)
            break;
        if (wait.wake == CLIENT_TIME || wait.wake == CLIENT_SIGNAL)
            break;
        if (wait.wake != CLIENT_EVENT)
            continue;
        (void) kept_cache_take(cache, &wait.event);
        event_release(&wait.event);
    }
    kept_cache_abandon(cache);
}

enum status
chat_take_event(struct chat *chat, const struct event *event, struct error *err)
{
    if (take_cache(chat, event))
        return STATUS_OK;
    if (event->number != chat->open_number)
        return STATUS_OK;
    if (event->type == MESSAGE_PROGRESS)
        chat->face->loading(chat, &event->progress);
    if (event->type == MESSAGE_DONE)
        take_opened(chat, &event->open);
    if (event->type == MESSAGE_ERROR) {
        chat->code = chat->opened ? EXIT_SUCCESS : event->error.exit;
        return error_set(err, event->error.status, "%s", event->error.text);
    }
    return STATUS_OK;
}

static size_t
turn_bytes(const struct turn *turn)
{
    return turn->content.length + turn->thinking.length;
}

static bool
nothing_came(const struct run *run)
{
    return turn_bytes(run->turn) == run->begun && !run->turn->complete;
}

static void
explain_finish(const struct run *run)
{
    struct chat *chat = run->chat;

    switch (run->finish) {
    case FINISH_STOP:
    case FINISH_THINK_BUDGET:
        return;
    case FINISH_LENGTH:
        chat_say(chat, "cut off by -n; the part above is kept");
        return;
    case FINISH_ENDED_THINKING:
        chat_say(chat, "ended while thinking, without an answer; /retry tries "
                       "again");
        return;
    case FINISH_CONTEXT_FULL:
        chat_say(chat, "the context is full, the answer was cut off; /compact, "
                       "/undo or /new makes room");
        return;
    case FINISH_INTERRUPTED:
    case FINISH_TIMEOUT:
        chat_say(chat, !run->empty && run->turn->content.length > 0
                           ? "stopped; the part above is kept"
                           : "stopped");
        return;
    }
}

static void
end_answer(struct run *run, const struct generate_done *done)
{
    if (!run->ended)
        run->chat->face->end_answer(run->chat, done);
    run->ended = true;
    run->chat->answering = TURN_NONE;
    run->chat->answer_number = 0;
}

/* Once as it fills up, and again after there was room. */
static void
warn_of_fullness(struct chat *chat)
{
    uint64_t used = conversation_used(&chat->conversation),
             all = chat->last.done.usage.context;
    bool nearly = all > 0 && used < all && used >= all / 10 * 9;

    if (nearly && !chat->full_told)
        chat_say(chat, "the context is nearly full; /compact lets the model "
                       "summarise old turns");
    chat->full_told = nearly;
}

static void
finish_run(struct run *run, const struct generate_done *done)
{
    struct chat *chat = run->chat;
    struct error err;

    run->finished = true;
    run->finish = done->finish;
    if (conversation_describe(run->turn, done, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    run->empty = nothing_came(run);
    chat->last = (struct chat_figures){.known = true, .done = *done};
    // what lies behind these belongs to the event
    chat->last.done.warnings = NULL;
    chat->last.done.model = (struct model_summary){0};
    chat->last.done.thinking.mode = NULL;
    chat->last.done.placement.device = chat->last.done.placement.level =
        chat->last.done.placement.cache = NULL;
    end_answer(run, done);
    for (size_t i = 0; i < done->warning_count; i++)
        chat_say(chat, "%s", done->warnings[i]);
    if (!run->summary && !run->empty)
        explain_finish(run);
    chat->face->figures(chat, done);
    if (!run->summary)
        warn_of_fullness(chat);
}

/* -- the loop ---------------------------------------------------------------
 */

/* A draft that cannot be written is told when the answer is over. */
static void
keep_draft(struct run *run, size_t tokens)
{
    struct chat *chat = run->chat;
    struct error err;

    if (keeping_draft(&chat->keeping, &chat->conversation, run->answer, tokens,
                      clock_ns(), &err) != STATUS_OK)
        log_warn("no draft was written: status %d", (int) err.status);
}

static enum status
on_token(struct run *run, const struct token_event *token, struct error *err)
{
    bool thinks = token->channel == CHANNEL_THINK;

    TRY(buffer_append(thinks ? &run->turn->thinking : &run->turn->content,
                      token->text.bytes, token->text.length, err));
    keep_draft(run, token->tokens);
    enum status status = run->chat->face->answer_text(run->chat, token, err);

    if (status == STATUS_IO) {
        run->chat->quit = true; // the terminal is gone
        run->chat->code = EXIT_CANT_WRITE;
    }
    return status;
}

static enum status
on_event(void *context, const struct event *event, struct error *err)
{
    struct run *run = context;

    if (event->number != run->number)
        return chat_take_event(run->chat, event, err);
    if (event->type == MESSAGE_TOKEN)
        return on_token(run, &event->token, err);
    if (event->type == MESSAGE_DONE)
        finish_run(run, &event->generate);
    if (event->type == MESSAGE_PROGRESS)
        run->chat->face->activity(run->chat, &event->progress);
    if (event->type == MESSAGE_LOOP && chat_take_loop(run->chat, &event->loop))
        (void) chat_answer_now(run->chat);
    if (event->type == MESSAGE_RESIDENCY)
        run->chat->face->residency(run->chat, event);
    if (event->type == MESSAGE_ERROR) {
        run->finished = run->refused = true;
        run->refused_exit = event->error.exit;
        return error_set(err, event->error.status, "%s", event->error.text);
    }
    return STATUS_OK;
}

/* The first Ctrl-C stops the answer; later ones end an engine that hangs. */
static enum status
on_interrupt(struct run *run, struct error *err)
{
    if (run->number == 0) { // nothing is asked yet: it goes without the cache
        kept_cache_abandon(&run->chat->keeping.cache);
        return STATUS_OK;
    }
    if (!run->cancelled) {
        run->cancelled = true;
        run->cancelled_ns = clock_ns();
        return request_put_cancel(client_outgoing(run->chat->client),
                                  run->number, FINISH_INTERRUPTED, err);
    }
    if (clock_ns() - run->cancelled_ns < GRACE_NS)
        return STATUS_OK;
    client_abandon(run->chat->client);
    return error_set(err, STATUS_IO, "the engine did not stop and was ended");
}

bool
chat_answer_now(struct chat *chat)
{
    const struct conversation *c = &chat->conversation;
    struct error err;

    if (chat->answer_number == 0 || chat->client == NULL ||
        c->turns[chat->answering].content.length > 0)
        return false;
    if (request_put_answer_now(client_outgoing(chat->client),
                               chat->answer_number, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    return true;
}

/*
 * Whether the answer is left to go on by itself: the vault is being locked. An
 * engine that stopped in the middle of a message keeps no vault open.
 */
static bool
is_left(const struct run *run)
{
    struct chat *chat = run->chat;

    if (!chat->locking)
        return false;
    if (chat->rest_by_ns == 0)
        chat->rest_by_ns = clock_ns() + REST_NS;
    return client_at_rest(chat->client) || clock_ns() >= chat->rest_by_ns;
}

static enum status
follow(struct run *run, struct error *err)
{
    struct chat *chat = run->chat;

    while (!run->finished && !chat->quit && !is_left(run)) {
        struct chat_wait wait = {.deadline_ns = clock_ns() + SECOND_NS / 2};

        TRY(chat_wait_taking(chat, &wait, on_event, run, err));
        if (wait.wake == CHAT_TIME)
            keep_draft(run, 0);
        if (wait.wake == CHAT_INTERRUPT)
            TRY(on_interrupt(run, err));
    }
    return STATUS_OK;
}

/* What comes while no answer is followed. */
static enum status
take_other(void *context, const struct event *event, struct error *err)
{
    return chat_take_event(context, event, err);
}

/*
 * A cache that is being given back comes before the question; one that is
 * being fetched is given up for it.
 */
static enum status
await_cache(struct run *run, struct error *err)
{
    struct chat *chat = run->chat;
    struct kept_cache *cache = &chat->keeping.cache;

    if (kept_cache_is_fetching(cache))
        kept_cache_abandon(cache);
    while (kept_cache_is_giving(cache) && !chat->quit && !chat->locking) {
        struct chat_wait wait = {.deadline_ns = UINT64_MAX};

        TRY(chat_wait_taking(chat, &wait, take_other, chat, err));
        if (wait.wake == CHAT_INTERRUPT)
            TRY(on_interrupt(run, err));
    }
    return STATUS_OK;
}

/* The answer goes on from what its turn has already. */
static void
fill_beginning(const struct run *run, struct generate_request *request)
{
    const struct turn *turn = run->turn;

    if (turn->content.length == 0 && turn->thinking.length == 0)
        return;
    // inside of the thought, or after it; switched on it would think again
    if (turn->content.length == 0) {
        request->prefill = conversation_text(&turn->thinking);
        request->thinking = SWITCH_ON;
        return;
    }
    request->prefill = conversation_text(&turn->content);
    request->thinking = SWITCH_DEFAULT;
    if (run->chat->thinks && turn->thinking.length > 0)
        request->prefill_reasoning = conversation_text(&turn->thinking);
}

static enum status
send_request(struct run *run, struct error *err)
{
    struct chat *chat = run->chat;
    struct generation_request made;
    struct chat_message *messages;
    size_t count;

    generation_fill(&made, &chat->generation);
    made.request.residency_ms = RESIDENCY_MS;
    TRY(conversation_messages(&messages, &count, &chat->conversation, err));
    made.request.messages = messages;
    made.request.message_count = count;
    fill_beginning(run, &made.request);
    run->number = chat->answer_number = chat_gauges_ask(chat);
    chat->loop_told = TURN_NONE;
    enum status status = request_put_generate(client_outgoing(chat->client),
                                              run->number, &made.request, err);

    free(messages);
    return status;
}

/* -- a turn -----------------------------------------------------------------
 */

bool
chat_have_engine(struct chat *chat)
{
    struct error err;

    if (chat->client != NULL)
        return true;
    if (!chat_confirm(chat, "Start the engine again?", true))
        return false;
    if (chat_start_engine(chat, &err) == STATUS_OK) {
        chat_give_cache(chat);
        return true;
    }
    chat_say(chat, "%s", err.text);
    return false;
}

/* The newest turn that the vault has of the chat. */
static uint64_t
newest_kept(const struct conversation *c)
{
    uint64_t newest = 0;

    for (size_t i = 0; i < c->count; i++)
        if (c->turns[i].id > newest)
            newest = c->turns[i].id;
    return newest;
}

/*
 * What came so far is the vault's, the rest is for the inbox. A summary that
 * is not whole is nobody's.
 */
static enum status
leave_going(struct run *run, struct error *err)
{
    struct chat *chat = run->chat;
    struct locked_answer *away = &chat->away;

    if (run->summary)
        return request_put_cancel(client_outgoing(chat->client), run->number,
                                  FINISH_INTERRUPTED, err);
    // a draft has to have its question there
    if (chat->keep_told)
        chat_keep(chat, run->answer);
    if (keeping_draft_now(&away->begun, &chat->keeping, &chat->conversation,
                          run->answer, clock_ns(), err) != STATUS_OK)
        chat_say(chat, "%s", err->text);
    // what came is lost then, and that is told when the vault is open again
    if (!away->begun && turn_bytes(run->turn) > 0)
        chat->keep_told = true;
    away->number = run->number;
    away->newest = newest_kept(&chat->conversation);
    away->question = chat->conversation.turns[run->turn->parent].id;
    return STATUS_OK;
}

/* Follows the answer to its end. */
static void
run_to_end(struct run *run, bool asked)
{
    struct chat *chat = run->chat;
    struct error err;
    enum status status = STATUS_OK;

    chat->answering = run->answer;
    chat->answer_number = run->number;
    chat->face->begin_answer(chat, run->answer);
    if (!asked)
        status = await_cache(run, &err);
    if (!asked && status == STATUS_OK) {
        status = send_request(run, &err);
        // by us: too long, or out of memory
        run->refused = status != STATUS_OK;
    }
    if (status == STATUS_OK)
        status = follow(run, &err);
    end_answer(run, NULL);
    if (status == STATUS_OK && !run->finished && chat->locking)
        status = leave_going(run, &err);
    if (status == STATUS_OK || chat->quit)
        return;
    run->lost = !run->refused;
    run->why = err;
}

/* Why nothing came, once the turn that was for it is gone. */
static void
explain_nothing(const struct run *run)
{
    if (run->lost)
        chat_lost_engine(run->chat, &run->why);
    else if (run->refused)
        chat_say(run->chat, "%s%s", run->why.text,
                 run->refused_exit == EXIT_TOO_LONG
                     ? "; /compact, /undo or /new makes room"
                     : "");
    else if (run->finished && run->empty)
        explain_finish(run);
}

/* What an answer that was stopped has, into the one that goes on from it. */
static enum status
copy_beginning(struct conversation *c, size_t answer, size_t from,
               struct error *err)
{
    const struct turn *old = &c->turns[from];
    struct turn *turn = &c->turns[answer];

    TRY(buffer_append(&turn->content,
                      old->content.data ? old->content.data : "",
                      old->content.length, err));
    return buffer_append(&turn->thinking,
                         old->thinking.data ? old->thinking.data : "",
                         old->thinking.length, err);
}

/* Adds an answer to the leaf's question, as answer_leaf says. */
static enum status
add_answer(struct run *run, size_t before, size_t from, struct error *err)
{
    struct conversation *c = &run->chat->conversation;
    enum status status = conversation_answer(&run->answer, c, err);

    if (status != STATUS_OK) {
        c->leaf = before;
        return status;
    }
    run->turn = &c->turns[run->answer];
    if (from != TURN_NONE)
        status = copy_beginning(c, run->answer, from, err);
    if (status != STATUS_OK)
        conversation_drop(c, before);
    return status;
}

/*
 * Adds an answer to the leaf's question and fills it, from the beginning that
 * another has where `from` is one. If nothing comes it is taken back: `before`
 * is the leaf then, and explain_nothing, which has to follow, tells why.
 */
static void
answer_leaf(struct run *run, size_t before, size_t from)
{
    struct chat *chat = run->chat;

    run->refused = add_answer(run, before, from, &run->why) != STATUS_OK;
    if (run->refused)
        return;
    run->begun = turn_bytes(run->turn);
    run_to_end(run, false);
    if (chat->away.number != 0)
        return;
    if (nothing_came(run))
        conversation_drop(&chat->conversation, before);
    chat_keep(chat, TURN_NONE);
    if (!run->lost)
        chat_keep_cache(chat);
}

/* The tree as it was: a question and its answer are taken off its end. */
static void
take_back(struct conversation *c, size_t count, size_t leaf, size_t redo,
          size_t cut)
{
    while (c->count > count)
        conversation_drop(c, leaf);
    c->leaf = leaf;
    c->redo = redo;
    c->cut = cut;
}

static bool
has_words(const struct buffer *text)
{
    const char *data = text->data ? text->data : "";

    return strspn(data, " \t\r\n") < text->length;
}

/*
 * Says why there is no summary, and what makes room: half of the old turns are
 * summarised first, where there are several.
 */
static void
say_too_long(struct chat *chat, struct text question, const char *why)
{
    size_t keep = 0, count = 0, *answers = NULL;
    struct error err;

    // without memory the other advice is as good
    if (conversation_prompted(&answers, &count, &chat->conversation, &err) !=
        STATUS_OK)
        count = 0;
    free(answers);
    if (summary_is_asked(question, &keep) && count > keep + 1)
        chat_say(chat, "%s; /compact %zu summarises fewer turns first", why,
                 count - (count - keep) / 2);
    else
        chat_say(chat, "%s; /undo or /new makes room", why);
}

/* Why there is no summary, once its turns are gone. */
static void
explain_summary(struct chat *chat, enum finish finish, struct text question)
{
    switch (finish) {
    case FINISH_STOP:
    case FINISH_THINK_BUDGET:
        chat_say(chat, "the model wrote no summary; nothing was changed");
        return;
    case FINISH_LENGTH:
        chat_say(chat, "the summary was cut off by -n; nothing was changed");
        return;
    case FINISH_ENDED_THINKING:
        chat_say(chat, "the model ended while thinking, without a summary; "
                       "nothing was changed");
        return;
    case FINISH_CONTEXT_FULL:
        say_too_long(chat, question,
                     "the context was full before the summary was whole, so "
                     "nothing was changed");
        return;
    case FINISH_INTERRUPTED:
    case FINISH_TIMEOUT:
        chat_say(chat, "stopped; nothing was changed");
        return;
    }
}

static enum status
add_summary(struct run *run, struct text question, struct error *err)
{
    struct conversation *c = &run->chat->conversation;
    size_t asked;

    TRY(conversation_ask(&asked, c, question.bytes, question.length, err));
    TRY(conversation_answer(&run->answer, c, err));
    run->turn = &c->turns[run->answer];
    return STATUS_OK;
}

bool
chat_ask_summary(struct chat *chat, struct text question)
{
    struct conversation *c = &chat->conversation;
    size_t count = c->count, leaf = c->leaf, redo = c->redo, cut = c->cut;
    struct run run = {.chat = chat, .summary = true};
    bool whole = false;
    enum finish finish = FINISH_INTERRUPTED;

    enum status status = add_summary(&run, question, &run.why);

    run.refused = status != STATUS_OK;
    if (status == STATUS_OK) {
        run_to_end(&run, false);
        finish = run.turn->finish;
        whole = run.turn->complete && has_words(&run.turn->content);
    }
    if (!whole)
        take_back(c, count, leaf, redo, cut);
    chat_moved(chat);
    if (run.lost)
        chat_lost_engine(chat, &run.why);
    else if (run.refused && run.refused_exit == EXIT_TOO_LONG)
        say_too_long(chat, question, run.why.text);
    else if (run.refused)
        chat_say(chat, "%s", run.why.text);
    else if (!whole && run.finished)
        explain_summary(chat, finish, question);
    return whole && !run.lost;
}

/* Takes a question without an answer off the branch again. */
static void
take_question_back(struct chat *chat, size_t asked, size_t before)
{
    struct conversation *c = &chat->conversation;

    if (c->turns[asked].id != 0) {
        chat_move(chat, before);
        return;
    }
    conversation_drop(c, before);
    chat->face->moved(chat);
}

bool
chat_ask(struct chat *chat, const char *question, size_t length)
{
    return chat_ask_after(chat, chat->conversation.leaf, question, length);
}

bool
chat_ask_after(struct chat *chat, size_t turn, const char *question,
               size_t length)
{
    struct conversation *c = &chat->conversation;
    struct run run = {.chat = chat};
    size_t asked, before = c->leaf;
    struct error err;

    if (!chat_have_engine(chat))
        return false;
    c->leaf = turn;
    if (conversation_ask(&asked, c, question, length, &err) != STATUS_OK) {
        c->leaf = before;
        chat_say(chat, "%s", err.text);
        return false;
    }
    chat_keep(chat, TURN_NONE);
    answer_leaf(&run, asked, TURN_NONE);
    // a question that was refused or stopped at once is not gone on from; if
    // the engine died it waits for /retry
    bool stays = run.lost || c->leaf != asked || chat->away.number != 0;

    if (!stays)
        take_question_back(chat, asked, before);
    explain_nothing(&run);
    return stays;
}

void
chat_retry(struct chat *chat)
{
    struct conversation *c = &chat->conversation;
    struct run run = {.chat = chat};

    if (conversation_question(c) == TURN_NONE) {
        chat_say(chat, "there is no question yet");
        return;
    }
    if (!chat_have_engine(chat))
        return;
    // an answer that never comes does not take the place of one that did
    answer_leaf(&run, c->leaf, TURN_NONE);
    explain_nothing(&run);
}

void
chat_continue(struct chat *chat)
{
    struct conversation *c = &chat->conversation;
    struct run run = {.chat = chat};
    size_t stopped = c->leaf;

    if (!chat_have_engine(chat))
        return;
    // beside it: the turn that was kept stays as it is
    conversation_move(c, c->turns[stopped].parent);
    answer_leaf(&run, stopped, stopped);
    explain_nothing(&run);
}

void
chat_follow(struct chat *chat, uint64_t number)
{
    struct conversation *c = &chat->conversation;
    struct run run = {.chat = chat,
                      .answer = c->leaf,
                      .turn = &c->turns[c->leaf],
                      .number = number};

    run_to_end(&run, true);
    if (chat->away.number != 0)
        return;
    chat_keep(chat, TURN_NONE);
    if (!run.lost)
        chat_keep_cache(chat);
    explain_nothing(&run);
}

enum status
chat_wait_opened(struct chat *chat, struct error *err)
{
    while (!chat->opened && !chat->quit && !chat->locking) {
        struct chat_wait wait = {.deadline_ns = UINT64_MAX};

        TRY(chat_wait_taking(chat, &wait, take_other, chat, err));
        if (wait.wake == CHAT_INTERRUPT)
            return error_set(err, STATUS_CANCELLED, "stopped");
    }
    return STATUS_OK;
}
