/*
 * What `fathom doctor` looks at, as findings: a subject, what there is, and
 * where that is not well, what to do about it.
 *
 *   doctor.c          findings: collected, laid out, as JSON
 *   doctor_machine.c  the kernel, swap, core files, hibernation, memory
 *   doctor_folders.c  the vault's folders and files, the runtime directory
 *   doctor_look.c     all of these
 *   doctor_config.c   the settings, and where they come from
 *   doctor_offline.c  every way to a network, tried in both programs
 *   doctor_term.c     the terminal, which is asked for the width of texts
 */
#ifndef FATHOM_APP_DOCTOR_H
#define FATHOM_APP_DOCTOR_H

#include "base/base.h"

#include <jansson.h>

struct findings {
    json_t *list; // of {"check", "state", "text", "advice"}
    size_t warnings;
};

MUST_CHECK enum status findings_init(struct findings *findings,
                                     struct error *err);
void findings_release(struct findings *findings);

/* Texts may hold names from outside; `advice` is NULL where all is well. */
void findings_add(struct findings *findings, const char *check,
                  const char *advice, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Lines for a person, of at most 80 columns. */
MUST_CHECK enum status findings_lines(struct buffer *out,
                                      const struct findings *findings,
                                      struct error *err);
/* {"schema": SCHEMA, "ok": ..., "checks": [...]} */
MUST_CHECK enum status findings_json(json_t **out,
                                     const struct findings *findings,
                                     const char *schema, struct error *err);

/* Where the kernel says what it is: "/proc" and "/sys", or a test's. */
struct machine {
    const char *proc, *sys;
};
extern const struct machine this_machine;

/* All of what follows, for this machine. */
void doctor_look(struct findings *findings);

/* Each adds one finding or more. */
void doctor_filter(struct findings *findings, bool loaded);
void doctor_landlock(struct findings *findings, unsigned version);
void doctor_namespaces(struct findings *findings);
void doctor_swap(struct findings *findings, const struct machine *machine);
/* Is there none, or only such as keeps what it holds from a thief? */
MUST_CHECK enum status
doctor_swap_safe(bool *out, const struct machine *machine, struct error *err);
void doctor_hibernation(struct findings *findings,
                        const struct machine *machine);
void doctor_core_files(struct findings *findings,
                       const struct machine *machine);
void doctor_debuggers(struct findings *findings, const struct machine *machine);
void doctor_locked_memory(struct findings *findings, uint64_t limit_bytes);

/* A folder or file of the vault; what is missing is well. */
void doctor_folder(struct findings *findings, const char *check,
                   const char *path);
void doctor_file(struct findings *findings, const char *check,
                 const char *path);
/* Whether locks and order of writes can be relied upon there. */
void doctor_vault_system(struct findings *findings, const char *path);
void doctor_runtime(struct findings *findings, const char *path);

/*
 * Every setting in force: {"key", "value", "from", "line"}. A value of null is
 * none, and "from" is a file, a variable, the policy or "default". *code is
 * the exit code of a failure, whose text has file and line.
 */
MUST_CHECK enum status doctor_config(json_t **out, int *code,
                                     struct error *err);
/* The same for a person. */
MUST_CHECK enum status doctor_config_lines(struct buffer *out,
                                           const json_t *settings,
                                           struct error *err);

/* The ways out of this program, then of an engine started for it. */
MUST_CHECK enum status doctor_offline(struct findings *findings,
                                      struct error *err);

/*
 * The terminal of standard input, and of standard output unless that is
 * something else; settings have been read. Fails where there is none. Builds
 * with readline only.
 */
MUST_CHECK enum status doctor_term(struct findings *findings,
                                   struct error *err);

#endif
