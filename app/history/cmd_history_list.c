/* fathom history list: chats, last used first. */
#include "config.h"

#include "app/exit_code.h"
#include "app/history/history_common.h"
#include "app/history/history_filter.h"
#include "app/history/turn_count.h"
#include "app/report.h"
#include "app/time_text.h"
#include "ui/ui.h"

#include <string.h>
#include <unistd.h>

enum {
    WHEN_COLUMNS = 16,
    TURNS_COLUMNS = 5,
    MODEL_LEAST = 5,
    MODEL_MOST = 20,
    TITLE_LEAST = 10,
    GAP = 2,
};

struct list_settings {
    struct unlock_settings unlock;
    bool json, read_only;
    struct option_count most;
    struct option_list tags;
};

static json_t *
text_value(struct text text)
{
    return text.length > 0 ? json_stringn(text.bytes, text.length)
                           : json_null();
}

static json_t *
tags_value(struct text tags)
{
    json_t *list = json_array();
    struct text tag;

    // without memory one is missing: report_print would fail as well
    while (tags_next(&tag, &tags))
        (void) !json_array_append_new(list,
                                      json_stringn(tag.bytes, tag.length));
    return list;
}

static json_t *
turns_value(uint32_t turns)
{
    return turns == TURN_COUNT_UNKNOWN ? json_null() : json_integer(turns);
}

static json_t *
chat_object(const struct history_chat *chat)
{
    const struct chat_info *info = &chat->info;
    char created[TIME_TEXT], used[TIME_TEXT];

    return json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:o, s:b, s:o}", "id", chat->id, "title",
        text_value(info->title), "model", text_value(info->model), "created",
        time_text_utc(created, info->created_ms), "used",
        time_text_utc(used, info->used_ms), "turns", turns_value(chat->turns),
        "pinned", info->pinned, "tags", tags_value(info->tags));
}

static enum status
print_json(struct buffer *out, const struct history_list *list, size_t count,
           struct error *err)
{
    json_t *chats = json_array();

    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(chats, chat_object(&list->chats[i])) < 0) {
            json_decref(chats);
            return error_set(err, STATUS_NOMEM, "out of memory for the list");
        }
    json_t *json =
        json_pack("{s:s, s:o}", "schema", "fathom.history/1", "chats", chats);

    if (json == NULL)
        return error_set(err, STATUS_NOMEM, "out of memory for the list");
    return report_print(out, json, isatty(STDOUT_FILENO), err);
}

/* For programs: fields with tabs between them. */
static enum status
print_fields(struct buffer *out, const struct history_chat *chat,
             struct error *err)
{
    char used[TIME_TEXT], turns[TURN_COUNT_TEXT];

    TRY(buffer_print(out, err, "%s\t%s\t%s\t", chat->id,
                     time_text_utc(used, chat->info.used_ms),
                     turn_count_text(turns, chat->turns)));
    TRY(history_line(out, chat->info.model, err));
    TRY(buffer_append(out, "\t", 1, err));
    TRY(history_line(out, chat->info.title, err));
    return buffer_append(out, "\n", 1, err);
}

/* For people who listen: a line that can be read out. */
static enum status
print_spoken(struct buffer *out, const struct history_chat *chat,
             struct error *err)
{
    char used[TIME_TEXT], turns[TURN_COUNT_TEXT];

    TRY(buffer_print(out, err, "Chat %.*s: ", HISTORY_ID_SHOWN, chat->id));
    TRY(history_line(out, chat->info.title, err));
    if (chat->info.tags.length > 0) {
        TRY(buffer_print(out, err, "; tags "));
        TRY(history_line(out, chat->info.tags, err));
    }
    TRY(buffer_print(out, err, "; %s%s, %s turn%s, model ",
                     chat->info.pinned ? "pinned, " : "",
                     time_text_local(used, chat->info.used_ms),
                     turn_count_text(turns, chat->turns),
                     chat->turns == 1 ? "" : "s"));
    TRY(history_line(out, chat->info.model, err));
    return buffer_append(out, "\n", 1, err);
}

/* Columns of the table's fields that differ. */
struct widths {
    size_t model, title;
};

static enum status
measure(struct widths *out, const struct history_list *list, size_t count,
        struct error *err)
{
    size_t fixed =
        HISTORY_ID_SHOWN + WHEN_COLUMNS + TURNS_COLUMNS + 4 * (size_t) GAP;
    size_t columns = terminal_columns(STDOUT_FILENO);
    struct buffer line = {0};

    out->model = MODEL_LEAST;
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&line);
        TRY(history_line(&line, list->chats[i].info.model, err));
        size_t width = history_columns(
            (struct text){line.data ? line.data : "", line.length});

        if (width > out->model)
            out->model = width < MODEL_MOST ? width : MODEL_MOST;
    }
    buffer_release(&line);
    fixed += out->model;
    out->title = columns > fixed + TITLE_LEAST ? columns - fixed : TITLE_LEAST;
    return STATUS_OK;
}

static void
drop_blanks(struct buffer *out)
{
    while (out->length > 0 && out->data[out->length - 1] == ' ')
        out->length--;
}

/* The title, and tags in brackets. */
static enum status
put_title(struct buffer *out, const struct chat_info *info, size_t columns,
          struct error *err)
{
    struct buffer text = {0};
    enum status status =
        buffer_append(&text, info->title.bytes, info->title.length, err);

    if (status == STATUS_OK && info->tags.length > 0)
        status = buffer_print(&text, err, "  [%.*s]", (int) info->tags.length,
                              info->tags.bytes);
    if (status == STATUS_OK)
        status = history_cell(out, (struct text){text.data, text.length},
                              columns, err);
    buffer_release(&text);
    return status;
}

static enum status
print_row(struct buffer *out, const struct history_chat *chat,
          const struct widths *widths, struct error *err)
{
    char used[TIME_TEXT], turns[TURN_COUNT_TEXT];

    TRY(buffer_print(out, err, "%.*s%c %s  %*s  ", HISTORY_ID_SHOWN, chat->id,
                     chat->info.pinned ? '*' : ' ',
                     time_text_local(used, chat->info.used_ms), TURNS_COLUMNS,
                     turn_count_text(turns, chat->turns)));
    TRY(history_cell(out, chat->info.model, widths->model, err));
    TRY(buffer_append(out, "  ", GAP, err));
    TRY(put_title(out, &chat->info, widths->title, err));
    drop_blanks(out);
    return buffer_append(out, "\n", 1, err);
}

static enum status
print_table(struct buffer *out, const struct history_list *list, size_t count,
            struct error *err)
{
    struct widths widths;

    if (count == 0)
        return buffer_print(out, err, "There are no chats yet.\n");
    TRY(measure(&widths, list, count, err));
    TRY(buffer_print(out, err, "%-*s  %-*s  %*s  %-*s  TITLE\n",
                     HISTORY_ID_SHOWN, "ID", WHEN_COLUMNS, "LAST USED",
                     TURNS_COLUMNS, "TURNS", (int) widths.model, "MODEL"));
    for (size_t i = 0; i < count; i++)
        TRY(print_row(out, &list->chats[i], &widths, err));
    return STATUS_OK;
}

static enum status
print_list(struct buffer *out, const struct list_settings *settings,
           struct history_list *list, struct vault *vault, struct error *err)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    size_t count = list->count;

    if (settings->most.given && settings->most.value < count)
        count = (size_t) settings->most.value;
    for (size_t i = 0; i < count; i++)
        list->chats[i].turns = turn_count(vault, &list->chats[i].info.id);
    if (settings->json)
        return print_json(out, list, count, err);
    if (terminal.is_terminal && !terminal.accessible)
        return print_table(out, list, count, err);
    for (size_t i = 0; i < count; i++)
        TRY(terminal.is_terminal ? print_spoken(out, &list->chats[i], err)
                                 : print_fields(out, &list->chats[i], err));
    return STATUS_OK;
}

/* Drops the chats that lack one of the tags. */
static enum status
keep_tagged(struct history_list *list, const struct option_list *tags,
            struct error *err)
{
    struct history_filter filter = {.needle = NULL};
    size_t kept = 0;

    for (size_t i = 0; i < tags->count; i++)
        TRY(history_filter_add_tag(&filter, tags->items[i], err));
    for (size_t i = 0; i < list->count; i++) {
        struct history_chat chat = list->chats[i];

        if (history_filter_takes(&filter, &chat.info))
            list->chats[kept++] = chat;
        else
            history_chat_release(&chat);
    }
    list->count = kept;
    history_filter_release(&filter);
    return STATUS_OK;
}

static int
run_list(void *context, const struct option_list *operands)
{
    const struct list_settings *settings = context;
    struct history_list list = {0};
    struct buffer out = {0};
    struct vault *vault;
    struct error err;
    int code;

    (void) operands;
    if (!history_open(&vault, &settings->unlock, settings->read_only, true,
                      &code))
        return code;
    enum status status = history_collect(&list, vault, &err);

    if (status == STATUS_OK)
        status = keep_tagged(&list, &settings->tags, &err);
    if (status == STATUS_OK)
        status = print_list(&out, settings, &list, vault, &err);
    code = status == STATUS_OK ? history_print(&out) : history_failed(&err);
    buffer_release(&out);
    history_list_release(&list);
    vault_close(vault);
    return code;
}

static const struct option options[] = {
    {NULL, 'n', OPTION_COUNT, "N", offsetof(struct list_settings, most), 1, 1e9,
     "at most so many"},
    HISTORY_TAG(struct list_settings),
    HISTORY_JSON(struct list_settings),
    HISTORY_READ_ONLY(struct list_settings),
    UNLOCK_OPTIONS(struct list_settings, unlock),
};

static const char *const usage[] = {"[-n N] [--tag TAG]... [--json]", NULL};

const struct command command_history_list = {
    .name = "list",
    .manual = "fathom-history",
    .summary = "List the chats, last used first",
    .usage = usage,
    OPTIONS(options),
    .settings_bytes = sizeof(struct list_settings),
    .run = run_list,
};
