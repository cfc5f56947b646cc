/* Written beside its place, and renamed. */
#include "config.h"

#include "app/chat/chat_file.h"

#include "app/output.h"
#include "ui/ui.h"

#include <string.h>
#include <sys/stat.h>

enum status
chat_file_save(const char *path, bool replace, const struct buffer *text,
               bool *exists, struct error *err)
{
    struct output output;

    *exists = false;
    // a file of that name, not standard output
    if (strcmp(path, "-") == 0)
        path = "./-";
    enum status status = replace ? output_open(&output, path, err)
                                 : output_open_new(&output, path, err);

    if (status == STATUS_OK)
        status = printer_put(output.descriptor, text->data, text->length, err);
    // a file that is replaced becomes as private as a new one
    if (status == STATUS_OK && fchmod(output.descriptor, 0600) < 0)
        status = error_errno(err, "cannot make the export private");
    if (status == STATUS_OK)
        status = output_commit(&output, err);
    *exists = status == STATUS_LIMIT;
    output_close(&output);
    return status;
}
