/*
 * One run of `fathom ask`. ask.c goes from the question to the exit code,
 * ask_print.c prints what comes, ask_keep.c saves it; cmd_ask.c has the
 * options. The main thread only.
 */
#ifndef FATHOM_APP_ASK_H
#define FATHOM_APP_ASK_H

#include "app/client.h"
#include "app/generation.h"
#include "app/chat/keeping.h"
#include "app/output.h"
#include "app/report.h"
#include "app/ask/thought.h"
#include "app/vault/unlock.h"
#include "ui/ui.h"

struct ask_settings {
    struct generation generation;
    struct option_list files;
    const char *show_thinking, *output;
    struct option_count logprobs, timeout_ms, wait_ms;
    bool json, jsonl, allow_truncated, no_input, quiet;
    struct unlock_settings unlock;
    const char *resume; // the chat to continue; "": the newest
    bool newest;        // -c
    bool save, seal, no_save;
};

/* One run of the command. */
struct ask {
    const struct ask_settings *settings;
    struct buffer question;
    struct conversation conversation; // what is asked, with what it follows
    struct keeping keeping;
    size_t answer;            // in the conversation, where it is kept
    bool answer_kept;         // or could not be
    int keep_code;            // then: what the program ends with
    char saved[CHAT_ID_TEXT]; // the chat, "inbox", or ""
    struct output output;
    struct printer printer; // of the answer
    struct thought thought;
    struct report report;
    struct client *client;
    uint64_t number; // of GENERATE
    uint64_t begun_ns;
    uint64_t deadline_ns;      // of --timeout, then of the grace after it
    uint64_t wait_deadline_ns; // of --wait, while others are served
    uint64_t queue_ahead;
    uint64_t again_ns; // when to ask again; UINT64_MAX: asked
    bool cancelled, waiting, thinking_open, answering, finished;
    bool silent; // cancelled, and nothing came in the grace after it
    enum finish cancel_reason;
    int signal;
    int code;
    char activity[200]; // what progress says
};

/* Runs the command; returns its exit code. */
int ask_run(const struct ask_settings *settings,
            const struct option_list *operands);

/* -- ask_print.c ------------------------------------------------------------
 */

bool ask_is_json(const struct ask *ask);
/* Shows progress again, where it is shown: time has passed. */
void ask_tick(const struct ask *ask);

/*
 * Print what an event brings. A write that fails leaves EXIT_CANT_WRITE in
 * ask->code.
 */
MUST_CHECK enum status ask_print_opened(struct ask *ask,
                                        const struct open_done *opened,
                                        struct error *err);
MUST_CHECK enum status ask_print_progress(struct ask *ask,
                                          const struct progress_event *progress,
                                          struct error *err);
MUST_CHECK enum status ask_print_token(struct ask *ask,
                                       const struct token_event *token,
                                       struct error *err);
MUST_CHECK enum status ask_print_report(struct ask *ask,
                                        const struct generate_done *done,
                                        struct error *err);
/* Ends the text of thought and answer: one line feed. */
MUST_CHECK enum status ask_end_text(struct ask *ask, struct error *err);

/* -- ask_keep.c -------------------------------------------------------------
 */

/* Which options exclude each other. */
MUST_CHECK enum status ask_keep_check(struct ask *ask, struct error *err);
/* Opens the vault where that is asked for; ask->code says why it failed. */
MUST_CHECK enum status ask_keep_open(struct ask *ask, struct error *err);
/* Puts the question behind what it follows, and saves it. */
MUST_CHECK enum status ask_keep_question(struct ask *ask, struct error *err);
MUST_CHECK enum status ask_keep_token(struct ask *ask,
                                      const struct token_event *token,
                                      struct error *err);
/*
 * Saves what has come; `done` is NULL where the engine did not say. Once; a
 * failure is told and becomes ask->keep_code.
 */
void ask_keep_answer(struct ask *ask, const struct generate_done *done);
void ask_keep_close(struct ask *ask);

#endif
