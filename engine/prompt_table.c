/* One family after the other. Sources: the models' published templates. */
#include "config.h"

#include "engine/prompt_table.h"

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

const struct family prompt_table[PROMPT_FAMILIES] = {
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
