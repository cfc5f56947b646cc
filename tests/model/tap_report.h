/* TAP lines with a figure in them: "ok 3 - model A, absorbed: 4e-7 of 1e-5". */
#ifndef FATHOM_TESTS_MODEL_TAP_REPORT_H
#define FATHOM_TESTS_MODEL_TAP_REPORT_H

#include <stdbool.h>

/* One test; the text is a sentence without line feed. */
void report(bool ok, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One test that is not run, and why. */
void report_skip(const char *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints the plan; the exit code of the program. */
int report_end(void);

#endif
