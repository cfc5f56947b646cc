/* Formulas as people write them, as text that people can read. */
#include "config.h"

#include "ui/text/latex.h"

#include "ui/text/latex_symbols.h"
#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <string.h>
#include <time.h>

struct formula_text {
    const char *typed, *utf8, *ascii;
};

static const struct formula_text of_answers[] = {
    {"\\alpha + \\beta \\le \\gamma", "α + β ≤ γ", "alpha + beta <= gamma"},
    {"E = mc^2", "E = mc²", "E = mc^2"},
    {"x_i^2 + y_{ij}^{n+1}", "xᵢ² + yᵢⱼⁿ⁺¹", "x_i^2 + y_{ij}^{n+1}"},
    {"a\\times b\\cdot c", "a × b · c", "a x b * c"},
    {"f(\\cdot)", "f(·)", "f(*)"},
    {"\\sum_{i=1}^{n} i^2", "∑ᵢ₌₁ⁿ i²", "sum_{i=1}^n i^2"},
    {"\\int_0^\\infty e^{-x^2}\\,dx", "∫₀^∞ e^{-x²} dx",
     "int_0^{inf} e^{-x^2} dx"},
    {"\\lim_{x \\to 0}", "lim_{x→0}", "lim_{x->0}"},
    {"f: \\mathbb{R} \\to \\mathbb{C}", "f: ℝ → ℂ", "f: R -> C"},
    {"\\mathcal{L}(\\theta)", "ℒ(θ)", "L(theta)"},
    {"\\hat{x} + \\vec{AB}", "x̂ + vec(AB)", "hat(x) + vec(AB)"},
    {"\\boxed{42}", "[ 42 ]", "[ 42 ]"},
    {"\\sin^2\\theta", "sin²θ", "sin^2 theta"},
    {"O(n \\log n)", "O(n log n)", "O(n log n)"},
    {"90^\\circ", "90°", "90^o"},
    {"f'(x)", "f′(x)", "f'(x)"},
    {"\\forall x \\in A: x \\notin D", "∀x ∈ A: x ∉ D",
     "for all x in A: x not in D"},
    {"\\binom{n}{k} \\pmod{7}", "C(n, k) (mod 7)", "C(n, k) (mod 7)"},
    {"\\text{if } x > 0 \\text{ and } y", "if x > 0 and y", "if x > 0 and y"},
    {"\\{ x \\mid \\|x\\| = 1 \\}", "{ x ∣ ‖x‖ = 1 }", "{ x | ||x|| = 1 }"},
    {"A \\xrightarrow{heat} B", "A -(heat)→ B", "A -(heat)-> B"},
    {"1{,}000 \\$ = 50\\%", "1,000 $ = 50%", "1,000 $ = 50%"},
    {"\\not= \\quad \\left. x \\right|", "≠   x |", "not =   x |"},
};

static const struct formula_text fractions_and_roots[] = {
    {"\\frac{a}{b} + \\frac{a+b}{2c}", "a/b + (a+b)/(2c)", "a/b + (a+b)/(2c)"},
    {"2\\frac{x}{y}z", "2(x/y)z", "2(x/y)z"},
    {"\\left( \\frac{1}{2} \\right)^n", "( ½ )ⁿ", "( 1/2 )^n"},
    {"\\frac12 x", "½ x", "1/2 x"},
    {"\\frac{n(n+1)}{2}", "n(n+1)/2", "n(n+1)/2"},
    {"\\frac{(a+b)(c+d)}{P(B)}", "(a+b)(c+d)/P(B)", "(a+b)(c+d)/P(B)"},
    {"\\frac{d}{dx}f = \\frac{\\partial f}{\\partial x}", "(d/dx)f = ∂f/∂x",
     "(d/dx)f = df/dx"},
    {"x = \\frac{-b \\pm \\sqrt{b^2-4ac}}{2a}", "x = (-b ± √(b²-4ac))/(2a)",
     "x = (-b +- sqrt(b^2-4ac))/(2a)"},
    {"\\sqrt{x} + \\sqrt[3]{8} + \\sqrt[n]{16}", "√x + ∛8 + ⁿ√16",
     "sqrt(x) + root(3, 8) + root(n, 16)"},
};

/* Rows become lines only where a formula stands on its own. */
static const struct formula_text in_a_line[] = {
    {"\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}", "(a, b; c, d)",
     "(a, b; c, d)"},
    {"\\begin{cases} 1 & x>0 \\\\ 0 & x = 0 \\end{cases}", "{1, x>0; 0, x = 0",
     "{1, x>0; 0, x = 0"},
    {"x = 1 \\\\ y = 2", "x = 1; y = 2", "x = 1; y = 2"},
};

static const struct formula_text on_display[] = {
    {"A = \\begin{bmatrix} 1 & 2 \\\\ 3 & 400 \\\\ 5 & 6 \\end{bmatrix}, B",
     "    ⎡ 1   2  ⎤\n"
     "A = ⎢ 3  400 ⎥, B\n"
     "    ⎣ 5   6  ⎦",
     "    [ 1   2  ]\n"
     "A = [ 3  400 ], B\n"
     "    [ 5   6  ]"},
    {"|x| = \\begin{cases} x & \\text{if } x \\ge 0 \\\\ -x & "
     "\\text{otherwise} \\end{cases}",
     "|x| = ⎧ x   if x ≥ 0\n"
     "      ⎩ -x  otherwise",
     "|x| = { x   if x >= 0\n"
     "      { -x  otherwise"},
    {"\\begin{align*} (x+1)^2 &= x^2 + 2x + 1 \\\\[4pt] &= y \\end{align*}",
     "(x+1)² = x² + 2x + 1\n"
     "       = y",
     "(x+1)^2 = x^2 + 2x + 1\n"
     "        = y"},
    {"\\left(\\begin{array}{cc} 1 & 0 \\\\ 0 & 1 \\end{array}\\right)^T",
     "⎛ 1  0 ⎞ᵀ\n"
     "⎝ 0  1 ⎠",
     "( 1  0 )^T\n"
     "( 0  1 )"},
    {"x = 1 \\\\ y = 2", "x = 1\ny = 2", "x = 1\ny = 2"},
};

static void
expect_one(const char *typed, bool display, bool utf8, const char *wanted)
{
    struct buffer out = {0};
    struct error err;
    bool understood;

    text_width_start(utf8, 1);
    assert_int_equal(
        latex_write(&out, typed, strlen(typed), display, &understood, &err),
        STATUS_OK);
    assert_true(understood);
    assert_string_equal(out.data, wanted);
    buffer_release(&out);
}

static void
expect_all(const struct formula_text *texts, size_t count, bool display)
{
    for (size_t i = 0; i < count; i++) {
        expect_one(texts[i].typed, display, true, texts[i].utf8);
        expect_one(texts[i].typed, display, false, texts[i].ascii);
    }
}
#define EXPECT_ALL(texts, display)                                             \
    expect_all(texts, sizeof(texts) / sizeof(texts)[0], display)

static void
formulas_of_answers_can_be_read(void **state)
{
    (void) state;
    EXPECT_ALL(of_answers, false);
}

static void
fractions_say_what_is_divided_by_what(void **state)
{
    (void) state;
    EXPECT_ALL(fractions_and_roots, false);
}

static void
rows_share_a_line_inside_of_text(void **state)
{
    (void) state;
    EXPECT_ALL(in_a_line, false);
}

static void
rows_stand_below_each_other_on_display(void **state)
{
    (void) state;
    EXPECT_ALL(on_display, true);
}

static void
what_is_not_known_stays_as_it_was_typed(void **state)
{
    (void) state;
    expect_one("\\unknown{x} \\foo", false, true, "\\unknown{x} \\foo");
    expect_one("漢 \\", false, true, "漢 \\");
}

static void
formulas_that_do_not_match_are_none(void **state)
{
    static const char *const broken[] = {
        "{a",
        "a}",
        "\\frac{a",
        "\\begin{pmatrix} a",
        "\\begin{nothing} a",
        "a \\end{pmatrix}",
        "",
        "   ",
        "x^{{{",
        "\\text{",
        "\\left",
    };
    struct buffer out = {0};
    struct error err;
    bool understood;

    (void) state;
    for (size_t i = 0; i + 1 < sizeof broken / sizeof broken[0]; i++) {
        assert_int_equal(latex_write(&out, broken[i], strlen(broken[i]), true,
                                     &understood, &err),
                         STATUS_OK);
        if (strcmp(broken[i], "\\text{") != 0)
            assert_false(understood);
    }
}

/* Depth and height are bounded: what goes beyond is shown as typed. */
static void
hostile_formulas_end(void **state)
{
    static char deep[200001], rows[50000] = "\\begin{matrix}";
    struct buffer out = {0};
    struct error err;
    bool understood;

    (void) state;
    memset(deep, '{', 100000);
    memset(deep + 100000, '}', 100000);
    assert_int_equal(latex_write(&out, deep, 200000, true, &understood, &err),
                     STATUS_OK);
    assert_false(understood);
    for (size_t i = 0; i < 10000; i++)
        memcpy(rows + strlen("\\begin{matrix}") + 3 * i, "a\\\\", 4);
    strcat(rows, "\\end{matrix}");
    assert_int_equal(
        latex_write(&out, rows, strlen(rows), true, &understood, &err),
        STATUS_OK);
    assert_true(understood);
    buffer_release(&out);
}

/* Time grows with their number: were it the square of it, tens of seconds. */
static void
many_matrices_stand_beside_each_other_soon(void **state)
{
    static const char matrix[] = "\\begin{pmatrix}漢\\\\漢\\end{pmatrix}";
    struct buffer in = {0}, out = {0};
    struct error err;
    bool understood;
    clock_t begin = clock();

    (void) state;
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(buffer_append(&in, matrix, sizeof matrix - 1, &err),
                         STATUS_OK);
    assert_int_equal(
        latex_write(&out, in.data, in.length, true, &understood, &err),
        STATUS_OK);
    assert_true(understood);
    assert_true((clock() - begin) / CLOCKS_PER_SEC < 5);
    buffer_release(&in);
    buffer_release(&out);
}

static void
symbols_are_sorted_and_ascii_where_they_must(void **state)
{
    size_t count;
    const struct latex_symbol *symbols = latex_symbols(&count);

    (void) state;
    for (size_t i = 0; i < count; i++) {
        const char *name = symbols[i].name;

        assert_ptr_equal(latex_symbol_find(name, strlen(name)), &symbols[i]);
        assert_true(i == 0 || strcmp(symbols[i - 1].name, name) < 0);
        for (const char *c = symbols[i].ascii; *c != '\0'; c++)
            assert_true(*c >= ' ' && *c < 0x7F);
    }
}

static void
memory_that_is_short_shows_as_that(void **state)
{
    static const char typed[] =
        "\\frac{\\sqrt{x}}{\\hat{y}} = \\begin{pmatrix} \\mathbb{R} & "
        "\\xrightarrow{f} \\\\ \\not\\in & \\boxed{1} \\end{pmatrix}^2";
    unsigned long n, failed = 0;
    struct error err;

    (void) state;
    for (n = 1; n < 1000; n++) {
        struct buffer out = {0};
        bool understood;

        fault_arm(n);
        enum status status =
            latex_write(&out, typed, sizeof typed - 1, true, &understood, &err);
        fault_arm(0);
        buffer_release(&out);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        failed++;
    }
    assert_true(failed > 10 && n < 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_of_answers_can_be_read),
        cmocka_unit_test(fractions_say_what_is_divided_by_what),
        cmocka_unit_test(rows_share_a_line_inside_of_text),
        cmocka_unit_test(rows_stand_below_each_other_on_display),
        cmocka_unit_test(what_is_not_known_stays_as_it_was_typed),
        cmocka_unit_test(formulas_that_do_not_match_are_none),
        cmocka_unit_test(hostile_formulas_end),
        cmocka_unit_test(many_matrices_stand_beside_each_other_soon),
        cmocka_unit_test(symbols_are_sorted_and_ascii_where_they_must),
        cmocka_unit_test(memory_that_is_short_shows_as_that),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
