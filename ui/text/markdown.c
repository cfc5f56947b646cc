/*
 * md4c calls back with blocks, spans and texts. The text of a leaf is gathered
 * and becomes lines when the leaf ends.
 */
#include "config.h"

#include "ui/text/markdown.h"

#include "ui/screen/canvas.h"
#include "ui/text/entity.h"
#include "ui/text/link_definition.h"
#include "ui/text/markdown_parts.h"
#include "ui/text/table_layout.h"

#include <stdio.h>
#include <string.h>

enum {
    LIST_INDENT = 2,
    HREF_BYTES = 2048,
    ADDRESSES_FREE = 8192, // bytes in a block, besides its length
};

/* A leaf of text ends, if there is one. */
static enum status
end_text(struct renderer *r)
{
    if (r->columns > 0 || r->code || r->text.length == 0) {
        r->soft_break = false;
        return STATUS_OK;
    }
    TRY(markdown_nest_gap(r, false));
    r->code_last = false;
    TRY(markdown_leaf_put(r, true, 0));
    const void *data = r->anchors.data;
    const struct text_anchor *anchors = data;
    size_t count = r->anchors.length / sizeof *anchors;

    r->text_end = count > 0 ? anchors[count - 1].parsed : 0;
    markdown_leaf_clear(r);
    return STATUS_OK;
}

static enum status
put_rule(struct renderer *r)
{
    struct line_store *lines = &r->document->lines;
    const char *glyph = canvas_glyph(GLYPH_RULE);

    TRY(markdown_nest_gap(r, false));
    r->code_last = false;
    r->text_end = 0;
    line_store_begin(lines);
    TRY(markdown_nest_begin_line(r, 0, r->err));
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
        .columns = markdown_nest_list(r) == NULL ? LIST_INDENT : 0,
        .tight = tight,
        .ordered = ordered,
        .number = start,
        .delimiter = delimiter,
    };

    return markdown_nest_push(r, &list);
}

static enum status
enter_item(struct renderer *r, const MD_BLOCK_LI_DETAIL *detail)
{
    struct container *list = markdown_nest_list(r);
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
    return markdown_nest_push(r, &item);
}

static enum status
leave_item(struct renderer *r)
{
    TRY(end_text(r));
    // an empty item shows its bullet
    if (r->fresh < markdown_nest_depth(r)) {
        TRY(markdown_nest_gap(r, false));
        line_store_begin(&r->document->lines);
        TRY(markdown_nest_begin_line(r, 0, r->err));
        TRY(line_store_end(&r->document->lines, r->err));
    }
    markdown_nest_pop(r);
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
    struct flow_form form = markdown_nest_form(r, true);
    size_t count = r->cells.length / sizeof(struct table_cell);

    form.begin = markdown_nest_begin_row;
    r->begin = 0;
    TRY(markdown_nest_gap(r, true));
    r->code_last = false;
    if (r->text.length == 0)
        TRY(buffer_append(&r->text, "", 0, r->err));
    struct table table = {r->text.data, runs,
                          cells,        count / r->columns,
                          r->columns,   markdown_nest_room(r)};

    TRY(table_lay_out(&table, &form, r->err));
    r->columns = 0;
    r->cells.length = 0;
    r->text_end = 0;
    markdown_leaf_clear(r);
    return STATUS_OK;
}

static enum status
enter_table(struct renderer *r, const MD_BLOCK_TABLE_DETAIL *detail)
{
    r->cells.length = 0;
    markdown_leaf_clear(r);
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
        return markdown_nest_push(r, &quote);
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
        return markdown_code_enter(r, detail);
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
        markdown_nest_pop(r);
        return STATUS_OK;
    case MD_BLOCK_H:
        TRY(end_text(r));
        r->heading = false;
        return STATUS_OK;
    case MD_BLOCK_CODE:
        return markdown_code_leave(r);
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

/* One definition may be used often: then its address is left out. */
static bool
spend(struct renderer *r, size_t length)
{
    if (r->addresses + length > r->block->length + ADDRESSES_FREE)
        return false;
    r->addresses += length;
    return true;
}

static enum status
add_address(struct renderer *r, const MD_ATTRIBUTE *href)
{
    char address[HREF_BYTES + 4] = "";
    size_t length = address_of(r, href, address);

    if (length == 0 || address[0] == '#' ||
        (r->text.length > 0 && says_address(r, address, length)) ||
        !spend(r, length))
        return STATUS_OK;
    TRY(markdown_leaf_add_string(r, LOOK_DIM,
                                 r->text.length > r->begin ? " <" : "<"));
    for (size_t i = 0; i < length; i++)
        if (address[i] == '\n')
            address[i] = ' ';
    TRY(markdown_leaf_add(r, LOOK_DIM, address, length));
    return markdown_leaf_add_string(r, LOOK_DIM, ">");
}

static enum status
enter_span(struct renderer *r, MD_SPANTYPE type)
{
    TRY(markdown_leaf_settle_break(r, "x", 1));
    r->emphasis += type == MD_SPAN_EM;
    r->strong += type == MD_SPAN_STRONG;
    r->coded += type == MD_SPAN_CODE;
    if (type == MD_SPAN_A) {
        r->links++;
        r->link_begin = r->text.length;
    }
    if (type == MD_SPAN_IMG)
        return markdown_leaf_add_string(r, markdown_leaf_look(r), "[image: ");
    if (type == MD_SPAN_DEL) {
        r->deleted++;
        return markdown_leaf_add_string(r, markdown_leaf_look(r), "~~");
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
        TRY(markdown_leaf_add_string(r, markdown_leaf_look(r), "]"));
        r->link_begin = r->text.length;
        return add_address(r, &img->src);
    }
    if (type == MD_SPAN_DEL) {
        TRY(markdown_leaf_add_string(r, markdown_leaf_look(r), "~~"));
        r->deleted--;
    }
    return STATUS_OK;
}

static enum status
take_text(struct renderer *r, MD_TEXTTYPE type, const char *text, size_t length)
{
    char decoded[8];

    if (r->code)
        return markdown_code_text(r, text, length);
    if (type == MD_TEXT_BR || (type == MD_TEXT_SOFTBR && r->keep_breaks)) {
        TRY(markdown_leaf_settle_break(r, "", 0));
        return markdown_leaf_add_string(r, LOOK_PLAIN,
                                        r->columns > 0 ? " " : "\n");
    }
    if (type == MD_TEXT_SOFTBR) {
        r->soft_break = true;
        return STATUS_OK;
    }
    TRY(markdown_leaf_settle_break(r, text, length));
    TRY(markdown_leaf_add_anchor(r, text));
    if (type == MD_TEXT_ENTITY) {
        size_t n = entity_decode(decoded, text, length);

        return n > 0 ? markdown_leaf_add_plain(r, decoded, n)
                     : markdown_leaf_add_plain(r, text, length);
    }
    return markdown_leaf_add_text(r, text, length);
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
prepare(struct renderer *r, const char *text, enum formula_reach reach)
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
    TRY(formulas_find(&r->formulas, text, length, reach, r->err));
    r->has_formulas = true;
    if (is_short) {
        const char *newline =
            memchr(r->formulas.text.data, '\n', r->formulas.text.length);

        // placeholders in the header have moved it
        ruler = (size_t) (newline - r->formulas.text.data) + 1;
        TRY(widen_ruler(&r->formulas.text, ruler, r->err));
    }
    struct buffer *out = &r->formulas.text;
    size_t end = out->length;

    if (defined) {
        TRY(link_definitions_add(d, text, length, out, r->err));
        formulas_disarm(out->data + end, out->length - end);
    }
    r->parsed = out->data;
    r->parsed_length = out->length;
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
        struct flow_form form = markdown_nest_form(r, true);

        r->anchors.length = 0;
        TRY(markdown_leaf_add_anchor(r, r->parsed + at));
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
    size_t used,
        length = text_fit(words, (size_t) n, markdown_nest_room(r), &used);

    TRY(markdown_nest_gap(r, true));
    line_store_begin(lines);
    TRY(markdown_nest_begin_line(r, 0, r->err));
    TRY(line_store_put(lines, LOOK_DIM, words, length, (unsigned) used,
                       r->err));
    return line_store_end(lines, r->err);
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

static void
begin(struct renderer *r, struct document *d,
      const struct markdown_block *block, struct error *err)
{
    *r = (struct renderer){.document = d, .block = block, .err = err};
    r->keep_breaks = d->text.data[d->now.at] == '<';
    take_buffers(r);
}

/* Whatever a parse that failed has left is undone. */
static enum status
try_parse(struct renderer *r, const char *text, enum formula_reach reach,
          bool *parsed)
{
    struct document *d = r->document;

    TRY(prepare(r, text, reach));
    struct line_mark lines = line_store_mark(&d->lines);
    size_t codes = d->codes.length, code_text = d->code_text.length;
    struct reading before = d->now;

    d->work.parsed_bytes += r->parsed_length;
    *parsed = md_parse(r->parsed, (MD_SIZE) r->parsed_length, &parser, r) == 0;
    if (*parsed)
        return STATUS_OK;
    if (r->status == STATUS_NOMEM)
        return r->status;
    line_store_cut(&d->lines, lines);
    d->codes.length = codes;
    d->code_text.length = code_text;
    d->now = before;
    return STATUS_OK;
}

static enum status
parse(struct renderer *r, const char *text)
{
    bool parsed;

    if (is_waiting_table(r->block, text))
        return put_waiting_table(r, text);
    TRY(try_parse(r, text,
                  r->block->kind == BLOCK_TABLE ? REACH_CELL : REACH_PARAGRAPH,
                  &parsed));
    if (r->torn_code) {
        give_back(r);
        begin(r, r->document, r->block, r->err);
        TRY(try_parse(r, text, REACH_LINE, &parsed));
    }
    if (parsed)
        return STATUS_OK;
    give_back(r);
    begin(r, r->document, r->block, r->err);
    r->parsed = text;
    r->parsed_length = r->block->length;
    TRY(document_gap(r->document, false, r->err));
    return put_as_it_is(r, text);
}

enum status
markdown_lay_out(struct document *d, const struct markdown_block *block,
                 struct error *err)
{
    const char *text = d->text.data + d->now.at;
    struct renderer r;

    begin(&r, d, block, err);
    d->work.laid_bytes += block->length;
    enum status status = parse(&r, text);

    if (status == STATUS_OK && !d->resolve)
        status = link_definitions_keep(d, text, block->length, err);
    if (status == STATUS_OK) {
        if (r.code_last && !block->closed)
            document_code_last(d)->open = true;
        if (r.code_last && block->cut)
            markdown_code_cut(&r);
        d->now.wants_gap = r.code_last || block->kind == BLOCK_TABLE;
    }
    give_back(&r);
    return status;
}
