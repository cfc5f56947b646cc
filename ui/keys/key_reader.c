/* Bytes into keys. */
#include "config.h"

#include "ui/keys/key_reader.h"

#include "ui/keys/key_maps.h"
#include "ui/text/text_width.h"

#include <stdio.h>

#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEQUENCE_MOST = 64,      // bytes of an escape sequence
    SEQUENCE_WAIT_MS = 1000, // for the rest of one
    PASTE_MARK_BYTES = 6,
};

static const char paste_begins[] = "\033[200~", paste_ends[] = "\033[201~";

enum status
key_reader_add(struct key_reader *reader, const char *bytes, size_t length,
               struct error *err)
{
    TRY(buffer_append(&reader->queue, bytes, length, err));
    if (length > 0)
        reader->waiting = false;
    return STATUS_OK;
}

static void
drop(struct key_reader *reader, size_t count)
{
    buffer_drop(&reader->queue, count);
    reader->held = false;
}

/* -- pastes ---------------------------------------------------------------- */

static void
keep_pasted(struct key_reader *reader, size_t count)
{
    struct error err;

    if (count > PASTE_MOST_BYTES - reader->paste.length) {
        count = PASTE_MOST_BYTES - reader->paste.length;
        reader->pasted_most = true;
    }
    if (buffer_append(&reader->paste, reader->queue.data, count, &err) !=
        STATUS_OK)
        reader->pasted_most = true;
}

/* Line ends become LF; NUL cannot be in a line. */
static void
mend_pasted(struct buffer *paste)
{
    size_t to = 0;

    for (size_t i = 0; i < paste->length; i++) {
        char c = paste->data[i];

        if (c == '\r' && i + 1 < paste->length && paste->data[i + 1] == '\n')
            continue;
        if (c != '\0')
            paste->data[to++] = c == '\r' ? '\n' : c;
    }
    if (paste->data)
        memset(paste->data + to, 0, paste->length - to);
    paste->length = to;
}

static void
repair_pasted(struct buffer *paste)
{
    struct buffer repaired = {0};
    struct error err;

    if (paste->length == 0 || utf8_valid(paste->data, paste->length))
        return;
    // without memory it is no paste
    if (utf8_repair(&repaired, paste->data, paste->length, &err) != STATUS_OK)
        buffer_clear(&repaired);
    buffer_release(paste);
    *paste = repaired;
}

/* Takes what is there of a paste; true when that was the end of it. */
static bool
take_pasted(struct key_reader *reader)
{
    struct buffer *queue = &reader->queue;
    const char *end = queue->length ? memmem(queue->data, queue->length,
                                             paste_ends, PASTE_MARK_BYTES)
                                    : NULL;
    size_t count = end ? (size_t) (end - queue->data) : queue->length;

    // a beginning of the mark stays
    if (!end)
        for (size_t n = PASTE_MARK_BYTES - 1; n > 0; n--)
            if (count >= n &&
                memcmp(queue->data + count - n, paste_ends, n) == 0) {
                count -= n;
                break;
            }
    keep_pasted(reader, count);
    drop(reader, end ? count + PASTE_MARK_BYTES : count);
    if (!end)
        return false;
    reader->pasting = reader->pasted_most = false;
    mend_pasted(&reader->paste);
    repair_pasted(&reader->paste);
    return true;
}

/* -- what is bound --------------------------------------------------------- */

enum bound { BOUND_NOT, BOUND_PREFIX, BOUND };

/* What this sequence does in the map in use; a prefix may shadow something. */
static enum bound
look_up(const char *bytes, size_t length, rl_command_func_t **shadowed)
{
    int type;
    rl_command_func_t *function =
        rl_function_of_keyseq_len(bytes, length, rl_get_keymap(), &type);

    *shadowed = NULL;
    if (function == NULL)
        return BOUND_NOT;
    if (type != ISKMAP)
        return BOUND;
    // readline keeps maps as functions
    *shadowed = ((Keymap) (uintptr_t) function)[ANYOTHERKEY].function;
    return BOUND_PREFIX;
}

static size_t
character(const char *bytes, size_t length)
{
    uint32_t code_point;
    bool valid;

    if ((unsigned char) bytes[0] < 0x80 || !text_locale_is_utf8())
        return 1;
    // 0: the rest of it is to come
    if (utf8_complete_prefix(bytes, length < 4 ? length : 4) == 0)
        return 0;
    return utf8_next(bytes, length, &code_point, &valid);
}

/*
 * Bytes that are no character become U+FFFD: some motions of readline never
 * end on them. Returns how many bytes are to be typed.
 */
static size_t
repair(struct key_reader *reader, size_t count)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    struct buffer *queue = &reader->queue;
    size_t more = sizeof replacement - 1 - count;
    struct error err;

    if ((unsigned char) queue->data[0] < 0x80 || !text_locale_is_utf8() ||
        utf8_valid(queue->data, count))
        return count;
    if (buffer_append(queue, replacement, more, &err) != STATUS_OK) {
        buffer_drop(queue, count);
        return 0;
    }
    memmove(queue->data + count + more, queue->data + count,
            queue->length - count - more);
    memcpy(queue->data, replacement, sizeof replacement - 1);
    return sizeof replacement - 1;
}

static enum key_kind
typed(struct key_reader *reader, size_t count)
{
    reader->window = count;
    reader->shadowed = reader->held = false;
    return KEY_TYPED;
}

/* Bytes that begin longer keys too, but what follows is no such key. */
static enum key_kind
typed_alone(struct key_reader *reader, size_t count)
{
    (void) typed(reader, count);
    reader->shadowed = true;
    return KEY_TYPED;
}

/* More bytes are needed, or time: `ms`, -1 for however long. */
static enum key_kind
wait_more(struct key_reader *reader, uint64_t now_ns, uint64_t wait_ns)
{
    reader->waiting = reader->held = true;
    reader->deadline_ns = wait_ns == UINT64_MAX ? UINT64_MAX : now_ns + wait_ns;
    return KEY_NONE;
}

/* -- escape sequences ------------------------------------------------------ */

static bool
is_between(char c, char low, char high)
{
    return c >= low && c <= high;
}

/*
 * Length of the control sequence at the start; 0: it goes on after the bytes
 * that are there. What is no such sequence ends where that shows.
 */
static size_t
sequence_length(const char *bytes, size_t length)
{
    size_t at = 2;

    if (length < 3)
        return 0;
    if (bytes[1] == 'O')
        return 3;
    // the function keys of the Linux console
    if (bytes[2] == '[')
        return length > 3 ? 4 : 0;
    while (at < length && at < SEQUENCE_MOST &&
           is_between(bytes[at], 0x20, 0x3F))
        at++;
    if (at == length && at < SEQUENCE_MOST)
        return 0;
    return is_between(bytes[at], 0x40, 0x7E) ? at + 1 : at;
}

static unsigned
mouse_number(const char **at)
{
    char *end;
    unsigned long value = strtoul(*at, &end, 10);

    *at = *end == ';' ? end + 1 : end;
    return value > 100000 ? 0 : (unsigned) value;
}

/* "<button;column;rowM" behind the CSI; false: nothing that anybody acts on. */
static bool
read_mouse(const char *bytes, size_t length, struct key_mouse *out)
{
    char text[SEQUENCE_MOST + 1] = "";
    const char *at = text;

    if (length < 9)
        return false;
    memcpy(text, bytes + 3, length - 3);
    unsigned button = mouse_number(&at), column = mouse_number(&at),
             row = mouse_number(&at);

    if (*at != 'M' || row == 0 || column == 0 || (button & 32) != 0)
        return false;
    *out = (struct key_mouse){.row = row - 1, .column = column - 1};
    if (button & 64)
        out->wheel = button & 1 ? 1 : -1;
    return !(button & 64) || (button & 2) == 0;
}

/*
 * Sequences that terminals send. KEY_NONE with *taken: it is dealt with, or
 * waited for; without, it is something else.
 */
static enum key_kind
next_sequence(struct key_reader *reader, bool overdue, uint64_t now_ns,
              struct key_mouse *mouse, bool *taken)
{
    const char *bytes = reader->queue.data;
    size_t length = sequence_length(bytes, reader->queue.length);
    rl_command_func_t *shadowed;

    *taken = true;
    if (length == 0 && !overdue)
        return wait_more(reader, now_ns, SEQUENCE_WAIT_MS * UINT64_C(1000000));
    if (length == 0)
        length = reader->queue.length;
    switch (look_up(bytes, length, &shadowed)) {
    case BOUND:
        if (strncmp(bytes, paste_begins, PASTE_MARK_BYTES) != 0)
            return typed(reader, length);
        break;
    case BOUND_PREFIX:
        *taken = overdue && shadowed == NULL;
        break;
    case BOUND_NOT:
        break;
    }
    if (!*taken)
        return KEY_NONE;
    bool is_mouse = length > 2 && bytes[1] == '[' && bytes[2] == '<' &&
                    read_mouse(bytes, length, mouse);

    if (length == PASTE_MARK_BYTES &&
        memcmp(bytes, paste_begins, PASTE_MARK_BYTES) == 0) {
        reader->pasting = true;
        buffer_clear(&reader->paste);
    }
    drop(reader, length);
    return is_mouse ? KEY_MOUSE : KEY_NONE;
}

/* -- keys ------------------------------------------------------------------ */

/* Nothing is bound to the first `count` bytes; `shadow` of them are a key. */
static enum key_kind
next_unbound(struct key_reader *reader, size_t count, size_t shadow,
             bool shadow_is_action, bool *again)
{
    const char *bytes = reader->queue.data;

    // Alt with a key that does nothing is not Esc and then that key
    if (shadow == 1 && bytes[0] == '\033' && !reader->held && shadow_is_action)
        shadow = 0;
    if (shadow > 0)
        return typed_alone(reader, shadow);
    size_t last =
        character(bytes + count - 1, reader->queue.length - count + 1);

    drop(reader, count - 1 + (last ? last : 1));
    *again = true;
    return KEY_NONE;
}

static enum key_kind
next_bound(struct key_reader *reader, bool overdue, uint64_t now_ns,
           uint64_t wait_ns, bool *again)
{
    const char *bytes = reader->queue.data;
    size_t length = reader->queue.length, shadow = 0;
    bool shadow_is_action = false;
    rl_command_func_t *shadowed;

    for (size_t n = 1; n <= length; n++) {
        enum bound bound = look_up(bytes, n, &shadowed);

        if (bound == BOUND && n == 1) {
            size_t whole = character(bytes, length);

            if (whole == 0 && !overdue)
                return wait_more(reader, now_ns, wait_ns);
            return typed(reader, repair(reader, whole ? whole : 1));
        }
        if (bound == BOUND)
            return typed(reader, n);
        if (bound == BOUND_NOT)
            return next_unbound(reader, n, shadow, shadow_is_action, again);
        if (shadowed) {
            shadow = n;
            shadow_is_action = key_maps_is_action(shadowed);
        }
    }
    if (shadow == 0)
        return wait_more(reader, now_ns, UINT64_MAX);
    return overdue ? typed_alone(reader, shadow)
                   : wait_more(reader, now_ns, wait_ns);
}

static enum key_kind
next_raw(struct key_reader *reader, bool overdue, uint64_t now_ns,
         uint64_t wait_ns)
{
    size_t whole = character(reader->queue.data, reader->queue.length);

    if (whole == 0 && !overdue)
        return wait_more(reader, now_ns, wait_ns);
    return typed(reader, repair(reader, whole ? whole : 1));
}

enum key_kind
key_reader_next(struct key_reader *reader, bool raw, uint64_t now_ns,
                uint64_t wait_ns, struct key_mouse *mouse)
{
    for (bool again = true; again;) {
        const char *bytes = reader->queue.data;
        bool overdue = reader->waiting && now_ns >= reader->deadline_ns;

        if (reader->waiting && !overdue)
            return KEY_NONE;
        reader->waiting = again = false;
        if (reader->pasting)
            return take_pasted(reader) ? KEY_PASTED : KEY_NONE;
        if (reader->queue.length == 0)
            return KEY_NONE;
        if (raw)
            return next_raw(reader, overdue, now_ns, wait_ns);
        if (bytes[0] == '\033' && reader->queue.length > 1 &&
            (bytes[1] == '[' || bytes[1] == 'O')) {
            bool taken;
            enum key_kind kind =
                next_sequence(reader, overdue, now_ns, mouse, &taken);

            if (kind != KEY_NONE || reader->waiting)
                return kind;
            again = true;
            if (taken)
                continue;
        }
        enum key_kind kind =
            next_bound(reader, overdue, now_ns, wait_ns, &again);

        if (kind != KEY_NONE || reader->waiting)
            return kind;
    }
    return KEY_NONE;
}

int
key_reader_byte(struct key_reader *reader)
{
    if (reader->window == 0)
        return -1;
    int byte = (unsigned char) reader->queue.data[0];

    buffer_drop(&reader->queue, 1);
    reader->window--;
    return byte;
}

uint64_t
key_reader_deadline(const struct key_reader *reader)
{
    if (reader->queue.length == 0 || reader->pasting)
        return UINT64_MAX;
    return reader->waiting ? reader->deadline_ns : 0;
}

void
key_reader_release(struct key_reader *reader)
{
    buffer_release(&reader->queue);
    buffer_release(&reader->paste);
    *reader = (struct key_reader){0};
}
