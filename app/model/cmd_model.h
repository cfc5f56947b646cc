/* The verbs of `fathom model`, one file each or a few. */
#ifndef FATHOM_APP_CMD_MODEL_H
#define FATHOM_APP_CMD_MODEL_H

#include "app/command.h"

extern const struct command command_model_import, command_model_keygen,
    command_model_list, command_model_rm, command_model_sign,
    command_model_verify;

#endif
