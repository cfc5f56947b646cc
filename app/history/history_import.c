/*
 * The log of llm lists questions with their answers, whatever chat they belong
 * to: they are put in order first, by chat and time, without keeping them.
 */
#include "config.h"

#include "app/history/history_import.h"

#include "app/history/import_reader.h"
#include "app/history/json_items.h"
#include "app/time_text.h"

#include <stdlib.h>
#include <string.h>

enum import_format { IMPORT_FATHOM, IMPORT_OPENAI, IMPORT_LLM };

/* Where a logged question lies. */
struct logged {
    struct text item;
    uint64_t conversation; // place of the first one of its chat
    uint64_t time_ms;
    size_t place;
};

struct history_import {
    enum import_format format;
    struct text list; // of the items
    struct json_items items;
    size_t number; // of the chat, from 1
    struct import_chat chat;

    // of llm
    struct logged *logged;
    size_t count, capacity, next;
};

/* -- the log of llm ----------------------------------------------------------
 */

static enum status
grow_log(struct history_import *import, struct error *err)
{
    size_t capacity = import->capacity ? 2 * import->capacity : 64;
    void *memory;

    if (import->count < import->capacity)
        return STATUS_OK;
    TRY(memory_alloc(&memory, capacity * sizeof *import->logged, err));
    if (import->count > 0)
        memcpy(memory, import->logged, import->count * sizeof *import->logged);
    free(import->logged);
    import->logged = memory;
    import->capacity = capacity;
    return STATUS_OK;
}

/*
 * The chat of an item: the place of the first item with its conversation_id,
 * which `firsts` remembers; an item without one is a chat of its own.
 */
static enum status
chat_of(uint64_t *out, json_t *firsts, const json_t *item, size_t place,
        struct error *err)
{
    struct text id = {0};

    *out = place;
    TRY(import_text(&id, item, "conversation_id", err));
    if (id.length == 0)
        return STATUS_OK;
    if (strlen(id.bytes) != id.length)
        return error_set(err, STATUS_FORMAT,
                         "its \"conversation_id\" holds NUL");
    const json_t *first = json_object_get(firsts, id.bytes);

    if (first)
        *out = (uint64_t) json_integer_value(first);
    else if (json_object_set_new(firsts, id.bytes,
                                 json_integer((json_int_t) place)) < 0)
        return error_set(err, STATUS_NOMEM, "memory does not suffice for it");
    return STATUS_OK;
}

static enum status
log_item(struct history_import *import, json_t *firsts, struct text bytes,
         struct error *err)
{
    struct logged *logged = &import->logged[import->count];
    json_t *item;

    TRY(json_items_parse(&item, bytes, err));
    *logged = (struct logged){.item = bytes, .place = import->count};
    enum status status =
        chat_of(&logged->conversation, firsts, item, import->count, err);

    if (status == STATUS_OK)
        status = import_time(&logged->time_ms, item, "datetime_utc", err);
    json_decref(item);
    if (status == STATUS_OK)
        import->count++;
    return status;
}

static int
compare_logged(const void *a, const void *b)
{
    const struct logged *x = a, *y = b;

    if (x->conversation != y->conversation)
        return x->conversation < y->conversation ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static enum status
collect_log(struct history_import *import, json_t *firsts, struct error *err)
{
    struct json_items items = {.document = import->list};
    struct text bytes;

    TRY(json_items_next(&bytes, &items, err));
    while (bytes.bytes != NULL) {
        struct error why;

        TRY(grow_log(import, err));
        enum status status = log_item(import, firsts, bytes, &why);

        if (status != STATUS_OK)
            return error_set(err, status, "entry %zu: %s", import->count + 1,
                             why.text);
        TRY(json_items_next(&bytes, &items, err));
    }
    if (import->count > 0)
        qsort(import->logged, import->count, sizeof *import->logged,
              compare_logged);
    return STATUS_OK;
}

static enum status
open_log(struct history_import *import, struct error *err)
{
    json_t *firsts = json_object();

    if (firsts == NULL)
        return error_set(err, STATUS_NOMEM, "memory does not suffice for it");
    enum status status = collect_log(import, firsts, err);

    json_decref(firsts);
    return status;
}

/* All entries of the next chat. */
static enum status
read_log(struct history_import *import, bool *found, struct error *err)
{
    size_t first = import->next;

    *found = first < import->count;
    for (; import->next < import->count; import->next++) {
        const struct logged *logged = &import->logged[import->next];
        json_t *item;

        if (logged->conversation != import->logged[first].conversation)
            break;
        TRY(json_items_parse(&item, logged->item, err));
        enum status status = import_llm(&import->chat, item, err);

        json_decref(item);
        TRY(status);
    }
    return STATUS_OK;
}

/* -- which format ------------------------------------------------------------
 */

/* Our own: {"schema": "fathom.export/1", ..., "chats": [...]} */
static enum status
open_fathom(struct history_import *import, struct text document,
            struct error *err)
{
    static const char known[] = "\"fathom.export/1\"";
    static const char family[] = "\"fathom.export/";
    struct text schema;

    TRY(json_items_member(&schema, document, "schema", err));
    if (schema.length < sizeof family - 1 ||
        memcmp(schema.bytes, family, sizeof family - 1) != 0)
        return error_set(err, STATUS_FORMAT,
                         "it is no export that is known here");
    if (schema.length != sizeof known - 1 ||
        memcmp(schema.bytes, known, sizeof known - 1) != 0)
        return error_set(err, STATUS_UNSUPPORTED,
                         "it was written by a newer fathom");
    TRY(json_items_member(&import->list, document, "chats", err));
    if (import->list.bytes == NULL)
        return error_set(err, STATUS_FORMAT, "it has no \"chats\"");
    import->format = IMPORT_FATHOM;
    return STATUS_OK;
}

/* A list is OpenAI's or llm's: the first element tells. */
static enum status
open_list(struct history_import *import, struct text document,
          struct error *err)
{
    struct json_items items = {.document = document};
    struct text first, mapping, response;

    import->list = document;
    import->format = IMPORT_OPENAI;
    TRY(json_items_next(&first, &items, err));
    if (first.bytes == NULL) // an empty list of either
        return STATUS_OK;
    if (json_items_kind(first) != '{')
        return error_set(err, STATUS_FORMAT,
                         "it is no export that is known here");
    TRY(json_items_member(&mapping, first, "mapping", err));
    if (mapping.bytes != NULL)
        return STATUS_OK;
    TRY(json_items_member(&response, first, "response", err));
    if (response.bytes == NULL)
        return error_set(err, STATUS_FORMAT,
                         "it is no export that is known here");
    import->format = IMPORT_LLM;
    return open_log(import, err);
}

static enum status
open_document(struct history_import *import, struct text document,
              struct error *err)
{
    size_t valid = 0;

    // a mark that some editors put before the text
    if (document.length >= 3 &&
        memcmp(document.bytes, "\xEF\xBB\xBF", 3) == 0) {
        document.bytes += 3;
        document.length -= 3;
    }
    for (bool good = true; valid < document.length && good;) {
        uint32_t c;
        size_t n = utf8_next(document.bytes + valid, document.length - valid,
                             &c, &good);

        if (!good)
            return error_set(err, STATUS_FORMAT, "it is not UTF-8 at byte %zu",
                             valid);
        valid += n;
    }
    switch (json_items_kind(document)) {
    case '{':
        return open_fathom(import, document, err);
    case '[':
        return open_list(import, document, err);
    default:
        return error_set(err, STATUS_FORMAT,
                         "it is no export that is known here");
    }
}

enum status
history_import_open(struct history_import **out, struct text document,
                    struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    **out = (struct history_import){0};
    enum status status = open_document(*out, document, err);

    if (status != STATUS_OK) {
        history_import_close(*out);
        *out = NULL;
        return status;
    }
    history_import_rewind(*out);
    return STATUS_OK;
}

void
history_import_close(struct history_import *import)
{
    if (import == NULL)
        return;
    import_chat_release(&import->chat);
    free(import->logged);
    free(import);
}

const char *
history_import_format(const struct history_import *import)
{
    static const char *const names[] = {
        [IMPORT_FATHOM] = "a fathom export",
        [IMPORT_OPENAI] = "an OpenAI export",
        [IMPORT_LLM] = "a log of llm",
    };

    return names[import->format];
}

void
history_import_rewind(struct history_import *import)
{
    import->items = (struct json_items){.document = import->list};
    import->number = 0;
    import->next = 0;
}

/* -- chats -------------------------------------------------------------------
 */

static enum status
read_item(struct history_import *import, bool *found, struct error *err)
{
    struct text bytes;
    json_t *item;

    TRY(json_items_next(&bytes, &import->items, err));
    *found = bytes.bytes != NULL;
    if (!*found)
        return STATUS_OK;
    TRY(json_items_parse(&item, bytes, err));
    enum status status = import->format == IMPORT_FATHOM
                             ? import_fathom(&import->chat, item, err)
                             : import_openai(&import->chat, item, err);

    json_decref(item);
    return status;
}

static enum status
read_chat(struct history_import *import, bool *found, struct error *err)
{
    TRY(import->format == IMPORT_LLM ? read_log(import, found, err)
                                     : read_item(import, found, err));
    if (!*found)
        return STATUS_OK;
    if (import->format != IMPORT_FATHOM)
        TRY(import_chat_describe(&import->chat, err));
    return import_chat_settle(&import->chat, err);
}

enum status
history_import_next(const struct import_chat **out,
                    struct history_import *import, struct error *err)
{
    struct error why;
    bool found = false;

    *out = NULL;
    import_chat_release(&import->chat);
    import->number++;
    enum status status = read_chat(import, &found, &why);

    if (status != STATUS_OK)
        return error_set(err, status, "chat %zu: %s", import->number, why.text);
    if (found)
        *out = &import->chat;
    return STATUS_OK;
}
