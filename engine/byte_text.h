/*
 * The byte alphabet of byte-level BPE: every byte as one printable character.
 *
 * Bytes 33-126, 161-172 and 174-255 stand for themselves as code points; the
 * other 68, in increasing order, are U+0100, U+0101, ... (published with
 * GPT-2). Vocabulary files spell their ordinary tokens in it.
 */
#ifndef FATHOM_ENGINE_BYTE_TEXT_H
#define FATHOM_ENGINE_BYTE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Writes the character that stands for `byte`: 1 or 2 bytes of UTF-8. */
size_t byte_text_write(char out[2], uint8_t byte);

/* The byte that a code point stands for, or -1. */
int byte_text_byte(uint32_t code_point);

#endif
