/* Commands about what the vault keeps, and about keeping this chat. */
#include "config.h"

#include "app/vault/audit.h"
#include "app/chat/chat_title.h"
#include "app/chat/chat_vault.h"
#include "app/chat/chat_verb.h"
#include "app/history/history_export.h"
#include "app/history/history_filter.h"
#include "app/history/turn_count.h"
#include "app/options.h"
#include "app/policy.h"
#include "app/time_text.h"
#include "app/chat/chat_file.h"
#include "app/gauges/gauges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LISTED = 10,  // chats of /history
    HITS = 50,    // of /search
    SHOWN_ID = 8, // characters of an id
    CONTEXT = 32, // bytes on both sides of a hit
};

/* Told where there is no vault to look into. */
static bool
has_vault(struct chat *chat)
{
    if (chat->keeping.vault == NULL)
        chat_say(chat, "no vault is open in this chat, so there is no history "
                       "to look at");
    return chat->keeping.vault != NULL;
}

/* -- going on with a chat --------------------------------------------------
 */

static enum status
find_chat(struct chat_id *out, struct chat *chat, const char *id,
          struct error *err)
{
    bool any;

    if (*id != '\0')
        return vault_find_chat(out, chat->keeping.vault, id, err);
    TRY(vault_newest_chat(out, &any, chat->keeping.vault, err));
    if (!any)
        return error_set(err, STATUS_FORMAT,
                         "there is no chat yet to go on "
                         "with");
    return STATUS_OK;
}

bool
chat_resume(struct chat *chat, const char *id)
{
    struct conversation *c = &chat->conversation;
    struct chat_id found;
    struct error err;

    if (!has_vault(chat))
        return false;
    if (find_chat(&found, chat, id, &err) != STATUS_OK ||
        keeping_load(&chat->keeping, c, &found, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return false;
    }
    chat->last.known = false;
    gauges_forget();
    chat->face->show(chat, true);
    chat_give_cache(chat);
    return true;
}

void
chat_run_resume(struct chat *chat, const char *arguments)
{
    (void) chat_resume(chat, arguments);
}

static bool
offer_id(void *context, const struct chat_info *info)
{
    char id[CHAT_ID_TEXT];

    chat_id_text(id, &info->id);
    line_candidates_add(context, id);
    return true;
}

void
chat_complete_ids(const struct chat *chat, struct line_candidates *out)
{
    struct error err;

    // completion is a convenience: a vault that fails is told elsewhere
    if (chat->keeping.vault != NULL)
        (void) !vault_each_chat(chat->keeping.vault, offer_id, out, &err);
}

/* -- /history --------------------------------------------------------------
 */

struct listing {
    struct buffer *out;
    struct vault *vault;
    size_t left, more;
};

/* "01jd3k8q  2026-11-22 14:04   12  RDMA notes" */
static enum status
print_chat(struct buffer *out, struct vault *vault,
           const struct chat_info *info, struct error *err)
{
    char id[CHAT_ID_TEXT], when[TIME_TEXT], turns[TURN_COUNT_TEXT];

    chat_id_text(id, &info->id);
    time_text_local(when, info->used_ms);
    TRY(buffer_print(out, err, "%.*s  %s  %4s%c ", SHOWN_ID, id, when,
                     turn_count_text(turns, turn_count(vault, &info->id)),
                     info->pinned ? 'p' : ' '));
    if (info->title.length > 0)
        TRY(buffer_append(out, info->title.bytes, info->title.length, err));
    if (info->tags.length > 0)
        TRY(buffer_print(out, err, "  [%.*s]", (int) info->tags.length,
                         info->tags.bytes));
    return buffer_append(out, "\n", 1, err);
}

static bool
list_chat(void *context, const struct chat_info *info)
{
    struct listing *listing = context;
    struct error err;

    if (listing->left == 0) {
        listing->more++;
        return true;
    }
    listing->left--;
    return print_chat(listing->out, listing->vault, info, &err) == STATUS_OK;
}

void
chat_run_history(struct chat *chat, const char *arguments)
{
    uint64_t most = LISTED;
    struct buffer text = {0};
    struct listing listing = {.out = &text};
    struct error err;
    const char *rest;
    char word[12];

    snprintf(word, sizeof word, "%.*s", (int) chat_first_word(arguments, &rest),
             arguments);
    if (option_is_choice("title|tag|pin|unpin|delete|export", word)) {
        if (has_vault(chat))
            chat_change_kept(chat, arguments);
        return;
    }
    if (*arguments != '\0' && (!option_read_count(arguments, &most) || !most)) {
        chat_say_usage(chat, "history");
        return;
    }
    if (!has_vault(chat))
        return;
    listing.vault = chat->keeping.vault;
    listing.left = most;
    enum status status = buffer_print(&text, &err, "%-*s  %-16s  turns %s\n",
                                      SHOWN_ID, "id", "last used", "title");

    if (status == STATUS_OK)
        status =
            vault_each_chat(chat->keeping.vault, list_chat, &listing, &err);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (listing.left == most)
        chat_say(chat, "no chat is kept yet");
    else
        chat_print(chat, (struct print_style){0}, text.data, text.length);
    if (status == STATUS_OK && listing.more > 0)
        chat_say(chat, "%zu more; /history N lists N of them", listing.more);
    buffer_release(&text);
}

/* -- /search ---------------------------------------------------------------
 */

struct search {
    struct buffer out;
    struct vault *vault;
    struct chat_id last; // whose line was printed
    size_t hits, chats;
};

/* The bytes of a text around a hit, whole characters, on one line. */
static enum status
print_around(struct buffer *out, struct text text, size_t at, size_t length,
             struct error *err)
{
    size_t start = at > CONTEXT ? at - CONTEXT : 0;
    size_t end = text.length - at - length > CONTEXT ? at + length + CONTEXT
                                                     : text.length;

    while (start > 0 && (text.bytes[start] & 0xC0) == 0x80)
        start--;
    while (end < text.length && (text.bytes[end] & 0xC0) == 0x80)
        end++;
    TRY(buffer_print(out, err, "    %s", start > 0 ? "..." : ""));
    size_t begun = out->length;

    TRY(buffer_append(out, text.bytes + start, at - start, err));
    TRY(buffer_append(out, "[", 1, err));
    TRY(buffer_append(out, text.bytes + at, length, err));
    TRY(buffer_append(out, "]", 1, err));
    TRY(buffer_append(out, text.bytes + at + length, end - at - length, err));
    for (char *c = out->data + begun; c < out->data + out->length; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    return buffer_print(out, err, "%s\n", end < text.length ? "..." : "");
}

static enum status
print_hit(struct search *search, const struct vault_hit *hit, struct error *err)
{
    if (search->chats == 0 ||
        memcmp(&search->last, &hit->chat->id, sizeof search->last) != 0) {
        search->last = hit->chat->id;
        search->chats++;
        TRY(print_chat(&search->out, search->vault, hit->chat, err));
    }
    search->hits++;
    // a title stands there already
    if (hit->turn == NULL)
        return STATUS_OK;
    return print_around(&search->out,
                        hit->in_thinking ? hit->turn->thinking
                                         : hit->turn->content,
                        hit->at, hit->length, err);
}

static bool
take_hit(void *context, const struct vault_hit *hit)
{
    struct search *search = context;
    struct error err;

    return print_hit(search, hit, &err) == STATUS_OK && search->hits < HITS;
}

void
chat_run_search(struct chat *chat, const char *arguments)
{
    struct search search = {.vault = chat->keeping.vault};
    struct history_filter filter;
    struct error err;

    if (*arguments == '\0') {
        chat_say_usage(chat, "search");
        return;
    }
    if (!has_vault(chat))
        return;
    enum status status = history_filter_read(&filter, arguments, false, &err);

    if (status == STATUS_OK && filter.fault[0] != '\0') {
        chat_say(chat, "%s", filter.fault);
        history_filter_release(&filter);
        return;
    }
    signals_begin();
    if (status == STATUS_OK)
        status = history_filter_search(&filter, chat->keeping.vault, take_hit,
                                       &search, signals_asked(), &err);
    history_filter_release(&filter);

    if (search.hits > 0)
        chat_print(chat, (struct print_style){0}, search.out.data,
                   search.out.length);
    if (status == STATUS_CANCELLED)
        chat_say(chat, "stopped");
    else if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_say(chat, "%zu %s in %zu %s%s%s", search.hits,
                 search.hits == 1 ? "hit" : "hits", search.chats,
                 search.chats == 1 ? "chat" : "chats",
                 search.hits == HITS ? ", and perhaps more" : "",
                 search.hits > 0 ? "; /resume ID opens one" : "");
    buffer_release(&search.out);
}

/* -- /export ---------------------------------------------------------------
 */

struct export_order {
    struct export_how how;
    char path[PLACE_BYTES];
};

/* "[md|json|html] FILE [--with-thinking]"; the ending tells it too. */
static bool
read_export(struct export_order *out, const char *arguments)
{
    static const char flag[] = " --with-thinking";
    char name[PLACE_BYTES], word[8];
    const char *rest;
    size_t length = chat_first_word(arguments, &rest);

    snprintf(word, sizeof word, "%.*s", length < sizeof word ? (int) length : 0,
             arguments);
    bool known = history_export_find(&out->how.format, word);
    const char *file = known ? rest : arguments;

    length = strlen(file);
    if (text_ends_with(file, length, flag)) {
        out->how.with_thinking = true;
        length -= sizeof flag - 1;
    }
    while (length > 0 && file[length - 1] == ' ')
        length--;
    if (length == 0 || length >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int) length, file);
    const char *ending = strrchr(name, '.');

    known =
        known || (ending && history_export_find(&out->how.format, ending + 1));
    return known && chat_expand_path(out->path, name);
}

/* The turns with numbers of their own: not all may have one of the vault. */
static void
fill_records(struct turn_record *out, const struct conversation *c)
{
    for (size_t i = 0; i < c->count; i++) {
        size_t parent = c->turns[i].parent;

        out[i] = conversation_record(c, i);
        out[i].id = i + 1;
        out[i].parent = parent == TURN_NONE ? 0 : parent + 1;
    }
}

static enum status
print_export(struct buffer *out, const struct export_how *how,
             const struct export_chat *exported, struct error *err)
{
    TRY(history_export_begin(out, how, (uint64_t) time(NULL) * 1000, err));
    TRY(history_export_chat(out, how, exported, 0, err));
    return history_export_end(out, how, err);
}

static enum status
print_kept(struct buffer *out, const struct export_how *how,
           struct vault *vault, const struct chat_id *chat, struct error *err)
{
    struct export_chat exported = {0};
    struct vault_chat *kept;
    char id[CHAT_ID_TEXT];

    TRY(vault_chat_open(&kept, vault, chat, err));
    chat_id_text(id, chat);
    exported.id = id;
    exported.info = vault_chat_info(kept);
    exported.turns = vault_chat_turns(kept, &exported.count);
    enum status status = print_export(out, how, &exported, err);

    vault_chat_close(kept);
    return status;
}

/* The chat that is open, which may not be kept. */
static enum status
print_open(struct buffer *out, const struct export_how *how,
           const struct chat *chat, struct error *err)
{
    const struct conversation *c = &chat->conversation;
    struct chat_info info = {
        .title = conversation_text(&c->title),
        .system = conversation_text(&c->system),
        .tags = conversation_text(&c->tags),
        .model = text_of(chat->model, strlen(chat->model)),
        .created_ms = c->turns[0].time_ms,
        .used_ms = c->turns[c->count - 1].time_ms,
        .leaf = c->leaf == TURN_NONE ? 0 : c->leaf + 1,
        .turns = (uint32_t) c->count,
    };
    struct export_chat exported = {.info = &info, .count = c->count};
    char id[CHAT_ID_TEXT];
    void *memory;

    if (chat->keeping.chat != NULL) {
        info.id = vault_chat_info(chat->keeping.chat)->id;
        chat_id_text(id, &info.id);
        exported.id = id;
    }
    TRY(memory_alloc(&memory, c->count * sizeof *exported.turns, err));
    fill_records(memory, c);
    exported.turns = memory;
    enum status status = print_export(out, how, &exported, err);

    free(memory);
    return status;
}

/* Before anything is out; false: it must not go. */
static bool
note_export(struct chat *chat, const struct export_order *order)
{
    static const char *const names[] = {"md", "json", "html"};
    struct error err;

    if (chat->keeping.kind != KEEPING_VAULT ||
        audit_record(chat->keeping.vault, "export", names[order->how.format],
                     &err) == STATUS_OK)
        return true;
    chat_say(chat, "%s", err.text);
    return false;
}

void
chat_save_file(struct chat *chat, const char *path, const struct buffer *text)
{
    char shown[300], question[400];
    struct error err;
    bool exists;

    text_quote(shown, sizeof shown, path, strlen(path));
    enum status status = chat_file_save(path, false, text, &exists, &err);

    if (status != STATUS_OK && exists) {
        snprintf(question, sizeof question, "%s exists. Replace it?", shown);
        if (!chat_confirm(chat, question, false)) {
            chat_say(chat, "nothing was written");
            return;
        }
        status = chat_file_save(path, true, text, &exists, &err);
    }
    if (status != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    chat_say(chat, "written to %s, in clear text, for you alone", shown);
}

/* `kept`: a chat of the vault; NULL: the one that is open. */
static void
write_export(struct chat *chat, const struct export_order *order,
             const struct chat_id *kept)
{
    struct buffer text = {0};
    struct error err;

    if (policy_forbids_plain_export()) {
        audit_refusal(chat->keeping.vault, "export.plaintext = deny");
        (void) !policy_refusal(&err, "an export in clear text",
                               "export.plaintext = deny");
        chat_say(chat, "%s", err.text);
        return;
    }
    enum status status =
        kept ? print_kept(&text, &order->how, chat->keeping.vault, kept, &err)
             : print_open(&text, &order->how, chat, &err);

    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else if (note_export(chat, order))
        chat_save_file(chat, order->path, &text);
    buffer_release(&text);
}

void
chat_run_export(struct chat *chat, const char *arguments)
{
    struct export_order order = {0};

    if (!read_export(&order, arguments))
        chat_say_usage(chat, "export");
    else if (chat->conversation.leaf == TURN_NONE)
        chat_say(chat, "there is nothing to export yet");
    else
        write_export(chat, &order, NULL);
}

void
chat_export_kept(struct chat *chat, const struct chat_id *id,
                 const char *arguments)
{
    struct export_order order = {0};

    if (read_export(&order, arguments))
        write_export(chat, &order, id);
    else
        chat_say(chat, "a name for the file is needed that ends with .md, "
                       ".json or .html");
}

/* -- keeping this chat -----------------------------------------------------
 */

void
chat_run_new(struct chat *chat, const char *arguments)
{
    struct conversation *c = &chat->conversation;
    char title[CHAT_TITLE_BYTES];
    struct error err;

    keeping_part(&chat->keeping);
    conversation_clear(c);
    chat->last.known = false;
    gauges_forget();
    if (chat_title(title, text_of(arguments, strlen(arguments))) > 0 &&
        conversation_set_title(c, title, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    chat->face->moved(chat);
    chat_say(chat, "a new conversation%s",
             c->system.length > 0 ? ", with the same system text" : "");
}

/* Wipes the chat here and in the vault; false: it could not be deleted. */
static bool
forget(struct chat *chat)
{
    struct error err;

    if (chat->keeping.kind == KEEPING_VAULT &&
        keeping_forget(&chat->keeping, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return false;
    }
    conversation_clear(&chat->conversation);
    chat->last.known = false;
    gauges_forget();
    chat_gauges_drop();
    chat->face->moved(chat);
    return true;
}

void
chat_run_forget(struct chat *chat, const char *arguments)
{
    bool kept = chat->keeping.kind == KEEPING_VAULT && chat->keeping.chat;

    if (*arguments != '\0') {
        chat_say_usage(chat, "forget");
    } else if (chat->conversation.count == 0) {
        chat_say(chat, "there is nothing to forget");
    } else if (!chat_confirm(chat,
                             kept ? "Delete this chat from the vault, with all "
                                    "its branches?"
                                  : "Forget this chat?",
                             false)) {
        if (!chat->locking && !chat->quit)
            chat_say(chat, "nothing was changed");
    } else if (forget(chat)) {
        chat_say(chat, "%s",
                 kept ? "deleted; old ciphertext may survive on the disk and "
                        "in backups until \"fathom vault rotate\""
                      : "forgotten");
    }
}

void
chat_run_ephemeral(struct chat *chat, const char *arguments)
{
    struct error err;

    if (*arguments != '\0') {
        chat_say_usage(chat, "ephemeral");
        return;
    }
    if (chat->keeping.kind == KEEPING_NOTHING) {
        chat_say(chat, "nothing of this chat is written as it is");
        return;
    }
    if (policy_requires_vault()) {
        audit_refusal(chat->keeping.vault, "vault.require = yes");
        (void) !policy_refusal(&err, "a chat that is not kept",
                               "vault.require = yes");
        chat_say(chat, "%s", err.text);
        return;
    }
    enum chat_answer answer = CHAT_NO;

    if (chat->keeping.chat)
        answer =
            chat_decide(chat, "Delete what is in the vault so far?", false);
    bool drop = answer == CHAT_YES;

    if (chat->locking || chat->quit || answer == CHAT_GIVEN_UP ||
        (drop && keeping_forget(&chat->keeping, &err) != STATUS_OK)) {
        if (drop && !chat->locking && !chat->quit)
            chat_say(chat, "%s", err.text);
        return;
    }
    keeping_close(&chat->keeping);
    chat_gauges_drop();
    chat_stop_listening(chat);
    chat_say_state(chat);
}

void
chat_run_lock(struct chat *chat, const char *arguments)
{
    if (*arguments != '\0')
        chat_say_usage(chat, "lock");
    else if (chat->keeping.kind != KEEPING_VAULT)
        chat_say(chat, "no vault is open in this chat, so there is nothing to "
                       "lock; /quit ends it");
    else
        chat->locking = true;
}
