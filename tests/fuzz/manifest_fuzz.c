/* Any bytes as a MANIFEST: refused, or written again as they are. */
#include "config.h"

#include "storage/storage.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What every listed path must be, however it came through. */
static bool
stays_inside(const char *path)
{
    return path[0] != '/' && path[0] != '.' && strstr(path, "..") != path &&
           strstr(path, "/.") == NULL && strstr(path, "//") == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct manifest manifest;
    struct buffer again = {0};
    struct error err;

    if (manifest_parse(&manifest, "MANIFEST", (const char *) bytes, length,
                       &err) == STATUS_OK) {
        if (manifest_write(&again, &manifest, &err) != STATUS_OK ||
            again.length != length || memcmp(again.data, bytes, length) != 0)
            abort();
        for (size_t i = 0; i < manifest.files; i++)
            if (!stays_inside(manifest.file[i].path) ||
                manifest_find(&manifest, manifest.file[i].path) !=
                    &manifest.file[i])
                abort();
    }
    buffer_release(&again);
    manifest_release(&manifest);
    return 0;
}
