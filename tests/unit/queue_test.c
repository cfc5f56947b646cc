/* base/queue.h. Run under ThreadSanitizer as well. */
#include "config.h"

#include "base/queue.h"

#include "base/base.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct error err;

struct item {
    struct queue_item link;
    int value;
};

static struct queue *
opened(size_t limit)
{
    struct queue *queue;

    assert_int_equal(queue_open(&queue, limit, &err), STATUS_OK);
    return queue;
}

static int
popped(struct queue *queue)
{
    struct item *item = (struct item *) (void *) queue_pop(queue);

    return item != NULL ? item->value : -1;
}

static void
items_come_out_in_order(void **state)
{
    struct queue *queue = opened(100);
    struct item items[3] = {{{NULL, 10}, 0}, {{NULL, 20}, 1}, {{NULL, 30}, 2}};

    (void) state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(queue_push(queue, &items[i].link), QUEUE_TAKEN);
    assert_int_equal(queue_bytes(queue), 60);
    assert_int_equal(queue_count(queue), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(popped(queue), i);
    assert_int_equal(popped(queue), -1);
    assert_int_equal(queue_push(queue, &items[0].link), QUEUE_TAKEN);
    assert_int_equal(popped(queue), 0);
    queue_close(queue);
    queue_close(NULL);
}

static void
the_bound_is_on_bytes(void **state)
{
    struct queue *queue = opened(100);
    struct item large = {{NULL, 1000}, 0}, small = {{NULL, 1}, 1};
    struct item half = {{NULL, 50}, 2}, rest = {{NULL, 51}, 3};

    (void) state;
    // an empty queue takes any item, or it could never pass
    assert_int_equal(queue_push(queue, &large.link), QUEUE_TAKEN);
    assert_int_equal(queue_push(queue, &small.link), QUEUE_FULL);
    assert_int_equal(queue_push_over(queue, &small.link), QUEUE_TAKEN);
    assert_int_equal(popped(queue), 0);
    assert_int_equal(popped(queue), 1);
    assert_int_equal(queue_push(queue, &half.link), QUEUE_TAKEN);
    assert_int_equal(queue_push(queue, &rest.link), QUEUE_FULL);
    rest.link.bytes = 50;
    assert_int_equal(queue_push(queue, &rest.link), QUEUE_TAKEN);
    assert_int_equal(popped(queue), 2);
    assert_int_equal(popped(queue), 3);
    queue_close(queue);
}

static void
an_ended_queue_gives_what_it_has(void **state)
{
    struct queue *queue = opened(100);
    struct item a = {{NULL, 1}, 5}, b = {{NULL, 1}, 6};

    (void) state;
    assert_int_equal(queue_push(queue, &a.link), QUEUE_TAKEN);
    queue_end(queue);
    assert_int_equal(queue_push(queue, &b.link), QUEUE_ENDED);
    assert_int_equal(queue_push_wait(queue, &b.link, NULL), QUEUE_ENDED);
    assert_int_equal(queue_push_over(queue, &b.link), QUEUE_ENDED);
    assert_ptr_equal(queue_pop_wait(queue), &a.link);
    assert_null(queue_pop_wait(queue));
    queue_close(queue);
}

/* One thread pushes a million bytes through a queue of a hundred. */
enum { MANY = 20000 };

static void *
push_many(void *context)
{
    struct queue *queue = context;

    for (int i = 0; i < MANY; i++) {
        struct item *item = calloc(1, sizeof *item);

        item->link.bytes = 50;
        item->value = i;
        if (queue_push_wait(queue, &item->link, NULL) != QUEUE_TAKEN)
            abort();
    }
    queue_end(queue);
    return NULL;
}

static void
a_slow_reader_makes_the_pusher_wait(void **state)
{
    struct queue *queue = opened(100);
    struct queue_item *link;
    pthread_t thread;
    int next = 0;

    (void) state;
    assert_int_equal(pthread_create(&thread, NULL, push_many, queue), 0);
    while ((link = queue_pop_wait(queue)) != NULL) {
        struct item *item = (struct item *) (void *) link;

        assert_int_equal(item->value, next++);
        assert_true(queue_bytes(queue) <= 100);
        free(item);
    }
    assert_int_equal(next, MANY);
    pthread_join(thread, NULL);
    queue_close(queue);
}

struct waiting {
    struct queue *queue;
    _Atomic bool stop, about_to_wait;
    struct item item;
    enum queue_answer answer;
};

static void *
push_one(void *context)
{
    struct waiting *waiting = context;

    atomic_store(&waiting->about_to_wait, true);
    waiting->answer =
        queue_push_wait(waiting->queue, &waiting->item.link, &waiting->stop);
    return NULL;
}

/* Fills a queue, lets a thread wait for room in it, then does `release`. */
static enum queue_answer
wait_until(void (*release)(struct waiting *))
{
    struct waiting waiting = {.queue = opened(10), .item = {{NULL, 10}, 2}};
    struct item first = {{NULL, 10}, 1};
    pthread_t thread;

    queue_push(waiting.queue, &first.link);
    assert_int_equal(pthread_create(&thread, NULL, push_one, &waiting), 0);
    while (!atomic_load(&waiting.about_to_wait))
        ;
    release(&waiting);
    pthread_join(thread, NULL);
    while (queue_pop(waiting.queue) != NULL)
        ;
    queue_close(waiting.queue);
    return waiting.answer;
}

static void
by_stop(struct waiting *waiting)
{
    atomic_store(&waiting->stop, true);
    queue_wake(waiting->queue);
}

static void
by_end(struct waiting *waiting)
{
    queue_end(waiting->queue);
}

static void
by_room(struct waiting *waiting)
{
    assert_int_equal(popped(waiting->queue), 1);
}

static void
a_waiting_pusher_is_released(void **state)
{
    (void) state;
    for (int i = 0; i < 200; i++) {
        assert_int_equal(wait_until(by_stop), QUEUE_BROKEN);
        assert_int_equal(wait_until(by_end), QUEUE_ENDED);
        assert_int_equal(wait_until(by_room), QUEUE_TAKEN);
    }
}

static void
a_queue_needs_memory(void **state)
{
    struct queue *queue;

    (void) state;
    fault_arm(1);
    assert_int_equal(queue_open(&queue, 1, &err), STATUS_NOMEM);
    assert_null(queue);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(the_bound_is_on_bytes),
        cmocka_unit_test(an_ended_queue_gives_what_it_has),
        cmocka_unit_test(a_slow_reader_makes_the_pusher_wait),
        cmocka_unit_test(a_waiting_pusher_is_released),
        cmocka_unit_test(a_queue_needs_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
