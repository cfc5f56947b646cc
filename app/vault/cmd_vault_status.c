/* fathom vault status: what can be said about the vault without a key. */
#include "config.h"

#include "app/vault/cmd_vault.h"

#include "app/progress_text.h"
#include "app/report.h"
#include "app/time_text.h"
#include "ui/ui.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_PATH = PLACE_BYTES + 16, SHOWN_BYTES = 600 };

struct status_settings {
    bool json;
};

struct vault_state {
    struct vault_folders at;
    bool exists;
    uint64_t bytes, written_ms;
    struct slot_info slots[VAULT_SLOTS];
    size_t slot_count;
    unsigned damaged; // slots
    size_t failures;
    uint64_t last_failure_s;
    size_t inbox;
    pid_t holder;
};

static size_t
count_inbox(const char *data)
{
    char path[FILE_PATH];
    size_t count = 0;

    snprintf(path, sizeof path, "%s/inbox", data);
    DIR *folder = opendir(path);

    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    if (folder != NULL)
        closedir(folder);
    return count;
}

static enum status
look_at_keys(struct vault_state *state, struct error *err)
{
    char path[FILE_PATH];
    struct vault_keys *keys;

    snprintf(path, sizeof path, "%s/vault.keys", state->at.data);
    TRY(vault_keys_open(&keys, path, err));
    state->slot_count = vault_keys_slots(keys, state->slots);
    for (unsigned i = 1; i <= VAULT_SLOTS; i++)
        state->damaged += vault_keys_fault(keys, i) != NULL;
    vault_keys_close(keys);
    return STATUS_OK;
}

static enum status
look_at_rows(struct vault_state *state, struct error *err)
{
    char path[FILE_PATH];
    struct stat file;

    snprintf(path, sizeof path, "%s/vault.db", state->at.data);
    TRY(safe_file_check(path, err));
    if (stat(path, &file) != 0)
        return error_errno(err, "cannot look at %s", path);
    state->bytes = (uint64_t) file.st_size;
    state->written_ms = (uint64_t) file.st_mtim.tv_sec * 1000;
    snprintf(path, sizeof path, "%s/vault.lock", state->at.data);
    return safe_file_holder(&state->holder, path, err);
}

static enum status
look(struct vault_state *state, struct error *err)
{
    TRY(places_vault(&state->at, err));
    TRY(unlock_exists(&state->exists, err));
    if (!state->exists)
        return STATUS_OK;
    TRY(secret_start(err));
    TRY(look_at_keys(state, err));
    TRY(look_at_rows(state, err));
    state->failures = unlock_failures(&state->last_failure_s);
    state->inbox = count_inbox(state->at.data);
    return STATUS_OK;
}

// -- as lines ---------------------------------------------------------------

static enum status
add_slots(struct buffer *out, const struct vault_state *state,
          struct error *err)
{
    for (size_t i = 0; i < state->slot_count; i++)
        TRY(cmd_vault_slot_line(out, &state->slots[i], err));
    if (state->damaged > 0)
        TRY(buffer_print(out, err, "Damaged   %u more; fathom vault check\n",
                         state->damaged));
    return STATUS_OK;
}

static enum status
add_tries(struct buffer *out, const struct vault_state *state,
          struct error *err)
{
    char when[TIME_TEXT];

    if (state->failures > 0)
        TRY(buffer_print(out, err,
                         "Failed    %zu since the last unlock, the "
                         "last on %s\n",
                         state->failures,
                         time_text_local(when, state->last_failure_s * 1000)));
    if (state->inbox > 0)
        TRY(buffer_print(out, err,
                         "Inbox     %zu sealed, for the next chat or look at "
                         "the history\n",
                         state->inbox));
    if (state->holder > 0)
        TRY(buffer_print(out, err, "In use    by process %ld\n",
                         (long) state->holder));
    return STATUS_OK;
}

static enum status
add_lines(struct buffer *out, const struct vault_state *state,
          struct error *err)
{
    char shown[SHOWN_BYTES], bytes[BYTES_TEXT], when[TIME_TEXT];

    text_quote(shown, sizeof shown, state->at.data, strlen(state->at.data));
    if (!state->exists)
        return buffer_print(out, err,
                            "There is no vault in %s yet; fathom "
                            "vault init makes one.\n",
                            shown);
    TRY(buffer_print(out, err, "Folder    %s\n", shown));
    TRY(buffer_print(out, err, "Rows      %s, written %s\n",
                     progress_bytes(bytes, (double) state->bytes),
                     time_text_local(when, state->written_ms)));
    TRY(add_slots(out, state, err));
    return add_tries(out, state, err);
}

// -- as JSON ----------------------------------------------------------------

static json_t *
moment(uint64_t time_ms)
{
    char text[TIME_TEXT];

    return time_ms > 0 ? json_string(time_text_utc(text, time_ms))
                       : json_null();
}

/* A path as text, even where it is not UTF-8. */
static json_t *
path_text(const char *path)
{
    struct buffer text = {0};
    struct error err;
    json_t *string = NULL;

    if (utf8_repair(&text, path, strlen(path), &err) == STATUS_OK)
        string = json_string(text.length > 0 ? text.data : "");
    buffer_release(&text);
    return string;
}

static json_t *
as_json(const struct vault_state *state)
{
    json_t *slots = json_array();

    for (size_t i = 0; i < state->slot_count; i++)
        json_array_append_new(slots, cmd_vault_slot_json(&state->slots[i]));
    return json_pack(
        "{ss so sb sI so so sI sI so sI so}", "schema", "fathom.vault/1",
        "folder", path_text(state->at.data), "exists", state->exists, "bytes",
        (json_int_t) state->bytes, "written", moment(state->written_ms),
        "slots", slots, "damaged_slots", (json_int_t) state->damaged,
        "failed_tries", (json_int_t) state->failures, "last_failed_try",
        moment(state->last_failure_s * 1000), "inbox",
        (json_int_t) state->inbox, "used_by",
        state->holder > 0 ? json_integer(state->holder) : json_null());
}

static int
run(void *settings, const struct option_list *operands)
{
    const struct status_settings *s = settings;
    struct vault_state state = {0};
    struct buffer text = {0};
    struct error err;
    int code = EXIT_SUCCESS;
    enum status status = look(&state, &err);

    (void) operands;
    if (status == STATUS_OK)
        status = s->json ? report_print(&text, as_json(&state),
                                        isatty(STDOUT_FILENO), &err)
                         : add_lines(&text, &state, &err);
    code = exit_code_of(status);
    if (status == STATUS_OK)
        status = cmd_vault_print(text.data, &code, &err);
    buffer_release(&text);
    if (status != STATUS_OK)
        notice_error("%s", err.text);
    return code;
}

static const struct option options[] = {
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct status_settings, json), 0, 0,
     "print a JSON object"},
};

static const char *const usage[] = {"[--json]", NULL};

const struct command command_vault_status = {
    .name = "status",
    .manual = "fathom-vault",
    .summary = "Show the vault from outside; needs no key",
    .usage = usage,
    OPTIONS(options),
    .settings_bytes = sizeof(struct status_settings),
    .run = run,
};
