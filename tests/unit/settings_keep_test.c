/*
 * app/ini_edit.h, app/settings_keep.h: one setting changes, every other byte
 * stays, and what cannot be written safely is left as it is.
 */
#include "config.h"

#include "app/ini_edit.h"
#include "app/policy.h"
#include "app/settings_keep.h"
#include "tests/unit/vault_folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534, MANY = 3000 };

static struct error err;
static char shown[SETTINGS_SHOWN];

/* -- what the policy says ----------------------------------------------------
 */

static struct policy ruled;

const struct policy *__wrap_policy_now(void);

const struct policy *
__wrap_policy_now(void)
{
    return &ruled;
}

/* -- texts -------------------------------------------------------------------
 */

static void
expect_edit(const char *before, const char *key, const char *value,
            const char *after)
{
    const struct ini_row *row = ini_find(&settings_table, key);
    struct buffer text = {0}, out = {0};

    assert_non_null(row);
    assert_int_equal(buffer_append(&text, before, strlen(before), &err),
                     STATUS_OK);
    assert_int_equal(settings_edit(&out, "f", &text, row, value, &err),
                     STATUS_OK);
    assert_string_equal(out.data, after);
    buffer_release(&text);
    buffer_release(&out);
}

static void
a_setting_that_is_there_changes_alone(void **state)
{
    (void) state;
    expect_edit("[ui]\ntheme = dark\n", "ui.theme", "light",
                "[ui]\ntheme = light\n");
    // blanks, the other separator, and the comment behind it
    expect_edit("# mine\n\n[ui]\n\ttheme:dark\t ; as at night \n[model]\n",
                "ui.theme", "terminal",
                "# mine\n\n[ui]\n\ttheme:terminal\t ; as at night \n[model]\n");
    expect_edit("[ui]\r\ntheme =  dark  \r\nmouse = on\r\n", "ui.theme", "mono",
                "[ui]\r\ntheme =  mono  \r\nmouse = on\r\n");
    // the end of the file is the end of the line
    expect_edit("[ui]\ntheme = dark", "ui.theme", "light",
                "[ui]\ntheme = light");
    // the same name elsewhere, and in comments
    expect_edit("[preset.a]\nbudget = 1\n[thinking]\n;budget = 2\n"
                "#budget = 3\nbudget = 4\n[preset.b]\nbudget = 5\n",
                "thinking.budget", "6",
                "[preset.a]\nbudget = 1\n[thinking]\n;budget = 2\n"
                "#budget = 3\nbudget = 6\n[preset.b]\nbudget = 5\n");
    // a section that comes twice
    expect_edit("[ui]\nmouse = on\n[model]\n[ui]\ntheme = dark\n", "ui.theme",
                "light", "[ui]\nmouse = on\n[model]\n[ui]\ntheme = light\n");
    expect_edit("\xEF\xBB\xBF[ui]\ntheme = dark\n", "ui.theme", "light",
                "\xEF\xBB\xBF[ui]\ntheme = light\n");
    expect_edit("[model]\ndefault = a;b=c ;d\n", "model.default", "e:f",
                "[model]\ndefault = e:f ;d\n");
}

static void
a_new_setting_joins_its_section(void **state)
{
    (void) state;
    expect_edit("", "model.default", "big", "[model]\ndefault = big\n");
    expect_edit("[ui]\ntheme = dark\n\n# of models\n[model]\n", "ui.mouse",
                "on",
                "[ui]\ntheme = dark\nmouse = on\n\n# of models\n[model]\n");
    expect_edit("[model]\n# which one\n\n[ui]\n", "model.default", "big",
                "[model]\ndefault = big\n# which one\n\n[ui]\n");
    expect_edit("[ui]\ntheme = dark", "ui.mouse", "on",
                "[ui]\ntheme = dark\nmouse = on\n");
    expect_edit("[ui]\r\ntheme = dark", "ui.mouse", "on",
                "[ui]\r\ntheme = dark\r\nmouse = on\r\n");
    expect_edit("[ui]", "ui.mouse", "on", "[ui]\nmouse = on\n");
    // the end of the file is in the middle of the end of a line
    expect_edit("[ui]\r\ntheme = dark\r", "ui.mouse", "on",
                "[ui]\r\ntheme = dark\r\nmouse = on\r\n");
    expect_edit("\r\n\r", "ui.mouse", "on", "\r\n\r\n[ui]\r\nmouse = on\r\n");
    // a section of its own, with a blank line before it
    expect_edit("[ui]\ntheme = dark\n", "vault.save", "ask",
                "[ui]\ntheme = dark\n\n[vault]\nsave = ask\n");
    expect_edit("[ui]\r\ntheme = dark\r\n\r\n", "vault.save", "ask",
                "[ui]\r\ntheme = dark\r\n\r\n[vault]\r\nsave = ask\r\n");
    expect_edit("# nothing yet", "vault.save", "ask",
                "# nothing yet\n\n[vault]\nsave = ask\n");
    expect_edit("\xEF\xBB\xBF", "ui.mouse", "on",
                "\xEF\xBB\xBF\n\n[ui]\nmouse = on\n");
}

static void
a_value_that_a_file_cannot_hold_is_refused(void **state)
{
    const struct ini_row *row = ini_find(&settings_table, "model.default");
    static const char *const values[] = {"a ;b", "; b",  " a",        "a ",
                                         "",     "a\nb", "a\x1b[31m", "\xff"};
    struct buffer text = {0}, out = {0};
    char longest[INI_TEXT_BYTES];

    (void) state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_int_equal(settings_edit(&out, "f", &text, row, values[i], &err),
                         STATUS_FORMAT);
        assert_true(utf8_valid(err.text, strlen(err.text)));
        assert_int_equal(out.length, 0);
    }
    // "default = " and 196 characters in a line
    memset(longest, 'x', sizeof longest);
    longest[196 - 10] = '\0';
    assert_int_equal(settings_edit(&out, "f", &text, row, longest, &err),
                     STATUS_OK);
    out.length = 0;
    longest[196 - 10] = 'x';
    longest[196 - 9] = '\0';
    assert_int_equal(settings_edit(&out, "f", &text, row, longest, &err),
                     STATUS_FORMAT);
    assert_non_null(strstr(err.text, "196 characters"));
    buffer_release(&out);
}

/* -- any file ----------------------------------------------------------------
 */

static unsigned seed;

static unsigned
draw(unsigned most)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % most;
}

static const char *const keys[] = {
    "model.default", "model.verify",  "thinking.effort", "thinking.budget",
    "ui.theme",      "ui.lock_after", "ui.mouse",        "vault.save",
    "vault.cache",   "memory.swap"};
static const char *const values[][3] = {
    {"a=b", "c # d", "e;f"},   {"none", "signed", "full"}, {"on", "off", "on"},
    {"0", "17", "1000000000"}, {"dark", "mono", "light"},  {"0", "90s", "1h"},
    {"on", "off", "on"},       {"always", "ask", "never"}, {"0", "1", "2048"},
    {"any", "safe", "any"}};
enum { KEYS = sizeof keys / sizeof keys[0] };

static void
add(struct buffer *out, const char *text)
{
    assert_int_equal(buffer_append(out, text, strlen(text), &err), STATUS_OK);
}

static void
add_noise(struct buffer *out, const char *end)
{
    static const char *const noise[] = {
        "# theme = x", "; [ui]", "", "   ", "\t", "#\xC3\xBC", "# default : y"};

    while (draw(3) == 0) {
        add(out, noise[draw(sizeof noise / sizeof noise[0])]);
        add(out, end);
    }
}

/* A file that the parser takes: some of the keys, in any order and spelling. */
static void
make_file(struct buffer *out, const char *end)
{
    static const char *const blanks[] = {"", " ", "\t", "  "},
                             *const remarks[] = {"", " ; as said", "\t;", "  "};
    bool given[KEYS] = {false};

    if (draw(8) == 0)
        add(out, "\xEF\xBB\xBF");
    for (unsigned n = draw(8); n > 0; n--) {
        unsigned i = draw(KEYS);
        const char *dot = strchr(keys[i], '.');
        char section[40];

        add_noise(out, end);
        snprintf(section, sizeof section, "%s[%.*s]%s", blanks[draw(4)],
                 (int) (dot - keys[i]), keys[i], draw(4) ? "" : " ; here");
        if (draw(9) == 0)
            snprintf(section, sizeof section, "[preset.p%u]", n);
        // a mark is not followed by blanks before a section
        add(out, section + (out->length == 3 ? strspn(section, " \t") : 0));
        add(out, end);
        add_noise(out, end);
        if (given[i] || strncmp(section, "[preset", 7) == 0)
            continue;
        given[i] = true;
        add(out, blanks[draw(4)]);
        add(out, dot + 1);
        add(out, blanks[draw(4)]);
        add(out, draw(2) ? "=" : ":");
        add(out, blanks[draw(4)]);
        add(out, values[i][draw(3)]);
        add(out, remarks[draw(4)]);
        if (n > 1 || draw(2))
            add(out, end);
    }
}

/* Bytes at the beginning and at the end that both have. */
static void
expect_rest_alike(const struct buffer *before, const struct buffer *after,
                  size_t most)
{
    size_t head = 0, tail = 0, least = before->length;

    if (after->length < least)
        least = after->length;
    while (head < least && before->data[head] == after->data[head])
        head++;
    while (tail < least - head && before->data[before->length - 1 - tail] ==
                                      after->data[after->length - 1 - tail])
        tail++;
    assert_true(before->length - head - tail <= most);
}

static void
any_file_reads_as_wanted_and_changes_in_one_place(void **state)
{
    (void) state;
    seed = 20261126;
    print_message("# seed %u\n", seed);
    for (unsigned round = 0; round < MANY; round++) {
        struct buffer before = {0}, after = {0}, again = {0};
        const char *end = draw(3) == 0 ? "\r\n" : "\n";
        unsigned i = draw(KEYS);
        const char *value = values[i][draw(3)];
        const struct ini_row *row = ini_find(&settings_table, keys[i]);
        static struct settings got;
        char text[INI_TEXT_BYTES];

        make_file(&before, end);
        assert_int_equal(settings_edit(&after, "f", &before, row, value, &err),
                         STATUS_OK);
        got = (struct settings){0};
        assert_int_equal(ini_parse_text(&got, &settings_table, "f", after.data,
                                        after.length, &err),
                         STATUS_OK);
        assert_true(ini_value(text, &got, row));
        assert_string_equal(text, value);
        // of what was there no more than a value is gone
        expect_rest_alike(&before, &after, strlen("1000000000"));
        // once more changes nothing
        assert_int_equal(settings_edit(&again, "f", &after, row, value, &err),
                         STATUS_OK);
        assert_int_equal(again.length, after.length);
        assert_memory_equal(again.data, after.data, after.length);
        buffer_release(&before);
        buffer_release(&after);
        buffer_release(&again);
    }
}

/* -- files -------------------------------------------------------------------
 */

static int
enter(void **state)
{
    char here[200];

    (void) state;
    vault_folder_enter();
    assert_non_null(getcwd(here, sizeof here));
    setenv("XDG_CONFIG_HOME", here, 1);
    unsetenv("FATHOM_CONFIG");
    ruled = (struct policy){0};
    umask(022);
    return 0;
}

static int
leave(void **state)
{
    (void) state;
    vault_folder_leave();
    return 0;
}

static void
put(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void
expect_file(const char *path, const char *wanted, mode_t mode)
{
    char text[1000];
    struct stat status;
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text - 1, file);

    text[n] = '\0';
    fclose(file);
    assert_string_equal(text, wanted);
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, mode);
}

static void
expect_refusal(const char *key, const char *value, enum status wanted,
               const char *words)
{
    assert_int_equal(settings_keep(shown, key, value, &err), wanted);
    if (strstr(err.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, err.text);
}

static void
file_and_folder_are_made_for_the_user_alone(void **state)
{
    struct stat status;

    (void) state;
    assert_int_equal(settings_keep(shown, "model.default", "big", &err),
                     STATUS_OK);
    assert_non_null(strstr(shown, "/fathom/fathom.conf"));
    expect_file("fathom/fathom.conf", "[model]\ndefault = big\n", 0600);
    assert_int_equal(stat("fathom", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    // where no model is named it is the one, from now on
    unsetenv("FATHOM_MODEL");
    assert_string_equal(settings_model(), "big");
    assert_int_equal(settings_keep(shown, "ui.lock_after", "90s", &err),
                     STATUS_OK);
    assert_int_equal(settings_lock_after_ms(), 90000);
    expect_file("fathom/fathom.conf",
                "[model]\ndefault = big\n\n[ui]\nlock_after = 90s\n", 0600);
    // what counts from the next start on is not taken now
    assert_int_equal(settings_keep(shown, "ui.theme", "dark", &err), STATUS_OK);
    assert_int_equal(settings_screen().theme, THEME_TERMINAL);
}

static void
a_file_that_others_may_read_stays_so(void **state)
{
    (void) state;
    put("own.conf", "[ui]\nmouse = on\n", 0644);
    setenv("FATHOM_CONFIG", "own.conf", 1);
    assert_int_equal(settings_keep(shown, "ui.mouse", "off", &err), STATUS_OK);
    assert_string_equal(shown, "own.conf");
    expect_file("own.conf", "[ui]\nmouse = off\n", 0644);
}

static void
what_is_there_already_is_not_written(void **state)
{
    struct stat before, after;

    (void) state;
    put("own.conf", "[ui]\nmouse = on ; yes\n", 0600);
    setenv("FATHOM_CONFIG", "own.conf", 1);
    assert_int_equal(stat("own.conf", &before), 0);
    assert_int_equal(settings_keep(shown, "ui.mouse", "on", &err), STATUS_OK);
    assert_int_equal(stat("own.conf", &after), 0);
    assert_true(before.st_ino == after.st_ino);
}

static void
a_link_is_written_where_it_leads(void **state)
{
    struct stat status;

    (void) state;
    assert_int_equal(mkdir("dotfiles", 0700), 0);
    assert_int_equal(mkdir("fathom", 0700), 0);
    put("dotfiles/fathom.conf", "[ui]\nmouse = on\n", 0600);
    assert_int_equal(symlink("../dotfiles/fathom.conf", "fathom/fathom.conf"),
                     0);
    assert_int_equal(settings_keep(shown, "ui.mouse", "off", &err), STATUS_OK);
    expect_file("dotfiles/fathom.conf", "[ui]\nmouse = off\n", 0600);
    assert_int_equal(lstat("fathom/fathom.conf", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void
what_is_not_the_users_is_left_alone(void **state)
{
    (void) state;
    assert_int_equal(mkdir("fathom", 0700), 0);
    assert_int_equal(symlink("nowhere", "fathom/fathom.conf"), 0);
    expect_refusal("ui.mouse", "on", STATUS_IO, "a link that leads nowhere");
    assert_int_equal(unlink("fathom/fathom.conf"), 0);
    // a folder in which others could put something else in its place
    assert_int_equal(mkdir("open", 0700), 0);
    put("open/fathom.conf", "[ui]\n", 0600);
    assert_int_equal(chmod("open", 0777), 0);
    assert_int_equal(symlink("../open/fathom.conf", "fathom/fathom.conf"), 0);
    expect_refusal("ui.mouse", "on", STATUS_DENIED,
                   "others may write to the folder");
    expect_file("open/fathom.conf", "[ui]\n", 0600);
    assert_int_equal(unlink("fathom/fathom.conf"), 0);
    assert_int_equal(mkfifo("fathom/fathom.conf", 0600), 0);
    expect_refusal("ui.mouse", "on", STATUS_DENIED, "not a file of settings");
    assert_int_equal(unlink("fathom/fathom.conf"), 0);
    assert_int_equal(mkdir("fathom/fathom.conf", 0700), 0);
    expect_refusal("ui.mouse", "on", STATUS_DENIED, "not a file of settings");
    assert_int_equal(rmdir("fathom/fathom.conf"), 0);
    if (geteuid() != 0)
        return;
    put("fathom/fathom.conf", "[ui]\n", 0644);
    assert_int_equal(chown("fathom/fathom.conf", NOBODY, NOBODY), 0);
    expect_refusal("ui.mouse", "on", STATUS_DENIED, "belongs to another user");
    expect_file("fathom/fathom.conf", "[ui]\n", 0644);
}

static void
a_file_that_is_wrong_stays_as_it_is(void **state)
{
    static const char *const wrong[] = {"[ui]\nmouse = on\nmouse = off\n",
                                        "[ui]\nmouze = on\n", "nonsense\n",
                                        "[ui]\rmouse = on\r"};

    (void) state;
    setenv("FATHOM_CONFIG", "own.conf", 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        put("own.conf", wrong[i], 0600);
        expect_refusal("ui.theme", "dark", STATUS_FORMAT, "own.conf line ");
        expect_file("own.conf", wrong[i], 0600);
    }
    put("own.conf", wrong[1], 0600);
    expect_refusal("ui.theme", "dark", STATUS_FORMAT,
                   "own.conf line 2: there is no setting 'mouze' in [ui]");
    expect_refusal("ui.theme", "brown", STATUS_FORMAT, "theme takes ");
    expect_refusal("theme", "dark", STATUS_FORMAT, "no setting of that name");
    expect_refusal("preset.temp", "1", STATUS_FORMAT, "no setting of that");
}

static void
a_file_that_is_full_takes_no_more(void **state)
{
    FILE *file = fopen("own.conf", "w");

    (void) state;
    assert_non_null(file);
    for (size_t i = 0; i < INI_FILE_BYTES / 64; i++)
        fprintf(file, "#%062d\n", 0);
    assert_int_equal(fclose(file), 0);
    setenv("FATHOM_CONFIG", "own.conf", 1);
    expect_refusal("ui.mouse", "on", STATUS_LIMIT, "larger than 64 kB");
}

static void
nothing_is_lost_whatever_fails(void **state)
{
    enum status status = STATUS_IO;
    unsigned n = 0;

    (void) state;
    put("own.conf", "[ui]\nmouse = on\n", 0644);
    setenv("FATHOM_CONFIG", "own.conf", 1);
    while (status != STATUS_OK) {
        assert_true(n < 100);
        fault_arm(++n);
        status = settings_keep(shown, "ui.mouse", "off", &err);
        fault_arm(0);
        struct settings s = {0};
        struct buffer text = {0};
        int file = open("own.conf", O_RDONLY | O_CLOEXEC);

        // as it was, or as it is to be
        assert_int_equal(settings_read_text(&text, file, "f", &err), STATUS_OK);
        assert_int_equal(ini_parse_text(&s, &settings_table, "f", text.data,
                                        text.length, &err),
                         STATUS_OK);
        assert_true(s.mouse.given);
        close(file);
        buffer_release(&text);
    }
    assert_true(n > 5);
    expect_file("own.conf", "[ui]\nmouse = off\n", 0644);
    assert_int_equal(system("test \"$(ls)\" = own.conf"), 0);
}

static void
what_the_policy_forbids_is_not_written(void **state)
{
    (void) state;
    ruled = (struct policy){
        .model_verify = {true, VERIFY_SIGNED},
        .vault_save = {true, SAVE_ALWAYS},
        .vault_min_kdf = {true, KDF_SENSITIVE},
        .swap = {true, SWAP_SAFE},
        .lock_after = {true, 60000},
        .clipboard = {true, 0},
    };
    expect_refusal("model.verify", "receipts", STATUS_DENIED,
                   "(model.verify = signed)");
    expect_refusal("vault.save", "ask", STATUS_DENIED, "(vault.save = always)");
    expect_refusal("vault.kdf", "moderate", STATUS_DENIED,
                   "(vault.min_kdf = sensitive)");
    expect_refusal("memory.swap", "any", STATUS_DENIED, "(swap = safe)");
    expect_refusal("ui.lock_after", "61s", STATUS_DENIED, "(lock_after = 1m)");
    expect_refusal("ui.lock_after", "0", STATUS_DENIED, "too long");
    expect_refusal("ui.clipboard", "osc52", STATUS_DENIED, "(clipboard = off)");
    assert_int_not_equal(access("fathom", F_OK), 0);
    assert_int_equal(settings_keep(shown, "model.verify", "full", &err),
                     STATUS_OK);
    assert_int_equal(settings_keep(shown, "ui.lock_after", "60s", &err),
                     STATUS_OK);
    assert_int_equal(settings_keep(shown, "ui.clipboard", "off", &err),
                     STATUS_OK);
    ruled.clipboard.value = 1;
    assert_int_equal(settings_keep(shown, "ui.clipboard", "off", &err),
                     STATUS_OK);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(a_setting_that_is_there_changes_alone),
        ONE(a_new_setting_joins_its_section),
        ONE(a_value_that_a_file_cannot_hold_is_refused),
        ONE(any_file_reads_as_wanted_and_changes_in_one_place),
        ONE(file_and_folder_are_made_for_the_user_alone),
        ONE(a_file_that_others_may_read_stays_so),
        ONE(what_is_there_already_is_not_written),
        ONE(a_link_is_written_where_it_leads),
        ONE(what_is_not_the_users_is_left_alone),
        ONE(a_file_that_is_wrong_stays_as_it_is),
        ONE(a_file_that_is_full_takes_no_more),
        ONE(nothing_is_lost_whatever_fails),
        ONE(what_the_policy_forbids_is_not_written),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
