/* Words in lines, for the time being: paragraphs. */
#include "config.h"

#include "ui/markdown.h"

static enum status
begin_line(void *owner, size_t offset, struct error *err)
{
    struct document *d = owner;

    (void) err;
    d->lines.open.source = document_origin(d, d->now.at + offset);
    return STATUS_OK;
}

enum status
markdown_lay_out(struct document *d, const struct markdown_block *block,
                 struct error *err)
{
    const char *text = d->text.data + d->now.at;

    TRY(document_gap(d, false, err));
    for (size_t at = 0; at < block->length;) {
        size_t end = at;

        while (end < block->length && text[end] != '\n')
            end++;
        struct flow flow = {
            .text = text + at, .length = end - at, .look = LOOK_PLAIN};
        struct flow_form form = {
            .store = &d->lines,
            .columns = d->columns,
            .words = true,
            .begin = begin_line,
            .owner = d,
        };

        TRY(flow_lines(&flow, &form, err));
        at = end + 1;
    }
    return STATUS_OK;
}
