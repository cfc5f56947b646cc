/*
 * The settings in force, and where each comes from: `fathom doctor --config`.
 * What is told is collected as JSON, from which the lines are made too.
 */
#include "config.h"

#include "app/doctor/doctor.h"

#include "app/policy.h"
#include "app/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 80, KEY_COLUMNS = 24, VALUE_COLUMNS = 14 };

/* {"key", "value", "from", "line"}; "line" is null where there is none. */
static void
put(json_t *list, const char *key, const char *value, const char *from,
    unsigned line)
{
    json_t *number = line > 0 ? json_integer(line) : json_null();

    // without memory the list is shorter
    json_array_append_new(list, json_pack("{s:s, s:s?, s:s, s:o}", "key", key,
                                          "value", value, "from", from, "line",
                                          number));
}

static json_t *
find(json_t *list, const char *key)
{
    json_t *entry;
    size_t i;

    json_array_foreach(
        list, i,
        entry) if (strcmp(json_string_value(json_object_get(entry, "key")),
                          key) == 0) return entry;
    return NULL;
}

static void
take(void *context, const char *file, const struct ini_row *row,
     const char *section, const char *value, unsigned line)
{
    json_t *list = context, *known;
    char key[KEY_BYTES];

    snprintf(key, sizeof key, "%s.%s", section, row->name);
    known = find(list, key);
    if (known == NULL) {
        put(list, key, value, file, line);
        return;
    }
    json_object_set_new(known, "value", json_string(value));
    json_object_set_new(known, "from", json_string(file));
    json_object_set_new(known, "line", json_integer(line));
}

/* What counts where nothing is set, and what the policy makes of it. */
static void
fill_in_force(struct settings *s)
{
    struct screen_settings screen = settings_screen();
    const struct {
        struct option_count *count;
        uint64_t value;
    } known[] = {
        {&s->model_verify, settings_verify()},
        {&s->vault_save, settings_save()},
        {&s->vault_kdf, settings_kdf()},
        {&s->memory_swap, settings_swap()},
        {&s->lock_after, settings_lock_after_ms()},
        {&s->vault_cache, settings_cache_bytes() >> 20},
        {&s->thinking_view, settings_thought_view()},
        {&s->loop_break, settings_loop_break()},
        {&s->face, settings_face()},
        {&s->enter, settings_enter()},
        {&s->theme, screen.theme},
        {&s->mouse, screen.mouse},
        {&s->notify, screen.notify},
        {&s->clipboard, screen.clipboard},
        {&s->ambiguous_width, settings_ambiguous_width() - 1},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        *known[i].count = (struct option_count){true, known[i].value};
}

/* The variable that goes before this setting, where it has a value. */
static const char *
variable_of(const char *key)
{
    static const char *const variables[][2] = {
        {"model.default", "FATHOM_MODEL"},
        {"model.path", "FATHOM_MODEL_PATH"},
    };

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (strcmp(key, variables[i][0]) == 0) {
            const char *value = getenv(variables[i][1]);

            return value && *value ? variables[i][1] : NULL;
        }
    return NULL;
}

/* Whether the policy, not the user, has the last word on a row. */
static bool
is_decided(const struct ini_row *row, bool told,
           const struct option_count *in_force)
{
    const struct policy *p = policy_now();
    const struct {
        size_t offset;
        struct option_count rule;
    } rules[] = {
        {offsetof(struct settings, model_verify), p->model_verify},
        {offsetof(struct settings, vault_save), p->vault_save},
        {offsetof(struct settings, vault_kdf), p->vault_min_kdf},
        {offsetof(struct settings, lock_after), p->lock_after},
        {offsetof(struct settings, memory_swap), p->swap},
        {offsetof(struct settings, clipboard), p->clipboard},
    };
    const struct option_count *asked =
        (const void *) ((const char *) settings_now() + row->offset);

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (row->offset == rules[i].offset)
            return rules[i].rule.given &&
                   rules[i].rule.value == in_force->value &&
                   !(told && asked->value == in_force->value);
    return false;
}

static void
settle(json_t *out, json_t *told, const struct settings *in_force,
       const struct ini_row *row)
{
    const void *place = (const char *) in_force + row->offset;
    char key[KEY_BYTES], value[INI_TEXT_BYTES];
    const char *variable;
    json_t *known;

    snprintf(key, sizeof key, "%s.%s", row->section, row->name);
    known = find(told, key);
    variable = variable_of(key);
    bool given = ini_value(value, in_force, row);

    if (variable)
        put(out, key, getenv(variable), variable, 0);
    else if (is_decided(row, known != NULL, place))
        put(out, key, value, policy_path(), 0);
    else if (known == NULL)
        put(out, key, given ? value : NULL, "default", 0);
    else
        json_array_append(out, known);
}

/* Settings of presets stand as they were told. */
static void
append_presets(json_t *out, json_t *told)
{
    static const char preset[] = "preset.";
    json_t *entry;
    size_t i;

    json_array_foreach(told, i, entry)
    {
        const char *key = json_string_value(json_object_get(entry, "key"));

        if (strncmp(key, preset, sizeof preset - 1) == 0)
            json_array_append(out, entry);
    }
}

enum status
doctor_config(json_t **out, int *code, struct error *err)
{
    static struct settings in_force;
    json_t *told = json_array();
    enum status status = settings_start_telling(take, told, code, err);

    *out = NULL;
    if (status == STATUS_OK && (*out = json_array()) == NULL)
        status = error_set(err, STATUS_NOMEM, "out of memory for the settings");
    if (status == STATUS_OK) {
        in_force = *settings_now();
        fill_in_force(&in_force);
        for (size_t i = 0; i < settings_table.rows; i++)
            if (strcmp(settings_table.row[i].section, "preset.") != 0)
                settle(*out, told, &in_force, &settings_table.row[i]);
        append_presets(*out, told);
    }
    json_decref(told);
    return status;
}

enum status
doctor_config_lines(struct buffer *out, const json_t *settings,
                    struct error *err)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(settings, i, entry)
    {
        const json_t *line = json_object_get(entry, "line");
        const char *value = json_string_value(json_object_get(entry, "value"));

        TRY(buffer_print(out, err, "%-*s %-*s %s", KEY_COLUMNS,
                         json_string_value(json_object_get(entry, "key")),
                         VALUE_COLUMNS, value ? value : "-",
                         json_string_value(json_object_get(entry, "from"))));
        if (json_is_integer(line))
            TRY(buffer_print(out, err, " line %d",
                             (int) json_integer_value(line)));
        TRY(buffer_append(out, "\n", 1, err));
    }
    return STATUS_OK;
}
