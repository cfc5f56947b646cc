/* Commands that say how the model is asked: texts, sampling, the model. */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/options.h"
#include "app/question.h"

#include <stdio.h>
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

/* Opens another model; the one before comes back if that fails. */
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
        show_model(chat);
        return;
    }
    memcpy(chat->path, before, sizeof before);
    chat->opened = true;
    if (chat->quit)
        return;
    chat_say(chat, "%s; back to the model before", err.text);
    if (chat_start_engine(chat, &again) != STATUS_OK)
        chat_say(chat, "%s", again.text);
}

void
chat_run_model(struct chat *chat, const char *arguments)
{
    char path[PLACE_BYTES], expanded[PLACE_BYTES];
    struct error err;

    if (*arguments == '\0')
        show_model(chat);
    else if (!chat_expand_path(expanded, arguments))
        chat_say(chat, "the model's name is too long");
    else if (places_model(path, expanded, &err) != STATUS_OK)
        chat_say(chat, "%s", err.text);
    else
        switch_model(chat, path);
}
