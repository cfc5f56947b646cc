/* Turns that have no number of the vault yet are what it lacks. */
#include "config.h"

#include "app/chat/keeping.h"

#include "app/chat/chat_title.h"
#include "app/generation.h"

#include <stdio.h>
#include <string.h>

// with the half second in which it is looked at: two seconds
#define DRAFT_NS (UINT64_C(1500000000))
enum { DRAFT_TOKENS = 256 };

struct vault_places
keeping_places(const struct keeping *k)
{
    return (struct vault_places){k->folders.data, k->folders.state};
}

void
keeping_open(struct keeping *k, struct vault *vault)
{
    k->vault = vault;
    k->chat = NULL;
    k->kind = KEEPING_VAULT;
    k->behind = false;
}

void
keeping_part(struct keeping *k)
{
    kept_cache_abandon(&k->cache);
    vault_chat_close(k->chat);
    k->chat = NULL;
    k->behind = false;
}

void
keeping_close(struct keeping *k)
{
    keeping_part(k);
    vault_close(k->vault);
    k->vault = NULL;
    k->kind = KEEPING_NOTHING;
}

/* The first question names a chat that has no title. */
static enum status
ensure_title(struct conversation *c, struct error *err)
{
    char title[CHAT_TITLE_BYTES];

    if (c->title.length > 0 || c->count == 0)
        return STATUS_OK;
    chat_title(title, conversation_text(&c->turns[0].content));
    return conversation_set_title(c, title, err);
}

static void
fill_info(struct chat_info *info, const struct conversation *c,
          const char *model)
{
    info->title = conversation_text(&c->title);
    info->system = conversation_text(&c->system);
    info->tags = conversation_text(&c->tags);
    info->used_ms = clock_wall_ms();
    if (model && *model)
        info->model = text_of(model, strlen(model));
    if (c->leaf == TURN_NONE)
        info->leaf = 0;
    else if (c->turns[c->leaf].id != 0)
        info->leaf = c->turns[c->leaf].id;
}

static enum status
begin_chat(struct keeping *k, struct conversation *c, const char *model,
           struct error *err)
{
    struct chat_info info = {.created_ms = clock_wall_ms()};

    if (k->chat != NULL)
        return STATUS_OK;
    fill_info(&info, c, model);
    return vault_chat_begin(&k->chat, k->vault, &info, err);
}

/* In the order in which they were made, parents come first. */
static enum status
write_turns(struct keeping *k, struct conversation *c, size_t unfinished,
            struct error *err)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->turns[i].id != 0 || i == unfinished)
            continue;
        struct turn_record record = conversation_record(c, i);

        TRY(vault_chat_append(k->chat, &record, &c->turns[i].id, err));
    }
    return STATUS_OK;
}

static enum status
write_vault(struct keeping *k, struct conversation *c, const char *model,
            size_t unfinished, struct error *err)
{
    if (c->count == 0 || (c->count == 1 && unfinished == 0))
        return STATUS_OK;
    TRY(ensure_title(c, err));
    TRY(begin_chat(k, c, model, err));
    TRY(write_turns(k, c, unfinished, err));
    struct chat_info info = *vault_chat_info(k->chat);

    fill_info(&info, c, model);
    return vault_chat_update(k->chat, &info, err);
}

/*
 * Each answer with its question; what they follow stays behind, so a summary
 * of that would have nothing to stand for.
 */
static enum status
seal(struct keeping *k, struct conversation *c, size_t unfinished,
     struct error *err)
{
    struct vault_places at = keeping_places(k);
    size_t kept;

    for (size_t i = 0; i < c->count; i++) {
        struct turn *turn = &c->turns[i];

        if (turn->id != 0 || i == unfinished || turn->role != TURN_ANSWER ||
            conversation_summary(c, i, &kept))
            continue;
        struct turn_record question = conversation_record(c, turn->parent);
        struct turn_record answer = conversation_record(c, i);

        TRY(inbox_put(&at, &question, &answer, err));
        turn->id = UINT64_MAX; // no number of the vault, but it has it
    }
    return STATUS_OK;
}

enum status
keeping_write(struct keeping *k, struct conversation *c, const char *model,
              size_t unfinished, struct error *err)
{
    enum status status = STATUS_OK;

    if (k->kind == KEEPING_VAULT)
        status = write_vault(k, c, model, unfinished, err);
    else if (k->kind == KEEPING_SEALED)
        status = seal(k, c, unfinished, err);
    k->behind = status != STATUS_OK;
    k->drafted_ns = 0;
    k->undrafted_tokens = 0;
    return status;
}

enum status
keeping_draft_now(bool *drafted, struct keeping *k,
                  const struct conversation *c, size_t answer, uint64_t now_ns,
                  struct error *err)
{
    const struct turn *turn = &c->turns[answer];

    *drafted = false;
    // without its question a draft has no place
    if (k->kind != KEEPING_VAULT || k->chat == NULL || k->behind ||
        turn->content.length + turn->thinking.length == 0 ||
        c->turns[turn->parent].id == 0)
        return STATUS_OK;
    struct turn_record record = conversation_record(c, answer);

    record.complete = false;
    k->drafted_ns = now_ns;
    k->undrafted_tokens = 0;
    TRY(vault_chat_draft(k->chat, &record, err));
    *drafted = true;
    return STATUS_OK;
}

enum status
keeping_draft(struct keeping *k, const struct conversation *c, size_t answer,
              size_t tokens, uint64_t now_ns, struct error *err)
{
    bool drafted;

    k->undrafted_tokens += tokens;
    // the first 2 s begin with the first word
    if (k->drafted_ns == 0)
        k->drafted_ns = now_ns;
    if (k->undrafted_tokens == 0 || (now_ns - k->drafted_ns < DRAFT_NS &&
                                     k->undrafted_tokens < DRAFT_TOKENS))
        return STATUS_OK;
    return keeping_draft_now(&drafted, k, c, answer, now_ns, err);
}

static enum status
load_turns(struct keeping *k, struct conversation *c, struct error *err)
{
    const struct chat_info *info = vault_chat_info(k->chat);
    size_t count;
    const struct turn_record *turns = vault_chat_turns(k->chat, &count);

    for (size_t i = 0; i < count; i++)
        TRY(conversation_take(c, &turns[i], err));
    TRY(buffer_append(&c->title, info->title.bytes ? info->title.bytes : "",
                      info->title.length, err));
    TRY(buffer_append(&c->tags, info->tags.bytes, info->tags.length, err));
    conversation_move(c, conversation_find(c, info->leaf));
    return conversation_set_system(c,
                                   info->system.bytes ? info->system.bytes : "",
                                   info->system.length, err);
}

/* `draft`: NULL, or what is to be behind them. */
static enum status
load(struct keeping *k, struct conversation *c, struct vault_chat *chat,
     const struct turn_record *draft, struct error *err)
{
    keeping_part(k);
    k->chat = chat;
    conversation_clear(c);
    enum status status = load_turns(k, c, err);

    if (status == STATUS_OK && draft != NULL)
        status = conversation_take(c, draft, err);
    if (status == STATUS_OK && draft != NULL)
        conversation_move(c, c->count - 1);
    if (status != STATUS_OK) {
        conversation_clear(c);
        keeping_part(k);
    }
    return status;
}

enum status
keeping_load(struct keeping *k, struct conversation *c,
             const struct chat_id *id, struct error *err)
{
    struct vault_chat *chat;

    TRY(vault_chat_open(&chat, k->vault, id, err));
    return load(k, c, chat, NULL, err);
}

enum status
keeping_load_drafted(struct keeping *k, struct conversation *c,
                     const struct chat_id *id, struct error *err)
{
    struct vault_chat *chat;
    struct turn_record draft;
    struct buffer body = {0};
    enum status status =
        vault_chat_open_drafted(&chat, &draft, &body, k->vault, id, err);

    if (status == STATUS_OK)
        status = load(k, c, chat, body.length > 0 ? &draft : NULL, err);
    buffer_release(&body);
    return status;
}

/* Chats without title, some at a time. */
struct untitled {
    struct chat_id ids[32];
    size_t count;
};

static bool
note_untitled(void *context, const struct chat_info *info)
{
    struct untitled *found = context;

    if (info->title.length == 0)
        found->ids[found->count++] = info->id;
    return found->count < sizeof found->ids / sizeof *found->ids;
}

static enum status
give_title(struct vault *vault, const struct chat_id *id, struct error *err)
{
    char title[CHAT_TITLE_BYTES];
    struct vault_chat *chat;
    size_t count;

    TRY(vault_chat_open(&chat, vault, id, err));
    const struct turn_record *turns = vault_chat_turns(chat, &count);
    struct chat_info info = *vault_chat_info(chat);
    enum status status = STATUS_OK;

    // a name of blanks would be found again and again
    if (count == 0 || chat_title(title, turns[0].content) == 0)
        snprintf(title, sizeof title, "(no words)");
    info.title = text_of(title, strlen(title));
    status = vault_chat_update(chat, &info, err);
    vault_chat_close(chat);
    return status;
}

enum status
keeping_take_inbox(struct vault *vault, size_t *taken, size_t *refused,
                   struct error *err)
{
    size_t named = 1;

    TRY(vault_take_inbox(vault, taken, refused, err));
    while (*taken > 0 && named > 0) {
        struct untitled found = {.count = 0};

        TRY(vault_each_chat(vault, note_untitled, &found, err));
        for (size_t i = 0; i < found.count; i++)
            TRY(give_title(vault, &found.ids[i], err));
        named = found.count;
    }
    return STATUS_OK;
}

enum status
keeping_forget(struct keeping *k, struct error *err)
{
    if (k->chat == NULL)
        return STATUS_OK;
    struct chat_id id = vault_chat_info(k->chat)->id;

    keeping_part(k);
    TRY(vault_delete_chat(k->vault, &id, err));
    return vault_compact(k->vault, err);
}
