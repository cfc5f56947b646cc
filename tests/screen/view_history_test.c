/* The history shows a screenful, finds its way, and promises what it does. */
#include "config.h"

#include "tests/screen/golden_screen.h"
#include "ui/views/history_pane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { BELOW = 4 }; // rows of the box and what is around it

/* -- a history ------------------------------------------------------------- */

struct entry {
    const char *when, *model, *title;
    uint64_t turns;
    bool in_use, pinned, deleted;
    const char *hits[3]; // with the match in brackets
    size_t hit_turns[3];
    const char *tags; // or NULL
};

struct fake {
    const struct entry *entries;
    size_t count; // of the list; entries repeat
    size_t entry_count;
    struct history_totals totals;
    const char *tags, *tree;
    bool deleted[16];
    size_t removed[4], removed_count;

    size_t rows_asked, previews_asked, steps;
    bool regex;
    char searched[100], posted[10][100];
    size_t posts;
    bool closed;

    size_t arriving;  // rows that the last step of a search brings
    bool long_answer; // what is found is far down in it
    char line[11000], id[40], answer[4000];
    struct history_turn turns[4];
};

static struct history_totals
totals(void *context)
{
    struct fake *fake = context;

    return fake->totals;
}

static size_t
rows(void *context)
{
    struct fake *fake = context;

    return fake->count;
}

static size_t
hits_of(const struct entry *entry)
{
    size_t n = 0;

    while (n < 3 && entry->hits[n] != NULL)
        n++;
    return n;
}

static bool
row(void *context, size_t index, struct history_row *out)
{
    struct fake *fake = context;
    const struct entry *entry = &fake->entries[index % fake->entry_count];

    fake->rows_asked++;
    snprintf(fake->id, sizeof fake->id, "id%zu", index);
    *out = (struct history_row){
        .id = fake->id,
        .when = entry->when,
        .model = entry->model,
        .title = entry->title,
        .tags = entry->tags ? entry->tags : "",
        .turns = entry->turns,
        .hits = fake->totals.text ? hits_of(entry) : 0,
        .in_use = entry->in_use,
        .pinned = entry->pinned,
        .deleted = index < 16 && fake->deleted[index],
    };
    return true;
}

static bool
hit(void *context, size_t index, size_t number, struct history_hit *out)
{
    struct fake *fake = context;
    const struct entry *entry = &fake->entries[index % fake->entry_count];
    const char *text = entry->hits[number];
    size_t open = strcspn(text, "["), close = strcspn(text, "]");

    snprintf(fake->line, sizeof fake->line, "%.*s%.*s%s", (int) open, text,
             (int) (close - open - 1), text + open + 1, text + close + 1);
    *out = (struct history_hit){fake->line, open, close - open - 1, "you"};
    return true;
}

/* Paragraphs, of which one names what is looked for. */
static void
put_long_answer(struct fake *fake)
{
    size_t length = 0;

    for (int i = 0; i < 80; i++)
        length += (size_t) snprintf(
            fake->answer + length, sizeof fake->answer - length,
            "paragraph %d%s\n\n", i, i == 60 ? " says no expected PSN" : "");
    fake->turns[3].text = fake->answer;
}

static bool
preview(void *context, size_t index, size_t number, struct history_preview *out)
{
    struct fake *fake = context;

    (void) index;
    fake->previews_asked++;
    fake->turns[0] = (struct history_turn){
        true, "13:58", "", "Give me the shortest correct RC bring-up, C only.",
        49};
    fake->turns[1] = (struct history_turn){
        false, "13:59", "thought 903 tok, 61 s",
        "Open the device, allocate a PD, create a CQ and a QP, then move the "
        "QP through INIT, RTR and RTS with the peer's numbers in between.",
        132};
    fake->turns[2] = (struct history_turn){
        true, "14:02", "",
        "Why must a queue pair pass through INIT and RTR before RTS?", 59};
    fake->turns[3] = (struct history_turn){
        false, "14:04", "thought 1,284 tok, 92 s",
        "Each state unlocks one kind of work, so both ends share their numbers "
        "before a packet can leave: if one side could send while the other has "
        "no expected PSN, the first packet would be dropped as out of "
        "sequence.",
        211};
    *out = (struct history_preview){
        .head = "id 01jd3k8q   12 turns   2 branches   38 KB",
        .tags = fake->tags ? fake->tags : "",
        .tree = fake->tree ? fake->tree : "",
        .earlier = 8,
        .turns = fake->turns,
        .count = 4,
        .at = number == SIZE_MAX ? 4 : 3,
    };
    if (fake->long_answer)
        put_long_answer(fake);
    for (size_t i = 0; i < 4; i++)
        fake->turns[i].length = strlen(fake->turns[i].text);
    if (number == SIZE_MAX)
        return true;
    out->hit = "expected PSN";
    out->hit_length = strlen(out->hit);
    out->hit_begin =
        (size_t) (strstr(fake->turns[3].text, out->hit) - fake->turns[3].text);
    return true;
}

static uint64_t
hits_before(void *context, size_t index)
{
    struct fake *fake = context;
    uint64_t sum = 0;

    for (size_t i = 0; i < index; i++)
        sum += hits_of(&fake->entries[i % fake->entry_count]);
    return sum;
}

static size_t
turn_number(void *context, size_t index, size_t number)
{
    struct fake *fake = context;

    return fake->entries[index % fake->entry_count].hit_turns[number];
}

static void
search(void *context, const char *text, bool regex)
{
    struct fake *fake = context;

    snprintf(fake->searched, sizeof fake->searched, "%s", text);
    fake->regex = regex;
    fake->totals.searching = *text != '\0';
    if (fake->arriving > 0)
        fake->count = 0;
}

static bool
work(void *context)
{
    struct fake *fake = context;

    if (fake->steps == 0)
        return false;
    if (--fake->steps == 0 && fake->arriving > 0)
        fake->count = fake->arriving;
    return fake->steps > 0;
}

static const char *
pin(void *context, size_t index)
{
    (void) context;
    (void) index;
    return NULL;
}

static const char *
remove_chat(void *context, size_t index)
{
    struct fake *fake = context;

    if (fake->entries[index % fake->entry_count].in_use)
        return "this chat is open here; /forget deletes it";
    fake->deleted[index] = true;
    fake->removed[fake->removed_count++] = index;
    return NULL;
}

static const char *
restore(void *context, size_t *index)
{
    struct fake *fake = context;

    if (fake->removed_count == 0)
        return "nothing is to be deleted";
    *index = fake->removed[--fake->removed_count];
    fake->deleted[*index] = false;
    return NULL;
}

static void
post(void *context, const char *line)
{
    struct fake *fake = context;

    if (line == NULL)
        fake->closed = true;
    else
        snprintf(fake->posted[fake->posts++], 100, "%s", line);
}

/* As it would be posted, with what is in the box to begin with. */
static void
ask(void *context, const char *prompt, const char *text, const char *command)
{
    struct fake *fake = context;

    snprintf(fake->posted[fake->posts++], 100, "%s[%s%s]", command, prompt,
             text);
}

static const struct entry found[] = {
    {"today 14:04",
     "V4-Flash-q2",
     "RDMA notes",
     12,
     true,
     false,
     false,
     {"And if one side could send while the other has no expected [PSN], the "
      "first packet would be dropped",
      "A common fault is swapping the two [PSN]s -> silence, then "
      "retry-exceeded completion errors"},
     {7, 9},
     "rdma verbs"},
    {"20 Nov",
     "V4-Flash-q2",
     "Debugging rping between hosts",
     40,
     false,
     false,
     false,
     {"Most of the time the [PSN mismatch] shows up as IBV_WC_RETRY_EXC_ERR on "
      "the sender, not on the receiver"},
     {3},
     "rdma"},
    {"11 Nov",
     "V3.2-q4",
     "Cheat sheet for ibv_modify_qp",
     6,
     false,
     false,
     false,
     {"rq_psn must equal the peer's sq_psn, otherwise [PSN mismatch] is what "
      "you get"},
     {1},
     NULL},
    {"02 Oct",
     "V4-Flash-q2",
     "Thesis chapter 3, second pass",
     88,
     false,
     true,
     false,
     {"figure 3.4 plots drops against [PSN] distance for all four links"},
     {44},
     NULL},
};

static struct fake
fake_of(const struct entry *entries, size_t entry_count, size_t count)
{
    return (struct fake){
        .entries = entries,
        .entry_count = entry_count,
        .count = count,
        .totals = {.chats = 1284,
                   .messages = 41902,
                   .messages_known = true,
                   .vault_bytes = 71000000},
    };
}

static struct view
open_view(struct fake *fake)
{
    struct view_history_source source = {
        .context = fake,
        .totals = totals,
        .rows = rows,
        .row = row,
        .hit = hit,
        .preview = preview,
        .hits_before = hits_before,
        .turn_number = turn_number,
        .search = search,
        .work = work,
        .pin = pin,
        .remove = remove_chat,
        .restore = restore,
    };
    struct view view;
    struct error err;

    assert_int_equal(
        view_history_open(&view, &source, NULL, post, ask, fake, &err),
        STATUS_OK);
    return view;
}

/* A search has come to its end. */
static void
find(struct fake *fake, struct view *view)
{
    view->ops->filter(view->state, "psn mismatch");
    fake->totals.searching = fake->totals.done = fake->totals.text = true;
    fake->totals.hits = 17;
    fake->totals.matches = 9;
    fake->totals.took_ns = 190000000;
}

static void
do_work(struct view *view)
{
    for (int i = 0; i < 100 && view->ops->work(view->state, 0); i++)
        ;
}

static void
expect_golden(struct view *view, unsigned rows_, unsigned columns,
              const char *name)
{
    struct canvas canvas = {0};

    golden_draw(&canvas, view, rows_, columns, BELOW, 0);
    do_work(view);
    golden_draw(&canvas, view, rows_, columns, BELOW, 0);
    golden_screen(&canvas, name);
    canvas_release(&canvas);
}

static void
act(struct view *view, enum action action, int count)
{
    struct canvas canvas = {0};

    (void) view->ops->act(view->state, action, count);
    golden_draw(&canvas, view, 24, 80, BELOW, 0);
    canvas_release(&canvas);
}

/* The text of the view at 80x24; lent until the next call. */
static const char *
text_of_view(struct view *view, unsigned columns)
{
    static struct buffer text;
    struct canvas canvas = {0};
    struct error err;

    buffer_clear(&text);
    golden_draw(&canvas, view, 24, columns, BELOW, 0);
    assert_int_equal(canvas_text(&canvas, &text, &err), STATUS_OK);
    canvas_release(&canvas);
    return text.data;
}

/* -- tests ----------------------------------------------------------------- */

static void
a_search_looks_as_it_should_at_every_size(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    fake.tags = "rdma verbs";
    fake.tree = "tree   1-2-3-4-5-6-7-8-9-10-11-12   main\n"
                "               `-7b-8b            \"without verbs\" 14 Nov";
    find(&fake, &view);
    expect_golden(&view, 24, 80, "view_history-80x24");
    expect_golden(&view, 16, 60, "view_history-60x16");
    act(&view, ACTION_SEARCH_NEXT, 1);
    expect_golden(&view, 48, 160, "view_history-160x48");
    text_width_start(true, 1);
    expect_golden(&view, 24, 80, "view_history-80x24-utf8");
    text_width_start(false, 1);
    view_history_close(&view);
}

static void
a_preview_fills_a_narrow_screen(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    act(&view, ACTION_PREVIEW, 1);
    expect_golden(&view, 24, 80, "view_history-preview-80x24");
    // Tab gives it the keys, q gives them back
    act(&view, ACTION_PANE, 1);
    act(&view, ACTION_BACK, 1);
    assert_false(fake.closed);
    act(&view, ACTION_PREVIEW, 1);
    assert_non_null(strstr(text_of_view(&view, 80), "Thesis chapter 3"));
    view_history_close(&view);
}

static void
a_narrow_preview_leaves_out_whole_facts(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    act(&view, ACTION_PREVIEW, 1);
    assert_non_null(strstr(text_of_view(&view, 60),
                           "preview  RDMA notes   id 01jd3k8q       "));
    assert_non_null(strstr(text_of_view(&view, 70),
                           "id 01jd3k8q   12 turns           Space closes"));
    view_history_close(&view);
}

static void
an_empty_history_and_none_at_all_say_so(void **state)
{
    struct fake fake = fake_of(found, 4, 0);
    struct view view = open_view(&fake);
    struct error err;

    (void) state;
    fake.totals = (struct history_totals){.messages_known = true};
    assert_non_null(
        strstr(text_of_view(&view, 80), "No conversation is kept yet."));
    // nothing to do anything with
    for (int action = 0; action < ACTIONS; action++)
        (void) view.ops->act(view.state, (enum action) action, 1);
    assert_int_equal(fake.posts, 0);
    view_history_close(&view);
    assert_int_equal(
        view_history_open(&view, NULL,
                          "Nothing of this chat is written, so there is no "
                          "history. \"fathom vault init\" begins one.",
                          post, ask, &fake, &err),
        STATUS_OK);
    fake.closed = false;
    expect_golden(&view, 24, 80, "view_history-none-80x24");
    for (int action = 0; action < ACTIONS; action++)
        (void) view.ops->act(view.state, (enum action) action, 1);
    view.ops->filter(view.state, "x");
    assert_false(view.ops->work(view.state, 0));
    assert_true(fake.closed);
    view_history_close(&view);
}

static void
a_million_chats_cost_a_screenful(void **state)
{
    struct fake fake = fake_of(found, 4, 1000000);
    struct view view = open_view(&fake);

    (void) state;
    (void) text_of_view(&view, 80);
    assert_in_range(fake.rows_asked, 5, 30);
    fake.rows_asked = 0;
    act(&view, ACTION_BOTTOM, 1);
    assert_in_range(fake.rows_asked, 5, 60);
    assert_non_null(strstr(text_of_view(&view, 80), " > 02 Oct"));
    fake.rows_asked = 0;
    act(&view, ACTION_PAGE_UP, 100);
    act(&view, ACTION_LINE_UP, 1);
    act(&view, ACTION_TOP, 1);
    assert_in_range(fake.rows_asked, 5, 200);
    assert_non_null(strstr(text_of_view(&view, 80), " > today 14:04"));
    view_history_close(&view);
}

static void
the_chosen_row_is_always_in_sight(void **state)
{
    struct fake fake = fake_of(found, 4, 50);
    struct view view = open_view(&fake);
    char wanted[40];

    (void) state;
    for (size_t i = 0; i < 50; i++) {
        snprintf(wanted, sizeof wanted, " > %s", found[i % 4].when);
        assert_non_null(strstr(text_of_view(&view, 80), wanted));
        act(&view, ACTION_LINE_DOWN, 1);
    }
    for (size_t i = 50; i-- > 0;) {
        snprintf(wanted, sizeof wanted, " > %s", found[i % 4].when);
        assert_non_null(strstr(text_of_view(&view, 80), wanted));
        act(&view, ACTION_LINE_UP, 1);
    }
    view_history_close(&view);
}

static void
n_goes_from_hit_to_hit_and_back(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    find(&fake, &view);
    for (int i = 0; i < 3; i++)
        act(&view, ACTION_SEARCH_NEXT, 1);
    // the third hit is in the second chat
    act(&view, ACTION_BRANCH, 1);
    assert_string_equal(fake.posted[0], "/resume id1");
    assert_string_equal(fake.posted[1], "/branch 3");
    assert_true(fake.closed);
    act(&view, ACTION_SEARCH_BACK, 1);
    act(&view, ACTION_BRANCH, 1);
    assert_string_equal(fake.posted[2], "/resume id0");
    assert_string_equal(fake.posted[3], "/branch 9");
    view_history_close(&view);
}

/* Text of a row that has this look; lent until the next call. */
static const char *
text_with_look(const struct canvas *canvas, unsigned row, enum look look)
{
    static char text[500];
    size_t length = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < canvas->columns; i++) {
        const struct cell *cell = &canvas->cells[row * canvas->columns + i];

        if (cell->look == look && length + CELL_BYTES < sizeof text)
            length += (size_t) snprintf(text + length, sizeof text - length,
                                        "%s", cell->text);
    }
    return text;
}

static void
turns_that_cannot_be_counted_are_a_question(void **state)
{
    static const struct entry damaged[] = {
        {.when = "20 Nov",
         .model = "mini",
         .title = "Torn",
         .turns = HISTORY_TURNS_UNKNOWN},
    };
    struct fake fake = fake_of(damaged, 1, 1);
    struct view view = open_view(&fake);

    (void) state;
    assert_non_null(strstr(text_of_view(&view, 80),
                           "20 Nov          ?  mini         Torn"));
    view_history_close(&view);
}

static void
what_is_found_shows_in_the_preview_at_once(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);
    struct canvas canvas = {0};
    unsigned row = 0;

    (void) state;
    (void) text_of_view(&view, 160);
    assert_null(strstr(text_of_view(&view, 160), "hit 1 of"));
    // a step is done before the first row is found, and no frame comes between
    fake.arriving = 4;
    fake.steps = 2;
    fake.long_answer = true;
    find(&fake, &view);
    do_work(&view);
    assert_non_null(strstr(text_of_view(&view, 160), "hit 1 of 17"));
    assert_non_null(strstr(text_of_view(&view, 160), "no expected PSN"));
    golden_draw(&canvas, &view, 24, 160, BELOW, 0);
    while (row < 24 && strcmp(text_with_look(&canvas, row, LOOK_MATCH),
                              "expected PSN") != 0)
        row++;
    assert_in_range(row, 6, 19);
    canvas_release(&canvas);
    // n goes on from what is seen
    (void) view.ops->act(view.state, ACTION_SEARCH_NEXT, 1);
    do_work(&view);
    assert_non_null(strstr(text_of_view(&view, 160), "hit 2 of 17"));
    (void) view.ops->act(view.state, ACTION_LINE_DOWN, 1);
    do_work(&view);
    assert_non_null(strstr(text_of_view(&view, 160), "hit 3 of 17"));
    (void) view.ops->act(view.state, ACTION_BRANCH, 1);
    assert_string_equal(fake.posted[1], "/branch 3");
    view_history_close(&view);
}

static void
fill_pane_of_paragraphs(struct history_pane *pane)
{
    static char text[8000];
    struct history_turn turns[2] = {{true, "14:02", "", "Why?", 4},
                                    {false, "14:04", "", text, 0}};
    size_t length = 0;

    for (int i = 1; i <= 60; i++)
        length += (size_t) snprintf(
            text + length, sizeof text - length,
            "Paragraph %d, which wraps where the window is narrow, and stands "
            "on one line where it is wide.\n\n",
            i);
    turns[1].length = length;
    history_pane_fill(pane, &(struct history_preview){.head = "",
                                                      .tags = "",
                                                      .tree = "",
                                                      .earlier = 8,
                                                      .turns = turns,
                                                      .count = 2,
                                                      .at = 1});
}

/* The text of the first line in sight. */
static const char *
first_line(struct history_pane *pane, unsigned columns)
{
    static char text[1000];
    struct canvas canvas = {0};
    struct error err;
    size_t length = 0;

    assert_int_equal(canvas_resize(&canvas, 24, columns, &err), STATUS_OK);
    history_pane_draw(pane, &canvas, (struct area){0, 0, 24, columns}, "", "",
                      true);
    for (unsigned i = 0; i < columns; i++)
        length += (size_t) snprintf(text + length, sizeof text - length, "%s",
                                    canvas.cells[2 * columns + i].text);
    canvas_release(&canvas);
    return text;
}

static void
another_width_keeps_the_first_line_of_the_preview(void **state)
{
    struct history_pane pane = {0};
    char last[1000];

    (void) state;
    fill_pane_of_paragraphs(&pane);
    assert_non_null(strstr(first_line(&pane, 160), "fathom 14:04"));
    assert_non_null(strstr(first_line(&pane, 60), "fathom 14:04"));
    assert_true(history_pane_act(&pane, ACTION_LINE_DOWN, 79));
    assert_non_null(strstr(first_line(&pane, 60), "  Paragraph 27,"));
    assert_non_null(strstr(first_line(&pane, 160), "  Paragraph 27,"));
    // the second line of it is none there, and comes back
    assert_non_null(strstr(first_line(&pane, 60), "  Paragraph 27,"));
    assert_true(history_pane_act(&pane, ACTION_LINE_DOWN, 1));
    assert_non_null(strstr(first_line(&pane, 60), "on one line where"));
    assert_non_null(strstr(first_line(&pane, 160), "  Paragraph 27,"));
    assert_non_null(strstr(first_line(&pane, 60), "on one line where"));
    // a wider one shows the end before that, and back
    assert_true(history_pane_act(&pane, ACTION_LINE_DOWN, 1000));
    (void) snprintf(last, sizeof last, "%s", first_line(&pane, 60));
    assert_null(strstr(first_line(&pane, 160), last));
    assert_string_equal(first_line(&pane, 60), last);
    assert_true(history_pane_act(&pane, ACTION_TOP, 1));
    assert_non_null(strstr(first_line(&pane, 60), "(8 earlier)"));
    assert_non_null(strstr(first_line(&pane, 160), "(8 earlier)"));
    history_pane_clear(&pane);
}

static void
keys_become_command_lines(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    act(&view, ACTION_LINE_DOWN, 2);
    act(&view, ACTION_RENAME, 1);
    assert_string_equal(
        fake.posted[0],
        "/history title id2 [title: Cheat sheet for ibv_modify_qp]");
    act(&view, ACTION_EXPORT, 1);
    assert_string_equal(fake.posted[1], "/history export id2 [to FILE.md, "
                                        ".json or .html: ]");
    assert_false(fake.closed);
    act(&view, ACTION_CHOOSE, 1);
    assert_string_equal(fake.posted[2], "/resume id2");
    assert_true(fake.closed);
    assert_int_equal(fake.posts, 3);
    view_history_close(&view);
}

static void
a_chat_is_tagged_by_its_key(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    act(&view, ACTION_TAG, 1);
    assert_string_equal(fake.posted[0],
                        "/history tag id0 [tags, -WORD takes one away: ]");
    assert_false(fake.closed);
    // shown where its title leaves room, and cut there
    assert_non_null(strstr(text_of_view(&view, 80), "RDMA notes  rdma verbs"));
    assert_non_null(strstr(text_of_view(&view, 60), "RDMA notes  rdma ve~ *"));
    assert_null(strstr(text_of_view(&view, 60), "hosts  rdma"));
    fake.tags = "rdma verbs";
    act(&view, ACTION_PREVIEW, 1);
    assert_non_null(strstr(text_of_view(&view, 80), " tags   rdma verbs"));
    view_history_close(&view);
}

static void
a_key_makes_the_text_an_expression_and_plain_again(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    // nothing is looked for yet
    act(&view, ACTION_REGEX, 1);
    assert_false(fake.regex);
    assert_non_null(strstr(text_of_view(&view, 80), "regex: on (^T)"));
    view.ops->filter(view.state, "psn|qpn");
    assert_true(fake.regex);
    assert_string_equal(fake.searched, "psn|qpn");
    act(&view, ACTION_LINE_DOWN, 2);
    fake.searched[0] = '\0';
    act(&view, ACTION_REGEX, 1);
    assert_false(fake.regex);
    assert_string_equal(fake.searched, "psn|qpn");
    assert_non_null(strstr(text_of_view(&view, 80), "regex: off (^T)"));
    // it begins anew, at the first row
    act(&view, ACTION_CHOOSE, 1);
    assert_string_equal(fake.posted[0], "/resume id0");
    view_history_close(&view);
}

static void
what_is_deleted_can_be_had_back(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    act(&view, ACTION_DELETE, 1);
    assert_non_null(strstr(text_of_view(&view, 80), "/forget deletes it"));
    act(&view, ACTION_LINE_DOWN, 1);
    act(&view, ACTION_DELETE, 1);
    assert_true(fake.deleted[1]);
    act(&view, ACTION_LINE_UP, 1);
    act(&view, ACTION_CHOOSE, 1);
    assert_int_equal(fake.posts, 0);
    assert_non_null(strstr(text_of_view(&view, 80), "u takes that back"));
    act(&view, ACTION_UNDO, 1);
    assert_false(fake.deleted[1]);
    act(&view, ACTION_UNDO, 1);
    assert_non_null(
        strstr(text_of_view(&view, 80), "nothing is to be deleted"));
    view_history_close(&view);
}

static void
what_is_typed_is_looked_for_at_once(void **state)
{
    struct fake fake = fake_of(found, 4, 4);
    struct view view = open_view(&fake);
    char longest[3000];

    (void) state;
    view.ops->filter(view.state, "p");
    assert_string_equal(fake.searched, "p");
    assert_non_null(strstr(text_of_view(&view, 80), "still looking"));
    fake.steps = 3;
    for (int i = 0; i < 2; i++)
        assert_true(view.ops->work(view.state, 0));
    assert_false(view.ops->work(view.state, 0));
    view.ops->filter(view.state, NULL);
    assert_string_equal(fake.searched, "");
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    view.ops->filter(view.state, longest);
    (void) text_of_view(&view, 80);
    view_history_close(&view);
}

static void
hostile_names_stay_in_their_columns(void **state)
{
    static char endless[10001];
    static const struct entry hostile[] = {
        {"today 14:04",
         "\033]0;x\a",
         "a\033[2J\033]52;c;eHg=\a\nb",
         1,
         false,
         false,
         false,
         {"x\033[31m[y]\r\nz"},
         {1},
         NULL},
        {"\xE2\x80\xAE",
         "\xE2\x80\xAE"
         "evil",
         "\xE2\x80\xAE"
         "txt.exe",
         2,
         false,
         false,
         false,
         {NULL},
         {0},
         NULL},
        {"20 Nov",
         endless,
         endless,
         18446744073709551615u,
         true,
         true,
         false,
         {endless},
         {1},
         NULL},
        {"20 Nov",
         "\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC"
         "\xA2",
         "\xE6\xBC\xA2\xE5\xAD\x97 "
         "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 e\xCC\x81",
         3,
         false,
         false,
         false,
         {"\xE6\xBC\xA2\xE5\xAD\x97[\xE6\xBC\xA2]\xE5\xAD\x97"},
         {1},
         NULL},
    };
    struct fake fake = fake_of(hostile, 4, 4);
    struct view view = open_view(&fake);

    (void) state;
    memset(endless, 'W', sizeof endless - 1);
    endless[5000] = '[';
    endless[5005] = ']';
    for (int utf8 = 0; utf8 < 2; utf8++) {
        text_width_start(utf8, 1);
        for (unsigned columns = 20; columns <= 200; columns += 7) {
            const char *text = text_of_view(&view, columns);

            assert_null(strpbrk(text, "\033\a\r"));
            assert_null(strstr(text, "\xE2\x80\xAE"));
            for (const char *at = text; *at; at += strcspn(at, "\n") + 1)
                assert_true(text_columns(at, strcspn(at, "\n")) <= columns);
        }
    }
    text_width_start(false, 1);
    view_history_close(&view);
}

static void
no_size_is_too_small(void **state)
{
    struct fake fake = fake_of(found, 4, 9);
    struct view view = open_view(&fake);

    (void) state;
    find(&fake, &view);
    for (unsigned rows_ = BELOW; rows_ < 40; rows_++)
        for (unsigned columns = 1; columns < 170; columns += 13) {
            struct canvas canvas = {0};

            golden_draw(&canvas, &view, rows_, columns, BELOW, 0);
            do_work(&view);
            golden_draw(&canvas, &view, rows_, columns, BELOW, 0);
            canvas_release(&canvas);
        }
    view_history_close(&view);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_looks_as_it_should_at_every_size),
        cmocka_unit_test(a_preview_fills_a_narrow_screen),
        cmocka_unit_test(a_narrow_preview_leaves_out_whole_facts),
        cmocka_unit_test(an_empty_history_and_none_at_all_say_so),
        cmocka_unit_test(a_million_chats_cost_a_screenful),
        cmocka_unit_test(the_chosen_row_is_always_in_sight),
        cmocka_unit_test(n_goes_from_hit_to_hit_and_back),
        cmocka_unit_test(turns_that_cannot_be_counted_are_a_question),
        cmocka_unit_test(what_is_found_shows_in_the_preview_at_once),
        cmocka_unit_test(another_width_keeps_the_first_line_of_the_preview),
        cmocka_unit_test(keys_become_command_lines),
        cmocka_unit_test(a_chat_is_tagged_by_its_key),
        cmocka_unit_test(a_key_makes_the_text_an_expression_and_plain_again),
        cmocka_unit_test(what_is_deleted_can_be_had_back),
        cmocka_unit_test(what_is_typed_is_looked_for_at_once),
        cmocka_unit_test(hostile_names_stay_in_their_columns),
        cmocka_unit_test(no_size_is_too_small),
    };

    text_width_start(false, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
