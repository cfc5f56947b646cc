/*
 * app/history/pattern.h on any bytes: up to the first line's end an expression,
 * then the text. What is found lies in the text, and is not empty.
 */
#include "config.h"

#include "app/history/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *line_end = length ? memchr(bytes, '\n', length) : NULL;
    struct pattern *pattern;
    struct error err;
    size_t at, found;

    if (line_end == NULL)
        return 0;
    struct text wanted = {(const char *) bytes, (size_t) (line_end - bytes)};
    struct text text = {(const char *) line_end + 1,
                        length - wanted.length - 1};

    for (int case_counts = 0; case_counts < 2; case_counts++) {
        if (pattern_open(&pattern, wanted, case_counts == 1, &err) != STATUS_OK)
            continue;
        if (pattern_find(&at, &found, pattern, text) &&
            (found == 0 || at > text.length || found > text.length - at))
            abort();
        pattern_close(pattern);
    }
    return 0;
}
