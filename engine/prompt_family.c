/*
 * Which family a model file belongs to.
 *
 * Its chat template is read as a fingerprint: the markers that it writes and
 * a few telling phrases. Nothing in it is run. Files without a template that
 * is known are told apart by their names, then by their vocabulary.
 */
#include "config.h"

#include "engine/prompt.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What recognition looks at. */
struct evidence {
    const struct gguf *gguf;
    const struct tokenizer *tokenizer;
    const struct gguf_string *code; // the template, or NULL
};

/* Blanks, line ends and quotes: templates differ in them. */
static bool
is_layout(char c)
{
    return c != '\0' && strchr(" \t\r\n'\"", c) != NULL;
}

/* True where `text` stands at `at`, layout aside. */
static bool
stands_at(const struct gguf_string *code, size_t at, const char *text)
{
    for (; *text != '\0'; at++) {
        if (at == code->length)
            return false;
        if (code->bytes[at] == *text)
            text++;
        else if (!is_layout(code->bytes[at]))
            return false;
    }
    return true;
}

/* True where the template holds `text`, itself without layout. */
static bool
writes(const struct evidence *e, const char *text)
{
    for (size_t i = 0; e->code != NULL && i < e->code->length; i++)
        if (e->code->bytes[i] == text[0] && stands_at(e->code, i, text))
            return true;
    return false;
}

static bool
is_arch(const struct evidence *e, const char *name)
{
    const struct gguf_string *arch = gguf_text(e->gguf, "general.architecture");

    return arch != NULL && strcmp(arch->bytes, name) == 0;
}

static bool
has_token(const struct evidence *e, const char *text)
{
    return tokenizer_find(e->tokenizer, text) != TOKEN_NONE;
}

// -- by template -------------------------------------------------------------

/* A variable "thinking" (not "enable_thinking"). */
static bool
has_thinking_switch(const struct evidence *e)
{
    return writes(e, "setthinking=") || writes(e, "ifthinking") ||
           writes(e, "notthinking") || writes(e, "andthinking");
}

/* The assistant's marker stands right behind what a user wrote. */
static bool
opens_behind_user(const struct evidence *e)
{
    return writes(e, "<｜User｜>+message[content]+<｜Assistant｜>") ||
           writes(e, "<｜User｜>+m[content]+<｜Assistant｜>");
}

/* Thinking models with DeepSeek's markers. */
static enum prompt_family
thinking_deepseek(const struct evidence *e)
{
    if (has_thinking_switch(e) || writes(e, "<｜Assistant｜></think>"))
        return PROMPT_DEEPSEEK_V31;
    if (opens_behind_user(e))
        return is_arch(e, "qwen3") ? PROMPT_R1_0528_QWEN3
                                   : PROMPT_DEEPSEEK_R1_0528;
    return is_arch(e, "deepseek2") ? PROMPT_DEEPSEEK_R1 : PROMPT_R1_DISTILL;
}

static enum prompt_family
plain_deepseek(const struct evidence *e)
{
    if (opens_behind_user(e))
        return PROMPT_DEEPSEEK_V3_0324;
    // V3 joins its system messages; V2.5 keeps the last
    return writes(e, "is_first_sp") ? PROMPT_DEEPSEEK_V3 : PROMPT_DEEPSEEK_V25;
}

static enum prompt_family
chatml(const struct evidence *e)
{
    if (writes(e, "</think>"))
        return PROMPT_QWEN3;
    return writes(e, "SmolLM") ? PROMPT_SMOLLM2 : PROMPT_QWEN2;
}

static bool
by_template(const struct evidence *e, enum prompt_family *out)
{
    bool deepseek = writes(e, "<｜User｜>") && writes(e, "<｜Assistant｜>");

    if (deepseek && (writes(e, "</think>") || writes(e, "<think>")))
        *out = thinking_deepseek(e);
    else if (deepseek)
        *out = plain_deepseek(e);
    else if (writes(e, "<|im_middle|>"))
        *out = writes(e, "Kimi") ? PROMPT_KIMI_K2 : PROMPT_MOONLIGHT;
    else if (writes(e, "<|im_start|>"))
        *out = chatml(e);
    else if (writes(e, "<|start_header_id|>"))
        *out = PROMPT_LLAMA3;
    else if (writes(e, "###Instruction:") && writes(e, "<|EOT|>"))
        *out = PROMPT_DEEPSEEK_CODER;
    else if (writes(e, "User:") && writes(e, "Assistant:"))
        *out = PROMPT_DEEPSEEK_V2;
    else
        return false;
    return true;
}

/* A template that writes another default system text than its family's. */
static bool
other_default(const struct evidence *e, enum prompt_family family)
{
    if (family == PROMPT_QWEN2) // Qwen2.5 says who it is; others say nothing
        return !writes(e, "systemYouareahelpfulassistant.") &&
               !writes(e, "system\\nYouareahelpfulassistant.");
    return family == PROMPT_LLAMA3 && writes(e, "CuttingKnowledgeDate");
}

// -- by name -----------------------------------------------------------------

static bool
by_name(const struct evidence *e, enum prompt_family *out, char *name,
        size_t size)
{
    static const struct {
        const char *part;
        enum prompt_family family;
    } parts[] = {
        {"r1-0528-qwen3", PROMPT_R1_0528_QWEN3},
        {"r1-0528", PROMPT_DEEPSEEK_R1_0528},
        {"r1-distill", PROMPT_R1_DISTILL},
        {"deepseek-r1", PROMPT_DEEPSEEK_R1},
        {"v3.1", PROMPT_DEEPSEEK_V31},
        {"v3-0324", PROMPT_DEEPSEEK_V3_0324},
        {"deepseek-v3", PROMPT_DEEPSEEK_V3},
        {"v2.5", PROMPT_DEEPSEEK_V25},
        {"coder-v2", PROMPT_DEEPSEEK_V2},
        {"deepseek-v2", PROMPT_DEEPSEEK_V2},
        {"deepseek-coder", PROMPT_DEEPSEEK_CODER},
        {"deepseek-llm", PROMPT_DEEPSEEK_V2},
        {"deepseek-moe", PROMPT_DEEPSEEK_V2},
        {"fathom-mini", PROMPT_DEEPSEEK_R1},
        {"kimi", PROMPT_KIMI_K2},
        {"moonlight", PROMPT_MOONLIGHT},
        {"smollm2", PROMPT_SMOLLM2},
        {"qwen3", PROMPT_QWEN3},
        {"qwen2", PROMPT_QWEN2},
        {"llama-3", PROMPT_LLAMA3},
    };
    static const char *const keys[] = {"general.basename", "general.name"};

    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const struct gguf_string *text = gguf_text(e->gguf, keys[k]);
        if (text == NULL)
            continue;
        snprintf(name, size, "%s", text->bytes);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == ' ' || *c == '_' ? '-'
                                        : (char) tolower((unsigned char) *c);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            if (strstr(name, parts[i].part) == NULL)
                continue;
            *out = parts[i].family;
            return true;
        }
    }
    return false;
}

// -- by vocabulary -----------------------------------------------------------

static enum prompt_family
by_deepseek_markers(const struct evidence *e)
{
    if (has_token(e, "<think>")) {
        if (has_token(e, "<｜search▁begin｜>"))
            return PROMPT_DEEPSEEK_V31;
        return is_arch(e, "deepseek2") ? PROMPT_DEEPSEEK_R1 : PROMPT_R1_DISTILL;
    }
    return tokenizer_count(e->tokenizer) == 102400 ? PROMPT_DEEPSEEK_V25
                                                   : PROMPT_DEEPSEEK_V3;
}

static enum prompt_family
by_vocabulary(const struct evidence *e)
{
    if (has_token(e, "<｜User｜>"))
        return by_deepseek_markers(e);
    if (has_token(e, "<|im_middle|>"))
        return PROMPT_KIMI_K2;
    if (has_token(e, "<|start_header_id|>"))
        return PROMPT_LLAMA3;
    if (has_token(e, "<|im_start|>"))
        return has_token(e, "<think>") ? PROMPT_QWEN3 : PROMPT_QWEN2;
    if (has_token(e, "<|EOT|>"))
        return PROMPT_DEEPSEEK_CODER;
    return PROMPT_DEEPSEEK_V2;
}

static enum prompt_family
recognise(const struct evidence *e, bool *sure, char *why, size_t size)
{
    enum prompt_family family;
    char name[128], shown[160];

    *sure = true;
    if (by_template(e, &family)) {
        *sure = !other_default(e, family);
        snprintf(why, size, "%s",
                 *sure ? "its chat template is of that family"
                       : "its chat template is like that family's, but has "
                         "another default system text");
        return family;
    }
    *sure = false;
    const char *lacks = e->code != NULL ? "its chat template is not known"
                                        : "it has no chat template";
    if (by_name(e, &family, name, sizeof name)) {
        snprintf(why, size, "%s; its name is \"%s\"", lacks,
                 text_quote(shown, sizeof shown, name, strlen(name)));
        return family;
    }
    snprintf(why, size, "%s; the markers in its vocabulary are that family's",
             lacks);
    return by_vocabulary(e);
}

enum prompt_family
prompt_family_of(const struct gguf *gguf, const struct tokenizer *tokenizer,
                 bool *sure, char *why, size_t why_size)
{
    struct evidence e = {
        .gguf = gguf,
        .tokenizer = tokenizer,
        .code = gguf_text(gguf, "tokenizer.chat_template"),
    };

    return recognise(&e, sure, why, why_size);
}
