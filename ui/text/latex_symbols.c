/* Symbols by name, and the forms of letters that Unicode has. */
#include "config.h"

#include "ui/text/latex_symbols.h"

#include <string.h>

// clang-format off
static const struct latex_symbol symbols[] = {
    {"Big", "", "", SYMBOL_NOTHING},
    {"Bigg", "", "", SYMBOL_NOTHING},
    {"Biggl", "", "", SYMBOL_NOTHING},
    {"Biggr", "", "", SYMBOL_NOTHING},
    {"Bigl", "", "", SYMBOL_NOTHING},
    {"Bigm", "", "", SYMBOL_NOTHING},
    {"Bigr", "", "", SYMBOL_NOTHING},
    {"Box", "□", "[]", SYMBOL_LETTER},
    {"Delta", "Δ", "Delta", SYMBOL_LETTER},
    {"Gamma", "Γ", "Gamma", SYMBOL_LETTER},
    {"Im", "ℑ", "Im", SYMBOL_LETTER},
    {"Lambda", "Λ", "Lambda", SYMBOL_LETTER},
    {"Leftarrow", "⇐", "<=", SYMBOL_OPERATOR},
    {"Leftrightarrow", "⇔", "<=>", SYMBOL_OPERATOR},
    {"Longleftrightarrow", "⟺", "<=>", SYMBOL_OPERATOR},
    {"Longrightarrow", "⟹", "==>", SYMBOL_OPERATOR},
    {"Omega", "Ω", "Omega", SYMBOL_LETTER},
    {"Phi", "Φ", "Phi", SYMBOL_LETTER},
    {"Pi", "Π", "Pi", SYMBOL_LETTER},
    {"Pr", "Pr", "Pr", SYMBOL_NAME},
    {"Psi", "Ψ", "Psi", SYMBOL_LETTER},
    {"Re", "ℜ", "Re", SYMBOL_LETTER},
    {"Rightarrow", "⇒", "=>", SYMBOL_OPERATOR},
    {"S", "§", "section ", SYMBOL_LETTER},
    {"Sigma", "Σ", "Sigma", SYMBOL_LETTER},
    {"Theta", "Θ", "Theta", SYMBOL_LETTER},
    {"Upsilon", "Υ", "Upsilon", SYMBOL_LETTER},
    {"Vert", "‖", "||", SYMBOL_LETTER},
    {"Xi", "Ξ", "Xi", SYMBOL_LETTER},
    {"aleph", "ℵ", "aleph", SYMBOL_LETTER},
    {"allowbreak", "", "", SYMBOL_NOTHING},
    {"alpha", "α", "alpha", SYMBOL_LETTER},
    {"angle", "∠", "angle ", SYMBOL_LETTER},
    {"approx", "≈", "~=", SYMBOL_OPERATOR},
    {"arccos", "arccos", "arccos", SYMBOL_NAME},
    {"arcsin", "arcsin", "arcsin", SYMBOL_NAME},
    {"arctan", "arctan", "arctan", SYMBOL_NAME},
    {"arg", "arg", "arg", SYMBOL_NAME},
    {"argmax", "argmax", "argmax", SYMBOL_NAME},
    {"argmin", "argmin", "argmin", SYMBOL_NAME},
    {"ast", "∗", "*", SYMBOL_OPERATOR},
    {"asymp", "≍", "~", SYMBOL_OPERATOR},
    {"backslash", "\\", "\\", SYMBOL_LETTER},
    {"because", "∵", "because ", SYMBOL_LETTER},
    {"beta", "β", "beta", SYMBOL_LETTER},
    {"bf", "", "", SYMBOL_NOTHING},
    {"big", "", "", SYMBOL_NOTHING},
    {"bigcap", "⋂", "intersection", SYMBOL_LETTER},
    {"bigcup", "⋃", "union", SYMBOL_LETTER},
    {"bigg", "", "", SYMBOL_NOTHING},
    {"biggl", "", "", SYMBOL_NOTHING},
    {"biggr", "", "", SYMBOL_NOTHING},
    {"bigl", "", "", SYMBOL_NOTHING},
    {"bigm", "", "", SYMBOL_NOTHING},
    {"bigoplus", "⨁", "(+)", SYMBOL_LETTER},
    {"bigotimes", "⨂", "(x)", SYMBOL_LETTER},
    {"bigr", "", "", SYMBOL_NOTHING},
    {"bigvee", "⋁", "or", SYMBOL_LETTER},
    {"bigwedge", "⋀", "and", SYMBOL_LETTER},
    {"blacksquare", "■", "[]", SYMBOL_LETTER},
    {"bmod", "mod", "mod", SYMBOL_OPERATOR},
    {"bot", "⊥", "_|_", SYMBOL_LETTER},
    {"bullet", "•", "*", SYMBOL_OPERATOR},
    {"cap", "∩", "n", SYMBOL_OPERATOR},
    {"cdot", "·", "*", SYMBOL_OPERATOR},
    {"cdotp", "·", "*", SYMBOL_LETTER},
    {"cdots", "⋯", "...", SYMBOL_LETTER},
    {"centering", "", "", SYMBOL_NOTHING},
    {"checkmark", "✓", "ok", SYMBOL_LETTER},
    {"chi", "χ", "chi", SYMBOL_LETTER},
    {"circ", "∘", "o", SYMBOL_OPERATOR},
    {"clubsuit", "♣", "clubs", SYMBOL_LETTER},
    {"colon", ":", ":", SYMBOL_LETTER},
    {"coloneqq", "≔", ":=", SYMBOL_OPERATOR},
    {"cong", "≅", "~=", SYMBOL_OPERATOR},
    {"coprod", "∐", "coprod", SYMBOL_LETTER},
    {"copyright", "©", "(c)", SYMBOL_LETTER},
    {"cos", "cos", "cos", SYMBOL_NAME},
    {"cosh", "cosh", "cosh", SYMBOL_NAME},
    {"cot", "cot", "cot", SYMBOL_NAME},
    {"coth", "coth", "coth", SYMBOL_NAME},
    {"csc", "csc", "csc", SYMBOL_NAME},
    {"cup", "∪", "u", SYMBOL_OPERATOR},
    {"dag", "†", "+", SYMBOL_LETTER},
    {"dagger", "†", "+", SYMBOL_LETTER},
    {"ddagger", "‡", "++", SYMBOL_LETTER},
    {"ddots", "⋱", "..", SYMBOL_LETTER},
    {"deg", "deg", "deg", SYMBOL_NAME},
    {"degree", "°", " deg", SYMBOL_LETTER},
    {"delta", "δ", "delta", SYMBOL_LETTER},
    {"det", "det", "det", SYMBOL_NAME},
    {"diag", "diag", "diag", SYMBOL_NAME},
    {"diamond", "⋄", "<>", SYMBOL_LETTER},
    {"diamondsuit", "♢", "diamonds", SYMBOL_LETTER},
    {"dim", "dim", "dim", SYMBOL_NAME},
    {"displaystyle", "", "", SYMBOL_NOTHING},
    {"div", "÷", "/", SYMBOL_OPERATOR},
    {"doteq", "≐", "=", SYMBOL_OPERATOR},
    {"dots", "…", "...", SYMBOL_LETTER},
    {"dotsb", "⋯", "...", SYMBOL_LETTER},
    {"dotsc", "…", "...", SYMBOL_LETTER},
    {"downarrow", "↓", "down", SYMBOL_OPERATOR},
    {"ell", "ℓ", "l", SYMBOL_LETTER},
    {"emptyset", "∅", "{}", SYMBOL_LETTER},
    {"epsilon", "ε", "epsilon", SYMBOL_LETTER},
    {"equiv", "≡", "==", SYMBOL_OPERATOR},
    {"eta", "η", "eta", SYMBOL_LETTER},
    {"euro", "€", "EUR ", SYMBOL_LETTER},
    {"exists", "∃", "exists ", SYMBOL_PREFIX},
    {"exp", "exp", "exp", SYMBOL_NAME},
    {"flat", "♭", "b", SYMBOL_LETTER},
    {"forall", "∀", "for all ", SYMBOL_PREFIX},
    {"gamma", "γ", "gamma", SYMBOL_LETTER},
    {"gcd", "gcd", "gcd", SYMBOL_NAME},
    {"ge", "≥", ">=", SYMBOL_OPERATOR},
    {"geq", "≥", ">=", SYMBOL_OPERATOR},
    {"geqslant", "≥", ">=", SYMBOL_OPERATOR},
    {"gets", "←", "<-", SYMBOL_OPERATOR},
    {"gg", "≫", ">>", SYMBOL_OPERATOR},
    {"gt", ">", ">", SYMBOL_OPERATOR},
    {"hbar", "ℏ", "hbar", SYMBOL_LETTER},
    {"heartsuit", "♡", "hearts", SYMBOL_LETTER},
    {"hfill", "", "", SYMBOL_NOTHING},
    {"hline", "", "", SYMBOL_NOTHING},
    {"hom", "hom", "hom", SYMBOL_NAME},
    {"hookrightarrow", "↪", "->", SYMBOL_OPERATOR},
    {"iff", "⟺", "<=>", SYMBOL_OPERATOR},
    {"iiint", "∭", "iiint", SYMBOL_LETTER},
    {"iint", "∬", "iint", SYMBOL_LETTER},
    {"imath", "ı", "i", SYMBOL_LETTER},
    {"impliedby", "⟸", "<==", SYMBOL_OPERATOR},
    {"implies", "⟹", "==>", SYMBOL_OPERATOR},
    {"in", "∈", "in", SYMBOL_OPERATOR},
    {"inf", "inf", "inf", SYMBOL_NAME},
    {"infty", "∞", "inf", SYMBOL_LETTER},
    {"int", "∫", "int", SYMBOL_LETTER},
    {"iota", "ι", "iota", SYMBOL_LETTER},
    {"it", "", "", SYMBOL_NOTHING},
    {"jmath", "ȷ", "j", SYMBOL_LETTER},
    {"kappa", "κ", "kappa", SYMBOL_LETTER},
    {"ker", "ker", "ker", SYMBOL_NAME},
    {"lVert", "‖", "||", SYMBOL_LETTER},
    {"lambda", "λ", "lambda", SYMBOL_LETTER},
    {"land", "∧", "and", SYMBOL_OPERATOR},
    {"langle", "⟨", "<", SYMBOL_LETTER},
    {"lbrace", "{", "{", SYMBOL_LETTER},
    {"lbrack", "[", "[", SYMBOL_LETTER},
    {"lceil", "⌈", "ceil(", SYMBOL_LETTER},
    {"lcm", "lcm", "lcm", SYMBOL_NAME},
    {"ldots", "…", "...", SYMBOL_LETTER},
    {"le", "≤", "<=", SYMBOL_OPERATOR},
    {"left", "", "", SYMBOL_NOTHING},
    {"leftarrow", "←", "<-", SYMBOL_OPERATOR},
    {"leftrightarrow", "↔", "<->", SYMBOL_OPERATOR},
    {"leq", "≤", "<=", SYMBOL_OPERATOR},
    {"leqslant", "≤", "<=", SYMBOL_OPERATOR},
    {"lfloor", "⌊", "floor(", SYMBOL_LETTER},
    {"lg", "lg", "lg", SYMBOL_NAME},
    {"lim", "lim", "lim", SYMBOL_NAME},
    {"liminf", "liminf", "liminf", SYMBOL_NAME},
    {"limits", "", "", SYMBOL_NOTHING},
    {"limsup", "limsup", "limsup", SYMBOL_NAME},
    {"ll", "≪", "<<", SYMBOL_OPERATOR},
    {"ln", "ln", "ln", SYMBOL_NAME},
    {"lnot", "¬", "not ", SYMBOL_PREFIX},
    {"log", "log", "log", SYMBOL_NAME},
    {"longleftarrow", "⟵", "<--", SYMBOL_OPERATOR},
    {"longmapsto", "⟼", "|-->", SYMBOL_OPERATOR},
    {"longrightarrow", "⟶", "-->", SYMBOL_OPERATOR},
    {"lor", "∨", "or", SYMBOL_OPERATOR},
    {"lt", "<", "<", SYMBOL_OPERATOR},
    {"lvert", "|", "|", SYMBOL_LETTER},
    {"mapsto", "↦", "|->", SYMBOL_OPERATOR},
    {"mathstrut", "", "", SYMBOL_NOTHING},
    {"max", "max", "max", SYMBOL_NAME},
    {"mid", "∣", "|", SYMBOL_OPERATOR},
    {"middle", "", "", SYMBOL_NOTHING},
    {"min", "min", "min", SYMBOL_NAME},
    {"mod", "mod", "mod", SYMBOL_NAME},
    {"models", "⊨", "|=", SYMBOL_OPERATOR},
    {"mp", "∓", "-+", SYMBOL_OPERATOR},
    {"mu", "μ", "mu", SYMBOL_LETTER},
    {"nabla", "∇", "nabla", SYMBOL_PREFIX},
    {"natural", "♮", "n", SYMBOL_LETTER},
    {"ne", "≠", "!=", SYMBOL_OPERATOR},
    {"nearrow", "↗", "/", SYMBOL_OPERATOR},
    {"neg", "¬", "not ", SYMBOL_PREFIX},
    {"neq", "≠", "!=", SYMBOL_OPERATOR},
    {"nexists", "∄", "no ", SYMBOL_PREFIX},
    {"ni", "∋", "contains", SYMBOL_OPERATOR},
    {"nmid", "∤", "does not divide", SYMBOL_OPERATOR},
    {"noindent", "", "", SYMBOL_NOTHING},
    {"nolimits", "", "", SYMBOL_NOTHING},
    {"nonumber", "", "", SYMBOL_NOTHING},
    {"notag", "", "", SYMBOL_NOTHING},
    {"notin", "∉", "not in", SYMBOL_OPERATOR},
    {"nu", "ν", "nu", SYMBOL_LETTER},
    {"odot", "⊙", "(.)", SYMBOL_OPERATOR},
    {"oint", "∮", "oint", SYMBOL_LETTER},
    {"omega", "ω", "omega", SYMBOL_LETTER},
    {"omicron", "ο", "omicron", SYMBOL_LETTER},
    {"ominus", "⊖", "(-)", SYMBOL_OPERATOR},
    {"oplus", "⊕", "(+)", SYMBOL_OPERATOR},
    {"otimes", "⊗", "(x)", SYMBOL_OPERATOR},
    {"parallel", "∥", "||", SYMBOL_OPERATOR},
    {"partial", "∂", "d", SYMBOL_PREFIX},
    {"perp", "⊥", "_|_", SYMBOL_OPERATOR},
    {"phi", "φ", "phi", SYMBOL_LETTER},
    {"pi", "π", "pi", SYMBOL_LETTER},
    {"pm", "±", "+-", SYMBOL_OPERATOR},
    {"pounds", "£", "GBP ", SYMBOL_LETTER},
    {"prec", "≺", "<", SYMBOL_OPERATOR},
    {"preceq", "⪯", "<=", SYMBOL_OPERATOR},
    {"prime", "′", "'", SYMBOL_LETTER},
    {"prod", "∏", "prod", SYMBOL_LETTER},
    {"propto", "∝", "~", SYMBOL_OPERATOR},
    {"psi", "ψ", "psi", SYMBOL_LETTER},
    {"qed", "■", "[]", SYMBOL_LETTER},
    {"qquad", "    ", "    ", SYMBOL_LETTER},
    {"quad", "  ", "  ", SYMBOL_LETTER},
    {"rVert", "‖", "||", SYMBOL_LETTER},
    {"rangle", "⟩", ">", SYMBOL_LETTER},
    {"rank", "rank", "rank", SYMBOL_NAME},
    {"rbrace", "}", "}", SYMBOL_LETTER},
    {"rbrack", "]", "]", SYMBOL_LETTER},
    {"rceil", "⌉", ")", SYMBOL_LETTER},
    {"rfloor", "⌋", ")", SYMBOL_LETTER},
    {"rho", "ρ", "rho", SYMBOL_LETTER},
    {"right", "", "", SYMBOL_NOTHING},
    {"rightarrow", "→", "->", SYMBOL_OPERATOR},
    {"rightharpoonup", "⇀", "->", SYMBOL_OPERATOR},
    {"rightleftharpoons", "⇌", "<=>", SYMBOL_OPERATOR},
    {"rightsquigarrow", "⇝", "~>", SYMBOL_OPERATOR},
    {"rm", "", "", SYMBOL_NOTHING},
    {"rvert", "|", "|", SYMBOL_LETTER},
    {"scriptscriptstyle", "", "", SYMBOL_NOTHING},
    {"scriptstyle", "", "", SYMBOL_NOTHING},
    {"searrow", "↘", "\\", SYMBOL_OPERATOR},
    {"sec", "sec", "sec", SYMBOL_NAME},
    {"setminus", "∖", "\\", SYMBOL_OPERATOR},
    {"sgn", "sgn", "sgn", SYMBOL_NAME},
    {"sharp", "♯", "#", SYMBOL_LETTER},
    {"sigma", "σ", "sigma", SYMBOL_LETTER},
    {"sim", "∼", "~", SYMBOL_OPERATOR},
    {"simeq", "≃", "~=", SYMBOL_OPERATOR},
    {"sin", "sin", "sin", SYMBOL_NAME},
    {"sinh", "sinh", "sinh", SYMBOL_NAME},
    {"spadesuit", "♠", "spades", SYMBOL_LETTER},
    {"square", "□", "[]", SYMBOL_LETTER},
    {"star", "⋆", "*", SYMBOL_OPERATOR},
    {"strut", "", "", SYMBOL_NOTHING},
    {"subset", "⊂", "subset of", SYMBOL_OPERATOR},
    {"subseteq", "⊆", "subset of", SYMBOL_OPERATOR},
    {"subsetneq", "⊊", "subset of", SYMBOL_OPERATOR},
    {"succ", "≻", ">", SYMBOL_OPERATOR},
    {"succeq", "⪰", ">=", SYMBOL_OPERATOR},
    {"sum", "∑", "sum", SYMBOL_LETTER},
    {"sup", "sup", "sup", SYMBOL_NAME},
    {"supset", "⊃", "superset of", SYMBOL_OPERATOR},
    {"supseteq", "⊇", "superset of", SYMBOL_OPERATOR},
    {"surd", "√", "sqrt", SYMBOL_LETTER},
    {"tan", "tan", "tan", SYMBOL_NAME},
    {"tanh", "tanh", "tanh", SYMBOL_NAME},
    {"tau", "τ", "tau", SYMBOL_LETTER},
    {"textdegree", "°", " deg", SYMBOL_LETTER},
    {"textstyle", "", "", SYMBOL_NOTHING},
    {"therefore", "∴", "therefore ", SYMBOL_LETTER},
    {"theta", "θ", "theta", SYMBOL_LETTER},
    {"times", "×", "x", SYMBOL_OPERATOR},
    {"to", "→", "->", SYMBOL_OPERATOR},
    {"top", "⊤", "T", SYMBOL_LETTER},
    {"tr", "tr", "tr", SYMBOL_NAME},
    {"triangle", "△", "triangle ", SYMBOL_LETTER},
    {"triangleq", "≜", ":=", SYMBOL_OPERATOR},
    {"uparrow", "↑", "up", SYMBOL_OPERATOR},
    {"upsilon", "υ", "upsilon", SYMBOL_LETTER},
    {"varepsilon", "ε", "epsilon", SYMBOL_LETTER},
    {"varnothing", "∅", "{}", SYMBOL_LETTER},
    {"varphi", "φ", "phi", SYMBOL_LETTER},
    {"varpi", "ϖ", "pi", SYMBOL_LETTER},
    {"varrho", "ϱ", "rho", SYMBOL_LETTER},
    {"varsigma", "ς", "sigma", SYMBOL_LETTER},
    {"vartheta", "ϑ", "theta", SYMBOL_LETTER},
    {"vdash", "⊢", "|-", SYMBOL_OPERATOR},
    {"vdots", "⋮", ":", SYMBOL_LETTER},
    {"vee", "∨", "or", SYMBOL_OPERATOR},
    {"vert", "|", "|", SYMBOL_LETTER},
    {"wedge", "∧", "and", SYMBOL_OPERATOR},
    {"wp", "℘", "p", SYMBOL_LETTER},
    {"xi", "ξ", "xi", SYMBOL_LETTER},
    {"zeta", "ζ", "zeta", SYMBOL_LETTER},
};

/* Superscripts. */
static const uint16_t raised[][2] = {
    {0x30, 0x2070}, {0x31, 0xB9}, {0x32, 0xB2}, {0x33, 0xB3}, {0x34, 0x2074},
    {0x35, 0x2075}, {0x36, 0x2076}, {0x37, 0x2077}, {0x38, 0x2078},
    {0x39, 0x2079}, {0x2B, 0x207A}, {0x2D, 0x207B}, {0x2212, 0x207B},
    {0x3D, 0x207C}, {0x28, 0x207D}, {0x29, 0x207E}, {0x61, 0x1D43},
    {0x62, 0x1D47}, {0x63, 0x1D9C}, {0x64, 0x1D48}, {0x65, 0x1D49},
    {0x66, 0x1DA0}, {0x67, 0x1D4D}, {0x68, 0x2B0}, {0x69, 0x2071},
    {0x6A, 0x2B2}, {0x6B, 0x1D4F}, {0x6C, 0x2E1}, {0x6D, 0x1D50},
    {0x6E, 0x207F}, {0x6F, 0x1D52}, {0x70, 0x1D56}, {0x72, 0x2B3},
    {0x73, 0x2E2}, {0x74, 0x1D57}, {0x75, 0x1D58}, {0x76, 0x1D5B},
    {0x77, 0x2B7}, {0x78, 0x2E3}, {0x79, 0x2B8}, {0x7A, 0x1DBB},
    {0x41, 0x1D2C}, {0x42, 0x1D2E}, {0x44, 0x1D30}, {0x45, 0x1D31},
    {0x47, 0x1D33}, {0x48, 0x1D34}, {0x49, 0x1D35}, {0x4A, 0x1D36},
    {0x4B, 0x1D37}, {0x4C, 0x1D38}, {0x4D, 0x1D39}, {0x4E, 0x1D3A},
    {0x4F, 0x1D3C}, {0x50, 0x1D3E}, {0x52, 0x1D3F}, {0x54, 0x1D40},
    {0x55, 0x1D41}, {0x56, 0x2C7D}, {0x57, 0x1D42}, {0x3B1, 0x1D45},
    {0x3B2, 0x1D5D}, {0x3B3, 0x1D5E}, {0x3B4, 0x1D5F}, {0x3B8, 0x1DBF},
    {0x3C6, 0x1D60}, {0x3C7, 0x1D61}, {0x2218, 0xB0}, {0xB0, 0xB0},
    {0x2032, 0x2032}, {0x27, 0x2032},
};

/* Subscripts. */
static const uint16_t lowered[][2] = {
    {0x30, 0x2080}, {0x31, 0x2081}, {0x32, 0x2082}, {0x33, 0x2083},
    {0x34, 0x2084}, {0x35, 0x2085}, {0x36, 0x2086}, {0x37, 0x2087},
    {0x38, 0x2088}, {0x39, 0x2089}, {0x2B, 0x208A}, {0x2D, 0x208B},
    {0x2212, 0x208B}, {0x3D, 0x208C}, {0x28, 0x208D}, {0x29, 0x208E},
    {0x61, 0x2090}, {0x65, 0x2091}, {0x68, 0x2095}, {0x69, 0x1D62},
    {0x6A, 0x2C7C}, {0x6B, 0x2096}, {0x6C, 0x2097}, {0x6D, 0x2098},
    {0x6E, 0x2099}, {0x6F, 0x2092}, {0x70, 0x209A}, {0x72, 0x1D63},
    {0x73, 0x209B}, {0x74, 0x209C}, {0x75, 0x1D64}, {0x76, 0x1D65},
    {0x78, 0x2093}, {0x3B2, 0x1D66}, {0x3B3, 0x1D67}, {0x3C1, 0x1D68},
    {0x3C6, 0x1D69}, {0x3C7, 0x1D6A},
};

/* Double-struck letters. */
static const uint16_t doubled[][2] = {
    {0x43, 0x2102}, {0x48, 0x210D}, {0x4E, 0x2115}, {0x50, 0x2119},
    {0x51, 0x211A}, {0x52, 0x211D}, {0x5A, 0x2124},
};

/* Script letters. */
static const uint16_t script[][2] = {
    {0x42, 0x212C}, {0x45, 0x2130}, {0x46, 0x2131}, {0x48, 0x210B},
    {0x49, 0x2110}, {0x4C, 0x2112}, {0x4D, 0x2133}, {0x52, 0x211B},
};

// clang-format on
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

const struct latex_symbol *
latex_symbols(size_t *count)
{
    *count = COUNT(symbols);
    return symbols;
}

const struct latex_symbol *
latex_symbol_find(const char *name, size_t length)
{
    size_t low = 0, high = COUNT(symbols);

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(name, symbols[middle].name, length);

        if (order == 0 && symbols[middle].name[length] != '\0')
            order = -1;
        if (order == 0)
            return &symbols[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static uint32_t
find_form(const uint16_t (*table)[2], size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (table[i][0] == c)
            return table[i][1];
    return 0;
}

uint32_t
latex_raised(uint32_t code_point)
{
    return find_form(raised, COUNT(raised), code_point);
}

uint32_t
latex_lowered(uint32_t code_point)
{
    return find_form(lowered, COUNT(lowered), code_point);
}

uint32_t
latex_double(uint32_t letter)
{
    uint32_t form = find_form(doubled, COUNT(doubled), letter);

    return form != 0 ? form : letter;
}

uint32_t
latex_script(uint32_t letter)
{
    uint32_t form = find_form(script, COUNT(script), letter);

    return form != 0 ? form : letter;
}
