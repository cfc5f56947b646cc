/* New files are made where they are; old ones change as a whole. */
#include "config.h"

#include "app/transcript.h"

#include "app/output.h"
#include "ui/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { QUOTED_BYTES = 300 };

/* A new file, or one that takes the place of another as a whole. */
static enum status
open_target(struct output *out, const char *path, bool replace, bool *exists,
            struct error *err)
{
    char shown[QUOTED_BYTES];

    if (replace)
        return output_open(out, path, err);
    *out = (struct output){.owned = true};
    out->descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out->descriptor >= 0)
        return STATUS_OK;
    out->owned = false;
    *exists = errno == EEXIST;
    text_quote(shown, sizeof shown, path, strlen(path));
    if (*exists)
        return error_set(err, STATUS_IO, "%s exists", shown);
    return error_errno(err, "cannot create %s", shown);
}

enum status
transcript_save(const char *path, bool replace, const struct buffer *text,
                bool *exists, struct error *err)
{
    struct output output;

    *exists = false;
    TRY(open_target(&output, path, replace, exists, err));
    enum status status =
        printer_put(output.descriptor, text->data, text->length, err);

    // a file that is replaced becomes as private as a new one
    if (status == STATUS_OK && fchmod(output.descriptor, 0600) < 0)
        status = error_errno(err, "cannot make the export private");
    if (status == STATUS_OK)
        status = output_commit(&output, err);
    output_close(&output);
    return status;
}
