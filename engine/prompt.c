/*
 * The families as patterns, and the one renderer that follows them.
 *
 * In a pattern MARK("...") is a marker, CONTENT the message, THOUGHT its
 * thought; all else is text. Sources: the models' published templates.
 */
#include "config.h"

#include "engine/prompt.h"

#include "engine/prompt_pieces.h"

#include <assert.h>
#include <string.h>

#define MARK(text) "\1" text "\1"
#define CONTENT "\2"
#define THOUGHT "\3"

#define BOS MARK("<｜begin▁of▁sentence｜>")
#define EOS MARK("<｜end▁of▁sentence｜>")
#define USER MARK("<｜User｜>")
#define ASSISTANT MARK("<｜Assistant｜>")
#define THINK MARK("<think>")
#define END_THINK MARK("</think>")
#define EMPTY_THOUGHT THINK "\n\n" END_THINK "\n\n"

#define CHATML(role)                                                           \
    MARK("<|im_start|>") role "\n" CONTENT MARK("<|im_end|>") "\n"
#define CHATML_DEFAULT(text)                                                   \
    MARK("<|im_start|>") "system\n" text MARK("<|im_end|>") "\n"
#define CHATML_OPEN MARK("<|im_start|>") "assistant\n"

#define KIMI_OPEN(role) MARK("<|im_" role "|>") role MARK("<|im_middle|>")
#define KIMI(role) KIMI_OPEN(role) CONTENT MARK("<|im_end|>")
#define KIMI_DEFAULT(text) KIMI_OPEN("system") text MARK("<|im_end|>")

#define LLAMA3_OPEN(role)                                                      \
    MARK("<|start_header_id|>") role MARK("<|end_header_id|>") "\n\n"
#define LLAMA3(role) LLAMA3_OPEN(role) CONTENT MARK("<|eot_id|>")

/* Where system messages go. */
enum systems {
    SYSTEMS_IN_PLACE,
    SYSTEMS_JOINED, // at the start, with an empty line between them
    SYSTEMS_LAST,   // at the start, only the last one
};

/* What becomes of a thought that is stored inside an answer. */
enum raw_thought {
    RAW_KEPT,
    RAW_CUT_AT_LAST, // the answer is what follows the last "</think>"
    RAW_CUT_AT_FIRST,
};

struct family {
    struct prompt_traits traits;
    const char *begin;
    const char *default_system;
    bool default_if_none; // no system message anywhere; else: none first
    enum systems systems; // if not in place, `system` is not used
    const char *system, *user, *assistant;
    const char *after_user; // precedes an answer that follows a user
    // the assistant's turn behind the last question, with its thought
    const char *thinking_assistant;
    const char *open;                              // the assistant's opening
    bool opened_by_user;                           // `user` ends with it
    const char *open_default, *open_on, *open_off; // by the switch
    const char *user_marker; // ends an answer when it is generated
    const char *end_text;    // belongs to the turn, not to the answer
    enum raw_thought raw;
    bool trims; // white space around messages is dropped
};

static const struct family families[PROMPT_FAMILIES] = {
    [PROMPT_DEEPSEEK_V2] =
        {
            .traits = {.name = "deepseek-v2",
                       .blank_first = true,
                       .temperature = 0.3F,
                       .top_p = 0.95F},
            .begin = BOS,
            .system = CONTENT "\n\n",
            .user = "User: " CONTENT "\n\n",
            .assistant = "Assistant:" CONTENT EOS,
            .open = "Assistant:",
        },
    [PROMPT_DEEPSEEK_CODER] =
        {
            .traits = {.name = "deepseek-coder",
                       .temperature = 0.0F,
                       .top_p = 0.95F},
            .begin = BOS,
            .default_system =
                "You are an AI programming assistant, utilizing the Deepseek "
                "Coder model, developed by Deepseek Company, and you only "
                "answer questions related to computer science. For "
                "politically sensitive questions, security and privacy "
                "issues, and other non-computer science questions, you will "
                "refuse to answer\n",
            .default_if_none = true,
            .system = CONTENT,
            .user = "### Instruction:\n" CONTENT "\n",
            .assistant = "### Response:\n" CONTENT "\n" MARK("<|EOT|>") "\n",
            .open = "### Response:\n",
            .end_text = "\n",
        },
    [PROMPT_DEEPSEEK_V25] =
        {
            .traits = {.name = "deepseek-v2.5",
                       .temperature = 0.3F,
                       .top_p = 0.95F},
            .begin = BOS,
            .systems = SYSTEMS_LAST,
            .user = USER CONTENT,
            .assistant = ASSISTANT CONTENT EOS,
            .open = ASSISTANT,
            .user_marker = "<｜User｜>",
        },
    [PROMPT_DEEPSEEK_V3] =
        {
            .traits = {.name = "deepseek-v3",
                       .temperature = 0.3F,
                       .top_p = 0.95F},
            .begin = BOS,
            .systems = SYSTEMS_JOINED,
            .user = USER CONTENT,
            .assistant = ASSISTANT CONTENT EOS,
            .open = ASSISTANT,
            .user_marker = "<｜User｜>",
        },
    [PROMPT_DEEPSEEK_V3_0324] =
        {
            .traits = {.name = "deepseek-v3-0324",
                       .temperature = 0.3F,
                       .top_p = 0.95F},
            .begin = BOS,
            .systems = SYSTEMS_JOINED,
            .user = USER CONTENT ASSISTANT,
            .assistant = CONTENT EOS,
            .open = ASSISTANT,
            .opened_by_user = true,
            .user_marker = "<｜User｜>",
        },
    [PROMPT_DEEPSEEK_R1] =
        {
            .traits = {.name = "deepseek-r1",
                       .thinks = true,
                       .has_switch = true,
                       .think_open = "<think>",
                       .think_close = "</think>",
                       .cut_before = "\n",
                       .cut_after = "\n\n",
                       .temperature = 0.6F,
                       .top_p = 0.95F},
            .begin = BOS,
            .systems = SYSTEMS_JOINED,
            .user = USER CONTENT,
            .assistant = ASSISTANT CONTENT EOS,
            .open = ASSISTANT,
            .open_default = THINK "\n",
            .open_on = THINK "\n",
            .open_off = EMPTY_THOUGHT,
            .user_marker = "<｜User｜>",
            .raw = RAW_CUT_AT_LAST,
        },
    [PROMPT_DEEPSEEK_R1_0528] =
        {
            .traits = {.name = "deepseek-r1-0528",
                       .thinks = true,
                       .has_switch = true,
                       .think_open = "<think>",
                       .think_close = "</think>",
                       .cut_before = "\n",
                       .cut_after = "\n\n",
                       .temperature = 0.6F,
                       .top_p = 0.95F},
            .begin = BOS,
            .systems = SYSTEMS_JOINED,
            .user = USER CONTENT ASSISTANT,
            .assistant = CONTENT EOS,
            .open = ASSISTANT,
            .opened_by_user = true,
            .open_off = EMPTY_THOUGHT,
            .user_marker = "<｜User｜>",
            .raw = RAW_CUT_AT_LAST,
        },
    [PROMPT_DEEPSEEK_V31] =
        {
            .traits = {.name = "deepseek-v3.1",
                       .thinks = true,
                       .has_switch = true,
                       .think_open = "<think>",
                       .think_close = "</think>",
                       .cut_before = "",
                       .cut_after = "",
                       .temperature = 0.6F,
                       .top_p = 0.95F},
            .begin = BOS,
            .systems = SYSTEMS_JOINED,
            .user = USER CONTENT,
            .assistant = CONTENT EOS,
            .after_user = ASSISTANT END_THINK,
            .open = ASSISTANT,
            .open_default = END_THINK,
            .open_on = THINK,
            .open_off = END_THINK,
            .user_marker = "<｜User｜>",
            .raw = RAW_CUT_AT_FIRST,
        },
    [PROMPT_R1_DISTILL] =
        {
            .traits = {.name = "r1-distill",
                       .thinks = true,
                       .has_switch = true,
                       .think_open = "<think>",
                       .think_close = "</think>",
                       .cut_before = "\n",
                       .cut_after = "\n\n",
                       .temperature = 0.6F,
                       .top_p = 0.95F},
            .begin = BOS,
            .systems = SYSTEMS_LAST,
            .user = USER CONTENT,
            .assistant = ASSISTANT CONTENT EOS,
            .open = ASSISTANT,
            .open_default = THINK "\n",
            .open_on = THINK "\n",
            .open_off = EMPTY_THOUGHT,
            .user_marker = "<｜User｜>",
            .raw = RAW_CUT_AT_LAST,
        },
    [PROMPT_R1_0528_QWEN3] =
        {
            .traits = {.name = "r1-0528-qwen3-8b",
                       .thinks = true,
                       .has_switch = true,
                       .think_open = "<think>",
                       .think_close = "</think>",
                       .cut_before = "\n",
                       .cut_after = "\n\n",
                       .temperature = 0.6F,
                       .top_p = 0.95F},
            .begin = BOS,
            .systems = SYSTEMS_JOINED,
            .user = USER CONTENT ASSISTANT,
            .assistant = CONTENT EOS,
            .open = ASSISTANT,
            .opened_by_user = true,
            .open_off = EMPTY_THOUGHT,
            .user_marker = "<｜User｜>",
            .raw = RAW_CUT_AT_LAST,
        },
    [PROMPT_KIMI_K2] =
        {
            .traits = {.name = "kimi-k2", .temperature = 0.6F, .top_p = 0.95F},
            .begin = "",
            .default_system =
                KIMI_DEFAULT("You are Kimi, an AI assistant created by "
                             "Moonshot AI.") "\n",
            .system = KIMI("system"),
            .user = KIMI("user"),
            .assistant = KIMI("assistant"),
            .open = KIMI_OPEN("assistant"),
            .user_marker = "<|im_user|>",
        },
    [PROMPT_MOONLIGHT] =
        {
            .traits = {.name = "moonlight",
                       .temperature = 0.6F,
                       .top_p = 0.95F},
            .begin = "",
            .default_system = KIMI_DEFAULT("You are a helpful assistant"),
            .system = KIMI("system"),
            .user = KIMI("user"),
            .assistant = KIMI("assistant"),
            .open = KIMI_OPEN("assistant"),
            .user_marker = "<|im_user|>",
        },
    [PROMPT_SMOLLM2] =
        {
            .traits = {.name = "smollm2", .temperature = 0.2F, .top_p = 0.9F},
            .begin = "",
            .default_system =
                CHATML_DEFAULT("You are a helpful AI assistant named SmolLM, "
                               "trained by Hugging Face"),
            .system = CHATML("system"),
            .user = CHATML("user"),
            .assistant = CHATML("assistant"),
            .open = CHATML_OPEN,
            .user_marker = "<|im_start|>",
        },
    [PROMPT_QWEN2] =
        {
            .traits = {.name = "qwen2", .temperature = 0.7F, .top_p = 0.8F},
            .begin = "",
            .default_system = CHATML_DEFAULT("You are a helpful assistant."),
            .system = CHATML("system"),
            .user = CHATML("user"),
            .assistant = CHATML("assistant"),
            .open = CHATML_OPEN,
            .user_marker = "<|im_start|>",
        },
    [PROMPT_QWEN3] =
        {
            .traits = {.name = "qwen3",
                       .thinks = true,
                       .has_switch = true,
                       .think_open = "<think>",
                       .think_close = "</think>",
                       .cut_before = "\n",
                       .cut_after = "\n\n",
                       .temperature = 0.6F,
                       .top_p = 0.95F},
            .begin = "",
            .system = CHATML("system"),
            .user = CHATML("user"),
            .assistant = CHATML("assistant"),
            .thinking_assistant =
                MARK("<|im_start|>") "assistant\n" THINK "\n" THOUGHT
                                     "\n" END_THINK
                                     "\n\n" CONTENT MARK("<|im_end|>") "\n",
            .open = CHATML_OPEN,
            .open_off = EMPTY_THOUGHT,
            .user_marker = "<|im_start|>",
            .raw = RAW_CUT_AT_LAST,
        },
    [PROMPT_LLAMA3] =
        {
            .traits = {.name = "llama3", .temperature = 0.6F, .top_p = 0.9F},
            .begin = MARK("<|begin_of_text|>"),
            .system = LLAMA3("system"),
            .user = LLAMA3("user"),
            .assistant = LLAMA3("assistant"),
            .open = LLAMA3_OPEN("assistant"),
            .user_marker = "<|start_header_id|>",
            .trims = true,
        },
};

const struct prompt_traits *
prompt_traits(enum prompt_family family)
{
    assert((unsigned) family < PROMPT_FAMILIES);
    return &families[family].traits;
}

bool
prompt_family_find(enum prompt_family *out, const char *name)
{
    for (unsigned i = 0; i < PROMPT_FAMILIES; i++) {
        if (strcmp(families[i].traits.name, name) == 0) {
            *out = (enum prompt_family) i;
            return true;
        }
    }
    return false;
}

// -- slices of messages ------------------------------------------------------

struct slice {
    const char *bytes;
    size_t length;
};

static struct slice
drop_line_feeds(struct slice s)
{
    while (s.length > 0 && s.bytes[0] == '\n') {
        s.bytes++;
        s.length--;
    }
    return s;
}

static struct slice
drop_line_feeds_behind(struct slice s)
{
    while (s.length > 0 && s.bytes[s.length - 1] == '\n')
        s.length--;
    return s;
}

/* Offset of the first or last `text` in `s`, or s.length. */
static size_t
offset_of(struct slice s, const char *text, bool last)
{
    size_t n = strlen(text), found = s.length;

    for (size_t i = 0; i + n <= s.length; i++) {
        if (s.bytes[i] != text[0] || memcmp(s.bytes + i, text, n) != 0)
            continue;
        found = i;
        if (!last)
            break;
    }
    return found;
}

static struct slice
behind(struct slice s, size_t offset)
{
    return (struct slice){s.bytes + offset, s.length - offset};
}

/* White space as Python's strip sees it: that is what the templates call. */
static bool
is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20) || c == 0x85 ||
           c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

static struct slice
trim(struct slice s)
{
    size_t start = s.length, end = 0;
    uint32_t c;
    bool valid;

    for (size_t i = 0, n; i < s.length; i += n) {
        n = utf8_next(s.bytes + i, s.length - i, &c, &valid);
        if (valid && is_space(c))
            continue;
        if (start == s.length)
            start = i;
        end = i + n;
    }
    return end > start ? (struct slice){s.bytes + start, end - start}
                       : (struct slice){s.bytes, 0};
}

/* An answer without the thought that may be stored in it. */
static struct slice
answer_of(const struct family *f, const struct message *m)
{
    struct slice s = {m->content, m->length};
    size_t close = f->raw == RAW_KEPT
                       ? s.length
                       : offset_of(s, "</think>", f->raw == RAW_CUT_AT_LAST);

    if (close == s.length)
        return s;
    return drop_line_feeds(behind(s, close + strlen("</think>")));
}

/* The thought of an answer, kept apart or stored in it. */
static struct slice
thought_of(const struct message *m)
{
    struct slice s = {m->reasoning, m->reasoning_length};

    if (m->reasoning == NULL) {
        s = (struct slice){m->content, m->length};
        size_t close = offset_of(s, "</think>", false);
        s.length = close < s.length ? close : 0;
        size_t open = offset_of(s, "<think>", true);
        if (open < s.length)
            s = behind(s, open + strlen("<think>"));
    }
    return drop_line_feeds_behind(drop_line_feeds(s));
}

// -- rendering ---------------------------------------------------------------

/* One call of prompt_render. */
struct rendering {
    const struct family *family;
    const struct tokenizer *tokenizer;
    const struct message *messages;
    size_t count;
    size_t last_question; // index of the last user's message
    struct prompt_pieces *out;
};

/* What a pattern is filled with. */
struct filling {
    struct slice content, thought;
    const struct message *message; // for its ids, or NULL
};

static enum status
put_content(struct rendering *r, const struct filling *with, struct error *err)
{
    const struct message *m = with->message;

    if (m != NULL && m->ids != NULL)
        return prompt_pieces_ids(r->out, m->ids, m->id_count, err);
    if (m != NULL && m->role == ROLE_ASSISTANT && r->family->traits.blank_first)
        TRY(prompt_pieces_text(r->out, " ", 1, err));
    return prompt_pieces_text(r->out, with->content.bytes, with->content.length,
                              err);
}

static enum status
put_pattern(struct rendering *r, const char *pattern,
            const struct filling *with, struct error *err)
{
    for (const char *at = pattern; *at != '\0';) {
        size_t n = strcspn(at, MARK("") CONTENT THOUGHT);

        if (n > 0) {
            TRY(prompt_pieces_text(r->out, at, n, err));
            at += n;
        } else if (*at == *MARK("")) {
            n = strcspn(++at, MARK(""));
            TRY(prompt_pieces_marker(r->out, r->tokenizer, at, n, err));
            at += n + 1;
        } else {
            if (*at++ == *CONTENT)
                TRY(put_content(r, with, err));
            else
                TRY(prompt_pieces_text(r->out, with->thought.bytes,
                                       with->thought.length, err));
        }
    }
    return STATUS_OK;
}

/* The begin marker, a default system text, system messages that go there. */
static enum status
put_start(struct rendering *r, struct error *err)
{
    const struct family *f = r->family;
    struct filling none = {0};
    size_t systems = 0;
    bool first = r->count > 0 && r->messages[0].role == ROLE_SYSTEM;

    TRY(put_pattern(r, f->begin, &none, err));
    for (size_t i = 0; i < r->count; i++)
        systems += r->messages[i].role == ROLE_SYSTEM;
    if (f->default_system != NULL &&
        (f->default_if_none ? systems == 0 : !first))
        TRY(put_pattern(r, f->default_system, &none, err));
    if (f->systems == SYSTEMS_IN_PLACE)
        return STATUS_OK;
    for (size_t i = 0, seen = 0; i < r->count; i++) {
        const struct message *m = &r->messages[i];
        if (m->role != ROLE_SYSTEM)
            continue;
        seen++;
        if (f->systems == SYSTEMS_LAST && seen < systems)
            continue;
        if (f->systems == SYSTEMS_JOINED && seen > 1)
            TRY(prompt_pieces_text(r->out, "\n\n", 2, err));
        TRY(prompt_pieces_text(r->out, m->content, m->length, err));
    }
    return STATUS_OK;
}

static enum status
put_answer(struct rendering *r, size_t i, struct error *err)
{
    const struct family *f = r->family;
    const struct message *m = &r->messages[i];
    struct filling with = {.content = answer_of(f, m), .message = m};

    if (f->trims)
        with.content = trim(with.content);
    if (f->after_user != NULL && i > 0 && r->messages[i - 1].role == ROLE_USER)
        TRY(put_pattern(r, f->after_user, &with, err));
    if (f->thinking_assistant == NULL || i <= r->last_question)
        return put_pattern(r, f->assistant, &with, err);
    with.thought = thought_of(m);
    if (i + 1 < r->count && with.thought.length == 0)
        return put_pattern(r, f->assistant, &with, err);
    with.content = drop_line_feeds(with.content);
    return put_pattern(r, f->thinking_assistant, &with, err);
}

static enum status
put_message(struct rendering *r, size_t i, struct error *err)
{
    const struct family *f = r->family;
    const struct message *m = &r->messages[i];
    struct filling with = {.content = {m->content, m->length}, .message = m};

    if (m->role == ROLE_ASSISTANT)
        return put_answer(r, i, err);
    if (m->role == ROLE_SYSTEM && f->systems != SYSTEMS_IN_PLACE)
        return STATUS_OK;
    if (f->trims)
        with.content = trim(with.content);
    return put_pattern(r, m->role == ROLE_USER ? f->user : f->system, &with,
                       err);
}

/* The assistant's opening, by the switch, and the answer's given start. */
static enum status
put_opening(struct rendering *r, const struct prompt_options *options,
            struct error *err)
{
    const struct family *f = r->family;
    struct filling none = {0};
    const char *behind_open = options->thinking == THINKING_ON ? f->open_on
                              : options->thinking == THINKING_OFF
                                  ? f->open_off
                                  : f->open_default;
    bool opened = f->opened_by_user && r->count > 0 &&
                  r->messages[r->count - 1].role == ROLE_USER;

    if (!opened)
        TRY(put_pattern(r, f->open, &none, err));
    if (behind_open != NULL) {
        TRY(put_pattern(r, behind_open, &none, err));
        r->out->thinking = strstr(behind_open, "<think>") != NULL &&
                           strstr(behind_open, "</think>") == NULL;
    }
    if (options->prefill == NULL)
        return STATUS_OK;
    if (f->traits.blank_first)
        TRY(prompt_pieces_text(r->out, " ", 1, err));
    return prompt_pieces_text(r->out, options->prefill, options->prefill_length,
                              err);
}

enum status
prompt_render(struct prompt_pieces *out, enum prompt_family family,
              const struct tokenizer *tokenizer, const struct message *messages,
              size_t count, const struct prompt_options *options,
              struct error *err)
{
    assert((unsigned) family < PROMPT_FAMILIES);
    struct rendering r = {.family = &families[family],
                          .tokenizer = tokenizer,
                          .messages = messages,
                          .count = count,
                          .last_question = count,
                          .out = out};

    for (size_t i = 0; i < count; i++)
        if (messages[i].role == ROLE_USER)
            r.last_question = i;
    prompt_pieces_clear(out);
    TRY(put_start(&r, err));
    for (size_t i = 0; i < count; i++)
        TRY(put_message(&r, i, err));
    return options->generate ? put_opening(&r, options, err) : STATUS_OK;
}

// -- generated answers -------------------------------------------------------

/* True for a token that is nothing but line feeds. */
static bool
is_line_feeds(const struct tokenizer *tokenizer, int32_t id)
{
    struct gguf_string piece = tokenizer_piece(tokenizer, id);

    return piece.length > 0 &&
           drop_line_feeds((struct slice){piece.bytes, piece.length}).length ==
               0;
}

/* Index behind the thought at the start of generated ids. */
static size_t
thought_end(const struct family *f, const struct tokenizer *tokenizer,
            bool thinking, const int32_t *ids, size_t count)
{
    int32_t open = tokenizer_find(tokenizer, f->traits.think_open);
    int32_t close = tokenizer_find(tokenizer, f->traits.think_close);
    size_t end = 0;

    for (size_t i = 0; i < count && close != TOKEN_NONE; i++) {
        thinking = (thinking || ids[i] == open) && ids[i] != close;
        if (ids[i] == close && (end == 0 || f->raw == RAW_CUT_AT_LAST))
            end = i + 1;
    }
    return thinking ? count : end;
}

void
prompt_answer_ids(enum prompt_family family, const struct tokenizer *tokenizer,
                  bool thinking, const int32_t *ids, size_t count,
                  size_t *first, size_t *kept)
{
    const struct family *f = &families[family];
    size_t start = 0;

    while (count > 0 && prompt_is_end(family, tokenizer, ids[count - 1]))
        count--;
    if (f->traits.thinks) {
        start = thought_end(f, tokenizer, thinking, ids, count);
        while (start > 0 && start < count &&
               is_line_feeds(tokenizer, ids[start]))
            start++;
    }
    if (f->end_text != NULL && count > start) {
        struct gguf_string piece = tokenizer_piece(tokenizer, ids[count - 1]);
        count -= strcmp(piece.bytes, f->end_text) == 0;
    }
    *first = start;
    *kept = count - start;
}

bool
prompt_is_end(enum prompt_family family, const struct tokenizer *tokenizer,
              int32_t id)
{
    const char *marker = families[family].user_marker;

    return tokenizer_is_end(tokenizer, id) ||
           (marker != NULL && tokenizer_find(tokenizer, marker) == id);
}
