/* Sealing items without a key, and taking them in with one. */
#include "config.h"

#include "storage/inbox.h"
#include "storage/little_endian.h"
#include "storage/safe_file.h"
#include "storage/vault_audit.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ID_BYTES = 16,
    NAME_DIGITS = 2 * ID_BYTES,
    NAME_BYTES = NAME_DIGITS + 6, // ".seal" and NUL
    HEAD_BYTES = 8,
    PATH_SHOWN = 300,
};

static const char MAGIC[HEAD_BYTES] = {'f', 'a', 't', 'h', 'o', 'm', '-', 'i'};
static const char SUFFIX[] = ".seal";

// -- the folder -------------------------------------------------------------

static bool
is_item(const char *name)
{
    return strlen(name) == NAME_BYTES - 1 &&
           strspn(name, "0123456789abcdef") == NAME_DIGITS &&
           strcmp(name + NAME_DIGITS, SUFFIX) == 0;
}

struct inbox_names {
    char (*names)[NAME_BYTES];
    size_t count;
    uint64_t bytes;
    size_t more; // items beyond those that are taken at once
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void
add_name(struct inbox_names *list, const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat info;

    if (!is_item(name))
        return;
    if (list->count == INBOX_ITEMS) {
        list->more++;
        return;
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (lstat(path, &info) == 0)
        list->bytes += (uint64_t) info.st_size;
    snprintf(list->names[list->count++], NAME_BYTES, "%s", name);
}

/* What is there, in an order; the caller frees list->names. */
static enum status
list_inbox(struct inbox_names *list, const char *folder, struct error *err)
{
    void *memory;
    DIR *open;
    struct dirent *entry;
    char shown[PATH_SHOWN];

    *list = (struct inbox_names){0};
    open = opendir(folder);
    if (open == NULL && errno == ENOENT)
        return STATUS_OK;
    if (open == NULL)
        return error_errno(
            err, "cannot look into %s",
            text_quote(shown, sizeof shown, folder, strlen(folder)));
    if (memory_alloc(&memory, INBOX_ITEMS * sizeof *list->names, err) !=
        STATUS_OK) {
        closedir(open);
        return STATUS_NOMEM;
    }
    list->names = memory;
    while ((entry = readdir(open)) != NULL)
        add_name(list, folder, entry->d_name);
    closedir(open);
    qsort(list->names, list->count, sizeof *list->names, by_name);
    return STATUS_OK;
}

// -- putting ----------------------------------------------------------------

/* The key to seal for, as this machine remembers it. */
static enum status
sealing_key(uint8_t vault[VAULT_ID_BYTES], uint8_t key[32],
            const struct vault_places *at, struct error *err)
{
    char path[PATH_MAX];
    struct vault_keys *keys;
    struct anchor anchor;
    bool found = false;
    enum status status;

    TRY(vault_path(path, at->data, "vault.keys", err));
    TRY(vault_keys_open(&keys, path, err));
    memcpy(vault, vault_keys_id(keys), VAULT_ID_BYTES);
    memcpy(key, vault_keys_sealing(keys), 32);
    vault_keys_close(keys);
    status = anchor_read(&anchor, &found, at->state, vault, NULL, err);
    if (status == STATUS_OK && !found)
        return error_set(err, STATUS_DENIED,
                         "this machine has not opened the vault yet, so it "
                         "cannot tell whether vault.keys is yours; unlock it "
                         "once");
    if (status == STATUS_OK && memcmp(anchor.sealing, key, 32) != 0)
        return error_set(err, STATUS_INTEGRITY,
                         "the key in vault.keys is not the one that this "
                         "machine remembers: nothing is sealed with it");
    return status;
}

static enum status
append_turn(struct buffer *plain, const struct turn_record *turn,
            struct error *err)
{
    struct buffer body = {0};
    enum status status = turn_body_write(&body, turn, err);

    if (status == STATUS_OK)
        status =
            items_append(plain, (struct text){body.data, body.length}, err);
    buffer_release(&body);
    return status;
}

static enum status
seal_item(struct buffer *sealed, const struct buffer *plain,
          const uint8_t key[32], struct error *err)
{
    size_t bytes = plain->length + crypto_box_SEALBYTES;

    TRY(buffer_append(sealed, MAGIC, HEAD_BYTES, err));
    TRY(buffer_reserve(sealed, bytes, err));
    if (crypto_box_seal((uint8_t *) sealed->data + HEAD_BYTES,
                        (const uint8_t *) plain->data, plain->length, key) != 0)
        return error_set(err, STATUS_INTEGRITY,
                         "the key in vault.keys is no key");
    sealed->length += bytes;
    if (sealed->length > INBOX_ITEM_BYTES)
        return error_set(err, STATUS_LIMIT,
                         "the answer is too long for the inbox (%d MiB)",
                         INBOX_ITEM_BYTES >> 20);
    return STATUS_OK;
}

static enum status
check_room(const char *folder, size_t bytes, struct error *err)
{
    struct inbox_names list;

    TRY(list_inbox(&list, folder, err));
    free(list.names);
    if (list.count < INBOX_ITEMS && list.bytes + bytes <= INBOX_BYTES)
        return STATUS_OK;
    return error_set(err, STATUS_LIMIT,
                     "the inbox is full (%d items or %d MiB); unlock the vault "
                     "to empty it",
                     INBOX_ITEMS, INBOX_BYTES >> 20);
}

static enum status
write_item(const char *folder, const uint8_t id[ID_BYTES],
           const struct buffer *sealed, struct error *err)
{
    char digits[NAME_DIGITS + 1], name[NAME_BYTES], path[PATH_MAX];

    sodium_bin2hex(digits, sizeof digits, id, ID_BYTES);
    snprintf(name, sizeof name, "%s%s", digits, SUFFIX);
    TRY(vault_path(path, folder, name, err));
    TRY(check_room(folder, sealed->length, err));
    return safe_file_write(path, sealed->data, sealed->length, false, err);
}

enum status
inbox_put(const struct vault_places *at, const struct turn_record *question,
          const struct turn_record *answer, struct error *err)
{
    uint8_t vault[VAULT_ID_BYTES], key[32], id[ID_BYTES];
    char folder[PATH_MAX];
    struct buffer plain = {0}, sealed = {0};
    enum status status;

    TRY(secret_start(err));
    TRY(sealing_key(vault, key, at, err));
    TRY(vault_path(folder, at->data, "inbox", err));
    TRY(safe_folder_make(folder, err));
    randombytes_buf(id, sizeof id);
    status = buffer_append(&plain, vault, sizeof vault, err);
    if (status == STATUS_OK)
        status = buffer_append(&plain, id, sizeof id, err);
    if (status == STATUS_OK)
        status = append_turn(&plain, question, err);
    if (status == STATUS_OK)
        status = append_turn(&plain, answer, err);
    if (status == STATUS_OK)
        status = seal_item(&sealed, &plain, key, err);
    if (status == STATUS_OK)
        status = write_item(folder, id, &sealed, err);
    buffer_release(&plain);
    buffer_release(&sealed);
    return status;
}

// -- taking -----------------------------------------------------------------

struct taking {
    struct vault *vault;
    char folder[PATH_MAX];
    uint8_t public_key[32];
    struct secret *private_key;
    struct buffer taken; // ids
    size_t *count, *refused;
};

static enum status
load_taken(struct taking *taking, struct error *err)
{
    struct vault *vault = taking->vault;

    if (vault->taken.row == 0)
        return STATUS_OK;
    return vault_get(&taking->taken, vault, ROW_TAKEN, NULL, &vault->taken,
                     err);
}

static bool
was_taken(const struct taking *taking, const uint8_t id[ID_BYTES])
{
    for (size_t at = 0; at + ID_BYTES <= taking->taken.length; at += ID_BYTES)
        if (memcmp(taking->taken.data + at, id, ID_BYTES) == 0)
            return true;
    return false;
}

/* Opens the seal; false for junk. */
static bool
open_seal(struct buffer *plain, const struct taking *taking,
          const struct buffer *sealed)
{
    struct error ignored;
    size_t around = HEAD_BYTES + crypto_box_SEALBYTES;

    if (sealed->length < around + 2 * ID_BYTES ||
        memcmp(sealed->data, MAGIC, HEAD_BYTES) != 0)
        return false;
    if (buffer_reserve(plain, sealed->length - around, &ignored) != STATUS_OK)
        return false;
    if (crypto_box_seal_open((uint8_t *) plain->data,
                             (const uint8_t *) sealed->data + HEAD_BYTES,
                             sealed->length - HEAD_BYTES, taking->public_key,
                             secret_bytes(taking->private_key)) != 0)
        return false;
    plain->length = sealed->length - around;
    return memcmp(plain->data, row_keys_vault(taking->vault->keys),
                  VAULT_ID_BYTES) == 0;
}

struct inbox_item {
    uint8_t id[ID_BYTES];
    struct turn_record question, answer; // borrow from the opened seal
};

static bool
parse_item(struct inbox_item *out, const struct buffer *plain)
{
    struct text list = {plain->data + 2 * ID_BYTES,
                        plain->length - 2 * ID_BYTES};
    struct error ignored;
    struct text question, answer, none;

    memcpy(out->id, plain->data + VAULT_ID_BYTES, ID_BYTES);
    if (!items_whole(list) || !items_next(&question, &list) ||
        !items_next(&answer, &list) || items_next(&none, &list))
        return false;
    return turn_body_read(&out->question, question.bytes, question.length,
                          &ignored) == STATUS_OK &&
           turn_body_read(&out->answer, answer.bytes, answer.length,
                          &ignored) == STATUS_OK &&
           turn_texts_valid(&out->question) && turn_texts_valid(&out->answer);
}

/* Remembers the id, so that a replay is not taken when the chat is gone. */
static enum status
remember(struct taking *taking, const uint8_t id[ID_BYTES], struct error *err)
{
    struct vault *vault = taking->vault;
    enum status status;

    if (taking->taken.length >= INBOX_TAKEN * ID_BYTES)
        buffer_drop(&taking->taken, ID_BYTES);
    TRY(buffer_append(&taking->taken, id, ID_BYTES, err));
    TRY(vault_begin(vault, err));
    if (vault->taken.row == 0)
        vault->taken.row = vault->next_row++;
    buffer_clear(&vault->body);
    status = buffer_append(&vault->body, taking->taken.data,
                           taking->taken.length, err);
    if (status == STATUS_OK)
        status = vault_put(vault, ROW_TAKEN, NULL, &vault->taken, err);
    return vault_end(vault, status, err);
}

/* The item's id is the chat's, so that one cannot be made twice. */
static enum status
make_chat(struct vault *vault, const struct inbox_item *item, struct error *err)
{
    struct turn_record turns[] = {item->question, item->answer};
    struct chat_info info = {.model = item->answer.origin.model,
                             .created_ms = item->question.time_ms,
                             .used_ms = item->answer.time_ms,
                             .leaf = 2};

    memcpy(info.id.bytes, item->id, sizeof info.id.bytes);
    turns[0].parent = 0;
    turns[0].role = TURN_QUESTION;
    turns[0].arrived_locked = true;
    turns[1].parent = 1;
    turns[1].role = TURN_ANSWER;
    turns[1].arrived_locked = true;
    return vault_import_chat(vault, &info, turns, 2, err);
}

/* Chat and remembered id in one transaction: a crash leaves both or none. */
static enum status
take_in(struct taking *taking, const struct inbox_item *item, struct error *err)
{
    struct error ignored;
    enum status status, end;

    TRY(vault_batch_begin(taking->vault, err));
    status = make_chat(taking->vault, item, err);
    if (status == STATUS_OK)
        status = remember(taking, item->id, err);
    end = vault_batch_end(taking->vault, status == STATUS_OK ? err : &ignored);
    return status == STATUS_OK ? end : status;
}

static enum status
refuse(struct taking *taking, const char *path, struct error *err)
{
    char aside[PATH_MAX + 16], shown[PATH_SHOWN];

    snprintf(aside, sizeof aside, "%s.refused", path);
    ++*taking->refused;
    if (rename(path, aside) != 0)
        return error_errno(err, "cannot rename %s",
                           text_quote(shown, sizeof shown, path, strlen(path)));
    return STATUS_OK;
}

static enum status
take_opened(struct taking *taking, const struct inbox_item *item,
            const char *path, struct error *err)
{
    struct entry_at at;
    struct chat_id id;

    memcpy(id.bytes, item->id, sizeof id.bytes);
    if (was_taken(taking, item->id) ||
        vault_entry_find(&at, taking->vault, &id))
        return refuse(taking, path, err);
    TRY(take_in(taking, item, err));
    ++*taking->count;
    return safe_file_remove(path, err);
}

static enum status
take_item(struct taking *taking, const char *name, struct error *err)
{
    char path[PATH_MAX];
    struct buffer sealed = {0}, plain = {0};
    struct inbox_item item;
    enum status status;

    TRY(vault_path(path, taking->folder, name, err));
    status = safe_file_read(&sealed, path, INBOX_ITEM_BYTES, err);
    if (status == STATUS_OK && open_seal(&plain, taking, &sealed) &&
        parse_item(&item, &plain))
        status = take_opened(taking, &item, path, err);
    else if (status == STATUS_OK || status == STATUS_LIMIT ||
             status == STATUS_DENIED)
        status = refuse(taking, path, err);
    buffer_release(&sealed);
    buffer_release(&plain);
    return status;
}

static enum status
take_all(struct taking *taking, const struct inbox_names *list,
         struct error *err)
{
    char detail[64];

    TRY(load_taken(taking, err));
    TRY(row_keys_box(taking->public_key, &taking->private_key,
                     taking->vault->keys, err));
    for (size_t i = 0; i < list->count; i++)
        TRY(take_item(taking, list->names[i], err));
    snprintf(detail, sizeof detail, "%zu taken, %zu refused", *taking->count,
             *taking->refused);
    return vault_audit(taking->vault, "inbox", detail, err);
}

enum status
vault_take_inbox(struct vault *vault, size_t *taken, size_t *refused,
                 struct error *err)
{
    struct taking taking = {.vault = vault, .count = taken, .refused = refused};
    struct inbox_names list;
    enum status status;

    *taken = *refused = 0;
    TRY(vault_path(taking.folder, vault->data, "inbox", err));
    TRY(list_inbox(&list, taking.folder, err));
    if (list.count == 0) {
        free(list.names);
        return STATUS_OK;
    }
    status = safe_folder_check(taking.folder, err);
    if (status == STATUS_OK)
        status = take_all(&taking, &list, err);
    buffer_release(&taking.taken);
    secret_close(taking.private_key);
    free(list.names);
    return status;
}
