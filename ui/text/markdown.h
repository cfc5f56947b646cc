/*
 * A block of Markdown, parsed by md4c and laid out behind the lines of the
 * document that there are.
 */
#ifndef FATHOM_UI_MARKDOWN_H
#define FATHOM_UI_MARKDOWN_H

#include "ui/text/document_parts.h"

/* The block begins at document->now.at. */
MUST_CHECK enum status markdown_lay_out(struct document *document,
                                        const struct markdown_block *block,
                                        struct error *err);

#endif
