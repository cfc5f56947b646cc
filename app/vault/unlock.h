/*
 * Opening the vault for a command: what the command line says about keys, the
 * asking, the failed tries that are counted in the state directory, and what
 * the program ends with when it does not open. The main thread only.
 *
 *   static const struct option options[] = {
 *       UNLOCK_OPTIONS(struct my_settings, unlock),
 *       ...
 *   };
 *   struct vault *vault;
 *   int code;
 *   if (unlock_vault(&vault, &settings->unlock, VAULT_WRITE, &code, &err) !=
 *       STATUS_OK) {
 *       notice_error("%s", err.text);
 *       return code;
 *   }
 */
#ifndef FATHOM_APP_UNLOCK_H
#define FATHOM_APP_UNLOCK_H

#include "app/vault/passphrase.h"

#include <stddef.h>

/* What a command that opens the vault has in its settings. */
struct unlock_settings {
    struct passphrase_source source;
    const char *key_file; // --key-file
    bool recovery;        // --recovery-code: asked for in place of a passphrase
    const struct kdf_runner *runner; // as of a credential
};

/* The rows of a command's table of options. */
// clang-format off
#define UNLOCK_OPTIONS(settings, member)                                       \
    {"passphrase-fd", 0, OPTION_COUNT, "N",                                    \
     offsetof(settings, member.source.fd), 0, 1 << 20,                         \
     "read the passphrase, a line, from file descriptor N"},                   \
    {"key-file", 0, OPTION_FILE, "FILE",                                       \
     offsetof(settings, member.key_file), 0, 0,                                \
     "the key file that a slot needs"},                                        \
    {"recovery-code", 0, OPTION_FLAG, NULL,                                    \
     offsetof(settings, member.recovery), 0, 0,                                \
     "ask for the recovery code, not a passphrase"},                           \
    {"no-input", 0, OPTION_FLAG, NULL,                                         \
     offsetof(settings, member.source.no_input), 0, 0,                         \
     "never ask at the terminal"}
// clang-format on

/* Is there a vault? STATUS_OK and *out; needs no key. */
MUST_CHECK enum status unlock_exists(bool *out, struct error *err);

/*
 * Opens the vault, asking up to three times at a terminal. *code is the exit
 * code of a failure: 66 there is no vault yet, 77 wrong passphrase or unsafe
 * files, 13 an alarm (VAULT_READ may still open it), 75 another process has
 * it, 65 damaged, 69 no memory, 130 the user gave up. Remarks (failed tries
 * since the last unlock, no anchor) go to notice_note.
 */
MUST_CHECK enum status unlock_vault(struct vault **out,
                                    const struct unlock_settings *settings,
                                    enum vault_access access, int *code,
                                    struct error *err);

/*
 * The same once, for who asks in a way of its own. A wrong passphrase counts as
 * a failed try. `remark` is what there is to say of earlier ones, or "".
 */
enum { UNLOCK_REMARK = 160 };
MUST_CHECK enum status unlock_once(struct vault **out,
                                   const struct credential *credential,
                                   enum vault_access access,
                                   char remark[UNLOCK_REMARK],
                                   struct error *err);

/* Failed tries since the last unlock, and when the last was (0: none). */
size_t unlock_failures(uint64_t *last_s);

/* What was asked for, held for functions that take a credential. */
struct unlock_credential {
    struct credential credential; // borrows what follows
    struct secret *passphrase, *key_file, *recovery;
};
/*
 * The same for what concerns vault.keys alone, which chats that are open do not
 * hinder (but where the policy wants it recorded in the vault first): the
 * slots, the master key, and what opened them.
 */
struct unlocked_keys {
    struct vault_keys *keys;
    struct secret *master;
    unsigned slot; // that opened
    char path[4096];
};
MUST_CHECK enum status unlock_keys(struct unlocked_keys *out,
                                   const struct unlock_settings *settings,
                                   int *code, struct error *err);
void unlocked_keys_release(struct unlocked_keys *keys);

/*
 * Asks once for what the slots of the vault.keys at `path` can use; NULL: the
 * vault's. The caller releases it, also after a failure.
 */
MUST_CHECK enum status unlock_ask(struct unlock_credential *out,
                                  const struct unlock_settings *settings,
                                  const char *path, int *code,
                                  struct error *err);
/* The same for slots that are not the vault's, as those of a backup. */
MUST_CHECK enum status unlock_ask_for(struct unlock_credential *out,
                                      const struct unlock_settings *settings,
                                      const struct vault_keys *keys, int *code,
                                      struct error *err);
/*
 * Asks for what a new slot is made with: a passphrase, typed twice, unless
 * settings say a key file, or a recovery code.
 */
MUST_CHECK enum status unlock_ask_new(struct unlock_credential *out,
                                      const struct unlock_settings *settings,
                                      bool with_passphrase, int *code,
                                      struct error *err);
void unlock_credential_release(struct unlock_credential *credential);

/* Reads a key file; where it lies and who may read it is not checked. */
MUST_CHECK enum status
unlock_read_key_file(struct secret **out, const char *path, struct error *err);

/*
 * What a new slot costs: `asked` ("least|moderate|sensitive"), or where NULL
 * the settings' choice, within the policy, and no more than the machine has
 * memory for, with a notice where that is less.
 */
MUST_CHECK enum status unlock_cost(struct kdf_cost *out, const char *asked,
                                   int *code, struct error *err);

/* Makes the vault, which must not exist yet, and opens it. */
MUST_CHECK enum status unlock_create(struct vault **out,
                                     const struct credential *credential,
                                     const char *kdf, int *code,
                                     struct error *err);

#endif
