/* Places for Landlock, and lines for fathom doctor --prove-offline. */
#include "config.h"

#include "engine/confinement.h"

#include "base/confine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SYSTEM_PLACES = 7,
    SHARD_NAME = 5 + 4 + 5 + 5,      // 00001-of-00005.gguf
    PLACES_MOST = SYSTEM_PLACES + 2, // and a model, and a folder
    LINE_BYTES = 500,
};

/* Memory, processors, groups, seeds: what libc and we look at. */
static const struct confine_place system_places[] = {
    {"/proc/meminfo", CONFINE_READ},
    {"/proc/self", CONFINE_READ},
    {"/proc/self", CONFINE_LIST},
    {"/sys/fs/cgroup", CONFINE_READ},
    {"/sys/devices/system/cpu", CONFINE_READ},
    {"/dev/urandom", CONFINE_READ},
    {"/dev/null", CONFINE_READ},
};

static_assert(sizeof system_places / sizeof *system_places == SYSTEM_PLACES,
              "room for each");

static bool isolated, filed;

enum status
confinement_begin(struct error *err)
{
    TRY(confine_memory(err));
    confine_descriptors();
    return confine_network(CONFINE_NETWORK_OR_USER, &isolated, err);
}

/* -- places ---------------------------------------------------------------- */

struct places {
    struct confine_place *items;
    size_t count;
    struct arena *paths;
};

/* How many shards the name of one tells of; 1: it is not one of a set. */
static size_t
shard_count(const char *path)
{
    size_t length = strlen(path);
    const char *name = path + length - SHARD_NAME;

    if (length < SHARD_NAME || strncmp(name + 5, "-of-", 4) != 0 ||
        strcmp(name + SHARD_NAME - 5, ".gguf") != 0 ||
        strspn(name + 9, "0123456789") != 5)
        return 1;
    size_t count = strtoul(name + 9, NULL, 10);

    return count > 0 ? count : 1;
}

static bool
is_folder(const char *path)
{
    struct stat stat_of;

    return stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
}

static void
add_shards(struct places *places, const char *path, size_t count)
{
    size_t length = strlen(path);

    for (size_t i = 0; i < count; i++) {
        char *shard = arena_copy(places->paths, path, length), digits[24];

        snprintf(digits, sizeof digits, "%05zu", i + 1);
        memcpy(shard + length - SHARD_NAME, digits, 5);
        places->items[places->count++] =
            (struct confine_place){shard, CONFINE_READ};
    }
}

/* A folder is no model, but a sentence about it needs it to be opened. */
static void
add_model(struct places *places, const char *model, size_t shards)
{
    if (shards > 1)
        add_shards(places, model, shards);
    places->items[places->count++] = (struct confine_place){
        model, is_folder(model) ? CONFINE_LIST : CONFINE_READ};
}

static enum status
open_places(struct places *places, const char *model, const char *runtime,
            struct error *err)
{
    size_t shards = model != NULL ? shard_count(model) : 0;
    size_t path_bytes = model != NULL ? strlen(model) + 128 : 0, bytes;
    void *memory;

    if (!size_mul(&bytes, shards, path_bytes))
        return error_set(err, STATUS_LIMIT, "the model's path is too long");
    TRY(arena_open(&places->paths, bytes + 4096, err));
    TRY(memory_alloc(&memory, (PLACES_MOST + shards) * sizeof *places->items,
                     err));
    places->items = memory;
    memcpy(places->items, system_places, sizeof system_places);
    places->count = SYSTEM_PLACES;
    if (model != NULL)
        add_model(places, model, shards);
    if (runtime != NULL)
        places->items[places->count++] =
            (struct confine_place){runtime, CONFINE_FIFOS};
    return STATUS_OK;
}

enum status
confinement_end(const char *model, const char *runtime_directory,
                struct error *err)
{
    struct places places = {0};
    enum status status = open_places(&places, model, runtime_directory, err);

    if (status == STATUS_OK)
        status = confine_files(places.items, places.count, &filed, err);
    free(places.items);
    arena_close(places.paths);
    TRY(status);
    TRY(confine_calls(CONFINE_ENGINE, err));
    log_note("confined: no socket; network namespace %s; Landlock %s",
             isolated ? "of its own" : "not allowed here",
             filed ? "on" : "not in this kernel");
    return STATUS_OK;
}

/* -- the proof ------------------------------------------------------------- */

static void
print_probe(void *context, const char *way, int error, bool closed)
{
    bool *all = context;

    printf("%s\t%s\t%s\n", closed ? "closed" : "OPEN", way,
           error != 0 ? strerror(error)
           : closed   ? "none"
                      : "it works");
    *all = *all && closed;
}

/* A file that is there for everybody, and none of ours. */
static void
try_file(bool *all)
{
    if (!filed) {
        puts("note\tother files\tthis kernel has no Landlock: files are kept "
             "by their permissions alone");
        return;
    }
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

    print_probe(all, "open(/etc/passwd)", fd < 0 ? errno : 0, fd < 0);
    if (fd >= 0)
        close(fd);
}

int
confinement_prove(void)
{
    bool all = true;

    confine_probe(print_probe, &all);
    try_file(&all);
    printf("note\tnetwork namespace\t%s\n",
           isolated ? "empty, of its own" : "not allowed by this system");
    return fflush(stdout) == 0 && all ? 0 : 1;
}
