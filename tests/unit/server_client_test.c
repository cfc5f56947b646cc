/* engine/server_client.h: slow clients, cancels, limits on what waits. */
#include "config.h"

#include "engine/server_client.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { MEBIBYTE = 1 << 20 };

static struct error err;

/* A client whose requests come from a pipe and whose events go nowhere. */
static struct {
    struct client *client;
    struct client_sink sink;
    _Atomic bool busy;
    _Atomic size_t waiting;
    int pipe_in, nowhere, wake;
} rig;

#define OK(call) assert_int_equal((call), STATUS_OK)

static void
no_stats(void *context, struct client *client, uint64_t number)
{
    (void) context;
    (void) client;
    (void) number;
}

static int
set_up(void **state)
{
    int ends[2];

    (void) state;
    rig.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    rig.nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    rig.busy = false;
    rig.waiting = 0;
    rig.sink = (struct client_sink){
        .busy = &rig.busy, .waiting = &rig.waiting, .stats = no_stats};
    if (pipe(ends) != 0 ||
        queue_open(&rig.sink.jobs, SIZE_MAX, &err) != STATUS_OK ||
        client_open(&rig.client, ends[0], rig.nowhere, rig.wake, &err) !=
            STATUS_OK)
        return -1;
    rig.pipe_in = ends[1];
    return 0;
}

static int
tear_down(void **state)
{
    (void) state;
    while (queue_pop(rig.sink.jobs) != NULL)
        ;
    close(rig.client->in);
    client_close(rig.client);
    queue_close(rig.sink.jobs);
    close(rig.pipe_in);
    close(rig.nowhere);
    close(rig.wake);
    return 0;
}

/* Lets the reader take these frames, piece by piece. */
static void
feed(const struct buffer *frames)
{
    for (size_t i = 0; i < frames->length; i += 32768) {
        size_t piece = frames->length - i < 32768 ? frames->length - i : 32768;

        assert_int_equal(write(rig.pipe_in, frames->data + i, piece), piece);
        assert_true(client_read(rig.client, &rig.sink));
    }
}

static void
feed_request(enum message_type type, uint64_t number)
{
    struct buffer frames = {0};

    OK(request_put_plain(&frames, type, number, &err));
    feed(&frames);
    buffer_release(&frames);
}

static struct job *
popped_job(void)
{
    return (struct job *) (void *) queue_pop(rig.sink.jobs);
}

static struct buffer
frame_of(size_t bytes)
{
    struct buffer frame = {0};

    OK(buffer_reserve(&frame, bytes, &err));
    memset(frame.data, 'x', bytes);
    frame.length = bytes;
    return frame;
}

static enum status
send(size_t bytes, enum client_push how, struct job *finished,
     const _Atomic bool *stop)
{
    struct buffer frame = frame_of(bytes);

    return client_send(rig.client, &frame, how, finished, stop, &err);
}

static void
progress_is_left_out_when_64_kibibytes_are_unread(void **state)
{
    (void) state;
    OK(send(CLIENT_DROP_BYTES, PUSH_DROP, NULL, NULL));
    OK(send(10, PUSH_DROP, NULL, NULL));
    assert_int_equal(queue_count(rig.client->outbox), 2);
    OK(send(10, PUSH_DROP, NULL, NULL));
    assert_int_equal(queue_count(rig.client->outbox), 2);
    OK(send(10, PUSH_WAIT, NULL, NULL));
    assert_int_equal(queue_count(rig.client->outbox), 3);
}

static void
text_waits_beyond_16_mebibytes_and_ends_do_not(void **state)
{
    _Atomic bool stop = true;

    (void) state;
    for (int i = 0; i < 16; i++)
        OK(send(MEBIBYTE, PUSH_WAIT, NULL, &stop));
    assert_int_equal(send(1, PUSH_WAIT, NULL, &stop), STATUS_CANCELLED);
    OK(send(100, PUSH_ALWAYS, NULL, NULL));
    assert_int_equal(queue_bytes(rig.client->outbox), 16 * MEBIBYTE + 100);
    // a client that reads on makes room again
    while (queue_bytes(rig.client->outbox) > 15 * MEBIBYTE + 100)
        assert_true(client_write(rig.client));
    OK(send(MEBIBYTE - 100, PUSH_WAIT, NULL, &stop));
}

struct sender {
    struct job *job;
    _Atomic bool begun;
    enum status status;
};

static void *
send_until_stopped(void *context)
{
    struct sender *sender = context;

    do {
        struct buffer frame = {0};
        struct error own;

        atomic_store(&sender->begun, true);
        sender->status = buffer_append(&frame, "x", 1, &own);
        if (sender->status == STATUS_OK)
            sender->status = client_send(rig.client, &frame, PUSH_WAIT, NULL,
                                         &sender->job->cancel, &own);
    } while (sender->status == STATUS_OK);
    return NULL;
}

static void
fill_outbox(void)
{
    OK(send(CLIENT_OUTBOX_BYTES, PUSH_ALWAYS, NULL, NULL));
}

static void
a_cancel_releases_a_sender_that_waits(void **state)
{
    struct buffer frames = {0};
    struct sender sender = {0};
    pthread_t thread;

    (void) state;
    feed_request(MESSAGE_GENERATE, 5);
    sender.job = popped_job();
    fill_outbox();
    assert_int_equal(pthread_create(&thread, NULL, send_until_stopped, &sender),
                     0);
    while (!atomic_load(&sender.begun))
        ;
    OK(request_put_cancel(&frames, 5, FINISH_TIMEOUT, &err));
    feed(&frames);
    pthread_join(thread, NULL);
    assert_int_equal(sender.status, STATUS_CANCELLED);
    assert_int_equal(atomic_load(&sender.job->reason), FINISH_TIMEOUT);
    buffer_release(&frames);
}

static void
a_client_that_leaves_releases_its_sender(void **state)
{
    struct sender sender = {0};
    pthread_t thread;

    feed_request(MESSAGE_GENERATE, 5);
    feed_request(MESSAGE_GENERATE, 6);
    sender.job = popped_job();
    fill_outbox();
    assert_int_equal(pthread_create(&thread, NULL, send_until_stopped, &sender),
                     0);
    while (!atomic_load(&sender.begun))
        ;
    rig.client->foreign = true; // the test closes its descriptors
    client_leave(rig.client, rig.sink.jobs);
    pthread_join(thread, NULL);
    assert_int_equal(sender.status, STATUS_CANCELLED);
    assert_int_equal(send(10, PUSH_ALWAYS, NULL, NULL), STATUS_CANCELLED);
    // what waited is cancelled too; the last job says that nobody is there
    struct job *waiting = popped_job();
    assert_int_equal(waiting->number, 6);
    assert_true(atomic_load(&waiting->cancel));
    assert_int_equal(popped_job()->kind, JOB_FORGET);
    (void) state;
}

static void
a_number_is_free_when_its_end_is_on_the_way(void **state)
{
    (void) state;
    feed_request(MESSAGE_GENERATE, 5);
    struct job *job = popped_job();
    assert_int_equal(rig.client->job_count, 1);
    OK(send(10, PUSH_ALWAYS, job, NULL));
    assert_int_equal(rig.client->job_count, 1);
    assert_true(client_write(rig.client));
    assert_int_equal(rig.client->job_count, 0);
    feed_request(MESSAGE_GENERATE, 5);
    assert_false(rig.client->closing);
    feed_request(MESSAGE_GENERATE, 5);
    assert_true(rig.client->closing);
}

static void
requests_say_how_many_are_first(void **state)
{
    (void) state;
    feed_request(MESSAGE_GENERATE, 1);
    assert_int_equal(queue_count(rig.client->outbox), 0);
    feed_request(MESSAGE_GENERATE, 2);
    assert_int_equal(queue_count(rig.client->outbox), 1);
    struct outgoing *told = (void *) queue_pop(rig.client->outbox);
    assert_non_null(strstr(told->frame.data + FRAME_HEADER_BYTES, "queue"));
    buffer_release(&told->frame);
    free(told);
    assert_int_equal(rig.waiting, 2);
}

/* TEXT of `mebibytes` for a request; the pieces hold 128 KiB. */
static void
feed_text(uint64_t number, size_t mebibytes)
{
    static char piece[128 << 10];
    struct buffer frames = {0};
    char head[] = "{\"slot\":0,\"text\":\"", tail[] = "\"}";

    memset(piece, 'a', sizeof piece);
    for (size_t i = 0; i < 8 * mebibytes; i++) {
        struct buffer payload = {0};

        OK(buffer_append(&payload, head, strlen(head), &err));
        OK(buffer_append(&payload, piece, sizeof piece, &err));
        OK(buffer_append(&payload, tail, strlen(tail), &err));
        OK(frame_append(&frames, MESSAGE_TEXT, number, payload.data,
                        payload.length, &err));
        feed(&frames);
        buffer_release(&payload);
        buffer_clear(&frames);
    }
    buffer_release(&frames);
}

static void
a_client_holds_at_most_128_mebibytes_of_text(void **state)
{
    (void) state;
    feed_text(1, 64);
    feed_text(2, 60);
    assert_int_equal(queue_count(rig.client->outbox), 0);
    feed_text(3, 5);
    assert_int_equal(queue_count(rig.client->outbox), 1);
    // the refused request's own frame is skipped, the others' are not
    feed_request(MESSAGE_GENERATE, 3);
    assert_null(popped_job());
    feed_request(MESSAGE_GENERATE, 2);
    struct job *job = popped_job();
    assert_int_equal(job->slots.bytes, 60 * MEBIBYTE);
    // and when it has ended there is room
    OK(send(10, PUSH_ALWAYS, job, NULL));
    while (client_wants_write(rig.client))
        assert_true(client_write(rig.client));
    feed_text(4, 5);
    assert_int_equal(queue_count(rig.client->outbox), 0);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(progress_is_left_out_when_64_kibibytes_are_unread),
        TEST(text_waits_beyond_16_mebibytes_and_ends_do_not),
        TEST(a_cancel_releases_a_sender_that_waits),
        TEST(a_client_that_leaves_releases_its_sender),
        TEST(a_number_is_free_when_its_end_is_on_the_way),
        TEST(requests_say_how_many_are_first),
        TEST(a_client_holds_at_most_128_mebibytes_of_text),
    };

    protocol_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
