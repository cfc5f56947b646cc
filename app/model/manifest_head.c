/* What is not said is looked at, not guessed: family and licence stay open. */
#include "config.h"

#include "app/model/manifest_head.h"

#include "app/options.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *
format_of(const char *folder, const char *only)
{
    const char *format = "unknown";
    DIR *open = only ? NULL : opendir(folder);

    if (only)
        return text_ends_with(only, strlen(only), ".gguf") ? "gguf"
               : text_ends_with(only, strlen(only), ".safetensors")
                   ? "safetensors"
                   : format;
    for (struct dirent *entry; open && (entry = readdir(open)) != NULL;)
        if (text_ends_with(entry->d_name, strlen(entry->d_name), ".gguf"))
            format = "gguf";
        else if (text_ends_with(entry->d_name, strlen(entry->d_name),
                                ".safetensors"))
            format = "safetensors";
    if (open)
        closedir(open);
    return format;
}

/* The last part of a path, without .gguf. */
static void
base_name(char *out, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name);

    if (text_ends_with(name, strlen(name), ".gguf"))
        length -= strlen(".gguf");
    snprintf(out, size, "%.*s", (int) length, name);
}

static void
time_text(char *out, size_t size)
{
    const char *fixed = getenv("SOURCE_DATE_EPOCH");
    time_t now = time(NULL);
    uint64_t seconds;
    struct tm parts;

    if (fixed && option_read_count(fixed, &seconds))
        now = (time_t) seconds;
    gmtime_r(&now, &parts);
    strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

enum status
manifest_head_fill(struct manifest *out, const char *folder,
                   const struct manifest_head *head, struct error *err)
{
    char base[MANIFEST_VALUE_BYTES + 1], created[40], shown[100];

    base_name(base, sizeof base, head->only ? head->only : folder);
    time_text(created, sizeof created);
    const char *values[MANIFEST_FIELDS] = {
        [MANIFEST_MODEL] = head->name ? head->name : base,
        [MANIFEST_FAMILY] = head->family ? head->family : "unknown",
        [MANIFEST_FORMAT] = format_of(folder, head->only),
        [MANIFEST_LICENCE] = head->licence ? head->licence : "NOASSERTION",
        [MANIFEST_CREATED] = created,
        [MANIFEST_TOOL] = PACKAGE_STRING,
    };

    for (size_t i = 0; i < MANIFEST_FIELDS; i++) {
        if (!manifest_is_value(values[i]))
            return error_set(
                err, STATUS_FORMAT,
                "'%s' cannot stand in a manifest, which holds "
                "lines of printable ASCII",
                text_quote(shown, sizeof shown, values[i], strlen(values[i])));
        text_copy(out->head[i], sizeof out->head[i], values[i]);
    }
    return STATUS_OK;
}
