/* engine/pretokenizer.h: segments by hand, and the work of the expressions. */
#include "config.h"

#include "engine/pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const names[] = {
    "deepseek-v3",    "llama-bpe", "qwen2",   "deepseek-llm",
    "deepseek-coder", "smollm",    "default",
};

enum { NAMES = sizeof names / sizeof *names };

static enum status
add_segment(void *context, const char *bytes, size_t length, struct error *err)
{
    struct buffer *out = context;

    assert_true(length > 0);
    if (out->length > 0)
        TRY(buffer_append(out, "|", 1, err));
    return buffer_append(out, bytes, length, err);
}

/* Cuts `text` and compares the segments, joined by bars. */
static void
assert_cut(const char *name, const char *text, const char *want)
{
    struct pretokenizer *pretokenizer;
    struct buffer got = {0};
    struct error err;

    assert_int_equal(
        pretokenizer_open(&pretokenizer, pretokenizer_rules_find(name), &err),
        STATUS_OK);
    assert_int_equal(pretokenizer_cut(pretokenizer, text, strlen(text),
                                      add_segment, &got, &err),
                     STATUS_OK);
    assert_string_equal(got.data, want);
    buffer_release(&got);
    pretokenizer_close(pretokenizer);
}

static void
each_family_cuts_as_its_expressions_say(void **state)
{
    (void) state;
    assert_cut("deepseek-v3", "12345", "123|45");
    assert_cut("deepseek-v3", "a  b", "a| | b");
    assert_cut("deepseek-v3", "東京タワーx", "東京タワー|x");
    assert_cut("deepseek-v3", "x.y =\n\n", "x|.y| =\n\n");
    assert_cut("deepseek-v3", "it's", "it|'s");
    assert_cut("llama-bpe", "IT'S 12345", "IT|'S| |123|45");
    assert_cut("llama-bpe", " \n  \n x", " \n  \n| x");
    assert_cut("qwen2", "IT'S 12", "IT|'S| |1|2");
    assert_cut("deepseek-llm", "Say 123!", "Say| |123|!");
    assert_cut("deepseek-llm", "a  \n b", "a|  |\n| b");
    assert_cut("deepseek-coder", "x = 12;", "x| = |1|2|;");
    assert_cut("smollm", "it's IT'S 12", "it|'s| IT|'|S| |1|2");
    assert_cut("default", "a+b 12345", "a|+|b| |123|45");
}

/* Python takes U+001C for white space, PCRE2 takes U+180E. */
static void
white_space_is_what_unicode_calls_so(void **state)
{
    (void) state;
    assert_cut("llama-bpe", "\x1C\x1C", "\x1C\x1C");
    assert_cut("llama-bpe", " \u180E \u2003 x", " \u180E| \u2003| x");
    assert_cut("llama-bpe", "\xC2\x85\n\u3000\n", "\xC2\x85\n\u3000\n");
}

static void
aliases_name_the_same_rules_and_nothing_else_does(void **state)
{
    (void) state;
    assert_ptr_equal(pretokenizer_rules_find("llama3"),
                     pretokenizer_rules_find("llama-bpe"));
    assert_ptr_equal(pretokenizer_rules_find("deepseek-r1-qwen"),
                     pretokenizer_rules_find("qwen2"));
    assert_null(pretokenizer_rules_find(""));
    assert_null(pretokenizer_rules_find("deepseek"));
    assert_null(pretokenizer_rules_find("deepseek-v33"));
}

// -- work --------------------------------------------------------------------

static int
count_step(pcre2_callout_block *block, void *count)
{
    (void) block;
    ++*(uint64_t *) count;
    return 0;
}

/* Steps that PCRE2 takes to find all matches of one expression. */
static uint64_t
steps_of(const char *expression, const char *text, size_t length)
{
    int error;
    size_t offset;
    uint64_t steps = 0;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR) expression, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_AUTO_CALLOUT, &error, &offset, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);

    assert_non_null(code);
    pcre2_set_callout(context, count_step, &steps);
    for (size_t at = 0; at < length;) {
        int found = pcre2_match(code, (PCRE2_SPTR) text, length, at,
                                PCRE2_NO_UTF_CHECK, match, context);
        if (found == PCRE2_ERROR_NOMATCH)
            break;
        assert_true(found > 0);
        at = pcre2_get_ovector_pointer(match)[1];
    }
    pcre2_match_data_free(match);
    pcre2_match_context_free(context);
    pcre2_code_free(code);
    return steps;
}

static uint64_t
steps_of_repeated(const char *expression, const char *unit, size_t times)
{
    struct buffer text = {0};
    struct error err;

    for (size_t i = 0; i < times; i++)
        assert_int_equal(buffer_append(&text, unit, strlen(unit), &err),
                         STATUS_OK);
    // and something that no run goes on with
    assert_int_equal(buffer_append(&text, "\x01", 1, &err), STATUS_OK);
    uint64_t steps = steps_of(expression, text.data, text.length);
    buffer_release(&text);
    return steps;
}

static void
no_expression_is_quadratic_on_any_run(void **state)
{
    static const char *const units[] = {
        " ",     "\n", "\t",     "\r\n",       "a",       "A",    "你",
        "あ",    "7",  ".",      "\u0301",     "\u3000",  "'",    " \n",
        "  \n ", "a ", " a",     "  a",        "\n a",    ". ",   " .",
        "7 ",    " 7", "'s",     "\u2581",     "\u00FC",  "\x01", "你 ",
        "\n\n ", "가", "\u00BD", "\U0001F642", " \u0301",
    };
    enum { N = 500 };

    (void) state;
    for (size_t i = 0; i < NAMES; i++) {
        const struct pretokenizer_rules *rules =
            pretokenizer_rules_find(names[i]);
        for (size_t p = 0; rules->passes[p] != NULL; p++) {
            for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
                uint64_t one = steps_of_repeated(rules->passes[p], units[u], N);
                uint64_t four =
                    steps_of_repeated(rules->passes[p], units[u], 4 * N);
                if (four > 5 * one + 100)
                    fail_msg("%s, pass %zu, \"%s\": %llu steps, then %llu",
                             names[i], p, units[u], (unsigned long long) one,
                             (unsigned long long) four);
            }
        }
    }
}

// -- without JIT --------------------------------------------------------------

static const char everything[] =
    "The 1234567 DON'T  \t\n\n x=+$10,00 caf\u00E9 \u4F60\u597D\u3002"
    "\u30C6\u30B9\u30C8 \uAC00\u00BD\u0301 \U0001F642\r\n  \u3000 .  ";

static enum status
cut_everything(struct buffer *out, struct error *err)
{
    for (size_t i = 0; i < NAMES; i++) {
        struct pretokenizer *pretokenizer;

        TRY(pretokenizer_open(&pretokenizer, pretokenizer_rules_find(names[i]),
                              err));
        enum status status =
            pretokenizer_cut(pretokenizer, everything, sizeof everything - 1,
                             add_segment, out, err);
        pretokenizer_close(pretokenizer);
        TRY(status);
    }
    return STATUS_OK;
}

/* This program anew, without executable memory: writes the segments to fd. */
static void
start_without_jit(int fd)
{
    const unsigned long deny_write_execute = 65, refuse_gain = 1, none = 0;

    if (dup2(fd, STDOUT_FILENO) >= 0 &&
        prctl((int) deny_write_execute, refuse_gain, none, none, none) == 0)
        execl("/proc/self/exe", "pretokenizer_test", "--cut", (char *) NULL);
    _exit(77); // Linux before 6.3
}

/* The program so started. */
static int
cut_without_jit(void)
{
    struct buffer got = {0};
    struct error err;
    int error;
    size_t offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR) "a", 1, 0, &error, &offset, NULL);

    if (pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0)
        return 77;
    pcre2_code_free(code);
    if (cut_everything(&got, &err) != STATUS_OK ||
        write(STDOUT_FILENO, got.data, got.length) != (ssize_t) got.length)
        return 1;
    buffer_release(&got);
    return 0;
}

static void
without_executable_memory_the_segments_are_the_same(void **state)
{
    struct buffer want = {0}, got = {0};
    struct error err;
    char some[4096];
    int ends[2], status;

    (void) state;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        start_without_jit(ends[1]);
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], some, sizeof some)) > 0;)
        assert_int_equal(buffer_append(&got, some, (size_t) n, &err), 0);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("# not tried: executable memory cannot be denied here\n");
    } else {
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_int_equal(cut_everything(&want, &err), STATUS_OK);
        assert_string_equal(got.data, want.data);
    }
    buffer_release(&want);
    buffer_release(&got);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--cut") == 0)
        return cut_without_jit();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_cuts_as_its_expressions_say),
        cmocka_unit_test(white_space_is_what_unicode_calls_so),
        cmocka_unit_test(aliases_name_the_same_rules_and_nothing_else_does),
        cmocka_unit_test(no_expression_is_quadratic_on_any_run),
        cmocka_unit_test(without_executable_memory_the_segments_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
