/* Growing arrays; pointers into them are set when nothing grows any more. */
#include "config.h"

#include "app/history/import_chat.h"

#include "app/chat/chat_title.h"
#include "app/time_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- the chat ----------------------------------------------------------------
 */

static enum status
grow_array(void **array, size_t count, size_t capacity, size_t each,
           struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, capacity * each, err));
    if (count > 0)
        memcpy(memory, *array, count * each);
    free(*array);
    *array = memory;
    return STATUS_OK;
}

static enum status
grow(struct import_chat *chat, struct error *err)
{
    size_t capacity = chat->capacity ? 2 * chat->capacity : 16;
    void *turns = chat->turns, *texts = chat->texts;

    if (chat->count < chat->capacity)
        return STATUS_OK;
    TRY(grow_array(&turns, chat->count, capacity, sizeof *chat->turns, err));
    chat->turns = turns;
    TRY(grow_array(&texts, chat->count, capacity, sizeof *chat->texts, err));
    chat->texts = texts;
    chat->capacity = capacity;
    return STATUS_OK;
}

enum status
import_chat_add(struct turn_record **out, struct import_chat *chat,
                enum turn_role role, uint64_t parent, struct error *err)
{
    if (chat->count == IMPORT_TURNS)
        return error_set(err, STATUS_LIMIT, "it has more than %d turns",
                         IMPORT_TURNS);
    TRY(grow(chat, err));
    *out = &chat->turns[chat->count];
    **out = (struct turn_record){
        .id = chat->count + 1,
        .parent = parent,
        .role = role,
        .origin = {.sampling = protocol_sampling_absent()},
    };
    chat->texts[chat->count++] = (struct import_turn){0};
    return STATUS_OK;
}

struct import_turn *
import_chat_last(struct import_chat *chat)
{
    return &chat->texts[chat->count - 1];
}

enum status
import_chat_text(struct import_chat *chat, struct buffer *text,
                 struct text more, struct error *err)
{
    if (more.length == 0)
        return STATUS_OK;
    if (more.length > IMPORT_CHAT_BYTES - chat->bytes)
        return error_set(err, STATUS_LIMIT, "its texts exceed %d MiB",
                         IMPORT_CHAT_BYTES >> 20);
    TRY(buffer_append(text, more.bytes, more.length, err));
    chat->bytes += more.length;
    return STATUS_OK;
}

static struct text
lent(const struct buffer *buffer)
{
    return (struct text){buffer->data, buffer->length};
}

static enum status
check_turn(const struct import_chat *chat, const struct turn_record *turn,
           struct error *err)
{
    size_t place = (size_t) turn->id;

    if (turn->parent >= turn->id)
        return error_set(err, STATUS_FORMAT,
                         "turn %zu follows one that is not before it", place);
    if (turn->parent == 0 && turn->role == TURN_ANSWER)
        return error_set(err, STATUS_FORMAT, "turn %zu answers no question",
                         place);
    if (turn->parent != 0 && chat->turns[turn->parent - 1].role == turn->role)
        return error_set(err, STATUS_FORMAT,
                         turn->role == TURN_ANSWER
                             ? "turn %zu answers an answer"
                             : "turn %zu is a question that follows a question",
                         place);
    return STATUS_OK;
}

static void
lend_texts(struct import_chat *chat)
{
    for (size_t i = 0; i < chat->count; i++) {
        struct turn_record *turn = &chat->turns[i];
        const struct import_turn *texts = &chat->texts[i];

        turn->content = lent(&texts->content);
        turn->thinking = lent(&texts->thinking);
        turn->origin.model = lent(&texts->model);
        turn->origin.fingerprint = lent(&texts->fingerprint);
        turn->origin.device = lent(&texts->device);
    }
    chat->info.title = lent(&chat->title);
    chat->info.system = lent(&chat->system);
    chat->info.model = lent(&chat->model);
    chat->info.tags = lent(&chat->tags);
    chat->info.turns = (uint32_t) chat->count;
}

static enum status
choose_title(struct import_chat *chat, struct error *err)
{
    char title[CHAT_TITLE_BYTES];
    size_t length = 0;

    if (chat->title.length > 0)
        return STATUS_OK;
    for (size_t i = 0; i < chat->count && length == 0; i++)
        if (chat->turns[i].role == TURN_QUESTION)
            length = chat_title(title, lent(&chat->texts[i].content));
    return import_chat_text(chat, &chat->title, (struct text){title, length},
                            err);
}

static enum status
choose_model(struct import_chat *chat, struct error *err)
{
    for (size_t i = chat->count; i > 0 && chat->model.length == 0; i--)
        TRY(import_chat_text(chat, &chat->model,
                             lent(&chat->texts[i - 1].model), err));
    return STATUS_OK;
}

static void
choose_times(struct import_chat *chat)
{
    struct chat_info *info = &chat->info;

    for (size_t i = 0; i < chat->count && info->created_ms == 0; i++)
        info->created_ms = chat->turns[i].time_ms;
    for (size_t i = chat->count; i > 0 && info->used_ms == 0; i--)
        info->used_ms = chat->turns[i - 1].time_ms;
    if (info->used_ms == 0)
        info->used_ms = info->created_ms;
}

void
import_chat_name(struct import_chat *chat, const char *program,
                 struct text name)
{
    struct blake2b hash;

    if (name.length == 0)
        return;
    blake2b_init(&hash, sizeof chat->info.id.bytes);
    blake2b_update(&hash, program, strlen(program) + 1);
    blake2b_update(&hash, name.bytes, name.length);
    blake2b_final(&hash, chat->info.id.bytes);
}

enum status
import_chat_describe(struct import_chat *chat, struct error *err)
{
    TRY(choose_title(chat, err));
    TRY(choose_model(chat, err));
    if (chat->info.leaf == 0)
        chat->info.leaf = chat->count;
    return STATUS_OK;
}

enum status
import_chat_settle(struct import_chat *chat, struct error *err)
{
    for (size_t i = 0; i < chat->count; i++)
        TRY(check_turn(chat, &chat->turns[i], err));
    if (chat->info.leaf > chat->count)
        return error_set(err, STATUS_FORMAT, "its \"leaf\" is no turn");
    choose_times(chat);
    lend_texts(chat);
    return STATUS_OK;
}

void
import_chat_release(struct import_chat *chat)
{
    for (size_t i = 0; i < chat->count; i++) {
        buffer_release(&chat->texts[i].content);
        buffer_release(&chat->texts[i].thinking);
        buffer_release(&chat->texts[i].model);
        buffer_release(&chat->texts[i].fingerprint);
        buffer_release(&chat->texts[i].device);
    }
    buffer_release(&chat->title);
    buffer_release(&chat->system);
    buffer_release(&chat->model);
    buffer_release(&chat->tags);
    free(chat->turns);
    free(chat->texts);
    *chat = (struct import_chat){0};
}

/* -- fields ------------------------------------------------------------------
 */

/* The field, or NULL where it is absent or null. */
static const json_t *
field(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static enum status
wrong(const char *name, const char *wanted, struct error *err)
{
    return error_set(err, STATUS_FORMAT, "its \"%s\" is not %s", name, wanted);
}

enum status
import_text(struct text *out, const json_t *object, const char *name,
            struct error *err)
{
    const json_t *value = field(object, name);

    if (value == NULL)
        return STATUS_OK;
    if (!json_is_string(value))
        return wrong(name, "a text", err);
    *out = (struct text){json_string_value(value), json_string_length(value)};
    return STATUS_OK;
}

enum status
import_bool(bool *out, const json_t *object, const char *name,
            struct error *err)
{
    const json_t *value = field(object, name);

    if (value == NULL)
        return STATUS_OK;
    if (!json_is_boolean(value))
        return wrong(name, "true or false", err);
    *out = json_is_true(value);
    return STATUS_OK;
}

enum status
import_count(uint64_t *out, const json_t *object, const char *name,
             struct error *err)
{
    const json_t *value = field(object, name);

    if (value == NULL)
        return STATUS_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong(name, "a count", err);
    *out = (uint64_t) json_integer_value(value);
    return STATUS_OK;
}

enum status
import_real(double *out, const json_t *object, const char *name,
            struct error *err)
{
    const json_t *value = field(object, name);

    if (value == NULL)
        return STATUS_OK;
    if (!json_is_number(value))
        return wrong(name, "a number", err);
    *out = json_number_value(value);
    return STATUS_OK;
}

enum status
import_time(uint64_t *out, const json_t *object, const char *name,
            struct error *err)
{
    struct text text = {0};

    TRY(import_text(&text, object, name, err));
    if (text.bytes == NULL || time_text_read(out, text))
        return STATUS_OK;
    return wrong(name, "a time such as 2026-11-22T14:04:11Z", err);
}

enum status
import_seconds(uint64_t *out_ms, const json_t *object, const char *name,
               struct error *err)
{
    double seconds = (double) NAN;

    TRY(import_real(&seconds, object, name, err));
    if (isnan(seconds))
        return STATUS_OK;
    if (seconds < 0 || seconds * 1000 > (double) TIME_TEXT_LAST_MS)
        return wrong(name, "a time in seconds since 1970", err);
    *out_ms = (uint64_t) llround(seconds * 1000);
    return STATUS_OK;
}

enum status
import_inner(const json_t **out, const json_t *object, const char *name,
             json_type type, struct error *err)
{
    *out = field(object, name);
    if (*out == NULL || json_typeof(*out) == type)
        return STATUS_OK;
    return wrong(name, type == JSON_ARRAY ? "a list" : "an object", err);
}
