/*
 * Keys: the line editor tells what they do, and here is decided for whom. The
 * input box has one line at a time: the next message, which waits half typed
 * while a question of the chat or a search has the box.
 */
#include "config.h"

#include "app/screen/chat_screen.h"
#include "app/chat/chat_editor.h"
#include "app/chat/chat_verb.h"
#include "app/exit_code.h"
#include "app/screen/offer_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const char own_prompt[] = "> ", filter_prompt[] = "/ ";

/* -- the box ---------------------------------------------------------------
 */

void
screen_notice(const char *text)
{
    text_quote(chat_screen.notice, sizeof chat_screen.notice, text,
               strlen(text));
    screen_touch();
}

/* The keys that are live follow from what is in use. */
static void
choose_map(void)
{
    enum action_map map = MAP_INPUT;

    if (chat_screen.box == BOX_LINE && chat_screen.cover.ops != NULL)
        map = chat_screen.cover.ops->map;
    else if (chat_screen.box == BOX_LINE &&
             view_chat_focus(chat_screen.view) != CHAT_FOCUS_INPUT)
        map = MAP_TRANSCRIPT;
    if (map != line_editor_map())
        line_editor_use(map);
    screen_touch();
}

/* The next message has the box again, as far as it was typed. */
static void
show_own_line(void)
{
    chat_screen.box = BOX_LINE;
    if (!line_editor_visible())
        line_editor_resume();
    if (!line_editor_visible())
        line_editor_show(own_prompt);
    choose_map();
}

static void
show_other_line(enum screen_box box, const char *prompt, const char *text)
{
    line_editor_hide();
    line_editor_show(prompt);
    if (*text != '\0')
        line_editor_fill(text);
    chat_screen.box = box;
    choose_map();
}

/* What a view asks for is of no use elsewhere, and no message. */
void
screen_give_up_filter(void)
{
    if (chat_screen.box != BOX_FILTER && chat_screen.box != BOX_END)
        return;
    line_editor_give_up();
    show_own_line();
}

/* The first start has one place; without it the box asks below the chat. */
static void
cover_with_first(struct chat *chat, const char *prompt)
{
    struct error err;

    chat_screen.first_step[0] = '\0';
    snprintf(chat_screen.secret_prompt, sizeof chat_screen.secret_prompt, "%s",
             prompt);
    if (chat_screen.cover.ops == NULL &&
        chat_screen_first_open(chat, screen_view_calls.post, NULL,
                               &chat_screen.cover, &err) == STATUS_OK)
        chat_screen.close_cover = chat_screen_unlock_close;
}

void
screen_ask(struct chat *chat, const char *prompt, const char *text)
{
    if (prompt == NULL) {
        show_own_line();
        return;
    }
    if (chat->settling) {
        cover_with_first(chat, prompt);
    } else {
        if (!chat_screen.asks_in_cover)
            screen_close_cover();
        screen_give_up_filter();
        chat_screen.notice[0] = '\0';
    }
    chat_screen.asks_in_cover = false;
    show_other_line(BOX_ASK, prompt, text);
}

bool
screen_interrupt(struct chat *chat)
{
    enum screen_box box = chat_screen.box;
    bool typed = line_editor_interrupt();

    (void) chat;
    if (box == BOX_FILTER && chat_screen.cover.ops != NULL)
        chat_screen.cover.ops->filter(chat_screen.cover.state, "");
    show_own_line();
    // a search or a question that was given up is no empty line
    return typed || box != BOX_LINE;
}

/* -- views -----------------------------------------------------------------
 */

/* Whether a line is a command that does not disturb an answer. */
static bool
is_anytime(const char *line)
{
    const struct chat_verb *verb =
        line[0] == '/' && line[1] != '/' ? chat_verb_of(line) : NULL;

    return verb != NULL && verb->anytime;
}

/*
 * The beginning of a command, to be ended in the box. What was typed there is
 * not lost: the input history has it.
 */
static void
fill_line(const char *text)
{
    screen_close_cover();
    view_chat_set_focus(chat_screen.view, CHAT_FOCUS_INPUT);
    choose_map();
    char *typed = line_editor_typed();

    if (typed != NULL && typed[strspn(typed, " \t\n")] != '\0') {
        (void) chat_remember(chat_screen.chat, typed);
        screen_notice("^P brings back what was being typed");
    }
    if (typed != NULL)
        explicit_bzero(typed, strlen(typed));
    free(typed);
    line_editor_replace(text);
    screen_touch();
}

static void
post(void *context, const char *line)
{
    struct chat *chat = chat_screen.chat;
    size_t length = line ? strlen(line) : 0;

    (void) context;
    if (line == NULL) {
        screen_close_cover();
    } else if (length > 0 && line[length - 1] == ' ') {
        fill_line(line);
    } else if (is_anytime(line)) {
        chat_command(chat, line);
    } else if (chat_queue(chat, line, false) && chat->answering != TURN_NONE) {
        screen_notice("that is done after this answer; ^C stops it");
    }
    screen_touch();
}

void
chat_screen_ask_end(void *context, const char *prompt, const char *text,
                    const char *command)
{
    (void) context;
    snprintf(chat_screen.begun, sizeof chat_screen.begun, "%s", command);
    show_other_line(BOX_END, prompt, text);
}

/* The command is whole, unless there is nothing to end it with. */
static void
take_end(const char *typed)
{
    struct buffer line = {0};
    size_t length = strlen(typed);
    struct error err;

    while (length > 0 && strchr(" \t\n", typed[length - 1]) != NULL)
        length--;
    if (length == 0)
        return;
    if (buffer_print(&line, &err, "%s%.*s", chat_screen.begun, (int) length,
                     typed) != STATUS_OK) {
        screen_notice(err.text);
    } else {
        chat_screen.asks_in_cover = true;
        post(NULL, line.data);
    }
    buffer_release(&line);
}

void
screen_close_cover(void)
{
    struct view *cover = &chat_screen.cover;

    if (cover->ops == NULL)
        return;
    screen_give_up_filter();
    chat_screen.close_cover(cover);
    *cover = (struct view){0};
    chat_screen.asks_in_cover = false;
    chat_screen.work = false;
    if (chat_screen.box == BOX_LINE)
        show_own_line();
    screen_touch();
}

static const struct {
    const char *name;
    enum action action;
    chat_view_open_fn *open;
    chat_view_close_fn *close;
} covers[] = {
    {"help", ACTION_HELP, chat_screen_help_open, chat_screen_help_close},
    {"history", ACTION_HISTORY, chat_screen_history_open,
     chat_screen_history_close},
    {"search", ACTION_NONE, chat_screen_history_open,
     chat_screen_history_close},
    {"model", ACTION_MODEL, chat_screen_models_open, chat_screen_models_close},
    {"experts", ACTION_EXPERTS, chat_screen_experts_open,
     chat_screen_experts_close},
    {"stats", ACTION_STATS, chat_screen_stats_open, chat_screen_stats_close},
    {"loading", ACTION_NONE, chat_screen_loading_open,
     chat_screen_loading_close},
    {NULL, ACTION_NONE, NULL, NULL},
};

static void
open_cover(size_t number)
{
    struct view view;
    struct error err;

    screen_close_cover();
    screen_give_up_filter();
    if (covers[number].open(chat_screen.chat, post, NULL, &view, &err) !=
        STATUS_OK) {
        screen_notice(err.text);
        return;
    }
    chat_screen.cover = view;
    chat_screen.close_cover = covers[number].close;
    chat_screen.work = view.ops->work != NULL;
    choose_map();
}

bool
screen_open_view(struct chat *chat, const char *name, const char *arguments)
{
    (void) chat;
    for (size_t i = 0; covers[i].name != NULL; i++) {
        if (strcmp(covers[i].name, name) != 0)
            continue;
        // with arguments these are commands of their own
        if (*arguments != '\0' && strcmp(name, "help") != 0 &&
            strcmp(name, "search") != 0)
            return false;
        open_cover(i);
        if (*arguments != '\0' && chat_screen.cover.ops != NULL &&
            chat_screen.cover.ops->filter != NULL)
            chat_screen.cover.ops->filter(chat_screen.cover.state, arguments);
        return true;
    }
    return false;
}

void
screen_close_view(const char *name)
{
    if (chat_screen.cover.ops != NULL &&
        strcmp(chat_screen.cover.ops->name, name) == 0)
        screen_close_cover();
}

/* The key of a view opens it, and closes it again. */
static bool
toggle_cover(enum action action)
{
    for (size_t i = 0; covers[i].name != NULL; i++) {
        if (covers[i].action != action || action == ACTION_NONE)
            continue;
        if (chat_screen.cover.ops != NULL &&
            chat_screen.close_cover == covers[i].close)
            screen_close_cover();
        else
            open_cover(i);
        return true;
    }
    return false;
}

/* -- actions ---------------------------------------------------------------
 */

static void
answer_now(struct chat *chat)
{
    if (!chat_answer_now(chat))
        screen_notice("there is no thought to end now");
}

/* The last message that waits is in the line again. */
static void
recall(struct chat *chat)
{
    struct queued_line line;

    if (!chat_unqueue_last(chat, &line))
        return;
    if (line.text.data != NULL)
        line_editor_fill(line.text.data);
    buffer_release(&line.text);
}

/* What is done wherever the keys go to. */
static bool
act_anywhere(struct chat *chat, enum action action)
{
    switch ((int) action) {
    case ACTION_LOCK:
        post(NULL, "/lock");
        return true;
    case ACTION_LEAVE:
        post(NULL, "/quit");
        return true;
    case ACTION_PRESET:
        // in the list of models they are chosen from a list, too
        if (chat_screen.cover.ops == NULL ||
            !chat_screen.cover.ops->act(chat_screen.cover.state, action, 1))
            fill_line("/preset ");
        return true;
    case ACTION_EDIT:
        chat_editor_line(chat);
        return true;
    case ACTION_RECALL:
        recall(chat);
        return true;
    case ACTION_UNQUEUE:
        chat_drop_queue(chat);
        return true;
    case ACTION_REDRAW:
        screen_redraw();
        return true;
    case ACTION_ANSWER_NOW:
        answer_now(chat);
        return true;
    case ACTION_EFFORT_NEXT:
        chat_effort_next(chat);
        return true;
    default:
        return toggle_cover(action);
    }
}

static void
act_on_chat(enum action action, int count)
{
    struct view chat = view_chat(chat_screen.view);

    if (action == ACTION_SEARCH)
        show_other_line(BOX_FILTER, filter_prompt, "");
    else
        (void) chat.ops->act(chat.state, action, count);
}

static void
act_on_cover(enum action action, int count)
{
    struct view *cover = &chat_screen.cover;

    if (cover->ops->act(cover->state, action, count))
        return;
    if (action == ACTION_SEARCH && cover->ops->filter != NULL)
        show_other_line(BOX_FILTER, filter_prompt, "");
    else if (action == ACTION_BACK || action == ACTION_FOCUS)
        screen_close_cover();
}

static void
act(void *context, enum action action, int count)
{
    struct chat *chat = chat_screen.chat;

    (void) context;
    if (chat_screen.box == BOX_ASK && action != ACTION_REDRAW &&
        action != ACTION_LOCK && action != ACTION_PAGE_DOWN &&
        action != ACTION_PAGE_UP)
        return; // the question comes first
    bool other = chat_screen.box == BOX_FILTER || chat_screen.box == BOX_END;

    if (action == ACTION_BACK && line_editor_map() == MAP_INPUT && !other)
        return; // there is nothing to go back from
    if (other && (action == ACTION_FOCUS || action == ACTION_BACK)) {
        screen_interrupt(chat);
    } else if (!act_anywhere(chat, action)) {
        if (chat_screen.cover.ops != NULL)
            act_on_cover(action, count);
        else
            act_on_chat(action, count);
    }
    chat_screen.work =
        chat_screen.cover.ops != NULL && chat_screen.cover.ops->work != NULL;
    choose_map();
}

static void
filter_with(const char *text)
{
    struct view view =
        chat_screen.cover.ops ? chat_screen.cover : view_chat(chat_screen.view);

    if (view.ops->filter == NULL)
        return;
    view.ops->filter(view.state, text);
    chat_screen.work = view.ops->work != NULL;
}

void
screen_complete(void *context, const char *line, size_t start,
                struct line_candidates *out)
{
    struct chat *chat = chat_screen.chat;
    struct buffer whole = {0};
    struct error err;

    (void) context;
    if (chat_screen.box == BOX_LINE)
        chat_complete(chat, line, start, out);
    if (chat_screen.box != BOX_END)
        return;
    // without memory there is no completion
    if (buffer_print(&whole, &err, "%s%s", chat_screen.begun, line) ==
        STATUS_OK)
        chat_complete(chat, whole.data, strlen(chat_screen.begun) + start, out);
    buffer_release(&whole);
}

/* What is searched for is looked for as it is typed. */
static void
changed(void *context)
{
    (void) context;
    screen_touch();
    if (chat_screen.box != BOX_FILTER)
        return;
    struct line_box box = line_editor_box();
    char *text = strndup(box.text, box.length);

    if (text != NULL) {
        filter_with(text);
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

/* The next page of the same words, else their first. */
static void
offer(void *context, char **words, size_t count)
{
    struct screen_offer *last = &chat_screen.offer;
    unsigned columns = screen_canvas()->columns;
    char first[OFFER_BYTES];

    (void) context;
    snprintf(first, sizeof first, "%s", count > 0 ? words[0] : "");
    if (count != last->count || strcmp(first, last->first) != 0 ||
        last->next >= count)
        last->next = 0;
    last->count = count;
    memcpy(last->first, first, sizeof first);
    last->next = offer_line(chat_screen.notice, sizeof chat_screen.notice,
                            (const char *const *) words, count, last->next,
                            columns > 2 ? columns - 2 : 0);
    last->now = true;
    screen_touch();
}

static void
attach(void *context, const char *bytes, size_t length)
{
    (void) context;
    chat_attach_text(chat_screen.chat, "pasted text", bytes, length);
}

static void
mouse(void *context, unsigned row, unsigned column, int wheel)
{
    if (wheel != 0)
        act(context, wheel < 0 ? ACTION_LINE_UP : ACTION_LINE_DOWN, 3);
    else if (chat_screen.cover.ops == NULL && chat_screen.box == BOX_LINE &&
             view_chat_click(chat_screen.view, row, column))
        choose_map();
}

const struct line_box_calls screen_box_calls = {.act = act,
                                                .changed = changed,
                                                .offer = offer,
                                                .attach = attach,
                                                .mouse = mouse};

static void
copy(void *context, const char *text, size_t length)
{
    char notice[100];
    struct error err;

    (void) context;
    if (screen_copy(text, length, &err) != STATUS_OK) {
        screen_notice(err.text);
        return;
    }
    snprintf(notice, sizeof notice, "copied, %zu bytes", length);
    screen_notice(notice);
}

static void
page(void *context, const char *text, size_t length)
{
    struct error err;

    (void) context;
    if (chat_editor_page(chat_screen.chat, text, length, &err) != STATUS_OK)
        screen_notice(err.text);
}

const struct chat_view_calls screen_view_calls = {
    .post = post, .copy = copy, .page = page};

/* -- lines -----------------------------------------------------------------
 */

/* The box is given back; what was typed stays with the editor. */
static enum line_result
take_result(enum line_result result)
{
    enum screen_box box = chat_screen.box;

    if (result == LINE_MORE)
        return LINE_MORE;
    if (box == BOX_FILTER && result == LINE_DONE)
        filter_with(line_editor_line());
    if (box == BOX_END && result == LINE_DONE)
        take_end(line_editor_line());
    show_own_line();
    return box == BOX_FILTER || box == BOX_END ? LINE_MORE : result;
}

enum line_result
screen_feed(struct chat *chat)
{
    enum line_result result = chat_screen.pending;

    (void) chat;
    chat_screen.notice[0] = '\0';
    view_chat_hush(chat_screen.view);
    chat_screen.pending = LINE_MORE;
    chat_screen.offer.now = false;
    result = take_result(result != LINE_MORE ? result : line_editor_feed());
    // what a typed line is answered is to be seen
    chat_screen.answers = result == LINE_DONE;
    // any other key than Tab begins anew
    if (!chat_screen.offer.now)
        chat_screen.offer.count = 0;

    screen_hurry();
    return result;
}

static bool
terminal_is_gone(void)
{
    struct termios ignored;

    return tcgetattr(STDIN_FILENO, &ignored) < 0;
}

static void
take_busy_line(struct chat *chat, const char *line)
{
    if (line[strspn(line, " \t\n")] == '\0')
        return;
    if (is_anytime(line)) {
        chat_remember(chat, line);
        chat_command(chat, line);
    } else {
        chat_screen.answers = false; // it is not its turn yet
        if (!chat_queue(chat, line, true)) {
            chat_remember(chat, line);
            screen_notice("^P brings it back");
        }
    }
}

void
screen_busy_keys(struct chat *chat)
{
    enum line_result result = screen_feed(chat);

    if (result == LINE_END && terminal_is_gone()) {
        chat->quit = true;
        chat->code = EXIT_CANT_WRITE;
    } else if (result == LINE_END) {
        // a signal may have said so meanwhile
        if (chat_confirm(chat, "Stop the answer, keep it, and leave?", false))
            chat->quit = true;
    } else if (result == LINE_DONE) {
        char *line = strdup(line_editor_line());

        if (line != NULL)
            take_busy_line(chat, line);
        if (line != NULL)
            explicit_bzero(line, strlen(line));
        free(line);
    }
}
