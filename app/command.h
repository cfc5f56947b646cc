/*
 * What a command is: its name, its options and operands in tables, and a
 * function. The parser, --help, the completions of three shells and the test
 * of the manual pages all read these tables; there is no second list.
 *
 * Values go to the command's settings struct, zeroed beforehand, at the
 * option's offset:
 *
 *   OPTION_FLAG               bool
 *   OPTION_TEXT, _FILE,
 *   _MODEL, _CHOICE           const char *         NULL: not given
 *   OPTION_OPTIONAL           const char *         "": given without a value
 *   OPTION_LIST, _FILES       struct option_list   every time it was given
 *   OPTION_COUNT, _DURATION   struct option_count  a duration in milliseconds
 *   OPTION_REAL               struct option_real
 *   OPTION_REFUSED            nothing: known, not possible, `help` says why
 *
 * Given twice, the last one counts, but for lists.
 */
#ifndef FATHOM_APP_COMMAND_H
#define FATHOM_APP_COMMAND_H

#include "base/base.h"

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_FILE,
    OPTION_MODEL, // a model file, or the name of one
    OPTION_CHOICE,
    OPTION_OPTIONAL, // --name or --name=VALUE, never --name VALUE
    OPTION_LIST,
    OPTION_FILES,
    OPTION_COUNT,
    OPTION_DURATION,
    OPTION_REAL,
    OPTION_REFUSED,
};

struct option {
    const char *name; // long, without dashes; NULL: only a letter
    char letter;      // 0: only a name
    enum option_kind kind;
    const char *argument; // what it is called; of a choice "on|off"
    size_t offset;        // in the settings
    double least, most;   // of a number, both allowed
    const char *help;     // for --help, no final full stop
};

struct option_list {
    const char **items; // NULL-terminated
    size_t count;
};

struct option_count {
    bool given;
    uint64_t value;
};

struct option_real {
    bool given;
    double value;
};

enum operand_kind {
    OPERAND_NONE,
    OPERAND_TEXT,
    OPERAND_MODEL,
    OPERAND_NAME, // of something that fathom keeps: an id
    OPERAND_FILE,
    OPERAND_CHOICE, // one of the command's `choices`
};

struct command {
    const char *name;
    const char *manual;       // its page: "fathom-ask"
    const char *summary;      // one line, no final full stop
    const char *more;         // lines for --help, with line feeds; or NULL
    const char *const *usage; // lines that follow the name; NULL-terminated
    const struct option *options;
    size_t option_count;
    enum operand_kind operand;
    size_t operands_least, operands_most;
    const char *choices;                // "bash|zsh|fish"
    const struct command *const *verbs; // NULL-terminated; then no run
    size_t settings_bytes;
    bool bare;       // runs without settings and policy
    bool unconfined; // runs, to say so, where the kernel refuses the filter
    int (*run)(void *settings, const struct option_list *operands);
};

#define OPTIONS(table)                                                         \
    .options = (table), .option_count = sizeof(table) / sizeof(table)[0]

/* All commands, NULL-terminated, in the order in which --help shows them. */
extern const struct command *const commands[];
/* Options before any command, which are those of `chat`, and --version. */
extern const struct command command_fathom;

/* The command or verb of this name, or NULL. */
const struct command *command_find(const struct command *const *among,
                                   const char *name);

#endif
