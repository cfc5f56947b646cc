/*
 * A passphrase typed at the chat's terminal: without echo, straight into
 * locked memory, while the engine's events and signals are attended to.
 */
#include "config.h"

#include "app/chat/chat_vault.h"

#include <string.h>
#include <unistd.h>

enum { TYPED_BYTES = 4096, BACKSPACE = 8, LINE_KILL = 21, DELETE = 127 };

/* The last character goes, however many bytes it has. */
static size_t
without_last(const uint8_t *bytes, size_t length)
{
    if (length > 0)
        length--;
    while (length > 0 && (bytes[length] & 0xC0) == 0x80)
        length--;
    return length;
}

/* A line that is being typed. */
struct typing {
    struct secret *secret;
    size_t length;
    bool seen;         // as it is typed
    char sequence[12]; // of a function key, as far as it has come
    size_t sequence_length;
};

/* Takes a key; SECRET_MORE until the line has ended. */
static enum secret_result
take_key(struct typing *t, uint8_t key)
{
    uint8_t *bytes = secret_data(t->secret);

    switch (key) {
    case '\r':
    case '\n':
        return t->length > 0 ? SECRET_DONE : SECRET_EMPTY;
    case 4: // ^D
        return t->length > 0 ? SECRET_MORE : SECRET_END;
    case BACKSPACE:
    case DELETE:
        t->length = without_last(bytes, t->length);
        return SECRET_MORE;
    case LINE_KILL:
        t->length = 0;
        return SECRET_MORE;
    default:
        // what is too long is not cut: it would be another passphrase
        if (t->length < TYPED_BYTES)
            bytes[t->length++] = key;
        return SECRET_MORE;
    }
}

/* What F1 to F4 send: xterm and vt220, older ones, and the Linux console. */
static unsigned
function_key(const char *sequence)
{
    static const char *const keys[][3] = {
        {"\033OP", "\033[11~", "\033[[A"},
        {"\033OQ", "\033[12~", "\033[[B"},
        {"\033OR", "\033[13~", "\033[[C"},
        {"\033OS", "\033[14~", "\033[[D"},
    };

    for (unsigned f = 0; f < sizeof keys / sizeof keys[0]; f++)
        for (size_t i = 0; i < 3; i++)
            if (strcmp(sequence, keys[f][i]) == 0)
                return f + 1;
    return 0;
}

static enum secret_result
act_on_key(struct chat *chat, struct typing *t, unsigned f)
{
    if (f == 2 && chat->unlocking)
        return SECRET_FILE;
    if (f == 4 && chat->unlocking && !chat->locked)
        return SECRET_SKIP;
    if (f == 3 && chat->face->secret_seen != NULL) {
        t->seen = !t->seen;
        chat->face->secret_seen(chat, NULL, 0);
    }
    return SECRET_MORE;
}

/* Whether the key ends a sequence that began with ESC [ or ESC O. */
static bool
ends_sequence(const struct typing *t, uint8_t key)
{
    if (t->sequence[1] == '[' && t->sequence_length == 3 && key == '[')
        return false; // the Linux console's
    return key >= 0x40 && key <= 0x7E;
}

/*
 * Keys that are no characters do not become part of a passphrase: sequences
 * are taken out. ESC and another character are two characters.
 */
static enum secret_result
take_byte(struct chat *chat, struct typing *t, uint8_t key)
{
    if (t->sequence_length == 0 && key != '\033')
        return take_key(t, key);
    if (t->sequence_length == 1 && key != '[' && key != 'O') {
        t->sequence_length = 0;
        (void) take_key(t, '\033');
        return take_byte(chat, t, key);
    }
    t->sequence[t->sequence_length++] = (char) key;
    t->sequence[t->sequence_length] = '\0';
    if (t->sequence_length < 3 || (!ends_sequence(t, key) && key >= ' ' &&
                                   t->sequence_length + 1 < sizeof t->sequence))
        return SECRET_MORE;
    t->sequence_length = 0;
    return act_on_key(chat, t, function_key(t->sequence));
}

/*
 * A byte a call, so that what was typed ahead for the next line stays in the
 * terminal's queue.
 */
static enum secret_result
read_keys(struct chat *chat, struct typing *t)
{
    uint8_t key;
    ssize_t n = read(STDIN_FILENO, &key, 1);

    if (n <= 0)
        return SECRET_END;
    enum secret_result result = take_byte(chat, t, key);

    secret_wipe(&key, sizeof key);
    return result;
}

static size_t
characters(const struct secret *secret, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += (secret_bytes(secret)[i] & 0xC0) != 0x80;
    return count;
}

void
chat_take_beside(struct chat *chat, struct event *event)
{
    struct error err;
    enum status status = chat->locked ? chat_locked_event(chat, event, &err)
                                      : chat_take_event(chat, event, &err);

    event_release(event);
    if (status != STATUS_OK)
        chat_keep_loss(chat, &err);
}

static enum secret_result
read_line(struct chat *chat, struct typing *t)
{
    enum secret_result result = SECRET_MORE;
    struct error err;

    while (result == SECRET_MORE && !chat->quit && !chat->locking) {
        struct chat_wait wait = {.keys = true, .deadline_ns = UINT64_MAX};
        enum status status = chat_wait(chat, &wait, &err);

        if (status != STATUS_OK) {
            chat_keep_loss(chat, &err);
        } else if (wait.wake == CHAT_INTERRUPT) {
            // a locked chat is not left by accident
            result = chat->locked ? SECRET_EMPTY : SECRET_END;
        } else if (wait.wake == CHAT_KEYS) {
            result = read_keys(chat, t);
            if (t->seen)
                chat->face->secret_seen(chat, t->secret, t->length);
            chat->face->secret_typed(chat, characters(t->secret, t->length));
        } else if (wait.wake == CHAT_EVENT) {
            chat_take_beside(chat, &wait.event);
        }
    }
    return chat->quit || chat->locking ? SECRET_END : result;
}

enum secret_result
chat_read_secret(struct chat *chat, const char *prompt, struct secret **out)
{
    enum secret_result result = SECRET_END;
    struct typing typing = {.length = 0};
    struct error err;

    *out = NULL;
    if (secret_open(&typing.secret, TYPED_BYTES, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return SECRET_END;
    }
    chat->face->ask_secret(chat, prompt);
    if (!chat->quit)
        result = read_line(chat, &typing);
    chat->face->end_secret(chat);
    secret_wipe(typing.sequence, sizeof typing.sequence);
    if (result != SECRET_DONE) {
        secret_close(typing.secret);
        return result;
    }
    secret_cut(typing.secret, typing.length);
    *out = typing.secret;
    return result;
}
