/* Input history: pages of lines, the last one rewritten with each line. */
#include "config.h"

#include "storage/vault_input.h"

enum { PAGE_LINES = 128, PAGE_BYTES = 64 << 10 };

enum status
vault_input_page(struct items_body *out, struct buffer *bytes,
                 struct vault *vault, size_t i, struct error *err)
{
    struct row_ref ref = row_ref_at(&vault->inputs, i);

    TRY(vault_get(bytes, vault, ROW_INPUTS, NULL, &ref, err));
    if (items_body_read(out, bytes->data, bytes->length, err) != STATUS_OK)
        return vault_alarm(vault, "a page of input history is no such page",
                           err);
    return STATUS_OK;
}

enum status
vault_each_input(struct vault *vault, vault_input_fn *visit, void *context,
                 struct error *err)
{
    struct buffer bytes = {0};
    struct items_body page;
    struct text line;
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < row_ref_count(&vault->inputs);
         i++) {
        status = vault_input_page(&page, &bytes, vault, i, err);
        while (status == STATUS_OK && items_next(&line, &page.items))
            visit(context, line);
    }
    buffer_release(&bytes);
    return status;
}

static size_t
count_items(struct text items)
{
    struct text item;
    size_t count = 0;

    while (items_next(&item, &items))
        count++;
    return count;
}

static enum status
put_page(struct vault *vault, size_t i, struct text items, struct error *err)
{
    struct items_body page = {items};
    struct row_ref ref = row_ref_at(&vault->inputs, i);

    buffer_clear(&vault->body);
    TRY(items_body_write(&vault->body, &page, err));
    TRY(vault_put(vault, ROW_INPUTS, NULL, &ref, err));
    row_ref_set(&vault->inputs, i, &ref);
    return STATUS_OK;
}

static enum status
all_lines(size_t *lines, struct vault *vault, struct error *err)
{
    struct buffer bytes = {0};
    struct items_body page;
    enum status status = STATUS_OK;

    *lines = 0;
    for (size_t i = 0; status == STATUS_OK && i < row_ref_count(&vault->inputs);
         i++) {
        status = vault_input_page(&page, &bytes, vault, i, err);
        if (status == STATUS_OK)
            *lines += count_items(page.items);
    }
    buffer_release(&bytes);
    return status;
}

/* Drops the oldest `surplus` lines, whole pages where that is enough. */
static enum status
drop_oldest(struct vault *vault, size_t surplus, struct error *err)
{
    struct buffer bytes = {0};
    struct items_body page;
    struct text line;
    enum status status = STATUS_OK;

    while (surplus > 0 && row_ref_count(&vault->inputs) > 0) {
        status = vault_input_page(&page, &bytes, vault, 0, err);
        if (status != STATUS_OK)
            break;
        size_t lines = count_items(page.items);
        if (lines > surplus) {
            while (surplus-- > 0)
                (void) items_next(&line, &page.items);
            status = put_page(vault, 0, page.items, err);
            break;
        }
        surplus -= lines;
        status = vault_file_remove(vault->file,
                                   row_ref_at(&vault->inputs, 0).row, err);
        if (status != STATUS_OK)
            break;
        row_ref_drop(&vault->inputs, 0);
    }
    buffer_release(&bytes);
    return status;
}

/* The last page's lines, or none where that page is full. */
static enum status
open_page(struct buffer *items, struct vault *vault, size_t more,
          struct error *err)
{
    size_t pages = row_ref_count(&vault->inputs);
    struct items_body page = {0};
    struct row_ref fresh = {.row = vault->next_row};

    if (pages > 0)
        TRY(vault_input_page(&page, &vault->body, vault, pages - 1, err));
    if (pages > 0 && count_items(page.items) < PAGE_LINES &&
        page.items.length + more <= PAGE_BYTES)
        return buffer_append(items, page.items.bytes, page.items.length, err);
    TRY(row_ref_append(&vault->inputs, &fresh, err));
    vault->next_row++;
    return STATUS_OK;
}

enum status
vault_input_put(struct vault *vault, struct text line, size_t keep,
                struct error *err)
{
    struct buffer items = {0};
    size_t lines;
    enum status status = open_page(&items, vault, line.length, err);

    if (status == STATUS_OK)
        status = items_append(&items, line, err);
    if (status == STATUS_OK)
        status = put_page(vault, row_ref_count(&vault->inputs) - 1,
                          (struct text){items.data, items.length}, err);
    buffer_release(&items);
    if (status != STATUS_OK)
        return status;
    TRY(all_lines(&lines, vault, err));
    return lines > keep ? drop_oldest(vault, lines - keep, err) : STATUS_OK;
}

enum status
vault_add_input(struct vault *vault, struct text line, size_t keep,
                struct error *err)
{
    TRY(vault_begin(vault, err));
    return vault_end(vault, vault_input_put(vault, line, keep, err), err);
}
