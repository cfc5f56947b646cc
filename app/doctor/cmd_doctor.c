/*
 * fathom doctor: what this machine would leak, and what to do about it; with
 * --prove-offline, that neither program can reach a network; with --term, what
 * the terminal does with text.
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
    bool json, prove_offline, config, term;
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
    const char *schema = settings->prove_offline ? "fathom.offline/1"
                         : settings->term        ? "fathom.terminal/1"
                                                 : "fathom.doctor/1";
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

/* The terminal, and what the settings make of it. */
static enum status
look_at_terminal(struct findings *findings, int *code, struct error *err)
{
#ifdef HAVE_READLINE
    TRY(settings_start(code, err));
    *code = EXIT_UNAVAILABLE;
    return doctor_term(findings, err);
#else
    (void) findings;
    (void) code;
    return error_set(err, STATUS_UNSUPPORTED,
                     "this fathom was built without the screen, so there is "
                     "nothing to test of a terminal");
#endif
}

static enum status
look(struct findings *findings, const struct doctor_settings *settings,
     int *code, struct error *err)
{
    *code = EXIT_UNAVAILABLE;
    TRY(findings_init(findings, err));
    if (settings->prove_offline)
        TRY(doctor_offline(findings, err));
    else if (settings->term)
        TRY(look_at_terminal(findings, code, err));
    else
        doctor_look(findings);
    *code = findings->warnings > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    return print(findings, settings, code, err);
}

static enum status
print_config(json_t *list, bool as_json, struct buffer *text, struct error *err)
{
    json_t *json;

    if (!as_json)
        return doctor_config_lines(text, list, err);
    json =
        json_pack("{s:s, s:O}", "schema", "fathom.config/1", "settings", list);
    if (json == NULL)
        return error_set(err, STATUS_NOMEM, "out of memory for the settings");
    return report_print(text, json, isatty(STDOUT_FILENO), err);
}

static enum status
show_config(const struct doctor_settings *settings, int *code,
            struct error *err)
{
    struct buffer text = {0};
    json_t *list;

    TRY(doctor_config(&list, code, err));
    *code = EXIT_UNAVAILABLE;
    enum status status = print_config(list, settings->json, &text, err);

    json_decref(list);
    if (status == STATUS_OK) {
        *code = EXIT_CANT_WRITE;
        // values and paths are texts from outside
        status =
            settings->json
                ? printer_put(STDOUT_FILENO, text.data, text.length, err)
                : printer_print(STDOUT_FILENO, text.data, text.length, err);
    }
    buffer_release(&text);
    if (status == STATUS_OK)
        *code = EXIT_SUCCESS;
    return status;
}

static int
run(void *settings, const struct option_list *operands)
{
    const struct doctor_settings *s = settings;
    struct findings findings = {0};
    struct error err;
    int code;

    (void) operands;
    if (s->config + s->prove_offline + s->term > 1) {
        notice_error("--config, --prove-offline and --term exclude each other");
        return EXIT_USAGE;
    }
    if (s->config) {
        if (show_config(s, &code, &err) != STATUS_OK)
            notice_error("%s", err.text);
        return code;
    }
    if (look(&findings, settings, &code, &err) != STATUS_OK)
        notice_error("%s", err.text);
    findings_release(&findings);
    return code;
}

static const struct option doctor_options[] = {
    {"config", 0, OPTION_FLAG, NULL, offsetof(struct doctor_settings, config),
     0, 0, "print the settings in force, and where they come from"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct doctor_settings, json), 0, 0,
     "print a JSON object"},
    {"prove-offline", 0, OPTION_FLAG, NULL,
     offsetof(struct doctor_settings, prove_offline), 0, 0,
     "try every way to a network, in both programs"},
    {"term", 0, OPTION_FLAG, NULL, offsetof(struct doctor_settings, term), 0, 0,
     "test what the terminal does with text"},
};

static const char *const usage[] = {
    "[--config | --prove-offline | --term] [--json]", NULL};

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
