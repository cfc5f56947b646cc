/*
 * Files of settings: lines `name = value` below [section], comments after ';'
 * or '#', read against a table. Whatever the table does not know, and every
 * value that it does not allow, is a failure that names file and line.
 *
 * Values go to a struct at the row's offset:
 *
 *   INI_TEXT, INI_PATH,
 *   INI_PATHS             char[INI_TEXT_BYTES]   empty: not given
 *   INI_CHOICE            struct option_count    which of the choices, from 0
 *   INI_COUNT             struct option_count
 *   INI_DURATION          struct option_count    in milliseconds
 */
#ifndef FATHOM_APP_INI_FILE_H
#define FATHOM_APP_INI_FILE_H

#include "app/command.h"

enum { INI_TEXT_BYTES = 200 };

enum ini_kind {
    INI_TEXT,
    INI_PATH,  // absolute
    INI_PATHS, // absolute ones with colons between them
    INI_CHOICE,
    INI_COUNT,
    INI_DURATION,
};

struct ini_row {
    const char *section; // "" before any section
    const char *name;
    enum ini_kind kind;
    const char *argument; // what it is called; of a choice "on|off"
    size_t offset;
    uint64_t most;    // of a number or duration
    const char *help; // one line, no final full stop
};

struct ini_table {
    const char *noun; // what a row is: "setting"
    const struct ini_row *row;
    size_t rows;
};

enum { INI_ROWS_MOST = 64, INI_FILE_BYTES = 64 * 1024 };

/*
 * Reads a file's text into `out`, over what is there. Messages name the file
 * by `shown`. STATUS_FORMAT: err->text has file and line; *out is then filled
 * as far as that.
 */
MUST_CHECK enum status ini_parse_text(void *out, const struct ini_table *table,
                                      const char *shown, const char *text,
                                      size_t length, struct error *err);

#endif
