/* The commands of a chat: one table, from which /help and Tab live too. */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/options.h"
#include "app/progress_text.h"
#include "app/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMNS = 25 }; // of a command, in /help

/* -- arguments --------------------------------------------------------------
 */

/* Splits off the first word; *rest is what follows it and the blanks. */
size_t
chat_first_word(const char *text, const char **rest)
{
    size_t length = strcspn(text, " \t\n");

    *rest = text + length + strspn(text + length, " \t\n");
    return length;
}

bool
chat_is_word(const char *text, const char *word)
{
    const char *rest;

    return chat_first_word(text, &rest) == strlen(word) &&
           strncmp(text, word, strlen(word)) == 0;
}

/* Expands a leading "~/"; false when it is too long. */
bool
chat_expand_path(char out[PLACE_BYTES], const char *path)
{
    const char *home = getenv("HOME");
    bool tilde = strncmp(path, "~/", 2) == 0 && home && *home;
    int n = snprintf(out, PLACE_BYTES, "%s%s", tilde ? home : "",
                     tilde ? path + 1 : path);

    return n > 0 && n < PLACE_BYTES;
}

void
chat_say_usage(struct chat *chat, const char *name)
{
    for (size_t i = 0; chat_verbs[i].name != NULL; i++)
        if (strcmp(chat_verbs[i].name, name) == 0)
            chat_say(chat, "usage: /%s %s", name, chat_verbs[i].arguments);
}

/* -- the commands ------------------------------------------------------------
 */

static void
help_one(struct buffer *out, const struct chat_verb *verb)
{
    struct error err;
    char term[60];

    snprintf(term, sizeof term, "/%s%s%s", verb->name,
             *verb->arguments ? " " : "", verb->arguments);
    // without memory the help is shorter
    if (strlen(term) > HELP_COLUMNS)
        (void) !buffer_print(out, &err, "%s\n%*s %s\n", term, HELP_COLUMNS, "",
                             verb->help);
    else
        (void) !buffer_print(out, &err, "%-*s %s\n", HELP_COLUMNS, term,
                             verb->help);
}

static void
run_help(struct chat *chat, const char *arguments)
{
    static const char keys[] =
        "Enter sends. ^J, Alt-Enter or a backslash before Enter begin a new "
        "line.\n"
        "^C stops the answer and keeps what came; ^D on an empty line quits.\n"
        "//text sends a text that begins with a slash.\n";
    struct buffer text = {0};
    struct error err;
    const char *word = arguments + (*arguments == '/');
    bool found = false;

    for (size_t i = 0; chat_verbs[i].name != NULL; i++)
        if (*word == '\0' || chat_is_word(word, chat_verbs[i].name)) {
            help_one(&text, &chat_verbs[i]);
            found = true;
        }
    if (!found)
        chat_say(chat, "there is no such command; /help lists them");
    else if (*word != '\0' ||
             buffer_append(&text, keys, strlen(keys), &err) == STATUS_OK)
        chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

static void
show_system(struct chat *chat)
{
    const struct buffer *system = &chat->conversation.system;

    if (system->length == 0)
        chat_say(chat, "there is no system text; /system TEXT or /system "
                       "@FILE sets one");
    else
        chat_print(chat, (struct print_style){0}, system->data, system->length);
}

static enum status
read_system_file(struct chat *chat, const char *path, struct error *err)
{
    char expanded[PLACE_BYTES];
    struct buffer text = {0};
    int code;

    if (!chat_expand_path(expanded, path))
        return error_set(err, STATUS_LIMIT, "the file's name is too long");
    enum status status = question_read_file(&text, expanded, &code, err);

    if (status == STATUS_OK)
        status = conversation_set_system(&chat->conversation, text.data,
                                         text.length, err);
    buffer_release(&text);
    return status;
}

static void
run_system(struct chat *chat, const char *arguments)
{
    struct error err;
    enum status status;

    if (*arguments == '\0') {
        show_system(chat);
        return;
    }
    if (strcmp(arguments, "none") == 0)
        status = conversation_set_system(&chat->conversation, "", 0, &err);
    else if (arguments[0] == '@')
        status = read_system_file(chat, arguments + 1, &err);
    else
        status = conversation_set_system(&chat->conversation, arguments,
                                         strlen(arguments), &err);
    if (status == STATUS_OK)
        chat_moved(chat);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_say(chat, "%s, from the next answer on",
                 chat->conversation.system.length > 0 ? "system text set"
                                                      : "no system text");
}

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

static void
run_think(struct chat *chat, const char *arguments)
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

static void
run_temp(struct chat *chat, const char *arguments)
{
    struct option_real *temperature = &chat->generation.temperature;
    double value;

    if (chat_is_word(arguments, "default")) {
        temperature->given = false;
    } else if (*arguments != '\0') {
        if (!option_read_real(arguments, &value) || value < 0 ||
            value > GENERATION_MAX_TEMPERATURE) {
            chat_say_usage(chat, "temp");
            return;
        }
        *temperature = (struct option_real){true, value};
    }
    if (temperature->given)
        chat_say(chat, "temperature %g", temperature->value);
    else if (chat->opened)
        chat_say(chat, "temperature %g, as the model recommends",
                 chat->recommended.temperature);
    else
        chat_say(chat, "temperature as the model recommends");
}

static void
run_seed(struct chat *chat, const char *arguments)
{
    struct option_count *seed = &chat->generation.seed;
    uint64_t value;

    if (chat_is_word(arguments, "random")) {
        seed->given = false;
    } else if (*arguments != '\0') {
        if (!option_read_count(arguments, &value) ||
            (double) value > GENERATION_MAX_SEED) {
            chat_say_usage(chat, "seed");
            return;
        }
        *seed = (struct option_count){true, value};
    }
    if (seed->given)
        chat_say(chat, "seed %llu: the same question gets the same answer",
                 (unsigned long long) seed->value);
    else if (chat->last.known)
        chat_say(chat, "a new seed for each answer; the last was %lld",
                 (long long) chat->last.done.sampling.seed);
    else
        chat_say(chat, "a new seed for each answer");
}

static void
print_sampling(struct buffer *out, const struct sampling *s)
{
    struct error err;

    (void) !buffer_print(out, &err,
                         "sampling     temperature %g, top-p %g, top-k %lld, "
                         "min-p %g\n             repeat penalty %g, seed "
                         "%lld\n",
                         s->temperature, s->top_p, (long long) s->top_k,
                         s->min_p, s->repeat_penalty, (long long) s->seed);
}

static void
print_figures(struct buffer *out, const struct generate_done *done)
{
    char prompt[COUNT_TEXT], cached[COUNT_TEXT], thinking[COUNT_TEXT],
        answer[COUNT_TEXT], used[COUNT_TEXT], context[COUNT_TEXT];
    const struct generate_timing *t = &done->timing;
    struct error err;

    (void) !buffer_print(
        out, &err,
        "last answer  %s prompt tokens (%s kept from before), %s thinking, %s "
        "answer\n"
        "time         first token after %.2f s, all %.2f s\n"
        "speed        prompt %.0f tok/s, answer %.1f tok/s\n"
        "context      %s of %s tokens\n",
        progress_count(prompt, done->usage.prompt),
        progress_count(cached, done->usage.cached),
        progress_count(thinking, done->usage.thinking),
        progress_count(answer, done->usage.answer), t->ttft_ms / 1e3,
        t->total_ms / 1e3, t->prompt_tps, t->decode_tps,
        progress_count(used, done->usage.prompt + done->usage.thinking +
                                 done->usage.answer),
        progress_count(context, done->usage.context));
    print_sampling(out, &done->sampling);
}

static void
run_stats(struct chat *chat, const char *arguments)
{
    struct buffer text = {0};
    struct error err;

    if (*arguments != '\0') {
        chat_say_usage(chat, "stats");
        return;
    }
    (void) !buffer_print(&text, &err, "model        %s%s\nturns        %zu\n",
                         chat->opened ? chat->model : "still loading",
                         chat->client && client_is_warm(chat->client)
                             ? ", in a warm engine"
                             : "",
                         conversation_depth(&chat->conversation));
    if (chat->last.known)
        print_figures(&text, &chat->last.done);
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

static void
show_model(struct chat *chat)
{
    char shown[400];

    text_quote(shown, sizeof shown, chat->path, strlen(chat->path));
    if (chat->opened)
        chat_say(chat, "%s, prompts of %s, in %s", chat->model, chat->family,
                 shown);
    else
        chat_say(chat, "still loading %s", shown);
}

/* Opens another model; the one before comes back if that fails. */
static void
switch_model(struct chat *chat, const char *path)
{
    char before[PLACE_BYTES];
    struct error err, again;

    memcpy(before, chat->path, sizeof before);
    snprintf(chat->path, sizeof chat->path, "%s", path);
    chat->opened = false;
    enum status status = chat_start_engine(chat, &err);

    if (status == STATUS_OK)
        status = chat_wait_opened(chat, &err);
    if (status == STATUS_OK && chat->opened) {
        chat->last.known = false;
        show_model(chat);
        return;
    }
    memcpy(chat->path, before, sizeof before);
    chat->opened = true;
    if (chat->quit)
        return;
    chat_say(chat, "%s; back to the model before", err.text);
    if (chat_start_engine(chat, &again) != STATUS_OK)
        chat_say(chat, "%s", again.text);
}

static void
run_model(struct chat *chat, const char *arguments)
{
    char path[PLACE_BYTES], expanded[PLACE_BYTES];
    struct error err;

    if (*arguments == '\0')
        show_model(chat);
    else if (!chat_expand_path(expanded, arguments))
        chat_say(chat, "the model's name is too long");
    else if (places_model(path, expanded, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        switch_model(chat, path);
}

static void
run_quit(struct chat *chat, const char *arguments)
{
    if (*arguments != '\0')
        chat_say_usage(chat, "quit");
    else
        chat->quit = true;
}

const struct chat_verb chat_verbs[] = {
    {"help", "[COMMAND]", "this list, or one line of it", run_help, NULL},
    {"new", "", "begin another chat; this one stays as it is kept",
     chat_run_new, NULL},
    {"system", "[TEXT|@FILE|none]", "show or set the system text", run_system,
     "@|none"},
    {"think", "on|off|default|show|hide|budget N", "thinking, and its view",
     run_think, "on|off|default|show|hide|budget"},
    {"temp", "[X|default]", "show or set the temperature", run_temp, "default"},
    {"seed", "[N|random]", "show or set the seed", run_seed, "random"},
    {"retry", "", "answer the last question again", chat_run_retry, NULL},
    {"edit", "[TURN]", "write a question anew, as a branch", chat_run_edit,
     NULL},
    {"undo", "", "go back before the last question", chat_run_undo, NULL},
    {"redo", "", "take the last /undo back", chat_run_redo, NULL},
    {"branch", "[TURN]", "go on after that turn", chat_run_branch, NULL},
    {"tree", "", "all turns and branches, with their numbers", chat_run_tree,
     NULL},
    {"title", "[TEXT]", "show or set the chat's title", chat_run_title, NULL},
    {"stats", "", "figures of the last answer", run_stats, NULL},
    {"model", "[MODEL]", "show or change the model", run_model, NULL},
    {"history", "[N]", "the chats that are kept, newest first",
     chat_run_history, NULL},
    {"search", "TEXT", "look for TEXT in all of them", chat_run_search, NULL},
    {"resume", "[ID]", "go on with another chat, or the newest",
     chat_run_resume, NULL},
    {"export", "md|json|html FILE [--with-thinking]",
     "write the chat to a file, in clear text", chat_run_export,
     "md|json|html"},
    {"forget", "", "delete this chat, here and in the vault", chat_run_forget,
     NULL},
    {"ephemeral", "", "write nothing of this chat from here on",
     chat_run_ephemeral, NULL},
    {"lock", "", "lock the vault and wipe the screen", chat_run_lock, NULL},
    {"quit", "", "leave", run_quit, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

void
chat_command(struct chat *chat, const char *line)
{
    const char *rest;
    size_t length = chat_first_word(line + 1, &rest);
    char arguments[4096], shown[100];

    for (size_t i = 0; chat_verbs[i].name != NULL; i++) {
        if (!chat_is_word(line + 1, chat_verbs[i].name))
            continue;
        size_t end = strlen(rest);

        while (end > 0 && strchr(" \t\n", rest[end - 1]) != NULL)
            end--;
        if (end >= sizeof arguments)
            chat_say(chat, "that is too long; /system @FILE reads a file");
        else {
            snprintf(arguments, sizeof arguments, "%.*s", (int) end, rest);
            chat_verbs[i].run(chat, arguments);
        }
        return;
    }
    text_quote(shown, sizeof shown, line, length + 1);
    chat_say(chat,
             "there is no %s; /help lists the commands, and //%s sends "
             "it as text",
             shown, shown + 1);
}

/* -- completion --------------------------------------------------------------
 */

static void
add_choices(struct line_candidates *out, const char *choices)
{
    char word[40];

    for (const char *at = choices; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, "|");

        snprintf(word, sizeof word, "%.*s", (int) length, at);
        line_candidates_add(out, word);
        at += length + (at[length] == '|');
    }
}

static void
add_model(void *context, const char *name)
{
    line_candidates_add(context, name);
}

static void
complete_argument(const struct chat *chat, const struct chat_verb *verb,
                  const char *line, size_t start, struct line_candidates *out)
{
    const char *rest;
    size_t argument = 1 + strlen(verb->name);

    argument += strspn(line + argument, " ");
    chat_first_word(line + argument, &rest);
    bool first = start <= argument;

    if (strcmp(verb->name, "model") == 0) {
        places_each_model(add_model, out);
        // a path is completed as one
        out->files =
            line[start] == '/' || line[start] == '.' || line[start] == '~';
    } else if (strcmp(verb->name, "resume") == 0 && first) {
        chat_complete_ids(chat, out);
    } else if (strcmp(verb->name, "help") == 0) {
        for (size_t i = 0; chat_verbs[i].name != NULL; i++)
            line_candidates_add(out, chat_verbs[i].name);
    } else if (strcmp(verb->name, "export") == 0 && !first) {
        out->files = line[start] != '-';
        line_candidates_add(out, "--with-thinking");
    } else if (first && verb->choices) {
        add_choices(out, verb->choices);
    }
}

void
chat_complete(void *context, const char *line, size_t start,
              struct line_candidates *out)
{
    char name[40];

    if (line[0] != '/')
        return;
    for (size_t i = 0; chat_verbs[i].name != NULL; i++) {
        snprintf(name, sizeof name, "/%s", chat_verbs[i].name);
        if (start == 0)
            line_candidates_add(out, name);
        else if (chat_is_word(line + 1, chat_verbs[i].name))
            complete_argument(context, &chat_verbs[i], line, start, out);
    }
}
