/*
 * A passphrase typed at the chat's terminal: without echo, straight into
 * locked memory, while the engine's events and signals are attended to.
 */
#include "config.h"

#include "app/chat/chat_vault.h"

#include <signal.h>
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

static enum secret_result
on_signal(struct chat *chat)
{
    int number = signals_taken();

    // a locked chat is not left by accident
    if (number == SIGINT)
        return chat->locked ? SECRET_EMPTY : SECRET_END;
    if (number == SIGTERM || number == SIGHUP) {
        chat->quit = true;
        chat->code = EXIT_SIGNAL + number;
        return SECRET_END;
    }
    if (number == SIGUSR1)
        chat->locking = chat->keeping.kind == KEEPING_VAULT;
    if (number == SIGTSTP) {
        terminal_unmute();
        raise(SIGSTOP);
        terminal_mute(STDIN_FILENO);
    }
    return SECRET_MORE;
}

static enum secret_result
read_line(struct chat *chat, struct secret *secret, size_t *length)
{
    enum secret_result result = SECRET_MORE;
    struct error err;

    while (result == SECRET_MORE && !chat->quit && !chat->locking) {
        struct client_wait wait = {.input = STDIN_FILENO,
                                   .deadline_ns = UINT64_MAX};
        enum status status = chat->client
                                 ? client_wait(chat->client, &wait, &err)
                                 : client_wait_without(&wait, &err);

        if (status != STATUS_OK) {
            chat_keep_loss(chat, &err);
        } else if (wait.wake == CLIENT_SIGNAL) {
            result = on_signal(chat);
        } else if (wait.wake == CLIENT_INPUT) {
            result = read_keys(secret, length);
        } else if (wait.wake == CLIENT_EVENT) {
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
    // muted first: what is typed as soon as the prompt is seen is not shown
    terminal_mute(STDIN_FILENO);
    if (printer_put(STDOUT_FILENO, prompt, strlen(prompt), &err) == STATUS_OK)
        result = read_line(chat, secret, &length);
    terminal_unmute();
    if (printer_put(STDOUT_FILENO, "\n", 1, &err) != STATUS_OK)
        result = SECRET_END;
    if (result != SECRET_DONE) {
        secret_close(secret);
        return result;
    }
    secret_cut(secret, length);
    *out = secret;
    return result;
}
