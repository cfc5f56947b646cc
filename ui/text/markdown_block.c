/*
 * Line by line, with the rules of CommonMark for what may interrupt what.
 * Inside of a block nothing is decided here: that is the parser's.
 */
#include "config.h"

#include "ui/text/markdown_block.h"

#include "ui/text/flow.h"

#include <string.h>

enum {
    TAB_STOP = 4,
    CODE_INDENT = 4,
    FENCE_MARKS = 3,
    HEADING_MARKS = 6,
    NUMBER_DIGITS = 9,
    MARK_MOST = 16, // bytes of a mark, "<U+E0041>" and the two around it
};

struct line {
    size_t begin, text, end, next; // text: first byte that is no blank
    unsigned indent;
    bool blank;
    bool whole; // its newline came, or the text has ended
};

struct source {
    const char *bytes;
    size_t length;
    bool ended;
};

static void
read_line(const struct source *s, size_t at, struct line *line)
{
    const char *newline = memchr(s->bytes + at, '\n', s->length - at);

    *line = (struct line){.begin = at, .text = at, .whole = true};
    line->end = newline ? (size_t) (newline - s->bytes) : s->length;
    line->next = newline ? line->end + 1 : s->length;
    line->whole = newline != NULL || s->ended;
    while (line->text < line->end) {
        char c = s->bytes[line->text];

        if (c == '\t')
            line->indent += TAB_STOP - line->indent % TAB_STOP;
        else if (c == ' ')
            line->indent++;
        else
            break;
        line->text++;
    }
    line->blank = line->text == line->end;
}

static size_t
count_of(const struct source *s, size_t at, size_t end, char c)
{
    size_t n = 0;

    while (at + n < end && s->bytes[at + n] == c)
        n++;
    return n;
}

static bool
is_blank_at(const struct source *s, const struct line *line, size_t at)
{
    return at >= line->end || s->bytes[at] == ' ' || s->bytes[at] == '\t';
}

static bool
is_fence(const struct source *s, const struct line *line,
         struct block_fence *fence)
{
    char c = line->blank ? ' ' : s->bytes[line->text];

    if ((c != '`' && c != '~') || line->indent >= CODE_INDENT)
        return false;
    size_t n = count_of(s, line->text, line->end, c);

    if (n < FENCE_MARKS ||
        (c == '`' && memchr(s->bytes + line->text + n, '`',
                            line->end - line->text - n) != NULL))
        return false;
    *fence = (struct block_fence){
        .mark = c, .count = (unsigned) n, .indent = line->indent};
    return true;
}

static bool
is_heading(const struct source *s, const struct line *line)
{
    size_t n = count_of(s, line->text, line->end, '#');

    return line->indent < CODE_INDENT && n > 0 && n <= HEADING_MARKS &&
           is_blank_at(s, line, line->text + n);
}

static bool
is_quote(const struct source *s, const struct line *line)
{
    return line->indent < CODE_INDENT && !line->blank &&
           s->bytes[line->text] == '>';
}

/* Only this character and blanks; how many of it. */
static size_t
only(const struct source *s, const struct line *line, char c)
{
    size_t n = 0;

    for (size_t i = line->text; i < line->end; i++) {
        if (s->bytes[i] == c)
            n++;
        else if (s->bytes[i] != ' ' && s->bytes[i] != '\t')
            return 0;
    }
    return n;
}

static bool
is_rule(const struct source *s, const struct line *line)
{
    return line->indent < CODE_INDENT &&
           (only(s, line, '-') >= 3 || only(s, line, '*') >= 3 ||
            only(s, line, '_') >= 3);
}

static bool
is_underline(const struct source *s, const struct line *line)
{
    if (line->indent >= CODE_INDENT || line->blank)
        return false;
    char c = s->bytes[line->text];
    size_t n = count_of(s, line->text, line->end, c);

    return (c == '-' || c == '=') && only(s, line, c) == n;
}

/* "|---|:--:|", with a bar at least. */
static bool
is_ruler(const struct source *s, const struct line *line)
{
    bool dash = false, bar = false;

    for (size_t i = line->text; i < line->end; i++) {
        char c = s->bytes[i];

        if (c != '-' && c != '|' && c != ':' && c != ' ' && c != '\t')
            return false;
        dash = dash || c == '-';
        bar = bar || c == '|';
    }
    return dash && bar && line->indent < CODE_INDENT;
}

/* How an item of a list begins. */
struct item {
    char family;      // the bullet, or what stands behind the number
    unsigned content; // column at which its text begins
    bool empty, first;
};

static bool
is_item(const struct source *s, const struct line *line, struct item *item)
{
    size_t at = line->text, digits = 0;

    if (line->blank)
        return false;
    while (at < line->end && s->bytes[at] >= '0' && s->bytes[at] <= '9') {
        at++;
        digits++;
    }
    if (at == line->end || digits > NUMBER_DIGITS)
        return false;
    item->family = s->bytes[at++];
    bool right = digits > 0 ? item->family == '.' || item->family == ')'
                            : item->family == '-' || item->family == '+' ||
                                  item->family == '*';

    if (!right || !is_blank_at(s, line, at))
        return false;
    item->first = digits == 0 || (digits == 1 && s->bytes[line->text] == '1');
    unsigned marker = (unsigned) (at - line->text), blanks = 0;

    while (at + blanks < line->end && s->bytes[at + blanks] == ' ')
        blanks++;
    item->empty = at + blanks == line->end;
    if (item->empty || blanks == 0 || blanks > 4)
        blanks = 1;
    item->content = line->indent + marker + blanks;
    return true;
}

/* May this line end a paragraph without a blank line between? */
static bool
interrupts(const struct source *s, const struct line *line)
{
    struct block_fence fence;
    struct item item;

    return is_fence(s, line, &fence) || is_heading(s, line) ||
           is_quote(s, line) || is_rule(s, line) ||
           (line->indent < CODE_INDENT && is_item(s, line, &item) &&
            !item.empty && item.first);
}

/* Whether a formula of several lines is open after this line. */
static bool
follow_formula(const struct source *s, const struct line *line, bool open)
{
    for (size_t i = line->text; i + 1 < line->end; i++) {
        const char *at = s->bytes + i;

        if (at[0] == '$' && at[1] == '$') {
            open = !open;
            i++;
        } else if (at[0] == '\\') {
            if (at[1] == '[' || at[1] == ']')
                open = at[1] == '[';
            i++;
        }
    }
    return open;
}

/* A block under way: where it ends so far. */
struct scan {
    const struct source *source;
    struct markdown_block *block;
    struct line line;
    size_t lines;
    size_t before; // start of the line before
    struct item item;
    bool formula, blanks;
};

typedef bool (*goes_on_fn)(struct scan *scan);

static bool
paragraph_goes_on(struct scan *scan)
{
    const struct source *s = scan->source;
    struct block_fence fence;

    if (scan->line.blank)
        return false;
    if (scan->lines > 0 && scan->formula) {
        if (is_fence(s, &scan->line, &fence))
            return false;
    } else if (scan->lines > 0) {
        if (is_underline(s, &scan->line))
            return true;
        if (interrupts(s, &scan->line))
            return false;
    }
    scan->formula = follow_formula(s, &scan->line, scan->formula);
    return true;
}

static bool
table_goes_on(struct scan *scan)
{
    return !scan->line.blank &&
           (scan->lines < 2 || !interrupts(scan->source, &scan->line));
}

static bool
quote_goes_on(struct scan *scan)
{
    return !scan->line.blank && (is_quote(scan->source, &scan->line) ||
                                 !interrupts(scan->source, &scan->line));
}

static bool
list_goes_on(struct scan *scan)
{
    const struct source *s = scan->source;
    struct block_fence fence;
    struct item item;
    bool blanks = scan->blanks;

    scan->blanks = scan->line.blank;
    if (scan->line.blank)
        return true;
    if (scan->lines > 0 && scan->line.indent >= scan->item.content)
        return true;
    if (scan->lines > 0 && is_rule(s, &scan->line))
        return false;
    if (is_item(s, &scan->line, &item)) {
        bool brother = scan->lines == 0 || item.family == scan->item.family;

        scan->item = item;
        return brother || !blanks;
    }
    return !blanks && !is_fence(s, &scan->line, &fence) &&
           !is_heading(s, &scan->line) && !is_quote(s, &scan->line);
}

static bool
code_goes_on(struct scan *scan)
{
    return scan->line.blank || scan->line.indent >= CODE_INDENT;
}

static bool
one_line(struct scan *scan)
{
    return scan->lines == 0;
}

/* A table may follow a line of text at once: the text ends before it. */
static bool
table_begins(const struct scan *scan, size_t *header)
{
    const struct source *s = scan->source;
    struct line above;

    if (scan->lines < 1 || !is_ruler(s, &scan->line))
        return false;
    read_line(s, scan->before, &above);
    *header = scan->before;
    return memchr(s->bytes + above.text, '|', above.end - above.text) != NULL &&
           !is_ruler(s, &above);
}

static goes_on_fn
start(struct scan *scan)
{
    const struct source *s = scan->source;
    struct block_fence fence;

    if (scan->line.indent >= CODE_INDENT)
        return code_goes_on;
    if (is_fence(s, &scan->line, &fence)) {
        size_t info = scan->line.text + fence.count;

        scan->block->kind = BLOCK_FENCE;
        scan->block->fence = fence;
        scan->block->info = info;
        scan->block->info_length = scan->line.end - info;
        return one_line;
    }
    scan->block->heading = is_heading(s, &scan->line);
    if (scan->block->heading || is_rule(s, &scan->line))
        return one_line;
    if (is_quote(s, &scan->line))
        return quote_goes_on;
    scan->block->list = is_item(s, &scan->line, &scan->item);
    return scan->block->list ? list_goes_on : paragraph_goes_on;
}

/* Before the mark of the sanitiser that goes through this place, or at it. */
static size_t
before_mark(const char *text, size_t at)
{
    for (size_t i = at; i > 1 && at - i < MARK_MOST; i--) {
        if (text[i - 1] == FLOW_MARK_CLOSE[0])
            return at;
        if (text[i - 1] == FLOW_MARK_OPEN[0])
            return i - 1;
    }
    return at;
}

/* The last place within BLOCK_MOST where a cut does least harm. */
static size_t
place_to_cut(const char *text, size_t lines_end)
{
    if (lines_end > 0)
        return lines_end;
    size_t at = BLOCK_MOST;

    while (at > BLOCK_MOST / 2 && text[at - 1] != ' ')
        at--;
    if (text[at - 1] == ' ')
        return at;
    at = BLOCK_MOST;
    while (at > 1 && ((unsigned char) text[at] & 0xC0) == 0x80)
        at--;
    return before_mark(text, at);
}

/* Setext headings end with their underline. */
static bool
is_last_line(const struct scan *scan, goes_on_fn goes_on)
{
    return goes_on == paragraph_goes_on && scan->lines > 0 && !scan->formula &&
           is_underline(scan->source, &scan->line);
}

static void
scan_lines(struct scan *scan, goes_on_fn goes_on)
{
    const struct source *s = scan->source;
    struct markdown_block *block = scan->block;

    for (; scan->line.begin < s->length; scan->lines++) {
        bool may_change = !scan->line.whole;
        size_t header;

        if (scan->line.end > BLOCK_MOST && block->kind != BLOCK_FENCE) {
            block->length = place_to_cut(s->bytes, block->length);
            block->closed = block->cut = true;
            block->item = block->list ? scan->item.content : 0;
            return;
        }
        if (!goes_on(scan)) {
            block->closed = !may_change;
            return;
        }
        if (goes_on == paragraph_goes_on && table_begins(scan, &header)) {
            if (header > 0) {
                block->length = header;
                block->closed = !may_change;
                return;
            }
            block->kind = BLOCK_TABLE;
            goes_on = table_goes_on;
        }
        if (!scan->line.blank)
            block->length = scan->line.next;
        if (is_last_line(scan, goes_on)) {
            block->closed = !may_change;
            block->heading = true;
            return;
        }
        scan->before = scan->line.begin;
        read_line(s, scan->line.next, &scan->line);
        if (goes_on == one_line) {
            block->closed = !may_change;
            return;
        }
    }
    block->closed = s->ended;
}

void
markdown_block_find(struct markdown_block *block, const char *text,
                    size_t length, bool ended)
{
    struct source source = {text, length, ended};
    struct scan scan = {.source = &source, .block = block};

    *block = (struct markdown_block){0};
    read_line(&source, 0, &scan.line);
    scan_lines(&scan, start(&scan));
}

bool
markdown_fence_left(const struct block_fence *fence, const char *line,
                    size_t length)
{
    struct source s = {line, length, true};
    struct line read;

    read_line(&s, 0, &read);
    return !read.blank && read.indent < fence->item;
}

bool
markdown_fence_ends(const struct block_fence *fence, const char *line,
                    size_t length)
{
    struct source s = {line, length, true};
    struct line read;

    read_line(&s, 0, &read);
    if (read.indent >= CODE_INDENT || read.blank)
        return false;
    size_t n = count_of(&s, read.text, read.end, fence->mark);

    return n >= fence->count && n == only(&s, &read, fence->mark);
}

bool
markdown_fence_may_end(const struct block_fence *fence, const char *line,
                       size_t length)
{
    struct source s = {line, length, true};
    struct line read;

    read_line(&s, 0, &read);
    return read.indent < CODE_INDENT &&
           (read.blank || (only(&s, &read, fence->mark) > 0 &&
                           s.bytes[read.text] == fence->mark));
}
