/*
 * Reads command lines against the tables of command.h: --name=value and
 * --name value, -x value and -xvalue, short flags together, operands anywhere,
 * and -- before operands that begin with a dash.
 */
#ifndef FATHOM_APP_OPTIONS_H
#define FATHOM_APP_OPTIONS_H

#include "app/command.h"

struct parsed {
    void *settings;              // of the command
    struct option_list operands; // borrowed from argv
    bool help;                   // --help was given: nothing else counts
};

/*
 * Parses argv[0..argc), which hold what follows the command's name. On
 * failure err->text is a sentence for the user. Either way the caller calls
 * parsed_release.
 */
MUST_CHECK enum status options_parse(struct parsed *out,
                                     const struct command *command, int argc,
                                     char **argv, struct error *err);
void parsed_release(struct parsed *parsed, const struct command *command);

/*
 * Whole texts to numbers, strictly: no blanks, signs only where `least` is
 * negative, no hexadecimal, no "nan". "1.5s", "200ms", "2m", "1h", "7d",
 * "4w" and bare seconds are durations.
 */
bool option_read_count(const char *text, uint64_t *out);
bool option_read_real(const char *text, double *out);
bool option_read_duration(const char *text, uint64_t *out_ms);

/* Whether `text` is one of `choices`, which are separated by '|'. */
bool option_is_choice(const char *choices, const char *text);

#endif
