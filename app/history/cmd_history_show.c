/* fathom history show: a chat as text, or as JSON. */
#include "config.h"

#include "app/exit_code.h"
#include "app/history/history_common.h"
#include "app/history/history_export.h"
#include "app/time_text.h"
#include "app/history/turn_tree.h"
#include "ui/ui.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct show_settings {
    struct unlock_settings unlock;
    bool json, read_only, all, with_thinking;
};

static const struct print_style plain = {0};
static const struct print_style thought = {.prefix = "| ", .dim = true};

static enum status
print_piece(struct printer *p, struct print_style style, const char *label,
            struct text text, struct error *err)
{
    printer_begin(p, style);
    if (label)
        TRY(printer_label(p, label, err));
    if (text.length > 0)
        TRY(printer_write(p, text.bytes, text.length, err));
    return printer_end(p, err);
}

/* Title, date, model and id, before the turns. */
static enum status
print_head(struct printer *p, const struct chat_info *info, struct error *err)
{
    char date[TIME_TEXT], id[CHAT_ID_TEXT];
    struct buffer head = {0};

    chat_id_text(id, &info->id);
    enum status status = history_line(&head, info->title, err);

    if (status == STATUS_OK)
        status = buffer_print(&head, err, "%s%s, ", head.length > 0 ? "\n" : "",
                              time_text_local(date, info->created_ms));
    if (status == STATUS_OK && info->model.length > 0) {
        status = history_line(&head, info->model, err);
        if (status == STATUS_OK)
            status = buffer_print(&head, err, ", ");
    }
    if (status == STATUS_OK)
        status = buffer_print(&head, err, "%s", id);
    if (status == STATUS_OK)
        status = print_piece(p, plain, NULL,
                             (struct text){head.data, head.length}, err);
    buffer_release(&head);
    return status;
}

/* "fathom> ", or among branches "3. fathom (after 1, version 2 of 2)> " */
static const char *
label_of(char out[100], const struct turn_tree *tree, size_t i,
         const struct turn_record *turn, bool numbered)
{
    const struct turn_node *node = &tree->nodes[i];
    const char *speaker = turn->role == TURN_QUESTION ? "you" : "fathom";
    const char *missing =
        turn->role == TURN_ANSWER && !turn->complete ? " (incomplete)" : "";

    if (!numbered)
        snprintf(out, 100, "%s%s> ", speaker, missing);
    else if (node->versions == 1)
        snprintf(out, 100, "%zu. %s%s> ", i + 1, speaker, missing);
    else if (node->parent < 0)
        snprintf(out, 100, "%zu. %s%s (version %u of %u)> ", i + 1, speaker,
                 missing, node->version, node->versions);
    else
        snprintf(out, 100, "%zu. %s%s (after %td, version %u of %u)> ", i + 1,
                 speaker, missing, node->parent + 1, node->version,
                 node->versions);
    return out;
}

static enum status
print_turns(struct printer *p, const struct show_settings *settings,
            const struct turn_record *turns, const struct turn_tree *tree,
            struct error *err)
{
    char label[100];

    for (size_t k = 0; k < tree->order_count; k++) {
        size_t i = tree->order[k];
        const struct turn_record *turn = &turns[i];

        TRY(printer_put(p->descriptor, "\n", 1, err));
        if (settings->with_thinking && turn->thinking.length > 0)
            TRY(print_piece(p, thought, NULL, turn->thinking, err));
        TRY(print_piece(p, plain, label_of(label, tree, i, turn, settings->all),
                        turn->content, err));
    }
    return STATUS_OK;
}

/* Says that there is more than the branch in use. */
static enum status
print_rest(struct printer *p, const struct turn_tree *tree, struct error *err)
{
    size_t more = tree->count - tree->order_count;
    char text[100];

    if (tree->order_count == tree->count)
        return STATUS_OK;
    int n = snprintf(text, sizeof text,
                     "\n[%zu message%s on other branches; --all shows them]\n",
                     more, more == 1 ? "" : "s");

    return printer_put(p->descriptor, text, (size_t) n, err);
}

static enum status
print_text(const struct show_settings *settings, const struct vault_chat *chat,
           struct error *err)
{
    static const char system_label[] = "system> ";
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct printer printer = {
        .descriptor = STDOUT_FILENO,
        .colour = terminal.colour,
        .columns = terminal.is_terminal ? terminal_columns(STDOUT_FILENO) : 0,
    };
    const struct chat_info *info = vault_chat_info(chat);
    struct turn_tree tree;
    size_t count;
    const struct turn_record *turns = vault_chat_turns(chat, &count);

    TRY(turn_tree_build(&tree, turns, count, info->leaf, settings->all, err));
    enum status status = print_head(&printer, info, err);

    if (status == STATUS_OK && info->system.length > 0) {
        status = printer_put(STDOUT_FILENO, "\n", 1, err);
        if (status == STATUS_OK)
            status =
                print_piece(&printer, plain, system_label, info->system, err);
    }
    if (status == STATUS_OK)
        status = print_turns(&printer, settings, turns, &tree, err);
    if (status == STATUS_OK && terminal.is_terminal)
        status = print_rest(&printer, &tree, err);
    printer_release(&printer);
    turn_tree_release(&tree);
    return status;
}

static enum status
print_json(const struct show_settings *settings, const struct vault_chat *chat,
           struct error *err)
{
    struct export_how how = {EXPORT_JSON, settings->with_thinking, true};
    struct export_chat export = {.info = vault_chat_info(chat)};
    char id[CHAT_ID_TEXT];
    struct buffer out = {0};

    chat_id_text(id, &export.info->id);
    export.id = id;
    export.turns = vault_chat_turns(chat, &export.count);
    enum status status =
        history_export_begin(&out, &how, (uint64_t) time(NULL) * 1000, err);

    if (status == STATUS_OK)
        status = history_export_chat(&out, &how, &export, 0, err);
    if (status == STATUS_OK)
        status = history_export_end(&out, &how, err);
    if (status == STATUS_OK)
        status = printer_put(STDOUT_FILENO, out.data, out.length, err);
    buffer_release(&out);
    return status;
}

/* The chat that was named, or the one used last. */
static enum status
find_chat(struct chat_id *out, struct vault *vault, const char *prefix,
          struct error *err)
{
    bool found;

    if (prefix)
        return vault_find_chat(out, vault, prefix, err);
    TRY(vault_newest_chat(out, &found, vault, err));
    return found ? STATUS_OK
                 : error_set(err, STATUS_FORMAT, "there are no chats yet");
}

static int
run_show(void *context, const struct option_list *operands)
{
    const struct show_settings *settings = context;
    struct vault_chat *chat = NULL;
    struct vault *vault;
    struct chat_id id;
    struct error err;
    int code;

    if (!history_open(&vault, &settings->unlock, settings->read_only, true,
                      &code))
        return code;
    enum status status = find_chat(
        &id, vault, operands->count > 0 ? operands->items[0] : NULL, &err);

    if (status == STATUS_OK)
        status = vault_chat_open(&chat, vault, &id, &err);
    if (status == STATUS_OK)
        status = settings->json ? print_json(settings, chat, &err)
                                : print_text(settings, chat, &err);
    code = status == STATUS_OK ? EXIT_SUCCESS : history_failed(&err);
    vault_chat_close(chat);
    vault_close(vault);
    return code;
}

static const struct option options[] = {
    {"all", 0, OPTION_FLAG, NULL, offsetof(struct show_settings, all), 0, 0,
     "all branches, with numbers"},
    {"with-thinking", 0, OPTION_FLAG, NULL,
     offsetof(struct show_settings, with_thinking), 0, 0,
     "what was thought before the answers, too"},
    HISTORY_JSON(struct show_settings),
    HISTORY_READ_ONLY(struct show_settings),
    UNLOCK_OPTIONS(struct show_settings, unlock),
};

static const char *const usage[] = {"[--all] [--with-thinking] [--json] [ID]",
                                    NULL};

const struct command command_history_show = {
    .name = "show",
    .manual = "fathom-history",
    .summary = "Show a chat; without an ID the one used last",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_NAME,
    .operands_most = 1,
    .settings_bytes = sizeof(struct show_settings),
    .run = run_show,
};
