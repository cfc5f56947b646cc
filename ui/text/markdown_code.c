/*
 * md4c gives code line by line, without what lists and quotes have before it.
 * Its source is copied from the source of the document.
 */
#include "config.h"

#include "ui/text/markdown_parts.h"

#include <string.h>

/* The next fence behind the last leaf; 0 where there is none. */
static size_t
find_fence(const struct renderer *r, char mark)
{
    const char marks[] = {mark, mark, mark};
    const char *from = r->parsed + r->text_end;
    const char *found =
        mark != '\0' && r->text_end > 0
            ? memmem(from, r->parsed_length - r->text_end, marks, 3)
            : NULL;

    return found ? (size_t) (found - r->parsed) : 0;
}

static bool
has_marks(const struct renderer *r)
{
    const void *data = r->runs.data;
    const struct look_run *run = data;

    for (size_t i = 0; i < r->runs.length / sizeof *run; i++)
        if (run[i].look == LOOK_MARK)
            return true;
    return false;
}

/* The line in hand gets the looks of its language. */
static enum status
colour_code(struct renderer *r)
{
    if (r->language == NULL)
        return STATUS_OK;
    if (r->text.length > CODE_LINE_MOST || has_marks(r)) {
        r->code_inside = 0;
        return STATUS_OK;
    }
    buffer_clear(&r->runs);
    return code_looks(r->language, &r->code_inside,
                      r->text.length > 0 ? r->text.data : "", r->text.length,
                      &r->runs, r->err);
}

/* A line of code is whole. */
static enum status
end_code_line(struct renderer *r)
{
    struct document *d = r->document;
    unsigned number = (unsigned) document_code_count(d);

    TRY(colour_code(r));
    TRY(markdown_leaf_put(r, false, number));
    markdown_leaf_clear(r);
    struct code_record *code = document_code_last(d);

    code->line_count = line_store_count(&d->lines) - code->first_line;
    return STATUS_OK;
}

/* Appends to the source of the block. */
static enum status
keep_code(struct renderer *r, const char *bytes, size_t length)
{
    struct document *d = r->document;
    struct code_record *code = document_code_last(d);

    TRY(buffer_append(&d->code_text, bytes, length, r->err));
    code->length = d->code_text.length - code->text;
    return STATUS_OK;
}

static void
drop_code(struct renderer *r, size_t length)
{
    r->document->code_text.length -= length;
    document_code_last(r->document)->length -= length;
}

/*
 * md4c gives the blanks before a line of code as so many spaces. What was
 * typed there may be a tab: it is found before `text`, the rest of the line,
 * where it takes exactly as many columns.
 */
static size_t
typed_indent(const struct renderer *r, const char *text, size_t columns)
{
    const char *line = text, *at;
    size_t column = 0, end = 0;

    while (line > r->parsed && line[-1] != '\n')
        line--;
    for (at = line; at < text; at++)
        end += *at == '\t' ? 4 - end % 4 : 1;
    for (at = line; at < text && column + columns < end; at++)
        column += *at == '\t' ? 4 - column % 4 : 1;
    if (column + columns != end)
        return 0;
    for (line = at; line < text; line++)
        if (*line != ' ' && *line != '\t')
            return 0;
    return (size_t) (text - at);
}

/* Code that is indented has no label. */
static enum status
begin_code(struct renderer *r, const MD_BLOCK_CODE_DETAIL *detail,
           struct flow_form *form)
{
    struct buffer label = {0};
    size_t length = detail->fence_char != 0 ? detail->info.size : 0;
    enum status status = markdown_leaf_label(
        r, length > 0 ? detail->info.text : "", length, &label);

    if (status == STATUS_OK)
        status =
            document_code_begin(r->document, label.length > 0 ? label.data : "",
                                label.length, form, r->err);
    buffer_release(&label);
    return status;
}

enum status
markdown_code_enter(struct renderer *r, const MD_BLOCK_CODE_DETAIL *detail)
{
    struct flow_form form = markdown_nest_form(r, false);

    r->code_begin = find_fence(r, detail->fence_char);
    TRY(markdown_nest_gap(r, true));
    r->code_begin = 0;
    TRY(begin_code(r, detail, &form));
    struct code_record *code = document_code_last(r->document);

    code->copied = true;
    r->language = code_language_find(r->document->code_text.data + code->label,
                                     code->label_length);
    r->code_inside = 0;
    r->code = true;
    r->code_found = r->code_text = false;
    r->indented = detail->fence_char == 0;
    markdown_leaf_clear(r);
    return STATUS_OK;
}

static size_t
line_start(const struct renderer *r, size_t at)
{
    while (at > 0 && r->parsed[at - 1] != '\n')
        at--;
    return at;
}

static size_t
line_end(const struct renderer *r, size_t at)
{
    const char *newline = memchr(r->parsed + at, '\n', r->parsed_length - at);

    return newline ? (size_t) (newline - r->parsed) : r->parsed_length;
}

/* Keeps the source of a line's end: a CR is not in what was parsed. */
static enum status
keep_line_end(struct renderer *r, size_t end)
{
    const struct buffer *source = &r->document->source;
    size_t from = markdown_source(r, end), to = from;

    if (to + 1 < source->length && source->data[to] == '\r')
        to++;
    if (to == source->length || source->data[to] != '\n')
        return STATUS_OK;
    return keep_code(r, source->data + from, to + 1 - from);
}

/*
 * Keeps a line that has nothing but the blanks that md4c made of it. All that
 * stands before the text of an item may be missing there.
 */
static enum status
keep_blank_line(struct renderer *r, size_t line, const char *made,
                size_t columns)
{
    size_t end = line_end(r, line);
    size_t typed = columns > 0 ? typed_indent(r, r->parsed + end, columns) : 0;

    if (typed > 0 && typed == end - line && markdown_nest_depth(r) > 0)
        return keep_line_end(r, end);
    TRY(typed > 0 ? keep_code(r, r->parsed + end - typed, typed)
                  : keep_code(r, made, columns));
    return keep_line_end(r, end);
}

/* Keeps lines as they were typed that were kept as md4c made them. */
static enum status
keep_again(struct renderer *r, const char *made, size_t length)
{
    drop_code(r, length);
    while (length > 0) {
        const char *newline = memchr(made, '\n', length);
        size_t columns = newline ? (size_t) (newline - made) : length;

        if (newline == NULL) // the blanks of the line in hand
            return keep_code(r, made, length);
        TRY(keep_blank_line(r, r->code_line, made, columns));
        r->code_line = line_end(r, r->code_line) + 1;
        made += columns + 1;
        length -= columns + 1;
    }
    return STATUS_OK;
}

/* Where lines are is known from the first that has text, which is this one. */
static enum status
find_lines(struct renderer *r, const char *text)
{
    const struct document *d = r->document;
    const struct code_record *code = document_code_last(r->document);
    struct buffer made = {0};

    r->code_found = true;
    r->code_line = line_start(r, (size_t) (text - r->parsed));
    r->code_from = r->code_line;
    if (code->length == r->text.length)
        return STATUS_OK;
    TRY(buffer_append(&made, d->code_text.data + code->text, code->length,
                      r->err));
    for (size_t i = 0; i < made.length; i++)
        if (made.data[i] == '\n' && r->code_line > 0)
            r->code_line = line_start(r, r->code_line - 1);
    r->code_from = r->code_line;
    enum status status = keep_again(r, made.data, made.length);

    buffer_release(&made);
    return status;
}

/* Only definitions of links are there. */
static bool
is_behind(const struct renderer *r, size_t at)
{
    return r->has_formulas
               ? offset_map_find(&r->formulas.origin, at) >= r->block->length
               : at >= r->parsed_length;
}

static enum status
end_typed_line(struct renderer *r)
{
    size_t end = line_end(r, r->code_line), made = r->text.length;

    if (is_behind(r, r->code_line))
        return STATUS_OK;
    if (r->code_text) {
        TRY(keep_line_end(r, end));
    } else {
        drop_code(r, made);
        TRY(keep_blank_line(r, r->code_line, made > 0 ? r->text.data : "",
                            made));
    }
    r->code_text = false;
    r->code_line = end < r->parsed_length ? end + 1 : end;
    return end_code_line(r);
}

static enum status
add_made(struct renderer *r, const char *text, size_t length)
{
    bool ends = length == 1 && text[0] == '\n';

    if (ends && r->code_found)
        return end_typed_line(r);
    TRY(keep_code(r, text, length));
    return ends ? end_code_line(r) : markdown_leaf_add_plain(r, text, length);
}

/* Tabs before the text of a line stay tabs. */
static enum status
add_typed_indent(struct renderer *r, const char *text)
{
    size_t made = r->text.length;
    size_t indent = made > 0 ? typed_indent(r, text, made) : 0;

    if (indent == 0 || memchr(text - indent, '\t', indent) == NULL)
        return STATUS_OK;
    drop_code(r, made);
    markdown_leaf_clear(r);
    TRY(keep_code(r, text - indent, indent));
    return markdown_leaf_add_plain(r, text - indent, indent);
}

enum status
markdown_code_text(struct renderer *r, const char *text, size_t length)
{
    const struct document *d = r->document;

    if (!markdown_is_parsed(r, text))
        return add_made(r, text, length);
    if (!r->code_found)
        TRY(find_lines(r, text));
    TRY(add_typed_indent(r, text));
    TRY(markdown_leaf_add_anchor(r, text));
    size_t at = (size_t) (text - r->parsed);

    r->code_text = true;
    r->text_end = at + length;
    size_t from = markdown_source(r, at), to = markdown_source(r, at + length);

    TRY(keep_code(r, d->source.data + from, to - from));
    return markdown_leaf_add_text(r, text, length);
}

enum status
markdown_code_leave(struct renderer *r)
{
    if (r->text.length > 0)
        TRY(end_code_line(r));
    struct code_record *code = document_code_last(r->document);

    code->open = false;
    r->code = false;
    r->code_last = true;
    return STATUS_OK;
}

/* The fence of the code, from the line that opens it; not that of a quote. */
static bool
read_fence(const struct renderer *r, struct block_fence *fence)
{
    size_t at = r->code_from > 0 ? line_start(r, r->code_from - 1) : 0;
    unsigned column = 0;

    for (; at < r->code_from && strchr("`~>", r->parsed[at]) == NULL; at++)
        column += r->parsed[at] == '\t' ? 4 - column % 4 : 1;
    if (at == r->code_from || r->parsed[at] == '>')
        return false;
    *fence = (struct block_fence){
        .mark = r->parsed[at], .indent = column, .item = r->block->item};
    while (r->parsed[at + fence->count] == fence->mark)
        fence->count++;
    return fence->item > 0;
}

void
markdown_code_cut(struct renderer *r)
{
    struct document *d = r->document;

    if (r->indented || !r->code_found || !is_behind(r, r->code_line))
        return;
    document_code_last(d)->open = true;
    if (!read_fence(r, &d->now.fence))
        return;
    d->now.mode = READING_FENCE;
    d->now.language = r->language;
    d->now.code_inside = r->code_inside;
}
