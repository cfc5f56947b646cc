/* Names may be any bytes, which JSON does not take: they go as base64. */
#include "config.h"

#include "app/chat/chat_handed.h"

#include "app/preset.h"

#include <stdio.h>
#include <string.h>

/* -- bytes -----------------------------------------------------------------
 */

/* False: there is no memory for it. */
static bool
put_bytes(json_t *object, const char *name, const char *bytes)
{
    struct buffer text = {0};
    struct error err;
    bool put = base64_encode(&text, bytes, strlen(bytes), &err) == STATUS_OK &&
               json_object_set_new(
                   object, name, json_string(text.data ? text.data : "")) == 0;

    buffer_release(&text);
    return put;
}

static void
take_bytes(char *out, size_t size, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    struct buffer bytes = {0};
    struct error err;

    *out = '\0';
    if (text != NULL &&
        base64_decode(&bytes, text, strlen(text), &err) == STATUS_OK)
        snprintf(out, size, "%.*s", (int) bytes.length,
                 bytes.data ? bytes.data : "");
    buffer_release(&bytes);
}

/* -- the model -------------------------------------------------------------
 */

json_t *
chat_hand_model(const struct chat *chat)
{
    json_t *model = json_pack(
        "{s:b, s:b, s:b, s:I, s:f}", "opened", chat->opened, "thinks",
        chat->thinks, "switch", chat->has_switch, "context",
        (json_int_t) chat->context, "temp", chat->recommended.temperature);

    if (put_bytes(model, "path", chat->path) &&
        put_bytes(model, "name", chat->model) &&
        put_bytes(model, "family", chat->family))
        return model;
    json_decref(model);
    return NULL;
}

void
chat_take_model(struct chat *chat, const json_t *model)
{
    take_bytes(chat->path, sizeof chat->path, model, "path");
    take_bytes(chat->model, sizeof chat->model, model, "name");
    take_bytes(chat->family, sizeof chat->family, model, "family");
    chat->opened = json_is_true(json_object_get(model, "opened"));
    chat->thinks = json_is_true(json_object_get(model, "thinks"));
    chat->has_switch = json_is_true(json_object_get(model, "switch"));
    chat->context =
        (uint64_t) json_integer_value(json_object_get(model, "context"));
    chat->recommended.temperature =
        json_number_value(json_object_get(model, "temp"));
}

/* -- how it is asked -------------------------------------------------------
 */

struct handed_number {
    const char *name;
    size_t at; // in struct generation
};

#define NUMBER(field) #field, offsetof(struct generation, field)

static const struct handed_number counts[] = {{NUMBER(think_budget)},
                                              {NUMBER(max_tokens)},
                                              {NUMBER(top_k)},
                                              {NUMBER(seed)}};
static const struct handed_number reals[] = {{NUMBER(temperature)},
                                             {NUMBER(top_p)},
                                             {NUMBER(min_p)},
                                             {NUMBER(repeat_penalty)}};

enum {
    COUNTS = sizeof counts / sizeof *counts,
    REALS = sizeof reals / sizeof *reals
};

static json_t *
generation_object(const struct generation *g)
{
    json_t *object = json_object();
    struct option_count count;
    struct option_real real;

    if (g->think)
        json_object_set_new(object, "think", json_string(g->think));
    for (size_t i = 0; i < COUNTS; i++) {
        memcpy(&count, (const char *) g + counts[i].at, sizeof count);
        if (count.given)
            json_object_set_new(object, counts[i].name,
                                json_integer((json_int_t) count.value));
    }
    for (size_t i = 0; i < REALS; i++) {
        memcpy(&real, (const char *) g + reals[i].at, sizeof real);
        if (real.given)
            json_object_set_new(object, reals[i].name, json_real(real.value));
    }
    return object;
}

static void
take_generation(struct generation *g, const json_t *object)
{
    const char *think = json_string_value(json_object_get(object, "think"));

    g->think = think == NULL ? NULL : strcmp(think, "on") == 0 ? "on" : "off";
    for (size_t i = 0; i < COUNTS; i++) {
        const json_t *value = json_object_get(object, counts[i].name);
        struct option_count count = {value != NULL,
                                     (uint64_t) json_integer_value(value)};

        memcpy((char *) g + counts[i].at, &count, sizeof count);
    }
    for (size_t i = 0; i < REALS; i++) {
        const json_t *value = json_object_get(object, reals[i].name);
        struct option_real real = {value != NULL, json_number_value(value)};

        memcpy((char *) g + reals[i].at, &real, sizeof real);
    }
}

/* -- settings --------------------------------------------------------------
 */

static void
name_of(char out[80], const struct ini_row *row)
{
    snprintf(out, 80, "%s.%s", row->section, row->name);
}

/* Those that count at once, by /set or from a file. */
static json_t *
live_object(void)
{
    json_t *object = json_object();
    char name[80], value[INI_TEXT_BYTES];

    for (size_t i = 0; i < settings_table.rows; i++) {
        const struct ini_row *row = &settings_table.row[i];

        name_of(name, row);
        if (row->live && ini_value(value, settings_now(), row))
            json_object_set_new(object, name, json_string(value));
    }
    return object;
}

/* Those that the files do not say so were changed in this chat. */
static void
take_live(const json_t *object)
{
    char name[80], before[INI_TEXT_BYTES];
    struct error err;

    for (size_t i = 0; i < settings_table.rows; i++) {
        const struct ini_row *row = &settings_table.row[i];

        name_of(name, row);
        const char *value = json_string_value(json_object_get(object, name));

        if (value == NULL || (ini_value(before, settings_now(), row) &&
                              strcmp(before, value) == 0))
            continue;
        if (settings_change(name, value, &err) != STATUS_OK)
            log_warn("%s", err.text);
    }
}

/* The system text that the preset in use has; NULL: none. */
static const char *
preset_system(const char *preset)
{
    struct generation filled = {0};
    struct error err;
    int code;

    if (*preset == '\0' ||
        preset_fill(&filled, preset, true, &code, &err) != STATUS_OK)
        return NULL;
    return filled.system;
}

/* Whether the chat has the preset's text, and no vault has the chat. */
static bool
has_preset_system(const struct chat *chat)
{
    const struct buffer *system = &chat->conversation.system;
    const char *text = preset_system(chat->preset);

    return chat->keeping.chat == NULL && text != NULL &&
           strlen(text) == system->length &&
           memcmp(text, system->data, system->length) == 0;
}

static void
take_preset_system(struct chat *chat)
{
    const char *text = preset_system(chat->preset);
    struct error err;

    if (text != NULL &&
        conversation_set_system(&chat->conversation, text, strlen(text),
                                &err) != STATUS_OK)
        log_warn("%s", err.text);
}

json_t *
chat_hand_settings(const struct chat *chat)
{
    return json_pack(
        "{s:o, s:o, s:s, s:b, s:I, s:b}", "generation",
        generation_object(&chat->generation), "live", live_object(), "preset",
        chat->preset, "system", has_preset_system(chat), "lock_after",
        (json_int_t) chat->lock_after_ns, "show", chat->show_thinking);
}

void
chat_take_settings(struct chat *chat, const json_t *settings)
{
    const char *preset = json_string_value(json_object_get(settings, "preset"));

    take_live(json_object_get(settings, "live"));
    take_generation(&chat->generation, json_object_get(settings, "generation"));
    text_copy(chat->preset, sizeof chat->preset, preset ? preset : "");
    if (json_is_true(json_object_get(settings, "system")))
        take_preset_system(chat);
    chat->lock_after_ns =
        (uint64_t) json_integer_value(json_object_get(settings, "lock_after"));
    chat->show_thinking = json_is_true(json_object_get(settings, "show"));
}
