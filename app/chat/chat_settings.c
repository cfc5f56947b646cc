/* Commands that say how the model is asked: texts, sampling, the model. */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/gauges/gauges.h"
#include "app/options.h"
#include "app/preset.h"
#include "app/question.h"
#include "app/settings_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
show_system(struct chat *chat)
{
    const struct buffer *system = &chat->conversation.system;

    if (system->length == 0)
        chat_say(chat, "there is no system text; /system TEXT or /system "
                       "@FILE sets one");
    else
        chat_print(chat, (struct print_style){0}, system->data, system->length);
}

static enum status
read_system_file(struct chat *chat, const char *path, struct error *err)
{
    char expanded[PLACE_BYTES];
    struct buffer text = {0};
    int code;

    if (!chat_expand_path(expanded, path))
        return error_set(err, STATUS_LIMIT, "the file's name is too long");
    enum status status = question_read_file(&text, expanded, &code, err);

    if (status == STATUS_OK)
        status = conversation_set_system(&chat->conversation, text.data,
                                         text.length, err);
    buffer_release(&text);
    return status;
}

void
chat_run_system(struct chat *chat, const char *arguments)
{
    struct error err;
    enum status status;

    if (*arguments == '\0') {
        show_system(chat);
        return;
    }
    if (strcmp(arguments, "none") == 0)
        status = conversation_set_system(&chat->conversation, "", 0, &err);
    else if (arguments[0] == '@')
        status = read_system_file(chat, arguments + 1, &err);
    else
        status = conversation_set_system(&chat->conversation, arguments,
                                         strlen(arguments), &err);
    if (status == STATUS_OK)
        chat_moved(chat);
    if (status != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        chat_say(chat, "%s, from the next answer on",
                 chat->conversation.system.length > 0 ? "system text set"
                                                      : "no system text");
}

void
chat_run_temp(struct chat *chat, const char *arguments)
{
    struct option_real *temperature = &chat->generation.temperature;
    double value;

    if (chat_is_word(arguments, "default")) {
        temperature->given = false;
    } else if (*arguments != '\0') {
        if (!option_read_real(arguments, &value) || value < 0 ||
            value > GENERATION_MAX_TEMPERATURE) {
            chat_say_usage(chat, "temp");
            return;
        }
        *temperature = (struct option_real){true, value};
    }
    if (temperature->given)
        chat_say(chat, "temperature %g", temperature->value);
    else if (chat->opened)
        chat_say(chat, "temperature %g, as the model recommends",
                 chat->recommended.temperature);
    else
        chat_say(chat, "temperature as the model recommends");
}

void
chat_run_seed(struct chat *chat, const char *arguments)
{
    struct option_count *seed = &chat->generation.seed;
    uint64_t value;

    if (chat_is_word(arguments, "random")) {
        seed->given = false;
    } else if (*arguments != '\0') {
        if (!option_read_count(arguments, &value) ||
            (double) value > GENERATION_MAX_SEED) {
            chat_say_usage(chat, "seed");
            return;
        }
        *seed = (struct option_count){true, value};
    }
    if (seed->given)
        chat_say(chat, "seed %llu: the same question gets the same answer",
                 (unsigned long long) seed->value);
    else if (chat->last.known)
        chat_say(chat, "a new seed for each answer; the last was %lld",
                 (long long) chat->last.done.sampling.seed);
    else
        chat_say(chat, "a new seed for each answer");
}

/* -- presets ----------------------------------------------------------------
 */

static void
list_presets(struct chat *chat)
{
    const struct settings *s = settings_now();
    struct buffer text = {0};
    struct error err;

    if (s->preset_count == 0) {
        chat_say(chat, "there are no presets; [preset.NAME] in fathom.conf "
                       "makes one");
        return;
    }
    // without memory the list is shorter
    for (size_t i = 0; i < s->preset_count; i++)
        (void) !buffer_print(
            &text, &err, "%c %s\n",
            strcmp(chat->preset, s->presets[i].name) == 0 ? '*' : ' ',
            s->presets[i].name);
    (void) !buffer_print(
        &text, &err, "* in use; /preset NAME chooses, none takes it back\n");
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

static void
leave_preset(struct chat *chat)
{
    chat->generation = chat->settings->generation;
    chat->preset[0] = '\0';
    chat_say(chat, "sampling and thinking are as this chat began; the system "
                   "text stays");
}

static void
use_preset(struct chat *chat, const char *name)
{
    struct generation changed = chat->settings->generation;
    struct error err;
    enum status status;
    int code;

    changed.system = NULL;
    status = preset_fill(&changed, name, true, &code, &err);
    if (status == STATUS_OK && changed.system)
        status = conversation_set_system(&chat->conversation, changed.system,
                                         strlen(changed.system), &err);
    if (status != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    chat->generation = changed;
    text_copy(chat->preset, sizeof chat->preset, name);
    if (changed.system)
        chat_moved(chat);
    chat_say(chat, "preset %s, from the next answer on%s", name,
             changed.system ? ", with its system text" : "");
}

/* The one after the one in use, then none, then the first. */
static void
next_preset(struct chat *chat)
{
    const struct settings *s = settings_now();
    size_t i = 0;

    while (i < s->preset_count && chat->preset[0] != '\0' &&
           strcmp(s->presets[i].name, chat->preset) != 0)
        i++;
    i += chat->preset[0] != '\0';
    if (i < s->preset_count)
        use_preset(chat, s->presets[i].name);
    else if (s->preset_count > 0)
        leave_preset(chat);
    else
        list_presets(chat);
}

void
chat_run_preset(struct chat *chat, const char *arguments)
{
    if (*arguments == '\0')
        list_presets(chat);
    else if (strcmp(arguments, "next") == 0)
        next_preset(chat);
    else if (strcmp(arguments, "none") == 0)
        leave_preset(chat);
    else
        use_preset(chat, arguments);
}

/* -- settings ---------------------------------------------------------------
 */

static void
print_setting(struct buffer *out, const struct ini_row *row)
{
    char value[INI_TEXT_BYTES], key[80];
    struct error err;
    bool given = ini_value(value, settings_now(), row);

    snprintf(key, sizeof key, "%s.%s", row->section, row->name);
    // without memory the list is shorter
    (void) !buffer_print(out, &err, "%-22s %-8s %s\n", key,
                         given ? value : "not set", row->help);
}

static void
list_settings(struct chat *chat)
{
    struct buffer text = {0};

    for (size_t i = 0; i < settings_table.rows; i++)
        if (settings_table.row[i].live)
            print_setting(&text, &settings_table.row[i]);
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

/* What was said in this chat gives way to what is said now. */
static void
take_setting(struct chat *chat, const char *key)
{
    if (strcmp(key, "thinking.effort") == 0)
        chat->generation.think = NULL;
    if (strcmp(key, "thinking.budget") == 0)
        chat->generation.think_budget.given = false;
    if (strcmp(key, "thinking.view") == 0)
        chat->show_thinking = settings_thought_view() != THOUGHT_HIDE;
    if (strcmp(key, "ui.lock_after") == 0)
        chat->lock_after_ns = UINT64_C(1000000) * settings_lock_after_ms();
}

static void
change_setting(struct chat *chat, const char *key, const char *value)
{
    struct error err;

    if (settings_change(key, value, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    take_setting(chat, key);
    chat_say(chat, "%s is %s until you leave", key, value);
}

/* The variable that goes before a setting, where it has a value. */
static const char *
variable_before(const char *key)
{
    const char *name = strcmp(key, "model.default") == 0 ? "FATHOM_MODEL"
                       : strcmp(key, "model.path") == 0  ? "FATHOM_MODEL_PATH"
                                                         : NULL;
    const char *value = name ? getenv(name) : NULL;

    return value && *value ? name : NULL;
}

static void
keep_setting(struct chat *chat, const char *key, const char *value)
{
    char shown[SETTINGS_SHOWN];
    struct error err;

    if (settings_keep(shown, key, value, &err) != STATUS_OK) {
        chat_say(chat, "%s", err.text);
        return;
    }
    bool live = ini_find(&settings_table, key)->live;
    const char *variable = variable_before(key);

    if (live)
        take_setting(chat, key);
    if (variable)
        chat_say(chat, "%s = %s is in %s now, but %s goes before it", key,
                 value, shown, variable);
    else
        chat_say(chat, "%s = %s is in %s now, %s", key, value, shown,
                 live ? "and counts at once" : "for the next start");
}

void
chat_run_set(struct chat *chat, const char *arguments)
{
    const struct ini_row *row;
    struct buffer text = {0};
    const char *value;
    char key[80];
    bool keep = chat_is_word(arguments, "--keep");

    if (keep)
        (void) chat_first_word(arguments, &arguments);
    snprintf(key, sizeof key, "%.*s", (int) chat_first_word(arguments, &value),
             arguments);
    row = ini_find(&settings_table, key);
    if (keep && *value == '\0') {
        chat_say_usage(chat, "set");
    } else if (keep) {
        keep_setting(chat, key, value);
    } else if (*arguments == '\0') {
        list_settings(chat);
    } else if (*value != '\0') {
        change_setting(chat, key, value);
    } else if (row == NULL) {
        chat_say(chat, "there is no setting of that name; /set lists those "
                       "that can change now, fathom.conf(5) has all");
    } else {
        print_setting(&text, row);
        chat_print(chat, (struct print_style){0}, text.data, text.length);
    }
    buffer_release(&text);
}

/* -- the model --------------------------------------------------------------
 */

static void
print_name(void *context, const char *name)
{
    struct error err;

    // without memory the list is shorter
    (void) !buffer_print(context, &err, "%s\n", name);
}

static void
list_models(struct chat *chat)
{
    struct buffer text = {0};

    print_name(&text, "models with a name, for /model NAME:");
    places_each_model(print_name, &text);
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

static void
show_model(struct chat *chat)
{
    char shown[400];

    text_quote(shown, sizeof shown, chat->path, strlen(chat->path));
    if (chat->opened)
        chat_say(chat, "%s, prompts of %s, in %s", chat->model, chat->family,
                 shown);
    else
        chat_say(chat, "still loading %s", shown);
}

/*
 * Opens another model; the one before comes back if that fails. A lock does not
 * wait for it: the engine goes on loading behind the locked vault.
 */
static void
switch_model(struct chat *chat, const char *path)
{
    char before[PLACE_BYTES];
    struct error err, again;

    memcpy(before, chat->path, sizeof before);
    snprintf(chat->path, sizeof chat->path, "%s", path);
    chat->opened = false;
    enum status status = chat_start_engine(chat, &err);

    if (status == STATUS_OK)
        status = chat_wait_opened(chat, &err);
    if (status == STATUS_OK && chat->opened) {
        chat->last.known = false;
        gauges_forget();
        show_model(chat);
        return;
    }
    chat->opened = true;
    if (status == STATUS_OK && chat->locking)
        return;
    memcpy(chat->path, before, sizeof before);
    if (chat->quit)
        return;
    chat->code = EXIT_SUCCESS; // nothing of this is the end of the chat
    chat_say(chat, "%s; back to the model before", err.text);
    if (chat_start_engine(chat, &again) != STATUS_OK)
        chat_say(chat, "%s", again.text);
}

void
chat_run_model(struct chat *chat, const char *arguments)
{
    char path[PLACE_BYTES], expanded[PLACE_BYTES];
    struct error err;

    if (*arguments == '\0') {
        show_model(chat);
        list_models(chat);
    } else if (!chat_expand_path(expanded, arguments))
        chat_say(chat, "the model's name is too long");
    else if (places_model(path, expanded, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        switch_model(chat, path);
}
