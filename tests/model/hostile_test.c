/*
 * Damaged and hostile model files: each is refused with one clear sentence,
 * or loads, as tests/data/hostile/expect.tsv says; within little memory and
 * time, and without a control byte in what is said. Every file is opened by a
 * process of its own, as the engine would do it: container, shape, tensors,
 * vocabulary, description, weights.
 */
#include "config.h"

#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MEMORY_LIMIT = 256 << 20,
    CPU_SECONDS = 5,
    TEXT_BYTES = 1 << 16,
    PATH_BYTES = 4096
};

/* What the child says: its status, then the message or all warnings. */
struct verdict {
    int exit_code; // -1: killed
    char text[TEXT_BYTES];
    size_t length;
};

static int failures, tests;

// -- in the child -----------------------------------------------------------

static void
say(int fd, const char *text)
{
    size_t length = strlen(text);

    if (write(fd, text, length) != (ssize_t) length || write(fd, "\n", 1) != 1)
        _exit(98);
}

static void
say_all(int fd, const char *const *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        say(fd, text[i]);
}

static enum status
load(struct model *model, struct error *err)
{
    struct device_cpu_options options = {.threads = 1, .level = cpu_level()};
    struct device *device;

    TRY(device_cpu_open(&device, &options, err));
    enum status status = model_load(model, device, 1, NULL, NULL, NULL, err);
    model_close(model);
    device_close(device);
    return status;
}

static enum status
open_all(int fd, const char *path, struct error *err)
{
    struct model *model;
    struct tokenizer *tokenizer;
    struct buffer json = {0};
    size_t count;

    TRY(model_open(&model, path, NULL, err));
    const char *const *warning = model_warnings(model, &count);
    say_all(fd, warning, count);
    enum status status = tokenizer_open(&tokenizer, model->gguf, err);
    if (status == STATUS_OK) {
        warning = tokenizer_warnings(tokenizer, &count);
        say_all(fd, warning, count);
        tokenizer_close(tokenizer);
        status = model_describe(model, &json, err);
    }
    if (status == STATUS_OK)
        say(fd, json.data);
    buffer_release(&json);
    if (status == STATUS_OK)
        return load(model, err);
    model_close(model);
    return status;
}

static void
limit(void)
{
    const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};

    setrlimit(RLIMIT_CPU, &cpu);
#ifndef WITH_SANITIZERS
    const struct rlimit memory = {MEMORY_LIMIT, MEMORY_LIMIT};

    setrlimit(RLIMIT_AS, &memory);
#endif
}

static int
child(int fd, const char *path)
{
    struct error err;

    limit();
    enum status status = open_all(fd, path, &err);
    if (status != STATUS_OK)
        say(fd, err.text);
    return (int) status;
}

// -- in the parent ----------------------------------------------------------

static void
listen_to(struct verdict *verdict, int fd)
{
    ssize_t got;

    while ((got = read(fd, verdict->text + verdict->length,
                       TEXT_BYTES - 1 - verdict->length)) > 0)
        verdict->length += (size_t) got;
    verdict->text[verdict->length] = '\0';
}

static void
judge(struct verdict *verdict, const char *path)
{
    int ends[2], status;

    memset(verdict, 0, sizeof *verdict);
    if (pipe(ends) != 0)
        exit(99);
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        exit(99);
    if (pid == 0) {
        close(ends[0]);
        // exit, not _exit: a leak is then seen
        exit(child(ends[1], path));
    }
    close(ends[1]);
    listen_to(verdict, ends[0]);
    close(ends[0]);
    waitpid(pid, &status, 0);
    verdict->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
report(bool ok, const char *name, const char *why)
{
    tests++;
    failures += !ok;
    printf("%sok %d - %s\n", ok ? "" : "not ", tests, name);
    if (!ok)
        printf("# %s\n", why);
}

static bool
is_bidi(uint32_t c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* No control byte but the line feeds that say() wrote, no broken UTF-8. */
static bool
is_clean(const char *text, size_t length)
{
    uint32_t c;
    bool valid;

    for (size_t i = 0; i < length;) {
        i += utf8_next(text + i, length - i, &c, &valid);
        if (!valid || (c < 0x20 && c != '\n') || (c >= 0x7F && c <= 0x9F) ||
            is_bidi(c))
            return false;
    }
    return true;
}

/* Whether the text holds everything between the bars. */
static bool
holds_all(const char *text, const char *wanted)
{
    char copy[1024], *state = NULL;

    if (strcmp(wanted, "-") == 0)
        return true;
    snprintf(copy, sizeof copy, "%s", wanted);
    for (char *part = strtok_r(copy, "|", &state); part != NULL;
         part = strtok_r(NULL, "|", &state))
        if (strstr(text, part) == NULL)
            return false;
    return true;
}

static bool
as_expected(const struct verdict *verdict, const char *outcome,
            const char *wanted)
{
    bool refused = verdict->exit_code == STATUS_FORMAT ||
                   verdict->exit_code == STATUS_UNSUPPORTED ||
                   verdict->exit_code == STATUS_LIMIT;

    if (strcmp(outcome, "refuse") == 0 ? !refused
                                       : verdict->exit_code != STATUS_OK)
        return false;
    return holds_all(verdict->text, wanted) &&
           is_clean(verdict->text, verdict->length);
}

static void
join(char path[PATH_BYTES], const char *folder, const char *name)
{
    snprintf(path, PATH_BYTES, "%.3800s/%.256s", folder, name);
}

static void
test_file(const char *folder, const char *name, const char *outcome,
          const char *wanted)
{
    static struct verdict verdict;
    char path[PATH_BYTES], title[256], why[2048];

    join(path, folder, name);
    judge(&verdict, path);
    // one sentence names the file, once it is not one shard of another
    snprintf(title, sizeof title, "%.200s_gives_%.20s", name, outcome);
    snprintf(why, sizeof why, "exit %d, wanted %.20s and '%.300s': %.1500s",
             verdict.exit_code, outcome, wanted, verdict.text);
    for (char *p = why; *p != '\0'; p++)
        if (*p == '\n')
            *p = ' ';
    report(as_expected(&verdict, outcome, wanted), title, why);
}

/* The table, read before any child: they would share the file's position. */
static char *
read_table(const char *path)
{
    static char table[1 << 16];
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        perror(path);
        exit(99);
    }
    size_t length = fread(table, 1, sizeof table - 1, file);
    fclose(file);
    table[length] = '\0';
    return table;
}

static void
test_all(const char *folder, char *table)
{
    char *lines = NULL, *fields = NULL;

    for (char *line = strtok_r(table, "\n", &lines); line != NULL;
         line = strtok_r(NULL, "\n", &lines)) {
        const char *name = strtok_r(line, "\t", &fields);
        const char *outcome = strtok_r(NULL, "\t", &fields);
        const char *wanted = strtok_r(NULL, "\t", &fields);

        if (name == NULL || outcome == NULL || wanted == NULL)
            exit(99);
        test_file(folder, name, outcome, wanted);
    }
}

// -- the sound model, cut ---------------------------------------------------

enum { CUT_BYTES = 4096 };

static void
copy_start(const char *folder, const char *copy)
{
    char path[PATH_BYTES], bytes[CUT_BYTES];

    join(path, folder, "valid-model.gguf");
    FILE *from = fopen(path, "rb"), *to = fopen(copy, "wb");
    if (from == NULL || to == NULL ||
        fread(bytes, 1, CUT_BYTES, from) != CUT_BYTES ||
        fwrite(bytes, 1, CUT_BYTES, to) != CUT_BYTES)
        exit(99);
    fclose(from);
    if (fclose(to) != 0)
        exit(99);
}

/* The size is in the sentence, so that a user sees what is missing. */
static void
a_file_cut_anywhere_is_refused(const char *folder)
{
    const char *copy = "hostile_test.cut.gguf";
    char size[32], why[1200] = "";
    struct error err;
    bool ok = true;

    copy_start(folder, copy);
    for (int bytes = CUT_BYTES; ok && bytes >= 0; bytes--) {
        struct model *model;

        if (truncate(copy, bytes) != 0)
            exit(99);
        snprintf(size, sizeof size, "%d", bytes);
        enum status status = model_open(&model, copy, NULL, &err);
        ok = status == STATUS_FORMAT &&
             (strstr(err.text, size) != NULL || bytes == 0) &&
             is_clean(err.text, strlen(err.text));
        snprintf(why, sizeof why, "cut at %d: %s", bytes, err.text);
    }
    remove(copy);
    report(ok, "a_file_cut_anywhere_is_refused", why);
}

// -- the sound model, run ---------------------------------------------------

/* First logits of another engine on the same file, after four tokens. */
static bool
logits_agree(const float *logits)
{
    static const float wanted[] = {-0.0472F, -0.7397F, -0.0102F, -1.4328F,
                                   -1.2666F, 0.1785F,  -0.2948F, -0.1506F};

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        float apart = logits[i] - wanted[i];
        if (!(apart < 0.03F && apart > -0.03F))
            return false;
    }
    return true;
}

static enum status
run(struct model *model, struct device *device, float *logits,
    struct error *err)
{
    const struct forward_options options = {.context_tokens = 16,
                                            .cache = CACHE_F32};
    const int32_t ids[] = {0, 5, 9, 12};
    struct forward *forward;

    TRY(model_load(model, device, 2, NULL, NULL, NULL, err));
    TRY(forward_open(&forward, model, &options, err));
    enum status status =
        forward_prompt(forward, ids, 4, logits, NULL, NULL, NULL, err);
    forward_close(forward);
    return status;
}

static void
the_sound_model_computes_what_it_should(const char *folder)
{
    struct device_cpu_options options = {.threads = 1, .level = cpu_level()};
    struct device *device = NULL;
    struct model *model = NULL;
    struct error err = {.text = "other logits"};
    float logits[32] = {0};
    char path[PATH_BYTES];

    join(path, folder, "valid-model.gguf");
    bool ok = device_cpu_open(&device, &options, &err) == STATUS_OK &&
              model_open(&model, path, NULL, &err) == STATUS_OK &&
              run(model, device, logits, &err) == STATUS_OK &&
              logits_agree(logits);
    report(ok, "the_sound_model_computes_what_it_should", err.text);
    model_close(model);
    device_close(device);
}

int
main(void)
{
    const char *source = getenv("top_srcdir"), *build = getenv("top_builddir");
    char table_path[PATH_BYTES], folder[PATH_BYTES];

    join(table_path, source != NULL ? source : ".",
         "tests/data/hostile/expect.tsv");
    join(folder, build != NULL ? build : ".", "tests/data/hostile/files");
    test_all(folder, read_table(table_path));
    a_file_cut_anywhere_is_refused(folder);
    the_sound_model_computes_what_it_should(folder);
    printf("1..%d\n", tests);
    return failures > 0;
}
