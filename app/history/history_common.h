/*
 * What the verbs of `fathom history` share: opening, finding, asking, and
 * showing names that came from anywhere.
 */
#ifndef FATHOM_APP_HISTORY_COMMON_H
#define FATHOM_APP_HISTORY_COMMON_H

#include "app/command.h"
#include "app/vault/unlock.h"
#include "storage/storage.h"

enum { HISTORY_ID_SHOWN = 8 }; // characters of an id in a table

/* A verb of `fathom history`. */
extern const struct command command_history_list, command_history_show,
    command_history_search, command_history_export, command_history_import,
    command_history_rm, command_history_prune, command_history_pin,
    command_history_unpin, command_history_tag;

#define HISTORY_READ_ONLY(settings)                                            \
    {                                                                          \
        "read-only", 0, OPTION_FLAG, NULL, offsetof(settings, read_only), 0,   \
            0, "write nothing; after an alarm, what is whole"                  \
    }

#define HISTORY_JSON(settings)                                                 \
    {                                                                          \
        "json", 0, OPTION_FLAG, NULL, offsetof(settings, json), 0, 0,          \
            "print JSON"                                                       \
    }

#define HISTORY_TAG(settings)                                                  \
    {                                                                          \
        "tag", 0, OPTION_LIST, "TAG", offsetof(settings, tags), 0, 0,          \
            "only chats with this tag"                                         \
    }

#define HISTORY_YES(settings)                                                  \
    {                                                                          \
        "yes", 0, OPTION_FLAG, NULL, offsetof(settings, yes), 0, 0,            \
            "do not ask whether to go on"                                      \
    }

/* Says what failed; the exit code for it. */
int history_failed(const struct error *err);

/*
 * Opens the vault of a command that prints what is in it: refused where the
 * policy forbids that text leaves the vault and standard output is no
 * terminal. False: *code is what the program ends with, and why was said.
 */
bool history_open(struct vault **out, const struct unlock_settings *settings,
                  bool read_only, bool prints, int *code);

/* A chat's information with texts of its own. */
struct history_chat {
    struct chat_info info;
    char id[CHAT_ID_TEXT];
    struct buffer title, system, model, tags;
    uint32_t turns; // turn_count.h; only where a list is printed
};
struct history_list {
    struct history_chat *chats; // last used first
    size_t count, capacity;
};
MUST_CHECK enum status history_collect(struct history_list *out,
                                       struct vault *vault, struct error *err);
void history_chat_release(struct history_chat *chat);
void history_list_release(struct history_list *list);

/*
 * May it go on? `question` ends in a question mark. Yes without asking where
 * `yes`; asked at the terminal, unless no_input; else false, with a sentence
 * that names --yes and EXIT_USAGE in *code. EXIT_FAILURE: no was the answer.
 */
bool history_confirm(const char *question, bool yes, bool no_input, int *code);

/* Appends a text from anywhere as one line that a terminal cannot act upon. */
MUST_CHECK enum status history_line(struct buffer *out, struct text text,
                                    struct error *err);
/*
 * Appends one line (as above) in exactly `columns` columns of a terminal, cut
 * with "..." or filled with blanks.
 */
MUST_CHECK enum status history_cell(struct buffer *out, struct text text,
                                    size_t columns, struct error *err);
/* What stands before and after a hit on its line: some hundred bytes. */
struct history_context {
    struct text before, hit, after;
};
struct history_context history_context_of(struct text all, size_t at,
                                          size_t length);

/* Columns that a line takes. */
size_t history_columns(struct text line);

/* Writes to standard output and gives the buffer back; the exit code. */
int history_print(struct buffer *text);

/* "chat" or "chats" */
const char *history_chats_word(size_t count);

#endif
