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
    static const char sends[] =
        "Enter sends. ^J, Alt-Enter or a backslash before Enter begin a new "
        "line.\n";
    static const char opens[] =
        "Enter begins a new line. ^J and Alt-Enter send.\n";
    static const char keys[] =
        "^C stops the answer and keeps what came; ^\\ ends a thought, and the "
        "answer comes.\n"
        "^D on an empty line quits. Tab completes names of commands, files, "
        "presets, models.\n"
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
             buffer_print(&text, &err, "%s%s",
                          settings_enter() == UI_ENTER_SENDS ? sends : opens,
                          keys) == STATUS_OK)
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

/* What changes turns or asks the engine waits for the end of an answer. */
#define ANYTIME(name, arguments, help, run, choices)                           \
    {                                                                          \
        name, arguments, help, run, choices, true                              \
    }
#define BETWEEN(name, arguments, help, run, choices)                           \
    {                                                                          \
        name, arguments, help, run, choices, false                             \
    }

const struct chat_verb chat_verbs[] = {
    ANYTIME("help", "[COMMAND]", "this list, or one line of it", run_help,
            NULL),
    BETWEEN("new", "[TITLE]",
            "begin another chat; this one stays as it is "
            "kept",
            chat_run_new, NULL),
    BETWEEN("system", "[TEXT|@FILE|none]", "show or set the system text",
            chat_run_system, "@|none"),
    ANYTIME("think", "on|off|default|next|show|hide|view VIEW|budget N",
            "thinking, and its view", chat_run_think,
            "on|off|default|next|show|hide|view|budget"),
    ANYTIME("budget", "[N|off|default]", "close thoughts after N tokens",
            chat_run_budget, "off|default"),
    BETWEEN("preset", "[NAME|next|none]", "ask as a preset says",
            chat_run_preset, NULL),
    ANYTIME("temp", "[X|default]", "show or set the temperature", chat_run_temp,
            "default"),
    ANYTIME("seed", "[N|random]", "show or set the seed", chat_run_seed,
            "random"),
    ANYTIME("set", "[--keep] [KEY [VALUE]]",
            "show or change a setting; --keep: for later chats, too",
            chat_run_set, NULL),
    BETWEEN("attach", "[FILE..|none]", "send files with the next message",
            chat_run_attach, NULL),
    BETWEEN("read", "FILE", "a file's text into the message, to be edited",
            chat_run_read, NULL),
    BETWEEN("paste", "", "lines up to one with a dot alone, as one message",
            chat_run_paste, NULL),
    ANYTIME("queue", "[drop]", "messages that wait for the end of an answer",
            chat_run_queue, "drop"),
    BETWEEN("retry", "[TURN]", "answer the last question again", chat_run_retry,
            NULL),
    BETWEEN("continue", "", "go on with an answer that was stopped",
            chat_run_continue, NULL),
    BETWEEN("edit", "[TURN]", "write a question anew, as a branch",
            chat_run_edit, NULL),
    BETWEEN("undo", "", "go back before the last question", chat_run_undo,
            NULL),
    BETWEEN("redo", "", "take the last /undo back", chat_run_redo, NULL),
    BETWEEN("delete", "[TURN]", "take a turn and what follows off the branch",
            chat_run_delete, NULL),
    BETWEEN("branch", "[TURN]", "go on after that turn", chat_run_branch, NULL),
    ANYTIME("tree", "", "all turns and branches, with their numbers",
            chat_run_tree, NULL),
    BETWEEN("title", "[TEXT]", "show or set the chat's title", chat_run_title,
            NULL),
    BETWEEN("tag", "[WORD|-WORD]...",
            "show, give or take away tags of the chat", chat_run_tag, NULL),
    ANYTIME("copy", "[[TURN.]N|turn|all|think]",
            "copy the last answer, or its code N", chat_run_copy,
            "turn|all|think"),
    BETWEEN("save", "[TURN.]N FILE", "write its code N to a new file",
            chat_run_save, NULL),
    ANYTIME("stats", "", "figures of the last answer", chat_run_stats, NULL),
    ANYTIME("experts", "", "which experts were used of late", chat_run_experts,
            NULL),
    ANYTIME("ctx", "", "how much of the context is taken", chat_run_ctx, NULL),
    BETWEEN("compact", "[N] [TEXT]", "summarise all turns but the newest N",
            chat_run_compact, NULL),
    BETWEEN("tokens", "TEXT", "what TEXT is to the model", chat_run_tokens,
            NULL),
    BETWEEN("model", "[MODEL]", "show or change the model", chat_run_model,
            NULL),
    BETWEEN("history",
            "[N|title ID TEXT|tag ID WORD..|pin|unpin|delete ID|"
            "export ID FILE]",
            "the chats that are kept, newest first", chat_run_history,
            "title|tag|pin|unpin|delete|export"),
    BETWEEN("search", "TEXT", "look for TEXT in all of them", chat_run_search,
            NULL),
    BETWEEN("resume", "[ID]", "go on with another chat, or the newest",
            chat_run_resume, NULL),
    BETWEEN("export", "md|json|html FILE [--with-thinking]",
            "write the chat to a file, in clear text", chat_run_export,
            "md|json|html"),
    BETWEEN("forget", "", "delete this chat, here and in the vault",
            chat_run_forget, NULL),
    BETWEEN("ephemeral", "", "write nothing of this chat from here on",
            chat_run_ephemeral, NULL),
    ANYTIME("audit", "", "what was recorded of the vault of late",
            chat_run_audit, NULL),
    ANYTIME("doctor", "", "what this machine would leak", chat_run_doctor,
            NULL),
    ANYTIME("log", "", "what fathom noted of its own doings", chat_run_log,
            NULL),
    ANYTIME("lock", "", "lock the vault and wipe the screen", chat_run_lock,
            NULL),
    ANYTIME("quit", "", "leave", run_quit, NULL),
    {NULL, NULL, NULL, NULL, NULL, false},
};

const struct chat_verb *
chat_verb_of(const char *line)
{
    for (size_t i = 0; chat_verbs[i].name != NULL; i++)
        if (chat_is_word(line + 1, chat_verbs[i].name))
            return &chat_verbs[i];
    return NULL;
}

/* How far two words are from each other: letters to add, drop or change. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[32], length = strlen(b), diagonal, above;

    if (length >= sizeof row / sizeof row[0])
        return SIZE_MAX;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        diagonal = row[0]++;
        for (size_t j = 0; j < length; j++) {
            size_t change = diagonal + (a[i] != b[j]);

            above = diagonal = row[j + 1];
            row[j + 1] = change < above + 1 ? change : above + 1;
            if (row[j] + 1 < row[j + 1])
                row[j + 1] = row[j] + 1;
        }
    }
    return row[length];
}

/* What may have been meant; NULL: nothing is near. */
static const char *
nearest(const char *name)
{
    const char *best = NULL;
    size_t least = 3;

    for (size_t i = 0; chat_verbs[i].name != NULL; i++) {
        size_t far = distance(name, chat_verbs[i].name);

        // the beginning of a name is near, and yet no name
        if (strncmp(name, chat_verbs[i].name, strlen(name)) == 0)
            far = 1;
        if (far < least && far < strlen(name)) {
            least = far;
            best = chat_verbs[i].name;
        }
    }
    return best;
}

static void
say_unknown(struct chat *chat, const char *line)
{
    const char *rest, *meant;
    char shown[100], name[40];
    size_t length = chat_first_word(line + 1, &rest);

    text_quote(shown, sizeof shown, line, length + 1);
    snprintf(name, sizeof name, "%.*s", (int) length, line + 1);
    meant = nearest(name);
    chat_say(chat,
             "there is no %s%s%s; /help lists the commands, and //%s sends "
             "it as text",
             shown, meant ? ", but /" : "", meant ? meant : "", shown + 1);
}

void
chat_command(struct chat *chat, const char *line)
{
    const struct chat_verb *verb = chat_verb_of(line);
    char arguments[4096];
    const char *rest;

    chat_first_word(line + 1, &rest);
    if (verb == NULL) {
        say_unknown(chat, line);
        return;
    }
    size_t end = strlen(rest);

    while (end > 0 && strchr(" \t\n", rest[end - 1]) != NULL)
        end--;
    if (end >= sizeof arguments) {
        chat_say(chat, "that is too long; /system @FILE and /attach FILE read "
                       "files");
        return;
    }
    snprintf(arguments, sizeof arguments, "%.*s", (int) end, rest);
    if (!chat->face->view(chat, verb->name, arguments))
        verb->run(chat, arguments);
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
add_presets(struct line_candidates *out)
{
    const struct settings *s = settings_now();

    for (size_t i = 0; i < s->preset_count; i++)
        line_candidates_add(out, s->presets[i].name);
    add_choices(out, "next|none");
}

/* Those that can change now, or that can be kept. */
static void
add_settings(struct line_candidates *out, bool keep)
{
    char key[80];

    for (size_t i = 0; i < settings_table.rows; i++) {
        const struct ini_row *row = &settings_table.row[i];

        snprintf(key, sizeof key, "%s.%s", row->section, row->name);
        if (row->live || (keep && strcmp(row->section, "preset.") != 0))
            line_candidates_add(out, key);
    }
}

/* "--keep" or not, keys, then the choices of the one that was written. */
static void
complete_setting(const char *arguments, const char *word,
                 struct line_candidates *out)
{
    const struct ini_row *row;
    const char *value;
    char key[80];
    bool first = word <= arguments;
    bool keep = !first && chat_is_word(arguments, "--keep");

    if (keep)
        (void) chat_first_word(arguments, &arguments);
    snprintf(key, sizeof key, "%.*s", (int) chat_first_word(arguments, &value),
             arguments);
    row = ini_find(&settings_table, key);
    if (first)
        line_candidates_add(out, "--keep");
    if (word <= arguments)
        add_settings(out, keep);
    else if (row && strcmp(key, "model.default") == 0)
        places_each_model(add_model, out);
    else if (row && row->kind == INI_CHOICE)
        add_choices(out, row->argument);
}

/* Whether a word of "export ID FILE" is behind the id. */
static bool
is_kept_file(const char *arguments, const char *word)
{
    const char *id, *rest;

    (void) chat_first_word(arguments, &id);
    (void) chat_first_word(id, &rest);
    return chat_is_word(arguments, "export") && rest > id && word >= rest;
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
    bool exports = (strcmp(verb->name, "export") == 0 && !first) ||
                   (strcmp(verb->name, "history") == 0 &&
                    is_kept_file(line + argument, line + start));

    if (exports) {
        out->files = line[start] != '-';
        line_candidates_add(out, "--with-thinking");
    } else if (strcmp(verb->name, "model") == 0) {
        places_each_model(add_model, out);
        // a path is completed as one
        out->files =
            line[start] == '/' || line[start] == '.' || line[start] == '~';
    } else if (strcmp(verb->name, first ? "resume" : "history") == 0) {
        chat_complete_ids(chat, out);
    } else if (strcmp(verb->name, "preset") == 0 && first) {
        add_presets(out);
    } else if (strcmp(verb->name, "set") == 0) {
        complete_setting(line + argument, line + start, out);
    } else if (strcmp(verb->name, "think") == 0 && !first) {
        add_choices(out, chat_is_word(line + argument, "view") ? THOUGHT_CHOICES
                                                               : "off|default");
    } else if (strcmp(verb->name, "attach") == 0 ||
               strcmp(verb->name, "read") == 0 ||
               (strcmp(verb->name, "save") == 0 && !first)) {
        out->files = true;
    } else if (strcmp(verb->name, "help") == 0) {
        for (size_t i = 0; chat_verbs[i].name != NULL; i++)
            line_candidates_add(out, chat_verbs[i].name);
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
