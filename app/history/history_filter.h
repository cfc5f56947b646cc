/*
 * What is looked for in the history, as it is typed:
 *
 *     psn mismatch model:V4* after:2026-09-01 before:2026-10-01
 *     role:you|fathom|think has:code has:think title:WORD id:01jd tag:rdma
 *
 * All of it must hold. The words without a colon are one text, looked for in
 * titles, questions and answers, and in thoughts where role: says so. Case
 * counts where it has a capital letter. With regex:on that text is a regular
 * expression (pattern.h), and \S has no capital letter. The main thread only.
 */
#ifndef FATHOM_APP_HISTORY_FILTER_H
#define FATHOM_APP_HISTORY_FILTER_H

#include "app/history/pattern.h"
#include "storage/storage.h"

enum {
    FILTER_TEXT = 1000,
    FILTER_WORD = 200,
    FILTER_TAGS = 1000,
    FILTER_FAULT = 300,
};

struct history_filter {
    struct needle *needle;   // of a plain text, or
    struct pattern *pattern; // of an expression; neither: no text is looked for
    char text[FILTER_TEXT];
    bool case_counts, regex;
    char model[FILTER_WORD], title[FILTER_WORD], id[FILTER_WORD]; // or ""
    char tags[FILTER_TAGS];       // all of them, each with a blank behind it
    uint64_t after_ms, before_ms; // 0: any
    bool roles; // those that follow count, else you and fathom
    bool you, fathom, think;
    bool has_code, has_think;
    char fault[FILTER_FAULT]; // what could not be understood, or ""
};

/*
 * Reads what was typed; `regex`: as if it had regex:on. What is not understood
 * is named in out->fault, and is left out. The caller releases *out, also after
 * a failure.
 */
MUST_CHECK enum status history_filter_read(struct history_filter *out,
                                           const char *typed, bool regex,
                                           struct error *err);
/*
 * Looks for a text as it is, in which no word is a filter, whatever its case;
 * `regex`: for an expression, whose capital letters count. *out is empty.
 */
MUST_CHECK enum status history_filter_set_text(struct history_filter *out,
                                               const char *text, bool regex,
                                               struct error *err);
/*
 * One more tag that a chat must have; in it * stands for anything.
 * STATUS_FORMAT: it is empty or has a blank, STATUS_LIMIT: too many.
 */
MUST_CHECK enum status history_filter_add_tag(struct history_filter *filter,
                                              const char *tag,
                                              struct error *err);
void history_filter_release(struct history_filter *filter);

/* Whether a text is looked for, so that there are hits with places. */
bool history_filter_has_text(const struct history_filter *filter);
/* A sentence where the expression took too long, or NULL; nothing fits then. */
const char *history_filter_gave_up(const struct history_filter *filter);
bool history_filter_is_empty(const struct history_filter *filter);
/* Whether turns must be looked at to know that a chat is wanted. */
bool history_filter_needs_turns(const struct history_filter *filter);

/* Whether what is known of a chat fits. */
bool history_filter_takes(const struct history_filter *filter,
                          const struct chat_info *info);
/* Whether the text is in its title, and nothing is asked of turns. */
bool history_filter_takes_title(const struct history_filter *filter,
                                const struct chat_info *info);

/* Where in a turn: bytes of its content, or of its thought; or no bytes. */
struct filter_hit {
    bool in_thinking;
    size_t at, length;
};
enum { FILTER_HITS = 2 }; // of one turn
/* What of a turn fits: how many of `out`. */
size_t history_filter_turn(const struct history_filter *filter,
                           const struct turn_record *turn,
                           struct filter_hit out[FILTER_HITS]);

/*
 * Visits all that fits, newest chats first, as vault_search does: a hit without
 * a turn is a title, or a chat of whose turns nothing is asked (then without
 * bytes). *cancel ends it with STATUS_CANCELLED, an expression that takes too
 * long with STATUS_LIMIT.
 */
MUST_CHECK enum status
history_filter_search(const struct history_filter *filter, struct vault *vault,
                      vault_hit_fn *visit, void *context,
                      const _Atomic bool *cancel, struct error *err);

#endif
