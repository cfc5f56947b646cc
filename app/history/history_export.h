/*
 * Chats as a document: Markdown for people, HTML for browsers, JSON with all
 * that a chat has (fathom-export(5)). Written chat by chat, so that no more
 * than one is in memory:
 *
 *   history_export_begin, history_export_chat for each, history_export_end
 *
 * What a terminal or a browser could act upon never gets through: in Markdown
 * and HTML it becomes a visible mark, in JSON a \u escape that gives the same
 * text back.
 */
#ifndef FATHOM_APP_HISTORY_EXPORT_H
#define FATHOM_APP_HISTORY_EXPORT_H

#include "storage/storage.h"

enum export_format { EXPORT_MARKDOWN, EXPORT_JSON, EXPORT_HTML };

struct export_how {
    enum export_format format;
    bool with_thinking;
    bool all_branches; // JSON has them anyhow
};

struct export_chat {
    const char *id; // as text; NULL: it has none
    const struct chat_info *info;
    const struct turn_record *turns; // in the order of writing
    size_t count;
};

/* "md", "json", "html"; false: none of them. */
bool history_export_find(enum export_format *out, const char *name);

/* Each appends to *out, which the caller may empty in between. */
MUST_CHECK enum status history_export_begin(struct buffer *out,
                                            const struct export_how *how,
                                            uint64_t now_ms, struct error *err);
/* `number` counts from 0. */
MUST_CHECK enum status history_export_chat(struct buffer *out,
                                           const struct export_how *how,
                                           const struct export_chat *chat,
                                           size_t number, struct error *err);
MUST_CHECK enum status history_export_end(struct buffer *out,
                                          const struct export_how *how,
                                          struct error *err);

#endif
