/* Three buffers that grow together. */
#include "config.h"

#include "ui/text/line_store.h"

#include "ui/text/document.h"

#include <string.h>

struct line_mark
line_store_mark(const struct line_store *store)
{
    return (struct line_mark){store->text.length, store->runs.length,
                              store->lines.length};
}

void
line_store_cut(struct line_store *store, struct line_mark mark)
{
    store->text.length = mark.text;
    store->runs.length = mark.runs;
    store->lines.length = mark.lines;
}

void
line_store_release(struct line_store *store)
{
    buffer_release(&store->text);
    buffer_release(&store->runs);
    buffer_release(&store->lines);
}

size_t
line_store_count(const struct line_store *store)
{
    return store->lines.length / sizeof(struct stored_line);
}

const struct stored_line *
line_store_at(const struct line_store *store, size_t number)
{
    const void *lines = store->lines.data;

    return (const struct stored_line *) lines + number;
}

void
line_store_begin(struct line_store *store)
{
    store->open = (struct stored_line){
        .text = store->text.length,
        .run = store->runs.length / sizeof(struct look_run),
    };
}

/* Text that looks as the text before it lengthens its run. */
static enum status
put_run(struct line_store *store, enum look look, size_t length,
        struct error *err)
{
    struct look_run run = {(uint32_t) length, look};

    if (store->open.runs > 0) {
        void *runs = store->runs.data;
        struct look_run *last =
            (struct look_run *) runs + store->open.run + store->open.runs - 1;

        if (last->look == look) {
            last->length += run.length;
            return STATUS_OK;
        }
    }
    TRY(buffer_append(&store->runs, &run, sizeof run, err));
    store->open.runs++;
    return STATUS_OK;
}

enum status
line_store_put(struct line_store *store, enum look look, const char *bytes,
               size_t length, unsigned columns, struct error *err)
{
    if (length == 0)
        return STATUS_OK;
    TRY(buffer_append(&store->text, bytes, length, err));
    TRY(put_run(store, look, length, err));
    store->open.length += length;
    store->open.columns += columns;
    return STATUS_OK;
}

enum status
line_store_blanks(struct line_store *store, enum look look, unsigned count,
                  struct error *err)
{
    static const char blanks[] = "                                ";

    while (count > 0) {
        unsigned n = count < sizeof blanks - 1 ? count : sizeof blanks - 1;

        TRY(line_store_put(store, look, blanks, n, n, err));
        count -= n;
    }
    return STATUS_OK;
}

void
line_store_trim(struct line_store *store)
{
    struct stored_line *open = &store->open;

    for (size_t i = 0; i < open->length; i++)
        if (store->text.data[open->text + i] != ' ')
            return;
    store->text.length = open->text;
    store->runs.length = open->run * sizeof(struct look_run);
    open->length = open->runs = 0;
    open->columns = 0;
}

enum status
line_store_end(struct line_store *store, struct error *err)
{
    return buffer_append(&store->lines, &store->open, sizeof store->open, err);
}
