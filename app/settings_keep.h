/*
 * The user's file of settings, fathom.conf(5), is given one setting. Nothing
 * else in it changes, and it is there whole or as it was. A file that others
 * may read stays so; a new one is for the user alone.
 */
#ifndef FATHOM_APP_SETTINGS_KEEP_H
#define FATHOM_APP_SETTINGS_KEEP_H

#include "app/settings.h"

enum { SETTINGS_SHOWN = 300 };

/*
 * Writes "ui.theme" with a value to the user's file, which settings_path
 * names and `shown` tells afterwards, and takes it as settings_take_kept does.
 * STATUS_FORMAT: there is no such setting, the value cannot be its, or the
 * file is wrong as it is (with its line); STATUS_DENIED: the policy says
 * otherwise, or the file is not one that the user alone can write.
 */
MUST_CHECK enum status settings_keep(char shown[SETTINGS_SHOWN],
                                     const char *key, const char *value,
                                     struct error *err);

/*
 * The same with a text, for tests: appends to `out` what the file would hold.
 * It is read again before, and only what reads as wanted is given.
 */
MUST_CHECK enum status settings_edit(struct buffer *out, const char *shown,
                                     const struct buffer *text,
                                     const struct ini_row *row,
                                     const char *value, struct error *err);

#endif
