/* Directories in a fixed order; the first that has it wins. */
#include "config.h"

#include "app/places.h"

#include "app/policy.h"
#include "app/settings.h"
#include "storage/storage.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLED_MODEL "fathom-mini"
#define MODEL_SUFFIX ".gguf"
#define FIRST_SHARD "-00001-of-"

enum { FOLDERS = 12, QUOTED_BYTES = 300 };

/* The directory of this program's own file; false when it is not known. */
static bool
own_folder(char out[PLACE_BYTES])
{
    ssize_t n = readlink("/proc/self/exe", out, PLACE_BYTES - 1);

    if (n <= 0 || n >= PLACE_BYTES - 1)
        return false;
    out[n] = '\0';
    char *slash = strrchr(out, '/');

    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

enum status
places_join(char out[PLACE_BYTES], const char *folder, const char *name,
            struct error *err)
{
    int n = snprintf(out, PLACE_BYTES, "%s/%s", folder, name);

    if (n < 0 || n >= PLACE_BYTES)
        return error_set(err, STATUS_LIMIT, "a path is too long: %.200s/...",
                         folder);
    return STATUS_OK;
}

static bool
is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* Absolute values only, as the XDG rules demand. */
static const char *
absolute_variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] == '/' ? value : NULL;
}

enum status
places_engine(char out[PLACE_BYTES], struct error *err)
{
    const char *asked = getenv("FATHOM_ENGINE");
    char folder[PLACE_BYTES];

    // a program of the user's choice could do what the engine cannot
    if (asked && *asked && policy_denies_net())
        return policy_refusal(err, "FATHOM_ENGINE names another engine",
                              "net = deny");
    if (asked && *asked) {
        if (strlen(asked) >= PLACE_BYTES)
            return error_set(err, STATUS_LIMIT, "FATHOM_ENGINE is too long");
        memcpy(out, asked, strlen(asked) + 1);
        return STATUS_OK;
    }
    if (own_folder(folder)) {
        TRY(places_join(out, folder, "fathom-engine", err));
        if (is_file(out))
            return STATUS_OK;
    }
    return places_join(out, LIBEXECDIR, "fathom-engine", err);
}

/* The folder that `variable` names, else `otherwise` under HOME; + `name`. */
static enum status
user_folder(char out[PLACE_BYTES], const char *variable, const char *otherwise,
            const char *name, struct error *err)
{
    const char *asked = absolute_variable(variable);
    const char *home = absolute_variable("HOME");
    char folder[PLACE_BYTES];

    if (asked != NULL)
        return places_join(out, asked, name, err);
    if (home == NULL)
        return error_set(err, STATUS_IO,
                         "neither %s nor HOME is set to an absolute path",
                         variable);
    TRY(places_join(folder, home, otherwise, err));
    return places_join(out, folder, name, err);
}

enum status
places_user_models(char out[PLACE_BYTES], struct error *err)
{
    struct error why;

    if (user_folder(out, "XDG_DATA_HOME", ".local/share", "fathom/models",
                    &why) == STATUS_OK)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "there is no model directory: %.900s",
                     why.text);
}

enum status
places_vault(struct vault_folders *out, struct error *err)
{
    const char *asked = getenv("FATHOM_VAULT");
    struct error why;

    if (user_folder(out->state, "XDG_STATE_HOME", ".local/state", "fathom",
                    &why) != STATUS_OK)
        return error_set(err, STATUS_IO,
                         "there is no place for a vault: %.900s", why.text);
    if (asked && *asked && strlen(asked) >= sizeof out->data)
        return error_set(err, STATUS_LIMIT, "FATHOM_VAULT is too long");
    if (asked && *asked) {
        memcpy(out->data, asked, strlen(asked) + 1);
        return STATUS_OK;
    }
    if (user_folder(out->data, "XDG_DATA_HOME", ".local/share", "fathom",
                    &why) == STATUS_OK)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "there is no place for a vault: %.900s",
                     why.text);
}

/* Those that are asked for: "/a:/b"; only absolute ones count. */
static size_t
asked_folders(char out[][PLACE_BYTES], size_t most, const char *paths)
{
    size_t count = 0;

    while (paths && *paths && count < most) {
        size_t length = strcspn(paths, ":");

        if (*paths == '/' && length < PLACE_BYTES)
            snprintf(out[count++], PLACE_BYTES, "%.*s", (int) length, paths);
        paths += length + (paths[length] == ':');
    }
    return count;
}

/*
 * Those of the settings, the user's, the build tree's, the installed; how many
 * there are.
 */
static size_t
model_folders(char out[FOLDERS][PLACE_BYTES])
{
    char own[PLACE_BYTES];
    struct error err;
    size_t count = asked_folders(out, FOLDERS - 3, settings_model_path());

    if (places_user_models(out[count], &err) == STATUS_OK)
        count++;
    if (own_folder(own) &&
        places_join(out[count], own, "models", &err) == STATUS_OK)
        count++;
    if (places_join(out[count], PKGDATADIR, "models", &err) == STATUS_OK)
        count++;
    return count;
}

/* Length of a model's name in that of its file; 0: not a model's first file. */
static size_t
model_name_length(const char *file)
{
    size_t length = strlen(file), suffix = strlen(MODEL_SUFFIX);

    if (length <= suffix || file[0] == '.' ||
        strcmp(file + length - suffix, MODEL_SUFFIX) != 0)
        return 0;
    length -= suffix;
    // NAME-00001-of-00003: only the first shard counts, without its number
    const char *shard = NULL;
    for (const char *at = file; (at = strstr(at, "-of-")) != NULL; at++)
        shard = at;
    if (shard == NULL || shard - file < 6 || shard[-6] != '-' ||
        strspn(shard - 5, "0123456789") != 5 ||
        strspn(shard + 4, "0123456789") != length - (size_t) (shard - file) - 4)
        return length;
    if (strncmp(shard - 6, FIRST_SHARD, strlen(FIRST_SHARD)) != 0)
        return 0;
    return (size_t) (shard - file) - 6;
}

/*
 * The file to open of a model that is a folder with a MANIFEST: that of its
 * name, else the first in order.
 */
static bool
find_in_model(char out[PLACE_BYTES], const char *folder, const char *name)
{
    char inner[PLACE_BYTES], path[PLACE_BYTES], best[NAME_MAX + 1] = "";
    struct error err;

    if (places_join(inner, folder, name, &err) != STATUS_OK ||
        places_join(path, inner, MANIFEST_NAME, &err) != STATUS_OK ||
        !is_file(path))
        return false;
    DIR *open = opendir(inner);

    for (struct dirent *entry; open && (entry = readdir(open)) != NULL;) {
        size_t length = model_name_length(entry->d_name);
        bool named =
            length == strlen(name) && strncmp(entry->d_name, name, length) == 0;

        if (length > 0 && (named || !*best || strcmp(entry->d_name, best) < 0))
            text_copy(best, sizeof best, entry->d_name);
        if (named)
            break;
    }
    if (open)
        closedir(open);
    return *best && places_join(out, inner, best, &err) == STATUS_OK;
}

/* Looks for NAME in one directory. */
static bool
find_in_folder(char out[PLACE_BYTES], const char *folder, const char *name)
{
    DIR *open = opendir(folder);
    struct error err;
    bool found = false;

    if (open == NULL)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(open)) != NULL;) {
        size_t length = model_name_length(entry->d_name);

        found = length > 0 && strlen(name) == length &&
                strncmp(entry->d_name, name, length) == 0 &&
                places_join(out, folder, entry->d_name, &err) == STATUS_OK &&
                is_file(out);
    }
    closedir(open);
    // a name is one part of a path
    return found || (name[0] != '.' && strchr(name, '/') == NULL &&
                     find_in_model(out, folder, name));
}

/* A name asked for as a file's: it must be there. */
static enum status
named_file(char out[PLACE_BYTES], const char *path, struct error *err)
{
    char quoted[QUOTED_BYTES];
    struct stat status;

    text_quote(quoted, sizeof quoted, path, strlen(path));
    if (strlen(path) >= PLACE_BYTES)
        return error_set(err, STATUS_IO, "the model's path is too long: %s",
                         quoted);
    if (stat(path, &status) < 0)
        return error_errno(err, "cannot read the model %s", quoted);
    if (S_ISDIR(status.st_mode))
        return error_set(err, STATUS_IO,
                         "the model %s is a directory; name the file in it",
                         quoted);
    memcpy(out, path, strlen(path) + 1);
    return STATUS_OK;
}

static enum status
named_model(char out[PLACE_BYTES], const char *name, struct error *err)
{
    char folders[FOLDERS][PLACE_BYTES], quoted[QUOTED_BYTES];
    size_t count = model_folders(folders), used = 0;

    for (size_t i = 0; i < count; i++)
        if (find_in_folder(out, folders[i], name))
            return STATUS_OK;
    // last of all a file here, named without its directory
    if (is_file(name))
        return named_file(out, name, err);
    text_quote(quoted, sizeof quoted, name, strlen(name));
    enum status status = error_set(err, STATUS_IO,
                                   "there is no model '%s': not a file, and "
                                   "nothing of that name in ",
                                   quoted);
    for (size_t i = 0; i < count; i++) {
        used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, "%s%.200s",
                 i ? " or " : "", folders[i]);
    }
    return status;
}

enum status
places_model(char out[PLACE_BYTES], const char *asked, struct error *err)
{
    size_t suffix = strlen(MODEL_SUFFIX);

    if (asked == NULL)
        asked = settings_model();
    if (asked == NULL)
        return named_model(out, BUNDLED_MODEL, err);
    size_t length = strlen(asked);

    if (strchr(asked, '/') != NULL)
        return named_file(out, asked, err);
    if (length <= suffix || strcmp(asked + length - suffix, MODEL_SUFFIX) != 0)
        return named_model(out, asked, err);
    if (is_file(asked) || length - suffix >= PLACE_BYTES)
        return named_file(out, asked, err);
    // not here; perhaps among the models, where names have no suffix
    char name[PLACE_BYTES];

    snprintf(name, sizeof name, "%.*s", (int) (length - suffix), asked);
    return named_model(out, name, err);
}

struct names {
    char **items;
    size_t count;
};

static void
collect(struct names *names, const char *folder)
{
    DIR *open = opendir(folder);

    for (struct dirent *entry; open && (entry = readdir(open)) != NULL;) {
        size_t length = model_name_length(entry->d_name);
        char path[PLACE_BYTES];

        if (length == 0 && entry->d_name[0] != '.' &&
            find_in_model(path, folder, entry->d_name))
            length = strlen(entry->d_name);
        char **items =
            length ? realloc(names->items, (names->count + 1) * sizeof *items)
                   : NULL;

        if (items == NULL)
            continue;
        names->items = items;
        items[names->count] = strndup(entry->d_name, length);
        if (items[names->count] != NULL)
            names->count++;
    }
    if (open != NULL)
        closedir(open);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

void
places_each_model(void (*visit)(void *context, const char *name), void *context)
{
    char folders[FOLDERS][PLACE_BYTES];
    size_t count = model_folders(folders);
    struct names names = {0};

    for (size_t i = 0; i < count; i++)
        collect(&names, folders[i]);
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    for (size_t i = 0; i < names.count; i++)
        if (i == 0 || strcmp(names.items[i], names.items[i - 1]) != 0)
            visit(context, names.items[i]);
    for (size_t i = 0; i < names.count; i++)
        free(names.items[i]);
    free(names.items);
}
