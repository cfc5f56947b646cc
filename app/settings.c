/* Two files, the environment and the policy, in the order of their weight. */
#include "config.h"

#include "app/settings.h"

#include "app/exit_code.h"
#include "app/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_FILE SYSCONFDIR "/fathom/fathom.conf"

enum {
    QUOTED_BYTES = 300,
    CACHE_MIB = 1024,
    CACHE_MOST_MIB = 1 << 20,
    LOCK_AFTER_MS = 15 * 60 * 1000, // where nothing else is said
};

/* A setting that counts from the next start on; LIVE: at once, too. */
#define ROW(section, name, kind, argument, field, most, help)                  \
    {                                                                          \
        section, name, kind, argument, offsetof(struct settings, field), most, \
            help, 0, false                                                     \
    }
#define LIVE(section, name, kind, argument, field, most, help)                 \
    {                                                                          \
        section, name, kind, argument, offsetof(struct settings, field), most, \
            help, 0, true                                                      \
    }
#define PRESET(name, kind, argument, field, least, most, help)                 \
    {                                                                          \
        "preset.", name, kind, argument, offsetof(struct preset, field), most, \
            help, least, false                                                 \
    }

static const struct ini_row rows[] = {
    ROW("model", "default", INI_TEXT, "NAME", model_default, 0,
        "the model that is used where none is named"),
    ROW("model", "path", INI_PATHS, "DIR", model_path, 0,
        "folders in which models are looked for first"),
    ROW("model", "verify", INI_CHOICE, VERIFY_CHOICES, model_verify, 0,
        "what is checked before a model is opened"),
    LIVE("thinking", "effort", INI_CHOICE, "off|on", thinking_effort, 0,
         "think before answering, or not"),
    LIVE("thinking", "budget", INI_COUNT, "N", thinking_budget, 1000000000,
         "close the thought after N tokens, then answer"),
    LIVE("thinking", "view", INI_CHOICE, THOUGHT_CHOICES, thinking_view, 0,
         "where thoughts are shown"),
    LIVE("thinking", "loop_break", INI_CHOICE, LOOP_CHOICES, loop_break, 0,
         "what is done about a thought that repeats itself"),
    ROW("ui", "face", INI_CHOICE, FACE_CHOICES, face, 0,
        "the full screen, or lines below each other"),
    ROW("ui", "enter", INI_CHOICE, ENTER_CHOICES, enter, 0,
        "whether Enter sends, or begins a new line"),
    ROW("ui", "theme", INI_CHOICE, THEME_CHOICES, theme, 0,
        "the colours of the screen"),
    ROW("ui", "mouse", INI_CHOICE, "off|on", mouse, 0,
        "whether the wheel scrolls and clicks unfold"),
    ROW("ui", "notify", INI_CHOICE, NOTIFY_CHOICES, notify, 0,
        "how the end of a long answer is told"),
    LIVE("ui", "clipboard", INI_CHOICE, CLIPBOARD_CHOICES, clipboard, 0,
         "whether text may go to the clipboard of the terminal"),
    ROW("ui", "ambiguous_width", INI_CHOICE, "1|2", ambiguous_width, 0,
        "columns of characters that are narrow or wide by taste"),
    LIVE("ui", "lock_after", INI_DURATION, "TIME", lock_after, UINT64_MAX,
         "lock the vault after TIME without a key; 0 never does"),
    ROW("vault", "save", INI_CHOICE, SAVE_CHOICES, vault_save, 0,
        "whether chats are kept in the vault"),
    ROW("vault", "kdf", INI_CHOICE, KDF_CHOICES, vault_kdf, 0,
        "what a new passphrase costs to try"),
    LIVE("vault", "cache", INI_COUNT, "MIB", vault_cache, CACHE_MOST_MIB,
         "MiB of caches kept beside chats, so that they go on at once; 0 keeps "
         "none"),
    ROW("memory", "swap", INI_CHOICE, SWAP_CHOICES, memory_swap, 0,
        "whether to run where memory may go to a disk in the clear"),
    PRESET("system", INI_TEXT, "TEXT", system, 0, 0,
           "what the model is told before the question"),
    PRESET("system_file", INI_TEXT, "FILE", system_file, 0, 0,
           "the same, from a file in the folder of presets"),
    PRESET("think", INI_CHOICE, "off|on", think, 0, 0,
           "think before answering, or not"),
    PRESET("budget", INI_COUNT, "N", budget, 0, 1000000000,
           "close the thought after N tokens, then answer"),
    PRESET("max_tokens", INI_COUNT, "N", max_tokens, 0, 1000000000,
           "at most N tokens, thought and answer together"),
    PRESET("temp", INI_REAL, "X", temperature, 0, 100, "temperature"),
    PRESET("top_p", INI_REAL, "X", top_p, 0, 1,
           "keep the likeliest tokens that together have this share"),
    PRESET("top_k", INI_COUNT, "N", top_k, 0, 2147483647,
           "keep the N likeliest tokens; 0 keeps all"),
    PRESET("min_p", INI_REAL, "X", min_p, 0, 1,
           "drop tokens below this share of the likeliest one"),
    PRESET("repeat_penalty", INI_REAL, "X", repeat_penalty, 0.01, 100,
           "make recent tokens less likely; 1 does not"),
    PRESET("seed", INI_COUNT, "N", seed, 0, UINT64_C(9007199254740991),
           "the same seed gives the same answer again"),
};

static struct preset *
find_preset(struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->preset_count; i++)
        if (strcmp(settings->presets[i].name, name) == 0)
            return &settings->presets[i];
    return NULL;
}

/* The preset of this name, made where there is none. */
static void *
name_preset(void *out, const char *name)
{
    struct settings *settings = out;
    struct preset *preset = find_preset(settings, name);

    if (preset != NULL || settings->preset_count == PRESETS_MOST)
        return preset;
    preset = &settings->presets[settings->preset_count++];
    text_copy(preset->name, sizeof preset->name, name);
    return preset;
}

const struct ini_table settings_table = {
    "setting", rows, sizeof rows / sizeof rows[0], name_preset};

static struct settings now;

/* Who is told what is read, where somebody is. */
static struct {
    settings_told_fn *told;
    void *context;
    const char *file;
} telling;

enum status
settings_read_text(struct buffer *out, int file, const char *shown,
                   struct error *err)
{
    ssize_t n = 1;

    while (n > 0 && out->length <= INI_FILE_BYTES) {
        TRY(buffer_reserve(out, 4096, err));
        n = read(file, out->data + out->length, 4096);
        if (n < 0)
            return error_errno(err, "cannot read %s", shown);
        out->length += (size_t) n;
    }
    if (out->length > INI_FILE_BYTES)
        return error_set(err, STATUS_FORMAT, "%s is larger than %d kB", shown,
                         INI_FILE_BYTES / 1024);
    return STATUS_OK;
}

enum status
settings_folder(char out[], size_t size, struct error *err)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = 0;

    if (config && config[0] == '/')
        n = snprintf(out, size, "%s/fathom", config);
    else if (home && home[0] == '/')
        n = snprintf(out, size, "%s/.config/fathom", home);
    else
        return error_set(err, STATUS_IO,
                         "there is no folder for settings: neither "
                         "XDG_CONFIG_HOME nor HOME is an absolute path");
    if (n < 0 || (size_t) n >= size)
        return error_set(err, STATUS_LIMIT,
                         "the path of the settings is too long");
    return STATUS_OK;
}

enum status
settings_path(char out[], size_t size, struct error *err)
{
    static const char name[] = "/fathom.conf";
    const char *asked = getenv("FATHOM_CONFIG");

    if (asked && *asked) {
        if (strlen(asked) >= size)
            return error_set(err, STATUS_LIMIT, "FATHOM_CONFIG is too long");
        memcpy(out, asked, strlen(asked) + 1);
        return STATUS_OK;
    }
    TRY(settings_folder(out, size - sizeof name, err));
    text_copy(out + strlen(out), sizeof name, name);
    return STATUS_OK;
}

static void
tell(void *context, const struct ini_row *row, const char *section,
     const char *value, unsigned line)
{
    (void) context;
    if (telling.told)
        telling.told(telling.context, telling.file, row, section, value, line);
}

/* Reads one file over what is in `now`; one that is not there is no failure
 * unless it was asked for. */
static enum status
read_file(const char *path, bool must_exist, struct error *err)
{
    char shown[QUOTED_BYTES];
    struct buffer text = {0};
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (file < 0 && !must_exist && (errno == ENOENT || errno == ENOTDIR))
        return STATUS_OK;
    int failed = errno;

    text_quote(shown, sizeof shown, path, strlen(path));
    errno = failed;
    if (file < 0)
        return error_errno(err, "the settings cannot be read: %s", shown);
    enum status status = settings_read_text(&text, file, shown, err);

    telling.file = shown;
    if (status == STATUS_OK)
        status = ini_take(&now, &settings_table,
                          &(struct ini_text){.shown = shown,
                                             .bytes = text.data,
                                             .length = text.length,
                                             .took = tell},
                          err);
    close(file);
    buffer_release(&text);
    return status;
}

static enum status
read_all(struct error *err)
{
    const char *asked = getenv("FATHOM_CONFIG");
    char path[PATH_MAX];
    struct error ignored;

    now = (struct settings){0};
    TRY(read_file(SYSTEM_FILE, false, err));
    if (asked && *asked) {
        TRY(settings_path(path, sizeof path, err));
        return read_file(path, true, err);
    }
    // without a home there is no file of the user's
    if (settings_path(path, sizeof path, &ignored) != STATUS_OK)
        return STATUS_OK;
    return read_file(path, false, err);
}

enum status
settings_start(int *code, struct error *err)
{
    enum status status = policy_start(err);

    if (status == STATUS_OK)
        status = read_all(err);
    *code = status == STATUS_DENIED ? EXIT_DENIED : EXIT_CONFIG;
    return status;
}

enum status
settings_start_telling(settings_told_fn *told, void *context, int *code,
                       struct error *err)
{
    telling.told = told;
    telling.context = context;
    enum status status = settings_start(code, err);

    telling.told = NULL;
    return status;
}

const struct settings *
settings_now(void)
{
    return &now;
}

static const char *
variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

const char *
settings_model(void)
{
    const char *asked = variable("FATHOM_MODEL");

    if (asked)
        return asked;
    return now.model_default[0] ? now.model_default : NULL;
}

const char *
settings_model_path(void)
{
    const char *asked = variable("FATHOM_MODEL_PATH");

    if (asked)
        return asked;
    return now.model_path[0] ? now.model_path : NULL;
}

uint64_t
settings_stricter(struct option_count asked, struct option_count demanded)
{
    uint64_t value = asked.given ? asked.value : 0;

    return demanded.given && demanded.value > value ? demanded.value : value;
}

enum verify_mode
settings_verify(void)
{
    return (enum verify_mode) settings_stricter(now.model_verify,
                                                policy_now()->model_verify);
}

enum kdf_level
settings_kdf(void)
{
    return (enum kdf_level) settings_stricter(now.vault_kdf,
                                              policy_now()->vault_min_kdf);
}

enum swap_mode
settings_swap(void)
{
    return (enum swap_mode) settings_stricter(now.memory_swap,
                                              policy_now()->swap);
}

enum save_mode
settings_save(void)
{
    struct option_count decided = policy_now()->vault_save;

    if (decided.given)
        return (enum save_mode) decided.value;
    return now.vault_save.given ? (enum save_mode) now.vault_save.value
                                : SAVE_ALWAYS;
}

uint64_t
settings_shorter(struct option_count asked, struct option_count most)
{
    uint64_t ms = asked.given ? asked.value : LOCK_AFTER_MS;

    // 0 is no time at all, which is longer than any
    if (most.given && most.value > 0 && (ms == 0 || ms > most.value))
        return most.value;
    return ms;
}

uint64_t
settings_cache_bytes(void)
{
    uint64_t mib =
        now.vault_cache.given ? now.vault_cache.value : (uint64_t) CACHE_MIB;

    return mib << 20;
}

uint64_t
settings_lock_after_ms(void)
{
    return settings_shorter(now.lock_after, policy_now()->lock_after);
}

static uint64_t
given_or(struct option_count count, uint64_t otherwise)
{
    return count.given ? count.value : otherwise;
}

enum ui_face
settings_face(void)
{
    return (enum ui_face) given_or(now.face, UI_FACE_AUTO);
}

enum ui_enter
settings_enter(void)
{
    return (enum ui_enter) given_or(now.enter, UI_ENTER_SENDS);
}

unsigned
settings_ambiguous_width(void)
{
    return (unsigned) given_or(now.ambiguous_width, 0) + 1;
}

enum thought_view
settings_thought_view(void)
{
    return (enum thought_view) given_or(now.thinking_view, THOUGHT_AUTO);
}

enum loop_break
settings_loop_break(void)
{
    return (enum loop_break) given_or(now.loop_break, LOOP_BREAK_ASK);
}

struct screen_settings
settings_screen(void)
{
    return (struct screen_settings){
        .theme = (enum screen_theme) given_or(now.theme, THEME_TERMINAL),
        .notify = (enum screen_notify) given_or(now.notify, NOTIFY_BELL),
        .mouse = given_or(now.mouse, 0) == 1,
        .clipboard =
            given_or(now.clipboard, 1) == 1 && !policy_forbids_clipboard(),
    };
}

const struct preset *
settings_preset(const char *name)
{
    return find_preset(&now, name);
}

/* Where the policy has a word on a setting. */
enum limit_kind { LIMIT_LEAST, LIMIT_LONGEST, LIMIT_SAME };

#define LIMIT(field, ruled, name, kind, words)                                 \
    {                                                                          \
        offsetof(struct settings, field), offsetof(struct policy, ruled),      \
            name, kind, words                                                  \
    }

static const struct limit {
    size_t offset, rule; // of a struct option_count
    const char *name;
    enum limit_kind kind;
    const char *words;
} limits[] = {
    LIMIT(model_verify, model_verify, "model.verify", LIMIT_LEAST,
          "that is too little"),
    LIMIT(vault_kdf, vault_min_kdf, "vault.min_kdf", LIMIT_LEAST,
          "that is too little"),
    LIMIT(memory_swap, swap, "swap", LIMIT_LEAST, "that is too little"),
    LIMIT(vault_save, vault_save, "vault.save", LIMIT_SAME,
          "that is decided already"),
    LIMIT(clipboard, clipboard, "clipboard", LIMIT_SAME,
          "the clipboard stays off"),
    LIMIT(lock_after, lock_after, "lock_after", LIMIT_LONGEST,
          "that is too long"),
};

static bool
is_against(const struct limit *limit, uint64_t asked, uint64_t ruled)
{
    switch (limit->kind) {
    case LIMIT_LEAST:
        return asked < ruled;
    case LIMIT_LONGEST:
        return ruled > 0 && (asked == 0 || asked > ruled);
    case LIMIT_SAME:
        break;
    }
    // where the clipboard may be used it need not
    return limit->offset == offsetof(struct settings, clipboard)
               ? asked > ruled
               : asked != ruled;
}

/* What is asked for against the policy's word. */
static enum status
check_policy(const struct ini_row *row, const struct settings *asked,
             struct error *err)
{
    char value[INI_TEXT_BYTES], rule[INI_TEXT_BYTES + 40];

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const struct limit *l = &limits[i];
        const struct option_count
            *wanted = (const void *) ((const char *) asked + l->offset),
            *ruled = (const void *) ((const char *) policy_now() + l->rule);

        if (row->offset != l->offset || !ruled->given ||
            !is_against(l, wanted->value, ruled->value))
            continue;
        (void) ini_value(value, policy_now(), ini_find(&policy_table, l->name));
        snprintf(rule, sizeof rule, "%s = %s", l->name, value);
        return policy_refusal(err, l->words, rule);
    }
    return STATUS_OK;
}

static enum status
check(const struct ini_row **row, struct settings *out, const char *key,
      const char *value, struct error *err)
{
    *row = ini_find(&settings_table, key);
    if (*row == NULL || strcmp((*row)->section, "preset.") == 0)
        return error_set(err, STATUS_FORMAT,
                         "there is no setting of that name; "
                         "fathom.conf(5) has them");
    *out = now;
    TRY(ini_store(out, *row, value, err));
    return check_policy(*row, out, err);
}

enum status
settings_check(const struct ini_row **row, const char *key, const char *value,
               struct error *err)
{
    struct settings asked;

    return check(row, &asked, key, value, err);
}

enum status
settings_change(const char *key, const char *value, struct error *err)
{
    const struct ini_row *row;
    struct settings changed;

    TRY(check(&row, &changed, key, value, err));
    if (!row->live)
        return error_set(err, STATUS_FORMAT,
                         "%s.%s counts from the next start on; with --keep it "
                         "is written to fathom.conf",
                         row->section, row->name);
    now = changed;
    return STATUS_OK;
}

void
settings_take_kept(const struct ini_row *row, const char *value)
{
    struct error err;

    if (row->live || row->offset == offsetof(struct settings, model_default))
        // it was stored in the file just now
        (void) !ini_store(&now, row, value, &err);
}

const char *
settings_verify_word(enum verify_mode mode)
{
    static const char *const words[] = {"none", "receipts", "signed", "full"};

    return words[mode];
}
