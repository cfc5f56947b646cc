/*
 * app/ini_file.h, app/settings.h, app/policy.h: what a file may say, where it
 * is refused, and who stands above whom.
 */
#include "config.h"

#include "app/exit_code.h"
#include "app/policy.h"
#include "app/settings.h"

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

static enum status
parse_settings(struct settings *out, const char *text, struct error *err)
{
    *out = (struct settings){0};
    return ini_parse_text(out, &settings_table, "f", text, strlen(text), err);
}

static enum status
parse_policy(struct policy *out, const char *text, struct error *err)
{
    *out = (struct policy){0};
    return ini_parse_text(out, &policy_table, "p", text, strlen(text), err);
}

static void
every_setting_is_read(void **state)
{
    struct settings s;
    struct error err;

    (void) state;
    assert_int_equal(parse_settings(&s,
                                    "# a comment\n"
                                    "[model]\n"
                                    "default = big ; and a remark\n"
                                    "  path = /a:/b c\r\n"
                                    "verify = signed\n"
                                    "\n"
                                    "[thinking]\n"
                                    "effort=off\n"
                                    "budget = 8192\n"
                                    "view = side\n"
                                    "loop_break = force\n"
                                    "[ui]\n"
                                    "face = plain\n"
                                    "enter = newline\n"
                                    "theme = light\n"
                                    "mouse = on\n"
                                    "notify = osc9\n"
                                    "clipboard = off\n"
                                    "ambiguous_width = 2\n"
                                    "lock_after = 15m\n"
                                    "[vault]\n"
                                    "save = never\n"
                                    "cache = 500\n"
                                    "kdf = sensitive",
                                    &err),
                     STATUS_OK);
    assert_string_equal(s.model_default, "big");
    assert_string_equal(s.model_path, "/a:/b c");
    assert_int_equal(s.model_verify.value, VERIFY_SIGNED);
    assert_true(s.thinking_effort.given);
    assert_int_equal(s.thinking_effort.value, 0);
    assert_int_equal(s.thinking_budget.value, 8192);
    assert_int_equal(s.thinking_view.value, THOUGHT_SIDE);
    assert_int_equal(s.loop_break.value, LOOP_BREAK_FORCE);
    assert_int_equal(s.face.value, UI_FACE_PLAIN);
    assert_int_equal(s.enter.value, UI_ENTER_NEWLINE);
    assert_int_equal(s.theme.value, THEME_LIGHT);
    assert_int_equal(s.mouse.value, 1);
    assert_int_equal(s.notify.value, NOTIFY_OSC9);
    assert_int_equal(s.clipboard.value, 0);
    assert_int_equal(s.ambiguous_width.value, 1);
    assert_int_equal(s.lock_after.value, 15 * 60 * 1000);
    assert_int_equal(s.vault_save.value, SAVE_NEVER);
    assert_int_equal(s.vault_kdf.value, KDF_SENSITIVE);
    assert_int_equal(s.vault_cache.value, 500);
}

static void
presets_are_sections_of_any_name(void **state)
{
    struct settings s;
    struct error err;

    (void) state;
    assert_int_equal(parse_settings(&s,
                                    "[preset.code]\n"
                                    "temp = 0.3\n"
                                    "system_file = code.txt\n"
                                    "[thinking]\n"
                                    "budget = 5\n"
                                    "[preset.long-2]\n"
                                    "temp = 1\n"
                                    "system = Be brief.\n"
                                    "think = off\n"
                                    "budget = 7\n"
                                    "max_tokens = 8\n"
                                    "top_p = 0.5\n"
                                    "top_k = 9\n"
                                    "min_p = 0.1\n"
                                    "repeat_penalty = 1.1\n"
                                    "seed = 10\n",
                                    &err),
                     STATUS_OK);
    assert_int_equal(s.preset_count, 2);
    assert_string_equal(s.presets[0].name, "code");
    assert_true(s.presets[0].temperature.value == 0.3);
    assert_string_equal(s.presets[0].system_file, "code.txt");
    assert_false(s.presets[0].budget.given);
    assert_int_equal(s.thinking_budget.value, 5);
    const struct preset *p = &s.presets[1];

    assert_string_equal(p->name, "long-2");
    assert_string_equal(p->system, "Be brief.");
    assert_true(p->think.given && p->think.value == 0);
    assert_int_equal(p->budget.value, 7);
    assert_int_equal(p->max_tokens.value, 8);
    assert_int_equal(p->top_k.value, 9);
    assert_int_equal(p->seed.value, 10);
    assert_true(p->top_p.value == 0.5 && p->min_p.value == 0.1);
    assert_true(p->repeat_penalty.value == 1.1);
}

/* The system's file first, then the user's. */
static void
a_preset_of_two_files_is_one(void **state)
{
    static const char first[] = "[preset.a]\ntemp = 1\ntop_k = 3\n",
                      second[] = "[preset.b]\n[preset.a]\ntemp = 2\n";
    struct settings s = {0};
    struct error err;

    (void) state;
    assert_int_equal(
        ini_parse_text(&s, &settings_table, "f", first, strlen(first), &err),
        STATUS_OK);
    assert_int_equal(
        ini_parse_text(&s, &settings_table, "g", second, strlen(second), &err),
        STATUS_OK);
    assert_int_equal(s.preset_count, 2);
    assert_true(s.presets[0].temperature.value == 2);
    assert_int_equal(s.presets[0].top_k.value, 3);
}

/* libinih passes over it, so what is checked before must, too. */
static void
a_byte_order_mark_hides_no_section(void **state)
{
    struct settings s;
    struct error err;

    (void) state;
    assert_int_equal(
        parse_settings(&s, "\xEF\xBB\xBF[preset.a]\ntemp = 1\n", &err),
        STATUS_OK);
    assert_int_equal(s.preset_count, 1);
    assert_true(s.presets[0].temperature.value == 1);
    assert_int_equal(parse_settings(&s, "\xEF\xBB\xBF[modell]\n", &err),
                     STATUS_FORMAT);
    assert_string_equal(err.text, "f line 1: there is no section [modell]");
}

static void
there_are_not_more_presets_than_fit(void **state)
{
    static char text[4096];
    struct settings s;
    struct error err;
    size_t length = 0;

    (void) state;
    for (unsigned i = 0; i <= PRESETS_MOST; i++) {
        if (i == PRESETS_MOST)
            assert_int_equal(parse_settings(&s, text, &err), STATUS_OK);
        length += (size_t) snprintf(text + length, sizeof text - length,
                                    "[preset.p%u]\n", i);
    }
    assert_int_equal(parse_settings(&s, text, &err), STATUS_FORMAT);
    assert_string_equal(err.text,
                        "f line 33: there are too many sections of this kind");
}

static void
a_value_is_spelled_as_it_is_read(void **state)
{
    static const struct {
        const char *key, *value;
    } cases[] = {{"model.default", "big"},    {"model.verify", "signed"},
                 {"thinking.budget", "8192"}, {"thinking.view", "hide"},
                 {"ui.lock_after", "90s"},    {"ui.lock_after", "15m"},
                 {"ui.lock_after", "0"},      {"ui.ambiguous_width", "2"},
                 {"ui.lock_after", "1500ms"}, {"model.path", "/a:/b"}};

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ini_row *row = ini_find(&settings_table, cases[i].key);
        struct settings s = {0};
        struct error err;
        char text[INI_TEXT_BYTES];

        assert_non_null(row);
        assert_false(ini_value(text, &s, row));
        assert_int_equal(ini_store(&s, row, cases[i].value, &err), STATUS_OK);
        assert_true(ini_value(text, &s, row));
        assert_string_equal(text, cases[i].value);
    }
    assert_null(ini_find(&settings_table, "verify"));
    assert_null(ini_find(&settings_table, "model.verif"));
    assert_null(ini_find(&settings_table, ""));
    assert_non_null(ini_find(&policy_table, "model.verify"));
    assert_non_null(ini_find(&policy_table, "net"));
}

static void
what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"[model]\n\nverfy = full\n",
         "f line 3: there is no setting 'verfy' in [model]"},
        {"verify = full\n",
         "f line 1: the setting 'verify' is in no [section]"},
        {"[modell]\n", "f line 1: there is no section [modell]"},
        {"[model]\nverify = Full\n",
         "f line 2: verify takes none|receipts|signed|full, not 'Full'"},
        {"[model]\nverify =\n",
         "f line 2: verify takes none|receipts|signed|full, not ''"},
        {"[model]\npath = models\n",
         "f line 2: path takes paths from the root, with colons between them, "
         "not 'models'"},
        {"[model]\npath = /a:b\n",
         "f line 2: path takes paths from the root, with colons between them, "
         "not '/a:b'"},
        {"[model]\ndefault = a\ndefault = b\n",
         "f line 3: default is given twice"},
        {"[thinking]\nbudget = -1\n",
         "f line 2: budget takes a whole number that is not too large, not "
         "'-1'"},
        {"[thinking]\nbudget = 1000000001\n",
         "f line 2: budget takes a whole number that is not too large, not "
         "'1000000001'"},
        {"[vault]\ncache = 1048577\n",
         "f line 2: cache takes a whole number that is not too large, not "
         "'1048577'"},
        {"[ui]\nlock_after = soon\n",
         "f line 2: lock_after takes a time such as 30s, 15m or 1h, not "
         "'soon'"},
        {"[preset.]\n", "f line 1: there is no section [preset.]"},
        {"[preset]\n", "f line 1: there is no section [preset]"},
        {"[preset.a b]\n",
         "f line 1: a name has letters, digits, '-' and '_', at most 31"},
        {"[preset.a]\n[preset.a]\n",
         "f line 2: there is a section for 'a' already"},
        {"[preset.a]\ntemp = 1\ntemp = 1\n", "f line 3: temp is given twice"},
        {"[preset.a]\ntemp = 101\n",
         "f line 2: temp takes a number from 0 to 100, not '101'"},
        {"[preset.a]\nrepeat_penalty = 0\n",
         "f line 2: repeat_penalty takes a number from 0.01 to 100, not '0'"},
        {"[preset.a]\ntheme = dark\n",
         "f line 2: there is no setting 'theme' in [preset.a]"},
        {"[ui]\nambiguous_width = 3\n",
         "f line 2: ambiguous_width takes 1|2, not '3'"},
        {"[model]\nnonsense\n",
         "f line 2: it is neither [section] nor name = value"},
        {"[model\n", "f line 1: the name of the section has no ] behind it"},
        {"[ui\ntheme = dark\n",
         "f line 1: the name of the section has no ] behind it"},
        {"[ui]\nno value\nthem = dark\n",
         "f line 2: it is neither [section] nor name = value"},
        {"[model]\ndefault = a\x1b[31m\n",
         "f line 2: there are characters that are no UTF-8 text"},
        {"[model]\ndefault = \xff\n",
         "f line 2: there are characters that are no UTF-8 text"},
        // not a continuation of the line above, but a line of its own
        {"[model]\ndefault = a\n  b\n",
         "f line 3: it is neither [section] nor name = value"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings s;
        struct error err;

        assert_int_equal(parse_settings(&s, cases[i].text, &err),
                         STATUS_FORMAT);
        assert_string_equal(err.text, cases[i].wanted);
    }
}

static void
a_line_that_is_too_long_is_refused_not_cut(void **state)
{
    struct settings s;
    struct error err;
    char text[400];

    (void) state;
    for (size_t length = 180; length < 230; length++) {
        snprintf(text, sizeof text, "[model]\ndefault = %0*d\n",
                 (int) length - 10, 7);
        enum status status = parse_settings(&s, text, &err);

        if (status == STATUS_OK)
            assert_int_equal(strlen(s.model_default), length - 10);
        else
            assert_string_equal(err.text,
                                "f line 2: it is longer than 196 characters");
        assert_int_equal(status, length <= 196 ? STATUS_OK : STATUS_FORMAT);
    }
}

static void
every_rule_of_a_policy_is_read(void **state)
{
    struct policy p;
    struct error err;

    (void) state;
    assert_int_equal(parse_policy(&p,
                                  "vault.save = never\n"
                                  "vault.require = yes\n"
                                  "vault.min_kdf = sensitive\n"
                                  "vault.require_keyfile = yes\n"
                                  "export.plaintext = deny\n"
                                  "model.verify = full\n"
                                  "model.trust_dir = /etc/keys\n"
                                  "net = deny\n"
                                  "audit = required\n"
                                  "lock_after = 10m\n"
                                  "swap = safe\n"
                                  "clipboard = off\n"
                                  "editor = deny\n",
                                  &err),
                     STATUS_OK);
    assert_int_equal(p.swap.value, SWAP_SAFE);
    assert_true(p.clipboard.given && p.clipboard.value == 0);
    assert_true(p.editor.given && p.editor.value == 0);
    assert_int_equal(p.vault_save.value, SAVE_NEVER);
    assert_int_equal(p.model_verify.value, VERIFY_FULL);
    assert_string_equal(p.model_trust_dir, "/etc/keys");
    assert_int_equal(p.lock_after.value, 600000);
    assert_int_equal(parse_policy(&p, "net = allow\n", &err), STATUS_FORMAT);
    assert_string_equal(err.text, "p line 1: net takes deny, not 'allow'");
    assert_int_equal(parse_policy(&p, "vault.sve = never\n", &err),
                     STATUS_FORMAT);
    assert_string_equal(err.text, "p line 1: there is no rule 'vault.sve'");
}

/* A folder of this test's own, and a file in it. */
struct place {
    char folder[64], file[80];
};

static void
make_place(struct place *place, const char *text, mode_t folder, mode_t file)
{
    strcpy(place->folder, "/tmp/fathom-settings-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->file, sizeof place->file, "%s/policy.conf", place->folder);
    FILE *out = fopen(place->file, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    chmod(place->file, file);
    chmod(place->folder, folder);
}

static void
remove_place(const struct place *place)
{
    unlink(place->file);
    rmdir(place->folder);
}

static enum status
read_policy(mode_t folder, mode_t file, uid_t owner, struct error *err)
{
    struct place place;
    struct policy p;

    make_place(&place, "net = deny\n", folder, file);
    enum status status = policy_read(&p, place.file, owner, err);

    remove_place(&place);
    if (status == STATUS_OK)
        assert_true(p.net.given);
    return status;
}

static void
a_policy_that_others_could_write_is_not_believed(void **state)
{
    struct error err;

    (void) state;
    assert_int_equal(read_policy(0755, 0644, geteuid(), &err), STATUS_OK);
    assert_int_equal(read_policy(0755, 0664, geteuid(), &err), STATUS_DENIED);
    assert_non_null(strstr(err.text, "mode 0664"));
    assert_int_equal(read_policy(0755, 0646, geteuid(), &err), STATUS_DENIED);
    assert_int_equal(read_policy(0777, 0644, geteuid(), &err), STATUS_DENIED);
    assert_int_equal(read_policy(01777, 0644, geteuid(), &err), STATUS_DENIED);
    assert_int_equal(read_policy(0755, 0644, geteuid() + 1, &err),
                     STATUS_DENIED);
    assert_non_null(strstr(err.text, "must belong to root"));
}

static void
a_policy_that_is_no_file_is_not_believed(void **state)
{
    struct place place;
    struct policy p;
    struct error err;
    char link[100];

    (void) state;
    make_place(&place, "", 0755, 0644);
    snprintf(link, sizeof link, "%s/link", place.folder);
    assert_int_equal(symlink(place.file, link), 0);
    assert_int_equal(policy_read(&p, link, geteuid(), &err), STATUS_DENIED);
    unlink(link);
    assert_int_equal(mkfifo(link, 0600), 0);
    assert_int_equal(policy_read(&p, link, geteuid(), &err), STATUS_DENIED);
    unlink(link);
    assert_int_equal(policy_read(&p, place.folder, geteuid(), &err),
                     STATUS_DENIED);
    remove_place(&place);
    assert_int_equal(policy_read(&p, place.file, geteuid(), &err), STATUS_OK);
    assert_false(p.net.given);
}

static void
the_environment_goes_before_the_file(void **state)
{
    struct place place;
    struct error err;
    int code;

    (void) state;
    make_place(&place, "[model]\ndefault = a\npath = /a\n", 0700, 0600);
    setenv("FATHOM_CONFIG", place.file, 1);
    unsetenv("FATHOM_MODEL");
    unsetenv("FATHOM_MODEL_PATH");
    assert_int_equal(settings_start(&code, &err), STATUS_OK);
    assert_string_equal(settings_model(), "a");
    assert_string_equal(settings_model_path(), "/a");
    setenv("FATHOM_MODEL", "b", 1);
    setenv("FATHOM_MODEL_PATH", "/b", 1);
    assert_string_equal(settings_model(), "b");
    assert_string_equal(settings_model_path(), "/b");
    remove_place(&place);
    assert_int_equal(settings_start(&code, &err), STATUS_IO);
    assert_int_equal(code, EXIT_CONFIG);
}

static void
a_running_program_takes_only_what_can_count(void **state)
{
    struct place place;
    struct error err;
    int code;

    (void) state;
    make_place(&place, "[ui]\ntheme = dark\n", 0700, 0600);
    setenv("FATHOM_CONFIG", place.file, 1);
    assert_int_equal(settings_start(&code, &err), STATUS_OK);
    assert_int_equal(settings_screen().theme, THEME_DARK);
    assert_true(settings_screen().clipboard);
    assert_int_equal(settings_change("ui.clipboard", "off", &err), STATUS_OK);
    assert_false(settings_screen().clipboard);
    assert_int_equal(settings_change("ui.clipboard", "on", &err),
                     STATUS_FORMAT);
    assert_string_equal(err.text, "clipboard takes off|osc52, not 'on'");
    assert_int_equal(settings_change("ui.theme", "light", &err), STATUS_FORMAT);
    assert_string_equal(err.text,
                        "ui.theme counts from the next start on; with --keep "
                        "it is written to fathom.conf");
    assert_int_equal(settings_screen().theme, THEME_DARK);
    assert_int_equal(settings_change("preset.a.temp", "1", &err),
                     STATUS_FORMAT);
    assert_int_equal(settings_change("thinking.view", "split", &err),
                     STATUS_OK);
    assert_int_equal(settings_thought_view(), THOUGHT_SPLIT);
    remove_place(&place);
}

static void
a_policy_can_only_tighten(void **state)
{
    struct option_count none = {0}, some = {true, VERIFY_SIGNED},
                        all = {true, VERIFY_FULL};

    (void) state;
    assert_int_equal(settings_stricter(none, none), VERIFY_NONE);
    assert_int_equal(settings_stricter(some, none), VERIFY_SIGNED);
    assert_int_equal(settings_stricter(none, some), VERIFY_SIGNED);
    assert_int_equal(settings_stricter(all, some), VERIFY_FULL);
    assert_int_equal(settings_stricter(some, all), VERIFY_FULL);
}

static void
no_time_before_a_lock_is_longer_than_any(void **state)
{
    struct option_count never = {true, 0}, minute = {true, 60000},
                        hour = {true, 3600000}, none = {0};

    (void) state;
    assert_int_equal(settings_shorter(never, none), 0);
    assert_int_equal(settings_shorter(none, none), 15 * 60000);
    assert_int_equal(settings_shorter(never, hour), 3600000);
    assert_int_equal(settings_shorter(minute, hour), 60000);
    assert_int_equal(settings_shorter(hour, minute), 60000);
    assert_int_equal(settings_shorter(none, minute), 60000);
}

/* -- the pages ---------------------------------------------------------------
 */

static char *
read_page(const char *name)
{
    static char text[64 * 1024];
    const char *top = getenv("top_srcdir");
    char path[4096];

    snprintf(path, sizeof path, "%s/man/%s", top ? top : ".", name);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);

    text[length] = '\0';
    fclose(file);
    return text;
}

/* "model.verify = none | receipts", as a page spells a row. */
static void
spell(char *out, size_t size, const struct ini_row *row)
{
    int n = snprintf(out, size, ".It Cm %s = ", row->name);

    for (const char *at = row->argument; *at; at++)
        n += snprintf(out + n, size - (size_t) n, *at == '|' ? " | " : "%c",
                      *at);
    snprintf(out + n, size - (size_t) n, "\n");
}

static void
page_describes_table(const char *page, const struct ini_table *table)
{
    const char *text = read_page(page);
    char wanted[200];
    size_t items = 0;

    for (size_t i = 0; i < table->rows; i++) {
        spell(wanted, sizeof wanted, &table->row[i]);
        if (strstr(text, wanted) == NULL)
            fail_msg("%s has no line %s", page, wanted);
    }
    for (const char *at = text; (at = strstr(at, "\n.It Cm ")) != NULL; at++)
        items += strstr(at, " = ") < strchr(at + 1, '\n');
    assert_int_equal(items, table->rows);
}

static void
pages_describe_what_is_read_and_no_more(void **state)
{
    (void) state;
    page_describes_table("fathom.conf.5", &settings_table);
    page_describes_table("fathom-policy.conf.5", &policy_table);
}

/* The literal text of a page's example. */
static const char *
example_of(const char *page)
{
    char *start = strstr(read_page(page), ".Sh EXAMPLES");

    assert_non_null(start);
    start = strstr(start, ".Bd -literal\n");
    assert_non_null(start);
    start += strlen(".Bd -literal\n");
    char *end = strstr(start, ".Ed\n");

    assert_non_null(end);
    *end = '\0';
    return start;
}

static void
examples_of_the_pages_are_read(void **state)
{
    struct settings s;
    struct policy p;
    struct error err;

    (void) state;
    assert_int_equal(parse_settings(&s, example_of("fathom.conf.5"), &err),
                     STATUS_OK);
    assert_string_equal(s.model_default, "fathom-mini");
    assert_int_equal(s.vault_kdf.value, KDF_SENSITIVE);
    assert_int_equal(s.preset_count, 1);
    assert_int_equal(parse_policy(&p, example_of("fathom-policy.conf.5"), &err),
                     STATUS_OK);
    assert_int_equal(p.model_verify.value, VERIFY_FULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_read),
        cmocka_unit_test(presets_are_sections_of_any_name),
        cmocka_unit_test(a_preset_of_two_files_is_one),
        cmocka_unit_test(a_byte_order_mark_hides_no_section),
        cmocka_unit_test(there_are_not_more_presets_than_fit),
        cmocka_unit_test(a_value_is_spelled_as_it_is_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_not_cut),
        cmocka_unit_test(every_rule_of_a_policy_is_read),
        cmocka_unit_test(a_policy_that_others_could_write_is_not_believed),
        cmocka_unit_test(a_policy_that_is_no_file_is_not_believed),
        cmocka_unit_test(the_environment_goes_before_the_file),
        cmocka_unit_test(a_running_program_takes_only_what_can_count),
        cmocka_unit_test(a_policy_can_only_tighten),
        cmocka_unit_test(no_time_before_a_lock_is_longer_than_any),
        cmocka_unit_test(pages_describe_what_is_read_and_no_more),
        cmocka_unit_test(examples_of_the_pages_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
