/* One pass over argv; every refusal is a sentence about one argument. */
#include "config.h"

#include "app/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_BYTES = 80 }; // of an argument, in a message

static const char *
shown(char out[SHOWN_BYTES], const char *text)
{
    return text_quote(out, SHOWN_BYTES, text, strlen(text));
}

bool
option_read_count(const char *text, uint64_t *out)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits] != '\0')
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);

    if (errno != 0)
        return false;
    *out = value;
    return true;
}

bool
option_read_real(const char *text, double *out)
{
    size_t length = strspn(text, "0123456789.eE+-");

    if (length == 0 || text[length] != '\0' || text[0] == '+')
        return false;
    char *end;
    double value = strtod(text, &end);

    if (*end != '\0' || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool
option_read_duration(const char *text, uint64_t *out_ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"", 1e3},    {"ms", 1},     {"s", 1e3},    {"m", 6e4},
                 {"h", 3.6e6}, {"d", 8.64e7}, {"w", 6.048e8}};
    size_t digits = strspn(text, "0123456789.");
    char number[32];
    double value;

    if (digits == 0 || digits >= sizeof number)
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    if (!option_read_real(number, &value))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + digits, units[i].name) == 0) {
            *out_ms = (uint64_t) llround(fmin(value * units[i].ms, 1e15));
            return true;
        }
    return false;
}

bool
option_is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);

    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, text, length) == 0 &&
            (at[length] == '|' || at[length] == '\0'))
            return length > 0;
    }
    return false;
}

static const struct option *
find_name(const struct command *command, const char *name, size_t length)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const char *known = command->options[i].name;

        if (known && strncmp(known, name, length) == 0 && known[length] == '\0')
            return &command->options[i];
    }
    return NULL;
}

static const struct option *
find_letter(const struct command *command, char letter)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].letter == letter)
            return &command->options[i];
    return NULL;
}

/* How the option was written: "--seed" or "-n". */
static const char *
spelled(char out[SHOWN_BYTES], const struct option *option, bool as_name)
{
    if (as_name)
        snprintf(out, SHOWN_BYTES, "--%s", option->name);
    else
        snprintf(out, SHOWN_BYTES, "-%c", option->letter);
    return out;
}

static enum status
bad_value(const struct option *option, const char *flag, const char *value,
          struct error *err)
{
    char quoted[SHOWN_BYTES];

    shown(quoted, value);
    switch (option->kind) {
    case OPTION_CHOICE:
        return error_set(err, STATUS_FORMAT, "%s takes %s, not '%s'", flag,
                         option->argument, quoted);
    case OPTION_DURATION:
        return error_set(err, STATUS_FORMAT,
                         "%s takes a time such as 30s, 500ms, 2m, 1h or 7d, "
                         "not '%s'",
                         flag, quoted);
    case OPTION_COUNT:
        return error_set(err, STATUS_FORMAT,
                         "%s takes a whole number from %.0f to %.0f, not '%s'",
                         flag, option->least, option->most, quoted);
    case OPTION_REAL:
        return error_set(err, STATUS_FORMAT,
                         "%s takes a number from %g to %g, not '%s'", flag,
                         option->least, option->most, quoted);
    case OPTION_FLAG:
    case OPTION_OPTIONAL:
    case OPTION_TEXT:
    case OPTION_FILE:
    case OPTION_MODEL:
    case OPTION_LIST:
    case OPTION_FILES:
    case OPTION_REFUSED:
        break;
    }
    return error_set(err, STATUS_FORMAT, "%s needs a value (%s)", flag,
                     option->argument);
}

static enum status
list_append(struct option_list *list, const char *item, struct error *err)
{
    size_t bytes = (list->count + 2) * sizeof *list->items;
    const char **items = fault_due() ? NULL : realloc(list->items, bytes);

    if (items == NULL)
        return error_set(err, STATUS_NOMEM, "out of memory for the arguments");
    list->items = items;
    items[list->count++] = item;
    items[list->count] = NULL;
    return STATUS_OK;
}

static enum status
store_number(const struct option *option, const char *flag, const char *value,
             void *place, struct error *err)
{
    struct option_count *count = place;
    struct option_real *real = place;
    bool good;

    if (option->kind == OPTION_REAL) {
        good = option_read_real(value, &real->value) &&
               real->value >= option->least && real->value <= option->most;
        real->given = true;
    } else if (option->kind == OPTION_COUNT) {
        good = option_read_count(value, &count->value) &&
               (double) count->value >= option->least &&
               (double) count->value <= option->most;
        count->given = true;
    } else {
        good = option_read_duration(value, &count->value);
        count->given = true;
    }
    return good ? STATUS_OK : bad_value(option, flag, value, err);
}

static enum status
store(const struct option *option, const char *flag, const char *value,
      char *settings, struct error *err)
{
    void *place = settings + option->offset;

    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *) place = true;
        return STATUS_OK;
    case OPTION_CHOICE:
        if (!option_is_choice(option->argument, value))
            return bad_value(option, flag, value, err);
        *(const char **) place = value;
        return STATUS_OK;
    case OPTION_FILE:
    case OPTION_MODEL:
        if (*value == '\0')
            return bad_value(option, flag, value, err);
        *(const char **) place = value;
        return STATUS_OK;
    case OPTION_TEXT:
    case OPTION_OPTIONAL:
        *(const char **) place = value;
        return STATUS_OK;
    case OPTION_FILES:
        if (*value == '\0')
            return bad_value(option, flag, value, err);
        return list_append(place, value, err);
    case OPTION_LIST:
        return list_append(place, value, err);
    case OPTION_COUNT:
    case OPTION_DURATION:
    case OPTION_REAL:
        return store_number(option, flag, value, place, err);
    case OPTION_REFUSED:
        break;
    }
    return error_set(err, STATUS_UNSUPPORTED, "%s: %s", flag, option->help);
}

/* The arguments still to come. */
struct cursor {
    int left;
    char **next;
};

static enum status
take_name(struct parsed *out, const struct command *command,
          const char *argument, struct cursor *rest, struct error *err)
{
    const char *name = argument + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t) (equals - name) : strlen(name);
    const struct option *option = find_name(command, name, length);
    char flag[SHOWN_BYTES];

    if (option == NULL && strcmp(name, "help") == 0) {
        out->help = true;
        return STATUS_OK;
    }
    if (option == NULL) {
        text_quote(flag, sizeof flag, argument, length + 2);
        return error_set(err, STATUS_FORMAT, "there is no option %s", flag);
    }
    spelled(flag, option, true);
    if (option->kind == OPTION_FLAG && equals)
        return error_set(err, STATUS_FORMAT, "%s takes no value", flag);
    if (option->kind == OPTION_FLAG || option->kind == OPTION_OPTIONAL ||
        option->kind == OPTION_REFUSED || equals)
        return store(option, flag, equals ? equals + 1 : "", out->settings,
                     err);
    if (rest->left == 0)
        return error_set(err, STATUS_FORMAT, "%s needs a value (%s)", flag,
                         option->argument);
    rest->left--;
    return store(option, flag, *rest->next++, out->settings, err);
}

static enum status
take_letters(struct parsed *out, const struct command *command,
             const char *argument, struct cursor *rest, struct error *err)
{
    char flag[SHOWN_BYTES];

    for (const char *at = argument + 1; *at != '\0'; at++) {
        const struct option *option = find_letter(command, *at);

        if (option == NULL) {
            // a whole character, were it typed in another alphabet
            size_t rest_length = strlen(at);
            uint32_t code_point;
            bool valid;
            size_t n = utf8_next(at, rest_length, &code_point, &valid);

            text_quote(flag, sizeof flag, at, n);
            return error_set(err, STATUS_FORMAT, "there is no option -%s",
                             flag);
        }
        spelled(flag, option, false);
        if (option->kind == OPTION_FLAG) {
            TRY(store(option, flag, "", out->settings, err));
            continue;
        }
        if (at[1] != '\0' || option->kind == OPTION_REFUSED)
            return store(option, flag, at + 1, out->settings, err);
        if (rest->left == 0)
            return error_set(err, STATUS_FORMAT, "%s needs a value (%s)", flag,
                             option->argument);
        rest->left--;
        return store(option, flag, *rest->next++, out->settings, err);
    }
    return STATUS_OK;
}

static enum status
check_operands(const struct command *command,
               const struct option_list *operands, struct error *err)
{
    char quoted[SHOWN_BYTES];

    if (operands->count > command->operands_most) {
        shown(quoted, operands->items[command->operands_most]);
        return error_set(err, STATUS_FORMAT,
                         "there is one argument too many: '%s'%s", quoted,
                         command->operand == OPERAND_TEXT
                             ? " (put the whole text in quotes)"
                             : "");
    }
    if (operands->count < command->operands_least)
        return error_set(err, STATUS_FORMAT, "an argument is missing: %s",
                         command->usage[0]);
    for (size_t i = 0; i < operands->count && command->choices; i++)
        if (!option_is_choice(command->choices, operands->items[i]))
            return error_set(err, STATUS_FORMAT, "'%s' is none of %s",
                             shown(quoted, operands->items[i]),
                             command->choices);
    return STATUS_OK;
}

static enum status
take_all(struct parsed *out, const struct command *command, struct cursor *rest,
         struct error *err)
{
    bool options = true;

    while (rest->left > 0 && !out->help) {
        const char *argument = *rest->next++;

        rest->left--;
        if (options && strcmp(argument, "--") == 0)
            options = false;
        else if (options && strncmp(argument, "--", 2) == 0)
            TRY(take_name(out, command, argument, rest, err));
        else if (options && argument[0] == '-' && argument[1] != '\0')
            TRY(take_letters(out, command, argument, rest, err));
        else
            TRY(list_append(&out->operands, argument, err));
    }
    return out->help ? STATUS_OK : check_operands(command, &out->operands, err);
}

enum status
options_parse(struct parsed *out, const struct command *command, int argc,
              char **argv, struct error *err)
{
    struct cursor rest = {argc, argv};
    size_t bytes = command->settings_bytes;

    *out = (struct parsed){0};
    TRY(memory_alloc(&out->settings, bytes ? bytes : 1, err));
    memset(out->settings, 0, bytes);
    return take_all(out, command, &rest, err);
}

void
parsed_release(struct parsed *parsed, const struct command *command)
{
    for (size_t i = 0; i < command->option_count && parsed->settings; i++) {
        const struct option *option = &command->options[i];

        if (option->kind == OPTION_LIST || option->kind == OPTION_FILES) {
            struct option_list *list =
                (void *) ((char *) parsed->settings + option->offset);

            free(list->items);
            *list = (struct option_list){0};
        }
    }
    free(parsed->settings);
    free(parsed->operands.items);
    *parsed = (struct parsed){0};
}
