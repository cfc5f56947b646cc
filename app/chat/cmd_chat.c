/*
 * fathom chat, and fathom without a command, which is the same. Without
 * readline there is no chat, only a sentence that says so.
 */
#include "config.h"

#include "app/app.h"
#include "ui/ui.h"
#include "app/chat/chat.h"
#include "app/preset.h"

#include <string.h>
#include <unistd.h>

static int
print_version(void)
{
    static const char version[] = PACKAGE_STRING "\n";
    struct error err;

    if (printer_put(STDOUT_FILENO, version, strlen(version), &err) == STATUS_OK)
        return EXIT_SUCCESS;
    notice_error("%s", err.text);
    return EXIT_CANT_WRITE;
}

/* The chat takes the settings over. */
static int
start(struct chat_settings *s)
{
#ifdef HAVE_READLINE
    return chat_run(s);
#else
    (void) s;
    notice_error("this fathom was built without the line editor, so there is "
                 "no chat; \"fathom ask\" answers questions");
    return EXIT_UNAVAILABLE;
#endif
}

static int
run(void *settings, const struct option_list *operands)
{
    struct chat_settings *s = settings;
    struct error err;
    int code;

    (void) operands;
    if (s->version)
        return print_version();
    if (settings_start(&code, &err) != STATUS_OK) {
        notice_error("%s", err.text);
        return code;
    }
    if (preset_start(&s->generation, &code, &err) != STATUS_OK ||
        generation_check(&s->generation, &code, &err) != STATUS_OK) {
        notice_error("%s", err.text);
        return code;
    }
    if (s->ephemeral && s->resume) {
        notice_error("--ephemeral and --resume exclude each other");
        return EXIT_USAGE;
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        notice_error("a chat needs a terminal; in scripts and pipes use "
                     "\"fathom ask\"");
        return EXIT_USAGE;
    }
    return start(s);
}

#define ROW(name, letter, kind, argument, field, help)                         \
    {                                                                          \
        name, letter, kind, argument, offsetof(struct chat_settings, field),   \
            0, 0, help                                                         \
    }
#define CHAT_ROWS                                                              \
    ROW("plain", 0, OPTION_FLAG, NULL, plain,                                  \
        "lines below each other, no full screen"),                             \
        ROW("resume", 0, OPTION_OPTIONAL, "ID", resume,                        \
            "go on with the newest chat of the vault, or that of ID"),         \
        ROW("ephemeral", 0, OPTION_FLAG, NULL, ephemeral,                      \
            "write nothing of this chat, do not ask for the vault"),           \
        ROW("lock-after", 0, OPTION_DURATION, "TIME", lock_after,              \
            "lock the vault after TIME without a key (15m; 0: never)"),        \
        {"passphrase-fd",                                                      \
         0,                                                                    \
         OPTION_COUNT,                                                         \
         "N",                                                                  \
         offsetof(struct chat_settings, unlock.source.fd),                     \
         0,                                                                    \
         1 << 20,                                                              \
         "read the passphrase, a line, from file descriptor N"},               \
        ROW("key-file", 0, OPTION_FILE, "FILE", unlock.key_file,               \
            "the key file that a slot of the vault needs"),                    \
        ROW("recovery-code", 0, OPTION_FLAG, NULL, unlock.recovery,            \
            "ask for the recovery code, not a passphrase"),                    \
        GENERATION_MODEL(struct chat_settings, generation),                    \
        GENERATION_PRESET(struct chat_settings, generation),                   \
        GENERATION_SYSTEM(struct chat_settings, generation),                   \
        GENERATION_THINKING(struct chat_settings, generation),                 \
        ROW("show-thinking", 0, OPTION_CHOICE, "on|off", show_thinking,        \
            "show thoughts as they come, or only their length"),               \
        GENERATION_SAMPLING(struct chat_settings, generation)

static const struct option chat_options[] = {CHAT_ROWS};

static const struct option fathom_options[] = {
    CHAT_ROWS,
    ROW("version", 0, OPTION_FLAG, NULL, version, "print the version and end"),
};

static const char *const chat_usage[] = {"[OPTIONS]", NULL};
static const char *const fathom_usage[] = {"[OPTIONS]", "COMMAND [ARGUMENTS]",
                                           NULL};

const struct command command_chat = {
    .name = "chat",
    .manual = "fathom-chat",
    .summary = "Talk with a model at the terminal",
    .usage = chat_usage,
    OPTIONS(chat_options),
    .settings_bytes = sizeof(struct chat_settings),
    .bare = true, // until --version is done
    .run = run,
};

const struct command command_fathom = {
    .name = "fathom",
    .manual = "fathom",
    .summary = "Private, offline chat with a language model; without a "
               "command it opens one",
    .usage = fathom_usage,
    OPTIONS(fathom_options),
    .settings_bytes = sizeof(struct chat_settings),
    .bare = true, // until --version is done
    .run = run,
};
