/* Thoughts: whether there are any, how long, and whether they are shown. */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/options.h"

#include <stdio.h>
#include <string.h>

static void
show_last_thought(struct chat *chat)
{
    const struct conversation *c = &chat->conversation;
    size_t answer = conversation_answered(c);
    const struct turn *turn = answer == TURN_NONE ? NULL : &c->turns[answer];
    struct print_style style = {.dim = true, .prefix = ": "};

    if (chat->terminal.accessible)
        style.prefix = NULL;
    chat_say(chat, "thoughts are shown from now on%s",
             turn && turn->thinking.length > 0 ? "; the last one was:" : "");
    if (turn && turn->thinking.length > 0)
        chat_print(chat, style, turn->thinking.data, turn->thinking.length);
}

/* "on", "off" or NULL; refused where the model leaves no choice. */
static void
set_thinking(struct chat *chat, const char *value)
{
    if (value && chat->opened && !chat->thinks) {
        chat_say(chat, "%s has no thoughts to turn %s", chat->model, value);
        return;
    }
    if (value && chat->opened && !chat->has_switch) {
        chat_say(chat,
                 "%s always thinks; /think hide hides it, /budget N bounds it",
                 chat->model);
        return;
    }
    chat->generation.think = value;
    chat_say(chat, "thinking is %s from the next answer on",
             value ? value : "as the model is used to");
}

void
chat_effort_next(struct chat *chat)
{
    const char *now = chat->generation.think;

    if (now == NULL)
        set_thinking(chat, "on");
    else
        set_thinking(chat, strcmp(now, "on") == 0 ? "off" : NULL);
}

/* The budget that counts for the next answer. */
static struct option_count
budget_now(const struct chat *chat)
{
    return chat->generation.think_budget.given
               ? chat->generation.think_budget
               : settings_now()->thinking_budget;
}

static void
say_budget(struct chat *chat)
{
    struct option_count budget = budget_now(chat);
    char tokens[COUNT_TEXT];

    if (budget.given && budget.value < (uint64_t) GENERATION_MAX_TOKENS)
        chat_say(chat, "a thought is closed after %s tokens",
                 text_count(tokens, budget.value));
    else
        chat_say(chat, "thoughts may be as long as they like");
}

void
chat_run_budget(struct chat *chat, const char *arguments)
{
    struct option_count *budget = &chat->generation.think_budget;
    uint64_t tokens;

    if (strcmp(arguments, "off") == 0) {
        // above a budget of the settings, too
        *budget = (struct option_count){settings_now()->thinking_budget.given,
                                        (uint64_t) GENERATION_MAX_TOKENS};
    } else if (strcmp(arguments, "default") == 0) {
        budget->given = false;
    } else if (option_read_count(arguments, &tokens) &&
               (double) tokens <= GENERATION_MAX_TOKENS) {
        *budget = (struct option_count){true, tokens};
    } else if (*arguments != '\0') {
        chat_say_usage(chat, "budget");
        return;
    }
    say_budget(chat);
}

static const char *const view_names[] = {
    [THOUGHT_AUTO] = "auto", [THOUGHT_FOLD] = "fold", [THOUGHT_SPLIT] = "split",
    [THOUGHT_SIDE] = "side", [THOUGHT_HIDE] = "hide",
};

static void
show_thinking_state(struct chat *chat)
{
    const struct generation *g = &chat->generation;
    struct option_count budget = budget_now(chat);
    char count[COUNT_TEXT], text[60] = "no budget";

    if (budget.given && budget.value < (uint64_t) GENERATION_MAX_TOKENS)
        snprintf(text, sizeof text, "a budget of %s tokens",
                 text_count(count, budget.value));
    chat_say(chat, "thinking is %s, %s, with %s; the screen's view is %s",
             g->think ? g->think : "as the model is used to",
             chat->show_thinking ? "shown" : "hidden", text,
             view_names[settings_thought_view()]);
}

/* The view that follows, "next", or one by name. */
static void
set_view(struct chat *chat, const char *name)
{
    enum thought_view now = settings_thought_view();
    struct error err;

    if (strcmp(name, "next") == 0)
        name = view_names[now == THOUGHT_HIDE ? THOUGHT_FOLD : now + 1];
    if (settings_change("thinking.view", name, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    chat->show_thinking = settings_thought_view() != THOUGHT_HIDE;
    chat_say(chat, "the view of thoughts is %s", name);
}

static void
show_thoughts(struct chat *chat)
{
    struct error err;

    // a screen that hid them puts them where it is used to
    if (settings_thought_view() == THOUGHT_HIDE)
        (void) !settings_change("thinking.view", "auto", &err);
    chat->show_thinking = true;
    show_last_thought(chat);
}

static void
hide_thoughts(struct chat *chat)
{
    struct error err;

    (void) !settings_change("thinking.view", "hide", &err);
    chat->show_thinking = false;
    chat_say(chat, "thoughts are hidden from now on, and kept");
}

void
chat_run_think(struct chat *chat, const char *arguments)
{
    const char *rest;

    chat_first_word(arguments, &rest);
    bool alone = *rest == '\0';

    if (*arguments == '\0')
        show_thinking_state(chat);
    else if (chat_is_word(arguments, "budget") && !alone)
        chat_run_budget(chat, rest);
    else if (chat_is_word(arguments, "view") && !alone)
        set_view(chat, rest);
    else if (alone && chat_is_word(arguments, "show"))
        show_thoughts(chat);
    else if (alone && chat_is_word(arguments, "hide"))
        hide_thoughts(chat);
    else if (alone && chat_is_word(arguments, "next"))
        chat_effort_next(chat);
    else if (alone && chat_is_word(arguments, "default"))
        set_thinking(chat, NULL);
    else if (alone && option_is_choice("on|off", arguments))
        set_thinking(chat, arguments[1] == 'n' ? "on" : "off");
    else
        chat_say_usage(chat, "think");
}

/* -- loops ------------------------------------------------------------------
 */

static void
say_loop(struct chat *chat, bool thinks)
{
    if (!thinks)
        chat_say(chat, "the answer repeats itself; ^C stops it");
    else if (settings_loop_break() == LOOP_BREAK_FORCE)
        chat_say(chat, "the thought repeats itself and is closed");
    else
        chat_say(chat,
                 "the thought repeats itself; %s answers now, it goes on "
                 "otherwise",
                 chat->face->live ? "^Xa" : "^\\");
}

bool
chat_take_loop(struct chat *chat, const struct loop_event *loop)
{
    bool thinks = loop->channel == CHANNEL_THINK;
    enum loop_break what = settings_loop_break();

    if (what == LOOP_BREAK_OFF)
        return false;
    if (chat->loop_told != chat->answering)
        say_loop(chat, thinks);
    chat->loop_told = chat->answering;
    return thinks && what == LOOP_BREAK_FORCE;
}
