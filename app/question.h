/*
 * The question as the user put it: the PROMPT argument, "-" or a standard
 * input that is no terminal, and files. Files, and a standard input beside a
 * PROMPT, go before it as documents, in the form DeepSeek publishes for files.
 * Without PROMPT and standard input the text of the files is the question.
 */
#ifndef FATHOM_APP_QUESTION_H
#define FATHOM_APP_QUESTION_H

#include "app/command.h"

struct question_source {
    const char *prompt; // NULL: not given; "-": standard input
    const struct option_list *files;
    bool no_input; // standard input is not to be read
};

/*
 * Fills `out` with valid UTF-8. *code is the exit code of a failure: usage,
 * not readable, not UTF-8 or too long.
 */
MUST_CHECK enum status question_read(struct buffer *out,
                                     const struct question_source *source,
                                     int *code, struct error *err);

/*
 * Standard input alone, as it is, empty or not; refused where it is a
 * terminal that nobody pointed at with "-".
 */
MUST_CHECK enum status question_read_input(struct buffer *out,
                                           const struct question_source *source,
                                           int *code, struct error *err);

/* A whole file of UTF-8 text; *code as above. `shown` names it in errors. */
MUST_CHECK enum status question_read_file(struct buffer *out, const char *path,
                                          int *code, struct error *err);

#endif
