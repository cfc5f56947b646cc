/* Widths of columns first; then one of two ways to write rows. */
#include "config.h"

#include "ui/text/table_layout.h"

#include "ui/text/text_width.h"

#include <stdlib.h>

enum {
    COLUMN_GAP = 2,
    HEADER_BYTES = 4,    // a column, of a header that is told again and again
    HANGING_COLUMNS = 2, // of a value that takes several lines
};

static const struct table_cell *
cell_at(const struct table *table, size_t row, size_t column)
{
    return table->cells + row * table->columns + column;
}

static struct flow
flow_of(const struct table *table, const struct table_cell *cell)
{
    return (struct flow){
        .text = table->text + cell->text,
        .length = cell->length,
        .runs = table->runs + cell->run,
        .run_count = cell->runs,
    };
}

static unsigned
width_of(const struct table *table, const struct table_cell *cell)
{
    size_t columns = text_columns(table->text + cell->text, cell->length);

    return columns > UINT16_MAX ? UINT16_MAX : (unsigned) columns;
}

/* Whether all columns side by side fit; widths[] is theirs. */
static bool
find_widths(const struct table *table, unsigned *widths, unsigned room)
{
    size_t sum = 0;

    for (size_t c = 0; c < table->columns; c++) {
        widths[c] = 1;
        for (size_t r = 0; r < table->rows; r++) {
            unsigned width = width_of(table, cell_at(table, r, c));

            if (width > widths[c])
                widths[c] = width;
        }
        sum += widths[c] + (c > 0 ? COLUMN_GAP : 0);
        if (sum > room)
            return false;
    }
    return true;
}

/* So much of a cell as fits, at the end of the line that is open. */
static enum status
put_cell(const struct table *table, const struct table_cell *cell,
         unsigned limit, size_t bytes_limit, struct line_store *store,
         struct error *err)
{
    size_t at = cell->text;

    for (size_t i = 0; i < cell->runs && limit > 0; i++) {
        const struct look_run *run = table->runs + cell->run + i;
        const char *bytes = table->text + at;
        size_t used, length = run->length;

        if (length > bytes_limit)
            length = utf8_complete_prefix(bytes, bytes_limit);
        length = text_fit(bytes, length, limit, &used);
        TRY(line_store_put(store, run->look, bytes, length, (unsigned) used,
                           err));
        if (length < run->length)
            break;
        limit -= (unsigned) used;
        bytes_limit -= length;
        at += run->length;
    }
    return STATUS_OK;
}

/* What has no width may be long; headers are written for every row. */
static enum status
put_header(const struct table *table, const struct table_cell *cell,
           unsigned limit, struct line_store *store, struct error *err)
{
    return put_cell(table, cell, limit, HEADER_BYTES * (size_t) table->room,
                    store, err);
}

static unsigned
blanks_before(enum table_align align, unsigned spare)
{
    return align == TABLE_RIGHT ? spare : align == TABLE_CENTRE ? spare / 2 : 0;
}

static enum status
put_row(const struct table *table, size_t row, const unsigned *widths,
        struct flow_form *form, struct error *err)
{
    struct line_store *store = form->store;
    unsigned owed = 0;

    line_store_begin(store);
    TRY(form->begin(form->owner, cell_at(table, row, 0)->text, err));
    for (size_t c = 0; c < table->columns; c++) {
        const struct table_cell *cell = cell_at(table, row, c);
        unsigned width = width_of(table, cell), spare = widths[c] - width;
        unsigned before = blanks_before(cell->align, spare);

        // blanks only where text follows
        if (width > 0) {
            TRY(line_store_blanks(store, LOOK_PLAIN, owed + before, err));
            TRY(put_cell(table, cell, width, cell->length, store, err));
            owed = 0;
        } else {
            owed += before;
        }
        owed += spare - before + COLUMN_GAP;
    }
    return line_store_end(store, err);
}

static enum status
put_ruler(const struct table *table, const unsigned *widths,
          struct flow_form *form, struct error *err)
{
    struct line_store *store = form->store;

    line_store_begin(store);
    TRY(form->begin(form->owner, cell_at(table, 0, 0)->text, err));
    for (size_t c = 0; c < table->columns; c++) {
        if (c > 0)
            TRY(line_store_blanks(store, LOOK_DIM, COLUMN_GAP, err));
        for (unsigned i = 0; i < widths[c]; i++)
            TRY(line_store_put(store, LOOK_DIM, "-", 1, 1, err));
    }
    return line_store_end(store, err);
}

/* "Header: value" begins with its header; lines after it hang. */
struct told_cell {
    struct flow_form *form;
    const struct table *table;
    const struct table_cell *header, *value;
    unsigned width; // of the header
};

/* A long header takes a line of its own, and no more than that. */
static bool
is_long(const struct told_cell *told)
{
    return told->width + 2 > told->table->room / 2;
}

static enum status
begin_told(void *owner, size_t offset, struct error *err)
{
    struct told_cell *told = owner;
    struct line_store *store = told->form->store;

    TRY(told->form->begin(told->form->owner, told->value->text + offset, err));
    if (offset > 0 || (told->width > 0 && is_long(told)))
        return line_store_blanks(store, LOOK_PLAIN, HANGING_COLUMNS, err);
    if (told->width == 0)
        return STATUS_OK;
    TRY(put_header(told->table, told->header, told->width, store, err));
    return line_store_put(store, LOOK_STRONG, ": ", 2, 2, err);
}

static enum status
tell_long_header(const struct told_cell *told, struct error *err)
{
    struct line_store *store = told->form->store;

    line_store_begin(store);
    TRY(told->form->begin(told->form->owner, told->header->text, err));
    TRY(put_header(told->table, told->header, told->table->room - 1, store,
                   err));
    TRY(line_store_put(store, LOOK_STRONG, ":", 1, 1, err));
    return line_store_end(store, err);
}

static enum status
tell_cell(struct told_cell *told, struct error *err)
{
    struct flow_form form = *told->form;
    struct flow flow = flow_of(told->table, told->value);

    if (is_long(told))
        TRY(tell_long_header(told, err));
    if (is_long(told) && told->value->length == 0)
        return STATUS_OK;
    form.begin = begin_told;
    form.owner = told;
    return flow_lines(&flow, &form, err);
}

static enum status
tell_row(const struct table *table, size_t row, const unsigned *widths,
         struct flow_form *form, struct error *err)
{
    for (size_t c = 0; c < table->columns; c++) {
        struct told_cell told = {form, table, cell_at(table, 0, c),
                                 cell_at(table, row, c), widths[c]};

        TRY(tell_cell(&told, err));
    }
    return STATUS_OK;
}

/* Without rows there is nothing to tell but the header. */
static enum status
tell_header(const struct table *table, struct flow_form *form,
            struct error *err)
{
    for (size_t c = 0; c < table->columns; c++) {
        struct flow flow = flow_of(table, cell_at(table, 0, c));
        struct flow_form one = *form;

        TRY(flow_lines(&flow, &one, err));
    }
    return STATUS_OK;
}

static enum status
tell_rows(const struct table *table, unsigned *widths, struct flow_form *form,
          struct error *err)
{
    if (table->rows == 1)
        return tell_header(table, form, err);
    for (size_t c = 0; c < table->columns; c++)
        widths[c] = width_of(table, cell_at(table, 0, c));
    for (size_t r = 1; r < table->rows; r++) {
        if (r > 1) {
            line_store_begin(form->store);
            TRY(form->begin(form->owner, cell_at(table, r, 0)->text, err));
            TRY(line_store_end(form->store, err));
        }
        TRY(tell_row(table, r, widths, form, err));
    }
    return STATUS_OK;
}

static enum status
put_rows(const struct table *table, const unsigned *widths,
         struct flow_form *form, struct error *err)
{
    for (size_t r = 0; r < table->rows; r++) {
        TRY(put_row(table, r, widths, form, err));
        if (r == 0)
            TRY(put_ruler(table, widths, form, err));
    }
    return STATUS_OK;
}

enum status
table_lay_out(const struct table *table, struct flow_form *form,
              struct error *err)
{
    void *memory;

    if (table->columns == 0 || table->rows == 0)
        return STATUS_OK;
    TRY(memory_alloc(&memory, table->columns * sizeof(unsigned), err));
    unsigned *widths = memory;
    enum status status = find_widths(table, widths, table->room)
                             ? put_rows(table, widths, form, err)
                             : tell_rows(table, widths, form, err);

    free(memory);
    return status;
}
