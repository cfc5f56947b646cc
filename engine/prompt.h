/*
 * Conversations to prompts, by family. Renderers are compiled in and tested
 * against the published templates; template code in a file is never run, only
 * recognised.
 *
 * A prompt is a list of pieces: markers, which enter by id, and text, which
 * goes through the tokenizer as ordinary text; neighbouring text is one piece.
 *
 *   prompt_table.h   the families as patterns
 *   prompt.c         rendering
 *   prompt_pieces.h  the list of pieces being written
 *   prompt_family.c  which family a model file belongs to
 */
#ifndef FATHOM_ENGINE_PROMPT_H
#define FATHOM_ENGINE_PROMPT_H

#include "base/base.h"
#include "engine/tokenizer.h"

enum prompt_family {
    PROMPT_DEEPSEEK_V2,
    PROMPT_DEEPSEEK_CODER,
    PROMPT_DEEPSEEK_V25,
    PROMPT_DEEPSEEK_V3,
    PROMPT_DEEPSEEK_V3_0324,
    PROMPT_DEEPSEEK_R1,
    PROMPT_DEEPSEEK_R1_0528,
    PROMPT_DEEPSEEK_V31,
    PROMPT_R1_DISTILL, // Qwen and Llama distills alike
    PROMPT_R1_0528_QWEN3,
    PROMPT_KIMI_K2,
    PROMPT_MOONLIGHT,
    PROMPT_SMOLLM2,
    PROMPT_QWEN2,
    PROMPT_QWEN3,
    PROMPT_LLAMA3,
    PROMPT_FAMILIES, // how many there are
};

enum role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT };

struct message {
    enum role role;
    const char *content;
    size_t length;
    const char *reasoning; // the thought, kept apart; may be NULL
    size_t reasoning_length;
    // for answers this session generated: their own ids replace the content's,
    // without their thought and the end token
    const int32_t *ids;
    size_t id_count;
};

/* A switch of families that have one. */
enum thinking { THINKING_DEFAULT, THINKING_ON, THINKING_OFF };

struct prompt_options {
    enum thinking thinking;
    const char *prefill; // start of the answer to be continued, or NULL
    size_t prefill_length;
    // only of families that think:
    bool opens_thought;    // the prefill is a thought's; its marker is put
                           // also where the model would have begun with it
    const char *reasoning; // the whole thought before the answer, or NULL
    size_t reasoning_length;
    bool generate; // ends with the assistant's opening
};

struct prompt_piece {
    bool special;         // a marker's text
    size_t start, length; // of it in prompt_pieces.text
    const int32_t *ids;   // generated ids in place of text, or NULL
    size_t id_count;
};

/* Start from {0}. Borrows the ids of messages. */
struct prompt_pieces {
    struct prompt_piece *piece;
    size_t count, capacity;
    struct buffer text; // the prompt as a string: all pieces with text
    bool thinking;      // generation starts inside a thought
};

/* What a family needs to know about itself. */
struct prompt_traits {
    const char *name;        // "deepseek-r1"
    bool thinks;             // thoughts are tracked as a channel
    bool has_switch;         // thinking can be turned on and off
    bool blank_first;        // an answer starts with a blank, not to be shown
    const char *think_open;  // "<think>" or NULL
    const char *think_close; // "</think>" or NULL
    const char *cut_before;  // text before think_close in a thought cut short
    const char *cut_after;   // text behind it
    // recommended sampling; a file's general.sampling.* goes before it
    float temperature, top_p;
};

const struct prompt_traits *prompt_traits(enum prompt_family family);
bool prompt_family_find(enum prompt_family *out, const char *name);

/*
 * Recognises the family of a model from its template, names and vocabulary.
 * *sure is false when it had to guess; `why` (one sentence) says from what.
 */
enum prompt_family prompt_family_of(const struct gguf *gguf,
                                    const struct tokenizer *tokenizer,
                                    bool *sure, char *why, size_t why_size);

/*
 * Renders a conversation into *out, whose former content is dropped. A marker
 * that the vocabulary does not have is text; without a tokenizer (NULL) every
 * marker is there. An empty system message is rendered as the template does:
 * leave it out if none is meant.
 */
MUST_CHECK enum status
prompt_render(struct prompt_pieces *out, enum prompt_family family,
              const struct tokenizer *tokenizer, const struct message *messages,
              size_t count, const struct prompt_options *options,
              struct error *err);
void prompt_pieces_release(struct prompt_pieces *pieces);

/*
 * Appends the ids of rendered pieces. *thinking is true when generation
 * starts inside a thought.
 */
MUST_CHECK enum status prompt_tokens(const struct prompt_pieces *pieces,
                                     const struct tokenizer *tokenizer,
                                     struct tokens *out, bool *thinking,
                                     struct error *err);

/* True for a token that ends an answer in this family: an end token, or the
 * marker that would open the user's next turn. */
bool prompt_is_end(enum prompt_family family, const struct tokenizer *tokenizer,
                   int32_t id);

#endif
