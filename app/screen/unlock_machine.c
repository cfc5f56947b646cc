/* Findings of the doctor and of this process, as short as they can be. */
#include "config.h"

#include "app/screen/unlock_machine.h"

#include "app/doctor/doctor.h"
#include "app/places.h"
#include "storage/storage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char unsafe[] = "not safe (fathom doctor)";

/* A line that grows, `gap` blanks between its parts. */
struct line {
    char *text;
    size_t length;
    int gap;
};

static void add(struct line *line, const char *format, ...) PRINTF_LIKE(2, 3);

static void
add(struct line *line, const char *format, ...)
{
    size_t room = UNLOCK_MACHINE_LINE - line->length;
    va_list args;
    int n = 0;

    if (line->length > 0)
        n = snprintf(line->text + line->length, room, "%*s", line->gap, "");
    if (n < 0 || (size_t) n >= room)
        return;
    va_start(args, format);
    int more = vsnprintf(line->text + line->length + n, room - (size_t) n,
                         format, args);

    va_end(args);
    if (more >= 0 && (size_t) more < room - (size_t) n)
        line->length += (size_t) (n + more);
    else
        line->text[line->length] = '\0'; // whole parts only
}

/* This process: others of the user cannot look into it, nor does it dump. */
static bool
is_closed(void)
{
    return prctl(PR_GET_DUMPABLE) == 0;
}

static bool
dumps_nothing(void)
{
    struct rlimit limit;

    return is_closed() && getrlimit(RLIMIT_CORE, &limit) == 0 &&
           limit.rlim_cur == 0;
}

static void
add_swap(struct line *line)
{
    struct error err;
    bool safe;

    if (doctor_swap_safe(&safe, &this_machine, &err) != STATUS_OK)
        add(line, "swap: not known");
    else
        add(line, "swap: %s", safe ? "ok" : unsafe);
}

static void
add_locked_memory(struct line *line)
{
    struct rlimit limit = {.rlim_cur = 0};
    struct findings findings;
    struct error err;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
        findings_init(&findings, &err) != STATUS_OK)
        return;
    doctor_locked_memory(&findings, limit.rlim_cur);
    const char *judged = findings.warnings == 0 ? "ok" : "too little";

    if (limit.rlim_cur == RLIM_INFINITY)
        add(line, "memory lock: any, %s", judged);
    else if (limit.rlim_cur < 1 << 20)
        add(line, "memory lock: %" PRIu64 " KiB, %s",
            (uint64_t) limit.rlim_cur >> 10, judged);
    else
        add(line, "memory lock: %" PRIu64 " MiB, %s",
            (uint64_t) limit.rlim_cur >> 20, judged);
    findings_release(&findings);
}

void
unlock_machine_text(char out[UNLOCK_MACHINE_LINE], bool wide)
{
    struct line line = {.text = out, .gap = wide ? 5 : 4};

    *out = '\0';
    add_swap(&line);
    add(&line, "core dumps: %s", dumps_nothing() ? "off" : "on");
    if (wide)
        add(&line, "ptrace: %s", is_closed() ? "off" : "on");
    add_locked_memory(&line);
}

/* "vault file: 0600, owner ok" */
static void
add_place(struct line *line, const char *name, const char *path, bool safe)
{
    struct stat place;

    if (stat(path, &place) == 0)
        add(line, "%s: %04o, %s", name, (unsigned) place.st_mode & 07777u,
            safe ? "owner ok" : unsafe);
}

static void
add_system(struct line *line, const char *folder)
{
    struct findings findings;
    struct error err;

    if (findings_init(&findings, &err) != STATUS_OK)
        return;
    doctor_vault_system(&findings, folder);
    if (json_array_size(findings.list) > 0)
        add(line, "file system: %s",
            findings.warnings == 0 ? "local, ok" : unsafe);
    findings_release(&findings);
}

void
unlock_files_text(char out[UNLOCK_MACHINE_LINE], const char *folder)
{
    struct line line = {.text = out, .gap = 5};
    char path[PLACE_BYTES + 16];
    struct error err;

    *out = '\0';
    snprintf(path, sizeof path, "%s/vault.db", folder);
    add_place(&line, "vault file", path,
              safe_file_check(path, &err) == STATUS_OK);
    add_place(&line, "directory", folder,
              safe_folder_check(folder, &err) == STATUS_OK);
    add_system(&line, folder);
}
