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

static const char prompt[] = "you> ";

/* A failed write means that the terminal is gone. */
static void
check_terminal(struct chat *chat, enum status status)
{
    if (status == STATUS_OK || chat->quit)
        return;
    chat->quit = true;
    chat->code = EXIT_CANT_WRITE;
}

void
chat_print(struct chat *chat, struct print_style style, const char *text,
           size_t length)
{
    struct error err;

    progress_clear();
    chat->printer.columns = terminal_columns(STDOUT_FILENO);
    printer_begin(&chat->printer, style);
    enum status status = printer_write(&chat->printer, text, length, &err);

    if (status == STATUS_OK)
        status = printer_end(&chat->printer, &err);
    check_terminal(chat, status);
}

void
chat_say(struct chat *chat, const char *format, ...)
{
    char text[2048] = "[";
    va_list args;
    bool visible = line_editor_visible();

    va_start(args, format);
    vsnprintf(text + 1, sizeof text - 2, format, args);
    va_end(args);
    memcpy(text + strlen(text), "]", 2);
    // a line that is being typed makes room and comes back
    line_editor_hide();
    chat_print(chat, (struct print_style){.dim = true}, text, strlen(text));
    if (visible)
        line_editor_resume();
}

/* Ctrl-Z: the terminal is given back first, and taken again afterwards. */
static void
suspend(void)
{
    bool visible = line_editor_visible();

    line_editor_hide();
    terminal_unmute();
    raise(SIGSTOP);
    if (visible)
        line_editor_resume();
}

/* `again`: what Ctrl-C gives up is followed by a new prompt. */
static void
on_signal_at_prompt(struct chat *chat, bool again)
{
    int number = signals_taken();

    switch (number) {
    case SIGINT:
        if (!line_editor_interrupt() && again)
            chat_say(chat, "^D quits, /help lists commands");
        if (again)
            line_editor_show(prompt);
        break;
    case SIGTSTP:
        suspend();
        break;
    case SIGWINCH:
        line_editor_resized();
        break;
    case SIGUSR1:
        chat->locking = chat->keeping.kind == KEEPING_VAULT;
        break;
    case SIGTERM:
    case SIGHUP:
        chat->quit = true;
        chat->code = EXIT_SIGNAL + number;
        break;
    default:
        break;
    }
}

/* Whether nothing more is read: the chat ends, or is begun anew locked. */
static bool
is_over(const struct chat *chat)
{
    return chat->quit || chat->locking;
}

/* Waits for one thing while the prompt is shown. */
static enum line_result
wait_at_prompt(struct chat *chat, bool again)
{
    struct client_wait wait = {.input = STDIN_FILENO,
                               .deadline_ns = chat_lock_deadline(chat)};
    struct error err;
    enum status status = chat->client ? client_wait(chat->client, &wait, &err)
                                      : client_wait_without(&wait, &err);

    if (status != STATUS_OK) {
        chat_lost_engine(chat, &err);
        return LINE_MORE;
    }
    if (wait.wake == CLIENT_SIGNAL) {
        on_signal_at_prompt(chat, again);
    } else if (wait.wake == CLIENT_TIME) {
        chat->locking = true;
    } else if (wait.wake == CLIENT_INPUT) {
        chat->touched_ns = clock_ns();
        return line_editor_feed();
    } else if (wait.wake == CLIENT_EVENT) {
        status = chat_take_event(chat, &wait.event, &err);
        event_release(&wait.event);
        if (status != STATUS_OK)
            chat_lost_engine(chat, &err);
    }
    return LINE_MORE;
}

/* One line at the prompt; false when there will be no more. */
static bool
read_line(struct chat *chat)
{
    enum line_result result = LINE_MORE;

    line_editor_show(prompt);
    while (result == LINE_MORE && !is_over(chat))
        result = wait_at_prompt(chat, true);
    return result == LINE_DONE;
}

const char *
chat_edit_line(struct chat *chat, const char *before, const char *text)
{
    enum line_result result = LINE_MORE;

    line_editor_show(before);
    line_editor_fill(text);
    while (result == LINE_MORE && !is_over(chat) && line_editor_visible())
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
}

uint64_t
chat_lock_deadline(const struct chat *chat)
{
    if (chat->lock_after_ns == 0 || chat->keeping.kind != KEEPING_VAULT)
        return UINT64_MAX;
    return chat->touched_ns + chat->lock_after_ns;
}

void
chat_keep_loss(struct chat *chat, const struct error *err)
{
    client_close(chat->client);
    chat->client = NULL;
    if (chat->locked)
        chat_seal_away(chat);
    // before the model was ever open there is nothing to come back to
    if (!chat->opened) {
        notice_error("%s", err->text);
        chat->quit = true;
        if (chat->code == EXIT_SUCCESS)
            chat->code = EXIT_INTERNAL;
        return;
    }
    chat_say(chat, "%s", err->text);
}

/* One wait for the answer to a question; the engine has to wait. */
static enum line_result
wait_for_answer(struct chat *chat)
{
    struct client_wait wait = {.input = STDIN_FILENO,
                               .deadline_ns = chat_lock_deadline(chat)};
    struct error err;

    if (client_wait_without(&wait, &err) != STATUS_OK)
        return LINE_END;
    if (wait.wake == CLIENT_INPUT) {
        chat->touched_ns = clock_ns();
        return line_editor_feed();
    }
    if (wait.wake == CLIENT_TIME) {
        chat->locking = true;
        return LINE_END;
    }
    int number = signals_taken();

    if (number == SIGINT) {
        line_editor_interrupt();
        return LINE_END;
    }
    if (number == SIGUSR1)
        chat->locking = chat->keeping.kind == KEEPING_VAULT;
    if (number == SIGTERM || number == SIGHUP) {
        chat->quit = true;
        chat->code = EXIT_SIGNAL + number;
    }
    return LINE_MORE;
}

bool
chat_confirm(struct chat *chat, const char *question, bool by_default)
{
    enum line_result result = LINE_MORE;
    char text[400];

    snprintf(text, sizeof text, "%s [%s] ", question,
             by_default ? "Y/n" : "y/N");
    line_editor_show(text);
    while (result == LINE_MORE && !is_over(chat))
        result = wait_for_answer(chat);
    const char *answer = result == LINE_DONE ? line_editor_line() : "n";

    if (*answer == '\0')
        return by_default;
    return answer[0] == 'y' || answer[0] == 'Y';
}

void
chat_lost_engine(struct chat *chat, const struct error *err)
{
    struct error again;

    line_editor_hide();
    client_close(chat->client);
    chat->client = NULL;
    // before the model was ever open there is nothing to come back to
    if (!chat->opened) {
        notice_error("%s", err->text);
        chat->quit = true;
        if (chat->code == EXIT_SUCCESS)
            chat->code = EXIT_INTERNAL;
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

static void
handle_line(struct chat *chat)
{
    const char *typed = line_editor_line();
    struct buffer line = {0};
    struct error err;

    if (strspn(typed, " \t\n") == strlen(typed))
        return;
    chat_remember(chat, typed);
    if (buffer_append(&line, typed, strlen(typed), &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (line.data[0] != '/')
        chat_ask(chat, line.data, line.length);
    else if (line.data[1] == '/')
        chat_ask(chat, line.data + 1, line.length - 1);
    else
        chat_command(chat, line.data);
    buffer_release(&line);
}

static void
greet(struct chat *chat)
{
    char text[400];
    const char *reason = getenv("ACCESSIBLE") && chat->terminal.accessible
                             ? "accessible mode, because ACCESSIBLE is set"
                             : "plain mode";

    snprintf(text, sizeof text,
             "%s, %s. /help lists commands, ^D quits.\n"
             "What is shown stays in the terminal's scrollback.",
             PACKAGE_STRING, reason);
    chat_print(chat, (struct print_style){0}, text, strlen(text));
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
    chat->show_thinking = !show || strcmp(show, "on") == 0;
    conversation_init(&chat->conversation);
    conversation_init(&chat->away.rest);
    chat->terminal = terminal_of(STDOUT_FILENO);
    chat->printer.descriptor = STDOUT_FILENO;
    chat->printer.colour = chat->terminal.colour;
    chat->touched_ns = clock_ns();
    chat->lock_after_ns = UINT64_C(1000000) * lock_after_ms(settings);
    if (system)
        TRY(conversation_set_system(&chat->conversation, system, strlen(system),
                                    err));
    TRY(places_vault(&chat->keeping.folders, err));
    return secret_start(err);
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
    line_editor_open(chat_complete, chat);
    greet(chat);
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
    line_editor_open(chat_complete, chat);
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
    progress_clear();
    terminal_unmute();
    line_editor_close();
    if (chat->code == EXIT_SUCCESS)
        chat_finish_cache(chat);
    client_close(chat->client);
    conversation_release(&chat->conversation);
    conversation_release(&chat->away.rest);
    keeping_close(&chat->keeping);
    chat_stop_listening(chat);
    printer_release(&chat->printer);
    spoken_table_release(&chat->table);
}

static void
talk(struct chat *chat)
{
    do {
        while (!is_over(chat) && read_line(chat))
            handle_line(chat);
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
    if (status != STATUS_OK)
        notice_error("%s", err.text);
    else
        talk(&chat);
    if (chat.locking)
        chat.code = chat_lock(&chat);
    else if (status != STATUS_OK && chat.code == EXIT_SUCCESS)
        chat.code = exit_code_of(err.status);
    chat_close(&chat);
    return chat.code;
}
