/*
 * What is in view. The place where somebody reads is kept as an anchor: item,
 * part and byte of the text. It becomes a row when something is drawn or
 * moved, and a row becomes an anchor again when the reader moves.
 */
#include "config.h"

#include "ui/views/transcript_parts.h"

#include <string.h>

static struct transcript_anchor
anchor_at(struct transcript *transcript, struct transcript_spot spot)
{
    size_t line;
    struct transcript_anchor anchor = {.item = spot.item};

    anchor.section =
        transcript_section_at(transcript, spot.item, spot.row, &line);
    const struct transcript_piece *piece =
        transcript_piece_of(transcript, spot.item, anchor.section);

    if (piece)
        piece_anchor(piece, line, &anchor);
    return anchor;
}

static struct transcript_spot
anchored_spot(struct transcript *transcript)
{
    const struct transcript_anchor *anchor = &transcript->top;
    enum transcript_section section =
        anchor->section == SECTION_TAIL ? SECTION_THOUGHT : anchor->section;
    struct transcript_piece *piece =
        transcript_piece_of(transcript, anchor->item, section);
    size_t rows[SECTIONS];

    transcript_sections(transcript, anchor->item, rows);
    // of a thought that is folded now, the head is left
    if (section == SECTION_THOUGHT && rows[section] == 0)
        section = SECTION_HEAD;
    size_t row = transcript_section_row(transcript, anchor->item, section);

    if (piece && section != SECTION_HEAD && piece->columns > 0 &&
        document_lines(piece->document) > 0)
        row += piece_anchored_line(piece, anchor);
    return (struct transcript_spot){anchor->item, row};
}

/* The first row of a view that shows the end last. */
static enum status
find_end(struct transcript *transcript, struct transcript_spot *out,
         struct error *err)
{
    size_t need = transcript->rows;

    *out = (struct transcript_spot){0};
    for (size_t i = transcript->count; i-- > 0;) {
        TRY(transcript_layout_item(transcript, i, err));
        size_t rows = transcript_item_rows(transcript, i);

        if (rows >= need) {
            *out = (struct transcript_spot){i, rows - need};
            break;
        }
        need -= rows;
    }
    return STATUS_OK;
}

enum status
transcript_find_top(struct transcript *transcript, struct transcript_spot *out,
                    struct error *err)
{
    if (transcript->follows || transcript->count == 0)
        return find_end(transcript, out, err);
    TRY(transcript_layout_item(transcript, transcript->top.item, err));
    *out = anchored_spot(transcript);
    return STATUS_OK;
}

static bool
spot_before(struct transcript_spot a, struct transcript_spot b)
{
    return a.item < b.item || (a.item == b.item && a.row < b.row);
}

bool
transcript_in_view(const struct transcript *transcript,
                   struct transcript_spot spot)
{
    size_t rows = 0;

    if (spot_before(spot, transcript->first) ||
        spot.item > transcript->last_item)
        return false;
    for (size_t i = transcript->first.item; i < spot.item; i++)
        rows += transcript_item_rows(transcript, i);
    rows += spot.row - transcript->first.row;
    // the last row may say that there is more
    return rows + !transcript->follows < transcript->rows;
}

bool
transcript_head_in_view(const struct transcript *transcript, size_t item)
{
    return transcript_in_view(
        transcript,
        (struct transcript_spot){
            item, transcript_section_row(transcript, item, SECTION_HEAD)});
}

static bool
something_comes_in(const struct transcript *transcript)
{
    // an item that grows is among the last; notes may follow it
    for (size_t i = transcript->count; i-- > 0;)
        if (transcript->items[i].open)
            return true;
        else if (transcript->items[i].kind == TRANSCRIPT_QUESTION)
            break;
    return false;
}

/* Keeps what failed for the next drawing to tell; false. */
static bool
failed(struct transcript *transcript, const struct error *err)
{
    transcript->failure = *err;
    return false;
}

static void
stand_at(struct transcript *transcript, struct transcript_spot spot)
{
    transcript->follows = false;
    transcript->top = anchor_at(transcript, spot);
}

void
transcript_put_top(struct transcript *transcript, struct transcript_spot spot)
{
    struct error err;
    struct transcript_spot end;

    if (find_end(transcript, &end, &err) != STATUS_OK) {
        (void) failed(transcript, &err);
        return;
    }
    if (spot_before(spot, end))
        stand_at(transcript, spot);
    else if (something_comes_in(transcript))
        stand_at(transcript, end);
    else
        transcript_follow(transcript);
}

void
transcript_settle(struct transcript *transcript)
{
    for (size_t i = 0; i < transcript->count; i++)
        if (transcript->items[i].held &&
            (transcript->follows || i < transcript->first.item ||
             i > transcript->last_item))
            transcript->items[i].held = false;
}

bool
transcript_follows(const struct transcript *transcript)
{
    return transcript->follows;
}

void
transcript_follow(struct transcript *transcript)
{
    transcript->follows = true;
    transcript_settle(transcript);
}

static void
deselect(struct transcript *transcript)
{
    transcript->selected = TRANSCRIPT_NONE;
    transcript->selected_code = 0;
}

static enum status
step_up(struct transcript *transcript, struct transcript_spot *spot,
        size_t rows, struct error *err)
{
    while (rows > spot->row && spot->item > 0) {
        rows -= spot->row;
        spot->item--;
        TRY(transcript_layout_item(transcript, spot->item, err));
        spot->row = transcript_item_rows(transcript, spot->item);
    }
    spot->row -= rows < spot->row ? rows : spot->row;
    return STATUS_OK;
}

static enum status
step_down(struct transcript *transcript, struct transcript_spot *spot,
          size_t rows, struct error *err)
{
    for (;;) {
        TRY(transcript_layout_item(transcript, spot->item, err));
        size_t all = transcript_item_rows(transcript, spot->item);

        if (spot->row + rows < all || spot->item + 1 == transcript->count) {
            spot->row += rows;
            return STATUS_OK;
        }
        rows -= all - spot->row;
        spot->row = 0;
        spot->item++;
    }
}

void
transcript_put_below_top(struct transcript *transcript,
                         struct transcript_spot spot, size_t rows)
{
    struct error err;

    if (step_up(transcript, &spot, rows, &err) != STATUS_OK)
        (void) failed(transcript, &err);
    else
        transcript_put_top(transcript, spot);
}

/* Where it stands, a thought that comes in shows whole. */
static enum status
find_standing_top(struct transcript *transcript, struct transcript_spot *out,
                  struct error *err)
{
    bool follows = transcript->follows;
    enum status status;

    transcript->follows = false;
    status = follows ? find_end(transcript, out, err)
                     : transcript_find_top(transcript, out, err);
    transcript->follows = follows;
    return status;
}

static enum status
go_up(struct transcript *transcript, size_t rows, bool *moved,
      struct error *err)
{
    struct transcript_spot spot, before;

    TRY(find_standing_top(transcript, &spot, err));
    before = spot;
    TRY(step_up(transcript, &spot, rows, err));
    *moved = spot_before(spot, before);
    // all is in view, and nothing comes that could push it up
    if (transcript->follows && !*moved && !something_comes_in(transcript))
        return STATUS_OK;
    *moved = *moved || transcript->follows;
    deselect(transcript);
    stand_at(transcript, spot);
    return STATUS_OK;
}

static bool
scroll_up(struct transcript *transcript, size_t rows)
{
    struct error err;
    bool moved = false;

    if (go_up(transcript, rows, &moved, &err) != STATUS_OK)
        return failed(transcript, &err);
    return moved;
}

static bool
scroll_down(struct transcript *transcript, size_t rows)
{
    struct transcript_spot spot, end;
    struct error err;

    if (transcript->follows)
        return false;
    if (transcript_find_top(transcript, &spot, &err) != STATUS_OK ||
        step_down(transcript, &spot, rows, &err) != STATUS_OK ||
        find_end(transcript, &end, &err) != STATUS_OK)
        return failed(transcript, &err);
    deselect(transcript);
    if (spot_before(spot, end))
        transcript->top = anchor_at(transcript, spot);
    else
        transcript_follow(transcript);
    return true;
}

bool
transcript_scroll(struct transcript *transcript, long rows)
{
    if (transcript->rows == 0 || transcript->count == 0)
        return false;
    return rows < 0 ? scroll_up(transcript, (size_t) -rows)
                    : scroll_down(transcript, (size_t) rows);
}

bool
transcript_page(struct transcript *transcript, long pages)
{
    // two rows stay: one to read on from, one says that there is more
    long rows = transcript->rows > 3 ? (long) transcript->rows - 2 : 1;

    return transcript_scroll(transcript, pages * rows);
}

bool
transcript_top(struct transcript *transcript)
{
    struct transcript_spot end;
    struct error err;

    if (transcript->rows == 0 || transcript->count == 0)
        return false;
    deselect(transcript);
    if (find_end(transcript, &end, &err) != STATUS_OK)
        return failed(transcript, &err);
    if (end.item == 0 && end.row == 0 && transcript->follows)
        return false;
    if (transcript_layout_item(transcript, 0, &err) != STATUS_OK)
        return failed(transcript, &err);
    stand_at(transcript, (struct transcript_spot){0});
    return true;
}

/* -- turns and code blocks -------------------------------------------------
 */

static struct transcript_spot
head_spot(const struct transcript *transcript, size_t item)
{
    return (struct transcript_spot){
        item, transcript_section_row(transcript, item, SECTION_HEAD)};
}

void
transcript_show(struct transcript *transcript, size_t item)
{
    struct error err;

    if (item >= transcript->count)
        return;
    if (transcript_layout_item(transcript, item, &err) != STATUS_OK) {
        (void) failed(transcript, &err);
        return;
    }
    transcript->selected = item;
    transcript->selected_code = 0;
    if (transcript->rows > 0)
        transcript_put_top(transcript, head_spot(transcript, item));
}

static size_t
next_turn(const struct transcript *transcript, size_t item, bool back)
{
    while (back ? item > 0 : item + 1 < transcript->count) {
        item += back ? (size_t) -1 : 1;
        if (transcript_is_turn(transcript, item))
            return item;
    }
    return TRANSCRIPT_NONE;
}

bool
transcript_turn(struct transcript *transcript, long turns)
{
    size_t item = transcript_current(transcript), next;
    bool back = turns < 0, moved = false;

    if (item == TRANSCRIPT_NONE || transcript->rows == 0)
        return false;
    // the head of what fills the view is itself the one before
    if (back && !transcript_head_in_view(transcript, item) &&
        transcript->selected == TRANSCRIPT_NONE) {
        moved = true;
        turns++;
    }
    for (; turns != 0; turns += back ? 1 : -1) {
        next = next_turn(transcript, item, back);
        if (next == TRANSCRIPT_NONE)
            break;
        item = next;
        moved = true;
    }
    if (moved)
        transcript_show(transcript, item);
    else if (!back)
        transcript_follow(transcript);
    return moved;
}

/* Whether it is worth while to lay the item out to find code in it. */
static bool
may_have_code(const struct transcript_item *item)
{
    const struct document *document = item->pieces[TRANSCRIPT_TEXT].document;

    if (item->kind != TRANSCRIPT_ANSWER || !document)
        return false;
    const struct buffer *source = document_source(document);

    return source->length > 0 &&
           (memmem(source->data, source->length, "```", 3) ||
            memmem(source->data, source->length, "~~~", 3) ||
            memmem(source->data, source->length, "    ", 4) ||
            memchr(source->data, '\t', source->length));
}

static struct transcript_spot
code_spot(const struct transcript *transcript, size_t item, size_t number)
{
    const struct document *document =
        transcript->items[item].pieces[TRANSCRIPT_TEXT].document;

    return (struct transcript_spot){
        item, transcript_section_row(transcript, item, SECTION_TEXT) +
                  document_code(document, number).first_line};
}

/* The block of an item that is nearest beyond the spot, or 0. */
static enum status
code_beyond(struct transcript *transcript, size_t item,
            struct transcript_spot from, bool back, bool here, size_t *out,
            struct error *err)
{
    *out = 0;
    if (!may_have_code(&transcript->items[item]))
        return STATUS_OK;
    TRY(transcript_layout_item(transcript, item, err));
    size_t count = document_code_count(
        transcript->items[item].pieces[TRANSCRIPT_TEXT].document);

    for (size_t i = 0; i < count && *out == 0; i++) {
        size_t number = back ? count - i : i + 1;
        struct transcript_spot spot = code_spot(transcript, item, number);
        bool same = !spot_before(spot, from) && !spot_before(from, spot);

        if (same   ? here
            : back ? spot_before(spot, from)
                   : spot_before(from, spot))
            *out = number;
    }
    return STATUS_OK;
}

/*
 * Where code is looked for from: the block at hand, else the view's begin. A
 * block is no more where text came that makes it another thing: "```a`".
 */
static enum status
code_from(struct transcript *transcript, struct transcript_spot *out,
          struct error *err)
{
    struct document_code code;
    size_t item = transcript->selected, number = transcript->selected_code;

    if (number > 0 && item < transcript->count)
        TRY(transcript_layout_item(transcript, item, err));
    if (transcript_code(transcript, item, number, &code)) {
        *out = code_spot(transcript, item, number);
        return STATUS_OK;
    }
    transcript->selected_code = 0;
    return transcript_find_top(transcript, out, err);
}

static enum status
next_code(struct transcript *transcript, bool back, bool *found,
          struct error *err)
{
    struct transcript_spot from;
    size_t number = 0;

    *found = false;
    TRY(code_from(transcript, &from, err));
    bool here = !back && transcript->selected_code == 0;

    for (size_t i = from.item; number == 0 && i < transcript->count;
         i += back ? (size_t) -1 : 1) {
        TRY(code_beyond(transcript, i, from, back, here, &number, err));
        if (number == 0)
            continue;
        transcript->selected = i;
        transcript->selected_code = number;
        transcript_put_top(transcript, code_spot(transcript, i, number));
    }
    *found = number > 0;
    return STATUS_OK;
}

bool
transcript_code_block(struct transcript *transcript, long blocks)
{
    bool back = blocks < 0, moved = false, found = true;
    struct error err;

    if (transcript->rows == 0 || transcript->count == 0)
        return false;
    for (; blocks != 0 && found; blocks += back ? 1 : -1) {
        if (next_code(transcript, back, &found, &err) != STATUS_OK)
            return failed(transcript, &err);
        moved = moved || found;
    }
    return moved;
}

/* -- folding ---------------------------------------------------------------
 */

static bool
shows_thought(const struct transcript *transcript, size_t item)
{
    size_t rows[SECTIONS];

    transcript_sections(transcript, item, rows);
    return rows[SECTION_THOUGHT] > 0;
}

/* The row of the view that shows the head, or as many as it has. */
static size_t
head_row(const struct transcript *transcript, size_t number)
{
    size_t rows = transcript_section_row(transcript, number, SECTION_HEAD);

    if (!transcript_head_in_view(transcript, number))
        return transcript->rows;
    for (size_t i = transcript->first.item; i < number; i++)
        rows += transcript_item_rows(transcript, i);
    return rows - transcript->first.row;
}

/*
 * Folds or unfolds while the first row of the view stays where it is, unless
 * that would show nothing of the thought.
 */
static enum status
fold_in_view(struct transcript *transcript, size_t number, bool opens,
             struct error *err)
{
    struct transcript_item *item = &transcript->items[number];
    struct transcript_spot top;
    size_t row = head_row(transcript, number);

    TRY(transcript_find_top(transcript, &top, err));
    if (opens)
        stand_at(transcript, top);
    item->folding = opens ? FOLDING_OPEN : FOLDING_SHUT;
    item->held = false;
    if (row == transcript->rows || (opens && row > transcript->rows / 2)) {
        transcript->selected = number;
        transcript->selected_code = 0;
        TRY(transcript_layout_item(transcript, number, err));
        transcript_put_below_top(transcript, head_spot(transcript, number),
                                 opens ? transcript->rows / 3 : 0);
    } else if (!transcript->follows) {
        TRY(transcript_find_top(transcript, &top, err));
        transcript_put_top(transcript, top);
    }
    return STATUS_OK;
}

bool
transcript_fold(struct transcript *transcript, size_t number)
{
    struct error err;

    if (number >= transcript->count || transcript->rows == 0 ||
        !transcript->items[number].pieces[TRANSCRIPT_THOUGHT].document)
        return false;
    if (fold_in_view(transcript, number, !shows_thought(transcript, number),
                     &err) != STATUS_OK)
        return failed(transcript, &err);
    return true;
}
