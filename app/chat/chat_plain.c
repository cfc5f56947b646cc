/*
 * The plain face: lines one below the other, which a terminal without cursor
 * movement can show and a screen reader can read. While an answer comes the
 * terminal is muted: what is typed waits in it for the next prompt.
 */
#include "config.h"

#include "app/attachment.h"
#include "app/chat/chat_editor.h"
#include "app/exit_code.h"
#include "app/progress_text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HALF_SECOND_NS UINT64_C(500000000)

static struct {
    struct printer printer;
    struct spoken_table table; // where somebody listens
    bool opened;

    // of the answer that is coming
    uint64_t begun_ns, tick_ns;
    uint64_t thinking_tokens;
    bool coming, thinking_shown, thinking_noted, answering;
    bool text_open;     // the printer is in the middle of it
    char activity[200]; // what progress says
} plain;

/* A failed write means that the terminal is gone. */
static void
check_terminal(struct chat *chat, enum status status)
{
    if (status == STATUS_OK || chat->quit)
        return;
    chat->quit = true;
    chat->code = EXIT_CANT_WRITE;
}

/* -- texts ------------------------------------------------------------------
 */

/* What is coming gives way to other text, and goes on on a line of its own. */
static void
close_text(struct chat *chat)
{
    struct error err;

    if (plain.text_open)
        check_terminal(chat, printer_end(&plain.printer, &err));
    plain.text_open = false;
}

static void
plain_print(struct chat *chat, struct print_style style, const char *text,
            size_t length)
{
    struct error err;

    progress_clear();
    close_text(chat);
    plain.printer.columns = terminal_columns(STDOUT_FILENO);
    printer_begin(&plain.printer, style);
    enum status status = printer_write(&plain.printer, text, length, &err);

    if (status == STATUS_OK)
        status = printer_end(&plain.printer, &err);
    check_terminal(chat, status);
}

static void
plain_say(struct chat *chat, const char *text)
{
    char line[2100];
    bool visible = line_editor_visible();

    snprintf(line, sizeof line, "[%s]", text);
    // a line that is being typed makes room and comes back
    line_editor_hide();
    plain_print(chat, (struct print_style){.dim = true}, line, strlen(line));
    if (visible)
        line_editor_resume();
}

static void
plain_show_secret(struct chat *chat, const struct secret *secret)
{
    struct error err;

    if (secret == NULL)
        return;
    enum status status = printer_put(STDOUT_FILENO, "\n    ", 5, &err);

    if (status == STATUS_OK)
        status = printer_put(STDOUT_FILENO, (const char *) secret_bytes(secret),
                             secret_length(secret), &err);
    if (status == STATUS_OK)
        status = printer_put(STDOUT_FILENO, "\n\n", 2, &err);
    check_terminal(chat, status);
}

static void
greet(struct chat *chat)
{
    char text[500], mode[260] = "accessible mode, because ACCESSIBLE is set";

    if (!chat->terminal.accessible)
        snprintf(mode, sizeof mode, "plain mode (%s)", chat->face_why);
    snprintf(text, sizeof text,
             "%s, %s. net:off. /help lists commands, ^D quits.\n"
             "What is shown stays in the terminal's scrollback.",
             PACKAGE_STRING, mode);
    plain_print(chat, (struct print_style){0}, text, strlen(text));
}

/* What a key does that is bound to one of fathom's functions. */
static const struct {
    enum action action;
    const char *command;
} plain_actions[] = {
    {ACTION_HELP, "/help"},   {ACTION_HISTORY, "/history"},
    {ACTION_MODEL, "/model"}, {ACTION_STATS, "/stats"},
    {ACTION_LOCK, "/lock"},   {ACTION_PRESET, "/preset next"},
    {ACTION_RETRY, "/retry"}, {ACTION_UNDO, "/undo"},
    {ACTION_LEAVE, "/quit"},  {ACTION_EXPERTS, "/experts"},
    {ACTION_COPY, "/copy"},   {ACTION_EFFORT_NEXT, "/think next"},
};

/* The half-typed line makes room for what a command prints. */
static void
plain_act(void *context, enum action action, int count)
{
    struct chat *chat = context;

    (void) count;
    if (action == ACTION_EDIT) {
        chat_editor_line(chat);
        return;
    }
    for (size_t i = 0; i < sizeof plain_actions / sizeof *plain_actions; i++) {
        if (plain_actions[i].action != action)
            continue;
        line_editor_hide();
        chat_command(chat, plain_actions[i].command);
        if (!chat->quit && !chat->locking)
            line_editor_resume();
    }
}

static void
plain_attach(void *context, const char *bytes, size_t length)
{
    chat_attach_text(context, "pasted text", bytes, length);
}

static enum status
plain_open(struct chat *chat, struct error *err)
{
    (void) err;
    plain.printer = (struct printer){.descriptor = STDOUT_FILENO,
                                     .colour = chat->terminal.colour};
    plain.opened = true;
    text_width_start(text_width_utf8(), settings_ambiguous_width());
    line_editor_open(chat_complete, chat);
    line_editor_attach(plain_attach, chat);
    if (chat->terminal.accessible)
        line_editor_without_modes();
    line_editor_watch(plain_act, chat);
    greet(chat);
    return STATUS_OK;
}

static void
plain_close(struct chat *chat)
{
    (void) chat;
    if (!plain.opened)
        return;
    plain.opened = false;
    progress_clear();
    line_editor_close();
    printer_release(&plain.printer);
    spoken_table_release(&plain.table);
}

static void
plain_uncover(struct chat *chat)
{
    (void) chat; // nothing covers lines
}

static void
plain_wipe(struct chat *chat)
{
    static const char wipe[] = "\033[H\033[2J\033[3J";
    struct error err;

    line_editor_close();
    progress_clear();
    if (chat->terminal.dumb || chat->terminal.accessible)
        plain_say(chat, "locked; what this terminal has shown it may still "
                        "keep");
    else if (printer_put(STDOUT_FILENO, wipe, sizeof wipe - 1, &err) !=
             STATUS_OK)
        log_warn("the screen was not wiped");
}

/* -- lines ------------------------------------------------------------------
 */

static void
plain_ask(struct chat *chat, const char *prompt, const char *text)
{
    (void) chat;
    line_editor_show(prompt ? prompt : "you> ");
    if (*text != '\0')
        line_editor_fill(text);
}

static enum line_result
plain_keys(struct chat *chat)
{
    (void) chat;
    return line_editor_feed();
}

static bool
plain_interrupt(struct chat *chat)
{
    (void) chat;
    return line_editor_visible() && line_editor_interrupt();
}

static void
plain_ask_secret(struct chat *chat, const char *prompt)
{
    struct error err;

    // muted first: what is typed as soon as the prompt is seen is not shown
    terminal_mute(STDIN_FILENO);
    check_terminal(chat,
                   printer_put(STDOUT_FILENO, prompt, strlen(prompt), &err));
}

static void
plain_end_secret(struct chat *chat)
{
    struct error err;

    check_terminal(chat, printer_put(STDOUT_FILENO, "\n", 1, &err));
}

static void
plain_unlocked(struct chat *chat)
{
    (void) chat;
}

static void
plain_secret_typed(struct chat *chat, size_t characters)
{
    (void) chat;
    (void) characters;
}

/* -- an answer --------------------------------------------------------------
 */

/* Progress goes on while nothing happens, too. */
static void
show_activity(void)
{
    // what is printed is progress
    if (!plain.answering && !plain.thinking_shown)
        progress_show(clock_ns(), plain.activity);
}

static void
plain_begin_answer(struct chat *chat, size_t answer)
{
    const struct turn *turn = &chat->conversation.turns[answer];
    uint64_t now = clock_ns();

    terminal_mute(STDIN_FILENO);
    progress_begin(now, PROGRESS_SENTENCES);
    plain.coming = true;
    plain.begun_ns = plain.tick_ns = now;
    plain.thinking_tokens = 0;
    plain.thinking_shown = plain.thinking_noted = plain.answering = false;
    plain.text_open = false;
    snprintf(plain.activity, sizeof plain.activity,
             turn->content.length > 0 || turn->thinking.length > 0
                 ? "[the answer goes on]"
                 : "[waiting for the engine]");
}

/* Thoughts follow, or the answer; after other text without their label. */
static enum status
open_text(const struct chat *chat, bool thinks, bool anew, struct error *err)
{
    bool accessible = chat->terminal.accessible, fence = plain.printer.in_fence;
    struct print_style style = {.dim = thinks};

    if (thinks && !accessible)
        style.prefix = ": ";
    progress_clear();
    plain.text_open = true;
    plain.printer.columns = terminal_columns(STDOUT_FILENO);
    printer_begin(&plain.printer, style);
    plain.printer.in_fence = !anew && fence;
    if (anew && !thinks)
        return printer_label(&plain.printer, "fathom> ", err);
    if (anew && accessible)
        return printer_label(&plain.printer, "thinking> ", err);
    return STATUS_OK;
}

/* "[thought 1,284 tokens, 92 s, hidden; /think show prints it]" */
static void
note_hidden_thinking(struct chat *chat)
{
    char tokens[COUNT_TEXT];

    if (plain.thinking_noted || plain.thinking_shown ||
        plain.thinking_tokens == 0)
        return;
    plain.thinking_noted = true;
    chat_say(chat, "thought %s tokens, %.0f s, hidden; /think show prints it",
             text_count(tokens, plain.thinking_tokens),
             (double) (clock_ns() - plain.begun_ns) / 1e9);
}

static enum status
print_thinking(struct chat *chat, const struct token_event *token,
               struct error *err)
{
    char tokens[COUNT_TEXT];

    plain.thinking_tokens += token->tokens;
    if (!chat->show_thinking) {
        snprintf(plain.activity, sizeof plain.activity,
                 "[still thinking, %s tokens; ^\\ answers now]",
                 text_count(tokens, plain.thinking_tokens));
        show_activity();
        return STATUS_OK;
    }
    if (token->text.length == 0)
        return STATUS_OK;
    if (!plain.text_open)
        TRY(open_text(chat, true, !plain.thinking_shown, err));
    plain.thinking_shown = true;
    return printer_write(&plain.printer, token->text.bytes, token->text.length,
                         err);
}

/* Text of an answer for somebody who listens; NULL: it has ended. */
static enum status
print_spoken(const struct text *text, struct error *err)
{
    struct buffer out = {0};
    enum status status =
        text ? spoken_table_write(&plain.table, &out, text->bytes, text->length,
                                  err)
             : spoken_table_end(&plain.table, &out, err);

    if (status == STATUS_OK)
        status = printer_write(&plain.printer, out.data, out.length, err);
    buffer_release(&out);
    return status;
}

static enum status
print_answer(struct chat *chat, const struct token_event *token,
             struct error *err)
{
    if (token->text.length == 0)
        return STATUS_OK;
    if (!plain.answering) {
        close_text(chat);
        note_hidden_thinking(chat);
    }
    if (!plain.text_open)
        TRY(open_text(chat, false, !plain.answering, err));
    plain.answering = true;
    if (chat->terminal.accessible)
        return print_spoken(&token->text, err);
    return printer_write(&plain.printer, token->text.bytes, token->text.length,
                         err);
}

static void
end_text(struct chat *chat)
{
    struct error err;

    enum status status = STATUS_OK;

    progress_clear();
    if (plain.answering && !plain.text_open)
        status = open_text(chat, false, false, &err);
    if (status == STATUS_OK && plain.answering && chat->terminal.accessible)
        status = print_spoken(NULL, &err);
    check_terminal(chat, status);
    close_text(chat);
    note_hidden_thinking(chat);
}

/* "[1,284 thinking + 611 answer tokens, 13.8 tok/s, context 4%]" */
static void
print_figures(struct chat *chat, const struct generate_done *done)
{
    char thinking[COUNT_TEXT], answer[COUNT_TEXT], tokens[100];
    uint64_t used =
        done->usage.prompt + done->usage.thinking + done->usage.answer;
    double share = done->usage.context > 0
                       ? 100.0 * (double) used / (double) done->usage.context
                       : 0;

    text_count(thinking, done->usage.thinking);
    text_count(answer, done->usage.answer);
    if (done->usage.thinking > 0)
        snprintf(tokens, sizeof tokens, "%s thinking + %s answer tokens",
                 thinking, answer);
    else
        snprintf(tokens, sizeof tokens, "%s tokens", answer);
    chat_say(chat, "%s, %.*f tok/s, context %s%.0f%%", tokens,
             done->timing.decode_tps < 100 ? 1 : 0, done->timing.decode_tps,
             share < 1 ? "<" : "", share < 1 ? 1.0 : share);
}

static enum status
plain_answer_text(struct chat *chat, const struct token_event *token,
                  struct error *err)
{
    return token->channel == CHANNEL_THINK ? print_thinking(chat, token, err)
                                           : print_answer(chat, token, err);
}

static void
plain_activity(struct chat *chat, const struct progress_event *progress)
{
    char text[190];

    (void) chat;
    progress_sentence(text, sizeof text, progress, clock_ns() - plain.begun_ns);
    snprintf(plain.activity, sizeof plain.activity, "[%s]", text);
    show_activity();
}

static void
plain_end_answer(struct chat *chat, const struct generate_done *done)
{
    (void) done;
    end_text(chat);
    if (plain.answering && chat->answering != TURN_NONE)
        chat_say_codes(chat, chat->answering);
    plain.coming = false;
}

/* As before an answer that has not begun. */
static void
plain_reading(struct chat *chat, bool reads)
{
    uint64_t now = clock_ns();

    (void) chat;
    plain.coming = reads;
    plain.answering = plain.thinking_shown = false;
    if (!reads) {
        progress_clear();
        return;
    }
    progress_begin(now, PROGRESS_SENTENCES);
    plain.begun_ns = plain.tick_ns = now;
    snprintf(plain.activity, sizeof plain.activity, "[waiting for the engine]");
}

static void
plain_residency(struct chat *chat, const struct event *event)
{
    (void) chat;
    (void) event;
}

/* -- the conversation -------------------------------------------------------
 */

static void
print_turn(struct chat *chat, const struct turn *turn)
{
    bool question = turn->role == TURN_QUESTION;
    struct text content = conversation_text(&turn->content);
    struct buffer text = {0};
    struct error err;

    // without memory less is shown
    (void) !buffer_print(&text, &err, "%s", question ? "you> " : "fathom> ");
    if (question)
        (void) !attachment_lay_out(&text, content, &err);
    else
        (void) !buffer_append(&text, content.bytes, content.length, &err);
    plain_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
    if (turn->arrived_locked)
        chat_say(chat, "arrived while the vault was locked");
    if (!question && !turn->complete)
        chat_say(chat, "incomplete; /continue goes on, /retry asks again");
}

static void
plain_show(struct chat *chat, bool resumed)
{
    const struct conversation *c = &chat->conversation;
    size_t question = conversation_question(c);

    if (resumed)
        chat_say(chat, "\"%s\", %zu %s; it ends with:",
                 c->title.length > 0 ? c->title.data : "without title",
                 conversation_depth(c),
                 conversation_depth(c) == 1 ? "turn" : "turns");
    if (question == TURN_NONE)
        return;
    print_turn(chat, &c->turns[question]);
    if (conversation_answered(c) != TURN_NONE)
        print_turn(chat, &c->turns[c->leaf]);
}

static void
plain_moved(struct chat *chat)
{
    (void) chat;
}

/* Only who waits for the model sees how far it is; see plain_activity. */
static void
plain_loading(struct chat *chat, const struct progress_event *progress)
{
    (void) chat;
    (void) progress;
}

static bool
plain_view(struct chat *chat, const char *command, const char *arguments)
{
    (void) chat;
    (void) command;
    (void) arguments;
    return false;
}

/* -- time -------------------------------------------------------------------
 */

static uint64_t
plain_deadline(struct chat *chat)
{
    (void) chat;
    return plain.coming ? plain.tick_ns + HALF_SECOND_NS : UINT64_MAX;
}

static void
plain_tick(struct chat *chat, uint64_t now_ns)
{
    (void) chat;
    plain.tick_ns = now_ns;
    if (plain.coming)
        show_activity();
}

static bool
plain_ready(struct chat *chat)
{
    (void) chat;
    return false;
}

static void
plain_resized(struct chat *chat)
{
    (void) chat;
    if (plain.coming)
        plain.printer.columns = terminal_columns(STDOUT_FILENO);
    else
        line_editor_resized();
}

/* The terminal is given back first, and taken again afterwards. */
static void
plain_suspend(struct chat *chat)
{
    bool visible = line_editor_visible(), muted = terminal_is_muted();

    (void) chat;
    line_editor_hide();
    terminal_unmute();
    raise(SIGSTOP);
    if (muted)
        terminal_mute(STDIN_FILENO);
    if (visible)
        line_editor_resume();
}

const struct face plain_face = {
    .name = "plain",
    .open = plain_open,
    .close = plain_close,
    .uncover = plain_uncover,
    .wipe = plain_wipe,
    .say = plain_say,
    .print = plain_print,
    .show_secret = plain_show_secret,
    .ask = plain_ask,
    .keys = plain_keys,
    .interrupt = plain_interrupt,
    .ask_secret = plain_ask_secret,
    .secret_typed = plain_secret_typed,
    .end_secret = plain_end_secret,
    .unlocked = plain_unlocked,
    .show = plain_show,
    .moved = plain_moved,
    .begin_answer = plain_begin_answer,
    .answer_text = plain_answer_text,
    .activity = plain_activity,
    .end_answer = plain_end_answer,
    .figures = print_figures,
    .reading = plain_reading,
    .residency = plain_residency,
    .loading = plain_loading,
    .view = plain_view,
    .deadline = plain_deadline,
    .tick = plain_tick,
    .ready = plain_ready,
    .resized = plain_resized,
    .suspend = plain_suspend,
};
