/*
 * What the owner of the machine has decided: SYSCONFDIR/fathom/policy.conf,
 * which fathom-policy.conf(5) describes. It stands above flags, environment
 * and settings, and can only tighten. Where there is no such file nothing is
 * forbidden. The file's place is built in; nothing at run time moves it.
 *
 * The functions ask; refusals say policy_refusal's sentence and exit with
 * EXIT_DENIED.
 */
#ifndef FATHOM_APP_POLICY_H
#define FATHOM_APP_POLICY_H

#include "app/ini_file.h"

struct policy {
    struct option_count vault_save; // enum save_mode
    struct option_count vault_require;
    struct option_count vault_min_kdf; // enum kdf_level
    struct option_count vault_require_keyfile;
    struct option_count export_plaintext; // 0: deny
    struct option_count model_verify;     // enum verify_mode
    char model_trust_dir[INI_TEXT_BYTES];
    struct option_count net;        // 0: deny
    struct option_count audit;      // 1: required
    struct option_count lock_after; // at most, in milliseconds
    struct option_count swap;       // enum swap_mode
    struct option_count clipboard;  // 0: off
    struct option_count editor;     // 0: deny
};

extern const struct ini_table policy_table;

/*
 * Reads the policy, once, before anything that it could forbid, and before
 * any user namespace, in which its owner would not be known. STATUS_DENIED:
 * it could have been written by others than root; STATUS_FORMAT: it is wrong.
 */
MUST_CHECK enum status policy_start(struct error *err);
/* The same from another place, for tests; `owner` in place of root. */
MUST_CHECK enum status policy_read(struct policy *out, const char *path,
                                   uid_t owner, struct error *err);
const struct policy *policy_now(void);
const char *policy_path(void);

/* Text may not leave the vault unsealed: export, /export, printing. */
bool policy_forbids_plain_export(void);
/* Nothing without the vault: no ephemeral chat, no chat while there is none. */
bool policy_requires_vault(void);
/* A new slot needs a key file (alone or with a passphrase). */
bool policy_requires_key_file(void);
/* Only the engine that is installed, whatever FATHOM_ENGINE says. */
bool policy_denies_net(void);
/* What cannot be recorded must not happen. */
bool policy_requires_audit(void);
/* No text to the clipboard of the terminal. */
bool policy_forbids_clipboard(void);
/* No text to a program of the user's: editor and pager. */
bool policy_forbids_editor(void);
/* Only keys in this folder are trusted; NULL: the usual ones. */
const char *policy_trust_dir(void);

/*
 * "the policy in /etc/fathom/policy.conf forbids it (export.plaintext = deny)":
 * `rule` is the row's name with its value. Fills *err, is STATUS_DENIED.
 */
MUST_CHECK enum status policy_refusal(struct error *err, const char *what,
                                      const char *rule);

#endif
