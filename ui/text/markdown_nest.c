/*
 * Lists and quotes are what stands before the lines of a leaf. A line's place
 * in the source is that of the last anchor before it.
 */
#include "config.h"

#include "ui/text/markdown_parts.h"

#include <string.h>

enum {
    LEAST_TEXT = 8, // columns that lists and quotes leave for the text
};

size_t
markdown_nest_depth(const struct renderer *r)
{
    return r->containers.length / sizeof(struct container);
}

static struct container *
container_at(const struct renderer *r, size_t i)
{
    void *containers = r->containers.data;

    return (struct container *) containers + i;
}

enum status
markdown_nest_push(struct renderer *r, const struct container *container)
{
    return buffer_append(&r->containers, container, sizeof *container, r->err);
}

void
markdown_nest_pop(struct renderer *r)
{
    r->containers.length -= sizeof(struct container);
    if (r->fresh > markdown_nest_depth(r))
        r->fresh = markdown_nest_depth(r);
}

struct container *
markdown_nest_list(const struct renderer *r)
{
    for (size_t i = markdown_nest_depth(r); i > 0; i--)
        if (container_at(r, i - 1)->kind == IN_LIST)
            return container_at(r, i - 1);
    return NULL;
}

/* The first container whose prefix is shown: the inner ones, as many as fit. */
static size_t
first_shown(const struct renderer *r, unsigned *columns)
{
    unsigned most = r->document->columns - LEAST_TEXT;
    size_t i = markdown_nest_depth(r);

    if (most > r->document->columns / 2)
        most = r->document->columns / 2;
    *columns = 0;
    while (i > 0 && *columns + container_at(r, i - 1)->columns <= most)
        *columns += container_at(r, --i)->columns;
    return i;
}

unsigned
markdown_nest_room(const struct renderer *r)
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

    for (size_t i = first_shown(r, &columns); i < markdown_nest_depth(r); i++) {
        const struct container *c = container_at(r, i);

        if (c->kind == IN_QUOTE || (c->kind == IN_ITEM && i >= r->fresh))
            TRY(line_store_put(lines, LOOK_DIM, c->bullet, strlen(c->bullet),
                               c->columns, r->err));
        else
            TRY(line_store_blanks(lines, LOOK_PLAIN, c->columns, r->err));
    }
    r->fresh = markdown_nest_depth(r);
    return STATUS_OK;
}

size_t
markdown_source(const struct renderer *r, size_t parsed)
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
        return markdown_source(r, 0);
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

enum status
markdown_nest_begin_line(void *owner, size_t offset, struct error *err)
{
    struct renderer *r = owner;

    (void) err;
    r->document->lines.open.source = anchor_before(r, r->begin + offset);
    return put_prefix(r);
}

/* A table's offsets count from the start of the text. */
enum status
markdown_nest_begin_row(void *owner, size_t offset, struct error *err)
{
    struct renderer *r = owner;

    r->begin = 0;
    return markdown_nest_begin_line(owner, offset, err);
}

struct flow_form
markdown_nest_form(struct renderer *r, bool words)
{
    return (struct flow_form){
        .store = &r->document->lines,
        .columns = r->document->columns,
        .words = words,
        .begin = markdown_nest_begin_line,
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
    const struct container *list = markdown_nest_list(r);
    size_t begin = r->anchors.length > 0 ? first->parsed : r->code_begin;

    if (r->text_end > 0 && begin > r->text_end)
        return has_blank_line(r->parsed + r->text_end, r->parsed + begin);
    return list == NULL || !list->tight;
}

/* An empty line between two leaves. */
enum status
markdown_nest_gap(struct renderer *r, bool wanted)
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
         i < markdown_nest_depth(r) && i < r->fresh; i++) {
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
