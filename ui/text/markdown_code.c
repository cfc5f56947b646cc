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
    enum status status = markdown_leaf_label(
        r, detail->info.text, detail->fence_char != 0 ? detail->info.size : 0,
        &label);

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
    r->indented = detail->fence_char == 0;
    markdown_leaf_clear(r);
    return STATUS_OK;
}

enum status
markdown_code_text(struct renderer *r, const char *text, size_t length)
{
    struct document *d = r->document;

    if (!markdown_is_parsed(r, text)) {
        if (length == 1 && text[0] == '\n') {
            TRY(keep_code(r, "\n", 1));
            return end_code_line(r);
        }
        TRY(keep_code(r, text, length));
        return markdown_leaf_add_plain(r, text, length);
    }
    size_t made = r->text.length;
    size_t indent = made > 0 ? typed_indent(r, text, made) : 0;

    if (indent > 0 && memchr(text - indent, '\t', indent) != NULL) {
        struct code_record *code = document_code_last(d);

        d->code_text.length -= made;
        code->length -= made;
        markdown_leaf_clear(r);
        TRY(keep_code(r, text - indent, indent));
        TRY(markdown_leaf_add_plain(r, text - indent, indent));
    }
    TRY(markdown_leaf_add_anchor(r, text));
    size_t at = (size_t) (text - r->parsed);

    r->text_end = at + length;
    size_t from = markdown_source(r, at), to = markdown_source(r, at + length);

    // a CR before the LF is not in what was parsed
    if (to + 1 < d->source.length &&
        memcmp(d->source.data + to, "\r\n", 2) == 0)
        to++;
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
