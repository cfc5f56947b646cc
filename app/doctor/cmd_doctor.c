/*
 * fathom doctor: what this machine would leak, and what to do about it; with
 * --prove-offline, that neither program can reach a network.
 */
#include "config.h"

#include "app/app.h"
#include "app/doctor/doctor.h"
#include "app/report.h"
#include "base/confine.h"
#include "ui/ui.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct doctor_settings {
    bool json, prove_offline;
};

static void
look_at_vault(struct findings *findings)
{
    static struct vault_folders at;
    static char path[PLACE_BYTES + 32];
    struct error err;

    if (places_vault(&at, &err) != STATUS_OK) {
        findings_add(findings, "vault", "Without a place nothing is kept.",
                     "%s", err.text);
        return;
    }
    doctor_folder(findings, "vault's folder", at.data);
    doctor_folder(findings, "vault's state", at.state);
    snprintf(path, sizeof path, "%s/vault.db", at.data);
    doctor_file(findings, "vault", path);
    snprintf(path, sizeof path, "%s/vault.keys", at.data);
    doctor_file(findings, "vault's keys", path);
    doctor_vault_system(findings, at.data);
}

static void
look_at_runtime(struct findings *findings)
{
    struct buffer path = {0};
    struct error err;

    if (rendezvous_directory(&path, &err) == STATUS_OK)
        doctor_runtime(findings, path.data);
    else
        findings_add(findings, "runtime directory",
                     "Without it there is no warm engine and no editor.", "%s",
                     err.text);
    buffer_release(&path);
}

static void
look_at_machine(struct findings *findings)
{
    struct rlimit locked = {0};

    doctor_filter(findings, confine_filtered());
    doctor_landlock(findings, confine_landlock());
    doctor_namespaces(findings);
    doctor_core_files(findings, &this_machine);
    doctor_debuggers(findings, &this_machine);
    doctor_swap(findings, &this_machine);
    doctor_hibernation(findings, &this_machine);
    getrlimit(RLIMIT_MEMLOCK, &locked);
    doctor_locked_memory(findings, locked.rlim_cur);
    look_at_vault(findings);
    look_at_runtime(findings);
}

static enum status
print_json(const struct findings *findings, const char *schema,
           struct buffer *out, struct error *err)
{
    json_t *json;

    TRY(findings_json(&json, findings, schema, err));
    return report_print(out, json, isatty(STDOUT_FILENO), err);
}

static enum status
print(const struct findings *findings, const struct doctor_settings *settings,
      int *code, struct error *err)
{
    const char *schema =
        settings->prove_offline ? "fathom.offline/1" : "fathom.doctor/1";
    struct buffer text = {0};
    enum status status = settings->json
                             ? print_json(findings, schema, &text, err)
                             : findings_lines(&text, findings, err);

    if (status == STATUS_OK)
        status = printer_put(STDOUT_FILENO, text.data, text.length, err);
    buffer_release(&text);
    if (status != STATUS_OK)
        *code = EXIT_CANT_WRITE;
    return status;
}

static enum status
look(struct findings *findings, const struct doctor_settings *settings,
     int *code, struct error *err)
{
    *code = EXIT_UNAVAILABLE;
    TRY(findings_init(findings, err));
    if (settings->prove_offline)
        TRY(doctor_offline(findings, err));
    else
        look_at_machine(findings);
    *code = findings->warnings > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    return print(findings, settings, code, err);
}

static int
run(void *settings, const struct option_list *operands)
{
    struct findings findings = {0};
    struct error err;
    int code;

    (void) operands;
    if (look(&findings, settings, &code, &err) != STATUS_OK)
        notice_error("%s", err.text);
    findings_release(&findings);
    return code;
}

static const struct option doctor_options[] = {
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct doctor_settings, json), 0, 0,
     "print a JSON object"},
    {"prove-offline", 0, OPTION_FLAG, NULL,
     offsetof(struct doctor_settings, prove_offline), 0, 0,
     "try every way to a network, in both programs"},
};

static const char *const usage[] = {"[--prove-offline] [--json]", NULL};

const struct command command_doctor = {
    .name = "doctor",
    .manual = "fathom-doctor",
    .summary = "Show what this machine would leak",
    .usage = usage,
    OPTIONS(doctor_options),
    .bare = true, // it must work where those are broken
    .unconfined = true,
    .settings_bytes = sizeof(struct doctor_settings),
    .run = run,
};
