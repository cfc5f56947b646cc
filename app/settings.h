/*
 * Settings: what fathom.conf(5) describes. The user's file goes before the
 * system's, the environment before both, a flag before all; the policy stands
 * above them. What these functions give is settled: the policy is in it.
 */
#ifndef FATHOM_APP_SETTINGS_H
#define FATHOM_APP_SETTINGS_H

#include "app/ini_file.h"
#include "ui/ui.h"

/* What is checked before a model's file is opened, each more than the last. */
enum verify_mode { VERIFY_NONE, VERIFY_RECEIPTS, VERIFY_SIGNED, VERIFY_FULL };
#define VERIFY_CHOICES "none|receipts|signed|full"

enum save_mode { SAVE_ALWAYS, SAVE_ASK, SAVE_NEVER };
#define SAVE_CHOICES "always|ask|never"

/* What a passphrase costs to try: kdf_moderate or kdf_sensitive. */
enum kdf_level { KDF_MODERATE, KDF_SENSITIVE };
#define KDF_CHOICES "moderate|sensitive"

/* Where the system may write the memory of programs. */
enum swap_mode { SWAP_ANY, SWAP_SAFE };
#define SWAP_CHOICES "any|safe"

/* How the chat looks: a screen where the terminal can be one, or lines. */
enum ui_face { UI_FACE_AUTO, UI_FACE_SCREEN, UI_FACE_PLAIN };
#define FACE_CHOICES "auto|screen|plain"

enum ui_enter { UI_ENTER_SENDS, UI_ENTER_NEWLINE };
#define ENTER_CHOICES "send|newline"

#define THEME_CHOICES "terminal|dark|light|mono" // enum screen_theme
#define NOTIFY_CHOICES "off|bell|osc9"           // enum screen_notify
#define CLIPBOARD_CHOICES "off|osc52"

/* Where thoughts are shown; auto: beside the answer on a wide screen. */
enum thought_view {
    THOUGHT_AUTO,
    THOUGHT_FOLD,
    THOUGHT_SPLIT,
    THOUGHT_SIDE,
    THOUGHT_HIDE
};
#define THOUGHT_CHOICES "auto|fold|split|side|hide"

/* What is done about a thought that repeats itself. */
enum loop_break { LOOP_BREAK_OFF, LOOP_BREAK_ASK, LOOP_BREAK_FORCE };
#define LOOP_CHOICES "off|ask|force"

enum { PRESETS_MOST = 32 };

/* How a model is asked, under a name: [preset.NAME]. */
struct preset {
    char name[INI_NAME_BYTES];
    char system[INI_TEXT_BYTES];
    char system_file[INI_TEXT_BYTES]; // in the folder of presets, or a path
    struct option_count think;        // 0: off, 1: on
    struct option_count budget, max_tokens, top_k, seed;
    struct option_real temperature, top_p, min_p, repeat_penalty;
};

struct settings {
    char model_default[INI_TEXT_BYTES];
    char model_path[INI_TEXT_BYTES];
    struct option_count model_verify;
    struct option_count thinking_effort; // 0: off, 1: on
    struct option_count thinking_budget;
    struct option_count thinking_view; // enum thought_view
    struct option_count loop_break;    // enum loop_break
    struct option_count face, enter, theme, mouse, notify, clipboard;
    struct option_count ambiguous_width;
    struct option_count lock_after;
    struct option_count vault_save;
    struct option_count vault_kdf;
    struct option_count vault_cache;
    struct option_count memory_swap;
    struct preset presets[PRESETS_MOST];
    size_t preset_count;
};

extern const struct ini_table settings_table;

/*
 * Reads the policy and the settings, once, at the start of a command. *code
 * is the exit code of a failure: EXIT_CONFIG or EXIT_DENIED.
 */
MUST_CHECK enum status settings_start(int *code, struct error *err);
const struct settings *settings_now(void);
/*
 * The same, and tells each setting as it is read: those of the system first,
 * then the user's, which go before them.
 */
typedef void settings_told_fn(void *context, const char *file,
                              const struct ini_row *row, const char *section,
                              const char *value, unsigned line);
MUST_CHECK enum status settings_start_telling(settings_told_fn *told,
                                              void *context, int *code,
                                              struct error *err);

/* The user's file: FATHOM_CONFIG, else fathom.conf in the user's folder. */
MUST_CHECK enum status settings_path(char out[], size_t size,
                                     struct error *err);
/* $XDG_CONFIG_HOME/fathom, or ~/.config/fathom. */
MUST_CHECK enum status settings_folder(char out[], size_t size,
                                       struct error *err);

const char *settings_model(void);      // FATHOM_MODEL before it; or NULL
const char *settings_model_path(void); // "/a:/b"; or NULL
enum verify_mode settings_verify(void);
enum save_mode settings_save(void);
enum kdf_level settings_kdf(void);
uint64_t settings_lock_after_ms(void); // 0: never
enum ui_face settings_face(void);
enum ui_enter settings_enter(void);
unsigned settings_ambiguous_width(void); // 1 or 2
enum thought_view settings_thought_view(void);
enum loop_break settings_loop_break(void);
struct screen_settings settings_screen(void);           // the policy is in it
const struct preset *settings_preset(const char *name); // NULL: there is none
uint64_t settings_cache_bytes(void); // of all kept caches; 0: none is kept
enum swap_mode settings_swap(void);

/*
 * Changes the setting "ui.theme" of this program until it ends. STATUS_FORMAT:
 * there is no such setting, the value cannot be its, or it could not count any
 * more; STATUS_DENIED: the policy says otherwise.
 */
MUST_CHECK enum status settings_change(const char *key, const char *value,
                                       struct error *err);

/*
 * Whether the setting "ui.theme" may have this value, and its row. Fails as
 * settings_change does, but for settings that count from the next start on.
 */
MUST_CHECK enum status settings_check(const struct ini_row **row,
                                      const char *key, const char *value,
                                      struct error *err);
/*
 * The user's file has this value now: the model that is used where none is
 * named, and whatever else counts at once, is as it says.
 */
void settings_take_kept(const struct ini_row *row, const char *value);

/* What is asked for, or demanded where that is more. */
uint64_t settings_stricter(struct option_count asked,
                           struct option_count demanded);
/* Milliseconds before a lock; `most` is the policy's. */
uint64_t settings_shorter(struct option_count asked, struct option_count most);

/* What these words are in a file: "signed". */
const char *settings_verify_word(enum verify_mode mode);

/* Reads all of an open file of at most INI_FILE_BYTES. */
MUST_CHECK enum status settings_read_text(struct buffer *out, int file,
                                          const char *shown, struct error *err);

#endif
