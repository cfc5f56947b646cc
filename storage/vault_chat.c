/* Chats: manifests, turns, drafts. */
#include "config.h"

#include "storage/vault_audit.h"
#include "storage/vault_cache.h"
#include "storage/tags.h"
#include "storage/vault_root.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Copies of the texts of a chat_info. */
struct info_texts {
    struct buffer title, system, model, tags;
};

struct vault_chat {
    struct vault *vault;
    struct chat_info info;
    struct info_texts texts; // what info's texts borrow from
    struct row_ref manifest; // row 0: not written yet
    uint64_t draft;          // row, 0 until the manifest is written
    struct buffer refs;
    struct turn_record *turns; // (info.turns)
    struct buffer *bodies;     // what they borrow from
    size_t room;
};

// -- ids --------------------------------------------------------------------

static const char CROCKFORD[] = "0123456789abcdefghjkmnpqrstvwxyz";

void
chat_id_text(char out[CHAT_ID_TEXT], const struct chat_id *id)
{
    // 128 bits in 26 digits of 5: the first digit has 3
    for (size_t i = 0; i < CHAT_ID_TEXT - 1; i++) {
        unsigned digit = 0;

        for (size_t b = 0; b < 5; b++) {
            size_t bit = i * 5 + b; // of 130, the first two of which are 0

            digit <<= 1;
            if (bit >= 2)
                digit |= id->bytes[(bit - 2) / 8] >> (7 - (bit - 2) % 8) & 1u;
        }
        out[i] = CROCKFORD[digit];
    }
    out[CHAT_ID_TEXT - 1] = '\0';
}

/* As people type it: capitals, and the letters that look like digits. */
static char
id_letter(char c)
{
    if (c >= 'A' && c <= 'Z')
        c = (char) (c - 'A' + 'a');
    if (c == 'o')
        return '0';
    return c == 'i' || c == 'l' ? '1' : c;
}

static bool
id_begins(const struct chat_id *id, const char *prefix)
{
    char text[CHAT_ID_TEXT];

    chat_id_text(text, id);
    for (size_t i = 0; prefix[i] != '\0'; i++)
        if (i >= CHAT_ID_TEXT - 1 || id_letter(prefix[i]) != text[i])
            return false;
    return true;
}

enum status
vault_find_chat(struct chat_id *out, struct vault *vault, const char *prefix,
                struct error *err)
{
    struct chat_entry *entries;
    size_t count, found = 0;
    char shown[64];

    text_quote(shown, sizeof shown, prefix, strlen(prefix));
    TRY(vault_entries(&entries, &count, vault, err));
    for (size_t i = 0; i < count; i++)
        if (prefix[0] != '\0' && id_begins(&entries[i].id, prefix) &&
            found++ == 0)
            *out = entries[i].id;
    free(entries);
    if (found == 1)
        return STATUS_OK;
    if (found == 0)
        return error_set(err, STATUS_FORMAT,
                         "no chat's id begins with %s; fathom history list "
                         "shows them",
                         shown);
    return error_set(err, STATUS_LIMIT,
                     "%zu chats' ids begin with %s; type more of it", found,
                     shown);
}

// -- lists ------------------------------------------------------------------

/* Visits one; *more is false when the visitor has enough. */
static enum status
visit_chat(bool *more, struct vault *vault, const struct chat_entry *entry,
           struct buffer *bytes, vault_chat_fn *visit, void *context,
           struct error *err)
{
    struct chat_body body;

    TRY(vault_manifest(&body, bytes, vault, entry, err));
    *more = visit(context, &body.info);
    return STATUS_OK;
}

enum status
vault_each_chat(struct vault *vault, vault_chat_fn *visit, void *context,
                struct error *err)
{
    struct chat_entry *entries;
    struct buffer bytes = {0};
    size_t count;
    bool more = true;
    struct error why;
    enum status status = vault_entries(&entries, &count, vault, err);

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count && more; i++) {
        enum status chat =
            visit_chat(&more, vault, &entries[i], &bytes, visit, context, &why);

        if (chat == STATUS_OK || vault_forgives(vault, chat))
            continue;
        // one that is damaged hides no other
        if (status == STATUS_OK)
            *err = why;
        status = chat;
        if (chat != STATUS_INTEGRITY)
            break;
    }
    buffer_release(&bytes);
    free(entries);
    return status;
}

struct newest {
    struct chat_id id;
    bool found;
};

static bool
take_first(void *context, const struct chat_info *info)
{
    *(struct newest *) context = (struct newest){info->id, true};
    return false;
}

enum status
vault_newest_chat(struct chat_id *out, bool *found, struct vault *vault,
                  struct error *err)
{
    struct newest newest = {.found = false};

    TRY(vault_each_chat(vault, take_first, &newest, err));
    *out = newest.id;
    *found = newest.found;
    return STATUS_OK;
}

// -- one chat ---------------------------------------------------------------

static void
texts_release(struct info_texts *texts)
{
    buffer_release(&texts->title);
    buffer_release(&texts->system);
    buffer_release(&texts->model);
    buffer_release(&texts->tags);
}

static enum status
copy_text(struct buffer *out, struct text text, struct error *err)
{
    return buffer_append(out, text.bytes, text.length, err);
}

/* Copies all of them or none. */
static enum status
texts_copy(struct info_texts *out, const struct chat_info *info,
           struct error *err)
{
    *out = (struct info_texts){.title = {0}};
    if (!tags_valid(info->tags))
        return error_set(err, STATUS_FORMAT, "a chat's tags are none");
    enum status status = copy_text(&out->title, info->title, err);

    if (status == STATUS_OK)
        status = copy_text(&out->system, info->system, err);
    if (status == STATUS_OK)
        status = copy_text(&out->model, info->model, err);
    if (status == STATUS_OK)
        status = copy_text(&out->tags, info->tags, err);
    if (status != STATUS_OK)
        texts_release(out);
    return status;
}

static struct text
lend(const struct buffer *buffer)
{
    return (struct text){buffer->data, buffer->length};
}

/* Takes copied texts over, and the numbers that a caller may set. */
static void
take_info(struct vault_chat *chat, struct info_texts *texts,
          const struct chat_info *info)
{
    struct info_texts was = chat->texts; // which info may borrow from

    chat->texts = *texts;
    chat->info.title = lend(&texts->title);
    chat->info.system = lend(&texts->system);
    chat->info.model = lend(&texts->model);
    chat->info.tags = lend(&texts->tags);
    chat->info.used_ms = info->used_ms;
    chat->info.leaf = info->leaf;
    chat->info.pinned = info->pinned;
    texts_release(&was);
}

/* Texts and numbers that a caller may set, copied. */
static enum status
keep_info(struct vault_chat *chat, const struct chat_info *info,
          struct error *err)
{
    struct info_texts texts;

    TRY(texts_copy(&texts, info, err));
    take_info(chat, &texts, info);
    return STATUS_OK;
}

static enum status
chat_alloc(struct vault_chat **out, struct vault *vault, struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    memset(*out, 0, sizeof **out);
    (*out)->vault = vault;
    return STATUS_OK;
}

void
vault_chat_close(struct vault_chat *chat)
{
    if (chat == NULL)
        return;
    for (size_t i = 0; i < chat->info.turns; i++)
        buffer_release(&chat->bodies[i]);
    free(chat->bodies);
    if (chat->turns != NULL)
        explicit_bzero(chat->turns, chat->room * sizeof *chat->turns);
    free(chat->turns);
    texts_release(&chat->texts);
    buffer_release(&chat->refs);
    free(chat);
}

/* Room for one more turn in the three lists, so that adding cannot fail. */
static enum status
make_room(struct vault_chat *chat, struct error *err)
{
    size_t room = chat->room == 0 ? 8 : 2 * chat->room;
    void *turns, *bodies;
    enum status status;

    TRY(buffer_reserve(&chat->refs, ROW_REF_BYTES, err));
    if (chat->info.turns < chat->room)
        return STATUS_OK;
    TRY(memory_alloc(&turns, room * sizeof *chat->turns, err));
    status = memory_alloc(&bodies, room * sizeof *chat->bodies, err);
    if (status != STATUS_OK) {
        free(turns);
        return status;
    }
    if (chat->info.turns > 0) {
        memcpy(turns, chat->turns, chat->info.turns * sizeof *chat->turns);
        memcpy(bodies, chat->bodies, chat->info.turns * sizeof *chat->bodies);
    }
    free(chat->turns);
    free(chat->bodies);
    chat->turns = turns;
    chat->bodies = bodies;
    chat->room = room;
    return STATUS_OK;
}

/* Takes a turn's body over; make_room was called. */
static void
add_turn(struct vault_chat *chat, struct buffer *body,
         const struct turn_record *turn)
{
    chat->bodies[chat->info.turns] = *body;
    chat->turns[chat->info.turns] = *turn;
    chat->info.turns++;
    *body = (struct buffer){0};
}

static bool
id_is_zero(const struct chat_id *id)
{
    return sodium_is_zero(id->bytes, sizeof id->bytes) == 1;
}

enum status
vault_chat_begin(struct vault_chat **out, struct vault *vault,
                 const struct chat_info *info, struct error *err)
{
    struct vault_chat *chat;
    struct entry_at at;
    enum status status;

    if (!id_is_zero(&info->id) && vault_entry_find(&at, vault, &info->id))
        return error_set(err, STATUS_LIMIT, "there is a chat of that id");
    TRY(chat_alloc(&chat, vault, err));
    chat->info.id = info->id;
    while (id_is_zero(&chat->info.id))
        randombytes_buf(chat->info.id.bytes, sizeof chat->info.id.bytes);
    chat->info.created_ms = info->created_ms;
    status = keep_info(chat, info, err);
    chat->info.leaf = 0;
    if (status == STATUS_OK)
        *out = chat;
    else
        vault_chat_close(chat);
    return status;
}

struct vault *
vault_of_chat(const struct vault_chat *chat)
{
    return chat->vault;
}

const struct chat_info *
vault_chat_info(const struct vault_chat *chat)
{
    return &chat->info;
}

const struct turn_record *
vault_chat_turns(const struct vault_chat *chat, size_t *count)
{
    *count = chat->info.turns;
    return chat->turns;
}

// -- reading one ------------------------------------------------------------

static enum status
load_turn(struct vault_chat *chat, const void *ref_bytes, struct error *err)
{
    struct row_ref ref = row_ref_read(ref_bytes);
    struct buffer body = {0};
    struct turn_record turn;
    enum status status;

    TRY(make_room(chat, err));
    status = vault_turn(&turn, &body, chat->vault, &chat->info.id, &ref, err);
    if (vault_forgives(chat->vault, status)) {
        buffer_release(&body);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = row_ref_append(&chat->refs, &ref, err);
    if (status == STATUS_OK)
        add_turn(chat, &body, &turn);
    buffer_release(&body);
    return status;
}

static enum status
load_chat(struct vault_chat *chat, const struct chat_entry *entry,
          struct error *err)
{
    struct buffer bytes = {0};
    struct chat_body body;
    enum status status = vault_manifest(&body, &bytes, chat->vault, entry, err);

    if (status == STATUS_OK)
        status = keep_info(chat, &body.info, err);
    if (status == STATUS_OK) {
        chat->info.id = entry->id;
        chat->info.created_ms = body.info.created_ms;
        chat->manifest = entry->manifest;
        chat->draft = body.draft;
    }
    for (size_t at = 0; status == STATUS_OK && at < body.turns.length;
         at += ROW_REF_BYTES)
        status = load_turn(chat, body.turns.bytes + at, err);
    buffer_release(&bytes);
    return status;
}

/* Its texts lie in *body, which stays empty where there is none. */
static enum status
read_draft(struct turn_record *turn, struct buffer *body,
           struct vault_chat *chat, struct error *err)
{
    struct vault *vault = chat->vault;
    struct row_ref ref = {.row = chat->draft,
                          .generation = chat->manifest.generation};
    bool found;

    TRY(vault_file_read(&vault->row, &found, vault->file, ref.row, err));
    if (!found)
        return STATUS_OK;
    TRY(vault_get(body, vault, ROW_DRAFT, &chat->info.id, &ref, err));
    TRY(turn_body_read(turn, body->data, body->length, err));
    turn->id = 0;
    turn->complete = false;
    return STATUS_OK;
}

/* A draft that a crash left is an incomplete answer. */
static enum status
take_draft(struct vault_chat *chat, struct error *err)
{
    struct buffer body = {0};
    struct turn_record turn;
    uint64_t id;
    enum status status = read_draft(&turn, &body, chat, err);

    if (status == STATUS_OK && body.length > 0)
        status = vault_chat_append(chat, &turn, &id, err);
    buffer_release(&body);
    return status;
}

/* A draft stays what it is. */
static enum status
open_chat(struct vault_chat **out, struct vault *vault,
          const struct chat_id *id, struct error *err)
{
    struct vault_chat *chat;
    struct chat_entry entry;
    struct entry_at at;
    enum status status;

    if (!vault_entry_find(&at, vault, id))
        return error_set(err, STATUS_FORMAT, "there is no chat of that id");
    entry = vault_entry(vault, at);
    TRY(chat_alloc(&chat, vault, err));
    status = load_chat(chat, &entry, err);
    if (status == STATUS_OK)
        *out = chat;
    else
        vault_chat_close(chat);
    return status;
}

enum status
vault_chat_open(struct vault_chat **out, struct vault *vault,
                const struct chat_id *id, struct error *err)
{
    struct vault_chat *chat;

    TRY(open_chat(&chat, vault, id, err));
    enum status status =
        vault->access == VAULT_WRITE ? take_draft(chat, err) : STATUS_OK;

    if (status == STATUS_OK)
        *out = chat;
    else
        vault_chat_close(chat);
    return status;
}

enum status
vault_chat_open_drafted(struct vault_chat **out, struct turn_record *draft,
                        struct buffer *body, struct vault *vault,
                        const struct chat_id *id, struct error *err)
{
    struct vault_chat *chat;

    TRY(open_chat(&chat, vault, id, err));
    enum status status = read_draft(draft, body, chat, err);

    if (status == STATUS_OK)
        *out = chat;
    else
        vault_chat_close(chat);
    return status;
}

// -- writing ----------------------------------------------------------------

/* What one transaction makes of a chat; taken over when it is committed. */
struct chat_change {
    struct row_ref manifest;
    uint64_t draft;
    struct chat_info info;
};

static struct chat_change
change_of(const struct vault_chat *chat)
{
    return (struct chat_change){chat->manifest, chat->draft, chat->info};
}

static enum status
changed_elsewhere(struct error *err)
{
    return error_set(err, STATUS_BUSY,
                     "the chat was changed or deleted since it was opened; "
                     "open it again");
}

/* Finds the chat's entry, or makes it with the rows that a chat has. */
static enum status
entry_for(struct entry_at *at, struct vault_chat *chat,
          struct chat_change *change, struct error *err)
{
    struct vault *vault = chat->vault;
    bool found = vault_entry_find(at, vault, &chat->info.id);
    struct chat_entry entry;

    if (found != (chat->manifest.row != 0))
        return changed_elsewhere(err);
    if (found) {
        entry = vault_entry(vault, *at);
        if (entry.manifest.generation != chat->manifest.generation)
            return changed_elsewhere(err);
        return STATUS_OK;
    }
    change->manifest.row = vault->next_row++;
    change->draft = vault->next_row++;
    entry = (struct chat_entry){chat->info.id, change->manifest, 0};
    return vault_entry_add(at, vault, &entry, err);
}

static enum status
put_manifest(struct vault_chat *chat, struct chat_change *change,
             struct entry_at at, struct text refs, struct error *err)
{
    struct vault *vault = chat->vault;
    struct chat_body body = {change->info, change->draft, refs};
    struct chat_entry entry;

    buffer_clear(&vault->body);
    TRY(chat_body_write(&vault->body, &body, err));
    TRY(vault_put(vault, ROW_CHAT, &chat->info.id, &change->manifest, err));
    entry = (struct chat_entry){chat->info.id, change->manifest,
                                change->info.used_ms};
    vault_entry_set(vault, at, &entry);
    return vault_put_shard(vault, at.shard, err);
}

static void
take_change(struct vault_chat *chat, const struct chat_change *change)
{
    chat->manifest = change->manifest;
    chat->draft = change->draft;
}

/* Within a transaction: one more turn; *refs is the list with it. */
static enum status
put_turn(struct vault_chat *chat, const struct turn_record *turn,
         struct row_ref *ref, struct buffer *body, struct error *err)
{
    struct vault *vault = chat->vault;

    *ref = (struct row_ref){.row = vault->next_row++};
    TRY(turn_body_write(body, turn, err));
    buffer_clear(&vault->body);
    TRY(buffer_append(&vault->body, body->data, body->length, err));
    TRY(vault_put(vault, ROW_TURN, &chat->info.id, ref, err));
    if (chat->draft == 0)
        return STATUS_OK;
    return vault_file_remove(vault->file, chat->draft, err);
}

/* All of an append that may fail, within a transaction. */
static enum status
append_rows(struct vault_chat *chat, struct chat_change *change,
            const struct turn_record *turn, struct row_ref *ref,
            struct buffer *body, struct error *err)
{
    struct buffer *refs = &chat->refs;
    struct entry_at at;
    enum status status;

    TRY(entry_for(&at, chat, change, err));
    TRY(put_turn(chat, turn, ref, body, err));
    change->info.leaf = ref->row;
    change->info.used_ms = turn->time_ms;
    if (turn->role == TURN_ANSWER && turn->origin.model.length > 0)
        change->info.model = turn->origin.model;
    TRY(row_ref_append(refs, ref, err));
    status = put_manifest(chat, change, at,
                          (struct text){refs->data, refs->length}, err);
    refs->length -= ROW_REF_BYTES; // counts only when it is committed
    return status;
}

enum status
vault_chat_append(struct vault_chat *chat, const struct turn_record *turn,
                  uint64_t *id, struct error *err)
{
    struct chat_change change = change_of(chat);
    struct buffer body = {0}, model = {0};
    struct turn_record kept = {0};
    struct row_ref ref = {0};
    enum status status;

    if (!turn_texts_valid(turn))
        return error_set(err, STATUS_FORMAT, "a turn's text is not UTF-8");
    TRY(make_room(chat, err));
    TRY(vault_begin(chat->vault, err));
    status = append_rows(chat, &change, turn, &ref, &body, err);
    if (status == STATUS_OK)
        status = turn_body_read(&kept, body.data, body.length, err);
    if (status == STATUS_OK)
        status = buffer_append(&model, change.info.model.bytes,
                               change.info.model.length, err);
    status = vault_end(chat->vault, status, err);
    if (status == STATUS_OK) {
        take_change(chat, &change);
        status = row_ref_append(&chat->refs, &ref, err); // has its room
        kept.id = *id = ref.row;
        chat->info.leaf = change.info.leaf;
        chat->info.used_ms = change.info.used_ms;
        buffer_release(&chat->texts.model);
        chat->texts.model = model;
        chat->info.model = (struct text){model.data, model.length};
        add_turn(chat, &body, &kept);
        return status;
    }
    buffer_release(&model);
    buffer_release(&body);
    return status;
}

// -- a whole one ------------------------------------------------------------

/* The turn's id that stands for its place; 0: none. */
static uint64_t
placed(const struct vault_chat *chat, uint64_t place)
{
    assert(place * ROW_REF_BYTES <= chat->refs.length);
    return place > 0
               ? row_ref_read(chat->refs.data + (place - 1) * ROW_REF_BYTES).row
               : 0;
}

static enum status
import_turn(struct vault_chat *chat, const struct turn_record *turn,
            struct buffer *body, struct error *err)
{
    struct turn_record kept = *turn;
    struct row_ref ref;

    if (!turn_texts_valid(turn))
        return error_set(err, STATUS_FORMAT, "a turn's text is not UTF-8");
    kept.parent = placed(chat, turn->parent);
    buffer_clear(body);
    TRY(put_turn(chat, &kept, &ref, body, err));
    return row_ref_append(&chat->refs, &ref, err);
}

static enum status
import_rows(struct vault_chat *chat, const struct chat_info *info,
            const struct turn_record *turns, size_t count, struct error *err)
{
    struct chat_change change = change_of(chat);
    struct buffer body = {0};
    struct entry_at at;
    enum status status = entry_for(&at, chat, &change, err);

    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = import_turn(chat, &turns[i], &body, err);
    buffer_release(&body);
    TRY(status);
    change.info.leaf = placed(chat, info->leaf);
    return put_manifest(chat, &change, at,
                        (struct text){chat->refs.data, chat->refs.length}, err);
}

enum status
vault_import_chat(struct vault *vault, const struct chat_info *info,
                  const struct turn_record *turns, size_t count,
                  struct error *err)
{
    struct vault_chat *chat;

    TRY(vault_chat_begin(&chat, vault, info, err));
    enum status status = vault_begin(vault, err);

    if (status == STATUS_OK)
        status =
            vault_end(vault, import_rows(chat, info, turns, count, err), err);
    vault_chat_close(chat);
    return status;
}

/* Writes the manifest with `info`, which the chat does not have yet. */
static enum status
write_info(struct vault_chat *chat, const struct chat_info *info,
           struct error *err)
{
    struct chat_change change = change_of(chat);
    struct entry_at at = {0, 0};
    enum status status;

    change.info = *info;
    TRY(vault_begin(chat->vault, err));
    status = entry_for(&at, chat, &change, err);
    if (status == STATUS_OK)
        status = put_manifest(chat, &change, at,
                              (struct text){chat->refs.data, chat->refs.length},
                              err);
    // the draft is bound to the former manifest
    if (status == STATUS_OK)
        status = vault_file_remove(chat->vault->file, chat->draft, err);
    status = vault_end(chat->vault, status, err);
    if (status == STATUS_OK)
        take_change(chat, &change);
    return status;
}

enum status
vault_chat_update(struct vault_chat *chat, const struct chat_info *info,
                  struct error *err)
{
    struct info_texts texts;
    enum status status = STATUS_OK;

    // copied before anything is written: info may lend the chat's own texts
    TRY(texts_copy(&texts, info, err));
    if (chat->manifest.row != 0)
        status = write_info(chat, info, err);
    if (status == STATUS_OK)
        take_info(chat, &texts, info);
    else
        texts_release(&texts);
    return status;
}

enum status
vault_chat_draft(struct vault_chat *chat, const struct turn_record *partial,
                 struct error *err)
{
    struct vault *vault = chat->vault;
    struct row_ref ref = {.row = chat->draft,
                          .generation = chat->manifest.generation};

    assert(chat->manifest.row != 0); // a question comes before its answer
    if (vault->access != VAULT_WRITE)
        return error_set(err, STATUS_DENIED,
                         "the vault was opened for reading only");
    buffer_clear(&vault->body);
    TRY(turn_body_write(&vault->body, partial, err));
    TRY(row_seal(&vault->row, vault->keys, ROW_DRAFT, &chat->info.id, &ref,
                 vault->body.data, vault->body.length, err));
    return vault_file_write(vault->file, ref.row, vault->row.data,
                            vault->row.length, err);
}

// -- deleting ---------------------------------------------------------------

static enum status
delete_rows(struct vault *vault, const struct chat_entry *entry,
            struct error *err)
{
    struct buffer bytes = {0};
    struct chat_body body;
    enum status status = vault_manifest(&body, &bytes, vault, entry, err);

    for (size_t at = 0; status == STATUS_OK && at < body.turns.length;
         at += ROW_REF_BYTES)
        status = vault_file_remove(
            vault->file, row_ref_read(body.turns.bytes + at).row, err);
    if (status == STATUS_OK)
        status = vault_file_remove(vault->file, body.draft, err);
    if (status == STATUS_OK)
        status = vault_file_remove(vault->file, entry->manifest.row, err);
    if (status == STATUS_OK)
        status = vault_cache_drop(vault, &entry->id, err);
    buffer_release(&bytes);
    return status;
}

enum status
vault_delete_chat(struct vault *vault, const struct chat_id *id,
                  struct error *err)
{
    struct chat_entry entry;
    struct entry_at at;
    enum status status;

    if (!vault_entry_find(&at, vault, id))
        return error_set(err, STATUS_FORMAT, "there is no chat of that id");
    entry = vault_entry(vault, at);
    TRY(vault_begin(vault, err));
    status = delete_rows(vault, &entry, err);
    if (status == STATUS_OK) {
        vault_entry_drop(vault, at);
        status = vault_put_shard(vault, at.shard, err);
    }
    if (status == STATUS_OK)
        status = vault_audit_put(vault, clock_wall_ms(), "delete", "", err);
    return vault_end(vault, status, err);
}

enum status
vault_compact(struct vault *vault, struct error *err)
{
    return vault_file_compact(vault->file, err);
}
