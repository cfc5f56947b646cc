/*
 * A conversation as a file, mode 0600, since it is as private as the chat.
 */
#ifndef FATHOM_APP_CHAT_FILE_H
#define FATHOM_APP_CHAT_FILE_H

#include "base/base.h"

/*
 * Writes a new file. Where there is one and `replace` is false it fails, with
 * *exists true; a replaced file changes as a whole.
 */
MUST_CHECK enum status chat_file_save(const char *path, bool replace,
                                      const struct buffer *text, bool *exists,
                                      struct error *err);

#endif
