/*
 * Locking: readline and the heap keep copies of what was typed and shown that
 * nobody could find and wipe. So the program begins anew in its own place, and
 * the kernel drops every page. What goes over is in a file without a name:
 * the pipes of the engine and settings, no text. An answer that the engine is
 * writing goes on; what comes of it while the vault is locked is sealed into
 * the inbox, and put together with its beginning when the vault is open again.
 */
#include "config.h"

#include "app/vault/audit.h"
#include "app/chat/chat_handed.h"
#include "app/chat/chat_vault.h"
#include "app/gauges/gauges.h"
#include "app/launch.h"
#include "app/notice.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#define HAND_OVER "FATHOM_HANDED_OVER" // the number of the file
#define REST_NS (3 * UINT64_C(1000000000))
#define STEP_NS (UINT64_C(50000000))
enum { HANDED_BYTES = 16384, NONCE_BYTES = 16 };

/* -- what goes over --------------------------------------------------------
 */

static json_t *
engine_object(const struct chat *chat)
{
    struct client_pipes pipes = {.to = -1, .from = -1};

    if (chat->client != NULL)
        pipes = client_hand_over(chat->client);
    return json_pack("{s:I, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:b}", "process",
                     (json_int_t) pipes.process, "to", pipes.to, "from",
                     pipes.from, "last", (json_int_t) pipes.last_number, "open",
                     (json_int_t) chat->open_number, "request",
                     (json_int_t) chat->away.number, "question",
                     (json_int_t) chat->away.question, "newest",
                     (json_int_t) chat->away.newest, "begun", chat->away.begun);
}

static json_t *
dropped_object(const struct chat_dropped *dropped)
{
    return json_pack("{s:I, s:I, s:I}", "lines", (json_int_t) dropped->lines,
                     "kept", (json_int_t) dropped->kept, "documents",
                     (json_int_t) dropped->documents);
}

static int
write_over(const struct chat *chat)
{
    char id[CHAT_ID_TEXT] = "", bytes[HANDED_BYTES];

    if (chat->keeping.chat != NULL)
        chat_id_text(id, &vault_chat_info(chat->keeping.chat)->id);
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:b, s:b}", "dropped",
        dropped_object(&chat->dropped), "engine", engine_object(chat), "model",
        chat_hand_model(chat), "settings", chat_hand_settings(chat), "chat", id,
        "typed", chat->typed_kept, "unkept", chat->keep_told);
    size_t length = json_dumpb(json, bytes, sizeof bytes, JSON_COMPACT);

    json_decref(json);
    int file =
        length > 0 && length < sizeof bytes ? memfd_create("lock", 0) : -1;
    if (file >= 0 && write(file, bytes, length) == (ssize_t) length)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

/* -- going -----------------------------------------------------------------
 */

/* Nothing may be half read or half written when the pipes change hands. */
static void
come_to_rest(struct chat *chat)
{
    uint64_t until_ns =
        chat->rest_by_ns != 0 ? chat->rest_by_ns : clock_ns() + REST_NS;
    enum status status = STATUS_OK;
    struct error err;

    while (status == STATUS_OK && chat->client &&
           !client_at_rest(chat->client) && clock_ns() < until_ns) {
        struct client_wait wait = {.input = -1,
                                   .deadline_ns = clock_ns() + STEP_NS};

        status = client_wait(chat->client, &wait, &err);
        if (status == STATUS_OK && wait.wake == CLIENT_SIGNAL)
            (void) signals_taken();
        if (status != STATUS_OK || wait.wake != CLIENT_EVENT)
            continue;
        status = chat_take_event(chat, &wait.event, &err);
        event_release(&wait.event);
    }
    if (chat->client &&
        (status != STATUS_OK || !client_at_rest(chat->client))) {
        client_close(chat->client);
        chat->client = NULL;
        chat->away.number = 0;
    }
}

static bool
is_blank(const char *text)
{
    return text[strspn(text, " \t\n")] == '\0';
}

/* A half-typed line becomes one of those that ^P finds. */
static void
keep_typed(struct chat *chat)
{
    char *typed = line_editor_lowest();

    if (typed != NULL && !is_blank(typed) && chat_remember(chat, typed))
        chat->typed_kept = true;
    if (typed != NULL)
        explicit_bzero(typed, strlen(typed));
    free(typed);
}

void
chat_keep_given_up(struct chat *chat, const char *before)
{
    char *typed = chat->locking ? line_editor_typed() : NULL;
    struct buffer text = {0};
    struct error err;

    if (typed == NULL)
        return;
    // without memory it is lost
    if (buffer_print(&text, &err, "%s%s%s", before, *before ? "\n" : "",
                     typed) == STATUS_OK &&
        text.length > 0 && !is_blank(text.data) &&
        chat_remember(chat, text.data))
        chat->typed_kept = true;
    explicit_bzero(typed, strlen(typed));
    free(typed);
    buffer_release(&text);
    // it is not the message that lies below it
    line_editor_give_up();
}

/* So do lines that waited for the prompt; documents are lost. */
static void
drop_waiting(struct chat *chat)
{
    struct chat_dropped *dropped = &chat->dropped;

    *dropped = (struct chat_dropped){.documents = chat->attached.count};
    for (size_t i = 0; i < chat->queued; i++) {
        const struct queued_line *line = &chat->queue[i];

        if (!line->typed || line->text.data == NULL)
            continue;
        dropped->lines++;
        dropped->kept += chat_remember(chat, line->text.data);
    }
    chat_drop_queue(chat);
    chat_drop_attached(chat);
}

int
chat_lock(struct chat *chat)
{
    char number[16];
    struct error err;

    // what is not kept yet is tried once more; chat_turn.c did for an answer
    if (chat->keep_told && chat->away.number == 0)
        chat_keep(chat, TURN_NONE);
    drop_waiting(chat);
    keep_typed(chat);
    // what was marked in it to be deleted is, while the vault is open
    chat->face->uncover(chat);
    // it would go on asking, and a locked vault takes nothing
    kept_cache_abandon(&chat->keeping.cache);
    come_to_rest(chat);
    int file = write_over(chat);

    conversation_release(&chat->conversation);
    // nothing may keep a vault open, so that it is not recorded is only logged
    if (chat->keeping.kind == KEEPING_VAULT &&
        audit_record(chat->keeping.vault, "lock", "", &err) != STATUS_OK)
        log_warn("%s", err.text);
    keeping_close(&chat->keeping);
    chat_stop_listening(chat);
    gauges_forget();
    chat->face->wipe(chat);
    // what was typed for the chat is no passphrase
    tcflush(STDIN_FILENO, TCIFLUSH);
    if (file < 0) {
        notice_error("the vault is locked, but the chat cannot go on");
        return EXIT_INTERNAL;
    }
    snprintf(number, sizeof number, "%d", file);
    setenv(HAND_OVER, number, 1);
    signals_hold();
    (void) !launch_again(&err);
    notice_error("%s", err.text);
    return EXIT_INTERNAL;
}

/* -- coming ----------------------------------------------------------------
 */

static json_t *
read_over(void)
{
    const char *number = getenv(HAND_OVER);
    char bytes[HANDED_BYTES];

    if (number == NULL)
        return NULL;
    int file = atoi(number);

    unsetenv(HAND_OVER);
    ssize_t n = pread(file, bytes, sizeof bytes, 0);

    close(file);
    return n > 0 ? json_loadb(bytes, (size_t) n, 0, NULL) : NULL;
}

static uint64_t
count_at(const json_t *object, const char *name)
{
    return (uint64_t) json_integer_value(json_object_get(object, name));
}

static void
copy_text(char *out, size_t size, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    snprintf(out, size, "%s", text ? text : "");
}

static void
take_dropped(struct chat_dropped *out, const json_t *object)
{
    *out = (struct chat_dropped){.lines = count_at(object, "lines"),
                                 .kept = count_at(object, "kept"),
                                 .documents = count_at(object, "documents")};
}

static void
take_engine(struct chat *chat, const json_t *engine)
{
    struct client_pipes pipes = {
        .process = (pid_t) count_at(engine, "process"),
        .to = (int) json_integer_value(json_object_get(engine, "to")),
        .from = (int) json_integer_value(json_object_get(engine, "from")),
        .last_number = count_at(engine, "last")};
    struct error err;

    chat->open_number = count_at(engine, "open");
    chat->away.number = count_at(engine, "request");
    chat->away.question = count_at(engine, "question");
    chat->away.newest = count_at(engine, "newest");
    chat->away.begun = json_is_true(json_object_get(engine, "begun"));
    if (pipes.to < 0)
        return;
    if (client_take_over(&chat->client, &pipes, &err) != STATUS_OK)
        notice_error("%s", err.text);
}

bool
chat_was_locked(struct chat *chat)
{
    json_t *json = read_over();

    if (json == NULL)
        return false;
    take_engine(chat, json_object_get(json, "engine"));
    chat_take_model(chat, json_object_get(json, "model"));
    chat_take_settings(chat, json_object_get(json, "settings"));
    copy_text(chat->locked_id, sizeof chat->locked_id, json, "chat");
    take_dropped(&chat->dropped, json_object_get(json, "dropped"));
    chat->typed_kept = json_is_true(json_object_get(json, "typed"));
    chat->unkept = json_is_true(json_object_get(json, "unkept"));
    json_decref(json);
    chat->locked = true;
    return true;
}

/* -- while it is locked ----------------------------------------------------
 */

/* The question under which the rest is sealed; no one else can make it up. */
static enum status
begin_rest(struct chat *chat, struct error *err)
{
    struct conversation *rest = &chat->away.rest;
    uint8_t nonce[NONCE_BYTES];
    struct buffer text = {0};
    size_t turn;

    if (getrandom(nonce, sizeof nonce, 0) != (ssize_t) sizeof nonce)
        return error_errno(err, "the system gives no random numbers");
    enum status status =
        buffer_print(&text, err,
                     "(the rest of an answer that went on while the vault was "
                     "locked; it begins in chat %.8s) ",
                     chat->locked_id);

    for (size_t i = 0; status == STATUS_OK && i < sizeof nonce; i++)
        status = buffer_print(&text, err, "%02x", nonce[i]);
    if (status == STATUS_OK)
        status = conversation_ask(&turn, rest, text.data, text.length, err);
    if (status == STATUS_OK)
        status = conversation_answer(&turn, rest, err);
    buffer_release(&text);
    return status;
}

void
chat_seal_away(struct chat *chat)
{
    struct locked_answer *away = &chat->away;
    struct vault_places at = keeping_places(&chat->keeping);
    struct error err;

    if (away->number == 0 || away->sealed || away->rest.count < 2)
        return;
    struct turn_record question = conversation_record(&away->rest, 0);
    struct turn_record answer = conversation_record(&away->rest, 1);

    away->done = true;
    // where it cannot be sealed it stays here, for when the vault is open
    if (inbox_put(&at, &question, &answer, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    away->sealed = true;
    buffer_release(&away->rest.turns[1].content);
    buffer_release(&away->rest.turns[1].thinking);
}

enum status
chat_locked_event(struct chat *chat, const struct event *event,
                  struct error *err)
{
    struct locked_answer *away = &chat->away;

    if (away->number == 0 || event->number != away->number)
        return chat_take_event(chat, event, err);
    struct turn *answer = &away->rest.turns[1];

    if (event->type == MESSAGE_TOKEN)
        return buffer_append(
            event->token.channel == CHANNEL_THINK ? &answer->thinking
                                                  : &answer->content,
            event->token.text.bytes, event->token.text.length, err);
    if (event->type == MESSAGE_DONE)
        TRY(conversation_describe(answer, &event->generate, err));
    if (event->type == MESSAGE_DONE || event->type == MESSAGE_ERROR)
        chat_seal_away(chat);
    return STATUS_OK;
}

/* -- coming back -----------------------------------------------------------
 */

static enum status
append_buffer(struct buffer *out, const struct buffer *more, struct error *err)
{
    return more->length > 0 ? buffer_append(out, more->data, more->length, err)
                            : STATUS_OK;
}

/*
 * The beginning that was kept when the vault was locked, newer than whatever
 * was there then: a draft, or a turn that another program made of it meanwhile.
 * TURN_NONE: there is none.
 */
static size_t
find_beginning(const struct chat *chat, size_t question)
{
    const struct conversation *c = &chat->conversation;

    for (size_t i = c->count; chat->away.begun && i-- > question + 1;)
        if (c->turns[i].parent == question && !c->turns[i].complete &&
            (c->turns[i].id == 0 || c->turns[i].id > chat->away.newest))
            return i;
    return TURN_NONE;
}

/*
 * The turn that the rest goes to, which is the leaf then: the beginning, or
 * one beside it that begins so where it is a turn of the vault.
 */
static enum status
take_beginning(struct chat *chat, size_t question, struct error *err)
{
    struct conversation *c = &chat->conversation;
    size_t beginning = find_beginning(chat, question), before = c->leaf, answer;

    if (beginning != TURN_NONE && c->turns[beginning].id == 0) {
        conversation_move(c, beginning);
        return STATUS_OK;
    }
    conversation_move(c, question);
    enum status status = conversation_answer(&answer, c, err);

    if (status != STATUS_OK || beginning == TURN_NONE)
        return status;
    const struct turn *old = &c->turns[beginning];

    status = append_buffer(&c->turns[answer].thinking, &old->thinking, err);
    if (status == STATUS_OK)
        status = append_buffer(&c->turns[answer].content, &old->content, err);
    if (status != STATUS_OK)
        conversation_drop(c, before);
    return status;
}

/* What came while the vault was locked, behind what came before. */
static enum status
append_rest(struct turn *answer, const struct turn *rest, struct error *err)
{
    TRY(append_buffer(&answer->thinking, &rest->thinking, err));
    TRY(append_buffer(&answer->content, &rest->content, err));
    TRY(append_buffer(&answer->model, &rest->model, err));
    TRY(append_buffer(&answer->fingerprint, &rest->fingerprint, err));
    TRY(append_buffer(&answer->device, &rest->device, err));
    answer->complete = rest->complete;
    answer->finish = rest->finish;
    answer->origin = rest->origin;
    answer->origin.model = answer->origin.fingerprint = answer->origin.device =
        (struct text){0};
    return STATUS_OK;
}

/* Beginning and rest as one answer, which is the leaf afterwards. */
static enum status
join(struct chat *chat, struct error *err)
{
    struct conversation *c = &chat->conversation;
    size_t question = conversation_find(c, chat->away.question);

    if (question == TURN_NONE)
        return error_set(err, STATUS_INTEGRITY,
                         "the question of the answer that went on is not in "
                         "the vault");
    TRY(take_beginning(chat, question, err));
    return append_rest(&c->turns[c->leaf], &chat->away.rest.turns[1], err);
}

struct finding {
    struct chat_id ids[64]; // the newest chats
    size_t count;
};

static bool
note_id(void *context, const struct chat_info *info)
{
    struct finding *finding = context;

    finding->ids[finding->count++] = info->id;
    return finding->count < sizeof finding->ids / sizeof *finding->ids;
}

static bool
is_in_use(const struct chat *chat, const struct chat_id *id)
{
    const struct vault_chat *used = chat->keeping.chat;

    return used != NULL &&
           memcmp(&vault_chat_info(used)->id, id, sizeof *id) == 0;
}

/* Takes the rest out of a chat that came from the inbox, if it is in it. */
static enum status
take_rest(bool *found, struct chat *chat, const struct chat_id *id,
          struct error *err)
{
    const struct buffer *wanted = &chat->away.rest.turns[0].content;
    struct conversation *rest = &chat->away.rest;
    struct vault_chat *from;
    size_t count;

    TRY(vault_chat_open(&from, chat->keeping.vault, id, err));
    const struct turn_record *turns = vault_chat_turns(from, &count);
    enum status status = STATUS_OK;

    *found = count == 2 && turns[0].content.length == wanted->length &&
             memcmp(turns[0].content.bytes, wanted->data, wanted->length) == 0;
    if (*found) {
        conversation_drop(rest, 0);
        status = conversation_take(rest, &turns[1], err);
    }
    vault_chat_close(from);
    if (*found && status == STATUS_OK)
        status = vault_delete_chat(chat->keeping.vault, id, err);
    return status;
}

size_t
chat_join_sealed(struct chat *chat)
{
    struct finding finding = {.count = 0};
    struct error err;
    bool found = false;

    if (!chat->away.sealed)
        return 0;
    enum status status =
        vault_each_chat(chat->keeping.vault, note_id, &finding, &err);

    for (size_t i = 0; status == STATUS_OK && !found && i < finding.count; i++)
        // the chat in use has a draft, which is to stay one
        if (!is_in_use(chat, &finding.ids[i]))
            status = take_rest(&found, chat, &finding.ids[i], &err);
    if (status == STATUS_OK && found)
        status = join(chat, &err);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (found)
        chat_keep(chat, TURN_NONE);
    chat->away.number = 0;
    return found;
}

/* Another lock, or a crash, finds all of it that came. */
static void
draft_joined(struct chat *chat)
{
    const struct conversation *c = &chat->conversation;
    struct error err;
    bool drafted;

    if (keeping_draft_now(&drafted, &chat->keeping, c, c->leaf, clock_ns(),
                          &err) != STATUS_OK)
        log_warn("no draft was written: status %d", (int) err.status);
}

/* The answer is still coming, or could not be sealed. */
static void
join_unsealed(struct chat *chat)
{
    uint64_t number = chat->away.number;
    bool done = chat->away.done;
    struct error err;

    if (number == 0)
        return;
    enum status status = join(chat, &err);

    chat->away.number = 0;
    chat->away.sealed = chat->away.done = false;
    if (status != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    conversation_clear(&chat->away.rest);
    chat->face->show(chat, false);
    if (done || chat->client == NULL) {
        chat_keep(chat, TURN_NONE);
        return;
    }
    draft_joined(chat);
    chat_follow(chat, number);
}

/* The chat that was locked, with the beginning of an answer that went on. */
static enum status
load_locked(struct chat *chat, struct error *err)
{
    struct keeping *k = &chat->keeping;
    struct chat_id id;

    TRY(vault_find_chat(&id, k->vault, chat->locked_id, err));
    if (chat->away.number != 0 && chat->away.begun)
        return keeping_load_drafted(k, &chat->conversation, &id, err);
    return keeping_load(k, &chat->conversation, &id, err);
}

/* What the lock has dropped, once. */
static void
say_dropped(struct chat *chat)
{
    const struct chat_dropped dropped = chat->dropped;
    const char *more = dropped.kept < dropped.lines ? ""
                       : dropped.lines == 1         ? "; ^P brings it back"
                                                    : "; ^P brings them back";

    chat->dropped = (struct chat_dropped){0};
    if (dropped.lines > 0)
        chat_say(chat, "the lock has dropped %zu %s that waited%s",
                 dropped.lines, dropped.lines == 1 ? "line" : "lines", more);
    if (dropped.documents > 0)
        chat_say(chat,
                 "the lock has dropped %zu %s of your next message; attach "
                 "%s again",
                 dropped.documents,
                 dropped.documents == 1 ? "document" : "documents",
                 dropped.documents == 1 ? "it" : "them");
}

static void
come_back(struct chat *chat)
{
    struct error err;

    chat->locked = false;
    chat->touched_ns = clock_ns();
    if (chat->locked_id[0] != '\0' && load_locked(chat, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    chat_welcome(chat);
    chat_say(chat, chat->typed_kept ? "net:off vault:open; ^P brings back what "
                                      "was being typed"
                                    : "net:off vault:open");
    chat->typed_kept = false;
    if (chat->unkept)
        chat_say(chat, "the vault could not be written before the lock; what "
                       "was told to be not kept is gone");
    if (chat->client == NULL)
        chat_say(chat, "the engine has ended; the next message asks whether it "
                       "is to start again");
    chat->unkept = false;
    say_dropped(chat);
    if (chat->away.number != 0)
        join_unsealed(chat);
    else
        chat->face->show(chat, false);
}

void
chat_stay_locked(struct chat *chat)
{
    struct error err;

    if (chat->away.number != 0 && begin_rest(chat, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        chat->away.number = 0;
    }
    chat_say(chat, "net:off vault:locked; the passphrase unlocks, ^D leaves");
    while (!chat->quit && chat->keeping.kind != KEEPING_VAULT) {
        struct secret *passphrase;
        enum secret_result result =
            chat_ask_passphrase(chat, "passphrase: ", &passphrase);

        if (result == SECRET_END && !chat->locking)
            chat->quit = true;
        if (result == SECRET_DONE &&
            chat_open_vault(chat, passphrase, VAULT_WRITE, &err) != STATUS_OK &&
            !chat->quit)
            chat_say(chat, "%s", err.text);
        secret_close(passphrase);
    }
    chat_end_unlock(chat);
    if (chat->quit)
        chat_seal_away(chat);
    else
        come_back(chat);
}
