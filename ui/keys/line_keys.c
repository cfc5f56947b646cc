/*
 * On the full screen key_reader.h cuts what was typed into keys, one at a
 * time, and readline takes the bytes of each: its window. At a plain prompt
 * readline reads them itself.
 */
#include "config.h"

#include "ui/keys/key_reader.h"
#include "ui/keys/line_editor_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { READ_BYTES = 4096 };

static const char paste_begins[] = "\033[200~";

static struct {
    struct key_reader reader;
    bool raw;      // the next character is an argument of the last key
    bool too_long; // the paste that was read is for `attach`
} keys;

/*
 * Readline is called when there is a byte. If it wants one more for a key, -1
 * ends that; where it would end the line, NUL does nothing instead.
 */
int
line_keys_byte(FILE *stream)
{
    int byte = key_reader_byte(&keys.reader);

    (void) stream;
    return byte < 0 && RL_ISSTATE(RL_STATE_READCMD) ? 0 : byte;
}

int
line_keys_wait(void)
{
    return keys.reader.window > 0;
}

/* -- pastes ---------------------------------------------------------------- */

/*
 * Readline puts what is pasted into the line itself. Here it is read as on the
 * screen, so that it is mended and attached alike.
 */
static int
take_paste(int count, int key)
{
    struct key_reader *reader = &keys.reader;
    enum key_kind kind = KEY_NONE;
    struct key_mouse mouse;
    struct error err;
    enum status status =
        key_reader_add(reader, paste_begins, strlen(paste_begins), &err);

    (void) count;
    while (status == STATUS_OK && kind != KEY_PASTED &&
           (key = rl_read_key()) >= 0) {
        char byte = (char) key;

        status = key_reader_add(reader, &byte, 1, &err);
        kind = key_reader_next(reader, false, 0, 0, &mouse);
    }
    keys.too_long = reader->paste.length > LINE_PASTE_BYTES;
    if (kind != KEY_PASTED)
        key_reader_release(reader);
    else if (!keys.too_long && reader->paste.length > 0)
        rl_insert_text(reader->paste.data);
    if (!keys.too_long)
        buffer_release(&reader->paste);
    return 0;
}

/* Outside of readline: whoever is called may hide the line. */
static void
tell_paste(void)
{
    struct buffer paste = keys.reader.paste;

    if (!keys.too_long)
        return;
    keys.too_long = false;
    keys.reader.paste = (struct buffer){0};
    if (paste.length > 0)
        line_editor.calls.attach(line_editor.calls.context, paste.data,
                                 paste.length);
    buffer_release(&paste);
}

void
line_editor_attach(void (*attach)(void *context, const char *bytes,
                                  size_t length),
                   void *context)
{
    line_editor.calls.attach = attach;
    line_editor.calls.context = context;
    rl_bind_keyseq_in_map(paste_begins, take_paste, emacs_standard_keymap);
    rl_bind_keyseq_in_map(paste_begins, take_paste, vi_insertion_keymap);
}

static void
insert_pasted(const struct buffer *paste)
{
    if (paste->length > LINE_PASTE_BYTES && line_editor.calls.attach) {
        line_editor.calls.attach(line_editor.calls.context, paste->data,
                                 paste->length);
    } else if (paste->length > 0) {
        if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_VIMOTION |
                       RL_STATE_CHARSEARCH | RL_STATE_NUMERICARG))
            rl_callback_sigcleanup();
        rl_insert_text(paste->data);
        line_care_accept();
    }
    line_editor.changed = true;
}

/* -- keys ------------------------------------------------------------------ */

/* Functions that read a character more, which may be any. */
static bool
wants_character(void)
{
    return RL_ISSTATE(RL_STATE_CHARSEARCH) ||
           rl_last_func == rl_quoted_insert ||
           rl_last_func == rl_vi_change_char;
}

/*
 * ^D with focus elsewhere is a key like others, though readline takes it for
 * the end of an empty line before it looks at its maps.
 */
static bool
took_end_key(void)
{
    KEYMAP_ENTRY *entry = &rl_get_keymap()[4];

    if (line_editor.map == MAP_INPUT || rl_end > 0 ||
        RL_ISSTATE(RL_STATE_NUMERICARG) || keys.reader.window != 1 ||
        keys.reader.queue.data[0] != 4)
        return false;
    (void) key_reader_byte(&keys.reader);
    if (entry->type == ISFUNC && entry->function)
        entry->function(1, 4);
    return true;
}

/* Where the map in use has the key that these bytes are, if it is there. */
static KEYMAP_ENTRY *
entry_of(const char *bytes, size_t length)
{
    Keymap map = rl_get_keymap();

    for (size_t i = 0; i + 1 < length; i++) {
        KEYMAP_ENTRY *entry = &map[(unsigned char) bytes[i]];

        if (entry->type != ISKMAP)
            return NULL;
        map = (Keymap) (uintptr_t) entry->function;
    }
    return &map[(unsigned char) bytes[length - 1]];
}

/*
 * Readline's step. A key with a count that ends the line would be seen to have
 * done so at the next key only; a NUL is that.
 */
static void
read_char(void)
{
    rl_callback_read_char();
    line_care_after_key();
    if (line_editor.visible && !rl_done && line_care_bound())
        rl_redisplay_function();
    if (!line_editor.visible || !rl_done)
        return;
    rl_stuff_char('\0');
    rl_callback_read_char();
}

static void
read_window(void)
{
    struct key_reader *reader = &keys.reader;

    while (reader->window > 0 && line_editor.visible && !took_end_key()) {
        size_t before = reader->window;

        read_char();
        // what readline does not want of a key is nothing for the next
        if (reader->window == before)
            (void) key_reader_byte(reader);
        // a macro with a count is left for the next call
        while (line_editor.visible && RL_ISSTATE(RL_STATE_MACROINPUT))
            read_char();
    }
}

/*
 * With its callbacks readline waits for the rest of a longer key for ever. So
 * for this once the map has no longer one.
 */
static void
read_shadowed(void)
{
    struct key_reader *reader = &keys.reader;
    KEYMAP_ENTRY *entry = entry_of(reader->queue.data, reader->window);

    if (entry == NULL || entry->type != ISKMAP) {
        read_window();
        return;
    }
    KEYMAP_ENTRY longer = *entry;

    *entry = ((Keymap) (uintptr_t) longer.function)[ANYOTHERKEY];
    read_window();
    *entry = longer;
}

static void
drop_window(void)
{
    while (key_reader_byte(&keys.reader) >= 0)
        continue;
}

/* Whether a search does something with this key other than to end. */
static bool
is_of_search(unsigned char key)
{
    const KEYMAP_ENTRY *entry = &rl_get_keymap()[key];
    static rl_command_func_t *const known[] = {rl_reverse_search_history,
                                               rl_forward_search_history,
                                               rl_rubout,
                                               rl_abort,
                                               rl_unix_word_rubout,
                                               rl_yank};

    if (key >= 0x20 && key != 0x7F)
        return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (entry->type == ISFUNC && entry->function == known[i])
            return true;
    return key == 'G' - '@' || key == 'W' - '@' || key == 'Y' - '@';
}

/*
 * A search that found nothing and turns round would go on at the place in the
 * line where it was, but in another line, which may be shorter. So it ends, and
 * the key, twice, begins it anew with the same text.
 */
static bool
turns_failed_search(const struct key_reader *reader)
{
    static const char failed[] = "(failed ", back[] = "reverse-";
    const char *prompt = rl_display_prompt ? rl_display_prompt : "";
    const KEYMAP_ENTRY *entry =
        &rl_get_keymap()[(unsigned char) reader->queue.data[0]];

    if (!RL_ISSTATE(RL_STATE_ISEARCH) || reader->window != 1 ||
        strncmp(prompt, failed, sizeof failed - 1) != 0)
        return false;
    bool backwards =
        strncmp(prompt + sizeof failed - 1, back, sizeof back - 1) == 0;

    return entry->function ==
           (backwards ? rl_forward_search_history : rl_reverse_search_history);
}

/*
 * A search that ends by another key would have readline call itself for that
 * key, which it does not survive when the key aborts. So it is ended before,
 * where it has found something. Esc and ^J only end it.
 */
static void
end_search(void)
{
    const struct key_reader *reader = &keys.reader;
    const char *bytes = reader->queue.data;
    bool sequence = reader->window > 1 && (unsigned char) bytes[0] < 0x80;

    if (turns_failed_search(reader)) {
        rl_callback_sigcleanup();
        rl_stuff_char(bytes[0]);
        read_char();
        return;
    }
    if (RL_ISSTATE(RL_STATE_NSEARCH) && sequence)
        drop_window();
    if (!RL_ISSTATE(RL_STATE_ISEARCH) ||
        (!sequence && is_of_search((unsigned char) bytes[0])))
        return;
    rl_callback_sigcleanup();
    line_editor.changed = true;
    if (reader->window == 1 && (bytes[0] == '\033' || bytes[0] == '\n'))
        drop_window();
}

/* Hands readline what is in the window. */
static enum line_result
type_window(void)
{
    bool was_raw = keys.raw;

    line_editor.result = LINE_MORE;
    line_remarks_hold();
    end_search();
    if (keys.reader.window > 0 && keys.reader.shadowed)
        read_shadowed();
    else
        read_window();
    line_remarks_return();
    drop_window();
    keys.raw = line_editor.visible && !was_raw && wants_character();
    if (!line_editor.visible)
        line_editor.changed = true;
    return line_editor.result;
}

static enum line_result
type_key(enum key_kind kind, const struct key_mouse *mouse)
{
    enum line_result result = LINE_MORE;

    if (kind == KEY_TYPED) {
        result = type_window();
    } else if (kind == KEY_PASTED) {
        insert_pasted(&keys.reader.paste);
        buffer_release(&keys.reader.paste);
    } else if (line_editor.calls.mouse) {
        line_editor.calls.mouse(line_editor.calls.context, mouse->row,
                                mouse->column, mouse->wheel);
    }
    return result;
}

static uint64_t
key_wait_ns(void)
{
    char *value = rl_variable_value("keyseq-timeout");
    long ms = value ? strtol(value, NULL, 10) : 0;

    return ms > 0 ? (uint64_t) ms * UINT64_C(1000000) : 0;
}

enum line_result
line_editor_tick(uint64_t now_ns)
{
    enum line_result result = LINE_MORE;
    size_t pasted = keys.reader.paste.length;

    while (line_editor.visible && result == LINE_MORE) {
        struct key_mouse mouse = {0};
        enum key_kind kind = key_reader_next(&keys.reader, keys.raw, now_ns,
                                             key_wait_ns(), &mouse);

        if (kind == KEY_NONE)
            break;
        result = type_key(kind, &mouse);
        if (result == LINE_MORE)
            line_editor_tell_actions();
    }
    if (line_editor.changed || keys.reader.paste.length != pasted)
        line_editor_tell_changed();
    return result;
}

enum line_result
line_editor_keys(const char *bytes, size_t length, uint64_t now_ns)
{
    struct error err;

    // without memory the keys are lost, not the line
    if (key_reader_add(&keys.reader, bytes, length, &err) != STATUS_OK)
        log_warn("keys are lost: %s", err.text);
    return line_editor_tick(now_ns);
}

/*
 * Reads keys as far as the end of a line: what was typed ahead behind it may
 * be a passphrase, which is not for this line_editor. A paste comes in pieces.
 */
static ssize_t
read_keys(char bytes[READ_BYTES])
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t length = 0;
    int there = 0;

    // ^C may have flushed what was there, and read would wait
    if (poll(&input, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (keys.reader.pasting)
        return read(STDIN_FILENO, bytes, READ_BYTES);
    do {
        ssize_t got = read(STDIN_FILENO, bytes + length, 1);

        if (got <= 0)
            return length > 0 ? length : got;
        length++;
    } while (bytes[length - 1] != '\r' && bytes[length - 1] != '\n' &&
             length < READ_BYTES &&
             ioctl(STDIN_FILENO, FIONREAD, &there) == 0 && there > 0);
    return length;
}

/* The terminal is gone. */
static enum line_result
end_of_input(void)
{
    line_care_give_up();
    rl_callback_handler_remove();
    line_editor.visible = false;
    return LINE_END;
}

static enum line_result
feed_box(void)
{
    char bytes[READ_BYTES];
    ssize_t got = read_keys(bytes);

    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        return end_of_input();
    enum line_result result =
        line_editor_keys(bytes, got > 0 ? (size_t) got : 0, clock_ns());

    explicit_bzero(bytes, sizeof bytes);
    return result;
}

enum line_result
line_editor_feed(void)
{
    if (line_editor.box)
        return feed_box();
    line_editor.result = LINE_MORE;
    read_char();
    enum line_result result = line_editor.result;

    tell_paste();
    if (result == LINE_MORE)
        line_editor_tell_actions();
    return result;
}

uint64_t
line_editor_deadline(void)
{
    if (!line_editor.box || !line_editor.visible)
        return UINT64_MAX;
    return key_reader_deadline(&keys.reader);
}

bool
line_keys_pasting(size_t *bytes)
{
    *bytes = keys.reader.pasting ? keys.reader.paste.length : 0;
    return keys.reader.pasting;
}

void
line_keys_forget(void)
{
    key_reader_release(&keys.reader);
    keys.raw = keys.too_long = false;
}

void
line_keys_end_argument(void)
{
    keys.raw = false;
}
