/*
 * Documents that go with a question, before its text, in the form that
 * DeepSeek publishes for files. They are part of the question wherever it is
 * kept or sent; people see their names.
 */
#ifndef FATHOM_APP_ATTACHMENT_H
#define FATHOM_APP_ATTACHMENT_H

#include "base/protocol.h"

enum { ATTACHMENT_NAME_BYTES = 300 };

/* Appends a document; `name` is fit to be shown, on one line. */
MUST_CHECK enum status attachment_append(struct buffer *out, const char *name,
                                         struct text content,
                                         struct error *err);
/* What a file is called without its folders, fit to be shown. */
void attachment_name(char out[ATTACHMENT_NAME_BYTES], const char *path);

/*
 * Takes the first document off a question; false: it begins with none. All
 * three are parts of the question's bytes.
 */
bool attachment_next(struct text *question, struct text *name,
                     struct text *content);
/* For people: "[notes.txt, 8 B]", a line for each document, then the rest. */
MUST_CHECK enum status
attachment_lay_out(struct buffer *out, struct text question, struct error *err);
/* The question without its documents. */
struct text attachment_rest(struct text question);

#endif
