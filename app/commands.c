/* The list of commands. */
#include "config.h"

#include "app/command.h"

#include <string.h>

extern const struct command command_ask, command_audit, command_chat,
    command_completion, command_doctor, command_engine, command_help,
    command_history, command_model, command_tokenize, command_vault;

// clang-format off
const struct command *const commands[] = {
    &command_chat,
    &command_ask,
    &command_history,
    &command_vault,
    &command_audit,
    &command_model,
    &command_tokenize,
    &command_engine,
    &command_doctor,
    &command_completion,
    &command_help,
    NULL,
};
// clang-format on

const struct command *
command_find(const struct command *const *among, const char *name)
{
    for (size_t i = 0; among[i] != NULL; i++)
        if (strcmp(among[i]->name, name) == 0)
            return among[i];
    return NULL;
}
