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
 *   INI_REAL              struct option_real
 *
 * A section that ends with a dot, "preset.", stands for all sections that
 * begin so; what follows the dot is a name that the user chose. Rows of such
 * sections lie in a struct of their own, which the table's `named` finds.
 */
#ifndef FATHOM_APP_INI_FILE_H
#define FATHOM_APP_INI_FILE_H

#include "app/command.h"

enum {
    INI_TEXT_BYTES = 200,
    INI_NAME_BYTES = 32, // of a name that the user chose, with its NUL
};

enum ini_kind {
    INI_TEXT,
    INI_PATH,  // absolute
    INI_PATHS, // absolute ones with colons between them
    INI_CHOICE,
    INI_COUNT,
    INI_DURATION,
    INI_REAL,
};

struct ini_row {
    const char *section; // "" before any section
    const char *name;
    enum ini_kind kind;
    const char *argument; // what it is called; of a choice "on|off"
    size_t offset;
    uint64_t most;    // of a number or duration
    const char *help; // one line, no final full stop
    double least;     // of a real number
    bool live;        // counts at once when it changes in a running chat
};

struct ini_table {
    const char *noun; // what a row is: "setting"
    const struct ini_row *row;
    size_t rows;
    // lends the struct of the section with this name, NULL: no room for it;
    // absent where no section ends with a dot
    void *(*named)(void *out, const char *name);
};

enum { INI_ROWS_MOST = 64, INI_FILE_BYTES = 64 * 1024 };

/* Is told each setting that was taken, with its section as written. */
typedef void ini_took_fn(void *context, const struct ini_row *row,
                         const char *section, const char *value, unsigned line);

struct ini_text {
    const char *shown; // the file in messages
    const char *bytes;
    size_t length;
    ini_took_fn *took; // or NULL
    void *context;
};

/*
 * Reads a file's text into `out`, over what is there. STATUS_FORMAT:
 * err->text has file and line; *out is then filled as far as that.
 */
MUST_CHECK enum status ini_take(void *out, const struct ini_table *table,
                                const struct ini_text *text, struct error *err);
/* The same, where nobody wants to be told. */
MUST_CHECK enum status ini_parse_text(void *out, const struct ini_table *table,
                                      const char *shown, const char *text,
                                      size_t length, struct error *err);

/* Where a line begins that is read: behind blanks, and marks of the first. */
const char *ini_line_start(const char *line, const char *end, bool first);

/* The row "ui.theme", or "net" where there is no section; NULL: none. */
const struct ini_row *ini_find(const struct ini_table *table, const char *key);
/*
 * Stores one value in `place`, the struct of the row's section. STATUS_FORMAT:
 * it cannot be that, *place is as it was.
 */
MUST_CHECK enum status ini_store(void *place, const struct ini_row *row,
                                 const char *value, struct error *err);
/* The value in a struct as a file would have it; false: none is given. */
bool ini_value(char out[INI_TEXT_BYTES], const void *place,
               const struct ini_row *row);

#endif
