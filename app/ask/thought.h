/*
 * Where the thought of `ask` goes: --show-thinking=none|stderr|stdout|json|
 * fd:N|FILE. Apart from the answer, whatever it is.
 */
#ifndef FATHOM_APP_THOUGHT_H
#define FATHOM_APP_THOUGHT_H

#include "ui/ui.h"

enum thought_sink {
    THOUGHT_DEFAULT, // not said: a counter on a terminal, lines of --jsonl
    THOUGHT_NONE,
    THOUGHT_STDERR,
    THOUGHT_STDOUT, // between <think> and </think>, before the answer
    THOUGHT_JSON,
    THOUGHT_DESCRIPTOR, // fd:N or FILE
};

struct thought {
    enum thought_sink sink;
    struct printer printer;
    bool owned;
};

/*
 * Reads the option's value, NULL when it was not given, and opens what it
 * names. *code is the exit code of a failure.
 */
MUST_CHECK enum status thought_open(struct thought *out, const char *value,
                                    int *code, struct error *err);
void thought_close(struct thought *thought);

#endif
