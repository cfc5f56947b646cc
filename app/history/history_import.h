/*
 * Chats from outside: our own JSON (fathom-export(5)), OpenAI's export
 * (conversations.json) and the log of llm (`llm logs --json`). The document is
 * hostile input: nothing in it is trusted, and no more than one chat of it is
 * a tree in memory. Its texts are taken as they are; whoever shows them
 * sanitises.
 */
#ifndef FATHOM_APP_HISTORY_IMPORT_H
#define FATHOM_APP_HISTORY_IMPORT_H

#include "app/history/import_chat.h"

struct history_import;

/*
 * Finds out which format it is. The document is borrowed until the close.
 * STATUS_FORMAT: none that is known; STATUS_UNSUPPORTED: from a newer fathom.
 */
MUST_CHECK enum status history_import_open(struct history_import **out,
                                           struct text document,
                                           struct error *err);
void history_import_close(struct history_import *import); // takes NULL

/* "a fathom export", "an OpenAI export", "a log of llm" */
const char *history_import_format(const struct history_import *import);

/*
 * The next chat; NULL behind the last one. Valid until the next call. After a
 * failure err->text says in which chat, and nothing more can be read.
 */
MUST_CHECK enum status history_import_next(const struct import_chat **out,
                                           struct history_import *import,
                                           struct error *err);
/* To the beginning again: the first pass checks, the second one writes. */
void history_import_rewind(struct history_import *import);

#endif
