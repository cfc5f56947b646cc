/*
 * Settings: what fathom.conf(5) describes. The user's file goes before the
 * system's, the environment before both, a flag before all; the policy stands
 * above them. What these functions give is settled: the policy is in it.
 */
#ifndef FATHOM_APP_SETTINGS_H
#define FATHOM_APP_SETTINGS_H

#include "app/ini_file.h"

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

struct settings {
    char model_default[INI_TEXT_BYTES];
    char model_path[INI_TEXT_BYTES];
    struct option_count model_verify;
    struct option_count thinking_effort; // 0: off, 1: on
    struct option_count thinking_budget;
    struct option_count lock_after;
    struct option_count vault_save;
    struct option_count vault_kdf;
    struct option_count vault_cache;
    struct option_count memory_swap;
};

extern const struct ini_table settings_table;

/*
 * Reads the policy and the settings, once, at the start of a command. *code
 * is the exit code of a failure: EXIT_CONFIG or EXIT_DENIED.
 */
MUST_CHECK enum status settings_start(int *code, struct error *err);
const struct settings *settings_now(void);

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
uint64_t settings_cache_bytes(void);   // of all kept caches; 0: none is kept
enum swap_mode settings_swap(void);

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
