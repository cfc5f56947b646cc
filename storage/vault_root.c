/* Roots, shards, transactions, and the anchor after them. */
#include "config.h"

#include "storage/vault_root.h"
#include "storage/little_endian.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SHOWN = 300 };

enum status
vault_path(char out[PATH_MAX], const char *folder, const char *name,
           struct error *err)
{
    int length = snprintf(out, PATH_MAX, "%s/%s", folder, name);

    if (length < 0 || length >= PATH_MAX - 32)
        return error_set(err, STATUS_LIMIT,
                         "the path of the vault's folder is too long");
    return STATUS_OK;
}

enum status
vault_alarm(const struct vault *vault, const char *what, struct error *err)
{
    char shown[PATH_SHOWN];

    return error_set(
        err, STATUS_INTEGRITY,
        "%s: %s; fathom vault check tells what is whole, fathom vault repair "
        "saves it, fathom vault restore brings a backup back",
        text_quote(shown, sizeof shown, vault->data, strlen(vault->data)),
        what);
}

// -- rows -------------------------------------------------------------------

/* Does anything name the tag of such a row? */
static bool
vouched(enum row_kind kind, uint64_t row)
{
    return kind != ROW_ROOT && kind != ROW_DRAFT &&
           (row < MIRROR_ROWS || row >= CACHE_ROWS);
}

enum status
vault_get(struct buffer *out, struct vault *vault, enum row_kind kind,
          const struct chat_id *chat, const struct row_ref *ref,
          struct error *err)
{
    char what[128];
    bool found;
    enum status status;

    buffer_clear(out);
    TRY(vault_file_read(&vault->row, &found, vault->file, ref->row, err));
    if (!found) {
        snprintf(what, sizeof what, "row %" PRIu64 " is missing", ref->row);
        return vault_alarm(vault, what, err);
    }
    status = row_open(out, vault->keys, kind, chat, ref,
                      vouched(kind, ref->row), &vault->row, err);
    if (status == STATUS_INTEGRITY) {
        snprintf(what, sizeof what,
                 "row %" PRIu64 " was changed or is not where it belongs",
                 ref->row);
        return vault_alarm(vault, what, err);
    }
    return status;
}

bool
vault_forgives(const struct vault *vault, enum status status)
{
    return vault->access == VAULT_READ &&
           (status == STATUS_INTEGRITY || status == STATUS_FORMAT);
}

/* Bytes that were sealed by us and are no body: a fault of a fathom. */
static enum status
body_alarm(const struct vault *vault, uint64_t row, struct error *err)
{
    char what[128];

    snprintf(what, sizeof what, "row %" PRIu64 " holds something unknown", row);
    return vault_alarm(vault, what, err);
}

enum status
vault_manifest(struct chat_body *out, struct buffer *bytes, struct vault *vault,
               const struct chat_entry *entry, struct error *err)
{
    TRY(vault_get(bytes, vault, ROW_CHAT, &entry->id, &entry->manifest, err));
    if (chat_body_read(out, bytes->data, bytes->length, err) != STATUS_OK)
        return body_alarm(vault, entry->manifest.row, err);
    out->info.id = entry->id;
    out->info.turns = (uint32_t) (out->turns.length / ROW_REF_BYTES);
    return STATUS_OK;
}

enum status
vault_turn(struct turn_record *out, struct buffer *bytes, struct vault *vault,
           const struct chat_id *chat, const struct row_ref *ref,
           struct error *err)
{
    TRY(vault_get(bytes, vault, ROW_TURN, chat, ref, err));
    if (turn_body_read(out, bytes->data, bytes->length, err) != STATUS_OK)
        return body_alarm(vault, ref->row, err);
    out->id = ref->row;
    return STATUS_OK;
}

// -- loading ----------------------------------------------------------------

void
vault_root_release(struct vault *vault)
{
    for (size_t i = 0; i < vault->chats_used; i++)
        buffer_release(&vault->chats[i]);
    free(vault->chats);
    vault->chats = NULL;
    vault->chats_used = vault->chats_room = 0;
    buffer_release(&vault->shards);
    buffer_release(&vault->inputs);
    buffer_release(&vault->audits);
    memset(&vault->caches, 0, sizeof vault->caches);
    memset(&vault->taken, 0, sizeof vault->taken);
}

static enum status
add_shard_list(struct vault *vault, struct error *err)
{
    if (vault->chats_used == vault->chats_room) {
        size_t room = vault->chats_room == 0 ? 8 : 2 * vault->chats_room;
        void *memory;

        TRY(memory_alloc(&memory, room * sizeof *vault->chats, err));
        if (vault->chats_used > 0)
            memcpy(memory, vault->chats,
                   vault->chats_used * sizeof *vault->chats);
        free(vault->chats);
        vault->chats = memory;
        vault->chats_room = room;
    }
    vault->chats[vault->chats_used++] = (struct buffer){0};
    return STATUS_OK;
}

static enum status
take_root(struct vault *vault, const struct root_body *body, struct error *err)
{
    vault->counter = body->counter;
    vault->next_row = body->next_row;
    vault->written_ms = body->written_ms;
    memset(vault->previous, 0, sizeof vault->previous);
    if (body->previous.length > 0)
        memcpy(vault->previous, body->previous.bytes, sizeof vault->previous);
    if (body->caches.length > 0)
        vault->caches = row_ref_read(body->caches.bytes);
    if (body->taken.length > 0)
        vault->taken = row_ref_read(body->taken.bytes);
    TRY(buffer_append(&vault->shards, body->shards.bytes, body->shards.length,
                      err));
    TRY(buffer_append(&vault->inputs, body->inputs.bytes, body->inputs.length,
                      err));
    return buffer_append(&vault->audits, body->audits.bytes,
                         body->audits.length, err);
}

/* A row that a damaged page hides is as lost as one that was changed. */
static bool
lost(enum status status)
{
    return status == STATUS_INTEGRITY || status == STATUS_FORMAT;
}

static enum status
load_root(struct vault *vault, bool tolerant, struct error *err)
{
    struct row_ref ref = {.row = ROOT_ROW};
    struct root_body body;
    enum status status =
        vault_get(&vault->body, vault, ROW_ROOT, NULL, &ref, err);

    if (lost(status) && tolerant) {
        ref.row += MIRROR_ROWS;
        status = vault_get(&vault->body, vault, ROW_ROOT, NULL, &ref, err);
    }
    if (status != STATUS_OK)
        return status;
    row_keys_anchor_mac(vault->root_mac, vault->keys, vault->row.data,
                        vault->row.length);
    if (root_body_read(&body, vault->body.data, vault->body.length, err) !=
        STATUS_OK)
        return body_alarm(vault, ref.row, err);
    return take_root(vault, &body, err);
}

static enum status
load_shard(struct vault *vault, size_t i, bool tolerant, struct error *err)
{
    struct row_ref ref = row_ref_at(&vault->shards, i);
    struct shard_body body = {0};
    enum status status =
        vault_get(&vault->body, vault, ROW_SHARD, NULL, &ref, err);

    if (lost(status) && tolerant) {
        ref.row += MIRROR_ROWS;
        status = vault_get(&vault->body, vault, ROW_SHARD, NULL, &ref, err);
        if (lost(status)) {
            vault->shards_lost++;
            return STATUS_OK;
        }
    }
    if (status != STATUS_OK)
        return status;
    if (shard_body_read(&body, vault->body.data, vault->body.length, err) !=
        STATUS_OK)
        return body_alarm(vault, ref.row, err);
    return buffer_append(&vault->chats[i], body.chats.bytes, body.chats.length,
                         err);
}

enum status
vault_root_load(struct vault *vault, bool tolerant, struct error *err)
{
    vault_root_release(vault);
    vault->shards_lost = 0;
    TRY(load_root(vault, tolerant, err));
    for (size_t i = 0; i < row_ref_count(&vault->shards); i++) {
        TRY(add_shard_list(vault, err));
        TRY(load_shard(vault, i, tolerant, err));
    }
    return STATUS_OK;
}

// -- the anchor -------------------------------------------------------------

static void
remark(struct vault *vault, const char *text)
{
    snprintf(vault->remark, sizeof vault->remark, "%s", text);
}

enum status
vault_anchor_check(struct vault *vault, struct error *err)
{
    struct anchor anchor;
    bool found;

    TRY(anchor_read(&anchor, &found, vault->state, row_keys_vault(vault->keys),
                    vault->keys, err));
    if (!found) {
        remark(vault, "this machine has not seen this vault before, so it "
                      "cannot tell whether the copy is the newest one");
        return STATUS_OK;
    }
    if (vault->counter < anchor.counter)
        return vault_alarm(vault,
                           "this is an older copy of the vault than the one "
                           "that was used here last",
                           err);
    if (vault->counter > anchor.counter + 1) {
        remark(vault, "the vault was used elsewhere since this machine saw it "
                      "last");
        return STATUS_OK;
    }
    const uint8_t *mac =
        vault->counter == anchor.counter ? vault->root_mac : vault->previous;
    if (!secret_equal(mac, anchor.root_mac, ROOT_MAC_BYTES))
        return vault_alarm(vault,
                           "this copy of the vault went its own way since "
                           "this machine saw it last",
                           err);
    return STATUS_OK;
}

enum status
vault_anchor_renew(struct vault *vault, struct error *err)
{
    struct anchor anchor = {.counter = vault->counter};

    memcpy(anchor.root_mac, vault->root_mac, sizeof anchor.root_mac);
    memcpy(anchor.sealing, vault->sealing, sizeof anchor.sealing);
    return anchor_write(&anchor, vault->state, vault->keys, err);
}

// -- transactions -----------------------------------------------------------

enum status
vault_begin(struct vault *vault, struct error *err)
{
    if (vault->broken != STATUS_OK)
        return error_set(err, vault->broken,
                         "the vault could not be read again after a failure; "
                         "open it anew");
    if (vault->access != VAULT_WRITE)
        return error_set(err, STATUS_DENIED,
                         "the vault was opened for reading only");
    if (vault->batch_failed)
        return error_set(err, STATUS_IO,
                         "something before failed, so nothing of this is kept");
    return vault->batch ? STATUS_OK : vault_file_begin(vault->file, err);
}

static enum status
write_sealed(struct vault *vault, enum row_kind kind,
             const struct chat_id *chat, struct row_ref *ref, struct error *err)
{
    TRY(row_seal(&vault->row, vault->keys, kind, chat, ref, vault->body.data,
                 vault->body.length, err));
    return vault_file_write(vault->file, ref->row, vault->row.data,
                            vault->row.length, err);
}

enum status
vault_put(struct vault *vault, enum row_kind kind, const struct chat_id *chat,
          struct row_ref *ref, struct error *err)
{
    assert(ref->row != 0);
    ref->generation++;
    return write_sealed(vault, kind, chat, ref, err);
}

/* A row and its mirror, which nothing vouches for but its place. */
static enum status
write_twice(struct vault *vault, enum row_kind kind, struct row_ref *ref,
            struct error *err)
{
    struct row_ref mirror = *ref;

    mirror.row += MIRROR_ROWS;
    TRY(write_sealed(vault, kind, NULL, &mirror, err));
    return write_sealed(vault, kind, NULL, ref, err);
}

enum status
vault_put_shard(struct vault *vault, size_t shard, struct error *err)
{
    struct row_ref ref = row_ref_at(&vault->shards, shard);
    struct shard_body body = {
        {vault->chats[shard].data, vault->chats[shard].length}};

    buffer_clear(&vault->body);
    TRY(shard_body_write(&vault->body, &body, err));
    ref.generation++;
    TRY(write_twice(vault, ROW_SHARD, &ref, err));
    row_ref_set(&vault->shards, shard, &ref);
    return STATUS_OK;
}

static struct text
one_ref(uint8_t bytes[ROW_REF_BYTES], const struct row_ref *ref)
{
    struct text text = {NULL, 0};

    if (ref->row == 0)
        return text;
    row_ref_write(bytes, ref);
    text.bytes = (const char *) bytes;
    text.length = ROW_REF_BYTES;
    return text;
}

static enum status
put_root(struct vault *vault, struct error *err)
{
    uint8_t caches[ROW_REF_BYTES], taken[ROW_REF_BYTES];
    struct row_ref ref = {.row = ROOT_ROW};
    struct root_body body = {
        .counter = ++vault->counter,
        .previous = {(const char *) vault->root_mac, ROOT_MAC_BYTES},
        .next_row = vault->next_row,
        .written_ms = vault->written_ms = clock_wall_ms(),
        .shards = {vault->shards.data, vault->shards.length},
        .inputs = {vault->inputs.data, vault->inputs.length},
        .audits = {vault->audits.data, vault->audits.length},
        .caches = one_ref(caches, &vault->caches),
        .taken = one_ref(taken, &vault->taken),
    };

    buffer_clear(&vault->body);
    TRY(root_body_write(&vault->body, &body, err));
    TRY(write_twice(vault, ROW_ROOT, &ref, err));
    memcpy(vault->previous, vault->root_mac, sizeof vault->previous);
    row_keys_anchor_mac(vault->root_mac, vault->keys, vault->row.data,
                        vault->row.length);
    return STATUS_OK;
}

void
vault_rollback(struct vault *vault)
{
    struct error ignored;

    vault_file_rollback(vault->file);
    vault->broken = vault_root_load(vault, false, &ignored);
}

enum status
vault_commit(struct vault *vault, struct error *err)
{
    struct error later;
    enum status status = put_root(vault, err);

    if (status == STATUS_OK)
        status = vault_file_commit(vault->file, err);
    if (status != STATUS_OK) {
        vault_rollback(vault);
        return status;
    }
    // the rows are on the disk: an anchor that lags by one is made good by the
    // next transaction, and said until then
    if (!vault->no_anchor && vault_anchor_renew(vault, &later) != STATUS_OK)
        snprintf(vault->remark, sizeof vault->remark, "%s", later.text);
    return STATUS_OK;
}

enum status
vault_end(struct vault *vault, enum status status, struct error *err)
{
    if (vault->batch) {
        vault->batch_failed = status != STATUS_OK;
        return status;
    }
    if (status == STATUS_OK)
        return vault_commit(vault, err);
    vault_rollback(vault);
    return status;
}

enum status
vault_batch_begin(struct vault *vault, struct error *err)
{
    assert(!vault->batch);
    TRY(vault_begin(vault, err));
    vault->batch = true;
    return STATUS_OK;
}

enum status
vault_batch_end(struct vault *vault, struct error *err)
{
    bool failed = vault->batch_failed;

    assert(vault->batch);
    vault->batch = vault->batch_failed = false;
    if (!failed)
        return vault_commit(vault, err);
    vault_rollback(vault);
    return error_set(err, STATUS_IO,
                     "something of it failed, so nothing of it was kept");
}

// -- entries ----------------------------------------------------------------

static size_t
shard_chats(const struct vault *vault, size_t shard)
{
    return vault->chats[shard].length / SHARD_ENTRY_BYTES;
}

size_t
vault_chat_count(const struct vault *vault)
{
    size_t count = 0;

    for (size_t s = 0; s < vault->chats_used; s++)
        count += shard_chats(vault, s);
    return count;
}

static char *
entry_bytes(const struct vault *vault, struct entry_at at)
{
    return vault->chats[at.shard].data + at.i * SHARD_ENTRY_BYTES;
}

bool
vault_entry_find(struct entry_at *out, const struct vault *vault,
                 const struct chat_id *id)
{
    for (size_t s = 0; s < vault->chats_used; s++)
        for (size_t i = 0; i < shard_chats(vault, s); i++) {
            struct entry_at at = {s, i};

            if (memcmp(entry_bytes(vault, at), id->bytes, sizeof id->bytes) !=
                0)
                continue;
            *out = at;
            return true;
        }
    return false;
}

struct chat_entry
vault_entry(const struct vault *vault, struct entry_at at)
{
    const char *bytes = entry_bytes(vault, at);
    struct chat_entry entry;

    memcpy(entry.id.bytes, bytes, sizeof entry.id.bytes);
    entry.manifest = row_ref_read(bytes + 16);
    entry.used_ms = get_u64(bytes + 48);
    return entry;
}

static void
write_entry(char out[SHARD_ENTRY_BYTES], const struct chat_entry *entry)
{
    memcpy(out, entry->id.bytes, sizeof entry->id.bytes);
    row_ref_write((uint8_t *) out + 16, &entry->manifest);
    put_u64(out + 48, entry->used_ms);
}

void
vault_entry_set(struct vault *vault, struct entry_at at,
                const struct chat_entry *entry)
{
    write_entry(entry_bytes(vault, at), entry);
}

static enum status
shard_with_room(size_t *out, struct vault *vault, struct error *err)
{
    struct row_ref ref = {.row = vault->next_row};

    for (*out = 0; *out < vault->chats_used; ++*out)
        if (shard_chats(vault, *out) < SHARD_CHATS)
            return STATUS_OK;
    TRY(row_ref_append(&vault->shards, &ref, err));
    vault->next_row++;
    return add_shard_list(vault, err);
}

enum status
vault_entry_add(struct entry_at *out, struct vault *vault,
                const struct chat_entry *entry, struct error *err)
{
    char bytes[SHARD_ENTRY_BYTES];

    TRY(shard_with_room(&out->shard, vault, err));
    out->i = shard_chats(vault, out->shard);
    write_entry(bytes, entry);
    return buffer_append(&vault->chats[out->shard], bytes, sizeof bytes, err);
}

void
vault_entry_drop(struct vault *vault, struct entry_at at)
{
    struct buffer *list = &vault->chats[at.shard];
    char *bytes = entry_bytes(vault, at);
    size_t behind =
        (size_t) (list->data + list->length - bytes) - SHARD_ENTRY_BYTES;

    memmove(bytes, bytes + SHARD_ENTRY_BYTES, behind);
    list->length -= SHARD_ENTRY_BYTES;
}

static int
by_use(const void *a, const void *b)
{
    const struct chat_entry *x = a, *y = b;

    if (x->used_ms != y->used_ms)
        return x->used_ms < y->used_ms ? 1 : -1;
    // of the same moment, the one that was written later comes first
    return x->manifest.row < y->manifest.row ? 1 : -1;
}

enum status
vault_entries(struct chat_entry **out, size_t *count, const struct vault *vault,
              struct error *err)
{
    void *memory;
    size_t n = 0;

    *count = vault_chat_count(vault);
    TRY(memory_alloc(&memory, (*count + 1) * sizeof **out, err));
    *out = memory;
    for (size_t s = 0; s < vault->chats_used; s++)
        for (size_t i = 0; i < shard_chats(vault, s); i++)
            (*out)[n++] = vault_entry(vault, (struct entry_at){s, i});
    qsort(*out, n, sizeof **out, by_use);
    return STATUS_OK;
}
