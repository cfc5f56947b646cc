/*
 * "[label]: address" may stand anywhere in a text, far from the links that
 * use it. Definitions are kept while blocks are laid out; when the text has
 * ended, blocks with such links are parsed with what they need behind them.
 */
#ifndef FATHOM_UI_LINK_DEFINITION_H
#define FATHOM_UI_LINK_DEFINITION_H

#include "ui/text/document_parts.h"

/* Takes the definitions at the start of a paragraph. */
MUST_CHECK enum status link_definitions_keep(struct document *document,
                                             const char *block, size_t length,
                                             struct error *err);

/* Appends those that the block refers to. */
MUST_CHECK enum status link_definitions_add(struct document *document,
                                            const char *block, size_t length,
                                            struct buffer *out,
                                            struct error *err);

#endif
