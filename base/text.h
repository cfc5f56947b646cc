/*
 * UTF-8, and bytes from outside made fit to be shown.
 *
 * Invalid input is treated one way everywhere: every maximal part that cannot
 * be continued to a valid character counts as one U+FFFD (Unicode 3.9).
 * Overlong forms, surrogates and values above U+10FFFF are invalid.
 */
#ifndef FATHOM_BASE_TEXT_H
#define FATHOM_BASE_TEXT_H

#include "base/memory.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_REPLACEMENT = 0xFFFD };

/*
 * Decodes the character at the start of `bytes` (length > 0) into *code_point
 * and returns how many bytes it takes. Invalid bytes give U+FFFD and the
 * length of the invalid part; *valid tells them from a real U+FFFD.
 */
size_t utf8_next(const char *bytes, size_t length, uint32_t *code_point,
                 bool *valid);

/* Writes 1 to 4 bytes; code_point is a Unicode scalar value. */
size_t utf8_write(char out[4], uint32_t code_point);

bool utf8_valid(const char *bytes, size_t length);

/*
 * Length of the longest prefix that ends on a whole character, where the rest
 * (at most 3 bytes) may still become one when more bytes arrive.
 */
size_t utf8_complete_prefix(const char *bytes, size_t length);

/* Appends `bytes` with each invalid part replaced by U+FFFD. */
MUST_CHECK enum status utf8_repair(struct buffer *out, const char *bytes,
                                   size_t length, struct error *err);

/* Has `text` this ending, and something before it? */
bool text_ends_with(const char *text, size_t length, const char *ending);

/* Copies a string that is known to fit, with its NUL, into `size` bytes. */
void text_copy(char *out, size_t size, const char *from);

/* "1,284" */
enum { COUNT_TEXT = 32 };
const char *text_count(char out[COUNT_TEXT], uint64_t count);
/* "284B", "2.6M", as names of models have it. */
const char *text_short_count(char out[COUNT_TEXT], double count);
/* Divides by thousands until it has three digits, `most` times; how often. */
size_t text_thousands(double *value, size_t most);

/*
 * Writes `bytes` into out (size bytes, NUL-terminated) so that it is safe in
 * a one-line message: controls, DEL, C1, bidi controls and invalid bytes
 * become \xHH or \u{H}; what does not fit ends in "...". Returns out. For
 * names from files.
 */
const char *text_quote(char *out, size_t size, const char *bytes,
                       size_t length);

#endif
