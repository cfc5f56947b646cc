/* engine/prompt.h against the published templates' own output. */
#include "config.h"

#include "tests/unit/gguf_writer.h"
#include "tests/unit/golden_file.h"
#include "tests/unit/vocabulary_files.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGES_MAX = 16 };

/* A conversation as the files write it. */
struct conversation {
    json_t *json;
    struct message messages[MESSAGES_MAX];
    size_t count;
    struct prompt_options options;
};

static json_t *
parse(const char *line)
{
    json_error_t error;
    json_t *json = json_loads(line, JSON_ALLOW_NUL, &error);

    if (json == NULL)
        fail_msg("%s: %.80s", error.text, line);
    return json;
}

static enum role
role_named(const char *name)
{
    return strcmp(name, "system") == 0 ? ROLE_SYSTEM
           : strcmp(name, "user") == 0 ? ROLE_USER
                                       : ROLE_ASSISTANT;
}

static void
read_conversation(struct conversation *c, const char *line)
{
    *c = (struct conversation){.json = parse(line)};
    json_t *messages = json_object_get(c->json, "messages"), *item;
    json_t *thinking = json_object_get(c->json, "thinking");
    json_t *prefill = json_object_get(c->json, "prefill");
    size_t i;

    json_array_foreach(messages, i, item)
    {
        json_t *content = json_object_get(item, "content");
        json_t *thought = json_object_get(item, "reasoning_content");

        assert_true(c->count < MESSAGES_MAX);
        c->messages[c->count++] = (struct message){
            .role =
                role_named(json_string_value(json_object_get(item, "role"))),
            .content = json_string_value(content),
            .length = json_string_length(content),
            .reasoning = json_string_value(thought),
            .reasoning_length = json_string_length(thought),
        };
    }
    c->options = (struct prompt_options){
        .thinking = json_is_true(thinking)    ? THINKING_ON
                    : json_is_false(thinking) ? THINKING_OFF
                                              : THINKING_DEFAULT,
        .prefill = json_string_value(prefill),
        .prefill_length = json_string_length(prefill),
        .generate = json_is_true(json_object_get(c->json, "generate")),
    };
}

/* The conversation that a golden line is about. */
static void
find_conversation(struct conversation *out, const char *name)
{
    struct golden_file file;
    char *line;

    golden_open(&file, "prompts/conversations.jsonl");
    while ((line = golden_line(&file)) != NULL) {
        read_conversation(out, line);
        if (strcmp(json_string_value(json_object_get(out->json, "case")),
                   name) == 0)
            break;
        json_decref(out->json);
    }
    assert_non_null(line);
    golden_close(&file);
}

static bool
same_text(const struct prompt_pieces *pieces, json_t *golden)
{
    json_t *text = json_object_get(golden, "text");

    return json_string_length(text) == pieces->text.length &&
           memcmp(json_string_value(text), pieces->text.data,
                  pieces->text.length) == 0;
}

static bool
same_pieces(const struct prompt_pieces *pieces, json_t *golden)
{
    json_t *list = json_object_get(golden, "pieces"), *item;
    size_t i;

    if (json_array_size(list) != pieces->count)
        return false;
    json_array_foreach(list, i, item)
    {
        const struct prompt_piece *piece = &pieces->piece[i];
        json_t *text =
            json_object_get(item, piece->special ? "special" : "text");

        if (text == NULL || json_string_length(text) != piece->length ||
            memcmp(json_string_value(text), pieces->text.data + piece->start,
                   piece->length) != 0)
            return false;
    }
    return true;
}

static bool
same_ids(const struct prompt_pieces *pieces, const struct tokenizer *tokenizer,
         json_t *golden)
{
    json_t *list = json_object_get(golden, "ids"), *item;
    struct tokens tokens = {0};
    struct error err;
    bool thinking;
    size_t i;

    if (list == NULL)
        return true;
    assert_non_null(tokenizer);
    assert_int_equal(prompt_tokens(pieces, tokenizer, &tokens, &thinking, &err),
                     STATUS_OK);
    bool same = tokens.count == json_array_size(list);
    json_array_foreach(list, i, item)
    {
        same = same && json_integer_value(item) == tokens.ids[i];
    }
    tokens_release(&tokens);
    return same;
}

static bool
line_is_rendered(enum prompt_family family, const struct tokenizer *tokenizer,
                 const char *line)
{
    json_t *golden = parse(line);
    const char *name = json_string_value(json_object_get(golden, "case"));
    struct conversation c;
    struct prompt_pieces pieces = {0};
    struct error err;

    find_conversation(&c, name);
    assert_int_equal(prompt_render(&pieces, family, tokenizer, c.messages,
                                   c.count, &c.options, &err),
                     STATUS_OK);
    bool text = same_text(&pieces, golden);
    bool same = text && same_pieces(&pieces, golden) &&
                same_ids(&pieces, tokenizer, golden);
    if (!same)
        print_message("# %s, %s: %s differ; got %.300s\n",
                      prompt_traits(family)->name, name,
                      text ? "pieces or ids" : "text", pieces.text.data);
    prompt_pieces_release(&pieces);
    json_decref(c.json);
    json_decref(golden);
    return same;
}

static void
every_conversation_is_rendered_as_its_family_does(void **state)
{
    static const struct {
        const char *file, *family, *vocabulary, *variant, *pre;
        size_t lines;
    } goldens[] = {
        {"deepseek-v2", "deepseek-v2", "deepseek-llm", NULL, NULL, 30},
        {"deepseek-coder", "deepseek-coder", "deepseek-coder", NULL, NULL, 30},
        {"deepseek-v2.5", "deepseek-v2.5", NULL, NULL, NULL, 30},
        {"deepseek-v3", "deepseek-v3", "deepseek-v3", NULL, NULL, 30},
        {"deepseek-v3-0324", "deepseek-v3-0324", "deepseek-v3", NULL, NULL, 30},
        {"deepseek-r1", "deepseek-r1", "deepseek-v3", "deepseek-r1", NULL, 38},
        {"deepseek-r1-0528", "deepseek-r1-0528", "deepseek-v3", "deepseek-r1",
         NULL, 38},
        {"deepseek-v3.1", "deepseek-v3.1", "deepseek-v3", "deepseek-v3.1", NULL,
         38},
        {"r1-distill-llama", "r1-distill", "llama3_1", "r1-distill-llama", NULL,
         38},
        {"r1-distill-qwen", "r1-distill", "qwen2", "r1-distill-qwen",
         "deepseek-r1-qwen", 38},
        {"r1-0528-qwen3-8b", "r1-0528-qwen3-8b", NULL, NULL, NULL, 38},
        {"kimi-k2", "kimi-k2", NULL, NULL, NULL, 30},
        {"moonlight", "moonlight", NULL, NULL, NULL, 30},
        {"smollm2", "smollm2", "smollm", NULL, NULL, 30},
        {"qwen2", "qwen2", "qwen2", NULL, NULL, 30},
        {"qwen3", "qwen3", "qwen2", NULL, NULL, 38},
        {"llama3", "llama3", "llama3_1", NULL, NULL, 30},
    };
    size_t wrong = 0;

    (void) state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        struct vocabulary_file vocabulary = {0};
        struct golden_file file;
        enum prompt_family family;
        char name[128], *line;

        assert_true(prompt_family_find(&family, goldens[i].family));
        if (goldens[i].vocabulary != NULL)
            vocabulary_file_open(&vocabulary, goldens[i].vocabulary,
                                 goldens[i].variant, goldens[i].pre);
        snprintf(name, sizeof name, "prompts/%s.jsonl", goldens[i].file);
        golden_open(&file, name);
        while ((line = golden_line(&file)) != NULL)
            wrong += !line_is_rendered(family, vocabulary.tokenizer, line);
        assert_int_equal(file.line, goldens[i].lines);
        golden_close(&file);
        vocabulary_file_close(&vocabulary);
    }
    assert_int_equal(wrong, 0);
}

// -- SmolLM2's own conversations ----------------------------------------------

static size_t
from_hex(char *text)
{
    size_t n = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;

    for (size_t i = 0; i < n; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        text[i] = (char) strtoul(digits, NULL, 16);
    }
    return n;
}

/* One conversation of the file, being read. */
struct chat {
    struct message messages[MESSAGES_MAX];
    size_t count;
    bool generate;
    const char *name, *prompt, *ids;
    size_t prompt_length;
};

static void
read_chat_line(struct chat *chat, char *line)
{
    char *value = strchr(line, ' ');

    assert_non_null(value);
    *value++ = '\0';
    if (strcmp(line, "chat") == 0) {
        *chat = (struct chat){.name = value};
    } else if (strcmp(line, "generation") == 0) {
        chat->generate = *value == '1';
    } else if (strcmp(line, "prompt") == 0) {
        chat->prompt_length = from_hex(value);
        chat->prompt = value;
    } else if (strcmp(line, "ids") == 0) {
        chat->ids = value;
    } else {
        assert_true(chat->count < MESSAGES_MAX);
        size_t length = from_hex(value);
        chat->messages[chat->count++] = (struct message){
            .role = role_named(line), .content = value, .length = length};
    }
}

static void
assert_ids(const struct tokens *tokens, const char *want)
{
    for (size_t i = 0; i < tokens->count; i++) {
        char *end;
        assert_int_equal(strtol(want, &end, 10), tokens->ids[i]);
        assert_true(end > want);
        want = end;
    }
    assert_string_equal(want, "");
}

static void
assert_chat(const struct chat *chat, const struct tokenizer *tokenizer)
{
    struct prompt_options options = {.generate = chat->generate};
    struct prompt_pieces pieces = {0};
    struct tokens tokens = {0};
    struct error err;
    bool thinking = true;

    assert_int_equal(prompt_render(&pieces, PROMPT_SMOLLM2, tokenizer,
                                   chat->messages, chat->count, &options, &err),
                     STATUS_OK);
    assert_int_equal(pieces.text.length, chat->prompt_length);
    assert_memory_equal(pieces.text.data, chat->prompt, chat->prompt_length);
    assert_int_equal(
        prompt_tokens(&pieces, tokenizer, &tokens, &thinking, &err), STATUS_OK);
    assert_false(thinking);
    assert_ids(&tokens, chat->ids);
    tokens_release(&tokens);
    prompt_pieces_release(&pieces);
}

static void
the_chats_of_smollm2_have_their_ids(void **state)
{
    struct vocabulary_file file;
    struct golden_file chats;
    struct chat chat = {0};
    size_t count = 0;
    char *line;

    (void) state;
    vocabulary_file_open(&file, "smollm", NULL, NULL);
    golden_open(&chats, "prompts/smollm2-chat.txt");
    while ((line = golden_line(&chats)) != NULL) {
        if (strcmp(line, "end") != 0) {
            read_chat_line(&chat, line);
            continue;
        }
        assert_chat(&chat, file.tokenizer);
        count++;
    }
    assert_int_equal(count, 12);
    golden_close(&chats);
    vocabulary_file_close(&file);
}

// -- families of files --------------------------------------------------------

/* A small file: architecture, name, template, and some markers. */
struct sample {
    const char *arch, *name;
    const char *template_file; // under tests/data/templates, or NULL
    const char *template_text; // or NULL
    const char *markers[4];
    const char *family;
    bool sure;
};

static void
open_sample(const struct sample *sample, struct vocabulary_file *file)
{
    const char *tokens[8] = {"a", "b"}, *const merges[] = {"a b"};
    struct gguf_writer w = {0};
    struct golden_file template = {0};
    struct error err;
    size_t count = 2;

    while (count - 2 < 4 && sample->markers[count - 2] != NULL) {
        tokens[count] = sample->markers[count - 2];
        count++;
    }
    gguf_writer_string(&w, "general.architecture", sample->arch);
    if (sample->name != NULL)
        gguf_writer_string(&w, "general.name", sample->name);
    if (sample->template_file != NULL) {
        golden_open(&template, sample->template_file);
        gguf_writer_string(&w, "tokenizer.chat_template", template.bytes.data);
        golden_close(&template);
    } else if (sample->template_text != NULL) {
        gguf_writer_string(&w, "tokenizer.chat_template",
                           sample->template_text);
    }
    gguf_writer_string(&w, "tokenizer.ggml.model", "gpt2");
    gguf_writer_string(&w, "tokenizer.ggml.pre", "deepseek-v3");
    gguf_writer_strings(&w, "tokenizer.ggml.tokens", tokens, count);
    gguf_writer_strings(&w, "tokenizer.ggml.merges", merges, 1);
    assert_int_equal(gguf_writer_open(&w, &file->gguf, &err), STATUS_OK);
    assert_int_equal(tokenizer_open(&file->tokenizer, file->gguf, &err),
                     STATUS_OK);
}

static void
assert_recognised(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vocabulary_file file;
        char why[256];
        bool sure;

        open_sample(&samples[i], &file);
        enum prompt_family family =
            prompt_family_of(file.gguf, file.tokenizer, &sure, why, sizeof why);
        if (strcmp(prompt_traits(family)->name, samples[i].family) != 0 ||
            sure != samples[i].sure)
            fail_msg("sample %zu: %s (%s), want %s", i,
                     prompt_traits(family)->name, why, samples[i].family);
        assert_true(strlen(why) > 10);
        vocabulary_file_close(&file);
    }
}

static void
published_templates_are_recognised(void **state)
{
    static const struct sample samples[] = {
        {.arch = "deepseek2",
         .template_file = "templates/deepseek-v3.jinja",
         .family = "deepseek-v3",
         .sure = true},
        {.arch = "llama",
         .template_file = "templates/llama3_1.jinja",
         .family = "llama3",
         .sure = true},
        {.arch = "qwen3",
         .template_file = "templates/qwen3.jinja",
         .family = "qwen3",
         .sure = true},
        {.arch = "llama",
         .template_file = "templates/smollm2.jinja",
         .family = "smollm2",
         .sure = true},
        {.arch = "deepseek2",
         .template_file = "templates/fathom-mini.jinja",
         .family = "deepseek-r1",
         .sure = true},
        {.arch = "deepseek2",
         .template_file = "templates/Kimi-K2-Instruct.jinja",
         .family = "kimi-k2",
         .sure = true},
        {.arch = "llama",
         .template_file =
             "templates/deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja",
         .family = "r1-distill",
         .sure = true},
        {.arch = "qwen2",
         .template_file =
             "templates/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
         .family = "r1-distill",
         .sure = true},
        {.arch = "deepseek2",
         .template_file = "templates/deepseek-ai-DeepSeek-V3.1.jinja",
         .family = "deepseek-v3.1",
         .sure = true},
    };

    (void) state;
    assert_recognised(samples, sizeof samples / sizeof *samples);
}

/* The lines by which other families' templates are told apart. */
static void
telling_lines_of_templates_are_recognised(void **state)
{
    static const struct sample samples[] = {
        {.arch = "deepseek2",
         .template_text = "{{ 'User: ' + message['content'] + '\n\n' }}"
                          "{{ 'Assistant: ' + message['content'] }}",
         .family = "deepseek-v2",
         .sure = true},
        {.arch = "llama",
         .template_text = "{{ '### Instruction:\n' + message['content'] }}"
                          "{{ '\n<|EOT|>\n' }}",
         .family = "deepseek-coder",
         .sure = true},
        {.arch = "deepseek2",
         .template_text = "{{'<｜User｜>' + message['content']}}"
                          "{{'<｜Assistant｜>' + message['content']}}",
         .family = "deepseek-v2.5",
         .sure = true},
        {.arch = "deepseek2",
         .template_text =
             "{%- set ns.is_first_sp = false -%}"
             "{{'<｜User｜>' + message['content'] + '<｜Assistant｜>'}}",
         .family = "deepseek-v3-0324",
         .sure = true},
        {.arch = "deepseek2",
         .template_text =
             "{{'<｜User｜>' + message['content'] + '<｜Assistant｜>'}}"
             "{% set content = content.split('</think>')[-1] %}",
         .family = "deepseek-r1-0528",
         .sure = true},
        {.arch = "qwen3",
         .template_text =
             "{{'<｜User｜>' + message['content'] + '<｜Assistant｜>'}}"
             "{% set content = content.split('</think>')[-1] %}",
         .family = "r1-0528-qwen3-8b",
         .sure = true},
        {.arch = "deepseek2",
         .template_text =
             "{% if not thinking is defined %}{% set thinking = false %}"
             "{% endif %}{{'<｜User｜>' + message['content']}}"
             "{{'<｜Assistant｜>'}}{{'</think>'}}",
         .family = "deepseek-v3.1",
         .sure = true},
        {.arch = "deepseek2",
         .template_text = "{{'<|im_user|>user<|im_middle|>'}}"
                          "You are a helpful assistant<|im_end|>",
         .family = "moonlight",
         .sure = true},
        {.arch = "qwen2",
         .template_text = "{{ '<|im_start|>system\nYou are a helpful "
                          "assistant.<|im_end|>\n' }}",
         .family = "qwen2",
         .sure = true},
        {.arch = "qwen2", // a line feed written as Jinja does
         .template_text = "{{ '<|im_start|>system\\nYou are a helpful "
                          "assistant.<|im_end|>\\n' }}",
         .family = "qwen2",
         .sure = true},
        {.arch = "qwen2",
         .template_text = "{{ '<|im_start|>system\nYou are Qwen. You are a "
                          "helpful assistant.<|im_end|>\n' }}",
         .family = "qwen2",
         .sure = false},
        {.arch = "llama",
         .template_text = "{{ '<|start_header_id|>system<|end_header_id|>' }}"
                          "{{ 'Cutting Knowledge Date: December 2023' }}",
         .family = "llama3",
         .sure = false},
        // like it, but with another default: said to be a guess
        {.arch = "qwen2",
         .template_text = "{{'<|im_start|>' + role + '<|im_end|>'}}",
         .family = "qwen2",
         .sure = false},
    };

    (void) state;
    assert_recognised(samples, sizeof samples / sizeof *samples);
}

static void
without_a_known_template_names_then_markers_decide(void **state)
{
    static const struct sample samples[] = {
        {.arch = "deepseek2",
         .name = "DeepSeek R1 0528",
         .family = "deepseek-r1-0528"},
        {.arch = "qwen2",
         .name = "DeepSeek_R1_Distill_Qwen_7B",
         .family = "r1-distill"},
        {.arch = "deepseek2",
         .name = "DeepSeek-V2-Lite-Chat",
         .template_text = "{{ nothing.known }}",
         .family = "deepseek-v2"},
        {.arch = "deepseek2",
         .name = "DeepSeek-Coder-V2-Lite-Instruct",
         .family = "deepseek-v2"},
        {.arch = "deepseek2",
         .markers = {"<｜User｜>", "<think>", "<｜search▁begin｜>"},
         .family = "deepseek-v3.1"},
        {.arch = "deepseek2",
         .markers = {"<｜User｜>", "<think>"},
         .family = "deepseek-r1"},
        {.arch = "llama",
         .markers = {"<｜User｜>", "<think>"},
         .family = "r1-distill"},
        {.arch = "deepseek2",
         .markers = {"<｜User｜>"},
         .family = "deepseek-v3"},
        {.arch = "llama",
         .markers = {"<|start_header_id|>"},
         .family = "llama3"},
        {.arch = "qwen3",
         .markers = {"<|im_start|>", "<think>"},
         .family = "qwen3"},
        {.arch = "llama", .name = "\x1B[2J", .family = "deepseek-v2"},
    };

    (void) state;
    assert_recognised(samples, sizeof samples / sizeof *samples);
}

// -- details ------------------------------------------------------------------

#define TEXT(text) .content = text, .length = sizeof text - 1

static void
assert_rendered(enum prompt_family family, const struct tokenizer *tokenizer,
                const struct message *messages, size_t count,
                enum thinking thinking, const char *text, bool in_thought)
{
    struct prompt_options options = {.thinking = thinking, .generate = true};
    struct prompt_pieces pieces = {0};
    struct error err;

    assert_int_equal(prompt_render(&pieces, family, tokenizer, messages, count,
                                   &options, &err),
                     STATUS_OK);
    assert_string_equal(pieces.text.data, text);
    assert_true(pieces.thinking == in_thought);
    prompt_pieces_release(&pieces);
}

static void
the_switch_says_whether_generation_starts_in_a_thought(void **state)
{
    const struct message hi[] = {{.role = ROLE_USER, TEXT("Hi")}};
    static const struct {
        enum prompt_family family;
        bool by_default, on, off;
    } starts[] = {
        {PROMPT_DEEPSEEK_V3, false, false, false},
        {PROMPT_DEEPSEEK_R1, true, true, false},
        {PROMPT_R1_DISTILL, true, true, false},
        {PROMPT_DEEPSEEK_R1_0528, false, false, false},
        {PROMPT_DEEPSEEK_V31, false, true, false},
        {PROMPT_QWEN3, false, false, false},
    };

    (void) state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        const bool want[] = {
            [THINKING_DEFAULT] = starts[i].by_default,
            [THINKING_ON] = starts[i].on,
            [THINKING_OFF] = starts[i].off,
        };
        for (int t = THINKING_DEFAULT; t <= THINKING_OFF; t++) {
            struct prompt_options options = {.thinking = (enum thinking) t,
                                             .generate = true};
            struct prompt_pieces pieces = {0};
            struct error err;

            assert_int_equal(prompt_render(&pieces, starts[i].family, NULL, hi,
                                           1, &options, &err),
                             STATUS_OK);
            assert_true(pieces.thinking == want[t]);
            prompt_pieces_release(&pieces);
        }
    }
}

static void
a_marker_that_the_vocabulary_lacks_is_text(void **state)
{
    const struct sample sample = {.arch = "deepseek2",
                                  .markers = {"<｜User｜>"}};
    const struct message hi[] = {{.role = ROLE_USER, TEXT("a")}};
    struct prompt_options options = {.generate = true};
    struct prompt_pieces pieces = {0};
    struct vocabulary_file file;
    struct error err;

    (void) state;
    open_sample(&sample, &file);
    assert_int_equal(prompt_render(&pieces, PROMPT_DEEPSEEK_R1, file.tokenizer,
                                   hi, 1, &options, &err),
                     STATUS_OK);
    assert_int_equal(pieces.count, 3);
    assert_false(pieces.piece[0].special); // begin of sentence
    assert_true(pieces.piece[1].special);
    assert_false(pieces.piece[2].special); // all the rest is one text
    assert_int_equal(pieces.piece[2].length,
                     strlen("a<｜Assistant｜><think>\n"));
    assert_true(pieces.thinking); // all the same
    prompt_pieces_release(&pieces);
    vocabulary_file_close(&file);
}

static void
generated_answers_enter_by_their_own_ids(void **state)
{
    const int32_t ids[] = {7, 8, 9};
    const struct message messages[] = {
        {.role = ROLE_USER, TEXT("Hello")},
        {.role = ROLE_ASSISTANT, TEXT("not used"), .ids = ids, .id_count = 3},
        {.role = ROLE_USER, TEXT("Who are you")},
    };
    struct prompt_options options = {.generate = true};
    struct prompt_pieces pieces = {0};
    struct tokens tokens = {0};
    struct vocabulary_file file;
    struct error err;
    bool thinking;

    (void) state;
    vocabulary_file_open(&file, "deepseek-v3", NULL, NULL);
    assert_int_equal(prompt_render(&pieces, PROMPT_DEEPSEEK_V3, file.tokenizer,
                                   messages, 3, &options, &err),
                     STATUS_OK);
    assert_int_equal(
        prompt_tokens(&pieces, file.tokenizer, &tokens, &thinking, &err),
        STATUS_OK);
    assert_ids(&tokens, "0 128803 19923 128804 7 8 9 1 "
                        "128803 18387 477 440 128804");
    tokens_release(&tokens);
    prompt_pieces_release(&pieces);
    vocabulary_file_close(&file);
    // the blank before an answer of V2 is one of its ids already
    assert_rendered(PROMPT_DEEPSEEK_V2, NULL, messages, 2, THINKING_DEFAULT,
                    "<｜begin▁of▁sentence｜>User: Hello\n\nAssistant:"
                    "<｜end▁of▁sentence｜>Assistant:",
                    false);
}

static void
the_line_feed_before_an_end_marker_is_the_templates(void **state)
{
    const int32_t ids[] = {7, 8, 185}; // the last is a line feed
    const struct message messages[] = {
        {.role = ROLE_USER, TEXT("Hi")},
        {.role = ROLE_ASSISTANT, TEXT("not used"), .ids = ids, .id_count = 3},
    };
    struct prompt_options options = {.generate = false};
    struct prompt_pieces pieces = {0};
    struct vocabulary_file file;
    struct error err;

    (void) state;
    vocabulary_file_open(&file, "deepseek-coder", NULL, NULL);
    assert_int_equal(prompt_render(&pieces, PROMPT_DEEPSEEK_CODER,
                                   file.tokenizer, messages, 2, &options, &err),
                     STATUS_OK);
    assert_int_equal(pieces.count, 6);
    assert_ptr_equal(pieces.piece[2].ids, ids);
    assert_int_equal(pieces.piece[2].id_count, 2);
    prompt_pieces_release(&pieces);
    vocabulary_file_close(&file);
}

static void
an_answer_ends_at_an_end_token_or_the_users_marker(void **state)
{
    struct vocabulary_file file;

    (void) state;
    vocabulary_file_open(&file, "deepseek-v3", NULL, NULL);
    const struct tokenizer *t = file.tokenizer;
    assert_true(prompt_is_end(PROMPT_DEEPSEEK_V3, t, 1));
    assert_true(prompt_is_end(PROMPT_DEEPSEEK_V3, t, 128803)); // the user's
    assert_false(prompt_is_end(PROMPT_DEEPSEEK_V3, t, 128804));
    assert_false(prompt_is_end(PROMPT_DEEPSEEK_V2, t, 128803));
    assert_true(prompt_is_end(PROMPT_DEEPSEEK_V2, t, 1));
    vocabulary_file_close(&file);
}

static void
rendering_again_forgets_what_was_there(void **state)
{
    const struct message hi[] = {{.role = ROLE_USER, TEXT("Hi")}};
    struct prompt_options options = {.generate = true};
    struct prompt_pieces pieces = {0};
    struct error err;

    (void) state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(prompt_render(&pieces, PROMPT_DEEPSEEK_R1, NULL, hi, 1,
                                       &options, &err),
                         STATUS_OK);
    assert_int_equal(pieces.count, 6);
    assert_int_equal(
        prompt_render(&pieces, PROMPT_DEEPSEEK_V3, NULL, hi, 1, &options, &err),
        STATUS_OK);
    assert_false(pieces.thinking);
    prompt_pieces_release(&pieces);
}

/* By hand, from the families' published ways to write a thought. */
static void
a_given_thought_stands_closed_before_the_answer(void **state)
{
    static const struct {
        enum prompt_family family;
        const char *text, *begun;
    } cases[] = {
        {PROMPT_DEEPSEEK_R1, "<think>\nHm.\n</think>\n\nSo", "<think>\nHm."},
        {PROMPT_DEEPSEEK_R1_0528, "<think>\nHm.\n</think>\n\nSo",
         "<think>\nHm."},
        {PROMPT_DEEPSEEK_V31, "<think>Hm.</think>So", "<think>Hm."},
        {PROMPT_QWEN3, "<think>\nHm.\n</think>\n\nSo", "<think>\nHm."},
    };
    const struct message hi[] = {{.role = ROLE_USER, TEXT("Hi")}};
    struct prompt_pieces pieces = {0};
    struct error err;

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prompt_options closed = {.prefill = "So",
                                        .prefill_length = 2,
                                        .reasoning = "Hm.",
                                        .reasoning_length = 3,
                                        .generate = true};
        struct prompt_options open = {.thinking = THINKING_ON,
                                      .prefill = "Hm.",
                                      .prefill_length = 3,
                                      .opens_thought = true,
                                      .generate = true};

        assert_int_equal(
            prompt_render(&pieces, cases[i].family, NULL, hi, 1, &closed, &err),
            STATUS_OK);
        assert_string_equal(pieces.text.data + pieces.text.length -
                                strlen(cases[i].text),
                            cases[i].text);
        assert_false(pieces.thinking);
        assert_int_equal(
            prompt_render(&pieces, cases[i].family, NULL, hi, 1, &open, &err),
            STATUS_OK);
        assert_string_equal(pieces.text.data + pieces.text.length -
                                strlen(cases[i].begun),
                            cases[i].begun);
        assert_true(pieces.thinking);
    }
    prompt_pieces_release(&pieces);
}

static void
every_family_is_found_by_its_name(void **state)
{
    enum prompt_family found;

    (void) state;
    for (unsigned i = 0; i < PROMPT_FAMILIES; i++) {
        const struct prompt_traits *traits =
            prompt_traits((enum prompt_family) i);
        assert_true(prompt_family_find(&found, traits->name));
        assert_int_equal(found, i);
        assert_true(traits->thinks == (traits->think_close != NULL));
    }
    assert_false(prompt_family_find(&found, "deepseek"));
}

static void
every_allocation_of_a_prompt_may_fail(void **state)
{
    const struct message hi[] = {{.role = ROLE_USER, TEXT("Hi")}};
    struct prompt_options options = {.generate = true};
    struct vocabulary_file file;
    unsigned long n = 0;
    enum status status;

    (void) state;
    vocabulary_file_open(&file, "smollm", NULL, NULL);
    do {
        struct prompt_pieces pieces = {0};
        struct tokens tokens = {0};
        struct error err;
        bool thinking;

        fault_arm(++n);
        status = prompt_render(&pieces, PROMPT_SMOLLM2, file.tokenizer, hi, 1,
                               &options, &err);
        if (status == STATUS_OK)
            status = prompt_tokens(&pieces, file.tokenizer, &tokens, &thinking,
                                   &err);
        fault_arm(0);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        tokens_release(&tokens);
        prompt_pieces_release(&pieces);
    } while (status != STATUS_OK);
    assert_true(n > 4);
    vocabulary_file_close(&file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversation_is_rendered_as_its_family_does),
        cmocka_unit_test(the_chats_of_smollm2_have_their_ids),
        cmocka_unit_test(published_templates_are_recognised),
        cmocka_unit_test(telling_lines_of_templates_are_recognised),
        cmocka_unit_test(without_a_known_template_names_then_markers_decide),
        cmocka_unit_test(
            the_switch_says_whether_generation_starts_in_a_thought),
        cmocka_unit_test(a_marker_that_the_vocabulary_lacks_is_text),
        cmocka_unit_test(generated_answers_enter_by_their_own_ids),
        cmocka_unit_test(the_line_feed_before_an_end_marker_is_the_templates),
        cmocka_unit_test(an_answer_ends_at_an_end_token_or_the_users_marker),
        cmocka_unit_test(rendering_again_forgets_what_was_there),
        cmocka_unit_test(a_given_thought_stands_closed_before_the_answer),
        cmocka_unit_test(every_family_is_found_by_its_name),
        cmocka_unit_test(every_allocation_of_a_prompt_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
