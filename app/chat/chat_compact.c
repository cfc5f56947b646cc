/*
 * /compact: the model summarises old turns, and prompts have the summary in
 * their place. The summary is a turn behind the leaf like any other, so /undo
 * takes it back, nothing is lost or there twice, and what reads chats need not
 * know of it; conversation_prompted is what does.
 */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/chat/summary.h"
#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_AS_A_RULE = 2, KEEP_MOST = 999999999 };

/* -- what the shorter context takes -----------------------------------------
 */

/* A request that reads a prompt and answers nothing. */
struct rereading {
    struct chat *chat;
    uint64_t number, tokens;
    bool done, stopped;
};

static enum status
take_rereading(void *context, const struct event *event, struct error *err)
{
    struct rereading *reading = context;

    if (event->number != reading->number)
        return chat_take_event(reading->chat, event, err);
    if (event->type == MESSAGE_PROGRESS)
        reading->chat->face->activity(reading->chat, &event->progress);
    if (event->type == MESSAGE_ERROR) {
        reading->done = true;
        return error_set(err, event->error.status, "%s", event->error.text);
    }
    if (event->type == MESSAGE_DONE) {
        reading->done = true;
        reading->tokens = event->generate.usage.prompt;
        reading->stopped |= event->generate.finish == FINISH_INTERRUPTED;
    }
    return STATUS_OK;
}

/* The last answer is begun for the model, which is to add nothing. */
static enum status
send_rereading(struct rereading *reading, struct error *err)
{
    struct chat *chat = reading->chat;
    struct generation_request made;
    struct chat_message *messages;
    size_t count;

    generation_fill(&made, &chat->generation);
    TRY(conversation_context(&messages, &count, &chat->conversation, err));
    made.request.messages = messages;
    made.request.message_count = count - 1;
    made.request.prefill = messages[count - 1].content;
    made.request.thinking = SWITCH_DEFAULT;
    made.request.max_tokens = 0;
    reading->number = client_number(chat->client);
    enum status status = request_put_generate(
        client_outgoing(chat->client), reading->number, &made.request, err);

    free(messages);
    return status;
}

static enum status
cancel_rereading(struct rereading *reading, struct error *err)
{
    if (reading->stopped)
        return STATUS_OK;
    reading->stopped = true;
    return request_put_cancel(client_outgoing(reading->chat->client),
                              reading->number, FINISH_INTERRUPTED, err);
}

/*
 * The engine reads what the next prompt will have, which it then need not read
 * any more, and counts it. STATUS_IO: the engine is gone.
 */
static enum status
reread(struct rereading *reading, struct error *err)
{
    struct chat *chat = reading->chat;
    enum status status = send_rereading(reading, err);

    while (status == STATUS_OK && !reading->done && !chat->quit) {
        struct chat_wait wait = {.deadline_ns = UINT64_MAX};

        status = chat_wait_taking(chat, &wait, take_rereading, reading, err);
        if (status == STATUS_OK &&
            (wait.wake == CHAT_INTERRUPT || chat->locking))
            status = cancel_rereading(reading, err);
        if (chat->locking)
            break;
    }
    return status;
}

static void
say_gain(struct chat *chat, uint64_t before, uint64_t after)
{
    char old[COUNT_TEXT], new[COUNT_TEXT], all[COUNT_TEXT];

    text_count(old, before);
    text_count(new, after);
    text_count(all, chat->context);
    if (before == 0)
        chat_say(chat,
                 "with the summary %s of %s tokens of the context are taken; "
                 "/undo takes it back",
                 new, all);
    else if (after < before)
        chat_say(chat,
                 "with the summary %s of %s tokens of the context are taken, "
                 "before it were %s; /undo takes it back",
                 new, all, old);
    else
        chat_say(chat,
                 "the summary is no shorter: %s of %s tokens of the context "
                 "are taken, before it were %s; /undo takes it back",
                 new, all, old);
}

static void
measure(struct chat *chat, uint64_t before)
{
    struct rereading reading = {.chat = chat};
    struct conversation *c = &chat->conversation;
    struct error err;

    chat->face->reading(chat, true);
    enum status status = reread(&reading, &err);

    chat->face->reading(chat, false);
    if (status == STATUS_IO && !reading.done && !chat->quit) {
        chat_lost_engine(chat, &err);
        return;
    }
    if (status == STATUS_OK && reading.done && !reading.stopped)
        c->turns[c->leaf].prompted_tokens = reading.tokens;
    if (status != STATUS_OK)
        chat_say(chat, "%s; /undo takes the summary back", err.text);
    else if (reading.done && !reading.stopped)
        say_gain(chat, before, reading.tokens);
    else if (reading.stopped && !chat->locking)
        chat_say(chat, "the summary stands; what the context takes now is "
                       "known after the next answer");
    chat->face->moved(chat);
    chat_keep_cache(chat);
}

/* -- the command ------------------------------------------------------------
 */

/* Asks behind the leaf, which is an answer. */
static void
compact(struct chat *chat, struct text question)
{
    uint64_t before = conversation_used(&chat->conversation);

    if (chat_have_engine(chat) && chat_ask_summary(chat, question) &&
        !chat->quit && !chat->locking)
        measure(chat, before);
}

void
chat_summarise_again(struct chat *chat, size_t summary)
{
    struct conversation *c = &chat->conversation;
    size_t before = c->leaf;
    struct buffer question = {0};
    struct error err;

    if (c->turns[summary].role == TURN_ANSWER)
        summary = c->turns[summary].parent;
    struct text old = conversation_text(&c->turns[summary].content);

    if (c->turns[summary].parent == TURN_NONE) {
        chat_say(chat, "what was summarised is not in this chat");
        return;
    }
    // turns move when one is added
    if (buffer_append(&question, old.bytes, old.length, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    size_t after = c->turns[summary].parent;

    conversation_move(c, after);
    compact(chat, conversation_text(&question));
    if (c->leaf == after)
        chat_move(chat, before);
    buffer_release(&question);
}

/*
 * How many of the newest turns stay: as many as the user says; else two, or
 * half of fewer than four. False: that is no number.
 */
static bool
read_keep(size_t *keep, const char **wanted, const char *arguments,
          size_t count)
{
    char word[24];
    uint64_t number;

    *keep = count / 2 < KEEP_AS_A_RULE ? count / 2 : KEEP_AS_A_RULE;
    *wanted = arguments;
    if (strchr("0123456789-+", arguments[0]) == NULL || *arguments == '\0')
        return true;
    snprintf(word, sizeof word, "%.*s",
             (int) chat_first_word(arguments, wanted), arguments);
    if (!option_read_count(word, &number) || number > KEEP_MOST)
        return false;
    *keep = (size_t) number;
    return true;
}

/* Whether there is something to be summarised; if not the user is told. */
static bool
has_old_turns(struct chat *chat, const size_t *answers, size_t count,
              size_t keep)
{
    size_t kept;

    if (count <= keep) {
        chat_say(chat,
                 "there is nothing to summarise: prompts have %zu turn%s, and "
                 "the newest %zu are to stay",
                 count, count == 1 ? "" : "s", keep);
        return false;
    }
    if (count - keep > 1 ||
        !conversation_summary(&chat->conversation, answers[0], &kept))
        return true;
    chat_say(chat,
             "there is nothing to summarise: all but the newest %zu "
             "turns are a summary already",
             keep);
    return false;
}

static void
compact_old(struct chat *chat, const char *arguments, const size_t *answers,
            size_t count)
{
    struct buffer question = {0};
    const char *wanted;
    struct error err;
    size_t keep;

    if (!read_keep(&keep, &wanted, arguments, count)) {
        chat_say_usage(chat, "compact");
        return;
    }
    if (!has_old_turns(chat, answers, count, keep))
        return;
    if (summary_question(&question, keep, text_of(wanted, strlen(wanted)),
                         &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        compact(chat, conversation_text(&question));
    buffer_release(&question);
}

void
chat_run_compact(struct chat *chat, const char *arguments)
{
    const struct conversation *c = &chat->conversation;
    size_t *answers, count;
    struct error err;

    if (c->leaf == TURN_NONE) {
        chat_say(chat, "there is no question yet");
    } else if (c->turns[c->leaf].role == TURN_QUESTION) {
        chat_say(chat, "the last question has no answer; /retry asks it again, "
                       "/undo drops it");
    } else if (conversation_prompted(&answers, &count, c, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
    } else {
        compact_old(chat, arguments, answers, count);
        free(answers);
    }
}
