/*
 * The list and its search. Rows have a line each, and lines of what was found
 * below it, so what fits is found out row by row, from the one in use on.
 */
#include "config.h"

#include "ui/views/view_history.h"

#include "ui/views/history_pane.h"
#include "ui/text/sanitiser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDE = 120, // columns from which on the preview has room beside the list
    LOW = 16,   // rows below which blank lines go
    WHEN = 3,   // columns of the table
    TURNS_END = 20,
    MODEL = 22,
    MODEL_COLUMNS = 11,
    TITLE = 35,
    PANE = 74,       // of a screen of 160 columns
    LIST_LEAST = 62, // beside the preview
    FULL = 150,      // columns for all remarks
    SHOWN_HITS = 2,  // below a row
    TAGS_LEAST = 8,  // columns that a row needs for tags
    WANTED_BYTES = 1000,
    FAULT_BYTES = 300,
};

#define NO_HIT SIZE_MAX

struct view_history {
    struct view_history_source source;
    bool present; // there is a source
    char absent[FAULT_BYTES];
    view_post_fn *post;
    view_ask_fn *ask;
    void *context;

    char wanted[WANTED_BYTES]; // what is looked for
    bool regex;                // as a regular expression
    char remark[FAULT_BYTES];  // of the last thing done, or ""
    size_t top, chosen;        // rows
    size_t hit;                // of the chosen row; NO_HIT: the row itself
    unsigned list_rows;        // as drawn last: for pages

    bool pane_decided, pane_wanted; // by Space; else the width decides
    bool pane_shown;                // as drawn last
    bool pane_focus;                // keys scroll it
    struct history_pane pane;
};

/* -- which row -------------------------------------------------------------
 */

static size_t
row_count(const struct view_history *v)
{
    return v->present ? v->source.rows(v->source.context) : 0;
}

static bool
fetch(const struct view_history *v, size_t index, struct history_row *out)
{
    *out = (struct history_row){
        .id = "", .when = "", .model = "", .title = "", .tags = ""};
    return index < row_count(v) && v->source.row(v->source.context, index, out);
}

static size_t
lines_of(const struct history_row *row)
{
    return 1 + (row->hits < SHOWN_HITS ? row->hits : SHOWN_HITS);
}

/* What the preview shows: of a row, the first that was found in it. */
static size_t
hit_in_use(const struct view_history *v)
{
    struct history_row row;

    if (v->hit != NO_HIT || !v->pane_shown)
        return v->hit;
    return fetch(v, v->chosen, &row) && row.hits > 0 ? 0 : NO_HIT;
}

static void
choose(struct view_history *v, size_t row, size_t hit)
{
    size_t count = row_count(v);

    if (row >= count)
        row = count ? count - 1 : 0;
    if (row != v->chosen || hit != v->hit)
        history_pane_stale(&v->pane);
    v->chosen = row;
    v->hit = hit;
    v->remark[0] = '\0';
}

/* Moves the first row that is shown so that the chosen one is among them. */
static void
bring_into_sight(struct view_history *v, unsigned lines)
{
    struct history_row row;
    size_t taken = 0, top = v->chosen;

    if (v->top > v->chosen)
        v->top = v->chosen;
    // from the chosen row upwards, as far as the lines last
    while (fetch(v, top, &row)) {
        taken += lines_of(&row);
        if (taken > lines || top == v->top)
            break;
        top--;
    }
    if (taken > lines && top < v->chosen)
        top++;
    if (v->top < top)
        v->top = top;
}

/* -- drawing the list ------------------------------------------------------
 */

/* Where the parts of the area lie. */
struct layout {
    struct area list;      // table with its head
    struct area pane;      // columns 0: none
    unsigned first, lines; // of the rows
    unsigned actions;
    bool low;
};

static struct layout
layout_of(const struct view_history *v, struct area area)
{
    bool wide = area.columns >= WIDE, low = area.rows < LOW;
    unsigned head = low ? 4 : 6, foot = low ? 1 : wide ? 3 : 5;
    struct layout l = {.list = area, .low = low};

    if (v->pane_shown && wide)
        l.list.columns = area.columns * PANE / 160 > LIST_LEAST
                             ? area.columns * PANE / 160
                             : LIST_LEAST;
    if (v->pane_shown) {
        unsigned from = wide ? l.list.columns : 0, above = low ? 3 : 4;

        l.pane = (struct area){
            area.row + above, area.column + from,
            area.rows > above + foot ? area.rows - above - foot : 0,
            area.columns - from};
    }
    l.first = area.row + head;
    l.lines = area.rows > head + foot ? area.rows - head - foot : 0;
    l.actions = area.row + (area.rows ? area.rows - 1 : 0);
    return l;
}

static void
draw_totals(const struct view_history *v, struct canvas *canvas,
            struct area area, const struct history_totals *t)
{
    const char *gap = area.columns >= WIDE ? "   " : ", ";
    char chats[COUNT_TEXT], messages[COUNT_TEXT], line[200];
    int n = snprintf(line, sizeof line, "%s conversation%s",
                     text_count(chats, t->chats), t->chats == 1 ? "" : "s");

    if (t->messages_known && area.columns >= 76)
        n += snprintf(line + n, sizeof line - n, "%s%s message%s", gap,
                      text_count(messages, t->messages),
                      t->messages == 1 ? "" : "s");
    if (area.columns >= WIDE && t->vault_bytes > 0)
        snprintf(line + n, sizeof line - n, "   vault %.1f MB",
                 (double) t->vault_bytes / 1e6);
    canvas_print(canvas, area.row, area.column + 10,
                 area.columns > 30 ? area.columns - 30 : 0, LOOK_PLAIN, "%s",
                 v->present ? line : "");
    canvas_print_right(canvas, area.row, area.column + area.columns - 1,
                       LOOK_DIM, "%s", v->present ? "sorted by last use" : "");
}

static void
draw_found(struct canvas *canvas, unsigned row, unsigned column, unsigned limit,
           const struct history_totals *t, bool wide)
{
    char hits[COUNT_TEXT], matches[COUNT_TEXT], time[40] = "";

    if (t->done)
        snprintf(time, sizeof time, ", %.2f s", (double) t->took_ns / 1e9);
    const char *end = t->done ? time : ", still looking";
    const char *note = wide && t->text && t->done
                           ? " (decrypt-scan, nothing is indexed on disk)"
                           : "";

    if (t->text)
        canvas_print(canvas, row, column, limit, LOOK_PLAIN,
                     "%s hit%s in %s conversation%s%s%s",
                     text_count(hits, t->hits), t->hits == 1 ? "" : "s",
                     text_count(matches, t->matches),
                     t->matches == 1 ? "" : "s", end, note);
    else
        canvas_print(canvas, row, column, limit, LOOK_PLAIN,
                     "%s conversation%s%s", text_count(matches, t->matches),
                     t->matches == 1 ? "" : "s", end);
}

static void
draw_search(const struct view_history *v, struct canvas *canvas,
            struct area area, const struct history_totals *t)
{
    unsigned found = area.columns >= WIDE ? 55 : area.columns >= 76 ? 41 : 25;
    unsigned row = area.row + 2;

    if (v->remark[0] != '\0' || t->fault != NULL) {
        canvas_put_cut(canvas, row, area.column + 1, area.columns - 2,
                       LOOK_WARNING,
                       v->remark[0] != '\0' ? v->remark : t->fault);
        return;
    }
    if (v->wanted[0] == '\0') {
        canvas_put_cut(canvas, row, area.column + 1, area.columns - 2, LOOK_DIM,
                       "/ looks through titles and texts as you type");
        return;
    }
    canvas_print(canvas, row, area.column + 1, 2, LOOK_DIM, "/");
    canvas_put_cut(canvas, row, area.column + 3, found - 5, LOOK_STRONG,
                   v->wanted);
    draw_found(canvas, row, area.column + found, area.columns - found, t,
               area.columns >= FULL);
}

static unsigned
flag_column(const struct area *list)
{
    return list->column + list->columns - 4;
}

static void
draw_head(struct canvas *canvas, const struct layout *l)
{
    unsigned row = l->first - (l->low ? 1 : 2), column = l->list.column;

    canvas_print(canvas, row, column + WHEN, 10, LOOK_DIM, "when");
    canvas_print(canvas, row, column + TURNS_END - 5, 5, LOOK_DIM, "turns");
    canvas_print(canvas, row, column + MODEL, 11, LOOK_DIM, "model");
    canvas_print(canvas, row, column + TITLE, 11, LOOK_DIM, "title");
    if (l->low)
        return;
    canvas_rule(canvas, row + 1, column + WHEN, 10, LOOK_DIM);
    canvas_rule(canvas, row + 1, column + TURNS_END - 5, 5, LOOK_DIM);
    canvas_rule(canvas, row + 1, column + MODEL, MODEL_COLUMNS, LOOK_DIM);
    canvas_rule(canvas, row + 1, column + TITLE,
                flag_column(&l->list) + 1 - column - TITLE, LOOK_DIM);
}

/* The title, and in what room is left the tags. */
static void
draw_title(struct canvas *canvas, unsigned at, unsigned column, unsigned limit,
           enum look look, const struct history_row *row)
{
    const char *title = row->title[0] != '\0' ? row->title : "Untitled";
    size_t taken = text_columns(title, strlen(title)) + 2;

    canvas_put_cut(canvas, at, column, limit, look, title);
    if (row->tags[0] != '\0' && taken + TAGS_LEAST <= limit)
        canvas_put_cut(canvas, at, column + (unsigned) taken,
                       limit - (unsigned) taken, LOOK_DIM, row->tags);
}

static void
draw_row(struct canvas *canvas, const struct layout *l, unsigned at,
         const struct history_row *row, bool chosen)
{
    enum look look = chosen ? LOOK_CHOSEN : LOOK_PLAIN;
    unsigned column = l->list.column, flags = flag_column(&l->list);
    char turns[COUNT_TEXT];

    if (chosen)
        canvas_print(canvas, at, column + 1, 1, look, "%s",
                     canvas_glyph(GLYPH_CHOSEN));
    canvas_put_cut(canvas, at, column + WHEN, 11, look, row->when);
    canvas_print_right(canvas, at, column + TURNS_END, look, "%s",
                       row->turns == HISTORY_TURNS_UNKNOWN
                           ? "?"
                           : text_count(turns, row->turns));
    canvas_put_cut(canvas, at, column + MODEL, MODEL_COLUMNS, look, row->model);
    draw_title(canvas, at, column + TITLE, flags - 1 - column - TITLE, look,
               row);
    canvas_print(canvas, at, flags, 3, LOOK_STRONG, "%s%s%s",
                 row->in_use ? "*" : "", row->pinned ? "p" : "",
                 row->deleted ? "D" : "");
}

/*
 * "..the [PSN mismatch] shows up..": what was found with what fits of its
 * line, more of what comes before it where there is little behind.
 */
static void
draw_hit(struct canvas *canvas, unsigned row, unsigned column, unsigned limit,
         const struct history_hit *hit, bool chosen)
{
    const char *line = hit->line, *after = line + hit->at + hit->length;
    size_t before = hit->at, used, most, start = 0, width;
    unsigned at = column, end = column + limit;

    if (limit < 12)
        return;
    size_t room = limit - 4; // dots on both sides
    size_t found = text_columns(line + hit->at, hit->length) + 2;
    size_t behind = text_columns(after, strlen(after));

    most = found >= room ? 0 : room - found;
    if (behind < most / 2)
        most -= behind;
    else
        most /= 2;
    // the end of what comes before: cut clusters off until it fits
    for (used = text_columns(line, before); used > most && start < before;) {
        unsigned columns;

        start += text_cluster(line + start, before - start, &columns);
        used -= columns;
    }
    enum look look = chosen ? LOOK_PLAIN : LOOK_DIM;

    at += canvas_print(canvas, row, at, 2, LOOK_DIM, "..");
    at += canvas_put(canvas, row, at, end - at, look, line + start,
                     before - start);
    at += canvas_print(canvas, row, at, 1, LOOK_DIM, "[");
    at += canvas_put(canvas, row, at, end - at - 3, LOOK_MATCH, line + hit->at,
                     hit->length);
    at += canvas_print(canvas, row, at, 1, LOOK_DIM, "]");
    width = end - at > 2 ? end - at - 2 : 0;
    at += canvas_put(canvas, row, at, (unsigned) width, look, after,
                     text_fit(after, strlen(after), width, &used));
    canvas_print(canvas, row, at, 2, LOOK_DIM, "..");
}

/* The hits shown below a row: the first ones, or those about the one in use. */
static size_t
first_hit(const struct view_history *v, size_t index,
          const struct history_row *row)
{
    size_t first = 0;

    if (index == v->chosen && v->hit != NO_HIT && v->hit >= SHOWN_HITS)
        first = v->hit - (SHOWN_HITS - 1);
    return first < row->hits ? first : 0;
}

static unsigned
draw_hits(const struct view_history *v, struct canvas *canvas,
          const struct layout *l, unsigned at, size_t index,
          const struct history_row *row)
{
    unsigned last = l->first + l->lines, column = l->list.columns >= 76 ? 7 : 6;
    size_t first = first_hit(v, index, row), seen = hit_in_use(v);

    for (size_t i = first; i < row->hits && i < first + SHOWN_HITS && at < last;
         i++, at++) {
        struct history_hit hit;
        bool chosen = index == v->chosen && i == seen;

        if (!v->source.hit(v->source.context, index, i, &hit))
            continue;
        if (chosen)
            canvas_print(canvas, at, l->list.column + column - 2, 1,
                         LOOK_CHOSEN, "%s", canvas_glyph(GLYPH_CHOSEN));
        draw_hit(canvas, at, l->list.column + column,
                 l->list.columns - column - 1, &hit, chosen);
    }
    return at;
}

static void
draw_list(struct view_history *v, struct canvas *canvas, const struct layout *l,
          const struct history_totals *t)
{
    unsigned at = l->first, last = l->first + l->lines;
    struct history_row row;

    v->list_rows = l->lines;
    if (v->chosen > 0 && v->chosen >= row_count(v))
        choose(v, SIZE_MAX, NO_HIT);
    bring_into_sight(v, l->lines);
    draw_head(canvas, l);
    for (size_t i = v->top; at < last && fetch(v, i, &row); i++) {
        struct history_row copy = row;

        draw_row(canvas, l, at++, &copy, i == v->chosen);
        at = draw_hits(v, canvas, l, at, i, &copy);
    }
    if (at == l->first)
        canvas_print(canvas, at, l->list.column + WHEN,
                     l->list.columns - WHEN - 1, LOOK_PLAIN, "%s",
                     !t->searching ? "No conversation is kept yet."
                     : t->done     ? "Nothing was found."
                                   : "Looking ...");
}

/* -- drawing what is about it ----------------------------------------------
 */

static void
draw_legend(const struct view_history *v, struct canvas *canvas,
            struct area area, const struct layout *l)
{
    bool wide = area.columns >= WIDE;
    unsigned row = l->actions - (wide ? 1 : 3), limit = area.columns - 2;
    const char *regex = v->regex ? "on" : "off";

    if (l->low)
        return;
    canvas_print(canvas, row, area.column + 1, limit, LOOK_DIM, "%s",
                 area.columns >= FULL
                     ? "filters  model:V4*  after:2026-09-01  before:  "
                       "role:you|fathom|think  has:code  has:think  title:  "
                       "tag:  id:"
                     : "filters  model: after: before: role: has:code "
                       "has:think title: id: tag:");
    if (wide)
        canvas_print_right(canvas, row, area.column + area.columns - 2,
                           LOOK_DIM, "%sregex: %s (^T)",
                           area.columns >= FULL ? "case: smart   " : "", regex);
    else
        canvas_print(canvas, row + 1, area.column + 1, limit, LOOK_DIM,
                     "* open  p pinned (p pins)  D goes at q (u undoes)  "
                     "t tags  regex: %s (^T)",
                     regex);
}

static void
draw_actions(const struct view_history *v, struct canvas *canvas,
             struct area area, const struct layout *l)
{
    const char *text =
        area.columns >= FULL
            ? "Enter resume  Space preview  b branch here  x export  R rename  "
              "t tag  p pin  D delete (u undoes until this view is closed)"
        : area.columns >= 76
            ? "Enter resume  Space view  b branch  x export  R rename  "
              "D delete"
            : "Enter resume  Space view  R rename  D delete";

    canvas_print(canvas, l->actions, area.column + 1, area.columns - 2,
                 LOOK_DIM, "%s", v->present ? text : "");
    canvas_print_right(canvas, l->actions, area.column + area.columns - 2,
                       LOOK_DIM, "q back");
}

static bool
pane_is_wanted(const struct view_history *v, unsigned columns)
{
    return v->present && row_count(v) > 0 &&
           (v->pane_decided ? v->pane_wanted : columns >= WIDE);
}

static void
draw_pane(struct view_history *v, struct canvas *canvas, const struct layout *l,
          const struct history_totals *t)
{
    struct area area = l->pane;
    char place[100] = "";
    struct history_row row;
    size_t hit = hit_in_use(v);

    if (!fetch(v, v->chosen, &row))
        return;
    if (hit != NO_HIT) {
        uint64_t before = v->source.hits_before(v->source.context, v->chosen);

        snprintf(place, sizeof place, "hit %llu of %llu   n next, N previous",
                 (unsigned long long) before + hit + 1,
                 (unsigned long long) t->hits);
    }
    if (l->list.columns < l->pane.column + l->pane.columns)
        canvas_bar(canvas, area.row, area.column, area.rows, LOOK_DIM);
    history_pane_draw(&v->pane, canvas, area, row.title, place, v->pane_focus);
}

/* Without a row it waits for one. */
static bool
fill_pane(struct view_history *v)
{
    struct history_preview preview;

    if (!v->pane_shown || !history_pane_is_stale(&v->pane) ||
        v->chosen >= row_count(v))
        return false;
    if (v->source.preview(v->source.context, v->chosen, hit_in_use(v),
                          &preview))
        history_pane_fill(&v->pane, &preview);
    else
        history_pane_clear(&v->pane);
    return true;
}

static void
draw(void *state, struct canvas *canvas, struct area area, uint64_t now_ns)
{
    struct view_history *v = state;
    struct history_totals t = {0};

    (void) now_ns;
    canvas_clear(canvas, area);
    if (v->present)
        t = v->source.totals(v->source.context);
    bool shown = v->pane_shown;

    v->pane_shown = pane_is_wanted(v, area.columns);
    if (!shown)
        (void) fill_pane(v); // later ones are work
    struct layout l = layout_of(v, area);

    canvas_print(canvas, area.row, area.column + 1, 9, LOOK_TITLE, "history");
    draw_totals(v, canvas, area, &t);
    canvas_rule(canvas, area.row + 1, area.column, area.columns, LOOK_DIM);
    draw_actions(v, canvas, area, &l);
    if (!v->present) {
        history_pane_wrap(
            canvas,
            (struct area){area.row + 3, area.column + 3,
                          area.rows > 5 ? area.rows - 5 : 0,
                          area.columns > 6 ? area.columns - 6 : 0},
            LOOK_PLAIN, v->absent);
        return;
    }
    draw_search(v, canvas, area, &t);
    draw_legend(v, canvas, area, &l);
    if (!v->pane_shown || area.columns >= WIDE)
        draw_list(v, canvas, &l, &t);
    if (v->pane_shown)
        draw_pane(v, canvas, &l, &t);
}

/* -- moving ----------------------------------------------------------------
 */

static void
move(struct view_history *v, ptrdiff_t by)
{
    if (by < 0 && (size_t) -by > v->chosen)
        choose(v, 0, NO_HIT);
    else
        choose(v, v->chosen + (size_t) by, NO_HIT);
}

/* To the next hit, in this row or in the next that has one. */
static void
next_hit(struct view_history *v)
{
    struct history_row row;
    size_t seen = hit_in_use(v), hit = seen == NO_HIT ? 0 : seen + 1;

    for (size_t i = v->chosen; fetch(v, i, &row); i++, hit = 0)
        if (hit < row.hits) {
            choose(v, i, hit);
            return;
        }
}

static void
hit_before(struct view_history *v)
{
    struct history_row row;

    if (v->hit != NO_HIT && v->hit > 0) {
        choose(v, v->chosen, v->hit - 1);
        return;
    }
    for (size_t i = v->chosen; i-- > 0 && fetch(v, i, &row);)
        if (row.hits > 0) {
            choose(v, i, row.hits - 1);
            return;
        }
}

static bool
act_move(struct view_history *v, enum action action, int count)
{
    size_t page = v->list_rows > 1 ? v->list_rows - 1 : 1;
    ptrdiff_t lines = count;

    if (action == ACTION_LINE_UP || action == ACTION_LINE_DOWN)
        move(v, action == ACTION_LINE_UP ? -lines : lines);
    else if (action == ACTION_PAGE_UP || action == ACTION_PAGE_DOWN)
        move(v, (ptrdiff_t) page * (action == ACTION_PAGE_UP ? -lines : lines));
    else if (action == ACTION_TOP)
        choose(v, 0, NO_HIT);
    else if (action == ACTION_BOTTOM)
        choose(v, SIZE_MAX, NO_HIT);
    else if (action == ACTION_SEARCH_NEXT)
        next_hit(v);
    else if (action == ACTION_SEARCH_BACK)
        hit_before(v);
    else
        return false;
    return true;
}

/* -- doing -----------------------------------------------------------------
 */

static void
remark(struct view_history *v, const char *sentence)
{
    snprintf(v->remark, sizeof v->remark, "%s", sentence ? sentence : "");
}

/* Goes to the chosen chat, does `then` there, and closes the view. */
static void
resume(struct view_history *v, const struct history_row *row, const char *then)
{
    view_post_fn *post = v->post;
    void *context = v->context;
    char line[200];

    if (row->deleted) {
        remark(v, "this one is to be deleted; u takes that back");
        return;
    }
    snprintf(line, sizeof line, "/resume %s", row->id);
    post(context, line);
    if (then != NULL)
        post(context, then);
    post(context, NULL); // v may be gone now
}

/* On after the turn in which something was found; else that is asked for. */
static void
branch(struct view_history *v, const struct history_row *row)
{
    char line[60] = "/branch ";
    size_t turn = 0, hit = hit_in_use(v);

    if (hit != NO_HIT)
        turn = v->source.turn_number(v->source.context, v->chosen, hit);
    if (turn > 0)
        snprintf(line, sizeof line, "/branch %zu", turn);
    resume(v, row, line);
}

static void
rename_chat(struct view_history *v, const struct history_row *row)
{
    char command[80];

    snprintf(command, sizeof command, "/history title %s ", row->id);
    v->ask(v->context, "title: ", row->title, command);
}

static void
tag_chat(struct view_history *v, const struct history_row *row)
{
    char command[80];

    snprintf(command, sizeof command, "/history tag %s ", row->id);
    v->ask(v->context, "tags, -WORD takes one away: ", "", command);
}

static void
export_chat(struct view_history *v, const struct history_row *row)
{
    char command[80];

    snprintf(command, sizeof command, "/history export %s ", row->id);
    v->ask(v->context, "to FILE.md, .json or .html: ", "", command);
}

static void delete (struct view_history *v)
{
    const char *why = v->source.remove(v->source.context, v->chosen);

    if (why == NULL)
        move(v, 1);
    remark(v, why);
}

static void
undo(struct view_history *v)
{
    size_t row = v->chosen;
    const char *why = v->source.restore(v->source.context, &row);

    if (why == NULL)
        choose(v, row, NO_HIT);
    remark(v, why);
}

static bool
act_do(struct view_history *v, enum action action)
{
    struct history_row row;

    if (!fetch(v, v->chosen, &row) && action != ACTION_UNDO)
        return false;
    if (action == ACTION_CHOOSE)
        resume(v, &row, NULL);
    else if (action == ACTION_BRANCH)
        branch(v, &row);
    else if (action == ACTION_EXPORT)
        export_chat(v, &row);
    else if (action == ACTION_RENAME)
        rename_chat(v, &row);
    else if (action == ACTION_TAG)
        tag_chat(v, &row);
    else if (action == ACTION_PIN)
        remark(v, v->source.pin(v->source.context, v->chosen));
    else if (action == ACTION_DELETE)
        delete (v);
    else if (action == ACTION_UNDO)
        undo(v);
    else
        return false;
    return true;
}

static bool
act_pane(struct view_history *v, enum action action)
{
    if (action == ACTION_PREVIEW) {
        v->pane_wanted = !v->pane_shown;
        v->pane_decided = true;
        v->pane_focus = false;
        history_pane_stale(&v->pane);
        return true;
    }
    if (action != ACTION_PANE || !v->pane_shown)
        return false;
    v->pane_focus = !v->pane_focus;
    return true;
}

static void
search_again(struct view_history *v)
{
    v->source.search(v->source.context, v->wanted, v->regex);
    v->top = 0;
    choose(v, 0, NO_HIT);
    history_pane_stale(&v->pane);
}

static void
search(struct view_history *v, const char *text)
{
    if (!v->present || strcmp(text, v->wanted) == 0)
        return;
    snprintf(v->wanted, sizeof v->wanted, "%s", text);
    v->wanted[utf8_complete_prefix(v->wanted, strlen(v->wanted))] = '\0';
    search_again(v);
}

/* What is looked for is an expression from now on, or plain text again. */
static bool
act_regex(struct view_history *v, enum action action)
{
    if (action != ACTION_REGEX)
        return false;
    v->regex = !v->regex;
    if (v->wanted[0] != '\0')
        search_again(v);
    return true;
}

/* One step back: from the preview to the list, or out of the view. */
static void
go_back(struct view_history *v)
{
    if (v->pane_focus)
        v->pane_focus = false;
    else
        v->post(v->context, NULL);
}

static bool
act(void *state, enum action action, int count)
{
    struct view_history *v = state;

    if (action == ACTION_BACK) {
        go_back(v);
        return true;
    }
    if (!v->present)
        return false;
    if (v->pane_focus && history_pane_act(&v->pane, action, count))
        return true;
    return act_regex(v, action) || act_pane(v, action) ||
           act_move(v, action, count) || act_do(v, action);
}

static void
filter(void *state, const char *text)
{
    search(state, text ? text : "");
}

static const char *
hint(void *state, unsigned columns)
{
    const struct view_history *v = state;

    if (!v->present)
        return "q back   F1 help";
    if (columns < 68 && v->pane_shown)
        return "/ search   n/N next hit   Tab list/preview   F1 help";
    if (columns >= WIDE || v->pane_shown)
        return "/ search   n/N next hit   ^G cancel   Tab list/preview   "
               "F1 help";
    return "/ search   n/N next hit   ^G cancel   F1 help";
}

/* -- the life --------------------------------------------------------------
 */

static bool
work(void *state, uint64_t now_ns)
{
    struct view_history *v = state;

    (void) now_ns;
    if (!v->present)
        return false;
    if (fill_pane(v))
        return true;
    bool more = v->source.work(v->source.context);

    return fill_pane(v) || more;
}

static const struct view_ops history_ops = {
    .name = "history",
    .map = MAP_LIST,
    .draw = draw,
    .act = act,
    .filter = filter,
    .hint = hint,
    .work = work,
};

enum status
view_history_open(struct view *out, const struct view_history_source *source,
                  const char *absent, view_post_fn *post, view_ask_fn *ask,
                  void *context, struct error *err)
{
    void *memory;

    *out = (struct view){0};
    TRY(memory_alloc(&memory, sizeof(struct view_history), err));
    struct view_history *v = memory;

    *v = (struct view_history){.present = source != NULL,
                               .post = post,
                               .ask = ask,
                               .context = context,
                               .hit = NO_HIT};
    if (source != NULL)
        v->source = *source;
    history_pane_stale(&v->pane);
    snprintf(v->absent, sizeof v->absent, "%s", absent ? absent : "");
    *out = (struct view){&history_ops, v};
    return STATUS_OK;
}

void
view_history_changed(struct view *view)
{
    struct view_history *v = view->state;

    history_pane_stale(&v->pane);
}

void
view_history_close(struct view *view)
{
    struct view_history *v = view->state;

    if (v != NULL) {
        history_pane_clear(&v->pane);
        explicit_bzero(v, sizeof *v);
        free(v);
    }
    *view = (struct view){0};
}
