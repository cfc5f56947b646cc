/* Texts as they are: an answer is Markdown already. */
#include "config.h"

#include "app/history/export_writer.h"
#include "app/time_text.h"

#include <stdio.h>
#include <string.h>

static enum status
begin(struct buffer *out, uint64_t now_ms, struct error *err)
{
    (void) out;
    (void) now_ms;
    (void) err;
    return STATUS_OK;
}

static enum status
end(struct buffer *out, struct error *err)
{
    (void) out;
    (void) err;
    return STATUS_OK;
}

/* One line, whatever is in it. */
static enum status
print_title(struct buffer *out, struct text title, struct error *err)
{
    if (title.length == 0)
        return buffer_print(out, err, "# Untitled chat\n\n");
    TRY(buffer_print(out, err, "# "));
    size_t start = out->length;

    TRY(export_visible(out, title, err));
    for (size_t i = start; i < out->length; i++)
        if (out->data[i] == '\n' || out->data[i] == '\t')
            out->data[i] = ' ';
    return buffer_print(out, err, "\n\n");
}

static enum status
print_facts(struct buffer *out, const struct chat_info *info, struct error *err)
{
    char date[TIME_TEXT];

    if (info->created_ms > 0)
        TRY(buffer_print(out, err, "%s",
                         time_text_local(date, info->created_ms)));
    if (info->model.length > 0) {
        TRY(buffer_print(out, err, "%s", info->created_ms > 0 ? ", " : ""));
        TRY(export_visible(out, info->model, err));
    }
    if (info->created_ms > 0 || info->model.length > 0)
        TRY(buffer_print(out, err, "\n\n"));
    if (info->tags.length == 0)
        return STATUS_OK;
    TRY(buffer_print(out, err, "Tags: "));
    TRY(export_visible(out, info->tags, err));
    return buffer_print(out, err, "\n\n");
}

static enum status
print_body(struct buffer *out, struct text text, struct error *err)
{
    TRY(export_visible(out, text, err));
    return buffer_print(out, err, "\n\n");
}

/* Every line of a thought is quoted, so that it cannot pass for the answer. */
static enum status
print_quoted(struct buffer *out, struct text text, struct error *err)
{
    const char *at = text.bytes, *stop = at + text.length;

    while (at < stop) {
        const char *line_end = memchr(at, '\n', (size_t) (stop - at));
        struct text line = {at, (size_t) ((line_end ? line_end : stop) - at)};

        TRY(buffer_print(out, err, "> "));
        TRY(export_visible(out, line, err));
        TRY(buffer_print(out, err, "\n"));
        at = line.bytes + line.length + 1;
    }
    return buffer_print(out, err, "\n");
}

/* "## fathom", or among branches "## 5. fathom (after 2, version 2 of 3)" */
static enum status
print_heading(struct buffer *out, const struct turn_tree *tree, size_t i,
              bool numbered, const struct turn_record *turn, struct error *err)
{
    const struct turn_node *node = &tree->nodes[i];

    if (!numbered)
        return buffer_print(out, err, "## %s\n\n", export_speaker(turn));
    TRY(buffer_print(out, err, "## %zu. %s", i + 1, export_speaker(turn)));
    if (node->versions > 1) {
        TRY(buffer_print(out, err, " ("));
        if (node->parent >= 0)
            TRY(buffer_print(out, err, "after %td, ", node->parent + 1));
        TRY(buffer_print(out, err, "version %u of %u)", node->version,
                         node->versions));
    }
    return buffer_print(out, err, "\n\n");
}

static enum status
print_turn(struct buffer *out, const struct export_how *how,
           const struct turn_record *turn, const struct turn_tree *tree,
           size_t i, struct error *err)
{
    if (how->with_thinking && turn->thinking.length > 0) {
        TRY(buffer_print(out, err, "## Thinking\n\n"));
        TRY(print_quoted(out, turn->thinking, err));
    }
    TRY(print_heading(out, tree, i, how->all_branches, turn, err));
    return print_body(out, turn->content, err);
}

static enum status
print_chat(struct buffer *out, const struct export_how *how,
           const struct export_chat *chat, size_t number, struct error *err)
{
    if (number > 0)
        TRY(buffer_print(out, err, "---\n\n"));
    TRY(print_title(out, chat->info->title, err));
    TRY(print_facts(out, chat->info, err));
    if (chat->info->system.length > 0) {
        TRY(buffer_print(out, err, "## System\n\n"));
        TRY(print_body(out, chat->info->system, err));
    }
    return export_turns(out, how, chat, print_turn, err);
}

const struct export_writer export_markdown = {"md", begin, print_chat, end};
