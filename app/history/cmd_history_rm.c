/* fathom history rm and prune: chats that go. */
#include "config.h"

#include "app/exit_code.h"
#include "app/history/history_common.h"
#include "app/notice.h"
#include "app/report.h"
#include "app/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// what fathom-history(1) says at length
#define DELETION                                                               \
    "The rows of a deleted chat are overwritten with zeroes and the vault "    \
    "is\n"                                                                     \
    "made smaller. Disks without moving parts, file systems that copy on\n"    \
    "write, and backups may still hold the old rows: sealed, but there. "      \
    "What\n"                                                                   \
    "makes those unreadable is a new master key (fathom vault rotate) and "    \
    "the\n"                                                                    \
    "loss of every old vault.keys.\n"

struct rm_settings {
    struct unlock_settings unlock;
    bool json, yes;
};

struct prune_settings {
    struct unlock_settings unlock;
    bool json, yes, dry_run;
    struct option_count older_than, keep;
};

/* Chats that were chosen, each once. */
struct chosen {
    struct chat_id *ids;
    size_t count;
};

static enum status
allocate(struct chosen *out, size_t count, struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, (count + 1) * sizeof *out->ids, err));
    *out = (struct chosen){.ids = memory};
    return STATUS_OK;
}

static void
choose(struct chosen *chosen, const struct chat_id *id)
{
    for (size_t i = 0; i < chosen->count; i++)
        if (memcmp(&chosen->ids[i], id, sizeof *id) == 0)
            return;
    chosen->ids[chosen->count++] = *id;
}

static enum status
print_ids(struct buffer *out, const struct chosen *chosen, const char *what,
          struct error *err)
{
    json_t *ids = json_array();
    char id[CHAT_ID_TEXT];
    bool whole = true;

    for (size_t i = 0; i < chosen->count; i++) {
        chat_id_text(id, &chosen->ids[i]);
        whole = json_array_append_new(ids, json_string(id)) == 0 && whole;
    }
    json_t *json =
        json_pack("{s:s, s:o}", "schema", "fathom.deleted/1", what, ids);

    if (json == NULL || !whole) {
        json_decref(json);
        return error_set(err, STATUS_NOMEM, "out of memory for the report");
    }
    return report_print(out, json, isatty(STDOUT_FILENO), err);
}

/* What was deleted, or would be. */
static int
report(const struct chosen *chosen, const char *what, bool json)
{
    struct buffer out = {0};
    struct error err;
    enum status status =
        json ? print_ids(&out, chosen, what, &err)
             : buffer_print(&out, &err, "%s %zu %s\n", what, chosen->count,
                            history_chats_word(chosen->count));
    int code = status == STATUS_OK ? history_print(&out) : history_failed(&err);

    buffer_release(&out);
    return code;
}

/* Deletes and makes room; what was deleted before a failure is told. */
static int
delete_chosen(struct vault *vault, struct chosen *chosen, bool json)
{
    struct error err;
    enum status status = STATUS_OK;
    size_t done = 0;

    while (done < chosen->count && status == STATUS_OK) {
        status = vault_delete_chat(vault, &chosen->ids[done], &err);
        done += status == STATUS_OK;
    }
    if (status == STATUS_OK && done > 0)
        status = vault_compact(vault, &err);
    chosen->count = done;
    int code = report(chosen, "deleted", json);

    return status == STATUS_OK ? code : history_failed(&err);
}

/* -- rm ----------------------------------------------------------------------
 */

/* All of them are found before the first one goes. */
static enum status
choose_named(struct chosen *out, struct vault *vault,
             const struct option_list *operands, struct error *err)
{
    struct chat_id id;

    TRY(allocate(out, operands->count, err));
    for (size_t i = 0; i < operands->count; i++) {
        TRY(vault_find_chat(&id, vault, operands->items[i], err));
        choose(out, &id);
    }
    return STATUS_OK;
}

static int
run_rm(void *context, const struct option_list *operands)
{
    const struct rm_settings *settings = context;
    struct chosen chosen = {0};
    struct vault *vault;
    struct error err;
    char question[100];
    int code;

    if (!history_open(&vault, &settings->unlock, false, false, &code))
        return code;
    enum status status = choose_named(&chosen, vault, operands, &err);

    snprintf(question, sizeof question, "Delete %zu %s for good?", chosen.count,
             history_chats_word(chosen.count));
    if (status != STATUS_OK)
        code = history_failed(&err);
    else if (history_confirm(question, settings->yes,
                             settings->unlock.source.no_input, &code))
        code = delete_chosen(vault, &chosen, settings->json);
    free(chosen.ids);
    vault_close(vault);
    return code;
}

static const struct option rm_options[] = {
    HISTORY_YES(struct rm_settings),
    HISTORY_JSON(struct rm_settings),
    UNLOCK_OPTIONS(struct rm_settings, unlock),
};

static const char *const rm_usage[] = {"[--yes] [--json] ID...", NULL};

const struct command command_history_rm = {
    .name = "rm",
    .manual = "fathom-history",
    .summary = "Delete chats",
    .more = DELETION,
    .usage = rm_usage,
    OPTIONS(rm_options),
    .operand = OPERAND_NAME,
    .operands_least = 1,
    .operands_most = 1000,
    .settings_bytes = sizeof(struct rm_settings),
    .run = run_rm,
};

/* -- prune -------------------------------------------------------------------
 */

/* Not pinned, not among the newest, not used for as long as was said. */
static enum status
choose_old(struct chosen *out, const struct history_list *list,
           const struct prune_settings *settings, uint64_t now_ms,
           struct error *err)
{
    uint64_t age_ms =
        settings->older_than.given ? settings->older_than.value : 0;
    uint64_t keep = settings->keep.given ? settings->keep.value : 0;

    TRY(allocate(out, list->count, err));
    for (size_t i = 0; i < list->count; i++) {
        const struct chat_info *info = &list->chats[i].info;
        // a clock that was ahead makes a chat young, never old
        bool old = info->used_ms <= now_ms && now_ms - info->used_ms >= age_ms;

        if (!info->pinned && i >= keep && old)
            out->ids[out->count++] = info->id;
    }
    return STATUS_OK;
}

static enum status
print_chosen(const struct chosen *chosen, const struct history_list *list,
             struct error *err)
{
    struct buffer out = {0};
    enum status status = STATUS_OK;
    char used[TIME_TEXT];

    for (size_t i = 0, next = 0; i < list->count && next < chosen->count; i++) {
        const struct history_chat *chat = &list->chats[i];

        if (memcmp(&chat->info.id, &chosen->ids[next], sizeof chat->info.id) !=
            0)
            continue;
        next++;
        if (status == STATUS_OK)
            status = buffer_print(&out, err, "%.*s  %s  ", HISTORY_ID_SHOWN,
                                  chat->id,
                                  time_text_local(used, chat->info.used_ms));
        if (status == STATUS_OK)
            status = history_line(&out, chat->info.title, err);
        if (status == STATUS_OK)
            status = buffer_append(&out, "\n", 1, err);
    }
    if (status == STATUS_OK && history_print(&out) != EXIT_SUCCESS)
        status = STATUS_IO;
    buffer_release(&out);
    return status;
}

static int
prune(struct vault *vault, const struct prune_settings *settings,
      struct chosen *chosen, const struct history_list *list)
{
    char question[100];
    struct error err;
    int code;

    if (settings->dry_run && settings->json)
        return report(chosen, "would_delete", true);
    if (settings->dry_run) {
        if (print_chosen(chosen, list, &err) != STATUS_OK)
            return EXIT_CANT_WRITE;
        return report(chosen, "would delete", false);
    }
    snprintf(question, sizeof question, "Delete %zu of %zu chats for good?",
             chosen->count, list->count);
    if (chosen->count > 0 &&
        !history_confirm(question, settings->yes,
                         settings->unlock.source.no_input, &code))
        return code;
    return delete_chosen(vault, chosen, settings->json);
}

static int
run_prune(void *context, const struct option_list *operands)
{
    const struct prune_settings *settings = context;
    struct history_list list = {0};
    struct chosen chosen = {0};
    struct vault *vault;
    struct error err;
    int code;

    (void) operands;
    if (!settings->older_than.given && !settings->keep.given) {
        notice_error("say what goes: --older-than=DUR, --keep=N, or both");
        return EXIT_USAGE;
    }
    if (!history_open(&vault, &settings->unlock, false, false, &code))
        return code;
    enum status status = history_collect(&list, vault, &err);

    if (status == STATUS_OK)
        status = choose_old(&chosen, &list, settings,
                            (uint64_t) time(NULL) * 1000, &err);
    code = status == STATUS_OK ? prune(vault, settings, &chosen, &list)
                               : history_failed(&err);
    free(chosen.ids);
    history_list_release(&list);
    vault_close(vault);
    return code;
}

static const struct option prune_options[] = {
    {"older-than", 0, OPTION_DURATION, "DUR",
     offsetof(struct prune_settings, older_than), 0, 0,
     "what was not used for so long: 90d, 12w"},
    {"keep", 0, OPTION_COUNT, "N", offsetof(struct prune_settings, keep), 0,
     1e9, "the N chats used last stay"},
    {"dry-run", 0, OPTION_FLAG, NULL, offsetof(struct prune_settings, dry_run),
     0, 0, "only say what would go"},
    HISTORY_YES(struct prune_settings),
    HISTORY_JSON(struct prune_settings),
    UNLOCK_OPTIONS(struct prune_settings, unlock),
};

static const char *const prune_usage[] = {
    "[--older-than=DUR] [--keep=N] [OPTION]...", NULL};

const struct command command_history_prune = {
    .name = "prune",
    .manual = "fathom-history",
    .summary = "Delete chats that were not used for long; pinned ones stay",
    .more = DELETION,
    .usage = prune_usage,
    OPTIONS(prune_options),
    .settings_bytes = sizeof(struct prune_settings),
    .run = run_prune,
};
