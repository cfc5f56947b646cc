/*
 * A line for each cost: passes, KiB of memory, milliseconds. Bounds of what is
 * read are those of a file that fathom writes itself.
 */
#include "config.h"

#include "app/vault/kdf_time.h"

#include "app/places.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS UINT64_C(1000000)
#define DAY_MS UINT64_C(86400000)
enum {
    RUNS = 8,
    FILE_BYTES = 1024,
    NEAR = 10, // what differs by less than this part is not written anew
};

struct run {
    uint64_t passes, kib, ms;
};

struct runs {
    struct run run[RUNS]; // the last one used first
    size_t count;
    char path[PLACE_BYTES];
};

/* Takes a line; false: it is none of ours. */
static bool
take_line(struct runs *runs, const char *line)
{
    struct run run;
    char end;

    if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 "%c", &run.passes,
               &run.kib, &run.ms, &end) != 4 ||
        end != '\n' || run.ms == 0 || run.ms > DAY_MS)
        return false;
    if (runs->count < RUNS)
        runs->run[runs->count++] = run;
    return true;
}

static enum status
read_runs(struct runs *runs, struct error *err)
{
    struct vault_folders folders;
    struct buffer text = {0};
    bool there, fine = true;

    runs->count = 0;
    TRY(places_vault(&folders, err));
    int n = snprintf(runs->path, PLACE_BYTES, "%s/kdf-time", folders.state);

    if (n < 0 || n >= PLACE_BYTES)
        return error_set(err, STATUS_LIMIT, "a path is too long: %.200s",
                         folders.state);
    TRY(safe_file_exists(&there, runs->path, err));
    if (!there)
        return STATUS_OK;
    enum status status = safe_file_read(&text, runs->path, FILE_BYTES, err);

    for (char *line = text.data; status == STATUS_OK && fine && line && *line;
         line = strchr(line, '\n') + 1)
        fine = take_line(runs, line);
    buffer_release(&text);
    return status;
}

static struct run *
find_run(struct runs *runs, const struct kdf_cost *cost)
{
    for (size_t i = 0; i < runs->count; i++)
        if (runs->run[i].passes == cost->passes &&
            runs->run[i].kib == cost->memory_bytes >> 10)
            return &runs->run[i];
    return NULL;
}

uint64_t
kdf_time_recall(const struct kdf_cost *cost)
{
    struct runs runs;
    struct error err;

    if (read_runs(&runs, &err) != STATUS_OK) {
        log_note("how long a derivation takes is not known: %s", err.text);
        return 0;
    }
    const struct run *run = find_run(&runs, cost);

    return run != NULL ? run->ms * MS_NS : 0;
}

static enum status
write_runs(const struct runs *runs, struct error *err)
{
    char text[FILE_BYTES];
    size_t length = 0;

    for (size_t i = 0; i < runs->count; i++)
        length += (size_t) snprintf(text + length, sizeof text - length,
                                    "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                                    runs->run[i].passes, runs->run[i].kib,
                                    runs->run[i].ms);
    return safe_file_write(runs->path, text, length, false, err);
}

static bool
is_near(uint64_t a, uint64_t b)
{
    return (a > b ? a - b : b - a) < b / NEAR;
}

/* It comes first; of too many the one that was used least lately goes. */
static void
put_run(struct runs *runs, const struct run *run, struct run *former)
{
    if (former == NULL)
        former = &runs->run[runs->count < RUNS ? runs->count++ : RUNS - 1];
    memmove(&runs->run[1], &runs->run[0],
            (size_t) (former - runs->run) * sizeof *former);
    runs->run[0] = *run;
}

void
kdf_time_keep(const struct kdf_cost *cost, uint64_t took_ns)
{
    const struct run run = {cost->passes, cost->memory_bytes >> 10,
                            took_ns < MS_NS ? 1 : took_ns / MS_NS};
    struct runs runs;
    struct error err;
    enum status status = read_runs(&runs, &err);

    if (status == STATUS_OK) {
        struct run *former = find_run(&runs, cost);

        if (run.ms > DAY_MS || (former && is_near(run.ms, former->ms)))
            return;
        put_run(&runs, &run, former);
        status = write_runs(&runs, &err);
    }
    if (status != STATUS_OK)
        log_note("how long a derivation took is not kept: %s", err.text);
}
