/* One lock and two conditions. */
#include "config.h"

#include "base/queue.h"

#include "base/memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled; // an item came, or the end
    pthread_cond_t freed;  // an item went, the end, or a wake
    struct queue_item *first, **last;
    size_t bytes, count, limit_bytes;
    bool ended;
};

enum status
queue_open(struct queue **out, size_t limit_bytes, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct queue *queue = memory;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
    pthread_cond_init(&queue->freed, NULL);
    queue->last = &queue->first;
    queue->limit_bytes = limit_bytes;
    *out = queue;
    return STATUS_OK;
}

void
queue_close(struct queue *queue)
{
    if (queue == NULL)
        return;
    assert(queue->first == NULL);
    pthread_cond_destroy(&queue->freed);
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* With the lock held. */
static enum queue_answer
append(struct queue *queue, struct queue_item *item)
{
    if (queue->ended)
        return QUEUE_ENDED;
    item->next = NULL;
    *queue->last = item;
    queue->last = &item->next;
    queue->bytes += item->bytes;
    queue->count++;
    pthread_cond_signal(&queue->filled);
    return QUEUE_TAKEN;
}

static bool
fits(const struct queue *queue, const struct queue_item *item)
{
    return queue->count == 0 ||
           (queue->bytes <= queue->limit_bytes &&
            item->bytes <= queue->limit_bytes - queue->bytes);
}

enum queue_answer
queue_push(struct queue *queue, struct queue_item *item)
{
    pthread_mutex_lock(&queue->lock);
    enum queue_answer answer =
        queue->ended || fits(queue, item) ? append(queue, item) : QUEUE_FULL;
    pthread_mutex_unlock(&queue->lock);
    return answer;
}

enum queue_answer
queue_push_wait(struct queue *queue, struct queue_item *item,
                const _Atomic bool *stop)
{
    enum queue_answer answer;

    pthread_mutex_lock(&queue->lock);
    while (!queue->ended && !fits(queue, item) &&
           (stop == NULL || !atomic_load(stop)))
        pthread_cond_wait(&queue->freed, &queue->lock);
    if (queue->ended || fits(queue, item))
        answer = append(queue, item);
    else
        answer = QUEUE_BROKEN;
    pthread_mutex_unlock(&queue->lock);
    return answer;
}

enum queue_answer
queue_push_over(struct queue *queue, struct queue_item *item)
{
    pthread_mutex_lock(&queue->lock);
    enum queue_answer answer = append(queue, item);
    pthread_mutex_unlock(&queue->lock);
    return answer;
}

/* With the lock held; there is an item. */
static struct queue_item *
take(struct queue *queue)
{
    struct queue_item *item = queue->first;

    queue->first = item->next;
    if (queue->first == NULL)
        queue->last = &queue->first;
    queue->bytes -= item->bytes;
    queue->count--;
    pthread_cond_broadcast(&queue->freed);
    return item;
}

struct queue_item *
queue_pop(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct queue_item *item = queue->first != NULL ? take(queue) : NULL;
    pthread_mutex_unlock(&queue->lock);
    return item;
}

struct queue_item *
queue_pop_wait(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->first == NULL && !queue->ended)
        pthread_cond_wait(&queue->filled, &queue->lock);
    struct queue_item *item = queue->first != NULL ? take(queue) : NULL;
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void
queue_end(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->freed);
    pthread_mutex_unlock(&queue->lock);
}

void
queue_wake(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    pthread_cond_broadcast(&queue->freed);
    pthread_mutex_unlock(&queue->lock);
}

size_t
queue_bytes(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t bytes = queue->bytes;
    pthread_mutex_unlock(&queue->lock);
    return bytes;
}

size_t
queue_count(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
