/* Head, rows, hash: written and read a chunk at a time. */
#include "config.h"

#include "engine/snapshot.h"

#include "engine/kv_cache.h"
#include "engine/session_parts.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum {
    FORMAT = 1,
    FIXED_BYTES = 120,    // of the head, before the token ids
    HEAD_MOST = 16 << 20, // bytes of ids and answers
    ALIGNMENT = 64,       // of the head, and of chunks
    FINGERPRINT_AT = 72,
    KIND_AT = 104,
    INF_F16 = 0x7C00, // the exponent of what is no number
    INF_F32 = 0x7F800000,
};

static const char magic[8] = {'F', 'A', 'T', 'H', 'O', 'M', 'K', 'V'};

static size_t
element_bytes(const struct kv_cache *cache)
{
    return cache->keys.type == CACHE_F16 ? 2 : 4;
}

void
snapshot_kind(uint8_t out[SNAPSHOT_KIND_BYTES],
              const struct session_model *model)
{
    static const char label[] = "fathom cache " PACKAGE_VERSION;
    const struct model *loaded = model->model;
    const char *device = loaded->device->name;
    struct blake2b hash;

    blake2b_init(&hash, SNAPSHOT_KIND_BYTES);
    blake2b_update(&hash, label, sizeof label);
    blake2b_update(&hash, device, strlen(device) + 1);
    blake2b_update(&hash, &model->fingerprint, sizeof model->fingerprint);
    blake2b_update_u64(&hash, FORMAT);
    blake2b_update_u64(&hash, model->forward.cache);
    blake2b_update_u64(&hash, model->forward.form);
    blake2b_update_u64(&hash, loaded->shape.groups_filled_in);
    blake2b_final(&hash, out);
}

void
session_end_transfer(struct session *session)
{
    struct transfer *transfer = &session->transfer;

    buffer_release(&transfer->head);
    explicit_bzero(transfer, sizeof *transfer);
}

// -- the head, written -------------------------------------------------------

static enum status
put_le(struct buffer *out, uint64_t value, size_t bytes, struct error *err)
{
    uint8_t le[8];

    for (size_t i = 0; i < bytes; i++)
        le[i] = (uint8_t) (value >> (8 * i));
    return buffer_append(out, le, bytes, err);
}

static enum status
put_ids(struct buffer *out, const struct tokens *ids, struct error *err)
{
    TRY(buffer_reserve(out, ids->count * sizeof *ids->ids, err));
    for (size_t i = 0; i < ids->count; i++)
        TRY(put_le(out, (uint32_t) ids->ids[i], 4, err));
    return STATUS_OK;
}

static size_t
answers_held(uint64_t answer_count)
{
    return answer_count < ANSWERS_KEPT ? (size_t) answer_count : ANSWERS_KEPT;
}

static enum status
put_answers(struct buffer *out, const struct session *session,
            struct error *err)
{
    for (size_t i = 0; i < answers_held(session->answer_count); i++) {
        const struct own_answer *answer = &session->answers[i];

        TRY(put_le(out, answer->text.length, 4, err));
        TRY(put_le(out, answer->ids.count, 4, err));
        TRY(buffer_append(out, answer->text.data, answer->text.length, err));
        TRY(put_ids(out, &answer->ids, err));
    }
    return STATUS_OK;
}

static size_t
head_size(const struct session *session)
{
    size_t bytes = FIXED_BYTES + 4 * session->ids.count;

    for (size_t i = 0; i < answers_held(session->answer_count); i++)
        bytes += 8 + session->answers[i].text.length +
                 4 * session->answers[i].ids.count;
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static enum status
put_fixed(struct transfer *transfer, const struct session *session,
          struct error *err)
{
    const struct kv_cache *cache = forward_cache(session->forward);
    struct buffer *head = &transfer->head;
    uint8_t kind[SNAPSHOT_KIND_BYTES];

    snapshot_kind(kind, &session->model);
    TRY(buffer_append(head, magic, sizeof magic, err));
    TRY(put_le(head, FORMAT, 4, err));
    TRY(put_le(head, transfer->head_bytes, 4, err));
    TRY(put_le(head, transfer->bytes, 8, err));
    TRY(put_le(head, transfer->tokens, 8, err));
    TRY(put_le(head, session->last_prompt, 8, err));
    TRY(put_le(head, session->last_cached, 8, err));
    TRY(put_le(head, session->answer_count, 8, err));
    TRY(put_le(head, element_bytes(cache), 4, err));
    TRY(put_le(head, cache->layers, 4, err));
    TRY(put_le(head, cache->keys.width, 4, err));
    TRY(put_le(head, cache->values.width, 4, err));
    TRY(buffer_append(head, session->model.fingerprint.content,
                      FINGERPRINT_BYTES, err));
    return buffer_append(head, kind, sizeof kind, err);
}

static enum status
begin_save(struct session *session, struct error *err)
{
    static const char zeros[ALIGNMENT];
    struct transfer *transfer = &session->transfer;

    session_end_transfer(session);
    assert(session->ids.count == forward_length(session->forward));
    transfer->tokens = session->ids.count;
    transfer->head_bytes = head_size(session);
    if (transfer->head_bytes > HEAD_MOST)
        return error_set(err, STATUS_LIMIT,
                         "the texts of this conversation are too long for a "
                         "snapshot, whose head may have %d bytes",
                         HEAD_MOST);
    transfer->bytes = transfer->head_bytes + SNAPSHOT_HASH_BYTES +
                      kv_cache_stored_bytes(forward_cache(session->forward),
                                            transfer->tokens);
    TRY(buffer_reserve(&transfer->head, transfer->head_bytes, err));
    TRY(put_fixed(transfer, session, err));
    TRY(put_ids(&transfer->head, &session->ids, err));
    TRY(put_answers(&transfer->head, session, err));
    TRY(buffer_append(&transfer->head, zeros,
                      transfer->head_bytes - transfer->head.length, err));
    blake2b_init(&transfer->hash, SNAPSHOT_HASH_BYTES);
    transfer->kind = TRANSFER_SAVE;
    return STATUS_OK;
}

// -- saving ------------------------------------------------------------------

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Appends what follows of one part, as far as the chunk has room. */
static enum status
save_part(struct session *session, struct buffer *chunk, size_t room,
          struct error *err)
{
    struct transfer *transfer = &session->transfer;
    uint64_t rows_end = transfer->bytes - SNAPSHOT_HASH_BYTES;
    size_t piece;

    TRY(buffer_reserve(chunk, room, err));
    char *to = chunk->data + chunk->length;
    if (transfer->next < transfer->head_bytes) {
        piece = (size_t) least(room, transfer->head_bytes - transfer->next);
        memcpy(to, transfer->head.data + transfer->next, piece);
    } else if (transfer->next < rows_end) {
        piece = (size_t) least(room, rows_end - transfer->next);
        TRY(forward_fetch(session->forward, transfer->tokens,
                          transfer->next - transfer->head_bytes, to, piece,
                          err));
    } else {
        if (transfer->next == rows_end)
            blake2b_final(&transfer->hash, transfer->last);
        piece = (size_t) least(room, transfer->bytes - transfer->next);
        memcpy(to, transfer->last + (transfer->next - rows_end), piece);
    }
    if (transfer->next < rows_end)
        blake2b_update(&transfer->hash, to, piece);
    chunk->length += piece;
    chunk->data[chunk->length] = '\0';
    transfer->next += piece;
    return STATUS_OK;
}

static void
make_key(uint8_t out[SNAPSHOT_KEY_BYTES], const struct session *session)
{
    struct blake2b hash;

    snapshot_kind(out, &session->model);
    blake2b_init(&hash, SNAPSHOT_KEY_BYTES - SNAPSHOT_KIND_BYTES);
    for (size_t i = 0; i < session->ids.count; i++)
        blake2b_update_u64(&hash, (uint64_t) session->ids.ids[i]);
    blake2b_final(&hash, out + SNAPSHOT_KIND_BYTES);
}

enum status
session_save(struct session *session, uint64_t offset, struct buffer *chunk,
             struct snapshot_state *state, struct error *err)
{
    struct transfer *transfer = &session->transfer;
    size_t kept = chunk->length;

    *state = (struct snapshot_state){0};
    if (session->ids.count == 0)
        return STATUS_OK;
    if (offset == 0)
        TRY(begin_save(session, err));
    if (transfer->kind != TRANSFER_SAVE || offset != transfer->next ||
        offset == transfer->bytes)
        return error_set(err, STATUS_FORMAT,
                         "a snapshot is saved from its beginning, one chunk "
                         "after the other");
    size_t length =
        (size_t) least(PROTOCOL_CHUNK_BYTES, transfer->bytes - transfer->next);
    while (chunk->length < kept + length)
        TRY(save_part(session, chunk, kept + length - chunk->length, err));
    state->next = transfer->next;
    state->bytes = transfer->bytes;
    state->tokens = transfer->tokens;
    make_key(state->key, session);
    if (transfer->next == transfer->bytes)
        session_end_transfer(session);
    return STATUS_OK;
}

// -- the head, read ----------------------------------------------------------

static uint64_t
le(const struct buffer *head, size_t at, size_t bytes)
{
    const uint8_t *in = (const uint8_t *) head->data + at;
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t) in[i] << (8 * i);
    return value;
}

/* Model, machine and form are those that are here. */
static enum status
check_kind(const struct session *session, struct error *err)
{
    const struct buffer *head = &session->transfer.head;
    uint8_t kind[SNAPSHOT_KIND_BYTES];

    if (memcmp(head->data, magic, sizeof magic) != 0)
        return error_set(err, STATUS_FORMAT, "this is no snapshot of a cache");
    if (le(head, 8, 4) != FORMAT)
        return error_set(err, STATUS_FORMAT,
                         "the snapshot has format %" PRIu64
                         ", this engine reads format %d",
                         le(head, 8, 4), FORMAT);
    if (memcmp(head->data + FINGERPRINT_AT, session->model.fingerprint.content,
               FINGERPRINT_BYTES) != 0)
        return error_set(err, STATUS_FORMAT,
                         "the snapshot was made with another model");
    snapshot_kind(kind, &session->model);
    if (memcmp(head->data + KIND_AT, kind, sizeof kind) != 0)
        return error_set(err, STATUS_FORMAT,
                         "the snapshot was made by another version or setting "
                         "of the engine, or the model's file was written to "
                         "since");
    return STATUS_OK;
}

static enum status
check_shape(const struct session *session, struct error *err)
{
    const struct buffer *head = &session->transfer.head;
    const struct kv_cache *cache = forward_cache(session->forward);

    if (le(head, 56, 4) == element_bytes(cache) &&
        le(head, 60, 4) == cache->layers &&
        le(head, 64, 4) == cache->keys.width &&
        le(head, 68, 4) == cache->values.width)
        return STATUS_OK;
    return error_set(err, STATUS_FORMAT,
                     "the snapshot's cache has another shape than the model's");
}

/* Counts and sizes, against each other and what there is room for. */
static enum status
check_sizes(const struct session *session, struct error *err)
{
    const struct buffer *head = &session->transfer.head;
    const struct kv_cache *cache = forward_cache(session->forward);
    uint64_t head_bytes = le(head, 12, 4), tokens = le(head, 24, 8);
    uint64_t prompt = le(head, 32, 8), cached = le(head, 40, 8);

    if (tokens > cache->capacity)
        return error_set(err, STATUS_LIMIT,
                         "the snapshot has %" PRIu64
                         " tokens and does not fit the context of %zu",
                         tokens, cache->capacity);
    if (tokens == 0 || prompt > tokens || (prompt > 0 && cached >= prompt) ||
        (prompt == 0 && cached > 0))
        return error_set(err, STATUS_FORMAT,
                         "the snapshot's counts of tokens contradict each "
                         "other");
    if (head_bytes > HEAD_MOST || head_bytes % ALIGNMENT != 0 ||
        head_bytes < FIXED_BYTES + 4 * tokens ||
        le(head, 16, 8) != head_bytes + SNAPSHOT_HASH_BYTES +
                               kv_cache_stored_bytes(cache, (size_t) tokens))
        return error_set(err, STATUS_FORMAT,
                         "the snapshot's sizes contradict each other");
    return STATUS_OK;
}

static enum status
take_fixed(struct session *session, struct error *err)
{
    struct transfer *transfer = &session->transfer;
    const struct buffer *head = &transfer->head;

    TRY(check_kind(session, err));
    TRY(check_shape(session, err));
    TRY(check_sizes(session, err));
    transfer->head_bytes = (size_t) le(head, 12, 4);
    transfer->bytes = le(head, 16, 8);
    transfer->tokens = (size_t) le(head, 24, 8);
    return STATUS_OK;
}

/* Reads the head from front to back. */
struct cursor {
    const struct buffer *head;
    size_t at;
    uint32_t vocabulary;
    struct error *err;
};

static enum status
cut_short(const struct cursor *cursor)
{
    return error_set(cursor->err, STATUS_FORMAT,
                     "the snapshot's head ends inside an answer");
}

static enum status
take_ids(struct cursor *cursor, uint64_t count, struct tokens *out)
{
    if (count > (cursor->head->length - cursor->at) / 4)
        return cut_short(cursor);
    for (uint64_t i = 0; i < count; i++, cursor->at += 4) {
        uint64_t value = le(cursor->head, cursor->at, 4);
        int32_t id = (int32_t) value;

        if (value >= cursor->vocabulary)
            return error_set(cursor->err, STATUS_FORMAT,
                             "the snapshot has a token that the model has not");
        TRY(tokens_append(out, &id, 1, cursor->err));
    }
    return STATUS_OK;
}

static enum status
take_answer(struct cursor *cursor, struct own_answer *out)
{
    if (cursor->head->length - cursor->at < 8)
        return cut_short(cursor);
    uint64_t bytes = le(cursor->head, cursor->at, 4);
    uint64_t count = le(cursor->head, cursor->at + 4, 4);
    cursor->at += 8;
    const char *text = cursor->head->data + cursor->at;
    if (bytes > cursor->head->length - cursor->at)
        return cut_short(cursor);
    if (bytes == 0 || count == 0 || !utf8_valid(text, (size_t) bytes))
        return error_set(cursor->err, STATUS_FORMAT,
                         "the snapshot has an answer that is empty or not "
                         "UTF-8");
    TRY(buffer_append(&out->text, text, (size_t) bytes, cursor->err));
    cursor->at += (size_t) bytes;
    return take_ids(cursor, count, &out->ids);
}

static enum status
take_padding(const struct cursor *cursor)
{
    bool zeros = cursor->head->length - cursor->at < ALIGNMENT;

    for (size_t i = cursor->at; zeros && i < cursor->head->length; i++)
        zeros = cursor->head->data[i] == 0;
    if (!zeros)
        return error_set(cursor->err, STATUS_FORMAT,
                         "the snapshot's head has more than it says");
    return STATUS_OK;
}

/*
 * Takes ids and answers of the whole head into a session that holds none, or
 * with `session` NULL looks whether they could be taken.
 */
static enum status
take_texts(struct session *session, const struct transfer *transfer,
           uint32_t vocabulary, struct error *err)
{
    struct cursor cursor = {&transfer->head, FIXED_BYTES, vocabulary, err};
    size_t held = answers_held(le(&transfer->head, 48, 8));
    struct tokens ids = {0};
    enum status status = take_ids(&cursor, transfer->tokens, &ids);

    if (session != NULL)
        session->ids = ids;
    else
        tokens_release(&ids);
    for (size_t i = 0; i < held && status == STATUS_OK; i++) {
        struct own_answer answer = {0};

        status = take_answer(&cursor, &answer);
        if (session != NULL) {
            session->answers[i] = answer;
            continue;
        }
        buffer_release(&answer.text);
        tokens_release(&answer.ids);
    }
    if (status == STATUS_OK)
        status = take_padding(&cursor);
    return status;
}

/* The session holds nothing. */
static void
empty(struct session *session)
{
    session_keep_tokens(session, 0);
    session_forget_answers(session);
    tokens_release(&session->ids);
    session->last_prompt = session->last_cached = 0;
}

// -- restoring ---------------------------------------------------------------

static bool
all_finite(const char *bytes, size_t length, size_t element)
{
    bool finite = true;

    for (size_t i = 0; i < length; i += element) {
        if (element == 2) {
            uint16_t bits;

            memcpy(&bits, bytes + i, sizeof bits);
            finite &= (bits & INF_F16) != INF_F16;
        } else {
            uint32_t bits;

            memcpy(&bits, bytes + i, sizeof bits);
            finite &= (bits & INF_F32) != INF_F32;
        }
    }
    return finite;
}

/* Bytes of the head, first those that say how long it is. */
static enum status
restore_head(struct session *session, const char *bytes, size_t *length,
             struct error *err)
{
    struct transfer *transfer = &session->transfer;
    size_t until =
        transfer->head_bytes > 0 ? transfer->head_bytes : FIXED_BYTES;

    *length = (size_t) least(*length, until - transfer->next);
    TRY(buffer_append(&transfer->head, bytes, *length, err));
    if (transfer->head.length < until)
        return STATUS_OK;
    if (transfer->head_bytes == 0)
        return take_fixed(session, err);
    TRY(take_texts(NULL, transfer, session->model.model->shape.vocabulary,
                   err));
    empty(session);
    return STATUS_OK;
}

static enum status
restore_rows(struct session *session, const char *bytes, size_t length,
             struct error *err)
{
    struct transfer *transfer = &session->transfer;
    size_t element = element_bytes(forward_cache(session->forward));

    if (length % element != 0)
        return error_set(err, STATUS_FORMAT,
                         "a chunk of the snapshot ends inside a number");
    if (!all_finite(bytes, length, element))
        return error_set(err, STATUS_FORMAT,
                         "the snapshot has a number that is not finite");
    return forward_store(session->forward, transfer->tokens,
                         transfer->next - transfer->head_bytes, bytes, length,
                         err);
}

/* What follows of one part; *length becomes what was taken. */
static enum status
restore_part(struct session *session, const char *bytes, size_t *length,
             struct error *err)
{
    struct transfer *transfer = &session->transfer;
    uint64_t rows_end = transfer->bytes - SNAPSHOT_HASH_BYTES;

    if (transfer->head_bytes == 0 || transfer->next < transfer->head_bytes) {
        TRY(restore_head(session, bytes, length, err));
    } else if (transfer->next < rows_end) {
        *length = (size_t) least(*length, rows_end - transfer->next);
        TRY(restore_rows(session, bytes, *length, err));
    } else {
        *length = (size_t) least(*length, transfer->bytes - transfer->next);
        memcpy(transfer->last + (transfer->next - rows_end), bytes, *length);
        transfer->next += *length;
        return STATUS_OK;
    }
    blake2b_update(&transfer->hash, bytes, *length);
    transfer->next += *length;
    return STATUS_OK;
}

/* All has come: it counts if its hash is right. */
static enum status
finish_restore(struct session *session, struct error *err)
{
    struct transfer *transfer = &session->transfer;
    uint8_t hash[SNAPSHOT_HASH_BYTES];

    blake2b_final(&transfer->hash, hash);
    if (memcmp(hash, transfer->last, sizeof hash) != 0)
        return error_set(err, STATUS_FORMAT, "the snapshot is damaged");
    enum status status = take_texts(
        session, transfer, session->model.model->shape.vocabulary, err);
    if (status != STATUS_OK) {
        empty(session);
        return status;
    }
    session->last_prompt = (size_t) le(&transfer->head, 32, 8);
    session->last_cached = (size_t) le(&transfer->head, 40, 8);
    session->answer_count = (size_t) le(&transfer->head, 48, 8);
    forward_extend(session->forward, transfer->tokens);
    return STATUS_OK;
}

static enum status
restore_chunk(struct session *session, const char *bytes, size_t length,
              struct error *err)
{
    struct transfer *transfer = &session->transfer;

    for (size_t done = 0, piece; done < length; done += piece) {
        piece = length - done;
        if (transfer->next == transfer->bytes && transfer->bytes > 0)
            return error_set(err, STATUS_FORMAT,
                             "the snapshot goes on behind its end");
        TRY(restore_part(session, bytes + done, &piece, err));
    }
    if (transfer->bytes == 0 || transfer->next < transfer->bytes)
        return length % ALIGNMENT == 0 && length > 0
                   ? STATUS_OK
                   : error_set(err, STATUS_FORMAT,
                               "a chunk of a snapshot, but for the last, has a "
                               "multiple of %d bytes",
                               ALIGNMENT);
    return finish_restore(session, err);
}

enum status
session_restore(struct session *session, uint64_t offset, const void *chunk,
                size_t length, struct snapshot_state *state, struct error *err)
{
    struct transfer *transfer = &session->transfer;

    *state = (struct snapshot_state){0};
    if (offset == 0) {
        session_end_transfer(session);
        blake2b_init(&transfer->hash, SNAPSHOT_HASH_BYTES);
        transfer->kind = TRANSFER_RESTORE;
    }
    if (transfer->kind != TRANSFER_RESTORE || offset != transfer->next)
        return error_set(err, STATUS_FORMAT,
                         "a snapshot is restored from its beginning, one chunk "
                         "after the other");
    enum status status = restore_chunk(session, chunk, length, err);
    state->next = transfer->next;
    state->bytes = transfer->bytes;
    if (status == STATUS_OK && transfer->next == transfer->bytes)
        state->tokens = transfer->tokens;
    if (status != STATUS_OK || state->tokens > 0)
        session_end_transfer(session);
    return status;
}
