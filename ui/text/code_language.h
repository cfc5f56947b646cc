/* The table of languages; for code_looks.c. */
#ifndef FATHOM_UI_CODE_LANGUAGE_H
#define FATHOM_UI_CODE_LANGUAGE_H

#include "ui/screen/look.h"

#include <stdbool.h>

/* From `open` to `close`, or to the end of the line where that is NULL. */
struct code_span {
    const char *open, *close;
    enum look look;
    unsigned form;
};

enum {
    SPAN_LINES = 1,       // may end on a later line
    SPAN_ESCAPES = 2,     // a backslash takes the next character in
    SPAN_AFTER_BLANK = 4, // begins a line, or follows a blank
    SPAN_CHARACTER = 8,   // one character, else it is no string
    SPAN_IN_TAG = 16,     // only inside of <...>
};

enum { SPANS_MOST = 7 };

struct code_language {
    const char *names; // labels, each between blanks, lower case
    const char *words; // likewise; NULL: none
    struct code_span span[SPANS_MOST]; // up to one without `open`
    const char *also;                  // characters of words beside a-z 0-9 _
    bool any_case;                     // words are written in any case
    bool directives;                   // "#include": '#' and a word
    bool at_words;                     // "@media"
    bool keys;                         // "key: value" begins a line
    bool sections;                     // "[section]" is a line
    bool tags;                         // <tag attribute="...">
    bool changes;                      // lines of + and -
    bool commands;                     // \command
};

extern const struct code_language code_languages[];
extern const unsigned code_language_count;

#endif
