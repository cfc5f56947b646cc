/*
 * The expressions, and their application by PCRE2.
 *
 * White space is written out: PCRE2's \s would take U+180E too. Every
 * expression is linear on every text: repeats are followed by what they
 * cannot match, or give back once; "white space at the end" looks behind
 * itself, since trying it at every blank of a run would be quadratic.
 */
#include "config.h"

#include "engine/pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// -- expressions -------------------------------------------------------------

#define SPACES                                                                 \
    "\\x{09}-\\x{0D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}"         \
    "\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}"

#define SPACE "[" SPACES "]"
#define LINE_FEEDS SPACE "*[\\r\\n]+"
// a run of white space without its last, which goes with the word behind it
#define BLANKS SPACE "+(?![^" SPACES "])|" SPACE "+"

// U+4E00-9FA5, hiragana, katakana
#define KANJI_KANA                                                             \
    "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+"
#define CJK_HANGUL                                                             \
    "[\\x{4E00}-\\x{9FA5}\\x{0800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+"

#define ENGLISH_ENDINGS "'s|'t|'re|'ve|'m|'ll|'d"
#define ENGLISH_ENDINGS_ANY_CASE "'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])"

#define GPT2                                                                   \
    ENGLISH_ENDINGS                                                            \
    "| ?\\p{L}+"                                                               \
    "| ?\\p{N}+"                                                               \
    "| ?[^" SPACES "\\p{L}\\p{N}]+"                                            \
    "|" BLANKS

// digits: how many stand together
#define LLAMA3(digits)                                                         \
    ENGLISH_ENDINGS_ANY_CASE                                                   \
    "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"                                           \
    "|" digits "| ?[^" SPACES "\\p{L}\\p{N}]+[\\r\\n]*"                        \
    "|" LINE_FEEDS "|" BLANKS

#define DEEPSEEK_V3_WORDS                                                      \
    "[!-/:-@\\[-`{-~][A-Za-z]+"                                                \
    "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"                             \
    "| ?[\\p{P}\\p{S}]+[\\r\\n]*"                                              \
    "|" LINE_FEEDS "|" BLANKS

// the cased letters that DeepSeek-LLM names one by one
#define CASED_LETTERS                                                          \
    "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}"              \
    "\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}"     \
    "\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}\\x{388}-\\x{38A}"       \
    "\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}"              \
    "\\x{48A}-\\x{52F}\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}"                    \
    "\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}"                \
    "\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}"                \
    "\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}"                \
    "\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}"       \
    "\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}"                 \
    "\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}"       \
    "\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}"                \
    "\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}"                 \
    "\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}"        \
    "\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}"                 \
    "\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}"        \
    "\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}"       \
    "\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}"       \
    "\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}"                \
    "\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}"                \
    "\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}"            \
    "\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}"          \
    "\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"

// ASCII from 3A to 7E holds the letters too: they are taken by then
#define DEEPSEEK_LLM_SIGNS                                                     \
    "[\\x{21}-\\x{2F}\\x{3A}-\\x{7E}\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}"    \
    "\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+"

static const struct pretokenizer_rules deepseek_v3 = {
    .name = "deepseek-v3",
    .passes = {"\\p{N}{1,3}", KANJI_KANA, DEEPSEEK_V3_WORDS},
};
static const struct pretokenizer_rules llama_bpe = {
    .name = "llama-bpe",
    .whole_words = true,
    .adds_bos = true,
    .passes = {LLAMA3("\\p{N}{1,3}")},
};
static const struct pretokenizer_rules qwen2 = {
    .name = "qwen2",
    .passes = {LLAMA3("\\p{N}")},
};
static const struct pretokenizer_rules deepseek_llm = {
    .name = "deepseek-llm",
    .passes = {"[\\r\\n]", SPACE "?[" CASED_LETTERS "]+",
               SPACE "?" DEEPSEEK_LLM_SIGNS, "(?<!" SPACE ")" SPACE "++\\z",
               CJK_HANGUL, "\\p{N}+"},
};
static const struct pretokenizer_rules deepseek_coder = {
    .name = "deepseek-coder",
    .passes = {"[\\r\\n]", SPACE "?\\p{L}+", SPACE "?\\p{P}+", CJK_HANGUL,
               "\\p{N}"},
};
static const struct pretokenizer_rules smollm = {
    .name = "smollm",
    .passes = {"\\p{N}", GPT2},
};
static const struct pretokenizer_rules fallback = {
    .name = "default",
    .passes = {"[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"},
};

const struct pretokenizer_rules *
pretokenizer_rules_find(const char *name)
{
    static const struct {
        const char *name;
        const struct pretokenizer_rules *rules;
    } known[] = {
        {"deepseek-v3", &deepseek_v3},
        {"hunyuan-dense", &deepseek_v3},
        {"llama-bpe", &llama_bpe},
        {"llama3", &llama_bpe},
        {"llama-v3", &llama_bpe},
        {"falcon3", &llama_bpe},
        {"qwen2", &qwen2},
        {"deepseek-r1-qwen", &qwen2},
        {"deepseek-llm", &deepseek_llm},
        {"deepseek-coder", &deepseek_coder},
        {"smollm", &smollm},
        {"default", &fallback},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].rules;
    return NULL;
}

// -- application -------------------------------------------------------------

struct pretokenizer {
    size_t passes;
    pcre2_code *code[PRETOKENIZER_PASSES_MAX];
    pcre2_match_context *limits;
};

enum status
pretokenizer_open(struct pretokenizer **out,
                  const struct pretokenizer_rules *rules, struct error *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C;
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct pretokenizer *p = memory;
    p->limits = fault_due() ? NULL : pcre2_match_context_create(NULL);
    while (p->limits != NULL && rules->passes[p->passes] != NULL) {
        int error;
        PCRE2_SIZE offset;
        pcre2_code *code = pcre2_compile((PCRE2_SPTR) rules->passes[p->passes],
                                         PCRE2_ZERO_TERMINATED, options, &error,
                                         &offset, NULL);

        if (code == NULL)
            break;
        p->code[p->passes++] = code;
        // where memory may not be made executable the interpreter does it
        if (pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0)
            log_note("pre-tokenizer %s runs without JIT", rules->name);
    }
    if (p->limits == NULL || rules->passes[p->passes] != NULL) {
        pretokenizer_close(p);
        return error_set(err, STATUS_NOMEM,
                         "cannot prepare the pre-tokenizer %s", rules->name);
    }
    // the expressions are linear: nothing is won by giving up
    pcre2_set_match_limit(p->limits, UINT32_MAX);
    pcre2_set_heap_limit(p->limits, UINT32_MAX);
    *out = p;
    return STATUS_OK;
}

void
pretokenizer_close(struct pretokenizer *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->passes; i++)
        pcre2_code_free(p->code[i]);
    pcre2_match_context_free(p->limits);
    free(p);
}

/* One call of pretokenizer_cut. */
struct cutter {
    const struct pretokenizer *pretokenizer;
    pcre2_match_data *match;
    pretokenizer_segment_fn segment;
    void *context;
};

/* Finds the next match in text[from, length). No match: *start is length. */
static enum status
find_match(struct cutter *cutter, const pcre2_code *code, const char *text,
           size_t length, size_t from, size_t *start, size_t *end,
           struct error *err)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(cutter->match);
    pcre2_match_context *limits = cutter->pretokenizer->limits;
    uint32_t options = PCRE2_NO_UTF_CHECK;
    int found = pcre2_match(code, (PCRE2_SPTR) text, length, from, options,
                            cutter->match, limits);

    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found = pcre2_match(code, (PCRE2_SPTR) text, length, from,
                            options | PCRE2_NO_JIT, cutter->match, limits);
    *start = *end = length;
    if (found == PCRE2_ERROR_NOMATCH)
        return STATUS_OK;
    if (found < 0)
        return error_set(err, STATUS_NOMEM,
                         "cannot cut a text of %zu bytes into words (PCRE2 "
                         "error %d)",
                         length, found);
    *start = ends[0];
    *end = ends[1];
    assert(*end > *start); // no expression matches nothing
    return STATUS_OK;
}

/* Applies the expressions from `pass` on to one segment. */
static enum status
cut_segment(struct cutter *cutter, size_t pass, const char *text, size_t length,
            struct error *err)
{
    const struct pretokenizer *p = cutter->pretokenizer;

    if (pass == p->passes)
        return cutter->segment(cutter->context, text, length, err);
    for (size_t at = 0; at < length;) {
        size_t start, end;

        TRY(find_match(cutter, p->code[pass], text, length, at, &start, &end,
                       err));
        if (start > at)
            TRY(cut_segment(cutter, pass + 1, text + at, start - at, err));
        if (end > start)
            TRY(cut_segment(cutter, pass + 1, text + start, end - start, err));
        at = end;
    }
    return STATUS_OK;
}

enum status
pretokenizer_cut(const struct pretokenizer *pretokenizer, const char *text,
                 size_t length, pretokenizer_segment_fn segment, void *context,
                 struct error *err)
{
    struct cutter cutter = {pretokenizer, NULL, segment, context};

    cutter.match = fault_due() ? NULL : pcre2_match_data_create(1, NULL);
    if (cutter.match == NULL)
        return error_set(err, STATUS_NOMEM,
                         "cannot allocate what cutting a text needs");
    enum status status = cut_segment(&cutter, 0, text, length, err);
    pcre2_match_data_free(cutter.match);
    return status;
}
