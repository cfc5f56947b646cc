/* fathom vault slot list|add|remove: who can open the vault. */
#include "config.h"

#include "app/vault/cmd_vault.h"

#include "app/confirm.h"
#include "app/report.h"
#include "app/time_text.h"
#include "ui/ui.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct slot_settings {
    struct unlock_settings unlock;
    struct new_slot slot;
    bool recovery, json, yes;
};

enum status
cmd_vault_slot_line(struct buffer *out, const struct slot_info *slot,
                    struct error *err)
{
    char when[TIME_TEXT];

    TRY(buffer_print(out, err, "Slot %u    %s", slot->number,
                     cmd_vault_kind(slot->kind)));
    if (slot->cost.passes > 0)
        TRY(buffer_print(out, err, ", %" PRIu64 " passes over %" PRIu64 " MiB",
                         slot->cost.passes, slot->cost.memory_bytes >> 20));
    return buffer_print(out, err, ", made %.10s\n",
                        time_text_local(when, slot->created_s * 1000));
}

json_t *
cmd_vault_slot_json(const struct slot_info *slot)
{
    char when[TIME_TEXT];

    return json_pack("{sI ss sI sI ss}", "number", (json_int_t) slot->number,
                     "kind", cmd_vault_kind_word(slot->kind), "passes",
                     (json_int_t) slot->cost.passes, "memory_bytes",
                     (json_int_t) slot->cost.memory_bytes, "created",
                     time_text_utc(when, slot->created_s * 1000));
}

// -- list -------------------------------------------------------------------

static enum status
add_list(struct buffer *text, const struct vault_keys *keys, bool json,
         struct error *err)
{
    struct slot_info slots[VAULT_SLOTS];
    size_t count = vault_keys_slots(keys, slots);
    json_t *array = json_array();
    enum status status = STATUS_OK;

    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        json_array_append_new(array, cmd_vault_slot_json(&slots[i]));
        if (!json)
            status = cmd_vault_slot_line(text, &slots[i], err);
    }
    for (unsigned i = 1; i <= VAULT_SLOTS && status == STATUS_OK && !json; i++)
        if (vault_keys_fault(keys, i) != NULL)
            status = buffer_print(text, err, "Slot %u    damaged: %s\n", i,
                                  vault_keys_fault(keys, i));
    if (status == STATUS_OK && json)
        status =
            report_print(text, json_incref(array), isatty(STDOUT_FILENO), err);
    json_decref(array);
    return status;
}

static enum status
list(const struct slot_settings *settings, int *code, struct error *err)
{
    char path[PLACE_BYTES + 16];
    struct vault_folders at;
    struct vault_keys *keys;
    struct buffer text = {0};
    bool exists;
    enum status status = places_vault(&at, err);

    if (status == STATUS_OK)
        status = unlock_exists(&exists, err);
    *code = status == STATUS_OK ? EXIT_NO_INPUT : exit_code_of(status);
    if (status == STATUS_OK && !exists)
        return error_set(err, STATUS_IO,
                         "there is no vault yet; fathom vault init makes one");
    TRY(status);
    snprintf(path, sizeof path, "%s/vault.keys", at.data);
    status = vault_keys_open(&keys, path, err);
    *code = exit_code_of(status);
    TRY(status);
    status = add_list(&text, keys, settings->json, err);
    vault_keys_close(keys);
    *code = exit_code_of(status);
    if (status == STATUS_OK)
        status = cmd_vault_print(text.data, code, err);
    buffer_release(&text);
    return status;
}

// -- add --------------------------------------------------------------------

static enum status
add_code(const struct unlocked_keys *at, int *code, struct error *err)
{
    struct secret *recovery = NULL, *text = NULL;

    TRY(cmd_vault_allow_code(code, err));
    enum status status = recovery_create(&recovery, err);

    if (status == STATUS_OK)
        status = cmd_vault_code_text(&text, recovery, err);
    *code = exit_code_of(status);
    if (status == STATUS_OK)
        status = cmd_vault_put(
            at, 0, &(struct credential){.recovery = recovery}, NULL, code, err);
    if (status == STATUS_OK)
        status = cmd_vault_show("The recovery code", text, code, err);
    secret_close(recovery);
    secret_close(text);
    return status;
}

static enum status
add_slot(const struct unlocked_keys *at, const struct slot_settings *settings,
         int *code, struct error *err)
{
    struct unlock_credential credential = {0};
    enum status status = cmd_vault_ask_new(&credential, &settings->slot,
                                           &settings->unlock.source, code, err);

    if (status == STATUS_OK)
        status = cmd_vault_put(at, 0, &credential.credential,
                               settings->slot.kdf, code, err);
    if (status == STATUS_OK && settings->slot.generate)
        status =
            cmd_vault_show("The passphrase", credential.passphrase, code, err);
    unlock_credential_release(&credential);
    return status;
}

static enum status
add(const struct slot_settings *settings, int *code, struct error *err)
{
    struct unlocked_keys at;

    TRY(unlock_keys(&at, &settings->unlock, code, err));
    enum status status = settings->recovery
                             ? add_code(&at, code, err)
                             : add_slot(&at, settings, code, err);

    unlocked_keys_release(&at);
    if (status == STATUS_OK)
        notice_note("the slot is added");
    return status;
}

// -- remove -----------------------------------------------------------------

/* Whoever may not be asked must have said so beforehand. */
static enum status
ask_first(const struct slot_settings *settings, unsigned number, int *code,
          struct error *err)
{
    char question[40];

    if (settings->unlock.source.no_input && !settings->yes) {
        *code = EXIT_USAGE;
        return error_set(err, STATUS_UNSUPPORTED,
                         "to remove a slot without being asked takes --yes");
    }
    snprintf(question, sizeof question, "Remove slot %u for good?", number);
    return confirm(question, settings->yes, code, err);
}

static enum status
remove_slot(const struct slot_settings *settings, unsigned number, int *code,
            struct error *err)
{
    struct unlocked_keys at;

    TRY(ask_first(settings, number, code, err));
    TRY(unlock_keys(&at, &settings->unlock, code, err));
    enum status status = vault_keys_remove(at.keys, number, err);

    if (status == STATUS_OK)
        status = vault_keys_write(at.keys, at.master, at.path, err);
    *code = exit_code_of(status);
    unlocked_keys_release(&at);
    if (status == STATUS_OK)
        notice_note("slot %u is removed; copies of vault.keys from before "
                    "still have it, and only fathom vault rotate makes new "
                    "keys",
                    number);
    return status;
}

// -- the command ------------------------------------------------------------

static enum status
wrong_words(int *code, struct error *err, const char *sentence)
{
    *code = EXIT_USAGE;
    return error_set(err, STATUS_LIMIT, "%s", sentence);
}

static enum status
choose(const struct slot_settings *settings, const struct option_list *words,
       int *code, struct error *err)
{
    const char *verb = words->items[0];
    uint64_t number;

    if (strcmp(verb, "remove") == 0) {
        if (words->count != 2 || !option_read_count(words->items[1], &number) ||
            number < 1 || number > VAULT_SLOTS)
            return wrong_words(code, err,
                               "which slot? fathom vault slot remove N, with "
                               "a number from fathom vault slot list");
        return remove_slot(settings, (unsigned) number, code, err);
    }
    if (words->count != 1)
        return wrong_words(code, err, "one argument too many");
    if (strcmp(verb, "list") == 0)
        return list(settings, code, err);
    if (strcmp(verb, "add") == 0)
        return add(settings, code, err);
    return wrong_words(code, err, "slot does list, add or remove N");
}

static int
run(void *settings, const struct option_list *operands)
{
    struct error err;
    int code = EXIT_FAILURE;

    if (choose(settings, operands, &code, &err) == STATUS_OK)
        return EXIT_SUCCESS;
    notice_error("%s", err.text);
    return code;
}

static const struct option options[] = {
    UNLOCK_OPTIONS(struct slot_settings, unlock),
    NEW_SLOT_OPTIONS(struct slot_settings, slot, "new-key-file"),
    {"new-recovery-code", 0, OPTION_FLAG, NULL,
     offsetof(struct slot_settings, recovery), 0, 0,
     "make a recovery code and print it"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct slot_settings, json), 0, 0,
     "print a JSON array"},
    {"yes", 0, OPTION_FLAG, NULL, offsetof(struct slot_settings, yes), 0, 0,
     "remove without asking"},
};

static const char *const usage[] = {
    "list [--json]",
    "add [--generate | --new-recovery-code] [--kdf=COST]",
    "add --new-key-file=FILE [--no-passphrase]",
    "remove N [--yes]",
    NULL,
};

const struct command command_vault_slot = {
    .name = "slot",
    .manual = "fathom-vault",
    .summary = "List, add and remove what opens the vault",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_TEXT,
    .operands_least = 1,
    .operands_most = 2,
    .settings_bytes = sizeof(struct slot_settings),
    .run = run,
};
