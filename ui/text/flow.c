/* Greedy, a line at a time: look for its end, then write it. */
#include "config.h"

#include "ui/text/flow.h"

#include "ui/text/ambiguous_width.h"
#include "ui/text/text_width.h"

#include <string.h>

enum {
    TAB_COLUMNS = 8,
    COLUMN_BYTES = 64, // of a row, for each of its columns
};

/* Where a line may end, and where the next one begins then. */
struct turn {
    size_t end, next;
    bool found, blank;
};

/* Characters that do not begin a line, or do not end one, of wide text. */
static bool
stays_behind(uint32_t c)
{
    static const uint16_t list[] = {
        0x3001, 0x3002, 0x3009, 0x300B, 0x300D, 0x300F, 0x3011,
        0x3015, 0x30FB, 0x30FC, 0xFF01, 0xFF09, 0xFF0C, 0xFF0E,
        0xFF1A, 0xFF1B, 0xFF1F, 0xFF3D, 0xFF5D,
    };

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (list[i] == c)
            return true;
    return false;
}

static bool
stays_before(uint32_t c)
{
    return c == 0x3008 || c == 0x300A || c == 0x300C || c == 0x300E ||
           c == 0x3010 || c == 0x3014 || c == 0xFF08 || c == 0xFF3B ||
           c == 0xFF5B;
}

/* Wide by nature, so that lines may break beside it: not Greek, for example. */
static bool
is_wide(uint32_t c)
{
    return c >= 0x1100 && text_width_of(c) == 2 && !is_ambiguous_width(c);
}

static unsigned
tab_columns(unsigned used, unsigned room)
{
    unsigned columns = TAB_COLUMNS - used % TAB_COLUMNS;

    return columns <= room ? columns : room;
}

/* The run that holds a place of the flow. */
struct run_cursor {
    size_t run, begin;
};

/* Where the looks change next behind `at`, which only grows. */
static size_t
look_end(const struct flow *flow, struct run_cursor *cursor, size_t at)
{
    if (flow->runs == NULL)
        return flow->length;
    while (cursor->begin + flow->runs[cursor->run].length <= at)
        cursor->begin += flow->runs[cursor->run++].length;
    size_t end = cursor->begin + flow->runs[cursor->run].length;

    return end < flow->length ? end : flow->length;
}

/* The line that is looked for, up to `at`. */
struct search {
    const struct flow *flow;
    bool words;
    struct run_cursor cursor;
    size_t start, at;
    unsigned columns, used;
    bool after_blank; // the line before ended at one
    bool text;        // something but blanks was there
    bool wide_before; // the last of it is wide
    uint32_t before;
    struct turn *turn;
};

static bool
is_blank(const struct search *s)
{
    char c = s->flow->text[s->at];

    return c == '\t' || (s->words && c == ' ');
}

/* Passes a blank, where a line may end; false: blanks alone fill the line. */
static bool
pass_blank(struct search *s)
{
    struct turn *turn = s->turn;
    bool fits = s->used < s->columns;
    bool may_end = s->words && (s->text || s->after_blank);

    if (!fits && !may_end) {
        *turn = (struct turn){s->at, s->at, true, false};
        return false;
    }
    if (turn->next != s->at || !turn->blank)
        turn->end = s->at;
    s->used += s->flow->text[s->at] == '\t'
                   ? tab_columns(s->used, fits ? s->columns - s->used : 0)
                   : 1;
    s->at++;
    *turn = (struct turn){turn->end, s->at, may_end, true};
    return true;
}

/* May a line end between two characters, since one of them is wide? */
static bool
may_part(const struct search *s, uint32_t c)
{
    bool after_blank = s->turn->blank && s->turn->next == s->at;

    return s->words && s->text && (s->wide_before || is_wide(c)) &&
           !stays_behind(c) && !stays_before(s->before) && !after_blank &&
           s->used <= s->columns;
}

/* Passes a cluster; false when it does not fit. */
static bool
pass_cluster(struct search *s)
{
    size_t end = look_end(s->flow, &s->cursor, s->at);
    const char *bytes = s->flow->text + s->at;
    unsigned columns;
    uint32_t c;
    bool valid;
    size_t n = text_cluster(bytes, end - s->at, &columns);

    utf8_next(bytes, n, &c, &valid);
    if (may_part(s, c))
        *s->turn = (struct turn){s->at, s->at, true, false};
    if (s->used + columns > s->columns && s->at > s->start) {
        if (!s->turn->found)
            *s->turn = (struct turn){s->at, s->at, true, false};
        return false;
    }
    s->used += columns;
    s->at += n;
    if (columns > 0) {
        s->text = true;
        s->wide_before = is_wide(c);
        s->before = c;
    }
    return true;
}

/*
 * Passes what it can of a word in ASCII at once. The first character behind a
 * wide one, and the one that does not fit, are for pass_cluster.
 */
static void
pass_plain(struct search *s)
{
    const char *bytes = s->flow->text + s->at;
    size_t end = look_end(s->flow, &s->cursor, s->at);
    size_t most = s->columns > s->used ? s->columns - s->used : 0, n;

    if (s->wide_before)
        return;
    n = text_plain(bytes, end - s->at > most ? most + 1 : end - s->at);
    if (n > most)
        n = most;
    const char *blank = s->words ? memchr(bytes, ' ', n) : NULL;

    if (blank != NULL)
        n = (size_t) (blank - bytes);
    if (n == 0)
        return;
    s->used += (unsigned) n;
    s->at += n;
    s->text = true;
    s->before = (unsigned char) bytes[n - 1];
}

/*
 * What takes no room, or may go on beyond the edge, as blanks do, would make a
 * row of any length, laid out again and again while it grows.
 */
static bool
is_long(const struct search *s)
{
    return s->at - s->start >= (size_t) COLUMN_BYTES * s->columns;
}

/* Ends the row right here, or where the blanks begin that end it. */
static void
turn_here(struct search *s)
{
    struct turn *turn = s->turn;

    if (!turn->found || !turn->blank || turn->next != s->at)
        *turn = (struct turn){s->at, s->at, true, false};
}

/*
 * Finds the end of the line that starts at `start` and has room for `columns`;
 * turn->next is the flow's length when all the rest fits. A line that goes on
 * behind a blank takes those that follow it for the same.
 */
static void
find_turn(const struct flow *flow, bool words, struct run_cursor cursor,
          size_t start, unsigned columns, struct turn *turn)
{
    struct search s = {
        .flow = flow,
        .words = words,
        .cursor = cursor,
        .start = start,
        .at = start,
        .columns = columns,
        .after_blank = turn->blank,
        .turn = turn,
    };

    *turn = (struct turn){0};
    while (s.at < flow->length) {
        if (is_long(&s)) {
            turn_here(&s);
            return;
        }
        if (!is_blank(&s))
            pass_plain(&s);
        if (s.at < flow->length &&
            !(is_blank(&s) ? pass_blank(&s) : pass_cluster(&s)))
            return;
    }
    *turn = (struct turn){flow->length, flow->length, true, false};
    while (
        words && turn->end > start &&
        (flow->text[turn->end - 1] == ' ' || flow->text[turn->end - 1] == '\t'))
        turn->end--;
}

/* Text without tabs and marks. */
static enum status
put_piece(struct flow_form *form, enum look look, const char *bytes,
          size_t length, struct error *err)
{
    unsigned columns = (unsigned) text_columns(bytes, length);

    return line_store_put(form->store, form->in_mark ? LOOK_MARK : look, bytes,
                          length, columns, err);
}

static enum status
put_special(struct flow_form *form, enum look look, char c, unsigned before,
            struct error *err)
{
    unsigned used = form->store->open.columns;

    if (c != '\t') {
        form->in_mark = c == FLOW_MARK_OPEN[0];
        return STATUS_OK;
    }
    return line_store_blanks(
        form->store, look,
        tab_columns(used - before,
                    form->columns > used ? form->columns - used : 0),
        err);
}

/* Text of one look, `before` columns of the line being taken by others. */
static enum status
put_look(struct flow_form *form, enum look look, const char *bytes,
         size_t length, unsigned before, struct error *err)
{
    size_t at = 0;

    for (size_t i = 0; i <= length; i++) {
        while (i < length && (unsigned char) bytes[i] >= 0x20)
            i++;
        bool special =
            i < length && (bytes[i] == '\t' || bytes[i] == 1 || bytes[i] == 2);

        if (i < length && !special)
            continue;
        TRY(put_piece(form, look, bytes + at, i - at, err));
        if (special)
            TRY(put_special(form, look, bytes[i], before, err));
        at = i + 1;
    }
    return STATUS_OK;
}

static enum status
put_range(const struct flow *flow, struct flow_form *form,
          struct run_cursor *cursor, size_t from, size_t to, struct error *err)
{
    unsigned before = form->store->open.columns;

    if (flow->runs == NULL)
        return put_look(form, flow->look, flow->text + from, to - from, before,
                        err);
    while (from < to) {
        size_t end = look_end(flow, cursor, from);
        enum look look = flow->runs[cursor->run].look;

        if (end > to)
            end = to;
        TRY(put_look(form, look, flow->text + from, end - from, before, err));
        from = end;
    }
    return STATUS_OK;
}

enum status
flow_lines(const struct flow *flow, struct flow_form *form, struct error *err)
{
    struct run_cursor cursor = {0};
    struct turn turn = {.blank = form->continues && form->blank};
    size_t at = 0;

    do {
        form->last_offset = at;
        form->last_mark = line_store_mark(form->store);
        form->last_in_mark = form->in_mark;
        form->last_continues = form->continues;
        form->last_blank = form->blank;
        line_store_begin(form->store);
        TRY(form->begin(form->owner, at, err));
        unsigned used = form->store->open.columns;

        find_turn(flow, form->words, cursor, at,
                  form->columns > used ? form->columns - used : 1, &turn);
        TRY(put_range(flow, form, &cursor, at, turn.end, err));
        if (turn.end == at)
            line_store_trim(form->store);
        form->store->open.code = form->code;
        form->store->open.continues = form->continues;
        form->store->open.blank = form->continues && form->blank;
        TRY(line_store_end(form->store, err));
        form->continues = true;
        form->blank = turn.blank;
        at = turn.next;
    } while (at < flow->length);
    return STATUS_OK;
}
