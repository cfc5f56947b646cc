/*
 * fathom doctor: what this machine would leak, and what to do about it; with
 * --prove-offline, that neither program can reach a network.
 */
#include "config.h"

#include "app/app.h"
#include "app/doctor/doctor.h"
#include "app/report.h"
#include "ui/ui.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct doctor_settings {
    bool json, prove_offline;
};

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
        doctor_look(findings);
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
