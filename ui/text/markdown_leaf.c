/* Runs of looks and anchors grow with the text. */
#include "config.h"

#include "ui/text/latex.h"
#include "ui/text/markdown_parts.h"

#include <string.h>

enum look
markdown_leaf_look(const struct renderer *r)
{
    if (r->in_mark)
        return LOOK_MARK;
    if (r->coded > 0)
        return LOOK_LITERAL;
    if (r->code)
        return LOOK_CODE;
    if (r->links > 0)
        return LOOK_LINK;
    if (r->heading)
        return LOOK_HEADING;
    if (r->strong > 0 || r->header)
        return LOOK_STRONG;
    if (r->emphasis > 0)
        return LOOK_EMPHASIS;
    return r->deleted > 0 ? LOOK_DIM : LOOK_PLAIN;
}

/* Adds bytes of the look that is set. */
enum status
markdown_leaf_add(struct renderer *r, enum look look, const char *bytes,
                  size_t length)
{
    struct look_run run = {(uint32_t) length, look};
    size_t count = r->runs.length / sizeof run;

    if (length == 0)
        return STATUS_OK;
    TRY(buffer_append(&r->text, bytes, length, r->err));
    if (count > 0 && r->text.length - length > r->begin) {
        void *runs = r->runs.data;
        struct look_run *last = (struct look_run *) runs + count - 1;

        if (last->look == look) {
            last->length += run.length;
            return STATUS_OK;
        }
    }
    return buffer_append(&r->runs, &run, sizeof run, r->err);
}

enum status
markdown_leaf_add_string(struct renderer *r, enum look look, const char *string)
{
    return markdown_leaf_add(r, look, string, strlen(string));
}

static bool
is_wide(const char *bytes, size_t length)
{
    uint32_t c;
    bool valid;

    if (length == 0 || (unsigned char) bytes[0] < 0x80)
        return false;
    utf8_next(bytes, length, &c, &valid);
    return text_width_of(c) == 2;
}

/* A line's end in a paragraph is a blank, but not between wide characters. */
enum status
markdown_leaf_settle_break(struct renderer *r, const char *bytes, size_t length)
{
    const struct buffer *text = &r->text;
    size_t last = text->length;

    if (r->after_display) {
        r->after_display = false;
        r->soft_break = false;
        if (length > 0 && strchr(".,;:", bytes[0]) == NULL)
            return markdown_leaf_add_string(r, LOOK_PLAIN, "\n");
        return STATUS_OK;
    }
    if (!r->soft_break)
        return STATUS_OK;
    r->soft_break = false;
    while (last > r->begin &&
           ((unsigned char) text->data[--last] & 0xC0) == 0x80)
        ;
    if (text->length > r->begin &&
        is_wide(text->data + last, text->length - last) &&
        is_wide(bytes, length))
        return STATUS_OK;
    return markdown_leaf_add_string(r, markdown_leaf_look(r), " ");
}

enum status
markdown_leaf_add_plain(struct renderer *r, const char *bytes, size_t length)
{
    size_t from = 0;

    for (size_t i = 0; i <= length; i++) {
        while (i < length && (unsigned char) bytes[i] >= 0x20)
            i++;
        char c = i < length ? bytes[i] : '\0';
        bool tab = (c == '\t' || c == '\n') && !r->code;

        if (i < length && c != FLOW_MARK_OPEN[0] && c != FLOW_MARK_CLOSE[0] &&
            !tab)
            continue;
        TRY(markdown_leaf_add(r, markdown_leaf_look(r), bytes + from,
                              i - from));
        from = i + 1;
        if (tab)
            TRY(markdown_leaf_add_string(r, markdown_leaf_look(r), " "));
        else if (i < length)
            r->in_mark = c == FLOW_MARK_OPEN[0];
    }
    return STATUS_OK;
}

/* Lines of a formula on its own, each a line of the paragraph. */
static enum status
add_display(struct renderer *r, const char *text, size_t length)
{
    size_t at = 0;

    if (r->text.length > r->begin && r->text.data[r->text.length - 1] != '\n')
        TRY(markdown_leaf_add_string(r, LOOK_PLAIN, "\n"));
    while (at < length) {
        const char *newline = memchr(text + at, '\n', length - at);
        size_t end = newline ? (size_t) (newline - text) : length;

        TRY(markdown_leaf_add_string(r, LOOK_PLAIN, at > 0 ? "\n  " : "  "));
        TRY(markdown_leaf_add(r, markdown_leaf_look(r), text + at, end - at));
        at = end + 1;
    }
    r->soft_break = false;
    r->after_display = true;
    return STATUS_OK;
}

static enum status
add_formula(struct renderer *r, const struct formula *formula)
{
    struct buffer written = {0};
    bool display = formula->kind == FORMULA_DISPLAY && r->columns == 0;
    bool understood = false;

    if (formula->kind == FORMULA_BREAK) {
        r->soft_break = false;
        return markdown_leaf_add_string(r, markdown_leaf_look(r),
                                        r->columns > 0 ? " / " : "\n");
    }
    enum status status = latex_write(&written, formula->text, formula->length,
                                     display, &understood, r->err);

    if (status == STATUS_OK && !understood)
        status =
            markdown_leaf_add_plain(r, formula->typed, formula->typed_length);
    else if (status == STATUS_OK && display)
        status = add_display(r, written.data, written.length);
    else if (status == STATUS_OK)
        status = markdown_leaf_add_plain(r, written.data, written.length);
    buffer_release(&written);
    return status;
}

/* Code that a formula goes through is not what was typed. */
static enum status
tear_code(struct renderer *r)
{
    r->torn_code = true;
    return error_set(r->err, STATUS_LIMIT, "a formula goes beyond a line");
}

static enum status
add_placeholder(struct renderer *r, const char *bytes, size_t length,
                size_t *taken)
{
    const struct formula *formula = formulas_at(&r->formulas, bytes, length);

    *taken = formula ? FORMULA_BYTES : 3;
    if (formula == NULL)
        return STATUS_OK;
    if (r->code && memchr(formula->typed, '\n', formula->typed_length))
        return tear_code(r);
    if (r->code || r->coded > 0 || r->links > 0)
        return markdown_leaf_add_plain(r, formula->typed,
                                       formula->typed_length);
    return add_formula(r, formula);
}

static const char *
find_placeholder(const struct renderer *r, const char *bytes, size_t length)
{
    return r->has_formulas && length > 0
               ? memmem(bytes, length, FORMULA_BEGIN, 3)
               : NULL;
}

enum status
markdown_leaf_add_text(struct renderer *r, const char *bytes, size_t length)
{
    const char *end = bytes + length, *found;

    while ((found = find_placeholder(r, bytes, (size_t) (end - bytes)))) {
        size_t taken;

        TRY(markdown_leaf_add_plain(r, bytes, (size_t) (found - bytes)));
        TRY(add_placeholder(r, found, (size_t) (end - found), &taken));
        bytes = found + taken;
    }
    return markdown_leaf_add_plain(r, bytes, (size_t) (end - bytes));
}

enum status
markdown_leaf_label(struct renderer *r, const char *bytes, size_t length,
                    struct buffer *out)
{
    const char *end = bytes + length, *found;

    while ((found = find_placeholder(r, bytes, (size_t) (end - bytes)))) {
        const struct formula *formula =
            formulas_at(&r->formulas, found, (size_t) (end - found));

        if (formula == NULL)
            break;
        if (memchr(formula->typed, '\n', formula->typed_length))
            return tear_code(r);
        TRY(buffer_append(out, bytes, (size_t) (found - bytes), r->err));
        TRY(buffer_append(out, formula->typed, formula->typed_length, r->err));
        bytes = found + FORMULA_BYTES;
    }
    return buffer_append(out, bytes, (size_t) (end - bytes), r->err);
}

bool
markdown_is_parsed(const struct renderer *r, const char *text)
{
    return text >= r->parsed && text < r->parsed + r->parsed_length;
}

enum status
markdown_leaf_add_anchor(struct renderer *r, const char *text)
{
    if (!markdown_is_parsed(r, text))
        return STATUS_OK;
    size_t parsed = (size_t) (text - r->parsed);
    struct text_anchor anchor = {r->text.length, parsed,
                                 markdown_source(r, parsed)};

    return buffer_append(&r->anchors, &anchor, sizeof anchor, r->err);
}

void
markdown_leaf_clear(struct renderer *r)
{
    buffer_clear(&r->text);
    r->runs.length = r->anchors.length = r->begin = 0;
    r->soft_break = r->after_display = r->in_mark = false;
}

enum status
markdown_leaf_put(struct renderer *r, bool words, unsigned code)
{
    const void *runs = r->runs.data;
    const struct look_run *run = runs;
    struct look_run *split =
        r->runs.data ? (struct look_run *) (void *) r->runs.data : NULL;
    size_t from = 0, at_run = 0;

    while (true) {
        const char *text = r->text.length > 0 ? r->text.data + from : "";
        const char *newline = r->text.length > from
                                  ? memchr(text, '\n', r->text.length - from)
                                  : NULL;
        size_t length =
            newline ? (size_t) (newline - text) : r->text.length - from;
        struct flow flow = {text, length, run ? run + at_run : NULL,
                            r->runs.length / sizeof *run - at_run, LOOK_PLAIN};
        struct flow_form form = markdown_nest_form(r, words);

        form.code = code;
        r->begin = from;
        TRY(flow_lines(&flow, &form, r->err));
        if (newline == NULL)
            break;
        // the next line begins inside of some run: that loses its beginning
        for (size_t skip = length + 1; split && skip > 0;) {
            size_t n = split[at_run].length;

            if (n > skip)
                split[at_run].length -= (uint32_t) skip;
            else
                at_run++;
            skip -= n < skip ? n : skip;
        }
        from += length + 1;
        if (from == r->text.length)
            break;
    }
    return STATUS_OK;
}
