/* A growable array of turns. */
#include "config.h"

#include "app/conversation.h"

#include "app/generation.h"

#include <stdlib.h>
#include <string.h>

static enum status
grow(struct conversation *c, struct error *err)
{
    size_t capacity = c->capacity ? 2 * c->capacity : 16;
    void *memory;

    if (c->count < c->capacity)
        return STATUS_OK;
    TRY(memory_alloc(&memory, capacity * sizeof *c->turns, err));
    // buffers move as they are; what stays behind are only pointers
    if (c->count > 0)
        memcpy(memory, c->turns, c->count * sizeof *c->turns);
    free(c->turns);
    c->turns = memory;
    c->capacity = capacity;
    return STATUS_OK;
}

enum status
conversation_ask(struct turn **out, struct conversation *c,
                 const char *question, size_t length, struct error *err)
{
    TRY(grow(c, err));
    struct turn *turn = &c->turns[c->count];

    *turn = (struct turn){0};
    TRY(buffer_append(&turn->question, question, length, err));
    c->count++;
    *out = turn;
    return STATUS_OK;
}

struct turn *
conversation_last(const struct conversation *c)
{
    return c->count > 0 ? &c->turns[c->count - 1] : NULL;
}

void
conversation_undo(struct conversation *c)
{
    struct turn *turn = conversation_last(c);

    if (turn == NULL)
        return;
    buffer_release(&turn->question);
    buffer_release(&turn->thinking);
    buffer_release(&turn->answer);
    c->count--;
}

void
conversation_clear(struct conversation *c)
{
    while (c->count > 0)
        conversation_undo(c);
}

void
conversation_release(struct conversation *c)
{
    conversation_clear(c);
    buffer_release(&c->system);
    free(c->turns);
    *c = (struct conversation){0};
}

enum status
conversation_set_system(struct conversation *c, const char *text, size_t length,
                        struct error *err)
{
    buffer_clear(&c->system);
    return buffer_append(&c->system, text, length, err);
}

static struct text
text_in(const struct buffer *buffer)
{
    return text_of(buffer->data ? buffer->data : "", buffer->length);
}

enum status
conversation_messages(struct chat_message **out, size_t *count,
                      const struct conversation *c, struct error *err)
{
    size_t most = 1 + 2 * c->count;
    void *memory;

    TRY(memory_alloc(&memory, most * sizeof **out, err));
    struct chat_message *message = memory;

    *out = memory;
    if (c->system.length > 0)
        *message++ = (struct chat_message){.role = CHAT_SYSTEM,
                                           .content = text_in(&c->system)};
    for (size_t i = 0; i < c->count; i++) {
        const struct turn *turn = &c->turns[i];

        // a question that got no answer is not held against the model
        if (turn->answer.length == 0 && i + 1 < c->count)
            continue;
        *message++ = (struct chat_message){.role = CHAT_USER,
                                           .content = text_in(&turn->question)};
        // the last one is what is asked for
        if (i + 1 == c->count)
            break;
        *message = (struct chat_message){.role = CHAT_ASSISTANT,
                                         .content = text_in(&turn->answer)};
        if (turn->thinking.length > 0)
            message->reasoning = text_in(&turn->thinking);
        message++;
    }
    *count = (size_t) (message - *out);
    return STATUS_OK;
}
