/*
 * What a format of history_export.h consists of. A table of each:
 * export_markdown.c, export_html.c, export_json.c.
 */
#ifndef FATHOM_APP_EXPORT_WRITER_H
#define FATHOM_APP_EXPORT_WRITER_H

#include "app/history/history_export.h"
#include "app/history/turn_tree.h"

struct export_writer {
    const char *name;
    enum status (*begin)(struct buffer *out, uint64_t now_ms,
                         struct error *err);
    enum status (*chat)(struct buffer *out, const struct export_how *how,
                        const struct export_chat *chat, size_t number,
                        struct error *err);
    enum status (*end)(struct buffer *out, struct error *err);
};

extern const struct export_writer export_markdown, export_html, export_json;

/* Appends `text` as the sanitiser shows it. */
MUST_CHECK enum status export_visible(struct buffer *out, struct text text,
                                      struct error *err);

typedef enum status export_turn_fn(struct buffer *out,
                                   const struct export_how *how,
                                   const struct turn_record *turn,
                                   const struct turn_tree *tree, size_t i,
                                   struct error *err);
/* Prints the turns of a chat in their order. */
MUST_CHECK enum status export_turns(struct buffer *out,
                                    const struct export_how *how,
                                    const struct export_chat *chat,
                                    export_turn_fn *print, struct error *err);

/* "You", "fathom", "fathom (incomplete)" */
const char *export_speaker(const struct turn_record *turn);

#endif
