/*
 * A descent over the formula that writes as it goes. Arguments are written
 * apart first, since their look depends on what they are.
 */
#include "config.h"

#include "ui/text/latex.h"

#include "ui/text/latex_grid.h"
#include "ui/text/latex_symbols.h"
#include "ui/text/text_width.h"

#include <ctype.h>
#include <string.h>

enum {
    DEPTH_MOST = 32,
    ROWS_MOST = 48, // of what is shown on several lines
    NAME_MOST = 32,
};

/* What a part of a formula ended with. */
enum stop { STOP_END, STOP_BRACE, STOP_CELL, STOP_ROW, STOP_ENVIRONMENT };

struct writer {
    const char *in;
    size_t at, length;
    unsigned depth;
    unsigned scripts; // raised or lowered text around
    bool ascii;
    bool failed;             // the formula is none
    bool trailing_blank;     // the last blank was put behind an operator
    char left;               // bracket that waits for its matrix
    struct latex_grid *grid; // of the lines, or NULL: one line
    struct buffer *top;      // what goes into the grid
    struct error *err;
};

static enum status write_part(struct writer *w, struct buffer *out,
                              enum stop *stop);
static enum status write_argument(struct writer *w, struct buffer *out);
static enum status write_group(struct writer *w, struct buffer *out);

static char
peek(const struct writer *w, size_t ahead)
{
    return w->at + ahead < w->length ? w->in[w->at + ahead] : '\0';
}

static char
last_of(const struct buffer *out)
{
    return out->length > 0 ? out->data[out->length - 1] : '\0';
}

static bool
is_letter(char c)
{
    return isalnum((unsigned char) c) || (unsigned char) c >= 0x80;
}

static void
skip_blanks(struct writer *w)
{
    while (w->at < w->length && isspace((unsigned char) w->in[w->at]))
        w->at++;
}

static enum status
put(struct writer *w, struct buffer *out, const char *string)
{
    w->trailing_blank = false;
    return buffer_append(out, string, strlen(string), w->err);
}

static enum status
put_buffer(struct writer *w, struct buffer *out, const struct buffer *from)
{
    w->trailing_blank = false;
    return from->length > 0
               ? buffer_append(out, from->data, from->length, w->err)
               : STATUS_OK;
}

static enum status
put_code_point(struct writer *w, struct buffer *out, uint32_t c)
{
    char bytes[4];

    w->trailing_blank = false;
    return buffer_append(out, bytes, utf8_write(bytes, c), w->err);
}

/* One blank, where text stands before it. */
static enum status
put_blank(struct writer *w, struct buffer *out)
{
    if (out->length == 0 || last_of(out) == ' ')
        return STATUS_OK;
    return put(w, out, " ");
}

static enum status
put_operator(struct writer *w, struct buffer *out, const char *shown)
{
    if (w->scripts > 0)
        return put(w, out, shown);
    if (last_of(out) != '(')
        TRY(put_blank(w, out));
    TRY(put(w, out, shown));
    TRY(put_blank(w, out));
    w->trailing_blank = true;
    return STATUS_OK;
}

static bool
at_word(const struct writer *w, const char *word)
{
    size_t length = strlen(word);

    return w->length - w->at >= length &&
           memcmp(w->in + w->at, word, length) == 0;
}

/* Does a bracket open here, which needs no blank before it? */
static bool
opens_bracket(const struct writer *w)
{
    return at_word(w, "\\left") || at_word(w, "\\big");
}

static enum status
put_name(struct writer *w, struct buffer *out, const char *shown)
{
    if (is_letter(last_of(out)) || last_of(out) == ')')
        TRY(put_blank(w, out));
    TRY(put(w, out, shown));
    if (is_letter(peek(w, 0)) || (peek(w, 0) == '\\' && !opens_bracket(w) &&
                                  isalpha((unsigned char) peek(w, 1))))
        return put_blank(w, out);
    return STATUS_OK;
}

static size_t
code_points(const struct buffer *text)
{
    size_t count = 0;

    for (size_t i = 0; i < text->length; i++)
        count += ((unsigned char) text->data[i] & 0xC0) != 0x80;
    return count;
}

/* All of the text raised or lowered; false where a form is missing. */
static bool
all_have_form(const struct buffer *text, uint32_t (*form)(uint32_t))
{
    uint32_t c;
    bool valid;

    for (size_t i = 0; i < text->length;) {
        i += utf8_next(text->data + i, text->length - i, &c, &valid);
        if (form(c) == 0)
            return false;
    }
    return text->length > 0;
}

static enum status
put_forms(struct writer *w, struct buffer *out, const struct buffer *text,
          uint32_t (*form)(uint32_t))
{
    uint32_t c;
    bool valid;

    for (size_t i = 0; i < text->length;) {
        i += utf8_next(text->data + i, text->length - i, &c, &valid);
        TRY(put_code_point(w, out, form(c)));
    }
    return STATUS_OK;
}

static enum status
put_script(struct writer *w, struct buffer *out, const struct buffer *text,
           bool raised)
{
    uint32_t (*form)(uint32_t) = raised ? latex_raised : latex_lowered;

    if (!w->ascii && all_have_form(text, form))
        return put_forms(w, out, text, form);
    TRY(put(w, out, raised ? "^" : "_"));
    if (code_points(text) == 1)
        return put_buffer(w, out, text);
    TRY(put(w, out, "{"));
    TRY(put_buffer(w, out, text));
    return put(w, out, "}");
}

static enum status
write_script(struct writer *w, struct buffer *out, bool raised)
{
    struct buffer text = {0};

    // a blank of ours between a sign and its limits says nothing
    while (w->trailing_blank && last_of(out) == ' ')
        out->data[--out->length] = '\0';
    w->scripts++;
    enum status status = write_argument(w, &text);

    w->scripts--;
    if (status == STATUS_OK)
        status = put_script(w, out, &text, raised);
    buffer_release(&text);
    return status;
}

/* Text that can stand before a slash: no operators outside of brackets. */
static bool
is_simple(const struct buffer *text)
{
    int open = 0;

    for (size_t i = 0; i < text->length; i++) {
        char c = text->data[i];

        open += (c == '(') - (c == ')');
        if (c == ' ' || (open == 0 && strchr("+-*/=<>,;|", c) != NULL))
            return false;
    }
    return text->length > 0;
}

/* A letter or sign, with what is raised or lowered beside it. */
static bool
is_one_letter(const struct buffer *text)
{
    uint32_t c;
    bool valid;
    size_t at = utf8_next(text->data, text->length, &c, &valid);

    while (at < text->length) {
        at += utf8_next(text->data + at, text->length - at, &c, &valid);
        bool raised = (c >= 0x2070 && c < 0x20A0) || c == 0xB2 || c == 0xB3 ||
                      c == 0xB9 || (c >= 0x1D2C && c < 0x1D80);

        if (!raised && (c < 0x300 || c >= 0x370))
            return false;
    }
    return true;
}

/* "(a + b)" as a whole. */
static bool
is_bracketed(const struct buffer *text)
{
    size_t open = 0;

    if (text->length == 0 || text->data[0] != '(')
        return false;
    for (size_t i = 0; i < text->length; i++) {
        open += text->data[i] == '(';
        open -= text->data[i] == ')';
        if (open == 0)
            return i + 1 == text->length;
    }
    return false;
}

/* "f(x)" */
static bool
is_call(const struct buffer *text)
{
    struct buffer rest = {text->data + 1, text->length - 1, 0};

    return isalpha((unsigned char) text->data[0]) && is_bracketed(&rest);
}

/* Text that can stand behind a slash: a number, a letter, a word, dx. */
static bool
is_divisor(const struct buffer *text)
{
    size_t digits = 0, letters = 0;

    if (!is_simple(text))
        return false;
    for (size_t i = 0; i < text->length; i++) {
        digits += isdigit((unsigned char) text->data[i]) != 0;
        letters += isalpha((unsigned char) text->data[i]) != 0;
    }
    return digits == text->length || is_one_letter(text) || is_call(text) ||
           (letters == text->length && letters > 2) || text->data[0] == 'd' ||
           strncmp(text->data, "∂", 3) == 0;
}

static enum status
put_bracketed(struct writer *w, struct buffer *out, const struct buffer *text,
              bool bare)
{
    bare = bare || is_bracketed(text);
    if (!bare)
        TRY(put(w, out, "("));
    TRY(put_buffer(w, out, text));
    return bare ? STATUS_OK : put(w, out, ")");
}

static const char *
vulgar_fraction(const struct buffer *over, const struct buffer *under)
{
    static const char *const fractions[][3] = {
        {"1", "2", "½"}, {"1", "3", "⅓"}, {"2", "3", "⅔"}, {"1", "4", "¼"},
        {"3", "4", "¾"}, {"1", "5", "⅕"}, {"1", "6", "⅙"}, {"1", "8", "⅛"},
    };

    if (over->length != 1 || under->length != 1)
        return NULL;
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++)
        if (fractions[i][0][0] == over->data[0] &&
            fractions[i][1][0] == under->data[0])
            return fractions[i][2];
    return NULL;
}

static enum status
put_fraction(struct writer *w, struct buffer *out, const struct buffer *over,
             const struct buffer *under)
{
    const char *vulgar = w->ascii ? NULL : vulgar_fraction(over, under);
    char next = peek(w, 0);
    // beside letters it would not be clear what is divided
    bool tight = is_letter(last_of(out)) || last_of(out) == ')' ||
                 is_letter(next) || next == '(' || next == '^' ||
                 (next == '\\' && isalpha((unsigned char) peek(w, 1)));

    if (vulgar != NULL)
        return put(w, out, vulgar);
    if (tight)
        TRY(put(w, out, "("));
    TRY(put_bracketed(w, out, over, is_simple(over)));
    TRY(put(w, out, "/"));
    TRY(put_bracketed(w, out, under, is_divisor(under)));
    return tight ? put(w, out, ")") : STATUS_OK;
}

typedef enum status (*put_two_fn)(struct writer *w, struct buffer *out,
                                  const struct buffer *one,
                                  const struct buffer *two);

static enum status
write_two(struct writer *w, struct buffer *out, put_two_fn put_two)
{
    struct buffer one = {0}, two = {0};
    unsigned scripts = w->scripts;

    w->scripts = 0;
    enum status status = write_argument(w, &one);

    if (status == STATUS_OK)
        status = write_argument(w, &two);
    w->scripts = scripts;
    if (status == STATUS_OK)
        status = put_two(w, out, &one, &two);
    buffer_release(&one);
    buffer_release(&two);
    return status;
}

static enum status
put_choose(struct writer *w, struct buffer *out, const struct buffer *one,
           const struct buffer *two)
{
    TRY(put(w, out, "C("));
    TRY(put_buffer(w, out, one));
    TRY(put(w, out, ", "));
    TRY(put_buffer(w, out, two));
    return put(w, out, ")");
}

static enum status
put_above(struct writer *w, struct buffer *out, const struct buffer *one,
          const struct buffer *two)
{
    TRY(put_buffer(w, out, two));
    return put_script(w, out, one, true);
}

static enum status
put_below(struct writer *w, struct buffer *out, const struct buffer *one,
          const struct buffer *two)
{
    TRY(put_buffer(w, out, two));
    return put_script(w, out, one, false);
}

static enum status
put_second(struct writer *w, struct buffer *out, const struct buffer *one,
           const struct buffer *two)
{
    (void) one;
    return put_buffer(w, out, two);
}

/* What stands in brackets behind a command, "[3]"; or nothing. */
static enum status
write_option(struct writer *w, struct buffer *out)
{
    const char *end;

    if (peek(w, 0) != '[')
        return STATUS_OK;
    end = memchr(w->in + w->at, ']', w->length - w->at);
    if (end == NULL)
        return STATUS_OK;
    const char *from = w->in + w->at + 1;

    w->at = (size_t) (end - w->in) + 1;
    return buffer_append(out, from, (size_t) (end - from), w->err);
}

static enum status
put_root(struct writer *w, struct buffer *out, const struct buffer *degree,
         const struct buffer *under)
{
    size_t digits = 0;

    while (digits < under->length &&
           isdigit((unsigned char) under->data[digits]))
        digits++;
    if (w->ascii) {
        if (is_letter(last_of(out)))
            TRY(put(w, out, " "));
        TRY(put(w, out, degree->length > 0 ? "root(" : "sqrt("));
        TRY(put_buffer(w, out, degree));
        TRY(put(w, out, degree->length > 0 ? ", " : ""));
        TRY(put_buffer(w, out, under));
        return put(w, out, ")");
    }
    if (degree->length == 1 && degree->data[0] == '3')
        TRY(put(w, out, "∛"));
    else if (degree->length > 0 && all_have_form(degree, latex_raised)) {
        TRY(put_forms(w, out, degree, latex_raised));
        TRY(put(w, out, "√"));
    } else {
        TRY(put_buffer(w, out, degree));
        TRY(put(w, out, "√"));
    }
    return put_bracketed(w, out, under,
                         code_points(under) == 1 || digits == under->length);
}

static enum status
write_root(struct writer *w, struct buffer *out)
{
    struct buffer degree = {0}, under = {0};
    unsigned scripts = w->scripts;

    w->scripts = 0;
    enum status status = write_option(w, &degree);

    if (status == STATUS_OK)
        status = write_argument(w, &under);
    w->scripts = scripts;
    if (status == STATUS_OK)
        status = put_root(w, out, &degree, &under);
    buffer_release(&degree);
    buffer_release(&under);
    return status;
}

/* Signs over a letter: combining characters, or a word. */
struct accent {
    const char *name;
    uint32_t combining;
    const char *ascii;
};

static const struct accent accents[] = {
    {"hat", 0x302, "hat"},         {"widehat", 0x302, "hat"},
    {"bar", 0x304, "bar"},         {"overline", 0x305, "bar"},
    {"vec", 0x20D7, "vec"},        {"dot", 0x307, "dot"},
    {"ddot", 0x308, "ddot"},       {"tilde", 0x303, "tilde"},
    {"widetilde", 0x303, "tilde"}, {"acute", 0x301, "acute"},
    {"grave", 0x300, "grave"},     {"check", 0x30C, "check"},
    {"mathring", 0x30A, "ring"},   {"overrightarrow", 0x20D7, "vec"},
};

static enum status
put_accent(struct writer *w, struct buffer *out, const struct accent *accent,
           const struct buffer *text)
{
    if (!w->ascii && code_points(text) == 1) {
        TRY(put_buffer(w, out, text));
        return put_code_point(w, out, accent->combining);
    }
    TRY(put_name(w, out, accent->ascii));
    // put_name may have thought that letters follow
    while (last_of(out) == ' ')
        out->data[--out->length] = '\0';
    return put_bracketed(w, out, text, false);
}

static enum status
write_accent(struct writer *w, struct buffer *out, const struct accent *accent)
{
    struct buffer text = {0};
    enum status status = write_argument(w, &text);

    if (status == STATUS_OK)
        status = put_accent(w, out, accent, &text);
    buffer_release(&text);
    return status;
}

/* The argument's own bytes: words, not a formula. */
static bool
raw_argument(struct writer *w, const char **text, size_t *length)
{
    size_t open = 0, i;

    skip_blanks(w);
    if (peek(w, 0) != '{')
        return false;
    for (i = w->at; i < w->length; i++) {
        if (w->in[i] == '\\')
            i++;
        else if (w->in[i] == '{')
            open++;
        else if (w->in[i] == '}' && --open == 0)
            break;
    }
    if (i >= w->length)
        return false;
    *text = w->in + w->at + 1;
    *length = i - w->at - 1;
    w->at = i + 1;
    return true;
}

static enum status
write_words(struct writer *w, struct buffer *out)
{
    const char *text;
    size_t length;

    if (!raw_argument(w, &text, &length))
        return write_argument(w, out);
    for (size_t i = 0; i < length; i++) {
        bool escape = text[i] == '\\' && i + 1 < length &&
                      ispunct((unsigned char) text[i + 1]);

        i += escape;
        if (!escape && (text[i] == '$' || text[i] == '{' || text[i] == '}'))
            continue;
        char c = isspace((unsigned char) text[i]) ? ' ' : text[i];

        if (i > 0 || c != ' ' || last_of(out) != ' ')
            TRY(buffer_append(out, &c, 1, w->err));
    }
    w->trailing_blank = false;
    return STATUS_OK;
}

/* Letters of another alphabet: \mathbb{R}. */
static enum status
write_letters(struct writer *w, struct buffer *out, uint32_t (*form)(uint32_t))
{
    struct buffer text = {0};
    enum status status = write_argument(w, &text);
    uint32_t c;
    bool valid;

    for (size_t i = 0; i < text.length && status == STATUS_OK;) {
        i += utf8_next(text.data + i, text.length - i, &c, &valid);
        status = put_code_point(w, out, w->ascii ? c : form(c));
    }
    buffer_release(&text);
    return status;
}

static enum status
write_boxed(struct writer *w, struct buffer *out)
{
    struct buffer text = {0};
    enum status status = write_argument(w, &text);

    if (status == STATUS_OK)
        status = put(w, out, "[ ");
    if (status == STATUS_OK)
        status = put_buffer(w, out, &text);
    if (status == STATUS_OK)
        status = put(w, out, " ]");
    buffer_release(&text);
    return status;
}

/* "(mod n)", "(1)" */
static enum status
write_remark(struct writer *w, struct buffer *out, const char *before)
{
    TRY(put_blank(w, out));
    TRY(put(w, out, before));
    TRY(write_argument(w, out));
    return put(w, out, ")");
}

static enum status
write_arrow(struct writer *w, struct buffer *out, bool right)
{
    struct buffer text = {0}, arrow = {0};
    enum status status = write_option(w, &text);

    buffer_clear(&text);
    if (status == STATUS_OK)
        status = write_argument(w, &text);
    if (status == STATUS_OK)
        status = put(w, &arrow, right ? "" : w->ascii ? "<-" : "←");
    if (status == STATUS_OK && text.length > 0)
        status =
            buffer_print(&arrow, w->err, right ? "-(%s)" : "(%s)-", text.data);
    if (status == STATUS_OK && right)
        status = put(w, &arrow, w->ascii ? "->" : "→");
    if (status == STATUS_OK)
        status = put_operator(w, out, arrow.data);
    buffer_release(&text);
    buffer_release(&arrow);
    return status;
}

static enum status
write_not(struct writer *w, struct buffer *out)
{
    struct buffer text = {0};
    enum status status = write_argument(w, &text);

    while (text.length > 0 && last_of(&text) == ' ')
        text.length--;
    if (status == STATUS_OK && w->ascii)
        status = put_operator(w, out, "not");
    if (status == STATUS_OK && text.length == 1 && text.data[0] == '=')
        status = put_operator(w, out, w->ascii ? "=" : "≠");
    else if (status == STATUS_OK) {
        if (!w->ascii && text.length > 0)
            status = buffer_append(&text, "\xCC\xB8", 2, w->err);
        if (status == STATUS_OK && text.length > 0) {
            text.data[text.length] = '\0';
            status = put_operator(w, out, text.data);
        }
    }
    buffer_release(&text);
    return status;
}

/* The environments, and how their cells look. */
struct environment {
    const char *name;
    enum latex_style style;
    char left, right; // or a blank
};

static const struct environment environments[] = {
    {"matrix", LATEX_MATRIX, ' ', ' '},
    {"smallmatrix", LATEX_MATRIX, ' ', ' '},
    {"pmatrix", LATEX_MATRIX, '(', ')'},
    {"bmatrix", LATEX_MATRIX, '[', ']'},
    {"Bmatrix", LATEX_MATRIX, '{', '}'},
    {"vmatrix", LATEX_MATRIX, '|', '|'},
    {"Vmatrix", LATEX_MATRIX, '|', '|'},
    {"array", LATEX_MATRIX, ' ', ' '},
    {"cases", LATEX_CASES, '{', ' '},
    {"dcases", LATEX_CASES, '{', ' '},
    {"rcases", LATEX_CASES, ' ', '}'},
    {"aligned", LATEX_ALIGNED, ' ', ' '},
    {"align", LATEX_ALIGNED, ' ', ' '},
    {"align*", LATEX_ALIGNED, ' ', ' '},
    {"alignat", LATEX_ALIGNED, ' ', ' '},
    {"gather", LATEX_ALIGNED, ' ', ' '},
    {"gather*", LATEX_ALIGNED, ' ', ' '},
    {"gathered", LATEX_ALIGNED, ' ', ' '},
    {"split", LATEX_ALIGNED, ' ', ' '},
    {"equation", LATEX_ALIGNED, ' ', ' '},
    {"equation*", LATEX_ALIGNED, ' ', ' '},
    {"eqnarray", LATEX_ALIGNED, ' ', ' '},
    {"multline", LATEX_ALIGNED, ' ', ' '},
    {"alignedat", LATEX_ALIGNED, ' ', ' '},
};

static const struct environment *
find_environment(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof environments / sizeof environments[0]; i++)
        if (strlen(environments[i].name) == length &&
            memcmp(environments[i].name, name, length) == 0)
            return &environments[i];
    return NULL;
}

static const struct latex_sides *
sides_of(const struct writer *w, char bracket)
{
    static const struct {
        char bracket;
        struct latex_sides utf8, ascii;
    } sides[] = {
        {'(', {"(", "⎛ ", "⎜ ", "⎝ "}, {"(", "( ", "( ", "( "}},
        {')', {")", " ⎞", " ⎟", " ⎠"}, {")", " )", " )", " )"}},
        {'[', {"[", "⎡ ", "⎢ ", "⎣ "}, {"[", "[ ", "[ ", "[ "}},
        {']', {"]", " ⎤", " ⎥", " ⎦"}, {"]", " ]", " ]", " ]"}},
        {'{', {"{", "⎧ ", "⎨ ", "⎩ "}, {"{", "{ ", "{ ", "{ "}},
        {'}', {"}", " ⎫", " ⎬", " ⎭"}, {"}", " }", " }", " }"}},
        {' ', {"", "", "", ""}, {"", "", "", ""}},
    };
    static const struct latex_sides bars = {"|", "| ", "| ", "| "};
    static const struct latex_sides bars_right = {"|", " |", " |", " |"};

    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
        if (sides[i].bracket == bracket)
            return w->ascii ? &sides[i].ascii : &sides[i].utf8;
    return bracket == '|' ? &bars : &bars_right;
}

/* Cells to the end of the environment. */
static enum status
read_cells(struct writer *w, struct latex_cells *cells)
{
    enum stop stop = STOP_CELL;
    size_t row = 0, column = 0;

    while (stop != STOP_ENVIRONMENT && !w->failed) {
        struct buffer text = {0};
        enum status status = write_part(w, &text, &stop);
        // a break before the end begins no row
        bool nothing = stop == STOP_ENVIRONMENT && column == 0 &&
                       text.length == 0 && row > 0;

        if (status == STATUS_OK && !nothing)
            status = latex_cells_add(cells, &text, row, column, w->err);
        buffer_release(&text);
        if (status != STATUS_OK)
            return status;
        w->failed = w->failed || stop == STOP_END || stop == STOP_BRACE;
        column = stop == STOP_ROW ? 0 : column + 1;
        row += stop == STOP_ROW;
    }
    return STATUS_OK;
}

/* "(a, b; c, d)" */
static enum status
put_cells_in_line(struct writer *w, struct buffer *out,
                  const struct latex_cells *cells,
                  const struct environment *environment)
{
    const void *data = cells->list.data;
    const struct latex_cell *list = data;
    size_t count = cells->list.length / sizeof *list;
    const char left[] = {environment->left, '\0'};
    const char right[] = {environment->right, '\0'};
    const char *comma = environment->style == LATEX_ALIGNED ? " " : ", ";

    TRY(put(w, out, left[0] == ' ' ? "" : left));
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            TRY(put(w, out, list[i].column == 0 ? "; " : comma));
        TRY(buffer_append(out, cells->text.data + list[i].text, list[i].length,
                          w->err));
    }
    return put(w, out, right[0] == ' ' ? "" : right);
}

/* What waits in `top`, and then the cells, into the grid. */
static enum status
put_cells_in_grid(struct writer *w, const struct latex_cells *cells,
                  const struct environment *environment)
{
    struct latex_grid drawn = {0};
    char right = environment->right == '|' ? '!' : environment->right;
    enum status status = latex_grid_put(w->grid, w->top, 1, 0, w->err);

    buffer_clear(w->top);
    if (status == STATUS_OK)
        status = latex_cells_draw(cells, environment->style,
                                  sides_of(w, environment->left),
                                  sides_of(w, right), &drawn, w->err);
    if (status == STATUS_OK)
        status = latex_grid_put(
            w->grid, drawn.lines, drawn.count,
            environment->style == LATEX_ALIGNED ? 0 : (drawn.count - 1) / 2,
            w->err);
    latex_grid_release(&drawn);
    if (status == STATUS_OK)
        status = put(w, w->top, " ");
    w->trailing_blank = true;
    return status;
}

/* The bracket behind \left or \right, a blank for none; 0: no such thing. */
static char
read_bracket(const struct writer *w, size_t *at)
{
    while (*at < w->length && isspace((unsigned char) w->in[*at]))
        ++*at;
    if (*at < w->length && w->in[*at] == '\\')
        ++*at;
    if (*at >= w->length || strchr("()[]{}|.", w->in[*at]) == NULL)
        return '\0';
    char c = w->in[(*at)++];

    return c == '.' ? ' ' : c;
}

/* "\left( \begin{array}": the bracket is the environment's then. */
static bool
takes_bracket(struct writer *w)
{
    size_t at = w->at;
    char bracket = read_bracket(w, &at);
    size_t before = w->at;

    if (bracket == '\0')
        return false;
    w->at = at;
    skip_blanks(w);
    if (at_word(w, "\\begin{")) {
        w->left = bracket;
        return true;
    }
    w->at = before;
    return false;
}

/* The brackets around an environment that has none of its own. */
static void
take_brackets(struct writer *w, char left, struct environment *environment)
{
    size_t at = w->at;

    if (left == '\0')
        return;
    environment->left = left;
    while (at < w->length && isspace((unsigned char) w->in[at]))
        at++;
    if (w->length - at > 6 && memcmp(w->in + at, "\\right", 6) == 0) {
        at += 6;
        char right = read_bracket(w, &at);

        if (right != '\0') {
            environment->right = right;
            w->at = at;
        }
    }
}

static enum status
write_environment(struct writer *w, struct buffer *out)
{
    struct latex_cells cells = {0};
    const struct environment *environment = NULL;
    const char *name;
    size_t length;
    char left = w->left;

    w->left = '\0';
    if (raw_argument(w, &name, &length))
        environment = find_environment(name, length);
    // what its columns look like is up to us
    if (environment && strcmp(environment->name, "array") == 0)
        w->failed = !raw_argument(w, &name, &length);
    if (environment == NULL || w->depth >= DEPTH_MOST || w->failed) {
        w->failed = true;
        return STATUS_OK;
    }
    struct latex_grid *grid = w->grid;
    bool high = grid != NULL && out == w->top;

    w->grid = NULL;
    w->depth++;
    enum status status = read_cells(w, &cells);

    w->depth--;
    w->grid = grid;
    if (status == STATUS_OK && !w->failed && cells.text.data != NULL) {
        struct environment bracketed = *environment;

        take_brackets(w, left, &bracketed);
        environment = &bracketed;
        if (high && cells.rows > 1 && cells.rows <= ROWS_MOST &&
            cells.columns <= ROWS_MOST)
            status = put_cells_in_grid(w, &cells, environment);
        else
            status = put_cells_in_line(w, out, &cells, environment);
    }
    latex_cells_release(&cells);
    return status;
}

enum command {
    COMMAND_FRACTION,
    COMMAND_ROOT,
    COMMAND_CHOOSE,
    COMMAND_WORDS,
    COMMAND_ARGUMENT,
    COMMAND_DOUBLE,
    COMMAND_SCRIPT,
    COMMAND_BOXED,
    COMMAND_ABOVE,
    COMMAND_BELOW,
    COMMAND_SECOND,
    COMMAND_DROP,
    COMMAND_MODULO,
    COMMAND_TAG,
    COMMAND_RIGHT_ARROW,
    COMMAND_LEFT_ARROW,
    COMMAND_NOT,
    COMMAND_BEGIN,
};

static const struct {
    const char *name;
    enum command command;
} commands[] = {
    {"frac", COMMAND_FRACTION},
    {"dfrac", COMMAND_FRACTION},
    {"tfrac", COMMAND_FRACTION},
    {"cfrac", COMMAND_FRACTION},
    {"sqrt", COMMAND_ROOT},
    {"binom", COMMAND_CHOOSE},
    {"dbinom", COMMAND_CHOOSE},
    {"tbinom", COMMAND_CHOOSE},
    {"text", COMMAND_WORDS},
    {"textbf", COMMAND_WORDS},
    {"textit", COMMAND_WORDS},
    {"texttt", COMMAND_WORDS},
    {"textrm", COMMAND_WORDS},
    {"textsf", COMMAND_WORDS},
    {"mbox", COMMAND_WORDS},
    {"operatorname", COMMAND_WORDS},
    {"mathrm", COMMAND_ARGUMENT},
    {"mathbf", COMMAND_ARGUMENT},
    {"mathit", COMMAND_ARGUMENT},
    {"mathsf", COMMAND_ARGUMENT},
    {"mathtt", COMMAND_ARGUMENT},
    {"mathfrak", COMMAND_ARGUMENT},
    {"boldsymbol", COMMAND_ARGUMENT},
    {"bm", COMMAND_ARGUMENT},
    {"underline", COMMAND_ARGUMENT},
    {"underbrace", COMMAND_ARGUMENT},
    {"overbrace", COMMAND_ARGUMENT},
    {"substack", COMMAND_ARGUMENT},
    {"cancel", COMMAND_ARGUMENT},
    {"phantom", COMMAND_DROP},
    {"mathbb", COMMAND_DOUBLE},
    {"mathcal", COMMAND_SCRIPT},
    {"mathscr", COMMAND_SCRIPT},
    {"boxed", COMMAND_BOXED},
    {"fbox", COMMAND_BOXED},
    {"overset", COMMAND_ABOVE},
    {"stackrel", COMMAND_ABOVE},
    {"underset", COMMAND_BELOW},
    {"textcolor", COMMAND_SECOND},
    {"color", COMMAND_DROP},
    {"label", COMMAND_DROP},
    {"hspace", COMMAND_DROP},
    {"vspace", COMMAND_DROP},
    {"pmod", COMMAND_MODULO},
    {"tag", COMMAND_TAG},
    {"xrightarrow", COMMAND_RIGHT_ARROW},
    {"xleftarrow", COMMAND_LEFT_ARROW},
    {"not", COMMAND_NOT},
    {"begin", COMMAND_BEGIN},
};

static enum status
write_dropped(struct writer *w)
{
    struct buffer none = {0};
    enum status status = write_argument(w, &none);

    buffer_release(&none);
    return status;
}

static enum status
write_command(struct writer *w, struct buffer *out, enum command command)
{
    switch (command) {
    case COMMAND_FRACTION:
        return write_two(w, out, put_fraction);
    case COMMAND_ROOT:
        return write_root(w, out);
    case COMMAND_CHOOSE:
        return write_two(w, out, put_choose);
    case COMMAND_WORDS:
        return write_words(w, out);
    case COMMAND_ARGUMENT:
        return write_argument(w, out);
    case COMMAND_DOUBLE:
        return write_letters(w, out, latex_double);
    case COMMAND_SCRIPT:
        return write_letters(w, out, latex_script);
    case COMMAND_BOXED:
        return write_boxed(w, out);
    case COMMAND_ABOVE:
        return write_two(w, out, put_above);
    case COMMAND_BELOW:
        return write_two(w, out, put_below);
    case COMMAND_SECOND:
        return write_two(w, out, put_second);
    case COMMAND_DROP:
        return write_dropped(w);
    case COMMAND_MODULO:
        return write_remark(w, out, "(mod ");
    case COMMAND_TAG:
        return write_remark(w, out, "  (");
    case COMMAND_RIGHT_ARROW:
        return write_arrow(w, out, true);
    case COMMAND_LEFT_ARROW:
        return write_arrow(w, out, false);
    case COMMAND_NOT:
        return write_not(w, out);
    case COMMAND_BEGIN:
        break;
    }
    return write_environment(w, out);
}

static enum status
put_symbol(struct writer *w, struct buffer *out,
           const struct latex_symbol *symbol)
{
    const char *shown = w->ascii ? symbol->ascii : symbol->shown;
    bool word = w->ascii && isalpha((unsigned char) shown[0]) &&
                shown[0] != '\0' && shown[1] != '\0';

    if (symbol->kind == SYMBOL_OPERATOR)
        return put_operator(w, out, shown);
    if (symbol->kind == SYMBOL_NAME ||
        (word && w->scripts == 0 && symbol->kind == SYMBOL_LETTER))
        return put_name(w, out, shown);
    if (symbol->kind == SYMBOL_PREFIX)
        skip_blanks(w);
    return put(w, out, shown);
}

/* "\left." and "\right." are brackets that are not there. */
static void
skip_no_bracket(struct writer *w, const char *name, size_t length)
{
    bool side = (length == 4 && memcmp(name, "left", 4) == 0) ||
                (length == 5 && memcmp(name, "right", 5) == 0);

    if (side && peek(w, 0) == '.')
        w->at++;
}

/* Behind a command that is not known its braces stay, too. */
static enum status
write_typed_arguments(struct writer *w, struct buffer *out)
{
    while (peek(w, 0) == '{' && !w->failed) {
        TRY(put(w, out, "{"));
        TRY(write_group(w, out));
        TRY(put(w, out, "}"));
    }
    return STATUS_OK;
}

/* At the letters behind a backslash. */
static enum status
write_named(struct writer *w, struct buffer *out)
{
    const char *name = w->in + w->at;
    size_t length = 0;

    while (isalpha((unsigned char) peek(w, length)))
        length++;
    w->at += length;
    // a star says how to set it
    if (peek(w, 0) == '*' && length == 12)
        w->at++;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strlen(commands[i].name) == length &&
            memcmp(commands[i].name, name, length) == 0)
            return write_command(w, out, commands[i].command);
    for (size_t i = 0; i < sizeof accents / sizeof accents[0]; i++)
        if (strlen(accents[i].name) == length &&
            memcmp(accents[i].name, name, length) == 0)
            return write_accent(w, out, &accents[i]);
    const struct latex_symbol *symbol =
        length < NAME_MOST ? latex_symbol_find(name, length) : NULL;

    if (symbol != NULL) {
        if (length == 4 && memcmp(name, "left", 4) == 0 && takes_bracket(w))
            return STATUS_OK;
        skip_no_bracket(w, name, length);
        return put_symbol(w, out, symbol);
    }
    TRY(put(w, out, "\\"));
    TRY(buffer_append(out, name, length, w->err));
    return write_typed_arguments(w, out);
}

/* A backslash and a sign. */
static enum status
write_escape(struct writer *w, struct buffer *out, char c)
{
    const char text[] = {c, '\0'};

    switch (c) {
    case ',':
    case ';':
    case ':':
    case ' ':
    case '>':
        return w->scripts > 0 ? STATUS_OK : put_blank(w, out);
    case '!':
    case '-':
    case '/':
        return STATUS_OK;
    case '|':
        return put(w, out, w->ascii ? "||" : "‖");
    default:
        return put(w, out, text);
    }
}

static enum status
write_backslash(struct writer *w, struct buffer *out)
{
    w->at++;
    if (w->at == w->length)
        return put(w, out, "\\");
    if (isalpha((unsigned char) w->in[w->at]))
        return write_named(w, out);
    char c = w->in[w->at++];

    if ((unsigned char) c >= 0x80) {
        w->at--;
        return put(w, out, "\\");
    }
    return write_escape(w, out, isspace((unsigned char) c) ? ' ' : c);
}

static enum status
write_group(struct writer *w, struct buffer *out)
{
    enum stop stop;

    w->at++;
    if (++w->depth > DEPTH_MOST) {
        w->failed = true;
        return STATUS_OK;
    }
    TRY(write_part(w, out, &stop));
    w->depth--;
    w->failed = w->failed || stop != STOP_BRACE;
    return STATUS_OK;
}

static enum status
write_character(struct writer *w, struct buffer *out)
{
    uint32_t c;
    bool valid;
    size_t n = utf8_next(w->in + w->at, w->length - w->at, &c, &valid);
    const char *bytes = w->in + w->at;

    w->at += n;
    if (c == '\'' && !w->ascii)
        return put(w, out, "′");
    if (strchr(")],", (char) (c < 0x80 ? c : 'x')) != NULL &&
        w->trailing_blank && last_of(out) == ' ')
        out->data[--out->length] = '\0';
    w->trailing_blank = false;
    return buffer_append(out, bytes, n, w->err);
}

static enum status
write_argument(struct writer *w, struct buffer *out)
{
    skip_blanks(w);
    if (w->at >= w->length || peek(w, 0) == '}' || peek(w, 0) == '&')
        return STATUS_OK;
    if (peek(w, 0) == '{')
        return write_group(w, out);
    if (peek(w, 0) != '\\')
        return write_character(w, out);
    if (++w->depth > DEPTH_MOST) {
        w->failed = true;
        return STATUS_OK;
    }
    TRY(write_backslash(w, out));
    w->depth--;
    return STATUS_OK;
}

/* Whether the part ends here; what ends it is passed. */
static bool
ends_here(struct writer *w, enum stop *stop)
{
    const char *name;
    size_t length;
    char c = peek(w, 0);

    if (c == '}') {
        w->at++;
        *stop = STOP_BRACE;
    } else if (c == '&') {
        w->at++;
        *stop = STOP_CELL;
    } else if (at_word(w, "\\\\") || at_word(w, "\\cr")) {
        w->at += c == '\\' && peek(w, 1) == '\\' ? 2 : 3;
        struct buffer skip = {0};

        // "\\[2pt]"
        if (peek(w, 0) == '[' && isdigit((unsigned char) peek(w, 1)) &&
            write_option(w, &skip) != STATUS_OK)
            w->failed = true;
        buffer_release(&skip);
        *stop = STOP_ROW;
    } else if (at_word(w, "\\end{")) {
        w->at += 4;
        w->failed = w->failed || !raw_argument(w, &name, &length);
        *stop = STOP_ENVIRONMENT;
    } else {
        return false;
    }
    return true;
}

static enum status
write_token(struct writer *w, struct buffer *out)
{
    char c = peek(w, 0);

    if (isspace((unsigned char) c) || c == '~') {
        w->at++;
        return w->scripts > 0 ? STATUS_OK : put_blank(w, out);
    }
    if (c == '^' || c == '_') {
        w->at++;
        return write_script(w, out, c == '^');
    }
    if (c == '{')
        return write_group(w, out);
    if (c == '\\')
        return write_backslash(w, out);
    return write_character(w, out);
}

static enum status
write_part(struct writer *w, struct buffer *out, enum stop *stop)
{
    *stop = STOP_END;
    while (w->at < w->length && !w->failed) {
        if (ends_here(w, stop))
            return STATUS_OK;
        TRY(write_token(w, out));
    }
    return STATUS_OK;
}

/* The line that is complete, and a newline where more follow. */
static enum status
end_line(struct writer *w, struct buffer *lines, bool more)
{
    TRY(latex_grid_put(w->grid, w->top, 1, 0, w->err));
    buffer_clear(w->top);
    TRY(latex_grid_take(w->grid, lines, w->err));
    return more ? buffer_append(lines, "\n", 1, w->err) : STATUS_OK;
}

static enum status
write_lines(struct writer *w, struct buffer *lines)
{
    enum stop stop = STOP_ROW;

    while (stop != STOP_END && !w->failed) {
        TRY(write_part(w, w->top, &stop));
        w->failed = w->failed || stop == STOP_BRACE || stop == STOP_ENVIRONMENT;
        if (stop == STOP_CELL)
            continue;
        skip_blanks(w);
        TRY(end_line(w, lines, stop == STOP_ROW && w->at < w->length));
    }
    return STATUS_OK;
}

static enum status
write_one_line(struct writer *w, struct buffer *line)
{
    enum stop stop = STOP_ROW;

    while (stop != STOP_END && !w->failed) {
        TRY(write_part(w, line, &stop));
        w->failed = w->failed || stop == STOP_BRACE || stop == STOP_ENVIRONMENT;
        while (line->length > 0 && last_of(line) == ' ')
            line->data[--line->length] = '\0';
        if (stop == STOP_ROW)
            TRY(put(w, line, "; "));
    }
    while (line->length > 0 && last_of(line) == ' ')
        line->data[--line->length] = '\0';
    return STATUS_OK;
}

enum status
latex_write(struct buffer *out, const char *bytes, size_t length, bool display,
            bool *understood, struct error *err)
{
    struct latex_grid grid = {0};
    struct buffer top = {0}, lines = {0};
    struct writer w = {
        .in = bytes,
        .length = length,
        .ascii = !text_width_utf8(),
        .grid = display ? &grid : NULL,
        .top = &top,
        .err = err,
    };

    skip_blanks(&w);
    enum status status =
        display ? write_lines(&w, &lines) : write_one_line(&w, &lines);

    // too high or too wide for us: as it was typed
    if (status == STATUS_LIMIT) {
        status = STATUS_OK;
        w.failed = true;
    }
    *understood = status == STATUS_OK && !w.failed && lines.length > 0;
    if (*understood)
        status = buffer_append(out, lines.data, lines.length, err);
    latex_grid_release(&grid);
    buffer_release(&top);
    buffer_release(&lines);
    return status;
}
