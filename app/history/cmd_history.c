/* fathom history: what is done with chats that the vault keeps. */
#include "config.h"

#include "app/history/history_common.h"

static const struct command *const verbs[] = {
    &command_history_list,
    &command_history_show,
    &command_history_search,
    &command_history_export,
    &command_history_import,
    &command_history_rm,
    &command_history_prune,
    &command_history_pin,
    &command_history_unpin,
    &command_history_tag,
    NULL,
};

static const char *const usage[] = {"VERB [OPTION]... [ARGUMENT]...", NULL};

const struct command command_history = {
    .name = "history",
    .manual = "fathom-history",
    .summary = "List, show, search, export, import and delete chats",
    .usage = usage,
    .verbs = verbs,
};
