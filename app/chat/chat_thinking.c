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
                 "%s always thinks; /think hide hides it, /think budget "
                 "N bounds it",
                 chat->model);
        return;
    }
    chat->generation.think = value;
    chat_say(chat, "thinking is %s from the next answer on",
             value ? value : "as the model is used to");
}

static void
set_budget(struct chat *chat, const char *value)
{
    uint64_t tokens;

    if (chat_is_word(value, "off")) {
        chat->generation.think_budget.given = false;
        chat_say(chat, "thoughts may be as long as they like");
    } else if (option_read_count(value, &tokens) &&
               (double) tokens <= GENERATION_MAX_TOKENS) {
        chat->generation.think_budget = (struct option_count){true, tokens};
        chat_say(chat, "a thought is closed after %llu tokens",
                 (unsigned long long) tokens);
    } else {
        chat_say_usage(chat, "think");
    }
}

static void
show_thinking_state(struct chat *chat)
{
    const struct generation *g = &chat->generation;
    char budget[60] = "no budget";

    if (g->think_budget.given)
        snprintf(budget, sizeof budget, "a budget of %llu tokens",
                 (unsigned long long) g->think_budget.value);
    chat_say(chat, "thinking is %s, %s, with %s",
             g->think ? g->think : "as the model is used to",
             chat->show_thinking ? "shown" : "hidden", budget);
}

void
chat_run_think(struct chat *chat, const char *arguments)
{
    const char *rest;

    chat_first_word(arguments, &rest);
    bool alone = *rest == '\0';

    if (*arguments == '\0') {
        show_thinking_state(chat);
    } else if (chat_is_word(arguments, "budget")) {
        set_budget(chat, rest);
    } else if (alone && chat_is_word(arguments, "show")) {
        chat->show_thinking = true;
        show_last_thought(chat);
    } else if (alone && chat_is_word(arguments, "hide")) {
        chat->show_thinking = false;
        chat_say(chat, "thoughts are hidden from now on, and kept");
    } else if (alone && chat_is_word(arguments, "on")) {
        set_thinking(chat, "on");
    } else if (alone && chat_is_word(arguments, "off")) {
        set_thinking(chat, "off");
    } else if (alone && chat_is_word(arguments, "default")) {
        set_thinking(chat, NULL);
    } else {
        chat_say_usage(chat, "think");
    }
}
