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

/* Takes a key; SECRET_MORE until the line has ended. */
static enum secret_result
take_key(struct secret *secret, size_t *length, uint8_t key)
{
    uint8_t *bytes = secret_data(secret);

    switch (key) {
    case '\r':
    case '\n':
        return *length > 0 ? SECRET_DONE : SECRET_EMPTY;
    case 4: // ^D
        return *length > 0 ? SECRET_MORE : SECRET_END;
    case BACKSPACE:
    case DELETE:
        *length = without_last(bytes, *length);
        return SECRET_MORE;
    case LINE_KILL:
        *length = 0;
        return SECRET_MORE;
    default:
        // what is too long is not cut: it would be another passphrase
        if (*length < TYPED_BYTES)
            bytes[(*length)++] = key;
        return SECRET_MORE;
    }
}

/*
 * A byte a call, so that what was typed ahead for the next line stays in the
 * terminal's queue.
 */
static enum secret_result
read_keys(struct secret *secret, size_t *length)
{
    uint8_t key;
    ssize_t n = read(STDIN_FILENO, &key, 1);

    if (n <= 0)
        return SECRET_END;
    enum secret_result result = take_key(secret, length, key);

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

static enum secret_result
read_line(struct chat *chat, struct secret *secret, size_t *length)
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
            result = read_keys(secret, length);
            chat->face->secret_typed(chat, characters(secret, *length));
        } else if (wait.wake == CHAT_EVENT) {
            status = chat->locked ? chat_locked_event(chat, &wait.event, &err)
                                  : chat_take_event(chat, &wait.event, &err);
            event_release(&wait.event);
            if (status != STATUS_OK)
                chat_keep_loss(chat, &err);
        }
    }
    return chat->quit || chat->locking ? SECRET_END : result;
}

enum secret_result
chat_read_secret(struct chat *chat, const char *prompt, struct secret **out)
{
    enum secret_result result = SECRET_END;
    struct secret *secret;
    size_t length = 0;
    struct error err;

    *out = NULL;
    if (secret_open(&secret, TYPED_BYTES, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return SECRET_END;
    }
    chat->face->ask_secret(chat, prompt);
    if (!chat->quit)
        result = read_line(chat, secret, &length);
    chat->face->end_secret(chat);
    if (result != SECRET_DONE) {
        secret_close(secret);
        return result;
    }
    secret_cut(secret, length);
    *out = secret;
    return result;
}
