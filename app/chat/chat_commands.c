/* The commands of a chat: one table, from which /help and Tab live too. */
#include "config.h"

#include "app/chat/chat_verb.h"

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
    {"system", "[TEXT|@FILE|none]", "show or set the system text",
     chat_run_system, "@|none"},
    {"think", "on|off|default|show|hide|budget N", "thinking, and its view",
     chat_run_think, "on|off|default|show|hide|budget"},
    {"temp", "[X|default]", "show or set the temperature", chat_run_temp,
     "default"},
    {"seed", "[N|random]", "show or set the seed", chat_run_seed, "random"},
    {"retry", "", "answer the last question again", chat_run_retry, NULL},
    {"edit", "[TURN]", "write a question anew, as a branch", chat_run_edit,
     NULL},
    {"undo", "", "go back before the last question", chat_run_undo, NULL},
    {"redo", "", "take the last /undo back", chat_run_redo, NULL},
    {"branch", "[TURN]", "go on after that turn", chat_run_branch, NULL},
    {"tree", "", "all turns and branches, with their numbers", chat_run_tree,
     NULL},
    {"title", "[TEXT]", "show or set the chat's title", chat_run_title, NULL},
    {"stats", "", "figures of the last answer", chat_run_stats, NULL},
    {"model", "[MODEL]", "show or change the model", chat_run_model, NULL},
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
            if (!chat->face->view(chat, chat_verbs[i].name, arguments))
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
