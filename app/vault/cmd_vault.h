/*
 * What the files of "fathom vault" share: cmd_vault.c (init, passwd, lock),
 * cmd_vault_status.c, cmd_vault_slot.c, cmd_vault_care.c (check, repair,
 * backup, restore, rotate).
 */
#ifndef FATHOM_APP_CMD_VAULT_H
#define FATHOM_APP_CMD_VAULT_H

#include "app/app.h"
#include "app/vault/unlock.h"

#include <jansson.h>

extern const struct command command_vault_slot, command_vault_status;
// of cmd_vault_care.c
extern const struct command command_vault_check, command_vault_repair,
    command_vault_backup, command_vault_restore, command_vault_rotate;

#define VAULT_KDF_CHOICES "least|moderate|sensitive"

/* What a new slot is made of, in the settings of a command. */
struct new_slot {
    const char *kdf;
    const char *key_file; // --new-key-file
    bool generate;        // --generate
    bool no_passphrase;   // --no-passphrase: the key file alone
};

/* Its rows of a table of options. */
// clang-format off
#define NEW_SLOT_OPTIONS(settings, member, key_file_name)                      \
    {"kdf", 0, OPTION_CHOICE, VAULT_KDF_CHOICES,                               \
     offsetof(settings, member.kdf), 0, 0,                                     \
     "what the passphrase costs to try"},                                      \
    {key_file_name, 0, OPTION_FILE, "FILE",                                    \
     offsetof(settings, member.key_file), 0, 0,                                \
     "a key file that is needed too"},                                         \
    {"generate", 0, OPTION_FLAG, NULL,                                         \
     offsetof(settings, member.generate), 0, 0,                                \
     "make a passphrase of six words and print it"},                           \
    {"no-passphrase", 0, OPTION_FLAG, NULL,                                    \
     offsetof(settings, member.no_passphrase), 0, 0,                           \
     "the key file alone"}
// clang-format on

/* The exit code of a verb; of a failure `code`, and its sentence is said. */
int cmd_vault_finish(enum status status, int code, const struct error *err);

/* Asks for, or makes, what a new slot opens with; shows what was made. */
MUST_CHECK enum status cmd_vault_ask_new(struct unlock_credential *out,
                                         const struct new_slot *wanted,
                                         const struct passphrase_source *source,
                                         int *code, struct error *err);
/* Puts it at `number` (0: the first free slot) and writes vault.keys. */
MUST_CHECK enum status cmd_vault_put(const struct unlocked_keys *at,
                                     unsigned number,
                                     const struct credential *credential,
                                     const char *kdf, int *code,
                                     struct error *err);

/* Prints a secret text once, on standard output, and wipes nothing. */
MUST_CHECK enum status cmd_vault_show(const char *what,
                                      const struct secret *text, int *code,
                                      struct error *err);
/* STATUS_DENIED where the policy wants a key file for every slot. */
MUST_CHECK enum status cmd_vault_allow_code(int *code, struct error *err);
/* A recovery code as text, in memory for secrets. */
MUST_CHECK enum status cmd_vault_code_text(struct secret **out,
                                           const struct secret *code,
                                           struct error *err);

/* Prints a text of ours; *code is EXIT_CANT_WRITE where that fails. */
MUST_CHECK enum status cmd_vault_print(const char *text, int *code,
                                       struct error *err);

/* "Slot 1    passphrase, 3 passes over 256 MiB, made 2026-11-25" */
MUST_CHECK enum status cmd_vault_slot_line(struct buffer *out,
                                           const struct slot_info *slot,
                                           struct error *err);
json_t *cmd_vault_slot_json(const struct slot_info *slot);

/* "passphrase", "key file", "passphrase and key file", "recovery code" */
const char *cmd_vault_kind(enum slot_kind kind);
/* The same, for programs: "passphrase", "key-file", "both", "recovery-code" */
const char *cmd_vault_kind_word(enum slot_kind kind);

#endif
