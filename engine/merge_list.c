/* A linked list of symbols and a heap of candidates with four children. */
#include "config.h"

#include "engine/merge_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CHILDREN = 4 };

static void
release_memory(struct merge_list *list)
{
    if (list->symbols != NULL)
        explicit_bzero(list->symbols, list->capacity * sizeof *list->symbols);
    if (list->heap != NULL)
        explicit_bzero(list->heap, 2 * list->capacity * sizeof *list->heap);
    free(list->symbols);
    free(list->heap);
    list->symbols = NULL;
    list->heap = NULL;
    list->capacity = 0;
}

void
merge_list_release(struct merge_list *list)
{
    release_memory(list);
    *list = (struct merge_list){0};
}

enum status
merge_list_begin(struct merge_list *list, size_t count, struct error *err)
{
    assert(count < UINT32_MAX);
    list->count = count;
    if (count <= list->capacity)
        return STATUS_OK;

    size_t capacity = 64;
    void *memory;
    while (capacity < count)
        capacity *= 2;
    release_memory(list);
    TRY(memory_alloc(&memory, capacity * sizeof *list->symbols, err));
    list->symbols = memory;
    list->capacity = capacity;
    // a pair enters once at first, and each join adds two and takes one away
    TRY(memory_alloc(&memory, 2 * capacity * sizeof *list->heap, err));
    list->heap = memory;
    return STATUS_OK;
}

// -- the heap ----------------------------------------------------------------

static void
sift_down(struct merge_list *list, size_t at)
{
    uint64_t moving = list->heap[at];

    for (;;) {
        size_t first = at * CHILDREN + 1, best = first;
        size_t end = first + CHILDREN;

        if (first >= list->candidates)
            break;
        if (end > list->candidates)
            end = list->candidates;
        for (size_t child = first + 1; child < end; child++)
            if (list->heap[child] < list->heap[best])
                best = child;
        if (list->heap[best] >= moving)
            break;
        list->heap[at] = list->heap[best];
        at = best;
    }
    list->heap[at] = moving;
}

static void
push(struct merge_list *list, uint64_t candidate)
{
    size_t at = list->candidates++;

    assert(list->candidates <= 2 * list->capacity);
    while (at > 0) {
        size_t parent = (at - 1) / CHILDREN;
        if (list->heap[parent] <= candidate)
            break;
        list->heap[at] = list->heap[parent];
        at = parent;
    }
    list->heap[at] = candidate;
}

static uint64_t
pop(struct merge_list *list)
{
    uint64_t best = list->heap[0];

    list->heap[0] = list->heap[--list->candidates];
    if (list->candidates > 0)
        sift_down(list, 0);
    list->steps++;
    return best;
}

// -- joining -----------------------------------------------------------------

uint32_t
merge_list_end(const struct merge_list *list, uint32_t i)
{
    uint32_t next = list->symbols[i].next;

    return next < list->count ? list->symbols[next].start : list->bytes;
}

static void
rate_pair(struct merge_list *list, uint32_t i, merge_rate_fn rate,
          const void *rule)
{
    struct merge_symbol *left = &list->symbols[i];

    left->priority = MERGE_NEVER;
    if (left->next >= list->count)
        return;
    left->priority =
        rate(rule, left->id, list->symbols[left->next].id, left->start,
             merge_list_end(list, left->next), &left->joined);
}

static uint64_t
candidate_of(const struct merge_list *list, uint32_t i)
{
    return (uint64_t) list->symbols[i].priority << 32 | i;
}

static void
collect(struct merge_list *list, merge_rate_fn rate, const void *rule)
{
    uint32_t count = (uint32_t) list->count;

    list->candidates = 0;
    for (uint32_t i = 0; i < count; i++) {
        list->symbols[i].previous = i > 0 ? i - 1 : count;
        list->symbols[i].next = i + 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        rate_pair(list, i, rate, rule);
        if (list->symbols[i].priority != MERGE_NEVER)
            list->heap[list->candidates++] = candidate_of(list, i);
    }
    for (size_t i = list->candidates / CHILDREN + 1; i-- > 0;)
        if (i < list->candidates)
            sift_down(list, i);
}

/* Symbol i takes in its next one. */
static void
absorb_next(struct merge_list *list, uint32_t i)
{
    struct merge_symbol *left = &list->symbols[i];
    struct merge_symbol *right = &list->symbols[left->next];

    left->id = left->joined;
    left->next = right->next;
    if (left->next < list->count)
        list->symbols[left->next].previous = i;
    right->priority = MERGE_NEVER; // candidates that name it are stale
}

void
merge_list_join(struct merge_list *list, uint32_t bytes, merge_rate_fn rate,
                const void *rule)
{
    list->bytes = bytes;
    collect(list, rate, rule);
    while (list->candidates > 0) {
        uint64_t best = pop(list);
        uint32_t i = (uint32_t) best;

        // stale: a join changed the pair; if it is rated the same it is the
        // same
        if (list->symbols[i].priority != (uint32_t) (best >> 32))
            continue;
        absorb_next(list, i);
        rate_pair(list, i, rate, rule);
        if (list->symbols[i].priority != MERGE_NEVER)
            push(list, candidate_of(list, i));
        uint32_t previous = list->symbols[i].previous;
        if (previous >= list->count)
            continue;
        rate_pair(list, previous, rate, rule);
        if (list->symbols[previous].priority != MERGE_NEVER)
            push(list, candidate_of(list, previous));
    }
}
