/*
 * Plays a script of keys against a program on a terminal of its own, and
 * compares what the screen shows. Prints TAP.
 *
 *     screen_player SCRIPT [WORDS]
 *
 * With WORDS only tests that have them in their name are played. A script has
 * one step a line; blank lines and lines that start with # are skipped. What
 * comes before the first `test` is done at the beginning of every test.
 *
 *   test SENTENCE       a test begins, in a home of its own
 *   size 80x24          of the terminal, columns first; before `run`
 *   env NAME VALUE      for programs; $HOME, $BUILD and $SOURCE in VALUE and
 *                       in arguments stand for folders
 *   file NAME ... end   the lines between are a file below $HOME
 *   replay ... end      the lines between are what the engine plays
 *                       (tests/replay_engine.c); an `end` of its own is
 *                       indented
 *   vault               there is a vault; "three green bottles" opens it
 *   run PROGRAM ARGS    starts it on the terminal: one below $BUILD, or a path
 *   shell COMMAND       runs it beside the terminal; it has to succeed
 *
 *   keys TEXT           types; see key_text.h
 *   letters N           types that many letters
 *   await TEXT          until the screen has it
 *   await-match REGEX   until a line of the screen matches
 *   await-gone TEXT     until the screen has it no more
 *   await-bytes TEXT    until the program has written these bytes
 *   settle [MS]         until nothing has come for a while (150)
 *   resize 160x48
 *   storm N SEED        that many other sizes, one after the other, and back
 *   random-keys S       for S seconds; FATHOM_LONG=1: an hour. The seed is
 *                       printed, and taken from FATHOM_SEED. A program that
 *                       exits with 0 was told to leave, and is run again
 *   signal NAME         TERM, HUP, INT, STOP, CONT, SEGV ... to the program
 *   close               the terminal vanishes
 *   mute                the terminal answers no questions from now on
 *   sleep MS
 *
 *   golden NAME         the screen is as golden/NAME.txt has it; GOLDEN_WRITE=1
 *                       writes it anew
 *   looks NAME          the same of how it looks, see pty_screen.h
 *   mask REGEX CHAR     in golden screens what matches is CHARs; the line ends
 *                       there where that is $
 *   cursor ROW COLUMN   is there, from 0; `cursor off`: is not shown
 *   screen alternate    or: screen normal
 *   bytes-contain TEXT  in all that was written since `bytes-forget`
 *   bytes-lack TEXT
 *   bytes-forget
 *   modes-restored      the terminal's modes are those from before
 *   modes-taken         they are not
 *   shell-modes         sets them, as a shell does when a program is stopped
 *   await-state LETTER  of the program in /proc: T stopped, S sleeping
 *   file-limit BYTES    it writes no larger files from now on, as if the disk
 *                       was full; 0: as large as it likes
 *   exit-is CODE        it ends so, or by a signal: exit-is SEGV; `129 74`:
 *                       either
 *   alive               it has not ended
 *
 * A step that fails ends its test and shows the screen.
 */
#include "config.h"

#include "tests/screen/key_text.h"
#include "tests/screen/pty_screen.h"

#include <ctype.h>
#include <ftw.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_LINES = 4000, MOST_MASKS = 16, MOST_ARGUMENTS = 32 };

struct mask {
    regex_t regex;
    char with;
};

static struct {
    char *lines[MOST_LINES];
    size_t count, at; // of lines
    const char *source, *build;
    char home[64];
    struct pty_screen screen;
    unsigned rows, columns;
    char **environment;
    size_t variables;
    struct mask masks[MOST_MASKS];
    size_t mask_count;
    size_t forgotten; // bytes
    uint64_t limit_ns;
    struct error failure;
    char *ran;               // the argument of the last `run`
    unsigned char typed[64]; // the last bytes of random keys, in turn
    size_t typed_bytes;
} player;

#define FAIL(...) error_set(&player.failure, STATUS_FORMAT, __VA_ARGS__)

/* -- the home of a test ------------------------------------------------------
 */

static char *format_text(const char *format, ...) PRINTF_LIKE(1, 2);

static char *
format_text(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        pty_screen_broken("memory");
    va_end(args);
    return text;
}

static void
set_variable(const char *name, const char *value)
{
    size_t length = strlen(name);
    char *text = format_text("%s=%s", name, value);

    for (size_t i = 0; i < player.variables; i++) {
        if (strncmp(player.environment[i], text, length + 1) == 0) {
            free(player.environment[i]);
            player.environment[i] = text;
            return;
        }
    }
    player.environment =
        realloc(player.environment,
                (player.variables + 2) * sizeof *player.environment);
    if (player.environment == NULL)
        pty_screen_broken("memory");
    player.environment[player.variables++] = text;
    player.environment[player.variables] = NULL;
}

static const char *
variable(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < player.variables; i++)
        if (strncmp(player.environment[i], name, length) == 0 &&
            player.environment[i][length] == '=')
            return player.environment[i] + length + 1;
    return "";
}

/* Nothing of the user's own is found by a test. */
static bool
is_private(const char *variable_text)
{
    static const char *const names[] = {
        "FATHOM_",     "XDG_",    "LC_",    "NO_COLOR=", "CLICOLOR_FORCE=",
        "ACCESSIBLE=", "INPUTRC", "LINES=", "COLUMNS=",  "COLORTERM=",
        "TMUX",        "STY=",    "EDITOR", "VISUAL",    "PAGER",
        "TERM_",       "SSH_"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(variable_text, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void
set_home(void)
{
    static const char *const folders[] = {"run", "data", "config"};
    static const char *const variables[] = {"XDG_RUNTIME_DIR", "XDG_DATA_HOME",
                                            "XDG_CONFIG_HOME"};

    strcpy(player.home, "/tmp/fathom-test-XXXXXX");
    if (mkdtemp(player.home) == NULL)
        pty_screen_broken("mkdtemp");
    for (size_t i = 0; i < 3; i++) {
        char *path = format_text("%s/%s", player.home, folders[i]);

        if (mkdir(path, 0700) < 0)
            pty_screen_broken(path);
        set_variable(variables[i], path);
        free(path);
    }
    char *state = format_text("%s/state", player.home);

    set_variable("XDG_STATE_HOME", state);
    free(state);
    set_variable("HOME", player.home);
}

static void
set_surroundings(void)
{
    extern char **environ;

    for (char **each = environ; *each != NULL; each++) {
        char *equals = strchr(*each, '=');

        if (equals == NULL || is_private(*each))
            continue;
        char *name = strndup(*each, (size_t) (equals - *each));

        set_variable(name, equals + 1);
        free(name);
    }
    set_home();
    set_variable("LANG", "C.UTF-8");
    set_variable("TZ", "UTC");
    set_variable("TERM", "xterm-256color");
    set_variable("INPUTRC", "/dev/null");
    set_variable("EDITOR", "true");
}

static int
remove_one(const char *path, const struct stat *state, int kind,
           struct FTW *where)
{
    (void) state;
    (void) kind;
    (void) where;
    return remove(path);
}

static void
leave_home(void)
{
    // what was killed may be writing its last
    for (int i = 0; i < 20 && access(player.home, F_OK) == 0; i++) {
        nftw(player.home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        if (access(player.home, F_OK) == 0)
            usleep(50000);
    }
    for (size_t i = 0; i < player.variables; i++)
        free(player.environment[i]);
    player.variables = 0;
    for (size_t i = 0; i < player.mask_count; i++)
        regfree(&player.masks[i].regex);
    player.mask_count = 0;
}

/* $HOME, $BUILD and $SOURCE are replaced. */
static char *
expand(const char *text)
{
    struct {
        const char *name, *value;
    } known[] = {{"$HOME", player.home},
                 {"$BUILD", player.build},
                 {"$SOURCE", player.source}};
    char *out = format_text("%s", text);

    for (size_t i = 0; i < 3; i++) {
        for (char *found; (found = strstr(out, known[i].name)) != NULL;) {
            char *more =
                format_text("%.*s%s%s", (int) (found - out), out,
                            known[i].value, found + strlen(known[i].name));

            free(out);
            out = more;
        }
    }
    return out;
}

/* -- waiting -----------------------------------------------------------------
 */

static uint64_t
ms_from_now(uint64_t ms)
{
    return clock_ns() + ms * 1000000;
}

static bool
on_screen(const char *text)
{
    struct buffer shown = {0};
    bool found;

    pty_screen_text(&player.screen, &shown);
    found = shown.data != NULL && strstr(shown.data, text) != NULL;
    buffer_release(&shown);
    return found;
}

static enum status
await(const char *text, bool wanted)
{
    uint64_t end = clock_ns() + player.limit_ns;

    while (on_screen(text) != wanted) {
        if (player.screen.over && !pty_screen_read(&player.screen, 0))
            return FAIL("the program has ended, and the screen %s \"%s\"",
                        wanted ? "lacks" : "still has", text);
        if (clock_ns() > end)
            return FAIL("the screen %s \"%s\"", wanted ? "lacks" : "still has",
                        text);
        pty_screen_read(&player.screen, 20);
    }
    return STATUS_OK;
}

static enum status
settle(uint64_t ms)
{
    uint64_t end = clock_ns() + player.limit_ns, quiet = ms_from_now(ms);

    while (clock_ns() < quiet) {
        char state;

        if (clock_ns() > end)
            return FAIL("the screen goes on changing");
        state = pty_screen_state(&player.screen);
        if (pty_screen_read(&player.screen, 10) || state == 'R')
            quiet = ms_from_now(ms);
        if (player.screen.over)
            break;
    }
    return STATUS_OK;
}

static bool
bytes_have(const char *bytes, size_t length)
{
    const struct buffer *all = &player.screen.bytes;

    return all->length >= player.forgotten + length &&
           memmem(all->data + player.forgotten, all->length - player.forgotten,
                  bytes, length) != NULL;
}

static enum status
check_bytes(const char *text, bool wait, bool wanted)
{
    uint64_t end = clock_ns() + player.limit_ns;
    struct buffer bytes = {0};
    bool found;

    TRY(key_text_bytes(&bytes, text, false, &player.failure));
    while (!(found = bytes_have(bytes.data, bytes.length)) && wait &&
           clock_ns() < end)
        pty_screen_read(&player.screen, 20);
    buffer_release(&bytes);
    if (found != wanted)
        return FAIL("what was written %s \"%s\"", wanted ? "lacks" : "has",
                    text);
    return STATUS_OK;
}

static enum status
await_end(void)
{
    uint64_t end = clock_ns() + player.limit_ns;

    while (!pty_screen_ended(&player.screen)) {
        if (clock_ns() > end)
            return FAIL("the program does not end");
        pty_screen_read(&player.screen, 20);
    }
    while (pty_screen_read(&player.screen, 0))
        continue;
    return STATUS_OK;
}

/* -- golden screens
 * ------------------------------------------------------------ */

/* Every character from start to end becomes the mask's. */
static void
append_masked(struct buffer *out, const char *start, const char *end, char with)
{
    struct error err;

    for (; start < end; start++)
        if (((unsigned char) *start & 0xC0) != 0x80 &&
            buffer_append(out, &with, 1, &err) != STATUS_OK)
            pty_screen_broken("memory");
}

static void
append_line(struct buffer *out, const char *line)
{
    struct error err;

    if (buffer_print(out, &err, "%s\n", line) != STATUS_OK)
        pty_screen_broken("memory");
}

static char *
masked_line(const char *line, const struct mask *mask)
{
    struct buffer out = {0};
    struct error err;
    regmatch_t match;
    int flags = 0;

    while (regexec(&mask->regex, line, 1, &match, flags) == 0 &&
           match.rm_eo > match.rm_so) {
        if (buffer_append(&out, line, (size_t) match.rm_so, &err) != STATUS_OK)
            pty_screen_broken("memory");
        append_masked(&out, line + match.rm_so, line + match.rm_eo, mask->with);
        line += match.rm_eo;
        flags = REG_NOTBOL;
    }
    char *text = format_text("%s%s", out.data ? out.data : "", line);

    // of any length: the end of a line
    if (mask->with == '$' && strchr(text, '$') != NULL)
        strchr(text, '$')[1] = '\0';
    buffer_release(&out);
    return text;
}

static void
append_shown(struct buffer *out, const char *line)
{
    char *now = format_text("%s", line);

    for (size_t i = 0; i < player.mask_count; i++) {
        char *next = masked_line(now, &player.masks[i]);

        free(now);
        now = next;
    }
    append_line(out, now);
    free(now);
}

static void
screen_text(struct buffer *out, bool looks)
{
    struct buffer plain = {0};

    if (looks)
        pty_screen_looks(&player.screen, &plain);
    else
        pty_screen_text(&player.screen, &plain);
    for (char *line = plain.data; *line != '\0';) {
        char *end = strchr(line, '\n');

        *end = '\0';
        append_shown(out, line);
        line = end + 1;
    }
    buffer_release(&plain);
}

static void
print_command(const char *command)
{
    char line[1000];
    FILE *pipe = popen(command, "r");

    while (pipe != NULL && fgets(line, sizeof line, pipe) != NULL)
        printf("# %s", line);
    if (pipe != NULL)
        pclose(pipe);
}

static enum status
write_file(const char *path, const struct buffer *text)
{
    FILE *file = fopen(path, "w");

    if (file == NULL ||
        fwrite(text->data, 1, text->length, file) != text->length ||
        fclose(file) != 0)
        return error_errno(&player.failure, "cannot write %s", path);
    return STATUS_OK;
}

static enum status
compare_golden(const char *name, bool looks)
{
    char *path =
             format_text("%s/tests/screen/golden/%s.txt", player.source, name),
         *here = format_text("%s/screen.txt", player.home),
         *command = format_text("diff -u --label golden/%s.txt --label screen "
                                "'%s' '%s'",
                                name, path, here),
         *quiet = format_text("cmp -s '%s' '%s'", path, here);
    struct buffer text = {0};
    enum status status;

    screen_text(&text, looks);
    status = write_file(getenv("GOLDEN_WRITE") ? path : here, &text);
    if (status == STATUS_OK && getenv("GOLDEN_WRITE") == NULL &&
        system(quiet) != 0) {
        print_command(command);
        status = FAIL("the screen is not as golden/%s.txt has it", name);
    }
    buffer_release(&text);
    free(path);
    free(here);
    free(command);
    free(quiet);
    return status;
}

static enum status
add_mask(const char *argument)
{
    char *expression = format_text("%s", argument),
         *with = strrchr(expression, ' ');
    struct mask *mask = &player.masks[player.mask_count];
    enum status status = STATUS_OK;

    if (with == NULL || strlen(with) != 2 || player.mask_count == MOST_MASKS) {
        status = FAIL("mask REGEX CHAR");
    } else {
        *with = '\0';
        mask->with = with[1];
        if (regcomp(&mask->regex, expression, REG_EXTENDED) != 0)
            status = FAIL("%s is no regular expression", expression);
        else
            player.mask_count++;
    }
    free(expression);
    return status;
}

/* -- steps
 * ----------------------------------------------------------------------- */

static enum status
take_block(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        return error_errno(&player.failure, "cannot write %s", path);
    while (player.at < player.count &&
           strcmp(player.lines[player.at], "end") != 0)
        fprintf(file, "%s\n", player.lines[player.at++]);
    player.at++;
    fclose(file);
    return STATUS_OK;
}

static enum status
step_file(const char *argument)
{
    char *path = format_text("%s/%s", player.home, argument), *slash;

    for (slash = path + strlen(player.home) + 1;
         (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    enum status status = take_block(path);

    free(path);
    return status;
}

static enum status
step_replay(const char *argument)
{
    char *script = format_text("%s/script", player.home),
         *engine = format_text("%s/tests/replay_engine", player.build);
    enum status status = take_block(script);

    (void) argument;
    set_variable("FATHOM_ENGINE", engine);
    set_variable("FATHOM_REPLAY", script);
    free(script);
    free(engine);
    return status;
}

/* A command of the shell with the test's environment; its status. */
static int
run_shell(const char *command)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        execle("/bin/sh", "sh", "-c", command, (char *) NULL,
               player.environment);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return status;
}

static enum status
step_shell(const char *argument)
{
    char *command = expand(argument),
         *logged =
             format_text("{ %s\n} >'%s/shell.txt' 2>&1", command, player.home),
         *show = format_text("cat '%s/shell.txt'", player.home);
    enum status status = STATUS_OK;

    fflush(stdout);
    if (run_shell(logged) != 0) {
        print_command(show);
        status = FAIL("%s fails", command);
    }
    free(command);
    free(logged);
    free(show);
    return status;
}

static enum status
step_vault(const char *argument)
{
    (void) argument;
    return step_shell("$BUILD/tests/vault_maker $HOME/data/fathom "
                      "$HOME/state/fathom 'three green bottles'");
}

static enum status
step_env(const char *argument)
{
    char *text = expand(argument), *space = strchr(text, ' ');

    if (space != NULL)
        *space = '\0';
    set_variable(text, space != NULL ? space + 1 : "");
    free(text);
    return STATUS_OK;
}

static enum status
step_run(const char *argument)
{
    char *text = expand(argument), *argv[MOST_ARGUMENTS + 1] = {0}, *program;
    size_t count = 0;

    for (char *word = strtok(text, " "); word && count < MOST_ARGUMENTS;
         word = strtok(NULL, " "))
        argv[count++] = word;
    if (count == 0) {
        free(text);
        return FAIL("run what?");
    }
    program = *argv[0] == '/' ? format_text("%s", argv[0])
                              : format_text("%s/%s", player.build, argv[0]);
    argv[0] = program;
    key_text_terminal(variable("TERM"));
    player.forgotten = 0;
    if (player.ran != argument) {
        free(player.ran);
        player.ran = format_text("%s", argument);
    }
    pty_screen_stop(&player.screen);
    pty_screen_start(&player.screen, argv, player.environment, player.rows,
                     player.columns);
    free(program);
    free(text);
    return STATUS_OK;
}

static enum status
step_keys(const char *argument)
{
    struct buffer bytes = {0};
    enum status status =
        key_text_bytes(&bytes, argument, true, &player.failure);

    if (status == STATUS_OK && bytes.length > 0)
        pty_screen_send(&player.screen, bytes.data, bytes.length);
    for (size_t i = 0; i < bytes.length; i++)
        player.typed[player.typed_bytes++ % sizeof player.typed] =
            (unsigned char) bytes.data[i];
    buffer_release(&bytes);
    return status;
}

static enum status
step_letters(const char *argument)
{
    char letters[1000];

    memset(letters, 'x', sizeof letters);
    for (unsigned long left = strtoul(argument, NULL, 10); left > 0;) {
        size_t some = left < sizeof letters ? left : sizeof letters;

        pty_screen_send(&player.screen, letters, some);
        left -= some;
    }
    return STATUS_OK;
}

static enum status
take_size(const char *text, unsigned *rows, unsigned *columns)
{
    if (sscanf(text, "%ux%u", columns, rows) != 2)
        return FAIL("a size is 80x24, columns first");
    return STATUS_OK;
}

static enum status
step_size(const char *argument)
{
    return take_size(argument, &player.rows, &player.columns);
}

static enum status
step_resize(const char *argument)
{
    unsigned rows, columns;

    TRY(take_size(argument, &rows, &columns));
    pty_screen_resize(&player.screen, rows, columns);
    return STATUS_OK;
}

/* xorshift: the same sizes and keys for the same seed, everywhere. */
static unsigned
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned) (*state >> 32);
}

static void
resize_randomly(uint64_t *state)
{
    unsigned rows = 1 + random_next(state) % 60,
             columns = 1 + random_next(state) % 200;

    pty_screen_resize(&player.screen, rows, columns);
}

static enum status
step_storm(const char *argument)
{
    unsigned count = 0, seed = 0;
    unsigned rows = player.screen.rows, columns = player.screen.columns;

    if (sscanf(argument, "%u %u", &count, &seed) != 2)
        return FAIL("storm N SEED");
    uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;

    for (unsigned i = 0; i < count; i++) {
        if (i % 20 == 19)
            pty_screen_resize(&player.screen, 1, 1);
        else
            resize_randomly(&state);
        pty_screen_read(&player.screen, (int) (random_next(&state) % 10));
    }
    pty_screen_resize(&player.screen, rows, columns);
    return STATUS_OK;
}

static void
send_random_keys(uint64_t *state)
{
    static const char *const keys[] = {
        "<F1>",     "<F2>",     "<F3>",        "<F4>",
        "<F5>",     "<F6>",     "<F7>",        "<F8>",
        "<Up>",     "<Down>",   "<Left>",      "<Right>",
        "<PgUp>",   "<PgDn>",   "<Home>",      "<End>",
        "<Del>",    "<BS>",     "<Tab>",       "<Enter>",
        "<Enter>",  "<Esc>",    "\\x18t",      "\\x18a",
        "\\x18g",   "\\x18b",   "\\x18T",      "<C-c>",
        "<C-z>",    "<C-r>",    "<C-l>",       "\\e[200~pasted\ntext\\e[201~",
        "\\e[200~", "\\e[",     "\\e[<0;3;4M", "\\e[<64;3;4M",
        "\\eO",     "/help\\r", "hello\\r",    "\xE6\xBC\xA2",
        "\xE6\xBC", "y1",       "q",           "i",
        "j",        "k",        "G",           "gg",
        "/"};
    char byte[8];

    if (random_next(state) % 4 == 0) {
        step_keys(keys[random_next(state) % (sizeof keys / sizeof *keys)]);
        return;
    }
    unsigned letter = random_next(state) % 256;

    // the end of input leaves the program, which other tests do
    if (letter == 4)
        letter = 'd';
    snprintf(byte, sizeof byte, "\\x%02X", letter);
    step_keys(byte);
}

/* What ended it is among the last. */
static void
show_typed(void)
{
    size_t count = player.typed_bytes < sizeof player.typed
                       ? player.typed_bytes
                       : sizeof player.typed;

    printf("# the last keys:");
    for (size_t i = player.typed_bytes - count; i < player.typed_bytes; i++)
        printf(" %02X", player.typed[i % sizeof player.typed]);
    printf("\n");
}

static enum status
run_again(void)
{
    TRY(await_end());
    if (!WIFEXITED(player.screen.status) ||
        WEXITSTATUS(player.screen.status) != 0) {
        show_typed();
        return FAIL("it has ended with %x", player.screen.status);
    }
    if (!pty_screen_modes_restored(&player.screen))
        return FAIL("it left without the modes of the terminal");
    TRY(step_run(player.ran));
    // keys are those of a shell until it has the terminal
    while (!player.screen.alternate && !player.screen.over)
        pty_screen_read(&player.screen, 10);
    return STATUS_OK;
}

static enum status
step_random_keys(const char *argument)
{
    const char *given = getenv("FATHOM_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : clock_ns() / 1000 | 1;
    uint64_t seconds =
        getenv("FATHOM_LONG") ? 3600 : strtoull(argument, NULL, 10);
    uint64_t end = ms_from_now(seconds * 1000), state = seed;

    printf("# seed %llu\n", (unsigned long long) seed);
    fflush(stdout);
    while (clock_ns() < end) {
        if (player.screen.over)
            TRY(run_again());
        for (unsigned i = random_next(&state) % 8; i > 0; i--)
            send_random_keys(&state);
        if (random_next(&state) % 50 == 0)
            resize_randomly(&state);
        pty_screen_read(&player.screen, (int) (random_next(&state) % 8));
        if (pty_screen_state(&player.screen) == 'T')
            kill(player.screen.program, SIGCONT);
    }
    return STATUS_OK;
}

static int
signal_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {{"TERM", SIGTERM}, {"HUP", SIGHUP},    {"INT", SIGINT},
                 {"STOP", SIGSTOP}, {"CONT", SIGCONT},  {"SEGV", SIGSEGV},
                 {"ABRT", SIGABRT}, {"BUS", SIGBUS},    {"FPE", SIGFPE},
                 {"ILL", SIGILL},   {"KILL", SIGKILL},  {"TSTP", SIGTSTP},
                 {"USR1", SIGUSR1}, {"WINCH", SIGWINCH}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].number;
    return 0;
}

static enum status
step_signal(const char *argument)
{
    int number = signal_number(argument);

    if (number == 0 || kill(player.screen.program, number) < 0)
        return FAIL("signal %s cannot be sent", argument);
    return STATUS_OK;
}

/* A code or the name of a signal. */
static bool
ended_so(const char *name)
{
    int status = player.screen.status, number = signal_number(name);

    if (number != 0)
        return WIFSIGNALED(status) && WTERMSIG(status) == number;
    return WIFEXITED(status) && WEXITSTATUS(status) == atoi(name);
}

static enum status
step_exit_is(const char *argument)
{
    char *names = format_text("%s", argument);
    bool found = false;
    enum status status = await_end();

    for (char *name = strtok(names, " "); name; name = strtok(NULL, " "))
        found = found || ended_so(name);
    free(names);
    if (status != STATUS_OK || found)
        return status;
    status = player.screen.status;
    return FAIL("it did not end with %s, but with %s %d", argument,
                WIFEXITED(status) ? "status" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static enum status
step_file_limit(const char *argument)
{
    struct rlimit limit;
    rlim_t bytes = strtoul(argument, NULL, 10);

    if (prlimit(player.screen.program, RLIMIT_FSIZE, NULL, &limit) < 0)
        pty_screen_broken("prlimit");
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    if (prlimit(player.screen.program, RLIMIT_FSIZE, &limit, NULL) < 0)
        pty_screen_broken("prlimit");
    return STATUS_OK;
}

static enum status
step_alive(const char *argument)
{
    (void) argument;
    // the terminal is closed a moment before
    if (player.screen.over)
        TRY(await_end());
    if (pty_screen_ended(&player.screen))
        return FAIL("it has ended with %x", player.screen.status);
    return STATUS_OK;
}

static enum status
step_await_state(const char *argument)
{
    uint64_t end = clock_ns() + player.limit_ns;

    while (pty_screen_state(&player.screen) != *argument) {
        if (clock_ns() > end || pty_screen_ended(&player.screen))
            return FAIL("it does not come into the state %s", argument);
        pty_screen_read(&player.screen, 10);
    }
    return STATUS_OK;
}

static enum status
step_cursor(const char *argument)
{
    VTermPos at;
    int row, column;

    vterm_state_get_cursorpos(vterm_obtain_state(player.screen.vterm), &at);
    if (strcmp(argument, "off") == 0)
        return player.screen.shown ? FAIL("the cursor is shown") : STATUS_OK;
    if (sscanf(argument, "%d %d", &row, &column) != 2)
        return FAIL("cursor ROW COLUMN");
    if (!player.screen.shown || at.row != row || at.col != column)
        return FAIL("the cursor is at %d %d%s", at.row, at.col,
                    player.screen.shown ? "" : ", and not shown");
    return STATUS_OK;
}

static enum status
step_screen(const char *argument)
{
    bool wanted = strcmp(argument, "alternate") == 0;
    uint64_t end = clock_ns() + player.limit_ns;

    // a program that has stopped or ended may not have been read to its end
    while (player.screen.alternate != wanted)
        if (!pty_screen_read(&player.screen, 20) && clock_ns() > end)
            return FAIL("it is not the %s screen", argument);
    return STATUS_OK;
}

static enum status
step_modes(const char *argument)
{
    (void) argument;
    return pty_screen_modes_restored(&player.screen)
               ? STATUS_OK
               : FAIL("the modes of the terminal are not as before");
}

static enum status
step_modes_taken(const char *argument)
{
    (void) argument;
    return pty_screen_modes_restored(&player.screen)
               ? FAIL("the modes of the terminal are as before")
               : STATUS_OK;
}

static enum status
step_shell_modes(const char *argument)
{
    (void) argument;
    if (tcsetattr(player.screen.master, TCSANOW, &player.screen.before) < 0)
        pty_screen_broken("tcsetattr");
    return STATUS_OK;
}

static enum status
step_await(const char *argument)
{
    return await(argument, true);
}

static enum status
step_await_match(const char *argument)
{
    uint64_t end = clock_ns() + player.limit_ns;
    regex_t regex;
    bool found = false;

    if (regcomp(&regex, argument, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) != 0)
        return FAIL("%s is no regular expression", argument);
    while (!found && clock_ns() < end && !player.screen.over) {
        struct buffer text = {0};

        pty_screen_read(&player.screen, 20);
        pty_screen_text(&player.screen, &text);
        found = text.data && regexec(&regex, text.data, 0, NULL, 0) == 0;
        buffer_release(&text);
    }
    regfree(&regex);
    return found ? STATUS_OK : FAIL("nothing on the screen matches");
}

static enum status
step_await_gone(const char *argument)
{
    return await(argument, false);
}

static enum status
step_await_bytes(const char *argument)
{
    return check_bytes(argument, true, true);
}

static enum status
step_bytes_contain(const char *argument)
{
    return check_bytes(argument, false, true);
}

static enum status
step_bytes_lack(const char *argument)
{
    return check_bytes(argument, false, false);
}

static enum status
step_bytes_forget(const char *argument)
{
    (void) argument;
    player.forgotten = player.screen.bytes.length;
    return STATUS_OK;
}

static enum status
step_settle(const char *argument)
{
    return settle(*argument ? strtoul(argument, NULL, 10) : 150);
}

static enum status
step_sleep(const char *argument)
{
    uint64_t end = ms_from_now(strtoul(argument, NULL, 10));

    while (clock_ns() < end)
        pty_screen_read(&player.screen, 10);
    return STATUS_OK;
}

static enum status
step_close(const char *argument)
{
    (void) argument;
    pty_screen_close(&player.screen);
    return STATUS_OK;
}

static enum status
step_mute(const char *argument)
{
    (void) argument;
    player.screen.mute = true;
    return STATUS_OK;
}

static enum status
step_golden(const char *argument)
{
    return compare_golden(argument, false);
}

static enum status
step_looks(const char *argument)
{
    return compare_golden(argument, true);
}

static const struct {
    const char *name;
    enum status (*run)(const char *argument);
} steps[] = {
    {"size", step_size},
    {"env", step_env},
    {"file", step_file},
    {"replay", step_replay},
    {"vault", step_vault},
    {"run", step_run},
    {"shell", step_shell},
    {"keys", step_keys},
    {"letters", step_letters},
    {"await", step_await},
    {"await-gone", step_await_gone},
    {"await-match", step_await_match},
    {"await-bytes", step_await_bytes},
    {"await-state", step_await_state},
    {"settle", step_settle},
    {"resize", step_resize},
    {"storm", step_storm},
    {"random-keys", step_random_keys},
    {"signal", step_signal},
    {"close", step_close},
    {"mute", step_mute},
    {"sleep", step_sleep},
    {"golden", step_golden},
    {"looks", step_looks},
    {"mask", add_mask},
    {"cursor", step_cursor},
    {"screen", step_screen},
    {"bytes-contain", step_bytes_contain},
    {"bytes-lack", step_bytes_lack},
    {"bytes-forget", step_bytes_forget},
    {"modes-restored", step_modes},
    {"modes-taken", step_modes_taken},
    {"shell-modes", step_shell_modes},
    {"file-limit", step_file_limit},
    {"exit-is", step_exit_is},
    {"alive", step_alive},
};

/* -- tests
 * ------------------------------------------------------------------------- */

static enum status
play_line(char *line)
{
    size_t length = strcspn(line, " ");
    const char *argument = line[length] ? line + length + 1 : "";

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strlen(steps[i].name) == length &&
            memcmp(steps[i].name, line, length) == 0)
            return steps[i].run(argument);
    return FAIL("there is no step \"%.*s\"", (int) length, line);
}

static bool
is_skipped(const char *line)
{
    return *line == '\0' || *line == '#';
}

/* Plays lines up to the next test. */
static enum status
play_lines(size_t from, size_t *line)
{
    for (player.at = from; player.at < player.count &&
                           strncmp(player.lines[player.at], "test ", 5) != 0;) {
        *line = player.at++;
        if (!is_skipped(player.lines[*line]))
            TRY(play_line(player.lines[*line]));
    }
    return STATUS_OK;
}

static void
show_screen(void)
{
    struct buffer text = {0};

    if (player.screen.vterm == NULL)
        return;
    pty_screen_text(&player.screen, &text);
    for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n"))
        printf("# |%s\n", line);
    buffer_release(&text);
}

/* The lines before the first test, then its own. */
static bool
play_test(size_t start)
{
    size_t line = 0;

    player.rows = 24;
    player.columns = 80;
    set_surroundings();
    enum status status = play_lines(0, &line);

    if (status == STATUS_OK)
        status = play_lines(start + 1, &line);
    if (status != STATUS_OK) {
        printf("# line %zu, %s: %s\n", line + 1, player.lines[line],
               player.failure.text);
        show_screen();
    }
    pty_screen_stop(&player.screen);
    leave_home();
    return status == STATUS_OK;
}

static void
read_script(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    if (file == NULL)
        pty_screen_broken(path);
    while ((length = getline(&line, &size, file)) >= 0) {
        if (length > 0 && line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (player.count == MOST_LINES)
            pty_screen_broken("too many lines");
        player.lines[player.count++] = format_text("%s", line);
    }
    free(line);
    fclose(file);
}

static const char *
folder_of(const char *name)
{
    const char *value = getenv(name);

    return value != NULL ? value : ".";
}

int
main(int argc, char **argv)
{
    const char *limit = getenv("FATHOM_TEST_LIMIT");
    unsigned number = 0;
    bool good = true;

    if (argc < 2) {
        fputs("screen_player SCRIPT [WORDS]\n", stderr);
        return 64;
    }
    // whatever the tests were started by: nohup ignores it
    signal(SIGHUP, SIG_DFL);
    player.limit_ns =
        (limit ? strtoull(limit, NULL, 10) : 60) * 1000000000ull / 2;
    player.source = folder_of("top_srcdir");
    player.build = folder_of("top_builddir");
    player.screen.master = -1;
    read_script(argv[1]);
    for (size_t i = 0; i < player.count; i++) {
        const char *line = player.lines[i];

        if (strncmp(line, "test ", 5) != 0 ||
            (argc > 2 && strstr(line, argv[2]) == NULL))
            continue;
        bool passed = play_test(i);

        good = good && passed;
        printf("%sok %u - %s\n", passed ? "" : "not ", ++number, line + 5);
        fflush(stdout);
    }
    printf("1..%u\n", number);
    for (size_t i = 0; i < player.count; i++)
        free(player.lines[i]);
    free(player.environment);
    free(player.ran);
    return good ? 0 : 1;
}
