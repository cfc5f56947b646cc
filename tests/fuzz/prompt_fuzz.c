/*
 * Any conversation in every family. The markers of a prompt depend on who
 * speaks and never on what is said: a second rendering with other words has
 * the same ones.
 *
 * Bytes below 3 end a message and say who speaks next; 3 starts a thought.
 */
#include "config.h"

#include "engine/engine.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MOST = 16, THOUGHT = 3 };

static size_t
read_messages(struct message *messages, const char *text, size_t length)
{
    size_t count = 0, start = 0;
    enum role role = ROLE_USER;

    for (size_t i = 0; i <= length && count < MOST; i++) {
        if (i < length && (uint8_t) text[i] > THOUGHT)
            continue;
        struct message *m = &messages[count];
        if (i < length && text[i] == THOUGHT) {
            m->reasoning = text + start;
            m->reasoning_length = i - start;
        } else {
            m->role = role;
            m->content = text + start;
            m->length = i - start;
            role = i < length ? (enum role) text[i] : role;
            count++;
        }
        start = i + 1;
    }
    return count;
}

static void
render(struct prompt_pieces *out, enum prompt_family family,
       const struct message *messages, size_t count, enum thinking thinking)
{
    struct prompt_options options = {.thinking = thinking, .generate = true};
    struct error err;

    if (prompt_render(out, family, NULL, messages, count, &options, &err) !=
        STATUS_OK)
        abort();
}

static const struct prompt_piece *
next_marker(const struct prompt_pieces *pieces, size_t *at)
{
    while (*at < pieces->count && !pieces->piece[*at].special)
        ++*at;
    return *at < pieces->count ? &pieces->piece[(*at)++] : NULL;
}

static void
check_same_markers(const struct prompt_pieces *a, const struct prompt_pieces *b)
{
    size_t at = 0, bt = 0;

    for (;;) {
        const struct prompt_piece *x = next_marker(a, &at);
        const struct prompt_piece *y = next_marker(b, &bt);

        if (x == NULL && y == NULL)
            return;
        if (x == NULL || y == NULL || x->length != y->length ||
            memcmp(a->text.data + x->start, b->text.data + y->start,
                   x->length) != 0)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct message messages[MOST] = {{0}}, others[MOST];
    struct prompt_pieces pieces = {0}, plain = {0};

    if (length == 0)
        return 0;
    enum thinking thinking = (enum thinking)(bytes[0] % 3);
    size_t count =
        read_messages(messages, (const char *) bytes + 1, length - 1);

    for (size_t i = 0; i < count; i++) {
        others[i] = messages[i];
        others[i].content = "words";
        others[i].length = 5;
    }
    for (unsigned f = 0; f < PROMPT_FAMILIES; f++) {
        enum prompt_family family = (enum prompt_family) f;
        render(&pieces, family, messages, count, thinking);
        render(&plain, family, others, count, thinking);
        // Qwen3 writes the markers of a thought that it finds in an answer
        if (family != PROMPT_QWEN3)
            check_same_markers(&pieces, &plain);
    }
    prompt_pieces_release(&pieces);
    prompt_pieces_release(&plain);
    return 0;
}
