/* One table a format. */
#include "config.h"

#include "app/history/export_writer.h"

#include "ui/ui.h"

#include <string.h>

static const struct export_writer *const writers[] = {
    [EXPORT_MARKDOWN] = &export_markdown,
    [EXPORT_JSON] = &export_json,
    [EXPORT_HTML] = &export_html,
};

bool
history_export_find(enum export_format *out, const char *name)
{
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
        if (strcmp(writers[i]->name, name) == 0) {
            *out = (enum export_format) i;
            return true;
        }
    return false;
}

enum status
export_visible(struct buffer *out, struct text text, struct error *err)
{
    struct sanitiser sanitiser = {0};

    if (text.length > 0)
        TRY(sanitiser_write(&sanitiser, out, text.bytes, text.length, err));
    return sanitiser_finish(&sanitiser, out, err);
}

enum status
export_turns(struct buffer *out, const struct export_how *how,
             const struct export_chat *chat, export_turn_fn *print,
             struct error *err)
{
    struct turn_tree tree;

    TRY(turn_tree_build(&tree, chat->turns, chat->count, chat->info->leaf,
                        how->all_branches, err));
    enum status status = STATUS_OK;

    for (size_t i = 0; i < tree.order_count && status == STATUS_OK; i++)
        status = print(out, how, &chat->turns[tree.order[i]], &tree,
                       tree.order[i], err);
    turn_tree_release(&tree);
    return status;
}

const char *
export_speaker(const struct turn_record *turn)
{
    if (turn->role == TURN_QUESTION)
        return "You";
    return turn->complete ? "fathom" : "fathom (incomplete)";
}

enum status
history_export_begin(struct buffer *out, const struct export_how *how,
                     uint64_t now_ms, struct error *err)
{
    return writers[how->format]->begin(out, now_ms, err);
}

enum status
history_export_chat(struct buffer *out, const struct export_how *how,
                    const struct export_chat *chat, size_t number,
                    struct error *err)
{
    return writers[how->format]->chat(out, how, chat, number, err);
}

enum status
history_export_end(struct buffer *out, const struct export_how *how,
                   struct error *err)
{
    return writers[how->format]->end(out, err);
}
