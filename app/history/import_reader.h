/* What a format of history_import.h consists of. */
#ifndef FATHOM_APP_IMPORT_READER_H
#define FATHOM_APP_IMPORT_READER_H

#include "app/history/import_chat.h"

/* Fills an empty chat from an item of the document, without settling it. */
MUST_CHECK enum status import_fathom(struct import_chat *chat,
                                     const json_t *item, struct error *err);
MUST_CHECK enum status import_openai(struct import_chat *chat,
                                     const json_t *item, struct error *err);
/* Adds a logged question and its answer to a chat. */
MUST_CHECK enum status import_llm(struct import_chat *chat, const json_t *item,
                                  struct error *err);

#endif
