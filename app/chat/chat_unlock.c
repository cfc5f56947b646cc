/*
 * Whether a chat is kept is settled before its first prompt: the vault is
 * opened, or made, or the user says that nothing is to be kept.
 */
#include "config.h"

#include "app/chat/chat_vault.h"
#include "app/chat/chat_verb.h"
#include "app/model/model_gate.h"
#include "app/vault/passphrase.h"
#include "app/policy.h"
#include "app/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 3 };

/* -- no history ------------------------------------------------------------
 */

/* The file that remembers that the user wants no history. */
static bool
refusal_path(char out[PLACE_BYTES], const struct keeping *k)
{
    int n = snprintf(out, PLACE_BYTES, "%s/no-history", k->folders.state);

    return n > 0 && n < PLACE_BYTES;
}

static bool
history_is_refused(const struct chat *chat)
{
    char path[PLACE_BYTES];

    return refusal_path(path, &chat->keeping) && access(path, F_OK) == 0;
}

/* Makes the folders of a path, each for its owner alone. */
static enum status
make_folders(const char *folder, struct error *err)
{
    char path[PLACE_BYTES];

    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = strchr(path + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return error_errno(err, "cannot make the folder %s", path);
        *slash = '/';
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "cannot make the folder %s", path);
    return STATUS_OK;
}

static enum status
remember_refusal(const struct keeping *k, struct error *err)
{
    char path[PLACE_BYTES];

    if (!refusal_path(path, k))
        return error_set(err, STATUS_LIMIT,
                         "the state folder's name is too "
                         "long");
    TRY(make_folders(k->folders.state, err));
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (file < 0)
        return error_errno(err, "cannot write %s", path);
    close(file);
    return STATUS_OK;
}

static void
forget_refusal(const struct keeping *k)
{
    char path[PLACE_BYTES];

    if (refusal_path(path, k))
        (void) unlink(path);
}

/* -- asking ----------------------------------------------------------------
 */

static void
leave(struct chat *chat, int code)
{
    chat->quit = true;
    if (chat->code == EXIT_SUCCESS)
        chat->code = code;
}

/* False: the machine's owner does not allow it, and the chat ends. */
static bool
keep_nothing(struct chat *chat)
{
    struct error err;

    if (policy_requires_vault()) {
        (void) !policy_refusal(&err, "a chat that is not kept",
                               "vault.require = yes");
        chat_say(chat, "%s", err.text);
        leave(chat, EXIT_DENIED);
        return false;
    }
    chat->keeping.kind = KEEPING_NOTHING;
    return true;
}

/* Which of the letters is typed; 0: given up. */
static char
ask_letter(struct chat *chat, const char *prompt, const char *letters)
{
    while (!chat->quit) {
        const char *line = chat_edit_line(chat, prompt, "");

        if (line == NULL)
            return 0;
        if (line[0] != '\0' && strchr(letters, line[0]) != NULL)
            return line[0];
        if (!chat->quit)
            chat_say(chat, "one of the letters in brackets, please");
    }
    return 0;
}

/*
 * "fathom vault lock" writes into a FIFO, which then sends us the signal that
 * locks. Without a runtime directory the signal alone is left.
 */
static void
listen_for_locks(struct chat *chat)
{
    struct error err;

    chat_stop_listening(chat);
    if (lock_listener_open(&chat->listener, &err) != STATUS_OK) {
        log_note("fathom vault lock does not reach this chat: %s", err.text);
        return;
    }
    int fifo = lock_listener_descriptor(chat->listener);
    int flags = fcntl(fifo, F_GETFL);

    if (fcntl(fifo, F_SETOWN, getpid()) < 0 ||
        fcntl(fifo, F_SETSIG, SIGUSR1) < 0 ||
        fcntl(fifo, F_SETFL, flags | O_ASYNC) < 0)
        chat_stop_listening(chat);
}

void
chat_stop_listening(struct chat *chat)
{
    lock_listener_close(chat->listener);
    chat->listener = NULL;
}

/* -- a new vault -----------------------------------------------------------
 */

static bool
same(const struct secret *a, const struct secret *b)
{
    return secret_length(a) == secret_length(b) &&
           secret_equal(secret_bytes(a), secret_bytes(b), secret_length(a));
}

/* Typed twice; NULL: given up. */
static struct secret *
new_passphrase(struct chat *chat)
{
    struct secret *first, *again;

    for (;;) {
        if (chat_read_secret(chat, "a new passphrase: ", &first) != SECRET_DONE)
            return NULL;
        if (secret_length(first) < PASSPHRASE_LEAST) {
            chat_say(chat,
                     "at least %d characters, please; several words are "
                     "easy to keep in mind",
                     PASSPHRASE_LEAST);
        } else if (chat_read_secret(chat, "the same again: ", &again) !=
                   SECRET_DONE) {
            secret_close(first);
            return NULL;
        } else {
            bool equal = same(first, again);

            secret_close(again);
            if (equal)
                return first;
            chat_say(chat, "these were not the same");
        }
        secret_close(first);
    }
}

/* Whether it is typed back before the user gives up. */
static bool
is_typed_back(struct chat *chat, const struct secret *made)
{
    struct secret *typed;

    while (chat_read_secret(chat, "the passphrase: ", &typed) == SECRET_DONE) {
        bool equal = same(made, typed);

        secret_close(typed);
        if (equal)
            return true;
        chat_say(chat, "this is not what stands above; once more");
    }
    return false;
}

/* Shown, to be written down and typed back; NULL: given up. */
static struct secret *
generated_passphrase(struct chat *chat)
{
    struct secret *made;
    struct error err;

    if (passphrase_generate(&made, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return NULL;
    }
    chat_print(chat, (struct print_style){0},
               "Write this down, then type it:\n", 31);
    chat->face->show_secret(chat, made);
    bool typed = is_typed_back(chat, made);

    chat->face->show_secret(chat, NULL);
    if (typed)
        return made;
    secret_close(made);
    return NULL;
}

/* *cheap: the passphrase costs less to try than it should. */
static enum status
make_vault(struct chat *chat, const struct secret *passphrase, bool *cheap,
           struct error *err)
{
    const struct kdf_runner runner = chat_kdf_runner(chat);
    struct credential credential = {.passphrase = passphrase,
                                    .runner = &runner};
    struct kdf_cost cost =
        settings_kdf() == KDF_SENSITIVE ? kdf_sensitive : kdf_moderate;
    struct vault_places at = keeping_places(&chat->keeping);
    struct vault *vault;

    if (policy_requires_key_file())
        return policy_refusal(err, "a passphrase alone",
                              "vault.require_keyfile = yes");
    *cheap = kdf_cost_fit(&cost, memory_available_bytes());
    TRY(vault_create(&vault, &at, &credential, &cost, err));
    forget_refusal(&chat->keeping);
    keeping_open(&chat->keeping, vault);
    return model_gate_record(vault, err);
}

/* No vault came of it: the chat ends, unless the user gave it up. */
static void
make_nothing(struct chat *chat, const struct error *why)
{
    if (why->status == STATUS_CANCELLED && !chat->quit) {
        keep_nothing(chat); // asked again at the next start
        return;
    }
    if (!chat->quit)
        chat_say(chat, "%s", why->text);
    leave(chat, exit_code_of(why->status));
}

/* False: nothing is to be kept, or the user has enough of it. */
static bool
choose_passphrase(struct chat *chat, struct secret **out)
{
    struct error err;

    *out = NULL;
    while (*out == NULL && !chat->quit) {
        char letter = ask_letter(chat,
                                 "[p] your own passphrase, [g] a generated "
                                 "one, [n] no history: ",
                                 "pgn");

        if (letter == 'p' || letter == 'g') {
            *out = letter == 'p' ? new_passphrase(chat)
                                 : generated_passphrase(chat);
            continue;
        }
        // given up: asked again at the next start
        if (keep_nothing(chat) && letter == 'n' &&
            remember_refusal(&chat->keeping, &err) != STATUS_OK)
            chat_say(chat, "%s, so this is asked again next time", err.text);
        return false;
    }
    return *out != NULL;
}

/* The first start: a question, and nothing is assumed. */
static void
offer_vault(struct chat *chat)
{
    static const char text[] =
        "Chats can be kept encrypted on this machine, under a passphrase that "
        "nobody can recover for you. Without that nothing is ever written, and "
        "a chat is gone when you leave it.";
    struct secret *passphrase;
    struct error err;
    enum status status = STATUS_OK;
    bool cheap = false;

    chat->settling = true;
    chat_print(chat, (struct print_style){0}, text, sizeof text - 1);
    if (choose_passphrase(chat, &passphrase))
        status = make_vault(chat, passphrase, &cheap, &err);
    chat->settling = false;
    chat->face->unlocked(chat);
    if (status != STATUS_OK)
        make_nothing(chat, &err);
    else if (cheap)
        chat_say(chat, "this machine has little memory, so a passphrase costs "
                       "less to try here; choose a long one");
    secret_close(passphrase);
}

/* -- opening ---------------------------------------------------------------
 */

/* While a vault is being opened. */
static struct {
    struct secret *key_file; // NULL: none was chosen
} unlocking;

enum status
chat_open_vault(struct chat *chat, const struct secret *passphrase,
                enum vault_access access, struct error *err)
{
    const struct kdf_runner runner = chat_kdf_runner(chat);
    struct credential credential = {.passphrase = passphrase,
                                    .key_file = unlocking.key_file,
                                    .runner = &runner};
    struct vault *vault;

    char remark[UNLOCK_REMARK];
    enum status status = unlock_once(&vault, &credential, access, remark, err);

    // what the user mistyped just now is no news
    if (!chat->tried)
        memcpy(chat->unlock_remark, remark, sizeof remark);
    chat->tried = true;
    TRY(status);
    if (access == VAULT_WRITE)
        status = model_gate_record(vault, err);
    if (status != STATUS_OK) {
        vault_close(vault);
        return status;
    }
    keeping_open(&chat->keeping, vault);
    if (access == VAULT_READ)
        chat->keeping.kind = KEEPING_NOTHING;
    return STATUS_OK;
}

/* Another process has it. */
static void
offer_sealed(struct chat *chat, const struct error *why)
{
    chat_say(chat, "%s", why->text);
    char letter = ask_letter(chat,
                             "[s] seal answers for later, [e] an ephemeral "
                             "chat, [q] quit: ",
                             "seq");

    if (letter == 's') {
        chat->keeping.kind = KEEPING_SEALED;
    } else if (letter == 'e') {
        keep_nothing(chat);
    } else {
        leave(chat, EXIT_BUSY);
    }
}

/* The alarm: what can be read may be looked at, nothing is written. */
static void
offer_reading(struct chat *chat, const struct secret *passphrase,
              const struct error *why)
{
    struct error err;

    chat_say(chat, "%s", why->text);
    char letter = ask_letter(chat,
                             "[r] look at what can be read, writing nothing, "
                             "[q] quit: ",
                             "rq");

    if (letter != 'r') {
        leave(chat, EXIT_ALARM);
    } else if (chat_open_vault(chat, passphrase, VAULT_READ, &err) !=
               STATUS_OK) {
        chat_say(chat, "%s", err.text);
        leave(chat, EXIT_ALARM);
    }
}

/* ^C where the vault is to be opened: leaves, or does without it. */
static void
give_up(struct chat *chat)
{
    if (chat->quit)
        return;
    if (chat->face->interrupt_leaves)
        leave(chat, EXIT_SIGNAL + SIGINT);
    else
        keep_nothing(chat);
}

/* True when no further try is needed. */
static bool
try_passphrase(struct chat *chat, const struct secret *passphrase, int left)
{
    struct error err;

    switch (chat_open_vault(chat, passphrase, VAULT_WRITE, &err)) {
    case STATUS_OK:
        return true;
    case STATUS_DENIED:
        chat_say(chat, "%s", err.text);
        if (left == 0)
            leave(chat, EXIT_DENIED);
        return left == 0;
    case STATUS_BUSY:
        offer_sealed(chat, &err);
        return true;
    case STATUS_INTEGRITY:
        offer_reading(chat, passphrase, &err);
        return true;
    case STATUS_CANCELLED:
        give_up(chat);
        return true;
    case STATUS_NOMEM:
    case STATUS_IO:
    case STATUS_FORMAT:
    case STATUS_LIMIT:
    case STATUS_UNSUPPORTED:
    case STATUS_DEVICE:
    case STATUS_SIGNATURE:
        break;
    }
    chat_say(chat, "%s", err.text);
    leave(chat, exit_code_of(err.status));
    return true;
}

/* With what the command line says, or the program that asks. */
static void
open_by_settings(struct chat *chat)
{
    const struct kdf_runner runner = chat_kdf_runner(chat);
    struct unlock_settings settings = chat->settings->unlock;
    struct vault *vault;
    struct error err;
    int code;

    settings.runner = &runner;
    enum status status =
        unlock_vault(&vault, &settings, VAULT_WRITE, &code, &err);

    if (status == STATUS_OK) {
        keeping_open(&chat->keeping, vault);
    } else if (status == STATUS_BUSY) {
        offer_sealed(chat, &err);
    } else {
        if (!chat->quit)
            chat_say(chat, "%s", err.text);
        leave(chat, code);
    }
}

static bool
is_given(const struct unlock_settings *s)
{
    const char *program = getenv("FATHOM_ASKPASS");

    return s->source.fd.given || s->key_file || s->recovery ||
           (program && *program);
}

/* Asks for the path of a key file, and reads it. */
static void
take_key_file(struct chat *chat)
{
    const char *line = chat_edit_line(chat, "key file: ", "");
    char path[PLACE_BYTES];
    struct error err;

    if (line == NULL || *line == '\0')
        return;
    secret_close(unlocking.key_file);
    unlocking.key_file = NULL;
    chat->key_file = false;
    if (!chat_expand_path(path, line))
        chat_say(chat, "the key file's name is too long");
    else if (unlock_read_key_file(&unlocking.key_file, path, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat->key_file = true;
}

enum secret_result
chat_ask_passphrase(struct chat *chat, const char *prompt, struct secret **out)
{
    static const char with_file[] = "passphrase (Enter alone: the key file "
                                    "without one): ";
    enum secret_result result;

    do {
        chat->unlocking = true;
        result =
            chat_read_secret(chat, chat->key_file ? with_file : prompt, out);
        chat->unlocking = false;
        if (result == SECRET_FILE)
            take_key_file(chat);
    } while (result == SECRET_FILE && !chat->quit && !chat->locking);
    if (result == SECRET_FILE)
        return SECRET_END;
    return result == SECRET_EMPTY && chat->key_file ? SECRET_DONE : result;
}

void
chat_end_unlock(struct chat *chat)
{
    secret_close(unlocking.key_file);
    unlocking.key_file = NULL;
    chat->key_file = false;
    chat->face->unlocked(chat);
}

static void
ask_passphrase(struct chat *chat)
{
    bool settled = false;

    for (int left = TRIES - 1; left >= 0 && !settled; left--) {
        struct secret *passphrase;
        enum secret_result result = chat_ask_passphrase(
            chat,
            "passphrase (Enter alone: a chat that is not kept): ", &passphrase);

        if (chat->quit)
            return;
        if (result == SECRET_END) {
            give_up(chat);
            return;
        }
        if (result != SECRET_DONE) {
            keep_nothing(chat);
            return;
        }
        settled = try_passphrase(chat, passphrase, left);
        secret_close(passphrase);
    }
}

void
chat_unlock(struct chat *chat)
{
    struct vault_places at = keeping_places(&chat->keeping);
    bool exists;
    struct error err;

    if (chat->settings->ephemeral || settings_save() == SAVE_NEVER) {
        keep_nothing(chat);
    } else if (vault_exists(&exists, &at, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        leave(chat, exit_code_of(err.status));
    } else if (exists && is_given(&chat->settings->unlock)) {
        open_by_settings(chat);
    } else if (exists) {
        ask_passphrase(chat);
        chat_end_unlock(chat);
    } else if (policy_requires_vault() || !history_is_refused(chat)) {
        offer_vault(chat);
    }
    if (!chat->quit && chat->keeping.kind == KEEPING_VAULT &&
        settings_save() == SAVE_ASK &&
        !chat_confirm(chat, "Keep this chat?", true) && !chat->quit)
        keep_nothing(chat);
}

/* -- what is said ----------------------------------------------------------
 */

static void
take_inbox(struct chat *chat)
{
    size_t taken = 0, refused = 0;
    struct error err;

    if (keeping_take_inbox(chat->keeping.vault, &taken, &refused, &err) !=
        STATUS_OK)
        chat_say(chat, "%s", err.text);
    size_t joined = chat_join_sealed(chat);

    // another program may have taken it in before
    taken -= joined < taken ? joined : taken;
    if (taken > 0)
        chat_say(chat,
                 "%zu sealed %s taken in, each a chat of its own; "
                 "/history lists them",
                 taken, taken == 1 ? "answer was" : "answers were");
    if (refused > 0)
        chat_say(chat, "%zu %s in the inbox not from here, and left there",
                 refused, refused == 1 ? "file was" : "files were");
}

static void
recall_line(void *context, struct text line)
{
    struct buffer copy = {0};
    struct error err;

    (void) context;
    if (buffer_append(&copy, line.bytes, line.length, &err) == STATUS_OK)
        line_editor_remember(copy.data);
    buffer_release(&copy);
}

void
chat_welcome(struct chat *chat)
{
    struct keeping *k = &chat->keeping;
    struct error err;

    if (k->vault == NULL)
        return;
    if (chat->unlock_remark[0] != '\0')
        chat_say(chat, "%s", chat->unlock_remark);
    if (vault_remark(k->vault) != NULL)
        chat_say(chat, "%s", vault_remark(k->vault));
    if (k->kind == KEEPING_VAULT) {
        listen_for_locks(chat);
        take_inbox(chat);
    }
    if (vault_each_input(k->vault, recall_line, NULL, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
}

static bool
count_chat(void *context, const struct chat_info *info)
{
    (void) info;
    ++*(size_t *) context;
    return true;
}

/* "3 chats are kept; ..." */
static void
say_open(struct chat *chat)
{
    size_t count = 0;
    struct error err;

    if (vault_each_chat(chat->keeping.vault, count_chat, &count, &err) !=
        STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    if (count == 0)
        chat_say(chat, "net:off vault:open; this chat is kept encrypted, "
                       "/history finds it again");
    else
        chat_say(chat,
                 "net:off vault:open; %zu %s kept, /history lists "
                 "them, /resume goes on",
                 count, count == 1 ? "chat is" : "chats are");
}

void
chat_say_state(struct chat *chat)
{
    const struct keeping *k = &chat->keeping;

    if (k->kind == KEEPING_VAULT)
        say_open(chat);
    else if (k->kind == KEEPING_SEALED)
        chat_say(chat, "net:off vault:locked; answers are sealed, and are in "
                       "the vault when it is opened next");
    else if (k->vault != NULL)
        chat_say(chat, "net:off vault:eph; the vault can be read, and nothing "
                       "is written");
    else
        chat_say(chat, "net:off vault:eph; nothing of this chat is written%s",
                 history_is_refused(chat)
                     ? "; \"fathom vault init\" begins a history"
                     : "");
}
