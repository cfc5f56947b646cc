/* The loop of a chat: the prompt, the engine and signals, side by side. */
#include "config.h"

#include "app/chat/chat_vault.h"

#include "app/exit_code.h"
#include "app/notice.h"
#include "app/policy.h"
#include "app/settings.h"
#include "app/signals.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
chat_print(struct chat *chat, struct print_style style, const char *text,
           size_t length)
{
    chat->face->print(chat, style, text, length);
}

void
chat_say(struct chat *chat, const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    chat->face->say(chat, text);
}

/* Whether nothing more is read: the chat ends, or is begun anew locked. */
static bool
is_over(const struct chat *chat)
{
    return chat->quit || chat->locking;
}

/* -- lines that wait -------------------------------------------------------
 */

bool
chat_queue(struct chat *chat, const char *line, bool typed)
{
    struct queued_line *next = &chat->queue[chat->queued];
    struct error err;

    if (chat->queued == CHAT_QUEUE) {
        chat_say(chat, "%d messages wait already; this one was not taken",
                 CHAT_QUEUE);
        return false;
    }
    if (buffer_append(&next->text, line, strlen(line), &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return false;
    }
    next->typed = typed;
    chat->queued++;
    return true;
}

/* The first of them; its text is the caller's to release. */
static struct queued_line
unqueue(struct chat *chat)
{
    struct queued_line first = chat->queue[0];

    chat->queued--;
    memmove(chat->queue, chat->queue + 1, chat->queued * sizeof chat->queue[0]);
    chat->queue[chat->queued] = (struct queued_line){0};
    return first;
}

bool
chat_unqueue_last(struct chat *chat, struct queued_line *out)
{
    if (chat->queued == 0)
        return false;
    *out = chat->queue[--chat->queued];
    chat->queue[chat->queued] = (struct queued_line){0};
    return true;
}

void
chat_drop_queue(struct chat *chat)
{
    for (; chat->queued > 0; chat->queued--)
        buffer_release(&chat->queue[chat->queued - 1].text);
}

/* -- reading a line --------------------------------------------------------
 */

static void
take_idle_event(struct chat *chat, struct event *event)
{
    struct error err;
    enum status status = chat_take_event(chat, event, &err);

    event_release(event);
    if (status != STATUS_OK)
        chat_lost_engine(chat, &err);
}

static void
interrupt_prompt(struct chat *chat)
{
    if (!chat->face->interrupt(chat))
        chat_say(chat, "^D quits, /help lists commands");
    chat->face->ask(chat, NULL, "");
}

/*
 * Waits for one thing while a line is asked for. `again`: what Ctrl-C gives up
 * is followed by a new prompt; else it ends the asking.
 */
static enum line_result
wait_at_prompt(struct chat *chat, bool again)
{
    struct chat_wait wait = {.keys = true, .deadline_ns = UINT64_MAX};
    struct error err;

    if (chat_wait(chat, &wait, &err) != STATUS_OK)
        chat_lost_engine(chat, &err);
    else if (wait.wake == CHAT_KEYS)
        return chat->face->keys(chat);
    else if (wait.wake == CHAT_EVENT)
        take_idle_event(chat, &wait.event);
    else if (wait.wake == CHAT_INTERRUPT && again)
        interrupt_prompt(chat);
    else if (wait.wake == CHAT_INTERRUPT)
        chat->face->interrupt(chat);
    return wait.wake == CHAT_INTERRUPT && !again ? LINE_END : LINE_MORE;
}

/* One line at the prompt; false when there will be no more. */
static bool
read_line(struct chat *chat)
{
    enum line_result result = LINE_MORE;

    if (chat->queued > 0)
        return true;
    chat->face->ask(chat, NULL, "");
    while (result == LINE_MORE && !is_over(chat) && chat->queued == 0)
        result = wait_at_prompt(chat, true);
    // a face that shows its box at any time has it shown again by now
    return result == LINE_DONE || chat->queued > 0;
}

const char *
chat_edit_line(struct chat *chat, const char *before, const char *text)
{
    enum line_result result = LINE_MORE;

    chat->face->ask(chat, before, text);
    while (result == LINE_MORE && !is_over(chat))
        result = wait_at_prompt(chat, false);
    return result == LINE_DONE ? line_editor_line() : NULL;
}

void
chat_move(struct chat *chat, size_t leaf)
{
    conversation_move(&chat->conversation, leaf);
    chat_moved(chat);
}

void
chat_moved(struct chat *chat)
{
    chat_keep(chat, TURN_NONE);
}

void
chat_keep(struct chat *chat, size_t unfinished)
{
    struct keeping *k = &chat->keeping;
    struct error err;
    bool kept = keeping_write(k, &chat->conversation, chat->model, unfinished,
                              &err) == STATUS_OK;

    if (!kept && !chat->keep_told)
        chat_say(chat,
                 "not kept: %s; the chat goes on, and what is missing "
                 "is written as soon as it can be",
                 err.text);
    else if (kept && chat->keep_told)
        chat_say(chat, "everything is kept again");
    chat->keep_told = !kept;
    chat->face->moved(chat);
}

uint64_t
chat_lock_deadline(const struct chat *chat)
{
    if (chat->lock_after_ns == 0 || chat->keeping.kind != KEEPING_VAULT)
        return UINT64_MAX;
    return chat->touched_ns + chat->lock_after_ns;
}

/* Before the model was ever open there is nothing to come back to. */
static void
end_unopened(struct chat *chat, const struct error *err)
{
    chat->face->close(chat);
    notice_error("%s", err->text);
    chat->quit = true;
    if (chat->code == EXIT_SUCCESS)
        chat->code = EXIT_INTERNAL;
}

void
chat_keep_loss(struct chat *chat, const struct error *err)
{
    client_close(chat->client);
    chat->client = NULL;
    if (chat->locked)
        chat_seal_away(chat);
    if (chat->opened)
        chat_say(chat, "%s", err->text);
    else
        end_unopened(chat, err);
}

/* One wait for the answer to a question; the engine has to wait. */
static enum line_result
wait_for_answer(struct chat *chat)
{
    struct chat_wait wait = {
        .keys = true, .without_engine = true, .deadline_ns = UINT64_MAX};
    struct error err;

    if (chat_wait(chat, &wait, &err) != STATUS_OK)
        return LINE_END;
    if (wait.wake == CHAT_KEYS)
        return chat->face->keys(chat);
    if (wait.wake == CHAT_INTERRUPT)
        chat->face->interrupt(chat);
    return LINE_END;
}

enum chat_answer
chat_decide(struct chat *chat, const char *question, bool by_default)
{
    enum line_result result = LINE_MORE;
    char text[400];

    snprintf(text, sizeof text, "%s [%s] ", question,
             by_default ? "Y/n" : "y/N");
    chat->face->ask(chat, text, "");
    while (result == LINE_MORE && !is_over(chat))
        result = wait_for_answer(chat);
    if (result != LINE_DONE)
        return CHAT_GIVEN_UP;
    const char *answer = line_editor_line();

    if (*answer == '\0')
        return by_default ? CHAT_YES : CHAT_NO;
    return answer[0] == 'y' || answer[0] == 'Y' ? CHAT_YES : CHAT_NO;
}

bool
chat_confirm(struct chat *chat, const char *question, bool by_default)
{
    return chat_decide(chat, question, by_default) == CHAT_YES;
}

void
chat_lost_engine(struct chat *chat, const struct error *err)
{
    struct error again;

    line_editor_hide();
    client_close(chat->client);
    chat->client = NULL;
    if (!chat->opened) {
        end_unopened(chat, err);
        return;
    }
    chat_say(chat, "%s; the conversation is kept", err->text);
    if (chat_confirm(chat, "Start the engine again?", true)) {
        if (chat_start_engine(chat, &again) != STATUS_OK)
            chat_say(chat, "%s", again.text);
        else
            chat_give_cache(chat);
    } else if (!chat->quit) {
        chat_say(chat, "the next message asks again; ^D quits");
    }
    line_editor_resume();
}

bool
chat_remember(struct chat *chat, const char *typed)
{
    struct keeping *k = &chat->keeping;
    size_t keep = line_editor_history_size();
    struct error err;

    if (*typed == ' ')
        return false;
    line_editor_remember(typed);
    if (k->kind != KEEPING_VAULT || keep == 0 || chat->keep_told)
        return false;
    if (vault_add_input(k->vault, text_of(typed, strlen(typed)), keep, &err) ==
        STATUS_OK)
        return true;
    chat_say(chat, "the line is not kept for the next chat: %s", err.text);
    return false;
}

/* A line as it was typed, or posted. */
static void
handle_line(struct chat *chat, const struct queued_line *queued)
{
    const char *text = queued->text.data;

    if (text == NULL || strspn(text, " \t\n") == strlen(text))
        return;
    if (queued->typed)
        chat_remember(chat, text);
    if (text[0] != '/')
        chat_send(chat, text, queued->text.length);
    else if (text[1] == '/')
        chat_send(chat, text + 1, queued->text.length - 1);
    else
        chat_command(chat, text);
}

/* The line that read_line came back for. */
static void
handle_next(struct chat *chat)
{
    struct queued_line line = {.typed = true};
    const char *typed = line_editor_line();
    struct error err;

    if (chat->queued > 0)
        line = unqueue(chat);
    else if (buffer_append(&line.text, typed, strlen(typed), &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    handle_line(chat, &line);
    buffer_release(&line.text);
}

static uint64_t
lock_after_ms(const struct chat_settings *settings)
{
    if (!settings->lock_after.given)
        return settings_lock_after_ms();
    return settings_shorter(settings->lock_after, policy_now()->lock_after);
}

static enum status
chat_open(struct chat *chat, const struct chat_settings *settings,
          struct error *err)
{
    const char *system = settings->generation.system;
    const char *show = settings->show_thinking;

    chat->settings = settings;
    chat->generation = settings->generation;
    chat->show_thinking = show ? strcmp(show, "on") == 0
                               : settings_thought_view() != THOUGHT_HIDE;
    chat->loop_told = TURN_NONE;
    if (settings->generation.preset)
        text_copy(chat->preset, sizeof chat->preset,
                  settings->generation.preset);
    conversation_init(&chat->conversation);
    conversation_init(&chat->away.rest);
    chat->terminal = terminal_of(STDOUT_FILENO);
    chat->answering = TURN_NONE;
    chat->face = *face_plain_reason(chat->face_why, sizeof chat->face_why,
                                    settings->plain) == '\0'
                     ? &screen_face
                     : &plain_face;
    if (settings_enter() == UI_ENTER_NEWLINE)
        line_editor_enter_opens_line();
    chat->touched_ns = clock_ns();
    chat->lock_after_ns = UINT64_C(1000000) * lock_after_ms(settings);
    if (system)
        TRY(conversation_set_system(&chat->conversation, system, strlen(system),
                                    err));
    TRY(places_vault(&chat->keeping.folders, err));
    return secret_start(err);
}

static enum status
open_face(struct chat *chat, struct error *err)
{
    enum status status = chat->face->open(chat, err);

    if (status != STATUS_OK)
        chat->code = EXIT_UNAVAILABLE;
    return status;
}

/* The engine loads behind what is asked next. */
static enum status
start(struct chat *chat, struct error *err)
{
    chat->code = EXIT_NO_INPUT;
    TRY(places_model(chat->path, chat->settings->generation.model, err));
    chat->code = EXIT_UNAVAILABLE;
    TRY(signals_start(SIGNALS_CHAT, err));
    enum status status = chat_start_engine(chat, err);

    chat->code = exit_code_of_start(status);
    TRY(status);
    chat->code = EXIT_SUCCESS;
    TRY(open_face(chat, err));
    chat_unlock(chat);
    if (chat->quit || chat->locking)
        return STATUS_OK;
    chat_welcome(chat);
    chat_say_state(chat);
    if (chat->settings->resume)
        (void) chat_resume(chat, chat->settings->resume);
    return STATUS_OK;
}

/* What was begun anew by chat_lock. */
static enum status
start_locked(struct chat *chat, struct error *err)
{
    TRY(signals_start(SIGNALS_CHAT, err));
    TRY(open_face(chat, err));
    chat_stay_locked(chat);
    return STATUS_OK;
}

/* What is not kept yet is tried once more; false: the user stays. */
static bool
may_leave(struct chat *chat)
{
    if (!chat->keep_told || chat->code != EXIT_SUCCESS)
        return true;
    chat_keep(chat, TURN_NONE);
    if (!chat->keep_told ||
        chat_confirm(chat, "Some of this chat is not kept. Leave all the same?",
                     false))
        return true;
    chat->quit = false;
    return chat->locking;
}

static void
chat_close(struct chat *chat)
{
    chat->face->close(chat);
    if (chat->code == EXIT_SUCCESS)
        chat_finish_cache(chat);
    chat_gauges_keep(chat);
    client_close(chat->client);
    conversation_release(&chat->conversation);
    conversation_release(&chat->away.rest);
    keeping_close(&chat->keeping);
    chat_stop_listening(chat);
    chat_drop_queue(chat);
    chat_drop_attached(chat);
}

static void
talk(struct chat *chat)
{
    do {
        while (!is_over(chat) && read_line(chat))
            handle_next(chat);
    } while (!chat->locking && !may_leave(chat));
}

int
chat_run(struct chat_settings *settings)
{
    static struct chat chat;
    struct error err;
    enum status status = chat_open(&chat, settings, &err);

    if (status == STATUS_OK)
        status = chat_was_locked(&chat) ? start_locked(&chat, &err)
                                        : start(&chat, &err);
    if (status != STATUS_OK) {
        chat.face->close(&chat);
        notice_error("%s", err.text);
    } else {
        talk(&chat);
    }
    if (chat.locking)
        chat.code = chat_lock(&chat);
    else if (status != STATUS_OK && chat.code == EXIT_SUCCESS)
        chat.code = exit_code_of(err.status);
    chat_close(&chat);
    return chat.code;
}
