/* Documents keep their header's promises, for text cut anywhere. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct error err;

static struct document *
opened(enum document_kind kind)
{
    struct document *document;

    assert_int_equal(document_open(&document, kind, &err), STATUS_OK);
    return document;
}

static void
add(struct document *document, const char *text, size_t length)
{
    assert_int_equal(document_append(document, text, length, &err), STATUS_OK);
}

static void
lay_out(struct document *document, unsigned columns)
{
    assert_int_equal(document_layout(document, columns, &err), STATUS_OK);
}

/* The lines as text, each ended by a newline. */
static const char *
lines_of(const struct document *document)
{
    static struct buffer out;

    buffer_clear(&out);
    assert_int_equal(buffer_append(&out, "", 0, &err), STATUS_OK);
    for (size_t i = 0; i < document_lines(document); i++) {
        struct document_line line = document_line(document, i);

        assert_int_equal(buffer_append(&out, line.text, line.length, &err),
                         STATUS_OK);
        assert_int_equal(buffer_append(&out, "\n", 1, &err), STATUS_OK);
    }
    return out.data;
}

/* A text whose first `cut` bytes were laid out before the rest came. */
static struct document *
laid_out_at(const struct buffer *text, size_t cut, unsigned columns)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);

    add(document, text->data, cut);
    lay_out(document, columns);
    add(document, text->data + cut, text->length - cut);
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, columns);
    return document;
}

static void
add_times(struct buffer *out, const char *unit, size_t times)
{
    for (size_t i = 0; i < times; i++)
        assert_int_equal(buffer_append(out, unit, strlen(unit), &err),
                         STATUS_OK);
}

static void
expect(enum document_kind kind, unsigned columns, const char *text,
       const char *wanted)
{
    struct document *document = opened(kind);

    add(document, text, strlen(text));
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, columns);
    assert_string_equal(lines_of(document), wanted);
    document_close(document);
}

static void
plain_text_is_wrapped_as_it_is(void **state)
{
    (void) state;
    expect(DOCUMENT_PLAIN, 20,
           "* Each transition supplies the attributes.\n"
           "\n"
           "    indented\ta_word_longer_than_a_line\n",
           "* Each transition\n"
           "supplies the\n"
           "attributes.\n"
           "\n"
           "    indented\n"
           "a_word_longer_than_a\n"
           "_line\n");
}

static void
code_has_a_label_and_its_exact_source(void **state)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);
    static const char text[] = "So:\n"
                               "```c\n"
                               "if (x)\n"
                               "\treturn -errno;   \n"
                               "\n"
                               "```\n"
                               "done";

    (void) state;
    add(document, text, sizeof text - 1);
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, 44);
    assert_string_equal(lines_of(document),
                        "So:\n"
                        "\n"
                        "c                     [1] y1 copies, o pages\n"
                        "if (x)\n"
                        "        return -errno;   \n"
                        "\n"
                        "\n"
                        "done\n");
    assert_int_equal(document_code_count(document), 1);
    struct document_code code = document_code(document, 1);

    assert_string_equal(code.label, "c");
    assert_int_equal(code.length, strlen("if (x)\n\treturn -errno;   \n\n"));
    assert_memory_equal(code.text, "if (x)\n\treturn -errno;   \n\n",
                        code.length);
    assert_int_equal(code.first_line, 2);
    assert_int_equal(code.line_count, 4);
    assert_false(code.open);
    document_close(document);
}

static void
markdown(unsigned columns, const char *text, const char *wanted)
{
    expect(DOCUMENT_MARKDOWN, columns, text, wanted);
}

static void
paragraphs_flow_and_breaks_stay(void **state)
{
    (void) state;
    markdown(30,
             "Each **state** unlocks one\n"
             "_kind_ of work.  \n"
             "New line<br>another\\\n"
             "and a last\n"
             "\n"
             "\n"
             "Next &lt;paragraph&gt; &copy; &#956; &#27;[2J &bogus;\n",
             "Each state unlocks one kind of\n"
             "work.\n"
             "New line\n"
             "another\n"
             "and a last\n"
             "\n"
             "Next <paragraph> © μ &#27;[2J\n"
             "&bogus;\n");
}

static void
headings_and_rules_stand_apart(void **state)
{
    (void) state;
    markdown(20,
             "# One #\n"
             "text\n"
             "## Two\n"
             "\n"
             "Setext\n"
             "------\n"
             "***\n"
             "#no heading\n",
             "One\n"
             "text\n"
             "Two\n"
             "\n"
             "Setext\n"
             "────────────────────\n"
             "#no heading\n");
}

static void
lists_nest_and_hang(void **state)
{
    (void) state;
    markdown(34,
             "Three mistakes that look alike:\n"
             "1. posting a send in RTR returns EINVAL at once\n"
             "2. swapping\n"
             "   - the two PSNs\n"
             "   - or not\n"
             "\n"
             "     and more of that\n"
             "10. ten\n"
             "\n"
             "- [x] done\n"
             "- [ ] to do\n"
             "-\n"
             "* other\n",
             "Three mistakes that look alike:\n"
             "  1. posting a send in RTR returns\n"
             "     EINVAL at once\n"
             "  2. swapping\n"
             "     - the two PSNs\n"
             "     - or not\n"
             "\n"
             "       and more of that\n"
             "  3. ten\n"
             "\n"
             "  - [x] done\n"
             "  - [ ] to do\n"
             "  - \n"
             "  - other\n");
}

static void
quotes_have_a_bar(void **state)
{
    (void) state;
    markdown(20,
             "> said one who knows\n"
             "lazily\n"
             ">\n"
             "> - item\n"
             "> > inner\n"
             "\n"
             "after\n",
             "> said one who knows\n"
             "> lazily\n"
             ">\n"
             ">   - item\n"
             "> > inner\n"
             "\n"
             "after\n");
}

static void
links_show_their_address(void **state)
{
    (void) state;
    markdown(60,
             "A [link](http://a.example/x_y_z), http://bare.example/a_b,\n"
             "<mailto:me@x.example>, ![a cat](cat.png), [top](#top),\n"
             "~~gone~~ [ref][R] and [none].\n"
             "\n"
             "[r]: http://ref.example \"title\"\n",
             "A link <http://a.example/x_y_z>, http://bare.example/a_b,\n"
             "mailto:me@x.example, [image: a cat] <cat.png>, top, ~~gone~~\n"
             "ref <http://ref.example> and [none].\n");
}

static const char states[] =
    "| state | what becomes legal | what it needs first |\n"
    "|-------|:------------------:|--------------------:|\n"
    "| INIT | post `receive` buffers | port, pkey |\n"
    "| 漢字 | a \\| b<br>c | **strong** |\n"
    "| short |\n";

static void
tables_are_aligned_by_what_is_seen(void **state)
{
    (void) state;
    markdown(77, states,
             "state   what becomes legal   what it needs first\n"
             "-----  --------------------  -------------------\n"
             "INIT   post receive buffers           port, pkey\n"
             "漢字        a | b / c                     strong\n"
             "short\n");
}

static void
tables_that_are_too_wide_are_told(void **state)
{
    (void) state;
    markdown(30, states,
             "state: INIT\n"
             "what becomes legal:\n"
             "  post receive buffers\n"
             "what it needs first:\n"
             "  port, pkey\n"
             "\n"
             "state: 漢字\n"
             "what becomes legal:\n"
             "  a | b / c\n"
             "what it needs first:\n"
             "  strong\n"
             "\n"
             "state: short\n"
             "what becomes legal:\n"
             "what it needs first:\n");
}

/* Such a table asks too much; what was read before it is then undone. */
static void
a_table_of_cells_that_nobody_wrote_is_text(void **state)
{
    struct buffer text = {0};

    (void) state;
    add_times(&text, "- ```\n  x\n  ```\n  ", 1);
    add_times(&text, "|a", 100);
    add_times(&text, "|\n  ", 1);
    add_times(&text, "|---", 100);
    add_times(&text, "|\n", 1);
    add_times(&text, "  |b|\n", 200);
    struct document *open = opened(DOCUMENT_MARKDOWN);
    struct document *whole = laid_out_at(&text, text.length - 8, 40);

    add(open, text.data, text.length);
    lay_out(open, 40);
    assert_int_equal(document_code_count(open), 0);
    assert_int_equal(document_code_count(whole), 0);
    assert_int_equal(strncmp(lines_of(whole), "- ```\n  x\n  ```\n", 16), 0);
    document_close(open);
    document_close(whole);
    buffer_release(&text);
}

static void
a_table_may_follow_its_sentence(void **state)
{
    (void) state;
    markdown(40,
             "The states are\n"
             "a|b\n"
             "-|:-:\n"
             "1|2\n",
             "The states are\n"
             "\n"
             "a  b\n"
             "-  -\n"
             "1  2\n");
}

static void
formulas_are_read_and_money_is_money(void **state)
{
    (void) state;
    markdown(60,
             "The sum $\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}$ costs $5 and\n"
             "$6, or US$7; `$x$` and \\$8 stay, \\(\\alpha_1\\) does not.\n"
             "$$\n"
             "a\n"
             "- b = \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}\n"
             "$$\n"
             "and \\[ \\boxed{x} \\].\n"
             "\n"
             "Open $$ and {$x} $HOME/$USER 5$ 6$\n",
             "The sum ∑ᵢ₌₁ⁿ i = n(n+1)/2 costs $5 and $6, or US$7; $x$ and\n"
             "$8 stay, α₁ does not.\n"
             "  a - b = ⎛ 1 ⎞\n"
             "          ⎝ 2 ⎠\n"
             "and\n"
             "  [ x ].\n"
             "\n"
             "Open $$ and {$x} $HOME/$USER 5$ 6$\n");
}

/* Two signs that code lies between, or that lie in it, are no formula. */
static void
variables_of_a_shell_are_no_formulas(void **state)
{
    (void) state;
    markdown(60,
             "1. Set $MY_VAR and run:\n"
             "   ```sh\n"
             "   echo \"${MY_VAR}\"\n"
             "   ```\n"
             "2. The pid is $$, so:\n"
             "   ~~~\n"
             "   kill $$\n"
             "   ~~~\n",
             "  1. Set $MY_VAR and run:\n"
             "     sh                               [1] y1 copies, o pages\n"
             "     echo \"${MY_VAR}\"\n"
             "  2. The pid is $$, so:\n"
             "                                      [2] y2 copies, o pages\n"
             "     kill $$\n");
    markdown(60,
             "The pid is $$; use `kill $$` to end.\n"
             "\n"
             "Set $MY_VAR and run `test -n \"${MY_VAR}\"`\n"
             "\n"
             "- use $MY_VAR\n"
             "- or \"${MY_VAR}\"\n"
             "- this\n"
             "  is $$\n"
             "- and that $$\n"
             "\n"
             "> $$\n"
             ">\n"
             "> $$\n",
             "The pid is $$; use kill $$ to end.\n"
             "\n"
             "Set $MY_VAR and run test -n \"${MY_VAR}\"\n"
             "\n"
             "  - use $MY_VAR\n"
             "  - or \"${MY_VAR}\"\n"
             "  - this is $$\n"
             "  - and that $$\n"
             "\n"
             "> $$\n"
             ">\n"
             "> $$\n");
}

static void
what_looks_like_code_may_be_in_formulas(void **state)
{
    (void) state;
    markdown(60,
             "- $$\n"
             "  a\n"
             "  >\n"
             "  - b\n"
             "  $$\n"
             "- ```x``` $a_1$\n"
             "- $\\text{`b'}$\n",
             "  -   a > - b\n"
             "  - x a₁\n"
             "  - `b'\n");
    markdown(60, "- ```$`$\n", "  - ```$`$\n");
}

/* What stands for a formula, were it ours. */
#define PLACEHOLDER                                                            \
    "\xEF\xB7\x90\xEF\xB7\xA0\xEF\xB7\xA0\xEF\xB7\xA0\xEF\xB7\xA0"
#define DISARMED "\xEF\xBF\xBD\xEF\xB7\xA0\xEF\xB7\xA0\xEF\xB7\xA0\xEF\xB7\xA0"

static void
placeholders_from_outside_stand_for_nothing(void **state)
{
    (void) state;
    markdown(60,
             "$x_1$ `a" PLACEHOLDER "b` [a]\n"
             "\n"
             "- $y_1$\n"
             "  ```" PLACEHOLDER "\n"
             "  " PLACEHOLDER "\n"
             "  ```\n"
             "\n"
             "[a]: http://" PLACEHOLDER "\n",
             "x₁ a" DISARMED "b a <http://" DISARMED ">\n"
             "\n"
             "  - y₁\n"
             "    " DISARMED "                             "
             "[1] y1 copies, o pages\n"
             "    " DISARMED "\n");
    markdown(60,
             "+\t~~~ a$b$ c<br>d\n"
             "\t$y$\n"
             "\t~~~\n",
             "  - a$b$ c<br>d                       [1] y1 copies, o pages\n"
             "    $y$\n");
}

static void
what_acts_on_terminals_is_shown(void **state)
{
    (void) state;
    markdown(40,
             "a\033[2J \033]52;c;AAAA\a `\033c` [x\033](u\033)\n"
             "\n"
             "\xE2\x80\xAE"
             "bidi \xF3\xA0\x81\x81 \xFF\n",
             "a<ESC>[2J <ESC>]52;c;AAAA<BEL> <ESC>c\n"
             "[x<ESC>](u<ESC>)\n"
             "\n"
             "<U+202E>bidi <U+E0041> \xEF\xBF\xBD\n");
}

static void
looks_tell_what_is_what(void **state)
{
    static const enum look wanted[] = {
        LOOK_PLAIN, LOOK_STRONG,  LOOK_PLAIN, LOOK_EMPHASIS,
        LOOK_PLAIN, LOOK_LITERAL, LOOK_PLAIN, LOOK_LINK,
        LOOK_DIM,   LOOK_PLAIN,   LOOK_MARK,
    };
    struct document *document = opened(DOCUMENT_MARKDOWN);
    static const char text[] = "a **b** *c* `d` [e](f) \033";

    (void) state;
    add(document, text, sizeof text - 1);
    lay_out(document, 40);
    struct document_line line = document_line(document, 0);

    assert_int_equal(line.run_count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < line.run_count; i++)
        assert_int_equal(line.runs[i].look, wanted[i]);
    document_close(document);
}

static void
code_in_lists_is_code(void **state)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);
    static const char text[] = "1. run\n"
                               "   ```sh\n"
                               "   make\n"
                               "   \tcheck   \n"
                               "\n"
                               "     x\n"
                               "   ```\n"
                               "2. read\n"
                               "\n"
                               "\tindented\n"
                               "\t\tcode\n"
                               "```\n"
                               "never closed\n"
                               "``";
    static const char *const sources[] = {"make\n\tcheck   \n\n  x\n",
                                          "never closed\n``"};

    (void) state;
    add(document, text, sizeof text - 1);
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, 60);
    assert_string_equal(
        lines_of(document),
        "  1. run\n"
        "     sh                               [1] y1 copies, o pages\n"
        "     make\n"
        "             check   \n"
        "\n"
        "       x\n"
        "  2. read\n"
        "\n"
        "     indented code\n"
        "\n"
        "                                      [2] y2 copies, o pages\n"
        "never closed\n"
        "``\n");
    assert_int_equal(document_code_count(document), 2);
    for (size_t i = 0; i < 2; i++) {
        struct document_code code = document_code(document, i + 1);

        assert_int_equal(code.length, strlen(sources[i]));
        assert_memory_equal(code.text, sources[i], code.length);
        assert_int_equal(code.open, i == 1);
    }
    document_close(document);
}

static void
labels_give_way_to_narrow_panes(void **state)
{
    (void) state;
    markdown(97, "```c\n```",
             "c                                                 "
             "              [1] y1 copies the source, o pages\n");
    markdown(30, "```a_long_label_for_code here\n```",
             "a_long_label_for_code here [1]\n");
    markdown(12, "```a_long_label_for_code here\n```", "a_long_l [1]\n");
}

static void
labels_are_not_longer_than_anybody_reads(void **state)
{
    struct buffer text = {0};

    (void) state;
    add_times(&text, "```a", 1);
    add_times(&text, "é", 1000);
    struct document *document = laid_out_at(&text, 100, 40);

    assert_int_equal(document_code_count(document), 1);
    assert_int_equal(strlen(document_code(document, 1).label), 199);
    assert_true(document_code(document, 1).open);
    document_close(document);
    buffer_release(&text);
}

/* While text comes, what may still become something else waits. */
static void
the_open_end_is_shown_as_far_as_it_is_decided(void **state)
{
    static const struct {
        const char *text, *shown;
    } steps[] = {
        {"Three:\n", "Three:\n"},
        {"-", "Three:\n"}, // not a heading
        {" one\n", "Three:\n  - one\n"},
        {"\n``", "Three:\n  - one\n"},
        {"`c", "Three:\n  - one\n\nc                          [1]\n"},
        {"\nx\n``", "Three:\n  - one\n\nc                          [1]\nx\n"},
        {"`\n| a | b", "Three:\n  - one\n\nc                          [1]\nx\n"
                       "\n[table, 0 rows so far]\n"},
        {" |\n|---|---|\n| 1 |", "Three:\n  - one\n\n"
                                 "c                          [1]\nx\n"
                                 "\n[table, 0 rows so far]\n"},
        {" 2 |\n", "Three:\n  - one\n\nc                          [1]\nx\n"
                   "\n[table, 1 row so far]\n"},
        {"\n.", "Three:\n  - one\n\nc                          [1]\nx\n"
                "\na  b\n-  -\n1  2\n\n.\n"},
    };
    struct document *document = opened(DOCUMENT_MARKDOWN);

    (void) state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        add(document, steps[i].text, strlen(steps[i].text));
        lay_out(document, 30);
        assert_string_equal(lines_of(document), steps[i].shown);
    }
    document_close(document);
}

/* Blocks that are closed, and which one is not. */
static void
closed_lines_end_where_text_may_still_change(void **state)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);

    (void) state;
    add(document, "one\n\ntwo", 8);
    lay_out(document, 30);
    assert_int_equal(document_lines(document), 3);
    assert_int_equal(document_closed_lines(document), 1);
    add(document, "\n\n```\na\nb", 9);
    lay_out(document, 30);
    assert_int_equal(document_lines(document), 7);
    assert_int_equal(document_closed_lines(document), 6);
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, 30);
    assert_int_equal(document_closed_lines(document), 7);
    document_close(document);
}

static void
lines_know_where_they_come_from(void **state)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);
    static const char text[] = "one two three four\n\n- item here\n\n```\nx\n";
    static const size_t sources[] = {0, 14, 20, 22, 33, 33, 37};

    (void) state;
    add(document, text, sizeof text - 1);
    lay_out(document, 14);
    assert_int_equal(document_lines(document), 7);
    for (size_t i = 0; i < 7; i++) {
        size_t source = document_line(document, i).source;

        assert_int_equal(source, sources[i]);
    }
    assert_true(document_line(document, 1).continues);
    assert_true(document_line(document, 1).blank);
    assert_int_equal(document_line(document, 6).code, 1);
    assert_true(document_line(document, 5).label);
    document_close(document);
}

/* What everybody may write, for the tests of cuts and of memory. */
static const char everything[] =
    "# Title\nPara *with* `code` $x_i$ and\nmore \033[m.\n\n"
    "| a | b |\n|---|:-:|\n| 1 | 漢 <br> |\n\n"
    "- one\n\n  two\n- three\n  ```c\n  int x;\n  ```\n\n> quote\nlazy\n\n"
    "1. a\n2) b\n\n\tcode $$\r\n\tis $$\n\n~~~~ sh\n```\n~~~\n~~~~\n"
    "Setext\n===\n[ref] e\xCC\x81 \xE2\x82 \xFF👩‍👦 \\[ \\frac12 "
    "\\]\n***\n"
    "[ref]: http://x.example\n\n[ref]: http://y.example\n"
    "```c\nint x = 1; /* if\nif */ \"s\"\n```\n```\nopen\r";

static void
any_cut_gives_the_same_lines(void **state)
{
    static char whole[8192];
    size_t length = sizeof everything - 1;

    (void) state;
    for (int kind = 0; kind < 2; kind++)
        for (size_t cut = 0; cut <= length; cut++) {
            struct document *document = opened((enum document_kind) kind);

            add(document, everything, cut);
            lay_out(document, 24);
            add(document, everything + cut, length - cut);
            if (cut % 2 == 0)
                lay_out(document, 24);
            assert_int_equal(document_finish(document, &err), STATUS_OK);
            lay_out(document, 24);
            if (cut == 0) {
                assert_true(strlen(lines_of(document)) < sizeof whole);
                strcpy(whole, lines_of(document));
            }
            assert_string_equal(lines_of(document), whole);
            document_close(document);
        }
}

/* Beyond 32 KiB of a paragraph its lines are shown as they are. */
static void
any_cut_of_a_long_paragraph_gives_the_same_lines(void **state)
{
    static const char end[] = "\n  **x** y\n \n*z*\n";
    struct buffer text = {0};

    (void) state;
    add_times(&text, "word ", 6800);
    add_times(&text, end, 1);
    struct document *whole = laid_out_at(&text, text.length, 40);
    char *wanted = strdup(lines_of(whole));

    assert_non_null(strstr(wanted, "word word\n  **x** y\n\nz\n"));
    for (size_t cut = text.length - sizeof end; cut < text.length; cut++) {
        struct document *document = laid_out_at(&text, cut, 40);

        assert_string_equal(lines_of(document), wanted);
        document_close(document);
    }
    free(wanted);
    document_close(whole);
    buffer_release(&text);
}

/* The line that goes on behind the cut at 32 KiB. */
static struct document_line
line_from(const struct document *document, size_t source)
{
    size_t i = 0;

    while (i + 1 < document_lines(document) &&
           document_line(document, i).source < source)
        i++;
    return document_line(document, i);
}

static void
a_long_paragraph_goes_on_where_it_was_cut(void **state)
{
    struct buffer words = {0}, marks = {0};

    (void) state;
    add_times(&words, "word ", 6800);
    struct document *document = laid_out_at(&words, words.length, 40);
    struct document_line line = line_from(document, 32765);

    assert_int_equal(line.source, 32765);
    assert_true(line.continues && line.blank);
    document_close(document);
    // a mark is on one side of the cut
    add_times(&marks, "a", 32765);
    add_times(&marks, "\033 b", 1);
    document = laid_out_at(&marks, marks.length, 40);
    line = line_from(document, 32765);
    assert_memory_equal(line.text, "<ESC> b", line.length);
    assert_int_equal(line.runs[0].length, 5);
    assert_int_equal(line.runs[0].look, LOOK_MARK);
    assert_true(line.continues && !line.blank);
    document_close(document);
    buffer_release(&words);
    buffer_release(&marks);
}

static void
expect_code(const struct document *document, size_t number, const char *text,
            size_t length)
{
    struct document_code code = document_code(document, number);

    assert_int_equal(code.length, length);
    assert_memory_equal(code.text, text, length);
}

/* Bytes that wait for what follows them are where a place might move. */
static void
add_lines_that_wait(struct buffer *out, const char *indent)
{
    static const char *const lines[] = {"\rx\xDC", "y\r", "z\xE6\x97",
                                        "a\xF0\x9F\rc\r\r", "d\r\xDC"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(buffer_print(out, &err, "%s%s\n", indent, lines[i]),
                         STATUS_OK);
}

static void
add_code_that_waits(struct buffer *out, const char *before, const char *indent)
{
    assert_int_equal(buffer_print(out, &err, "%s```\n", before), STATUS_OK);
    add_lines_that_wait(out, indent);
    assert_int_equal(buffer_print(out, &err, "%s```\n\n", indent), STATUS_OK);
}

static void
any_cut_of_code_keeps_its_source(void **state)
{
    struct buffer text = {0}, lines = {0};

    (void) state;
    add_lines_that_wait(&lines, "");
    add_code_that_waits(&text, "", "");
    add_code_that_waits(&text, "   ", "   ");
    add_code_that_waits(&text, "- ", "  ");
    assert_int_equal(buffer_append(&text, "```\r\n\r", 6, &err), STATUS_OK);
    for (size_t step = 1; step <= text.length; step++) {
        struct document *document = opened(DOCUMENT_MARKDOWN);

        for (size_t at = 0; at < text.length; at += step) {
            size_t left = text.length - at;

            add(document, text.data + at, left < step ? left : step);
            lay_out(document, 16);
        }
        assert_int_equal(document_finish(document, &err), STATUS_OK);
        lay_out(document, 16);
        assert_int_equal(document_code_count(document), 4);
        for (size_t i = 1; i <= 3; i++)
            expect_code(document, i, lines.data, lines.length);
        expect_code(document, 4, "\r", 1);
        document_close(document);
    }
    buffer_release(&text);
    buffer_release(&lines);
}

/* The source of the only block of code in a text. */
static void
code_alone(const char *text, const char *source)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);

    add(document, text, strlen(text));
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, 60);
    assert_int_equal(document_code_count(document), 1);
    expect_code(document, 1, source, strlen(source));
    document_close(document);
}

/* md4c makes their blanks up, and their ends. */
static void
empty_lines_of_code_are_as_they_were_typed(void **state)
{
    (void) state;
    code_alone("- ```\r\n  a\r\n\r\n  b\r\n  ```", "a\r\n\r\nb\r\n");
    code_alone("> ```\r\n> a\r\n>\r\n> b\n>\n> ```", "a\r\n\r\nb\n\n");
    code_alone("    a\r\n\r\n    b\r\n\n\nx", "a\r\n\r\nb\r\n");
    code_alone("- ~~~~~\n  \t\n  x\n  ~~~~~ ", "\t\nx\n");
    code_alone("- $x$\n  ```\r\n\r\n  \t\r\n  $x$ \r\n\n\t\n  ```\r\n",
               "\r\n\t\r\n$x$ \r\n\n  \n");
    code_alone("- ```\n \n  x\n \n   \n  ```", "\nx\n\n \n");
    code_alone("- ```\n  a ", "a ");
    code_alone("- ```\n\n  \n  ```", "\n\n");
}

/* Code of more than 32 KiB, and what ends it; the code alone, too. */
static void
add_long_code(struct buffer *out, struct buffer *code, const char *indent,
              const char *end)
{
    for (int i = 0; i < 3000; i++) {
        const char *gap = i % 50 == 0 ? "\n" : "";

        assert_int_equal(
            buffer_print(out, &err, "%s\tx = %d;\n%s", indent, i, gap),
            STATUS_OK);
        assert_int_equal(buffer_print(code, &err, "\tx = %d;\n%s", i, gap),
                         STATUS_OK);
    }
    add_times(out, end, 1);
}

static void
code_of_an_item_goes_on_where_it_was_cut(void **state)
{
    static const struct {
        const char *begin, *indent, *end;
    } kinds[] = {
        {"- one\n\n  ```c\n", "  ", "  ```\n- two\n\n**b** ```\n"},
        {"1. a\n   - ~~~c\n", "     ", "     ~~~~\n2. two\n\n**b** ```\n"},
        {"- ```c\n", "  ", "- two\n\n**b** ```\n"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct buffer text = {0}, code = {0};

        add_times(&text, kinds[i].begin, 1);
        add_long_code(&text, &code, kinds[i].indent, kinds[i].end);
        struct document *whole = laid_out_at(&text, text.length, 60);
        char *wanted = strdup(lines_of(whole));

        assert_int_equal(document_code_count(whole), 1);
        expect_code(whole, 1, code.data, code.length);
        assert_false(document_code(whole, 1).open);
        assert_non_null(strstr(wanted, "two\n\nb ```\n"));
        for (size_t at = 32700; at < text.length; at += at % 7000 + 9) {
            struct document *document = laid_out_at(&text, at, 60);

            assert_string_equal(lines_of(document), wanted);
            expect_code(document, 1, code.data, code.length);
            document_close(document);
        }
        free(wanted);
        document_close(whole);
        buffer_release(&text);
        buffer_release(&code);
    }
}

/* The addresses of links stand behind a block while it is read. */
static void
addresses_are_not_of_the_code_before_them(void **state)
{
    (void) state;
    markdown(40, "[a]: http://x\n\n- [a]\n  ```\n  b\n",
             "  - a <http://x>\n"
             "                                     [1]\n"
             "    b\n");
}

static void
code_with_formulas_keeps_its_lines(void **state)
{
    (void) state;
    code_alone("    echo $$\n    kill $$\n", "echo $$\nkill $$\n");
    code_alone("1. Do $x_1$:\n\n       echo $$\n       kill $$",
               "echo $$\nkill $$");
    code_alone("    a \\( b\n    c \\) $d\\\n    e$",
               "a \\( b\nc \\) $d\\\ne$");
    code_alone("$x_1$\n\n    " PLACEHOLDER "<br>\n", PLACEHOLDER "<br>\n");
    code_alone("- ```\n  1. ```\n  echo $$\n  ``` no\n  kill $$\n  ```",
               "1. ```\necho $$\n``` no\nkill $$\n");
}

/* Of each byte of the lines a letter for its look. */
static const char *
looks_of(const struct document *document)
{
    static char out[4096];
    size_t n = 0;

    for (size_t i = 0; i < document_lines(document); i++) {
        struct document_line line = document_line(document, i);

        for (size_t k = 0; k < line.run_count; k++)
            for (size_t b = 0; b < line.runs[k].length; b++)
                out[n++] = (char) ('A' + line.runs[k].look);
        out[n++] = '\n';
        assert_true(n < sizeof out - 200);
    }
    out[n] = '\0';
    return out;
}

/* Words cut by the edge, a comment over lines, a line too long for colours. */
static void
any_cut_of_code_gives_the_same_looks(void **state)
{
    static char text[2048], whole[4096];
    size_t length = (size_t) snprintf(
        text, sizeof text,
        "```c\nstatic void name(int whiles, char *whil) { while (1) x = 'a'; "
        "}\n/* if\nif */ return \"if\";\n%01200d /*\nint x;\n```\n- a\n\n"
        "  ```py\n  \"\"\"if\n  if\"\"\" if 10\n  ```\n",
        0);

    (void) state;
    for (size_t cut = 0; cut <= length; cut++) {
        struct document *document = opened(DOCUMENT_MARKDOWN);

        // a word may end at the cut, and go on behind it
        for (size_t from = cut > 9 ? cut - 9 : 0; from < cut; from++) {
            add(document, text + document_source(document)->length,
                from - document_source(document)->length);
            lay_out(document, 16);
        }
        size_t done = document_source(document)->length;

        add(document, text + done, length - done);
        assert_int_equal(document_finish(document, &err), STATUS_OK);
        lay_out(document, 16);
        if (cut == 0)
            strcpy(whole, looks_of(document));
        assert_string_equal(looks_of(document), whole);
        document_close(document);
    }
    assert_non_null(strchr(whole, 'A' + LOOK_CODE_WORD));
    assert_non_null(strchr(whole, 'A' + LOOK_CODE_STRING));
    assert_non_null(strchr(whole, 'A' + LOOK_CODE_NUMBER));
    assert_non_null(strchr(whole, 'A' + LOOK_CODE_COMMENT));
}

static bool
play_without_memory(struct document *document)
{
    bool ok = true;

    for (size_t i = 0; i < sizeof everything - 1; i += 100) {
        size_t left = sizeof everything - 1 - i;

        ok &= document_append(document, everything + i, left < 100 ? left : 100,
                              &err) == STATUS_OK;
        ok &= document_layout(document, 24, &err) == STATUS_OK;
    }
    ok &= document_finish(document, &err) == STATUS_OK;
    return (document_layout(document, 24, &err) == STATUS_OK) & ok;
}

static void
memory_that_is_short_loses_nothing(void **state)
{
    unsigned long n, failed = 0;
    bool ok = false;

    (void) state;
    for (n = 1; !ok && n < 5000; n++) {
        struct document *document, *again = opened(DOCUMENT_MARKDOWN);

        document = opened(DOCUMENT_MARKDOWN);
        fault_arm(n);
        ok = play_without_memory(document);
        fault_arm(0);
        failed += !ok;
        // whatever was taken is laid out as if nothing had happened
        const struct buffer *source = document_source(document);

        add(again, source->data ? source->data : "", source->length);
        assert_int_equal(document_finish(again, &err), STATUS_OK);
        assert_int_equal(document_finish(document, &err), STATUS_OK);
        lay_out(document, 24);
        lay_out(again, 24);
        char *wanted = strdup(lines_of(again));

        assert_string_equal(lines_of(document), wanted);
        free(wanted);
        document_close(document);
        document_close(again);
    }
    assert_true(ok && failed > 50);
}

/* How much work a text of n times this unit is. */
static struct document_work
work_for(const char *unit, size_t times, bool streamed)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);
    size_t length = strlen(unit);

    for (size_t i = 0; i < times; i++) {
        add(document, unit, length);
        if (streamed && i % 8 == 0)
            lay_out(document, 40);
    }
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, 40);
    struct document_work work = document_work(document);

    document_close(document);
    return work;
}

/*
 * Hostile texts are given to the parser once, in blocks of bounded length;
 * while they come, only their open end is laid out again.
 */
static void
work_grows_with_the_length_of_the_text(void **state)
{
    static const char *const units[] = {
        "a ",       "*",        "[",         "$",     "\\(",
        "`x``y",    "| ",       "- ",        "> ",    "1. a ",
        "\n```c\n", "<br>",     "~~~\n",     "_*a",   "|-|-\n",
        "a|b\n",    "[a]: b\n", "[a]\n\n",   "![x](", "\n\n- a\n",
        "&amp;",    "http://",  "e\xCC\x81", "漢",    "\033[m",
    };

    (void) state;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t times = 200000 / strlen(units[i]);
        struct document_work work = work_for(units[i], times, false);
        size_t length = times * strlen(units[i]);

        // marks of the sanitiser and placeholders are longer than their text
        assert_in_range(work.parsed_bytes, 0, 8 * length + 100000);
        assert_in_range(work.laid_bytes, 0, 8 * length + 100000);
    }
    struct document_work short_code = work_for("x = y;\n", 1000, true);
    struct document_work fenced = work_for("```\nx = y;\n\n", 20000, true);
    struct document_work prose =
        work_for("a few words, ended\n\n", 20000, true);

    assert_true(short_code.laid_bytes < 8000u * 1000);
    assert_true(fenced.laid_bytes < 3 * 20000u * 13);
    assert_true(prose.laid_bytes < 3 * 20000u * 20);
}

/* What takes no room ends its row, too, and so do blanks beyond its edge. */
static void
rows_are_not_longer_than_their_columns_allow(void **state)
{
    static const char *const units[] = {
        "e\xCC\x81\xCC\x81\xCC\x81", "\xE2\x80\x8B", " ", "\t", "\xCC\x81 ",
    };
    struct buffer text = {0};

    (void) state;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct document *streamed = opened(DOCUMENT_PLAIN);
        struct document *whole = opened(DOCUMENT_PLAIN);

        buffer_clear(&text);
        add_times(&text, "x", 1);
        add_times(&text, units[i], 100000 / strlen(units[i]));
        add_times(&text, "y z", 1);
        for (size_t at = 0; at < text.length; at += 1000) {
            size_t left = text.length - at;

            add(streamed, text.data + at, left < 1000 ? left : 1000);
            lay_out(streamed, 40);
        }
        assert_true(document_work(streamed).laid_bytes < 500000);
        add(whole, text.data, text.length);
        lay_out(whole, 40);
        char *wanted = strdup(lines_of(whole));

        assert_string_equal(lines_of(streamed), wanted);
        for (size_t k = 0; k < document_lines(whole); k++)
            assert_true(document_line(whole, k).columns <= 40);
        free(wanted);
        document_close(streamed);
        document_close(whole);
    }
    expect(DOCUMENT_PLAIN, 10, "x                             y\n", "x\ny\n");
    buffer_release(&text);
}

/* Bytes of lines for a byte of the text, which is wiped. */
static size_t
growth_of(struct buffer *text)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);

    add(document, text->data, text->length);
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, 40);
    size_t growth = strlen(lines_of(document)) / text->length;

    document_close(document);
    buffer_clear(text);
    return growth;
}

/* What is written once and shown often is not shown whole each time. */
static void
lines_stay_in_proportion_to_the_text(void **state)
{
    struct buffer text = {0};

    (void) state;
    add_times(&text, "|h", 1);
    add_times(&text, "\xCC\x81", 5000);
    add_times(&text, "|what is too wide for a table of columns|\n|-|-|\n", 1);
    add_times(&text, "|1|\n", 4000);
    assert_in_range(growth_of(&text), 4, 60);
    add_times(&text, "[a]: http://", 1);
    add_times(&text, "x", 2000);
    add_times(&text, "\n", 1);
    add_times(&text, "[a]", 4000);
    assert_in_range(growth_of(&text), 0, 2);
    buffer_release(&text);
}

static void
a_document_at_another_width_is_another_one(void **state)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);

    (void) state;
    add(document, "one two three", 13);
    lay_out(document, 10);
    assert_string_equal(lines_of(document), "one two\nthree\n");
    lay_out(document, 20);
    assert_string_equal(lines_of(document), "one two three\n");
    add(document, " four", 5);
    lay_out(document, 10);
    assert_string_equal(lines_of(document), "one two\nthree four\n");
    document_close(document);
}

static void
in_ascii_all_of_it_is_ascii(void **state)
{
    (void) state;
    text_width_start(false, 1);
    markdown(24, "- “α” $\\alpha \\le x^2$\n\n---\n",
             "  - “α” alpha <= x^2\n\n------------------------\n");
    text_width_start(true, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_wrapped_as_it_is),
        cmocka_unit_test(code_has_a_label_and_its_exact_source),
        cmocka_unit_test(paragraphs_flow_and_breaks_stay),
        cmocka_unit_test(headings_and_rules_stand_apart),
        cmocka_unit_test(lists_nest_and_hang),
        cmocka_unit_test(quotes_have_a_bar),
        cmocka_unit_test(links_show_their_address),
        cmocka_unit_test(tables_are_aligned_by_what_is_seen),
        cmocka_unit_test(tables_that_are_too_wide_are_told),
        cmocka_unit_test(a_table_of_cells_that_nobody_wrote_is_text),
        cmocka_unit_test(a_table_may_follow_its_sentence),
        cmocka_unit_test(formulas_are_read_and_money_is_money),
        cmocka_unit_test(variables_of_a_shell_are_no_formulas),
        cmocka_unit_test(what_looks_like_code_may_be_in_formulas),
        cmocka_unit_test(placeholders_from_outside_stand_for_nothing),
        cmocka_unit_test(what_acts_on_terminals_is_shown),
        cmocka_unit_test(looks_tell_what_is_what),
        cmocka_unit_test(code_in_lists_is_code),
        cmocka_unit_test(labels_give_way_to_narrow_panes),
        cmocka_unit_test(labels_are_not_longer_than_anybody_reads),
        cmocka_unit_test(the_open_end_is_shown_as_far_as_it_is_decided),
        cmocka_unit_test(closed_lines_end_where_text_may_still_change),
        cmocka_unit_test(lines_know_where_they_come_from),
        cmocka_unit_test(any_cut_gives_the_same_lines),
        cmocka_unit_test(any_cut_of_a_long_paragraph_gives_the_same_lines),
        cmocka_unit_test(a_long_paragraph_goes_on_where_it_was_cut),
        cmocka_unit_test(any_cut_of_code_keeps_its_source),
        cmocka_unit_test(empty_lines_of_code_are_as_they_were_typed),
        cmocka_unit_test(code_of_an_item_goes_on_where_it_was_cut),
        cmocka_unit_test(addresses_are_not_of_the_code_before_them),
        cmocka_unit_test(code_with_formulas_keeps_its_lines),
        cmocka_unit_test(any_cut_of_code_gives_the_same_looks),
        cmocka_unit_test(memory_that_is_short_loses_nothing),
        cmocka_unit_test(work_grows_with_the_length_of_the_text),
        cmocka_unit_test(rows_are_not_longer_than_their_columns_allow),
        cmocka_unit_test(lines_stay_in_proportion_to_the_text),
        cmocka_unit_test(a_document_at_another_width_is_another_one),
        cmocka_unit_test(in_ascii_all_of_it_is_ascii),
    };

    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
