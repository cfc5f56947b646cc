/*
 * md4c calls back with blocks, spans and texts. The text of a leaf (paragraph,
 * heading, line of code, cell) is gathered with its looks and becomes lines
 * when the leaf ends; lists and quotes are what stands before those.
 */
#include "config.h"

#include "ui/text/markdown.h"

#include "ui/screen/canvas.h"
#include "ui/text/entity.h"
#include "ui/text/formula.h"
#include "ui/text/latex.h"
#include "ui/text/link_definition.h"
#include "ui/text/table_layout.h"

#include <md4c.h>
#include <stdio.h>
#include <string.h>

enum {
    LEAST_TEXT = 8, // columns that lists and quotes leave for the text
    LIST_INDENT = 2,
    BULLET_BYTES = 24,
    HREF_BYTES = 2048,
};

/* What lies around a leaf. */
struct container {
    enum { IN_LIST, IN_ITEM, IN_QUOTE } kind;
    char bullet[BULLET_BYTES];
    unsigned columns; // that it takes before each line
    bool tight, ordered;
    unsigned number; // of the next item
    char delimiter;
};

/* Where a place of the leaf's text comes from. */
struct text_anchor {
    size_t text, parsed, source;
};

struct renderer {
    struct document *document;
    const struct markdown_block *block;
    const char *parsed; // what md4c was given
    size_t parsed_length;
    struct formulas formulas;
    bool has_formulas;
    struct buffer containers; // struct container
    size_t fresh;             // containers from here on have no line yet
    bool begun;               // some line of this block is written
    bool code_last;           // nothing came after a block of code
    size_t text_end;          // of the last leaf, in what was parsed; or 0
    size_t code_begin;        // of the fence at hand, likewise

    // the leaf in hand
    struct buffer text, runs, anchors;
    size_t begin;    // of it in text; cells share one
    bool in_mark;    // between the marks of the sanitiser
    bool soft_break; // waits for what follows
    bool after_display;
    bool heading, header, code, indented;
    const struct code_language *language; // of the code, or NULL
    unsigned code_inside;                 // as code_looks leaves it
    bool keep_breaks;
    unsigned strong, emphasis, deleted, coded, links;
    size_t link_begin;

    struct buffer cells; // struct table_cell
    size_t columns;      // of the table

    enum status status;
    struct error *err;
};

static size_t
depth(const struct renderer *r)
{
    return r->containers.length / sizeof(struct container);
}

static struct container *
container_at(const struct renderer *r, size_t i)
{
    void *containers = r->containers.data;

    return (struct container *) containers + i;
}

static enum status
push(struct renderer *r, const struct container *container)
{
    return buffer_append(&r->containers, container, sizeof *container, r->err);
}

static void
pop(struct renderer *r)
{
    r->containers.length -= sizeof(struct container);
    if (r->fresh > depth(r))
        r->fresh = depth(r);
}

static struct container *
innermost_list(const struct renderer *r)
{
    for (size_t i = depth(r); i > 0; i--)
        if (container_at(r, i - 1)->kind == IN_LIST)
            return container_at(r, i - 1);
    return NULL;
}

/* The first container whose prefix is shown: the inner ones, as many as fit. */
static size_t
first_shown(const struct renderer *r, unsigned *columns)
{
    unsigned most = r->document->columns - LEAST_TEXT;
    size_t i = depth(r);

    if (most > r->document->columns / 2)
        most = r->document->columns / 2;
    *columns = 0;
    while (i > 0 && *columns + container_at(r, i - 1)->columns <= most)
        *columns += container_at(r, --i)->columns;
    return i;
}

static unsigned
room(const struct renderer *r)
{
    unsigned used;

    first_shown(r, &used);
    return r->document->columns - used;
}

static enum status
put_prefix(struct renderer *r)
{
    struct line_store *lines = &r->document->lines;
    unsigned columns;

    for (size_t i = first_shown(r, &columns); i < depth(r); i++) {
        const struct container *c = container_at(r, i);

        if (c->kind == IN_QUOTE || (c->kind == IN_ITEM && i >= r->fresh))
            TRY(line_store_put(lines, LOOK_DIM, c->bullet, strlen(c->bullet),
                               c->columns, r->err));
        else
            TRY(line_store_blanks(lines, LOOK_PLAIN, c->columns, r->err));
    }
    r->fresh = depth(r);
    return STATUS_OK;
}

/* The place in the source of a place of what was parsed. */
static size_t
source_of(const struct renderer *r, size_t parsed)
{
    if (r->has_formulas)
        parsed = offset_map_find(&r->formulas.origin, parsed);
    // definitions of links stand behind the block
    if (parsed > r->block->length)
        parsed = r->block->length;
    return document_origin(r->document, r->document->now.at + parsed);
}

static size_t
anchor_before(const struct renderer *r, size_t text)
{
    const void *data = r->anchors.data;
    const struct text_anchor *anchors = data;
    size_t low = 0, high = r->anchors.length / sizeof *anchors;

    if (high == 0)
        return source_of(r, 0);
    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (anchors[middle].text <= text)
            low = middle;
        else
            high = middle;
    }
    size_t place = anchors[low].source +
                   (text > anchors[low].text ? text - anchors[low].text : 0);

    // what we put in may be longer than what it stands for
    size_t end =
        document_origin(r->document, r->document->now.at + r->block->length);

    return place < end ? place : end;
}

static enum status
begin_line(void *owner, size_t offset, struct error *err)
{
    struct renderer *r = owner;

    (void) err;
    r->document->lines.open.source = anchor_before(r, r->begin + offset);
    return put_prefix(r);
}

/* A table's offsets count from the start of the text. */
static enum status
begin_row(void *owner, size_t offset, struct error *err)
{
    struct renderer *r = owner;

    r->begin = 0;
    return begin_line(owner, offset, err);
}

static struct flow_form
form_of(struct renderer *r, bool words)
{
    return (struct flow_form){
        .store = &r->document->lines,
        .columns = r->document->columns,
        .words = words,
        .begin = begin_line,
        .owner = r,
    };
}

/* Is there a line of blanks, and bars of quotes, in this part? */
static bool
has_blank_line(const char *bytes, const char *end)
{
    const char *newline = memchr(bytes, '\n', (size_t) (end - bytes));

    while (newline != NULL) {
        const char *at = newline + 1;

        while (at < end && (*at == ' ' || *at == '\t' || *at == '>'))
            at++;
        if (at < end && *at == '\n')
            return true;
        newline = memchr(at, '\n', (size_t) (end - at));
    }
    return false;
}

/*
 * Whether an empty line stands before this leaf: as in the source, or, where
 * that is not known, unless the list is a tight one.
 */
static bool
wants_gap(const struct renderer *r)
{
    const void *data = r->anchors.data;
    const struct text_anchor *first = data;
    const struct container *list = innermost_list(r);
    size_t begin = r->anchors.length > 0 ? first->parsed : r->code_begin;

    if (r->text_end > 0 && begin > r->text_end)
        return has_blank_line(r->parsed + r->text_end, r->parsed + begin);
    return list == NULL || !list->tight;
}

/* An empty line between two leaves. */
static enum status
put_gap(struct renderer *r, bool wanted)
{
    struct document *d = r->document;
    size_t bars = 0;

    if (!r->begun) {
        r->begun = true;
        return document_gap(d, wanted, r->err);
    }
    if (!wants_gap(r))
        return STATUS_OK;
    line_store_begin(&d->lines);
    d->lines.open.source = anchor_before(r, r->begin);
    unsigned columns;

    // the bars of quotes go through, blanks do not
    for (size_t i = first_shown(r, &columns), owed = 0;
         i < depth(r) && i < r->fresh; i++) {
        const struct container *c = container_at(r, i);

        if (c->kind != IN_QUOTE) {
            owed += c->columns;
            continue;
        }
        TRY(line_store_blanks(&d->lines, LOOK_PLAIN,
                              (unsigned) (owed + (bars++ > 0)), r->err));
        TRY(line_store_put(&d->lines, LOOK_DIM, c->bullet, 1, 1, r->err));
        owed = 0;
    }
    return line_store_end(&d->lines, r->err);
}

static enum look
look_now(const struct renderer *r)
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
static enum status
add(struct renderer *r, enum look look, const char *bytes, size_t length)
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

static enum status
add_string(struct renderer *r, enum look look, const char *string)
{
    return add(r, look, string, strlen(string));
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
static enum status
settle_break(struct renderer *r, const char *bytes, size_t length)
{
    const struct buffer *text = &r->text;
    size_t last = text->length;

    if (r->after_display) {
        r->after_display = false;
        r->soft_break = false;
        if (length > 0 && strchr(".,;:", bytes[0]) == NULL)
            return add_string(r, LOOK_PLAIN, "\n");
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
    return add_string(r, look_now(r), " ");
}

/* Text as it is, but for the sanitiser's marks, and for tabs and newlines. */
static enum status
add_plain(struct renderer *r, const char *bytes, size_t length)
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
        TRY(add(r, look_now(r), bytes + from, i - from));
        from = i + 1;
        if (tab)
            TRY(add_string(r, look_now(r), " "));
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
        TRY(add_string(r, LOOK_PLAIN, "\n"));
    while (at < length) {
        const char *newline = memchr(text + at, '\n', length - at);
        size_t end = newline ? (size_t) (newline - text) : length;

        TRY(add_string(r, LOOK_PLAIN, at > 0 ? "\n  " : "  "));
        TRY(add(r, look_now(r), text + at, end - at));
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
        return add_string(r, look_now(r), r->columns > 0 ? " / " : "\n");
    }
    enum status status = latex_write(&written, formula->text, formula->length,
                                     display, &understood, r->err);

    if (status == STATUS_OK && !understood)
        status = add_plain(r, formula->typed, formula->typed_length);
    else if (status == STATUS_OK && display)
        status = add_display(r, written.data, written.length);
    else if (status == STATUS_OK)
        status = add_plain(r, written.data, written.length);
    buffer_release(&written);
    return status;
}

static enum status
add_placeholder(struct renderer *r, const char *bytes, size_t length,
                size_t *taken)
{
    const struct formula *formula = formulas_at(&r->formulas, bytes, length);

    *taken = formula ? FORMULA_BYTES : 3;
    if (formula == NULL)
        return STATUS_OK;
    if (r->code || r->coded > 0 || r->links > 0)
        return add_plain(r, formula->typed, formula->typed_length);
    return add_formula(r, formula);
}

static const char *
find_placeholder(const struct renderer *r, const char *bytes, size_t length)
{
    return r->has_formulas && length > 0
               ? memmem(bytes, length, FORMULA_BEGIN, 3)
               : NULL;
}

static enum status
add_text(struct renderer *r, const char *bytes, size_t length)
{
    const char *end = bytes + length, *found;

    while ((found = find_placeholder(r, bytes, (size_t) (end - bytes)))) {
        size_t taken;

        TRY(add_plain(r, bytes, (size_t) (found - bytes)));
        TRY(add_placeholder(r, found, (size_t) (end - found), &taken));
        bytes = found + taken;
    }
    return add_plain(r, bytes, (size_t) (end - bytes));
}

static bool
is_parsed(const struct renderer *r, const char *text)
{
    return text >= r->parsed && text < r->parsed + r->parsed_length;
}

static enum status
add_anchor(struct renderer *r, const char *text)
{
    if (!is_parsed(r, text))
        return STATUS_OK;
    size_t parsed = (size_t) (text - r->parsed);
    struct text_anchor anchor = {r->text.length, parsed, source_of(r, parsed)};

    return buffer_append(&r->anchors, &anchor, sizeof anchor, r->err);
}

static void
clear_leaf(struct renderer *r)
{
    buffer_clear(&r->text);
    r->runs.length = r->anchors.length = r->begin = 0;
    r->soft_break = r->after_display = r->in_mark = false;
}

/* The leaf's text as lines; newlines in it are breaks that stay. */
static enum status
put_leaf(struct renderer *r, bool words, unsigned code)
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
        struct flow_form form = form_of(r, words);

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

/* A leaf of text ends, if there is one. */
static enum status
end_text(struct renderer *r)
{
    if (r->columns > 0 || r->code || r->text.length == 0) {
        r->soft_break = false;
        return STATUS_OK;
    }
    TRY(put_gap(r, false));
    r->code_last = false;
    TRY(put_leaf(r, true, 0));
    const void *data = r->anchors.data;
    const struct text_anchor *anchors = data;
    size_t count = r->anchors.length / sizeof *anchors;

    r->text_end = count > 0 ? anchors[count - 1].parsed : 0;
    clear_leaf(r);
    return STATUS_OK;
}

static enum status
put_rule(struct renderer *r)
{
    struct line_store *lines = &r->document->lines;
    const char *glyph = canvas_glyph(GLYPH_RULE);

    TRY(put_gap(r, false));
    r->code_last = false;
    r->text_end = 0;
    line_store_begin(lines);
    TRY(begin_line(r, 0, r->err));
    unsigned width = (unsigned) text_columns(glyph, strlen(glyph));

    while (lines->open.columns + width <= r->document->columns)
        TRY(line_store_put(lines, LOOK_DIM, glyph, strlen(glyph), width,
                           r->err));
    return line_store_end(lines, r->err);
}

static enum status
enter_list(struct renderer *r, bool ordered, unsigned start, bool tight,
           char delimiter)
{
    struct container list = {
        .kind = IN_LIST,
        .columns = innermost_list(r) == NULL ? LIST_INDENT : 0,
        .tight = tight,
        .ordered = ordered,
        .number = start,
        .delimiter = delimiter,
    };

    return push(r, &list);
}

static enum status
enter_item(struct renderer *r, const MD_BLOCK_LI_DETAIL *detail)
{
    struct container *list = innermost_list(r);
    struct container item = {.kind = IN_ITEM};
    const char *task = !detail->is_task           ? ""
                       : detail->task_mark == ' ' ? "[ ] "
                                                  : "[x] ";

    if (list->ordered)
        snprintf(item.bullet, sizeof item.bullet, "%u%c %s", list->number++,
                 list->delimiter, task);
    else
        snprintf(item.bullet, sizeof item.bullet, "- %s", task);
    item.columns = (unsigned) strlen(item.bullet);
    return push(r, &item);
}

static enum status
leave_item(struct renderer *r)
{
    TRY(end_text(r));
    // an empty item shows its bullet
    if (r->fresh < depth(r)) {
        TRY(put_gap(r, false));
        line_store_begin(&r->document->lines);
        TRY(begin_line(r, 0, r->err));
        TRY(line_store_end(&r->document->lines, r->err));
    }
    pop(r);
    return STATUS_OK;
}

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

static enum status
enter_code(struct renderer *r, const MD_BLOCK_CODE_DETAIL *detail)
{
    struct flow_form form = form_of(r, false);

    r->code_begin = find_fence(r, detail->fence_char);
    TRY(put_gap(r, true));
    r->code_begin = 0;
    TRY(document_code_begin(
        r->document, detail->fence_char != 0 ? detail->info.text : "",
        detail->fence_char != 0 ? detail->info.size : 0, &form, r->err));
    struct code_record *code = document_code_last(r->document);

    code->copied = true;
    r->language = code_language_find(r->document->code_text.data + code->label,
                                     code->label_length);
    r->code_inside = 0;
    r->code = true;
    r->indented = detail->fence_char == 0;
    clear_leaf(r);
    return STATUS_OK;
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
    TRY(put_leaf(r, false, number));
    clear_leaf(r);
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

/* Blanks that md4c made up, or the end of a line, or what was typed. */
static enum status
code_text(struct renderer *r, const char *text, size_t length)
{
    struct document *d = r->document;

    if (!is_parsed(r, text)) {
        if (length == 1 && text[0] == '\n') {
            TRY(keep_code(r, "\n", 1));
            return end_code_line(r);
        }
        TRY(keep_code(r, text, length));
        return add_plain(r, text, length);
    }
    size_t made = r->text.length;
    size_t indent = made > 0 ? typed_indent(r, text, made) : 0;

    if (indent > 0 && memchr(text - indent, '\t', indent) != NULL) {
        struct code_record *code = document_code_last(d);

        d->code_text.length -= made;
        code->length -= made;
        clear_leaf(r);
        TRY(keep_code(r, text - indent, indent));
        TRY(add_plain(r, text - indent, indent));
    }
    TRY(add_anchor(r, text));
    size_t at = (size_t) (text - r->parsed);

    r->text_end = at + length;
    size_t from = source_of(r, at), to = source_of(r, at + length);

    // a CR before the LF is not in what was parsed
    if (to + 1 < d->source.length &&
        memcmp(d->source.data + to, "\r\n", 2) == 0)
        to++;
    TRY(keep_code(r, d->source.data + from, to - from));
    return add_text(r, text, length);
}

static enum status
leave_code(struct renderer *r)
{
    if (r->text.length > 0)
        TRY(end_code_line(r));
    struct code_record *code = document_code_last(r->document);

    code->open = false;
    r->code = false;
    r->code_last = true;
    return STATUS_OK;
}

static enum status
enter_cell(struct renderer *r, const MD_BLOCK_TD_DETAIL *detail)
{
    struct table_cell cell = {
        .text = r->text.length,
        .run = r->runs.length / sizeof(struct look_run),
        .align = detail->align == MD_ALIGN_RIGHT    ? TABLE_RIGHT
                 : detail->align == MD_ALIGN_CENTER ? TABLE_CENTRE
                                                    : TABLE_LEFT,
    };
    size_t count = r->cells.length / sizeof cell;

    // cells that nobody wrote may be many more than those that somebody did
    if (count > r->block->length + 1000)
        return error_set(r->err, STATUS_LIMIT, "a table has too many cells");
    r->begin = cell.text;
    r->soft_break = false;
    return buffer_append(&r->cells, &cell, sizeof cell, r->err);
}

static void
leave_cell(struct renderer *r)
{
    void *end = r->cells.data + r->cells.length;
    struct table_cell *cell = (struct table_cell *) end - 1;

    cell->length = r->text.length - cell->text;
    cell->runs = r->runs.length / sizeof(struct look_run) - cell->run;
}

static enum status
leave_table(struct renderer *r)
{
    const void *cells = r->cells.data, *runs = r->runs.data;
    struct flow_form form = form_of(r, true);
    size_t count = r->cells.length / sizeof(struct table_cell);

    form.begin = begin_row;
    r->begin = 0;
    TRY(put_gap(r, true));
    r->code_last = false;
    if (r->text.length == 0)
        TRY(buffer_append(&r->text, "", 0, r->err));
    struct table table = {r->text.data,       runs,       cells,
                          count / r->columns, r->columns, room(r)};

    TRY(table_lay_out(&table, &form, r->err));
    r->columns = 0;
    r->cells.length = 0;
    r->text_end = 0;
    clear_leaf(r);
    return STATUS_OK;
}

static enum status
enter_table(struct renderer *r, const MD_BLOCK_TABLE_DETAIL *detail)
{
    r->cells.length = 0;
    clear_leaf(r);
    r->columns = detail->col_count;
    return STATUS_OK;
}

static enum status
enter_block(struct renderer *r, MD_BLOCKTYPE type, const void *detail)
{
    static const struct container quote = {
        .kind = IN_QUOTE, .bullet = "> ", .columns = 2};
    const MD_BLOCK_UL_DETAIL *ul = detail;
    const MD_BLOCK_OL_DETAIL *ol = detail;

    TRY(end_text(r));
    switch (type) {
    case MD_BLOCK_QUOTE:
        return push(r, &quote);
    case MD_BLOCK_UL:
        return enter_list(r, false, 0, ul->is_tight != 0, 0);
    case MD_BLOCK_OL:
        return enter_list(r, true, ol->start, ol->is_tight != 0,
                          ol->mark_delimiter);
    case MD_BLOCK_LI:
        return enter_item(r, detail);
    case MD_BLOCK_HR:
        return put_rule(r);
    case MD_BLOCK_H:
        r->heading = true;
        return STATUS_OK;
    case MD_BLOCK_CODE:
        return enter_code(r, detail);
    case MD_BLOCK_TABLE:
        return enter_table(r, detail);
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        r->header = type == MD_BLOCK_TH;
        return enter_cell(r, detail);
    case MD_BLOCK_DOC:
    case MD_BLOCK_HTML:
    case MD_BLOCK_P:
    case MD_BLOCK_THEAD:
    case MD_BLOCK_TBODY:
    case MD_BLOCK_TR:
        break;
    }
    return STATUS_OK;
}

static enum status
leave_block(struct renderer *r, MD_BLOCKTYPE type)
{
    switch (type) {
    case MD_BLOCK_LI:
        return leave_item(r);
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
    case MD_BLOCK_QUOTE:
        TRY(end_text(r));
        pop(r);
        return STATUS_OK;
    case MD_BLOCK_H:
        TRY(end_text(r));
        r->heading = false;
        return STATUS_OK;
    case MD_BLOCK_CODE:
        return leave_code(r);
    case MD_BLOCK_TABLE:
        return leave_table(r);
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        leave_cell(r);
        r->header = false;
        return STATUS_OK;
    case MD_BLOCK_DOC:
    case MD_BLOCK_HR:
    case MD_BLOCK_HTML:
    case MD_BLOCK_P:
    case MD_BLOCK_THEAD:
    case MD_BLOCK_TBODY:
    case MD_BLOCK_TR:
        break;
    }
    return end_text(r);
}

/* The address of a link without our marks, placeholders resolved. */
static size_t
address_of(const struct renderer *r, const MD_ATTRIBUTE *href, char *out)
{
    size_t length = 0;

    for (size_t i = 0; i < href->size && length < HREF_BYTES; i++) {
        const struct formula *formula =
            r->has_formulas
                ? formulas_at(&r->formulas, href->text + i, href->size - i)
                : NULL;

        if (formula && formula->typed_length <= HREF_BYTES - length) {
            memcpy(out + length, formula->typed, formula->typed_length);
            length += formula->typed_length;
            i += FORMULA_BYTES - 1;
        } else if ((unsigned char) href->text[i] >= ' ') {
            out[length++] = href->text[i];
        }
    }
    return utf8_complete_prefix(out, length);
}

static bool
says_address(const struct renderer *r, const char *address, size_t length)
{
    const char *text = r->text.data + r->link_begin;
    size_t shown = r->text.length - r->link_begin;

    if (shown == 0 || shown > length)
        return false;
    // "mailto:" and "http://" before it may be left out
    return memcmp(address + length - shown, text, shown) == 0 &&
           (shown == length || address[length - shown - 1] == ':' ||
            address[length - shown - 1] == '/');
}

static enum status
add_address(struct renderer *r, const MD_ATTRIBUTE *href)
{
    char address[HREF_BYTES + 4] = "";
    size_t length = address_of(r, href, address);

    if (length == 0 || address[0] == '#' ||
        (r->text.length > 0 && says_address(r, address, length)))
        return STATUS_OK;
    TRY(add_string(r, LOOK_DIM, r->text.length > r->begin ? " <" : "<"));
    for (size_t i = 0; i < length; i++)
        if (address[i] == '\n')
            address[i] = ' ';
    TRY(add(r, LOOK_DIM, address, length));
    return add_string(r, LOOK_DIM, ">");
}

static enum status
enter_span(struct renderer *r, MD_SPANTYPE type)
{
    TRY(settle_break(r, "x", 1));
    r->emphasis += type == MD_SPAN_EM;
    r->strong += type == MD_SPAN_STRONG;
    r->coded += type == MD_SPAN_CODE;
    if (type == MD_SPAN_A) {
        r->links++;
        r->link_begin = r->text.length;
    }
    if (type == MD_SPAN_IMG)
        return add_string(r, look_now(r), "[image: ");
    if (type == MD_SPAN_DEL) {
        r->deleted++;
        return add_string(r, look_now(r), "~~");
    }
    return STATUS_OK;
}

static enum status
leave_span(struct renderer *r, MD_SPANTYPE type, const void *detail)
{
    const MD_SPAN_A_DETAIL *a = detail;
    const MD_SPAN_IMG_DETAIL *img = detail;

    r->emphasis -= type == MD_SPAN_EM;
    r->strong -= type == MD_SPAN_STRONG;
    r->coded -= type == MD_SPAN_CODE;
    if (type == MD_SPAN_A) {
        r->links--;
        return add_address(r, &a->href);
    }
    if (type == MD_SPAN_IMG) {
        TRY(add_string(r, look_now(r), "]"));
        r->link_begin = r->text.length;
        return add_address(r, &img->src);
    }
    if (type == MD_SPAN_DEL) {
        TRY(add_string(r, look_now(r), "~~"));
        r->deleted--;
    }
    return STATUS_OK;
}

static enum status
take_text(struct renderer *r, MD_TEXTTYPE type, const char *text, size_t length)
{
    char decoded[8];

    if (r->code)
        return code_text(r, text, length);
    if (type == MD_TEXT_BR || (type == MD_TEXT_SOFTBR && r->keep_breaks)) {
        TRY(settle_break(r, "", 0));
        return add_string(r, LOOK_PLAIN, r->columns > 0 ? " " : "\n");
    }
    if (type == MD_TEXT_SOFTBR) {
        r->soft_break = true;
        return STATUS_OK;
    }
    TRY(settle_break(r, text, length));
    TRY(add_anchor(r, text));
    if (type == MD_TEXT_ENTITY) {
        size_t n = entity_decode(decoded, text, length);

        return n > 0 ? add_plain(r, decoded, n) : add_plain(r, text, length);
    }
    return add_text(r, text, length);
}

static int
on_enter_block(MD_BLOCKTYPE type, void *detail, void *renderer)
{
    struct renderer *r = renderer;

    if (r->status == STATUS_OK)
        r->status = enter_block(r, type, detail);
    return r->status != STATUS_OK;
}

static int
on_leave_block(MD_BLOCKTYPE type, void *detail, void *renderer)
{
    struct renderer *r = renderer;

    (void) detail;
    if (r->status == STATUS_OK)
        r->status = leave_block(r, type);
    return r->status != STATUS_OK;
}

static int
on_enter_span(MD_SPANTYPE type, void *detail, void *renderer)
{
    struct renderer *r = renderer;

    (void) detail;
    if (r->status == STATUS_OK)
        r->status = enter_span(r, type);
    return r->status != STATUS_OK;
}

static int
on_leave_span(MD_SPANTYPE type, void *detail, void *renderer)
{
    struct renderer *r = renderer;

    if (r->status == STATUS_OK)
        r->status = leave_span(r, type, detail);
    return r->status != STATUS_OK;
}

static int
on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE length, void *renderer)
{
    struct renderer *r = renderer;

    if (r->status == STATUS_OK)
        r->status = take_text(r, type, text, length);
    return r->status != STATUS_OK;
}

static const MD_PARSER parser = {
    .flags = MD_FLAG_COLLAPSEWHITESPACE | MD_FLAG_NOHTML | MD_FLAG_TABLES |
             MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS |
             MD_FLAG_PERMISSIVEURLAUTOLINKS,
    .enter_block = on_enter_block,
    .leave_block = on_leave_block,
    .enter_span = on_enter_span,
    .leave_span = on_leave_span,
    .text = on_text,
};

/* Whether the line below a table's header has less than three dashes a cell. */
static bool
has_short_ruler(const struct markdown_block *block, const char *text,
                size_t *begin)
{
    size_t dashes = 0;
    bool found = false;

    if (block->kind != BLOCK_TABLE)
        return false;
    *begin = 0;
    while (text[*begin] != '\n')
        ++*begin;
    for (size_t i = ++*begin; i <= block->length; i++) {
        char c = i < block->length ? text[i] : '\n';

        found = found || (c != '-' && dashes > 0 && dashes < 3);
        dashes = c == '-' ? dashes + 1 : 0;
        if (c == '\n')
            break;
    }
    return found;
}

/* md4c wants three dashes at least; others are content with one. */
static enum status
widen_ruler(struct buffer *text, size_t begin, struct error *err)
{
    struct buffer wide = {0};
    enum status status = buffer_append(&wide, text->data, begin, err);
    size_t i = begin;

    for (; i < text->length && text->data[i] != '\n' && status == STATUS_OK;
         i++)
        status =
            text->data[i] == '-' && (i == begin || text->data[i - 1] != '-')
                ? buffer_append(&wide, "---", 3, err)
                : buffer_append(&wide, text->data + i, 1, err);
    if (status == STATUS_OK)
        status = buffer_append(&wide, text->data + i, text->length - i, err);
    if (status != STATUS_OK) {
        buffer_release(&wide);
        return status;
    }
    buffer_release(text);
    *text = wide;
    return STATUS_OK;
}

/* Is there `first`, and one of `seconds` right behind it? */
static bool
has_pair(const char *text, size_t length, char first, const char *seconds)
{
    const char *end = text + length;

    while ((text = memchr(text, first, (size_t) (end - text))) != NULL) {
        text++;
        if (text < end && *text != '\0' && strchr(seconds, *text) != NULL)
            return true;
    }
    return false;
}

/* Gives md4c the block, with placeholders and definitions where need be. */
static enum status
prepare(struct renderer *r, const char *text)
{
    struct document *d = r->document;
    size_t length = r->block->length;

    r->parsed = text;
    r->parsed_length = length;
    bool defined = d->resolve && memchr(text, '[', length) != NULL;
    bool marked = defined || memchr(text, '$', length) != NULL ||
                  has_pair(text, length, '\\', "([") ||
                  has_pair(text, length, '<', "bB") ||
                  memmem(text, length, FORMULA_BEGIN, 3) != NULL;

    size_t ruler = 0;
    bool is_short = has_short_ruler(r->block, text, &ruler);

    if (!marked && !is_short)
        return STATUS_OK;
    TRY(formulas_find(&r->formulas, text, length, r->block->kind == BLOCK_TABLE,
                      r->err));
    r->has_formulas = true;
    if (is_short) {
        const char *newline =
            memchr(r->formulas.text.data, '\n', r->formulas.text.length);

        // placeholders in the header have moved it
        ruler = (size_t) (newline - r->formulas.text.data) + 1;
        TRY(widen_ruler(&r->formulas.text, ruler, r->err));
    }
    if (defined)
        TRY(link_definitions_add(d, text, length, &r->formulas.text, r->err));
    r->parsed = r->formulas.text.data;
    r->parsed_length = r->formulas.text.length;
    return STATUS_OK;
}

/* Text that asks too much of the parser is shown as it is. */
static enum status
put_as_it_is(struct renderer *r, const char *text)
{
    const struct markdown_block *block = r->block;

    r->containers.length = 0;
    for (size_t at = 0; at < block->length;) {
        const char *newline = memchr(text + at, '\n', block->length - at);
        size_t end = newline ? (size_t) (newline - text) : block->length;
        struct flow flow = {.text = text + at, .length = end - at};
        struct flow_form form = form_of(r, true);

        r->anchors.length = 0;
        TRY(add_anchor(r, r->parsed + at));
        TRY(flow_lines(&flow, &form, r->err));
        at = end + 1;
    }
    return STATUS_OK;
}

/* Tables wait for their end; so does a first line that may be one's. */
static bool
is_waiting_table(const struct markdown_block *block, const char *text)
{
    const char *newline = memchr(text, '\n', block->length);

    if (block->closed)
        return false;
    return block->kind == BLOCK_TABLE ||
           (text[0] == '|' &&
            (newline == NULL || newline == text + block->length - 1));
}

static enum status
put_waiting_table(struct renderer *r, const char *text)
{
    struct line_store *lines = &r->document->lines;
    char words[64];
    size_t rows = 0;

    for (size_t i = 0; i < r->block->length; i++)
        rows += text[i] == '\n';
    rows = rows > 2 ? rows - 2 : 0;
    int n = snprintf(words, sizeof words, "[table, %zu row%s so far]", rows,
                     rows == 1 ? "" : "s");
    size_t used, length = text_fit(words, (size_t) n, room(r), &used);

    TRY(put_gap(r, true));
    line_store_begin(lines);
    TRY(begin_line(r, 0, r->err));
    TRY(line_store_put(lines, LOOK_DIM, words, length, (unsigned) used,
                       r->err));
    return line_store_end(lines, r->err);
}

static enum status
parse(struct renderer *r, const char *text)
{
    struct document *d = r->document;

    if (is_waiting_table(r->block, text))
        return put_waiting_table(r, text);
    TRY(prepare(r, text));
    struct line_mark lines = line_store_mark(&d->lines);
    size_t codes = d->codes.length, code_text = d->code_text.length;
    struct reading before = d->now;

    d->work.parsed_bytes += r->parsed_length;
    if (md_parse(r->parsed, (MD_SIZE) r->parsed_length, &parser, r) == 0)
        return STATUS_OK;
    if (r->status == STATUS_NOMEM)
        return r->status;
    line_store_cut(&d->lines, lines);
    d->codes.length = codes;
    d->code_text.length = code_text;
    d->now = before;
    r->has_formulas = false;
    r->parsed = text;
    r->parsed_length = r->block->length;
    TRY(document_gap(d, false, r->err));
    return put_as_it_is(r, text);
}

static struct buffer
emptied(struct buffer buffer)
{
    buffer.length = 0;
    return buffer;
}

/* The buffers of the block before, as they are. */
static void
take_buffers(struct renderer *r)
{
    struct block_buffers *from = &r->document->block;

    r->containers = emptied(from->containers);
    r->text = emptied(from->text);
    r->runs = emptied(from->runs);
    r->anchors = emptied(from->anchors);
    r->cells = emptied(from->cells);
}

static void
give_back(struct renderer *r)
{
    formulas_release(&r->formulas);
    r->document->block = (struct block_buffers){
        .containers = r->containers,
        .text = r->text,
        .runs = r->runs,
        .anchors = r->anchors,
        .cells = r->cells,
    };
}

enum status
markdown_lay_out(struct document *d, const struct markdown_block *block,
                 struct error *err)
{
    const char *text = d->text.data + d->now.at;
    struct renderer r = {.document = d, .block = block, .err = err};

    take_buffers(&r);
    r.keep_breaks = text[0] == '<';
    d->work.laid_bytes += block->length;
    enum status status = parse(&r, text);

    if (status == STATUS_OK && !d->resolve)
        status = link_definitions_keep(d, text, block->length, err);
    if (status == STATUS_OK) {
        if (r.code_last && !block->closed)
            document_code_last(d)->open = true;
        d->now.wants_gap = r.code_last || block->kind == BLOCK_TABLE;
    }
    give_back(&r);
    return status;
}
