/*
 * A bounded queue between two threads: items in, items out, in order.
 *
 * An item is memory of the pusher's that begins with struct queue_item; it
 * belongs to the queue from push to pop. The bound is on bytes, as each item
 * states them. Any thread may call any of these but open and close.
 */
#ifndef FATHOM_BASE_QUEUE_H
#define FATHOM_BASE_QUEUE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct queue;

struct queue_item {
    struct queue_item *next; // the queue's
    size_t bytes;            // as counted against the bound
};

enum queue_answer {
    QUEUE_TAKEN,  // the item is the queue's
    QUEUE_FULL,   // it does not fit now; still the caller's
    QUEUE_ENDED,  // nothing is taken any more; still the caller's
    QUEUE_BROKEN, // waiting was given up: `stop` came; still the caller's
};

MUST_CHECK enum status queue_open(struct queue **out, size_t limit_bytes,
                                  struct error *err);
/* Takes NULL. Nobody may use the queue any more; it must be empty. */
void queue_close(struct queue *queue);

/*
 * Takes the item if the bytes held stay within the bound; an empty queue takes
 * any item.
 */
enum queue_answer queue_push(struct queue *queue, struct queue_item *item);
/* Waits for room, until *stop (may be NULL) is seen true at a queue_wake. */
enum queue_answer queue_push_wait(struct queue *queue, struct queue_item *item,
                                  const _Atomic bool *stop);
/* Takes the item whatever the bound. */
enum queue_answer queue_push_over(struct queue *queue, struct queue_item *item);

/* The oldest item, or NULL when there is none. */
struct queue_item *queue_pop(struct queue *queue);
/* Waits for an item; NULL when the queue has ended and is empty. */
struct queue_item *queue_pop_wait(struct queue *queue);

/* Pushes are refused from now on; what is in it may still be taken out. */
void queue_end(struct queue *queue);
/* Lets waiting pushers look at their `stop`. */
void queue_wake(struct queue *queue);

size_t queue_bytes(struct queue *queue);
size_t queue_count(struct queue *queue);

#endif
