/* fathom.export/1, as export_json.c writes it. */
#include "config.h"

#include "app/history/import_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status
read_role(enum turn_role *out, const json_t *object, struct error *err)
{
    struct text role = {0};

    TRY(import_text(&role, object, "role", err));
    if (role.length == 4 && memcmp(role.bytes, "user", 4) == 0)
        *out = TURN_QUESTION;
    else if (role.length == 9 && memcmp(role.bytes, "assistant", 9) == 0)
        *out = TURN_ANSWER;
    else
        return error_set(err, STATUS_FORMAT,
                         "its \"role\" is neither \"user\" nor \"assistant\"");
    return STATUS_OK;
}

static enum status
read_finish(struct turn_record *turn, const json_t *object, struct error *err)
{
    const json_t *value = json_object_get(object, "finish");

    TRY(import_bool(&turn->complete, object, "complete", err));
    if (value == NULL || json_is_null(value))
        return STATUS_OK;
    if (!json_is_string(value) ||
        !protocol_finish_find(&turn->finish, json_string_value(value)))
        return error_set(err, STATUS_FORMAT,
                         "its \"finish\" is no way to finish");
    return STATUS_OK;
}

/* A whole number that may be absent (-1). */
static enum status
read_whole(int64_t *out, const json_t *object, const char *name,
           struct error *err)
{
    uint64_t count = UINT64_MAX;

    TRY(import_count(&count, object, name, err));
    if (count != UINT64_MAX)
        *out = (int64_t) count;
    return STATUS_OK;
}

static enum status
read_sampling(struct sampling *out, const json_t *turn, struct error *err)
{
    const json_t *object;

    TRY(import_inner(&object, turn, "sampling", JSON_OBJECT, err));
    TRY(read_whole(&out->seed, object, "seed", err));
    TRY(import_real(&out->temperature, object, "temp", err));
    TRY(import_real(&out->top_p, object, "top_p", err));
    TRY(read_whole(&out->top_k, object, "top_k", err));
    TRY(import_real(&out->min_p, object, "min_p", err));
    return import_real(&out->repeat_penalty, object, "repeat_penalty", err);
}

static enum status
read_figures(struct turn_origin *out, const json_t *turn, struct error *err)
{
    const json_t *tokens, *timing;

    TRY(import_inner(&tokens, turn, "tokens", JSON_OBJECT, err));
    TRY(import_count(&out->prompt_tokens, tokens, "prompt", err));
    TRY(import_count(&out->thinking_tokens, tokens, "thinking", err));
    TRY(import_count(&out->answer_tokens, tokens, "answer", err));
    TRY(import_inner(&timing, turn, "timing", JSON_OBJECT, err));
    TRY(import_real(&out->ttft_ms, timing, "ttft_ms", err));
    TRY(import_real(&out->total_ms, timing, "total_ms", err));
    return import_real(&out->decode_tps, timing, "decode_tps", err);
}

/* Copies a field, which may be absent, to a text of the chat. */
static enum status
copy(struct import_chat *chat, struct buffer *to, const json_t *object,
     const char *name, struct error *err)
{
    struct text text = {0};

    TRY(import_text(&text, object, name, err));
    return import_chat_text(chat, to, text, err);
}

static enum status
read_answer(struct import_chat *chat, struct turn_record *turn,
            const json_t *object, struct error *err)
{
    struct import_turn *texts = import_chat_last(chat);

    TRY(read_finish(turn, object, err));
    TRY(copy(chat, &texts->thinking, object, "thinking", err));
    TRY(copy(chat, &texts->model, object, "model", err));
    TRY(copy(chat, &texts->fingerprint, object, "fingerprint", err));
    TRY(copy(chat, &texts->device, object, "device", err));
    TRY(read_sampling(&turn->origin.sampling, object, err));
    return read_figures(&turn->origin, object, err);
}

/*
 * What became of the turns of the document: an answer whose question is lost,
 * as in what was saved of a damaged vault, gets an empty one before it.
 */
struct places {
    uint64_t *of; // (turns of the document), ids in the chat
    size_t count;
};

static enum status
find_parent(uint64_t *out, const struct places *places, const json_t *object,
            struct error *err)
{
    uint64_t id = 0, parent = 0;

    TRY(import_count(&id, object, "id", err));
    TRY(import_count(&parent, object, "parent", err));
    if (id != places->count + 1)
        return error_set(err, STATUS_FORMAT, "its \"id\" is not %zu, its place",
                         places->count + 1);
    if (parent >= id)
        return error_set(err, STATUS_FORMAT,
                         "it follows one that is not before it");
    *out = parent > 0 ? places->of[parent - 1] : 0;
    return STATUS_OK;
}

static enum status
read_turn(struct import_chat *chat, struct places *places, const json_t *object,
          struct error *err)
{
    struct turn_record *turn;
    enum turn_role role;
    uint64_t parent;

    if (!json_is_object(object))
        return error_set(err, STATUS_FORMAT, "it is not an object");
    TRY(find_parent(&parent, places, object, err));
    TRY(read_role(&role, object, err));
    if (role == TURN_ANSWER && parent == 0) {
        TRY(import_chat_add(&turn, chat, TURN_QUESTION, 0, err));
        parent = turn->id;
    }
    TRY(import_chat_add(&turn, chat, role, parent, err));
    places->of[places->count++] = turn->id;
    TRY(import_time(&turn->time_ms, object, "time", err));
    TRY(import_bool(&turn->arrived_locked, object, "arrived_locked", err));
    TRY(copy(chat, &import_chat_last(chat)->content, object, "content", err));
    return role == TURN_ANSWER ? read_answer(chat, turn, object, err)
                               : STATUS_OK;
}

static enum status
read_turns(struct import_chat *chat, struct places *places, const json_t *turns,
           struct error *err)
{
    const json_t *turn;
    void *memory;
    size_t i;

    TRY(memory_alloc(&memory, (json_array_size(turns) + 1) * sizeof *places->of,
                     err));
    places->of = memory;
    json_array_foreach(turns, i, turn)
    {
        struct error why;
        enum status status = read_turn(chat, places, turn, &why);

        if (status != STATUS_OK)
            return error_set(err, status, "turn %zu: %s", i + 1, why.text);
    }
    return STATUS_OK;
}

static enum status
place_leaf(struct chat_info *info, const struct places *places,
           struct error *err)
{
    if (info->leaf > places->count)
        return error_set(err, STATUS_FORMAT, "its \"leaf\" is no turn");
    if (info->leaf > 0)
        info->leaf = places->of[info->leaf - 1];
    return STATUS_OK;
}

/* 26 digits of Crockford's base 32, as chat_id_text writes them. */
static enum status
read_id(struct chat_id *out, const json_t *item, struct error *err)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    struct text id = {0};
    char again[CHAT_ID_TEXT];

    TRY(import_text(&id, item, "id", err));
    if (id.bytes == NULL)
        return STATUS_OK;
    for (size_t i = 0; i < id.length && i < CHAT_ID_TEXT; i++) {
        const char *digit = id.bytes[i] ? strchr(digits, id.bytes[i]) : NULL;

        for (int bit = 4; bit >= 0 && digit; bit--) {
            // 130 bits, of which the first two are zero
            size_t at = 5 * i + 4 - (size_t) bit;

            if (at >= 2 && at < 130 && (digit - digits) >> bit & 1)
                out->bytes[(at - 2) / 8] |= (uint8_t) (0x80 >> (at - 2) % 8);
        }
    }
    chat_id_text(again, out);
    return id.length == CHAT_ID_TEXT - 1 &&
                   memcmp(again, id.bytes, id.length) == 0
               ? STATUS_OK
               : error_set(err, STATUS_FORMAT, "its \"id\" is none of a chat");
}

static enum status
read_tags(struct import_chat *chat, const json_t *item, struct error *err)
{
    const json_t *tags, *tag;
    size_t i;

    TRY(import_inner(&tags, item, "tags", JSON_ARRAY, err));
    json_array_foreach(tags, i, tag)
    {
        if (!json_is_string(tag))
            return error_set(err, STATUS_FORMAT,
                             "its \"tags\" are not all texts");
        struct text text = {json_string_value(tag), json_string_length(tag)};

        TRY(tags_add(&chat->tags, text, err));
    }
    return STATUS_OK;
}

enum status
import_fathom(struct import_chat *chat, const json_t *item, struct error *err)
{
    struct chat_info *info = &chat->info;
    struct places places = {0};
    const json_t *turns;

    if (!json_is_object(item))
        return error_set(err, STATUS_FORMAT, "it is not an object");
    TRY(read_id(&info->id, item, err));
    TRY(copy(chat, &chat->title, item, "title", err));
    TRY(copy(chat, &chat->system, item, "system", err));
    TRY(copy(chat, &chat->model, item, "model", err));
    TRY(read_tags(chat, item, err));
    TRY(import_time(&info->created_ms, item, "created", err));
    TRY(import_time(&info->used_ms, item, "used", err));
    TRY(import_bool(&info->pinned, item, "pinned", err));
    TRY(import_count(&info->leaf, item, "leaf", err));
    TRY(import_inner(&turns, item, "turns", JSON_ARRAY, err));
    enum status status = read_turns(chat, &places, turns, err);

    if (status == STATUS_OK)
        status = place_leaf(info, &places, err);
    free(places.of);
    return status;
}
