/*
 * Step by step from the start of the text to its end: a block, or a line of
 * a block of code. `closed` is the place behind which the next layout goes on.
 */
#include "config.h"

#include "ui/text/document.h"

#include "ui/text/document_parts.h"
#include "ui/text/markdown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FED_AT_ONCE = 4096,
    MARK_GROWTH = 8, // bytes that the sanitiser makes of one, at most
    HELD_GROWTH = 64,
    WIDE_LABEL = 90,    // columns from which the hint has more words
    LABEL_COLUMNS = 40, // and below which it has none
    WAITING_MOST = 200, // bytes of marks that wait for what they become
    LABEL_MOST = 200,   // bytes of a fence's line that are its label
};

enum status
document_open(struct document **out, enum document_kind kind, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    **out = (struct document){
        .kind = kind,
        .sanitiser = {.mark_open = FLOW_MARK_OPEN,
                      .mark_close = FLOW_MARK_CLOSE},
    };
    return STATUS_OK;
}

void
document_close(struct document *document)
{
    if (document == NULL)
        return;
    buffer_release(&document->source);
    buffer_release(&document->text);
    offset_map_release(&document->origin);
    line_store_release(&document->lines);
    buffer_release(&document->codes);
    buffer_release(&document->code_text);
    buffer_release(&document->code_runs);
    buffer_release(&document->definitions);
    buffer_release(&document->block.containers);
    buffer_release(&document->block.text);
    buffer_release(&document->block.runs);
    buffer_release(&document->block.anchors);
    buffer_release(&document->block.cells);
    free(document);
}

/*
 * What the sanitiser did not hold back is in the text. A CR that waits is held
 * back too: a place of the text never comes to mean another of the source.
 */
static enum status
note_origin(struct document *d, struct error *err)
{
    size_t held = d->sanitiser.held_length + d->sanitiser.after_return;

    return offset_map_add(&d->origin, d->text.length, d->fed - held, err);
}

static bool
is_plain(char c)
{
    return (c >= ' ' && c < 0x7F) || c == '\n' || c == '\t';
}

/* Bytes that stay as they are together, others one by one. */
static size_t
run_of(const char *bytes, size_t length)
{
    size_t n = 0;

    while (n < length && n < FED_AT_ONCE && is_plain(bytes[n]))
        n++;
    return n > 0 ? n : 1;
}

/* Room is made first, so that nothing is fed twice after a failure. */
static enum status
feed(struct document *d, struct error *err)
{
    while (d->fed < d->source.length) {
        const char *bytes = d->source.data + d->fed;
        bool waits = d->sanitiser.held_length > 0 || d->sanitiser.after_return;
        size_t n = waits ? 1 : run_of(bytes, d->source.length - d->fed);
        size_t before = d->text.length;

        TRY(buffer_reserve(&d->text, n * MARK_GROWTH + HELD_GROWTH, err));
        TRY(buffer_reserve(&d->origin.pairs, 3 * sizeof(struct offset_pair),
                           err));
        TRY(note_origin(d, err));
        TRY(sanitiser_write(&d->sanitiser, &d->text, bytes, n, err));
        d->fed += n;
        // what had waited came first
        if (waits && is_plain(*bytes) && d->text.length > before + 1)
            TRY(offset_map_add(&d->origin, d->text.length - 1, d->fed - 1,
                               err));
        TRY(note_origin(d, err));
    }
    if (d->finished && !d->fed_end) {
        TRY(buffer_reserve(&d->text, HELD_GROWTH, err));
        TRY(sanitiser_finish(&d->sanitiser, &d->text, err));
        d->fed_end = true;
    }
    return STATUS_OK;
}

enum status
document_append(struct document *document, const char *bytes, size_t length,
                struct error *err)
{
    TRY(buffer_append(&document->source, bytes, length, err));
    return feed(document, err);
}

enum status
document_finish(struct document *document, struct error *err)
{
    document->finished = true;
    return feed(document, err);
}

const struct buffer *
document_source(const struct document *document)
{
    return &document->source;
}

size_t
document_origin(const struct document *document, size_t at)
{
    size_t place = offset_map_find(&document->origin, at);

    return place < document->fed ? place : document->fed;
}

static struct reading_mark
mark_here(const struct document *d)
{
    return (struct reading_mark){
        .reading = d->now,
        .lines = line_store_mark(&d->lines),
        .codes = d->codes.length,
        .code_text = d->code_text.length,
        .definitions = d->definitions.length,
        .expanded = d->expanded,
    };
}

static void
go_back(struct document *d, const struct reading_mark *mark)
{
    d->now = mark->reading;
    line_store_cut(&d->lines, mark->lines);
    d->codes.length = mark->codes;
    d->code_text.length = mark->code_text;
    if (!d->resolve)
        d->definitions.length = mark->definitions;
    d->expanded = mark->expanded;
}

enum status
document_gap(struct document *d, bool wanted, struct error *err)
{
    bool gap = d->now.after_gap || d->now.wants_gap || wanted;

    d->now.after_gap = d->now.wants_gap = false;
    if (!gap || line_store_count(&d->lines) == 0)
        return STATUS_OK;
    line_store_begin(&d->lines);
    d->lines.open.source = document_origin(d, d->now.at);
    return line_store_end(&d->lines, err);
}

struct code_record *
document_code_last(struct document *document)
{
    void *end = document->codes.data + document->codes.length;

    return (struct code_record *) end - 1;
}

size_t
document_code_count(const struct document *document)
{
    return document->codes.length / sizeof(struct code_record);
}

/* "[1] y1 copies, o pages", as much of it as there is room for. */
static void
print_hint(char *out, size_t size, size_t number, size_t room)
{
    if (room < LABEL_COLUMNS)
        snprintf(out, size, "[%zu]", number);
    else
        snprintf(out, size, "[%zu] y%zu copies%s, o pages", number, number,
                 room < WIDE_LABEL ? "" : " the source");
}

static enum status
put_label(struct document *d, const char *label, size_t length,
          struct error *err)
{
    struct line_store *lines = &d->lines;
    size_t room = d->columns - lines->open.columns, used;
    char hint[96];

    print_hint(hint, sizeof hint, document_code_count(d), room);
    if (text_columns(label, length) + 2 + strlen(hint) > room)
        print_hint(hint, sizeof hint, document_code_count(d), 0);
    size_t hint_columns = strlen(hint) < room ? strlen(hint) : 0;

    length = text_fit(label, length,
                      room > hint_columns ? room - hint_columns - 1 : 0, &used);
    TRY(line_store_put(lines, LOOK_DIM, label, length, (unsigned) used, err));
    TRY(line_store_blanks(lines, LOOK_DIM,
                          (unsigned) (room - used - hint_columns), err));
    return line_store_put(lines, LOOK_DIM, hint, hint_columns,
                          (unsigned) hint_columns, err);
}

/* The label as it can be shown: of one line, without blanks around it. */
static enum status
keep_label(struct document *d, const char *label, size_t length,
           struct error *err)
{
    if (length > LABEL_MOST)
        length = utf8_complete_prefix(label, LABEL_MOST);
    while (length > 0 &&
           (label[length - 1] == ' ' || label[length - 1] == '\t'))
        length--;
    while (length > 0 && (*label == ' ' || *label == '\t')) {
        label++;
        length--;
    }
    for (size_t i = 0; i < length; i++) {
        char c = label[i] == '\t' ? ' ' : label[i];

        if (c != FLOW_MARK_OPEN[0] && c != FLOW_MARK_CLOSE[0])
            TRY(buffer_append(&d->code_text, &c, 1, err));
    }
    return STATUS_OK;
}

enum status
document_code_begin(struct document *d, const char *label, size_t length,
                    struct flow_form *form, struct error *err)
{
    struct code_record code = {.label = d->code_text.length, .open = true};

    TRY(keep_label(d, label, length, err));
    code.label_length = d->code_text.length - code.label;
    // its end is a NUL of its own
    TRY(buffer_append(&d->code_text, "", 1, err));
    code.text = d->code_text.length;
    code.first_line = line_store_count(&d->lines);
    code.line_count = 1;
    TRY(buffer_append(&d->codes, &code, sizeof code, err));
    line_store_begin(&d->lines);
    TRY(form->begin(form->owner, 0, err));
    d->lines.open.code = (unsigned) document_code_count(d);
    d->lines.open.label = true;
    TRY(put_label(d, d->code_text.data + code.label, code.label_length, err));
    return line_store_end(&d->lines, err);
}

/* The line of the text at `at`. */
struct span {
    size_t begin, end, next;
    bool whole;
};

static struct span
line_at(const struct document *d, size_t at)
{
    const char *text = d->text.data;
    const char *newline = memchr(text + at, '\n', d->text.length - at);
    size_t end = newline ? (size_t) (newline - text) : d->text.length;

    return (struct span){at, end, newline ? end + 1 : end,
                         newline != NULL || d->finished};
}

static bool
is_blank(const struct document *d, struct span line)
{
    for (size_t i = line.begin; i < line.end; i++)
        if (d->text.data[i] != ' ' && d->text.data[i] != '\t')
            return false;
    return true;
}

static enum status
begin_at(void *owner, size_t offset, struct error *err)
{
    struct document *d = owner;

    (void) err;
    d->lines.open.source = document_origin(d, d->now.at + offset);
    return STATUS_OK;
}

/*
 * Lays out a line as it is, from now.at. What is not whole stays open, but for
 * its first lines; *open says so.
 */
static enum status
lay_line(struct document *d, struct span line, const struct flow *like,
         unsigned code, bool *open, struct error *err)
{
    struct flow flow = *like;
    struct flow_form form = {
        .store = &d->lines,
        .columns = d->columns,
        .words = code == 0,
        .continues = d->now.mid_line,
        .blank = d->now.mid_blank,
        .in_mark = d->now.in_mark,
        .code = code,
        .begin = begin_at,
        .owner = d,
    };

    flow.text = d->text.data + line.begin;
    flow.length = line.end - line.begin;
    d->work.laid_bytes += flow.length;
    TRY(flow_lines(&flow, &form, err));
    *open = !line.whole;
    if (line.whole) {
        d->now.at = line.next;
        d->now.mid_line = d->now.mid_blank = d->now.in_mark = false;
        return STATUS_OK;
    }
    d->closed = mark_here(d);
    d->closed.lines = form.last_mark;
    d->closed.reading.at = line.begin + form.last_offset;
    d->closed.reading.mid_line = form.last_continues;
    d->closed.reading.mid_blank = form.last_blank;
    d->closed.reading.in_mark = form.last_in_mark;
    d->now.at = line.end;
    return STATUS_OK;
}

static enum status
step_plain(struct document *d, bool *open, struct error *err)
{
    return lay_line(d, line_at(d, d->now.at),
                    &(struct flow){.look = LOOK_PLAIN}, 0, open, err);
}

/* Blanks that the fence has before it are not of the code. */
static size_t
past_indent(const struct document *d, struct span line)
{
    size_t at = line.begin;

    while (at < line.end && at - line.begin < d->now.fence.indent &&
           d->text.data[at] == ' ')
        at++;
    return at;
}

/* Adds the source of a line to the block: in place, or as a copy. */
static enum status
keep_code(struct document *d, struct span line, size_t text, struct error *err)
{
    struct code_record *code = document_code_last(d);
    size_t from = document_origin(d, text);
    size_t to = document_origin(d, line.next);

    if (code->copied) {
        TRY(buffer_append(&d->code_text, d->source.data + from, to - from,
                          err));
        code->length = d->code_text.length - code->text;
    } else {
        code->length = to - code->text;
    }
    return STATUS_OK;
}

static void
end_fence(struct document *d, bool came)
{
    document_code_last(d)->open = !came;
    d->now.mode = READING_BLOCKS;
    d->now.wants_gap = true;
}

/*
 * A line that is not whole begins anew at its last row: with its indent, when
 * that is the first; with the code before it kept, when it is not.
 */
static void
close_code(struct document *d, size_t start, size_t text, size_t kept)
{
    struct reading_mark *closed = &d->closed;

    closed->code_text = kept;
    if (!closed->reading.mid_line)
        closed->reading.at = start;
    else if (document_code_last(d)->copied)
        closed->code_text +=
            document_origin(d, closed->reading.at) - document_origin(d, text);
}

/*
 * A line that is not whole has colours too, which all may change: it is then
 * laid out anew from its start. One too long for that has none.
 */
static bool
has_colours(const struct document *d, struct span line)
{
    return d->now.language != NULL && !d->now.mid_line &&
           line.end - line.begin <= CODE_LINE_MOST;
}

static enum status
lay_code(struct document *d, struct span line, bool coloured, bool *open,
         struct error *err)
{
    struct flow flow = {.look = LOOK_CODE};

    buffer_clear(&d->code_runs);
    if (coloured)
        TRY(code_looks(d->now.language, &d->now.code_inside,
                       d->text.data + line.begin, line.end - line.begin,
                       &d->code_runs, err));
    else
        d->now.code_inside = 0;
    if (d->code_runs.length > 0) {
        const void *runs = d->code_runs.data;

        flow.runs = runs;
        flow.run_count = d->code_runs.length / sizeof *flow.runs;
    }
    return lay_line(d, line, &flow, (unsigned) document_code_count(d), open,
                    err);
}

static enum status
step_fence(struct document *d, bool *open, struct error *err)
{
    struct span line = line_at(d, d->now.at);
    size_t start = line.begin;
    // the blanks before a fence in an item do not make its end code
    size_t from = d->now.fence.item > 0 ? past_indent(d, line) : line.begin;
    const char *text = d->text.data + from;
    size_t length = line.end - from;

    if (!d->now.mid_line) {
        if (markdown_fence_left(&d->now.fence, d->text.data + start,
                                line.end - start)) {
            end_fence(d, true);
            return STATUS_OK;
        }
        if (line.whole && markdown_fence_ends(&d->now.fence, text, length)) {
            end_fence(d, true);
            d->now.at = line.next;
            return STATUS_OK;
        }
        if (!line.whole &&
            markdown_fence_may_end(&d->now.fence, text, length)) {
            d->now.at = line.end;
            *open = true;
            return STATUS_OK;
        }
        line.begin = past_indent(d, line);
        d->now.at = line.begin;
    }
    size_t kept = d->code_text.length;
    struct reading_mark before = d->closed; // the start of this line, or of
    bool coloured = has_colours(d, line);   // the part of it that is open

    TRY(keep_code(d, line, line.begin, err));
    TRY(lay_code(d, line, coloured, open, err));
    if (*open && coloured)
        d->closed = before;
    else if (*open)
        close_code(d, start, line.begin, kept);
    struct code_record *code = document_code_last(d);

    code->line_count = line_store_count(&d->lines) - code->first_line;
    return STATUS_OK;
}

/* What follows a block that was cut: as it is, to the next blank line. */
static enum status
step_rest(struct document *d, bool *open, struct error *err)
{
    struct span line = line_at(d, d->now.at);

    if (!d->now.mid_line && is_blank(d, line)) {
        d->now.mode = READING_BLOCKS;
        *open = !line.whole; // words may still follow the blanks
        return STATUS_OK;
    }
    return step_plain(d, open, err);
}

static enum status
begin_fence(struct document *d, const struct markdown_block *block,
            struct error *err)
{
    struct span line = line_at(d, d->now.at);
    struct flow_form form = {.begin = begin_at, .owner = d};

    TRY(document_gap(d, true, err));
    TRY(document_code_begin(d, d->text.data + line.begin + block->info,
                            block->info_length, &form, err));
    struct code_record *code = document_code_last(d);

    d->now.mode = READING_FENCE;
    d->now.fence = block->fence;
    d->now.at = line.next;
    d->now.language =
        code_language_find(d->code_text.data + code->label, code->label_length);
    d->now.code_inside = 0;
    code->copied = block->fence.indent > 0;
    if (!code->copied)
        code->text = document_origin(d, line.next);
    return STATUS_OK;
}

/*
 * The end of the text as far as it is to be shown: a last line of marks alone
 * may still become anything, and waits.
 */
static size_t
decided_end(const struct document *d)
{
    static const char marks[] = "-=*+#`~>|_ \t";
    size_t end = d->text.length, at = end;

    if (d->finished)
        return end;
    while (at > d->now.at && end - at < WAITING_MOST &&
           strchr(marks, d->text.data[at - 1]) != NULL)
        at--;
    bool line = at == d->now.at || d->text.data[at - 1] == '\n';

    return line ? at : end;
}

static enum status
lay_block(struct document *d, size_t end, bool *open, struct error *err)
{
    struct markdown_block block;
    size_t at = d->now.at;

    markdown_block_find(&block, d->text.data + at, end - at, d->finished);
    *open = !block.closed;
    if (block.kind == BLOCK_FENCE)
        return begin_fence(d, &block, err);
    TRY(markdown_lay_out(d, &block, err));
    d->now.at = at + block.length;
    if (block.cut && d->now.mode != READING_FENCE) {
        char last = d->text.data[d->now.at - 1];

        d->now.mode = READING_REST;
        d->now.mid_line = last != '\n';
        d->now.mid_blank = last == ' ';
    }
    return STATUS_OK;
}

static enum status
step_blocks(struct document *d, bool *open, struct error *err)
{
    struct span line = line_at(d, d->now.at);
    size_t end = decided_end(d);

    if (end == d->now.at || (is_blank(d, line) && !line.whole)) {
        *open = true;
        d->now.at = d->text.length;
        return STATUS_OK;
    }
    if (is_blank(d, line)) {
        d->now.after_gap = true;
        d->now.at = line.next;
        return STATUS_OK;
    }
    return lay_block(d, end, open, err);
}

static enum status
step(struct document *d, bool *open, struct error *err)
{
    if (d->kind == DOCUMENT_PLAIN)
        return step_plain(d, open, err);
    switch (d->now.mode) {
    case READING_FENCE:
        return step_fence(d, open, err);
    case READING_REST:
        return step_rest(d, open, err);
    case READING_BLOCKS:
        break;
    }
    return step_blocks(d, open, err);
}

static enum status
lay_out_rest(struct document *d, struct error *err)
{
    bool all_closed = true;

    go_back(d, &d->closed);
    while (d->now.at < d->text.length) {
        bool open = false;

        TRY(step(d, &open, err));
        all_closed = all_closed && !open;
        if (all_closed)
            d->closed = mark_here(d);
    }
    if (d->finished && d->now.mode == READING_FENCE)
        end_fence(d, false);
    return STATUS_OK;
}

enum status
document_layout(struct document *d, unsigned columns, struct error *err)
{
    TRY(feed(d, err));
    if (d->columns == columns && d->laid_out == d->text.length &&
        d->laid_finished == d->finished)
        return STATUS_OK;
    if (d->columns != columns)
        d->closed = (struct reading_mark){0};
    // until all of it is done, nothing is
    d->columns = 0;
    d->laid_finished = false;
    struct reading_mark closed = d->closed;

    d->columns = columns;
    enum status status = lay_out_rest(d, err);

    if (status == STATUS_OK && d->finished && !d->resolve &&
        d->definitions.length > 0) {
        d->resolve = true;
        d->closed = (struct reading_mark){0};
        status = lay_out_rest(d, err);
    }
    if (status != STATUS_OK) {
        d->columns = 0;
        go_back(d, &closed);
        return status;
    }
    d->laid_out = d->text.length;
    d->laid_finished = d->finished;
    return STATUS_OK;
}

size_t
document_lines(const struct document *document)
{
    return line_store_count(&document->lines);
}

size_t
document_closed_lines(const struct document *document)
{
    return document->finished
               ? document_lines(document)
               : document->closed.lines.lines / sizeof(struct stored_line);
}

struct document_line
document_line(const struct document *document, size_t number)
{
    const struct line_store *store = &document->lines;
    const struct stored_line *line = line_store_at(store, number);
    const void *runs = store->runs.data;

    return (struct document_line){
        .text = line->length > 0 ? store->text.data + line->text : "",
        .length = line->length,
        .columns = line->columns,
        .runs =
            line->runs > 0 ? (const struct look_run *) runs + line->run : NULL,
        .run_count = line->runs,
        .source = line->source,
        .code = line->code,
        .label = line->label,
        .continues = line->continues,
        .blank = line->blank,
    };
}

struct document_code
document_code(const struct document *document, size_t number)
{
    const void *codes = document->codes.data;
    const struct code_record *code =
        (const struct code_record *) codes + number - 1;
    const struct buffer *from =
        code->copied ? &document->code_text : &document->source;

    return (struct document_code){
        .label = document->code_text.data + code->label,
        .text = code->length > 0 ? from->data + code->text : "",
        .length = code->length,
        .first_line = code->first_line,
        .line_count = code->line_count,
        .open = code->open,
    };
}

struct document_work
document_work(const struct document *document)
{
    return document->work;
}
