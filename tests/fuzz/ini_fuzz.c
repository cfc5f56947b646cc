/*
 * Any bytes as fathom.conf or policy.conf, by the first byte. What is refused
 * is told with a line; what is taken is within its bounds, and one setting of
 * it can be changed, after which it is read as wanted.
 */
#include "config.h"

#include "app/policy.h"
#include "app/settings_keep.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check(enum status status, const struct error *err)
{
    if (status == STATUS_FORMAT && (strstr(err->text, " line ") == NULL ||
                                    !utf8_valid(err->text, strlen(err->text))))
        abort();
}

static void
check_presets(const struct settings *s)
{
    if (s->preset_count > PRESETS_MOST)
        abort();
    for (size_t i = 0; i < s->preset_count; i++) {
        const struct preset *p = &s->presets[i];

        if (p->name[0] == '\0' || strlen(p->name) >= sizeof p->name ||
            (p->temperature.given && !(p->temperature.value <= 100)) ||
            (p->repeat_penalty.given && !(p->repeat_penalty.value >= 0.01)))
            abort();
    }
}

/* The shortest value of each: no line becomes too long by it. */
static void
change_one(const char *text, size_t length)
{
    static const char *const changes[][2] = {
        {"model.default", "m"},   {"ui.theme", "dark"},
        {"ui.mouse", "on"},       {"vault.save", "ask"},
        {"thinking.budget", "0"}, {"memory.swap", "any"},
    };
    size_t i = length % (sizeof changes / sizeof changes[0]);
    struct buffer before = {0}, after = {0};
    struct error err;

    if (buffer_append(&before, text, length, &err) != STATUS_OK)
        abort();
    enum status status = settings_edit(&after, "f", &before,
                                       ini_find(&settings_table, changes[i][0]),
                                       changes[i][1], &err);

    if (status != STATUS_OK && status != STATUS_LIMIT)
        abort();
    buffer_release(&before);
    buffer_release(&after);
}

static void
try_settings(const char *text, size_t length)
{
    static struct settings s;
    struct error err;

    s = (struct settings){0};
    enum status status =
        ini_parse_text(&s, &settings_table, "f", text, length, &err);

    check(status, &err);
    check_presets(&s);
    if (s.model_verify.value > VERIFY_FULL || s.vault_save.value > SAVE_NEVER ||
        s.thinking_budget.value > 1000000000 ||
        strlen(s.model_default) >= sizeof s.model_default ||
        (s.model_path[0] != '\0' && s.model_path[0] != '/'))
        if (status == STATUS_OK)
            abort();
    if (status == STATUS_OK)
        change_one(text, length);
}

static void
try_policy(const char *text, size_t length)
{
    struct policy p = {0};
    struct error err;
    enum status status =
        ini_parse_text(&p, &policy_table, "p", text, length, &err);

    check(status, &err);
    if (status == STATUS_OK &&
        (p.model_verify.value > VERIFY_FULL ||
         (p.model_trust_dir[0] != '\0' && p.model_trust_dir[0] != '/')))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    if (bytes[0] % 2 == 0)
        try_settings((const char *) bytes + 1, length - 1);
    else
        try_policy((const char *) bytes + 1, length - 1);
    return 0;
}
