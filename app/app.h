/*
 * app: the program fathom. This is the folder's door; nobody else enters.
 *
 *   main.c         finds the command, parses its options, runs it
 *   command.h      what a command is; commands.c lists them
 *   options.h      command lines against the tables of command.h
 *   help.h         --help and completions, from the same tables
 *   exit_code.h    what the program ends with
 *   notice.h       sentences for people, on standard error
 *   signals.h      SIGINT and its kin as something to wait for
 *   places.h       where the engine and the models are
 *   client.h       the engine: started or found warm, spoken to, lost
 *   launch.h       its processes
 *   exchange.h     one request to it, for commands that only look
 *   generation.h   options that `ask` and `chat` share, as a request
 *   ask.h          one run of `ask`
 *   question.h     the text `ask` was given: argument, stdin, files
 *   output.h       where an answer goes: stdout, or a file that appears whole
 *   thought.h      where the thought goes
 *   report.h       an answer as JSON
 *   passphrase.h   asking for one; unlock.h opening the vault with it
 *   lock_request.h "fathom vault lock" and the chats it reaches
 *   chat.h         a chat: conversation.h its turns, keeping.h what becomes of
 *                  them, chat_vault.h unlocking, locking and coming back
 *   chat_title.h   what a chat is called; time_text.h moments as text
 *   turn_tree.h    which turn follows which
 *   history_export.h  chats as Markdown, HTML, JSON
 *   history_import.h  chats from outside; import_NAME.c a format each
 *   doctor.h       what fathom doctor looks at
 *   history_common.h  what the verbs of `history` share
 *   cmd_NAME.c     one command each
 */
#ifndef FATHOM_APP_APP_H
#define FATHOM_APP_APP_H

#include "app/client.h"
#include "app/command.h"
#include "app/exit_code.h"
#include "app/generation.h"
#include "app/help.h"
#include "app/notice.h"
#include "app/options.h"
#include "app/places.h"
#include "app/policy.h"
#include "app/settings.h"
#include "app/signals.h"

#endif
