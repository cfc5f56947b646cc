/* The program without a command. */
#include "config.h"

#include "app/app.h"
#include "ui/ui.h"

#include <string.h>
#include <unistd.h>

struct fathom_settings {
    bool version;
};

static int
run(void *settings, const struct option_list *operands)
{
    static const char version[] = PACKAGE_STRING "\n";
    const struct fathom_settings *s = settings;
    struct error err;

    (void) operands;
    if (!s->version) {
        notice_error("name a command (fathom --help lists them)");
        return EXIT_USAGE;
    }
    if (printer_put(STDOUT_FILENO, version, strlen(version), &err) == STATUS_OK)
        return EXIT_SUCCESS;
    notice_error("%s", err.text);
    return EXIT_CANT_WRITE;
}

static const struct option options[] = {
    {"version", 0, OPTION_FLAG, NULL, offsetof(struct fathom_settings, version),
     0, 0, "print the version and end"},
};

static const char *const usage[] = {"[OPTIONS]", "COMMAND [ARGUMENTS]", NULL};

const struct command command_fathom = {
    .name = "fathom",
    .manual = "fathom",
    .summary = "Private, offline chat with a language model",
    .usage = usage,
    OPTIONS(options),
    .settings_bytes = sizeof(struct fathom_settings),
    .run = run,
};
