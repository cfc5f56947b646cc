/*
 * One file without scripts, pictures or anything else to fetch; the policy in
 * its head forbids a browser all of that and allows the one style sheet here,
 * by its SHA-256.
 */
#include "config.h"

#include "app/history/export_writer.h"
#include "app/time_text.h"

#include <stdio.h>
#include <string.h>

static const char head_begin[] =
    "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; style-src 'sha256-k/5sBPl+EoJ+eic2w/BRgnBy0PRF68t2/h7L7n9JYcA='; "
    "base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>Conversations</title>\n<style>";

static const char style[] =
    ":root{color-scheme:light dark;--text:#1b1b1b;--back:#fdfdfb;"
    "--dim:#5c5c5c;--line:#d9d9d2;--box:#f1f1ec}"
    "@media(prefers-color-scheme:dark){:root{--text:#e2e2de;--back:#191918;"
    "--dim:#a3a39d;--line:#3a3a37;--box:#242422}}"
    "body{margin:2.5rem auto;max-width:42rem;padding:0 1rem;"
    "color:var(--text);background:var(--back);"
    "font:1.05rem/1.6 Georgia,'Times New Roman',serif;overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .3rem}"
    "h2,summary{font:600 .85rem/1.4 system-ui,sans-serif;color:var(--dim);"
    "margin:1.6rem 0 .3rem}"
    ".facts{color:var(--dim);font:.85rem/1.4 system-ui,sans-serif;margin:0}"
    "p{white-space:pre-wrap;margin:0 0 .8rem}"
    "pre{background:var(--box);padding:.7rem .9rem;overflow-x:auto;"
    "font:.88rem/1.45 ui-monospace,monospace;overflow-wrap:normal}"
    "details{border-left:3px solid var(--line);padding-left:.9rem;"
    "margin:.8rem 0;color:var(--dim)}summary{margin:0;cursor:pointer}"
    "article+article{border-top:1px solid var(--line);margin-top:3rem;"
    "padding-top:2.5rem}"
    "@media print{body{max-width:none;margin:0}pre{white-space:pre-wrap}}";

static const char head_end[] = "</style>\n</head>\n<body>\n";

static enum status
begin(struct buffer *out, uint64_t now_ms, struct error *err)
{
    (void) now_ms;
    TRY(buffer_append(out, head_begin, strlen(head_begin), err));
    TRY(buffer_append(out, style, strlen(style), err));
    return buffer_append(out, head_end, strlen(head_end), err);
}

static enum status
end(struct buffer *out, struct error *err)
{
    return buffer_print(out, err, "</body>\n</html>\n");
}

static const char *
entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Text that the sanitiser has seen. */
static enum status
print_escaped(struct buffer *out, const char *bytes, size_t length,
              struct error *err)
{
    size_t start = 0;

    for (size_t i = 0; i < length; i++) {
        const char *name = entity(bytes[i]);

        if (name == NULL)
            continue;
        TRY(buffer_append(out, bytes + start, i - start, err));
        TRY(buffer_append(out, name, strlen(name), err));
        start = i + 1;
    }
    return buffer_append(out, bytes + start, length - start, err);
}

static enum status
print_text(struct buffer *out, struct text text, struct error *err)
{
    struct buffer visible = {0};
    enum status status = export_visible(&visible, text, err);

    if (status == STATUS_OK)
        status = print_escaped(out, visible.data, visible.length, err);
    buffer_release(&visible);
    return status;
}

/* Text in the making: paragraphs, and what stands between ``` lines. */
struct blocks {
    struct buffer *out;
    const char *open; // the element that is open: "p", "pre"; NULL: none
};

static enum status
close_block(struct blocks *b, struct error *err)
{
    if (b->open)
        TRY(buffer_print(b->out, err, "</%s>\n", b->open));
    b->open = NULL;
    return STATUS_OK;
}

static enum status
add_line(struct blocks *b, const char *line, size_t length, struct error *err)
{
    bool fence = length >= 3 && memcmp(line, "```", 3) == 0;
    bool in_code = b->open && strcmp(b->open, "pre") == 0;

    if (fence || (length == 0 && !in_code)) {
        TRY(close_block(b, err));
        if (!fence || in_code)
            return STATUS_OK;
        b->open = "pre";
        // a line feed that follows <pre> is not part of the text
        return buffer_print(b->out, err, "<pre>\n");
    }
    if (b->open == NULL) {
        b->open = "p";
        TRY(buffer_print(b->out, err, "<p>"));
    } else if (!in_code) {
        TRY(buffer_print(b->out, err, "\n"));
    }
    TRY(print_escaped(b->out, line, length, err));
    return in_code ? buffer_print(b->out, err, "\n") : STATUS_OK;
}

static enum status
print_blocks(struct buffer *out, struct text text, struct error *err)
{
    struct buffer visible = {0};
    struct blocks blocks = {.out = out};
    enum status status = export_visible(&visible, text, err);
    size_t at = 0;

    while (at < visible.length && status == STATUS_OK) {
        const char *line = visible.data + at;
        const char *stop = memchr(line, '\n', visible.length - at);
        size_t length = stop ? (size_t) (stop - line) : visible.length - at;

        status = add_line(&blocks, line, length, err);
        at += length + 1;
    }
    if (status == STATUS_OK)
        status = close_block(&blocks, err);
    buffer_release(&visible);
    return status;
}

static enum status
print_heading(struct buffer *out, const struct turn_tree *tree, size_t i,
              bool numbered, const struct turn_record *turn, struct error *err)
{
    const struct turn_node *node = &tree->nodes[i];

    TRY(buffer_print(out, err, "<h2>"));
    if (numbered)
        TRY(buffer_print(out, err, "%zu. ", i + 1));
    TRY(buffer_print(out, err, "%s", export_speaker(turn)));
    if (numbered && node->versions > 1) {
        if (node->parent >= 0)
            TRY(buffer_print(out, err, ", after %td", node->parent + 1));
        TRY(buffer_print(out, err, ", version %u of %u", node->version,
                         node->versions));
    }
    return buffer_print(out, err, "</h2>\n");
}

static enum status
print_turn(struct buffer *out, const struct export_how *how,
           const struct turn_record *turn, const struct turn_tree *tree,
           size_t i, struct error *err)
{
    TRY(print_heading(out, tree, i, how->all_branches, turn, err));
    if (how->with_thinking && turn->thinking.length > 0) {
        TRY(buffer_print(out, err, "<details>\n<summary>Thinking</summary>\n"));
        TRY(print_blocks(out, turn->thinking, err));
        TRY(buffer_print(out, err, "</details>\n"));
    }
    return print_blocks(out, turn->content, err);
}

static enum status
print_facts(struct buffer *out, const struct chat_info *info, struct error *err)
{
    char date[TIME_TEXT];

    TRY(buffer_print(out, err, "<p class=\"facts\">"));
    if (info->created_ms > 0)
        TRY(buffer_print(out, err, "%s",
                         time_text_local(date, info->created_ms)));
    if (info->model.length > 0) {
        TRY(buffer_print(out, err, "%s", info->created_ms > 0 ? ", " : ""));
        TRY(print_text(out, info->model, err));
    }
    TRY(buffer_print(out, err, "</p>\n"));
    if (info->tags.length == 0)
        return STATUS_OK;
    TRY(buffer_print(out, err, "<p class=\"facts\">Tags: "));
    TRY(print_text(out, info->tags, err));
    return buffer_print(out, err, "</p>\n");
}

static enum status
print_chat(struct buffer *out, const struct export_how *how,
           const struct export_chat *chat, size_t number, struct error *err)
{
    static const struct text untitled = {"Untitled chat", 13};
    const struct chat_info *info = chat->info;

    (void) number;
    TRY(buffer_print(out, err, "<article>\n<h1>"));
    TRY(print_text(out, info->title.length > 0 ? info->title : untitled, err));
    TRY(buffer_print(out, err, "</h1>\n"));
    TRY(print_facts(out, info, err));
    if (info->system.length > 0) {
        TRY(buffer_print(out, err, "<h2>System</h2>\n"));
        TRY(print_blocks(out, info->system, err));
    }
    TRY(export_turns(out, how, chat, print_turn, err));
    return buffer_print(out, err, "</article>\n");
}

const struct export_writer export_html = {"html", begin, print_chat, end};
