/*
 * A section is laid out as pieces of text on a sheet as wide as the screen and
 * as long as it takes; what is in sight of it is drawn.
 */
#include "config.h"

#include "ui/views/view_help.h"

#include "ui/views/help_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDE = 120,  // columns for three groups side by side
    NARROW = 76, // below that: one below the other
    KEYS_MOST = 30,
    KEYS_LEAST = 8,
    NAME_COLUMNS = 26,
    WANTED_BYTES = 100,
};

struct piece {
    unsigned row, column, limit;
    enum look look;
    size_t start, length; // of the text
};

struct view_help {
    struct help_command *commands;
    struct help_content content; // with these
    view_post_fn *post;
    void *context;

    unsigned section;
    char wanted[WANTED_BYTES]; // what is searched for; "": nothing
    size_t found;

    // the sheet, and what it was laid out for
    struct buffer text, pieces;
    unsigned columns, rows; // of the sheet
    bool laid_out, short_of_memory;
    unsigned top, in_sight; // rows
};

/* Where a group goes, row by row. */
struct column {
    struct view_help *view;
    unsigned row, column, columns;
    bool found_only; // what does not match the search is left out
    bool title_put;
};

/* -- the sheet -------------------------------------------------------------
 */

static void
put(struct column *c, unsigned column, unsigned limit, enum look look,
    const char *bytes, size_t length)
{
    struct view_help *v = c->view;
    struct piece piece = {c->row, c->column + column, limit,
                          look,   v->text.length,     length};
    struct error err;

    if (buffer_append(&v->text, bytes, length, &err) != STATUS_OK ||
        buffer_append(&v->pieces, &piece, sizeof piece, &err) != STATUS_OK)
        v->short_of_memory = true;
    if (c->row >= v->rows)
        v->rows = c->row + 1;
}

/* Text in so many columns, broken at blanks; the row is the last one's. */
static void
put_wrapped(struct column *c, unsigned column, unsigned limit, enum look look,
            const char *text)
{
    size_t used;

    for (;;) {
        size_t length = strlen(text),
               fits = text_fit(text, length, limit, &used);

        if (fits < length) {
            size_t blank = fits;

            while (blank > 0 && text[blank] != ' ')
                blank--;
            fits = blank > 0 ? blank : fits;
        }
        put(c, column, limit, look, text, fits);
        text += fits + (text[fits] == ' ');
        if (*text == '\0' || fits == 0)
            return;
        c->row++;
    }
}

static bool
contains(const char *text, const char *wanted)
{
    size_t length = strlen(wanted);

    for (; *text != '\0'; text++) {
        size_t i = 0;

        while (i < length && text[i] != '\0' &&
               (text[i] == wanted[i] ||
                ((text[i] ^ wanted[i]) == 0x20 &&
                 ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z'))))
            i++;
        if (i == length)
            return true;
    }
    return length == 0;
}

static bool
row_matches(const struct column *c, const struct help_row *row)
{
    const char *wanted = c->view->wanted;

    return !c->found_only || contains(row->keys, wanted) ||
           contains(row->text, wanted) || contains(row->name, wanted);
}

static void
put_title(struct column *c, const struct help_group *group)
{
    if (c->title_put)
        return;
    put(c, 0, c->columns, LOOK_HEADING, group->title, strlen(group->title));
    c->row++;
    c->title_put = true;
}

/* "  ^J M-Enter   new line", and the name where there is room. */
static void
put_row(struct column *c, const struct help_group *group,
        const struct help_row *row, unsigned keys)
{
    bool named = row->name[0] != '\0' && c->columns >= NARROW - 4;
    unsigned end = named ? c->columns - NAME_COLUMNS : c->columns;
    unsigned text = 1 + keys + 2;

    if (!row_matches(c, row))
        return;
    put_title(c, group);
    c->view->found++;
    put(c, 1, c->columns, LOOK_CODE, row->keys, strlen(row->keys));
    if (named)
        put(c, end + 1, NAME_COLUMNS - 1, LOOK_DIM, row->name,
            strlen(row->name));
    if (text_columns(row->keys, strlen(row->keys)) > keys)
        c->row++;
    put_wrapped(c, text, end > text ? end - text : 10, LOOK_PLAIN, row->text);
    c->row++;
}

/* -- groups ----------------------------------------------------------------
 */

/* Calls `visit` with every row of a group. */
typedef void row_fn(struct column *c, const struct help_group *group,
                    const struct help_row *row, unsigned *keys);

static void
each_entry(struct column *c, const struct help_group *group, row_fn *visit,
           unsigned *keys)
{
    struct help_row row;

    for (const struct help_entry *e = group->entries;
         e->keys || e->text || e->command || e->actions[0]; e++)
        if (help_entry_row(&row, e, &c->view->content))
            visit(c, group, &row, keys);
}

static void
each_action(struct column *c, const struct help_group *group, row_fn *visit,
            unsigned *keys)
{
    for (int a = ACTION_NONE + 1; a < ACTIONS; a++) {
        const struct action_row *action = action_row((enum action) a);
        struct help_row row = {.text = action->help, .name = action->name};

        if (!help_map_has(group->map, (enum action) a))
            continue;
        help_keys(row.keys, group->map, (enum action) a, 3,
                  c->view->content.enter_opens_line);
        if (row.keys[0] == '\0')
            snprintf(row.keys, sizeof row.keys, "by name");
        visit(c, group, &row, keys);
    }
}

static void
each_command(struct column *c, const struct help_group *group, row_fn *visit,
             unsigned *keys)
{
    for (size_t i = 0; i < c->view->content.count; i++) {
        const struct help_command *command = &c->view->commands[i];
        struct help_row row = {.text = command->help, .name = ""};

        snprintf(row.keys, sizeof row.keys, "/%s%s%s", command->name,
                 command->arguments[0] ? " " : "", command->arguments);
        visit(c, group, &row, keys);
    }
}

static void
each_row(struct column *c, const struct help_group *group, row_fn *visit,
         unsigned *keys)
{
    if (group->kind == HELP_MAP)
        each_action(c, group, visit, keys);
    else if (group->kind == HELP_COMMANDS)
        each_command(c, group, visit, keys);
    else
        each_entry(c, group, visit, keys);
}

static void
measure_row(struct column *c, const struct help_group *group,
            const struct help_row *row, unsigned *keys)
{
    size_t columns = text_columns(row->keys, strlen(row->keys));
    unsigned most = c->columns / 2 < KEYS_MOST ? c->columns / 2 : KEYS_MOST;

    (void) group;
    if (columns > *keys && columns <= most)
        *keys = (unsigned) columns;
}

static void
show_row(struct column *c, const struct help_group *group,
         const struct help_row *row, unsigned *keys)
{
    put_row(c, group, row, *keys);
}

static void
put_half(struct column *c, unsigned column, const struct help_row *row)
{
    size_t keys = text_columns(row->keys, strlen(row->keys));
    unsigned text = column + (unsigned) keys + 1;

    put(c, column, c->columns, LOOK_CODE, row->keys, strlen(row->keys));
    if (text < c->columns)
        put(c, text, c->columns - text, LOOK_PLAIN, row->text,
            strlen(row->text));
}

static unsigned
half_columns(const struct help_row *row)
{
    return (unsigned) (text_columns(row->keys, strlen(row->keys)) + 1 +
                       text_columns(row->text, strlen(row->text)));
}

/* Two entries in a row; one that is too wide has a row of its own. */
static void
put_pairs(struct column *c, const struct help_group *group)
{
    unsigned half = (c->columns - 2) / 2;
    bool left = true;
    struct help_row row;

    put_title(c, group);
    for (const struct help_entry *e = group->entries;
         e->keys || e->text || e->command || e->actions[0]; e++) {
        if (!help_entry_row(&row, e, &c->view->content))
            continue;
        bool wide = half_columns(&row) > half;

        if (wide && !left)
            c->row++;
        left = left || wide;
        put_half(c, left ? 1 : 2 + half, &row);
        if (wide || !left)
            c->row++;
        left = wide || !left;
    }
    if (!left)
        c->row++;
}

static void
put_names(struct column *c, const struct help_group *group)
{
    unsigned at = 1;

    put_title(c, group);
    for (size_t i = 0; i < c->view->content.count; i++) {
        const char *name = c->view->commands[i].name;
        unsigned columns = (unsigned) strlen(name) + 1;

        if (at > 1 && at + columns > c->columns) {
            c->row++;
            at = 1;
        }
        put(c, at, 1, LOOK_CODE, "/", 1);
        put(c, at + 1, columns, LOOK_CODE, name, strlen(name));
        at += columns + 1;
    }
    c->row++;
}

static void
put_lines(struct column *c, const struct help_group *group)
{
    put_title(c, group);
    for (size_t i = 0; group->lines[i] != NULL; i++, c->row++)
        put(c, 2, c->columns - 2, LOOK_PLAIN, group->lines[i],
            strlen(group->lines[i]));
}

static void
put_group(struct column *c, const struct help_group *group)
{
    unsigned keys = KEYS_LEAST, before = c->row;

    c->title_put = false;
    if (group->kind == HELP_PAIRS) {
        put_pairs(c, group);
    } else if (group->kind == HELP_NAMES) {
        put_names(c, group);
    } else if (group->kind == HELP_LINES) {
        put_lines(c, group);
    } else {
        each_row(c, group, measure_row, &keys);
        each_row(c, group, show_row, &keys);
    }
    if (c->row > before)
        c->row++;
}

/* -- sections --------------------------------------------------------------
 */

static void
put_groups(struct column *c, const struct help_group *const *groups)
{
    for (; *groups != NULL; groups++)
        put_group(c, *groups);
}

/* Columns beside each other; what follows begins below the longest. */
static unsigned
put_beside(struct view_help *v, unsigned column, unsigned columns,
           const struct help_group *const *groups, unsigned longest)
{
    struct column c = {v, 0, column, columns, false, false};

    put_groups(&c, groups);
    return c.row > longest ? c.row : longest;
}

static void
lay_out_chat(struct view_help *v)
{
    static const struct help_group *const wide[3][4] = {
        {&help_sending, &help_thinking, &help_screens, NULL},
        {&help_transcript, &help_experts_short, NULL},
        {&help_names, &help_bind, &help_more, NULL}};
    static const struct help_group *const two[2][3] = {
        {&help_sending, &help_screens, NULL},
        {&help_thinking, &help_transcript_short, NULL}};
    static const struct help_group *const one[] = {
        &help_sending, &help_thinking,   &help_transcript_short,
        &help_screens, &help_bind_short, NULL};
    static const struct help_group *const below[] = {
        &help_bind_short, &help_top_line, &help_more, NULL};
    static const struct help_group *const below_wide[] = {&help_top_line, NULL};
    unsigned columns = v->columns, row = 0;

    if (columns >= WIDE) {
        unsigned a = columns * 57 / 160, b = columns * 53 / 160;

        row = put_beside(v, 1, a - 2, wide[0], row);
        row = put_beside(v, 1 + a, b - 2, wide[1], row);
        row = put_beside(v, 1 + a + b, columns - a - b - 2, wide[2], row);
    } else if (columns >= NARROW) {
        row = put_beside(v, 1, columns / 2 - 3, two[0], row);
        row =
            put_beside(v, columns / 2 - 1, columns - columns / 2, two[1], row);
    } else {
        row = put_beside(v, 1, columns - 2, one, row);
    }
    struct column c = {v, row, 1, columns - 2, false, false};

    put_groups(&c, columns >= WIDE     ? below_wide
                   : columns >= NARROW ? below
                                       : below + 1);
    put_groups(&c, help_sections[1]);
}

static void
lay_out_found(struct view_help *v)
{
    struct column c = {v, 0, 1, v->columns - 2, true, false};

    for (unsigned i = 1; i <= HELP_SECTIONS; i++)
        put_groups(&c, help_sections[i]);
}

static void
lay_out(struct view_help *v, unsigned columns)
{
    if (v->laid_out && v->columns == columns)
        return;
    buffer_clear(&v->text);
    buffer_clear(&v->pieces);
    v->columns = columns;
    v->rows = 0;
    v->found = 0;
    v->short_of_memory = false;
    v->laid_out = true;
    if (columns < 20)
        return;
    if (v->wanted[0] != '\0') {
        lay_out_found(v);
    } else if (v->section == 1) {
        lay_out_chat(v);
    } else {
        struct column c = {v, 0, 1, columns - 2, false, false};

        put_groups(&c, help_sections[v->section]);
    }
}

/* -- drawing ---------------------------------------------------------------
 */

/* "1 chat  2 transcript ..." from the right; as many as there is room for. */
static void
draw_sections(const struct view_help *v, struct canvas *canvas,
              struct area area)
{
    const char *gap = area.columns >= WIDE ? "   " : "  ";
    char text[200] = "";
    size_t length = 0;
    size_t room = area.columns > 24 ? area.columns - 24 : 0;

    for (unsigned i = 1; i <= HELP_SECTIONS; i++) {
        char next[40];
        int n = snprintf(next, sizeof next, "%s%u %s", i > 1 ? gap : "", i,
                         help_section_names[i]);

        if (length + (size_t) n > room)
            break;
        text_copy(text + length, sizeof text - length, next);
        length += (size_t) n;
    }
    canvas_print_right(canvas, area.row, area.column + area.columns - 1,
                       LOOK_DIM, "%s", text);
    canvas_print(canvas, area.row, area.column + 1, 5, LOOK_TITLE, "help");
    canvas_print(canvas, area.row, area.column + 7, 14, LOOK_STRONG, "%s",
                 v->wanted[0] ? "search" : help_section_names[v->section]);
}

static void
draw_foot(const struct view_help *v, struct canvas *canvas, struct area area)
{
    unsigned row = area.row + area.rows - 1, last = v->top + v->in_sight;
    const char *text =
        v->wanted[0] != '\0' ? ""
        : area.columns >= WIDE
            ? "/help WORD searches all of this; man pages work offline"
        : area.columns >= NARROW
            ? "man fathom-keys has all of them; /help WORD searches"
            : "/help WORD searches";

    if (v->wanted[0] != '\0')
        canvas_print(canvas, row, area.column + 1, area.columns - 2, LOOK_PLAIN,
                     "%zu for \"%s\"", v->found, v->wanted);
    canvas_print(canvas, row, area.column + 1, area.columns - 2, LOOK_DIM, "%s",
                 text);
    canvas_print_right(canvas, row, area.column + area.columns - 2, LOOK_DIM,
                       "%s%sq back", last < v->rows ? "more: j/k  " : "",
                       area.columns >= WIDE ? " " : "");
}

static void
draw(void *state, struct canvas *canvas, struct area area, uint64_t now_ns)
{
    struct view_help *v = state;

    (void) now_ns;
    canvas_clear(canvas, area);
    lay_out(v, area.columns);
    v->in_sight = area.rows > 3 ? area.rows - 3 : 0;
    if (v->top + v->in_sight > v->rows)
        v->top = v->rows > v->in_sight ? v->rows - v->in_sight : 0;
    draw_sections(v, canvas, area);
    if (area.rows < 2)
        return;
    canvas_rule(canvas, area.row + 1, area.column, area.columns, LOOK_DIM);
    const struct piece *pieces = (const void *) v->pieces.data;

    for (size_t i = 0; i < v->pieces.length / sizeof *pieces; i++) {
        const struct piece *p = &pieces[i];

        if (p->row >= v->top && p->row - v->top < v->in_sight)
            canvas_put(canvas, area.row + 2 + p->row - v->top,
                       area.column + p->column, p->limit, p->look,
                       v->text.data + p->start, p->length);
    }
    if (v->wanted[0] != '\0' && v->found == 0)
        canvas_print(canvas, area.row + 3, area.column + 3, area.columns - 3,
                     LOOK_PLAIN, "Nothing here has that word.");
    if (v->short_of_memory)
        canvas_print(canvas, area.row + 2, area.column, area.columns,
                     LOOK_WARNING, "There is no memory to show all of this.");
    draw_foot(v, canvas, area);
}

/* -- keys ------------------------------------------------------------------
 */

static void
go_to(struct view_help *v, unsigned section)
{
    v->section = section;
    v->wanted[0] = '\0';
    v->top = 0;
    v->laid_out = false;
}

static void
scroll(struct view_help *v, bool down, unsigned lines)
{
    if (down)
        v->top = v->rows > lines && v->top < v->rows - lines ? v->top + lines
                                                             : v->rows;
    else
        v->top -= lines < v->top ? lines : v->top;
}

static bool
act(void *state, enum action action, int count)
{
    struct view_help *v = state;
    unsigned page = v->in_sight > 1 ? v->in_sight - 1 : 1;
    unsigned times = count > 0 && count < 10000 ? (unsigned) count : 1;

    if (action == ACTION_LINE_DOWN || action == ACTION_LINE_UP)
        scroll(v, action == ACTION_LINE_DOWN, times);
    else if (action == ACTION_PAGE_DOWN || action == ACTION_PAGE_UP)
        scroll(v, action == ACTION_PAGE_DOWN, times * page);
    else if (action == ACTION_PREVIEW) // Space
        scroll(v, true, page);
    else if (action == ACTION_TOP)
        v->top = 0;
    else if (action == ACTION_BOTTOM)
        v->top = v->rows;
    else if (action == ACTION_SECTION && times <= HELP_SECTIONS)
        go_to(v, times);
    else if (action == ACTION_RIGHT || action == ACTION_PANE)
        go_to(v, v->section % HELP_SECTIONS + 1);
    else if (action == ACTION_LEFT)
        go_to(v, (v->section + HELP_SECTIONS - 2) % HELP_SECTIONS + 1);
    else if (action == ACTION_BACK)
        v->post(v->context, NULL);
    else
        return false;
    return true;
}

static void
filter(void *state, const char *text)
{
    struct view_help *v = state;

    snprintf(v->wanted, sizeof v->wanted, "%s", text ? text : "");
    v->wanted[utf8_complete_prefix(v->wanted, strlen(v->wanted))] = '\0';
    v->top = 0;
    v->laid_out = false;
}

static const char *
hint(void *state, unsigned columns)
{
    (void) state;
    return columns >= NARROW ? "1 to 7 section   j/k Space scroll   "
                               "/ search   q back"
                             : "1 to 7   j/k scroll   / search   q back";
}

static const struct view_ops help_ops = {
    .name = "help",
    .map = MAP_LIST,
    .draw = draw,
    .act = act,
    .filter = filter,
    .hint = hint,
};

enum status
view_help_open(struct view *out, const struct help_content *content,
               view_post_fn *post, void *context, struct error *err)
{
    size_t count = content->count;
    void *memory, *copies;

    *out = (struct view){0};
    TRY(memory_alloc(&copies, (count + 1) * sizeof *content->commands, err));
    if (memory_alloc(&memory, sizeof(struct view_help), err) != STATUS_OK) {
        free(copies);
        return err->status;
    }
    if (count > 0)
        memcpy(copies, content->commands, count * sizeof *content->commands);
    struct view_help *v = memory;

    *v = (struct view_help){.commands = copies,
                            .content = *content,
                            .post = post,
                            .context = context,
                            .section = 1};
    v->content.commands = copies;
    *out = (struct view){&help_ops, v};
    return STATUS_OK;
}

void
view_help_close(struct view *view)
{
    struct view_help *v = view->state;

    if (v != NULL) {
        buffer_release(&v->text);
        buffer_release(&v->pieces);
        free(v->commands);
        free(v);
    }
    *view = (struct view){0};
}
