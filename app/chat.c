/* The loop of a chat: the prompt, the engine and signals, side by side. */
#include "config.h"

#include "app/chat.h"

#include "app/exit_code.h"
#include "app/notice.h"
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
    case SIGTERM:
    case SIGHUP:
        chat->quit = true;
        chat->code = EXIT_SIGNAL + number;
        break;
    default:
        break;
    }
}

/* Waits for one thing while the prompt is shown. */
static enum line_result
wait_at_prompt(struct chat *chat, bool again)
{
    struct client_wait wait = {.input = STDIN_FILENO,
                               .deadline_ns = UINT64_MAX};
    struct error err;
    enum status status = chat->client ? client_wait(chat->client, &wait, &err)
                                      : client_wait_without(&wait, &err);

    if (status != STATUS_OK) {
        chat_lost_engine(chat, &err);
        return LINE_MORE;
    }
    if (wait.wake == CLIENT_SIGNAL) {
        on_signal_at_prompt(chat, again);
    } else if (wait.wake == CLIENT_INPUT) {
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
    while (result == LINE_MORE && !chat->quit)
        result = wait_at_prompt(chat, true);
    return result == LINE_DONE;
}

const char *
chat_edit_line(struct chat *chat, const char *before, const char *text)
{
    enum line_result result = LINE_MORE;

    line_editor_show(before);
    line_editor_fill(text);
    while (result == LINE_MORE && !chat->quit && line_editor_visible())
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
    (void) chat;
}

bool
chat_confirm(struct chat *chat, const char *question, bool by_default)
{
    enum line_result result = LINE_MORE;
    char text[400];

    snprintf(text, sizeof text, "%s [%s] ", question,
             by_default ? "Y/n" : "y/N");
    line_editor_show(text);
    while (result == LINE_MORE && !chat->quit) {
        struct client_wait wait = {.input = STDIN_FILENO,
                                   .deadline_ns = UINT64_MAX};
        struct error err;

        if (client_wait_without(&wait, &err) != STATUS_OK)
            return false;
        if (wait.wake == CLIENT_INPUT) {
            result = line_editor_feed();
            continue;
        }
        int number = signals_taken();

        if (number == SIGINT) {
            line_editor_interrupt();
            return false;
        }
        if (number == SIGTERM || number == SIGHUP) {
            chat->quit = true;
            chat->code = EXIT_SIGNAL + number;
        }
    }
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
    } else if (!chat->quit) {
        chat_say(chat, "the next message asks again; ^D quits");
    }
    line_editor_resume();
}

static void
handle_line(struct chat *chat)
{
    const char *typed = line_editor_line();
    struct buffer line = {0};
    struct error err;

    if (strspn(typed, " \t\n") == strlen(typed))
        return;
    line_editor_remember(typed);
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
             "No network is used and nothing is saved; the terminal's "
             "scrollback keeps what is shown.",
             PACKAGE_STRING, reason);
    chat_print(chat, (struct print_style){0}, text, strlen(text));
}

static enum status
chat_open(struct chat *chat, const struct generation *generation,
          struct error *err)
{
    const char *system = generation->system;

    chat->generation = *generation;
    conversation_init(&chat->conversation);
    chat->terminal = terminal_of(STDOUT_FILENO);
    chat->printer.descriptor = STDOUT_FILENO;
    chat->printer.colour = chat->terminal.colour;
    if (system)
        TRY(conversation_set_system(&chat->conversation, system, strlen(system),
                                    err));
    chat->code = EXIT_NO_INPUT;
    TRY(places_model(chat->path, generation->model, err));
    chat->code = EXIT_UNAVAILABLE;
    TRY(signals_start(SIGNALS_CHAT, err));
    enum status status = chat_start_engine(chat, err);

    chat->code = exit_code_of_start(status);
    TRY(status);
    chat->code = EXIT_SUCCESS;
    line_editor_open(chat_complete, chat);
    return STATUS_OK;
}

static void
chat_close(struct chat *chat)
{
    progress_clear();
    terminal_unmute();
    line_editor_close();
    client_close(chat->client);
    conversation_release(&chat->conversation);
    printer_release(&chat->printer);
    spoken_table_release(&chat->table);
    free(chat->generation.stops.items);
}

int
chat_run(const struct generation *generation, bool show_thinking)
{
    static struct chat chat;
    struct error err;

    chat.show_thinking = show_thinking;
    if (chat_open(&chat, generation, &err) != STATUS_OK) {
        notice_error("%s", err.text);
        chat.quit = true;
    } else {
        greet(&chat);
    }
    while (!chat.quit && read_line(&chat))
        handle_line(&chat);
    chat_close(&chat);
    return chat.code;
}
