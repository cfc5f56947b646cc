/* Sanitised text goes through one layout function, a character at a time. */
#include "config.h"

#include "ui/text/printer.h"

#include "ui/text/text_width.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#define DIM_ON "\033[2m"
#define DIM_OFF "\033[22m"

enum {
    TAB_COLUMNS = 8,
    FENCE_TICKS = 3,
    NOT_TICKS = 100,
    WORD_COLUMNS = 16, // most words are shorter than this
};

enum status
printer_put(int descriptor, const char *bytes, size_t length, struct error *err)
{
    while (length > 0) {
        ssize_t n =
            fault_due() ? (errno = EIO, -1) : write(descriptor, bytes, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "cannot write the output");
        bytes += n;
        length -= (size_t) n;
    }
    return STATUS_OK;
}

/* Whether a character belongs to the one before, so that no line may break. */
static bool
joins(struct printer *p, uint32_t c)
{
    uint32_t before = p->before;

    p->before = c;
    if (before < 0x80 && c < 0x80)
        return false;
    return !utf8proc_grapheme_break_stateful(
        (utf8proc_int32_t) before, (utf8proc_int32_t) c, &p->cluster_state);
}

static enum status
put(struct printer *p, const char *bytes, size_t length, struct error *err)
{
    if (p->column == 0 && !p->line_begun) {
        p->line_begun = true;
        if (p->style.prefix) {
            size_t n = strlen(p->style.prefix);

            TRY(buffer_append(&p->out, p->style.prefix, n, err));
            p->column = n;
        }
    }
    return buffer_append(&p->out, bytes, length, err);
}

static enum status
put_newline(struct printer *p, struct error *err)
{
    TRY(put(p, "\n", 1, err));
    p->column = 0;
    p->line_begun = false;
    return STATUS_OK;
}

static enum status
put_columns(struct printer *p, const char *bytes, size_t length, size_t columns,
            struct error *err)
{
    TRY(put(p, bytes, length, err));
    p->column += columns;
    // what is longer than a line was wrapped by the terminal
    if (p->columns > 0 && p->column > p->columns)
        p->column %= p->columns;
    return STATUS_OK;
}

static enum status
flush_word(struct printer *p, struct error *err)
{
    size_t need = p->column + p->blanks + p->word_columns;

    if (p->word.length == 0)
        return STATUS_OK;
    // a word whose beginning is shown already cannot move to the next line
    if (p->line_begun && need > p->columns && !p->word_open) {
        TRY(put_newline(p, err));
        p->blanks = 0;
    }
    for (; p->blanks > 0; p->blanks--)
        TRY(put_columns(p, " ", 1, 1, err));
    TRY(put_columns(p, p->word.data, p->word.length, p->word_columns, err));
    buffer_clear(&p->word);
    p->word_columns = 0;
    p->word_open = true;
    return STATUS_OK;
}

/* Blanks at a line's end are never printed while wrapping. */
static enum status
flush_line(struct printer *p, struct error *err)
{
    TRY(flush_word(p, err));
    p->blanks = 0;
    p->ticks = 0;
    p->word_open = false;
    p->before = '\n';
    p->held_newlines++;
    return STATUS_OK;
}

/* Follows the ``` that open and close a block of code. */
static void
watch_fence(struct printer *p, uint32_t c)
{
    if (c == '`' && p->ticks < FENCE_TICKS) {
        if (++p->ticks == FENCE_TICKS)
            p->in_fence = !p->in_fence;
    } else if (c != ' ' || p->ticks > 0) {
        p->ticks = NOT_TICKS;
    }
}

static enum status
layout_visible(struct printer *p, uint32_t c, const char *bytes, size_t n,
               struct error *err)
{
    size_t width = text_width_of(c);
    bool joined = joins(p, c);

    if (c == '\t') {
        TRY(flush_word(p, err));
        p->word_open = false;
        width = TAB_COLUMNS - p->column % TAB_COLUMNS;
        return put_columns(p, bytes, n, width, err);
    }
    if (c == ' ') {
        TRY(flush_word(p, err));
        p->word_open = false;
        p->blanks++;
        return STATUS_OK;
    }
    // a line may be broken on either side of a wide character
    if (width == 2 && !joined) {
        TRY(flush_word(p, err));
        p->word_open = false;
    }
    // ... but not within what the terminal shows as one
    if (joined && p->word.length == 0)
        p->word_open = true;
    TRY(buffer_append(&p->word, bytes, n, err));
    p->word_columns += width;
    // what does not fit a line anyhow need not wait for its end
    if (width == 2 || p->word_columns >= p->columns)
        TRY(flush_word(p, err));
    p->word_open = p->word_open && width != 2;
    return STATUS_OK;
}

static enum status
layout_character(struct printer *p, uint32_t c, const char *bytes, size_t n,
                 struct error *err)
{
    bool was_in_fence = p->in_fence;

    if (c == '\n')
        return p->anything ? flush_line(p, err) : STATUS_OK;
    p->anything = true;
    for (; p->held_newlines > 0; p->held_newlines--)
        TRY(put_newline(p, err));
    watch_fence(p, c);
    if (p->columns > 0 && !p->in_fence && !was_in_fence)
        return layout_visible(p, c, bytes, n, err);
    TRY(flush_word(p, err));
    for (; p->blanks > 0; p->blanks--)
        TRY(put_columns(p, " ", 1, 1, err));
    return put_columns(p, bytes, n, text_width_of(c), err);
}

/* Our own attributes around marks take no room. */
static enum status
layout_attribute(struct printer *p, const char *bytes, size_t length,
                 size_t *used, struct error *err)
{
    const char *end = memchr(bytes, 'm', length);

    *used = end ? (size_t) (end - bytes) + 1 : length;
    if (p->columns > 0 && !p->in_fence)
        return buffer_append(&p->word, bytes, *used, err);
    return put(p, bytes, *used, err);
}

static enum status
layout(struct printer *p, struct error *err)
{
    for (size_t i = 0; i < p->fit.length;) {
        const char *at = p->fit.data + i;
        uint32_t c;
        bool valid;
        size_t n;

        if (*at == '\033') {
            TRY(layout_attribute(p, at, p->fit.length - i, &n, err));
        } else {
            n = utf8_next(at, p->fit.length - i, &c, &valid);
            TRY(layout_character(p, c, at, n, err));
        }
        i += n;
    }
    buffer_clear(&p->fit);
    return STATUS_OK;
}

/*
 * The beginning of a word is shown before its end is known where the line has
 * room for most words.
 */
static enum status
show_begun_word(struct printer *p, struct error *err)
{
    size_t end = p->column + p->blanks + p->word_columns;

    return end + WORD_COLUMNS <= p->columns ? flush_word(p, err) : STATUS_OK;
}

static enum status
write_out(struct printer *p, struct error *err)
{
    enum status status =
        printer_put(p->descriptor, p->out.data, p->out.length, err);

    buffer_clear(&p->out);
    return status;
}

/* What waits, and what is half done, is dropped. */
static void
forget(struct printer *p)
{
    buffer_clear(&p->fit);
    buffer_clear(&p->out);
    buffer_clear(&p->word);
    p->word_columns = 0;
    p->blanks = 0;
}

void
printer_begin(struct printer *p, struct print_style style)
{
    forget(p);
    p->style = style;
    p->sanitiser = (struct sanitiser){0};
    if (p->colour && !style.dim) {
        p->sanitiser.mark_open = DIM_ON;
        p->sanitiser.mark_close = DIM_OFF;
    }
    p->anything = false;
    p->held_newlines = 0;
    p->ticks = 0;
    p->in_fence = false;
    p->word_open = false;
    p->before = 0;
    p->cluster_state = 0;
}

enum status
printer_label(struct printer *p, const char *label, struct error *err)
{
    TRY(put_columns(p, label, strlen(label), strlen(label), err));
    return write_out(p, err);
}

static enum status
lay_out_piece(struct printer *p, const char *bytes, size_t length,
              struct error *err)
{
    bool dim = p->style.dim && p->colour;

    TRY(sanitiser_write(&p->sanitiser, &p->fit, bytes, length, err));
    // every write is dim on its own, so a death in between leaves no trace
    if (dim && p->fit.length > 0)
        TRY(buffer_append(&p->out, DIM_ON, strlen(DIM_ON), err));
    TRY(layout(p, err));
    TRY(show_begun_word(p, err));
    if (dim && p->out.length > 0)
        TRY(buffer_append(&p->out, DIM_OFF, strlen(DIM_OFF), err));
    return STATUS_OK;
}

static enum status
lay_out_end(struct printer *p, struct error *err)
{
    bool dim = p->style.dim && p->colour;

    if (dim)
        TRY(buffer_append(&p->out, DIM_ON, strlen(DIM_ON), err));
    TRY(sanitiser_finish(&p->sanitiser, &p->fit, err));
    TRY(layout(p, err));
    TRY(flush_word(p, err));
    if (dim)
        TRY(buffer_append(&p->out, DIM_OFF, strlen(DIM_OFF), err));
    p->held_newlines = 0;
    p->blanks = 0;
    return p->line_begun ? put_newline(p, err) : STATUS_OK;
}

/* Writes what was laid out since the line was as `before` says, or none. */
static enum status
write_or_forget(struct printer *p, enum status status,
                const struct printer *before, struct error *err)
{
    if (status == STATUS_OK)
        return write_out(p, err);
    forget(p);
    p->column = before->column;
    p->line_begun = before->line_begun;
    return status;
}

enum status
printer_write(struct printer *p, const char *bytes, size_t length,
              struct error *err)
{
    const struct printer before = *p;

    return write_or_forget(p, lay_out_piece(p, bytes, length, err), &before,
                           err);
}

enum status
printer_end(struct printer *p, struct error *err)
{
    const struct printer before = *p;

    return write_or_forget(p, lay_out_end(p, err), &before, err);
}

void
printer_release(struct printer *p)
{
    buffer_release(&p->fit);
    buffer_release(&p->out);
    buffer_release(&p->word);
}

enum status
printer_print(int descriptor, const char *bytes, size_t length,
              struct error *err)
{
    struct printer printer = {.descriptor = descriptor};

    printer_begin(&printer, (struct print_style){0});
    enum status status = printer_write(&printer, bytes, length, err);

    if (status == STATUS_OK)
        status = printer_end(&printer, err);
    printer_release(&printer);
    return status;
}
