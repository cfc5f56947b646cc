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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversation_is_rendered_as_its_family_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
