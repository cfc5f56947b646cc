/* The items of a chat: what comes in, and what is there. */
#include "config.h"

#include "ui/views/transcript_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ITEMS = 16 };

enum status
transcript_open(struct transcript **out, struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    memset(*out, 0, sizeof **out);
    (*out)->follows = true;
    (*out)->selected = TRANSCRIPT_NONE;
    (*out)->pane.item = TRANSCRIPT_NONE;
    return STATUS_OK;
}

void
transcript_close(struct transcript *transcript)
{
    if (!transcript)
        return;
    transcript_clear(transcript);
    transcript_hunt_release(&transcript->hunt);
    free(transcript->items);
    free(transcript);
}

/* -- what comes in ---------------------------------------------------------
 */

static enum status
grow(struct transcript *transcript, struct error *err)
{
    size_t capacity =
        transcript->capacity ? 2 * transcript->capacity : FIRST_ITEMS;
    size_t bytes;
    void *items;

    if (transcript->count < transcript->capacity)
        return STATUS_OK;
    if (!size_mul(&bytes, capacity, sizeof *transcript->items))
        return error_set(err, STATUS_NOMEM, "the chat has too many parts");
    TRY(memory_alloc(&items, bytes, err));
    if (transcript->count > 0)
        memcpy(items, transcript->items,
               transcript->count * sizeof *transcript->items);
    free(transcript->items);
    transcript->items = items;
    transcript->capacity = capacity;
    return STATUS_OK;
}

static enum document_kind
document_kind_of(enum transcript_kind kind, enum transcript_part part)
{
    return kind == TRANSCRIPT_ANSWER && part == TRANSCRIPT_TEXT
               ? DOCUMENT_MARKDOWN
               : DOCUMENT_PLAIN;
}

enum status
transcript_add(size_t *out, struct transcript *transcript,
               enum transcript_kind kind, const struct transcript_head *head,
               struct error *err)
{
    TRY(grow(transcript, err));
    struct transcript_item *item = &transcript->items[transcript->count];

    *item = (struct transcript_item){.kind = kind, .open = true};
    if (head)
        item->head = *head;
    if (out)
        *out = transcript->count;
    transcript->count++;
    return STATUS_OK;
}

static size_t
line_feeds(const char *bytes, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += bytes[i] == '\n';
    return count;
}

static void
end_thought(struct transcript *transcript, struct transcript_item *item)
{
    if (!item->thinking)
        return;
    item->thinking = false;
    item->held = !transcript->follows;
}

enum status
transcript_append(struct transcript *transcript, size_t number,
                  enum transcript_part part, const char *bytes, size_t length,
                  struct error *err)
{
    assert(number < transcript->count);
    struct transcript_item *item = &transcript->items[number];
    struct transcript_piece *piece = &item->pieces[part];

    if (length == 0)
        return STATUS_OK;
    if (!piece->document)
        TRY(document_open(&piece->document, document_kind_of(item->kind, part),
                          err));
    piece->columns = 0;
    transcript->version++;
    TRY(document_append(piece->document, bytes, length, err));
    piece->breaks += line_feeds(bytes, length);
    if (part == TRANSCRIPT_THOUGHT)
        item->thinking = true;
    else
        end_thought(transcript, item);
    return STATUS_OK;
}

enum status
transcript_finish(struct transcript *transcript, size_t number,
                  struct error *err)
{
    assert(number < transcript->count);
    struct transcript_item *item = &transcript->items[number];

    end_thought(transcript, item);
    item->open = false;
    for (int part = 0; part < 2; part++)
        if (item->pieces[part].document) {
            item->pieces[part].columns = 0;
            TRY(document_finish(item->pieces[part].document, err));
        }
    return STATUS_OK;
}

void
transcript_set_head(struct transcript *transcript, size_t item,
                    const struct transcript_head *head)
{
    assert(item < transcript->count);
    transcript->items[item].head = *head;
}

enum status
transcript_put(size_t *out, struct transcript *transcript,
               enum transcript_kind kind, const struct transcript_head *head,
               const char *text, size_t length, struct error *err)
{
    size_t item;

    TRY(transcript_add(&item, transcript, kind, head, err));
    TRY(transcript_append(transcript, item, TRANSCRIPT_TEXT, text, length,
                          err));
    if (out)
        *out = item;
    return transcript_finish(transcript, item, err);
}

static void
forget_places(struct transcript *transcript)
{
    size_t count = transcript->count;

    if (transcript->top.item >= count)
        transcript->follows = true;
    if (transcript->selected >= count) {
        transcript->selected = TRANSCRIPT_NONE;
        transcript->selected_code = 0;
    }
    if (transcript->first.item >= count)
        transcript->first = (struct transcript_spot){0};
    if (transcript->last_item >= count)
        transcript->last_item = count > 0 ? count - 1 : 0;
    if (transcript->pane.item >= count)
        transcript->pane.item = TRANSCRIPT_NONE;
    transcript->shown_rows = 0;
}

void
transcript_cut(struct transcript *transcript, size_t item)
{
    while (transcript->count > item) {
        struct transcript_item *last = &transcript->items[--transcript->count];

        document_close(last->pieces[TRANSCRIPT_THOUGHT].document);
        document_close(last->pieces[TRANSCRIPT_TEXT].document);
        explicit_bzero(last, sizeof *last);
    }
    transcript->version++;
    transcript_hunt_cut(&transcript->hunt, item);
    forget_places(transcript);
}

void
transcript_clear(struct transcript *transcript)
{
    transcript_cut(transcript, 0);
    transcript->follows = true;
}

/* -- what is there ---------------------------------------------------------
 */

size_t
transcript_items(const struct transcript *transcript)
{
    return transcript->count;
}

enum transcript_kind
transcript_kind(const struct transcript *transcript, size_t item)
{
    assert(item < transcript->count);
    return transcript->items[item].kind;
}

const struct transcript_head *
transcript_head(const struct transcript *transcript, size_t item)
{
    assert(item < transcript->count);
    return &transcript->items[item].head;
}

const struct document *
transcript_document(const struct transcript *transcript, size_t item,
                    enum transcript_part part)
{
    assert(item < transcript->count);
    return transcript->items[item].pieces[part].document;
}

bool
transcript_is_turn(const struct transcript *transcript, size_t item)
{
    return transcript->items[item].kind == TRANSCRIPT_QUESTION ||
           transcript->items[item].kind == TRANSCRIPT_ANSWER;
}

static size_t
last_turn(const struct transcript *transcript)
{
    for (size_t i = transcript->count; i-- > 0;)
        if (transcript_is_turn(transcript, i))
            return i;
    return TRANSCRIPT_NONE;
}

/* The first with its head in view, else the one that fills the view. */
static size_t
turn_in_view(const struct transcript *transcript)
{
    size_t i = transcript->first.item;

    for (; i < transcript->count && i <= transcript->last_item; i++)
        if (transcript_is_turn(transcript, i) &&
            transcript_head_in_view(transcript, i))
            return i;
    for (i = transcript->first.item + 1; i-- > 0;)
        if (i < transcript->count && transcript_is_turn(transcript, i))
            return i;
    return last_turn(transcript);
}

size_t
transcript_current(const struct transcript *transcript)
{
    if (transcript->selected != TRANSCRIPT_NONE)
        return transcript->selected;
    return transcript->follows ? last_turn(transcript)
                               : turn_in_view(transcript);
}

size_t
transcript_current_answer(const struct transcript *transcript)
{
    size_t i = transcript_current(transcript);

    if (i == TRANSCRIPT_NONE || transcript->items[i].kind == TRANSCRIPT_ANSWER)
        return i;
    for (size_t next = i + 1; next < transcript->count; next++) {
        if (transcript->items[next].kind == TRANSCRIPT_ANSWER)
            return next;
        if (transcript->items[next].kind == TRANSCRIPT_QUESTION)
            break;
    }
    return TRANSCRIPT_NONE;
}

size_t
transcript_last_answer(const struct transcript *transcript)
{
    for (size_t i = transcript->count; i-- > 0;)
        if (transcript->items[i].kind == TRANSCRIPT_ANSWER)
            return i;
    return TRANSCRIPT_NONE;
}

size_t
transcript_current_code(const struct transcript *transcript)
{
    return transcript->selected_code;
}

/* Lines that were broken to fit are whole again. */
static enum status
join_line(struct buffer *out, const struct document_line *line, bool first,
          struct error *err)
{
    if (line->label)
        return STATUS_OK;
    if (!first && !line->continues)
        TRY(buffer_append(out, "\n", 1, err));
    if (!first && line->continues && line->blank)
        TRY(buffer_append(out, " ", 1, err));
    return buffer_append(out, line->text, line->length, err);
}

enum status
transcript_text(struct transcript *transcript, size_t number,
                struct buffer *out, struct error *err)
{
    assert(number < transcript->count);
    struct transcript_piece *piece =
        &transcript->items[number].pieces[TRANSCRIPT_TEXT];

    if (!piece->document)
        return STATUS_OK;
    TRY(piece_layout(
        piece, transcript_text_columns(transcript, number, TRANSCRIPT_TEXT),
        err));
    for (size_t i = 0; i < document_lines(piece->document); i++) {
        struct document_line line = document_line(piece->document, i);

        TRY(join_line(out, &line, i == 0, err));
    }
    return STATUS_OK;
}

bool
transcript_code(const struct transcript *transcript, size_t item, size_t number,
                struct document_code *out)
{
    if (item >= transcript->count || number == 0)
        return false;
    const struct document *document =
        transcript->items[item].pieces[TRANSCRIPT_TEXT].document;

    if (!document || number > document_code_count(document))
        return false;
    *out = document_code(document, number);
    return true;
}
