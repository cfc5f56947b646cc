/*
 * A command goes out plain first: tmux can be set to obey it itself. Then it
 * goes out once more in the wrapping that hands it on to the terminal behind,
 * which may be set too. Taking the same text twice does no harm.
 */
#include "config.h"

#include "ui/screen/clipboard.h"

#include <string.h>

enum { SCREEN_PIECE = 240 }; // of a string, as every GNU screen takes it

static bool
starts_with(const char *text, const char *start)
{
    return text != NULL && strncmp(text, start, strlen(start)) == 0;
}

enum passage
passage_of(const char *term, const char *tmux, const char *sty)
{
    static const char *const blocked[] = {"linux",  "vt",  "cons25",
                                          "wsvt25", "sun", "ansi"};

    if (starts_with(term, "tmux") ||
        (starts_with(term, "screen") && tmux != NULL && *tmux != '\0'))
        return PASSAGE_TMUX;
    if (starts_with(term, "screen") || (sty != NULL && *sty != '\0'))
        return PASSAGE_SCREEN;
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        if (starts_with(term, blocked[i]))
            return PASSAGE_BLOCKED;
    return PASSAGE_NONE;
}

/* The command holds one ESC, its first byte, which tmux wants doubled. */
static enum status
wrap_tmux(struct buffer *out, const struct buffer *command, struct error *err)
{
    TRY(buffer_append(out, "\033Ptmux;\033", 8, err));
    TRY(buffer_append(out, command->data, command->length, err));
    return buffer_append(out, "\033\\", 2, err);
}

static enum status
wrap_screen(struct buffer *out, const struct buffer *command, struct error *err)
{
    for (size_t at = 0; at < command->length; at += SCREEN_PIECE) {
        size_t left = command->length - at;

        TRY(buffer_append(out, "\033P", 2, err));
        TRY(buffer_append(out, command->data + at,
                          left < SCREEN_PIECE ? left : SCREEN_PIECE, err));
        TRY(buffer_append(out, "\033\\", 2, err));
    }
    return STATUS_OK;
}

static enum status
send_command(struct buffer *out, enum passage passage,
             const struct buffer *command, struct error *err)
{
    if (passage == PASSAGE_BLOCKED)
        return error_set(err, STATUS_UNSUPPORTED,
                         "this terminal knows no such command");
    TRY(buffer_append(out, command->data, command->length, err));
    if (passage == PASSAGE_TMUX)
        return wrap_tmux(out, command, err);
    if (passage == PASSAGE_SCREEN)
        return wrap_screen(out, command, err);
    return STATUS_OK;
}

enum status
clipboard_bytes(struct buffer *out, enum passage passage, const char *text,
                size_t length, struct error *err)
{
    struct buffer command = {0};
    enum status status;

    if (passage == PASSAGE_BLOCKED)
        return error_set(err, STATUS_UNSUPPORTED,
                         "this terminal has no clipboard");
    if (length > CLIPBOARD_BYTES)
        return error_set(err, STATUS_LIMIT,
                         "%zu bytes are too many for the clipboard of a "
                         "terminal, which takes %d",
                         length, CLIPBOARD_BYTES);
    status = buffer_append(&command, "\033]52;c;", 7, err);
    if (status == STATUS_OK)
        status = base64_encode(&command, text, length, err);
    if (status == STATUS_OK)
        status = buffer_append(&command, "\a", 1, err);
    if (status == STATUS_OK)
        status = send_command(out, passage, &command, err);
    buffer_release(&command);
    return status;
}

enum status
notice_bytes(struct buffer *out, enum passage passage, const char *text,
             struct error *err)
{
    struct buffer command = {0};
    enum status status = buffer_print(&command, err, "\033]9;%s\a", text);

    if (status == STATUS_OK)
        status = send_command(out, passage, &command, err);
    buffer_release(&command);
    return status;
}
