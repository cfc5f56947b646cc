/* Each text knows how deep it lies, since its parent came before it. */
#include "config.h"

#include "app/history/turn_count.h"

#include <stdio.h>

struct counted {
    uint64_t id;
    uint32_t depth; // questions down to it
};

struct counting {
    struct buffer texts; // struct counted
    uint64_t leaf;
    enum status status;
    struct error err;
};

static const struct counted *
texts_of(const struct counting *c, size_t *count)
{
    *count = c->texts.length / sizeof(struct counted);
    return (const void *) c->texts.data;
}

/* Of the text with this id, which are in order; 0: there is none. */
static uint32_t
depth_of(const struct counting *c, uint64_t id)
{
    size_t count, low = 0;
    const struct counted *texts = texts_of(c, &count);

    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (texts[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && texts[low].id == id ? texts[low].depth : 0;
}

static bool
count_text(void *context, const struct chat_info *info,
           const struct turn_record *turn)
{
    struct counting *c = context;

    if (turn == NULL) {
        c->leaf = info->leaf;
        return true;
    }
    struct counted text = {turn->id, depth_of(c, turn->parent) +
                                         (turn->role == TURN_QUESTION)};

    c->status =
        buffer_append(&c->texts, (const char *) &text, sizeof text, &c->err);
    return c->status == STATUS_OK;
}

/* Where no text is named as the last of the branch, the newest is. */
static uint32_t
depth_in_use(const struct counting *c)
{
    size_t count;
    const struct counted *texts = texts_of(c, &count);
    uint32_t depth = depth_of(c, c->leaf);

    return depth > 0 || count == 0 ? depth : texts[count - 1].depth;
}

uint32_t
turn_count(struct vault *vault, const struct chat_id *id)
{
    struct counting c = {.leaf = 0};
    struct error err;
    enum status status = vault_each_turn(vault, id, count_text, &c, &err);
    uint32_t count = status == STATUS_OK && c.status == STATUS_OK
                         ? depth_in_use(&c)
                         : TURN_COUNT_UNKNOWN;

    buffer_release(&c.texts);
    return count;
}

const char *
turn_count_text(char out[TURN_COUNT_TEXT], uint32_t count)
{
    if (count == TURN_COUNT_UNKNOWN)
        snprintf(out, TURN_COUNT_TEXT, "?");
    else
        snprintf(out, TURN_COUNT_TEXT, "%u", (unsigned) count);
    return out;
}
