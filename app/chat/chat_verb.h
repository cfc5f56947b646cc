/*
 * The commands of a chat: one table, from which /help and Tab live too.
 * chat_commands.c has the table; the commands are in files by what they are
 * about.
 */
#ifndef FATHOM_APP_CHAT_VERB_H
#define FATHOM_APP_CHAT_VERB_H

#include "app/chat/chat.h"

typedef void chat_verb_fn(struct chat *chat, const char *arguments);

struct chat_verb {
    const char *name, *arguments, *help;
    chat_verb_fn *run;   // gets arguments without blanks at their end
    const char *choices; // offered by Tab for the first argument, "on|off"
    bool anytime;        // can be run while an answer is coming
};

extern const struct chat_verb chat_verbs[]; // the last one has no name
/* The verb of a line "/name arguments"; NULL: there is none. */
const struct chat_verb *chat_verb_of(const char *line);

/* Splits off the first word; *rest is what follows it and the blanks. */
size_t chat_first_word(const char *text, const char **rest);
/* Whether `word` is the first word of `text`. */
bool chat_is_word(const char *text, const char *word);
/* Expands a leading "~/"; false when it is too long. */
bool chat_expand_path(char out[PLACE_BYTES], const char *path);
void chat_say_usage(struct chat *chat, const char *name);

/* -- chat_settings.c ------------------------------------------------------- */

chat_verb_fn chat_run_system, chat_run_temp, chat_run_seed, chat_run_model,
    chat_run_preset, chat_run_set;

/* -- chat_thinking.c ------------------------------------------------------- */

chat_verb_fn chat_run_think, chat_run_budget;

/* -- chat_attach.c ----------------------------------------------------------
 */

chat_verb_fn chat_run_attach, chat_run_read, chat_run_paste;

/* -- chat_copy.c ------------------------------------------------------------
 */

chat_verb_fn chat_run_copy, chat_run_save;

/* Whether the terminal may be handed text for its clipboard. */
bool chat_may_copy(const struct chat *chat);

/* -- chat_report.c --------------------------------------------------------- */

chat_verb_fn chat_run_stats, chat_run_ctx, chat_run_queue, chat_run_tokens,
    chat_run_doctor, chat_run_audit, chat_run_log;

/* -- chat_experts.c ---------------------------------------------------------
 */

chat_verb_fn chat_run_experts;

/* -- chat_compact.c -------------------------------------------------------- */

chat_verb_fn chat_run_compact;

/* -- chat_tree.c ----------------------------------------------------------- */

chat_verb_fn chat_run_retry, chat_run_continue, chat_run_edit, chat_run_undo,
    chat_run_redo, chat_run_delete, chat_run_branch, chat_run_tree,
    chat_run_title;

/* -- chat_history.c -------------------------------------------------------- */

chat_verb_fn chat_run_new, chat_run_history, chat_run_search, chat_run_resume,
    chat_run_export, chat_run_forget, chat_run_ephemeral, chat_run_lock;

/* -- chat_tags.c ----------------------------------------------------------- */

chat_verb_fn chat_run_tag;

/* Of this chat: words are added, and those with a "-" go. */
MUST_CHECK enum status chat_set_tags(struct chat *chat, const char *typed,
                                     struct error *err);
void chat_say_tags(struct chat *chat, struct text tags);

/*
 * A chat of the vault, or the one that is open (NULL), to a file as /export
 * does: "FILE [--with-thinking]".
 */
void chat_export_kept(struct chat *chat, const struct chat_id *id,
                      const char *arguments);

/* Writes a file for the user alone; asks before it replaces one. */
void chat_save_file(struct chat *chat, const char *path,
                    const struct buffer *text);

/* chat_kept.c: "title ID TEXT", "tag ID WORD..", "pin ID", "unpin ID", and
 * "delete ID", "export ID FILE". */
void chat_change_kept(struct chat *chat, const char *arguments);
/* A chat of the vault, also the one that is open. */
MUST_CHECK enum status chat_set_pinned(struct chat *chat,
                                       const struct chat_id *id, bool pinned,
                                       struct error *err);

/* Offers the ids of the chats that are kept. */
void chat_complete_ids(const struct chat *chat, struct line_candidates *out);

#endif
