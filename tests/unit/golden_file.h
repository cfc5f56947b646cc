/* Files under tests/data: read whole, by lines, and with their escapes. */
#ifndef FATHOM_TESTS_UNIT_GOLDEN_FILE_H
#define FATHOM_TESTS_UNIT_GOLDEN_FILE_H

#include "base/base.h"

struct golden_file {
    struct buffer bytes;
    size_t at; // of the next line
    size_t line;
};

/* Opens tests/data/NAME of the source tree, or of the build tree where it was
 * unpacked. Ends the program when it cannot be read. */
void golden_open(struct golden_file *file, const char *name);
void golden_close(struct golden_file *file);

/* Puts the path of tests/data/NAME, in either tree, into `path`. */
void golden_path(char *path, size_t size, const char *name);

/* The next line, NUL-terminated, without its line feed; NULL at the end. */
char *golden_line(struct golden_file *file);

/* Replaces \\ \n \r \t \xHH by what they mean; the length that results. */
size_t golden_unescape(char *line);

#endif
